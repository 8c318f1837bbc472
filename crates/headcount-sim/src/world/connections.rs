//! The TCP connections of one persona: a server side that accepts, says what its service says, and closes.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use headcount_model::Instant;
use headcount_wire::tcp::{Flags, Segment};

use super::way::Way;
use crate::lan::Service;

/// Both ends of a connection: remote address and port, local address and port.
pub(super) type Ends = (Ipv4Addr, u16, Ipv4Addr, u16);

/// When an unanswered SYN/ACK or FIN is sent again, from the first one on (RFC 6298: one second, then doubled).
pub(super) const REPEATS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
/// When it is given up.
pub(super) const GIVE_UP: Duration = Duration::from_secs(7);
/// More connections than this are dropped, as a server out of memory does.
const MAX_CONNECTIONS: usize = 4_096;
const MSS: u16 = 1_460;
const WINDOW: u16 = 64_240;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Our SYN/ACK has not been acknowledged.
    HalfOpen,
    /// Open.
    Established,
    /// The remote end has closed and so have we; our FIN has not been acknowledged.
    Closing,
}

/// A segment with its data.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) segment: Segment<'static>,
    pub(super) payload: Vec<u8>,
}

/// What a service has heard and not yet answered, at the most.
const HEARD: usize = 8 << 10;

#[derive(Clone, Debug)]
struct Connection {
    way: Way,
    state: State,
    /// Our initial sequence number.
    first: u32,
    /// Bytes that we have sent, and those at their end that have not been acknowledged.
    said: u32,
    unacknowledged: Vec<u8>,
    /// What was heard and not yet answered.
    heard: Vec<u8>,
    /// The next sequence number that we expect.
    next: u32,
    /// When our SYN/ACK or FIN was first sent, and how often again.
    sent: Instant,
    repeats: usize,
}

/// The limits of a persona's connections.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    /// Half-open or open at once, at the most.
    pub(super) connections: Option<u32>,
    /// Half-open at once, at the most.
    pub(super) listen_queue: Option<u32>,
}

/// What a SYN meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// It is answered with the segment.
    Accepted(Segment<'static>),
    /// Nothing happens.
    Dropped,
    /// The listen queue is full: it is dropped.
    QueueFull,
    /// It is one connection too many.
    TooMany,
}

/// All connections of one persona.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections(BTreeMap<Ends, Connection>);

impl Connections {
    /// A SYN to an open port. `first` becomes the initial sequence number of a new connection.
    pub(super) fn open(
        &mut self,
        now: Instant,
        way: Way,
        syn: &Segment<'_>,
        limits: Limits,
        first: u32,
    ) -> Opened {
        let ends = ends(&way, syn);
        if let Some(known) = self.0.get(&ends) {
            // The same SYN again is answered again; anything else is left to the connection that there is.
            let same = known.state == State::HalfOpen && known.next == syn.sequence.wrapping_add(1);
            return if same { Opened::Accepted(known.syn_ack(ends)) } else { Opened::Dropped };
        }
        let half_open = || self.0.values().filter(|one| one.state == State::HalfOpen).count();
        if limits.connections.is_some_and(|most| self.0.len() >= most as usize) {
            return Opened::TooMany;
        }
        if limits.listen_queue.is_some_and(|most| half_open() >= most as usize) {
            return Opened::QueueFull;
        }
        if self.0.len() >= MAX_CONNECTIONS {
            return Opened::Dropped;
        }
        let next = syn.sequence.wrapping_add(1);
        let connection = Connection {
            way,
            state: State::HalfOpen,
            first,
            said: 0,
            unacknowledged: Vec::new(),
            heard: Vec::new(),
            next,
            sent: now,
            repeats: 0,
        };
        let answer = connection.syn_ack(ends);
        self.0.insert(ends, connection);
        Opened::Accepted(answer)
    }

    /// Any segment but a SYN, for a port with or without a service. Returns whether it belongs to a connection, and
    /// what is answered.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        way: &Way,
        segment: &Segment<'_>,
        service: Option<&Service>,
    ) -> (bool, Vec<Reply>) {
        let ends = ends(way, segment);
        let Some(connection) = self.0.get_mut(&ends) else {
            return (false, Vec::new());
        };
        if segment.flags.contains(Flags::RST) {
            // RFC 9293, section 3.10.7: only a reset at the expected place counts.
            if segment.sequence == connection.next {
                self.0.remove(&ends);
            }
            return (true, Vec::new());
        }
        if !segment.flags.contains(Flags::ACK) {
            return (true, Vec::new());
        }
        let acknowledged = segment.acknowledgment.wrapping_sub(connection.first);
        let mut replies = Vec::new();
        match connection.state {
            State::HalfOpen if acknowledged == 1 => {
                connection.state = State::Established;
                connection.say(now, ends, service.map_or(&[], |service| service.greeting()), &mut replies);
            }
            State::HalfOpen => return (true, vec![reset_for(segment).into()]),
            State::Closing if acknowledged == connection.said.wrapping_add(2) => {
                // What the remote end still sends meets no connection.
                let over = segment.payload.is_empty() && !segment.flags.contains(Flags::FIN);
                self.0.remove(&ends);
                return (over, Vec::new());
            }
            State::Established | State::Closing => connection.acknowledged(acknowledged),
        }
        connection.take_data(now, ends, segment, service, &mut replies);
        (true, replies)
    }

    /// A connection of which something may be due again: what is sent, and when to look again.
    pub(super) fn repeat(&mut self, now: Instant, ends: Ends) -> (Option<Way>, Vec<Reply>, Option<Instant>) {
        let Some(connection) = self.0.get_mut(&ends) else {
            return (None, Vec::new(), None);
        };
        if connection.state == State::Established && connection.unacknowledged.is_empty() {
            return (None, Vec::new(), None);
        }
        let next = connection.next_repeat();
        if now < next {
            return (None, Vec::new(), Some(next));
        }
        if connection.repeats == REPEATS.len() {
            self.0.remove(&ends);
            return (None, Vec::new(), None);
        }
        connection.repeats += 1;
        let mut replies = Vec::new();
        match connection.state {
            State::HalfOpen => replies.push(connection.syn_ack(ends).into()),
            State::Established => connection.say_again(ends, &mut replies),
            State::Closing => {
                connection.say_again(ends, &mut replies);
                replies.push(connection.fin(ends).into());
            }
        }
        (Some(connection.way), replies, Some(connection.next_repeat()))
    }

    /// How many connections there are, half-open ones counted.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Connection {
    fn next_repeat(&self) -> Instant {
        self.sent + REPEATS.get(self.repeats).copied().unwrap_or(GIVE_UP)
    }

    fn syn_ack(&self, ends: Ends) -> Segment<'static> {
        let flags = Flags::SYN | Flags::ACK;
        Segment { sequence: self.first, mss: Some(MSS), ..self.ack(ends, flags) }
    }

    fn fin(&self, ends: Ends) -> Segment<'static> {
        self.ack(ends, Flags::FIN | Flags::ACK)
    }

    fn ack(&self, (_, remote, _, local): Ends, flags: Flags) -> Segment<'static> {
        Segment {
            source_port: local,
            destination_port: remote,
            sequence: self.first.wrapping_add(1).wrapping_add(self.said),
            acknowledgment: self.next,
            flags,
            window: WINDOW,
            mss: None,
            payload: &[],
        }
    }

    fn acknowledged(&mut self, acknowledged: u32) {
        let missing = self.said.wrapping_add(1).wrapping_sub(acknowledged) as usize;
        if missing < self.unacknowledged.len() {
            self.unacknowledged.drain(..self.unacknowledged.len() - missing);
            self.repeats = 0;
        }
    }

    fn say(&mut self, now: Instant, ends: Ends, bytes: &[u8], replies: &mut Vec<Reply>) {
        if bytes.is_empty() {
            return;
        }
        for part in bytes.chunks(usize::from(MSS)) {
            let segment = self.ack(ends, Flags::ACK | Flags::PSH);
            replies.push(Reply { segment, payload: part.to_vec() });
            self.said = self.said.wrapping_add(part.len() as u32);
        }
        self.unacknowledged.extend_from_slice(bytes);
        (self.sent, self.repeats) = (now, 0);
    }

    fn say_again(&self, ends: Ends, replies: &mut Vec<Reply>) {
        let mut back = self.unacknowledged.len() as u32;
        for part in self.unacknowledged.chunks(usize::from(MSS)) {
            let mut segment = self.ack(ends, Flags::ACK | Flags::PSH);
            segment.sequence = segment.sequence.wrapping_sub(back);
            back -= part.len() as u32;
            replies.push(Reply { segment, payload: part.to_vec() });
        }
    }

    fn close(&mut self, now: Instant, ends: Ends, replies: &mut Vec<Reply>) {
        self.state = State::Closing;
        (self.sent, self.repeats) = (now, 0);
        replies.push(self.fin(ends).into());
    }

    /// Data and FIN of an open connection: both are acknowledged, data by what the service says to it, a FIN with our
    /// own. A port without a service closes when it is written to.
    fn take_data(
        &mut self,
        now: Instant,
        ends: Ends,
        segment: &Segment<'_>,
        service: Option<&Service>,
        replies: &mut Vec<Reply>,
    ) {
        let fin = segment.flags.contains(Flags::FIN);
        if segment.payload.is_empty() && !fin {
            return;
        }
        if segment.sequence != self.next {
            replies.push(self.ack(ends, Flags::ACK).into());
            return;
        }
        self.next = self.next.wrapping_add(segment.payload.len() as u32).wrapping_add(u32::from(fin));
        if self.state == State::Closing {
            replies.push(self.ack(ends, Flags::ACK).into());
            return;
        }
        let room = HEARD.saturating_sub(self.heard.len());
        self.heard.extend(segment.payload.iter().take(room));
        let answer = service.and_then(|service| service.answer(&self.heard));
        let (bytes, close) = match (service, answer) {
            _ if segment.payload.is_empty() => (&[][..], fin),
            (None, _) => (&[][..], true),
            (Some(_), Some(answer)) => (answer.bytes(), answer.close),
            (Some(_), None) => (&[][..], false),
        };
        if !bytes.is_empty() {
            self.heard.clear();
        }
        self.say(now, ends, bytes, replies);
        if close || fin {
            self.close(now, ends, replies);
        } else if bytes.is_empty() {
            replies.push(self.ack(ends, Flags::ACK).into());
        }
    }
}

impl Reply {
    /// The segment with its data in it.
    pub(super) fn with_data(&self) -> Segment<'_> {
        Segment { payload: &self.payload, ..self.segment }
    }
}

impl From<Segment<'static>> for Reply {
    fn from(segment: Segment<'static>) -> Self {
        Self { segment, payload: Vec::new() }
    }
}

/// The ends of the connection that a received segment belongs to.
pub(super) fn ends(way: &Way, segment: &Segment<'_>) -> Ends {
    (way.remote, segment.source_port, way.local, segment.destination_port)
}

/// The reset that answers a segment which belongs to no connection (RFC 9293, section 3.10.7.1).
pub(super) fn reset_for(segment: &Segment<'_>) -> Segment<'static> {
    let has_ack = segment.flags.contains(Flags::ACK);
    let counted = [Flags::SYN, Flags::FIN].into_iter().filter(|flag| segment.flags.contains(*flag)).count();
    let len = (segment.payload.len() + counted) as u32;
    Segment {
        source_port: segment.destination_port,
        destination_port: segment.source_port,
        sequence: if has_ack { segment.acknowledgment } else { 0 },
        acknowledgment: if has_ack { 0 } else { segment.sequence.wrapping_add(len) },
        flags: if has_ack { Flags::RST } else { Flags::RST | Flags::ACK },
        window: 0,
        mss: None,
        payload: &[],
    }
}
