//! IPv4 headers (RFC 791). Options are skipped when reading and never written.

use std::{fmt, net::Ipv4Addr};

use crate::{
    Layer, Malformed, Problem,
    bytes::{read_ipv4, read_u16, write_u16},
    checksum,
};

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;

const DONT_FRAGMENT: u16 = 0x4000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// Where the fields lie in a header.
pub mod field {
    use std::ops::Range;

    /// Version and header length in words of 32 bits.
    pub const VERSION: usize = 0;
    /// Bytes of header and payload.
    pub const TOTAL_LEN: Range<usize> = 2..4;
    /// Identification.
    pub const IDENTIFICATION: Range<usize> = 4..6;
    /// Fragmentation flags and offset.
    pub const FRAGMENT: Range<usize> = 6..8;
    /// Time to live.
    pub const TTL: usize = 8;
    /// Protocol of the payload.
    pub const PROTOCOL: usize = 9;
    /// Checksum of the header.
    pub const CHECKSUM: Range<usize> = 10..12;
    /// Source address.
    pub const SOURCE: Range<usize> = 12..16;
    /// Destination address.
    pub const DESTINATION: Range<usize> = 16..20;
}

/// What a packet carries (IANA "Protocol Numbers").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// 1
    Icmp,
    /// 6
    Tcp,
    /// 17
    Udp,
    /// Any other number.
    Other(u8),
}

impl From<u8> for Protocol {
    fn from(value: u8) -> Self {
        match value {
            1 => Self::Icmp,
            6 => Self::Tcp,
            17 => Self::Udp,
            other => Self::Other(other),
        }
    }
}

impl From<Protocol> for u8 {
    fn from(value: Protocol) -> Self {
        match value {
            Protocol::Icmp => 1,
            Protocol::Tcp => 6,
            Protocol::Udp => 17,
            Protocol::Other(other) => other,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Icmp => f.write_str("ICMP"),
            Self::Tcp => f.write_str("TCP"),
            Self::Udp => f.write_str("UDP"),
            Self::Other(other) => write!(f, "protocol {other}"),
        }
    }
}

/// The header of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who sent it.
    pub source: Ipv4Addr,
    /// Whom it is for.
    pub destination: Ipv4Addr,
    /// What it carries.
    pub protocol: Protocol,
    /// Hops that are left.
    pub ttl: u8,
    /// Number of the packet, chosen by its sender (RFC 6864).
    pub identification: u16,
    /// Routers must not cut it.
    pub dont_fragment: bool,
    /// Bytes of payload, at most 65,515.
    pub payload_len: u16,
}

impl Header {
    /// The header and its payload, without the padding of the frame. The payload of a first fragment ends early.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let error = |problem| Malformed::new(Layer::Ipv4, problem);
        let header_len = header_len(bytes).map_err(error)?;
        if checksum::internet(&[&bytes[..header_len]]) != 0 {
            return Err(error(Problem::Checksum));
        }
        let total_len = usize::from(read_u16(bytes, field::TOTAL_LEN.start));
        if total_len < header_len {
            return Err(error(Problem::Length));
        }
        let payload = bytes.get(header_len..total_len).ok_or(error(Problem::Truncated))?;
        let header = Self::read(bytes, (total_len - header_len) as u16).map_err(error)?;
        Ok((header, payload))
    }

    /// The header of a packet quoted by an ICMP error, and what is left of its payload. Routers change or break the
    /// length and the checksum of what they quote (RFC 1812, section 4.3.2.3 asks them not to), so neither is
    /// believed, and `payload_len` counts the bytes that are there.
    pub(crate) fn parse_quoted(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let error = |problem| Malformed::new(Layer::Quoted, problem);
        let header_len = header_len(bytes).map_err(error)?;
        let payload = &bytes[header_len..];
        let header = Self::read(bytes, u16::try_from(payload.len()).unwrap_or(u16::MAX)).map_err(error)?;
        Ok((header, payload))
    }

    #[inline]
    fn read(bytes: &[u8], payload_len: u16) -> Result<Self, Problem> {
        let fragment = read_u16(bytes, field::FRAGMENT.start);
        if fragment & FRAGMENT_OFFSET != 0 {
            return Err(Problem::Fragment);
        }
        Ok(Self {
            source: read_ipv4(bytes, field::SOURCE),
            destination: read_ipv4(bytes, field::DESTINATION),
            protocol: bytes[field::PROTOCOL].into(),
            ttl: bytes[field::TTL],
            identification: read_u16(bytes, field::IDENTIFICATION.start),
            dont_fragment: fragment & DONT_FRAGMENT != 0,
            payload_len,
        })
    }

    /// Bytes that [`emit`](Self::emit) writes; the payload comes behind them.
    #[expect(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub const fn len(&self) -> usize {
        HEADER_LEN
    }

    /// Writes the header with its checksum to the front of `buf`. A `payload_len` over 65,515 is written as that.
    ///
    /// # Panics
    /// If `buf` is shorter than [`len`](Self::len).
    pub fn emit(&self, buf: &mut [u8]) {
        let buf = &mut buf[..HEADER_LEN];
        buf[field::VERSION] = 0x45;
        buf[1] = 0;
        write_u16(buf, field::TOTAL_LEN, self.payload_len.saturating_add(HEADER_LEN as u16));
        write_u16(buf, field::IDENTIFICATION, self.identification);
        write_u16(buf, field::FRAGMENT, if self.dont_fragment { DONT_FRAGMENT } else { 0 });
        buf[field::TTL] = self.ttl;
        buf[field::PROTOCOL] = self.protocol.into();
        write_u16(buf, field::CHECKSUM, 0);
        buf[field::SOURCE].copy_from_slice(&self.source.octets());
        buf[field::DESTINATION].copy_from_slice(&self.destination.octets());
        let sum = checksum::internet(&[buf]);
        write_u16(buf, field::CHECKSUM, sum);
    }
}

/// The header's length, options included, checked against `bytes`.
#[inline]
fn header_len(bytes: &[u8]) -> Result<usize, Problem> {
    if bytes.len() < HEADER_LEN {
        return Err(Problem::Truncated);
    }
    if bytes[field::VERSION] >> 4 != 4 {
        return Err(Problem::Unsupported);
    }
    let len = usize::from(bytes[field::VERSION] & 0x0f) * 4;
    if len < HEADER_LEN {
        Err(Problem::Length)
    } else if bytes.len() < len {
        Err(Problem::Truncated)
    } else {
        Ok(len)
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, destination, protocol, ttl, payload_len, .. } = self;
        write!(f, "{source} > {destination} {protocol} ttl {ttl} len {payload_len}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; HEADER_LEN] = [
        0x45, 0x00, 0x00, 0x20, 0x12, 0x34, 0x40, 0x00, 0x40, 0x01, 0xa5, 0x3a, //
        0xc0, 0xa8, 0x01, 0x0a, 0xc0, 0xa8, 0x01, 0x14,
    ];

    fn header() -> Header {
        Header {
            source: Ipv4Addr::new(192, 168, 1, 10),
            destination: Ipv4Addr::new(192, 168, 1, 20),
            protocol: Protocol::Icmp,
            ttl: 64,
            identification: 0x1234,
            dont_fragment: true,
            payload_len: 12,
        }
    }

    /// The header with its checksum set right again, and `payload` bytes behind it.
    fn packet(header: &[u8], payload: usize) -> Vec<u8> {
        let mut bytes = header.to_vec();
        bytes[field::CHECKSUM].fill(0);
        let sum = checksum::internet(&[&bytes]);
        write_u16(&mut bytes, field::CHECKSUM, sum);
        bytes.resize(header.len() + payload, 0xaa);
        bytes
    }

    #[test]
    fn bytes_and_value_are_the_same() {
        let mut buf = [0xee; HEADER_LEN];
        header().emit(&mut buf);
        assert_eq!(buf, BYTES);
        // Four bytes of frame padding are not payload.
        let bytes = packet(&BYTES, 16);
        assert_eq!(Header::parse(&bytes), Ok((header(), &bytes[20..32])));
        assert_eq!(header().to_string(), "192.168.1.10 > 192.168.1.20 ICMP ttl 64 len 12");
    }

    #[test]
    fn options_are_skipped() {
        let mut bytes = BYTES.to_vec();
        bytes[0] = 0x46;
        bytes.extend([0x94, 0x04, 0, 0]);
        let bytes = packet(&bytes, 8);
        assert_eq!(Header::parse(&bytes), Ok((Header { payload_len: 8, ..header() }, &bytes[24..])));
    }

    #[test]
    fn broken_headers_are_refused() {
        let changed = |at: usize, value| {
            let mut bytes = BYTES;
            bytes[at] = value;
            Header::parse(&packet(&bytes, 12)).unwrap_err().problem
        };
        assert_eq!(changed(0, 0x65), Problem::Unsupported);
        assert_eq!(changed(0, 0x44), Problem::Length);
        assert_eq!(changed(3, 19), Problem::Length);
        assert_eq!(changed(3, 33), Problem::Truncated);
        assert_eq!(changed(7, 1), Problem::Fragment);
        let mut bytes = packet(&BYTES, 12);
        bytes[8] -= 1;
        assert_eq!(Header::parse(&bytes).unwrap_err().problem, Problem::Checksum);
    }

    #[test]
    fn a_first_fragment_is_read() {
        let mut bytes = BYTES;
        bytes[6] = 0x20;
        let expected = Header { dont_fragment: false, ..header() };
        assert_eq!(Header::parse(&packet(&bytes, 12)).map(|(header, _)| header), Ok(expected));
    }
}
