//! How well devices are named, on labelled observations that lie beside the project where they lie there.

use std::path::PathBuf;

use libtest_mimic::Trial;

use crate::support::{NotRun, Ran, product::run_here, repository, trial};

/// What the means over kinds may not fall below: recall and precision.
const LEAST: [(&str, f64, f64); 4] =
    [("vendor", 0.95, 0.975), ("type", 0.86, 0.945), ("product", 0.96, 0.97), ("version", 0.97, 0.98)];
/// How many rows of software may be called a device: the text of these shows one (an order number of a PLC, the page of a
/// recorder, a door controller), and only the label names none.
const MOST_OF_SOFTWARE: u64 = 13;
/// Fingerprints that are wrong by their labels more often than they say, and right by the maker's documents: SRX are
/// firewalls, "Okidata" is Oki, an OS6850 is Alcatel-Lucent's, a TransPort is a cellular router, a CP 343-1 is part of a
/// controller.
const DISPUTED: [&str; 10] = [
    "pjl.id/oki",
    "pjl.id/oki-c",
    "rule/juniper-firewall",
    "rule/siemens-cp",
    "snmp.sysdescr/alcatel-any",
    "snmp.sysdescr/alcatel-omniswitch",
    "snmp.sysdescr/alcatel-omniswitch-long",
    "snmp.sysdescr/digi-transport-form",
    "snmp.sysdescr/net-alcatel-os",
    "text/juniper-srx",
];
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
    assert!(matches!(scored.code, Some(0 | 1)), "{}", scored.error);
    let text = &scored.output;
    let wide = text.lines().skip_while(|line| !line.contains("promised")).skip(1);
    let wide = wide.filter_map(|line| line.split_whitespace().last()).filter(|id| !DISPUTED.contains(id));
    assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new(), "these speak of more than their family");
    for (aspect, recall, precision) in LEAST {
        let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{aspect}  recall")));
        let figures: Vec<f64> = line.map(numbers).unwrap_or_default();
        assert!(figures.len() >= 2 && figures[0] >= recall && figures[1] >= precision, "{aspect}: {line:?}");
    }
    let software =
        text.lines().find_map(|line| line.trim().strip_suffix("  device types claimed of software"));
    let software: u64 = software.expect("a count").trim().parse().expect("a number");
    assert!(software <= MOST_OF_SOFTWARE, "{software} rows of software are called a device");
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
