"""``ttcs-central broker-config``: the files that a Mosquitto needs to serve the centre, made anew from its records.

They are the same for the same records, and each is whole or as it was. A file that was not made here is not replaced
unasked: somebody has put it there.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

from cryptography import x509
from msgspec import Struct

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.broker_rules import (
    AUTHORITY,
    CERTIFICATE,
    CONFIG,
    DOOR,
    DOOR_RIGHTS,
    DOOR_UNIT,
    DOOR_USERS,
    KEY,
    REVOKED,
    RIGHTS,
    config,
    door,
    door_rights,
    door_unit,
    mark,
    rights,
)
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.revocation import revoked
from ttcs_edge.central.stations import check_id, made_stations
from ttcs_edge.core.model import Scope, scope_covers
from ttcs_edge.whole_files import PRIVATE, replace
from ttcs_edge.wire.topics import Topics

RESTARTS: Final = frozenset({CONFIG, AUTHORITY, REVOKED})
"""What a reload does not do whole: it leaves a listener's options as they are, and a connection that stands."""
OF_THE_DOOR: Final = frozenset({DOOR, DOOR_RIGHTS, DOOR_USERS, DOOR_UNIT})
"""What there is only where stations enrol over the network."""
DOOR_RESTARTS: Final = OF_THE_DOOR | {AUTHORITY, CERTIFICATE, KEY}


class Rules(Struct, frozen=True):
    """What was written: where, for how many stations, and what has a broker follow it."""

    folder: Path
    at: Path
    stations: int
    changed: frozenset[str]
    has_door: bool

    @property
    def command(self) -> str:
        """What to type on the broker's machine, as root. Mosquitto reads all of it as the user ``mosquitto``."""
        files = f"{shlex.quote(str(self.folder))}/ttcs*"
        in_place = self.folder.resolve() == self.at.resolve()
        own = f"chown mosquitto: {files}"
        carry = f"install -o mosquitto -g mosquitto -m 0400 {files} {shlex.quote(str(self.at))}/"
        verb = "restart" if self.changed & RESTARTS else "reload"
        return f"{own if in_place else carry} && systemctl {verb} mosquitto{self._for_the_door()}"

    def _for_the_door(self) -> str:
        if not self.changed & DOOR_RESTARTS:
            return ""
        if not self.has_door:
            return " && systemctl disable --now ttcs-enrol" if self.changed & OF_THE_DOOR else ""
        unit = shlex.quote(str(self.at / DOOR_UNIT))
        return f" && systemctl enable {unit} && systemctl daemon-reload && systemctl restart ttcs-enrol"


def write_rules(centre: Centre, broker: BrokerAddress, folder: Path, at: Path, *, force: bool) -> Rules:
    """Write the files into a folder, to be read ``at`` a place. Raises CentralError, and then nothing is written."""
    if not at.is_absolute() or re.search(r"[\x00-\x1f]", str(at)):
        raise CentralError("bad-place", found=at)
    with centre.alone():
        stations = _stations(centre)
        made = _made(centre, broker, at, stations)
        for name in made:
            if not force:
                _check_ours(folder / name, mark(centre.settings.scope))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        changed = {name for name, data in made.items() if _read(folder / name) != data}
        for name in sorted(changed):
            replace(folder / name, made[name], PRIVATE)
        gone = {name for name in OF_THE_DOOR - made.keys() if (folder / name).exists()}
        for name in gone:
            (folder / name).unlink()
    return Rules(folder, at, len(stations), frozenset(changed | gone), DOOR in made)


def _made(centre: Centre, broker: BrokerAddress, at: Path, stations: list[tuple[str, Scope]]) -> dict[str, bytes]:
    settings = centre.settings
    certificate, key = _server(centre, broker.host)
    made = {
        CONFIG: config(broker.port, at).encode(),
        RIGHTS: rights(Topics(settings.topic_root), settings.scope, stations).encode(),
        AUTHORITY: centre.authority.certificate,
        REVOKED: revoked(centre),
        CERTIFICATE: certificate,
        KEY: key,
    }
    if settings.enrol_port:
        made[DOOR] = door(settings.enrol_port, at).encode()
        made[DOOR_RIGHTS] = door_rights().encode()
        made[DOOR_USERS] = b""
        made[DOOR_UNIT] = door_unit(at).encode()
    # Before a PEM block too anything may stand (RFC 7468, 2).
    return {name: mark(settings.scope).encode() + data for name, data in made.items()}


def _stations(centre: Centre) -> list[tuple[str, Scope]]:
    """Every station with its scope: one that the list forgets could not say a word."""
    found = []
    for station, scope in made_stations(centre):
        check_id(station)
        if scope is None or not scope_covers(centre.settings.scope, scope):
            raise CentralError("no-scope", id=station, file=centre.folder / "stations" / f"{station}.scope.txt")
        found.append((station, scope))
    return found


def _server(centre: Centre, host: str) -> tuple[bytes, bytes]:
    """The certificate, and its key, of a server that is called so."""
    for file in sorted((centre.folder / "servers").glob("*.crt"), key=lambda one: (one.stem != host, one.name)):
        data = file.read_bytes()
        if host in _names(x509.load_pem_x509_certificate(data)):
            return data, file.with_suffix(".key").read_bytes()
    raise CentralError("no-server-certificate", host=host, folder=centre.folder)


def _names(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def _check_ours(file: Path, first: str) -> None:
    found = _read(file)
    if found is not None and not found.startswith(first.encode()):
        raise CentralError("not-ours", file=file)


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
