"""``programme.yaml``: what an operator writes, read by a table, every mistake in it told at once with its line.

The shape is that of the document on the wire, with three differences: a bulletin names files or texts where the
document names hashes, ``valid_days`` stands for the two dates that are only known when it is published, and a bulletin
expires at a time in the programme's zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from ttcs_edge.central.audio import Speech
from ttcs_edge.central.errors import BadProgrammeFile
from ttcs_edge.core.documents import ID_PATTERN, LANGUAGE_PATTERN, SCOPE_PATTERN, STREAM_PATTERN, Slot, Stream
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import IfInterrupted, IfUnplayable, Scope, WallMs
from ttcs_edge.core.schedule import check_rule, check_slot, to_ms
from ttcs_edge.yaml_form import (
    Choice,
    Expected,
    Key,
    ListOf,
    Page,
    PathText,
    Section,
    Text,
    TimeZone,
    Whole,
    closest,
    fill,
    read_time,
)

FILE_BYTES: Final = 4 * 1024 * 1024
SPOKEN_CHARS: Final = 20_000
CIVIL_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?")


class Take(Struct, frozen=True):
    """One recording of a bulletin in one language: where it is written in the file, and what is to be encoded."""

    key: str
    language: str
    source: Path | Speech


class DraftBulletin(Struct, frozen=True):
    """A bulletin whose audio is not yet encoded."""

    id: str
    title: str
    takes: tuple[Take, ...]
    expires: WallMs | None = None


class Draft(Struct, frozen=True):
    """A good programme file: everything of a programme but its version, its dates and its audio."""

    page: Page
    scope: Scope
    time_zone: str
    valid_days: int
    bulletins: tuple[DraftBulletin, ...]
    slots: tuple[Slot, ...]
    standing: tuple[str, ...] = ()


class CivilTime(Struct, frozen=True):
    """A date and time without a zone, ``2026-12-01 05:00`` or with ``T`` and seconds; quotes or none."""

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected("civil-time")

    def read(self, page: Page, key: str, node: yaml.Node) -> str | None:
        """Give the time as the wire writes it, or None."""
        match = read_time(page, key, node, self.expected, "write-civil-time", CIVIL_TIME.fullmatch)
        if match is None:
            return None
        text = f"{match[1]}T{match[2]}{match[3] or ':00'}"
        if check_slot(Slot(id="x", start=text, bulletins=("x",))) is not None:
            page.refuse(key, "no-such-date", self.expected, "write-civil-time")
            return None
        return text


class Rule(Struct, frozen=True):
    """An RRULE value of RFC 5545, without its name."""

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected("rule", (("most", str(LIMITS.rule_chars)),))

    def read(self, page: Page, key: str, node: yaml.Node) -> str | None:
        """Give the rule, or None."""
        text = Text("rule", LIMITS.rule_chars).read(page, key, node)
        wrong = check_rule(text) if text else None
        if wrong is not None:
            page.refuse(key, "bad-rule", self.expected, "write-rule", part=wrong)
            return None
        return text


_ID = Text("identifier", LIMITS.id_chars, ID_PATTERN)
_LANGUAGE = Text("language", 35, LANGUAGE_PATTERN)
_SPOKEN = Text("spoken", SPOKEN_CHARS, r"(?s).*\S.*")
_VOICE = Text("voice", 64, r"[A-Za-z0-9][A-Za-z0-9+_-]*")
_DATES = ListOf(CivilTime(), 0, LIMITS.dates_per_slot)
_TAKE = (
    Key("file", PathText("audio-file"), "audio/ban-tin.wav"),
    Key("text", _SPOKEN, '"Kính chào bà con."'),
    Key("voice", _VOICE, "vi"),
)
_RECORDING = Section((Key("language", _LANGUAGE, "vi", required=True), *_TAKE))
_BULLETIN = Section(
    (
        Key("id", _ID, "ban-tin-sang", required=True),
        Key("title", Text("name", LIMITS.title_chars), "Bản tin sáng", required=True),
        Key("expires", CivilTime(), "2026-12-01 18:00"),
        Key("language", _LANGUAGE, "vi", default="vi"),
        *_TAKE,
        Key("recordings", ListOf(_RECORDING, 1, LIMITS.languages_per_bulletin), ""),
    )
)
_STREAM = Section(
    (
        Key("url", Text("stream-url", LIMITS.place_chars, STREAM_PATTERN), "https://live.example.vn/fm", required=True),
        Key("most_minutes", Whole(1, LIMITS.stream_minutes, "whole-minutes"), "30", required=True),
    )
)
_SLOT = Section(
    (
        Key("id", _ID, "buoi-sang", required=True),
        Key("start", CivilTime(), "2026-12-01 05:00", required=True),
        Key("bulletins", ListOf(_ID, 1, LIMITS.bulletins_per_slot), "[ban-tin-sang]", required=True),
        Key("rrule", Rule(), "FREQ=DAILY"),
        Key("rdate", _DATES, "[2027-01-01 06:00]"),
        Key("exdate", _DATES, "[2027-02-06 05:00]"),
        Key("zones", ListOf(_ID, 0, LIMITS.zones_per_slot), "[cho-xa]", default="[]"),
        Key("priority", Whole(0, 9), "5", default="5"),
        Key("volume_percent", Whole(0, 100, "percent"), "80", default="100"),
        Key("late_window_s", Whole(0, 86_400, "whole-seconds"), "1800", default="0"),
        Key("if_interrupted", Choice(IfInterrupted), "resume", default="resume"),
        Key("if_unplayable", Choice(IfUnplayable), "earlier", default="silence"),
        Key("live", _ID, "thoi-su"),
        Key("stream", _STREAM, ""),
    )
)
PROGRAMME: Final = Section(
    (
        Key("scope", Text("scope", LIMITS.scope_chars, SCOPE_PATTERN), "vn/lam-dong/da-teh", required=True),
        Key("time_zone", TimeZone(), "Asia/Ho_Chi_Minh", required=True),
        Key("valid_days", Whole(1, 3_650), "90", required=True),
        Key("bulletins", ListOf(_BULLETIN, 0, LIMITS.bulletins_per_programme), "", required=True),
        Key("slots", ListOf(_SLOT, 0, LIMITS.slots_per_programme), "", required=True),
        Key("standing", ListOf(_ID, 0, LIMITS.bulletins_per_slot), "[nhac-hieu]", default="[]"),
    )
)
"""The grammar of ``programme.yaml``."""


def read_programme_file(file: Path) -> Draft:
    """Read a programme file. Raises BadProgrammeFile with every mistake in it."""
    page, values = fill(file, PROGRAMME, FILE_BYTES)
    bulletins = _items(page, "bulletins")
    slots = _items(page, "slots")
    _check_ids(page, "bulletins", bulletins)
    _check_ids(page, "slots", slots)
    takes = {key: tuple(_takes(page, key, bulletin)) for key, bulletin in bulletins.items()}
    known = [str(bulletin["id"]) for bulletin in bulletins.values() if "id" in bulletin]
    named = {key: slot.get("bulletins", ()) for key, slot in slots.items()}
    _check_sources(page, slots)
    _check_named_bulletins(page, known, {f"{key}.bulletins": names for key, names in named.items()})
    _check_named_bulletins(page, known, {"standing": page.values.get("standing", ())})
    refuse_if_wrong(page)
    assert values is not None
    return Draft(
        page=page,
        scope=Scope(values["scope"]),
        time_zone=values["time_zone"],
        valid_days=values["valid_days"],
        bulletins=tuple(
            DraftBulletin(one["id"], one["title"], takes[key], _instant(one.get("expires"), values["time_zone"]))
            for key, one in bulletins.items()
        ),
        slots=tuple(_slot(one) for one in slots.values()),
        standing=values.get("standing", ()),
    )


def _instant(civil: str | None, time_zone: str) -> WallMs | None:
    return None if civil is None else to_ms(datetime.fromisoformat(civil), time_zone)


def refuse_if_wrong(page: Page) -> None:
    """Raise BadProgrammeFile, its problems in the order of their lines, when there is any on the page."""
    if page.problems:
        raise BadProgrammeFile(tuple(sorted(page.problems, key=lambda one: one.line)))


def _items(page: Page, name: str) -> dict[str, Mapping[str, Any]]:
    """The good part of each item of a list, by its key, also when the list as a whole is not good."""
    node = page.nodes.get(name)
    count = len(node.value) if isinstance(node, yaml.SequenceNode) else 0
    keys = [f"{name}[{place}]" for place in range(1, count + 1)]
    return {key: page.values[key] for key in keys if key in page.values}


def _slot(values: Mapping[str, Any]) -> Slot:
    plain = {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}
    stream = plain.pop("stream", None)
    return Slot(**plain, stream=None if stream is None else Stream(**stream))


def _check_sources(page: Page, slots: Iterable[str]) -> None:
    for key in (key for key in slots if f"{key}.live" in page.nodes and f"{key}.stream" in page.nodes):
        page.refuse(f"{key}.stream", "live-and-stream", Expected("live-or-stream"), "one-source", found="live, stream")


def _check_ids(page: Page, name: str, items: Mapping[str, Mapping[str, Any]]) -> None:
    seen: dict[str, str] = {}
    for key, item in items.items():
        identifier = item.get("id")
        if identifier in seen:
            first = str(page.line(seen[identifier]))
            page.refuse(f"{key}.id", "same-id", Expected("own-id"), "other-id", first=first)
        elif identifier is not None:
            seen[identifier] = f"{key}.id"


def _check_named_bulletins(page: Page, known: list[str], named: Mapping[str, Iterable[str]]) -> None:
    for key, names in named.items():
        for place, name in enumerate(names, start=1):
            if name not in known:
                guess = closest(name, known)
                mend = "did-you-mean" if guess else "add-bulletin"
                page.refuse(f"{key}[{place}]", "unknown-bulletin", Expected("a-bulletin"), mend, guess=guess)


def _takes(page: Page, key: str, bulletin: Mapping[str, Any]) -> Iterator[Take]:
    """Every recording of a bulletin; refuses a bulletin with none, two of one language, or two sources for one."""
    # What is written and bad has been refused already: it is counted by its node, not by its value.
    own = [name for name in ("file", "text", "recordings") if f"{key}.{name}" in page.nodes]
    if len(own) != 1:
        page.refuse(
            key, "no-source" if not own else "two-sources", Expected("one-source"), "one-source", found=", ".join(own)
        )
        return
    if own != ["recordings"]:
        yield from _take(page, key, bulletin, bulletin.get("language", "vi"))
        return
    seen: set[str] = set()
    for place, recording in enumerate(bulletin.get("recordings", ()), start=1):
        path = f"{key}.recordings[{place}]"
        language = recording.get("language")
        if language in seen:
            page.refuse(f"{path}.language", "same-language", Expected("own-language"), "other-language")
        elif language is not None:
            seen.add(language)
            yield from _take(page, path, recording, language)


def _take(page: Page, key: str, values: Mapping[str, Any], language: str) -> Iterator[Take]:
    own = [name for name in ("file", "text") if f"{key}.{name}" in page.nodes]
    if len(own) != 1:
        page.refuse(
            key, "no-source" if not own else "two-sources", Expected("one-source"), "one-source", found=", ".join(own)
        )
    elif "text" in values:
        yield Take(f"{key}.text", language, Speech(values["text"], values.get("voice", language)))
    elif "file" in values:
        path: Path = values["file"]
        if path.is_file():
            yield Take(f"{key}.file", language, path)
        else:
            page.refuse(f"{key}.file", "named-file-missing", Expected("audio-file"), "put-file")
