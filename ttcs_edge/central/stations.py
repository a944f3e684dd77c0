"""The stations of a centre: what it knows of each, before and after it has a certificate.

<id>.station.yaml         what the station is given as its ``station.yaml``: the worked example, with id, scope and
                          broker filled in; who knows the place may fit zones and pins in it beforehand
<id>.scope.txt            its scope: which topics the broker lets it hear
<id>.crt                  the certificate in force, once it has enrolled; its key never leaves the station
former/<id>.<serial>.crt  those before it, which hold until they expire or are taken back
<id>.code.json            a one-time code that was given out for an enrolment by stick
"""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.authority import OPERATOR
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.core.documents import ID_PATTERN, SCOPE_PATTERN
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, scope_covers
from ttcs_edge.station_file import filled, worked_example
from ttcs_edge.whole_files import PUBLIC, replace, write_new


class StationFiles(Struct, frozen=True):
    """Where a centre keeps what it knows of a station."""

    record: Path
    scope: Path
    config: Path
    code: Path

    @property
    def former(self) -> list[Path]:
        """The certificates before the one in force."""
        named = re.compile(rf"{re.escape(self.record.stem)}\.[0-9a-f]+\.crt")
        return sorted(one for one in (self.record.parent / "former").glob("*.crt") if named.fullmatch(one.name))

    def shelve(self, serial: int) -> None:
        """Have the certificate in force, which has this serial, among those before it; nothing is lost on the way."""
        folder = self.record.parent / "former"
        folder.mkdir(mode=0o700, exist_ok=True)
        replace(folder / f"{self.record.stem}.{serial:x}.crt", self.record.read_bytes(), PUBLIC)


def files_of(centre: Centre, station: str) -> StationFiles:
    """Where they lie."""
    folder = centre.folder / "stations"
    names = (f"{station}.crt", f"{station}.scope.txt", f"{station}.station.yaml", f"{station}.code.json")
    return StationFiles(*(folder / name for name in names))


def check_id(station: str) -> None:
    """See that an id can name a file, a level of a topic, and a user of the broker. Raises CentralError ``bad-id``."""
    if not re.fullmatch(ID_PATTERN, station) or len(station) > LIMITS.id_chars or station == OPERATOR:
        raise CentralError("bad-id", found=station)


def check_scope(text: str, centre: Centre | None = None) -> Scope:
    """Read a scope, inside the centre's when one is given. Raises CentralError ``bad-scope`` or ``outside-scope``."""
    if not re.fullmatch(SCOPE_PATTERN, text) or len(text) > LIMITS.scope_chars:
        raise CentralError("bad-scope", found=text)
    if centre is not None and not scope_covers(centre.settings.scope, Scope(text)):
        raise CentralError("outside-scope", found=text, expected=centre.settings.scope)
    return Scope(text)


def add_station(centre: Centre, station: str, scope: str, broker: BrokerAddress, *, own_https_ca: bool) -> Path:
    """Make a new station known and give its ``station.yaml``. Raises CentralError ``station-exists``, ``bad-id``."""
    check_id(station)
    place = check_scope(scope, centre)
    with centre.alone():
        files = files_of(centre, station)
        if files.record.exists() or files.config.exists():
            raise CentralError("station-exists", id=station, folder=centre.folder)
        config = station_yaml(station, place, broker, centre.settings.topic_root, own_https_ca=own_https_ca)
        # The scope first: a station that is known without one would keep the broker's rules from being made.
        replace(files.scope, f"{place}\n".encode(), PUBLIC)
        try:
            write_new(files.config, config.encode(), PUBLIC)
        except OSError:
            files.scope.unlink(missing_ok=True)
            raise
    return files.config


def is_known(centre: Centre, station: str) -> bool:
    """Tell whether a station is one of the centre's. What it is called has the form of an id: it names files of this
    folder and no others.
    """
    files = files_of(centre, station)
    return files.record.is_file() or files.config.is_file()


def known_station(centre: Centre, station: str) -> StationFiles:
    """Where what is known of a station lies. Raises CentralError ``no-station`` when nothing is."""
    check_id(station)
    if not is_known(centre, station):
        raise CentralError("no-station", id=station, folder=centre.folder / "stations")
    return files_of(centre, station)


def made_stations(centre: Centre) -> list[tuple[str, Scope | None]]:
    """The stations that this centre knows, each with its scope; None where nobody wrote it down."""
    folder = centre.folder / "stations"
    ids = {one.name.removesuffix(".station.yaml") for one in folder.glob("*.station.yaml")}
    ids |= {one.stem for one in folder.glob("*.crt")}
    return [(station, _scope_of(files_of(centre, station).scope)) for station in sorted(ids)]


def _scope_of(file: Path) -> Scope | None:
    try:
        return check_scope(file.read_text("utf-8", "replace").strip())
    except (OSError, CentralError):
        return None


def station_yaml(station: str, scope: Scope, broker: BrokerAddress, topic_root: str, *, own_https_ca: bool) -> str:
    """Fill the worked example in, its comments kept. Raises CentralError ``no-station-example``."""
    example = worked_example()
    if example is None:
        raise CentralError("no-station-example")
    wanted = {
        "id": station,
        "scope": scope,
        "broker.host": broker.host,
        "broker.port": broker.port,
        "broker.topic_root": topic_root,
    }
    text = filled(example, wanted)
    assert text is not None, "the worked example has its lines elsewhere"
    if own_https_ca:
        text += "\n# Máy chủ web dùng chứng chỉ của trung tâm / The web server has a certificate of the centre's own\n"
        text += "https:\n  ca: /etc/ttcs-edge/identity/ca.pem\n"
    return text
