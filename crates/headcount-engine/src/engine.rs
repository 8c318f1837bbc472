//! The run itself: its state, how it begins and ends, and what it says of itself.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::Ipv4Addr,
    time::Duration,
};

use headcount_model::{
    Counters, Instant, MacAddr, Method, Observation, Reason, Seen, SegmentKind, SegmentRecord,
};
use headcount_sweep::{Key, Question};

use crate::{
    Checkpoint, Command, CommandId, Event, Pages, Path, Plan, Progress, Segment,
    gate::Gate,
    lane::{self, Lane, Questions},
    pace::Pace,
    sweep::{self, Sweep, Task, Via},
    talk::Talks,
    tally::improbable_addresses,
};

/// The largest frame that [`Engine::poll_frame`] writes.
pub const MAX_FRAME: usize = 256;

/// What a finished or interrupted run has to say of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The segments, in the plan's order. `present` and `phantoms` count addresses as the sweep saw them; the fold of
    /// the observations has the last word.
    pub segments: Vec<SegmentRecord>,
    /// What was sent and received, as far as the engine saw it.
    pub counters: Counters,
    /// How often the controller slowed down.
    pub backed_off: u32,
    /// Every planned question was asked.
    pub complete: bool,
}

/// A run. See the crate's documentation for the contract with its driver.
pub struct Engine {
    pub(crate) plan: Plan,
    pub(crate) key: Key,
    pub(crate) gate: Gate,
    pub(crate) pace: Pace,
    /// One for each segment, then one for each group of addresses behind an ARP proxy.
    pub(crate) sweeps: Vec<Sweep>,
    pub(crate) next_sweep: usize,
    pub(crate) lanes_first: bool,
    pub(crate) by_frames: Questions,
    pub(crate) by_kernel: Questions,
    pub(crate) lanes: BTreeMap<Ipv4Addr, Lane>,
    pub(crate) lanes_open: u64,
    /// Lanes by when they want to be looked at: those that ask by frames, and those that ask through the kernel.
    pub(crate) queues: [BTreeSet<(Instant, Ipv4Addr)>; 2],
    /// When the last drain found that something could be sent next: frames, commands.
    pub(crate) wakes: [Instant; 2],
    pub(crate) macs: BTreeMap<Ipv4Addr, Vec<MacAddr>>,
    pub(crate) pending: BTreeMap<CommandId, Pending>,
    pub(crate) next_command: u64,
    pub(crate) next_read: Instant,
    pub(crate) talks: Talks,
    pub(crate) pages: Pages,
    pub(crate) names: VecDeque<(u16, Ipv4Addr)>,
    pub(crate) named: BTreeSet<Ipv4Addr>,
    pub(crate) names_out: usize,
    pub(crate) reads_out: usize,
    pub(crate) events: VecDeque<Event>,
    pub(crate) commands: VecDeque<Command>,
    pub(crate) counters: Counters,
    next_checkpoint: Instant,
    checkpoint: Checkpoint,
    pub(crate) state: State,
    now: Instant,
}

/// What a command was for.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) segment: u16,
    pub(crate) target: Ipv4Addr,
    pub(crate) purpose: Purpose,
    pub(crate) sent: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A question of a sweep, by its number.
    Sweep(usize, Question),
    Lane(Question),
    Neighbours,
    Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Finished,
    Cancelled,
}

impl Engine {
    /// How often a checkpoint is said; it describes the run as it was one interval before, so that answers which were
    /// on their way are asked for again.
    const CHECKPOINTS: Duration = Duration::from_secs(1);
    /// How often the kernel's neighbour table is read while it is being filled.
    pub(crate) const READS: Duration = Duration::from_millis(500);

    /// A run of `plan` that begins at `now`.
    pub fn new(plan: Plan, now: Instant) -> Self {
        let mut engine = Self::bare(plan, now);
        engine.add_sweeps(now);
        engine.find_this_machine(now);
        engine.plan_calls();
        engine
    }

    pub(crate) fn bare(plan: Plan, now: Instant) -> Self {
        let routers = plan.segments.iter().filter_map(|segment| match segment.path {
            Path::Frames { gateway, .. } => gateway,
            Path::Kernel => None,
        });
        let gate = Gate::new(plan.scope.clone(), routers.collect(), plan.segments.len(), &plan.limits);
        let questions = |echo, kernel| Questions::new(echo, &plan.ports, &plan.udp_ports, kernel, plan.seed);
        Self {
            key: Key::from_seed(plan.seed),
            pace: Pace::new(plan.limits.total),
            by_frames: questions(plan.echo, false),
            by_kernel: questions(plan.echo && plan.kernel_echo, true),
            gate,
            sweeps: Vec::new(),
            next_sweep: 0,
            lanes_first: false,
            lanes: BTreeMap::new(),
            lanes_open: 0,
            queues: [BTreeSet::new(), BTreeSet::new()],
            wakes: [Instant::ZERO; 2],
            macs: BTreeMap::new(),
            pending: BTreeMap::new(),
            next_command: 0,
            next_read: now,
            talks: Talks::default(),
            pages: Pages::default(),
            names: VecDeque::new(),
            named: BTreeSet::new(),
            names_out: 0,
            reads_out: 0,
            events: VecDeque::new(),
            commands: VecDeque::new(),
            counters: Counters::default(),
            next_checkpoint: now + Self::CHECKPOINTS,
            checkpoint: Checkpoint::default(),
            state: State::Running,
            now,
            plan,
        }
    }

    /// The same run, in which web servers are also asked for the pages that their answers call for.
    pub fn with_pages(self, pages: Pages) -> Self {
        Self { pages, ..self }
    }

    /// The plan that runs.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if self.state != State::Running {
            return;
        }
        if now >= self.next_checkpoint {
            self.next_checkpoint = now + Self::CHECKPOINTS;
            let current = Checkpoint { segments: self.sweeps.iter().map(Sweep::progress).collect() };
            let before = std::mem::replace(&mut self.checkpoint, current);
            self.events.push_back(Event::Checkpoint(before));
        }
        if now >= self.next_read {
            self.next_read = now + Self::READS;
            self.read_neighbours(now);
        }
        self.finish_if_done();
    }

    /// Stop: no further frame or command leaves; what is known is said, and [`Event::Finished`] follows.
    pub fn cancel(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if self.state != State::Running {
            return;
        }
        let hosts: Vec<Ipv4Addr> =
            self.lanes.iter().filter(|(_, lane)| !lane.is_done()).map(|(host, _)| *host).collect();
        for host in hosts {
            if let Some(lane) = self.lanes.get_mut(&host) {
                lane.flush();
            }
            self.drain_lane(now, host);
        }
        self.events.push_back(Event::Checkpoint(self.checkpoint.clone()));
        self.events.push_back(Event::Finished);
        self.commands.clear();
        self.hang_up_all();
        self.state = State::Cancelled;
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Engine::handle_timeout`] at the latest; `None` when the run is over.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let reads = if self.fills_neighbour_table() { self.next_read } else { Instant::FAR };
        let next =
            self.wakes[0].min(self.wakes[1]).min(self.next_checkpoint).min(reads).min(self.talks.wake());
        (self.state == State::Running).then_some(next)
    }

    /// How the run stands.
    pub fn progress(&self) -> Progress {
        let sent = self.gate.passed();
        let sweeps: u64 = self.sweeps.iter().map(Sweep::expected).sum();
        let lanes: u64 = self.lanes.values().map(|lane| lane.left(self.questions(lane.kernel))).sum();
        let left = if self.state == State::Running { sweeps + lanes + self.talks.left() } else { 0 };
        let rate = self.pace.rate();
        Progress {
            sent,
            expected: sent + left,
            present: self.lanes.len() as u64,
            rate,
            left: Duration::from_secs_f64(left as f64 / rate.max(1e-3))
                .min(Duration::from_secs(365 * 86_400)),
        }
    }

    /// What the run has to say of itself, at any time.
    pub fn summary(&self) -> Summary {
        let segments: Vec<SegmentRecord> =
            self.plan.segments.iter().map(|segment| self.record(segment)).collect();
        let complete = self.state == State::Finished && segments.iter().all(|segment| segment.complete);
        Summary { segments, counters: self.counters, backed_off: self.pace.backed_off(), complete }
    }

    fn record(&self, segment: &Segment) -> SegmentRecord {
        let sweeps = || self.sweeps.iter().filter(|sweep| sweep.task().segment == segment.id);
        let main = self.sweeps.get(usize::from(segment.id));
        let loss = main.map(Sweep::loss).unwrap_or_default();
        let local = segment.kind == SegmentKind::Local;
        let (gateway, source_mac) = match segment.path {
            Path::Frames { gateway, mac, .. } => (gateway, Some(mac)),
            Path::Kernel => (None, None),
        };
        SegmentRecord {
            id: segment.id,
            kind: segment.kind,
            interface: segment.interface.clone(),
            gateway,
            source: segment.source,
            source_mac,
            addresses: segment.addresses.clone(),
            asked: segment.addresses.len(),
            present: if local { segment.addresses.len() } else { sweeps().map(Sweep::present).sum() },
            phantoms: 0,
            unreachable: sweeps().map(Sweep::unreachable).sum(),
            passes: main.map_or(0, Sweep::passes),
            control_loss: loss.share(),
            controls_asked: loss.asked,
            miss_chance: if local { Some(0.0) } else { main.and_then(Sweep::miss_chance) },
            complete: local || sweeps().all(Sweep::is_complete),
        }
    }

    pub(crate) fn questions(&self, kernel: bool) -> &Questions {
        if kernel { &self.by_kernel } else { &self.by_frames }
    }

    pub(crate) fn add_sweeps(&mut self, now: Instant) {
        for at in 0..self.plan.segments.len() {
            let segment = &self.plan.segments[at];
            let kernel = segment.path == Path::Kernel;
            let attached = segment.kind == SegmentKind::Attached;
            let (questions, via) = match segment.path {
                _ if segment.kind == SegmentKind::Local => (Vec::new(), Via::Kernel),
                Path::Frames { gateway: Some(router), .. } => {
                    (self.network_questions(kernel), Via::Router(router))
                }
                Path::Frames { gateway: None, .. } => (vec![Question::ARP], Via::Broadcast),
                Path::Kernel if attached => (vec![CONTACT], Via::Kernel),
                Path::Kernel => (self.network_questions(kernel), Via::Kernel),
            };
            let segment = &self.plan.segments[at];
            let task = Task {
                segment: segment.id,
                kernel,
                addresses: segment.addresses.clone(),
                questions,
                improbable: improbable_addresses(&segment.addresses, segment.network),
                via,
                passes: self.plan.limits.passes.max(1),
                seed: self.plan.seed ^ (at as u64 + 1) << 40,
            };
            self.sweeps.push(Sweep::new(task, now));
        }
    }

    /// What hosts beyond the link are asked to find out whether they are there.
    pub(crate) fn network_questions(&self, kernel: bool) -> Vec<Question> {
        let echo = self.plan.echo && (self.plan.kernel_echo || !kernel);
        let tcp = if kernel { Method::TcpConnect } else { Method::TcpSyn };
        let ports = self.plan.discovery_ports.as_slice().iter();
        echo.then_some(Question::ECHO)
            .into_iter()
            .chain(ports.map(|port| Question { method: tcp, port: *port }))
            .chain(self.plan.udp_ports.as_slice().iter().map(|port| Question::udp(*port)))
            .collect()
    }

    /// This machine is a device of its network too.
    fn find_this_machine(&mut self, now: Instant) {
        let local = self.plan.segments.iter().filter(|segment| segment.kind == SegmentKind::Local);
        let own: Vec<(u16, Ipv4Addr, Option<MacAddr>)> = local
            .flat_map(|segment| {
                segment.addresses.iter().map(|address| {
                    let mac = segment.own_macs.iter().find(|(own, _)| *own == address).map(|(_, mac)| *mac);
                    (segment.id, address, mac)
                })
            })
            .collect();
        for (segment, address, mac) in own {
            let seen = Seen::Present { reason: Reason::LocalAddress, mac, ttl: None, rtt_us: None };
            self.observe(now, segment, address, Method::Interface, seen);
            self.open_lane(now, segment, address, None, true, None);
        }
    }

    pub(crate) fn observe(
        &mut self,
        now: Instant,
        segment: u16,
        address: Ipv4Addr,
        method: Method,
        seen: Seen,
    ) {
        if self.plan.probing.enabled {
            self.talks.note(address, &seen);
        }
        let at = self.plan.epoch + now.elapsed();
        self.events.push_back(Event::Observation(Observation { at, segment, address, method, seen }));
    }

    /// A present host gets its lane, and its name looked up.
    pub(crate) fn open_lane(
        &mut self,
        now: Instant,
        segment: u16,
        host: Ipv4Addr,
        next_hop: Option<MacAddr>,
        kernel: bool,
        rtt: Option<Duration>,
    ) {
        if self.lanes.contains_key(&host) {
            return;
        }
        if self.plan.names && self.named.insert(host) {
            self.names.push_back((segment, host));
        }
        let seed = lane::seed_of(host, self.plan.seed);
        let lane = Lane::new(segment, next_hop, kernel, self.questions(kernel), seed, rtt);
        let open = !lane.is_done();
        self.lanes.insert(host, lane);
        if open {
            self.lanes_open += 1;
            self.queue_lane(host, now);
        } else {
            self.begin_interview(now, segment, host);
        }
    }

    /// The lane of `host` wants to be looked at at `at`.
    pub(crate) fn queue_lane(&mut self, host: Ipv4Addr, at: Instant) {
        let Some(lane) = self.lanes.get_mut(&host) else { return };
        let queue = &mut self.queues[usize::from(lane.kernel)];
        if let Some(before) = lane.queued.take() {
            queue.remove(&(before, host));
        }
        if !lane.is_done() {
            lane.queued = Some(at);
            queue.insert((at, host));
        }
    }

    /// Passes on what a lane has to say.
    pub(crate) fn drain_lane(&mut self, now: Instant, host: Ipv4Addr) {
        let Some(lane) = self.lanes.get_mut(&host) else { return };
        let segment = lane.segment;
        for said in lane.take_said() {
            match said {
                lane::Said::Seen(method, seen) => self.observe(now, segment, host, method, seen),
                lane::Said::AcceptsEveryPort(ttl) => {
                    let what = headcount_model::PhantomKind::AcceptsEveryPort;
                    self.observe(now, segment, host, Method::TcpSyn, Seen::Phantom { what, mac: None, ttl });
                }
                lane::Said::StoppedAnswering => self.events.push_back(Event::Warning(format!(
                    "{host} answered before and answers no more; nothing more was sent to it"
                ))),
            }
        }
    }

    /// Passes on what a sweep has to say.
    pub(crate) fn drain_sweep(&mut self, now: Instant, number: usize) {
        let Some(sweep) = self.sweeps.get_mut(number) else { return };
        let (segment, kernel, via) = (sweep.task().segment, sweep.task().kernel, sweep.task().via);
        for said in sweep.take_said() {
            match said {
                sweep::Said::Found(host, mac, rtt) => {
                    let next_hop = match via {
                        Via::Broadcast => Some(mac),
                        Via::Mac(router) => Some(router),
                        Via::Router(_) | Via::Kernel => None,
                    };
                    self.open_lane(now, segment, host, next_hop, kernel, rtt);
                }
                sweep::Said::Lost(host) => self.close_lane(host),
                sweep::Said::Phantom { signature, witness, addresses } => {
                    let what = signature.kind;
                    let method = phantom_method(what);
                    let seen = Seen::Phantom { what, mac: signature.mac, ttl: signature.ttl };
                    self.observe(now, segment, witness, method, seen);
                    self.ask_behind_proxy(now, segment, kernel, &signature, &addresses);
                }
                sweep::Said::Control(answered) => {
                    if self.pace.control(answered) {
                        self.gate.set_rate(self.pace.rate());
                    }
                }
                sweep::Said::RouterSilent(router) => self.router_is_silent(segment, router),
                sweep::Said::PassEnded => {}
            }
        }
    }

    fn router_is_silent(&mut self, segment: u16, router: Ipv4Addr) {
        self.events.push_back(Event::Warning(format!(
            "the router {router} does not answer ARP, so nothing behind it could be asked"
        )));
        let waiting = |lane: &Lane| lane.segment == segment && lane.next_hop.is_none() && !lane.kernel;
        let hosts: Vec<Ipv4Addr> =
            self.lanes.iter().filter(|(_, lane)| waiting(lane)).map(|(host, _)| *host).collect();
        for host in hosts {
            self.close_lane(host);
        }
    }

    fn close_lane(&mut self, host: Ipv4Addr) {
        if let Some(lane) = self.lanes.remove(&host) {
            if let Some(at) = lane.queued {
                self.queues[usize::from(lane.kernel)].remove(&(at, host));
            }
            self.lanes_open -= u64::from(!lane.is_done());
        }
    }

    pub(crate) fn fills_neighbour_table(&self) -> bool {
        self.sweeps.iter().any(|sweep| !sweep.is_done() && sweep.task().questions.contains(&CONTACT))
    }

    pub(crate) fn finish_if_done(&mut self) {
        let done = self.state == State::Running
            && self.lanes_open == 0
            && self.pending.is_empty()
            && self.names.is_empty()
            && self.talks.is_done()
            && self.sweeps.iter().all(Sweep::is_done);
        if done {
            self.state = State::Finished;
            self.events.push_back(Event::Finished);
        }
    }
}

/// The kernel's way to ask by ARP: contact the address, then read the neighbour table.
pub(crate) const CONTACT: Question = Question { method: Method::NeighbourTable, port: 0 };

fn phantom_method(what: headcount_model::PhantomKind) -> Method {
    use headcount_model::PhantomKind::{
        AcceptsEveryPort, AcceptsForAll, EchoForAll, ProxyArp, ResetsForAll, UdpForAll,
    };
    match what {
        ProxyArp => Method::Arp,
        EchoForAll => Method::IcmpEcho,
        AcceptsForAll | ResetsForAll | AcceptsEveryPort => Method::TcpSyn,
        UdpForAll => Method::Udp,
    }
}
