//! From what was seen to what is there: observations folded into devices, and the registries that name them.

mod derive;
mod fold;
mod library;
mod makers;

pub use derive::{Derived, derive};
pub use fold::{Fold, Folded, Registries, SegmentCounts};
pub use library::{
    AttributeRule, Claim, Condition, Entry, Example, ExposureRule, Fault, Given, Library, MAX_VALUE, Match,
    Matcher, Notes, Pattern, Rule, Saying, Template, Text, Vendor, Vocabulary, Words, is_before,
};
pub use makers::{Makers, TableError};
