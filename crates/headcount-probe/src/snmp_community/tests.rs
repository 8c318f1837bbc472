use super::*;
use crate::transcript::{Line::*, context, play, said};

const FIRST: i64 = 2;

fn answer(version: Version, id: i64, error: (i64, i64), values: &[(&[u32], Value)]) -> Vec<u8> {
    let bindings = values
        .iter()
        .map(|(below, value)| Binding { name: [&MIB[..], below].concat(), value: value.clone() })
        .collect();
    let response = Response {
        version,
        community: b"public".to_vec(),
        id,
        error_status: error.0,
        error_index: error.1,
        bindings,
    };
    let mut out = Vec::new();
    response.emit(&mut out);
    out
}

fn text(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

/// The number of the question asked first, counted on with each further one.
fn id(nth: i64) -> i64 {
    i64::from(context(161).id()) + FIRST + nth - 1
}

#[test]
fn reads_a_switch_by_version_2c() {
    let system = answer(
        Version::V2c,
        id(0),
        (0, 0),
        &[
            (&[1, 1, 0], text("Cisco IOS Software, C2960 Software\r\n")),
            (&[1, 2, 0], Value::Name(vec![1, 3, 6, 1, 4, 1, 9, 1, 1208])),
            (&[1, 3, 0], Value::Unsigned(12_345)),
            (&[1, 4, 0], text("")),
            (&[1, 5, 0], text("sw1\0")),
            (&[1, 6, 0], Value::Missing),
            (&[1, 7, 0], Value::Integer(6)),
        ],
    );
    let others = answer(
        Version::V2c,
        id(1),
        (0, 0),
        &[
            (&[25, 3, 2, 1, 3, 768], text("cpu")),
            (&[99, 1], text("x")),
            (&[33, 1, 1, 2, 0], text("the next column")),
        ],
    );
    let rows: Vec<Vec<u8>> = (0..3)
        .map(|row| {
            let index = 1000 + row as u32;
            answer(
                Version::V2c,
                id(2 + row),
                (0, 0),
                &[
                    (&[47, 1, 1, 1, 1, 2, index], text("WS-C2960X-48TS-L")),
                    (&[47, 1, 1, 1, 1, 5, index], Value::Integer(3)),
                ],
            )
        })
        .collect();
    let mut lines = vec![SendsAny, Receives(&system), SendsAny, Receives(&others)];
    for row in &rows {
        lines.extend([SendsAny, Receives(row)]);
    }
    let outcome = play(&PROBE, &context(161), &lines);
    let mut expected = said(&[
        ("snmp.community", "public"),
        ("snmp.sysdescr", "Cisco IOS Software, C2960 Software"),
        ("snmp.sysobjectid", "1.3.6.1.4.1.9.1.1208"),
        ("snmp.sysuptime", "12345"),
        ("snmp.sysname", "sw1"),
        ("snmp.sysservices", "6"),
    ]);
    for _ in 0..3 {
        expected
            .extend(said(&[("snmp.entphysicaldescr", "WS-C2960X-48TS-L"), ("snmp.entphysicalclass", "3")]));
    }
    assert_eq!(outcome.said, expected);
    assert!(outcome.done);
}

#[test]
fn falls_back_to_version_1_where_a_missing_value_loses_no_other() {
    let missing = answer(Version::V1, id(1), (NO_SUCH_NAME, 6), &[]);
    let system = answer(Version::V1, id(2), (0, 0), &[(&[1, 1, 0], text("APC Web/SNMP Management Card"))]);
    let lost = answer(Version::V1, id(3), (NO_SUCH_NAME, 1), &[]);
    let ups = answer(
        Version::V1,
        id(4),
        (0, 0),
        &[
            (&[43, 5, 1, 1, 17, 1], text("XYZ12345")),
            (&[33, 1, 1, 1, 0], text("American Power Conversion")),
            (&[33, 1, 1, 2, 0], text("Smart-UPS 1500")),
        ],
    );
    let lines = [
        SendsAny,
        Quiet,
        SendsAny,
        Receives(&missing),
        SendsAny,
        Receives(&system),
        SendsAny,
        Receives(&lost),
        SendsAny,
        Receives(&ups),
        SendsAny,
        Quiet,
    ];
    let outcome = play(&PROBE, &context(161), &lines);
    let expected = said(&[
        ("snmp.community", "public"),
        ("snmp.sysdescr", "APC Web/SNMP Management Card"),
        ("snmp.prtserial", "XYZ12345"),
        ("snmp.upsident.manufacturer", "American Power Conversion"),
        ("snmp.upsident.model", "Smart-UPS 1500"),
    ]);
    assert_eq!(outcome.said, expected);
}

#[test]
fn what_is_too_big_is_asked_in_halves() {
    let big = answer(Version::V2c, id(0), (TOO_BIG, 0), &[]);
    let first = answer(Version::V2c, id(1), (0, 0), &[(&[1, 1, 0], text("HP ETHERNET MULTI-ENVIRONMENT"))]);
    let second = answer(Version::V2c, id(2), (0, 0), &[(&[1, 5, 0], text("NPI12"))]);
    let lines = [SendsAny, Receives(&big), SendsAny, Receives(&first), SendsAny, Receives(&second)];
    let outcome = play(&PROBE, &context(161), &lines);
    assert_eq!(
        outcome.said[1..],
        said(&[("snmp.sysdescr", "HP ETHERNET MULTI-ENVIRONMENT"), ("snmp.sysname", "NPI12")])
    );
}

#[test]
fn without_a_community_nothing_is_asked() {
    let silent = crate::Context { community: None, ..context(161) };
    assert!(play(&PROBE, &silent, &[]).done);
}

#[test]
fn a_wrong_community_is_two_silences() {
    let outcome = play(&PROBE, &context(161), &[SendsAny, Quiet, SendsAny, Quiet]);
    assert!(outcome.said.is_empty() && outcome.done);
}

#[test]
fn an_agent_that_stands_still_or_errs_for_ever_is_left() {
    let mut lines = vec![SendsAny];
    let answers: Vec<Vec<u8>> =
        (0..30).map(|nth| answer(Version::V2c, id(nth), (GENERAL_ERROR, 1), &[])).collect();
    for bytes in &answers {
        lines.extend([Receives(bytes)]);
    }
    let outcome = play(&PROBE, &context(161), &lines);
    assert_eq!(outcome.said, said(&[("snmp.community", "public")]));
    let other = answer(Version::V2c, id(7), (0, 0), &[(&[1, 1, 0], text("x"))]);
    assert!(play(&PROBE, &context(161), &[SendsAny, Receives(&other)]).said.is_empty(), "another number");
}
