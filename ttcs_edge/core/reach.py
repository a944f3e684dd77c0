"""What stands between a cue and being heard: its own sound, the player, the sound device, the relays on its way, and
quiet hours (air-5).

What cannot be heard until something is tried again neither holds the air nor takes it. Without a reason of its own a
cue is kept from the air by another one.
"""

from __future__ import annotations

from dataclasses import dataclass

from ttcs_edge.core.asrun import Airing, Kind
from ttcs_edge.core.cues import Cues
from ttcs_edge.core.model import AMPLIFIER, AsRunReason, Instant, StationSettings
from ttcs_edge.core.playout import Playout
from ttcs_edge.core.programmes import Programmes

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

    # a cue

    @property
    def player_up(self) -> bool:
        """Tell whether something can sound at all."""
        return self.playout.player is not None

    def is_out_of_reach(self, airing: Airing) -> bool:
        """Tell whether its way up was tried, and none of its zones can be heard until a relay is tried again."""
        return airing.tried and not self.playout.can_reach(airing.cue.zones, airing.way)

    def _waits_for_device(self, airing: Airing) -> bool:
        return airing.outlasts_failures and self.rests_until_mono_ms is not None

    def can_be_heard(self, airing: Airing) -> bool:
        """Tell whether a cue could be heard if there is a player, and nothing else has the air."""
        whole = airing.cue.has_sound and bool(airing.cue.zones)
        return whole and not self._waits_for_device(airing) and not self.is_out_of_reach(airing)

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
        if tried and not self.playout.can_reach(airing.cue.zones, airing.way):
            return AsRunReason.NO_AMPLIFIER if AMPLIFIER in self.playout.failed else AsRunReason.RELAY
        return AsRunReason.SOUND_DEVICE if self._waits_for_device(airing) else None

    def pre_emption(self, airing: Airing) -> AsRunReason | None:
        """Tell whether another cue keeps this one from the air, or did until its time was over."""
        return AsRunReason.PRE_EMPTED if self.cues.is_blocked(airing) or airing.has_sounded else None

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
