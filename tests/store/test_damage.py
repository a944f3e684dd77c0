"""A card that rots under the database: what can be read of it is carried over, and the rest is told."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.parts import SCOPE, Province, utc
from tests.store.test_outbox import closed, fault, sequences, told
from tests.store.test_store import ROOM, STATION, record
from ttcs_edge.core import effects
from ttcs_edge.core.documents import Programme, Refused
from ttcs_edge.core.model import Instant, MonoMs, Occurrence, Outcome, Scope, WallMs, ZoneId
from ttcs_edge.daemon.beginning import started
from ttcs_edge.store.blobs import Blobs
from ttcs_edge.store.database import Database
from ttcs_edge.store.health import KEYED, NUMBERS, REPORTS, SUSPECT_FILE, check, check_reports, suspect
from ttcs_edge.store.outbox import Outbox

NOW = datetime.now(timezone.utc)
INSTANT = Instant(WallMs(round(NOW.timestamp() * 1_000)), MonoMs(0), True)
PROVINCE = Province()
FAULTS = 300
Damage = Callable[[Path], None]


def programme(version: int) -> Programme:
    """A programme without bulletins."""
    return Programme(
        scope=SCOPE,
        version=version,
        issued=utc(NOW - timedelta(hours=1)),
        expires=utc(NOW + timedelta(days=30)),
        time_zone="Asia/Ho_Chi_Minh",
        bulletins=(),
        slots=(),
    )


def accepted(version: int) -> tuple[effects.ProgrammeAccepted, effects.FloorRaised]:
    """One that was signed, with its floor."""
    return effects.ProgrammeAccepted(SCOPE, version, PROVINCE.sign(programme(version))), effects.FloorRaised(
        SCOPE, version
    )


def filled(folder: Path) -> Path:
    """A station that has lived for a while: many reports, some of them sent; a cue on the air."""
    database = Database.open(folder)
    for number in range(1, FAULTS + 1):
        database.commit([fault(number, "x" * 300)], STATION, number)
    database.commit(
        [*accepted(7), effects.AsRunOpened(record()), closed(3), effects.WatchedUntil(WallMs(900))], STATION, 1_000
    )
    outbox = Outbox(database.path)
    outbox.mark_sent([row.seq for row in outbox.pending(100, 0)])
    outbox.close()
    database.close()
    return folder / "ttcs.db"


def life(database: Database) -> tuple[list[int], list[Refused]]:
    """A start as the daemon makes it: the versions in force, and what is told."""
    first = started(
        database.remembered(), PROVINCE.root, Blobs(database.path.parent, ROOM), INSTANT, database.copies.programmes
    )
    for signed in first.programmes:
        assert dict(first.floors)[signed.document.scope] >= signed.document.version, "never-6"
    return [signed.document.version for signed in first.programmes], list(first.refused)


def next_lives(folder: Path) -> Database:
    """A start, what is checked behind it, and the next start when that finds damage."""
    database = Database.open(folder)
    try:
        check_reports(database.path)
    except sqlite3.DatabaseError as error:
        suspect(database.path, error)
        database.close()
        return Database.open(folder)
    return database


def garbage(path: Path) -> None:
    """Not one page is a database's."""
    path.write_bytes(b"no database at all" * 10_000)


def emptied(path: Path) -> None:
    """As a file system check leaves it."""
    path.write_bytes(b"")


def gone(path: Path) -> None:
    """Nothing there, the log included."""
    path.unlink()


def header(path: Path) -> None:
    """The first page is zero, the rest is whole."""
    path.write_bytes(bytes(4_096) + path.read_bytes()[4_096:])


def halved(path: Path) -> None:
    """The second half was never written."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [garbage, emptied, gone, header, halved])
def test_a_station_whose_database_is_gone_has_its_programme_and_its_floor_without_any_link(
    tmp_path: Path, damage: Damage
) -> None:
    """From the copy beside it, verified like any other; the start says what was lost, and numbers do not come again."""
    path = filled(tmp_path)
    damage(path)
    fresh = Database.open(tmp_path)
    versions, refused = life(fresh)

    assert versions == [7]
    assert [(one.code, one.subject) for one in refused] == [("store-damaged", "database")]
    assert dict(refused[0].detail)["programmes"] == "1"
    assert (fresh.boot, fresh.journal.number) == (2, 2), "never-5: ids and numbers do not come again"
    fresh.commit([fault(9_999)], STATION, 1)
    assert told(Outbox(fresh.path).pending(10_000, 0))[-1] == (2, 1, f"{STATION}/1-f9999")
    fresh.close()
    assert Database.open(tmp_path).remembered().damage is None, "the new one is whole"


def flipped_page_of(table: str) -> Damage:
    """One page in the middle of a table is another page's bytes."""

    def damage(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            sql = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno"
            try:
                pages = [row[0] for row in connection.execute(sql, (table,))]
            except sqlite3.OperationalError:
                pytest.skip("this SQLite has no dbstat")
        connection.close()
        page = pages[len(pages) // 2]
        data = bytearray(path.read_bytes())
        data[(page - 1) * 4_096 : page * 4_096] = random.Random(1).randbytes(4_096)
        path.write_bytes(data)

    return damage


def test_all_but_the_damaged_page_of_the_reports_is_carried_over(tmp_path: Path) -> None:
    """Forward to the damage and backward to it: a few are lost, and all others keep their bytes and their numbers."""
    path = filled(tmp_path)
    before = {row.seq: row.body for row in Outbox(path).pending(10_000, 0)}
    flipped_page_of("outbox")(path)
    fresh = next_lives(tmp_path)
    outbox = Outbox(fresh.path)
    after = {row.seq: row.body for row in outbox.pending(10_000, 0)}
    versions, refused = life(fresh)

    assert before.items() >= after.items()
    kept, gaps = outbox.resend(1, 1, FAULTS + 1)
    assert FAULTS - 20 < kept < FAULTS + 1
    assert len(gaps) == 1, "one hole, where the page was"
    assert versions == [7]
    assert dict(refused[0].detail)["reports"] == str(kept)
    assert [r.id for r in fresh.remembered().open_as_run] == ["1-a1"]
    assert len(fresh.remembered().settled) == 1
    assert fresh.remembered().watched_until_ms == 900
    assert fresh.journal.counts.size_bytes > 0
    assert not (tmp_path / SUSPECT_FILE).exists()


def test_an_alert_in_force_is_carried_over_with_what_was_heard_of_it(tmp_path: Path) -> None:
    """It goes on where it was: what was told of it last, and which parts of it must not come again."""
    path = filled(tmp_path)
    database = Database.open(tmp_path)
    part = Occurrence(Scope("vn"), "alert:lu-quet", "3.0.0-tone")
    told = effects.AlertTold("2-r1", Scope("vn"), "lu-quet", 3, "on-air")
    heard = replace(record(Outcome.AIRED), id="2-a1", occurrence=part)
    database.commit(
        [effects.AlertAccepted("vn", "lu-quet", 3, b"alert", WallMs(9_000)), told, effects.AsRunClosed(heard)], "x", 1
    )
    database.close()
    flipped_page_of("outbox")(path)
    fresh = next_lives(tmp_path)

    assert fresh.remembered().alerts == (("vn", "lu-quet", b"alert", 9_000, "on-air"),)
    assert part in [key for key, _ in fresh.remembered().settled]


def test_the_volume_of_a_zone_is_carried_over_and_the_newest_command_for_it_counts(tmp_path: Path) -> None:
    """A zone that must be quiet until Friday is, whatever becomes of the card before."""
    path = filled(tmp_path)
    database = Database.open(tmp_path)
    for version, envelope in ((7, b"louder"), (9, b"quiet")):
        database.commit([effects.VolumeOrdered(ZoneId("cho"), version, envelope)], "x", 1)
    database.commit([effects.VolumeOrdered(ZoneId("dinh"), 8, b"loud")], "x", 1)
    assert database.remembered().volumes == (("cho", b"quiet"), ("dinh", b"loud"))
    database.close()
    flipped_page_of("outbox")(path)

    assert next_lives(tmp_path).remembered().volumes == (("cho", b"quiet"), ("dinh", b"loud"))


def test_what_was_sent_before_the_damage_is_not_told_again(tmp_path: Path) -> None:
    """The marks are carried over, too."""
    path = filled(tmp_path)
    flipped_page_of("faults_open")(path)
    fresh = Database.open(tmp_path)

    assert sequences(Outbox(fresh.path)) == list(range(101, FAULTS + 2))
    assert life(fresh)[0] == [7]
    assert len(fresh.remembered().open_faults) > FAULTS // 2


@pytest.mark.parametrize("damage", [emptied, gone])
def test_a_database_that_lives_in_its_log_alone_is_read_from_there(tmp_path: Path, damage: Damage) -> None:
    """Killed before the first checkpoint, and then the file was lost: the log holds every page."""
    writer = """
import sys, time
from functools import partial
from pathlib import Path
from tests.store.test_damage import accepted
from tests.store.test_outbox import fault
from ttcs_edge.store.database import Database
from ttcs_edge.store.health import SUSPECT_FILE, check_reports, suspect
database = Database.open(Path(sys.argv[1]))
database.commit([*accepted(7), *(fault(n) for n in range(1, 21))], "da-teh-01", 1)
print("written", flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", writer, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    path = tmp_path / "ttcs.db"
    assert path.with_name("ttcs.db-wal").stat().st_size > 10_000
    damage(path)
    fresh = Database.open(tmp_path)

    assert sequences(Outbox(fresh.path)) == list(range(1, 21))
    assert dict(fresh.remembered().floors) == {SCOPE: 7}
    assert fresh.remembered().damage == "the file is gone, or empty"


def test_any_page_may_rot_and_the_station_starts_with_what_is_left(tmp_path: Path) -> None:
    """Zeros, noise, or one bit: it starts, keeps floor and programme, and tells nothing that was never told."""
    path = filled(tmp_path / "whole")
    whole = path.read_bytes()
    names = ("floors.json", *(f"programmes/{file.name}" for file in (tmp_path / "whole" / "programmes").iterdir()))
    copies = {name: (tmp_path / "whole" / name).read_bytes() for name in names}
    bodies = {row.seq: row.body for row in Outbox(path).pending(10_000, 0)}
    dice = random.Random(7)
    pages = range(len(whole) // 4_096)
    for page in [*pages[:12], *dice.sample(pages[12:], 12)]:
        for kind in ("zeros", "noise", "bit"):
            folder = tmp_path / f"{page}-{kind}"
            (folder / "programmes").mkdir(parents=True)
            for name, data in copies.items():
                (folder / name).write_bytes(data)
            (folder / "boot").write_text("1")
            rotten = bytearray(whole)
            span = slice(page * 4_096, (page + 1) * 4_096)
            rotten[span] = {"zeros": bytes(4_096), "noise": dice.randbytes(4_096)}.get(kind, whole[span])
            if kind == "bit":
                rotten[page * 4_096 + dice.randrange(4_096)] ^= 1 << dice.randrange(8)
            (folder / "ttcs.db").write_bytes(rotten)
            fresh = next_lives(folder)
            assert life(fresh)[0] == [7], (page, kind)
            assert fresh.boot in (2, 3)
            rows = {row.seq: row.body for row in Outbox(fresh.path).pending(10_000, 0)}
            wrong = [seq for seq, body in rows.items() if bodies.get(seq, body) != body]
            assert len(wrong) <= (1 if kind == "bit" else 0), (page, kind)
            fresh.close()


@pytest.mark.parametrize("table", sorted(NUMBERS))
def test_marks_of_which_no_row_is_read_at_the_start_are_checked_all_the_same(tmp_path: Path, table: str) -> None:
    """There may be a hundred thousand of them: SQLite's own check sees a page that is gone, and one out of order.

    Those of what was sent are looked at behind the start, which needs none of them.
    """
    looks: Damage = check_reports if table in REPORTS else partial(check, expected=True)
    path = tmp_path / "ttcs.db"
    Database.open(tmp_path).close()
    connection = sqlite3.connect(path)
    connection.executemany(f"INSERT INTO {table} VALUES (?, 1)", [(seq,) for seq in range(1, 9)])
    connection.commit()
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    connection.close()
    whole = path.read_bytes()
    begin = (page - 1) * 4_096
    first, second = begin + 8, begin + 10  # where the page says that its first two rows lie
    swapped = whole[:first] + whole[second : second + 2] + whole[first:second] + whole[second + 2 :]
    looks(path)

    for rotten in (swapped, whole[:begin] + bytes(4_096) + whole[begin + 4_096 :]):
        path.write_bytes(rotten)
        with pytest.raises(sqlite3.DatabaseError, match=r"(?i)rowid|page|btree|malformed"):
            looks(path)


@pytest.mark.parametrize("table", sorted(KEYED))
def test_text_that_is_no_text_is_damage_also_where_only_the_keys_are_read(tmp_path: Path, table: str) -> None:
    """A bit that fell over in the middle of a name."""
    path = tmp_path / "ttcs.db"
    Database.open(tmp_path).close()
    connection = sqlite3.connect(path)
    others = {"meta": (1,), "floors": (1,), "settled": ("sang", "2026-11-24T05:00:00", 1)}[table]
    row = ("rotten-name", *others)
    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    indexes = connection.execute("SELECT count(*) FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", (table,))
    assert "WITHOUT ROWID" in sql and indexes.fetchone() == (1,), "an index could contradict it: read it in its order"
    connection.commit()
    connection.close()
    whole = path.read_bytes()
    assert whole.count(b"rotten-name") == 1
    check(path, True)

    path.write_bytes(whole.replace(b"rotten-name", b"rott\xe5n-name"))
    with pytest.raises(sqlite3.DatabaseError, match="Could not decode to UTF-8"):
        check(path, True)


def test_a_copy_older_than_the_floor_of_its_scope_is_nobodys(tmp_path: Path) -> None:
    """never-6: a copy that was not replaced in time does not bring an old programme back."""
    database = Database.open(tmp_path)
    database.commit(accepted(7), STATION, 1)
    (copy,) = (tmp_path / "programmes").iterdir()
    old = copy.read_bytes()
    database.commit(accepted(8), STATION, 1)
    copy.write_bytes(old)
    database._connection.execute("UPDATE programmes SET envelope = ?", (b"rotten",))
    assert life(database)[0] == []

    database.commit(accepted(8), STATION, 1)
    database._connection.execute("UPDATE programmes SET envelope = ?", (b"rotten",))
    assert life(database) == ([8], []), "and a row that rotted is replaced by its copy"


def test_a_copy_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    """never-1: whoever can write to the card cannot speak on the pole by it."""
    path = filled(tmp_path)
    (copy,) = (tmp_path / "programmes").iterdir()
    copy.write_bytes(Province().sign(programme(9)))
    (copy.parent / "vn+elsewhere.dsse.json").write_bytes(copy.read_bytes())
    garbage(path)

    assert life(Database.open(tmp_path))[0] == []


def test_a_record_that_rotted_where_sqlite_cannot_see_it_is_damage_and_not_a_crash(tmp_path: Path) -> None:
    """One byte of a row's own bytes; the others are remembered, and the next start is clean."""
    database = Database.open(tmp_path)
    database.commit([effects.AsRunOpened(record()), fault(1), fault(2)], STATION, 1)
    database._connection.execute("UPDATE faults_open SET fault = CAST('{' AS BLOB) WHERE id = '1-f1'")
    remembered = database.remembered()

    assert [one.id for one in remembered.open_faults] == ["1-f2"]
    assert remembered.open_as_run == (record(),)
    assert remembered.damage == "faults_open 1-f1"
    database.close()
    assert Database.open(tmp_path).remembered().damage is None


def test_a_card_that_cannot_be_read_is_no_damage(tmp_path: Path) -> None:
    """A card that is not mounted yet: nothing is set aside, and the start gives up, to be tried again."""
    (tmp_path / "ttcs.db").symlink_to(tmp_path / "not-mounted" / "ttcs.db")
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        Database.open(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["ttcs.db"]


def test_the_three_newest_damaged_databases_are_kept(tmp_path: Path) -> None:
    """With their logs; older ones go."""
    for number in range(5):
        Database.open(tmp_path).close()
        (tmp_path / "ttcs.db").write_bytes(b"%d" % number * 5_000)
        (tmp_path / "ttcs.db-wal").write_bytes(b"log %d" % number)
    fresh = Database.open(tmp_path)
    fresh.close()
    kept = {path.name: path.read_bytes()[:5] for path in tmp_path.glob("*.damaged-*") if "shm" not in path.name}

    assert kept == {
        "ttcs.db.damaged-1": b"44444",
        "ttcs.db.damaged-1-wal": b"log 4",
        "ttcs.db.damaged-2": b"33333",
        "ttcs.db.damaged-2-wal": b"log 3",
        "ttcs.db.damaged-3": b"22222",
        "ttcs.db.damaged-3-wal": b"log 2",
    }
    assert replace(fresh.journal.counts, size_bytes=0) == fresh.journal.counts
