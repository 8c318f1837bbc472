//! What an organisation believes that it has, read from the files that it keeps that in.
//!
//! A list is data of people: no two look the same, and some rows are wrong. What cannot be read is returned with its
//! line and the reason, so that no row is lost without a word.

mod csv;
mod field;
mod glpi;
mod json;
mod netbox;
mod row;
mod service_now;
mod shape;
mod snipe_it;
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
};

use headcount_model::{MacAddr, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use field::Field;

use shape::Shape;

/// A device that should be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// What the organisation calls it; often its host name.
    pub name: Option<String>,
    /// The number of the sticker on it.
    pub asset_tag: Option<String>,
    /// The maker's serial number, as written.
    pub serial: Option<String>,
    /// Its MAC addresses.
    pub macs: BTreeSet<MacAddr>,
    /// The addresses that it should have.
    pub addresses: BTreeSet<IpAddr>,
    /// Its host and DNS names, lower case.
    pub names: BTreeSet<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// What kind of device it is, in the organisation's own words.
    pub device_type: Option<String>,
    /// Who it belongs to or works with it.
    pub owner: Option<String>,
    /// Where it stands.
    pub location: Option<String>,
    /// The network that it belongs in, in the organisation's own words or as a CIDR.
    pub segment: Option<String>,
    /// The line of the file at which its row begins, from 1.
    pub source_line: usize,
}

/// A row that is not in the list, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// The line of the file at which it begins, from 1.
    pub line: usize,
    /// Why. It may quote the file.
    pub reason: String,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whose form it has.
    pub format: Format,
    /// The devices, in the file's order.
    pub rows: Vec<Expected>,
    /// Rows that cannot be read.
    pub broken: Vec<Aside>,
    /// Rows of devices that the list itself calls retired, deleted or planned.
    pub left_out: Vec<Aside>,
}

/// A list as the register keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedList {
    /// When it was taken in.
    pub taken: Timestamp,
    /// The file's name.
    pub source: String,
    /// The devices.
    pub rows: Vec<Expected>,
    /// Rows that could not be read.
    pub broken: Vec<Aside>,
}

/// The forms that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A table with a header (RFC 4180; also with semicolons or tabs).
    Csv,
    /// A list of objects, bare or as `rows`, `results`, `result` or `data` of an object.
    Json,
    /// Snipe-IT.
    SnipeIt,
    /// NetBox.
    #[serde(rename = "netbox")]
    NetBox,
    /// GLPI.
    Glpi,
    /// ServiceNow.
    #[serde(rename = "servicenow")]
    ServiceNow,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Csv, Self::Json, Self::SnipeIt, Self::NetBox, Self::Glpi, Self::ServiceNow];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::SnipeIt => "snipe-it",
            Self::NetBox => "netbox",
            Self::Glpi => "glpi",
            Self::ServiceNow => "servicenow",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the user says about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// Its form, where it is not to be recognised.
    pub format: Option<Format>,
    /// What columns mean, beside those that are recognised; `None` for one that is not to be read. In JSON the column
    /// is a member, or a path of members parted by dots.
    pub map: Vec<(String, Option<Field>)>,
}

/// Why nothing of a file can be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// There is nothing in it.
    #[error("there is no row in it")]
    Empty,
    /// No column says anything that is known.
    #[error("none of its columns is known: {}; --map COLUMN=FIELD says what a column means", .0.join(", "))]
    NoColumn(Vec<String>),
    /// `--map` names a column that is not there.
    #[error("there is no column {column:?} in it; there are {}", .there.join(", "))]
    Mapped {
        /// The column.
        column: String,
        /// The columns that there are.
        there: Vec<String>,
    },
    /// It is no JSON.
    #[error("it is no JSON: {0}")]
    Json(String),
    /// JSON, but no list of objects.
    #[error("it has no list of objects: neither itself nor its rows, results, result or data is one")]
    NoList,
}

/// A row as it stands in a file.
#[derive(Debug)]
pub(crate) struct Raw {
    line: usize,
    /// What it says, or why that cannot be read.
    said: Result<Vec<(Field, String)>, String>,
    /// Why the list itself does not expect it.
    left_out: Option<String>,
}

/// Reads a file, whatever bytes are in it.
///
/// # Errors
/// Nothing in it can be read as rows.
pub fn read(bytes: &[u8], how: &How) -> Result<Reading, Unreadable> {
    let text = text::decode(bytes);
    let looks_json = text.trim_start().starts_with(['{', '[']);
    let as_json = match how.format {
        Some(Format::Csv) => false,
        Some(Format::Json) => true,
        _ => looks_json,
    };
    let (shape, raw) = if as_json { json::rows(&text, how)? } else { csv::rows(&text, how)? };
    if raw.is_empty() {
        return Err(Unreadable::Empty);
    }
    Ok(sorted(shape, raw))
}

/// The rows that are devices, those that are broken and those that are not expected.
fn sorted(shape: &Shape, raw: Vec<Raw>) -> Reading {
    let mut reading =
        Reading { format: shape.format, rows: Vec::new(), broken: Vec::new(), left_out: Vec::new() };
    let mut seen = BTreeMap::new();
    for Raw { line, said, left_out } in raw {
        if let Some(reason) = left_out {
            reading.left_out.push(Aside { line, reason });
            continue;
        }
        let made = said.and_then(|said| row::make(line, &said));
        match made.and_then(|row| row::alone(&row, &mut seen).map(|()| row)) {
            Ok(row) => reading.rows.push(row),
            Err(reason) => reading.broken.push(Aside { line, reason }),
        }
    }
    reading
}

#[cfg(test)]
mod tests;
