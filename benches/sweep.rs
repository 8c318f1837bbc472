//! The pure engine: questions made and answers classified per second, and memory per target.
//!
//! Run with `cargo bench --bench sweep`. Ratios against other programs are in `benches/against-peers`.

use std::{hint::black_box, net::Ipv4Addr, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use headcount_engine::{Engine, Limits, LinkId, MAX_FRAME, Path, Plan, Probing, Segment};
use headcount_model::{AddressSet, Instant, MacAddr, PortSet, Scope, SegmentKind, TargetSpec, Timestamp};
use headcount_sweep::{Ask, Key, Permutation, Question, classify};
use headcount_wire::{arp, ethernet, frame};

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

fn addresses(text: &str) -> AddressSet {
    match text.parse() {
        Ok(TargetSpec::Range(range)) => AddressSet::from(vec![range]),
        _ => AddressSet::new(),
    }
}

/// One port of every address behind a router, with no limit in the way.
fn plan(targets: &str) -> Plan {
    let scope = Scope { allowed: addresses(targets), excluded: AddressSet::new() };
    let segment = Segment {
        id: 0,
        kind: SegmentKind::Routed,
        path: Path::Frames { link: LinkId(0), mac: OWN, gateway: Some(ROUTER) },
        interface: "bench0".to_owned(),
        source: Some(Ipv4Addr::new(10, 0, 0, 2)),
        network: None,
        addresses: scope.allowed.clone(),
        own_macs: Vec::new(),
    };
    let limits = Limits {
        total: 1e9,
        per_host: 1e9,
        broadcast: 1e9,
        passes: 1,
        port_tries: 1,
        connections_per_host: 1,
        in_flight: 1,
    };
    Plan {
        scope,
        segments: vec![segment],
        ports: PortSet::new(),
        udp_ports: PortSet::new(),
        discovery_ports: PortSet::from_iter([80]),
        echo: false,
        kernel_echo: false,
        limits,
        probing: Probing::default(),
        names: false,
        epoch: Timestamp::default(),
        seed: 1,
        source_ports: 61_000..=65_535,
    }
}

/// An engine whose router has answered, so that it may ask what is behind it.
fn engine(targets: &str, buf: &mut [u8]) -> (Engine, Instant) {
    let mut now = Instant::ZERO + Duration::from_secs(1);
    let mut engine = Engine::new(plan(targets), now);
    while engine.poll_frame(now, buf).is_none() {
        now += Duration::from_millis(1);
        engine.handle_timeout(now);
    }
    let router_mac = MacAddr([2, 0, 0, 0, 0, 9]);
    let header =
        ethernet::Header { destination: OWN, source: router_mac, ether_type: ethernet::EtherType::Arp };
    let reply = arp::Packet {
        operation: arp::Operation::Reply,
        sender_mac: router_mac,
        sender: ROUTER,
        target_mac: OWN,
        target: Ipv4Addr::new(10, 0, 0, 2),
    };
    let length = frame::arp(buf, &header, &reply);
    let answer = buf[..length].to_vec();
    engine.handle_frame(now, LinkId(0), &answer);
    (engine, now + Duration::from_secs(2))
}

/// Asks all of `targets` once; how many frames that took.
fn ask_all(targets: &str) -> (u64, Engine) {
    let mut buf = [0; MAX_FRAME];
    let (mut engine, mut now) = engine(targets, &mut buf);
    let mut frames = 0;
    while let Some(next) = engine.poll_timeout() {
        now = now.max(next);
        engine.handle_timeout(now);
        while engine.poll_frame(now, &mut buf).is_some() {
            frames += 1;
            now += Duration::from_nanos(2);
        }
        while engine.poll_command(now).is_some() {}
        while engine.poll_event().is_some() {}
    }
    (frames, engine)
}

fn halves(c: &mut Criterion) {
    let mut group = c.benchmark_group("halves");
    group.throughput(Throughput::Elements(1));
    let permutation = Permutation::new(1 << 20, 7);
    let mut index = 0;
    group.bench_function("permutation", |b| {
        b.iter(|| {
            index = (index + 1) & 0xf_ffff;
            black_box(permutation.at(index))
        });
    });
    let key = Key::from_seed(7);
    let ports = 61_000..=65_535;
    let mut buf = [0; MAX_FRAME];
    let mut target = 0x0a00_0000u32;
    group.bench_function("frame", |b| {
        b.iter(|| {
            target = target.wrapping_add(1);
            black_box(Question::syn(80).frame(&ask(target.into(), &ports), key, &mut buf))
        });
    });
    let answer = syn_ack(key);
    group.bench_function("classify", |b| {
        b.iter(|| frame::parse(black_box(&answer)).ok().and_then(|frame| classify(&frame, key, &ports)));
    });
    group.finish();
}

fn ask(target: Ipv4Addr, source_ports: &std::ops::RangeInclusive<u16>) -> Ask<'_> {
    let source = Ipv4Addr::new(10, 0, 0, 2);
    Ask { source, source_mac: OWN, next_hop: OWN, target, port: 80, source_ports, now: Instant::ZERO }
}

/// What a host answers to our SYN.
fn syn_ack(key: Key) -> Vec<u8> {
    use headcount_wire::{ipv4, tcp};
    let (host, own) = (Ipv4Addr::new(10, 0, 0, 77), Ipv4Addr::new(10, 0, 0, 2));
    let cookie = key.cookie(headcount_model::Method::TcpSyn, host, 80);
    let header = ethernet::Header { destination: OWN, source: OWN, ether_type: ethernet::EtherType::Ipv4 };
    let ip = ipv4::Header {
        source: host,
        destination: own,
        protocol: ipv4::Protocol::Tcp,
        ttl: 64,
        identification: 0,
        dont_fragment: true,
        payload_len: 0,
    };
    let segment = tcp::Segment {
        source_port: 80,
        destination_port: cookie.source_port(&(61_000..=65_535)),
        sequence: 1,
        acknowledgment: cookie.sequence().wrapping_add(1),
        flags: tcp::Flags(tcp::Flags::SYN.0 | tcp::Flags::ACK.0),
        window: 65_535,
        mss: None,
        payload: &[],
    };
    let mut buf = [0; MAX_FRAME];
    let length = frame::tcp(&mut buf, &header, &ip, &segment);
    buf[..length].to_vec()
}

fn whole(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine");
    group.sample_size(10);
    group.throughput(Throughput::Elements(1 << 16));
    group.bench_function("sweep of a /16, one port, nobody there", |b| b.iter(|| ask_all("10.1.0.0/16").0));
    group.finish();
}

/// Resident memory in bytes, from /proc/self/statm; 0 where there is none.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

#[expect(clippy::print_stdout, reason = "a benchmark's result; criterion measures time alone")]
fn memory(_: &mut Criterion) {
    let before = resident();
    let (frames, engine) = ask_all("10.0.0.0/12");
    let used = resident().saturating_sub(before);
    let targets = engine.plan().scope.allowed.len();
    let each = used as f64 / targets as f64;
    println!(
        "memory: {targets} targets, {frames} frames, {:.1} MiB resident, {each:.2} bytes a target",
        used as f64 / 1_048_576.0
    );
}

criterion_group!(benches, memory, halves, whole);
criterion_main!(benches);
