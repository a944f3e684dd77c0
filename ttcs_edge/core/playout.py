"""The one machine for amplifier, zones and sound. Everything that switches or sounds is decided here.

It is told what is *wanted* (a cue's zones and sound, or nothing) and what really *is* (the shell's answers), and gives
the next steps. Rules, in the order in which ``step`` asks them:

1. Sound that is not the wanted one is faded out first; until it has ended nothing switches (air-4, never-3).
2. Until each relay has said that it did as told, nothing else switches and nothing sounds: one may be far away, on a
   serial line. One that says nothing for too long has failed.
3. A relay that did not do as told is told to open again, until it does not complain.
4. With nothing wanted: zones open one by one, then the amplifier goes off, its hold time after the last sound; but not
   when the next cue is so near that it would have to go on again at once.
   Each relay stays as it was told for its least time.
5. With something wanted: amplifier on, warm-up, superfluous zones opened and wanted ones closed one by one, sound. For
   an alert so many close together as the supply bears. What sounds is as loud as is wanted now; what comes by the mixer
   knows no volume.

A relay that failed is left out of what is wanted until it has been told to open again, or another cue is on its way
up; then it is tried anew. It leaves out who has the air (``air``) and what the log says of it (``asrun``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from ttcs_edge.core.effects import (
    Effect,
    SetVolume,
    StartInput,
    StartLive,
    StartSound,
    StartStream,
    StopSound,
    SwitchAmplifier,
    SwitchMixer,
    SwitchZone,
)
from ttcs_edge.core.model import (
    AMPLIFIER,
    MICROPHONE,
    START_MARGIN_MS,
    AudioItem,
    MonoMs,
    StationSettings,
    Way,
    ZoneId,
)

ANSWER_MOST_MS = 5_000
"""How much longer than it takes to switch a relay may be silent: its driver gives up long before."""
OPEN_AGAIN_MS = 2_000
"""How long after a relay failed it is told to open again; each further failure doubles it."""
OPEN_AGAIN_MOST_MS = 300_000
"""A relay that is broken for good must not wear itself and the log out."""


INPUT_FADE_IN_MS = 20
"""A person who speaks does not wait for a fade: without a click is enough."""


class Wanted(Struct, frozen=True):
    """What is to sound: ``play`` is its identity; ``start_mono_ms`` the instant of its first sample. Its zones are
    closed so many at once, one by one as a rule. What is made while it airs comes by its ``way``, from now on; a stream
    has its number.
    """

    play: int
    zones: tuple[ZoneId, ...]
    items: tuple[AudioItem, ...]
    from_ms: int
    start_mono_ms: int
    volume_percent: int
    zones_at_once: int = 1
    way: Way | None = None
    stream: int = 0


@dataclass(slots=True)
class Playout:
    """Amplifier, zones and sound as they are known to be, and the steps from here to what is wanted."""

    settings: StationSettings
    fade_out_ms: int = field(init=False)
    amplifier_on_mono_ms: int | None = None
    closed: list[ZoneId] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    sounding: int | None = None
    by: Way | None = None
    volume_percent: int = 0
    stopping: bool = False
    player: int | None = None
    last_switch_mono_ms: int | None = None
    last_sound_mono_ms: int = 0
    wake_mono_ms: int | None = None
    open_again_mono_ms: dict[str, int] = field(default_factory=dict)
    open_again_wait_ms: dict[str, int] = field(default_factory=dict)
    rests_mono_ms: dict[str, int] = field(default_factory=dict)
    """Until when a relay stays as it was told last."""
    switching_ms: dict[str, int] = field(init=False)
    """What a zone's switch takes to do as told, beside the stagger; of those that take any time."""

    def __post_init__(self) -> None:
        self.fade_out_ms = self.settings.fade_out_ms
        self.switching_ms = {zone.id: zone.switching_ms for zone in self.settings.zones if zone.switching_ms}

    def begin_cue(self, zones: tuple[ZoneId, ...]) -> None:
        """Another cue is on its way up: of what failed for the one before, what it needs is tried at once."""
        for subject in (AMPLIFIER, MICROPHONE, *zones):
            self.failed.discard(subject)
            self.open_again_wait_ms.pop(subject, None)

    @property
    def cold_lead_ms(self) -> int:
        """The longest way up: warm-up, every zone opened or closed, and the player's margin."""
        settings = self.settings
        switches_ms = 2 * len(settings.zones) * settings.zone_stagger_ms + 2 * sum(self.switching_ms.values())
        rest_ms = settings.amplifier.off_least_ms + settings.zone_on_least_ms + settings.zone_off_least_ms
        return rest_ms + settings.amplifier.warm_up_ms + switches_ms + START_MARGIN_MS

    def lead_ms(self, zones: tuple[ZoneId, ...], now_mono_ms: int) -> int:
        """Tell how long from here to sound in ``zones``: warm-up left, switches and the player's margin."""
        switched = set(zones) ^ set(self.closed)  # also those that failed before: they are tried again
        switches_ms = sum(self.settings.zone_stagger_ms + self.switching_ms.get(zone, 0) for zone in switched)
        needed = [AMPLIFIER, *switched] if self.amplifier_on_mono_ms is None else switched
        rest_ms = max([self.rests_mono_ms.get(subject, 0) - now_mono_ms for subject in needed], default=0)
        return max(0, rest_ms) + self._warm_up_left_ms(now_mono_ms) + switches_ms + START_MARGIN_MS

    def step(self, wanted: Wanted | None, needed_mono_ms: int | None, now_mono_ms: int) -> list[Effect]:
        """Give the next steps towards what is wanted and set ``wake_mono_ms`` to when to ask again.

        ``needed_mono_ms`` is when the next cue is to sound, while none is wanted yet.
        """
        self.wake_mono_ms = None
        if self.sounding is not None:
            return self._go_on(wanted)
        if self.told:
            return self._wake(min(self.told.values()))
        stuck = [subject for subject, at_ms in self.open_again_mono_ms.items() if now_mono_ms >= at_ms]
        if stuck:
            return self._open_again(stuck[0], now_mono_ms)
        if wanted is None or not self.can_reach(wanted.zones, wanted.way):
            return self._down(needed_mono_ms, now_mono_ms)
        return self._up(wanted, now_mono_ms)

    def sound_ended(self, play: int, now_mono_ms: int) -> None:
        """The shell says that a play is over and silent."""
        if play == self.sounding:
            self._silent(now_mono_ms)

    def player_gone(self, now_mono_ms: int) -> None:
        """The process that owned the sound is dead: nothing but the mixer's way can sound any more."""
        self.player = None
        if self.by is not Way.MIXER:
            self._silent(now_mono_ms)

    def _silent(self, now_mono_ms: int) -> None:
        if self.sounding is not None:
            self.last_sound_mono_ms = now_mono_ms
        self.sounding = self.by = None
        self.stopping = False

    def relay_switched(self, subject: str, now_mono_ms: int) -> None:
        """A relay says that it did as told. An amplifier warms up from now on."""
        if self.told.pop(subject, None) is not None and subject == AMPLIFIER and self.amplifier_on_mono_ms is not None:
            self.amplifier_on_mono_ms = now_mono_ms

    def speechless(self, now_mono_ms: int) -> list[str]:
        """The relays that should long have said what they did."""
        return [subject for subject, until_ms in self.told.items() if now_mono_ms >= until_ms]

    def relay_failed(self, subject: str, now_mono_ms: int) -> None:
        """A relay did not do as told: leave it out for a while, and tell it to open until it does."""
        self.told.pop(subject, None)
        self.failed.add(subject)
        wait_ms = min(2 * self.open_again_wait_ms.get(subject, OPEN_AGAIN_MS // 2), OPEN_AGAIN_MOST_MS)
        self.open_again_wait_ms[subject] = wait_ms
        self.open_again_mono_ms[subject] = now_mono_ms + wait_ms
        if subject == AMPLIFIER:
            self.amplifier_on_mono_ms = None
        elif subject in self.closed:
            self.closed.remove(ZoneId(subject))

    def can_reach(self, zones: tuple[ZoneId, ...], way: Way | None = None) -> bool:
        """Tell whether any of these zones can be heard: amplifier and at least one relay do as told, and so does that
        of the mixer where its way is needed.
        """
        needed = {AMPLIFIER, MICROPHONE} if way is Way.MIXER else {AMPLIFIER}
        return not needed & self.failed and bool(self._reachable(zones))

    @property
    def quiescent(self) -> bool:
        """Tell whether everything is silent, open and off."""
        return self.sounding is None and not self.closed and self.amplifier_on_mono_ms is None and not self.told

    def amplifier_state(self, now_mono_ms: int) -> str:
        """Name the amplifier's state: ``off``, ``warming`` or ``on``."""
        if self.amplifier_on_mono_ms is None:
            return "off"
        return "warming" if self._warm_up_left_ms(now_mono_ms) else "on"

    def _warm_up_left_ms(self, now_mono_ms: int) -> int:
        if self.amplifier_on_mono_ms is None:
            return self.settings.amplifier.warm_up_ms
        return max(0, self.amplifier_on_mono_ms + self.settings.amplifier.warm_up_ms - now_mono_ms)

    def _reachable(self, zones: tuple[ZoneId, ...]) -> tuple[ZoneId, ...]:
        return tuple(zone for zone in zones if zone not in self.failed)

    def _go_on(self, wanted: Wanted | None) -> list[Effect]:
        """What sounds is as loud as is wanted, or on its way out."""
        assert self.sounding is not None
        if self.stopping:
            return []
        if wanted is not None and wanted.play == self.sounding:
            return self._turn(wanted.volume_percent)
        self.stopping = True
        if self.by is Way.MIXER:
            return [SwitchMixer(self.sounding, False)]
        return [StopSound(self.sounding, self.fade_out_ms)]

    def _turn(self, volume_percent: int) -> list[Effect]:
        assert self.sounding is not None
        if self.by is Way.MIXER or volume_percent == self.volume_percent:
            return []
        self.volume_percent = volume_percent
        return [SetVolume(self.sounding, volume_percent)]

    def _open_again(self, subject: str, now_mono_ms: int) -> list[Effect]:
        next_ms = self._next_switch_mono_ms(now_mono_ms)
        if now_mono_ms < next_ms:
            return self._wake(next_ms)
        del self.open_again_mono_ms[subject]
        self.failed.discard(subject)
        self.last_switch_mono_ms = now_mono_ms
        return self._tell(subject, False, now_mono_ms)

    def _next_switch_mono_ms(self, now_mono_ms: int) -> int:
        if self.last_switch_mono_ms is None:
            return now_mono_ms
        return self.last_switch_mono_ms + self.settings.zone_stagger_ms

    def _down(self, needed_mono_ms: int | None, now_mono_ms: int) -> list[Effect]:
        if self.closed:
            return self._open(self.closed[-1], now_mono_ms)
        if self.amplifier_on_mono_ms is None:
            return []
        used_ms = max(self.last_sound_mono_ms, self.amplifier_on_mono_ms)
        off_at_ms = max(used_ms + self.settings.amplifier.hold_ms, self.rests_mono_ms.get(AMPLIFIER, 0))
        if now_mono_ms < off_at_ms:
            return self._wake(off_at_ms)
        soon = needed_mono_ms is not None and now_mono_ms <= needed_mono_ms <= now_mono_ms + self.cold_lead_ms
        return [] if soon else self._amplifier_off(now_mono_ms)

    def all_off(self, now_mono_ms: int) -> list[Effect]:
        """Go down without the hold time, as a stop asks, nor any rest. What fails now its driver opens again when it is
        closed.
        """
        self.wake_mono_ms = None
        self.open_again_mono_ms.clear()
        self.rests_mono_ms.clear()
        if self.sounding is not None:
            return self._go_on(None)
        if self.told:
            return self._wake(min(self.told.values()))
        if self.closed:
            return self._open(self.closed[-1], now_mono_ms)
        return self._amplifier_off(now_mono_ms) if self.amplifier_on_mono_ms is not None else []

    def _amplifier_off(self, now_mono_ms: int) -> list[Effect]:
        self.open_again_mono_ms.pop(AMPLIFIER, None)
        self.amplifier_on_mono_ms = None
        return self._tell(AMPLIFIER, False, now_mono_ms)

    def _tell(self, subject: str, closed: bool, now_mono_ms: int) -> list[Effect]:
        """Have a relay switch, and owe an answer of it."""
        if subject == MICROPHONE:
            return [SwitchMixer(0, closed)]  # answered by the end of its play
        self.told[subject] = now_mono_ms + ANSWER_MOST_MS + self.switching_ms.get(subject, 0)
        self.rests_mono_ms[subject] = now_mono_ms + self._least_ms(subject, closed)
        return [SwitchAmplifier(closed) if subject == AMPLIFIER else SwitchZone(ZoneId(subject), closed)]

    def _least_ms(self, subject: str, closed: bool) -> int:
        if subject == AMPLIFIER:
            amplifier = self.settings.amplifier
            return amplifier.on_least_ms if closed else amplifier.off_least_ms
        return self.settings.zone_on_least_ms if closed else self.settings.zone_off_least_ms

    def _up(self, wanted: Wanted, now_mono_ms: int) -> list[Effect]:
        if self.amplifier_on_mono_ms is None:
            return self._amplifier_on(now_mono_ms)
        if warm_up_left_ms := self._warm_up_left_ms(now_mono_ms):
            return self._wake(now_mono_ms + warm_up_left_ms)
        target = self._reachable(wanted.zones)
        for zone in reversed(self.closed):
            if zone not in target:
                return self._open(zone, now_mono_ms)
        open_ones = [zone for zone in target if zone not in self.closed]
        if open_ones:
            return self._close(open_ones[: wanted.zones_at_once], now_mono_ms)
        return self._start(wanted, now_mono_ms)

    def _amplifier_on(self, now_mono_ms: int) -> list[Effect]:
        if self.closed:
            return self._open(self.closed[-1], now_mono_ms)
        next_ms = max(self._next_switch_mono_ms(now_mono_ms), self.rests_mono_ms.get(AMPLIFIER, 0))
        if now_mono_ms < next_ms:
            return self._wake(next_ms)
        self.open_again_mono_ms.pop(AMPLIFIER, None)
        self.amplifier_on_mono_ms = now_mono_ms
        return self._tell(AMPLIFIER, True, now_mono_ms)

    def _start(self, wanted: Wanted, now_mono_ms: int) -> list[Effect]:
        hand_over_ms = max(wanted.start_mono_ms - START_MARGIN_MS, self._next_switch_mono_ms(now_mono_ms))
        if now_mono_ms < hand_over_ms:
            return self._wake(hand_over_ms)
        self.sounding, self.by, self.volume_percent = wanted.play, wanted.way, wanted.volume_percent
        self.stopping = False
        if wanted.way is Way.MIXER:
            self.open_again_mono_ms.pop(MICROPHONE, None)
            return [SwitchMixer(wanted.play, True)]
        assert self.player is not None, "a sound is wanted of no player"
        if wanted.way is Way.INPUT:
            fade_in_ms = min(INPUT_FADE_IN_MS, self.settings.fade_in_ms)
            return [StartInput(self.player, wanted.play, wanted.volume_percent, fade_in_ms)]
        if wanted.way is Way.LIVE:
            return [StartLive(self.player, wanted.play, wanted.volume_percent, self.settings.fade_in_ms)]
        if wanted.way is Way.STREAM:
            volume_percent, fade_in_ms = wanted.volume_percent, self.settings.fade_in_ms
            return [StartStream(self.player, wanted.play, wanted.stream, volume_percent, fade_in_ms)]
        return [
            StartSound(
                player=self.player,
                play=wanted.play,
                items=wanted.items,
                from_ms=wanted.from_ms,
                at_mono_ms=MonoMs(max(wanted.start_mono_ms, now_mono_ms)),
                volume_percent=wanted.volume_percent,
                fade_in_ms=self.settings.fade_in_ms,
            )
        ]

    def _close(self, zones: list[ZoneId], now_mono_ms: int) -> list[Effect]:
        if not self._may_switch(zones, now_mono_ms):
            return []
        for zone in zones:
            self.open_again_mono_ms.pop(zone, None)
            self.closed.append(zone)
        return [effect for zone in zones for effect in self._tell(zone, True, now_mono_ms)]

    def _open(self, zone: ZoneId, now_mono_ms: int) -> list[Effect]:
        if not self._may_switch([zone], now_mono_ms):
            return []
        self.open_again_mono_ms.pop(zone, None)
        self.closed.remove(zone)
        return self._tell(zone, False, now_mono_ms)

    def _may_switch(self, zones: list[ZoneId], now_mono_ms: int) -> bool:
        """Tell whether the last switch has come to rest, and these zones have rested long enough; be woken when this
        one, or they, have.
        """
        next_ms = max([self._next_switch_mono_ms(now_mono_ms), *(self.rests_mono_ms.get(zone, 0) for zone in zones)])
        rested = now_mono_ms >= next_ms
        if rested:
            self.last_switch_mono_ms = now_mono_ms
            next_ms = now_mono_ms + self.settings.zone_stagger_ms
        self._wake(next_ms)
        return rested

    def _wake(self, mono_ms: int) -> list[Effect]:
        self.wake_mono_ms = mono_ms
        return []

    @property
    def asks_mono_ms(self) -> int | None:
        """When ``step`` has something to do by time alone."""
        if self.sounding is not None or self.told or not self.open_again_mono_ms:
            return self.wake_mono_ms
        again_ms = max(min(self.open_again_mono_ms.values()), self._next_switch_mono_ms(0))
        return again_ms if self.wake_mono_ms is None else min(again_ms, self.wake_mono_ms)
