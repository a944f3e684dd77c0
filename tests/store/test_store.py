"""What survives: records, floors, audio; and what is found out when it did not."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.parts import eventually
from ttcs_edge.core import effects
from ttcs_edge.core.events import ConditionChanged, Event
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import (
    AsRun,
    AsRunReason,
    DataUsed,
    Fault,
    Occurrence,
    Outcome,
    Scope,
    Severity,
    Sha256,
    WallMs,
)
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.blobs import BlobError, Blobs
from ttcs_edge.store.database import Database, connect
from ttcs_edge.store.migration import NewerDatabaseError
from ttcs_edge.store.outbox import Outbox
from ttcs_edge.store.recorder import Recorder

STATION = "da-teh-01"
KEY = Occurrence(Scope("vn"), "sang", "2026-11-24T05:00:00")
ROOM = StoreSettings(audio_bytes=1_000_000, free_bytes=0)


def fault(number: int = 1) -> Fault:
    return Fault(f"1-f{number}", "no-time", "clock", Severity.WARNING, (("a", "b"),), WallMs(5))


def record(outcome: Outcome | None = None, reason: AsRunReason | None = None) -> AsRun:
    return AsRun(
        "1-a1", KEY, "Tin", 1, WallMs(1_000), WallMs(2_000), WallMs(1_000), None, (), (), outcome=outcome, reason=reason
    )


def test_a_clock_that_nobody_believes_makes_nothing_old(tmp_path: Path) -> None:
    """never-5: it says 2080 after a power cut; what aired this morning stays settled, and must not air again."""
    database = Database.open(tmp_path)
    database.commit([effects.AsRunClosed(record(Outcome.AIRED)), effects.WatchedUntil(WallMs(2_000))], STATION, 2_000)
    database.close()
    database = Database.open(tmp_path)
    database.commit([effects.FaultRaised(fault())], STATION, 3_471_292_800_000)
    assert database.remembered().settled == ((KEY, 1_000),)

    month_ms = 30 * 86_400_000
    database.commit([effects.FaultCleared(fault()), effects.WatchedUntil(WallMs(month_ms))], STATION, month_ms)
    assert database.remembered().settled == (), "by a time that is known it is"


def test_the_floor_of_time_is_remembered_with_its_trust_root(tmp_path: Path) -> None:
    """Nothing before the first; then the last that was told."""
    database = Database.open(tmp_path)
    assert database.remembered().time_floor is None
    for floor in (effects.TimeFloor(WallMs(5), 1), effects.TimeFloor(WallMs(9), 2)):
        database.commit([floor], STATION, 1)
    database.close()

    assert Database.open(tmp_path).remembered().time_floor == effects.TimeFloor(WallMs(9), 2)


def test_what_the_sim_has_used_is_remembered(tmp_path: Path) -> None:
    """Every figure of it; nothing of a station that never counted."""
    database = Database.open(tmp_path)
    assert database.remembered().data_used == DataUsed()
    figures = {name: number for number, name in enumerate(DataUsed.__struct_fields__, 1)}
    for used in (DataUsed(used_bytes=99), DataUsed(**figures)):
        database.commit([effects.DataKept(used)], STATION, 1)
    database.close()

    assert Database.open(tmp_path).remembered().data_used == DataUsed(**figures)


def test_a_life_is_told_what_was_settled_as_far_back_as_it_can_look(tmp_path: Path) -> None:
    """never-5: not before what was watched, and not before the floor of time, of which ten minutes are forgiven; both
    less the 26 hours by which a corrected time zone moves an occurrence.
    """
    database, keys, day_ms = Database.open(tmp_path), {}, 26 * 3_600_000
    for minute in (80, 89, 90, 100, 130):
        keys[minute] = replace(KEY, local=f"2026-11-24T0{minute // 60}:{minute % 60:02}:00")
        closed = replace(record(Outcome.AIRED), occurrence=keys[minute], planned_start_ms=WallMs(minute * 60_000))
        database.commit([effects.AsRunClosed(closed)], STATION, 1)

    def told(trust_version: int | None) -> list[Occurrence]:
        return [occurrence for occurrence, _ in database.remembered(trust_version).settled]

    assert told(2) == list(keys.values()), "nothing was ever signed"
    database.commit([effects.TimeFloor(WallMs(100 * 60_000 + day_ms), 2)], STATION, 1)
    assert told(2) == [keys[90], keys[100], keys[130]]
    database.commit([effects.WatchedUntil(WallMs(130 * 60_000 + day_ms))], STATION, 1)
    assert told(2) == [keys[90], keys[100], keys[130]], "a clock may go back behind what was watched"
    database.commit([effects.WatchedUntil(WallMs(89 * 60_000 + day_ms))], STATION, 1)
    assert told(2) == [keys[89], keys[90], keys[100], keys[130]]
    assert told(3) == told(None) == list(keys.values()), "another root may have signed another time"


def test_what_was_committed_is_remembered_by_the_next_life(tmp_path: Path) -> None:
    """Programme, floor, open as-run, open fault; and the boot count grows."""
    first = Database.open(tmp_path)
    entries: list[effects.Entry] = [
        effects.ProgrammeAccepted("vn", 7, b"envelope"),
        effects.FloorRaised("vn", 7),
        effects.AsRunOpened(record()),
        effects.FaultRaised(fault()),
        effects.WatchedUntil(WallMs(900)),
    ]
    first.commit(entries, STATION, 10_000)
    first.close()
    second = Database.open(tmp_path)
    remembered = second.remembered()

    assert (first.boot, second.boot) == (1, 2)
    assert remembered.envelopes == (("vn", b"envelope"),)
    assert remembered.floors == (("vn", 7),)
    assert remembered.open_as_run == (record(),)
    assert remembered.open_faults == (fault(),)
    assert (remembered.alive_until_ms, remembered.watched_until_ms, remembered.damage) == (10_000, 900, None)


def test_a_closed_record_settles_its_occurrence_and_waits_in_the_outbox_once(tmp_path: Path) -> None:
    """The same entry twice is one row: told at least once, counted once."""
    database = Database.open(tmp_path)
    database.commit([effects.AsRunOpened(record())], STATION, 10_000)
    closed = effects.AsRunClosed(record(Outcome.PART, AsRunReason.STOPPED))
    database.commit([closed], STATION, 10_000)
    database.commit([closed], STATION, 10_000)

    assert database.remembered().open_as_run == ()
    assert database.remembered().settled == ((KEY, 1_000),)
    assert [row.id for row in Outbox(database.path).pending(10, 0)] == [f"{STATION}/1-a1"]


def test_the_programme_that_was_replaced_stays_as_it_came_one_a_scope(tmp_path: Path) -> None:
    """Decision 6: verbatim; a newer one takes its place."""
    database = Database.open(tmp_path)
    database.commit(
        [
            effects.ProgrammeAccepted("vn", 7, b"7"),
            effects.EarlierKept("vn", 6, b"6"),
            effects.EarlierKept("x", 1, b"1"),
        ],
        STATION,
        1,
    )
    database.commit([effects.ProgrammeAccepted("vn", 8, b"8"), effects.EarlierKept("vn", 7, b"7")], STATION, 1)
    database.close()

    remembered = Database.open(tmp_path).remembered()
    assert (remembered.envelopes, remembered.earlier) == ((("vn", b"8"),), (("vn", b"7"), ("x", b"1")))


def test_no_version_lowers_its_floor(tmp_path: Path) -> None:
    """never-6: whatever comes later."""
    database = Database.open(tmp_path)
    database.commit([effects.FloorRaised("vn", 7)], STATION, 1)
    database.commit([effects.FloorRaised("vn", 3)], STATION, 1)

    assert database.remembered().floors == (("vn", 7),)


@pytest.mark.parametrize("nth", range(1, 15))
def test_a_failure_at_any_statement_leaves_all_or_nothing(tmp_path: Path, nth: int) -> None:
    """The n-th statement fails: everything of the transaction is there, or nothing of it."""
    database = Database.open(tmp_path)
    count = 0

    class Failing:
        """A connection whose n-th statement fails."""

        def execute(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
            """Count, and fail at the n-th."""
            nonlocal count
            count += 1
            if count == nth:
                raise sqlite3.OperationalError("disk I/O error")
            return connection.execute(sql, values)

        @property
        def in_transaction(self) -> bool:
            """As the real one."""
            return connection.in_transaction

    connection = database._connection
    database._connection = Failing()  # type: ignore[assignment]
    entries: list[effects.Entry] = [
        effects.ProgrammeAccepted(Scope("vn"), 7, b"x"),
        effects.FaultRaised(fault()),
        effects.WatchedUntil(WallMs(1)),
    ]
    try:
        database.commit(entries, STATION, 1)
        failed = False
    except sqlite3.OperationalError:
        failed = True
    connection.execute("SELECT 1")
    database._connection = connection
    remembered = database.remembered()

    assert failed == (nth <= 12)
    expected = ((), ()) if failed else ((("vn", b"x"),), (fault(),))
    assert (remembered.envelopes, remembered.open_faults) == expected
    database.commit([effects.FaultRaised(fault(2))], STATION, 1)
    last = Outbox(database.path).pending(10, 0)[-1]
    assert last.sequence == (1 if failed else 2), "no number is lost with what was not written"


WRITER = """
import sys
from pathlib import Path
from ttcs_edge.core import effects
from ttcs_edge.core.model import Fault, Severity
from ttcs_edge.store.database import Database, connect
database = Database.open(Path(sys.argv[1]))
for number in range(100_000):
    fault = Fault(f"{database.boot}-f{number}", "c", "s", Severity.INFO, (), 1)
    database.commit([effects.FaultRaised(fault)], "s", 1)
    print(fault.id, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_said_was_written(tmp_path: Path) -> None:
    """never-5: kill -9 at random instants, twelve times."""
    said: list[str] = []
    for round_ in range(12):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said.append(process.stdout.readline().strip())
        time.sleep(0.002 * round_)  # not a wait: the instant of the kill
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read().split()
        process.wait()
    rows = Outbox(tmp_path / "ttcs.db").pending(1_000_000, 0)
    kept = [row.id for row in rows]

    assert {f"s/{name}" for name in said} <= set(kept)
    assert len(kept) == len(set(kept))
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1)), "numbers without a gap, over twelve deaths"


def test_a_damaged_database_is_set_aside_and_said_so(tmp_path: Path) -> None:
    """The station goes on with a fresh one."""
    database = Database.open(tmp_path)
    database.commit([effects.ProgrammeAccepted("vn", 7, b"x" * 50_000)], STATION, 1)
    database.close()
    path = tmp_path / "ttcs.db"
    path.write_bytes(b"no database at all" * 1_000)
    fresh = Database.open(tmp_path)

    assert fresh.remembered().damage is not None
    assert fresh.remembered().envelopes == ()
    assert (database.boot, fresh.boot) == (1, 2), "ids are made of it: they must not come again (never-5)"
    assert (tmp_path / "ttcs.db.damaged-1").read_bytes().startswith(b"no database")


def test_a_database_of_a_newer_release_is_not_touched(tmp_path: Path) -> None:
    """Downgrade: refused, byte for byte the same afterwards."""
    Database.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "ttcs.db") as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("ALTER TABLE meta RENAME COLUMN name TO label")
    connection.close()
    before = (tmp_path / "ttcs.db").read_bytes()
    with pytest.raises(NewerDatabaseError, match=r"ttcs\.db: 99 > 4"):
        Database.open(tmp_path)
    assert (tmp_path / "ttcs.db").read_bytes() == before
    assert not list(tmp_path.glob("*damaged*"))


def test_the_recorder_keeps_what_a_failing_card_refuses_and_writes_it_later(tmp_path: Path) -> None:
    """store-failing is told, then cleared; the record is there."""
    database = Database.open(tmp_path)
    heard: list[Event] = []
    done: list[str] = []
    working = database.commit
    broken = [True]

    def commit(entries: Sequence[effects.Entry], station: str, wall_ms: int) -> None:
        if broken[0]:
            raise sqlite3.OperationalError("disk I/O error")
        working(entries, station, wall_ms)

    database.commit = commit  # type: ignore[method-assign]
    recorder = Recorder(database, STATION, heard.append)
    recorder.submit((effects.FaultRaised(fault()),), 1, lambda: done.append("written"))
    eventually(lambda: heard)
    assert heard == [ConditionChanged("store-failing", "database", True, (("error", "disk I/O error"),))]
    assert done == []
    broken[0] = False
    eventually(lambda: done)
    assert heard[1] == ConditionChanged("store-failing", "database", False)
    assert recorder.close(5)
    assert Outbox(tmp_path / "ttcs.db").depth() == (1, 1)


def test_a_commit_waits_for_an_alert_that_is_on_its_way_to_the_loudspeaker(tmp_path: Path) -> None:
    """Not a row before it has passed; all of them behind it."""
    database = Database.open(tmp_path)
    asked, passed = threading.Event(), threading.Event()
    done: list[int] = []

    def give_way() -> None:
        asked.set()
        passed.wait(5)

    recorder = Recorder(database, STATION, lambda event: None, give_way)
    recorder.submit((effects.FaultRaised(fault(1)),), 1, lambda: done.append(1))
    assert asked.wait(5)
    assert (done, Outbox(tmp_path / "ttcs.db").depth()) == ([], (0, None))
    passed.set()
    eventually(lambda: done)
    assert Outbox(tmp_path / "ttcs.db").depth() == (1, 1)
    assert recorder.close(5)


def test_records_that_a_stop_took_with_it_are_told_once_by_the_next_life_whose_card_works(tmp_path: Path) -> None:
    """records-lost, with how many: those that were being written, and those behind them."""
    database = Database.open(tmp_path)
    tried = threading.Event()

    def failing(entries: Sequence[effects.Entry], station: str, wall_ms: int) -> None:
        tried.set()
        raise sqlite3.OperationalError("disk I/O error")

    database.commit = failing  # type: ignore[method-assign]
    recorder = Recorder(database, STATION, lambda event: None)
    recorder.submit((effects.FaultRaised(fault(1)),), 1, lambda: None)
    assert tried.wait(5)
    recorder.submit((effects.FaultRaised(fault(2)), effects.FaultCleared(fault(1))), 1, lambda: None)
    assert not recorder.close(5)
    assert (tmp_path / "records-lost").read_text() == "3"

    for told in ([ConditionChanged("records-lost", "database", True, (("count", "3"),))], []):
        heard: list[Event] = []
        done: list[str] = []
        again = Recorder(Database.open(tmp_path), STATION, heard.append)
        again.submit((effects.FaultRaised(fault(3)),), 1, lambda done=done: done.append("written"))  # type: ignore[misc]
        eventually(lambda done=done: done)  # type: ignore[misc]
        assert again.close(5)
        assert heard == told
        assert not (tmp_path / "records-lost").exists()


def put(blobs: Blobs, data: bytes) -> Sha256:
    sha256 = Sha256(hashlib.sha256(data).hexdigest())
    part = blobs.begin(sha256, len(data))
    part.write(data[part.offset :])
    part.finish()
    return sha256


def test_audio_appears_only_whole_and_with_its_hash(tmp_path: Path) -> None:
    """.part until then; resumed where it was left."""
    blobs = Blobs(tmp_path, ROOM)
    data = os.urandom(5_000)
    sha256 = Sha256(hashlib.sha256(data).hexdigest())
    part = blobs.begin(sha256, len(data))
    part.write(data[:2_000])
    with pytest.raises(BlobError, match="short"):
        part.finish()
    part.close()
    assert blobs.have() == frozenset()

    again = blobs.begin(sha256, len(data))
    assert again.offset == 2_000
    again.write(data[2_000:])
    again.finish()
    assert blobs.have() == {sha256}
    verified = blobs.open_verified(sha256)
    assert os.pread(verified.fd, 10_000, 0) == data
    with pytest.raises(OSError):
        os.pwrite(verified.fd, b"x", 0)
    os.close(verified.fd)


def test_audio_with_the_wrong_hash_or_beyond_its_size_is_thrown_away(tmp_path: Path) -> None:
    """Nothing of it stays."""
    blobs = Blobs(tmp_path, ROOM)
    part = blobs.begin(Sha256("a" * 64), 4)
    part.write(b"good")
    with pytest.raises(BlobError) as wrong:
        part.finish()
    assert wrong.value.code == "wrong-hash"
    part = blobs.begin(Sha256("a" * 64), 4)
    with pytest.raises(BlobError) as large:
        part.write(b"too much")
    assert large.value.code == "too-large"
    assert list(tmp_path.iterdir()) == []


def test_a_rotten_file_is_found_when_it_is_read_to_be_aired(tmp_path: Path) -> None:
    """never-1: one bit on the card."""
    blobs = Blobs(tmp_path, ROOM)
    sha256 = put(blobs, b"sound" * 100)
    path = tmp_path / sha256
    path.write_bytes(b"Sound" + path.read_bytes()[5:])
    with pytest.raises(BlobError) as rotten:
        blobs.open_verified(sha256)
    assert rotten.value.code == "rotten"
    assert blobs.have() == frozenset()


def test_eviction_takes_the_longest_unused_first_and_never_what_is_kept(tmp_path: Path) -> None:
    """A full store makes room, but not out of what is due."""
    blobs = Blobs(tmp_path, StoreSettings(audio_bytes=3_000, free_bytes=0))
    old, due, young = (put(blobs, bytes([n]) * 1_000) for n in range(3))
    for age_s, sha256 in ((30, old), (20, due), (10, young)):
        os.utime(tmp_path / sha256, (time.time() - age_s,) * 2)

    assert blobs.make_room(1_000, {due})
    assert blobs.have() == {due, young}
    assert not blobs.make_room(2_500, {due})
    assert due in blobs.have()


FULL = """
import hashlib, os, sys
from pathlib import Path
from tests.store.test_store import put
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.blobs import BlobError, Blobs

folder = Path(sys.argv[1])
blobs = Blobs(folder, StoreSettings(audio_bytes=10**9, free_bytes=0))
kept = put(blobs, b"k" * 50_000)
part = blobs.begin("a" * 64, 10**6)
try:
    for _ in range(10):
        part.write(b"x" * 100_000)
except BlobError as error:
    print(error.code, dict(error.detail)["error"])
part.close()
os.close(blobs.open_verified(kept).fd)
print(blobs.have() == {kept}, part.offset == (folder / ("a" * 64 + ".part")).stat().st_size // 100_000 * 100_000)
print(blobs.make_room(100_000, {kept}), sorted(entry.name for entry in folder.iterdir()) == [kept])
"""


def test_a_disk_that_is_full_is_said_so_and_what_is_whole_stays(tmp_path: Path) -> None:
    """A real file system of 400 KB; room is made of the part that nobody wants."""
    unshare = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    mount = f'mount -t tmpfs -o size=400k none "{tmp_path}" && exec "{sys.executable}" -c "$0" "{tmp_path}"'
    done = subprocess.run([*unshare, "sh", "-c", mount, FULL], capture_output=True, text=True)

    assert done.stdout.splitlines() == ["store-full [Errno 28] No space left on device", "True True", "True True"], done


def test_a_file_that_is_no_audio_of_ours_is_neither_counted_nor_evicted(tmp_path: Path) -> None:
    """lost+found, a note left by somebody."""
    blobs = Blobs(tmp_path, StoreSettings(audio_bytes=1_000, free_bytes=0))
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "note").write_bytes(b"x" * 5_000)

    assert blobs.have() == frozenset()
    assert blobs.make_room(1_000, frozenset())
    assert {entry.name for entry in tmp_path.iterdir()} == {"lost+found", "note"}


def test_a_recorder_behind_a_card_that_hangs_takes_a_bounded_number_and_never_waits(tmp_path: Path) -> None:
    """never-8: what is over the bound is let go; what was taken is written once the card is back, and the loss told."""
    database = Database.open(tmp_path)
    card_back = threading.Event()
    honest = database.commit

    def hanging(entries: Sequence[effects.Entry], station: str, wall_ms: int) -> None:
        card_back.wait(30)
        honest(entries, station, wall_ms)

    database.commit = hanging  # type: ignore[method-assign]
    heard: list[Event] = []
    recorder = Recorder(database, STATION, heard.append)
    taken: list[int] = []
    recorder.submit((effects.WatchedUntil(WallMs(0)),), 0, lambda: taken.append(0))
    eventually(lambda: recorder._queue.empty())
    over = 5
    for number in range(1, LIMITS.records_waiting + over + 1):
        recorder.submit((effects.WatchedUntil(WallMs(number)),), number, partial(taken.append, number))
    card_back.set()
    eventually(lambda: heard)

    assert recorder.close(30)
    assert taken == list(range(LIMITS.records_waiting + 1))
    assert heard == [ConditionChanged("records-lost", "database", True, (("count", str(over)),))]
    assert Database.open(tmp_path).remembered().watched_until_ms == LIMITS.records_waiting


@pytest.mark.parametrize("beside", [None, b"", b"\xff", b"three", b"1"])
def test_starts_are_counted_on_whatever_of_the_two_counts_is_rotten(tmp_path: Path, beside: bytes | None) -> None:
    """The database's own count when the file beside it is absent, empty, garbage or behind."""
    for _ in range(3):
        Database.open(tmp_path).close()
    if beside is None:
        (tmp_path / "boot").unlink()
    else:
        (tmp_path / "boot").write_bytes(beside)

    assert Database.open(tmp_path).boot == 4
    assert (tmp_path / "boot").read_text() == "4"


def test_records_are_grouped_into_a_commit_a_second_and_each_is_on_disk_within_one(tmp_path: Path) -> None:
    """The first after a quiet second at once; a hundred that follow share commits; the last are written at the end."""
    database = Database.open(tmp_path)
    honest = database.commit
    commits: list[float] = []

    def counted(entries: Sequence[effects.Entry], station: str, wall_ms: int) -> None:
        commits.append(time.monotonic())
        honest(entries, station, wall_ms)

    database.commit = counted  # type: ignore[method-assign]
    recorder = Recorder(database, STATION, lambda event: None)
    taken_s: dict[int, float] = {}
    told_s: dict[int, float] = {}

    def tell(number: int) -> None:
        told_s[number] = time.monotonic()
        entry = effects.FaultRaised(fault(number))

        def taken() -> None:
            taken_s.setdefault(number, time.monotonic() - told_s[number])

        recorder.submit((entry,), number, taken)

    tell(0)
    eventually(lambda: 0 in taken_s)
    for number in range(1, 101):
        tell(number)
        time.sleep(0.015)  # not a wait: records that come one by one
    eventually(lambda: len(taken_s) == 101)
    tell(101)
    assert recorder.close(5)

    assert taken_s[0] < 0.5
    assert max(taken_s.values()) < 1.0, "never-5"
    assert all(after - before > 0.8 for before, after in itertools.pairwise(commits[:-1]))
    assert len(commits) <= 5
    assert len(Outbox(tmp_path / "ttcs.db").pending(1_000, 0)) == 102


def test_an_outbox_that_is_full_is_told_and_told_again_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """outbox-full, with how many went; cleared when what waited was sent, though nothing new is recorded."""
    monkeypatch.setattr("ttcs_edge.store.recorder.ROOM_S", 0.05)
    database = Database.open(tmp_path, StoreSettings(report_bytes=10_000))
    outbox, heard = Outbox(database.path), list[Event]()
    recorder = Recorder(database, STATION, heard.append)
    for number in range(60):
        recorder.submit((effects.FaultRaised(fault(number)),), number, lambda: None)
    eventually(lambda: heard)
    dropped = outbox.dropped()
    assert heard == [ConditionChanged("outbox-full", "outbox", True, (("dropped", str(dropped)),))]
    assert 0 < dropped == 60 - outbox.depth()[0]

    outbox.mark_sent([row.seq for row in outbox.pending(100, 0)])
    eventually(lambda: len(heard) == 2)
    assert heard[1] == ConditionChanged("outbox-full", "outbox", False)
    assert recorder.close(5)
    assert Database.open(tmp_path).journal.counts.full is False


def test_the_position_of_an_open_cue_is_what_the_next_life_closes_it_with(tmp_path: Path) -> None:
    """It replaces the open record, and cannot bring back one that is closed."""
    database = Database.open(tmp_path)
    position = replace(record(), end_ms=WallMs(7_000))
    database.commit([effects.AsRunOpened(record()), effects.AsRunPosition(position)], STATION, 1)
    assert database.remembered().open_as_run == (position,)

    closed = effects.AsRunClosed(record(Outcome.PART, AsRunReason.STOPPED))
    database.commit([closed, effects.AsRunPosition(position)], STATION, 2)
    assert database.remembered().open_as_run == ()


@pytest.mark.parametrize("found_by", ["the check behind the start", "a commit"])
def test_a_database_that_proves_damaged_ends_this_life_and_is_mended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found_by: str
) -> None:
    """Reports are checked behind the start; whoever finds damage leaves a word, and the thread's end is told."""
    database = Database.open(tmp_path)
    for number in range(200):
        database.commit([effects.FaultRaised(fault(number))], STATION, 1)
    database.close()
    table = "outbox" if found_by == "the check behind the start" else "faults_open"
    with sqlite3.connect(database.path) as connection:
        sql = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (page,) = connection.execute(sql, (table,)).fetchone()
    connection.close()
    ended: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: ended.append(args.thread.name))
    database = Database.open(tmp_path)
    data = bytearray(database.path.read_bytes())
    data[(page - 1) * 4_096 : page * 4_096] = b"\xff" * 4_096
    database.path.write_bytes(data)
    database.close()
    database = Database(database.path, connect(database.path), ROOM, 2)
    recorder = Recorder(database, STATION, lambda event: None)
    if found_by == "a commit":
        recorder.submit((effects.FaultRaised(fault(999)),), 1, lambda: None)
    eventually(lambda: ended)

    assert ended == ["store-check" if found_by == "the check behind the start" else "recorder"]
    assert (tmp_path / "suspect").exists()
    mended = Database.open(tmp_path)
    assert mended.remembered().damage is not None
    mended.commit([effects.FaultRaised(fault(1_000))], STATION, 1)
    recorder.close(1)
