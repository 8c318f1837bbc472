//! The demonstration: a simulated office, swept by the real driver, beside the truth.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{
    Ran,
    product::{HEADCOUNT, addresses, assert_valid, run_here},
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("demo::every_simulated_device_is_found_and_named", every_device),
        trial("demo::what_is_not_named_can_be_shared_and_named_with_more_fingerprints", unknown),
    ]
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

/// A device that nobody knows goes to a file without its names and numbers; an entry written for it names it.
fn unknown() -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (log, sheet, prints) = (at("run.ndjson"), at("unknown.jsonl"), at("prints"));
    let ran = run_here(&["demo", "--simulate", "--quiet", "--log", &log]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);

    // Without the library nobody is named, so everybody who said something is written.
    fs::create_dir_all(Path::new(&prints).join("ftp")).unwrap();
    let entry = |id: &str, text: &str, product: &str| {
        format!(
            "[[entry]]\nid = \"{id}\"\nfield = \"ssh\"\nprefix = \"{text}\"\ncertainty = 0.9\n\
             says = {{ \"service.product\" = \"{product}\" }}\nsource = \"a test\"\nexamples = [\"{text}\"]\n"
        )
    };
    fs::write(Path::new(&prints).join("ssh.toml"), entry("mine", "OpenSSH", "Secured by a test")).unwrap();
    let own_arguments = ["--fingerprints", &prints, "--without-embedded"];
    let shown = run_here(
        &[&["show", &log, "--quiet", "--unknown", &sheet, "--json", &at("own.json")], &own_arguments[..]]
            .concat(),
    );
    assert_eq!(shown.code, Some(0), "{}", shown.error);
    let own: Value = serde_json::from_str(&fs::read_to_string(at("own.json")).unwrap()).unwrap();
    assert_valid(&own);
    let products: BTreeSet<String> = own["devices"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|device| device["attributes"].as_array().cloned().unwrap_or_default())
        .filter(|attribute| attribute["name"] != "device.vendor")
        .map(|attribute| attribute["value"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        products,
        BTreeSet::from(["Secured by a test".to_owned()]),
        "only what the one entry and the MAC addresses say"
    );

    // Devices in a document are named already: fingerprints would change nothing, so they are refused.
    let refused = run_here(&[&["show", &at("own.json"), "--quiet"], &own_arguments[..]].concat());
    assert!(refused.code == Some(2) && refused.error.contains("give its run log"), "{}", refused.error);

    let text = fs::read_to_string(&sheet).unwrap();
    let lines: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>().unwrap();
    assert!(lines.len() >= 40, "{} devices said something", lines.len());
    let mut secrets = BTreeSet::new();
    for device in own["devices"].as_array().unwrap() {
        secrets.extend(addresses(device));
        secrets.extend(
            device["interfaces"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|i| i["mac"].as_str())
                .map(str::to_owned),
        );
    }
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret} is in the file to be shared");
    }

    // Whoever gets the file feeds it to the whole library.
    let identified = identify(&text);
    let named = identified.iter().filter(|line| line["attributes"].get("device.vendor").is_some()).count();
    assert!(named >= 40, "{named} of {} lines can be named again", identified.len());
    Ok(())
}

fn identify(lines: &str) -> Vec<Value> {
    let mut child = Command::new(HEADCOUNT)
        .arg("identify")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("headcount starts");
    let mut input = child.stdin.take().expect("a pipe");
    let text = lines.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("headcount ends");
    writer.join().expect("no panic").expect("all is read");
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
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
