"""A station's identity on disk: key, certificate and authority change together, or not at all.

    identities/new/             an enrolment under way: the key, what was asked, and once it came, what was given
    identities/<fingerprint>/   station.key (or station.key.sealed), station.pem, ca.pem
    identity                    a link to the one in force: putting another link in its place is one step
    trust/root.dsse.json        whom the station believes
    station.yaml                made when there is none; else only what the centre says of the station is changed in it

What was given is on disk before anything is changed, and each step can be done again: ``finish`` goes on wherever a
power cut left it. Until the link is changed the old identity is in force, whole; from then on the new one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from ttcs_edge.cli import sealed_key
from ttcs_edge.config import CREDENTIAL
from ttcs_edge.core.documents import Refused, TrustRoot
from ttcs_edge.durable import sync_folder
from ttcs_edge.station_file import OWNED, filled, owned
from ttcs_edge.whole_files import PUBLIC, replace
from ttcs_edge.wire.certificates import check_certificate, load_key, make_request, public_bytes
from ttcs_edge.wire.code import fingerprint
from ttcs_edge.wire.documents import read_trust_root
from ttcs_edge.wire.enrolment import ANSWER_BYTES, Given, Secret, read_message

OPEN_FOLDER = 0o755
CLOSED_FOLDER = 0o700
NOBODY = "enrolment"
"""The name in a request of who does not know yet what it will be called."""


class IdentityError(Exception):
    """What was given cannot be used: ``code`` says what of it, ``found`` more."""

    def __init__(self, code: str, found: str = "") -> None:
        super().__init__(code, found)
        self.code = code
        self.found = found


class Pending(Struct, frozen=True):
    """A key that waits for its certificate, and the request for one (PKCS 10)."""

    pkcs10: bytes
    fingerprint: str


class IdentityFiles:
    """The identity below one folder, such as ``/etc/ttcs-edge``. Methods raise OSError, SealError, IdentityError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "station.yaml"
        self.link = folder / "identity"
        self._all = folder / "identities"
        self._new = self._all / "new"
        self._request = self._new / "request.json"
        self._given = "given.json"

    @property
    def is_there(self) -> bool:
        """Whether the station has an identity."""
        return (self.link / "station.pem").is_file()

    def begin(self) -> Pending:
        """Have a key that waits for its certificate: the one of an enrolment that was broken off, else a new one."""
        self._all.mkdir(mode=OPEN_FOLDER, parents=True, exist_ok=True)
        self._all.chmod(OPEN_FOLDER)
        self._new.mkdir(mode=CLOSED_FOLDER, exist_ok=True)
        _sweep(self._new)
        pem = sealed_key.read_key(self._new) or sealed_key.make_key(self._new)
        key = load_key(pem)
        if key is None:
            raise IdentityError("bad-key", str(self._new))
        return Pending(make_request(key, NOBODY), fingerprint(public_bytes(key.public_key())))

    def ask(self, pending: Pending, secret: Secret) -> bytes:
        """Make the request that proves a code, and keep it: the answer is to this one alone."""
        request = secret.ask(pending.pkcs10)
        replace(self._request, request, PUBLIC)
        return request

    def asked(self) -> bytes | None:
        """The request that was made last; None when none waits for an answer."""
        try:
            return self._request.read_bytes()
        except FileNotFoundError:
            return None

    def take(self, given: Given) -> None:
        """Keep what was given, once it is found to be usable. Nothing of the station has changed yet."""
        pem = sealed_key.read_key(self._new)
        key = None if pem is None else load_key(pem)
        if key is None:
            raise IdentityError("bad-key", str(self._new))
        public = public_bytes(key.public_key())
        certificate = given.certificate.encode()
        found = check_certificate(certificate, given.authority.encode(), given.station, public, None)
        if isinstance(found, str):
            raise IdentityError(f"certificate-{found}")
        trust = read_trust_root(given.trust.encode())
        if isinstance(trust, Refused):
            raise IdentityError("bad-trust", trust.code)
        self._config_for(given)
        replace(self._new / self._given, msgspec.json.encode(given), PUBLIC)

    def finish(self) -> Given | None:
        """Put in force what was given, from wherever that was broken off; None when nothing waits for it."""
        at = next((one for one in self._unfinished() if (one / self._given).is_file()), None)
        if at is None:
            return None
        for folder in (at, self.folder, self.folder / "trust"):
            _sweep(folder)
        given = read_message((at / self._given).read_bytes(), Given, ANSWER_BYTES)
        if given is None:  # a failing card: the key waits on, and the centre can be asked again
            (at / self._given).unlink()
            return None
        self._write_trust(given)
        config = self._config_for(given)
        replace(at / "station.pem", given.certificate.encode(), PUBLIC)
        replace(at / "ca.pem", given.authority.encode(), PUBLIC)
        sealed_key.show_key(at)
        if config is not None:
            replace(self.config, config.encode(), PUBLIC)
        self._put_in_force(at)
        return given

    def _unfinished(self) -> list[Path]:
        return sorted(one for one in self._all.iterdir() if one.is_dir()) if self._all.is_dir() else []

    def _put_in_force(self, at: Path) -> None:
        if at == self._new:
            key = load_key(sealed_key.read_key(at) or b"")
            assert key is not None  # ``take`` has seen it
            name = fingerprint(public_bytes(key.public_key()))
            self._request.unlink(missing_ok=True)
            at.chmod(OPEN_FOLDER)
            at = at.rename(self._all / name)
            sync_folder(self._all)
        aside = self.folder / f".{self.link.name}.new"
        aside.unlink(missing_ok=True)
        os.symlink(Path(self._all.name) / at.name, aside)
        os.replace(aside, self.link)
        sync_folder(self.folder)
        for other in self._unfinished():
            if other != at:
                shutil.rmtree(other)
        (at / self._given).unlink()
        sync_folder(at)

    def _write_trust(self, given: Given) -> None:
        """Write the trust root, unless a newer one of the same scope stands there, which somebody brought."""
        file = self.folder / "trust" / "root.dsse.json"
        file.parent.mkdir(mode=OPEN_FOLDER, exist_ok=True)
        new = read_trust_root(given.trust.encode())
        old = read_trust_root(file.read_bytes()) if file.is_file() else Refused("missing", str(file))
        assert not isinstance(new, Refused)  # ``take`` has seen it
        if isinstance(old, Refused) or not _follows(old.document, new.document):
            replace(file, given.trust.encode(), PUBLIC)

    def _config_for(self, given: Given) -> str | None:
        """What is to stand in ``station.yaml``; None for what stands there."""
        said = owned(given.config)
        if said is None or (said.get("id"), said.get("scope")) != (given.station, given.scope):
            raise IdentityError("bad-config", "id, scope")
        try:
            before = self.config.read_text("utf-8") if self.config.exists() else given.config
        except UnicodeDecodeError as error:
            raise IdentityError("bad-config", str(self.config)) from error
        wanted: dict[str, object] = {key: said[key] for key in OWNED if key in said}
        wanted |= {"broker.ca": str(self.link / "ca.pem"), "broker.certificate": str(self.link / "station.pem")}
        if not str((owned(before) or {}).get("broker.key")).startswith(CREDENTIAL):
            wanted["broker.key"] = str(self.link / sealed_key.PLAIN)
        after = filled(before, wanted)
        if after is None:
            lines = yaml.safe_dump(dict(wanted), sort_keys=False, allow_unicode=True).strip()
            raise IdentityError("config-elsewhere", lines)
        return None if self.config.exists() and after == before else after


def _follows(root: TrustRoot, other: TrustRoot) -> bool:
    return root.scope == other.scope and root.version > other.version


def _sweep(folder: Path) -> None:
    """Take away what a power cut left half written (``whole_files``): half a key is a key's half."""
    for one in folder.glob(".*.part"):
        one.unlink()
