"""What must outlast a power cut, at a station or at the centre: rows of a database, names in a folder."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
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


def prepare(connection: sqlite3.Connection, version: int, schema: Iterable[str]) -> None:
    """Have a database of one release only as this release knows it: a new one gets the schema.

    Raises sqlite3.Error, also for one that a newer release has written.
    """
    connection.execute("PRAGMA synchronous=FULL")
    with transaction(connection):
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > version:
            raise sqlite3.DatabaseError(f"{found} > {version}")
        if found == 0:
            for statement in schema:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk: a rename survives a power cut only then."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
