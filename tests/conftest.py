"""Fixtures: one authority and one broker for each test that asks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.parts import Authority, Broker, Clip, Listener, Province, Station, make_clip

TOLD = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing told."""
    config.stash[TOLD] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what instruments did and measured: a green line does not say how much was tried."""
    for line in config.stash[TOLD]:
        terminalreporter.write_line(line)


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Have a line told at the end of the run."""
    return pytestconfig.stash[TOLD].append


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A private certificate authority."""
    return Authority(tmp_path / "authority")


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    """A running Mosquitto."""
    broker = Broker(tmp_path / "broker", authority)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def centre(broker: Broker) -> Iterator[Listener]:
    """The operator's client."""
    listener = Listener(broker)
    yield listener
    listener.close()


@pytest.fixture
def province() -> Province:
    """Keys and trust root of a province."""
    return Province()


@pytest.fixture
def station(tmp_path: Path, broker: Broker, province: Province) -> Iterator[Station]:
    """An installed station, not yet started."""
    station = Station(tmp_path / "station", broker, province)
    station.install()
    yield station
    if station.process is not None:
        station.process.kill()
        station.process.wait()


@pytest.fixture(scope="session")
def unsynchronised(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a station that is told by its kernel that nobody keeps the clock, whoever does."""
    library = tmp_path_factory.mktemp("unsynchronised") / "unsynchronised.so"
    source = Path(__file__).with_name("unsynchronised.c")
    subprocess.run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library)}


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Two seconds of a 1 kHz tone."""
    return make_clip(tmp_path_factory.mktemp("clips"), "tone", 2.0)
