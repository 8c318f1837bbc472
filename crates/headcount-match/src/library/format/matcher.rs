//! What a value is compared with.

use std::{borrow::Cow, fmt, sync::OnceLock};

use regex::bytes::{Regex, RegexBuilder};

use super::{
    Bytes, Text, literals,
    pack::{Packed, Packer, Unpacker, packed},
};

/// The most memory, in bytes, that one compiled pattern may take.
const PATTERN_LIMIT: usize = 4 << 20;

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Matcher {
    /// A pattern, anywhere unless it is anchored.
    Pattern(Pattern),
    /// The whole value is one of these.
    Equals(Words),
    /// The value starts with one of these.
    Prefix(Words),
    /// The value holds one of these.
    Contains(Words),
    /// A row of a table: the value starts with this, and no longer row does.
    LongestPrefix(Words),
    /// A row of a table: the value is this object identifier or lies below it, and no longer row's does.
    OidPrefix(Text),
}

/// Alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Any of these.
    pub any: Vec<Bytes>,
    /// Whether `A` and `a` are the same (ASCII only).
    pub ignore_case: bool,
}

packed!(Words { any, ignore_case });

impl Words {
    fn any(&self, test: impl Fn(&[u8]) -> bool) -> bool {
        self.any.iter().any(|word| test(word))
    }

    fn same(&self, a: &[u8], b: &[u8]) -> bool {
        if self.ignore_case { a.eq_ignore_ascii_case(b) } else { a == b }
    }
}

impl Matcher {
    /// Whether `value` matches.
    ///
    /// Time is linear in the value's length. A row of a table matches here also where a longer row does.
    pub fn matches(&self, value: &[u8]) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.compiled().is_some_and(|regex| regex.is_match(value)),
            Self::Equals(words) => words.any(|word| words.same(value, word)),
            Self::Prefix(words) | Self::LongestPrefix(words) => {
                words.any(|word| value.get(..word.len()).is_some_and(|start| words.same(start, word)))
            }
            Self::Contains(words) => words.any(|word| {
                word.is_empty() || value.windows(word.len()).any(|window| words.same(window, word))
            }),
            Self::OidPrefix(oid) => value
                .strip_prefix(b".")
                .unwrap_or(value)
                .strip_prefix(oid.as_bytes())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b".")),
        }
    }

    /// What was captured in `value`, nothing where the matcher is no pattern. `None` where it does not match.
    pub fn captures<'v>(&self, value: &'v [u8]) -> Option<Captures<'v>> {
        match self {
            Self::Pattern(pattern) => {
                let captures = pattern.compiled()?.captures(value)?;
                Some(Captures(Some(captures)))
            }
            other => other.matches(value).then_some(Captures(None)),
        }
    }

    /// The key of a table's row: a value that it must match.
    pub fn key(&self) -> Option<&[u8]> {
        match self {
            Self::LongestPrefix(words) | Self::Equals(words) => words.any.first().map(AsRef::as_ref),
            Self::OidPrefix(oid) => Some(oid.as_bytes()),
            Self::Pattern(_) | Self::Prefix(_) | Self::Contains(_) => None,
        }
    }

    /// The names and numbers of the groups that a template may name.
    pub fn groups(&self) -> Vec<String> {
        let Self::Pattern(pattern) = self else { return Vec::new() };
        let Some(regex) = pattern.compiled() else { return Vec::new() };
        let names = regex.capture_names().flatten().map(str::to_owned);
        names.chain((0..regex.captures_len()).map(|number| number.to_string())).collect()
    }
}

/// What a matcher captured.
#[derive(Debug)]
pub struct Captures<'v>(Option<regex::bytes::Captures<'v>>);

impl<'v> Captures<'v> {
    /// The text of a group, by name or number. `None` where it took no part.
    pub fn get(&self, group: &str) -> Option<Cow<'v, str>> {
        let captures = self.0.as_ref()?;
        let found = match group.parse::<usize>() {
            Ok(number) => captures.get(number),
            Err(_) => captures.name(group),
        };
        found.map(|found| String::from_utf8_lossy(found.as_bytes()))
    }
}

impl Packed for Matcher {
    fn pack(&self, to: &mut Packer) {
        let (kind, words) = match self {
            Self::Pattern(pattern) => {
                0_u32.pack(to);
                return pattern.pack(to);
            }
            Self::OidPrefix(oid) => {
                1_u32.pack(to);
                return oid.pack(to);
            }
            Self::Equals(words) => (2_u32, words),
            Self::Prefix(words) => (3, words),
            Self::Contains(words) => (4, words),
            Self::LongestPrefix(words) => (5, words),
        };
        kind.pack(to);
        words.pack(to);
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        Some(match u32::unpack(from)? {
            0 => Self::Pattern(Packed::unpack(from)?),
            1 => Self::OidPrefix(Packed::unpack(from)?),
            2 => Self::Equals(Packed::unpack(from)?),
            3 => Self::Prefix(Packed::unpack(from)?),
            4 => Self::Contains(Packed::unpack(from)?),
            5 => Self::LongestPrefix(Packed::unpack(from)?),
            _ => return None,
        })
    }
}

/// A regular expression on bytes, compiled when it is first used.
#[derive(Clone)]
pub struct Pattern {
    /// The expression: `regex` syntax, Unicode off, linear time.
    pub text: Text,
    /// What a value must hold one of, in lower case; empty where that is not known.
    pub needles: Vec<Bytes>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    /// Why it is none; look-around and back-references are refused.
    pub fn new(text: impl Into<Text>) -> Result<Self, String> {
        let text = text.into();
        let needles = literals::required(&text)?.into_iter().map(Cow::Owned).collect();
        Ok(Self { text, needles, compiled: OnceLock::new() })
    }

    /// The compiled expression. `None` where it takes more memory than one may.
    pub fn compiled(&self) -> Option<&Regex> {
        let compile = || {
            RegexBuilder::new(&self.text)
                .unicode(false)
                .size_limit(PATTERN_LIMIT)
                .nest_limit(100)
                .build()
                .ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.text)
    }
}

impl Packed for Pattern {
    fn pack(&self, to: &mut Packer) {
        self.text.pack(to);
        self.needles.pack(to);
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        Some(Self { text: Packed::unpack(from)?, needles: Packed::unpack(from)?, compiled: OnceLock::new() })
    }
}
