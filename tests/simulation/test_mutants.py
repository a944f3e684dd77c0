"""Bugs planted on purpose in a copy of the core: the rules find each of them, or they are no rules."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.simulation.happenings import read

TOP = Path(__file__).parents[2]
SEEDS = 12
"""How many seeds a bug may survive."""


@dataclass(frozen=True)
class Bug:
    """One text in one file of the core, what it becomes, and the rule that must find it."""

    file: str
    old: str
    new: str
    rule: str


BUGS = {
    "a zone is forgotten on the way down": Bug(
        "playout.py",
        "        if self.closed:\n            return self._switch(self.closed[-1], False, now_mono_ms)\n"
        "        if self.amplifier_on_mono_ms is None:\n            return []\n",
        "        if len(self.closed) > 1:\n            return self._switch(self.closed[-1], False, now_mono_ms)\n"
        "        if self.amplifier_on_mono_ms is None:\n            return []\n",
        "air-4: the amplifier goes off while",
    ),
    "zones switch under sound": Bug(
        "playout.py",
        "            return self._end_unwanted_sound(wanted)\n        stuck",
        "            return self._end_unwanted_sound(wanted) or self._down(needed_mono_ms, now_mono_ms)\n        stuck",
        "never-3: ",
    ),
    "the warm-up is not waited for": Bug(
        "playout.py", "if warm_up_left_ms := self._warm_up_left_ms(now_mono_ms):", "if warm_up_left_ms := 0:", "air-4: "
    ),
    "the hold time is dropped": Bug(
        "playout.py",
        "+ self.settings.amplifier.hold_ms",
        "+ 0",
        "air-4: the amplifier goes off before its hold time",
    ),
    "the amplifier is left on": Bug(
        "playout.py", "return [] if soon else self._amplifier_off()", "return []", "never-3: the amplifier is on"
    ),
    "what is acknowledged is not on disk": Bug(
        "station.py",
        "[*self.air, *self.notes, *record, *self.after]",
        "[*self.air, *self.notes, *self.after[:-1], *record, self.after[-1]]",
        "decision 1: ",
    ),
    "what is to resume restarts": Bug(
        "air.py", "IfInterrupted.RESUME: position_ms", "IfInterrupted.RESUME: 0", "air-2: "
    ),
    "what is to be dropped goes on": Bug(
        "air.py", "IfInterrupted.DROP: None", "IfInterrupted.DROP: position_ms", "air-2: "
    ),
    "aired is told without a look at the length": Bug(
        "asrun.py", "whole = completed and self.whole", "whole = completed", "never-9: "
    ),
    "an occurrence is taken twice": Bug(
        "desk.py", "known = key in self.settled or key in self.waiting", "known = key in self.waiting", "never-5: "
    ),
    "what is on the air is not written down": Bug(
        "station.py", "turn.entries.append(effects.AsRunOpened(record))", "pass", "never-5: "
    ),
    "ids begin anew at every start": Bug(
        "desk.py", 'id=f"{self.boot}-a{self.sequence}"', 'id=f"a{self.sequence}"', "never-5: the id "
    ),
    "what was due while the power was off is forgotten": Bug(
        "programmes.py", "self.since_ms = event.watched_until_ms", "self.since_ms = None", "never-5: "
    ),
    "a higher priority waits for its turn": Bug(
        "air.py", "best.priority > on_air.priority", "best.priority > on_air.priority + 9", "never-4: "
    ),
    "an older programme is obeyed": Bug(
        "trust.py", "if programme.version < floor:", "if programme.version < 0:", "never-6: "
    ),
    "anybody may sign": Bug("trust.py", ">= grant.threshold", ">= 0", "never-6: "),
    "quiet hours are ignored": Bug("programmes.py", "if not self.settings.quiet_hours:", "if True:", "air-5: "),
    "what time is it? whatever": Bug("desk.py", "<= now.wall_ms] if now.trusted else []", "<= now.wall_ms]", "air-7: "),
    "the loudest zone sets the volume": Bug("library.py", "volume_percent=min(", "volume_percent=max(", "air-5: "),
    "a withdrawn cue comes back when the player dies": Bug(
        "desk.py",
        "self._interrupted(airing, airing.stop_reason or AsRunReason.PLAYER_DIED, now)",
        "self._interrupted(airing, AsRunReason.PLAYER_DIED, now)",
        "",
    ),
    "the power is blamed for what it did not do": Bug(
        "desk.py",
        "planned_mono_ms < self.started_mono_ms:",
        "planned_mono_ms < self.started_mono_ms + 300_000:",
        "never-5: ",
    ),
    "a bad file is told as a missing one": Bug(
        "desk.py",
        "airing.stop_reason or AsRunReason.NOT_AUDIO",
        "airing.stop_reason or AsRunReason.NO_AUDIO",
        "never-5: ",
    ),
}


@pytest.fixture(scope="module")
def hunts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[subprocess.CompletedProcess[str]]]]:
    """Every bug hunted in a process of its own, as many at a time as there are cores."""
    threads = ThreadPoolExecutor(os.cpu_count() or 2)
    yield {name: threads.submit(hunt, BUGS[name], tmp_path_factory.mktemp("bug")) for name in BUGS}
    threads.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, hunts: dict[str, Future[subprocess.CompletedProcess[str]]]) -> None:
    """A storm over a mutated copy ends with the rule that the bug breaks, at the first seed that meets it."""
    run = hunts[name].result()

    assert run.returncode == 1, f"{SEEDS} seeds did not find it:\n{run.stdout}{run.stderr}"
    assert BUGS[name].rule in run.stdout.splitlines()[-2], run.stdout[-2_000:]


def test_what_a_planted_bug_broke_is_shrunk_to_a_short_list_that_still_breaks_it(tmp_path: Path) -> None:
    """Hundreds of happenings become a few; replayed from a file they break the same rule, and none without the bug."""
    code = (
        "from tests.simulation.storm import run\n"
        "one = next(found for found in map(run, range(12)) if found.failure)\n"
        "print(len(one.happened)); print(one.shrunk(40))"
    )
    plant(BUGS["what is to resume restarts"], tmp_path)
    count, _, text = python(tmp_path, "-c", code).stdout.partition("\n")
    path = tmp_path / "shrunk.txt"
    path.write_text(text)
    replay = (
        "import sys; from tests.simulation.happenings import read; from tests.simulation.shrink import failure_of; "
    )
    replay += "print(failure_of(*read(open(sys.argv[1]).read()), None))"

    _, happenings = read(text)
    assert int(count) > 10 and len(happenings) <= 8, text
    assert "complaint='Violation air-2'" in python(tmp_path, "-c", replay, str(path)).stdout
    assert python(TOP, "-c", replay, str(path)).stdout.strip() == "None"


def hunt(bug: Bug, folder: Path) -> subprocess.CompletedProcess[str]:
    """Storms over a copy with the bug."""
    plant(bug, folder)
    return python(folder, "-m", "tests.simulation.storm", "0", str(SEEDS))


def python(top: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python over one copy of the sources."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=top,
        env={**os.environ, "PYTHONPATH": str(top)},
        capture_output=True,
        text=True,
        timeout=100,
    )


def plant(bug: Bug, folder: Path) -> None:
    """Copy the core and the simulation into a folder, the core with the bug."""
    for source in ("ttcs_edge/__init__.py", "ttcs_edge/core", "tests/__init__.py", "tests/core", "tests/simulation"):
        target = folder / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.endswith(".py"):
            shutil.copy(TOP / source, target)
        else:
            shutil.copytree(TOP / source, target, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "ttcs_edge/core" / bug.file
    text = path.read_text()
    assert text.count(bug.old) == 1, f"{bug.file} has no longer one {bug.old!r}: plant this bug anew"
    path.write_text(text.replace(bug.old, bug.new))
