//! End to end: real daemons in namespaces, headcount among them, and a capture of everything that it sent.

mod devices;
mod interrupted;
mod wire;

use std::{collections::BTreeSet, net::Ipv4Addr, path::PathBuf, process::Command, sync::Arc};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{
    capture::Capture,
    frame::Frame,
    lab::{DNS, FAR, KEPT_OUT, Lab, NEAR, PRINTER, SharedLab, scanner_mac},
    process::run_with,
    product::{Desk, Ended, User, assert_valid, found},
    trial,
};

pub(crate) fn trials(lab: &Arc<SharedLab>) -> Vec<Trial> {
    let in_lab = |name: &str, test: fn(&Lab)| {
        let lab = Arc::clone(lab);
        trial(&format!("namespaces::{name}"), move || lab.with(test))
    };
    vec![
        in_lab("root_finds_every_host_and_none_else", |lab| whole_lab(lab, User::Root, 201)),
        in_lab("a_user_finds_every_host_and_none_else", |lab| whole_lab(lab, User::Nobody, 202)),
        in_lab("root_writes_nothing_to_a_printer", |lab| printing_ports(lab, User::Root, 203)),
        in_lab("a_user_writes_nothing_to_a_printer", |lab| printing_ports(lab, User::Nobody, 204)),
        in_lab("the_host_rate_is_kept", |lab| slow_host_rate(lab, 205)),
        in_lab("doctor_tells_a_user_what_is_lost", |lab| doctor(lab, 206)),
        in_lab("an_interrupt_ends_the_sending_at_once", |lab| interrupted::stops(lab, "INT", 207)),
        in_lab("a_termination_ends_the_sending_at_once", |lab| interrupted::stops(lab, "TERM", 208)),
        in_lab("a_resumed_run_finds_what_an_unbroken_one_finds", |lab| interrupted::resumes(lab, 209)),
    ]
}

/// A finished scan with everything that was seen of it from outside.
struct Scan {
    /// The JSON that it wrote.
    document: Value,
    /// Where that lies; the desk keeps it there.
    file: PathBuf,
    _desk: Desk,
    /// What left the scanner.
    sent: Vec<Frame>,
    /// What arrived at the excluded host.
    at_kept_out: Vec<Frame>,
    /// The scanner's MAC address.
    mac: String,
}

/// Scans with `arguments` from the address that ends in `number`, under capture.
fn scan(lab: &Lab, user: User, number: u8, arguments: &[&str]) -> Scan {
    let scanner = lab.scanner(number);
    let desk = Desk::new(user);
    let capture = Capture::start(&scanner, desk.outside(), "scanner");
    let at_kept_out = Capture::start(lab.host("kept-out"), desk.outside(), "kept-out");
    let file = desk.file("run.json");
    let name = file.to_str().unwrap();
    let kept_out = KEPT_OUT.to_string();
    let mut all = vec!["scan", "--json", name, "--exclude", &kept_out];
    all.extend(arguments);
    let ended = desk.run(&scanner, &all);
    assert_eq!(ended.code, Some(0), "{all:?}: {}", ended.error);
    let mac = scanner_mac(number);
    let mut sent = capture.finish();
    sent.retain(|frame| frame.source == mac);
    let at_kept_out = at_kept_out.finish();
    let document = desk.json("run.json");
    assert_valid(&document);
    Scan { document, file, _desk: desk, sent, at_kept_out, mac }
}

/// The whole lab with the default ports: what is found, and what was sent for it.
fn whole_lab(lab: &Lab, user: User, number: u8) {
    let dns = DNS.to_string();
    let scan = scan(lab, user, number, &[NEAR, FAR, "--dns", &dns]);
    let run = &scan.document["run"];
    assert_eq!(run["completeness"]["complete"], true);
    let (privilege, skipped) = match user {
        User::Root => ("raw", false),
        User::Nobody => ("unprivileged", true),
    };
    assert_eq!(run["privilege"], privilege);
    assert_eq!(!run["skipped"].as_array().unwrap().is_empty(), skipped, "{}", run["skipped"]);
    devices::assert_true(&scan.document, lab, user, Ipv4Addr::new(10, 91, 0, number));
    assert_eq!(addresses_by_jq(&scan), found(&scan.document).into_keys().collect());
    wire::assert_in_scope(&scan);
    wire::assert_host_rate(&scan);
    assert_nothing_written(lab);
}

/// jq reads the file and lists the addresses.
fn addresses_by_jq(scan: &Scan) -> BTreeSet<Ipv4Addr> {
    let mut command = Command::new("jq");
    command.args(["-r", ".devices[].interfaces[].addresses[].address"]).arg(&scan.file);
    run_with(command, "").unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

/// Printing ports are found open when a user asks for them by number, and are never written to.
fn printing_ports(lab: &Lab, user: User, number: u8) {
    let printer = PRINTER.to_string();
    let scan = scan(lab, user, number, &[&printer, "--ports", "515,631,9100-9107", "--no-dns"]);
    let found = found(&scan.document);
    assert_eq!(found[&PRINTER].tcp, BTreeSet::from([515, 631, 9100]));
    wire::assert_in_scope(&scan);
    assert_nothing_written(lab);
}

fn assert_nothing_written(lab: &Lab) {
    for name in ["printer", "kept-out"] {
        let bytes = lab.recorded(name);
        assert!(bytes.is_empty(), "{name} was written to: {bytes:02x?}");
    }
}

/// A host rate far below the default is kept too.
fn slow_host_rate(lab: &Lab, number: u8) {
    let scan =
        scan(lab, User::Root, number, &["10.91.0.8/29", "--host-rate", "8", "--ports", "20-60", "--no-dns"]);
    assert_eq!(scan.document["run"]["rates"]["per_host"], 8.0);
    wire::assert_in_scope(&scan);
    wire::assert_host_rate(&scan);
}

/// Who lacks a privilege is told how to get it.
fn doctor(lab: &Lab, number: u8) {
    let Ended { code, output, error } = Desk::new(User::Nobody).run(&lab.scanner(number), &["doctor"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(output.contains("setcap cap_net_raw"), "{output}");
}
