//! Going on with a run from its log.

use std::{collections::BTreeSet, net::Ipv4Addr};

use headcount_model::{
    Instant, MacAddr, Observation, PhantomKind, PortSet, PortState, Reason, Seen, Transport,
};
use headcount_sweep::Question;

use crate::{Checkpoint, Engine, Plan, engine::CONTACT, sweep::Via, tally::Signature};

impl Engine {
    /// Goes on with a run whose log holds `observations` and ended at `checkpoint`. What was answered is not asked
    /// again; what was on its way when the log ended is.
    pub fn resume(plan: Plan, now: Instant, observations: &[Observation], checkpoint: &Checkpoint) -> Self {
        let mut engine = Self::bare(plan, now);
        engine.add_sweeps(now);
        for observation in observations {
            engine.recall_presence(now, observation);
        }
        for (sweep, from) in engine.sweeps.iter_mut().zip(&checkpoint.segments) {
            sweep.resume(from);
        }
        engine.recall_hosts(now, observations);
        for observation in observations {
            engine.recall_ports(observation);
        }
        engine.forget_finished(observations);
        engine.recall_interviews(now, observations);
        engine.plan_calls();
        engine
    }

    fn recall_presence(&mut self, now: Instant, observation: &Observation) {
        let Observation { segment, address, method, seen, .. } = observation;
        match seen {
            Seen::Present { reason, mac, ttl, .. } => {
                let mac = mac.unwrap_or_default();
                if matches!(reason, Reason::ArpReply | Reason::NeighbourTable) {
                    self.macs.entry(*address).or_default().push(mac);
                }
                let question = match reason {
                    Reason::ArpReply => Question::ARP,
                    Reason::NeighbourTable => CONTACT,
                    _ => Question { method: *method, port: 0 },
                };
                self.recall_sign(*segment, *address, question, mac, *reason, *ttl);
            }
            Seen::Port { port, reason, ttl, .. } => {
                let question = Question { method: *method, port: *port };
                self.recall_sign(*segment, *address, question, MacAddr::ZERO, *reason, *ttl);
            }
            Seen::Phantom { what, mac, ttl } => self.recall_phantom(now, *segment, *what, *mac, *ttl),
            Seen::Name { .. } => {
                self.named.insert(*address);
            }
            Seen::Ports { .. }
            | Seen::PortsDone
            | Seen::ProbesDone
            | Seen::Said { .. }
            | Seen::Unreachable { .. } => {}
        }
    }

    fn recall_sign(
        &mut self,
        segment: u16,
        host: Ipv4Addr,
        question: Question,
        mac: MacAddr,
        reason: Reason,
        ttl: Option<u8>,
    ) {
        for sweep in &mut self.sweeps {
            if sweep.task().segment == segment && sweep.task().questions.contains(&question) {
                sweep.recall(host, question, mac, reason, ttl);
            }
        }
    }

    fn recall_phantom(
        &mut self,
        now: Instant,
        segment: u16,
        what: PhantomKind,
        mac: Option<MacAddr>,
        ttl: Option<u8>,
    ) {
        if what == PhantomKind::AcceptsEveryPort {
            return;
        }
        let signature = Signature { kind: what, mac, ttl };
        let mut behind = Vec::new();
        let mut kernel = false;
        for sweep in self.sweeps.iter_mut().filter(|sweep| sweep.task().segment == segment) {
            behind.extend(sweep.recall_phantom(signature));
            kernel = sweep.task().kernel;
        }
        self.ask_behind_proxy(now, segment, kernel, &signature, &behind);
    }

    /// Lanes for the hosts that are known to be present.
    fn recall_hosts(&mut self, now: Instant, observations: &[Observation]) {
        let hosts: Vec<_> = self
            .sweeps
            .iter()
            .flat_map(|sweep| {
                let task = sweep.task();
                sweep.hosts().map(|(host, mac)| {
                    let next_hop = match task.via {
                        Via::Broadcast => Some(mac),
                        Via::Mac(router) => Some(router),
                        Via::Router(_) | Via::Kernel => None,
                    };
                    (task.segment, host, next_hop, task.kernel)
                })
            })
            .collect();
        for (segment, host, next_hop, kernel) in hosts {
            self.open_lane(now, segment, host, next_hop, kernel, None);
        }
        for observation in observations {
            if let Seen::Present { reason: Reason::LocalAddress, .. } = observation.seen {
                self.open_lane(now, observation.segment, observation.address, None, true, None);
            }
        }
    }

    fn recall_ports(&mut self, observation: &Observation) {
        let Some(lane) = self.lanes.get_mut(&observation.address) else { return };
        let questions = if lane.kernel { &self.by_kernel } else { &self.by_frames };
        let mut recall = |transport: Transport, ports: &PortSet, open| {
            for port in ports.as_slice() {
                lane.recall(questions, transport, *port, open);
            }
        };
        match &observation.seen {
            Seen::Port { transport, port, state, .. } => {
                recall(*transport, &PortSet::from_iter([*port]), *state == PortState::Open);
            }
            Seen::Ports { transport, ports, .. } => recall(*transport, ports, false),
            Seen::Present { .. }
            | Seen::PortsDone
            | Seen::ProbesDone
            | Seen::Said { .. }
            | Seen::Name { .. }
            | Seen::Unreachable { .. }
            | Seen::Phantom { .. } => {}
        }
    }

    /// Hosts whose ports are known are asked about themselves, unless they were.
    fn recall_interviews(&mut self, now: Instant, observations: &[Observation]) {
        let done: BTreeSet<Ipv4Addr> =
            observations.iter().filter(|o| o.seen == Seen::ProbesDone).map(|o| o.address).collect();
        for observation in observations {
            self.talks.note(observation.address, &observation.seen);
        }
        let ready = observations.iter().filter(|o| o.seen == Seen::PortsDone && !done.contains(&o.address));
        for observation in ready {
            self.begin_interview(now, observation.segment, observation.address);
        }
    }

    /// Hosts whose ports were all asked are not asked again.
    fn forget_finished(&mut self, observations: &[Observation]) {
        let finished: BTreeSet<Ipv4Addr> =
            observations.iter().filter(|o| o.seen == Seen::PortsDone).map(|o| o.address).collect();
        for host in finished {
            let Some(lane) = self.lanes.get_mut(&host) else { continue };
            if !lane.is_done() {
                lane.recall_done();
                self.lanes_open = self.lanes_open.saturating_sub(1);
            }
            let kernel = lane.kernel;
            if let Some(at) = lane.queued.take() {
                self.queues[usize::from(kernel)].remove(&(at, host));
            }
        }
    }
}
