"""Who has the air, and what becomes of the loser. Pure choice: no state is kept here.

- air-1, never-4: the higher priority has the air, at once and alone. A cue never takes it from one of its own rank.
- Of two for the same moment the higher priority comes first, then the smaller scope path and slot id; the other queues.
- air-2: the loser resumes, restarts or is dropped, as its slot says.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ttcs_edge.core.model import IfInterrupted, Occurrence, Rank

TEST, BULLETIN, MICROPHONE, ALERT = -1, 0, 1, 2
"""The classes of air-1, and below them a test tone, which is nobody's message: what stands first in a rank."""
PILOT = -2
"""Below even that the pilot of a self-test, for which nobody waits."""


class Contender(Struct, frozen=True):
    """What the choice needs to know of one cue that could have the air now."""

    occurrence: Occurrence
    priority: Rank
    planned_ms: int

    @property
    def rank(self) -> tuple[Rank, int, Occurrence]:
        """Sort key: the first has the best claim."""
        return (tuple(-part for part in self.priority), self.planned_ms, self.occurrence)


def choose(on_air: Contender | None, ready: Sequence[Contender]) -> Contender | None:
    """Pick who is to have the air: the best of ``ready``, but only a higher priority displaces ``on_air``."""
    best = min(ready, key=lambda contender: contender.rank, default=None)
    if on_air is None or (best is not None and best.priority > on_air.priority):
        return best
    return on_air


def resumes_from_ms(if_interrupted: IfInterrupted, position_ms: int) -> int | None:
    """Tell where an interrupted cue goes on, in milliseconds of the whole; None when it is dropped."""
    return {IfInterrupted.RESUME: position_ms, IfInterrupted.RESTART: 0, IfInterrupted.DROP: None}[if_interrupted]
