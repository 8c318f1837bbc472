//! What is true of the repository as a whole.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use libtest_mimic::Trial;

use crate::support::{NotRun, Ran, process::run_with, product::run_here, repository, trial};

/// No file that people read is longer.
const LINES: usize = 800;
/// What people read and write by hand.
const WRITTEN: &[&str] = &["rs", "toml", "md", "py", "sh", "yml", "yaml"];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("repository::files_are_short", files_are_short),
        trial("repository::no_path_of_a_machine_is_named", no_machine_paths),
        trial("repository::the_readme_names_real_commands", readme_commands),
        trial("repository::unsafe_code_is_in_one_crate", unsafe_in_one_place),
    ]
}

/// The files under version control, except the lock file.
fn files() -> Result<Vec<PathBuf>, NotRun> {
    let mut command = Command::new("git");
    // The directory may belong to somebody else than the user who runs the tests.
    command.args(["-c", "safe.directory=*", "ls-files", "-z"]).current_dir(repository());
    let list = run_with(command, "").map_err(NotRun)?;
    let names = list.split('\0').filter(|name| !name.is_empty() && *name != "Cargo.lock");
    let files: Vec<_> = names.map(|name| repository().join(name)).filter(|file| file.is_file()).collect();
    if files.is_empty() { Err(NotRun("no file is under version control".into())) } else { Ok(files) }
}

fn is_written(file: &Path) -> bool {
    // Lists of facts are as long as there are facts.
    if ["fingerprints", "tests/lans"].iter().any(|facts| file.starts_with(repository().join(facts))) {
        return false;
    }
    let extension = file.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| WRITTEN.contains(&extension)) || file.ends_with(".ci/run")
}

fn files_are_short() -> Ran {
    let long: Vec<_> = files()?
        .into_iter()
        .filter(|file| is_written(file))
        .map(|file| (fs::read_to_string(&file).unwrap_or_default().lines().count(), file))
        .filter(|(lines, _)| *lines > LINES)
        .collect();
    assert!(long.is_empty(), "longer than {LINES} lines: {long:?}");
    Ok(())
}

/// Neither the place where this checkout lies nor anybody's home.
fn no_machine_paths() -> Ran {
    let here = repository().to_str().unwrap().to_owned();
    let homes = ["home", "Users"].map(|directory| format!("/{directory}/"));
    let wanted = |text: &str| {
        let root = format!("/{}/", "root");
        // The path of a short checkout such as "/src" says nothing.
        (here.matches('/').count() > 1 && text.contains(&here))
            || text.contains(&root)
            || homes.iter().any(|home| text.contains(home))
    };
    let found: Vec<_> = files()?
        .into_iter()
        .filter(|file| fs::read(file).is_ok_and(|bytes| wanted(&String::from_utf8_lossy(&bytes))))
        .collect();
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}

/// Every `headcount` line in the README's blocks is a command with options that its help has.
fn readme_commands() -> Ran {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let commands = commands_in(&readme);
    assert!(!commands.is_empty(), "the README shows no command");
    for line in commands {
        let words: Vec<_> = line.split_whitespace().collect();
        let names: BTreeSet<_> = words
            .iter()
            .filter(|word| word.starts_with('-') && word.len() > 1)
            .map(|word| option_name(word))
            .collect();
        let command = words.first().filter(|word| !word.starts_with('-')).copied();
        let help: Vec<_> = command.into_iter().chain(["--help"]).collect();
        let ended = run_here(&help);
        assert_eq!(ended.code, Some(0), "\"headcount {line}\" in the README: {}", ended.error);
        for name in names.into_iter().filter(|name| *name != "--version") {
            let is_there = ended.output.split([' ', ',', '=', '\n', '[']).any(|word| word == name);
            assert!(is_there, "\"headcount {line}\" in the README: no option {name}");
        }
    }
    Ok(())
}

/// `--json` of `--json=x`.
fn option_name(word: &str) -> &str {
    word.split('=').next().unwrap_or(word)
}

/// What follows `headcount` (or `cargo run --release --`) on the lines of fenced blocks, up to a pipe or comment.
fn commands_in(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
            continue;
        }
        let line = line.trim().trim_start_matches("$ ").trim_start_matches("sudo ");
        let rest = line.strip_prefix("headcount ").or_else(|| line.strip_prefix("cargo run --release -- "));
        if let Some(rest) = rest.filter(|_| inside) {
            let end = rest.find(['|', '#', '>', '&', ';']).unwrap_or(rest.len());
            commands.push(rest[..end].trim().to_owned());
        }
    }
    commands
}

fn unsafe_in_one_place() -> Ran {
    let word = format!("{} {{", "unsafe");
    let found: Vec<_> = files()?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter(|file| !file.starts_with(repository().join("crates/headcount-net")))
        .filter(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(&word)))
        .collect();
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}
