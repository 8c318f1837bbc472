//! Bad input end to end: a device that does its worst costs its budget and no more.

use std::{
    fs,
    net::Ipv4Addr,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{
    NotRun, Ran,
    hostile::{self, HONEST},
    namespace::{self, Namespace, join},
    need,
    process::Process,
    product::{Desk, User, assert_valid},
    trial, until,
};

const HOST: Ipv4Addr = Ipv4Addr::new(10, 93, 0, 11);
/// What a scan of one host may take in memory, in KiB, whatever the host does.
const MOST_MEMORY: u64 = 300 << 10;
/// What one host may be made to bear in all, and the sweep before it, with room for a slow machine.
const LIMIT: Duration = Duration::from_secs(600);
/// Statements that are kept of a host.
const MOST_STATEMENTS: usize = 512;
/// The longest output about one host: what is kept of its statements, escaped and as evidence.
const MOST_OUTPUT: usize = 8 << 20;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("hostile::a_hostile_device_costs_its_budget_and_no_more", whole_device)]
}

/// All at once, for a device may do all of it: a stream without an end, a banner of 100 MB, a redirect loop, an XML
/// bomb, a compressed bomb, a storm of TLS records, a storm of datagrams, terminal escapes everywhere.
fn whole_device() -> Ran {
    namespace::prepare()?;
    need(&["gzip", "head", "kill"])?;
    let directory = tempfile::tempdir().unwrap();
    let device = Namespace::new("hostile")?;
    let scanner = Namespace::new("scanner")?;
    let switch = Namespace::new("switch")?;
    switch.ip("link add near type bridge mcast_snooping 0\nlink set near up\n");
    join(&device, "eth0", "02:93:00:00:00:0b", &switch, "near");
    join(&scanner, "eth0", "02:93:00:00:00:c9", &switch, "near");
    device.ip(&format!("addr add {HOST}/24 dev eth0\n"));
    scanner.ip("addr add 10.93.0.201/24 dev eth0\n");
    scanner.assert_closed(&["eth0"]);
    let bomb = make_bomb(directory.path())?;
    let mut served = Process::start(hostile::command(&device, HOST, &bomb), directory.path(), "hostile");
    until("the hostile device", Duration::from_secs(20), || {
        served.assert_alive();
        let sockets = device.sockets();
        (hostile::ports().all(|port| sockets.tcp.contains(&port)) && sockets.udp.contains(&1900))
            .then_some(())
    });
    let desk = Desk::new(User::Root);
    let (file, target) = (desk.file("run.json"), HOST.to_string());
    let arguments = ["scan", &target, "--careful", "--no-dns", "--no-log", "--json", file.to_str().unwrap()];
    let mut scan = desk.start(&scanner, &arguments);
    let (status, peak) = scan.wait_for_peak(LIMIT);
    assert!(status.success(), "{}", scan.error());
    assert!(peak > 0 && peak <= MOST_MEMORY, "{peak} KiB of memory");
    assert_harmless(&scan.output());
    assert_harmless(&scan.error());
    assert_harmless(&fs::read_to_string(&file).unwrap());
    assert_listened(&desk.json("run.json"));
    Ok(())
}

/// A hundred million zeros in a gzip file.
fn make_bomb(directory: &Path) -> Result<std::path::PathBuf, NotRun> {
    let file = directory.join("bomb.gz");
    let mut zeros =
        Command::new("head").args(["-c", "100000000", "/dev/zero"]).stdout(Stdio::piped()).spawn().unwrap();
    let from = zeros.stdout.take().unwrap();
    let status = Command::new("gzip").stdin(from).stdout(fs::File::create(&file).unwrap()).status().unwrap();
    assert!(status.success() && zeros.wait().unwrap().success(), "gzip");
    Ok(file)
}

/// Fails the test where a terminal would act on the text, or where there is too much of it.
fn assert_harmless(text: &str) {
    let acted_on = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    let found = text.char_indices().find(|(_, c)| acted_on(*c));
    assert!(found.is_none(), "a control character in the output: {found:?}");
    assert!(text.len() < MOST_OUTPUT, "{} bytes of output", text.len());
}

/// Fails the test unless the device was heard within its bounds, and its one honest port as well.
fn assert_listened(document: &Value) {
    assert_valid(document);
    let devices = document["devices"].as_array().unwrap();
    let device = devices.iter().find(|device| device["this_machine"] == false).unwrap();
    let statements = device["statements"].as_array().unwrap();
    assert!(statements.len() <= MOST_STATEMENTS, "{} statements", statements.len());
    let said = |field: &str| statements.iter().filter(|said| said["field"] == field).collect::<Vec<_>>();
    let honest: Vec<_> = said("pop3").iter().map(|said| said["value"].clone()).collect();
    assert_eq!(honest, [HONEST]);
    assert!(!said("http.title").is_empty(), "the page with escapes was not read: {statements:#?}");
    // Redirects are followed a few times, not for ever.
    let redirects = said("http.location").len();
    assert!((1..=8).contains(&redirects), "{redirects} redirects were followed");
    for value in said("upnp.friendlyname") {
        assert!(value["value"].as_str().is_none_or(|name| name.len() < 100), "an entity was expanded");
    }
}
