//! From what was seen to what is there: observations folded into devices, and the registries that name them.

mod fold;
mod makers;

pub use fold::{Fold, Folded, Registries, SegmentCounts};
pub use makers::{Makers, TableError};
