//! The TCP connections of one persona: a server side that accepts, acknowledges and closes, and says nothing.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use headcount_model::Instant;
use headcount_wire::tcp::{Flags, Segment};

use super::way::Way;

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

#[derive(Clone, Copy, Debug)]
struct Connection {
    way: Way,
    state: State,
    /// Our initial sequence number; our FIN comes right after it, since we send no data.
    first: u32,
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
        let connection = Connection { way, state: State::HalfOpen, first, next, sent: now, repeats: 0 };
        self.0.insert(ends, connection);
        Opened::Accepted(connection.syn_ack(ends))
    }

    /// Any segment but a SYN. Returns whether it belongs to a connection, and what is answered.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        way: &Way,
        segment: &Segment<'_>,
    ) -> (bool, Option<Segment<'static>>) {
        let ends = ends(way, segment);
        let Some(connection) = self.0.get_mut(&ends) else {
            return (false, None);
        };
        if segment.flags.contains(Flags::RST) {
            // RFC 9293, section 3.10.7: only a reset at the expected place counts.
            if segment.sequence == connection.next {
                self.0.remove(&ends);
            }
            return (true, None);
        }
        if !segment.flags.contains(Flags::ACK) {
            return (true, None);
        }
        let acknowledged = segment.acknowledgment.wrapping_sub(connection.first);
        match connection.state {
            State::HalfOpen if acknowledged == 1 => connection.state = State::Established,
            State::HalfOpen => return (true, Some(reset_for(segment))),
            State::Closing if acknowledged == 2 => {
                self.0.remove(&ends);
                return (true, None);
            }
            State::Established | State::Closing => {}
        }
        (true, connection.take_data(now, ends, segment))
    }

    /// A connection whose SYN/ACK or FIN may be due again: what is sent, and when to look again. `None` for both
    /// when there is nothing left to wait for.
    pub(super) fn repeat(
        &mut self,
        now: Instant,
        ends: Ends,
    ) -> (Option<(Way, Segment<'static>)>, Option<Instant>) {
        let Some(connection) = self.0.get_mut(&ends) else {
            return (None, None);
        };
        if connection.state == State::Established {
            return (None, None);
        }
        let next = connection.next_repeat();
        if now < next {
            return (None, Some(next));
        }
        if connection.repeats == REPEATS.len() {
            self.0.remove(&ends);
            return (None, None);
        }
        connection.repeats += 1;
        let segment = match connection.state {
            State::HalfOpen => connection.syn_ack(ends),
            State::Established | State::Closing => connection.fin(ends),
        };
        (Some((connection.way, segment)), Some(connection.next_repeat()))
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
            sequence: self.first.wrapping_add(1),
            acknowledgment: self.next,
            flags,
            window: WINDOW,
            mss: None,
            payload: &[],
        }
    }

    /// Data and FIN of an open connection: both are acknowledged, a FIN with our own.
    fn take_data(&mut self, now: Instant, ends: Ends, segment: &Segment<'_>) -> Option<Segment<'static>> {
        let fin = segment.flags.contains(Flags::FIN);
        if segment.payload.is_empty() && !fin {
            return None;
        }
        if segment.sequence != self.next {
            return Some(self.ack(ends, Flags::ACK));
        }
        self.next = self.next.wrapping_add(segment.payload.len() as u32).wrapping_add(u32::from(fin));
        if !fin {
            return Some(self.ack(ends, Flags::ACK));
        }
        self.state = State::Closing;
        (self.sent, self.repeats) = (now, 0);
        Some(self.fin(ends))
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
