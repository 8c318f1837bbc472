//! Conversations: connections and datagram sockets that live as long as the engine wants.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddrV4},
    os::fd::AsFd,
    time::Duration,
};

use headcount_engine::{Carrier, CommandId, Failure, Told};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream, UdpSocket},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{sys, tls};

/// What is read at once: larger than any datagram of these protocols.
const CHUNK: usize = 16 << 10;
/// News that wait to be taken in; beyond it, whoever has more waits, and so does its peer.
const NEWS: usize = 256;
/// A peer that takes nothing for so long is gone.
const STALLED: Duration = Duration::from_secs(10);
/// Answers to one question to everybody.
const ANSWERS: usize = 4_096;

type News = mpsc::Sender<(CommandId, Told)>;

/// The conversations under way. Dropping it ends them all.
pub(crate) struct Conversations {
    /// What is said to each; dropping it hangs up.
    under_way: BTreeMap<CommandId, mpsc::UnboundedSender<Vec<u8>>>,
    tasks: JoinSet<()>,
    tell: News,
    told: mpsc::Receiver<(CommandId, Told)>,
    tls: Option<TlsConnector>,
}

impl Conversations {
    pub(crate) fn new() -> Self {
        let (tell, told) = mpsc::channel(NEWS);
        Self { under_way: BTreeMap::new(), tasks: JoinSet::new(), tell, told, tls: None }
    }

    /// Begins a conversation.
    pub(crate) fn begin(
        &mut self,
        id: CommandId,
        to: SocketAddrV4,
        carrier: Carrier,
        tls: bool,
        patience: Duration,
    ) {
        let tls = tls.then(|| self.connector());
        let (say, mut sayings) = mpsc::unbounded_channel();
        let tell = self.tell.clone();
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(async move {
            let end = match (carrier, tls) {
                (Carrier::Stream, Some(None)) => Some(Told::Failed(Failure::NotSent)),
                (Carrier::Stream, tls) => stream(id, to, tls.flatten(), patience, &mut sayings, &tell).await,
                (Carrier::Datagram, _) => datagrams(id, to, &mut sayings, &tell).await,
            };
            if let Some(end) = end {
                // The receiver lives as long as the driver.
                let _ = tell.send((id, end)).await;
            }
        });
        self.under_way.insert(id, say);
    }

    /// Asks a group and gathers what its members answer, to the group too if it is to be joined.
    pub(crate) fn gather(
        &mut self,
        id: CommandId,
        source: Ipv4Addr,
        (to, join): (SocketAddrV4, bool),
        payload: Vec<u8>,
        window: Duration,
    ) {
        let tell = self.tell.clone();
        self.tasks.spawn(async move {
            let gathered = timeout(window, gather(id, source, (to, join), &payload, &tell)).await;
            let end = match gathered {
                Ok(Err(error)) => {
                    tracing::debug!("no question to {to} from {source}: {error}");
                    Told::Failed(Failure::NotSent)
                }
                Ok(Ok(())) | Err(_) => Told::Closed,
            };
            let _ = tell.send((id, end)).await;
        });
    }

    /// Says something in a conversation; one that is over hears nothing.
    pub(crate) fn say(&mut self, id: CommandId, bytes: Vec<u8>) {
        if let Some(say) = self.under_way.get(&id) {
            // Its task has ended when nobody receives; the end is on its way to the engine.
            let _ = say.send(bytes);
        }
    }

    /// Ends a conversation once all that was said in it is written.
    pub(crate) fn hang_up(&mut self, id: CommandId) {
        self.under_way.remove(&id);
    }

    /// The next thing that was told.
    pub(crate) async fn next(&mut self) -> Option<(CommandId, Told)> {
        let told = self.told.recv().await?;
        self.forget_ended(&told);
        Some(told)
    }

    /// The next thing that was told already.
    pub(crate) fn try_next(&mut self) -> Option<(CommandId, Told)> {
        let told = self.told.try_recv().ok()?;
        self.forget_ended(&told);
        Some(told)
    }

    fn forget_ended(&mut self, (id, told): &(CommandId, Told)) {
        if matches!(told, Told::Closed | Told::Failed(_)) {
            self.under_way.remove(id);
        }
    }

    fn connector(&mut self) -> Option<TlsConnector> {
        if self.tls.is_none() {
            let made = tls::connector();
            self.tls = made.inspect_err(|error| tracing::warn!("TLS cannot be spoken: {error}")).ok();
        }
        self.tls.clone()
    }
}

async fn stream(
    id: CommandId,
    to: SocketAddrV4,
    tls: Option<TlsConnector>,
    patience: Duration,
    sayings: &mut mpsc::UnboundedReceiver<Vec<u8>>,
    tell: &News,
) -> Option<Told> {
    let connected = match timeout(patience, connect(to)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Some(Told::Failed(failure_of(&error))),
        Err(_) => return Some(Told::Failed(Failure::TimedOut)),
    };
    let Some(connector) = tls else {
        let _ = tell.send((id, Told::Opened(None))).await;
        return talk(id, connected, sayings, tell).await;
    };
    match timeout(patience, tls::handshake(&connector, connected, *to.ip())).await {
        Ok(Ok((stream, facts))) => {
            let _ = tell.send((id, Told::Opened(Some(facts)))).await;
            talk(id, stream, sayings, tell).await
        }
        Ok(Err(_)) | Err(_) => Some(Told::Failed(Failure::Tls)),
    }
}

/// Connects; an unanswered SYN is repeated once at the most.
async fn connect(to: SocketAddrV4) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let once: libc::c_int = 1;
    sys::set_option(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_SYNCNT, &once)?;
    let stream = socket.connect(to.into()).await?;
    // A connection to a free port of this machine can meet itself when the kernel picks that very port.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

/// Passes bytes on in both directions until either side closes; `None`: this side has.
async fn talk(
    id: CommandId,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    sayings: &mut mpsc::UnboundedReceiver<Vec<u8>>,
    tell: &News,
) -> Option<Told> {
    let (mut from, mut to) = tokio::io::split(stream);
    let mut buffer = vec![0; CHUNK];
    loop {
        tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return Some(Told::Closed),
                Ok(len) => {
                    let bytes = buffer.get(..len).unwrap_or_default().to_vec();
                    tell.send((id, Told::Received(None, bytes))).await.ok()?;
                }
            },
            said = sayings.recv() => {
                let bytes = said?;
                let written = timeout(STALLED, async { to.write_all(&bytes).await?; to.flush().await }).await;
                // What the peer sent before it reset can still be read.
                if !matches!(written, Ok(Ok(()))) {
                    return Some(last_words(id, &mut from, &mut buffer, tell).await);
                }
            }
        }
    }
}

async fn last_words(
    id: CommandId,
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
    tell: &News,
) -> Told {
    if let Ok(Ok(len)) = timeout(Duration::from_millis(200), from.read(buffer)).await
        && len > 0
    {
        let bytes = buffer.get(..len).unwrap_or_default().to_vec();
        let _ = tell.send((id, Told::Received(None, bytes))).await;
    }
    Told::Closed
}

async fn datagrams(
    id: CommandId,
    to: SocketAddrV4,
    sayings: &mut mpsc::UnboundedReceiver<Vec<u8>>,
    tell: &News,
) -> Option<Told> {
    let socket = match UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await {
        Ok(socket) => socket,
        Err(error) => return Some(Told::Failed(failure_of(&error))),
    };
    if let Err(error) = socket.connect(to).await {
        return Some(Told::Failed(failure_of(&error)));
    }
    let mut buffer = vec![0; CHUNK];
    loop {
        tokio::select! {
            received = socket.recv(&mut buffer) => match received {
                Ok(len) => {
                    let bytes = buffer.get(..len).unwrap_or_default().to_vec();
                    tell.send((id, Told::Received(None, bytes))).await.ok()?;
                }
                // ICMP port unreachable, told by the next call.
                Err(_) => return Some(Told::Closed),
            },
            said = sayings.recv() => {
                if socket.send(&said?).await.is_err() {
                    return Some(Told::Closed);
                }
            }
        }
    }
}

async fn gather(
    id: CommandId,
    source: Ipv4Addr,
    (to, join): (SocketAddrV4, bool),
    payload: &[u8],
    tell: &News,
) -> io::Result<()> {
    // Before the question, for the first answer may come at once. Where another program has the port for itself, only
    // answers to the asker are heard.
    let joined = join
        .then(|| member(source, to).inspect_err(|error| tracing::debug!("cannot join {to}: {error}")).ok());
    let joined = joined.flatten();
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddrV4::new(source, 0).into())?;
    socket.set_multicast_if_v4(&source)?;
    socket.set_multicast_ttl_v4(1)?;
    socket.set_multicast_loop_v4(false)?;
    socket.set_broadcast(to.ip().is_broadcast())?;
    let socket = UdpSocket::from_std(socket.into())?;
    socket.send_to(payload, to).await?;
    let (mut buffer, mut other) = (vec![0; CHUNK], vec![0; CHUNK]);
    for _ in 0..ANSWERS {
        let to_group = async {
            match &joined {
                Some(joined) => joined.recv_from(&mut other).await,
                None => std::future::pending().await,
            }
        };
        let (heard, in_group) = tokio::select! {
            heard = socket.recv_from(&mut buffer) => (heard?, false),
            heard = to_group => (heard?, true),
        };
        let (len, from) = heard;
        let std::net::SocketAddr::V4(from) = from else { continue };
        if *from.ip() == source {
            continue;
        }
        let buffer = if in_group { &other } else { &buffer };
        let bytes = buffer.get(..len).unwrap_or_default().to_vec();
        if tell.send((id, Told::Received(Some(*from.ip()), bytes))).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// A socket that hears what is said to a group, or broadcast, on the link of `source`.
fn member(source: Ipv4Addr, group: SocketAddrV4) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if group.ip().is_broadcast() {
        socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, group.port()).into())?;
    } else {
        socket.bind(&group.into())?;
        socket.join_multicast_v4(group.ip(), &source)?;
    }
    UdpSocket::from_std(socket.into())
}

fn failure_of(error: &io::Error) -> Failure {
    match error.raw_os_error() {
        Some(libc::ECONNREFUSED | libc::ECONNRESET) => Failure::Refused,
        Some(libc::ETIMEDOUT) => Failure::TimedOut,
        Some(
            libc::EHOSTUNREACH
            | libc::ENETUNREACH
            | libc::EHOSTDOWN
            | libc::ENETDOWN
            | libc::EACCES
            | libc::EPERM
            | libc::EINVAL,
        ) => Failure::Unreachable,
        _ if error.kind() == io::ErrorKind::ConnectionRefused => Failure::Refused,
        _ => Failure::NotSent,
    }
}

#[cfg(test)]
mod tests;
