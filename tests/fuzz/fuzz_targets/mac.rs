//! MAC addresses as text.

#![no_main]

use headcount_model::MacAddr;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(mac) = text.parse::<MacAddr>() {
        assert_eq!(mac.to_string().parse(), Ok(mac));
        assert_eq!(mac.to_string(), text.to_ascii_lowercase().replace('-', ":"));
    }
});
