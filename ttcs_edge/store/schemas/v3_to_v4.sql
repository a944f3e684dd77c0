-- The trust roots behind the one that came with the station's files, one behind the other.
CREATE TABLE trust (version INTEGER PRIMARY KEY, envelope BLOB NOT NULL) STRICT;
