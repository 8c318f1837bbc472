//! parse ∘ emit is the identity.

use std::net::Ipv4Addr;

use headcount_wire::{arp, checksum, dns, ethernet, frame, icmpv4, ipv4, netbios, snmp, tcp, udp};
use proptest::{collection::vec, prelude::*};

use crate::values;

/// What `emit` writes over `len` dirty bytes.
fn emitted(len: usize, emit: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut buf = vec![0xee; len];
    emit(&mut buf);
    buf
}

proptest! {
    #[test]
    fn ethernet_header(header in values::ethernet()) {
        let bytes = emitted(header.len(), |buf| header.emit(buf));
        prop_assert_eq!(ethernet::Header::parse(&bytes), Ok((header, &[][..])));
    }

    #[test]
    fn arp_packet(packet in values::arp()) {
        let bytes = emitted(packet.len(), |buf| packet.emit(buf));
        prop_assert_eq!(arp::Packet::parse(&bytes), Ok(packet));
    }

    #[test]
    fn ipv4_header(header in values::ipv4()) {
        let mut bytes = emitted(header.len(), |buf| header.emit(buf));
        bytes.resize(bytes.len() + usize::from(header.payload_len), 1);
        prop_assert_eq!(ipv4::Header::parse(&bytes), Ok((header, &bytes[ipv4::HEADER_LEN..])));
    }

    #[test]
    fn icmp_message(message in values::icmp()) {
        let bytes = emitted(message.len(), |buf| message.emit(buf));
        prop_assert_eq!(icmpv4::Message::parse(&bytes), Ok(message));
        prop_assert_eq!(checksum::internet(&[&bytes]), 0);
    }

    #[test]
    fn quoted_packet(quoted in values::quoted()) {
        let bytes = emitted(icmpv4::Quoted::LEN, |buf| quoted.emit(buf));
        prop_assert_eq!(icmpv4::Quoted::parse(&bytes), Ok(quoted));
    }

    #[test]
    fn tcp_segment(segment in values::tcp(), ends: [Ipv4Addr; 2]) {
        let bytes = emitted(segment.len(), |buf| segment.emit(buf, ends[0], ends[1]));
        prop_assert_eq!(tcp::Segment::parse(&bytes), Ok(segment));
        prop_assert_eq!(checksum::transport_v4(ends[0], ends[1], 6, &bytes), 0);
    }

    #[test]
    fn udp_datagram(datagram in values::udp(), ends: [Ipv4Addr; 2]) {
        let bytes = emitted(datagram.len(), |buf| datagram.emit(buf, ends[0], ends[1]));
        prop_assert_eq!(udp::Datagram::parse(&bytes), Ok(datagram));
        prop_assert_eq!(checksum::transport_v4(ends[0], ends[1], 17, &bytes), 0);
    }

    #[test]
    fn whole_frame((frame, bytes) in values::frame()) {
        prop_assert_eq!(frame::parse(&bytes), Ok(frame));
        let mut padded = bytes.clone();
        padded.resize(bytes.len().max(60), 0);
        prop_assert_eq!(frame::parse(&padded), Ok(frame));
    }

    #[test]
    fn dns_message(message in values::dns()) {
        let mut bytes = Vec::new();
        message.emit(&mut bytes);
        prop_assert_eq!(dns::Message::parse(&bytes), Ok(message));
    }

    #[test]
    fn netbios_node_status(status in values::node_status()) {
        let mut bytes = Vec::new();
        status.emit(&mut bytes);
        prop_assert_eq!(netbios::NodeStatus::parse(&bytes), Ok(status));
    }

    #[test]
    fn snmp_report(id in 0..1_u32 << 31, engine_id in vec(any::<u8>(), 1..=32), boots: u32, time: u32) {
        let report =
            snmp::Report { message_id: id, engine_id: &engine_id, engine_boots: boots, engine_time: time };
        let mut bytes = Vec::new();
        report.emit(&mut bytes);
        prop_assert_eq!(snmp::Report::parse(&bytes), Ok(report));
    }
}
