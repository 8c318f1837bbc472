//! The form in which facts about devices are written down, and the form in which they are compiled in.
//!
//! The build script uses this directory too (it compiles `fingerprints/` into the embedded library), so nothing in
//! it needs anything of the crate.

mod blob;
mod conditions;
mod entries;
mod fault;
mod literals;
mod matcher;
mod pack;
mod platforms;
mod sources;
mod table;
mod template;
mod vendors;
mod vocabulary;

use std::borrow::Cow;

pub(crate) use blob::{Blob, Part, encode};
pub use conditions::{Condition, ExposureRule, Given, Rule, is_before};
pub use fault::Fault;
pub use matcher::{Matcher, Pattern, Words};
pub use platforms::Platform;
pub(crate) use sources::Sources;
pub use template::Template;
pub use vendors::Vendor;
pub(crate) use vendors::Vendors;
pub use vocabulary::{AttributeRule, Vocabulary};

use pack::{Packed, Packer, Unpacker, packed};

/// Text that lies in the embedded library, or was read from a user's file.
pub type Text = Cow<'static, str>;
/// Bytes that lie in the embedded library, or were read from a user's file.
pub(crate) type Bytes = Cow<'static, [u8]>;

/// What one fingerprint says where it matches: attribute = value.
#[derive(Clone, Debug, PartialEq)]
pub struct Saying {
    /// The attribute, as in the vocabulary.
    pub attribute: Text,
    /// The value, with what the pattern captured.
    pub value: Template,
    /// The probability that it is true given the match, from 0 to 1.
    pub certainty: f64,
}

packed!(Saying { attribute, value, certainty });

/// One fingerprint: what it matches in its field, and what that says.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Unique within its field.
    pub id: Text,
    /// What matches.
    pub matcher: Matcher,
    /// What that says.
    pub says: Vec<Saying>,
    /// The whole ids (`http.server/apache`) of the fingerprints whose claims are dropped where both match.
    pub supersedes: Vec<Text>,
    /// Of all entries of one field with the same, not empty list only the first that matches speaks.
    pub first_of: Text,
    /// Pages (path and query) whose content says more of what this entry matches, to be asked for in turn on the port
    /// that said the value: at most [`Entry::MOST_ASKS`].
    pub asks: Vec<Text>,
}

packed!(Entry { id, matcher, says, supersedes, first_of, asks });

impl Entry {
    /// Pages that one entry may ask for.
    pub const MOST_ASKS: usize = 2;
    /// Bytes of such a page's path and query at the most.
    pub const LONGEST_ASK: usize = 128;
}

/// What stands beside an entry for those who read and check it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The file, relative to the library's directory.
    pub file: Text,
    /// Where the fact comes from.
    pub source: Text,
    /// Values that must match.
    pub examples: Vec<Example>,
    /// Values that must not match.
    pub misses: Vec<Bytes>,
}

packed!(Notes { file, source, examples, misses });

/// A value that must match, and what must come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The value.
    pub input: Bytes,
    /// Attributes that must come out so.
    pub says: Vec<(Text, Text)>,
}

packed!(Example { input, says });
