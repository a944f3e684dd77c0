"""What the lamps at the box show: one table a lamp, the first line that holds decides.

Who stands before a silent pole sees whether the station waits for the time, has an error to be looked up
(``ttcs-edge status``), or is well and simply has nothing to air; whether the centre can reach it; and whether it is on
the air, and with what. Every lamp has the same few patterns.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from msgspec import Struct


class Lamp(Enum):
    """Off; lit; blinking slowly; blinking fast."""

    OFF = "off"
    STEADY = "steady"
    SLOW = "slow"
    FAST = "fast"


class Place(Enum):
    """Which lamp: that of the whole station, of the link to the centre, of the air. Its value is its name in faults."""

    STATION = "panel"
    LINK = "panel-link"
    AIR = "panel-air"


class Seen(Struct, frozen=True):
    """What of a station the lamps tell. ``link_refused``: the broker says no, and somebody must mend that."""

    stopping: bool = False
    has_error: bool = False
    time_trusted: bool = True
    link_up: bool = False
    link_refused: bool = False
    on_air: bool = False
    warns: bool = False
    muted: bool = False


_Table = tuple[tuple[Callable[[Seen], bool], Lamp], ...]
_TABLES: dict[Place, _Table] = {
    Place.STATION: (
        (lambda seen: seen.stopping, Lamp.OFF),
        (lambda seen: seen.has_error, Lamp.FAST),
        (lambda seen: not seen.time_trusted, Lamp.SLOW),
        (lambda seen: True, Lamp.STEADY),
    ),
    Place.LINK: (
        (lambda seen: seen.stopping, Lamp.OFF),
        (lambda seen: seen.link_refused, Lamp.FAST),
        (lambda seen: not seen.link_up, Lamp.SLOW),
        (lambda seen: True, Lamp.STEADY),
    ),
    Place.AIR: (
        (lambda seen: seen.warns, Lamp.FAST),
        (lambda seen: seen.on_air, Lamp.STEADY),
        (lambda seen: seen.muted, Lamp.SLOW),
        (lambda seen: True, Lamp.OFF),
    ),
}


def shown(place: Place, seen: Seen) -> Lamp:
    """What a lamp shows of a station."""
    return next(lamp for holds, lamp in _TABLES[place] if holds(seen))
