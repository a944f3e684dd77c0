"""What was just heard, kept as evidence: mono, 16 kHz, 16 bit, as WAV, which every court and every telephone plays."""

from __future__ import annotations

import io
import wave
from collections import deque
from typing import NamedTuple

import numpy as np

from ttcs_edge.drivers.sound import RATE_HZ
from ttcs_edge.monitor.ear import STEP_MS, Samples
from ttcs_edge.monitor.messages import PARTS

BEFORE_STEPS = 12_000 // STEP_MS
"""It is asked for some seconds after the first foreign word: all of that is in it."""
AFTER_STEPS = 20_000 // STEP_MS
EACH = 3
KEPT_HZ = RATE_HZ // EACH
TAPS = 63
CUT_HZ = 7_200


class Take(NamedTuple):
    """A part of a recording, whole."""

    name: str
    part: int
    wav: bytes


class Recorder:
    """Keeps the last twelve seconds; once asked, also what comes behind them. One thread uses it."""

    def __init__(self) -> None:
        self._last: deque[Samples] = deque(maxlen=BEFORE_STEPS)
        self._after: list[Samples] = []
        self._name: str | None = None

    def take(self, heard: Samples) -> Take | None:
        """The next half second; gives the rest of a recording when that is whole."""
        self._last.append(heard)
        if self._name is None:
            return None
        self._after.append(heard)
        return self._rest() if len(self._after) == AFTER_STEPS else None

    def keep(self, name: str) -> list[Take]:
        """Begin a recording; one that is under way ends here."""
        ended = [] if self._name is None or not self._after else [self._rest()]
        self._name = name
        return [*ended, Take(name, 0, as_wav(list(self._last)))]

    def _rest(self) -> Take:
        name, self._name = self._name, None
        assert name is not None, "nothing is being recorded"
        steps, self._after = self._after, []
        return Take(name, PARTS.index("-after"), as_wav(steps))


def as_wav(steps: list[Samples]) -> bytes:
    """Every third sample of what lies below 7.2 kHz, as a file."""
    samples = np.concatenate(steps) if steps else np.zeros(0, dtype=np.int16)
    around = np.arange(TAPS) - TAPS // 2
    taps = np.sinc(2 * CUT_HZ / RATE_HZ * around) * np.hamming(TAPS)
    smooth = np.convolve(samples.astype(np.float32), (taps / taps.sum()).astype(np.float32), mode="same")
    kept = np.clip(smooth[::EACH], -32_768, 32_767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(KEPT_HZ)
        wav.writeframes(kept.tobytes())
    return file.getvalue()
