"""Samples left out, put in, begun and ended without a click.

A stretch is left out, or heard twice, by going over from one place to another within 5 ms. The places are chosen so
that least of it is heard: the quietest stretch there is, and a step at which both sides are most alike, which in speech
is a whole number of the voice's own periods (as WSOLA does: Verhelst and Roelands, ICASSP 1993).
"""

from __future__ import annotations

from array import array
from operator import sub

from ttcs_edge.drivers.sound import RATE_HZ

FRAMES_PER_MS = RATE_HZ // 1_000
FADE_FRAMES = 5 * FRAMES_PER_MS
STEP_LEAST_FRAMES = 5 * FRAMES_PER_MS // 2
"""The shortest stretch that is left out or put in: the highest voice has such periods."""
STEP_MOST_FRAMES = 10 * FRAMES_PER_MS
STEP_WORTH_FRAMES = STEP_MOST_FRAMES // 2
"""What is owed less than that is left: a step may be twice as long, and then one back would follow it."""
SPLICE_FRAMES = STEP_MOST_FRAMES + FADE_FRAMES
"""How many samples must be there for one to be found."""
_COARSE = 8
_LAG_GRID = 4


def _rise(frames: int) -> list[float]:
    return [number / (frames + 1) for number in range(1, frames + 1)]


_RISE = _rise(FADE_FRAMES)


def faded_in(samples: array[int]) -> array[int]:
    """The same, from nothing up: within 5 ms, or what there is."""
    rise = _RISE if len(samples) >= FADE_FRAMES else _rise(len(samples))
    begun = array("h", [int(at * level) for at, level in zip(samples, rise, strict=False)])
    return begun + samples[FADE_FRAMES:]


def faded_out(samples: array[int]) -> array[int]:
    """The same, down to nothing."""
    samples = samples[::-1]
    return faded_in(samples)[::-1]


def gone_over(samples: array[int], at: int, step: int) -> array[int]:
    """Go over at a place to what lies ``step`` samples behind it, or before it: so many are left out, or put in."""
    there = at + step
    assert min(at, there) >= 0, "before the first"
    assert max(at, there) + FADE_FRAMES <= len(samples), "behind the last"
    pairs = zip(samples[at : at + FADE_FRAMES], samples[there : there + FADE_FRAMES], _RISE, strict=True)
    blend = array("h", [int(old + (new - old) * level) for old, new, level in pairs])
    return samples[:at] + blend + samples[there + FADE_FRAMES :]


def shortened(samples: array[int]) -> array[int]:
    """Without a stretch of 2.5 to 10 ms that is missed least. There must be ``SPLICE_FRAMES``."""
    return gone_over(samples, *_alike(samples))


def lengthened(samples: array[int]) -> array[int]:
    """With a stretch of 2.5 to 10 ms heard twice. There must be ``SPLICE_FRAMES``."""
    at, step = _alike(samples)
    return gone_over(samples, at + step, -step)


def _alike(samples: array[int]) -> tuple[int, int]:
    """Where the quietest stretch begins, and by how much later it sounds most like there."""
    places = range(0, len(samples) - SPLICE_FRAMES + 1, FADE_FRAMES // 2)
    at = min(places, key=lambda place: sum(map(abs, samples[place : place + SPLICE_FRAMES : _COARSE])))

    def unlike(step: int, every: int) -> int:
        there = at + step
        old, new = samples[at : at + FADE_FRAMES : every], samples[there : there + FADE_FRAMES : every]
        return sum(map(abs, map(sub, old, new)))

    steps = range(STEP_LEAST_FRAMES, STEP_MOST_FRAMES + 1)
    near = min(steps[::_LAG_GRID], key=lambda step: unlike(step, _COARSE))
    fine = range(max(steps.start, near - _LAG_GRID + 1), min(steps.stop, near + _LAG_GRID))
    return at, min(fine, key=lambda step: unlike(step, 1))


class Distance:
    """Keeps what waits between two clocks within a range, by a step now and then.

    What counts is the least that was left behind any of ``looks`` reads: the rest is only how samples come, in lumps.
    ``rest`` is how many reads lie between two steps, so that they are not heard as one.
    """

    def __init__(self, wanted_frames: range, looks: int, rest: int) -> None:
        self.wanted_frames = wanted_frames
        self._looks = looks
        self._rest = rest
        self.forget()

    def forget(self) -> None:
        """Begin anew: what waits was changed by something else."""
        self._seen: list[int] = []
        self._resting = 0
        self._owed_frames = 0

    def kept(self, samples: array[int], left_frames: int) -> array[int]:
        """Look at what will be left; gives the samples of before it, with a step when there must be one.

        What is left out is taken from what would be left: behind a delay of this very read that may be nothing.
        """
        self._seen.append(left_frames)
        self._resting -= 1
        if len(self._seen) == self._looks:
            self._judge(min(self._seen))
        room_frames = len(samples) if self._owed_frames > 0 else min(len(samples), left_frames)
        if self._resting > 0 or abs(self._owed_frames) < STEP_WORTH_FRAMES or room_frames < SPLICE_FRAMES:
            return samples
        stepped = lengthened(samples) if self._owed_frames > 0 else shortened(samples)
        self._owed_frames -= len(stepped) - len(samples)
        self._resting = self._rest
        self._seen.clear()
        return stepped

    def _judge(self, least_frames: int) -> None:
        self._seen.clear()
        wanted = self.wanted_frames
        self._owed_frames = 0 if least_frames in wanted else (wanted.start + wanted.stop) // 2 - least_frames
