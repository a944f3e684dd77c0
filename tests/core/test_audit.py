"""The audit trail: what is an entry and what is none, who did it, and how few entries a flood of forgeries makes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.core.material import (
    HOUR_MS,
    KEY,
    PROVINCE,
    SETTINGS,
    STRANGER,
    TRUST,
    ByHand,
    alert,
    programme,
    signed,
    slot,
)
from tests.core.test_live import Pole
from ttcs_edge.core import effects, events
from ttcs_edge.core.audit import REFUSAL_EVERY_MS, REFUSALS_AT_ONCE, UNSAID_AFTER_MS
from ttcs_edge.core.documents import Beacon, Grant, Refused, RestartOrder, Signed, StopOrder, TrustRoot
from ttcs_edge.core.effects import Audited
from ttcs_edge.core.model import LocalUser, MonoMs, Sha256
from ttcs_edge.core.trust import utc_text

MORNING = programme([slot("a", "05:00:00")], version=3)
TUAN = LocalUser(1000, "tuan")
AUDIO = Sha256("a" * 64)
NAME = ("lu-quet", f"{PROVINCE}#alert:lu-quet")
FLOOD = 10_000


def told(station: ByHand) -> list[Audited]:
    """Every entry so far."""
    return station.entries(Audited)


def forged(number: int) -> events.AlertArrived:
    """An alert with a field which nobody knows, on a topic of its own: it is told by its own name."""
    topic = (PROVINCE, f"gia-{number}")
    return events.AlertArrived(Refused("unknown-field", f"{PROVINCE}#alert:gia-{number}"), topic, number)


def beacon(station: ByHand, *signers: str) -> events.BeaconArrived:
    """A beacon of this moment."""
    made = Beacon(
        scope=PROVINCE,
        version=station.wall_ms,
        issued=utc_text(station.wall_ms),
        expires=utc_text(station.wall_ms + HOUR_MS),
    )
    return events.BeaconArrived(signed(made, *signers), PROVINCE, 3, True, MonoMs(station.mono_ms))


def test_a_life_begins_and_ends_with_an_entry() -> None:
    """Which release it was, and which root it trusted; and why it ended. Ids are of this life alone (decision 5)."""
    station = ByHand(MORNING, boot=7, software="0.1.0")
    station.tell(events.StopRequested())
    station.tell(events.StopRequested())

    first, last = told(station)
    assert (first.id, first.deed, first.what, first.subject) == ("7-u1", "started", "station", SETTINGS.id)
    assert dict(first.detail) == {"software": "0.1.0", "trust": str(TRUST.version)}
    assert (first.wall_ms, first.trusted) == (station.wall_ms, True)
    assert (last.id, last.deed, dict(last.detail)) == ("7-u2", "stopped", {"reason": "signal"})


def test_a_restart_that_was_ordered_says_so() -> None:
    """The order, and that it is why the station left."""
    station = ByHand()
    station.order(restart=RestartOrder())
    command = station.wall_ms
    station.tell(events.ConfigChecked(command))
    station.tell(events.AnswerGone(command))
    station.wait(5_000)

    assert [(one.deed, one.detail[0]) for one in told(station)[1:]] == [
        ("accepted", ("action", "restart")),
        ("stopped", ("reason", "command")),
    ]


class TestWhatIsAccepted:
    """One entry for each document: what, which version, by whose keys."""

    def test_a_programme(self) -> None:
        """From the broker, so nobody at the box did it; the very same again is no news."""
        station = ByHand()
        station.arrive(MORNING, KEY, STRANGER)
        station.arrive(MORNING, KEY, STRANGER)

        (entry,) = told(station)[1:]
        assert (entry.deed, entry.what, entry.subject, entry.version) == ("accepted", "programme", PROVINCE, 3)
        assert (entry.keys, entry.by, entry.code) == (tuple(sorted((KEY, STRANGER))), None, None)

    def test_a_programme_that_was_carried_in_by_hand(self) -> None:
        """Who did it is in the same entry."""
        station = ByHand()
        station.tell(events.ProgrammeArrived(signed(MORNING), PROVINCE, -1, TUAN))

        assert [(one.deed, one.what, one.by) for one in told(station)[1:]] == [("accepted", "programme", TUAN)]

    def test_an_alert_and_its_update(self) -> None:
        """How severe it calls itself, and what kind of message it is."""
        station = ByHand()
        station.warn(alert())
        station.warn(alert(version=2, identifier="urn:2", msg_type="Update", references=("urn:lu-quet",)))

        first, second = told(station)[1:]
        assert (first.what, first.subject, first.version, first.keys) == ("alert", NAME[1], 1, (KEY,))
        assert dict(first.detail) == {"msg_type": "Alert", "severity": "Severe"}
        assert (second.version, dict(second.detail)["msg_type"]) == (2, "Update")

    def test_a_command(self) -> None:
        """With what it asked for; that it was refused later, its answer tells."""
        station = ByHand()
        station.order(stop=StopOrder())

        (entry,) = told(station)[1:]
        assert (entry.what, entry.subject, dict(entry.detail)) == ("command", "command:da-teh-01", {"action": "stop"})

    def test_a_live_relay_once_a_session(self) -> None:
        """Five segments a second would be a flood of its own."""
        station = Pole()
        station.speak_for(5_000)

        assert [(one.deed, one.what) for one in told(station)[1:]] == [("accepted", "live")]

    def test_a_trust_root(self) -> None:
        """Each of a row, by the keys that signed it."""
        anchor = replace(TRUST, grants=(*TRUST.grants, Grant(role="root", scope=TRUST.scope, keys=(KEY,), threshold=1)))
        station = ByHand(trust=anchor)
        second = replace(anchor, version=2, issued="2026-02-01T00:00:00Z")
        roots: tuple[Signed[TrustRoot], ...] = (signed(second), signed(replace(second, version=3)))
        station.tell(events.TrustArrived(roots, TRUST.scope, 4))

        found = [(one.deed, one.what, one.version, one.keys) for one in told(station)[1:]]
        assert found == [("accepted", "trust", 2, (KEY,)), ("accepted", "trust", 3, (KEY,))]

    def test_audio_that_was_carried_in_by_hand(self) -> None:
        """By whom; what came over the line is not: the programme that names its hash is."""
        station = ByHand()
        station.tell(events.AudioStored(AUDIO))
        station.tell(events.AudioCarried(AUDIO, TUAN))

        assert [(one.deed, one.what, one.subject, one.by) for one in told(station)[1:]] == [
            ("accepted", "audio", AUDIO, TUAN)
        ]

    def test_a_beacon_is_no_entry(self) -> None:
        """One a minute, for years: it would wear out the card, and what it names is an entry when it comes."""
        grant = Grant(role="beacon", scope=TRUST.scope, keys=(KEY,), threshold=1)
        station = ByHand(trust=replace(TRUST, grants=(*TRUST.grants, grant)))
        for _ in range(60):
            station.tell(beacon(station))
            station.wait(60_000)

        assert station.faults == [] and len(told(station)) == 1


class TestWhatIsRefused:
    """An entry with the code, the keys that are known, and the fields of its words."""

    def test_a_programme_of_an_old_version(self) -> None:
        """What it called itself, and who signed it."""
        station = ByHand(MORNING)
        station.arrive(replace(MORNING, version=2))

        (entry,) = told(station)[1:]
        assert (entry.deed, entry.code, entry.version, entry.keys) == ("refused", "old-version", 2, (KEY,))
        assert dict(entry.detail) == {"found": "2", "expected": ">= 3"}

    @pytest.mark.parametrize(
        ("event", "what"),
        [
            (events.TrustArrived(Refused("not-json", "x"), PROVINCE, 1), "trust"),
            (events.ProgrammeArrived(Refused("not-json", "x"), PROVINCE, 1), "programme"),
            (events.BeaconArrived(Refused("not-json", "x"), PROVINCE, 1, True, MonoMs(0)), "beacon"),
            (events.AlertArrived(Refused("not-json", "x"), (PROVINCE, "x"), 1), "alert"),
            (events.CommandArrived(Refused("not-json", "x"), 1, False, False, b""), "command"),
            (events.LiveArrived(Refused("not-json", "x"), (PROVINCE, "x")), "live"),
            (events.AudioCarried(AUDIO, TUAN, "not-json"), "audio"),
        ],
    )
    def test_every_kind_of_document(self, event: events.Event, what: str) -> None:
        """Garbage has no version and no keys; once, however often it comes from the wire."""
        station = ByHand()
        station.tell(event)
        station.tell(event)

        entries = told(station)[1:]
        assert [(one.deed, one.what, one.code) for one in entries][:1] == [("refused", what, "not-json")]
        assert (entries[0].version, entries[0].keys) == (None, ())
        assert len(entries) == (2 if what == "audio" else 1), "what a person does is told each time"

    def test_the_same_again_is_counted_and_told_by_the_next_entry(self) -> None:
        """Whatever that is: here the good version that ends the fault."""
        station = ByHand(MORNING)
        for _ in range(5):
            station.arrive(replace(MORNING, version=2))
        station.arrive(replace(MORNING, version=4))

        assert [(one.deed, one.unsaid) for one in told(station)[1:]] == [
            ("refused", ()),
            ("accepted", (("old-version", 4),)),
        ]

    def test_what_was_only_counted_is_told_in_time_when_nothing_else_comes(self) -> None:
        """Six hours behind the first of them, and not again."""
        station = ByHand(MORNING)
        station.arrive(replace(MORNING, version=2))
        station.wait(1_000)
        station.arrive(replace(MORNING, version=2))
        station.wait(UNSAID_AFTER_MS - 1)
        assert len(told(station)) == 2
        station.wait(1)
        assert [(one.deed, one.what, one.unsaid) for one in told(station)[2:]] == [
            ("counted", "station", (("old-version", 1),))
        ]
        station.wait(4 * UNSAID_AFTER_MS)
        assert len(told(station)) == 3

    def test_a_flood_of_forgeries_makes_a_bounded_number_of_entries_and_every_one_counts(self) -> None:
        """never-8: ten thousand in a minute, each under a name of its own; the rest is told as numbers."""
        station = ByHand(MORNING)
        for number in range(FLOOD):
            station.tell(forged(number))
            station.wait(6)
        station.wait(UNSAID_AFTER_MS)

        entries = told(station)[1:]
        refused = [one for one in entries if one.deed == "refused"]
        assert len(refused) == REFUSALS_AT_ONCE and len(entries) == REFUSALS_AT_ONCE + 1
        assert len(refused) + sum(count for one in entries for _, count in one.unsaid) == FLOOD

    def test_a_good_document_between_two_forgeries_opens_no_door(self) -> None:
        """Each good one ends the fault, and each forged one begins it anew: refusals have room for themselves only."""
        station = ByHand(MORNING)
        codes = ("not-json", "not-utf8", "duplicate-key", "too-deep", "oversized")  # of each only a few are told
        for version in range(4, 204):
            station.arrive(Refused(codes[version % len(codes)], PROVINCE))
            station.arrive(replace(MORNING, version=version))

        entries = told(station)[1:]
        assert sum(one.deed == "refused" for one in entries) == REFUSALS_AT_ONCE
        assert sum(one.deed == "accepted" for one in entries) == 200
        assert sum(count for one in entries for _, count in one.unsaid) == 200 - REFUSALS_AT_ONCE

    def test_there_is_room_for_one_more_every_ten_minutes(self) -> None:
        """A day of forgeries costs the card less than 200 entries."""
        station = ByHand(MORNING)
        for number in range(24 * 60):
            station.tell(forged(number))
            station.arrive(replace(MORNING, version=4 + number))  # nothing waits to be told
            station.wait(60_000)

        refused = sum(one.deed == "refused" for one in told(station))
        assert refused <= REFUSALS_AT_ONCE + 24 * HOUR_MS // REFUSAL_EVERY_MS


def test_an_entry_never_stands_before_sound() -> None:
    """Decision 1: an alert's switches are asked for before the record that tells who sent it."""
    station = ByHand()
    done = station.warn(alert())

    kinds = [type(one) for one in done]
    assert kinds.index(effects.SwitchAmplifier) < kinds.index(effects.Record)
    assert any(isinstance(one, Audited) for one in done[kinds.index(effects.Record)].entries)  # type: ignore[union-attr]
