//! The library that is compiled in, asked about whatever a device might say.
//!
//! Each statement is two bytes that choose the field, two bytes of length, and its value.

#![no_main]

use std::sync::LazyLock;

use headcount_match::{Library, MAX_VALUE, Said, identify};
use libfuzzer_sys::fuzz_target;

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::embedded);
static FIELDS: LazyLock<Vec<&str>> = LazyLock::new(|| LIBRARY.fields().map(|(field, _)| field).collect());

fuzz_target!(|bytes: &[u8]| {
    let mut said = Vec::new();
    let mut rest = bytes;
    while let Some(([a, b, c, d], after)) = rest.split_first_chunk::<4>() {
        let field = FIELDS[usize::from(u16::from_be_bytes([*a, *b])) % FIELDS.len()];
        let length = usize::from(u16::from_be_bytes([*c, *d])).min(after.len());
        let (value, after) = after.split_at(length);
        said.push(Said { endpoint: None, field, value });
        rest = after;
    }
    for one in &said {
        let pages = LIBRARY.asks(one.field, one.value);
        assert!(pages.iter().all(|path| path.starts_with('/') && !path.contains('#')));
        for found in LIBRARY.matches(one.field, one.value) {
            assert!(found.value.len() <= MAX_VALUE);
            for claim in found.claims {
                assert!(claim.certainty > 0.0 && claim.certainty <= 1.0);
                assert!(!claim.value.trim().is_empty());
            }
        }
    }
    let identity = identify(&LIBRARY, &said);
    for attribute in &identity.attributes {
        assert!((0.0..1.0).contains(&attribute.confidence) && !attribute.value.is_empty());
    }
    // Neither order nor repeats matter.
    said.reverse();
    said.extend_from_within(..said.len() / 2);
    assert_eq!(identify(&LIBRARY, &said), identity);
});
