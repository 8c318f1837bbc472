//! DNS messages.

#![no_main]

use headcount_wire::dns::{MAX_LEN, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut value) = Message::parse(bytes) else { return };
    let _ = value.to_string();
    let mut out = Vec::new();
    value.emit(&mut out);
    // Without compression it may outgrow the format.
    if out.len() <= MAX_LEN {
        // What was lost is not written.
        value.lost = 0;
        assert_eq!(Message::parse(&out), Ok(value));
    }
});
