"""``self_test`` in ``station.yaml``: its grammar, and what must hold between it and the rest of the file.

1. It has its hours or comes every so often, one of the two. No hour is one at which it would never be held.
2. Somebody watches: each zone has a witness, the energy meter or a contact of its relay. Without one nothing would ever
   be found.
3. Where the meter is the only one, the pilot is loud and long enough for it to judge, and in each zone alone.
4. The last of the zones is told as broken within ``within_s``, or that figure is raised by hand: nobody then takes it
   for the 100 s of EN 54-16.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, Final

from ttcs_edge.core.model import SelfTest, StationSettings, Zone, ZoneId
from ttcs_edge.core.pilot import JUDGED_MS, SWING, loud_percent, takes_ms
from ttcs_edge.yaml_form import Expected, Flag, Key, ListOf, Page, Section, Text, Whole

HOURS_MOST: Final = 24
MINUTES: Final = 60
_HOUR: Final = Text("hour", 5, r"([01][0-9]|2[0-3]):[0-5][0-9]")
_LEVEL: Final = Whole(1, 100, "percent")
_TONE: Final = Whole(4, 60, "whole-seconds")
_WITHIN: Final = Whole(10, 3_600, "whole-seconds")

SELF_TEST: Final = Section(
    (
        Key("at", ListOf(_HOUR, 1, HOURS_MOST), '["03:30"]'),
        Key("every_minutes", Whole(10, 1_440, "whole-minutes"), "240"),
        Key("level_percent", _LEVEL, "45", default="45"),
        Key("tone_s", _TONE, "32", default="32"),
        Key("within_s", _WITHIN, "100", default="100"),
        Key("in_quiet_hours", Flag(), "false", default="false"),
    )
)


def self_test_of(values: Mapping[str, Any]) -> SelfTest:
    """What the core must know of it."""
    every, tone_s = values.get("every_minutes"), values.get("tone_s")
    given = {name: values[name] for name in ("level_percent", "in_quiet_hours") if name in values}
    return SelfTest(
        at_minutes=tuple(int(hour[:2]) * MINUTES + int(hour[3:]) for hour in values.get("at", ())),
        every_ms=None if every is None else every * MINUTES * 1_000,
        **({} if tone_s is None else {"tone_ms": tone_s * 1_000}),
        **given,
    )


def check_self_test(page: Page, station: StationSettings, contacts: frozenset[ZoneId]) -> None:
    """Refuse what could not be held, or would find nothing. ``contacts`` are the zones whose relay has one."""
    test = station.self_test
    if test is None:
        return
    _check_hours(page, station, test)
    metered = {zone.id for zone in station.zones if station.meter is not None and zone.tone_w is not None}
    blind = [number for number, zone in enumerate(station.zones, 1) if zone.id not in metered | contacts]
    for number in blind:
        key = "tone_w" if station.meter is not None else "contact_pin"
        example = "tone_w: 30" if station.meter is not None else "contact_pin: 23"
        page.refuse(f"zones[{number}].{key}", "no-witness", Expected("witness"), "add-line", found="", addition=example)
    quiet = [zone for zone in station.zones if zone.id in metered - contacts]
    _check_loudness(page, station, test, quiet)
    took_s = ceil(takes_ms(station, metered) / 1_000)
    if not blind and took_s > page.values.get("self_test.within_s", 100):
        key = "self_test.within_s" if "self_test.within_s" in page.nodes else "self_test"
        seconds = str(took_s)
        page.refuse(key, "test-too-long", _WITHIN.expected, "raise-within", found="", seconds=seconds)


def _check_hours(page: Page, station: StationSettings, test: SelfTest) -> None:
    rhythm = Expected("rhythm")
    if test.at_minutes and test.every_ms is not None:
        line = str(page.line("self_test.at"))
        page.refuse("self_test.every_minutes", "two-rhythms", rhythm, "delete-one", first=line)
    elif not test.at_minutes and test.every_ms is None:
        page.refuse("self_test.at", "missing-key", rhythm, "add-line", found="", addition='at: ["03:30"]')
    for number, minute in enumerate(test.at_minutes, 1):
        if not test.in_quiet_hours and any(span.contains(minute) for span in station.quiet_hours):
            page.refuse(f"self_test.at[{number}]", "hour-is-quiet", _HOUR.expected, "move-or-let-through")


def _check_loudness(page: Page, station: StationSettings, test: SelfTest, zones: list[Zone]) -> None:
    """The meter must see the pilot go up and down in the least of the zones that nothing else watches."""
    meter = station.meter
    if meter is None or not zones:
        return
    if test.tone_ms < JUDGED_MS:
        least = str(JUDGED_MS // 1_000)
        page.refuse("self_test.tone_s", "test-too-short", _TONE.expected, "at-least", least=least)
    needed_w = meter.least_varying_w / SWING
    percents = {zone: loud_percent((needed_w / (zone.tone_w or 1)) ** (1 / meter.exponent)) for zone in zones}
    small = [zone for zone, percent in percents.items() if percent > zone.volume_percent]
    for zone in small:
        watts, wanted = str(ceil(needed_w)), Expected("witness")
        page.refuse("self_test", "zone-too-small", wanted, "other-witness", found="", zone=zone.id, watts=watts)
    zone, percent = max(percents.items(), key=lambda one: one[1])
    if not small and test.level_percent < percent:
        key = "self_test.level_percent" if "self_test.level_percent" in page.nodes else "self_test"
        page.refuse(key, "test-too-quiet", _LEVEL.expected, "at-least-percent", zone=zone.id, least=str(percent))
