//! The plan for a sweep of a lan.

use std::net::Ipv4Addr;

use headcount_engine::{Limits, LinkId, Path, Plan, Probing, Segment};
use headcount_model::{AddressRange, AddressSet, PortSet, Scope, SegmentKind, Timestamp};
use ipnetwork::Ipv4Network;

use crate::lan::Lan;

/// What a sweep is to ask, and by which way.
#[derive(Clone, Debug, PartialEq)]
pub struct Questions {
    /// TCP ports asked of present hosts.
    pub ports: PortSet,
    /// UDP ports asked of present hosts.
    pub udp_ports: PortSet,
    /// TCP ports that find out who is behind a router.
    pub discovery_ports: PortSet,
    /// ICMP echo.
    pub echo: bool,
    /// PTR names.
    pub names: bool,
    /// What hosts are asked about themselves.
    pub probing: Probing,
    /// Raw frames or the kernel.
    pub route: Route,
    /// The limits.
    pub limits: Limits,
    /// The seed of every choice of the engine.
    pub seed: u64,
}

/// Which part of the scanning machine carries the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Raw Ethernet frames.
    Frames,
    /// The kernel's own sockets.
    Kernel,
}

/// The plan that sweeps everything in `lan`: the attached subnet, what is behind its routers, and this machine.
///
/// Network and broadcast addresses are among the targets, as in a sweep of a whole subnet: what answers for them
/// answers for everybody.
pub fn plan_for(lan: &Lan, questions: &Questions) -> Plan {
    let own = AddressSet::from_iter([lan.vantage.address]);
    let attached = addresses_of(lan.network).difference(&own);
    let mut segments =
        vec![segment(lan, questions, SegmentKind::Attached, Some(lan.network), attached, None)];
    for routed in &lan.routed {
        let gateway = lan
            .personas
            .iter()
            .find(|persona| persona.name == routed.router)
            .and_then(|router| router.all_addresses().find(|address| lan.network.contains(*address)));
        let addresses = addresses_of(routed.network);
        segments.push(segment(lan, questions, SegmentKind::Routed, None, addresses, gateway));
    }
    segments.push(Segment {
        path: Path::Kernel,
        own_macs: vec![(lan.vantage.address, lan.vantage.mac)],
        ..segment(lan, questions, SegmentKind::Local, None, own, None)
    });
    for (id, segment) in (0..).zip(&mut segments) {
        segment.id = id;
    }
    let allowed = segments.iter().fold(AddressSet::new(), |all, one| all.union(&one.addresses));
    Plan {
        scope: Scope { allowed, excluded: AddressSet::new() },
        segments,
        ports: questions.ports.clone(),
        udp_ports: questions.udp_ports.clone(),
        discovery_ports: questions.discovery_ports.clone(),
        echo: questions.echo,
        kernel_echo: questions.echo,
        limits: questions.limits.clone(),
        names: questions.names,
        probing: questions.probing.clone(),
        epoch: Timestamp::from_micros(1_795_000_000_000_000),
        seed: questions.seed,
        source_ports: 61_000..=65_535,
    }
}

fn segment(
    lan: &Lan,
    questions: &Questions,
    kind: SegmentKind,
    network: Option<Ipv4Network>,
    addresses: AddressSet,
    gateway: Option<Ipv4Addr>,
) -> Segment {
    let path = match questions.route {
        Route::Frames => Path::Frames { link: LinkId(0), mac: lan.vantage.mac, gateway },
        Route::Kernel => Path::Kernel,
    };
    Segment {
        id: 0,
        kind,
        path,
        interface: "sim0".to_owned(),
        source: Some(lan.vantage.address),
        network,
        addresses,
        own_macs: Vec::new(),
    }
}

fn addresses_of(network: Ipv4Network) -> AddressSet {
    AddressSet::from_iter([AddressRange::from(network)])
}
