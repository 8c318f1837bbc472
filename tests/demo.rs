//! The demonstration: a simulated office, swept by the real driver, beside the truth.

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{
    Ran,
    product::{assert_valid, found, run_here},
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("demo::every_simulated_device_is_found", every_device)]
}

/// The JSON holds every device, and what people read says so with the same number.
fn every_device() -> Ran {
    let ended = run_here(&["demo", "--json", "-"]);
    assert_eq!(ended.code, Some(0), "{}", ended.error);
    let document: Value = serde_json::from_str(&ended.output).unwrap();
    assert_valid(&document);
    assert_eq!(document["run"]["completeness"]["complete"], true);
    let devices = document["devices"].as_array().unwrap();
    let others = devices.iter().filter(|device| device["this_machine"] == false).count();
    assert!((50..=80).contains(&others), "about 60 devices are played, {others} were found");
    assert!(found(&document).len() >= others);
    let (found, played) = tally(&ended.error);
    assert_eq!((found, played), (others, others), "{}", ended.error);
    Ok(())
}

/// Reads "60 of 60 devices" out of the words for people.
fn tally(text: &str) -> (usize, usize) {
    let words: Vec<_> = text.split_whitespace().collect();
    words
        .windows(4)
        .find_map(|four| match four {
            [found, "of", played, what] if what.starts_with("device") => {
                Some((found.parse().ok()?, played.parse().ok()?))
            }
            _ => None,
        })
        .unwrap_or_else(|| panic!("the truth is not told: {text}"))
}
