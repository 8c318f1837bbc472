//! SNMPv3 reports and answers to requests with a community.

#![no_main]

use headcount_wire::snmp::{Report, Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(response) = Response::parse(bytes) {
        let mut out = Vec::new();
        response.emit(&mut out);
        assert_eq!(Response::parse(&out), Ok(response));
    }
    let Ok(report) = Report::parse(bytes) else { return };
    let _ = report.to_string();
    let mut out = Vec::new();
    report.emit(&mut out);
    // A message ID is written with 31 bits.
    let written = Report { message_id: report.message_id & 0x7fff_ffff, ..report };
    assert_eq!(Report::parse(&out), Ok(written));
});
