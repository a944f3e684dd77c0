"""Which audio a cue is made of (air-8), how loud it is (air-5), and which audio is wanted by when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import (
    PROVINCE,
    SETTINGS,
    ByHand,
    at,
    audio_of,
    bulletin,
    only,
    programme,
    recording,
    sha,
    slot,
)
from ttcs_edge.core import events, library
from ttcs_edge.core.documents import Bulletin, Programme, Slot
from ttcs_edge.core.effects import PrepareSound, SetWanted, StartSound
from ttcs_edge.core.library import Shelf, foreseen, recordings, resolve
from ttcs_edge.core.model import Scope, StationSettings, Zone, ZoneId
from ttcs_edge.core.schedule import occurrences


def zone(name: str, *languages: str, volume_percent: int = 100) -> Zone:
    """A zone whose people speak these languages, in this order."""
    return Zone(ZoneId(name), name, languages, volume_percent)


def spoken(*languages: str) -> Bulletin:
    """A bulletin with one recording in each of these languages."""
    return Bulletin(id="tin", title="Tin", audio=tuple(recording(f"tin.{name}", 60, name) for name in languages))


def cue_of(one: Slot, settings: StationSettings, document: Programme, lacking: set[str] | None = None) -> object:
    """The cue of a slot's occurrence of 24 November."""
    midnight_ms = at("2026-11-24T00:00:00")
    (due,) = occurrences(document, one, midnight_ms, midnight_ms + 86_399_000)
    return resolve(due, settings, Shelf((document,), audio_of(document) - (lacking or set())), midnight_ms)


@pytest.mark.parametrize(
    ("zones", "bulletin_languages", "expected"),
    [
        ([("vi",)], ["vi"], ["vi"]),
        ([("vi",), ("vi",)], ["vi", "kho"], ["vi"]),
        ([("kho", "vi"), ("vi",)], ["vi", "kho"], ["kho", "vi"]),
        ([("vi",), ("kho", "vi")], ["vi", "kho"], ["vi", "kho"]),
        ([("kho", "vi"), ("mnong", "vi")], ["vi"], ["vi"]),
        ([("kho", "vi"), ("mnong", "kho")], ["kho", "vi"], ["kho"]),
        ([("kho",)], ["vi", "en"], ["vi"]),
        ([("kho",), ("mnong",)], ["en", "vi"], ["en"]),
        ([("kho",), ("vi",)], ["en", "vi"], ["en", "vi"]),
    ],
)
def test_each_zone_hears_its_first_language_that_there_is(
    zones: list[tuple[str, ...]], bulletin_languages: list[str], expected: list[str]
) -> None:
    """air-8: in the order of the zones, each recording once; a zone without any hears the bulletin's own first one."""
    here = tuple(zone(f"z{number}", *languages) for number, languages in enumerate(zones))

    assert [audio.language for audio in recordings(spoken(*bulletin_languages), here)] == expected


@given(
    st.lists(st.lists(st.sampled_from(["vi", "kho", "mnong", "en"]), unique=True, min_size=1), min_size=1, max_size=4),
    st.lists(st.sampled_from(["vi", "kho", "mnong", "en"]), unique=True, min_size=1),
)
def test_nobody_is_left_without_a_word(zones: list[list[str]], languages: list[str]) -> None:
    """air-8: whatever the languages, every zone hears the best of its own, and nothing is said twice."""
    here = tuple(zone(f"z{number}", *spoken_here) for number, spoken_here in enumerate(zones))
    heard = [audio.language for audio in recordings(spoken(*languages), here)]

    assert heard and len(heard) == len(set(heard))
    for spoken_here in zones:
        best = [name for name in spoken_here if name in languages][:1] or [languages[0]]
        assert best[0] in heard


def test_a_cue_of_two_bulletins_says_each_in_all_its_languages_before_the_next() -> None:
    """air-8: a zone's people hear the first bulletin in their language before the second begins."""
    settings = replace(SETTINGS, zones=(zone("cho", "vi"), zone("buon", "kho", "vi")))
    bulletins = [
        Bulletin(id=name, title=name, audio=(recording(f"{name}.vi", 60), recording(f"{name}.kho", 60, "kho")))
        for name in ("mot", "hai")
    ]
    station = ByHand(programme([slot("a", "05:00:00", "mot", "hai")], bulletins), settings=settings)
    station.wait_until("2026-11-24T05:00:00")

    assert [(item.bulletin, item.language) for item in station.sound_begins().items] == [
        ("mot", "vi"),
        ("mot", "kho"),
        ("hai", "vi"),
        ("hai", "kho"),
    ]


def test_only_the_zones_that_a_slot_names_choose_the_languages() -> None:
    """air-8: a language that only another zone speaks is not said."""
    settings = replace(SETTINGS, zones=(zone("cho", "vi"), zone("buon", "kho", "vi")))
    one = slot("a", "05:00:00", "tin", zones=("cho",))
    resolved = cue_of(one, settings, programme([one], [spoken("vi", "kho")]))

    assert [item.language for item in resolved.cue.items] == ["vi"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("slot_percent", "zone_percents", "expected"),
    [(100, (100, 50), 50), (60, (100, 50), 30), (60, (100,), 60), (0, (100, 100), 0), (33, (50, 99), 16)],
)
def test_a_cue_is_as_loud_as_the_quietest_of_its_zones_allows(
    slot_percent: int, zone_percents: tuple[int, ...], expected: int
) -> None:
    """air-5, air-3: one audio path, so the quietest zone sets the volume; it reaches the player as it is."""
    settings = replace(
        SETTINGS, zones=tuple(zone(f"z{n}", "vi", volume_percent=percent) for n, percent in enumerate(zone_percents))
    )
    station = ByHand(programme([slot("a", "05:00:00", volume_percent=slot_percent)]), settings=settings)
    station.wait_until("2026-11-24T05:00:00")

    assert station.sound_begins().volume_percent == expected


def test_a_quiet_zone_that_the_slot_leaves_out_does_not_quieten_the_others() -> None:
    """air-5: only the zones that hear it count."""
    station = ByHand(programme([slot("a", "05:00:00", zones=("cho",))]))
    station.wait_until("2026-11-24T05:00:00")

    assert station.sound_begins().volume_percent == 100


def test_what_is_missing_is_named_once_and_the_rest_is_the_cue() -> None:
    """A bulletin that comes twice in a slot lacks its file once."""
    one = slot("a", "05:00:00", "mot", "hai", "mot")
    document = programme([one])
    resolved = cue_of(one, SETTINGS, document, lacking={sha("mot")})

    assert resolved.missing == (sha("mot"),)  # type: ignore[attr-defined]
    assert [item.bulletin for item in resolved.cue.items] == ["hai"]  # type: ignore[attr-defined]
    assert resolved.cue.title == "mot · hai · mot"  # type: ignore[attr-defined]


def wanted(shelf: Shelf, settings: StationSettings, now_ms: int) -> SetWanted:
    """What is wanted when it has been looked at all programmes."""
    instants_of = {one.scope: foreseen(one, settings, now_ms).firsts() for one in shelf.in_force}
    return library.wanted(shelf, settings, now_ms, instants_of)


def test_what_is_due_first_is_fetched_first_whichever_programme_names_it() -> None:
    """By the first instant at which it will air; what is shared counts from its earliest use."""
    province = programme([slot("trua", "11:00:00"), slot("sang", "05:00:00"), slot("toi", "18:00:00", "trua", "toi")])
    nation = programme([slot("som", "04:30:00")], scope=Scope("vn"))
    asked = wanted(Shelf((nation, province), set()), SETTINGS, at("2026-11-24T04:00:00"))

    assert [(audio.sha256, audio.due_ms) for audio in asked.wanted] == [
        (sha("som"), at("2026-11-24T04:30:00")),
        (sha("sang"), at("2026-11-24T05:00:00")),
        (sha("trua"), at("2026-11-24T11:00:00")),
        (sha("toi"), at("2026-11-24T18:00:00")),
    ]
    first = asked.wanted[0]
    assert (first.size_bytes, first.places) == (1_000, ("broker:",))


def test_the_order_of_fetching_changes_as_the_day_goes_by() -> None:
    """At noon the next morning is further away than the evening; the list is made anew every hour."""
    document = programme([slot("sang", "05:00:00"), slot("toi", "18:00:00")])
    station = ByHand(document, civil="2026-11-24T00:30:00", cached=frozenset())
    station.wait_until("2026-11-24T00:30:01")
    lists = [[audio.sha256 for audio in one.wanted] for one in only([e for _, e in station.log], SetWanted)]
    assert lists[-1] == [sha("sang"), sha("toi")]
    log = station.wait_until("2026-11-24T12:00:00")
    asked = only([effect for _, effect in log], SetWanted)

    assert [audio.sha256 for audio in asked[-1].wanted] == [sha("toi"), sha("sang")]
    assert len(asked) <= 14


def test_a_cue_that_is_due_at_the_start_does_not_wait_for_the_order_of_fetching() -> None:
    """To say what is to be fetched takes a while with thousands of slots; it is first said a second later."""
    document = programme([slot("sang", "05:00:00", late_window_s=600)])
    start_ms = at("2026-11-24T05:01:00")
    station = ByHand(document, civil="2026-11-24T05:01:00", watched_until_ms=start_ms - 90_000)
    at_once = [effect for _, effect in station.log]
    station.wait_until("2026-11-24T05:01:02")

    assert only(at_once, PrepareSound) and not only(at_once, SetWanted)
    asked = [ms for ms, effect in station.log if isinstance(effect, SetWanted)]
    assert asked == [station.log[0][0] + 1_000]


def test_who_brings_a_programme_at_the_start_is_told_at_once_what_is_wanted() -> None:
    """A stick that was in the box when the power came back: its audio is taken, though its programme is known."""
    document = programme([slot("sang", "05:00:00")])
    station = ByHand(document, civil="2026-11-24T04:00:00", cached=frozenset())
    before = [effect for _, effect in station.log]

    (asked,) = only(station.arrive(document), SetWanted)
    assert not only(before, SetWanted)
    assert [audio.sha256 for audio in asked.wanted] == [sha("sang")]
    assert not only(station.arrive(document), SetWanted)


def test_what_is_there_is_not_fetched_but_is_kept() -> None:
    """Eviction must not touch what will air, be it there or on its way; what nobody needs is not kept."""
    document = programme([slot("sang", "05:00:00"), replace(slot("qua", "05:00:00"), rrule="")])
    asked = wanted(Shelf((document,), {sha("sang"), sha("other")}), SETTINGS, at("2026-11-24T04:00:00"))

    assert asked.wanted == ()
    assert asked.keep == {sha("sang")}


def test_what_may_still_air_late_is_wanted_and_kept() -> None:
    """air-6: within its late window the audio is still worth fetching; after it, no more."""
    once = replace(slot("qua", "05:00:00", late_window_s=3_600), rrule="", start="2026-11-24T05:00:00")
    for civil, expected in (("2026-11-24T05:59:00", [sha("qua")]), ("2026-11-24T06:02:00", [])):
        asked = wanted(Shelf((programme([once]),), set()), SETTINGS, at(civil))
        assert [audio.sha256 for audio in asked.wanted] == expected


def test_what_waits_for_its_audio_is_fetched_before_what_is_due_later() -> None:
    """What was taken is on no timetable any more: its audio is wanted by its instant all the same."""
    once = replace(slot("mot", "05:00:00", late_window_s=3_600), rrule="", start="2026-11-24T05:00:00")
    document = programme([once, slot("hai", "05:30:00"), slot("ba", "04:00:00")])
    station = ByHand(document, civil="2026-11-24T04:30:00", cached=frozenset())
    station.wait_until("2026-11-24T05:10:00")
    (asked,) = only(station.arrive(programme([slot("z", "06:00:00")], scope=Scope("vn"))), SetWanted)

    assert [(audio.sha256, audio.due_ms) for audio in asked.wanted] == [
        (sha("mot"), at("2026-11-24T05:00:00")),
        (sha("hai"), at("2026-11-24T05:30:00")),
        (sha("z"), at("2026-11-24T06:00:00")),
        (sha("ba"), at("2026-11-25T04:00:00")),
    ]


def test_what_sounds_or_waits_is_kept_though_it_will_never_air_again() -> None:
    """A single occurrence, ten minutes long, two minutes in: its file is not to be evicted under it."""
    once = replace(slot("mot", "05:00:00"), rrule="", start="2026-11-24T05:00:00")
    after = replace(slot("hai", "05:01:00"), rrule="", start="2026-11-24T05:01:00")
    station = ByHand(programme([once, after], [bulletin("mot", 600), bulletin("hai", 60)]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(180_000)
    (asked,) = only(station.arrive(programme([slot("z", "06:00:00")], scope=Scope("vn"))), SetWanted)

    assert {sha("mot"), sha("hai")} <= asked.keep


def test_audio_for_zones_that_are_not_here_is_not_fetched() -> None:
    """Only what this station will air takes room on its card."""
    document = programme([slot("cho", "05:00:00", zones=("cho",)), slot("khac", "05:00:00", zones=("khac",))])
    asked = wanted(Shelf((document,), set()), SETTINGS, at("2026-11-24T04:00:00"))

    assert [audio.sha256 for audio in asked.wanted] == [sha("cho")]
    assert asked.keep == {sha("cho")}


def test_audio_that_comes_in_the_last_moment_is_aired() -> None:
    """Stored two seconds after the instant, within the grace; whole, and told so."""
    station = ByHand(programme([slot("a", "05:00:00")]), cached=frozenset())
    station.wait_until("2026-11-24T05:00:02")
    assert station.told == []
    station.tell(events.AudioStored(sha("a")))
    station.wait(5_000)

    (start,) = only([effect for _, effect in station.log], StartSound)
    assert start.at_mono_ms <= station.mono_ms
    station.sound_begins()
    station.sound_ends()
    assert station.told == [("a", "aired", None)]


def test_lost_audio_is_asked_for_at_once() -> None:
    """Found rotten when it was read to be aired: the fetcher hears of it in the same turn."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    station.folder.clear()
    (asked,) = only(station.tell(events.AudioLost(sha("a"), "rotten")), SetWanted)

    assert [audio.sha256 for audio in asked.wanted] == [sha("a")]


def test_the_next_cue_is_decoded_ahead_before_its_way_up() -> None:
    """A start costs no decoding: prepared five seconds before the amplifier goes on, and again for a new player."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    log = station.wait_until("2026-11-24T04:59:55")
    (prepare,) = only([effect for _, effect in log], PrepareSound)
    assert [item.bulletin for item in prepare.items] == ["a"]
    station.tell(events.PlayerGone("died", 0))
    done = station.tell(events.PlayerReady("by hand", 1))

    assert only(done, PrepareSound) == [prepare]


def test_what_was_evicted_is_fetched_again_when_it_is_wanted_again() -> None:
    """What no programme in force needs may go at any time: the station does not count on it later."""
    jingle = programme([slot("a", "05:00:00"), slot("nhac", "06:00:00")])
    station = ByHand(jingle)
    station.arrive(replace(jingle, version=2, slots=jingle.slots[:1]))
    station.folder.discard(sha("nhac"))
    (asked,) = only(station.arrive(replace(jingle, version=3)), SetWanted)

    assert [audio.sha256 for audio in asked.wanted] == [sha("nhac")]
    assert station.station.snapshot(station.now()).cache.stored_files == 1
    assert PROVINCE in {one.scope for one in station.station.snapshot(station.now()).programmes}
