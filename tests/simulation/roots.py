"""The trust roots that follow one another, a thief who holds a key, and what must hold of both.

Whoever approves roots makes each behind the one before it; the broker retains all of them, and brings them with every
new connection, unless it holds them back. The books know which roots are genuine because they made them.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from tests.core.material import KEY
from tests.simulation.rules import Standing, is_of_slot
from tests.simulation.shell import Violation
from tests.simulation.world import ROOT, Rule, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Grant, Refused, Signed, TrustRoot
from ttcs_edge.core.model import AsRunReason, Outcome
from ttcs_edge.core.trust import utc_text

FIRST = 3_000_000
"""From here on deliveries are of trust roots."""
APPROVERS = ("a" * 64, "b" * 64)
"""The root keys; both must sign."""
WITHDRAWN, POWER = AsRunReason.WITHDRAWN, AsRunReason.POWER
MOST = 2**53 - 1
"""The highest version that a document may have."""
AHEAD_MS = 86_400_000
NEXT, JOIN, DROP, REVOKE = "next", "join", "drop", "revoke"
STEPS = (NEXT, JOIN, JOIN, DROP, REVOKE)
"""What a root does to the one before: another key instead, one more key, only the newest key, none that was stolen."""
BAD = ("stranger", "stripped", "gap", "same-version", "bytes", "ahead", "old", "again")
"""What may come that leads nowhere, or nowhere new."""


def first_root() -> TrustRoot:
    """The root that is in the trust folder."""
    return replace(
        ROOT, grants=(*ROOT.grants, Grant(role="root", scope=ROOT.scope, keys=APPROVERS, threshold=len(APPROVERS)))
    )


def key_of(number: int) -> str:
    """The publishing key that the root of a version brings with it."""
    return KEY if number == 1 else f"{number:064x}"


def keys_of(root: TrustRoot) -> tuple[str, ...]:
    """The centre's keys by a root, the newest last."""
    return next(grant.keys for grant in root.grants if grant.role == "publish")


def _with_keys(root: TrustRoot, keys: tuple[str, ...], version: int) -> TrustRoot:
    mine = keys_of(root)
    grants = tuple(replace(grant, keys=keys) if grant.keys == mine else grant for grant in root.grants)
    return replace(root, version=version, grants=grants)


def _signed(root: TrustRoot, *signers: str) -> Signed[TrustRoot]:
    return Signed(root, frozenset(signers), f"{root!r} by {'+'.join(signers)}".encode())


@dataclass
class Message:
    """Roots on their way, and whether the broker was told that they are dealt with."""

    roots: tuple[Signed[TrustRoot], ...] | Refused
    ahead: bool = False
    acknowledged: bool = False


class Roots:
    """Who approves roots, the broker that brings them, and which keys a thief holds.

    ``in_force`` is the root that the station must believe now, by the books.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.published = [_signed(first_root(), *APPROVERS)]
        self.in_force = self.published[0].document
        self.stolen: set[str] = set()
        self.messages: list[Message] = []
        self._held = False

    @property
    def newest(self) -> TrustRoot:
        """What the centre means to be in force."""
        return self.published[-1].document

    @property
    def key(self) -> str:
        """With what the centre signs now."""
        return keys_of(self.newest)[-1]

    def on_disk(self) -> TrustRoot:
        """The newest root that the card has; else the one in the trust folder."""
        versions = self._world.disk.roots
        return self.signed(versions[max(versions)]).document if versions else self.published[0].document

    def signed(self, envelope: bytes) -> Signed[TrustRoot]:
        """The genuine root that an envelope is."""
        found = next((one for one in self.published if one.envelope == envelope), None)
        if found is None:
            raise Violation("never-1: a root is believed that nobody with a say approved")
        return found

    def steal(self) -> None:
        """A thief has the key with which the centre signs."""
        self.stolen.add(self.key)

    def step(self, how: str) -> None:
        """The next root is approved, and comes unless it is held back."""
        keys, version = keys_of(self.newest), self.newest.version + 1
        if how == NEXT:
            keys = (key_of(version),)
        elif how == JOIN:
            keys = (*keys[-2:], key_of(version))
        elif how == DROP:
            keys = keys[-1:]
        else:
            keys = tuple(one for one in keys if one not in self.stolen) or (key_of(version),)
        self.published.append(_signed(_with_keys(self.newest, keys, version), *APPROVERS))
        self._bring_all()

    def settle(self) -> None:
        """At last no key that counts is a thief's, and nothing is held back."""
        if self.stolen & set(keys_of(self.newest)):
            self.step(REVOKE)
        self.hold(False)

    def misbehave(self, how: str) -> None:
        """Something comes that leads nowhere, or nowhere new."""
        mine = self.in_force
        thief = _with_keys(mine, ("9" * 64,), mine.version + 1)
        bad: dict[str, tuple[Signed[TrustRoot], ...]] = {
            "stranger": (_signed(thief, "9" * 64),),
            "stripped": (_signed(thief, APPROVERS[0]),),
            "gap": (_signed(replace(thief, version=mine.version + 2), *APPROVERS),),
            "same-version": (_signed(replace(thief, version=mine.version), *APPROVERS),),
            "old": tuple(self.published[: mine.version]),
            "again": tuple(self.published[mine.version - 1 : mine.version]),
        }
        if how == "bytes":
            self._send(Refused("not-a-chain", f"trust:{mine.scope}", (("found", "dict"),)))
        elif how != "ahead":
            self._send(bad[how])
        elif self._world.trusted:  # without the time it would be believed, and it has all signatures
            issued = utc_text(self._world.wall_ms + AHEAD_MS)
            self._send((_signed(replace(thief, issued=issued), *APPROVERS),), ahead=True)

    def hold(self, held: bool) -> None:
        """The broker holds roots back, or lets them go."""
        self._held = held
        self._bring_all()

    # the broker

    def asked(self, kind: str, scope: str) -> None:
        """The station asks the broker for what it retains: what it had lost it has again."""
        world = self._world
        if not self._reached:
            return
        if kind == "trust":
            world.later(world.random.randrange(20, 400), self._bring_all)
        elif kind == "alert" and world.authority is not None:
            world.authority.hear_again(scope)
        elif kind == "programme" and scope in world.retained:
            world.hear_again(scope)

    def owns(self, delivery: int) -> bool:
        """Tell whether a delivery is one of these."""
        return delivery >= FIRST

    def boot(self) -> None:
        """A new process connects: what was not acknowledged comes again, and what is retained."""
        if self._reached:
            for number, message in enumerate(self.messages):
                message.acknowledged |= message.ahead and not self._world.trusted  # it would be believed
                if not message.acknowledged:
                    self._bring(number)
        self._bring_all()

    def connected(self) -> None:
        """A new connection."""
        self._bring_all()

    @property
    def _reached(self) -> bool:
        line = self._world.line
        return self._world.powered and (line is None or line.up)

    def _bring_all(self) -> None:
        if not self._held:
            self._send(tuple(self.published))

    def _send(self, roots: tuple[Signed[TrustRoot], ...] | Refused, *, ahead: bool = False) -> None:
        if self._reached:
            self.messages.append(Message(roots, ahead))
            self._bring(len(self.messages) - 1)

    def _bring(self, number: int) -> None:
        self._world.send(events.TrustArrived(self.messages[number].roots, str(ROOT.scope), FIRST + number))

    def acknowledged(self, delivery: int) -> None:
        """The station has dealt with a message."""
        self.messages[delivery - FIRST].acknowledged = True

    def open(self) -> list[int]:
        """Deliveries that were never acknowledged."""
        return [FIRST + number for number, one in enumerate(self.messages) if not one.acknowledged]

    # the books

    def judge(self, event: events.TrustArrived) -> bool:
        """Follow genuine roots, each behind the one before; tell whether another one is in force now."""
        if isinstance(event.roots, Refused):
            return False
        newest = self.in_force
        for one in event.roots:
            if one.document.version < self.in_force.version:
                continue
            genuine = one in self.published
            if not genuine or one.document.version not in (newest.version, newest.version + 1):
                return False
            newest = one.document
        changed, self.in_force = newest != self.in_force, newest
        return changed


class Followed(Rule):
    """never-1, never-6: the root in force is the newest genuine one that came; its keys count, and no others do.

    It comes before all other rules: they ask it whose signatures count.
    """

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.changed = False
        self.newest_on_disk = 1
        self.brought: dict[int, int] = {}
        """Which root is in force by a delivery; what is known already is acknowledged at once."""

    def power_on(self, world: World) -> None:
        """What the disk has is in force; never less than it ever had."""
        if world.roots is None:
            return
        world.roots.in_force = world.roots.on_disk()
        if world.roots.in_force.version < self.newest_on_disk:
            raise Violation(f"never-6: root {world.roots.in_force.version} is in force behind {self.newest_on_disk}")
        self._judge_disk(world)

    def hears(self, world: World, event: events.Event) -> None:
        """Roots count from the event on that brings them."""
        self.changed = False
        if world.roots is None:
            return
        if isinstance(event, events.Started) and event.trust != world.roots.in_force:
            raise Violation(f"never-6: a life begins under root {event.trust.version}")
        if isinstance(event, events.TrustArrived):
            self.changed = world.roots.judge(event)
            if self.changed:
                self.brought[event.delivery] = world.roots.in_force.version

    def before(self, world: World, effect: effects.Effect) -> None:
        """A root that is taken is the one in force; it is on disk before the broker may forget it."""
        if world.roots is None:
            return
        if isinstance(effect, effects.SetTrustRoot) and (not self.changed or effect.root != world.roots.in_force):
            raise Violation(f"never-6: root {effect.root.version} is taken, in force is {world.roots.in_force.version}")
        if isinstance(effect, effects.Record) and not self.changed:
            closed = [entry.record for entry in effect.entries if isinstance(entry, effects.AsRunClosed)]
            for record in (one for one in closed if is_of_slot(one.occurrence) and one.outcome is Outcome.MISSED):
                signers = self.standing.signers.get((record.occurrence.scope, record.programme_version))
                if signers is not None and not world.may(signers) and record.reason not in (WITHDRAWN, POWER):
                    raise Violation(f"never-1: {record.occurrence} is owed under a programme whose key is revoked")
        if isinstance(effect, effects.Acknowledge) and world.roots.owns(effect.delivery):
            version = self.brought.get(effect.delivery, 1)
            if version > world.roots.on_disk().version:
                raise Violation(f"decision 1: root {version} is acknowledged before it is on disk")

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """What had to be taken was, and each programme that went with it is named, until a good one comes."""
        if world.roots is None:
            return
        taken = any(isinstance(one, effects.SetTrustRoot) for one in done)
        if taken is not self.changed:
            raise Violation(f"never-6: a root is {'taken' if taken else 'refused'}, and should not be: {event}")
        if isinstance(event, events.TrustArrived | events.ProgrammeArrived):
            faults = world.station.snapshot(world.instant()).faults
            told = {fault.subject for fault in faults if fault.code == "programme-revoked"}
            if told != self.standing.revoked:
                raise Violation(f"never-5: told as revoked are {told}, should be {self.standing.revoked}")

    def written(self, world: World, entry: effects.Entry) -> None:
        """What the disk has is good under the root that it has, from the next entry of another kind on."""
        if world.roots is None:
            return
        if isinstance(entry, effects.TrustAccepted):
            if entry.version != world.roots.on_disk().version + 1:
                raise Violation(f"never-6: root {entry.version} on disk behind {world.roots.on_disk().version}")
            self.newest_on_disk = entry.version

    def _judge_disk(self, world: World) -> None:
        assert world.roots is not None
        for scope, one in world.disk.programmes.items():
            if not world.may(one.signers):
                raise Violation(f"never-1: the disk has a programme of {scope} whose key is revoked")
        for key, known in world.disk.alerts.items():
            if not world.may(known.signed.signers) and "deputy" not in known.signed.signers:
                raise Violation(f"never-1: the disk has the alert {key}, whose key is revoked")
