"""What a right ``station.yaml`` names: whether it is on this machine, may be read, and is what it should be.

The daemon goes on without most of it and tells a fault; a technician at the foot of a pole should know before. So each
is tried as the station will try it:

1. certificates are PEM and have not expired; the key is the certificate's own, and not everybody may read it;
2. the trust root stands by itself, and somebody in it may publish for this place;
3. folders are there, or can be made, and can be written;
4. there are GPIO lines, and they may be driven: without them no relay can be opened, so the daemon does not start;
5. the battery clock is there; the serial ports of modem, RS-485 and RDS are there, and may be spoken to;
6. a voice is there, with its own description beside it, and the program that speaks with it.

As root all this is tried with the rights of the station's own user, because that is who will read it. A credential is
there only inside the service; outside, the file is looked at from which the unit takes it.

It stands apart from ``config``, which the daemon imports before it opens its relays: this loads cryptography.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ttcs_edge.config import FOLDERS, TRUST_FILE, credential_name, read_config
from ttcs_edge.core.documents import Refused, TrustRoot
from ttcs_edge.core.model import Instant, MonoMs, Scope, WallMs, scope_covers
from ttcs_edge.core.trust import check_trust_root
from ttcs_edge.settings import Config, PinFactory
from ttcs_edge.wire.documents import read_trust_root
from ttcs_edge.yaml_form import Expected, Page, Problem

USER: Final = "ttcs"
FILE_BYTES: Final = 1024**2
EVERYBODY_READS: Final = 0o004
UNIT_GROUPS: Final = ("gpio", "dialout", "i2c", "systemd-journal")
"""SupplementaryGroups= of the unit: the user itself need not be in them."""
UNIT_FOLDER: Final = Path("/etc/ttcs-edge")
DEVICES: Final = Path("/dev")


def check_files(
    path: Path, environ: Mapping[str, str] = os.environ, user: str = USER, devices: Path = DEVICES
) -> tuple[Problem, ...]:
    """List what a good ``station.yaml`` names and this machine does not have. Raises ``ConfigError`` for a bad one."""
    page, config = read_config(path, environ)
    broker = config.broker
    with acting_as(user):
        if not os.access(path, os.R_OK, effective_ids=True):
            page.refuse("", "file-unreadable", Expected("readable-file"), "give-access", found=str(path), line=0)
        _certificates(page, "broker.ca", broker.ca_file, "ca-file")
        if config.https.ca_file is not None:
            _certificates(page, "https.ca", config.https.ca_file, "ca-file")
        if config.streams.ca_file is not None:
            _certificates(page, "streams.ca", config.streams.ca_file, "ca-file")
        certificate = _certificates(page, "broker.certificate", broker.certificate_file, "certificate-file")
        if credential_name(page) is None or "CREDENTIALS_DIRECTORY" in environ:
            _key(page, broker.key_file, certificate)
        _trust(page, config)
        _folders(page, config)
        if config.pins.factory is PinFactory.LGPIO:
            _gpio(page, devices)
        _devices(page, config)
        _voices(page, config)
    source = credential_source(page, environ)
    if source is not None:
        _key(page, source, certificate)
    return tuple(sorted(page.problems, key=lambda one: one.line))


def credential_source(page: Page, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Give the file from which the unit takes the key; None inside the service, or where it cannot be known."""
    name = credential_name(page)
    if name is None or "CREDENTIALS_DIRECTORY" in environ:
        return None
    folder = page.file.absolute().parent
    source = folder / "identity" / name
    if not os.access(folder, os.X_OK) or (source.exists() and not os.access(source, os.R_OK)):
        return None  # a technician without sudo
    if source.is_symlink() and not source.exists():
        return None  # sealed, and not opened yet
    return source if source.exists() or folder == UNIT_FOLDER else None


@contextmanager
def acting_as(user: str) -> Iterator[None]:
    """Have the rights of a user and of the unit's groups, as far as root can take them and there is such a user."""
    try:
        entry = pwd.getpwnam(user) if os.geteuid() == 0 else None
    except KeyError:
        entry = None
    if entry is None:
        yield
        return
    groups = os.getgroups()
    os.setgroups([*os.getgrouplist(user, entry.pw_gid), *_gids(UNIT_GROUPS)])
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def _gids(names: Iterable[str]) -> Iterator[int]:
    for name in names:
        with suppress(KeyError):
            yield grp.getgrnam(name).gr_gid


def _read(page: Page, key: str, path: Path, expected: str) -> bytes | None:
    try:
        with path.open("rb") as stream:
            return stream.read(FILE_BYTES)
    except FileNotFoundError:
        page.refuse(key, "named-file-missing", Expected(expected), "put-file", found=str(path))
    except OSError as error:
        found = f"{path}: {error.strerror}"
        page.refuse(key, "named-file-unreadable", Expected(expected), "give-access", found=found)
    return None


def _certificates(page: Page, key: str, path: Path, expected: str) -> x509.Certificate | None:
    """Check a file of certificates, and give the first."""
    data = _read(page, key, path, expected)
    if data is None:
        return None
    try:
        certificates = x509.load_pem_x509_certificates(data)
    except ValueError:
        page.refuse(key, "not-a-certificate", Expected(expected), "copy-again", found=str(path))
        return None
    ends = min(one.not_valid_after_utc for one in certificates)
    if ends <= datetime.now(timezone.utc):
        page.refuse(key, "certificate-expired", Expected(expected), "renew", found=str(path), date=f"{ends:%Y-%m-%d}")
    return certificates[0]


def _key(page: Page, path: Path, certificate: x509.Certificate | None) -> None:
    expected = Expected("key-file")
    data = _read(page, "broker.key", path, "key-file")
    if data is None:
        return
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError):  # TypeError: it has a password
        page.refuse("broker.key", "not-a-key", expected, "copy-again", found=str(path))
        return
    if certificate is not None and _public(key.public_key()) != _public(certificate.public_key()):
        page.refuse("broker.key", "key-mismatch", expected, "copy-again", found=str(path))
    if path.stat().st_mode & EVERYBODY_READS:
        page.refuse("broker.key", "key-exposed", expected, "close-key", found=str(path))


def _public(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]


def _trust(page: Page, config: Config) -> None:
    path = config.trust_folder / TRUST_FILE
    data = _read(page, "folders.trust", path, "trust-file")
    if data is None:
        return
    wall_ms = int(datetime.now(timezone.utc).timestamp() * 1_000)
    signed = read_trust_root(data)
    now = Instant(WallMs(wall_ms), MonoMs(0), trusted=True)
    verdict = signed if isinstance(signed, Refused) else check_trust_root(signed, now)
    expected = Expected("trust-file")
    if isinstance(verdict, Refused):
        page.refuse("folders.trust", "trust-refused", expected, "copy-again", found=str(path), why=verdict.code)
    elif not isinstance(signed, Refused) and not _speaks_for(signed.document, config.station.scope):
        place = config.station.scope
        page.refuse("scope", "trust-elsewhere", expected, "other-place", place=place, trusted=signed.document.scope)


def _speaks_for(root: TrustRoot, place: Scope) -> bool:
    """Tell whether anybody may publish for a place, or for a place above it that it listens to."""
    grants = [grant.scope for grant in root.grants if grant.role == "publish"]
    return any(scope_covers(scope, place) for scope in grants)


def _folders(page: Page, config: Config) -> None:
    """Check what the service manager has not made: the folders that are the unit's own appear with the service."""
    wanted = [("folders.state", config.state_folder, True), ("folders.runtime", config.runtime_folder, False)]
    if config.sound.wav_file is not None:
        wanted.append(("sound.wav_file", config.sound.wav_file.parent, False))
    if config.pins.mock_folder is not None:
        wanted.append(("pins.mock_folder", config.pins.mock_folder, True))
    for key, folder, is_made in wanted:
        if not folder.exists() and (
            str(folder) == FOLDERS.get(key.rpartition(".")[2]) or (is_made and _can_be_made(folder))
        ):
            continue
        if not folder.is_dir():
            page.refuse(key, "folder-missing", Expected("writable-folder"), "make-folder", found=str(folder))
        elif not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            page.refuse(key, "folder-closed", Expected("writable-folder"), "open-folder", found=str(folder))


def _can_be_made(folder: Path) -> bool:
    there = next(parent for parent in folder.parents if parent.exists())
    return os.access(there, os.W_OK | os.X_OK, effective_ids=True)


def _gpio(page: Page, devices: Path) -> None:
    chips = sorted(devices.glob("gpiochip*"))
    expected = Expected("gpio-chip")
    if not chips:
        page.refuse("pins.factory", "no-gpio", expected, "mock-pins", found=str(devices / "gpiochip*"))
    elif not any(os.access(chip, os.R_OK | os.W_OK, effective_ids=True) for chip in chips):
        page.refuse("pins.factory", "gpio-closed", expected, "join-gpio", found=", ".join(map(str, chips)))


def _devices(page: Page, config: Config) -> None:
    """A battery clock is read by way of sysfs, which needs no right to the device."""
    modem = None if config.modem is None else config.modem.port
    for key, device, kind in (
        ("clock.rtc", config.clock.rtc, "rtc-device"),
        ("clock.modem", None if config.clock.modem == modem else config.clock.modem, "serial-port"),
        ("modem.port", modem, "serial-port"),
        ("rs485.port", None if config.rs485 is None else config.rs485.port, "serial-port"),
        ("rds.port", None if config.rds is None else config.rds.serial.port, "serial-port"),
    ):
        if device is None:
            continue
        if not device.exists():
            page.refuse(key, "device-missing", Expected(kind), "plug-in", found=str(device))
        elif kind == "serial-port" and not os.access(device, os.R_OK | os.W_OK, effective_ids=True):
            page.refuse(key, "device-closed", Expected(kind), "join-dialout", found=str(device))


def _voices(page: Page, config: Config) -> None:
    """Check what Piper needs; without it espeak-ng speaks, and nobody would know why."""
    speech = config.speech
    if speech.piper and shutil.which(speech.piper_program) is None:
        missing = Expected("program")
        page.refuse("speech.piper_program", "named-file-missing", missing, "put-file", found=speech.piper_program)
    for place, model in enumerate(speech.piper.values(), start=1):
        key = f"speech.piper[{place}].model"
        if _read(page, key, model, "voice-model") is not None:
            _read(page, key, model.with_name(f"{model.name}.json"), "voice-model")
