"""Commands that a station must not obey: each is refused once, with its reason, and nothing is done."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner

from tests.core.material import ByHand, at, entries, only
from tests.parts import PLACE, SCOPE, Province
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Command, Refused, ResendRange, Signed, StopOrder, VolumeOrder
from ttcs_edge.core.floors import floor_name
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.core.supervision import REFUSED_OVER_MS
from ttcs_edge.core.trust import counted
from ttcs_edge.wire.documents import read_command, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign

STATION = "da-teh-01"
SUBJECT = f"command:{STATION}"
PAIR = Province(publishers=2, threshold=2)
FIVE = "2026-11-24T05:00:00"
GOOD = Command(
    scope=Scope(SCOPE),
    station=STATION,
    version=at(FIVE),
    issued="2026-11-23T22:00:00Z",
    expires="2026-11-23T23:00:00Z",
    resend=ResendRange(journal=3, first=17, last=21),
)


KEYS = sorted(counted(PAIR.root, "command", GOOD.scope))


def station(province: Province = PAIR, **others: Any) -> ByHand:
    """At five in the morning, believing a province."""
    return ByHand(civil=FIVE, trust=province.root, **others)


def tell(
    here: ByHand, command: Command | bytes, province: Province = PAIR, *, retained: bool = False, again: bool = False
) -> list[effects.Effect]:
    """A command as the broker brings it, through the reader of the wire."""
    data = command if isinstance(command, bytes) else province.sign(command)
    return here.tell(events.CommandArrived(read_command(data, province.root, STATION), 7, retained, again, b"c"))


def assert_refused(here: ByHand, done: list[effects.Effect], code: str, **detail: str) -> None:
    """Told once, acknowledged, and nothing else done."""
    assert not only(done, effects.Resend)
    assert only(done, effects.Acknowledge) == [effects.Acknowledge(7)]
    assert here.faults == [(code, SUBJECT)]
    assert dict(here.station.faults.open[code, SUBJECT].detail) == detail
    assert not here.entries(effects.FloorRaised)


def answers(done: list[effects.Effect]) -> list[tuple[int, bytes, str, str | None]]:
    """Who was told what: the command, its correlation data, what became of it, why."""
    return [(one.command, one.correlation, one.outcome, one.reason) for one in only(done, effects.Answer)]


def test_a_good_command_is_obeyed_when_its_floor_is_on_disk() -> None:
    """The ground on which the attacks stand: Record first; then the work, then the acknowledgement."""
    here = station()
    done = tell(here, GOOD)

    record = next(place for place, effect in enumerate(done) if isinstance(effect, effects.Record))
    raised = [entry for entry in entries(done) if isinstance(entry, effects.FloorRaised)]
    assert raised == [effects.FloorRaised(floor_name(SUBJECT, key), GOOD.version) for key in KEYS]
    assert done[record + 1 : record + 3] == [
        effects.Resend(GOOD.version, b"c", 3, 17, 21),
        effects.Acknowledge(7),
    ]
    assert here.faults == []


def test_a_retained_command_is_refused() -> None:
    """Whoever can publish could have every station obey at every connect."""
    here = station()
    assert_refused(here, tell(here, GOOD, retained=True), "retained-command")


def test_a_command_sent_again_is_refused_once_and_forgotten_in_time() -> None:
    """never-6, replay: a fault at the first time, nothing new at the second, gone a day after the last."""
    here = station()
    tell(here, GOOD)
    done = tell(here, GOOD) + tell(here, GOOD)

    assert not only(done, effects.Resend)
    assert [entry.fault.code for entry in here.entries(effects.FaultRaised)] == ["old-version"]
    assert [entry.version for entry in here.entries(effects.FloorRaised)] == [GOOD.version] * len(KEYS)
    here.wait(REFUSED_OVER_MS)
    assert here.faults == []


def test_a_good_command_clears_what_was_said_of_a_bad_one() -> None:
    """Mended."""
    here = station()
    tell(here, b"{")
    assert here.faults == [("not-json", SUBJECT)]
    tell(here, GOOD)
    assert here.faults == []


def test_an_older_command_is_refused_after_a_restart_too() -> None:
    """never-6, rollback: the floor comes back from the disk."""
    here = station(floors=((SUBJECT, GOOD.version + 1),))
    expected = f"> {GOOD.version + 1}"
    assert_refused(here, tell(here, GOOD), "old-version", found=str(GOOD.version), expected=expected)


def test_a_command_whose_acknowledgement_was_lost_is_no_attack() -> None:
    """The broker says that it brings it again: acknowledged, not done twice, no fault."""
    here = station()
    tell(here, GOOD)
    done = tell(here, GOOD, again=True)

    assert (only(done, effects.Resend), only(done, effects.Acknowledge)) == ([], [effects.Acknowledge(7)])
    assert here.faults == []


def test_a_broker_that_calls_an_old_command_a_redelivery_is_not_believed() -> None:
    """Only the one at the floor can be one."""
    here = station(floors=((SUBJECT, GOOD.version + 1),))
    expected = f"> {GOOD.version + 1}"
    assert_refused(here, tell(here, GOOD, again=True), "old-version", found=str(GOOD.version), expected=expected)


def test_an_expired_command_is_refused() -> None:
    """Held back by a broker until it would do harm."""
    here = station()
    here.wait_until("2026-11-24T06:00:00")
    assert_refused(here, tell(here, GOOD), "expired", expires=GOOD.expires)


def test_without_the_time_no_command_is_obeyed_and_the_next_one_is() -> None:
    """It could have been held back for a year; once there is time, the same one is good."""
    here = station(trusted=False)
    done = tell(here, GOOD)
    assert not only(done, effects.Resend)
    assert ("command-without-time", SUBJECT) in here.faults
    here.trusted = True
    assert only(tell(here, GOOD), effects.Resend)
    assert here.faults == []


def test_a_command_from_the_future_is_refused_and_burns_no_floor() -> None:
    """A centre whose clock is a year ahead must not shut out its own commands for a year."""
    here = station()
    ahead = replace(GOOD, issued="2027-11-23T22:00:00Z", expires="2027-11-23T23:00:00Z", version=2 * GOOD.version)
    assert_refused(here, tell(here, ahead), "issued-ahead", found=ahead.issued, expected="2026-11-23T22:00:00Z")


def test_a_command_for_another_station_is_refused() -> None:
    """Passed on from a neighbour's topic."""
    here = station()
    done = tell(here, replace(GOOD, station="da-teh-02"))
    assert_refused(here, done, "wrong-station", found="da-teh-02", expected=STATION)


def test_a_command_of_a_place_where_the_station_is_not_is_refused() -> None:
    """Good signatures for somewhere else."""
    here = station()
    done = tell(here, replace(GOOD, scope=Scope("vn/lam-dong/bao-loc")))
    assert_refused(here, done, "wrong-scope", found="vn/lam-dong/bao-loc", expected=PLACE)


@pytest.mark.parametrize("keys", ["one", "one twice", "a stranger's", "root's"])
def test_too_few_good_signatures_are_refused(keys: str) -> None:
    """One of two; one of two, twice; nobody known; a key that may do something else."""
    chosen = {
        "one": PAIR.publishers[:1],
        "one twice": PAIR.publishers[:1],
        "a stranger's": [CryptoSigner.generate_ed25519()],
        "root's": [PAIR.root_signer],
    }[keys]
    envelope = json.loads(PAIR.sign(GOOD, chosen))
    if keys == "one twice":
        envelope["signatures"] *= 2
    here = station()
    done = tell(here, json.dumps(envelope).encode())

    assert not only(done, effects.Resend)
    assert here.faults == [("not-enough-signatures", SUBJECT)]


def test_a_trust_root_that_grants_no_commands_takes_none() -> None:
    """One that was made before there were commands goes on as it was."""
    grants = tuple(grant for grant in PAIR.root.grants if grant.role in ("root", "publish"))
    here = ByHand(civil=FIVE, trust=replace(PAIR.root, grants=grants))
    assert_refused(here, tell(here, GOOD), "not-enough-signatures", found="0", expected="1")


def test_a_key_that_may_command_one_commune_may_not_command_the_province() -> None:
    """The grant covers what it names, and what lies below it."""
    commune = Province(scope=PLACE)
    here = station(commune)
    done = tell(here, GOOD, commune)
    assert_refused(here, done, "not-enough-signatures", found="0", expected="1")
    assert only(tell(here, replace(GOOD, scope=Scope(PLACE)), commune), effects.Resend)


def test_a_programme_passed_off_as_a_command_is_refused() -> None:
    """The payload type is part of what was signed."""
    wrong = sign(write_document(GOOD), PAYLOAD_TYPES["programme"], PAIR.publishers)
    read = read_command(wrong, PAIR.root, STATION)
    assert isinstance(read, Refused) and read.code == "wrong-payload-type"
    renamed = json.loads(wrong) | {"payloadType": PAYLOAD_TYPES["command"]}
    read = read_command(json.dumps(renamed).encode(), PAIR.root, STATION)
    assert isinstance(read, Refused) and read.code == "not-enough-signatures"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (replace(GOOD, station="da-teh-02"), "wrong-station"),
        (replace(GOOD, scope=Scope("vn/lam-dong/bao-loc")), "wrong-scope"),
        (replace(GOOD, issued="2026-11-23T20:00:00Z", expires="2026-11-23T21:00:00Z"), "expired"),
        (replace(GOOD, expires=GOOD.issued), "bad-date"),
        (replace(GOOD, resend=UNSET), "bad-action"),
        (replace(GOOD, stop=StopOrder()), "bad-action"),
        (replace(GOOD, resend=UNSET, volume=VolumeOrder(until="2026-12-24T00:00:00Z")), "bad-date"),
    ],
)
def test_who_is_known_is_told_why_nothing_was_done(wrong: Command, code: str) -> None:
    """Refused with its reason, under the correlation data that came with it; nothing else, and no floor."""
    here = station()
    done = tell(here, wrong)
    assert answers(done) == [(GOOD.version, b"c", "refused", code)]
    assert here.faults == [(code, SUBJECT)]
    assert not here.entries(effects.FloorRaised)


@pytest.mark.parametrize(
    "action",
    [
        {"reload": {}},
        {"stop": {}, "resend": {"journal": 1, "first": 1, "last": 2}},
        {"stop": {"now": True}},
        {"stop": None},
        {"volume": {"until": "2026-11-24T00:00:00Z", "percent": 101}},
        {"volume": {"until": "2026-11-24T00:00:00Z", "percent": -1}},
        {"volume": {"until": "2026-11-24T00:00:00Z", "zone": "a" * 65}},
        {"volume": {"percent": 10}},
        {"volume": {"until": "2026-12-24T00:00:00Z"}},
        {"test_tone": {"zone": "cho"}},
        {"test_tone": {"zone": "cho", "seconds": 0}},
        {"test_tone": {"zone": "cho", "seconds": LIMITS.test_tone_s + 1}},
        {"test_tone": {"zone": "", "seconds": 1}},
        {"test_tone": [1]},
        {"restart": "now"},
        {"log": {}},
        {"log": {"lines": LIMITS.log_lines + 1}},
        {"log": {"lines": 10**400}},
        {},
    ],
    ids=str,
)
def test_a_command_with_anything_wrong_is_refused_whole_and_its_sender_told(action: dict[str, Any]) -> None:
    """never-7: every field missing, wrong or huge; an action of a later release; two at once; none."""
    plain = json.loads(write_document(GOOD))
    del plain["resend"]
    payload = json.dumps(plain | action).encode()
    here = station()
    done = tell(here, sign(payload, PAYLOAD_TYPES["command"], PAIR.publishers))

    ((version, correlation, outcome, reason),) = answers(done)
    assert (version, correlation, outcome) == (GOOD.version, b"c", "refused")
    assert here.faults == [(reason, SUBJECT)]
    assert [kind for kind in map(type, done) if kind not in QUIET] == [effects.Answer, effects.Acknowledge]
    assert not here.entries(effects.FloorRaised)


QUIET = (effects.Record, effects.WakeAt, effects.ShowLamp)
"""What follows from a fault, and from any event."""


@pytest.mark.parametrize(
    ("data", "retained"),
    [
        (b"{", False),
        (PAIR.sign(GOOD, [CryptoSigner.generate_ed25519()]), False),
        (PAIR.sign(GOOD), True),
        (sign(b'{"version": "1"}', PAYLOAD_TYPES["command"], PAIR.publishers), False),
        (sign(b'{"version": true}', PAYLOAD_TYPES["command"], PAIR.publishers), False),
        (sign(b'{"version": 0}', PAYLOAD_TYPES["command"], PAIR.publishers), False),
        (sign(b'{"version": 9007199254740992}', PAYLOAD_TYPES["command"], PAIR.publishers), False),
        (sign(b"[]", PAYLOAD_TYPES["command"], PAIR.publishers), False),
    ],
    ids=[
        "garbage",
        "a stranger's",
        "retained",
        "text for a version",
        "true for a version",
        "zero",
        "too large",
        "no object",
    ],
)
def test_who_is_not_known_is_not_answered(data: bytes, retained: bool) -> None:
    """A station does not talk to strangers, nor to what stands on the broker, nor of what has no version."""
    here = station()
    done = tell(here, data, retained=retained)
    assert only(done, effects.Answer) == []
    assert len(here.faults) == 1


def test_who_sends_no_correlation_data_is_not_answered() -> None:
    """The answer would be nobody's: a replay by a stranger makes a station say nothing."""
    here = station()
    tell(here, GOOD)
    data = PAIR.sign(GOOD)
    done = here.tell(events.CommandArrived(read_command(data, PAIR.root, STATION), 7, False, False, b""))
    assert only(done, effects.Answer) == []
    assert here.faults == [("old-version", SUBJECT)]


def test_a_key_that_may_publish_is_told_that_it_may_not_command() -> None:
    """Known, but without the grant."""
    grants = tuple(grant for grant in PAIR.root.grants if grant.role != "command")
    here = ByHand(civil=FIVE, trust=replace(PAIR.root, grants=grants))
    assert answers(tell(here, GOOD)) == [(GOOD.version, b"c", "refused", "not-enough-signatures")]


def test_a_resend_of_the_release_before_is_read_and_written_byte_for_byte() -> None:
    """Nothing of what came later stands in it."""
    before = (
        b'{"scope":"vn/lam-dong","station":"da-teh-01","version":%d,"issued":"2026-11-23T22:00:00Z",'
        b'"expires":"2026-11-23T23:00:00Z","resend":{"journal":3,"first":17,"last":21}}' % GOOD.version
    )
    read = read_command(sign(before, PAYLOAD_TYPES["command"], PAIR.publishers), PAIR.root, STATION)
    assert isinstance(read, Signed) and read.document == GOOD
    assert write_document(GOOD) == before


@pytest.mark.parametrize(("first", "last"), [(5, 4), (1, 1 + LIMITS.resend_reports)])
def test_a_range_without_end_is_refused(first: int, last: int) -> None:
    """Backwards, or one more than the bound: the outbox is not read for it."""
    here = station()
    done = tell(here, replace(GOOD, resend=ResendRange(journal=1, first=first, last=last)))
    found, expected = f"{first}..{last}", f"1..{LIMITS.resend_reports}"
    assert_refused(here, done, "bad-range", found=found, expected=expected)


def test_an_action_that_is_not_known_is_refused_whole() -> None:
    """A station that overlooked a part of an order would do something else than was meant."""
    several: tuple[dict[str, Any], ...] = (
        {"reload": {}},
        {"resend": {"journal": 1, "first": 1, "last": 2, "only": "faults"}},
    )
    for fields in several:
        payload = json.dumps(json.loads(write_document(GOOD)) | fields).encode()
        read = read_command(sign(payload, PAYLOAD_TYPES["command"], PAIR.publishers), PAIR.root, STATION)
        assert isinstance(read, Refused) and read.code == "unknown-field", fields


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(data: bytes) -> None:
    """never-7: whatever comes is a value."""
    assert isinstance(read_command(data, PAIR.root, STATION), Refused)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_change_of_a_good_envelope_brings_another_command(data: st.DataObject) -> None:
    """One byte replaced anywhere: refused, or still the very command that was signed."""
    envelope = bytearray(PAIR.sign(GOOD))
    index = data.draw(st.integers(0, len(envelope) - 1))
    envelope[index] = data.draw(st.integers(0, 255))
    read = read_command(bytes(envelope), PAIR.root, STATION)
    assert isinstance(read, Refused) or read.document == GOOD
    assert isinstance(read_command(PAIR.sign(GOOD), PAIR.root, STATION), Signed)
