//! TCP segments (RFC 9293, section 3.1). Of the options only the maximum segment size is read and written.
//!
//! The checksum is written, never checked: on virtual links it is often left to hardware that is not there.

use std::{fmt, net::Ipv4Addr, ops::BitOr};

use crate::{
    Layer, Malformed, Problem,
    bytes::{read_u16, read_u32, write_u16, write_u32},
    checksum,
    ipv4::Protocol,
};

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;

const OPTION_END: u8 = 0;
const OPTION_NO_OPERATION: u8 = 1;
const OPTION_MSS: u8 = 2;
const OPTION_MSS_LEN: u8 = 4;

/// Where the fields lie in a segment.
pub mod field {
    use std::ops::Range;

    /// Source port.
    pub const SOURCE_PORT: Range<usize> = 0..2;
    /// Destination port.
    pub const DESTINATION_PORT: Range<usize> = 2..4;
    /// Sequence number.
    pub const SEQUENCE: Range<usize> = 4..8;
    /// Acknowledgment number.
    pub const ACKNOWLEDGMENT: Range<usize> = 8..12;
    /// Header length in words of 32 bits, in the upper half.
    pub const DATA_OFFSET: usize = 12;
    /// Control bits.
    pub const FLAGS: usize = 13;
    /// Receive window.
    pub const WINDOW: Range<usize> = 14..16;
    /// Checksum with the pseudo header.
    pub const CHECKSUM: Range<usize> = 16..18;
}

/// Control bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flags(
    /// The bits as on the wire, CWR (`0x80`) to FIN (`0x01`).
    pub u8,
);

impl Flags {
    /// The sender has no more to say.
    pub const FIN: Self = Self(0x01);
    /// Opens a connection.
    pub const SYN: Self = Self(0x02);
    /// Refuses or breaks a connection.
    pub const RST: Self = Self(0x04);
    /// Deliver at once.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment number is meant.
    pub const ACK: Self = Self(0x10);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Flags {
    /// One letter for each bit, as in `SA`; `-` for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("-");
        }
        for (bit, letter) in ["F", "S", "R", "P", "A", "U", "E", "C"].iter().enumerate() {
            if self.0 & (1 << bit) != 0 {
                f.write_str(letter)?;
            }
        }
        Ok(())
    }
}

/// One TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Port of the sender.
    pub source_port: u16,
    /// Port of the receiver.
    pub destination_port: u16,
    /// Number of the first byte of payload.
    pub sequence: u32,
    /// Number of the next byte expected, if [`Flags::ACK`] is set.
    pub acknowledgment: u32,
    /// Control bits.
    pub flags: Flags,
    /// Receive window, unscaled.
    pub window: u16,
    /// Maximum segment size option, in bytes.
    pub mss: Option<u16>,
    /// What it carries.
    pub payload: &'a [u8],
}

impl<'a> Segment<'a> {
    /// The segment that fills `bytes`. Options are read as far as they make sense.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let error = |problem| Err(Malformed::new(Layer::Tcp, problem));
        if bytes.len() < HEADER_LEN {
            return error(Problem::Truncated);
        }
        let header_len = usize::from(bytes[field::DATA_OFFSET] >> 4) * 4;
        if header_len < HEADER_LEN {
            return error(Problem::Length);
        }
        let Some((header, payload)) = bytes.split_at_checked(header_len) else {
            return error(Problem::Truncated);
        };
        Ok(Self {
            source_port: read_u16(header, field::SOURCE_PORT.start),
            destination_port: read_u16(header, field::DESTINATION_PORT.start),
            sequence: read_u32(header, field::SEQUENCE.start),
            acknowledgment: read_u32(header, field::ACKNOWLEDGMENT.start),
            flags: Flags(header[field::FLAGS]),
            window: read_u16(header, field::WINDOW.start),
            mss: read_mss(&header[HEADER_LEN..]),
            payload,
        })
    }

    const fn header_len(&self) -> usize {
        HEADER_LEN + if self.mss.is_some() { OPTION_MSS_LEN as usize } else { 0 }
    }

    /// Bytes that [`emit`](Self::emit) writes.
    #[expect(clippy::len_without_is_empty, reason = "a segment is never empty")]
    pub const fn len(&self) -> usize {
        self.header_len() + self.payload.len()
    }

    /// Writes the segment to the front of `buf`, with the checksum for a packet between these addresses.
    ///
    /// # Panics
    /// If `buf` is shorter than [`len`](Self::len).
    pub fn emit(&self, buf: &mut [u8], source: Ipv4Addr, destination: Ipv4Addr) {
        let buf = &mut buf[..self.len()];
        let (header, payload) = buf.split_at_mut(self.header_len());
        header.fill(0);
        write_u16(header, field::SOURCE_PORT, self.source_port);
        write_u16(header, field::DESTINATION_PORT, self.destination_port);
        write_u32(header, field::SEQUENCE, self.sequence);
        write_u32(header, field::ACKNOWLEDGMENT, self.acknowledgment);
        header[field::DATA_OFFSET] = (self.header_len() as u8 / 4) << 4;
        header[field::FLAGS] = self.flags.0;
        write_u16(header, field::WINDOW, self.window);
        if let Some(mss) = self.mss {
            header[20..22].copy_from_slice(&[OPTION_MSS, OPTION_MSS_LEN]);
            write_u16(header, 22..24, mss);
        }
        payload.copy_from_slice(self.payload);
        let sum = checksum::transport_v4(source, destination, Protocol::Tcp.into(), buf);
        write_u16(buf, field::CHECKSUM, sum);
    }
}

fn read_mss(mut options: &[u8]) -> Option<u16> {
    while let [kind, rest @ ..] = options {
        match *kind {
            OPTION_END => return None,
            OPTION_NO_OPERATION => options = rest,
            _ => {
                let len = usize::from(*rest.first()?);
                // A length below 2 would read the same option for ever.
                let option = options.get(..len).filter(|_| len >= 2)?;
                if let [OPTION_MSS, OPTION_MSS_LEN, high, low] = *option {
                    return Some(u16::from_be_bytes([high, low]));
                }
                options = &options[len..];
            }
        }
    }
    None
}

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source_port, destination_port, sequence, acknowledgment, flags, window, .. } = self;
        write!(f, "TCP {source_port} > {destination_port} {flags} seq {sequence} ack {acknowledgment} ")?;
        write!(f, "win {window} len {}", self.payload.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 10);
    const DESTINATION: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 20);
    const SYN: [u8; 24] = [
        0xc3, 0x50, 0x01, 0xbb, 0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x00, //
        0x60, 0x02, 0x04, 0x00, 0x47, 0xa6, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4,
    ];

    fn syn() -> Segment<'static> {
        Segment {
            source_port: 50_000,
            destination_port: 443,
            sequence: 0x0102_0304,
            acknowledgment: 0,
            flags: Flags::SYN,
            window: 1024,
            mss: Some(1460),
            payload: &[],
        }
    }

    #[test]
    fn bytes_and_value_are_the_same() {
        assert_eq!(Segment::parse(&SYN), Ok(syn()));
        let mut buf = [0xee; 24];
        syn().emit(&mut buf, SOURCE, DESTINATION);
        assert_eq!(buf, SYN);
        assert_eq!(syn().to_string(), "TCP 50000 > 443 S seq 16909060 ack 0 win 1024 len 0");
    }

    #[test]
    fn broken_options_lose_only_themselves() {
        assert_eq!(read_mss(&[1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4]), Some(1460));
        for options in [&[8, 0, 2, 4][..], &[8, 1, 2, 4], &[2, 4, 5], &[0, 2, 4, 5], &[2, 3, 5], &[3]] {
            assert_eq!(read_mss(options), None, "{options:?}");
        }
    }

    #[test]
    fn impossible_header_lengths_are_refused() {
        let mut bytes = SYN;
        bytes[field::DATA_OFFSET] = 0x40;
        assert_eq!(Segment::parse(&bytes).unwrap_err().problem, Problem::Length);
        bytes[field::DATA_OFFSET] = 0x70;
        assert_eq!(Segment::parse(&bytes).unwrap_err().problem, Problem::Truncated);
    }

    #[test]
    fn flags_are_letters() {
        assert_eq!((Flags::SYN | Flags::ACK).to_string(), "SA");
        assert_eq!(Flags(0).to_string(), "-");
        assert!((Flags::RST | Flags::ACK).contains(Flags::RST));
        assert!(!Flags::RST.contains(Flags::RST | Flags::ACK));
    }
}
