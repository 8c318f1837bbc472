//! The deterministic driver: the engine against a world, in virtual time.
//!
//! Time jumps from one event to the next. Both ends of the link are played: the world, and the kernel of the scanning
//! machine beside (or, on the kernel's path, under) the engine.

mod plan;
#[cfg(test)]
mod tests;

use std::time::Duration;

use headcount_engine::{Checkpoint, Engine, Event, LinkId, MAX_FRAME, Plan, Summary};
use headcount_model::{Instant, Observation};

use crate::{
    faults::{FaultyPath, Link, PathStatistics},
    kernel::Kernel,
    lan::{Lan, LanError},
    rng::Rng,
    world::{Statistics, World},
};

pub use plan::{Questions, Route, plan_for};

/// A run of the engine in virtual time.
pub struct Simulation {
    engine: Engine,
    kernel: Kernel,
    world: World,
    up: FaultyPath,
    down: FaultyPath,
    now: Instant,
    /// When a run is given up that does not end.
    limit: Duration,
    cancel_at: Option<Instant>,
    seen: Seen,
}

#[derive(Default)]
struct Seen {
    observations: Vec<Observation>,
    events: Vec<Event>,
    finished: bool,
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was seen, in order.
    pub observations: Vec<Observation>,
    /// Everything else that happened, in order.
    pub events: Vec<Event>,
    /// What the engine says of the run.
    pub summary: Summary,
    /// How it ended.
    pub end: End,
    /// When it ended, in virtual time.
    pub virtual_elapsed: Duration,
    /// What the link did on the way to the network; `sent` counts the frames of engine and kernel.
    pub up: PathStatistics,
    /// What the link did on the way back.
    pub down: PathStatistics,
    /// What came to the network and what it did there.
    pub statistics: Statistics,
}

impl Outcome {
    /// The last checkpoint that the engine gave.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Checkpoint(checkpoint) => Some(checkpoint),
            Event::Observation(_) | Event::Warning(_) | Event::Finished => None,
        })
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The engine said that it is finished.
    Finished,
    /// The engine waits for nothing and is not finished.
    Stalled,
    /// The engine wants to be called again and again at the same moment.
    Spinning,
    /// It took longer than its limit.
    TimeLimit,
}

/// A run is given up after so much virtual time.
const TIME_LIMIT: Duration = Duration::from_secs(7 * 86_400);
/// How often the engine may ask to be called at one moment with nothing coming of it.
const SPINS: u32 = 1_000;
/// How long after the end what is still on its way may arrive.
const SETTLE: Duration = Duration::from_secs(10);
/// A frame with a full payload.
const FRAME: usize = 1_514;

impl Simulation {
    /// The engine with `plan` against `lan` over `link`; `seed` decides what the network does (the engine's own seed
    /// is in the plan).
    ///
    /// # Errors
    /// A lan that contradicts itself.
    pub fn new(plan: Plan, lan: &Lan, link: Link, seed: u64) -> Result<Self, LanError> {
        Self::with_engine(Engine::new(plan, Instant::ZERO), lan, link, seed)
    }

    /// The same with an engine that goes on with an earlier run.
    ///
    /// # Errors
    /// A lan that contradicts itself.
    pub fn with_engine(engine: Engine, lan: &Lan, link: Link, seed: u64) -> Result<Self, LanError> {
        let mut world = World::new(lan, seed)?;
        world.watch_scope(engine.plan().scope.allowed.clone());
        Ok(Self {
            kernel: Kernel::new(lan),
            world,
            up: FaultyPath::new(link.up, Rng::new(seed, 0x0b)),
            down: FaultyPath::new(link.down, Rng::new(seed, 0xd0)),
            now: Instant::ZERO,
            limit: TIME_LIMIT,
            cancel_at: None,
            seen: Seen::default(),
            engine,
        })
    }

    /// Gives the run up after so much virtual time instead of a week.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Cancels the run at this moment, as an interrupt does.
    pub fn cancel_at(mut self, at: Instant) -> Self {
        self.cancel_at = Some(at);
        self
    }

    /// Runs to the end.
    pub fn run(mut self) -> Outcome {
        let end = self.run_engine();
        let ended = self.now;
        self.settle();
        Outcome {
            summary: self.engine.summary(),
            observations: self.seen.observations,
            events: self.seen.events,
            end,
            virtual_elapsed: ended.elapsed(),
            up: self.up.statistics(),
            down: self.down.statistics(),
            statistics: self.world.statistics(),
        }
    }

    fn run_engine(&mut self) -> End {
        let mut spins = 0;
        loop {
            let moved = self.drain();
            if self.seen.finished {
                return End::Finished;
            }
            let Some(next) = self.next_event() else {
                return End::Stalled;
            };
            if next.elapsed() > self.limit {
                return End::TimeLimit;
            }
            spins = if moved || next > self.now { 0 } else { spins + 1 };
            if spins > SPINS {
                return End::Spinning;
            }
            self.now = self.now.max(next);
            self.wake();
        }
    }

    /// Moves everything that can move now. Returns whether anything did.
    fn drain(&mut self) -> bool {
        let mut moved = false;
        while self.drain_engine() | self.drain_link() {
            moved = true;
            if self.seen.finished {
                break;
            }
        }
        moved
    }

    fn drain_engine(&mut self) -> bool {
        let mut moved = false;
        let mut buf = [0; MAX_FRAME];
        while let Some(transmit) = self.engine.poll_frame(self.now, &mut buf) {
            self.up.push(self.now, &buf[..transmit.len]);
            moved = true;
        }
        while let Some(command) = self.engine.poll_command(self.now) {
            self.kernel.handle_command(self.now, command);
            moved = true;
        }
        moved |= self.drain_kernel();
        while let Some((id, reply)) = self.kernel.poll_reply() {
            self.engine.handle_reply(self.now, id, reply);
            moved = true;
        }
        while let Some((id, told)) = self.kernel.poll_told() {
            self.engine.handle_told(self.now, id, told);
            moved = true;
        }
        while let Some(event) = self.engine.poll_event() {
            self.seen.take(event);
            moved = true;
        }
        moved
    }

    fn drain_kernel(&mut self) -> bool {
        let mut moved = false;
        while let Some(frame) = self.kernel.poll_frame() {
            self.up.push(self.now, &frame);
            moved = true;
        }
        moved
    }

    fn drain_link(&mut self) -> bool {
        let mut moved = self.drain_network();
        while let Some(frame) = self.down.pop(self.now) {
            self.engine.handle_frame(self.now, LinkId(0), &frame);
            self.kernel.handle_frame(self.now, &frame);
            self.down.reuse(frame);
            moved = true;
        }
        moved
    }

    /// Frames reach the world, and its answers the link.
    fn drain_network(&mut self) -> bool {
        let mut moved = false;
        while let Some(frame) = self.up.pop(self.now) {
            self.world.handle_frame(self.now, &frame);
            self.up.reuse(frame);
            moved = true;
        }
        let mut buf = [0; FRAME];
        while let Some(len) = self.world.poll_frame(self.now, &mut buf) {
            self.down.push(self.now, &buf[..len]);
            moved = true;
        }
        moved
    }

    fn next_event(&self) -> Option<Instant> {
        let network = self.next_of_network();
        self.engine.poll_timeout().into_iter().chain(network).chain(self.cancel_at).min()
    }

    fn next_of_network(&self) -> Option<Instant> {
        let parts =
            [self.kernel.poll_timeout(), self.world.poll_timeout(), self.up.next_due(), self.down.next_due()];
        parts.into_iter().flatten().min()
    }

    fn wake(&mut self) {
        if self.cancel_at.is_some_and(|at| at <= self.now) {
            self.cancel_at = None;
            self.engine.cancel(self.now);
        }
        if self.engine.poll_timeout().is_some_and(|due| due <= self.now) {
            self.engine.handle_timeout(self.now);
        }
        self.wake_kernel();
    }

    fn wake_kernel(&mut self) {
        if self.kernel.poll_timeout().is_some_and(|due| due <= self.now) {
            self.kernel.handle_timeout(self.now);
        }
    }

    /// The run is over; what is on its way still arrives, and the kernel still closes what is open.
    fn settle(&mut self) {
        let last = self.now + SETTLE;
        loop {
            while self.drain_kernel() | self.drain_network() {}
            while let Some(frame) = self.down.pop(self.now) {
                self.kernel.handle_frame(self.now, &frame);
                self.drain_kernel();
            }
            match self.next_of_network() {
                Some(next) if next <= last => self.now = self.now.max(next),
                _ => return,
            }
            self.wake_kernel();
        }
    }
}

impl Seen {
    fn take(&mut self, event: Event) {
        match event {
            Event::Observation(observation) => self.observations.push(observation),
            Event::Finished => {
                self.finished = true;
                self.events.push(Event::Finished);
            }
            Event::Warning(_) | Event::Checkpoint(_) => self.events.push(event),
        }
    }
}
