"""The unit under a real systemd: a daemon that is ready, killed, stopped or wrongly set up; hung: test_scenarios.py."""

from __future__ import annotations

import json
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.parts import Listener, eventually
from tests.rig.pole import CONFIG, FIGURES, PINS, UNIT, Pole

pytestmark = [pytest.mark.rig, pytest.mark.timeout(900)]
RELEASE_S = 1.5
"""How long relays may stay closed behind a daemon that is dead: seen 0.2 s; a Raspberry Pi is several times slower."""


def note(figure: str, pole: Pole) -> None:
    """Keep a figure for the summary."""
    FIGURES.append(f"{pole.machine.release}: {figure}")


def opened_behind_s(pole: Pole, since_ns: int) -> float:
    """Wait until every relay is open; gives how long after an instant the last one opened."""
    eventually(lambda: pole.closed() == (), 20)
    return (max(at_ns for _, value, at_ns in pole.line_log(since_ns) if value == 0) - since_ns) / 1e9


def the_only_as_run(operator: Listener) -> tuple[str, str]:
    """Outcome and reason of the one record that came: at least once, with one id."""
    reports = eventually(lambda: operator.reports("as-run"), 20)
    assert len({report["id"] for report in reports}) == 1
    return reports[0]["outcome"], reports[0]["reason"]


def test_systemd_finds_nothing_wrong_with_the_installed_unit(pole: Pole) -> None:
    """systemd-analyze verify, with everything in its place."""
    done = pole.machine.run("systemd-analyze", "verify", f"/etc/systemd/system/{UNIT}", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_is_ready_without_a_broker_and_every_relay_is_open(pole: Pole) -> None:
    """READY comes from the daemon's main process once all but the link is live."""
    pole.broker.stop()
    pole.start()

    assert (pole.show("Type"), pole.show("ActiveState"), pole.show("SubState")) == ("notify", "active", "running")
    assert pole.closed() == ()
    assert {line for line, value, _ in pole.line_log() if value == 0} == {f"gpio{pin}" for pin in PINS}
    assert pole.status()["link_up"] is False
    began_us, ready_us = (
        int(pole.show("ExecMainStartTimestampMonotonic")),
        int(pole.show("ActiveEnterTimestampMonotonic")),
    )
    note(f"READY {(ready_us - began_us) / 1e6:.2f} s after the start", pole)


def test_after_kill_9_every_relay_is_opened_at_once_and_the_record_says_cut(
    pole: Pole, operator: Listener, tmp_path: Path
) -> None:
    """never-2: lines keep their level when the daemon dies; ExecStopPost opens them, and the service is back."""
    pole.put_on_the_air(tmp_path)
    before = pole.main_pid
    killed_ns = pole.machine.kill(before, signal.SIGKILL)
    opened_s = opened_behind_s(pole, killed_ns)
    eventually(lambda: pole.is_active(not_pid=before), 20)
    note(f"kill -9: every relay open after {opened_s * 1000:.0f} ms, ready again after {since(killed_ns):.1f} s", pole)

    assert opened_s < RELEASE_S
    assert the_only_as_run(operator)[0] == "cut"
    assert pole.closed() == ()


def test_a_stop_in_the_middle_of_a_cue_is_clean_and_done_within_3_s(
    pole: Pole, operator: Listener, tmp_path: Path
) -> None:
    """systemctl stop: exit code 0, every relay open, and the record says that it was stopped."""
    pole.put_on_the_air(tmp_path)
    began_ns = time.monotonic_ns()
    pole.machine.run("systemctl", "stop", UNIT)
    took_s = since(began_ns)
    note(f"systemctl stop in the middle of a cue: {took_s:.1f} s", pole)

    assert took_s < 3.0
    assert f"{UNIT}: Deactivated successfully." in [entry["MESSAGE"] for entry in pole.journal()]
    assert pole.closed() == ()
    assert the_only_as_run(operator) == ("part", "stopped")


def test_a_killed_player_does_not_restart_the_service(pole: Pole, operator: Listener, tmp_path: Path) -> None:
    """The daemon replaces it, and the relays never notice."""
    pole.put_on_the_air(tmp_path)
    before = pole.main_pid
    (player,) = pole.players()
    killed_ns = pole.machine.kill(player, signal.SIGKILL)
    eventually(lambda: (pole.status().get("on_air") or {}).get("position_ms", 0) > 3_000, 20)

    assert pole.players() != [player]
    assert (pole.main_pid, pole.show("NRestarts")) == (before, "0")
    assert pole.closed() == PINS
    assert pole.line_log(killed_ns) == []


WRONG_PIN = """\
{path}:{line}: zones[1].pin
  Sai: Số nằm ngoài giới hạn
  Thấy: 99
  Cần: số GPIO (BCM) từ 2 đến 27, mỗi rơ-le một chân riêng
  Sửa: đổi cho nằm trong giới hạn trên
  Wrong: The number is out of range
  Found: 99
  Expected: a GPIO number (BCM) from 2 to 27, one of its own for each relay
  Mend: bring it within the bounds above"""


def test_a_wrong_config_is_told_with_its_mend_and_not_tried_again(pole: Pole) -> None:
    """Exit code 78; the journal has file, line, key, what was found and expected, and the mend, in both languages."""
    text = pole.config().replace("    pin: 17\n", "    pin: 99\n")
    line = text.splitlines().index("    pin: 99") + 1
    pole.configure(text)
    pole.start(check=False)
    eventually(lambda: pole.show("ActiveState") == "failed")

    assert (pole.show("ExecMainStatus"), pole.show("NRestarts")) == ("78", "0")
    assert "\n".join(pole.told()) == WRONG_PIN.format(path=CONFIG, line=line)
    pole.configure(text.replace("    pin: 99\n", "    pin: 17\n"))
    pole.start()
    assert pole.is_active()


def test_a_config_broken_while_on_the_air_does_not_keep_relays_closed_behind_a_kill(pole: Pole, tmp_path: Path) -> None:
    """never-2: what is opened is what the dead daemon drove, whatever stands in the file by now."""
    pole.put_on_the_air(tmp_path)
    pole.configure("zones: [")
    killed_ns = pole.machine.kill(pole.main_pid, signal.SIGKILL)

    assert opened_behind_s(pole, killed_ns) < RELEASE_S
    eventually(lambda: pole.show("ActiveState") == "failed", 20)
    assert pole.show("ExecMainStatus") == "78"


def test_without_its_key_a_station_is_ready_and_tells_that_it_has_no_link(pole: Pole) -> None:
    """The key's file is gone: what was fetched can still be aired, so there is no restart loop, but a fault."""
    pole.machine.run("rm", "/etc/ttcs-edge/identity/station.key")
    pole.start()
    faults = eventually(lambda: pole.status().get("faults"), 20)

    assert (pole.is_active(), pole.show("NRestarts")) == (True, "0")
    assert [(fault["code"], dict(fault["detail"])["reason"]) for fault in faults] == [("link-down", "own-files")]


def test_a_station_that_dies_ten_times_in_a_row_still_comes_back(pole: Pole) -> None:
    """No start limit leaves a pole dead for ever, however quickly it dies: here it is started anew without a wait."""
    pole.override("[Service]\nRestartSec=0\n")
    pole.start()
    for _ in range(10):
        before = pole.main_pid
        pole.machine.kill(before, signal.SIGKILL)
        eventually(partial(pole.is_active, not_pid=before), 20)

    assert pole.show("NRestarts") == "10"
    assert pole.closed() == ()


def test_after_a_reboot_the_station_is_up_by_itself(pole: Pole, operator: Listener, tmp_path: Path) -> None:
    """The machine is rebooted in the middle of a cue: stopped cleanly before, ready and silent after."""
    pole.machine.run("systemctl", "enable", UNIT)
    pole.put_on_the_air(tmp_path)
    pole.machine.reboot()
    eventually(pole.is_active, 20)

    assert pole.closed() == ()
    assert the_only_as_run(operator) == ("part", "stopped")


def test_after_a_power_cut_the_lines_are_opened_before_anything_else(
    pole: Pole, operator: Listener, tmp_path: Path
) -> None:
    """never-2: lines that are still closed when the machine comes up are opened before READY, by the daemon itself."""
    pole.machine.run("systemctl", "enable", UNIT)
    pole.put_on_the_air(tmp_path)
    pole.machine.cut_power()
    assert pole.closed() == PINS
    booted_ns = time.monotonic_ns()
    pole.machine.boot()
    eventually(pole.is_active, 20)

    changes = pole.line_log(booted_ns)
    assert [(line, value) for line, value, _ in changes] == [(f"gpio{pin}", 0) for pin in PINS]
    assert max(at_ns for _, _, at_ns in changes) < int(pole.show("ActiveEnterTimestampMonotonic")) * 1_000
    assert the_only_as_run(operator) == ("cut", "power")


def test_every_line_of_a_good_life_in_the_journal_is_one_json_object(pole: Pole, tmp_path: Path) -> None:
    """Start, a cue, a stop: a machine can read all of it."""
    pole.put_on_the_air(tmp_path)
    pole.machine.run("systemctl", "stop", UNIT)

    lines = pole.told() + pole.told("ttcs-edge-release")
    assert [json.loads(line)["event"] for line in pole.told("ttcs-edge-release")] == ["relays-opened"]
    assert [line for line in lines if not is_object(line)] == []


def is_object(line: str) -> bool:
    """Tell whether a line is a JSON object."""
    try:
        found: Any = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict)


def since(began_ns: int) -> float:
    """Seconds since an instant of the monotonic clock."""
    return (time.monotonic_ns() - began_ns) / 1e9


def test_a_line_that_is_taken_keeps_no_other_relay_closed(pole: Pole) -> None:
    """never-2: another program holds the amplifier's line; the zones, left closed by a dead daemon, are opened."""
    pole.start()
    pole.machine.run("systemctl", "stop", UNIT)
    levels = " ".join(f"{pole.lines_there}/gpio{pin}" for pin in PINS)
    pole.machine.shell(f"for line in {levels}; do printf 1 >$line; done")
    pole.machine.shell(f"(flock {pole.lines_there}/gpio16 sleep 5 >/dev/null 2>&1 &)")
    pole.start(check=False)

    eventually(lambda: pole.closed() == (16,))
    eventually(pole.is_active, 20)
    assert pole.closed() == ()
