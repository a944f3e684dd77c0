"""Which relay belongs to which pole: a person heard where each one sounded, and the pins are put right.

The relay of a zone was closed, and another zone's pole sounded: its pin is that other zone's. What a relay needs goes
with its pin, so ``active_high`` moves along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ttcs_edge.cli.station_page import Value


class Relay(Struct, frozen=True):
    """A zone's relay on a GPIO line."""

    pin: int
    active_high: bool


class Doubt(Exception):
    """The answers do not tell one relay for every pole: by ``twice`` two sounded or more, by ``never`` none did.

    Both hold places in the list of zones, from 0. A person listens again before anything is changed.
    """

    def __init__(self, twice: tuple[int, ...], never: tuple[int, ...]) -> None:
        super().__init__(twice, never)
        self.twice = twice
        self.never = never


def put_right(relays: Sequence[Relay], sounded: Sequence[int]) -> Mapping[str, Value]:
    """Give what to change in a page: ``sounded[n]`` is the zone whose pole was heard when relay ``n`` closed.

    Zones count from 0 here, and from 1 in the keys of the page. Nothing is to be changed when all sounded as they are
    written. Raises Doubt.
    """
    if len(relays) != len(sounded) or not all(0 <= zone < len(relays) for zone in sounded):
        raise ValueError("an answer for every relay, each naming one of the zones")
    twice = tuple(zone for zone in range(len(relays)) if sounded.count(zone) > 1)
    never = tuple(zone for zone in range(len(relays)) if zone not in sounded)
    if twice or never:
        raise Doubt(twice, never)
    changes: dict[str, Value] = {}
    for closed, heard in enumerate(sounded):
        right, written = relays[closed], relays[heard]
        if right.pin != written.pin:
            changes[f"zones[{heard + 1}].pin"] = right.pin
        if right.active_high != written.active_high:
            changes[f"zones[{heard + 1}].active_high"] = right.active_high
    return changes
