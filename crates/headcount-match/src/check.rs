//! Whether a library is as it must be: every example against all entries of its field, every word in the vocabulary.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Claim, Condition, Entry, ExposureRule, Fault, Given, Library, Notes, Rule, Saying, derive};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Entries of each field, sorted by field.
    pub fields: Vec<(String, usize)>,
    /// How many rules there are.
    pub rules: usize,
    /// How many exposures there are.
    pub exposures: usize,
    /// How many examples and misses were tried, the keys of tables among them.
    pub examples: usize,
    /// Everything that is wrong, sorted by file.
    pub faults: Vec<Fault>,
}

/// Checks all of a library.
///
/// Each example must match its entry, and what it says must come out. Where two entries match one example and
/// disagree on an attribute of which there is only one, one of them must supersede the other one.
pub fn check(library: &Library) -> Checked {
    let mut check = Check { library, checked: Checked::default(), quarrels: BTreeSet::new() };
    let fields: Vec<String> = library.fields().map(|(field, _)| field.to_owned()).collect();
    for field in &fields {
        check.field(field);
    }
    library.rules().iter().for_each(|rule| check.rule(rule));
    library.exposures().iter().for_each(|exposure| check.exposure(exposure));
    let mut checked = check.checked;
    check_platforms(library, &mut checked.faults);
    checked.rules = library.rules().len();
    checked.exposures = library.exposures().len();
    checked.faults.sort();
    checked.faults.dedup();
    checked
}

/// CPE names need a maker that has one, in its one spelling.
fn check_platforms(library: &Library, faults: &mut Vec<Fault>) {
    for platform in library.platforms() {
        let vendor = platform.vendor.as_ref();
        let cause = match (library.vendor(vendor), library.vendor_cpe(vendor)) {
            (Some(known), _) if known != vendor => format!("vendors.tsv spells {vendor:?} {known:?}"),
            (Some(_), Some(_)) => continue,
            (Some(_), None) => format!("vendors.tsv has no CPE part for {vendor:?}"),
            (None, _) => format!("{vendor:?} is not in vendors.tsv"),
        };
        faults.push(Fault::of_entry("cpe.tsv", format_args!("{} {}", vendor, platform.product), cause));
    }
}

struct Check<'l> {
    library: &'l Library,
    checked: Checked,
    /// Pairs of entries that have been seen to disagree.
    quarrels: BTreeSet<(String, String)>,
}

impl Check<'_> {
    fn fault(&mut self, file: &str, entry: &str, cause: impl std::fmt::Display) {
        self.checked.faults.push(Fault::of_entry(file, entry, cause));
    }

    fn field(&mut self, field: &str) {
        let entries = self.library.entries(field);
        self.checked.fields.push((field.to_owned(), entries.len()));
        if !self.library.vocabulary().has_field(field) {
            let file = entries.first().map_or("", |(_, notes)| notes.file.as_ref());
            self.checked
                .faults
                .push(Fault::of_file(file, format_args!("{field:?} is no field of the vocabulary")));
        }
        for (entry, notes) in &entries {
            self.entry(field, entry, notes);
        }
    }

    fn entry(&mut self, field: &str, entry: &Entry, notes: &Notes) {
        let id = format!("{field}/{}", entry.id);
        for cause in self.words_of(&entry.says) {
            self.fault(&notes.file, &id, cause);
        }
        for cause in groups_of(entry) {
            self.fault(&notes.file, &id, cause);
        }
        for other in &entry.supersedes {
            if !self.has(other) {
                self.fault(&notes.file, &id, format_args!("it supersedes {other:?}, which is not there"));
            }
        }
        let key = entry.matcher.key();
        if notes.examples.is_empty() && key.is_none() {
            self.fault(&notes.file, &id, "it has no example");
        }
        if let Some(key) = key {
            self.example(field, entry, notes, key, &[]);
        }
        for example in &notes.examples {
            let says: Vec<_> =
                example.says.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
            self.example(field, entry, notes, &example.input, &says);
        }
        for miss in &notes.misses {
            self.checked.examples += 1;
            if entry.matcher.matches(miss) {
                self.fault(&notes.file, &id, format_args!("it matches {}, which it must miss", shown(miss)));
            }
        }
    }

    fn has(&self, id: &str) -> bool {
        id.split_once('/').is_some_and(|(field, id)| {
            self.library.entry_ids(field).is_some_and(|mut ids| ids.any(|known| known == id))
        })
    }

    /// What is wrong with the words that are said.
    fn words_of(&self, says: &[Saying]) -> Vec<String> {
        says.iter().filter_map(|saying| self.word(&saying.attribute, saying.value.fixed())).collect()
    }

    /// What is wrong with an attribute, or with a fixed value of it.
    fn word(&self, attribute: &str, value: Option<&str>) -> Option<String> {
        if self.library.vocabulary().attribute(attribute).is_none() {
            return Some(format!("{attribute:?} is no attribute of the vocabulary"));
        }
        let value = value?;
        if attribute == "device.type" && self.library.category(value).is_none() {
            return Some(format!("{value:?} is no device type of the vocabulary"));
        }
        if !attribute.ends_with(".vendor") {
            return None;
        }
        match self.library.vendor(value) {
            Some(known) if known == value => None,
            Some(known) => Some(format!("{attribute}: vendors.tsv spells {value:?} {known:?}")),
            None => Some(format!("{attribute}: {value:?} is not in vendors.tsv")),
        }
    }

    fn example(&mut self, field: &str, entry: &Entry, notes: &Notes, input: &[u8], says: &[(&str, &str)]) {
        self.checked.examples += 1;
        let id = format!("{field}/{}", entry.id);
        let matching = self.library.matching(field, input);
        if !matching.iter().any(|other| other.id == entry.id) {
            return self.fault(&notes.file, &id, format_args!("the example {} does not match", shown(input)));
        }
        let dropped: BTreeSet<&str> =
            matching.iter().flat_map(|other| other.supersedes.iter().map(AsRef::as_ref)).collect();
        if dropped.contains(id.as_str()) {
            let by = matching.iter().find(|other| other.supersedes.iter().any(|dropped| *dropped == id));
            let by = by.map_or("", |by| by.id.as_ref());
            self.fault(
                &notes.file,
                &id,
                format_args!("{field}/{by} supersedes it for its own example {}", shown(input)),
            );
        }
        self.expected(entry, notes, &id, input, says);
        let left: Vec<&Entry> = matching
            .into_iter()
            .filter(|other| !dropped.contains(format!("{field}/{}", other.id).as_str()))
            .collect();
        self.agreement(field, notes, input, &left);
    }

    /// Whether what the example says comes out.
    fn expected(&mut self, entry: &Entry, notes: &Notes, id: &str, input: &[u8], says: &[(&str, &str)]) {
        let claims = self.library.claims(entry, input).unwrap_or_default();
        for (attribute, wanted) in says {
            let said =
                claims.iter().find(|claim| claim.attribute == *attribute).map(|claim| claim.value.as_str());
            if said != Some(*wanted) {
                let said = said.map_or_else(|| "nothing".to_owned(), |said| format!("{said:?}"));
                let cause = format!("of {} it says {attribute} = {said}, not {wanted:?}", shown(input));
                self.fault(&notes.file, id, cause);
            }
        }
    }

    /// Whether all entries that match one value agree.
    fn agreement(&mut self, field: &str, notes: &Notes, input: &[u8], matching: &[&Entry]) {
        let mut said: BTreeMap<&str, Vec<(&Entry, String)>> = BTreeMap::new();
        for entry in matching {
            for Claim { attribute, value, .. } in self.library.claims(entry, input).unwrap_or_default() {
                said.entry(attribute).or_default().push((entry, value));
            }
        }
        for (attribute, values) in said {
            if !self.library.vocabulary().attribute(attribute).is_some_and(|rule| rule.single) {
                continue;
            }
            for (at, (one, a)) in values.iter().enumerate() {
                for (other, b) in values.iter().skip(at + 1).filter(|(_, b)| disagree(attribute, a, b)) {
                    let (one, other) = (format!("{field}/{}", one.id), format!("{field}/{}", other.id));
                    if self.quarrels.insert((one.clone(), other.clone())) {
                        let cause = format!(
                            "both match {} and disagree: {attribute} = {a:?} or {b:?}; one must supersede the other",
                            shown(input)
                        );
                        self.fault(&notes.file, &format!("{one} and {other}"), cause);
                    }
                }
            }
        }
    }

    fn conditions(&mut self, file: &str, id: &str, conditions: &[Condition]) {
        for condition in conditions {
            let values = condition.any.iter().map(|value| Some(value.as_ref())).chain([None]);
            let causes: Vec<String> =
                values.filter_map(|value| self.word(&condition.attribute, value)).collect();
            causes.into_iter().for_each(|cause| self.fault(file, id, cause));
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let id = format!("rule/{}", rule.id);
        for cause in self.words_of(&rule.says) {
            self.fault(&rule.file, &id, cause);
        }
        self.conditions(&rule.file, &id, &rule.when);
        if rule.examples.is_empty() {
            self.fault(&rule.file, &id, "it has no example");
        }
        for (given, wanted) in examples(&rule.examples, &rule.misses) {
            self.checked.examples += 1;
            let holds = rule.claims(|name| given.attribute(name)).next().is_some();
            if holds != wanted {
                self.fault(&rule.file, &id, outcome(given, holds));
            }
        }
    }

    fn exposure(&mut self, rule: &ExposureRule) {
        let id = format!("exposure/{}", rule.id);
        if let Some((field, _)) = &rule.evidence
            && !self.library.vocabulary().has_field(field)
        {
            self.fault(&rule.file, &id, format_args!("{field:?} is no field of the vocabulary"));
        }
        self.conditions(&rule.file, &id, &rule.when);
        if rule.examples.is_empty() {
            self.fault(&rule.file, &id, "it has no example");
        }
        for (given, wanted) in examples(&rule.examples, &rule.misses) {
            self.checked.examples += 1;
            let holds = rule.holds(|name| given.attribute(name))
                && (rule.evidence.is_none() || shown_by(rule, given));
            if holds != wanted {
                self.fault(&rule.file, &id, outcome(given, holds));
            }
        }
    }
}

fn shown_by(rule: &ExposureRule, given: &Given) -> bool {
    given.statements.iter().any(|(field, value)| {
        rule.shown_by(field, value.as_bytes())
            || derive(field, value.as_bytes()).iter().any(|(field, value)| rule.shown_by(field, value))
    })
}

/// Examples, of which a rule must hold, and misses, of which it must not.
fn examples<'g>(examples: &'g [Given], misses: &'g [Given]) -> impl Iterator<Item = (&'g Given, bool)> {
    examples.iter().map(|given| (given, true)).chain(misses.iter().map(|given| (given, false)))
}

fn outcome(given: &Given, holds: bool) -> String {
    let pairs: Vec<String> = given
        .statements
        .iter()
        .chain(&given.attributes)
        .map(|(name, value)| format!("{name} = {value:?}"))
        .collect();
    format!("it {} of {}", if holds { "holds" } else { "does not hold" }, pairs.join(", "))
}

/// Templates that name a group that is not there.
fn groups_of(entry: &Entry) -> Vec<String> {
    let groups = entry.matcher.groups();
    let mut causes = Vec::new();
    if groups.is_empty() && matches!(entry.matcher, crate::Matcher::Pattern(_)) {
        causes.push("the pattern takes too much memory when it is compiled".to_owned());
        return causes;
    }
    for saying in &entry.says {
        for group in saying.value.groups().filter(|group| !groups.iter().any(|known| known == group)) {
            causes
                .push(format!("{} = {}: the pattern has no group {group:?}", saying.attribute, saying.value));
        }
    }
    causes
}

/// Whether two values of one attribute cannot both be true. A longer name of the same thing is no contradiction.
fn disagree(attribute: &str, a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let exact = attribute == "device.type" || attribute.ends_with(".vendor");
    a != b && (exact || !(a.contains(&b) || b.contains(&a)))
}

/// A value for people, cut to what fits on a line.
fn shown(value: &[u8]) -> String {
    let cut = value.get(..80).unwrap_or(value);
    format!("\"{}{}\"", cut.escape_ascii(), if cut.len() < value.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests;
