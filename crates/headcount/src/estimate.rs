//! What a plan would send: for the dry run.

use std::fmt::Write as _;

use headcount_engine::{MOST_CONVERSATIONS, MOST_PAGES, Path, Plan, Segment};
use headcount_model::{MethodUse, PortSet, SegmentKind, Skipped};
use headcount_probe::{Carrier, Safety};
use headcount_sweep::ALL;

/// How many packets a plan would send to find hosts and their ports, at the least and at the most. What probes send
/// depends on what hosts say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// If nobody answered.
    pub least: u64,
    /// If every address answered on the last pass and let all its ports time out.
    pub most: u64,
    /// To any one host at the most.
    pub per_host: u64,
    /// Broadcasts among the least.
    pub broadcasts: u64,
}

/// Passes that are made where nobody answers.
const EMPTY_PASSES: u64 = 3;

/// Counts what `plan` would send.
pub(crate) fn estimate(plan: &Plan) -> Estimate {
    let passes = u64::from(plan.limits.passes);
    let least_passes = EMPTY_PASSES.min(passes);
    let tries = u64::from(plan.limits.port_tries);
    let ports = (plan.ports.len() + plan.udp_ports.len()) as u64;
    let improbable = if plan.ports.is_empty() { 0 } else { 2 };
    let lane = u64::from(plan.echo) + improbable + ports;
    let mut total = Estimate { least: 0, most: 0, per_host: 0, broadcasts: 0 };
    for segment in &plan.segments {
        let questions = questions(plan, segment);
        let count = segment.addresses.len();
        total.least += count * questions * least_passes;
        total.most += count * (questions * passes + lane * tries);
        total.per_host = total.per_host.max(questions * passes + lane * tries);
        if segment.kind == SegmentKind::Attached {
            total.broadcasts += count * questions * least_passes;
        }
        if segment.kind == SegmentKind::Local {
            total.least += count * lane;
        }
    }
    total
}

/// Packets to one silent address in one pass.
fn questions(plan: &Plan, segment: &Segment) -> u64 {
    let echo = u64::from(plan.echo && (plan.kernel_echo || segment.path != Path::Kernel));
    match (segment.kind, segment.path) {
        (SegmentKind::Local, _) => 0,
        (SegmentKind::Attached, Path::Frames { .. }) => 1,
        // One datagram, for which the kernel asks by ARP up to three times.
        (SegmentKind::Attached, Path::Kernel) => 3,
        (SegmentKind::Routed, _) => echo + (plan.discovery_ports.len() + plan.udp_ports.len()) as u64,
    }
}

/// The dry run, as text.
pub(crate) fn describe(plan: &Plan, methods: &[MethodUse], skipped: &[Skipped], profile: &str) -> String {
    let mut text = String::new();
    let addresses: u64 = plan.segments.iter().map(|segment| segment.addresses.len()).sum();
    let _ = writeln!(
        text,
        "Dry run: nothing was sent.\n\nTargets: {addresses} addresses in {} segments",
        plan.segments.len()
    );
    for segment in &plan.segments {
        let _ = writeln!(
            text,
            "  {} {} through {}: {}",
            kind(segment),
            segment.addresses,
            crate::prepare::vantage(segment),
            asked(plan, segment)
        );
    }
    if !plan.scope.excluded.is_empty() {
        let _ = writeln!(text, "Never touched: {}", plan.scope.excluded);
    }
    text.push_str("\nMethods:\n");
    for used in methods {
        let _ = writeln!(text, "  {:<16} {}", used.method.as_str(), used.purpose);
        if let Some(known) = ALL.iter().find(|known| known.description().method == used.method) {
            let description = known.description();
            let _ = writeln!(text, "  {:<16} sends {}; {}", "", description.sends, description.normal);
        }
    }
    for not in skipped {
        let _ = writeln!(text, "  {:<16} not used: {}", not.method.as_str(), not.why);
    }
    let _ = writeln!(text, "\nEvery host that answers is asked:");
    let _ = writeln!(text, "  TCP ports ({}): {}", plan.ports.len(), or_none(&plan.ports.to_string()));
    let _ =
        writeln!(text, "  UDP ports ({}): {}", plan.udp_ports.len(), or_none(&plan.udp_ports.to_string()));
    if plan.segments.iter().any(|segment| segment.kind == SegmentKind::Routed) {
        let _ = writeln!(
            text,
            "Addresses behind routers are asked first: TCP ports ({}): {}",
            plan.discovery_ports.len(),
            plan.discovery_ports
        );
    }
    if plan.probing.enabled {
        text.push_str(&probes(plan));
    }
    text.push_str(&amounts(plan, profile));
    text
}

/// What hosts are asked about themselves, protocol by protocol.
fn probes(plan: &Plan) -> String {
    let careful = plan.probing.careful;
    let asked = |probe: &&&headcount_probe::Probe| {
        (careful || probe.safety == Safety::Safe)
            && (plan.probing.community.is_some() || probe.name != "snmp-community")
    };
    let mut text = format!(
        "\nThen it is asked about itself, on ports that are open (UDP: not known to be closed), in at most \
         {MOST_CONVERSATIONS} conversations:\n"
    );
    for probe in headcount_probe::ALL.iter().filter(asked) {
        let _ = writeln!(text, "  {}", described(probe));
    }
    let _ = writeln!(
        text,
        "  Fingerprints of what a web port says may ask for up to {MOST_PAGES} pages more there, with one GET each"
    );
    if !careful {
        let left = headcount_probe::ALL.iter().filter(|probe| probe.safety == Safety::Careful);
        let names: Vec<&str> = left.map(|probe| probe.name).collect();
        let _ = writeln!(text, "  Not without --careful: {}", names.join(", "));
    }
    text
}

/// One protocol: where it is asked and what that sends.
fn described(probe: &headcount_probe::Probe) -> String {
    let list = |ports: &[u16], how: &str| {
        let ports = ports.iter().copied().collect::<PortSet>();
        (!ports.is_empty()).then(|| format!("{ports}{how}"))
    };
    let carrier = if probe.carrier == Carrier::Datagram { "/udp" } else { "" };
    let ports: Vec<String> =
        [list(probe.ports, carrier), list(probe.tls_ports, " in TLS")].into_iter().flatten().collect();
    let ports = match (ports.is_empty(), probe.multicast) {
        (true, Some(group)) => format!("{}/udp", group.at.port()),
        (true, None) => "where another answer leads".to_owned(),
        (false, _) => ports.join("; "),
    };
    let class = if probe.safety == Safety::Careful { " (careful)" } else { "" };
    let group =
        if probe.multicast.is_some() { "; to its group where the scope holds the whole subnet" } else { "" };
    format!("{:<16} {ports}{class}: sends {}{group}", probe.name, probe.sends)
}

fn amounts(plan: &Plan, profile: &str) -> String {
    let limits = &plan.limits;
    let count = estimate(plan);
    let seconds = |packets: u64, broadcasts: u64| {
        let time = (packets as f64 / limits.total).max(broadcasts as f64 / limits.broadcast);
        crate::progress::duration(std::time::Duration::from_secs_f64(time.min(1e9)))
    };
    format!(
        "\nLimits ({profile}): {} packets/s in all, {} to any one host, {} broadcasts/s on a segment; at most {} passes, \
         one connection at a time to a host (with eight open ports or more, up to four once it has shown that it \
         stands them)\n\
         Packets to find hosts and ports: {} if nobody answers ({}), at most {} ({}); to any one host at most {}\n",
        limits.total,
        limits.per_host,
        limits.broadcast,
        limits.passes,
        count.least,
        seconds(count.least, count.broadcasts),
        count.most,
        seconds(count.most, count.broadcasts),
        count.per_host,
    )
}

fn kind(segment: &Segment) -> &'static str {
    match segment.kind {
        SegmentKind::Attached => "attached",
        SegmentKind::Routed => "routed",
        SegmentKind::Local => "this machine",
    }
}

fn asked(plan: &Plan, segment: &Segment) -> String {
    match (segment.kind, segment.path) {
        (SegmentKind::Local, _) => "connections only".to_owned(),
        (SegmentKind::Attached, Path::Frames { .. }) => "an ARP request to every address".to_owned(),
        (SegmentKind::Attached, Path::Kernel) => {
            "a datagram to every address, so that the kernel asks by ARP".to_owned()
        }
        (SegmentKind::Routed, _) => format!("{} questions to every address", questions(plan, segment)),
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}
