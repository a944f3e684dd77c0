"""The private certificate authority of a centre: EC P-256, for broker, web server, operator and stations.

A certificate's common name is what a broker takes as its user name: a station's id, or ``operator``. All certificates
begin a day early, because a station's clock may be a little behind when it first connects. A station's key is its own
and is never here: only what is public of it is certified.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

AUTHORITY_DAYS = 20 * 365
CERTIFICATE_DAYS = 10 * 365
"""For broker, web server and operator: they are at the centre, where somebody makes them anew."""
STATION_DAYS = 2 * 365
"""For stations, which renew theirs by themselves (decision 38)."""
OPERATOR = "operator"


class Pair(Struct, frozen=True):
    """A certificate and its private key, both PEM; the key is PKCS8 and not encrypted."""

    certificate: bytes
    key: bytes


def make_authority(name: str) -> Pair:
    """Make a self-signed authority that can sign certificates but no further authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _builder(subject, subject, key.public_key(), _in(AUTHORITY_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(sign_certificates=True), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key))


def make_client_certificate(authority: Pair, name: str) -> Pair:
    """Make a key and a certificate with which the operator connects."""
    return _make(authority, name, ExtendedKeyUsageOID.CLIENT_AUTH, ())


def certify_station(authority: Pair, public: ec.EllipticCurvePublicKey, station: str) -> bytes:
    """Make the certificate (PEM) with which a station connects, over the key that it made and keeps."""
    return _certify(authority, public, station, _in(STATION_DAYS), ExtendedKeyUsageOID.CLIENT_AUTH, ())


def make_server_certificate(authority: Pair, names: tuple[str, ...]) -> Pair:
    """Make a certificate for a server reached under the given host names or IP addresses."""
    return _make(authority, names[0], ExtendedKeyUsageOID.SERVER_AUTH, tuple(map(_alternative, names)))


def make_revocation_list(
    authority: Pair, serials: Mapping[int, datetime | None], before: x509.CertificateRevocationList | None
) -> bytes:
    """Make the list of the certificates taken back, each with its instant, None for now, that follows the one before.

    Like a certificate it begins a day early, for a broker whose clock is a little behind, and it is younger than the
    one before: of two lists the younger one counts (RFC 5280, 5.2.3 and 6.3.3).
    """
    issuer, key = _issuer(authority)
    begins, number = _in(-1), 1
    if before is not None:
        begins = max(begins, before.last_update_utc + timedelta(seconds=1))
        number = before.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number + 1
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    builder = builder.last_update(begins).next_update(issuer.not_valid_after_utc)
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    builder = builder.add_extension(_known_as(issuer), critical=False)
    for serial, at in serials.items():
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at or _in(0))
        builder = builder.add_revoked_certificate(one.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _issuer(authority: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = serialization.load_pem_private_key(authority.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return x509.load_pem_x509_certificate(authority.certificate), key


def _known_as(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _make(authority: Pair, name: str, use: x509.ObjectIdentifier, names: tuple[x509.GeneralName, ...]) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    return Pair(_certify(authority, key.public_key(), name, _in(CERTIFICATE_DAYS), use, names), _key_pem(key))


def _certify(
    authority: Pair,
    public: ec.EllipticCurvePublicKey,
    name: str,
    until: datetime,
    use: x509.ObjectIdentifier,
    names: tuple[x509.GeneralName, ...],
) -> bytes:
    issuer, issuer_key = _issuer(authority)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    builder = _builder(subject, issuer.subject, public, min(until, issuer.not_valid_after_utc))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(sign_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    builder = builder.add_extension(_known_as(issuer), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_in(-1))
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _in(days: int) -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=days)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
