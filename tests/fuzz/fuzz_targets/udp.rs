//! UDP datagrams.

#![no_main]

use std::net::Ipv4Addr;

use headcount_wire::udp::Datagram;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = Datagram::parse(bytes) else { return };
    let _ = value.to_string();
    let (source, destination) = (Ipv4Addr::LOCALHOST, Ipv4Addr::BROADCAST);
    let mut buf = vec![0; value.len()];
    value.emit(&mut buf, source, destination);
    assert_eq!(Datagram::parse(&buf), Ok(value));
});
