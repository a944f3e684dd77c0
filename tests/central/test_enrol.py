"""``ttcs-central enrol`` and ``ttcs-edge enrol``: two people, a code, a fingerprint, a yes; a real Mosquitto."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.cli.test_identity_files import in_force
from tests.door import HOST, Door, door_of
from tests.parts import eventually
from ttcs_edge.central.main import main
from ttcs_edge.wire.code import grouped, new_code

STATION = "da-teh-01"
FINGERPRINT = r"([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})"


class Person:
    """Somebody at a terminal, who reads what a command says and types."""

    def __init__(self, folder: Path, module: str, *words: str | Path, terminal: bool = True) -> None:
        self._out = folder / f"{module}.{os.urandom(4).hex()}.out"
        self._keys, theirs = pty.openpty() if terminal else os.pipe()[::-1]
        command = [sys.executable, "-m", module, "--lang", "en", *map(str, words)]
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(command, stdin=theirs, stdout=out, stderr=subprocess.STDOUT)
        os.close(theirs)

    @property
    def screen(self) -> str:
        """All that was said so far."""
        return self._out.read_text()

    def reads(self, pattern: str) -> str:
        """Wait until something is said; gives what its group holds."""
        match = eventually(lambda: re.search(pattern, self.screen) or (self._has_ended(pattern) and None), 30)
        assert match is not None
        return match[1] if match.groups() else match[0]

    def _has_ended(self, pattern: str) -> bool:
        ended = self.process.poll() is not None and not re.search(pattern, self.screen)
        assert not ended, f"never said {pattern}: {self.screen}"
        return False

    def types(self, line: str) -> None:
        """Type a line."""
        os.write(self._keys, f"{line}\n".encode())

    def ends(self) -> int:
        """Wait for the end; gives the exit code."""
        code = self.process.wait(30)
        os.close(self._keys)
        return code


@pytest.fixture
def centre(centre_folder: Path) -> Path:
    """A centre that knows a station."""
    add = ["add-station", str(centre_folder), STATION, "--scope", "vn/lam-dong/da-teh", "--broker", HOST]
    assert main(add) == 0
    return centre_folder


@pytest.fixture
def door(centre: Path) -> Iterator[Door]:
    """Where its stations enrol."""
    with door_of(centre) as door:
        yield door


def at_the_centre(centre: Path, *more: str | Path) -> Person:
    """The operator."""
    return Person(centre.parent, "ttcs_edge.central.main", "enrol", centre, STATION, "--broker", HOST, *more)


def at_the_station(folder: Path, *words: str | Path, terminal: bool = True) -> Person:
    """The technician, before a box whose files are below a folder."""
    config = folder / "station.yaml"
    return Person(folder.parent, "ttcs_edge.cli.main", "enrol", "--config", config, *words, terminal=terminal)


def code_of(operator: Person) -> str:
    """What the operator reads out."""
    return operator.reads(rf"One-time code: {FINGERPRINT}\n")


def enrol(centre: Path, door: Door, folder: Path, *more: str) -> None:
    """All of it, with nothing going wrong."""
    operator = at_the_centre(centre, *more)
    code = code_of(operator)
    technician = at_the_station(folder, f"{HOST}:{door.port}", *more)
    technician.reads("The code that the centre reads to you:")
    technician.types(code)
    operator.reads(FINGERPRINT + r"\n")
    operator.reads(r"\(y/n\)")
    operator.types("y")
    assert (operator.ends(), technician.ends()) == (0, 0), operator.screen + technician.screen


def certificate(file: Path) -> x509.Certificate:
    """What a file holds."""
    return x509.load_pem_x509_certificate(file.read_bytes())


def revoked(centre: Path) -> set[int]:
    """The serials that count no more."""
    file = centre / "crl.pem"
    return {one.serial_number for one in x509.load_pem_x509_crl(file.read_bytes())} if file.exists() else set()


def test_two_people_make_a_box_a_station(centre: Path, door: Door, tmp_path: Path) -> None:
    """Whole screens of both; both see the same fingerprint, and what is in force is what the centre has on record."""
    folder = tmp_path / "etc"
    operator = at_the_centre(centre)
    code = code_of(operator)
    technician = at_the_station(folder, f"{HOST}:{door.port}")
    technician.reads("The code that the centre reads to you:")
    technician.types(code.lower().replace("-", " "))
    operator.reads(r"\(y/n\)")
    operator.types("y")

    assert (operator.ends(), technician.ends()) == (0, 0)
    fingerprint = in_force(folder)
    assert operator.screen == (
        f"One-time code: {code}\n"
        f"Read it to the person at the station, who runs: sudo ttcs-edge enrol {HOST}:{door.port}\n"
        "Waiting, 60 minutes at most...\n"
        f"Fingerprint of the station's key: {fingerprint}\n"
        f"Does the person there read the same? Certify it as station {STATION}? (y/n) "
        f"Station {STATION} has its certificate\n"
    )
    assert technician.screen == (
        f"Fingerprint of this box's key: {fingerprint}\n"
        "Read it to the person at the centre, who compares.\n"
        "The code that the centre reads to you: "
        "Sent; waiting for the centre, 15 minutes at most...\n"
        f"This box is station {STATION} of vn/lam-dong/da-teh\n"
        f"Fit zones, amplifier and sound in {folder}/station.yaml to the wires, then: ttcs-edge check-config\n"
        "Start it: systemctl enable ttcs-edge, then systemctl restart ttcs-edge-key ttcs-edge\n"
    )
    assert (centre / f"stations/{STATION}.crt").read_bytes() == (folder / "identity/station.pem").read_bytes()
    secret = (folder / "identity/station.key").read_bytes().splitlines()[1]
    assert not any(secret in file.read_bytes() for file in centre.rglob("*") if file.is_file())
    assert code.encode() not in door.log.read_bytes()


def test_the_code_is_in_no_list_of_words_and_in_no_environment(centre: Path, door: Door, tmp_path: Path) -> None:
    """Of neither command, nor of the program that speaks for the station, while they run."""
    operator = at_the_centre(centre)
    code = code_of(operator)
    technician = at_the_station(tmp_path / "etc", f"{HOST}:{door.port}")
    technician.types(code)
    operator.reads(r"\(y/n\)")
    try:
        children = Path(f"/proc/{technician.process.pid}/task/{technician.process.pid}/children").read_text().split()
        assert children, "the program that speaks MQTT runs"
        for pid in (operator.process.pid, technician.process.pid, *map(int, children)):
            for name in ("cmdline", "environ"):
                told = Path(f"/proc/{pid}/{name}").read_bytes()
                assert told and code.encode() not in told and code.replace("-", "").encode() not in told
    finally:
        operator.types("n")
        assert operator.ends() == 77
        technician.process.kill()
        technician.ends()


def test_a_no_certifies_nothing(centre: Path, door: Door, tmp_path: Path) -> None:
    """The fingerprints differ: neither end has changed."""
    operator = at_the_centre(centre)
    technician = at_the_station(tmp_path / "etc", f"{HOST}:{door.port}")
    technician.types(code_of(operator))
    operator.reads(r"\(y/n\)")
    operator.types("n")

    assert operator.ends() == 77
    technician.process.kill()
    technician.ends()
    assert not (centre / f"stations/{STATION}.crt").exists()
    assert not (tmp_path / "etc/identity").exists()


def test_a_typo_is_told_at_once_and_nothing_is_sent(centre: Path, door: Door, tmp_path: Path) -> None:
    """At a terminal it is asked again; from a pipe it is the end, with 65."""
    code = grouped(new_code())
    mistyped = ("7" if code[0] != "7" else "8") + code[1:]
    technician = at_the_station(tmp_path / "etc", f"{HOST}:{door.port}")
    technician.types(mistyped)
    technician.reads("It is mistyped; have it read once more.")
    technician.types(code)
    technician.reads("Sent; waiting")
    technician.process.kill()
    technician.ends()

    piped = at_the_station(tmp_path / "pipe", f"{HOST}:{door.port}", terminal=False)
    piped.types(mistyped)
    assert piped.ends() == 65
    assert piped.screen.endswith(
        "The code is mistyped, or lacking\nHave it read once more, four at a time: 7K3M-9QXT-...\n"
    )


def test_an_identity_is_not_replaced_unasked_at_either_end(centre: Path, door: Door, tmp_path: Path) -> None:
    """73 at both, and what stands there stays; with --again the old certificate is taken back."""
    folder = tmp_path / "etc"
    enrol(centre, door, folder)
    old, serial = in_force(folder), certificate(folder / "identity/station.pem").serial_number
    before = (folder / "station.yaml").read_bytes()

    operator, technician = at_the_centre(centre), at_the_station(folder, HOST)
    assert (operator.ends(), technician.ends()) == (73, 73)
    assert operator.screen == (
        f"Station {STATION} has a certificate already\n"
        "If this box replaces it, or its key is lost: add --again (the old certificate is taken back)\n"
    )
    assert technician.screen == (
        f"This box has a certificate already ({folder}/identity)\n"
        "To replace key and certificate: add --again, at the centre too\n"
    )
    assert in_force(folder) == old and revoked(centre) == set()

    enrol(centre, door, folder, "--again")
    assert in_force(folder) != old and revoked(centre) == {serial}
    assert (folder / "station.yaml").read_bytes() == before


def test_a_revoked_id_on_another_box_is_a_station_again(centre: Path, door: Door, tmp_path: Path) -> None:
    """The stolen box's certificate stays in the list; the new one is not in it."""
    enrol(centre, door, tmp_path / "stolen")
    stolen = certificate(tmp_path / "stolen/identity/station.pem").serial_number
    assert main(["revoke", str(centre), STATION]) == 0
    assert main(["add-station", str(centre), STATION, "--scope", "vn/lam-dong/da-teh", "--broker", HOST]) == 0

    enrol(centre, door, tmp_path / "new")

    new = certificate(tmp_path / "new/identity/station.pem").serial_number
    assert revoked(centre) == {stolen} and new != stolen
    assert certificate(centre / f"stations/{STATION}.crt").serial_number == new


def test_a_station_asks_until_the_operator_comes_and_one_broken_off_goes_on(
    centre: Path, door: Door, tmp_path: Path
) -> None:
    """Ctrl-C, and another code: the key that waits is used, so the fingerprint is the same."""
    folder = tmp_path / "etc"
    technician = at_the_station(folder, f"{HOST}:{door.port}")
    first = technician.reads(rf"key: {FINGERPRINT}")
    technician.types(grouped(new_code()))
    technician.reads("Sent; waiting")
    technician.process.kill()
    technician.ends()

    enrol(centre, door, folder)

    assert in_force(folder) == first


def test_a_command_that_is_run_again_while_the_operator_compares_gets_its_answer(
    centre: Path, door: Door, tmp_path: Path
) -> None:
    """The same key and code, and another request: the answer is to that one."""
    folder = tmp_path / "etc"
    operator = at_the_centre(centre)
    code = code_of(operator)
    first = at_the_station(folder, f"{HOST}:{door.port}")
    first.types(code)
    operator.reads(r"\(y/n\)")
    first.process.kill()
    first.ends()
    second = at_the_station(folder, f"{HOST}:{door.port}")
    second.types(code)
    second.reads("Sent; waiting")
    operator.types("y")

    assert (operator.ends(), second.ends()) == (0, 0), operator.screen + second.screen
    assert in_force(folder) == second.reads(rf"key: {FINGERPRINT}")


def test_without_a_network_a_stick_carries_both_ways(centre: Path, tmp_path: Path) -> None:
    """The code by telephone, the rest by hand; the code is asked for twice, and kept nowhere at the station."""
    folder, stick = tmp_path / "etc", tmp_path / "usb"
    stick.mkdir()
    operator = at_the_centre(centre, "--by-stick")
    code = code_of(operator)
    assert operator.ends() == 0
    kept = centre / f"stations/{STATION}.code.json"
    assert kept.stat().st_mode & 0o777 == 0o600

    technician = at_the_station(folder, "--to", stick)
    technician.types(code)
    assert technician.ends() == 0, technician.screen
    fingerprint = technician.reads(rf"key: {FINGERPRINT}")
    request = stick / f"ttcs-enrol/{fingerprint}.request.json"
    assert f"The request: {request}\n" in technician.screen

    operator = at_the_centre(centre, "--from", stick)
    assert operator.reads(rf"key: {FINGERPRINT}") == fingerprint
    operator.types("y")
    assert operator.ends() == 0, operator.screen
    assert not kept.exists(), "a code counts once"

    technician = at_the_station(folder, "--from", stick)
    technician.types(code)
    assert technician.ends() == 0, technician.screen
    assert in_force(folder) == fingerprint
    secret = code.replace("-", "").encode()
    assert not any(secret in one.read_bytes() for one in [*folder.rglob("*"), *stick.rglob("*")] if one.is_file())


def test_a_stick_is_answered_once_more_only_with_a_new_code(centre: Path, tmp_path: Path) -> None:
    """The code is gone with the first answer."""
    stick = tmp_path / "usb"
    stick.mkdir()

    operator = at_the_centre(centre, "--from", stick)

    assert operator.ends() == 66
    assert operator.screen == (
        f"Station {STATION} was given no code for a stick\n"
        f"Run before: ttcs-central enrol {centre} {STATION} --by-stick\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            [],
            64,
            "The address of the province's broker is lacking\nRun: sudo ttcs-edge enrol mqtt.lam-dong.vn; without a"
            " network: sudo ttcs-edge enrol --to /media/usb\n",
        ),
        (
            ["a b"],
            64,
            "The address a b is not understood\nWrite it like: mqtt.lam-dong.vn, or mqtt.lam-dong.vn:8884\n",
        ),
        (
            ["--from", "/nowhere"],
            66,
            "This box has asked for nothing by stick\nRun before: sudo ttcs-edge enrol --to STICK\n",
        ),
    ],
)
def test_what_a_technician_leaves_out_is_told(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    """Before a key is made or a code asked for."""
    technician = at_the_station(tmp_path / "etc", *words)

    assert technician.ends() == code
    assert technician.screen == said
    assert not (tmp_path / "etc").exists()


def test_a_broker_that_is_not_there_is_told_with_its_reason(tmp_path: Path) -> None:
    """The key waits, and the next try uses it."""
    technician = at_the_station(tmp_path / "etc", f"{HOST}:1")
    technician.types(grouped(new_code()))

    assert technician.ends() == 69
    assert technician.screen.endswith(
        f"{HOST}:1 cannot be reached: the broker cannot be reached\n"
        "Look at the network and the address; without a network use a stick: ttcs-edge enrol --to /media/usb\n"
    )


def test_a_centre_whose_door_is_shut_says_how_to_open_it(centre: Path, tmp_path: Path) -> None:
    """enrol_port 0: the files of the door are gone, and the line that the operator types stops it."""
    settings = centre / "centre.yaml"
    assert main(["server-certificate", str(centre), HOST]) == 0
    assert main(["broker-config", str(centre), "--broker", HOST]) == 0
    settings.write_text(re.sub(r"^enrol_port: .*$", "enrol_port: 0", settings.read_text(), flags=re.MULTILINE))

    operator = at_the_centre(centre)

    assert operator.ends() == 69
    assert operator.screen == (
        "This centre enrols by stick only (enrol_port: 0)\n"
        f"Use --by-stick; or write enrol_port: 8884 into {settings}, then run broker-config\n"
    )
    assert main(["broker-config", str(centre), "--broker", HOST]) == 0
    assert not list((centre / "broker").glob("ttcs-enrol*"))


def test_a_code_that_nobody_uses_is_over_in_its_time(centre: Path, door: Door) -> None:
    """One minute, which is the least."""
    operator = at_the_centre(centre, "--minutes", "1")
    code_of(operator)

    assert operator.process.wait(90) == 69
    assert operator.screen.endswith(
        "No station used the code in its time\n"
        "Look at the station's network and the broker's port, run this again for a new code; or use --by-stick\n"
    )
