//! Every module that reads bytes is fuzzed under its own name.

use std::{fs, path::Path};

/// File names in `folder` that end in `.rs`, without that.
fn rust_files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[test]
fn every_reader_has_a_fuzz_target() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fuzz = package.join("../../tests/fuzz");
    let targets = rust_files(&fuzz.join("fuzz_targets"));
    let readers: Vec<String> = rust_files(&package.join("src"))
        .into_iter()
        .filter(|module| {
            let source = package.join("src").join(module).with_extension("rs");
            fs::read_to_string(source).unwrap().contains("pub fn parse(")
        })
        .collect();
    assert!(readers.len() >= 9, "the readers are not where this test looks: {readers:?}");
    let missing: Vec<_> = readers.iter().filter(|reader| !targets.contains(reader)).collect();
    assert!(missing.is_empty(), "no tests/fuzz/fuzz_targets/<name>.rs for {missing:?}");

    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let unlisted: Vec<_> =
        targets.iter().filter(|target| !manifest.contains(&format!("name = \"{target}\""))).collect();
    assert!(unlisted.is_empty(), "not in tests/fuzz/Cargo.toml: {unlisted:?}");
}
