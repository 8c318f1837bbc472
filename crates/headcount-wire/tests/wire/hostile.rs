//! No bytes make a reader panic: neither noise nor almost valid messages.

use headcount_wire::{arp, ber, dns, ethernet, frame, icmpv4, ipv4, netbios, snmp, tcp, udp};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::values;

/// Every reader, and the text of what it has read.
fn read_all(bytes: &[u8]) {
    let _ = ethernet::Header::parse(bytes).map(|(header, _)| header.to_string());
    let _ = arp::Packet::parse(bytes).map(|packet| packet.to_string());
    let _ = ipv4::Header::parse(bytes).map(|(header, _)| header.to_string());
    let _ = icmpv4::Message::parse(bytes).map(|message| message.to_string());
    let _ = icmpv4::Quoted::parse(bytes).map(|quoted| quoted.to_string());
    let _ = tcp::Segment::parse(bytes).map(|segment| segment.to_string());
    let _ = udp::Datagram::parse(bytes).map(|datagram| datagram.to_string());
    let _ = frame::parse(bytes).map(|frame| frame.to_string());
    let _ = dns::Message::parse(bytes).map(|message| message.to_string());
    let _ = netbios::NodeStatus::parse(bytes).map(|status| status.to_string());
    let _ = snmp::Report::parse(bytes).map(|report| report.to_string());
    let _ = ber::Element::parse(bytes).map(|(element, _)| element.integer());
}

/// Valid bytes of any format.
fn valid() -> impl Strategy<Value = Vec<u8>> {
    let dns = values::dns().prop_map(|message| {
        let mut bytes = Vec::new();
        message.emit(&mut bytes);
        bytes
    });
    let netbios = values::node_status().prop_map(|status| {
        let mut bytes = Vec::new();
        status.emit(&mut bytes);
        bytes
    });
    let snmp = vec(any::<u8>(), 1..=32).prop_map(|engine_id| {
        let mut bytes = Vec::new();
        snmp::Report { engine_id: &engine_id, ..snmp::Report::default() }.emit(&mut bytes);
        bytes
    });
    prop_oneof![values::frame().prop_map(|(_, bytes)| bytes), dns, netbios, snmp]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn noise(bytes in vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn cut_and_changed(mut bytes in valid(), changes in vec((any::<Index>(), any::<u8>()), 0..6), end: Index) {
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(end.index(bytes.len() + 1));
        for layer in [0, frame::NETWORK, frame::TRANSPORT, 42] {
            read_all(bytes.get(layer..).unwrap_or_default());
        }
    }

    /// What is read can be written, and reads as the same again: nothing is lost between the two.
    #[test]
    fn what_was_read_of_dns_is_stable(mut bytes in valid(), changes in vec((any::<Index>(), any::<u8>()), 0..6)) {
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(message) = dns::Message::parse(&bytes) {
            let mut again = Vec::new();
            message.emit(&mut again);
            prop_assert_eq!(dns::Message::parse(&again), Ok(dns::Message { lost: 0, ..message }));
        }
    }
}

/// A message of nothing but pointers to the longest name: what it costs stays bounded by its size.
#[test]
fn a_message_of_pointers_stays_small() {
    let mut bytes = b"\0\0\0\0\xff\xff\0\0\0\0\0\0".to_vec();
    for len in [63, 63, 63, 61] {
        bytes.push(len);
        bytes.extend(vec![b'a'; usize::from(len)]);
    }
    bytes.extend(b"\0\0\x01\0\x01");
    while bytes.len() + 6 <= dns::MAX_LEN {
        bytes.extend(b"\xc0\x0c\0\x01\0\x01");
    }
    let message = dns::Message::parse(&bytes).unwrap();
    assert_eq!(message.questions.len(), 1 + (dns::MAX_LEN - 12 - 259) / 6);
    assert!(message.questions.iter().all(|question| question.name.len() == 253));
}
