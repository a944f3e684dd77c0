"""The energy meter in a life: it answers when it is asked, or not, and shows what relays and sound draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ttcs_edge.core import events
from ttcs_edge.core.model import Meter, MeterReading, StationSettings
from ttcs_edge.core.witness import DEAD, MAINS, OPEN, OVERLOAD, SHORT

if TYPE_CHECKING:
    from tests.simulation.world import World

IDLE_W, OTHERS_W, TONE_W, SOUND_W = 25.0, 8.0, 40.0, 22.0
"""``SOUND_W`` is what the level that every sound of a life has adds in one zone."""
ANSWERS_MS = (30, 60, 60, 250)
FAILS = 0.05
NEVER = {DEAD, OPEN, SHORT, OVERLOAD, MAINS}
"""What no life has a cause for: of the amplifier only its relay fails, and may leave it on."""


def metered(settings: StationSettings) -> StationSettings:
    """A station with a meter, all of whose zones were measured."""
    zones = tuple(replace(zone, tone_w=TONE_W) for zone in settings.zones)
    return replace(settings, zones=zones, meter=Meter(IDLE_W, 1_000, OTHERS_W))


class EnergyMeter:
    """The meter of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def asked(self) -> None:
        """The station wants to know."""
        self._world.later(self._world.random.choice(ANSWERS_MS), self._answer)

    def _answer(self) -> None:
        world = self._world
        if world.random.random() < FAILS:
            world.send(events.MeterFailed("does not answer"))
            return
        watts = OTHERS_W
        if world.amplifier_on_ms is not None:
            watts += IDLE_W
            if world.sound is not None and world.sound.begin_mono_ms <= world.mono_ms:
                watts += SOUND_W * len(world.closed)
        world.send(events.MeterRead(MeterReading(220.0, watts / 220, watts, 1)))
