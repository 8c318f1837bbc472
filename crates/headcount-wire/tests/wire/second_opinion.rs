//! Other implementations read the same from what is written here, and write the same bytes.

use std::net::Ipv4Addr;

use headcount_wire::{
    dns,
    frame::{self, Content},
    icmpv4,
};
use pnet_packet::{Packet, arp, ethernet, icmp, ipv4, tcp, udp};
use proptest::prelude::*;

use crate::values;

proptest! {
    #[test]
    fn pnet_reads_the_same_frame((frame, bytes) in values::frame()) {
        let link = ethernet::EthernetPacket::new(&bytes).unwrap();
        prop_assert_eq!(link.get_source().octets(), frame.ethernet.source.0);
        prop_assert_eq!(link.get_destination().octets(), frame.ethernet.destination.0);
        if let Content::Arp(packet) = frame.content {
            let theirs = arp::ArpPacket::new(link.payload()).unwrap();
            prop_assert_eq!(theirs.get_operation().0, u16::from(packet.operation));
            prop_assert_eq!(theirs.get_sender_proto_addr(), packet.sender);
            prop_assert_eq!(theirs.get_target_proto_addr(), packet.target);
            prop_assert_eq!(theirs.get_sender_hw_addr().octets(), packet.sender_mac.0);
            prop_assert_eq!(theirs.get_target_hw_addr().octets(), packet.target_mac.0);
            return Ok(());
        }
        let ip = ipv4::Ipv4Packet::new(link.payload()).unwrap();
        prop_assert_eq!(ip.get_checksum(), ipv4::checksum(&ip));
        let (source, destination) = (ip.get_source(), ip.get_destination());
        match frame.content {
            Content::Icmp { message, .. } => {
                let theirs = icmp::IcmpPacket::new(ip.payload()).unwrap();
                prop_assert_eq!(theirs.get_checksum(), icmp::checksum(&theirs));
                if let icmpv4::Message::EchoRequest { identifier, sequence, payload } = message {
                    let echo = icmp::echo_request::EchoRequestPacket::new(ip.payload()).unwrap();
                    prop_assert_eq!((echo.get_identifier(), echo.get_sequence_number()), (identifier, sequence));
                    prop_assert_eq!(echo.payload(), payload);
                }
            }
            Content::Tcp { segment, .. } => {
                let theirs = tcp::TcpPacket::new(ip.payload()).unwrap();
                prop_assert_eq!(theirs.get_checksum(), tcp::ipv4_checksum(&theirs, &source, &destination));
                prop_assert_eq!(theirs.get_source(), segment.source_port);
                prop_assert_eq!(theirs.get_destination(), segment.destination_port);
                prop_assert_eq!(theirs.get_sequence(), segment.sequence);
                prop_assert_eq!(theirs.get_acknowledgement(), segment.acknowledgment);
                prop_assert_eq!(theirs.get_flags(), segment.flags.0);
                prop_assert_eq!(theirs.get_window(), segment.window);
                let options = segment.mss.map(|mss| [[2, 4], mss.to_be_bytes()].concat());
                prop_assert_eq!(theirs.get_options_raw(), options.unwrap_or_default());
                prop_assert_eq!(theirs.payload(), segment.payload);
            }
            Content::Udp { datagram, .. } => {
                let theirs = udp::UdpPacket::new(ip.payload()).unwrap();
                // pnet knows no rule for a sum of 0.
                let sum = udp::ipv4_checksum(&theirs, &source, &destination);
                prop_assert_eq!(theirs.get_checksum(), if sum == 0 { 0xffff } else { sum });
                prop_assert_eq!(theirs.get_source(), datagram.source_port);
                prop_assert_eq!(theirs.get_destination(), datagram.destination_port);
                prop_assert_eq!(theirs.payload(), datagram.payload);
            }
            Content::Arp(_) | Content::Other => prop_assert!(false, "read above"),
        }
    }

    /// Only plain names: the other implementation has no presentation form.
    #[test]
    fn simple_dns_writes_what_is_read_here(id: u16, host in "[a-z0-9]{1,20}", service in "_[a-z]{1,8}", port: u16, address: Ipv4Addr) {
        use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, Question, ResourceRecord, TYPE, rdata};

        let (host, service) = (format!("{host}.local"), format!("{service}._tcp.local"));
        let (host_name, service_name) = (Name::new(&host).unwrap(), Name::new(&service).unwrap());
        let srv = rdata::SRV { priority: 1, weight: 2, port, target: host_name.clone() };
        let mut packet = Packet::new_reply(id);
        packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
        packet.questions.push(Question::new(service_name.clone(), TYPE::PTR.into(), QCLASS::CLASS(CLASS::IN), true));
        packet.answers.push(ResourceRecord::new(service_name.clone(), CLASS::IN, 9, rdata::RData::PTR(rdata::PTR(host_name.clone()))));
        packet.answers.push(ResourceRecord::new(service_name, CLASS::IN, 9, rdata::RData::SRV(srv)).with_cache_flush(true));
        packet.additional_records.push(ResourceRecord::new(host_name, CLASS::IN, 9, rdata::RData::A(rdata::A::from(address))));

        let record = |name: &str, class, data| dns::Record { name: name.into(), class, ttl: 9, data };
        let flush = dns::CLASS_IN | dns::CLASS_TOP_BIT;
        let srv = dns::RecordData::Srv { priority: 1, weight: 2, port, target: host.clone() };
        let expected = dns::Message {
            id,
            flags: dns::FLAG_RESPONSE | dns::FLAG_AUTHORITATIVE,
            questions: vec![dns::Question { name: service.clone(), kind: dns::RecordType::Ptr, class: flush }],
            answers: vec![
                record(&service, dns::CLASS_IN, dns::RecordData::Ptr(host.clone())),
                record(&service, flush, srv),
            ],
            additionals: vec![record(&host, dns::CLASS_IN, dns::RecordData::A(address))],
            ..dns::Message::default()
        };
        prop_assert_eq!(dns::Message::parse(&packet.build_bytes_vec_compressed().unwrap()), Ok(expected.clone()));
        let mut bytes = Vec::new();
        expected.emit(&mut bytes);
        prop_assert_eq!(bytes, packet.build_bytes_vec().unwrap());
    }

    #[test]
    fn simple_dns_reads_what_is_written_here(message in values::dns()) {
        // It refuses types, classes and codes that it does not know.
        let known = dns::Message {
            flags: dns::FLAG_RESPONSE,
            questions: Vec::new(),
            answers: plain(message.answers),
            authorities: Vec::new(),
            additionals: plain(message.additionals),
            ..message
        };
        let mut bytes = Vec::new();
        known.emit(&mut bytes);
        let theirs = simple_dns::Packet::parse(&bytes).unwrap();
        let ttls = |records: &[simple_dns::ResourceRecord<'_>]| records.iter().map(|record| record.ttl).collect::<Vec<_>>();
        prop_assert_eq!(ttls(&theirs.answers), known.answers.iter().map(|record| record.ttl).collect::<Vec<_>>());
        prop_assert_eq!(ttls(&theirs.additional_records), known.additionals.iter().map(|record| record.ttl).collect::<Vec<_>>());
    }
}

/// The records of the types read here, in class Internet.
fn plain(records: Vec<dns::Record>) -> Vec<dns::Record> {
    let known = |record: &dns::Record| {
        !matches!(&record.data, dns::RecordData::Other { .. })
            && !matches!(&record.data, dns::RecordData::Txt(strings) if strings.is_empty())
    };
    let plain = records.into_iter().filter(known);
    plain.map(|record| dns::Record { class: dns::CLASS_IN, ..record }).collect()
}

/// The frame layout that `frame` promises is the one that pnet finds.
#[test]
fn offsets_are_where_pnet_looks() {
    assert_eq!(frame::NETWORK, ethernet::EthernetPacket::minimum_packet_size());
    assert_eq!(frame::TRANSPORT, frame::NETWORK + ipv4::Ipv4Packet::minimum_packet_size());
}
