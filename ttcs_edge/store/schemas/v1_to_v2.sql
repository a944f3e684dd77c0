-- Reports get numbers, and stay for a while after they were sent; so does the programme that was replaced.
DROP TABLE outbox;
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL, told_ms INTEGER NOT NULL,
    rank INTEGER NOT NULL
) STRICT;
CREATE TABLE unsent (seq INTEGER PRIMARY KEY, rank INTEGER NOT NULL) STRICT;
CREATE TABLE sent (seq INTEGER PRIMARY KEY, sent_ms INTEGER NOT NULL) STRICT;
CREATE TABLE earlier (scope TEXT PRIMARY KEY, version INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT;
