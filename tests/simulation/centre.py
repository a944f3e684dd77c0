"""The centre behind the broker: beacons and commands, and what a broker does with them.

What comes while the link is down, or while the broker holds everything back, comes later, and all at once. The newest
beacon is retained, too, and comes once more with each connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import cast

from tests.core.material import KEY, PROVINCE, STRANGER
from tests.simulation.shell import Violation
from tests.simulation.world import Rule, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.commands import command_subject
from ttcs_edge.core.documents import Beacon, Command, Refused, ResendRange, Signed
from ttcs_edge.core.model import MonoMs
from ttcs_edge.core.timekeeping import SLACK_MS
from ttcs_edge.core.trust import utc_ms

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
        self._version = 0
        self._held = False
        self._queue: list[int] = []
        self.messages: list[Message] = []
        self.carried_out: list[int] = []

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

    def send(self, kind: str, way: str, resend: tuple[int, int, int] = (1, 1, 1)) -> None:
        """A message leaves the centre."""
        if way == AGAIN:
            known = [one.document for one in self.messages if one.kind == kind and not one.ahead]
            document = self._world.random.choice(known[-3:]) if known else Refused("not-utf8", PROVINCE)
        elif way == BYTES:
            document = Refused("not-utf8", PROVINCE)
        else:
            document = self._document(kind, way, resend)
        self.messages.append(Message(document, kind, way == AHEAD))
        self._queue.append(len(self.messages) - 1)
        self._world.later(self._world.random.randrange(20, 400), self.let_go)

    def _document(self, kind: str, way: str, resend: tuple[int, int, int]) -> Signed[Beacon] | Signed[Command]:
        self._version += 1
        issued_ms = self._world.true_ms + (AHEAD_MS if way == AHEAD else 0)
        version = self._version + (FIRST if way == STRANGE else 0)
        signers, envelope = frozenset({STRANGER if way == STRANGE else KEY}), f"{kind} {version}".encode()
        life_ms = BEACON_LIFE_MS if kind == "beacon" else COMMAND_LIFE_MS
        issued, expires = _utc(issued_ms), _utc(issued_ms + life_ms)
        if kind == "beacon":
            beacon = Beacon(scope=PROVINCE, version=version, issued=issued, expires=expires)
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
            good = isinstance(beacon, Signed) and KEY in beacon.signers and not message.ahead
            if live and good and world.clocks is not None:
                world.clocks.brought_beacon(utc_ms(beacon.document.issued))
            world.send(events.BeaconArrived(beacon, PROVINCE, delivery, live, MonoMs(world.mono_ms)))
        else:
            again, command = message.brought > 1, cast(Signed[Command] | Refused, document)
            world.send(events.CommandArrived(command, delivery, False, again, b""))

    def acknowledged(self, delivery: int) -> None:
        """The station has dealt with a message."""
        self.messages[delivery - FIRST].acknowledged = True

    def obeyed(self, effect: effects.Resend) -> None:
        """The station queues reports again."""
        self.carried_out.append(effect.command)
        line = self._world.line
        if line is not None and line.outbox is not None:
            line.outbox.resend(effect.journal, effect.first, effect.last)
            line.pump()

    def open(self) -> list[int]:
        """Deliveries that were brought and never acknowledged."""
        return [FIRST + n for n, one in enumerate(self.messages) if one.brought and not one.acknowledged]

    def means(self, version: int) -> bool:
        """Tell whether a command of this version was rightly given."""
        return any(
            isinstance(one.document, Signed)
            and isinstance(one.document.document, Command)
            and one.document.document.version == version
            and KEY in one.document.signers
            and utc_ms(one.document.document.issued) <= self._world.true_ms + SLACK_MS
            for one in self.messages
        )


class Obedience(Rule):
    """never-6: a command is obeyed once, in its order, behind its floor; no other is."""

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge a command that is about to be carried out."""
        if not isinstance(effect, effects.Resend):
            return
        assert world.centre is not None
        if not world.centre.means(effect.command):
            raise Violation(f"never-6: command {effect.command} is obeyed, which nobody with a say gave")
        if effect.command <= max(world.centre.carried_out, default=0):
            raise Violation(f"never-6: command {effect.command} is obeyed behind {world.centre.carried_out[-3:]}")
        if world.disk.floors.get(command_subject(world.settings.id), 0) < effect.command:
            raise Violation(f"decision 1: command {effect.command} is obeyed before its floor is on disk")


def _utc(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms // 1_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
