"""What a station knows when it begins: the root that it trusts, and the first event, made of what the store kept.

Everything signed is verified again (never-1); what a damaged database cannot give any more is taken from the copies
beside it, and nothing below a floor (never-6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ttcs_edge.config import TRUST_FILE
from ttcs_edge.core import effects
from ttcs_edge.core.documents import Command, Programme, Refused, Signed, TrustRoot, VolumeOrder
from ttcs_edge.core.effects import Entry
from ttcs_edge.core.events import KnownAlert, Started
from ttcs_edge.core.floors import Floors
from ttcs_edge.core.model import AudioItem, Instant, WallMs, ZoneId
from ttcs_edge.core.trust import (
    alert_subject,
    check_authority,
    check_trust_root,
    counted,
    judge_chain,
    trust_subject,
    utc_ms,
)
from ttcs_edge.daemon.keyring import NO_TIME
from ttcs_edge.store.blobs import Blobs
from ttcs_edge.store.database import Remembered
from ttcs_edge.wire.documents import (
    read_alert,
    read_command,
    read_programme,
    read_trust_chain,
    read_trust_root,
    write_trust_chain,
)


class TrustError(Exception):
    """The trust folder holds no root that a station may believe."""

    def __init__(self, path: Path, refused: Refused) -> None:
        fields = " ".join(f"{name}={value}" for name, value in refused.detail)
        super().__init__(f"{path}: {refused.code} {fields}")


def load_trust(folder: Path, now: Instant) -> TrustRoot:
    """Read and check the trust root of the trust folder. Raises TrustError, or OSError when it cannot be read."""
    path = folder / TRUST_FILE
    signed = read_trust_root(path.read_bytes())
    verdict = signed if isinstance(signed, Refused) else check_trust_root(signed, now)
    if isinstance(signed, Refused):
        raise TrustError(path, signed)
    if isinstance(verdict, Refused) and verdict.code != "trust-expired":
        raise TrustError(path, verdict)
    return signed.document


def root_in_force(anchor: TrustRoot, kept: Sequence[bytes]) -> TrustRoot:
    """The newest trust root to which those that were accepted lead from the one in the trust folder.

    Each is verified again (never-1). One that does not lead on ends the row: what a broken card holds, or what came
    behind a root that a technician has replaced since.
    """
    root = anchor
    for envelope in kept:
        roots = read_trust_chain(write_trust_chain([envelope]), root, trust_subject(root.scope))
        if isinstance(roots, Refused):
            break
        newest = judge_chain(roots, trust=root, topic_scope=root.scope, now=NO_TIME)
        if isinstance(newest, Refused):
            break
        root = newest if isinstance(newest, TrustRoot) else root
    return root


Envelope = tuple[str, bytes]
"""A programme as it came, behind its scope."""


def started(
    remembered: Remembered,
    trust: TrustRoot,
    blobs: Blobs,
    now: Instant,
    copies: Callable[[], Sequence[Envelope]] = tuple,
    tones: tuple[tuple[str, AudioItem], ...] = (),
    test_tone: AudioItem | None = None,
    software: str = "",
) -> Started:
    """The first event: what the store remembers, every document of it verified again (never-1).

    What the database cannot give any more is taken from the ``copies``, but nothing below a floor (never-6).
    """
    programmes, refused = _verified(remembered.envelopes, trust, now)
    if remembered.damage is not None or refused:
        floors = Floors(dict(remembered.floors))
        lacking = [(scope, data) for scope, data in copies() if scope not in programmes]
        copied, _ = _verified(lacking, trust, now)
        copied = {scope: one for scope, one in copied.items() if _is_above(floors, one, trust)}
        programmes |= copied
        refused = {scope: wrong for scope, wrong in refused.items() if scope not in copied}
    told = list(refused.values())
    if remembered.damage is not None:
        told.append(_damaged(remembered, len(programmes)))
    return Started(
        trust=trust,
        programmes=tuple(programmes.values()),
        floors=remembered.floors,
        open_as_run=remembered.open_as_run,
        settled=remembered.settled,
        open_faults=remembered.open_faults,
        cached=blobs.have(),
        refused=tuple(told),
        alive_until_ms=remembered.alive_until_ms,
        watched_until_ms=remembered.watched_until_ms,
        time_floor_ms=time_floor(remembered, trust, tuple(programmes.values())),
        alerts=tuple(_alerts(remembered.alerts, trust, now)),
        tones=tones,
        test_tone=test_tone,
        volumes=tuple(_volumes(remembered.volumes, trust, now)),
        earlier=tuple(_still_good(remembered.earlier, trust, now)),
        software=software,
        data_used=remembered.data_used,
    )


def _verified(
    envelopes: Iterable[Envelope], trust: TrustRoot, now: Instant
) -> tuple[dict[str, Signed[Programme]], dict[str, Refused]]:
    programmes: dict[str, Signed[Programme]] = {}
    refused: dict[str, Refused] = {}
    for scope, envelope in envelopes:
        signed = read_programme(envelope, trust, scope)
        wrong = signed if isinstance(signed, Refused) else check_authority(signed, trust, now)
        if isinstance(signed, Signed) and (wrong is None or wrong.code == "expired"):
            programmes[scope] = signed
        else:
            assert wrong is not None
            refused[scope] = wrong
    return programmes, refused


def _is_above(floors: Floors, signed: Signed[Programme], trust: TrustRoot) -> bool:
    programme = signed.document
    return programme.version >= floors.of(programme.scope, counted(trust, "publish", programme.scope))


def _damaged(remembered: Remembered, programmes: int) -> Refused:
    saved = remembered.salvaged
    counts = (("programmes", programmes), ("reports", saved.reports), ("records", saved.records))
    detail = (("error", remembered.damage or ""), *((name, str(count)) for name, count in counts))
    return Refused("store-damaged", "database", detail)


def restored(first: Started, remembered: Remembered) -> list[Entry]:
    """What was taken from the copies must be in the database again, with its floor."""
    kept = dict(remembered.envelopes)
    return [
        effects.ProgrammeAccepted(signed.document.scope, signed.document.version, signed.envelope)
        for signed in first.programmes
        if kept.get(signed.document.scope) != signed.envelope
    ]


def _still_good(envelopes: Sequence[tuple[str, bytes]], trust: TrustRoot, now: Instant) -> Iterator[Signed[Programme]]:
    """Of what is not in force any more, what may still be believed; the rest is of no use, and nobody's fault."""
    for scope, envelope in envelopes:
        signed = read_programme(envelope, trust, scope)
        if isinstance(signed, Signed) and signed.document.scope == scope and not check_authority(signed, trust, now):
            yield signed


def _alerts(kept: Iterable[tuple[str, str, bytes, int, str]], trust: TrustRoot, now: Instant) -> Iterator[KnownAlert]:
    """The alerts that were accepted; one that has expired must still be known (``until_ms``)."""
    for scope, event, envelope, until_ms, told in kept:
        signed = read_alert(envelope, trust, alert_subject(scope, event))
        if isinstance(signed, Signed) and (signed.document.scope, signed.document.id) == (scope, event):
            wrong = check_authority(signed, trust, now, "alert")
            if wrong is None or wrong.code == "expired":
                yield KnownAlert(signed, until_ms, told)


def _volumes(
    kept: Iterable[tuple[str, bytes]], trust: TrustRoot, now: Instant
) -> Iterator[tuple[ZoneId, Signed[Command]]]:
    """The newest command for the volume of each zone: when it is over it says itself, whenever it had to arrive. Where
    the newest is of a key that was revoked, no older one comes back.
    """
    for zone, envelope in kept:
        signed = read_command(envelope, trust)
        if isinstance(signed, Signed) and isinstance(signed.document.volume, VolumeOrder):
            wrong = check_authority(signed, trust, now, "command")
            if wrong is None or wrong.code == "expired":
                yield ZoneId(zone), signed


def time_floor(remembered: Remembered, trust: TrustRoot, programmes: Sequence[Signed[Programme]]) -> WallMs:
    """The newest time known to be signed under this trust root; what another root once signed is left behind with it.

    After damage to the database the documents that are left tell it.
    """
    kept = remembered.time_floor
    known_ms = [kept.wall_ms] if kept is not None and kept.trust_version == trust.version else []
    issued = [trust.issued, *(signed.document.issued for signed in programmes)]
    return WallMs(max(known_ms + [utc_ms(text) for text in issued if utc_ms(text) < utc_ms(trust.expires)]))
