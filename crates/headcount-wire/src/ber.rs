//! The part of ASN.1's basic encoding rules that SNMP uses (ITU-T X.690; RFC 3417, section 8): tags of one byte,
//! definite lengths. Nothing recurses: the caller opens what it wants to look into.

use crate::{Layer, Malformed, Problem};

/// Tag of an integer.
pub const INTEGER: u8 = 0x02;
/// Tag of a byte string.
pub const OCTET_STRING: u8 = 0x04;
/// Tag of an object identifier.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// Tag of a sequence.
pub const SEQUENCE: u8 = 0x30;

/// Numbers of an object identifier.
const MAX_ARCS: usize = 128;
/// Low bits that announce a tag of more than one byte.
const LONG_TAG: u8 = 0x1f;

/// Appends an element whose content is what `content` appends.
pub fn write_nested(out: &mut Vec<u8>, tag: u8, content: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let start = out.len();
    content(out);
    let length = encode_length(out.len() - start);
    out.splice(start..start, length);
}

/// Appends an element with this content.
pub fn write_bytes(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    out.extend(encode_length(content.len()));
    out.extend(content);
}

/// Appends an integer in the fewest bytes (X.690, section 8.3).
pub fn write_integer(out: &mut Vec<u8>, tag: u8, value: i64) {
    let bytes = value.to_be_bytes();
    // A leading byte says nothing when it only repeats the sign bit of the next one.
    let spare =
        bytes.windows(2).take_while(|pair| matches!((pair[0], pair[1] >> 7), (0, 0) | (0xff, 1))).count();
    write_bytes(out, tag, &bytes[spare..]);
}

/// Appends an object identifier (X.690, section 8.19) of the numbers in `arcs`, of which the first is 2 at the most and
/// at least two are there; others are written as `0.0`.
pub fn write_oid(out: &mut Vec<u8>, arcs: &[u32]) {
    let (first, rest) = match arcs {
        [first @ 0..=2, second, rest @ ..] => (u64::from(*first) * 40 + u64::from(*second), rest),
        _ => (0, &[][..]),
    };
    write_nested(out, OBJECT_IDENTIFIER, |out| {
        write_arc(out, first);
        rest.iter().for_each(|arc| write_arc(out, u64::from(*arc)));
    });
}

/// Seven bits a byte, all but the last marked.
fn write_arc(out: &mut Vec<u8>, arc: u64) {
    let groups = (u64::BITS - arc.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = (arc >> (7 * group) & 0x7f) as u8;
        out.push(if group == 0 { bits } else { bits | 0x80 });
    }
}

/// The length in the fewest bytes (X.690, section 8.1.3).
fn encode_length(len: usize) -> impl Iterator<Item = u8> {
    let bytes = len.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let long = (len >= 0x80).then_some(0x80 | (bytes.len() - zeros) as u8);
    let first = if long.is_some() { zeros } else { bytes.len() - 1 };
    long.into_iter().chain(bytes.into_iter().skip(first))
}

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Class, constructed bit and number.
    pub tag: u8,
    /// What is inside.
    pub content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The element at the front of `bytes` and what follows it. Tags of several bytes, indefinite lengths and lengths
    /// of more than four bytes are refused.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let error = |problem| Malformed::new(Layer::Ber, problem);
        let [tag, first, rest @ ..] = bytes else { return Err(error(Problem::Truncated)) };
        if tag & LONG_TAG == LONG_TAG {
            return Err(error(Problem::Unsupported));
        }
        let (len, rest) = match *first {
            short @ ..=0x7f => (usize::from(short), rest),
            long @ 0x81..=0x84 => {
                let (len, rest) =
                    rest.split_at_checked(usize::from(long & 0x0f)).ok_or(error(Problem::Truncated))?;
                (len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
            }
            _ => return Err(error(Problem::Unsupported)),
        };
        let (content, rest) = rest.split_at_checked(len).ok_or(error(Problem::Truncated))?;
        Ok((Self { tag: *tag, content }, rest))
    }

    /// The integer inside, of at most eight bytes; padded ones as sent by careless agents are taken.
    pub fn integer(&self) -> Result<i64, Malformed> {
        let error = Malformed::new(Layer::Ber, Problem::Value);
        let sign = self.content.first().ok_or(error)? >> 7;
        if self.content.len() > 8 {
            return Err(error);
        }
        let start = if sign == 1 { -1 } else { 0 };
        Ok(self.content.iter().fold(start, |value, byte| value << 8 | i64::from(*byte)))
    }

    /// The unsigned integer inside: up to eight bytes, or nine of which the first is zero.
    pub fn unsigned(&self) -> Result<u64, Malformed> {
        let bytes = match self.content {
            [0, rest @ ..] if !rest.is_empty() => rest,
            bytes => bytes,
        };
        if !(1..=8).contains(&bytes.len()) {
            return Err(Malformed::new(Layer::Ber, Problem::Value));
        }
        Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The numbers of the object identifier inside: 128 at the most (RFC 2578, section 3.5), each below 2^32.
    pub fn oid(&self) -> Result<Vec<u32>, Malformed> {
        let error = || Malformed::new(Layer::Ber, Problem::Value);
        if self.content.last().is_none_or(|last| last & 0x80 != 0) {
            return Err(error());
        }
        let mut arcs = Vec::new();
        let mut arc = 0_u64;
        for byte in self.content {
            arc = arc << 7 | u64::from(byte & 0x7f);
            // The first number stands for two, so that it may be larger by 80.
            if arc > u64::from(u32::MAX) + if arcs.is_empty() { 80 } else { 0 } || arcs.len() >= MAX_ARCS {
                return Err(error());
            }
            if byte & 0x80 == 0 {
                if arcs.is_empty() {
                    arcs.push((arc / 40).min(2) as u32);
                    arc -= (arc / 40).min(2) * 40;
                }
                arcs.push(u32::try_from(arc).map_err(|_| error())?);
                arc = 0;
            }
        }
        Ok(arcs)
    }
}

/// Reads elements one behind the other.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element, whatever it is.
    pub fn element(&mut self) -> Result<Element<'a>, Malformed> {
        let (element, rest) = Element::parse(self.0)?;
        self.0 = rest;
        Ok(element)
    }

    /// The content of the next element, which must have this tag.
    pub fn expect(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        let element = self.element()?;
        if element.tag == tag {
            Ok(element.content)
        } else {
            Err(Malformed::new(Layer::Ber, Problem::Unsupported))
        }
    }

    /// The next element, which must be an integer.
    pub fn integer(&mut self) -> Result<i64, Malformed> {
        let content = self.expect(INTEGER)?;
        Element { tag: INTEGER, content }.integer()
    }

    /// A reader of what is inside the next element, which must have this tag.
    pub fn nested(&mut self, tag: u8) -> Result<Self, Malformed> {
        self.expect(tag).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn integer(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        write_integer(&mut out, INTEGER, value);
        out
    }

    #[test]
    fn integers_are_their_bytes() {
        let cases: [(i64, &[u8]); 8] = [
            (0, &[2, 1, 0]),
            (127, &[2, 1, 0x7f]),
            (128, &[2, 2, 0, 0x80]),
            (256, &[2, 2, 1, 0]),
            (-1, &[2, 1, 0xff]),
            (-128, &[2, 1, 0x80]),
            (-129, &[2, 2, 0xff, 0x7f]),
            (i64::MIN, &[2, 8, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ];
        for (value, bytes) in cases {
            assert_eq!(integer(value), bytes);
            assert_eq!(Reader::new(bytes).integer(), Ok(value));
        }
        assert_eq!(Reader::new(&[2, 4, 0, 0, 0, 5]).integer(), Ok(5));
    }

    #[test]
    fn lengths_are_as_short_as_can_be() {
        for (len, head) in
            [(0, &[4, 0][..]), (127, &[4, 127]), (128, &[4, 0x81, 128]), (300, &[4, 0x82, 1, 44])]
        {
            let content = vec![7; len];
            let mut plain = Vec::new();
            write_bytes(&mut plain, OCTET_STRING, &content);
            let mut nested = Vec::new();
            write_nested(&mut nested, OCTET_STRING, |out| out.extend(&content));
            assert_eq!(plain, [head, &content].concat());
            assert_eq!(nested, plain);
        }
    }

    #[test]
    fn what_is_not_read_is_refused() {
        let cases: [(&[u8], Problem); 7] = [
            (&[], Problem::Truncated),
            (&[0x30], Problem::Truncated),
            (&[0x30, 5, 1], Problem::Truncated),
            (&[0x30, 0x80, 0, 0], Problem::Unsupported),
            (&[0x30, 0x85, 0, 0, 0, 0, 0], Problem::Unsupported),
            (&[0x3f, 0x81, 0], Problem::Unsupported),
            (&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff], Problem::Truncated),
        ];
        for (bytes, problem) in cases {
            assert_eq!(Element::parse(bytes), Err(Malformed::new(Layer::Ber, problem)), "{bytes:?}");
        }
        assert!(Reader::new(&[2, 0]).integer().is_err());
        assert!(Reader::new(&[2, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0]).integer().is_err());
    }

    #[test]
    fn identifiers_are_their_bytes() {
        let cases: [(&[u32], &[u8]); 4] = [
            (&[1, 3, 6, 1, 2, 1, 1, 1, 0], &[6, 8, 0x2b, 6, 1, 2, 1, 1, 1, 0]),
            (&[1, 3, 6, 1, 4, 1, 2435, 1], &[6, 8, 0x2b, 6, 1, 4, 1, 0x93, 3, 1]),
            (&[2, 100, 3], &[6, 3, 0x81, 0x34, 3]),
            (&[0, 0], &[6, 1, 0]),
        ];
        for (arcs, bytes) in cases {
            let mut out = Vec::new();
            write_oid(&mut out, arcs);
            assert_eq!(out, bytes);
            assert_eq!(Element::parse(bytes).unwrap().0.oid(), Ok(arcs.to_vec()));
        }
        let oid = |content| Element { tag: OBJECT_IDENTIFIER, content }.oid();
        assert!(oid(&[]).is_err());
        assert!(oid(&[0x2b, 0x86]).is_err(), "cut inside a number");
        assert!(oid(&[0x2b, 0x90, 0x80, 0x80, 0x80, 0]).is_err(), "2^32");
        assert!(oid(&[1; 129]).is_err(), "too many numbers");
        let mut out = Vec::new();
        write_oid(&mut out, &[7]);
        assert_eq!(out, [6, 1, 0]);
    }

    #[test]
    fn unsigned_numbers_may_start_with_a_zero() {
        let unsigned = |content| Element { tag: 0x43, content }.unsigned();
        assert_eq!(unsigned(&[0xff, 0xff]), Ok(0xffff));
        assert_eq!(unsigned(&[0]), Ok(0));
        assert_eq!(unsigned(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Ok(u64::MAX));
        assert!(unsigned(&[]).is_err());
        assert!(unsigned(&[1; 9]).is_err());
    }

    proptest! {
        #[test]
        fn an_identifier_is_itself_again(first in 0_u32..3, second in 0_u32..40, rest in prop::collection::vec(any::<u32>(), 0..126)) {
            let arcs = [vec![first, second], rest].concat();
            let mut out = Vec::new();
            write_oid(&mut out, &arcs);
            prop_assert_eq!(Element::parse(&out).unwrap().0.oid(), Ok(arcs));
        }

        #[test]
        fn an_integer_is_itself_again(value: i64) {
            prop_assert_eq!(Reader::new(&integer(value)).integer(), Ok(value));
        }

        #[test]
        fn an_element_is_itself_again(tag in 0_u8..31, content: Vec<u8>, rest: Vec<u8>) {
            let mut bytes = Vec::new();
            write_bytes(&mut bytes, tag, &content);
            bytes.extend(&rest);
            prop_assert_eq!(Element::parse(&bytes), Ok((Element { tag, content: &content }, &rest[..])));
        }
    }
}
