//! One exchange with one host by the kernel's sockets: connect, echo, datagram.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddrV4, UdpSocket},
    os::fd::{AsFd, AsRawFd, RawFd},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use headcount_engine::Reply;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::oneshot,
    time::timeout,
};

use crate::sys::{self, SocketError};

/// ICMP destination unreachable (RFC 792) and the codes that name a filter or a closed port (RFC 792, RFC 1812).
const UNREACHABLE: u8 = 3;
const CODE_PROTOCOL: u8 = 2;
const CODE_PORT: u8 = 3;
const CODES_PROHIBITED: [u8; 3] = [9, 10, 13];

/// Opens a TCP connection to `to` and closes it at once by a reset, so that no byte is written, no data awaited and
/// no socket left in TIME_WAIT.
///
/// The kernel repeats an unanswered SYN after a second; more than one repetition is forbidden to it.
pub(crate) async fn connect(to: SocketAddrV4, patience: Duration) -> Reply {
    match timeout(patience, try_connect(to)).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => reply_of(&error),
        Err(_) => Reply::TimedOut,
    }
}

async fn try_connect(to: SocketAddrV4) -> io::Result<Reply> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_linger(Some(Duration::ZERO))?;
    let once: libc::c_int = 1;
    sys::set_option(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_SYNCNT, &once)?;
    sys::set_option(socket.as_fd(), libc::IPPROTO_IP, libc::IP_RECVERR, &once)?;
    match socket.connect(&to.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    let socket = sys::watch(socket, Interest::WRITABLE)?;
    let _ready = socket.writable().await?;
    let socket = socket.get_ref();
    if let Some(error) = socket.take_error()? {
        return Ok(icmp_error(socket.as_raw_fd(), *to.ip()).unwrap_or_else(|| reply_of(&error)));
    }
    // A connection to a free port of this machine can meet itself when the kernel picks that very port as its source.
    let itself = socket.local_addr()?.as_socket_ipv4() == Some(to);
    Ok(if itself { Reply::Refused } else { Reply::Connected })
}

/// Sends one datagram and waits for the first answer from there.
pub(crate) async fn datagram(to: SocketAddrV4, payload: &[u8], patience: Duration) -> Reply {
    match timeout(patience, try_datagram(to, payload, patience.is_zero())).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => reply_of(&error),
        Err(_) => Reply::TimedOut,
    }
}

async fn try_datagram(to: SocketAddrV4, payload: &[u8], no_answer: bool) -> io::Result<Reply> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_nonblocking(true)?;
    ask_for_errors_and_ttl(&socket)?;
    socket.connect(to)?;
    socket.send(payload)?;
    if no_answer {
        return Ok(Reply::TimedOut);
    }
    let socket = sys::watch(socket, Interest::READABLE | Interest::ERROR)?;
    loop {
        let mut ready = socket.ready(Interest::READABLE | Interest::ERROR).await?;
        ready.clear_ready();
        let fd = socket.get_ref().as_raw_fd();
        if let Some(reply) = icmp_error(fd, *to.ip()) {
            return Ok(reply);
        }
        // Only the TTL is wanted: the payload may be cut.
        match sys::receive(fd, &mut [0; 1], false) {
            Ok(answer) => return Ok(Reply::Answered { ttl: answer.ttl }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

fn ask_for_errors_and_ttl(socket: &impl AsFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    sys::set_option(socket.as_fd(), libc::IPPROTO_IP, libc::IP_RECVERR, &on)?;
    sys::set_option(socket.as_fd(), libc::IPPROTO_IP, libc::IP_RECVTTL, &on)
}

/// What the socket's error queue says about the packet to `to`, if anything.
fn icmp_error(fd: RawFd, to: Ipv4Addr) -> Option<Reply> {
    let received = sys::receive(fd, &mut [0; 64], true).ok()?;
    received.error.map(|error| reply_to(&error, to))
}

/// What an ICMP error (or the kernel's own) means for the question that was sent to `to`.
fn reply_to(error: &SocketError, to: Ipv4Addr) -> Reply {
    if !error.from_icmp {
        return reply_of(&io::Error::from_raw_os_error(error.errno));
    }
    match (error.kind, error.code) {
        // Only the host itself can know its ports. From anyone else it is a filter that rejects in its name.
        (UNREACHABLE, CODE_PORT) if error.offender == Some(to) => Reply::Refused,
        (UNREACHABLE, CODE_PORT | CODE_PROTOCOL) => Reply::Prohibited,
        (UNREACHABLE, code) if CODES_PROHIBITED.contains(&code) => Reply::Prohibited,
        _ => Reply::Unreachable,
    }
}

fn reply_of(error: &io::Error) -> Reply {
    match error.raw_os_error() {
        Some(libc::ECONNREFUSED | libc::ECONNRESET) => Reply::Refused,
        Some(libc::ETIMEDOUT) => Reply::TimedOut,
        Some(libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EHOSTDOWN | libc::ENETDOWN) => Reply::Unreachable,
        // EINVAL is the answer of a blackhole route.
        Some(libc::EACCES | libc::EPERM | libc::EINVAL) => Reply::Prohibited,
        _ => Reply::NotSent,
    }
}

/// The kernel's ICMP datagram socket, which sends echo requests without any privilege where `ping_group_range`
/// names one of the user's groups (icmp(7)).
#[derive(Debug)]
pub struct EchoSocket(Socket);

impl EchoSocket {
    /// Opens the socket.
    ///
    /// # Errors
    /// The user's groups are not in `ping_group_range`.
    pub fn open() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::ICMPV4))?;
        socket.set_nonblocking(true)?;
        ask_for_errors_and_ttl(&socket)?;
        Ok(Self(socket))
    }
}

/// All echo requests of a run, over one socket.
pub(crate) struct Echoes {
    socket: AsyncFd<Socket>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// The sequence number that is tried next.
    next: u16,
    asked: BTreeMap<u16, (Ipv4Addr, oneshot::Sender<Reply>)>,
}

impl Echoes {
    /// Starts listening, within an async runtime.
    pub(crate) fn start(socket: EchoSocket) -> io::Result<Arc<Self>> {
        let socket = sys::watch(socket.0, Interest::READABLE | Interest::ERROR)?;
        Ok(Arc::new(Self { socket, waiting: Mutex::default() }))
    }

    /// Hands replies to those who wait for them, until dropped.
    pub(crate) async fn listen(&self) {
        loop {
            match self.socket.ready(Interest::READABLE | Interest::ERROR).await {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => return,
            }
            self.read_errors();
            self.read_replies();
        }
    }

    /// Asks `to` for an echo and waits for it.
    pub(crate) async fn ask(&self, to: Ipv4Addr, patience: Duration) -> Reply {
        let (tell, told) = oneshot::channel();
        let Some(sequence) = self.lock().enter(to, tell) else { return Reply::NotSent };
        let sent = self.send(to, sequence);
        let reply = match sent {
            Ok(()) => timeout(patience, told).await,
            Err(error) => Ok(Ok(reply_of(&error))),
        };
        self.lock().asked.remove(&sequence);
        match reply {
            Ok(reply) => reply.unwrap_or(Reply::NotSent),
            Err(_) => Reply::TimedOut,
        }
    }

    fn send(&self, to: Ipv4Addr, sequence: u16) -> io::Result<()> {
        let [high, low] = sequence.to_be_bytes();
        // Type 8, code 0; the kernel fills in checksum and identifier (RFC 792, icmp(7)).
        let mut request = [0; 40];
        request[0] = 8;
        request[6] = high;
        request[7] = low;
        let to = SocketAddrV4::new(to, 0).into();
        for _ in 0..4 {
            match self.socket.get_ref().send_to(&request, &to) {
                Ok(_) => return Ok(()),
                // The socket hands the error of an earlier request to whoever uses it next.
                Err(_) if self.read_errors() => {}
                Err(error) => return Err(error),
            }
        }
        self.socket.get_ref().send_to(&request, &to).map(|_| ())
    }

    /// Hands out the error queue; true if it held anything.
    fn read_errors(&self) -> bool {
        let mut any = false;
        let mut buffer = [0; 64];
        while let Ok(received) = sys::receive(self.socket.as_raw_fd(), &mut buffer, true) {
            any = true;
            if let (Some(error), Some(to)) = (received.error, received.address) {
                self.tell(&buffer[..received.len], to, reply_to(&error, to));
            }
        }
        any
    }

    fn read_replies(&self) {
        let mut buffer = [0; 64];
        let mut errors = 0;
        while errors < 64 {
            match sys::receive(self.socket.as_raw_fd(), &mut buffer, false) {
                Ok(received) => {
                    let bytes = &buffer[..received.len];
                    if let (Some(from), Some(0)) = (received.address, bytes.first()) {
                        self.tell(bytes, from, Reply::Answered { ttl: received.ttl });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // The error of one request, which the error queue tells better; replies may lie behind it.
                Err(_) => {
                    errors += 1;
                    self.read_errors();
                }
            }
        }
    }

    /// Tells the one who asked `host` with the sequence number in `echo`, if there is one.
    fn tell(&self, echo: &[u8], host: Ipv4Addr, reply: Reply) {
        let Some(sequence) = echo.get(6..8).and_then(|bytes| bytes.first_chunk()) else { return };
        let sequence = u16::from_be_bytes(*sequence);
        let mut waiting = self.lock();
        if waiting.asked.get(&sequence).is_some_and(|(asked, _)| *asked == host)
            && let Some((_, tell)) = waiting.asked.remove(&sequence)
        {
            // Who no longer waits has timed out, and said so.
            let _ = tell.send(reply);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Gives a question the next free sequence number.
    fn enter(&mut self, to: Ipv4Addr, tell: oneshot::Sender<Reply>) -> Option<u16> {
        if self.asked.len() > usize::from(u16::MAX) {
            return None;
        }
        while self.asked.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        self.asked.insert(sequence, (to, tell));
        Some(sequence)
    }
}

#[cfg(test)]
mod tests;
