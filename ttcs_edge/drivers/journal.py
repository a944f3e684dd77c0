"""The log of the station, as the system keeps it: over all its lives, with what the service manager says of them."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from typing import Protocol

UNITS = ("ttcs-edge.service", "ttcs-edge-player@*.service")
"""The daemon's, and those of its players: each has one of its own."""
JOURNALCTL = ("journalctl", *(f"--unit={unit}" for unit in UNITS), "--no-pager", "--quiet", "--output=short-iso")
READ_S = 15.0
"""How long the journal may take: one of many files on a slow card takes seconds."""
CHUNK_BYTES = 16 * 1024


class JournalError(Exception):
    """The log cannot be read: there is no journal, or the station may not read it. Give up."""


class Journal(Protocol):
    """Where the log lies. ``last`` may block for ``READ_S`` and is never called on the core's thread."""

    def last(self, lines: int, most_bytes: int) -> str:
        """Give the last lines, the oldest first; of more than ``most_bytes`` of UTF-8 the newest whole lines.

        Raises JournalError.
        """


class SystemJournal:
    """systemd's journal, read by ``journalctl`` (the station's user must be in the group ``systemd-journal``)."""

    def __init__(self, command: Sequence[str] = JOURNALCTL, read_s: float = READ_S) -> None:
        self._command = command
        self._read_s = read_s

    def last(self, lines: int, most_bytes: int) -> str:
        """Give the last lines; what comes before them is read and let go, never held."""
        try:
            process = subprocess.Popen(  # noqa: S603 (a list of words, no shell; lines is a number)
                [*self._command, f"--lines={lines}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise JournalError(str(error)) from error
        late = threading.Timer(self._read_s, process.kill)
        late.start()
        try:
            with process:
                complaints: list[bytes] = []
                listener = threading.Thread(target=lambda: complaints.append(_tail(process.stderr, CHUNK_BYTES)))
                listener.start()
                kept = _tail(process.stdout, most_bytes + 1)
                listener.join()
        finally:
            late.cancel()
        if process.returncode:
            found = complaints[0].decode("utf-8", "replace").strip() if complaints else ""
            raise JournalError(found.splitlines()[0][:200] if found else f"journalctl: {process.returncode}")
        return _whole_lines(kept, most_bytes)


def _tail(stream: object, most_bytes: int) -> bytes:
    """The end of what comes."""
    kept = b""
    while chunk := stream.read(CHUNK_BYTES):  # type: ignore[attr-defined]
        kept = (kept + chunk)[-most_bytes:]
    return kept


def _whole_lines(kept: bytes, most_bytes: int) -> str:
    if len(kept) > most_bytes:  # it began before: the first line is a piece of one
        kept = kept.partition(b"\n")[2] or kept[1:]
    return kept.decode("utf-8", "ignore")
