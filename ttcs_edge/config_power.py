"""The sections ``power`` and ``box`` of ``station.yaml``: where the power comes from, what is shed, what the box has.

What lies between their keys is checked here: the mains are known by one way; a step that waits for mains, a battery or
heat has what tells of them, takes something away, and names zones that the station has; what is done by heat has a
thermometer, and a fan goes off at less than it goes on at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ttcs_edge.core.documents import ID_PATTERN
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Box, Fan, Power, ShedStep, ShedWhen, ZoneId
from ttcs_edge.settings import BoxSettings, ContactSettings, PowerSettings, RelaySettings
from ttcs_edge.yaml_form import (
    Choice,
    Expected,
    Flag,
    Key,
    ListOf,
    Milliseconds,
    Page,
    Section,
    Text,
    Whole,
    refuse_lacking,
)

STEPS: Final = 16
HOUR_S: Final = 3_600
HOT_C, FAN_ON_C, FAN_OFF_C = 60, 45, 38
_NAME: Final = r"/?[A-Za-z0-9_.:-]+(/[A-Za-z0-9_.:-]+)*"
_SUPPLY: Final = Text("supply", 200, _NAME)
_SENSOR: Final = Text("sensor", 200, _NAME)
_PIN: Final = Whole(2, 27, "pin")
_CELSIUS: Final = Whole(-20, 100, "celsius")
_BELOW: Final = Whole(1, 100, "percent")
_STEP = Section(
    (
        Key("when", Choice(ShedWhen), "mains-lost", required=True),
        Key("after_s", Whole(0, 24 * HOUR_S, "whole-seconds"), "60", default="0"),
        Key("below_percent", _BELOW, "50"),
        Key("volume_percent", Whole(1, 100, "percent"), "60", default="100"),
        Key("zones", ListOf(Text("identifier", LIMITS.id_chars, ID_PATTERN), 1, LIMITS.zones_per_slot), "[cho-xa]"),
        Key("zones_most", Whole(1, LIMITS.zones_per_slot), "2"),
        Key("alerts_only", Flag(), "true", default="false"),
    )
)
POWER = Section(
    (
        Key("mains_pin", _PIN, "23"),
        Key("mains_active_high", Flag(), "false", default="false"),
        Key("supply", _SUPPLY, "ups-ac"),
        Key("battery", _SUPPLY, "ups-battery"),
        Key("lost_after_s", Milliseconds(1_000, 600_000), "5", default="5"),
        Key("back_after_s", Milliseconds(1_000, 600_000), "30", default="30"),
        Key("low_percent", Whole(1, 90, "percent"), "20", default="20"),
        Key("shed", ListOf(_STEP, 0, STEPS), "", default="[]"),
    )
)
BOX = Section(
    (
        Key("door_pin", _PIN, "24"),
        Key("door_active_high", Flag(), "false", default="false"),
        Key("sensor", _SENSOR, "28-0316a2791f6c"),
        Key("hot_c", _CELSIUS, str(HOT_C), default=str(HOT_C)),
        Key("cold_c", _CELSIUS, "0"),
        Key("fan_pin", _PIN, "25"),
        Key("fan_active_high", Flag(), "true", default="true"),
        Key("fan_on_c", _CELSIUS, str(FAN_ON_C), default=str(FAN_ON_C)),
        Key("fan_off_c", _CELSIUS, str(FAN_OFF_C), default=str(FAN_OFF_C)),
    )
)
_MAINS_WAYS: Final = ("power.mains_pin", "power.supply")
_NEEDS: Final[Mapping[ShedWhen, tuple[tuple[str, ...], Expected, str]]] = {
    ShedWhen.MAINS_LOST: (_MAINS_WAYS, _PIN.expected, "mains_pin: 23"),
    ShedWhen.BATTERY: (("power.battery",), _SUPPLY.expected, "battery: ups-battery"),
    ShedWhen.BOX_HOT: (("box.sensor",), _SENSOR.expected, "sensor: 28-0316a2791f6c"),
}
"""What tells of what a step waits for: one of the keys, what should stand at the first of them, an example."""
_TAKES: Final = ("volume_percent", "zones", "zones_most", "alerts_only")


def check_power(page: Page) -> None:
    """Check what lies between the keys of both sections."""
    ways = sorted((key for key in _MAINS_WAYS if key in page.nodes), key=page.line)
    for key in ways[1:]:
        line = str(page.line(ways[0]))
        page.refuse(key, "two-mains", Expected("one-mains"), "delete-one", other=ways[0], first=line)
    steps = [key.removesuffix(".when") for key in page.values if re.fullmatch(r"power\.shed\[\d+\]\.when", key)]
    for step in steps:
        _check_step(page, step)
    needed = [_NEEDS[when] for when in dict.fromkeys(page.values[f"{step}.when"] for step in steps)]
    if any(key in page.nodes for key in ("box.fan_pin", "box.hot_c", "box.cold_c")):
        needed.append(_NEEDS[ShedWhen.BOX_HOT])
    for keys, expected, example in dict.fromkeys(needed):
        if not any(key in page.nodes for key in keys):
            refuse_lacking(page, keys[0], expected, example)
    _check_zones(page)
    _check_bounds(page)


def _check_step(page: Page, step: str) -> None:
    below = f"{step}.below_percent"
    is_of_battery = page.values[f"{step}.when"] is ShedWhen.BATTERY
    if is_of_battery and below not in page.nodes:
        refuse_lacking(page, below, _BELOW.expected, "below_percent: 50")
    elif not is_of_battery and below in page.nodes:
        page.refuse(below, "below-without-battery", Expected("battery-step"), "delete-key", found="below_percent")
    wrong = any(f"{step}.{name}" in page.nodes and f"{step}.{name}" not in page.values for name in _TAKES)
    taken = [name for name in _TAKES if page.values.get(f"{step}.{name}") not in (None, 100, False)]
    if not taken and not wrong:
        page.refuse(step, "sheds-nothing", Expected("shed-step"), "write-kind")


def _check_zones(page: Page) -> None:
    zones = {page.values[key] for key in page.values if re.fullmatch(r"zones\[\d+\]\.id", key)}
    named = [key for key in page.values if re.fullmatch(r"power\.shed\[\d+\]\.zones\[\d+\]", key)]
    choices = Expected("one-of", (("choices", ", ".join(sorted(zones))),))
    for key in [key for key in named if page.values[key] not in zones]:
        page.refuse(key, "unknown-zone", choices, "choose")


def _check_bounds(page: Page) -> None:
    pairs = (("box.fan_off_c", FAN_OFF_C, "box.fan_on_c", FAN_ON_C), ("box.cold_c", None, "box.hot_c", HOT_C))
    for low, low_c, high, high_c in pairs:
        found, bound = page.values.get(low, low_c), page.values.get(high, high_c)
        if found is not None and found >= bound and (low in page.nodes or high in page.nodes):
            page.refuse(low, "out-of-range", Whole(-20, bound - 1, "celsius").expected, "within-range")


def power(values: Mapping[str, Any]) -> Power | None:
    """The core's part of the section ``power``."""
    found = values.get("power")
    if found is None:
        return None
    names = {"lost_after_s": "lost_after_ms", "back_after_s": "back_after_ms", "low_percent": "low_percent"}
    return Power(
        has_mains="mains_pin" in found or "supply" in found,
        has_battery="battery" in found,
        shed=tuple(_step(step, values["zones"]) for step in found.get("shed", ())),
        **{names[key]: value for key, value in found.items() if key in names},
    )


def _step(values: Mapping[str, Any], zones: tuple[Mapping[str, Any], ...]) -> ShedStep:
    """Zones that stay are kept in the order of the file, whatever order they are named in."""
    named = values.get("zones")
    stay = None if named is None else tuple(ZoneId(zone["id"]) for zone in zones if zone["id"] in named)
    same = ("when", "below_percent", "volume_percent", "zones_most", "alerts_only")
    others = {key: value for key, value in values.items() if key in same}
    return ShedStep(after_ms=values.get("after_s", 0) * 1_000, zones=stay, **others)


def power_settings(values: Mapping[str, Any]) -> PowerSettings:
    """The shell's part of it."""
    found = values.get("power", {})
    return PowerSettings(_contact(found, "mains"), found.get("supply"), found.get("battery"))


def box(values: Mapping[str, Any]) -> Box | None:
    """The core's part of the section ``box``."""
    found = values.get("box")
    if found is None:
        return None
    fan = Fan(found.get("fan_on_c", FAN_ON_C), found.get("fan_off_c", FAN_OFF_C)) if "fan_pin" in found else None
    has_thermometer = "sensor" in found
    hot_c = found.get("hot_c", HOT_C) if has_thermometer else None
    return Box("door_pin" in found, has_thermometer, hot_c, found.get("cold_c"), fan)


def box_settings(values: Mapping[str, Any]) -> BoxSettings:
    """The shell's part of it."""
    found = values.get("box", {})
    return BoxSettings(_contact(found, "door"), found.get("sensor"))


def fan_relay(values: Mapping[str, Any]) -> RelaySettings | None:
    """The relay of the fan, which opens with all others."""
    found = values.get("box", {})
    return RelaySettings(found["fan_pin"], found.get("fan_active_high", True)) if "fan_pin" in found else None


def _contact(values: Mapping[str, Any], name: str) -> ContactSettings | None:
    pin = values.get(f"{name}_pin")
    return None if pin is None else ContactSettings(pin, values.get(f"{name}_active_high", False))
