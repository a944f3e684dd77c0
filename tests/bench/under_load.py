"""`under_load`: `alert` while everything else goes on: 50 bulletins download through the broker, a programme of 10,000
slots arrives, again and again, and the outbox drains 100,000 reports.

Floor: ``alert`` of the same station when it is idle. ``programmes``, ``downloads`` and ``reports`` are what the load
came to while alerts were measured.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.bench.alert import ALERTS, Ground
from tests.bench.outbox import REPORTS, fill
from tests.bench.report import report
from tests.parts import ROOT, SCOPE, eventually, make_programme, utc
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

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._commands = 0
        self.programmes = 0

    def begin(self) -> None:
        """From now on."""
        self._thread.start()
        eventually(lambda: self.programmes > 0, 60)

    def end(self) -> None:
        """Enough."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            self._ask_again()
            self._publish()
            self.programmes += 1
            while not self._over.wait(0.5) and not self._all_cached():
                pass

    def _all_cached(self) -> bool:
        cache = status(self._ground.station).get("cache") or {}
        programmes = status(self._ground.station).get("programmes") or []
        in_force = [one["version"] for one in programmes] == [self.programmes]
        return in_force and cache["stored_files"] >= BULLETINS

    def _ask_again(self) -> None:
        if (status(self._ground.station).get("outbox") or {}).get("depth"):
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
        self._ground.centre.publish(COMMAND, self._ground.province.sign(command), retain=False)

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
        self._ground.centre.publish(TOPIC, self._ground.province.sign(programme))

    def _bulletin(self, name: str) -> Bulletin:
        data = os.urandom(BULLETIN_BYTES)
        sha256 = hashlib.sha256(data).hexdigest()
        for chunk in range(-(-len(data) // LIMITS.blob_chunk_bytes)):
            part = data[chunk * LIMITS.blob_chunk_bytes : (chunk + 1) * LIMITS.blob_chunk_bytes]
            self._ground.centre.publish(Topics(ROOT).blob(sha256, chunk), part)
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
        ground = Ground(Path(name), lambda station: fill(station.folder / "state"))
        eventually(lambda: status(ground.station).get("outbox", {}).get("depth") == 0, 300)
        idle = measure(ground, 0)
        heard = len(ground.centre.messages)
        load = Load(ground)
        load.begin()
        loaded = measure(ground, ALERTS)
        load.end()
        reports = len(ground.centre.messages) - heard
        ground.close()
    counts = {"programmes": load.programmes, "downloads": load.programmes * BULLETINS, "reports": reports}
    report("under_load", "ms", idle, loaded, **counts)


if __name__ == "__main__":
    main()
