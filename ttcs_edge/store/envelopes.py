"""The envelopes of the programmes in force once more, each as a plain file beside the database.

A station whose database is garbage still has something to air, without any link. They are signed, so a file is worth
as much as a row: both are verified before any use. They follow the database, one commit behind it at the most; a copy
that is older than the floor of its scope is nobody's (never-6).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ttcs_edge.core.effects import Entry, ProgrammeAccepted
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.store.blobs import write_whole

COPIES = "programmes"
"""The folder, beside the database."""
SUFFIX = ".dsse.json"
SEPARATOR = "+"
"""For the slash of a scope, which holds no plus sign."""


class Envelopes:
    """A folder of copies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, scope: str) -> Path:
        return self._folder / f"{scope.replace('/', SEPARATOR)}{SUFFIX}"

    def follow(self, entries: Iterable[Entry]) -> None:
        """Do as a transaction did. A copy that fails is only a copy: the log tells, the station goes on."""
        for entry in entries:
            if not isinstance(entry, ProgrammeAccepted):
                continue
            try:
                self._folder.mkdir(exist_ok=True)
                write_whole(self._path(entry.scope), entry.envelope)
            except OSError as error:
                _tell("envelope-not-copied", error)

    def take_over(self, other: Envelopes) -> None:
        """Copy another folder's copies."""
        self.follow(ProgrammeAccepted(scope, 0, envelope) for scope, envelope in other.read())

    def read(self) -> tuple[tuple[str, bytes], ...]:
        """Every copy that can be read, behind the scope in its name."""
        found = []
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                if path.stat().st_size <= LIMITS.envelope_bytes:
                    scope = path.name.removesuffix(SUFFIX).replace(SEPARATOR, "/")
                    found.append((scope, path.read_bytes()))
            except OSError as error:
                _tell("envelope-not-read", error)
        return tuple(found)


def _tell(what: str, error: OSError) -> None:
    import structlog  # no start has to wait for it

    structlog.get_logger().warning(what, error=str(error))
