//! The register, as a user works with it.

use std::{fs, path::Path};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{
    Ran,
    product::{Ended, run_here},
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("register::runs_are_taken_in_once_and_compared", taken_in),
        trial("register::what_cannot_be_a_register_is_refused", refused),
    ]
}

fn headcount(arguments: &[&str], code: i32) -> Ended {
    let ended = run_here(arguments);
    assert_eq!(ended.code, Some(code), "{arguments:?}: {}{}", ended.output, ended.error);
    ended
}

/// The office, simulated; the log's second device list is `changed`.
fn office(folder: &Path, name: &str, seed: &str) -> String {
    let log = folder.join(name).display().to_string();
    headcount(&["demo", "--simulate", "--quiet", "--seed", seed, "--log", &log], 0);
    log
}

fn taken_in() -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("register.db").display().to_string();
    let first = office(folder.path(), "first.ndjson", "1");
    let second = office(folder.path(), "second.ndjson", "2");

    let said = headcount(&["register", "import-log", &first, "--db", &db], 0).error;
    assert!(said.contains("65 devices"), "{said}");
    let few = headcount(&["diff", "--db", &db], 2).error;
    assert!(few.contains("1 runs in the register"), "{few}");
    let said = headcount(&["register", "import-log", &second, &first, "--db", &db], 0).error;
    assert!(said.contains("nothing was changed"), "{said}");

    // The same office in another order is the same office.
    let diff = headcount(&["diff", "--db", &db], 0);
    assert_eq!(diff.output, "");
    let list = headcount(&["register", "list", "--db", &db], 0).output;
    assert_eq!(list.lines().count(), 65, "{list}");

    // The UPS moves.
    let third = folder.path().join("third.ndjson");
    fs::write(&third, moved(&fs::read_to_string(&second).unwrap())).unwrap();
    headcount(&["register", "import-log", &third.display().to_string(), "--db", &db], 0);
    let diff = headcount(&["diff", "--db", &db], 1).output;
    assert!(diff.contains("moved") && diff.contains("-> 10.20.30.99"), "{diff}");
    let lines = headcount(&["diff", "--json", "--db", &db], 1).output;
    let changes: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(changes.len(), 1, "{lines}");
    assert_eq!(changes[0]["what"]["what"], "moved");
    pinned(&db);
    Ok(())
}

/// The log of a later run in which the device on 10.20.30.8 answers on another address.
fn moved(log: &str) -> String {
    let lines = log.lines().map(|line| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        if record["record"] == "start" || record["record"] == "end" {
            record["id"] = "20990101T000000Z-00000003".into();
        }
        if record["record"] == "start" {
            record["plan"]["epoch"] = "2099-01-01T00:00:00Z".into();
        }
        if record["record"] == "end" {
            record["started"] = "2099-01-01T00:00:00Z".into();
        }
        record.to_string().replace("\"10.20.30.8\"", "\"10.20.30.99\"")
    });
    lines.map(|line| line + "\n").collect()
}

/// Two devices are one, somebody says, and takes it back.
fn pinned(db: &str) {
    let assets = || -> Vec<Value> {
        let list = headcount(&["register", "list", "--json", "--db", db], 0).output;
        list.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let before = assets();
    let mac = |asset: &Value| {
        let keys = asset["keys"].as_array().unwrap();
        let mac = keys.iter().find(|key| key["kind"] == "mac");
        mac.map(|key| format!("mac:{}", key["value"].as_str().unwrap()))
    };
    let with_mac: Vec<&Value> = before.iter().filter(|asset| mac(asset).is_some()).collect();
    let (one, other) = (with_mac[0]["id"].as_str().unwrap(), mac(with_mac[1]).unwrap());
    headcount(&["register", "pin", &other, one, "--db", db], 0);
    assert_ne!(assets(), before);
    headcount(&["register", "unpin", &other, "--db", db], 0);
    assert_eq!(assets(), before);
    let nobody = headcount(&["register", "pin", &other, "nobody", "--db", db], 2).error;
    assert!(nobody.contains("there is no asset nobody"), "{nobody}");
    let kind = headcount(&["register", "pin", "ip:10.0.0.1", one, "--db", db], 2).error;
    assert!(kind.contains("is no kind of key"), "{kind}");
}

fn refused() -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes.txt");
    fs::write(&notes, "these are notes, and more than a page of them\n".repeat(200)).unwrap();
    let error = headcount(&["register", "list", "--db", &notes.display().to_string()], 2).error;
    assert!(error.contains("notes.txt") && error.contains("--db names another file"), "{error}");
    let nowhere = folder.path().join("no/such/register.db").display().to_string();
    let error = headcount(&["register", "list", "--db", &nowhere], 2).error;
    assert!(error.contains("the folder must exist"), "{error}");
    let db = folder.path().join("r.db").display().to_string();
    let error = headcount(&["register", "import-log", &notes.display().to_string(), "--db", &db], 2).error;
    assert!(error.contains("notes.txt"), "{error}");
    Ok(())
}
