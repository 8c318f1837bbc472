//! What was seen on the network: immutable, appended to the run log.

use std::{fmt, net::Ipv4Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{MacAddr, NameSource, PhantomKind, PortSet, PortState, Raw, Timestamp, Transport};

/// How headcount came to see something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// An ARP request in a raw frame (RFC 826).
    Arp,
    /// An ICMP echo request (RFC 792): a raw frame, or a datagram socket where the kernel allows one.
    IcmpEcho,
    /// A TCP SYN in a raw frame (RFC 9293), never completed.
    TcpSyn,
    /// A TCP connection by the kernel, closed without a byte written.
    TcpConnect,
    /// A UDP payload that a normal client of the port's protocol sends.
    Udp,
    /// The kernel's neighbour table, after the kernel itself asked by ARP.
    NeighbourTable,
    /// This machine's own interfaces.
    Interface,
    /// A reverse DNS look-up (PTR, RFC 1035).
    Dns,
    /// A probe: a conversation in the protocol of a port.
    Probe,
}

impl Method {
    /// The name in output and help.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arp => "arp",
            Self::IcmpEcho => "icmp-echo",
            Self::TcpSyn => "tcp-syn",
            Self::TcpConnect => "tcp-connect",
            Self::Udp => "udp",
            Self::NeighbourTable => "neighbour-table",
            Self::Interface => "interface",
            Self::Dns => "dns",
            Self::Probe => "probe",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a host counts as present, or a port as being in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It answered an ARP request.
    ArpReply,
    /// It answered an ICMP echo request.
    EchoReply,
    /// It accepted a TCP connection.
    SynAck,
    /// It refused a TCP connection.
    Rst,
    /// It answered a UDP payload.
    UdpReply,
    /// It sent ICMP port unreachable (type 3 code 3).
    PortUnreachable,
    /// It sent ICMP administratively prohibited (type 3 code 9, 10 or 13), as host firewalls do.
    AdminProhibited,
    /// Another ICMP unreachable (type 3) came back.
    Unreachable,
    /// The kernel's ARP got an answer from it.
    NeighbourTable,
    /// It is an address of this machine.
    LocalAddress,
    /// Nothing came back.
    NoAnswer,
}

impl Reason {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ArpReply => "arp-reply",
            Self::EchoReply => "echo-reply",
            Self::SynAck => "syn-ack",
            Self::Rst => "rst",
            Self::UdpReply => "udp-reply",
            Self::PortUnreachable => "port-unreachable",
            Self::AdminProhibited => "admin-prohibited",
            Self::Unreachable => "unreachable",
            Self::NeighbourTable => "neighbour-table",
            Self::LocalAddress => "local-address",
            Self::NoAnswer => "no-answer",
        }
    }

    /// How firmly this reason says that the host itself is there.
    pub const fn known(self) -> Option<Known> {
        match self {
            Self::ArpReply
            | Self::EchoReply
            | Self::SynAck
            | Self::Rst
            | Self::UdpReply
            | Self::PortUnreachable
            | Self::AdminProhibited => Some(Known::Answered),
            Self::NeighbourTable => Some(Known::NeighbourTable),
            Self::LocalAddress => Some(Known::Local),
            Self::Unreachable | Self::NoAnswer => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a host is known to be present; kinds are kept apart and never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// It answered headcount.
    Answered,
    /// It answered this machine's kernel, which wrote it into its neighbour table.
    NeighbourTable,
    /// It is this machine.
    Local,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// When it was seen.
    pub at: Timestamp,
    /// The segment (its number in the run) on which it was seen.
    pub segment: u16,
    /// The address that it is about.
    pub address: Ipv4Addr,
    /// How it was seen.
    pub method: Method,
    /// What was seen.
    pub seen: Seen,
}

/// What an observation says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Seen {
    /// A sign of life that belongs to no port.
    Present {
        /// What kind of sign.
        reason: Reason,
        /// The link-layer address behind the IP address, where it is the host's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mac: Option<MacAddr>,
        /// The time to live of the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl: Option<u8>,
        /// Round-trip time in microseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rtt_us: Option<u32>,
    },
    /// One port's answer.
    Port {
        /// TCP or UDP.
        transport: Transport,
        /// The port.
        port: u16,
        /// Its state.
        state: PortState,
        /// Why.
        reason: Reason,
        /// The time to live of the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl: Option<u8>,
        /// Round-trip time in microseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rtt_us: Option<u32>,
    },
    /// Many ports in the same state for the same reason, in one record.
    Ports {
        /// TCP or UDP.
        transport: Transport,
        /// The ports.
        ports: PortSet,
        /// Their state.
        state: PortState,
        /// Why.
        reason: Reason,
    },
    /// All ports that this host was to be asked have been asked.
    PortsDone,
    /// A name.
    Name {
        /// The name, as the network gave it.
        name: String,
        /// Where it comes from.
        source: NameSource,
    },
    /// The host said something of itself to a probe.
    Said {
        /// TCP or UDP.
        transport: Transport,
        /// The port.
        port: u16,
        /// The name of the probe that asked.
        probe: String,
        /// The field that it answers.
        field: String,
        /// What it said.
        value: Raw,
    },
    /// All questions that this host was to be asked by probes have been asked.
    ProbesDone,
    /// A router said that the host cannot be reached.
    Unreachable {
        /// Who said so.
        by: Ipv4Addr,
        /// What it said.
        reason: Reason,
    },
    /// Something answers for addresses or ports that it does not have. `address` is one that showed it.
    Phantom {
        /// What answers for what.
        what: PhantomKind,
        /// The link-layer address that does it, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mac: Option<MacAddr>,
        /// The time to live of its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl: Option<u8>,
    },
}
