"""The player's own unit on whole machines: what it may not do, tried from inside of it, and that no one misses it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.link.radio import tone
from tests.parts import Listener, eventually
from tests.player.hostile_files import REFUSED, made
from tests.rig.machine import TOP, Machine
from tests.rig.pole import FIGURES, PINS, PLAYER_SOCKET, PLAYER_UNIT, UNIT, Pole

pytestmark = [pytest.mark.rig, pytest.mark.timeout(900)]
LIB = "/usr/local/lib/probes"
PYTHON = "/opt/ttcs-edge/bin/python"
EXPOSURE_MOST = 10
"""Tenths, as ``systemd-analyze security`` reckons."""
IN_THE_PLACE_OF_THE_KEEPER = f"""\
[Service]
WatchdogSec=0
ExecStart=
ExecStart={PYTHON} {LIB}/player_probe.py
"""
TAKEN_OVER = f"[Service]\nEnvironment=PYTHONPATH={LIB}\n"
CONNECT = f"""\
import socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("{PLAYER_SOCKET}")
print("let in", flush=True)
time.sleep(30)  # let in, it holds its connection until the test ends this program; kept out, it never comes here
"""
ATTACH = """\
import ctypes, sys
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
sys.exit(libc.shmat(libc.shmget(int(sys.argv[1]), 0, 0o660), None, 0) == ctypes.c_void_p(-1).value)
"""
"""What ALSA does with a card that another program has in use already."""
ALWAYS_THERE = {"/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero", "/dev/ptmx"}
LOG_DOORS = {f"/run/systemd/journal/{name}" for name in ("dev-log", "socket", "stdout")}
"""Which Debian 13's service manager lets every unit have: its standard error goes there as well."""
TOP_OF_IT = {"dev", "etc", "lib", "lib64", "opt", "proc", "root", "run", "sys", "tmp", "usr", "var", "vlc"}
"""What stands at the root of its files; most of it is empty."""
ENDED_S = 9.0
"""Within which time one that was taken over and stopped its keeper is killed: 6 s, and how long that takes."""
PLAYED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "pcm.wav": ("file", lambda: made("wav")),
    "cd.wav": ("file", lambda: made("wav", "-ar", "44100", "-ac", "2")),
    "24.wav": ("file", lambda: made("wav", "-c:a", "pcm_s24le")),
    "opus.opus": ("file", lambda: made("opus", "-c:a", "libopus")),
    "stereo.opus": ("file", lambda: made("opus", "-c:a", "libopus", "-ac", "2")),
    "flac.flac": ("file", lambda: made("flac", "-ar", "44100")),
    "mp3.mp3": ("file", lambda: made("mp3", "-ar", "44100")),
    "low.mp3": ("file", lambda: made("mp3", "-ar", "22050")),
    "radio.mp3": ("mp3", lambda: tone("mp3", 8)),
    "radio.aac": ("aac", lambda: tone("aac", 8)),
    "radio.ogg": ("ogg", lambda: tone("ogg", 8)),
    "radio.ts": ("ts", lambda: tone("ts", 8)),
}
"""One of everything that sounds: which kind it is handed over as, and its bytes."""
NOT_PLAYED = (
    "m3u",
    "html",
    "avi",
    "mkv",
    "mod",
    "midi",
    "spc",
    "vorbis",
    "adpcm in wav",
    "m3u in ID3",
    "zip bomb in ID3",
)


def put(machine: Machine, *names: str) -> None:
    """Put files of the tests on the machine."""
    (machine.root / LIB[1:]).mkdir(exist_ok=True)
    for name in names:
        (machine.root / LIB[1:] / name).write_bytes((TOP / "tests/rig" / name).read_bytes())


def told(pole: Pole) -> list[dict[str, Any]]:
    """What players told of themselves."""
    entries = pole.machine.journal("ttcs-edge-player@*", pole.began_s)
    return [json.loads(entry["MESSAGE"]) for entry in entries if entry["MESSAGE"].startswith("{")]


@pytest.fixture
def found(pole: Pole) -> Iterator[dict[str, Any]]:
    """What a process of the unit may do. The unit is the real one; another program is its main process."""
    put(pole.machine, "probe.py", "player_probe.py")
    pole.start()
    pole.machine.shell("mknod -m 666 /dev/strange b 7 0 2>/dev/null || true")
    pole.override(IN_THE_PLACE_OF_THE_KEEPER, PLAYER_UNIT)
    asker = ["systemd-run", "--quiet", "--unit=asker", "--property=User=ttcs", PYTHON, "-c", CONNECT]
    pole.machine.run(*asker)
    yield eventually(lambda: told(pole), 60)[-1]
    pole.machine.run("systemctl", "stop", "asker", UNIT, check=False)  # who would ask for another one at once
    pole.machine.run("systemctl", "stop", "ttcs-edge-player@*")
    pole.machine.shell("rm -f /dev/strange")


def test_whoever_takes_the_player_over_has_a_sound_card_and_nothing_else(pole: Pole, found: dict[str, Any]) -> None:
    """No right, no file but programs and libraries, no device, no network, no other process, nothing to write."""
    assert set(found["capabilities"].values()) == {0}
    assert (found["no new privileges"], found["filtered"]) == (1, 2)
    assert found["writable"] == []
    assert {name for name in found["devices"] if not name.startswith(("/dev/pts/", "/dev/snd/"))} <= ALWAYS_THERE
    assert {name for name, word in found["families"].items() if word == "ok"} == {"AF_UNIX"}
    assert set(found["calls"].values()) | {found["namespace"]} == {"EPERM"}
    assert found["write and run"] in ("EPERM", "EACCES")
    assert set(found["opened"].values()) <= {"ENOENT", "EACCES"}, found["opened"]
    assert set(found["top"]) <= TOP_OF_IT
    doors = {path for path in found["run"] if not path.endswith("os-release")}
    assert doors - LOG_DOORS == {"/run/systemd/notify"}, "that through which the keeper says that it lives"
    assert (found["processes"], found["signalled"]) == ([], [])
    assert found["limits"]["Max core file size"] == ["0", "0"]
    assert found["limits"]["Max data size"][1] != "unlimited"
    assert [name for name in found["environment"] if "CREDENTIAL" in name or "KEY" in name] == []
    assert found["calls back"] == [1, 2, 3], "what libvlc and libasound need is there"


def test_a_card_is_shared_with_who_else_is_in_the_group_audio(pole: Pole, found: dict[str, Any]) -> None:
    """ALSA's dmix: its memory is of the group, and may be read and written by it; a technician's aplay goes on."""
    attach = ["timeout", "5", "setpriv", "--reuid=nobody", "--regid=nogroup"]
    attached = [PYTHON, "-c", ATTACH, str(found["key"])]

    assert found["shared memory"] == "ok"
    assert pole.machine.run(*attach, "--groups=audio", *attached, check=False).returncode == 0
    assert pole.machine.run(*attach, "--clear-groups", *attached, check=False).returncode == 1


def test_it_is_exposed_no_more_than_its_work_needs(pole: Pole) -> None:
    """systemd-analyze security, by the systemd of this release: at most 1.0."""
    analysed = [
        "systemd-analyze",
        "security",
        "--no-pager",
        f"--threshold={EXPOSURE_MOST}",
        "ttcs-edge-player@x.service",
    ]
    done = pole.machine.run(*analysed, check=False)
    FIGURES.append(f"{pole.machine.release}: {done.stdout.splitlines()[-1].strip()}")
    assert done.returncode == 0, done.stdout


def test_the_daemon_alone_may_ask_for_a_player(pole: Pole) -> None:
    """Neither a technician of the group nor a stranger; and nobody finds the daemon with a sound card."""
    pole.start()

    def ask(*who: str) -> int:
        return pole.machine.run("timeout", "2", "setpriv", *who, PYTHON, "-c", CONNECT, check=False).returncode

    assert ask("--reuid=ttcs", "--regid=ttcs", "--clear-groups") == 124, "let in, and ended while it waited"
    assert ask("--reuid=nobody", "--regid=nogroup", "--groups=ttcs") == 1
    assert ask("--reuid=nobody", "--regid=nogroup", "--clear-groups") == 1
    assert "char-alsa" not in pole.show("DeviceAllow")
    audio = int(pole.machine.shell("getent group audio").split(":")[2])
    groups = re.findall(r"^Groups:\t(.*)$", pole.machine.shell(f"cat /proc/{pole.main_pid}/status"), re.MULTILINE)
    assert str(audio) not in groups[0].split()


def test_every_kind_plays_by_the_modules_that_are_shown_and_nothing_else_does(pole: Pole) -> None:
    """By the libvlc of this release; of libvlc's modules no other was loaded."""
    put(pole.machine, "plays.py")
    pole.machine.run("systemctl", "start", "ttcs-edge-player.socket")
    folder, named = Path("/root/hostile"), []
    (pole.machine.root / "root/hostile").mkdir(exist_ok=True)
    for name, (kind, make) in PLAYED.items():
        (pole.machine.root / f"root/hostile/{name}").write_bytes(make())
        named.append(f"{kind}={folder / name}")
    for kind in NOT_PLAYED:
        (pole.machine.root / f"root/hostile/{kind}").write_bytes(REFUSED[kind]())
        named.append(f"file={folder / kind}")
    pole.machine.run(PYTHON, f"{LIB}/plays.py", "/root/result", *named)
    ended = json.loads((pole.machine.root / "root/result").read_text())

    assert {kind: ended[kind] for kind in NOT_PLAYED} == {kind: [False, 0, "not-audio"] for kind in NOT_PLAYED}
    for name, (kind, _) in PLAYED.items():
        whole, written_ms, failure = ended[name]
        assert written_ms > 700, (name, ended[name])
        assert failure in (None, "not-audio") and whole == (failure is None and kind == "file"), (name, ended[name])


def test_only_the_modules_that_are_shown_are_in_a_players_memory(pole: Pole, tmp_path: Path) -> None:
    """In the middle of a cue: none that fetches, unpacks, follows lists, or runs scripts."""
    shown = {line.split("/")[1] for line in (TOP / "systemd/vlc-modules").read_text().splitlines() if "/lib" in line}
    pole.put_on_the_air(tmp_path)
    (player,) = pole.players()
    loaded = set(re.findall(r"/(lib\w+_plugin\.so)$", pole.machine.shell(f"cat /proc/{player}/maps"), re.MULTILINE))

    assert loaded and loaded <= shown
    assert {"libwav_plugin.so", "libaraw_plugin.so", "libamem_plugin.so"} <= loaded


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGSTOP])
def test_a_decoder_that_crashes_or_hangs_in_its_unit_costs_a_gap(
    pole: Pole, operator: Listener, tmp_path: Path, number: signal.Signals
) -> None:
    """The cue goes on, relays never notice, and nothing of the old one is left."""
    pole.put_on_the_air(tmp_path)
    before, (player,), (keeper,) = pole.main_pid, pole.players(), pole.keepers()
    began_ns = pole.machine.kill(player, number)
    eventually(lambda: pole.players() not in ([], [player]), 20)
    took_s = (time.monotonic_ns() - began_ns) / 1e9
    FIGURES.append(f"{pole.machine.release}: {number.name} of a decoder: another player after {took_s:.1f} s")
    eventually(lambda: (pole.status().get("on_air") or {}).get("position_ms", 0) > 3_000, 20)

    assert (pole.main_pid, pole.show("NRestarts"), pole.closed()) == (before, "0", PINS)
    assert pole.line_log(began_ns) == []
    assert pole.machine.run("test", "-e", f"/proc/{player}", "-o", "-e", f"/proc/{keeper}", check=False).returncode == 1
    assert pole.machine.shell("find / -xdev -name 'core*' -size +1M -newer /run/ttcs-edge/station.yaml") == ""


def test_a_player_that_was_taken_over_reaches_neither_the_relays_nor_the_next_cue(pole: Pole, tmp_path: Path) -> None:
    """It stops its keeper, forks without end, takes memory without end, and looks for somebody to kill."""
    put(pole.machine, "taken_over.py")
    pole.machine.shell(f"mv {LIB}/taken_over.py {LIB}/sitecustomize.py; rm -f {LIB}/now")
    pole.override(TAKEN_OVER, PLAYER_UNIT)
    pole.put_on_the_air(tmp_path)
    before, (player,), (keeper,) = pole.main_pid, pole.players(), pole.keepers()
    began_ns = time.monotonic_ns()
    pole.machine.shell(f"touch {LIB}/now")
    (deeds,) = eventually(lambda: told(pole), 20)
    own = pole.machine.shell(
        "find /sys/fs/cgroup -path '*ttcs-edge-player@*' -name cgroup.threads -exec cat {} + 2>/dev/null || true"
    ).split()
    eventually(lambda: [pid for pid in pole.keepers() if pid != keeper], 20)
    heard_s = (time.monotonic_ns() - began_ns) / 1e9
    eventually(lambda: keeper not in pole.keepers(), ENDED_S)
    ended_s = (time.monotonic_ns() - began_ns) / 1e9
    FIGURES.append(
        f"{pole.machine.release}: taken over: another player after {heard_s:.1f} s, ended after {ended_s:.1f} s"
    )
    eventually(lambda: (pole.status().get("on_air") or {}).get("position_ms", 0) > 3_000, 20)

    assert deeds["keeper stopped"] is True
    assert not deeds["keeper traced"]
    assert {str(pid) for pid in deeds["signalled"]} <= {*own}, "it can signal what is not of its own unit"
    assert deeds["forks"] < 64
    assert deeds["bytes"] < 256 * 1024 * 1024
    assert (pole.main_pid, pole.show("NRestarts"), pole.closed()) == (before, "0", PINS)
    assert pole.line_log(began_ns) == []
    left = pole.machine.shell(
        "find /sys/fs/cgroup -path '*ttcs-edge-player@*' -name cgroup.procs -exec cat {} + 2>/dev/null || true"
    ).split()
    assert set(left) == {str(pid) for pid in (*pole.keepers(), *pole.players())}, "nothing of what was forked is left"
    assert len(left) == 2 and str(player) not in left


def test_a_player_does_not_outlive_its_daemon(pole: Pole, tmp_path: Path) -> None:
    """kill -9 of the daemon in the middle of a cue: what sounded is gone at once, also when it hangs."""
    pole.put_on_the_air(tmp_path)
    (player,), (keeper,) = pole.players(), pole.keepers()
    pole.machine.kill(player, signal.SIGSTOP)
    killed_ns = pole.machine.kill(pole.main_pid, signal.SIGKILL)
    gone = ["test", "!", "-e", f"/proc/{player}", "-a", "!", "-e", f"/proc/{keeper}"]
    eventually(lambda: pole.machine.run(*gone, check=False).returncode == 0, 3)
    FIGURES.append(
        f"{pole.machine.release}: daemon killed: player gone after {(time.monotonic_ns() - killed_ns) / 1e6:.0f} ms"
    )


def test_where_nobody_listens_any_more_the_station_stays_and_tells_that_its_player_died(pole: Pole) -> None:
    """Relays, link and reports go on; once somebody listens there again, a player comes by itself."""
    pole.start()
    before = pole.main_pid
    (player,) = eventually(pole.players)
    pole.machine.shell("systemctl mask --runtime ttcs-edge-player.socket; systemctl stop ttcs-edge-player.socket")
    try:
        pole.machine.kill(player, signal.SIGKILL)
        eventually(lambda: "player-died" in [fault["code"] for fault in pole.status().get("faults", [])], 30)
        assert pole.is_active()
    finally:
        pole.machine.shell(
            "systemctl unmask --runtime ttcs-edge-player.socket; systemctl start ttcs-edge-player.socket"
        )
    eventually(lambda: pole.status()["faults"] == [], 60)
    assert (pole.main_pid, pole.show("NRestarts")) == (before, "0")


def test_uninstalling_takes_the_players_units_along(pole: Pole) -> None:
    """Whatever of ours systemd has on an installed machine, the script names."""
    units = pole.machine.shell("ls /etc/systemd/system").split()
    ours = [unit for unit in units if unit.startswith("ttcs-edge") and unit.endswith((".service", ".socket"))]
    assert {"ttcs-edge-player.socket", "ttcs-edge-player@.service"} <= set(ours)
    script = (TOP / "systemd/uninstall").read_text().split()
    assert [unit for unit in ours if unit not in {word.rstrip(";") for word in script}] == []
    assert subprocess.run(["sh", "-n", TOP / "systemd/uninstall"]).returncode == 0
