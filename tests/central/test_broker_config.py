"""``ttcs-central broker-config`` and ``revoke``: what is written, what is left alone, what the operator is told."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from tests.central.test_alert import running
from tests.central.test_centre import contents, mode
from tests.parts import MOSQUITTO, eventually, free_port
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.main import main
from ttcs_edge.central.stations import made_stations
from ttcs_edge.training.enrolled import enrolled

HOST = "mqtt.lam-dong.vn"
PLACE = "vn/lam-dong/da-teh"
FILES = {
    "ttcs.conf",
    "ttcs.acl",
    "ttcs-ca.pem",
    "ttcs-crl.pem",
    "ttcs-server.crt",
    "ttcs-server.key",
    "ttcs-enrol.mosquitto",
    "ttcs-enrol.acl",
    "ttcs-enrol.users",
    "ttcs-enrol.service",
}
MARK = "# Made by `ttcs-central broker-config` for vn/lam-dong, and made anew by it: put what is yours elsewhere.\n"
CONFIG = """\
listener 8883
cafile /etc/mosquitto/conf.d/ttcs-ca.pem
certfile /etc/mosquitto/conf.d/ttcs-server.crt
keyfile /etc/mosquitto/conf.d/ttcs-server.key
crlfile /etc/mosquitto/conf.d/ttcs-crl.pem
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file /etc/mosquitto/conf.d/ttcs.acl
max_connections 41000
max_qos 1
message_size_limit 16809984
max_packet_size 16842752
max_inflight_messages 20
max_queued_messages 10000
max_queued_bytes 67108864
max_keepalive 1260
persistent_client_expiration 14d
persistence true
autosave_interval 300
set_tcp_nodelay true
"""
OPERATOR = """\
user operator
topic readwrite ttcs/v1/scope/vn/lam-dong/#
topic readwrite ttcs/v1/blob/+/+
topic write ttcs/v1/station/+/command
topic write ttcs/v1/station/+/certificate
topic read ttcs/v1/station/+/status
topic read ttcs/v1/station/+/heartbeat
topic read ttcs/v1/station/+/event
topic read ttcs/v1/station/+/reply
topic read ttcs/v1/station/+/renewal
"""
STATION = """
user xa-01
topic write ttcs/v1/station/xa-01/status
topic write ttcs/v1/station/xa-01/heartbeat
topic write ttcs/v1/station/xa-01/event
topic write ttcs/v1/station/xa-01/reply
topic write ttcs/v1/station/xa-01/renewal
topic read ttcs/v1/blob/+/+
topic read ttcs/v1/scope/vn/alert/+
topic read ttcs/v1/scope/vn/beacon
topic read ttcs/v1/scope/vn/lam-dong/alert/+
topic read ttcs/v1/scope/vn/lam-dong/beacon
topic read ttcs/v1/scope/vn/lam-dong/live/+
topic read ttcs/v1/scope/vn/lam-dong/programme
topic read ttcs/v1/scope/vn/lam-dong/trust
topic read ttcs/v1/scope/vn/live/+
topic read ttcs/v1/scope/vn/programme
topic read ttcs/v1/scope/vn/trust
topic read ttcs/v1/station/xa-01/certificate
topic read ttcs/v1/station/xa-01/command
"""
INSTALL = "install -o mosquitto -g mosquitto -m 0400 {0}/broker/ttcs* /etc/mosquitto/conf.d/ && systemctl {1} mosquitto"
DOOR = " && systemctl enable {}/ttcs-enrol.service && systemctl daemon-reload && systemctl restart ttcs-enrol"


@pytest.fixture
def centre(centre_folder: Path) -> Path:
    """A centre with a certificate for its broker."""
    assert main(["server-certificate", str(centre_folder), HOST]) == 0
    return centre_folder


def add(folder: Path, station: str, scope: str = PLACE) -> None:
    """Add a station, and enrol its box."""
    assert main(["add-station", str(folder), station, "--scope", scope, "--broker", HOST]) == 0
    enrolled(folder, station, folder.with_name(f"box-of-{station}-{len(list(folder.parent.iterdir()))}"))


def write(folder: Path, *more: str, lang: str = "en") -> int:
    """Write the rules."""
    return main(["--lang", lang, "broker-config", str(folder), "--broker", HOST, *more])


def test_the_files_say_who_may_connect_and_who_may_say_and_hear_what(
    centre: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole configuration and the whole access list; each file for its owner alone."""
    add(centre, "xa-01", "vn/lam-dong")
    capsys.readouterr()

    assert write(centre) == 0

    out = centre / "broker"
    assert capsys.readouterr().out == (
        f"Wrote the configuration and the rights of 1 stations into {out}\n"
        f"Then on the broker's machine, as root: {INSTALL.format(centre, 'restart')}"
        f"{DOOR.format('/etc/mosquitto/conf.d')}\n"
    )
    assert {path.name for path in out.iterdir()} == FILES
    assert {mode(path) for path in out.iterdir()} == {0o600}
    assert (out / "ttcs.conf").read_text() == MARK + CONFIG
    assert (out / "ttcs.acl").read_text() == MARK + OPERATOR + STATION
    for name, source in (
        ("ttcs-ca.pem", "ca.pem"),
        ("ttcs-crl.pem", "crl.pem"),
        ("ttcs-server.crt", f"servers/{HOST}.crt"),
        ("ttcs-server.key", f"servers/{HOST}.key"),
    ):
        assert (out / name).read_text() == MARK + (centre / source).read_text()


def test_written_again_the_files_are_the_same_and_a_reload_is_enough(
    centre: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same records, the same bytes, in whatever order stations were added; a new station needs no restart."""
    add(centre, "b")
    add(centre, "a", "vn/lam-dong/bao-loc")
    assert write(centre) == 0
    before = contents(centre / "broker")
    capsys.readouterr()

    assert write(centre, lang="vi") == 0

    assert contents(centre / "broker") == before
    assert capsys.readouterr().out == (
        f"Đã ghi cấu hình và quyền của 2 trạm vào {centre}/broker\n"
        f"Rồi trên máy chủ MQTT, với quyền root: {INSTALL.format(centre, 'reload')}\n"
    )
    add(centre, "C")
    capsys.readouterr()
    assert write(centre) == 0
    after = contents(centre / "broker")
    assert {name for name in FILES if after[name] != before[name]} == {"ttcs.acl"}
    users = [line for line in after["ttcs.acl"].decode().splitlines() if line.startswith("user")]
    assert users == ["user operator", "user C", "user a", "user b"]
    assert capsys.readouterr().out.endswith("systemctl reload mosquitto\n")


def test_files_written_where_the_broker_reads_them_are_handed_over_in_place(
    centre: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The paths are those of ``--at``, and so is the command, whatever is in a name."""
    place = tmp_path / "conf d"

    assert write(centre, "--out", str(place), "--at", str(place)) == 0

    told = capsys.readouterr().out
    door = DOOR.format(f"'{place}").replace(".service", ".service'")
    assert told.endswith(f"as root: chown mosquitto: '{place}'/ttcs* && systemctl restart mosquitto{door}\n")
    assert f"\ncafile {place}/ttcs-ca.pem\n" in (place / "ttcs.conf").read_text()


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_somebody_else_put_there_is_not_replaced_unasked(
    centre: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Nothing is written then; ``--force`` replaces it."""
    assert write(centre) == 0
    file = centre / "broker" / name
    file.write_text("listener 1883\n")
    add(centre, "a")
    before = contents(centre / "broker")
    capsys.readouterr()

    assert write(centre) == 73

    assert capsys.readouterr().err == (
        f"{file} was not written by broker-config of this centre; it is not replaced\nMove it away, or use --force\n"
    )
    assert contents(centre / "broker") == before
    assert write(centre, "--force") == 0
    assert file.read_text().startswith(MARK)


def test_without_a_certificate_of_that_name_nothing_is_written(
    centre: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that makes one is told. A second name of a certificate is a name of it, too."""
    assert main(["--lang", "en", "broker-config", str(centre), "--broker", "10.0.0.1"]) == 66

    assert capsys.readouterr().err == (
        f"There is no certificate for the server 10.0.0.1\nRun: ttcs-central server-certificate {centre} 10.0.0.1\n"
    )
    assert not (centre / "broker").exists()
    assert main(["server-certificate", str(centre), "other.example", "10.0.0.1"]) == 0
    assert main(["broker-config", str(centre), "--broker", "10.0.0.1:8884"]) == 0
    assert (centre / "broker/ttcs-server.crt").read_text() == MARK + (centre / "servers/other.example.crt").read_text()
    assert "\nlistener 8884\n" in (centre / "broker/ttcs.conf").read_text()


@pytest.mark.parametrize("place", ["conf.d", "/etc/conf\nuser root"])
def test_a_place_that_would_be_another_line_of_the_configuration_is_refused(centre: Path, place: str) -> None:
    """``--at`` is an absolute path, on one line."""
    assert write(centre, "--at", place) == 65

    assert not (centre / "broker").exists()


@pytest.mark.parametrize("written", [None, "", "vn/da-nang", "vn/lam-dong/#", "vn/lam-dong\ntopic readwrite #"])
def test_a_station_whose_scope_nobody_knows_is_told_not_forgotten(
    centre: Path, capsys: pytest.CaptureFixture[str], written: str | None
) -> None:
    """A list without it would make it mute; one with that scope would let it hear more than its own."""
    add(centre, "a")
    file = centre / "stations/a.scope.txt"
    file.unlink() if written is None else file.write_text(written)
    capsys.readouterr()

    assert write(centre) == 66

    assert capsys.readouterr().err == (
        f"The centre does not know the scope of station a\nWrite its scope into {file}, such as vn/lam-dong/da-teh\n"
    )
    assert not (centre / "broker").exists()


@pytest.mark.parametrize("name", ["a b", "+", "#", "a\ntopic readwrite #", "operator", "a+", "-", "đạ-tẻh"])
def test_a_record_whose_name_is_no_id_adds_no_line_to_the_access_list(
    centre: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Ids name users and levels of topics: a space, a wildcard or a new line would be rights for somebody else."""
    add(centre, "a")
    stations = centre / "stations"
    (stations / "a.crt").rename(stations / f"{name}.crt")
    (stations / "a.scope.txt").rename(stations / f"{name}.scope.txt")
    (stations / "a.station.yaml").rename(stations / f"{name}.station.yaml")

    assert write(centre) == 65

    assert not (centre / "broker").exists()


def test_a_disk_that_is_full_leaves_every_file_whole(centre: Path) -> None:
    """Each is replaced in one step: a broker never reads half a list."""
    assert write(centre) == 0
    before = contents(centre / "broker")
    for number in range(40):
        add(centre, f"station-{number:02}")
    limit = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (2000, 2000))"
    code = f"import sys; from ttcs_edge.central.main import main; {limit}; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "broker-config", str(centre), "--broker", HOST]

    done = subprocess.run(command, capture_output=True, env=os.environ)

    assert done.returncode == 73
    assert contents(centre / "broker") == before
    assert {path.name for path in (centre / "broker").iterdir()} == FILES


DEBIANS_OWN = """\
persistence true
persistence_location {folder}/
log_dest file {folder}/log
include_dir {folder}/conf.d
"""
"""What Debian 12 and 13 put into ``/etc/mosquitto/mosquitto.conf``, but for the places."""


def test_mosquitto_takes_the_files_as_they_are_and_the_operators_commands_work(
    centre: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside Debian's own configuration: no option stands twice, none is unknown, and none is warned of."""
    port, place = free_port(), tmp_path / "conf.d"
    add(centre, "a")
    assert main(["server-certificate", str(centre), "127.0.0.1"]) == 0
    there = ["--broker", f"127.0.0.1:{port}"]
    assert main(["broker-config", str(centre), *there, "--out", str(place), "--at", str(place)]) == 0
    text = DEBIANS_OWN.format(folder=tmp_path) + ("user root\n" if os.geteuid() == 0 else "")
    (tmp_path / "mosquitto.conf").write_text(text)
    broker = subprocess.Popen([MOSQUITTO, "-c", tmp_path / "mosquitto.conf"], stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: main(["beacon", str(centre), *there]) == 0)
        with running("watch", str(centre), *there, "--once", "--for", "3") as watching:
            assert main(["beacon", str(centre), *there]) == 0
            assert main(["watch", str(centre), *there, "--json", "--for", "1"]) == 0
            assert watching.result() == 0, "several at once"
        broker.send_signal(signal.SIGHUP)
        eventually(lambda: "Reloading config" in (tmp_path / "log").read_text())
        assert main(["beacon", str(centre), *there]) == 0
    finally:
        broker.terminate()
        errors = broker.communicate()[1]
    said = (errors + (tmp_path / "log").read_text()).splitlines()
    assert [line for line in said if re.search("rror|arning", line) and "run as root" not in line] == []


def test_systemd_finds_nothing_wrong_with_the_unit_of_the_door(centre: Path) -> None:
    """systemd-analyze verify, of the file as it is written."""
    assert write(centre) == 0

    unit = centre / "broker/ttcs-enrol.service"
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert "ExecStart=/usr/sbin/mosquitto -c /etc/mosquitto/conf.d/ttcs-enrol.mosquitto\n" in unit.read_text()


# -- taking back


def serials(folder: Path) -> set[int]:
    """What stands in the list of a centre."""
    crl = x509.load_pem_x509_crl((folder / "crl.pem").read_bytes())
    return {one.serial_number for one in crl}


def serial(file: Path) -> int:
    """Of a certificate."""
    return x509.load_pem_x509_certificate(file.read_bytes()).serial_number


def test_a_station_that_is_revoked_is_in_the_list_and_in_no_other_record(
    centre: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the operator is told to do next ends with a restart: a reload would leave a connection that stands."""
    add(centre, "a")
    add(centre, "b")
    assert write(centre) == 0
    old = serial(centre / "stations/a.crt")
    record = (centre / "stations/a.crt").read_bytes()
    capsys.readouterr()

    assert main(["--lang", "en", "revoke", str(centre), "a"]) == 0

    assert capsys.readouterr().out == (
        f"Took back certificate {old:x} of station a; its id may be given to another machine\n"
        f"The broker still takes that certificate until you run: ttcs-central broker-config {centre}\n"
    )
    assert serials(centre) == {old}
    assert made_stations(open_centre(centre)) == [("b", PLACE)]
    assert sorted(path.name for path in (centre / "stations").iterdir()) == ["b.crt", "b.scope.txt", "b.station.yaml"]
    assert contents(centre / "revoked") == {f"a.{old:x}.crt": record}
    assert write(centre) == 0
    assert capsys.readouterr().out.endswith("systemctl restart mosquitto\n")
    assert "user a\n" not in (centre / "broker/ttcs.acl").read_text()


def test_the_list_of_a_centre_is_one_that_rfc_5280_knows_and_holds_as_long_as_its_authority(centre: Path) -> None:
    """Signed, numbered, naming its issuer's key; what was revoked first keeps its instant."""
    add(centre, "a")
    add(centre, "b")
    assert write(centre) == 0
    authority = x509.load_pem_x509_certificate((centre / "ca.pem").read_bytes())
    empty = x509.load_pem_x509_crl((centre / "crl.pem").read_bytes())

    assert main(["revoke", str(centre), "a"]) == 0
    first = x509.load_pem_x509_crl((centre / "crl.pem").read_bytes())
    assert main(["revoke", str(centre), "b"]) == 0
    second = x509.load_pem_x509_crl((centre / "crl.pem").read_bytes())

    for number, crl in enumerate((empty, first, second), 1):
        assert len(list(crl)) == number - 1
        assert crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
        assert crl.issuer == authority.subject
        assert crl.next_update_utc == authority.not_valid_after_utc
        assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == number
        assert crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert empty.last_update_utc < first.last_update_utc < second.last_update_utc
    entries = [{(one.serial_number, one.revocation_date_utc) for one in crl} for crl in (first, second)]
    assert entries[0] < entries[1]


def test_a_revoked_id_may_be_given_to_another_machine_and_taken_back_again(centre: Path) -> None:
    """The serial numbers are what counts."""
    taken = set()
    for _ in range(2):
        add(centre, "a")
        taken.add(serial(centre / "stations/a.crt"))
        assert main(["revoke", str(centre), "a"]) == 0

    assert len(taken) == 2 and serials(centre) == taken


@pytest.mark.parametrize("station", ["b", "operator", "../ca", "a/../a", ""])
def test_only_a_station_of_the_centre_is_revoked(
    centre: Path, capsys: pytest.CaptureFixture[str], station: str
) -> None:
    """Nothing is changed by a name that is none."""
    add(centre, "a")
    before = contents(centre)
    capsys.readouterr()

    code = main(["--lang", "en", "revoke", str(centre), station])

    assert contents(centre) == before
    if station == "b":
        assert capsys.readouterr().err == (
            f"There is no station b in {centre}/stations\nSee the ids of the stations: ls {centre}/stations\n"
        )
    assert code == (66 if station == "b" else 65)


@pytest.mark.parametrize("done", range(5))
def test_a_revocation_that_is_broken_off_is_finished_by_the_next(centre: Path, tmp_path: Path, done: int) -> None:
    """Wherever the power went: the record goes last, so the next try does what is left."""
    add(centre, "a")
    old = serial(centre / "stations/a.crt")
    other = Path(shutil.copytree(centre, tmp_path / "whole"))
    assert main(["revoke", str(other), "a"]) == 0
    steps = [f"revoked/a.{old:x}.crt", "crl.pem", "stations/a.crt", "stations/a.scope.txt"]
    for name in steps[:done]:
        if (other / name).exists():
            (centre / name).parent.mkdir(exist_ok=True)
            shutil.copy(other / name, centre / name)
        else:
            (centre / name).unlink()

    assert main(["revoke", str(centre), "a"]) == 0

    assert serials(centre) == {old}
    assert not list((centre / "stations").iterdir())


def test_a_list_that_was_lost_is_made_again_from_what_was_taken_back(centre: Path) -> None:
    """No revoked certificate counts again because a file is gone."""
    add(centre, "a")
    old = serial(centre / "stations/a.crt")
    assert main(["revoke", str(centre), "a"]) == 0
    (centre / "crl.pem").unlink()

    assert write(centre) == 0

    assert serials(centre) == {old}


def test_a_list_that_is_damaged_is_told_and_not_replaced(centre: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person must look: it may have held what nothing else does."""
    (centre / "crl.pem").write_text("garbage")

    assert write(centre) == 66

    assert capsys.readouterr().err.startswith(f"{centre}/crl.pem")
    assert (centre / "crl.pem").read_text() == "garbage"
