use std::net::Ipv4Addr;

use headcount_model::{
    Attribute, Device, Endpoint, HostName, NameSource, Raw, Statement, Timestamp, Transport,
};

use super::unknown;
use crate::{
    Document,
    tests::{Sketch, example_run as run, identified},
};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 31);

/// A camera nobody knows, full of what tells whose it is.
fn device(said: &[(&str, &str)]) -> Device {
    let mut device = Sketch {
        segment: 0,
        mac: Some("00:40:8c:12:34:ab"),
        maker: None,
        addresses: &["192.168.10.31"],
        names: &[],
        reasons: &[],
        open: &[],
        closed: "",
    }
    .device();
    let name = |name: &str| HostName { name: name.to_owned(), source: NameSource::Ptr, address: ADDRESS };
    device.names = vec![name("Vault-Cam.corp.example.")];
    device.statements = said.iter().map(|(field, value)| statement(field, value)).collect();
    device
}

fn statement(field: &str, value: &str) -> Statement {
    Statement {
        endpoint: Endpoint { address: ADDRESS, transport: Transport::Tcp, port: 80 },
        probe: "http".to_owned(),
        field: field.to_owned(),
        value: Raw::from(value),
        at: Timestamp::from_micros(0),
    }
}

fn claim(name: &str, value: &str, confidence: f64) -> Attribute {
    let (name, value) = (name.to_owned(), value.to_owned());
    Attribute { name, value, confidence, endpoint: None, evidence: Vec::new(), rivals: Vec::new() }
}

fn lines(devices: Vec<Device>) -> Vec<serde_json::Value> {
    let mut out = Vec::new();
    unknown(&Document::new(run(), devices, Default::default()), &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn shared(said: &[(&str, &str)]) -> Vec<(String, String)> {
    let lines = lines(vec![device(said)]);
    let observations = lines.first().map(|line| line["observations"].as_array().unwrap().clone());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let pair = |said: serde_json::Value| (text(&said["field"]), text(&said["value"]));
    observations.unwrap_or_default().into_iter().map(pair).collect()
}

fn one(field: &str, value: &str) -> Option<String> {
    let shared = shared(&[(field, value), ("snmp.sysname", "depot-7"), ("upnp.serialnumber", "K1234567")]);
    shared.into_iter().find(|(found, _)| found == field).map(|(_, value)| value)
}

#[test]
fn only_devices_that_are_not_fully_named_are_written() {
    assert!(lines(vec![identified()]).is_empty());
    let mut half = device(&[("http.server", "Frobnicator/3")]);
    half.attributes = vec![claim("device.vendor", "Axis", 0.9), claim("device.type", "camera", 0.4)];
    half.attributes.push(claim("device.serial", "K1234567", 0.9));
    let mut silent = device(&[]);
    silent.statements.clear();
    let lines = lines(vec![silent, half]);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["id"], "1");
    assert_eq!(lines[0]["missing"], serde_json::json!(["device.type", "device.product"]));
    assert_eq!(lines[0]["known"]["device.type"]["confidence"], 0.4);
    assert_eq!(lines[0]["known"].get("device.serial"), None);
}

#[test]
fn what_tells_whose_it_is_is_taken_out() {
    for (field, value, expected) in [
        (
            "ftp",
            "vault-cam.corp.example FTP server (Version 6.4) ready.",
            "<name> FTP server (Version 6.4) ready.",
        ),
        ("telnet", "VAULT-CAM login:", "<name> login:"),
        ("telnet", "Vault-Camera login:", "Vault-Camera login:"),
        ("http.title", "Camera AXIS-00408C1234AB", "Camera AXIS-<mac>"),
        ("http.title", "unit 1234ab", "unit <mac>"),
        ("http.title", "NIC 00-1b-44-11-3a-b7, 001b.4411.3ab7, 001B44113AB8", "NIC <mac>, <mac>, <mac>"),
        ("http.location", "http://192.168.10.31:8080/login", "http://<ip>/login"),
        (
            "http.title",
            "at 192.168.77.2, or 10.20.0.3, v5.6.7.8 or 10.5.2.0",
            "at <ip>, or <ip>, v5.6.7.8 or 10.5.2.0",
        ),
        ("http.title", "fe80::1:2ff:fe03:4", "<ip>"),
        ("http.title", "mail root@corp.example", "mail <mail>"),
        ("http.title", "S/N: ACME-9981, model X-20", "<serial>, model X-20"),
        ("http.title", "K1234567 at depot-7", "<serial> at <name>"),
        ("http.title", "build 123456789012345", "build <serial>"),
        ("tls.subject", "CN=9f7ae0c1-0000-4000-8000-00408c1234ab,O=Acme", "CN=<uuid>,O=Acme"),
        ("http.set_cookie", "SESSION=d41d8cd98f00b204; path=/", "SESSION="),
        ("mdns.txt", "ty=Acme Cam 7", "ty=Acme Cam 7"),
        ("printer.device_id", "MFG:Acme;SN:77;MDL:P1;", "MFG:Acme;MDL:P1;"),
        ("http.favicon.md5", "d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e"),
        ("snmp.sysobjectid", "1.3.6.1.4.1.368.4.1", "1.3.6.1.4.1.368.4.1"),
        ("snmp.sysdescr", "Acme P1 firmware 20240131", "Acme P1 firmware 20240131"),
    ] {
        assert_eq!(one(field, value).as_deref(), Some(expected), "{field} {value}");
    }
}

#[test]
fn fields_of_one_device_alone_are_left_out() {
    for (field, value) in [
        ("snmp.sysname", "depot-7"),
        ("snmp.engineid", "8000017003001122334455"),
        ("tls.sha256", "aa"),
        ("tls.san", "cam.corp.example"),
        ("ssh.hostkey.sha256", "aa"),
        ("upnp.udn", "uuid:1"),
        ("upnp.friendlyname", "Lobby"),
        ("mdns.name", "Lobby"),
        ("mdns.txt", "deviceid=00:11"),
        ("mdns.txt", "note=Room 7"),
        ("wsd.scope", "onvif://www.onvif.org/location/city/x"),
        ("http.body", "<html>"),
        ("ubiquiti.essid", "corp"),
        ("snmp.community", "public"),
        ("a.field.of.tomorrow", "x"),
    ] {
        assert_eq!(one(field, value), None, "{field}");
    }
}

#[test]
fn hostile_values_stay_within_a_line() {
    let shared = shared(&[("telnet", "\u{1b}]0;x\u{7}\n\u{202e}login:")]);
    assert_eq!(shared.len(), 1);
    let mut out = Vec::new();
    let document = Document::new(run(), vec![device(&[("telnet", "\u{1b}[2J\nlogin:")])], Default::default());
    unknown(&document, &mut out).unwrap();
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert!(!out.contains(&0x1b));
}
