"""A centre's folder: who may sign, what was published, which stations there are.

    centre.yaml                    name, scope, and each signing key: its public part and the URI of its signer
    keys/                          private signing keys, PKCS8 PEM, mode 0600; root keys belong off this machine
    trust/root.dsse.json           the signed trust root in force, which every new station is given
    trust/<version>.dsse.json      every root that was in force; next.yaml, next.dsse.json: the one that is to come
    ca.pem ca.key                  the private authority
    operator.crt operator.key      with which this centre connects to the broker
    servers/ stations/             certificates given out, and what is known of each station (``stations.py``)
    revoked/ crl.pem               certificates taken back, and the list of them
    broker/                        what a broker needs (``broker-config``)
    programmes/<scope>/            version.txt (the last number used) and every envelope published
    alerts/templates/              what an alert says, written beforehand
    alerts/sent/<scope>/<id>/      of every event, as of programmes; in <scope>, _ stands for /
    feeds.db feeds/                what was seen of CAP feeds and what became of it; the CAP files
    audio/ cache/                  encoded audio by SHA-256, and what it was encoded from

A key is named by the URI of a securesystemslib signer. ``file2:keys/publish-1.pem`` is a file below this folder; an
``hsm:`` URI can stand in its place later without any other change. ``elsewhere:`` is a key that other hands have: it
signs here only while its file is put into ``keys``, under its name.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Final, Literal

import yaml
from msgspec import Struct, structs
from msgspec.structs import asdict
from securesystemslib.signer import CryptoSigner, Signer, SSlibKey

from ttcs_edge.central.address import BROKER_PATTERN, URL_CHARS, URL_PATTERN
from ttcs_edge.central.alert_templates import write_templates
from ttcs_edge.central.authority import OPERATOR, Pair, make_authority, make_client_certificate
from ttcs_edge.central.errors import BadCentreFile, CentralError
from ttcs_edge.config import TOPIC_PATTERN
from ttcs_edge.core.documents import (
    ID_PATTERN,
    SCOPE_PATTERN,
    SHA256_PATTERN,
    Grant,
    PublicKey,
    Refused,
    ScopePath,
    Signed,
    TrustRoot,
)
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Instant, MonoMs, Scope, WallMs
from ttcs_edge.core.trust import check_trust_root
from ttcs_edge.durable import sync_folder
from ttcs_edge.whole_files import PRIVATE, PUBLIC, replace, write_new
from ttcs_edge.wire.documents import read_trust_root, write_document
from ttcs_edge.wire.enrolment import PORT
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.yaml_form import Choice, Key, ListOf, Page, Section, Text, Whole, fill, fill_text

Role = Literal["root", "publish"]
BY_PUBLISHERS: Final[tuple[Literal["command", "beacon"], ...]] = ("command", "beacon")
"""What each publisher's key may sign by itself: neither airs anything, and both are made by machines, at any hour."""
TRUST_DAYS = 10 * 365
ELSEWHERE: Final = "elsewhere:"
"""How the ``signer`` of a key begins whose private part other hands have; what follows is for people."""


class _Role(Enum):
    ROOT = "root"
    PUBLISH = "publish"


_HEX = Text("hexadecimal", 64, SHA256_PATTERN)
_KEY = Section(
    (
        Key("name", Text("identifier", LIMITS.id_chars, ID_PATTERN), "publish-1", required=True),
        Key("role", Choice(_Role), "publish", required=True),
        Key("keyid", _HEX, "", required=True),
        Key("keytype", Text("key-type", 64), "ed25519", required=True),
        Key("scheme", Text("key-type", 64), "ed25519", required=True),
        Key("public", _HEX, "", required=True),
        Key("signer", Text("signer", 500, r"[a-z][a-z0-9]*:\S*"), "file2:keys/publish-1.pem", required=True),
    )
)
CENTRE: Final = Section(
    (
        Key("name", Text("name", LIMITS.title_chars), "Lâm Đồng", required=True),
        Key("scope", Text("scope", LIMITS.scope_chars, SCOPE_PATTERN), "vn/lam-dong", required=True),
        Key("keys", ListOf(_KEY, 1, LIMITS.keys), "", required=True),
        Key("topic_root", Text("topic", 64, TOPIC_PATTERN), "ttcs/v1", default="ttcs/v1"),
        Key("broker", Text("broker-address", 300, BROKER_PATTERN), "mqtt.lam-dong.vn:8883"),
        Key("enrol_port", Whole(0, 65_534), str(PORT), default=str(PORT)),
        Key("audio_url", Text("https-url", URL_CHARS, URL_PATTERN), "https://audio.lam-dong.vn/ttcs"),
    )
)
"""The grammar of ``centre.yaml``."""


class SigningKey(Struct, frozen=True, kw_only=True):
    """One key of a centre: what is public of it, and where its signer is found."""

    name: str
    role: Role
    keyid: str
    keytype: str
    scheme: str
    public: str
    signer: str


class CentreSettings(Struct, frozen=True, kw_only=True):
    """What stands in ``centre.yaml``. ``broker`` and ``audio_url`` are what commands take when they are not told.

    ``enrol_port`` is where stations enrol at the broker's machine, the operator at the next one; 0: only by stick.
    """

    name: str
    scope: ScopePath
    keys: tuple[SigningKey, ...]
    topic_root: str = "ttcs/v1"
    broker: str | None = None
    audio_url: str | None = None
    enrol_port: int = PORT


class Quorum(Struct, frozen=True):
    """How many keys a role has, and how many of them must sign together."""

    keys: int
    threshold: int


class Centre(Struct, frozen=True):
    """A centre's folder, opened: its settings and its trust root, which was verified as a station would."""

    folder: Path
    settings: CentreSettings
    trust: Signed[TrustRoot]

    @property
    def authority(self) -> Pair:
        """The private authority, certificate and key."""
        return Pair(read_file(self.folder / "ca.pem"), read_file(self.folder / "ca.key"))

    def signers(self, role: Role, secret: Callable[[str], str] | None = None) -> tuple[Signer, ...]:
        """Load the signers of a role: of the keys that the trust root in force has, those that are not elsewhere.

        ``secret`` gives what a signer asks for by name, such as the PIN of a hardware token. Raises CentralError
        ``no-key`` when one cannot be reached, ``no-signer`` when there is none.
        """
        known = self.trust.document.keys
        of_role = [key for key in self.settings.keys if key.role == role and key.keyid in known]
        signers = tuple(self.signer(key, secret) for key in of_role if not self.is_elsewhere(key))
        if not signers:
            raise CentralError("no-signer", role=role, folder=self.folder)
        return signers

    def signer(self, key: SigningKey, secret: Callable[[str], str] | None = None) -> Signer:
        """Load the signer of a key. Raises CentralError ``no-key`` when it cannot be reached."""
        # A file2 URI names a file below the centre's folder, wherever that folder is carried.
        os.environ[CryptoSigner.PREFIX_ENV_VAR] = str(self.folder)
        if key.signer.startswith(ELSEWHERE):
            key = structs.replace(key, signer=key_uri(key.name))
        return _load(key, secret)

    def is_elsewhere(self, key: SigningKey) -> bool:
        """Tell whether a key is one that other hands have, and its file is not here either."""
        return key.signer.startswith(ELSEWHERE) and not self.key_file(key.name).is_file()

    def key_file(self, name: str) -> Path:
        """Where the private key of a name lies, when it lies here."""
        return self.folder / "keys" / f"{name}.pem"

    def programme_folder(self, scope: str) -> Path:
        """Where what was published for a scope is kept."""
        return self.folder / "programmes" / scope

    def alert_folder(self, scope: str, event: str) -> Path:
        """Where the messages of an alert are kept."""
        return self.folder / "alerts" / "sent" / scope.replace("/", "_") / event

    def last_version(self, scope: str) -> int:
        """The last version number used for a scope's programme; 0 when nothing was published yet."""
        return last_number(self.programme_folder(scope))

    def take_version(self, scope: str, above: int = 0) -> int:
        """Take the next version number of a scope's programme (``take_number``)."""
        return take_number(self.programme_folder(scope), above)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the centre: a second command that numbers or adds waits until the first is done."""
        with open(self.folder / ".lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def last_number(folder: Path) -> int:
    """The last version number used for what a folder keeps; 0 when nothing was sent yet. Raises CentralError."""
    file = folder / "version.txt"
    try:
        written = file.read_text("utf-8", "replace").strip()
    except FileNotFoundError:
        return 0
    if not re.fullmatch(r"[0-9]{1,15}", written):
        raise CentralError("bad-centre", file=file, found=written[:40])
    return int(written)


def take_number(folder: Path, above: int = 0) -> int:
    """Take the next version number of a folder: it is on the disk before it is used, so it never comes again.

    ``above`` is a number that was used elsewhere: what stands on the broker may be newer than a folder that was
    restored from a copy.
    """
    version = max(last_number(folder), above) + 1
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / "version.txt", f"{version}\n".encode(), PUBLIC)
    return version


def check_grant(centre: Centre, role: Literal["command", "beacon", "alert", "live"]) -> None:
    """Raise CentralError ``no-grant`` for a centre whose trust root was made before there were such documents."""
    if not any(grant.role == role for grant in centre.trust.document.grants):
        raise CentralError("no-grant", role=role, file=centre.folder / "trust" / "root.dsse.json")


def now() -> Instant:
    """The centre's own clock, which it believes."""
    return Instant(WallMs(time.time_ns() // 1_000_000), MonoMs(time.monotonic_ns() // 1_000_000), trusted=True)


def utc(wall_ms: int) -> str:
    """An instant as documents write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall_ms // 1_000))


def make_centre(folder: Path, settings: CentreSettings, root: Quorum, publish: Quorum) -> Centre:
    """Make a centre's folder, whole or not at all; an existing one is never touched.

    Raises CentralError ``centre-exists`` when the folder is there and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CentralError("centre-exists", folder=folder)
    for quorum in (root, publish):
        if not 1 <= quorum.threshold <= quorum.keys <= 16:
            raise CentralError("bad-threshold", keys=quorum.keys, threshold=quorum.threshold)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    try:
        _fill(aside, settings, root, publish)
        open_centre(aside)  # what was made can be used, or was not made
        os.rename(aside, folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    sync_folder(folder.parent)
    return open_centre(folder)


def open_centre(folder: Path, *, expired: bool = False) -> Centre:
    """Open a centre's folder; one whose trust root has ``expired`` only for who is about to renew it.

    Raises CentralError ``no-centre`` or ``bad-centre``, and BadCentreFile.
    """
    if not (folder / "centre.yaml").is_file():
        raise CentralError("no-centre", folder=folder)
    settings = read_settings(folder / "centre.yaml")
    trust_file = folder / "trust" / "root.dsse.json"
    signed = read_trust_root(read_file(trust_file))
    if isinstance(signed, Refused):
        raise CentralError("bad-centre", file=trust_file, found=signed.code)
    verdict = check_trust_root(signed, now())
    if isinstance(verdict, Refused) and not (expired and verdict.code == "trust-expired"):
        raise CentralError("bad-centre", file=trust_file, found=verdict.code)
    return Centre(folder, settings, signed)


def read_settings(file: Path, text: str | None = None) -> CentreSettings:
    """Read ``centre.yaml``, or the ``text`` that is about to stand there. Raises BadCentreFile."""
    if text is None:
        page, values = fill(file, CENTRE)
    else:
        page = Page(file)
        values = fill_text(page, text, CENTRE)
    if page.problems or values is None:
        raise BadCentreFile(tuple(sorted(page.problems, key=lambda one: one.line)))
    keys = tuple(SigningKey(**{**key, "role": key["role"].value}) for key in values["keys"])
    return CentreSettings(**{**values, "keys": keys})


def _fill(folder: Path, settings: CentreSettings, root: Quorum, publish: Quorum) -> None:
    for name in ("keys", "trust", "servers", "stations", "programmes", "audio", "cache"):
        (folder / name).mkdir(mode=0o700)
    write_templates(folder / "alerts" / "templates")
    signers: dict[Role, list[CryptoSigner]] = {"root": [], "publish": []}
    keys: list[SigningKey] = []
    quorums: dict[Role, Quorum] = {"root": root, "publish": publish}
    for role, quorum in quorums.items():
        for number in range(1, quorum.keys + 1):
            signer = CryptoSigner.generate_ed25519()
            signers[role].append(signer)
            keys.append(signing_key(f"{role}-{number}", role, signer))
            write_new(folder / "keys" / f"{role}-{number}.pem", signer.private_bytes, PRIVATE)
    given = {name: value for name, value in asdict(settings).items() if value is not None}
    written = {**given, "keys": [asdict(key) for key in keys]}
    text = yaml.safe_dump(written, allow_unicode=True, sort_keys=False)
    write_new(folder / "centre.yaml", text.encode(), PUBLIC)
    trust = _trust_root(settings.scope, keys, {role: q.threshold for role, q in quorums.items()})
    envelope = sign(write_document(trust), PAYLOAD_TYPES["trust"], signers["root"])
    write_new(folder / "trust" / "root.dsse.json", envelope, PUBLIC)
    authority = make_authority(f"{settings.name} CA"[:64])
    write_pair(authority, folder / "ca.pem", folder / "ca.key")
    write_pair(make_client_certificate(authority, OPERATOR), folder / "operator.crt", folder / "operator.key")


def write_pair(pair: Pair, certificate: Path, key: Path) -> None:
    """Write a certificate and its key, the key first and for its owner's eyes only."""
    write_new(key, pair.key, PRIVATE)
    write_new(certificate, pair.certificate, PUBLIC)


def key_uri(name: str) -> str:
    """The signer of a key whose private part lies in the centre's folder."""
    return f"{CryptoSigner.SCHEME}:keys/{name}.pem"


def signing_key(name: str, role: Role, signer: CryptoSigner) -> SigningKey:
    """A key of the centre's own, its private part in the centre's folder."""
    key = signer.public_key
    return SigningKey(
        name=name,
        role=role,
        keyid=key.keyid,
        keytype=key.keytype,
        scheme=key.scheme,
        public=key.keyval["public"],
        signer=key_uri(name),
    )


def _trust_root(scope: Scope, keys: list[SigningKey], thresholds: dict[Role, int]) -> TrustRoot:
    issued = now().wall_ms
    ids = {role: tuple(key.keyid for key in keys if key.role == role) for role in thresholds}
    grants = (
        *(Grant(role=role, scope=scope, keys=ids[role], threshold=number) for role, number in thresholds.items()),
        *(Grant(role=role, scope=scope, keys=ids["publish"], threshold=1) for role in BY_PUBLISHERS),
        Grant(role="live", scope=scope, keys=ids["publish"], threshold=thresholds["publish"]),
        Grant(
            role="alert",
            scope=scope,
            keys=ids["publish"],
            threshold=thresholds["publish"],
            most_severe="Extreme",
        ),
    )
    return TrustRoot(
        scope=scope,
        version=1,
        issued=utc(issued),
        expires=utc(issued + TRUST_DAYS * 86_400_000),
        keys={key.keyid: PublicKey(keytype="ed25519", scheme="ed25519", public=key.public) for key in keys},
        grants=grants,
    )


def _load(key: SigningKey, secret: Callable[[str], str] | None) -> Signer:
    public = SSlibKey(key.keyid, key.keytype, key.scheme, {"public": key.public})
    try:
        return Signer.from_priv_key_uri(key.signer, public, secret)
    except Exception as error:  # each kind of signer, a hardware token too, fails in its own way
        raise CentralError("no-key", name=key.name, signer=key.signer, found=type(error).__name__) from error


def read_file(path: Path) -> bytes:
    """Read a file of the centre's. Raises CentralError ``unreadable``."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CentralError("unreadable", file=path, found=error.strerror or "") from error
