"""Faults: raised once, debounced, cleared when their cause ends; never more of them than is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import DAY_MS, PROVINCE, ByHand, at, entries, open_fault, programme, sha, signed, slot
from ttcs_edge.core import events
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.effects import Acknowledge, FaultCleared, FaultRaised
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import AMPLIFIER, Scope, Severity, WallMs
from ttcs_edge.core.supervision import COMES_MOST, DEBOUNCE_MS, OVER_AFTER_MS, QUIET_MS, Supervision

NOW = WallMs(1_000)


def test_a_fault_is_raised_once_however_often_its_condition_is_heard_of() -> None:
    """One clear fault: the first detail stays, nothing is told twice."""
    faults = Supervision(boot=3)
    (raised,) = faults.raise_("relay", "cho", (("error", "first"),), NOW, 0)
    assert isinstance(raised, FaultRaised)
    assert faults.raise_("relay", "cho", (("error", "second"),), WallMs(2_000), 1_000) == []

    fault = raised.fault
    assert (fault.id, fault.code, fault.subject, fault.severity) == ("3-f1", "relay", "cho", Severity.ERROR)
    assert (fault.detail, fault.raised_ms, fault.cleared_ms) == ((("error", "first"),), NOW, None)
    assert list(faults.open.values()) == [fault]


def test_clearing_tells_the_same_fault_with_its_end_once() -> None:
    """The id is that of the raising; a second clearing says nothing."""
    faults = Supervision(boot=3)
    (raised,) = faults.raise_("relay", "cho", (), NOW, 0)
    assert isinstance(raised, FaultRaised)
    (cleared,) = faults.clear("relay", "cho", WallMs(5_000))

    assert cleared == FaultCleared(replace(raised.fault, cleared_ms=WallMs(5_000)))
    assert faults.clear("relay", "cho", WallMs(6_000)) == []
    assert faults.open == {}


def test_the_same_condition_again_is_another_fault() -> None:
    """never-5: an id is never used twice."""
    faults = Supervision(boot=3)
    ids = []
    for _ in range(3):
        (raised,) = faults.raise_("relay", "cho", (), NOW, 0)
        assert isinstance(raised, FaultRaised)
        ids.append(raised.fault.id)
        faults.clear("relay", "cho", NOW)
    assert ids == ["3-f1", "3-f2", "3-f3"]


def test_what_is_debounced_is_a_fault_only_when_it_lasts() -> None:
    """Nobody is told of a link that was down for less than five seconds.

    The first instant counts, and the last reason: what is lost at first is found not to be known by its name later.
    """
    faults = Supervision(boot=1)
    wait_ms = DEBOUNCE_MS["link-down"]
    assert faults.raise_("link-down", "broker", (("reason", "lost"),), NOW, 0) == []
    assert faults.raise_("link-down", "broker", (("reason", "dns"),), NOW, wait_ms - 1) == []
    assert faults.wake_mono_ms == wait_ms
    assert faults.mature(NOW, wait_ms - 1) == []
    (raised,) = faults.mature(NOW, wait_ms)

    assert isinstance(raised, FaultRaised) and raised.fault.detail == (("reason", "dns"),)
    assert faults.mature(NOW, wait_ms + 1) == [] and faults.wake_mono_ms is None


def test_what_ended_within_its_debounce_time_was_never_a_fault() -> None:
    """And it does not ripen afterwards."""
    faults = Supervision(boot=1)
    faults.raise_("link-down", "broker", (), NOW, 0)
    assert faults.clear("link-down", "broker", NOW) == []
    assert faults.mature(NOW, 1_000_000) == [] and faults.wake_mono_ms is None


@pytest.mark.parametrize("code", sorted(OVER_AFTER_MS))
def test_what_happened_and_is_past_ends_by_itself_a_while_after_it_was_last_heard_of(code: str) -> None:
    """It has no end of its own; hearing of it again begins the while anew."""
    faults = Supervision(boot=1)
    faults.raise_(code, "x", (), NOW, 0)
    faults.raise_(code, "x", (), NOW, 1_000)
    assert faults.mature(NOW, OVER_AFTER_MS[code]) == []
    assert faults.wake_mono_ms == OVER_AFTER_MS[code] + 1_000
    (cleared,) = faults.mature(NOW, OVER_AFTER_MS[code] + 1_000)

    assert isinstance(cleared, FaultCleared) and faults.open == {}
    assert faults.wake_mono_ms is None


def test_what_an_earlier_life_left_and_has_no_end_of_its_own_ends_too() -> None:
    """A day after the start, for a database that was damaged; what ends by its cause is left to its cause."""
    faults = Supervision(boot=2)
    faults.remember((open_fault("store-damaged", "database"), open_fault("relay", "cho")), 5_000)
    assert faults.mature(NOW, 5_000 + OVER_AFTER_MS["store-damaged"] - 1) == []
    (cleared,) = faults.mature(NOW, 5_000 + OVER_AFTER_MS["store-damaged"])

    assert isinstance(cleared, FaultCleared) and cleared.fault.code == "store-damaged"
    assert list(faults.open) == [("relay", "cho")]


def test_it_asks_to_be_woken_for_whatever_comes_first() -> None:
    """never-8: what ripens in five seconds does not wait for what is past in an hour."""
    faults = Supervision(boot=1)
    faults.raise_("report-refused", "outbox", (), NOW, 0)
    faults.raise_("link-down", "broker", (), NOW, 1_000)
    assert faults.wake_mono_ms == 1_000 + DEBOUNCE_MS["link-down"]
    faults.mature(NOW, 6_000)

    assert faults.wake_mono_ms == OVER_AFTER_MS["report-refused"]


def test_faults_are_bounded_and_those_that_are_there_still_end() -> None:
    """never-8: a stranger who makes a thousand subjects fail leaves room for what fails here; that is bounded, too."""
    faults = Supervision(boot=1)
    told = [faults.raise_("timeout", str(number), (), NOW, 0) for number in range(1_000)]
    assert sum(map(len, told)) == len(faults.open) == LIMITS.refused_faults
    assert len(faults.raise_("relay", "cho", (), NOW, 0)) == 1
    told = [faults.raise_("cue-missed", str(number), (), NOW, 0) for number in range(1_000)]

    assert sum(map(len, told)) == LIMITS.open_faults - LIMITS.refused_faults - 1
    assert len(faults.clear("relay", "cho", NOW)) == 1
    assert len(faults.raise_("relay", "amplifier", (), NOW, 0)) == 1


def test_a_refused_alert_is_a_fault_for_a_day() -> None:
    """A good one may never come on its topic; but what its station could not air stays until it is heard."""
    faults = Supervision(boot=1)
    for code in ("not-enough-signatures", "cue-missed"):
        faults.raise_(code, "vn#alert:lu-quet", (), NOW, 0)

    assert faults.mature(NOW, DAY_MS - 1) == []
    assert [type(entry) for entry in faults.mature(NOW, DAY_MS)] == [FaultCleared]
    assert list(faults.open) == [("cue-missed", "vn#alert:lu-quet")]


def test_an_error_that_no_record_could_hold_is_told_all_the_same() -> None:
    """never-7: half a surrogate pair in an error's text (a file name, say) is replaced, not fatal."""
    faults = Supervision(boot=1)
    (raised,) = faults.raise_("store-failing", "database", (("error", "no \udce9"),), NOW, 0)

    assert isinstance(raised, FaultRaised)
    assert raised.fault.detail == (("error", "no ?"),)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["raise", "clear", "wait"]),
            st.sampled_from(["link-down", "relay", "report-refused", "timeout"]),
            st.sampled_from(["a", "b"]),
            st.integers(0, 4_000_000),
        ),
        max_size=40,
    )
)
def test_raised_and_cleared_alternate_for_every_fault_and_ids_are_used_once(
    steps: list[tuple[str, str, str, int]],
) -> None:
    """never-5: whatever the order of conditions."""
    faults, told, mono_ms = Supervision(boot=7), [], 0
    for what, code, subject, span_ms in steps:
        if what == "raise":
            told += faults.raise_(code, subject, (), NOW, mono_ms)
        elif what == "clear":
            told += faults.clear(code, subject, NOW)
        else:
            mono_ms += span_ms
            told += faults.mature(NOW, mono_ms)
    open_ids: dict[tuple[str, str], str] = {}
    used: set[str] = set()
    for entry in told:
        assert isinstance(entry, FaultRaised | FaultCleared)
        key = (entry.fault.code, entry.fault.subject)
        if isinstance(entry, FaultRaised):
            assert key not in open_ids and entry.fault.id not in used
            open_ids[key] = entry.fault.id
            used.add(entry.fault.id)
        else:
            assert open_ids.pop(key) == entry.fault.id
    assert open_ids == {key: fault.id for key, fault in faults.open.items()}


# over a station


def test_a_document_that_is_refused_again_and_again_is_one_fault_and_each_is_acknowledged() -> None:
    """never-7: nothing changes but the list of faults; the broker is not left with a message that nobody takes."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    before = station.station.snapshot(station.now())
    told = []
    for delivery in range(5):
        done = station.arrive(Refused("not-utf8", PROVINCE, (("found", "byte 3"),)), delivery=delivery)
        assert Acknowledge(delivery) in done
        told += entries(done)

    (raised,) = [entry for entry in told if isinstance(entry, FaultRaised)]
    assert raised.fault.detail == (("found", "byte 3"),)
    after = station.station.snapshot(station.now())
    assert replace(after, faults=()) == replace(before, faults=())
    assert [(fault.code, fault.subject) for fault in after.faults] == [("not-utf8", PROVINCE)]


def test_a_good_document_ends_what_was_said_of_bad_ones_of_its_scope() -> None:
    """And of no other scope."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    station.arrive(Refused("not-utf8", PROVINCE))
    station.arrive(Refused("not-json", PROVINCE))
    station.arrive(Refused("not-json", "vn"), scope=Scope("vn"))
    station.arrive(programme([slot("a", "05:00:00")], version=2))

    assert station.faults == [("not-json", "vn")]


def test_what_was_said_of_a_file_ends_when_it_is_there_or_when_nobody_wants_it() -> None:
    """A failing fetch: one fault at a time, the newest reason; over with the file, or with the need for it."""
    document = programme([slot("a", "05:00:00"), slot("b", "06:00:00")])
    station = ByHand(document, cached=frozenset())
    station.tell(events.AudioFailed(sha("a"), "timeout", ()))
    station.tell(events.AudioFailed(sha("a"), "timeout", ()))
    station.tell(events.AudioFailed(sha("b"), "wrong-hash", ()))
    assert station.faults == [("timeout", sha("a")), ("wrong-hash", sha("b"))]
    station.tell(events.AudioFailed(sha("a"), "http-status", ()))
    assert station.faults == [("wrong-hash", sha("b")), ("http-status", sha("a"))]

    station.tell(events.AudioStored(sha("a")))
    assert station.faults == [("wrong-hash", sha("b"))]
    station.arrive(replace(document, version=2, slots=document.slots[:1]))
    assert station.faults == []


def test_a_missed_slot_is_a_fault_until_it_is_heard_or_taken_away() -> None:
    """The same slot missed on two days is one fault; a withdrawn slot is nobody's fault any more."""
    document = programme([slot("a", "05:00:00"), slot("b", "06:00:00")])
    station = ByHand(document, cached=frozenset())
    station.wait_until("2026-11-25T07:00:00")
    assert station.told == [(name, "missed", "no-audio") for name in ("a", "b", "a", "b")]
    assert station.faults == [("cue-missed", "vn/lam-dong#a"), ("cue-missed", "vn/lam-dong#b")]
    (first, _) = station.station.faults.open.values()
    assert first.detail == (("reason", "no-audio"), ("occurrence", "vn/lam-dong#a@2026-11-24T05:00:00"))

    station.arrive(replace(document, version=2, slots=document.slots[1:]))
    assert station.faults == [("cue-missed", "vn/lam-dong#b")]
    station.tell(events.AudioStored(sha("b")))
    station.wait_until("2026-11-26T06:00:00")
    station.sound_begins()
    station.sound_ends()
    assert station.faults == []


def test_what_kept_a_cue_off_the_air_by_rule_is_no_fault() -> None:
    """Withdrawn, stopped, pre-empted, quiet: as it should be, and nobody has to mend anything."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(1_000)
    station.arrive(programme([slot("z", "06:00:00")], version=2))
    station.sound_ends(False, 1_500)

    assert station.told == [("a", "part", "withdrawn")]
    assert station.faults == []


@pytest.mark.parametrize(
    ("code", "subject", "mend"),
    [
        ("player-died", "player", events.PlayerReady("hw:0", 1)),
        ("sound-device", "hw:0", events.SoundDevice(True, "hw:0", "")),
        ("link-down", "broker", events.LinkChanged(True, "")),
        ("session-taken-over", "broker", events.LinkChanged(True, "")),
        ("store-failing", "database", events.ConditionChanged("store-failing", "database", False)),
        ("no-time", "clock", events.TimePassed()),
        ("trust-expired", "vn", events.TimePassed()),
    ],
)
def test_a_fault_of_an_earlier_life_ends_when_its_cause_has_ended(code: str, subject: str, mend: events.Event) -> None:
    """What was open at the power cut is remembered, and cleared under its own id."""
    fault = open_fault(code, subject)
    station = ByHand(programme([slot("a", "05:00:00")]), open_faults=(fault,), boot=2)
    station.tell(mend)

    assert station.faults == []
    (cleared,) = station.entries(FaultCleared)
    assert cleared.fault.id == fault.id and cleared.fault.cleared_ms == station.wall_ms


@pytest.mark.parametrize(
    ("event", "code", "subject", "detail"),
    [
        (events.SoundDevice(False, "hw:0", "busy"), "sound-device", "hw:0", (("error", "busy"),)),
        (events.RelayFailed("cho", "reads 0"), "relay", "cho", (("error", "reads 0"),)),
        (events.PlayerGone("hung", 0), "player-died", "player", (("reason", "hung"),)),
        (events.AudioLost(sha("a"), "rotten"), "rotten", sha("a"), ()),
        (events.LinkChanged(False, "session-taken-over"), "session-taken-over", "broker", ()),
        (
            events.ConditionChanged("store-failing", "database", True, (("error", "full"),)),
            "store-failing",
            "database",
            (("error", "full"),),
        ),
    ],
)
def test_what_breaks_is_told_at_once_with_its_reason(
    event: events.Event, code: str, subject: str, detail: tuple[tuple[str, str], ...]
) -> None:
    """In the turn in which it is heard of, on disk, once."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    station.folder.clear()
    (raised,) = [entry for entry in entries(station.tell(event)) if isinstance(entry, FaultRaised)]

    assert (raised.fault.code, raised.fault.subject, raised.fault.detail) == (code, subject, detail)
    assert [entry for entry in entries(station.tell(event)) if isinstance(entry, FaultRaised)] == []


def test_a_link_that_was_down_for_a_moment_is_never_told_of() -> None:
    """Up again after four seconds: nothing ripens afterwards. Down for five: told, with its reason and detail."""
    station = ByHand()
    station.tell(events.LinkChanged(False, "refused", (("code", "5"),)))
    station.wait(4_000)
    station.tell(events.LinkChanged(True, ""))
    station.wait(60_000)
    assert station.entries(FaultRaised) == []

    station.tell(events.LinkChanged(False, "refused", (("code", "5"),)))
    station.wait(5_000)
    (raised,) = station.entries(FaultRaised)
    assert raised.fault.detail == (("reason", "refused"), ("code", "5"))


def test_what_an_expired_programme_missed_is_nobodys_fault_any_more() -> None:
    """Its slots are gone with it; that it expired is the fault that stays."""
    station = ByHand(programme([slot("a", "05:00:00")], expires="2026-11-23T23:00:00Z"), cached=frozenset())
    station.wait_until("2026-11-24T05:30:00")
    assert station.faults == [("cue-missed", "vn/lam-dong#a")]
    station.wait_until("2026-11-24T06:00:00")

    assert station.faults == [("programme-expired", PROVINCE)]


def test_relay_faults_end_when_the_relays_have_done_as_told() -> None:
    """A cue that sounds is the proof; the zones that it did not use stay in doubt."""
    faults = (open_fault("relay", AMPLIFIER), open_fault("relay", "cho"), open_fault("relay", "dinh"))
    station = ByHand(programme([slot("a", "05:00:00", zones=("cho",))]), open_faults=faults, boot=2)
    station.wait_until("2026-11-24T05:00:00")
    assert len(station.faults) == 3
    station.sound_begins()

    assert station.faults == [("relay", "dinh")]


def test_a_station_without_trusted_time_says_so_until_it_has_it() -> None:
    """air-7."""
    station = ByHand(programme([slot("a", "05:00:00")]), trusted=False)
    assert station.faults == [("no-time", "clock")]
    station.trusted = True
    station.tell(events.TimePassed())

    assert station.faults == []
    assert [type(entry) for entry in station.entries(FaultRaised) + station.entries(FaultCleared)] == [
        FaultRaised,
        FaultCleared,
    ]
    assert station.entries(FaultRaised)[0].fault.raised_ms == at("2026-11-24T04:00:00")


def test_what_is_refused_in_turn_with_the_good_one_stays_until_it_is_quiet() -> None:
    """Whoever sends a forged document and a true one, again and again, gets a few records for it and no more."""
    here = ByHand(civil="2026-11-24T05:00:00")
    good = programme([slot("sang", "17:00:00")])
    here.tell(events.ProgrammeArrived(signed(good), PROVINCE, 1))
    for _ in range(500):
        here.tell(events.ProgrammeArrived(Refused("not-json", PROVINCE), PROVINCE, 1))
        here.tell(events.ProgrammeArrived(signed(good), PROVINCE, 1))

    assert len(here.entries(FaultRaised)) == COMES_MOST + 1
    assert len(here.entries(FaultCleared)) == COMES_MOST
    assert here.faults == [("not-json", PROVINCE)]
    here.wait(QUIET_MS - 1)
    assert here.faults == [("not-json", PROVINCE)]
    here.wait(1)
    assert here.faults == [] and here.station.faults.comings == {}


def test_what_came_too_often_and_is_not_good_again_is_never_called_mended() -> None:
    """Quiet alone does not make it so."""
    here = ByHand(civil="2026-11-24T05:00:00")
    good = programme([slot("sang", "17:00:00")])
    for _ in range(COMES_MOST + 1):
        here.tell(events.ProgrammeArrived(signed(good), PROVINCE, 1))
        here.tell(events.ProgrammeArrived(Refused("not-json", PROVINCE), PROVINCE, 1))
    here.wait(2 * QUIET_MS)
    assert here.faults == [("not-json", PROVINCE)]
    here.tell(events.ProgrammeArrived(signed(good), PROVINCE, 1))
    assert here.faults == []
