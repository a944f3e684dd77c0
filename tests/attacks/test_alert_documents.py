"""Alerts that nobody may air: by the wrong key, for another place, too late, too early, over another's event."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner

from tests.parts import PLACE, SCOPE, Province, public_key
from tests.wire.corpus import alert, programme
from ttcs_edge.core.documents import Alert, CapSeverity, Grant, Refused, Signed
from ttcs_edge.core.model import Instant, MonoMs, Scope, WallMs
from ttcs_edge.core.trust import Accepted, AlreadyInForce, judge_alert, utc_ms
from ttcs_edge.wire.documents import read_alert

EVENT = (SCOPE, "lu-quet-27")
SUBJECT = f"{SCOPE}#alert:lu-quet-27"
GOOD = alert()
NOW = Instant(WallMs(utc_ms("2026-11-24T05:00:30Z")), MonoMs(1_000_000), True)
LATE = replace(NOW, wall_ms=WallMs(utc_ms("2026-11-24T11:00:00Z")))


class Warners:
    """A province with two people who may warn of anything together, and one who may of little alone."""

    def __init__(self) -> None:
        self.province = Province()
        self.two = [CryptoSigner.generate_ed25519() for _ in range(2)]
        self.one = CryptoSigner.generate_ed25519()
        root = self.province.root
        signers = [*self.two, self.one]
        grants = (self._grant(self.two, 2, "Extreme"), self._grant([self.one], 1, "Moderate"))
        keys = root.keys | {signer.public_key.keyid: public_key(signer) for signer in signers}
        others = (grant for grant in root.grants if grant.role != "alert")
        self.root = replace(root, keys=keys, grants=(*others, *grants))

    def _grant(self, signers: list[CryptoSigner], threshold: int, most_severe: CapSeverity) -> Grant:
        keys = tuple(signer.public_key.keyid for signer in signers)
        return Grant(role="alert", scope=Scope(SCOPE), keys=keys, threshold=threshold, most_severe=most_severe)

    def read(self, document: Alert, *signers: CryptoSigner) -> Signed[Alert] | Refused:
        """A message as it comes, through the reader of the wire."""
        return read_alert(self.province.sign(document, list(signers) or self.two), self.root, SUBJECT)


WARNERS = Warners()


def judged(
    document: Alert = GOOD,
    *signers: CryptoSigner,
    known: Alert | None = None,
    now: Instant = NOW,
    floor_ms: int = 0,
    topic: tuple[str, str] = EVENT,
    here: str = PLACE,
) -> Any:
    """What comes of a message that arrives."""
    signed = WARNERS.read(document, *signers)
    if isinstance(signed, Refused):
        return signed
    return judge_alert(
        signed, trust=WARNERS.root, topic=topic, station_scope=Scope(here), known=known, floor_ms=floor_ms, now=now
    )


def refused(code: str, found: str, expected: str, subject: str = SUBJECT) -> Refused:
    """A refusal with what was found and what was expected."""
    return Refused(code, subject, (("found", found), ("expected", expected)))


def test_a_good_alert_is_believed() -> None:
    """The ground on which the attacks stand."""
    assert judged() == Accepted()


def test_one_key_of_two_is_not_enough() -> None:
    """Two people must see it: one of them signing, or signing twice, is refused."""
    first = WARNERS.two[0]
    assert judged(GOOD, first) == refused("not-enough-signatures", "1", "2", SCOPE)
    assert judged(GOOD, first, first) == refused("not-enough-signatures", "1", "2", SCOPE)


def test_a_key_that_may_publish_may_not_alert() -> None:
    """A programme's key is in many hands."""
    assert judged(GOOD, WARNERS.province.publishers[0]) == refused("not-enough-signatures", "0", "2", SCOPE)


@pytest.mark.parametrize(
    ("severity", "may"),
    [("Unknown", True), ("Minor", True), ("Moderate", True), ("Severe", False), ("Extreme", False)],
)
def test_a_key_warns_of_nothing_worse_than_it_may(severity: CapSeverity, may: bool) -> None:
    """One person can tell of a power cut, and not of a broken dam."""
    verdict = judged(replace(GOOD, severity=severity), WARNERS.one)
    assert (verdict == Accepted()) is may
    assert may or verdict == refused("not-enough-signatures", "0", "2", SCOPE)


def test_an_alert_on_the_topic_of_another_event_or_place_is_refused() -> None:
    """A broker that moves a message to where somebody else's stands."""
    for topic in ((SCOPE, "lu-quet-28"), (PLACE, "lu-quet-27")):
        subject = f"{topic[0]}#alert:{topic[1]}"
        assert judged(topic=topic) == refused("wrong-scope", SUBJECT, subject, subject)


def test_an_alert_for_another_commune_is_refused() -> None:
    """The flood is elsewhere."""
    there = replace(GOOD, scope=Scope(f"{SCOPE}/bao-loc"))
    topic = (there.scope, there.id)
    assert judged(there, topic=topic) == refused("wrong-scope", there.scope, PLACE, f"{there.scope}#alert:{there.id}")


def test_an_alert_that_has_expired_is_refused() -> None:
    """Last week's flood."""
    assert judged(now=LATE) == Refused("expired", SCOPE, (("expires", GOOD.expires),))


def test_without_the_time_an_alert_is_believed_unless_it_had_expired_by_what_was_ever_signed() -> None:
    """A station that woke in 1970 must warn, and must not be made to air last year's flood."""
    lost = Instant(WallMs(0), MonoMs(1_000), False)
    ends_ms = utc_ms(GOOD.expires)
    assert judged(now=lost) == judged(now=lost, floor_ms=ends_ms - 1) == Accepted()
    assert judged(now=lost, floor_ms=ends_ms) == Refused("expired", SUBJECT, (("expires", GOOD.expires),))


def test_an_alert_from_the_future_is_refused() -> None:
    """Its version would shut out all that comes until then."""
    early = replace(NOW, wall_ms=WallMs(utc_ms(GOOD.sent) - 3_600_000))
    assert judged(now=early) == refused("issued-ahead", GOOD.sent, "2026-11-24T04:00:00Z", SCOPE)


def test_an_older_message_of_an_event_is_refused_and_the_same_one_is_nothing_new() -> None:
    """never-6: a broker that brings the warning back behind its cancellation."""
    cancelled = replace(GOOD, version=3, msg_type="Cancel")
    assert judged(known=cancelled) == refused("old-version", "2", ">= 3")
    assert judged(known=GOOD) == AlreadyInForce()
    assert judged(cancelled, known=GOOD) == Accepted()
    assert judged(replace(GOOD, urgency="Future"), known=GOOD) == refused("same-version", "2", "> 2")


def test_nobody_changes_or_cancels_somebody_elses_alert() -> None:
    """Two who may alert for one place, and one id for two events."""
    other = replace(GOOD, version=3, msg_type="Cancel", sender="thuydien@lamdong.example")
    assert judged(other, known=GOOD) == refused("wrong-sender", "thuydien@lamdong.example", GOOD.sender)


def test_a_programme_passed_off_as_an_alert_is_refused() -> None:
    """By the type that its envelope is signed for."""
    data = WARNERS.province.sign(programme(), WARNERS.two)
    expected, found = (f"application/vnd.ttcs.{kind}+json" for kind in ("alert", "programme"))
    assert read_alert(data, WARNERS.root, SUBJECT) == refused("wrong-payload-type", found, expected)
