"""The off-air monitor as the daemon has it: a process of its own that is replaced when it dies or hangs.

How one begins and ends is ``player_launch``'s. It never touches the air: whatever becomes of it, sound goes on.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec

from ttcs_edge.core import events
from ttcs_edge.core.events import Event
from ttcs_edge.core.model import OffAirReading
from ttcs_edge.core.monitor import WORTH_BELOW_DB
from ttcs_edge.drivers.player_launch import MONITOR_VARIABLE, Running, begin_child, begin_neighbour, device_of
from ttcs_edge.drivers.sound_input import input_file
from ttcs_edge.monitor import messages
from ttcs_edge.monitor.messages import ANSWERS, PACKET_BYTES, PARTS, Heard, Input, Keep, Kept, Listen
from ttcs_edge.player.sent import to_be_read
from ttcs_edge.settings import MonitorSettings

SILENT_S = 15.0
"""How long a monitor may say nothing before it counts as hung; it speaks every 5 s."""
START_S = 30.0
"""How long a new one may take to say its first word: numpy is read from a card."""
GONE_S = 2.0
BACKOFF_S = (1.0, 5.0, 15.0, 60.0, 300.0)
"""Waits before the 1st, 2nd, ... replacement without a number heard in between."""
RECORDING_MOST_BYTES = 2 * 1024 * 1024
"""More than twenty seconds at 16 kHz are."""
NUMBER_MOST = 1_000_000
LEVEL_LEAST_DB, LEVEL_MOST_DB = -300.0, 100.0
"""Levels, and whatever else is no whole number."""
TEXT_CHARS = 5_000

Keeper = Callable[[str, int, bytes], None]
"""Puts a part of a recording on the card: the name that it was asked for by, the part, the file."""


class Monitor(Protocol):
    """What listens on the air.

    Must: post OffAirHeard once a second while something is sent, twice a second while what is heard is foreign and
    loud, and else hardly ever; post MonitorFailed when it hears nothing. Never: block a caller. Any thread may call.
    """

    def keep(self, name: str) -> None:
        """Have what was heard in the last seconds put on the card, and what comes behind."""

    def close(self, timeout_s: float) -> None:
        """End it."""


Launch = Callable[[bytes, Sequence[int], int], Running]
"""Begins a monitor with a first packet and its files, the how-many-eth it is. Raises OSError: there is no room."""


def launcher(environ: Mapping[str, str]) -> Launch:
    """The way in which monitors begin here."""
    path = environ.get(MONITOR_VARIABLE)
    if path is None:
        return lambda packet, files, number: begin_child("ttcs_edge.monitor", packet, files, number)
    return lambda packet, files, number: begin_neighbour(path, packet, files, number)


class MonitorProcess:
    """Starts, watches and replaces the monitor process. Recordings go through ``kept``, on a thread of ours."""

    def __init__(
        self,
        settings: MonitorSettings,
        sent_fd: int,
        post: Callable[[Event], None],
        kept: Keeper,
        launch: Launch,
    ) -> None:
        """``sent_fd`` is the memory file that players write into; it stays the caller's."""
        self._settings = settings
        self._sent_fd = sent_fd
        self._post = post
        self._kept = kept
        self._launch = launch
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._deaths = 0
        self._started = 0
        self._asked: dict[str, int] = {}
        """Which part of each recording that was asked for comes next."""
        self._running: Running | None = None
        self._thread = threading.Thread(target=self._watch, name="monitor-watch", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The process id of the monitor of this moment, if there is one that has it known."""
        running = self._running
        return running.pid if running else None

    def keep(self, name: str) -> None:
        """Ask for a recording; a monitor that is gone or hung gives none."""
        running = self._running
        if running is not None:
            self._asked = {**dict(list(self._asked.items())[-1:]), name: 0}
            with suppress(OSError):
                running.socket.send(messages.encode(Keep(name)), socket.MSG_DONTWAIT)

    def close(self, timeout_s: float) -> None:
        """Let go of it, and of the socket, at whose end it leaves."""
        with self._lock:
            self._closing.set()
            running = self._running
        if running is not None:
            with suppress(OSError):
                running.socket.shutdown(socket.SHUT_RDWR)
            running.kill()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _watch(self) -> None:
        while not self._closing.is_set():
            error = self._begin()
            if error is None and self._running is not None:
                error = self._listen(self._running.socket)
            self._end()
            if self._closing.is_set():
                return
            self._post(events.MonitorFailed(error or "died"))
            wait_s = BACKOFF_S[min(self._deaths, len(BACKOFF_S) - 1)]
            self._deaths += 1
            self._closing.wait(wait_s)

    def _begin(self) -> str | None:
        """Start one; gives why that cannot be."""
        source = self._settings.input
        packet = messages.encode(
            Listen(source.driver.value, device_of(source), self._settings.loud_dbfs - WORTH_BELOW_DB)
        )
        try:
            sent_fd = to_be_read(self._sent_fd)
            try:
                with input_file(source) as files:
                    running = self._launch(packet, [sent_fd, *files], self._started + 1)
            finally:
                os.close(sent_fd)
        except OSError as error:
            return str(error)
        with self._lock:
            self._started += 1
            self._running = running
            if self._closing.is_set():
                running.kill()
        return None

    def _end(self) -> None:
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.kill()
            running.is_gone_within(GONE_S)
            running.socket.close()

    def _listen(self, connection: socket.socket) -> str:
        """Pass on what it says until it dies, falls silent or talks nonsense; gives which."""
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        patience_s = START_S
        while poll.poll(patience_s * 1_000):
            if not self._hear(connection):
                return "died"
            patience_s = SILENT_S
        return "hung"

    def _hear(self, connection: socket.socket) -> bool:
        """Pass one word on; False when it is gone or talks nonsense."""
        fds: list[int] = []
        try:
            data, fds, _, _ = socket.recv_fds(connection, PACKET_BYTES, 1)
            return self._take(_read_answer(data), fds)
        except (OSError, ValueError):
            return False
        finally:
            for fd in fds:
                os.close(fd)

    def _take(self, answer: messages.Answer, fds: Sequence[int]) -> bool:
        match answer:
            case Heard():
                self._deaths = 0
                self._post(events.OffAirHeard(OffAirReading(*answer)))
            case Input(ok, _, error):
                if not ok:
                    self._post(events.MonitorFailed(error))
            case Kept(name, part):
                if part >= len(PARTS) or len(fds) != 1 or self._asked.get(name) != part:
                    return False  # nobody asked for it: a monitor that was taken over writes over no evidence
                self._asked[name] = part + 1
                self._kept(name, part, _whole(fds[0]))
        return True


def _whole(fd: int) -> bytes:
    """What a memory file holds. Raises ValueError for more than a recording can be."""
    size_bytes = os.fstat(fd).st_size
    if size_bytes > RECORDING_MOST_BYTES:
        raise ValueError(f"{size_bytes} bytes")
    return os.pread(fd, RECORDING_MOST_BYTES, 0)


def _read_answer(data: bytes) -> messages.Answer:
    """What a monitor says, every type and bound of it checked. Raises ValueError for all else."""
    try:
        packet = msgspec.json.decode(data, type=list[Any])
        answer = msgspec.convert(packet[1:], ANSWERS[str(packet[0])])
    except (msgspec.MsgspecError, LookupError, RecursionError) as error:
        raise ValueError(type(error).__name__) from error
    if not all(map(_is_bounded, answer)) or (isinstance(answer, Heard) and not 0 <= answer.foreign_share <= 1):
        raise ValueError("out of bounds")
    return answer


def _is_bounded(value: object) -> bool:
    """Tell whether a report can carry a value on."""
    match value:
        case int():
            return 0 <= value <= NUMBER_MOST
        case float():
            return LEVEL_LEAST_DB <= value <= LEVEL_MOST_DB
        case str():
            return len(value) <= TEXT_CHARS
    return value is None
