use headcount_wire::dns::{FLAG_AUTHORITATIVE, FLAG_RESPONSE};

use super::*;
use crate::transcript::{Line::*, context, play, said};

fn record(name: &str, data: RecordData) -> Record {
    Record { name: name.to_owned(), class: CLASS_IN, ttl: 10, data }
}

fn ptr(name: &str, target: &str) -> Record {
    record(name, RecordData::Ptr(target.to_owned()))
}

fn srv(name: &str, target: &str) -> Record {
    record(name, RecordData::Srv { priority: 0, weight: 0, port: 80, target: target.to_owned() })
}

fn txt(name: &str, strings: &[&str]) -> Record {
    record(name, RecordData::Txt(strings.iter().map(|text| text.as_bytes().to_vec()).collect()))
}

fn a(name: &str, last: u8) -> Record {
    record(name, RecordData::A(Ipv4Addr::new(192, 0, 2, last)))
}

fn answer(id: u16, answers: Vec<Record>) -> Vec<u8> {
    let flags = FLAG_RESPONSE | FLAG_AUTHORITATIVE;
    let mut out = Vec::new();
    Message { id, flags, answers, ..Message::default() }.emit(&mut out);
    out
}

fn id() -> u16 {
    context(5353).id()
}

fn sorted(mut said: Vec<(String, String)>) -> Vec<(String, String)> {
    said.sort();
    said
}

const PRINTER: &str = "HP LaserJet M404 \\(A1B2C3\\)._ipp._tcp.local";

#[test]
fn follows_types_to_instances_to_records() {
    let types =
        answer(0, vec![ptr(SERVICE_TYPES, "_ipp._tcp.local"), ptr(SERVICE_TYPES, "_http._tcp.local")]);
    let instances = answer(
        id(),
        vec![ptr("_ipp._tcp.local", PRINTER), ptr("_http._tcp.local", "HP LaserJet._http._tcp.local")],
    );
    let records = answer(
        id(),
        vec![
            srv("hp laserjet m404 \\(a1b2c3\\)._ipp._tcp.local", "NPIA1B2C3.local"),
            txt(PRINTER, &["ty=HP LaserJet M404", "usb_MFG=HP", ""]),
            srv("HP LaserJet._http._tcp.local", "NPIA1B2C3.local"),
            txt("HP LaserJet._http._tcp.local", &[""]),
            a("NPIA1B2C3.local", 7),
        ],
    );
    let first = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x09_services\x07_dns-sd\x04_udp\x05local\0\0\x0c\x80\x01";
    let lines =
        [Sends(first), Receives(&types), SendsAny, Receives(&instances), SendsAny, Receives(&records), Quiet];
    let outcome = play(&PROBE, &context(5353), &lines);
    let expected = said(&[
        ("mdns.address", "192.0.2.7"),
        ("mdns.host", "npia1b2c3.local"),
        ("mdns.name", "HP LaserJet"),
        ("mdns.name", "HP LaserJet M404 (A1B2C3)"),
        ("mdns.service", "_http._tcp"),
        ("mdns.service", "_ipp._tcp"),
        ("mdns.txt", "ty=HP LaserJet M404"),
        ("mdns.txt", "usb_MFG=HP"),
    ]);
    assert_eq!(sorted(outcome.said), expected);
    assert!(outcome.done);
}

#[test]
fn reads_the_model_of_a_device() {
    let types = answer(0, vec![ptr(SERVICE_TYPES, "_workstation._tcp.local")]);
    let name = "mac \\[02:00:00:00:00:01\\]._workstation._tcp.local";
    let all = answer(
        id(),
        vec![
            ptr("_workstation._tcp.local", name),
            srv(name, "mac.local"),
            txt(name, &["x=1"]),
            txt("mac \\[02:00:00:00:00:01\\]._device-info._tcp.local", &["model=Macmini8,1", "osxvers=20"]),
            a("mac.local", 7),
        ],
    );
    let outcome = play(&PROBE, &context(5353), &[SendsAny, Receives(&types), SendsAny, Receives(&all)]);
    assert!(outcome.done);
    for expected in said(&[
        ("mdns.device_info", "model=Macmini8,1"),
        ("mdns.workstation", "mac [02:00:00:00:00:01]"),
        ("mdns.host", "mac.local"),
    ]) {
        assert!(outcome.said.contains(&expected), "{expected:?}");
    }
}

#[test]
fn what_belongs_to_another_host_is_left_out() {
    let types = answer(0, vec![ptr(SERVICE_TYPES, "_ssh._tcp.local")]);
    let all = answer(
        id(),
        vec![
            ptr("_ssh._tcp.local", "own._ssh._tcp.local"),
            ptr("_ssh._tcp.local", "other._ssh._tcp.local"),
            srv("own._ssh._tcp.local", "own.local"),
            txt("own._ssh._tcp.local", &["a=1"]),
            srv("other._ssh._tcp.local", "other.local"),
            txt("other._ssh._tcp.local", &["b=2"]),
            a("own.local", 7),
            a("other.local", 8),
        ],
    );
    let outcome = play(
        &PROBE,
        &context(5353),
        &[SendsAny, Receives(&types), SendsAny, Receives(&all), SendsAny, Quiet],
    );
    let expected = said(&[
        ("mdns.address", "192.0.2.7"),
        ("mdns.host", "own.local"),
        ("mdns.name", "own"),
        ("mdns.service", "_ssh._tcp"),
        ("mdns.txt", "a=1"),
    ]);
    assert_eq!(sorted(outcome.said), expected);
}

#[test]
fn a_host_that_does_not_list_its_types_is_asked_for_the_usual_ones() {
    let cast = answer(
        id(),
        vec![
            ptr("_googlecast._tcp.local", "Chromecast-1._googlecast._tcp.local"),
            srv("Chromecast-1._googlecast._tcp.local", "1.local"),
            txt("Chromecast-1._googlecast._tcp.local", &["md=Chromecast"]),
        ],
    );
    let mut lines = vec![SendsAny, Quiet, SendsAny, Receives(&cast), Quiet, SendsAny, Quiet];
    // The address is asked for once more, alone; the other types are not.
    lines.extend([SendsAny, Quiet]);
    let outcome = play(&PROBE, &context(5353), &lines);
    let expected = said(&[
        ("mdns.host", "1.local"),
        ("mdns.name", "Chromecast-1"),
        ("mdns.service", "_googlecast._tcp"),
        ("mdns.txt", "md=Chromecast"),
    ]);
    assert_eq!(sorted(outcome.said), expected);
    let mut silent = vec![SendsAny, Quiet];
    silent.extend([SendsAny, Quiet]);
    for _ in 0..20 {
        silent.push(Receives(&[]));
    }
    assert!(play(&PROBE, &context(5353), &silent).said.is_empty());
}

#[test]
fn a_peer_that_names_ever_more_is_left() {
    let mut lines = vec![SendsAny];
    let answers: Vec<Vec<u8>> = (0..8)
        .map(|round| {
            let names = (0..12).map(|n| ptr(SERVICE_TYPES, &format!("_s{round}x{n}._tcp.local")));
            let instances = (0..12).map(|n| ptr("_s._tcp.local", &format!("i{round}x{n}._s._tcp.local")));
            answer(0, names.chain(instances).collect())
        })
        .collect();
    lines.extend(answers.iter().map(|bytes| Receives(bytes)));
    lines.push(Closes);
    let outcome = play(&PROBE, &context(5353), &lines);
    assert!(outcome.said.len() <= 3 * MOST_RECORDS && outcome.done);
}

#[test]
fn names_are_parted_and_plain() {
    assert_eq!(service_of("A.b\\.c._ipp._tcp.local"), Some(("A.b\\.c", "_ipp._tcp")));
    assert_eq!(service_of("_ipp._tcp.LOCAL"), Some(("", "_ipp._tcp")));
    for name in ["local", "_tcp.local", "a.local", "._tcp.local", "x._tcp.local", "_ipp._tcp.example"] {
        assert_eq!(service_of(name), None, "{name}");
    }
    assert_eq!(plain("a\\.b\\\\c\\010\\255\\9"), b"a.b\\c\n\xff9");
    assert_eq!(plain("\\"), b"\\");
}

#[test]
fn questions_and_strangers_say_nothing() {
    let query = query(0, [(SERVICE_TYPES, RecordType::Ptr)]);
    let other = answer(0x7777, vec![ptr(SERVICE_TYPES, "_ipp._tcp.local")]);
    let lines = [SendsAny, Receives(&query), Receives(&other), Receives(b"\0"), Closes];
    assert!(play(&PROBE, &context(5353), &lines).said.is_empty());
}
