//! The texts at the top of an Apple property list, as XML or binary.
//!
//! The binary form as the maker publishes it in CFBinaryPList.c: objects, a table of their offsets, a trailer of 32
//! bytes. Nothing but the outermost dictionary is read, so that nothing can refer to itself.

use crate::xml;

/// Entries of a dictionary that are read.
const MOST: usize = 256;
/// Bytes of a text that are kept.
const LONGEST: usize = 1024;

/// The keys of the outermost dictionary whose values are text, with these.
pub(crate) fn texts(list: &[u8]) -> Vec<(String, String)> {
    match Binary::of(list) {
        Some(binary) => binary.texts(),
        None => xml_texts(list),
    }
}

fn xml_texts(list: &[u8]) -> Vec<(String, String)> {
    let leaves = xml::leaves(list);
    let top = |leaf: &xml::Leaf, name| leaf.path.len() == 3 && leaf.holder() == "dict" && leaf.name() == name;
    let pairs = leaves.windows(2).filter(|pair| top(&pair[0], "key") && top(&pair[1], "string"));
    pairs.map(|pair| (pair[0].text.clone(), pair[1].text.clone())).collect()
}

struct Binary<'a> {
    bytes: &'a [u8],
    /// Bytes of an offset and of a reference.
    offset_size: usize,
    reference_size: usize,
    top: usize,
    table: usize,
}

impl<'a> Binary<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let trailer = bytes.strip_prefix(b"bplist0").and_then(|rest| rest.last_chunk::<32>())?;
        Some(Self {
            bytes,
            offset_size: usize::from(trailer[6]),
            reference_size: usize::from(trailer[7]),
            top: number(&trailer[16..24])?,
            table: number(&trailer[24..32])?,
        })
    }

    fn texts(&self) -> Vec<(String, String)> {
        const DICTIONARY: u8 = 0xd;
        let Some((DICTIONARY, count, references)) = self.object(self.top) else { return Vec::new() };
        let reference = |at: usize| {
            let start = at.checked_mul(self.reference_size)?;
            number(references.get(start..start.checked_add(self.reference_size)?)?)
        };
        let text = |at: usize| self.text(reference(at)?);
        let pair = |at: usize| Some((text(at)?, text(count.checked_add(at)?)?));
        (0..count.min(MOST)).filter_map(pair).collect()
    }

    /// An object's kind, its count, and what follows both.
    fn object(&self, which: usize) -> Option<(u8, usize, &'a [u8])> {
        let at = self.table.checked_add(which.checked_mul(self.offset_size)?)?;
        let offset = number(self.bytes.get(at..at.checked_add(self.offset_size)?)?)?;
        let (marker, rest) = self.bytes.get(offset..)?.split_first()?;
        let (kind, count) = (marker >> 4, usize::from(marker & 0xf));
        if count < 0xf {
            return Some((kind, count, rest));
        }
        // The count is an integer object of its own.
        let (marker, rest) = rest.split_first().filter(|(marker, _)| matches!(**marker, 0x10..=0x13))?;
        let (count, rest) = rest.split_at_checked(1 << (marker & 3))?;
        Some((kind, number(count)?, rest))
    }

    fn text(&self, which: usize) -> Option<String> {
        let (kind, count, rest) = self.object(which)?;
        let count = count.min(LONGEST);
        match kind {
            5 => Some(String::from_utf8_lossy(rest.get(..count)?).into_owned()),
            6 => {
                let units =
                    rest.get(..2 * count)?.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
                Some(String::from_utf16_lossy(&units.collect::<Vec<_>>()))
            }
            _ => None,
        }
    }
}

fn number(bytes: &[u8]) -> Option<usize> {
    if bytes.is_empty() || bytes.len() > 8 {
        return None;
    }
    let value = bytes.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    usize::try_from(value).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A binary list of one dictionary of texts.
    pub(crate) fn binary(pairs: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = b"bplist00".to_vec();
        let texts = pairs.iter().map(|pair| pair.0).chain(pairs.iter().map(|pair| pair.1));
        let mut offsets = vec![bytes.len() as u8];
        bytes.extend([0xdf, 0x10, pairs.len() as u8]);
        bytes.extend(1..=2 * pairs.len() as u8);
        for text in texts {
            offsets.push(bytes.len() as u8);
            if text.is_ascii() {
                bytes.extend([0x5f, 0x10, text.len() as u8]);
                bytes.extend(text.bytes());
            } else {
                bytes.push(0x60 | text.encode_utf16().count() as u8);
                bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            }
        }
        let table = bytes.len() as u64;
        let count = offsets.len() as u64;
        bytes.extend(offsets);
        bytes.extend([0, 0, 0, 0, 0, 0, 1, 1]);
        bytes.extend([count, 0, table].iter().flat_map(|number| number.to_be_bytes()));
        bytes
    }

    #[test]
    fn reads_both_forms() {
        let pairs = [("model", "AppleTV6,2"), ("name", "K\u{fc}che")];
        let expected: Vec<_> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(texts(&binary(&pairs)), expected);
        let xml = "<?xml version=\"1.0\"?><!DOCTYPE plist><plist version=\"1.0\"><dict><key>features</key><integer>1</integer>\
            <key>on</key><true/><key>model</key><string>AppleTV6,2</string><key>in</key><dict><key>model</key><string>no</string></dict>\
            <key>name</key><string>K\u{fc}che</string></dict></plist>";
        assert_eq!(texts(xml.as_bytes()), expected);
        assert!(texts(b"").is_empty() && texts(b"bplist00").is_empty());
    }

    #[test]
    fn false_numbers_are_borne() {
        let whole = binary(&[("model", "x"), ("name", "y")]);
        for at in 0..whole.len() {
            texts(&whole[..at]);
            for value in [0, 0x7f, 0xff, 0xdf] {
                let mut changed = whole.clone();
                changed[at] = value;
                assert!(texts(&changed).len() <= MOST);
            }
        }
    }
}
