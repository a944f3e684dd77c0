"""A box becomes a station with the installed commands, and its key reaches the daemon however it is kept.

There is no TPM in here: what a TPM seals is stood in for by what the machine's own key seals, which the same program
opens in the same unit. With a TPM it is a scenario of the virtual machine's.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.central.test_enrol import STATION, at_the_centre, code_of
from tests.cli.test_identity_files import in_force
from tests.parts import eventually
from tests.rig.pole import Pole

pytestmark = [pytest.mark.rig, pytest.mark.timeout(900)]
ETC = "/etc/ttcs-edge"
IDENTITY = f"{ETC}/identity"
SEAL = f"systemd-creds encrypt --with-key=host --name=station.key {IDENTITY}/station.key {IDENTITY}/station.key.sealed"
OPENED = "/run/ttcs-edge-key/station.key"


def linked(pole: Pole) -> bool:
    """Whether the station has its link."""
    return bool(pole.status().get("link_up"))


def test_a_box_is_enrolled_by_stick_with_what_was_installed(pole: Pole, tmp_path: Path) -> None:
    """Key made in there, by root's careful umask; certified out here; the service takes it, and its user cannot."""
    centre, root = pole.centre.folder, pole.machine.root
    pole.machine.shell(f"rm -rf {ETC}/identit* {ETC}/station.yaml {ETC}/trust/* && mkdir -p /root/usb")
    operator = at_the_centre(centre, "--by-stick", "--again")
    code = code_of(operator)
    assert operator.ends() == 0
    enrol = "umask 077; ttcs-edge --lang en enrol"
    pole.machine.shell(f"{enrol} --to /root/usb <<'END'\n{code}\nEND\n")
    operator = at_the_centre(centre, "--from", root / "root/usb", "--again")
    operator.types("y")
    assert operator.ends() == 0, operator.screen
    said = pole.machine.shell(f"{enrol} --from /root/usb <<'END'\n{code}\nEND\n")
    assert f"This box is station {STATION} of vn/lam-dong/da-teh\n" in said
    pole.fit()

    pole.start()

    eventually(lambda: linked(pole), 20)
    assert in_force(root / ETC[1:])
    listed = pole.machine.shell(f"stat -L --format='%U:%G %a %n' {ETC}/identities {IDENTITY} {IDENTITY}/*")
    assert listed.splitlines() == [
        f"root:root 755 {ETC}/identities",
        f"root:root 755 {IDENTITY}",
        f"root:root 644 {IDENTITY}/ca.pem",
        f"root:root 600 {IDENTITY}/station.key",
        f"root:root 644 {IDENTITY}/station.pem",
    ]
    checked = pole.machine.run("ttcs-edge", "check-config", "--lang", "en", check=False)
    assert "broker" not in checked.stdout, "ca, certificate and key are those that check-config looks at"
    shutil.rmtree(root / "root/usb")


def seal(pole: Pole) -> None:
    """Do what ``ttcs-edge enrol`` does where there is a TPM."""
    pole.machine.shell(f"{SEAL} && rm {IDENTITY}/station.key && ln -s {OPENED} {IDENTITY}/station.key")


def test_a_sealed_key_is_opened_into_memory_and_reaches_the_daemon(pole: Pole) -> None:
    """Nothing of it is on the card; root alone reads what was opened; it outlives a restart of the service."""
    secret = (pole.machine.root / IDENTITY[1:] / "station.key").read_text().splitlines()[1]
    seal(pole)
    pole.start()
    eventually(lambda: linked(pole), 20)

    assert pole.machine.shell(f"stat --format='%U:%G %a' {OPENED} /run/ttcs-edge-key").splitlines() == [
        "root:root 600",
        "root:root 700",
    ]
    hits = pole.machine.run("grep", "-rlsF", secret, "/etc", "/var", "/opt/ttcs-edge/share", check=False).stdout
    assert hits == ""
    before = pole.main_pid
    pole.machine.run("systemctl", "restart", "ttcs-edge-key", "ttcs-edge")
    eventually(lambda: pole.is_active(not_pid=before) and linked(pole), 20)


def test_a_seal_that_does_not_open_leaves_a_station_without_a_link_and_not_without_a_voice(pole: Pole) -> None:
    """The card of another board: READY all the same, no restart loop, and a fault that says so."""
    seal(pole)
    pole.machine.shell(f"base64 /dev/urandom | head -c 500 >{IDENTITY}/station.key.sealed")

    pole.start()

    faults = eventually(lambda: pole.status().get("faults"), 20)
    assert (pole.is_active(), pole.show("NRestarts")) == (True, "0")
    assert [(fault["code"], dict(fault["detail"])["reason"]) for fault in faults] == [("link-down", "own-files")]


def test_without_a_seal_the_neighbour_is_passed_over(pole: Pole) -> None:
    """A start waits for nothing that it does not need."""
    pole.start()

    shown = pole.machine.shell("systemctl show ttcs-edge-key --property=ConditionResult,ActiveState")
    assert sorted(shown.split()) == ["ActiveState=inactive", "ConditionResult=no"]
