//! The demonstration: a simulated office, swept by the real driver, beside the truth.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{
    Ran,
    product::{addresses, assert_valid, run_here},
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("demo::every_simulated_device_is_found_and_named", every_device)]
}

/// The JSON holds every device, and what people read says so with the same number.
fn every_device() -> Ran {
    let ended = run_here(&["demo", "--json", "-"]);
    assert_eq!(ended.code, Some(0), "{}", ended.error);
    let document: Value = serde_json::from_str(&ended.output).unwrap();
    assert_valid(&document);
    assert_eq!(document["run"]["completeness"]["complete"], true);
    // A set: the office has an address that two devices claim.
    let others =
        document["devices"].as_array().unwrap().iter().filter(|device| device["this_machine"] == false);
    let there = others.flat_map(addresses).collect::<BTreeSet<_>>().len();
    assert!(there >= 50, "about 60 devices are played, {there} addresses were found");
    let (right, played) = tally(&ended.error, ["simulated", "addresses"]);
    assert_eq!((right, played), (there, there), "{}", ended.error);
    assert!(ended.error.contains(" 0 invented"), "{}", ended.error);
    let (named, telling) = tally(&ended.error, ["devices", "named"]);
    assert!(named == telling && telling >= 50, "{}", ended.error);
    Ok(())
}

/// Reads 60 and 62 out of "60 of 62 simulated addresses", in the words for people.
fn tally(text: &str, what: [&str; 2]) -> (usize, usize) {
    let words: Vec<_> = text.split_whitespace().collect();
    words
        .windows(5)
        .find_map(|five| match five {
            [right, "of", all, first, second] if [*first, *second] == what => {
                Some((right.parse().ok()?, all.parse().ok()?))
            }
            _ => None,
        })
        .unwrap_or_else(|| panic!("the truth is not told: {text}"))
}
