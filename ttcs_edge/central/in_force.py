"""What of a centre's is in force, scope by scope, as its beacons name it: programmes and alerts that have not expired.

An alert's envelope lies on the broker once more, in chunks as audio does, and in the web server's folder where there is
one: what a station missed it can fetch by its hash, whatever became of the message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from ttcs_edge.central.alert_history import SUFFIX, event_folders, files_of
from ttcs_edge.central.centre import Centre, now
from ttcs_edge.central.publish import BROKER_PLACE, envelope_file
from ttcs_edge.core.documents import NamedAlert, NamedDocument, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, Sha256
from ttcs_edge.core.trust import is_still_signed, utc_ms
from ttcs_edge.wire.documents import read_alert, read_programme


class InForce(Struct, frozen=True):
    """What is in force for one scope."""

    programme: NamedDocument | None = None
    alerts: tuple[NamedAlert, ...] = ()


class _Standing(Struct, frozen=True):
    """What was read of a file: for whom it is, what a beacon calls it, from when and until when it is in force, and
    whether those who signed it may still do so.
    """

    scope: Scope
    named: NamedDocument
    issued: str
    expires_ms: int
    counts: bool


class Published:
    """What a centre has published. A file is read once under each trust root: it never changes."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, int], _Standing | None] = {}

    def in_force(self, centre: Centre) -> dict[Scope, InForce]:
        """What is in force for each scope for which there is anything; the centre's own is always among them."""
        at_ms = now().wall_ms
        found = [one for one in (*self._programmes(centre), *self._alerts(centre)) if one.counts]
        programmes: dict[Scope, NamedDocument] = {}
        alerts: dict[Scope, tuple[NamedAlert, ...]] = {}
        for one in sorted(found, key=lambda one: one.issued, reverse=True):
            if one.expires_ms <= at_ms:
                continue
            if isinstance(one.named, NamedAlert):
                alerts[one.scope] = (*alerts.get(one.scope, ()), one.named)[: LIMITS.alerts]
            else:
                programmes[one.scope] = one.named
        scopes = sorted({centre.settings.scope, *programmes, *alerts})
        return {scope: InForce(programmes.get(scope), alerts.get(scope, ())) for scope in scopes}

    def _programmes(self, centre: Centre) -> Iterator[_Standing]:
        """The newest of each scope."""
        for folder in {file.parent for file in (centre.folder / "programmes").rglob(f"*{SUFFIX}")}:
            newest = [self._once(centre, file, _programme) for file in files_of(folder)[:1]]
            yield from (one for one in newest if one is not None)

    def _alerts(self, centre: Centre) -> Iterator[_Standing]:
        """The newest message of each event that this centre's keys signed."""
        for folder in event_folders(centre):
            messages = (self._once(centre, file, _alert) for file in files_of(folder))
            yield from islice((one for one in messages if one is not None), 1)

    def _once(self, centre: Centre, file: Path, read: Callable[[Centre, bytes], _Standing | None]) -> _Standing | None:
        key = file, centre.trust.document.version
        if key not in self._read:
            self._read[key] = read(centre, file.read_bytes())
        return self._read[key]


def _programme(centre: Centre, data: bytes) -> _Standing | None:
    trust = centre.trust.document
    signed = read_programme(data, trust)
    if not isinstance(signed, Signed):
        return None
    programme, counts = signed.document, is_still_signed(signed, trust, "publish")
    named = NamedDocument(version=programme.version, sha256=_digest(data), size_bytes=len(data))
    return _Standing(programme.scope, named, programme.issued, utc_ms(programme.expires), counts)


def _alert(centre: Centre, data: bytes) -> _Standing | None:
    trust, url = centre.trust.document, centre.settings.audio_url
    signed = read_alert(data, trust)
    if not isinstance(signed, Signed):
        return None
    alert, digest, counts = signed.document, _digest(data), is_still_signed(signed, trust, "alert")
    places = (BROKER_PLACE, *((f"{url.rstrip('/')}/{envelope_file(digest)}",) if url else ()))
    named = NamedAlert(id=alert.id, version=alert.version, sha256=digest, size_bytes=len(data), places=places)
    return _Standing(alert.scope, named, alert.sent, utc_ms(alert.expires), counts)


def _digest(data: bytes) -> Sha256:
    return Sha256(hashlib.sha256(data).hexdigest())
