"""A hundred years of stations' lives, with everything that can go wrong, by seed, on every core."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.happenings import Timeline, read, written
from tests.simulation.shrink import failure_of
from tests.simulation.storm import Run, Storm, lives_long, run
from tests.simulation.years import YEAR_DAYS, live, pool, runs

YEARS = 100
SEEDS = [seed for seed in range(84) if lives_long(seed) or seed % 3 == 2]
"""Enough for so many years, which the last test counts, and of the others, whose days are busy and whose lives are
short, some; each seed is a test, so that a failure is alone.
"""
FOLLOWED: dict[int, tuple[str, ...]] = {
    20: ("alerts", "orders"),
    21: ("live", "orders"),
    22: ("live", "alerts"),
    23: ("own_clock", "orders"),
    24: ("streams", "alerts"),
    25: ("microphone", "live"),
}
"""What there is beside trust roots that follow one another, by seed: few and short lives, beside the years."""
FOLLOWED_ACTIONS = 30
SHRINK_S = 15.0
"""With the replay under way when this is over, far less than such a test may wait: a seed that fails always ends with
its story and its list.
"""
SOAK_YEARS = 1_000
SOAK_SEED = 100_000
FOUND = sorted(Path(__file__).with_name("seeds").glob("*.txt"))


def none_broken(one: Run) -> None:
    """Fail with a seed's story, whole and alone, and with what of it matters."""
    if one.failure is not None:
        pytest.fail(
            f"{one.text}\n\nshrunk, for a file in tests/simulation/seeds:\n{one.shrunk(SHRINK_S)}", pytrace=False
        )


@pytest.mark.beforehand(call=live)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_rule_is_broken_and_every_occurrence_is_told_exactly_once(
    seed: int, begun: Future[Run], lived: list[Run]
) -> None:
    """Every rule after every event while things go wrong; then all is mended, and all that could air has aired."""
    lived.append(one := begun.result())
    none_broken(one)


def follow(seed: int) -> Run:
    """One seed with roots that follow one another, a thief, and beacons that name what is in force: a short life."""
    kinds: dict[str, Any] = dict.fromkeys(FOLLOWED[seed], True)
    return run(seed, FOLLOWED_ACTIONS, dense=True, trust=True, **kinds)


@pytest.mark.beforehand(call=follow)
@pytest.mark.parametrize("seed", FOLLOWED)
def test_no_rule_is_broken_while_roots_follow_one_another(seed: int, begun: Future[Run]) -> None:
    """Keys come and go, over power cuts, and a thief speaks by every way there is; then all is signed by good keys, and
    airs.
    """
    none_broken(begun.result())


def test_a_hundred_station_years_were_lived_through(lived: list[Run]) -> None:
    """Fewer seeds than that are no test."""
    if len(lived) < len(SEEDS):
        pytest.skip("only with every seed")
    assert sum(one.days for one in lived) >= YEARS * YEAR_DAYS


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_a_thousand_station_years_break_no_rule(lived: list[Run]) -> None:
    """Other seeds than those of every day."""
    with pool() as processes:
        for one in runs(processes, SOAK_YEARS, SOAK_SEED):
            lived.append(one)
            none_broken(one)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_once_broke_a_rule_breaks_none(path: Path) -> None:
    """Each file is a list of happenings that found a bug, under the story of the bug."""
    text = path.read_text()
    assert text.startswith("# "), "the story is missing"
    broke = failure_of(*read(text), until_mono_ms=None)
    if broke is not None:
        pytest.fail(broke.text, pytrace=False)


def test_a_list_of_happenings_replays_to_the_letter_without_the_dice() -> None:
    """What a seed did, written down and read again, is the same life."""
    storm = Storm(1)
    storm.run()
    setup, happenings = read(written(storm.timeline.setup, storm.timeline.happened))
    again = Timeline(setup)
    again.replay(happenings)
    again.finish()

    assert len(happenings) > 200
    assert again.world.trace == storm.world.trace


def test_a_seed_replays_to_the_letter_under_another_hash_seed() -> None:
    """handle() is deterministic: no order comes from hashing (sets, dicts of sets)."""
    code = "from tests.simulation.storm import Storm; s = Storm(1); s.run(); print(len(s.world.trace), s.fingerprint())"
    top = str(Path(__file__).parents[2])
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": top},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    (only,) = said
    lines = int(only.split()[0])
    assert lines > 1_000
    storm = Storm(1)
    storm.run()
    assert hashlib.sha256("\n".join(storm.world.trace).encode()).hexdigest() == only.split()[1]


@pytest.mark.parametrize("own_clock", [False, True])
def test_a_failure_prints_its_seed_the_command_that_replays_it_and_the_end_of_the_trace(own_clock: bool) -> None:
    """Whoever reads the failure can begin at once."""
    text = run(1, actions=0, also=lambda timeline: timeline.world.cached.clear(), own_clock=own_clock).text
    last = text.splitlines()
    assert last[-1] == "to replay: python -m tests.simulation.storm 1" + " own-clock" * own_clock
    assert re.match(
        r"seed 1: Violation\('all is well, but .* is told as Outcome.MISSED AsRunReason.ROTTEN'\)$", last[-2]
    )
    assert all(re.match(r"\d+ \w+", line) for line in last[:-2]) and len(last) > 20


def test_shortening_a_list_keeps_to_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that cannot be shortened in time is given as short as it has become."""
    monkeypatch.setattr(Timeline, "_account", lambda timeline: 1 // 0)
    broken = run(0)
    begun_s = time.monotonic()
    text = broken.shrunk(limit_s=0.5)

    assert time.monotonic() - begun_s < 3
    assert text.startswith("# ZeroDivisionError(")
    assert len(read(text)[1]) <= len(broken.happened)
