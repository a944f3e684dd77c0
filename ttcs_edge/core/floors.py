"""Version floors: of each document the newest version ever accepted, by each key that signed it (never-6).

A floor counts as long as the trust root lets one of the keys that raised it sign such a document. So a key that was
stolen, and burned the versions up to the highest number there is, takes its floors with it when it is revoked, and
those of the keys that stay hold on: nothing older than what they signed is obeyed (TUF 1.0.33, 5.3.11, fast-forward).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ttcs_edge.core.effects import FloorRaised

SEPARATOR = "@"
"""Between a document's subject and a key; it stands in neither."""


def floor_name(subject: str, keyid: str) -> str:
    """What the store calls the floor that a key raised."""
    return f"{subject}{SEPARATOR}{keyid}"


@dataclass(slots=True)
class Floors:
    """The floors of a station, by their names. One without a key was raised by a release that knew none, and counts."""

    versions: dict[str, int] = field(default_factory=dict)

    def of(self, subject: str, keys: Iterable[str]) -> int:
        """The floor of a document that any of these keys may sign; 0 when none was ever accepted."""
        names = (subject, *(floor_name(subject, keyid) for keyid in keys))
        return max(self.versions.get(name, 0) for name in names)

    def raise_(self, subject: str, version: int, keys: Iterable[str]) -> tuple[FloorRaised, ...]:
        """A version was accepted for the signatures of these keys; gives what is to be remembered of it."""
        raised = tuple(FloorRaised(floor_name(subject, keyid), version) for keyid in sorted(keys))
        self.versions |= {one.name: max(version, self.versions.get(one.name, 0)) for one in raised}
        return raised
