"""What a command leaves behind: JSON for machines, an exit code of sysexits.h, and never a traceback of the terminal's.

A reader that has seen enough (``| head``) is no error; a disk that is full is one; Ctrl-C ends a command with 130, as
shells expect. A terminal that cannot show a letter shows a question mark in its place.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

from ttcs_edge.locale import Language, language, text
from ttcs_edge.terminal.arguments import language_argument

INTERRUPTED: Final = 128 + 2
"""A shell's word for SIGINT."""
OUTPUT_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""What a stream, which has no file name, says when it cannot be written."""


def print_json(value: object) -> None:
    """Print JSON as UTF-8 (RFC 8259), whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n")


def print_json_array(values: Iterable[object]) -> None:
    """Print a JSON array as its values come, a line each; none is held."""
    sys.stdout.flush()
    out = sys.stdout.buffer
    out.write(b"[")
    for number, value in enumerate(values):
        out.write((b",\n" if number else b"\n") + json.dumps(value, ensure_ascii=False).encode())
    out.write(b"\n]\n")


def print_error(words: str) -> None:
    """Print to standard error, between words where a terminal's lines end."""
    if sys.stderr.isatty():
        columns = shutil.get_terminal_size().columns
        lines = (
            textwrap.wrap(line, columns, break_long_words=False, break_on_hyphens=False) for line in words.split("\n")
        )
        words = "\n".join(part for line in lines for part in line)
    print(words, file=sys.stderr)


def run_program(arguments: Sequence[str] | None, run: Callable[[list[str], Language], int]) -> int:
    """Run a program with the words of its command line, the process's own when None; gives its exit code.

    ``run`` is given the words and the language, and gives the exit code.
    """
    _prepare_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    lang = language(language_argument(words), os.environ)
    return _run_to_the_end(lambda: run(words, lang), lang)


def _prepare_streams() -> None:
    """Make standard output and standard error take every letter, also when the shell closed them."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        cast(Any, getattr(sys, name)).reconfigure(errors="replace")


def _run_to_the_end(command: Callable[[], int], lang: Language) -> int:
    """Run a command until all that it said is out; gives its exit code, or that of how it ended."""
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_output()
        return os.EX_OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.filename is not None or error.errno not in OUTPUT_ERRORS:
            raise
        _give_up_output()
        print(text("terminal.no-output", lang, found=error.strerror), file=sys.stderr)
        return os.EX_IOERR
    return code


def _give_up_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
