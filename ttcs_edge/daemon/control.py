"""What the daemon answers to the technician's commands. It only looks: nothing that it does changes the station."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec

from ttcs_edge import __version__
from ttcs_edge.core.model import Instant
from ttcs_edge.core.schedule import PreviewCue, preview, zone
from ttcs_edge.core.station import Station
from ttcs_edge.link.control import ControlError

DAYS_MOST = 31
DAY_MS = 86_400_000


class Control:
    """Answers ``status``, ``schedule`` and ``version``; called on the control socket's threads.

    What it reads of the core are values that the core replaces and never changes in place, or single fields.
    """

    def __init__(
        self,
        station: Station,
        now: Callable[[], Instant],
        relays: Callable[[], dict[str, bool]],
        outbox: Callable[[], tuple[int, int | None]],
        boot: int,
    ) -> None:
        self._station = station
        self._now = now
        self._relays = relays
        self._outbox = outbox
        self._boot = boot

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request. Raises ControlError for one that is not understood."""
        table: dict[Any, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "status": self._status,
            "schedule": self._schedule,
            "version": lambda request: {"version": __version__, "python": platform.python_version()},
        }
        handler = table.get(request.get("ask"))
        if handler is None:
            raise ControlError("bad-request", found=str(request.get("ask"))[:60])
        return handler(request)

    def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        now = self._now()
        depth, oldest_ms = self._outbox()
        oldest_s = 0 if oldest_ms is None else max(0, now.wall_ms - oldest_ms) // 1_000
        answer: dict[str, Any] = json.loads(msgspec.json.encode(self._station.snapshot(now)))
        return answer | {
            "relays": self._relays(),
            "version": __version__,
            "boot": self._boot,
            "outbox": {"depth": depth, "oldest_age_s": oldest_s},
        }

    def _schedule(self, request: dict[str, Any]) -> dict[str, Any]:
        days = request.get("days", 7)
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= DAYS_MOST:
            raise ControlError("bad-request", found=str(days)[:60], expected=f"1..{DAYS_MOST}")
        now = self._now()
        station = self._station
        cues = preview(station.programmes.documents(), station.settings, now.wall_ms, now.wall_ms + days * DAY_MS)
        return {"time_zone": station.settings.time_zone, "cues": [self._cue(cue) for cue in cues]}

    def _cue(self, cue: PreviewCue) -> dict[str, Any]:
        resolved = self._station.programmes.resolve(cue.due)
        local = datetime.fromtimestamp(cue.due.planned_ms / 1_000, zone(self._station.settings.time_zone))
        return {
            "occurrence": asdict(cue.due.occurrence),
            "title": resolved.cue.title,
            "planned": local.isoformat(timespec="seconds"),
            "duration_ms": cue.duration_ms,
            "zones": list(resolved.cue.zones),
            "priority": cue.due.slot.priority,
            "audio_ready": not resolved.missing,
            "clashes": list(cue.clashes),
        }
