"""A stolen publisher's key, a station that slept, a place without a link: the operator's commands and a real daemon."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

from tests.central.trust import PLACE, SCOPE, publish, rotate
from tests.cli.terminal import run
from tests.parts import Broker, Listener, Station, eventually
from tests.system.sight import status
from ttcs_edge.central.main import main
from ttcs_edge.wire.topics import Topics

TOPICS = Topics("ttcs/v1")


def programme(folder: Path, title: str = "Lời chào") -> Path:
    """A programme that airs some day."""
    file = folder / "programme.yaml"
    file.write_text(
        f"scope: {PLACE}\ntime_zone: Asia/Ho_Chi_Minh\nvalid_days: 30\n"
        f"bulletins:\n  - {{id: chao, title: {title}, text: Xin chào bà con.}}\n"
        "slots:\n  - {id: ngay, start: 2099-01-01 05:00, bulletins: [chao]}\n"
    )
    return file


def send(centre: Path, file: Path, broker: Broker) -> int:
    """Publish a programme."""
    return main(["publish", str(centre), str(file), "--via-broker", "--broker", f"127.0.0.1:{broker.port}"])


def versions(station: Station) -> list[int]:
    """The programmes in force on a station."""
    return [one["version"] for one in status(station)["programmes"]]


def faults(station: Station) -> list[tuple[str, str]]:
    """The code and the subject of each open fault, but that of a link that is down."""
    found = [(one["code"], one["subject"]) for one in status(station)["faults"]]
    return [one for one in found if one[1] != "broker"]


def test_a_stolen_key_is_revoked_and_what_it_signed_is_off_the_station_within_seconds(
    centre_folder: Path, own_broker: Broker, own_station: Station, tmp_path: Path
) -> None:
    """Day 0: a programme. Day 1: a thief with the key puts one of the highest version there is in its place. Day 2: the
    key is revoked; the thief's programme is gone, the new key's comes into force, and over a restart it stays so.
    """
    thief = Path(shutil.copytree(centre_folder, tmp_path / "thief"))
    file = programme(tmp_path)
    own_station.start()
    assert send(centre_folder, file, own_broker) == 0
    eventually(lambda: versions(own_station) == [1])
    (thief / f"programmes/{PLACE}").mkdir(parents=True)
    (thief / f"programmes/{PLACE}/version.txt").write_text("999999999999998\n")
    assert send(thief, file, own_broker) == 0
    eventually(lambda: versions(own_station) == [999_999_999_999_999])

    assert rotate(centre_folder, own_broker, "--revoke", "publish-1", "--new-key", "publish-2:publish") == 0
    eventually(lambda: versions(own_station) == [], 5)
    assert ("programme-revoked", PLACE) in faults(own_station)
    assert send(centre_folder, file, own_broker) == 0
    eventually(lambda: versions(own_station) == [2])
    eventually(lambda: faults(own_station) == [])
    assert send(thief, file, own_broker) == 0, "the thief has the operator's certificate, too"
    eventually(lambda: ("not-enough-signatures", PLACE) in faults(own_station))
    assert versions(own_station) == [2]

    own_station.stop()
    own_station.start()
    eventually(lambda: status(own_station)["link_up"])
    assert versions(own_station) == [2]


def test_a_station_that_was_off_for_three_rotations_catches_up(
    centre_folder: Path, own_broker: Broker, own_station: Station, tmp_path: Path
) -> None:
    """Root keys are replaced, too: none of those that it knew at first signed the last root."""
    for number in (1, 2, 3):
        wishes = [f"--revoke=root-{number}", f"--new-key=root-{number + 3}:root"]
        if number == 3:
            wishes += ["--revoke=publish-1", "--new-key=publish-2:publish"]
        assert rotate(centre_folder, own_broker, *wishes) == 0
    assert send(centre_folder, programme(tmp_path), own_broker) == 0

    own_station.start()
    eventually(lambda: versions(own_station) == [1])
    assert faults(own_station) == []


def test_a_stick_brings_the_roots_before_what_their_keys_signed(
    centre_folder: Path, own_broker: Broker, own_station: Station, tmp_path: Path
) -> None:
    """A place without a link: the revoked key's programme goes, the new key's is in force when the command ends."""
    file, usb = programme(tmp_path), tmp_path / "usb"
    usb.mkdir()
    assert send(centre_folder, file, own_broker) == 0
    assert main(["export", str(centre_folder), PLACE, str(usb)]) == 0
    assert rotate(centre_folder, own_broker, "--revoke", "publish-1", "--new-key", "publish-2:publish") == 0
    own_broker.stop()
    own_station.start()

    def take_in() -> Any:
        return run("import", usb, "--config", own_station.config, "--lang", "en")

    assert take_in().returncode == 0
    assert versions(own_station) == [1]
    assert main(["export", str(centre_folder), PLACE, str(usb), "--lang", "en"]) == 0
    (usb / f"ttcs/programme.{PLACE.replace('/', '.')}.json").unlink()
    first = take_in()
    assert (first.returncode, first.stdout.splitlines()[0], first.stderr) == (
        0,
        f"{SCOPE}: trust root version 2 is in force",
        "",
    )
    assert (versions(own_station), faults(own_station)) == ([], [("programme-revoked", PLACE)])

    own_broker.start()
    own_station.stop()
    assert send(centre_folder, file, own_broker) == 0
    own_broker.stop()
    assert main(["export", str(centre_folder), PLACE, str(usb), "--lang", "en"]) == 0
    own_station.start()
    second = take_in()
    assert second.returncode == 0
    assert second.stdout.splitlines()[:2] == [
        f"{SCOPE}: trust root version 2 was in force already",
        f"{PLACE}: version 2 is in force",
    ]
    assert versions(own_station) == [2]


def test_one_stick_brings_a_root_and_what_its_new_key_signed(
    centre_folder: Path, own_broker: Broker, own_station: Station, tmp_path: Path
) -> None:
    """To a station that has never heard of that key: the root is taken before the programme is read."""
    assert rotate(centre_folder, own_broker, "--revoke", "publish-1", "--new-key", "publish-2:publish") == 0
    assert send(centre_folder, programme(tmp_path), own_broker) == 0
    assert main(["export", str(centre_folder), PLACE, str(tmp_path)]) == 0
    own_broker.stop()
    own_station.start()

    done = run("import", tmp_path, "--config", own_station.config, "--json")

    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert [(one["outcome"], one["version"]) for one in (*told["trust"], *told["programmes"])] == [
        ("accepted", 2),
        ("accepted", 1),
    ]
    own_station.stop(signal.SIGKILL)
    own_station.start()
    assert versions(own_station) == [1], "told as in force, so both were on disk"


def test_roots_on_a_stick_that_lead_nowhere_are_told_and_change_nothing(
    centre_folder: Path, own_broker: Broker, own_station: Station, tmp_path: Path
) -> None:
    """Of another centre, of the same scope."""
    other = tmp_path / "other"
    assert main(["init", str(other), "--scope", SCOPE]) == 0
    assert rotate(other, own_broker, "--revoke", "publish-1", "--new-key", "publish-2:publish") != 0, "not its broker"
    (tmp_path / "usb/ttcs").mkdir(parents=True)
    roots = [(other / "trust/next.dsse.json").read_bytes()]
    (tmp_path / f"usb/ttcs/trust.{SCOPE.replace('/', '.')}.json").write_bytes(b"[" + b",".join(roots) + b"]")
    own_station.start()

    done = run("import", tmp_path / "usb", "--config", own_station.config, "--lang", "en")

    assert done.returncode == 65
    assert done.stdout.splitlines()[0].startswith(f"!! A document of {SCOPE} has too few trusted signatures: 0")
    assert faults(own_station) == [("not-enough-signatures", f"trust:{SCOPE}")]


def test_what_stands_on_the_broker_is_one_list_of_roots(centre_folder: Path, own_broker: Broker) -> None:
    """Retained: who connects next week gets the whole way."""
    assert rotate(centre_folder, own_broker, "--revoke", "root-3") == 0
    listener = Listener(own_broker, subscribe=TOPICS.trust(SCOPE))
    try:
        eventually(lambda: listener.messages)
    finally:
        listener.close()
    envelopes = [(centre_folder / f"trust/{number}.dsse.json").read_bytes() for number in (1, 2)]
    assert listener.messages == [(TOPICS.trust(SCOPE), b"[" + b",".join(envelopes) + b"]")]
    assert publish(centre_folder, own_broker) == 0
