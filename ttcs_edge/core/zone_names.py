"""What a zone is called aloud, so that people below its loudspeakers hear which one they have.

It is said in the first language of the zone that the station has a voice for, else in Vietnamese.
"""

from __future__ import annotations

from collections.abc import Iterator

from ttcs_edge.core.model import StationSettings, Utterance, Zone
from ttcs_edge.core.speech import Speech

PHRASES = {"vi": "Cụm {number}: {name}.", "en": "Zone {number}: {name}."}
"""By the language, without its region; in any other language the name alone is said."""
NAME_ALONE = "{name}."
FALLBACK = "vi"


def name_of(zone: Zone, number: int, speech: Speech) -> Utterance | None:
    """What is said in a zone, the ``number``-th of its station; None while nobody knows of a voice for it."""
    if speech.voices is None:
        return None
    return next((said for said in _sayings(zone, number) if speech.may_speak(said)), None)


def names_of(settings: StationSettings, speech: Speech) -> list[Utterance]:
    """What is said in all zones, in their order."""
    names = (name_of(zone, number, speech) for number, zone in enumerate(settings.zones, 1))
    return [name for name in names if name is not None]


def all_names(settings: StationSettings) -> set[Utterance]:
    """What may be said in any zone, in whichever language it can be."""
    return {said for number, zone in enumerate(settings.zones, 1) for said in _sayings(zone, number)}


def _sayings(zone: Zone, number: int) -> Iterator[Utterance]:
    for language in (*zone.languages, FALLBACK):
        phrase = PHRASES.get(language.partition("-")[0], NAME_ALONE)
        yield Utterance(language, phrase.format(number=number, name=" ".join(zone.name.split())))
