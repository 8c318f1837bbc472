//! The driver on a virtual cable, in a network namespace of each test's own.
//!
//! Namespaces belong to a process and can only be entered while it has one thread, so every test is this program run
//! again with the test's name in the environment. Where the kernel refuses namespaces, the tests are not run.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that does not use the usual harness")]

mod support;

use std::{
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    process::{Command, ExitCode},
    sync::atomic::Ordering,
};

use headcount_engine::Path;
use headcount_model::{Method, NameSource, PortState, Reason, Seen, SegmentKind};
use headcount_net::{
    DriveOptions, EchoSocket, Links, NetError, Resolver, capabilities, interfaces, links_of,
    namespace::{self, Entered, Wire, add_address, add_route, set_sysctl, set_up},
    privilege, route_to, segments,
};
use headcount_wire::dns;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use support::{
    CLOSED, Devices, Diary, FAR, NEAR, OPEN, OWN, PROHIBITED_BY_ROUTER, REJECTED_BY_HOST, REJECTED_BY_ROUTER,
    cable, mac_of, open, plan, run, scope, set,
};

const CASE: &str = "HEADCOUNT_NET_CASE";
/// The exit code of a test that could not be run here.
const NOT_RUN: u8 = 77;

type Case = (&'static str, fn(Entered));

const CASES: &[Case] = &[
    ("frames_find_devices_and_only_answers_come_in", frames_find_devices_and_only_answers_come_in),
    ("the_kernels_sockets_find_the_same", the_kernels_sockets_find_the_same),
    ("nobody_closes_a_port_in_a_hosts_name", nobody_closes_a_port_in_a_hosts_name),
    ("a_fast_sweep_loses_nothing", a_fast_sweep_loses_nothing),
    ("a_scope_is_split_as_the_kernel_routes", a_scope_is_split_as_the_kernel_routes),
    ("a_ring_outlives_the_privileges", a_ring_outlives_the_privileges),
    ("sudo_gives_way_to_its_user", sudo_gives_way_to_its_user),
    ("an_interface_may_go_down_in_mid_run", an_interface_may_go_down_in_mid_run),
    ("a_run_stops_when_told_to", a_run_stops_when_told_to),
    ("a_full_disk_ends_the_run", a_full_disk_ends_the_run),
    ("names_come_from_the_named_servers", names_come_from_the_named_servers),
    ("what_can_be_done_is_found_by_trying", what_can_be_done_is_found_by_trying),
];

fn main() -> ExitCode {
    let Ok(case) = std::env::var(CASE) else {
        let trials = CASES.iter().map(|(name, _)| Trial::ignorable_test(*name, || again(name))).collect();
        return libtest_mimic::run(&Arguments::from_args(), trials).exit_code();
    };
    let (_, body) = CASES.iter().find(|(name, _)| *name == case).expect("a known test");
    match namespace::enter() {
        Ok(entered) => body(entered),
        Err(NetError::NoNamespace { source, way_out }) => not_run(&format!("{source}; {way_out}")),
        Err(error) => panic!("{error}"),
    }
    ExitCode::SUCCESS
}

fn not_run(why: &str) {
    println!("{why}");
    std::process::exit(NOT_RUN.into());
}

/// Runs one test in a process of its own.
fn again(name: &str) -> Result<Completion, Failed> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.env(CASE, name).env_remove("SUDO_UID").env_remove("SUDO_GID").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => Ok(Completion::Completed),
        Some(code) if code == i32::from(NOT_RUN) => Ok(Completion::ignored_with(text.trim())),
        _ => Err(format!("{}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// The addresses with a sign of life, and by which method.
fn present(diary: &Diary, method: Method) -> Vec<Ipv4Addr> {
    let signs = diary.observations.iter().filter(|seen| seen.method == method);
    let mut addresses: Vec<_> =
        signs.filter(|seen| matches!(seen.seen, Seen::Present { .. })).map(|seen| seen.address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The state and reason that the diary has for one port.
fn port(diary: &Diary, address: Ipv4Addr, asked: u16) -> Option<(PortState, Reason)> {
    let seen = diary.observations.iter().filter(|seen| seen.address == address);
    seen.filter_map(|seen| match &seen.seen {
        Seen::Port { port, state, reason, .. } if *port == asked => Some((*state, *reason)),
        Seen::Ports { ports, state, reason, .. } if ports.contains(asked) => Some((*state, *reason)),
        _ => None,
    })
    .next_back()
}

const DEVICES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 77, 0, 10), Ipv4Addr::new(10, 77, 0, 11)];

fn frames_find_devices_and_only_answers_come_in(_: Entered) {
    cable();
    let scope = scope("10.77.0.0/24");
    let segmented = segments(&scope, None, true).unwrap();
    let links = open(&segmented.links).unwrap();
    let devices = Devices::play(Wire::open(FAR).unwrap(), "10.77.0.10-11");
    let mut diary = Diary::default();
    let stats = run(plan(&scope, &segmented), links, DriveOptions::default(), pending(), &mut diary).unwrap();

    assert!(diary.finished && diary.ticks > 0);
    assert_eq!(present(&diary, Method::Arp), DEVICES);
    for observation in &diary.observations {
        if let Seen::Present { mac: Some(mac), reason: Reason::ArpReply, rtt_us, .. } = observation.seen {
            assert_eq!(mac, mac_of(observation.address));
            assert!(rtt_us.is_some_and(|rtt| rtt < 1_000_000), "{rtt_us:?}");
        }
    }
    for device in DEVICES {
        assert_eq!(port(&diary, device, OPEN), Some((PortState::Open, Reason::SynAck)));
        assert_eq!(port(&diary, device, CLOSED), Some((PortState::Closed, Reason::Rst)));
        assert_eq!(port(&diary, device, 81), Some((PortState::Filtered, Reason::NoAnswer)));
    }
    let (answers, junk) = (devices.answers.load(Ordering::Relaxed), devices.junk.load(Ordering::Relaxed));
    assert!(junk >= 2 * answers, "{junk} {answers}");
    assert!((4..=answers).contains(&stats.frames_received), "{stats:?} {answers} {junk}");
    assert!(stats.frames_sent > 255, "{stats:?}");
    assert_eq!((stats.dropped, stats.lost, stats.stopped), (0, 0, None));
    assert_eq!(diary.warnings, [""; 0]);
}

fn the_kernels_sockets_find_the_same(_: Entered) {
    cable();
    set_sysctl("ipv4/ping_group_range", "0 0").unwrap();
    let scope = scope("10.77.0.8-15");
    let segmented = segments(&scope, None, false).unwrap();
    assert!(segmented.links.is_empty());
    let _devices = Devices::play(Wire::open(FAR).unwrap(), "10.77.0.10-11");
    let mut diary = Diary::default();
    let options = DriveOptions { echo: Some(EchoSocket::open().unwrap()), ..DriveOptions::default() };
    let mut echoing = plan(&scope, &segmented);
    echoing.kernel_echo = true;
    let stats = run(echoing, Links::none(), options, pending(), &mut diary).unwrap();

    assert_eq!(present(&diary, Method::NeighbourTable), DEVICES);
    for observation in &diary.observations {
        if let Seen::Present { mac: Some(mac), .. } = observation.seen {
            assert_eq!(mac, mac_of(observation.address));
        }
    }
    assert_eq!(present(&diary, Method::IcmpEcho), DEVICES);
    let ttls = diary.observations.iter().filter_map(|seen| match seen.seen {
        Seen::Present { ttl, reason: Reason::EchoReply, .. } => Some(ttl),
        _ => None,
    });
    assert!(ttls.into_iter().all(|ttl| ttl == Some(63)));
    for device in DEVICES {
        assert_eq!(port(&diary, device, OPEN), Some((PortState::Open, Reason::SynAck)));
        assert_eq!(port(&diary, device, CLOSED), Some((PortState::Closed, Reason::Rst)));
        assert_eq!(port(&diary, device, 81), Some((PortState::Filtered, Reason::NoAnswer)));
    }
    assert_eq!((stats.frames_sent, stats.frames_received), (0, 0));
    assert_eq!(diary.warnings, [""; 0]);
}

fn nobody_closes_a_port_in_a_hosts_name(_: Entered) {
    cable();
    let scope = scope("10.77.0.8-15");
    for raw in [false, true] {
        let segmented = segments(&scope, None, raw).unwrap();
        let links = open(&segmented.links).unwrap();
        let _devices = Devices::play(Wire::open(FAR).unwrap(), "10.77.0.10-11 10.77.0.254");
        let mut diary = Diary::default();
        let mut plan = plan(&scope, &segmented);
        plan.ports =
            format!("{REJECTED_BY_ROUTER},{PROHIBITED_BY_ROUTER},{REJECTED_BY_HOST}").parse().unwrap();
        run(plan, links, DriveOptions::default(), pending(), &mut diary).unwrap();
        for device in DEVICES {
            let state = |asked| port(&diary, device, asked).map(|(state, _)| state);
            assert_eq!(state(REJECTED_BY_ROUTER), Some(PortState::Filtered), "raw: {raw}");
            assert_eq!(state(PROHIBITED_BY_ROUTER), Some(PortState::Filtered), "raw: {raw}");
            // Connecting, the kernel cannot say more than "refused", but the host itself has spoken.
            let by_host = if raw { PortState::Filtered } else { PortState::Closed };
            assert_eq!(state(REJECTED_BY_HOST), Some(by_host), "raw: {raw}");
        }
    }
}

fn a_fast_sweep_loses_nothing(_: Entered) {
    cable();
    add_address(NEAR, "10.90.0.1/21".parse().unwrap()).unwrap();
    let scope = scope("10.90.0.2-10.90.7.254");
    let segmented = segments(&scope, None, true).unwrap();
    let links = open(&segmented.links).unwrap();
    let _devices = Devices::play(Wire::open(FAR).unwrap(), "10.90.0.2-10.90.7.254");
    let mut fast = plan(&scope, &segmented);
    fast.ports = OPEN.to_string().parse().unwrap();
    fast.echo = false;
    fast.limits.total = 20_000.0;
    fast.limits.broadcast = 20_000.0;
    let mut diary = Diary::default();
    let stats = run(fast, links, DriveOptions::default(), pending(), &mut diary).unwrap();
    assert_eq!(present(&diary, Method::Arp).len() as u64, scope.allowed.len());
    assert_eq!((stats.dropped, stats.lost), (0, 0), "{stats:?}");
}

fn a_scope_is_split_as_the_kernel_routes(_: Entered) {
    cable();
    add_address(NEAR, "10.78.0.1/24".parse().unwrap()).unwrap();
    add_route("10.79.0.0/24".parse().unwrap(), Some(Ipv4Addr::new(10, 77, 0, 254)), None).unwrap();
    add_route("10.80.0.0/24".parse().unwrap(), None, None).unwrap();
    add_route("10.81.0.0/24".parse().unwrap(), None, Some(NEAR)).unwrap();
    let scope = scope("10.77.0.0-5 10.78.0.0-5 10.79.0.0-5 10.80.0.0-5 10.81.0.0-5 10.82.0.0-5");
    let found = segments(&scope, Some(NEAR), true).unwrap();
    let summary: Vec<_> = found
        .segments
        .iter()
        .map(|segment| {
            let gateway = match segment.path {
                Path::Frames { gateway, .. } => gateway,
                Path::Kernel => None,
            };
            (segment.kind, segment.source, gateway, segment.addresses.to_string())
        })
        .collect();
    let second = Ipv4Addr::new(10, 78, 0, 1);
    let router = Ipv4Addr::new(10, 77, 0, 254);
    assert_eq!(
        summary,
        [
            (SegmentKind::Local, None, None, "10.77.0.1, 10.78.0.1".to_owned()),
            (SegmentKind::Attached, Some(OWN), None, "10.77.0.0, 10.77.0.2-10.77.0.5".to_owned()),
            (SegmentKind::Attached, Some(second), None, "10.78.0.0, 10.78.0.2-10.78.0.5".to_owned()),
            (SegmentKind::Attached, Some(OWN), None, "10.81.0.0-10.81.0.5".to_owned()),
            (SegmentKind::Routed, Some(OWN), Some(router), "10.79.0.0-10.79.0.5".to_owned()),
        ]
    );
    assert_eq!(found.unroutable, set("10.80.0.0-5 10.82.0.0-5"));
    assert_eq!(links_of(&found.segments).unwrap(), found.links);

    let route = route_to(Ipv4Addr::new(10, 79, 0, 3)).unwrap().unwrap();
    assert_eq!((route.interface.as_str(), route.gateway, route.source), (NEAR, Some(router), Some(OWN)));
    assert_eq!(route_to(Ipv4Addr::new(10, 80, 0, 3)).unwrap(), None);
    assert_eq!(route_to(Ipv4Addr::new(10, 82, 0, 3)).unwrap(), None);

    let near = interfaces().unwrap().into_iter().find(|interface| interface.name == NEAR).unwrap();
    assert!(near.up && near.networks.len() == 2 && near.mtu == 1500, "{near:?}");
    set_up(NEAR, false).unwrap();
    let error = segments(&scope, Some(NEAR), true).unwrap_err();
    assert!(matches!(&error, NetError::Down { interface } if interface == NEAR), "{error}");
    let error = segments(&scope, Some("near7"), true).unwrap_err().to_string();
    assert!(error.contains("near7") && error.contains(FAR), "{error}");
}

fn a_ring_outlives_the_privileges(_: Entered) {
    cable();
    let scope = scope("10.77.0.8-15");
    let segmented = segments(&scope, None, true).unwrap();
    let links = open(&segmented.links).unwrap();
    let wire = Wire::open(FAR).unwrap();
    let dropped = privilege::drop().unwrap();
    assert_eq!(dropped.user, None);
    assert!(capabilities().unwrap().effective.is_empty());
    let error = open(&segmented.links).err().expect("no raw socket without privileges");
    assert!(matches!(error, NetError::NoRawSocket { .. }), "{error}");
    assert!(error.to_string().contains("setcap cap_net_raw=ep"), "{error}");

    let _devices = Devices::play(wire, "10.77.0.10-11");
    let mut diary = Diary::default();
    run(plan(&scope, &segmented), links, DriveOptions::default(), pending(), &mut diary).unwrap();
    assert_eq!(present(&diary, Method::Arp), DEVICES);
    let error = privilege::drop().unwrap_err();
    assert!(matches!(error, NetError::Threads { .. }), "{error}");
}

fn sudo_gives_way_to_its_user(entered: Entered) {
    const USER: &str = "65534";
    if entered != Entered::Root {
        return not_run("only root can become another user");
    }
    if std::env::var("SUDO_UID").is_err() {
        // As sudo would have started it.
        let mut command = Command::new(std::env::current_exe().unwrap());
        let status = command.env("SUDO_UID", USER).env("SUDO_GID", USER).status().unwrap();
        assert!(status.success(), "{status}");
        return;
    }
    let dropped = privilege::drop().unwrap();
    assert_eq!(dropped.user, Some(65534));
    let now = capabilities().unwrap();
    assert_eq!((now.user, now.effective.len()), (65534, 0));
    assert!(!now.raw_frames.is_there());
}

fn an_interface_may_go_down_in_mid_run(_: Entered) {
    cable();
    let scope = scope("10.77.0.0/24");
    let segmented = segments(&scope, None, true).unwrap();
    let links = open(&segmented.links).unwrap();
    let _devices = Devices::play(Wire::open(FAR).unwrap(), "10.77.0.0/24");
    let down = |count| if count == 1 { set_up(NEAR, false).map_err(io::Error::other) } else { Ok(()) };
    let mut diary = Diary { on_observation: Some(Box::new(down)), ..Diary::default() };
    let stats = run(plan(&scope, &segmented), links, DriveOptions::default(), pending(), &mut diary).unwrap();
    assert!(diary.finished);
    assert_eq!(stats.went_down, [NEAR]);
    assert!(stats.lost > 0, "{stats:?}");
    assert!(diary.warnings.iter().any(|text| text.contains(NEAR) && text.contains("down")));
}

fn a_run_stops_when_told_to(_: Entered) {
    cable();
    let scope = scope("10.77.0.0/24");
    let segmented = segments(&scope, None, true).unwrap();
    let links = open(&segmented.links).unwrap();
    let mut slow = plan(&scope, &segmented);
    slow.limits.broadcast = 5.0;
    let mut diary = Diary::default();
    let stop = async { "interrupted" };
    let stats = run(slow, links, DriveOptions::default(), stop, &mut diary).unwrap();
    assert!(diary.finished);
    assert_eq!(stats.stopped, Some("interrupted"));
    assert!(stats.frames_sent < 254, "{stats:?}");
}

fn a_full_disk_ends_the_run(_: Entered) {
    cable();
    let scope = scope("10.77.0.0/24");
    let segmented = segments(&scope, None, true).unwrap();
    let links = open(&segmented.links).unwrap();
    let _devices = Devices::play(Wire::open(FAR).unwrap(), "10.77.0.0/24");
    let full = |_| Err(io::ErrorKind::StorageFull.into());
    let mut diary = Diary { on_observation: Some(Box::new(full)), ..Diary::default() };
    let ended = run(plan(&scope, &segmented), links, DriveOptions::default(), pending(), &mut diary);
    assert!(matches!(ended, Err(NetError::Watcher(error)) if error.kind() == io::ErrorKind::StorageFull));
    assert_eq!(diary.observations.len(), 1);
}

/// A name server that knows one name, and answers for as long as the process lives.
fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            let Ok(asked) = dns::Message::parse(&buffer[..len]) else { continue };
            let Some(question) = asked.questions.first().cloned() else { continue };
            let data = match question.kind {
                dns::RecordType::A => dns::RecordData::A(DEVICES[0]),
                _ => dns::RecordData::Ptr("printer.example".into()),
            };
            let known = question.kind == dns::RecordType::A
                || question.name.trim_end_matches('.') == dns::reverse_name(DEVICES[0]).trim_end_matches('.');
            let answer = dns::Record { name: question.name.clone(), class: dns::CLASS_IN, ttl: 60, data };
            let reply = dns::Message {
                id: asked.id,
                // Response, recursion available; code 3 is "no such name".
                flags: 0x8180 | if known { 0 } else { 3 },
                questions: vec![question],
                answers: if known { vec![answer] } else { Vec::new() },
                authorities: Vec::new(),
                additionals: Vec::new(),
                lost: 0,
            };
            let mut bytes = Vec::new();
            reply.emit(&mut bytes);
            let _ = socket.send_to(&bytes, from);
        }
    });
    at
}

fn names_come_from_the_named_servers(_: Entered) {
    cable();
    let scope = scope("10.77.0.8-15");
    let segmented = segments(&scope, None, true).unwrap();
    let links = open(&segmented.links).unwrap();
    let resolver = Resolver::servers(&[name_server()]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let addresses = runtime.block_on(resolver.resolve_name("printer.example")).unwrap();
    assert_eq!(addresses, [DEVICES[0]]);

    let _devices = Devices::play(Wire::open(FAR).unwrap(), "10.77.0.10-11");
    let mut diary = Diary::default();
    let mut named = plan(&scope, &segmented);
    named.names = true;
    let options = DriveOptions { resolver: Some(resolver), ..DriveOptions::default() };
    let stats = run(named, links, options, pending(), &mut diary).unwrap();
    let names: Vec<_> = diary
        .observations
        .iter()
        .filter_map(|seen| match &seen.seen {
            Seen::Name { name, source: NameSource::Ptr } => Some((seen.address, name.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(names, [(DEVICES[0], "printer.example")]);
    assert_eq!(stats.lookups, 2);
}

fn what_can_be_done_is_found_by_trying(_: Entered) {
    // A new namespace lets nobody send echo requests.
    let found = capabilities().unwrap();
    assert!(found.raw_frames.is_there() && found.neighbours.is_there() && found.namespaces.is_there());
    assert!(found.effective.iter().any(|name| name == "cap_net_raw"));
    match found.echo {
        headcount_net::Ability::No { way_out, .. } => assert!(way_out.contains("ping_group_range")),
        other => panic!("{other:?}"),
    }
    set_sysctl("ipv4/ping_group_range", "0 0").unwrap();
    assert!(capabilities().unwrap().echo.is_there());
}
