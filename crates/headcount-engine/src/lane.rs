//! The questions to one present host: its ports, one at a time, with the care that a small device needs.

use std::{net::Ipv4Addr, time::Duration};

use headcount_model::{Instant, MacAddr, Method, PortSet, PortState, Reason, Seen, Transport};
use headcount_sweep::{Permutation, Question, Sign};

use crate::{bits::Bits, rtt::Rtt};

/// The questions that every present host is asked, numbered: an echo request, two ports that no service uses, then
/// the ports of the plan in an order of each host's own.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    echo: bool,
    improbable: Vec<u16>,
    tcp: Vec<u16>,
    udp: Vec<u16>,
    /// How TCP is asked on this path.
    tcp_method: Method,
}

impl Questions {
    pub(crate) fn new(echo: bool, tcp: &PortSet, udp: &PortSet, kernel: bool, seed: u64) -> Self {
        let improbable = if tcp.is_empty() { Vec::new() } else { improbable_ports(tcp, seed) };
        let tcp_method = if kernel { Method::TcpConnect } else { Method::TcpSyn };
        Self { echo, improbable, tcp: tcp.as_slice().to_vec(), udp: udp.as_slice().to_vec(), tcp_method }
    }

    pub(crate) fn len(&self) -> u32 {
        self.before_ports() + self.ports()
    }

    fn before_ports(&self) -> u32 {
        u32::from(self.echo) + self.improbable.len() as u32
    }

    fn ports(&self) -> u32 {
        (self.tcp.len() + self.udp.len()) as u32
    }

    fn at(&self, place: u32, order: &Permutation) -> Question {
        if self.echo && place == 0 {
            return Question::ECHO;
        }
        let place = (place - u32::from(self.echo)) as usize;
        if let Some(port) = self.improbable.get(place) {
            return Question { method: self.tcp_method, port: *port };
        }
        let number = order.at((place - self.improbable.len()) as u64) as usize;
        match self.tcp.get(number) {
            Some(port) => Question { method: self.tcp_method, port: *port },
            None => Question::udp(self.udp[number - self.tcp.len()]),
        }
    }

    /// A number that belongs to the question, whatever the host's order.
    fn number(&self, question: Question) -> Option<u64> {
        let tcp = |port| self.tcp.binary_search(&port).ok();
        let place = match question.method {
            Method::IcmpEcho => return self.echo.then_some(0),
            Method::Udp => self.tcp.len() + self.udp.binary_search(&question.port).ok()?,
            Method::TcpSyn | Method::TcpConnect => match tcp(question.port) {
                Some(place) => place,
                None => {
                    let improbable = self.improbable.iter().position(|port| *port == question.port)?;
                    return Some(1 + improbable as u64);
                }
            },
            Method::Arp | Method::NeighbourTable | Method::Interface | Method::Dns | Method::Probe => {
                return None;
            }
        };
        Some(3 + place as u64)
    }

    fn is_improbable(&self, question: Question) -> bool {
        question.transport() == Some(Transport::Tcp) && self.improbable.contains(&question.port)
    }
}

/// Two ports between 40,000 and 60,000 that nobody asked for: whoever has both open has every port open.
fn improbable_ports(tcp: &PortSet, seed: u64) -> Vec<u16> {
    let order = Permutation::new(20_000, seed);
    (0..20_000).map(|i| 40_000 + order.at(i) as u16).filter(|port| !tcp.contains(*port)).take(2).collect()
}

/// What a lane wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    Ask(Question),
    Wait(Instant),
    Done,
}

/// What a lane has to say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    Seen(Method, Seen),
    /// It accepts connections on ports that no service uses.
    AcceptsEveryPort(Option<u8>),
    /// It answered before and answers no more; nothing more is sent.
    StoppedAnswering,
}

/// The limits of a lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Care {
    /// Questions in flight at once.
    pub(crate) at_once: usize,
    /// How often a silent question is asked at the most.
    pub(crate) tries: u32,
    /// The shortest time between two questions.
    pub(crate) interval: Duration,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    question: Question,
    sent: Instant,
    deadline: Instant,
}

/// Whether the host still answers what it answered before.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pulse {
    Fine,
    /// Too long silent: ask again what it answered before.
    Doubted {
        tries: u32,
    },
    Gone,
}

/// See the module's documentation.
pub(crate) struct Lane {
    /// Its place in the engine's queue of lanes.
    pub(crate) queued: Option<Instant>,
    pub(crate) segment: u16,
    pub(crate) next_hop: Option<MacAddr>,
    pub(crate) kernel: bool,
    order: Permutation,
    answered: Bits,
    round: u32,
    place: u32,
    silent: Vec<u32>,
    still_silent: Vec<u32>,
    in_flight: Vec<InFlight>,
    ready: Instant,
    slow_down: u32,
    /// It has shown that it is well while some of its ports stay silent: they are filtered, and it is not tired.
    filters: bool,
    rtt: Rtt,
    /// Questions without an answer: since the last answer, and in all.
    quiet: u32,
    silences: u32,
    doubt_after: u32,
    pulse: Pulse,
    proven: Option<Question>,
    answered_ports: u32,
    improbable_open: u32,
    batches: Vec<Batch>,
    open: Vec<Question>,
    said: Vec<Said>,
    done: bool,
}

/// Ports in one state, reported together.
#[derive(Clone, Debug)]
struct Batch {
    method: Method,
    transport: Transport,
    state: PortState,
    reason: Reason,
    ports: Vec<u16>,
}

impl Lane {
    /// Silent answers in a row after which a host that answered before is asked whether it still does.
    const DOUBT_AFTER: u32 = 12;
    /// How often it is asked that, each time after a longer pause.
    const PULSE_TRIES: u32 = 4;
    /// A device whose radio sleeps needs this long to wake.
    const PULSE_PATIENCE: Duration = Duration::from_millis(1_500);
    const LEAST_PATIENCE: Duration = Duration::from_millis(30);
    const PATIENCE_WITH_SILENCE: Duration = Duration::from_millis(200);
    /// A driver that never replies to a command must not hold a lane for ever.
    const KERNEL_REPLIES: Duration = Duration::from_secs(30);

    pub(crate) fn new(
        segment: u16,
        next_hop: Option<MacAddr>,
        kernel: bool,
        questions: &Questions,
        seed: u64,
        rtt: Option<Duration>,
    ) -> Self {
        let mut estimate = Rtt::default();
        if let Some(rtt) = rtt {
            estimate.sample(rtt);
        }
        Self {
            queued: None,
            segment,
            next_hop,
            kernel,
            order: Permutation::new(u64::from(questions.ports()), seed),
            answered: Bits::new(3 + u64::from(questions.ports())),
            round: 0,
            place: 0,
            silent: Vec::new(),
            still_silent: Vec::new(),
            in_flight: Vec::new(),
            ready: Instant::ZERO,
            slow_down: 1,
            filters: false,
            rtt: estimate,
            quiet: 0,
            silences: 0,
            doubt_after: Self::DOUBT_AFTER,
            pulse: Pulse::Fine,
            proven: None,
            answered_ports: 0,
            improbable_open: 0,
            batches: Vec::new(),
            open: Vec::new(),
            said: Vec::new(),
            done: questions.len() == 0,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// The host answered before and answers no more.
    pub(crate) fn stopped_answering(&self) -> bool {
        matches!(self.pulse, Pulse::Gone)
    }

    pub(crate) fn take_said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    /// Questions that are still to be asked in this round.
    pub(crate) fn left(&self, questions: &Questions) -> u64 {
        if self.done {
            return 0;
        }
        let round = if self.round == 0 { u64::from(questions.len()) } else { self.silent.len() as u64 };
        round.saturating_sub(u64::from(self.place)) + self.still_silent.len() as u64
    }

    /// What to do now.
    pub(crate) fn next(&mut self, now: Instant, questions: &Questions, care: Care) -> Next {
        self.expire(now, questions, care);
        if self.done {
            return Next::Done;
        }
        if self.in_flight.len() >= self.window(care) {
            return Next::Wait(self.next_deadline());
        }
        if self.ready > now {
            return Next::Wait(self.ready);
        }
        if let Pulse::Doubted { .. } = self.pulse {
            return match self.proven {
                Some(_) if !self.in_flight.is_empty() => Next::Wait(self.next_deadline()),
                Some(question) => Next::Ask(question),
                None => {
                    self.pulse = Pulse::Fine;
                    Next::Wait(now)
                }
            };
        }
        match self.current(questions, care) {
            Some(question) => Next::Ask(question),
            None if !self.in_flight.is_empty() => Next::Wait(self.next_deadline()),
            None => {
                self.finish(questions);
                Next::Done
            }
        }
    }

    /// The question that [`Lane::next`] gave has left.
    pub(crate) fn asked(&mut self, now: Instant, question: Question, care: Care) {
        // The kernel's path always replies, so its own time-out decides.
        let deadline = now + if self.kernel { Self::KERNEL_REPLIES } else { self.patience() };
        self.in_flight.push(InFlight { question, sent: now, deadline });
        self.ready = now + care.interval * self.slow_down;
        if self.pulse == Pulse::Fine {
            self.place += 1;
        }
    }

    /// The gate will never let the question through: it counts as not asked.
    pub(crate) fn skip(&mut self, question: Question, questions: &Questions) {
        self.place += 1;
        if let Some(number) = questions.number(question) {
            self.answered.insert(number);
        }
    }

    /// How long to wait for an answer; a later one still counts. The kernel's path needs longer, since it ends with
    /// the wait.
    pub(crate) fn patience(&self) -> Duration {
        if let Pulse::Doubted { .. } = self.pulse {
            return Self::PULSE_PATIENCE;
        }
        let usual = self.rtt.patience(Self::LEAST_PATIENCE);
        let (factor, most) =
            if self.kernel { (4, Duration::from_millis(1_300)) } else { (1, Duration::from_secs(1)) };
        // Whoever has answered nothing yet is not slow: it drops what it is sent.
        let most = if self.drops_all() { Self::PATIENCE_WITH_SILENCE } else { most };
        (usual * factor).min(most)
    }

    /// The host, or somebody in its place, answered.
    pub(crate) fn answer(
        &mut self,
        now: Instant,
        questions: &Questions,
        question: Question,
        sign: Sign,
        ttl: Option<u8>,
        rtt: Option<Duration>,
    ) {
        let Some(number) = questions.number(question) else { return };
        let flight = self.in_flight.iter().position(|flight| flight.question == question);
        let rtt = rtt.or_else(|| flight.map(|at| now.since(self.in_flight[at].sent)));
        if let Some(at) = flight {
            self.in_flight.swap_remove(at);
            self.rtt.sample(rtt.unwrap_or_default());
        }
        self.revive();
        if !self.answered.insert(number) {
            return;
        }
        match sign {
            Sign::Port(PortState::Open, reason) => self.is_open(questions, question, reason, ttl, rtt),
            Sign::Port(state, reason) => {
                self.prove(question);
                self.batch(questions, question, state, reason);
            }
            Sign::Unreachable(_, reason) => self.batch(questions, question, PortState::Filtered, reason),
            Sign::Present(reason) => {
                self.proven = Some(question);
                let rtt_us = micros(rtt);
                self.said.push(Said::Seen(question.method, Seen::Present { reason, mac: None, ttl, rtt_us }));
            }
        }
    }

    /// The question could not be asked by this machine; it is asked again later.
    pub(crate) fn not_sent(&mut self, now: Instant, question: Question) {
        self.in_flight.retain(|flight| flight.question != question);
        self.ready = now + Duration::from_millis(200);
        self.place = self.place.saturating_sub(u32::from(self.pulse == Pulse::Fine));
    }

    /// What the log of an earlier process knows.
    pub(crate) fn recall(&mut self, questions: &Questions, transport: Transport, port: u16, open: bool) {
        let question = match transport {
            Transport::Tcp => Question { method: questions.tcp_method, port },
            Transport::Udp => Question::udp(port),
        };
        if let Some(number) = questions.number(question) {
            self.answered.insert(number);
            if open {
                self.open.push(question);
            }
        }
    }

    /// The log of an earlier process says that nothing is left to ask.
    pub(crate) fn recall_done(&mut self) {
        self.done = true;
    }

    /// Nothing more is asked: says what is known so far.
    pub(crate) fn flush(&mut self) {
        for batch in std::mem::take(&mut self.batches) {
            let Batch { method, transport, state, reason, ports } = batch;
            let ports: PortSet = ports.into_iter().collect();
            self.said.push(Said::Seen(method, Seen::Ports { transport, ports, state, reason }));
        }
    }

    fn is_open(
        &mut self,
        questions: &Questions,
        question: Question,
        reason: Reason,
        ttl: Option<u8>,
        rtt: Option<Duration>,
    ) {
        self.answered_ports += 1;
        if self.proven.is_none() {
            self.proven = Some(question);
        }
        if questions.is_improbable(question) {
            self.improbable_open += 1;
            if self.improbable_open >= 2 {
                self.said.push(Said::AcceptsEveryPort(ttl));
                self.finish_early();
            }
            return;
        }
        let Some(transport) = question.transport() else { return };
        self.open.push(question);
        let seen = Seen::Port {
            transport,
            port: question.port,
            state: PortState::Open,
            reason,
            ttl,
            rtt_us: micros(rtt),
        };
        self.said.push(Said::Seen(question.method, seen));
    }

    /// A refusal is the best proof of life: it costs the host the least.
    fn prove(&mut self, question: Question) {
        self.answered_ports += u32::from(question.transport() == Some(Transport::Tcp));
        if self.proven != Some(Question::ECHO) {
            self.proven = Some(question);
        }
    }

    fn batch(&mut self, questions: &Questions, question: Question, state: PortState, reason: Reason) {
        let Some(transport) = question.transport() else { return };
        if questions.is_improbable(question) {
            return;
        }
        let same = |batch: &&mut Batch| {
            batch.transport == transport && batch.state == state && batch.reason == reason
        };
        match self.batches.iter_mut().find(same) {
            Some(batch) => batch.ports.push(question.port),
            None => self.batches.push(Batch {
                method: question.method,
                transport,
                state,
                reason,
                ports: vec![question.port],
            }),
        }
        if self.done {
            self.flush();
        }
    }

    /// One at a time, unless the host drops everything and so keeps nothing of what it is sent.
    fn window(&self, care: Care) -> usize {
        if self.drops_all() { care.at_once.max(4) } else { care.at_once }
    }

    fn drops_all(&self) -> bool {
        self.answered_ports == 0 && self.silences >= 8
    }

    fn next_deadline(&self) -> Instant {
        self.in_flight.iter().map(|flight| flight.deadline).min().unwrap_or(Instant::FAR)
    }

    fn expire(&mut self, now: Instant, questions: &Questions, care: Care) {
        while let Some(at) = self.in_flight.iter().position(|flight| flight.deadline <= now) {
            let flight = self.in_flight.swap_remove(at);
            self.was_silent(now, flight.question, questions, care);
        }
    }

    /// A question got no answer in time; a late one still counts.
    pub(crate) fn was_silent(&mut self, now: Instant, question: Question, questions: &Questions, care: Care) {
        self.in_flight.retain(|flight| flight.question != question);
        if self.done {
            return;
        }
        if let Pulse::Doubted { tries } = self.pulse {
            self.no_pulse(now, tries + 1);
            return;
        }
        if let Some(place) = self.place_of(question, questions) {
            self.still_silent.push(place);
        }
        self.quiet += 1;
        self.silences += 1;
        if self.answered_ports > 0 && self.quiet > 1 && !self.filters {
            // It answered before: perhaps it is slow to answer now.
            self.slow_down = (self.slow_down * 2).min(4);
            self.ready = self.ready.max(now + care.interval);
        }
        if self.quiet >= self.doubt_after && self.proven.is_some() {
            self.pulse = Pulse::Doubted { tries: 0 };
        }
    }

    fn no_pulse(&mut self, now: Instant, tries: u32) {
        if tries >= Self::PULSE_TRIES {
            self.pulse = Pulse::Gone;
            self.said.push(Said::StoppedAnswering);
            self.finish_early();
        } else {
            self.pulse = Pulse::Doubted { tries };
            self.ready = now + Duration::from_millis(500) * (1 << tries);
        }
    }

    fn revive(&mut self) {
        if let Pulse::Doubted { .. } = self.pulse {
            self.pulse = Pulse::Fine;
            self.doubt_after = self.doubt_after.saturating_mul(2);
            self.filters = true;
            self.slow_down = 1;
        }
        self.quiet = 0;
        self.slow_down = (self.slow_down / 2).max(1);
    }

    fn place_of(&self, question: Question, questions: &Questions) -> Option<u32> {
        // Only the last few places can be in flight, so the search is short.
        let from = self.place.saturating_sub(16);
        (from..self.place).rev().find_map(|place| {
            let place = if self.round == 0 { place } else { *self.silent.get(place as usize)? };
            (questions.at(place, &self.order) == question).then_some(place)
        })
    }

    /// The next question of this round, or of a further one.
    fn current(&mut self, questions: &Questions, care: Care) -> Option<Question> {
        loop {
            let place = if self.round == 0 {
                (self.place < questions.len()).then_some(self.place)
            } else {
                self.silent.get(self.place as usize).copied()
            };
            match place {
                Some(place) => {
                    let question = questions.at(place, &self.order);
                    if questions.number(question).is_none_or(|number| !self.answered.contains(number)) {
                        return Some(question);
                    }
                    self.place += 1;
                }
                None if !self.in_flight.is_empty() => return None,
                None if self.still_silent.is_empty() || self.round + 1 >= care.tries => return None,
                None => {
                    self.round += 1;
                    self.place = 0;
                    self.silent = std::mem::take(&mut self.still_silent);
                }
            }
        }
    }

    fn finish(&mut self, questions: &Questions) {
        for place in std::mem::take(&mut self.still_silent) {
            let question = questions.at(place, &self.order);
            if questions.number(question).is_some_and(|number| !self.answered.contains(number)) {
                self.batch(questions, question, PortState::Filtered, Reason::NoAnswer);
            }
        }
        self.finish_early();
    }

    fn finish_early(&mut self) {
        if self.done {
            return;
        }
        self.done = true;
        self.flush();
        let method = if self.kernel { Method::TcpConnect } else { Method::TcpSyn };
        self.said.push(Said::Seen(method, Seen::PortsDone));
        (self.silent, self.still_silent, self.in_flight) = (Vec::new(), Vec::new(), Vec::new());
    }
}

pub(crate) fn micros(rtt: Option<Duration>) -> Option<u32> {
    rtt.map(|rtt| u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX))
}

/// A seed of each host's own, so that hosts are asked their ports in different orders.
pub(crate) fn seed_of(host: Ipv4Addr, seed: u64) -> u64 {
    seed ^ u64::from(u32::from(host)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
