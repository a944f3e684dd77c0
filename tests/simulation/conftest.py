"""What takes the cores for minutes begins before the first test, and the last tests look at it: nearly all others wait
for sound or for a broker, and have the cores at once when they want them.

The mark ``beforehand(call=...)`` has that called with the test's parameters in a process of the idle class; its future
is the fixture ``begun``. Such a test may wait for long, for it has the cores when nobody else wants them. What the
simulation has lived through is told at the end.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.storm import Run
from tests.simulation.years import pool, summary

HERE = Path(__file__).parent
LIVED = pytest.StashKey[list[Run]]()
BEGUN = pytest.StashKey[dict[str, Future[Any]]]()
PROCESSES = pytest.StashKey[ProcessPoolExecutor]()
WAITS_S = 900


def stand_back() -> None:
    """Have the cores only while nobody else wants them (sched(7), SCHED_IDLE)."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The simulation comes last, and has time."""
    items.sort(key=lambda item: HERE in item.path.parents)
    for item in items:
        if item.get_closest_marker("beforehand"):
            item.add_marker(pytest.mark.timeout(WAITS_S))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin what was chosen, in its order."""
    marked = [(item, item.get_closest_marker("beforehand")) for item in session.items]
    if session.config.option.collectonly or not any(mark for _, mark in marked):
        return
    processes = session.config.stash[PROCESSES] = pool(stand_back)
    session.config.stash[BEGUN] = {
        item.nodeid: processes.submit(mark.kwargs["call"], **item.callspec.params)  # type: ignore[attr-defined]
        for item, mark in marked
        if mark is not None
    }


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What nobody looks at any more is not begun."""
    if PROCESSES in session.config.stash:
        session.config.stash[PROCESSES].shutdown(cancel_futures=True)


@pytest.fixture
def begun(request: pytest.FixtureRequest) -> Future[Any]:
    """What was called for this test beforehand."""
    return request.config.stash[BEGUN][request.node.nodeid]


@pytest.fixture(scope="session")
def lived(request: pytest.FixtureRequest) -> list[Run]:
    """Where a test enters each seed that it has run."""
    return request.config.stash.setdefault(LIVED, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line with the figures."""
    if runs := config.stash.get(LIVED, None):
        terminalreporter.write_sep("-", "simulation")
        terminalreporter.write_line(f"{summary(runs)}; {sum(run.failure is not None for run in runs)} broken")
