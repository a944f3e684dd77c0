"""All of it or nothing: one write transaction of an SQLite database, a station's or the centre's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block writes, or none of it when the block or the commit fails.

    Raises sqlite3.Error. The connection must be in autocommit mode (``isolation_level=None``). The lock for writing is
    taken at the begin: a transaction that first reads and then asks for it may be refused at once, however long the
    busy timeout.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back on a full or a failing disk
            connection.execute("ROLLBACK")
        raise
