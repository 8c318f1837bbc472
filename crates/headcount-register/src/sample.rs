//! Runs and devices for tests.

use std::{collections::BTreeSet, net::Ipv4Addr};

use headcount_model::{AddressSet, Run, SegmentRecord, Timestamp};
use serde_json::json;

use crate::{Fact, Key, KeyKind, Sighting};

const DAY: i64 = 86_400_000_000;

/// A run over 10.0.0.0/24 on this day, in which somebody answered.
pub(crate) fn run(day: i64) -> Run {
    let at = Timestamp::from_micros(day * DAY);
    let addresses: AddressSet = (0..=255).map(|last| Ipv4Addr::new(10, 0, 0, last)).collect();
    let segment: SegmentRecord = serde_json::from_value(json!({
        "id": 1, "kind": "attached", "interface": "eth0", "gateway": null, "source": null, "source_mac": null,
        "addresses": addresses, "asked": 256, "present": 3, "phantoms": 0, "unreachable": 0, "passes": 2,
        "control_loss": 0.0, "controls_asked": 9, "miss_chance": 0.0, "complete": true
    }))
    .unwrap();
    let mut run: Run = serde_json::from_value(json!({
        "id": format!("run-{day}"), "version": "0", "command": [], "host": null, "privilege": "raw", "seed": 1,
        "started": at, "ended": at, "scope": { "allowed": addresses, "excluded": [] }, "methods": [],
        "skipped": [], "ports": "80", "udp_ports": "",
        "rates": { "profile": "standard", "total": 1.0, "per_host": 1.0, "broadcast": 1.0, "backed_off": 0 },
        "segments": [], "counters": {
            "sent": 0, "received": 0, "foreign": 0, "malformed": 0, "delayed": 0, "dropped": 0, "lookups": 0
        },
        "completeness": { "complete": true, "why": null, "miss_chance": null }
    }))
    .unwrap();
    run.segments.push(segment);
    run
}

/// A device with the MAC address 00:11:22:00:00:`mac` on 10.0.0.`last`.
pub(crate) fn device(mac: u8, last: u8) -> Sighting {
    let key = Key { kind: KeyKind::Mac, value: format!("00:11:22:00:00:{mac:02x}") };
    Sighting {
        device: format!("d{mac}"),
        keys: BTreeSet::from([key]),
        addresses: BTreeSet::from([Ipv4Addr::new(10, 0, 0, last)]),
        ..Sighting::default()
    }
}

/// The same with an attribute.
pub(crate) fn is(mut sighting: Sighting, name: &str, value: &str) -> Sighting {
    sighting.facts.insert(name.to_owned(), Fact { value: value.to_owned(), confidence: 0.9 });
    sighting
}
