-- What survives a power cut. A new database is made from the newest of these files; PRAGMA user_version names it.
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- The trust roots behind the one that came with the station's files, one behind the other.
CREATE TABLE trust (version INTEGER PRIMARY KEY, envelope BLOB NOT NULL) STRICT;
CREATE TABLE programmes (scope TEXT PRIMARY KEY, version INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT;
-- The one that was in force before, of each scope: its recordings may stand in.
CREATE TABLE earlier (scope TEXT PRIMARY KEY, version INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT;
-- The newest message of each alert, until nothing that was ever said of it can be believed any more; told is the state
-- of it that the centre was told last.
CREATE TABLE alerts (
    scope TEXT NOT NULL, event TEXT NOT NULL, version INTEGER NOT NULL, envelope BLOB NOT NULL,
    until_ms INTEGER NOT NULL, told TEXT NOT NULL, PRIMARY KEY (scope, event)
) STRICT;
-- The newest command for the volume of each zone. Whether it is in force still, it says itself.
CREATE TABLE volumes (zone TEXT PRIMARY KEY, version INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT;
CREATE TABLE floors (scope TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE as_run_open (id TEXT PRIMARY KEY, record BLOB NOT NULL) STRICT;
CREATE TABLE settled (
    scope TEXT NOT NULL, slot TEXT NOT NULL, local TEXT NOT NULL, planned_ms INTEGER NOT NULL,
    PRIMARY KEY (scope, slot, local)
) STRICT, WITHOUT ROWID;
CREATE TABLE faults_open (id TEXT PRIMARY KEY, fault BLOB NOT NULL) STRICT;
-- Every report that the station still has. seq is its journal and its sequence in one number (store/journal.py).
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL, told_ms INTEGER NOT NULL,
    rank INTEGER NOT NULL
) STRICT;
-- A report is in one of these two. They are small, so that a mark costs the card next to nothing.
CREATE TABLE unsent (seq INTEGER PRIMARY KEY, rank INTEGER NOT NULL) STRICT;
CREATE TABLE sent (seq INTEGER PRIMARY KEY, sent_ms INTEGER NOT NULL) STRICT;
-- Where the audit trail stands: the newest link of its chain, and what the next one tells of another chain, as JSON.
CREATE TABLE chain (
    one INTEGER PRIMARY KEY, link INTEGER NOT NULL, digest TEXT NOT NULL, after BLOB NOT NULL
) STRICT;
INSERT INTO chain VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', CAST('{"why":"first"}' AS BLOB));
