use std::{net::SocketAddrV4, time::Duration};

use headcount_engine::{Command, CommandId, Reply};

use super::*;
use crate::world::World;

const ID: CommandId = CommandId(1);

/// A kernel and a world on one cable.
struct Bench {
    kernel: Kernel,
    world: World,
    now: Instant,
}

fn host(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

impl Bench {
    fn new(personas: &str) -> Self {
        let text = format!(
            "name = \"test\"\nnetwork = \"10.0.0.0/24\"\n\
             [vantage]\naddress = \"10.0.0.250\"\nmac = \"02:00:00:00:00:fa\"\n\
             [[persona]]\nname = \"a\"\nmac = \"00:50:56:00:00:01\"\naddresses = [\"10.0.0.1\"]\n{personas}"
        );
        let lan = Lan::parse(&text).unwrap();
        Self { kernel: Kernel::new(&lan), world: World::new(&lan, 1).unwrap(), now: Instant::ZERO }
    }

    /// Lets time pass; returns what ended and when.
    fn pass(&mut self, time: Duration) -> Vec<(Instant, Reply)> {
        let end = self.now + time;
        let mut replies = Vec::new();
        let mut buf = [0; 1514];
        loop {
            loop {
                let frame = self.kernel.poll_frame();
                if let Some(frame) = &frame {
                    self.world.handle_frame(self.now, frame);
                }
                let len = self.world.poll_frame(self.now, &mut buf);
                if let Some(len) = len {
                    self.kernel.handle_frame(self.now, &buf[..len]);
                }
                if frame.is_none() && len.is_none() {
                    break;
                }
            }
            replies
                .extend(std::iter::from_fn(|| self.kernel.poll_reply()).map(|(_, reply)| (self.now, reply)));
            let next = self.kernel.poll_timeout().into_iter().chain(self.world.poll_timeout()).min();
            match next {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => break,
            }
            self.kernel.handle_timeout(self.now);
        }
        self.now = end;
        replies
    }

    fn ask(&mut self, command: Command) -> Vec<(Instant, Reply)> {
        self.kernel.handle_command(self.now, command);
        self.pass(Duration::from_secs(60))
    }

    fn connect(&mut self, last: u8, port: u16, seconds: u64) -> Vec<(Instant, Reply)> {
        let to = SocketAddrV4::new(host(last), port);
        self.ask(Command::Connect { id: ID, to, timeout: Duration::from_secs(seconds) })
    }
}

fn replies(ended: Vec<(Instant, Reply)>) -> Vec<Reply> {
    ended.into_iter().map(|(_, reply)| reply).collect()
}

#[test]
fn a_connection_is_opened_and_closed_with_nothing_written() {
    let mut bench = Bench::new("tcp = \"9100\"\nany_written_byte_prints = \"9100\"");
    assert_eq!(replies(bench.connect(1, 9100, 3)), [Reply::Connected]);
    let statistics = bench.world.statistics();
    assert_eq!(bench.world.open_connections(), 0);
    assert_eq!((statistics.received.tcp_syns, statistics.received.tcp_resets), (1, 1));
    // The SYN/ACK is acknowledged before the connection is reset.
    assert_eq!(statistics.received.tcp_others, 1);
    assert!(statistics.written.is_empty());
    assert_eq!(bench.kernel.poll_timeout(), None);
}

#[test]
fn refusal_and_silence_are_told_apart() {
    let mut bench = Bench::new("tcp = \"22\"");
    assert_eq!(replies(bench.connect(1, 23, 3)), [Reply::Refused]);
    let mut bench = Bench::new("closed = \"drop\"");
    let ended = bench.connect(1, 23, 4);
    assert_eq!(ended, [(Instant::ZERO + Duration::from_secs(3), Reply::TimedOut)]);
    assert_eq!(bench.world.statistics().received.tcp_syns, 2);
}

#[test]
fn nobody_at_an_address_is_told_after_three_requests() {
    let mut bench = Bench::new("");
    let ended = bench.connect(9, 80, 10);
    assert_eq!(ended, [(Instant::ZERO + Duration::from_secs(3), Reply::Unreachable)]);
    assert_eq!(bench.world.statistics().received.arp_requests, 3);
    // Beyond the subnet and without a router there is no way.
    let to = Ipv4Addr::new(10, 9, 9, 9);
    let timeout = Duration::from_secs(1);
    assert_eq!(replies(bench.ask(Command::Echo { id: ID, to, timeout })), [Reply::Unreachable]);
    let to = host(255);
    assert_eq!(replies(bench.ask(Command::Echo { id: ID, to, timeout })), [Reply::Prohibited]);
}

#[test]
fn the_neighbour_table_shows_who_was_confirmed() {
    let mut bench = Bench::new("echo = false\nclosed = \"drop\"");
    let read = |bench: &mut Bench| {
        bench.kernel.handle_command(bench.now, Command::ReadNeighbours { id: ID, interface: "sim0".into() });
        replies(bench.pass(Duration::ZERO))
    };
    assert_eq!(read(&mut bench), [Reply::Neighbours(Vec::new())]);
    let to = SocketAddrV4::new(host(1), 9);
    let command = Command::Datagram { id: ID, to, payload: Vec::new(), timeout: Duration::ZERO };
    bench.kernel.handle_command(bench.now, command);
    assert_eq!(replies(bench.pass(Duration::from_secs(1))), [Reply::TimedOut]);
    let mac = MacAddr([0, 0x50, 0x56, 0, 0, 1]);
    assert_eq!(read(&mut bench), [Reply::Neighbours(vec![(host(1), mac)])]);
    bench.pass(Duration::from_secs(40));
    assert_eq!(read(&mut bench), [Reply::Neighbours(Vec::new())]);
}

#[test]
fn a_stale_neighbour_is_asked_again_by_unicast() {
    let mut bench = Bench::new("");
    let timeout = Duration::from_secs(1);
    let echo = || Command::Echo { id: ID, to: host(1), timeout };
    assert_eq!(replies(bench.ask(echo())), [Reply::Answered { ttl: Some(64) }]);
    assert_eq!(replies(bench.ask(echo())), [Reply::Answered { ttl: Some(64) }]);
    let statistics = bench.world.statistics();
    assert_eq!((statistics.received.arp_requests, statistics.broadcasts), (2, 1));
}

#[test]
fn datagrams_and_names_are_answered() {
    let mut bench = Bench::new("dns = true\nptr = \"a.example\"\nudp = [\"ntp\"]");
    let datagram = |port, payload| {
        let to = SocketAddrV4::new(host(1), port);
        Command::Datagram { id: ID, to, payload, timeout: Duration::from_secs(1) }
    };
    let mut request = vec![0; 48];
    request[0] = 0x23;
    assert_eq!(replies(bench.ask(datagram(123, request))), [Reply::Answered { ttl: Some(64) }]);
    assert_eq!(replies(bench.ask(datagram(9_999, vec![1]))), [Reply::Refused]);
    let name = |address| Command::Resolve { id: ID, address };
    assert_eq!(replies(bench.ask(name(host(1)))), [Reply::Names(vec!["a.example".into()])]);
    assert_eq!(replies(bench.ask(name(host(2)))), [Reply::Names(Vec::new())]);
    assert_eq!(replies(Bench::new("").ask(name(host(1)))), [Reply::Names(Vec::new())]);
}

#[test]
fn unasked_a_kernel_resets_what_it_does_not_know() {
    let mut bench = Bench::new("tcp = \"22\"");
    let eth =
        |destination| ethernet::Header { destination, source: bench.kernel.mac, ether_type: EtherType::Ipv4 };
    let ip = ipv4::Header {
        source: bench.kernel.address,
        destination: host(1),
        protocol: Protocol::Tcp,
        ttl: 64,
        identification: 0,
        dont_fragment: true,
        payload_len: 0,
    };
    let mut buf = [0; 128];
    let syn = segment((61_000, 22), 5, 0, tcp::Flags::SYN);
    let len = frame::tcp(&mut buf, &eth(MacAddr([0, 0x50, 0x56, 0, 0, 1])), &ip, &syn);
    bench.world.handle_frame(Instant::ZERO, &buf[..len]);
    bench.pass(Duration::from_secs(1));
    // It had to ask for the address first, as real ones do.
    let received = bench.world.statistics().received;
    assert_eq!((received.arp_requests, received.tcp_resets), (1, 1));
    assert_eq!(bench.world.open_connections(), 0);
}

#[test]
fn this_machine_refuses_itself() {
    let mut bench = Bench::new("");
    assert_eq!(replies(bench.connect(250, 80, 1)), [Reply::Refused]);
}
