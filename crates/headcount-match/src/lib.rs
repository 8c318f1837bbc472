//! From what was seen to what is there: observations folded into devices, and the registries that name them.

mod check;
mod cpe;
mod derive;
mod exposure;
mod fold;
mod fusion;
mod identify;
mod library;
mod makers;
mod recog;
mod score;

pub use check::{Checked, check};
pub use derive::{Derived, derive};
pub use fold::{Fold, Folded, Registries, SegmentCounts};
pub use fusion::confidence::{Band, calibration};
pub use identify::{Identity, MAKER_FIELD, Said, identify};
pub use library::{
    AttributeRule, Claim, Condition, Entry, Example, ExposureRule, Fault, Given, Library, MAX_VALUE, Match,
    Matcher, Notes, Pattern, Platform, Rule, Saying, Template, Text, Vendor, Vocabulary, Words, is_before,
};
pub use makers::{Makers, TableError};
pub use recog::{RecogChecked, check_recog};
pub use score::{Aspect, Kind, Mean, Record, Score, Tally, Truth};
