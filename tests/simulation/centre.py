"""The centre behind the broker: beacons and commands, and what a broker does with them.

What comes while the link is down, or while the broker holds everything back, comes later, and all at once. The newest
beacon is retained, too, and comes once more with each connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, cast

import msgspec
from msgspec import UNSET

from tests.core.material import PROVINCE, STRANGER
from tests.simulation.shell import Violation
from tests.simulation.world import Rule, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.commands import command_subject
from ttcs_edge.core.documents import Beacon, Command, Refused, ResendRange, Signed, StopOrder, VolumeOrder
from ttcs_edge.core.floors import floor_name
from ttcs_edge.core.model import MonoMs, Zone
from ttcs_edge.core.timekeeping import SLACK_MS
from ttcs_edge.core.trust import utc_ms

BURNED = 2**53 - 1_000_000
"""From here on the versions of beacons and commands are those that a thief burns."""
FIRST = 1_000_000
"""From here on deliveries are the centre's; programmes have those below."""
GOOD, STRANGE, BYTES, AHEAD, AGAIN = "good", "stranger", "bytes", "ahead", "again"
WAYS = (GOOD, GOOD, GOOD, STRANGE, BYTES, AHEAD, AGAIN)
"""What may come: a good one, one that nobody with a say signed, no document, one of tomorrow, an old one once more."""
AHEAD_MS = 86_400_000
BEACON_LIFE_MS = 3_600_000
COMMAND_LIFE_MS = 30 * 86_400_000
EVERY_MS = 24 * 3_600_000
SOON_MS = 20_000


@dataclass
class Message:
    """A beacon or a command on its way, and how often it was brought."""

    document: Signed[Beacon] | Signed[Command] | Refused
    kind: str
    ahead: bool = False
    brought: int = 0
    acknowledged: bool = False


class Centre:
    """Who sends them, and the broker's queue. ``steady`` sends beacons by itself, over a link that is always mended."""

    def __init__(self, world: World, steady: bool) -> None:
        self._world = world
        self._steady = steady
        self.named: Callable[[World], dict[str, Any]] = lambda world: {}
        """What a beacon says is in force."""
        self.lied: Callable[[World], dict[str, Any]] = lambda world: {}
        """What a thief's beacon says is."""
        self._version = 0
        self._held = False
        self._queue: list[int] = []
        self.messages: list[Message] = []
        self.carried_out: list[int] = []
        self.answered: dict[int, str] = {}
        """What was told last of each command that was obeyed."""

    def owns(self, delivery: int) -> bool:
        """Tell whether a delivery is one of these."""
        return delivery >= FIRST

    def boot(self) -> None:
        """A new process connects: what was brought and not acknowledged is brought again."""
        for number, message in enumerate(self.messages):
            if message.brought and not message.acknowledged and number not in self._queue:
                self._bring(number)
        self.let_go()
        if self._steady:
            self._world.later(SOON_MS, self._go_on)

    def _mend_link(self) -> None:
        line = self._world.line
        if line is not None and not line.up:
            line.connect(True)
            self._world.send(events.LinkChanged(True, ""))

    def _go_on(self) -> None:
        self._mend_link()
        self.send("beacon", GOOD)
        self._world.later(EVERY_MS if self._world.trusted else SOON_MS, self._go_on)

    def send(
        self,
        kind: str,
        way: str,
        resend: tuple[int, int, int] = (1, 1, 1),
        action: dict[str, Any] | None = None,
        thief: str = "",
    ) -> None:
        """A message leaves the centre, or a ``thief`` who has this key of it; a command has reports sent again, unless
        it asks for something else.
        """
        if way == AGAIN:
            known = [one.document for one in self.messages if one.kind == kind and not one.ahead]
            document = self._world.random.choice(known[-3:]) if known else Refused("not-utf8", PROVINCE)
        elif way == BYTES:
            document = Refused("not-utf8", PROVINCE)
        else:
            document = self._document(kind, way, resend, thief)
            if action is not None and isinstance(document.document, Command):
                asked = msgspec.structs.replace(document.document, resend=UNSET, **action)
                document = Signed(asked, document.signers, document.envelope)
        self.messages.append(Message(document, kind, way == AHEAD))
        self._queue.append(len(self.messages) - 1)
        self._world.later(self._world.random.randrange(20, 400), self.let_go)

    def _document(
        self, kind: str, way: str, resend: tuple[int, int, int], thief: str
    ) -> Signed[Beacon] | Signed[Command]:
        self._version += 1
        issued_ms = self._world.true_ms + (AHEAD_MS if way == AHEAD else 0)
        version = self._version + (FIRST if way == STRANGE else BURNED if thief else 0)
        signer = STRANGER if way == STRANGE else thief or self._world.key
        signers, envelope = frozenset({signer}), f"{kind} {version}".encode()
        life_ms = BEACON_LIFE_MS if kind == "beacon" else COMMAND_LIFE_MS
        issued, expires = _utc(issued_ms), _utc(issued_ms + life_ms)
        if kind == "beacon":
            named = (self.lied if thief else self.named)(self._world)
            beacon = Beacon(scope=PROVINCE, version=version, issued=issued, expires=expires, **named)
            return Signed(beacon, signers, envelope)
        wanted, station = (
            ResendRange(**dict(zip(("journal", "first", "last"), resend, strict=True))),
            self._world.settings,
        )
        command = Command(
            scope=PROVINCE, station=station.id, version=version, issued=issued, expires=expires, resend=wanted
        )
        return Signed(command, signers, envelope)

    def hold(self, held: bool) -> None:
        """The broker holds everything back, or lets it go."""
        self._held = held
        self.let_go()

    def connected(self) -> None:
        """A new connection: the newest beacon is retained, and then comes what has waited."""
        if not self._held and self._world.powered:
            brought = [n for n, one in enumerate(self.messages) if one.kind == "beacon" and one.brought]
            for number in brought[-1:]:
                self._bring(number)
        self.let_go()

    def let_go(self) -> None:
        """What waits comes, all at once, where there is a way."""
        line = self._world.line
        if self._held or line is None or not line.up or not self._world.powered:
            return
        queue, self._queue = self._queue, []
        for number in queue:
            self._bring(number)

    def _bring(self, number: int) -> None:
        message, world = self.messages[number], self._world
        if message.ahead and (self._steady or not world.trusted):
            # It would be believed: whoever holds a key of the centre can keep a station from knowing the time. One that
            # was brought in an earlier life, while there was time, and never acknowledged has expired at the broker.
            message.brought = 0
            return
        message.brought += 1
        delivery, document = FIRST + number, message.document
        if message.kind == "beacon":
            live, beacon = message.brought == 1, cast(Signed[Beacon] | Refused, document)
            world.send(events.BeaconArrived(beacon, PROVINCE, delivery, live, MonoMs(world.mono_ms)))
        else:
            again, command = message.brought > 1, cast(Signed[Command] | Refused, document)
            world.send(events.CommandArrived(command, delivery, False, again, b""))

    def acknowledged(self, delivery: int) -> None:
        """The station has dealt with a message."""
        self.messages[delivery - FIRST].acknowledged = True

    def obeyed(self, effect: effects.Resend | effects.SendLog | effects.CheckConfig) -> None:
        """The station queues reports again, sends its log, or reads its config before it leaves."""
        self.carried_out.append(effect.command)
        if not isinstance(effect, effects.Resend):
            return
        line = self._world.line
        if line is not None and line.outbox is not None:
            line.outbox.resend(effect.journal, effect.first, effect.last)
            line.pump()

    def given(self, version: int) -> Signed[Command]:
        """The command of a version."""
        commands = (one.document for one in self.messages if isinstance(one.document, Signed))
        return next(
            one
            for one in commands
            if isinstance(one.document, Command) and one.document.version == version and STRANGER not in one.signers
        )

    def signed(self, envelope: bytes) -> Signed[Command]:
        """The command that came in an envelope."""
        return self.given(int(envelope.split()[1]))

    def open(self) -> list[int]:
        """Deliveries that were brought and never acknowledged."""
        return [FIRST + n for n, one in enumerate(self.messages) if one.brought and not one.acknowledged]


class Loudness(Rule):
    """never-6: a command is obeyed when, and only when, who may command has given it, in time, behind all before it.

    air-5: how loud each zone is by the newest command for it, as long as that lasts, and as its key does; how often one
    was to stop.
    """

    def __init__(self) -> None:
        self.orders: dict[str, Signed[Command]] = {}
        self.before_event: dict[str, Signed[Command]] = {}
        self.stops_mono_ms: deque[int] = deque(maxlen=200)
        self.floors: dict[str, int] = {}
        """The newest version that each key had obeyed."""
        self.given: dict[int, Signed[Command]] = {}
        """What had to be obeyed in this life, by its version."""
        self.obeys = False
        """Whether the event is a command that must be obeyed."""
        self.root_version = 1

    def power_on(self, world: World) -> None:
        """What is on disk counts, as far as its key does, and nothing else."""
        self.orders = {zone: one for zone, one in world.disk.volumes.items() if world.may(one.signers)}
        self.before_event, self.given, self.root_version = self.orders, {}, world.root.version
        subject = command_subject(world.settings.id)
        names = ((name.partition("@"), version) for name, version in world.disk.floors.items())
        self.floors = {key: version for (name, _, key), version in names if name == subject}

    def hears(self, world: World, event: events.Event) -> None:
        """Judge a command as the design says; with a key that is revoked goes what it had ordered."""
        if world.root.version != self.root_version:
            self.root_version = world.root.version
            self.orders = {zone: one for zone, one in self.orders.items() if world.may(one.signers)}
        self.before_event, self.obeys = self.orders, False
        if isinstance(event, events.CommandArrived) and isinstance(event.command, Signed):
            command = event.command.document
            if isinstance(command.stop, StopOrder):
                self.stops_mono_ms.append(world.mono_ms)
            self.obeys = self._is_right(world, event.command)
            if self.obeys:
                self._take(world, event.command)

    def _take(self, world: World, signed: Signed[Command]) -> None:
        command = signed.document
        self.given[command.version] = signed
        self.floors |= dict.fromkeys(signed.signers.intersection(world.keys), command.version)
        if isinstance(command.volume, VolumeOrder):
            zones = [zone.id for zone in world.settings.zones if command.volume.zone in (None, zone.id)]
            self.orders = self.orders | dict.fromkeys(zones, signed)

    def _is_right(self, world: World, signed: Signed[Command]) -> bool:
        command, here = signed.document, world.settings
        if not world.may(signed.signers) or command.station != here.id or not world.trusted:
            return False
        if utc_ms(command.expires) <= world.wall_ms or utc_ms(command.issued) > world.wall_ms + SLACK_MS:
            return False
        covers = (here.scope + "/").startswith(command.scope + "/")
        return covers and command.version > max(self.floors.get(key, 0) for key in ("", *world.keys))

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """What had to be obeyed raises its floor, and nothing else does."""
        if isinstance(event, events.CommandArrived):
            subject = command_subject(world.settings.id)
            entries = [entry for one in done if isinstance(one, effects.Record) for entry in one.entries]
            raised = [one for one in entries if isinstance(one, effects.FloorRaised) and one.name.startswith(subject)]
            if bool(raised) is not self.obeys:
                raise Violation(f"never-6: a command is {'taken' if raised else 'refused'}, and should not be: {event}")

    def allowed(self, world: World, zones: tuple[Zone, ...], slot_percent: int) -> set[int]:
        """How loud a cue may be: by what was ordered before this event, or by it."""
        return {
            min(slot_percent * self._percent(world, zone, orders) // 100 for zone in zones)
            for orders in (self.orders, self.before_event)
        }

    def _percent(self, world: World, zone: Zone, orders: dict[str, Signed[Command]]) -> int:
        order = None if zone.id not in orders else _volume(orders[zone.id].document)
        lasts = order is not None and (utc_ms(order.until) > world.wall_ms or not world.trusted)
        return zone.volume_percent if order is None or order.percent is None or not lasts else order.percent


class Obedience(Rule):
    """never-6: a command is obeyed once, behind its floor, and only what had to be."""

    def __init__(self, loudness: Loudness) -> None:
        self.loudness = loudness

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge a command that is about to be carried out, or is told as obeyed."""
        if isinstance(effect, effects.Answer) and effect.outcome != "refused":
            self._answered(world, effect)
        if not isinstance(effect, effects.Resend | effects.SendLog | effects.CheckConfig):
            return
        assert world.centre is not None
        self._see_given(world, effect.command, "obeyed")
        if effect.command in world.centre.carried_out:
            raise Violation(f"never-6: command {effect.command} is obeyed twice")

    def _answered(self, world: World, answer: effects.Answer) -> None:
        assert world.centre is not None
        version, before = answer.command, world.centre.answered.get(answer.command)
        self._see_given(world, version, "told as obeyed")
        if before is not None and (before, answer.outcome) not in (("under-way", "done"), ("under-way", "failed")):
            raise Violation(f"never-6: command {version} is told as obeyed twice")
        world.centre.answered[version] = answer.outcome

    def _see_given(self, world: World, version: int, what: str) -> None:
        signed = self.loudness.given.get(version)
        if signed is None:
            raise Violation(f"never-6: command {version} is {what}, which nobody with a say gave")
        subject = command_subject(world.settings.id)
        if all(world.disk.floors.get(floor_name(subject, key), 0) < version for key in signed.signers):
            raise Violation(f"decision 1: command {version} is {what} before its floor is on disk")


def _volume(command: Command) -> VolumeOrder:
    assert isinstance(command.volume, VolumeOrder)
    return command.volume


def _utc(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms // 1_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
