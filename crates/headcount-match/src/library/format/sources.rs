//! A whole directory of fingerprints.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Entry, ExposureRule, Fault, Notes, Platform, Rule, Text, Vendor, Vendors, Vocabulary, entries, platforms,
    table, vendors,
};

/// What the files of a library say.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// The fingerprints of each field, in the files' order.
    pub fields: BTreeMap<Text, Vec<(Entry, Notes)>>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The exposures.
    pub exposures: Vec<ExposureRule>,
    /// The makers.
    pub vendors: Vec<Vendor>,
    /// The products whose CPE names are known, sorted.
    pub platforms: Vec<Platform>,
    /// The vocabulary, where a file of that name is among the files.
    pub vocabulary: Option<Vocabulary>,
}

impl Sources {
    /// Reads files, given by their paths within the library's directory and their text.
    ///
    /// `vocabulary.toml`, `vendors.tsv` and `cpe.tsv` are known by name; any other `.toml` holds entries, rules or exposures,
    /// any other `.tsv` is a table. `oui.tsv` and files with other endings are passed over.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub(crate) fn read(files: &[(String, String)]) -> Result<Self, Vec<Fault>> {
        let mut sources = Self::default();
        let mut faults = Vec::new();
        for (file, text) in files {
            if let Err(found) = sources.read_file(file, text) {
                faults.extend(found);
            }
        }
        faults.extend(sources.twice());
        let clashes = Vendors::clashes(&sources.vendors);
        faults.extend(clashes.into_iter().map(|cause| Fault::of_file("vendors.tsv", cause)));
        if faults.is_empty() { Ok(sources) } else { Err(faults) }
    }

    fn read_file(&mut self, file: &str, text: &str) -> Result<(), Vec<Fault>> {
        let name = file.rsplit('/').next().unwrap_or(file);
        match name.rsplit_once('.') {
            Some(("vocabulary", "toml")) => {
                self.vocabulary = Some(Vocabulary::read(file, text).map_err(|fault| vec![fault])?);
            }
            Some(("vendors", "tsv")) => self.vendors.extend(vendors::read(file, text)?),
            Some(("cpe", "tsv")) => self.platforms.extend(platforms::read(file, text)?),
            Some((_, "toml")) => {
                let contents = entries::read(file, text)?;
                for (field, entry, notes) in contents.entries {
                    self.fields.entry(field).or_default().push((entry, notes));
                }
                self.rules.extend(contents.rules);
                self.exposures.extend(contents.exposures);
            }
            Some((stem, "tsv")) if stem != "oui" => {
                let table = table::read(file, text)?;
                self.fields.entry(table.field).or_default().extend(table.rows);
            }
            _ => {}
        }
        Ok(())
    }

    /// Ids that are used twice.
    fn twice(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut known = BTreeSet::new();
        let entries = self.fields.iter().flat_map(|(field, entries)| {
            entries.iter().map(move |(entry, notes)| (field.as_ref(), &entry.id, &notes.file))
        });
        let rules = self.rules.iter().map(|rule| ("rule", &rule.id, &rule.file));
        let exposures = self.exposures.iter().map(|exposure| ("exposure", &exposure.id, &exposure.file));
        for (space, id, file) in entries.chain(rules).chain(exposures) {
            if !known.insert((space, id)) {
                let cause = format_args!("the id {space}/{id} is used twice");
                faults.push(Fault::of_entry(file, id, cause));
            }
        }
        let mut names = BTreeSet::new();
        for vendor in &self.vendors {
            if !names.insert(&vendor.name) {
                faults.push(Fault::of_entry("vendors.tsv", &vendor.name, "the name stands on two lines"));
            }
        }
        faults
    }
}
