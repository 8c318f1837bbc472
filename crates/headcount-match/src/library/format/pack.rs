//! A compact form for plain data: numbers of seven bits a byte, every text once, in a pool.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Bytes, Text};

/// Certainties are kept in millionths.
const MILLION: f64 = 1_000_000.0;

/// Something that can be packed and unpacked again.
pub(super) trait Packed: Sized {
    /// Appends it.
    fn pack(&self, to: &mut Packer);
    /// Reads it. `None` where the bytes are not such a thing.
    fn unpack(from: &mut Unpacker) -> Option<Self>;
}

/// Implements [`Packed`] for a struct, field by field.
macro_rules! packed {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl Packed for $name {
            fn pack(&self, to: &mut Packer) {
                $(self.$field.pack(to);)*
            }
            fn unpack(from: &mut Unpacker) -> Option<Self> {
                $(let $field = Packed::unpack(from)?;)*
                Some(Self { $($field),* })
            }
        }
    };
}
pub(super) use packed;

/// Collects what is packed.
#[derive(Debug, Default)]
pub(super) struct Packer {
    /// What has been packed.
    pub bytes: Vec<u8>,
    pool: BTreeMap<Vec<u8>, u32>,
    order: Vec<Vec<u8>>,
}

impl Packer {
    fn number(&mut self, mut number: u32) {
        while number > 0x7f {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// A count; nothing that is packed here comes near 2^32.
    fn count(&mut self, count: usize) {
        self.number(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// Packs what is read as a list.
    pub(super) fn list<'t, T: Packed + 't>(&mut self, items: impl ExactSizeIterator<Item = &'t T>) {
        self.count(items.len());
        items.for_each(|item| item.pack(self));
    }

    fn pooled(&mut self, bytes: &[u8]) {
        let next = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        let number = match self.pool.get(bytes) {
            Some(number) => *number,
            None => {
                self.pool.insert(bytes.to_vec(), next);
                self.order.push(bytes.to_vec());
                next
            }
        };
        self.number(number);
    }

    /// The texts, in the order of their numbers: how many, where each ends, and the texts one after the other.
    pub(super) fn pool(&self) -> Vec<u8> {
        let mut pool = (self.order.len() as u32).to_le_bytes().to_vec();
        let mut end = 0_u32;
        for text in &self.order {
            end = end.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
            pool.extend_from_slice(&end.to_le_bytes());
        }
        self.order.iter().for_each(|text| pool.extend_from_slice(text));
        pool
    }
}

/// The texts of a packed library.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pool {
    ends: &'static [u8],
    texts: &'static [u8],
}

impl Pool {
    /// Reads what [`Packer::pool`] wrote; also the length in bytes.
    pub(super) fn open(bytes: &'static [u8]) -> Option<(Self, usize)> {
        let (count, rest) = bytes.split_first_chunk::<4>()?;
        let (ends, rest) = rest.split_at_checked((u32::from_le_bytes(*count) as usize).checked_mul(4)?)?;
        let len = ends.last_chunk::<4>().map_or(0, |end| u32::from_le_bytes(*end) as usize);
        let texts = rest.get(..len)?;
        Some((Self { ends, texts }, 4 + ends.len() + len))
    }

    fn end(&self, number: usize) -> Option<usize> {
        let at = number.checked_mul(4)?;
        let end = self.ends.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*end) as usize)
    }

    fn get(&self, number: usize) -> Option<&'static [u8]> {
        let start = number.checked_sub(1).map_or(Some(0), |before| self.end(before))?;
        self.texts.get(start..self.end(number)?)
    }
}

/// Reads what a [`Packer`] wrote.
#[derive(Clone, Debug)]
pub(super) struct Unpacker {
    pool: Pool,
    rest: &'static [u8],
}

impl Unpacker {
    /// Reads `bytes`, whose texts lie in `pool`.
    pub(super) const fn new(pool: Pool, bytes: &'static [u8]) -> Self {
        Self { pool, rest: bytes }
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = 0_u32;
        for shift in (0..32).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn pooled(&mut self) -> Option<&'static [u8]> {
        let number = self.number()? as usize;
        self.pool.get(number)
    }
}

impl Packed for u32 {
    fn pack(&self, to: &mut Packer) {
        to.number(*self);
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        from.number()
    }
}

impl Packed for bool {
    fn pack(&self, to: &mut Packer) {
        to.number(u32::from(*self));
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        Some(from.number()? != 0)
    }
}

impl Packed for f64 {
    fn pack(&self, to: &mut Packer) {
        to.number((self * MILLION).round() as u32);
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        Some(Self::from(from.number()?) / MILLION)
    }
}

impl Packed for Text {
    fn pack(&self, to: &mut Packer) {
        to.pooled(self.as_bytes());
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        std::str::from_utf8(from.pooled()?).ok().map(Cow::Borrowed)
    }
}

impl Packed for Bytes {
    fn pack(&self, to: &mut Packer) {
        to.pooled(self);
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        from.pooled().map(Cow::Borrowed)
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn pack(&self, to: &mut Packer) {
        to.list(self.iter());
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        // Each item takes a byte or more, so a count beyond the rest is none.
        let count = from.number()? as usize;
        if count > from.rest.len() {
            return None;
        }
        (0..count).map(|_| T::unpack(from)).collect()
    }
}

impl<T: Packed> Packed for Option<T> {
    fn pack(&self, to: &mut Packer) {
        self.is_some().pack(to);
        if let Some(item) = self {
            item.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        Some(if bool::unpack(from)? { Some(T::unpack(from)?) } else { None })
    }
}

impl<A: Packed, B: Packed> Packed for (A, B) {
    fn pack(&self, to: &mut Packer) {
        self.0.pack(to);
        self.1.pack(to);
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        Some((A::unpack(from)?, B::unpack(from)?))
    }
}
