use std::{net::Ipv4Addr, time::Duration};

use headcount_model::{
    AddressSet, Device, Findings, MacAddr, Method, NameSource, Observation, PhantomKind, PortSet, PortState,
    Raw, Reason, Seen, SegmentKind, SegmentRecord, Timestamp, Transport,
};
use proptest::prelude::*;

use super::*;

const LAN: u16 = 0;
const VLAN: u16 = 1;
const ROUTED: u16 = 2;
const LOCAL: u16 = 3;
const OTHER_LINK: u16 = 4;

fn segment(id: u16, kind: SegmentKind, interface: &str, gateway: Option<[u8; 4]>) -> SegmentRecord {
    SegmentRecord {
        id,
        kind,
        interface: interface.to_owned(),
        gateway: gateway.map(Ipv4Addr::from),
        source: None,
        source_mac: None,
        addresses: AddressSet::new(),
        asked: 0,
        present: 0,
        phantoms: 0,
        unreachable: 0,
        passes: 1,
        control_loss: None,
        controls_asked: 0,
        miss_chance: None,
        complete: true,
    }
}

fn segments() -> Vec<SegmentRecord> {
    vec![
        segment(LAN, SegmentKind::Attached, "eth0", None),
        segment(VLAN, SegmentKind::Attached, "eth0.20", None),
        segment(ROUTED, SegmentKind::Routed, "eth0", Some([10, 0, 0, 1])),
        segment(LOCAL, SegmentKind::Local, "lo", None),
        segment(OTHER_LINK, SegmentKind::Attached, "eth1", None),
    ]
}

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn mac(last: u8) -> MacAddr {
    MacAddr([0x00, 0x00, 0x0c, 0, 0, last])
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000) + Duration::from_secs(seconds)
}

fn seen(segment: u16, address: Ipv4Addr, method: Method, seen: Seen) -> Observation {
    Observation { at: at(0), segment, address, method, seen }
}

fn arp(segment: u16, last: u8, by: MacAddr) -> Observation {
    let present = Seen::Present { reason: Reason::ArpReply, mac: Some(by), ttl: None, rtt_us: Some(300) };
    seen(segment, ip(last), Method::Arp, present)
}

fn echo(segment: u16, last: u8, ttl: u8) -> Observation {
    let present = Seen::Present { reason: Reason::EchoReply, mac: None, ttl: Some(ttl), rtt_us: Some(200) };
    seen(segment, ip(last), Method::IcmpEcho, present)
}

fn port(segment: u16, last: u8, port: u16, state: PortState, reason: Reason, ttl: u8) -> Observation {
    let transport = Transport::Tcp;
    let ttl = (reason != Reason::NoAnswer).then_some(ttl);
    let port = Seen::Port { transport, port, state, reason, ttl, rtt_us: None };
    seen(segment, ip(last), Method::TcpSyn, port)
}

fn open(segment: u16, last: u8, number: u16, ttl: u8) -> Observation {
    port(segment, last, number, PortState::Open, Reason::SynAck, ttl)
}

fn closed(segment: u16, last: u8, number: u16) -> Observation {
    port(segment, last, number, PortState::Closed, Reason::Rst, 64)
}

fn silent(segment: u16, last: u8, number: u16) -> Observation {
    port(segment, last, number, PortState::Filtered, Reason::NoAnswer, 0)
}

fn phantom(segment: u16, last: u8, what: PhantomKind, mac: Option<MacAddr>, ttl: Option<u8>) -> Observation {
    seen(segment, ip(last), Method::Arp, Seen::Phantom { what, mac, ttl })
}

fn fold(observations: &[Observation]) -> Folded {
    let mut fold = Fold::new(&segments());
    for observation in observations {
        fold.push(observation);
    }
    let (makers, library) = (Makers::embedded(), Library::empty());
    let name = |transport, port| match (transport, port) {
        (Transport::Tcp, 22) => Some("ssh"),
        _ => None,
    };
    fold.finish(&Registries { makers: &makers, library: &library, service_name: &name })
}

fn ids(folded: &Folded) -> Vec<&str> {
    folded.devices.iter().map(|device| device.id.as_str()).collect()
}

fn addresses(device: &Device) -> Vec<Ipv4Addr> {
    device.interfaces.iter().flat_map(|i| &i.addresses).map(|a| a.address).collect()
}

fn services(device: &Device) -> Vec<(u16, PortState)> {
    device.services.iter().map(|service| (service.port, service.state)).collect()
}

#[test]
fn addresses_with_one_mac_are_one_interface() {
    let folded = fold(&[arp(LAN, 9, mac(1)), arp(LAN, 5, mac(1)), arp(LAN, 7, mac(2)), echo(LAN, 5, 64)]);
    assert_eq!(ids(&folded), ["00:00:0c:00:00:01", "00:00:0c:00:00:02"]);
    let device = &folded.devices[0];
    assert_eq!(device.interfaces.len(), 1);
    assert_eq!(addresses(device), [ip(5), ip(9)]);
    assert_eq!(device.interfaces[0].maker.as_deref(), Some("Cisco Systems, Inc"));
    assert_eq!(device.interfaces[0].addresses[0].rtt_us, Some(200));
    assert_eq!(device.presence.len(), 3);
    assert_eq!(folded.segments[&LAN], SegmentCounts { present: 3, phantoms: 0, unreachable: 0 });
    assert_eq!(folded.findings, Findings::default());
}

#[test]
fn a_mac_on_two_vlans_is_one_device_with_two_interfaces() {
    let local = MacAddr([0x02, 0, 0, 0, 0, 9]);
    let folded = fold(&[
        arp(LAN, 5, mac(1)),
        arp(VLAN, 105, mac(1)),
        arp(OTHER_LINK, 205, mac(1)),
        arp(LAN, 6, local),
        arp(VLAN, 106, local),
        arp(OTHER_LINK, 206, local),
    ]);
    // What software chose says nothing about another link.
    assert_eq!(ids(&folded), ["00:00:0c:00:00:01", "02:00:00:00:00:09", "02:00:00:00:00:09@4"]);
    let segments = |i: usize| folded.devices[i].interfaces.iter().map(|i| i.segment).collect::<Vec<_>>();
    assert_eq!(segments(0), [LAN, VLAN, OTHER_LINK]);
    assert_eq!(segments(1), [LAN, VLAN]);
    assert!(folded.devices[1].interfaces[0].locally_administered);
    assert_eq!(folded.devices[1].interfaces[0].maker, None);
}

#[test]
fn behind_a_router_each_address_is_a_device_without_mac() {
    let mut with_mac = echo(ROUTED, 50, 63);
    with_mac.seen =
        Seen::Present { reason: Reason::EchoReply, mac: Some(mac(1)), ttl: Some(63), rtt_us: None };
    let folded = fold(&[with_mac, echo(ROUTED, 51, 63), arp(LAN, 1, mac(1))]);
    assert_eq!(ids(&folded), ["00:00:0c:00:00:01", "10.0.0.50", "10.0.0.51"]);
    assert_eq!(folded.devices[1].interfaces[0].mac, None);
}

#[test]
fn this_machine_is_one_device() {
    let own = |last, mac| {
        let present = Seen::Present { reason: Reason::LocalAddress, mac, ttl: None, rtt_us: None };
        seen(LOCAL, ip(last), Method::Interface, present)
    };
    let folded = fold(&[own(2, Some(mac(8))), own(3, Some(mac(9))), own(4, None), closed(LOCAL, 2, 22)]);
    assert_eq!(folded.devices.len(), 1);
    let device = &folded.devices[0];
    assert!(device.this_machine);
    assert_eq!(device.id, "00:00:0c:00:00:08");
    assert_eq!(addresses(device), [ip(2), ip(3), ip(4)]);
    assert_eq!(device.interfaces.last().map(|i| i.mac), Some(None));
}

#[test]
fn two_macs_for_one_address_are_two_devices_and_a_finding() {
    let folded = fold(&[arp(LAN, 5, mac(2)), arp(LAN, 5, mac(1)), arp(LAN, 6, mac(2)), echo(LAN, 5, 64)]);
    assert_eq!(ids(&folded), ["00:00:0c:00:00:01", "00:00:0c:00:00:02"]);
    assert_eq!(addresses(&folded.devices[0]), [ip(5)]);
    assert_eq!(addresses(&folded.devices[1]), [ip(5), ip(6)]);
    let duplicate = &folded.findings.duplicate_addresses[0];
    assert_eq!((duplicate.address, duplicate.macs.as_slice()), (ip(5), &[mac(1), mac(2)][..]));
    assert_eq!(folded.segments[&LAN].present, 2);
}

#[test]
fn who_proxies_is_there_once_and_what_it_proxies_is_not() {
    let proxy = mac(1);
    let mut observations = vec![phantom(LAN, 200, PhantomKind::ProxyArp, Some(proxy), None)];
    observations.extend((1..=100).map(|last| arp(LAN, last, proxy)));
    // A host of its own MAC that the proxy answers for as well; one far behind the proxy.
    observations.extend([arp(LAN, 20, mac(20)), echo(LAN, 30, 62)]);
    let folded = fold(&observations);
    // 10.0.0.1 is the gateway of the routed segment, so its answer is its own.
    assert_eq!(ids(&folded), ["00:00:0c:00:00:01", "00:00:0c:00:00:14", "10.0.0.30"]);
    assert_eq!(addresses(&folded.devices[0]), [ip(1)]);
    assert_eq!(folded.devices[2].interfaces[0].mac, None);
    let finding = &folded.findings.phantoms[0];
    assert_eq!((finding.what, finding.mac, finding.address), (PhantomKind::ProxyArp, Some(proxy), ip(200)));
    assert_eq!(finding.not_counted, 97);
    assert_eq!(folded.segments[&LAN], SegmentCounts { present: 3, phantoms: 97, unreachable: 0 });
    assert!(folded.findings.duplicate_addresses.is_empty());
}

#[test]
fn a_proxy_is_known_by_answers_that_no_router_passed_on() {
    let proxy = mac(1);
    let folded = fold(&[
        phantom(LAN, 200, PhantomKind::ProxyArp, Some(proxy), None),
        arp(LAN, 7, proxy),
        echo(LAN, 7, 64),
        arp(LAN, 8, proxy),
        echo(LAN, 8, 63),
    ]);
    assert_eq!(ids(&folded), ["00:00:0c:00:00:01", "10.0.0.8"]);
    assert_eq!(folded.devices[0].presence.len(), 2);
    assert_eq!(folded.devices[1].presence.len(), 1);
    assert_eq!(folded.findings.phantoms[0].not_counted, 0);
}

#[test]
fn answers_for_all_count_only_where_they_differ() {
    let folded = fold(&[
        phantom(ROUTED, 200, PhantomKind::AcceptsForAll, None, Some(62)),
        phantom(ROUTED, 201, PhantomKind::ResetsForAll, None, Some(254)),
        // Only the firewall.
        open(ROUTED, 40, 80, 62),
        port(ROUTED, 41, 23, PortState::Closed, Reason::Rst, 254),
        // Its own time to live; another kind of answer.
        open(ROUTED, 42, 443, 61),
        open(ROUTED, 42, 80, 62),
        echo(ROUTED, 43, 62),
        open(ROUTED, 43, 80, 62),
    ]);
    assert_eq!(ids(&folded), ["10.0.0.42", "10.0.0.43"]);
    // The firewall's open ports are not theirs.
    assert_eq!(services(&folded.devices[0]), [(443, PortState::Open)]);
    assert_eq!(services(&folded.devices[1]), []);
    assert!(folded.devices[0].accepts_every_port);
    let counts: Vec<_> = folded.findings.phantoms.iter().map(|p| (p.what, p.not_counted)).collect();
    assert_eq!(counts, [(PhantomKind::AcceptsForAll, 1), (PhantomKind::ResetsForAll, 1)]);
    assert_eq!(folded.segments[&ROUTED], SegmentCounts { present: 2, phantoms: 2, unreachable: 0 });
}

#[test]
fn a_phantom_stays_on_its_segment() {
    let folded = fold(&[
        phantom(ROUTED, 200, PhantomKind::EchoForAll, None, Some(64)),
        echo(ROUTED, 40, 64),
        echo(OTHER_LINK, 41, 64),
    ]);
    assert_eq!(ids(&folded), ["10.0.0.41"]);
}

#[test]
fn a_host_that_accepts_everything_is_there_and_lists_nothing() {
    let folded = fold(&[
        arp(LAN, 5, mac(5)),
        open(LAN, 5, 22, 64),
        open(LAN, 5, 1, 64),
        phantom(LAN, 5, PhantomKind::AcceptsEveryPort, None, Some(64)),
    ]);
    let device = &folded.devices[0];
    assert!(device.accepts_every_port);
    assert!(device.services.is_empty());
    assert_eq!(device.ports[0].ports, "1,22".parse().unwrap());
    assert_eq!(folded.findings.phantoms[0].what, PhantomKind::AcceptsEveryPort);
}

#[test]
fn ports_believe_the_strongest_answer_and_list_what_stands_out() {
    let mut observations = vec![arp(LAN, 5, mac(5)), silent(LAN, 5, 22), open(LAN, 5, 22, 64)];
    observations.extend([closed(LAN, 5, 23), silent(LAN, 5, 23), closed(LAN, 5, 24), open(LAN, 5, 24, 64)]);
    let ports: PortSet = (100..=160).collect();
    let many = Seen::Ports {
        transport: Transport::Tcp,
        ports,
        state: PortState::Filtered,
        reason: Reason::NoAnswer,
    };
    observations.push(seen(LAN, ip(5), Method::TcpSyn, many));
    let folded = fold(&observations);
    let device = &folded.devices[0];
    assert_eq!(services(device), [(22, PortState::Open), (23, PortState::Closed), (24, PortState::Open)]);
    assert_eq!(device.services[0].name.as_deref(), Some("ssh"));
    let summary: Vec<_> = device.ports.iter().map(|p| (p.state, p.count, p.ports.to_string())).collect();
    assert_eq!(
        summary,
        [
            (PortState::Open, 2, "22,24".to_owned()),
            (PortState::Closed, 1, "23".to_owned()),
            (PortState::Filtered, 61, "100-160".to_owned())
        ]
    );
}

#[test]
fn what_is_the_rule_is_not_listed() {
    let mut observations = vec![open(LAN, 5, 22, 64)];
    observations.extend((100..150).map(|port| closed(LAN, 5, port)));
    assert_eq!(services(&fold(&observations).devices[0]), [(22, PortState::Open)]);
    observations.extend((200..211).map(|port| silent(LAN, 5, port)));
    assert_eq!(services(&fold(&observations).devices[0]).len(), 1, "eleven are too many");
    observations.pop();
    assert_eq!(services(&fold(&observations).devices[0]).len(), 11);
}

#[test]
fn unreachable_means_it_never_answered() {
    let said = |last| {
        let unreachable = Seen::Unreachable { by: ip(1), reason: Reason::Unreachable };
        seen(ROUTED, ip(last), Method::IcmpEcho, unreachable)
    };
    let name = Seen::Name { name: "nobody.example".to_owned(), source: NameSource::Ptr };
    let folded = fold(&[
        said(60),
        said(61),
        echo(ROUTED, 61, 60),
        seen(ROUTED, ip(62), Method::Dns, name),
        silent(ROUTED, 63, 22),
    ]);
    assert_eq!(ids(&folded), ["10.0.0.61"]);
    assert_eq!(folded.segments[&ROUTED], SegmentCounts { present: 1, phantoms: 0, unreachable: 1 });
    let mut records = segments();
    folded.count_into(&mut records);
    assert_eq!((records[2].present, records[2].unreachable), (1, 1));
}

#[test]
fn times_are_the_first_and_the_last() {
    let mut observations = [arp(LAN, 5, mac(5)), echo(LAN, 5, 64), arp(LAN, 5, mac(5)), silent(LAN, 5, 1)];
    for (observation, second) in observations.iter_mut().zip([5, 2, 9, 20]) {
        observation.at = at(second);
    }
    let device = &fold(&observations).devices[0];
    assert_eq!((device.first_heard, device.last_heard), (at(2), at(9)));
    let order: Vec<_> = device.presence.iter().map(|p| (p.reason, p.at)).collect();
    assert_eq!(order, [(Reason::EchoReply, at(2)), (Reason::ArpReply, at(5))]);
}

#[test]
fn a_large_network_folds() {
    let mut fold = Fold::new(&segments());
    let reply = |address: u32, seen: Seen| Observation {
        at: at(0),
        segment: LAN,
        address: Ipv4Addr::from(0x0a00_0000 + address),
        method: Method::Arp,
        seen,
    };
    for host in 0..65_536u32 {
        let [_, _, c, d] = host.to_be_bytes();
        let mac = Some(MacAddr([0, 0, 0x0c, 1, c, d]));
        fold.push(&reply(host, Seen::Present { reason: Reason::ArpReply, mac, ttl: None, rtt_us: None }));
        for port in 1..=16 {
            let (state, reason) = (PortState::Closed, Reason::Rst);
            let transport = Transport::Tcp;
            fold.push(&reply(
                host,
                Seen::Port { transport, port, state, reason, ttl: Some(64), rtt_us: None },
            ));
        }
    }
    let (makers, library) = (Makers::embedded(), Library::empty());
    let folded = fold.finish(&Registries { makers: &makers, library: &library, service_name: &|_, _| None });
    assert_eq!(folded.devices.len(), 65_536);
    assert!(folded.devices.iter().all(|device| device.services.is_empty() && device.ports[0].count == 16));
}

#[test]
fn a_lying_host_cannot_fill_the_memory() {
    let mut fold = Fold::new(&segments());
    for i in 0..10_000u32 {
        let [_, b, c, d] = i.to_be_bytes();
        fold.push(&arp(LAN, 5, MacAddr([0, 0, 0x0c, b, c, d])));
        let name = Seen::Name { name: format!("n{i}"), source: NameSource::Ptr };
        fold.push(&seen(LAN, ip(5), Method::Dns, name));
        fold.push(&closed(LAN, 5, 80));
    }
    let (makers, library) = (Makers::embedded(), Library::empty());
    let folded = fold.finish(&Registries { makers: &makers, library: &library, service_name: &|_, _| None });
    assert!(folded.devices.len() <= 64);
    assert!(folded.devices[0].names.len() <= 32);
}

fn any_reason() -> impl Strategy<Value = Reason> {
    prop::sample::select(vec![
        Reason::ArpReply,
        Reason::EchoReply,
        Reason::SynAck,
        Reason::Rst,
        Reason::PortUnreachable,
        Reason::LocalAddress,
        Reason::NoAnswer,
    ])
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let ttl = || prop::option::of(prop::sample::select(vec![63u8, 64]));
    let mac = || prop::option::of((1u8..4).prop_map(mac));
    let state = || prop::sample::select(vec![PortState::Open, PortState::Closed, PortState::Filtered]);
    let transport = || prop::sample::select(vec![Transport::Tcp, Transport::Udp]);
    let what = prop::sample::select(vec![
        PhantomKind::ProxyArp,
        PhantomKind::EchoForAll,
        PhantomKind::AcceptsForAll,
        PhantomKind::ResetsForAll,
        PhantomKind::UdpForAll,
        PhantomKind::AcceptsEveryPort,
    ]);
    prop_oneof![
        4 => (any_reason(), mac(), ttl(), prop::option::of(0u32..9))
            .prop_map(|(reason, mac, ttl, rtt_us)| Seen::Present { reason, mac, ttl, rtt_us }),
        4 => (transport(), 0u16..6, state(), any_reason(), ttl()).prop_map(
            |(transport, port, state, reason, ttl)| Seen::Port { transport, port, state, reason, ttl, rtt_us: None }
        ),
        2 => (transport(), prop::collection::vec(0u16..9, 0..4), state(), any_reason()).prop_map(
            |(transport, ports, state, reason)| {
                Seen::Ports { transport, ports: ports.into_iter().collect(), state, reason }
            }
        ),
        1 => (what, mac(), ttl()).prop_map(|(what, mac, ttl)| Seen::Phantom { what, mac, ttl }),
        3 => (20u16..23, prop::sample::select(vec!["ssh.hostkey.sha256", "tls.key", "mdns.host", "mdns.address", "snmp.engineid"]),
            prop::sample::select(vec!["0123ab", "4567cd", "10.0.0.2", "\u{1b}[2J", ""]))
            .prop_map(|(port, field, value)| Seen::Said {
                transport: Transport::Tcp,
                port,
                probe: "test".to_owned(),
                field: field.to_owned(),
                value: Raw::from(value),
            }),
        1 => "[ab]".prop_map(|name| Seen::Name { name, source: NameSource::Ptr }),
        1 => Just(Seen::Unreachable { by: ip(1), reason: Reason::Unreachable }),
    ]
}

fn any_observations() -> impl Strategy<Value = Vec<Observation>> {
    let method = prop::sample::select(vec![Method::Arp, Method::IcmpEcho, Method::TcpSyn]);
    let one =
        (0u64..4, 0u16..6, 1u8..6, method, any_seen()).prop_map(|(second, segment, last, method, seen)| {
            Observation { at: at(second), segment, address: ip(last), method, seen }
        });
    prop::collection::vec(one, 0..40)
}

proptest! {
    #[test]
    fn order_and_repeats_do_not_matter(
        (observations, shuffled) in any_observations()
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let folded = fold(&observations);
        prop_assert_eq!(&folded, &fold(&shuffled));
        let twice: Vec<_> = shuffled.iter().chain(&observations).cloned().collect();
        prop_assert_eq!(&folded, &fold(&twice));
    }

    #[test]
    fn ids_are_unique_and_counts_add_up(observations in any_observations()) {
        let folded = fold(&observations);
        let mut ids = ids(&folded);
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), all);
        // Every present address belongs to a device, and every device was heard.
        let present: BTreeSet<_> = folded
            .devices
            .iter()
            .flat_map(|d| &d.interfaces)
            .flat_map(|i| i.addresses.iter().map(|a| (i.segment, a.address)))
            .collect();
        prop_assert_eq!(present.len() as u64, folded.segments.values().map(|s| s.present).sum::<u64>());
        prop_assert!(folded.devices.iter().all(|device| !device.presence.is_empty()));
    }
}

fn said(segment: u16, last: u8, port: u16, field: &str, value: &str) -> Observation {
    let (field, value) = (field.to_owned(), Raw::from(value));
    let said = Seen::Said { transport: Transport::Tcp, port, probe: "test".to_owned(), field, value };
    seen(segment, ip(last), Method::Probe, said)
}

fn host_key(segment: u16, last: u8, key: &str) -> Observation {
    said(segment, last, 22, "ssh.hostkey.sha256", key)
}

#[test]
fn interfaces_on_two_segments_with_one_host_key_are_one_device() {
    let folded = fold(&[
        arp(LAN, 5, mac(1)),
        host_key(LAN, 5, "aa11bb"),
        arp(OTHER_LINK, 9, mac(2)),
        host_key(OTHER_LINK, 9, "aa11bb"),
        echo(ROUTED, 7, 63),
        host_key(ROUTED, 7, "aa11bb"),
        arp(LAN, 6, mac(3)),
        host_key(LAN, 6, "cc22dd"),
    ]);
    assert_eq!(ids(&folded), ["00:00:0c:00:00:01", "00:00:0c:00:00:03"]);
    let device = &folded.devices[0];
    assert_eq!(addresses(device), [ip(5), ip(9), ip(7)]);
    assert_eq!(device.folded.len(), 1);
    let reason = &device.folded[0];
    assert_eq!((reason.key.as_str(), reason.value.as_str()), ("ssh.hostkey.sha256", "aa11bb"));
    assert_eq!(reason.addresses, [ip(5), ip(7), ip(9)]);
    assert_eq!(device.statements.len(), 3);
    assert_eq!(folded.findings.cloned_keys, []);
}

#[test]
fn a_key_of_the_factorys_joins_nobody() {
    let folded = fold(&[
        arp(LAN, 5, mac(1)),
        host_key(LAN, 5, "aa11bb"),
        arp(LAN, 6, mac(2)),
        host_key(LAN, 6, "aa11bb"),
        echo(ROUTED, 7, 63),
        host_key(ROUTED, 7, "aa11bb"),
    ]);
    assert_eq!(folded.devices.len(), 3);
    assert!(folded.devices.iter().all(|device| device.folded.is_empty()));
    let cloned = &folded.findings.cloned_keys;
    assert_eq!(cloned.len(), 1);
    assert_eq!((cloned[0].field.as_str(), cloned[0].value.as_str()), ("ssh.hostkey.sha256", "aa11bb"));
    assert_eq!(cloned[0].addresses, [ip(5), ip(6), ip(7)]);
}

#[test]
fn one_certificate_on_two_hosts_with_keys_of_their_own_joins_nobody() {
    let certificate = |last| said(ROUTED, last, 443, "tls.key", "ee33ff");
    let apart = fold(&[
        echo(ROUTED, 7, 63),
        certificate(7),
        host_key(ROUTED, 7, "aa11bb"),
        echo(ROUTED, 8, 63),
        certificate(8),
        host_key(ROUTED, 8, "cc22dd"),
    ]);
    assert_eq!(apart.devices.len(), 2);
    assert_eq!(apart.findings.cloned_keys.len(), 1);
    let one = fold(&[echo(ROUTED, 7, 63), certificate(7), echo(ROUTED, 8, 63), certificate(8)]);
    assert_eq!(one.devices.len(), 1);
}

#[test]
fn a_virtual_routers_address_is_its_routers() {
    let vrrp = MacAddr([0, 0, 0x5e, 0, 1, 7]);
    let folded = fold(&[
        arp(LAN, 1, vrrp),
        host_key(LAN, 1, "aa11bb"),
        arp(LAN, 2, mac(2)),
        host_key(LAN, 2, "aa11bb"),
    ]);
    assert_eq!(folded.devices.len(), 1);
    assert_eq!(folded.devices[0].interfaces.len(), 2);
}

#[test]
fn values_that_tell_nothing_join_nobody() {
    for value in ["", "0000000000", "uuid:00000000-0000-0000-0000-000000000000", "ab"] {
        let with = |last| [echo(ROUTED, last, 63), said(ROUTED, last, 80, "upnp.udn", value)];
        let folded = fold(&[with(7), with(8)].concat());
        assert_eq!(folded.devices.len(), 2, "{value}");
        assert_eq!(folded.findings.cloned_keys, []);
    }
}

#[test]
fn a_host_name_joins_the_addresses_that_the_host_lists() {
    let named = |segment, last| said(segment, last, 5353, "mdns.host", "nas.local");
    let both = [arp(LAN, 5, mac(1)), named(LAN, 5), arp(OTHER_LINK, 9, mac(2)), named(OTHER_LINK, 9)];
    assert_eq!(fold(&both).devices.len(), 2);
    let listed = [&both[..], &[said(LAN, 5, 5353, "mdns.address", "10.0.0.9")]].concat();
    let folded = fold(&listed);
    assert_eq!(folded.devices.len(), 1);
    assert_eq!(folded.devices[0].folded[0].key, "mdns.host");
    assert!(folded.devices[0].names.iter().all(|name| name.source == NameSource::Mdns));
}

#[test]
fn addresses_of_one_interface_say_why_they_are_one_device() {
    let folded = fold(&[arp(LAN, 5, mac(1)), arp(LAN, 6, mac(1))]);
    assert_eq!(folded.devices[0].folded[0].key, "mac");
    assert_eq!(folded.devices[0].folded[0].addresses, [ip(5), ip(6)]);
}

#[test]
fn a_talkative_host_cannot_fill_the_memory_and_order_decides_nothing() {
    let mut observations: Vec<Observation> = (0..2000u16)
        .map(|i| said(LAN, 5, i % 7 + 1, "http.body", &format!("{i}").repeat(1 + usize::from(i) % 300)))
        .collect();
    observations.push(arp(LAN, 5, mac(1)));
    let one = fold(&observations);
    observations.reverse();
    assert_eq!(one, fold(&observations));
    assert!(one.devices[0].statements.len() <= 512);
    assert!(one.devices[0].statements.iter().all(|statement| statement.value.0.len() <= 1024));
}
