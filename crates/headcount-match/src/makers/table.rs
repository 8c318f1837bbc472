//! The compiled form of the table of makers. The build script uses this file too, so it needs nothing of the crate.
//!
//! ```text
//! magic           4 bytes  "HCM1"
//! date           10 bytes  "YYYY-MM-DD"
//! counts        3 x u32    entries of 24, 28 and 36 bits (little endian, as all numbers here)
//! entries of 24 bits       3 bytes prefix, 3 bytes offset of the name; sorted by prefix
//! entries of 28 bits       4 bytes prefix, the last four bits zero, 3 bytes offset
//! entries of 36 bits       5 bytes prefix, the last four bits zero, 3 bytes offset
//! names                    1 byte length, then so many bytes of UTF-8; each name once
//! ```

use std::collections::BTreeMap;

/// The first bytes of a compiled table.
pub(crate) const MAGIC: &[u8; 4] = b"HCM1";
/// The length of the date behind them.
pub(crate) const DATE_LEN: usize = 10;
/// The length of everything before the entries.
pub(crate) const HEADER_LEN: usize = MAGIC.len() + DATE_LEN + 3 * 4;
/// The length of an offset into the names.
pub(crate) const OFFSET_LEN: usize = 3;
/// How many bytes hold a prefix of 24, 28 and 36 bits.
pub(crate) const PREFIX_LENS: [usize; 3] = [3, 4, 5];
/// The date of a table that does not tell it.
const NO_DATE: &str = "0000-00-00";

/// Why a text is no table of makers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// No tab between prefix and name.
    #[error("line {0}: write the prefix, a tab and the organisation")]
    NoTab(usize),
    /// Not 6, 7 or 9 hex digits.
    #[error("line {0}: the prefix must be 6, 7 or 9 hex digits (24, 28 or 36 bits)")]
    Prefix(usize),
    /// Nothing to be seen behind the tab.
    #[error("line {0}: the organisation has no name")]
    NoName(usize),
    /// The prefix stands on an earlier line.
    #[error("line {0}: this prefix has been assigned before")]
    Twice(usize),
    /// The `# Date:` line holds no `YYYY-MM-DD`.
    #[error("line {0}: the date must be YYYY-MM-DD")]
    Date(usize),
    /// More names than a table can hold (16 MiB).
    #[error("the names are too long for a table (16 MiB)")]
    TooLong,
}

/// Compiles lines of prefix, tab and organisation; `#` starts a comment, of which `# Date: YYYY-MM-DD` is read.
///
/// # Errors
/// The first line that is none of these, or names beyond 16 MiB.
pub(crate) fn encode(text: &str) -> Result<Vec<u8>, TableError> {
    let mut date = NO_DATE;
    let mut sections: [BTreeMap<Vec<u8>, u32>; 3] = Default::default();
    let mut offsets: BTreeMap<String, u32> = BTreeMap::new();
    let mut names = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let number = i + 1;
        if let Some(comment) = line.strip_prefix('#') {
            if let Some(found) = comment.trim_start().strip_prefix("Date:") {
                date = Some(found.trim()).filter(|date| is_date(date)).ok_or(TableError::Date(number))?;
            }
            continue;
        }
        if line.trim().is_empty() {
            continue;
        }
        let (prefix, name) = line.split_once('\t').ok_or(TableError::NoTab(number))?;
        let (section, prefix) = parse_prefix(prefix).ok_or(TableError::Prefix(number))?;
        let name = clean(name);
        if name.is_empty() {
            return Err(TableError::NoName(number));
        }
        let offset = match offsets.get(&name) {
            Some(offset) => *offset,
            None => add_name(&mut names, &mut offsets, name)?,
        };
        if sections[section].insert(prefix, offset).is_some() {
            return Err(TableError::Twice(number));
        }
    }
    Ok(assemble(date, &sections, &names))
}

fn add_name(
    names: &mut Vec<u8>,
    offsets: &mut BTreeMap<String, u32>,
    name: String,
) -> Result<u32, TableError> {
    let offset = u32::try_from(names.len())
        .ok()
        .filter(|offset| *offset < 1 << (8 * OFFSET_LEN))
        .ok_or(TableError::TooLong)?;
    // `clean` keeps names below 256 bytes.
    names.push(name.len() as u8);
    names.extend_from_slice(name.as_bytes());
    offsets.insert(name, offset);
    Ok(offset)
}

fn assemble(date: &str, sections: &[BTreeMap<Vec<u8>, u32>; 3], names: &[u8]) -> Vec<u8> {
    let mut table = Vec::with_capacity(names.len() * 2);
    table.extend_from_slice(MAGIC);
    table.extend_from_slice(date.as_bytes());
    for section in sections {
        // Each entry takes ten bytes of text or more, so a text of 40 GB would be needed to overflow.
        table.extend_from_slice(&(section.len() as u32).to_le_bytes());
    }
    for (prefix, offset) in sections.iter().flatten() {
        table.extend_from_slice(prefix);
        table.extend_from_slice(&offset.to_le_bytes()[..OFFSET_LEN]);
    }
    table.extend_from_slice(names);
    table
}

fn is_date(text: &str) -> bool {
    text.len() == DATE_LEN
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if matches!(i, 4 | 7) { b == b'-' } else { b.is_ascii_digit() })
}

/// The number of the section and the prefix's bytes.
fn parse_prefix(text: &str) -> Option<(usize, Vec<u8>)> {
    let section = match text.len() {
        6 => 0,
        7 => 1,
        9 => 2,
        _ => return None,
    };
    let digits = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<Vec<_>>>()?;
    let bytes = digits.chunks(2).map(|pair| (pair[0] << 4) | pair.get(1).unwrap_or(&0)).collect();
    Some((section, bytes))
}

/// Without control characters, with single spaces, and shorter than 256 bytes.
fn clean(name: &str) -> String {
    let mut kept = String::new();
    for word in name.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
    }
    kept.truncate(kept.floor_char_boundary(usize::from(u8::MAX)));
    kept
}
