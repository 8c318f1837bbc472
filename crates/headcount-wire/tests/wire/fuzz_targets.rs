//! Every module that reads bytes is fuzzed under its own name.

#![expect(clippy::disallowed_methods, reason = "the test reads the sources; the crate reads no files")]

use std::{fs, io, path::Path};

/// File names in `folder` that end in `.rs`, without that.
fn rust_files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

#[test]
fn every_reader_has_a_fuzz_target() -> io::Result<()> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fuzz = package.join("../../tests/fuzz");
    let targets = rust_files(&fuzz.join("fuzz_targets"))?;
    let mut readers = Vec::new();
    for module in rust_files(&package.join("src"))? {
        let source = fs::read_to_string(package.join("src").join(&module).with_extension("rs"))?;
        if source.contains("pub fn parse(") {
            readers.push(module);
        }
    }
    assert!(readers.len() >= 9, "the readers are not where this test looks: {readers:?}");
    let missing: Vec<_> = readers.iter().filter(|reader| !targets.contains(reader)).collect();
    assert!(missing.is_empty(), "no tests/fuzz/fuzz_targets/<name>.rs for {missing:?}");

    let manifest = fs::read_to_string(fuzz.join("Cargo.toml"))?;
    let unlisted: Vec<_> =
        targets.iter().filter(|target| !manifest.contains(&format!("name = \"{target}\""))).collect();
    assert!(unlisted.is_empty(), "not in tests/fuzz/Cargo.toml: {unlisted:?}");
    Ok(())
}
