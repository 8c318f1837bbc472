//! ICMP messages.

#![no_main]

use headcount_wire::icmpv4::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = Message::parse(bytes) else { return };
    let _ = value.to_string();
    let mut buf = vec![0; value.len()];
    value.emit(&mut buf);
    assert_eq!(Message::parse(&buf), Ok(value));
});
