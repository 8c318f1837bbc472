//! What a user types: targets, target files, port lists.

#![no_main]

use headcount_model::{PortSet, TargetSpec, targets_in_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(TargetSpec::Range(range)) = text.parse() {
        assert_eq!(range.to_string().parse(), Ok(TargetSpec::Range(range)));
    }
    let lines = text.lines().count();
    for (line, target) in targets_in_text(text) {
        assert!((1..=lines).contains(&line));
        let _ = target.map_err(|error| error.to_string());
    }
    // Long lists are slow to write and show nothing that short ones do not.
    if let Ok(ports) = text.parse::<PortSet>()
        && ports.len() < 1_000
    {
        assert_eq!(ports.to_string().parse(), Ok(ports));
    }
});
