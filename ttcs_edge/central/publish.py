"""A programme goes out: encode, number, sign, check as a station would, then audio first and the document last.

1 Nothing is numbered before every bulletin is encoded: a mistake in the file costs no version.
2 A number is on the disk before it is signed, and is never used again, even when what follows fails (never-6).
3 What is about to go out is read back with the very code of a station; what a station would refuse stays here.
4 The audio is in its places before the document that names it, so no station asks for what is not there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ttcs_edge.central import files
from ttcs_edge.central.audio import AudioFolder, Encoded, UnusableAudio
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import Centre, now, utc
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.programme_file import Draft, Take, read_programme_file, refuse_if_wrong
from ttcs_edge.central.stations import BrokerAddress
from ttcs_edge.core.documents import Audio, Bulletin, Programme, Refused
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, Sha256, scope_covers
from ttcs_edge.core.schedule import SlotOccurrence, occurrences
from ttcs_edge.core.trust import Accepted, judge_programme, utc_ms
from ttcs_edge.wire.documents import read_programme, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.topics import Topics
from ttcs_edge.yaml_form import Expected

DAY_MS = 86_400_000
PREVIEW_DAYS = 7
PREVIEW_CUES = 100
BROKER_PLACE = "broker:"


@dataclass(frozen=True, slots=True)
class Delivery:
    """By what way stations get the audio, and where the document goes."""

    broker: BrokerAddress | None
    audio_url: str | None = None
    audio_folder: Path | None = None
    via_broker: bool = False

    @property
    def places(self) -> tuple[str, ...]:
        """What comes before ``<sha256>.ogg`` in each place; the broker needs no name."""
        web = (self.audio_url.rstrip("/") + "/",) if self.audio_url else ()
        return (*web, BROKER_PLACE) if self.via_broker else web


@dataclass(frozen=True, slots=True)
class Published:
    """What went out, or would have."""

    programme: Programme
    envelope: bytes
    coming: tuple[SlotOccurrence, ...]


def publish(centre: Centre, file: Path, delivery: Delivery, *, dry_run: bool = False) -> Published:
    """Publish a programme file. Raises BadProgrammeFile for the file, CentralError for everything else."""
    _check_delivery(delivery, dry_run=dry_run)
    draft = read_programme_file(file)
    if not scope_covers(centre.settings.scope, draft.scope):
        expected = Expected("scope-below", (("scope", centre.settings.scope),))
        draft.page.refuse("scope", "outside-scope", expected, "other-scope")
        refuse_if_wrong(draft.page)
    folder = AudioFolder(centre.folder / "audio", centre.folder / "cache")
    encoded = _encode(draft, folder)
    with centre.alone():
        floor = centre.last_version(draft.scope)
        version = floor + 1 if dry_run else centre.take_version(draft.scope)
        programme = _programme(draft, encoded, delivery, version)
        envelope = sign(write_document(programme), PAYLOAD_TYPES["programme"], centre.signers("publish"))
        _check_as_a_station(centre, envelope, draft.scope, floor)
        if not dry_run:
            _send(centre, programme, envelope, delivery, folder, encoded)
    return Published(programme, envelope, _coming(programme))


def _check_delivery(delivery: Delivery, *, dry_run: bool) -> None:
    if delivery.audio_url is not None and not delivery.audio_url.startswith("https://"):
        raise CentralError("bad-url", found=delivery.audio_url)
    if not delivery.places:
        raise CentralError("no-place")
    if delivery.broker is None and not dry_run:
        raise CentralError("no-broker")


def _encode(draft: Draft, folder: AudioFolder) -> dict[str, Encoded]:
    """Encode every recording, by its key in the file; every one that cannot be is told at once."""
    takes = [take for bulletin in draft.bulletins for take in bulletin.takes]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(lambda take: _encode_one(take, folder), takes))
    for take, result in zip(takes, results, strict=True):
        if isinstance(result, UnusableAudio):
            voice = result.code == "no-voice"
            expected, mend = ("voice", "other-voice") if voice else ("audible", "other-audio")
            draft.page.refuse(take.key, result.code, Expected(expected, (("most", "64"),)), mend, measured=result.found)
    refuse_if_wrong(draft.page)
    return {
        take.key: result for take, result in zip(takes, results, strict=True) if not isinstance(result, UnusableAudio)
    }


def _encode_one(take: Take, folder: AudioFolder) -> Encoded | UnusableAudio:
    try:
        return folder.encode(take.source)
    except UnusableAudio as error:
        return error


def _programme(draft: Draft, encoded: dict[str, Encoded], delivery: Delivery, version: int) -> Programme:
    issued = now().wall_ms
    bulletins = tuple(
        Bulletin(
            id=bulletin.id,
            title=bulletin.title,
            audio=tuple(_audio(take, encoded[take.key], delivery) for take in bulletin.takes),
        )
        for bulletin in draft.bulletins
    )
    return Programme(
        scope=draft.scope,
        version=version,
        issued=utc(issued),
        expires=utc(issued + draft.valid_days * DAY_MS),
        time_zone=draft.time_zone,
        bulletins=bulletins,
        slots=draft.slots,
    )


def _audio(take: Take, encoded: Encoded, delivery: Delivery) -> Audio:
    return Audio(
        language=take.language,
        sha256=Sha256(encoded.sha256),
        size_bytes=encoded.size_bytes,
        duration_ms=encoded.duration_ms,
        media_type="audio/ogg",
        loudness_lufs=encoded.loudness_lufs,
        places=tuple(place if place == BROKER_PLACE else place + encoded.file_name for place in delivery.places),
    )


def _check_as_a_station(centre: Centre, envelope: bytes, scope: Scope, floor: int) -> None:
    trust = centre.trust.document
    signed = read_programme(envelope, trust, scope)
    verdict: object = signed
    if not isinstance(signed, Refused):
        verdict = judge_programme(
            signed,
            trust=trust,
            topic_scope=scope,
            station_scope=scope,
            floors={scope: floor},
            in_force=None,
            now=now(),
        )
    if isinstance(verdict, Refused):
        detail = ", ".join(f"{name}={value}" for name, value in verdict.detail)
        raise CentralError("refused-by-own-check", found=verdict.code, detail=detail)
    assert isinstance(verdict, Accepted), verdict


def _send(
    centre: Centre,
    programme: Programme,
    envelope: bytes,
    delivery: Delivery,
    folder: AudioFolder,
    encoded: dict[str, Encoded],
) -> None:
    assert delivery.broker is not None
    topics = Topics(centre.settings.topic_root)
    each = {one.sha256: one for one in encoded.values()}
    kept = centre.programme_folder(programme.scope) / f"{programme.version}.dsse.json"
    files.write_new(kept, envelope, files.PUBLIC)
    if delivery.audio_folder is not None:
        for one in each.values():
            _put_in_folder(delivery.audio_folder, one, folder.path(one))
    remaining_s = (utc_ms(programme.expires) - now().wall_ms) // 1_000
    with OperatorClient(centre, delivery.broker).connected() as client:
        if delivery.via_broker:
            for one in each.values():
                client.publish_all(list(_chunks(topics, one, folder.path(one).read_bytes())), remaining_s)
        client.publish(topics.programme(programme.scope), envelope)


def _put_in_folder(target: Path, encoded: Encoded, source: Path) -> None:
    path = target / encoded.file_name
    try:
        target.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.stat().st_size != encoded.size_bytes:
            files.replace(path, source.read_bytes(), files.PUBLIC)
    except OSError as error:
        raise CentralError("cannot-write", file=path, found=error.strerror or "") from error


def _chunks(topics: Topics, encoded: Encoded, data: bytes) -> Iterator[tuple[str, bytes]]:
    for number, begin in enumerate(range(0, len(data), LIMITS.blob_chunk_bytes)):
        yield topics.blob(encoded.sha256, number), data[begin : begin + LIMITS.blob_chunk_bytes]


def _coming(programme: Programme) -> tuple[SlotOccurrence, ...]:
    """What will air in the next days, at most as much as a person reads."""
    begin = now().wall_ms
    found = [
        one
        for slot in programme.slots[:PREVIEW_CUES]
        for one in occurrences(programme, slot, begin, begin + PREVIEW_DAYS * DAY_MS)
    ]
    return tuple(sorted(found, key=lambda one: (one.planned_ms, -one.slot.priority, one.slot.id))[:PREVIEW_CUES])


def with_defaults(delivery: Delivery, centre: Centre) -> Delivery:
    """Take from ``centre.yaml`` what a command was not told: the audio's address, unless it goes over the broker."""
    if delivery.audio_url is None and not delivery.via_broker:
        return replace(delivery, audio_url=centre.settings.audio_url)
    return delivery
