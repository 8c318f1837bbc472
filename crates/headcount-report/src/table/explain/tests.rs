use headcount_model::{Raw, Transport};
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::tests::{HOSTILE, example, identified};

fn explained(device: &Device, width: Option<u16>) -> String {
    let options = TableOptions { color: false, width, unicode: true };
    let source = |id: &str| (id == "http.server/synology").then(|| "the maker's manual".to_owned());
    let mut out = Vec::new();
    explain(device, &Explaining { source: &source }, &options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_chain_is_told_from_the_bytes_on() {
    insta::assert_snapshot!(explained(&identified(), Some(80)));
}

#[test]
fn a_silent_device_is_told_what_to_ask() {
    let device = example().devices.remove(0);
    insta::assert_snapshot!(explained(&device, Some(100)));
}

#[test]
fn devices_are_found_by_all_that_names_them() {
    let document = example();
    for wanted in [
        "00:11:32:ab:cd:ef",
        "00-11-32-AB-CD-EF",
        "192.168.10.21",
        "BACKUP.office.example",
        "backup.office.example.",
    ] {
        let found: Vec<&str> = find(&document, wanted).iter().map(|device| device.id.as_str()).collect();
        assert_eq!(found, ["00:11:32:ab:cd:ef"], "{wanted}");
    }
    for wanted in ["", "192.168.10.2", "backup", "00:11"] {
        assert!(find(&document, wanted).is_empty(), "{wanted}");
    }
}

#[test]
fn hostile_text_is_written_out_and_the_width_is_kept() {
    let mut device = identified();
    device.id = HOSTILE.to_owned();
    for attribute in &mut device.attributes {
        (attribute.name, attribute.value) = (HOSTILE.to_owned(), HOSTILE.repeat(20));
        for evidence in &mut attribute.evidence {
            (evidence.fingerprint, evidence.field) = (HOSTILE.to_owned(), HOSTILE.to_owned());
            evidence.value = Raw(b"\xff\x1b[2J".repeat(90));
        }
    }
    for exposure in &mut device.exposures {
        (exposure.title, exposure.remedy) = (HOSTILE.to_owned(), HOSTILE.to_owned());
        exposure.controls = vec![HOSTILE.to_owned()];
    }
    device.folded =
        vec![FoldReason { key: HOSTILE.to_owned(), value: HOSTILE.to_owned(), addresses: vec![] }];
    for width in [60, 80, 200] {
        let text = explained(&device, Some(width));
        assert!(!text.chars().any(|c| escape::is_hidden(c) && c != '\n'), "{text}");
        assert!(text.lines().all(|line| line.width() <= usize::from(width)), "{text}");
    }
}

#[test]
fn an_open_port_without_an_answer_is_a_hint() {
    let mut device = identified();
    device.statements.clear();
    assert!(settle::hints(&device).iter().any(|hint| hint.starts_with("HTTP: port 80/tcp")));
    device.services.clear();
    assert!(!settle::hints(&device).iter().any(|hint| hint.starts_with("HTTP")));
    assert_eq!(
        place(Endpoint { address: [10, 0, 0, 1].into(), transport: Transport::Udp, port: 161 }),
        "10.0.0.1:161/udp"
    );
}
