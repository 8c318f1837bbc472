//! The engine against simulated networks.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod fragile;
mod grid;
mod interviews;
mod loss;
mod sweeps;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use headcount_engine::{Limits, Plan, Probing};
use headcount_model::{MacAddr, Observation, PhantomKind, PortState, Reason, Seen, Transport};
use headcount_sim::{Lan, Link, Outcome, Questions, Route, Simulation, driver::End, lan::Asked};
use headcount_sweep::{
    payload,
    ports::{default_ports, discovery_ports},
};

/// The limits of the product's profiles: total, per host, broadcast.
const GENTLE: (f64, f64, f64) = (100.0, 10.0, 50.0);
const STANDARD: (f64, f64, f64) = (1_000.0, 40.0, 800.0);
const FAST: (f64, f64, f64) = (10_000.0, 45.0, 3_000.0);

fn limits((total, per_host, broadcast): (f64, f64, f64)) -> Limits {
    Limits { total, per_host, broadcast, passes: 16, port_tries: 7, connections_per_host: 1, in_flight: 512 }
}

fn questions(profile: (f64, f64, f64), route: Route, seed: u64) -> Questions {
    Questions {
        ports: default_ports(),
        udp_ports: payload::PORTS.iter().map(|(port, _)| *port).collect(),
        discovery_ports: discovery_ports(),
        echo: true,
        names: true,
        probing: Probing::default(),
        route,
        limits: limits(profile),
        seed,
    }
}

/// The seed to replay, if one is asked for: every test then uses only that one.
#[expect(clippy::disallowed_methods, reason = "the test is where the seed comes in")]
fn replay() -> Option<u64> {
    std::env::var("HEADCOUNT_SIM_SEED").ok()?.parse().ok()
}

/// `HEADCOUNT_SIM_SEED`, or all seeds from `first` on.
fn seeds(first: u64, count: u64) -> Vec<u64> {
    replay().map_or_else(|| (first..first + count).collect(), |seed| vec![seed])
}

/// A lan of `tests/lans`.
#[expect(clippy::disallowed_methods, reason = "lans are files")]
fn lan(name: &str) -> Lan {
    let path = format!("{}/../../tests/lans/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Lan::parse(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn run(lan: &Lan, plan: Plan, link: Link, seed: u64) -> Outcome {
    let outcome = Simulation::new(plan, lan, link, seed).unwrap().run();
    assert_eq!(outcome.end, End::Finished, "seed {seed}, after {:?}", outcome.virtual_elapsed);
    outcome
}

/// What the observations of a run say, folded as simply as possible.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    hosts: BTreeMap<Ipv4Addr, Host>,
    phantoms: BTreeSet<(PhantomKind, Option<MacAddr>)>,
    tarpits: BTreeSet<Ipv4Addr>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Host {
    macs: BTreeSet<MacAddr>,
    tcp: BTreeSet<u16>,
    udp: BTreeSet<u16>,
    names: BTreeSet<String>,
    ports_done: bool,
}

/// A sign that is the same for all whom one machine answers for.
type Sign = (u16, PhantomKind, Option<MacAddr>, Option<u8>);

fn fold(observations: &[Observation]) -> Found {
    let mut found = Found::default();
    let mut for_all: BTreeSet<Sign> = BTreeSet::new();
    for one in observations {
        if let Seen::Phantom { what, mac, ttl } = one.seen {
            if what == PhantomKind::AcceptsEveryPort {
                found.tarpits.insert(one.address);
            } else {
                found.phantoms.insert((what, mac));
                for_all.insert((one.segment, what, mac.filter(|_| what == PhantomKind::ProxyArp), ttl));
            }
        }
    }
    for one in observations {
        let (reason, mac, ttl) = match &one.seen {
            Seen::Present { reason, mac, ttl, .. } => (*reason, *mac, *ttl),
            Seen::Port { reason, ttl, .. } => (*reason, None, *ttl),
            _ => continue,
        };
        if reason.known().is_none() {
            continue;
        }
        let kind = kind_of(reason);
        let proxied = kind == PhantomKind::ProxyArp;
        let sign = (one.segment, kind, mac.filter(|_| proxied), ttl.filter(|_| !proxied));
        if !for_all.contains(&sign) {
            found.hosts.entry(one.address).or_default().macs.extend(mac);
        }
    }
    for one in observations {
        let Some(host) = found.hosts.get_mut(&one.address) else { continue };
        match &one.seen {
            Seen::Port { transport, port, state: PortState::Open, .. } => {
                if *transport == Transport::Tcp { &mut host.tcp } else { &mut host.udp }.insert(*port);
            }
            Seen::Ports { transport: Transport::Tcp, ports, state: PortState::Open, .. } => {
                host.tcp.extend(ports.as_slice());
            }
            Seen::Name { name, .. } => {
                host.names.insert(name.clone());
            }
            Seen::PortsDone => host.ports_done = true,
            _ => {}
        }
    }
    found
}

fn kind_of(reason: Reason) -> PhantomKind {
    match reason {
        Reason::EchoReply => PhantomKind::EchoForAll,
        Reason::SynAck => PhantomKind::AcceptsForAll,
        Reason::Rst => PhantomKind::ResetsForAll,
        Reason::UdpReply | Reason::PortUnreachable | Reason::AdminProhibited => PhantomKind::UdpForAll,
        _ => PhantomKind::ProxyArp,
    }
}

/// Everything that is wrong with what was found, one line each.
fn wrong(lan: &Lan, plan: &Plan, route: Route, outcome: &Outcome) -> Vec<String> {
    let found = fold(&outcome.observations);
    let expected = lan.expected(&Asked::from(plan));
    let mut wrong = Vec::new();
    for (address, host) in &expected.hosts {
        let Some(seen) = found.hosts.get(address) else {
            wrong.push(format!("{address} {}: missed", host.persona));
            continue;
        };
        let knowable = |ports: &BTreeSet<u16>| {
            ports.iter().filter(|port| !host.tcp_unknowable.contains(**port)).copied().collect::<Vec<_>>()
        };
        if knowable(&seen.tcp) != host.tcp.as_slice() {
            wrong.push(format!("{address} {}: tcp {:?}, not {}", host.persona, seen.tcp, host.tcp));
        }
        let udp = seen.udp.iter().copied().collect::<Vec<_>>();
        if udp != host.udp.as_slice() && host.macs.len() < 2 {
            wrong.push(format!("{address} {}: udp {udp:?}, not {}", host.persona, host.udp));
        }
        let macs = seen.macs.iter().copied().collect::<Vec<_>>();
        // The kernel's table has one entry for an address.
        let one_of_two = route == Route::Kernel && macs.iter().all(|mac| host.macs.contains(mac));
        let unknown = host.mac_unknowable && macs.is_empty();
        if macs != host.macs && !one_of_two && !unknown {
            wrong.push(format!("{address} {}: macs {macs:?}, not {:?}", host.persona, host.macs));
        }
        if host.macs.len() < 2 && seen.names != host.name.iter().cloned().collect() {
            wrong.push(format!("{address} {}: names {:?}, not {:?}", host.persona, seen.names, host.name));
        }
        if !seen.ports_done {
            wrong.push(format!("{address} {}: its ports are not done", host.persona));
        }
    }
    let real = |address: &Ipv4Addr| {
        expected.hosts.contains_key(address)
            || expected.hidden.contains(address)
            || *address == lan.vantage.address
    };
    for (address, host) in found.hosts.iter().filter(|(address, _)| !real(address)) {
        wrong.push(format!("{address}: invented, {host:?}"));
    }
    let phantoms: BTreeSet<_> = found.phantoms.iter().map(|(what, _)| *what).collect();
    let must: BTreeSet<_> = expected.phantoms.iter().map(|(what, _)| *what).collect();
    if phantoms != must {
        wrong.push(format!("phantoms {phantoms:?}, not {must:?}"));
    }
    let tarpits: BTreeSet<_> = found.tarpits.difference(&expected.accepted_for).copied().collect();
    if tarpits != expected.tarpits {
        wrong.push(format!("tarpits {tarpits:?}, not {:?}", expected.tarpits));
    }
    wrong
}

/// What no sweep may do to any network.
fn rude(lan: &Lan, outcome: &Outcome) -> Vec<String> {
    let statistics = &outcome.statistics;
    let mut rude: Vec<String> = statistics.harmed.iter().map(|harm| format!("{harm:?}")).collect();
    let router = |address: &Ipv4Addr| {
        lan.routed.iter().any(|routed| {
            lan.personas.iter().any(|persona| persona.name == routed.router && persona.has(*address))
        })
    };
    let outside =
        statistics.outside.iter().filter(|address| !router(address) && Some(**address) != lan.name_server());
    rude.extend(outside.map(|address| format!("{address} is out of scope")));
    if !statistics.written.is_empty() || statistics.printed != 0 {
        rude.push(format!("written: {:?}, printed: {}", statistics.written, statistics.printed));
    }
    let faulty = [statistics.malformed, statistics.bad_checksums, statistics.stray];
    if faulty != [0; 3] {
        rude.push(format!("malformed, wrong checksums, wrong MACs: {faulty:?}"));
    }
    rude
}
