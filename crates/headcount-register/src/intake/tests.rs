use std::net::Ipv4Addr;

use headcount_model::{Grade, Transport};

use super::*;
use crate::{
    KeyKind, ServiceAt, Software,
    sample::{device, is, run},
};

const WEB: ServiceAt = ServiceAt { transport: Transport::Tcp, port: 80 };

fn open(mut sighting: Sighting) -> Sighting {
    sighting.services.insert(WEB, Software::default());
    sighting
}

/// A register in memory.
#[derive(Default)]
struct Book(View);

impl Book {
    /// Takes a run in and gives its changes as words, the asset left out.
    fn take(&mut self, run: &Run, sightings: &[Sighting]) -> Vec<String> {
        let intake = take_in(run, sightings, &self.0);
        for (from, _) in &intake.merged {
            self.0.assets.remove(from);
        }
        for asset in intake.assets {
            self.0.assets.insert(asset.id.clone(), asset);
        }
        self.0.pins.shared.extend(intake.shared);
        intake.changes.iter().map(|change| serde_json::to_value(&change.what).unwrap().to_string()).collect()
    }
}

#[test]
fn a_change_is_reported_once_and_no_change_never() {
    let mut book = Book::default();
    let camera = open(is(device(1, 5), "device.version", "5.4"));
    let new = book.take(&run(1), std::slice::from_ref(&camera));
    assert_eq!(new, [r#"{"because":"appeared","what":"appeared"}"#]);
    assert!(book.take(&run(2), std::slice::from_ref(&camera)).is_empty());
    // An answer was lost: what is not seen is not gone.
    assert!(book.take(&run(3), &[device(1, 5)]).is_empty());
    assert!(book.take(&run(4), std::slice::from_ref(&camera)).is_empty());
    // That a version is told more exactly is none either.
    assert!(book.take(&run(5), &[open(is(device(1, 5), "device.version", "5.4.9"))]).is_empty());
    assert!(book.take(&run(6), std::slice::from_ref(&camera)).is_empty());
    let updated = book.take(&run(7), &[open(is(device(1, 5), "device.version", "5.40"))]);
    let wanted = r#"{"attribute":"device.version","from":"5.4.9","to":"5.40","what":"changed"}"#;
    assert_eq!(updated, [wanted]);
    let moved = book.take(&run(8), &[open(device(1, 77))]);
    assert_eq!(moved, [r#"{"from":["10.0.0.5"],"to":["10.0.0.77"],"what":"moved"}"#]);
    let mut closed = device(1, 77);
    closed.closed.insert(Transport::Tcp, [80].into_iter().collect());
    assert_eq!(
        book.take(&run(9), &[closed.clone()]),
        [r#"{"service":{"port":80,"transport":"tcp"},"what":"closed"}"#]
    );
    assert!(book.take(&run(10), &[closed]).is_empty());
}

#[test]
fn who_is_asked_and_does_not_answer_falls_silent_in_time() {
    let mut book = Book::default();
    let other = device(9, 9);
    book.take(
        &run(1),
        &[
            is(device(1, 5), "device.type", "switch"),
            is(device(2, 6), "device.type", "printer"),
            other.clone(),
        ],
    );
    let second = book.take(&run(2), std::slice::from_ref(&other));
    assert_eq!(second, [r#"{"misses":1,"what":"went-silent"}"#], "a switch may miss nothing");
    assert!(book.take(&run(3), std::slice::from_ref(&other)).is_empty());
    let fourth = book.take(&run(4), std::slice::from_ref(&other));
    assert_eq!(fourth, [r#"{"misses":3,"what":"went-silent"}"#], "a printer may sleep");
    let back = book.take(&run(5), &[other, device(1, 5)]);
    assert_eq!(back.len(), 1);
    assert!(back[0].contains("returned") && back[0].contains("run-1"), "{back:?}");
}

#[test]
fn nobody_is_missed_where_nobody_answered_or_nobody_was_asked() {
    let mut book = Book::default();
    book.take(&run(1), &[is(device(1, 5), "device.type", "switch")]);
    let mut dead = run(2);
    dead.segments[0].present = 0;
    assert!(book.take(&dead, &[]).is_empty());
    let mut cut = run(3);
    cut.segments[0].complete = false;
    assert!(book.take(&cut, &[]).is_empty());
    let mut elsewhere = run(4);
    elsewhere.segments[0].addresses = std::iter::once(Ipv4Addr::new(10, 9, 9, 9)).collect();
    assert!(book.take(&elsewhere, &[]).is_empty());
}

#[test]
fn exposures_come_at_once_and_go_when_they_are_not_seen_twice() {
    let mut book = Book::default();
    let exposed = |mut sighting: Sighting| {
        sighting.exposures.insert("snmp-public".to_owned(), Grade::NoAuthentication);
        sighting
    };
    let new = book.take(&run(1), &[exposed(device(1, 5))]);
    assert_eq!(new[1], r#"{"grade":"no-authentication","id":"snmp-public","what":"exposed"}"#);
    assert!(book.take(&run(2), &[device(1, 5)]).is_empty());
    assert!(book.take(&run(3), &[exposed(device(1, 5))]).is_empty(), "only the answer was lost");
    assert!(book.take(&run(4), &[device(1, 5)]).is_empty());
    assert_eq!(book.take(&run(5), &[device(1, 5)]), [r#"{"id":"snmp-public","what":"cleared"}"#]);
    assert_eq!(book.take(&run(6), &[exposed(device(1, 5))]).len(), 1);
}

#[test]
fn a_new_host_key_on_the_same_device_is_a_change() {
    let mut book = Book::default();
    let keyed = |value: &str| {
        let mut sighting = device(1, 5);
        sighting.keys.insert(Key { kind: KeyKind::SshHostKey, value: value.to_owned() });
        sighting
    };
    book.take(&run(1), &[keyed("aaaaa")]);
    let rekeyed = book.take(&run(2), &[keyed("bbbbb")]);
    assert_eq!(rekeyed, [r#"{"kind":"ssh-host-key","to":"bbbbb","what":"rekeyed"}"#]);
    assert!(book.take(&run(3), &[keyed("bbbbb")]).is_empty());
}

#[test]
fn two_rows_that_are_one_device_become_one() {
    let mut book = Book::default();
    book.take(&run(1), &[device(1, 5), device(2, 6)]);
    let mut both = device(1, 5);
    both.keys.extend(device(2, 6).keys);
    both.addresses.extend(device(2, 6).addresses);
    let merged = book.take(&run(2), std::slice::from_ref(&both));
    assert!(merged.iter().any(|change| change.contains(r#""what":"merged""#)), "{merged:?}");
    assert_eq!(book.0.assets.len(), 1);
    assert!(book.take(&run(3), &[both]).is_empty());
}

#[test]
fn a_sighting_comes_back_from_json() {
    let mut sighting = open(is(device(1, 5), "device.type", "camera"));
    sighting.closed.insert(Transport::Udp, [161, 162].into_iter().collect());
    let json = serde_json::to_string(&sighting).unwrap();
    assert_eq!(serde_json::from_str::<Sighting>(&json).unwrap(), sighting);
}
