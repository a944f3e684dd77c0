"""What the station does without when there is little power: the steps of ``station.yaml``, and which are in force.

Everything that makes a step begin or end is here; what becomes of a cue then is told in ``reach``. Rules:

1. A dip is no loss: the mains are lost once they were away for as long as the config says, and there again once they
   were back for as long. So mains that flicker are one loss. What nobody can tell is not lost: a sensor that dies must
   not silence a village.
2. A step is in force once its condition has lasted for ``after_ms``. It ends when the mains are there again, when the
   battery has ``RISE_PERCENT`` more than it was to have less than, when the box is hot no longer.
3. While the mains are there a battery takes nothing away, however low it is: they feed the station, and charge it.
4. Steps in force add up: the lowest volume, the fewest zones, those zones that stay by every one.
5. What an earlier life told as lost is lost until somebody says how the mains are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import Struct

from ttcs_edge.core.events import ConditionChanged, SupplyTold
from ttcs_edge.core.model import Battery, Instant, Power, ShedStep, ShedWhen, StationSettings, ZoneId
from ttcs_edge.core.trust import utc_text

RISE_PERCENT = 5
"""How much more a battery must have for what began below a bound to be over: it recovers when its load is gone."""
LONG_AGO_MS = -(1 << 60)
MAINS, BATTERY = "mains", "battery"
MAINS_LOST, BATTERY_LOW, SUPPLY_SILENT = "mains-lost", "battery-low", "supply-silent"
FAULTS = frozenset({MAINS_LOST, BATTERY_LOW, SUPPLY_SILENT})


class Shed(Struct, frozen=True):
    """What is left of the air while power is saved, and which rules have it so."""

    volume_percent: int = 100
    zones: tuple[ZoneId, ...] | None = None
    zones_most: int | None = None
    alerts_only: bool = False
    because: tuple[ShedWhen, ...] = ()

    def keeps(self, zones: tuple[ZoneId, ...], order: Iterable[ZoneId]) -> tuple[ZoneId, ...]:
        """The zones that stay of those that a cue is for: the first in ``order``, where there may be fewer."""
        if self.zones is None and self.zones_most is None:
            return zones
        stay = [zone for zone in order if zone in zones and (self.zones is None or zone in self.zones)]
        kept = stay[: self.zones_most]
        return tuple(zone for zone in zones if zone in kept)


NOTHING_SHED = Shed()


class PowerState(Struct, frozen=True):
    """Mains and battery as they were told last, None where nobody does, and what is left of the air."""

    mains: bool | None
    battery: Battery | None
    shed: Shed


@dataclass(slots=True)
class Saving:
    """The supply as it was told last, and what is shed for it. ``lost_mono_ms`` is since when the mains are away, once
    they are lost; ``moved_mono_ms`` since when they are as they were told last.
    """

    settings: StationSettings
    shed: Shed = NOTHING_SHED
    mains: bool | None = None
    battery: Battery | None = None
    moved_mono_ms: int = 0
    lost_mono_ms: int | None = None
    low: bool = False
    since_mono_ms: list[int | None] = field(init=False)
    """Since when the condition of each step holds."""
    next_mono_ms: int | None = None

    def __post_init__(self) -> None:
        self.since_mono_ms = [None] * len(self._power.shed)

    @property
    def _power(self) -> Power:
        return self.settings.power or Power()

    def remember(self, faults: Iterable[tuple[str, str]], now: Instant) -> list[tuple[str, str]]:
        """Take over what an earlier life left open; gives those of the faults that nothing can ever clear: nobody tells
        of mains or battery any more.
        """
        own = [key for key in faults if key[0] in FAULTS]
        told = {MAINS: self._power.has_mains, BATTERY: self._power.has_battery}
        gone = [key for key in own if not told.get(key[1], False)]
        self.moved_mono_ms = now.mono_ms
        if (MAINS_LOST, MAINS) in own and (MAINS_LOST, MAINS) not in gone:
            self.lost_mono_ms = LONG_AGO_MS
        self.low = (BATTERY_LOW, BATTERY) in own and (BATTERY_LOW, BATTERY) not in gone
        return gone

    def take(self, event: SupplyTold, now: Instant) -> list[ConditionChanged]:
        """Mains or battery are another than before; gives what the battery is by that."""
        if (event.mains is False) != self._is_away:
            self.moved_mono_ms = now.mono_ms
        self.mains, self.battery = event.mains, event.battery
        if self.battery is None:
            return []
        bound = self._power.low_percent
        self.low = self.battery.percent < (bound + RISE_PERCENT if self.low else bound)
        return [ConditionChanged(BATTERY_LOW, BATTERY, self.low, (("percent", str(self.battery.percent)),))]

    @property
    def _is_away(self) -> bool:
        return self.mains is False

    def follow(self, hot: bool, now: Instant) -> list[ConditionChanged]:
        """See what is in force by now; gives whether the mains were lost just now, or are there again."""
        if self.settings.power is None:
            return []
        was_lost = self.lost_mono_ms is not None
        turns = [self._judge_mains(now)]
        found = [] if was_lost == (self.lost_mono_ms is not None) else [self._mains_found(now)]
        conditions = [self._holds(step, since_ms, hot) for step, since_ms in self._held()]
        self.since_mono_ms = [
            None if not holds else self._begun(step, since_ms, now)
            for (step, since_ms), holds in zip(self._held(), conditions, strict=True)
        ]
        begins = [(step, since_ms + step.after_ms) for step, since_ms in self._held() if since_ms is not None]
        turns += [begin_ms for _, begin_ms in begins if begin_ms > now.mono_ms]
        self.shed = _sum([step for step, begin_ms in begins if begin_ms <= now.mono_ms])
        self.next_mono_ms = min([ms for ms in turns if ms is not None], default=None)
        return found

    @property
    def wake_mono_ms(self) -> int | None:
        """When ``follow`` finds another state by time alone."""
        return self.next_mono_ms

    def state(self) -> PowerState | None:
        """What is told of all this; None where nothing of it is watched."""
        return None if self.settings.power is None else PowerState(self.mains, self.battery, self.shed)

    def _held(self) -> list[tuple[ShedStep, int | None]]:
        return list(zip(self._power.shed, self.since_mono_ms, strict=True))

    def _judge_mains(self, now: Instant) -> int | None:
        """Rule 1; gives when the mains will be lost, or there again, if they stay as they are."""
        is_lost = self.lost_mono_ms is not None
        if self._is_away == is_lost:
            return None
        power = self._power
        turns_mono_ms = self.moved_mono_ms + (power.back_after_ms if is_lost else power.lost_after_ms)
        if now.mono_ms < turns_mono_ms:
            return turns_mono_ms
        self.lost_mono_ms = None if is_lost else self.moved_mono_ms
        return None

    def _mains_found(self, now: Instant) -> ConditionChanged:
        if self.lost_mono_ms is None:
            return ConditionChanged(MAINS_LOST, MAINS, False)
        since = utc_text(now.wall_ms - (now.mono_ms - self.lost_mono_ms))
        return ConditionChanged(MAINS_LOST, MAINS, True, (("since", since),))

    def _holds(self, step: ShedStep, since_ms: int | None, hot: bool) -> bool:
        """Tell whether a step's condition holds, by rules 2 and 3."""
        if step.when is ShedWhen.MAINS_LOST:
            return self.lost_mono_ms is not None
        if step.when is ShedWhen.BOX_HOT:
            return hot
        mains_there = self.mains is not None and self.lost_mono_ms is None
        if self.battery is None or mains_there:
            return False
        rise = 0 if since_ms is None else RISE_PERCENT
        return self.battery.percent < min(step.below_percent + rise, 100)

    def _begun(self, step: ShedStep, since_ms: int | None, now: Instant) -> int:
        if step.when is ShedWhen.MAINS_LOST:
            assert self.lost_mono_ms is not None
            return self.lost_mono_ms
        return now.mono_ms if since_ms is None else since_ms


def _sum(steps: list[ShedStep]) -> Shed:
    """Rule 4."""
    if not steps:
        return NOTHING_SHED
    named = [step.zones for step in steps if step.zones is not None]
    stay = tuple(zone for zone in named[0] if all(zone in zones for zones in named)) if named else None
    return Shed(
        volume_percent=min(step.volume_percent for step in steps),
        zones=stay,
        zones_most=min((step.zones_most for step in steps if step.zones_most is not None), default=None),
        alerts_only=any(step.alerts_only for step in steps),
        because=tuple(dict.fromkeys(step.when for step in steps)),
    )
