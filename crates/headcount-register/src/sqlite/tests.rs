use std::{fs, thread};

use super::*;
use crate::{
    Because, KeyKind, What,
    sample::{device, is, run},
};

fn words(changes: &[Change]) -> Vec<&'static str> {
    changes.iter().map(|change| change.what.as_str()).collect()
}

fn everything(store: &Sqlite) -> (Vec<Stored>, Vec<Asset>, Vec<Change>) {
    (store.runs().unwrap(), store.assets().unwrap(), store.changes(None, None).unwrap())
}

#[test]
fn the_same_run_twice_changes_nothing() {
    let mut store = Sqlite::in_memory().unwrap();
    let seen = [device(1, 5), device(2, 6)];
    let first = store.import(&run(1), &seen).unwrap();
    assert_eq!((first.known, first.devices, words(&first.changes)), (false, 2, vec!["appeared", "appeared"]));
    let before = everything(&store);
    let again = store.import(&run(1), &seen).unwrap();
    assert!(again.known && again.changes.is_empty());
    assert_eq!(everything(&store), before);
    assert_eq!(store.runs().unwrap()[0].devices, 2);
}

#[test]
fn the_order_in_which_runs_arrive_does_not_matter() {
    let old = is(device(1, 5), "device.version", "5.4");
    let new = is(device(1, 9), "device.version", "6.0");
    let runs = [(1, vec![old.clone(), device(2, 6)]), (2, vec![old]), (3, vec![new, device(3, 7)])];
    let mut in_order = Sqlite::in_memory().unwrap();
    for (day, seen) in &runs {
        assert!(!in_order.import(&run(*day), seen).unwrap().replayed);
    }
    let mut backwards = Sqlite::in_memory().unwrap();
    for (number, (day, seen)) in runs.iter().rev().enumerate() {
        assert_eq!(backwards.import(&run(*day), seen).unwrap().replayed, number > 0);
    }
    assert_eq!(everything(&in_order), everything(&backwards));
    let third = words(&in_order.changes(Some("run-2"), None).unwrap());
    assert!(
        third.contains(&"moved") && third.contains(&"changed") && third.contains(&"appeared"),
        "{third:?}"
    );
    assert_eq!(in_order.changes(None, Some("run-1")).unwrap().len(), 2);
    assert!(matches!(in_order.changes(Some("run-9"), None), Err(Failed::Refused(_))));
}

#[test]
fn what_was_merged_is_found_under_both_names() {
    let mut store = Sqlite::in_memory().unwrap();
    store.import(&run(1), &[device(1, 5), device(2, 6)]).unwrap();
    let two = store.assets().unwrap();
    let mut both = device(1, 5);
    both.keys.extend(device(2, 6).keys);
    store.import(&run(2), &[both]).unwrap();
    let one = store.assets().unwrap();
    assert_eq!(one.len(), 1);
    for asset in two {
        assert_eq!(store.asset(&asset.id).unwrap().as_ref(), Some(&one[0]));
    }
    assert_eq!(store.asset(&AssetId("nobody".to_owned())).unwrap(), None);
}

#[test]
fn a_pin_is_played_over_all_runs_and_can_be_taken_back() {
    let mut store = Sqlite::in_memory().unwrap();
    store.import(&run(1), &[device(1, 5)]).unwrap();
    store.import(&run(2), &[device(2, 5)]).unwrap();
    let before = everything(&store);
    let (first, second) = (&before.1[0].id, &before.1[1].id);
    let key = Key { kind: KeyKind::Mac, value: "00:11:22:00:00:02".to_owned() };
    let (stays, key) = if before.1[0].keys.contains(&key) { (second, key) } else { (first, key) };
    store.pin(std::slice::from_ref(&key), Some(stays)).unwrap();
    assert_eq!(store.pins().unwrap(), [(key.clone(), stays.clone())]);
    let pinned = store.assets().unwrap();
    assert_eq!(pinned.len(), 1, "the card was replaced, somebody says");
    assert_eq!(pinned[0].last.run, "run-2");
    assert!(
        !store
            .changes(None, None)
            .unwrap()
            .iter()
            .any(|change| { matches!(&change.what, What::Appeared { because: Because::Pinned(_) }) })
    );
    store.pin(std::slice::from_ref(&key), None).unwrap();
    assert_eq!(everything(&store), before);
    let nobody = store.pin(std::slice::from_ref(&key), Some(&AssetId("nobody".to_owned())));
    assert!(matches!(nobody, Err(Failed::Refused(_))));
}

#[test]
fn a_file_that_is_no_register_or_a_newer_one_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("notes.txt");
    fs::write(&other, "these are my notes, and they are longer than one page of a database: ".repeat(40))
        .unwrap();
    let error = Sqlite::open(&other).unwrap_err().to_string();
    assert!(error.contains("notes.txt") && error.contains("--db names another file"), "{error}");
    let error = Sqlite::open(&folder.path().join("no/such/folder.db")).unwrap_err().to_string();
    assert!(error.contains("the folder must exist"), "{error}");
    let path = folder.path().join("newer.db");
    drop(Sqlite::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(Sqlite::open(&path), Err(Failed::TooNew { found: 99, .. })));
}

#[test]
fn two_writers_at_once_are_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.db");
    drop(Sqlite::open(&path).unwrap());
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let path = path.clone();
            thread::spawn(move || {
                let mut store = Sqlite::open(&path).unwrap();
                for day in 0..5 {
                    store
                        .import(&run(day * 4 + writer), &[device(1, 5), device(writer as u8 + 2, 6)])
                        .unwrap();
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.runs().unwrap().len(), 20);
    // The same as if they had come in order.
    let mut in_order = Sqlite::in_memory().unwrap();
    for day in 0..20 {
        in_order.import(&run(day), &[device(1, 5), device((day % 4) as u8 + 2, 6)]).unwrap();
    }
    assert_eq!(everything(&store), everything(&in_order));
}

#[test]
fn a_full_disk_changes_nothing_and_says_so() {
    let mut store = Sqlite::in_memory().unwrap();
    store.import(&run(1), &[device(1, 5)]).unwrap();
    let before = everything(&store);
    let pages: u32 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let many: Vec<Sighting> = (2..250).map(|mac| device(mac, mac)).collect();
    let error = store.import(&run(2), &many).unwrap_err().to_string();
    assert!(error.contains("make room"), "{error}");
    assert_eq!(everything(&store), before);
}

fn list(day: i64, names: &[&str]) -> crate::ExpectedList {
    let text: String = names.iter().map(|name| format!("{name}\n")).collect();
    let reading = crate::read_expected(format!("name\n{text}").as_bytes(), &crate::How::default()).unwrap();
    crate::ExpectedList {
        taken: run(day).started,
        source: format!("list-{day}.csv"),
        rows: reading.rows,
        broken: reading.broken,
    }
}

#[test]
fn the_newest_list_is_what_is_expected_and_the_same_one_twice_is_no_new_one() {
    let mut store = Sqlite::in_memory().unwrap();
    assert_eq!(store.expected().unwrap(), None);
    let first = list(1, &["nas-1", "nas-2", "nas-1"]);
    assert_eq!((first.rows.len(), first.broken.len()), (2, 1));
    assert!(store.expect(&first).unwrap());
    assert!(!store.expect(&list(2, &["nas-1", "nas-2", "nas-1"])).unwrap());
    assert_eq!(store.expected().unwrap(), Some(first.clone()));
    let second = list(3, &["nas-1"]);
    assert!(store.expect(&second).unwrap());
    assert_eq!(store.expected().unwrap(), Some(second));
    // Back to what was before is a change again, and all versions stay.
    assert!(store.expect(&first).unwrap());
    let kept: i64 =
        store.connection.query_row("SELECT count(*) FROM expected", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 3);
    // Runs that come later leave it alone.
    store.import(&run(2), &[device(1, 5)]).unwrap();
    store.import(&run(1), &[device(1, 5)]).unwrap();
    assert_eq!(store.expected().unwrap(), Some(first));
}

#[test]
fn a_register_of_the_first_form_is_brought_to_the_newest_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.db");
    let mut store = Sqlite::open(&path).unwrap();
    store.import(&run(1), &[device(1, 5)]).unwrap();
    let before = everything(&store);
    store.connection.execute_batch("DROP TABLE expected; PRAGMA user_version = 1;").unwrap();
    drop(store);
    let mut store = Sqlite::open(&path).unwrap();
    assert_eq!(everything(&store), before);
    assert!(store.expect(&list(1, &["nas-1"])).unwrap());
}
