//! Round-trip times: a host's estimator, and a fixed memory of recent sends.

use std::{net::Ipv4Addr, time::Duration};

use headcount_model::Instant;

/// A smoothed round-trip time (RFC 6298, section 2).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rtt {
    smoothed: Duration,
    variation: Duration,
    known: bool,
}

impl Rtt {
    pub(crate) fn sample(&mut self, rtt: Duration) {
        if self.known {
            let off = self.smoothed.abs_diff(rtt);
            self.variation = (self.variation * 3 + off) / 4;
            self.smoothed = (self.smoothed * 7 + rtt) / 8;
        } else {
            *self = Self { smoothed: rtt, variation: rtt / 2, known: true };
        }
    }

    /// How long an answer may take, between `least` and a second; 400 ms before the first sample.
    pub(crate) fn patience(&self, least: Duration) -> Duration {
        let usual = if self.known { self.smoothed + self.variation * 4 } else { Duration::from_millis(400) };
        usual.clamp(least, Duration::from_secs(1))
    }
}

/// When the last questions left, in a fixed table: later ones push earlier ones out.
#[derive(Clone, Debug)]
pub(crate) struct RecentSends(Vec<(Ipv4Addr, Instant)>);

impl RecentSends {
    const SLOTS: usize = 4096;

    pub(crate) fn new(targets: u64) -> Self {
        let slots = targets.clamp(1, Self::SLOTS as u64).next_power_of_two() as usize;
        Self(vec![(Ipv4Addr::UNSPECIFIED, Instant::ZERO); slots])
    }

    pub(crate) fn sent(&mut self, target: Ipv4Addr, now: Instant) {
        let slot = self.slot(target);
        self.0[slot] = (target, now);
    }

    pub(crate) fn since(&self, target: Ipv4Addr, now: Instant) -> Option<Duration> {
        let (asked, at) = self.0[self.slot(target)];
        (asked == target).then(|| now.since(at))
    }

    fn slot(&self, target: Ipv4Addr) -> usize {
        u32::from(target) as usize & (self.0.len() - 1)
    }
}
