//! The network interfaces of this machine.

use std::net::Ipv4Addr;

use headcount_model::MacAddr;
use ipnetwork::Ipv4Network;

use crate::NetError;

/// A network interface of this machine. A VLAN sub-interface, a bridge or a bond is an interface like any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its number in the kernel, above zero.
    pub index: u32,
    /// Its link-layer address, where it has an Ethernet one.
    pub mac: Option<MacAddr>,
    /// What it is.
    pub kind: InterfaceKind,
    /// It is switched on and has a carrier.
    pub up: bool,
    /// Its IPv4 addresses, secondary ones too, each with its prefix length; in the kernel's order.
    pub networks: Vec<Ipv4Network>,
    /// The largest packet that it takes, in bytes.
    pub mtu: u32,
}

/// What an interface is to a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterfaceKind {
    /// It carries Ethernet frames and its hosts are found by ARP.
    Ethernet,
    /// This machine itself.
    Loopback,
    /// Anything else: tunnels, point-to-point links, links without ARP.
    Other,
}

impl Interface {
    /// It can carry raw frames: Ethernet, with an address to send from.
    pub fn carries_frames(&self) -> bool {
        self.kind == InterfaceKind::Ethernet && self.mac.is_some()
    }

    /// The attached subnet that holds `address`: the one with the longest prefix, which is never a /32.
    pub fn subnet_of(&self, address: Ipv4Addr) -> Option<Ipv4Network> {
        let holds = |network: &&Ipv4Network| network.prefix() < 32 && network.contains(address);
        self.networks.iter().filter(holds).max_by_key(|network| network.prefix()).copied()
    }

    /// Whether `address` is its own.
    pub fn has_address(&self, address: Ipv4Addr) -> bool {
        self.networks.iter().any(|network| network.ip() == address)
    }
}

/// All interfaces of this machine, in the kernel's order.
///
/// # Errors
/// The kernel cannot be asked; or this system is not Linux.
pub fn interfaces() -> Result<Vec<Interface>, NetError> {
    #[cfg(target_os = "linux")]
    return crate::netlink::with_session(crate::netlink::Session::interfaces);
    #[cfg(not(target_os = "linux"))]
    return Err(NetError::Unsupported { what: "listing interfaces" });
}

/// The subnets attached to this machine's Ethernet interfaces that are up, each once per interface, with the
/// interface's name: what is swept when no target is named. The network is given by its lowest address.
///
/// # Errors
/// As [`interfaces`].
pub fn attached_subnets() -> Result<Vec<(String, Ipv4Network)>, NetError> {
    Ok(subnets_of(&interfaces()?))
}

fn subnets_of(interfaces: &[Interface]) -> Vec<(String, Ipv4Network)> {
    let mut subnets = Vec::new();
    for interface in interfaces.iter().filter(|i| i.up && i.kind == InterfaceKind::Ethernet) {
        for network in interface.networks.iter().filter(|network| network.prefix() < 32) {
            let subnet = (interface.name.clone(), lowest(*network));
            if !subnets.contains(&subnet) {
                subnets.push(subnet);
            }
        }
    }
    subnets
}

/// The same network, written by its lowest address.
pub(crate) fn lowest(network: Ipv4Network) -> Ipv4Network {
    Ipv4Network::new(network.network(), network.prefix()).unwrap_or(network)
}

/// The interface named `name` among `interfaces`.
pub(crate) fn named<'a>(interfaces: &'a [Interface], name: &str) -> Result<&'a Interface, NetError> {
    interfaces.iter().find(|interface| interface.name == name).ok_or_else(|| NetError::UnknownInterface {
        name: name.to_owned(),
        known: interfaces.iter().map(|i| i.name.as_str()).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(kind: InterfaceKind, up: bool, networks: &[&str]) -> Interface {
        Interface {
            name: "eth0".into(),
            index: 2,
            mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
            kind,
            up,
            networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
            mtu: 1500,
        }
    }

    #[test]
    fn attached_subnets_are_named_once_and_never_a_single_address() {
        let eth = interface(
            InterfaceKind::Ethernet,
            true,
            &["10.0.0.7/24", "10.0.0.8/24", "10.9.0.1/16", "10.5.5.5/32"],
        );
        let tunnel = interface(InterfaceKind::Other, true, &["10.8.0.1/24"]);
        let off = interface(InterfaceKind::Ethernet, false, &["10.7.0.1/24"]);
        let found: Vec<_> =
            subnets_of(&[eth, tunnel, off]).into_iter().map(|(_, net)| net.to_string()).collect();
        assert_eq!(found, ["10.0.0.0/24", "10.9.0.0/16"]);
    }

    #[test]
    fn the_narrowest_subnet_holds_an_address() {
        let eth = interface(InterfaceKind::Ethernet, true, &["10.0.0.1/8", "10.1.0.1/24", "10.1.0.9/32"]);
        let prefix_of = |address: [u8; 4]| eth.subnet_of(address.into()).map(|network| network.prefix());
        assert_eq!(prefix_of([10, 1, 0, 9]), Some(24));
        assert_eq!(prefix_of([10, 2, 0, 9]), Some(8));
        assert_eq!(prefix_of([11, 0, 0, 1]), None);
    }

    #[test]
    fn an_unknown_interface_is_named_beside_the_known() {
        let error = named(&[interface(InterfaceKind::Ethernet, true, &[])], "wlan7").unwrap_err().to_string();
        assert!(error.contains("wlan7") && error.contains("eth0"), "{error}");
    }
}
