"""An authority whose certificates are for other names, or for another time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.parts import Authority
from ttcs_edge.central.authority import Pair, make_client_certificate, make_server_certificate


class OddAuthority(Authority):
    """Certifies for ``names``, from and until so many days from now."""

    def __init__(
        self, folder: Path, names: tuple[str, ...] = ("localhost", "127.0.0.1"), days: tuple[int, int] = (-1, 100)
    ) -> None:
        super().__init__(folder)
        self._names = names
        self._days = days

    def server(self) -> tuple[Path, Path]:
        """Certificate and key files of a server."""
        return self._files("server", lambda: self._at_its_time(make_server_certificate(self._pair, self._names)))

    def client(self, name: str) -> tuple[Path, Path]:
        """Certificate and key files of a client."""
        return self._files(name, lambda: self._at_its_time(make_client_certificate(self._pair, name)))

    def _at_its_time(self, pair: Pair) -> Pair:
        plain = x509.load_pem_x509_certificate(pair.certificate)
        key = serialization.load_pem_private_key(self._pair.key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        begin, end = (datetime.now(timezone.utc) + timedelta(days=days) for days in self._days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(plain.subject)
            .issuer_name(plain.issuer)
            .public_key(plain.public_key())
            .serial_number(plain.serial_number)
            .not_valid_before(begin)
            .not_valid_after(end)
        )
        for extension in plain.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        certificate = builder.sign(key, hashes.SHA256())
        return Pair(certificate.public_bytes(serialization.Encoding.PEM), pair.key)
