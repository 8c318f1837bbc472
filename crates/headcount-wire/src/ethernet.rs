//! Ethernet II headers (IEEE Std 802.3, clause 3; type values from the IANA "IEEE 802 Numbers" registry).
//!
//! VLAN tags are not read: the kernel takes them off before a frame gets here. A tagged frame that still comes has
//! the type of its tag.

use std::fmt;

use headcount_model::MacAddr;

use crate::{
    Layer, Malformed, Problem,
    bytes::{read_mac, read_u16, write_u16},
};

/// Bytes of a header.
pub const HEADER_LEN: usize = 14;

/// Where the fields lie in a frame.
pub mod field {
    use std::ops::Range;

    /// Destination address.
    pub const DESTINATION: Range<usize> = 0..6;
    /// Source address.
    pub const SOURCE: Range<usize> = 6..12;
    /// Type of the payload.
    pub const ETHER_TYPE: Range<usize> = 12..14;
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EtherType {
    /// `0x0800`
    Ipv4,
    /// `0x0806`
    Arp,
    /// `0x86dd`
    Ipv6,
    /// Any other type; below `0x0600` it is the length of an IEEE 802.3 frame.
    Other(u16),
}

impl From<u16> for EtherType {
    fn from(value: u16) -> Self {
        match value {
            0x0800 => Self::Ipv4,
            0x0806 => Self::Arp,
            0x86dd => Self::Ipv6,
            other => Self::Other(other),
        }
    }
}

impl From<EtherType> for u16 {
    fn from(value: EtherType) -> Self {
        match value {
            EtherType::Ipv4 => 0x0800,
            EtherType::Arp => 0x0806,
            EtherType::Ipv6 => 0x86dd,
            EtherType::Other(other) => other,
        }
    }
}

impl fmt::Display for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4 => f.write_str("IPv4"),
            Self::Arp => f.write_str("ARP"),
            Self::Ipv6 => f.write_str("IPv6"),
            Self::Other(other) => write!(f, "0x{other:04x}"),
        }
    }
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whom the frame is for.
    pub destination: MacAddr,
    /// Who sent it.
    pub source: MacAddr,
    /// What it carries.
    pub ether_type: EtherType,
}

impl Header {
    /// The header and the bytes behind it, padding included.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let Some((header, payload)) = bytes.split_at_checked(HEADER_LEN) else {
            return Err(Malformed::new(Layer::Ethernet, Problem::Truncated));
        };
        let header = Self {
            destination: read_mac(header, field::DESTINATION),
            source: read_mac(header, field::SOURCE),
            ether_type: read_u16(header, field::ETHER_TYPE.start).into(),
        };
        Ok((header, payload))
    }

    /// Bytes that [`emit`](Self::emit) writes.
    #[expect(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub const fn len(&self) -> usize {
        HEADER_LEN
    }

    /// Writes the header to the front of `buf`.
    ///
    /// # Panics
    /// If `buf` is shorter than [`len`](Self::len).
    pub fn emit(&self, buf: &mut [u8]) {
        buf[field::DESTINATION].copy_from_slice(&self.destination.0);
        buf[field::SOURCE].copy_from_slice(&self.source.0);
        write_u16(buf, field::ETHER_TYPE, self.ether_type.into());
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {} {}", self.source, self.destination, self.ether_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; HEADER_LEN] =
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x08, 0x06];

    fn header() -> Header {
        Header {
            destination: MacAddr::BROADCAST,
            source: MacAddr([2, 0, 0, 0, 0, 10]),
            ether_type: EtherType::Arp,
        }
    }

    #[test]
    fn bytes_and_value_are_the_same() {
        let mut bytes = BYTES.to_vec();
        bytes.push(9);
        assert_eq!(Header::parse(&bytes), Ok((header(), &[9][..])));
        let mut buf = [0xee; HEADER_LEN];
        header().emit(&mut buf);
        assert_eq!(buf, BYTES);
        assert_eq!(header().to_string(), "02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff ARP");
    }

    #[test]
    fn a_cut_header_is_refused() {
        let error = Header::parse(&BYTES[..13]).unwrap_err();
        assert_eq!(error.to_string(), "Ethernet: cut short");
    }
}
