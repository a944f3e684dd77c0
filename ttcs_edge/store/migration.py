"""From nothing, or from an older release, to the schema of this one: in one transaction, all of it or nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from functools import cache
from importlib import resources

from ttcs_edge.durable import transaction
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.chain import Run
from ttcs_edge.store.journal import Counts, Journal, journal_of, place

SCHEMA_VERSION = 4


class NewerDatabaseError(Exception):
    """The database was written by a newer release. Give up: an older one must not touch it."""


def version_of(connection: sqlite3.Connection) -> int:
    """The schema that a database has, 0 for an empty one. Raises NewerDatabaseError for one of a newer release."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        raise NewerDatabaseError(f"{path}: {version} > {SCHEMA_VERSION}")
    return version


def migrate(connection: sqlite3.Connection, boot: int) -> None:
    """Bring a database to this release's schema. ``boot`` names the journal of one that has none yet.

    Raises NewerDatabaseError, sqlite3.DatabaseError for one that is no database of ours; it is untouched then.
    """
    version = version_of(connection)
    if version == SCHEMA_VERSION:
        return
    if version < 0 or (version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone()):
        raise sqlite3.DatabaseError(f"version {version} of no database of ours")
    with transaction(connection):
        if version == 0:
            _script(connection, f"v{SCHEMA_VERSION}.sql")
            _begin_journal(connection.execute, boot)
        for step in range(version, SCHEMA_VERSION) if version else ():
            _STEPS[step](connection, boot)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _script(connection: sqlite3.Connection, name: str) -> None:
    # Not executescript: it commits what came before it.
    for statement in _statements(name):
        connection.execute(statement)


@cache
def _statements(name: str) -> list[str]:
    return resources.files("ttcs_edge.store").joinpath("schemas", name).read_text("utf-8").split(";\n")


def _begin_journal(run: Run, boot: int) -> None:
    run("INSERT INTO meta VALUES ('journal', ?)", (journal_of(boot),))


def _from_1(connection: sqlite3.Connection, boot: int) -> None:
    """The reports that wait get the first numbers of a journal, in the order in which they were made."""
    run = connection.execute
    rows = run("SELECT id, body, told_ms FROM outbox ORDER BY seq").fetchall()
    _script(connection, "v1_to_v2.sql")
    _begin_journal(run, boot)
    journal = Journal(boot, Counts(sequence=len(rows)), StoreSettings())
    for sequence, (id_, body, told_ms) in enumerate(rows, 1):
        try:
            numbered = json.loads(body) | {"journal": boot, "sequence": sequence}
        except (ValueError, TypeError) as error:
            raise sqlite3.DatabaseError(f"outbox {id_}: {error}") from error
        text = json.dumps(numbered, ensure_ascii=False, separators=(",", ":"))
        journal.put_back(run, (place(boot, sequence), id_, text.encode(), told_ms), None)
    journal.save(run, Counts())


def _from_2(connection: sqlite3.Connection, boot: int) -> None:
    """Alerts are kept."""
    _script(connection, "v2_to_v3.sql")


def _from_3(connection: sqlite3.Connection, boot: int) -> None:
    """Trust roots follow one another, and there is an audit trail."""
    _script(connection, "v3_to_v4.sql")


_STEPS: dict[int, Callable[[sqlite3.Connection, int], None]] = {1: _from_1, 2: _from_2, 3: _from_3}
"""How to get from one version to the next."""
