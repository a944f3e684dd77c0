"""The box: how warm it is in it, its fan, its door.

1. It is hot from ``hot_c`` on until it is ``COOLER_C`` below, and cold the other way round.
2. The fan runs from ``on_c`` on until it is down to ``off_c``; and while the thermometer says nothing: nobody knows.
3. A door that is opened is told at once. One that comes and goes is told a few times, and then stays (``supervision``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import Struct

from ttcs_edge.core.effects import SwitchFan
from ttcs_edge.core.events import BoxTold, ConditionChanged
from ttcs_edge.core.model import Box, StationSettings

COOLER_C = 5.0
BOX = "box"
DOOR_OPEN, HOT, COLD, THERMOMETER_SILENT = "door-open", "box-hot", "box-cold", "thermometer-silent"
CONTACT, FAN_FAILED = "box-contact", "fan"
TOLD_ANEW = frozenset({CONTACT, FAN_FAILED})
"""What is told again soon where it is still so."""


class BoxState(Struct, frozen=True):
    """The box as it was told last; None where nobody tells."""

    celsius: float | None
    fan_on: bool | None
    door_open: bool | None


@dataclass(slots=True)
class BoxWatch:
    """The box as it was told last."""

    settings: StationSettings
    celsius: float | None = None
    door_is_open: bool | None = None
    hot: bool = False
    cold: bool = False
    fan_on: bool = False

    @property
    def _box(self) -> Box:
        return self.settings.box or Box()

    def remember(self, faults: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Take over what an earlier life left open; gives those of the faults that nobody watches for any more, or that
        come again if they are still there.
        """
        watched = {
            DOOR_OPEN: self._box.has_door,
            HOT: self._box.hot_c is not None,
            COLD: self._box.cold_c is not None,
            THERMOMETER_SILENT: self._box.has_thermometer,
        }
        own = [key for key in faults if key[0] in watched or key[0] in TOLD_ANEW]
        left = {code for code, _ in own if watched.get(code, False)}
        self.hot, self.cold = HOT in left, COLD in left
        return [key for key in own if key[0] not in left]

    def take(self, event: BoxTold) -> tuple[list[ConditionChanged], list[SwitchFan]]:
        """It is warmer or colder than before; gives what begins or ends by that, and what the fan does."""
        self.celsius = event.celsius
        return self._found(), self._blow()

    def state(self) -> BoxState | None:
        """What is told of it; None where nothing is watched."""
        if self.settings.box is None:
            return None
        return BoxState(self.celsius, None if self._box.fan is None else self.fan_on, self.door_is_open)

    def _found(self) -> list[ConditionChanged]:
        box, celsius = self._box, self.celsius
        if celsius is None:
            return []
        detail = (("celsius", f"{celsius:.0f}"),)
        found = []
        if box.hot_c is not None:
            self.hot = celsius >= (box.hot_c - COOLER_C if self.hot else box.hot_c)
            found.append(ConditionChanged(HOT, BOX, self.hot, detail))
        if box.cold_c is not None:
            self.cold = celsius <= (box.cold_c + COOLER_C if self.cold else box.cold_c)
            found.append(ConditionChanged(COLD, BOX, self.cold, detail))
        return found

    def _blow(self) -> list[SwitchFan]:
        fan = self._box.fan
        if fan is None:
            return []
        on = self.celsius is None or self.celsius >= fan.on_c or (self.fan_on and self.celsius > fan.off_c)
        if on == self.fan_on:
            return []
        self.fan_on = on
        return [SwitchFan(on)]
