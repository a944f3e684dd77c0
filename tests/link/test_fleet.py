"""A province that lost its broker: everybody comes back, and the broker survives it."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.link.bench import Bench
from tests.link.wire import Wire
from tests.parts import PLACE, Authority, Broker, Listener, eventually

STATIONS = 142
"""The communes of a province."""
NAMES = [f"tram-{number:03}" for number in range(STATIONS)]
PROCESSES = 4
"""One process cannot wait for so many sockets (select takes descriptors below 1,024)."""
REPORTS = 20
BUSIEST = 0.4
"""The share of all that may come in any one second."""


@dataclass(frozen=True)
class Issued:
    """Certificates that were made before."""

    folder: Path
    ca_file: Path

    def client(self, name: str) -> tuple[Path, Path]:
        """Certificate and key files of a client."""
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"


def some_stations(folder: Path, issued: Issued, port: int, names: list[str], asked: Connection) -> None:
    """Live as these stations: answer ``up`` with how many are connected, ``report`` with the ids of new reports."""
    benches = [Bench(folder / name, issued, port, station=name).begin() for name in names]  # type: ignore[arg-type]
    while (question := asked.recv()) != "leave":
        if question == "up":
            asked.send(sum(bench.link.up() for bench in benches))
        else:
            asked.send([report for bench in benches for report in bench.report(REPORTS)])
    for bench in benches:
        bench.link.close(0.1)


class Fleet:
    """All stations of a province."""

    def __init__(self, folder: Path, authority: Authority, port: int) -> None:
        for name in NAMES:
            authority.client(name)
        issued, spawn = Issued(authority.folder, authority.ca_file), multiprocessing.get_context("spawn")
        self._asks: list[Connection] = []
        self._processes = []
        for at in range(PROCESSES):
            ours, theirs = spawn.Pipe()
            arguments = (folder, issued, port, NAMES[at::PROCESSES], theirs)
            process = spawn.Process(target=some_stations, args=arguments, daemon=True)
            process.start()
            self._asks.append(ours)
            self._processes.append(process)

    def up(self) -> int:
        """How many are connected."""
        for ask in self._asks:
            ask.send("up")
        return sum(ask.recv() for ask in self._asks)

    def report(self) -> list[str]:
        """Make reports on every station; gives their ids."""
        for ask in self._asks:
            ask.send("report")
        return [name for ask in self._asks for name in ask.recv()]

    def close(self) -> None:
        """End them all."""
        for ask in self._asks:
            ask.send("leave")
        for process in self._processes:
            process.join(10)
            process.kill()


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_whole_province_comes_back_without_a_stampede(tmp_path: Path, authority: Authority) -> None:
    """An outage, reports on every station: they come back spread over the seconds, and each report is told."""
    broker = Broker(tmp_path / "broker", authority, stations=dict.fromkeys(NAMES, PLACE))
    broker.start()
    wire = Wire(broker.port)
    centre = Listener(broker)
    fleet = Fleet(tmp_path, authority, wire.port)
    try:
        eventually(lambda: fleet.up() == STATIONS, 90)
        wire.cut(stay=True)
        eventually(lambda: fleet.up() == 0, 30)
        told = fleet.report()
        tries = wire.connections + 4 * STATIONS
        eventually(lambda: wire.connections >= tries, 90)  # by now each waits as long as it ever does

        came: list[float] = []
        wire.mend()
        while len(came) < STATIONS:
            came += [time.monotonic()] * (fleet.up() - len(came))
        eventually(lambda: {report["id"] for report in centre.reports("fault")} == set(told), 90)

        busiest = max(Counter(int(at - came[0]) for at in came).values())
        print(json.dumps({"stations": STATIONS, "back_in_s": round(came[-1] - came[0], 1), "busiest_second": busiest}))
        assert busiest <= BUSIEST * STATIONS
    finally:
        fleet.close()
        centre.close()
        wire.close()
        broker.stop()
