//! Where runs looked, and where a row should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use headcount_model::{AddressRange, AddressSet, Run, SegmentKind};

use super::Why;
use crate::{Asset, Expected, KeyKind};

/// Where the runs of a register looked, and from where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LookedAt {
    /// All addresses that were asked.
    pub addresses: AddressSet,
    /// The addresses of the machine that a run was made from, by the run.
    own: BTreeMap<String, BTreeSet<Ipv4Addr>>,
    /// The MAC addresses of such machines.
    own_macs: BTreeSet<String>,
}

impl LookedAt {
    /// What these runs looked at.
    pub fn of<'r>(runs: impl IntoIterator<Item = &'r Run>) -> Self {
        let mut looked = Self::default();
        let mut ranges: Vec<AddressRange> = Vec::new();
        for run in runs {
            let own = looked.own.entry(run.id.clone()).or_default();
            for segment in &run.segments {
                ranges.extend(segment.addresses.ranges());
                own.extend(segment.source);
                looked.own_macs.extend(segment.source_mac.map(|mac| mac.to_string()));
                if segment.kind == SegmentKind::Local {
                    own.extend(segment.addresses.iter());
                }
            }
        }
        looked.addresses = ranges.into_iter().collect();
        looked
    }

    /// Whether an asset is a machine that runs are made from.
    pub fn is_own(&self, asset: &Asset) -> bool {
        let from = self.own.get(&asset.last.run);
        let by_address =
            from.is_some_and(|own| asset.latest.addresses.iter().any(|address| own.contains(address)));
        let macs =
            asset.latest.keys.iter().filter(|key| matches!(key.kind, KeyKind::Mac | KeyKind::LocalMac));
        by_address || macs.into_iter().any(|key| self.own_macs.contains(&key.value))
    }

    /// Why nothing that was found is this row.
    pub(super) fn why(&self, row: &Expected) -> Why {
        let mut there = places(row).peekable();
        if there.peek().is_none() {
            return Why::Nowhere;
        }
        let asked =
            there.any(|range| !AddressSet::from(vec![range]).intersection(&self.addresses).is_empty());
        if asked { Why::NoAnswer } else { Why::NotLookedAt }
    }
}

/// The addresses at which a row should be, or else those of its segment.
fn places(row: &Expected) -> impl Iterator<Item = AddressRange> {
    let addresses: Vec<AddressRange> = row.addresses.iter().filter_map(v4).map(AddressRange::from).collect();
    let segment = row.segment.as_deref().and_then(network).filter(|_| addresses.is_empty());
    addresses.into_iter().chain(segment)
}

pub(super) fn v4(address: &IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    }
}

/// `10.0.0.0/24` as a range.
fn network(text: &str) -> Option<AddressRange> {
    let (address, length) = text.trim().split_once('/')?;
    let (address, length): (Ipv4Addr, u32) = (address.parse().ok()?, length.parse().ok()?);
    let hosts = u32::MAX.checked_shr(length).unwrap_or(0);
    let first = u32::from(address) & !hosts;
    (length <= 32).then(|| AddressRange::new(first.into(), (first | hosts).into())).flatten()
}

/// The /24 of an address.
pub(super) fn segment_of(address: Ipv4Addr) -> String {
    let [a, b, c, _] = address.octets();
    format!("{a}.{b}.{c}.0/24")
}

/// The segment of a row: where its address is, else what the list calls it.
pub(super) fn segment_of_row(row: &Expected) -> Option<String> {
    let address = row.addresses.iter().find_map(v4);
    address.map(segment_of).or_else(|| row.segment.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_read_from_its_text() {
        let text = |text: &str| network(text).map(|range| range.to_string());
        assert_eq!(text("10.0.3.7/24").as_deref(), Some("10.0.3.0/24"));
        assert_eq!(text("10.0.3.7/32").as_deref(), Some("10.0.3.7"));
        assert_eq!(text("0.0.0.0/0").as_deref(), Some("0.0.0.0/0"));
        assert_eq!((text("10.0.3.7/33"), text("office"), text("VLAN 3/4")), (None, None, None));
    }
}
