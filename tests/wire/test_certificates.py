"""Whether a certificate is the station's own: authority, key, name, time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ttcs_edge.central.authority import certify_station, make_authority, make_server_certificate
from ttcs_edge.core.model import Certificate
from ttcs_edge.wire.certificates import (
    begins_of,
    check_certificate,
    load_key,
    make_request,
    name_of,
    new_key,
    public_bytes,
    read_request,
)

STATION = "da-teh-01"
AUTHORITY, LIAR = make_authority("Lâm Đồng CA"), make_authority("Lâm Đồng CA")
PEM = new_key()
KEY = load_key(PEM)
assert KEY is not None
PUBLIC = public_bytes(KEY.public_key())
GOOD = certify_station(AUTHORITY, KEY.public_key(), STATION)
NOW = datetime.now(timezone.utc)


def check(pem: bytes, now: datetime | None = NOW, name: str = STATION) -> object:
    """By the station's own authority and key."""
    return check_certificate(pem, AUTHORITY.certificate, name, PUBLIC, now)


def test_a_station_s_own_certificate_is_told_with_its_dates() -> None:
    """Two years, begun a day early."""
    found = check(GOOD)

    assert isinstance(found, Certificate) and found.pem == GOOD
    assert begins_of(GOOD) == found.begins_ms
    assert round((found.ends_ms - found.begins_ms) / 86_400_000) == 731


@pytest.mark.parametrize(
    ("pem", "wrong"),
    [
        (certify_station(LIAR, KEY.public_key(), STATION), "of-another-authority"),
        (certify_station(AUTHORITY, ec.generate_private_key(ec.SECP256R1()).public_key(), STATION), "of-another-key"),
        (certify_station(AUTHORITY, KEY.public_key(), "da-teh-02"), "of-another-name"),
        (certify_station(AUTHORITY, KEY.public_key(), "operator"), "of-another-name"),
        (make_server_certificate(AUTHORITY, (STATION,)).certificate, "of-another-key"),
        (AUTHORITY.certificate, "unreadable"),
        (b"", "unreadable"),
        (PEM, "unreadable"),
        (GOOD[:200], "unreadable"),
    ],
)
def test_any_other_is_told_as_what_it_is(pem: bytes, wrong: str) -> None:
    """An authority of the same name is another one."""
    assert check(pem) == wrong


def test_a_certificate_holds_from_its_first_instant_to_its_last() -> None:
    """Without a time that can be believed nothing is said of it."""
    certificate = x509.load_pem_x509_certificate(GOOD)
    begins, ends, second = certificate.not_valid_before_utc, certificate.not_valid_after_utc, timedelta(seconds=1)

    assert isinstance(check(GOOD, begins), Certificate) and isinstance(check(GOOD, ends - second), Certificate)
    assert check(GOOD, begins - second) == check(GOOD, ends) == "of-another-time"
    assert isinstance(check(GOOD, None), Certificate)


def test_a_request_says_its_name_and_is_made_by_the_holder_of_its_key() -> None:
    """A changed byte of it is no request."""
    assert KEY is not None
    der = make_request(KEY, STATION)
    request = read_request(der)

    assert request is not None and name_of(request.subject) == STATION
    assert public_bytes(request.public_key()) == PUBLIC
    for place in range(len(der)):
        other = read_request(der[:place] + bytes([der[place] ^ 1]) + der[place + 1 :])
        same = other is not None and other.tbs_certrequest_bytes == request.tbs_certrequest_bytes
        assert other is None or same, place  # how many bits of the last octet count is not signed


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["P-384", "RSA", "Ed25519"],
)
def test_a_request_over_a_key_of_another_kind_is_none(key: ec.EllipticCurvePrivateKey) -> None:
    """Every station has the same kind, and a broker or a library is tried with no other."""
    hash_ = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, STATION)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hash_)

    assert read_request(request.public_bytes(Encoding.DER)) is None


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_no_request_and_no_certificate(data: bytes) -> None:
    """Never an exception."""
    assert read_request(data) is None and check(data) == "unreadable" and begins_of(data) is None


def test_a_name_that_stands_twice_is_none() -> None:
    """Two readers could take two different ones from it."""
    name = [x509.NameAttribute(NameOID.COMMON_NAME, one) for one in ("a", "b")]

    assert name_of(x509.Name(name)) is None and name_of(x509.Name([])) is None
    assert name_of(x509.Name(name[:1])) == "a"


def test_a_key_with_a_password_or_of_another_kind_is_none() -> None:
    """``load_key`` gives what a station can use."""
    assert load_key(b"") is None and load_key(GOOD) is None
    assert load_key(PEM) is not None
