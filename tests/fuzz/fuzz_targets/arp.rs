//! ARP packets.

#![no_main]

use headcount_wire::arp::Packet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = Packet::parse(bytes) else { return };
    let _ = value.to_string();
    let mut buf = vec![0; value.len()];
    value.emit(&mut buf);
    assert_eq!(Packet::parse(&buf), Ok(value));
});
