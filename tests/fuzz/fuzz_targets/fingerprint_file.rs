//! A user's files: fingerprints, rules, exposures, tables, makers, vocabulary.
//!
//! The first byte chooses the kind of file.

#![no_main]

use headcount_match::{Library, check};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 4] = ["a.toml", "tables/a.tsv", "vendors.tsv", "vocabulary.toml"];

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let name = NAMES[usize::from(*kind) % NAMES.len()];
    let mut library = Library::empty();
    match library.overlay(&[(name.to_owned(), text.to_owned())]) {
        Ok(()) => {
            // Whatever can be read can be checked and asked.
            let checked = check(&library);
            assert_eq!(checked.fields.len(), library.fields().count());
            for (field, _) in library.fields() {
                for (entry, notes) in library.entries(field) {
                    assert!(!entry.says.is_empty() && notes.file == name);
                    let _ = library.matches(field, text.as_bytes());
                }
            }
        }
        Err(faults) => {
            assert!(faults.iter().all(|fault| !fault.cause.is_empty()));
            assert_eq!(library.fields().count() + library.rules().len() + library.exposures().len(), 0);
        }
    }
});
