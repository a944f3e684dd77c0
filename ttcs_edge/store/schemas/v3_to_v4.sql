-- The trust roots behind the one that came with the station's files, one behind the other.
CREATE TABLE trust (version INTEGER PRIMARY KEY, envelope BLOB NOT NULL) STRICT;
-- Where the audit trail stands: the newest link of its chain, and what the next one tells of another chain, as JSON.
CREATE TABLE chain (
    one INTEGER PRIMARY KEY, link INTEGER NOT NULL, digest TEXT NOT NULL, after BLOB NOT NULL
) STRICT;
INSERT INTO chain VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', CAST('{"why":"update"}' AS BLOB));
