"""Mains and battery in a life: they come and go at any time, flicker, drain and charge; and what is to be shed by them.

``Supply`` is physics, and beside it the world's own book of what was told in this life and what follows of it, made
after the words of ``station.yaml``, not after the core.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tests.simulation.shell import Violation
from tests.simulation.world import Rule
from ttcs_edge.core import effects, events
from ttcs_edge.core.model import (
    ALERT_PREFIX,
    COMMAND_PREFIX,
    MICROPHONE_PREFIX,
    Battery,
    Power,
    ShedStep,
    ShedWhen,
    StationSettings,
    ZoneId,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.simulation.world import World

STEPS = (
    ShedStep(ShedWhen.MAINS_LOST, after_ms=60_000, volume_percent=60),
    ShedStep(ShedWhen.BATTERY, below_percent=70, volume_percent=80, zones_most=1),
    ShedStep(ShedWhen.BATTERY, after_ms=5_000, below_percent=40, alerts_only=True),
)
POWER = Power(has_mains=True, has_battery=True, shed=STEPS)
AWAY_MS = (700, 3_000, 5_001, 40_000, 600_000, 7_200_000)
THERE_MS = (800, 20_000, 30_001, 900_000, 7_200_000)
TICK_MS = 300_000
TELLS_MS = (40, 300, 2_000)
DRAINS, PLAYS, CHARGES = 1, 6, 3
"""Percent in a tick: of a station that is silent, of one that sounds, and what a charger brings."""
NEVER_MS = -(1 << 60)
SPARED = (ALERT_PREFIX, MICROPHONE_PREFIX, COMMAND_PREFIX)


def supplied(settings: StationSettings) -> StationSettings:
    """A station with mains, a battery, and steps that save it."""
    return replace(settings, power=POWER)


class Supply:
    """Mains and battery of one world. They go on while the station is without power; it is told when it is up."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._dice = random.Random(seed)
        self.mains = True
        self.percent = 100
        self.mended = False
        self.told: tuple[bool | None, int | None] = (None, None)
        self.changed = 0
        self._away = False
        self.boot_book()

    # physics

    def boot(self) -> None:
        """A life begins: it is told soon, and from then on whatever changes."""
        self.boot_book()
        self._world.later(self._dice.choice(TELLS_MS), self._tell)
        self._world.later(self._dice.choice(AWAY_MS), self._flip)
        self._world.later(TICK_MS, self._tick)

    def mend(self) -> None:
        """The mains come, and stay."""
        self.mended, self.mains, self.percent = True, True, 100
        self._tell()

    def go_dark(self) -> None:
        """A storm takes the mains, and the battery is as good as empty."""
        self.mains, self.percent = False, 10
        self._tell()

    def _flip(self) -> None:
        if self.mended:
            return
        self.mains = not self.mains
        self._tell()
        self._world.later(self._dice.choice(THERE_MS if self.mains else AWAY_MS), self._flip)

    def _tick(self) -> None:
        load = PLAYS if self._world.sound is not None else DRAINS
        self.percent = max(5, min(100, self.percent + (CHARGES if self.mains else -4 * load)))
        self._tell()
        self._world.later(TICK_MS, self._tick)

    def _tell(self) -> None:
        silent = not self.mended and self._dice.random() < 0.03
        now = (None, None) if silent else (self.mains, self.percent)
        if now == self.told or not self._world.powered:
            return
        self.look()
        self.told = now
        self.changed += 1
        away = now[0] is False
        if away != self._away:
            self._away, self._moved_ms = away, self._world.mono_ms
        self._judge_battery()
        battery = None if now[1] is None else Battery(now[1])
        self._world.send(events.SupplyTold(now[0], battery))

    # the book

    def boot_book(self) -> None:
        """Nobody has told this life anything; what the card has as lost is lost."""
        world = self._world
        self.told = (None, None)
        self._away, self._moved_ms = False, world.mono_ms
        was_lost = any(fault.code == "mains-lost" for fault in world.disk.faults.values())
        self._lost_ms = NEVER_MS if was_lost else None
        self._low_ms: dict[int, int] = {}

    def look(self) -> None:
        """It is later: what follows of that alone."""
        if self._away != (self._lost_ms is not None):
            bound_ms = POWER.lost_after_ms if self._away else POWER.back_after_ms
            if self._world.mono_ms >= self._moved_ms + bound_ms:
                self._lost_ms = self._moved_ms if self._away else None
                self._judge_battery()

    def _judge_battery(self) -> None:
        mains, percent = self.told
        counts = percent is not None and (mains is None or self._lost_ms is not None)
        for number, step in enumerate(STEPS):
            if step.when is not ShedWhen.BATTERY:
                continue
            over = step.below_percent + 5 if number in self._low_ms else step.below_percent
            if not counts or percent is None or percent >= over:
                self._low_ms.pop(number, None)
            else:
                self._low_ms.setdefault(number, self._world.mono_ms)

    def in_force(self) -> tuple[ShedStep, ...]:
        """The steps that are in force now."""
        self.look()
        since = {number: self._low_ms.get(number) for number, _ in enumerate(STEPS)}
        since[0] = self._lost_ms
        return tuple(
            step
            for number, step in enumerate(STEPS)
            if (since_ms := since[number]) is not None and since_ms + step.after_ms <= self._world.mono_ms
        )


class Thrift(Rule):
    """What is shed is what the file says, no more and no less; it is told with the truth, and of alerts never."""

    def __init__(self) -> None:
        self.steps: tuple[tuple[ShedStep, ...], ...] = ((),)
        """In force before this event, and now."""

    def power_on(self, world: World) -> None:
        """A new life."""
        self.steps = ((),)
        if world.supply is not None:
            world.supply.boot_book()
            self.steps = (world.supply.in_force(),)

    def hears(self, world: World, event: events.Event) -> None:
        """What is in force from now on, and was until now."""
        if world.supply is not None:
            self.steps = (self.steps[-1], world.supply.in_force())

    def before(self, world: World, effect: effects.Effect) -> None:
        """What was left out is told beside where it was heard, of nothing that is spared."""
        for entry in effect.entries if isinstance(effect, effects.Record) else ():
            if isinstance(entry, effects.AsRunClosed) and (saved := entry.record.zones_saved):
                record = entry.record
                if record.occurrence.slot.startswith(SPARED) or set(saved) & set(record.zones) or len(record.zones) > 1:
                    raise Violation(f"shed: {record.occurrence} is told as heard in {record.zones} and not in {saved}")

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """The state that is told is what is so; what is below an alert is on its way out when it must be."""
        if world.supply is None:
            return
        now, state = self.steps[-1], world.station.saving.shed
        expected = {step.when for step in now}
        if set(state.because) != expected or state.alerts_only is not any(step.alerts_only for step in now):
            raise Violation(f"shed: {state}, and in force are {now}")
        sound = world.sound
        spared = sound is None or sound.warns or sound.speaks or sound.frozen_mono_ms is not None
        if not spared and sound is not None and sound.stop_at_mono_ms is None and state.alerts_only:
            raise Violation(f"shed: {sound.name} goes on, and power is left for alerts alone")

    def turned_down(self, loudest: Iterable[int]) -> set[int]:
        """What is left of how loud a slot may be."""
        percents = {min((step.volume_percent for step in steps), default=100) for steps in self.steps}
        return {loud * percent // 100 for loud in loudest for percent in percents}

    def zones_left(self, world: World, zones: list[ZoneId]) -> list[set[ZoneId]]:
        """The zones that stay of some, as it was before this event and is now."""
        order = [zone.id for zone in world.settings.zones if zone.id in zones]
        mosts = [min((step.zones_most for step in steps if step.zones_most), default=None) for steps in self.steps]
        return [set(order[:most]) for most in mosts]

    @property
    def alerts_only(self) -> bool:
        """Tell whether nothing below an alert may be heard."""
        return any(step.alerts_only for step in self.steps[-1])
