//! Makers' names, folded to one spelling.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

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

impl Vendor {
    fn spellings(&self) -> impl Iterator<Item = &Text> {
        std::iter::once(&self.name).chain(&self.aliases)
    }
}

/// All makers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vendors {
    /// Sorted by name.
    pub list: Vec<Vendor>,
    /// Folded spelling and the place in the list, sorted by spelling.
    spellings: Vec<(Text, u32)>,
}

packed!(Vendors { list, spellings });

impl Vendors {
    /// The maker that is spelt so; case, punctuation and the kind of company do not matter.
    pub(crate) fn find(&self, spelling: &str) -> Option<&Vendor> {
        let folded = folded(spelling);
        let at = self.spellings.binary_search_by(|(known, _)| known.as_ref().cmp(&folded)).ok()?;
        self.list.get(self.spellings.get(at)?.1 as usize)
    }

    /// Makers, where those of `new` take the place of their namesakes and keep spellings that others had.
    pub(crate) fn join(known: Vec<Vendor>, new: Vec<Vendor>) -> Self {
        let names: BTreeSet<Text> = new.iter().map(|vendor| vendor.name.clone()).collect();
        let mut list: Vec<(bool, Vendor)> = known
            .into_iter()
            .filter(|vendor| !names.contains(&vendor.name))
            .map(|vendor| (false, vendor))
            .collect();
        list.extend(new.into_iter().map(|vendor| (true, vendor)));
        list.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        let mut spellings = BTreeMap::new();
        for wanted in [false, true] {
            for (number, (_, vendor)) in (0_u32..).zip(&list).filter(|(_, (is_new, _))| *is_new == wanted) {
                spellings.extend(vendor.spellings().map(|spelling| (Cow::Owned(folded(spelling)), number)));
            }
        }
        let list = list.into_iter().map(|(_, vendor)| vendor).collect();
        Self { list, spellings: spellings.into_iter().collect() }
    }

    /// Spellings that stand for two makers of one list, as sentences.
    pub(crate) fn clashes(list: &[Vendor]) -> Vec<String> {
        let mut known: BTreeMap<String, &Vendor> = BTreeMap::new();
        let mut clashes = Vec::new();
        for vendor in list {
            for spelling in vendor.spellings() {
                if let Some(other) =
                    known.insert(folded(spelling), vendor).filter(|other| other.name != vendor.name)
                {
                    clashes
                        .push(format!("{spelling:?} stands for {:?} and for {:?}", other.name, vendor.name));
                }
            }
        }
        clashes
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
fn folded(spelling: &str) -> String {
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
