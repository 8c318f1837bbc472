//! The library that is compiled in: it says what the files say, and all of it holds.
#![expect(clippy::disallowed_methods, reason = "the test reads the files that were compiled in")]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use headcount_match::{Library, Said, check, identify};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fingerprints")
}

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

#[test]
fn the_compiled_library_is_the_files() {
    let mut files = Vec::new();
    collect(&root(), &root(), &mut files).unwrap();
    files.sort();
    let mut read = Library::empty();
    read.overlay(&files).unwrap();
    let embedded = Library::embedded();
    let fields: Vec<_> = embedded.fields().collect();
    assert!(fields.len() > 50, "{fields:?}");
    assert_eq!(read.fields().collect::<Vec<_>>(), fields);
    for (field, count) in fields {
        let entries = embedded.entries(field);
        assert_eq!(entries.len(), count);
        assert_eq!(read.entries(field), entries, "{field}");
    }
    assert_eq!(read.rules(), embedded.rules());
    assert_eq!(read.exposures(), embedded.exposures());
    assert_eq!(read.vendors(), embedded.vendors());
    assert_eq!(read.vocabulary(), embedded.vocabulary());
}

#[test]
fn all_examples_hold_and_no_two_fingerprints_contradict() {
    let checked = check(&Library::embedded());
    let faults: Vec<String> = checked.faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(checked.examples > 10_000, "{}", checked.examples);
}

#[test]
fn a_device_is_identified_by_what_it_said() {
    let library = Library::embedded();
    let said = [("http.server", "Hikvision-Webs"), ("snmp.sysobjectid", "1.3.6.1.4.1.39165.1.1")];
    let said = said.map(|(field, value)| Said { endpoint: None, field, value: value.as_bytes() });
    let identity = identify(&library, &said);
    let value =
        |name: &str| identity.attributes.iter().find(|one| one.name == name).map(|one| one.value.as_str());
    assert_eq!(value("device.vendor"), Some("Hikvision"));
}
