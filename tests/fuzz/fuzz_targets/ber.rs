//! BER elements, and the elements inside of them.

#![no_main]

use headcount_wire::ber::{Element, Reader, write_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(bytes);
    while let Ok(element) = reader.element() {
        let _ = element.integer();
        let mut out = Vec::new();
        write_bytes(&mut out, element.tag, element.content);
        assert_eq!(Element::parse(&out), Ok((element, &[][..])));
        let mut inner = Reader::new(element.content);
        while inner.element().is_ok() {}
    }
});
