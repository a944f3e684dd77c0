"""The right of way of an alert over what can wait."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.link.conftest import Links
from tests.parts import Broker, Listener, eventually
from ttcs_edge.link import precedence
from ttcs_edge.link.precedence import AGAIN_S, SPAN_S, Precedence


class Clock:
    """A clock that only sleep moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.slept_s: list[float] = []

    def monotonic(self) -> float:
        """The time."""
        return self.now_s

    def sleep(self, span_s: float) -> None:
        """Let so much of it pass."""
        self.slept_s.append(round(span_s, 3))
        self.now_s += span_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """In place of the module's own."""
    clock = Clock()
    monkeypatch.setattr(precedence, "time", clock)
    yield clock


def test_nobody_waits_while_no_alert_is_on_its_way(clock: Clock) -> None:
    Precedence().give_way()
    assert clock.slept_s == []


def test_what_can_wait_waits_for_an_alert_once(clock: Clock) -> None:
    way = Precedence()
    way.claim()
    clock.sleep(0.01)
    way.give_way()
    way.give_way()
    assert clock.slept_s == [0.01, round(SPAN_S - 0.01, 3)]


def test_a_flood_of_alerts_leaves_reports_most_of_the_time(clock: Clock) -> None:
    """A thousand a second for three seconds."""
    way = Precedence()
    begun_s = clock.now_s
    held_s = 0.0
    while clock.now_s < begun_s + 3:
        way.claim()
        before_s = clock.now_s
        way.give_way()
        held_s += clock.now_s - before_s
        clock.now_s += 0.001
    assert held_s == pytest.approx(3 * SPAN_S / AGAIN_S, rel=0.1)


def test_reports_and_audio_give_way_to_an_alert_that_has_come(
    links: Links, broker: Broker, centre: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the real link: whoever brings the alert claims, and whoever sends a report asks before each."""
    bench = links(broker.port).start()
    claimed: list[str] = []
    asked: list[str] = []
    monkeypatch.setattr(bench.link._precedence, "claim", lambda: claimed.append("alert"))
    monkeypatch.setattr(bench.link._reports, "_give_way", lambda: asked.append("report"))
    centre.publish("ttcs/v1/scope/vn/programme", b"no alert")
    eventually(bench.arrived)
    assert claimed == []
    centre.publish("ttcs/v1/scope/vn/alert/lu", b"an alert, as far as its topic tells")
    eventually(lambda: claimed == ["alert"])
    told = bench.report(3)
    eventually(lambda: [report["id"] for report in centre.reports("fault")] == told)
    assert asked == ["report"] * 3
