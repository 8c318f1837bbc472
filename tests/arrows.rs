//! Who may depend on whom, read from cargo itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{Ran, process::run_with, repository, trial};

/// Each crate of the house and what it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("headcount-model", &[]),
    ("headcount-wire", &["headcount-model"]),
    ("headcount-sweep", &["headcount-model", "headcount-wire"]),
    ("headcount-probe", &["headcount-model", "headcount-wire"]),
    ("headcount-engine", &["headcount-model", "headcount-wire", "headcount-sweep", "headcount-probe"]),
    ("headcount-match", &["headcount-model"]),
    ("headcount-register", &["headcount-model"]),
    ("headcount-report", &["headcount-model"]),
    ("headcount-net", &["headcount-engine", "headcount-wire", "headcount-model"]),
    ("headcount-sim", &["headcount-engine", "headcount-wire", "headcount-model"]),
    (
        "headcount-daemon",
        &[
            "headcount-model",
            "headcount-wire",
            "headcount-sweep",
            "headcount-probe",
            "headcount-engine",
            "headcount-match",
            "headcount-register",
            "headcount-report",
            "headcount-net",
        ],
    ),
];

/// Crates without clock, randomness, socket, file or environment.
const PURE: &[&str] = &[
    "headcount-model",
    "headcount-wire",
    "headcount-sweep",
    "headcount-probe",
    "headcount-engine",
    "headcount-match",
    "headcount-report",
];

/// What a pure crate must not even be able to name.
const IMPURE: &[&str] = &[
    "async-nats",
    "axum",
    "caps",
    "getrandom",
    "hickory-resolver",
    "libc",
    "mio",
    "nix",
    "rand",
    "rtnetlink",
    "rusqlite",
    "socket2",
    "tokio",
];

/// Crates that may use tokio.
const ASYNC: &[&str] = &["headcount-net", "headcount-daemon", "headcount-register", "headcount"];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("arrows::only_downward", only_downward),
        trial("arrows::pure_crates_cannot_name_the_outside", pure),
        trial("arrows::tokio_has_its_places", tokio),
        trial("arrows::tests_point_downward_too", only_downward_in_tests),
    ]
}

/// The crates of this workspace, and what each depends on for the given kind of use.
fn dependencies(kinds: &[Option<&str>]) -> BTreeMap<String, BTreeSet<String>> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).current_dir(repository());
    let metadata: Value = serde_json::from_str(&run_with(command, "").unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let of_kind = dependencies.filter(|dependency| kinds.contains(&dependency["kind"].as_str()));
        (text(&package["name"]), of_kind.map(|dependency| text(&dependency["name"])).collect())
    });
    let packages: BTreeMap<_, _> = packages.collect();
    assert!(packages.len() > 5, "the workspace was not read: {packages:?}");
    packages
}

/// What a shipped build uses.
fn shipped() -> BTreeMap<String, BTreeSet<String>> {
    dependencies(&[None, Some("build")])
}

fn allowed(name: &str) -> Option<BTreeSet<&'static str>> {
    ARROWS.iter().find(|(from, _)| *from == name).map(|(_, to)| to.iter().copied().collect())
}

/// Everything that lies below a crate: what it may depend on, and what that may depend on.
fn below(name: &str) -> BTreeSet<&'static str> {
    let direct = allowed(name).unwrap_or_default();
    direct.iter().flat_map(|name| below(name)).chain(direct.iter().copied()).collect()
}

/// The arrows between crates of the house that `may` does not have for their origin.
fn wrong_arrows(
    packages: &BTreeMap<String, BTreeSet<String>>,
    may: impl Fn(&str) -> Option<BTreeSet<&'static str>>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    // The product may depend on everything.
    for (from, to) in packages.iter().filter(|(name, _)| *name != "headcount") {
        let Some(allowed) = may(from) else {
            wrong.push(format!("{from} is not on the list"));
            continue;
        };
        let house = to.iter().filter(|name| name.starts_with("headcount"));
        let refused = house.filter(|name| !allowed.contains(name.as_str()));
        wrong.extend(refused.map(|to| format!("{from} -> {to}")));
    }
    wrong
}

fn only_downward() -> Ran {
    assert_eq!(wrong_arrows(&shipped(), allowed), Vec::<String>::new());
    Ok(())
}

/// Tests may use whatever lies below their crate, and the simulated network wherever they stand.
fn only_downward_in_tests() -> Ran {
    let may = |name: &str| allowed(name).map(|_| below(name).into_iter().chain(["headcount-sim"]).collect());
    assert_eq!(wrong_arrows(&dependencies(&[Some("dev")]), may), Vec::<String>::new());
    Ok(())
}

fn pure() -> Ran {
    let packages = shipped();
    for name in PURE {
        let Some(dependencies) = packages.get(*name) else { continue };
        let impure: Vec<_> = IMPURE.iter().filter(|impure| dependencies.contains(**impure)).collect();
        assert!(impure.is_empty(), "{name} depends on {impure:?}");
    }
    Ok(())
}

fn tokio() -> Ran {
    for (name, dependencies) in shipped() {
        assert!(!dependencies.contains("tokio") || ASYNC.contains(&name.as_str()), "{name} depends on tokio");
    }
    Ok(())
}
