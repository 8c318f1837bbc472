//! Fingerprints from a user's directory.

use std::{fs, path::Path};

use anyhow::{Context, anyhow, bail};
use headcount_match::{Fault, Library};

use crate::{args::LibraryArgs, exit::Failure};

/// Files above this size are no fingerprints.
const MAX_FILE: u64 = 64 << 20;
/// Directories below this depth are not looked into: a link may lead round in a circle.
const MAX_DEPTH: usize = 8;

/// The library that is compiled in, unless it is not wanted, with the directories laid over it in their order.
///
/// # Errors
/// A directory that cannot be read, or everything that is wrong with its files.
pub(in crate::commands) fn library(args: &LibraryArgs) -> Result<Library, Failure> {
    let mut library = if args.without_embedded { Library::empty() } else { Library::embedded() };
    for directory in &args.fingerprints {
        let files = read(directory).map_err(Failure::Usage)?;
        let (recog, native): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(name, _)| name.ends_with(".xml"));
        library.overlay(&native).map_err(|faults| unusable(directory, &faults))?;
        library.overlay_recog(&recog).map_err(|faults| unusable(directory, &faults))?;
    }
    Ok(library)
}

fn unusable(directory: &Path, faults: &[Fault]) -> Failure {
    let lines: Vec<String> = faults.iter().map(|fault| format!("\n{fault}")).collect();
    Failure::usage(anyhow!("the fingerprints in {} cannot be used:{}", directory.display(), lines.concat()))
}

/// The fingerprint files (`.toml`, `.tsv`, `.xml`) below a directory, sorted: path within it, and text.
///
/// # Errors
/// Something that cannot be read, is no text, or is too large.
pub(in crate::commands) fn read(directory: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    collect(directory, directory, 0, &mut files)?;
    if files.is_empty() {
        bail!("there are no fingerprint files (.toml, .tsv, .xml) in {}", directory.display());
    }
    files.sort();
    Ok(files)
}

fn collect(
    root: &Path,
    directory: &Path,
    depth: usize,
    files: &mut Vec<(String, String)>,
) -> anyhow::Result<()> {
    let cannot_read = |path: &Path| format!("cannot read {}", path.display());
    for item in fs::read_dir(directory).with_context(|| cannot_read(directory))? {
        let path = item.with_context(|| cannot_read(directory))?.path();
        if path.is_dir() {
            if depth < MAX_DEPTH {
                collect(root, &path, depth + 1, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|ending| ending == "toml" || ending == "tsv" || ending == "xml")
        {
            if fs::metadata(&path).with_context(|| cannot_read(&path))?.len() > MAX_FILE {
                bail!("{} is larger than 64 MiB", path.display());
            }
            let text = fs::read_to_string(&path).with_context(|| cannot_read(&path))?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.push((name, text));
        }
    }
    Ok(())
}
