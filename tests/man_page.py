"""The programs' manual pages, in both languages, made of their own help: man(7), as groff_man(7) has it."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator

from ttcs_edge import __version__
from ttcs_edge.cli.arguments import CONFIG, SOCKET
from ttcs_edge.cli.arguments import PROGRAM as EDGE
from ttcs_edge.cli.errors import EXIT_CODES
from ttcs_edge.locale import LANGUAGES, Language, messages, text
from ttcs_edge.locale.faults import Pair
from ttcs_edge.terminal.arguments import Parser
from ttcs_edge.terminal.output import INTERRUPTED

NAME, USAGE, COMMANDS, STATUS, FILES, ALSO = (
    ("TÊN", "NAME"),
    ("CÁCH DÙNG", "SYNOPSIS"),
    ("LỆNH", "COMMANDS"),
    ("MÃ KẾT THÚC", "EXIT STATUS"),
    ("TỆP", "FILES"),
    ("XEM THÊM", "SEE ALSO"),
)
DONE: Pair = ("Xong.", "Done.")
WRONG_USE: Pair = ("Lệnh viết sai.", "Wrong use.")
ENDED_BY_HAND: Pair = ("Người dùng dừng (Ctrl-C).", "Ended by hand (Ctrl-C).")
KEPT: tuple[tuple[str, Pair], ...] = (
    (str(CONFIG), ("cấu hình của trạm", "the station's configuration")),
    (str(SOCKET), ("socket mà lệnh hỏi trạm qua đó", "the socket at which the station is asked")),
    ("/var/lib/ttcs-edge", ("chương trình, âm thanh, báo cáo", "programmes, audio, reports")),
)


def man_page(parser: Parser) -> str:
    """The whole page, in the parser's language."""
    place = LANGUAGES.index(parser.lang)
    lines = [
        f'.TH {parser.prog.upper()} 1 "" "ttcs-edge {__version__}"',
        ".ad l",
        *(f".SH {NAME[place]}", f"{_plain(parser.prog)} \\- {_plain(parser.description)}"),
        *(f".SH {USAGE[place]}", _plain(_usage(parser)), *_options(parser)),
        f".SH {COMMANDS[place]}",
        *(line for command in commands(parser) for line in _command(command)),
    ]
    if parser.prog == EDGE:
        lines += [f".SH {STATUS[place]}", *_exit_codes(parser.lang), f".SH {FILES[place]}"]
        lines += [line for path, words in KEPT for line in (".TP", f".I {_plain(path)}", _plain(words[place]))]
    lines += [f".SH {ALSO[place]}", ".BR systemctl (1),", ".BR journalctl (1)"]
    return "\n".join(lines) + "\n"


def commands(parser: argparse.ArgumentParser) -> Iterator[Parser]:
    """Every command that does something, in the order of the help, those within others behind them."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in dict.fromkeys(action.choices.values()):
                yield command
                yield from commands(command)


def _command(command: Parser) -> Iterator[str]:
    yield f'.SS "{_plain(command.prog)}"'
    yield _plain(command.description)
    yield from (".PP", _plain(_usage(command)))
    yield from _options(command, without=("lang",))
    if command.epilog:
        yield from (".PP", *_verbatim(command.epilog))


def _options(parser: Parser, without: tuple[str, ...] = ()) -> Iterator[str]:
    for action in parser._actions:
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction) and action.dest not in without:
            yield from (".TP", _typed(action), _plain((action.help or "") % _values(action)))


def _typed(action: argparse.Action) -> str:
    """What is typed: the option in bold, its value in italics."""
    choices = f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest
    value = action.metavar if isinstance(action.metavar, str) else choices
    names = ", ".join(f"\\fB{_plain(name)}\\fR" for name in action.option_strings)
    if action.nargs == 0:
        return names
    shown = f"\\fI{_plain(value)}\\fR"
    return f"{names} {shown}" if names else shown


def _values(action: argparse.Action) -> dict[str, object]:
    return {name: getattr(action, name) for name in ("default", "dest", "metavar")}


def _usage(parser: Parser) -> str:
    return re.sub(r"\s+", " ", parser.format_usage().removeprefix(text("terminal.usage", parser.lang)))


def _exit_codes(lang: Language) -> Iterator[str]:
    place = LANGUAGES.index(lang)
    meanings = {0: [DONE[place]], os.EX_USAGE: [WRONG_USE[place]]}
    for code, number in EXIT_CODES.items():
        meanings.setdefault(number, []).append(re.sub(r"\{(\w+)\}", r"‹\1›", messages("cli")[f"error.{code}"][place]))
    meanings[INTERRUPTED] = [ENDED_BY_HAND[place]]
    for number, words in sorted(meanings.items()):
        yield from (".TP", f"\\fB{number}\\fR")
        yield from (line for one in words for line in (_plain(one), ".br"))


def _verbatim(words: str) -> list[str]:
    return [".nf", *(_plain(line.strip()) for line in words.strip().split("\n")), ".fi"]


def _plain(words: str | None) -> str:
    """Text that groff takes as it is."""
    shown = " ".join((words or "").split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{shown}" if shown.startswith((".", "'")) else shown
