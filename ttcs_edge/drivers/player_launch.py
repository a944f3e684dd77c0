"""How a player begins, and how it surely ends: as a child of the daemon's, or in a unit of its own (decision 37).

Which of them it is stands in the environment that the daemon's unit sets: where a service manager listens for it, the
daemon connects and has a player of another user, which has nothing but a sound card and what it is handed. Everywhere
else it is a child, with what the daemon has and the player does not take from itself.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ttcs_edge.drivers.sound import timeline_of
from ttcs_edge.player import messages
from ttcs_edge.player.messages import PACKET_BYTES
from ttcs_edge.settings import InputSettings, SoundDriver, SoundSettings

SOCKET_VARIABLE = "TTCS_EDGE_PLAYER_SOCKET"
"""The path at which ``ttcs-edge-player.socket`` listens."""
MONITOR_VARIABLE = "TTCS_EDGE_MONITOR_SOCKET"
"""The path at which ``ttcs-edge-monitor.socket`` listens."""
FILE_MODE = 0o666
"""Of a WAV file that is made: what the umask leaves of it."""
SEND_S = 0.4
"""How long a player may not listen before a command to it counts as lost."""


class Running(Protocol):
    """A player that was begun, whatever became of it. Any thread may call."""

    number: int
    """The how-many-eth it is."""
    socket: socket.socket
    """Our end of what it listens to; it is the caller's to close once the player is gone."""
    pid: int | None
    """Its process id, where that is known."""

    def kill(self) -> None:
        """Have it ended, whatever it does. Never waits; one that is gone is left alone."""

    def is_gone_within(self, timeout_s: float) -> bool:
        """Wait until nothing of it runs any more, and the sound device is free. Nobody reads its socket meanwhile."""


Launch = Callable[[SoundSettings, int], Running]
"""Begins a player that sounds as these settings say, the how-many-eth it is. Raises OSError: there is no room."""


def launcher(environ: Mapping[str, str]) -> Launch:
    """The way in which players begin here."""
    path = environ.get(SOCKET_VARIABLE)
    return child if path is None else lambda settings, number: neighbour(path, settings, number)


def device_of(settings: SoundSettings | InputSettings) -> str:
    """Its name; of a file, its path."""
    return str(settings.wav_file) if settings.driver is SoundDriver.WAV else settings.device


def _begin(settings: SoundSettings) -> bytes:
    return messages.encode(messages.Begin(settings.driver.value, device_of(settings), settings.buffer_ms))


def _prepared(ours: socket.socket) -> socket.socket:
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PACKET_BYTES)  # the kernel takes it twice
    ours.settimeout(SEND_S)
    return ours


class _Child:
    """A process that the daemon forked, and kills."""

    def __init__(self, number: int, process: subprocess.Popen[bytes], ours: socket.socket) -> None:
        self.number = number
        self.socket = ours
        self.pid: int | None = process.pid
        self._process = process

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def is_gone_within(self, timeout_s: float) -> bool:
        """Wait for its exit."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True


def child(settings: SoundSettings, number: int) -> Running:
    """Fork one. Raises OSError."""
    return begin_child("ttcs_edge.player", _begin(settings), (), number)


def begin_child(module: str, packet: bytes, files: Sequence[int], number: int) -> Running:
    """Fork what a module is, and send it a first packet, with files. Raises OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with theirs:
            socket.send_fds(_prepared(ours), [packet], files)
            command = [sys.executable, "-m", module, str(theirs.fileno())]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)  # noqa: S603 (our own module, a list of words, no shell)
    except OSError:
        ours.close()
        raise
    return _Child(number, process, ours)


class _Neighbour:
    """A unit that the service manager began for our connection. It lives while we hold our end of its lifeline.

    The service manager keeps the connection open until nothing in the unit runs any more, so the end of it is the
    proof.
    """

    pid: int | None = None

    def __init__(self, number: int, ours: socket.socket, lifeline: socket.socket) -> None:
        self.number = number
        self.socket = ours
        self._lifeline = lifeline
        self._lock = threading.Lock()

    def kill(self) -> None:
        """Let go of its lifeline: its keeper leaves, and the service manager kills what is left."""
        with self._lock:
            self._lifeline.close()

    def is_gone_within(self, timeout_s: float) -> bool:
        """Hear it out; what it still says is for nobody."""
        until_s = time.monotonic() + timeout_s
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        try:
            while poll.poll(max(0.0, until_s - time.monotonic()) * 1_000):
                if not self.socket.recv(PACKET_BYTES):
                    return True
        except ConnectionError:
            return True
        return False


def neighbour(path: str, settings: SoundSettings, number: int) -> Running:
    """Have the service manager begin one. Raises OSError: nobody listens there."""
    files = wav_files(settings)
    try:
        return begin_neighbour(path, _begin(settings), files, number)
    finally:
        for fd in files:
            os.close(fd)


def begin_neighbour(path: str, packet: bytes, files: Sequence[int], number: int) -> Running:
    """Have the service manager begin what listens there, and send it a first packet, with files. Raises OSError."""
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    lifeline, theirs = socket.socketpair()
    try:
        _prepared(ours).connect(path)
        socket.send_fds(ours, [packet], [theirs.fileno(), *files])
    except OSError:
        ours.close()
        lifeline.close()
        raise
    finally:
        theirs.close()
    return _Neighbour(number, ours, lifeline)


def wav_files(settings: SoundSettings) -> list[int]:
    """A WAV file to write and its timeline, for a player that may open no file; none when they cannot be opened.

    The player then tries by itself, and tells why that cannot be.
    """
    if settings.wav_file is None or settings.driver is not SoundDriver.WAV:
        return []
    opened: list[int] = []
    try:
        opened.append(os.open(settings.wav_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
        timeline = timeline_of(settings.wav_file)
        opened.append(os.open(timeline, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    except OSError:
        for fd in opened:
            os.close(fd)
        return []
    return opened
