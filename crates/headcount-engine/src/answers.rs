//! What comes in: frames and replies, and what they mean.

use std::net::Ipv4Addr;

use headcount_model::{Instant, MacAddr, Method, NameSource, PortState, Reason, Seen};
use headcount_sweep::{Answer, Question, Sign, classify};
use headcount_wire::frame;

use crate::{
    CommandId, Engine, LinkId, Path, Reply,
    engine::{Pending, Purpose, State},
    lane::micros,
    sweep::{self, Sweep, Task, Via},
    tally::Signature,
};

/// A SYN was accepted; the kernel, which knows of no such connection, resets it.
const ACCEPTED: Sign = Sign::Port(PortState::Open, Reason::SynAck);
const KERNEL_RST: u32 = 1;
/// A connection by the kernel costs the host up to three packets beside its SYN, however it is closed.
const KERNEL_CLOSE: u32 = 3;

/// Link-layer addresses kept for one IP address; more would only be noise.
const MACS: usize = 8;
/// Names kept for one address, and the length of each: what a hostile server may make us store.
const NAMES: usize = 16;
const NAME_LEN: usize = 255;

impl Engine {
    /// A frame came in on `link`.
    pub fn handle_frame(&mut self, now: Instant, link: LinkId, bytes: &[u8]) {
        if self.state != State::Running {
            return;
        }
        let Ok(frame) = frame::parse(bytes) else {
            self.counters.malformed += 1;
            return;
        };
        let answer = classify(&frame, self.key, &self.plan.source_ports);
        let understood = answer.is_some_and(|answer| self.answered(now, link, &answer));
        if understood {
            self.counters.received += 1;
        } else {
            self.counters.foreign += 1;
        }
    }

    /// The command `id` has ended.
    pub fn handle_reply(&mut self, now: Instant, id: CommandId, reply: Reply) {
        let Some(pending) = self.pending.remove(&id) else { return };
        if reply == Reply::Connected {
            self.gate.follow_up(now, pending.target, KERNEL_CLOSE);
        }
        match pending.purpose {
            Purpose::Neighbours => {
                self.reads_out = self.reads_out.saturating_sub(1);
                if let Reply::Neighbours(entries) = reply {
                    self.neighbours(now, pending.segment, &entries);
                }
            }
            Purpose::Name => {
                self.names_out = self.names_out.saturating_sub(1);
                if let Reply::Names(names) = reply {
                    self.named(now, &pending, names);
                }
            }
            Purpose::Sweep(number, question) => self.sweep_reply(now, number, question, &pending, &reply),
            Purpose::Lane(question) => self.lane_reply(now, question, &pending, &reply),
        }
        self.finish_if_done();
    }

    /// Whether the answer belongs to a question of this run.
    fn answered(&mut self, now: Instant, link: LinkId, answer: &Answer) -> bool {
        if answer.question == Question::ARP {
            return self.arp_answered(now, link, answer);
        }
        if !self.plan.scope.contains(answer.target) {
            return false;
        }
        if answer.sign == ACCEPTED {
            self.gate.follow_up(now, answer.target, KERNEL_RST);
        }
        let swept = self.sweeps_answered(now, link, answer);
        let asked = self.lane_answered(now, answer);
        swept || asked
    }

    fn is_on(&self, number: usize, link: LinkId) -> bool {
        let segment = self.plan.segments.get(usize::from(self.sweeps[number].task().segment));
        segment.is_some_and(|segment| matches!(segment.path, Path::Frames { link: own, .. } if own == link))
    }

    fn arp_answered(&mut self, now: Instant, link: LinkId, answer: &Answer) -> bool {
        let mut understood = false;
        for number in 0..self.sweeps.len() {
            if !self.is_on(number, link) {
                continue;
            }
            match self.sweeps[number].task().via {
                Via::Router(router) if router == answer.target => {
                    self.sweeps[number].router_found(router, answer.mac);
                    let segment = self.sweeps[number].task().segment;
                    for lane in self.lanes.values_mut().filter(|lane| lane.segment == segment) {
                        lane.next_hop = lane.next_hop.or(Some(answer.mac));
                    }
                    understood = true;
                }
                Via::Broadcast if self.sweeps[number].task().addresses.contains(answer.target) => {
                    self.host_by_link(now, number, answer.target, answer.mac, Reason::ArpReply);
                    understood = true;
                }
                Via::Router(_) | Via::Broadcast | Via::Mac(_) | Via::Kernel => {}
            }
        }
        understood
    }

    /// A host's link-layer address is known: by ARP, or from the kernel's neighbour table.
    fn host_by_link(&mut self, now: Instant, number: usize, host: Ipv4Addr, mac: MacAddr, reason: Reason) {
        let (question, method) = match reason {
            Reason::ArpReply => (Question::ARP, Method::Arp),
            _ => (crate::engine::CONTACT, Method::NeighbourTable),
        };
        let sign = self.sweeps[number].sign(now, host, question, mac, reason, None);
        let segment = self.sweeps[number].task().segment;
        let macs = self.macs.entry(host).or_default();
        if !macs.contains(&mac) && macs.len() < MACS {
            macs.push(mac);
            let rtt_us = micros(sign.and_then(|sign| sign.rtt));
            let seen = Seen::Present { reason, mac: Some(mac), ttl: None, rtt_us };
            self.observe(now, segment, host, method, seen);
        }
        self.drain_sweep(now, number);
    }

    /// An answer from beyond the link, to the sweeps that asked for it.
    fn sweeps_answered(&mut self, now: Instant, link: LinkId, answer: &Answer) -> bool {
        let mut understood = false;
        for number in 0..self.sweeps.len() {
            let task = self.sweeps[number].task();
            let asked = task.questions.contains(&answer.question) && task.addresses.contains(answer.target);
            if !asked || !self.is_on(number, link) {
                continue;
            }
            understood = true;
            let sent = answer.sent.filter(|sent| *sent <= now).map(|sent| now.since(sent));
            self.host_by_network(
                now,
                number,
                answer.target,
                answer.question,
                answer.mac,
                answer.sign,
                answer.ttl,
                sent,
            );
        }
        understood
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one answer, taken apart by two callers that hold it differently"
    )]
    fn host_by_network(
        &mut self,
        now: Instant,
        number: usize,
        host: Ipv4Addr,
        question: Question,
        mac: MacAddr,
        sign: Sign,
        ttl: Option<u8>,
        measured: Option<std::time::Duration>,
    ) {
        let reason = match sign {
            Sign::Present(reason) | Sign::Port(_, reason) => reason,
            Sign::Unreachable(..) => {
                self.sweeps[number].unreachable_by_router(host);
                return;
            }
        };
        let counted = self.sweeps[number].sign(now, host, question, mac, reason, ttl);
        if let Some(sweep::Sign { first: true, rtt }) = counted {
            let rtt_us = micros(measured.or(rtt));
            let segment = self.sweeps[number].task().segment;
            let seen = match (sign, question.transport()) {
                (Sign::Port(state, reason), Some(transport)) => {
                    Seen::Port { transport, port: question.port, state, reason, ttl, rtt_us }
                }
                _ => Seen::Present { reason, mac: None, ttl, rtt_us },
            };
            self.observe(now, segment, host, question.method, seen);
        }
        self.drain_sweep(now, number);
    }

    fn lane_answered(&mut self, now: Instant, answer: &Answer) -> bool {
        let Some(lane) = self.lanes.get_mut(&answer.target) else { return false };
        let questions = if lane.kernel { &self.by_kernel } else { &self.by_frames };
        let was_open = !lane.is_done();
        let rtt = answer.sent.filter(|sent| *sent <= now).map(|sent| now.since(sent));
        lane.answer(now, questions, answer.question, answer.sign, answer.ttl, rtt);
        self.after_lane(now, answer.target, was_open);
        true
    }

    /// A lane took something in: pass on what it says, and look at it again at once.
    fn after_lane(&mut self, now: Instant, host: Ipv4Addr, was_open: bool) {
        let ended = was_open && self.lanes.get(&host).is_some_and(crate::lane::Lane::is_done);
        self.lanes_open = self.lanes_open.saturating_sub(u64::from(ended));
        self.queue_lane(host, now);
        self.drain_lane(now, host);
        if ended {
            self.interview_after_lane(now, host);
        }
    }

    /// The ports of a host are known.
    pub(crate) fn interview_after_lane(&mut self, now: Instant, host: Ipv4Addr) {
        let lane = self.lanes.get(&host).filter(|lane| !lane.stopped_answering());
        if let Some(segment) = lane.map(|lane| lane.segment) {
            self.begin_interview(now, segment, host);
        }
    }

    fn neighbours(&mut self, now: Instant, segment: u16, entries: &[(Ipv4Addr, MacAddr)]) {
        let number = usize::from(segment);
        for (host, mac) in entries {
            let asked = self.sweeps.get(number).is_some_and(|sweep| sweep.task().addresses.contains(*host));
            if asked && !mac.is_multicast() && *mac != MacAddr::ZERO {
                self.host_by_link(now, number, *host, *mac, Reason::NeighbourTable);
                self.counters.received += 1;
            }
        }
    }

    fn named(&mut self, now: Instant, pending: &Pending, names: Vec<String>) {
        for mut name in names.into_iter().take(NAMES) {
            if let Some((end, _)) = name.char_indices().nth(NAME_LEN) {
                name.truncate(end);
            }
            let seen = Seen::Name { name, source: NameSource::Ptr };
            self.observe(now, pending.segment, pending.target, Method::Dns, seen);
        }
    }

    fn sweep_reply(
        &mut self,
        now: Instant,
        number: usize,
        question: Question,
        pending: &Pending,
        reply: &Reply,
    ) {
        match sign_of(question, reply) {
            Some((sign, ttl)) => {
                self.counters.received += 1;
                let rtt = Some(now.since(pending.sent));
                self.host_by_network(now, number, pending.target, question, MacAddr::ZERO, sign, ttl, rtt);
            }
            None if *reply == Reply::NotSent => self.counters.delayed += 1,
            None => {}
        }
    }

    fn lane_reply(&mut self, now: Instant, question: Question, pending: &Pending, reply: &Reply) {
        let care = self.lane_care(pending.segment);
        let Some(lane) = self.lanes.get_mut(&pending.target) else { return };
        let was_open = !lane.is_done();
        let rtt = now.since(pending.sent);
        match sign_of(question, reply) {
            Some((sign, ttl)) => {
                self.counters.received += 1;
                lane.answer(now, &self.by_kernel, question, sign, ttl, Some(rtt));
            }
            None if *reply == Reply::NotSent => {
                self.counters.delayed += 1;
                lane.not_sent(now, question);
            }
            None => lane.was_silent(now, question, &self.by_kernel, care),
        }
        self.after_lane(now, pending.target, was_open);
    }

    /// Behind an ARP proxy hosts are only known by what they answer themselves.
    pub(crate) fn ask_behind_proxy(
        &mut self,
        now: Instant,
        segment: u16,
        kernel: bool,
        signature: &Signature,
        addresses: &[Ipv4Addr],
    ) {
        let Some(mac) = signature.mac else { return };
        let number = self.sweeps.len();
        let task = Task {
            segment,
            kernel,
            addresses: addresses.iter().copied().collect(),
            questions: self.network_questions(kernel),
            improbable: self
                .sweeps
                .get(usize::from(segment))
                .map(|sweep| sweep.task().improbable.clone())
                .unwrap_or_default(),
            via: if kernel { Via::Kernel } else { Via::Mac(mac) },
            passes: self.plan.limits.passes.max(1),
            seed: self.plan.seed ^ (number as u64 + 1) << 40,
        };
        self.sweeps.push(Sweep::new(task, now));
    }
}

/// What a reply says of the host; `None` where it says nothing.
fn sign_of(question: Question, reply: &Reply) -> Option<(Sign, Option<u8>)> {
    let sign = match (question.method, reply) {
        (Method::TcpConnect, Reply::Connected) => Sign::Port(PortState::Open, Reason::SynAck),
        (Method::TcpConnect, Reply::Refused) => Sign::Port(PortState::Closed, Reason::Rst),
        (Method::Udp, Reply::Answered { .. }) => Sign::Port(PortState::Open, Reason::UdpReply),
        (Method::Udp, Reply::Refused) => Sign::Port(PortState::Closed, Reason::PortUnreachable),
        (Method::IcmpEcho, Reply::Answered { .. }) => Sign::Present(Reason::EchoReply),
        (_, Reply::Prohibited) => Sign::Unreachable(Ipv4Addr::UNSPECIFIED, Reason::AdminProhibited),
        _ => return None,
    };
    let ttl = if let Reply::Answered { ttl } = reply { *ttl } else { None };
    Some((sign, ttl))
}
