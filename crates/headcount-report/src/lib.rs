//! What a run found, in the forms that people and programs read: JSON, NDJSON, CSV and a table.
//!
//! The model goes in, bytes come out. This is the only place that escapes: whatever the network said passes through
//! [`escape`] on its way to a terminal or a spreadsheet, and through a JSON string on its way to a program.

mod csv;
mod document;
pub mod escape;
mod json;
mod ndjson;
mod table;
mod unknown;
mod words;

pub use csv::csv;
pub use document::{Document, schema};
pub use json::{json, json_line};
pub use ndjson::{Ndjson, Record, Start, record_schema};
pub use table::{Explaining, TableOptions, explain, find, table};
pub use unknown::unknown;

#[cfg(test)]
mod tests;
