"""Fixtures: a machine with the product installed, a centre, and a station of that centre on the machine.

These tests need root, and minutes when nothing is cached, so they are collected only when they are asked for:
``make rig``, which is ``pytest -m rig``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero import DigitalInputDevice

from tests.parts import Broker, Listener, free_port
from tests.rig.bench import Bench, Kind, Lacks, read_setup
from tests.rig.board import BOUNCE_S, BoardBench
from tests.rig.container import ContainerBench
from tests.rig.image import image
from tests.rig.machine import CACHE, Machine, alone, bare, installed, machine, put_checkout
from tests.rig.pole import FIGURES, Centre, Pole
from tests.rig.results import Results
from tests.rig.scene import Scene
from tests.rig.virtual import VirtualBench
from ttcs_edge.central.broker_rules import RIGHTS
from ttcs_edge.central.main import main

RELEASES = os.environ.get("RIG_RELEASES", "bookworm trixie").split()
WHERE = {"bookworm": "nspawn-bookworm", "trixie": "nspawn-trixie", "qemu": "qemu-bookworm", "pi": "pi"}
"""On which bench scenarios run, by what ``release`` is then."""
BENCHES = os.environ.get("RIG_BENCHES", " ".join(WHERE.values())).split()
CONTAINER, VIRTUAL = "nspawn-bookworm", "qemu-bookworm"
RESULTS = pytest.StashKey[Results]()
SCENE = pytest.StashKey[Scene]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out unless the mark is asked for."""
    return None if config.option.markexpr == "rig" else True


def pytest_configure(config: pytest.Config) -> None:
    """Keep what becomes of each test."""
    config.stash[RESULTS] = Results()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A scenario runs on every bench, all else on every release."""
    if "scene" in metafunc.fixturenames:
        chosen = [where for where, name in WHERE.items() if name in BENCHES]
        metafunc.parametrize("release", chosen, indirect=True, ids=[WHERE[one] for one in chosen], scope="session")
    elif "release" in metafunc.fixturenames:
        metafunc.parametrize("release", RELEASES, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """An emulated processor is slow: unless it is asked for, only what a container cannot show is left to it."""
    if "RIG_BENCHES" in os.environ:
        return
    shown = set(read_setup(CONTAINER).has)
    spared = [item for item in items if f"[{VIRTUAL}" in item.name and shown.issuperset(needs(item))]
    items[:] = [item for item in items if item not in spared]
    config.hook.pytest_deselected(items=spared)


def needs(item: pytest.Item) -> list[str]:
    """The resources of a bench that a scenario asks for."""
    return [name for mark in item.iter_markers("needs") for name in mark.args]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keep how a test ended, and a scenario's timeline with it."""
    report: pytest.TestReport = yield
    if RESULTS in item.config.stash:
        item.config.stash[RESULTS].add(item, report, item.stash.get(SCENE, None))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the results, and the report that the engineer signs."""
    if session.config.option.markexpr == "rig":
        session.config.stash[RESULTS].write()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was measured."""
    for figure in FIGURES:
        terminalreporter.write_line(figure)


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest) -> str:
    """A Debian that the product is for; for scenarios, where they run."""
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


@pytest.fixture(scope="session")
def bench(release: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The station and its pole on which scenarios run, switched on."""
    name = WHERE[release]
    try:
        setup = read_setup(name)
    except Lacks as why:
        pytest.skip(str(why))
    folder = tmp_path_factory.mktemp(name)
    one: Bench
    if setup.kind is Kind.CONTAINER:
        one = ContainerBench(name, setup, request.getfixturevalue("computer"), folder)
    elif setup.kind is Kind.BOARD:
        one = BoardBench(name, setup, lambda pin: DigitalInputDevice(pin, pull_up=True, bounce_time=BOUNCE_S))
    else:
        with alone():
            made = image(setup.release)
        one = VirtualBench(name, setup, made, folder)
    request.config.stash[RESULTS].benches[name] = one.versions()
    yield one
    one.close()


@pytest.fixture(scope="session")
def province(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """The centre of the station on the bench: its broker is known by what both call this machine."""
    folder, port = tmp_path_factory.mktemp("province") / "lam-dong", free_port()
    assert main(["init", str(folder), "--scope", "vn/lam-dong", "--broker", f"127.0.0.1:{port}"]) == 0
    names = dict.fromkeys(["127.0.0.1", bench.setup.broker_host])
    assert main(["server-certificate", str(folder), *names]) == 0
    assert main(["add-station", str(folder), "da-teh-01", "--scope", "vn/lam-dong/da-teh"]) == 0
    return Centre(folder, port)


@pytest.fixture
def scene(bench: Bench, province: Centre, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """A station as a technician leaves it, not yet started; what a scenario needs of the bench is there."""
    try:
        bench.need(*needs(request.node))
    except Lacks as why:
        pytest.skip(str(why))
    assert main(["broker-config", str(province.folder)]) == 0
    address = "0.0.0.0" if bench.setup.kind is Kind.BOARD else "127.0.0.1"
    broker = Broker(tmp_path / "broker", province, province.port, address)
    broker.follow(province.folder / "broker" / RIGHTS)
    broker.start()
    try:
        bench.fresh()
        one = Scene(bench, province, broker, tmp_path / "scene")
        request.node.stash[SCENE] = one
        yield one
        one.seen = one.timeline.as_json(bench, time.monotonic_ns())
        one.close()
        if isinstance(bench, ContainerBench):
            bench.leave()
    finally:
        broker.stop()
