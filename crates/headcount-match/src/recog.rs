//! Recog's XML.

use crate::{Fault, Library};

/// What Recog's examples showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecogChecked {
    /// How many files were read.
    pub files: usize,
    /// How many fingerprints they hold.
    pub fingerprints: usize,
    /// How many examples.
    pub examples: usize,
    /// How many of them match as they say.
    pub right: usize,
    /// Everything else.
    pub faults: Vec<Fault>,
}

/// Tries.
pub fn check_recog(_files: &[(String, String)], _beside: &dyn Fn(&str) -> Option<Vec<u8>>) -> RecogChecked {
    RecogChecked::default()
}

impl Library {
    /// Lays.
    ///
    /// # Errors
    /// Faults.
    pub fn overlay_recog(&mut self, _files: &[(String, String)]) -> Result<(), Vec<Fault>> {
        Ok(())
    }
}
