"""The unit as systemd reads it, and the lock of what is installed with it; on a whole machine: ``tests/rig``."""

from __future__ import annotations

import re
import subprocess
from configparser import ConfigParser
from pathlib import Path

from ttcs_edge.named_files import UNIT_GROUPS

TOP = Path(__file__).parents[2]
UNIT = TOP / "systemd/ttcs-edge.service"
MEND = "the two locks differ: make lock"


def locked(path: Path) -> dict[str, str]:
    """Every requirement of a lock: by its name, its version, marker and hashes."""
    text = re.sub(r"^ *#.*\n", "", path.read_text(), flags=re.MULTILINE)
    return {block.partition("==")[0]: block for block in re.split(r"\n(?=\S)", text.strip())}


def wanted(requirements: str) -> set[str]:
    """The names of what setup.cfg asks for, as a lock writes them."""
    return {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in requirements.split("\n") if line}


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """systemd-analyze verify, with a program that exists in the place of those that `make install` puts there."""
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"/opt/ttcs-edge/bin/\S+", "/bin/true", UNIT.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_what_goes_on_a_station_is_locked_as_in_the_whole_lock() -> None:
    """The same versions and hashes as were tested, everything that the package needs, and no tool of ours."""
    whole, run = locked(TOP / "requirements.lock"), locked(TOP / "requirements-run.lock")
    setup = ConfigParser()
    setup.read(TOP / "setup.cfg")
    needed = wanted(setup["options"]["install_requires"]) | wanted(setup["options.extras_require"]["cli"])

    assert {name: whole.get(name) for name in run} == run, MEND
    assert needed <= set(run), MEND
    assert not wanted(setup["options.extras_require"]["dev"]) & set(run), MEND


def test_the_scripts_are_sound_shell() -> None:
    """Debian's sh reads them whole."""
    for name in ("install", "uninstall"):
        subprocess.run(["sh", "-n", TOP / "systemd" / name], check=True)


def test_check_config_has_the_groups_that_the_unit_has() -> None:
    """Else a technician is told that a line is closed which the service may well use."""
    unit = UNIT.read_text()

    assert f"SupplementaryGroups={' '.join(UNIT_GROUPS)}\n" in unit
