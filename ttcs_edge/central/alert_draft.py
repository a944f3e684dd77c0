"""An alert as the operator has it before it is numbered and signed, and what the command line changes of it.

A draft comes from a YAML file, from a CAP file, or from the message before of the same event. Its texts may have
blanks, such as ``{noi}``. A text that is changed takes its recording away with it: what is heard must not say something
else than what is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.central.alert_arguments import BLANK_NAME, MOST_CHARS
from ttcs_edge.central.audio import Speech
from ttcs_edge.central.errors import CentralError
from ttcs_edge.core.documents import (
    Alert,
    AlertReference,
    Audio,
    CapCertainty,
    CapSeverity,
    CapUrgency,
)
from ttcs_edge.core.model import Scope
from ttcs_edge.yaml_form import Page

BLANK: Final = re.compile(rf"\{{({BLANK_NAME})\}}")
TEXTS: Final = tuple(MOST_CHARS)


class Carried(Struct, frozen=True):
    """The audio of an earlier message, as it went out."""

    audio: Audio
    inline: str


class DraftInfo(Struct, frozen=True, kw_only=True):
    """What is said in one language. ``key`` is where that is written; without a ``source`` stations speak the texts."""

    key: str
    language: str
    headline: str
    description: str = ""
    instruction: str = ""
    source: Path | Speech | Carried | None = None

    @property
    def spoken(self) -> str:
        """The texts as they are read out."""
        return sentences(self.headline, self.description, self.instruction)


def sentences(*texts: str) -> str:
    """Texts as they are read out: each a sentence, empty ones left out."""
    parts = (part.strip() for part in texts)
    return "\n".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)


class Lost(Struct, frozen=True):
    """Something of a file that no alert of ours can hold: a code of the words, and their fields."""

    code: str
    fields: tuple[tuple[str, str], ...] = ()


class AlertDraft(Struct, frozen=True, kw_only=True):
    """Everything of an alert but its version, its references and its audio.

    ``lasts_s`` is counted from when it is sent; ``expires`` is a time that is fixed. ``event``, ``sender``,
    ``identifier``, ``sent`` and ``refers_to`` are those of a CAP file; else they are made when it is sent. ``lost`` is
    what the file says and no alert of ours can.
    """

    name: str
    page: Page
    status: str
    severity: CapSeverity
    urgency: CapUrgency
    certainty: CapCertainty
    info: tuple[DraftInfo, ...]
    scope: Scope | None = None
    zones: tuple[str, ...] = ()
    lasts_s: int | None = None
    expires: str | None = None
    effective: str | None = None
    onset: str | None = None
    repeat_s: int = 0
    tell_cancel: bool = False
    msg_type: str = "Alert"
    event: str | None = None
    sender: str | None = None
    identifier: str | None = None
    sent: str | None = None
    refers_to: tuple[AlertReference, ...] = ()
    lost: tuple[Lost, ...] = ()


class Changes(Struct, frozen=True, kw_only=True):
    """What the command line says of an alert; None, and nothing, for what it does not. Texts and files by language,
    those of the first language under the empty name.
    """

    texts: Mapping[str, Mapping[str, str]] = {}
    audio: Mapping[str, Path] = {}
    blanks: Mapping[str, str] = {}
    scope: Scope | None = None
    zones: tuple[str, ...] | None = None
    status: str | None = None
    severity: CapSeverity | None = None
    urgency: CapUrgency | None = None
    certainty: CapCertainty | None = None
    lasts_s: int | None = None
    repeat_s: int | None = None
    tell_cancel: bool | None = None


def changed(draft: AlertDraft, changes: Changes) -> AlertDraft:
    """Give a draft as the command line wants it. Raises CentralError ``no-recording`` for a file that is not there."""
    given = {
        name: value
        for name in ("scope", "zones", "status", "severity", "urgency", "certainty", "repeat_s", "tell_cancel")
        if (value := getattr(changes, name)) is not None
    }
    if changes.lasts_s is not None:
        given |= {"lasts_s": changes.lasts_s, "expires": None}
    for file in changes.audio.values():
        if not file.is_file():
            raise CentralError("no-recording", file=file)
    return replace(draft, **given, info=tuple(_changed_info(draft.info, changes)))


def _changed_info(info: tuple[DraftInfo, ...], changes: Changes) -> Iterator[DraftInfo]:
    first = info[0].language
    texts = {name: _by_language(changes.texts.get(name, {}), first) for name in TEXTS}
    audio = _by_language(changes.audio, first)
    more = sorted({*audio, *(language for one in texts.values() for language in one)} - {one.language for one in info})
    new = (DraftInfo(key="", language=language, headline=info[0].headline) for language in more)
    for one in (*info, *new):
        given = {name: texts[name][one.language] for name in TEXTS if one.language in texts[name]}
        source = audio.get(one.language, None if given else one.source)
        yield replace(one, **given, source=source)


def _by_language(given: Mapping[str, Path] | Mapping[str, str], first: str) -> dict[str, object]:
    return {language or first: value for language, value in given.items()}


def blanks_of(draft: AlertDraft) -> list[str]:
    """The blanks in its texts, in the order in which they stand."""
    texts = (getattr(one, name) for one in draft.info for name in TEXTS)
    return list(dict.fromkeys(name for text in texts for name in BLANK.findall(text)))


def filled(draft: AlertDraft, blanks: Mapping[str, str]) -> AlertDraft:
    """Fill blanks in. A recording is what it is: it has none."""

    def fill(text: str) -> str:
        return BLANK.sub(lambda match: blanks.get(match[1], match[0]), text)

    info = tuple(replace(one, **{name: fill(getattr(one, name)) for name in TEXTS}) for one in draft.info)
    return replace(draft, info=info)


def check_texts(draft: AlertDraft) -> None:
    """Raise CentralError ``long-text`` when a text is too long, or a headline is empty, now that all is filled in."""
    for one in draft.info:
        for name, most in MOST_CHARS.items():
            written = getattr(one, name)
            if len(written) > most or (name == "headline" and not written.strip()):
                raise CentralError("long-text", name=name, language=one.language, chars=len(written), most=most)


def spoken_here(draft: AlertDraft) -> AlertDraft:
    """Have what stations would speak be spoken by this machine, each language by the voice of its name."""
    info = tuple(
        one if one.source is not None else replace(one, source=Speech(one.spoken, one.language)) for one in draft.info
    )
    return replace(draft, info=info)


def draft_of(alert: Alert, page: Page) -> AlertDraft:
    """Make a draft of the message before, its audio and all."""
    info = tuple(
        DraftInfo(
            key="",
            language=one.language,
            headline=one.headline,
            description=one.description,
            instruction=one.instruction,
            source=None if one.audio is None else Carried(one.audio, one.inline),
        )
        for one in alert.info
    )
    return AlertDraft(
        name=alert.id,
        page=page,
        status=alert.status,
        severity=alert.severity,
        urgency=alert.urgency,
        certainty=alert.certainty,
        info=info,
        scope=alert.scope,
        zones=alert.zones,
        expires=alert.expires,
        effective=alert.effective,
        onset=alert.onset,
        repeat_s=alert.repeat_s,
        tell_cancel=alert.tell_cancel,
    )
