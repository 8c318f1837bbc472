//! Facts about attributes: rules that draw one from others, and the states in which no device should stand.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    Saying, Text,
    matcher::{Matcher, Pattern},
    pack::{Packed, Packer, Unpacker, packed},
};

/// What an attribute must be like.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The attribute.
    pub attribute: Text,
    /// The values, any of which it may have, in any case; empty where there is a pattern.
    pub any: Vec<Text>,
    /// The pattern that its value must match.
    pub pattern: Option<Pattern>,
}

packed!(Condition { attribute, any, pattern });

impl Condition {
    /// Whether an attribute with this value is as it must be.
    pub fn holds(&self, value: &str) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.compiled().is_some_and(|regex| regex.is_match(value.as_bytes())),
            None => self.any.iter().any(|wanted| wanted.eq_ignore_ascii_case(value)),
        }
    }
}

/// Attributes that say another one: an Axis whose model starts with P and four digits is a camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique among rules.
    pub id: Text,
    /// All of these must hold.
    pub when: Vec<Condition>,
    /// What that says; values without captures, or with those of the conditions' patterns.
    pub says: Vec<Saying>,
    /// Where the fact comes from.
    pub source: Text,
    /// The file that it stands in.
    pub file: Text,
    /// Attributes for which it must hold.
    pub examples: Vec<Given>,
    /// Attributes for which it must not hold.
    pub misses: Vec<Given>,
}

packed!(Rule { id, when, says, source, file, examples, misses });

impl Rule {
    /// What the rule says (attribute, value, certainty) of a device whose attributes `value_of` knows.
    ///
    /// Empty unless all conditions hold. The certainty is the rule's alone: multiply it with the least confidence
    /// among the conditions' attributes.
    pub fn claims<'v>(
        &self,
        value_of: impl Fn(&str) -> Option<&'v str>,
    ) -> impl Iterator<Item = (&str, String, f64)> {
        let mut captured: BTreeMap<String, String> = BTreeMap::new();
        let all = self.when.iter().all(|condition| {
            value_of(&condition.attribute).is_some_and(|value| {
                let holds = condition.holds(value);
                if let (true, Some(regex)) = (holds, condition.pattern.as_ref().and_then(Pattern::compiled)) {
                    capture(regex, value, &mut captured);
                }
                holds
            })
        });
        let said = self.says.iter().filter(move |_| all);
        said.filter_map(move |saying| {
            let value =
                saying.value.render(|group| captured.get(group).map(|text| Cow::Owned(text.clone())))?;
            Some((saying.attribute.as_ref(), value, saying.certainty))
        })
    }
}

fn capture(regex: &regex::bytes::Regex, value: &str, to: &mut BTreeMap<String, String>) {
    let Some(captures) = regex.captures(value.as_bytes()) else { return };
    for name in regex.capture_names().flatten() {
        if let Some(found) = captures.name(name) {
            to.insert(name.to_owned(), String::from_utf8_lossy(found.as_bytes()).into_owned());
        }
    }
}

/// A state in which a device should not stand, and what shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ExposureRule {
    /// Unique among exposures.
    pub id: Text,
    /// `disclosed`, `factory-state`, `no-authentication` or `known-default`.
    pub grade: Text,
    /// What it is, in a few words.
    pub title: Text,
    /// The field whose value shows it, and what that must be like; `None` where attributes alone show it.
    pub evidence: Option<(Text, Matcher)>,
    /// What the device must be besides.
    pub when: Vec<Condition>,
    /// Only where `device.version` is known and older than this.
    pub version_before: Option<Text>,
    /// The probability that it is so, from 0 to 1.
    pub certainty: f64,
    /// What to do about it.
    pub remedy: Text,
    /// The controls of ISO/IEC 27001:2022, Annex A, that it bears on.
    pub controls: Vec<Text>,
    /// Where the fact comes from.
    pub source: Text,
    /// The file that it stands in.
    pub file: Text,
    /// What it must be seen in.
    pub examples: Vec<Given>,
    /// What it must not be seen in.
    pub misses: Vec<Given>,
}

packed!(ExposureRule {
    id,
    grade,
    title,
    evidence,
    when,
    version_before,
    certainty,
    remedy,
    controls,
    source,
    file,
    examples,
    misses
});

impl ExposureRule {
    /// Whether a statement of `field` (raw or derived) shows it, attributes apart.
    pub fn shown_by(&self, field: &str, value: &[u8]) -> bool {
        self.evidence.as_ref().is_some_and(|(wanted, matcher)| wanted == field && matcher.matches(value))
    }

    /// Whether the conditions on attributes hold, the version's too.
    pub fn holds<'v>(&self, value_of: impl Fn(&str) -> Option<&'v str>) -> bool {
        let old = |limit: &Text| value_of("device.version").is_some_and(|version| is_before(version, limit));
        self.when
            .iter()
            .all(|condition| value_of(&condition.attribute).is_some_and(|value| condition.holds(value)))
            && self.version_before.as_ref().is_none_or(old)
    }
}

/// Statements and attributes that an example gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Field and value.
    pub statements: Vec<(Text, Text)>,
    /// Attribute and value.
    pub attributes: Vec<(Text, Text)>,
}

packed!(Given { statements, attributes });

impl Given {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value.as_ref())
    }
}

/// Whether a version comes before another one: runs of digits are compared as numbers, the rest is only a border.
pub fn is_before(version: &str, limit: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(|c: char| !c.is_ascii_digit())
            .filter(|digits| !digits.is_empty())
            .map(|digits| digits.parse().unwrap_or(u64::MAX))
            .collect()
    };
    let (version, limit) = (numbers(version), numbers(limit));
    !version.is_empty() && version < limit
}
