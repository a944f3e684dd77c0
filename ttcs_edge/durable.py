"""What must outlast a power cut, at a station or at the centre: rows of a database, names in a folder."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk: a rename survives a power cut only then."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
