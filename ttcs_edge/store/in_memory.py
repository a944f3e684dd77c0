"""A station whose card cannot be written at its start lives in memory: in the runtime folder, which is a tmpfs.

The database there is begun with what the card's holds (``carry``), and is used like any other. It survives a restart of
the service, which goes on with it, and not one of the machine. At the first start that can write the card again, what
it holds goes back. Audio stays where it is, to be read.

The count of starts cannot be written either, and ids are made of it. So such a life begins at a number that no card
comes to, drawn anew for each copy: of two copies, not even one in a thousand million million draws the same (never-5).
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.durable import transaction
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store import chain
from ttcs_edge.store.blobs import write_whole
from ttcs_edge.store.carry import NO_ORIGIN, Origin, carry_out, origin_of
from ttcs_edge.store.copies import Copies
from ttcs_edge.store.database import BOOT_FILE, DATABASE_FILE, Database, connect
from ttcs_edge.store.health import check, suspect
from ttcs_edge.store.journal import Journal
from ttcs_edge.store.migration import migrate
from ttcs_edge.store.salvage import reading

REPORT_BYTES = 16 * 1024**2
"""What reports may take in memory, and never more than a ``ROOM_SHARE`` of what is free there."""
ROOM_SHARE = 4
FIRST_START_BITS = 52
"""Starts that are counted in memory begin at 2^52 or above it; they stay below 2^53, the wire's bound."""
ORIGIN_FILE = "origin"
_HELD = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class _Copy(Struct, frozen=True):
    """Of what a database in memory is the copy, and how many reports that waited had no room in it."""

    origin: Origin
    left: int


class Opened(Struct, frozen=True):
    """The database of this life. ``in_memory`` says why it is not on the card; empty when it is."""

    database: Database
    in_memory: tuple[tuple[str, str], ...] = ()


def open_database(card: Path, memory: Path, settings: StoreSettings) -> Opened:
    """Open the database of a state folder, or its copy in a folder in memory when the first cannot be written.

    Raises NewerDatabaseError; sqlite3.Error and OSError when neither can be used, or somebody else has the first.
    """
    try:
        database = Database.open(card, settings)
        _bring_back(database, memory)
        return Opened(database)
    except (sqlite3.Error, OSError) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _HELD:
            raise
        return _open_in_memory(card, memory, settings, _why(card, error))


def _why(card: Path, error: Exception) -> str:
    """The system's own word, where it has one: SQLite only says that it cannot."""
    try:
        write_whole(card / "try", bytes(4_096))
        (card / "try").unlink()
    except OSError as refusal:
        return refusal.strerror or str(refusal)
    return str(error)


def _bring_back(database: Database, memory: Path) -> None:
    if not memory.exists():
        return
    Database.open(memory).close()  # whole, and of this release's schema
    database.take_back(memory / DATABASE_FILE, _read_copy(memory).origin)
    database.copies.take_over(Copies(memory))
    shutil.rmtree(memory)


def _open_in_memory(card: Path, memory: Path, settings: StoreSettings, error: str) -> Opened:
    settings = replace(settings, report_bytes=min(settings.report_bytes, REPORT_BYTES, _room_bytes(memory)))
    origin = _origin_of(card / DATABASE_FILE)
    if not memory.exists() or origin not in (NO_ORIGIN, _read_copy(memory).origin):
        _copy(card, memory, settings, origin)
    left = _read_copy(memory).left
    return Opened(Database.open(memory, settings), (("error", error), ("left", str(left))))


def _room_bytes(memory: Path) -> int:
    """A share of what is free, and of what the copy has: it must not shrink for having been filled."""
    disk = os.statvfs(memory.parent)
    own_bytes = sum(path.stat().st_size for path in memory.glob(f"{DATABASE_FILE}*"))
    return (disk.f_bavail * disk.f_frsize + own_bytes) // ROOM_SHARE


def _copy(card: Path, memory: Path, settings: StoreSettings, origin: Origin) -> None:
    """Make the copy; under its name it is whole."""
    shutil.rmtree(memory, ignore_errors=True)
    part = memory.with_name(f"{memory.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(0o750)
    boot = 2**FIRST_START_BITS + secrets.randbits(FIRST_START_BITS - 1)
    write_whole(part / BOOT_FILE, str(boot).encode())
    connection = connect(part / DATABASE_FILE)
    try:
        migrate(connection, boot)
        left, damage = _fill(card, connection, settings)
    finally:
        connection.close()
    if damage is not None:  # it is opened as one that was damaged: what is lost is told
        suspect(part / DATABASE_FILE, damage)
    with suppress(OSError):
        Copies(part).take_over(Copies(card))
    write_whole(part / ORIGIN_FILE, msgspec.json.encode(_Copy(origin, left)))
    part.rename(memory)


def _fill(card: Path, connection: sqlite3.Connection, settings: StoreSettings) -> tuple[int, Exception | None]:
    """Carry over what can be read; gives how many reports that waited had no room, and what is wrong with the card's
    database.
    """
    path, run = card / DATABASE_FILE, connection.execute
    chain.begin_behind(run, lambda old: reading(old, alone=True), path, chain.IN_MEMORY)
    left, damage, journal = 0, _damage(card), Journal.load(run, settings)
    before = journal.counts
    with transaction(connection):
        try:
            if path.exists():
                with closing(reading(path, alone=True)) as source:
                    left = carry_out(source, run, journal)
        except (sqlite3.DatabaseError, OSError) as error:
            damage = damage or error
        journal.save(run, before)
    return left, damage


def _damage(card: Path) -> Exception | None:
    try:
        check(card / DATABASE_FILE, (card / BOOT_FILE).exists())
    except (sqlite3.DatabaseError, OSError) as error:
        return error
    return None


def _read_copy(memory: Path) -> _Copy:
    try:
        return msgspec.json.decode((memory / ORIGIN_FILE).read_bytes(), type=_Copy)
    except (OSError, msgspec.DecodeError):  # of another release, say
        return _Copy(NO_ORIGIN, 0)


def _origin_of(path: Path) -> Origin:
    """That of the card's database; none when it cannot be read, or there is none."""
    try:
        with closing(reading(path, alone=True)) as connection:
            return origin_of(connection.execute)
    except (sqlite3.Error, OSError):
        return NO_ORIGIN
