"""`asked`: ``ttcs-edge status`` from the key press to its text, against a bare Python that imports the same libraries.

Behind it, how long ``doctor`` takes, in s: with everything reachable (``doctor_s``, goal 5), and with a broker that
answers to nothing, neither at its name nor at its port (``lost_name_s``, ``lost_port_s``, goal 15).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.bench.report import report
from tests.bench.start import a_station
from tests.parts import Broker, Station, eventually
from tests.system.sight import status

RUNS = 31
BARE = "import argparse, json, socket, struct, threading; import rich.console, rich.padding, rich.table, rich.text"
SILENT = "192.0.2.1"
"""An address that nobody has (RFC 5737)."""


COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""As it is installed: each module is compiled once, not at each key press."""


def taken_ms(*words: str) -> float:
    """From the start of a Python to its end."""
    began_s = time.perf_counter()
    subprocess.run([sys.executable, *words], capture_output=True, check=False, env=COMPILED)
    return (time.perf_counter() - began_s) * 1_000


def measure(station: Station, broker: Broker) -> None:
    """Both in turn, and doctor three times."""
    COMPILED["PYTHONPYCACHEPREFIX"] = str(station.folder / "compiled")
    station.start()
    eventually(lambda: status(station)["link_up"])
    command = ("-m", "ttcs_edge.cli.main")
    socket = ("--socket", str(station.folder / "run/control.sock"))
    floor, ours = [], []
    for _ in range(RUNS):
        floor.append(taken_ms("-c", BARE))
        ours.append(taken_ms(*command, "status", *socket))
    doctor = (*command, "doctor", "--config", str(station.config))
    told = {"doctor_s": round(taken_ms(*doctor) / 1_000, 2)}
    station.stop()
    text = station.config.read_text()
    for name, host in (("name", "broker.invalid"), ("port", SILENT)):
        station.config.write_text(text.replace("host: 127.0.0.1", f"host: {host}"))
        told[f"lost_{name}_s"] = round(taken_ms(*doctor) / 1_000, 2)
    report("asked", "ms", floor, ours, **told)


if __name__ == "__main__":
    a_station(measure)
    os._exit(0)
