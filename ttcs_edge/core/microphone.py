"""The key of the microphone: who holds it down has the air before everything but alerts (air-1), and only while it is
down.

It needs neither the time nor the link nor a programme (air-7). A key that was down when the station began, or is down
for longer than the config allows, is stuck: the air is handed back, a fault is there, and the key counts again once it
was let go.
"""

from __future__ import annotations

from dataclasses import dataclass

from ttcs_edge.core import events
from ttcs_edge.core.air import MICROPHONE
from ttcs_edge.core.asrun import Kind
from ttcs_edge.core.desk import Desk
from ttcs_edge.core.model import (
    MICROPHONE_PREFIX,
    AsRunReason,
    Cue,
    IfInterrupted,
    Instant,
    Microphone,
    Occurrence,
    StationSettings,
)

STUCK = "microphone-stuck"
TITLE = "Micrô / Microphone"


@dataclass(slots=True)
class Key:
    """The key, and what was said while it was down."""

    settings: StationSettings
    boot: int
    desk: Desk
    was_up: bool = False
    down_since_mono_ms: int | None = None
    is_stuck: bool = False
    talks: int = 0

    def changed(self, event: events.KeyChanged, now: Instant) -> None:
        """The key went down: its talk begins; or up: it is over."""
        microphone = self.settings.microphone
        if not event.down:
            self.was_up, self.down_since_mono_ms, self.is_stuck = True, None, False
            self.desk.endings.end_talk(AsRunReason.LET_GO, now)
        elif microphone is not None and self.down_since_mono_ms is None:
            self.down_since_mono_ms, self.is_stuck = now.mono_ms, not self.was_up
            if not self.is_stuck:
                self.desk.cues.take(self._cue(microphone, now), Kind.TALK, now)

    def watch(self, now: Instant) -> None:
        """Hand the air back when the key is down for too long."""
        until_ms = self._until_mono_ms
        if until_ms is not None and now.mono_ms >= until_ms:
            self.is_stuck = True
            self.desk.endings.end_talk(AsRunReason.TIME_LIMIT, now)

    @property
    def is_known(self) -> bool:
        """Tell whether anybody has said how the key is, where there is one: until then a fault of before stands."""
        return self.settings.microphone is None or self.was_up or self.down_since_mono_ms is not None

    @property
    def wake_mono_ms(self) -> int | None:
        """When ``watch`` has something to do by time alone."""
        return self._until_mono_ms

    @property
    def _until_mono_ms(self) -> int | None:
        microphone = self.settings.microphone
        if microphone is None or self.down_since_mono_ms is None or self.is_stuck:
            return None
        return self.down_since_mono_ms + microphone.inlet.most_ms

    def _cue(self, microphone: Microphone, now: Instant) -> Cue:
        self.talks += 1
        return Cue(
            occurrence=Occurrence(self.settings.scope, f"{MICROPHONE_PREFIX}key", f"{self.boot}-{self.talks}"),
            title=TITLE,
            planned_ms=now.wall_ms,
            late_until_ms=now.wall_ms,
            priority=(MICROPHONE,),
            zones=microphone.zones,
            bulletins=(),
            items=(),
            volume_percent=microphone.volume_percent,
            if_interrupted=IfInterrupted.RESUME,
            programme_version=self.boot,
            slot_percent=microphone.volume_percent,
            inlet=microphone.inlet,
        )
