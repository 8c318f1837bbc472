//! A second, independent reader of captures: what left the scanner, told by nobody but the wire.

use std::{fs, net::Ipv4Addr, path::Path};

/// One captured Ethernet frame.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Seconds since 1970.
    pub(crate) time: f64,
    /// Destination MAC address.
    pub(crate) destination: String,
    /// Source MAC address.
    pub(crate) source: String,
    /// What it carries.
    pub(crate) content: Content,
}

/// What a frame carries.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// An ARP packet.
    Arp {
        /// 1: request, 2: reply.
        operation: u16,
        /// Whom it is about.
        target: Ipv4Addr,
    },
    /// An ICMP message.
    Icmp {
        /// Where to.
        destination: Ipv4Addr,
        /// Its type.
        kind: u8,
    },
    /// A TCP segment.
    Tcp {
        /// Where from.
        source: Ipv4Addr,
        /// Source port.
        from: u16,
        /// Where to.
        destination: Ipv4Addr,
        /// Destination port.
        port: u16,
        /// The flags byte.
        flags: u8,
        /// The payload.
        payload: Vec<u8>,
    },
    /// A UDP datagram.
    Udp {
        /// Where to.
        destination: Ipv4Addr,
        /// Destination port.
        port: u16,
        /// The payload.
        payload: Vec<u8>,
    },
    /// IPv4 with another protocol.
    OtherIp {
        /// Where to.
        destination: Ipv4Addr,
        /// The protocol's number.
        protocol: u8,
    },
    /// Something else than ARP and IPv4.
    Other {
        /// The EtherType.
        ether_type: u16,
    },
}

/// The bits of TCP's flags.
pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;

impl Content {
    /// The address that the frame is meant for, or that it asks for.
    pub(crate) fn address(&self) -> Option<Ipv4Addr> {
        match *self {
            Self::Arp { target, .. } => Some(target),
            Self::Icmp { destination, .. }
            | Self::Tcp { destination, .. }
            | Self::Udp { destination, .. }
            | Self::OtherIp { destination, .. } => Some(destination),
            Self::Other { .. } => None,
        }
    }

    /// Whether it asks something, other than the kernel's answers and the rest of a conversation.
    pub(crate) fn is_question(&self) -> bool {
        match self {
            Self::Arp { operation, .. } => *operation == 1,
            Self::Icmp { kind, .. } => *kind == 8,
            Self::Tcp { flags, .. } => flags & SYN != 0,
            Self::Udp { .. } => true,
            Self::OtherIp { .. } | Self::Other { .. } => false,
        }
    }
}

/// Reads a capture file of Ethernet frames (the classic pcap format, microseconds, little endian).
pub(crate) fn read(path: &Path) -> Vec<Frame> {
    let bytes = fs::read(path).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(word(0), 0xa1b2_c3d4, "a pcap file");
    assert_eq!(word(20), 1, "frames of Ethernet");
    let mut frames = Vec::new();
    let mut at = 24;
    while at + 16 <= bytes.len() {
        let (captured, original) = (word(at + 8) as usize, word(at + 12) as usize);
        assert_eq!(captured, original, "no frame is cut");
        let time = f64::from(word(at)) + f64::from(word(at + 4)) / 1e6;
        let Some(frame) = bytes.get(at + 16..at + 16 + captured) else { break };
        frames.push(parse(time, frame).unwrap_or_else(|| panic!("not to be read: {frame:02x?}")));
        at += 16 + captured;
    }
    frames
}

fn parse(time: f64, bytes: &[u8]) -> Option<Frame> {
    let content = match number(bytes, 12)? {
        0x0806 => Content::Arp { operation: number(bytes, 20)?, target: address(bytes, 38)? },
        0x0800 => parse_ip(bytes.get(14..)?)?,
        ether_type => Content::Other { ether_type },
    };
    Some(Frame { time, destination: mac(bytes.get(..6)?), source: mac(bytes.get(6..12)?), content })
}

fn parse_ip(bytes: &[u8]) -> Option<Content> {
    let header = usize::from(bytes.first()? & 15) * 4;
    let destination = address(bytes, 16)?;
    let inner = bytes.get(header..usize::from(number(bytes, 2)?))?;
    Some(match *bytes.get(9)? {
        1 => Content::Icmp { destination, kind: *inner.first()? },
        6 => Content::Tcp {
            source: address(bytes, 12)?,
            from: number(inner, 0)?,
            destination,
            port: number(inner, 2)?,
            flags: *inner.get(13)?,
            payload: inner.get(usize::from(inner.get(12)? >> 4) * 4..)?.to_vec(),
        },
        17 => Content::Udp { destination, port: number(inner, 2)?, payload: inner.get(8..)?.to_vec() },
        protocol => Content::OtherIp { destination, protocol },
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn address(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(at..at + 4)?).ok()?))
}

fn mac(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}
