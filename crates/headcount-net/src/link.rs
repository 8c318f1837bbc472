//! Links: packet sockets that frames leave by and come in on.

use std::{io, ops::RangeInclusive, os::fd::AsFd, time::Duration};

use socket2::{Domain, SockFilter, Socket, Type};

use crate::{LinkSpec, NetError, error::setcap_line, filter, ring::Ring, sys};

/// The most frames that are handed to the kernel at once; the ring is read in between.
pub(crate) const BURST: usize = 64;

/// The links of a run, open. Everything that needs a privilege has happened, so privileges can be dropped.
pub struct Links {
    pub(crate) links: Vec<Link>,
}

/// One packet socket with its ring and the frames that wait to be sent.
pub(crate) struct Link {
    pub(crate) spec: LinkSpec,
    pub(crate) socket: Socket,
    ring: Ring,
    queue: Queue,
    /// What the run will be told of this link.
    pub(crate) traffic: Traffic,
    /// The interface was down when it was last used.
    pub(crate) down: bool,
}

/// What went over one link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) delayed: u64,
    pub(crate) dropped: u64,
    pub(crate) lost: u64,
}

/// How an attempt to send what waits has ended.
#[derive(Debug)]
pub(crate) enum Flushed {
    /// Nothing waits any more.
    All,
    /// The interface cannot take more now; what waits was kept.
    Later,
    /// This many frames can never be sent and were given up.
    GaveUp(usize, io::Error),
}

impl Links {
    /// Opens a packet socket with filter and ring for every link. Only answers to what is sent from `source_ports`,
    /// ARP and ICMP come in, and nothing unfiltered ever does: the socket listens to no protocol until the end.
    ///
    /// # Errors
    /// No permission; the interface is gone; the kernel lacks something.
    pub fn open(specs: &[LinkSpec], source_ports: RangeInclusive<u16>) -> Result<Self, NetError> {
        let program = filter::answers_to(&source_ports);
        let program: Vec<_> = program.iter().map(|i| SockFilter::new(i.code, i.jt, i.jf, i.k)).collect();
        let links = specs.iter().map(|spec| Link::open(spec, &program)).collect::<Result<_, _>>()?;
        Ok(Self { links })
    }

    /// No links: a run by the kernel's sockets alone.
    pub fn none() -> Self {
        Self { links: Vec::new() }
    }
}

/// A packet socket that is bound to nothing yet and will not see what it sends.
pub(crate) fn packet_socket(interface: &str) -> Result<Socket, NetError> {
    let socket =
        Socket::new(Domain::PACKET, Type::RAW, None).map_err(|error| match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => {
                NetError::NoRawSocket { interface: interface.to_owned(), setcap: setcap_line() }
            }
            _ => NetError::system(format!("open a raw socket on {interface}"), error),
        })?;
    let ignore: libc::c_int = 1;
    sys::set_option(socket.as_fd(), libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &ignore)
        .and_then(|()| socket.set_nonblocking(true))
        .map_err(|e| NetError::system(format!("prepare the raw socket on {interface}"), e))?;
    Ok(socket)
}

impl Link {
    fn open(spec: &LinkSpec, program: &[SockFilter]) -> Result<Self, NetError> {
        let socket = packet_socket(&spec.interface)?;
        let lock: libc::c_int = 1;
        socket
            .attach_filter(program)
            .and_then(|()| sys::set_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_LOCK_FILTER, &lock))
            .map_err(|e| NetError::system(format!("filter the raw socket on {}", spec.interface), e))?;
        let ring = Ring::attach(socket.as_fd())?;
        sys::bind_packet(socket.as_fd(), spec.index)
            .map_err(|e| NetError::system(format!("bind a raw socket to {}", spec.interface), e))?;
        let (queue, traffic) = (Queue::default(), Traffic::default());
        Ok(Self { spec: spec.clone(), socket, ring, queue, traffic, down: false })
    }

    /// Puts a frame in line.
    pub(crate) fn push(&mut self, frame: &[u8]) {
        self.queue.push(frame);
    }

    /// Whether frames wait to be sent.
    pub(crate) fn waits(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Hands what waits to the kernel.
    pub(crate) fn flush(&mut self) -> Flushed {
        while !self.queue.is_empty() {
            match sys::send_frames(self.socket.as_fd(), self.queue.frames().take(BURST)) {
                Ok(sent) => {
                    self.down = false;
                    self.traffic.sent += sent as u64;
                    self.queue.pop(sent.max(1));
                }
                Err(error) => match error.raw_os_error() {
                    Some(libc::EINTR) => {}
                    // A full socket buffer or queue: the frame has not left, and will later.
                    Some(libc::EAGAIN | libc::ENOBUFS) => {
                        self.traffic.delayed += 1;
                        return Flushed::Later;
                    }
                    Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV) => {
                        return self.give_up(self.queue.len(), error);
                    }
                    _ => return self.give_up(1, error),
                },
            }
        }
        Flushed::All
    }

    fn give_up(&mut self, frames: usize, error: io::Error) -> Flushed {
        self.traffic.lost += frames as u64;
        self.queue.pop(frames);
        Flushed::GaveUp(frames, error)
    }

    /// Hands the frames of one finished block of the ring to `take`; false when there is none.
    pub(crate) fn read_block(&mut self, take: impl FnMut(Duration, &[u8])) -> bool {
        let count = self.ring.read_block(take);
        self.traffic.received += count.unwrap_or(0) as u64;
        count.is_some()
    }

    /// Adds what the kernel dropped since the last call.
    pub(crate) fn count_drops(&mut self) {
        if let Ok((_, drops)) = sys::packet_statistics(self.socket.as_fd()) {
            self.traffic.dropped += u64::from(drops);
        }
    }
}

/// Frames in line, in one buffer that is used again and again.
#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    /// The ends of the frames in `bytes`.
    ends: Vec<usize>,
    /// How many of them have left.
    gone: usize,
}

impl Queue {
    fn push(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.ends.push(self.bytes.len());
    }

    fn len(&self) -> usize {
        self.ends.len() - self.gone
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn frames(&self) -> impl Iterator<Item = &[u8]> {
        (self.gone..self.ends.len()).map(|i| {
            let start = if i == 0 { 0 } else { self.ends[i - 1] };
            &self.bytes[start..self.ends[i]]
        })
    }

    fn pop(&mut self, count: usize) {
        self.gone = (self.gone + count).min(self.ends.len());
        if self.is_empty() {
            self.bytes.clear();
            self.ends.clear();
            self.gone = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_did_not_take_stays_in_line() {
        let mut queue = Queue::default();
        for frame in [&b"one"[..], b"three", b"", b"four"] {
            queue.push(frame);
        }
        queue.pop(1);
        assert_eq!(queue.frames().collect::<Vec<_>>(), [&b"three"[..], b"", b"four"]);
        queue.pop(2);
        queue.push(b"five");
        assert_eq!(queue.frames().collect::<Vec<_>>(), [b"four", b"five"]);
        queue.pop(9);
        assert!(queue.is_empty() && queue.bytes.is_empty());
    }
}
