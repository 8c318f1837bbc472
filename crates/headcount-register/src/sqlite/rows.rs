//! The tables, row by row.

use std::collections::{BTreeMap, BTreeSet};

use headcount_model::{Run, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::{Asset, AssetId, Change, ExpectedList, Intake, Key, KeyKind, Pins, Sighting, Stored};

/// What may go wrong.
#[derive(Debug, Error)]
pub(super) enum Error {
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    #[error(transparent)]
    Record(#[from] serde_json::Error),
    #[error("{0}")]
    Refused(String),
}

type Result<T> = std::result::Result<T, Error>;

fn json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value)?)
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    Ok(serde_json::from_str(text)?)
}

fn kind(text: &str) -> Result<KeyKind> {
    let known = KeyKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    known.ok_or_else(|| Error::Refused(format!("the register holds a key of the unknown kind {text:?}")))
}

pub(super) fn has_run(db: &Connection, id: &str) -> Result<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM run WHERE id = ?1")?.exists([id])?)
}

/// Whether a run is older than one that is there.
pub(super) fn is_older(db: &Connection, run: &Run) -> Result<bool> {
    let mut statement = db.prepare_cached("SELECT 1 FROM run WHERE (started, id) > (?1, ?2) LIMIT 1")?;
    Ok(statement.exists(params![run.started.as_micros(), run.id])?)
}

/// A run and what it saw; whose that is, is not known yet.
pub(super) fn add_run(db: &Connection, run: &Run, sightings: &[Sighting]) -> Result<()> {
    db.prepare_cached("INSERT INTO run (id, started, record) VALUES (?1, ?2, ?3)")?.execute(params![
        run.id,
        run.started.as_micros(),
        json(run)?
    ])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO sighting (run, device, asset, because, record) VALUES (?1, ?2, '', '', ?3)",
    )?;
    for sighting in sightings {
        insert.execute(params![run.id, sighting.device, json(sighting)?])?;
    }
    Ok(())
}

pub(super) fn runs(db: &Connection) -> Result<Vec<Stored>> {
    let mut statement = db.prepare_cached(
        "SELECT record, (SELECT count(*) FROM sighting WHERE run = run.id) FROM run ORDER BY started, id",
    )?;
    let mut rows = statement.query([])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        let devices = usize::try_from(row.get::<_, i64>(1)?).unwrap_or_default();
        runs.push(Stored { run: from_json(&row.get::<_, String>(0)?)?, devices });
    }
    Ok(runs)
}

/// By their ids in the run.
pub(super) fn sightings_of(db: &Connection, run: &str) -> Result<Vec<Sighting>> {
    records(db, "SELECT record FROM sighting WHERE run = ?1 ORDER BY device", [run])
}

pub(super) fn assets(db: &Connection) -> Result<Vec<Asset>> {
    records(db, "SELECT record FROM asset ORDER BY id", [])
}

fn records<T: DeserializeOwned>(db: &Connection, query: &str, with: impl rusqlite::Params) -> Result<Vec<T>> {
    let mut statement = db.prepare_cached(query)?;
    let mut rows = statement.query(with)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(from_json(&row.get::<_, String>(0)?)?);
    }
    Ok(all)
}

pub(super) fn asset(db: &Connection, id: &AssetId) -> Result<Option<Asset>> {
    let mut id = id.0.clone();
    let mut went = db.prepare_cached("SELECT into_asset FROM merged WHERE gone = ?1")?;
    // What it went into may itself have gone into another; nothing goes into what has gone.
    while let Some(into) = went.query_row([&id], |row| row.get(0)).optional()? {
        id = into;
    }
    let mut statement = db.prepare_cached("SELECT record FROM asset WHERE id = ?1")?;
    let record: Option<String> = statement.query_row([&id], |row| row.get(0)).optional()?;
    record.map(|record| from_json(&record)).transpose()
}

/// The assets that a run bears on: those that hold one of its keys, those whose address it asked.
pub(super) fn bearing(
    db: &Connection,
    run: &Run,
    sightings: &[Sighting],
) -> Result<BTreeMap<AssetId, Asset>> {
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let mut by_key = db.prepare_cached("SELECT asset FROM key WHERE kind = ?1 AND value = ?2")?;
    for key in sightings.iter().flat_map(|sighting| &sighting.keys) {
        let mut rows = by_key.query([key.kind.as_str(), &key.value])?;
        while let Some(row) = rows.next()? {
            ids.insert(row.get(0)?);
        }
    }
    let mut by_address = db.prepare_cached("SELECT asset FROM address WHERE address BETWEEN ?1 AND ?2")?;
    for range in run.segments.iter().flat_map(|segment| segment.addresses.ranges()) {
        let mut rows = by_address.query([u32::from(range.first), u32::from(range.last)])?;
        while let Some(row) = rows.next()? {
            ids.insert(row.get(0)?);
        }
    }
    // Who is pinned must be at hand, whatever its keys.
    let mut pinned = db.prepare_cached("SELECT asset FROM pin WHERE kind = ?1 AND value = ?2")?;
    for key in sightings.iter().flat_map(|sighting| &sighting.keys) {
        ids.extend(
            pinned.query_row([key.kind.as_str(), &key.value], |row| row.get::<_, String>(0)).optional()?,
        );
    }
    let mut assets = BTreeMap::new();
    for id in ids {
        let found = asset(db, &AssetId(id))?;
        assets.extend(found.map(|asset| (asset.id.clone(), asset)));
    }
    Ok(assets)
}

/// What was decided about the keys of these sightings.
pub(super) fn decided(db: &Connection, sightings: &[Sighting]) -> Result<Pins> {
    let mut decided = Pins::default();
    let mut pinned = db.prepare_cached("SELECT asset FROM pin WHERE kind = ?1 AND value = ?2")?;
    let mut shared = db.prepare_cached("SELECT 1 FROM shared WHERE kind = ?1 AND value = ?2")?;
    for key in sightings.iter().flat_map(|sighting| &sighting.keys) {
        let named = [key.kind.as_str(), &key.value];
        if let Some(asset) = pinned.query_row(named, |row| row.get(0)).optional()? {
            decided.pinned.insert(key.clone(), AssetId(asset));
        }
        if shared.exists(named)? {
            decided.shared.insert(key.clone());
        }
    }
    Ok(decided)
}

/// Writes what a run comes to.
pub(super) fn write(db: &Connection, run: &Run, sightings: &[Sighting], intake: &Intake) -> Result<()> {
    for (gone, into) in &intake.merged {
        remove(db, gone)?;
        db.prepare_cached("INSERT OR REPLACE INTO merged (gone, into_asset, run) VALUES (?1, ?2, ?3)")?
            .execute([&gone.0, &into.0, &run.id])?;
        db.prepare_cached("UPDATE sighting SET asset = ?2 WHERE asset = ?1")?.execute([&gone.0, &into.0])?;
    }
    intake.assets.iter().try_for_each(|asset| put(db, asset))?;
    let mut shared =
        db.prepare_cached("INSERT OR IGNORE INTO shared (kind, value, run) VALUES (?1, ?2, ?3)")?;
    for key in &intake.shared {
        shared.execute([key.kind.as_str(), &key.value, &run.id])?;
    }
    let mut whose =
        db.prepare_cached("UPDATE sighting SET asset = ?3, because = ?4 WHERE run = ?1 AND device = ?2")?;
    for (sighting, assignment) in sightings.iter().zip(&intake.assignments) {
        whose.execute([&run.id, &sighting.device, &assignment.asset.0, &json(&assignment.because)?])?;
    }
    let mut change = db.prepare_cached("INSERT INTO change (run, asset, record) VALUES (?1, ?2, ?3)")?;
    for one in &intake.changes {
        change.execute([&run.id, &one.asset.0, &json(one)?])?;
    }
    Ok(())
}

fn put(db: &Connection, asset: &Asset) -> Result<()> {
    let id = &asset.id.0;
    db.prepare_cached("INSERT OR REPLACE INTO asset (id, record) VALUES (?1, ?2)")?
        .execute([id, &json(asset)?])?;
    let mut key = db.prepare_cached("INSERT OR IGNORE INTO key (kind, value, asset) VALUES (?1, ?2, ?3)")?;
    for one in &asset.keys {
        key.execute([one.kind.as_str(), &one.value, id])?;
    }
    db.prepare_cached("DELETE FROM address WHERE asset = ?1")?.execute([id])?;
    let mut address = db.prepare_cached("INSERT OR IGNORE INTO address (address, asset) VALUES (?1, ?2)")?;
    for one in &asset.latest.addresses {
        address.execute(params![u32::from(*one), id])?;
    }
    Ok(())
}

fn remove(db: &Connection, id: &AssetId) -> Result<()> {
    for table in [
        "DELETE FROM asset WHERE id = ?1",
        "DELETE FROM key WHERE asset = ?1",
        "DELETE FROM address WHERE asset = ?1",
    ] {
        db.prepare_cached(table)?.execute([&id.0])?;
    }
    Ok(())
}

/// Drops all that can be drawn again.
pub(super) fn forget(db: &Connection) -> Result<()> {
    Ok(db.execute_batch(
        "DELETE FROM asset; DELETE FROM key; DELETE FROM address; DELETE FROM shared; DELETE FROM merged;
         DELETE FROM change; UPDATE sighting SET asset = '', because = '';",
    )?)
}

pub(super) fn changes_of(db: &Connection, run: &str) -> Result<Vec<Change>> {
    records(db, "SELECT record FROM change WHERE run = ?1 ORDER BY id", [run])
}

pub(super) fn changes(db: &Connection, after: Option<&str>, until: Option<&str>) -> Result<Vec<Change>> {
    let bound = |id: Option<&str>| -> Result<Option<(i64, String)>> {
        let Some(id) = id else { return Ok(None) };
        let mut statement = db.prepare_cached("SELECT started, id FROM run WHERE id = ?1")?;
        let found = statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        found.map(Some).ok_or_else(|| Error::Refused(format!("there is no run {id} in the register")))
    };
    let (from, from_id) = bound(after)?.unwrap_or((i64::MIN, String::new()));
    let (to, to_id) = bound(until)?.unwrap_or((i64::MAX, String::new()));
    records(
        db,
        "SELECT change.record FROM change JOIN run ON run.id = change.run
         WHERE (run.started, run.id) > (?1, ?2) AND (run.started, run.id) <= (?3, ?4)
         ORDER BY run.started, run.id, change.id",
        params![from, from_id, to, to_id],
    )
}

pub(super) fn set_pin(db: &Connection, key: &Key, asset: Option<&AssetId>) -> Result<()> {
    let (kind, value) = (key.kind.as_str(), key.value.as_str());
    match asset {
        Some(id) => db
            .prepare_cached("INSERT OR REPLACE INTO pin (kind, value, asset) VALUES (?1, ?2, ?3)")?
            .execute([kind, value, &id.0])?,
        None => {
            db.prepare_cached("DELETE FROM pin WHERE kind = ?1 AND value = ?2")?.execute([kind, value])?
        }
    };
    Ok(())
}

pub(super) fn pins(db: &Connection) -> Result<Vec<(Key, AssetId)>> {
    let mut statement = db.prepare_cached("SELECT kind, value, asset FROM pin ORDER BY kind, value")?;
    let mut rows = statement.query([])?;
    let mut pins = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = kind(&row.get::<_, String>(0)?)?;
        pins.push((Key { kind, value: row.get(1)? }, AssetId(row.get(2)?)));
    }
    Ok(pins)
}

/// Writes a list unless the newest one says the same.
pub(super) fn expect(db: &Connection, list: &ExpectedList) -> Result<bool> {
    let same = expected(db)?.is_some_and(|newest| newest.rows == list.rows && newest.broken == list.broken);
    if !same {
        db.prepare_cached("INSERT INTO expected (taken, source, rows, broken) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![list.taken.as_micros(), list.source, json(&list.rows)?, json(&list.broken)?])?;
    }
    Ok(!same)
}

pub(super) fn expected(db: &Connection) -> Result<Option<ExpectedList>> {
    let mut statement =
        db.prepare_cached("SELECT taken, source, rows, broken FROM expected ORDER BY id DESC LIMIT 1")?;
    let mut found = statement.query([])?;
    let Some(row) = found.next()? else { return Ok(None) };
    Ok(Some(ExpectedList {
        taken: Timestamp::from_micros(row.get(0)?),
        source: row.get(1)?,
        rows: from_json(&row.get::<_, String>(2)?)?,
        broken: from_json(&row.get::<_, String>(3)?)?,
    }))
}
