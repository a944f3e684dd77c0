"""Key, certificate and authority change together: whatever breaks off, the old identity is in force or the new one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from msgspec.structs import replace

from tests.parts import MORTAL
from ttcs_edge.central.authority import certify_station, make_authority
from ttcs_edge.central.main import main
from ttcs_edge.cli.identity_files import IdentityError, IdentityFiles
from ttcs_edge.config import load_config
from ttcs_edge.training.enrolled import enrolled
from ttcs_edge.wire.certificates import load_key, public_bytes
from ttcs_edge.wire.code import fingerprint
from ttcs_edge.wire.enrolment import Given

STATION = "da-teh-01"


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A centre that knows one station."""
    folder = tmp_path_factory.mktemp("central") / "lam-dong"
    assert main(["init", str(folder), "--scope", "vn/lam-dong", "--name", "Lâm Đồng"]) == 0
    add = ["add-station", str(folder), STATION, "--scope", "vn/lam-dong/da-teh", "--broker", "mqtt.lam-dong.vn"]
    assert main(add) == 0
    return folder


def in_force(folder: Path) -> str:
    """The fingerprint of the identity that the unit would take; it is whole, or this fails."""
    key = load_key((folder / "identity/station.key").read_bytes())
    certificate = x509.load_pem_x509_certificate((folder / "identity/station.pem").read_bytes())
    authority = x509.load_pem_x509_certificate((folder / "identity/ca.pem").read_bytes())
    assert key is not None
    assert public_bytes(key.public_key()) == public_bytes(certificate.public_key())
    certificate.verify_directly_issued_by(authority)
    return fingerprint(public_bytes(key.public_key()))


CHANGES = ("replace", "symlink", "fsync", "rename", "mkdir", "unlink", "chmod", "rmdir")


def dies_at(step: int, centre: Path, folder: Path) -> int:
    """An enrolment, in a process of its own, that dies before its n-th call that changes something on disk; gives its
    exit code, 0 when there were fewer.
    """
    pid = os.fork()
    if pid == 0:
        try:
            names: dict[str, Any] = {"os": os, "left": [step]}
            exec(MORTAL, names)
            for name in CHANGES:
                names["mortal"](os, name)
            enrolled(centre, STATION, folder, again=True)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("first", [True, False], ids=["first", "again"])
def test_wherever_the_power_goes_one_identity_is_whole_and_run_again_it_goes_on(
    centre: Path, tmp_path: Path, first: bool
) -> None:
    """Step by step, until none is left; hand edits of station.yaml are there at each."""
    edited = "zones: [cho]  # by hand"
    died = 0
    for step in range(1, 200):
        folder, here = tmp_path / f"{step}", Path(shutil.copytree(centre, tmp_path / f"centre-{step}"))
        old = None
        if not first:
            enrolled(here, STATION, folder)
            old = in_force(folder)
            config = folder / "station.yaml"
            config.write_text(config.read_text() + f"# {edited}\n")
        code = dies_at(step, here, folder)
        if code == 0:
            break
        assert code == 99
        died += 1
        left = in_force(folder) if (folder / "identity").exists() else None
        assert left == old or left is not None, "the old one, or the new one"
        if (given := IdentityFiles(folder).finish()) is None:
            enrolled(here, STATION, folder, again=True)
        else:
            assert given.station == STATION
        new = in_force(folder)
        assert new != old
        assert [one.name for one in (folder / "identities").iterdir()] == [new], "nothing is left of the others"
        assert sorted(one.name for one in (folder / "identity").iterdir()) == ["ca.pem", "station.key", "station.pem"]
        assert not list(folder.rglob("*.part")), "not half a file either"
        assert first or (folder / "station.yaml").read_text().endswith(f"# {edited}\n")
        assert (folder / "trust/root.dsse.json").is_file()
    else:
        pytest.fail("there is no end of it")
    assert died > 10


def given(centre: Path, files: IdentityFiles, **others: str) -> Given:
    """What a centre gives to the key that waits, but for what the test changes."""
    files.begin()
    key = load_key((files.folder / "identities/new/station.key").read_bytes())
    assert key is not None
    pair = make_authority("Lâm Đồng CA")
    made = Given(
        station=STATION,
        scope="vn/lam-dong/da-teh",
        certificate=certify_station(pair, key.public_key(), STATION).decode(),
        authority=pair.certificate.decode(),
        trust=(centre / "trust/root.dsse.json").read_text(),
        config=(centre / f"stations/{STATION}.station.yaml").read_text(),
    )
    return replace(made, **others)


@pytest.mark.parametrize(
    ("others", "code"),
    [
        ({"certificate": "x"}, "certificate-unreadable"),
        ({"authority": make_authority("Lâm Đồng CA").certificate.decode()}, "certificate-of-another-authority"),
        ({"station": "da-teh-02"}, "certificate-of-another-name"),
        ({"trust": "{}"}, "bad-trust"),
        ({"config": "a: b"}, "bad-config"),
        ({"scope": "vn/da-nang"}, "bad-config"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_has_changed(
    centre: Path, tmp_path: Path, others: dict[str, str], code: str
) -> None:
    """Also of an answer that somebody proved."""
    enrolled(Path(shutil.copytree(centre, tmp_path / "centre")), STATION, tmp_path / "etc")
    files = IdentityFiles(tmp_path / "etc")
    old, config = in_force(files.folder), files.config.read_bytes()

    with pytest.raises(IdentityError) as refused:
        files.take(given(centre, files, **others))

    assert refused.value.code == code
    assert files.finish() is None
    assert (in_force(files.folder), files.config.read_bytes()) == (old, config)


EDITED = """\
# của tôi / mine
id: cu          # tên cũ
scope: vn/lam-dong/cu
time_zone: Asia/Ho_Chi_Minh

broker:
  host: cu.example.vn   # máy cũ
  # port: 1
  ca: /etc/ttcs-edge/tls/ca.pem
  certificate: /etc/ttcs-edge/tls/station.pem
  key: credential:station.key   # systemd
  keepalive_s: 30
https:
  ca: /etc/ssl/mine.pem
zones:
  - {id: cho, name: Chợ, pin: 5}   # nối tay
amplifier: {pin: 6}
"""


def test_hand_edits_of_a_station_yaml_stay_to_the_letter(centre: Path, tmp_path: Path) -> None:
    """Only who the station is, which broker it has and where its identity lies is written; comments stay."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "station.yaml").write_text(EDITED)

    enrolled(Path(shutil.copytree(centre, tmp_path / "centre")), STATION, folder)

    identity = folder / "identity"
    assert (folder / "station.yaml").read_text() == (
        EDITED.replace("id: cu ", f'id: "{STATION}" ')
        .replace("scope: vn/lam-dong/cu", 'scope: "vn/lam-dong/da-teh"')
        .replace(
            "  host: cu.example.vn   # máy cũ\n",
            '  host: "mqtt.lam-dong.vn"   # máy cũ\n  topic_root: "ttcs/v1"\n  port: 8883\n',
        )
        .replace("ca: /etc/ttcs-edge/tls/ca.pem", f'ca: "{identity}/ca.pem"')
        .replace("certificate: /etc/ttcs-edge/tls/station.pem", f'certificate: "{identity}/station.pem"')
    )
    assert load_config(folder / "station.yaml", {}).station.id == STATION


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "cu", "scope": "vn", "broker": {"host": "a", "ca": "b", "certificate": "c", "key": "d"}}\n',
        "id: cu\nscope: vn\nbroker: {host: a, ca: b, certificate: c, key: d}\n",
        "id: cu\nscope: vn\nbroker:\n      host: a\n      ca: b\n      certificate: c\n      key: d\n",
        "not: [yaml",
        "",
    ],
)
def test_a_station_yaml_that_a_person_must_change_is_not_touched(centre: Path, tmp_path: Path, text: str) -> None:
    """What is to be written into it is told, and nothing has changed."""
    files = IdentityFiles(tmp_path / "etc")
    files.folder.mkdir()
    files.config.write_text(text)

    with pytest.raises(IdentityError) as refused:
        files.take(given(centre, files))

    assert refused.value.code == "config-elsewhere"
    assert f"id: {STATION}" in refused.value.found and "broker.host: mqtt.lam-dong.vn" in refused.value.found
    assert files.config.read_text() == text and not files.is_there


def test_a_newer_trust_root_that_somebody_brought_is_kept(centre: Path, tmp_path: Path) -> None:
    """An older one of the same scope, which a centre restored from a copy would give, does not take its place."""
    folder, here = tmp_path / "etc", Path(shutil.copytree(centre, tmp_path / "centre"))
    assert main(["trust", str(here), "draft"]) == 0 and main(["trust", str(here), "sign"]) == 0
    newer = (here / "trust/next.dsse.json").read_bytes()
    (folder / "trust").mkdir(parents=True)
    (folder / "trust/root.dsse.json").write_bytes(newer)

    enrolled(here, STATION, folder)

    assert (folder / "trust/root.dsse.json").read_bytes() == newer


def test_a_key_that_waits_is_used_again_and_the_one_in_force_is_not_touched(centre: Path, tmp_path: Path) -> None:
    """Two people who begin anew see the same fingerprint; without an answer the old identity stays."""
    enrolled(Path(shutil.copytree(centre, tmp_path / "centre")), STATION, tmp_path / "etc")
    files = IdentityFiles(tmp_path / "etc")
    old = in_force(files.folder)

    first, second = files.begin(), files.begin()

    assert first.fingerprint == second.fingerprint != old
    assert in_force(files.folder) == old
    new = files.folder / "identities/new"
    assert (os.stat(new).st_mode & 0o777, os.stat(new / "station.key").st_mode & 0o777) == (0o700, 0o600)
