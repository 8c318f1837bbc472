//! Who made the network interface behind a MAC address.

mod table;

use std::borrow::Cow;

use headcount_model::MacAddr;

pub use table::TableError;
use table::{DATE_LEN, HEADER_LEN, MAGIC, OFFSET_LEN, PREFIX_LENS};

static EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/oui.bin"));

/// The IEEE's registries of MAC address blocks: MA-L (24 bits), MA-M (28), MA-S and the closed IAB (36).
///
/// A compiled table that is searched as it lies, so that a start costs nothing.
#[derive(Clone, Debug)]
pub struct Makers {
    table: Cow<'static, [u8]>,
}

impl Makers {
    /// The table that is compiled in.
    pub fn embedded() -> Self {
        Self { table: Cow::Borrowed(EMBEDDED) }
    }

    /// The day (`YYYY-MM-DD`) on which the data of the embedded table was taken from the IEEE.
    pub fn data_date() -> &'static str {
        date_of(EMBEDDED)
    }

    /// The day (`YYYY-MM-DD`) of this table's data, `0000-00-00` if a user's file does not tell it.
    pub fn date(&self) -> &str {
        date_of(&self.table)
    }

    /// A newer table from a user's file in the form of `fingerprints/tables/oui.tsv`: lines of prefix (6, 7 or 9
    /// hex digits), tab and organisation, with `# Date: YYYY-MM-DD` among the comments.
    ///
    /// # Errors
    /// The first line that cannot be read, or names beyond 16 MiB in all.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        Ok(Self { table: Cow::Owned(table::encode(text)?) })
    }

    /// Whom the block that `mac` belongs to was assigned to; the longest block wins.
    ///
    /// `None` for an address that software chose (U/L bit) or that names a group (I/G bit), and for unassigned blocks.
    pub fn maker(&self, mac: MacAddr) -> Option<&str> {
        if mac.is_locally_administered() || mac.is_multicast() {
            return None;
        }
        let [a, b, c, d, e, _] = mac.0;
        let sections = self.sections()?;
        find(sections.entries[2], &[a, b, c, d, e & 0xf0])
            .or_else(|| find(sections.entries[1], &[a, b, c, d & 0xf0]))
            .or_else(|| find(sections.entries[0], &[a, b, c]))
            .and_then(|offset| name_at(sections.names, offset))
    }

    /// How many blocks the table holds.
    pub fn len(&self) -> usize {
        let entries = |(section, prefix): (&[u8], usize)| section.len() / (prefix + OFFSET_LEN);
        self.sections().map_or(0, |s| s.entries.into_iter().zip(PREFIX_LENS).map(entries).sum())
    }

    /// Whether the table holds no block.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn sections(&self) -> Option<Sections<'_>> {
        let counts = self.table.get(MAGIC.len() + DATE_LEN..HEADER_LEN)?;
        let mut rest = self.table.get(HEADER_LEN..)?;
        let mut entries = [&[][..]; 3];
        for (i, count) in counts.chunks_exact(4).enumerate() {
            let count = u32::from_le_bytes([count[0], count[1], count[2], count[3]]) as usize;
            let len = count.checked_mul(PREFIX_LENS[i] + OFFSET_LEN)?;
            (entries[i], rest) = rest.split_at_checked(len)?;
        }
        Some(Sections { entries, names: rest })
    }
}

/// The parts of a compiled table.
struct Sections<'a> {
    /// The entries of 24, 28 and 36 bits.
    entries: [&'a [u8]; 3],
    names: &'a [u8],
}

fn date_of(table: &[u8]) -> &str {
    let date = table.get(MAGIC.len()..MAGIC.len() + DATE_LEN);
    date.and_then(|date| std::str::from_utf8(date).ok()).unwrap_or_default()
}

/// The offset of the name of `prefix`, by binary search.
fn find<const N: usize>(section: &[u8], prefix: &[u8; N]) -> Option<usize> {
    let width = N + OFFSET_LEN;
    let (mut low, mut high) = (0, section.len() / width);
    while low < high {
        let middle = low.midpoint(high);
        let entry = section.get(middle * width..(middle + 1) * width)?;
        match entry[..N].cmp(prefix) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => {
                let offset = &entry[N..];
                return Some(u32::from_le_bytes([offset[0], offset[1], offset[2], 0]) as usize);
            }
        }
    }
    None
}

fn name_at(names: &[u8], offset: usize) -> Option<&str> {
    let len = usize::from(*names.get(offset)?);
    std::str::from_utf8(names.get(offset + 1..offset + 1 + len)?).ok()
}

#[cfg(test)]
mod tests;
