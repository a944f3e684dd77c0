"""`under_load`: `alert` while everything else goes on: 50 bulletins download through the broker, a programme of 10,000
slots arrives, again and again, and the outbox drains 100,000 reports.

Floor: ``alert`` of the same station when it is idle. ``programmes``, ``downloads`` and ``reports`` are what the load
came to while alerts were measured. What makes the load has a process of its own, which gives way to all others, and
gives its audio to the broker beforehand: a centre does not share the station's machine. The broker still does:
``broker_p50`` and ``broker_p99`` tell when a bare subscriber to alerts alone had the same ones from it, ``idle_p50`` to
``loaded_p99`` how long the station took behind that.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage

from tests.bench.alert import ALERTS, REST_S, Ground
from tests.bench.outbox import REPORTS, fill
from tests.bench.report import percentile, report
from tests.parts import ROOT, SCOPE, Listener, Station, eventually, make_programme, utc
from tests.system.sight import status
from tests.system.test_main_job import TOPIC, all_open
from ttcs_edge.core.documents import Audio, Bulletin, Command, ResendRange, Slot
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Sha256
from ttcs_edge.wire.topics import Topics

BULLETINS, SLOTS = 50, 10_000
PROGRAMMES = 40
"""For so many there is audio; a run needs fewer."""
BULLETIN_BYTES = 2 * LIMITS.blob_chunk_bytes
COMMAND = f"{ROOT}/station/da-teh-01/command"


Measured = dict[str, tuple[int, float]]
"""When each alert was published, by topic, and how many ms passed until its first period."""


class Load:
    """Programmes with new bulletins, one after another, and the same reports asked for as soon as they were sent."""

    def __init__(self, station: Station) -> None:
        """To be made before this process has threads of its own: the load's begins as a copy of it."""
        self._station = station
        forked = multiprocessing.get_context("fork")
        self._ready, self._begins, self._over = forked.Event(), forked.Event(), forked.Event()
        self._programmes, self._reports = forked.Value("i", 0), forked.Value("i", 0)
        self._commands = 0
        self._process = forked.Process(target=self._run, daemon=True)
        self._process.start()

    def prepare(self) -> None:
        """Wait until the broker has all audio."""
        eventually(self._ready.is_set, 120)

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
        self._centre = Listener(self._station.broker, client_id="load")
        self._audio = [[self._recording() for _ in range(BULLETINS)] for _ in range(PROGRAMMES)]
        self._ready.set()
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
        bulletins = tuple(
            Bulletin(id=f"b{number}", title=f"b{number}", audio=(audio,))
            for number, audio in enumerate(self._audio[version - 1])
        )
        tomorrow = datetime.now() + timedelta(days=1)
        starts = (tomorrow + timedelta(days=number % 365, minutes=number) for number in range(SLOTS))
        slots = tuple(
            Slot(id=f"s{number}", start=f"{start:%Y-%m-%dT%H:%M:00}", bulletins=(f"b{number % BULLETINS}",))
            for number, start in enumerate(starts)
        )
        programme = make_programme(version=version, bulletins=bulletins, slots=slots)
        self._centre.publish(TOPIC, self._station.province.sign(programme))

    def _recording(self) -> Audio:
        data = os.urandom(BULLETIN_BYTES)
        sha256 = hashlib.sha256(data).hexdigest()
        for chunk in range(-(-len(data) // LIMITS.blob_chunk_bytes)):
            part = data[chunk * LIMITS.blob_chunk_bytes : (chunk + 1) * LIMITS.blob_chunk_bytes]
            self._centre.publish(Topics(ROOT).blob(sha256, chunk), part)
        return Audio(
            language="vi",
            sha256=Sha256(sha256),
            size_bytes=len(data),
            duration_ms=60_000,
            media_type="audio/ogg",
            loudness_lufs=-16.0,
            places=("broker:",),
        )


class Witness:
    """A bare subscriber to alerts: when it had the first message of each topic."""

    def __init__(self, ground: Ground) -> None:
        self.heard_ns: dict[str, int] = {}
        self._listener = Listener(ground.broker, subscribe=Topics(ROOT).alert(SCOPE, "+"), client_id="witness")
        self._listener._client.on_message = self._on_message

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self.heard_ns.setdefault(message.topic, time.monotonic_ns())

    def waited_ms(self, measured: Measured) -> list[float]:
        """How long each took to come here."""
        return [(self.heard_ns[topic] - sent_ns) / 1e6 for topic, (sent_ns, _) in measured.items()]

    def behind_ms(self, measured: Measured) -> list[float]:
        """How long the station took from when each was here."""
        return [ms - waited for (_, ms), waited in zip(measured.values(), self.waited_ms(measured), strict=True)]

    def close(self) -> None:
        """Leave."""
        self._listener.close()


def measure(ground: Ground, first: int) -> Measured:
    """So many alerts, each cancelled."""
    values = {}
    for number in range(first, first + ALERTS):
        topic, envelope = ground.message(number, 1, "Alert")
        values[topic] = (time.monotonic_ns(), ground.first_ms(topic, envelope))
        ground.centre.publish(*ground.message(number, 2, "Cancel"))
        eventually(lambda: all_open(ground.station), 30)
        time.sleep(REST_S)  # no test: each alert is to meet a station that is idle
    return values


def main() -> None:
    """Idle first, then loaded."""
    with tempfile.TemporaryDirectory() as name:
        loads: list[Load] = []

        def prepare(station: Station) -> None:
            fill(station.folder / "state")
            loads.append(Load(station))

        ground = Ground(Path(name), prepare, "nothing")
        (load,) = loads
        eventually(lambda: status(ground.station).get("outbox", {}).get("depth") == 0, 300)
        load.prepare()
        witness = Witness(ground)
        idle = measure(ground, 0)
        load.begin()
        loaded = measure(ground, ALERTS)
        load.end()
        witness.close()
        ground.close()
    broker_ms = witness.waited_ms(loaded)
    counts = {"programmes": load.programmes, "downloads": load.programmes * BULLETINS, "reports": load.reports}
    parts = {"broker": broker_ms, "idle": witness.behind_ms(idle), "loaded": witness.behind_ms(loaded)}
    told = {f"{name}_p{p}": round(percentile(some, p), 2) for name, some in parts.items() for p in (50, 99)}
    report("under_load", "ms", [ms for _, ms in idle.values()], [ms for _, ms in loaded.values()], **counts, **told)


if __name__ == "__main__":
    main()
