"""The pilot tone of a self-test (``self_test``): how loud and how long it must be for a witness to judge a zone by it.

It goes up and down every two seconds, for lines are judged by how the power follows the sound (decision 41).
"""

from __future__ import annotations

from collections.abc import Collection
from math import ceil, sqrt

from ttcs_edge.core.model import START_MARGIN_MS, StationSettings, Zone, ZoneId

SEEN_MS = 15_500
"""When a zone that is as it should be is let go: the longest span of any witness, and until it is in its readings."""
JUDGED_MS = 30_000
"""How long a zone must sound for the energy meter to tell a broken line: two spans, and what comes before and between.
"""
TURN_MS = 4_000
"""How long the pilot is until it begins anew: a zone sounds for a whole number of them."""
SWING = 0.35
"""By how much, of its full level, the pilot goes up and down at a meter that tells the mean of a second, at least."""


def loud_percent(share: float) -> int:
    """The volume at which a sound has a share of its full level: the level goes with the square of a volume, as the ear
    does (``player.writer``).
    """
    return ceil(100 * sqrt(share))


def takes_ms(settings: StationSettings, seen: Collection[ZoneId]) -> int:
    """How long a self-test takes until it has told that the last of its zones is broken, all others being as they
    should be; ``seen`` are the zones of which a witness tells so: the others sound to their end.
    """
    test = settings.self_test
    assert test is not None
    whole_ms = -(-test.tone_ms // TURN_MS) * TURN_MS
    healthy_ms = {zone.id: min(SEEN_MS, whole_ms) if zone.id in seen else whole_ms for zone in settings.zones}
    broken_ms = max((min(JUDGED_MS, whole_ms) - healthy_ms[zone] for zone in seen), default=0)
    sound_ms = sum(healthy_ms.values()) + broken_ms
    switching_ms = sum(_switching_ms(zone, settings) for zone in settings.zones)
    return settings.amplifier.warm_up_ms + START_MARGIN_MS + sound_ms + switching_ms


def _switching_ms(zone: Zone, settings: StationSettings) -> int:
    """From the sound of the zone before to that of this one."""
    return settings.fade_out_ms + 2 * settings.zone_stagger_ms + 2 * zone.switching_ms
