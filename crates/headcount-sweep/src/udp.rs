//! UDP: each port is asked the question of its own protocol that a normal client asks first.

use std::ops::RangeInclusive;

use headcount_model::{Method, PortState, Reason};
use headcount_wire::{
    ethernet::{EtherType, Header},
    frame::{self, Content, Frame},
    icmpv4::Message,
    ipv4::Protocol,
    udp::Datagram,
};

use crate::{
    Answer, Ask, Description, Key, Layer, Question, Sign, SweepMethod, payload,
    tcp_syn::{ip_header, port_unreachable},
};

/// The method.
pub(crate) struct Udp;

impl SweepMethod for Udp {
    fn description(&self) -> &'static Description {
        &Description {
            method: Method::Udp,
            layer: Layer::Network,
            sends: "the first question of the port's own protocol",
            normal: "a client of that protocol begins with it",
        }
    }

    fn frame(&self, ask: &Ask<'_>, key: Key, buf: &mut [u8]) -> usize {
        let cookie = key.cookie(Method::Udp, ask.target, ask.port);
        let ethernet =
            Header { destination: ask.next_hop, source: ask.source_mac, ether_type: EtherType::Ipv4 };
        let question = payload::for_port(ask.port, cookie.identification()).unwrap_or_default();
        let datagram = Datagram {
            source_port: cookie.source_port(ask.source_ports),
            destination_port: ask.port,
            payload: &question,
        };
        frame::udp(buf, &ethernet, &ip_header(ask, Protocol::Udp, cookie), &datagram)
    }

    fn classify(&self, frame: &Frame<'_>, key: Key, source_ports: &RangeInclusive<u16>) -> Option<Answer> {
        let answer = |target, port, ttl, sign| Answer {
            target,
            question: Question::udp(port),
            mac: frame.ethernet.source,
            ttl: Some(ttl),
            sign,
            sent: None,
        };
        match &frame.content {
            Content::Udp { ip, datagram } => {
                let cookie = key.cookie(Method::Udp, ip.source, datagram.source_port);
                let ours = payload::is_asked(datagram.source_port)
                    && datagram.destination_port == cookie.source_port(source_ports);
                let sign = Sign::Port(PortState::Open, Reason::UdpReply);
                ours.then(|| answer(ip.source, datagram.source_port, ip.ttl, sign))
            }
            Content::Icmp { ip, message: Message::Unreachable { code, quoted } }
                if quoted.protocol == Protocol::Udp =>
            {
                let cookie = key.cookie(Method::Udp, quoted.destination, quoted.destination_port);
                let ours = quoted.identification == cookie.identification()
                    && quoted.source_port == cookie.source_port(source_ports);
                let sign = port_unreachable(ip, quoted.destination, *code, PortState::Closed);
                ours.then(|| answer(quoted.destination, quoted.destination_port, ip.ttl, sign))
            }
            Content::Icmp { .. } | Content::Arp(_) | Content::Tcp { .. } | Content::Other => None,
        }
    }
}
