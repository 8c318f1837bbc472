//! Which row is which asset.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ambiguity, By, Doubt, place::v4};
use crate::{Asset, AssetId, Expected, Key, KeyKind};

/// Names that are no device's.
const NO_NAMES: [&str; 2] = ["localhost", "unknown"];
/// Domains that only hold on one link: they make no name another one.
const NO_DOMAINS: [&str; 4] = ["", "local", "localdomain", "lan"];

/// What more assets have than this tells nothing of any of them.
const MOST: usize = 16;
/// How often what was paired may decide what was in doubt.
const ROUNDS: usize = 3;

/// Rows and assets on their way to each other.
pub(super) struct Pairs<'a> {
    rows: &'a [Expected],
    /// What each row has that may recognise an asset.
    marks: Vec<Vec<(By, String)>>,
    /// By id, so that the order in which they come decides nothing.
    assets: Vec<&'a Asset>,
    index: BTreeMap<(By, String), BTreeSet<usize>>,
    /// The asset of each row.
    paired: BTreeMap<usize, (usize, By)>,
    /// The row of each asset.
    taken: BTreeMap<usize, usize>,
    /// What stood in the way of rows that are not paired, at the firmest thing that they have in common with an asset.
    doubts: BTreeMap<usize, (By, Doubt, BTreeSet<usize>)>,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(rows: &'a [Expected], assets: &'a [Asset]) -> Self {
        let mut assets: Vec<&Asset> = assets.iter().collect();
        assets.sort_by(|a, b| a.id.cmp(&b.id));
        let marks: Vec<Vec<(By, String)>> = rows.iter().map(marks_of_row).collect();
        // Only what a row asks for is looked up in the end.
        let mut index: BTreeMap<(By, String), BTreeSet<usize>> =
            marks.iter().flatten().map(|mark| (mark.clone(), BTreeSet::new())).collect();
        for (at, asset) in assets.iter().enumerate() {
            for mark in marks_of_asset(asset) {
                if let Some(all) = index.get_mut(&mark) {
                    all.insert(at);
                }
            }
        }
        index.retain(|_, all| !all.is_empty() && all.len() <= MOST);
        let (paired, taken, doubts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { rows, marks, assets, index, paired, taken, doubts }
    }

    /// Pairs rows and assets by all that tells, the firmest first. What one pair decides may decide another.
    pub(super) fn match_all(&mut self) {
        for _ in 0..ROUNDS {
            let before = self.paired.len();
            [By::Serial, By::Mac, By::Name].into_iter().for_each(|by| self.match_by(by));
            if self.paired.len() == before {
                break;
            }
        }
        self.hint();
    }

    /// Pairs the rows that have one asset with which they share this, if no other row shares it as well.
    fn match_by(&mut self, by: By) {
        let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (i, row) in self.unpaired() {
            let all = self.candidates(i, row, by);
            let agreeing: BTreeSet<usize> = all.iter().copied().filter(|at| self.agrees(row, *at)).collect();
            match (agreeing.len(), agreeing.first()) {
                (1, Some(at)) => wanted.entry(*at).or_default().push(i),
                (0, _) if all.is_empty() => {}
                (0, _) => self.doubt(i, by, Doubt::OtherSerial, all),
                _ => self.doubt(i, by, Doubt::SeveralAssets, agreeing),
            }
        }
        for (at, rows) in wanted {
            if let [i] = rows[..] {
                self.doubts.remove(&i);
                self.paired.insert(i, (at, by));
                self.taken.insert(at, i);
            } else {
                rows.into_iter().for_each(|i| self.doubt(i, by, Doubt::SeveralRows, BTreeSet::from([at])));
            }
        }
    }

    fn unpaired(&self) -> Vec<(usize, &'a Expected)> {
        self.rows.iter().enumerate().filter(|(i, _)| !self.paired.contains_key(i)).collect()
    }

    /// Notes what stands in the way of a row, unless something firmer does.
    fn doubt(&mut self, i: usize, by: By, doubt: Doubt, assets: BTreeSet<usize>) {
        self.doubts.entry(i).or_insert((by, doubt, assets));
    }

    /// The free assets that share this with a row, as far as they were in question before; of several those that still
    /// have it, and then those of the same maker.
    fn candidates(&self, i: usize, row: &Expected, by: By) -> BTreeSet<usize> {
        let before = self.doubts.get(&i).filter(|(_, doubt, _)| *doubt != Doubt::OtherSerial);
        let in_question = |at: &usize| before.is_none_or(|(_, _, assets)| assets.contains(at));
        let mut all = self.sharing(i, row, by);
        all.retain(|at| !self.taken.contains_key(at) && in_question(at));
        if all.len() < 2 {
            return all;
        }
        let marks = self.marks.get(i).map(Vec::as_slice).unwrap_or_default();
        let still = |asset: &Asset| {
            asset.latest.keys.iter().filter_map(mark_of_key).any(|mark| marks.contains(&mark))
        };
        for keeps in [&still as &dyn Fn(&Asset) -> bool, &|asset| same_maker(row, asset)] {
            let fewer: BTreeSet<usize> =
                all.iter().copied().filter(|at| self.asset(*at).is_some_and(keeps)).collect();
            if all.len() > 1 && !fewer.is_empty() {
                all = fewer;
            }
        }
        all
    }

    /// All assets that share this with a row.
    fn sharing(&self, i: usize, row: &Expected, by: By) -> BTreeSet<usize> {
        let of = |mark: &(By, String)| self.index.get(mark).into_iter().flatten().copied();
        let all = self.marks.get(i).into_iter().flatten().filter(|mark| mark.0 == by).flat_map(of);
        let same =
            |at: &usize| by != By::Name || self.asset(*at).is_some_and(|asset| share_a_name(row, asset));
        all.filter(same).collect()
    }

    fn asset(&self, at: usize) -> Option<&'a Asset> {
        self.assets.get(at).copied()
    }

    /// Another serial number is another device, or a mistake of the list.
    fn agrees(&self, row: &Expected, at: usize) -> bool {
        let (Some(serial), Some(asset)) = (row.serial.as_deref().map(bare), self.asset(at)) else {
            return true;
        };
        let known: Vec<String> = serials(asset).collect();
        known.is_empty() || known.contains(&serial)
    }

    /// Notes the rows whose asset another row has, and those that only have an address in common with one.
    fn hint(&mut self) {
        for (i, row) in self.unpaired() {
            let open = self
                .doubts
                .get(&i)
                .is_some_and(|doubt| doubt.2.iter().any(|at| !self.taken.contains_key(at)));
            if open {
                continue;
            }
            self.doubts.remove(&i);
            for by in [By::Serial, By::Mac, By::Name] {
                let mut all = self.sharing(i, row, by);
                all.retain(|at| self.agrees(row, *at));
                if !all.is_empty() {
                    self.doubt(i, by, Doubt::SeveralRows, all);
                }
            }
            let all = self.candidates(i, row, By::Address);
            if !all.is_empty() {
                self.doubt(i, By::Address, Doubt::OnlyAddress, all);
            }
        }
    }

    /// The asset of a row.
    pub(super) fn of_row(&self, i: usize) -> Option<(&'a Asset, By)> {
        let (at, by) = self.paired.get(&i)?;
        Some((self.asset(*at)?, *by))
    }

    pub(super) fn is_doubtful(&self, i: usize) -> bool {
        self.doubts.contains_key(&i)
    }

    pub(super) fn taken(&self) -> BTreeSet<&'a AssetId> {
        self.taken.keys().filter_map(|at| self.asset(*at)).map(|asset| &asset.id).collect()
    }

    /// What is in doubt, the rows with the same assets together, in the order of their lines.
    pub(super) fn ambiguities(&self) -> Vec<Ambiguity> {
        let mut groups: BTreeMap<(By, Doubt, &BTreeSet<usize>), Vec<usize>> = BTreeMap::new();
        for (i, (by, doubt, assets)) in &self.doubts {
            groups.entry((*by, *doubt, assets)).or_default().push(*i);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|a, b| a.1.cmp(&b.1));
        let ambiguity = |((by, doubt, assets), rows): ((By, Doubt, &BTreeSet<usize>), Vec<usize>)| {
            let having = assets.iter().filter_map(|at| self.taken.get(at)).copied();
            let rows: BTreeSet<usize> = rows.into_iter().chain(having).collect();
            Ambiguity {
                rows: rows.iter().filter_map(|i| self.rows.get(*i)).cloned().collect(),
                assets: assets
                    .iter()
                    .filter_map(|at| self.asset(*at))
                    .map(|asset| asset.id.clone())
                    .collect(),
                by,
                doubt,
            }
        };
        groups.into_iter().map(ambiguity).collect()
    }
}

/// A serial number as its letters and digits.
fn bare(serial: &str) -> String {
    serial.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// The serial numbers of an asset: a key is the maker, a space, and the number.
fn serials(asset: &Asset) -> impl Iterator<Item = String> {
    let keys = asset
        .keys
        .iter()
        .filter(|key| key.kind == KeyKind::Serial)
        .filter_map(mark_of_key)
        .map(|mark| mark.1);
    let fact = asset.latest.facts.get("device.serial").map(|fact| bare(&fact.value));
    keys.chain(fact).filter(|serial| !serial.is_empty())
}

fn mark_of_key(key: &Key) -> Option<(By, String)> {
    match key.kind {
        KeyKind::Serial => Some((By::Serial, bare(key.value.rsplit(' ').next().unwrap_or_default()))),
        KeyKind::Mac | KeyKind::LocalMac => Some((By::Mac, key.value.clone())),
        KeyKind::Name => Some((By::Name, label(&key.value))),
        _ => None,
    }
}

fn marks_of_asset(asset: &Asset) -> Vec<(By, String)> {
    let mut marks: Vec<(By, String)> =
        asset.keys.iter().filter(|key| key.kind != KeyKind::Name).filter_map(mark_of_key).collect();
    marks.extend(serials(asset).map(|serial| (By::Serial, serial)));
    // A name goes from one device to another: only those of today count.
    marks.extend(names_of_asset(asset).map(|name| (By::Name, label(&name))));
    marks.extend(asset.latest.addresses.iter().map(|address| (By::Address, address.to_string())));
    marks
}

fn marks_of_row(row: &Expected) -> Vec<(By, String)> {
    let mut marks: Vec<(By, String)> = row.serial.iter().map(|serial| (By::Serial, bare(serial))).collect();
    marks.retain(|(_, serial)| !serial.is_empty());
    marks.extend(row.macs.iter().map(|mac| (By::Mac, mac.to_string())));
    marks.extend(names_of_row(row).map(|name| (By::Name, label(&name))));
    marks.extend(row.addresses.iter().filter_map(v4).map(|address| (By::Address, address.to_string())));
    marks
}

fn names_of_row(row: &Expected) -> impl Iterator<Item = String> {
    row.name.iter().chain(&row.names).filter_map(|name| telling(name))
}

fn names_of_asset(asset: &Asset) -> impl Iterator<Item = String> {
    asset.latest.names.iter().filter_map(|name| telling(name))
}

/// A name in one spelling, if it may be a device's.
fn telling(name: &str) -> Option<String> {
    let name = name.trim().trim_end_matches('.').to_lowercase();
    let none = NO_NAMES.contains(&label(&name).as_str()) || name.parse::<std::net::IpAddr>().is_ok();
    (!none && !name.is_empty()).then_some(name)
}

/// What stands before the domain; of a name with spaces, which is in no DNS, all of it.
fn label(name: &str) -> String {
    let label = if name.contains(' ') { name } else { name.split('.').next().unwrap_or(name) };
    label.to_owned()
}

/// Whether two names are the same: with the same domain, or one of them without.
fn share_a_name(row: &Expected, asset: &Asset) -> bool {
    let same = |a: &str, b: &str| {
        let domain =
            |name: &str| name.get(label(name).len()..).unwrap_or_default().trim_start_matches('.').to_owned();
        let (a_in, b_in) = (domain(a), domain(b));
        let bare = |domain: &String| NO_DOMAINS.contains(&domain.as_str());
        label(a) == label(b) && (a_in == b_in || bare(&a_in) || bare(&b_in))
    };
    names_of_row(row).any(|a| names_of_asset(asset).any(|b| same(&a, &b)))
}

fn same_maker(row: &Expected, asset: &Asset) -> bool {
    let known = asset.latest.facts.get("device.vendor").map(|fact| fact.value.to_lowercase());
    let said = row.vendor.as_deref().map(str::to_lowercase);
    known.zip(said).is_some_and(|(known, said)| known.contains(&said) || said.contains(&known))
}
