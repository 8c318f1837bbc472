//! Ethernet headers.

#![no_main]

use headcount_wire::ethernet::Header;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok((value, _)) = Header::parse(bytes) else { return };
    let _ = value.to_string();
    let mut buf = vec![0; value.len()];
    value.emit(&mut buf);
    assert_eq!(Header::parse(&buf).map(|(value, _)| value), Ok(value));
});
