"""The off-air monitor in a life: it hears what is played, or for a while a stranger, and at times nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ttcs_edge.core import effects, events
from ttcs_edge.core.model import OffAirReading, StationSettings

if TYPE_CHECKING:
    from tests.simulation.world import World

LOUD_DBFS = -20.0
EVERY_MS, IDLE_MS = 1_000, 120_000
FAILS, STRANGER = 0.02, 0.05
STAYS_MS = (2_000, 10_000, 40_000)
RECORDED_MS = (50, 300, 4_000)
"""The last is a card that takes longer than a fault waits."""


def monitored(settings: StationSettings) -> StationSettings:
    """A station with a monitor."""
    return replace(settings, loud_dbfs=LOUD_DBFS)


class OffAirMonitor:
    """The monitor of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stranger_until_ms = 0
        self.strangers = 0

    def boot(self) -> None:
        """The machine starts, and its monitor with it."""
        self._world.later(EVERY_MS, self._tick)

    def asked(self, effect: effects.KeepRecording) -> None:
        """The station wants a recording."""
        kept = events.RecordingKept(effect.name, f"{effect.name}.wav", "ab" * 32)
        self._world.later(self._world.random.choice(RECORDED_MS), lambda: self._world.send(kept))

    def _tick(self) -> None:
        world, sound = self._world, self._world.sound
        sounds_ms = 0 if sound is None else max(0, world.mono_ms - sound.begin_mono_ms)
        if world.random.random() < FAILS:
            world.send(events.MonitorFailed("died"))
        elif world.mono_ms < self._stranger_until_ms or sounds_ms or world.random.random() < STRANGER:
            self._hear(sounds_ms)
        often = sounds_ms or world.mono_ms < self._stranger_until_ms
        world.later(EVERY_MS if often else IDLE_MS, self._tick)

    def _hear(self, sounds_ms: int) -> None:
        world = self._world
        if not sounds_ms and world.mono_ms >= self._stranger_until_ms:
            self._stranger_until_ms = world.mono_ms + world.random.choice(STAYS_MS)
            self.strangers += 1
        if sounds_ms:
            reading = OffAirReading(sounds_ms, -16.0, -20.0, -60.0, 0.9, 150, -180.3, 0.0, 0.0, 0.0)
        else:
            reading = OffAirReading(0, -180.3, -19.0, -70.0, None, 150, -18.0, 0.6, 6.0, 0.0)
        world.send(events.OffAirHeard(reading))
