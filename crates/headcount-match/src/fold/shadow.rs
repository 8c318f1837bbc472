//! What answers for what it does not have, and which signs of life are only its.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use headcount_model::{MacAddr, Phantom, PhantomKind, Reason};

use super::{
    HostKey,
    host::{Heard, Host, Sign},
};

/// A phantom without its address: segment, what it does, and its link-layer address where known.
pub(crate) type PhantomKey = (u16, PhantomKind, Option<MacAddr>);

/// Initial times to live of the systems in use; an answer that still has one was passed on by no router.
const INITIAL_TTLS: [u8; 3] = [64, 128, 255];

/// All phantoms of a run.
#[derive(Clone, Debug)]
pub(crate) struct Shadows {
    gateways: BTreeSet<Ipv4Addr>,
    phantoms: BTreeMap<PhantomKey, Shown>,
    every_port: BTreeSet<HostKey>,
}

/// How a phantom showed itself.
#[derive(Clone, Debug)]
struct Shown {
    /// The lowest address that showed it.
    address: Ipv4Addr,
    /// The times to live of its answers; `None` where the socket does not tell, which fits any.
    ttls: BTreeSet<Option<u8>>,
}

/// The signs of one address, parted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    /// Signs that the host itself gave.
    pub(crate) own: Vec<(Sign, Heard)>,
    /// The phantoms that gave the others.
    pub(crate) blamed: BTreeSet<PhantomKey>,
}

impl Shadows {
    /// No phantoms yet; `gateways` are the addresses of routers, which may proxy for others and yet be there.
    pub(crate) fn new(gateways: BTreeSet<Ipv4Addr>) -> Self {
        Self { gateways, phantoms: BTreeMap::new(), every_port: BTreeSet::new() }
    }

    pub(crate) fn add(&mut self, key: PhantomKey, ttl: Option<u8>, address: Ipv4Addr) {
        let shown = self.phantoms.entry(key).or_insert_with(|| Shown { address, ttls: BTreeSet::new() });
        shown.address = shown.address.min(address);
        shown.ttls.insert(ttl);
    }

    pub(crate) fn add_every_port(&mut self, host: HostKey) {
        self.every_port.insert(host);
    }

    /// Parts the signs of `host` into its own and those of phantoms.
    pub(crate) fn judge(&self, (segment, address): HostKey, host: &Host) -> Verdict {
        let mut verdict = Verdict::default();
        let mut proxied = Vec::new();
        for (sign, heard) in &host.signs {
            match self.behind(segment, sign) {
                None => verdict.own.push((*sign, *heard)),
                Some(key) => {
                    if key.1 == PhantomKind::ProxyArp {
                        proxied.push((*sign, *heard));
                    }
                    verdict.blamed.insert(key);
                }
            }
        }
        let proxy = |mac| self.is_proxy(segment, mac);
        if self.is_the_proxy_itself(address, &verdict.own, &proxied) {
            verdict.own.append(&mut proxied);
            verdict.own.sort_unstable_by_key(|(sign, _)| *sign);
            verdict.blamed.retain(|key| key.1 != PhantomKind::ProxyArp);
        } else {
            // It is there, behind the proxy: the proxy's link-layer address is not its own.
            for (sign, _) in &mut verdict.own {
                sign.mac = sign.mac.filter(|mac| !proxy(*mac));
            }
        }
        verdict
    }

    /// The phantom that `sign` may be of.
    pub(crate) fn behind(&self, segment: u16, sign: &Sign) -> Option<PhantomKey> {
        let what = match sign.reason {
            Reason::ArpReply | Reason::NeighbourTable => {
                let keys = [sign.mac, None].map(|mac| (segment, PhantomKind::ProxyArp, mac));
                return keys.into_iter().find(|key| self.phantoms.contains_key(key));
            }
            Reason::EchoReply => PhantomKind::EchoForAll,
            Reason::SynAck => PhantomKind::AcceptsForAll,
            Reason::Rst => PhantomKind::ResetsForAll,
            Reason::UdpReply | Reason::PortUnreachable | Reason::AdminProhibited => PhantomKind::UdpForAll,
            Reason::LocalAddress | Reason::Unreachable | Reason::NoAnswer => return None,
        };
        let fits = |ttl: &Option<u8>| ttl.is_none() || sign.ttl.is_none() || *ttl == sign.ttl;
        self.phantoms
            .range((segment, what, None)..=(segment, what, Some(MacAddr::BROADCAST)))
            .find(|(_, shown)| shown.ttls.iter().any(fits))
            .map(|(key, _)| *key)
    }

    /// The findings, with how many addresses each phantom alone stood for.
    pub(crate) fn findings(&self, not_counted: &BTreeMap<PhantomKey, u64>) -> Vec<Phantom> {
        let for_all = self.phantoms.iter().map(|(key, shown)| Phantom {
            segment: key.0,
            what: key.1,
            mac: key.2,
            address: shown.address,
            not_counted: not_counted.get(key).copied().unwrap_or_default(),
        });
        let every_port = self.every_port.iter().map(|(segment, address)| Phantom {
            segment: *segment,
            what: PhantomKind::AcceptsEveryPort,
            mac: None,
            address: *address,
            not_counted: 0,
        });
        let mut findings: Vec<_> = for_all.chain(every_port).collect();
        findings.sort_by_key(|phantom| (phantom.segment, phantom.what, phantom.address, phantom.mac));
        findings
    }

    fn is_proxy(&self, segment: u16, mac: MacAddr) -> bool {
        self.phantoms.contains_key(&(segment, PhantomKind::ProxyArp, Some(mac)))
    }

    /// A proxy has an address of its own: a router's, or one whose answers no router has passed on.
    fn is_the_proxy_itself(
        &self,
        address: Ipv4Addr,
        own: &[(Sign, Heard)],
        proxied: &[(Sign, Heard)],
    ) -> bool {
        let near = |(sign, _): &(Sign, Heard)| sign.ttl.is_some_and(|ttl| INITIAL_TTLS.contains(&ttl));
        // With an own answer to ARP the proxy's is another's.
        let answered_arp = |(sign, _): &(Sign, Heard)| sign.reason == Reason::ArpReply;
        !proxied.is_empty()
            && !own.iter().any(answered_arp)
            && (self.gateways.contains(&address) || own.iter().any(near))
    }
}
