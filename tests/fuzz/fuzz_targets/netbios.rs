//! NetBIOS node status responses.

#![no_main]

use headcount_wire::netbios::NodeStatus;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = NodeStatus::parse(bytes) else { return };
    let _ = value.to_string();
    let mut out = Vec::new();
    value.emit(&mut out);
    assert_eq!(NodeStatus::parse(&out), Ok(value));
});
