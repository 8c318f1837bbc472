//! Which device is it over time: identity across runs, and what changed.
//!
//! Runs go in as sightings, one for each device that a run found; [`reconcile`] says which asset each of them is. It is
//! pure: what is known so far is passed in, and what it decides comes out with the reason.

mod asset;
mod change;
mod expected;
mod gap;
mod intake;
mod key;
mod reconcile;
#[cfg(test)]
mod sample;
mod sighting;
mod sqlite;
mod store;

pub use asset::{Asset, At};
pub use change::{Change, What};
pub use expected::{
    Aside, Expected, ExpectedList, Field, Format, How, Reading, Unreadable, read as read_expected,
};
pub use gap::{Ambiguity, By, Doubt, Figures, Found, Gap, LookedAt, NotFound, Shares, Why, gap};
pub use intake::{Intake, View, take_in};
pub use key::{Key, KeyKind, keys_of};
pub use reconcile::{AssetId, Assignment, Because, Held, Pins, Reconciled, reconcile};
pub use sighting::{Fact, ServiceAt, Sighting, Software, sightings};
pub use sqlite::Sqlite;
pub use store::{Failed, Imported, Store, Stored};
