"""How long a station waits before it tries the broker again."""

from __future__ import annotations

import random

import pytest

from ttcs_edge.link.backoff import RETRY

CHEAP = {"lost", "no-tls", "unreachable", "dns", "timeout", "own-files"}
COSTLY = {"tls", "tls-expired", "refused", "session-taken-over"}


def test_every_reason_says_how_to_go_on() -> None:
    """A new reason needs a row."""
    assert set(RETRY) == CHEAP | COSTLY


@pytest.mark.parametrize("reason", sorted(CHEAP))
def test_an_attempt_that_costs_nothing_is_made_again_within_ten_seconds(reason: str) -> None:
    """However long the outage lasted: what waits in the outbox goes as soon as the broker is back."""
    assert [RETRY[reason].wait_s(tries, 1.0) for tries in (0, 1, 2, 3, 4, 10_000)] == [1, 2, 5, 10, 10, 10]


@pytest.mark.parametrize("reason", sorted(COSTLY))
def test_an_attempt_that_cost_a_handshake_is_made_again_within_a_minute(reason: str) -> None:
    """It leaves the broker alone, but it never gives up."""
    assert RETRY[reason].wait_s(10_000, 1.0) == 60


def test_stations_of_one_identity_let_each_other_be_for_half_a_minute() -> None:
    """Two copies of one card do not throw each other out in a loop."""
    assert RETRY["session-taken-over"].wait_s(0, 0.0) == 30


@pytest.mark.parametrize("tries", [0, 3])
def test_stations_that_lost_one_broker_together_come_back_apart(tries: int) -> None:
    """142 stations: no tenth of the span gets more than twice its share, and none is left empty."""
    backoff = RETRY["lost"]
    draw = random.Random(142)
    span_s = backoff.wait_s(tries, 1.0)
    waits = [backoff.wait_s(tries, draw.random()) for _ in range(142)]
    tenths = [sum(1 for wait_s in waits if int(wait_s / span_s * 10) == tenth) for tenth in range(10)]

    assert sum(tenths) == 142
    assert all(1 <= count <= 28 for count in tenths), tenths
