//! The fingerprints: what is known of devices, and which of it a value matches.

#[allow(
    clippy::allow_attributes,
    dead_code,
    unused_imports,
    reason = "the build script is the other user of these files"
)]
mod format;
mod index;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use crate::derive::{TEXT, derive};
use format::{Blob, Part, Sources, Vendors};
use index::Index;

pub use format::{
    AttributeRule, Condition, Entry, Example, ExposureRule, Fault, Given, Matcher, Notes, Pattern, Platform,
    Rule, Saying, Template, Text, Vendor, Vocabulary, Words, is_before,
};

static EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.bin"));

/// Values are matched in their first 16 KiB.
pub const MAX_VALUE: usize = 16 << 10;

/// All fingerprints, rules, exposures, makers and the vocabulary.
///
/// What is compiled in costs nothing until it is asked for: a field's entries are unpacked when a value of it is
/// matched first, a pattern is compiled when a value holds what the pattern cannot match without.
#[derive(Debug, Default)]
pub struct Library {
    blob: Blob,
    fields: BTreeMap<Text, Field>,
    rules: OnceLock<Vec<Rule>>,
    exposures: OnceLock<Vec<ExposureRule>>,
    vendors: OnceLock<Vendors>,
    platforms: OnceLock<Vec<Platform>>,
    vocabulary: OnceLock<Vocabulary>,
}

/// The fingerprints of one field.
#[derive(Debug, Default)]
struct Field {
    part: Option<Part>,
    added: Vec<(Entry, Notes)>,
    ready: OnceLock<Index>,
}

/// A fingerprint that matched a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Match<'a> {
    /// Its whole id: `http.server/hikvision-webs`.
    pub fingerprint: Cow<'a, str>,
    /// The field that it matched: the value's own, or one derived from it.
    pub field: Cow<'a, str>,
    /// The value of that field.
    pub value: Cow<'a, [u8]>,
    /// What that says.
    pub claims: Vec<Claim<'a>>,
}

/// What one fingerprint says of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim<'a> {
    /// The attribute.
    pub attribute: &'a str,
    /// Its value, a maker's name in its one spelling.
    pub value: String,
    /// The probability that it is true given the match, from 0 to 1.
    pub certainty: f64,
}

impl Library {
    /// The library that is compiled in.
    pub fn embedded() -> Self {
        // The build wrote it, and a test reads all of it.
        let (blob, parts) = Blob::open(EMBEDDED).unwrap_or_default();
        let field = |part: Part| (part.field.clone(), Field { part: Some(part), ..Field::default() });
        Self { blob, fields: parts.into_iter().map(field).collect(), ..Self::default() }
    }

    /// A library that knows no device, only the vocabulary and the makers that are compiled in.
    pub fn empty() -> Self {
        Self { fields: BTreeMap::new(), ..Self::embedded().without_facts() }
    }

    fn without_facts(self) -> Self {
        Self { rules: OnceLock::from(Vec::new()), exposures: OnceLock::from(Vec::new()), ..self }
    }

    /// The size of the compiled library in bytes.
    pub fn embedded_size() -> usize {
        EMBEDDED.len()
    }

    /// Lays files over the library, given by their paths and texts; what has the same id is replaced.
    ///
    /// # Errors
    /// Everything that is wrong with the files; the library is then as before.
    pub fn overlay(&mut self, files: &[(String, String)]) -> Result<(), Vec<Fault>> {
        let sources = Sources::read(files)?;
        let known = self.vendor_table().list.clone();
        let vendors = Vendors::join(known, sources.vendors);
        self.vendors = OnceLock::from(vendors);
        let platforms = replaced(self.platforms().to_vec(), sources.platforms, |platform| {
            format!("{}\t{}\t{}", platform.space, platform.vendor, platform.product).into()
        });
        self.platforms = OnceLock::from(platforms);
        for (field, entries) in sources.fields {
            self.add(field, entries);
        }
        let rules = replaced(self.rules().to_vec(), sources.rules, |rule| rule.id.clone());
        self.rules = OnceLock::from(rules);
        let exposures = replaced(self.exposures().to_vec(), sources.exposures, |rule| rule.id.clone());
        self.exposures = OnceLock::from(exposures);
        if let Some(vocabulary) = sources.vocabulary {
            self.vocabulary = OnceLock::from(vocabulary);
        }
        Ok(())
    }

    /// Adds entries to a field; those of the same ids are replaced.
    pub(crate) fn add(&mut self, field: Text, entries: Vec<(Entry, Notes)>) {
        let slot = self.fields.entry(field).or_default();
        let before = std::mem::take(&mut slot.added);
        slot.added = replaced(before, entries, |(entry, _)| entry.id.clone());
        slot.ready = OnceLock::new();
    }

    /// All fingerprints that match `value`, a value of `field`, or a field derived from it.
    ///
    /// Only the value's first 16 KiB are looked at. Claims of fingerprints that another match supersedes are left
    /// out, and so are those that words of a text make where a fingerprint of the field itself says as surely what the
    /// attribute is. What matched in a text is shown as the field that the text stood in.
    pub fn matches<'a>(&'a self, field: &str, value: &'a [u8]) -> Vec<Match<'a>> {
        let value = value.get(..MAX_VALUE).unwrap_or(value);
        let mut found = Vec::new();
        let mut dropped = BTreeSet::new();
        self.match_field(field, Cow::Borrowed(value), &mut found, &mut dropped);
        let mut words = Vec::new();
        for (field, value) in derive(field, value) {
            let into = if field == TEXT { &mut words } else { &mut found };
            self.match_field(&field, value, into, &mut dropped);
        }
        found.retain(|found| !dropped.contains(found.fingerprint.as_ref()));
        words.retain(|found| !dropped.contains(found.fingerprint.as_ref()));
        words.iter_mut().for_each(|word| word.field = Cow::Owned(field.to_owned()));
        let words = words.into_iter().filter_map(|word| beside(&found, word)).collect::<Vec<_>>();
        found.extend(words);
        found
    }

    /// The pages (path and query) that fingerprints of `field`, and of fields derived from it, ask for where they match
    /// `value`: each once, in the order of the fingerprints. What another match supersedes asks for nothing.
    ///
    /// Only the value's first 16 KiB are looked at.
    pub fn asks(&self, field: &str, value: &[u8]) -> Vec<&str> {
        let value = value.get(..MAX_VALUE).unwrap_or(value);
        let own = (Cow::Borrowed(field), Cow::Borrowed(value));
        let heard: Vec<_> = std::iter::once(own).chain(derive(field, value)).collect();
        let slot = |field: &str| self.fields.get(field).map(|slot| slot.index(&self.blob));
        // Most fields have none that asks: they cost nothing.
        if !heard.iter().any(|(field, _)| slot(field).is_some_and(Index::asks)) {
            return Vec::new();
        }
        let matching = heard.iter().flat_map(|(field, value)| {
            self.matching(field, value).into_iter().map(move |entry| (field.as_ref(), entry))
        });
        let matching: Vec<(&str, &Entry)> = matching.collect();
        let dropped: BTreeSet<&str> =
            matching.iter().flat_map(|(_, entry)| entry.supersedes.iter().map(AsRef::as_ref)).collect();
        let mut asked = Vec::new();
        for (field, entry) in matching.iter().filter(|(_, entry)| !entry.asks.is_empty()) {
            if !dropped.contains(format!("{field}/{}", entry.id).as_str()) {
                asked.extend(entry.asks.iter().map(AsRef::as_ref));
            }
        }
        let mut known = BTreeSet::new();
        asked.retain(|path| known.insert(*path));
        asked
    }

    /// The fingerprints of exactly this field that match `value`, superseded ones too, in their order.
    pub(crate) fn matching<'a>(&'a self, field: &str, value: &[u8]) -> Vec<&'a Entry> {
        let value = value.get(..MAX_VALUE).unwrap_or(value);
        self.fields.get(field).map(|slot| slot.index(&self.blob).matching(value)).unwrap_or_default()
    }

    /// The matches in one field; `dropped` takes the ids that they supersede.
    fn match_field<'a>(
        &'a self,
        field: &str,
        value: Cow<'a, [u8]>,
        found: &mut Vec<Match<'a>>,
        dropped: &mut BTreeSet<&'a str>,
    ) {
        let Some((name, slot)) = self.fields.get_key_value(field) else { return };
        for entry in slot.index(&self.blob).matching(&value) {
            let Some(claims) = self.claims(entry, &value) else { continue };
            dropped.extend(entry.supersedes.iter().map(AsRef::as_ref));
            found.push(Match {
                fingerprint: Cow::Owned(format!("{name}/{}", entry.id)),
                field: Cow::Borrowed(name),
                value: value.clone(),
                claims,
            });
        }
    }

    /// What an entry says of `value`; `None` where it does not match.
    pub(crate) fn claims<'a>(&self, entry: &'a Entry, value: &[u8]) -> Option<Vec<Claim<'a>>> {
        let captures = entry.matcher.captures(value)?;
        let claim = |saying: &'a Saying| {
            let value = saying.value.render(|group| captures.get(group))?;
            let vendor = saying.attribute.ends_with(".vendor").then(|| self.vendor(&value)).flatten();
            let value = vendor.map_or(value, str::to_owned);
            Some(Claim { attribute: &saying.attribute, value, certainty: saying.certainty })
        };
        Some(entry.says.iter().filter_map(claim).collect())
    }

    /// The rules over attributes.
    pub fn rules(&self) -> &[Rule] {
        self.rules.get_or_init(|| self.blob.rules().unwrap_or_default())
    }

    /// The exposures.
    pub fn exposures(&self) -> &[ExposureRule] {
        self.exposures.get_or_init(|| self.blob.exposures().unwrap_or_default())
    }

    fn vendor_table(&self) -> &Vendors {
        self.vendors.get_or_init(|| self.blob.vendors().unwrap_or_default())
    }

    /// The one spelling of a maker's name. `None` where the maker is not known.
    pub fn vendor(&self, spelling: &str) -> Option<&str> {
        self.vendor_table().find(spelling).map(|vendor| vendor.name.as_ref())
    }

    /// The vendor part of a maker's CPE names. `None` where the maker or that part is not known.
    pub(crate) fn vendor_cpe(&self, spelling: &str) -> Option<&str> {
        self.vendor_table().find(spelling).map(|vendor| vendor.cpe.as_ref()).filter(|cpe| !cpe.is_empty())
    }

    /// The products whose CPE names are known.
    pub fn platforms(&self) -> &[Platform] {
        self.platforms.get_or_init(|| self.blob.platforms().unwrap_or_default())
    }

    /// The product that is named so, in any case. `None` where its CPE name is not known.
    pub(crate) fn platform(&self, space: &str, vendor: &str, product: &str) -> Option<&Platform> {
        let named = |platform: &&Platform| {
            platform.space == space
                && platform.vendor.eq_ignore_ascii_case(vendor)
                && platform.product.eq_ignore_ascii_case(product)
        };
        self.platforms().iter().find(named)
    }

    /// All makers, sorted by name.
    pub fn vendors(&self) -> &[Vendor] {
        &self.vendor_table().list
    }

    /// The closed lists.
    pub fn vocabulary(&self) -> &Vocabulary {
        self.vocabulary.get_or_init(|| self.blob.vocabulary().unwrap_or_default())
    }

    /// The category of a device type: `camera` is `video`. `None` where there is no such type.
    pub fn category(&self, device_type: &str) -> Option<&str> {
        self.vocabulary().category(device_type)
    }

    /// The fields that have fingerprints, sorted, and how many.
    pub fn fields(&self) -> impl Iterator<Item = (&str, usize)> {
        self.fields.iter().map(|(name, field)| (name.as_ref(), field.len()))
    }

    /// The ids of the fingerprints of a field. `None` where there is no such field.
    pub(crate) fn entry_ids(&self, field: &str) -> Option<impl Iterator<Item = &str>> {
        let slot = self.fields.get(field)?;
        Some(slot.index(&self.blob).entries().iter().map(|entry| entry.id.as_ref()))
    }

    /// The fingerprints of a field, each with what stands beside it; compiled-in ones first, in the files' order.
    pub fn entries(&self, field: &str) -> Vec<(Entry, Notes)> {
        self.fields.get(field).map(|slot| slot.all(&self.blob)).unwrap_or_default()
    }
}

/// What a match in a text adds to those of the field itself; `None` where nothing.
fn beside<'a>(own: &[Match<'a>], mut word: Match<'a>) -> Option<Match<'a>> {
    let said = |claim: &Claim<'_>| {
        let all = own.iter().flat_map(|found| &found.claims);
        all.filter(|own| own.attribute == claim.attribute).any(|own| own.certainty >= claim.certainty)
    };
    word.claims.retain(|claim| !said(claim));
    (!word.claims.is_empty()).then_some(word)
}

/// `old` and `new`, where a new one takes the place of an old one of the same key.
fn replaced<T>(mut old: Vec<T>, new: Vec<T>, key: impl Fn(&T) -> Text) -> Vec<T> {
    let keys: BTreeSet<Text> = new.iter().map(&key).collect();
    old.retain(|item| !keys.contains(&key(item)));
    old.extend(new);
    old
}

impl Field {
    fn index(&self, blob: &Blob) -> &Index {
        self.ready.get_or_init(|| {
            let packed = self.part.as_ref().and_then(|part| blob.entries(part)).unwrap_or_default();
            Index::new(replaced(
                packed,
                self.added.iter().map(|(entry, _)| entry.clone()).collect(),
                |entry| entry.id.clone(),
            ))
        })
    }

    fn all(&self, blob: &Blob) -> Vec<(Entry, Notes)> {
        let entries = self.part.as_ref().and_then(|part| blob.entries(part)).unwrap_or_default();
        let notes = self.part.as_ref().and_then(|part| blob.notes(part)).unwrap_or_default();
        replaced(entries.into_iter().zip(notes).collect(), self.added.clone(), |(entry, _)| entry.id.clone())
    }

    fn len(&self) -> usize {
        if self.added.is_empty() {
            return self.part.as_ref().map_or(0, |part| part.count as usize);
        }
        self.ready.get().map_or_else(
            || self.part.as_ref().map_or(0, |part| part.count as usize) + self.added.len(),
            |index| index.len(),
        )
    }
}
