//! One device out of the addresses that it has.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use headcount_model::{
    Address, Attribute, Device, Endpoint, FoldReason, HostName, Interface, MacAddr, PortSet, PortState,
    PortSummary, Presence, Reason, Service, Statement, Timestamp, Transport,
};

use super::{Fold, HostKey, Member, Owner, Part, Registries};
use crate::fold::{
    host::{Heard, Sign, shorter},
    ports::Entry,
};

/// The most bytes of a statement's value in a document.
const MOST_SHOWN: usize = 1 << 10;
/// From this confidence on, what answers on a port is named beside it.
const LIKELY: f64 = 0.5;
/// So many closed or filtered ports can stand out among the others; more are the rule.
const MOST_OUTSTANDING: usize = 10;

/// The signs of `member` that are `owner`'s: where two devices answer for one address, each has its own answers to
/// ARP, and nothing tells whose the others are.
fn signs<'a>(owner: &'a Owner, member: &'a Member<'_>) -> impl Iterator<Item = &'a (Sign, Heard)> {
    member.own.iter().filter(move |(sign, _)| match (owner, sign.mac) {
        (Owner::Mac(mac, _), Some(other)) => *mac == other,
        _ => true,
    })
}

/// The device that has all of `parts`.
pub(super) fn build(
    fold: &Fold,
    parts: &[&Part<'_>],
    folded: Vec<FoldReason>,
    registries: &Registries<'_>,
) -> Device {
    let together: Vec<_> = parts.iter().map(|part| (&part.owner, &part.members)).collect();
    let identity = match parts {
        [part] => part.identity.clone(),
        _ => super::identity(&together, registries),
    };
    let interfaces = interfaces(parts, registries);
    // Two owners of one device may claim one address.
    let members: BTreeMap<HostKey, &Member<'_>> =
        parts.iter().flat_map(|part| &part.members).map(|member| (member.key, *member)).collect();
    let open = Ports::of(fold, &members, &identity.attributes, registries);
    let heard =
        parts.iter().flat_map(|part| part.members.iter().flat_map(|member| signs(&part.owner, member)));
    let heard = heard.map(|(_, heard)| *heard).reduce(Heard::merge);
    let statements: BTreeSet<Statement> =
        members.values().flat_map(|member| member.host.statements.of(member.key.1, MOST_SHOWN)).collect();
    Device {
        id: id(&interfaces),
        this_machine: parts.iter().any(|part| part.owner == Owner::ThisMachine),
        names: names(&members),
        presence: presence(parts),
        interfaces,
        services: open.services,
        ports: open.ports,
        attributes: identity.attributes,
        exposures: identity.exposures,
        statements: statements.into_iter().collect(),
        folded,
        accepts_every_port: open.every_port || members.values().any(|member| member.host.accepts_every_port),
        first_heard: heard.map_or_else(Timestamp::default, |heard| heard.first.0),
        last_heard: heard.map_or_else(Timestamp::default, |heard| heard.last),
    }
}

/// What the ports of a device's addresses come to.
struct Ports {
    services: Vec<Service>,
    ports: Vec<PortSummary>,
    every_port: bool,
}

impl Ports {
    fn of(
        fold: &Fold,
        members: &BTreeMap<HostKey, &Member<'_>>,
        attributes: &[Attribute],
        registries: &Registries<'_>,
    ) -> Self {
        let (mut services, mut ports, mut every_port) = (Vec::new(), Vec::new(), false);
        for member in members.values() {
            let settled = member.host.ports.settled();
            let doubtful = |entry: &Entry| is_doubtful(fold, member, entry);
            every_port |= settled.iter().any(doubtful);
            let listed = outstanding(&settled);
            let shown = settled.iter().filter(|entry| listed(entry) && !doubtful(entry));
            services.extend(shown.map(|entry| service(member.key.1, entry, attributes, registries)));
            ports.extend(summaries(member.key.1, &settled));
        }
        services.sort_by_key(|s: &Service| (s.address, s.transport, s.port));
        ports.sort_by_key(|p: &PortSummary| (p.address, p.transport, p.state, p.reason));
        Self { services, ports, every_port }
    }
}

fn id(interfaces: &[Interface]) -> String {
    let mac = interfaces.iter().filter_map(|interface| interface.mac).min();
    let address = interfaces.iter().flat_map(|i| &i.addresses).map(|a| a.address).min();
    match (mac, address) {
        (Some(mac), _) => mac.to_string(),
        (None, Some(address)) => address.to_string(),
        (None, None) => String::new(),
    }
}

/// Sorts interfaces by link-layer address, those without one last.
type InterfaceKey = (bool, Option<MacAddr>, u16);

fn interfaces(parts: &[&Part<'_>], registries: &Registries<'_>) -> Vec<Interface> {
    let mut found: BTreeMap<InterfaceKey, BTreeMap<Ipv4Addr, Option<u32>>> = BTreeMap::new();
    for (owner, member) in
        parts.iter().flat_map(|part| part.members.iter().map(|member| (&part.owner, *member)))
    {
        let (segment, address) = member.key;
        let rtt = signs(owner, member).fold(None, |rtt, (_, heard)| shorter(rtt, heard.rtt_us));
        for mac in macs_of(owner, member) {
            let interface = found.entry((mac.is_none(), mac, segment)).or_default();
            let known = interface.entry(address).or_default();
            *known = shorter(*known, rtt);
        }
    }
    let interface = |((_, mac, segment), addresses): (InterfaceKey, BTreeMap<_, _>)| Interface {
        segment,
        mac,
        maker: mac.and_then(|mac| registries.makers.maker(mac)).map(str::to_owned),
        locally_administered: mac.is_some_and(MacAddr::is_locally_administered),
        addresses: addresses.into_iter().map(|(address, rtt_us)| Address { address, rtt_us }).collect(),
    };
    found.into_iter().map(interface).collect()
}

/// The link-layer addresses through which `owner` has the address; `None` where it is unknown.
pub(super) fn macs_of(owner: &Owner, member: &Member<'_>) -> Vec<Option<MacAddr>> {
    match owner {
        Owner::Mac(mac, _) => vec![Some(*mac)],
        Owner::Address(_) => vec![None],
        Owner::ThisMachine => {
            let macs: Vec<_> = super::macs(member).into_iter().map(Some).collect();
            if macs.is_empty() { vec![None] } else { macs }
        }
    }
}

fn names(members: &BTreeMap<HostKey, &Member<'_>>) -> Vec<HostName> {
    let mut names: BTreeSet<HostName> = BTreeSet::new();
    for member in members.values() {
        let address = member.key.1;
        let heard = member.host.names.iter();
        names.extend(heard.map(|(name, source)| HostName { name: name.clone(), source: *source, address }));
        names.extend(super::names::said(member));
    }
    names.into_iter().collect()
}

/// Each way once an address, in the order in which they were first seen.
fn presence(parts: &[&Part<'_>]) -> Vec<Presence> {
    let mut ways: BTreeMap<_, Heard> = BTreeMap::new();
    for (owner, member) in
        parts.iter().flat_map(|part| part.members.iter().map(|member| (&part.owner, *member)))
    {
        for (sign, heard) in signs(owner, member) {
            let way = (member.key.1, sign.method, sign.reason);
            ways.entry(way).and_modify(|old| *old = old.merge(*heard)).or_insert(*heard);
        }
    }
    let mut presence: Vec<_> = ways
        .into_iter()
        .filter_map(|((address, method, reason), heard)| {
            let (at, port) = heard.first;
            Some(Presence { address, method, reason, known: reason.known()?, port, at })
        })
        .collect();
    // Stable: what was seen at once stays in the order of address, method and reason.
    presence.sort_by_key(|presence| presence.at);
    presence
}

/// Whether an open port proves nothing: the host accepts on every port, or something before it does.
fn is_doubtful(fold: &Fold, member: &Member<'_>, ((transport, _), answer): &Entry) -> bool {
    if answer.state != PortState::Open || *transport != Transport::Tcp {
        return false;
    }
    member.host.accepts_every_port
        || (answer.reason == Reason::SynAck && fold.shadows.behind(member.key.0, &answer.sign()).is_some())
}

/// Which ports are listed one by one: the open ones, and of the closed and the filtered ones the rarer kind.
fn outstanding(settled: &[Entry]) -> impl Fn(&&Entry) -> bool + use<> {
    let count = |transport, state| {
        settled.iter().filter(|((t, _), answer)| *t == transport && answer.state == state).count()
    };
    let rare = |transport| {
        let [open, closed, filtered] =
            [PortState::Open, PortState::Closed, PortState::Filtered].map(|state| count(transport, state));
        let stands_out =
            |few: usize, many: usize| few <= MOST_OUTSTANDING && few < if many == 0 { open } else { many };
        if closed > 0 && stands_out(closed, filtered) {
            Some(PortState::Closed)
        } else if filtered > 0 && stands_out(filtered, closed) {
            Some(PortState::Filtered)
        } else {
            None
        }
    };
    let (tcp, udp) = (rare(Transport::Tcp), rare(Transport::Udp));
    move |((transport, _), answer)| {
        let rare = match transport {
            Transport::Tcp => tcp,
            Transport::Udp => udp,
        };
        answer.state == PortState::Open || Some(answer.state) == rare
    }
}

fn service(
    address: Ipv4Addr,
    ((transport, port), answer): &Entry,
    attributes: &[Attribute],
    registries: &Registries<'_>,
) -> Service {
    let here = Some(Endpoint { address, transport: *transport, port: *port });
    let likely = |name: &str| {
        let said = attributes.iter().find(|a| a.endpoint == here && a.name == name);
        said.filter(|a| a.confidence >= LIKELY).map(|a| a.value.clone())
    };
    Service {
        address,
        transport: *transport,
        port: *port,
        name: (registries.service_name)(*transport, *port).map(str::to_owned),
        product: likely("service.product"),
        version: likely("service.version"),
        vendor: likely("service.vendor"),
        state: answer.state,
        reason: answer.reason,
        method: answer.method,
        ttl: answer.ttl,
        rtt_us: answer.rtt_us,
        at: answer.at,
    }
}

fn summaries(address: Ipv4Addr, settled: &[Entry]) -> impl Iterator<Item = PortSummary> + use<> {
    let mut groups: BTreeMap<(Transport, PortState, Reason), Vec<u16>> = BTreeMap::new();
    for ((transport, port), answer) in settled {
        groups.entry((*transport, answer.state, answer.reason)).or_default().push(*port);
    }
    groups.into_iter().map(move |((transport, state, reason), ports)| {
        let ports: PortSet = ports.into_iter().collect();
        // A set of ports holds 65,535 at most.
        PortSummary { address, transport, state, reason, count: ports.len() as u32, ports }
    })
}
