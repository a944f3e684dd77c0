"""A report that nobody heard stays where it was, until somebody does."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from paho.mqtt.client import MQTTMessageInfo
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from tests.link.bench import STATION
from tests.parts import Authority, Broker, Listener, eventually
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.effects import AlertTold, FaultRaised
from ttcs_edge.core.events import ConditionChanged, Event, LinkChanged
from ttcs_edge.core.model import Fault, Scope, Severity, WallMs
from ttcs_edge.link.inbox import Readers
from ttcs_edge.link.mqtt import BrokerLink
from ttcs_edge.link.reports import Answer, Reports
from ttcs_edge.settings import BrokerSettings
from ttcs_edge.store.database import Database
from ttcs_edge.store.outbox import Outbox, OutboxRow

REPORTS = 60
STATES = ("accepted", "on-air")


def unread(data: bytes, subject: str) -> Refused:
    """Read no document."""
    return Refused("unreadable", subject)


class Station:
    """A link with a real outbox that holds some reports."""

    def __init__(self, folder: Path, broker: Broker, large: int = 0) -> None:
        database = Database.open(folder)
        faults = [Fault(f"1-f{n}", "no-time", "clock", Severity.WARNING, (), WallMs(n)) for n in range(REPORTS)]
        faults[:large] = [replace(fault, detail=(("text", "x" * 3_000),)) for fault in faults[:large]]
        database.commit([FaultRaised(fault) for fault in faults], STATION, 1)
        database.close()
        self.outbox = Outbox(folder / "ttcs.db")
        self.heard: list[Event] = []
        certificate, key = broker.authority.client(STATION)
        settings = BrokerSettings("127.0.0.1", broker.authority.ca_file, certificate, key, broker.port)
        self.link = BrokerLink(
            settings,
            STATION,
            Scope("vn/lam-dong"),
            lambda state: json.dumps({"kind": "status", "state": state}).encode(),
            self.outbox,
            Readers(unread, unread, unread, unread, unread, unread),
            self.heard.append,
        )
        self.link.start()

    @property
    def depth(self) -> int:
        """How many reports wait."""
        return self.outbox.depth()[0]

    @property
    def unheard_s(self) -> float:
        """For how long nobody has listened; 0 while somebody does."""
        since_s = self.link._reports._unheard_since_mono_s
        return 0.0 if since_s is None else time.monotonic() - since_s


@pytest.fixture
def linked(tmp_path: Path, broker: Broker) -> Iterator[Station]:
    """Connected, with nobody at the centre."""
    station = Station(tmp_path / "state", broker)
    eventually(lambda: LinkChanged(True, "connected") in station.heard)
    yield station
    station.link.close(2)


def ids(centre: Listener) -> list[str]:
    """The ids of all reports so far."""
    return [report["id"] for report in centre.reports("fault")]


def test_reports_that_nobody_hears_wait_and_arrive_in_order_once_somebody_listens(
    linked: Station, broker: Broker
) -> None:
    """The broker acknowledges them with 0x10 meanwhile; a probe at a time, ever more seldom, costs next to nothing."""
    eventually(lambda: linked.unheard_s > 1.5)
    assert linked.depth == REPORTS

    centre = Listener(broker)
    eventually(lambda: len(set(ids(centre))) == REPORTS, 20)
    eventually(lambda: linked.depth == 0)
    assert list(dict.fromkeys(ids(centre))) == [f"{STATION}/1-f{n}" for n in range(REPORTS)]
    centre.close()


class Deaf:
    """A broker without listeners, and the outbox with one report for it, on a clock that only waits move on."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.tries_s: list[float] = []
        self.resends = 0
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._reports = Reports(self, "event", lambda report, error: None, lambda: self.now_s)

    def pending(self, limit: int, after_seq: int) -> list[OutboxRow]:
        """The report, for whoever has not read it."""
        return [OutboxRow(1, "1-f1", b"{}")] if after_seq < 1 else []

    def urgent(self, limit: int) -> list[OutboxRow]:
        """It is none."""
        return []

    def mark_sent(self, seqs: Sequence[int]) -> None:
        """Nothing is ever sent."""
        raise AssertionError(seqs)

    def publish(self, topic: str, body: bytes, qos: int) -> MQTTMessageInfo:
        """Take it, and say that nobody heard it."""
        self.tries_s.append(self.now_s)
        mid = len(self.tries_s)
        self._answers.put((self, mid, ReasonCode(PacketTypes.PUBACK, "No matching subscribers")))  # type: ignore[arg-type]
        return MQTTMessageInfo(mid)

    def hurry(self) -> None:
        """Something urgent came."""
        self._reports.hurry()

    def live(self, until_s: float) -> None:
        """Go from wait to wait."""
        while self.now_s <= until_s:
            self._reports.settle(self._answers)
            self._reports.send(self)  # type: ignore[arg-type]
            if self._answers.empty():
                self.now_s += self._reports.wait_s(self) or 0.0  # type: ignore[arg-type]


@pytest.mark.parametrize("away_s", [0.5, 2.5, 3.5, 9.5, 20.0, 60.0, 120.0])
def test_proof_reaches_a_centre_that_was_away_within_half_of_that_time(away_s: float) -> None:
    """A broker restarted under a station and its centre: whoever is back first, the proof is not held up for long."""
    broker = Deaf()
    broker.live(2 * away_s + 2)
    assert min(at_s for at_s in broker.tries_s if at_s >= away_s) - away_s <= max(1.0, away_s / 2) + 0.1


def test_the_receipt_of_an_alert_is_offered_at_once_and_soon_again() -> None:
    """Nobody has listened for an hour; whoever sends an alert listens."""
    broker = Deaf()
    broker.live(3_600)
    tried, now_s = len(broker.tries_s), broker.now_s
    assert broker.tries_s[-1] - broker.tries_s[-2] == pytest.approx(60, abs=1)
    broker.now_s += 5
    broker.hurry()
    broker.live(now_s + 8)

    after_s = [at_s - now_s for at_s in broker.tries_s[tried:]]
    assert after_s[:2] == [pytest.approx(5, abs=0.1), pytest.approx(6, abs=0.1)]


def test_a_centre_that_stays_away_costs_a_report_a_minute() -> None:
    """Over a day."""
    broker = Deaf()
    broker.live(86_400)
    assert 1_440 <= len(broker.tries_s) <= 1_460


class Slow:
    """A broker that acknowledges when it is told to, and the outbox with one report for it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.resends = 0
        self._waits = True
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.reports = Reports(self, "event", lambda report, error: None, lambda: 0.0)

    def pending(self, limit: int, after_seq: int) -> list[OutboxRow]:
        """The report, while it waits, for whoever has not read it."""
        return [OutboxRow(1, "1-f1", b"{}")] if self._waits and after_seq < 1 else []

    def urgent(self, limit: int) -> list[OutboxRow]:
        """It is none."""
        return []

    def mark_sent(self, seqs: Sequence[int]) -> None:
        """It waits no longer."""
        self._waits = False

    def resend(self) -> bytes:
        """It waits again."""
        self._waits = True
        self.resends += 1
        return b"1 queued"

    def publish(self, topic: str, body: bytes, qos: int) -> MQTTMessageInfo:
        """Take it, and acknowledge it later."""
        self.sent.append(body.decode())
        return MQTTMessageInfo(len(self.sent))

    def acknowledge(self) -> None:
        """The last one has come; the station goes on until nothing waits."""
        self._answers.put((self, len(self.sent), ReasonCode(PacketTypes.PUBACK, "Success")))  # type: ignore[arg-type]
        self.reports.settle(self._answers)
        self.reports.flush()
        self.reports.send(self)  # type: ignore[arg-type]


def test_a_command_that_asks_for_no_report_has_none_sent_twice_and_a_resend_what_was_under_way() -> None:
    """Either comes while the report is on its way to the broker."""
    broker = Slow()
    broker.reports.send(broker)  # type: ignore[arg-type]
    assert broker.reports.run(lambda: b"volume set") == b"volume set"
    broker.acknowledge()
    assert broker.sent == ["{}"]

    broker = Slow()
    broker.reports.send(broker)  # type: ignore[arg-type]
    assert broker.reports.run(broker.resend) == b"1 queued"
    broker.acknowledge()
    assert broker.sent == ["{}", "{}"]


def test_while_nobody_listens_the_link_sleeps(linked: Station) -> None:
    """Neither a broker without listeners nor a hold that is over has the thread ask in a loop."""
    eventually(lambda: linked.unheard_s > 0)
    spent_s = time.process_time()
    eventually(lambda: linked.unheard_s > 2.5)  # two more tries

    assert time.process_time() - spent_s < 1.25
    assert linked.depth == REPORTS


def all_ids(centre: Listener) -> list[str]:
    """The ids of all reports so far, receipts among them."""
    told = [json.loads(payload) for topic, payload in list(centre.messages) if topic.endswith("/event")]
    return [one["id"] for one in told]


def test_the_receipt_of_an_alert_goes_before_all_that_waits(tmp_path: Path, broker: Broker) -> None:
    """A month of reports and two receipts behind them: whoever sent the alert sees it land first; each comes once."""
    centre = Listener(broker)
    folder = tmp_path / "state"
    database = Database.open(folder)
    receipts = [AlertTold(f"1-r{n}", Scope("vn/lam-dong"), "lu-quet", 1, state) for n, state in enumerate(STATES)]
    faults = [Fault(f"1-g{n}", "no-time", "clock", Severity.WARNING, (), WallMs(n)) for n in range(500)]
    database.commit([*map(FaultRaised, faults), *receipts], STATION, 1)
    database.close()
    station = Station(folder, broker)
    eventually(lambda: station.depth == 0, 20)

    came = all_ids(centre)
    assert came[: len(STATES)] == [f"{STATION}/1-r{n}" for n in range(len(STATES))]
    assert sorted(came) == sorted({*came}) and len(came) == 500 + len(STATES) + REPORTS
    station.link.close(2)
    centre.close()


class Backlog:
    """An outbox of a thousand rows, and a broker that acknowledges at once; a receipt comes in the middle."""

    def __init__(self) -> None:
        self.resends = 0
        self.sent: list[int] = []
        self.marked: set[int] = set()
        self.rows = {seq: OutboxRow(seq, f"1-f{seq}", str(seq).encode()) for seq in range(1, 1_001)}
        self.receipts: set[int] = set()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.reports = Reports(self, "event", lambda report, error: None, lambda: len(self.sent) / 100)

    def pending(self, limit: int, after_seq: int) -> list[OutboxRow]:
        """What waits behind a place."""
        waiting = sorted(seq for seq in self.rows if seq > after_seq and seq not in self.marked)
        return [self.rows[seq] for seq in waiting[:limit]]

    def urgent(self, limit: int) -> list[OutboxRow]:
        """The receipts that wait."""
        return [self.rows[seq] for seq in sorted(self.receipts - self.marked)[:limit]]

    def mark_sent(self, seqs: Sequence[int]) -> None:
        """They wait no longer."""
        self.marked |= set(seqs)

    def publish(self, topic: str, body: bytes, qos: int) -> MQTTMessageInfo:
        """Take it, and acknowledge it."""
        self.sent.append(int(body))
        self._answers.put((self, len(self.sent), ReasonCode(PacketTypes.PUBACK, "Success")))  # type: ignore[arg-type]
        return MQTTMessageInfo(len(self.sent))

    def go_on(self) -> None:
        """A turn of the link."""
        self.reports.settle(self._answers)
        self.reports.send(self)  # type: ignore[arg-type]


def test_a_receipt_that_comes_while_a_backlog_drains_is_next_and_all_come_once() -> None:
    """In front of what was read ahead already; and passed over when its turn comes."""
    broker = Backlog()
    while len(broker.sent) < 300:
        broker.go_on()
    receipt = 1_001
    broker.rows[receipt] = OutboxRow(receipt, "1-r1", b"1001")
    broker.receipts.add(receipt)
    broker.reports.hurry()
    before = len(broker.sent)
    broker.go_on()
    assert broker.sent[before] == receipt
    for _ in range(200):
        broker.go_on()
    assert sorted(broker.sent) == list(range(1, 1_002))


def test_reports_that_are_asked_for_again_go_out_in_their_order_on_the_connection_that_stands(
    linked: Station, broker: Broker
) -> None:
    """They stand before what was read already; each comes under the id and the number that it had."""
    centre = Listener(broker)
    eventually(lambda: linked.depth == 0, 20)
    before = {report["sequence"]: report for report in centre.reports("fault")}
    heard = len(ids(centre))
    assert linked.outbox.resend(1, 11, 40) == (30, ())
    linked.link.wake()
    eventually(lambda: linked.depth == 0)

    again = centre.reports("fault")[heard:]
    assert [report["sequence"] for report in again] == list(range(11, 41))
    assert again == [before[sequence] for sequence in range(11, 41)]
    assert linked.heard.count(LinkChanged(True, "connected")) == 1
    centre.close()


def test_a_report_of_a_lower_journal_than_what_was_sent_last_goes_out_on_the_connection_that_stands(
    linked: Station, broker: Broker, tmp_path: Path
) -> None:
    """A life in memory numbers its reports above all that a card's will ever have; both are sent."""
    database = Database.open(tmp_path / "state")
    database.journal.number = 2**30
    database.commit([FaultRaised(Fault("m-f1", "no-time", "clock", Severity.WARNING, (), WallMs(1)))], STATION, 1)
    database.journal.number = 1
    centre = Listener(broker)
    eventually(lambda: linked.depth == 0, 20)
    database.commit([FaultRaised(Fault("2-f1", "no-time", "clock", Severity.WARNING, (), WallMs(1)))], STATION, 1)
    linked.link.wake()
    eventually(lambda: linked.depth == 0)

    assert ids(centre)[REPORTS:] == [f"{STATION}/m-f1", f"{STATION}/2-f1"]
    assert linked.heard.count(LinkChanged(True, "connected")) == 1
    database.close()
    centre.close()


def test_reports_larger_than_the_broker_takes_are_passed_over_and_cost_no_connection(
    tmp_path: Path, authority: Authority
) -> None:
    """Maximum Packet Size (MQTT 5, 3.2.2.3.6): sent, such a report would end each connection anew."""
    broker = Broker(tmp_path / "broker-small", authority)
    with (tmp_path / "broker-small" / "mosquitto.conf").open("a") as config:
        config.write("max_packet_size 2000\n")
    broker.start()
    centre = Listener(broker)
    station = Station(tmp_path / "state", broker, large=3)
    try:
        eventually(lambda: station.depth == 3, 20)
        eventually(lambda: len(ids(centre)) == REPORTS - 3)
        refused = [event for event in station.heard if isinstance(event, ConditionChanged)]
        (row, *_) = station.outbox.pending(1, 0)
        most = 2_000 - 10 - len(f"ttcs/v1/station/{STATION}/event")
        detail = (("error", f"{len(row.body)} > {most} bytes"), ("report", f"{STATION}/1-f0"))

        assert refused == [ConditionChanged("report-refused", "broker", True, detail)]
        assert [event for event in station.heard if isinstance(event, LinkChanged)] == [LinkChanged(True, "connected")]
        assert [row.sequence for row in station.outbox.pending(10, 0)] == [1, 2, 3]
    finally:
        station.link.close(2)
        centre.close()
        broker.stop()
