//! Sets of IPv4 addresses as sorted, disjoint ranges.

use std::{fmt, net::Ipv4Addr};

use ipnetwork::Ipv4Network;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An inclusive range of IPv4 addresses, `first <= last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct AddressRange {
    /// The lowest address.
    pub first: Ipv4Addr,
    /// The highest address.
    pub last: Ipv4Addr,
}

impl AddressRange {
    /// The range from `a` to `b`, or `None` when `b` is below `a`.
    pub fn new(a: Ipv4Addr, b: Ipv4Addr) -> Option<Self> {
        (a <= b).then_some(Self { first: a, last: b })
    }

    /// How many addresses the range holds, at least 1.
    pub fn count(self) -> u64 {
        u64::from(u32::from(self.last) - u32::from(self.first)) + 1
    }

    /// Whether `address` lies in the range.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        self.first <= address && address <= self.last
    }
}

impl From<Ipv4Addr> for AddressRange {
    fn from(address: Ipv4Addr) -> Self {
        Self { first: address, last: address }
    }
}

impl From<Ipv4Network> for AddressRange {
    fn from(network: Ipv4Network) -> Self {
        Self { first: network.network(), last: network.broadcast() }
    }
}

impl fmt::Display for AddressRange {
    /// As a CIDR where the range is one, else `first-last`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return write!(f, "{}", self.first);
        }
        let size = self.count();
        let aligned = size.is_power_of_two() && u64::from(u32::from(self.first)) % size == 0;
        if aligned {
            write!(f, "{}/{}", self.first, 32 - size.trailing_zeros())
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// A set of IPv4 addresses: sorted, disjoint, never adjacent ranges, so equal sets are equal values.
///
/// `nth` and `index_of` number the addresses from 0 in rising order; a sweep's permutation runs over these numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Vec<AddressRange>", into = "Vec<AddressRange>")]
pub struct AddressSet {
    ranges: Vec<AddressRange>,
    /// `starts[i]`: the number of addresses in the ranges before `ranges[i]`.
    starts: Vec<u64>,
}

impl AddressSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many addresses are in the set.
    pub fn len(&self) -> u64 {
        self.ranges.last().map_or(0, |last| self.starts[self.ranges.len() - 1] + last.count())
    }

    /// Whether no address is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges in rising order.
    pub fn ranges(&self) -> &[AddressRange] {
        &self.ranges
    }

    /// Whether `address` is in the set.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        self.index_of(address).is_some()
    }

    /// The number of `address` in the set.
    pub fn index_of(&self, address: Ipv4Addr) -> Option<u64> {
        let at = self.ranges.partition_point(|range| range.last < address);
        let range = self.ranges.get(at).filter(|range| range.contains(address))?;
        Some(self.starts[at] + u64::from(u32::from(address) - u32::from(range.first)))
    }

    /// The address with number `index`.
    pub fn nth(&self, index: u64) -> Option<Ipv4Addr> {
        let at = self.starts.partition_point(|start| *start <= index).checked_sub(1)?;
        let offset = index - self.starts[at];
        let range = self.ranges[at];
        (offset < range.count()).then(|| Ipv4Addr::from(u32::from(range.first) + offset as u32))
    }

    /// All addresses in rising order.
    pub fn iter(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.ranges
            .iter()
            .flat_map(|range| (u32::from(range.first)..=u32::from(range.last)).map(Ipv4Addr::from))
    }

    /// The addresses in this set and not in `other`.
    pub fn difference(&self, other: &Self) -> Self {
        let mut rest = Vec::with_capacity(self.ranges.len());
        for range in &self.ranges {
            let mut from = u64::from(u32::from(range.first));
            let end = u64::from(u32::from(range.last));
            let skip = other.ranges.partition_point(|cut| cut.last < range.first);
            for cut in other.ranges[skip..].iter().take_while(|cut| cut.first <= range.last) {
                let cut_from = u64::from(u32::from(cut.first));
                if cut_from > from {
                    rest.push(range_of(from, cut_from - 1));
                }
                from = u64::from(u32::from(cut.last)) + 1;
            }
            if from <= end {
                rest.push(range_of(from, end));
            }
        }
        Self::from(rest)
    }

    /// The addresses in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        self.difference(&self.difference(other))
    }

    /// The addresses in either set.
    pub fn union(&self, other: &Self) -> Self {
        self.ranges.iter().chain(&other.ranges).copied().collect()
    }
}

fn range_of(first: u64, last: u64) -> AddressRange {
    AddressRange { first: Ipv4Addr::from(first as u32), last: Ipv4Addr::from(last as u32) }
}

impl From<Vec<AddressRange>> for AddressSet {
    fn from(mut ranges: Vec<AddressRange>) -> Self {
        // Deserialised ranges may be reversed; such a range holds nothing.
        ranges.retain(|range| range.first <= range.last);
        ranges.sort_unstable();
        let mut merged: Vec<AddressRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if u64::from(u32::from(range.first)) <= u64::from(u32::from(last.last)) + 1 => {
                    last.last = last.last.max(range.last);
                }
                _ => merged.push(range),
            }
        }
        let starts = merged
            .iter()
            .scan(0, |sum, range| {
                let start = *sum;
                *sum += range.count();
                Some(start)
            })
            .collect();
        Self { ranges: merged, starts }
    }
}

impl From<AddressSet> for Vec<AddressRange> {
    fn from(set: AddressSet) -> Self {
        set.ranges
    }
}

impl FromIterator<AddressRange> for AddressSet {
    fn from_iter<I: IntoIterator<Item = AddressRange>>(iter: I) -> Self {
        Self::from(iter.into_iter().collect::<Vec<_>>())
    }
}

impl FromIterator<Ipv4Addr> for AddressSet {
    fn from_iter<I: IntoIterator<Item = Ipv4Addr>>(iter: I) -> Self {
        iter.into_iter().map(AddressRange::from).collect()
    }
}

impl fmt::Display for AddressSet {
    /// The ranges, parted by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.ranges.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{range}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(ranges: &[(u32, u32)]) -> AddressSet {
        ranges.iter().map(|(a, b)| range_of(u64::from(*a.min(b)), u64::from(*a.max(b)))).collect()
    }

    fn model(ranges: &[(u32, u32)]) -> BTreeSet<u32> {
        ranges.iter().flat_map(|(a, b)| *a.min(b)..=*a.max(b)).collect()
    }

    fn small_ranges() -> impl Strategy<Value = Vec<(u32, u32)>> {
        prop::collection::vec((0u32..300, 0u32..300), 0..8)
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(a in small_ranges(), b in small_ranges()) {
            let (x, y) = (set(&a), set(&b));
            let (mx, my) = (model(&a), model(&b));
            let plain = |s: &AddressSet| s.iter().map(u32::from).collect::<BTreeSet<_>>();
            prop_assert_eq!(plain(&x), mx.clone());
            prop_assert_eq!(x.len(), mx.len() as u64);
            prop_assert_eq!(plain(&x.difference(&y)), mx.difference(&my).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(plain(&x.intersection(&y)), mx.intersection(&my).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(plain(&x.union(&y)), mx.union(&my).copied().collect::<BTreeSet<_>>());
            for (i, address) in x.iter().enumerate() {
                prop_assert_eq!(x.nth(i as u64), Some(address));
                prop_assert_eq!(x.index_of(address), Some(i as u64));
            }
            prop_assert_eq!(x.nth(x.len()), None);
        }
    }

    #[test]
    fn the_whole_of_ipv4_fits() {
        let all = set(&[(0, u32::MAX)]);
        assert_eq!(all.len(), 1 << 32);
        assert_eq!(all.nth((1 << 32) - 1), Some(Ipv4Addr::BROADCAST));
        assert_eq!(all.difference(&set(&[(5, 5)])).len(), (1 << 32) - 1);
        assert_eq!(all.to_string(), "0.0.0.0/0");
    }

    #[test]
    fn shows_cidrs_and_ranges() {
        assert_eq!(
            set(&[(0x0a000000, 0x0a0000ff), (0x0a000205, 0x0a00025a)]).to_string(),
            "10.0.0.0/24, 10.0.2.5-10.0.2.90"
        );
    }
}
