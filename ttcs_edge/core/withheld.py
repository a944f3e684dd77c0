"""What the centre says is in force, and what of it has not come (freeze, withholding, mix and match: never-6).

A beacon names the trust root, the programme and the alerts that are in force for its scope, and within how many seconds
the next one is sent. Whatever stands between centre and station can hold back any of it, but not that it did:

1 What a beacon names and is not here after ``GRACE_MS`` is asked for: the broker is to send it once more, and an alert
  that has places of its own is fetched from there, as audio is. Then again, each time twice as late.
2 What the next beacon names, too, and still is not here, is a fault, until it comes or is named no more.
3 A centre of which no beacon came for as long as two of them take, while there is a link, has fallen silent, or is kept
  from us: a fault, until the next one.
4 Without a link nobody holds anything back: that is told as what it is.
5 What a beacon named counts as long as its key does: with it, all that it named is forgotten until the next one.

Beacons name, they do not speak: whoever has a beacon's key can have things asked for in vain, and told as lacking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from msgspec import UNSET, Struct

from ttcs_edge.core.beacons import beacon_subject
from ttcs_edge.core.documents import Beacon, NamedDocument
from ttcs_edge.core.effects import Effect, HearAgain, ReadDocument, WantedAudio
from ttcs_edge.core.model import Instant, MonoMs, Scope, Sha256, WallMs
from ttcs_edge.core.supervision import Detail
from ttcs_edge.core.trust import alert_subject, trust_subject

GRACE_MS = 5_000
"""What was sent right before its beacon may still be on its way, or be read."""
AGAIN_MS = 60_000
SLOW_MS = 15_000
"""How late a beacon may be by the network."""
SILENT = "centre-silent"

Kind = Literal["trust", "programme", "alert"]
WITHHELD: dict[Kind, str] = {
    "trust": "trust-withheld",
    "programme": "programme-withheld",
    "alert": "alert-withheld",
}
"""The fault of each kind of document that does not come."""
AGAIN_MOST_MS: dict[Kind, int] = {"trust": 3_600_000, "programme": 6 * 3_600_000, "alert": 600_000}
"""How long it is until a document is asked for again at the most: a programme may be megabytes on a mobile line."""
WITHHELD_FAULTS = frozenset({*WITHHELD.values(), SILENT})


class Name(Struct, frozen=True):
    """Which document: its kind and scope, and of an alert its id."""

    kind: Kind
    scope: Scope
    id: str = ""

    @property
    def subject(self) -> str:
        """What faults call it."""
        if self.kind == "alert":
            return alert_subject(self.scope, self.id)
        return trust_subject(self.scope) if self.kind == "trust" else str(self.scope)


@dataclass(slots=True)
class Lacking:
    """A document that was named and is not here: since when, by how many beacons, and how often it was asked for."""

    version: int
    document: NamedDocument | None
    since_mono_ms: MonoMs
    beacons: int = 1
    asked: int = 0
    again_mono_ms: int = 0


class Heard(Struct, frozen=True):
    """The newest beacon of a scope that came live, and when."""

    next_s: int
    mono_ms: MonoMs


Known = Callable[[Name], int]
"""The version of a document that is here; 0 when none is."""


@dataclass(slots=True)
class Withheld:
    """What lacks, which centres are to be heard, and what is told of them as faults."""

    lacking: dict[Name, Lacking] = field(default_factory=dict)
    heard: dict[Scope, Heard] = field(default_factory=dict)
    told: dict[tuple[str, str], Detail] = field(default_factory=dict)
    link_since_mono_ms: int | None = None

    @property
    def has_nothing(self) -> bool:
        """Tell whether no beacon of this life left anything to be watched or told."""
        return not (self.lacking or self.heard or self.told)

    def link(self, up: bool, now: Instant) -> None:
        """There is a link, or there is none any more."""
        if not up:
            self.lacking.clear()
        if not up or self.link_since_mono_ms is None:
            self.link_since_mono_ms = now.mono_ms if up else None

    def hear(self, beacon: Beacon, known: Known, live: bool, now: Instant) -> None:
        """A beacon is believed. One that stood retained tells what was in force, and not that its centre is there."""
        if live and beacon.next_s is not UNSET:
            self.heard[beacon.scope] = Heard(beacon.next_s, now.mono_ms)
        named = dict(_named(beacon))
        for name in [name for name in self.lacking if name.scope == beacon.scope and name not in named]:
            del self.lacking[name]
        for name, (version, document) in named.items():
            before = self.lacking.get(name)
            if known(name) >= version:
                self.lacking.pop(name, None)
            elif before is not None and before.version == version:
                before.beacons += 1
            else:
                again_mono_ms = now.mono_ms + GRACE_MS
                self.lacking[name] = Lacking(version, document, now.mono_ms, again_mono_ms=again_mono_ms)

    def forget(self, scope: Scope) -> None:
        """Nobody who may has signed the newest beacon of a scope: what it named, and promised, counts no more."""
        self.heard.pop(scope, None)
        for name in [name for name in self.lacking if name.scope == scope]:
            del self.lacking[name]

    def came(self, known: Known) -> None:
        """What was lacking may be here by now."""
        for name in [name for name, one in self.lacking.items() if known(name) >= one.version]:
            del self.lacking[name]

    def refused(self, scope: Scope, now: Instant) -> None:
        """A programme came that is none: what is asked for too soon would only bring it again."""
        if (one := self.lacking.get(Name("programme", scope))) is not None:
            one.again_mono_ms = now.mono_ms + AGAIN_MOST_MS["programme"]

    def ask(self, now: Instant) -> list[Effect]:
        """What is to be asked for once more now."""
        asked: list[Effect] = []
        for name, one in self.lacking.items():
            if now.mono_ms >= one.again_mono_ms:
                one.again_mono_ms = now.mono_ms + min(AGAIN_MS << one.asked, AGAIN_MOST_MS[name.kind])
                one.asked = min(one.asked + 1, 16)
                asked.append(HearAgain(name.kind, name.scope))
        return asked

    def wanted(self, now: Instant) -> list[WantedAudio]:
        """What is to be fetched, once it was asked for: the alerts whose beacon names places."""
        documents = [one.document for one in self.lacking.values() if one.document is not None and one.asked]
        return [
            WantedAudio(Sha256(one.sha256), one.size_bytes, one.places, WallMs(now.wall_ms))
            for one in documents
            if one.places
        ]

    def stored(self, sha256: Sha256) -> list[Effect]:
        """A file came into the store: read it if it is a document that lacks."""
        return [
            ReadDocument(name.scope, name.id, sha256)
            for name, one in self.lacking.items()
            if name.kind == "alert" and one.document is not None and one.document.sha256 == sha256
        ]

    def faults(self, now: Instant) -> dict[tuple[str, str], Detail]:
        """What is to be told as a fault now: what was named twice and does not come, and who has fallen silent."""
        told: dict[tuple[str, str], Detail] = {}
        for name, one in self.lacking.items():
            if one.beacons > 1 and now.mono_ms >= one.since_mono_ms + GRACE_MS:
                told[(WITHHELD[name.kind], name.subject)] = (("expected", f">= {one.version}"),)
        for scope, at_mono_ms in self._silent_mono_ms():
            if now.mono_ms >= at_mono_ms:
                told[(SILENT, beacon_subject(scope))] = (("expected", f"{self.heard[scope].next_s} s"),)
        self.told = told
        return told

    def _silent_mono_ms(self) -> Iterator[tuple[Scope, int]]:
        """When each centre that is to be heard has fallen silent; none without a link."""
        if self.link_since_mono_ms is None:
            return
        for scope, heard in self.heard.items():
            yield scope, max(heard.mono_ms, self.link_since_mono_ms) + 2 * heard.next_s * 1_000 + SLOW_MS

    def wake_mono_ms(self, now: Instant) -> int | None:
        """When something is to be asked for or told next."""
        turns = [one.again_mono_ms for one in self.lacking.values()]
        turns += [one.since_mono_ms + GRACE_MS for one in self.lacking.values()]
        turns += [at_mono_ms for _, at_mono_ms in self._silent_mono_ms()]
        return min((at_ms for at_ms in turns if at_ms > now.mono_ms), default=None)


def _named(beacon: Beacon) -> Iterator[tuple[Name, tuple[int, NamedDocument | None]]]:
    if beacon.trust is not UNSET:
        yield Name("trust", beacon.scope), (beacon.trust, None)
    if beacon.programme is not UNSET:
        yield Name("programme", beacon.scope), (beacon.programme.version, beacon.programme)
    for alert in () if beacon.alerts is UNSET else beacon.alerts:
        yield Name("alert", beacon.scope, alert.id), (alert.version, alert)
