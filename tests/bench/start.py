"""`start`: exec to READY, against a bare Python with the same libraries, one libvlc instance and one MQTT client.

`memory`: proportional set size of daemon and player together, idle with a 200-bulletin programme, against that Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.report import report
from tests.bench.verify import programme
from tests.parts import ROOT, SCOPE, Authority, Broker, Listener, Province, Station, eventually
from ttcs_edge.link.control import ControlError, ask

RUNS = 15
BARE = """
import sqlite3, ssl, http.client, json
import msgspec, dateutil.rrule, yaml, structlog, sdnotify, vlc
import gpiozero, gpiozero.pins.mock
import securesystemslib.dsse, securesystemslib.signer
import paho.mqtt.client as mqtt
instance = vlc.Instance("--no-video", "--quiet")
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
print("READY", flush=True)
input()
"""


def bare(code: str = BARE) -> tuple[subprocess.Popen[str], float]:
    """Start the bare Python; gives it, and the milliseconds to its READY."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "READY\n"
    return process, (time.perf_counter() - began) * 1_000


def pss_kb(pid: int) -> int:
    """Proportional set size of a process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError("no Pss")


def main() -> None:
    """Fifteen starts of each, one after the other; then the memory of one of each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker(folder / "broker", Authority(folder / "authority"))
        broker.start()
        station = Station(folder / "station", broker, Province())
        station.install()
        try:
            measure(station, broker)
        finally:
            if station.process is not None:
                station.stop()
            broker.stop()


def measure(station: Station, broker: Broker) -> None:
    """Both benchmarks on one station."""
    station.start()
    station.stop()
    floor, ours = [], []
    for _ in range(RUNS):
        process, taken_ms = bare()
        floor.append(taken_ms)
        process.communicate("\n")
        began = time.perf_counter()
        station.start()
        ours.append((time.perf_counter() - began) * 1_000)
        station.stop()
    report("start", "ms", floor, ours)
    measure_memory(station, broker)


def measure_memory(station: Station, broker: Broker) -> None:
    """Idle, with 200 bulletins and 1,000 slots in force."""
    centre = Listener(broker)
    centre.publish(f"{ROOT}/scope/{SCOPE}/programme", station.province.sign(programme(200)))
    station.start()

    def in_force() -> bool:
        try:
            return bool(ask(station.folder / "run/control.sock", {"ask": "status"})["programmes"])
        except ControlError:
            return False

    eventually(in_force)
    assert station.process is not None
    pid = station.process.pid
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    process, _ = bare()
    floor_mb = pss_kb(process.pid) / 1_024
    parts = [pss_kb(one) / 1_024 for one in (pid, *children)]
    process.communicate("\n")
    centre.close()
    report("memory", "MB", [floor_mb], [sum(parts)], daemon=round(parts[0], 1), player=round(sum(parts[1:]), 1))


if __name__ == "__main__":
    main()
    os._exit(0)
