"""A station dies at random instants while a programme runs: no relay stays closed, nothing is lost, nothing airs twice.

Each case has its seed in its name. A failure is replayed by running that case; what a machine does between two instants
is not in the seed, so it may take a few runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parts import Clip, Listener, Province, Station
from tests.power.card import Card, build
from tests.power.pole import Pole, make_tones, reckon

SHORT_DEATHS, LONG_DEATHS = 14, 100
LIFE_AND_DEATH_S = 6
NORMAL = """
import sqlite3
from ttcs_edge.store import database
honest = database.connect
def planted(path):
    connection = honest(path)
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection
database.connect = planted
"""
Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clip, ...]:
    """The audio of all cues."""
    return make_tones(tmp_path_factory.mktemp("tones"))


@pytest.fixture
def make_pole(
    tmp_path: Path, station: Station, centre: Listener, province: Province, tones: tuple[Clip, ...]
) -> Callable[..., Pole]:
    """Makes a pole for so many deaths."""

    def make(seed: int, deaths: int, cuts: float, plant: str = "") -> Pole:
        state = station.folder / "state"
        card = Card(state, tmp_path / "card.log", build(tmp_path)) if cuts else None
        cues = 20 + deaths * LIFE_AND_DEATH_S // 4
        return Pole(station, centre, province, tones, cues, seed, card, cuts, plant)

    return make


def live_and_die(pole: Pole, deaths: int) -> str:
    """All of it; gives what was seen."""
    try:
        pole.begin()
        for death in range(deaths):
            if death:
                pole.live()
            pole.die()
        return reckon(pole, pole.end())
    except AssertionError as error:
        error.add_note(f"seed {pole.seed}, after {pole.deaths} deaths; the station's folder: {pole.station.folder}")
        error.add_note(f'replay: python -m pytest "{os.environ["PYTEST_CURRENT_TEST"].split(" ")[0]}" -m ""')
        raise


@pytest.mark.parametrize("seed", [1])
def test_some_deaths(make_pole: Callable[..., Pole], tell: Tell, seed: int) -> None:
    """never-2, never-5, never-9, after every one of them and at the end."""
    tell(f"seed {seed}: {live_and_die(make_pole(seed, SHORT_DEATHS, 0.6), SHORT_DEATHS)}")


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", [11, 12, 13])
@pytest.mark.parametrize("cuts", [0.0, 1.0], ids=["killed", "power-cut"])
def test_some_hundreds_of_deaths(make_pole: Callable[..., Pole], tell: Tell, seed: int, cuts: float) -> None:
    """The same, for as long as it takes chance to find the worst instant."""
    tell(f"seed {seed}: {live_and_die(make_pole(seed, LONG_DEATHS, cuts), LONG_DEATHS)}")


@pytest.mark.soak
def test_a_database_that_does_not_sync_is_found_out(make_pole: Callable[..., Pole]) -> None:
    """With synchronous=NORMAL planted in the daemon, the same reckoning must not come out: else it proves nothing."""
    with pytest.raises(
        AssertionError,
        match=r"told \d+ times|aired twice|one number for two|never came|newer one is on disk|and told as .*'missed'",
    ):
        live_and_die(make_pole(2, SHORT_DEATHS, 1.0, NORMAL), SHORT_DEATHS)
