"""How well a trainee did: one row a trouble, points for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import Final

from msgspec import Struct

MOST: Final = 100
WRONG: Final = 25
"""What a wrong part costs: somebody has climbed a pole for nothing."""
FREE_S: Final = 180
"""So long is not too long."""
SLOW_S: Final = 10
"""Behind that each of these costs a point."""


class Mended(Struct, frozen=True):
    """A trouble that was found: how long it took, and how many wrong parts were named before."""

    trouble: str
    part: str
    taken_s: int
    wrong: int

    @property
    def points(self) -> int:
        """0 to 100."""
        slow = max(0, self.taken_s - FREE_S) // SLOW_S
        return max(0, MOST - WRONG * self.wrong - slow)


@dataclass(slots=True)
class Lesson:
    """What a class has done so far; one trouble at a time."""

    mended: list[Mended] = field(default_factory=list)
    trouble: str | None = None
    part: str = ""
    _begun_mono_s: float = 0.0
    _wrong: int = 0

    def begin(self, trouble: str, part: str, now_mono_s: float) -> None:
        """Something is broken now."""
        assert self.trouble is None, "one at a time"
        self.trouble, self.part, self._begun_mono_s, self._wrong = trouble, part, now_mono_s, 0

    def name(self, part: str, now_mono_s: float) -> Mended | None:
        """A trainee says what he mends; gives what he did when it is right."""
        assert self.trouble is not None, "nothing is broken"
        if part != self.part:
            self._wrong += 1
            return None
        done = Mended(self.trouble, part, round(now_mono_s - self._begun_mono_s), self._wrong)
        self.mended.append(done)
        self.trouble = None
        return done

    @property
    def points(self) -> int:
        """The mean of all; 0 where nothing was mended."""
        return round(fmean(one.points for one in self.mended)) if self.mended else 0
