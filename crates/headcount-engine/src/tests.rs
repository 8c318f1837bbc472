//! The run as a whole, against a few hand-made answers. Whole networks are swept in the simulator's tests.

use std::{net::Ipv4Addr, time::Duration};

use headcount_model::{
    AddressRange, AddressSet, Instant, MacAddr, Method, Observation, PortSet, Reason, Scope, Seen,
    SegmentKind, Timestamp,
};
use headcount_wire::{
    arp::{Operation, Packet},
    ethernet::{EtherType, Header},
    frame::{self, Content},
};

use crate::{Checkpoint, Engine, Event, Limits, LinkId, MAX_FRAME, Path, Plan, Probing, Segment};

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const OWN_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 250);

fn host(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn plan(kind: SegmentKind, gateway: Option<Ipv4Addr>) -> Plan {
    let allowed: AddressSet = [AddressRange { first: host(10), last: host(19) }].into_iter().collect();
    Plan {
        scope: Scope { allowed: allowed.clone(), excluded: AddressSet::new() },
        segments: vec![Segment {
            id: 0,
            kind,
            path: Path::Frames { link: LinkId(0), mac: OWN, gateway },
            interface: "test0".to_owned(),
            source: Some(OWN_ADDRESS),
            network: None,
            addresses: allowed,
            own_macs: Vec::new(),
        }],
        ports: PortSet::from_iter([22, 80]),
        udp_ports: PortSet::new(),
        discovery_ports: PortSet::from_iter([80]),
        echo: true,
        kernel_echo: false,
        limits: Limits {
            total: 1_000.0,
            per_host: 40.0,
            broadcast: 800.0,
            passes: 4,
            port_tries: 2,
            connections_per_host: 1,
            in_flight: 16,
        },
        probing: Probing::default(),
        names: false,
        epoch: Timestamp::from_micros(1_795_000_000_000_000),
        seed: 3,
        source_ports: 61_000..=65_535,
    }
}

/// Runs to the end while `alive` hosts answer ARP and nothing else; what left and what happened.
fn run(
    engine: &mut Engine,
    mut now: Instant,
    alive: &[u8],
    until: Option<Instant>,
) -> (Vec<Vec<u8>>, Vec<Event>) {
    let (mut frames, mut events, mut buf) = (Vec::new(), Vec::new(), [0; MAX_FRAME]);
    while let Some(next) = engine.poll_timeout() {
        now = now.max(next);
        if until.is_some_and(|until| now >= until) {
            engine.cancel(now);
        }
        engine.handle_timeout(now);
        while let Some(transmit) = engine.poll_frame(now, &mut buf) {
            frames.push(buf[..transmit.len].to_vec());
            if let Some(answer) = arp_answer(&buf[..transmit.len], alive) {
                engine.handle_frame(now + Duration::from_millis(1), LinkId(0), &answer);
            }
        }
        assert!(engine.poll_command(now).is_none(), "frames need no command");
        while let Some(event) = engine.poll_event() {
            events.push(event);
        }
    }
    (frames, events)
}

fn arp_answer(bytes: &[u8], alive: &[u8]) -> Option<Vec<u8>> {
    let Content::Arp(request) = frame::parse(bytes).ok()?.content else { return None };
    let last = request.target.octets()[3];
    if !alive.contains(&last) {
        return None;
    }
    let mac = MacAddr([2, 0, 0, 0, 1, last]);
    let ethernet = Header { destination: OWN, source: mac, ether_type: EtherType::Arp };
    let reply = Packet {
        operation: Operation::Reply,
        sender_mac: mac,
        sender: request.target,
        target_mac: OWN,
        target: OWN_ADDRESS,
    };
    let mut buf = [0; MAX_FRAME];
    let length = frame::arp(&mut buf, &ethernet, &reply);
    Some(buf[..length].to_vec())
}

fn observations(events: &[Event]) -> Vec<Observation> {
    let seen = events.iter().filter_map(|event| match event {
        Event::Observation(observation) => Some(observation.clone()),
        _ => None,
    });
    seen.collect()
}

fn present(events: &[Event]) -> Vec<Ipv4Addr> {
    let mut found: Vec<Ipv4Addr> = observations(events)
        .iter()
        .filter(|o| matches!(o.seen, Seen::Present { reason: Reason::ArpReply, .. }))
        .map(|o| o.address)
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn arp_finds_who_answers_nothing_else() {
    let mut engine = Engine::new(plan(SegmentKind::Attached, None), Instant::ZERO);
    let (_, events) = run(&mut engine, Instant::ZERO, &[12, 17], None);
    assert_eq!(present(&events), [host(12), host(17)]);
    assert_eq!(events.last(), Some(&Event::Finished));
    let summary = engine.summary();
    assert!(summary.complete);
    assert_eq!(summary.segments[0].present, 2);
    assert!(summary.segments[0].miss_chance.is_some_and(|chance| chance < 0.001));
    let filtered =
        |o: &Observation| matches!(&o.seen, Seen::Ports { ports, .. } if ports.to_string() == "22,80");
    assert_eq!(observations(&events).iter().filter(|o| filtered(o)).count(), 2);
}

#[test]
fn no_ip_packet_leaves_by_broadcast_or_to_a_host_that_is_not_there() {
    let mut engine = Engine::new(plan(SegmentKind::Attached, None), Instant::ZERO);
    let (frames, _) = run(&mut engine, Instant::ZERO, &[12], None);
    for bytes in &frames {
        let frame = frame::parse(bytes).unwrap();
        match frame.content {
            Content::Arp(request) => assert!((10..=19).contains(&request.target.octets()[3])),
            Content::Icmp { ip, .. } | Content::Tcp { ip, .. } => {
                assert_eq!(ip.destination, host(12));
                assert_eq!(frame.ethernet.destination, MacAddr([2, 0, 0, 0, 1, 12]));
            }
            Content::Udp { .. } | Content::Other => panic!("nobody asked for that"),
        }
    }
}

#[test]
fn a_silent_router_ends_its_segment_and_is_said() {
    let mut engine = Engine::new(plan(SegmentKind::Routed, Some(host(1))), Instant::ZERO);
    let (frames, events) = run(&mut engine, Instant::ZERO, &[], None);
    assert!(
        frames.iter().all(
            |bytes| matches!(frame::parse(bytes).unwrap().content, Content::Arp(p) if p.target == host(1))
        )
    );
    assert!(events.iter().any(|event| matches!(event, Event::Warning(text) if text.contains("10.0.0.1"))));
    assert!(!engine.summary().complete);
}

#[test]
fn a_router_that_answers_is_asked_through() {
    let mut engine = Engine::new(plan(SegmentKind::Routed, Some(host(1))), Instant::ZERO);
    let (frames, _) = run(&mut engine, Instant::ZERO, &[1], None);
    let through =
        |bytes: &&Vec<u8>| frame::parse(bytes).unwrap().ethernet.destination == MacAddr([2, 0, 0, 0, 1, 1]);
    // Ten addresses, an echo request and a SYN each, three passes.
    assert_eq!(frames.iter().filter(through).count(), 60);
    assert!(engine.summary().complete);
}

#[test]
fn nothing_leaves_after_a_cancel_and_the_rest_is_asked_on_resume() {
    let plan = plan(SegmentKind::Attached, None);
    let mut whole = Engine::new(plan.clone(), Instant::ZERO);
    let (_, unbroken) = run(&mut whole, Instant::ZERO, &[12, 17], None);
    let mut first = Engine::new(plan.clone(), Instant::ZERO);
    let cut = Instant::ZERO + Duration::from_millis(300);
    let (_, events) = run(&mut first, Instant::ZERO, &[12, 17], Some(cut));
    let mut buf = [0; MAX_FRAME];
    assert!(first.poll_frame(cut + Duration::from_secs(5), &mut buf).is_none());
    assert!(!first.summary().complete);
    let last = |event: &Event| {
        if let Event::Checkpoint(checkpoint) = event { Some(checkpoint.clone()) } else { None }
    };
    let checkpoint: Checkpoint = events.iter().rev().find_map(last).unwrap();
    let log = observations(&events);
    let later = Instant::ZERO + Duration::from_secs(60);
    let mut second = Engine::resume(plan, later, &log, &checkpoint);
    let (_, rest) = run(&mut second, later, &[12, 17], None);
    assert!(second.summary().complete);
    let mut found = [present(&events), present(&rest)].concat();
    found.sort_unstable();
    assert_eq!(found, present(&unbroken), "each is said once");
    let done = |events: &[Event]| observations(events).iter().filter(|o| o.seen == Seen::PortsDone).count();
    assert_eq!(done(&events) + done(&rest), done(&unbroken));
}

#[test]
fn late_and_needless_calls_are_harmless() {
    let mut engine = Engine::new(plan(SegmentKind::Attached, None), Instant::ZERO);
    run(&mut engine, Instant::ZERO, &[12], None);
    let later = Instant::ZERO + Duration::from_secs(3_600);
    engine.handle_timeout(later);
    engine.handle_frame(later, LinkId(0), &[0; 60]);
    engine.handle_reply(later, crate::CommandId(99), crate::Reply::TimedOut);
    engine.cancel(later);
    assert!(engine.poll_event().is_none() && engine.poll_timeout().is_none());
}

#[test]
fn answers_that_nobody_asked_for_are_foreign() {
    let mut engine = Engine::new(plan(SegmentKind::Attached, None), Instant::ZERO);
    let stranger = arp_answer(&request_for(host(99)), &[99]).unwrap();
    engine.handle_frame(Instant::ZERO, LinkId(0), &stranger);
    engine.handle_frame(Instant::ZERO, LinkId(7), &arp_answer(&request_for(host(12)), &[12]).unwrap());
    engine.handle_frame(Instant::ZERO, LinkId(0), &[1, 2, 3]);
    assert!(engine.poll_event().is_none());
    assert_eq!((engine.summary().counters.foreign, engine.summary().counters.malformed), (2, 1));
}

fn request_for(target: Ipv4Addr) -> Vec<u8> {
    let ethernet = Header { destination: MacAddr::BROADCAST, source: OWN, ether_type: EtherType::Arp };
    let request = Packet {
        operation: Operation::Request,
        sender_mac: OWN,
        sender: OWN_ADDRESS,
        target_mac: MacAddr::ZERO,
        target,
    };
    let mut buf = [0; MAX_FRAME];
    let length = frame::arp(&mut buf, &ethernet, &request);
    buf[..length].to_vec()
}

#[test]
fn two_macs_for_one_address_are_both_said() {
    let mut engine = Engine::new(plan(SegmentKind::Attached, None), Instant::ZERO);
    let mut answer = arp_answer(&request_for(host(12)), &[12]).unwrap();
    engine.handle_frame(Instant::ZERO, LinkId(0), &answer);
    answer[27] = 0xee;
    engine.handle_frame(Instant::ZERO, LinkId(0), &answer);
    engine.handle_frame(Instant::ZERO, LinkId(0), &answer);
    let mut macs = Vec::new();
    while let Some(event) = engine.poll_event() {
        if let Event::Observation(Observation {
            seen: Seen::Present { mac, .. }, method: Method::Arp, ..
        }) = event
        {
            macs.extend(mac);
        }
    }
    assert_eq!(macs.len(), 2);
}
