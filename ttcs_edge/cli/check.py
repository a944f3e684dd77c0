"""``ttcs-edge check-config``: every mistake of a ``station.yaml`` and of the files that it names."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from msgspec.structs import asdict

from ttcs_edge.config import EX_CONFIG, ConfigError, credential_name, read_config
from ttcs_edge.core.model import ZoneId
from ttcs_edge.locale import Language, text
from ttcs_edge.named_files import check_files, credential_source
from ttcs_edge.settings import Config
from ttcs_edge.terminal.output import print_json
from ttcs_edge.yaml_form import Page, Problem, explain


def command(options: argparse.Namespace, lang: Language) -> int:
    """Check, tell, and give 0 or EX_CONFIG. Problems are told in both languages, the rest in one."""
    try:
        page, config = read_config(options.config)
        problems = check_files(options.config)
    except ConfigError as error:
        problems = error.problems
    if options.json:
        print_json({"file": str(options.config), "problems": [_as_json(one) for one in problems]})
    elif problems:
        print(explain(problems), file=sys.stderr)
        print("\n" + text("cli.config-counted", lang, file=options.config, count=len(problems)), file=sys.stderr)
    else:
        print(text("cli.config-right", lang, file=options.config))
        _tell(page, config, lang)
    return EX_CONFIG if problems else os.EX_OK


def _tell(page: Page, config: Config, lang: Language) -> None:
    """Say back what was understood: a pin that is right in form may be wrong on the wires."""
    station, pins = config.station, config.pins
    print(text("cli.config-station", lang, id=station.id, scope=station.scope))
    for zone in station.zones:
        print(text("cli.config-zone", lang, switch=_switch(zone.id, config, lang), id=zone.id, name=zone.name))
    print(text("cli.config-amplifier", lang, pin=pins.amplifier.pin))
    if config.microphone is not None and station.microphone is not None:
        zones = ", ".join(station.microphone.zones)
        print(text("cli.config-key", lang, pin=config.microphone.key.pin, zones=zones))
    if pins.mixer is not None:
        print(text("cli.config-mixer", lang, pin=pins.mixer.pin))
    if station.quiet_hours:
        print(text("cli.quiet-hours", lang, spans=", ".join(map(str, station.quiet_hours))))
    else:
        print(f"!! {text('cli.quiet-hours-unset', lang)}")
    if credential_name(page) is not None and credential_source(page) is None:
        print(text("cli.credential-unchecked", lang))


def _switch(zone: ZoneId, config: Config, lang: Language) -> str:
    """What opens and closes a zone: a line of this machine, a coil on RS-485, or the codes of a receiver."""
    if (line := config.pins.zones.get(zone)) is not None:
        return text("cli.config-pin", lang, pin=line.pin)
    if (coil := config.coils.get(zone)) is not None:
        return text("cli.config-coil", lang, unit=coil.unit, coil=coil.coil)
    return text("cli.config-code", lang, code=(config.codes.get(zone) or config.groups[zone]).open)


def _as_json(problem: Problem) -> dict[str, Any]:
    return asdict(problem) | {"file": str(problem.file), "fields": dict(problem.fields)}
