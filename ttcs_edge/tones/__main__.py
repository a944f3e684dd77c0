"""Make the files of the tones: 16 bits, one channel, ``RATE_HZ``."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Callable, Iterator

from ttcs_edge.tones import (
    DURATION_MS,
    PILOT,
    PILOT_MS,
    RATE_HZ,
    SILENCE,
    SILENCE_MS,
    TEST,
    TEST_MS,
    path_of,
)

PEAK = 0.7 * 32_767
EDGE_S = 0.005
"""Each begins and ends softly enough not to click, and loudly enough to be heard at once."""
PILOT_EDGE_S = 0.05
TEST_HZ = 1_000
TEST_PEAK = 0.25 * 32_767
"""12 dB below full scale: for minutes under a loudspeaker it must not hurt."""
HIGH_HZ, LOW_HZ = 1_200.0, 500.0
NOTES = ((0.0, 659.26), (0.9, 523.25), (1.8, 392.0))
"""When each note of the gong is struck, in seconds, and its frequency."""


def sweep(per_second: float) -> Callable[[float], float]:
    """A tone that falls ``per_second`` times a second."""

    def sample(at_s: float) -> float:
        span_s = 1.0 / per_second
        into_s = at_s % span_s
        turns = HIGH_HZ * into_s - (HIGH_HZ - LOW_HZ) * into_s**2 / (2 * span_s)
        return math.sin(2 * math.pi * turns)

    return sample


def gong(at_s: float) -> float:
    """Struck notes that die away into each other."""
    struck = ((at_s - begin_s, hz) for begin_s, hz in NOTES if at_s >= begin_s)
    return sum(0.5 * math.exp(-1.6 * since_s) * math.sin(2 * math.pi * hz * since_s) for since_s, hz in struck)


def samples(sound: Callable[[float], float]) -> Iterator[int]:
    """A tone from its first to its last sample."""
    count = DURATION_MS * RATE_HZ // 1_000
    for number in range(count):
        edge = min(1.0, number / (EDGE_S * RATE_HZ), (count - 1 - number) / (EDGE_S * RATE_HZ))
        yield round(PEAK * edge * sound(number / RATE_HZ))


def steady() -> Iterator[int]:
    """The test tone: no edges, so that it can be repeated without a seam."""
    turns = (TEST_HZ * number / RATE_HZ for number in range(TEST_MS * RATE_HZ // 1_000))
    return (round(TEST_PEAK * math.sin(2 * math.pi * turn)) for turn in turns)


def pilot() -> Iterator[int]:
    """The test tone for the first half, softly begun and ended, and silence for the second."""
    sounds = PILOT_MS * RATE_HZ // 2_000
    tone = (math.sin(2 * math.pi * TEST_HZ * number / RATE_HZ) for number in range(sounds))
    for number, sample in enumerate(tone):
        edge = min(1.0, number / (PILOT_EDGE_S * RATE_HZ), (sounds - 1 - number) / (PILOT_EDGE_S * RATE_HZ))
        yield round(TEST_PEAK * edge * sample)
    yield from (0 for _ in range(sounds))


def silence() -> Iterator[int]:
    """Nothing to be heard."""
    return (0 for _ in range(SILENCE_MS * RATE_HZ // 1_000))


def main() -> None:
    """Write every file."""
    tones = {name: samples(sound) for name, sound in {"wail": sweep(1.0), "yelp": sweep(4.0), "gong": gong}.items()}
    for name, made in {**tones, TEST: steady(), PILOT: pilot(), SILENCE: silence()}.items():
        with wave.open(str(path_of(name)), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(array("h", made).tobytes())


if __name__ == "__main__":
    main()
