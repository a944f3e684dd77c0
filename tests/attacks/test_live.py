"""Who would speak with the province's voice: each check of a live segment, by the attack that it stops."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import HOUR_MS, KEY, PROVINCE, SETTINGS, STRANGER, TRUST, at, signed
from ttcs_edge.core.documents import Grant, LiveSegment, Refused, TrustRoot
from ttcs_edge.core.model import Instant, MonoMs, Scope, WallMs
from ttcs_edge.core.trust import Accepted, AlreadyInForce, judge_live, utc_text

NOW_MS = at("2026-11-24T05:00:00")
SUBJECT = "vn/lam-dong#live:thoi-su"
GOOD = LiveSegment(
    scope=PROVINCE,
    id="thoi-su",
    version=NOW_MS - 60_000,
    number=120,
    sent=utc_text(NOW_MS - 1_000),
    expires=utc_text(NOW_MS + 9_000),
    until=utc_text(NOW_MS + HOUR_MS),
    title="Thời sự",
    packets=("AAE=",),
)
KNOWN = (GOOD.version, 119)


def judge(
    segment: LiveSegment = GOOD,
    *signers: str,
    trust: TrustRoot = TRUST,
    topic: tuple[str, str] = (PROVINCE, "thoi-su"),
    known: tuple[int, int] | None = KNOWN,
    voice: tuple[str, ...] = (KEY,),
    trusted: bool = True,
) -> Accepted | AlreadyInForce | Refused:
    """What a station of the province says to a segment."""
    now = Instant(WallMs(NOW_MS), MonoMs(1_000_000), trusted)
    return judge_live(
        signed(segment, *signers),
        trust=trust,
        topic=topic,
        station_scope=SETTINGS.scope,
        known=known,
        voice=frozenset(voice),
        now=now,
    )


def granted(**others: Any) -> TrustRoot:
    """A trust root with this one grant."""
    fields: dict[str, Any] = {"role": "live", "scope": Scope("vn"), "keys": (KEY,), "threshold": 1}
    return replace(TRUST, grants=(Grant(**(fields | others)),))


def test_what_is_right_is_played() -> None:
    """The next segment of a session, the first that a station hears, and the first of a newer session."""
    assert judge() == Accepted()
    assert judge(known=None) == Accepted()
    assert judge(replace(GOOD, version=GOOD.version + 1, number=0)) == Accepted()


@pytest.mark.parametrize("topic", [(PROVINCE, "hop-tinh"), ("vn", "thoi-su")])
def test_1_a_segment_that_is_carried_over_to_another_topic_is_refused(topic: tuple[str, str]) -> None:
    """The broker, or who may publish there, gives one relay out as another."""
    expected = f"{topic[0]}#live:{topic[1]}"
    assert judge(topic=topic) == Refused("wrong-scope", expected, (("found", SUBJECT), ("expected", expected)))


def test_2_a_segment_for_another_province_is_refused() -> None:
    """Signed by a key that may speak there."""
    there = replace(GOOD, scope=Scope("vn/gia-lai"))
    subject = "vn/gia-lai#live:thoi-su"
    refused = Refused("wrong-scope", subject, (("found", "vn/gia-lai"), ("expected", SETTINGS.scope)))
    assert judge(there, topic=("vn/gia-lai", "thoi-su")) == refused


def test_3_nobody_speaks_under_a_trust_root_that_has_expired() -> None:
    """To the second."""
    over = replace(TRUST, expires=utc_text(NOW_MS))
    assert judge(trust=over) == Refused("trust-expired", "vn", (("expires", over.expires),))


@pytest.mark.parametrize(
    "trust",
    [
        granted(role="publish"),
        granted(role="alert", most_severe="Extreme"),
        granted(scope=Scope("vn/lam-dong/da-teh")),
        granted(keys=(STRANGER,)),
    ],
    ids=["may only publish", "may only warn", "may only speak below", "is another's"],
)
def test_4_a_key_that_may_not_speak_live_here_is_refused(trust: TrustRoot) -> None:
    """Whatever else it may do, wherever else."""
    refused = Refused("not-enough-signatures", PROVINCE, (("found", "0"), ("expected", "1")))
    found = judge(trust=trust)
    assert isinstance(found, Refused) and (found.code, found.detail) == (refused.code, refused.detail)


def test_4_two_must_sign_where_two_are_asked_for() -> None:
    """A meeting that a station relays only when both heads of it agree."""
    both = granted(keys=(KEY, STRANGER), threshold=2)
    refused = Refused("not-enough-signatures", PROVINCE, (("found", "1"), ("expected", "2")))
    assert judge(GOOD, KEY, trust=both) == refused
    assert judge(GOOD, KEY, STRANGER, trust=both, voice=(KEY, STRANGER)) == Accepted()


def test_5_last_week_s_segments_are_refused() -> None:
    """Good signatures, kept by whoever listened; also when the station was just started, and knows of nothing."""
    sent_ms = NOW_MS - 7 * 86_400_000
    old = replace(GOOD, sent=utc_text(sent_ms), expires=utc_text(sent_ms + 10_000))
    assert judge(old, known=None) == Refused("expired", PROVINCE, (("expires", old.expires),))


def test_5_what_a_broker_held_back_for_ten_seconds_is_refused() -> None:
    """To the second."""
    held = replace(GOOD, sent=utc_text(NOW_MS - 10_000), expires=utc_text(NOW_MS))
    assert judge(held) == Refused("expired", PROVINCE, (("expires", held.expires),))


def test_6_what_will_be_said_tomorrow_is_refused() -> None:
    """A sender whose clock is wrong: it would shut out what comes until then."""
    tomorrow = replace(GOOD, sent=utc_text(NOW_MS + 86_400_000), expires=utc_text(NOW_MS + 86_410_000))
    found = judge(tomorrow)
    assert isinstance(found, Refused) and found.code == "issued-ahead"


def test_7_a_station_without_the_time_relays_nothing() -> None:
    """It could not tell today's segments from last week's."""
    assert judge(trusted=False) == Refused("live-without-time", SUBJECT)


def test_8_a_session_that_is_over_is_refused() -> None:
    """Its time was signed; who goes on is not heard."""
    over = replace(GOOD, until=utc_text(NOW_MS))
    assert judge(over) == Refused("expired", SUBJECT, (("expires", over.until),))


def test_9_an_older_session_is_refused() -> None:
    """never-6: the sender was started again, and somebody mixes the two."""
    older = replace(GOOD, version=GOOD.version - 1)
    found = (("found", str(older.version)), ("expected", f">= {GOOD.version}"))
    assert judge(older) == Refused("old-version", SUBJECT, found)


@pytest.mark.parametrize("number", [0, 118, 119])
def test_9_what_came_before_or_jumps_back_is_not_played_again(number: int) -> None:
    """A replay within ten seconds; and what a network does by itself, which is nobody's fault."""
    assert judge(replace(GOOD, number=number)) == AlreadyInForce()


def test_10_who_has_another_key_speaks_in_no_session_that_was_begun_without_it() -> None:
    """A thief slips his own words in among those of the centre: under its version he does not; he begins a newer one.

    Of a sender with several keys, all of its segments have enough of them in common.
    """
    both = granted(keys=(KEY, "deputy"))
    found = (("found", "0"), ("expected", "1"))
    assert judge(GOOD, "deputy", trust=both) == Refused("not-enough-signatures", SUBJECT, found)
    assert judge(GOOD, "deputy", trust=both, known=None) == Accepted()
    assert judge(replace(GOOD, version=GOOD.version + 1, number=0), "deputy", trust=both) == Accepted()
    assert judge(GOOD, KEY, "deputy", trust=both) == Accepted()
    assert judge(GOOD, "deputy", trust=both, voice=(KEY, "deputy")) == Accepted()
    two = granted(keys=(KEY, "deputy", "third"), threshold=2)
    found = (("found", "1"), ("expected", "2"))
    assert judge(GOOD, "deputy", "third", trust=two, voice=(KEY, "deputy")) == Refused(
        "not-enough-signatures", SUBJECT, found
    )
