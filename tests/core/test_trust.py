"""Who may say what, where, now: each numbered check of ``trust``, alone and at its edges."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import KEY, PROVINCE, SETTINGS, STRANGER, TRUST, at, programme, signed, slot
from ttcs_edge.core.documents import Grant, Refused, Signed, TrustRoot
from ttcs_edge.core.model import Instant, MonoMs, Scope, WallMs, scope_covers, scope_prefixes
from ttcs_edge.core.trust import Accepted, AlreadyInForce, check_trust_root, judge_programme, utc_ms

GOOD = programme([slot("a", "05:00:00")], version=5)
NOW = Instant(at("2026-11-24T05:00:00"), MonoMs(0), True)
SECOND = "1" * 64


def judge(document: Any = GOOD, *signers: str, **others: Any) -> Any:
    """What becomes of a programme, with everything right but for what is named here."""
    context: dict[str, Any] = {
        "trust": TRUST,
        "topic_scope": document.scope,
        "station_scope": SETTINGS.scope,
        "floor": 0,
        "in_force": None,
        "now": NOW,
    }
    return judge_programme(signed(document, *signers), **(context | others))


def grant(scope: str, keys: tuple[str, ...], threshold: int = 1, role: Any = "publish") -> TrustRoot:
    """A trust root with one grant."""
    return replace(TRUST, grants=(Grant(role=role, scope=Scope(scope), keys=keys, threshold=threshold),))


def test_everything_right_is_accepted() -> None:
    """The measure of all the refusals below."""
    assert judge() == Accepted()


def test_1_a_programme_on_the_topic_of_another_scope_is_refused() -> None:
    """A captured message, sent on another topic."""
    assert judge(topic_scope="vn") == Refused("wrong-scope", "vn", (("found", PROVINCE), ("expected", "vn")))


@pytest.mark.parametrize("scope", ["vn/lam", "vn/lam-dong/da-teh/1", "vn/gia-lai", "lam-dong"])
def test_2_a_programme_for_elsewhere_is_refused(scope: str) -> None:
    """Neighbours, places below, and scopes whose name merely begins alike."""
    document = replace(GOOD, scope=Scope(scope))
    trust = grant(scope.split("/")[0], (KEY,))
    expected = (("found", scope), ("expected", SETTINGS.scope))
    assert judge(document, trust=trust) == Refused("wrong-scope", scope, expected)


def test_2_the_stations_own_scope_and_every_one_above_it_are_heard() -> None:
    """To any depth."""
    assert scope_prefixes(SETTINGS.scope) == ("vn", "vn/lam-dong", "vn/lam-dong/da-teh")
    for scope in scope_prefixes(SETTINGS.scope):
        assert judge(replace(GOOD, scope=scope)) == Accepted()
    assert not scope_covers(Scope("vn/lam"), PROVINCE)


def test_3_nobody_may_say_anything_under_an_expired_trust_root() -> None:
    """never-1: to the second."""
    ends = replace(TRUST, expires="2026-11-23T22:00:01Z")
    assert judge(trust=ends) == Accepted()
    over = replace(TRUST, expires="2026-11-23T22:00:00Z")
    assert judge(trust=over) == Refused("trust-expired", "vn", (("expires", over.expires),))


def test_4_a_threshold_of_different_keys_of_one_grant_must_have_signed() -> None:
    """Strangers count for nothing, and the keys of two grants do not add up."""
    two = grant("vn", (KEY, SECOND), threshold=2)

    def found(number: int) -> Refused:
        return Refused("not-enough-signatures", PROVINCE, (("found", str(number)), ("expected", "2")))

    assert judge(GOOD, KEY, SECOND, trust=two) == Accepted()
    assert judge(GOOD, KEY, trust=two) == found(1)
    assert judge(GOOD, KEY, STRANGER, trust=two) == found(1)
    assert judge(GOOD, STRANGER, trust=two) == found(0)
    apart = replace(
        TRUST,
        grants=tuple(Grant(role="publish", scope=Scope("vn"), keys=(k, STRANGER), threshold=2) for k in (KEY, SECOND)),
    )
    assert judge(GOOD, KEY, SECOND, trust=apart) == found(1)


@pytest.mark.parametrize(
    ("scope", "role", "accepted"),
    [
        ("vn", "publish", True),
        ("vn/lam-dong", "publish", True),
        ("vn/lam-dong/da-teh", "publish", False),
        ("vn/gia-lai", "publish", False),
        ("vn", "root", False),
    ],
)
def test_4_a_grant_speaks_for_its_scope_and_below_and_only_in_its_role(scope: str, role: str, accepted: bool) -> None:
    """A commune's key is no province's key; a root key publishes nothing."""
    verdict = judge(trust=grant(scope, (KEY,), role=role))
    assert (verdict == Accepted()) is accepted
    if not accepted:
        assert verdict == Refused("not-enough-signatures", PROVINCE, (("found", "0"), ("expected", "1")))


def test_5_an_expired_programme_is_refused() -> None:
    """never-1: to the second."""
    assert judge(replace(GOOD, expires="2026-11-23T22:00:01Z")) == Accepted()
    over = replace(GOOD, expires="2026-11-23T22:00:00Z")
    assert judge(over) == Refused("expired", PROVINCE, (("expires", over.expires),))


def test_6_an_older_version_than_ever_accepted_is_refused_even_when_nothing_is_in_force() -> None:
    """never-6: rollback and replay, across restarts and expiries: the floor stays."""
    refused = Refused("old-version", PROVINCE, (("found", "5"), ("expected", ">= 6")))
    assert judge(floor=6) == refused
    assert judge(floor=6, in_force=signed(replace(GOOD, version=6))) == refused
    assert judge(floor=5) == Accepted(), "what expired or was lost may come again"


def test_7_one_version_has_one_content() -> None:
    """The very same again is nothing new; other content under the same version is refused."""
    in_force = signed(GOOD)
    assert judge(floor=5, in_force=in_force) == AlreadyInForce()
    other = replace(GOOD, slots=())
    refused = Refused("same-version", PROVINCE, (("found", "5"), ("expected", "> 5")))
    assert judge(other, floor=5, in_force=in_force) == refused
    assert judge(replace(GOOD, version=6), floor=5, in_force=in_force) == Accepted()


def test_without_trusted_time_dates_are_not_judged_but_signatures_and_versions_are() -> None:
    """air-7: nothing of it airs before the time is known, and then it is judged again."""
    now = Instant(WallMs(0), MonoMs(0), False)
    assert judge(replace(GOOD, expires="2020-01-01T00:00:00Z"), now=now) == Accepted()
    assert judge(GOOD, STRANGER, now=now).code == "not-enough-signatures"
    assert judge(floor=6, now=now).code == "old-version"


def test_a_trust_root_stands_by_its_own_root_keys_and_its_date() -> None:
    """1 enough of its own root keys signed it; 2 it has not expired."""
    root = grant("vn", (KEY, SECOND), threshold=2, role="root")
    assert check_trust_root(Signed(root, frozenset((KEY, SECOND)), b""), NOW) == Accepted()
    too_few = check_trust_root(Signed(root, frozenset((KEY, STRANGER)), b""), NOW)
    assert too_few == Refused("not-enough-signatures", "vn", (("found", "1"), ("expected", "2")))
    over = replace(root, expires="2026-11-23T22:00:00Z")
    both = frozenset((KEY, SECOND))
    assert check_trust_root(Signed(over, both, b""), NOW) == Refused(
        "trust-expired", "vn", (("expires", over.expires),)
    )
    assert check_trust_root(Signed(over, both, b""), replace(NOW, trusted=False)) == Accepted()


def test_an_instant_of_the_wire_is_read_to_the_second() -> None:
    """UTC, leap years, and no such date."""
    assert utc_ms("1970-01-01T00:00:00Z") == 0
    assert utc_ms("2028-02-29T23:59:59Z") == 1_835_481_599_000
    with pytest.raises(ValueError):
        utc_ms("2026-02-29T00:00:00Z")
