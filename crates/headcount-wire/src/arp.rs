//! ARP for IPv4 over Ethernet (RFC 826). Other hardware or protocol types are [`Malformed`].

use std::{fmt, net::Ipv4Addr};

use headcount_model::MacAddr;

use crate::{
    Layer, Malformed, Problem,
    bytes::{read_ipv4, read_mac, read_u16, write_u16},
};

/// Bytes of a packet.
pub const LEN: usize = 28;

/// Hardware type Ethernet, protocol type IPv4, address lengths 6 and 4: the only kind read or written here.
const ETHERNET_IPV4: [u8; 6] = [0, 1, 0x08, 0, 6, 4];

/// Where the fields lie in a packet.
pub mod field {
    use std::ops::Range;

    /// Request or reply.
    pub const OPERATION: Range<usize> = 6..8;
    /// Hardware address of the sender.
    pub const SENDER_MAC: Range<usize> = 8..14;
    /// IPv4 address of the sender.
    pub const SENDER: Range<usize> = 14..18;
    /// Hardware address of the target.
    pub const TARGET_MAC: Range<usize> = 18..24;
    /// IPv4 address of the target.
    pub const TARGET: Range<usize> = 24..28;
}

/// What a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Who has the target address?
    Request,
    /// The sender has the sender address.
    Reply,
    /// Any other number of the IANA "ARP Parameters" registry.
    Other(u16),
}

impl From<u16> for Operation {
    fn from(value: u16) -> Self {
        match value {
            1 => Self::Request,
            2 => Self::Reply,
            other => Self::Other(other),
        }
    }
}

impl From<Operation> for u16 {
    fn from(value: Operation) -> Self {
        match value {
            Operation::Request => 1,
            Operation::Reply => 2,
            Operation::Other(other) => other,
        }
    }
}

/// One ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// What it says.
    pub operation: Operation,
    /// Hardware address of the sender.
    pub sender_mac: MacAddr,
    /// Address of the sender; `0.0.0.0` in an address probe (RFC 5227, section 2.1.1).
    pub sender: Ipv4Addr,
    /// Hardware address of the target; without meaning in a request.
    pub target_mac: MacAddr,
    /// Address of the target.
    pub target: Ipv4Addr,
}

impl Packet {
    /// The packet at the front of `bytes`; what follows is padding.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() < LEN {
            return Err(Malformed::new(Layer::Arp, Problem::Truncated));
        }
        if !bytes.starts_with(&ETHERNET_IPV4) {
            return Err(Malformed::new(Layer::Arp, Problem::Unsupported));
        }
        Ok(Self {
            operation: read_u16(bytes, field::OPERATION.start).into(),
            sender_mac: read_mac(bytes, field::SENDER_MAC),
            sender: read_ipv4(bytes, field::SENDER),
            target_mac: read_mac(bytes, field::TARGET_MAC),
            target: read_ipv4(bytes, field::TARGET),
        })
    }

    /// Bytes that [`emit`](Self::emit) writes.
    #[expect(clippy::len_without_is_empty, reason = "a packet is never empty")]
    pub const fn len(&self) -> usize {
        LEN
    }

    /// Writes the packet to the front of `buf`.
    ///
    /// # Panics
    /// If `buf` is shorter than [`len`](Self::len).
    pub fn emit(&self, buf: &mut [u8]) {
        buf[..ETHERNET_IPV4.len()].copy_from_slice(&ETHERNET_IPV4);
        write_u16(buf, field::OPERATION, self.operation.into());
        buf[field::SENDER_MAC].copy_from_slice(&self.sender_mac.0);
        buf[field::SENDER].copy_from_slice(&self.sender.octets());
        buf[field::TARGET_MAC].copy_from_slice(&self.target_mac.0);
        buf[field::TARGET].copy_from_slice(&self.target.octets());
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operation {
            Operation::Request => write!(f, "ARP who has {}, tell {}", self.target, self.sender),
            Operation::Reply => write!(f, "ARP {} is at {}", self.sender, self.sender_mac),
            Operation::Other(other) => write!(f, "ARP operation {other} from {}", self.sender_mac),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; LEN] = [
        0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02, // Ethernet, IPv4, reply
        0x02, 0x00, 0x00, 0x00, 0x00, 0x14, 0xc0, 0xa8, 0x01, 0x14, // sender
        0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0xc0, 0xa8, 0x01, 0x0a, // target
    ];

    fn packet() -> Packet {
        Packet {
            operation: Operation::Reply,
            sender_mac: MacAddr([2, 0, 0, 0, 0, 0x14]),
            sender: Ipv4Addr::new(192, 168, 1, 20),
            target_mac: MacAddr([2, 0, 0, 0, 0, 0x0a]),
            target: Ipv4Addr::new(192, 168, 1, 10),
        }
    }

    #[test]
    fn bytes_and_value_are_the_same() {
        assert_eq!(Packet::parse(&BYTES), Ok(packet()));
        let mut buf = [0xee; LEN];
        packet().emit(&mut buf);
        assert_eq!(buf, BYTES);
        assert_eq!(packet().to_string(), "ARP 192.168.1.20 is at 02:00:00:00:00:14");
    }

    #[test]
    fn only_ethernet_and_ipv4_are_read() {
        for (at, value) in [(1, 6), (2, 0x86), (4, 8), (5, 16)] {
            let mut bytes = BYTES;
            bytes[at] = value;
            assert_eq!(Packet::parse(&bytes).unwrap_err().problem, Problem::Unsupported);
        }
        assert_eq!(Packet::parse(&BYTES[..27]).unwrap_err().problem, Problem::Truncated);
    }
}
