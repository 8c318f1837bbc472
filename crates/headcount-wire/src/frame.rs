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
pub fn parse(bytes: &[u8]) -> Result<Frame<'_>, Malformed> {
    let (ethernet, payload) = ethernet::Header::parse(bytes)?;
    let content = match ethernet.ether_type {
        EtherType::Arp => Content::Arp(arp::Packet::parse(payload)?),
        EtherType::Ipv4 => parse_ipv4(payload)?,
        EtherType::Ipv6 | EtherType::Other(_) => Content::Other,
    };
    Ok(Frame { ethernet, content })
}

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
