"""How an import goes on, on a screen: a line for each programme, one line that grows for the audio, and the end."""

from __future__ import annotations

import sys
from typing import Any

from ttcs_edge.cli.import_bundle import Brought
from ttcs_edge.locale import Language, text
from ttcs_edge.locale.faults import fault_words
from ttcs_edge.terminal import screen

Answer = dict[str, Any]


class Screen:
    """Tells a person. The line that grows is for terminals alone: a log has each fact once."""

    def __init__(self, lang: Language) -> None:
        self._lang = lang
        self._out = screen.console()
        self._grows = False

    def trust(self, answer: Answer) -> None:
        """What became of trust roots."""
        self._document(answer, {"accepted": "cli.import-trust", "in-force": "cli.import-trust-known"})

    def programme(self, answer: Answer) -> None:
        """What became of a programme; one that was refused with its mend, and that the one before stands."""
        self._document(answer, {"accepted": "cli.import-accepted", "in-force": "cli.import-in-force"})

    def _document(self, answer: Answer, codes: dict[str, str]) -> None:
        if answer["outcome"] == "refused":
            self._refused(answer, answer["scope"])
            return
        fields = {"scope": answer["scope"], "version": answer["version"]}
        self._say(text(codes[answer["outcome"]], self._lang, **fields))

    def begin(self, files: int, size_bytes: int) -> None:
        """How much there is to be copied."""
        self._say(text("cli.import-begin", self._lang, files=files, mb=_mb(size_bytes)))

    def progress(self, number: int, files: int, size_bytes: int, offset: int) -> None:
        """How far a file has come."""
        if self._out.is_terminal:
            percent = min(100, offset * 100 // max(1, size_bytes))
            words = text("cli.import-progress", self._lang, number=number, files=files, percent=percent)
            sys.stdout.write(f"\r{screen.clean(words)[: self._out.width - 1]}\x1b[K")
            sys.stdout.flush()
            self._grows = True

    def audio(self, answer: Answer) -> None:
        """A file that was refused, with its mend."""
        if answer["outcome"] == "refused":
            self._refused(answer, answer["sha256"])

    def end(self, brought: Brought) -> None:
        """The sum, and what to do next."""
        stored, missing = brought.files("stored"), brought.files("missing")
        if stored:
            size_bytes = sum(one["size_bytes"] for one in stored)
            self._say(text("cli.import-stored", self._lang, files=len(stored), mb=_mb(size_bytes)))
        if missing:
            self._say(text("cli.import-missing", self._lang, files=len(missing)), screen.DOUBTFUL)
        elif not brought.exit_code:
            self._say(text("cli.import-all", self._lang))
        if brought.exit_code:
            self._say(text("cli.import-not-all", self._lang), screen.BAD)
        else:
            self._say(text("cli.import-done", self._lang))

    def _refused(self, answer: Answer, subject: str) -> None:
        words = fault_words(answer["code"], subject, dict(answer["detail"]), self._lang)
        self._say(f"!! {words.meaning}", screen.BAD)
        self._say(text("cli.fault-mend", self._lang, mend=words.mend))

    def _say(self, words: str, style: str = "") -> None:
        if self._grows:
            sys.stdout.write("\r\x1b[K")
            self._grows = False
        screen.show(self._out, [screen.styled(words, style)])
        sys.stdout.flush()


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f}"
