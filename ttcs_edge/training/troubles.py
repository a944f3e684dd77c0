"""What a trainer may break, each with what hangs on it, and what of it is to be mended.

A trouble is a row: what breaks it, what mends it, and the part that must be named. Who finds it out hears no more than
what somebody would say on the telephone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from ttcs_edge.core.model import ZoneId
from ttcs_edge.training.school import ZONES, School
from ttcs_edge.training.voices import ENGLISH, Sound, of_db, speech

STRANGER_RMS_DB: Final = -20.0
Deed = Callable[[School, ZoneId], object]


class Trouble(Struct, frozen=True):
    """``part`` names what is to be mended: with ``{zone}`` in it, that of the zone where it is."""

    part: str
    breaks: Deed
    mends: Deed


def _dies(school: School, dead: bool) -> None:
    school.pole.dead = school.air.cut = dead


def _send(school: School, samples: Sound | None) -> None:
    school.air.foreign = samples


TROUBLES: Final[Mapping[str, Trouble]] = {
    "line-cut": Trouble(
        "line-{zone}",
        lambda school, zone: school.pole.cut.add(zone),
        lambda school, zone: school.pole.cut.discard(zone),
    ),
    "line-shorted": Trouble(
        "line-{zone}",
        lambda school, zone: school.pole.shorted.add(zone),
        lambda school, zone: school.pole.shorted.discard(zone),
    ),
    "amplifier-dead": Trouble(
        "amplifier", lambda school, zone: _dies(school, True), lambda school, zone: _dies(school, False)
    ),
    "no-link": Trouble("link", lambda school, zone: school.unplug(), lambda school, zone: school.plug_in()),
    "hijack": Trouble(
        "receiver",
        lambda school, zone: _send(school, of_db(speech(ENGLISH, "en"), STRANGER_RMS_DB)),
        lambda school, zone: _send(school, None),
    ),
    "flood": Trouble("nothing", lambda school, zone: school.warn(), lambda school, zone: None),
}
"""In the order of the trainer's menu."""
PARTS: Final = (*(f"line-{zone}" for zone in ZONES), "amplifier", "link", "receiver", "nothing")
"""What a trainee may say that he mends."""


def part_of(name: str, zone: str) -> str:
    """What is to be mended of a trouble in a zone."""
    return TROUBLES[name].part.format(zone=zone)
