//! A run as a pure machine: schedule, retries, care, and the gate.
//!
//! [`Engine`] does no I/O and knows no clock but the `now` that it is given. A driver feeds frames, replies and
//! the passing of time in, and after every input drains [`Engine::poll_frame`], [`Engine::poll_command`] and
//! [`Engine::poll_event`] until each gives `None`, then sleeps until [`Engine::poll_timeout`] or the next input.
//! A late or needless [`Engine::handle_timeout`] is harmless.

mod io;
mod plan;

use headcount_model::{Counters, Instant, Observation, SegmentRecord};

pub use io::{Checkpoint, Command, CommandId, Event, Progress, Reply, SegmentProgress, Transmit};
pub use plan::{Limits, LinkId, Path, Plan, Segment};

/// The largest frame that [`Engine::poll_frame`] writes.
pub const MAX_FRAME: usize = 256;

/// A run. See the module's documentation for the contract with its driver.
pub struct Engine {
    plan: Plan,
}

/// What a finished or interrupted run has to say of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The segments, in the plan's order.
    pub segments: Vec<SegmentRecord>,
    /// What was sent and received, as far as the engine saw it.
    pub counters: Counters,
    /// How often the controller slowed down.
    pub backed_off: u32,
    /// Every planned question was asked.
    pub complete: bool,
}

impl Engine {
    /// A run of `plan` that begins at `now`.
    pub fn new(plan: Plan, now: Instant) -> Self {
        let _ = now;
        Self { plan }
    }

    /// Goes on with a run whose log holds `observations` and ended at `checkpoint`.
    pub fn resume(plan: Plan, now: Instant, observations: &[Observation], checkpoint: &Checkpoint) -> Self {
        let _ = (observations, checkpoint);
        Self::new(plan, now)
    }

    /// The plan that runs.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A frame came in on `link`.
    pub fn handle_frame(&mut self, now: Instant, link: LinkId, frame: &[u8]) {
        let _ = (now, link, frame);
    }

    /// The command `id` has ended.
    pub fn handle_reply(&mut self, now: Instant, id: CommandId, reply: Reply) {
        let _ = (now, id, reply);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// Stop: no further frame or command leaves; [`Event::Finished`] follows at once.
    pub fn cancel(&mut self, now: Instant) {
        let _ = now;
    }

    /// Writes the next frame that may leave now into `buf` (at least [`MAX_FRAME`] bytes).
    pub fn poll_frame(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let _ = (now, buf);
        None
    }

    /// The next thing that the driver is to do.
    pub fn poll_command(&mut self, now: Instant) -> Option<Command> {
        let _ = now;
        None
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// When to call [`Engine::handle_timeout`] at the latest; `None` when the run is over.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// How the run stands.
    pub fn progress(&self) -> Progress {
        Progress::default()
    }

    /// What the run has to say of itself, at any time.
    pub fn summary(&self) -> Summary {
        Summary { segments: Vec::new(), counters: Counters::default(), backed_off: 0, complete: false }
    }
}
