"""The test-tone walk that a technician asks for, by ``ttcs-edge walk``.

Only who may use the socket may ask for one, and who it was is told as the kernel knows him. The core decides whether it
is begun; it goes on as long as somebody looks on (``looking``). Called on the control socket's threads.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import msgspec

from ttcs_edge.core.events import Event, WalkAsked, WalkLeft
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import AsRunReason, Instant, LocalUser, ZoneId
from ttcs_edge.core.reports import WalkState
from ttcs_edge.core.station import Station
from ttcs_edge.daemon.hands import number_of
from ttcs_edge.daemon.looking import Looking
from ttcs_edge.link.control import ControlError

ANSWER_S = 4.0
"""How long the core may take to come to a question: less than the technician's command waits."""
T = TypeVar("T")


class Ask(Protocol):
    """Looks at the core between two events, and gives what was seen."""

    def __call__(self, call: Callable[[Station], T], timeout_s: float) -> T:
        """Raises TimeoutError or queue.Full."""


class Walking:
    """Answers what ``ttcs-edge walk`` asks. ``contacts`` are the zones whose relay tells what it did, ``next_number``
    counts walks and leases.
    """

    def __init__(
        self,
        ask: Ask,
        now: Callable[[], Instant],
        post: Callable[[Event], None],
        contacts: frozenset[ZoneId],
        next_number: Callable[[], int],
    ) -> None:
        self._ask = ask
        self._now = now
        self._post = post
        self._contacts = contacts
        self._next_number = next_number
        self._looking = Looking(lambda number: post(WalkLeft(number)))

    def deeds(self) -> dict[str, Callable[[dict[str, Any], LocalUser], dict[str, Any]]]:
        """What may be asked, of which is kept who asked."""
        return {"walk": self._begin, "walk-state": self._look, "walk-stop": self._stop}

    def _begin(self, request: dict[str, Any], by: LocalUser) -> dict[str, Any]:
        seconds, now, zones = request.get("seconds"), request.get("now"), request.get("zones")
        whole = isinstance(seconds, int) and not isinstance(seconds, bool) and 1 <= seconds <= LIMITS.test_tone_s
        named = isinstance(zones, list) and len(zones) <= LIMITS.zones_per_slot and all(_is_id(zone) for zone in zones)
        if not whole or not named or not isinstance(now, bool):
            raise ControlError("bad-request", found=json.dumps(request)[:60])
        assert isinstance(seconds, int) and isinstance(zones, list)
        known = self._ask(lambda station: [zone.id for zone in station.settings.zones], ANSWER_S)
        if unknown := [zone for zone in zones if zone not in known]:
            raise ControlError("walk-refused", reason="unknown-zone", zone=unknown[0])
        number = self._next_number()
        self._post(WalkAsked(number, tuple(map(ZoneId, zones)), seconds * 1_000, now, by))
        refused = self._ask(lambda station: station.walks.refused.get(number), ANSWER_S)
        if refused is not None:
            raise ControlError("walk-refused", reason=refused)
        self._looking.begin(number)
        return self._state(number)

    def _look(self, request: dict[str, Any], by: LocalUser) -> dict[str, Any]:
        number = number_of(request)
        self._looking.looks(number)
        return self._state(number)

    def _stop(self, request: dict[str, Any], by: LocalUser) -> dict[str, Any]:
        number = number_of(request)
        self._post(WalkLeft(number))
        return self._state(number)

    def _state(self, number: int) -> dict[str, Any]:
        state = self._ask(lambda station: station.walks.state(number, self._now()), ANSWER_S)
        if state is None:  # the station leaves, or another walk was begun since
            raise ControlError("walk-refused", reason=AsRunReason.STOPPED.value)
        return self._told(state)

    def _told(self, state: WalkState) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(msgspec.json.encode(state))
        for zone in told["zones"]:
            zone["contact"] = zone["zone"] in self._contacts
        return told


def _is_id(zone: object) -> bool:
    return isinstance(zone, str) and len(zone) <= LIMITS.id_chars
