//! What a sweep of a lan must find.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use headcount_engine::Plan;
use headcount_model::{MacAddr, PhantomKind, PortSet};

use super::{Closed, ForAll, Lan, Persona};

/// What a sweep asks, as far as it decides what can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// TCP ports asked of present hosts.
    pub ports: PortSet,
    /// UDP ports asked of present hosts, and of addresses behind a router to find out who is there.
    pub udp_ports: PortSet,
    /// TCP ports that are asked of addresses behind a router to find out who is there.
    pub discovery_ports: PortSet,
    /// Whether ICMP echo is asked.
    pub echo: bool,
}

impl From<&Plan> for Asked {
    fn from(plan: &Plan) -> Self {
        Self {
            ports: plan.ports.clone(),
            udp_ports: plan.udp_ports.clone(),
            discovery_ports: plan.discovery_ports.clone(),
            echo: plan.echo,
        }
    }
}

/// What a sweep must find. What it finds beside this and beside `hidden` is invented.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The addresses that must be found present. The vantage's own is not among them.
    pub hosts: BTreeMap<Ipv4Addr, ExpectedHost>,
    /// Addresses where somebody is whom none of the questions can tell from the rest.
    pub hidden: BTreeSet<Ipv4Addr>,
    /// What must be recognised as answering for what it does not have, and the link-layer address that does it.
    pub phantoms: Vec<(PhantomKind, MacAddr)>,
    /// Addresses that accept every port, and must be recognised as such.
    pub tarpits: BTreeSet<Ipv4Addr>,
    /// Addresses in whose name something accepts every port: as much as `tarpits`, but recognised by the range.
    pub accepted_for: BTreeSet<Ipv4Addr>,
    /// Addresses that two or more devices claim, and who, sorted.
    pub duplicates: BTreeMap<Ipv4Addr, Vec<MacAddr>>,
}

/// What must be found of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedHost {
    /// The name of the persona; of the first, when two claim the address.
    pub persona: String,
    /// Who answers for the address; empty behind a router.
    pub macs: Vec<MacAddr>,
    /// Its link-layer address answers for everybody, so that nothing shows which address is its own.
    pub mac_unknowable: bool,
    /// The TCP ports that must be found open.
    pub tcp: PortSet,
    /// TCP ports about which nothing true can be said, because something else answers for them.
    pub tcp_unknowable: PortSet,
    /// The UDP ports that must be found open.
    pub udp: PortSet,
    /// Its PTR name, if a name server of the lan serves it.
    pub name: Option<String>,
}

impl Lan {
    /// What a sweep that asks `asked` must find.
    pub fn expected(&self, asked: &Asked) -> Expected {
        let mut expected = Expected::default();
        for persona in &self.personas {
            for nic in persona.nics() {
                for address in &nic.addresses {
                    self.expect_address(&mut expected, persona, *address, nic.mac, asked);
                }
            }
            if persona.every_port {
                expected.tarpits.extend(persona.all_addresses());
            }
        }
        for (address, host) in &mut expected.hosts {
            host.macs.sort_unstable();
            if host.macs.len() > 1 {
                expected.duplicates.insert(*address, host.macs.clone());
            }
        }
        expected.phantoms = self.expected_phantoms();
        expected
    }

    fn expect_address(
        &self,
        expected: &mut Expected,
        persona: &Persona,
        address: Ipv4Addr,
        mac: Option<MacAddr>,
        asked: &Asked,
    ) {
        let attached = self.network.contains(address);
        let boxes: Vec<&ForAll> = self
            .phantoms
            .iter()
            .filter(|phantom| !attached && phantom.range(self).contains(address))
            .collect();
        if boxes.iter().any(|one| one.what == PhantomKind::AcceptsForAll && one.ports.is_empty()) {
            expected.accepted_for.insert(address);
        }
        let found = if attached { persona.arp } else { found_behind(persona, &boxes, asked) };
        if !found {
            expected.hidden.insert(address);
            return;
        }
        let unknowable = |port: &u16| persona.every_port || accepted_for_all(&boxes, *port);
        let asked_ports = asked.ports.as_slice().iter().copied();
        if let Some(first) = expected.hosts.get_mut(&address) {
            // Which of the two is asked is chance.
            first.macs.extend(mac);
            first.tcp = PortSet::new();
            first.tcp_unknowable = asked.ports.clone();
            first.udp = PortSet::new();
            return;
        }
        let udp_for_all = boxes.iter().any(|one| one.what == PhantomKind::UdpForAll);
        let udp = persona.udp_ports().as_slice().to_vec();
        let host = ExpectedHost {
            persona: persona.name.clone(),
            macs: mac.into_iter().filter(|_| attached).collect(),
            mac_unknowable: self
                .phantoms
                .iter()
                .any(|phantom| phantom.what == PhantomKind::ProxyArp && phantom.by == persona.name),
            tcp: asked_ports.clone().filter(|port| persona.accepts(*port) && !unknowable(port)).collect(),
            tcp_unknowable: asked_ports.filter(unknowable).collect(),
            udp: udp.into_iter().filter(|port| asked.udp_ports.contains(*port) && !udp_for_all).collect(),
            name: persona.ptr.clone().filter(|_| self.name_server().is_some()),
        };
        expected.hosts.insert(address, host);
    }

    fn expected_phantoms(&self) -> Vec<(PhantomKind, MacAddr)> {
        let mac_of = |name: &str| {
            let persona = self.personas.iter().find(|persona| persona.name == name)?;
            self.attached_mac(persona)
        };
        let mut phantoms: Vec<_> =
            self.phantoms.iter().filter_map(|phantom| Some((phantom.what, mac_of(&phantom.by)?))).collect();
        phantoms.sort_unstable();
        phantoms.dedup();
        phantoms
    }
}

/// Whether a host behind a router gives a sign that nothing before it gives for everybody.
fn found_behind(persona: &Persona, boxes: &[&ForAll], asked: &Asked) -> bool {
    let for_all = |what| boxes.iter().any(|one| one.what == what);
    let by_port = |port: &u16| {
        let speaks =
            persona.accepts(*port) || (persona.closed == Closed::Rst && !for_all(PhantomKind::ResetsForAll));
        speaks && !accepted_for_all(boxes, *port)
    };
    let by_udp = |port: &u16| persona.udp_service(*port).is_some() || persona.unreachables_per_second > 0;
    (asked.echo && persona.echo && !for_all(PhantomKind::EchoForAll))
        || (!for_all(PhantomKind::UdpForAll) && asked.udp_ports.as_slice().iter().any(by_udp))
        || asked.discovery_ports.as_slice().iter().any(by_port)
}

fn accepted_for_all(boxes: &[&ForAll], port: u16) -> bool {
    boxes.iter().any(|one| one.what == PhantomKind::AcceptsForAll && one.accepts(port))
}
