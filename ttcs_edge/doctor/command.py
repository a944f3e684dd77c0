"""``ttcs-edge doctor``: check, tell, and mend what is safe to mend."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ttcs_edge.cli.errors import CommandError
from ttcs_edge.doctor.checks import Result, run, worst
from ttcs_edge.doctor.finding import Finding, Level
from ttcs_edge.doctor.ground import Ground, survey
from ttcs_edge.doctor.mending import mend
from ttcs_edge.locale import Language
from ttcs_edge.terminal.output import print_json


def command(options: argparse.Namespace, lang: Language) -> int:
    """Check, and give EX_OK, EX_CONFIG where the configuration is red, or EX_UNAVAILABLE where anything else is."""
    try:
        from ttcs_edge.doctor import drawing  # rich is not there everywhere, and --json does without
    except ModuleNotFoundError as error:
        if not options.json:
            raise CommandError("no-rich") from error

    if options.fix and os.geteuid() != 0:
        raise CommandError("not-root")
    ground = survey(options.config, options.socket)
    if options.fix and _mended(ground, options, lang):
        ground = survey(options.config, options.socket)
    results = []
    for result in run(ground):
        results.append(result)
        if not options.json:
            drawing.show(result, lang)
    if options.json:
        print_json(_as_json(results, lang))
    else:
        drawing.conclude(results, lang)
    return _exit_code(results)


def _mended(ground: Ground, options: argparse.Namespace, lang: Language) -> bool:
    """Mend, cause by cause: what only shows behind a mended one is mended by the next look."""
    before, again = set[str](), ground
    while True:
        findings = [one for _, found in run(again) for one in found if one.code not in before]
        done = list(mend(findings, again.run))
        if not done:
            return bool(before)
        before |= {one.code for one in findings}
        if not options.json:
            from ttcs_edge.doctor.drawing import show_mended

            for commands, said in done:
                show_mended(commands, said, lang)
        again = survey(options.config, options.socket)


def _exit_code(results: list[Result]) -> int:
    if worst(results) is not Level.RED:
        return os.EX_OK
    is_config = any(check.name == "config" and worst([(check, found)]) is Level.RED for check, found in results)
    return os.EX_CONFIG if is_config else os.EX_UNAVAILABLE


def _as_json(results: list[Result], lang: Language) -> dict[str, Any]:
    rows = [_row(check.name, one, lang) for check, found in results for one in found]
    first = next((row for level in ("red", "yellow") for row in rows if row["level"] == level), None)
    return {"level": worst(results).value, "first": first, "checks": rows}


def _row(name: str, one: Finding, lang: Language) -> dict[str, Any]:
    words = one.words(lang)
    told = {"check": name, "level": one.level.value, "code": one.code, "fields": dict(one.fields)}
    return told | {"meaning": words.meaning, "mend": words.mend or None}
