"""What the unit may not do, tried from inside of it, on a machine with a systemd of its own; and what it still can."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.parts import Listener, eventually
from tests.rig.machine import TOP, Machine
from tests.rig.pole import FIGURES, STATE, UNIT, Pole, in_place_of_the_daemon

pytestmark = [pytest.mark.rig, pytest.mark.timeout(900)]
CLOCK_UNIT = "ttcs-edge-clock.service"
LIB = "/usr/local/lib"
ALWAYS_THERE = {"/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero", "/dev/ptmx"}
"""What DevicePolicy=closed leaves, and the terminals that are made by it."""
SERIAL, MEMORY, STRANGE = "/dev/ttyS0", "/dev/mem", "/dev/strange"
DEVICES = ((SERIAL, "c", "4 64"), (MEMORY, "c", "1 1"), (STRANGE, "b", "7 0"))
"""Open to everybody by their modes: a serial port, the machine's memory, and a disk that is none of the station's."""
PORT = "/run/modem"
MODEM = f"""\
import sys, time
from datetime import datetime
sys.path.insert(0, "{LIB}")
from modems import HANOI, Modem, clock_line
modem = Modem(lambda: clock_line(datetime.now(HANOI)))
open("{PORT}", "w").write(str(modem.port))
time.sleep(600)  # the modem answers on a thread of its own until the test ends this program
"""


def put(machine: Machine, name: str, content: bytes) -> None:
    """Put a file of the tests on the machine."""
    (machine.root / LIB[1:] / name).write_bytes(content)


def words(pole: Pole) -> dict[str, str]:
    """What each source of time said."""
    return {one["source"]: one["word"] for one in pole.status().get("clock_words", [])}


@pytest.fixture
def found(pole: Pole) -> dict[str, Any]:
    """What a process of the unit may do. The unit is the real one; another program is its main process."""
    put(pole.machine, "probe.py", (TOP / "tests/rig/probe.py").read_bytes())
    pole.machine.shell("printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/hosts")
    for name, kind, numbers in DEVICES:
        pole.machine.shell(f"test -e {name} || mknod -m 666 {name} {kind} {numbers}")
    pole.override(in_place_of_the_daemon(f"{LIB}/probe.py"))
    pole.start(check=False)
    told = [entry["MESSAGE"] for entry in pole.journal() if entry["MESSAGE"].startswith("{")]
    assert told, [entry["MESSAGE"] for entry in pole.journal()]
    one: dict[str, Any] = json.loads(told[-1])
    return one


def test_the_unit_has_no_right_and_writes_into_its_two_folders_alone(found: dict[str, Any]) -> None:
    """Whoever takes the daemon over has its files and its devices, and nothing of the machine."""
    assert set(found["capabilities"].values()) == {0}
    assert (found["no new privileges"], found["filtered"]) == (1, 2)
    assert found["writable"] == ["/run/ttcs-edge", STATE]
    assert found["own program"] == "EACCES", "nothing that it wrote is run"
    assert found["write and run"] in ("EPERM", "EACCES"), "by the filter, or by the kernel itself"
    assert found["strangers"] == [], "it does not see what else runs"
    assert found["core"] == ["0", "0"]


def test_the_unit_opens_no_device_that_it_does_not_need_and_asks_nothing_of_the_kernel(found: dict[str, Any]) -> None:
    """Neither memory, nor modules, nor another namespace, nor a socket of another kind."""
    assert {name for name in found["devices"] if not name.startswith("/dev/pts/")} <= ALWAYS_THERE | {SERIAL}
    assert found["/dev/mem"] != "ok"
    assert found["/dev/kmsg"] != "ok"
    assert set(found["calls"].values()) | {found["namespace"]} == {"EPERM"}
    families = found["families"]
    assert {name for name, word in families.items() if word == "ok"} == {"AF_UNIX", "AF_INET", "AF_INET6"}
    assert {families[name] for name in ("AF_NETLINK", "AF_PACKET")} == {"EAFNOSUPPORT"}
    assert found["addresses"] == {"127.0.0.1": "ok", "239.1.1.1": "EPERM"}, "no multicast"
    assert found["kernel asked"] is None, "it may not even ask for the clock"


def test_it_is_the_unit_that_closes_a_device_and_opens_a_serial_port(pole: Pole, found: dict[str, Any]) -> None:
    """The same user, without the unit, opens the disk as well."""
    free = [
        "systemd-run",
        "--quiet",
        "--wait",
        "--property=User=ttcs",
        "dd",
        f"if={STRANGE}",
        "of=/dev/null",
        "count=0",
    ]

    assert pole.machine.run(*free, check=False).returncode == 0
    assert STRANGE not in found["devices"]
    assert SERIAL in found["devices"]


def test_the_unit_still_has_what_the_daemon_works_with(found: dict[str, Any]) -> None:
    """C calls Python back, names resolve without netlink, a voice speaks, log and memory are read, the key is there."""
    assert found["calls back"] == [1, 2, 3]
    assert found["name"] in ("127.0.0.1", "::1")
    assert found["voice"] == "espeak-ng"
    assert found["meminfo"] is True
    assert found["journal"] > 0
    assert found["key"].startswith("-----BEGIN")


def test_a_station_on_the_air_has_no_right_and_stays_far_below_its_limits(pole: Pole, tmp_path: Path) -> None:
    """The daemon and its player themselves, in the middle of a cue."""
    pole.put_on_the_air(tmp_path)
    processes = (pole.main_pid, *pole.keepers(), *pole.players())
    for pid in processes:
        status = pole.machine.shell(f"cat /proc/{pid}/status")
        assert set(re.findall(r"^Cap...:\t(\w+)", status, re.MULTILINE)) == {"0" * 16}
        assert re.findall(r"^(?:NoNewPrivs|Seccomp):\t(\d)", status, re.MULTILINE) == ["1", "2"]
    pids = " ".join(map(str, processes))
    tasks = int(pole.machine.shell(f"for pid in {pids}; do ls /proc/$pid/task; done | wc -l"))
    FIGURES.append(f"{pole.machine.release}: {tasks} tasks on the air")

    assert tasks < int(pole.show("TasksMax")) / 2
    assert pole.show("MemorySwapMax") == "0"
    assert pole.show("MemoryMax") != "infinity"


def test_the_key_shows_nowhere_also_when_the_daemon_is_made_to_dump(pole: Pole, tmp_path: Path) -> None:
    """Neither in a command line, an environment, the log, a report or a core file: SIGSEGV leaves none."""
    key = (pole.machine.root / "etc/ttcs-edge/identity/station.key").read_text().splitlines()[1]
    pole.put_on_the_air(tmp_path)
    before = pole.main_pid
    looked_at = pole.machine.shell("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n'")
    pole.machine.kill(before, signal.SIGSEGV)
    eventually(lambda: pole.is_active(not_pid=before), 20)
    pole.machine.run("systemctl", "stop", UNIT)
    hits = pole.machine.run(
        "grep", "-rlsF", key, "/run", "/var", "/tmp", "/etc", "/opt/ttcs-edge/share", check=False
    ).stdout.split()

    assert "ttcs-edge" in looked_at
    assert key not in looked_at
    assert key not in json.dumps(pole.journal())
    assert hits == [pole.machine.shell("readlink -f /etc/ttcs-edge/identity/station.key").strip()]
    assert pole.machine.shell(f"find /run/ttcs-edge {STATE} -name 'core*' -type f") == ""
    assert any("status=11/SEGV" in entry["MESSAGE"] for entry in pole.journal())


def test_a_technician_of_the_group_is_answered_and_a_stranger_is_not(pole: Pole) -> None:
    """Over SSH: whoever is in the group ttcs. The socket is the daemon's own; the unit's umask closes all the rest."""
    pole.start()

    def ask(*groups: str) -> subprocess.CompletedProcess[str]:
        rights = ["setpriv", "--reuid=nobody", "--regid=nogroup", f"--groups={','.join(groups) or 'nogroup'}"]
        return pole.machine.run(*rights, "ttcs-edge", "status", "--json", check=False)

    assert json.loads(ask("ttcs").stdout)["station"] == "da-teh-01"
    assert ask().returncode == 77, "EX_NOPERM"


def test_sound_goes_out_through_alsa(pole: Pole, operator: Listener, tmp_path: Path) -> None:
    """ALSA's null device: libasound and its settings are there for the player. A card needs a kernel that has one."""
    text = re.sub(r"^  driver: wav\n.*\n.*$", '  driver: alsa\n  device: "null"', pole.config(), flags=re.MULTILINE)
    pole.configure(text)
    pole.start()
    pole.centre.publish(tmp_path, 5)

    (report,) = eventually(lambda: operator.reports("as-run"), 90)
    assert (report["outcome"], report["reason"]) == ("aired", None)
    assert [line for line in pole.told() if not line.startswith("{")] == [], "no library complains of what is closed"


def test_a_modem_on_its_serial_port_tells_the_time(pole: Pole) -> None:
    """A line of the group dialout; the kernel's word comes from the neighbour that may ask."""
    put(pole.machine, "modems.py", (TOP / "tests/drivers/modems.py").read_bytes())
    put(pole.machine, "modem.py", MODEM.encode())
    pole.machine.run("systemd-run", "--quiet", "--unit=modem", "/opt/ttcs-edge/bin/python", f"{LIB}/modem.py")
    try:
        port = eventually(lambda: pole.machine.run("cat", PORT, check=False).stdout.strip())
        pole.machine.shell(f"chgrp dialout {port}; chmod 660 {port}")
        pole.configure(pole.config().replace("  trust: host", f"  trust: kernel\n  modem: {port}"))
        pole.start()
        eventually(lambda: words(pole).get("modem") == "told", 20)
    finally:
        pole.machine.run("systemctl", "stop", "modem", check=False)


@pytest.mark.parametrize("status", [0x0000, 0x0040])
def test_the_neighbour_says_whether_the_clock_is_kept(pole: Pole, tmp_path: Path, status: int) -> None:
    """The kernel's answer is put in its mouth; it is believed by a daemon that may not ask, and not once it is gone."""
    source, library = tmp_path / "kernel.c", tmp_path / "kernel.so"
    source.write_text(
        f"#include <sys/timex.h>\nint adjtimex(struct timex *timex) {{ timex->status = {status}; return 0; }}\n"
    )
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    put(pole.machine, "kernel.so", library.read_bytes())
    folder = f"/run/systemd/system/{CLOCK_UNIT}.d"
    preload = f"[Service]\\nEnvironment=LD_PRELOAD={LIB}/kernel.so\\n"
    pole.machine.shell(f"mkdir -p {folder}; printf '{preload}' >{folder}/test.conf; systemctl daemon-reload")
    try:
        pole.configure(pole.config().replace("  trust: host", "  trust: kernel"))
        pole.start()
        if status:
            eventually(lambda: pole.machine.run("cat", "/run/ttcs-edge-clock/synchronised", check=False).stdout)
            assert pole.status()["clock_trusted"] is False
        else:
            eventually(lambda: pole.status()["clock_trusted"], 10)
            pole.machine.shell(f"systemctl mask --runtime {CLOCK_UNIT}; systemctl stop {CLOCK_UNIT}")
            eventually(lambda: words(pole)["kernel"] == "unsynchronised", 10)
    finally:
        pole.machine.shell(f"rm -r {folder}; systemctl unmask --runtime {CLOCK_UNIT}; systemctl daemon-reload")


@pytest.mark.parametrize("device", ["/dev/gpiochip0", "/dev/rtc0"])
def test_a_device_of_the_station_is_open_to_the_unit(pole: Pole, request: pytest.FixtureRequest, device: str) -> None:
    """Where this machine's kernel has such a device; most that tests run on have neither lines nor clocks."""
    if not Path(device).exists():
        pytest.skip(f"this machine's kernel has no {device}")
    number = Path(device).stat().st_rdev
    pole.machine.shell(
        f"mkdir -p {Path(device).parent}; test -e {device} || mknod -m 666 {device} c {number >> 8} {number & 255}"
    )
    found = request.getfixturevalue("found")
    assert device in found["devices"] or device == "/dev/rtc0", "a battery clock is open for reading"
