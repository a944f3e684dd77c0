"""Two months of a station's life at a time, with everything that can go wrong, by seed."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.storm import Storm, story

SEEDS = range(34)
FOUND = sorted(Path(__file__).with_name("seeds").glob("*.txt"))


def none_broken(text: str | None) -> None:
    """Fail with a seed's story, whole and alone."""
    if text is not None:
        pytest.fail(text, pytrace=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_rule_is_broken_and_every_occurrence_is_told_exactly_once(seed: int) -> None:
    """Every rule after every event while things go wrong; then all is mended, and all that could air has aired."""
    none_broken(story(seed))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_a_seed_that_once_found_a_bug_finds_none(path: Path) -> None:
    """Each file tells what its seed found: its name is the seed."""
    assert path.read_text().strip(), "the story is missing"
    none_broken(story(int(path.stem)))


def test_a_seed_replays_to_the_letter_under_another_hash_seed() -> None:
    """handle() is deterministic: no order comes from hashing (sets, dicts of sets)."""
    code = "from tests.simulation.storm import Storm; s = Storm(3); s.run(); print(len(s.world.trace), s.fingerprint())"
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
    storm = Storm(3)
    storm.run()
    assert hashlib.sha256("\n".join(storm.world.trace).encode()).hexdigest() == only.split()[1]


def test_a_failure_prints_its_seed_the_command_that_replays_it_and_the_end_of_the_trace() -> None:
    """Whoever reads the failure can begin at once."""
    text = story(5, actions=0, also=lambda storm: storm.world.cached.clear())
    assert text is not None
    last = text.splitlines()
    assert last[-1] == "to replay: python -m tests.simulation.storm 5"
    assert re.match(
        r"seed 5: Violation\('all is well, but .* is told as Outcome.MISSED AsRunReason.NO_AUDIO'\)$", last[-2]
    )
    assert all(re.match(r"\d+ \w+", line) for line in last[:-2]) and len(last) > 20
