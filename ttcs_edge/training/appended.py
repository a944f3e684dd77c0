"""A WAV file that a player writes, followed while it grows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ttcs_edge.drivers.sound import wav_header

HEADER_BYTES: Final = len(wav_header(0))
SAMPLE_BYTES: Final = 2


class Appended:
    """What has been added to a file since it was last asked for; the file need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at_bytes = HEADER_BYTES

    def read(self, whole_bytes: int = SAMPLE_BYTES) -> bytes:
        """The samples that have come, in pieces of so many bytes; what is no whole piece yet comes later."""
        if not self._path.exists():
            return b""
        with self._path.open("rb") as stream:
            stream.seek(self._at_bytes)
            data = stream.read()
        data = data[: len(data) // whole_bytes * whole_bytes]
        self._at_bytes += len(data)
        return data
