"""An alert goes out: its audio made ready, numbered, signed, checked as a station would, and put on the broker.

1 Nothing is numbered before the recordings are encoded and the broker answers.
2 A number is on the disk before it is signed, and is never used again (never-6). It is above what stands on the broker.
3 What is about to go out is read back with the very code of a station; what a station would refuse stays here.
4 One at a time. What was composed from a message that is not the newest any more is not sent: somebody else spoke.
5 Every envelope is kept in the centre's folder before it goes out.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path

from msgspec import Struct
from securesystemslib.signer import Signer

from ttcs_edge import whole_files
from ttcs_edge.central.alert_draft import AlertDraft, Carried, DraftInfo
from ttcs_edge.central.alert_file import refuse_if_wrong
from ttcs_edge.central.alert_history import SUFFIX, newer, newest_kept, of_envelope, references_of
from ttcs_edge.central.audio import AudioFolder, Encoded, UnusableAudio
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import Centre, now, take_number, utc
from ttcs_edge.central.errors import CentralError, refuse
from ttcs_edge.central.publish import (
    BROKER_PLACE,
    LACKING,
    Delivery,
    as_audio,
    cut,
    envelope_file,
    put_in_folder,
)
from ttcs_edge.core.documents import Alert, AlertInfo, Audio, Refused, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.core.trust import Accepted, AlreadyInForce, judge_alert, utc_ms
from ttcs_edge.wire.documents import read_alert, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.topics import Topics
from ttcs_edge.yaml_form import Expected, Page

LASTS_LEAST_S = 60
"""What is over within a minute reaches nobody."""
CHUNKS_LONGER_S = 3_600
"""How much longer than the alert its audio stays on the broker, for stations whose clocks are behind."""


class Issue(Struct, frozen=True, kw_only=True):
    """A message of an alert on its way out: what is said, with its audio. ``before`` is the message that it follows."""

    centre: Centre
    draft: AlertDraft
    scope: Scope
    event: str
    info: tuple[AlertInfo, ...]
    delivery: Delivery
    signers: tuple[Signer, ...]
    before: Signed[Alert] | None = None

    def document(self, version: int) -> Alert:
        """The message under a number, sent now, and cut to the longest that stations hold one.

        Raises CentralError ``no-expiry`` or ``alert-over``.
        """
        draft, before, sent_ms = self.draft, self.before, now().wall_ms
        if draft.expires is None and draft.lasts_s is None:
            raise CentralError("no-expiry", file=draft.page.file)
        sent = draft.sent or utc(sent_ms)
        expires = draft.expires or utc(sent_ms + (draft.lasts_s or 0) * 1_000)
        if utc_ms(expires) > utc_ms(sent) + LIMITS.alert_lasts_s * 1_000:
            expires = utc(utc_ms(sent) + LIMITS.alert_lasts_s * 1_000)
        if utc_ms(expires) < sent_ms + LASTS_LEAST_S * 1_000:
            raise CentralError("alert-over", id=self.event, expires=expires)
        references = (*(references_of(before.document) if before else ()), *draft.refers_to)
        return Alert(
            scope=self.scope,
            id=self.event,
            version=version,
            identifier=draft.identifier or _identifier(self.scope, self.event, version),
            sender=before.document.sender if before else draft.sender or self.centre.settings.scope,
            sent=sent,
            expires=expires,
            status=draft.status,  # type: ignore[arg-type]
            msg_type=draft.msg_type,  # type: ignore[arg-type]
            severity=draft.severity,
            urgency=draft.urgency,
            certainty=draft.certainty,
            info=self.info,
            references=tuple(dict.fromkeys(references))[-LIMITS.alert_references :],
            effective=draft.effective,
            onset=draft.onset,
            zones=draft.zones,
            repeat_s=draft.repeat_s,
            tell_cancel=draft.tell_cancel,
        )

    def make(self, version: int, *, for_others: bool = False) -> Signed[Alert]:
        """Sign it under a number, and check it as a station would; signatures may be lacking when it is for others."""
        envelope = sign(write_document(self.document(version)), PAYLOAD_TYPES["alert"], self.signers)
        signed = read_alert(envelope, self.centre.trust.document, self.event)
        before = None if self.before is None else self.before.document
        verdict = judged_alert(self.centre, signed, before) if isinstance(signed, Signed) else signed
        if isinstance(verdict, Refused) and not (for_others and verdict.code == LACKING):
            refuse(verdict)
        assert isinstance(signed, Signed), signed
        return signed

    def send(self, client: OperatorClient, folder: AudioFolder, sign_only: Path | None = None) -> Signed[Alert]:
        """Put what must be fetched in its places, then number the message, and put it on the broker, or into a file for
        others.
        """
        self._put_audio(client, folder)
        kept = self.centre.alert_folder(self.scope, self.event)
        with self.centre.alone():
            newest = newest_message(self.centre, self.scope, self.event, client)
            if newest is not None and (self.before is None or newest.document != self.before.document):
                raise CentralError("alert-overtaken", id=self.event, version=newest.document.version)
            number = take_number(kept, 0 if newest is None else newest.document.version)
            signed = self.make(number, for_others=sign_only is not None)
            if sign_only is None:
                put_alert(self.centre, client, signed)
        if sign_only is not None:
            whole_files.write_new(sign_only.absolute(), signed.envelope, whole_files.PUBLIC)
        else:
            put_envelope(self.centre, client, signed, self.delivery)
        return signed

    def _put_audio(self, client: OperatorClient, folder: AudioFolder) -> None:
        """Put what does not travel inside the alert in its places, also what an earlier message named already."""
        lasts_s = (utc_ms(self.document(1).expires) - now().wall_ms) // 1_000
        audio = {one.audio.sha256: one.audio for one in self.info if one.audio is not None and not one.inline}
        for sound in audio.values():
            one = Encoded(sound.sha256, sound.size_bytes, sound.duration_ms, sound.loudness_lufs)
            file = folder.path(one)
            if self.delivery.audio_folder is not None and file.is_file():
                put_in_folder(self.delivery.audio_folder, one, file)
            if BROKER_PLACE in sound.places and file.is_file():
                pieces = cut(Topics(self.centre.settings.topic_root), one.sha256, file.read_bytes())
                client.publish_all(list(pieces), lasts_s + CHUNKS_LONGER_S)


def put_alert(centre: Centre, client: OperatorClient, signed: Signed[Alert]) -> None:
    """Keep a message and put it on the broker. Raises CentralError ``overtaken`` when another stands there then."""
    document = signed.document
    topic = Topics(centre.settings.topic_root).alert(document.scope, document.id)
    kept = centre.alert_folder(document.scope, document.id)
    whole_files.replace(kept / f"{document.version}{SUFFIX}", signed.envelope, whole_files.PUBLIC)
    client.publish(topic, signed.envelope, expiry_s=_left_s(document))
    if client.standing(topic) != signed.envelope:
        raise CentralError("overtaken", scope=document.scope, version=document.version)


def put_envelope(centre: Centre, client: OperatorClient, signed: Signed[Alert], delivery: Delivery) -> None:
    """Put a message where a station can fetch it by its hash, as beacons name it: behind the message itself."""
    digest = hashlib.sha256(signed.envelope).hexdigest()
    pieces = list(cut(Topics(centre.settings.topic_root), digest, signed.envelope))
    client.publish_all(pieces, _left_s(signed.document) + CHUNKS_LONGER_S)
    if delivery.audio_folder is not None:
        delivery.audio_folder.mkdir(parents=True, exist_ok=True)
        whole_files.replace(delivery.audio_folder / envelope_file(digest), signed.envelope, whole_files.PUBLIC)


def _left_s(document: Alert) -> int:
    return (utc_ms(document.expires) - now().wall_ms) // 1_000


def newest_message(centre: Centre, scope: Scope, event: str, client: OperatorClient) -> Signed[Alert] | None:
    """The newest message of an event, in the folder or on the broker."""
    topic = Topics(centre.settings.topic_root).alert(scope, event)
    standing = of_envelope(centre, client.standing(topic), scope, event)
    return newer(newest_kept(centre, scope, event), standing)


def prepare(draft: AlertDraft, folder: AudioFolder, delivery: Delivery) -> tuple[AlertInfo, ...]:
    """Make the audio of a draft ready. Short audio travels inside the alert.

    Raises BadAlertFile for a recording that cannot be aired, CentralError ``no-place`` for one that is too long to
    travel inside and has no other way.
    """
    made = {one.language: _encode(one, draft.page, folder) for one in draft.info}
    refuse_if_wrong(draft.page)
    info = []
    for one in draft.info:
        encoded = made[one.language]
        audio, inline = (encoded.audio, encoded.inline) if isinstance(encoded, Carried) else (None, "")
        if isinstance(encoded, Encoded):
            short = encoded.size_bytes <= LIMITS.alert_inline_bytes
            if not short and not delivery.places:
                raise CentralError("no-place")
            audio = as_audio(one.language, encoded, (BROKER_PLACE,) if short else delivery.places)
            inline = b64encode(folder.path(encoded).read_bytes()).decode() if short else ""
        info.append(_info(one, audio, inline))
    return tuple(info)


def _info(one: DraftInfo, audio: Audio | None, inline: str) -> AlertInfo:
    return AlertInfo(
        language=one.language,
        headline=one.headline,
        description=one.description,
        instruction=one.instruction,
        audio=audio,
        inline=inline,
    )


def _encode(one: DraftInfo, page: Page, folder: AudioFolder) -> Encoded | Carried | None:
    if one.source is None or isinstance(one.source, Carried):
        return one.source
    try:
        return folder.encode(one.source)
    except UnusableAudio as error:
        voice = error.code == "no-voice"
        expected, mend = ("voice", "record-it") if voice else ("audible", "other-audio")
        written = f"{one.key}.file" in page.nodes
        key = f"{one.key}.file" if written else one.key
        found = None if written else str(one.source) if isinstance(one.source, Path) else one.language
        line = None if one.key else 0  # of what the command line adds no line of the file can be told
        wanted = Expected(expected, (("most", "64"),))
        page.refuse(key, error.code, wanted, mend, found=found, line=line, measured=error.found)
        return None


def _identifier(scope: Scope, event: str, version: int) -> str:
    """A name that is the message's own, as CAP wants it (3.2.1)."""
    name = f"{scope}/alert/{event}/{version}"
    return name if len(name) <= LIMITS.title_chars else hashlib.sha256(name.encode()).hexdigest()


def judged_alert(centre: Centre, signed: Signed[Alert], before: Alert | None) -> Accepted | AlreadyInForce | Refused:
    """What a station that has the message before would say of one."""
    document = signed.document
    return judge_alert(
        signed,
        trust=centre.trust.document,
        topic=(document.scope, document.id),
        station_scope=document.scope,
        known=before,
        floor_ms=0,
        now=now(),
    )
