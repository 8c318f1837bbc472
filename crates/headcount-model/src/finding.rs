//! Things about the network itself that a run reports beside its devices.

use std::{fmt, net::Ipv4Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::MacAddr;

/// What answers for what it does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PhantomKind {
    /// One MAC answers ARP for every address of the segment (proxy ARP, RFC 1027).
    ProxyArp,
    /// Every address of the segment answers echo requests in the same way.
    EchoForAll,
    /// Every address of the segment accepts connections in the same way (a SYN proxy).
    AcceptsForAll,
    /// Every address of the segment resets connections in the same way (a firewall that rejects).
    ResetsForAll,
    /// Every address of the segment answers UDP, or with port unreachable, in the same way.
    UdpForAll,
    /// One host accepts connections on ports that no service uses.
    AcceptsEveryPort,
}

impl fmt::Display for PhantomKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProxyArp => "proxy-arp",
            Self::EchoForAll => "echo-for-all",
            Self::AcceptsForAll => "accepts-for-all",
            Self::ResetsForAll => "resets-for-all",
            Self::UdpForAll => "udp-for-all",
            Self::AcceptsEveryPort => "accepts-every-port",
        })
    }
}

/// Something that answers for what it does not have; its answers count for no device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Phantom {
    /// The segment's number in the run.
    pub segment: u16,
    /// What answers for what.
    pub what: PhantomKind,
    /// The link-layer address that does it, where it is known.
    pub mac: Option<MacAddr>,
    /// An address that showed it (for `accepts-every-port`: the host).
    pub address: Ipv4Addr,
    /// How many addresses answered in no other way and were therefore not counted.
    pub not_counted: u64,
}

/// Two or more link-layer addresses answer for one IP address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DuplicateAddress {
    /// The segment's number in the run.
    pub segment: u16,
    /// The address.
    pub address: Ipv4Addr,
    /// Who answers for it, sorted.
    pub macs: Vec<MacAddr>,
}

/// A key that should be one device's alone and is on several: the image that they were made from brought it along.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ClonedKey {
    /// The field: `ssh.hostkey.sha256`, `tls.key`.
    pub field: String,
    /// The key, or what stands for it.
    pub value: String,
    /// The addresses of the devices that have it, sorted.
    pub addresses: Vec<Ipv4Addr>,
}

/// What a run says of the network itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Findings {
    /// What answers for what it does not have.
    pub phantoms: Vec<Phantom>,
    /// Addresses that two devices claim.
    pub duplicate_addresses: Vec<DuplicateAddress>,
    /// Keys that several devices share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cloned_keys: Vec<ClonedKey>,
}
