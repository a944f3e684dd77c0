"""``ttcs-edge import``: what a USB stick brings, for a station without a link.

The station looks through every document and every file as if it had come from the centre; this only opens what lies
on the stick, because the technician may read it, and hands it over. Run again, it goes on where it was.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from ttcs_edge.cli.asking import asker
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.core.model import Sha256
from ttcs_edge.locale import Language
from ttcs_edge.terminal.output import print_json
from ttcs_edge.wire.bundle import NotAFileError, audio_name, open_file, opened_bundle, programme_name, trust_name

Answer = dict[str, Any]
AUDIO_EXIT_CODES = {"store-full": os.EX_CANTCREAT, "store-failing": os.EX_IOERR}
"""What a file can fail with that is not the stick's fault."""


class Told(Protocol):
    """Whom it is told to as it goes on."""

    def trust(self, answer: Answer) -> None:
        """What became of trust roots."""

    def programme(self, answer: Answer) -> None:
        """What became of a programme."""

    def begin(self, files: int, size_bytes: int) -> None:
        """Audio is about to be copied."""

    def progress(self, number: int, files: int, size_bytes: int, offset: int) -> None:
        """A file is being copied."""

    def audio(self, answer: Answer) -> None:
        """What became of a file."""

    def end(self, brought: Brought) -> None:
        """All is done that could be."""


@dataclass(slots=True)
class Brought:
    """What came of it."""

    station: str
    trust: list[Answer] = field(default_factory=list)
    programmes: list[Answer] = field(default_factory=list)
    audio: list[Answer] = field(default_factory=list)

    def files(self, outcome: str) -> list[Answer]:
        """The files with an outcome: ``stored``, ``not-wanted``, ``refused``, ``missing``."""
        return [one for one in self.audio if one["outcome"] == outcome]

    @property
    def exit_code(self) -> int:
        """The first thing that went wrong decides."""
        if any(one["outcome"] == "refused" for one in (*self.trust, *self.programmes)):
            return os.EX_DATAERR
        codes = [AUDIO_EXIT_CODES.get(one["code"], os.EX_DATAERR) for one in self.files("refused")]
        return codes[0] if codes else os.EX_OK


def command(options: argparse.Namespace, lang: Language) -> int:
    """Hand over what the station wants, and tell."""
    ask = asker(options)
    told = _teller(options, lang)
    station = ask({"ask": "import-scopes"})
    try:
        with opened_bundle(options.path) as folder:
            brought = _bring(folder, station, ask, told)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CommandError("no-bundle", path=str(options.path)) from error
    except OSError as error:
        raise CommandError("unreadable", error=error.strerror or str(error)) from error
    except (KeyError, TypeError) as error:
        raise CommandError("bad-answer") from error
    if not brought.trust and not brought.programmes:
        raise CommandError("bundle-elsewhere", path=str(options.path), scope=station["scope"])
    if options.json:
        names = ("station", "trust", "programmes", "audio")
        print_json({name: getattr(brought, name) for name in names})
    told.end(brought)
    return brought.exit_code


def _bring(folder: int, station: Answer, ask: Callable[..., Answer], told: Told) -> Brought:
    brought = Brought(station["station"])
    # The roots first: what comes behind them may be signed by the keys that they name.
    for kind, name_of, answers, tell in (
        ("import-trust", trust_name, brought.trust, told.trust),
        ("import-programme", programme_name, brought.programmes, told.programme),
    ):
        for scope in station["scopes"]:
            try:
                with _opened(folder, name_of(scope)) as file:
                    answer = ask({"ask": kind, "scope": scope}, file)
            except FileNotFoundError:
                continue
            answers.append(answer)
            tell(answer)
    wanted = ask({"ask": "import-wanted"})["audio"] if brought.programmes else []
    if wanted:
        told.begin(len(wanted), sum(one["size_bytes"] for one in wanted))
    for number, one in enumerate(wanted, 1):
        progress = partial(told.progress, number, len(wanted), one["size_bytes"])
        answer = _bring_audio(folder, one, ask, progress)
        brought.audio.append(answer)
        told.audio(answer)
    return brought


def _bring_audio(folder: int, wanted: Answer, ask: Callable[..., Answer], progress: Callable[[int], None]) -> Answer:
    """Hand one file over, and follow it to its end."""
    sha256 = Sha256(wanted["sha256"])
    try:
        with _opened(folder, audio_name(sha256)) as file:
            question = {"ask": "import-audio", "sha256": sha256}
            answer = ask(question, file)
            while answer["outcome"] == "copying":
                progress(answer["offset"])
                answer = ask(question | {"again": True}, file)
    except FileNotFoundError:
        answer = {"outcome": "missing", "code": None, "detail": []}
    if answer["outcome"] == "unreadable":
        raise CommandError("unreadable", error=audio_name(sha256))
    return {"sha256": sha256, "size_bytes": wanted["size_bytes"]} | answer


@contextmanager
def _opened(folder: int, name: str) -> Iterator[int]:
    """Open a file of the stick. Raises FileNotFoundError, also for what is there and no file; else OSError."""
    try:
        file = open_file(folder, name)
    except NotAFileError as error:
        raise FileNotFoundError(name) from error
    try:
        yield file
    finally:
        os.close(file)


def _teller(options: argparse.Namespace, lang: Language) -> Told:
    if options.json:
        return _Silent()
    try:
        from ttcs_edge.cli.draw_import import Screen  # rich is heavy, and --json does without
    except ModuleNotFoundError as error:
        raise CommandError("no-rich") from error
    return Screen(lang)


class _Silent:
    """For machines, which read the end alone."""

    def trust(self, answer: Answer) -> None:
        """Nothing."""

    def programme(self, answer: Answer) -> None:
        """Nothing."""

    def begin(self, files: int, size_bytes: int) -> None:
        """Nothing."""

    def progress(self, number: int, files: int, size_bytes: int, offset: int) -> None:
        """Nothing."""

    def audio(self, answer: Answer) -> None:
        """Nothing."""

    def end(self, brought: Brought) -> None:
        """Nothing."""
