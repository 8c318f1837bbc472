//! What a run means for the register: the rows that change, and the changes to report.

mod compare;

use std::collections::{BTreeMap, BTreeSet};

use headcount_model::{Run, SegmentKind};

use crate::{
    Asset, AssetId, At, Change, Held, Key, Pins, Sighting, What, reconcile,
    reconcile::{Assignment, Reconciled},
};

/// What the register knows that a run may bear on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// The assets that hold a key of the run, and those whose address it asked.
    pub assets: BTreeMap<AssetId, Asset>,
    /// What people decided, and which keys lost their rank.
    pub pins: Pins,
}

/// What a run comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intake {
    /// The rows to write, by id.
    pub assets: Vec<Asset>,
    /// Rows that went into another one: from, into.
    pub merged: Vec<(AssetId, AssetId)>,
    /// Keys that lose their rank.
    pub shared: BTreeSet<Key>,
    /// The asset of each sighting, in their order, and why.
    pub assignments: Vec<Assignment>,
    /// What changed, by asset.
    pub changes: Vec<Change>,
}

/// Works out what a run means. `view` need hold no more than [`View::assets`] says: the cost grows with the run.
pub fn take_in(run: &Run, sightings: &[Sighting], view: &View) -> Intake {
    let at = At { time: run.started, run: run.id.clone() };
    let held: BTreeMap<AssetId, Held> =
        view.assets.iter().map(|(id, asset)| (id.clone(), asset.held())).collect();
    let Reconciled { assignments, merged, shared } = reconcile(&run.id, sightings, &held, &view.pins);
    let mut rows = Rows { known: view.assets.clone(), at, written: BTreeMap::new(), changes: Vec::new() };
    for (from, into, key) in &merged {
        rows.merge(from, into, key);
    }
    for (sighting, assignment) in sightings.iter().zip(&assignments) {
        rows.see(sighting, assignment);
    }
    rows.miss(run);
    rows.changes.sort_by(|a, b| a.asset.cmp(&b.asset));
    Intake {
        assets: rows.written.into_values().collect(),
        merged: merged.into_iter().map(|(from, into, _)| (from, into)).collect(),
        shared,
        assignments,
        changes: rows.changes,
    }
}

struct Rows {
    known: BTreeMap<AssetId, Asset>,
    at: At,
    written: BTreeMap<AssetId, Asset>,
    changes: Vec<Change>,
}

impl Rows {
    fn report(&mut self, asset: &AssetId, what: What) {
        self.changes.push(Change { asset: asset.clone(), at: self.at.clone(), what });
    }

    /// Two rows turned out to be one: the older beginning, and all keys.
    fn merge(&mut self, from: &AssetId, into: &AssetId, key: &Key) {
        let Some(gone) = self.known.remove(from) else { return };
        if let Some(stays) = self.known.get_mut(into) {
            stays.keys.extend(gone.keys);
            stays.first = stays.first.clone().min(gone.first);
            for (name, fact) in gone.latest.facts {
                stays.latest.facts.entry(name).or_insert(fact);
            }
        }
        self.report(into, What::Merged { from: from.clone(), key: key.clone() });
    }

    fn see(&mut self, sighting: &Sighting, Assignment { asset: id, because }: &Assignment) {
        let Some(mut asset) = self.known.remove(id) else {
            self.report(id, What::Appeared { because: because.clone() });
            for (exposure, grade) in &sighting.exposures {
                self.report(id, What::Exposed { id: exposure.clone(), grade: *grade });
            }
            self.written.insert(id.clone(), appeared(id, sighting, &self.at));
            return;
        };
        if asset.silent {
            self.report(id, What::Returned { since: asset.last.clone() });
        }
        for what in compare::changes(&asset, sighting) {
            self.report(id, what);
        }
        compare::update(&mut asset, sighting);
        asset.last = self.at.clone();
        asset.misses = 0;
        asset.silent = false;
        self.written.insert(id.clone(), asset);
    }

    /// Those who were asked for, on a segment where others answered, and did not answer.
    fn miss(&mut self, run: &Run) {
        for (id, mut asset) in std::mem::take(&mut self.known) {
            if !is_due(run, &asset) {
                continue;
            }
            asset.misses = asset.misses.saturating_add(1);
            if !asset.silent && asset.misses >= asset.patience() {
                asset.silent = true;
                self.report(&id, What::WentSilent { misses: asset.misses });
            }
            self.written.insert(id, asset);
        }
    }
}

fn appeared(id: &AssetId, sighting: &Sighting, at: &At) -> Asset {
    Asset {
        id: id.clone(),
        first: at.clone(),
        last: at.clone(),
        keys: sighting.keys.clone(),
        latest: sighting.clone(),
        misses: 0,
        silent: false,
        unseen: BTreeMap::new(),
    }
}

/// Whether the run asked an address of the asset to the end, on a segment where others answered.
fn is_due(run: &Run, asset: &Asset) -> bool {
    let asked = run.segments.iter().filter(|segment| segment.kind != SegmentKind::Local);
    let heard = asked.filter(|segment| segment.complete && segment.present > 0);
    let addresses = &asset.latest.addresses;
    heard.clone().any(|segment| addresses.iter().any(|address| segment.addresses.contains(*address)))
}

#[cfg(test)]
mod tests;
