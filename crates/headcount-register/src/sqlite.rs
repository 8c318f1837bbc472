//! A register in one SQLite file.

mod rows;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use headcount_model::Run;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::{
    Asset, AssetId, Change, ExpectedList, Failed, Imported, Intake, Key, Sighting, Store, Stored, View,
    take_in,
};

/// The forms of the file, oldest first: each leads from the one before to the next.
const MIGRATIONS: [&str; 2] =
    [include_str!("sqlite/migrations/0001.sql"), include_str!("sqlite/migrations/0002.sql")];
/// How long a writer waits for another.
const PATIENCE: Duration = Duration::from_secs(30);

/// See the module's documentation.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

impl Sqlite {
    /// Opens a register, makes it where there is none, and brings it to the newest form.
    ///
    /// # Errors
    /// The file cannot be opened or is no register, or a newer version wrote it.
    pub fn open(path: &Path) -> Result<Self, Failed> {
        let failed = |error: &rusqlite::Error| unusable(path, error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| failed(&error))?;
        let mut store = Self { connection, path: path.to_owned() };
        store.prepare().map_err(|error| failed(&error))?;
        store.migrate()?;
        Ok(store)
    }

    /// A register in memory, for tests.
    ///
    /// # Errors
    /// There is no memory.
    pub fn in_memory() -> Result<Self, Failed> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| unusable(path, &error))?;
        let mut store = Self { connection, path: path.to_owned() };
        store.migrate()?;
        Ok(store)
    }

    fn prepare(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(PATIENCE)?;
        // Readers do not wait for a writer; what was committed outlives the process, if not the machine's last second.
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        self.connection.pragma_update(None, "foreign_keys", true)?;
        self.connection.set_prepared_statement_cache_capacity(64);
        Ok(())
    }

    fn migrate(&mut self) -> Result<(), Failed> {
        let newest = MIGRATIONS.len() as u32;
        let path = self.path.clone();
        let failed = |error: rusqlite::Error| unusable(&path, &error);
        let form = |connection: &Connection| {
            connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))
        };
        let found = form(&self.connection).map_err(failed)?;
        if found > newest {
            return Err(Failed::TooNew { store: path.display().to_string(), found, known: newest });
        }
        if found == newest {
            return Ok(());
        }
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        // Another process may have done it while this one waited.
        let found = form(&tx).map_err(failed)?;
        for migration in MIGRATIONS.iter().skip(found as usize) {
            tx.execute_batch(migration).map_err(failed)?;
        }
        tx.pragma_update(None, "user_version", newest).map_err(failed)?;
        tx.commit().map_err(failed)
    }

    /// Does something whole or not at all.
    fn change<T>(
        &mut self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, rows::Error>,
    ) -> Result<T, Failed> {
        let path = self.path.clone();
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| unusable(&path, &error))?;
        let result = act(&tx).map_err(|error| broken(&path, error))?;
        tx.commit().map_err(|error| unusable(&path, &error))?;
        Ok(result)
    }

    fn read<T>(&self, act: impl FnOnce(&Connection) -> Result<T, rows::Error>) -> Result<T, Failed> {
        act(&self.connection).map_err(|error| broken(&self.path, error))
    }
}

impl Store for Sqlite {
    fn import(&mut self, run: &Run, sightings: &[Sighting]) -> Result<Imported, Failed> {
        self.change(|tx| {
            if rows::has_run(tx, &run.id)? {
                return Ok(Imported { known: true, devices: sightings.len(), ..Imported::default() });
            }
            let replayed = rows::is_older(tx, run)?;
            rows::add_run(tx, run, sightings)?;
            let changes = if replayed {
                replay(tx)?;
                rows::changes_of(tx, &run.id)?
            } else {
                take(tx, run, sightings)?.changes
            };
            Ok(Imported { known: false, replayed, devices: sightings.len(), changes })
        })
    }

    fn runs(&self) -> Result<Vec<Stored>, Failed> {
        self.read(rows::runs)
    }

    fn assets(&self) -> Result<Vec<Asset>, Failed> {
        self.read(rows::assets)
    }

    fn asset(&self, id: &AssetId) -> Result<Option<Asset>, Failed> {
        self.read(|connection| rows::asset(connection, id))
    }

    fn changes(&self, after: Option<&str>, until: Option<&str>) -> Result<Vec<Change>, Failed> {
        self.read(|connection| rows::changes(connection, after, until))
    }

    fn pin(&mut self, keys: &[Key], asset: Option<&AssetId>) -> Result<(), Failed> {
        if let Some(id) = asset
            && self.asset(id)?.is_none()
        {
            return Err(Failed::Refused(format!("there is no asset {id}")));
        }
        self.change(|tx| {
            keys.iter().try_for_each(|key| rows::set_pin(tx, key, asset))?;
            replay(tx)
        })
    }

    fn pins(&self) -> Result<Vec<(Key, AssetId)>, Failed> {
        self.read(rows::pins)
    }

    fn expect(&mut self, list: &ExpectedList) -> Result<bool, Failed> {
        self.change(|tx| rows::expect(tx, list))
    }

    fn expected(&self) -> Result<Option<ExpectedList>, Failed> {
        self.read(rows::expected)
    }
}

/// Takes in one run that is newer than all others.
fn take(tx: &Transaction<'_>, run: &Run, sightings: &[Sighting]) -> Result<Intake, rows::Error> {
    let view = View { assets: rows::bearing(tx, run, sightings)?, pins: rows::decided(tx, sightings)? };
    let intake = take_in(run, sightings, &view);
    rows::write(tx, run, sightings, &intake)?;
    Ok(intake)
}

/// Draws everything again from the runs, in their order.
fn replay(tx: &Transaction<'_>) -> Result<(), rows::Error> {
    rows::forget(tx)?;
    for stored in rows::runs(tx)? {
        let sightings = rows::sightings_of(tx, &stored.run.id)?;
        take(tx, &stored.run, &sightings)?;
    }
    Ok(())
}

fn broken(path: &Path, error: rows::Error) -> Failed {
    match error {
        rows::Error::Database(error) => unusable(path, &error),
        rows::Error::Record(error) => Failed::Unusable {
            store: path.display().to_string(),
            cause: format!("a record in it cannot be read: {error}"),
        },
        rows::Error::Refused(cause) => Failed::Refused(cause),
    }
}

/// What an error of SQLite means to whoever runs headcount.
fn unusable(path: &Path, error: &rusqlite::Error) -> Failed {
    let way_out = match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => "; the folder must exist and be writable, or --db names another file",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "; the file and its folder must be writable, or --db names another file"
        }
        Some(ErrorCode::DiskFull) => "; nothing was changed: make room and do it again",
        Some(ErrorCode::NotADatabase) => "; it is no register: --db names another file",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "; another program is writing to it: do it again"
        }
        Some(ErrorCode::DatabaseCorrupt) => "; restore it from a copy, or import the run logs into a new one",
        _ => "",
    };
    Failed::Unusable { store: path.display().to_string(), cause: format!("{error}{way_out}") }
}

#[cfg(test)]
mod tests;
