//! How a packet came to a persona, and thus how its answer goes back.

use std::{net::Ipv4Addr, time::Duration};

use headcount_model::{Instant, MacAddr};
use headcount_wire::{
    ethernet::{self, EtherType},
    frame, icmpv4,
    ipv4::{self, Protocol},
    tcp, udp,
};

use crate::outbox::Outbox;

/// The largest frame that a persona sends.
const BUFFER: usize = 2_048;
/// The longest payload that fits into it with every header.
const MAX_PAYLOAD: usize = BUFFER - 128;

/// The way that a packet came. Answers go back to the link-layer address that it came from, as small stacks do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// The link-layer address that answers come from: the persona's own, or its router's.
    pub(super) from: MacAddr,
    /// The link-layer address that they go to.
    pub(super) to: MacAddr,
    /// The address that was asked: answers come from it.
    pub(super) local: Ipv4Addr,
    /// The address that asked.
    pub(super) remote: Ipv4Addr,
    /// Routers on the way.
    pub(super) hops: u8,
    /// What they add to the time to an answer.
    pub(super) extra: Duration,
}

/// One answer on its way out.
pub(super) enum Answer<'a> {
    /// An ICMP message.
    Icmp(icmpv4::Message<'a>),
    /// A TCP segment.
    Tcp(tcp::Segment<'a>),
    /// A UDP datagram.
    Udp(udp::Datagram<'a>),
}

impl Way {
    /// Sends `answer` so that it is due at `due`; `ttl` is what the sender writes. Answers that no frame holds are
    /// not sent.
    pub(super) fn send(&self, out: &mut Outbox, due: Instant, ttl: u8, answer: &Answer<'_>) {
        let ethernet =
            ethernet::Header { destination: self.to, source: self.from, ether_type: EtherType::Ipv4 };
        let ip = ipv4::Header {
            source: self.local,
            destination: self.remote,
            protocol: Protocol::Tcp,
            ttl: ttl.saturating_sub(self.hops),
            identification: 0,
            dont_fragment: true,
            payload_len: 0,
        };
        let mut buf = [0; BUFFER];
        let payload_len = match answer {
            Answer::Icmp(message) => message.len(),
            Answer::Tcp(segment) => segment.len(),
            Answer::Udp(datagram) => datagram.len(),
        };
        if ip.ttl == 0 || payload_len > MAX_PAYLOAD {
            return;
        }
        let len = match answer {
            Answer::Icmp(message) => frame::icmp(&mut buf, &ethernet, &ip, message),
            Answer::Tcp(segment) => frame::tcp(&mut buf, &ethernet, &ip, segment),
            Answer::Udp(datagram) => frame::udp(&mut buf, &ethernet, &ip, datagram),
        };
        out.push(due, &buf[..len]);
    }
}

/// The ICMP message "unreachable" with `code` about a packet (RFC 792).
pub(super) fn unreachable(
    code: u8,
    ip: &ipv4::Header,
    ports: (u16, u16),
    sequence: u32,
) -> icmpv4::Message<'static> {
    icmpv4::Message::Unreachable {
        code,
        quoted: icmpv4::Quoted {
            source: ip.source,
            destination: ip.destination,
            protocol: ip.protocol,
            identification: ip.identification,
            source_port: ports.0,
            destination_port: ports.1,
            sequence,
        },
    }
}
