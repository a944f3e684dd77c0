"""What a station has told and has to tell: numbered without a gap, bounded, and kept for those who ask again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from ttcs_edge.core import effects
from ttcs_edge.core.effects import Entry
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import AsRun, Fault, Occurrence, Outcome, Scope, Severity, WallMs, ZoneId
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.database import Database
from ttcs_edge.store.journal import ROW_BYTES
from ttcs_edge.store.migration import SCHEMA_VERSION, migrate
from ttcs_edge.store.outbox import RESEND_ROWS, Outbox, OutboxRow
from ttcs_edge.wire.reports import AsRunReport, FaultReport, read_report

STATION = "da-teh-01"
DAY_MS = 86_400_000
DATA = Path(__file__).parent / "data"


def fault(number: int, text: str = "") -> Entry:
    """A fault that is raised."""
    return effects.FaultRaised(
        Fault(f"1-f{number}", "no-time", "clock", Severity.WARNING, (("text", text),), WallMs(5))
    )


def closed(number: int, text: str = "Tin") -> Entry:
    """A cue that aired."""
    key = Occurrence(Scope("vn"), "sang", f"2026-11-24T05:00:{number:02}")
    times = (WallMs(1), WallMs(2), WallMs(1), WallMs(2))
    return effects.AsRunClosed(AsRun(f"1-a{number}", key, text, 1, *times, (), (), outcome=Outcome.AIRED))


def watched(wall_ms: int) -> Entry:
    """The word of a clock that is believed, which comes with what a station records."""
    return effects.WatchedUntil(WallMs(wall_ms))


def told(rows: list[OutboxRow]) -> list[tuple[int, int, str]]:
    """Journal, sequence and id of each, as the centre reads them."""
    reports = [read_report(row.body) for row in rows]
    return [(r.journal, r.sequence, r.id) for r in reports if isinstance(r, AsRunReport | FaultReport)]


def sequences(outbox: Outbox) -> list[int]:
    """What waits."""
    return [row.sequence for row in outbox.pending(1_000_000, 0)]


def test_reports_are_numbered_without_a_gap_over_starts_failures_and_repetitions(tmp_path: Path) -> None:
    """The centre can see what it lacks; numbers belong to the journal, which a new start does not change."""
    first = Database.open(tmp_path)
    first.commit([fault(1), closed(1)], STATION, 1)
    first.commit([fault(1), fault(2)], STATION, 2)  # the first of them a second time
    with pytest.raises(KeyError):
        first.commit([fault(3), "no entry"], STATION, 3)  # type: ignore[list-item]
    first.close()
    second = Database.open(tmp_path)
    second.commit([fault(4)], STATION, 4)
    outbox = Outbox(second.path)

    ids = ["1-f1", "1-a1", "1-f2", "1-f4"]
    assert told(outbox.pending(10, 0)) == [(1, n, f"{STATION}/{name}") for n, name in enumerate(ids, 1)]
    assert second.boot == 2


def test_what_was_sent_stays_thirty_days_and_is_brought_back_on_demand(tmp_path: Path) -> None:
    """The broker's acknowledgement is not the province's."""
    database = Database.open(tmp_path)
    database.commit([fault(n) for n in range(1, 11)], STATION, 0)
    clock = [1_000]
    outbox = Outbox(database.path, lambda: clock[0])
    bodies = {row.sequence: row.body for row in outbox.pending(100, 0)}
    outbox.mark_sent([row.seq for row in outbox.pending(100, 0)][:8])
    assert (sequences(outbox), outbox.depth()) == ([9, 10], (2, 0))

    assert outbox.resend(1, 3, 5) == (3, ())
    assert outbox.resend(1, 9, 12) == (2, ((11, 12),))
    assert outbox.resend(2, 1, 4) == (0, ((1, 4),))
    assert outbox.resend(2**40, 1, 4) == (0, ((1, 4),))
    assert sequences(outbox) == [3, 4, 5, 9, 10]
    assert {row.sequence: row.body for row in outbox.pending(100, 0)} == {n: bodies[n] for n in (3, 4, 5, 9, 10)}

    clock[0] = 2_000
    outbox.mark_sent([row.seq for row in outbox.pending(3, 0)])
    database.commit([fault(11), watched(30 * DAY_MS + 1_500)], STATION, 30 * DAY_MS + 1_500)
    assert outbox.resend(1, 1, 8) == (3, ((1, 2), (6, 8)))
    outbox.mark_sent([row.seq for row in outbox.pending(3, 0)])
    clock[0] = 30 * DAY_MS + 1_500
    database.commit([fault(12), watched(31 * DAY_MS)], STATION, 31 * DAY_MS)
    assert sequences(outbox) == [9, 10, 11, 12]
    assert outbox.resend(1, 1, 12) == (4, ((1, 8),))


TRUE_MS = 1_795_000_000_000
YEARS_MS = 10 * 365 * DAY_MS


@pytest.mark.parametrize("leap_ms", [YEARS_MS, -YEARS_MS, -TRUE_MS])
@pytest.mark.parametrize("had_time_before", [True, False])
def test_no_clock_that_nobody_believes_makes_a_sent_report_old(
    tmp_path: Path, leap_ms: int, had_time_before: bool
) -> None:
    """It lies by ten years, or to 1970, while reports are told and sent, over restarts; then the true time is back."""
    database = Database.open(tmp_path)
    believed: list[int | None] = [TRUE_MS]
    outbox = Outbox(database.path, lambda: believed[0])
    words = [watched(TRUE_MS)] if had_time_before else []
    if had_time_before:
        database.commit([fault(1), *words], STATION, TRUE_MS)
        outbox.mark_sent([row.seq for row in outbox.pending(10, 0)])
    believed[0] = None
    for number in (2, 3):
        database.commit([fault(number), *words], STATION, TRUE_MS + leap_ms)
        outbox.mark_sent([row.seq for row in outbox.pending(10, 0)])
        database.close()
        database = Database.open(tmp_path)
    rows = [row.sequence for row in outbox.kept(10, 0)]
    assert rows == list(range(1, 4 if had_time_before else 3))

    back_ms = TRUE_MS + DAY_MS
    believed[0] = back_ms
    outbox = Outbox(database.path, lambda: believed[0])
    database.commit([fault(4), watched(back_ms)], STATION, back_ms)
    outbox.mark_sent([row.seq for row in outbox.pending(10, 0)])
    database.commit([watched(TRUE_MS + 30 * DAY_MS)], STATION, TRUE_MS + 30 * DAY_MS)
    assert [row.sequence for row in outbox.kept(10, 0)] == [*rows, rows[-1] + 1]
    database.commit([watched(back_ms + 30 * DAY_MS + 1)], STATION, back_ms + 30 * DAY_MS + 1)
    assert outbox.kept(10, 0) == [], "by a time that is known they are old"


def test_a_resend_names_a_bounded_number_of_ranges_and_the_last_covers_the_rest(tmp_path: Path) -> None:
    """never-8: an outbox with a hole at every second number."""
    database = Database.open(tmp_path)
    database.commit([fault(n) for n in range(1, 1_001)], STATION, 0)
    database._connection.execute("DELETE FROM outbox WHERE seq % 2")
    count, gaps = Outbox(database.path).resend(1, 1, 1_000)

    assert (count, len(gaps)) == (500, LIMITS.resend_gaps)
    assert gaps[:2] == ((1, 1), (3, 3))
    assert gaps[-1] == (2 * LIMITS.resend_gaps - 1, 1_000)


def test_a_large_resend_leaves_the_writer_its_turn(tmp_path: Path) -> None:
    """never-5: a record waits for one of its transactions at the most, not for all; and none is forgotten between."""
    database = Database.open(tmp_path)
    count = 3 * RESEND_ROWS + 7
    database.commit([fault(n) for n in range(1, count + 1)], STATION, 0)
    outbox = Outbox(database.path)
    outbox.mark_sent([row.seq for row in outbox.pending(count, 0)])
    statements: list[str] = []
    outbox._connection.set_trace_callback(statements.append)
    assert outbox.resend(1, 1, count) == (count, ())

    assert statements.count("COMMIT") == 5
    assert sequences(outbox) == list(range(1, count + 1))


def bound(rows: int) -> StoreSettings:
    """Room for so many of the large reports."""
    return StoreSettings(report_bytes=rows * 11_000)


LARGE = "x" * 10_000


def test_a_full_outbox_lets_go_first_what_was_sent_then_the_least_important_and_counts_it(tmp_path: Path) -> None:
    """Sent first, then as-run records, the oldest first, and faults last of all; the count outlives the power."""
    database = Database.open(tmp_path, bound(32))
    database.commit([fault(n, LARGE) for n in range(1, 11)], STATION, 0)
    outbox = Outbox(database.path)
    outbox.mark_sent([row.seq for row in outbox.pending(4, 0)])
    database.commit([closed(n, LARGE) for n in range(1, 23)], STATION, 0)  # 11 to 32
    assert (outbox.dropped(), database.journal.counts.full) == (0, False)

    database.commit([fault(n, LARGE) for n in range(33, 37)], STATION, 0)
    assert sequences(outbox) == list(range(5, 37)), "what was sent made room"
    assert (outbox.resend(1, 1, 4), outbox.dropped()) == ((0, ((1, 4),)), 0)
    database.commit([fault(n, LARGE) for n in range(37, 40)], STATION, 0)
    dropped = outbox.dropped()
    assert 0 < dropped <= 3
    assert sequences(outbox) == [*range(5, 11), *range(11 + dropped, 40)]
    assert database.journal.counts.full
    database.close()

    again = Database.open(tmp_path, bound(32))
    assert (again.journal.counts.full, again.journal.counts.dropped) == (True, dropped)
    again.commit([fault(n, LARGE) for n in range(40, 80)], STATION, 0)
    assert all("fault" in row.body.decode() for row in outbox.pending(100, 0))
    assert outbox.dropped() == 79 - 4 - len(sequences(outbox))
    assert again.journal.counts.size_bytes <= bound(32).report_bytes

    again.look_for_room()
    assert again.journal.counts.full
    outbox.mark_sent([row.seq for row in outbox.pending(20, 0)])
    again.look_for_room()
    assert not again.journal.counts.full


def test_the_sum_of_bytes_is_what_is_really_there(tmp_path: Path) -> None:
    """It is kept as rows come and go, never counted anew: after a thousand of either it is still right."""
    database = Database.open(tmp_path, StoreSettings(report_bytes=100_000, sent_kept_s=10))
    outbox = Outbox(database.path, lambda: 0)
    for number in range(400):
        now_ms = 3_600_000 * number
        database.commit([fault(number, "x" * (number % 700)), closed(number), watched(now_ms)], STATION, now_ms)
        if number % 9 == 0:
            outbox.mark_sent([row.seq for row in outbox.pending(5, 0)])
    rows = database._connection.execute("SELECT id, body FROM outbox").fetchall()

    assert outbox.dropped() > 0
    assert database.journal.counts.size_bytes == sum(len(i) + len(b) + ROW_BYTES for i, b in rows)


def schema(path: Path) -> list[tuple[str, ...]]:
    """Every table as the database describes it."""
    with sqlite3.connect(path) as connection:
        sql = "SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name"
        rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


def test_a_station_of_the_first_release_keeps_what_it_had(tmp_path: Path) -> None:
    """A real file of schema 1: four reports wait, a cue was on the air, a fault was open."""
    shutil.copy(DATA / "v1.db", tmp_path / "ttcs.db")
    (tmp_path / "boot").write_text("1")
    database = Database.open(tmp_path)
    remembered = database.remembered()
    rows = Outbox(database.path).pending(100, 0)

    assert [(row.sequence, row.id) for row in rows] == [
        (n, f"{STATION}/{name}") for n, name in enumerate(("1-a2", "1-a3", "1-a4", "1-f1"), 1)
    ]
    assert told(rows) == [(2, row.sequence, row.id) for row in rows], "the journal is that of the start that began it"
    with sqlite3.connect(DATA / "v1.db") as old:
        before = [json.loads(body) for (body,) in old.execute("SELECT body FROM outbox ORDER BY seq")]
    old.close()
    after = [json.loads(row.body) for row in rows]
    assert [{k: v for k, v in body.items() if k not in ("journal", "sequence")} for body in after] == before
    assert remembered.envelopes == (("vn", b"envelope"),)
    assert remembered.floors == (("vn", 7), ("vn/lam-dong", 3))
    assert [record.id for record in remembered.open_as_run] == ["1-a5"]
    assert [fault.id for fault in remembered.open_faults] == ["1-f1"]
    assert len(remembered.settled) == 4
    database.commit([fault(9)], STATION, 1)
    assert sequences(Outbox(database.path)) == [1, 2, 3, 4, 5]
    assert database.journal.counts.size_bytes == sum(
        len(row.id) + len(row.body) + ROW_BYTES for row in Outbox(database.path).pending(100, 0)
    )
    database.close()
    Database.open(tmp_path / "new").close()
    assert schema(tmp_path / "ttcs.db") == schema(tmp_path / "new" / "ttcs.db")


def test_a_station_of_the_release_before_alerts_keeps_what_it_had(tmp_path: Path) -> None:
    """A real file of schema 2: two reports wait and one was sent, a cue was on the air, a fault was open."""
    shutil.copy(DATA / "v2.db", tmp_path / "ttcs.db")
    (tmp_path / "boot").write_text("1")
    database = Database.open(tmp_path)
    remembered = database.remembered()
    rows = Outbox(database.path).pending(100, 0)

    assert [(row.sequence, row.id) for row in rows] == [(2, f"{STATION}/1-a2"), (3, f"{STATION}/1-a3")]
    assert Outbox(database.path).resend(1, 1, 3) == (3, ())
    assert remembered.envelopes == (("vn", b"envelope"),)
    assert remembered.floors == (("beacon:vn", 5), ("vn", 7))
    assert [record.id for record in remembered.open_as_run] == ["1-a5"]
    assert [fault.id for fault in remembered.open_faults] == ["1-f1"]
    assert (len(remembered.settled), remembered.alerts) == (2, ())
    database.commit([effects.AlertAccepted("vn", "lu-quet", 1, b"alert", WallMs(9))], STATION, 1)
    database.commit([effects.VolumeOrdered(ZoneId("cho"), 1, b"volume")], STATION, 1)
    assert database.remembered().alerts == (("vn", "lu-quet", b"alert", 9, ""),)
    assert database.remembered().volumes == (("cho", b"volume"),)
    database.close()
    Database.open(tmp_path / "new").close()
    assert schema(tmp_path / "ttcs.db") == schema(tmp_path / "new" / "ttcs.db")


def test_a_station_of_the_release_before_trust_roots_followed_one_another_keeps_what_it_had(tmp_path: Path) -> None:
    """A real file of schema 3: an alert, the volume of a zone, the floors of what never named a key."""
    shutil.copy(DATA / "v3.db", tmp_path / "ttcs.db")
    (tmp_path / "boot").write_text("1")
    database = Database.open(tmp_path)
    remembered = database.remembered()

    assert (remembered.envelopes, remembered.earlier) == ((("vn", b"envelope"),), (("vn", b"before"),))
    assert remembered.alerts == (("vn", "lu-quet", b"alert", 9_000, ""),) and remembered.volumes == (
        ("cho", b"volume"),
    )
    assert remembered.floors == (("beacon:vn", 5), ("vn", 7))
    assert [record.id for record in remembered.open_as_run] == ["1-a1"] and database.roots() == ()
    database.commit([effects.TrustAccepted(2, b"root")], STATION, 1)
    assert database.roots() == (b"root",)
    database.close()
    Database.open(tmp_path / "new").close()
    assert schema(tmp_path / "ttcs.db") == schema(tmp_path / "new" / "ttcs.db")


@pytest.mark.parametrize("nth", range(1, 40))
def test_a_migration_that_fails_at_any_statement_leaves_the_old_database(tmp_path: Path, nth: int) -> None:
    """All of it or nothing: the same rows are there for the next try."""
    shutil.copy(DATA / "v1.db", tmp_path / "ttcs.db")
    connection = sqlite3.connect(tmp_path / "ttcs.db", isolation_level=None)
    before = list(connection.iterdump())
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

    try:
        migrate(Failing(), 2)  # type: ignore[arg-type]
    except sqlite3.OperationalError:
        assert list(connection.iterdump()) == before
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        migrate(connection, 2)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert connection.execute("SELECT count(*) FROM unsent").fetchone() == (4,)
    connection.close()
