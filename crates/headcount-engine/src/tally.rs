//! Who answers for all: the same answer from addresses that no host is likely to have.

use std::{collections::BTreeMap, net::Ipv4Addr};

use headcount_model::{MacAddr, PhantomKind, Reason};

/// What an answer looks like, apart from whose it is. One machine that answers for many gives the same to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Signature {
    pub(crate) kind: PhantomKind,
    /// The answering machine, where the answer comes from the link itself.
    pub(crate) mac: Option<MacAddr>,
    pub(crate) ttl: Option<u8>,
}

impl Signature {
    /// The signature of a sign of presence; `None` where the reason cannot be anybody else's.
    pub(crate) fn new(reason: Reason, mac: MacAddr, ttl: Option<u8>) -> Option<Self> {
        let kind = match reason {
            Reason::ArpReply | Reason::NeighbourTable => PhantomKind::ProxyArp,
            Reason::EchoReply => PhantomKind::EchoForAll,
            Reason::SynAck => PhantomKind::AcceptsForAll,
            Reason::Rst => PhantomKind::ResetsForAll,
            Reason::UdpReply | Reason::PortUnreachable | Reason::AdminProhibited => PhantomKind::UdpForAll,
            Reason::LocalAddress | Reason::Unreachable | Reason::NoAnswer => return None,
        };
        let link = kind == PhantomKind::ProxyArp;
        Some(Self { kind, mac: link.then_some(mac), ttl: ttl.filter(|_| !link) })
    }
}

/// Counts answers by signature, and remembers which addresses have nothing else to show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Addresses that no host is likely to have: the controls against phantoms.
    improbable: Vec<Ipv4Addr>,
    counts: BTreeMap<Signature, Count>,
    /// By which signature each present address was found.
    found_by: BTreeMap<Ipv4Addr, Signature>,
    ignored: Vec<Signature>,
}

#[derive(Clone, Debug, Default)]
struct Count {
    addresses: u64,
    improbable: Vec<Ipv4Addr>,
}

impl Tally {
    /// One MAC address with this many addresses may be a proxy: what it says waits for the verdict.
    pub(crate) const MANY: u64 = 8;

    pub(crate) fn new(improbable: Vec<Ipv4Addr>) -> Self {
        Self { improbable, ..Self::default() }
    }

    pub(crate) fn improbable(&self) -> &[Ipv4Addr] {
        &self.improbable
    }

    /// Whether answers like this one have been found to be nobody's.
    pub(crate) fn is_ignored(&self, signature: Signature) -> bool {
        self.ignored.contains(&signature)
    }

    /// An address answered for the first time.
    pub(crate) fn found(&mut self, address: Ipv4Addr, signature: Signature) {
        let count = self.counts.entry(signature).or_default();
        count.addresses += 1;
        if self.improbable.contains(&address) && !count.improbable.contains(&address) {
            count.improbable.push(address);
        }
        self.found_by.insert(address, signature);
    }

    /// Whether a host that was found by this signature must wait for the verdict.
    pub(crate) fn is_doubtful(&self, signature: Signature) -> bool {
        self.counts.get(&signature).is_some_and(|count| {
            let many = signature.kind == PhantomKind::ProxyArp && count.addresses >= Self::MANY;
            many || !count.improbable.is_empty()
        })
    }

    /// The signatures that answer for all of `asked` addresses, each with an address that showed it. From now on they
    /// are ignored.
    pub(crate) fn verdict(&mut self, asked: u64) -> Vec<(Signature, Ipv4Addr)> {
        let guilty: Vec<Signature> = self
            .counts
            .iter()
            .filter(|(signature, count)| {
                !self.ignored.contains(signature) && self.answers_for_all(signature, count, asked)
            })
            .map(|(signature, _)| *signature)
            .collect();
        self.ignored.extend(&guilty);
        guilty.into_iter().filter_map(|signature| Some((signature, self.witness(signature)?))).collect()
    }

    fn answers_for_all(&self, signature: &Signature, count: &Count, asked: u64) -> bool {
        let share = count.addresses as f64 / asked.max(1) as f64;
        let improbable_too =
            !count.improbable.is_empty() && count.improbable.len() * 2 >= self.improbable.len();
        if signature.kind == PhantomKind::ProxyArp {
            // One NIC with half a segment's addresses, or with many and one that no host can have.
            count.addresses >= 16 && share >= 0.5 || count.addresses >= Self::MANY && improbable_too
        } else if self.improbable.is_empty() {
            // Without controls only a whole range of equal answers is proof enough.
            count.addresses >= 64 && share >= 1.0
        } else {
            count.addresses >= Self::MANY && improbable_too && share >= 0.7
        }
    }

    fn witness(&self, signature: Signature) -> Option<Ipv4Addr> {
        let improbable = self.counts.get(&signature).and_then(|count| count.improbable.first().copied());
        improbable.or_else(|| self.found_only_by(signature).next())
    }

    /// The addresses that were found by this signature.
    pub(crate) fn found_only_by(&self, signature: Signature) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.found_by.iter().filter(move |(_, by)| **by == signature).map(|(address, _)| *address)
    }

    /// An address is found no longer.
    pub(crate) fn forget(&mut self, address: Ipv4Addr) {
        self.found_by.remove(&address);
    }

    /// What a resumed run knows from its log.
    pub(crate) fn ignore(&mut self, signature: Signature) {
        self.ignored.push(signature);
    }
}

/// Addresses of a swept range that no host is likely to have: its subnet's own and broadcast address where the subnet
/// is known, else those that end in 0 or 255.
pub(crate) fn improbable_addresses(
    addresses: &headcount_model::AddressSet,
    network: Option<ipnetwork::Ipv4Network>,
) -> Vec<Ipv4Addr> {
    if let Some(network) = network {
        let ends = [network.network(), network.broadcast()];
        let has_ends = network.prefix() <= 30;
        return ends.into_iter().filter(|end| has_ends && addresses.contains(*end)).collect();
    }
    let mut found = Vec::new();
    for range in addresses.ranges() {
        let first = u32::from(range.first);
        let blocks = (first >> 8)..=(u32::from(range.last) >> 8);
        for block in blocks.take(2) {
            for end in [block << 8, block << 8 | 0xff] {
                if range.contains(end.into()) {
                    found.push(end.into());
                }
            }
        }
    }
    found.truncate(4);
    found
}

#[cfg(test)]
mod tests {
    use headcount_model::{AddressRange, AddressSet};

    use super::*;

    fn net(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, last)
    }

    fn tally(improbable: &[u8], addresses: impl IntoIterator<Item = u8>, reason: Reason) -> Tally {
        let mut tally = Tally::new(improbable.iter().map(|a| net(*a)).collect());
        let signature = Signature::new(reason, MacAddr([2, 0, 0, 0, 0, 1]), Some(63)).unwrap();
        for last in addresses {
            tally.found(net(last), signature);
        }
        tally
    }

    #[test]
    fn a_full_segment_of_real_hosts_is_none() {
        assert!(tally(&[0, 255], 1..=254, Reason::Rst).verdict(256).is_empty());
        assert!(tally(&[], 10..=50, Reason::EchoReply).verdict(41).is_empty());
    }

    #[test]
    fn one_that_answers_for_improbable_addresses_is() {
        let mut all = tally(&[0, 255], 0..=255, Reason::Rst);
        let verdict = all.verdict(256);
        assert_eq!(verdict.len(), 1);
        assert_eq!(verdict[0].0.kind, PhantomKind::ResetsForAll);
        assert_eq!(verdict[0].1, net(0));
        assert!(all.verdict(256).is_empty(), "said once");
        assert!(all.is_ignored(verdict[0].0));
    }

    #[test]
    fn a_server_with_a_few_addresses_is_no_proxy() {
        assert!(tally(&[0, 255], 1..=12, Reason::ArpReply).verdict(256).is_empty());
        assert_eq!(tally(&[0, 255], 0..=200, Reason::ArpReply).verdict(256).len(), 1);
        assert_eq!(tally(&[], 1..=100, Reason::ArpReply).verdict(120).len(), 1);
    }

    #[test]
    fn improbable_addresses_lie_in_the_scope() {
        let set = |a: u8, b: u8| AddressSet::from(vec![AddressRange { first: net(a), last: net(b) }]);
        assert_eq!(improbable_addresses(&set(0, 255), None), vec![net(0), net(255)]);
        assert_eq!(improbable_addresses(&set(5, 90), None), Vec::<Ipv4Addr>::new());
        let network = "10.0.0.1/25".parse().ok();
        assert_eq!(improbable_addresses(&set(0, 255), network), vec![net(0), net(127)]);
    }
}
