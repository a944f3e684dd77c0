"""The unit as systemd reads it, and the lock of what is installed with it; on a whole machine: ``tests/rig``."""

from __future__ import annotations

import re
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from ttcs_edge.drivers.player_launch import MONITOR_VARIABLE, SOCKET_VARIABLE
from ttcs_edge.named_files import UNIT_GROUPS
from ttcs_edge.player.keeper import FEED_S

TOP = Path(__file__).parents[2]
UNIT = TOP / "systemd/ttcs-edge.service"
CLOCK_UNIT = TOP / "systemd/ttcs-edge-clock.service"
KEY_UNIT = TOP / "systemd/ttcs-edge-key.service"
PLAYER_UNIT = TOP / "systemd/ttcs-edge-player@.service"
PLAYER_SOCKET = TOP / "systemd/ttcs-edge-player.socket"
MONITOR_UNIT = TOP / "systemd/ttcs-edge-monitor@.service"
MONITOR_SOCKET = TOP / "systemd/ttcs-edge-monitor.socket"
EXPOSURE_MOST = {UNIT: 12, CLOCK_UNIT: 12, PLAYER_UNIT: 10, MONITOR_UNIT: 10, KEY_UNIT: 12}
"""Tenths, as ``systemd-analyze security`` reckons; a unit that gives up nothing has 96."""
MEND = "the two locks differ: make lock"


def locked(path: Path) -> dict[str, str]:
    """Every requirement of a lock: by its name, its version, marker and hashes."""
    text = re.sub(r"^ *#.*\n", "", path.read_text(), flags=re.MULTILINE)
    return {block.partition("==")[0]: block for block in re.split(r"\n(?=\S)", text.strip())}


def wanted(requirements: str) -> set[str]:
    """The names of what setup.cfg asks for, as a lock writes them."""
    return {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in requirements.split("\n") if line}


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    """systemd-analyze verify, with a program that exists in the place of those that `make install` puts there."""
    units = (UNIT, CLOCK_UNIT, KEY_UNIT, PLAYER_UNIT, PLAYER_SOCKET, MONITOR_UNIT, MONITOR_SOCKET)
    for unit in units:
        (tmp_path / unit.name).write_text(re.sub(r"/opt/ttcs-edge/bin/\S+", "/bin/true", unit.read_text()))
    for unit in units:
        one = tmp_path / unit.name.replace("@", "@0")
        done = subprocess.run(["systemd-analyze", "verify", one], capture_output=True, text=True)

        assert (done.returncode, done.stderr) == (0, "")


def exposed(unit: Path, most: int) -> subprocess.CompletedProcess[str]:
    """What systemd thinks of a unit; it fails where that is worse than may be."""
    offline = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={most}"]
    return subprocess.run([*offline, unit], capture_output=True, text=True)


def test_the_units_are_exposed_no_more_than_their_work_needs(tmp_path: Path) -> None:
    """systemd-analyze security: at most 1.2, the player 1.0; whoever opens something sees here what it costs."""
    for unit, most in EXPOSURE_MOST.items():
        done = exposed(unit, most)
        assert done.returncode == 0, done.stdout
    opened = tmp_path / UNIT.name
    opened.write_text(UNIT.read_text().replace("ProtectClock=yes\n", ""))
    assert exposed(opened, EXPOSURE_MOST[UNIT]).returncode != 0, "the bound is where the unit is"


def test_the_unit_names_no_folder_to_write_but_its_own_two() -> None:
    """Whatever a later driver wants to keep, it keeps there."""
    unit = UNIT.read_text()

    assert "ReadWritePaths=" not in unit
    assert re.findall(r"^(\w*Directory)=(.*)$", unit, re.MULTILINE) == [
        ("StateDirectory", "ttcs-edge"),
        ("RuntimeDirectory", "ttcs-edge"),
        ("WorkingDirectory", "/run/ttcs-edge"),
    ]


@pytest.mark.parametrize("unit", [PLAYER_UNIT, MONITOR_UNIT])
def test_player_and_monitor_write_nowhere_and_the_daemon_has_no_sound_card(unit: Path) -> None:
    """What is handed over is all that they have; what decodes, or listens, is never beside the relays."""
    text = unit.read_text()

    assert re.findall(r"^(?:\w*Directory|ReadWritePaths|BindPaths|LoadCredential)=(.*)$", text, re.MULTILINE) == [
        "/opt/ttcs-edge/share/ttcs-edge/root"
    ]
    assert re.findall(r"^DeviceAllow=(.*)$", text, re.MULTILINE) == ["char-alsa rw"]
    assert "alsa" not in UNIT.read_text()


@pytest.mark.parametrize(
    ("unit", "socket", "variable"),
    [(PLAYER_UNIT, PLAYER_SOCKET, SOCKET_VARIABLE), (MONITOR_UNIT, MONITOR_SOCKET, MONITOR_VARIABLE)],
)
def test_daemon_and_neighbour_meet_at_one_path(unit: Path, socket: Path, variable: str) -> None:
    """The one listens where the other asks; the watchdog is fed often enough."""
    listens = re.findall(r"^ListenSequentialPacket=(.*)$", socket.read_text(), re.MULTILINE)
    (watchdog_s,) = re.findall(r"^WatchdogSec=(\d+)$", unit.read_text(), re.MULTILINE)

    assert f"Environment={variable}={listens[0]}\n" in UNIT.read_text()
    assert int(watchdog_s) >= 3 * FEED_S


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
