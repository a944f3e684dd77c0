"""What the daemon answers to the technician's commands. It only looks: what changes the station is ``carried``'s, what
is heard for him ``walking``'s, what he does by hand ``hands``', and what was told before ``looking_back``'s. Who may do
what is asked here (``rights``).
"""

from __future__ import annotations

import json
import platform
import queue
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec.structs import asdict

from ttcs_edge import __version__
from ttcs_edge.core.documents import TrustRoot
from ttcs_edge.core.events import DeedRefused, Event
from ttcs_edge.core.library import Shelf, resolve
from ttcs_edge.core.model import Certificate, Instant, LocalUser, StationSettings
from ttcs_edge.core.preview import PreviewCue, preview
from ttcs_edge.core.schedule import zone
from ttcs_edge.core.station import Station
from ttcs_edge.daemon.carried import Carried
from ttcs_edge.daemon.hands import Deed, Hands
from ttcs_edge.daemon.looking_back import LookingBack
from ttcs_edge.daemon.rights import may
from ttcs_edge.daemon.walking import Walking
from ttcs_edge.link.control import ControlError

DAYS_MOST = 31
DAY_MS = 86_400_000
ANSWER_S = 4.0
"""How long the core may take to come to a question: less than the technician's command waits."""
T = TypeVar("T")


class Ask(Protocol):
    """Looks at the core between two events, and gives what was seen."""

    def __call__(self, call: Callable[[Station], T], timeout_s: float) -> T:
        """Raises TimeoutError or queue.Full."""


class Control:
    """Answers ``status``, ``schedule``, ``trust`` and ``version``, and passes on what others answer.

    It is called on the control socket's threads. What costs time is worked out there, of values that the core gave.
    """

    def __init__(
        self,
        ask: Ask,
        now: Callable[[], Instant],
        relays: Callable[[], dict[str, bool]],
        outbox: Callable[[], tuple[int, int | None]],
        boot: int,
        carried: Carried,
        walking: Walking,
        hands: Hands,
        post: Callable[[Event], None],
        looking_back: LookingBack,
    ) -> None:
        self._ask = ask
        self._now = now
        self._relays = relays
        self._outbox = outbox
        self._boot = boot
        self._carried = carried
        self.recordings: Callable[[], list[dict[str, Any]]] = list
        """What an off-air monitor has kept."""
        self._walking = walking
        self._hands = hands
        self._post = post
        self._looking_back = looking_back

    def deeds(self) -> dict[str, Callable[[dict[str, Any], LocalUser], dict[str, Any]]]:
        """What is answered to a user of this machine, who is known."""
        deeds = self._walking.deeds() | self._hands.deeds()
        return {asked: _in_time_by(self._by_right(asked, deed)) for asked, deed in deeds.items()}

    def _by_right(self, asked: str, deed: Deed) -> Deed:
        """The deed, for those who may; that somebody else has asked for it is told."""

        def done(request: dict[str, Any], by: LocalUser) -> dict[str, Any]:
            if not may(by, asked):
                self._post(DeedRefused(asked, by))
                raise ControlError("not-allowed", deed=asked, user=by.name)
            return deed(request, by)

        return done

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request. Raises ControlError for one that is not understood."""
        table: dict[Any, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "status": self._status,
            "schedule": self._schedule,
            "trust": self._trust,
            "version": lambda request: {"version": __version__, "python": platform.python_version()},
            **self._carried.questions(),
            **self._looking_back.questions(),
        }
        return _in_time(lambda: _handler(table, request)(request))

    def answer_with_file(self, request: dict[str, Any], file: int, by: LocalUser) -> dict[str, Any]:
        """Answer one request that a user of this machine sent with an open file.

        Raises ControlError for one that is not understood.
        """
        table = self._carried.questions_with_file()
        return _in_time(lambda: _handler(table, request)(request, file, by))

    def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        now = self._now()
        depth, oldest_ms = self._outbox()
        oldest_s = 0 if oldest_ms is None else max(0, now.wall_ms - oldest_ms) // 1_000
        snapshot, settings = self._ask(lambda station: (station.snapshot(now), station.settings), ANSWER_S)
        answer: dict[str, Any] = json.loads(msgspec.json.encode(snapshot))
        return answer | {
            "relays": self._relays(),
            "version": __version__,
            "boot": self._boot,
            "time_zone": settings.time_zone,
            "recordings": self.recordings(),
            "outbox": {"depth": depth, "oldest_age_s": oldest_s},
        }

    def _schedule(self, request: dict[str, Any]) -> dict[str, Any]:
        days = request.get("days", 7)
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= DAYS_MOST:
            raise ControlError("bad-request", found=str(days)[:60], expected=f"1..{DAYS_MOST}")
        now = self._now()
        shelf, settings = self._ask(_what_is_planned, ANSWER_S)
        cues = preview(shelf.in_force, settings, now.wall_ms, now.wall_ms + days * DAY_MS)
        return {
            "time_zone": settings.time_zone,
            "quiet_hours": [str(span) for span in settings.quiet_hours],
            "cues": [_cue(cue, settings, shelf) for cue in cues],
        }

    def _trust(self, request: dict[str, Any]) -> dict[str, Any]:
        now = self._now()
        root, certificate, floor_ms, settings = self._ask(_what_is_believed, ANSWER_S)
        dates = None if certificate is None else {"begins_ms": certificate.begins_ms, "ends_ms": certificate.ends_ms}
        return {
            "wall_ms": now.wall_ms,
            "clock_trusted": now.trusted,
            "time_zone": settings.time_zone,
            "time_floor_ms": floor_ms,
            "root": msgspec.to_builtins(root),
            "certificate": dates,
        }


Handler = TypeVar("Handler")


def _handler(table: dict[Any, Handler], request: dict[str, Any]) -> Handler:
    asked = request.get("ask")
    handler = table.get(asked) if isinstance(asked, str) else None
    if handler is None:
        raise ControlError("bad-request", found=str(asked)[:60])
    return handler


def _in_time(call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return call()
    except (TimeoutError, queue.Full) as error:
        raise ControlError("timeout", seconds=str(ANSWER_S)) from error


def _in_time_by(deed: Deed) -> Deed:
    return lambda request, by: _in_time(lambda: deed(request, by))


def _what_is_planned(station: Station) -> tuple[Shelf, StationSettings]:
    shelf = station.programmes.shelf
    copy = Shelf(shelf.in_force, frozenset(shelf.cached), dict(shelf.earlier), dict(shelf.unplayable))
    return copy, station.settings


def _what_is_believed(station: Station) -> tuple[TrustRoot | None, Certificate | None, int, StationSettings]:
    return station.programmes.trust, station.renewal.known, station.time_floor_ms, station.settings


def _cue(cue: PreviewCue, settings: StationSettings, shelf: Shelf) -> dict[str, Any]:
    """A cue as it would air at its instant with what is here now; ``stands_in`` tells what would stand in for it."""
    resolved = resolve(cue.due, settings, shelf, cue.due.planned_ms)
    local = datetime.fromtimestamp(cue.due.planned_ms / 1_000, zone(settings.time_zone))
    return {
        "occurrence": asdict(cue.due.occurrence),
        "title": resolved.cue.title,
        "planned": local.isoformat(timespec="seconds"),
        "duration_ms": cue.duration_ms,
        "zones": list(resolved.cue.zones),
        "priority": cue.due.slot.priority,
        "audio_ready": resolved.lack is None,
        "lack": resolved.lack and resolved.lack.value,
        "stands_in": cue.due.slot.if_unplayable if resolved.cue.substitute else None,
        "live": cue.due.slot.live,
        "stream": None if cue.due.slot.stream is None else cue.due.slot.stream.url,
        "clashes": list(cue.clashes),
    }
