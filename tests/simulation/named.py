"""What the centre's beacons name and is not here: by the books it is asked for in time, and told while it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.core.material import PROVINCE, sha
from tests.simulation.alerts import InForce
from tests.simulation.rules import Standing, utc_ms
from tests.simulation.shell import Violation
from tests.simulation.world import Rule, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Beacon, NamedAlert, NamedDocument, Signed
from ttcs_edge.core.floors import floor_name
from ttcs_edge.core.model import Scope
from ttcs_edge.core.timekeeping import SLACK_MS

NEXT_S = 60
"""Within how many seconds the next beacon is promised."""
MUCH = 2**50
"""A version that nothing has that anybody ever sends."""
GRACE_MS = 5_000
SLOW_MS = 15_000
AGAIN_MS = 60_000
AGAIN_MOST_MS = {"trust": 3_600_000, "alert": 600_000}
BOUND_MS = 500
CODES = {"trust": "trust-withheld", "programme": "programme-withheld", "alert": "alert-withheld"}
SILENT = "centre-silent"

Name = tuple[str, str]
"""What kind of document, and of an alert its id; all are of the province."""


def named_by(world: World) -> dict[str, Any]:
    """What a beacon of the province says is in force, as the broker has it."""
    if world.roots is None:
        return {}
    fields: dict[str, Any] = {"next_s": NEXT_S, "trust": world.roots.newest.version}
    if PROVINCE in world.retained:
        document = world.letters[world.retained[PROVINCE] - 1].programme
        assert isinstance(document, Signed)
        fields["programme"] = NamedDocument(version=document.document.version, sha256=sha("p"), size_bytes=9)
    if world.authority is not None:
        there = [world.authority.messages[number].document for number in world.authority.retained.values()]
        alerts = [one.document for one in there if isinstance(one, Signed)]
        fields["alerts"] = tuple(
            NamedAlert(id=one.id, version=one.version, sha256=sha(one.id), size_bytes=9)
            for one in alerts
            if one.scope == PROVINCE and utc_ms(one.expires) > world.true_ms
        )
    return fields


def lied_by(world: World) -> dict[str, Any]:
    """What a thief's beacon says is in force: more than there is, of one thing or another."""
    if world.roots is None:
        return {}
    lies: list[dict[str, Any]] = [
        {"trust": world.roots.newest.version + 3},
        {"programme": NamedDocument(version=MUCH, sha256=sha("p"), size_bytes=9)},
        {"alerts": (NamedAlert(id="w0", version=MUCH, sha256=sha("w0"), size_bytes=9),)},
        {},
    ]
    return named_by(world) | world.random.choice(lies)


@dataclass
class Lack:
    """A document that was named and is not here."""

    version: int
    since_mono_ms: int
    ask_mono_ms: int
    beacons: int = 1
    asked: int = 0


class Named(Rule):
    """never-6: what a beacon names and is not here is asked for, again and again, and told once two have named it.

    Only of stations that are told the time: what beacons one believes that has its time from them is another's rule.
    """

    def __init__(self, standing: Standing, in_force: InForce) -> None:
        self.standing = standing
        self.in_force = in_force
        self.lacks: dict[Name, Lack] = {}
        self.told: set[tuple[str, str]] = set()
        self.newest: dict[str, int] = {}
        self.voice: frozenset[str] = frozenset()
        """Who signed the newest beacon of this life."""
        self.root_version = 1
        self.heard_mono_ms: int | None = None
        self.link_mono_ms: int | None = None

    def power_on(self, world: World) -> None:
        """Nobody knows what lacked; the floor of beacons is what the disk has of it."""
        self.lacks, self.heard_mono_ms, self.link_mono_ms = {}, None, None
        self.root_version, self.voice = world.root.version, frozenset()
        self.told = {
            (fault.code, fault.subject)
            for fault in world.disk.faults.values()
            if fault.code in (*CODES.values(), SILENT)
        }
        self.newest = dict(world.disk.floors)

    def hears(self, world: World, event: events.Event) -> None:
        """What a beacon that is believed names, as long as its key counts; without a link nobody holds it back."""
        if world.root.version != self.root_version:
            self.root_version = world.root.version
            if not world.may(self.voice):
                self.lacks, self.heard_mono_ms = {}, None
        if isinstance(event, events.LinkChanged):
            if not event.up:
                self.lacks, self.link_mono_ms = {}, None
            elif self.link_mono_ms is None:
                self.link_mono_ms = world.mono_ms
        if isinstance(event, events.BeaconArrived) and isinstance(event.beacon, Signed):
            self._hear(world, event.beacon, event.live)

    def _hear(self, world: World, signed: Signed[Beacon], live: bool) -> None:
        beacon = signed.document
        names = {key: floor_name(f"beacon:{beacon.scope}", key) for key in world.keys}
        floor = max(self.newest.get(name, 0) for name in names.values())
        expired = world.trusted and utc_ms(beacon.expires) <= world.wall_ms
        ahead = world.trusted and utc_ms(beacon.issued) > world.wall_ms + SLACK_MS
        if not world.may(signed.signers) or expired or ahead or beacon.version <= floor:
            return
        self.voice = signed.signers
        self.newest |= {name: beacon.version for key, name in names.items() if key in signed.signers}
        if live and isinstance(beacon.next_s, int):
            self.heard_mono_ms = world.mono_ms
        named = _versions(beacon)
        self.lacks = {name: lack for name, lack in self.lacks.items() if name in named}
        for name, version in named.items():
            lack = self.lacks.get(name)
            if self._known(world, name) >= version:
                self.lacks.pop(name, None)
            elif lack is not None and lack.version == version:
                lack.beacons += 1
            else:
                self.lacks[name] = Lack(version, world.mono_ms, world.mono_ms + GRACE_MS)

    def _known(self, world: World, name: Name) -> int:
        kind, event = name
        scope = Scope(PROVINCE)
        if kind == "trust":
            return world.root.version
        if kind == "alert":
            book = self.in_force.newest.get((scope, event))
            return 0 if book is None else book.alert.version
        programme = self.standing.programmes.get(scope) or self.standing.aside.get(scope)
        return 0 if programme is None else programme.version

    def before(self, world: World, effect: effects.Effect) -> None:
        """What is told; and that nothing is asked for that is here."""
        if isinstance(effect, effects.Record):
            for entry in effect.entries:
                if isinstance(entry, effects.FaultRaised | effects.FaultCleared):
                    key = (entry.fault.code, entry.fault.subject)
                    if entry.fault.code in (*CODES.values(), SILENT):
                        self.told = self.told - {key} if isinstance(entry, effects.FaultCleared) else self.told | {key}

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Compare what was asked for and what is told with the books."""
        if world.roots is None or world.clocks is not None:
            return
        self.lacks = {name: one for name, one in self.lacks.items() if self._known(world, name) < one.version}
        asked = [one.kind for one in done if isinstance(one, effects.HearAgain)]
        if wrong := set(asked) - {kind for kind, _ in self.lacks}:
            raise Violation(f"never-6: {sorted(wrong)} is asked for, and nothing of it lacks")
        for name, lack in self.lacks.items():
            if name[0] == "programme":  # one that came and was refused is asked for seldom
                continue
            if name[0] in asked and world.mono_ms >= lack.ask_mono_ms:
                lack.ask_mono_ms = world.mono_ms + min(AGAIN_MS << lack.asked, AGAIN_MOST_MS[name[0]])
                lack.asked += 1
            elif world.mono_ms > lack.ask_mono_ms + BOUND_MS:
                raise Violation(f"never-6: {name} lacks, and nobody asks for it")
        must = {
            (CODES[kind], _subject(kind, name))
            for (kind, name), one in self.lacks.items()
            if one.beacons > 1 and world.mono_ms >= one.since_mono_ms + GRACE_MS
        }
        if self._silent(world):
            must.add((SILENT, f"beacon:{PROVINCE}"))
        if self.told != must:
            raise Violation(f"never-6: told as lacking are {sorted(self.told)}, should be {sorted(must)}")

    def _silent(self, world: World) -> bool:
        if self.heard_mono_ms is None or self.link_mono_ms is None:
            return False
        return world.mono_ms >= max(self.heard_mono_ms, self.link_mono_ms) + 2 * NEXT_S * 1_000 + SLOW_MS


def _subject(kind: str, name: str) -> str:
    return {"trust": f"trust:{PROVINCE}", "alert": f"{PROVINCE}#alert:{name}"}.get(kind, str(PROVINCE))


def _versions(beacon: Beacon) -> dict[Name, int]:
    named: dict[Name, int] = {}
    if isinstance(beacon.trust, int):
        named["trust", ""] = beacon.trust
    if isinstance(beacon.programme, NamedDocument):
        named["programme", ""] = beacon.programme.version
    if isinstance(beacon.alerts, tuple):
        named |= {("alert", one.id): one.version for one in beacon.alerts}
    return named
