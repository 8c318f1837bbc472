//! Routes: what the kernel's tables say, and how a set of addresses falls apart by them.

use std::{collections::BTreeSet, net::Ipv4Addr};

use headcount_model::{AddressRange, AddressSet};
use ipnetwork::Ipv4Network;

use crate::NetError;

/// Where this machine sends packets for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The name of the interface that they leave by.
    pub interface: String,
    /// The router that they are handed to; without one the address is on the link (or this machine's own).
    pub gateway: Option<Ipv4Addr>,
    /// The source address that the kernel would choose.
    pub source: Option<Ipv4Addr>,
}

/// Where this machine sends packets for `address`; `None` when it has no route there.
///
/// # Errors
/// The kernel cannot be asked; or this system is not Linux.
pub fn route_to(address: Ipv4Addr) -> Result<Option<Route>, NetError> {
    #[cfg(target_os = "linux")]
    return crate::netlink::with_session(|session| {
        let Some(hop) = session.lookup(address)? else { return Ok(None) };
        let interfaces = session.interfaces()?;
        let interface = interfaces.into_iter().find(|interface| interface.index == hop.interface);
        Ok(interface.map(|i| Route { interface: i.name, gateway: hop.gateway, source: hop.source }))
    });
    #[cfg(not(target_os = "linux"))]
    {
        let _ = address;
        Err(NetError::Unsupported { what: "looking up routes" })
    }
}

/// A route of any table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoutePrefix {
    /// The addresses it is for.
    pub(crate) to: Ipv4Network,
    /// Plain IPv4 packets can follow it (it is unicast, with neither an encapsulation nor a gateway of IPv6).
    pub(crate) usable: bool,
    /// The interface.
    pub(crate) interface: Option<u32>,
    /// The router.
    pub(crate) gateway: Option<Ipv4Addr>,
    /// The source address that it prefers.
    pub(crate) source: Option<Ipv4Addr>,
    /// Its metric: the lower is taken first.
    pub(crate) priority: u32,
}

/// The kernel's own decision for one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) kind: HopKind,
    /// The interface's number.
    pub(crate) interface: u32,
    pub(crate) gateway: Option<Ipv4Addr>,
    pub(crate) source: Option<Ipv4Addr>,
    /// Neither an encapsulation nor a gateway of another family is in the way of plain Ethernet frames.
    pub(crate) plain: bool,
}

/// What an address is to this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HopKind {
    Unicast,
    Local,
    Broadcast,
}

/// Splits `set` at the bounds of all `prefixes`.
///
/// The kernel decides by prefixes only (of routes, and of rules that look at the destination), so it treats all
/// addresses of one block alike: one lookup answers for the whole block, with policy routing too.
pub(crate) fn split(set: &AddressSet, prefixes: &[Ipv4Network]) -> Vec<AddressRange> {
    let mut cuts = BTreeSet::new();
    for prefix in prefixes {
        cuts.insert(u32::from(prefix.network()));
        cuts.extend(u32::from(prefix.broadcast()).checked_add(1));
    }
    let mut blocks = Vec::new();
    for range in set.ranges() {
        let (mut from, last) = (u32::from(range.first), u32::from(range.last));
        let inner = from.checked_add(1).filter(|start| *start <= last);
        for cut in inner.iter().flat_map(|start| cuts.range(*start..=last)) {
            blocks.push(AddressRange { first: from.into(), last: (cut - 1).into() });
            from = *cut;
        }
        blocks.push(AddressRange { first: from.into(), last: range.last });
    }
    blocks
}

/// The route for `address` among those by interface `index`: the longest prefix, then the lowest metric.
pub(crate) fn longest_match(routes: &[RoutePrefix], address: Ipv4Addr, index: u32) -> Option<&RoutePrefix> {
    routes
        .iter()
        .filter(|route| route.usable && route.interface == Some(index) && route.to.contains(address))
        .min_by_key(|route| (std::cmp::Reverse(route.to.prefix()), route.priority))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network() -> impl Strategy<Value = Ipv4Network> {
        (0u32..512, 20u8..=32)
            .prop_map(|(low, prefix)| Ipv4Network::new((0x0a00_0000 + low).into(), prefix).unwrap())
    }

    fn set() -> impl Strategy<Value = AddressSet> {
        prop::collection::vec((0u32..512, 0u32..64), 0..6).prop_map(|ranges| {
            ranges
                .into_iter()
                .filter_map(|(low, len)| {
                    AddressRange::new((0x0a00_0000 + low).into(), (0x0a00_0000 + low + len).into())
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn blocks_make_up_the_set_and_no_prefix_cuts_one(
            set in set(),
            prefixes in prop::collection::vec(network(), 0..8),
        ) {
            let blocks = split(&set, &prefixes);
            prop_assert_eq!(blocks.iter().map(|block| block.count()).sum::<u64>(), set.len());
            prop_assert_eq!(blocks.iter().copied().collect::<AddressSet>(), set);
            for block in &blocks {
                for prefix in &prefixes {
                    prop_assert_eq!(prefix.contains(block.first), prefix.contains(block.last));
                    let inside = block.contains(prefix.network()) && block.first != prefix.network();
                    prop_assert!(!inside);
                }
            }
        }

        #[test]
        fn one_decision_holds_for_the_whole_block(
            set in set(),
            prefixes in prop::collection::vec((network(), 0u32..3), 0..8),
        ) {
            let routes: Vec<_> = prefixes
                .into_iter()
                .map(|(to, priority)| RoutePrefix {
                    to, usable: true, interface: Some(1), gateway: None, source: None, priority,
                })
                .collect();
            let bounds: Vec<_> = routes.iter().map(|route| route.to).collect();
            for block in split(&set, &bounds) {
                let first = longest_match(&routes, block.first, 1);
                for address in [block].into_iter().collect::<AddressSet>().iter() {
                    prop_assert_eq!(longest_match(&routes, address, 1), first);
                }
            }
        }
    }

    #[test]
    fn the_whole_of_ipv4_splits_without_overflow() {
        let all = AddressSet::from(vec![AddressRange { first: 0.into(), last: Ipv4Addr::BROADCAST }]);
        let prefixes: Vec<Ipv4Network> = ["0.0.0.0/0", "255.255.255.255/32", "128.0.0.0/1", "0.0.0.0/32"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let blocks: Vec<_> = split(&all, &prefixes).iter().map(ToString::to_string).collect();
        assert_eq!(
            blocks,
            ["0.0.0.0", "0.0.0.1-127.255.255.255", "128.0.0.0-255.255.255.254", "255.255.255.255"]
        );
    }
}
