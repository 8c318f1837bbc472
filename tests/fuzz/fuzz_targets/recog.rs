//! Files in Recog's form.

#![no_main]

use headcount_match::{Library, check_recog};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let files = [("ftp.xml".to_owned(), text.to_owned())];
    let checked = check_recog(&files, &|_| Some(bytes.to_vec()));
    assert!(checked.right <= checked.examples);
    let mut library = Library::empty();
    match library.overlay_recog(&files) {
        Ok(()) => {
            assert_eq!(checked.files, 1);
            for (field, count) in library.fields() {
                assert!(count <= checked.fingerprints);
                // Of one file only one fingerprint speaks.
                assert!(library.matches(field, bytes).iter().filter(|found| found.field == field).count() <= 1);
            }
        }
        Err(faults) => assert_eq!(faults, checked.faults),
    }
});
