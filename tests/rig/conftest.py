"""Fixtures: a machine with the product installed, a centre, and a station of that centre on the machine.

These tests need root, and minutes when nothing is cached, so they are collected only when they are asked for:
``make rig``, which is ``pytest -m rig``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import Broker, Listener, free_port
from tests.rig.machine import CACHE, Machine, alone, bare, installed, machine, put_checkout
from tests.rig.pole import FIGURES, Centre, Pole
from ttcs_edge.central.broker_rules import RIGHTS
from ttcs_edge.central.main import main

RELEASES = os.environ.get("RIG_RELEASES", "bookworm trixie").split()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out unless the mark is asked for."""
    return None if config.option.markexpr == "rig" else True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was measured."""
    for figure in FIGURES:
        terminalreporter.write_line(figure)


@pytest.fixture(scope="session", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """A Debian that the product is for."""
    return str(request.param)


@pytest.fixture(scope="session")
def computer(release: str) -> Iterator[Machine]:
    """A machine on which ``make install`` was run twice: the first time from nothing, and now again."""
    with alone(), machine(CACHE / "pole", [installed(release), bare(release)]) as made:
        put_checkout(made.root)
        made.install()
        yield made


@pytest.fixture(scope="session")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """A centre, and the file of one station of it, as the operator's commands make them."""
    folder, port = tmp_path_factory.mktemp("central") / "lam-dong", free_port()
    assert main(["init", str(folder), "--scope", "vn/lam-dong", "--broker", f"127.0.0.1:{port}"]) == 0
    assert main(["server-certificate", str(folder), "127.0.0.1"]) == 0
    assert main(["add-station", str(folder), "da-teh-01", "--scope", "vn/lam-dong/da-teh"]) == 0
    return Centre(folder, port)


@pytest.fixture
def pole(computer: Machine, centre: Centre, tmp_path: Path) -> Iterator[Pole]:
    """A station as a technician leaves it, not yet started, and a broker that knows nothing yet."""
    assert main(["broker-config", str(centre.folder)]) == 0
    broker = Broker(tmp_path / "broker", centre, centre.port)
    broker.follow(centre.folder / "broker" / RIGHTS)
    broker.start()
    pole = Pole(computer, centre, broker)
    try:
        pole.set_up()
        yield pole
        pole.clear()
    finally:
        broker.stop()


@pytest.fixture
def operator(pole: Pole) -> Iterator[Listener]:
    """The operator's client: hears all that the station says."""
    listener = Listener(pole.broker)
    yield listener
    listener.close()
