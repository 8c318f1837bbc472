//! The Internet checksum (RFC 1071) and its update in place (RFC 1624).

use std::net::Ipv4Addr;

/// The checksum over all parts as if they lay end to end, ready to be written into a header whose own checksum
/// field was zero. Over bytes that hold a right checksum it is 0.
pub fn internet(parts: &[&[u8]]) -> u16 {
    let mut sum = 0;
    let mut odd = false;
    for part in parts {
        let part_sum = fold(sum_words(part));
        // A part that starts at an odd offset counts with its bytes swapped (RFC 1071, section 2 (B)).
        sum += u64::from(if odd { part_sum.swap_bytes() } else { part_sum });
        odd ^= part.len() % 2 == 1;
    }
    !fold(sum)
}

/// The checksum of a TCP or UDP segment with its IPv4 pseudo header (RFC 9293, section 3.1; RFC 768). The segment
/// is at most 65,515 bytes; `protocol` is its number in the IPv4 header. UDP writes a result of 0 as `0xffff`.
pub fn transport_v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, segment: &[u8]) -> u16 {
    let pseudo = u64::from(source.to_bits())
        + u64::from(destination.to_bits())
        + u64::from(protocol)
        + segment.len() as u64;
    !fold(pseudo + sum_words(segment))
}

/// The checksum after one aligned 16-bit word below it changed (RFC 1624, equation 3). `old_sum` is the checksum
/// as written in the header; all values are in host order.
pub fn update(old_sum: u16, old_word: u16, new_word: u16) -> u16 {
    !fold(u64::from(!old_sum) + u64::from(!old_word) + u64::from(new_word))
}

/// The plain sum of big-endian words, an odd last byte padded with zero. Words of 32 bits give the same folded
/// result as words of 16 bits, at half the additions.
fn sum_words(bytes: &[u8]) -> u64 {
    let mut chunks = bytes.chunks_exact(4);
    let mut sum = 0;
    for chunk in &mut chunks {
        sum += u64::from(u32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
    }
    let mut last = [0; 4];
    let rest = chunks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    sum + u64::from(u32::from_be_bytes(last))
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
