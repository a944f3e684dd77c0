"""The watch for silence where sound is due, whatever its cause.

It is nobody's fault that one cue waits while another is heard, while power is saved, or while somebody wants silence,
and that of a slot in quiet hours, or without trusted time, which has a fault of its own. A test tone is answered, a
pilot told, and a live relay that falls silent is a fault of its own. A way up that begins late takes its time, but
once: a player that dies on it, and dies again, is silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ttcs_edge.core.asrun import Airing, Kind
from ttcs_edge.core.cues import Cues
from ttcs_edge.core.model import Instant
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.reach import Reach

SILENCE_MS = 4_000
"""How long there may be silence where sound is due before it is a fault."""
NO_START = "no-start"
"""Why there is silence when the player was told to begin, and nothing came of it."""


@dataclass(slots=True)
class Spell:
    """Since when a cue should be heard and is not, its way up not counted where that was ``granted``."""

    since_mono_ms: int
    granted: bool


@dataclass(slots=True)
class SilenceWatch:
    """The spells of silence, by the id of the cue that should be heard."""

    cues: Cues
    reach: Reach
    spells: dict[str, Spell] = field(default_factory=dict)

    def watch(self, programmes: Programmes, now: Instant) -> dict[str, str]:
        """Note since when each cue that should be heard is not; give the slots for which that is too long, and why."""
        heard = self.cues.on_air is not None and self.cues.on_air.sounds
        slots_sound = now.trusted and not programmes.is_quiet(now.wall_ms)
        spells: dict[str, Spell] = {}
        silent: dict[str, str] = {}
        for airing in self.cues.unended():
            expected = airing.is_due(now) and (slots_sound or not airing.of_programme)
            wanted = self.reach.is_saved(airing) or self.cues.mutes(airing)
            if heard or not expected or wanted or airing.kind in (Kind.TEST, Kind.PILOT, Kind.LIVE):
                continue
            spell = spells[airing.id] = self.spells.get(airing.id) or self._begin(airing, now)
            if now.mono_ms >= spell.since_mono_ms + SILENCE_MS:
                silent[airing.cue.occurrence.subject] = self._why(airing)
        self.spells = spells
        return silent

    def _begin(self, airing: Airing, now: Instant) -> Spell:
        granted = self.reach.may_go_up(airing)
        lead_ms = self.reach.playout.lead_ms(self.reach.zones_of(airing), now.mono_ms) if granted else 0
        return Spell(now.mono_ms + lead_ms, granted)

    def player_ready(self) -> None:
        """A new player is up: what waited for it has its way up before it yet."""
        for airing in self.cues.waiting.values():
            spell = self.spells.get(airing.id)
            if spell is not None and not spell.granted and self.reach.may_go_up(airing):
                del self.spells[airing.id]

    def _why(self, airing: Airing) -> str:
        hindrance = self.reach.hindrance(airing)
        return NO_START if hindrance is None else hindrance.value

    def told_mono_ms(self) -> list[int]:
        """When a spell of silence is too long."""
        return [spell.since_mono_ms + SILENCE_MS for spell in self.spells.values()]
