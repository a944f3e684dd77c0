"""``ttcs-central init``, ``add-station`` and ``server-certificate``: keys, certificates, one file a station."""

from __future__ import annotations

import ssl
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from ttcs_edge.central.centre import now, open_centre
from ttcs_edge.central.main import main
from ttcs_edge.config import load_config
from ttcs_edge.core.documents import Refused, Signed
from ttcs_edge.core.trust import Accepted, check_trust_root
from ttcs_edge.wire.documents import read_trust_root


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the lock."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def mode(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def add(folder: Path, station: str, *more: str) -> int:
    """Add a station in da-teh."""
    command = ["--lang", "en", "add-station", str(folder), station, "--scope", "vn/lam-dong/da-teh"]
    return main([*command, "--broker", "mqtt.lam-dong.vn:8884", *more])


def unpacked(folder: Path, station: str, into: Path) -> Path:
    """A station's file, unpacked by tar as a technician does."""
    into.mkdir(parents=True)
    subprocess.run(["tar", "-xf", folder / "stations" / f"{station}.station.tar", "-C", into], check=True)
    return into


def test_every_private_key_is_for_its_owner_alone(centre_folder: Path) -> None:
    """Signing keys, the authority's and the operator's keys have mode 0600, whatever the umask."""
    keys = [*centre_folder.glob("keys/*.pem"), *centre_folder.glob("*.key")]

    assert len(keys) == 6
    assert {mode(key) for key in keys} == {0o600}
    assert mode(centre_folder) == 0o700


def test_the_trust_root_is_signed_by_all_root_keys_and_stands_by_itself(centre_folder: Path) -> None:
    """Two of three root keys are enough; one alone is not."""
    signed = read_trust_root((centre_folder / "trust/root.dsse.json").read_bytes())

    assert isinstance(signed, Signed)
    assert check_trust_root(signed, now()) == Accepted()
    assert [(grant.role, len(grant.keys), grant.threshold) for grant in signed.document.grants] == [
        ("root", 3, 2),
        ("publish", 1, 1),
    ]
    one = Signed(signed.document, frozenset(sorted(signed.signers)[:1]), signed.envelope)
    refused = check_trust_root(one, now())
    assert isinstance(refused, Refused) and refused.code == "not-enough-signatures"


def test_publishing_needs_no_root_key(centre_folder: Path) -> None:
    """Once the root keys are carried away, the centre opens and its publisher still signs."""
    for key in centre_folder.glob("keys/root-*.pem"):
        key.unlink()

    centre = open_centre(centre_folder)

    assert len(centre.signers("publish")) == 1


def test_a_centre_is_never_overwritten(centre_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second init fails and leaves every byte as it was."""
    before = contents(centre_folder)

    code = main(["--lang", "en", "init", str(centre_folder), "--scope", "vn/lam-dong"])

    assert code == 73
    assert capsys.readouterr().err == f"{centre_folder} is there already; it is not overwritten\n"
    assert contents(centre_folder) == before


def test_an_init_that_is_refused_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A threshold above the number of keys makes no folder."""
    code = main(
        ["--lang", "en", "init", str(tmp_path / "c"), "--scope", "vn", "--root-keys", "2", "--root-threshold", "3"]
    )

    assert code == 65
    assert capsys.readouterr().err == "A threshold of 3 does not fit 2 keys (1 to 16 keys)\n"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_key_is_named(centre_folder: Path) -> None:
    """A publisher key that is not there is told by its name and URI, not by a traceback."""
    (centre_folder / "keys/publish-1.pem").unlink()
    file = centre_folder / "p.yaml"
    file.write_text("scope: vn/lam-dong\ntime_zone: Asia/Ho_Chi_Minh\nvalid_days: 1\nbulletins: []\nslots: []\n")

    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "ttcs_edge.central.main",
            "--lang",
            "en",
            "publish",
            centre_folder,
            file,
            "--via-broker",
            "--dry-run",
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stderr) == (
        66,
        "Key publish-1 (file2:keys/publish-1.pem) cannot be used: FileNotFoundError\n",
    )


def test_a_stations_file_unpacks_to_a_config_that_the_station_takes(centre_folder: Path, tmp_path: Path) -> None:
    """After tar -xf alone the config is valid, names this station, and its trust root stands."""
    assert add(centre_folder, "da-teh-07", "--https-ca", "own") == 0
    folder = unpacked(centre_folder, "da-teh-07", tmp_path / "etc/ttcs-edge")

    config = load_config(folder / "station.yaml", {})

    assert (config.station.id, config.station.scope) == ("da-teh-07", "vn/lam-dong/da-teh")
    assert (config.broker.host, config.broker.port, config.broker.topic_root) == ("mqtt.lam-dong.vn", 8884, "ttcs/v1")
    assert config.https.ca_file == config.broker.ca_file == Path("/etc/ttcs-edge/tls/ca.pem")
    assert config.trust_folder == Path("/etc/ttcs-edge/trust")
    assert sorted(contents(folder)) == [
        "station.key",
        "station.yaml",
        "tls/ca.pem",
        "tls/station.pem",
        "trust/root.dsse.json",
    ]
    signed = read_trust_root((folder / "trust/root.dsse.json").read_bytes())
    assert isinstance(signed, Signed) and check_trust_root(signed, now()) == Accepted()
    ssl.create_default_context().load_cert_chain(folder / "tls/station.pem", folder / "station.key")


def test_a_stations_file_and_key_are_for_their_owner_alone(centre_folder: Path) -> None:
    """The tar and the key in it have mode 0600, and the centre keeps no copy of the key."""
    assert add(centre_folder, "da-teh-07") == 0
    file = centre_folder / "stations/da-teh-07.station.tar"

    with tarfile.open(file) as tar:
        assert {member.name: member.mode for member in tar}["station.key"] == 0o600
        key = tar.extractfile("station.key")
        assert key is not None
        secret = key.read()
    assert mode(file) == 0o600
    assert [name for name, data in contents(centre_folder).items() if secret in data] == [
        "stations/da-teh-07.station.tar"
    ]


def test_a_station_is_not_added_twice(centre_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second add of an id is refused, also when the first file was deleted, and nothing changes."""
    assert add(centre_folder, "da-teh-07") == 0
    (centre_folder / "stations/da-teh-07.station.tar").unlink()
    before = contents(centre_folder)
    capsys.readouterr()

    assert add(centre_folder, "da-teh-07") == 73

    assert capsys.readouterr().err == "There is a station da-teh-07 already\n"
    assert contents(centre_folder) == before


@pytest.mark.parametrize("station", ["../x", "a/b", "", "a b", "đà", "operator", ".a", "x" * 65, "a+", "#"])
def test_a_station_id_that_could_be_a_path_a_topic_or_the_operator_is_refused(
    centre_folder: Path, station: str
) -> None:
    """An id names files and topics and is a user name at the broker."""
    before = contents(centre_folder)

    assert add(centre_folder, station) == 65

    assert contents(centre_folder) == before


def test_a_station_outside_the_centres_scope_is_refused(
    centre_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A centre adds no station that it could not speak to."""
    command = ["add-station", str(centre_folder), "x", "--scope", "vn/da-nang", "--broker", "localhost"]

    assert main(["--lang", "en", *command]) == 65

    assert capsys.readouterr().err == "vn/da-nang lies outside vn/lam-dong, the centre's scope\n"


@pytest.mark.parametrize("flags", [ssl.VerifyFlags(0), ssl.VERIFY_X509_STRICT])
def test_a_server_certificate_is_good_for_its_names_under_strict_checks(
    centre_folder: Path, flags: ssl.VerifyFlags
) -> None:
    """TLS by name succeeds against the centre's CA, also with the strict checks that Python 3.13 makes."""
    assert main(["server-certificate", str(centre_folder), "localhost", "127.0.0.1"]) == 0
    assert mode(centre_folder / "servers/localhost.key") == 0o600
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(centre_folder / "servers/localhost.crt", centre_folder / "servers/localhost.key")
    client = ssl.create_default_context(cafile=str(centre_folder / "ca.pem"))
    client.verify_flags |= flags

    for name in ("localhost", "127.0.0.1"):
        handshake(client, server, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(client, server, "mqtt.example.vn")


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    """Make a TLS handshake in memory."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up, server_hostname=name), server.wrap_bio(up, down, server_side=True)]
    for _ in range(10):
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                continue
    assert ends == []


def test_a_server_certificate_is_not_made_twice(centre_folder: Path) -> None:
    """A running broker's key is never replaced under it."""
    assert main(["server-certificate", str(centre_folder), "localhost"]) == 0
    before = contents(centre_folder)

    assert main(["server-certificate", str(centre_folder), "localhost"]) == 73

    assert contents(centre_folder) == before


def test_two_dotted_names_get_files_of_their_own(centre_folder: Path) -> None:
    """``a.vn`` and ``a.com`` do not share a key file."""
    for name in ("mqtt.lam-dong.vn", "mqtt.lam-dong.com"):
        assert main(["server-certificate", str(centre_folder), name]) == 0

    assert len(list((centre_folder / "servers").iterdir())) == 4


def test_a_broken_centre_yaml_is_told(centre_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A centre.yaml that lost its scope is named, with what is missing."""
    file = centre_folder / "centre.yaml"
    settings = yaml.safe_load(file.read_text())
    del settings["scope"]
    file.write_text(yaml.safe_dump(settings))

    assert add(centre_folder, "x") == 66

    assert capsys.readouterr().err == (f"{file} cannot be used: Object missing required field `scope`\n")


def test_versions_are_never_given_twice(centre_folder: Path) -> None:
    """Numbers grow by one a scope, and go on where they were after the centre is opened again."""
    first = open_centre(centre_folder)
    numbers = [
        first.take_version("vn/lam-dong"),
        first.take_version("vn/lam-dong"),
        first.take_version("vn/lam-dong/a"),
    ]
    again = open_centre(centre_folder)

    assert [*numbers, again.take_version("vn/lam-dong")] == [1, 2, 1, 3]
