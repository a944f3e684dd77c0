"""``ttcs-edge export-reports``: what the station told and could not send, onto a stick; ``--all`` what it still has.

Each report keeps its id and stays in the outbox: however many ways it arrives at the centre, it is counted once. The
file appears under its name once it is whole and on the stick.
"""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ttcs_edge.cli.asking import asker
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.output import print_json
from ttcs_edge.wire.bundle import REPORTS, REPORTS_SUFFIX, bundle_folder


def command(options: argparse.Namespace, lang: Language) -> int:
    """Write a file of JSON lines, and tell how many there are."""
    ask = asker(options)
    question = {"ask": "reports", "kept": options.all}
    page = ask(question | {"after": 0})
    count, file = 0, None
    try:
        if page["reports"]:
            file = _target(options.path, page["station"])
            count = _write(file, page, lambda after_seq: ask(question | {"after": after_seq}))
    except OSError as error:
        raise CommandError(
            "unwritable", path=str(error.filename or options.path), error=error.strerror or ""
        ) from error
    except (KeyError, TypeError) as error:
        raise CommandError("bad-answer") from error
    if options.json:
        print_json({"station": page["station"], "reports": count, "file": None if file is None else str(file)})
        return os.EX_OK
    try:
        from ttcs_edge.terminal import screen  # rich is heavy, and --json does without
    except ModuleNotFoundError as error:
        raise CommandError("no-rich") from error
    words = (
        [text("cli.reports-none", lang)]
        if file is None
        else [text("cli.reports-written", lang, count=count, file=file), text("cli.reports-next", lang)]
    )
    screen.show(screen.console(), map(screen.styled, words))
    return os.EX_OK


def _target(path: Path, station: str) -> Path:
    """A name that is not taken: of the stick's bundle when a folder was named, else as it was named.

    Raises NotADirectoryError for what is neither: a stick that is not plugged in must not become a file.
    """
    if path.suffix == REPORTS_SUFFIX and not path.is_dir():
        return path
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    folder = bundle_folder(path) / REPORTS
    folder.mkdir(parents=True, exist_ok=True)
    when = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    names = (f"{station}.{when}{again}{REPORTS_SUFFIX}" for again in ("", *(f"-{n}" for n in range(2, 100))))
    return next(folder / name for name in names if not (folder / name).exists())


def _write(file: Path, page: dict[str, Any], more: Callable[[int], dict[str, Any]]) -> int:
    """Write page by page beside, flush to the stick, then name it. Raises OSError with the file's name."""
    part = file.with_name(f"{file.name}.part")
    count = 0
    try:
        with part.open("w", encoding="utf-8", newline="\n") as out:
            while page["reports"]:
                out.writelines(f"{report}\n" for report in page["reports"])
                count += len(page["reports"])
                page = more(page["after"])
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from error
    finally:
        part.unlink(missing_ok=True)
    return count
