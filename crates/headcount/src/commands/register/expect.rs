//! `headcount register expect`: what the organisation believes that it has.

use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

use anyhow::{Context, anyhow, bail};
use headcount_register::{Aside, ExpectedList, How, Reading, Store, read_expected};
use headcount_report::escape;

use super::{failure, open_or_make};
use crate::{
    args::ExpectArgs,
    exit::{self, Failure},
    prepare::now,
    say,
    session_output::print,
};

/// Larger files are no lists, in bytes.
const LARGEST: u64 = 512 << 20;
/// The most lines that are named with one reason.
const MOST_LINES: usize = 8;

/// Takes a list in.
pub(super) fn run(args: &ExpectArgs) -> Result<u8, Failure> {
    let file = args.file.display().to_string();
    let bytes = bytes_of(&args.file).map_err(Failure::Usage)?;
    let how = How { format: args.format, map: args.map.clone() };
    let Reading { format, rows, broken, left_out } = read_expected(&bytes, &how)
        .map_err(|error| Failure::usage(anyhow!("{file}: {}", escape::terminal(&error.to_string()))))?;
    for Aside { line, reason } in &broken {
        say(&format!("{file}:{line}: {}", escape::terminal(reason)));
    }
    tell_left_out(&file, &left_out);
    if rows.is_empty() {
        return Err(Failure::usage(anyhow!(
            "{file}: none of its rows is a device that is expected; nothing was changed"
        )));
    }
    let (taken, failed) = (rows.len(), broken.len());
    let source = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut store = open_or_make(&args.db, None).map_err(Failure::Usage)?;
    let is_new = store.expect(&ExpectedList { taken: now(), source, rows, broken }).map_err(failure)?;
    let known = if is_new { "" } else { ": as before, nothing was changed" };
    print(&format!(
        "{taken} devices are expected ({format}); {failed} rows are broken, {} left out{known}\n",
        left_out.len()
    ))?;
    Ok(if failed == 0 { exit::OK } else { exit::FAILED })
}

fn bytes_of(path: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(cannot)?;
    let length = file.take(LARGEST + 1).read_to_end(&mut bytes).with_context(cannot)?;
    if length as u64 > LARGEST {
        bail!("{} is larger than {} MiB, which no list is", path.display(), LARGEST >> 20);
    }
    Ok(bytes)
}

/// Rows that the list itself takes out, those with one reason together.
fn tell_left_out(file: &str, left_out: &[Aside]) {
    let mut reasons: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for Aside { line, reason } in left_out {
        reasons.entry(reason).or_default().push(*line);
    }
    for (reason, lines) in reasons {
        let named: Vec<String> = lines.iter().take(MOST_LINES).map(usize::to_string).collect();
        let more = if lines.len() > MOST_LINES { ", …" } else { "" };
        say(&format!(
            "{file}: {} rows left out: {} (lines {}{more})",
            lines.len(),
            escape::terminal(reason),
            named.join(", ")
        ));
    }
}
