"""What becomes of a message of a feed, by the rules: pure, so that it can be asked beforehand.

Texts are compared without regard to capital letters, as whole words: ``Đạ Tẻh`` is found in ``Huyện Đạ Tẻh, Cát Tiên``.
A geocode is written ``value``, or ``name=value`` where its value alone says too little.

A Cancel is judged by what the alert said that it ends: whatever let that through lets its end through. So is an Update
that no rule fits by itself: one that makes a danger smaller must not leave the greater one on the air.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.central.alert_arguments import CAP_CHOICES
from ttcs_edge.central.cap_file import CERTAINTIES, CapArea, CapMessage
from ttcs_edge.central.feed_rules import EXPIRES_IN_MINUTES, Action, Area, Rule
from ttcs_edge.core.documents import CapSeverity
from ttcs_edge.core.model import Scope, scope_covers
from ttcs_edge.core.trust import CAP_SEVERITIES, CAP_URGENCIES


class Facts(Struct, frozen=True, kw_only=True):
    """What of a message the rules look at."""

    sender: str
    status: str
    msg_type: str
    severity: str
    urgency: str
    certainty: str
    categories: tuple[str, ...]
    events: tuple[str, ...]
    languages: tuple[str, ...]
    areas: tuple[CapArea, ...]


class Target(Struct, frozen=True):
    """A place where a message is to be heard. ``zones`` empty means every zone."""

    scope: Scope
    zones: tuple[str, ...] = ()


class Plan(Struct, frozen=True, kw_only=True):
    """What is to become of a message, for good: rules that change later do not change it.

    ``as_new`` is an update that goes out as a new alert, because nobody heard what it updates.
    """

    rule: str
    then: Action
    targets: tuple[Target, ...]
    severity_most: CapSeverity | None = None
    repeat_s: int = 0
    tell_cancel: bool = False
    expires_in_minutes: int = EXPIRES_IN_MINUTES
    unheard_updates: str = "drop"
    as_new: bool = False


def facts_of(message: CapMessage) -> Facts:
    """What the rules look at."""
    draft = message.draft
    return Facts(
        sender=draft.sender or "",
        status=draft.status,
        msg_type=draft.msg_type,
        severity=draft.severity,
        urgency=draft.urgency,
        certainty=draft.certainty,
        categories=message.categories,
        events=message.events,
        languages=tuple(one.language for one in draft.info),
        areas=message.areas,
    )


def plan_of(facts: Facts, rules: Sequence[Rule]) -> Plan | None:
    """What the first rule that fits makes of a message; None when none does."""
    for rule in rules:
        if all(fits(facts, rule) for fits in _CHECKS) and (targets := _targets(facts, rule)):
            return Plan(
                rule=rule.name,
                then=rule.then,
                targets=targets,
                severity_most=rule.severity_most,
                repeat_s=rule.repeat_s,
                tell_cancel=rule.tell_cancel,
                expires_in_minutes=rule.expires_in_minutes,
                unheard_updates=rule.unheard_updates,
            )
    return None


def _named(names: Sequence[str], found: Sequence[str]) -> bool:
    return not names or not set(names).isdisjoint(found)


def _least(least: str | None, found: str, least_first: Sequence[str]) -> bool:
    return least is None or least_first.index(found) >= least_first.index(least)


_CHECKS: Final[tuple[Callable[[Facts, Rule], bool], ...]] = (
    lambda facts, rule: _named(rule.statuses, (facts.status,)),
    lambda facts, rule: _named(rule.msg_types, (facts.msg_type,)),
    lambda facts, rule: _named(rule.senders, (facts.sender,)),
    lambda facts, rule: _named(rule.categories, facts.categories),
    lambda facts, rule: _named(rule.languages, facts.languages),
    lambda facts, rule: not rule.events or any(_says(one, name) for one in facts.events for name in rule.events),
    lambda facts, rule: _least(rule.severity_least, facts.severity, CAP_SEVERITIES),
    lambda facts, rule: _least(rule.urgency_least, facts.urgency, CAP_URGENCIES),
    lambda facts, rule: _least(rule.certainty_least, facts.certainty, CERTAINTIES),
)
"""Everything that a rule may ask for, but the areas, which say where to as well."""
assert set(CAP_CHOICES["severity"]) == set(CAP_SEVERITIES)
assert set(CAP_CHOICES["urgency"]) == set(CAP_URGENCIES)
assert set(CAP_CHOICES["certainty"]) == set(CERTAINTIES)


def _targets(facts: Facts, rule: Rule) -> tuple[Target, ...]:
    """Where a message is heard by a rule, each place once; empty when none of its areas is meant."""
    if not rule.areas:
        return (Target(rule.scope, rule.zones),)
    found: dict[Scope, tuple[str, ...]] = {}
    for area in rule.areas:
        if any(_is_in(one, area) for one in facts.areas):
            before = found.get(area.scope)
            whole = not area.zones or before == ()
            found[area.scope] = () if whole else tuple(dict.fromkeys((*(before or ()), *area.zones)))
    return tuple(Target(scope, zones) for scope, zones in found.items() if not _is_covered(scope, found))


def _is_covered(scope: Scope, found: dict[Scope, tuple[str, ...]]) -> bool:
    """Tell whether a place lies in another one all of whose zones are meant: it must not be heard there twice."""
    return any(not zones and other != scope and scope_covers(other, scope) for other, zones in found.items())


def _is_in(said: CapArea, area: Area) -> bool:
    codes = {*said.geocodes, *(code.partition("=")[2] for code in said.geocodes)}
    return not codes.isdisjoint(area.geocodes) or any(_says(said.name, name) for name in area.names)


def _says(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(_plain(words))}(?!\w)", _plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def judged_by(own: Facts, said: Facts) -> Facts:
    """What a message is judged by that is about an alert: what that alert said."""
    return replace(said, sender=own.sender, status=own.status, msg_type=own.msg_type)
