"""`start`: exec to READY, against a bare Python with the same libraries, one libvlc instance and one MQTT client."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.report import report
from tests.parts import Authority, Broker, Province, Station

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


def a_station(measure: Callable[[Station, Broker], None]) -> None:
    """Measure something on a station and its broker, in a folder of their own."""
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
    """Fifteen starts of each, one after the other."""
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


if __name__ == "__main__":
    a_station(measure)
    os._exit(0)
