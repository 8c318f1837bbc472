//! What a driver is told, whom it tells, and what it comes to.

use std::{io, time::Duration};

use headcount_engine::{Engine, Event};
use headcount_model::{Counters, Instant};

use crate::{EchoSocket, Resolver};

/// What a run needs beside its links.
#[derive(Default)]
pub struct DriveOptions {
    /// The run's clock when driving starts: zero for a new run, the end of its log for a resumed one.
    pub start: Duration,
    /// Who is asked for names; without one every look-up comes back empty.
    pub resolver: Option<Resolver>,
    /// The socket for echo requests by the kernel, where it must be opened before privileges are dropped; without
    /// one, it is opened when it is first needed.
    pub echo: Option<EchoSocket>,
}

/// Whoever watches a run.
pub trait Watcher {
    /// Something happened.
    ///
    /// # Errors
    /// It cannot be taken (a full disk): the run is cancelled and [`drive`](crate::drive) fails with
    /// [`NetError::Watcher`](crate::NetError::Watcher).
    fn event(&mut self, event: Event, engine: &Engine) -> io::Result<()>;

    /// Time has passed, several times a second: a chance to show [`Engine::progress`].
    fn tick(&mut self, engine: &Engine) {
        let _ = engine;
    }
}

/// What driving a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriveStats {
    /// The run's clock at its end.
    pub ended: Instant,
    /// Why it was stopped, if it was.
    pub stopped: Option<&'static str>,
    /// Frames sent.
    pub frames_sent: u64,
    /// Frames that passed the filter and were read.
    pub frames_received: u64,
    /// Times an interface could not take a frame at once (it was sent later).
    pub delayed: u64,
    /// Frames that the kernel dropped before they could be read.
    pub dropped: u64,
    /// Frames that could not be sent at all: their interface went down or refused them. Above zero, the run is not
    /// complete.
    pub lost: u64,
    /// The interfaces that went down during the run.
    pub went_down: Vec<String>,
    /// Reverse look-ups made.
    pub lookups: u64,
}

impl DriveStats {
    /// Writes what only the driver knows into a run's counters.
    pub fn complement(&self, counters: &mut Counters) {
        counters.delayed = self.delayed;
        counters.dropped = self.dropped;
        counters.lookups = self.lookups;
    }
}
