//! `headcount diff`: what changed between two runs.

use std::fmt::Write as _;

use anyhow::anyhow;
use headcount_register::{Asset, Change, Failed, Store, Stored, What};
use headcount_report::{escape, json_line};

use super::register::{called, failure, open};
use crate::{
    args::DiffArgs,
    exit::{self, Failure},
    session_output::print,
};

/// Prints the changes, and nothing where there are none.
pub(super) fn run(args: &DiffArgs) -> Result<u8, Failure> {
    let store = open(&args.db).map_err(Failure::Usage)?;
    let runs = store.runs().map_err(failure)?;
    let (before, after) = bounds(&runs, args).map_err(Failure::Usage)?;
    let changes = store.changes(Some(&before.run.id), Some(&after.run.id)).map_err(failure)?;
    if args.json {
        let mut text = Vec::new();
        changes.iter().try_for_each(|change| json_line(change, &mut text)).map_err(Failure::failed)?;
        print(&String::from_utf8_lossy(&text))?;
    } else {
        print(&grouped(&store, &changes).map_err(failure)?)?;
    }
    Ok(if changes.is_empty() { exit::OK } else { exit::FAILED })
}

/// The changes under the device that each is of.
fn grouped(store: &impl Store, changes: &[Change]) -> Result<String, Failed> {
    let mut text = String::new();
    let mut last = None;
    for change in changes {
        if last != Some(&change.asset) {
            let asset = store.asset(&change.asset)?;
            let _ = writeln!(text, "{}", heading(change, asset.as_ref()));
            last = Some(&change.asset);
        }
        let _ = writeln!(text, "  {:<12} {}", change.what.as_str(), in_words(&change.what));
    }
    Ok(text)
}

/// The two runs, the older one first, if they can be compared.
fn bounds<'r>(runs: &'r [Stored], args: &DiffArgs) -> anyhow::Result<(&'r Stored, &'r Stored)> {
    let named = |id: &str| {
        let fits: Vec<&Stored> = runs.iter().filter(|stored| stored.run.id.starts_with(id)).collect();
        match fits[..] {
            [one] => Ok(one),
            [] => Err(anyhow!("there is no run {id} in the register")),
            _ => Err(anyhow!("{id} fits {} runs: write more of it", fits.len())),
        }
    };
    let last = |back: usize| runs.len().checked_sub(back).and_then(|at| runs.get(at));
    let few = || anyhow!("there are {} runs in the register, and two are compared", runs.len());
    let after = args.after.as_deref().map_or_else(|| last(1).ok_or_else(few), named)?;
    let before = args.before.as_deref().map_or_else(|| last(2).ok_or_else(few), named)?;
    let (before, after) =
        if before.run.started <= after.run.started { (before, after) } else { (after, before) };
    if before.run.scope != after.run.scope && !args.any_scope {
        return Err(anyhow!(
            "the runs {} and {} looked at unlike scopes: {} and {}; --any-scope compares them all the same",
            escape::terminal(&before.run.id),
            escape::terminal(&after.run.id),
            before.run.scope.allowed,
            after.run.scope.allowed
        ));
    }
    Ok((before, after))
}

fn heading(change: &Change, asset: Option<&Asset>) -> String {
    let Some(asset) = asset else { return change.asset.to_string() };
    let address = asset.latest.addresses.first().map(ToString::to_string).unwrap_or_default();
    format!("{address}  {}  ({})", called(asset), change.asset)
}

/// A change in words that are safe to print.
fn in_words(what: &What) -> String {
    let list = |addresses: &std::collections::BTreeSet<std::net::Ipv4Addr>| {
        addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    match what {
        What::Appeared { .. } => "it was never seen before".to_owned(),
        What::Returned { since } => format!("last seen {}", since.time),
        What::WentSilent { misses } => format!("asked in {misses} runs in a row without an answer"),
        What::Moved { from, to } => format!("{} -> {}", list(from), list(to)),
        What::Changed { attribute, from, to } => {
            format!("{attribute}: {} -> {}", escape::terminal(from), escape::terminal(to))
        }
        What::Rekeyed { kind, to } => format!("{kind}: now {}", escape::terminal(to)),
        What::Certificate { port, from, to } => {
            format!("certificate on {port}: {} -> {}", escape::terminal(from), escape::terminal(to))
        }
        What::Opened { service, product } => {
            let product = product.as_deref().map(|product| format!(", {}", escape::terminal(product)));
            format!("{}/{}{}", service.port, service.transport, product.unwrap_or_default())
        }
        What::Closed { service } => format!("{}/{}", service.port, service.transport),
        What::Exposed { id, grade } => format!("{} ({grade})", escape::terminal(id)),
        What::Cleared { id } => escape::terminal(id).into_owned(),
        What::Merged { from, key } => {
            format!("with {from}: both have {}", escape::terminal(&key.to_string()))
        }
    }
}
