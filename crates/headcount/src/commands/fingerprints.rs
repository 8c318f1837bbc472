//! `headcount fingerprints`: what the library holds, and whether it is as it must be.

pub(super) mod files;

use std::{fmt::Write, path::Path};

use anyhow::anyhow;
use headcount_match::{Checked, Entry, Library, Matcher, Notes, check, check_recog};

use crate::{
    args::{FingerprintsArgs, FingerprintsCommand},
    exit::{self, Failure},
    say,
    session_output::print,
};

/// Does what the command line says.
pub(super) fn run(args: &FingerprintsArgs) -> Result<u8, Failure> {
    match &args.command {
        FingerprintsCommand::Check(args) => match (&args.recog, &args.directory) {
            (Some(recog), _) => recog_examples(recog),
            (None, directory) => {
                let directories: Vec<_> = directory.iter().cloned().collect();
                let library = files::library(&directories, directory.is_some())?;
                report(&check(&library), directory.is_none())
            }
        },
        FingerprintsCommand::List(args) => {
            let library = files::library(&args.library.fingerprints, args.library.without_embedded)?;
            print(&args.field.as_ref().map_or_else(|| fields(&library), |field| entries(&library, field)))?;
            Ok(exit::OK)
        }
        FingerprintsCommand::Explain(args) => {
            let library = files::library(&args.library.fingerprints, args.library.without_embedded)?;
            let text = explain(&library, &args.id)
                .ok_or_else(|| Failure::usage(anyhow!("there is no fingerprint {:?}", args.id)))?;
            print(&text)?;
            Ok(exit::OK)
        }
    }
}

fn report(checked: &Checked, embedded: bool) -> Result<u8, Failure> {
    let mut text = String::new();
    for (field, count) in &checked.fields {
        let _ = writeln!(text, "{count:>8}  {field}");
    }
    let total: usize = checked.fields.iter().map(|(_, count)| count).sum();
    let _ = writeln!(text, "{total:>8}  fingerprints in {} fields", checked.fields.len());
    let _ = writeln!(text, "{:>8}  rules", checked.rules);
    let _ = writeln!(text, "{:>8}  exposures", checked.exposures);
    let _ = writeln!(text, "{:>8}  examples tried", checked.examples);
    let _ = writeln!(text, "{:>8}  faults", checked.faults.len());
    if embedded {
        let _ = writeln!(text, "{:>8}  bytes compiled in", Library::embedded_size());
    }
    print(&text)?;
    checked.faults.iter().for_each(|fault| say(&fault.to_string()));
    Ok(if checked.faults.is_empty() { exit::OK } else { exit::FAILED })
}

/// Recog's own examples.
fn recog_examples(directory: &Path) -> Result<u8, Failure> {
    let files = files::read(directory).map_err(Failure::Usage)?;
    let beside = |name: &str| std::fs::read(directory.join(name)).ok();
    let checked = check_recog(&files, &beside);
    let text = format!(
        "{:>8}  fingerprints in {} files\n{:>8}  examples, of which {} match as they say\n{:>8}  faults\n",
        checked.fingerprints,
        checked.files,
        checked.examples,
        checked.right,
        checked.faults.len()
    );
    print(&text)?;
    checked.faults.iter().for_each(|fault| say(&fault.to_string()));
    Ok(if checked.faults.is_empty() { exit::OK } else { exit::FAILED })
}

fn fields(library: &Library) -> String {
    let mut text = String::new();
    for (field, count) in library.fields() {
        let _ = writeln!(text, "{count:>8}  {field}");
    }
    let _ = writeln!(text, "{:>8}  rules", library.rules().len());
    let _ = writeln!(text, "{:>8}  exposures", library.exposures().len());
    text
}

fn entries(library: &Library, field: &str) -> String {
    let mut text = String::new();
    for (entry, _) in library.entries(field) {
        let says: Vec<String> =
            entry.says.iter().map(|saying| format!("{} = {}", saying.attribute, saying.value)).collect();
        let _ = writeln!(text, "{field}/{}  {}", entry.id, says.join(", "));
    }
    text
}

fn explain(library: &Library, id: &str) -> Option<String> {
    if let Some(rule) =
        id.strip_prefix("rule/").and_then(|id| library.rules().iter().find(|rule| rule.id == id))
    {
        return Some(format!("{rule:#?}\n"));
    }
    if let Some(exposure) = id
        .strip_prefix("exposure/")
        .and_then(|id| library.exposures().iter().find(|exposure| exposure.id == id))
    {
        return Some(format!("{exposure:#?}\n"));
    }
    // A table's key may hold a slash, a field does not.
    let (field, own) = id.split_once('/')?;
    let (entry, notes) = library.entries(field).into_iter().find(|(entry, _)| entry.id == own)?;
    Some(entry_text(field, &entry, &notes))
}

fn entry_text(field: &str, entry: &Entry, notes: &Notes) -> String {
    let mut text = format!("{field}/{}\n  matches   {}\n", entry.id, matcher_text(&entry.matcher));
    for saying in &entry.says {
        let _ =
            writeln!(text, "  says      {} = {} ({:.2})", saying.attribute, saying.value, saying.certainty);
    }
    for other in &entry.supersedes {
        let _ = writeln!(text, "  instead of {other}");
    }
    let _ = writeln!(text, "  source    {}", notes.source);
    let _ = writeln!(text, "  file      {}", notes.file);
    for example in &notes.examples {
        let _ = writeln!(text, "  example   \"{}\"", example.input.escape_ascii());
        for (attribute, value) in &example.says {
            let _ = writeln!(text, "              {attribute} = {value}");
        }
    }
    for miss in &notes.misses {
        let _ = writeln!(text, "  misses    \"{}\"", miss.escape_ascii());
    }
    text
}

fn matcher_text(matcher: &Matcher) -> String {
    let words = |kind: &str, words: &headcount_match::Words| {
        let any: Vec<String> = words.any.iter().map(|word| format!("\"{}\"", word.escape_ascii())).collect();
        format!("{kind} {}{}", any.join(" or "), if words.ignore_case { ", in any case" } else { "" })
    };
    match matcher {
        Matcher::Pattern(pattern) => format!("/{}/", pattern.text),
        Matcher::Equals(list) => words("exactly", list),
        Matcher::Prefix(list) => words("what starts with", list),
        Matcher::LongestPrefix(list) => words("what starts with", list),
        Matcher::Contains(list) => words("what holds", list),
        Matcher::OidPrefix(oid) => format!("{oid} and what lies below it"),
    }
}
