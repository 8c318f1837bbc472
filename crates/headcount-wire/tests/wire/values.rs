//! Arbitrary values of every format, as far as the wire can hold them.

use std::net::Ipv4Addr;

use headcount_model::MacAddr;
use headcount_wire::{
    arp, dns, ethernet,
    frame::{self, Content, Frame},
    icmpv4, ipv4, netbios, tcp, udp,
};
use proptest::{collection::vec, option, prelude::*};

pub(crate) fn mac() -> impl Strategy<Value = MacAddr> {
    any::<[u8; 6]>().prop_map(MacAddr)
}

/// Leaked, so that the values that borrow it can leave the strategy; a test run is short.
pub(crate) fn payload() -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), 0..200).prop_map(|bytes| &*bytes.leak())
}

pub(crate) fn ethernet() -> impl Strategy<Value = ethernet::Header> {
    (mac(), mac(), any::<u16>()).prop_map(|(destination, source, ether_type)| ethernet::Header {
        destination,
        source,
        ether_type: ether_type.into(),
    })
}

pub(crate) fn arp() -> impl Strategy<Value = arp::Packet> {
    (any::<u16>(), mac(), any::<Ipv4Addr>(), mac(), any::<Ipv4Addr>()).prop_map(
        |(operation, sender_mac, sender, target_mac, target)| arp::Packet {
            operation: operation.into(),
            sender_mac,
            sender,
            target_mac,
            target,
        },
    )
}

pub(crate) fn ipv4() -> impl Strategy<Value = ipv4::Header> {
    let addresses = (any::<Ipv4Addr>(), any::<Ipv4Addr>());
    (addresses, any::<u8>(), any::<u8>(), any::<u16>(), any::<bool>(), 0..2000_u16).prop_map(
        |((source, destination), protocol, ttl, identification, dont_fragment, payload_len)| ipv4::Header {
            source,
            destination,
            protocol: protocol.into(),
            ttl,
            identification,
            dont_fragment,
            payload_len,
        },
    )
}

pub(crate) fn quoted() -> impl Strategy<Value = icmpv4::Quoted> {
    let protocol = prop_oneof![Just(1_u8), Just(6), Just(17), any::<u8>()];
    (any::<[Ipv4Addr; 2]>(), protocol, any::<[u16; 3]>(), any::<u32>()).prop_map(
        |([source, destination], protocol, [identification, source_port, destination_port], sequence)| {
            let protocol = protocol.into();
            let has_ports = !matches!(protocol, ipv4::Protocol::Other(_));
            icmpv4::Quoted {
                source,
                destination,
                protocol,
                identification,
                source_port: if has_ports { source_port } else { 0 },
                destination_port: if has_ports { destination_port } else { 0 },
                sequence: if protocol == ipv4::Protocol::Tcp { sequence } else { 0 },
            }
        },
    )
}

pub(crate) fn icmp() -> impl Strategy<Value = icmpv4::Message<'static>> {
    let other = (any::<u8>(), any::<u8>())
        .prop_filter("read in full", |(kind, _)| !matches!(kind, 0 | 3 | 8))
        .prop_map(|(kind, code)| icmpv4::Message::Other { kind, code });
    prop_oneof![
        (any::<[u16; 2]>(), payload()).prop_map(|([identifier, sequence], payload)| {
            icmpv4::Message::EchoRequest { identifier, sequence, payload }
        }),
        (any::<[u16; 2]>(), payload()).prop_map(|([identifier, sequence], payload)| {
            icmpv4::Message::EchoReply { identifier, sequence, payload }
        }),
        (any::<u8>(), quoted()).prop_map(|(code, quoted)| icmpv4::Message::Unreachable { code, quoted }),
        other,
    ]
}

pub(crate) fn tcp() -> impl Strategy<Value = tcp::Segment<'static>> {
    (any::<[u16; 3]>(), any::<[u32; 2]>(), any::<u8>(), option::of(any::<u16>()), payload()).prop_map(
        |([source_port, destination_port, window], [sequence, acknowledgment], flags, mss, payload)| {
            tcp::Segment {
                source_port,
                destination_port,
                sequence,
                acknowledgment,
                flags: tcp::Flags(flags),
                window,
                mss,
                payload,
            }
        },
    )
}

pub(crate) fn udp() -> impl Strategy<Value = udp::Datagram<'static>> {
    (any::<[u16; 2]>(), payload()).prop_map(|([source_port, destination_port], payload)| udp::Datagram {
        source_port,
        destination_port,
        payload,
    })
}

/// A frame that the builders can write, and its bytes.
pub(crate) fn frame() -> impl Strategy<Value = (Frame<'static>, Vec<u8>)> {
    let content = prop_oneof![
        arp().prop_map(Content::Arp),
        (ipv4(), icmp()).prop_map(|(ip, message)| Content::Icmp { ip, message }),
        (ipv4(), tcp()).prop_map(|(ip, segment)| Content::Tcp { ip, segment }),
        (ipv4(), udp()).prop_map(|(ip, datagram)| Content::Udp { ip, datagram }),
    ];
    (ethernet(), content).prop_map(|(eth, content)| write_frame(eth, content))
}

/// Writes a frame, and fills in the fields that the builder knows better.
fn write_frame(mut eth: ethernet::Header, mut content: Content<'static>) -> (Frame<'static>, Vec<u8>) {
    let mut buf = vec![0xee; 400];
    let len = match &mut content {
        Content::Arp(packet) => frame::arp(&mut buf, &eth, packet),
        Content::Icmp { ip, message } => {
            ip.protocol = ipv4::Protocol::Icmp;
            frame::icmp(&mut buf, &eth, ip, message)
        }
        Content::Tcp { ip, segment } => {
            ip.protocol = ipv4::Protocol::Tcp;
            frame::tcp(&mut buf, &eth, ip, segment)
        }
        Content::Udp { ip, datagram } => {
            ip.protocol = ipv4::Protocol::Udp;
            frame::udp(&mut buf, &eth, ip, datagram)
        }
        Content::Other => unreachable!("no builder writes it"),
    };
    buf.truncate(len);
    eth.ether_type = ethernet::EtherType::Ipv4;
    match &mut content {
        Content::Arp(_) | Content::Other => eth.ether_type = ethernet::EtherType::Arp,
        Content::Icmp { ip, .. } | Content::Tcp { ip, .. } | Content::Udp { ip, .. } => {
            ip.payload_len = (len - frame::TRANSPORT) as u16;
        }
    }
    (Frame { ethernet: eth, content }, buf)
}

/// Names in the one presentation form that reading gives.
pub(crate) fn dns_name() -> impl Strategy<Value = String> {
    let label =
        prop_oneof!["[a-z0-9_-]{1,20}", "([A-Za-z é€]|\\\\\\.|\\\\\\\\|\\\\255|\\\\000|\\\\127){1,8}",];
    vec(label, 0..6).prop_map(|labels| if labels.is_empty() { ".".into() } else { labels.join(".") })
}

fn record_data() -> impl Strategy<Value = dns::RecordData> {
    use dns::RecordData::{A, Aaaa, Other, Ptr, Srv, Txt};
    prop_oneof![
        any::<Ipv4Addr>().prop_map(A),
        any::<std::net::Ipv6Addr>().prop_map(Aaaa),
        dns_name().prop_map(Ptr),
        vec(vec(any::<u8>(), 0..=255), 0..4).prop_map(Txt),
        (any::<[u16; 3]>(), dns_name()).prop_map(|([priority, weight, port], target)| Srv {
            priority,
            weight,
            port,
            target
        }),
        (prop_oneof![Just(2_u16), Just(41), Just(47), 256..=u16::MAX], vec(any::<u8>(), 0..40))
            .prop_map(|(kind, bytes)| Other { kind, bytes }),
    ]
}

fn record() -> impl Strategy<Value = dns::Record> {
    (dns_name(), any::<u16>(), any::<u32>(), record_data()).prop_map(|(name, class, ttl, data)| dns::Record {
        name,
        class,
        ttl,
        data,
    })
}

pub(crate) fn dns() -> impl Strategy<Value = dns::Message> {
    let question = (dns_name(), any::<u16>(), any::<u16>()).prop_map(|(name, kind, class)| dns::Question {
        name,
        kind: kind.into(),
        class,
    });
    let records = || vec(record(), 0..4);
    (any::<[u16; 2]>(), vec(question, 0..3), records(), records(), records()).prop_map(
        |([id, flags], questions, answers, authorities, additionals)| dns::Message {
            id,
            flags,
            questions,
            answers,
            authorities,
            additionals,
            lost: 0,
        },
    )
}

pub(crate) fn node_status() -> impl Strategy<Value = netbios::NodeStatus> {
    let name = (any::<[u8; 15]>(), any::<u8>(), any::<u16>())
        .prop_map(|(bytes, suffix, flags)| netbios::Name { bytes, suffix, flags });
    (any::<u16>(), vec(name, 0..8), option::of(mac())).prop_map(|(id, names, mac)| netbios::NodeStatus {
        id,
        names,
        mac,
    })
}
