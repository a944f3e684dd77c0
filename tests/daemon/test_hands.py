"""Who may do what at the control socket, and what is done by hand there: the daemon's end, with a station's core."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from tests.core.material import HOUR_MS, ByHand
from tests.parts import eventually
from ttcs_edge.core import effects, events
from ttcs_edge.core.model import LocalUser
from ttcs_edge.core.station import Station
from ttcs_edge.daemon import looking
from ttcs_edge.daemon.carried import Carried
from ttcs_edge.daemon.control import Control
from ttcs_edge.daemon.hands import Hands
from ttcs_edge.daemon.looking_back import LookingBack
from ttcs_edge.daemon.rights import NEEDS, Right
from ttcs_edge.daemon.walking import Walking
from ttcs_edge.link.control import ControlError

ROOT, TUAN = LocalUser(0, "root"), LocalUser(os.geteuid() + 1_000, "tuan")
GOOD: dict[str, dict[str, Any]] = {
    "walk": {"seconds": 1, "now": True, "zones": []},
    "lease": {"seconds": 1, "now": True, "zones": ["cho"], "silent": True},
    "mute": {"minutes": 10},
    **{key: {"number": 1} for key in ("walk-state", "walk-stop", "lease-state", "lease-stop")},
    **{key: {} for key in ("unmute", "tests-stop")},
}


class Desk:
    """The deeds of a station whose core is told by hand."""

    def __init__(self) -> None:
        self.here = ByHand(civil="2026-11-24T12:00:00")
        self.here.wait(HOUR_MS)
        numbers = itertools.count(1)

        def ask(call: Callable[[Station], Any], timeout_s: float) -> Any:
            return call(self.here.station)

        self.posted: list[events.Event] = []
        walking = Walking(ask, self.here.now, self._post, frozenset(), lambda: next(numbers))
        hands = Hands(ask, self.here.now, self._post, lambda: next(numbers))
        carried, told = cast(Carried, None), cast(LookingBack, None)
        self.deeds = Control(
            ask, self.here.now, dict, lambda: (0, None), 1, carried, walking, hands, self._post, told
        ).deeds()

    def _post(self, event: events.Event) -> None:
        self.posted.append(event)
        self.here.tell(event)

    def do(self, asked: str, by: LocalUser = TUAN, **request: Any) -> dict[str, Any]:
        """One deed of somebody."""
        return self.deeds[asked]({"ask": asked} | request, by)

    def refusal(self, asked: str, by: LocalUser = TUAN, **request: Any) -> tuple[str, dict[str, str]]:
        """Why it is not done."""
        with pytest.raises(ControlError) as caught:
            self.do(asked, by, **request)
        return caught.value.code, caught.value.detail


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Where nobody is waited for long."""
    monkeypatch.setattr(looking, "GONE_S", 0.3)
    yield Desk()


def test_every_deed_has_a_row_that_tells_who_may(desk: Desk) -> None:
    """And no row is without a deed: a new one that nobody thought of cannot be done by all."""
    assert desk.deeds.keys() == NEEDS.keys() == GOOD.keys()


@pytest.mark.parametrize("deed", NEEDS)
def test_the_group_may_look_and_test_and_root_may_change(desk: Desk, deed: str) -> None:
    """A refusal names what was asked for and who asked, changes nothing, and is in the audit trail."""
    if NEEDS[deed] is Right.GROUP:
        code = "" if deed == "tests-stop" or deed in ("walk", "lease") else desk.refusal(deed, **GOOD[deed])[0]
        assert code != "not-allowed"
        return
    assert desk.refusal(deed, **GOOD[deed]) == ("not-allowed", {"deed": deed, "user": "tuan"})
    assert desk.posted == [events.DeedRefused(deed, TUAN)]
    entry = desk.here.entries(effects.Audited)[-1]
    assert (entry.deed, entry.what, entry.subject, entry.code, entry.by) == ("refused", "deed", deed, "not-root", TUAN)
    assert "muted" in desk.do(deed, ROOT, **GOOD[deed])
    assert "muted" in desk.do(deed, LocalUser(os.geteuid(), "ttcs"), **GOOD[deed])


def test_a_relay_is_let_go_when_nobody_looks_on_any_more(desk: Desk) -> None:
    """The command that asked was killed: it says nothing, and the lease is over."""
    state = desk.do("lease", **GOOD["lease"] | {"seconds": 300})
    assert (state["kind"], state["names"], state["is_over"]) == ("relay", ["Chợ"], False)
    eventually(lambda: events.LeaseLeft(1) in desk.posted, 10)
    assert desk.do("lease-state", number=1)["ended"] == "stopped-by-hand"


def test_what_is_no_lease_is_refused_and_begins_nothing(desk: Desk) -> None:
    """never-7: of each field what is no such thing; a relay beyond its bound, or of several zones."""
    good = GOOD["lease"]
    wrong: list[dict[str, Any]] = [
        {"seconds": 301},
        {"seconds": 0},
        {"seconds": True},
        {"seconds": "9"},
        {"zones": []},
        {"zones": ["cho", "dinh"]},
        {"zones": "cho"},
        {"zones": [7]},
        {"silent": 1},
        {"silent": False, "seconds": 31},
        {"now": None},
    ]
    assert {desk.refusal("lease", **good | one)[0] for one in wrong} == {"bad-request"}
    assert desk.refusal("lease", **good | {"zones": ["nowhere"]}) == (
        "lease-refused",
        {"reason": "unknown-zone", "zone": "nowhere"},
    )
    assert {desk.refusal("mute", ROOT, minutes=minutes)[0] for minutes in (0, 121, "9", None)} == {"bad-request"}
    assert desk.posted == []


def test_stop_tells_what_it_has_ended(desk: Desk) -> None:
    """A relay of another zone is not meant by ``relay ZONE --open``."""
    assert desk.do("tests-stop") == {"stopped": []}
    desk.do("lease", **GOOD["lease"])
    assert desk.do("tests-stop", zone="dinh") == {"stopped": []}
    assert desk.do("tests-stop", zone="cho") == {"stopped": ["relay"]}
    desk.do("walk", **GOOD["walk"])
    assert desk.do("tests-stop") == {"stopped": ["walk"]}


def test_mute_and_unmute_tell_what_came_of_them(desk: Desk) -> None:
    """Whether it was muted at all is told, too."""
    assert desk.do("unmute", ROOT) == {"muted": False, "was_muted": False}
    assert desk.do("mute", ROOT, minutes=5) == {"muted": True, "minutes": 5}
    assert desk.do("unmute", ROOT) == {"muted": False, "was_muted": True}
