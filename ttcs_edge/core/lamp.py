"""What the lamp at the box shows: one table, the first line that holds decides.

Who stands before a silent pole sees whether the station waits for the time, has an error to be looked up
(``ttcs-edge status``), or is well and simply has nothing to air.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from msgspec import Struct

from ttcs_edge.core.model import Fault, Severity


class Lamp(Enum):
    """Off; lit; blinking slowly; blinking fast."""

    OFF = "off"
    STEADY = "steady"
    SLOW = "slow"
    FAST = "fast"


class Seen(Struct, frozen=True):
    """What of a station the lamp tells."""

    stopping: bool
    has_error: bool
    time_trusted: bool


_TABLE: tuple[tuple[Callable[[Seen], bool], Lamp], ...] = (
    (lambda seen: seen.stopping, Lamp.OFF),
    (lambda seen: seen.has_error, Lamp.FAST),
    (lambda seen: not seen.time_trusted, Lamp.SLOW),
    (lambda seen: True, Lamp.STEADY),
)


def shown(stopping: bool, faults: Iterable[Fault], time_trusted: bool) -> Lamp:
    """What the lamp shows of a station with these faults."""
    has_error = any(fault.severity is Severity.ERROR for fault in faults)
    seen = Seen(stopping, has_error, time_trusted)
    return next(lamp for holds, lamp in _TABLE if holds(seen))
