//! IPv4 headers. The checksum is set right first, or hardly any input would pass it.

#![no_main]

use headcount_wire::{
    checksum,
    ipv4::{Header, field},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Header::parse(bytes);
    let mut bytes = bytes.to_vec();
    let header_len = bytes.first().map_or(0, |first| usize::from(first & 0x0f) * 4);
    if header_len >= 20 && bytes.len() >= header_len {
        bytes[field::CHECKSUM].fill(0);
        let sum = checksum::internet(&[&bytes[..header_len]]);
        bytes[field::CHECKSUM].copy_from_slice(&sum.to_be_bytes());
    }
    let Ok((header, payload)) = Header::parse(&bytes) else { return };
    let _ = header.to_string();
    assert_eq!(payload.len(), usize::from(header.payload_len));
    // Options are not written again, so there is always room for the payload.
    let mut buf = vec![0; header.len()];
    header.emit(&mut buf);
    buf.extend(payload);
    assert_eq!(Header::parse(&buf), Ok((header, payload)));
});
