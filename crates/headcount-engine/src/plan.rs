//! What a run is to do: all that the engine is told before the first packet.

use std::{net::Ipv4Addr, ops::RangeInclusive};

use headcount_model::{AddressSet, MacAddr, PortSet, Scope, SegmentKind, Timestamp};
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};

/// Everything a run depends on. The same plan and seed against the same network make the same run.
///
/// It is written into the run log, so that a run can be resumed by a later process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What may be touched.
    pub scope: Scope,
    /// How the addresses of the scope are reached; every allowed address is in exactly one segment.
    pub segments: Vec<Segment>,
    /// The TCP ports that every present host is asked.
    pub ports: PortSet,
    /// The UDP ports that every present host is asked, each with its own protocol's question.
    pub udp_ports: PortSet,
    /// The TCP ports that are asked of addresses behind a router to find out who is there.
    pub discovery_ports: PortSet,
    /// Whether ICMP echo is asked at all.
    pub echo: bool,
    /// Whether ICMP echo may be used on the kernel's path (a datagram socket is allowed); frames always can.
    pub kernel_echo: bool,
    /// The limits.
    pub limits: Limits,
    /// Look up PTR names of present hosts.
    pub names: bool,
    /// What present hosts are asked about themselves.
    #[serde(default)]
    pub probing: Probing,
    /// The wall clock at `Instant::ZERO`.
    pub epoch: Timestamp,
    /// The seed of every random choice.
    pub seed: u64,
    /// Source ports of raw SYNs and datagrams: above the kernel's own range, so that the kernel answers a SYN/ACK
    /// with a RST and never takes the answer for its own.
    pub source_ports: RangeInclusive<u16>,
}

/// Addresses that are reached in the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its number: its place in [`Plan::segments`].
    pub id: u16,
    /// How it is reached.
    pub kind: SegmentKind,
    /// Which part of the machine carries it.
    pub path: Path,
    /// The name of the interface that it is reached through.
    pub interface: String,
    /// The address that it is swept from.
    pub source: Option<Ipv4Addr>,
    /// The attached subnet that the addresses belong to (attached segments only).
    pub network: Option<Ipv4Network>,
    /// The addresses.
    pub addresses: AddressSet,
    /// The link-layer addresses of this machine's own addresses (local segments only).
    pub own_macs: Vec<(Ipv4Addr, MacAddr)>,
}

/// Which part of the machine carries the packets of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Path {
    /// Raw Ethernet frames.
    Frames {
        /// The link that they leave by.
        link: LinkId,
        /// The link-layer address that they carry as source.
        mac: MacAddr,
        /// The router that they are handed to; without one, each goes to the target itself.
        gateway: Option<Ipv4Addr>,
    },
    /// The kernel's own sockets: connections, datagrams, and its neighbour table.
    Kernel,
}

/// A link on which the driver can send and receive raw frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkId(pub u16);

/// What present hosts are asked about themselves once their ports are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probing {
    /// Whether they are asked at all.
    pub enabled: bool,
    /// Whether probes of the careful class are asked too.
    pub careful: bool,
    /// The read community that SNMP is asked with; `None`: SNMP is asked without one only.
    pub community: Option<String>,
}

/// The limits of a run. Every rate is in packets a second and above zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// In all.
    pub total: f64,
    /// To any one host.
    pub per_host: f64,
    /// Broadcasts on any one segment.
    pub broadcast: f64,
    /// Passes over silent addresses at the most, at least 1.
    pub passes: u32,
    /// How often a silent port of a present host is asked at the most, at least 1.
    pub port_tries: u32,
    /// TCP connections open or being opened to one host at once.
    pub connections_per_host: u32,
    /// Connections and other kernel conversations in flight at once.
    pub in_flight: u32,
}
