//! The register, as a user works with it.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{
    Ran,
    product::{Ended, HEADCOUNT, run_here},
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("register::runs_are_taken_in_once_and_compared", taken_in),
        trial("register::an_import_that_is_killed_loses_and_doubles_nothing", killed),
        trial("register::what_cannot_be_a_register_is_refused", refused),
        trial("register::what_is_expected_is_compared_with_what_was_found", compared),
        trial("register::a_list_that_is_partly_broken_is_taken_in_and_said", broken_list),
    ]
}

/// How often an import is killed, each time later.
const KILLS: u64 = 40;
/// How much later.
const STEP: Duration = Duration::from_micros(3500);

fn headcount(arguments: &[&str], code: i32) -> Ended {
    let ended = run_here(arguments);
    assert_eq!(ended.code, Some(code), "{arguments:?}: {}{}", ended.output, ended.error);
    ended
}

/// A run log of the simulated office.
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

/// SIGKILL at any moment: the register is as before or as after, and the same import makes it whole.
fn killed() -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (first, second) = (office(folder.path(), "1.ndjson", "1"), office(folder.path(), "2.ndjson", "2"));
    let (base, whole, db) = (at("base.db"), at("whole.db"), at("killed.db"));
    headcount(&["register", "import-log", &first, "--db", &base], 0);
    headcount(&["register", "import-log", &first, &second, "--db", &whole], 0);
    let list = |db: &str| headcount(&["register", "list", "--json", "--db", db], 0).output;
    let (before, after) = (list(&base), list(&whole));
    assert_ne!(before, after);
    let (mut cut, mut done) = (0, 0);
    for kill in 0..KILLS {
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{db}{ending}"));
        }
        fs::copy(&base, &db).unwrap();
        let mut child = Command::new(HEADCOUNT)
            .args(["register", "import-log", &second, "--db", &db])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Not a measure of time: any moment will do, and all of them are tried.
        thread::sleep(STEP * u32::try_from(kill).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        // Every tenth is looked at before it is made whole: looking costs a start of the program.
        if kill % 10 == 0 {
            let now = list(&db);
            assert!(now == before || now == after, "killed after {:?}", STEP * u32::try_from(kill).unwrap());
            *(if now == before { &mut cut } else { &mut done }) += 1;
        }
        headcount(&["register", "import-log", &second, "--db", &db], 0);
        assert_eq!(list(&db), after, "killed after {:?}", STEP * u32::try_from(kill).unwrap());
    }
    assert!(cut > 0, "nothing was cut off: {cut} and {done}");
    Ok(())
}

fn refused() -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes.txt");
    fs::write(&notes, "these are notes, and more than a page of them\n".repeat(200)).unwrap();
    let error = headcount(&["register", "list", "--db", &notes.display().to_string()], 2).error;
    assert!(error.contains("notes.txt") && error.contains("--db names another file"), "{error}");
    let nowhere = folder.path().join("no/such/register.db").display().to_string();
    for reads in [&["register", "list"][..], &["diff"], &["gap"], &["register", "merge", "a", "b"]] {
        let error = headcount(&[reads, &["--db", &nowhere]].concat(), 2).error;
        assert!(error.contains("there is no register") && error.contains("import-log"), "{error}");
    }
    let error =
        headcount(&["scan", "127.0.0.1", "--register", "--no-log", "--quiet", "--db", &nowhere], 2).error;
    assert!(error.contains("the folder must exist"), "before the first packet: {error}");
    let error = headcount(&["scan", "127.0.0.1", "--db", &nowhere], 2).error;
    assert!(error.contains("--register"), "{error}");
    let db = folder.path().join("r.db").display().to_string();
    let error = headcount(&["register", "import-log", &notes.display().to_string(), "--db", &db], 2).error;
    assert!(error.contains("notes.txt"), "{error}");
    Ok(())
}

/// The devices of a register, but for the machine that looked.
fn devices(db: &str) -> Vec<Value> {
    let list = headcount(&["register", "list", "--json", "--db", db], 0).output;
    let all = list.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|asset| asset["latest"]["addresses"][0] != "10.20.30.250").collect()
}

/// The row that an organisation would have of a device: `name,mac,ip`.
fn row(asset: &Value) -> String {
    let keys = asset["keys"].as_array().unwrap();
    let macs: Vec<&str> = keys
        .iter()
        .filter(|key| key["kind"] == "mac" || key["kind"] == "local-mac")
        .map(|key| key["value"].as_str().unwrap())
        .collect();
    format!(
        "PC {},{},{}\n",
        asset["id"].as_str().unwrap(),
        macs.join(" "),
        asset["latest"]["addresses"][0].as_str().unwrap()
    )
}

fn compared() -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("register.db").display().to_string();
    let list = folder.path().join("list.csv");
    let file = list.display().to_string();
    let none = headcount(&["gap", "--db", &db], 2).error;
    assert!(none.contains("there is no register"), "{none}");
    assert!(!folder.path().join("register.db").exists(), "asking makes none");
    let log = office(folder.path(), "first.ndjson", "1");
    headcount(&["register", "import-log", &log, "--db", &db], 0);
    let none = headcount(&["gap", "--db", &db], 2).error;
    assert!(none.contains("no list is in the register"), "{none}");
    let assets = devices(&db);
    assert_eq!(assets.len(), 64);

    // Nobody expects the first four; three are expected that are not there; one is only known by its address.
    let rows: String = assets.iter().skip(5).map(row).collect();
    let hint = assets[4]["latest"]["addresses"][0].as_str().unwrap();
    let more = format!(
        "printer-gone,00:11:22:00:00:01,10.20.30.200\nelsewhere,00:11:22:00:00:02,10.99.0.5\n\x1b[31mred,00:11:22:00:00:03,\nhint,,{hint}\n"
    );
    fs::write(&list, format!("name,mac,ip\n{rows}{more}")).unwrap();
    let taken = headcount(&["register", "expect", &file, "--db", &db], 0).output;
    assert!(taken.starts_with("63 devices are expected (csv); 0 rows are broken"), "{taken}");
    let again = headcount(&["register", "expect", &file, "--db", &db], 0).output;
    assert!(again.contains("nothing was changed"), "{again}");

    let answer: Value = serde_json::from_str(&headcount(&["gap", "--json", "--db", &db], 1).output).unwrap();
    let figures = &answer["gap"]["figures"];
    let counts = ["expected", "found", "missing", "unexpected", "ambiguous"]
        .map(|name| figures[name].as_u64().unwrap());
    assert_eq!(counts, [63, 59, 4, 4, 1], "{figures}");
    let percent = figures["unexpected_percent"].as_f64().unwrap();
    assert!((percent - 400.0 / 63.0).abs() < 1e-9, "{percent}");
    let mut unexpected: Vec<&str> =
        assets.iter().take(4).map(|asset| asset["id"].as_str().unwrap()).collect();
    let mut said: Vec<&str> =
        answer["gap"]["unexpected"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    unexpected.sort_unstable();
    said.sort_unstable();
    assert_eq!(said, unexpected);
    let missing = answer["gap"]["not_found"].as_array().unwrap();
    let why = missing.iter().map(|missing| missing["why"]["why"].as_str().unwrap());
    assert_eq!(why.collect::<Vec<_>>(), ["no-answer", "not-looked-at", "nowhere", "ambiguous"]);
    assert_eq!(answer["gap"]["ambiguous"][0]["doubt"], "only-address");
    assert_eq!(answer["assets"].as_array().unwrap().len(), 5);

    let text = headcount(&["gap", "--db", &db, "--threshold", "6.4"], 0).output;
    for part in
        ["Found, not expected (4)", "Expected, not found (3)", "Ambiguous (1)", "Expected and found (59)"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("\\x1b[31mred") && !text.contains('\x1b'), "{text}");
    assert!(text.contains("6.3 %") && text.contains("10.99.0.0/24"), "{text}");
    headcount(&["gap", "--db", &db, "--threshold", "6.3"], 1);
    Ok(())
}

fn broken_list() -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("register.db").display().to_string();
    let list = folder.path().join("list.csv");
    let file = list.display().to_string();
    let expect = |text: &str, more: &[&str], code: i32| {
        fs::write(&list, text).unwrap();
        headcount(&[&["register", "expect", &file, "--db", &db], more].concat(), code)
    };
    let said =
        expect("Kennung;Adresse\nnas-1;10.20.30.20\nnas-2;10.20.30.\x1b[0m\n", &["--map", "Kennung=name"], 1);
    assert!(said.output.starts_with("1 devices are expected"), "{}", said.output);
    assert!(said.error.contains("list.csv:3:") && !said.error.contains('\x1b'), "{}", said.error);
    let said = expect("colour\nred\n", &[], 2).error;
    assert!(said.contains("--map COLUMN=FIELD") && said.contains("\"colour\""), "{said}");
    let said = expect("name,mac\nx,zz\n", &[], 2).error;
    assert!(said.contains("list.csv:2:") && said.contains("nothing was changed"), "{said}");
    let said = expect("name\nx\n", &["--map", "x=colour"], 2).error;
    assert!(said.contains("is no field"), "{said}");
    expect("{\"result\": [{\"name\": \"x\"}", &["--format", "servicenow"], 2);
    let none = headcount(&["gap", "--db", &db], 2).error;
    assert!(none.contains("no run is in the register"), "{none}");
    Ok(())
}
