//! End to end: one real daemon a protocol, and what headcount says of each, as root and as an ordinary user.

mod answers;
mod wire;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{
    NotRun,
    capture::Capture,
    frame::Frame,
    product::{Desk, User, assert_valid},
    services::{NETWORK, Service, ServiceLan, all, scanner_mac},
    trial,
};

pub(crate) fn trials(scans: &Arc<SharedScans>) -> Vec<Trial> {
    let of_daemon = |(name, test): &(&'static str, answers::Test)| {
        let (scans, name, test) = (Arc::clone(scans), *name, *test);
        trial(&format!("services::{name}"), move || {
            let service = all().into_iter().find(|service| service.name == name).unwrap();
            service.can_run()?;
            scans.with(|scans| scans.runs.iter().for_each(|run| test(&scans.host(run, &service))))
        })
    };
    let of_wire = |name: &str, test: fn(&Run)| {
        let scans = Arc::clone(scans);
        trial(&format!("services::{name}"), move || scans.with(|scans| scans.runs.iter().for_each(test)))
    };
    let wire = [
        of_wire("no_byte_of_an_authentication_is_sent", wire::assert_no_authentication),
        of_wire("one_connection_at_a_time_to_a_small_host", wire::assert_one_connection),
        of_wire("the_host_rate_is_kept", wire::assert_host_rate),
    ];
    answers::ALL.iter().map(of_daemon).chain(wire).collect()
}

/// The LAN and what two scans said of it.
pub(crate) struct Scans {
    runs: Vec<Run>,
    lan: ServiceLan,
}

/// A finished scan with everything that was seen of it from outside.
pub(crate) struct Run {
    document: Value,
    /// What passed the scanner's interface, either way.
    frames: Vec<Frame>,
    /// The scanner's MAC address.
    mac: String,
}

impl Scans {
    fn new() -> Result<Self, NotRun> {
        let lan = ServiceLan::new()?;
        let runs = [(User::Root, 201), (User::Nobody, 202)].map(|(user, number)| scan(&lan, user, number));
        Ok(Self { runs: runs.into(), lan })
    }

    fn host<'a>(&self, run: &'a Run, service: &'a Service) -> Host<'a> {
        let address = service.address.to_string();
        let devices = run.document["devices"].as_array().unwrap();
        let device = devices.iter().find(|device| has_address(device, &address));
        let device = device.unwrap_or_else(|| panic!("{} ({address}) was not found", service.name));
        Host { device, service, address, directory: self.lan.directory(&service.name) }
    }
}

/// One LAN and its scans for all tests of a run, made when the first one asks for them.
#[derive(Default)]
pub(crate) struct SharedScans(Mutex<Option<Result<Scans, NotRun>>>);

impl SharedScans {
    fn with(&self, test: impl FnOnce(&Scans)) -> Result<(), NotRun> {
        // A failed test poisons the lock; the scans are not harmed by that.
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.get_or_insert_with(Scans::new) {
            Ok(scans) => test(scans),
            Err(reason) => return Err(reason.clone()),
        }
        Ok(())
    }
}

fn scan(lan: &ServiceLan, user: User, number: u8) -> Run {
    let scanner = lan.scanner(number);
    let desk = Desk::new(user);
    let capture = Capture::start(&scanner, desk.outside(), "scanner");
    let file = desk.file("run.json");
    let name = file.to_str().unwrap();
    let ended = desk.run(&scanner, &["scan", NETWORK, "--careful", "--no-dns", "--no-log", "--json", name]);
    assert_eq!(ended.code, Some(0), "{}", ended.error);
    let frames = capture.finish();
    let document = desk.json("run.json");
    assert_valid(&document);
    Run { document, frames, mac: scanner_mac(number) }
}

fn has_address(device: &Value, address: &str) -> bool {
    crate::support::product::addresses(device).iter().any(|found| found == address)
}

/// What a run says of one host.
struct Host<'a> {
    device: &'a Value,
    service: &'a Service,
    address: String,
    /// What the daemon has written.
    directory: PathBuf,
}

impl Host<'_> {
    /// The values that were said in a field; bytes that are no text as JSON.
    fn said(&self, field: &str) -> Vec<String> {
        let statements = self.device["statements"].as_array().unwrap();
        let of_field = statements
            .iter()
            .filter(|said| said["field"] == field && said["endpoint"]["address"] == self.address.as_str());
        of_field
            .map(|said| said["value"].as_str().map_or_else(|| said["value"].to_string(), str::to_owned))
            .collect()
    }

    /// Fails the test unless exactly this was said in a field.
    #[track_caller]
    fn says(&self, field: &str, value: &str) {
        assert_eq!(
            self.said(field),
            [value],
            "{field} of {}: {:#}",
            self.service.name,
            self.device["statements"]
        );
    }

    /// Fails the test unless this was said in a field, among whatever else.
    #[track_caller]
    fn says_also(&self, field: &str, value: &str) {
        let said = self.said(field);
        assert!(said.iter().any(|said| said == value), "{field} of {}: {said:#?}", self.service.name);
    }

    /// Fails the test unless the port is open and what answers there is named so.
    #[track_caller]
    fn serves(&self, transport: &str, port: u16, product: &str, version: Option<&str>) {
        let services = self.device["services"].as_array().unwrap();
        let found = services.iter().find(|service| {
            service["address"] == self.address.as_str()
                && service["transport"] == transport
                && service["port"] == port
                && service["state"] == "open"
        });
        let found =
            found.unwrap_or_else(|| panic!("{port}/{transport} of {}: {services:#?}", self.service.name));
        assert_eq!(found["product"], product, "{}: {found}", self.service.name);
        assert_eq!(found["version"].as_str(), version, "{}: {found}", self.service.name);
    }

    /// Fails the test unless an attribute of the device has this value.
    #[track_caller]
    fn is(&self, name: &str, value: &str) {
        let attributes = self.device["attributes"].as_array().unwrap();
        let found: Vec<_> = attributes
            .iter()
            .filter(|attribute| attribute["name"] == name)
            .map(|found| &found["value"])
            .collect();
        assert_eq!(found, [value], "{name} of {}", self.service.name);
    }

    /// Fails the test unless this exposure is reported.
    #[track_caller]
    fn is_exposed(&self, id: &str) {
        let exposures = self.device["exposures"].as_array().unwrap();
        assert!(
            exposures.iter().any(|exposure| exposure["id"] == id),
            "{}: {exposures:#?}",
            self.service.name
        );
    }
}
