//! Which asset each device of a run is.
//!
//! The firmest keys decide first. A key that does not tell two devices apart (an image gave it to both, a dock lends it
//! to whoever stands on it, two devices of one run have it) loses its rank and decides nothing more.

mod agree;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Key, KeyKind, Sighting};
use agree::agree;

/// The name of an asset, the same for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssetId(pub String);

impl AssetId {
    /// The asset that first appeared as `device` in `run`: the same input gives the same id, on every machine.
    pub fn first_seen_as(run: &str, device: &str) -> Self {
        let digest = Sha256::new().chain_update(run).chain_update([0]).chain_update(device).finalize();
        Self(digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of an asset that holds a key of the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    /// All its keys.
    pub keys: BTreeSet<Key>,
    /// Who made it, where that is known.
    pub vendor: Option<String>,
}

/// What people decided, or what was found out before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pins {
    /// Keys that stand for an asset, whatever else speaks against it.
    pub pinned: BTreeMap<Key, AssetId>,
    /// Keys that lost their rank.
    pub shared: BTreeSet<Key>,
}

/// Why a sighting is this asset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// Somebody pinned this key to it.
    Pinned(Key),
    /// It has this key, the firmest that they share.
    Shares(Key),
    /// Nothing that was known has a key of it: it is new.
    Appeared,
}

/// One sighting and its asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The asset.
    pub asset: AssetId,
    /// Why.
    pub because: Because,
}

/// What a run comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// The asset of each sighting, in their order. No asset stands twice.
    pub assignments: Vec<Assignment>,
    /// Assets that turned out to be another one: from, into, and the key that shows it.
    pub merged: Vec<(AssetId, AssetId, Key)>,
    /// Keys that lose their rank from this run on.
    pub shared: BTreeSet<Key>,
}

/// Says which asset each of `sightings` of `run` is. `held` is every asset that holds a key of theirs.
///
/// Deterministic: the order of the sightings does not matter but for that of the assignments.
pub fn reconcile(
    run: &str,
    sightings: &[Sighting],
    held: &BTreeMap<AssetId, Held>,
    pins: &Pins,
) -> Reconciled {
    let mut work = Work::new(sightings, held, pins);
    work.by_pins(pins);
    for kind in KeyKind::ALL {
        work.by_kind(kind);
    }
    work.finish(run)
}

struct Work<'a> {
    sightings: &'a [Sighting],
    held: &'a BTreeMap<AssetId, Held>,
    /// Who holds a key, as far as it tells one device from another.
    holders: BTreeMap<&'a Key, &'a AssetId>,
    /// The keys of each sighting that tell it from the others.
    keys: Vec<BTreeSet<&'a Key>>,
    /// The sightings by what orders them whatever order they came in.
    order: Vec<usize>,
    assigned: BTreeMap<usize, Assignment>,
    taken: BTreeSet<&'a AssetId>,
    shared: BTreeSet<Key>,
}

impl<'a> Work<'a> {
    fn new(sightings: &'a [Sighting], held: &'a BTreeMap<AssetId, Held>, pins: &'a Pins) -> Self {
        let mut shared = BTreeSet::new();
        let mut seen: BTreeMap<&Key, usize> = BTreeMap::new();
        sightings
            .iter()
            .flat_map(|sighting| &sighting.keys)
            .for_each(|key| *seen.entry(key).or_default() += 1);
        shared.extend(seen.iter().filter(|(_, times)| **times > 1).map(|(key, _)| (*key).clone()));
        let mut holders: BTreeMap<&Key, BTreeSet<&AssetId>> = BTreeMap::new();
        for (asset, known) in held {
            for key in known.keys.iter().filter(|key| seen.contains_key(key)) {
                holders.entry(key).or_default().insert(asset);
            }
        }
        shared.extend(holders.iter().filter(|(_, all)| all.len() > 1).map(|(key, _)| (*key).clone()));
        shared.retain(|key| !pins.shared.contains(key));
        let tells = |key: &&Key| !pins.shared.contains(*key) && !shared.contains(*key);
        let keys = sightings.iter().map(|sighting| sighting.keys.iter().filter(tells).collect()).collect();
        let one = |(key, all): (&'a Key, BTreeSet<&'a AssetId>)| Some((key, all.into_iter().next()?));
        let holders = holders.into_iter().filter(|(key, _)| tells(key)).filter_map(one).collect();
        let mut order: Vec<usize> = (0..sightings.len()).collect();
        order.sort_by_key(|i| sightings.get(*i).map(|sighting| (&sighting.keys, &sighting.device)));
        let (assigned, taken) = (BTreeMap::new(), BTreeSet::new());
        Self { sightings, held, holders, keys, order, assigned, taken, shared }
    }

    fn assign(&mut self, sighting: usize, asset: &'a AssetId, because: Because) {
        self.taken.insert(asset);
        self.assigned.insert(sighting, Assignment { asset: asset.clone(), because });
    }

    fn by_pins(&mut self, pins: &'a Pins) {
        for i in self.order.clone() {
            let Some(sighting) = self.sightings.get(i) else { continue };
            let pinned = sighting.keys.iter().find_map(|key| Some((key, pins.pinned.get(key)?)));
            if let Some((key, asset)) = pinned.filter(|(_, asset)| !self.taken.contains(asset)) {
                self.assign(i, asset, Because::Pinned(key.clone()));
            }
        }
    }

    /// Assigns by keys of one kind what no firmer one decided.
    fn by_kind(&mut self, kind: KeyKind) {
        for i in self.order.clone() {
            if self.assigned.contains_key(&i) {
                continue;
            }
            let (Some(sighting), Some(keys)) = (self.sightings.get(i), self.keys.get(i)) else { continue };
            let of_kind: Vec<&'a Key> = keys.iter().copied().filter(|key| key.kind == kind).collect();
            for key in of_kind {
                let Some(asset) = self.holders.get(key).copied() else { continue };
                let Some(known) = self.held.get(asset) else { continue };
                if !self.taken.contains(asset) && agree(kind, sighting, known) {
                    self.assign(i, asset, Because::Shares(key.clone()));
                    break;
                }
            }
        }
    }

    /// New assets, assets that turned out to be one, and keys that two devices have.
    fn finish(mut self, run: &str) -> Reconciled {
        let mut result = Reconciled::default();
        let mut gone: BTreeSet<&AssetId> = BTreeSet::new();
        for i in self.order.clone() {
            let Some(sighting) = self.sightings.get(i) else { continue };
            let assignment = self.assigned.entry(i).or_insert_with(|| Assignment {
                asset: AssetId::first_seen_as(run, &sighting.device),
                because: Because::Appeared,
            });
            let asset = assignment.asset.clone();
            for key in self.keys.get(i).into_iter().flatten() {
                let Some(other) = self.holders.get(key).copied().filter(|other| **other != asset) else {
                    continue;
                };
                let known = self.held.get(other);
                let one = known.is_some_and(|known| agree(key.kind, sighting, known));
                let free = !self.taken.contains(other) && !gone.contains(other);
                if gone.contains(other) {
                    continue;
                }
                // A name goes from one device to another; a firm key does not.
                if one && free && key.kind.is_firm() && self.held.contains_key(&asset) {
                    gone.insert(other);
                    result.merged.push((other.clone(), asset.clone(), (*key).clone()));
                } else {
                    self.shared.insert((*key).clone());
                }
            }
        }
        result.assignments = self.assigned.into_values().collect();
        result.shared = self.shared;
        result
    }
}

#[cfg(test)]
mod tests;
