"""A station's key and its certificate: the request for one (PKCS 10, RFC 2986), and whether one is the station's own.

A station makes its key itself, EC P-256, and only the request leaves it. What comes back is believed by four things:
the authority signed it, it is over this very key, its common name is the station's id, and it holds now (RFC 5280,
6.1.3).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ttcs_edge.core.model import Certificate, WallMs

PKCS10_BYTES = 2_048
Wrong = Literal["unreadable", "of-another-authority", "of-another-key", "of-another-name", "of-another-time"]
"""What can keep a certificate from being the station's own."""


def new_key() -> bytes:
    """Make a station's key (PKCS 8, PEM, not encrypted)."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_key(pem: bytes) -> ec.EllipticCurvePrivateKey | None:
    """Read a station's key; None for what is none."""
    try:
        key: PrivateKeyTypes = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError):  # TypeError: it has a password
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def public_bytes(key: PublicKeyTypes) -> bytes:
    """A public key as certificates hold it (SubjectPublicKeyInfo, DER)."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def make_request(key: ec.EllipticCurvePrivateKey, name: str) -> bytes:
    """Ask for a certificate over a key (DER); ``name`` is who asks, as far as it is known."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def read_request(der: bytes) -> x509.CertificateSigningRequest | None:
    """Read a request that the holder of its key made, over a key such as a station's; None for any other."""
    if len(der) > PKCS10_BYTES:
        return None
    try:
        request = x509.load_der_x509_csr(der)
        key = request.public_key()
        right = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
        return request if right and request.is_signature_valid else None
    except Exception:  # whatever cryptography makes of bytes from outside: what it cannot read is no request
        return None


def name_of(name: x509.Name) -> str | None:
    """The one common name; None when there is none, or more than one."""
    try:
        found = [str(one.value) for one in name.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except ValueError:
        return None
    return found[0] if len(found) == 1 else None


def begins_of(pem: bytes) -> int | None:
    """When a certificate begins, in milliseconds; None for what is none."""
    try:
        return _ms(x509.load_pem_x509_certificate(pem).not_valid_before_utc)
    except Exception:  # as above
        return None


def check_certificate(
    pem: bytes, authority: bytes, name: str, public: bytes, now: datetime | None
) -> Certificate | Wrong:
    """Check a certificate that is said to be a station's own; gives it, or what is wrong with it.

    ``public`` is the station's key, ``authority`` PEM. ``now`` None: the time is not known, and not asked for.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        issuers = x509.load_pem_x509_certificates(authority)
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        found = name_of(certificate.subject)
        key = public_bytes(certificate.public_key())
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except Exception:  # as above
        return "unreadable"
    if not any(_issued(certificate, issuer) for issuer in issuers):
        return "of-another-authority"
    if key != public:
        return "of-another-key"
    if found != name or ExtendedKeyUsageOID.CLIENT_AUTH not in uses:
        return "of-another-name"
    if now is not None and not begins <= now < ends:
        return "of-another-time"
    whole = certificate.public_bytes(serialization.Encoding.PEM)
    return Certificate(whole, WallMs(_ms(begins)), WallMs(_ms(ends)))


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _ms(instant: datetime) -> int:
    return int(instant.timestamp()) * 1_000
