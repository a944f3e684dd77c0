"""Topics are built and taken apart in one place; what is no topic of ours is nobody's."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ttcs_edge.core.documents import ID_PATTERN, SCOPE_PATTERN
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.wire.topics import UPWARD, Topics

TOPICS = Topics("ttcs/v1")
SHA256 = "0123456789abcdef" * 4
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Texts of a pattern are slow to find, and the machine may be busy."""


def test_topics_read_as_the_design_writes_them() -> None:
    """Section 4, word for word."""
    assert TOPICS.programme("vn/lam-dong") == "ttcs/v1/scope/vn/lam-dong/programme"
    assert TOPICS.blob(SHA256, 12) == f"ttcs/v1/blob/{SHA256}/12"
    assert TOPICS.blob(SHA256, "+") == f"ttcs/v1/blob/{SHA256}/+"
    assert [TOPICS.station("da-teh-01", leaf) for leaf in UPWARD] == [
        "ttcs/v1/station/da-teh-01/status",
        "ttcs/v1/station/da-teh-01/heartbeat",
        "ttcs/v1/station/da-teh-01/event",
        "ttcs/v1/station/da-teh-01/reply",
    ]


def test_a_station_listens_to_every_scope_above_it_and_its_own() -> None:
    """The highest first, nothing beside them; at last, what no broker need keep for it."""
    assert TOPICS.subscriptions("da-teh-01", Scope("vn/lam-dong/da-teh")) == (
        ("ttcs/v1/scope/vn/trust", 1),
        ("ttcs/v1/scope/vn/lam-dong/trust", 1),
        ("ttcs/v1/scope/vn/lam-dong/da-teh/trust", 1),
        ("ttcs/v1/scope/vn/alert/+", 1),
        ("ttcs/v1/scope/vn/lam-dong/alert/+", 1),
        ("ttcs/v1/scope/vn/lam-dong/da-teh/alert/+", 1),
        ("ttcs/v1/station/da-teh-01/command", 1),
        ("ttcs/v1/station/da-teh-01/certificate", 1),
        ("ttcs/v1/scope/vn/programme", 1),
        ("ttcs/v1/scope/vn/lam-dong/programme", 1),
        ("ttcs/v1/scope/vn/lam-dong/da-teh/programme", 1),
        ("ttcs/v1/scope/vn/beacon", 0),
        ("ttcs/v1/scope/vn/lam-dong/beacon", 0),
        ("ttcs/v1/scope/vn/lam-dong/da-teh/beacon", 0),
        ("ttcs/v1/scope/vn/live/+", 0),
        ("ttcs/v1/scope/vn/lam-dong/live/+", 0),
        ("ttcs/v1/scope/vn/lam-dong/da-teh/live/+", 0),
    )


def test_an_alert_has_a_topic_of_its_own_below_its_scope() -> None:
    """By its event; what is no event's topic is nobody's, and a scope may be called alert."""
    topic = TOPICS.alert("vn/lam-dong", "lu-quet-27")
    assert topic == "ttcs/v1/scope/vn/lam-dong/alert/lu-quet-27"
    assert TOPICS.alert_event(topic) == ("vn/lam-dong", "lu-quet-27")
    assert TOPICS.alert_event(TOPICS.alert("vn/alert", "a")) == ("vn/alert", "a")
    for other in (
        TOPICS.programme("vn/alert"),
        TOPICS.beacon("vn/alert"),
        TOPICS.programme("vn"),
        TOPICS.alert("vn", "a" * (LIMITS.id_chars + 1)),
        TOPICS.alert("vn", "a b"),
        TOPICS.alert("vn", ""),
        TOPICS.alert("Vn", "a"),
        f"{topic}/b",
    ):
        assert TOPICS.alert_event(other) is None, other


def test_a_live_relay_has_a_topic_of_its_own_below_its_scope() -> None:
    """By its id; a scope may be called live, or alert."""
    topic = TOPICS.live("vn/lam-dong", "thoi-su")
    assert topic == "ttcs/v1/scope/vn/lam-dong/live/thoi-su"
    assert TOPICS.live_relay(topic) == ("vn/lam-dong", "thoi-su")
    assert TOPICS.live_relay(TOPICS.live("vn/alert", "a")) == ("vn/alert", "a")
    assert TOPICS.alert_event(topic) is None
    for other in (TOPICS.programme("vn/live"), TOPICS.alert("vn/live", "a"), TOPICS.live("vn", "a b"), f"{topic}/b"):
        assert TOPICS.live_relay(other) is None, other


SCOPES = st.from_regex(SCOPE_PATTERN, fullmatch=True).filter(lambda scope: len(scope) <= LIMITS.scope_chars)


@SLOW
@given(SCOPES)
@example("a" * LIMITS.scope_chars)
@example("vn/programme")
@example("scope/programme/programme")
def test_a_scope_comes_out_as_it_went_in(scope: str) -> None:
    """Also one that is called like a topic."""
    assert TOPICS.programme_scope(TOPICS.programme(scope)) == scope
    assert TOPICS.beacon_scope(TOPICS.beacon(scope)) == scope
    assert TOPICS.beacon_scope(TOPICS.programme(scope)) is None


@SLOW
@given(st.from_regex(ID_PATTERN, fullmatch=True).filter(lambda name: len(name) <= 64), st.sampled_from(UPWARD))
def test_a_station_comes_out_as_it_went_in(station: str, leaf: str) -> None:
    """With what it said."""
    assert TOPICS.station_leaf(TOPICS.station(station, leaf)) == (station, leaf)


@SLOW
@given(st.integers(0, 9_999_999))
def test_a_chunk_comes_out_as_it_went_in(number: int) -> None:
    """Under the hash of its file."""
    assert TOPICS.blob_chunk(TOPICS.blob(SHA256, number)) == (SHA256, number)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "ttcs/v1",
        "ttcs/v1/scope/programme",
        "ttcs/v1/scope//programme",
        "ttcs/v1/scope/vn",
        "ttcs/v1/scope/vn/programme/",
        "ttcs/v1/scope/vn/programme\n",
        "ttcs/v1/scope/vn\n/programme",
        "ttcs/v1/scope/vn//lam-dong/programme",
        "ttcs/v1/scope/vn/../../etc/programme",
        "ttcs/v1/scope/Vn/programme",
        "ttcs/v1/scope/vn/lâm-đồng/programme",
        "ttcs/v1/scope/+/programme",
        "ttcs/v1/scope/#/programme",
        f"ttcs/v1/scope/{'a' * (LIMITS.scope_chars + 1)}/programme",
        f"ttcs/v1/scope/{'a/' * 30_000}programme",
        "ttcs/v2/scope/vn/programme",
        "/ttcs/v1/scope/vn/programme",
    ],
)
def test_what_is_no_programme_topic_has_no_scope(topic: str) -> None:
    """A scope becomes the subject of a fault: it has an alphabet and a bound."""
    assert TOPICS.programme_scope(topic) is None
    assert TOPICS.beacon_scope(topic.replace("programme", "beacon")) is None


@pytest.mark.parametrize(
    "tail",
    [
        "",
        SHA256,
        f"{SHA256}/",
        f"{SHA256}/-1",
        f"{SHA256}/+",
        f"{SHA256}/01",
        f"{SHA256}/1\n",
        f"{SHA256}/1_0",
        f"{SHA256}/٣",
        f"{SHA256}/²",
        f"{SHA256}/10000000",
        f"{SHA256}/0/0",
        f"{SHA256.upper()}/0",
        f"{SHA256[1:]}/0",
        f"{SHA256}0/0",
        "../../etc/0",
    ],
)
def test_what_is_no_chunk_topic_has_no_chunk(tail: str) -> None:
    """One number has one name: no signs, no leading zeros, no digits of other scripts."""
    assert TOPICS.blob_chunk(f"ttcs/v1/blob/{tail}") is None
    assert TOPICS.blob_chunk(f"ttcs/v1/blob{tail}") is None


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "da-teh-01",
        "/status",
        "da-teh-01/",
        "da-teh-01/command",
        "da-teh-01/status/x",
        "da-teh-01/Status",
        "da teh/status",
        "da-teh-01\n/status",
        "-/status",
        "+/status",
        "\x1b[2J/status",
        f"{'a' * 65}/status",
    ],
)
def test_what_is_no_topic_of_a_station_has_no_station(tail: str) -> None:
    """A name that no station may have does not get a row among the fleet."""
    assert TOPICS.station_leaf(f"ttcs/v1/station/{tail}") is None
