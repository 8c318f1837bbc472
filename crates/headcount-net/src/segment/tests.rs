use headcount_model::targets_in_text;
use proptest::prelude::*;

use super::*;
use crate::route::split;

const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 7]);

fn set(text: &str) -> AddressSet {
    targets_in_text(text)
        .map(|(_, target)| match target {
            Ok(headcount_model::TargetSpec::Range(range)) => range,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn interface(name: &str, index: u32, kind: InterfaceKind, networks: &[&str]) -> Interface {
    Interface {
        name: name.into(),
        index,
        mac: (kind == InterfaceKind::Ethernet).then_some(MAC),
        kind,
        up: true,
        networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        mtu: 1500,
    }
}

/// A machine with two Ethernet interfaces, one with two subnets and a /32, a tunnel, and a default route.
fn interfaces() -> Vec<Interface> {
    vec![
        interface("lo", 1, InterfaceKind::Loopback, &["127.0.0.1/8"]),
        interface(
            "eth0",
            2,
            InterfaceKind::Ethernet,
            &["10.0.0.7/24", "10.0.1.7/24", "10.0.0.8/24", "10.0.9.9/32"],
        ),
        interface("eth1", 3, InterfaceKind::Ethernet, &["10.2.0.1/24", "10.0.0.77/24"]),
        interface("tun0", 4, InterfaceKind::Other, &["10.8.0.1/24"]),
    ]
}

fn route(to: &str, interface: u32, gateway: Option<&str>, source: Option<&str>) -> RoutePrefix {
    let address = |text: &str| text.parse().unwrap();
    RoutePrefix {
        to: to.parse().unwrap(),
        usable: true,
        interface: Some(interface),
        gateway: gateway.map(address),
        source: source.map(address),
        priority: 0,
    }
}

fn routes() -> Vec<RoutePrefix> {
    let mut by_eth1 = route("0.0.0.0/0", 3, Some("10.2.0.254"), None);
    by_eth1.priority = 600;
    vec![
        route("0.0.0.0/0", 2, Some("10.0.0.254"), Some("10.0.0.7")),
        by_eth1,
        route("10.0.0.0/24", 2, None, Some("10.0.0.7")),
        route("10.0.1.0/24", 2, None, Some("10.0.1.7")),
        route("10.2.0.0/24", 3, None, Some("10.2.0.1")),
        route("10.8.0.0/24", 4, None, Some("10.8.0.1")),
        route("10.3.0.0/24", 2, None, Some("10.0.0.7")),
        route("10.4.0.0/24", 4, Some("10.8.0.2"), Some("10.8.0.1")),
        route("10.5.0.0/24", 2, Some("10.0.0.253"), Some("10.0.9.9")),
    ]
}

/// What the kernel of that machine would say.
fn lookup(address: Ipv4Addr) -> Option<Hop> {
    let interfaces = interfaces();
    let own = interfaces.iter().any(|interface| interface.has_address(address));
    if own || address.is_loopback() {
        return Some(Hop { kind: HopKind::Local, interface: 1, gateway: None, source: None, plain: true });
    }
    if set("10.66.0.0/16").contains(address) {
        return None;
    }
    let routes = routes();
    let best = routes
        .iter()
        .filter(|route| route.to.contains(address))
        .min_by_key(|route| (std::cmp::Reverse(route.to.prefix()), route.priority))?;
    Some(Hop {
        kind: if address.octets()[3] == 255 && best.gateway.is_none() {
            HopKind::Broadcast
        } else {
            HopKind::Unicast
        },
        interface: best.interface?,
        gateway: best.gateway,
        source: best.source,
        plain: true,
    })
}

fn segmented(scope: &AddressSet, only: Option<&str>, raw: bool) -> Segmented {
    let (interfaces, routes) = (interfaces(), routes());
    let mut bounds: Vec<_> = routes.iter().map(|route| route.to).collect();
    bounds.extend(interfaces.iter().flat_map(|interface| interface.networks.iter().copied()));
    let own = interfaces.iter().flat_map(|interface| interface.networks.iter());
    bounds.extend(own.map(|network| Ipv4Network::from(network.ip())));
    bounds.push("10.66.0.0/16".parse().unwrap());
    let blocks: Vec<_> =
        split(scope, &bounds).into_iter().map(|block| (block, lookup(block.first))).collect();
    let only = only.map(|name| named(&interfaces, name).unwrap());
    assemble(&blocks, &Table { interfaces: &interfaces, routes: &routes, only, raw }).unwrap()
}

/// One line per segment.
fn lines(segmented: &Segmented) -> Vec<String> {
    segmented
        .segments
        .iter()
        .map(|segment| {
            let path = match segment.path {
                Path::Kernel => "kernel".to_owned(),
                Path::Frames { link, gateway: None, .. } => format!("link {}", link.0),
                Path::Frames { link, gateway: Some(gateway), .. } => format!("link {} by {gateway}", link.0),
            };
            let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
            format!(
                "{:?} {} {path} from {} net {}: {}",
                segment.kind,
                segment.interface,
                text(segment.source.map(|source| source.to_string())),
                text(segment.network.map(|network| network.to_string())),
                segment.addresses
            )
        })
        .collect()
}

#[test]
fn a_scope_falls_apart_by_the_ways_to_reach_it() {
    let scope =
        set("10.0.0.0/23 10.2.0.0/28 10.3.0.5 10.4.0.5 10.5.0.5 10.8.0.5 10.66.0.0/24 192.168.7.0/24");
    let found = segmented(&scope, None, true);
    assert_eq!(
        lines(&found),
        [
            "Local eth0 kernel from - net -: 10.0.0.7-10.0.0.8, 10.0.1.7",
            "Local eth1 kernel from - net -: 10.0.0.77, 10.2.0.1",
            "Attached eth0 link 0 from 10.0.0.7 net 10.0.0.0/24: \
             10.0.0.0-10.0.0.6, 10.0.0.9-10.0.0.76, 10.0.0.78-10.0.0.255",
            "Attached eth0 link 0 from 10.0.1.7 net 10.0.1.0/24: 10.0.1.0-10.0.1.6, 10.0.1.8-10.0.1.255",
            "Attached eth0 link 0 from 10.0.0.7 net 10.3.0.0/24: 10.3.0.5",
            "Attached eth1 link 1 from 10.2.0.1 net 10.2.0.0/24: 10.2.0.0, 10.2.0.2-10.2.0.15",
            "Routed eth0 kernel from 10.0.9.9 net -: 10.5.0.5",
            "Routed eth0 link 0 by 10.0.0.254 from 10.0.0.7 net -: 192.168.7.0/24",
            "Routed tun0 kernel from 10.8.0.1 net -: 10.8.0.5",
            "Routed tun0 kernel from 10.8.0.1 net -: 10.4.0.5",
        ]
    );
    assert_eq!(found.unroutable, set("10.66.0.0/24"));
    let links: Vec<_> = found.links.iter().map(|link| (link.id.0, link.interface.as_str())).collect();
    assert_eq!(links, [(0, "eth0"), (1, "eth1")]);
    assert_eq!(
        found.segments[0].own_macs,
        [([10, 0, 0, 7].into(), MAC), ([10, 0, 0, 8].into(), MAC), ([10, 0, 1, 7].into(), MAC)]
    );
}

#[test]
fn without_raw_sockets_all_goes_by_the_kernel() {
    let found = segmented(&set("10.0.0.0/24 192.168.7.0/24"), None, false);
    assert!(found.links.is_empty());
    assert!(found.segments.iter().all(|segment| segment.path == Path::Kernel));
    let attached = found.segments.iter().find(|segment| segment.kind == SegmentKind::Attached).unwrap();
    assert_eq!(attached.network, Some("10.0.0.0/24".parse().unwrap()));
}

#[test]
fn a_named_interface_is_used_against_the_kernels_preference_only_with_frames() {
    let scope = set("10.0.0.100 192.168.7.1 10.8.0.5");
    assert_eq!(
        lines(&segmented(&scope, Some("eth1"), true)),
        [
            "Attached eth1 link 0 from 10.0.0.77 net 10.0.0.0/24: 10.0.0.100",
            "Routed eth1 link 0 by 10.2.0.254 from 10.2.0.1 net -: 10.8.0.5, 192.168.7.1",
        ]
    );
    let by_kernel = segmented(&scope, Some("eth1"), false);
    assert_eq!(lines(&by_kernel), [""; 0]);
    assert_eq!(by_kernel.unroutable, scope);
}

proptest! {
    #[test]
    fn every_address_is_in_exactly_one_place(
        starts in prop::collection::vec((0u32..0x0a_0000, 0u32..600), 1..6),
        only in prop::option::of(prop::sample::select(vec!["lo", "eth0", "eth1", "tun0"])),
        raw: bool,
    ) {
        let scope: AddressSet = starts
            .into_iter()
            .filter_map(|(low, len)| AddressRange::new((0x0a00_0000 + low).into(), (0x0a00_0000 + low + len).into()))
            .collect();
        let found = segmented(&scope, only, raw);
        let mut sum = found.unroutable.clone();
        for (i, segment) in found.segments.iter().enumerate() {
            prop_assert_eq!(usize::from(segment.id), i);
            prop_assert!(!segment.addresses.is_empty());
            prop_assert!(sum.intersection(&segment.addresses).is_empty());
            sum = sum.union(&segment.addresses);
            if let Path::Frames { link, .. } = segment.path {
                prop_assert!(raw);
                prop_assert_eq!(&found.links[usize::from(link.0)].interface, &segment.interface);
                prop_assert!(segment.source.is_some());
            }
            if let Some(network) = segment.network {
                prop_assert!(segment.addresses.iter().all(|address| network.contains(address)));
            }
            if let Some(only) = only {
                prop_assert_eq!(&segment.interface, only);
            }
        }
        prop_assert_eq!(sum, scope);
    }
}
