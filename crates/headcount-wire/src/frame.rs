//! Whole Ethernet frames: one step from received bytes to what they say, and back. Nothing allocates.

use std::fmt;

use crate::{
    Malformed, arp, ethernet,
    ethernet::EtherType,
    icmpv4,
    ipv4::{self, Protocol},
    tcp, udp,
};

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// An ARP packet.
    Arp(arp::Packet),
    /// An ICMP message.
    Icmp {
        /// Header around it.
        ip: ipv4::Header,
        /// The message.
        message: icmpv4::Message<'a>,
    },
    /// A TCP segment.
    Tcp {
        /// Header around it.
        ip: ipv4::Header,
        /// The segment.
        segment: tcp::Segment<'a>,
    },
    /// A UDP datagram.
    Udp {
        /// Header around it.
        ip: ipv4::Header,
        /// The datagram.
        datagram: udp::Datagram<'a>,
    },
    /// A type or protocol that is not read here.
    Other,
}

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its link header.
    pub ethernet: ethernet::Header,
    /// What it carries.
    pub content: Content<'a>,
}

/// Reads a received frame. IPv4 header checksums are checked; those of ICMP, TCP and UDP are not, since on virtual
/// links they are left to hardware that is not there.
#[inline]
pub fn parse(bytes: &[u8]) -> Result<Frame<'_>, Malformed> {
    let (ethernet, payload) = ethernet::Header::parse(bytes)?;
    let content = match ethernet.ether_type {
        EtherType::Arp => Content::Arp(arp::Packet::parse(payload)?),
        EtherType::Ipv4 => parse_ipv4(payload)?,
        EtherType::Ipv6 | EtherType::Other(_) => Content::Other,
    };
    Ok(Frame { ethernet, content })
}

#[inline]
fn parse_ipv4(bytes: &[u8]) -> Result<Content<'_>, Malformed> {
    let (ip, payload) = ipv4::Header::parse(bytes)?;
    Ok(match ip.protocol {
        Protocol::Icmp => Content::Icmp { ip, message: icmpv4::Message::parse(payload)? },
        Protocol::Tcp => Content::Tcp { ip, segment: tcp::Segment::parse(payload)? },
        Protocol::Udp => Content::Udp { ip, datagram: udp::Datagram::parse(payload)? },
        Protocol::Other(_) => Content::Other,
    })
}

/// Writes an ARP frame and returns its length, without padding. The type in `eth` is replaced.
///
/// # Panics
/// If `buf` is shorter than the frame, 42 bytes.
pub fn arp(buf: &mut [u8], eth: &ethernet::Header, packet: &arp::Packet) -> usize {
    link(buf, eth, EtherType::Arp);
    packet.emit(&mut buf[ethernet::HEADER_LEN..]);
    ethernet::HEADER_LEN + packet.len()
}

/// Writes an ICMP frame and returns its length, without padding. The type in `eth`, the protocol and payload length
/// in `ip`, and all checksums are filled in.
///
/// # Panics
/// If `buf` is shorter than the frame.
pub fn icmp(
    buf: &mut [u8],
    eth: &ethernet::Header,
    ip: &ipv4::Header,
    message: &icmpv4::Message<'_>,
) -> usize {
    let payload = network(buf, eth, ip, Protocol::Icmp, message.len());
    message.emit(payload);
    TRANSPORT + message.len()
}

/// Writes a TCP frame and returns its length, without padding. The type in `eth`, the protocol and payload length in
/// `ip`, and all checksums are filled in.
///
/// # Panics
/// If `buf` is shorter than the frame.
pub fn tcp(buf: &mut [u8], eth: &ethernet::Header, ip: &ipv4::Header, segment: &tcp::Segment<'_>) -> usize {
    let payload = network(buf, eth, ip, Protocol::Tcp, segment.len());
    segment.emit(payload, ip.source, ip.destination);
    TRANSPORT + segment.len()
}

/// Writes a UDP frame and returns its length, without padding. The type in `eth`, the protocol and payload length in
/// `ip`, and all checksums are filled in.
///
/// # Panics
/// If `buf` is shorter than the frame.
pub fn udp(buf: &mut [u8], eth: &ethernet::Header, ip: &ipv4::Header, datagram: &udp::Datagram<'_>) -> usize {
    let payload = network(buf, eth, ip, Protocol::Udp, datagram.len());
    datagram.emit(payload, ip.source, ip.destination);
    TRANSPORT + datagram.len()
}

/// Offset of the network header in a frame.
pub const NETWORK: usize = ethernet::HEADER_LEN;
/// Offset of the transport header in a frame that these builders write.
pub const TRANSPORT: usize = ethernet::HEADER_LEN + ipv4::HEADER_LEN;

fn link(buf: &mut [u8], eth: &ethernet::Header, ether_type: EtherType) {
    ethernet::Header { ether_type, ..*eth }.emit(buf);
}

/// Writes the link and network headers; returns the place of the payload.
fn network<'b>(
    buf: &'b mut [u8],
    eth: &ethernet::Header,
    ip: &ipv4::Header,
    protocol: Protocol,
    payload_len: usize,
) -> &'b mut [u8] {
    link(buf, eth, EtherType::Ipv4);
    let payload_len = u16::try_from(payload_len).unwrap_or(u16::MAX);
    ipv4::Header { protocol, payload_len, ..*ip }.emit(&mut buf[NETWORK..]);
    &mut buf[TRANSPORT..]
}

impl fmt::Display for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Arp(packet) => packet.fmt(f),
            Content::Icmp { ip, message } => write!(f, "{} > {} {message}", ip.source, ip.destination),
            Content::Tcp { ip, segment } => write!(f, "{} > {} {segment}", ip.source, ip.destination),
            Content::Udp { ip, datagram } => write!(f, "{} > {} {datagram}", ip.source, ip.destination),
            Content::Other => self.ethernet.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use headcount_model::MacAddr;

    use super::*;

    /// A SYN/ACK as it arrives: padded to 60 bytes, the TCP checksum left to hardware.
    const SYN_ACK: [u8; 60] = [
        0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x02, 0x00, 0x00, 0x00, 0x00, 0x14, 0x08, 0x00, // Ethernet
        0x45, 0x00, 0x00, 0x28, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06, 0xa5, 0x2d, // IPv4
        0xc0, 0xa8, 0x01, 0x14, 0xc0, 0xa8, 0x01, 0x0a, //
        0x01, 0xbb, 0xc3, 0x50, 0x00, 0x00, 0x00, 0x01, 0x01, 0x02, 0x03, 0x05, // TCP
        0x50, 0x12, 0xfa, 0xf0, 0xde, 0xad, 0x00, 0x00, //
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // padding
    ];

    #[test]
    fn a_padded_frame_with_an_unfinished_checksum_is_read() {
        let frame = parse(&SYN_ACK).unwrap();
        let Content::Tcp { ip, segment } = frame.content else { panic!("{frame}") };
        assert_eq!(ip.source, Ipv4Addr::new(192, 168, 1, 20));
        assert_eq!((segment.acknowledgment, segment.payload), (0x0102_0305, &[][..]));
        assert!(segment.flags.contains(tcp::Flags::SYN | tcp::Flags::ACK));
        let text = "192.168.1.20 > 192.168.1.10 TCP 443 > 50000 SA seq 1 ack 16909061 win 64240 len 0";
        assert_eq!(frame.to_string(), text);
    }

    #[test]
    fn written_again_it_is_the_same_but_for_the_checksum() {
        let frame = parse(&SYN_ACK).unwrap();
        let Content::Tcp { ip, segment } = frame.content else { panic!("{frame}") };
        // Type, protocol and length are the builder's to know.
        let eth = ethernet::Header { ether_type: EtherType::Other(0), ..frame.ethernet };
        let ip = ipv4::Header { protocol: Protocol::Other(0), payload_len: 999, ..ip };
        let mut buf = [0; 64];
        let len = tcp(&mut buf, &eth, &ip, &segment);
        assert_eq!(len, 54);
        assert_eq!(buf[..50], SYN_ACK[..50]);
        let pseudo = [0xc0, 0xa8, 0x01, 0x14, 0xc0, 0xa8, 0x01, 0x0a, 0, 6, 0, 20];
        assert_eq!(crate::checksum::internet(&[&pseudo, &buf[TRANSPORT..len]]), 0);
    }

    #[test]
    fn an_arp_frame_has_42_bytes() {
        let eth = ethernet::Header {
            destination: MacAddr::BROADCAST,
            source: MacAddr([2, 0, 0, 0, 0, 10]),
            ether_type: EtherType::Arp,
        };
        let packet = arp::Packet {
            operation: arp::Operation::Request,
            sender_mac: eth.source,
            sender: Ipv4Addr::new(192, 168, 1, 10),
            target_mac: MacAddr::ZERO,
            target: Ipv4Addr::new(192, 168, 1, 20),
        };
        let mut buf = [0; 42];
        assert_eq!(arp(&mut buf, &eth, &packet), 42);
        assert_eq!(parse(&buf), Ok(Frame { ethernet: eth, content: Content::Arp(packet) }));
    }

    #[test]
    fn what_is_not_read_here_is_other() {
        let mut bytes = SYN_ACK;
        bytes[12..14].copy_from_slice(&[0x86, 0xdd]);
        assert_eq!(parse(&bytes).unwrap().content, Content::Other);
    }
}
