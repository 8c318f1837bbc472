//! TCP SYN (RFC 9293): a port's state from the first answer; the connection is never completed. The kernel, which
//! knows of no such connection, answers a SYN/ACK with a RST by itself, and so the target's half-open one ends.

use std::ops::RangeInclusive;

use headcount_model::{Method, PortState, Reason};
use headcount_wire::{
    ethernet::{EtherType, Header},
    frame::{self, Content, Frame},
    icmpv4::Message,
    ipv4::{self, Protocol},
    tcp::{Flags, Segment},
};

use crate::{
    Answer, Ask, Description, Key, Layer, Question, Sign, SweepMethod, cookie::Cookie,
    icmp_echo::unreachable_reason,
};

/// The maximum segment size of an Ethernet host (RFC 9293, section 3.7.1): 1500 less 40 bytes of headers.
const MSS: u16 = 1460;

/// The method.
pub(crate) struct TcpSyn;

impl SweepMethod for TcpSyn {
    fn description(&self) -> &'static Description {
        &Description {
            method: Method::TcpSyn,
            layer: Layer::Network,
            sends: "a TCP SYN; an accepted connection is reset at once, with no byte sent",
            normal: "every TCP connection begins with one",
        }
    }

    fn frame(&self, ask: &Ask<'_>, key: Key, buf: &mut [u8]) -> usize {
        let cookie = key.cookie(Method::TcpSyn, ask.target, ask.port);
        let ethernet =
            Header { destination: ask.next_hop, source: ask.source_mac, ether_type: EtherType::Ipv4 };
        let segment = Segment {
            source_port: cookie.source_port(ask.source_ports),
            destination_port: ask.port,
            sequence: cookie.sequence(),
            acknowledgment: 0,
            flags: Flags(Flags::SYN.0),
            window: 64_240,
            mss: Some(MSS),
            payload: &[],
        };
        frame::tcp(buf, &ethernet, &ip_header(ask, Protocol::Tcp, cookie), &segment)
    }

    fn classify(&self, frame: &Frame<'_>, key: Key, source_ports: &RangeInclusive<u16>) -> Option<Answer> {
        match &frame.content {
            Content::Tcp { ip, segment } => {
                let sign = segment_sign(ip, segment, key, source_ports)?;
                Some(answer(frame, ip.source, segment.source_port, ip.ttl, sign))
            }
            Content::Icmp { ip, message: Message::Unreachable { code, quoted } }
                if quoted.protocol == Protocol::Tcp =>
            {
                let cookie = key.cookie(Method::TcpSyn, quoted.destination, quoted.destination_port);
                let ours = quoted.sequence == cookie.sequence()
                    && quoted.source_port == cookie.source_port(source_ports);
                let sign = port_unreachable(ip, quoted.destination, *code, PortState::Filtered);
                ours.then(|| answer(frame, quoted.destination, quoted.destination_port, ip.ttl, sign))
            }
            Content::Icmp { .. } | Content::Arp(_) | Content::Udp { .. } | Content::Other => None,
        }
    }
}

fn segment_sign(
    ip: &ipv4::Header,
    segment: &Segment<'_>,
    key: Key,
    source_ports: &RangeInclusive<u16>,
) -> Option<Sign> {
    let cookie = key.cookie(Method::TcpSyn, ip.source, segment.source_port);
    let acknowledged = segment.acknowledgment == cookie.sequence().wrapping_add(1);
    if !acknowledged || segment.destination_port != cookie.source_port(source_ports) {
        return None;
    }
    if segment.flags.contains(Flags::RST) {
        Some(Sign::Port(PortState::Closed, Reason::Rst))
    } else if segment.flags.contains(Flags::SYN) && segment.flags.contains(Flags::ACK) {
        Some(Sign::Port(PortState::Open, Reason::SynAck))
    } else {
        None
    }
}

fn answer(frame: &Frame<'_>, target: std::net::Ipv4Addr, port: u16, ttl: u8, sign: Sign) -> Answer {
    Answer {
        target,
        question: Question::syn(port),
        mac: frame.ethernet.source,
        ttl: Some(ttl),
        sign,
        sent: None,
    }
}

/// A host's own refusal is its port's state; another machine's says only that something is in the way.
pub(crate) fn port_unreachable(
    ip: &ipv4::Header,
    target: std::net::Ipv4Addr,
    code: u8,
    state: PortState,
) -> Sign {
    let reason = unreachable_reason(code);
    match reason {
        Reason::PortUnreachable if ip.source == target => Sign::Port(state, reason),
        Reason::AdminProhibited if ip.source == target => Sign::Port(PortState::Filtered, reason),
        _ => Sign::Unreachable(ip.source, reason),
    }
}

/// The IP header of every question: the identification is part of the cookie, so that a quoted packet is known.
pub(crate) fn ip_header(ask: &Ask<'_>, protocol: Protocol, cookie: Cookie) -> ipv4::Header {
    ipv4::Header {
        source: ask.source,
        destination: ask.target,
        protocol,
        ttl: 64,
        identification: cookie.identification(),
        dont_fragment: true,
        payload_len: 0,
    }
}
