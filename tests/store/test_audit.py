"""The chain of the audit trail on a card: one behind the other whatever dies, and a new one that tells why."""

from __future__ import annotations

import itertools
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.store.test_in_memory import card as card_that_can_be_read_only
from tests.store.test_in_memory import memory as in_the_runtime_folder
from tests.store.test_in_memory import mount
from tests.store.test_outbox import fault
from ttcs_edge.core.effects import Audited
from ttcs_edge.core.model import WallMs
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.database import Database
from ttcs_edge.store.in_memory import open_database
from ttcs_edge.store.outbox import Outbox
from ttcs_edge.wire.chain import digest_of
from ttcs_edge.wire.reports import NO_DIGEST, AuditReport, read_report

STATION = "da-teh-01"
card, memory = card_that_can_be_read_only, in_the_runtime_folder
DATA = Path(__file__).with_name("data")


def entry(name: str) -> Audited:
    """A programme that was accepted, as an entry of this id."""
    return Audited(name, WallMs(5_000), True, "accepted", "programme", "vn", version=3, keys=("a" * 64,))


def live(database: Database, *names: str, wall_ms: int = 9_000) -> Path:
    """Entries, a commit each, and an end in good order; gives where they are."""
    for name in names:
        database.commit([entry(name), fault(int(name.partition("-u")[2]) + 100 * database.boot)], STATION, wall_ms)
    database.close()
    return database.path


def chain(path: Path) -> list[AuditReport]:
    """The entries in a database, each with the digest that its bytes have; by journal and link."""
    found = []
    with closing(sqlite3.connect(path)) as connection:
        for (body,) in connection.execute("SELECT body FROM outbox").fetchall():
            one = read_report(body)
            if isinstance(one, AuditReport):
                assert one.digest == digest_of(json.loads(body))
                found.append(one)
    return sorted(found, key=lambda one: (one.journal, one.link))


def links(entries: Sequence[AuditReport]) -> list[tuple[int, int, str]]:
    """Journal, link and id of each; every one follows the one before it, and the first of a journal follows nothing."""
    ends: dict[int, str] = {}
    for one in entries:
        assert one.before == ends.get(one.journal, NO_DIGEST), f"{one.id} follows nothing that was said"
        ends[one.journal] = one.digest
    return [(one.journal, one.link, one.id.removeprefix(f"{STATION}/")) for one in entries]


def after(one: AuditReport) -> tuple[Any, ...] | None:
    """What an entry tells of another chain."""
    other = one.after
    return None if other is None else (other.why, other.journal, other.link, other.digest)


def test_entries_are_chained_across_lives_and_numbered_with_all_other_reports(tmp_path: Path) -> None:
    """Links count entries, sequences count reports; the first says that there was none before."""
    live(Database.open(tmp_path), "1-u1", "1-u2")
    path = live(Database.open(tmp_path), "2-u1")

    entries = chain(path)
    assert links(entries) == [(1, 1, "1-u1"), (1, 2, "1-u2"), (1, 3, "2-u1")]
    assert [one.sequence for one in entries] == [1, 3, 5]
    assert [after(one) for one in entries] == [("first", None, None, None), None, None]


def test_one_that_is_told_twice_has_one_place(tmp_path: Path) -> None:
    """A commit that was made, and believed to have failed, is made again: the chain does not grow by it."""
    database = Database.open(tmp_path)
    for _ in range(3):
        database.commit([entry("1-u1")], STATION, 9_000)
    path = live(database, "1-u2")

    assert links(chain(path)) == [(1, 1, "1-u1"), (1, 2, "1-u2")]


def test_a_commit_that_fails_leaves_the_chain_where_it_was(tmp_path: Path) -> None:
    """On the card and in memory: what is tried again gets the place that it would have had."""
    database = Database.open(tmp_path)
    database.commit([entry("1-u1")], STATION, 9_000)
    with closing(sqlite3.connect(database.path, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
        database._connection.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(sqlite3.OperationalError):
            database.commit([entry("1-u2")], STATION, 9_000)
        other.execute("ROLLBACK")
    path = live(database, "1-u2", "1-u3")

    assert links(chain(path)) == [(1, 1, "1-u1"), (1, 2, "1-u2"), (1, 3, "1-u3")]


def test_the_chain_survives_kill_9(tmp_path: Path) -> None:
    """never-5: killed between any two commits, the next life goes on behind the last that is there, without a gap."""
    code = """
import itertools, sys
from pathlib import Path
from tests.store.test_audit import STATION, entry
from ttcs_edge.store.database import Database
database = Database.open(Path(sys.argv[1]))
for number in itertools.count(1):
    database.commit([entry(f"{database.boot}-u{number}")], STATION, 9_000)
    print(number, flush=True)
"""
    committed = 0
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(20)]
            process.send_signal(signal.SIGKILL)
            said += process.stdout.readlines()
        committed += len([line for line in said if line.endswith("\n")])
    path = live(Database.open(tmp_path), "5-u1")

    entries = chain(path)
    assert [link for _, link, _ in links(entries)] == list(range(1, len(entries) + 1))
    assert committed < len(entries) <= committed + 1 + 4, "one of each life may be on the card, and not told"


@pytest.mark.parametrize("readable", [True, False])
def test_behind_a_rebuilt_database_begins_a_chain_that_tells_of_the_old_one(tmp_path: Path, readable: bool) -> None:
    """How far that had come, when it can be read; its entries that can be read keep their places."""
    path = live(Database.open(tmp_path), "1-u1", "1-u2", "1-u3")
    old = chain(path)[-1]
    if readable:
        (tmp_path / "suspect").write_text("found while it ran")
    else:
        path.write_bytes(b"no database at all" * 1_000)
    path = live(Database.open(tmp_path), "2-u1", "2-u2")

    entries = [one for one in chain(path) if one.journal == 2]
    assert links(entries) == [(2, 1, "2-u1"), (2, 2, "2-u2")]
    assert after(entries[0]) == ("store-damaged", *((1, 3, old.digest) if readable else (None, None, None)))
    assert after(entries[1]) is None
    assert len(links(chain(path))) == (5 if readable else 2)


def test_a_chain_without_an_entry_hands_on_what_it_had_to_tell(tmp_path: Path) -> None:
    """Damaged twice before anything was said: the first one is not forgotten."""
    old = chain(live(Database.open(tmp_path), "1-u1"))[0]
    for _ in range(2):
        (tmp_path / "suspect").write_text("found while it ran")
        database = Database.open(tmp_path)
    path = live(database, "3-u1")

    assert after(chain(path)[-1]) == ("store-damaged", 1, 1, old.digest)


@pytest.mark.parametrize("row", ["link = -1", "digest = 'x'", "after = x'7b'"])
def test_a_rotten_place_in_the_chain_is_damage_like_any_other(tmp_path: Path, row: str) -> None:
    """Not one link is made twice of it: another chain begins."""
    path = live(Database.open(tmp_path), "1-u1")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE chain SET {row}")
        connection.commit()
    path = live(Database.open(tmp_path), "2-u1")

    assert [after(one) for one in chain(path)][1:] == [("store-damaged", None, None, None)]


def test_a_card_that_cannot_be_written_leaves_a_chain_to_memory_and_takes_it_up_again(card: Path, memory: Path) -> None:
    """Memory's chain tells where the card's stood, and the card's goes on by telling where memory's had come."""
    settings = StoreSettings()
    first = live(open_database(card, memory, settings).database, "1-u1", "1-u2")
    end = chain(first)[-1]
    mount("-o", "remount,ro", str(card))
    opened = open_database(card, memory, settings).database
    journal = opened.journal.number
    lived = [one for one in chain(live(opened, "7-u1", "7-u2")) if one.journal == journal]
    assert after(lived[0]) == ("store-in-memory", 1, 2, end.digest)
    mount("-o", "remount,rw", str(card))
    path = live(open_database(card, memory, settings).database, "2-u1", "2-u2")

    entries = chain(path)
    assert [link for _, link, _ in links(entries)] == [1, 2, 3, 4, 1, 2]
    assert after(entries[2]) == ("store-back", journal, 2, lived[-1].digest) and after(entries[3]) is None


def test_what_is_sent_again_is_what_was_sent(tmp_path: Path) -> None:
    """Byte for byte: the digest of a report that is a month old is still its own."""
    path = live(Database.open(tmp_path), "1-u1", "1-u2")
    outbox = Outbox(path)
    rows = outbox.pending(10, 0)
    outbox.mark_sent([row.seq for row in rows])
    assert outbox.resend(1, 1, 4) == (4, ())
    again = outbox.pending(10, 0)
    outbox.close()

    assert [row.body for row in again] == [row.body for row in rows]


def test_what_has_no_room_is_counted_in_the_chain(tmp_path: Path) -> None:
    """never-8: the oldest go, the chain goes on, and the next entry says how many are gone; as-run records go first."""
    database = Database.open(tmp_path, StoreSettings(report_bytes=12_000))
    for number in range(1, 61):
        database.commit([entry(f"1-u{number}")], STATION, 9_000)
    database.close()

    entries = chain(tmp_path / "ttcs.db")
    kept = [one.link for one in entries]
    assert kept == list(range(kept[0], 61)) and 1 < kept[0] < 60
    assert entries[-1].dropped in (kept[0] - 1, kept[0] - 2), "its own coming may have cost the last of them"
    assert all(one.before == before.digest for before, one in itertools.pairwise(entries))


@pytest.mark.parametrize("old", ["v1.db", "v2.db", "v3.db"])
def test_a_database_of_an_earlier_release_begins_its_first_chain(tmp_path: Path, old: str) -> None:
    """In the journal that it has: reports go on with their numbers, and the first entry says why it is the first."""
    (tmp_path / "ttcs.db").write_bytes((DATA / old).read_bytes())
    database = Database.open(tmp_path)
    assert database.remembered().damage is None
    boot = database.boot
    path = live(database, f"{boot}-u1")

    (one,) = chain(path)
    assert (one.link, after(one)) == (1, ("update", None, None, None))


def test_nothing_periodic_is_written(tmp_path: Path) -> None:
    """Opening and closing costs the chain nothing: it is written with an entry, and only then."""
    live(Database.open(tmp_path), "1-u1")
    before = chain(tmp_path / "ttcs.db")
    for _ in range(3):
        live(Database.open(tmp_path))
    assert chain(tmp_path / "ttcs.db") == before
