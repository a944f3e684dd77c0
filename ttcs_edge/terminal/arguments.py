"""A command line that speaks one language and leaves with 64 (EX_USAGE) when it is used wrongly.

argparse knows English only, so its headings are replaced, and its complaints are told again by the table
``COMPLAINTS``.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from ttcs_edge.locale import LANGUAGES, Language, text

COMPLAINTS: Final = (
    (r"argument (?P<option>\S+?)(/\S+)?: invalid choice: (?P<found>.+?) \(choose from .*", "terminal.unknown-choice"),
    (r"argument (?P<option>\S+?)(/\S+)?: expected one argument", "terminal.needs-value"),
    (r"argument (?P<option>\S+?)(/\S+)?: ignored explicit argument .*", "terminal.takes-no-value"),
    (r"argument (?P<option>\S+?)(/\S+)?: not allowed with argument (?P<found>\S+)", "terminal.not-together"),
    (r"unrecognized arguments: (?P<found>.*)", "terminal.unknown-words"),
    (r"the following arguments are required: (?P<found>.*)", "terminal.missing-words"),
)
"""argparse's words and our code for them."""


class _Help(argparse.RawDescriptionHelpFormatter):
    """What is typed stands in a column of one width on every page: Python 3.13 reckons it otherwise than 3.11."""

    COLUMN = 22

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=self.COLUMN)

    def _format_action(self, action: argparse.Action) -> str:
        self._action_max_length = self.COLUMN - 2
        return super()._format_action(action)


class Parser(argparse.ArgumentParser):
    """Speaks one language, and leaves with EX_USAGE. ``example`` is a line that may be typed as it is."""

    def __init__(self, lang: Language, example: str = "", **arguments: Any) -> None:
        epilog = f"{text('terminal.example', lang)}\n  {example}" if example else None
        super().__init__(
            add_help=False,
            allow_abbrev=False,
            formatter_class=_Help,
            epilog=epilog,
            **arguments,
        )
        self.lang = lang
        self._positionals.title = text("terminal.arguments", lang)
        self.options = self.add_argument_group(text("terminal.options", lang))
        self.options.add_argument("-h", "--help", action="help", help=text("terminal.help-help", lang))
        self.options.add_argument("--lang", choices=LANGUAGES, help=text("terminal.help-lang", lang))

    def add_commands(self, dest: str = "command", metavar: str | None = None, words: str | None = None) -> Any:
        """Make room for commands, each of which is a ``Parser`` too; or for what one of them does, under ``dest``."""
        return self.add_subparsers(
            dest=dest,
            required=True,
            title=text("terminal.commands", self.lang),
            metavar=metavar or text("terminal.metavar", self.lang),
            help=words,
            parser_class=Parser,
        )

    def format_help(self) -> str:
        """Give the help, its first word translated too."""
        return self._translated(super().format_help())

    def format_usage(self) -> str:
        """Give the usage, its first word translated too."""
        return self._translated(super().format_usage())

    def _translated(self, shown: str) -> str:
        return text("terminal.usage", self.lang) + shown.removeprefix("usage: ")

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong with the command line, and leave."""
        problem = text("terminal.bad-usage", self.lang, problem=complaint(message, self.lang))
        hint = text("terminal.see-help", self.lang, command=self.prog)
        self.exit(os.EX_USAGE, f"{problem}\n{hint}\n")


def complaint(message: str, lang: Language) -> str:
    """Tell argparse's complaint in a language; one that is not known is told as it is."""
    for pattern, code in COMPLAINTS:
        if match := re.fullmatch(pattern, message, re.DOTALL):
            return text(code, lang, **match.groupdict())
    return message


def read(parser: Parser, arguments: Sequence[str]) -> argparse.Namespace:
    """Read a command line; wrong use prints words and leaves with EX_USAGE, no words at all with the whole help."""
    if not arguments:
        parser.print_help(sys.stderr)
        sys.exit(os.EX_USAGE)
    return parser.parse_args(arguments)


def whole_number(least: int, most: int) -> type[argparse.Action]:
    """Make the action of an option that takes a whole number within bounds that are part of the range."""

    class WholeNumber(argparse.Action):
        def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
            if not re.fullmatch(r"[0-9]{1,9}", values) or not least <= int(values) <= most:
                fields = {"option": option_string or self.metavar, "found": values, "least": least, "most": most}
                parser.error(text("terminal.bad-number", parser.lang, **fields))
            setattr(namespace, self.dest, int(values))

    return WholeNumber


def language_argument(arguments: Sequence[str]) -> str | None:
    """Find ``--lang`` before anything is parsed, because the parser itself speaks."""
    for place, argument in enumerate(arguments):
        if argument == "--lang":
            return arguments[place + 1] if place + 1 < len(arguments) else None
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
    return None
