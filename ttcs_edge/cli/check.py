"""``ttcs-edge check-config``: every mistake of a ``station.yaml``, and every file it names that is not there."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from typing import Any

from ttcs_edge.config import EX_CONFIG, UNIT_CREDENTIALS, ConfigError, Problem, check_files, explain, load_config
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.output import print_json


def command(options: argparse.Namespace, lang: Language) -> int:
    """Check, tell, and give 0 or EX_CONFIG. Problems are told in both languages, the rest in one."""
    try:
        config = load_config(options.config)
        problems = check_files(options.config)
    except ConfigError as error:
        problems = error.problems
    if options.json:
        print_json({"file": str(options.config), "problems": [_as_json(one) for one in problems]})
    elif problems:
        print(explain(problems), file=sys.stderr)
        print("\n" + text("cli.config-counted", lang, file=options.config, count=len(problems)), file=sys.stderr)
    else:
        station = config.station
        zones = len(station.zones)
        print(text("cli.config-right", lang, file=options.config))
        print(text("cli.config-summary", lang, id=station.id, scope=station.scope, zones=zones))
        if config.broker.key_file.parent == UNIT_CREDENTIALS and "CREDENTIALS_DIRECTORY" not in os.environ:
            print(text("cli.credential-unchecked", lang))
    return EX_CONFIG if problems else os.EX_OK


def _as_json(problem: Problem) -> dict[str, Any]:
    return asdict(problem) | {"file": str(problem.file), "fields": dict(problem.fields)}
