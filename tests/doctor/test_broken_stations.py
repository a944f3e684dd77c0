"""Broken stations: of each, doctor names the true cause first, and following its mend cures it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.cli.terminal import run as command
from tests.parts import Authority, Broker, Province, Station, eventually, free_port
from tests.system.sight import status
from ttcs_edge.central.authority import make_revocation_list
from ttcs_edge.central.broker_rules import REVOKED
from ttcs_edge.core.model import Scope
from ttcs_edge.doctor import sound
from ttcs_edge.doctor.checks import CHECKS, Check, Result, run, worst
from ttcs_edge.doctor.drawing import first_cause
from ttcs_edge.doctor.finding import Level
from ttcs_edge.doctor.ground import survey
from ttcs_edge.doctor.mending import mend
from ttcs_edge.doctor.programs import run as run_program
from ttcs_edge.doctor.sound import Control
from ttcs_edge.drivers.pins import touch
from ttcs_edge.link.control import ask

NIGHT = 'quiet_hours: ["21:00-05:00"]\n'
NOT_STARTED = ("daemon", "daemon-away")
"""All that is left to be told of a station of which only the files were looked at."""


def now() -> datetime:
    """By this machine's clock."""
    return datetime.now(timezone.utc)


@dataclass
class Bench:
    """A station, its broker, and what a test has changed about the machine under it."""

    station: Station
    broker: Broker
    authority: Authority
    folder: Path
    clock: Callable[[], datetime] = now
    mixer: list[Control] = field(default_factory=list)

    def controls(self, device: str) -> list[Control]:
        """What the mixer of the card says."""
        return self.mixer

    def edit(self, before: str, after: str) -> None:
        """Change the configuration by hand."""
        text = self.station.config.read_text()
        assert text.count(before) == 1, before
        self.station.config.write_text(text.replace(before, after))

    def look(self) -> list[Result]:
        """What doctor finds; the mixer is this bench's, for no machine of a test has one."""
        mixed = Check("sound", lambda ground: sound.look(ground, self))
        checks = tuple(mixed if check.name == "sound" else check for check in CHECKS)
        return list(run(survey(self.station.config, clock=self.clock), checks))

    def cause(self) -> tuple[str, str]:
        """What doctor names first: the check and the code."""
        first = first_cause(self.look())
        return ("", "") if first is None else (first[0].name, first[1].code)

    def fix(self) -> list[str]:
        """What ``--fix`` does about it; gives the commands."""
        findings = [one for _, found in self.look() for one in found]
        done = list(mend(findings, run_program))
        assert all(said.code == 0 for _, said in done), done
        return [" ".join(words) for words, _ in done]


@pytest.fixture
def bench(station: Station, broker: Broker, authority: Authority, tmp_path: Path) -> Bench:
    """A station that is well, and not started."""
    station.extra = NIGHT
    station.install()
    authority.client(station.id)[1].chmod(0o600)
    return Bench(station, broker, authority, tmp_path)


# ------------------------------------------------------------------------------------------ what lies on the card

Break = Callable[[Bench], Callable[[], object]]
"""Breaks a station, and gives what follows the mend that doctor tells."""


def edited(before: str, after: str) -> Break:
    """A mistake in the file; to write it right again is the mend."""

    def broken(bench: Bench) -> Callable[[], object]:
        bench.edit(before, after)
        return lambda: bench.edit(after, before)

    return broken


def overwritten(path: Callable[[Bench], Path], data: Callable[[Bench], bytes]) -> Break:
    """A file that holds something else; to copy the right one again is the mend."""

    def broken(bench: Bench) -> Callable[[], object]:
        file = path(bench)
        right = file.read_bytes()
        file.write_bytes(data(bench))
        return lambda: file.write_bytes(right)

    return broken


def own_key(bench: Bench) -> Path:
    """The station's key."""
    return bench.authority.client(bench.station.id)[1]


def own_certificate(bench: Bench) -> Path:
    """The station's certificate."""
    return bench.authority.client(bench.station.id)[0]


def exposed(bench: Bench) -> Callable[[], object]:
    """A key that everybody may read; doctor closes it itself."""
    own_key(bench).chmod(0o644)

    def fixed() -> None:
        assert bench.fix() == [f"chmod o-rwx {own_key(bench)}"]
        assert own_key(bench).stat().st_mode & 0o007 == 0

    return fixed


def behind(bench: Bench) -> Callable[[], object]:
    """A board without a battery clock, before it has heard of the time."""
    bench.clock = lambda: datetime(2020, 1, 1, tzinfo=timezone.utc)
    return lambda: setattr(bench, "clock", now)


def full(bench: Bench) -> Callable[[], object]:
    """A card on which less is free than the station must leave free."""
    before, after = "free_mb: 16", "free_mb: 1000000"
    bench.edit(before, after)
    return lambda: bench.edit(after, before)


def damaged(bench: Bench) -> Callable[[], object]:
    """A database in which a sector went bad; a start of the station saves what can be read."""
    bench.station.start()
    bench.station.stop()
    file = bench.station.folder / "state/ttcs.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = file.read_bytes()
    file.write_bytes(data[:4096] + bytes(len(data) - 4096))

    def started() -> None:
        bench.station.start()
        bench.station.stop()

    return started


def no_folder(bench: Bench) -> Callable[[], object]:
    """A folder for sound that nobody made."""
    before, after = f"{bench.station.folder}/aired.wav", f"{bench.station.folder}/away/aired.wav"
    bench.edit(before, after)
    return lambda: (bench.station.folder / "away").mkdir()


def muted(bench: Bench) -> Callable[[], object]:
    """A card whose mixer somebody has turned off."""
    bench.edit(f"driver: wav, wav_file: {bench.station.folder}/aired.wav", "driver: alsa, device: 'null'")
    bench.mixer = [Control("Speaker", 73, muted=True)]
    return lambda: setattr(bench, "mixer", [Control("Speaker", 80, muted=False)])


def unplugged(bench: Bench) -> Callable[[], object]:
    """A sound card that is not there."""
    bench.edit(f"driver: wav, wav_file: {bench.station.folder}/aired.wav", "driver: alsa, device: 'plughw:CARD=Device'")
    return lambda: bench.edit("'plughw:CARD=Device'", "'null'")


def no_board(bench: Bench) -> Callable[[], object]:
    """A zone far away, whose line of relay boards is not plugged in."""
    bench.edit("name: Đình, pin: 22", "name: Đình, unit: 1, coil: 0")
    port = bench.folder / "rs485"
    bench.edit("heartbeat_s: 5\n", f"heartbeat_s: 5\nrs485: {{port: {port}}}\n")
    return port.touch


ON_THE_CARD: dict[str, tuple[Break, str, str]] = {
    "a tabulator in the YAML": (edited("zones:\n", "zones:\n\t\n"), "config", "tab"),
    "a key that is spelled wrong": (edited("heartbeat_s: 5", "heartbeet_s: 5"), "config", "unknown-key"),
    "a pin that no board has": (edited("pin: 27", "pin: 99"), "config", "out-of-range"),
    "two zones on one pin": (edited("name: Chợ, pin: 27", "name: Chợ, pin: 22"), "config", "same-pin"),
    "an hour without its quotes": (edited('"21:00-05:00"', "21:00"), "config", "wrong-type"),
    "no GPIO on this machine": (
        edited("factory: mock, mock_folder", "factory: lgpio, mock_folder"),
        "relays",
        "no-gpio",
    ),
    "the id of another station": (
        edited("id: da-teh-01\n", "id: da-teh-02\n"),
        "identity",
        "certificate-of-another-name",
    ),
    "the scope of another province": (edited("vn/lam-dong/da-teh", "vn/dak-lak/ea-kar"), "trust", "trust-elsewhere"),
    "a certificate that is no certificate": (
        overwritten(own_certificate, lambda _: b"?"),
        "identity",
        "not-a-certificate",
    ),
    "a key that is none": (overwritten(own_key, lambda _: b"?"), "identity", "not-a-key"),
    "the key of another certificate": (
        overwritten(own_key, lambda bench: bench.authority.client("another")[1].read_bytes()),
        "identity",
        "key-mismatch",
    ),
    "the authority of another centre": (
        overwritten(
            lambda bench: bench.authority.ca_file,
            lambda bench: Authority(bench.folder / "elsewhere", "elsewhere").ca_file.read_bytes(),
        ),
        "identity",
        "certificate-of-another-authority",
    ),
    "a trust root that is damaged": (
        overwritten(lambda bench: bench.station.folder / "trust/root.dsse.json", lambda _: b"{}"),
        "trust",
        "trust-refused",
    ),
    "the trust root of another place": (
        overwritten(
            lambda bench: bench.station.folder / "trust/root.dsse.json",
            lambda _: Province(scope=Scope("vn/dak-lak")).signed_root(),
        ),
        "trust",
        "trust-elsewhere",
    ),
    "a key that everybody can read": (exposed, "identity", "key-exposed"),
    "a clock that is years behind": (behind, "clock", "clock-behind"),
    "a full card": (full, "disk", "disk-low"),
    "a damaged database": (damaged, "store", "store-damaged"),
    "a folder that nobody made": (no_folder, "store", "folder-missing"),
    "a mixer that is muted": (muted, "sound", "mixer-muted"),
    "a relay board that is not plugged in": (no_board, "devices", "device-missing"),
    "no sound card": (unplugged, "sound", "no-sound-card"),
}


@pytest.mark.parametrize("name", ON_THE_CARD)
def test_what_lies_on_the_card_is_named_first_and_its_mend_cures_it(bench: Bench, name: str) -> None:
    """Nothing else was wrong: with that mended, all that is left is that nobody has started the station."""
    break_, check, code = ON_THE_CARD[name]
    mended = break_(bench)

    assert bench.cause() == (check, code)
    mended()
    assert bench.cause() == NOT_STARTED


def test_an_expired_certificate_is_told_by_its_date_and_not_by_a_wrong_clock(bench: Bench) -> None:
    """With a clock that its owner vouches for, the certificate is the cause; with one that nobody keeps, the clock."""
    bench.clock = lambda: now() + timedelta(days=20_000)
    assert bench.cause() == ("identity", "certificate-over")

    bench.edit("clock: {trust: host}", "clock: {trust: kernel}")
    assert bench.cause()[0] == "clock"


# ------------------------------------------------------------------------------------------------ what runs


@pytest.fixture
def running(bench: Bench) -> Bench:
    """A station that runs, and has its broker."""
    bench.station.start()
    eventually(lambda: status(bench.station)["link_up"])
    return bench


def test_a_station_that_is_well_has_nothing_red(running: Bench) -> None:
    """All that is to be told is that it has no programme yet."""
    results = running.look()
    told = {check.name: [(one.level, one.code) for one in found] for check, found in results}

    assert worst(results) is Level.YELLOW
    assert first_cause(results) is not None
    assert running.cause() == ("programme", "programme-none")
    assert [name for name, found in told.items() if found[0][0] is Level.UNSEEN] == [
        *(name for name in ("disk", "card", "voltage", "temperature") if told[name][0][1] == "nothing-tells"),
        "unit",
    ]
    assert told["broker"] == [(Level.GREEN, "broker-connected")]


def test_the_command_tells_a_person_a_program_and_a_script(running: Bench) -> None:
    """On a phone's screen, as JSON, and by its exit code."""
    config = running.station.config
    phone = command("doctor", "--config", config, columns=40)
    assert (phone.returncode, phone.stderr) == (0, "")
    assert phone.stdout.splitlines()[-6:] == [
        "0 chỗ sai, 1 chỗ cần xem. Sửa trước",
        "tiên:",
        "!  Chương trình: chưa có chương trình",
        "   nào cho vn/lam-dong/da-teh",
        "   → nhờ trung tâm phát hành, hoặc nhập",
        "   bằng USB: ttcs-edge import",
    ]
    running.station.stop()
    done = command("doctor", "--config", config, "--json", "--lang", "en")
    told = json.loads(done.stdout)
    assert (done.returncode, told["level"], told["checks"][0]["level"]) == (os.EX_UNAVAILABLE, "red", "green")
    socket = running.station.folder / "run/control.sock"
    assert told["first"] == {
        "check": "daemon",
        "level": "red",
        "code": "daemon-away",
        "fields": {"socket": str(socket)},
        "meaning": f"no, the program is not running ({socket})",
        "mend": "sudo systemctl restart ttcs-edge",
    }
    config.write_text("zones: [")
    assert command("doctor", "--config", config, "--json").returncode == os.EX_CONFIG


def test_a_daemon_that_was_killed_is_started_again(running: Bench) -> None:
    """By whoever reads the mend; here it is not the service manager who would have done so."""
    running.station.stop(signal.SIGKILL)
    assert running.cause() == NOT_STARTED
    running.station.start()
    assert running.cause() == ("programme", "programme-none")


def test_a_daemon_that_hangs_is_not_one_that_is_away(running: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its socket, and says nothing."""
    monkeypatch.setattr("ttcs_edge.doctor.ground.ASK_S", 0.5)
    process = running.station.process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    assert running.cause() == ("daemon", "daemon-silent")
    process.send_signal(signal.SIGCONT)
    eventually(lambda: running.cause() == ("programme", "programme-none"))


def test_contacts_that_are_crossed_are_told_as_that(bench: Bench) -> None:
    """Each relay moves the contact of the other zone."""
    bench.edit("pin: 27}", "pin: 27, contact_pin: 23}")
    bench.edit("pin: 22}", "pin: 22, contact_pin: 24}")
    bench.station.lines.mkdir(exist_ok=True)
    with wired(bench.station.lines, {22: 23, 27: 24}):
        bench.station.start()
        lease = {"ask": "lease", "zones": ["cho"], "silent": False, "now": True, "seconds": 1}
        eventually(lambda: _asked(bench, lease))
        eventually(lambda: len([one for one in status(bench.station)["faults"] if one["code"] == "relay"]) > 1)
        assert bench.cause() == ("relays", "zones-swapped")
        bench.station.stop()
    with wired(bench.station.lines, {27: 23, 22: 24}):
        bench.station.start()
        for zone in ("cho", "dinh"):
            eventually(lambda zone=zone: _asked(bench, lease | {"zones": [zone]}))  # type: ignore[misc]
            eventually(lambda: status(bench.station)["state"] == "idle")
        eventually(lambda: bench.cause() == ("programme", "programme-none"))


def _asked(bench: Bench, lease: dict[str, Any]) -> bool:
    with suppress(Exception):
        ask(bench.station.folder / "run/control.sock", lease)
        return True
    return False


@contextmanager
def wired(lines: Path, contacts: dict[int, int]) -> Iterator[None]:
    """Wires from relays to contacts: a contact closes to ground with its relay."""
    over = threading.Event()

    def follow() -> None:
        while not over.wait(0.005):
            for relay, contact in contacts.items():
                line = lines / f"gpio{relay}"
                closed = line.exists() and line.read_text().strip() == "1"
                touch(lines, contact, 0 if closed else 1)

    for contact in contacts.values():
        touch(lines, contact, 1)
    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# -------------------------------------------------------------------------------------------------- the link


def test_a_broker_that_is_dead_is_told_at_its_port(running: Bench) -> None:
    """The name is right, the network is there."""
    running.broker.stop()
    assert running.cause() == ("port", "port-refused")
    running.broker.start()
    eventually(lambda: running.cause() == ("programme", "programme-none"), 60)


def lost(bench: Bench) -> None:
    """Start the station, without waiting for a link that does not come up."""
    bench.station.start()


def test_a_name_that_nobody_knows_is_told_as_that(bench: Bench) -> None:
    """A letter wrong in the broker's name."""
    bench.edit("host: 127.0.0.1", "host: mqtt.khong-co.invalid")
    lost(bench)
    assert bench.cause() == ("name", "name-unknown")


def test_a_login_page_in_the_way_is_told_as_that(bench: Bench) -> None:
    """What answers at the port speaks, but no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.recv(64)
                        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        bench.edit(f"port: {bench.broker.port}", f"port: {server.getsockname()[1]}")
        lost(bench)
        assert bench.cause() == ("tls", "not-tls")
        server.shutdown(socket.SHUT_RDWR)


def test_an_impostor_is_told_as_one(bench: Bench) -> None:
    """Another authority vouches for who sits there; and nobody is told to turn the check off."""
    impostor = Broker(bench.folder / "impostor", Authority(bench.folder / "elsewhere", "elsewhere"), free_port())
    impostor.start()
    bench.edit(f"port: {bench.broker.port}", f"port: {impostor.port}")
    lost(bench)
    try:
        assert bench.cause() == ("tls", "broker-other-authority")
    finally:
        impostor.stop()


def test_a_broker_with_another_name_is_told_as_that(bench: Bench) -> None:
    """The address leads to a broker of the same authority, whose certificate is for another address."""
    other = Broker(bench.folder / "other", bench.authority, address="0.0.0.0")
    other.start()
    bench.edit(f"host: 127.0.0.1, port: {bench.broker.port}", f"host: 127.0.0.2, port: {other.port}")
    lost(bench)
    try:
        assert bench.cause() == ("tls", "broker-other-name")
    finally:
        other.stop()


def test_a_station_that_the_broker_does_not_know_is_told_to_ask_the_centre(bench: Bench) -> None:
    """Its certificate was taken back."""
    revoke(bench)
    lost(bench)
    assert bench.cause() == ("broker", "broker-refuses")


def revoke(bench: Bench) -> None:
    """Have the broker take the station's certificate for revoked."""
    serial = x509.load_pem_x509_certificate(own_certificate(bench).read_bytes()).serial_number
    revoked = make_revocation_list(bench.authority._pair, {serial: None}, None)
    (bench.folder / "broker" / REVOKED).write_bytes(revoked)
    bench.broker.reload()
