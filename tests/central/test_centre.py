"""``ttcs-central init``, ``add-station`` and ``server-certificate``: keys, certificates, what a station is given."""

from __future__ import annotations

import os
import pty
import resource
import signal
import ssl
import stat
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, Key, SecretsHandler

from ttcs_edge.central.centre import now, open_centre
from ttcs_edge.central.errors import BadCentreFile
from ttcs_edge.central.main import main
from ttcs_edge.config import load_config
from ttcs_edge.core.documents import Refused, Signed
from ttcs_edge.core.trust import Accepted, check_trust_root
from ttcs_edge.locale.central import CENTRE_TABLES
from ttcs_edge.training.enrolled import enrolled
from ttcs_edge.wire.documents import read_trust_root
from ttcs_edge.yaml_form import explain


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
        ("command", 1, 1),
        ("beacon", 1, 1),
        ("live", 1, 1),
        ("alert", 1, 1),
    ]
    assert signed.document.grants[-1].most_severe == "Extreme"
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
    assert (
        capsys.readouterr().err == f"{centre_folder} is there already; it is not overwritten\nChoose another folder\n"
    )
    assert contents(centre_folder) == before


def test_an_init_that_is_refused_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A threshold above the number of keys makes no folder."""
    code = main(
        ["--lang", "en", "init", str(tmp_path / "c"), "--scope", "vn", "--root-keys", "2", "--root-threshold", "3"]
    )

    assert code == 65
    assert capsys.readouterr().err == (
        "A threshold of 3 does not fit 2 keys\nFrom 1 to the number of keys; at most 16 keys\n"
    )
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
        "Key publish-1 (file2:keys/publish-1.pem) cannot be used: FileNotFoundError\n"
        "Plug the token in, or put the key where centre.yaml says it is\n",
    )


def test_an_enrolled_station_has_a_config_that_it_takes(centre_folder: Path, tmp_path: Path) -> None:
    """With what the centre gave alone the config is valid, names this station, and its trust root stands."""
    assert add(centre_folder, "da-teh-07", "--https-ca", "own") == 0
    folder = enrolled(centre_folder, "da-teh-07", tmp_path / "etc/ttcs-edge")

    config = load_config(folder / "station.yaml", {})

    assert (config.station.id, config.station.scope) == ("da-teh-07", "vn/lam-dong/da-teh")
    assert (config.broker.host, config.broker.port, config.broker.topic_root) == ("mqtt.lam-dong.vn", 8884, "ttcs/v1")
    assert config.broker.ca_file == folder / "identity/ca.pem"
    assert config.https.ca_file == Path("/etc/ttcs-edge/identity/ca.pem")
    assert config.trust_folder == Path("/etc/ttcs-edge/trust")
    (name,) = (path.name for path in (folder / "identities").iterdir())
    assert sorted(contents(folder)) == [
        f"identities/{name}/ca.pem",
        f"identities/{name}/station.key",
        f"identities/{name}/station.pem",
        "station.yaml",
        "trust/root.dsse.json",
    ]
    assert (folder / "identity").readlink() == Path("identities") / name
    signed = read_trust_root((folder / "trust/root.dsse.json").read_bytes())
    assert isinstance(signed, Signed) and check_trust_root(signed, now()) == Accepted()
    ssl.create_default_context().load_cert_chain(config.broker.certificate_file, folder / "identity/station.key")


def test_a_stations_key_is_for_its_owner_alone_and_never_at_the_centre(centre_folder: Path, tmp_path: Path) -> None:
    """It has mode 0600 where it was made, whatever the umask; what the centre keeps of the station has no key."""
    assert add(centre_folder, "da-teh-07") == 0
    before = os.umask(0)
    try:
        folder = enrolled(centre_folder, "da-teh-07", tmp_path / "etc")
    finally:
        os.umask(before)
    key = folder / "identity/station.key"

    secret = key.read_bytes()
    assert mode(key) == 0o600
    assert [name for name, data in contents(tmp_path).items() if secret in data] == [
        str(key.resolve().relative_to(tmp_path))
    ]
    kept = {name: data for name, data in contents(centre_folder).items() if name.startswith("stations/")}
    assert sorted(kept) == [f"stations/da-teh-07.{kind}" for kind in ("crt", "scope.txt", "station.yaml")]
    assert not any(b"PRIVATE KEY" in data for data in kept.values())


def test_a_station_is_not_added_twice(centre_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second add of an id is refused, and nothing changes."""
    assert add(centre_folder, "da-teh-07") == 0
    before = contents(centre_folder)
    capsys.readouterr()

    assert add(centre_folder, "da-teh-07") == 73

    assert capsys.readouterr().err == (
        "There is a station da-teh-07 already\n"
        f"Choose another id; if another box takes its place: ttcs-central enrol {centre_folder} da-teh-07 --again\n"
    )
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

    assert capsys.readouterr().err == (
        "vn/da-nang lies outside vn/lam-dong\nCorrect --scope, or use the centre that has it\n"
    )


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
    """A centre.yaml that lost its scope is told with its line, in both languages, and exit code 66."""
    file = centre_folder / "centre.yaml"
    file.write_text(file.read_text().replace("scope: vn/lam-dong\n", ""))

    assert add(centre_folder, "x") == 66

    told = capsys.readouterr().err
    assert told.startswith(f"{file}:1: scope\n  Sai: Thiếu khóa bắt buộc\n  Thấy: (không có gì)\n")
    assert "\n  Mend: copy this line back from a backup: scope: vn/lam-dong\n" in told
    assert told.endswith("\ncentre.yaml: 1 wrong\nMend those above, then run it again\n")


@pytest.mark.parametrize(
    ("change", "line", "key", "code"),
    [
        (("role: publish", "role: signer"), 26, "keys[4].role", "not-one-of"),
        (("keytype: ed25519", "keytype: [ed25519]"), 7, "keys[1].keytype", "wrong-type"),
        (("signer: file2:keys/root-1.pem", "signer: keys/root-1.pem"), 10, "keys[1].signer", "malformed"),
        (("topic_root: ttcs/v1", "topic_root: ttcs/v1\nbroker: mqtt://x"), 33, "broker", "malformed"),
        (("topic_root: ttcs/v1", "topic_root: ttcs/v1\naudio_url: http://x"), 33, "audio_url", "malformed"),
        (("topic_root: ttcs/v1", "topic_root: ttcs/v1\nname: x"), 33, "name", "duplicate-key"),
        (("name: Lâm Đồng", "name: *x"), 1, "", "alias"),
    ],
)
def test_each_mistake_in_centre_yaml_is_told_where_it_stands(
    centre_folder: Path, change: tuple[str, str], line: int, key: str, code: str
) -> None:
    """A centre.yaml is fitted by hand when a token comes: a mistake there is no traceback, and has words."""
    file = centre_folder / "centre.yaml"
    assert change[0] in file.read_text()
    file.write_text(file.read_text().replace(*change, 1))

    with pytest.raises(BadCentreFile) as raised:
        open_centre(centre_folder)

    assert (line, key, code) in [(one.line, one.key, one.code) for one in raised.value.problems]
    assert explain(raised.value.problems, CENTRE_TABLES).count("\n  Mend: ") == len(raised.value.problems)


def test_an_init_with_a_name_that_no_centre_may_have_leaves_nothing(tmp_path: Path) -> None:
    """What was made is opened before it is there: a name with a control character makes no folder."""
    assert main(["init", str(tmp_path / "c"), "--scope", "vn", "--name", "a\x1b[31m"]) == 66

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["-x", "a/b", "a b", "*.vn", "đà-lạt.vn", ".", "x" * 254])
def test_a_server_certificate_for_no_host_is_refused(centre_folder: Path, name: str) -> None:
    """A name is a file's too: it must be a host's or an address."""
    before = contents(centre_folder)

    assert main(["server-certificate", str(centre_folder), "--", name]) == 65

    assert contents(centre_folder) == before


def test_a_full_disk_leaves_no_half_a_key(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that cannot be written whole is not there at all, not even aside."""
    before = contents(centre_folder)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, limit[1]))
    try:
        assert add(centre_folder, "da-teh-07") == 73
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    assert contents(centre_folder) == before


class Token(CryptoSigner):
    """A hardware token of the tests: it signs with a key that never leaves it, once it was told its PIN."""

    keys: ClassVar[dict[str, CryptoSigner]] = {}

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> CryptoSigner:
        """Give the signer of ``token:NUMBER``, if the PIN is right."""
        assert secrets_handler is not None
        if secrets_handler("pin") != "123456":
            raise PermissionError("wrong PIN")
        return cls.keys[priv_key_uri.partition(":")[2]]


@pytest.mark.parametrize(("pin", "code"), [("123456", 0), ("000000", 66)])
def test_a_hardware_token_signs_in_place_of_a_file(centre_folder: Path, tmp_path: Path, pin: str, code: int) -> None:
    """Its URI in centre.yaml is all that changes; the PIN is asked for, and what it signed is what stations believe."""
    (centre_folder / "keys/publish-1.pem").rename(tmp_path / "token.pem")
    file = centre_folder / "centre.yaml"
    file.write_text(file.read_text().replace("file2:keys/publish-1.pem", "token:7"))
    programme = tmp_path / "p.yaml"
    programme.write_text("scope: vn/lam-dong\ntime_zone: Asia/Ho_Chi_Minh\nvalid_days: 1\nbulletins: []\nslots: []\n")
    words = ["--lang", "en", "publish", str(centre_folder), str(programme), "--via-broker", "--dry-run"]

    given, said = on_a_terminal_of_its_own(words, pin)

    assert os.waitstatus_to_exitcode(given) == code, said
    assert pin not in said
    assert ("vn/lam-dong version 1 is good" in said) == (code == 0)
    assert ("Key publish-1 (token:7) cannot be used: PermissionError" in said) == (code != 0)


def on_a_terminal_of_its_own(words: list[str], pin: str) -> tuple[int, str]:
    """Run ttcs-central where a token can be plugged in, type its PIN when asked; gives the status and the screen."""
    script = "import sys; from tests.central.test_centre import with_token; sys.exit(with_token(sys.argv[1:]))"
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(Path(__file__).parents[2])
        os.execv(sys.executable, [sys.executable, "-c", script, *words])
    said = b""
    typed = False
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        said += part
        if b"PIN of pin: " in said and not typed:
            typed = True
            os.write(terminal, f"{pin}\n".encode())
    os.close(terminal)
    return os.waitpid(process, 0)[1], said.decode()


def with_token(words: list[str]) -> int:
    """Run ttcs-central with the test's token plugged in; it holds the key that lies beside the programme."""
    key = load_pem_private_key(Path(words[4]).with_name("token.pem").read_bytes(), None)
    Token.keys["7"] = CryptoSigner(key)
    SIGNER_FOR_URI_SCHEME["token"] = Token
    return main(words)


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
