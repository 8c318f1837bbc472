//! What leaves: the next frame and the next command, each with the gate's permit.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use headcount_model::{Instant, MacAddr, Method};
use headcount_sweep::{Ask, Question, payload};

use crate::{
    Command, CommandId, Engine, MAX_FRAME, Path, Transmit,
    engine::{Pending, Purpose, State},
    gate::{Intent, Permit, Verdict},
    lane::{self, Care},
    sweep,
};

/// How long the kernel may try to reach a host that nothing is known of.
const PATIENCE: Duration = Duration::from_millis(1_300);
/// Where the kernel's contact goes: to the one question that every kind of device may have an answer to.
const CONTACT_PORT: u16 = 5353;
/// How long a resumed lane waits between looks at whether its router has been found.
const ROUTER_PAUSE: Duration = Duration::from_millis(100);
/// Look-ups under way at once.
const LOOKUPS: usize = 64;

/// A question with leave to go.
struct Cleared {
    permit: Permit,
    next_hop: Option<MacAddr>,
    purpose: Purpose,
}

impl Engine {
    /// Writes the next frame that may leave now into `buf` (at least [`MAX_FRAME`] bytes).
    pub fn poll_frame(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        if buf.len() < MAX_FRAME {
            return None;
        }
        // A segment without a source address cannot ask by frames; its questions are lost, not the whole run.
        while let Some(cleared) = self.pull(now, false) {
            if let Some(transmit) = self.write_frame(now, &cleared, buf) {
                self.counters.sent += 1;
                return Some(transmit);
            }
        }
        None
    }

    /// The next thing that the driver is to do.
    pub fn poll_command(&mut self, now: Instant) -> Option<Command> {
        if let Some(command) = self.commands.pop_front() {
            return Some(command);
        }
        if let Some(command) = self.next_lookup(now) {
            return Some(command);
        }
        if let Some(command) = self.pull_talk(now) {
            return Some(command);
        }
        let room = self.pending.len() < self.plan.limits.in_flight as usize;
        if !room {
            // A reply makes room, and the driver drains after every reply.
            self.wakes[1] = Instant::FAR;
            return None;
        }
        let cleared = self.pull(now, true)?;
        self.counters.sent += 1;
        Some(self.command(now, cleared))
    }

    /// The kernel's neighbour table is being filled: read it.
    pub(crate) fn read_neighbours(&mut self, now: Instant) {
        if self.reads_out > 0 || !self.fills_neighbour_table() {
            return;
        }
        let segments: Vec<(u16, String)> = self
            .sweeps
            .iter()
            .filter(|sweep| !sweep.is_done() && sweep.task().questions.contains(&crate::engine::CONTACT))
            .filter_map(|sweep| self.plan.segments.get(usize::from(sweep.task().segment)))
            .map(|segment| (segment.id, segment.interface.clone()))
            .collect();
        for (segment, interface) in segments {
            let id = self.expect(now, segment, Ipv4Addr::UNSPECIFIED, Purpose::Neighbours);
            self.reads_out += 1;
            self.commands.push_back(Command::ReadNeighbours { id, interface });
        }
    }

    fn next_lookup(&mut self, now: Instant) -> Option<Command> {
        if self.state != State::Running || self.names_out >= LOOKUPS {
            return None;
        }
        let (segment, address) = self.names.pop_front()?;
        self.names_out += 1;
        self.counters.lookups += 1;
        let id = self.expect(now, segment, address, Purpose::Name);
        Some(Command::Resolve { id, address })
    }

    /// The next question that may go, from lanes and sweeps in turn.
    fn pull(&mut self, now: Instant, kernel: bool) -> Option<Cleared> {
        self.wakes[usize::from(kernel)] = Instant::FAR;
        if self.state != State::Running {
            return None;
        }
        self.lanes_first = !self.lanes_first;
        let cleared = if self.lanes_first {
            self.pull_lane(now, kernel).or_else(|| self.pull_sweep(now, kernel))
        } else {
            self.pull_sweep(now, kernel).or_else(|| self.pull_lane(now, kernel))
        };
        if cleared.is_none() {
            self.finish_if_done();
        }
        cleared
    }

    fn wake_at(&mut self, kernel: bool, at: Instant) {
        let wake = &mut self.wakes[usize::from(kernel)];
        *wake = (*wake).min(at);
    }

    fn pull_sweep(&mut self, now: Instant, kernel: bool) -> Option<Cleared> {
        for _ in 0..self.sweeps.len() {
            let number = self.next_sweep % self.sweeps.len();
            self.next_sweep = number + 1;
            if self.sweeps[number].task().kernel != kernel {
                continue;
            }
            let cleared = self.pull_this_sweep(now, kernel, number);
            self.drain_sweep(now, number);
            if cleared.is_some() {
                return cleared;
            }
        }
        None
    }

    fn pull_this_sweep(&mut self, now: Instant, kernel: bool, number: usize) -> Option<Cleared> {
        loop {
            let sweep = &mut self.sweeps[number];
            let asking = match sweep.next(now) {
                sweep::Next::Ask(asking) => asking,
                sweep::Next::Wait(at) => {
                    self.wake_at(kernel, at);
                    return None;
                }
                sweep::Next::Done => return None,
            };
            let segment = sweep.task().segment;
            let broadcast =
                asking.next_hop.is_none() && (!kernel || asking.question.method == Method::NeighbourTable);
            let intent = Intent { segment, target: asking.target, question: asking.question, broadcast };
            match self.gate.admit(now, intent) {
                Verdict::Go(permit) => {
                    self.sweeps[number].asked(now, &asking);
                    let purpose = Purpose::Sweep(number, asking.question);
                    return Some(Cleared { permit, next_hop: asking.next_hop, purpose });
                }
                Verdict::HostBusy(at) | Verdict::Busy(at) => {
                    self.wake_at(kernel, at);
                    return None;
                }
                Verdict::Never => self.sweeps[number].skip(&asking),
            }
        }
    }

    fn care(&self) -> Care {
        let limits = &self.plan.limits;
        Care {
            at_once: limits.connections_per_host.max(1) as usize,
            tries: limits.port_tries.max(1),
            interval: Duration::from_secs_f64(1.0 / limits.per_host.max(1e-3)),
        }
    }

    /// Lossy segments need more tries of a silent port than clean ones.
    pub(crate) fn lane_care(&self, segment: u16) -> Care {
        let care = self.care();
        let tries = self.sweeps.get(usize::from(segment)).map_or(care.tries, |sweep| sweep.loss().tries());
        Care { tries: tries.clamp(2, care.tries.max(2)), ..care }
    }

    fn pull_lane(&mut self, now: Instant, kernel: bool) -> Option<Cleared> {
        while let Some((at, host)) = self.queues[usize::from(kernel)].first().copied() {
            if at > now {
                self.wake_at(kernel, at);
                return None;
            }
            let Some(lane) = self.lanes.get(&host) else {
                self.queues[usize::from(kernel)].pop_first();
                continue;
            };
            let (segment, next_hop, care) = (lane.segment, lane.next_hop, self.lane_care(lane.segment));
            if !kernel && next_hop.is_none() {
                self.queue_lane(host, now + ROUTER_PAUSE);
                continue;
            }
            match self.step_lane(now, host, kernel, care) {
                lane::Next::Done => self.lane_done(now, host),
                lane::Next::Wait(until) => self.queue_lane(host, until.max(now + Duration::from_nanos(1))),
                lane::Next::Ask(question) => {
                    let intent = Intent { segment, target: host, question, broadcast: false };
                    match self.gate.admit(now, intent) {
                        Verdict::Go(permit) => {
                            self.lane_asked(now, host, question, care);
                            return Some(Cleared { permit, next_hop, purpose: Purpose::Lane(question) });
                        }
                        Verdict::HostBusy(until) => self.queue_lane(host, until),
                        Verdict::Busy(until) => {
                            self.wake_at(kernel, until);
                            return None;
                        }
                        Verdict::Never => self.lane_skips(host, question, kernel),
                    }
                }
            }
        }
        None
    }

    fn step_lane(&mut self, now: Instant, host: Ipv4Addr, kernel: bool, care: Care) -> lane::Next {
        let questions = if kernel { &self.by_kernel } else { &self.by_frames };
        let next = self.lanes.get_mut(&host).map(|lane| lane.next(now, questions, care));
        next.unwrap_or(lane::Next::Done)
    }

    fn lane_done(&mut self, now: Instant, host: Ipv4Addr) {
        self.queue_lane(host, now);
        self.lanes_open = self.lanes_open.saturating_sub(1);
        self.drain_lane(now, host);
        self.interview_after_lane(now, host);
    }

    fn lane_asked(&mut self, now: Instant, host: Ipv4Addr, question: Question, care: Care) {
        if let Some(lane) = self.lanes.get_mut(&host) {
            lane.asked(now, question, care);
        }
        self.queue_lane(host, now + Duration::from_nanos(1));
    }

    fn lane_skips(&mut self, host: Ipv4Addr, question: Question, kernel: bool) {
        let questions = if kernel { &self.by_kernel } else { &self.by_frames };
        if let Some(lane) = self.lanes.get_mut(&host) {
            lane.skip(question, questions);
        }
    }

    fn write_frame(&self, now: Instant, cleared: &Cleared, buf: &mut [u8]) -> Option<Transmit> {
        let intent = cleared.permit.intent();
        let segment = self.plan.segments.get(usize::from(intent.segment))?;
        let Path::Frames { link, mac, .. } = segment.path else { return None };
        let ask = Ask {
            source: segment.source?,
            source_mac: mac,
            next_hop: match cleared.next_hop {
                Some(next_hop) => next_hop,
                None if intent.broadcast => MacAddr::BROADCAST,
                None => return None,
            },
            target: intent.target,
            port: intent.question.port,
            source_ports: &self.plan.source_ports,
            now,
        };
        let len = intent.question.frame(&ask, self.key, buf);
        (len > 0).then_some(Transmit { link, len })
    }

    fn command(&mut self, now: Instant, cleared: Cleared) -> Command {
        let Intent { segment, target, question, .. } = *cleared.permit.intent();
        let lane = self.lanes.get(&target).filter(|_| matches!(cleared.purpose, Purpose::Lane(_)));
        let timeout = lane.map_or(PATIENCE, |lane| lane.patience());
        let cookie = self.key.cookie(question.method, target, question.port);
        let id = self.expect(now, segment, target, cleared.purpose);
        let datagram = |port, timeout| Command::Datagram {
            id,
            to: SocketAddrV4::new(target, port),
            payload: payload::for_port(port, cookie.identification()).unwrap_or_default(),
            timeout,
        };
        match question.method {
            Method::IcmpEcho => Command::Echo { id, to: target, timeout },
            Method::Udp => datagram(question.port, timeout),
            Method::NeighbourTable => datagram(CONTACT_PORT, Duration::ZERO),
            Method::TcpConnect
            | Method::TcpSyn
            | Method::Arp
            | Method::Interface
            | Method::Dns
            | Method::Probe => Command::Connect { id, to: SocketAddrV4::new(target, question.port), timeout },
        }
    }

    fn expect(&mut self, now: Instant, segment: u16, target: Ipv4Addr, purpose: Purpose) -> CommandId {
        let id = CommandId(self.next_command);
        self.next_command += 1;
        self.pending.insert(id, Pending { segment, target, purpose, sent: now });
        id
    }
}
