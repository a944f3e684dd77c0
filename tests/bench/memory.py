"""`memory`: proportional set size of daemon and player together, idle with 200 bulletins in 200 slots in force.

Floor: the bare Python of `start`, in one process.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.bench.report import report
from tests.bench.start import a_station, bare
from tests.bench.verify import programme
from tests.parts import ROOT, SCOPE, Broker, Listener, Station, eventually
from tests.system.sight import status

RUNS = 5


def pss_mb(pid: int) -> float:
    """Proportional set size of a process, in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1_024
    raise AssertionError("no Pss")


def measure(station: Station, broker: Broker) -> None:
    """One of each, side by side, several times."""
    centre = Listener(broker)
    centre.publish(f"{ROOT}/scope/{SCOPE}/programme", station.province.sign(programme(200)))
    floor, daemons, players = [], [], []
    for _ in range(RUNS):
        station.start()
        eventually(lambda: status(station).get("programmes"))
        assert station.process is not None
        pid = station.process.pid
        (player,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        process, _ = bare()
        floor.append(pss_mb(process.pid))
        daemons.append(pss_mb(pid))
        players.append(pss_mb(int(player)))
        process.communicate("\n")
        station.stop()
    centre.close()
    both = [daemon + player for daemon, player in zip(daemons, players, strict=True)]
    report("memory", "MB", floor, both, daemon=round(daemons[0], 1), player=round(players[0], 1))


if __name__ == "__main__":
    a_station(measure)
    os._exit(0)
