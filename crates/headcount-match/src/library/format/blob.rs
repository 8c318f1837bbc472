//! The compiled library.
//!
//! ```text
//! magic             4 bytes "HCL1"
//! pool              every text once (pack.rs)
//! directory length  u32, little endian
//! directory         packed: of each field its name, count of entries, and where entries and notes lie; then where
//!                   rules, exposures, makers and vocabulary lie. All places count from the end of the directory.
//! parts             packed one by one, so that only those are unpacked that are needed
//! ```

use super::{
    Sources, Text, Vendors, Vocabulary,
    pack::{Packed, Packer, Pool, Unpacker, packed},
};

const MAGIC: &[u8; 4] = b"HCL1";

/// Where a part lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    start: u32,
    len: u32,
}

packed!(Place { start, len });

/// A field of a compiled library.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The field.
    pub field: Text,
    /// How many entries it has.
    pub count: u32,
    entries: Place,
    notes: Place,
}

packed!(Part { field, count, entries, notes });

#[derive(Debug, Default)]
struct Directory {
    fields: Vec<Part>,
    rules: Place,
    exposures: Place,
    vendors: Place,
    platforms: Place,
    vocabulary: Place,
}

packed!(Directory { fields, rules, exposures, vendors, platforms, vocabulary });

/// Compiles a library.
pub(crate) fn encode(sources: &Sources) -> Vec<u8> {
    let mut packer = Packer::default();
    let mut place = |pack: &dyn Fn(&mut Packer)| {
        let start = packer.bytes.len();
        pack(&mut packer);
        Place { start: start as u32, len: (packer.bytes.len() - start) as u32 }
    };
    let mut directory = Directory::default();
    for (field, entries) in &sources.fields {
        directory.fields.push(Part {
            field: field.clone(),
            count: entries.len() as u32,
            entries: place(&|to| to.list(entries.iter().map(|(entry, _)| entry))),
            notes: place(&|to| to.list(entries.iter().map(|(_, notes)| notes))),
        });
    }
    directory.rules = place(&|to| sources.rules.pack(to));
    directory.exposures = place(&|to| sources.exposures.pack(to));
    let vendors = Vendors::join(Vec::new(), sources.vendors.clone());
    directory.vendors = place(&|to| vendors.pack(to));
    directory.platforms = place(&|to| sources.platforms.pack(to));
    let vocabulary = sources.vocabulary.clone().unwrap_or_default();
    directory.vocabulary = place(&|to| vocabulary.pack(to));
    let parts = std::mem::take(&mut packer.bytes);
    directory.pack(&mut packer);
    let mut blob = MAGIC.to_vec();
    blob.extend_from_slice(&packer.pool());
    blob.extend_from_slice(&(packer.bytes.len() as u32).to_le_bytes());
    blob.extend_from_slice(&packer.bytes);
    blob.extend_from_slice(&parts);
    blob
}

/// A compiled library, opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blob {
    pool: Pool,
    parts: &'static [u8],
    rules: Place,
    exposures: Place,
    vendors: Place,
    platforms: Place,
    vocabulary: Place,
}

impl Blob {
    /// Reads the directory only; also the fields, sorted by name. `None` where the bytes are no library.
    pub(crate) fn open(bytes: &'static [u8]) -> Option<(Self, Vec<Part>)> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (pool, len) = Pool::open(rest)?;
        let (len, rest) = rest.get(len..)?.split_first_chunk::<4>()?;
        let (directory, parts) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        let Directory { fields, rules, exposures, vendors, platforms, vocabulary } =
            Directory::unpack(&mut Unpacker::new(pool, directory))?;
        Some((Self { pool, parts, rules, exposures, vendors, platforms, vocabulary }, fields))
    }

    fn part<T: Packed>(&self, place: Place) -> Option<T> {
        let start = place.start as usize;
        let bytes = self.parts.get(start..start.checked_add(place.len as usize)?)?;
        T::unpack(&mut Unpacker::new(self.pool, bytes))
    }

    /// The entries of a field.
    pub(crate) fn entries(&self, part: &Part) -> Option<Vec<super::Entry>> {
        self.part(part.entries)
    }

    /// What stands beside the entries of a field, in the same order.
    pub(crate) fn notes(&self, part: &Part) -> Option<Vec<super::Notes>> {
        self.part(part.notes)
    }

    /// The rules.
    pub(crate) fn rules(&self) -> Option<Vec<super::Rule>> {
        self.part(self.rules)
    }

    /// The exposures.
    pub(crate) fn exposures(&self) -> Option<Vec<super::ExposureRule>> {
        self.part(self.exposures)
    }

    /// The makers.
    pub(crate) fn vendors(&self) -> Option<Vendors> {
        self.part(self.vendors)
    }

    /// The products with CPE names.
    pub(crate) fn platforms(&self) -> Option<Vec<super::Platform>> {
        self.part(self.platforms)
    }

    /// The vocabulary.
    pub(crate) fn vocabulary(&self) -> Option<Vocabulary> {
        self.part(self.vocabulary)
    }
}
