"""How loud and how high a sound is, tenth by tenth of a second, from its samples."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from operator import mul, xor

RATE_HZ = 48_000
WINDOW_FRAMES = RATE_HZ // 10
SILENT_DB = -100.0


def measured(samples: array[int]) -> tuple[float, int]:
    """RMS in dB of full scale, and the frequency by zero crossings."""
    if not samples:
        return SILENT_DB, 0
    power = sum(map(mul, samples, samples)) / len(samples)
    signs = [one < 0 for one in samples]
    crossings = sum(map(xor, signs, signs[1:]))
    level_db = 10 * math.log10(power / 32_768**2) if power else SILENT_DB
    return level_db, round(crossings * RATE_HZ / len(samples) / 2)


def windows(data: bytes) -> Iterator[tuple[int, float, int]]:
    """Of samples of 16 bit: the first frame of each tenth of a second, its level, its frequency."""
    samples = array("h", data[: len(data) // 2 * 2])
    for first in range(0, len(samples), WINDOW_FRAMES):
        yield first, *measured(samples[first : first + WINDOW_FRAMES])
