//! The figures of a gap.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Gap, Why,
    place::{segment_of, segment_of_row},
};
use crate::{Asset, AssetId, Expected};

/// What stands for a segment, type or maker that is not known.
const UNKNOWN: &str = "unknown";

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Rows of the list.
    pub expected: usize,
    /// Of these, found.
    pub found: usize,
    /// Of these, not found, for whatever reason.
    pub missing: usize,
    /// Assets that no row expects.
    pub unexpected: usize,
    /// Assets that may be one that a row expects.
    pub ambiguous: usize,
    /// The gap: `unexpected` in per cent of `expected`; none where nothing is expected.
    pub unexpected_percent: Option<f64>,
    /// `missing` in per cent of `expected`; none where nothing is expected.
    pub missing_percent: Option<f64>,
}

impl Figures {
    /// Whether there is more that nobody expects than this many per cent. Where nothing is expected, one is too many.
    pub fn is_above(&self, percent: f64) -> bool {
        self.unexpected_percent.map_or(self.unexpected > 0, |unexpected| unexpected > percent)
    }

    fn with_percent(mut self) -> Self {
        let of = |part: usize| (self.expected > 0).then(|| part as f64 * 100.0 / self.expected as f64);
        (self.unexpected_percent, self.missing_percent) = (of(self.unexpected), of(self.missing));
        self
    }
}

/// The figures by what devices have in common. Words of the list and of the scanner stand side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// By segment.
    pub segments: BTreeMap<String, Figures>,
    /// By type, lower case.
    pub types: BTreeMap<String, Figures>,
    /// By maker, lower case.
    pub makers: BTreeMap<String, Figures>,
}

impl Shares {
    /// Counts one device in all, in its segment, its type and its maker.
    fn add(&mut self, all: &mut Figures, place: &Place, count: impl Fn(&mut Figures)) {
        count(all);
        count(self.segments.entry(place.segment.clone()).or_default());
        count(self.types.entry(place.kind.clone()).or_default());
        count(self.makers.entry(place.maker.clone()).or_default());
    }

    fn with_percent(mut self) -> Self {
        for figures in [&mut self.segments, &mut self.types, &mut self.makers]
            .into_iter()
            .flat_map(|map| map.values_mut())
        {
            *figures = figures.with_percent();
        }
        self
    }
}

/// Where a device counts.
struct Place {
    segment: String,
    kind: String,
    maker: String,
}

impl Place {
    /// What was seen counts before what the list says.
    fn of(row: Option<&Expected>, asset: Option<&Asset>) -> Self {
        let fact = |name: &str| {
            asset.and_then(|asset| asset.latest.facts.get(name)).map(|fact| fact.value.to_lowercase())
        };
        let said = |of: fn(&Expected) -> &Option<String>| {
            row.and_then(|row| of(row).as_ref()).map(|text| text.to_lowercase())
        };
        let seen = asset.and_then(|asset| asset.latest.addresses.first()).map(|address| segment_of(*address));
        let known = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
        Self {
            segment: known(seen.or_else(|| row.and_then(segment_of_row))),
            kind: known(fact("device.type").or_else(|| said(|row| &row.device_type))),
            maker: known(fact("device.vendor").or_else(|| said(|row| &row.vendor))),
        }
    }
}

/// The figures of all groups.
pub(super) fn count(gap: &Gap, assets: &BTreeMap<&AssetId, &Asset>) -> (Figures, Shares) {
    let (mut all, mut shares) = (Figures::default(), Shares::default());
    let asset = |id: &AssetId| assets.get(id).copied();
    for found in &gap.found {
        shares.add(&mut all, &Place::of(Some(&found.row), asset(&found.asset)), |figures| {
            figures.expected += 1;
            figures.found += 1;
        });
    }
    for missing in &gap.not_found {
        shares.add(&mut all, &Place::of(Some(&missing.row), None), |figures| {
            figures.expected += 1;
            figures.missing += 1;
        });
    }
    for id in &gap.unexpected {
        shares.add(&mut all, &Place::of(None, asset(id)), |figures| figures.unexpected += 1);
    }
    let silent = gap.not_found.iter().filter_map(|missing| match &missing.why {
        Why::Silent { asset, .. } => Some(asset),
        _ => None,
    });
    let paired: BTreeSet<&AssetId> = gap.found.iter().map(|found| &found.asset).chain(silent).collect();
    let doubtful: BTreeSet<&AssetId> = gap.ambiguous.iter().flat_map(|one| &one.assets).collect();
    for id in doubtful.difference(&paired) {
        shares.add(&mut all, &Place::of(None, asset(id)), |figures| figures.ambiguous += 1);
    }
    (all.with_percent(), shares.with_percent())
}
