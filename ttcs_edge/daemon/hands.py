"""What a person at the station does by a command: the test tone, a relay held closed, silence, and the end of a test.

The core decides whether it is begun. Who it was is told as the kernel knows him, and whether he has the right to it was
asked before (``rights``). Called on the control socket's threads.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import msgspec

from ttcs_edge.core.events import Event, LeaseAsked, LeaseLeft, MuteAsked, TestsStopped
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import AsRunReason, Instant, LocalUser, ZoneId
from ttcs_edge.core.station import Station
from ttcs_edge.daemon.looking import Looking
from ttcs_edge.link.control import ControlError

ANSWER_S = 4.0
"""How long the core may take to come to a question: less than the technician's command waits."""
MINUTE_MS = 60_000
T = TypeVar("T")
Deed = Callable[[dict[str, Any], LocalUser], dict[str, Any]]


class Ask(Protocol):
    """Looks at the core between two events, and gives what was seen."""

    def __call__(self, call: Callable[[Station], T], timeout_s: float) -> T:
        """Raises TimeoutError or queue.Full."""


class Hands:
    """Answers what ``test-tone``, ``relay``, ``mute``, ``unmute`` and ``stop`` ask.

    ``next_number`` counts walks and leases.
    """

    def __init__(
        self, ask: Ask, now: Callable[[], Instant], post: Callable[[Event], None], next_number: Callable[[], int]
    ) -> None:
        self._ask = ask
        self._now = now
        self._post = post
        self._next_number = next_number
        self._looking = Looking(lambda number: post(LeaseLeft(number)))

    def deeds(self) -> dict[str, Deed]:
        """What may be asked, of which is kept who asked."""
        return {
            "lease": self._lease,
            "lease-state": self._look,
            "lease-stop": self._leave,
            "tests-stop": self._stop,
            "mute": self._mute,
            "unmute": self._unmute,
        }

    def _lease(self, request: dict[str, Any], by: LocalUser) -> dict[str, Any]:
        zones, silent, now = request.get("zones"), request.get("silent"), request.get("now")
        if not isinstance(silent, bool) or not isinstance(now, bool) or not _are_ids(zones):
            raise ControlError("bad-request", found=json.dumps(request)[:60])
        seconds = _whole(request.get("seconds"), LIMITS.relay_held_s if silent else LIMITS.test_tone_s)
        assert isinstance(zones, list)
        if silent and len(zones) != 1:
            raise ControlError("bad-request", found=json.dumps(zones)[:60])
        known = self._ask(lambda station: {zone.id: zone.name for zone in station.settings.zones}, ANSWER_S)
        if unknown := [zone for zone in zones if zone not in known]:
            raise ControlError("lease-refused", reason="unknown-zone", zone=unknown[0])
        number = self._next_number()
        self._post(LeaseAsked(number, tuple(map(ZoneId, zones)), seconds * 1_000, silent, now, by))
        refused = self._ask(lambda station: station.leases.refused.get(number), ANSWER_S)
        if refused is not None:
            raise ControlError("lease-refused", reason=refused)
        self._looking.begin(number)
        return self._state(number)

    def _look(self, request: dict[str, Any], by: LocalUser) -> dict[str, Any]:
        number = number_of(request)
        self._looking.looks(number)
        return self._state(number)

    def _leave(self, request: dict[str, Any], by: LocalUser) -> dict[str, Any]:
        number = number_of(request)
        self._post(LeaseLeft(number))
        return self._state(number)

    def _state(self, number: int) -> dict[str, Any]:
        def seen(station: Station) -> Any:
            return station.leases.state(number, self._now()), {zone.id: zone.name for zone in station.settings.zones}

        state, names = self._ask(seen, ANSWER_S)
        if state is None:  # the station leaves, or another lease was begun since
            raise ControlError("lease-refused", reason=AsRunReason.STOPPED.value)
        told: dict[str, Any] = json.loads(msgspec.json.encode(state))
        return told | {"names": [names[zone] for zone in state.zones]}

    def _stop(self, request: dict[str, Any], by: LocalUser) -> dict[str, Any]:
        """End what was begun by hand; with a ``zone``, only the relay that is held closed there."""
        zone = request.get("zone")
        if zone is not None and not _is_id(zone):
            raise ControlError("bad-request", found=json.dumps(zone)[:60])

        def going_on(station: Station) -> list[str]:
            walk, lease = station.walks.going_on, station.leases.going_on
            if zone is not None:
                return [lease.kind] if lease is not None and lease.holds(ZoneId(zone)) else []
            found = ["walk"] if walk is not None and walk.by is not None else []
            return found + ([] if lease is None else [lease.kind])

        stopped = self._ask(going_on, ANSWER_S)
        if stopped:
            self._post(TestsStopped(by))
        return {"stopped": stopped}

    def _mute(self, request: dict[str, Any], by: LocalUser) -> dict[str, Any]:
        minutes = _whole(request.get("minutes"), LIMITS.muted_by_command_min)
        self._post(MuteAsked(minutes * MINUTE_MS, by))
        return {"muted": self._is_muted(), "minutes": minutes}

    def _unmute(self, request: dict[str, Any], by: LocalUser) -> dict[str, Any]:
        was_muted = self._is_muted()
        self._post(MuteAsked(0, by))
        return {"muted": self._is_muted(), "was_muted": was_muted}

    def _is_muted(self) -> bool:
        return self._ask(lambda station: station.desk.cues.muted, ANSWER_S)


def number_of(request: dict[str, Any]) -> int:
    """The number of a walk or a lease. Raises ControlError."""
    number = request.get("number")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**31:
        raise ControlError("bad-request", found=str(number)[:60])
    return number


def _whole(value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ControlError("bad-request", found=str(value)[:60], expected=f"1..{most}")
    return value


def _are_ids(zones: object) -> bool:
    return isinstance(zones, list) and len(zones) <= LIMITS.zones_per_slot and all(_is_id(zone) for zone in zones)


def _is_id(zone: object) -> bool:
    return isinstance(zone, str) and len(zone) <= LIMITS.id_chars
