"""The command line: which commands there are, their options, their help in the technician's language.

argparse knows English only, so its headings are replaced, and its complaints are told again by the table
``COMPLAINTS``. Wrong use leaves with 64 (EX_USAGE).
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from ttcs_edge.locale import LANGUAGES, Language, text

PROGRAM: Final = "ttcs-edge"
CONFIG: Final = Path("/etc/ttcs-edge/station.yaml")
SOCKET: Final = Path("/run/ttcs-edge/control.sock")
DAYS_MOST: Final = 31

EXAMPLES: Final = {
    "run": "ttcs-edge run --config /etc/ttcs-edge/station.yaml",
    "check-config": "ttcs-edge check-config --config ./station.yaml",
    "status": "ttcs-edge status",
    "schedule": "ttcs-edge schedule --days 7",
    "version": "ttcs-edge version --json",
}
"""Every command with one line that may be typed as it is."""

COMPLAINTS: Final = (
    (r"argument (?P<option>\S+?)(/\S+)?: invalid choice: (?P<found>.+?) \(choose from .*", "cli.unknown-choice"),
    (r"argument (?P<option>\S+?)(/\S+)?: expected one argument", "cli.needs-value"),
    (r"unrecognized arguments: (?P<found>.*)", "cli.unknown-words"),
    (r"the following arguments are required: .*", "cli.no-command"),
)
"""argparse's words and our code for them."""


class Parser(argparse.ArgumentParser):
    """Speaks one language, and leaves with EX_USAGE."""

    def __init__(self, lang: Language, **arguments: Any) -> None:
        super().__init__(
            add_help=False,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **arguments,
        )
        self.lang = lang
        self.options = self.add_argument_group(text("cli.options", lang))
        self.options.add_argument("-h", "--help", action="help", help=text("cli.help-help", lang))
        self.options.add_argument("--lang", choices=LANGUAGES, help=text("cli.help-lang", lang))

    def format_help(self) -> str:
        """Give the help, its first word translated too."""
        return _translated(super().format_help(), self.lang)

    def format_usage(self) -> str:
        """Give the usage, its first word translated too."""
        return _translated(super().format_usage(), self.lang)

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong with the command line, and leave."""
        problem = text("cli.bad-usage", self.lang, problem=complaint(message, self.lang))
        hint = text("cli.see-help", self.lang, command=self.prog)
        self.exit(os.EX_USAGE, f"{problem}\n{hint}\n")


def _translated(shown: str, lang: Language) -> str:
    return text("cli.usage", lang) + shown.removeprefix("usage: ")


def complaint(message: str, lang: Language) -> str:
    """Tell argparse's complaint in a language; one that is not known is told as it is."""
    for pattern, code in COMPLAINTS:
        if match := re.fullmatch(pattern, message, re.DOTALL):
            return text(code, lang, **match.groupdict())
    return message


def _days(lang: Language) -> type[argparse.Action]:
    class Days(argparse.Action):
        def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
            if not re.fullmatch(r"[0-9]{1,4}", values) or not 1 <= int(values) <= DAYS_MOST:
                expected = text("cli.expected-days", lang, most=DAYS_MOST)
                parser.error(text("cli.bad-value", lang, option=option_string, found=values, expected=expected))
            setattr(namespace, self.dest, int(values))

    return Days


def language_argument(arguments: Sequence[str]) -> str | None:
    """Find ``--lang`` before anything is parsed, because the parser itself speaks."""
    for place, argument in enumerate(arguments):
        if argument == "--lang":
            return arguments[place + 1] if place + 1 < len(arguments) else None
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
    return None


def make_parser(lang: Language) -> Parser:
    """Make the parser of every command."""
    about = text("cli.about", lang)
    parser = Parser(lang, prog=PROGRAM, description=about, epilog=_example(EXAMPLES["status"], lang))
    commands = parser.add_subparsers(
        dest="command",
        required=True,
        title=text("cli.commands", lang),
        metavar=text("cli.metavar", lang),
        parser_class=Parser,
    )
    made = {
        name: commands.add_parser(
            name,
            lang=lang,
            help=text(f"cli.{name}", lang),
            description=text(f"cli.{name}", lang),
            epilog=_example(example, lang),
        )
        for name, example in EXAMPLES.items()
    }
    for name in ("check-config", "status", "schedule", "version"):
        made[name].options.add_argument("--json", action="store_true", help=text("cli.help-json", lang))
    for name in ("run", "check-config"):
        help_text = text("cli.help-config", lang)
        made[name].options.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=help_text)
    for name in ("status", "schedule"):
        options = made[name].options
        options.add_argument("--socket", type=Path, metavar="PATH", help=text("cli.help-socket", lang))
        options.add_argument("--config", type=Path, metavar="FILE", help=text("cli.help-config-socket", lang))
    made["schedule"].options.add_argument(
        "--days", action=_days(lang), default=7, metavar="N", help=text("cli.help-days", lang)
    )
    return parser


def _example(line: str, lang: Language) -> str:
    return f"{text('cli.example', lang)}\n  {line}"


def parse(arguments: Sequence[str], lang: Language) -> argparse.Namespace:
    """Read a command line; wrong use prints words and leaves with EX_USAGE."""
    if not arguments:
        make_parser(lang).print_help(sys.stderr)
        sys.exit(os.EX_USAGE)
    return make_parser(lang).parse_args(arguments)
