"""What was heard on the air that should not have been: recordings in a folder, the oldest of which go first.

A recording is whole and on the card before ``keep`` gives its name and its SHA-256. Names are those that the core
derived, so that a power cut between the file and the fault leaves a file with nobody's name in a fault, and never a
fault without its file.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from ttcs_edge.whole_files import PRIVATE, replace

FILES_MOST = 40
BYTES_MOST = 32 * 1024 * 1024
NAME = re.compile(r"foreign-\d{1,16}-\d{1,10}(-after)?")


class Recording(NamedTuple):
    """A file of the folder, by its name in there."""

    file: str
    size_bytes: int
    kept_s: float
    """When it was written, by the wall clock of then."""


class Evidence:
    """The folder ``evidence`` in the state folder; made when it is needed. One thread writes, any thread may look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, wav: bytes) -> tuple[str, str]:
        """Put a recording on the card; gives its file's name and its SHA-256 in hex. Raises OSError, ValueError."""
        if NAME.fullmatch(name) is None:
            raise ValueError(f"no name of a recording: {name[:60]}")
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._make_room(len(wav))
        file = f"{name}.wav"
        replace(self._folder / file, wav, PRIVATE)
        return file, hashlib.sha256(wav).hexdigest()

    def recordings(self) -> list[Recording]:
        """What is there, the oldest first."""
        found = []
        try:
            for path in self._folder.iterdir():
                if path.suffix == ".wav" and NAME.fullmatch(path.stem):
                    status = path.stat()
                    found.append(Recording(path.name, status.st_size, status.st_mtime))
        except FileNotFoundError:
            return []
        return sorted(found, key=lambda one: (one.kept_s, one.file))

    def _make_room(self, size_bytes: int) -> None:
        there = self.recordings()
        total_bytes = size_bytes + sum(one.size_bytes for one in there)
        for count, one in enumerate(there):
            if len(there) - count < FILES_MOST and total_bytes <= BYTES_MOST:
                break
            (self._folder / one.file).unlink(missing_ok=True)
            total_bytes -= one.size_bytes
