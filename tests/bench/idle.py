"""`idle`: CPU time and bytes written in ten idle minutes, scaled to a day: 200 bulletins in force, broker connected.

Floor: a bare paho client with the same keepalive on the same broker, in the same ten minutes. CPU is user and system
time of daemon and player together. What is written is told twice: what both processes dirtied (/proc/PID/io), and, as
root, what reached the card, journal of the file system included: the state folder is then an ext4 of its own. The trial
of the card, twice a day, is measured apart and added.

TTCS_IDLE_S shortens the ten minutes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.bench.report import report
from tests.parts import ROOT, SCOPE, Authority, Broker, Listener, Province, Station, eventually, make_programme
from tests.system.sight import status
from ttcs_edge.core.documents import Audio, Bulletin, Programme, Slot
from ttcs_edge.core.model import Sha256
from ttcs_edge.drivers.canary import EVERY_S, Canary

IDLE_S = float(os.environ.get("TTCS_IDLE_S", "600"))
SETTLE_S = 15.0
SPEAKS_S = 120.0
"""Within which time a new station has spoken ahead what it says around drills: once in its life, not every day."""
"""After READY: the first heartbeat, the player's first look at its device, and paho's first ping are behind."""
DAY_S = 86_400
KEEPALIVE_S = 60
BULLETINS = 200
CARD_BYTES = 256 * 1024**2

BARE = """
import sys
import paho.mqtt.client as mqtt
host, port, ca, certificate, key, keepalive_s, topic = sys.argv[1:]
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="bare", protocol=mqtt.MQTTv5)
client.tls_set(ca, certificate, key)
client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
client.on_subscribe = lambda *_: print("READY", flush=True)
client.connect(host, int(port), int(keepalive_s))
client.loop_forever()
"""


def content(number: int) -> bytes:
    """A bulletin's audio. It only has to be there: none of it airs in the next hours."""
    return f"bulletin {number}".encode()


def quiet_programme() -> Programme:
    """Two hundred bulletins, each daily in a slot of its own, none within the next two hours."""
    now = datetime.now(timezone(timedelta(hours=7)))
    bulletins, slots = [], []
    for number in range(BULLETINS):
        data = content(number)
        sha256 = hashlib.sha256(data).hexdigest()
        audio = Audio(
            language="vi",
            sha256=Sha256(sha256),
            size_bytes=len(data),
            duration_ms=60_000,
            media_type="audio/ogg",
            loudness_lufs=-16.0,
            places=("broker:",),
        )
        bulletins.append(Bulletin(id=f"b{number}", title=f"Bản tin {number}", audio=(audio,)))
        start = now - timedelta(days=1) + timedelta(hours=2, minutes=6 * number)
        slots.append(
            Slot(id=f"s{number}", start=f"{start:%Y-%m-%dT%H:%M:%S}", rrule="FREQ=DAILY", bulletins=(f"b{number}",))
        )
    return make_programme(bulletins=tuple(bulletins), slots=tuple(slots))


@contextmanager
def card(folder: Path) -> Iterator[Path | None]:
    """An ext4 of its own, mounted on a folder; gives the kernel's count of what reached it, None without the right."""
    folder.mkdir(parents=True)
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(CARD_BYTES)
    made = subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", str(image)], check=False)
    mount = ["mount", "-o", "loop,noatime", str(image), str(folder)]
    if made.returncode or subprocess.run(mount, check=False, capture_output=True).returncode:
        yield None
        return
    device = os.stat(folder).st_dev
    name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
    try:
        yield Path(f"/sys/fs/ext4/{name}/session_write_kbytes")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@dataclass(frozen=True)
class Reading:
    """What some processes, and the card, have used so far."""

    cpu_s: float
    dirtied_bytes: int
    card_kbytes: int


def read(pids: list[int], counter: Path | None) -> Reading:
    """Read the counters of the kernel."""
    os.sync()
    cpu_s = sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)  # CPUCLOCK_SCHED: user and system, to the nanosecond
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/io").read_text().splitlines()]
    dirtied = sum(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
    return Reading(cpu_s, dirtied, int(counter.read_text()) if counter else 0)


def canary_kbytes(folder: Path, counter: Path | None) -> float:
    """What one trial of the card costs it, the first one aside."""
    canary = Canary(folder)
    canary.sing()
    before = read([], counter).card_kbytes
    for _ in range(4):
        canary.sing()
        os.sync()
    assert canary.trouble == ""
    return (read([], counter).card_kbytes - before) / 4


def measure(station: Station, broker: Broker, state: Path, counter: Path | None) -> None:
    """Ten minutes of both, side by side."""
    centre = Listener(broker)
    centre.publish(f"{ROOT}/scope/{SCOPE}/programme", station.province.sign(quiet_programme()))
    station.start()
    eventually(lambda: status(station).get("cache", {}).get("stored_files") == BULLETINS, 30)
    eventually(lambda: any((state / "spoken").glob("*")), SPEAKS_S)
    assert station.process is not None
    pid = station.process.pid
    (player,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    certificate, key = broker.authority.client("bare")
    arguments = ["127.0.0.1", broker.port, broker.authority.ca_file, certificate, key, KEEPALIVE_S, f"{ROOT}/none/#"]
    command = [sys.executable, "-c", BARE, *map(str, arguments)]
    bare = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert bare.stdout is not None and bare.stdout.readline() == "READY\n"
    time.sleep(SETTLE_S)
    groups = [[bare.pid], [pid, int(player)], [pid]]
    before, log_bytes = [read(pids, counter) for pids in groups], (station.folder / "log").stat().st_size
    time.sleep(IDLE_S)
    after = [read(pids, counter) for pids in groups]
    bare.kill()
    bare.wait()
    assert status(station)["link_up"] and status(station)["state"] == "idle", "it was idle, and connected"
    centre.close()
    a_day = DAY_S / IDLE_S
    floor, ours, daemon = ((b.cpu_s - a.cpu_s) * a_day for a, b in zip(before, after, strict=True))
    canary_kb_day = canary_kbytes(state, counter) * DAY_S / EVERY_S
    card_kb_day = (after[1].card_kbytes - before[1].card_kbytes) * a_day + canary_kb_day
    written = {
        "idle_s": IDLE_S,
        "daemon_s": round(daemon, 1),
        "dirtied_kb_day": round((after[1].dirtied_bytes - before[1].dirtied_bytes) * a_day / 1_000, 1),
        "card_kb_day": round(card_kb_day, 1) if counter else None,
        "canary_kb_day": round(canary_kb_day, 1) if counter else None,
        "log_kb_day": round(((station.folder / "log").stat().st_size - log_bytes) * a_day / 1_000, 1),
    }
    report("idle", "cpu s/day", [floor], [ours], **written)


def main() -> None:
    """A station as it is installed: state on a card, the rest, and the loudspeaker, in memory."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        disk = Path(name)
        broker = Broker(Path(memory) / "broker", Authority(disk / "authority"))
        broker.start()
        station = Station(Path(memory) / "station", broker, Province())
        station.install()
        with card(disk / "state") as counter:
            text = station.config.read_text().replace(f"state: {station.folder}/state", f"state: {disk}/state")
            station.config.write_text(text.replace("heartbeat_s: 5", "heartbeat_s: 60"))
            (disk / "state/blobs").mkdir(parents=True)
            for number in range(BULLETINS):
                data = content(number)
                (disk / "state/blobs" / hashlib.sha256(data).hexdigest()).write_bytes(data)
            try:
                measure(station, broker, disk / "state", counter)
            finally:
                if station.process is not None:
                    station.stop()
                broker.stop()


if __name__ == "__main__":
    main()
    os._exit(0)
