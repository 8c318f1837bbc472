//! Compiles the registries and the fingerprints into the forms that are embedded and used without parsing.
#![expect(clippy::disallowed_methods, reason = "a build script reads its inputs")]

use std::{
    env,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

#[path = "src/library/format/mod.rs"]
#[expect(unreachable_pub, dead_code, unused_imports, reason = "the library is the other user of these files")]
mod format;
#[path = "src/makers/table.rs"]
#[expect(unreachable_pub, dead_code, reason = "the library is the other user of this file")]
mod table;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../fingerprints");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=src/makers/table.rs");
    println!("cargo::rerun-if-changed=src/library/format");
    fs::write(out.join("oui.bin"), makers(&root.join("tables/oui.tsv"))?)?;
    fs::write(out.join("library.bin"), library(&root)?)?;
    Ok(())
}

fn makers(source: &Path) -> Result<Vec<u8>, String> {
    let text = fs::read_to_string(source).map_err(|error| format!("{}: {error}", source.display()))?;
    table::encode(&text).map_err(|error| format!("{}: {error}", source.display()))
}

fn library(root: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut files = Vec::new();
    collect(root, root, &mut files)?;
    files.sort();
    let sources = format::Sources::read(&files).map_err(|faults| {
        faults.iter().for_each(|fault| println!("cargo::error=fingerprints/{fault}"));
        "there are fingerprints that cannot be compiled in"
    })?;
    Ok(format::encode(&sources))
}

/// The files of the library under `directory`: their paths within `root`, and their text.
fn collect(root: &Path, directory: &Path, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for item in fs::read_dir(directory)? {
        let path = item?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "toml" || ending == "tsv") {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
