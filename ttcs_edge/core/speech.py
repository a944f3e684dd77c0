"""What the station itself is to say, what came of it, and in which languages it can.

A text to be spoken is known by its language and its words alone: an update that leaves one language as it was, or a
phrase that many alerts share, is spoken once. What is asked for is the whole list, the first wanted first; the shell
speaks it in the background, ahead of its time where it can, and answers each with its audio or with why not.

What failed is not tried again before ``forget_failures``; a language without a voice never.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from functools import lru_cache

from ttcs_edge.core import events
from ttcs_edge.core.documents import AlertInfo
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import AsRunReason, AudioItem, Sha256, Utterance

SPEECH_FAULTS = (
    AsRunReason.NO_VOICE.value,
    AsRunReason.SPEECH_TOO_SLOW.value,
    AsRunReason.SPEECH_FAILED.value,
)
"""The faults that a language may have in which something could not be spoken."""
LOSSES_MOST = 3
"""How often what was spoken may prove lost when it is to be heard, before it is given up."""
_ENDS = (".", "!", "?", ":", ";", "…")


def subject_of(language: str) -> str:
    """How faults name the speech in a language."""
    return f"speech:{language}"


def utterance_of(info: AlertInfo) -> Utterance:
    """What is said of an alert in one language: headline, description and instruction, each a sentence at the least."""
    return _utterance(info.language, info.headline, info.description, info.instruction)


@lru_cache(LIMITS.alerts * LIMITS.languages_per_bulletin)
def _utterance(language: str, *texts: str) -> Utterance:
    """Asked at every step; kept by the words alone, for an alert may hold audio, too, and is over one day."""
    parts = (" ".join(text.split()) for text in texts)
    return Utterance(language, "\n".join(part if part.endswith(_ENDS) else f"{part}." for part in parts if part))


@dataclass(slots=True)
class Speech:
    """What was spoken, what could not be, and what was asked for. ``voices`` is None until they are known; ``changed``
    while what is lacking must be worked out anew; ``standing`` once that was done with what may be said some day.
    """

    voices: Set[str] | None = None
    said: dict[Utterance, AudioItem] = field(default_factory=dict)
    failed: dict[Utterance, AsRunReason] = field(default_factory=dict)
    losses: dict[Utterance, int] = field(default_factory=dict)
    asked: tuple[Utterance, ...] = ()
    changed: bool = True
    standing: bool = False

    def spoken(self, event: events.Spoken) -> None:
        """It is in the store."""
        self.changed = True
        audio = AudioItem("", event.utterance.language, event.sha256, event.size_bytes, event.duration_ms)
        self.said[event.utterance] = audio
        self.failed.pop(event.utterance, None)

    def not_spoken(self, event: events.NotSpoken) -> None:
        """It could not be, for now."""
        self.changed = True
        known = event.code in SPEECH_FAULTS
        self.failed[event.utterance] = AsRunReason(event.code) if known else AsRunReason.SPEECH_FAILED

    def lost(self, sha256: Sha256) -> None:
        """What was spoken is gone from the store: it is spoken anew, unless that happens again and again."""
        for utterance in [one for one, audio in self.said.items() if audio.sha256 == sha256]:
            del self.said[utterance]
            self.changed = True
            self.losses[utterance] = self.losses.get(utterance, 0) + 1
            if self.losses[utterance] >= LOSSES_MOST:
                self.failed[utterance] = AsRunReason.ROTTEN

    def may_speak(self, utterance: Utterance) -> bool:
        """Tell whether it was spoken, or may still be."""
        return utterance in self.said or (utterance not in self.failed and self._has_voice(utterance.language))

    def why_not(self, utterance: Utterance) -> AsRunReason | None:
        """Tell why it will not be spoken; None while it may."""
        voiceless = None if self._has_voice(utterance.language) else AsRunReason.NO_VOICE
        return None if utterance in self.said else self.failed.get(utterance, voiceless)

    def _has_voice(self, language: str) -> bool:
        tag = language.lower()
        return self.voices is None or tag in self.voices or tag.partition("-")[0] in self.voices

    def lacking(self, wanted: Iterable[Utterance]) -> tuple[Utterance, ...]:
        """What of this is to be spoken now, each once."""
        return tuple(dict.fromkeys(one for one in wanted if one not in self.said and one not in self.failed))

    def forget_failures(self, utterances: Iterable[Utterance]) -> None:
        """Have what failed tried again, but for what no voice speaks."""
        for utterance in utterances:
            if self.failed.get(utterance, AsRunReason.NO_VOICE) is not AsRunReason.NO_VOICE:
                del self.failed[utterance]
                self.losses.pop(utterance, None)
                self.changed = True

    def keep_only(self, utterances: Set[Utterance]) -> None:
        """Forget what nobody will hear any more."""
        self.said = {one: audio for one, audio in self.said.items() if one in utterances}
        self.failed = {one: why for one, why in self.failed.items() if one in utterances}
        self.losses = {one: count for one, count in self.losses.items() if one in utterances}

    def failing(self) -> dict[str, str]:
        """The languages in which something could not be spoken, each with its fault."""
        return {
            subject_of(one.language): why.value if why.value in SPEECH_FAULTS else AsRunReason.SPEECH_FAILED.value
            for one, why in self.failed.items()
        }
