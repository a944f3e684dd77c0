"""Supplies that do not bear all zones at once, and an amplifier that may be on the air for so much of any span: the
books of what hangs on what, and of what was spent.
"""

from __future__ import annotations

from collections import deque

from msgspec.structs import replace

from tests.simulation.shell import Violation
from tests.simulation.world import HUNG_AFTER_MS, Rule, Sound, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.model import StationSettings, Supply

NAME = "nguon"
SPAN_MS = 600_000
SLACK_MS = 2_500
"""How much longer what is on the air may go on: what a sound has beside its length, and a moment to see it."""


def fed(settings: StationSettings, zones_most: int) -> StationSettings:
    """A station whose zones hang on one supply."""
    zones = tuple(replace(zone, supply=NAME) for zone in settings.zones)
    return replace(settings, zones=zones, supplies=(Supply(NAME, zones_most),))


def resting(settings: StationSettings, most_ms: int) -> StationSettings:
    """A station whose amplifier bears so much of ten minutes."""
    return replace(settings, amplifier=replace(settings.amplifier, duty_most_ms=most_ms, duty_span_ms=SPAN_MS))


class Borne(Rule):
    """Never are more zones closed on a supply than it bears; a relay that does not do as told is nobody's choice."""

    def __init__(self) -> None:
        self.stuck: set[str] = set()
        """The relays that were told something since they last did as told."""

    def power_on(self, world: World) -> None:
        """All are open."""
        self.stuck = set()

    def hears(self, world: World, event: events.Event) -> None:
        """A relay does as told again."""
        if isinstance(event, events.RelaySwitched):
            self.stuck.discard(event.subject)

    def before(self, world: World, effect: effects.Effect) -> None:
        """One is told that cannot."""
        if isinstance(effect, effects.SwitchZone) and effect.zone in world.faults.relays:
            self.stuck.add(effect.zone)

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Count what is closed."""
        for supply in world.settings.supplies:
            on_it = {zone.id for zone in world.settings.zones if zone.supply == supply.id}
            closed = (set(world.closed) & on_it) - world.faults.relays - self.stuck
            if supply.zones_most is not None and len(closed) > supply.zones_most:
                raise Violation(f"never-3: {sorted(closed)} are closed together, and {supply.id} bears less")


class Spent(Rule):
    """What is on the air for longer than the amplifier bears is an alert, or who speaks, or on its way out."""

    def __init__(self) -> None:
        self.spans: deque[tuple[int, int]] = deque()

    def power_on(self, world: World) -> None:
        """What was spent in an earlier life is not known."""
        self.spans.clear()

    def silent(self, world: World, sound: Sound, written_ms: tuple[int, ...]) -> None:
        """A sound is over."""
        if world.settings.amplifier.duty_most_ms is not None and sound.begin_mono_ms < world.mono_ms:
            self.spans.append((sound.begin_mono_ms, world.mono_ms))

    def used_ms(self, world: World, until_mono_ms: int) -> int:
        """What was spent of the span that ends then, of what has sounded so far."""
        begin_ms = until_mono_ms - world.settings.amplifier.duty_span_ms
        sound = world.sound
        sounds = [] if sound is None else [(sound.begin_mono_ms, world.mono_ms)]
        return sum(max(0, min(end, until_mono_ms) - max(begin, begin_ms)) for begin, end in [*self.spans, *sounds])

    def keeps(self, world: World, length_ms: int, at_mono_ms: int | None = None) -> bool:
        """Tell whether a sound of this length may have to wait, now or at an instant that is past."""
        most_ms = world.settings.amplifier.duty_most_ms
        if most_ms is None:
            return False
        begin_ms = world.mono_ms if at_mono_ms is None else at_mono_ms
        length_ms = min(length_ms, most_ms)
        return self.used_ms(world, begin_ms + length_ms) + length_ms + SLACK_MS > most_ms

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Look at what sounds."""
        sound, most_ms = world.sound, world.settings.amplifier.duty_most_ms
        while self.spans and self.spans[0][1] < world.mono_ms - 4 * SPAN_MS:
            self.spans.popleft()
        if sound is None or most_ms is None or sound.warns or sound.speaks or sound.stop_at_mono_ms is not None:
            return
        if sound.begin_mono_ms >= world.mono_ms or sound.frozen_mono_ms is not None:
            return
        late_ms = HUNG_AFTER_MS if world.player_hung else 0
        if self.used_ms(world, world.mono_ms) > most_ms + SLACK_MS + late_ms:
            raise Violation(f"never-3: {sound.name} goes on, and the amplifier has had its {most_ms} ms")
