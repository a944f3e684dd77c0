"""Which zones may be closed together: a supply bears so many of them at once, or so many watts of them.

What is for more zones than that is heard in turns: the same sound once more for those that were not in the first one.
Zones are taken in their order, each into the first turn that has room for it, so that who is together with whom is the
same every time. A zone without a supply is always in the first. What is said just now cannot be said twice: of a live
relay those hear it that are in the first turn.
"""

from __future__ import annotations

from collections.abc import Iterable

from ttcs_edge.core.model import StationSettings, Supply, Zone, ZoneId

LEFT_OUT = "zones-left-out"
"""What is told of a live relay that not all of its zones hear."""


def together(zones: Iterable[ZoneId], settings: StationSettings) -> tuple[ZoneId, ...]:
    """Give those of some zones that are in the first turn."""
    if not settings.supplies:
        return tuple(zones)
    known = {zone.id: zone for zone in settings.zones}
    room = {supply.id: supply for supply in settings.supplies}
    taken = []
    for zone in (known[name] for name in zones):
        if zone.supply is not None:
            left = _left(room[zone.supply], zone)
            if left is None:
                continue
            room[zone.supply] = left
        taken.append(zone.id)
    return tuple(taken)


def turns(zones: Iterable[ZoneId], settings: StationSettings) -> list[tuple[ZoneId, ...]]:
    """Give all turns of some zones; of none, one of none: what is for nobody here is told so. Each zone alone is borne
    by its supply: the config is refused otherwise.
    """
    left, found = tuple(zones), []
    while left:
        turn = together(left, settings)
        assert turn, f"no supply bears any of {left}"
        found.append(turn)
        left = tuple(zone for zone in left if zone not in turn)
    return found or [()]


def _left(supply: Supply, zone: Zone) -> Supply | None:
    """What a supply bears beside a zone; None when it does not bear that."""
    zones = None if supply.zones_most is None else supply.zones_most - 1
    load_w = None if supply.load_most_w is None else supply.load_most_w - zone.load_w
    bears = (zones is None or zones >= 0) and (load_w is None or load_w >= 0)
    return Supply(supply.id, zones, load_w) if bears else None
