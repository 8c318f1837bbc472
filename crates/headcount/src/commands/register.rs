//! `headcount register`: the devices over time.

mod expect;

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};
use headcount_register::{Asset, AssetId, Failed, Imported, Sqlite, Store, sightings};
use headcount_report::{Document, escape, json_line};

use super::{fingerprints::files, show};
use crate::{
    args::{
        DbArgs, ImportLogArgs, ListAssetsArgs, MergeArgs, PinArgs, RegisterArgs, RegisterCommand, UnpinArgs,
    },
    exit::{self, Failure},
    log::default_register,
    say,
    session_output::print,
};

/// The most names and addresses that a line shows.
const MOST_SHOWN: usize = 3;

/// Does what the command line says.
pub(super) fn run(args: &RegisterArgs) -> Result<u8, Failure> {
    match &args.command {
        RegisterCommand::ImportLog(args) => import_logs(args),
        RegisterCommand::Expect(args) => expect::run(args),
        RegisterCommand::List(args) => list(args),
        RegisterCommand::Pin(PinArgs { key, device, db }) => {
            let mut store = open(db).map_err(Failure::Usage)?;
            store.pin(std::slice::from_ref(key), Some(&AssetId(device.clone()))).map_err(failure)?;
            Ok(exit::OK)
        }
        RegisterCommand::Unpin(UnpinArgs { key, db }) => {
            let mut store = open(db).map_err(Failure::Usage)?;
            store.pin(std::slice::from_ref(key), None).map_err(failure)?;
            Ok(exit::OK)
        }
        RegisterCommand::Merge(args) => merge(args),
    }
}

/// Takes a run into the register and says what that did.
///
/// # Errors
/// The register cannot be opened or written; it is then as before.
pub(super) fn take_in(document: &Document, db: &DbArgs, user: Option<u32>) -> anyhow::Result<String> {
    let mut store = open_or_make(db, user)?;
    let imported = store.import(&document.run, &sightings(&document.devices))?;
    Ok(describe(&document.run.id, &imported))
}

fn describe(run: &str, imported: &Imported) -> String {
    // A log may say anything.
    let (run, devices) = (escape::terminal(run), imported.devices);
    if imported.known {
        return format!(
            "register: the run {run} with {devices} devices is there already; nothing was changed"
        );
    }
    let again = if imported.replayed { ", all runs taken in again in their order" } else { "" };
    let changes = imported.changes.len();
    format!("register: {devices} devices of the run {run}, {changes} changes{again}")
}

/// Opens the register that the arguments name, if it is there.
///
/// # Errors
/// It is not there, or cannot be opened.
pub(super) fn open(db: &DbArgs) -> anyhow::Result<Sqlite> {
    let path = db.db.clone().unwrap_or_else(|| default_register(None));
    if !path.exists() {
        bail!(
            "there is no register {}: headcount scan --register or headcount register import-log makes one",
            path.display()
        );
    }
    Ok(Sqlite::open(&path)?)
}

/// Opens the register that the arguments name, or makes it; the folder of the default one is made too. `user` is whom
/// the process became when it dropped root's privileges.
///
/// # Errors
/// It cannot be opened or made.
pub(super) fn open_or_make(db: &DbArgs, user: Option<u32>) -> anyhow::Result<Sqlite> {
    let path: PathBuf = match &db.db {
        Some(path) => path.clone(),
        None => {
            let path = default_register(user);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make the register's folder {}", folder.display()))?;
            }
            path
        }
    };
    Ok(Sqlite::open(&path)?)
}

/// What a store's failure means to the user: what was asked cannot be done, or the store is at fault.
pub(super) fn failure(failed: Failed) -> Failure {
    match failed {
        Failed::Refused(_) | Failed::TooNew { .. } => Failure::usage(failed),
        Failed::Unusable { .. } => Failure::failed(failed),
    }
}

fn import_logs(args: &ImportLogArgs) -> Result<u8, Failure> {
    let library = files::library(&args.library)?;
    // All are read before the first is taken in.
    let documents = args.files.iter().map(|file| Ok(show::read(file, &library, &args.library)?.document));
    let documents: Vec<Document> = documents.collect::<anyhow::Result<_>>().map_err(Failure::Usage)?;
    for document in &documents {
        say(&take_in(document, &args.db, None).map_err(Failure::Failed)?);
    }
    Ok(exit::OK)
}

fn merge(MergeArgs { into, from, db }: &MergeArgs) -> Result<u8, Failure> {
    let mut store = open(db).map_err(Failure::Usage)?;
    let (into, from) = (AssetId(into.clone()), AssetId(from.clone()));
    let missing = |id: &AssetId| Failure::usage(anyhow::anyhow!("there is no device {id} in the register"));
    let gone = store.asset(&from).map_err(failure)?.ok_or_else(|| missing(&from))?;
    let stays = store.asset(&into).map_err(failure)?.ok_or_else(|| missing(&into))?;
    let keys: Vec<_> = gone.keys.into_iter().collect();
    store.pin(&keys, Some(&stays.id)).map_err(failure)?;
    Ok(exit::OK)
}

fn list(args: &ListAssetsArgs) -> Result<u8, Failure> {
    let store = open(&args.db).map_err(Failure::Usage)?;
    let mut assets = store.assets().map_err(failure)?;
    assets.sort_by_cached_key(|asset| (asset.latest.addresses.first().copied(), asset.id.clone()));
    let mut text = Vec::new();
    for asset in &assets {
        if args.json {
            json_line(asset, &mut text).map_err(Failure::failed)?;
        } else {
            text.extend(line(asset).into_bytes());
        }
    }
    print(&String::from_utf8_lossy(&text))?;
    Ok(exit::OK)
}

fn line(asset: &Asset) -> String {
    let since: String = asset.first.time.to_string().chars().take(10).collect();
    let last: String = asset.last.time.to_string().chars().take(10).collect();
    let silent = if asset.silent { "  silent" } else { "" };
    format!("{}  {:<15}  {since}  {last}{silent}  {}\n", asset.id, addresses(asset), called(asset))
}

fn addresses(asset: &Asset) -> String {
    let shown: Vec<_> = asset.latest.addresses.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
    shown.join(" ")
}

/// What a device is, in a few words that are safe to print.
pub(super) fn called(asset: &Asset) -> String {
    let fact = |name: &str| asset.latest.facts.get(name).map(|fact| fact.value.as_str());
    let product = fact("device.model").or_else(|| fact("device.product"));
    let what = [fact("device.type"), fact("device.vendor"), product];
    let names = asset.latest.names.iter().take(MOST_SHOWN).map(String::as_str);
    let words: Vec<String> =
        what.into_iter().flatten().chain(names).map(|word| escape::terminal(word).into_owned()).collect();
    if words.is_empty() { "unknown".to_owned() } else { words.join(" ") }
}
