//! What the network shows of one device.

use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Attribute, Exposure, Known, MacAddr, Method, PortSet, PortState, Reason, Statement, Timestamp, Transport,
};

/// A device as one run saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Names this device within the run: its lowest MAC address, else its lowest IP address. No key across runs.
    pub id: String,
    /// Whether this is the machine that headcount ran on.
    pub this_machine: bool,
    /// Its interfaces, by MAC address, those without one last.
    pub interfaces: Vec<Interface>,
    /// Its names, sorted.
    pub names: Vec<HostName>,
    /// Every way in which it is known to be present, in the order in which they were seen.
    pub presence: Vec<Presence>,
    /// Its open ports, and those closed or filtered ports that stand out among its others.
    pub services: Vec<Service>,
    /// All asked ports by address and state, in ranges.
    pub ports: Vec<PortSummary>,
    /// What it is, as far as what it said tells: by name, `service.*` by port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// States in which it should not stand, gravest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposures: Vec<Exposure>,
    /// What it said, by port and field; long values are cut to 1 KiB.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
    /// Why several addresses count as this one device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folded: Vec<FoldReason>,
    /// It accepted connections on ports that no service uses: its open ports prove nothing and are not listed.
    pub accepts_every_port: bool,
    /// When it was first heard in this run.
    pub first_heard: Timestamp,
    /// When it was last heard in this run.
    pub last_heard: Timestamp,
}

impl Device {
    /// The attribute `name` of the device itself, not of one of its ports.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name && attribute.endpoint.is_none())
    }

    /// All its addresses, interface by interface.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.interfaces.iter().flat_map(|interface| &interface.addresses).map(|address| address.address)
    }
}

/// Something that several addresses share and that only one device has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FoldReason {
    /// What they share: `mac`, `serial`, or the field, as `ssh.hostkey.sha256`.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The addresses, sorted.
    pub addresses: Vec<Ipv4Addr>,
}

/// One network interface of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interface {
    /// The segment's number in the run.
    pub segment: u16,
    /// Its link-layer address; unknown behind a router.
    pub mac: Option<MacAddr>,
    /// Who the IEEE assigned the address block to.
    pub maker: Option<String>,
    /// The address was chosen by software (U/L bit), so it names no maker.
    pub locally_administered: bool,
    /// Its IP addresses, sorted.
    pub addresses: Vec<Address>,
}

/// One IP address of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// The address.
    pub address: Ipv4Addr,
    /// The shortest round-trip time seen, in microseconds.
    pub rtt_us: Option<u32>,
}

/// A name of a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct HostName {
    /// The name, as the network gave it.
    pub name: String,
    /// Where it comes from.
    pub source: NameSource,
    /// The address that it was found for.
    pub address: Ipv4Addr,
}

/// Where a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NameSource {
    /// The user's target list.
    Target,
    /// A PTR record in the DNS.
    Ptr,
    /// This machine's own host name.
    Hostname,
    /// Its host name in multicast DNS (RFC 6762).
    Mdns,
    /// Its NetBIOS node status (RFC 1002, section 4.2.18).
    Netbios,
    /// Its answer to a reverse look-up by LLMNR (RFC 4795).
    Llmnr,
    /// sysName of its SNMP agent (RFC 3418).
    Snmp,
    /// The common name in its TLS certificate.
    Tls,
    /// The friendly name in its UPnP description.
    Upnp,
    /// The name that it announces in a maker's protocol.
    Announced,
}

/// One way in which a device is known to be present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Presence {
    /// The address that gave the sign.
    pub address: Ipv4Addr,
    /// How it was asked.
    pub method: Method,
    /// What came back.
    pub reason: Reason,
    /// How firm that is.
    pub known: Known,
    /// The port, where the sign came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// When it was first seen.
    pub at: Timestamp,
}

/// One port of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// The address that it is on.
    pub address: Ipv4Addr,
    /// TCP or UDP.
    pub transport: Transport,
    /// The port.
    pub port: u16,
    /// The name that the port is registered under or commonly used for; nothing was asked.
    pub name: Option<String>,
    /// The software that answers there, as far as it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Its state.
    pub state: PortState,
    /// Why.
    pub reason: Reason,
    /// How it was asked.
    pub method: Method,
    /// The time to live of the answer.
    pub ttl: Option<u8>,
    /// Round-trip time in microseconds.
    pub rtt_us: Option<u32>,
    /// When it was last seen so.
    pub at: Timestamp,
}

/// The asked ports of one address that are in one state for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PortSummary {
    /// The address.
    pub address: Ipv4Addr,
    /// TCP or UDP.
    pub transport: Transport,
    /// The state.
    pub state: PortState,
    /// Why.
    pub reason: Reason,
    /// How many.
    pub count: u32,
    /// Which.
    pub ports: PortSet,
}
