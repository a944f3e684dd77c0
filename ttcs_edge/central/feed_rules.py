"""What of a CAP feed is passed on, and where to: a file of the operator's in YAML, every mistake told with its line.

The rules stand in an order, and the first that fits decides. A message that none fits is dropped: nothing goes out of
itself. What a rule does not name, it does not ask for; only a status must be named, else it fits Actual alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from cryptography.x509 import Certificate, load_pem_x509_certificates
from msgspec import Struct

from ttcs_edge.central.address import BROKER_PATTERN, URL_CHARS, URL_PATTERN
from ttcs_edge.central.alert_arguments import CAP_CHOICES, MINUTES_MOST, REPEAT_MOST_S, is_repeat
from ttcs_edge.central.errors import BadFeedFile
from ttcs_edge.core.documents import ID_PATTERN, LANGUAGE_PATTERN, SCOPE_PATTERN, CapSeverity
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, scope_covers
from ttcs_edge.yaml_form import Choice, Expected, Flag, Key, ListOf, Page, PathText, Section, Text, Whole, fill

EVERY_LEAST_S: Final = 10
EVERY_MOST_S: Final = 3_600
EVERY_S: Final = 60
BEGUN_AN_HOUR: Final = 10
BEGUN_AN_HOUR_MOST: Final = 1_000
EXPIRES_IN_MINUTES: Final = 180
"""For how long a message holds that does not say so itself: CAP leaves it to who receives it (1.2, 3.2.2)."""
RULES: Final = 64
NAMES: Final = 64
"""How many senders, events, areas or codes one rule may name."""
NAME_CHARS: Final = 200
CERTIFICATES: Final = 8
CATEGORIES: Final = (
    *("Geo", "Met", "Safety", "Security", "Rescue", "Fire"),
    *("Health", "Env", "Transport", "Infra", "CBRNE", "Other"),
)
"""CAP 1.2, 3.2.2."""
Action = Literal["pass", "ask", "drop"]


class Area(Struct, frozen=True, kw_only=True):
    """Where a message is heard that is for one of these areas. ``zones`` empty means every zone."""

    names: tuple[str, ...]
    geocodes: tuple[str, ...]
    scope: Scope
    zones: tuple[str, ...]


class Rule(Struct, frozen=True, kw_only=True):
    """What a message must be, and what becomes of it then. What is empty or None is not asked for."""

    name: str
    then: Action
    scope: Scope
    statuses: tuple[str, ...] = ("Actual",)
    msg_types: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    severity_least: str | None = None
    urgency_least: str | None = None
    certainty_least: str | None = None
    areas: tuple[Area, ...] = ()
    zones: tuple[str, ...] = ()
    severity_most: CapSeverity | None = None
    repeat_s: int = 0
    tell_cancel: bool = False
    expires_in_minutes: int = EXPIRES_IN_MINUTES
    unheard_updates: Literal["drop", "new"] = "drop"


class FeedRules(Struct, frozen=True, kw_only=True):
    """A file of rules. ``places`` are host and port of each server that may be asked for anything. More new alerts than
    ``begun_an_hour`` within one wait for a person: whoever has the feed in hand must not have every loudspeaker.
    """

    feed: str
    every_s: int
    begun_an_hour: int
    places: frozenset[tuple[str, int]]
    ca: Path | None
    signers: tuple[Certificate, ...]
    rules: tuple[Rule, ...]


def _choice(name: str, values: tuple[str, ...]) -> Choice:
    return Choice(Enum(name, {value: value for value in values}))  # type: ignore[arg-type]


def _names(of: Text | Choice) -> ListOf:
    return ListOf(of, 1, NAMES)


_NAME = Text("name", NAME_CHARS)
_ZONES = ListOf(Text("identifier", LIMITS.id_chars, ID_PATTERN), 0, LIMITS.zones_per_slot)
_SCOPE = Text("scope", LIMITS.scope_chars, SCOPE_PATTERN)
_AREA = Section(
    (
        Key("names", _names(_NAME), "[Đạ Tẻh]"),
        Key("geocodes", _names(_NAME), "[VN-35]"),
        Key("scope", _SCOPE, "vn/lam-dong/da-teh", required=True),
        Key("zones", _ZONES, "[cho-xa]", default="[]"),
    )
)
_RULE = Section(
    (
        Key("name", _NAME, "lũ quét", required=True),
        Key("statuses", _names(_choice("status", CAP_CHOICES["status"])), "[Actual]", default="[Actual]"),
        Key("msg_types", _names(_choice("msg_type", ("Alert", "Update", "Cancel"))), "[Alert]"),
        Key("senders", _names(_NAME), "[canhbao@kttv.example]"),
        Key("categories", _names(_choice("category", CATEGORIES)), "[Met]"),
        Key("events", _names(_NAME), "[lũ quét]"),
        Key("languages", _names(Text("language", LIMITS.language_chars, LANGUAGE_PATTERN)), "[vi]"),
        Key("severity_least", _choice("severity", CAP_CHOICES["severity"]), "Severe"),
        Key("urgency_least", _choice("urgency", CAP_CHOICES["urgency"]), "Expected"),
        Key("certainty_least", _choice("certainty", CAP_CHOICES["certainty"]), "Likely"),
        Key("areas", ListOf(_AREA, 1, NAMES), ""),
        Key("then", _choice("then", ("pass", "ask", "drop")), "ask", required=True),
        Key("scope", _SCOPE, "vn/lam-dong"),
        Key("zones", _ZONES, "[cho-xa]", default="[]"),
        Key("severity_most", _choice("severity", CAP_CHOICES["severity"]), "Severe"),
        Key("repeat_s", Whole(0, REPEAT_MOST_S, "whole-seconds"), "300", default="0"),
        Key("tell_cancel", Flag(), "true", default="false"),
        Key("expires_in_minutes", Whole(1, MINUTES_MOST, "whole-minutes"), "180", default=str(EXPIRES_IN_MINUTES)),
        Key("unheard_updates", _choice("unheard_updates", ("drop", "new")), "new", default="drop"),
    )
)
FEED: Final = Section(
    (
        Key("feed", Text("https-url", URL_CHARS, URL_PATTERN), "https://kttv.example/cap/atom.xml", required=True),
        Key("every_s", Whole(EVERY_LEAST_S, EVERY_MOST_S, "whole-seconds"), "60", default=str(EVERY_S)),
        Key("begun_an_hour", Whole(1, BEGUN_AN_HOUR_MOST), "10", default=str(BEGUN_AN_HOUR)),
        Key("hosts", ListOf(Text("host", 300, BROKER_PATTERN), 1, NAMES), "[cap.kttv.example]"),
        Key("ca", PathText("certificates"), "kttv-ca.pem"),
        Key("signers", ListOf(PathText("certificates"), 1, CERTIFICATES), "[kttv.pem]"),
        Key("rules", ListOf(_RULE, 1, RULES), "", required=True),
    )
)
"""The grammar of a file of rules."""


def read_feed_file(file: Path, centre: Scope) -> FeedRules:
    """Read a file of rules for the centre of a scope. Raises BadFeedFile with every mistake in it."""
    page, values = fill(file, FEED)
    signers = tuple(one for key in _keys(page, "signers") for one in _certificates(page, key))
    if "ca" in page.values:
        _certificates(page, "ca")
    for key in _keys(page, "rules"):
        _check_rule(page, key, centre)
    feed = _place(page, "feed", page.values.get("feed", "").removeprefix("https://").partition("/")[0])
    places = [_place(page, key, page.values[key]) for key in _keys(page, "hosts")]
    if page.problems:
        raise BadFeedFile(tuple(sorted(page.problems, key=lambda one: one.line)))
    assert values is not None
    return FeedRules(
        feed=values["feed"],
        every_s=values.get("every_s", EVERY_S),
        begun_an_hour=values.get("begun_an_hour", BEGUN_AN_HOUR),
        places=frozenset({feed, *places}),
        ca=values.get("ca"),
        signers=signers,
        rules=tuple(_rule(page.values[key], centre) for key in _keys(page, "rules")),
    )


def _keys(page: Page, name: str) -> list[str]:
    """The keys of the items of a list that are good, also when the list as a whole is not."""
    node = page.nodes.get(name)
    count = len(node.value) if isinstance(node, yaml.SequenceNode) else 0
    keys = (f"{name}[{place}]" for place in range(1, count + 1))
    return [key for key in keys if key in page.values]


def _place(page: Page, key: str, written: str) -> tuple[str, int]:
    """The host and the port of ``HOST``, ``HOST:PORT`` or ``[IPv6]:PORT``."""
    host, colon, port = written.rpartition(":") if not written.endswith("]") else (written, "", "")
    host, port = (host, port) if colon else (written, "443")
    if key in page.values and not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65_535):
        page.refuse(key, "malformed", Expected("host"), "write-kind")
        return "", 0
    return host.strip("[]").lower(), int(port) if port.isdecimal() else 0


def _certificates(page: Page, key: str) -> list[Certificate]:
    """The certificates in a file that a key names."""
    try:
        return load_pem_x509_certificates(page.values[key].read_bytes())
    except OSError as error:
        page.refuse(key, "named-file-missing", Expected("certificates"), "put-file", found=error.strerror or "")
    except ValueError:
        page.refuse(key, "no-certificate", Expected("certificates"), "put-file")
    return []


def _check_rule(page: Page, key: str, centre: Scope) -> None:
    values = page.values
    if not is_repeat(values.get(f"{key}.repeat_s", 0)):
        bounds = (("least", str(LIMITS.alert_repeat_least_s)), ("most", str(REPEAT_MOST_S)))
        page.refuse(f"{key}.repeat_s", "out-of-range", Expected("repeat", bounds), "within-range")
    for area in _keys(page, f"{key}.areas"):
        if not any(f"{area}.{name}" in page.nodes for name in ("names", "geocodes")):
            page.refuse(area, "no-area", Expected("an-area"), "name-area", found="")
    for holder in (key, *_keys(page, f"{key}.areas")):
        scope = values.get(f"{holder}.scope")
        if scope is not None and not scope_covers(centre, Scope(scope)):
            page.refuse(
                f"{holder}.scope", "outside-scope", Expected("scope-below", (("scope", centre),)), "other-scope"
            )


def _rule(values: Mapping[str, Any], centre: Scope) -> Rule:
    plain = {name: _plain(value) for name, value in values.items()}
    areas = tuple(
        Area(
            names=one.get("names", ()),
            geocodes=one.get("geocodes", ()),
            scope=Scope(one["scope"]),
            zones=one.get("zones", ()),
        )
        for one in plain.pop("areas", ())
    )
    scope = Scope(plain.pop("scope", centre))
    return Rule(areas=areas, scope=scope, **plain)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    return value.value if isinstance(value, Enum) else value
