//! What the tests stand on: trials that can say "not run", namespaces, daemons, captures, and the product itself.

pub(crate) mod capture;
pub(crate) mod daemon;
pub(crate) mod frame;
pub(crate) mod hostile;
pub(crate) mod lab;
pub(crate) mod namespace;
pub(crate) mod process;
pub(crate) mod product;
pub(crate) mod recorder;
pub(crate) mod services;

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::{Completion, Trial};

/// Why a test could not run here. It is shown as ignored with this reason, never as passed.
#[derive(Clone, Debug)]
pub(crate) struct NotRun(pub(crate) String);

/// How a test body ends: failures are panics, so the only error is that it could not run.
pub(crate) type Ran = Result<(), NotRun>;

/// A test named `name`.
pub(crate) fn trial(name: &str, body: impl FnOnce() -> Ran + Send + 'static) -> Trial {
    Trial::ignorable_test(name, move || {
        Ok(match body() {
            Ok(()) => Completion::Completed,
            Err(NotRun(reason)) => Completion::ignored_with(format!("not run: {reason}")),
        })
    })
}

/// Looks again and again until there is something to see; fails the test after `limit`.
pub(crate) fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Finds a program in PATH and in the directories of system daemons, which an ordinary PATH leaves out.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

/// Says which of these programs are missing.
pub(crate) fn need(names: &[&str]) -> Ran {
    let missing: Vec<_> = names.iter().copied().filter(|name| program(name).is_none()).collect();
    if missing.is_empty() { Ok(()) } else { Err(NotRun(format!("not installed: {}", missing.join(", ")))) }
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
