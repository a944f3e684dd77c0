"""Who may say what, where, now. Every check has a number; the tests name the attack that each one stops.

For a trust root:   1 enough of its own root keys signed it; 2 it has not expired.
For those behind it: 1 their scope is that of the one in force, and of the topic they came on; 2 each is of the next
version, and the version in force says what it said; 3 enough root keys of the one before signed each, and 4 enough of
its own; 5 none was issued in the future; 6 the last one has not expired (TUF 1.0.33, 5.3.4 to 5.3.10).
For a programme:    1 its scope is that of the topic it came on; 2 the station lies in that scope; 3 the trust root has
not expired; 4 enough keys of one publish grant over that scope signed it (threshold, no key twice); 5 it has not
expired; 6 it is not older than the newest that its signers ever had accepted for its scope (rollback, replay: never-6;
``core.floors``); 7 one version has one content: other bytes under the version in force are refused.
For a beacon:       1 to 6 as for a programme, by a beacon grant; 7 it was not issued in the future. One that stood
retained and has expired is the last word of a centre that is silent, and no fault.
For a command:      1 it is for this station; 2 the station lies in its scope; 3 the trust root has not expired; 4
enough keys of one command grant over that scope signed it; 5 the station knows the time; 6 it has not expired; 7 it was
not issued in the future; 8 it is newer than every command before it (never-6).
For an alert:       1 its scope and its id are those of the topic it came on; 2 the station lies in that scope; 3 the
trust root has not expired; 4 enough keys of one alert grant over that scope, which reaches as far as its severity,
signed it; 5 it has not expired; 6 it was not sent in the future; 7 it is not older than the newest message of its event
(never-6), and one version has one content; 8 it is of the sender whose event it is.

For a live segment: 1 its scope and its id are those of the topic it came on; 2 the station lies in that scope; 3 the
trust root has not expired; 4 enough keys of one live grant over that scope signed it; 5 it was said within the last
ten seconds (last week's segments); 6 it was not said in the future; 7 the station knows the time; 8 its session is not
over; 9 its session is not older than the newest, and it is behind every segment of it so far (never-6); 10 enough of
those signed it who signed all of its session so far: who has another key begins a session of his own.

The checks of time need trusted time. Of a programme and a beacon they are left out without it: a station without
trusted time airs no schedule (air-7), and they are made again before anything airs. A command that cannot be told from
one that was held back for a year is refused. An alert is heard without the time, unless it had expired by the newest
time that was ever signed: a warning that comes too late does less harm than one that does not come. What was issued in
the future is refused, because its version would be a
floor that shuts out what comes until then. Signatures themselves are checked by ``wire``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.core.documents import (
    Alert,
    Beacon,
    CapSeverity,
    CapUrgency,
    Command,
    Grant,
    LiveSegment,
    Programme,
    Refused,
    Signed,
    TrustRoot,
)
from ttcs_edge.core.model import ALERT_PREFIX, LIVE_PREFIX, Instant, Scope, StationSettings, scope_covers
from ttcs_edge.core.timekeeping import is_ahead

CAP_SEVERITIES: tuple[CapSeverity, ...] = ("Unknown", "Minor", "Moderate", "Severe", "Extreme")
"""The least first."""
CAP_URGENCIES: tuple[CapUrgency, ...] = ("Unknown", "Past", "Future", "Expected", "Immediate")
"""The least first."""


class Accepted(Struct, frozen=True):
    """Every check held."""


class AlreadyInForce(Struct, frozen=True):
    """The very document that is in force came again: nothing to do, nothing wrong."""


@lru_cache(maxsize=4_096)
def utc_ms(text: str) -> int:
    """The instant of a wire time such as ``2026-11-24T05:00:00Z``. Raises ValueError when there is no such date."""
    return round(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp() * 1_000)


def utc_text(wall_ms: int) -> str:
    """An instant as a wire time, in whole seconds."""
    return datetime.fromtimestamp(wall_ms // 1_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_trust_root(signed: Signed[TrustRoot], now: Instant) -> Accepted | Refused:
    """Decide whether a trust root stands by itself: signed by its own root grant, and not expired."""
    root = signed.document
    if not _enough(root, "root", root.scope, signed.signers):
        return _not_enough(root, "root", root.scope, signed.signers)
    if now.trusted and utc_ms(root.expires) <= now.wall_ms:
        return Refused("trust-expired", root.scope, (("expires", root.expires),))
    return Accepted()


def judge_chain(
    roots: Sequence[Signed[TrustRoot]], *, trust: TrustRoot, topic_scope: str, now: Instant
) -> TrustRoot | AlreadyInForce | Refused:
    """Decide whether roots, each behind the one before it, lead on from the one in force; gives the last of them.

    The signatures of each were checked against its own keys and those of the one before. Those that came before the one
    in force are history: nobody looks at them.
    """
    subject = trust_subject(topic_scope)
    if topic_scope != trust.scope:
        return Refused("wrong-scope", subject, (("found", topic_scope), ("expected", trust.scope)))
    newest = trust
    for signed in roots:
        root = signed.document
        if root.version < trust.version:
            continue
        refused = _leads_on(signed, newest, subject, now)
        if refused is not None:
            return refused
        newest = root
    if newest.version == trust.version:
        return AlreadyInForce()
    if now.trusted and utc_ms(newest.expires) <= now.wall_ms:
        return Refused("expired", subject, (("expires", newest.expires),))
    return newest


def _leads_on(signed: Signed[TrustRoot], before: TrustRoot, subject: str, now: Instant) -> Refused | None:
    root = signed.document
    if root.version == before.version:
        found = (("found", str(root.version)), ("expected", f"> {before.version}"))
        return None if root == before else Refused("same-version", subject, found)
    if root.version != before.version + 1:
        return Refused("broken-chain", subject, (("found", str(root.version)), ("expected", str(before.version + 1))))
    if root.scope != before.scope:
        return Refused("wrong-scope", subject, (("found", root.scope), ("expected", before.scope)))
    for judge in (before, root):
        if not _enough(judge, "root", judge.scope, signed.signers):
            return replace(_not_enough(judge, "root", judge.scope, signed.signers), subject=subject)
    return _check_issued(root, now)


def judge_programme(
    signed: Signed[Programme],
    *,
    trust: TrustRoot,
    topic_scope: str,
    station_scope: Scope,
    floor: int,
    in_force: Signed[Programme] | None,
    now: Instant,
) -> Accepted | AlreadyInForce | Refused:
    """Decide whether a programme comes into force here; ``floor`` is the newest version accepted for its scope."""
    programme = signed.document
    scope = programme.scope
    if scope != topic_scope:
        return Refused("wrong-scope", topic_scope, (("found", scope), ("expected", topic_scope)))
    if not scope_covers(scope, station_scope):
        return Refused("wrong-scope", topic_scope, (("found", scope), ("expected", station_scope)))
    refused = check_authority(signed, trust, now)
    if refused is not None:
        return refused
    if programme.version < floor:
        return Refused("old-version", scope, (("found", str(programme.version)), ("expected", f">= {floor}")))
    if programme.version == floor and in_force is not None and in_force.document.version == floor:
        if in_force.document == programme:
            return AlreadyInForce()
        return Refused("same-version", scope, (("found", str(programme.version)), ("expected", f"> {floor}")))
    return Accepted()


def judge_beacon(
    signed: Signed[Beacon],
    *,
    trust: TrustRoot,
    topic_scope: str,
    station_scope: Scope,
    floor: int,
    live: bool,
    now: Instant,
) -> Accepted | AlreadyInForce | Refused:
    """Decide whether a beacon is believed here; ``floor`` is the newest version believed of its scope."""
    beacon = signed.document
    if beacon.scope != topic_scope:
        return Refused("wrong-scope", topic_scope, (("found", beacon.scope), ("expected", topic_scope)))
    if not scope_covers(beacon.scope, station_scope):
        return Refused("wrong-scope", topic_scope, (("found", beacon.scope), ("expected", station_scope)))
    refused = check_authority(signed, trust, now, "beacon") or _check_issued(beacon, now)
    if refused is not None:
        return AlreadyInForce() if refused.code == "expired" and not live else refused
    if beacon.version < floor:
        return Refused("old-version", topic_scope, (("found", str(beacon.version)), ("expected", f">= {floor}")))
    return AlreadyInForce() if beacon.version == floor else Accepted()


def judge_command(
    signed: Signed[Command], *, trust: TrustRoot, station: StationSettings, floor: int, again: bool, now: Instant
) -> Accepted | AlreadyInForce | Refused:
    """Decide whether a command is obeyed; ``floor`` is the newest version obeyed, ``again`` the broker's own word that
    it brought the message before.
    """
    command = signed.document
    if command.station != station.id:
        return Refused("wrong-station", station.id, (("found", command.station), ("expected", station.id)))
    if not scope_covers(command.scope, station.scope):
        return Refused("wrong-scope", station.id, (("found", command.scope), ("expected", station.scope)))
    refused = check_authority(signed, trust, now, "command") or _check_issued(command, now)
    if refused is not None:
        return refused
    if command.version == floor and again:
        return AlreadyInForce()
    if not now.trusted:
        return Refused("command-without-time", station.id)
    if command.version <= floor:
        return Refused("old-version", station.id, (("found", str(command.version)), ("expected", f"> {floor}")))
    return Accepted()


def judge_alert(
    signed: Signed[Alert],
    *,
    trust: TrustRoot,
    topic: tuple[str, str],
    station_scope: Scope,
    known: Alert | None,
    floor_ms: int,
    now: Instant,
) -> Accepted | AlreadyInForce | Refused:
    """Decide whether a message of an alert is believed here.

    ``topic`` are the scope and the id in its topic, ``known`` the newest message of the same event, ``floor_ms`` the
    newest time that was ever signed (``core.timekeeping``).
    """
    alert = signed.document
    subject = alert_subject(*topic)
    if (alert.scope, alert.id) != topic:
        found = alert_subject(alert.scope, alert.id)
        return Refused("wrong-scope", subject, (("found", found), ("expected", subject)))
    if not scope_covers(alert.scope, station_scope):
        return Refused("wrong-scope", subject, (("found", alert.scope), ("expected", station_scope)))
    refused = check_authority(signed, trust, now, "alert") or _check_issued(alert, now)
    if refused is not None:
        return refused
    if not now.trusted and utc_ms(alert.expires) <= floor_ms:
        return Refused("expired", subject, (("expires", alert.expires),))
    return Accepted() if known is None else _follows(alert, known, subject)


def judge_live(
    signed: Signed[LiveSegment],
    *,
    trust: TrustRoot,
    topic: tuple[str, str],
    station_scope: Scope,
    known: tuple[int, int] | None,
    voice: frozenset[str],
    now: Instant,
) -> Accepted | AlreadyInForce | Refused:
    """Decide whether a segment of a live relay is played here.

    ``topic`` are the scope and the id in its topic, ``known`` the session and the number of the newest one so far,
    ``voice`` who signed every one of that session. One that came before, or out of its order, is nothing to be told: a
    network does that, too.
    """
    segment = signed.document
    subject = live_subject(*topic)
    if (segment.scope, segment.id) != topic:
        return Refused(
            "wrong-scope", subject, (("found", live_subject(segment.scope, segment.id)), ("expected", subject))
        )
    if not scope_covers(segment.scope, station_scope):
        return Refused("wrong-scope", subject, (("found", segment.scope), ("expected", station_scope)))
    refused = check_authority(signed, trust, now, "live") or _check_issued(segment, now)
    if refused is not None:
        return refused
    if not now.trusted:
        return Refused("live-without-time", subject)
    if utc_ms(segment.until) <= now.wall_ms:
        return Refused("expired", subject, (("expires", segment.until),))
    if known is not None and segment.version < known[0]:
        return Refused("old-version", subject, (("found", str(segment.version)), ("expected", f">= {known[0]}")))
    if known is None or segment.version > known[0]:
        return Accepted()
    if not _enough(trust, "live", segment.scope, signed.signers & voice):
        return replace(_not_enough(trust, "live", segment.scope, signed.signers & voice), subject=subject)
    return AlreadyInForce() if (segment.version, segment.number) <= known else Accepted()


def trust_subject(scope: str) -> str:
    """What faults call the trust roots that come over the broker."""
    return f"trust:{scope}"


def live_subject(scope: str, name: str) -> str:
    """What faults and records call the live relay of an id."""
    return f"{scope}#{LIVE_PREFIX}{name}"


def alert_subject(scope: str, event: str) -> str:
    """What faults and floors call the alert of an event."""
    return f"{scope}#{ALERT_PREFIX}{event}"


ANY = "*"
"""In the place of an id, in the subject of a fault: of what nobody known has signed, nobody knows which it is."""
_NOBODYS = frozenset(
    {
        *("oversized", "not-utf8", "not-json", "duplicate-key", "too-deep", "not-an-envelope", "unreadable"),
        *("too-many-signatures", "wrong-payload-type", "not-enough-signatures"),
    }
)
"""What is found of bytes before anybody's signature was."""


def named_by(read: Signed[Any] | Refused, name: str) -> str:
    """The id by which a refusal is told: whoever holds a broker can put what nobody signed under thousands of them."""
    return ANY if isinstance(read, Refused) and read.code in _NOBODYS else name


def _follows(alert: Alert, known: Alert, subject: str) -> Accepted | AlreadyInForce | Refused:
    if alert.version < known.version:
        found = (("found", str(alert.version)), ("expected", f">= {known.version}"))
        return Refused("old-version", subject, found)
    if alert.version == known.version and alert != known:
        return Refused("same-version", subject, (("found", str(alert.version)), ("expected", f"> {known.version}")))
    if alert.sender != known.sender:
        return Refused("wrong-sender", subject, (("found", alert.sender), ("expected", known.sender)))
    return AlreadyInForce() if alert.version == known.version else Accepted()


def check_authority(
    signed: Signed[Programme] | Signed[Beacon] | Signed[Command] | Signed[Alert] | Signed[LiveSegment],
    trust: TrustRoot,
    now: Instant,
    role: str = "publish",
) -> Refused | None:
    """Check that the trust root holds, that enough signed, and that it has not expired: also for what was stored, each
    time it is loaded (never-1).
    """
    document = signed.document
    if now.trusted and utc_ms(trust.expires) <= now.wall_ms:
        return Refused("trust-expired", trust.scope, (("expires", trust.expires),))
    severity = _severity_of(document)
    if not _enough(trust, role, document.scope, signed.signers, severity):
        return _not_enough(trust, role, document.scope, signed.signers, severity)
    if now.trusted and utc_ms(document.expires) <= now.wall_ms:
        return Refused("expired", document.scope, (("expires", document.expires),))
    return None


def is_still_signed(signed: Signed[Any], trust: TrustRoot, role: str) -> bool:
    """Tell whether those who signed a document may still do so: a key that was revoked counts no more, for what was
    accepted long ago, too.
    """
    document = signed.document
    return _enough(trust, role, document.scope, signed.signers, _severity_of(document))


def counted(trust: TrustRoot, role: str, scope: Scope) -> frozenset[str]:
    """The keys that count for a role over a scope: theirs are the floors that hold (``core.floors``)."""
    grants = (one for one in trust.grants if one.role == role and scope_covers(one.scope, scope))
    return frozenset(key for grant in grants for key in grant.keys)


def _severity_of(document: object) -> CapSeverity | None:
    return document.severity if isinstance(document, Alert) else None


def _check_issued(document: TrustRoot | Beacon | Command | Alert | LiveSegment, now: Instant) -> Refused | None:
    if is_ahead(utc_ms(document.issued), now):
        expected = utc_text(now.wall_ms)
        return Refused("issued-ahead", document.scope, (("found", document.issued), ("expected", expected)))
    return None


def _enough(
    trust: TrustRoot, role: str, scope: Scope, signers: frozenset[str], severity: CapSeverity | None = None
) -> bool:
    return any(
        len(signers.intersection(grant.keys)) >= grant.threshold for grant in _grants(trust, role, scope, severity)
    )


def _not_enough(
    trust: TrustRoot, role: str, scope: Scope, signers: frozenset[str], severity: CapSeverity | None = None
) -> Refused:
    grants = _grants(trust, role, scope, severity)
    found = max((len(signers.intersection(grant.keys)) for grant in grants), default=0)
    expected = min((grant.threshold for grant in grants), default=1)
    return Refused("not-enough-signatures", scope, (("found", str(found)), ("expected", str(expected))))


def _grants(trust: TrustRoot, role: str, scope: Scope, severity: CapSeverity | None) -> list[Grant]:
    """Those that give leave for a role over a scope; of alerts, up to a severity."""
    return [
        grant
        for grant in trust.grants
        if grant.role == role and scope_covers(grant.scope, scope) and _reaches(grant, severity)
    ]


def _reaches(grant: Grant, severity: CapSeverity | None) -> bool:
    if severity is None:
        return True
    most = grant.most_severe
    return most is not None and CAP_SEVERITIES.index(severity) <= CAP_SEVERITIES.index(most)
