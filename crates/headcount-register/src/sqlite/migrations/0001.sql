-- Runs, and what each saw: from these two tables everything below can be made again.
CREATE TABLE run (
    id      TEXT PRIMARY KEY,
    started INTEGER NOT NULL,          -- microseconds since 1970 UTC
    record  TEXT NOT NULL              -- JSON
) WITHOUT ROWID;
CREATE INDEX run_by_time ON run (started, id);

CREATE TABLE sighting (
    run     TEXT NOT NULL REFERENCES run (id),
    device  TEXT NOT NULL,             -- its id in the run
    asset   TEXT NOT NULL,
    because TEXT NOT NULL,             -- JSON
    record  TEXT NOT NULL,             -- JSON
    PRIMARY KEY (run, device)
) WITHOUT ROWID;
CREATE INDEX sighting_by_asset ON sighting (asset, run);

-- What people decided.
CREATE TABLE pin (
    kind  TEXT NOT NULL,
    value TEXT NOT NULL,
    asset TEXT NOT NULL,
    PRIMARY KEY (kind, value)
) WITHOUT ROWID;

-- Drawn from the above.
CREATE TABLE asset (
    id     TEXT PRIMARY KEY,
    record TEXT NOT NULL               -- JSON
) WITHOUT ROWID;

CREATE TABLE key (
    kind  TEXT NOT NULL,
    value TEXT NOT NULL,
    asset TEXT NOT NULL,
    PRIMARY KEY (kind, value, asset)
) WITHOUT ROWID;
CREATE INDEX key_by_asset ON key (asset);

CREATE TABLE address (
    address INTEGER NOT NULL,          -- IPv4, as a number
    asset   TEXT NOT NULL,
    PRIMARY KEY (address, asset)
) WITHOUT ROWID;
CREATE INDEX address_by_asset ON address (asset);

-- Keys that do not tell one device from another.
CREATE TABLE shared (
    kind  TEXT NOT NULL,
    value TEXT NOT NULL,
    run   TEXT NOT NULL,               -- since which run
    PRIMARY KEY (kind, value)
) WITHOUT ROWID;

CREATE TABLE merged (
    gone TEXT PRIMARY KEY,
    into_asset TEXT NOT NULL,
    run  TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE change (
    id     INTEGER PRIMARY KEY,
    run    TEXT NOT NULL,
    asset  TEXT NOT NULL,
    record TEXT NOT NULL               -- JSON
);
CREATE INDEX change_by_run ON change (run);
CREATE INDEX change_by_asset ON change (asset);
