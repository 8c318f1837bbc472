//! How the addresses of a scope are reached: the segments of a run.

use std::{collections::BTreeMap, net::Ipv4Addr};

use headcount_engine::{LinkId, Path, Segment};
use headcount_model::{AddressRange, AddressSet, MacAddr, Scope, SegmentKind};
use ipnetwork::Ipv4Network;

use crate::{
    Interface, InterfaceKind, NetError,
    interface::{interfaces, lowest, named},
    route::{Hop, HopKind, RoutePrefix, longest_match},
};

/// A link that frames leave by and come in on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSpec {
    /// Its number in the run.
    pub id: LinkId,
    /// The interface's name.
    pub interface: String,
    /// The interface's number in the kernel.
    pub index: u32,
    /// The link-layer address that its frames carry.
    pub mac: MacAddr,
}

/// A scope, split by the way its addresses are reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segmented {
    /// The segments, numbered from 0: this machine's own addresses, then attached ones, then those behind routers.
    pub segments: Vec<Segment>,
    /// The links that the segments with frames use, numbered from 0.
    pub links: Vec<LinkSpec>,
    /// The allowed addresses that this machine has no route to.
    pub unroutable: AddressSet,
}

/// Splits the allowed addresses of `scope` by the way this machine reaches them.
///
/// With `only_interface`, what is not reached through that interface is unroutable. With `raw`, segments that an
/// Ethernet interface can reach are swept with frames; all others by the kernel's sockets.
///
/// # Errors
/// The named interface does not exist or is down; the kernel cannot be asked; this system is not Linux.
pub fn segments(scope: &Scope, only_interface: Option<&str>, raw: bool) -> Result<Segmented, NetError> {
    #[cfg(target_os = "linux")]
    return crate::netlink::with_session(|session| {
        let interfaces = session.interfaces()?;
        let only = only_interface.map(|name| usable(&interfaces, name)).transpose()?;
        let routes = session.routes()?;
        let mut bounds = session.rule_destinations()?;
        bounds.extend(routes.iter().map(|route| route.to));
        bounds.extend(interfaces.iter().flat_map(|interface| interface.networks.iter().copied()));
        let table = Table { interfaces: &interfaces, routes: &routes, only, raw };
        let mut blocks = Vec::new();
        for block in crate::route::split(&scope.allowed, &bounds) {
            blocks.push((block, session.lookup(block.first)?));
        }
        assemble(&blocks, &table)
    });
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (scope, only_interface, raw);
        Err(NetError::Unsupported { what: "splitting a scope by routes" })
    }
}

/// The links that the segments of a plan use, as the interfaces are now: for a run that is resumed by a later process.
///
/// # Errors
/// An interface is gone, down or no Ethernet any more; the kernel cannot be asked; this system is not Linux.
pub fn links_of(segments: &[Segment]) -> Result<Vec<LinkSpec>, NetError> {
    let mut links = BTreeMap::new();
    for segment in segments {
        if let Path::Frames { link, .. } = segment.path {
            links.entry(link).or_insert(segment.interface.as_str());
        }
    }
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let interfaces = interfaces()?;
    let spec = |(id, name): (LinkId, &str)| {
        let interface = usable(&interfaces, name)?;
        let mac = interface.mac.filter(|_| interface.carries_frames());
        let mac = mac.ok_or_else(|| NetError::NotEthernet { interface: name.to_owned() })?;
        Ok(LinkSpec { id, interface: name.to_owned(), index: interface.index, mac })
    };
    links.into_iter().map(spec).collect()
}

fn usable<'a>(interfaces: &'a [Interface], name: &str) -> Result<&'a Interface, NetError> {
    let interface = named(interfaces, name)?;
    if interface.up { Ok(interface) } else { Err(NetError::Down { interface: name.to_owned() }) }
}

/// What this machine says of itself.
struct Table<'a> {
    interfaces: &'a [Interface],
    routes: &'a [RoutePrefix],
    only: Option<&'a Interface>,
    raw: bool,
}

/// One way to reach addresses; addresses with equal ways share a segment. The order is that of the segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    rank: Rank,
    interface: u32,
    network: Option<Ipv4Network>,
    gateway: Option<Ipv4Addr>,
    source: Option<Ipv4Addr>,
    frames: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Local,
    Attached,
    Routed,
}

impl Table<'_> {
    fn interface(&self, index: u32) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.index == index)
    }

    /// How the addresses of `block` are reached when the kernel would send them by `hop`.
    fn way(&self, block: AddressRange, hop: Option<Hop>) -> Option<Way> {
        if let Some(hop) = hop.filter(|hop| hop.kind == HopKind::Local) {
            return self.local(block, hop);
        }
        let by_kernel = hop.and_then(|hop| self.by_hop(block, hop));
        match self.only {
            None => by_kernel,
            Some(only) => by_kernel
                .filter(|way| way.interface == only.index)
                .or_else(|| self.by_frames_of(only, block).filter(|way| way.frames)),
        }
    }

    /// This machine's own address: named after the interface that has it, since that is where others see it.
    fn local(&self, block: AddressRange, hop: Hop) -> Option<Way> {
        let owner = self.interfaces.iter().find(|interface| interface.has_address(block.first));
        let interface = owner.map_or(hop.interface, |owner| owner.index);
        if self.only.is_some_and(|only| only.index != interface) || self.interface(interface).is_none() {
            return None;
        }
        Some(Way { rank: Rank::Local, interface, network: None, gateway: None, source: None, frames: false })
    }

    fn by_hop(&self, block: AddressRange, hop: Hop) -> Option<Way> {
        let interface = self.interface(hop.interface)?;
        match hop.gateway {
            // A gateway of another family is a router as well, if one that no frame of ours reaches.
            None if hop.plain => Some(self.on_link(interface, block, hop.source)),
            gateway => Some(self.routed(interface, gateway, hop.source, hop.plain)),
        }
    }

    /// The way through `interface`, whatever the kernel prefers: frames need no leave of the routing table.
    fn by_frames_of(&self, interface: &Interface, block: AddressRange) -> Option<Way> {
        if interface.subnet_of(block.first).is_some() {
            return Some(self.on_link(interface, block, None));
        }
        let route = longest_match(self.routes, block.first, interface.index)?;
        Some(match route.gateway {
            Some(gateway) => {
                let source =
                    route.source.or_else(|| interface.subnet_of(gateway).map(|network| network.ip()));
                self.routed(interface, Some(gateway), source, true)
            }
            None => self.on_link(interface, block, route.source),
        })
    }

    fn on_link(&self, interface: &Interface, block: AddressRange, chosen: Option<Ipv4Addr>) -> Way {
        // Without ARP there are no neighbours to find: such links are swept as if behind a router.
        if interface.kind != InterfaceKind::Ethernet {
            return self.routed(interface, None, chosen, false);
        }
        let own = interface.subnet_of(block.first);
        let source = match own {
            Some(network) => {
                let fits = |source: &Ipv4Addr| network.contains(*source) && interface.has_address(*source);
                chosen.filter(fits).or(Some(network.ip()))
            }
            None => chosen,
        };
        let by_route = || longest_match(self.routes, block.first, interface.index).map(|route| route.to);
        Way {
            rank: Rank::Attached,
            interface: interface.index,
            network: own.or_else(by_route).map(lowest),
            gateway: None,
            source,
            frames: self.frames(interface, source),
        }
    }

    fn routed(
        &self,
        interface: &Interface,
        gateway: Option<Ipv4Addr>,
        source: Option<Ipv4Addr>,
        plain: bool,
    ) -> Way {
        let frames = plain && gateway.is_some() && self.frames(interface, source);
        Way { rank: Rank::Routed, interface: interface.index, network: None, gateway, source, frames }
    }

    /// Frames can be sent by `interface` from `source`: an address of an attached subnet, not a lone /32, whose
    /// links follow rules of their own.
    fn frames(&self, interface: &Interface, source: Option<Ipv4Addr>) -> bool {
        let from_subnet = source.is_some_and(|source| interface.subnet_of(source).is_some());
        self.raw && interface.up && interface.carries_frames() && from_subnet
    }
}

fn assemble(blocks: &[(AddressRange, Option<Hop>)], table: &Table<'_>) -> Result<Segmented, NetError> {
    let mut ways: BTreeMap<Way, Vec<AddressRange>> = BTreeMap::new();
    let mut unroutable = Vec::new();
    for (block, hop) in blocks {
        match table.way(*block, *hop) {
            Some(way) => ways.entry(way).or_default().push(*block),
            None => unroutable.push(*block),
        }
    }
    let mut all = Segmented { unroutable: unroutable.into(), ..Segmented::default() };
    let count = ways.len();
    for (way, ranges) in ways {
        let id = u16::try_from(all.segments.len()).ok().filter(|id| *id < u16::MAX);
        let id = id.ok_or(NetError::TooManySegments(count))?;
        let Some(interface) = table.interface(way.interface) else { continue };
        let path = path(&way, interface, &mut all.links)?;
        let addresses = AddressSet::from(ranges);
        all.segments.push(Segment {
            id,
            kind: match way.rank {
                Rank::Local => SegmentKind::Local,
                Rank::Attached => SegmentKind::Attached,
                Rank::Routed => SegmentKind::Routed,
            },
            path,
            interface: interface.name.clone(),
            source: way.source,
            network: way.network,
            own_macs: if way.rank == Rank::Local { own_macs(interface, &addresses) } else { Vec::new() },
            addresses,
        });
    }
    Ok(all)
}

/// The link-layer address beside each address of `interface` that is among `addresses`.
fn own_macs(interface: &Interface, addresses: &AddressSet) -> Vec<(Ipv4Addr, MacAddr)> {
    let Some(mac) = interface.mac else { return Vec::new() };
    let own: AddressSet = interface.networks.iter().map(|network| network.ip()).collect();
    own.intersection(addresses).iter().map(|address| (address, mac)).collect()
}

fn path(way: &Way, interface: &Interface, links: &mut Vec<LinkSpec>) -> Result<Path, NetError> {
    let Some(mac) = interface.mac.filter(|_| way.frames) else { return Ok(Path::Kernel) };
    let known = links.iter().find(|link| link.index == interface.index).map(|link| link.id);
    let link = match known {
        Some(id) => id,
        None => {
            let id = u16::try_from(links.len()).map_err(|_| NetError::TooManySegments(links.len()))?;
            let (id, name) = (LinkId(id), interface.name.clone());
            links.push(LinkSpec { id, interface: name, index: interface.index, mac });
            id
        }
    };
    Ok(Path::Frames { link, mac, gateway: way.gateway })
}

#[cfg(test)]
mod tests;
