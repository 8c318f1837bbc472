//! The loop that runs an engine on the real network.

use std::{future::Future, time::Duration};

use headcount_engine::{Engine, Event, MAX_FRAME};
use headcount_model::Instant;

use crate::{
    DriveOptions, DriveStats, Links, NetError, Watcher,
    commands::{Commands, Ended},
    link::BURST,
    port::Port,
};

/// How often a watcher is told of progress.
const TICK: Duration = Duration::from_millis(100);
/// The shortest sleep. An interface that takes no more frames is tried again after it: its queue drains untold.
const GRAIN: Duration = Duration::from_millis(1);

/// Runs `engine` until it has finished. To be awaited on a current-thread runtime with I/O and time.
///
/// When `stop` is ready, the engine is cancelled, its last events are handed out, and the reason is kept in
/// [`DriveStats::stopped`].
///
/// Frames carry the kernel's time of arrival, which lies up to some milliseconds before the `now` of the call before.
///
/// # Errors
/// The watcher cannot take an event; the runtime or a socket cannot be set up. Trouble on the network or with an
/// interface is no error: it comes to the watcher as [`Event::Warning`].
pub async fn drive(
    engine: &mut Engine,
    links: Links,
    options: DriveOptions,
    stop: impl Future<Output = &'static str>,
    watcher: &mut dyn Watcher,
) -> Result<DriveStats, NetError> {
    let clock = Clock { origin: std::time::Instant::now(), start: options.start };
    let mut driver = Driver {
        engine,
        clock,
        port: Port::open(links)?,
        commands: Commands::new(options.resolver, options.echo),
        watcher,
        stats: DriveStats::default(),
        next_tick: clock.now(),
        finished: false,
    };
    driver.run(stop).await?;
    Ok(driver.close())
}

/// The run's monotonic clock.
#[derive(Clone, Copy)]
struct Clock {
    origin: std::time::Instant,
    start: Duration,
}

impl Clock {
    fn now(self) -> Instant {
        Instant::ZERO + self.start + self.origin.elapsed()
    }

    fn until(self, then: Instant) -> Duration {
        then.since(self.now())
    }
}

struct Driver<'a> {
    engine: &'a mut Engine,
    clock: Clock,
    port: Port,
    commands: Commands,
    watcher: &'a mut dyn Watcher,
    stats: DriveStats,
    next_tick: Instant,
    finished: bool,
}

impl Driver<'_> {
    async fn run(&mut self, stop: impl Future<Output = &'static str>) -> Result<(), NetError> {
        let mut stop = std::pin::pin!(stop);
        loop {
            let more_in = self.take_in();
            let more_out = self.put_out();
            self.tell()?;
            if self.finished {
                return Ok(());
            }
            let Some(due) = self.engine.poll_timeout() else { return Ok(()) };
            let busy = more_in || more_out;
            // The runtime's timer counts milliseconds; while an interface is congested, so does its queue.
            let next =
                if self.port.waits() { GRAIN } else { self.clock.until(due.min(self.next_tick)).max(GRAIN) };
            tokio::select! {
                biased;
                reason = &mut stop, if self.stats.stopped.is_none() => {
                    self.stats.stopped = Some(reason);
                    self.engine.cancel(self.clock.now());
                }
                // Yielding lets the runtime look at sockets and signals even when there is always something to do.
                () = tokio::task::yield_now(), if busy => {}
                () = self.port.readable() => {}
                Some(ended) = self.commands.next() => self.ended(ended),
                () = tokio::time::sleep(next), if !busy => {}
            }
        }
    }

    /// Feeds what has come in to the engine, and the time. True if more is waiting.
    fn take_in(&mut self) -> bool {
        let more = self.port.read(|age, link, frame| {
            self.engine.handle_frame(self.clock.now() - age, link, frame);
        });
        // A host that never stops talking must not keep the others from being heard.
        for _ in 0..BURST {
            let Some(ended) = self.commands.try_next() else { break };
            self.ended(ended);
        }
        let now = self.clock.now();
        if self.engine.poll_timeout().is_some_and(|due| due <= now) {
            self.engine.handle_timeout(now);
        }
        more
    }

    fn ended(&mut self, ended: Ended) {
        let now = self.clock.now();
        match ended {
            Ended::Command(id, reply) => self.engine.handle_reply(now, id, reply),
            Ended::Told(id, told) => self.engine.handle_told(now, id, told),
        }
    }

    /// Sends what the engine has to send, one burst at the most. True if it may have more.
    fn put_out(&mut self) -> bool {
        let mut frame = [0; MAX_FRAME];
        let mut count = 0;
        // While frames wait for an interface, no more are taken: the engine's clock keeps the pace, not a queue here.
        while count < BURST && (count > 0 || !self.port.waits()) {
            let Some(transmit) = self.engine.poll_frame(self.clock.now(), &mut frame) else { break };
            self.port.push(transmit.link, frame.get(..transmit.len).unwrap_or(&frame));
            count += 1;
        }
        self.port.flush();
        while let Some(command) = self.engine.poll_command(self.clock.now()) {
            self.commands.start(command);
        }
        count == BURST && !self.port.waits()
    }

    /// Tells the watcher what happened.
    fn tell(&mut self) -> Result<(), NetError> {
        let warnings = self.port.warnings().into_iter().chain(self.commands.warnings());
        for warning in warnings.map(Event::Warning).collect::<Vec<_>>() {
            self.event(warning)?;
        }
        while let Some(event) = self.engine.poll_event() {
            self.finished |= event == Event::Finished;
            self.event(event)?;
        }
        let now = self.clock.now();
        if now >= self.next_tick || self.finished {
            self.next_tick = now + TICK;
            self.port.look_after();
            self.watcher.tick(self.engine);
        }
        Ok(())
    }

    fn event(&mut self, event: Event) -> Result<(), NetError> {
        self.watcher.event(event, self.engine).map_err(|error| {
            self.engine.cancel(self.clock.now());
            NetError::Watcher(error)
        })
    }

    fn close(mut self) -> DriveStats {
        self.port.look_after();
        let traffic = self.port.traffic();
        DriveStats {
            ended: self.clock.now(),
            frames_sent: traffic.sent,
            frames_received: traffic.received,
            delayed: traffic.delayed,
            dropped: traffic.dropped,
            lost: traffic.lost,
            went_down: self.port.went_down(),
            lookups: self.commands.lookups(),
            ..self.stats
        }
    }
}
