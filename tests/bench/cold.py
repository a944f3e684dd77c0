"""`cold`: power on to on the air: from exec to the first samples of a cue that was due while there was no power.

The database holds a programme of 10,000 slots and 100,000 as-run records of the last 30 days, all of them sent; it was
left as a power cut leaves it, six hours after a beacon of the centre was last put on the card. The amplifier needs no
warm-up. Floor: what `start` measures, exec to READY of a station with nothing in its database, in the same run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from msgspec.structs import replace

from tests.bench.report import percentile, report
from tests.bench.verify import programme, slot
from tests.parts import SCOPE, Authority, Broker, Clip, Province, Station, eventually, make_clip, utc
from ttcs_edge.core.beacons import SAVE_MS
from ttcs_edge.core.documents import Bulletin, Programme, Slot
from ttcs_edge.core.effects import AsRunClosed, Entry, ProgrammeAccepted, TimeFloor, WatchedUntil
from ttcs_edge.core.model import AiredItem, AsRun, Occurrence, Outcome, Scope, Sha256, WallMs, ZoneId
from ttcs_edge.store.database import Database
from ttcs_edge.store.outbox import Outbox

RUNS = 41
SLOTS = 10_000
RECORDS = 100_000
DAYS = 30
DAY_MS = 86_400_000
GROUP = 1_000
MISSED_S = 60
"""So long ago the cue was due."""


def full_programme(clip: Clip, now: datetime) -> Programme:
    """Ten thousand slots, one of which was due a minute ago and may still air; none other is due now."""
    minute = now.hour * 60 + now.minute
    others = [slot(number) for number in range(2 * SLOTS)]
    apart = [one for one in others if abs(int(one.start[11:13]) * 60 + int(one.start[14:16]) - minute) > 15]
    due = Slot(
        id="due",
        start=f"{now - timedelta(seconds=MISSED_S):%Y-%m-%dT%H:%M:%S}",
        bulletins=("tin-sang",),
        zones=("cho",),
        late_window_s=3_600,
    )
    base = programme(0)
    bulletin = Bulletin(id="tin-sang", title="Bản tin sáng", audio=(clip.audio(),))
    issued = utc(now - timedelta(days=DAYS))  # what was due before its programme was issued is not missed
    return replace(base, issued=issued, bulletins=(*base.bulletins, bulletin), slots=(*apart[: SLOTS - 1], due))


def as_run(number: int, now_ms: int) -> AsRun:
    """One of the records, spread over the last days."""
    start_ms = WallMs(now_ms - DAYS * DAY_MS + number * (DAYS * DAY_MS // RECORDS) - 3_600_000)
    moment = datetime.fromtimestamp(start_ms / 1_000, timezone(timedelta(hours=7)))
    item = AiredItem(f"b{number % 200}", "vi", Sha256(f"{number % 200:064x}"), 1_000_000, 60_000, 60_000)
    return AsRun(
        id=f"1-a{number}",
        occurrence=Occurrence(Scope(SCOPE), f"s{number % SLOTS}", f"{moment:%Y-%m-%dT%H:%M:%S}"),
        title=f"Bản tin {number % 200}",
        programme_version=1,
        planned_start_ms=start_ms,
        planned_end_ms=WallMs(start_ms + 60_000),
        start_ms=start_ms,
        end_ms=WallMs(start_ms + 60_000),
        zones=(ZoneId("cho"), ZoneId("dinh")),
        items=(item,),
        outcome=Outcome.AIRED,
    )


def fill(folder: Path, station: Station, clip: Clip) -> None:
    """Make the state of a station that has run for a month, and lost its power a minute and a half ago."""
    now = datetime.now(timezone(timedelta(hours=7)))
    now_ms = int(now.timestamp() * 1_000)
    (folder / "blobs").mkdir(parents=True)
    (folder / "blobs" / clip.sha256).write_bytes(clip.data)
    database = Database.open(folder)
    envelope = station.province.sign(full_programme(clip, now))
    for begin in range(0, RECORDS, GROUP):
        records = [as_run(number, now_ms) for number in range(begin, begin + GROUP)]
        told_ms = WallMs(records[-1].end_ms or 0)
        entries: list[Entry] = [*map(AsRunClosed, records), WatchedUntil(told_ms)]
        database.commit(entries, station.id, told_ms)
    off_ms = now_ms - 90_000
    floor = TimeFloor(WallMs(off_ms - SAVE_MS), trust_version=1)
    last: list[Entry] = [ProgrammeAccepted(Scope(SCOPE), 1, envelope), floor, WatchedUntil(WallMs(off_ms))]
    database.commit(last, station.id, off_ms)
    outbox = Outbox(database.path)
    while rows := outbox.pending(GROUP, 0):
        outbox.mark_sent([row.seq for row in rows])
    outbox.close()
    for file in folder.glob("ttcs.db*"):  # with its log: nobody closed it
        shutil.copy(file, folder / f"{file.name}.cut")
    database.close()
    for file in folder.glob("ttcs.db*.cut"):
        file.replace(folder / file.name.removesuffix(".cut"))


def on_air_ms(station: Station, template: Path) -> tuple[float, float]:
    """One power-on: milliseconds from exec to READY, and to the first samples."""
    state, timeline = station.folder / "state", station.folder / "aired.wav.timeline"
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(template, state)
    timeline.unlink(missing_ok=True)
    os.sync()
    began_ns = time.monotonic_ns()
    station.start()
    ready_ns = time.monotonic_ns()
    line = eventually(lambda: timeline.exists() and timeline.read_text().partition("\n")[0], 30)
    station.stop(signal.SIGKILL)
    sounded_ns = int(json.loads(str(line))["mono_ns"])
    return (ready_ns - began_ns) / 1e6, (sounded_ns - began_ns) / 1e6


def main() -> None:
    """Both in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker(folder / "broker", Authority(folder / "authority"))
        broker.start()
        province = Province()
        empty, full = (Station(folder / name, broker, province, id=name) for name in ("empty", "full"))
        for station in (empty, full):
            station.install()
        text = full.config.read_text()
        full.config.write_text(
            text.replace("warm_up_s: 0.5", "warm_up_s: 0").replace("zone_stagger_s: 0.1", "zone_stagger_s: 0")
        )
        fill(folder / "template", full, make_clip(folder, "clip", 5.0))
        empty.start()  # the first start makes its database, the later ones open it
        empty.stop()
        floor, ready, ours = [], [], []
        for _ in range(RUNS):
            began = time.perf_counter()
            empty.start()
            floor.append((time.perf_counter() - began) * 1_000)
            empty.stop()
            ready_ms, sounded_ms = on_air_ms(full, folder / "template")
            ready.append(ready_ms)
            ours.append(sounded_ms)
        broker.stop()
        megabytes = round(sum(file.stat().st_size for file in (folder / "template").glob("ttcs.db*")) / 1e6, 1)
        report("cold", "ms", floor, ours, ready_p50=round(percentile(ready, 50), 1), database_mb=megabytes)


if __name__ == "__main__":
    main()
    os._exit(0)
