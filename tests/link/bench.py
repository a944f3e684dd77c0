"""A link to a broker, with a real outbox behind it; what it tells is kept."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.parts import PLACE, ROOT, Authority, Broker, Listener, eventually
from ttcs_edge.core.documents import Alert, Beacon, Command, LiveSegment, Programme, Refused, Signed, TrustRoot
from ttcs_edge.core.effects import FaultRaised
from ttcs_edge.core.events import ConditionChanged, Event, LinkChanged, ProgrammeArrived
from ttcs_edge.core.model import Fault, Scope, Severity, WallMs
from ttcs_edge.link.audio import AudioLink
from ttcs_edge.link.inbox import Readers
from ttcs_edge.link.mqtt import BrokerLink
from ttcs_edge.settings import BrokerSettings
from ttcs_edge.store.database import Database
from ttcs_edge.store.journal import SEQUENCE_MOST
from ttcs_edge.store.outbox import Outbox, OutboxRow

STATION = "da-teh-01"
Read = Callable[[bytes, str], Signed[Programme] | Refused]


def heard(payload: bytes, scope: str) -> Refused:
    """Read no document: make what came visible as it is."""
    return Refused("heard", scope, (("payload", payload.decode()),))


class Watched:
    """The real outbox; remembers the sequences that were marked as sent, and can fail as a card does."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.sent: list[int] = []
        self.fail: Exception | None = None

    def pending(self, limit: int, after_seq: int) -> list[OutboxRow]:
        """The oldest rows behind a place."""
        return self._outbox.pending(limit, after_seq)

    def urgent(self, limit: int) -> list[OutboxRow]:
        """The receipts of alerts."""
        return self._outbox.urgent(limit)

    @property
    def resends(self) -> int:
        """Grows when rows were put back."""
        return self._outbox.resends

    def mark_sent(self, seqs: Sequence[int]) -> None:
        """Remember acknowledged rows."""
        if self.fail is not None:
            failure, self.fail = self.fail, None
            raise failure
        self._outbox.mark_sent(seqs)
        self.sent += [seq & SEQUENCE_MOST for seq in seqs]

    def depth(self) -> int:
        """How many wait."""
        return self._outbox.depth()[0]


class Bench:
    """One station's link in a folder."""

    def __init__(
        self,
        folder: Path,
        authority: Authority,
        port: int,
        *,
        station: str = STATION,
        scope: str = PLACE,
        ca_file: Path | None = None,
        host: str = "127.0.0.1",
        keepalive_s: int = 60,
        read_trust: Callable[[bytes, str], tuple[Signed[TrustRoot], ...] | Refused] = heard,
        read: Read = heard,
        read_beacon: Callable[[bytes, str], Signed[Beacon] | Refused] = heard,
        read_command: Callable[[bytes, str], Signed[Command] | Refused] = heard,
        read_alert: Callable[[bytes, str], Signed[Alert] | Refused] = heard,
        read_live: Callable[[bytes, str], Signed[LiveSegment] | Refused] = heard,
        status: Callable[[str], bytes] | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.station = station
        self.events: list[Event] = []
        self.states: list[str] = []
        self.database = Database.open(folder / "state")
        self.outbox = Watched(Outbox(self.database.path))
        self._told = 0
        self._threads: list[threading.Thread] = []
        certificate, key = authority.client(station)
        self.settings = BrokerSettings(
            host, ca_file or authority.ca_file, certificate, key, port, keepalive_s=keepalive_s
        )
        self.link = BrokerLink(
            self.settings,
            station,
            Scope(scope),
            status or self._status,
            self.outbox,
            Readers(read_trust, read, read_beacon, read_command, read_alert, read_live),
            self.events.append,
            draw,
        )
        self.audio = AudioLink(self.settings, station, self.link.up)

    def _status(self, state: str) -> bytes:
        return json.dumps({"kind": "status", "station": self.station, "state": state}).encode()

    def begin(self) -> Bench:
        """Begin to connect."""
        before = set(threading.enumerate())
        self.link.start()
        self._threads = [thread for thread in threading.enumerate() if thread not in before and "link" in thread.name]
        return self

    def start(self) -> Bench:
        """Connect, and wait until it is."""
        self.begin()
        eventually(self.link.up, 15)
        return self

    def report(self, count: int, size_bytes: int = 0) -> list[str]:
        """Put reports on disk and wake the link; gives their ids, in order."""
        numbers = range(self._told + 1, self._told + count + 1)
        self._told += count
        detail = (("text", "x" * size_bytes),) if size_bytes else ()
        faults = [Fault(f"1-{n}", "relay", f"zone-{n}", Severity.ERROR, detail, WallMs(0)) for n in numbers]
        self.database.commit([FaultRaised(fault) for fault in faults], self.station, 0)
        self.link.wake()
        return [f"{self.station}/{fault.id}" for fault in faults]

    def in_flight(self) -> int:
        """How many reports the broker has not answered yet."""
        return len(self.link._reports._in_flight)

    def arrived(self) -> list[str]:
        """The payloads of the programmes that came, in order."""
        documents = [event.programme for event in list(self.events) if isinstance(event, ProgrammeArrived)]
        return [dict(document.detail)["payload"] for document in documents if isinstance(document, Refused)]

    def deliveries(self) -> list[int]:
        """What is to be acknowledged for each of them."""
        return [event.delivery for event in list(self.events) if isinstance(event, ProgrammeArrived)]

    def changes(self) -> list[tuple[bool, str]]:
        """How the link went up and down."""
        return [(event.up, event.reason) for event in list(self.events) if isinstance(event, LinkChanged)]

    def down(self) -> LinkChanged:
        """Wait for the link to be told as down, and give what was told."""
        return eventually(lambda: next((e for e in self.events if isinstance(e, LinkChanged) and not e.up), None), 25)

    def conditions(self) -> list[ConditionChanged]:
        """The conditions told."""
        return [event for event in list(self.events) if isinstance(event, ConditionChanged)]

    def close(self, timeout_s: float = 2) -> None:
        """Leave, and be gone."""
        self.audio.close(timeout_s)
        self.link.close(timeout_s)
        eventually(lambda: not [thread.name for thread in self._threads if thread.is_alive()], 15)
        self.database.close()


class Witness:
    """A client that only reads, to the very end of a connection: what it did not see, the broker never wrote."""

    def __init__(self, broker: Broker) -> None:
        self.ids: list[str] = []
        self.connected = threading.Semaphore(0)
        certificate, key = broker.authority.client("operator")
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="witness", protocol=MQTTv5)
        self._client.tls_set(str(broker.authority.ca_file), str(certificate), str(key))
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{ROOT}/station/+/event", qos=0)
        self._client.on_subscribe = lambda *_: self.connected.release()
        self._client.on_message = lambda c, u, message: self.ids.append(json.loads(message.payload)["id"])
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert self.connected.acquire(timeout=10)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


def states(centre: Listener, station: str = STATION) -> list[str]:
    """What the centre heard of a station's states."""
    topic = f"ttcs/v1/station/{station}/status"
    return [json.loads(payload)["state"] for at, payload in list(centre.messages) if at == topic]


def retained_state(broker: Broker, station: str = STATION) -> str:
    """What one who comes later is told of a station's state."""
    # A client of its own each time: a session would first bring what it missed.
    late = Listener(broker, subscribe=f"ttcs/v1/station/{station}/status", client_id=f"late-{time.monotonic_ns()}")
    try:
        eventually(lambda: states(late, station))
        return states(late, station)[-1]
    finally:
        late.close()
