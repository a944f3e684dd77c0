"""A lock file as ``make lock`` writes it: what is pinned, by which hashes, for whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[2]
ALL, RUN = TOP / "requirements.lock", TOP / "requirements-run.lock"
OURSELVES = "ttcs-edge"
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^ +# +(?:via +)?([A-Za-z0-9][\w.-]*)(?: \(.*\))?$")


@dataclass(frozen=True)
class Pin:
    """One package: its exact version, the hash of each of its files, when it is taken, and what asks for it."""

    name: str
    version: str
    hashes: tuple[str, ...]
    marker: str | None
    asked_by: tuple[str, ...]

    @property
    def is_taken_here(self) -> bool:
        """Tell whether this Python takes it."""
        return self.marker is None or Marker(self.marker).evaluate()


def read_lock(file: Path) -> tuple[Pin, ...]:
    """Every pin of a lock, in its order. Raises ValueError for a line that pins nothing."""
    pins = []
    for block in re.split(r"^(?=\S)", file.read_text("utf-8"), flags=re.M):
        if not block.strip() or block.startswith("#"):
            continue
        head, *rest = block.splitlines()
        wanted = Requirement(head.removesuffix("\\").strip())
        (exact,) = wanted.specifier
        if exact.operator != "==":
            raise ValueError(f"{file.name}: {head}")
        asked = [found[1] for line in rest if (found := _VIA.match(line)) and found[1] != "via"]
        pins.append(
            Pin(
                canonicalize_name(wanted.name),
                exact.version,
                tuple(_HASH.findall(block)),
                str(wanted.marker) if wanted.marker else None,
                tuple(dict.fromkeys(map(canonicalize_name, asked))),
            )
        )
    return tuple(pins)
