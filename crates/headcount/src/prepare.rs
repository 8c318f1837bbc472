//! From a scope to a plan: segments, methods, limits, and what of it cannot be had.

use std::ops::RangeInclusive;

use headcount_engine::{Limits, Path, Plan, Probing, Segment};
use headcount_model::{Method, MethodUse, PortSet, Scope, SegmentKind, Skipped, Timestamp};
use headcount_net::{Ability, Capabilities};
use headcount_sweep::{payload, ports};

use crate::args::{ProbeArgs, WhatArgs};

/// Source ports of raw SYNs and datagrams: above the kernel's default range (32768 to 60999), so that an answer is never
/// taken for one to a connection of this machine.
pub(crate) const SOURCE_PORTS: RangeInclusive<u16> = 61_000..=65_535;

/// Above this many questions, addresses behind routers are asked only the most telling ports.
const FULL_DISCOVERY: u64 = 200_000;

/// Which ports are asked of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    /// TCP ports of present hosts.
    pub tcp: PortSet,
    /// UDP ports of present hosts.
    pub udp: PortSet,
    /// TCP ports that find hosts behind routers; `None`: chosen by the size of the scope.
    pub discovery: Option<PortSet>,
}

/// The ports that the command line asks for.
///
/// # Errors
/// A UDP port that headcount has no question for; more top ports than there are.
pub(crate) fn ports_of(what: &WhatArgs) -> Result<Ports, anyhow::Error> {
    let known_udp = || payload::PORTS.iter().map(|(port, _)| *port).collect::<PortSet>();
    if let Some(udp) = &what.udp_ports
        && let Some(port) = udp.as_slice().iter().find(|port| !payload::is_asked(**port))
    {
        anyhow::bail!(
            "--udp-ports: there is no question for port {port}; those with one are {}",
            known_udp()
        );
    }
    if let Some(count) = what.top_ports.filter(|count| !(1..=ports::TCP.len()).contains(count)) {
        anyhow::bail!(
            "--top-ports {count}: choose from 1 to {}, or name the ports with --ports",
            ports::TCP.len()
        );
    }
    if what.discover_only {
        return Ok(Ports {
            tcp: PortSet::new(),
            udp: PortSet::new(),
            discovery: what.discovery_ports.clone(),
        });
    }
    let tcp = match (&what.ports, what.top_ports) {
        (Some(ports), _) => ports.clone(),
        (None, Some(count)) => ports::top_ports(count),
        (None, None) => ports::default_ports(),
    };
    Ok(Ports {
        tcp,
        udp: what.udp_ports.clone().unwrap_or_else(known_udp),
        discovery: what.discovery_ports.clone(),
    })
}

/// What hosts are asked about themselves.
///
/// # Errors
/// A community that is no text of a community's length.
pub(crate) fn probing_of(probes: &ProbeArgs, what: &WhatArgs) -> Result<Probing, anyhow::Error> {
    const LONGEST: usize = 255;
    let community = &probes.snmp_community;
    if community.is_empty() || community.len() > LONGEST {
        anyhow::bail!(
            "--snmp-community: a community has 1 to {LONGEST} bytes; --no-snmp-community asks without one"
        );
    }
    Ok(Probing {
        enabled: !probes.no_probes && !what.discover_only,
        careful: probes.careful,
        community: (!probes.no_snmp_community).then(|| community.clone()),
    })
}

/// What a plan is made of.
#[derive(Debug)]
pub(crate) struct Ingredients<'a> {
    /// What may be touched.
    pub scope: Scope,
    /// How it is reached.
    pub segments: Vec<Segment>,
    /// Which ports.
    pub ports: Ports,
    /// Whether echo requests are wanted.
    pub echo: bool,
    /// What this process can do.
    pub can: &'a Capabilities,
    /// The limits.
    pub limits: Limits,
    /// Whether names are looked up.
    pub names: bool,
    /// What hosts are asked about themselves.
    pub probing: Probing,
    /// Now.
    pub epoch: Timestamp,
    /// The seed.
    pub seed: u64,
}

/// Puts a plan together.
pub(crate) fn plan(from: Ingredients<'_>) -> Plan {
    let behind_routers: u64 =
        from.segments.iter().filter(|s| s.kind == SegmentKind::Routed).map(|s| s.addresses.len()).sum();
    let discovery = from.ports.discovery.unwrap_or_else(|| {
        let all = behind_routers * from.ports.tcp.len() as u64;
        if from.ports.tcp.is_empty() || all > FULL_DISCOVERY {
            ports::discovery_ports()
        } else {
            from.ports.tcp.clone()
        }
    });
    Plan {
        scope: from.scope,
        segments: from.segments,
        ports: from.ports.tcp,
        udp_ports: from.ports.udp,
        discovery_ports: discovery,
        echo: from.echo,
        kernel_echo: from.can.echo.is_there(),
        limits: from.limits,
        names: from.names,
        probing: from.probing,
        epoch: from.epoch,
        seed: from.seed,
        source_ports: SOURCE_PORTS,
    }
}

/// The methods that a plan uses, each with what for.
pub(crate) fn methods(plan: &Plan) -> Vec<MethodUse> {
    let frames = |kind| plan.segments.iter().any(|s| s.kind == kind && matches!(s.path, Path::Frames { .. }));
    let kernel = |kind| plan.segments.iter().any(|s| s.kind == kind && s.path == Path::Kernel);
    let (attached, routed, local) = (SegmentKind::Attached, SegmentKind::Routed, SegmentKind::Local);
    let by_frames = frames(attached) || frames(routed);
    let by_kernel = kernel(attached) || kernel(routed) || kernel(local);
    let tcp =
        !plan.ports.is_empty() || (!plan.discovery_ports.is_empty() && (frames(routed) || kernel(routed)));
    let mut methods = Vec::new();
    let mut add = |wanted: bool, method, purpose: &str| {
        if wanted {
            methods.push(MethodUse { method, purpose: purpose.to_owned() });
        }
    };
    add(by_frames, Method::Arp, "who is on the attached segments, and the routers' own addresses");
    add(plan.echo && (by_frames || plan.kernel_echo), Method::IcmpEcho, "who answers, how far and how fast");
    add(tcp && by_frames, Method::TcpSyn, "which TCP ports are open, closed or filtered");
    add(
        tcp && by_kernel,
        Method::TcpConnect,
        "which TCP ports are open, closed or filtered, by whole connections",
    );
    add(
        !plan.udp_ports.is_empty(),
        Method::Udp,
        "which UDP services answer their own protocol's first question",
    );
    add(
        plan.probing.enabled,
        Method::Probe,
        "what hosts say of themselves, in the protocols of their open ports and of devices' own discovery",
    );
    add(kernel(attached), Method::NeighbourTable, "who is on the attached segments, by the kernel's own ARP");
    add(kernel(local), Method::Interface, "this machine's own addresses");
    add(plan.names, Method::Dns, "names of the hosts that are there");
    methods
}

/// The methods that a plan does not use, and why.
pub(crate) fn skipped(
    plan: &Plan,
    can: &Capabilities,
    unprivileged: bool,
    no_echo: bool,
    no_dns: Option<&str>,
) -> Vec<Skipped> {
    let raw = plan.segments.iter().any(|s| matches!(s.path, Path::Frames { .. }));
    let beyond_this_machine = plan.segments.iter().any(|s| s.kind != SegmentKind::Local);
    let mut skipped = Vec::new();
    let mut add = |method, why: String| skipped.push(Skipped { method, why });
    if !raw && beyond_this_machine {
        let why = match &can.raw_frames {
            _ if unprivileged => "left out by --unprivileged".to_owned(),
            Ability::Yes => "no segment of this scope is reached by Ethernet".to_owned(),
            Ability::No { why, way_out } => format!("{why}; {way_out}"),
        };
        add(
            Method::Arp,
            format!("{why}. The kernel asked instead, more slowly, and only on attached segments"),
        );
        add(Method::TcpSyn, format!("{why}. Whole connections were made instead"));
    }
    if no_echo {
        add(Method::IcmpEcho, "left out by --no-echo".to_owned());
    } else if !raw && let Ability::No { why, way_out } = &can.echo {
        add(
            Method::IcmpEcho,
            format!("{why}; {way_out}. Hosts behind routers that answer nothing but echo were missed"),
        );
    }
    if plan.udp_ports.is_empty() {
        add(Method::Udp, "no UDP port was to be asked".to_owned());
    }
    if let Some(why) = no_dns {
        add(Method::Dns, why.to_owned());
    }
    skipped
}

/// The subnets attached to this machine, as targets: not loopback, and nothing wider than a /16 by accident.
pub(crate) fn attached(
    interface: Option<&str>,
) -> Result<Vec<(String, ipnetwork::Ipv4Network)>, headcount_net::NetError> {
    let subnets = headcount_net::attached_subnets()?;
    Ok(subnets
        .into_iter()
        .filter(|(name, network)| {
            interface.is_none_or(|wanted| wanted == name)
                && !network.network().is_loopback()
                && network.prefix() < 32
        })
        .collect())
}

/// A seed that nobody chose.
pub(crate) fn random_seed() -> u64 {
    // The standard library's hasher keys come from the operating system's generator.
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// The wall clock, now.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

/// The machine's host name, where it has one.
pub(crate) fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    (!name.is_empty() && name != "(none)").then(|| name.to_owned())
}

/// An address of a segment, for messages.
pub(crate) fn vantage(segment: &Segment) -> String {
    let Some(source) = segment.source else { return segment.interface.clone() };
    match segment.path {
        Path::Frames { gateway: Some(gateway), .. } => {
            format!("{} ({source}) behind {gateway}", segment.interface)
        }
        Path::Frames { gateway: None, .. } | Path::Kernel => format!("{} ({source})", segment.interface),
    }
}
