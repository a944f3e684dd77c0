"""What stands between a cue and being heard: its own sound, the player, the sound device, the relays on its way, an
amplifier that has to rest, quiet hours (air-5), and the power that is saved.

While power is saved (``power``) a slot and a live relay are heard as loud and in as many zones as is left; where that
is none, they wait, as for a relay that failed. Of a test tone nothing is taken away but all of it. An alert is heard as
ever, and so is who speaks at the station: he stands before it, and sees that the mains are out.

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
from ttcs_edge.core.power import NOTHING_SHED, Saving
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.supplies import together

DEVICE_AGAIN_MS = 2_000
"""How soon the sound device is tried again for what outlasts it; then twice as late each time."""
DEVICE_AGAIN_MOST_MS = 64_000
SPARED = frozenset({Kind.ALERT, Kind.TALK})
"""Of whose cues nothing is taken away to save power."""
CUT_DOWN = frozenset({Kind.SLOT, Kind.LIVE})
"""Whose cues are heard less loud, and in fewer zones."""


@dataclass(slots=True)
class Reach:
    """The ways from a cue to its zones, as they are known to be. What is of a slot waits for a sound device until the
    player tells that it is there (``device_ok``). What outlasts it tries it again by itself, at
    ``rests_until_mono_ms``.
    """

    settings: StationSettings
    cues: Cues
    playout: Playout
    saving: Saving
    duty: Duty
    device_ok: bool = True
    device_failures: int = 0
    rests_until_mono_ms: int | None = None

    # the sound device

    def device_fails(self, now: Instant) -> None:
        """It failed under what outlasts it, and rests for a while."""
        again_ms = min(DEVICE_AGAIN_MS << self.device_failures, DEVICE_AGAIN_MOST_MS)
        self.device_failures += 1
        self.rests_until_mono_ms = now.mono_ms + again_ms

    def device_gone(self) -> None:
        """It is not there, or does not do as told."""
        self.device_ok = False

    def device_works(self) -> None:
        """The sound device is there: what waits for it need not wait any more."""
        self.device_ok = True
        self.rests_until_mono_ms = None

    def device_sounds(self) -> None:
        """It does as told."""
        self.device_ok = True
        self.device_failures = 0

    def watch_rest(self, now: Instant) -> None:
        """End a rest that is over."""
        if self.rests_until_mono_ms is not None and now.mono_ms >= self.rests_until_mono_ms:
            self.rests_until_mono_ms = None

    # its zones

    def zones_of(self, airing: Airing) -> tuple[ZoneId, ...]:
        """Where a cue is heard next, or is heard now: in all its zones that are left to it, or in as many as their
        supplies bear. Of those whose turn it may be the ones come first whose relays do as told.
        """
        kept = self._kept(airing)
        if not self.settings.supplies or not kept:
            return kept
        failed = self.playout.failed
        if not failed.issuperset(airing.turn):
            return airing.turn
        left = [zone for zone in kept if zone not in airing.served]
        return together([zone for zone in left if zone not in failed] or left, self.settings)

    def has_another_turn(self, airing: Airing) -> bool:
        """Tell whether a cue that was heard where its turn was is to be heard elsewhere, too."""
        if not self.settings.supplies or not airing.takes_turns:
            return False
        done = {*airing.served, *airing.turn, *self.playout.failed}
        return not done.issuperset(self._kept(airing))

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

    # power that is saved

    def _kept(self, airing: Airing) -> tuple[ZoneId, ...]:
        """The zones that are left to it: fewer than its own, or none, to save power."""
        shed, zones = self.saving.shed, airing.cue.zones
        if airing.kind in SPARED or shed is NOTHING_SHED:
            return zones
        if shed.alerts_only:
            return ()
        return shed.keeps(zones, self._order) if airing.kind in CUT_DOWN else zones

    @property
    def _order(self) -> tuple[ZoneId, ...]:
        return tuple(zone.id for zone in self.settings.zones)

    def saved_of(self, airing: Airing) -> tuple[ZoneId, ...]:
        """The zones that it does without to save power."""
        kept = self._kept(airing)
        return tuple(zone for zone in airing.cue.zones if zone not in kept)

    def is_saved(self, airing: Airing) -> bool:
        """Tell whether it is heard nowhere to save power."""
        return bool(airing.cue.zones) and not self.zones_of(airing)

    def must_leave(self, airing: Airing) -> bool:
        """Tell whether it leaves the air to save power. Zones count from the next cue on: none switches under it."""
        return self.saving.shed.alerts_only and airing.kind not in SPARED

    def turned_down(self, airing: Airing, volume_percent: int) -> int:
        """How loud it is of what it would be, to save power."""
        return volume_percent * self.saving.shed.volume_percent // 100 if airing.kind in CUT_DOWN else volume_percent

    def is_out_of_reach(self, airing: Airing) -> bool:
        """Tell whether its way up was tried, and none of its zones can be heard until a relay is tried again."""
        return airing.tried and not self.playout.can_reach(self.zones_of(airing), airing.way)

    def _waits_for_device(self, airing: Airing) -> bool:
        if airing.outlasts_failures:
            return self.rests_until_mono_ms is not None
        return airing.of_programme and not self.device_ok

    def can_be_heard(self, airing: Airing) -> bool:
        """Tell whether a cue could be heard if there is a player, and nothing else has the air."""
        whole = airing.cue.has_sound and bool(self.zones_of(airing))
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
        """Tell what of a cue's own needs is not there: power for it, its audio, a player, a way to its zones."""
        if self.is_saved(airing):
            return AsRunReason.POWER_SAVED
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

    def blockage(self, airing: Airing) -> AsRunReason | None:
        """Tell what else has the air: silence that somebody wants, or another cue."""
        if self.cues.mutes(airing):
            return AsRunReason.MUTED
        return AsRunReason.PRE_EMPTED if self.cues.is_blocked(airing) else None

    def pre_emption(self, airing: Airing) -> AsRunReason | None:
        """Tell what else keeps this one from the air, or did until its time was over."""
        return self.blockage(airing) or (airing.lost_to if airing.has_sounded else None)

    def is_too_quiet_for(self, airing: Airing, programmes: Programmes, now: Instant) -> bool:
        """Quiet hours silence everything but alerts (air-5), a microphone that the config lets through, and a test that
        whoever is there lets through; nobody knows them without the time.
        """
        microphone = self.settings.microphone
        let_through = microphone is not None and microphone.in_quiet_hours
        if not now.trusted or airing.kind is Kind.ALERT or (airing.kind is Kind.TALK and let_through):
            return False
        if airing.in_quiet_hours:
            return False
        return programmes.is_quiet(_sounds_ms(airing, now))


def _sounds_ms(airing: Airing, now: Instant) -> int:
    """When this cue is heard if nothing hinders it: a start is handed over a moment ahead of its instant."""
    return now.wall_ms if airing.has_sounded else max(now.wall_ms, airing.cue.planned_ms)
