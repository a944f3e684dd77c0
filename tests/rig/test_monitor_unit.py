"""The off-air monitor in its own unit on whole machines: it hears a stranger from in there, and nobody misses it."""

from __future__ import annotations

import hashlib
import signal

import pytest

from tests.parts import Listener, eventually
from tests.rig.air import SILENT_S, heard_s, write_stranger
from tests.rig.pole import FIGURES, STATE, Pole
from ttcs_edge.core.monitor import FOREIGN

pytestmark = [pytest.mark.rig, pytest.mark.timeout(900)]
AIR = "/etc/ttcs-edge/air.wav"
TOLD_S = 10.0
"""Within which time a stranger is told."""


def put_air(pole: Pole) -> None:
    """Have the monitor listen to a file."""
    write_stranger(pole.machine.root / AIR[1:])
    pole.configure(f"{pole.config()}monitor: {{wav_file: {AIR}, loud_dbfs: -22}}\n")


def monitor(pole: Pole) -> int:
    """The one monitor, in there."""
    (pid,) = eventually(lambda: pole.kept("monitor"), 30)
    return pid


def test_a_stranger_is_told_and_recorded_by_a_monitor_that_has_nothing_else(pole: Pole, operator: Listener) -> None:
    """Another user than the daemon's, no network, and of the card only what it is handed."""
    put_air(pole)
    pole.start()
    pid = monitor(pole)
    status = pole.machine.run("cat", f"/proc/{pid}/status").stdout.splitlines()
    (uids,) = [set(line.split()[1:]) for line in status if line.startswith("Uid:")]
    (rights,) = [line.split()[1] for line in status if line.startswith("CapBnd:")]
    networks = {pole.machine.run("readlink", f"/proc/{one}/ns/net").stdout for one in (pid, pole.main_pid)}
    assert uids.isdisjoint({"0", pole.machine.run("id", "-u", "ttcs").stdout.strip()})
    assert (int(rights, 16), len(networks)) == (0, 2)

    (fault,) = eventually(lambda: [one for one in operator.reports("fault") if one["code"] == FOREIGN], 60)
    told_s = heard_s(pole.machine.shell, str(pid)) - SILENT_S
    FIGURES.append(f"a stranger on the air to fault: {told_s:.1f} s")
    assert 0 < told_s < TOLD_S
    file = pole.machine.root / STATE[1:] / "evidence" / fault["detail"]["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == fault["detail"]["sha256"]


def test_a_monitor_that_is_killed_is_replaced_and_the_daemon_stays(pole: Pole) -> None:
    """Its keeper goes with it; the next one listens."""
    put_air(pole)
    pole.start()
    daemon, first = pole.main_pid, monitor(pole)
    eventually(lambda: heard_s(pole.machine.shell, str(first)) > 0, 30)
    pole.machine.kill(first, signal.SIGKILL)
    eventually(lambda: monitor(pole) != first, 60)
    eventually(lambda: heard_s(pole.machine.shell, str(monitor(pole))) > 0, 30)

    assert pole.is_active() and pole.main_pid == daemon
