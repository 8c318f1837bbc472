//! What the kernel says over rtnetlink: interfaces, routes, rules, neighbours. The only module that names its types.

use std::{future::Future, io, net::IpAddr, net::Ipv4Addr};

use futures_util::{Stream, StreamExt};
use headcount_model::MacAddr;
use ipnetwork::Ipv4Network;
use rtnetlink::{
    Handle, LinkUnspec, LinkVeth, RouteMessageBuilder,
    packet_route::{
        AddressFamily,
        address::{AddressAttribute, AddressMessage},
        link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage},
        neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState},
        route::{
            RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
        },
        rule::{RuleAttribute, RuleMessage},
    },
};

use crate::{
    Interface, InterfaceKind, NetError,
    route::{Hop, HopKind, RoutePrefix},
};

/// A connection to the kernel that is used from synchronous code.
pub(crate) struct Session {
    runtime: tokio::runtime::Runtime,
    handle: Handle,
}

/// Runs `ask` with a [`Session`] of its own. Within an async runtime it does so on another thread, since runtimes
/// cannot be nested.
pub(crate) fn with_session<T: Send>(
    ask: impl FnOnce(&Session) -> Result<T, NetError> + Send,
) -> Result<T, NetError> {
    let run = || Session::open().and_then(|session| ask(&session));
    if tokio::runtime::Handle::try_current().is_err() {
        return run();
    }
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|_| {
        Err(NetError::system("ask the kernel", io::Error::other("the asking thread died")))
    })
}

/// A connection to the kernel within the running runtime, which drives it.
pub(crate) fn connect() -> Result<Handle, NetError> {
    let (connection, handle, _) =
        rtnetlink::new_connection().map_err(|e| NetError::system("open a netlink socket", e))?;
    tokio::spawn(connection);
    Ok(handle)
}

impl Session {
    fn open() -> Result<Self, NetError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .map_err(|e| NetError::system("start a runtime", e))?;
        let handle = runtime.block_on(async { connect() })?;
        Ok(Self { runtime, handle })
    }

    fn wait<T>(&self, future: impl Future<Output = Result<T, NetError>>) -> Result<T, NetError> {
        self.runtime.block_on(future)
    }

    /// All interfaces with their IPv4 addresses.
    pub(crate) fn interfaces(&self) -> Result<Vec<Interface>, NetError> {
        self.wait(async {
            let links = collect("list interfaces", self.handle.link().get().execute()).await?;
            let mut interfaces: Vec<_> = links.iter().filter_map(interface_of).collect();
            let addresses = collect("list addresses", self.handle.address().get().execute()).await?;
            for message in &addresses {
                let home = interfaces.iter_mut().find(|interface| interface.index == message.header.index);
                if let (Some(home), Some(network)) = (home, network_of(message)) {
                    home.networks.push(network);
                }
            }
            Ok(interfaces)
        })
    }

    /// Every IPv4 route of every table.
    pub(crate) fn routes(&self) -> Result<Vec<RoutePrefix>, NetError> {
        self.wait(async {
            let mut all = RouteMessageBuilder::<Ipv4Addr>::new().build();
            clear(&mut all.header);
            let routes = collect("list routes", self.handle.route().get(all).execute()).await?;
            Ok(routes.iter().filter_map(route_of).collect())
        })
    }

    /// The destinations that policy rules single out.
    pub(crate) fn rule_destinations(&self) -> Result<Vec<Ipv4Network>, NetError> {
        self.wait(async {
            let rules = self.handle.rule().get(rtnetlink::IpVersion::V4).execute();
            let rules = collect("list routing rules", rules).await?;
            Ok(rules.iter().filter_map(destination_of).collect())
        })
    }

    /// Where the kernel would send a packet for `to` now; `None` when it has no route or refuses to.
    pub(crate) fn lookup(&self, to: Ipv4Addr) -> Result<Option<Hop>, NetError> {
        self.wait(async {
            let mut request = RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(to, 32).build();
            clear(&mut request.header);
            let mut answers = std::pin::pin!(self.handle.route().get(request).execute());
            match answers.next().await {
                Some(Ok(route)) => Ok(hop_of(&route)),
                Some(Err(error)) if is_no_route(&error) => Ok(None),
                Some(Err(error)) => Err(failed("look up a route", error)),
                None => Ok(None),
            }
        })
    }

    /// Whether the neighbour table can be read.
    pub(crate) fn try_neighbours(&self) -> Result<(), NetError> {
        self.wait(neighbours(&self.handle, 1)).map(|_| ())
    }

    /// Makes a pair of virtual Ethernet interfaces, both switched off, with these link-layer addresses.
    pub(crate) fn add_veth(&self, ends: [(&str, Option<MacAddr>); 2]) -> Result<(), NetError> {
        self.wait(async {
            let [(name, mac), (peer, peer_mac)] = ends;
            let pair = LinkVeth::new(name, peer).build();
            let doing = || format!("make the virtual interfaces {name} and {peer}");
            self.handle.link().add(pair).execute().await.map_err(|e| failed(doing(), e))?;
            for (name, mac) in [(name, mac), (peer, peer_mac)] {
                let Some(mac) = mac else { continue };
                let link = LinkUnspec::new_with_name(name).address(mac.0.to_vec()).build();
                let doing = || format!("set the address of {name}");
                self.handle.link().set(link).execute().await.map_err(|e| failed(doing(), e))?;
            }
            Ok(())
        })
    }

    /// Switches an interface on or off.
    pub(crate) fn set_up(&self, name: &str, up: bool) -> Result<(), NetError> {
        self.wait(async {
            let link = LinkUnspec::new_with_name(name);
            let link = if up { link.up() } else { link.down() }.build();
            let doing = || format!("switch {name} {}", if up { "on" } else { "off" });
            self.handle.link().set(link).execute().await.map_err(|e| failed(doing(), e))
        })
    }

    /// Gives interface `index` an address.
    pub(crate) fn add_address(&self, index: u32, network: Ipv4Network) -> Result<(), NetError> {
        self.wait(async {
            let add = self.handle.address().add(index, IpAddr::V4(network.ip()), network.prefix());
            add.execute().await.map_err(|e| failed(format!("add the address {network}"), e))
        })
    }

    /// Adds a route to the main table: by a gateway, by an interface, or (with neither) a blackhole.
    pub(crate) fn add_route(
        &self,
        to: Ipv4Network,
        gateway: Option<Ipv4Addr>,
        index: Option<u32>,
    ) -> Result<(), NetError> {
        self.wait(async {
            let mut route =
                RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(to.network(), to.prefix());
            match (gateway, index) {
                (None, None) => route = route.kind(RouteType::BlackHole),
                (None, Some(_)) => route = route.scope(RouteScope::Link),
                (Some(gateway), _) => route = route.gateway(gateway),
            }
            if let Some(index) = index {
                route = route.output_interface(index);
            }
            let add = self.handle.route().add(route.build()).execute();
            add.await.map_err(|e| failed(format!("add a route to {to}"), e))
        })
    }
}

/// The neighbours of interface `index` that have lately confirmed their link-layer address (NUD_REACHABLE).
///
/// A stale entry may belong to a device that has left, a permanent one was written by someone else, and one that
/// never needed an answer (NOARP) never had one.
pub(crate) async fn neighbours(handle: &Handle, index: u32) -> Result<Vec<(Ipv4Addr, MacAddr)>, NetError> {
    let mut request = handle.neighbours().get().set_address_family(AddressFamily::Inet);
    request.message_mut().attributes.push(NeighbourAttribute::IfIndex(index));
    let entries = collect("read the neighbour table", request.execute()).await?;
    Ok(entries.iter().filter(|entry| entry.header.ifindex == index).filter_map(neighbour_of).collect())
}

async fn collect<T>(
    doing: &str,
    answers: impl Stream<Item = Result<T, rtnetlink::Error>>,
) -> Result<Vec<T>, NetError> {
    let mut answers = std::pin::pin!(answers);
    let mut all = Vec::new();
    while let Some(answer) = answers.next().await {
        all.push(answer.map_err(|error| failed(doing, error))?);
    }
    Ok(all)
}

fn failed(doing: impl Into<String>, error: rtnetlink::Error) -> NetError {
    let source = match &error {
        rtnetlink::Error::NetlinkError(message) => message.to_io(),
        _ => io::Error::other(error.to_string()),
    };
    NetError::system(doing, source)
}

/// The kernel's answers for "no route", "unreachable", "prohibit" and "blackhole" routes.
fn is_no_route(error: &rtnetlink::Error) -> bool {
    let rtnetlink::Error::NetlinkError(message) = error else { return false };
    let refusals = [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EACCES, libc::EINVAL];
    refusals.contains(&message.raw_code().saturating_abs())
}

/// A lookup (or a dump of everything) must not name a table, protocol, scope or type.
fn clear(header: &mut RouteHeader) {
    header.table = RouteHeader::RT_TABLE_UNSPEC;
    header.protocol = RouteProtocol::Unspec;
    header.scope = RouteScope::Universe;
    header.kind = RouteType::Unspec;
}

fn interface_of(message: &LinkMessage) -> Option<Interface> {
    let header = &message.header;
    let mut interface = Interface {
        name: String::new(),
        index: header.index,
        mac: None,
        kind: InterfaceKind::Other,
        up: header.flags.contains(LinkFlags::Up) && header.flags.contains(LinkFlags::Running),
        networks: Vec::new(),
        mtu: 0,
    };
    if header.flags.contains(LinkFlags::Loopback) {
        interface.kind = InterfaceKind::Loopback;
    } else if header.link_layer_type == LinkLayerType::Ether
        && !header.flags.intersects(LinkFlags::Noarp | LinkFlags::Pointopoint)
    {
        interface.kind = InterfaceKind::Ethernet;
    }
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => interface.name.clone_from(name),
            LinkAttribute::Mtu(mtu) => interface.mtu = *mtu,
            LinkAttribute::Address(address) if interface.kind == InterfaceKind::Ethernet => {
                interface.mac = address.as_slice().try_into().ok().map(MacAddr);
            }
            _ => {}
        }
    }
    (!interface.name.is_empty()).then_some(interface)
}

fn network_of(message: &AddressMessage) -> Option<Ipv4Network> {
    let mut local = None;
    let mut other = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(IpAddr::V4(address)) => local = Some(*address),
            AddressAttribute::Address(IpAddr::V4(address)) => other = Some(*address),
            _ => {}
        }
    }
    // On a point-to-point link the one is ours and the other the peer's, and the prefix belongs to the peer.
    match (local, other) {
        (Some(local), Some(other)) if local != other => Ipv4Network::new(local, 32).ok(),
        (local, other) => Ipv4Network::new(local.or(other)?, message.header.prefix_len).ok(),
    }
}

fn inet(address: &RouteAddress) -> Option<Ipv4Addr> {
    match address {
        RouteAddress::Inet(address) => Some(*address),
        _ => None,
    }
}

fn route_of(message: &RouteMessage) -> Option<RoutePrefix> {
    if message.header.address_family != AddressFamily::Inet {
        return None;
    }
    let mut to = Ipv4Addr::UNSPECIFIED;
    let mut route = RoutePrefix {
        to: Ipv4Network::new(to, 0).ok()?,
        usable: message.header.kind == RouteType::Unicast,
        interface: None,
        gateway: None,
        source: None,
        priority: 0,
    };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => to = inet(address)?,
            RouteAttribute::Oif(index) => route.interface = Some(*index),
            RouteAttribute::Gateway(address) => route.gateway = inet(address),
            RouteAttribute::PrefSource(address) => route.source = inet(address),
            RouteAttribute::Priority(priority) => route.priority = *priority,
            // A gateway of another family, or an encapsulation: no plain Ethernet frame goes that way.
            RouteAttribute::Via(_) | RouteAttribute::Encap(_) => route.usable = false,
            _ => {}
        }
    }
    route.to = Ipv4Network::new(to, message.header.destination_prefix_length).ok()?;
    Some(route)
}

fn hop_of(message: &RouteMessage) -> Option<Hop> {
    let kind = match message.header.kind {
        RouteType::Unicast => HopKind::Unicast,
        RouteType::Local => HopKind::Local,
        RouteType::Broadcast => HopKind::Broadcast,
        _ => return None,
    };
    let mut hop = Hop { kind, interface: 0, gateway: None, source: None, plain: true };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Oif(index) => hop.interface = *index,
            RouteAttribute::Gateway(address) => hop.gateway = inet(address),
            RouteAttribute::PrefSource(address) => hop.source = inet(address),
            RouteAttribute::Via(_) | RouteAttribute::Encap(_) => hop.plain = false,
            _ => {}
        }
    }
    (hop.interface != 0).then_some(hop)
}

fn destination_of(message: &RuleMessage) -> Option<Ipv4Network> {
    message.attributes.iter().find_map(|attribute| match attribute {
        RuleAttribute::Destination(IpAddr::V4(to)) => Ipv4Network::new(*to, message.header.dst_len).ok(),
        _ => None,
    })
}

fn neighbour_of(message: &NeighbourMessage) -> Option<(Ipv4Addr, MacAddr)> {
    if message.header.state != NeighbourState::Reachable {
        return None;
    }
    let mut address = None;
    let mut mac = None;
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(found)) => address = Some(*found),
            NeighbourAttribute::LinkLayerAddress(bytes) => {
                mac = bytes.as_slice().try_into().ok().map(MacAddr);
            }
            _ => {}
        }
    }
    Some((address?, mac.filter(|mac| *mac != MacAddr::ZERO)?))
}
