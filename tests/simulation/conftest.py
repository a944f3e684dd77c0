"""What the simulation has lived through, told at the end of the tests."""

from __future__ import annotations

import pytest

from tests.simulation.storm import Run
from tests.simulation.years import summary

LIVED = pytest.StashKey[list[Run]]()


@pytest.fixture(scope="session")
def lived(request: pytest.FixtureRequest) -> list[Run]:
    """Where a test enters each seed that it has run."""
    return request.config.stash.setdefault(LIVED, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line with the figures."""
    if runs := config.stash.get(LIVED, None):
        terminalreporter.write_sep("-", "simulation")
        terminalreporter.write_line(f"{summary(runs)}; {sum(run.failure is not None for run in runs)} broken")
