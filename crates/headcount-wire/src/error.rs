use std::fmt;

/// Bytes that are not what they claim to be: at which layer, and what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{layer}: {problem}")]
pub struct Malformed {
    /// The format that could not be read.
    pub layer: Layer,
    /// What is wrong with it.
    pub problem: Problem,
}

impl Malformed {
    pub(crate) const fn new(layer: Layer, problem: Problem) -> Self {
        Self { layer, problem }
    }
}

/// A format this crate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Ethernet II.
    Ethernet,
    /// Address resolution.
    Arp,
    /// Internet protocol, version 4.
    Ipv4,
    /// ICMP for IPv4.
    Icmpv4,
    /// The packet quoted by an ICMP error.
    Quoted,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// DNS and multicast DNS.
    Dns,
    /// NetBIOS name service.
    Netbios,
    /// ASN.1 basic encoding rules.
    Ber,
    /// SNMP.
    Snmp,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ethernet => "Ethernet",
            Self::Arp => "ARP",
            Self::Ipv4 => "IPv4",
            Self::Icmpv4 => "ICMPv4",
            Self::Quoted => "packet quoted by ICMPv4",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Dns => "DNS",
            Self::Netbios => "NetBIOS",
            Self::Ber => "BER",
            Self::Snmp => "SNMP",
        })
    }
}

/// What is wrong with a header or message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It ends before its header does, or before the length it names.
    Truncated,
    /// A length field contradicts its own header.
    Length,
    /// A version, address family or type that is not the one read here.
    Unsupported,
    /// The header checksum does not fit the header.
    Checksum,
    /// A later fragment: it carries no transport header.
    Fragment,
    /// It is longer than the format allows.
    TooLong,
    /// A field's value is not allowed.
    Value,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "cut short",
            Self::Length => "impossible length",
            Self::Unsupported => "another version or kind",
            Self::Checksum => "wrong checksum",
            Self::Fragment => "not the first fragment",
            Self::TooLong => "too long",
            Self::Value => "impossible value",
        })
    }
}
