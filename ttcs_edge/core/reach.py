"""What stands between a cue and being heard: its own sound, the player, the sound device, the relays on its way, an
amplifier that has to rest, and quiet hours (air-5).

What cannot be heard until something is tried again neither holds the air nor takes it. Without a reason of its own a
cue is kept from the air by another one.
"""

from __future__ import annotations

from dataclasses import dataclass

from ttcs_edge.core.asrun import Airing, Kind
from ttcs_edge.core.cues import Cues
from ttcs_edge.core.duty import LENGTHLESS_MS, Duty
from ttcs_edge.core.model import AMPLIFIER, AsRunReason, Instant, StationSettings, ZoneId
from ttcs_edge.core.playout import Playout
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.supplies import together

DEVICE_AGAIN_MS = 2_000
"""How soon the sound device is tried again for what outlasts it; then twice as late each time."""
DEVICE_AGAIN_MOST_MS = 64_000


@dataclass(slots=True)
class Reach:
    """The ways from a cue to its zones, as they are known to be. ``rests_until_mono_ms`` is when what
    outlasts a sound device tries it again.
    """

    settings: StationSettings
    cues: Cues
    playout: Playout
    duty: Duty
    device_failures: int = 0
    rests_until_mono_ms: int | None = None

    # the sound device

    def device_fails(self, now: Instant) -> None:
        """It failed under what outlasts it, and rests for a while."""
        again_ms = min(DEVICE_AGAIN_MS << self.device_failures, DEVICE_AGAIN_MOST_MS)
        self.device_failures += 1
        self.rests_until_mono_ms = now.mono_ms + again_ms

    def device_works(self) -> None:
        """The sound device is there: what waits for it need not wait any more."""
        self.rests_until_mono_ms = None

    def device_sounds(self) -> None:
        """It does as told."""
        self.device_failures = 0

    def watch_rest(self, now: Instant) -> None:
        """End a rest that is over."""
        if self.rests_until_mono_ms is not None and now.mono_ms >= self.rests_until_mono_ms:
            self.rests_until_mono_ms = None

    # its zones

    def zones_of(self, airing: Airing) -> tuple[ZoneId, ...]:
        """Where a cue is heard next, or is heard now: in all its zones, or in as many as their supplies bear. Of those
        whose turn it may be the ones come first whose relays do as told.
        """
        if not self.settings.supplies:
            return airing.cue.zones
        failed = self.playout.failed
        if not failed.issuperset(airing.turn):
            return airing.turn
        left = [zone for zone in airing.cue.zones if zone not in airing.served]
        return together([zone for zone in left if zone not in failed] or left, self.settings)

    def has_another_turn(self, airing: Airing) -> bool:
        """Tell whether a cue that was heard where its turn was is to be heard elsewhere, too."""
        if not self.settings.supplies or not airing.takes_turns:
            return False
        done = {*airing.served, *airing.turn, *self.playout.failed}
        return not done.issuperset(airing.cue.zones)

    def follow_turns(self) -> None:
        """Where no relay of a turn does as told, others have theirs, from the first sample."""
        for airing in self.cues.waiting.values() if self.settings.supplies else ():
            if airing.turn and self.zones_of(airing) != airing.turn:
                airing.give_up_turn()

    def left_out(self, airing: Airing) -> tuple[ZoneId, ...]:
        """The zones of what is made while it airs that their supplies do not bear beside the others."""
        if airing.cue.inlet is None:
            return ()
        heard = together(airing.cue.zones, self.settings)
        return tuple(zone for zone in airing.cue.zones if zone not in heard)

    # a cue

    @property
    def player_up(self) -> bool:
        """Tell whether something can sound at all."""
        return self.playout.player is not None

    def is_out_of_reach(self, airing: Airing) -> bool:
        """Tell whether its way up was tried, and none of its zones can be heard until a relay is tried again."""
        return airing.tried and not self.playout.can_reach(self.zones_of(airing), airing.way)

    def _waits_for_device(self, airing: Airing) -> bool:
        return airing.outlasts_failures and self.rests_until_mono_ms is not None

    def can_be_heard(self, airing: Airing) -> bool:
        """Tell whether a cue could be heard if there is a player, and nothing else has the air."""
        whole = airing.cue.has_sound and bool(airing.cue.zones)
        return whole and not (self._waits_for_device(airing) or self.is_out_of_reach(airing) or self.rests(airing))

    # an amplifier that has to rest

    def rests(self, airing: Airing) -> bool:
        """Tell whether a cue that waits does not fit into what the amplifier may still be on the air."""
        return self.fits_mono_ms(airing) > self.duty.now_mono_ms

    def fits_mono_ms(self, airing: Airing) -> int:
        """When a cue fits in: one that nobody keeps from the air, now."""
        if not self.minds_duty(airing):
            return self.duty.now_mono_ms
        left_ms = airing.cue.duration_ms - airing.position_ms
        return self.duty.fits_mono_ms(LENGTHLESS_MS if airing.cue.inlet is not None else left_ms)

    def minds_duty(self, airing: Airing) -> bool:
        """Tell whether an amplifier that grows hot keeps a cue from the air."""
        return airing.kind not in (Kind.ALERT, Kind.TALK)

    def amplifier_rests(self, now: Instant) -> bool:
        """Tell whether the amplifier was on the air for as long as it may, or keeps what is due from it."""
        return self.duty.is_spent or any(one.is_due(now) and self.rests(one) for one in self.cues.waiting.values())

    def duty_turns_mono_ms(self) -> list[int]:
        """When something changes by what was spent, from now on, alone."""
        if not self.duty.is_bound:
            return []
        if self.duty.since_mono_ms is not None:
            holder, over_ms = self.cues.on_air, self.duty.over_mono_ms()
            ends = holder is not None and self.minds_duty(holder) and over_ms is not None
            return [over_ms] if ends and over_ms is not None and over_ms > self.duty.now_mono_ms else []
        turns_ms = [self.fits_mono_ms(airing) for airing in self.cues.waiting.values()]
        turns_ms += [self.duty.fits_mono_ms(1) + 1] if self.duty.is_spent else []
        return [turn_ms for turn_ms in turns_ms if turn_ms > self.duty.now_mono_ms]

    def may_go_up(self, airing: Airing) -> bool:
        """Tell whether nothing of its own keeps a cue that waits from its way up."""
        return self.player_up and airing is not self.cues.on_air and self.can_be_heard(airing)

    def hindrance(self, airing: Airing) -> AsRunReason | None:
        """Tell what of a cue's own needs is not there: its audio, a player, a way to its zones."""
        if not airing.cue.has_sound:
            return airing.lack or AsRunReason.NO_AUDIO
        if not self.player_up and airing.needs_player:
            return AsRunReason.PLAYER_DIED
        tried = airing.tried or airing.warning is not None  # of a round one part is tried for all
        if tried and not self.playout.can_reach(self.zones_of(airing), airing.way):
            return AsRunReason.NO_AMPLIFIER if AMPLIFIER in self.playout.failed else AsRunReason.RELAY
        if self.rests(airing):
            return AsRunReason.AMPLIFIER_REST
        return AsRunReason.SOUND_DEVICE if self._waits_for_device(airing) else None

    def pre_emption(self, airing: Airing) -> AsRunReason | None:
        """Tell whether another cue keeps this one from the air, or did until its time was over."""
        return AsRunReason.PRE_EMPTED if self.cues.is_blocked(airing) or airing.has_sounded else None

    def is_too_quiet_for(self, airing: Airing, programmes: Programmes, now: Instant) -> bool:
        """Quiet hours silence everything but alerts (air-5), and a microphone that the config lets through; nobody
        knows them without the time.
        """
        microphone = self.settings.microphone
        let_through = microphone is not None and microphone.in_quiet_hours
        if not now.trusted or airing.kind is Kind.ALERT or (airing.kind is Kind.TALK and let_through):
            return False
        return programmes.is_quiet(_sounds_ms(airing, now))


def _sounds_ms(airing: Airing, now: Instant) -> int:
    """When this cue is heard if nothing hinders it: a start is handed over a moment ahead of its instant."""
    return now.wall_ms if airing.has_sounded else max(now.wall_ms, airing.cue.planned_ms)
