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
#[inline]
fn sum_words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let sum: u64 = words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum();
    let last = match *rest {
        [a, b, c] => [a, b, c, 0],
        [a, b] => [a, b, 0, 0],
        [a] => [a, 0, 0, 0],
        _ => [0; 4],
    };
    sum + u64::from(u32::from_be_bytes(last))
}

#[inline]
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of RFC 1071, section 3: the sum is `ddf2`.
    #[test]
    fn the_example_of_the_rfc() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(internet(&[&bytes]), !0xddf2);
        assert_eq!(internet(&[&bytes[..3], &bytes[3..4], &bytes[4..]]), !0xddf2);
        assert_eq!(internet(&[]), 0xffff);
    }

    /// The example of RFC 1624, section 4: the older equation gives `ffff` here.
    #[test]
    fn an_update_keeps_the_right_zero() {
        assert_eq!(update(0xdd2f, 0x5555, 0x3285), 0x0000);
    }

    proptest! {
        #[test]
        fn parts_are_as_good_as_the_whole(bytes: Vec<u8>, cuts: [prop::sample::Index; 2]) {
            let mut cuts = cuts.map(|cut| cut.index(bytes.len() + 1));
            cuts.sort_unstable();
            let (parts, c) = bytes.split_at(cuts[1]);
            let (a, b) = parts.split_at(cuts[0]);
            prop_assert_eq!(internet(&[a, b, c]), internet(&[&bytes]));
        }

        #[test]
        fn an_update_is_as_good_as_a_new_sum(mut words in prop::collection::vec(any::<u16>(), 1..40), at: prop::sample::Index, new: u16) {
            // A header is never all zeros, where the sum has two right values.
            words.push(0x4500);
            let sum = |words: &[u16]| {
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
                internet(&[&bytes])
            };
            let before = sum(&words);
            let at = at.index(words.len() - 1);
            let updated = update(before, words[at], new);
            words[at] = new;
            prop_assert_eq!(updated, sum(&words));
        }
    }
}
