//! Rates: token buckets, a clock for every host, and the controller that slows down when replies show loss.

use std::{net::Ipv4Addr, time::Duration};

use headcount_model::Instant;

/// A rate limit in the form of the generic cell rate algorithm (ITU-T I.371, annex A): one moment is all its state.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    interval: Duration,
    /// How far ahead of its even pace it may run.
    tolerance: Duration,
    /// When the next packet would leave at an even pace.
    due: Instant,
}

impl Bucket {
    /// At most `rate` packets a second, in bursts of at most `burst` packets.
    pub(crate) fn new(rate: f64, burst: f64) -> Self {
        let mut bucket = Self { interval: Duration::ZERO, tolerance: Duration::ZERO, due: Instant::ZERO };
        bucket.change(rate, burst);
        bucket
    }

    pub(crate) fn change(&mut self, rate: f64, burst: f64) {
        self.interval = Duration::from_secs_f64(1.0 / rate.max(1e-3));
        self.tolerance = self.interval.mul_f64((burst - 1.0).max(0.0));
    }

    /// The earliest moment at which a packet may leave.
    pub(crate) fn ready(&self) -> Instant {
        self.due - self.tolerance
    }

    /// `packets` leave now.
    pub(crate) fn take(&mut self, now: Instant, packets: u32) {
        self.due = self.due.max(now) + self.interval * packets;
    }
}

/// When each host may next be sent something. A fixed table: hosts that share a slot wait for each other, which is
/// slower but never too fast.
#[derive(Clone, Debug)]
pub(crate) struct HostClock {
    interval: Duration,
    next: Vec<Instant>,
}

impl HostClock {
    /// At most `per_host` packets a second to any host, evenly spaced, while `total` packets a second leave in all.
    pub(crate) fn new(per_host: f64, total: f64) -> Self {
        // Sixty-four slots for each host that can be within its interval at once: few wait for a stranger.
        let busy = (total / per_host).clamp(1.0, 65_536.0) as usize;
        let slots = (busy * 64).next_power_of_two().max(4096);
        Self { interval: Duration::from_secs_f64(1.0 / per_host.max(1e-3)), next: vec![Instant::ZERO; slots] }
    }

    pub(crate) fn ready(&self, host: Ipv4Addr) -> Instant {
        self.next[self.slot(host)]
    }

    /// `packets` leave to `host` now.
    pub(crate) fn take(&mut self, now: Instant, host: Ipv4Addr, packets: u32) {
        let slot = self.slot(host);
        self.next[slot] = self.next[slot].max(now) + self.interval * packets;
    }

    fn slot(&self, host: Ipv4Addr) -> usize {
        let hash = u64::from(u32::from(host)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (hash >> 32) as usize & (self.next.len() - 1)
    }
}

/// The total rate, kept below what the network shows that it can carry.
///
/// Controls (present hosts that are re-asked) tell how much is lost. Loss above [`Pace::TOO_MUCH`] halves the rate;
/// if half the rate loses as much, the loss is the medium's own and slowing down more would gain nothing.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    limit: f64,
    rate: f64,
    asked: u32,
    lost: u32,
    /// The loss that made the rate go down last.
    cut_at: Option<f64>,
    /// The medium loses this much at any rate.
    floor_loss: f64,
    backed_off: u32,
}

impl Pace {
    /// Loss of controls above which the rate is thought too high.
    const TOO_MUCH: f64 = 0.05;
    /// Controls that make a judgement: enough that chance alone rarely looks like a change.
    const WINDOW: u32 = 50;
    /// The rate never falls below this share of the limit.
    const LEAST: f64 = 1.0 / 8.0;

    pub(crate) fn new(limit: f64) -> Self {
        Self { limit, rate: limit, asked: 0, lost: 0, cut_at: None, floor_loss: 0.0, backed_off: 0 }
    }

    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    pub(crate) fn backed_off(&self) -> u32 {
        self.backed_off
    }

    /// A control answered or did not. Whether the rate changed.
    pub(crate) fn control(&mut self, answered: bool) -> bool {
        self.asked += 1;
        self.lost += u32::from(!answered);
        if self.asked < Self::WINDOW {
            return false;
        }
        let loss = f64::from(self.lost) / f64::from(self.asked);
        (self.asked, self.lost) = (0, 0);
        let before = self.rate;
        self.judge(loss);
        self.rate.total_cmp(&before).is_ne()
    }

    fn judge(&mut self, loss: f64) {
        if loss <= self.floor_loss * 1.5 + Self::TOO_MUCH {
            self.cut_at = None;
            self.rate = (self.rate * 1.25).min(self.limit);
            return;
        }
        match self.cut_at {
            Some(at_full_rate) if loss > at_full_rate * 0.6 => {
                self.floor_loss = self.floor_loss.max(loss);
                self.cut_at = None;
                self.rate = (self.rate * 2.0).min(self.limit);
            }
            _ => {
                self.cut_at = Some(loss);
                self.rate = (self.rate / 2.0).max(self.limit * Self::LEAST);
                self.backed_off += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_never_exceeds_its_rate(rate in 1.0f64..5000.0, burst in 1.0f64..64.0, steps in prop::collection::vec(0u64..5_000_000, 1..400)) {
            let mut bucket = Bucket::new(rate, burst);
            let mut now = Instant::from_nanos(1_000_000_000);
            let mut left: Vec<Instant> = Vec::new();
            for step in steps {
                now += Duration::from_nanos(step);
                if bucket.ready() <= now {
                    bucket.take(now, 1);
                    left.push(now);
                }
            }
            for (i, from) in left.iter().enumerate() {
                for (j, to) in left.iter().enumerate().skip(i) {
                    let allowed = burst + rate * to.since(*from).as_secs_f64() + 1.0;
                    prop_assert!(((j - i + 1) as f64) <= allowed);
                }
            }
        }

        #[test]
        fn a_host_is_never_asked_twice_within_its_interval(gaps in prop::collection::vec(0u64..40_000_000, 1..200)) {
            let mut clock = HostClock::new(40.0, 1000.0);
            let host = Ipv4Addr::new(10, 0, 0, 9);
            let (mut now, mut last) = (Instant::from_nanos(1), None);
            for gap in gaps {
                now += Duration::from_nanos(gap);
                if clock.ready(host) <= now {
                    clock.take(now, host, 1);
                    if let Some(last) = last {
                        prop_assert!(now.since(last) >= Duration::from_millis(25));
                    }
                    last = Some(now);
                }
            }
        }
    }

    fn outcomes(pace: &mut Pace, lost: u32, of: u32) {
        for i in 0..of {
            pace.control(i >= lost);
        }
    }

    #[test]
    fn loss_that_the_rate_causes_halves_it_until_it_is_gone() {
        let mut pace = Pace::new(1000.0);
        outcomes(&mut pace, 20, 50);
        assert_eq!(pace.rate(), 500.0);
        outcomes(&mut pace, 8, 50);
        assert_eq!(pace.rate(), 250.0);
        outcomes(&mut pace, 0, 50);
        assert_eq!(pace.rate(), 312.5);
        assert_eq!(pace.backed_off(), 2);
    }

    #[test]
    fn loss_that_the_medium_has_at_any_rate_is_borne() {
        let mut pace = Pace::new(1000.0);
        for _ in 0..20 {
            outcomes(&mut pace, 18, 50);
        }
        assert_eq!(pace.rate(), 1000.0);
        assert_eq!(pace.backed_off(), 1);
    }
}
