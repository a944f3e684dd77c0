"""`due`: a cue's planned start to its first 10 ms period handed to the sound device, amplifier warm.

Floor: a bare timer that starts a warm libvlc player into memory callbacks and a 10 ms writer, in one process. Ours: the
player process, commanded as the core does it: a cue of a minute is prepared ten seconds before its start (one of them
half a minute), then the player is told the instant of the first period ahead of it.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import queue
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import vlc

from tests.bench.report import report
from tests.parts import make_clip
from ttcs_edge.core import events
from ttcs_edge.core.model import START_MARGIN_MS, AudioItem, Sha256, VerifiedAudio
from ttcs_edge.drivers.player import Audio, PlayerProcess
from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_NS
from ttcs_edge.settings import SoundDriver, SoundSettings

CUES = 50
CUE_S = 60.0
AHEAD_S = 10.0
LONG_WAIT_AT = CUES // 2
LONG_WAIT_S = 30.0
STATIONS = 10


class BarePlayer:
    """A warm libvlc player, a buffer and a writer of 10 ms periods."""

    def __init__(self, path: Path) -> None:
        self.instance = vlc.Instance("--no-video", "--quiet")
        self.player = self.instance.media_player_new()
        self.media = self.instance.media_new_path(str(path))
        self.buffer = bytearray()
        self.first_ns: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.active = threading.Event()
        self.callback = vlc.CallbackDecorators.AudioPlayCb(self._samples)
        self.player.audio_set_callbacks(self.callback, None, None, None, None, None)
        self.player.audio_set_format("S16N", 48_000, 1)
        threading.Thread(target=self._write, daemon=True).start()

    def _samples(self, opaque: Any, samples: int, count: int, pts: int) -> None:
        self.buffer += ctypes.string_at(samples, count * 2)

    def _write(self) -> None:
        next_ns, told = time.monotonic_ns(), False
        while True:
            next_ns += PERIOD_NS
            time.sleep(max(0, next_ns - time.monotonic_ns()) / 1e9)
            if not self.active.is_set():
                told = False
            elif len(self.buffer) >= PERIOD_BYTES:
                del self.buffer[:PERIOD_BYTES]
                if not told:
                    told = True
                    self.first_ns.put(time.monotonic_ns())

    def late_ms(self, at_ns: int) -> float:
        """Play at an instant; tell how late the first period was."""
        time.sleep(max(0, at_ns - time.monotonic_ns()) / 1e9)
        self.player.set_media(self.media)
        self.active.set()
        self.player.play()
        late = (self.first_ns.get(timeout=5) - at_ns) / 1e6
        self.player.stop()
        self.active.clear()
        self.buffer.clear()
        return late


class Station:
    """A player process, commanded as the core does it, and a cue that waits in it decoded ahead."""

    def __init__(self, folder: Path, number: int, audio: Audio) -> None:
        self._audio = audio
        self._heard: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        self._player = PlayerProcess(SoundSettings(SoundDriver.WAV, "wav", folder / f"out-{number}.wav"))
        self._player.watch(self._heard.put)
        self._plays = 0
        self._player_number: int = self._wait_for(events.PlayerReady).player
        self.prepare()

    def _wait_for(self, kind: type[events.Event]) -> Any:
        while not isinstance(event := self._heard.get(timeout=10), kind):
            pass
        return event

    def prepare(self) -> None:
        """Have the next cue decoded ahead."""
        self._player.prepare(self._audio)
        self.prepared_s = time.monotonic()

    def late_ms(self) -> float:
        """Command the waiting cue; tell how late its first period was."""
        self._plays += 1
        at_ns = time.monotonic_ns() + START_MARGIN_MS * 1_000_000
        self._player.play(self._player_number, self._plays, self._audio, 0, at_ns, 100, 0)
        started = self._wait_for(events.SoundStarted)
        self._player.stop(self._plays, 0)
        self._wait_for(events.SoundEnded)
        return float(started.mono_ns - at_ns) / 1e6

    def close(self) -> None:
        """End the player."""
        self._player.close(2)


def main() -> None:
    """Fifty cues; each waits decoded ahead for ten seconds or more, so several stations take turns."""
    folder = Path(tempfile.mkdtemp())
    clip = make_clip(folder, "cue", CUE_S)
    fd = os.memfd_create("cue")
    os.write(fd, clip.data)
    sha256 = Sha256(hashlib.sha256(clip.data).hexdigest())
    size_bytes = len(clip.data)
    item = AudioItem("cue", "vi", sha256, size_bytes, clip.duration_ms)
    audio = [(item, VerifiedAudio(sha256, size_bytes, fd))]
    stations = [Station(folder, number, audio) for number in range(STATIONS)]
    bare = BarePlayer(clip.path)
    floor, ours, waited_s = [], [], []
    for number in range(CUES):
        station = stations[number % STATIONS]
        time.sleep(max(0.0, station.prepared_s + AHEAD_S - time.monotonic()))
        if number == LONG_WAIT_AT:
            time.sleep(LONG_WAIT_S - AHEAD_S)
        floor.append(bare.late_ms(time.monotonic_ns() + 50_000_000))
        waited_s.append(time.monotonic() - station.prepared_s)
        ours.append(station.late_ms())
        station.prepare()
    for station in stations:
        station.close()
    waits = {"prepared_least_s": round(min(waited_s), 1), "prepared_most_s": round(max(waited_s), 1)}
    report("due", "ms", floor, ours, cue_s=CUE_S, **waits)
    os._exit(0)  # libvlc's threads have been seen to hang at exit


if __name__ == "__main__":
    main()
