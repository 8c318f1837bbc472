use std::time::Duration;

use headcount_model::PhantomKind;
use headcount_wire::{
    icmpv4::{self, Message},
    ipv4,
    tcp::{Flags, Segment},
    udp,
};

use super::*;
use crate::lan::Persona;

const SCANNER: MacAddr = MacAddr([2, 0, 0, 0, 0, 0xfa]);
const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 250);

/// A frame that came, with what the tests look at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Came {
    at: Instant,
    from: MacAddr,
    source: Ipv4Addr,
    ttl: u8,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Arp,
    Echo(u16),
    Tcp { port: u16, flags: Flags, sequence: u32, acknowledgment: u32 },
    Udp { port: u16, len: usize },
    Unreachable { code: u8, about: Ipv4Addr },
}

/// A world and the scanning machine's side of the cable.
struct Bench {
    world: World,
    now: Instant,
}

impl Bench {
    fn new(lan: &str) -> Self {
        let text = format!(
            "name = \"test\"\nnetwork = \"10.0.0.0/24\"\n\
             [vantage]\naddress = \"10.0.0.250\"\nmac = \"02:00:00:00:00:fa\"\n{lan}"
        );
        let lan = Lan::parse(&text).unwrap();
        Self { world: World::new(&lan, 1).unwrap(), now: Instant::ZERO }
    }

    /// One persona called `a` at 10.0.0.1 with these fields.
    fn one(fields: &str) -> Self {
        Self::new(&persona("a", 1, fields))
    }

    fn push(&mut self, frame: &[u8]) {
        self.world.handle_frame(self.now, frame);
    }

    /// Lets time pass and collects what comes.
    fn pass(&mut self, time: Duration) -> Vec<Came> {
        let end = self.now + time;
        let mut came = Vec::new();
        loop {
            let mut buf = [0; 1514];
            while let Some(len) = self.world.poll_frame(self.now, &mut buf) {
                came.push(read(self.now, &buf[..len]));
            }
            match self.world.poll_timeout() {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => break,
            }
        }
        self.now = end;
        came
    }

    /// Lets time pass until nothing is under way, whatever comes.
    fn settle(&mut self) {
        let mut buf = [0; 1514];
        for _ in 0..1_000 {
            while self.world.poll_frame(self.now, &mut buf).is_some() {}
            let Some(next) = self.world.poll_timeout() else { return };
            self.now = self.now.max(next);
        }
        panic!("something is under way for ever");
    }

    fn ask(&mut self, frame: &[u8]) -> Vec<Came> {
        self.push(frame);
        self.pass(Duration::from_millis(100))
    }

    fn harms(&self) -> Vec<HarmKind> {
        self.world.statistics().harmed.iter().map(|harm| harm.what).collect()
    }
}

fn persona(name: &str, last: u8, fields: &str) -> String {
    format!(
        "[[persona]]\nname = \"{name}\"\nmac = \"00:50:56:00:00:{last:02x}\"\naddresses = [\"10.0.0.{last}\"]\n{fields}\n"
    )
}

fn mac(last: u8) -> MacAddr {
    MacAddr([0, 0x50, 0x56, 0, 0, last])
}

fn host(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn read(at: Instant, bytes: &[u8]) -> Came {
    let frame = frame::parse(bytes).unwrap();
    assert_eq!(frame.ethernet.destination, SCANNER);
    let (source, ttl, what) = match frame.content {
        Content::Arp(packet) => {
            assert_eq!((packet.target, packet.sender_mac), (OWN, frame.ethernet.source));
            (packet.sender, 0, What::Arp)
        }
        Content::Icmp { ip, message } => match message {
            Message::EchoReply { sequence, .. } => (ip.source, ip.ttl, What::Echo(sequence)),
            Message::Unreachable { code, quoted } => {
                (ip.source, ip.ttl, What::Unreachable { code, about: quoted.destination })
            }
            other => panic!("{other:?}"),
        },
        Content::Tcp { ip, segment } => {
            let Segment { source_port: port, flags, sequence, acknowledgment, .. } = segment;
            (ip.source, ip.ttl, What::Tcp { port, flags, sequence, acknowledgment })
        }
        Content::Udp { ip, datagram } => {
            (ip.source, ip.ttl, What::Udp { port: datagram.source_port, len: datagram.payload.len() })
        }
        Content::Other => panic!("{frame:?}"),
    };
    Came { at, from: frame.ethernet.source, source, ttl, what }
}

fn eth(destination: MacAddr) -> ethernet::Header {
    ethernet::Header { destination, source: SCANNER, ether_type: EtherType::Ipv4 }
}

fn ip(destination: Ipv4Addr) -> ipv4::Header {
    ipv4::Header {
        source: OWN,
        destination,
        protocol: Protocol::Tcp,
        ttl: 64,
        identification: 7,
        dont_fragment: false,
        payload_len: 0,
    }
}

fn arp_request(target: Ipv4Addr, to: MacAddr) -> Vec<u8> {
    let packet = arp::Packet {
        operation: arp::Operation::Request,
        sender_mac: SCANNER,
        sender: OWN,
        target_mac: MacAddr::ZERO,
        target,
    };
    let mut buf = vec![0; 42];
    frame::arp(&mut buf, &eth(to), &packet);
    buf
}

fn echo(to: MacAddr, target: Ipv4Addr) -> Vec<u8> {
    let mut buf = vec![0; 128];
    let message = Message::EchoRequest { identifier: 1, sequence: 9, payload: b"0123456789" };
    let len = frame::icmp(&mut buf, &eth(to), &ip(target), &message);
    buf.truncate(len);
    buf
}

fn tcp_frame(to: MacAddr, target: Ipv4Addr, segment: &Segment<'_>) -> Vec<u8> {
    let mut buf = vec![0; 128];
    let len = frame::tcp(&mut buf, &eth(to), &ip(target), segment);
    buf.truncate(len);
    buf
}

fn segment(from: u16, port: u16, sequence: u32, acknowledgment: u32, flags: Flags) -> Segment<'static> {
    Segment {
        source_port: from,
        destination_port: port,
        sequence,
        acknowledgment,
        flags,
        window: 1024,
        mss: None,
        payload: &[],
    }
}

fn syn(last: u8, from: u16, port: u16) -> Vec<u8> {
    tcp_frame(mac(last), host(last), &segment(from, port, 100, 0, Flags::SYN))
}

fn udp_frame(last: u8, port: u16, payload: &[u8]) -> Vec<u8> {
    let mut buf = vec![0; 512];
    let datagram = udp::Datagram { source_port: 62_000, destination_port: port, payload };
    let len = frame::udp(&mut buf, &eth(mac(last)), &ip(host(last)), &datagram);
    buf.truncate(len);
    buf
}

const SYN_ACK: Flags = Flags(0x12);
const RST_ACK: Flags = Flags(0x14);
const FIN_ACK: Flags = Flags(0x11);

fn flags(came: &[Came]) -> Vec<Flags> {
    came.iter()
        .map(|one| match one.what {
            What::Tcp { flags, .. } => flags,
            ref other => panic!("{other:?}"),
        })
        .collect()
}

fn first_sequence(came: &[Came]) -> u32 {
    match came.first().map(|one| &one.what) {
        Some(What::Tcp { sequence, .. }) => *sequence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn arp_is_answered_by_its_owner_in_time() {
    let mut bench = Bench::one("latency_ms = 5.0\njitter_ms = 2.0\necho = false");
    let came = bench.ask(&arp_request(host(1), MacAddr::BROADCAST));
    assert_eq!(came.len(), 1);
    assert_eq!((came[0].from, came[0].source, &came[0].what), (mac(1), host(1), &What::Arp));
    assert!((5_000..7_000).contains(&came[0].at.elapsed().as_micros()));
    assert_eq!(bench.ask(&arp_request(host(1), mac(1))).len(), 1);
    assert_eq!(bench.ask(&arp_request(host(2), MacAddr::BROADCAST)), []);
    assert_eq!(bench.ask(&echo(mac(1), host(1))), []);
    let statistics = bench.world.statistics();
    assert_eq!((statistics.received.arp_requests, statistics.broadcasts), (3, 2));
    assert_eq!(statistics.persona("a").unwrap().received, 3);
}

#[test]
fn a_host_may_answer_no_arp() {
    assert_eq!(Bench::one("arp = false").ask(&arp_request(host(1), MacAddr::BROADCAST)), []);
}

#[test]
fn echo_comes_back_with_its_ttl() {
    let mut bench = Bench::one("ttl = 128");
    let came = bench.ask(&echo(mac(1), host(1)));
    assert_eq!((came[0].ttl, &came[0].what), (128, &What::Echo(9)));
    // Another host's address behind this MAC address is not its own.
    assert_eq!(bench.ask(&echo(mac(1), host(9))), []);
}

#[test]
fn wrong_frames_are_counted_and_not_answered() {
    let mut bench = Bench::one("tcp = \"22\"\nudp = [\"ntp\"]");
    bench.ask(&echo(mac(9), host(1)));
    bench.ask(&echo(MacAddr::BROADCAST, host(1)));
    let mut broken = [echo(mac(1), host(1)), syn(1, 5, 22), udp_frame(1, 123, &[0x23; 48])];
    for frame in &mut broken {
        let last = frame.len() - 1;
        frame[last] ^= 1;
        assert_eq!(bench.ask(frame), []);
    }
    bench.push(&[0; 5]);
    let statistics = bench.world.statistics();
    assert_eq!((statistics.stray, statistics.bad_checksums, statistics.malformed), (1, 3, 1));
    assert_eq!(statistics.sent, 0);
}

#[test]
fn checksums_left_to_hardware_pass_where_allowed() {
    let mut frame = syn(1, 5, 22);
    let len = (frame.len() - frame::TRANSPORT) as u16;
    let header = [&OWN.octets()[..], &host(1).octets(), &[0, 6], &len.to_be_bytes()].concat();
    let words = header.chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum: u32 = words.sum();
    let pseudo = (sum & 0xffff) as u16 + (sum >> 16) as u16;
    frame[frame::TRANSPORT + 16..frame::TRANSPORT + 18].copy_from_slice(&pseudo.to_be_bytes());
    let mut bench = Bench::one("tcp = \"22\"");
    assert_eq!(bench.ask(&frame), []);
    bench.world.accept_incomplete_checksums(true);
    assert_eq!(flags(&bench.ask(&frame)), [SYN_ACK]);
    frame[frame::TRANSPORT + 17] ^= 1;
    assert_eq!(bench.ask(&frame), []);
}

#[test]
fn ports_are_open_closed_or_filtered() {
    let mut bench = Bench::one("tcp = \"22\"");
    let came = bench.ask(&syn(1, 5, 22));
    assert!(
        matches!(came[0].what, What::Tcp { port: 22, flags: SYN_ACK, acknowledgment: 101, .. }),
        "{came:?}"
    );
    let came = bench.ask(&syn(1, 5, 23));
    assert!(matches!(came[0].what, What::Tcp { port: 23, flags: RST_ACK, acknowledgment: 101, sequence: 0 }));
    assert_eq!(Bench::one("closed = \"drop\"").ask(&syn(1, 5, 23)), []);
    assert_eq!(flags(&Bench::one("every_port = true").ask(&syn(1, 5, 40_000))), [SYN_ACK]);
    // A segment that belongs to nothing is reset at its own place.
    let came = bench.ask(&tcp_frame(mac(1), host(1), &segment(6, 22, 5, 77, Flags::ACK)));
    assert!(matches!(came[0].what, What::Tcp { flags: Flags::RST, sequence: 77, .. }));
    assert_eq!(bench.ask(&tcp_frame(mac(1), host(1), &segment(6, 22, 5, 77, Flags::RST))), []);
}

#[test]
fn an_unanswered_syn_ack_is_repeated_twice_and_given_up() {
    let mut bench = Bench::one("tcp = \"22\"\njitter_ms = 0.0\nlatency_ms = 0.0");
    bench.push(&syn(1, 5, 22));
    let came = bench.pass(Duration::from_secs(6));
    assert_eq!(flags(&came), [SYN_ACK; 3]);
    assert_eq!(came.iter().map(|one| one.at.elapsed().as_secs()).collect::<Vec<_>>(), [0, 1, 3]);
    assert_eq!(bench.world.open_connections(), 1);
    assert_eq!(bench.pass(Duration::from_secs(30)), []);
    assert_eq!(bench.world.open_connections(), 0);
}

#[test]
fn a_reset_at_the_right_place_ends_a_half_open_connection() {
    let mut bench = Bench::one("tcp = \"22\"");
    bench.ask(&syn(1, 5, 22));
    bench.ask(&tcp_frame(mac(1), host(1), &segment(5, 22, 100, 0, Flags::RST)));
    assert_eq!(bench.world.open_connections(), 1);
    bench.ask(&tcp_frame(mac(1), host(1), &segment(5, 22, 101, 0, Flags::RST)));
    assert_eq!(bench.world.open_connections(), 0);
    assert_eq!(bench.pass(Duration::from_secs(30)), []);
}

#[test]
fn a_whole_connection_is_acknowledged_and_closed() {
    let print = "tcp = \"9100\"\nany_written_byte_prints = \"9100\"\nservice = [{ ports = \"9100\" }]";
    let mut bench = Bench::one(print);
    let iss = first_sequence(&bench.ask(&syn(1, 5, 9100)));
    // The same SYN again gets the same answer.
    assert_eq!(first_sequence(&bench.ask(&syn(1, 5, 9100))), iss);
    let go = |bench: &mut Bench, sequence, acknowledgment, flags, payload| {
        let segment = Segment { payload, ..segment(5, 9100, sequence, acknowledgment, flags) };
        bench.ask(&tcp_frame(mac(1), host(1), &segment))
    };
    assert_eq!(go(&mut bench, 101, iss + 1, Flags::ACK, b""), []);
    let came = go(&mut bench, 101, iss + 1, Flags::ACK, b"hello");
    assert!(matches!(came[0].what, What::Tcp { acknowledgment: 106, .. }));
    // Out of order: asked for again.
    let came = go(&mut bench, 120, iss + 1, Flags::ACK, b"x");
    assert!(matches!(came[0].what, What::Tcp { acknowledgment: 106, .. }));
    let came = go(&mut bench, 106, iss + 1, FIN_ACK, b"");
    assert!(matches!(came[0].what, What::Tcp { flags: FIN_ACK, acknowledgment: 107, .. }));
    assert_eq!(go(&mut bench, 107, iss + 2, Flags::ACK, b""), []);
    assert_eq!(bench.world.open_connections(), 0);
    assert_eq!(bench.pass(Duration::from_secs(30)), []);
    let statistics = bench.world.statistics();
    assert_eq!((statistics.written[&(0, 9100)], statistics.printed), (6, 6));
}

#[test]
fn a_service_greets_answers_repeats_what_is_lost_and_closes() {
    let service = "service = [{ ports = \"21\", greeting = \"220 hi\\r\\n\", answers = [{ to = \"QUIT\", say = \"221 bye\\r\\n\", close = true }] }]";
    let mut bench = Bench::one(&format!("tcp = \"21\"\n{service}"));
    let iss = first_sequence(&bench.ask(&syn(1, 5, 21)));
    let go = |bench: &mut Bench, sequence, acknowledgment, payload| {
        let segment = Segment { payload, ..segment(5, 21, sequence, acknowledgment, Flags::ACK) };
        bench.ask(&tcp_frame(mac(1), host(1), &segment))
    };
    let psh = Flags::ACK | Flags::PSH;
    let greeting = go(&mut bench, 101, iss + 1, b"");
    assert!(matches!(greeting[..], [Came { what: What::Tcp { flags, .. }, .. }] if flags == psh));
    assert_eq!(flags(&bench.pass(Duration::from_millis(1500))), [psh], "repeated until it is acknowledged");
    assert_eq!(go(&mut bench, 101, iss + 9, b""), []);
    assert_eq!(flags(&go(&mut bench, 101, iss + 9, b"QUIT\r\n")), [psh, FIN_ACK]);
    assert_eq!(go(&mut bench, 107, iss + 19, b""), []);
    assert_eq!(bench.world.open_connections(), 0);
}

#[test]
fn an_unacknowledged_fin_is_repeated() {
    let mut bench = Bench::one("tcp = \"22\"");
    let iss = first_sequence(&bench.ask(&syn(1, 5, 22)));
    bench.push(&tcp_frame(mac(1), host(1), &segment(5, 22, 101, iss + 1, FIN_ACK)));
    assert_eq!(flags(&bench.pass(Duration::from_secs(20))), [FIN_ACK; 3]);
    assert_eq!(bench.world.open_connections(), 0);
}

#[test]
fn udp_services_answer_and_closed_ports_are_limited() {
    let mut bench = Bench::one("udp = [\"ntp\"]\nunreachables_per_second = 2");
    let mut request = [0; 48];
    request[0] = 0x23;
    assert_eq!(bench.ask(&udp_frame(1, 123, &request))[0].what, What::Udp { port: 123, len: 48 });
    let closed: Vec<_> = (0..5).flat_map(|n| bench.ask(&udp_frame(1, 9000 + n, b"?"))).collect();
    assert_eq!(closed.len(), 2);
    let unreachable = What::Unreachable { code: icmpv4::CODE_PORT_UNREACHABLE, about: host(1) };
    assert_eq!(closed[0].what, unreachable);
    assert_eq!(Bench::one("unreachables_per_second = 0").ask(&udp_frame(1, 9000, b"?")), []);
}

#[test]
fn one_packet_too_many_silences_for_a_while() {
    let mut bench = Bench::one("silent_above = { pps = 10, for_seconds = 60.0 }");
    for _ in 0..10 {
        bench.push(&arp_request(host(1), MacAddr::BROADCAST));
    }
    assert_eq!(bench.pass(Duration::from_millis(1_000)).len(), 10);
    // Ten in any second are fine, requests for others do not count.
    for _ in 0..10 {
        bench.push(&echo(mac(1), host(1)));
        bench.push(&arp_request(host(2), MacAddr::BROADCAST));
    }
    assert_eq!(bench.pass(Duration::from_millis(900)).len(), 10);
    assert_eq!(bench.harms(), []);
    assert_eq!(bench.ask(&echo(mac(1), host(1))), []);
    assert_eq!(bench.harms(), [HarmKind::TooManyPackets]);
    bench.pass(Duration::from_secs(59));
    assert_eq!(bench.ask(&echo(mac(1), host(1))), []);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.ask(&echo(mac(1), host(1))).len(), 1);
    assert_eq!(bench.world.statistics().busiest_persona_second(), 11);
}

#[test]
fn a_second_connection_hangs_a_device_that_has_room_for_one() {
    let mut bench = Bench::one("tcp = \"80,443\"\nconnections = 1");
    bench.ask(&syn(1, 5, 80));
    bench.ask(&syn(1, 5, 80));
    bench.ask(&tcp_frame(mac(1), host(1), &segment(5, 80, 101, 0, Flags::RST)));
    assert_eq!(flags(&bench.ask(&syn(1, 6, 443))), [SYN_ACK]);
    assert_eq!(bench.harms(), []);
    assert_eq!(bench.ask(&syn(1, 7, 80)), []);
    assert_eq!(bench.harms(), [HarmKind::TooManyConnections]);
    bench.pass(Duration::from_secs(3_600));
    assert_eq!(bench.ask(&arp_request(host(1), MacAddr::BROADCAST)), []);
}

#[test]
fn a_full_listen_queue_drops() {
    let mut bench = Bench::one("tcp = \"1-10\"\nlisten_queue = 4");
    for port in 1..=4 {
        assert_eq!(bench.ask(&syn(1, 5, port)).len(), 1);
    }
    assert_eq!(bench.ask(&syn(1, 5, 5)), []);
    assert_eq!(bench.harms(), [HarmKind::ListenQueueFull]);
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.ask(&syn(1, 5, 5)).len(), 1);
}

#[test]
fn a_sleepy_device_wakes_slowly_and_stays_awake() {
    let mut bench = Bench::one("sleepy = { idle_seconds = 2.0, wake_ms = [300.0, 900.0] }");
    let ask = |bench: &mut Bench| {
        let start = bench.now;
        bench.push(&echo(mac(1), host(1)));
        let came = bench.pass(Duration::from_secs(1));
        came[0].at.since(start).as_millis()
    };
    assert!((300..901).contains(&ask(&mut bench)));
    assert!(ask(&mut bench) < 5);
    bench.pass(Duration::from_secs(2));
    assert!((300..901).contains(&ask(&mut bench)));
}

#[test]
fn duplicates_both_answer_and_two_addresses_are_one_device() {
    let two =
        persona("a", 1, "") + &persona("b", 2, "").replace("[\"10.0.0.2\"]", "[\"10.0.0.1\", \"10.0.0.7\"]");
    let mut bench = Bench::new(&two);
    let came = bench.ask(&arp_request(host(1), MacAddr::BROADCAST));
    let mut macs: Vec<_> = came.iter().map(|one| one.from).collect();
    macs.sort_unstable();
    assert_eq!(macs, [mac(1), mac(2)]);
    assert_eq!(bench.ask(&arp_request(host(7), MacAddr::BROADCAST))[0].from, mac(2));
    assert_eq!(bench.ask(&echo(mac(2), host(7))).len(), 1);
}

/// A router at 10.0.0.1 with 10.0.1.0/24 behind it, where only 10.0.1.5 is there, and `more`.
fn routed(more: &str) -> Bench {
    Bench::new(&format!(
        "[[routed]]\nnetwork = \"10.0.1.0/24\"\nrouter = \"a\"\nlatency_ms = 10.0\n\
         unreachable = {{ after_ms = 50.0, per_second = 2 }}\n{more}\n{}\
         [[persona]]\nname = \"far\"\naddresses = [\"10.0.1.5\"]\ntcp = \"22\"\n",
        persona("a", 1, "ttl = 255")
    ))
}

const FAR: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 5);
const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 9);

fn far_syn(to: Ipv4Addr, port: u16) -> Vec<u8> {
    tcp_frame(mac(1), to, &segment(5, port, 100, 0, Flags::SYN))
}

#[test]
fn a_router_hands_on_and_tells_of_the_dead() {
    let mut bench = routed("");
    let came = bench.ask(&echo(mac(1), FAR));
    assert_eq!((came[0].from, came[0].source, came[0].ttl), (mac(1), FAR, 63));
    assert!(came[0].at.elapsed() >= Duration::from_millis(10));
    assert_eq!(flags(&bench.ask(&far_syn(FAR, 22))), [SYN_ACK]);
    assert_eq!(bench.ask(&arp_request(FAR, MacAddr::BROADCAST)), []);
    let told: Vec<_> = (0..4).flat_map(|_| bench.ask(&echo(mac(1), NOBODY))).collect();
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].source, told[0].ttl), (host(1), 255));
    assert_eq!(told[0].what, What::Unreachable { code: 1, about: NOBODY });
    assert_eq!(bench.ask(&echo(mac(1), Ipv4Addr::new(10, 0, 9, 9))), []);
}

#[test]
fn a_firewall_may_answer_for_all() {
    let phantom = |what: PhantomKind, more: &str| {
        routed(&format!("[[phantom]]\nwhat = \"{what}\"\nby = \"a\"\nnetwork = \"10.0.1.0/24\"\n{more}"))
    };
    let mut bench = phantom(PhantomKind::ResetsForAll, "ttl = 60");
    let came = bench.ask(&far_syn(NOBODY, 80));
    assert_eq!((flags(&came), came[0].ttl, came[0].source), (vec![RST_ACK], 60, NOBODY));
    assert_eq!(flags(&bench.ask(&far_syn(FAR, 22))), [SYN_ACK]);
    assert_eq!(bench.ask(&far_syn(FAR, 23))[0].ttl, 60);
    let mut bench = phantom(PhantomKind::AcceptsForAll, "ports = \"80\"");
    assert_eq!(flags(&bench.ask(&far_syn(NOBODY, 80))), [SYN_ACK]);
    assert_eq!(bench.ask(&far_syn(FAR, 80))[0].ttl, 255);
    assert_eq!(flags(&bench.ask(&far_syn(FAR, 81))), [RST_ACK]);
    let mut bench = phantom(PhantomKind::EchoForAll, "");
    assert_eq!(bench.ask(&echo(mac(1), NOBODY))[0].what, What::Echo(9));
    let mut bench = phantom(PhantomKind::ProxyArp, "");
    assert_eq!(bench.ask(&arp_request(NOBODY, MacAddr::BROADCAST))[0].from, mac(1));
}

#[test]
fn a_proxy_answers_arp_for_all_and_hands_on_on_its_own_link() {
    let mut bench = Bench::new(&format!(
        "[[phantom]]\nwhat = \"proxy-arp\"\nby = \"a\"\n{}{}",
        persona("a", 1, ""),
        persona("b", 2, "")
    ));
    assert_eq!(bench.ask(&arp_request(host(77), MacAddr::BROADCAST))[0].from, mac(1));
    assert_eq!(bench.ask(&arp_request(host(2), MacAddr::BROADCAST)).len(), 2);
    assert_eq!(bench.ask(&arp_request(host(1), MacAddr::BROADCAST)).len(), 1);
    assert_eq!(bench.ask(&arp_request(OWN, MacAddr::BROADCAST)), []);
    let came = bench.ask(&echo(mac(1), host(2)));
    assert_eq!((came[0].from, came[0].source), (mac(2), host(2)));
    assert_eq!(bench.ask(&echo(mac(1), host(77))), []);
}

#[test]
fn frames_outside_the_scope_are_told() {
    let mut bench = Bench::one("");
    bench.world.watch_scope(AddressSet::from_iter([host(1)]));
    bench.ask(&echo(mac(1), host(1)));
    bench.ask(&arp_request(host(3), MacAddr::BROADCAST));
    let statistics = bench.world.statistics();
    assert_eq!((statistics.outside_scope, statistics.outside), (1, vec![host(3)]));
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let go = |seed| {
        let lan =
            Lan::random(&crate::RandomLan { network: "10.0.0.0/24".parse().unwrap(), density: 0.3, seed: 1 });
        let mut world = World::new(&lan, seed).unwrap();
        let mut sent = Vec::new();
        for last in 1..=254 {
            world.handle_frame(Instant::ZERO, &arp_request(host(last), MacAddr::BROADCAST));
        }
        let macs: Vec<_> =
            lan.personas.iter().map(|one: &Persona| (one.mac.unwrap(), one.addresses[0])).collect();
        for (to, target) in macs {
            world.handle_frame(Instant::ZERO, &tcp_frame(to, target, &segment(9, 80, 1, 0, Flags::SYN)));
        }
        let mut buf = [0; 1514];
        while let Some(due) = world.poll_timeout() {
            while let Some(len) = world.poll_frame(due, &mut buf) {
                sent.push((due, buf[..len].to_vec()));
            }
        }
        (sent, world.statistics())
    };
    assert_eq!(go(3), go(3));
    assert_ne!(go(3).0, go(4).0);
}

proptest::proptest! {
    #[test]
    fn no_frame_harms_the_world(frames in proptest::collection::vec(proptest::collection::vec(0u8.., 0..120), 0..20)) {
        let mut bench = routed("");
        for frame in frames {
            bench.push(&frame);
        }
        bench.settle();
    }

    #[test]
    fn no_turned_bit_harms_the_world(at in 0usize..4_000, port in 0u16..) {
        let mut bench = Bench::one("tcp = \"22\"\nudp = [\"snmp\", \"ssdp\"]\ndns = true");
        let frames = [syn(1, 5, 22), udp_frame(1, port, &[0x30; 60]), echo(mac(1), host(1)), udp_frame(1, 53, &[0; 40])];
        for mut frame in frames {
            let bit = at % (frame.len() * 8);
            frame[bit / 8] ^= 1 << (bit % 8);
            bench.push(&frame);
        }
        bench.settle();
    }
}
