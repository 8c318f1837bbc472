//! A bit for each of a fixed number of things.

/// A fixed number of bits, all clear at first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
    set: u64,
}

impl Bits {
    pub(crate) fn new(len: u64) -> Self {
        Self { words: vec![0; len.div_ceil(64) as usize], set: 0 }
    }

    pub(crate) fn contains(&self, index: u64) -> bool {
        self.words.get((index / 64) as usize).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Sets a bit; whether it was clear before. A bit beyond the end stays clear.
    pub(crate) fn insert(&mut self, index: u64) -> bool {
        let Some(word) = self.words.get_mut((index / 64) as usize) else { return false };
        let bit = 1 << (index % 64);
        let new = *word & bit == 0;
        *word |= bit;
        self.set += u64::from(new);
        new
    }

    /// Clears a bit.
    pub(crate) fn remove(&mut self, index: u64) {
        if self.contains(index) {
            self.words[(index / 64) as usize] &= !(1 << (index % 64));
            self.set -= 1;
        }
    }

    /// How many bits are set.
    pub(crate) fn count(&self) -> u64 {
        self.set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_set() {
        let mut bits = Bits::new(130);
        assert!(bits.insert(129));
        assert!(!bits.insert(129));
        assert!(!bits.insert(10_000));
        assert!(bits.contains(129) && !bits.contains(128));
        assert_eq!(bits.count(), 1);
        bits.remove(129);
        bits.remove(129);
        assert_eq!(bits.count(), 0);
    }
}
