"""What of a centre's is in force, scope by scope, as its beacons name it: programmes and alerts that have not expired.

An alert's envelope lies on the broker once more, in chunks as audio does, and in the web server's folder where there is
one: what a station missed it can fetch by its hash, whatever became of the message.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from ttcs_edge.central.alert_history import SUFFIX, files_of, kept_newest
from ttcs_edge.central.centre import Centre, now
from ttcs_edge.central.publish import BROKER_PLACE, envelope_file
from ttcs_edge.core.documents import Alert, NamedAlert, NamedDocument, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, Sha256
from ttcs_edge.core.trust import is_still_signed, utc_ms
from ttcs_edge.wire.documents import read_programme


class InForce(Struct, frozen=True):
    """What is in force for one scope."""

    programme: NamedDocument | None = None
    alerts: tuple[NamedAlert, ...] = ()


class _Programme(Struct, frozen=True):
    """What was read of a programme's file: its name in a beacon, and until when it is in force."""

    named: NamedDocument
    expires_ms: int


class Published:
    """What a centre has published. A file of a programme is read once: it never changes."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, int], _Programme | None] = {}

    def in_force(self, centre: Centre) -> dict[Scope, InForce]:
        """What is in force for each scope for which there is anything; the centre's own is always among them."""
        at_ms = now().wall_ms
        programmes = self._programmes(centre, at_ms)
        alerts: dict[Scope, tuple[NamedAlert, ...]] = {}
        for signed in kept_newest(centre):
            alert = signed.document
            if utc_ms(alert.expires) > at_ms and is_still_signed(signed, centre.trust.document, "alert"):
                alerts[alert.scope] = (*alerts.get(alert.scope, ()), _named(centre, signed))[: LIMITS.alerts]
        scopes = sorted({centre.settings.scope, *programmes, *alerts})
        return {scope: InForce(programmes.get(scope), alerts.get(scope, ())) for scope in scopes}

    def _programmes(self, centre: Centre, at_ms: int) -> dict[Scope, NamedDocument]:
        folder = centre.folder / "programmes"
        newest = {place: files_of(place)[0] for place in {file.parent for file in folder.rglob(f"*{SUFFIX}")}}
        read = {Scope(place.relative_to(folder).as_posix()): self._of(centre, file) for place, file in newest.items()}
        return {scope: one.named for scope, one in read.items() if one is not None and one.expires_ms > at_ms}

    def _of(self, centre: Centre, file: Path) -> _Programme | None:
        key = file, centre.trust.document.version
        if key not in self._read:
            self._read[key] = _read(centre, file)
        return self._read[key]


def _read(centre: Centre, file: Path) -> _Programme | None:
    """None for what no station takes any more: who signed it may not speak."""
    trust = centre.trust.document
    signed = read_programme(file.read_bytes(), trust)
    if not isinstance(signed, Signed) or not is_still_signed(signed, trust, "publish"):
        return None
    programme, digest = signed.document, hashlib.sha256(signed.envelope).hexdigest()
    named = NamedDocument(version=programme.version, sha256=Sha256(digest), size_bytes=len(signed.envelope))
    return _Programme(named, utc_ms(programme.expires))


def _named(centre: Centre, signed: Signed[Alert]) -> NamedAlert:
    digest, url = hashlib.sha256(signed.envelope).hexdigest(), centre.settings.audio_url
    return NamedAlert(
        id=signed.document.id,
        version=signed.document.version,
        sha256=Sha256(digest),
        size_bytes=len(signed.envelope),
        places=(BROKER_PLACE, *((f"{url.rstrip('/')}/{envelope_file(digest)}",) if url else ())),
    )
