//! A cable in a namespace of this process, devices that are played at its far end, and runs against them.

use std::{
    io,
    net::Ipv4Addr,
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use headcount_engine::{Engine, Event, Limits, Plan, Probing};
use headcount_model::{
    AddressSet, Instant, MacAddr, Observation, PortSet, Scope, TargetSpec, Timestamp, targets_in_text,
};
use headcount_net::{
    DriveOptions, DriveStats, LinkSpec, Links, NetError, Segmented, Watcher, drive,
    namespace::{End, Wire, veth},
};
use headcount_wire::{arp, ethernet, frame, frame::Content, icmpv4, ipv4, tcp};

/// The interface that is swept from, and the one that the devices are played on.
pub(crate) const NEAR: &str = "near0";
pub(crate) const FAR: &str = "far0";
pub(crate) const OWN: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub(crate) const SOURCE_PORTS: RangeInclusive<u16> = 61_000..=61_999;
/// A router on the cable that speaks in the name of the devices, as firewalls do.
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 254);
/// Ports of every device: one accepts, one resets, for one the router says that it is closed, for one it says that it
/// is prohibited, one the device itself calls closed by ICMP; others keep silent.
pub(crate) const OPEN: u16 = 80;
pub(crate) const CLOSED: u16 = 443;
pub(crate) const REJECTED_BY_ROUTER: u16 = 502;
pub(crate) const PROHIBITED_BY_ROUTER: u16 = 503;
pub(crate) const REJECTED_BY_HOST: u16 = 504;
/// The longest that any run here may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The link-layer address of the device at `address`.
pub(crate) fn mac_of(address: Ipv4Addr) -> MacAddr {
    let [a, b, c, d] = address.octets();
    MacAddr([2, 7, a, b, c, d])
}

/// Lays the cable; its near end is `10.77.0.1/24`.
pub(crate) fn cable() {
    let near = End {
        name: NEAR,
        mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
        address: Some("10.77.0.1/24".parse().unwrap()),
    };
    veth(near, End { name: FAR, mac: None, address: None }).unwrap();
}

/// Devices that are played by a thread until dropped.
pub(crate) struct Devices {
    stop: Arc<AtomicBool>,
    /// Frames put on the wire that a filter for [`SOURCE_PORTS`] lets in.
    pub(crate) answers: Arc<AtomicU64>,
    /// Frames put on the wire that it does not.
    pub(crate) junk: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Devices {
    pub(crate) fn play(wire: Wire, addresses: &str) -> Self {
        let (stop, answers, junk) = (Arc::default(), Arc::default(), Arc::default());
        let stage = Stage {
            wire,
            addresses: set(addresses),
            stop: Arc::clone(&stop),
            answers: Arc::clone(&answers),
            junk: Arc::clone(&junk),
        };
        Self { stop, answers, junk, thread: Some(std::thread::spawn(move || stage.run())) }
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Stage {
    wire: Wire,
    addresses: AddressSet,
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    junk: Arc<AtomicU64>,
}

impl Stage {
    fn run(mut self) {
        let mut buffer = [0; 2048];
        while !self.stop.load(Ordering::Relaxed) {
            let answers = match self.wire.receive(&mut buffer, Duration::from_millis(20)) {
                Ok(Some(bytes)) => answers_to(bytes, &self.addresses),
                Ok(None) => continue,
                // The cable was switched off by the test.
                Err(_) => {
                    std::thread::yield_now();
                    continue;
                }
            };
            for answer in answers {
                // Each answer comes with noise that is none of the run's business.
                for noise in noise_beside(&answer) {
                    self.put(&noise, false);
                }
                self.put(&answer, true);
            }
        }
    }

    fn put(&mut self, frame: &[u8], wanted: bool) {
        if self.wire.send(frame).is_ok() {
            if wanted { &self.answers } else { &self.junk }.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn answers_to(bytes: &[u8], addresses: &AddressSet) -> Vec<Vec<u8>> {
    let Ok(asked) = frame::parse(bytes) else { return Vec::new() };
    let back = |from: Ipv4Addr| ethernet::Header {
        destination: asked.ethernet.source,
        source: mac_of(from),
        ether_type: ethernet::EtherType::Ipv4,
    };
    let ip_back = |ip: &ipv4::Header| ipv4::Header {
        source: ip.destination,
        destination: ip.source,
        protocol: ip.protocol,
        ttl: 63,
        identification: 1,
        dont_fragment: true,
        payload_len: 0,
    };
    let mut buffer = [0; 2048];
    let len = match asked.content {
        Content::Arp(packet) if packet.operation == arp::Operation::Request => {
            if !addresses.contains(packet.target) {
                return Vec::new();
            }
            let reply = arp::Packet {
                operation: arp::Operation::Reply,
                sender_mac: mac_of(packet.target),
                sender: packet.target,
                target_mac: packet.sender_mac,
                target: packet.sender,
            };
            frame::arp(&mut buffer, &back(packet.target), &reply)
        }
        Content::Icmp { ip, message: icmpv4::Message::EchoRequest { identifier, sequence, payload } }
            if addresses.contains(ip.destination) =>
        {
            let reply = icmpv4::Message::EchoReply { identifier, sequence, payload };
            frame::icmp(&mut buffer, &back(ip.destination), &ip_back(&ip), &reply)
        }
        Content::Tcp { ip, segment } if addresses.contains(ip.destination) => {
            if let Some((from, code)) = rejection(&ip, &segment) {
                let quoted = icmpv4::Quoted {
                    source: ip.source,
                    destination: ip.destination,
                    protocol: ip.protocol,
                    identification: ip.identification,
                    source_port: segment.source_port,
                    destination_port: segment.destination_port,
                    sequence: segment.sequence,
                };
                let ip = ipv4::Header { source: from, ..ip_back(&ip) };
                let message = icmpv4::Message::Unreachable { code, quoted };
                let len = frame::icmp(&mut buffer, &back(from), &ip, &message);
                return vec![buffer[..len].to_vec()];
            }
            let Some(answer) = tcp_answer(&segment) else { return Vec::new() };
            frame::tcp(&mut buffer, &back(ip.destination), &ip_back(&ip), &answer)
        }
        _ => return Vec::new(),
    };
    vec![buffer[..len].to_vec()]
}

/// Who refuses a connection by ICMP, and with which code.
fn rejection(ip: &ipv4::Header, asked: &tcp::Segment<'_>) -> Option<(Ipv4Addr, u8)> {
    match asked.destination_port {
        REJECTED_BY_ROUTER => Some((ROUTER, 3)),
        PROHIBITED_BY_ROUTER => Some((ROUTER, 13)),
        REJECTED_BY_HOST => Some((ip.destination, 3)),
        _ => None,
    }
}

fn tcp_answer(asked: &tcp::Segment<'_>) -> Option<tcp::Segment<'static>> {
    let syn = asked.flags.contains(tcp::Flags::SYN) && !asked.flags.contains(tcp::Flags::ACK);
    let flags = match asked.destination_port {
        OPEN if syn => tcp::Flags::SYN.0 | tcp::Flags::ACK.0,
        CLOSED if syn => tcp::Flags::RST.0 | tcp::Flags::ACK.0,
        _ => return None,
    };
    Some(tcp::Segment {
        source_port: asked.destination_port,
        destination_port: asked.source_port,
        sequence: 1000,
        acknowledgment: asked.sequence.wrapping_add(1),
        flags: tcp::Flags(flags),
        window: 1024,
        mss: None,
        payload: &[],
    })
}

/// The same answer as it would come over a VLAN, and one to a port that the run does not use.
fn noise_beside(answer: &[u8]) -> Vec<Vec<u8>> {
    let mut tagged = answer.to_vec();
    tagged.splice(12..12, [0x81, 0x00, 0x00, 0x05]);
    // An ARP reply over the VLAN would be believed if it came in: it speaks for an address that nobody has.
    if answer[12..14] == [0x08, 0x06] {
        tagged[4 + 14 + 17] = 200;
    }
    let mut other_port = vec![0; 64];
    let eth = ethernet::Header {
        destination: MacAddr([2, 0, 0, 0, 0, 1]),
        source: MacAddr([2, 9, 9, 9, 9, 9]),
        ether_type: ethernet::EtherType::Ipv4,
    };
    let ip = ipv4::Header {
        source: Ipv4Addr::new(10, 77, 0, 201),
        destination: OWN,
        protocol: ipv4::Protocol::Tcp,
        ttl: 63,
        identification: 1,
        dont_fragment: true,
        payload_len: 0,
    };
    let segment = tcp::Segment {
        source_port: OPEN,
        destination_port: 1023,
        sequence: 1,
        acknowledgment: 1,
        flags: tcp::Flags(tcp::Flags::RST.0),
        window: 0,
        mss: None,
        payload: &[],
    };
    let len = frame::tcp(&mut other_port, &eth, &ip, &segment);
    other_port.truncate(len);
    vec![tagged, other_port]
}

pub(crate) fn set(text: &str) -> AddressSet {
    targets_in_text(text)
        .map(|(_, target)| match target {
            Ok(TargetSpec::Range(range)) => range,
            other => panic!("{other:?}"),
        })
        .collect()
}

pub(crate) fn scope(text: &str) -> Scope {
    Scope::new(&set(text), AddressSet::new(), false, false).unwrap()
}

/// A plan that asks every present host the two ports.
pub(crate) fn plan(scope: &Scope, segmented: &Segmented) -> Plan {
    Plan {
        scope: scope.clone(),
        segments: segmented.segments.clone(),
        ports: format!("{OPEN},{CLOSED},81").parse().unwrap(),
        udp_ports: PortSet::new(),
        discovery_ports: OPEN.to_string().parse().unwrap(),
        echo: true,
        kernel_echo: false,
        limits: Limits {
            total: 1000.0,
            per_host: 100.0,
            broadcast: 1000.0,
            passes: 2,
            port_tries: 2,
            connections_per_host: 4,
            in_flight: 256,
        },
        probing: Probing::default(),
        names: false,
        epoch: Timestamp::from_micros(1_700_000_000_000_000),
        seed: 7,
        source_ports: SOURCE_PORTS,
    }
}

/// Keeps everything that a run tells.
#[derive(Default)]
pub(crate) struct Diary {
    pub(crate) observations: Vec<Observation>,
    pub(crate) warnings: Vec<String>,
    pub(crate) finished: bool,
    pub(crate) ticks: u32,
    /// Called with the number of the event; its error goes to the driver.
    pub(crate) on_observation: Option<Box<dyn FnMut(usize) -> io::Result<()>>>,
}

impl Watcher for Diary {
    fn event(&mut self, event: Event, _: &Engine) -> io::Result<()> {
        match event {
            Event::Observation(observation) => {
                self.observations.push(observation);
                if let Some(call) = &mut self.on_observation {
                    return call(self.observations.len());
                }
            }
            Event::Warning(text) => self.warnings.push(text),
            Event::Finished => self.finished = true,
            Event::Checkpoint(_) => {}
        }
        Ok(())
    }

    fn tick(&mut self, _: &Engine) {
        self.ticks += 1;
    }
}

pub(crate) fn open(links: &[LinkSpec]) -> Result<Links, NetError> {
    Links::open(links, SOURCE_PORTS)
}

/// Runs a plan to its end, within [`LIMIT`].
pub(crate) fn run(
    plan: Plan,
    links: Links,
    options: DriveOptions,
    stop: impl Future<Output = &'static str>,
    diary: &mut Diary,
) -> Result<DriveStats, NetError> {
    let mut engine = Engine::new(plan, Instant::ZERO);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let run = drive(&mut engine, links, options, stop, diary);
        tokio::time::timeout(LIMIT, run).await.expect("the run did not end")
    })
}
