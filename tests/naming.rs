//! How well devices are named, on labelled observations that lie beside the project where they lie there.

use std::path::PathBuf;

use libtest_mimic::Trial;

use crate::support::{NotRun, Ran, product::run_here, repository, trial};

/// What the means over kinds may not fall below: recall and precision.
const LEAST: [(&str, f64, f64); 4] =
    [("vendor", 0.90, 0.98), ("type", 0.85, 0.97), ("product", 0.80, 0.95), ("version", 0.90, 0.98)];
/// Kinds with at least this many rows are not to fall below [`LEAST_RECALL`].
const MANY_ROWS: u64 = 50;
const LEAST_RECALL: f64 = 0.6;
/// Kinds that tell too little for that: lists of parameter numbers, and digests, which are known or not.
const TELL_LITTLE: [&str; 3] = ["dhcp.params", "http.favicon.md5", "http.favicon.mmh3"];
/// How far a confidence may be from the share that was right, in bands of at least [`MANY_ROWS`] claims.
const CALIBRATION_ERROR: f64 = 0.05;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("naming::labelled_observations_are_named_as_well_as_promised", labelled)]
}

/// No fingerprint speaks of more than its family, and all of them together are as good as fingerprints/README.md says.
fn labelled() -> Ran {
    let files = corpora()?;
    let mut arguments = vec!["fingerprints", "score", "--too-wide"];
    arguments.extend(files.iter().map(|file| file.to_str().expect("a plain path")));
    let scored = run_here(&arguments);
    assert_eq!(scored.code, Some(0), "fingerprints are too wide:\n{}{}", scored.output, scored.error);
    let text = &scored.output;
    for (aspect, recall, precision) in LEAST {
        let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{aspect}  recall")));
        let figures: Vec<f64> = line.map(numbers).unwrap_or_default();
        assert!(figures.len() >= 2 && figures[0] >= recall && figures[1] >= precision, "{aspect}: {line:?}");
    }
    assert!(text.contains(" 0  device types claimed of software"), "{text}");
    kinds(text);
    calibration(text);
    Ok(())
}

/// Where the observations are: JSON Lines beside the repository.
fn corpora() -> Result<Vec<PathBuf>, NotRun> {
    let folder = repository().join("../shared/corpora");
    let entries =
        folder.read_dir().map_err(|_| NotRun("there are no labelled observations here".to_owned()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort();
    if files.is_empty() { Err(NotRun(format!("{} is empty", folder.display()))) } else { Ok(files) }
}

/// The decimal numbers in a line.
fn numbers(line: &str) -> Vec<f64> {
    line.split_whitespace().filter(|word| word.contains('.')).filter_map(|word| word.parse().ok()).collect()
}

/// Each cell of the table reads `0.91/0.99 of 117`.
fn kinds(text: &str) {
    let mut seen = 0;
    for line in text.lines().take_while(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        for cell in words.windows(3).filter(|cell| cell[1] == "of") {
            let [figures, _, rows] = cell else { continue };
            let recall: Option<f64> = figures.split('/').next().and_then(|recall| recall.parse().ok());
            let (Some(recall), Ok(rows)) = (recall, rows.parse::<u64>()) else { continue };
            seen += 1;
            let told = rows < MANY_ROWS || TELL_LITTLE.contains(&words[0]);
            assert!(told || recall >= LEAST_RECALL, "{line}");
        }
    }
    assert!(seen > 50, "only {seen} cells were read: {text}");
}

/// Each band reads `0.90 to 0.95      4940   0.923   0.954`: bounds, claims, mean confidence, share that was right.
fn calibration(text: &str) {
    let bands: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.len() == 6 && words[1] == "to")
        .collect();
    assert!(bands.len() >= 4, "{text}");
    for words in bands {
        let [from, _, _, claims, mean, right] = words[..] else { continue };
        let claims: u64 = claims.parse().expect("a count");
        let off = mean.parse::<f64>().expect("a mean") - right.parse::<f64>().expect("a share");
        assert!(claims < MANY_ROWS || off.abs() < CALIBRATION_ERROR, "from {from}: {words:?}");
    }
}
