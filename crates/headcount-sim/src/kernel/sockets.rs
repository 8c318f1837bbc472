//! The sockets of the scanning machine: connections, echo, datagrams, and the resolver on top of them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use headcount_engine::{Carrier, CommandId, Failure, Reply, Told};
use headcount_model::Instant;
use headcount_wire::{
    dns::{self, Message, Question, RecordData, RecordType},
    icmpv4, ipv4,
    ipv4::Protocol,
    tcp::{self, Flags},
    udp,
};

use super::segment;

/// When an unanswered SYN is sent again (RFC 6298: after one second), and when it is given up. The driver of the real
/// network allows its kernel one repetition (TCP_SYNCNT).
const SYN_REPEAT: Duration = Duration::from_secs(1);
const SYN_GIVE_UP: Duration = Duration::from_secs(3);
/// How long the resolver waits for an answer, and how often it asks.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(2);
const RESOLVE_TRIES: u32 = 2;
/// A full segment on Ethernet.
const MSS: usize = 1_460;
/// The ports that Linux gives to sockets (ip_local_port_range).
const FIRST_PORT: u16 = 32_768;
const LAST_PORT: u16 = 60_999;

/// A packet on its way to the network, and which socket it is of.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) to: Ipv4Addr,
    pub(super) content: Content,
    /// The payload of an echo request or a datagram.
    pub(super) payload: Vec<u8>,
}

/// What a packet carries.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A segment.
    Tcp(tcp::Segment<'static>),
    /// An echo request.
    Echo { identifier: u16 },
    /// A datagram.
    Udp { source_port: u16, destination_port: u16 },
    /// An ICMP error.
    Unreachable(icmpv4::Message<'static>),
}

/// One socket, by its port (or echo identifier).
#[derive(Clone, Debug)]
struct Socket {
    id: CommandId,
    to: SocketAddrV4,
    kind: Kind,
    /// When it ends.
    until: Instant,
    /// When it sends again, before it ends.
    repeat: Option<Instant>,
}

#[derive(Clone, Debug)]
enum Kind {
    /// SYN sent; the initial sequence number.
    Connecting {
        first: u32,
    },
    /// Echo request sent.
    Echo,
    /// Datagram sent.
    Datagram,
    /// A conversation over datagrams.
    Talking,
    /// A conversation over a connection: being opened (with TLS?), or open.
    Opening {
        first: u32,
        tls: bool,
    },
    Stream(Stream),
    /// PTR question sent so often.
    Resolver {
        address: Ipv4Addr,
        tries: u32,
    },
}

/// An open connection. Small as it is: what it writes fits a segment, and what is lost is repeated once a second.
#[derive(Clone, Debug)]
struct Stream {
    /// The next sequence number that is sent, and the next that is expected.
    next: u32,
    expected: u32,
    unacknowledged: Vec<u8>,
    tls: bool,
}

/// What begins a TLS handshake (RFC 8446, section 5.1). Nobody here goes on with one.
const CLIENT_HELLO: &[u8] = &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3];
/// How long a lost segment is waited for.
const RESEND: Duration = Duration::from_secs(1);
/// A conversation that the engine never ends is ended.
const FOREVER: Duration = Duration::from_secs(600);

/// The sockets of the scanning machine.
#[derive(Clone, Debug)]
pub(super) struct Sockets {
    own: Ipv4Addr,
    name_server: Option<Ipv4Addr>,
    open: BTreeMap<u16, Socket>,
    timers: BTreeSet<(Instant, u16)>,
    next_port: u16,
    packets: VecDeque<Packet>,
    replies: VecDeque<(CommandId, Reply)>,
    pub(super) told: VecDeque<(CommandId, Told)>,
    talking: BTreeMap<CommandId, u16>,
}

impl Sockets {
    pub(super) fn new(own: Ipv4Addr, name_server: Option<Ipv4Addr>) -> Self {
        Self {
            own,
            name_server,
            open: BTreeMap::new(),
            timers: BTreeSet::new(),
            next_port: FIRST_PORT,
            packets: VecDeque::new(),
            replies: VecDeque::new(),
            told: VecDeque::new(),
            talking: BTreeMap::new(),
        }
    }

    pub(super) fn connect(&mut self, now: Instant, id: CommandId, to: SocketAddrV4, timeout: Duration) {
        let first = u32::from(self.next_port).wrapping_mul(0x9e37_79b1);
        let timeout = timeout.min(SYN_GIVE_UP);
        if let Some(port) = self.add(now, id, to, Kind::Connecting { first }, timeout, Some(now + SYN_REPEAT))
        {
            self.send_segment(*to.ip(), segment((port, to.port()), first, 0, Flags::SYN));
        }
    }

    pub(super) fn converse(
        &mut self,
        now: Instant,
        id: CommandId,
        to: SocketAddrV4,
        carrier: Carrier,
        tls: bool,
        timeout: Duration,
    ) {
        let first = u32::from(self.next_port).wrapping_mul(0x9e37_79b1);
        let port = match carrier {
            Carrier::Datagram => self.add(now, id, to, Kind::Talking, FOREVER, None),
            Carrier::Stream => {
                let kind = Kind::Opening { first, tls };
                let again = Some(now + SYN_REPEAT);
                let port = self.add(now, id, to, kind, timeout.min(SYN_GIVE_UP), again);
                if let Some(port) = port {
                    self.send_segment(*to.ip(), segment((port, to.port()), first, 0, Flags::SYN));
                }
                port
            }
        };
        match port {
            Some(port) => {
                self.talking.insert(id, port);
            }
            None => {
                // `add` has said that there is no port left.
                self.replies.pop_back();
                self.told.push_back((id, Told::Failed(Failure::NotSent)));
            }
        }
    }

    /// The engine writes to a conversation.
    pub(super) fn say(&mut self, now: Instant, id: CommandId, bytes: Vec<u8>) {
        let Some(port) = self.talking.get(&id).copied() else { return };
        let Some(socket) = self.open.get_mut(&port) else { return };
        let to = socket.to;
        match &mut socket.kind {
            Kind::Talking => {
                self.send(*to.ip(), Content::Udp { source_port: port, destination_port: to.port() }, bytes);
            }
            Kind::Stream(_) => self.write(now, port, bytes),
            _ => {}
        }
    }

    fn write(&mut self, now: Instant, port: u16, bytes: Vec<u8>) {
        let Some(socket) = self.open.get_mut(&port) else { return };
        let (to, before) = (socket.to, socket.next_due());
        let Kind::Stream(stream) = &mut socket.kind else { return };
        let mut parts = Vec::new();
        for part in bytes.chunks(MSS) {
            let flags = Flags::ACK | Flags::PSH;
            parts.push((segment((port, to.port()), stream.next, stream.expected, flags), part.to_vec()));
            stream.next = stream.next.wrapping_add(part.len() as u32);
        }
        stream.unacknowledged.extend(bytes);
        socket.repeat = Some(now + RESEND);
        self.timers.remove(&(before, port));
        let due = self.open.get(&port).map_or(now, Socket::next_due);
        self.timers.insert((due, port));
        for (segment, part) in parts {
            self.send(*to.ip(), Content::Tcp(segment), part);
        }
    }

    fn say_again(&mut self, now: Instant, port: u16) {
        let Some(socket) = self.open.get_mut(&port) else { return };
        let to = socket.to;
        let Kind::Stream(stream) = &mut socket.kind else { return };
        let lost = stream.unacknowledged.clone();
        socket.repeat = (!lost.is_empty()).then_some(now + RESEND);
        let mut sequence = stream.next.wrapping_sub(lost.len() as u32);
        let expected = stream.expected;
        self.timers.insert((socket.next_due(), port));
        for part in lost.chunks(MSS) {
            let again = segment((port, to.port()), sequence, expected, Flags::ACK | Flags::PSH);
            sequence = sequence.wrapping_add(part.len() as u32);
            self.send(*to.ip(), Content::Tcp(again), part.to_vec());
        }
    }

    /// The engine ends a conversation.
    pub(super) fn hang_up(&mut self, id: CommandId) {
        let Some(port) = self.talking.get(&id).copied() else { return };
        if let Some(Socket { to, kind: Kind::Stream(stream), .. }) = self.open.get(&port) {
            let ports = (port, to.port());
            let fin = segment(ports, stream.next, stream.expected, Flags::FIN | Flags::ACK);
            // The rest of the closing meets no socket and is reset.
            self.send_segment(*to.ip(), fin);
        }
        self.forget(port);
    }

    fn opened(&mut self, now: Instant, port: u16, next: u32, expected: u32, tls: bool) {
        let Some(socket) = self.open.get_mut(&port) else { return };
        let before = socket.next_due();
        let (id, to) = (socket.id, socket.to);
        socket.kind = Kind::Stream(Stream { next, expected, unacknowledged: Vec::new(), tls });
        (socket.repeat, socket.until) = (None, now + FOREVER);
        self.timers.remove(&(before, port));
        self.timers.insert((now + FOREVER, port));
        self.send_segment(*to.ip(), segment((port, to.port()), next, expected, Flags::ACK));
        if tls {
            self.write(now, port, CLIENT_HELLO.to_vec());
        } else {
            self.told.push_back((id, Told::Opened(None)));
        }
    }

    fn receive_stream(&mut self, port: u16, received: &tcp::Segment<'_>) {
        let Some(socket) = self.open.get_mut(&port) else { return };
        let (id, to, before) = (socket.id, socket.to, socket.next_due());
        let Kind::Stream(stream) = &mut socket.kind else { return };
        if received.flags.contains(Flags::RST) {
            self.finish(port, Reply::Refused);
            return;
        }
        let missing = stream.next.wrapping_sub(received.acknowledgment) as usize;
        if missing < stream.unacknowledged.len() {
            stream.unacknowledged.drain(..stream.unacknowledged.len() - missing);
        }
        let tls = stream.tls;
        let mut ended = false;
        let mut heard = None;
        if received.sequence == stream.expected {
            stream.expected = stream.expected.wrapping_add(received.payload.len() as u32);
            heard = (!received.payload.is_empty()).then(|| received.payload.to_vec());
            ended = received.flags.contains(Flags::FIN);
            stream.expected = stream.expected.wrapping_add(u32::from(ended));
        }
        let says = !received.payload.is_empty() || received.flags.contains(Flags::FIN);
        let answer = segment((port, to.port()), stream.next, stream.expected, Flags::ACK);
        let fin = segment((port, to.port()), stream.next, stream.expected, Flags::FIN | Flags::ACK);
        if stream.unacknowledged.is_empty() && socket.repeat.take().is_some() {
            self.timers.remove(&(before, port));
            self.timers.insert((socket.until, port));
        }
        if says {
            self.send_segment(*to.ip(), if ended { fin } else { answer });
        }
        match heard {
            // Whatever comes back is no handshake.
            Some(_) if tls => ended = true,
            Some(bytes) => self.told.push_back((id, Told::Received(None, bytes))),
            None => {}
        }
        if ended {
            self.finish(port, Reply::Refused);
        }
    }

    /// Ends a conversation, if the port is one of one: what the reply would say is told.
    fn end_talk(&mut self, port: u16, reply: &Reply) -> bool {
        let Some(socket) = self.open.get(&port) else { return false };
        let told = match (&socket.kind, reply) {
            (Kind::Opening { .. }, Reply::Refused) => Told::Failed(Failure::Refused),
            (Kind::Opening { .. }, Reply::TimedOut) => Told::Failed(Failure::TimedOut),
            (Kind::Opening { .. }, _) => Told::Failed(Failure::Unreachable),
            (Kind::Stream(Stream { tls: true, .. }), _) => Told::Failed(Failure::Tls),
            (Kind::Stream(_) | Kind::Talking, _) => Told::Closed,
            _ => return false,
        };
        self.told.push_back((socket.id, told));
        self.forget(port);
        true
    }

    pub(super) fn echo(&mut self, now: Instant, id: CommandId, to: Ipv4Addr, timeout: Duration) {
        if let Some(identifier) = self.add(now, id, SocketAddrV4::new(to, 0), Kind::Echo, timeout, None) {
            self.send(to, Content::Echo { identifier }, vec![0; 16]);
        }
    }

    pub(super) fn datagram(
        &mut self,
        now: Instant,
        id: CommandId,
        to: SocketAddrV4,
        payload: Vec<u8>,
        timeout: Duration,
    ) {
        let Some(source_port) = self.add(now, id, to, Kind::Datagram, timeout, None) else { return };
        self.send(*to.ip(), Content::Udp { source_port, destination_port: to.port() }, payload);
        if timeout.is_zero() {
            self.finish(source_port, Reply::TimedOut);
        }
    }

    pub(super) fn resolve(&mut self, now: Instant, id: CommandId, address: Ipv4Addr) {
        let Some(server) = self.name_server else {
            self.replies.push_back((id, Reply::Names(Vec::new())));
            return;
        };
        let to = SocketAddrV4::new(server, 53);
        let kind = Kind::Resolver { address, tries: 1 };
        if let Some(port) = self.add(now, id, to, kind, RESOLVE_TIMEOUT, None) {
            self.ask_name(port, server, address);
        }
    }

    /// Adds a socket and returns its port; without a free port, the command ends.
    fn add(
        &mut self,
        now: Instant,
        id: CommandId,
        to: SocketAddrV4,
        kind: Kind,
        timeout: Duration,
        repeat: Option<Instant>,
    ) -> Option<u16> {
        let ports = usize::from(LAST_PORT - FIRST_PORT) + 1;
        if self.open.len() >= ports {
            self.replies.push_back((id, Reply::NotSent));
            return None;
        }
        while self.open.contains_key(&self.next_port) {
            self.next_port = after(self.next_port);
        }
        let port = self.next_port;
        self.next_port = after(port);
        let socket = Socket { id, to, kind, until: now + timeout, repeat };
        self.timers.insert((socket.next_due(), port));
        self.open.insert(port, socket);
        Some(port)
    }

    pub(super) fn receive_tcp(&mut self, now: Instant, ip: &ipv4::Header, received: &tcp::Segment<'_>) {
        let port = received.destination_port;
        let from = SocketAddrV4::new(ip.source, received.source_port);
        let Some(socket) = self.open.get(&port).filter(|socket| socket.to == from) else {
            self.reset(ip.source, received);
            return;
        };
        let first = match socket.kind {
            Kind::Connecting { first } | Kind::Opening { first, .. } => first,
            Kind::Stream(_) => return self.receive_stream(port, received),
            Kind::Echo | Kind::Datagram | Kind::Talking | Kind::Resolver { .. } => {
                self.reset(ip.source, received);
                return;
            }
        };
        let sequence = first.wrapping_add(1);
        if received.acknowledgment != sequence {
            self.reset(ip.source, received);
        } else if received.flags.contains(Flags::RST) {
            self.finish(port, Reply::Refused);
        } else if received.flags.contains(Flags::SYN | Flags::ACK) {
            match socket.kind {
                Kind::Opening { tls, .. } => {
                    self.opened(now, port, sequence, received.sequence.wrapping_add(1), tls);
                }
                _ => self.close(port, sequence, received.sequence.wrapping_add(1)),
            }
        }
    }

    /// A connection is open: the command has its answer, and it is closed by a reset at once, as the driver of the
    /// real network has it done (SO_LINGER with zero), so that the other end is free again.
    fn close(&mut self, port: u16, sequence: u32, expected: u32) {
        let Some(to) = self.open.get(&port).map(|socket| socket.to) else { return };
        let ports = (port, to.port());
        self.send_segment(*to.ip(), segment(ports, sequence, expected, Flags::ACK));
        self.send_segment(*to.ip(), segment(ports, sequence, expected, Flags::RST | Flags::ACK));
        self.finish(port, Reply::Connected);
    }

    /// RFC 9293, section 3.10.7.1: a segment that belongs to no connection is reset.
    fn reset(&mut self, to: Ipv4Addr, received: &tcp::Segment<'_>) {
        if received.flags.contains(Flags::RST) {
            return;
        }
        let ports = (received.destination_port, received.source_port);
        let answer = if received.flags.contains(Flags::ACK) {
            segment(ports, received.acknowledgment, 0, Flags::RST)
        } else {
            let len = received.payload.len() as u32 + u32::from(received.flags.contains(Flags::SYN));
            segment(ports, 0, received.sequence.wrapping_add(len), Flags::RST | Flags::ACK)
        };
        self.send_segment(to, answer);
    }

    pub(super) fn receive_icmp(&mut self, ip: &ipv4::Header, message: &icmpv4::Message<'_>) {
        match message {
            icmpv4::Message::EchoReply { identifier, .. } => {
                let asked = self.open.get(identifier).filter(|socket| matches!(socket.kind, Kind::Echo));
                if asked.is_some_and(|socket| *socket.to.ip() == ip.source) {
                    self.finish(*identifier, Reply::Answered { ttl: Some(ip.ttl) });
                }
            }
            icmpv4::Message::Unreachable { code, quoted } if quoted.source == self.own => {
                let reply = match code {
                    2 | 3 => Reply::Refused,
                    9 | 10 | 13 => Reply::Prohibited,
                    _ => Reply::Unreachable,
                };
                let port = quoted.source_port;
                let ours = self.open.get(&port).is_some_and(|socket| {
                    *socket.to.ip() == quoted.destination
                        && match socket.kind {
                            Kind::Connecting { .. } | Kind::Opening { .. } => {
                                quoted.protocol == Protocol::Tcp
                            }
                            Kind::Stream(_) => false,
                            Kind::Echo => quoted.protocol == Protocol::Icmp,
                            Kind::Datagram | Kind::Talking | Kind::Resolver { .. } => {
                                quoted.protocol == Protocol::Udp
                            }
                        }
                });
                if ours {
                    self.finish(port, reply);
                }
            }
            icmpv4::Message::Unreachable { .. }
            | icmpv4::Message::EchoRequest { .. }
            | icmpv4::Message::Other { .. } => {}
        }
    }

    /// Returns whether a socket took the datagram.
    pub(super) fn receive_udp(&mut self, ip: &ipv4::Header, datagram: &udp::Datagram<'_>) -> bool {
        let from = SocketAddrV4::new(ip.source, datagram.source_port);
        let port = datagram.destination_port;
        let Some(socket) = self.open.get(&port).filter(|socket| socket.to == from) else {
            return false;
        };
        match socket.kind {
            Kind::Datagram => self.finish(port, Reply::Answered { ttl: Some(ip.ttl) }),
            Kind::Talking => {
                let heard = Told::Received(None, datagram.payload.to_vec());
                self.told.push_back((socket.id, heard));
            }
            Kind::Resolver { .. } => {
                let answers = Message::parse(datagram.payload).map(|message| message.answers);
                let names = answers.unwrap_or_default().into_iter().filter_map(|record| match record.data {
                    RecordData::Ptr(name) => Some(name),
                    _ => None,
                });
                self.finish(port, Reply::Names(names.collect()));
            }
            Kind::Connecting { .. } | Kind::Opening { .. } | Kind::Stream(_) | Kind::Echo => return false,
        }
        true
    }

    /// A datagram came that no socket waits for (RFC 1122, section 4.1.3.1).
    pub(super) fn port_unreachable(&mut self, ip: &ipv4::Header, datagram: &udp::Datagram<'_>) {
        let quoted = icmpv4::Quoted {
            source: ip.source,
            destination: ip.destination,
            protocol: Protocol::Udp,
            identification: ip.identification,
            source_port: datagram.source_port,
            destination_port: datagram.destination_port,
            sequence: 0,
        };
        let message = icmpv4::Message::Unreachable { code: icmpv4::CODE_PORT_UNREACHABLE, quoted };
        self.send(ip.source, Content::Unreachable(message), Vec::new());
    }

    /// A packet could not be delivered: its neighbour did not answer, or there is no way to it.
    pub(super) fn unreachable(&mut self, packet: &Packet) {
        if let Some(port) = self.sender(packet) {
            self.finish(port, Reply::Unreachable);
        }
    }

    /// A packet to a broadcast address, which sockets may not send to unless they say so (EACCES).
    pub(super) fn prohibit(&mut self, packet: &Packet) {
        if let Some(port) = self.sender(packet) {
            self.finish(port, Reply::Prohibited);
        }
    }

    /// A packet to this machine itself, where nothing listens.
    pub(super) fn refuse_local(&mut self, packet: &Packet) {
        if let Some(port) = self.sender(packet) {
            let echo = matches!(packet.content, Content::Echo { .. });
            self.finish(port, if echo { Reply::Answered { ttl: Some(64) } } else { Reply::Refused });
        }
    }

    /// The socket that waits for an answer to `packet`.
    fn sender(&self, packet: &Packet) -> Option<u16> {
        let port = match &packet.content {
            Content::Tcp(segment) => segment.source_port,
            Content::Echo { identifier } => *identifier,
            Content::Udp { source_port, .. } => *source_port,
            Content::Unreachable(_) => return None,
        };
        let waits = |socket: &&Socket| *socket.to.ip() == packet.to;
        self.open.get(&port).filter(waits).map(|_| port)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some((due, port)) = self.timers.first().copied()
            && due <= now
        {
            self.timers.pop_first();
            // Sockets that have changed since have another timer.
            if self.open.get(&port).is_some_and(|socket| socket.next_due() == due) {
                self.socket_due(due, port);
            }
        }
    }

    fn socket_due(&mut self, due: Instant, port: u16) {
        let Some(socket) = self.open.get_mut(&port) else { return };
        let to = socket.to;
        if due >= socket.until {
            match &mut socket.kind {
                Kind::Resolver { address, tries } if *tries < RESOLVE_TRIES => {
                    *tries += 1;
                    let address = *address;
                    socket.until = due + RESOLVE_TIMEOUT;
                    self.timers.insert((socket.until, port));
                    self.ask_name(port, *to.ip(), address);
                }
                Kind::Resolver { .. } => self.finish(port, Reply::Names(Vec::new())),
                Kind::Connecting { .. }
                | Kind::Opening { .. }
                | Kind::Stream(_)
                | Kind::Echo
                | Kind::Datagram
                | Kind::Talking => self.finish(port, Reply::TimedOut),
            }
            return;
        }
        if let Kind::Stream(_) = socket.kind {
            self.say_again(due, port);
            return;
        }
        let (Kind::Connecting { first } | Kind::Opening { first, .. }) = socket.kind else { return };
        socket.repeat = None;
        let again = segment((port, to.port()), first, 0, Flags::SYN);
        self.timers.insert((socket.next_due(), port));
        self.send_segment(*to.ip(), again);
    }

    fn ask_name(&mut self, port: u16, server: Ipv4Addr, address: Ipv4Addr) {
        let question =
            Question { name: dns::reverse_name(address), kind: RecordType::Ptr, class: dns::CLASS_IN };
        let mut payload = Vec::new();
        dns::query(port, true, &[question], &mut payload);
        self.send(server, Content::Udp { source_port: port, destination_port: 53 }, payload);
    }

    fn finish(&mut self, port: u16, reply: Reply) {
        if self.end_talk(port, &reply) {
            return;
        }
        if let Some(socket) = self.open.get(&port) {
            // Without a name server's answer an address has no name.
            let named = matches!(socket.kind, Kind::Resolver { .. }) && !matches!(reply, Reply::Names(_));
            let reply = if named { Reply::Names(Vec::new()) } else { reply };
            self.replies.push_back((socket.id, reply));
            self.forget(port);
        }
    }

    fn forget(&mut self, port: u16) {
        if let Some(socket) = self.open.remove(&port) {
            self.talking.remove(&socket.id);
            self.timers.remove(&(socket.next_due(), port));
        }
    }

    fn send_segment(&mut self, to: Ipv4Addr, segment: tcp::Segment<'static>) {
        self.send(to, Content::Tcp(segment), Vec::new());
    }

    fn send(&mut self, to: Ipv4Addr, content: Content, payload: Vec<u8>) {
        self.packets.push_back(Packet { to, content, payload });
    }

    pub(super) fn poll_packet(&mut self) -> Option<Packet> {
        self.packets.pop_front()
    }

    pub(super) fn poll_reply(&mut self) -> Option<(CommandId, Reply)> {
        self.replies.pop_front()
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| *due)
    }
}

impl Socket {
    fn next_due(&self) -> Instant {
        self.repeat.unwrap_or(self.until).min(self.until)
    }
}

const fn after(port: u16) -> u16 {
    if port >= LAST_PORT { FIRST_PORT } else { port + 1 }
}
