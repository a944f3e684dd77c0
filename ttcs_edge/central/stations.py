"""A station's file: all that a station needs, in one tar that ``tar -xf`` puts where the daemon looks.

    station.yaml              the worked example, with id, scope and broker filled in
    trust/root.dsse.json      whom the station believes
    tls/ca.pem tls/station.pem
    station.key               mode 0600; the service manager hands it over as the credential ``station.key``

The centre keeps the certificate and the scope only; the key is in the tar and nowhere else.
"""

from __future__ import annotations

import io
import re
import sysconfig
import tarfile
import time
from pathlib import Path

import yaml
from msgspec import Struct

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.authority import OPERATOR, make_client_certificate
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.files import PRIVATE, PUBLIC, replace, write_new
from ttcs_edge.core.documents import ID_PATTERN, SCOPE_PATTERN
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, scope_covers

EXAMPLE = Path("config") / "station.yaml"


class StationFiles(Struct, frozen=True):
    """What a centre keeps of a station: its certificate, its scope, and the file to carry to it."""

    record: Path
    scope: Path
    tar: Path


def files_of(centre: Centre, station: str) -> StationFiles:
    """Where they lie."""
    folder = centre.folder / "stations"
    return StationFiles(folder / f"{station}.crt", folder / f"{station}.scope.txt", folder / f"{station}.station.tar")


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
    """Make the file of a new station and give its path. Raises CentralError ``station-exists``, ``bad-id``."""
    check_id(station)
    place = check_scope(scope, centre)
    with centre.alone():
        files = files_of(centre, station)
        if files.record.exists() or files.tar.exists():
            raise CentralError("station-exists", id=station, record=files.record, file=files.tar)
        pair = make_client_certificate(centre.authority, station)
        config = station_yaml(_example(), station, place, broker, centre.settings.topic_root, own_https_ca=own_https_ca)
        members = {
            "station.yaml": (config.encode(), PUBLIC),
            "trust/root.dsse.json": (centre.trust.envelope, PUBLIC),
            "tls/ca.pem": (centre.authority.certificate, PUBLIC),
            "tls/station.pem": (pair.certificate, PUBLIC),
            "station.key": (pair.key, PRIVATE),
        }
        # The file first: if the power goes in between, it is whole and may be carried to the station.
        write_new(files.tar, _tar(members), PRIVATE)
        replace(files.scope, f"{place}\n".encode(), PUBLIC)
        write_new(files.record, pair.certificate, PUBLIC)
    return files.tar


def made_stations(centre: Centre) -> list[tuple[str, Scope | None]]:
    """The stations that this centre made, each with its scope; None where nobody wrote it down."""
    ids = [record.stem for record in sorted((centre.folder / "stations").glob("*.crt"))]
    return [(station, _scope_of(files_of(centre, station).scope)) for station in ids]


def _scope_of(file: Path) -> Scope | None:
    try:
        return check_scope(file.read_text("utf-8", "replace").strip())
    except (OSError, CentralError):
        return None


def station_yaml(
    example: str, station: str, scope: Scope, broker: BrokerAddress, topic_root: str, *, own_https_ca: bool
) -> str:
    """Fill the worked example in, its comments kept."""
    text = _set(example, r"^id:", f"id: {_quoted(station)}")
    text = _set(text, r"^scope:", f"scope: {_quoted(scope)}")
    text = _set(text, r"^  host:", f"  host: {_quoted(broker.host)}")
    text = _set(text, r"^  port:", f"  port: {broker.port}\n  topic_root: {_quoted(topic_root)}")
    if own_https_ca:
        text += "\n# Máy chủ web dùng chứng chỉ của trung tâm / The web server has a certificate of the centre's own\n"
        text += "https:\n  ca: /etc/ttcs-edge/tls/ca.pem\n"
    read = yaml.safe_load(text)
    wanted = (station, scope, broker.host, broker.port)
    assert (read["id"], read["scope"], read["broker"]["host"], read["broker"]["port"]) == wanted
    return text


def _quoted(text: str) -> str:
    return f'"{text}"'


def _set(text: str, begin: str, line: str) -> str:
    changed, count = re.subn(rf"{begin}.*$", lambda _: line, text, count=1, flags=re.MULTILINE)
    assert count == 1, f"the example has no line {begin}"
    return changed


def _example() -> str:
    """The worked example: beside the package in a checkout, under ``share/ttcs-edge`` once installed."""
    beside = Path(__file__).resolve().parents[2] / EXAMPLE
    shared = Path(sysconfig.get_path("data")) / "share" / "ttcs-edge" / EXAMPLE
    for path in (beside, shared):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise CentralError("no-station-example")


def _tar(members: dict[str, tuple[bytes, int]]) -> bytes:
    """A tar whose members belong to root, which is who unpacks it; no member for a folder that is there already."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, (data, mode) in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), mode, int(time.time())
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
