//! `headcount fingerprints`: what the library holds, and whether it is as it must be.

mod explain;
pub(super) mod files;
mod score;

use std::{fmt::Write, path::Path};

use anyhow::anyhow;
use explain::explain;
use headcount_match::{Checked, Library, check, check_recog};

use crate::{
    args::{FingerprintsArgs, FingerprintsCommand, LibraryArgs},
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
                let library = files::library(&LibraryArgs {
                    fingerprints: directory.iter().cloned().collect(),
                    without_embedded: directory.is_some(),
                })?;
                report(&check(&library), directory.is_none())
            }
        },
        FingerprintsCommand::List(args) => {
            let library = files::library(&args.library)?;
            print(&args.field.as_ref().map_or_else(|| fields(&library), |field| entries(&library, field)))?;
            Ok(exit::OK)
        }
        FingerprintsCommand::Explain(args) => {
            let library = files::library(&args.library)?;
            let text = explain(&library, &args.id)
                .ok_or_else(|| Failure::usage(anyhow!("there is no fingerprint {:?}", args.id)))?;
            print(&text)?;
            Ok(exit::OK)
        }
        FingerprintsCommand::Score(args) => {
            let library = files::library(&args.library)?;
            let score = score::score(&library, &args.files)?;
            print(&score::table(&score))?;
            let wide = if args.too_wide { score::too_wide(&score) } else { String::new() };
            print(&wide)?;
            Ok(if wide.is_empty() { exit::OK } else { exit::FAILED })
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
