"""What a technician sees beforehand, and what stands against it (air-3, air-5)."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from tests.core.material import SETTINGS, VIETNAM, bulletin, programme
from ttcs_edge.core.documents import Bulletin, Slot, Stream
from ttcs_edge.core.model import QuietHours, StationSettings, Supply, Zone, ZoneId
from ttcs_edge.core.preview import preview
from ttcs_edge.core.schedule import to_ms

NIGHT = QuietHours(21 * 60, 5 * 60)
NOON = QuietHours(12 * 60, 12 * 60 + 30)
BULLETINS = (bulletin("ngan", 5), bulletin("dai", 3_600))


def slot(name: str, at: str, bulletin: str = "ngan") -> Slot:
    """A slot of one day."""
    return Slot(id=name, start=f"2026-12-05T{at}", bulletins=(bulletin,))


def seen(
    *slots: Slot, quiet: tuple[QuietHours, ...] = (NIGHT,), settings: StationSettings = SETTINGS
) -> list[tuple[str, tuple[str, ...]]]:
    """Each cue of that day, and its clashes."""
    begin_ms = to_ms(datetime(2026, 12, 5), VIETNAM)
    document = programme(slots, bulletins=BULLETINS)
    cues = preview((document,), replace(settings, quiet_hours=quiet), begin_ms - 1, begin_ms + 86_400_000 - 1)
    return [(cue.due.slot.id, cue.clashes) for cue in cues]


def test_the_cue_that_would_wake_a_commune_at_0315_is_seen() -> None:
    """The wrongly set relay of Trung Lộc."""
    slots = (slot("dem", "03:15:00"), slot("sang", "05:00:00"), slot("trung", "05:00:02"))
    assert seen(*slots) == [("dem", ("quiet-hours",)), ("sang", ()), ("trung", ("overlap",))]


def test_a_slot_with_a_stream_takes_its_minutes() -> None:
    """Whatever the bulletin that stands in for it takes."""
    relayed = replace(slot("dai", "20:45:00"), stream=Stream(url="https://live.example.vn/fm", most_minutes=30))
    assert seen(relayed, slot("toi", "20:50:00")) == [("dai", ("quiet-hours",)), ("toi", ("quiet-hours", "overlap"))]


def test_a_cue_that_is_heard_in_turns_takes_all_of_them() -> None:
    """An hour for each of two zones, of which their supply bears one: the next one waits for both."""
    zones = tuple(replace(zone, supply="nguon") for zone in SETTINGS.zones)
    settings = replace(SETTINGS, zones=zones, supplies=(Supply("nguon", 1),))
    slots = (slot("dai", "05:00:00", "dai"), slot("sau", "06:30:00"))

    assert seen(*slots, settings=settings) == [("dai", ()), ("sau", ("overlap",))]
    assert seen(*slots) == [("dai", ()), ("sau", ())]


@pytest.mark.parametrize(
    ("at", "clashes"),
    [
        ("11:00:00", ()),  # ends at the very minute
        ("11:00:01", ("quiet-hours",)),  # one second of it
        ("11:45:00", ("quiet-hours",)),  # from before to behind: neither its first nor its last minute is quiet
        ("12:29:00", ("quiet-hours",)),
        ("12:30:00", ()),
    ],
)
def test_a_cue_that_runs_into_or_over_quiet_hours_clashes_with_them(at: str, clashes: tuple[str, ...]) -> None:
    """An hour long, around half an hour of quiet."""
    assert seen(slot("dai", at, "dai"), quiet=(NOON,)) == [("dai", clashes)]


def test_a_cue_that_must_wait_into_quiet_hours_clashes_with_them() -> None:
    """Planned before them, but the air is not free before they begin."""
    slots = (slot("dai", "19:59:50", "dai"), slot("doi", "20:59:40"))
    assert seen(*slots, quiet=(NIGHT,)) == [("dai", ()), ("doi", ("overlap",))]
    slots = (slot("dai", "20:00:00", "dai"), slot("doi", "20:59:58"))
    assert seen(*slots, quiet=(NIGHT,)) == [("dai", ()), ("doi", ("quiet-hours", "overlap"))]


def test_a_cue_is_as_long_as_what_the_zones_here_hear_of_it() -> None:
    """The recording in K'Ho is longer, and a zone asks for it, so both are aired."""
    vietnamese, long = bulletin("hai", 60).audio[0], bulletin("kho", 120).audio[0]
    both = Bulletin(id="hai", title="Hai thứ tiếng", audio=(vietnamese, replace(long, language="kpm")))
    document = programme([slot("hai", "06:00:00", "hai")], bulletins=(both,))
    begin_ms = to_ms(datetime(2026, 12, 5), VIETNAM)
    zones = (Zone(ZoneId("buon"), "Buôn", languages=("kpm", "vi")), Zone(ZoneId("cho"), "Chợ"))

    def duration_ms(*zones: Zone) -> int:
        (cue,) = preview((document,), replace(SETTINGS, zones=zones), begin_ms, begin_ms + 86_400_000)
        return cue.duration_ms

    assert [duration_ms(zones[1]), duration_ms(zones[0]), duration_ms(*zones)] == [60_000, 120_000, 180_000]
