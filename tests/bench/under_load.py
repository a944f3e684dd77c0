"""`under_load`: `alert` while everything else goes on: 50 bulletins download through the broker, a programme of 10,000
slots arrives, again and again, and the outbox drains 100,000 reports.

Floor: ``alert`` of the same station when it is idle. ``programmes``, ``downloads`` and ``reports`` are what the load
came to while alerts were measured. What makes the load has a process of its own, which gives way to all others: a
centre does not share the station's machine.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.bench.alert import ALERTS, Ground
from tests.bench.outbox import REPORTS, fill
from tests.bench.report import report
from tests.parts import ROOT, SCOPE, Listener, Station, eventually, make_programme, utc
from tests.system.sight import status
from tests.system.test_main_job import TOPIC, all_open
from ttcs_edge.core.documents import Audio, Bulletin, Command, ResendRange, Slot
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.wire.topics import Topics

BULLETINS, SLOTS = 50, 10_000
BULLETIN_BYTES = 2 * LIMITS.blob_chunk_bytes
COMMAND = f"{ROOT}/station/da-teh-01/command"


class Load:
    """Programmes with new bulletins, one after another, and the same reports asked for as soon as they were sent."""

    def __init__(self, station: Station) -> None:
        """To be made before this process has threads of its own: the load's begins as a copy of it."""
        self._station = station
        forked = multiprocessing.get_context("fork")
        self._begins, self._over = forked.Event(), forked.Event()
        self._programmes, self._reports = forked.Value("i", 0), forked.Value("i", 0)
        self._commands = 0
        self._process = forked.Process(target=self._run, daemon=True)
        self._process.start()

    def begin(self) -> None:
        """From now on."""
        self._begins.set()
        eventually(lambda: self.programmes > 0, 60)

    def end(self) -> None:
        """Enough."""
        self._over.set()
        self._process.join()

    @property
    def programmes(self) -> int:
        """How many were published."""
        return int(self._programmes.value)

    @property
    def reports(self) -> int:
        """How many came."""
        return int(self._reports.value)

    def _run(self) -> None:
        os.nice(10)
        self._centre = Listener(self._station.broker, "load", client_id="load")
        self._begins.wait()
        heard = len(self._centre.messages)
        while not self._over.is_set():
            self._ask_again()
            self._publish()
            self._programmes.value += 1
            while not self._over.wait(0.5) and not self._all_cached():
                pass
        self._reports.value = len(self._centre.messages) - heard
        self._centre.close()

    def _all_cached(self) -> bool:
        cache = status(self._station).get("cache") or {}
        programmes = status(self._station).get("programmes") or []
        in_force = [one["version"] for one in programmes] == [self.programmes]
        return in_force and cache["stored_files"] >= BULLETINS

    def _ask_again(self) -> None:
        if (status(self._station).get("outbox") or {}).get("depth"):
            return
        self._commands += 1
        now = datetime.now(timezone.utc)
        command = Command(
            scope=SCOPE,
            station="da-teh-01",
            version=round(now.timestamp() * 1_000),
            issued=utc(now),
            expires=utc(now + timedelta(minutes=1)),
            resend=ResendRange(journal=1, first=1, last=REPORTS),
        )
        self._centre.publish(COMMAND, self._station.province.sign(command), retain=False)

    def _publish(self) -> None:
        version = self.programmes + 1
        bulletins = tuple(self._bulletin(f"b{number}") for number in range(BULLETINS))
        tomorrow = datetime.now() + timedelta(days=1)
        starts = (tomorrow + timedelta(days=number % 365, minutes=number) for number in range(SLOTS))
        slots = tuple(
            Slot(id=f"s{number}", start=f"{start:%Y-%m-%dT%H:%M:00}", bulletins=(f"b{number % BULLETINS}",))
            for number, start in enumerate(starts)
        )
        programme = make_programme(version=version, bulletins=bulletins, slots=slots)
        self._centre.publish(TOPIC, self._station.province.sign(programme))

    def _bulletin(self, name: str) -> Bulletin:
        data = os.urandom(BULLETIN_BYTES)
        sha256 = hashlib.sha256(data).hexdigest()
        for chunk in range(-(-len(data) // LIMITS.blob_chunk_bytes)):
            part = data[chunk * LIMITS.blob_chunk_bytes : (chunk + 1) * LIMITS.blob_chunk_bytes]
            self._centre.publish(Topics(ROOT).blob(sha256, chunk), part)
        audio = Audio(
            language="vi",
            sha256=sha256,
            size_bytes=len(data),
            duration_ms=60_000,
            media_type="audio/ogg",
            loudness_lufs=-16.0,
            places=("broker:",),
        )
        return Bulletin(id=name, title=name, audio=(audio,))


def measure(ground: Ground, first: int) -> list[float]:
    """So many alerts, each cancelled, from the publication to the first period."""
    values = []
    for number in range(first, first + ALERTS):
        topic, envelope = ground.message(number, 1, "Alert")
        values.append(ground.first_ms(topic, envelope))
        ground.centre.publish(*ground.message(number, 2, "Cancel"))
        eventually(lambda: all_open(ground.station), 30)
        time.sleep(0.3)  # no alert meets the end of the one before
    return values


def main() -> None:
    """Idle first, then loaded."""
    with tempfile.TemporaryDirectory() as name:
        loads: list[Load] = []

        def prepare(station: Station) -> None:
            fill(station.folder / "state")
            loads.append(Load(station))

        ground = Ground(Path(name), prepare, "nothing")
        eventually(lambda: status(ground.station).get("outbox", {}).get("depth") == 0, 300)
        idle = measure(ground, 0)
        loads[0].begin()
        loaded = measure(ground, ALERTS)
        loads[0].end()
        ground.close()
    programmes = loads[0].programmes
    counts = {"programmes": programmes, "downloads": programmes * BULLETINS, "reports": loads[0].reports}
    report("under_load", "ms", idle, loaded, **counts)


if __name__ == "__main__":
    main()
