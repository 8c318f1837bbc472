//! UDP datagrams (RFC 768).
//!
//! The checksum is written, never checked: on virtual links it is often left to hardware that is not there.

use std::{fmt, net::Ipv4Addr};

use crate::{
    Layer, Malformed, Problem,
    bytes::{read_u16, write_u16},
    checksum,
    ipv4::Protocol,
};

/// Bytes of a header.
pub const HEADER_LEN: usize = 8;

/// Where the fields lie in a datagram.
pub mod field {
    use std::ops::Range;

    /// Source port.
    pub const SOURCE_PORT: Range<usize> = 0..2;
    /// Destination port.
    pub const DESTINATION_PORT: Range<usize> = 2..4;
    /// Bytes of header and payload.
    pub const LEN: Range<usize> = 4..6;
    /// Checksum with the pseudo header.
    pub const CHECKSUM: Range<usize> = 6..8;
}

/// One UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Port of the sender.
    pub source_port: u16,
    /// Port of the receiver.
    pub destination_port: u16,
    /// What it carries, at most 65,507 bytes.
    pub payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// The datagram at the front of `bytes`. One that names more bytes than there are is the first fragment of a
    /// longer one: its payload is what is there.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if bytes.len() < HEADER_LEN {
            return Err(Malformed::new(Layer::Udp, Problem::Truncated));
        }
        let len = usize::from(read_u16(bytes, field::LEN.start));
        if len < HEADER_LEN {
            return Err(Malformed::new(Layer::Udp, Problem::Length));
        }
        Ok(Self {
            source_port: read_u16(bytes, field::SOURCE_PORT.start),
            destination_port: read_u16(bytes, field::DESTINATION_PORT.start),
            payload: &bytes[HEADER_LEN..len.min(bytes.len())],
        })
    }

    /// Bytes that [`emit`](Self::emit) writes.
    #[expect(clippy::len_without_is_empty, reason = "a datagram is never empty")]
    pub const fn len(&self) -> usize {
        HEADER_LEN + self.payload.len()
    }

    /// Writes the datagram to the front of `buf`, with the checksum for a packet between these addresses.
    ///
    /// # Panics
    /// If `buf` is shorter than [`len`](Self::len).
    pub fn emit(&self, buf: &mut [u8], source: Ipv4Addr, destination: Ipv4Addr) {
        let buf = &mut buf[..self.len()];
        write_u16(buf, field::SOURCE_PORT, self.source_port);
        write_u16(buf, field::DESTINATION_PORT, self.destination_port);
        write_u16(buf, field::LEN, u16::try_from(self.len()).unwrap_or(u16::MAX));
        write_u16(buf, field::CHECKSUM, 0);
        buf[HEADER_LEN..].copy_from_slice(self.payload);
        let sum = match checksum::transport_v4(source, destination, Protocol::Udp.into(), buf) {
            // 0 on the wire means that there is no checksum.
            0 => 0xffff,
            sum => sum,
        };
        write_u16(buf, field::CHECKSUM, sum);
    }
}

impl fmt::Display for Datagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UDP {} > {} len {}", self.source_port, self.destination_port, self.payload.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 13] = [0xc3, 0x50, 0x00, 0x35, 0x00, 0x0d, 0x75, 0x0d, 0x68, 0x65, 0x6c, 0x6c, 0x6f];

    fn datagram() -> Datagram<'static> {
        Datagram { source_port: 50_000, destination_port: 53, payload: b"hello" }
    }

    #[test]
    fn bytes_and_value_are_the_same() {
        assert_eq!(Datagram::parse(&BYTES), Ok(datagram()));
        let mut buf = [0xee; 13];
        datagram().emit(&mut buf, Ipv4Addr::new(192, 168, 1, 10), Ipv4Addr::new(192, 168, 1, 20));
        assert_eq!(buf, BYTES);
        assert_eq!(datagram().to_string(), "UDP 50000 > 53 len 5");
    }

    #[test]
    fn a_sum_of_zero_is_written_as_ones() {
        let datagram = Datagram { source_port: 0xffff - 17 - 8 - 8, destination_port: 0, payload: &[] };
        let mut buf = [0; HEADER_LEN];
        datagram.emit(&mut buf, Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED);
        assert_eq!(buf[field::CHECKSUM], [0xff, 0xff]);
    }

    #[test]
    fn lengths_are_not_trusted() {
        let mut bytes = BYTES;
        bytes[5] = 7;
        assert_eq!(Datagram::parse(&bytes).unwrap_err().problem, Problem::Length);
        bytes[4] = 0xff;
        assert_eq!(Datagram::parse(&bytes), Ok(datagram()));
    }
}
