"""A pole that dies: what it was told, what was heard of it, and the reckoning of the two.

Each cue has a tone of its own among its neighbours, so that sound alone tells which cue it was. An instrument that only
believed the reports would find a station that lies to be in good order.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from array import array
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from tests.parts import (
    SCOPE,
    Clip,
    Listener,
    Province,
    Station,
    eventually,
    local,
    make_clip,
    make_programme,
    newer,
    put_chunks,
)
from tests.power.card import Card, Lost
from tests.system.sight import check_numbers, status
from ttcs_edge.core.documents import Bulletin, Programme, Slot
from ttcs_edge.drivers.pins import level

TONES_HZ = (400, 600, 900, 1_300, 1_800, 2_400)
CLIP_S, CUE_EVERY_S, FIRST_CUE_S = 2.0, 4, 8
LATE_WINDOW_S = 6
"""Every third cue may air so late; less than the time after which its tone comes again."""
LIFE_S = (0.3, 5.0)
OPERATIONS = 60
"""About as many operations of the card as a life of some seconds has."""
SECOND_MS = 1_300
"""A record of what is older is on disk: one second, and what a loaded machine adds."""
HEARD_MS = 300
"""So much of a cue tells which it was."""
RATE_HZ, HEADER_BYTES = 48_000, 44
TRUE_REASONS: dict[Any, set[str | None]] = {"missed": {"power", "too-late"}, "cut": {"power"}, "aired": {None}}
ENTRY = "import sys; from pathlib import Path; from ttcs_edge.daemon.__main__ import main\n"
TOPIC = f"ttcs/v1/scope/{SCOPE}/programme"


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


def make_tones(folder: Path) -> tuple[Clip, ...]:
    """One clip for each tone."""
    return tuple(make_clip(folder, f"tone-{hertz}", CLIP_S, hertz) for hertz in TONES_HZ)


@dataclass
class Pole:
    """A station that lives and dies. With a card, so many of its deaths (``cuts``) lose what was not synced."""

    station: Station
    centre: Listener
    province: Province
    clips: tuple[Clip, ...]
    cues: int
    seed: int
    card: Card | None = None
    cuts: float = 1.0
    plant: str = ""
    deaths: int = 0
    lost: list[Lost] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)

    def begin(self) -> None:
        """The first life: the programme is in force and its audio on the card."""
        for clip in self.clips:
            put_chunks(self.centre, clip)
        self.live(in_peace=True)
        eventually(lambda: status(self.station).get("link_up"), 20)
        self.programme = self._programme()
        self.publish(self.programme)
        eventually(lambda: status(self.station).get("cache", {}).get("stored_files") == len(self.clips), 20)

    def publish(self, programme: Programme) -> None:
        """Say it once: no broker keeps it, so once it was acknowledged only the station's card has it."""
        self.programme = programme
        self.centre.publish(TOPIC, self.province.sign(programme), retain=False)

    def live(self, in_peace: bool = False) -> None:
        """Start the daemon, as the unit does, without waiting. Every other life ends at an operation of its card."""
        dies_after = self.chance.randint(1, OPERATIONS) if not in_peace and self.chance.random() < 0.5 else None
        environment = os.environ | (self.card.environment(dies_after) if self.card else {})
        run = f"{ENTRY}{self.plant}\nsys.exit(main(Path(sys.argv[1])))"
        with (self.station.folder / "log").open("ab") as log:
            command = [sys.executable, "-c", run, str(self.station.config)]
            self.station.process = subprocess.Popen(command, env=environment, stderr=log, cwd=self.station.folder)

    def die(self) -> None:
        """At an instant of chance's choosing; then what the unit does behind a dead daemon: never-2."""
        if self.chance.random() < 0.3:
            self.publish(newer(self.programme))
        process = self.station.process
        assert process is not None
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.chance.uniform(*LIFE_S))
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
        eventually(self._nothing_left)
        release = [sys.executable, "-m", "ttcs_edge.drivers.release", str(self.station.config)]
        subprocess.run(release, check=True, stderr=subprocess.DEVNULL)
        closed = [pin for pin in (17, 27, 22) if level(self.station.lines, pin)]
        assert not closed, f"still closed after death {self.deaths}: {closed}"
        self.deaths += 1
        if self.card is not None and self.chance.random() < self.cuts:
            self.lost.append(self.card.cut(self.chance))
        elif self.card is not None:
            self.card.keep()

    def _nothing_left(self) -> bool:
        """Its player is gone, too: it holds the sound, and no line."""
        config = str(self.station.folder).encode()
        return not any(config in _command(process) for process in Path("/proc").glob("[0-9]*"))

    def end(self) -> datetime:
        """One life more, in peace: all that waits is told, and one more cue is heard. Gives when it was over."""
        self.live(in_peace=True)
        eventually(lambda: status(self.station).get("link_up"), 30)
        heard = len(self.told())
        eventually(lambda: len(self.told()) > heard, 30)
        eventually(lambda: status(self.station)["outbox"]["depth"] == 0 and not status(self.station)["on_air"], 30)
        version = [programme["version"] for programme in status(self.station)["programmes"]]
        assert version == [self.programme.version], "the broker was told that a newer one is on disk"
        over = datetime.now(timezone.utc)
        assert self.station.stop() == 0
        return over

    def told(self) -> dict[str, dict[str, Any]]:
        """Every as-run record and fault that the centre has heard, by its id."""
        return {r["id"]: r for kind in ("as-run", "fault") for r in self.centre.reports(kind)}

    def _programme(self) -> Programme:
        names = [f"tin-{hertz}" for hertz in TONES_HZ]
        bulletins = tuple(Bulletin(id=n, title=n, audio=(c.audio(),)) for n, c in zip(names, self.clips, strict=True))
        slots = tuple(
            Slot(
                id=f"s{number:03}",
                start=local(FIRST_CUE_S + number * CUE_EVERY_S),
                bulletins=(names[number % len(names)],),
                late_window_s=LATE_WINDOW_S if number % 3 == 2 else 0,
            )
            for number in range(self.cues)
        )
        return make_programme(bulletins=bulletins, slots=slots)


@dataclass(frozen=True)
class Heard:
    """A stretch of sound: which tone, from when, how long."""

    tone: int
    begin: datetime
    length_ms: int


def heard(station: Station) -> list[Heard]:
    """Every stretch that is long enough to be known, from the samples themselves."""
    aired = station.folder / "aired.wav"
    samples = array("h", aired.read_bytes()[HEADER_BYTES:][: (aired.stat().st_size - HEADER_BYTES) // 2 * 2])
    lines = (station.folder / "aired.wav.timeline").read_text().splitlines()
    begun = [line for line in map(json.loads, lines) if line["frames"] == 0]
    ends = [line["file_frame"] for line in begun[1:]] + [len(samples)]
    to_wall_ns = time.time_ns() - time.monotonic_ns()
    runs = []
    for line, end in zip(begun, ends, strict=True):
        length_ms = (end - line["file_frame"]) * 1_000 // RATE_HZ
        if length_ms >= HEARD_MS:
            begin = datetime.fromtimestamp((line["mono_ns"] + to_wall_ns) / 1e9, timezone.utc)
            runs.append(Heard(_tone(samples[line["file_frame"] : end]), begin, length_ms))
    return runs


def _tone(samples: array[int]) -> int:
    """Which tone it is, by how often the last tenth of a second that sounds goes through zero."""
    loud = samples[: next((n for n in range(len(samples), 0, -1) if abs(samples[n - 1]) > 500), 0)]
    tail = loud[-RATE_HZ // 10 :]
    crossings = sum((a < 0) != (b < 0) for a, b in pairwise(tail))
    hertz = crossings * RATE_HZ / max(1, len(tail)) / 2
    return min(range(len(TONES_HZ)), key=lambda tone: abs(TONES_HZ[tone] - hertz))


def reckon(pole: Pole, over: datetime) -> str:
    """Ask what became of every cue, and of every report. Gives a line that says it."""
    told, second = pole.told(), 0
    records: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for report in told.values():
        if report["kind"] == "as-run":
            records[report["slot"]].append(report)
    sounded = sounded_by_slot(pole)
    outcomes: dict[str, int] = defaultdict(int)
    for slot in pole.programme.slots:
        if starts(slot) + timedelta(seconds=LATE_WINDOW_S + CLIP_S + 2) > over:
            break
        assert len(records[slot.id]) == 1, f"told {len(records[slot.id])} times: {slot.id} {records[slot.id]}"
        (report,) = records[slot.id]
        outcomes[report["outcome"]] += 1
        assert report["reason"] in TRUE_REASONS.get(report["outcome"], ()), report
        runs = sounded[slot.id]
        known = [run for run in runs if run.length_ms >= SECOND_MS]
        second += len(runs) - len(known)
        assert len(known) <= 1, f"aired twice: {slot.id} {runs}"
        if report["outcome"] == "aired":
            assert [run for run in known if run.length_ms > CLIP_S * 1_000 - 100], f"told, and not heard: {report}"
        if known:
            assert report["outcome"] in ("aired", "cut"), f"heard {known}, and told as {report}"
    check_numbers(pole.centre)
    assert not [report for report in told.values() if report.get("code") == "store-damaged"]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    pages, names = (sum(getattr(lost, what) for lost in pole.lost) for what in ("pages", "names"))
    return (
        f"{pole.deaths} deaths, {len(pole.lost)} with the power, which took {pages} pages and {names} changes of names "
        f"that were not synced; cues: {counts}, {second} heard for less than a second before a death; "
        f"{len(told)} reports, each once by id"
    )


def sounded_by_slot(pole: Pole) -> dict[str, list[Heard]]:
    """Of which cue each stretch of sound was: the last one of that tone that was due."""
    found: dict[str, list[Heard]] = defaultdict(list)
    for run in heard(pole.station):
        due = [
            slot
            for number, slot in enumerate(pole.programme.slots)
            if number % len(TONES_HZ) == run.tone and starts(slot) <= run.begin + timedelta(seconds=1)
        ]
        assert due, f"sound that nobody asked for: {run}"
        found[due[-1].id].append(run)
    return found


def starts(slot: Slot) -> datetime:
    """When a slot is due."""
    return datetime.fromisoformat(slot.start).replace(tzinfo=timezone(timedelta(hours=7)))
