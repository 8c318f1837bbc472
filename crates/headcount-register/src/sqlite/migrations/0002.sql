-- What the organisation expects to have, in versions: the newest counts.
CREATE TABLE expected (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    taken  INTEGER NOT NULL,           -- microseconds since 1970 UTC
    source TEXT NOT NULL,              -- the file's name
    rows   TEXT NOT NULL,              -- JSON
    broken TEXT NOT NULL               -- JSON: the rows that could not be read
);
