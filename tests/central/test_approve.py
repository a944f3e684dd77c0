"""``ttcs-central publish --sign-only`` and ``approve``: two persons, each on a machine of his own, one programme."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.central.test_alert import verified, words
from tests.central.test_alert import written as alert_file
from tests.central.test_publish import TOPIC, retained
from tests.central.trust import PLACE, machine_of, rotate
from tests.parts import Broker
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import Signed
from ttcs_edge.wire.documents import read_programme


def second_of_two(centre: Path, broker: Broker, target: Path, role: str) -> Path:
    """The machine of the second of two persons, who do this together: ``centre.yaml``, ``trust`` and her key."""
    assert rotate(centre, broker, "--new-key=an:publish", f"--threshold={role}=2") == 0
    text = (centre / "centre.yaml").read_text()
    (centre / "centre.yaml").write_text(text.replace('"file2:keys/an.pem"', '"elsewhere:"'))
    return machine_of(centre, target, "an")


@pytest.fixture
def second(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> Path:
    """Of those who publish."""
    return second_of_two(centre_folder, own_broker, tmp_path / "an", "publish")


def written(folder: Path) -> Path:
    """A programme file."""
    file = folder / "programme.yaml"
    file.write_text(
        f"scope: {PLACE}\ntime_zone: Asia/Ho_Chi_Minh\nvalid_days: 30\nbulletins:\n"
        "  - {id: chao, title: Lời chào, text: Xin chào bà con.}\n"
        "slots:\n  - {id: dem, start: 2026-12-01 03:15, rrule: FREQ=DAILY, bulletins: [chao]}\n"
    )
    return file


def sign_only(centre: Path, broker: Broker, target: Path) -> int:
    """The first person's part."""
    words = ["publish", str(centre), str(written(target.parent)), "--via-broker", "--sign-only", str(target)]
    return main([*words, "--broker", f"127.0.0.1:{broker.port}", "--lang", "en"])


def approve(centre: Path, file: Path, *more: str) -> int:
    """The second person's part, or that of who sends it."""
    return main(["approve", str(centre), str(file), *more, "--lang", "en"])


def to(broker: Broker) -> tuple[str, str]:
    """Where it goes."""
    return "--broker", f"127.0.0.1:{broker.port}"


def test_what_two_persons_signed_on_two_machines_goes_out(
    centre_folder: Path, own_broker: Broker, second: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first signs and sends nothing, the second sees what will air, by night above all, and signs without any
    network; then it goes out.
    """
    file = tmp_path / "ban-tin.dsse.json"
    assert sign_only(centre_folder, own_broker, file) == 0
    assert TOPIC not in retained(own_broker, "newcomer-1")
    capsys.readouterr()
    assert approve(centre_folder, file, *to(own_broker)) == 0
    assert "Signatures lack: 1 of 2. Carry" in capsys.readouterr().out
    assert TOPIC not in retained(own_broker, "newcomer-2")

    assert approve(second, file, "--sign-only", "--yes") == 0
    said = capsys.readouterr().out
    assert "!! BY NIGHT" in said and "Lời chào" in said
    assert said.splitlines()[-2:] == [
        "Signed by: an, publish-1",
        "Enough have signed. At the centre: ttcs-central approve FOLDER ban-tin.dsse.json",
    ]
    assert approve(centre_folder, file, *to(own_broker)) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"Published {PLACE} version 1, until ")

    envelope = retained(own_broker, "newcomer-3")[TOPIC]
    signed = read_programme(envelope, open_centre(centre_folder).trust.document, PLACE)
    assert isinstance(signed, Signed) and len(signed.signers) == 2
    assert (centre_folder / f"programmes/{PLACE}/1.dsse.json").read_bytes() == envelope
    assert approve(centre_folder, file, *to(own_broker)) == 0, "again it changes nothing"
    assert retained(own_broker, "newcomer-4")[TOPIC] == envelope


def test_nobody_signs_unasked(
    centre_folder: Path, own_broker: Broker, second: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal and without --yes the file stays as it is."""
    file = tmp_path / "ban-tin.dsse.json"
    assert sign_only(centre_folder, own_broker, file) == 0
    before = file.read_bytes()
    capsys.readouterr()
    assert approve(second, file, "--sign-only") == 77
    assert capsys.readouterr().err == "Nothing was sent: there is nobody to ask\nRun it on a terminal, or add --yes\n"
    assert file.read_bytes() == before


def test_what_was_changed_or_is_a_strangers_is_not_even_shown(
    centre_folder: Path, own_broker: Broker, second: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the stick between the two."""
    file = tmp_path / "ban-tin.dsse.json"
    assert sign_only(centre_folder, own_broker, file) == 0
    envelope = json.loads(file.read_bytes())
    for code, spoilt in (
        ("not-enough-signatures", {**envelope, "payload": envelope["payload"][:-8] + "AAAAAAA="}),
        ("not-enough-signatures", {**envelope, "signatures": []}),
        ("wrong-payload-type", {**envelope, "payloadType": "application/vnd.ttcs.trust+json"}),
        ("not-an-envelope", {}),
    ):
        data = json.dumps(spoilt).encode()
        file.write_bytes(data)
        capsys.readouterr()
        assert approve(second, file, "--sign-only", "--yes") == 66
        said = capsys.readouterr()
        assert (said.out, said.err.splitlines()[0]) == ("", f"{file} is no programme or alert to be approved: {code}")
        assert file.read_bytes() == data


def test_what_was_approved_too_late_does_not_go_out(
    centre_folder: Path, own_broker: Broker, second: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Something newer was published meanwhile, from here or from another machine."""
    late, newer = tmp_path / "late.dsse.json", tmp_path / "newer.dsse.json"
    for file in (late, newer):
        assert sign_only(centre_folder, own_broker, file) == 0
        assert approve(second, file, "--sign-only", "--yes") == 0
    capsys.readouterr()
    told = f"{PLACE} has version 2 already, what is to be approved is version 1"
    assert approve(centre_folder, late, *to(own_broker)) == 65
    assert capsys.readouterr().err.splitlines()[0] == told
    assert approve(centre_folder, newer, *to(own_broker)) == 0
    (centre_folder / f"programmes/{PLACE}/version.txt").write_text("0\n")
    assert approve(centre_folder, late, *to(own_broker)) == 65
    assert capsys.readouterr().err.splitlines()[0] == told


@pytest.fixture
def second_voice(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> Path:
    """Of those who warn."""
    return second_of_two(centre_folder, own_broker, tmp_path / "an", "alert")


def sign_alert(centre: Path, broker: Broker, target: Path) -> int:
    """The first person's part of a warning."""
    return main([*words(centre, broker, alert_file(target.parent)), "--yes", "--sign-only", str(target)])


def alerts_on(broker: Broker, who: str) -> list[bytes]:
    """The warnings that stand on a broker."""
    return [data for topic, data in retained(broker, who).items() if "/alert/" in topic]


def test_a_warning_that_two_persons_signed_on_two_machines_goes_out(
    centre_folder: Path, own_broker: Broker, second_voice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is heard before the second has seen what will be said where, and signed; who sends it counts."""
    file = tmp_path / "xa-lu.dsse.json"
    capsys.readouterr()
    assert sign_alert(centre_folder, own_broker, file) == 0
    signed = f"Signed, in {file}. Who approves: ttcs-central approve {centre_folder} {file}"
    assert " ".join(capsys.readouterr().out.split()).endswith(" ".join(signed.split()))
    assert alerts_on(own_broker, "newcomer-1") == []
    assert approve(centre_folder, file, *to(own_broker), "--wait=1") == 0
    assert "Signatures lack: 1 of 2. Carry" in capsys.readouterr().out
    assert alerts_on(own_broker, "newcomer-2") == []

    assert approve(second_voice, file, "--sign-only", "--yes") == 0
    said = capsys.readouterr().out
    assert "Xả lũ" in said and "Severe/Immediate/Likely" in said
    assert said.splitlines()[-2:] == [
        "Signed by: an, publish-1",
        "Enough have signed. At the centre: ttcs-central approve FOLDER xa-lu.dsse.json",
    ]
    assert approve(centre_folder, file, *to(own_broker), "--wait=1") == 1, "the station is away"
    (envelope,) = alerts_on(own_broker, "newcomer-3")
    assert envelope == file.read_bytes()
    alert = verified(centre_folder, envelope)
    assert (alert.version, alert.info[0].headline) == (1, "Xả lũ")
    assert [one.read_bytes() for one in (centre_folder / "alerts/sent").glob("*/*/1.dsse.json")] == [envelope]


def test_a_warning_that_was_approved_too_late_does_not_go_out(
    centre_folder: Path, own_broker: Broker, second_voice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another one of the same event went out meanwhile: what was said then does not come back."""
    late, newer = tmp_path / "late.dsse.json", tmp_path / "newer.dsse.json"
    event = "--id=xa-lu"
    for file in (late, newer):
        line = [*words(centre_folder, own_broker, alert_file(tmp_path)), event, "--yes", "--sign-only", str(file)]
        assert main(line) == 0
        assert approve(second_voice, file, "--sign-only", "--yes") == 0
    assert approve(centre_folder, newer, *to(own_broker), "--wait=1") == 1, "the station is away"
    capsys.readouterr()
    assert approve(centre_folder, late, *to(own_broker), "--wait=1") == 65
    assert capsys.readouterr().err.splitlines() == [
        "xa-lu has version 2 already, what is to be approved is version 1",
        "Nothing was sent. Begin anew: ttcs-central alert ... --sign-only FILE",
    ]
    assert alerts_on(own_broker, "newcomer-1") == [newer.read_bytes()]
