"""Bugs planted on purpose in a copy of the core: the rules find each of them, or they are no rules."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

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
        "asrun.py", "completed and self.whole and reason is None", "completed and reason is None", "never-9: "
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
}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, tmp_path: Path) -> None:
    """A storm over a mutated core ends with the rule that the bug breaks."""
    bug = BUGS[name]
    plant(bug, tmp_path)
    run = subprocess.run(
        [sys.executable, "-m", "tests.simulation.storm", "0", str(SEEDS)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert run.returncode == 1, f"{SEEDS} seeds did not find it:\n{run.stdout}{run.stderr}"
    assert bug.rule in run.stdout.splitlines()[-2], run.stdout[-2_000:]


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
