"""The real parts of the shell that decide, around a simulated station: its database, its outbox, its reports.

``Card`` is the real database in a folder of memory. ``Line`` is the real reading of the outbox (``link.reports``) on a
fake connection, and the province that counts what arrives: each report once by its id, under numbers without a gap.
"""

from __future__ import annotations

import json
import queue
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from ttcs_edge.core.effects import Audited, Entry
from ttcs_edge.link.reports import Answer, Reports
from ttcs_edge.store.database import Database, Remembered
from ttcs_edge.store.journal import place
from ttcs_edge.store.outbox import Outbox, OutboxRow
from ttcs_edge.wire.chain import digest_of
from ttcs_edge.wire.reports import NO_DIGEST, alert_report, as_run_report, audit_report, fault_report


class Violation(AssertionError):
    """A rule of the design was broken."""


if TYPE_CHECKING:
    from tests.simulation.world import Disk, World

MEMORY = Path("/dev/shm")
SETTLED_MS = 8 * 86_400_000
"""For how long an occurrence that was told must be remembered."""
GOOD, DEAF, TWICE, LOSES, NOBODY, REFUSES = "good", "deaf", "twice", "loses", "nobody", "refuses"
MODES = (GOOD, DEAF, TWICE, LOSES, NOBODY, REFUSES)
"""What a broker does: all well, acknowledge never, deliver twice, acknowledge and forget, know no reader, refuse."""
KEPT_MS = 30 * 86_400_000
"""For how long a report that was sent stays on the station, to be asked for."""
TO_ASK_MS = 3_600_000
"""How long the province may take to ask, once it hears that something is missing."""
ASKS_AFTER_MS = 60_000
"""How long the province waits for what is on its way before it asks for what is missing."""
PUBACKS = {
    NOBODY: ReasonCode(PacketTypes.PUBACK, "No matching subscribers"),
    REFUSES: ReasonCode(PacketTypes.PUBACK, "Quota exceeded"),
}
SUCCESS = ReasonCode(PacketTypes.PUBACK, "Success")


class Card:
    """The station's database on a card that forgets nothing that was committed."""

    def __init__(self, station: str) -> None:
        self._station = station
        self._folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None, ignore_cleanup_errors=True)
        self._database: Database | None = None

    @property
    def path(self) -> Path:
        """Where the database is."""
        return Path(self._folder.name) / "ttcs.db"

    def power_on(self) -> tuple[int, Remembered]:
        """A new life: the boot count, and all that the life before has left."""
        self._database = Database.open(Path(self._folder.name))
        return self._database.boot, self._database.remembered()

    def remembered(self, trust_version: int) -> Remembered:
        """What of it a life under a trust root is told."""
        assert self._database is not None
        return self._database.remembered(trust_version)

    def roots(self) -> tuple[bytes, ...]:
        """The trust roots that were accepted, the oldest first."""
        assert self._database is not None
        return self._database.roots()

    def commit(self, entries: Sequence[Entry], wall_ms: int) -> None:
        """One transaction. The audit trail grows by its entries: no link comes twice, and none is left out."""
        assert self._database is not None
        journal = self._database.journal
        link, more = journal.counts.head.link, sum(isinstance(entry, Audited) for entry in entries)
        self._database.commit(entries, self._station, wall_ms)
        if journal.counts.head.link != link + more:
            raise Violation(f"never-5: {more} entries behind link {link} end at link {journal.counts.head.link}")

    @property
    def newest(self) -> tuple[int, int]:
        """The number of the newest report: journal and sequence."""
        assert self._database is not None
        journal = self._database.journal
        return journal.number, journal.counts.sequence

    def power_off(self) -> None:
        """Nothing more is written."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def close(self) -> None:
        """Throw the card away."""
        self.power_off()
        self._folder.cleanup()


def forgotten(disk: Disk, remembered: Remembered, roots: Sequence[bytes], wall_ms: int) -> str | None:
    """Tell in what the database differs from what was written to it."""
    settled = {key for key, ms in disk.settled.items() if ms >= wall_ms - SETTLED_MS}
    envelopes = {scope: one.envelope for scope, one in disk.programmes.items()}
    known = {key for key, _ in remembered.settled}
    pairs: Iterable[tuple[str, object, object]] = (
        ("settled", settled, settled & known),
        ("roots", [disk.roots[version] for version in sorted(disk.roots)], list(roots)),
        ("floors", disk.floors, dict(remembered.floors)),
        ("programmes", envelopes, dict(remembered.envelopes)),
        ("earlier", {scope: one.envelope for scope, one in disk.earlier.items()}, dict(remembered.earlier)),
        ("volumes", {zone: one.envelope for zone, one in disk.volumes.items()}, dict(remembered.volumes)),
        ("alerts", _alerts(disk), {(one[0], one[1]): one[2:] for one in remembered.alerts}),
        ("open faults", disk.faults, {fault.id: fault for fault in remembered.open_faults}),
        ("open records", disk.open_as_run, {record.id: record for record in remembered.open_as_run}),
        ("watched until", disk.watched_until_ms, remembered.watched_until_ms),
        ("data used", disk.data_used, remembered.data_used),
        ("alive until", disk.alive_until_ms, remembered.alive_until_ms),
    )
    return next((f"{name}: {is_}, not {must}" for name, must, is_ in pairs if must != is_), None)


def _alerts(disk: Disk) -> dict[tuple[str, str], tuple[bytes, int, str]]:
    return {key: (known.signed.envelope, known.until_ms, known.told) for key, known in disk.alerts.items()}


@dataclass
class Province:
    """Who reads the reports: by id and by number."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    numbers: dict[int, dict[int, str]] = field(default_factory=dict)
    newest: dict[int, int] = field(default_factory=dict)
    links: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    """The audit trail: each entry by its journal and its link."""

    def receive(self, body: bytes) -> str | None:
        """Count a report; tells what is wrong with it."""
        report = json.loads(body)
        name, journal, sequence = report["id"], report["journal"], report["sequence"]
        if self.bodies.setdefault(name, body) != body:
            return f"the id {name} means two reports"
        known = self.numbers.setdefault(journal, {}).setdefault(sequence, name)
        if known != name:
            return f"the number {journal}/{sequence} means {known} and {name}"
        return self._chain(report) if report["kind"] == "audit" else None

    def _chain(self, entry: dict[str, Any]) -> str | None:
        """Hold an entry of the audit trail against itself, and against any other in its place."""
        if entry["digest"] != digest_of(entry):
            return f"the entry {entry['id']} has not its digest"
        known = self.links.setdefault((entry["journal"], entry["link"]), entry)
        return None if known == entry else f"the link {entry['link']} means {known['id']} and {entry['id']}"

    def broken(self) -> str | None:
        """Tell where the audit trail skips a link, or does not follow the one before."""
        for (journal, link), entry in sorted(self.links.items()):
            before = self.links.get((journal, link - 1))
            if before is None and link > 1:
                return f"no link {link - 1} before {entry['id']}"
            if entry["before"] != (NO_DIGEST if before is None else before["digest"]):
                return f"{entry['id']} does not follow link {link - 1}"
        return None

    @property
    def lacks(self) -> bool:
        """Tell whether a number up to the last one is missing."""
        return any(len(numbers) < self._last(journal) for journal, numbers in self.numbers.items())

    def _last(self, journal: int) -> int:
        return max((*self.numbers[journal], self.newest.get(journal, 0)))

    def gaps(self) -> list[tuple[int, int, int]]:
        """What of each journal is missing up to the last number: journal, first, last."""
        return [
            (journal, number, number)
            for journal, numbers in sorted(self.numbers.items())
            for number in range(1, self._last(journal) + 1)
            if number not in numbers
        ]


@dataclass
class Published:
    """What paho gives for a message."""

    rc: MQTTErrorCode
    mid: int


class Line:
    """The connection to the broker, what is on its way, and the province behind it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.province = Province()
        self.mode = GOOD
        self.up = False
        self.outbox: Outbox | None = None
        self.reports: Reports | None = None
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._mids = 0
        self._pumps_at_ms: int | None = None
        self._connection: Connection | None = None
        self._asking = False
        self._acknowledged: set[int] = set()
        self._lost: dict[int, tuple[str, int]] = {}
        """What a broker acknowledged and lost, by its place: its id, and when."""
        self._could_be_asked: set[int] = set()

    def power_on(self, path: Path) -> None:
        """A new process reads the outbox from its beginning; it is connected when the line is."""
        world = self._world
        self.outbox = Outbox(path, lambda: world.wall_ms if world.trusted else None)
        self.reports = Reports(self, "event", lambda name, error: None, now_s=lambda: world.mono_ms / 1_000)
        self._answers = queue.SimpleQueue()
        self._pumps_at_ms, self._asking = None, False
        self._connection = Connection(self) if self.up else None

    def power_off(self) -> None:
        """What was not marked as sent is sent again."""
        if self.outbox is not None:
            self.outbox.close()
        self.outbox = self.reports = self._connection = None

    # the outbox as the reports see it

    @property
    def resends(self) -> int:
        """The outbox's own."""
        assert self.outbox is not None
        return self.outbox.resends

    def pending(self, limit: int, after_seq: int) -> Sequence[OutboxRow]:
        """The outbox's own."""
        assert self.outbox is not None
        return self.outbox.pending(limit, after_seq)

    def urgent(self, limit: int) -> Sequence[OutboxRow]:
        """The outbox's own."""
        assert self.outbox is not None
        return self.outbox.urgent(limit)

    def mark_sent(self, seqs: Sequence[int]) -> None:
        """The outbox's own, and only for what the broker has acknowledged."""
        assert self.outbox is not None
        if early := [seq for seq in seqs if seq not in self._acknowledged]:
            raise Violation(f"never-5: {early} count as sent, but the broker never acknowledged them")
        self.outbox.mark_sent(seqs)

    # the connection

    def connect(self, up: bool) -> None:
        """The link comes, as a new connection; or goes, with everything that is on its way."""
        self.up = up
        self._connection = Connection(self) if up else None
        self.pump()
        if up and self._world.centre is not None:
            self._world.centre.connected()
        if up and self._world.roots is not None:
            self._world.roots.connected()
        if up and self._world.authority is not None:
            self._world.authority.connected()

    def pump(self) -> None:
        """What the link's thread does: take the answers, fill the window, see when to look again."""
        if self.reports is None:
            return
        self.reports.settle(self._answers)
        client = cast(Client, self._connection) if self._connection is not None else None
        if client is not None:
            self.reports.send(client)
        wait_s = self.reports.wait_s(client)
        if wait_s is not None:
            self._pump_in(round(wait_s * 1_000) + 1)

    def _pump_in(self, after_ms: int) -> None:
        at_ms = self._world.mono_ms + after_ms
        if self._pumps_at_ms is None or at_ms < self._pumps_at_ms:
            self._pumps_at_ms = at_ms
            self._world.later(after_ms, self._pump_now)

    def _pump_now(self) -> None:
        self._pumps_at_ms = None
        self.pump()

    def publish(self, connection: Connection, body: bytes) -> Published:
        """A message leaves; the broker does with it what its mode says."""
        if connection is not self._connection:
            return Published(MQTTErrorCode.MQTT_ERR_NO_CONN, 0)
        self._mids += 1
        mid, mode = self._mids, self.mode
        report = json.loads(body)
        seq = place(report["journal"], report["sequence"])
        if mode in (GOOD, TWICE, DEAF):
            self._world.later(self._world.random.randrange(20, 400), self._deliver(body, 2 if mode == TWICE else 1))
        if mode == LOSES:
            self._lost[seq] = report["id"], self._world.true_ms
            self._could_be_asked.discard(seq)
        if mode != DEAF:
            code = PUBACKS.get(mode, SUCCESS)
            self._world.later(self._world.random.randrange(20, 3_000), lambda: self._answer(connection, mid, code, seq))
        return Published(MQTTErrorCode.MQTT_ERR_SUCCESS, mid)

    def _deliver(self, body: bytes, times: int) -> Callable[[], None]:
        def deliver() -> None:
            for _ in range(times):
                if (wrong := self.province.receive(body)) is not None:
                    raise Violation(f"never-5: {wrong}")
            self._see_gaps()

        return deliver

    def heartbeat(self, newest: tuple[int, int]) -> None:
        """A heartbeat tells the newest number, once nothing waits any more; it may be lost like everything else."""
        journal, sequence = newest
        if self._connection is None or self.mode != GOOD:
            return
        since_ms = self._world.true_ms - KEPT_MS + TO_ASK_MS
        self._could_be_asked |= {seq for seq, (_, lost_ms) in self._lost.items() if lost_ms > since_ms}
        if sequence in self.province.numbers.setdefault(journal, {}):
            return
        assert self.outbox is not None
        if self.outbox.depth()[0] == 0:
            self.province.newest[journal] = sequence
            self._see_gaps()

    def _see_gaps(self) -> None:
        if self.province.lacks and not self._asking:
            self._asking = True
            self._world.later(ASKS_AFTER_MS, self.ask_again)

    def _answer(self, connection: Connection, mid: int, code: ReasonCode, seq: int) -> None:
        if connection is self._connection:
            if code is SUCCESS:
                self._acknowledged.add(seq)
            self._answers.put((cast(Client, connection), mid, code))
            self.pump()

    def ask_again(self) -> None:
        """The province sees gaps, and asks for what it lacks."""
        self._asking = False
        assert self.outbox is not None
        for journal, first, last in self.province.gaps():
            self.outbox.resend(journal, first, last)
        self.pump()

    def lose_the_last(self, most: int) -> None:
        """The province itself loses what came last, and asks for it."""
        assert self.outbox is not None
        for journal, numbers in sorted(self.province.numbers.items())[-1:]:
            for number in sorted(numbers)[-most:]:
                del self.province.bodies[numbers.pop(number)]
                self.outbox.resend(journal, number, number)
        self.pump()

    def account(self) -> str | None:
        """After a good while on a good line: everything that was written has arrived, once, without a gap."""
        disk, station = self._world.disk, self._world.settings.id
        must = {as_run_report(station, record, 0).id for record in disk.as_run}
        must |= {fault_report(station, fault, 0).id for fault in disk.fault_log}
        must |= {alert_report(station, told, 0).id for told in disk.receipts}
        must |= {audit_report(station, entry, 0).id for entry in disk.audit}
        have = set(self.province.bodies)
        beyond = {seq: name for seq, (name, _) in self._lost.items() if seq not in self._could_be_asked}
        must -= set(beyond.values()) - have  # the line came back when they were no longer kept
        if must != have:
            wrong = sorted(must ^ have)[:3]
            return f"{len(must - have)} reports never arrived, {len(have - must)} are of nothing: {wrong}"
        if gaps := [gap for gap in self.province.gaps() if place(*gap[:2]) not in beyond]:
            return f"the numbers have gaps: {gaps[:3]}"
        if not beyond and (wrong_link := self.province.broken()) is not None:
            return f"the audit trail is broken: {wrong_link}"
        assert self.outbox is not None
        return f"{self.outbox.depth()[0]} reports wait still" if self.outbox.depth()[0] else None


class Connection:
    """One connection as the reports see it: paho's client, as far as they use it."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def publish(self, topic: str, payload: bytes, qos: int) -> Published:
        """Hand a message over."""
        return self._line.publish(self, payload)
