//! What keeps a register.

use headcount_model::Run;
use thiserror::Error;

use crate::{Asset, AssetId, Change, ExpectedList, Key, Sighting};

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// The run had been taken in before: nothing was done.
    pub known: bool,
    /// It was older than others, so all runs were taken in again, in their order.
    pub replayed: bool,
    /// How many devices it saw.
    pub devices: usize,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// A run as the register keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The run's own record.
    pub run: Run,
    /// How many devices it saw.
    pub devices: usize,
}

/// Why a store cannot do what it was asked.
#[derive(Debug, Error)]
pub enum Failed {
    /// It cannot be opened, read or written.
    #[error("the register {store} cannot be used: {cause}")]
    Unusable {
        /// Which one.
        store: String,
        /// Why, and the way out where there is one.
        cause: String,
    },
    /// It was written by a newer version.
    #[error("the register {store} has form {found}, and this version knows {known}: use a newer headcount")]
    TooNew {
        /// Which one.
        store: String,
        /// The form that it has.
        found: u32,
        /// The newest form that is known.
        known: u32,
    },
    /// What was asked for is not there, or may not be done.
    #[error("{0}")]
    Refused(String),
}

/// A register, wherever it lies. Each change is made whole or not at all; writers wait for each other.
pub trait Store {
    /// Takes a run in. The same run twice changes nothing; a run older than others has all of them taken in again in
    /// their order, so that the register does not depend on when it heard of what.
    ///
    /// # Errors
    /// The store cannot be read or written; it is then as before.
    fn import(&mut self, run: &Run, sightings: &[Sighting]) -> Result<Imported, Failed>;

    /// The runs, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn runs(&self) -> Result<Vec<Stored>, Failed>;

    /// All assets, by id.
    ///
    /// # Errors
    /// The store cannot be read.
    fn assets(&self) -> Result<Vec<Asset>, Failed>;

    /// An asset; one that went into another is that one. `None` where there is none.
    ///
    /// # Errors
    /// The store cannot be read.
    fn asset(&self, id: &AssetId) -> Result<Option<Asset>, Failed>;

    /// The changes that the runs after `after` showed up to `until`, in their order; all of them without bounds.
    ///
    /// # Errors
    /// The store cannot be read.
    fn changes(&self, after: Option<&str>, until: Option<&str>) -> Result<Vec<Change>, Failed>;

    /// Makes keys stand for an asset, whatever else speaks against it, or no longer (`None`), all of them or none;
    /// everything is taken in again with that.
    ///
    /// # Errors
    /// There is no such asset; the store cannot be read or written.
    fn pin(&mut self, keys: &[Key], asset: Option<&AssetId>) -> Result<(), Failed>;

    /// What people pinned, by key.
    ///
    /// # Errors
    /// The store cannot be read.
    fn pins(&self) -> Result<Vec<(Key, AssetId)>, Failed>;

    /// Takes in what is expected from now on; earlier lists are kept. A list that says the same as the one before
    /// changes nothing: `false`.
    ///
    /// # Errors
    /// The store cannot be read or written; it is then as before.
    fn expect(&mut self, list: &ExpectedList) -> Result<bool, Failed>;

    /// What is expected: the list that was taken in last. `None` where there never was one.
    ///
    /// # Errors
    /// The store cannot be read.
    fn expected(&self) -> Result<Option<ExpectedList>, Failed>;
}
