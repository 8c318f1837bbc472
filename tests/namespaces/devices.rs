//! The devices in the JSON beside what is really there.

use std::{collections::BTreeSet, net::Ipv4Addr};

use serde_json::Value;

use crate::support::{
    lab::{Drops, Lab, Truth},
    product::{Found, User, found},
};

/// Fails the test unless every host is found as it is, and nothing else but the scanner itself.
pub(super) fn assert_true(document: &Value, lab: &Lab, user: User, scanner: Ipv4Addr) {
    let run = &document["run"];
    let tcp_asked = ports(run["ports"].as_str().unwrap());
    let udp_asked = ports(run["udp_ports"].as_str().unwrap());
    for port in [21, 22, 53, 80, 139, 445, 1883] {
        assert!(tcp_asked.contains(&port), "port {port} is not among the default ports {tcp_asked:?}");
    }
    let mut rest = found(document);
    let mut faults = Vec::new();
    for (address, truth) in lab.truth() {
        let Some(found) = rest.remove(&address) else {
            faults.push(format!("{} ({address}) was not found", truth.host.name));
            continue;
        };
        let mut expect = |what: &str, fine: bool| {
            if !fine {
                faults.push(format!("{} ({address}): {what}: {found:?}", truth.host.name));
            }
        };
        expect("open TCP ports", found.tcp == &truth.tcp & &tcp_asked);
        expect("open UDP ports", found.udp == &truth.udp & &udp_asked);
        expect("the MAC address", found.mac.as_deref() == truth.attached.then_some(truth.host.mac));
        expect("the maker", maker_is_right(&truth, &found));
        expect("the name", name_is_right(&truth, address, &found));
        expect("why it is present", reasons_are_right(&truth, &found, user));
        expect("the states of its ports", states_are_right(&truth, &found));
        expect("the device", !found.this_machine);
    }
    if let Some(own) = rest.remove(&scanner) {
        assert!(own.this_machine, "{own:?}");
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(rest.is_empty(), "nobody is there: {rest:#?}");
    assert_one_device(document, ["10.91.0.21", "10.91.0.121"]);
}

/// Two addresses on one network card are one device.
fn assert_one_device(document: &Value, addresses: [&str; 2]) {
    let found = found(document);
    let [a, b] = addresses.map(|address| found[&address.parse::<Ipv4Addr>().unwrap()].id.clone());
    assert_eq!(a, b, "{addresses:?}");
}

fn maker_is_right(truth: &Truth, found: &Found) -> bool {
    let Some(mac) = &found.mac else { return found.maker.is_none() };
    let local = mac.starts_with("02:");
    let named = match (truth.host.maker, &found.maker) {
        (None, found) => found.is_none(),
        (Some(part), Some(found)) => found.contains(part),
        (Some(_), None) => false,
    };
    named && found.locally_administered == local
}

/// The first address of each host has a PTR record.
fn name_is_right(truth: &Truth, address: Ipv4Addr, found: &Found) -> bool {
    let has_record = truth.host.addresses[0] == address.to_string();
    let wanted: BTreeSet<_> =
        has_record.then(|| format!("{}.lab.example", truth.host.name)).into_iter().collect();
    found.names == wanted
}

fn reasons_are_right(truth: &Truth, found: &Found, user: User) -> bool {
    let has = |reason: &str| found.reasons.contains(reason);
    let by_link = match user {
        User::Root => "arp-reply",
        User::Nobody => "neighbour-table",
    };
    let other = if by_link == "arp-reply" { "neighbour-table" } else { "arp-reply" };
    let tcp = has("syn-ack") || has("rst");
    let link_is_right = has(by_link) == truth.attached && !has(other);
    link_is_right
        && match truth.host.drops {
            Drops::Nothing => truth.attached || tcp || has("echo-reply"),
            Drops::Icmp => !has("echo-reply") && (truth.attached || tcp),
            Drops::Tcp => !tcp,
            Drops::Ip => found.reasons == BTreeSet::from([by_link.to_owned()]),
        }
}

fn states_are_right(truth: &Truth, found: &Found) -> bool {
    let has = |state: &str| found.states.contains(state);
    match truth.host.drops {
        Drops::Nothing | Drops::Icmp => {
            has("closed rst") && has("open syn-ack") != found.tcp.is_empty() && !has("filtered no-answer")
        }
        Drops::Tcp | Drops::Ip => found.states == BTreeSet::from(["filtered no-answer".to_owned()]),
    }
}

/// Reads `22,80-90`.
fn ports(text: &str) -> BTreeSet<u16> {
    text.split(',')
        .filter(|part| !part.is_empty())
        .flat_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            first.parse::<u16>().unwrap()..=last.parse::<u16>().unwrap()
        })
        .collect()
}
