//! The filter, run by a small interpreter of classic BPF.

use std::net::Ipv4Addr;

use headcount_model::MacAddr;
use headcount_wire::{arp, ethernet, frame, icmpv4, ipv4, tcp, udp};
use proptest::prelude::*;

use super::*;

const PORTS: RangeInclusive<u16> = 61_000..=61_999;

/// Runs a program as the kernel does: a load beyond the frame ends it with nothing kept.
fn run(program: &[Instruction], frame: &[u8], tagged: bool) -> u32 {
    let load = |at: usize, size: usize| {
        let bytes = frame.get(at..at + size)?;
        Some(bytes.iter().fold(0u32, |value, byte| value << 8 | u32::from(*byte)))
    };
    let (mut a, mut x, mut at) = (0u32, 0u32, 0usize);
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let mut loaded = Some(a);
        let mut jump = None;
        match code {
            LD_W if k == VLAN_TAG_PRESENT => loaded = Some(u32::from(tagged)),
            LD_W => loaded = load(k as usize, 4),
            LD_H => loaded = load(k as usize, 2),
            LD_B => loaded = load(k as usize, 1),
            LD_H_X => loaded = load((x + k) as usize, 2),
            LD_B_X => loaded = load((x + k) as usize, 1),
            LDX_MSH => match load(k as usize, 1) {
                Some(byte) => x = 4 * (byte & 15),
                None => return 0,
            },
            AND => loaded = Some(a & k),
            JEQ => jump = Some(a == k),
            JGT => jump = Some(a > k),
            JGE => jump = Some(a >= k),
            JSET => jump = Some(a & k != 0),
            RET => return k,
            other => panic!("unknown instruction {other:#x}"),
        }
        match loaded {
            Some(value) => a = value,
            None => return 0,
        }
        at += usize::from(jump.map_or(0, |yes| if yes { jt } else { jf }));
    }
}

fn kept(frame: &[u8]) -> bool {
    run(&answers_to(&PORTS), frame, false) > 0
}

fn ethernet(ether_type: ethernet::EtherType) -> ethernet::Header {
    ethernet::Header {
        destination: MacAddr([2, 0, 0, 0, 0, 1]),
        source: MacAddr([2, 0, 0, 0, 0, 2]),
        ether_type,
    }
}

fn ip(protocol: ipv4::Protocol) -> ipv4::Header {
    ipv4::Header {
        source: Ipv4Addr::new(10, 0, 0, 2),
        destination: Ipv4Addr::new(10, 0, 0, 1),
        protocol,
        ttl: 64,
        identification: 7,
        dont_fragment: false,
        payload_len: 0,
    }
}

fn icmp_frame(message: &icmpv4::Message<'_>) -> Vec<u8> {
    let mut buffer = vec![0; 256];
    let (eth, ip) = (ethernet(ethernet::EtherType::Ipv4), ip(ipv4::Protocol::Icmp));
    let len = frame::icmp(&mut buffer, &eth, &ip, message);
    buffer[..len].to_vec()
}

fn tcp_frame(port: u16) -> Vec<u8> {
    let mut buffer = vec![0; 256];
    let segment = tcp::Segment {
        source_port: 80,
        destination_port: port,
        sequence: 1,
        acknowledgment: 2,
        flags: tcp::Flags(tcp::Flags::SYN.0 | tcp::Flags::ACK.0),
        window: 1024,
        mss: None,
        payload: &[],
    };
    let (eth, ip) = (ethernet(ethernet::EtherType::Ipv4), ip(ipv4::Protocol::Tcp));
    let len = frame::tcp(&mut buffer, &eth, &ip, &segment);
    buffer[..len].to_vec()
}

fn udp_frame(port: u16) -> Vec<u8> {
    let mut buffer = vec![0; 256];
    let datagram = udp::Datagram { source_port: 53, destination_port: port, payload: b"answer" };
    let (eth, ip) = (ethernet(ethernet::EtherType::Ipv4), ip(ipv4::Protocol::Udp));
    let len = frame::udp(&mut buffer, &eth, &ip, &datagram);
    buffer[..len].to_vec()
}

fn arp_frame() -> Vec<u8> {
    let mut buffer = vec![0; 64];
    let packet = arp::Packet {
        operation: arp::Operation::Reply,
        sender_mac: MacAddr([2, 0, 0, 0, 0, 2]),
        sender: Ipv4Addr::new(10, 0, 0, 2),
        target_mac: MacAddr([2, 0, 0, 0, 0, 1]),
        target: Ipv4Addr::new(10, 0, 0, 1),
    };
    let len = frame::arp(&mut buffer, &ethernet(ethernet::EtherType::Arp), &packet);
    buffer[..len].to_vec()
}

/// Makes the IPv4 header of a frame 4 bytes longer, by an option that does nothing.
fn with_option(frame: &[u8]) -> Vec<u8> {
    let mut longer = frame[..34].to_vec();
    longer[14] = 0x46;
    longer.extend([1, 1, 1, 0]);
    longer.extend(&frame[34..]);
    longer
}

#[test]
fn answers_pass() {
    assert!(kept(&arp_frame()));
    assert!(kept(&icmp_frame(&icmpv4::Message::EchoReply { identifier: 1, sequence: 2, payload: &[] })));
    for port in [61_000, 61_500, 61_999] {
        assert!(kept(&tcp_frame(port)) && kept(&udp_frame(port)), "{port}");
        assert!(kept(&with_option(&tcp_frame(port))), "{port}");
    }
    for kind in [3, 11] {
        let mut frame = icmp_frame(&icmpv4::Message::EchoReply { identifier: 1, sequence: 2, payload: &[] });
        frame[34] = kind;
        assert!(kept(&frame), "{kind}");
    }
}

#[test]
fn everything_else_stays_out() {
    assert!(!kept(&icmp_frame(&icmpv4::Message::EchoRequest { identifier: 1, sequence: 2, payload: &[] })));
    for port in [0, 22, 60_999, 62_000, 65_535] {
        assert!(!kept(&tcp_frame(port)) && !kept(&udp_frame(port)), "{port}");
        assert!(!kept(&with_option(&tcp_frame(port))), "{port}");
    }
    let mut ipv6 = tcp_frame(61_000);
    ipv6[12..14].copy_from_slice(&[0x86, 0xdd]);
    assert!(!kept(&ipv6));
    let mut fragment = tcp_frame(61_000);
    fragment[21] = 1;
    assert!(!kept(&fragment));
    let mut other_protocol = tcp_frame(61_000);
    other_protocol[23] = 132;
    assert!(!kept(&other_protocol));
    let mut other_version = tcp_frame(61_000);
    other_version[14] = 0x65;
    assert!(!kept(&other_version));
}

#[test]
fn frames_of_a_vlan_belong_to_its_own_interface() {
    let program = answers_to(&PORTS);
    for frame in [arp_frame(), tcp_frame(61_000)] {
        assert_eq!(run(&program, &frame, true), 0);
        assert_eq!(run(&program, &frame, false), SNAP);
    }
}

#[test]
fn a_whole_port_range_and_a_single_port_are_kept_apart() {
    let single = answers_to(&(61_000..=61_000));
    assert!(run(&single, &tcp_frame(61_000), false) > 0);
    assert_eq!(run(&single, &tcp_frame(61_001), false), 0);
    let all = answers_to(&(0..=u16::MAX));
    assert!(run(&all, &tcp_frame(0), false) > 0 && run(&all, &tcp_frame(u16::MAX), false) > 0);
}

#[test]
fn a_missing_label_is_noticed() {
    let mut program = Assembler::default();
    program.jump(JEQ, 0, To::At("nowhere"), To::Next).op(RET, 0);
    assert_eq!(program.assemble(), None);
    let mut backwards = Assembler::default();
    backwards.label("back").op(RET, 0).jump(JEQ, 0, To::At("back"), To::Next);
    assert_eq!(backwards.assemble(), None);
}

proptest! {
    #[test]
    fn ends_on_any_frame(frame in prop::collection::vec(any::<u8>(), 0..80), tagged: bool) {
        let kept = run(&answers_to(&PORTS), &frame, tagged);
        prop_assert!(kept == 0 || kept == SNAP);
    }

    #[test]
    fn keeps_exactly_the_ports_of_the_run(port: u16, a: u16, b: u16) {
        let ports = a.min(b)..=a.max(b);
        let program = answers_to(&ports);
        prop_assert_eq!(run(&program, &udp_frame(port), false) > 0, ports.contains(&port));
        prop_assert_eq!(run(&program, &with_option(&tcp_frame(port)), false) > 0, ports.contains(&port));
    }
}
