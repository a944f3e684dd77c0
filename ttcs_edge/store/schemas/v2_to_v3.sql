-- The newest message of each alert, until nothing that was ever said of it can be believed any more; told is the state
-- of it that the centre was told last.
CREATE TABLE alerts (
    scope TEXT NOT NULL, event TEXT NOT NULL, version INTEGER NOT NULL, envelope BLOB NOT NULL,
    until_ms INTEGER NOT NULL, told TEXT NOT NULL, PRIMARY KEY (scope, event)
) STRICT;
-- The newest command for the volume of each zone. Whether it is in force still, it says itself.
CREATE TABLE volumes (zone TEXT PRIMARY KEY, version INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT;
