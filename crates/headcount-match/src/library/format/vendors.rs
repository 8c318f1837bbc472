//! Makers' names, folded to one spelling.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    Fault, Text,
    pack::{Packed, Packer, Unpacker, packed},
};

/// Words that say what kind of company it is, not which.
const COMPANY_WORDS: [&str; 15] = [
    "inc",
    "corp",
    "corporation",
    "co",
    "company",
    "ltd",
    "limited",
    "llc",
    "gmbh",
    "ag",
    "ab",
    "bv",
    "oy",
    "srl",
    "incorporated",
];

/// A maker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// The spelling that is shown.
    pub name: Text,
    /// The vendor part of its CPE 2.3 names, as the NVD spells it; empty where that is not known.
    pub cpe: Text,
    /// Other spellings.
    pub aliases: Vec<Text>,
}

packed!(Vendor { name, cpe, aliases });

/// All makers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vendors {
    /// Sorted by name.
    pub list: Vec<Vendor>,
    /// Folded spelling and the place in the list, sorted by spelling.
    spellings: Vec<(Text, u32)>,
}

packed!(Vendors { list, spellings });

impl Vendors {
    /// The maker that is spelt so; case, punctuation and the kind of company do not matter.
    pub fn find(&self, spelling: &str) -> Option<&Vendor> {
        let folded = folded(spelling);
        let at = self.spellings.binary_search_by(|(known, _)| known.as_ref().cmp(&folded)).ok()?;
        self.list.get(self.spellings.get(at)?.1 as usize)
    }

    /// The makers of several files together; a maker of a later one replaces its namesake.
    ///
    /// # Errors
    /// A spelling that stands for two makers.
    pub fn join(lists: Vec<Vec<Vendor>>) -> Result<Self, Vec<String>> {
        let mut by_name: BTreeMap<Text, Vendor> = BTreeMap::new();
        by_name.extend(lists.into_iter().flatten().map(|vendor| (vendor.name.clone(), vendor)));
        let list: Vec<Vendor> = by_name.into_values().collect();
        let (mut spellings, mut twice) = (BTreeMap::new(), Vec::new());
        for (number, vendor) in list.iter().enumerate() {
            for spelling in std::iter::once(&vendor.name).chain(&vendor.aliases) {
                if let Some(other) =
                    spellings.insert(folded(spelling), number).filter(|other| *other != number)
                {
                    let other = list.get(other).map_or("", |other| other.name.as_ref());
                    twice.push(format!("{spelling:?} stands for {other:?} and for {:?}", vendor.name));
                }
            }
        }
        let spellings =
            spellings.into_iter().map(|(text, number)| (Cow::Owned(text), number as u32)).collect();
        if twice.is_empty() { Ok(Self { list, spellings }) } else { Err(twice) }
    }
}

/// Reads lines of name, tab, CPE part, tab, aliases parted by `|`.
pub(super) fn read(file: &str, text: &str) -> Result<Vec<Vendor>, Vec<Fault>> {
    let (mut vendors, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut cells = line.split('\t').map(str::trim);
        let name = cells.next().unwrap_or_default();
        let cpe = cells.next().unwrap_or_default();
        let aliases = cells.next().unwrap_or_default().split('|').map(str::trim).filter(|a| !a.is_empty());
        if name.is_empty() || cells.next().is_some() {
            let cause = "write the name, a tab, the CPE part or nothing, a tab, and aliases parted by |";
            faults.push(Fault::of_entry(file, format_args!("line {}", number + 1), cause));
            continue;
        }
        vendors.push(Vendor {
            name: name.to_owned().into(),
            cpe: cpe.to_owned().into(),
            aliases: aliases.map(|alias| alias.to_owned().into()).collect(),
        });
    }
    if faults.is_empty() { Ok(vendors) } else { Err(faults) }
}

/// A spelling without what does not matter: lower case, words parted by one space, no punctuation of companies'
/// names, no `Inc.` at the end.
pub fn folded(spelling: &str) -> String {
    let plain: String = spelling
        .chars()
        .map(|c| if matches!(c, '.' | ',' | '(' | ')' | '"' | '®' | '™') { ' ' } else { c })
        .collect();
    let lower = plain.to_lowercase();
    let mut words: Vec<&str> = lower.split_whitespace().collect();
    while words.len() > 1 && words.last().is_some_and(|word| COMPANY_WORDS.contains(word)) {
        words.pop();
    }
    words.join(" ")
}
