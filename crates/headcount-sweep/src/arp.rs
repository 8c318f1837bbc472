//! ARP requests (RFC 826): whoever has an IPv4 address on the link must answer, whatever else it filters.

use std::ops::RangeInclusive;

use headcount_model::{MacAddr, Method, Reason};
use headcount_wire::{
    arp::{Operation, Packet},
    ethernet::{EtherType, Header},
    frame::{self, Content, Frame},
};

use crate::{Answer, Ask, Description, Key, Layer, Question, Sign, SweepMethod};

/// The method.
pub(crate) struct Arp;

impl SweepMethod for Arp {
    fn description(&self) -> &'static Description {
        &Description {
            method: Method::Arp,
            layer: Layer::Link,
            sends: "an ARP request, by broadcast or to a host that is known",
            normal: "every host sends one before its first packet to a neighbour",
        }
    }

    fn frame(&self, ask: &Ask<'_>, _: Key, buf: &mut [u8]) -> usize {
        let ethernet =
            Header { destination: ask.next_hop, source: ask.source_mac, ether_type: EtherType::Arp };
        let packet = Packet {
            operation: Operation::Request,
            sender_mac: ask.source_mac,
            sender: ask.source,
            target_mac: MacAddr::ZERO,
            target: ask.target,
        };
        frame::arp(buf, &ethernet, &packet)
    }

    /// An ARP reply carries no cookie; that its address was asked is for the caller to check.
    fn classify(&self, frame: &Frame<'_>, _: Key, _: &RangeInclusive<u16>) -> Option<Answer> {
        let Content::Arp(packet) = &frame.content else { return None };
        let claims_a_host = packet.operation == Operation::Reply
            && !packet.sender.is_unspecified()
            && !packet.sender_mac.is_multicast()
            && packet.sender_mac != MacAddr::ZERO;
        claims_a_host.then_some(Answer {
            target: packet.sender,
            question: Question::ARP,
            mac: packet.sender_mac,
            ttl: None,
            sign: Sign::Present(Reason::ArpReply),
            sent: None,
        })
    }
}
