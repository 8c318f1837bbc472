//! What devices said that are not fully named, without what tells whose they are: for whoever writes fingerprints.

mod scrub;

use std::{collections::BTreeMap, io};

use headcount_model::{Device, Scope, Statement};
use serde::Serialize;

use crate::{Document, json::json_line};
use scrub::{Scrub, is_shared};

/// A claim counts as an answer from here on.
const ANSWERED: f64 = 0.5;
/// What a fully named device has. Either of the last two will do.
const WANTED: [&str; 2] = ["device.vendor", "device.type"];
const NAMED_BY: [&str; 2] = ["device.product", "device.model"];

/// One device, in the form that `headcount identify` reads.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    /// What is missing.
    missing: Vec<&'a str>,
    /// What is thought so far.
    known: BTreeMap<&'a str, Known<'a>>,
    observations: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Known<'a> {
    value: &'a str,
    confidence: f64,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Said<'a> {
    field: &'a str,
    value: String,
}

/// Writes one line of JSON for each device of `document` whose maker, type, or product is not known with a confidence
/// of 0.5, and that said something: `{"id", "missing", "known", "observations": [{"field", "value"}]}`.
///
/// The ids count from 1. Only fields that tell what a device is are written; addresses, MAC addresses, UUIDs, mail
/// addresses, serial numbers and the device's own names are replaced in their values by `<ip>`, `<mac>`, `<uuid>`,
/// `<mail>`, `<serial>` and `<name>`. A text that an owner typed in a place of the maker's, a title say, stays.
///
/// # Errors
/// When `out` cannot be written.
pub fn unknown(document: &Document, out: &mut dyn io::Write) -> io::Result<()> {
    let mut id = 0;
    for device in document.devices.iter().filter(|device| !device.this_machine) {
        let missing = missing(device);
        let observations = observations(device, &document.run.scope);
        if missing.is_empty() || observations.is_empty() {
            continue;
        }
        id += 1;
        let line = Line { id: format!("{id}"), missing, known: known(device), observations };
        json_line(&line, out)?;
    }
    Ok(())
}

fn missing(device: &Device) -> Vec<&'static str> {
    let has = |name: &&str| device.attribute(name).is_some_and(|found| found.confidence >= ANSWERED);
    let mut missing: Vec<_> = WANTED.into_iter().filter(|name| !has(name)).collect();
    if !NAMED_BY.iter().any(has) {
        missing.push("device.product");
    }
    missing
}

fn known(device: &Device) -> BTreeMap<&str, Known<'_>> {
    let tells = |name: &str| name.starts_with("device.") || name.starts_with("os.");
    let whose =
        |name: &str| matches!(name, "device.serial" | "device.name" | "device.mac" | "device.location");
    let of = device.attributes.iter().filter(|a| a.endpoint.is_none() && tells(&a.name) && !whose(&a.name));
    of.map(|a| (a.name.as_str(), Known { value: &a.value, confidence: a.confidence })).collect()
}

fn observations<'a>(device: &'a Device, scope: &Scope) -> Vec<Said<'a>> {
    let scrub = Scrub::new(device, scope);
    let said = |statement: &Statement| scrub.shared(&statement.field, &statement.value.text());
    let shared = device.statements.iter().filter(|statement| is_shared(&statement.field));
    let mut all: Vec<_> = shared
        .filter_map(|statement| Some(Said { field: &statement.field, value: said(statement)? }))
        .collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests;
