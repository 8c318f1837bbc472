//! What an organisation believes that it has, against what was found.

mod figures;
mod pair;
mod place;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Asset, AssetId, At, Expected};

pub use figures::{Figures, Shares};
pub use place::LookedAt;

use pair::Pairs;

/// What a row and an asset have in common, the firmest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The serial number.
    Serial,
    /// A MAC address.
    Mac,
    /// A name.
    Name,
    /// An IP address: a hint, never enough to say that it is the same device.
    Address,
}

impl By {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serial => "serial number",
            Self::Mac => "MAC address",
            Self::Name => "name",
            Self::Address => "IP address",
        }
    }
}

/// A row and the asset that it is, present when its addresses were last asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The row.
    pub row: Expected,
    /// The asset.
    pub asset: AssetId,
    /// By what it is recognised.
    pub by: By,
}

/// A row that is not found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotFound {
    /// The row.
    pub row: Expected,
    /// Why.
    pub why: Why,
}

/// Why a row is not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Why {
    /// It is this asset, which no longer answers.
    Silent {
        /// The asset.
        asset: AssetId,
        /// When it was last seen.
        since: At,
        /// By what it is recognised.
        by: By,
    },
    /// It may be one of the assets of an [`Ambiguity`].
    Ambiguous,
    /// No run asked its addresses or its segment.
    NotLookedAt,
    /// Its address or segment was asked, and nothing that answered has a key of it.
    NoAnswer,
    /// The list does not say where it is, and nothing that was found has a key of it.
    Nowhere,
}

/// Rows and assets that may belong together, and the scanner does not say which to which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ambiguity {
    /// The rows, in the list's order. One that has the asset already is among them.
    pub rows: Vec<Expected>,
    /// The assets.
    pub assets: BTreeSet<AssetId>,
    /// What they have in common.
    pub by: By,
    /// Why that is not enough.
    pub doubt: Doubt,
}

/// Why rows and assets that have something in common are not said to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// An address goes from one device to another.
    OnlyAddress,
    /// The row has something that several assets have.
    SeveralAssets,
    /// Several rows have something that the asset has.
    SeveralRows,
    /// The row says another serial number than the device.
    OtherSerial,
}

/// The four groups and their figures. A row is found or not found; an asset is found, unexpected, ambiguous, silent or
/// this machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Expected and found, in the list's order.
    pub found: Vec<Found>,
    /// Expected and not found, in the list's order.
    pub not_found: Vec<NotFound>,
    /// Found and not expected: without this machine and those that fell silent.
    pub unexpected: Vec<AssetId>,
    /// What may belong together.
    pub ambiguous: Vec<Ambiguity>,
    /// Unexpected assets that fell silent: no part of the figures.
    pub gone: usize,
    /// In all.
    pub figures: Figures,
    /// By segment (the /24 of an address, or what the list calls it), type and maker.
    pub shares: Shares,
}

/// Compares what is expected with what was found. Deterministic: the same input in any order gives the same pairs.
///
/// A row is matched to at most one asset and an asset to at most one row: by serial number, else by MAC address, else by
/// name. What is left and has an address in common is `ambiguous`.
pub fn gap(expected: &[Expected], assets: &[Asset], looked_at: &LookedAt) -> Gap {
    let mut pairs = Pairs::new(expected, assets);
    pairs.match_all();
    let mut gap = Gap::default();
    for (i, row) in expected.iter().enumerate() {
        sort_row(&mut gap, row, pairs.of_row(i), pairs.is_doubtful(i), looked_at);
    }
    gap.ambiguous = pairs.ambiguities();
    let taken: BTreeSet<&AssetId> = pairs.taken();
    let doubtful: BTreeSet<AssetId> =
        gap.ambiguous.iter().flat_map(|one| one.assets.iter().cloned()).collect();
    let rest = assets.iter().filter(|asset| !taken.contains(&asset.id) && !doubtful.contains(&asset.id));
    let mut rest: Vec<&Asset> = rest.filter(|asset| !looked_at.is_own(asset)).collect();
    rest.sort_by_key(|asset| (asset.latest.addresses.first().copied(), &asset.id));
    gap.gone = rest.iter().filter(|asset| asset.silent).count();
    gap.unexpected = rest.iter().filter(|asset| !asset.silent).map(|asset| asset.id.clone()).collect();
    let by_id: BTreeMap<&AssetId, &Asset> = assets.iter().map(|asset| (&asset.id, asset)).collect();
    (gap.figures, gap.shares) = figures::count(&gap, &by_id);
    gap
}

fn sort_row(gap: &mut Gap, row: &Expected, pair: Option<(&Asset, By)>, doubtful: bool, looked_at: &LookedAt) {
    let why = match pair {
        Some((asset, by)) if !asset.silent => {
            gap.found.push(Found { row: row.clone(), asset: asset.id.clone(), by });
            return;
        }
        Some((asset, by)) => Why::Silent { asset: asset.id.clone(), since: asset.last.clone(), by },
        None if doubtful => Why::Ambiguous,
        None => looked_at.why(row),
    };
    gap.not_found.push(NotFound { row: row.clone(), why });
}

#[cfg(test)]
mod tests;
