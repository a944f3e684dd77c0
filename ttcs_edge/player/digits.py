"""The dual tones that open and close coded receivers, as telephones dial (ITU-T Q.23)."""

from __future__ import annotations

import math
from array import array

from ttcs_edge.player.decoder import BYTES_PER_MS

RATE_HZ = 48_000
LOW_HZ = (697, 770, 852, 941)
HIGH_HZ = (1_209, 1_336, 1_477, 1_633)
KEYS = ("123A", "456B", "789C", "*0#D")
"""A row for each low tone, in each a key for each high one."""
LOW_LEVEL, HIGH_LEVEL = 0.28, 0.35
"""Of full scale: the high tone is 2 dB above the low one, for lines and receivers lose more of it."""
EDGE_MS = 4
"""How long a tone takes to come and to go: without, each is a click, which has all frequencies."""


def tones_of(digit: str) -> tuple[int, int]:
    """The two frequencies of a digit, in Hz. Raises ValueError for what is none."""
    for low_hz, row in zip(LOW_HZ, KEYS, strict=True):
        if digit in row:
            return low_hz, HIGH_HZ[row.index(digit)]
    raise ValueError(f"{digit!r} cannot be dialled")


def dialled(digits: str, digit_ms: int, gap_ms: int) -> bytes:
    """Digits as samples, each with a gap behind it. Raises ValueError for what cannot be dialled."""
    gap = bytes(gap_ms * BYTES_PER_MS)
    return b"".join(_tone(*tones_of(digit), digit_ms) + gap for digit in digits)


def _tone(low_hz: int, high_hz: int, span_ms: int) -> bytes:
    frames = span_ms * RATE_HZ // 1_000
    edge = EDGE_MS * RATE_HZ // 1_000
    low, high = 2 * math.pi * low_hz / RATE_HZ, 2 * math.pi * high_hz / RATE_HZ
    samples = array("h")
    for frame in range(frames):
        level = 32_767 * min(1.0, (frame + 1) / edge, (frames - frame) / edge)
        samples.append(int(level * (LOW_LEVEL * math.sin(low * frame) + HIGH_LEVEL * math.sin(high * frame))))
    return samples.tobytes()


class DigitSource:
    """What is dialled, for the writer."""

    short_ms = 0
    filled_bytes = 0
    failure = None

    def __init__(self, digits: str, digit_ms: int, gap_ms: int) -> None:
        self._left = dialled(digits, digit_ms, gap_ms)

    @property
    def exhausted(self) -> bool:
        """Tell whether all of it was read."""
        return not self._left

    def read(self, size_bytes: int, timeout_s: float) -> bytes:
        """Take what comes next."""
        taken, self._left = self._left[:size_bytes], self._left[size_bytes:]
        return taken

    def ends_within(self, size_bytes: int) -> bool:
        """Tell whether no more than this is left."""
        return len(self._left) <= size_bytes

    def close(self) -> None:
        """Nothing is held."""
