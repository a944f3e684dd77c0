"""``make install`` on a machine that had nothing, and what it leaves there."""

from __future__ import annotations

import re

import pytest

from tests.rig.machine import CHECKOUT, TOP, Machine
from tests.rig.pole import STATE, UNIT, Pole
from ttcs_edge import __version__

pytestmark = [pytest.mark.rig, pytest.mark.timeout(900)]


def test_the_environment_holds_the_run_lock_and_nothing_else(computer: Machine) -> None:
    """Neither a test tool nor a type checker lands on a pole; every version is the one that was locked."""
    lock = (TOP / "requirements-run.lock").read_text()
    locked = set(re.findall(r"^([a-z0-9-]+==[^ ]+)", lock, re.MULTILINE)) | {f"ttcs-edge=={__version__}"}

    listed = computer.shell("/opt/ttcs-edge/bin/python -m pip list --format=freeze --exclude pip").split()
    assert {name.lower().replace("_", "-") for name in listed} == locked


def test_nothing_of_the_tests_and_the_demo_is_put_on_a_pole(computer: Machine) -> None:
    """No broker, no web server, no encoder."""
    packages = computer.run("dpkg-query", "--show", "--showformat=${Package}\n").stdout.split()
    assert {"libvlc5", "espeak-ng", "libebur128-1"} <= set(packages)
    assert [name for name in packages if re.match(r"mosquitto|nginx|ffmpeg|mypy|git$", name)] == []


def test_its_manual_pages_and_completions_lie_where_a_system_looks_for_them(computer: Machine) -> None:
    """Of both programs, as they are in the release; everybody may read them."""
    files = {path.relative_to(TOP): path for path in (TOP / "share").rglob("*") if path.is_file()}
    put = computer.shell("cd /usr/local && find share -name '*ttcs*' -type f -perm 644").split()

    assert {*map(str, files)} == {*put}
    assert all((computer.root / "usr/local" / name).read_bytes() == path.read_bytes() for name, path in files.items())


SPEAK = """
import pathlib, sys
from ttcs_edge.drivers.speech import Voices
from ttcs_edge.settings import SpeechSettings
recording = Voices(SpeechSettings(), pathlib.Path(sys.argv[1])).speak("Lũ quét lúc 17h30.", "vi")
print(recording.voice, recording.duration_ms > 1_000, len(recording.wav) > 40_000)
"""
SANDBOX = ("NoNewPrivileges=yes", "MemoryDenyWriteExecute=yes", "ProtectSystem=strict", "PrivateNetwork=yes")


def test_an_installed_station_speaks_with_no_more_rights_than_its_user_has(computer: Machine) -> None:
    """Nor does it need what a stricter unit would take from it: memory both written and run, the network, the disk."""
    rights = [f"--property={one}" for one in ("User=ttcs", "RuntimeDirectory=speaks", *SANDBOX)]
    python = ["/opt/ttcs-edge/bin/python", "-c", SPEAK, "/run/speaks"]
    told = computer.run("systemd-run", "--quiet", "--wait", "--pipe", *rights, *python)
    assert told.stdout.split()[-3:] == ["espeak-ng", "True", "True"]
    assert "loudness-not-set" not in told.stdout + told.stderr


def test_a_technician_is_told_what_comes_next_in_vietnamese_first(computer: Machine) -> None:
    """Also that this machine has no lines to drive."""
    told = computer.told_last

    assert told.index("Đã cài ttcs-edge") < told.index("ttcs-edge is installed")
    for command in (
        "  1. ttcs-edge enrol ",
        "ttcs-edge check-config",
        f"systemctl enable --now {UNIT.removesuffix('.service')}",
    ):
        assert told.count(command) == 2, f"{command} is told in both languages"
    assert told.splitlines()[-2:] == [
        "Máy này chưa có lgpio nên chưa dùng được chân GPIO; Raspberry Pi OS có gói python3-lgpio.",
        "This machine has no lgpio, so GPIO lines cannot be used; Raspberry Pi OS has the package python3-lgpio.",
    ]


def test_an_update_is_in_force_at_once_and_leaves_config_key_and_data(pole: Pole) -> None:
    """A station that runs is started anew with what was installed; a stale module of an earlier release is gone."""
    pole.start()
    before = pole.main_pid
    stale = "/opt/ttcs-edge/lib/python3*/site-packages/ttcs_edge/stale.py"
    pole.machine.shell(f"cd {CHECKOUT} && mkdir -p build/lib/ttcs_edge && touch build/lib/ttcs_edge/stale.py")
    kept = pole.machine.shell("cd /etc/ttcs-edge && sha256sum station.yaml identity/* trust/*")
    pole.machine.install()

    assert pole.is_active(not_pid=before)
    assert pole.machine.shell("cd /etc/ttcs-edge && sha256sum station.yaml identity/* trust/*") == kept
    assert pole.machine.run("sh", "-c", f"ls {stale}", check=False).returncode != 0
    assert pole.status()["boot"] == 2, "its database went on"


def test_owners_and_modes_keep_the_key_from_everybody_and_the_rest_from_strangers(pole: Pole) -> None:
    """The daemon's user reads its config, writes its data, and cannot read the key's file: that one is handed over."""
    pole.start()
    shown = "stat --format='%U:%G %a %n'"
    identity = "/etc/ttcs-edge/identity"
    looked_at = f"/etc/ttcs-edge /etc/ttcs-edge/* {identity}/* {STATE} /run/ttcs-edge/control.sock"
    listed = pole.machine.shell(f"{shown} {looked_at}")

    assert listed.splitlines() == [
        "root:ttcs 750 /etc/ttcs-edge",
        "root:root 755 /etc/ttcs-edge/identities",
        f"root:root 777 {identity}",
        "root:root 644 /etc/ttcs-edge/station.yaml",
        "root:ttcs 750 /etc/ttcs-edge/tls",
        "root:ttcs 750 /etc/ttcs-edge/trust",
        f"root:root 644 {identity}/ca.pem",
        f"root:root 600 {identity}/station.key",
        f"root:root 644 {identity}/station.pem",
        f"ttcs:ttcs 750 {STATE}",
        "ttcs:ttcs 660 /run/ttcs-edge/control.sock",
    ]
    assert pole.machine.run("setpriv", "--reuid=ttcs", "--regid=ttcs", "--clear-groups", "cat",
                            "/etc/ttcs-edge/identity/station.key", check=False).returncode == 1  # fmt: skip
    groups = pole.machine.shell(f"grep ^Groups: /proc/{pole.main_pid}/status; getent group gpio dialout audio")
    ids = set(groups.splitlines()[0].split()[1:])
    lines, modem, sound = (line.split(":")[2] for line in groups.splitlines()[1:])
    assert {lines, modem} <= ids, "it may use lines and modem"
    assert sound not in ids, "sound is the player's"


def test_the_log_stays_in_memory_and_small(computer: Machine) -> None:
    """Whatever is logged, the card is not written to for it."""
    set_ = computer.shell("systemd-analyze cat-config systemd/journald.conf | grep -E '^(Storage|RuntimeMaxUse)='")
    journals = computer.shell("journalctl --sync && ls -d /run/log/journal && systemctl is-active systemd-journald")

    assert set_.split() == ["Storage=volatile", "RuntimeMaxUse=32M"]
    assert journals.split() == ["/run/log/journal", "active"]


def test_a_folder_that_holds_something_else_is_not_taken_over(computer: Machine) -> None:
    """PREFIX=/usr/local must not become an environment, nor be removed as one."""
    computer.shell("mkdir -p /srv/other && touch /srv/other/precious")
    installing = computer.run("make", "-C", CHECKOUT, "install", "PREFIX=/srv/other", check=False)
    removing = computer.run("make", "-C", CHECKOUT, "uninstall", "PREFIX=/srv/other", check=False)

    assert installing.stderr.splitlines()[0] == (
        "ttcs-edge: /srv/other chứa thứ khác, hãy chọn nơi khác / holds something else, choose another PREFIX"
    )
    assert removing.stderr.splitlines()[0] == (
        "ttcs-edge: /srv/other chứa thứ khác, không gỡ / holds something else, nothing is removed"
    )
    assert computer.shell(f"ls /srv/other; ls -d /opt/ttcs-edge; systemctl is-enabled {UNIT} || true").split() == [
        "precious",
        "/opt/ttcs-edge",
        "disabled",
    ]


def test_uninstall_leaves_config_and_data_and_a_new_install_goes_on_with_them(pole: Pole) -> None:
    """The daemon is stopped, its unit and programs are gone; installed again, the station is the one that it was."""
    pole.start()
    pole.machine.run("make", "-C", CHECKOUT, "uninstall")
    journal = "/etc/systemd/journald.conf.d/ttcs-edge.conf"
    units = " ".join(f"/etc/systemd/system/ttcs-edge{one}.service" for one in ("", "-clock", "-key"))
    gone = f"/opt/ttcs-edge {units} /usr/local/bin/ttcs-edge /usr/local/bin/ttcs-central"
    left = pole.machine.shell(f"ls -d {gone} {journal} 2>/dev/null || true; find /usr/local/share -name '*ttcs*'")
    unit = pole.machine.run("systemctl", "show", UNIT, "--value", "--property=LoadState").stdout.strip()
    kept = pole.machine.shell(f"ls /etc/ttcs-edge {STATE}/ttcs.db")
    pole.machine.install()
    pole.start()

    assert (left, unit) == ("", "not-found")
    assert {"station.yaml", "identity", "trust"} <= set(kept.split())
    assert pole.status()["boot"] == 2
