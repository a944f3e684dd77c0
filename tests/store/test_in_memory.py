"""A card that cannot be written when a station starts: what goes into memory, and what comes back."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from ttcs_edge.core import effects
from ttcs_edge.core.effects import Entry
from ttcs_edge.core.model import AsRun, Fault, Occurrence, Outcome, Scope, Severity, WallMs
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.database import Database, connect
from ttcs_edge.store.in_memory import Opened, open_database
from ttcs_edge.store.outbox import Outbox

STATION = "da-teh-01"
SETTINGS = StoreSettings()


def key(number: int) -> Occurrence:
    return Occurrence(Scope("vn"), "sang", f"2026-11-{number:02}T05:00:00")


def aired(id_: str, number: int) -> AsRun:
    now = WallMs(number * 1_000)
    return AsRun(id_, key(number), "Tin", 1, now, now, now, now, (), (), outcome=Outcome.AIRED)


def fault(id_: str) -> Fault:
    return Fault(id_, "no-time", id_, Severity.WARNING, (), WallMs(5))


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, that can be made read-only; as root."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    folder = tmp_path / "card"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], check=False).returncode:
        pytest.skip("this machine mounts nothing")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """Where the copy is to be."""
    (tmp_path / "run").mkdir()
    return tmp_path / "run/state"


def live(opened: Database | Opened, *entries: Entry, wall_ms: int = 9_000) -> None:
    """Commit, and end in good order."""
    database = opened.database if isinstance(opened, Opened) else opened
    if entries:
        database.commit(entries, STATION, wall_ms)
    database.close()


def reports(folder: Path) -> list[tuple[str, int, bool]]:
    """Every report in a database: id, number, and whether it waits; by its id."""
    connection = connect(folder / "ttcs.db")
    rows = connection.execute("SELECT id, body, seq IN (SELECT seq FROM unsent) FROM outbox ORDER BY id").fetchall()
    connection.close()
    return [(id_, json.loads(body)["sequence"], bool(waits)) for id_, body, waits in rows]


def sent(folder: Path, ids: Sequence[str]) -> None:
    outbox = Outbox(folder / "ttcs.db")
    outbox.mark_sent([row.seq for row in outbox.pending(1_000, 0) if row.id in ids])
    outbox.close()


BEFORE = (
    effects.ProgrammeAccepted("vn", 7, b"seven"),
    effects.FloorRaised("vn", 7),
    effects.AsRunClosed(aired("1-a1", 1)),
    effects.FaultRaised(fault("1-f1")),
    effects.FaultRaised(fault("1-f2")),
    effects.AsRunOpened(aired("1-a2", 2)),
    effects.WatchedUntil(WallMs(3_000)),
)


def test_what_a_card_holds_goes_on_in_memory_and_comes_back_whole(card: Path, memory: Path) -> None:
    """Two lives in memory, then a card that can be written: every report once, under one number; nothing forgotten."""
    live(open_database(card, memory, SETTINGS), *BEFORE)
    assert not memory.exists()
    sent(card, [f"{STATION}/1-f1"])
    mount("-o", "remount,ro", str(card))

    first = open_database(card, memory, SETTINGS)
    remembered = first.database.remembered()
    assert first.in_memory == (("error", "Read-only file system"), ("left", "0")) and remembered.damage is None
    assert remembered.envelopes == (("vn", b"seven"),) and remembered.floors == (("vn", 7),)
    assert [occurrence for occurrence, _ in remembered.settled] == [key(1)]
    assert [record.id for record in remembered.open_as_run] == ["1-a2"]
    assert (remembered.alive_until_ms, remembered.watched_until_ms) == (9_000, 3_000)
    assert 2**52 < first.database.boot < 2**53 and 2**30 <= first.database.journal.number < 2**31
    eight = effects.ProgrammeAccepted("vn", 8, b"eight"), effects.FloorRaised("vn", 8)
    live(first, effects.AsRunClosed(aired("1-a2", 2)), *eight)
    sent(memory, [f"{STATION}/1-a1"])
    second = open_database(card, memory, SETTINGS)
    assert second.database.boot == first.database.boot + 1, "a restart goes on with the copy"
    assert second.database.remembered().open_as_run == ()
    live(
        second,
        effects.FaultCleared(replace(fault("1-f2"), cleared_ms=WallMs(7))),
        effects.FaultRaised(fault("m-f1")),
        wall_ms=9_500,
    )
    assert Path(card / "boot").read_text() == "1"
    mount("-o", "remount,rw", str(card))

    back = open_database(card, memory, SETTINGS)
    remembered = back.database.remembered()
    assert back.in_memory == () and not memory.exists() and back.database.boot == 2
    assert remembered.envelopes == (("vn", b"eight"),) and remembered.floors == (("vn", 8),)
    assert [occurrence for occurrence, _ in remembered.settled] == [key(1), key(2)]
    assert [one.id for one in remembered.open_faults] == ["1-f1", "m-f1"] and remembered.open_as_run == ()
    assert remembered.alive_until_ms == 9_500 and back.database.journal.number == 1
    assert back.database.copies.programmes() == (("vn", b"eight"),)
    live(back, effects.FaultRaised(fault("2-f1")))
    assert reports(card) == [
        (f"{STATION}/1-a1", 1, False),
        (f"{STATION}/1-a2", 1, True),
        (f"{STATION}/1-f1", 2, False),
        (f"{STATION}/1-f2", 3, True),
        (f"{STATION}/1-f2/cleared", 2, True),
        (f"{STATION}/2-f1", 4, True),
        (f"{STATION}/m-f1", 3, True),
    ]
    assert counted(card) == summed(card)


def counted(folder: Path) -> int:
    connection = connect(folder / "ttcs.db")
    (row,) = connection.execute("SELECT value FROM meta WHERE name = 'outbox_bytes'").fetchall()
    connection.close()
    return int(row[0])


def summed(folder: Path) -> int:
    connection = connect(folder / "ttcs.db")
    (row,) = connection.execute("SELECT sum(length(body) + length(id) + 96) FROM outbox").fetchall()
    connection.close()
    return int(row[0])


def test_what_a_power_cut_left_in_the_log_of_a_card_is_in_the_copy(card: Path, memory: Path) -> None:
    """never-5: the file has nothing of it yet, its log has all, and the map of the log is not to be trusted."""
    database = Database.open(card)
    database.commit(BEFORE, STATION, 9_000)
    as_it_was = {path: path.read_bytes() for path in (card / "ttcs.db", card / "ttcs.db-wal")}
    database.close()
    for path, data in as_it_was.items():
        path.write_bytes(data)
    (card / "ttcs.db-shm").write_bytes(bytes(32_768))
    assert b"seven" not in as_it_was[card / "ttcs.db"]
    mount("-o", "remount,ro", str(card))

    remembered = open_database(card, memory, SETTINGS).database.remembered()

    assert remembered.damage is None
    assert [occurrence for occurrence, _ in remembered.settled] == [key(1)]
    assert remembered.envelopes == (("vn", b"seven"),)


def test_a_full_card_is_left_and_gets_back_what_it_lacks(card: Path, memory: Path) -> None:
    """ENOSPC: starts that fail half-way change nothing that the copy is known by."""
    live(open_database(card, memory, SETTINGS), *BEFORE)
    ballast = card / "ballast"
    with ballast.open("wb") as file, pytest.raises(OSError, match="No space left"):
        while True:
            os.write(file.fileno(), bytes(4_096))
    for number in (1, 2):
        opened = open_database(card, memory, SETTINGS)
        assert opened.in_memory == (("error", "No space left on device"), ("left", "0"))
        live(opened, effects.FaultRaised(fault(f"m-f{number}")))
    ballast.unlink()

    back = open_database(card, memory, SETTINGS)

    assert back.in_memory == () and not memory.exists()
    assert [one.id for one in back.database.remembered().open_faults] == ["1-f1", "1-f2", "m-f1", "m-f2"]
    assert [id_.rpartition("/")[2] for id_, _, waits in reports(card) if waits] == [
        "1-a1", "1-f1", "1-f2", "m-f1", "m-f2"
    ]  # fmt: skip


def test_a_copy_that_is_too_large_takes_what_airs_and_the_newest_and_most_important_reports(
    card: Path, memory: Path
) -> None:
    """Half of the bound is filled, faults before as-run records; what stayed on the card is told, and still there."""
    many = [effects.AsRunClosed(aired(f"1-a{n}", n)) for n in range(10, 30)]
    faults = [effects.FaultRaised(fault(f"1-f{n}")) for n in range(10, 14)]
    live(open_database(card, memory, SETTINGS), *BEFORE[:1], *many, *faults)
    per_report = summed(card) // 24
    mount("-o", "remount,ro", str(card))

    opened = open_database(card, memory, StoreSettings(report_bytes=2 * 9 * per_report))

    ids = [id_.rpartition("/")[2] for id_, _, _ in reports(memory)]
    newest = [f"1-a{n}" for n in range(34 - len(ids), 30)]
    assert 8 <= len(ids) <= 12
    assert ids == [*newest, "1-f10", "1-f11", "1-f12", "1-f13"]
    assert dict(opened.in_memory)["left"] == str(24 - len(ids))
    assert len(opened.database.remembered().settled) == 20 and opened.database.journal.counts.dropped == 0
    live(opened)
    mount("-o", "remount,rw", str(card))
    live(open_database(card, memory, SETTINGS))
    assert len(reports(card)) == 24 and all(waits for _, _, waits in reports(card))


def test_a_card_that_has_lived_since_is_not_put_back_to_what_a_copy_knew(card: Path, memory: Path) -> None:
    """never-6: a copy that was not removed takes nothing away; its reports are not lost for that."""
    live(open_database(card, memory, SETTINGS), *BEFORE)
    mount("-o", "remount,ro", str(card))
    live(open_database(card, memory, SETTINGS), effects.AsRunClosed(aired("m-a1", 3)))
    mount("-o", "remount,rw", str(card))
    nine = effects.ProgrammeAccepted("vn", 9, b"nine"), effects.FloorRaised("vn", 9)
    live(Database.open(card), *nine, wall_ms=9_900)

    remembered = open_database(card, memory, SETTINGS).database.remembered()

    assert (remembered.envelopes, remembered.floors) == ((("vn", b"nine"),), (("vn", 9),))
    assert [occurrence for occurrence, _ in remembered.settled] == [key(1), key(3)]
    assert remembered.alive_until_ms == 9_900 and not memory.exists()
    assert (f"{STATION}/m-a1", 1, True) in reports(card)


def test_two_copies_of_one_card_share_no_number(card: Path, memory: Path) -> None:
    """never-5: after a power cut the card is as it was, and so is its count; what a copy said was said by no other."""
    live(open_database(card, memory, SETTINGS), *BEFORE)
    mount("-o", "remount,ro", str(card))
    made = set()
    for _ in range(5):
        opened = open_database(card, memory, SETTINGS)
        made.add((opened.database.boot, opened.database.journal.number))
        live(opened)
        subprocess.run(["rm", "-r", str(memory)], check=True)

    assert len({boot for boot, _ in made}) == len({journal for _, journal in made}) == 5


def test_a_card_that_is_damaged_and_read_only_airs_from_the_copies_of_its_programmes(card: Path, memory: Path) -> None:
    """The damage is told as on any other day, and nothing on the card is touched."""
    live(open_database(card, memory, SETTINGS), *BEFORE)
    (card / "ttcs.db").write_bytes(b"not a database" * 1_000)
    mount("-o", "remount,ro", str(card))

    opened = open_database(card, memory, SETTINGS)

    assert opened.database.remembered().damage == "file is not a database"
    assert opened.database.copies.programmes() == (("vn", b"seven"),)
    assert opened.database.boot > 2**52 and opened.database.journal.number >= 2**30
    assert sorted(path.name for path in card.iterdir()) == ["boot", "floors.json", "programmes", "ttcs.db"]


def test_of_a_card_that_is_damaged_in_part_and_read_only_the_rest_is_in_the_copy(card: Path, memory: Path) -> None:
    """One table is garbage: the reports, what aired and the floors are there, and so is a programme from its copy."""
    live(open_database(card, memory, SETTINGS), *BEFORE)
    connection = connect(card / "ttcs.db")
    sql = "SELECT rootpage FROM sqlite_master WHERE name = 'programmes'"
    ((page,), (page_bytes,)) = (*connection.execute(sql), *connection.execute("PRAGMA page_size"))
    connection.close()
    with (card / "ttcs.db").open("r+b") as file:
        file.seek((page - 1) * page_bytes)
        file.write(b"x" * page_bytes)
    mount("-o", "remount,ro", str(card))

    database = open_database(card, memory, SETTINGS).database
    remembered = database.remembered()

    assert remembered.damage is not None
    assert (remembered.salvaged.reports, remembered.salvaged.records, remembered.salvaged.programmes) == (3, 4, 0)
    assert [occurrence for occurrence, _ in remembered.settled] == [key(1)] and remembered.floors == (("vn", 7),)
    assert database.copies.programmes() == (("vn", b"seven"),)
    assert [id_.rpartition("/")[2] for id_, _, _ in reports(memory)] == ["1-a1", "1-f1", "1-f2"]


def test_a_station_whose_first_card_cannot_be_written_begins_in_memory(card: Path, memory: Path) -> None:
    """Nothing is there at all; what comes is kept, and goes on the card when that can be written."""
    mount("-o", "remount,ro", str(card))
    opened = open_database(card / "state", memory, SETTINGS)
    assert opened.in_memory == (("error", "No such file or directory"), ("left", "0"))
    assert opened.database.remembered().damage is None
    live(opened, *BEFORE)
    mount("-o", "remount,rw", str(card))

    remembered = open_database(card / "state", memory, SETTINGS).database.remembered()

    assert remembered.envelopes == (("vn", b"seven"),) and remembered.floors == (("vn", 7),)


def test_a_database_that_somebody_else_holds_is_waited_for(
    card: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier daemon that has not let go is no reason to leave the card: the service manager tries again."""
    monkeypatch.setattr("ttcs_edge.store.database.BUSY_TIMEOUT_S", 0.05)
    live(open_database(card, memory, SETTINGS), *BEFORE)
    holder = connect(card / "ttcs.db")
    holder.execute("BEGIN EXCLUSIVE")

    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        open_database(card, memory, SETTINGS)
    holder.close()
    assert not memory.exists()


def test_a_folder_that_belongs_to_somebody_else_is_left_for_memory() -> None:
    """Not even what lies in it can be seen: the station is up, and tells why."""
    if os.geteuid() != 0:
        pytest.skip("becoming somebody else needs root")
    with tempfile.TemporaryDirectory() as name:  # the folder of a test is root's, with all above it
        card, run = Path(name, "card"), Path(name, "run")
        live(Database.open(card), *BEFORE)
        run.mkdir()
        Path(name).chmod(0o755)
        card.chmod(0o700)
        os.chown(run, 65_534, 65_534)
        os.seteuid(65_534)
        try:
            opened = [open_database(card, run / "state", SETTINGS) for _ in range(2)]
        finally:
            os.seteuid(0)
        for one in opened:
            one.database.close()

    assert [one.in_memory for one in opened] == [(("error", "Permission denied"), ("left", "0"))] * 2
    assert opened[1].database.boot > opened[0].database.boot > 2**52


def test_reports_in_memory_are_bounded_by_what_is_free_there(card: Path, memory: Path, tmp_path: Path) -> None:
    """A quarter of it; what the copy itself has taken does not count against it at the next start."""
    live(open_database(card, memory, SETTINGS), *BEFORE)
    mount("-o", "remount,ro", str(card))
    mount("-t", "tmpfs", "-o", "size=2m", "none", str(tmp_path / "run"))
    try:
        bounds = []
        for _ in range(2):
            database = open_database(card, memory, SETTINGS).database
            bounds.append(database.journal.settings.report_bytes)
            live(database, *(effects.FaultRaised(fault(f"m-f{n}")) for n in range(400)))
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "run")], check=True)

    assert bounds[0] == 2 * 1024**2 // 4 and bounds[1] > 0.9 * bounds[0]
