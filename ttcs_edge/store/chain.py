"""Where the audit trail stands, in a table of its own: one row, written in the transaction that makes the entry.

A database that is begun anew has a journal of its own, and with it a chain of its own (``wire.chain``). Its first entry
tells of the one before it: how far it had come when that can still be read, else only why it was left. A card that can
be written again goes on with its own chain, and its next entry tells of the one in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ttcs_edge.core.model import is_sha256
from ttcs_edge.wire.chain import Head
from ttcs_edge.wire.reports import OtherChain

DAMAGED, IN_MEMORY, BACK = "store-damaged", "store-in-memory", "store-back"
Run = Callable[..., sqlite3.Cursor]


def read_head(run: Run, schema: str = "main") -> Head:
    """Where the chain of a database stands. Raises sqlite3.DatabaseError for a row that is none."""
    row = run(f"SELECT link, digest, after FROM {schema}.chain").fetchone()  # noqa: S608 (names of ours; values are parameters)
    try:
        link, digest, after = row
        head = Head(link, digest, msgspec.json.decode(after, type=OtherChain) if after else None)
    except (TypeError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise sqlite3.DatabaseError(f"chain: {error}") from error
    if link < 0 or not is_sha256(digest):
        raise sqlite3.DatabaseError(f"chain: {link} {digest[:64]}")
    return head


def write_head(run: Run, head: Head) -> None:
    """Remember where the chain stands."""
    after = b"" if head.after is None else msgspec.json.encode(head.after)
    run("UPDATE chain SET link = ?, digest = ?, after = ?", (head.link, head.digest, after))


def ended(run: Run, why: str, schema: str = "main") -> OtherChain:
    """What the chain that follows tells of a database's: of one without an entry, what that one had to tell."""
    try:
        head = read_head(run, schema)
        journal = run(f"SELECT value FROM {schema}.meta WHERE name = 'journal'").fetchone()[0]  # noqa: S608 (names of ours; values are parameters)
    except (sqlite3.Error, UnicodeDecodeError, TypeError):
        return OtherChain(why=why)
    if head.link:
        return OtherChain(why=why, journal=journal, link=head.link, digest=head.digest)
    return OtherChain(why=why) if head.after is None else replace(head.after, why=why)


def begin_behind(run: Run, open_old: Callable[[Path], sqlite3.Connection], old: Path, why: str) -> None:
    """Have the first entry of a fresh database tell of an old one, as far as that can be read."""
    other = OtherChain(why=why)
    try:
        with closing(open_old(old)) as connection:
            other = ended(connection.execute, why)
    except (sqlite3.Error, OSError):
        pass
    write_head(run, Head(after=other))


def rejoin(run: Run) -> None:
    """Have the next entry of a card's chain tell of the one that was begun in memory meanwhile, if it came to any."""
    other, head = ended(run, BACK, "memory"), read_head(run)
    own = run("SELECT value FROM main.meta WHERE name = 'journal'").fetchone()[0]
    has_more_to_tell = head.after is not None and head.after.journal is not None
    if other.journal is not None and other.journal != own and not has_more_to_tell:
        write_head(run, replace(head, after=other))
