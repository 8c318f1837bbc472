//! What goes wrong on the way: loss, delay, reordering, duplicates, corruption, outages, full queues.

use std::{collections::VecDeque, time::Duration};

use headcount_model::Instant;

use crate::{outbox::Outbox, rng::Rng};

/// What one direction of a link does to frames. The default does nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// The share of frames that is lost, from 0 to 1.
    pub loss: f64,
    /// The time that every frame takes.
    pub delay: Duration,
    /// What is added to it at random, at the most; frames stay in order.
    pub jitter: Duration,
    /// The share of frames that others overtake: they take `reorder_by` longer.
    pub reorder: f64,
    /// How much longer an overtaken frame takes.
    pub reorder_by: Duration,
    /// The share of frames that arrive twice.
    pub duplicate: f64,
    /// The share of frames in which one bit is turned.
    pub corrupt: f64,
    /// Times, from and to, in which every frame is lost.
    pub blackholes: Vec<(Instant, Instant)>,
    /// A narrow place on the way.
    pub queue: Option<Queue>,
}

impl Faults {
    /// Loss and nothing else.
    pub fn loss(share: f64) -> Self {
        Self { loss: share, ..Self::default() }
    }
}

/// A narrow place: so many frames a second pass, so many wait, the rest is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Queue {
    /// Frames a second, above 0.
    pub pps: f64,
    /// How many wait at the most.
    pub frames: usize,
}

/// The faults of both directions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// From the scanning machine to the network.
    pub up: Faults,
    /// From the network to the scanning machine.
    pub down: Faults,
}

impl Link {
    /// The same faults both ways.
    pub fn both(faults: Faults) -> Self {
        Self { up: faults.clone(), down: faults }
    }
}

/// What happened to the frames of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathStatistics {
    /// Frames that were sent.
    pub sent: u64,
    /// Frames that arrived, duplicates counted.
    pub arrived: u64,
    /// Frames lost by chance or in an outage.
    pub lost: u64,
    /// Frames dropped at the narrow place.
    pub dropped: u64,
    /// Frames that were sent twice.
    pub duplicated: u64,
    /// Frames in which a bit was turned.
    pub corrupted: u64,
}

/// One direction of a link with its faults.
#[derive(Clone, Debug)]
pub struct FaultyPath {
    faults: Faults,
    rng: Rng,
    outbox: Outbox,
    statistics: PathStatistics,
    /// Frames without another fault never overtake each other.
    last: Instant,
    /// When the frames that are in the narrow place leave it.
    leaving: VecDeque<Instant>,
}

impl FaultyPath {
    /// A direction with `faults`; `rng` decides whom they meet.
    pub fn new(faults: Faults, rng: Rng) -> Self {
        Self {
            faults,
            rng,
            outbox: Outbox::default(),
            statistics: PathStatistics::default(),
            last: Instant::ZERO,
            leaving: VecDeque::new(),
        }
    }

    /// A frame enters.
    pub fn push(&mut self, now: Instant, frame: &[u8]) {
        self.statistics.sent += 1;
        let outage = self.faults.blackholes.iter().any(|(from, to)| (*from..*to).contains(&now));
        if self.rng.chance(self.faults.loss) || outage {
            self.statistics.lost += 1;
            return;
        }
        let Some(through) = self.pass_queue(now) else {
            self.statistics.dropped += 1;
            return;
        };
        let due = through + self.faults.delay + self.rng.time_below(self.faults.jitter);
        let mut due = due.max(self.last);
        if self.rng.chance(self.faults.reorder) {
            due += self.faults.reorder_by;
        } else {
            self.last = due;
        }
        self.deliver(due, frame);
    }

    /// A frame leaves.
    pub fn pop(&mut self, now: Instant) -> Option<Vec<u8>> {
        let frame = self.outbox.pop(now)?;
        self.statistics.arrived += 1;
        Some(frame)
    }

    /// Gives the buffer of a frame back that [`pop`](Self::pop) gave.
    pub fn reuse(&mut self, frame: Vec<u8>) {
        self.outbox.reuse(frame);
    }

    /// When the next frame leaves.
    pub fn next_due(&self) -> Option<Instant> {
        self.outbox.next_due()
    }

    /// What happened so far.
    pub fn statistics(&self) -> PathStatistics {
        self.statistics
    }

    fn pass_queue(&mut self, now: Instant) -> Option<Instant> {
        let Some(queue) = self.faults.queue else {
            return Some(now);
        };
        while self.leaving.front().is_some_and(|left| *left <= now) {
            self.leaving.pop_front();
        }
        if self.leaving.len() > queue.frames {
            return None;
        }
        let each = Duration::try_from_secs_f64(1.0 / queue.pps).unwrap_or(Duration::MAX);
        let through = self.leaving.back().copied().unwrap_or(now).max(now) + each;
        self.leaving.push_back(through);
        Some(through)
    }

    fn deliver(&mut self, due: Instant, frame: &[u8]) {
        if self.rng.chance(self.faults.duplicate) {
            self.statistics.duplicated += 1;
            self.outbox.push(due, frame);
        }
        if !frame.is_empty() && self.rng.chance(self.faults.corrupt) {
            self.statistics.corrupted += 1;
            let mut bytes = frame.to_vec();
            let bit = self.rng.below(frame.len() as u64 * 8);
            bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
            self.outbox.push(due, &bytes);
        } else {
            self.outbox.push(due, frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    /// Sends `count` frames, one each millisecond, each with its number; returns when which came.
    fn send(faults: Faults, count: u32, seed: u64) -> (Vec<(Instant, Vec<u8>)>, PathStatistics) {
        let mut path = FaultyPath::new(faults, Rng::new(seed, 0));
        for n in 0..count {
            path.push(ms(u64::from(n)), &n.to_be_bytes());
        }
        let mut came = Vec::new();
        while let Some(due) = path.next_due() {
            came.push((due, path.pop(due).unwrap()));
        }
        (came, path.statistics())
    }

    fn numbers(came: &[(Instant, Vec<u8>)]) -> Vec<u32> {
        came.iter().map(|(_, frame)| u32::from_be_bytes(frame.as_slice().try_into().unwrap())).collect()
    }

    #[test]
    fn a_path_without_faults_changes_nothing() {
        let (came, statistics) = send(Faults::default(), 100, 1);
        assert_eq!(numbers(&came), (0..100).collect::<Vec<_>>());
        assert!(came.iter().enumerate().all(|(n, (due, _))| *due == ms(n as u64)));
        assert_eq!((statistics.sent, statistics.arrived), (100, 100));
    }

    #[test]
    fn loss_takes_its_share_and_a_seed_repeats_it() {
        let (came, statistics) = send(Faults::loss(0.2), 10_000, 3);
        assert!((1_850..2_150).contains(&statistics.lost), "{statistics:?}");
        assert_eq!(came, send(Faults::loss(0.2), 10_000, 3).0);
        assert_ne!(came, send(Faults::loss(0.2), 10_000, 4).0);
    }

    #[test]
    fn jitter_keeps_the_order_and_reordering_does_not() {
        let delay = Duration::from_millis(5);
        let jitter = Faults { delay, jitter: Duration::from_millis(20), ..Faults::default() };
        let (came, _) = send(jitter, 500, 1);
        assert!(numbers(&came).is_sorted());
        assert!(came.iter().zip(0..).all(|((due, _), n)| *due >= ms(n) + delay));
        let reorder = Faults { reorder: 0.1, reorder_by: Duration::from_millis(10), ..Faults::default() };
        let (came, _) = send(reorder, 500, 1);
        assert_eq!(came.len(), 500);
        assert!(!numbers(&came).is_sorted());
    }

    #[test]
    fn duplicates_and_corruption_are_counted() {
        let faults = Faults { duplicate: 0.1, corrupt: 0.1, ..Faults::default() };
        let (came, statistics) = send(faults, 1_000, 9);
        assert_eq!(came.len() as u64, 1_000 + statistics.duplicated);
        assert!((60..140).contains(&statistics.duplicated) && (60..140).contains(&statistics.corrupted));
        let turned: u32 =
            (0..1_000u32).map(|n| u32::from(!came.iter().any(|(_, frame)| *frame == n.to_be_bytes()))).sum();
        assert!(turned > 0);
    }

    #[test]
    fn nothing_passes_an_outage() {
        let faults = Faults { blackholes: vec![(ms(10), ms(20))], ..Faults::default() };
        let (came, _) = send(faults, 30, 1);
        assert_eq!(numbers(&came), (0..10).chain(20..30).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_queue_drops() {
        let faults = Faults { queue: Some(Queue { pps: 100.0, frames: 5 }), ..Faults::default() };
        let (came, statistics) = send(faults, 1_000, 1);
        // One in ten passes, and what waits at the end.
        assert_eq!(came.len() as u64 + statistics.dropped, 1_000);
        assert!((100..=107).contains(&came.len()), "{}", came.len());
        let gaps = came.windows(2).map(|pair| pair[1].0.since(pair[0].0));
        assert!(gaps.into_iter().all(|gap| gap >= Duration::from_millis(10)));
    }
}
