//! Frames on their way, in the order in which they are due.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use headcount_model::Instant;

/// Frames that are due at some moment. Frames due at the same moment leave in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    heap: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
    count: u64,
}

/// The largest frame that is kept: an Ethernet frame with a full payload.
const MAX_FRAME: usize = 1514;

impl Outbox {
    /// Adds a copy of `frame`.
    pub(crate) fn push(&mut self, due: Instant, frame: &[u8]) {
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(&frame[..frame.len().min(MAX_FRAME)]);
        self.count += 1;
        self.heap.push(Reverse((due, self.count, bytes)));
    }

    /// The next frame that is due.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.next_due()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, _, bytes))| bytes)
    }

    /// Gives a popped buffer back.
    pub(crate) fn reuse(&mut self, bytes: Vec<u8>) {
        if self.spare.len() < 64 {
            self.spare.push(bytes);
        }
    }

    /// When the next frame is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((due, _, _))| *due)
    }

    /// How many frames are on their way.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

/// At most so many in any second, kept as a bucket that holds one second's worth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    per_second: u32,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second, tokens: f64::from(per_second), filled: Instant::ZERO }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let rate = f64::from(self.per_second);
        self.tokens = (self.tokens + now.since(self.filled).as_secs_f64() * rate).min(rate);
        self.filled = self.filled.max(now);
        let there = self.tokens >= 1.0;
        if there {
            self.tokens -= 1.0;
        }
        there
    }
}

/// How many events fell into the last second, and the most that ever did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    times: std::collections::VecDeque<Instant>,
    busiest: usize,
}

/// A window never holds more events than this; busier seconds count as this many.
const WINDOW: usize = 1 << 20;

impl Window {
    /// Counts one event at `now`; returns how many fell into the second that ends here.
    pub(crate) fn count(&mut self, now: Instant) -> usize {
        while self.times.front().is_some_and(|first| now.since(*first) >= Duration::from_secs(1)) {
            self.times.pop_front();
        }
        if self.times.len() < WINDOW {
            self.times.push_back(now);
        }
        self.busiest = self.busiest.max(self.times.len());
        self.times.len()
    }

    /// The most events in any second so far.
    pub(crate) fn busiest(&self) -> u32 {
        u32::try_from(self.busiest).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn frames_leave_when_due_and_equal_ones_in_order() {
        let mut outbox = Outbox::default();
        outbox.push(ms(2), b"c");
        outbox.push(ms(1), b"b");
        outbox.push(ms(1), b"a");
        assert_eq!(outbox.pop(ms(0)), None);
        assert_eq!(outbox.next_due(), Some(ms(1)));
        let order: Vec<_> = std::iter::from_fn(|| outbox.pop(ms(2))).collect();
        assert_eq!(order, [b"b".to_vec(), b"a".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn a_window_is_a_second_wide() {
        let mut window = Window::default();
        assert_eq!(window.count(ms(0)), 1);
        assert_eq!(window.count(ms(999)), 2);
        assert_eq!(window.count(ms(1000)), 2);
        assert_eq!(window.count(ms(5000)), 1);
        assert_eq!(window.busiest(), 2);
    }

    #[test]
    fn a_bucket_refills() {
        let mut bucket = Bucket::new(2);
        assert!(bucket.take(ms(0)) && bucket.take(ms(0)) && !bucket.take(ms(0)));
        assert!(bucket.take(ms(500)) && !bucket.take(ms(500)));
        assert!(!Bucket::new(0).take(ms(9000)));
    }
}
