"""Coded receivers on their poles, as physics has them: what they hear is decoded from the samples that went out."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator

RATE_HZ = 48_000
STEP_FRAMES = RATE_HZ // 100
WINDOW_FRAMES = 2 * STEP_FRAMES
LOW_HZ = (697, 770, 852, 941)
HIGH_HZ = (1_209, 1_336, 1_477, 1_633)
DIGITS = {
    **dict(zip(((697, high) for high in HIGH_HZ), "123A", strict=True)),
    **dict(zip(((770, high) for high in HIGH_HZ), "456B", strict=True)),
    **dict(zip(((852, high) for high in HIGH_HZ), "789C", strict=True)),
    **dict(zip(((941, high) for high in HIGH_HZ), "*0#D", strict=True)),
}
SHARE = 0.7
"""How much of what is heard the two tones must be: speech has them, too, among others."""
LEAST_STEPS = 4
"""A digit is heard for 40 ms at least (ITU-T Q.24)."""


def _power(samples: array[int], hz: int) -> float:
    """How much of a frequency there is (Goertzel), as the power of a tone."""
    factor = 2 * math.cos(2 * math.pi * hz / RATE_HZ)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    return 2 * (last * last + before * before - factor * last * before) / len(samples) ** 2


def _digit(samples: array[int]) -> str:
    """What a stretch of sound dials; empty when it does not."""
    mean = sum(sample * sample for sample in samples) / len(samples)
    if mean < 10_000:
        return ""
    low = max(LOW_HZ, key=lambda hz: _power(samples, hz))
    high = max(HIGH_HZ, key=lambda hz: _power(samples, hz))
    return DIGITS[low, high] if _power(samples, low) + _power(samples, high) > SHARE * mean else ""


def _runs(samples: array[int]) -> Iterator[tuple[str, int, int]]:
    """Digits, and what lies between them, with their first and last frame."""
    last, since = "", 0
    for frame in range(0, len(samples) - WINDOW_FRAMES, STEP_FRAMES):
        digit = _digit(samples[frame : frame + WINDOW_FRAMES])
        if digit != last:
            yield last, since, frame
            last, since = digit, frame
    yield last, since, len(samples)


def heard_digits(samples: array[int]) -> list[tuple[str, float, float]]:
    """Each digit in some sound, with when it begins and how long it lasts, in seconds."""
    runs = [(digit, since, until) for digit, since, until in _runs(samples) if digit]
    long = [run for run in runs if run[2] - run[1] >= LEAST_STEPS * STEP_FRAMES]
    return [(digit, since / RATE_HZ, (until - since) / RATE_HZ) for digit, since, until in long]
