"""`outbox`: a backlog of 30 days drained through a broker, killed twice on the way, against paho from memory.

100,000 as-run reports wait. The floor is paho publishing the same bytes at QoS 1, over TLS, with the same window, from
a list in memory. Ours is the station's own database, outbox and link; the process that drains is killed with SIGKILL at
one third and at two thirds, and its two new starts count. Every id must arrive; what is told again is counted.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench.report import report
from tests.parts import ROOT, Authority, Broker
from ttcs_edge.core import effects
from ttcs_edge.core.model import AiredItem, AsRun, Occurrence, Outcome, Scope, Sha256, WallMs, ZoneId
from ttcs_edge.store.database import Database

REPORTS = int(os.environ.get("REPORTS", "100000"))
STATION = "da-teh-01"
MONTH_MS = 30 * 86_400_000
ID = re.compile(rb'"id":"([^"]+)"')

FLOOR = """
import sqlite3, sys, threading, time
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from ttcs_edge.core.limits import LIMITS
folder, port, ca, certificate, key = sys.argv[1:]
bodies = [row[0] for row in sqlite3.connect(folder + "/ttcs.db").execute("SELECT body FROM outbox ORDER BY seq")]
window = threading.Semaphore(LIMITS.outbox_in_flight)
client = Client(CallbackAPIVersion.VERSION2, client_id="floor", protocol=MQTTv5)
client.tls_set(ca, certificate, key)
client.on_publish = lambda *_: window.release()
up = threading.Event()
client.on_connect = lambda *_: up.set()
print("loaded", flush=True)
sys.stdin.readline()
client.connect("127.0.0.1", int(port))
client.loop_start()
up.wait()
for body in bodies:
    window.acquire()
    client.publish("ttcs/v1/station/floor/event", body, qos=1)
for _ in range(LIMITS.outbox_in_flight):
    window.acquire()
print("done", flush=True)
"""

OURS = """
import sys, time
from pathlib import Path
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.model import Scope
from ttcs_edge.link.mqtt import BrokerLink, Readers
from ttcs_edge.settings import BrokerSettings
from ttcs_edge.store.database import Database
from ttcs_edge.store.outbox import Outbox
folder, port, ca, certificate, key = sys.argv[1:]
database = Database.open(Path(folder))
outbox = Outbox(database.path)
settings = BrokerSettings("127.0.0.1", Path(ca), Path(certificate), Path(key), int(port))
read = lambda data, subject: Refused("unreadable", subject)
readers = Readers(trust=read, programme=read, beacon=read, command=read, alert=read, live=read)
link = BrokerLink(settings, "da-teh-01", Scope("vn"), lambda state: b"{}", outbox, readers, lambda event: None)
link.start()
while outbox.depth()[0]:
    time.sleep(0.05)
print("done", flush=True)
"""


class Centre:
    """Hears every report of one station and remembers its id."""

    def __init__(self, broker: Broker, station: str) -> None:
        self.ids: set[bytes] = set()
        self.count = 0
        self._subscribed = threading.Event()
        certificate, key = broker.authority.client(f"centre-{station}")
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"centre-{station}", protocol=MQTTv5)
        self._client.tls_set(str(broker.authority.ca_file), str(certificate), str(key))
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._client.subscribe(f"{ROOT}/station/{station}/event", qos=1)
        assert self._subscribed.wait(10)

    def _on_message(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        found = ID.search(message.payload)
        assert found is not None
        self.ids.add(found.group(1))
        self.count += 1

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


def fill(folder: Path) -> None:
    """Thirty days of cues that aired."""
    database = Database.open(folder)
    first_ms = time.time_ns() // 1_000_000 - MONTH_MS
    item = AiredItem("tin-sang", "vi", Sha256("a" * 64), 480_000, 60_000, 59_926)

    def closed(number: int) -> effects.AsRunClosed:
        key = Occurrence(Scope("vn/lam-dong/da-teh"), f"s{number % 50}", f"2026-11-{1 + number % 30:02}T05:00:{number}")
        begin_ms = first_ms + number * MONTH_MS // REPORTS
        times = (WallMs(begin_ms), WallMs(begin_ms + 60_000), WallMs(begin_ms), WallMs(begin_ms + 60_000))
        record = AsRun(f"1-a{number}", key, "Bản tin sáng", 7, *times, (ZoneId("cho"),), (item,), Outcome.AIRED)
        return effects.AsRunClosed(record)

    for begin in range(0, REPORTS, 1_000):
        told_ms = first_ms + begin * MONTH_MS // REPORTS
        database.commit([closed(number) for number in range(begin, min(REPORTS, begin + 1_000))], STATION, told_ms)
    database.close()


def start(code: str, folder: Path, broker: Broker, name: str) -> subprocess.Popen[str]:
    """A process that drains."""
    certificate, key = broker.authority.client(name)
    arguments = [str(folder), str(broker.port), str(broker.authority.ca_file), str(certificate), str(key)]
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def floor_s(folder: Path, broker: Broker) -> float:
    """From the first packet of the connection to the last acknowledgement."""
    centre = Centre(broker, "floor")
    process = start(FLOOR, folder, broker, "floor")
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == "loaded\n"
    began_s = time.perf_counter()
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"
    taken_s = time.perf_counter() - began_s
    process.communicate()
    centre.close()
    return taken_s


def ours_s(folder: Path, broker: Broker) -> tuple[float, Centre]:
    """From the first start of the process to the last report heard, deaths and starts included."""
    centre = Centre(broker, STATION)
    began_s = time.perf_counter()
    process = start(OURS, folder, broker, STATION)
    for part in (1, 2):
        while len(centre.ids) < part * REPORTS // 3:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = start(OURS, folder, broker, STATION)
    while len(centre.ids) < REPORTS and process.poll() is None:
        time.sleep(0.005)
    taken_s = time.perf_counter() - began_s
    assert process.stdout is not None and process.stdout.readline() == "done\n", "each is marked as sent"
    process.kill()
    process.communicate()
    centre.close()
    return taken_s, centre


def main() -> None:
    """The floor before and after, ours between."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker(folder / "broker", Authority(folder / "authority"), stations=None)
        with (folder / "broker" / "mosquitto.conf").open("a") as config:
            config.write("max_queued_messages 0\n")  # what the broker drops behind us is not ours to lose
        broker.start()
        fill(folder / "state")
        try:
            floor = [floor_s(folder / "state", broker)]
            taken_s, centre = ours_s(folder / "state", broker)
            floor.append(floor_s(folder / "state", broker))
        finally:
            broker.stop()
    lost, again = REPORTS - len(centre.ids), centre.count - len(centre.ids)
    report("outbox", "s", floor, [taken_s], reports=REPORTS, lost=lost, told_again=again, kills=2)
    assert lost == 0


if __name__ == "__main__":
    main()
    os._exit(0)
