"""The off-air monitor in a station: its process, the memory file of what is sent, and where recordings are kept.

Without a monitor in ``station.yaml`` none of it is there, and nothing of it is imported.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from ttcs_edge.core.effects import KeepRecording
from ttcs_edge.core.events import Event, MonitorFailed, RecordingKept
from ttcs_edge.drivers.monitor import MonitorProcess, launcher
from ttcs_edge.drivers.player import PlayerProcess
from ttcs_edge.monitor.messages import PARTS
from ttcs_edge.player.sent import make_sent
from ttcs_edge.settings import MonitorSettings
from ttcs_edge.store.evidence import Evidence

_log = structlog.get_logger()


def begin_monitoring(
    settings: MonitorSettings, state: Path, player: PlayerProcess, post: Callable[[Event], None]
) -> Monitoring | None:
    """A monitor; one for which there is no room keeps nobody from airing, and is told."""
    try:
        return Monitoring(settings, state, player, post)
    except OSError as error:
        post(MonitorFailed(str(error)))
        return None


class Monitoring:
    """Owns the monitor from ``start`` until ``close``."""

    def __init__(
        self, settings: MonitorSettings, state: Path, player: PlayerProcess, post: Callable[[Event], None]
    ) -> None:
        """Raises OSError: there is no room for a memory file."""
        self._post = post
        self._evidence = Evidence(state / "evidence")
        self._sent_fd = make_sent()
        player.copy_sent(self._sent_fd)
        self._process = MonitorProcess(settings, self._sent_fd, post, self._keep, launcher(os.environ))

    def start(self) -> None:
        """Begin to listen."""
        self._process.start()

    def keep(self, effect: KeepRecording) -> None:
        """Have a recording made; that it is on the card is told from another thread."""
        self._process.keep(effect.name)

    def recordings(self) -> list[dict[str, Any]]:
        """What is on the card, the oldest first; for a technician."""
        return [one._asdict() for one in self._evidence.recordings()]

    def close(self, timeout_s: float) -> None:
        """End."""
        self._process.close(timeout_s)

    def _keep(self, name: str, part: int, wav: bytes) -> None:
        """On the thread that watches the process: the card may take its time."""
        try:
            file, sha256 = self._evidence.keep(name + PARTS[part], wav)
        except (OSError, ValueError) as error:
            _log.error("recording-not-kept", recording=name, error=str(error))
            kept = RecordingKept(name, error=str(error))
        else:
            _log.warning("recording-kept", file=file, sha256=sha256, bytes=len(wav))
            kept = RecordingKept(name, file, sha256)
        if part == 0:
            self._post(kept)
