"""A programme goes out: encode, deliver the audio, number, sign, check as a station would, and the document last.

1 Nothing is numbered before every bulletin is encoded, the broker answers and the audio is in its places: a mistake in
  the file, a key that is away or a broken line costs no version, and no station asks for audio that is not there.
2 A number is on the disk before it is signed, and is never used again, even when what follows fails (never-6). It is
  above what stands on the broker too, so that a folder restored from a copy does not use a number twice.
3 What is about to go out is read back with the very code of a station; what a station would refuse stays here.
4 One at a time: a second command waits while the first numbers and sends. What stands on the broker afterwards is read
  back, so that a document which another machine replaced at the same moment is not told as published.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from securesystemslib.signer import Signer

from ttcs_edge import whole_files
from ttcs_edge.central.address import BrokerAddress, check_audio_url
from ttcs_edge.central.audio import AudioFolder, Encoded, UnusableAudio, sha256_of
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import Centre, now, utc
from ttcs_edge.central.errors import CentralError, refuse
from ttcs_edge.central.programme_file import Draft, Take, read_programme_file, refuse_if_wrong
from ttcs_edge.core.documents import Audio, Bulletin, Programme, Refused, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, Sha256, scope_covers
from ttcs_edge.core.schedule import SlotOccurrence, occurrences, to_civil
from ttcs_edge.core.trust import Accepted, AlreadyInForce, judge_programme
from ttcs_edge.wire.documents import read_programme, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.topics import Topics
from ttcs_edge.yaml_form import Expected

DAY_S = 86_400
PREVIEW_DAYS = 7
PREVIEW_CUES = 100
BROKER_PLACE = "broker:"
LACKING: Final = "not-enough-signatures"
"""What a station says to a document that others have to sign, too."""


class Delivery(Struct, frozen=True):
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


class Published(Struct, frozen=True):
    """What went out, or would have."""

    programme: Programme
    envelope: bytes
    coming: tuple[SlotOccurrence, ...]
    is_all: bool


def publish(
    centre: Centre,
    file: Path,
    delivery: Delivery,
    *,
    dry_run: bool = False,
    sign_only: Path | None = None,
    secret: Callable[[str], str] | None = None,
) -> Published:
    """Publish a programme file. Raises BadProgrammeFile for the file, CentralError for everything else.

    ``secret`` gives the PIN of a hardware token that holds a key. With ``sign_only`` the signed document goes into that
    file instead of out, for others to sign it, too (``central.approve``).
    """
    _check_delivery(delivery, dry_run=dry_run)
    draft = read_programme_file(file)
    if not scope_covers(centre.settings.scope, draft.scope):
        expected = Expected("scope-below", (("scope", centre.settings.scope),))
        draft.page.refuse("scope", "outside-scope", expected, "other-scope")
        refuse_if_wrong(draft.page)
    _refuse_if_all_expired(draft)
    folder = AudioFolder(centre.folder / "audio", centre.folder / "cache")
    encoded = _encode(draft, folder)
    issue = _Issue(centre, draft, encoded, delivery, centre.signers("publish", secret))
    if dry_run:
        programme, envelope = issue.make(centre.last_version(draft.scope) + 1)
    else:
        programme, envelope = issue.send(folder, sign_only)
    return published(programme, envelope)


def published(programme: Programme, envelope: bytes) -> Published:
    """A programme with what it will air."""
    return Published(programme, envelope, *_coming(programme))


def _refuse_if_all_expired(draft: Draft) -> None:
    """Of a programme whose every bulletin has expired nothing would ever be heard: it takes a good one off the air."""
    now_ms = now().wall_ms
    if draft.bulletins and all(one.expires is not None and one.expires <= now_ms for one in draft.bulletins):
        expected = Expected("still-to-come", (("now", f"{to_civil(now_ms, draft.time_zone):%Y-%m-%d %H:%M}"),))
        for place in range(1, len(draft.bulletins) + 1):
            draft.page.refuse(f"bulletins[{place}].expires", "all-expired", expected, "renew-bulletin")
    refuse_if_wrong(draft.page)


class _Issue(Struct, frozen=True):
    """A programme on its way out."""

    centre: Centre
    draft: Draft
    encoded: dict[str, Encoded]
    delivery: Delivery
    signers: tuple[Signer, ...]

    def make(self, version: int, *, for_others: bool = False) -> tuple[Programme, bytes]:
        """Sign it under a number, and check it as a station would; signatures may be lacking when it is for others."""
        programme = _programme(self.draft, self.encoded, self.delivery, version)
        envelope = sign(write_document(programme), PAYLOAD_TYPES["programme"], self.signers)
        verdict = judged(self.centre, envelope, self.draft.scope, version - 1)
        if isinstance(verdict, Refused) and not (for_others and verdict.code == LACKING):
            refuse(verdict)
        return programme, envelope

    def send(self, folder: AudioFolder, sign_only: Path | None) -> tuple[Programme, bytes]:
        """Put the audio in its places, then number it, and put it on the broker, or into a file for others."""
        assert self.delivery.broker is not None
        topics, scope = Topics(self.centre.settings.topic_root), self.draft.scope
        files_once = {one.sha256: one for one in self.encoded.values()}.values()
        with OperatorClient(self.centre, self.delivery.broker).connected() as client:
            for one in files_once:
                if self.delivery.audio_folder is not None:
                    put_in_folder(self.delivery.audio_folder, one, folder.path(one))
                if self.delivery.via_broker:
                    pieces = list(cut(topics, one.sha256, folder.path(one).read_bytes()))
                    client.publish_all(pieces, (self.draft.valid_days + 1) * DAY_S)
            with self.centre.alone():
                standing = client.standing(topics.programme(scope))
                version = self.centre.take_version(scope, version_of(standing, self.centre, scope))
                programme, envelope = self.make(version, for_others=sign_only is not None)
                if sign_only is not None:
                    whole_files.write_new(sign_only.absolute(), envelope, whole_files.PUBLIC)
                else:
                    put_on_broker(self.centre, client, programme, envelope)
        return programme, envelope


def put_on_broker(centre: Centre, client: OperatorClient, programme: Programme, envelope: bytes) -> None:
    """Keep a document and put it on the broker. Raises CentralError ``overtaken`` when another stands there then."""
    topic = Topics(centre.settings.topic_root).programme(programme.scope)
    kept = centre.programme_folder(programme.scope) / f"{programme.version}.dsse.json"
    whole_files.replace(kept, envelope, whole_files.PUBLIC)
    client.publish(topic, envelope)
    if client.standing(topic) != envelope:
        raise CentralError("overtaken", scope=programme.scope, version=programme.version)


def version_of(envelope: bytes | None, centre: Centre, scope: Scope) -> int:
    """Tell the version of what stands on the broker; 0 for what this centre's keys did not sign."""
    signed = None if envelope is None else read_programme(envelope, centre.trust.document, scope)
    return signed.document.version if isinstance(signed, Signed) else 0


def _check_delivery(delivery: Delivery, *, dry_run: bool) -> None:
    if delivery.audio_url is not None:
        check_audio_url(delivery.audio_url)
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
            audio=tuple(as_audio(take.language, encoded[take.key], delivery.places) for take in bulletin.takes),
            expires=None if bulletin.expires is None else utc(bulletin.expires),
        )
        for bulletin in draft.bulletins
    )
    return Programme(
        scope=draft.scope,
        version=version,
        issued=utc(issued),
        expires=utc(issued + draft.valid_days * DAY_S * 1_000),
        time_zone=draft.time_zone,
        bulletins=bulletins,
        slots=draft.slots,
        standing=draft.standing,
    )


def as_audio(language: str, encoded: Encoded, places: tuple[str, ...]) -> Audio:
    """An encoded file as documents name it, to be had in ``places`` (``Delivery.places``)."""
    return Audio(
        language=language,
        sha256=Sha256(encoded.sha256),
        size_bytes=encoded.size_bytes,
        duration_ms=encoded.duration_ms,
        media_type="audio/ogg",
        loudness_lufs=encoded.loudness_lufs,
        places=tuple(place if place == BROKER_PLACE else place + encoded.file_name for place in places),
    )


def judged(centre: Centre, envelope: bytes, scope: Scope, floor: int) -> Accepted | Refused:
    """What a station would say to a document."""
    trust = centre.trust.document
    signed = read_programme(envelope, trust, scope)
    if isinstance(signed, Refused):
        return signed
    verdict = judge_programme(
        signed,
        trust=trust,
        topic_scope=scope,
        station_scope=scope,
        floor=floor,
        in_force=None,
        now=now(),
    )
    assert not isinstance(verdict, AlreadyInForce), "nothing is in force in this check"
    return verdict


def put_in_folder(target: Path, encoded: Encoded, source: Path) -> None:
    """Put a file into the folder of a web server, unless it lies there."""
    path = target / encoded.file_name
    target.mkdir(parents=True, exist_ok=True)
    if not path.exists() or sha256_of(path) != encoded.sha256:
        whole_files.replace(path, source.read_bytes(), whole_files.PUBLIC)


def cut(topics: Topics, sha256: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Cut a file into the messages that bring it over the broker."""
    for number, begin in enumerate(range(0, len(data), LIMITS.blob_chunk_bytes)):
        yield topics.blob(sha256, number), data[begin : begin + LIMITS.blob_chunk_bytes]


def envelope_file(sha256: str) -> str:
    """What the file of an envelope is called on a web server."""
    return f"{sha256}.dsse.json"


def _coming(programme: Programme) -> tuple[tuple[SlotOccurrence, ...], bool]:
    """What will air in the next days, at most as much as a person reads; and whether that is all of it."""
    begin = now().wall_ms
    each = (occurrences(programme, slot, begin, begin + PREVIEW_DAYS * DAY_S * 1_000) for slot in programme.slots)
    order: Callable[[SlotOccurrence], Any] = lambda one: (one.planned_ms, -one.slot.priority, one.slot.id)  # noqa: E731
    found = tuple(islice(merge(*each, key=order), PREVIEW_CUES + 1))
    return found[:PREVIEW_CUES], len(found) <= PREVIEW_CUES


def with_defaults(delivery: Delivery, centre: Centre) -> Delivery:
    """Take from ``centre.yaml`` what a command was not told: the audio's address, unless it goes over the broker."""
    if delivery.audio_url is None and not delivery.via_broker:
        return replace(delivery, audio_url=centre.settings.audio_url)
    return delivery
