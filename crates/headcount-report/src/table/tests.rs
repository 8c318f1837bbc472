use headcount_model::{Completeness, Method, Reason};
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::tests::{Sketch, example, table_of};

fn widest(table: &str) -> usize {
    table.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
}

#[test]
fn at_80_columns() {
    insta::assert_snapshot!(table_of(&example(), Some(80)));
}

#[test]
fn at_100_columns() {
    insta::assert_snapshot!(table_of(&example(), Some(100)));
}

#[test]
fn at_120_columns() {
    insta::assert_snapshot!(table_of(&example(), Some(120)));
}

#[test]
fn at_160_columns() {
    insta::assert_snapshot!(table_of(&example(), Some(160)));
}

#[test]
fn for_a_file() {
    insta::assert_snapshot!(table_of(&example(), None));
}

#[test]
fn every_width_is_kept() {
    for width in 60..=240 {
        assert!(widest(&table_of(&example(), Some(width))) <= usize::from(width), "{width}");
    }
    // Too narrow for columns: the terminal breaks the lines.
    assert!(widest(&table_of(&example(), Some(1))) <= NARROWEST);
}

#[test]
fn colours_only_repeat_the_words() {
    let options = TableOptions { color: true, width: Some(100), unicode: true };
    let mut coloured = Vec::new();
    table(&example(), &options, &mut coloured).unwrap();
    let coloured = String::from_utf8(coloured).unwrap();
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_ne!(plain, coloured);
    assert_eq!(plain, table_of(&example(), Some(100)));
}

#[test]
fn ascii_is_ascii() {
    let options = TableOptions { color: false, width: Some(80), unicode: false };
    let mut out = Vec::new();
    table(&example(), &options, &mut out).unwrap();
    assert!(out.is_ascii());
}

#[test]
fn an_interrupted_run_without_devices() {
    let mut document = example();
    document.devices.clear();
    document.findings = Default::default();
    document.run.completeness =
        Completeness { complete: false, why: Some("interrupted".to_owned()), miss_chance: None };
    document.run.skipped.clear();
    for segment in &mut document.run.segments {
        (segment.present, segment.phantoms, segment.unreachable) = (0, 0, 0);
        segment.complete = false;
    }
    insta::assert_snapshot!(table_of(&document, Some(80)));
}

#[test]
fn names_in_any_script_keep_the_columns() {
    let mut document = example();
    document.devices = ["会議室のプリンタ.本社.example", "Büro-Müller", "принтер"]
        .into_iter()
        .map(|name| {
            Sketch {
                segment: 0,
                mac: Some("00:00:0c:00:00:01"),
                maker: Some("Müller & Söhne Gerätebau GmbH & Co. Kommanditgesellschaft"),
                addresses: &["192.168.10.9"],
                names: &[name],
                reasons: &[(Method::Arp, Reason::ArpReply)],
                open: &[(80, "http")],
                closed: "",
            }
            .device()
        })
        .collect();
    insta::assert_snapshot!(table_of(&document, Some(80)));
}
