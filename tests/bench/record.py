"""`record`: one durable record, against a bare SQLite insert and commit of the same bytes; and what the air waits.

The writer's cost is a whole commit with one closed record in it: the open record goes, the occurrence is settled, the
report is numbered and queued. The air path hands the record over and goes on; that is measured while the card hangs.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.report import percentile, report
from ttcs_edge.core import effects
from ttcs_edge.core.effects import Entry
from ttcs_edge.core.model import AiredItem, AsRun, Occurrence, Outcome, Scope, Sha256, WallMs, ZoneId
from ttcs_edge.store.database import Database, connect
from ttcs_edge.store.outbox import Outbox
from ttcs_edge.store.recorder import Recorder

RUNS = 300
STATION = "da-teh-01"
ITEM = AiredItem("tin-sang", "vi", Sha256("a" * 64), 480_000, 60_000, 59_926)


def closed(number: int) -> effects.AsRunClosed:
    """A cue that aired."""
    key = Occurrence(Scope("vn/lam-dong/da-teh"), f"s{number % 50}", f"2026-11-{1 + number % 30:02}T05:00:{number}")
    times = (WallMs(number), WallMs(number + 60_000), WallMs(number), WallMs(number + 60_000))
    record = AsRun(f"1-a{number}", key, "Bản tin sáng", 7, *times, (ZoneId("cho"),), (ITEM,), Outcome.AIRED)
    return effects.AsRunClosed(record)


def writer(folder: Path) -> tuple[list[float], list[float]]:
    """Milliseconds of each commit, bare and ours in turn."""
    bare = connect(folder / "bare.db")
    bare.execute("CREATE TABLE reports (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL) STRICT")
    database = Database.open(folder / "state")
    outbox = Outbox(database.path)
    body, floor, ours = b"", list[float](), list[float]()
    for number in range(RUNS):
        began = time.perf_counter()
        database.commit([closed(number)], STATION, number)
        ours.append((time.perf_counter() - began) * 1_000)
        body = body or outbox.pending(1, 0)[0].body
        began = time.perf_counter()
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("INSERT INTO reports VALUES (?, ?, ?)", (number, f"{STATION}/1-a{number}", body))
        bare.execute("COMMIT")
        floor.append((time.perf_counter() - began) * 1_000)
    outbox.close()
    database.close()
    bare.close()
    return floor, ours


def air(folder: Path) -> list[float]:
    """Milliseconds that the core's thread spends on handing a record over, behind a card that hangs."""
    database = Database.open(folder / "air")
    back = threading.Event()
    honest = database.commit

    def hanging(entries: Sequence[Entry], station: str, wall_ms: int) -> None:
        back.wait(60)
        honest(entries, station, wall_ms)

    database.commit = hanging  # type: ignore[method-assign]
    recorder = Recorder(database, STATION, lambda event: None)
    taken = []
    for number in range(RUNS):
        entry = closed(number)
        began = time.perf_counter()
        recorder.submit((entry,), number, lambda: None)
        taken.append((time.perf_counter() - began) * 1_000)
    back.set()
    assert recorder.close(60)
    return taken


def main() -> None:
    """Both on the disk of the working folder: a file system in memory syncs for nothing."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER", ".")) as name:
        floor, ours = writer(Path(name))
        waits = air(Path(name))
    figures = {"air_ms_p50": round(percentile(waits, 50), 4), "air_ms_p99": round(percentile(waits, 99), 4)}
    report("record", "ms", floor, ours, **figures)


if __name__ == "__main__":
    main()
