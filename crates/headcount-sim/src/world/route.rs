//! Where a packet goes that came to a router: to a host behind it, to whom answers for all, or nowhere.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use headcount_model::{AddressRange, Instant, MacAddr, PhantomKind};

use crate::{
    lan::{ForAll, Lan, millis},
    outbox::Bucket,
};

/// What lies behind the routers of a lan, and who answers for all.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    subnets: Vec<Subnet>,
    /// Who has an address behind a router.
    behind: BTreeMap<Ipv4Addr, usize>,
    boxes: Vec<ForAllBox>,
}

#[derive(Clone, Debug)]
struct Subnet {
    range: AddressRange,
    router: usize,
    extra: Duration,
    unreachable: Option<(Duration, Bucket)>,
}

#[derive(Clone, Debug)]
struct ForAllBox {
    range: AddressRange,
    by: usize,
    mac: MacAddr,
    rule: ForAll,
}

/// What becomes of a packet that a router got for somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forwarded {
    /// It goes to the host with this index, behind the router.
    Behind { host: usize, extra: Duration },
    /// The router tells, at this time, that nobody is there.
    Unreachable(Instant),
    /// It is lost.
    Lost,
    /// The address is not behind this router.
    NotHere,
}

impl Routes {
    pub(super) fn new(lan: &Lan) -> Self {
        let index = |name: &str| lan.personas.iter().position(|persona| persona.name == name);
        let subnets = lan.routed.iter().filter_map(|routed| {
            Some(Subnet {
                range: routed.network.into(),
                router: index(&routed.router)?,
                extra: millis(routed.latency_ms),
                unreachable: routed
                    .unreachable
                    .map(|one| (millis(one.after_ms), Bucket::new(one.per_second))),
            })
        });
        let behind = lan.personas.iter().enumerate().flat_map(|(index, persona)| {
            persona
                .all_addresses()
                .filter(|address| !lan.network.contains(*address))
                .map(move |address| (address, index))
        });
        let boxes = lan.phantoms.iter().filter_map(|rule| {
            let by = index(&rule.by)?;
            let mac = lan.attached_mac(&lan.personas[by])?;
            Some(ForAllBox { range: rule.range(lan), by, mac, rule: rule.clone() })
        });
        Self { subnets: subnets.collect(), behind: behind.collect(), boxes: boxes.collect() }
    }

    /// Who answers ARP requests for `target` though it is not theirs, and with which link-layer address.
    pub(super) fn arp_proxies(&self, target: Ipv4Addr) -> Vec<(usize, MacAddr)> {
        let proxies = self.boxes.iter().filter(|one| one.rule.what == PhantomKind::ProxyArp);
        proxies.filter(|one| one.range.contains(target)).map(|one| (one.by, one.mac)).collect()
    }

    /// The rule by which `router` answers for `address` in the way of `what`, and for `port` in particular.
    pub(super) fn rule(
        &self,
        router: usize,
        what: PhantomKind,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<&ForAll> {
        let speaks = |rule: &ForAll| port.is_none_or(|port| rule.accepts(port));
        self.boxes
            .iter()
            .find(|one| {
                one.by == router && one.rule.what == what && one.range.contains(address) && speaks(&one.rule)
            })
            .map(|one| &one.rule)
    }

    /// What becomes of a packet for `address` that `router` got.
    pub(super) fn forward(&mut self, now: Instant, router: usize, address: Ipv4Addr) -> Forwarded {
        let mut subnets = self.subnets.iter_mut();
        let Some(subnet) = subnets.find(|one| one.router == router && one.range.contains(address)) else {
            return Forwarded::NotHere;
        };
        if let Some(host) = self.behind.get(&address) {
            return Forwarded::Behind { host: *host, extra: subnet.extra };
        }
        let due =
            subnet.unreachable.as_mut().and_then(|(after, bucket)| bucket.take(now).then(|| now + *after));
        due.map_or(Forwarded::Lost, Forwarded::Unreachable)
    }
}
