//! All links of a run, within the runtime: reading in turns, sending, and saying what goes wrong with them.

use std::{
    future::poll_fn,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    task::{Context, Poll},
    time::Duration,
};

use headcount_engine::LinkId;
use tokio::io::{Interest, unix::AsyncFd};

use crate::{
    Links, NetError,
    link::{Flushed, Link, Traffic},
    sys,
};

/// Blocks of a ring that are read before anything else gets its turn.
const BLOCKS_AT_ONCE: usize = 16;
/// A wall clock that was set while a frame waited may not make it older than this.
const OLDEST: Duration = Duration::from_secs(5);
/// Warnings about one link; a broken interface must not flood the log.
const WARNINGS: u32 = 20;

/// The links of a run.
pub(crate) struct Port {
    links: Vec<AsyncFd<Socketed>>,
    warnings: Vec<String>,
    warned: u32,
    went_down: Vec<String>,
    /// Frames for links that there are not: the plan and the links do not fit.
    homeless: u64,
}

/// A link as something to wait for.
struct Socketed(Link);

impl AsRawFd for Socketed {
    fn as_raw_fd(&self) -> RawFd {
        self.0.socket.as_raw_fd()
    }
}

impl AsFd for Socketed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.socket.as_fd()
    }
}

impl Port {
    /// Registers the links with the running runtime.
    pub(crate) fn open(links: Links) -> Result<Self, NetError> {
        let register = |link| sys::watch(Socketed(link), Interest::READABLE);
        let links = links.links.into_iter().map(register).collect::<io::Result<_>>();
        let links = links.map_err(|e| NetError::system("wait for a raw socket", e))?;
        Ok(Self { links, warnings: Vec::new(), warned: 0, went_down: Vec::new(), homeless: 0 })
    }

    /// Ends when a ring has something to read.
    pub(crate) async fn readable(&self) {
        poll_fn(|context| self.poll_readable(context)).await;
    }

    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut any = Poll::Pending;
        for link in &self.links {
            // Cleared before the ring is read, so that what comes in meanwhile wakes again.
            if let Poll::Ready(Ok(mut ready)) = link.poll_read_ready(context) {
                ready.clear_ready();
                any = Poll::Ready(());
            }
        }
        any
    }

    /// Hands frames to `take` with their age, a few blocks of each ring. True if more are there.
    pub(crate) fn read(&mut self, mut take: impl FnMut(Duration, LinkId, &[u8])) -> bool {
        let mut more = false;
        let now = sys::wall_clock();
        for link in &mut self.links {
            let link = &mut link.get_mut().0;
            let id = link.spec.id;
            let mut blocks = 0;
            while blocks < BLOCKS_AT_ONCE
                && link.read_block(|at, frame| take(now.saturating_sub(at).min(OLDEST), id, frame))
            {
                blocks += 1;
            }
            more |= blocks == BLOCKS_AT_ONCE;
        }
        more
    }

    /// Puts a frame in line for a link.
    pub(crate) fn push(&mut self, id: LinkId, frame: &[u8]) {
        match self.links.iter_mut().map(|link| &mut link.get_mut().0).find(|link| link.spec.id == id) {
            Some(link) => link.push(frame),
            None => {
                self.homeless += 1;
                self.warn(format!("a frame for link {}, which is not open, was not sent", id.0));
            }
        }
    }

    /// Whether frames wait for an interface.
    pub(crate) fn waits(&self) -> bool {
        self.links.iter().any(|link| link.get_ref().0.waits())
    }

    /// Sends what can be sent now.
    pub(crate) fn flush(&mut self) {
        for at in 0..self.links.len() {
            while self.flush_one(at) {}
        }
    }

    /// Sends what one link can send. True if it gave something up, and there may be more to send.
    fn flush_one(&mut self, at: usize) -> bool {
        let Some(link) = self.links.get_mut(at).map(|link| &mut link.get_mut().0) else { return false };
        let was_down = link.down;
        let flushed = link.flush();
        let (down, name) = (link.down, link.spec.interface.clone());
        if was_down && !down {
            self.warn(format!("interface {name} is up again"));
        }
        match flushed {
            Flushed::All | Flushed::Later => return false,
            Flushed::GaveUp(_, error) if is_down(&error) => self.mark_down(at, &error),
            Flushed::GaveUp(count, error) => {
                self.warn(format!("{count} frame(s) were refused by {name} and not sent: {error}"));
            }
        }
        true
    }

    /// Looks for errors that no call has shown, and counts what the rings dropped.
    pub(crate) fn look_after(&mut self) {
        for at in 0..self.links.len() {
            let Some(link) = self.links.get_mut(at).map(|link| &mut link.get_mut().0) else { continue };
            link.count_drops();
            if let Ok(Some(error)) = link.socket.take_error()
                && is_down(&error)
            {
                self.mark_down(at, &error);
            }
        }
    }

    fn mark_down(&mut self, at: usize, error: &io::Error) {
        let Some(link) = self.links.get_mut(at).map(|link| &mut link.get_mut().0) else { return };
        if std::mem::replace(&mut link.down, true) {
            return;
        }
        let name = link.spec.interface.clone();
        self.warn(format!("interface {name} went down: what is sent through it now is lost ({error})"));
        if !self.went_down.contains(&name) {
            self.went_down.push(name);
        }
    }

    fn warn(&mut self, text: String) {
        self.warned += 1;
        if self.warned <= WARNINGS {
            tracing::warn!("{text}");
            self.warnings.push(text);
        }
    }

    /// The warnings since the last call.
    pub(crate) fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// The interfaces that went down, in that order.
    pub(crate) fn went_down(&self) -> Vec<String> {
        self.went_down.clone()
    }

    /// What went over all links.
    pub(crate) fn traffic(&self) -> Traffic {
        let mut sum = Traffic { lost: self.homeless, ..Traffic::default() };
        for link in &self.links {
            let traffic = link.get_ref().0.traffic;
            sum.sent += traffic.sent;
            sum.received += traffic.received;
            sum.delayed += traffic.delayed;
            sum.dropped += traffic.dropped;
            sum.lost += traffic.lost;
        }
        sum
    }
}

fn is_down(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV))
}
