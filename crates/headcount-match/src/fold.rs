//! Observations folded into devices.
//!
//! The result is a function of the set of observations: their order does not matter, nor do repeats.

mod assemble;
mod host;
mod ports;
mod said;
mod shadow;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use headcount_model::{
    Device, Findings, Observation, PhantomKind, Seen, SegmentKind, SegmentRecord, Transport,
};

use crate::{Library, Makers};
use host::{Heard, Host, Sign};
use ports::Answer;
use shadow::Shadows;

/// Gathers observations and folds them into devices.
///
/// Memory: about 300 bytes an address that said something, 24 bytes a port seen alone, 2 bytes a port of a list.
#[derive(Clone, Debug)]
pub struct Fold {
    segments: BTreeMap<u16, Vantage>,
    hosts: BTreeMap<HostKey, Host>,
    shadows: Shadows,
}

/// An address on a segment.
pub(crate) type HostKey = (u16, Ipv4Addr);

/// What the fold needs to know of a segment.
#[derive(Clone, Debug)]
pub(crate) struct Vantage {
    kind: SegmentKind,
    interface: String,
}

/// What gives names to numbers.
#[derive(Clone, Copy)]
pub struct Registries<'a> {
    /// Who made a network interface.
    pub makers: &'a Makers,
    /// What a device that says something is.
    pub library: &'a Library,
    /// The name that a port is registered under or commonly used for.
    pub service_name: &'a dyn Fn(Transport, u16) -> Option<&'static str>,
}

/// What the observations of a run come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folded {
    /// The devices, by their lowest address.
    pub devices: Vec<Device>,
    /// What the run says of the network itself.
    pub findings: Findings,
    /// How many addresses of each segment are what, by segment number.
    pub segments: BTreeMap<u16, SegmentCounts>,
}

/// How many addresses of a segment are what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentCounts {
    /// They answered and count as present.
    pub present: u64,
    /// They answered only through something that answers for all.
    pub phantoms: u64,
    /// A router called them unreachable and they never answered.
    pub unreachable: u64,
}

impl Folded {
    /// Writes the counts into the run's record of its segments.
    pub fn count_into(&self, segments: &mut [SegmentRecord]) {
        for segment in segments {
            let counts = self.segments.get(&segment.id).copied().unwrap_or_default();
            segment.present = counts.present;
            segment.phantoms = counts.phantoms;
            segment.unreachable = counts.unreachable;
        }
    }
}

impl Fold {
    /// A fold of what was seen on `segments`.
    pub fn new(segments: &[SegmentRecord]) -> Self {
        let vantage = |s: &SegmentRecord| (s.id, Vantage { kind: s.kind, interface: s.interface.clone() });
        let gateways: BTreeSet<Ipv4Addr> = segments.iter().filter_map(|segment| segment.gateway).collect();
        Self {
            segments: segments.iter().map(vantage).collect(),
            hosts: BTreeMap::new(),
            shadows: Shadows::new(gateways),
        }
    }

    /// Takes one observation in.
    pub fn push(&mut self, observation: &Observation) {
        let Observation { at, segment, address, method, seen } = observation;
        let key = (*segment, *address);
        match seen {
            Seen::Phantom { what: PhantomKind::AcceptsEveryPort, .. } => {
                self.host(key).accepts_every_port = true;
                self.shadows.add_every_port(key);
            }
            Seen::Phantom { what, mac, ttl } => self.shadows.add((*segment, *what, *mac), *ttl, *address),
            Seen::Present { reason, mac, ttl, rtt_us } => {
                // Behind a router the frame's source is the router.
                let own_link = self.segments.get(segment).is_none_or(|s| s.kind != SegmentKind::Routed);
                let mac = mac.filter(|_| own_link);
                let heard = Heard { first: (*at, None), last: *at, rtt_us: *rtt_us };
                let sign = Sign { method: *method, reason: *reason, ttl: *ttl, mac };
                self.host(key).add_sign(sign, heard);
            }
            Seen::Port { transport, port, state, reason, ttl, rtt_us } => {
                let (state, reason, method) = (*state, *reason, *method);
                let answer = Answer { state, reason, method, ttl: *ttl, rtt_us: *rtt_us, at: *at };
                let host = self.host(key);
                host.add_sign(answer.sign(), answer.heard(*port));
                host.ports.add(*transport, *port, answer);
            }
            Seen::Ports { transport, ports, state, reason } => {
                let (state, reason, method) = (*state, *reason, *method);
                let Some(first) = ports.as_slice().first() else { return };
                let answer = Answer { state, reason, method, ttl: None, rtt_us: None, at: *at };
                let host = self.host(key);
                host.add_sign(answer.sign(), answer.heard(*first));
                host.ports.add_list(*transport, ports, answer);
            }
            Seen::Name { name, source } => self.host(key).add_name(name, *source),
            Seen::Unreachable { .. } => self.host(key).unreachable = true,
            Seen::Said { transport, port, probe, field, value } => {
                self.host(key).statements.add((*transport, *port), (probe, field, value), *at);
            }
            Seen::PortsDone | Seen::ProbesDone => {}
        }
    }

    /// The devices, findings and counts.
    pub fn finish(self, registries: &Registries<'_>) -> Folded {
        assemble::assemble(self, registries)
    }

    fn host(&mut self, key: HostKey) -> &mut Host {
        self.hosts.entry(key).or_default()
    }
}

#[cfg(test)]
mod tests;
