//! ICMP for IPv4 (RFC 792): echo and destination unreachable.
//!
//! Checksums are written, never checked: a reply with a wrong one still shows that somebody is there.

use std::{fmt, net::Ipv4Addr};

use crate::{
    Layer, Malformed, Problem,
    bytes::{read_u16, read_u32, write_u16, write_u32},
    checksum,
    ipv4::{self, Protocol},
};

/// Bytes of a header, and of the payload that every error quotes.
pub const HEADER_LEN: usize = 8;

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const ECHO_REQUEST: u8 = 8;

/// Code of [`Message::Unreachable`]: the host answers, the port is closed.
pub const CODE_PORT_UNREACHABLE: u8 = 3;

/// Where the fields lie in a message.
pub mod field {
    use std::ops::Range;

    /// Type.
    pub const KIND: usize = 0;
    /// Code, the kind within the type.
    pub const CODE: usize = 1;
    /// Checksum of the message.
    pub const CHECKSUM: Range<usize> = 2..4;
    /// Identifier of an echo.
    pub const IDENTIFIER: Range<usize> = 4..6;
    /// Sequence number of an echo.
    pub const SEQUENCE: Range<usize> = 6..8;
}

/// One ICMP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Asks for an echo.
    EchoRequest {
        /// Chosen by who asks.
        identifier: u16,
        /// Chosen by who asks.
        sequence: u16,
        /// Comes back unchanged.
        payload: &'a [u8],
    },
    /// Answers an echo request with what it held.
    EchoReply {
        /// Of the request.
        identifier: u16,
        /// Of the request.
        sequence: u16,
        /// Of the request.
        payload: &'a [u8],
    },
    /// A packet could not be delivered.
    Unreachable {
        /// Why (IANA "ICMP Type Numbers", type 3).
        code: u8,
        /// The packet.
        quoted: Quoted,
    },
    /// Any other message; its body is not read, and is written as four zero bytes.
    Other {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    },
}

/// The head of a packet that an error is about: all of the IPv4 header that tells it apart, and 8 bytes of payload.
/// For protocols other than ICMP, TCP and UDP the ports are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Who sent it: the receiver of the error.
    pub source: Ipv4Addr,
    /// Whom it was for.
    pub destination: Ipv4Addr,
    /// What it carried.
    pub protocol: Protocol,
    /// IPv4 identification.
    pub identification: u16,
    /// Source port; the identifier of a quoted ICMP echo.
    pub source_port: u16,
    /// Destination port; the sequence number of a quoted ICMP echo.
    pub destination_port: u16,
    /// TCP sequence number; 0 for other protocols.
    pub sequence: u32,
}

impl<'a> Message<'a> {
    /// The message that fills `bytes`.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let Some((header, payload)) = bytes.split_at_checked(HEADER_LEN) else {
            return Err(Malformed::new(Layer::Icmpv4, Problem::Truncated));
        };
        let identifier = read_u16(header, field::IDENTIFIER.start);
        let sequence = read_u16(header, field::SEQUENCE.start);
        let code = header[field::CODE];
        Ok(match header[field::KIND] {
            ECHO_REQUEST => Self::EchoRequest { identifier, sequence, payload },
            ECHO_REPLY => Self::EchoReply { identifier, sequence, payload },
            UNREACHABLE => Self::Unreachable { code, quoted: Quoted::parse(payload)? },
            kind => Self::Other { kind, code },
        })
    }

    /// Bytes that [`emit`](Self::emit) writes.
    #[expect(clippy::len_without_is_empty, reason = "a message is never empty")]
    pub const fn len(&self) -> usize {
        match self {
            Self::EchoRequest { payload, .. } | Self::EchoReply { payload, .. } => HEADER_LEN + payload.len(),
            Self::Unreachable { .. } => HEADER_LEN + Quoted::LEN,
            Self::Other { .. } => HEADER_LEN,
        }
    }

    /// Writes the message with its checksum to the front of `buf`.
    ///
    /// # Panics
    /// If `buf` is shorter than [`len`](Self::len).
    pub fn emit(&self, buf: &mut [u8]) {
        let buf = &mut buf[..self.len()];
        let (header, body) = buf.split_at_mut(HEADER_LEN);
        header.fill(0);
        match *self {
            Self::EchoRequest { identifier, sequence, payload }
            | Self::EchoReply { identifier, sequence, payload } => {
                write_u16(header, field::IDENTIFIER, identifier);
                write_u16(header, field::SEQUENCE, sequence);
                body.copy_from_slice(payload);
            }
            Self::Unreachable { code, quoted } => {
                header[field::CODE] = code;
                quoted.emit(body);
            }
            Self::Other { code, .. } => header[field::CODE] = code,
        }
        header[field::KIND] = self.kind();
        let sum = checksum::internet(&[buf]);
        write_u16(buf, field::CHECKSUM, sum);
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::EchoRequest { .. } => ECHO_REQUEST,
            Self::EchoReply { .. } => ECHO_REPLY,
            Self::Unreachable { .. } => UNREACHABLE,
            Self::Other { kind, .. } => *kind,
        }
    }
}

impl Quoted {
    /// Bytes of a quoted packet as written here; others quote more of it.
    pub const LEN: usize = ipv4::HEADER_LEN + HEADER_LEN;

    /// The quoted packet at the front of `bytes`.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (ip, payload) = ipv4::Header::parse_quoted(bytes)?;
        let Some(payload) = payload.get(..HEADER_LEN) else {
            return Err(Malformed::new(Layer::Quoted, Problem::Truncated));
        };
        let (source_port, destination_port, sequence) = match ip.protocol {
            Protocol::Icmp => (read_u16(payload, 4), read_u16(payload, 6), 0),
            Protocol::Tcp => (read_u16(payload, 0), read_u16(payload, 2), read_u32(payload, 4)),
            Protocol::Udp => (read_u16(payload, 0), read_u16(payload, 2), 0),
            Protocol::Other(_) => (0, 0, 0),
        };
        Ok(Self {
            source: ip.source,
            destination: ip.destination,
            protocol: ip.protocol,
            identification: ip.identification,
            source_port,
            destination_port,
            sequence,
        })
    }

    /// Writes [`LEN`](Self::LEN) bytes: an IPv4 header of a packet with 8 bytes of payload, and these. A quoted ICMP
    /// packet is an echo request.
    ///
    /// # Panics
    /// If `buf` is shorter than [`LEN`](Self::LEN).
    pub fn emit(&self, buf: &mut [u8]) {
        let header = ipv4::Header {
            source: self.source,
            destination: self.destination,
            protocol: self.protocol,
            ttl: 1,
            identification: self.identification,
            dont_fragment: false,
            payload_len: HEADER_LEN as u16,
        };
        header.emit(buf);
        let payload = &mut buf[ipv4::HEADER_LEN..Self::LEN];
        payload.fill(0);
        match self.protocol {
            Protocol::Icmp => {
                payload[0] = ECHO_REQUEST;
                write_u16(payload, 4..6, self.source_port);
                write_u16(payload, 6..8, self.destination_port);
            }
            Protocol::Tcp | Protocol::Udp => {
                write_u16(payload, 0..2, self.source_port);
                write_u16(payload, 2..4, self.destination_port);
                if self.protocol == Protocol::Tcp {
                    write_u32(payload, 4..8, self.sequence);
                } else {
                    write_u16(payload, 4..6, HEADER_LEN as u16);
                }
            }
            Protocol::Other(_) => {}
        }
    }
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EchoRequest { identifier, sequence, payload } => {
                write!(f, "ICMP echo request id {identifier} seq {sequence} len {}", payload.len())
            }
            Self::EchoReply { identifier, sequence, payload } => {
                write!(f, "ICMP echo reply id {identifier} seq {sequence} len {}", payload.len())
            }
            Self::Unreachable { code, quoted } => write!(f, "ICMP unreachable code {code} ({quoted})"),
            Self::Other { kind, code } => write!(f, "ICMP type {kind} code {code}"),
        }
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, destination, protocol, source_port, destination_port, .. } = self;
        write!(f, "{source}:{source_port} > {destination}:{destination_port} {protocol}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECHO: [u8; 12] = [0x08, 0x00, 0x18, 0x26, 0x01, 0x02, 0x00, 0x07, 0x70, 0x69, 0x6e, 0x67];
    const PORT_UNREACHABLE: [u8; 36] = [
        0x03, 0x03, 0x60, 0x13, 0x00, 0x00, 0x00, 0x00, // type, code, checksum, unused
        0x45, 0x00, 0x00, 0x1c, 0xbe, 0xef, 0x00, 0x00, 0x01, 0x11, 0x77, 0x73, // quoted IPv4
        0xc0, 0xa8, 0x01, 0x0a, 0xc0, 0xa8, 0x01, 0x14, //
        0x9c, 0x40, 0x00, 0xa1, 0x00, 0x08, 0x00, 0x00, // quoted UDP
    ];

    fn unreachable() -> Message<'static> {
        Message::Unreachable {
            code: CODE_PORT_UNREACHABLE,
            quoted: Quoted {
                source: Ipv4Addr::new(192, 168, 1, 10),
                destination: Ipv4Addr::new(192, 168, 1, 20),
                protocol: Protocol::Udp,
                identification: 0xbeef,
                source_port: 40_000,
                destination_port: 161,
                sequence: 0,
            },
        }
    }

    fn emitted(message: &Message<'_>) -> Vec<u8> {
        let mut buf = vec![0xee; message.len()];
        message.emit(&mut buf);
        buf
    }

    #[test]
    fn an_echo_is_its_bytes() {
        let echo = Message::EchoRequest { identifier: 0x0102, sequence: 7, payload: b"ping" };
        assert_eq!(Message::parse(&ECHO), Ok(echo));
        assert_eq!(emitted(&echo), ECHO);
        assert_eq!(echo.to_string(), "ICMP echo request id 258 seq 7 len 4");
    }

    #[test]
    fn an_error_is_its_bytes() {
        assert_eq!(Message::parse(&PORT_UNREACHABLE), Ok(unreachable()));
        assert_eq!(emitted(&unreachable()), PORT_UNREACHABLE);
        let text = "ICMP unreachable code 3 (192.168.1.10:40000 > 192.168.1.20:161 UDP)";
        assert_eq!(unreachable().to_string(), text);
    }

    #[test]
    fn what_a_router_breaks_in_the_quote_does_not_matter() {
        let mut bytes = PORT_UNREACHABLE.to_vec();
        // Length in the other byte order, time to live counted down, checksum cleared, more of the packet.
        bytes[10..12].copy_from_slice(&[0x1c, 0x00]);
        bytes[16] = 0;
        bytes[18..20].fill(0);
        bytes.extend([0; 20]);
        assert_eq!(Message::parse(&bytes), Ok(unreachable()));
    }

    #[test]
    fn a_cut_quote_is_refused() {
        let error = Message::parse(&PORT_UNREACHABLE[..35]).unwrap_err();
        assert_eq!(error, Malformed::new(Layer::Quoted, Problem::Truncated));
    }
}
