-- The newest message of each alert, until nothing that was ever said of it can be believed any more.
CREATE TABLE alerts (
    scope TEXT NOT NULL, event TEXT NOT NULL, version INTEGER NOT NULL, envelope BLOB NOT NULL,
    until_ms INTEGER NOT NULL, PRIMARY KEY (scope, event)
) STRICT;
