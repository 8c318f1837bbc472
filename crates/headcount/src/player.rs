//! Plays a simulated network on a real interface, in a thread of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use headcount_model::Instant;
use headcount_net::namespace::Wire;
use headcount_sim::{Faults, World, faults::FaultyPath, rng::Rng};

/// A frame with a full payload.
const FRAME: usize = 1_514;
/// How long to wait for a frame before looking at the clock again.
const PATIENCE: Duration = Duration::from_millis(20);

/// A simulated network and the cable that it hangs on.
pub(crate) struct Player {
    world: World,
    wire: Wire,
    up: FaultyPath,
    down: FaultyPath,
}

/// A network that is being played.
pub(crate) struct Playing {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Player {
    /// `world` on `wire`, with `loss` (0 to 1) of the frames lost each way.
    pub(crate) fn new(mut world: World, wire: Wire, loss: f64, seed: u64) -> Self {
        // The kernel at the other end leaves the sums to hardware that a virtual cable does not have.
        world.accept_incomplete_checksums(true);
        let path = |stream| FaultyPath::new(Faults::loss(loss), Rng::new(seed, stream));
        Self { world, wire, up: path(1), down: path(2) }
    }

    /// Begins to play.
    pub(crate) fn start(self) -> Playing {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = thread::spawn(move || self.play(&seen));
        Playing { stop, thread }
    }

    fn play(mut self, stop: &AtomicBool) {
        let origin = std::time::Instant::now();
        let now = || Instant::ZERO + origin.elapsed();
        let mut buffer = [0; FRAME];
        while !stop.load(Ordering::Relaxed) {
            let next = [self.world.poll_timeout(), self.up.next_due(), self.down.next_due()]
                .into_iter()
                .flatten()
                .min();
            let patience = next.map_or(PATIENCE, |next| next.since(now()).min(PATIENCE));
            match self.wire.receive(&mut buffer, patience) {
                Ok(Some(frame)) => self.up.push(now(), frame),
                Ok(None) => {}
                // The interface is gone: there is nobody left to play for.
                Err(_) => return,
            }
            if !self.pass(now()) {
                return;
            }
        }
    }

    /// Moves everything that is due; whether the cable still holds.
    fn pass(&mut self, now: Instant) -> bool {
        while let Some(frame) = self.up.pop(now) {
            self.world.handle_frame(now, &frame);
            self.up.reuse(frame);
        }
        let mut buffer = [0; FRAME];
        while let Some(length) = self.world.poll_frame(now, &mut buffer) {
            self.down.push(now, &buffer[..length]);
        }
        while let Some(frame) = self.down.pop(now) {
            if self.wire.send(&frame).is_err() {
                return false;
            }
            self.down.reuse(frame);
        }
        true
    }
}

impl Playing {
    /// Stops playing.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        // A thread that panicked has said so itself; there is nothing more to stop.
        let _ = self.thread.join();
    }
}
