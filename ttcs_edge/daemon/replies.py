"""The shell's part of commands: their answers, and the work that may wait for the card, on threads of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ttcs_edge.config import ConfigError, load_config
from ttcs_edge.core import effects
from ttcs_edge.core.events import AnswerGone, ConfigChecked, Event
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Instant
from ttcs_edge.daemon.beginning import TrustError, load_trust
from ttcs_edge.drivers.journal import Journal, JournalError
from ttcs_edge.wire import reports

ENVELOPE_BYTES = 1_024
"""What an answer is beside its text: topic, properties and the other fields, generously."""
PART_LEAST_BYTES = 256
Detail = tuple[tuple[str, str], ...]


class Link(Protocol):
    """The part of the link that answers."""

    def answer(self, work: Callable[[], bytes], correlation: bytes, gone: Callable[[], None] | None = None) -> None:
        """Have an answer made and sent; ``gone`` is called when it is with the broker, or cannot be."""

    def largest_bytes(self) -> int | None:
        """The largest packet that the broker takes, if it says so."""


class Replies:
    """Answers commands. ``config_file`` is what a restart would read."""

    def __init__(
        self,
        station: str,
        link: Link,
        journal: Journal,
        config_file: Path,
        now: Callable[[], Instant],
        post: Callable[[Event], None],
    ) -> None:
        self._station = station
        self._link = link
        self._journal = journal
        self._config_file = config_file
        self._now = now
        self._post = post
        self._reading = threading.Lock()

    def answer(self, effect: effects.Answer) -> None:
        """Tell what became of a command."""
        report = reports.answer_report(self._station, effect, self._now().wall_ms)
        gone = (lambda: self._post(AnswerGone(effect.command))) if effect.leaving else None
        self._link.answer(lambda: reports.encode(report), effect.correlation, gone)

    def check_config(self, effect: effects.CheckConfig) -> None:
        """Read the config as a start would, and tell what is wrong with it."""

        def work() -> None:
            self._post(ConfigChecked(effect.command, self._problem()))

        threading.Thread(target=work, name="config-check", daemon=True).start()

    def _problem(self) -> Detail:
        """What keeps a start from taking the config for ever (exit code 78): one that is wrong does not mend itself."""
        try:
            load_trust(load_config(self._config_file).trust_folder, self._now())
        except ConfigError as error:
            first = error.problems[0]
            where = (("file", str(first.file)), ("line", str(first.line)), ("key", first.key))
            return (*where, ("problem", first.code))
        except (TrustError, OSError) as error:
            return (("file", str(self._config_file)), ("line", "0"), ("key", "folders.trust"), ("problem", str(error)))
        return ()

    def send_log(self, effect: effects.SendLog) -> None:
        """Answer with the last lines of the log; one reading at a time."""
        if not self._reading.acquire(blocking=False):
            self._tell(effect, "refused", "busy")
            return

        def work() -> None:
            try:
                self._send_log(effect)
            finally:
                self._reading.release()

        threading.Thread(target=work, name="log-reader", daemon=True).start()

    def _send_log(self, effect: effects.SendLog) -> None:
        from ttcs_edge.daemon.told_log import in_parts
        from ttcs_edge.redaction import without_secrets  # a start need not wait for its patterns

        try:
            text = without_secrets(self._journal.last(effect.lines, LIMITS.log_bytes))
        except JournalError as error:
            self._tell(effect, "failed", "no-journal", (("error", str(error)),))
            return
        largest_bytes = self._link.largest_bytes()
        # Quotation marks are written with a backslash: what was cut small enough may double.
        room_bytes = LIMITS.log_part_bytes if largest_bytes is None else (largest_bytes - ENVELOPE_BYTES) // 2
        parts = in_parts(text, max(PART_LEAST_BYTES, min(LIMITS.log_part_bytes, room_bytes)))
        if len(parts) > LIMITS.log_parts:  # a broker that takes next to nothing: the newest are worth most
            parts = parts[-LIMITS.log_parts :]
        for report in reports.log_reports(self._station, effect.command, self._now().wall_ms, parts):
            self._link.answer(_made(report), effect.correlation)

    def _tell(self, effect: effects.SendLog, outcome: str, reason: str, detail: Detail = ()) -> None:
        self.answer(effects.Answer(effect.command, effect.correlation, "log", outcome, reason, detail))


def _made(report: reports.ReplyReport) -> Callable[[], bytes]:
    return lambda: reports.encode(report)
