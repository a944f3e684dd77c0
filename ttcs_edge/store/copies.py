"""What a station must not forget once more, each as a plain file beside the database.

    programmes/<scope>.dsse.json   those in force: with no link at all there is still something to air
    trust/<version>.dsse.json      the trust roots behind the one that came with the station's files
    floors.json                    below what nothing is obeyed any more

A station whose database is garbage goes on with these. Documents are signed, so a file is worth as much as a row: both
are verified before any use. The files follow the database, one commit behind it at the most; a programme that is older
than its floor is nobody's (never-6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ttcs_edge.core.effects import Entry, FloorRaised, ProgrammeAccepted, ProgrammeForgotten, TrustAccepted
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.store.blobs import write_whole

PROGRAMMES, TRUST, FLOORS = "programmes", "trust", "floors.json"
SUFFIX = ".dsse.json"
SEPARATOR = "+"
"""For the slash of a scope, which holds no plus sign."""


class Copies:
    """The copies in the folder of a database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def follow(self, entries: Sequence[Entry]) -> None:
        """Do as a transaction did. A copy that fails is only a copy: the log tells, the station goes on."""
        raised = {one.name: one.version for one in entries if isinstance(one, FloorRaised)}
        try:
            for entry in entries:
                if (change := _CHANGES.get(type(entry))) is not None:
                    change(self, entry)
            if raised:
                self._raise_floors(raised)
        except OSError as error:
            _tell("not-copied", error)

    def _accept(self, entry: ProgrammeAccepted) -> None:
        self._write(PROGRAMMES, entry.scope.replace("/", SEPARATOR), entry.envelope)

    def _forget(self, entry: ProgrammeForgotten) -> None:
        (self._folder / PROGRAMMES / f"{entry.scope.replace('/', SEPARATOR)}{SUFFIX}").unlink(missing_ok=True)

    def _trust(self, entry: TrustAccepted) -> None:
        self._write(TRUST, str(entry.version), entry.envelope)

    def _write(self, kind: str, name: str, envelope: bytes) -> None:
        folder = self._folder / kind
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{name}{SUFFIX}", envelope)

    def _raise_floors(self, raised: dict[str, int]) -> None:
        known = self.floors()
        higher = {name: version for name, version in raised.items() if version > known.get(name, 0)}
        if higher:
            write_whole(self._folder / FLOORS, msgspec.json.encode(known | higher, order="sorted"))

    def take_over(self, other: Copies) -> None:
        """Copy what another folder holds."""
        self.follow([ProgrammeAccepted(scope, 0, envelope) for scope, envelope in other.programmes()])
        self.follow([TrustAccepted(version, envelope) for version, envelope in other.roots()])
        self.follow([FloorRaised(name, version) for name, version in other.floors().items()])

    def programmes(self) -> tuple[tuple[str, bytes], ...]:
        """Every copy of a programme that can be read, behind the scope in its name."""
        return tuple((name.replace(SEPARATOR, "/"), data) for name, data in self._read(PROGRAMMES))

    def roots(self) -> tuple[tuple[int, bytes], ...]:
        """Every copy of a trust root that can be read, behind the version in its name."""
        return tuple((int(name), data) for name, data in self._read(TRUST) if name.isdecimal())

    def floors(self) -> dict[str, int]:
        """The floors by their names; none when they cannot be read."""
        try:
            return msgspec.json.decode((self._folder / FLOORS).read_bytes(), type=dict[str, int])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _tell("copy-not-read", error)
            return {}

    def _read(self, kind: str) -> list[tuple[str, bytes]]:
        found = []
        for path in sorted((self._folder / kind).glob(f"*{SUFFIX}")):
            try:
                if path.stat().st_size <= LIMITS.envelope_bytes:
                    found.append((path.name.removesuffix(SUFFIX), path.read_bytes()))
            except OSError as error:
                _tell("copy-not-read", error)
        return found


_CHANGES: dict[type, Callable[[Copies, Any], None]] = {
    ProgrammeAccepted: Copies._accept,
    ProgrammeForgotten: Copies._forget,
    TrustAccepted: Copies._trust,
}


def _tell(what: str, error: Exception) -> None:
    import structlog  # no start has to wait for it

    structlog.get_logger().warning(what, error=str(error))
