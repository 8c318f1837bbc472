//! Interviews and the gate: which conversation of which host goes on next.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use headcount_model::{Instant, Method, PhantomKind, PortState, Reason, Seen, SegmentKind, Transport};
use headcount_probe::{self as probe, Carrier, Context, Exchange, Failure, Safety, Said, TlsFacts};
use headcount_sweep::Question;
use ipnetwork::Ipv4Network;

use crate::{
    Command, CommandId, Engine, Event,
    engine::State,
    gate::{Intent, Verdict},
    interview::{Heard, Interview, News, Next},
};

/// How long a connection to a port that was open a moment ago may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long answers to a multicast question are gathered.
const GATHER: Duration = Duration::from_secs(4);
/// Packets that the kernel sends for a connection beside its SYN: the ACK that opens it, and FIN and ACK that end it.
const OPENING: u32 = 1;
const CLOSING: u32 = 2;
/// A TLS handshake: the client's two messages and the acknowledgment of the server's.
const HANDSHAKE: u32 = 3;
/// Follow-ups of one host that wait for its interview.
const MOST_WAITING: usize = 8;
/// Bytes of a full segment on Ethernet.
const SEGMENT: usize = 1460;

/// What happens on a conversation's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The connection stands; with TLS, what the handshake told.
    Opened(Option<TlsFacts>),
    /// The peer sent bytes of the stream, or a datagram. From a group's member: its address.
    Received(Option<Ipv4Addr>, Vec<u8>),
    /// The peer closed or reset, or refused the datagram; the gathering is over. The last of its id.
    Closed,
    /// It never stood. The last of its id.
    Failed(Failure),
}

/// All interviews of a run.
#[derive(Debug, Default)]
pub(crate) struct Talks {
    pub(crate) interviews: BTreeMap<Ipv4Addr, Interview>,
    /// Interviews by when they want to be looked at.
    queue: BTreeSet<(Instant, Ipv4Addr)>,
    /// Interviews with something left, or whose end has not been said.
    open: BTreeSet<Ipv4Addr>,
    /// What the port questions found.
    hosts: BTreeMap<Ipv4Addr, probe::Host>,
    /// Ports that were said to be open.
    open_ports: BTreeSet<(Ipv4Addr, Transport, u16)>,
    /// Whose conversation a command is.
    by_id: BTreeMap<CommandId, Ipv4Addr>,
    /// Multicast questions that are still to be asked.
    calls: Vec<Call>,
    /// When the next may be asked.
    call_at: Instant,
    /// Those under way.
    gathers: BTreeMap<CommandId, Call>,
    closing: Vec<Command>,
    /// What answers to multicast questions call for, of hosts whose interview has not begun.
    follows: BTreeMap<Ipv4Addr, Vec<probe::Follow>>,
}

/// A question to everybody on a segment.
#[derive(Clone, Copy, Debug)]
struct Call {
    segment: u16,
    network: Ipv4Network,
    source: Ipv4Addr,
    probe: &'static probe::Probe,
    group: probe::Group,
}

impl Call {
    /// The question to one who answers.
    fn question(&self) -> probe::Question {
        probe::Question::datagram(self.probe.name, self.group.at.port())
    }
}

impl Talks {
    pub(crate) fn wake(&self) -> Instant {
        let call = if self.calls.is_empty() { Instant::FAR } else { self.call_at };
        self.queue.first().map_or(call, |(at, _)| call.min(*at))
    }

    pub(crate) fn is_done(&self) -> bool {
        self.open.is_empty() && self.calls.is_empty() && self.gathers.is_empty()
    }

    pub(crate) fn left(&self) -> u64 {
        self.interviews.values().map(Interview::left).sum::<u64>() + self.calls.len() as u64
    }

    /// Remembers what was seen of a host's ports.
    pub(crate) fn note(&mut self, host: Ipv4Addr, seen: &Seen) {
        match seen {
            Seen::Port { transport, port, state, .. } => {
                if *state == PortState::Open {
                    self.open_ports.insert((host, *transport, *port));
                }
                let known = self.hosts.entry(host).or_default();
                match (transport, state) {
                    (Transport::Tcp, PortState::Open) => known.tcp.insert(*port),
                    (Transport::Udp, PortState::Open) => known.udp.insert(*port),
                    (Transport::Udp, PortState::Closed) => known.udp_closed.insert(*port),
                    _ => false,
                };
            }
            Seen::Ports { transport: Transport::Udp, ports, state: PortState::Closed, .. } => {
                self.hosts.entry(host).or_default().udp_closed.extend(ports.as_slice());
            }
            Seen::Phantom { what: PhantomKind::AcceptsEveryPort, .. } => {
                self.hosts.entry(host).or_default().accepts_every_port = true;
            }
            _ => {}
        }
    }

    fn queue(&mut self, host: Ipv4Addr, at: Instant) {
        let Some(interview) = self.interviews.get_mut(&host) else { return };
        if let Some(before) = interview.queued.replace(at) {
            self.queue.remove(&(before, host));
        }
        self.queue.insert((at, host));
    }

    /// The interview of `host` has something to ask, perhaps again.
    fn open(&mut self, host: Ipv4Addr, now: Instant) {
        self.open.insert(host);
        self.queue(host, now);
    }

    /// It has nothing left.
    fn close(&mut self, host: Ipv4Addr) {
        self.open.remove(&host);
        if let Some(at) = self.interviews.get_mut(&host).and_then(|interview| interview.queued.take()) {
            self.queue.remove(&(at, host));
        }
    }
}

impl Engine {
    /// Something happened on the connection of the conversation `id`.
    pub fn handle_told(&mut self, now: Instant, id: CommandId, told: Told) {
        if self.state != State::Running {
            return;
        }
        if let Some(call) = self.talks.gathers.get(&id).copied() {
            match told {
                Told::Received(Some(from), bytes) => self.called_back(now, call, from, &bytes),
                Told::Closed | Told::Failed(_) => {
                    self.talks.gathers.remove(&id);
                    self.finish_if_done();
                }
                Told::Opened(_) | Told::Received(None, _) => {}
            }
            return;
        }
        let Some(host) = self.talks.by_id.get(&id).copied() else { return };
        let Some(interview) = self.talks.interviews.get_mut(&host) else { return };
        let mut news = News::default();
        match told {
            Told::Opened(tls) => {
                interview.opened(now, id, tls.as_ref(), &mut news);
            }
            Told::Received(_, bytes) => {
                self.counters.received += 1;
                // The kernel acknowledges what comes: every second segment, and the last.
                let acknowledgments = 1 + (bytes.len() / SEGMENT / 2) as u32;
                self.gate.follow_up(now, host, acknowledgments * u32::from(interview.is_stream(id)));
                interview.received(now, id, &bytes, &mut news);
            }
            Told::Closed => {
                self.talks.by_id.remove(&id);
                interview.closed(id, &mut news);
            }
            Told::Failed(failure) => {
                self.counters.delayed += u64::from(failure == Failure::NotSent);
                self.talks.by_id.remove(&id);
                interview.failed(id, failure);
            }
        }
        self.tell(now, host, news);
        self.talks.queue(host, now);
    }

    /// The ports of `host` have been asked: now it is asked about itself.
    pub(crate) fn begin_interview(&mut self, now: Instant, segment: u16, host: Ipv4Addr) {
        if !self.plan.probing.enabled || self.talks.interviews.contains_key(&host) {
            return;
        }
        let known = self.talks.hosts.remove(&host).unwrap_or_default();
        let probing = &self.plan.probing;
        let questions = probe::questions(&known, probing.careful, probing.community.is_some());
        let mut interview = Interview::new(segment, questions, known.tcp.len(), probing.careful, now);
        let follows = self.talks.follows.remove(&host).unwrap_or_default();
        follows.into_iter().for_each(|follow| interview.follow(follow));
        let open = !interview.is_done();
        self.talks.interviews.insert(host, interview);
        if open {
            self.talks.open(host, now);
        }
    }

    /// Multicast questions, one for each probe that has one and each attached segment.
    pub(crate) fn plan_calls(&mut self) {
        let probing = &self.plan.probing;
        if !probing.enabled {
            return;
        }
        let attached = self.plan.segments.iter().filter(|segment| segment.kind == SegmentKind::Attached);
        let mut calls = Vec::new();
        for segment in attached {
            let (Some(network), Some(source)) = (segment.network, segment.source) else { continue };
            for probe in probe::ALL {
                let allowed = probing.careful || probe.safety == Safety::Safe;
                if let Some(group) = probe.multicast.filter(|_| allowed && probe.carrier == Carrier::Datagram)
                {
                    calls.push(Call { segment: segment.id, network, source, probe, group });
                }
            }
        }
        self.talks.calls = calls;
    }

    /// The next command of a conversation.
    pub(crate) fn pull_talk(&mut self, now: Instant) -> Option<Command> {
        if let Some(command) = self.talks.closing.pop() {
            return Some(command);
        }
        if self.state != State::Running {
            return None;
        }
        if let Some(command) = self.next_call(now) {
            return Some(command);
        }
        while let Some((at, host)) = self.talks.queue.first().copied() {
            if at > now {
                return None;
            }
            if let Some(command) = self.step_interview(now, host) {
                return Some(command);
            }
        }
        None
    }

    fn step_interview(&mut self, now: Instant, host: Ipv4Addr) -> Option<Command> {
        let Some(interview) = self.talks.interviews.get_mut(&host) else {
            self.talks.queue.pop_first();
            return None;
        };
        let mut news = News::default();
        let (next, segment) = (interview.next(now, &mut news), interview.segment);
        if interview.take_spent() {
            self.events.push_back(Event::Warning(format!(
                "{host} has been asked as much as one host may be: the rest of its questions was left out"
            )));
        }
        self.tell(now, host, news);
        match next {
            Next::Wait(at) => {
                self.talks.queue(host, at.max(now + Duration::from_nanos(1)));
                None
            }
            Next::Done => {
                self.talks.close(host);
                self.observe(now, segment, host, Method::Probe, Seen::ProbesDone);
                self.finish_if_done();
                None
            }
            Next::HangUp(id) => {
                self.talks.by_id.remove(&id);
                Some(Command::HangUp { id })
            }
            Next::Send(id) => self.send(now, segment, host, id),
            Next::Begin(question) => self.converse(now, segment, host, question),
        }
    }

    /// Leave to send one packet to a port of a host, or when to ask again.
    fn may_talk(&mut self, now: Instant, segment: u16, host: Ipv4Addr, port: u16) -> Option<bool> {
        let question = Question { method: Method::Probe, port };
        match self.gate.admit(now, Intent { segment, target: host, question, broadcast: false }) {
            Verdict::Go(_) => Some(true),
            Verdict::HostBusy(at) | Verdict::Busy(at) => {
                self.talks.queue(host, at);
                Some(false)
            }
            Verdict::Never => None,
        }
    }

    fn send(&mut self, now: Instant, segment: u16, host: Ipv4Addr, id: CommandId) -> Option<Command> {
        let port = self.talks.interviews.get(&host)?.port(id)?;
        match self.may_talk(now, segment, host, port) {
            Some(true) => {}
            Some(false) => return None,
            None => {
                self.talks.by_id.remove(&id);
                self.talks.interviews.get_mut(&host)?.closed(id, &mut News::default());
                return Some(Command::HangUp { id });
            }
        }
        self.counters.sent += 1;
        let bytes = self.talks.interviews.get_mut(&host)?.message(now, id)?;
        // What does not fit one segment.
        self.gate.follow_up(now, host, (bytes.len() / SEGMENT) as u32);
        Some(Command::Send { id, bytes })
    }

    fn converse(
        &mut self,
        now: Instant,
        segment: u16,
        host: Ipv4Addr,
        question: probe::Question,
    ) -> Option<Command> {
        if self.talks.by_id.len() >= self.plan.limits.in_flight as usize {
            // A conversation that ends makes room; look again soon.
            self.talks.queue(host, now + Duration::from_millis(20));
            return None;
        }
        let stream = question.transport == Transport::Tcp;
        // A datagram socket costs no packet by itself.
        let leave = if stream { self.may_talk(now, segment, host, question.port) } else { Some(true) };
        match leave {
            Some(true) => {}
            Some(false) => return None,
            None => {
                self.talks.interviews.get_mut(&host)?.skip(&question);
                return None;
            }
        }
        let id = self.next_id();
        self.counters.sent += u64::from(stream);
        if stream {
            // Counted before they leave, so that no second sees more than its share.
            self.gate.follow_up(now, host, OPENING + CLOSING + HANDSHAKE * u32::from(question.tls));
        }
        let context = self.context(host, &question);
        let (to, tls) = (SocketAddrV4::new(host, question.port), question.tls);
        self.talks.by_id.insert(id, host);
        self.talks.interviews.get_mut(&host)?.begun(now, id, question, context);
        self.talks.queue(host, now);
        let carrier = if stream { Carrier::Stream } else { Carrier::Datagram };
        Some(Command::Converse { id, to, carrier, tls, timeout: PATIENCE })
    }

    fn next_id(&mut self) -> CommandId {
        let id = CommandId(self.next_command);
        self.next_command += 1;
        id
    }

    fn context(&self, host: Ipv4Addr, question: &probe::Question) -> Context {
        let salt =
            question.probe.bytes().fold(0u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let part = |i: u16| {
            let port = question.port.wrapping_add(salt).wrapping_add(i);
            self.key.cookie(Method::Probe, host, port).identification().to_be_bytes()
        };
        let mut random = [0; 32];
        for (i, pair) in (0u16..).zip(random.as_chunks_mut::<2>().0) {
            *pair = part(i);
        }
        Context {
            host,
            port: question.port,
            tls: question.tls,
            path: question.path.clone(),
            community: self.plan.probing.community.clone(),
            random,
        }
    }

    fn tell(&mut self, now: Instant, host: Ipv4Addr, news: News) {
        let Some(segment) = self.talks.interviews.get(&host).map(|interview| interview.segment) else {
            return;
        };
        if let Some(question) = news.spoke {
            self.speaks(now, segment, host, &question);
        }
        for Heard { question, said, first_page } in news.said {
            if first_page {
                self.ask_pages(host, &question, &said);
            }
            self.said(now, segment, host, &question, said);
        }
    }

    /// Asks for the pages that a statement calls for. What such a page says calls for none.
    fn ask_pages(&mut self, host: Ipv4Addr, place: &probe::Question, said: &Said) {
        let paths = self.pages.of(said.field, &said.value.0);
        if let Some(interview) = self.talks.interviews.get_mut(&host) {
            paths.into_iter().for_each(|path| interview.ask_page(place, path));
        }
    }

    fn said(&mut self, now: Instant, segment: u16, host: Ipv4Addr, question: &probe::Question, said: Said) {
        let probe::Question { probe, transport, port, .. } = *question;
        let (field, value) = (said.field.to_owned(), said.value);
        let seen = Seen::Said { transport, port, probe: probe.to_owned(), field, value };
        self.observe(now, segment, host, Method::Probe, seen);
    }

    /// A port that was not known to be open spoke: one that no sweep asked, or that was silent then.
    fn speaks(&mut self, now: Instant, segment: u16, host: Ipv4Addr, question: &probe::Question) {
        let (transport, port) = (question.transport, question.port);
        if self.talks.open_ports.contains(&(host, transport, port)) {
            return;
        }
        let reason = if transport == Transport::Tcp { Reason::SynAck } else { Reason::UdpReply };
        let state = PortState::Open;
        let seen = Seen::Port { transport, port, state, reason, ttl: None, rtt_us: None };
        self.observe(now, segment, host, Method::Probe, seen);
    }

    fn next_call(&mut self, now: Instant) -> Option<Command> {
        let call = *self.talks.calls.last()?;
        match self.gate.admit_group(now, call.segment, call.network, call.group.at.port()) {
            Ok(()) => {}
            Err(Instant::FAR) => {
                self.talks.calls.pop();
                return None;
            }
            Err(at) => {
                self.talks.call_at = at;
                return None;
            }
        }
        self.talks.calls.pop();
        let context = self.context(*call.group.at.ip(), &call.question());
        let payload = Exchange::begin(call.probe, context, now).take_sends().into_iter().next()?;
        let id = self.next_id();
        self.counters.sent += 1;
        self.talks.gathers.insert(id, call);
        let interface = self.plan.segments.get(usize::from(call.segment))?.interface.clone();
        let (to, join) = (call.group.at, call.group.hears_answers);
        Some(Command::Gather { id, interface, source: call.source, to, join, payload, window: GATHER })
    }

    /// A host answered a question that was put to everybody.
    fn called_back(&mut self, now: Instant, call: Call, from: Ipv4Addr, bytes: &[u8]) {
        let ours = self.plan.scope.contains(from)
            && self.plan.segments.get(usize::from(call.segment)).is_some_and(|s| s.addresses.contains(from));
        if !ours {
            self.counters.foreign += 1;
            return;
        }
        self.counters.received += 1;
        let question = call.question();
        let mut exchange = Exchange::begin(call.probe, self.context(from, &question), now);
        exchange.take_sends();
        exchange.received(now, bytes);
        let probe::Heard { said, follows } = exchange.heard();
        self.follow_call(now, from, follows);
        if said.is_empty() {
            return;
        }
        self.speaks(now, call.segment, from, &question);
        for said in said {
            self.said(now, call.segment, from, &question, said);
        }
    }

    /// What the answer to everybody's question calls for is asked of the host itself, when its turn comes.
    fn follow_call(&mut self, now: Instant, host: Ipv4Addr, follows: Vec<probe::Follow>) {
        if follows.is_empty() {
            return;
        }
        match self.talks.interviews.get_mut(&host) {
            Some(interview) => {
                follows.into_iter().for_each(|follow| interview.follow(follow));
                if !interview.is_done() {
                    self.talks.open(host, now);
                }
            }
            None => {
                let waiting = self.talks.follows.entry(host).or_default();
                waiting.extend(follows.into_iter().take(MOST_WAITING.saturating_sub(waiting.len())));
            }
        }
    }

    /// The run ends: whoever is spoken with is hung up on.
    pub(crate) fn hang_up_all(&mut self) {
        self.talks.closing = self.talks.by_id.keys().map(|id| Command::HangUp { id: *id }).collect();
        self.talks.by_id.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interview_that_is_opened_twice_is_over_when_it_is_closed() {
        let (host, now) = (Ipv4Addr::new(10, 0, 0, 2), Instant::ZERO);
        let mut talks = Talks::default();
        talks.interviews.insert(host, Interview::new(0, Vec::new(), 0, false, now));
        // An answer to everybody's question comes after the last conversation and before the end has been said.
        talks.open(host, now);
        talks.open(host, now + Duration::from_millis(1));
        assert!(!talks.is_done());
        talks.close(host);
        assert!(talks.is_done() && talks.wake() == Instant::FAR);
    }
}
