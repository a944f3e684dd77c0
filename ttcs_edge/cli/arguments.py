"""The command line of ``ttcs-edge``: its commands, their options and their help."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.arguments import Parser, whole_number
from ttcs_edge.terminal.moments import MomentAction

PROGRAM: Final = "ttcs-edge"
CONFIG_VARIABLE: Final = "TTCS_EDGE_CONFIG"
"""Names another configuration for every command: that of a class, say."""
CONFIG: Final = Path(os.environ.get(CONFIG_VARIABLE, "/etc/ttcs-edge/station.yaml"))
SOCKET: Final = Path("/run/ttcs-edge/control.sock")
CLASS: Final = Path("ttcs-edge-class")
DAYS_MOST: Final = 31
EVERY_MOST_S: Final = 60
LAST_MOST: Final = 10_000
TONE_S: Final = 6
TONE_MOST_S: Final = 30
"""The same bound as the daemon's own, ``LIMITS.test_tone_s``."""
RELAY_S: Final = 60
RELAY_MOST_S: Final = 300
MUTE_MIN: Final = 10
MUTE_MOST_MIN: Final = 120
"""The same bounds as the daemon's own, ``LIMITS.relay_held_s`` and ``LIMITS.muted_by_command_min``."""
BY_HAND: Final = ("test-tone", "relay", "stop", "mute", "unmute")

EXAMPLES: Final = {
    "run": "ttcs-edge run --config /etc/ttcs-edge/station.yaml",
    "check-config": "ttcs-edge check-config --config ./station.yaml",
    "enrol": "ttcs-edge enrol mqtt.lam-dong.vn",
    "doctor": "ttcs-edge doctor",
    "status": "ttcs-edge status",
    "monitor": "ttcs-edge monitor",
    "schedule": "ttcs-edge schedule --days 7",
    "faults": "ttcs-edge faults --history",
    "log": "ttcs-edge log --since 7d --outcome missed",
    "trust": "ttcs-edge trust",
    "walk": "ttcs-edge walk",
    "test-tone": "ttcs-edge test-tone cho --seconds 10",
    "relay": "ttcs-edge relay cho --close --seconds 60",
    "stop": "ttcs-edge stop",
    "mute": "ttcs-edge mute --for 10",
    "unmute": "ttcs-edge unmute",
    "import": "ttcs-edge import /media/usb",
    "export-reports": "ttcs-edge export-reports /media/usb",
    "simulate": "ttcs-edge simulate",
    "support-bundle": "ttcs-edge support-bundle /media/usb/tram.tar.xz",
    "version": "ttcs-edge version --json",
}
"""Every command with one line that may be typed as it is."""
ASKING: Final = ("status", "schedule", "faults", "log", "trust", "walk", *BY_HAND, "import", "export-reports")
"""Those that ask the daemon."""
OUTCOMES: Final = ("aired", "cut", "missed", "part", "substituted")


def make_parser(lang: Language, only: str | None = None) -> Parser:
    """Make the parser of every command; or of one, ``only``, where a key press waits for it."""
    parser = Parser(lang, EXAMPLES["status"], prog=PROGRAM, description=text("cli.about", lang))
    commands = parser.add_commands()
    for name in [only] if only in EXAMPLES else EXAMPLES:
        command = commands.add_parser(
            name,
            lang=lang,
            example=EXAMPLES[name],
            help=text(f"cli.{name}", lang),
            description=text(f"cli.{name}", lang),
        )
        _shared(name, command, lang)
        OWN.get(name, _nothing)(command, lang)
    return parser


def _shared(name: str, command: Parser, lang: Language) -> None:
    """What several commands take."""
    options = command.options
    if name in ("check-config", "doctor", *ASKING, "support-bundle", "version"):
        options.add_argument("--json", action="store_true", help=text("cli.help-json", lang))
    if name in ("run", "check-config", "doctor"):
        options.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=text("cli.help-config", lang))
    if name in ASKING:
        options.add_argument("--socket", type=Path, metavar="PATH", help=text("cli.help-socket", lang))
        options.add_argument("--config", type=Path, metavar="FILE", help=text("cli.help-config-socket", lang))


def _nothing(command: Parser, lang: Language) -> None:
    """What a command takes that takes nothing of its own."""


def _import(command: Parser, lang: Language) -> None:
    command.add_argument("path", type=Path, metavar="PATH", help=text("cli.help-path-import", lang))


def _export_reports(command: Parser, lang: Language) -> None:
    command.add_argument("path", type=Path, metavar="PATH", help=text("cli.help-path-export-reports", lang))
    command.options.add_argument("--all", action="store_true", help=text("cli.help-all", lang))


def _schedule(command: Parser, lang: Language) -> None:
    days = whole_number(1, DAYS_MOST)
    command.options.add_argument("--days", action=days, default=7, metavar="N", help=text("cli.help-days", lang))


def _doctor(command: Parser, lang: Language) -> None:
    command.options.add_argument("--fix", action="store_true", help=text("doctor.help-fix", lang))
    command.options.add_argument("--socket", type=Path, metavar="PATH", help=text("cli.help-socket", lang))


def _faults(command: Parser, lang: Language) -> None:
    options = command.options
    options.add_argument("--history", action="store_true", help=text("cli.help-history", lang))
    last, words = whole_number(1, LAST_MOST), text("cli.help-last-faults", lang)
    options.add_argument("--last", action=last, metavar="N", help=words)


def _log(command: Parser, lang: Language) -> None:
    options = command.options
    for name in ("since", "until"):
        words = text(f"cli.help-{name}", lang)
        options.add_argument(f"--{name}", action=MomentAction, metavar="WHEN", help=words)
    options.add_argument("--zone", metavar="ZONE", help=text("cli.help-zone", lang))
    options.add_argument("--slot", metavar="SLOT", help=text("cli.help-slot", lang))
    words = text("cli.help-outcome", lang)
    options.add_argument("--outcome", choices=OUTCOMES, metavar="OUTCOME", help=words)
    last, words = whole_number(1, LAST_MOST), text("cli.help-last-log", lang)
    options.add_argument("--last", action=last, metavar="N", help=words)
    options.add_argument("--csv", action="store_true", help=text("cli.help-csv", lang))


def _simulate(command: Parser, lang: Language) -> None:
    options = command.options
    words = text("training.help-folder", lang)
    options.add_argument("--folder", type=Path, default=CLASS, metavar="DIR", help=words)
    words = text("training.help-no-speakers", lang)
    options.add_argument("--no-speakers", dest="speakers", action="store_false", help=words)


def _support_bundle(command: Parser, lang: Language) -> None:
    command.add_argument("file", type=Path, metavar="FILE", nargs="?", help=text("cli.help-support-file", lang))
    command.options.add_argument("--socket", type=Path, metavar="PATH", help=text("cli.help-socket", lang))
    words = text("cli.help-config", lang)
    command.options.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=words)


def _walk(command: Parser, lang: Language) -> None:
    command.add_argument("zones", metavar="ZONE", nargs="*", help=text("cli.help-walk-zones", lang))
    options = command.options
    options.add_argument("--pins", action="store_true", help=text("cli.help-walk-pins", lang))
    options.add_argument("--now", action="store_true", help=text("cli.help-walk-now", lang))
    seconds, words = whole_number(1, TONE_MOST_S), text("cli.help-walk-seconds", lang, most=TONE_MOST_S)
    options.add_argument("--seconds", action=seconds, default=TONE_S, metavar="N", help=words)


def _test_tone(command: Parser, lang: Language) -> None:
    command.add_argument("zones", metavar="ZONE", nargs="*", help=text("cli.help-tone-zones", lang))
    command.options.add_argument("--now", action="store_true", help=text("cli.help-walk-now", lang))
    seconds, words = whole_number(1, TONE_MOST_S), text("cli.help-tone-seconds", lang, most=TONE_MOST_S)
    command.options.add_argument("--seconds", action=seconds, default=TONE_S, metavar="N", help=words)


def _monitor(command: Parser, lang: Language) -> None:
    options, every = command.options, whole_number(1, EVERY_MOST_S)
    options.add_argument("--socket", type=Path, metavar="PATH", help=text("cli.help-socket", lang))
    options.add_argument("--config", type=Path, metavar="FILE", help=text("cli.help-config-socket", lang))
    options.add_argument("--every", action=every, default=1, metavar="N", help=text("cli.help-every", lang))


def _relay(command: Parser, lang: Language) -> None:
    command.add_argument("zone", metavar="ZONE", help=text("cli.help-relay-zone", lang))
    which = command.options.add_mutually_exclusive_group(required=True)
    which.add_argument("--close", action="store_true", help=text("cli.help-relay-close", lang))
    which.add_argument("--open", action="store_true", help=text("cli.help-relay-open", lang))
    seconds, words = whole_number(1, RELAY_MOST_S), text("cli.help-relay-seconds", lang, most=RELAY_MOST_S)
    command.options.add_argument("--seconds", action=seconds, default=RELAY_S, metavar="N", help=words)


def _mute(command: Parser, lang: Language) -> None:
    minutes, words = whole_number(1, MUTE_MOST_MIN), text("cli.help-mute-for", lang, most=MUTE_MOST_MIN)
    options = command.options
    options.add_argument("--for", dest="minutes", action=minutes, default=MUTE_MIN, metavar="MINUTES", help=words)


def _enrol(command: Parser, lang: Language) -> None:
    command.add_argument("broker", metavar="BROKER", nargs="?", help=text("cli.help-broker", lang))
    options = command.options
    stick = options.add_mutually_exclusive_group()
    stick.add_argument("--to", type=Path, metavar="PATH", help=text("cli.help-to", lang))
    stick.add_argument("--from", dest="source", type=Path, metavar="PATH", help=text("cli.help-from", lang))
    options.add_argument("--again", action="store_true", help=text("cli.help-again", lang))
    config = text("cli.help-config-enrol", lang)
    options.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=config)


OWN: Final[dict[str, Callable[[Parser, Language], None]]] = {
    "doctor": _doctor,
    "enrol": _enrol,
    "export-reports": _export_reports,
    "faults": _faults,
    "import": _import,
    "log": _log,
    "monitor": _monitor,
    "mute": _mute,
    "relay": _relay,
    "schedule": _schedule,
    "simulate": _simulate,
    "support-bundle": _support_bundle,
    "test-tone": _test_tone,
    "walk": _walk,
}
"""What a command takes that no other does."""
