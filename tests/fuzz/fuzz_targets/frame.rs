//! Whole frames. The IPv4 checksum is set right first, or hardly any input would pass it.

#![no_main]

use headcount_wire::{checksum, frame, ipv4::field};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = frame::parse(bytes).map(|frame| frame.to_string());
    let mut bytes = bytes.to_vec();
    if let Some(packet) = bytes.get_mut(frame::NETWORK..).filter(|packet| packet.len() >= 20) {
        let header_len = (usize::from(packet[0] & 0x0f) * 4).clamp(20, packet.len());
        packet[field::CHECKSUM].fill(0);
        let sum = checksum::internet(&[&packet[..header_len]]);
        packet[field::CHECKSUM].copy_from_slice(&sum.to_be_bytes());
    }
    let _ = frame::parse(&bytes).map(|frame| frame.to_string());
});
