"""The off-air monitor in its own unit on whole machines: it hears a stranger from in there, and nobody misses it."""

from __future__ import annotations

import hashlib
import signal

import numpy as np
import pytest

from tests.airwaves import ENGLISH, of_db, speech
from tests.monitor.test_process import write_wav
from tests.parts import Listener, eventually
from tests.rig.pole import FIGURES, STATE, Pole
from ttcs_edge.core.monitor import FOREIGN
from ttcs_edge.drivers.sound import RATE_HZ

pytestmark = [pytest.mark.rig, pytest.mark.timeout(900)]
AIR = "/etc/ttcs-edge/air.wav"
SILENT_S, FOREIGN_S = 30, 60
HEADER_BYTES = 44
TOLD_S = 10.0
"""Within which time a stranger is told."""
NOISE = 8
"""What an input hears by itself, as samples."""


def put_air(pole: Pole) -> None:
    """What the input hears, round and round: nothing for half a minute, then a stranger for one."""
    silence = np.random.default_rng(1).normal(0, NOISE, SILENT_S * RATE_HZ).astype(np.float32)
    stranger = np.take(of_db(speech(ENGLISH, "en"), -20), np.arange(FOREIGN_S * RATE_HZ), mode="wrap")
    write_wav(pole.machine.root / AIR[1:], np.concatenate([silence, stranger]))
    pole.configure(f"{pole.config()}monitor: {{wav_file: {AIR}, loud_dbfs: -22}}\n")


def monitor(pole: Pole) -> int:
    """The one monitor, in there."""
    (pid,) = eventually(lambda: pole.kept("monitor"), 30)
    return pid


def heard_s(pole: Pole, pid: int) -> float:
    """How far the input has come in its file; it reads a little ahead."""
    script = (
        f"cd /proc/{pid}; for fd in fd/*; do readlink $fd | grep -q air.wav && cat fdinfo/${{fd##*/}}; done || true"
    )
    told = pole.machine.shell(script).split()
    return (int(told[told.index("pos:") + 1]) - HEADER_BYTES) / 2 / RATE_HZ if told else 0.0


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
    told_s = heard_s(pole, pid) - SILENT_S
    FIGURES.append(f"a stranger on the air to fault: {told_s:.1f} s")
    assert 0 < told_s < TOLD_S
    file = pole.machine.root / STATE[1:] / "evidence" / fault["detail"]["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == fault["detail"]["sha256"]


def test_a_monitor_that_is_killed_is_replaced_and_the_daemon_stays(pole: Pole) -> None:
    """Its keeper goes with it; the next one listens."""
    put_air(pole)
    pole.start()
    daemon, first = pole.main_pid, monitor(pole)
    eventually(lambda: heard_s(pole, first) > 0, 30)
    pole.machine.kill(first, signal.SIGKILL)
    eventually(lambda: monitor(pole) != first, 60)
    eventually(lambda: heard_s(pole, monitor(pole)) > 0, 30)

    assert pole.is_active() and pole.main_pid == daemon
