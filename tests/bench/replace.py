"""`replace`: from the kill of a player to the first 10 ms period of the play that goes on.

Floor: a bare new Python that imports vlc, makes an instance and decodes its first sample, from exec to that sample.
Ours: a player killed with -9 in the middle of a play; the daemon's side of it notices, starts another, waits until it
is ready and has it go on from where the play was cut. ``hung_p50`` and ``hung_p99`` are the same for a player that was
stopped instead: they hold the 0.4 s after which it counts as hung.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.report import percentile, report
from tests.parts import make_clip
from ttcs_edge.core import events
from ttcs_edge.core.model import AudioItem, Sha256, VerifiedAudio
from ttcs_edge.drivers.player import PlayerProcess
from ttcs_edge.settings import SoundDriver, SoundSettings

RUNS = 20
HUNG_RUNS = 10
CUE_S = 60.0

BARE = """
import os, sys, threading, time, vlc
first = threading.Event()
callback = vlc.CallbackDecorators.AudioPlayCb(lambda opaque, samples, count, pts: first.set())
instance = vlc.Instance("--no-video", "--quiet")
player = instance.media_player_new()
player.set_media(instance.media_new_path(sys.argv[1]))
player.audio_set_callbacks(callback, None, None, None, None, None)
player.audio_set_format("S16N", 48000, 1)
player.play()
first.wait()
print(time.monotonic_ns(), flush=True)
os._exit(0)
"""


def bare_ms(path: Path) -> float:
    """One new process, from exec to its first decoded sample."""
    began_ns = time.monotonic_ns()
    told = subprocess.run([sys.executable, "-c", BARE, str(path)], check=True, capture_output=True).stdout
    return (int(told) - began_ns) / 1e6


class Playing:
    """A play that is cut, again and again, and goes on."""

    def __init__(self, folder: Path) -> None:
        clip = make_clip(folder, "cue", CUE_S)
        self.path = clip.path
        fd = os.memfd_create("cue")
        os.write(fd, clip.data)
        sha256, size_bytes = Sha256(clip.sha256), len(clip.data)
        item = AudioItem("cue", "vi", sha256, size_bytes, clip.duration_ms)
        self._audio = [(item, VerifiedAudio(sha256, size_bytes, fd))]
        self._heard: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        self._player = PlayerProcess(SoundSettings(SoundDriver.WAV, "wav", folder / "out.wav"))
        self._player.watch(self._heard.put)
        self._plays = 0
        self._player_number: int = self._wait_for(events.PlayerReady).player
        self._go_on(0)

    def _wait_for(self, kind: type[events.Event]) -> Any:
        while not isinstance(event := self._heard.get(timeout=10), kind):
            pass
        return event

    def _go_on(self, from_ms: int) -> int:
        self._plays += 1
        self._player.play(self._player_number, self._plays, self._audio, from_ms, time.monotonic_ns(), 100, 0)
        started = self._wait_for(events.SoundStarted)
        self._wait_for(events.SoundProgress)
        return int(started.mono_ns)

    def cut_ms(self, number: signal.Signals) -> float:
        """Lose the player; tell how long until the play went on."""
        pid = self._player.pid
        assert pid is not None
        lost_ns = time.monotonic_ns()
        os.kill(pid, number)
        gone = self._wait_for(events.PlayerGone)
        self._player_number = self._wait_for(events.PlayerReady).player
        return (self._go_on(gone.written_ms) - lost_ns) / 1e6

    def close(self) -> None:
        """End the player."""
        self._player.close(2)


def main() -> None:
    """Kills and floors in turn, then the hung ones."""
    playing = Playing(Path(tempfile.mkdtemp()))
    floor, ours = [], []
    for _ in range(RUNS):
        floor.append(bare_ms(playing.path))
        ours.append(playing.cut_ms(signal.SIGKILL))
    hung = [playing.cut_ms(signal.SIGSTOP) for _ in range(HUNG_RUNS)]
    playing.close()
    stopped = {f"hung_p{percent}": round(percentile(hung, percent), 1) for percent in (50, 99)}
    report("replace", "ms", floor, ours, **stopped)


if __name__ == "__main__":
    main()
