//! A keyed permutation of `0..len`: every target once, in an order that spreads load over hosts and segments.

/// A keyed permutation of the numbers below `len`: a balanced Feistel network over the next even number of bits,
/// walked along its cycle until it lands below `len` (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
///
/// Any index can be computed by itself, so a run resumes or shards by index with no state but the key.
#[derive(Clone, Debug)]
pub struct Permutation {
    len: u64,
    half_bits: u32,
    mask: u64,
    keys: [u64; ROUNDS],
}

const ROUNDS: usize = 4;

impl Permutation {
    /// The permutation of `0..len` that belongs to `seed`.
    pub fn new(len: u64, seed: u64) -> Self {
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        let half_bits = bits.div_ceil(2).max(1);
        let keys =
            std::array::from_fn(|round| mix(seed ^ (round as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        Self { len, half_bits, mask: (1 << half_bits) - 1, keys }
    }

    /// How many numbers are permuted.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing to permute.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number at place `index`, which must be below `len`; below `len` itself, and each exactly once.
    pub fn at(&self, index: u64) -> u64 {
        debug_assert!(index < self.len, "index {index} of {}", self.len);
        let mut value = index;
        // The domain is less than four times `len`, so the walk is short: under four steps on average.
        loop {
            value = self.encrypt(value);
            if value < self.len {
                return value;
            }
        }
    }

    fn encrypt(&self, value: u64) -> u64 {
        let (mut left, mut right) = (value >> self.half_bits, value & self.mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & self.mask));
        }
        left << self.half_bits | right
    }
}

/// The finaliser of SplitMix64: every input bit changes about half of the output's.
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_exactly_once(len in 1u64..5000, seed: u64) {
            let permutation = Permutation::new(len, seed);
            let mut seen = vec![false; len as usize];
            for index in 0..len {
                let value = permutation.at(index) as usize;
                prop_assert!(!seen[value], "{value} twice");
                seen[value] = true;
            }
        }

        #[test]
        fn large_domains_stay_below_len(len in (1u64 << 32)..(1 << 48), seed: u64, index: u64) {
            let permutation = Permutation::new(len, seed);
            prop_assert!(permutation.at(index % len) < len);
        }
    }

    #[test]
    fn neighbours_are_spread() {
        let permutation = Permutation::new(1 << 16, 1);
        let near = (1..1 << 16).filter(|i| permutation.at(*i).abs_diff(permutation.at(i - 1)) < 256).count();
        assert!(near < 1_000, "{near} of 65,535 steps stay within one /24");
    }

    #[test]
    fn seeds_differ() {
        let order = |seed| (0..100).map(|i| Permutation::new(100, seed).at(i)).collect::<Vec<_>>();
        assert_ne!(order(1), order(2));
        assert_eq!(order(1), order(1));
    }
}
