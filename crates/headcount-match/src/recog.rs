//! Recog's fingerprints (github.com/rapid7/recog, BSD-2-Clause), read from its XML files.
//!
//! Recog is Ruby: anchors are those of lines, and `(?m)` means that a dot matches a line feed.

mod read;
mod words;

use std::{borrow::Cow, collections::BTreeMap};

use crate::{Entry, Fault, Library, Matcher, Notes, Saying, Template, Text};
use read::{File, Fingerprint, read};

/// How sure a fingerprint is that does not say.
const CERTAINTY: f64 = 0.85;

/// What Recog's examples showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecogChecked {
    /// How many files were read.
    pub files: usize,
    /// How many fingerprints they hold.
    pub fingerprints: usize,
    /// How many examples those have.
    pub examples: usize,
    /// How many of the examples match, with the parameters that they name.
    pub right: usize,
    /// Everything else.
    pub faults: Vec<Fault>,
}

/// Tries Recog's fingerprints on their own examples.
///
/// `files` are paths and texts; `beside` reads the file (a path as in `files`) that an example lies in.
pub fn check_recog(files: &[(String, String)], beside: &dyn Fn(&str) -> Option<Vec<u8>>) -> RecogChecked {
    let mut checked = RecogChecked::default();
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".xml")) {
        match read(name, text) {
            Ok(file) => {
                checked.files += 1;
                checked.fingerprints += file.fingerprints.len();
                file.fingerprints.iter().for_each(|one| try_examples(name, one, beside, &mut checked));
            }
            Err(faults) => checked.faults.extend(faults),
        }
    }
    checked
}

fn try_examples(
    file: &str,
    fingerprint: &Fingerprint,
    beside: &dyn Fn(&str) -> Option<Vec<u8>>,
    checked: &mut RecogChecked,
) {
    for example in &fingerprint.examples {
        checked.examples += 1;
        let cause = match example.bytes(file, beside) {
            Some(value) => wrong(fingerprint, &value, &example.params),
            None => Some("the example cannot be read".to_owned()),
        };
        match cause {
            Some(cause) => checked.faults.push(Fault::of_entry(file, &fingerprint.description, cause)),
            None => checked.right += 1,
        }
    }
}

/// Why a fingerprint does not do what its example says.
fn wrong(fingerprint: &Fingerprint, value: &[u8], wanted: &[(String, String)]) -> Option<String> {
    let Some(captures) = fingerprint.matcher.captures(value) else {
        return Some(format!(
            "the example \"{}\" does not match",
            value.get(..80).unwrap_or(value).escape_ascii()
        ));
    };
    let mut params = BTreeMap::new();
    for param in &fingerprint.params {
        let found = match param.position {
            0 => Some(Cow::Borrowed(param.value.as_str())),
            position => captures.get(&position.to_string()),
        };
        params.insert(param.name.as_str(), found.unwrap_or_default().into_owned());
    }
    wanted.iter().find_map(|(name, wanted)| {
        let said = params.get(name.as_str()).map(|value| interpolated(value, &params));
        (said.as_ref() != Some(wanted)).then(|| format!("{name} is {said:?}, not {wanted:?}"))
    })
}

/// `{os.version}` replaced by the value of that parameter; `-` stands for one that is empty.
fn interpolated(text: &str, params: &BTreeMap<&str, String>) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        plain.push_str(before);
        let known = after.split_once('}').and_then(|(name, after)| Some((params.get(name)?, after)));
        match known {
            Some((value, after)) => {
                plain.push_str(if value.is_empty() { "-" } else { value });
                rest = after;
            }
            None => {
                plain.push('{');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

impl Library {
    /// Lays Recog's XML files over the library, given by their paths and texts.
    ///
    /// Of each file only the first fingerprint that matches a value speaks, as in Recog. Files about something that
    /// headcount does not ask for are passed over.
    ///
    /// # Errors
    /// Everything that is wrong with the files; the library is then as before.
    pub fn overlay_recog(&mut self, files: &[(String, String)]) -> Result<(), Vec<Fault>> {
        let (mut read_files, mut faults) = (Vec::new(), Vec::new());
        for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".xml")) {
            match read(name, text) {
                Ok(file) => read_files.push((name, file)),
                Err(found) => faults.extend(found),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        for (name, file) in read_files {
            if let Some(field) = file.field() {
                let entries = entries(self, name, file);
                self.add(Cow::Owned(field.to_owned()), entries);
            }
        }
        Ok(())
    }
}

/// The entries of a file; a fingerprint that says nothing in our words still keeps later ones silent.
fn entries(library: &Library, name: &str, file: File) -> Vec<(Entry, Notes)> {
    let stem = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".xml").to_owned();
    let group: Text = format!("recog-{stem}").into();
    let entry = |(number, fingerprint): (usize, Fingerprint)| {
        let entry = Entry {
            id: format!("recog-{stem}-{}", number + 1).into(),
            says: says(library, &fingerprint),
            matcher: fingerprint.matcher,
            supersedes: Vec::new(),
            first_of: group.clone(),
            asks: Vec::new(),
        };
        let source = format!("Recog: {}", fingerprint.description).into();
        (entry, Notes { file: Cow::Owned(name.to_owned()), source, ..Notes::default() })
    };
    file.fingerprints.into_iter().enumerate().map(entry).collect()
}

fn says(library: &Library, fingerprint: &Fingerprint) -> Vec<Saying> {
    let certainty = |space: &str| {
        let own = fingerprint.params.iter().find(|param| param.name == format!("{space}.certainty"));
        own.and_then(|param| param.value.parse().ok())
            .filter(|sure| (0.01..=1.0).contains(sure))
            .unwrap_or(CERTAINTY)
    };
    let mut says: BTreeMap<&str, Saying> = BTreeMap::new();
    for param in &fingerprint.params {
        let Some(attribute) = words::attribute(&param.name) else { continue };
        let value = match param.position {
            0 if attribute == "device.type" => match words::device_type(library, &param.value) {
                Some(device_type) => Template::literal(device_type.to_owned()),
                None => continue,
            },
            0 => Template::literal(param.value.clone()),
            position => Template::group(position),
        };
        let space = param.name.split('.').next().unwrap_or_default();
        let attribute: Text = Cow::Borrowed(attribute);
        let saying = Saying { attribute, value, certainty: certainty(space) };
        // What the hardware is called comes before what the system on it says of it.
        if space == "hw" || !says.contains_key(saying.attribute.as_ref()) {
            let Cow::Borrowed(name) = saying.attribute else { continue };
            says.insert(name, saying);
        }
    }
    says.into_values().collect()
}

impl Fingerprint {
    fn new(pattern: &str, flags: &str, description: String) -> Result<Self, String> {
        Ok(Self {
            matcher: Matcher::Pattern(read::pattern(pattern, flags)?),
            description,
            params: Vec::new(),
            examples: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests;
