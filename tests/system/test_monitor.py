"""A real station with an off-air monitor: what aired was heard, or was not, and what is foreign is recorded."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.airwaves import ENGLISH, VIETNAMESE, around, of_db, speech
from tests.monitor.test_process import write_wav
from tests.parts import Clip, Listener, Province, Station, eventually, put_chunks
from tests.system.sight import status
from tests.system.test_main_job import TOPIC, one_slot
from ttcs_edge.core.monitor import FOREIGN, LOST, SILENT
from ttcs_edge.drivers.sound import RATE_HZ

HEADER_BYTES = 44
AIR_S = 300
AHEAD_S = 0.7
"""The input reads its file a little ahead of its time: what it is to hear is written earlier than that."""
TOGETHER = RATE_HZ // 5
"""What a player wrote reaches its file in pieces of a tenth of a second."""
GAIN = 0.5
SPOKEN_S = 12
TICK_S = 0.02


class Air:
    """What the monitor's input hears: what the station's player wrote, less loud and later, and what others send."""

    def __init__(self, station: Station) -> None:
        self.path = station.folder / "air.wav"
        self.cut = False
        self.foreign: Any = None
        self.first_heard_s: float | None = None
        self.foreign_since_s: float | None = None
        self._aired = station.folder / "aired.wav"
        self._at_bytes = HEADER_BYTES
        self._dice = np.random.default_rng(1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        with wave.open(str(self.path), "wb") as file:
            file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes(bytes(2 * RATE_HZ * AIR_S))

    def begin(self, begun_s: float) -> None:
        """The input was opened then: from now on it hears something."""
        self._begun_s = begun_s
        self._thread.start()

    def close(self) -> None:
        """Silence."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        written = int((time.monotonic() - self._begun_s + AHEAD_S) * RATE_HZ)
        waiting = np.zeros(0, np.float32)
        flows = False
        with self.path.open("r+b") as file:
            while not self._over.wait(TICK_S):
                until = int((time.monotonic() - self._begun_s + AHEAD_S) * RATE_HZ)
                waiting = np.concatenate([waiting, self._newly_aired()])
                flows = len(waiting) >= TOGETHER or (flows and len(waiting) > 0)
                air = self._dice.normal(0, 8, until - written).astype(np.float32)
                if flows:
                    ours, waiting = waiting[: len(air)], waiting[len(air) :]
                    air[: len(ours)] += 0 if self.cut else ours * GAIN
                    if self.first_heard_s is None:
                        self.first_heard_s = self._begun_s + written / RATE_HZ
                if self.foreign is not None:
                    if self.foreign_since_s is None:
                        self.foreign_since_s = self._begun_s + written / RATE_HZ
                    air += np.take(self.foreign, np.arange(written, until), mode="wrap")
                file.seek(HEADER_BYTES + 2 * written)
                file.write(np.clip(air, -32_768, 32_767).astype("<i2").tobytes())
                file.flush()
                written = until

    def _newly_aired(self) -> Any:
        if not self._aired.exists():
            return np.zeros(0, np.float32)
        with self._aired.open("rb") as file:
            file.seek(self._at_bytes)
            data = file.read()
        data = data[: len(data) // 2 * 2]
        self._at_bytes += len(data)
        return np.frombuffer(data, "<i2").astype(np.float32)


@pytest.fixture
def air(station: Station) -> Iterator[Air]:
    """A station that listens."""
    one = Air(station)
    with station.config.open("a") as config:
        config.write(f"monitor: {{wav_file: {one.path}, loud_dbfs: -22}}\n")
    yield one
    one.close()


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Words for twelve seconds."""
    folder = tmp_path_factory.mktemp("clips")
    write_wav(folder / "said.wav", around(speech(VIETNAMESE, "vi"), SPOKEN_S * RATE_HZ))
    command = ["ffmpeg", "-loglevel", "error", "-i", str(folder / "said.wav"), "-af", "adelay=100", "-c:a", "libopus"]
    subprocess.run([*command, "-b:a", "48k", str(folder / "said.opus")], check=True)
    return Clip(folder / "said.opus", SPOKEN_S * 1_000 + 100)


def start(station: Station, air: Air) -> None:
    """It runs, and its monitor listens."""
    station.start()
    eventually(lambda: status(station)["off_air"], 30)
    begun_s = []
    for _ in range(20):
        begun_s += opened_at_s(air.path)
        time.sleep(TICK_S)
    air.begin(min(begun_s))


def opened_at_s(path: Path) -> list[float]:
    """When another process began to hear a file, by how far it has come; at the latest."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if os.readlink(link) == str(path) and link.parts[2] != str(os.getpid()):
                text = (link.parents[1] / "fdinfo" / link.name).read_text()
                at_bytes = int(text.split()[1])
                found.append(time.monotonic() - (at_bytes - HEADER_BYTES) / 2 / RATE_HZ)
    return found


def faults(centre: Listener, code: str) -> list[dict[str, Any]]:
    """What was told of one kind."""
    return [one for one in centre.reports("fault") if one["code"] == code]


def test_what_airs_is_heard_within_two_seconds(
    station: Station, air: Air, centre: Listener, province: Province, spoken: Clip
) -> None:
    """The province's proof says so; whoever stands at the pole reads how like it is, and how late."""
    put_chunks(centre, spoken)
    start(station, air)
    centre.publish(TOPIC, province.sign(one_slot(spoken, 8)))
    eventually(lambda: (status(station)["off_air"]["match"] or 0) > 0.65, 25)
    assert air.first_heard_s is not None
    assert time.monotonic() - air.first_heard_s < 2.0
    (report,) = eventually(lambda: centre.reports("as-run"), 30)

    assert (report["outcome"], report["witnessed"]) == ("aired", True)
    assert [one for code in (FOREIGN, SILENT, LOST) for one in faults(centre, code)] == []
    assert 200 <= status(station)["off_air"]["lag_ms"] <= 1_500


def test_what_airs_and_nobody_hears_is_told(
    station: Station, air: Air, centre: Listener, province: Province, spoken: Clip
) -> None:
    """Samples were written, and the air is silent: the line is cut, or the transmitter dead."""
    air.cut = True
    put_chunks(centre, spoken)
    start(station, air)
    centre.publish(TOPIC, province.sign(one_slot(spoken, 8)))
    (fault,) = eventually(lambda: faults(centre, SILENT), 30)
    (report,) = eventually(lambda: centre.reports("as-run"), 30)

    assert (fault["subject"], fault["severity"], fault["cleared"]) == ("air", "error", None)
    assert (report["outcome"], report["witnessed"]) == ("aired", False)


def test_a_hijacked_receiver_is_told_within_ten_seconds_with_a_recording(
    station: Station, air: Air, centre: Listener
) -> None:
    """At night, when nothing airs; the recording is on the card, and is what the fault says that it is."""
    start(station, air)
    time.sleep(1)
    air.foreign = of_db(speech(ENGLISH, "en"), -20)
    (fault,) = eventually(lambda: faults(centre, FOREIGN), 20)
    assert air.foreign_since_s is not None
    told_s = time.monotonic() - air.foreign_since_s

    assert told_s < 10
    file = station.folder / "state/evidence" / fault["detail"]["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == fault["detail"]["sha256"]
    with wave.open(str(file)) as recording:
        samples = np.frombuffer(recording.readframes(recording.getnframes()), "<i2").astype(float)
    assert 10 * np.log10(np.mean(samples[-16_000:] ** 2) / 32_768**2) > -30
    assert [one["file"] for one in status(station)["recordings"]] == [file.name]
