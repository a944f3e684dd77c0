"""What the display at the box tells: the state in a word, what is heard, what comes next, the worst fault.

The core says it once when it changes; the shell has the words, turns the pages and lets the clock tick, so that nobody
wakes the core for a minute that went by. A table names the state: the first line that holds decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from ttcs_edge.core.lamp import Seen
from ttcs_edge.core.model import Fault, Instant, Severity, StationSettings, WallMs

if TYPE_CHECKING:
    from ttcs_edge.core.desk import Desk
    from ttcs_edge.core.programmes import Programmes


class State(Enum):
    """What a station does, in a word."""

    STOPPING = "stopping"
    ALERT = "alert"
    ON_AIR = "on-air"
    MUTED = "muted"
    NO_TIME = "no-time"
    NO_LINK = "no-link"
    IDLE = "idle"


class Coming(Struct, frozen=True):
    """The next cue: when, and its title."""

    planned_ms: WallMs
    title: str


class Display(Struct, frozen=True):
    """All that is told. ``clock_trusted``: the time is, too. ``on_air`` is the title of what is heard; of an alert it
    is all that is told. ``faults`` counts those that are open, ``fault`` is the worst of them, the oldest first.
    """

    state: State
    clock_trusted: bool
    on_air: str | None = None
    coming: Coming | None = None
    fault: Fault | None = None
    faults: int = 0


_STATES: tuple[tuple[Callable[[Seen], bool], State], ...] = (
    (lambda seen: seen.stopping, State.STOPPING),
    (lambda seen: seen.warns, State.ALERT),
    (lambda seen: seen.on_air, State.ON_AIR),
    (lambda seen: seen.muted, State.MUTED),
    (lambda seen: not seen.time_trusted, State.NO_TIME),
    (lambda seen: not seen.link_up, State.NO_LINK),
    (lambda seen: True, State.IDLE),
)
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def state_of(seen: Seen) -> State:
    """Name the state of a station."""
    return next(state for holds, state in _STATES if holds(seen))


@dataclass(slots=True)
class Shown:
    """What was told last; and where the next cue was found, for looking into the schedule is not for every event."""

    settings: StationSettings
    display: Display | None = None
    looked: tuple[object, ...] = ()
    coming: Coming | None = None

    def follow(
        self, seen: Seen, desk: Desk, programmes: Programmes, faults: Iterable[Fault], now: Instant
    ) -> Display | None:
        """Tell what is to be shown from now on; None when that is what is shown already, or nobody sees it."""
        if not self.settings.display:
            return None
        display = self._display(seen, desk, programmes, sorted(faults, key=_worst), now)
        if display == self.display:
            return None
        self.display = display
        return display

    def _display(self, seen: Seen, desk: Desk, programmes: Programmes, faults: list[Fault], now: Instant) -> Display:
        state, holder = state_of(seen), desk.on_air
        if state is State.ALERT:
            headline = next((one.cue.title for one in desk.cues.unended() if one.warning is not None), None)
            return Display(state, now.trusted, headline)
        title = holder.cue.title if holder is not None and state is State.ON_AIR else None
        coming = self._coming(desk, programmes, now) if now.trusted else None
        worst = faults[0] if faults else None
        return Display(state, now.trusted, title, coming, worst, len(faults))

    def _coming(self, desk: Desk, programmes: Programmes, now: Instant) -> Coming | None:
        waiting = tuple(desk.cues.waiting)
        looked = (programmes.changes, waiting, None if desk.on_air is None else desk.on_air.cue.occurrence)
        if looked != self.looked:
            self.looked = looked
            first = next(iter(desk.next_cues(programmes, now)), None)
            self.coming = None if first is None else Coming(first.planned_ms, first.title)
        return self.coming


def _worst(fault: Fault) -> tuple[int, int, str]:
    return (_ORDER[fault.severity], fault.raised_ms, fault.id)
