"""The messages of alerts that a centre sent, and what stands on the broker: the newest of an event says what holds.

Every envelope is kept in the folder. What another machine sent stands on the broker, and may be newer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ttcs_edge.central.centre import Centre, now
from ttcs_edge.central.errors import CentralError
from ttcs_edge.core.documents import Alert, AlertReference, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.wire.documents import read_alert

SUFFIX: Final = ".dsse.json"


def newest_kept(centre: Centre, scope: Scope, event: str) -> Signed[Alert] | None:
    """The newest message of an event in the folder that this centre's keys signed; None when there is none."""
    return next(
        (signed for file in files_of(centre.alert_folder(scope, event)) if (signed := _read(centre, file))), None
    )


def of_envelope(centre: Centre, envelope: bytes | None, scope: Scope, event: str) -> Signed[Alert] | None:
    """What stands on the broker for an event; None for what this centre's keys did not sign, or what is of another."""
    signed = None if envelope is None else read_alert(envelope, centre.trust.document)
    if not isinstance(signed, Signed) or (signed.document.scope, signed.document.id) != (scope, event):
        return None
    return signed


def newer(one: Signed[Alert] | None, other: Signed[Alert] | None) -> Signed[Alert] | None:
    """The newer of two messages of an event."""
    found = [signed for signed in (one, other) if signed is not None]
    return max(found, key=lambda signed: signed.document.version, default=None)


def kept_events(centre: Centre) -> list[Alert]:
    """The newest message of every event in the folder, the newest event first."""
    newest = (
        next((one for file in files_of(at) if (one := _read(centre, file))), None) for at in event_folders(centre)
    )
    return sorted((one.document for one in newest if one), key=lambda alert: alert.sent, reverse=True)


def event_folders(centre: Centre) -> list[Path]:
    """Where the messages of each event are kept."""
    return list((centre.folder / "alerts" / "sent").glob("*/*"))


def in_force(centre: Centre) -> list[Alert]:
    """The events in the folder that are neither over nor cancelled, the newest first."""
    at_ms = now().wall_ms
    return [one for one in kept_events(centre) if one.msg_type != "Cancel" and utc_ms(one.expires) > at_ms]


def scope_of(centre: Centre, event: str, given: Scope | None) -> Scope:
    """The scope of an event: the one that is given, or that under which the folder has it, or the centre's.

    Raises CentralError ``two-alerts`` when the folder has the event under two scopes.
    """
    if given is not None:
        return given
    scopes = sorted({alert.scope for alert in kept_events(centre) if alert.id == event})
    if len(scopes) > 1:
        raise CentralError("two-alerts", id=event, scopes=", ".join(scopes))
    return scopes[0] if scopes else centre.settings.scope


def event_of_references(centre: Centre, references: tuple[AlertReference, ...]) -> Alert | None:
    """The newest message of the event that a message of somebody else's refers to; None when no event has it."""
    return next(iter(events_of_references(centre, references)), None)


def events_of_references(centre: Centre, references: tuple[AlertReference, ...]) -> list[Alert]:
    """The newest message of every event that has one of those that are referred to, the newest event first."""
    named = {(one.sender, one.identifier) for one in references}
    return [alert for alert in kept_events(centre) if named & _names(alert)] if named else []


def kept_as(centre: Centre, scope: Scope, event: str, sender: str, identifier: str) -> Signed[Alert] | None:
    """The message of an event in the folder that is of a sender under an identifier; None when there is none."""
    kept = (_read(centre, file) for file in files_of(centre.alert_folder(scope, event)))
    return next(
        (one for one in kept if one and (one.document.sender, one.document.identifier) == (sender, identifier)), None
    )


def references_of(before: Alert) -> tuple[AlertReference, ...]:
    """The earlier messages of an event, from the message before, the newest of them when there are many."""
    own = AlertReference(sender=before.sender, identifier=before.identifier, sent=before.sent)
    return (*before.references, own)[-LIMITS.alert_references :]


def _names(alert: Alert) -> set[tuple[str, str]]:
    return {(alert.sender, alert.identifier), *((one.sender, one.identifier) for one in alert.references)}


def files_of(folder: Path) -> list[Path]:
    """The envelopes in a folder, the newest first."""
    numbered = [(file.name.removesuffix(SUFFIX), file) for file in folder.glob(f"*{SUFFIX}")]
    return [file for _, file in sorted(((int(n), file) for n, file in numbered if n.isdecimal()), reverse=True)]


def _read(centre: Centre, file: Path) -> Signed[Alert] | None:
    signed = read_alert(file.read_bytes(), centre.trust.document)
    return signed if isinstance(signed, Signed) else None
