"""What a monitor's input hears: what the station's player wrote, less loud and later, and what others send.

It is a WAV file that the input reads round and round, at the pace of the clock: what it is to hear is written a little
ahead of where it reads.
"""

from __future__ import annotations

import os
import threading
import time
import wave
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from ttcs_edge.drivers.sound import RATE_HZ
from ttcs_edge.training.appended import HEADER_BYTES, Appended
from ttcs_edge.training.voices import Sound

AIR_S: Final = 300
AHEAD_S: Final = 0.7
"""The input reads its file a little ahead of its time: what it is to hear is written earlier than that."""
TOGETHER: Final = RATE_HZ // 5
"""What a player wrote reaches its file in pieces of a tenth of a second."""
GAIN: Final = 0.5
NOISE: Final = 8
"""The electronics' own, in steps of 16 bit."""
TICK_S: Final = 0.02
LOOKS: Final = 20


class Air:
    """The air between ``aired``, what a player writes, and ``path``, what a monitor hears. ``cut``: nothing of the
    station's own goes out. ``foreign``: samples of somebody else, round and round; None when nobody else sends.
    """

    def __init__(self, path: Path, aired: Path) -> None:
        self.path = path
        self.cut = False
        self.foreign: Sound | None = None
        self.first_heard_s: float | None = None
        self.foreign_since_s: float | None = None
        self._aired = Appended(aired)
        self._dice = np.random.default_rng(1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="air", daemon=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes(bytes(2 * RATE_HZ * AIR_S))

    def begin(self) -> None:
        """Somebody else's process hears the file: from now on it hears something."""
        begun_s = []
        for _ in range(LOOKS):
            begun_s += _opened_at_s(self.path)
            time.sleep(TICK_S)  # between two looks at how far it has come: of many the earliest is nearest to it
        self._begun_s = min(begun_s)
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
                waiting = np.concatenate([waiting, np.frombuffer(self._aired.read(), "<i2").astype(np.float32)])
                flows = len(waiting) >= TOGETHER or (flows and len(waiting) > 0)
                air = self._dice.normal(0, NOISE, until - written).astype(np.float32)
                if flows:
                    ours, waiting = waiting[: len(air)], waiting[len(air) :]
                    air[: len(ours)] += 0 if self.cut else ours * GAIN
                    if self.first_heard_s is None:
                        self.first_heard_s = self._begun_s + written / RATE_HZ
                if (foreign := self.foreign) is not None:
                    if self.foreign_since_s is None:
                        self.foreign_since_s = self._begun_s + written / RATE_HZ
                    air += np.take(foreign, np.arange(written, until), mode="wrap")
                _put(file, written, np.clip(air, -32_768, 32_767).astype("<i2"))
                written = until


def _put(file: Any, at: int, samples: Any) -> None:
    """Write samples where the input comes to them, round and round."""
    at %= AIR_S * RATE_HZ
    till_end = AIR_S * RATE_HZ - at
    for place, part in ((at, samples[:till_end]), (0, samples[till_end:])):
        if len(part):
            file.seek(HEADER_BYTES + 2 * place)
            file.write(part.tobytes())
    file.flush()


def _opened_at_s(path: Path) -> list[float]:
    """When another process began to hear a file, by how far it has come; at the latest."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if os.readlink(link) == str(path) and link.parts[2] != str(os.getpid()):
                text = (link.parents[1] / "fdinfo" / link.name).read_text()
                at_bytes = int(text.split()[1])
                found.append(time.monotonic() - (at_bytes - HEADER_BYTES) / 2 / RATE_HZ)
    return found
