"""A real station with an off-air monitor: what aired was heard, or was not, and what is foreign is recorded."""

from __future__ import annotations

import hashlib
import subprocess
import time
import wave
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.airwaves import VIETNAMESE, around
from tests.monitor.test_process import write_wav
from tests.parts import Clip, Listener, Province, Station, eventually, put_chunks
from tests.system.sight import status
from tests.system.test_main_job import TOPIC, one_slot
from ttcs_edge.core.monitor import FOREIGN, LOST, SILENT
from ttcs_edge.drivers.sound import RATE_HZ
from ttcs_edge.training.air import Air
from ttcs_edge.training.voices import ENGLISH, of_db, speech

SPOKEN_S = 12


@pytest.fixture
def air(station: Station) -> Iterator[Air]:
    """A station that listens."""
    one = Air(station.folder / "air.wav", station.folder / "aired.wav")
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
    air.begin()


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
