"""How many starts in a row did not last: a supply that fails every few minutes, or a release that keeps dying.

No clock is asked, for a station without a link may begin each life at the same hour: a life counts as one that lasted
once it has gone on for an hour. The count stands in a file, written once a start and removed once a good life.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ttcs_edge.store.blobs import write_whole

LASTS_S = 3_600.0


class Lives:
    """The file with the count. A card that cannot be written is told of by others."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "short-lives"
        self.count = 0

    def begin(self) -> None:
        """Count one more start; it waits for the card."""
        self.count = self._read() + 1
        with suppress(OSError):
            write_whole(self._path, str(self.count).encode())

    def lasted(self) -> None:
        """This life is a good one: it has gone on for an hour, or was ended in good order."""
        self.count = 0
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _read(self) -> int:
        try:
            return int(self._path.read_text("ascii"))
        except (OSError, ValueError):
            return 0
