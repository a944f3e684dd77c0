"""`due`: a cue's planned start to its first 10 ms period handed to the sound device, amplifier warm.

Floor: a bare timer that starts a warm libvlc player into memory callbacks and a 10 ms writer, in one process. Ours: the
player process, commanded as the core does it: prepared, then told the instant of the first period ahead of it.
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
from ttcs_edge.core.model import AudioItem, Sha256, VerifiedAudio
from ttcs_edge.drivers.player import PlayerProcess
from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_NS
from ttcs_edge.settings import SoundDriver, SoundSettings

CUES = 50


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


def main() -> None:
    """Fifty cues each, one after the other."""
    folder = Path(tempfile.mkdtemp())
    clip = make_clip(folder, "cue", 1.0)
    heard: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    player = PlayerProcess(SoundSettings(SoundDriver.WAV, "wav", folder / "out.wav"))
    player.watch(heard.put)
    fd = os.memfd_create("cue")
    os.write(fd, clip.data)
    sha256 = Sha256(hashlib.sha256(clip.data).hexdigest())
    size_bytes = len(clip.data)
    audio = [(AudioItem("cue", "vi", sha256, size_bytes, 1_100), VerifiedAudio(sha256, size_bytes, fd))]

    def wait_for(kind: type[events.Event]) -> Any:
        while not isinstance(event := heard.get(timeout=10), kind):
            pass
        return event

    wait_for(events.PlayerReady)
    bare = BarePlayer(clip.path)
    floor, ours = [], []
    for number in range(1, CUES + 1):
        floor.append(bare.late_ms(time.monotonic_ns() + 50_000_000))
        player.prepare(audio)
        at_ns = time.monotonic_ns() + 150_000_000
        player.play(number, audio, 0, at_ns, 100, 0)
        started = wait_for(events.SoundStarted)
        ours.append((started.mono_ns - at_ns) / 1e6)
        player.stop(number, 0)
        wait_for(events.SoundEnded)
    player.close(2)
    report("due", "ms", floor, ours)
    os._exit(0)  # libvlc's threads have been seen to hang at exit


if __name__ == "__main__":
    main()
