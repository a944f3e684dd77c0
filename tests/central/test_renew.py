"""``ttcs-central renew``: what a centre renews, and a real station whose certificate is about to end."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.attacks.test_broker_rules import Intruder
from tests.central.conftest import let_in
from tests.parts import ROOT, Broker, Station, eventually
from tests.system.sight import status
from ttcs_edge.central import authority
from ttcs_edge.central.broker import NOBODY_LISTENS
from ttcs_edge.central.broker_rules import REVOKED
from ttcs_edge.central.centre import Centre, open_centre
from ttcs_edge.central.enrolment import end_former
from ttcs_edge.central.main import main
from ttcs_edge.central.renew import Renewed, renewal
from ttcs_edge.central.stations import files_of
from ttcs_edge.config import RENEWED
from ttcs_edge.training.enrolled import enrolled
from ttcs_edge.wire.certificates import load_key, make_request, public_bytes
from ttcs_edge.wire.topics import OWN_CERTIFICATE, RENEWAL, Topics

STATION = "da-teh-01"
TOPICS = Topics(ROOT)
NOW = datetime.now(timezone.utc)
ASKS = TOPICS.station(STATION, RENEWAL)
GETS = TOPICS.station(STATION, OWN_CERTIFICATE)


@pytest.fixture
def centre(centre_folder: Path) -> Centre:
    """A centre that knows a station."""
    add = ["add-station", str(centre_folder), STATION, "--scope", "vn/lam-dong/da-teh", "--broker", "x"]
    assert main(add) == 0
    return open_centre(centre_folder)


def key_of(folder: Path) -> ec.EllipticCurvePrivateKey:
    """The key of a station whose files are below a folder."""
    key = load_key((folder / "identity/station.key").read_bytes())
    assert key is not None
    return key


def loaded(pem: bytes) -> x509.Certificate:
    """A certificate."""
    return x509.load_pem_x509_certificate(pem)


def let_it_end(centre: Centre, folder: Path, left: timedelta) -> int:
    """Give a station a certificate that ends so soon, at the centre too; gives its serial.

    It began a day ago, so of one with six hours left the last quarter has begun.
    """
    key = key_of(folder).public_key()
    until, use = datetime.now(timezone.utc) + left, ExtendedKeyUsageOID.CLIENT_AUTH
    pem = authority._certify(centre.authority, key, STATION, until, use, ())
    (folder / "identity/station.pem").write_bytes(pem)
    files_of(centre, STATION).record.write_bytes(pem)
    return loaded(pem).serial_number


# -- what the centre does with a request


def test_a_renewed_certificate_is_over_the_same_key_for_two_years(centre: Centre, tmp_path: Path) -> None:
    """On record at once; the one before is kept, for it holds on."""
    folder = enrolled(centre.folder, STATION, tmp_path / "etc")
    old = let_it_end(centre, folder, timedelta(hours=6))

    found = renewal(centre, STATION, make_request(key_of(folder), STATION), NOW)

    assert isinstance(found, Renewed) and found.is_new
    new, files = loaded(found.pem), files_of(centre, STATION)
    assert public_bytes(new.public_key()) == public_bytes(key_of(folder).public_key())
    assert new.subject.rfc4514_string() == f"CN={STATION}"
    assert timedelta(days=729) < new.not_valid_after_utc - NOW < timedelta(days=731)
    assert files.record.read_bytes() == found.pem
    assert [loaded(one.read_bytes()).serial_number for one in files.former] == [old]


def test_who_asks_early_or_again_is_sent_what_there_is(centre: Centre, tmp_path: Path) -> None:
    """A stolen key cannot have the centre sign without end, and an answer that was lost is sent again."""
    folder = enrolled(centre.folder, STATION, tmp_path / "etc")
    request = make_request(key_of(folder), STATION)
    record = files_of(centre, STATION).record.read_bytes()

    found = renewal(centre, STATION, request, NOW)
    assert isinstance(found, Renewed) and (found.pem, found.is_new) == (record, False)

    let_it_end(centre, folder, timedelta(hours=6))
    first = renewal(centre, STATION, request, NOW)
    again = renewal(centre, STATION, request, NOW)
    assert isinstance(first, Renewed) and isinstance(again, Renewed)
    assert (first.is_new, again.is_new, first.pem) == (True, False, again.pem)


def stranger() -> ec.EllipticCurvePrivateKey:
    """A key that nobody certified."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("station", "request_of", "why"),
    [
        (STATION, lambda key: make_request(stranger(), STATION), "other-key"),
        (STATION, lambda key: make_request(key, "da-teh-02"), "other-name"),
        (STATION, lambda key: make_request(key, "operator"), "other-name"),
        ("da-teh-02", lambda key: make_request(key, "da-teh-02"), "no-station"),
        (STATION, lambda key: make_request(key, STATION)[:-1], "unreadable"),
        (STATION, lambda key: b"", "unreadable"),
        (STATION, lambda key: b"x" * 100_000, "unreadable"),
    ],
)
def test_only_the_holder_of_the_key_on_record_is_renewed_and_only_under_its_name(
    centre: Centre,
    tmp_path: Path,
    station: str,
    request_of: Callable[[ec.EllipticCurvePrivateKey], bytes],
    why: str,
) -> None:
    """Whatever stands on the topic; nothing is signed, and the record stays."""
    folder = enrolled(centre.folder, STATION, tmp_path / "etc")
    let_it_end(centre, folder, timedelta(hours=6))
    record = files_of(centre, STATION).record.read_bytes()

    assert renewal(centre, station, request_of(key_of(folder)), NOW) == why

    assert files_of(centre, STATION).record.read_bytes() == record


def test_what_was_taken_back_is_not_renewed(centre: Centre, tmp_path: Path) -> None:
    """Revocation ends it, of every certificate that the station had."""
    folder = enrolled(centre.folder, STATION, tmp_path / "etc")
    first = let_it_end(centre, folder, timedelta(hours=6))
    request = make_request(key_of(folder), STATION)
    found = renewal(centre, STATION, request, NOW)
    assert isinstance(found, Renewed)

    assert main(["revoke", str(centre.folder), STATION]) == 0

    assert renewal(centre, STATION, request, NOW) == "no-station"
    crl = x509.load_pem_x509_crl((centre.folder / "crl.pem").read_bytes())
    assert {one.serial_number for one in crl} == {first, loaded(found.pem).serial_number}


def test_one_that_ran_out_is_not_renewed_over_the_wire(centre: Centre, tmp_path: Path) -> None:
    """Its station cannot connect; whoever asks for it is somebody else. It comes back by enrolling."""
    folder = enrolled(centre.folder, STATION, tmp_path / "etc")
    let_it_end(centre, folder, timedelta(hours=6))

    found = renewal(centre, STATION, make_request(key_of(folder), STATION), NOW + timedelta(hours=7))

    assert isinstance(found, Renewed) and not found.is_new
    enrolled(centre.folder, STATION, folder, again=True)
    assert loaded((folder / "identity/station.pem").read_bytes()).not_valid_after_utc > NOW + timedelta(days=700)


# -- a real station


def renew(centre: Centre, broker: Broker) -> int:
    """Once, for all that ask."""
    return main(["--lang", "en", "renew", str(centre.folder), "--broker", f"127.0.0.1:{broker.port}"])


def faults(station: Station) -> set[str]:
    """What the station tells of its certificate."""
    return {one["code"] for one in status(station).get("faults", []) if one["subject"] == "certificate"}


@pytest.fixture
def ending(own_station: Station, centre_folder: Path) -> int:
    """The station is about to lose its certificate; gives the serial."""
    return let_it_end(open_centre(centre_folder), own_station.folder, timedelta(hours=6))


def test_a_station_whose_certificate_ends_is_renewed_without_a_visit(
    centre_folder: Path,
    own_broker: Broker,
    own_station: Station,
    ending: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It asks, is answered when the centre comes to it, keeps it over a kill -9, and connects with it: the old one may
    be taken back.
    """
    centre, kept = open_centre(centre_folder), own_station.folder / "state" / RENEWED
    own_station.start()
    eventually(lambda: faults(own_station) == {"certificate-ends"})
    eventually(lambda: renew(centre, own_broker) == 0 and "Renewed station" in capsys.readouterr().out)
    eventually(lambda: faults(own_station) == set())
    new = loaded(kept.read_bytes())
    assert new.serial_number != ending and kept.read_bytes() == files_of(centre, STATION).record.read_bytes()
    assert (own_station.folder / "identity/station.pem").read_bytes() != kept.read_bytes()
    assert own_station.process is not None
    own_station.process.kill()
    own_station.process.wait()

    end_former(centre, STATION)
    shutil.copy(centre_folder / "crl.pem", own_broker._folder / REVOKED)
    own_broker.stop()
    own_broker.start()
    own_station.start()
    eventually(lambda: status(own_station).get("link_up") and faults(own_station) == set())
    capsys.readouterr()
    eventually(lambda: renew(centre, own_broker) == 0 and capsys.readouterr().out == "No station asks to be renewed\n")
    assert own_station.stop() == 0


def test_bad_answers_change_nothing_and_are_one_fault_each(
    centre_folder: Path, own_broker: Broker, own_station: Station, ending: int
) -> None:
    """Of another authority, key and name, and bytes: from whoever has the broker, or the operator's certificate."""
    centre = open_centre(centre_folder)
    key, liar = key_of(own_station.folder).public_key(), authority.make_authority("Lâm Đồng CA")
    answers = {
        "certificate-unreadable": b"\xff" * 100,
        "certificate-of-another-authority": authority.certify_station(liar, key, STATION),
        "certificate-of-another-key": authority.certify_station(centre.authority, stranger().public_key(), STATION),
        "certificate-of-another-name": authority.certify_station(centre.authority, key, "da-teh-02"),
    }
    let_in(centre_folder, own_broker)
    operator = Intruder(own_broker, "operator")
    own_station.start()
    eventually(lambda: faults(own_station) == {"certificate-ends"})

    def told(code: str) -> bool:
        return code in faults(own_station)

    for number, (code, payload) in enumerate(answers.items(), 1):
        operator.say(GETS, payload, retain=True)
        eventually(partial(told, code))
        assert faults(own_station) == {"certificate-ends", *list(answers)[:number]}
    assert not (own_station.folder / "state" / RENEWED).exists()
    old = authority._certify(
        centre.authority, key, STATION, NOW + timedelta(hours=1), ExtendedKeyUsageOID.CLIENT_AUTH, ()
    )
    operator.say(GETS, old, retain=True)
    eventually(lambda: faults(own_station) == {"certificate-ends"})
    assert not (own_station.folder / "state" / RENEWED).exists(), "one that ends sooner is nothing new"

    eventually(lambda: renew(centre, own_broker) == 0 and faults(own_station) == set(), 20)
    operator.close()
    assert own_station.stop() == 0


def test_what_a_power_cut_left_of_a_renewed_certificate_keeps_nobody_from_connecting(
    own_station: Station, centre_folder: Path
) -> None:
    """Half a file, another key's, nothing: the one that was enrolled is there."""
    state = own_station.folder / "state"
    state.mkdir(exist_ok=True)
    centre = open_centre(centre_folder)
    whole = authority.certify_station(centre.authority, stranger().public_key(), STATION)
    for left in (b"", whole[:100], whole):
        (state / RENEWED).write_bytes(left)
        own_station.start()
        eventually(lambda: status(own_station).get("link_up"))
        assert own_station.stop() == 0


def test_a_station_cannot_ask_in_anothers_name(
    centre_folder: Path, own_broker: Broker, own_station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its rights end at its own topic, and on that only its own name and key count."""
    add = ["add-station", str(centre_folder), "bao-loc-01", "--scope", "vn/lam-dong/bao-loc", "--broker", "x"]
    assert main(add) == 0
    let_in(centre_folder, own_broker)
    thief = Intruder(own_broker, "bao-loc-01")
    request = make_request(key_of(own_station.folder), STATION)

    assert thief.say(ASKS, request, retain=True) == 0x87
    assert thief.say(GETS, b"", retain=True) == 0x87
    assert thief.say(TOPICS.station("bao-loc-01", RENEWAL), request, retain=True) in (0, NOBODY_LISTENS)

    capsys.readouterr()
    assert renew(open_centre(centre_folder), own_broker) == 0
    assert capsys.readouterr().out == "Station bao-loc-01 is not renewed: it asks under another name\n"
    thief.close()


def test_every_station_that_waits_is_answered_in_one_round_whatever_the_others_sent(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Retained: nothing is lost while nobody answers."""
    centre, names = open_centre(centre_folder), ("da-teh-01", "da-teh-02", "da-teh-03")
    for name in names:
        add = ["add-station", str(centre_folder), name, "--scope", "vn/lam-dong/da-teh", "--broker", "x"]
        assert main(add) == 0
        enrolled(centre_folder, name, tmp_path / name)
        asker = Intruder(own_broker, name)
        request = b"nonsense" if name == "da-teh-02" else make_request(key_of(tmp_path / name), name)
        asker.say(TOPICS.station(name, RENEWAL), request, retain=True)
        asker.close()
    capsys.readouterr()

    assert renew(centre, own_broker) == 0

    until = f"{loaded(files_of(centre, names[0]).record.read_bytes()).not_valid_after_utc:%Y-%m-%d}"
    assert sorted(capsys.readouterr().out.splitlines()) == [
        f"Sent station da-teh-01 its certificate until {until} again",
        f"Sent station da-teh-03 its certificate until {until} again",
        "Station da-teh-02 is not renewed: the request is damaged",
    ]
