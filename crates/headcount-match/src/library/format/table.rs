//! Tables: one row is one fingerprint.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Bytes, Entry, Fault, Matcher, Notes, Saying, Template, Text, Words};

/// How sure a table is that does not say.
const DEFAULT_CERTAINTY: f64 = 0.9;
/// The header lines that are read; other comments are for people.
const KEYS: [&str; 5] = ["field", "match", "certainty", "source", "columns"];

/// The rows of a table, and the field that they are about.
#[derive(Debug)]
pub(super) struct Table {
    pub field: Text,
    pub rows: Vec<(Entry, Notes)>,
}

/// What stands above the rows.
struct Head<'t> {
    values: BTreeMap<&'static str, &'t str>,
    certainty: f64,
    columns: Vec<&'t str>,
}

/// Reads header lines (`# field: …`, `# match: …`, `# certainty: …`, `# source: …`, `# columns: …`) and rows.
pub(super) fn read(file: &str, text: &str) -> Result<Table, Vec<Fault>> {
    let head = Head::read(text).map_err(|cause| vec![Fault::of_file(file, cause)])?;
    let field: Text = head.get("field").to_owned().into();
    let mut faults = Vec::new();
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match head.row(line) {
            Ok(entry) => {
                let source = head.get("source").to_owned().into();
                rows.push((entry, Notes { file: file.to_owned().into(), source, ..Notes::default() }));
            }
            Err(cause) => faults.push(Fault::of_entry(file, format_args!("line {}", number + 1), cause)),
        }
    }
    if faults.is_empty() { Ok(Table { field, rows }) } else { Err(faults) }
}

impl<'t> Head<'t> {
    fn read(text: &'t str) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        for line in text.lines().take_while(|line| line.starts_with('#') || line.trim().is_empty()) {
            let Some((key, value)) = line.trim_start_matches('#').split_once(':') else { continue };
            if let Some(known) = KEYS.into_iter().find(|known| *known == key.trim()) {
                // The columns are parted by tabs, so those at the end count.
                values.insert(known, value.trim_start_matches(' ').trim_end_matches(['\r', ' ']));
            }
        }
        let missing = ["field", "columns", "source"].into_iter().find(|key| !values.contains_key(key));
        if let Some(missing) = missing {
            return Err(format!("the table's head has no line \"# {missing}: …\""));
        }
        let certainty = match values.get("certainty") {
            Some(text) => super::entries::certainty(text.trim().parse().ok())?,
            None => DEFAULT_CERTAINTY,
        };
        let columns: Vec<&str> =
            values.get("columns").map(|text| text.split('\t').map(str::trim).collect()).unwrap_or_default();
        if columns.len() < 2 {
            return Err("the columns are \"key\" and attributes, parted by tabs".to_owned());
        }
        let kind = values.get("match").copied().unwrap_or("equals");
        if !matches!(kind, "equals" | "equals-ignore-case" | "prefix" | "prefix-ignore-case" | "oid-prefix") {
            return Err(format!(
                "{kind:?} is no way to match; there are equals, equals-ignore-case, prefix, prefix-ignore-case and oid-prefix"
            ));
        }
        Ok(Self { values, certainty, columns })
    }

    fn get(&self, key: &str) -> &'t str {
        self.values.get(key).copied().unwrap_or_default().trim()
    }

    fn row(&self, line: &str) -> Result<Entry, String> {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        if cells.len() > self.columns.len() {
            return Err(format!("{} cells, but {} columns", cells.len(), self.columns.len()));
        }
        let key = cells.first().copied().filter(|key| !key.is_empty()).ok_or("the row has no key")?;
        let pairs = || self.columns.iter().zip(&cells).skip(1).filter(|(_, cell)| !cell.is_empty());
        let own = pairs().find(|(column, _)| **column == "certainty");
        let certainty = match own {
            Some((_, cell)) => super::entries::certainty(cell.parse().ok())?,
            None => self.certainty,
        };
        let says: Vec<Saying> = pairs()
            .filter(|(column, _)| **column != "certainty")
            .map(|(column, cell)| Saying {
                attribute: (*column).to_owned().into(),
                value: Template::literal((*cell).to_owned()),
                certainty,
            })
            .collect();
        if says.is_empty() {
            return Err("the row says nothing".to_owned());
        }
        Ok(Entry {
            id: key.to_owned().into(),
            matcher: self.matcher(key),
            says,
            supersedes: Vec::new(),
            first_of: Text::default(),
            asks: Vec::new(),
        })
    }

    fn matcher(&self, key: &str) -> Matcher {
        let kind = self.values.get("match").copied().unwrap_or("equals");
        let any: Vec<Bytes> = vec![Cow::Owned(key.as_bytes().to_vec())];
        let words = Words { any, ignore_case: kind.ends_with("-ignore-case") };
        match kind {
            "oid-prefix" => Matcher::OidPrefix(key.trim_matches('.').to_owned().into()),
            "prefix" | "prefix-ignore-case" => Matcher::LongestPrefix(words),
            _ => Matcher::Equals(words),
        }
    }
}
