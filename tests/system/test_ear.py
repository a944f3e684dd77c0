"""What is heard along with the WAV file is what is in it."""

from __future__ import annotations

import threading
import wave
from array import array
from pathlib import Path

from tests.parts import eventually
from ttcs_edge.drivers.sound import PERIOD_FRAMES, WavSink
from ttcs_edge.training.speakers import follow

PERIODS = 30


def frames(path: Path) -> bytes:
    """The samples of a WAV file."""
    with wave.open(str(path)) as file:
        return bytes(file.readframes(file.getnframes()))


def test_a_card_plays_along_what_is_written_and_nothing_else(tmp_path: Path) -> None:
    """A file that does not exist yet, grows, and ends: every sample is heard once, in order."""
    written, heard = tmp_path / "aired.wav", tmp_path / "heard.wav"
    done = threading.Event()
    ear = threading.Thread(target=follow, args=(written, WavSink(heard), done))
    ear.start()
    station = WavSink(written)
    station.begin(1)
    for period in range(PERIODS):
        station.write(array("h", [period * PERIOD_FRAMES + frame for frame in range(PERIOD_FRAMES)]).tobytes())
    station.end()
    eventually(lambda: heard.exists())
    done.set()
    ear.join(5)

    assert len(frames(written)) == PERIODS * PERIOD_FRAMES * 2
    assert frames(heard) == frames(written)
