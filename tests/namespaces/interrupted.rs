//! Runs that are broken off, and runs that go on where another stopped.

use std::{
    collections::BTreeMap,
    fs,
    net::Ipv4Addr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::support::{
    capture::Capture,
    lab::{DNS, FAR, KEPT_OUT, Lab, NEAR, scanner_mac},
    namespace::Namespace,
    process::Process,
    product::{Desk, Ended, Found, User, assert_valid, finish, found},
    until,
};

/// How long after the signal a frame may still leave: it was on its way.
const GRACE: f64 = 0.25;

/// Slow enough that a sweep of the lab is under way for seconds.
const SLOWLY: &str = "100";
/// The ports of the lab's daemons.
const PORTS: &str = "21,22,53,80,139,445,1883";

/// A signal stops the sending at once; what there is gets written, with the truth about its completeness.
pub(super) fn stops(lab: &Lab, signal: &str, number: u8) {
    let scanner = lab.scanner(number);
    let desk = Desk::new(User::Root);
    let capture = Capture::start(&scanner, desk.outside(), "scanner");
    let (json, log) = (desk.file("run.json"), desk.file("run.log"));
    let paths = ["--json", json.to_str().unwrap(), "--log", log.to_str().unwrap()];
    let process = start_slowly(&desk, &scanner, &paths);
    assert!(!json.exists(), "the JSON is written before there is one");
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    process.signal(signal);
    let Ended { code, error, .. } = finish(process);
    assert_eq!(code, Some(130), "{error}");
    let document = desk.json("run.json");
    assert_valid(&document);
    assert_eq!(document["run"]["completeness"]["complete"], false);
    // Written to another name first and renamed: no other file is left.
    let mut files = desk.files();
    files.remove("run.json");
    files.remove("run.log");
    assert!(files.is_empty(), "left behind: {files:?}");
    let mac = scanner_mac(number);
    let late: Vec<_> = capture
        .finish()
        .into_iter()
        .filter(|frame| frame.source == mac && frame.content.is_question() && frame.time > at + GRACE)
        .collect();
    assert!(late.is_empty(), "sent after the signal: {late:#?}");
}

/// An interrupted and resumed run finds what an unbroken run finds, and a shown log is the run itself.
pub(super) fn resumes(lab: &Lab, number: u8) {
    let scanner = lab.scanner(number);
    let desk = Desk::new(User::Root);
    let path = |name: &str| desk.file(name).to_str().unwrap().to_owned();
    let (whole, whole_log) = (path("whole.json"), path("whole.log"));
    let (broken, log, shown) = (path("broken.json"), path("broken.log"), path("shown.json"));
    let (dns, kept_out) = (DNS.to_string(), KEPT_OUT.to_string());
    // Few ports, for a resumed run keeps the slow rate.
    let same = ["--dns", &dns, "--ports", PORTS];
    let scope = ["scan", NEAR, FAR, "--exclude", &kept_out];
    run(&desk, &scanner, &[&scope[..], &same, &["--json", &whole, "--log", &whole_log]].concat());

    let process = start_slowly(&desk, &scanner, &[&same[..], &["--json", &broken, "--log", &log]].concat());
    process.signal("INT");
    assert_eq!(finish(process).code, Some(130));
    let before = found(&desk.json("broken.json"));
    let unbroken = essence(&desk.json("whole.json"));
    assert!(before.len() < unbroken.len(), "the run was over before it was interrupted");

    run(&desk, &scanner, &["scan", "--resume", &log, "--json", &path("resumed.json")]);
    let document = desk.json("resumed.json");
    assert_valid(&document);
    assert_eq!(document["run"]["completeness"]["complete"], true);
    assert_eq!(document["run"]["scope"], desk.json("whole.json")["run"]["scope"]);
    let resumed = essence(&document);
    assert_eq!(resumed.keys().collect::<Vec<_>>(), unbroken.keys().collect::<Vec<_>>());
    let different: Vec<_> = unbroken.iter().filter(|(address, found)| resumed[address] != **found).collect();
    let beside: Vec<_> = different.iter().map(|(address, _)| &resumed[address]).collect();
    assert!(different.is_empty(), "unbroken: {different:#?}\nresumed: {beside:#?}");

    run(&desk, &scanner, &["show", &whole_log, "--json", &shown]);
    assert_eq!(desk.json("shown.json")["devices"], desk.json("whole.json")["devices"]);
    assert!(fs::metadata(&log).unwrap().len() > 0);
}

/// Starts a scan of the lab that takes its time, and waits until it is well under way.
fn start_slowly(desk: &Desk, scanner: &Namespace, more: &[&str]) -> Process {
    let kept_out = KEPT_OUT.to_string();
    let before = scanner.counters().sent;
    let arguments = [&["scan", NEAR, FAR, "--exclude", &kept_out, "--rate", SLOWLY], more].concat();
    let mut process = desk.start(scanner, &arguments);
    until("the scan is under way", Duration::from_secs(30), || {
        process.assert_alive();
        (scanner.counters().sent >= before + 100).then_some(())
    });
    process
}

fn run(desk: &Desk, scanner: &Namespace, arguments: &[&str]) {
    let ended = desk.run(scanner, arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.error);
}

/// What two runs of one network have in common, whenever and in whatever order they asked.
fn essence(document: &Value) -> BTreeMap<Ipv4Addr, Found> {
    let mut all = found(document);
    for found in all.values_mut() {
        // Which sign of life came first is a matter of order.
        found.reasons.clear();
    }
    all
}
