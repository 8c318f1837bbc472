//! ICMP echo requests (RFC 792), and what a router says when one cannot be delivered.

use std::ops::RangeInclusive;

use headcount_model::{Instant, Method, Reason};
use headcount_wire::{
    ethernet::{EtherType, Header},
    frame::{self, Content, Frame},
    icmpv4::Message,
    ipv4::{self, Protocol},
};

use crate::{Answer, Ask, Description, Key, Layer, Question, Sign, SweepMethod, tcp_syn::ip_header};

/// As much as `ping` sends by default, so that the frame looks like one.
const PAYLOAD: usize = 56;

/// The method.
pub(crate) struct IcmpEcho;

impl SweepMethod for IcmpEcho {
    fn description(&self) -> &'static Description {
        &Description {
            method: Method::IcmpEcho,
            layer: Layer::Network,
            sends: "an ICMP echo request with 56 bytes, as ping sends it",
            normal: "every host must answer it (RFC 1122, section 3.2.2.6)",
        }
    }

    fn frame(&self, ask: &Ask<'_>, key: Key, buf: &mut [u8]) -> usize {
        let cookie = key.cookie(Method::IcmpEcho, ask.target, 0);
        let ethernet =
            Header { destination: ask.next_hop, source: ask.source_mac, ether_type: EtherType::Ipv4 };
        let mut payload = [0; PAYLOAD];
        payload[..8].copy_from_slice(&ask.now.as_nanos().to_be_bytes());
        let message = Message::EchoRequest {
            identifier: (cookie.sequence() >> 16) as u16,
            sequence: cookie.sequence() as u16,
            payload: &payload,
        };
        frame::icmp(buf, &ethernet, &ip_header(ask, Protocol::Icmp, cookie), &message)
    }

    fn classify(&self, frame: &Frame<'_>, key: Key, _: &RangeInclusive<u16>) -> Option<Answer> {
        let Content::Icmp { ip, message } = &frame.content else { return None };
        let answer = |target, sign, sent| Answer {
            target,
            question: Question::ECHO,
            mac: frame.ethernet.source,
            ttl: Some(ip.ttl),
            sign,
            sent,
        };
        match message {
            Message::EchoReply { identifier, sequence, payload } => {
                let cookie = key.cookie(Method::IcmpEcho, ip.source, 0).sequence();
                let ours = cookie == u32::from(*identifier) << 16 | u32::from(*sequence);
                ours.then(|| answer(ip.source, Sign::Present(Reason::EchoReply), sent_at(payload)))
            }
            Message::Unreachable { code, quoted } if quoted.protocol == Protocol::Icmp => {
                let cookie = key.cookie(Method::IcmpEcho, quoted.destination, 0).sequence();
                let ours = cookie == u32::from(quoted.source_port) << 16 | u32::from(quoted.destination_port);
                ours.then(|| answer(quoted.destination, unreachable(ip, quoted.destination, *code), None))
            }
            Message::Unreachable { .. } | Message::EchoRequest { .. } | Message::Other { .. } => None,
        }
    }
}

fn sent_at(payload: &[u8]) -> Option<Instant> {
    payload.first_chunk().map(|bytes| Instant::from_nanos(u64::from_be_bytes(*bytes)))
}

/// A host that rejects an echo request is there all the same; a router speaks only for itself.
fn unreachable(ip: &ipv4::Header, target: std::net::Ipv4Addr, code: u8) -> Sign {
    let reason = unreachable_reason(code);
    if ip.source == target && reason != Reason::Unreachable {
        Sign::Present(reason)
    } else {
        Sign::Unreachable(ip.source, reason)
    }
}

/// ICMP destination unreachable codes (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1).
pub(crate) fn unreachable_reason(code: u8) -> Reason {
    match code {
        3 => Reason::PortUnreachable,
        9 | 10 | 13 => Reason::AdminProhibited,
        _ => Reason::Unreachable,
    }
}
