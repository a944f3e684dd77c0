"""An alert in YAML, from a template or another file: read by a table, every mistake in it told at once with its line.

The words are those of CAP 1.2, 3.2, with three differences: what is heard is a file or the texts,
``expires_in_minutes`` stands for a date that is only known when it is sent, and texts may have blanks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from ttcs_edge.central.alert_arguments import CAP_CHOICES, MINUTES_MOST, REPEAT_MOST_S, is_repeat
from ttcs_edge.central.alert_draft import AlertDraft, DraftInfo
from ttcs_edge.central.errors import BadAlertFile
from ttcs_edge.core.documents import (
    ID_PATTERN,
    LANGUAGE_PATTERN,
    SCOPE_PATTERN,
)
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.yaml_form import (
    Choice,
    Expected,
    Flag,
    Key,
    ListOf,
    Page,
    PathText,
    Section,
    Text,
    Whole,
    fill,
    read_time,
)

MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)


def _choice(name: str) -> Choice:
    return Choice(Enum(name, {value: value for value in CAP_CHOICES[name]}))  # type: ignore[arg-type]


class Moment(Struct, frozen=True):
    """A time with its offset, as CAP writes it: ``2026-12-01T05:00:00+07:00``; read as the wire writes it, in UTC."""

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected("moment")

    def read(self, page: Page, key: str, node: yaml.Node) -> str | None:
        """Give the time, or None."""
        return read_time(page, key, node, self.expected, "write-moment", utc_of)


def utc_of(text: str) -> str | None:
    """A time with its offset, in UTC as the wire writes it; None for what is no such time."""
    try:
        if MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    except (ValueError, OverflowError):
        pass
    return None


_ID = Text("identifier", LIMITS.id_chars, ID_PATTERN)
_INFO = Section(
    (
        Key("language", Text("language", LIMITS.language_chars, LANGUAGE_PATTERN), "vi", required=True),
        Key("headline", Text("headline", LIMITS.title_chars), "Cảnh báo lũ quét", required=True),
        Key("description", Text("spoken", LIMITS.alert_text_chars, r"(?s).*"), '"Nước đang lên nhanh."', default=""),
        Key("instruction", Text("spoken", LIMITS.alert_text_chars, r"(?s).*"), '"Lên chỗ cao ngay."', default=""),
        Key("file", PathText("audio-file"), "lu-quet.wav"),
    )
)
ALERT: Final = Section(
    (
        Key("status", _choice("status"), "Actual", default="Actual"),
        Key("severity", _choice("severity"), "Severe", required=True),
        Key("urgency", _choice("urgency"), "Immediate", required=True),
        Key("certainty", _choice("certainty"), "Likely", required=True),
        Key("expires_in_minutes", Whole(1, MINUTES_MOST, "whole-minutes"), "180", required=True),
        Key("effective", Moment(), "2026-12-01T05:00:00+07:00"),
        Key("onset", Moment(), "2026-12-01T18:00:00+07:00"),
        Key("repeat_s", Whole(0, REPEAT_MOST_S, "whole-seconds"), "300", default="0"),
        Key("tell_cancel", Flag(), "true", default="false"),
        Key("scope", Text("scope", LIMITS.scope_chars, SCOPE_PATTERN), "vn/lam-dong/da-teh"),
        Key("zones", ListOf(_ID, 0, LIMITS.zones_per_slot), "[cho-xa]", default="[]"),
        Key("info", ListOf(_INFO, 1, LIMITS.languages_per_bulletin), "", required=True),
    )
)
"""The grammar of an alert in YAML."""


def read_alert_file(file: Path) -> AlertDraft:
    """Read an alert in YAML. Raises BadAlertFile with every mistake in it."""
    page, values = fill(file, ALERT)
    info = _items(page)
    _check_languages(page, info)
    for key, one in info.items():
        path: Path | None = one.get("file")
        if path is not None and not path.is_file():
            page.refuse(f"{key}.file", "named-file-missing", Expected("audio-file"), "put-file")
    if not is_repeat(page.values.get("repeat_s", 0)):
        bounds = (("least", str(LIMITS.alert_repeat_least_s)), ("most", str(REPEAT_MOST_S)))
        page.refuse("repeat_s", "out-of-range", Expected("repeat", bounds), "within-range")
    refuse_if_wrong(page)
    assert values is not None
    plain = {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}
    scope = plain.pop("scope", None)
    return AlertDraft(
        name=file.stem,
        page=page,
        scope=None if scope is None else Scope(scope),
        status=plain.pop("status", "Actual"),
        lasts_s=plain.pop("expires_in_minutes") * 60,
        info=tuple(_info(key, one) for key, one in info.items()),
        **{name: value for name, value in plain.items() if name != "info"},
    )


def refuse_if_wrong(page: Page) -> None:
    """Raise BadAlertFile, its problems in the order of their lines, when there is any on the page."""
    if page.problems:
        raise BadAlertFile(tuple(sorted(page.problems, key=lambda one: one.line)))


def _items(page: Page) -> dict[str, Mapping[str, Any]]:
    """The good part of what is said in each language, by its key, also when the whole is not good."""
    node = page.nodes.get("info")
    count = len(node.value) if isinstance(node, yaml.SequenceNode) else 0
    keys = [f"info[{place}]" for place in range(1, count + 1)]
    return {key: page.values[key] for key in keys if key in page.values}


def _check_languages(page: Page, info: Mapping[str, Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for key, one in info.items():
        language = one.get("language")
        if language in seen:
            page.refuse(f"{key}.language", "same-language", Expected("own-language"), "other-language")
        elif language is not None:
            seen.add(language)


def _info(key: str, one: Mapping[str, Any]) -> DraftInfo:
    texts = {name: " ".join(one.get(name, "").split()) for name in ("headline", "description", "instruction")}
    return DraftInfo(key=key, language=one["language"], source=one.get("file"), **texts)
