"""The shell's part of commands: a config read as a start would, a log in parts, one reading at a time."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.parts import Broker, Province, Station, eventually
from ttcs_edge.core import effects
from ttcs_edge.core.events import AnswerGone, ConfigChecked, Event
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Instant, MonoMs, WallMs
from ttcs_edge.daemon.replies import ENVELOPE_BYTES, Replies
from ttcs_edge.drivers.journal import JournalError


class Sent:
    """A link that keeps what it is given to send."""

    def __init__(self, most_bytes: int | None = None) -> None:
        self.answers: list[tuple[dict[str, Any], bytes, Callable[[], None] | None]] = []
        self.sizes_bytes: list[int] = []
        self._most_bytes = most_bytes

    def answer(self, work: Callable[[], bytes], correlation: bytes, gone: Callable[[], None] | None = None) -> None:
        """Make it at once."""
        data = work()
        self.sizes_bytes.append(len(data))
        self.answers.append((json.loads(data), correlation, gone))

    def largest_bytes(self) -> int | None:
        """As the broker said."""
        return self._most_bytes


class Written:
    """A journal of lines; it may take as long as the test wants, or fail."""

    def __init__(self, text: str = "", error: str = "") -> None:
        self.goes_on = threading.Event()
        self.goes_on.set()
        self._text, self._error = text, error

    def last(self, lines: int, most_bytes: int) -> str:
        """All that there is."""
        assert self.goes_on.wait(10)
        if self._error:
            raise JournalError(self._error)
        return self._text


def replies(
    link: Sent, journal: Written, config_file: Path = Path("/nowhere")
) -> tuple[Replies, queue.SimpleQueue[Event]]:
    """What answers, and what it posts."""
    heard: queue.SimpleQueue[Event] = queue.SimpleQueue()
    now = Instant(WallMs(1_795_496_400_000), MonoMs(0), trusted=True)
    return Replies("da-teh-01", link, journal, config_file, lambda: now, heard.put), heard


def test_an_answer_tells_what_the_core_said_and_that_it_is_gone_only_of_who_leaves() -> None:
    """The id of what is under way is its own: each counts once."""
    link = Sent()
    here, heard = replies(link, Written())
    here.answer(effects.Answer(9, b"c", "stop", "refused", "nothing-on-air"))
    here.answer(effects.Answer(9, b"c", "restart", "under-way", None, (("boot", "3"),), leaving=True))

    (refused, correlation, nobody), (leaving, _, gone) = link.answers
    assert (refused["id"], refused["outcome"], refused["reason"]) == (
        "da-teh-01/command-9",
        "refused",
        "nothing-on-air",
    )
    assert (correlation, nobody) == (b"c", None)
    assert (leaving["id"], leaving["detail"]) == ("da-teh-01/command-9/under-way", {"boot": "3"})
    assert gone is not None
    gone()
    assert heard.get(timeout=5) == AnswerGone(9)


@pytest.mark.parametrize(
    ("most_bytes", "parts"), [(None, 13), (8_192, 24), (900, 24)], ids=["no bound", "small packets", "next to nothing"]
)
def test_a_log_fits_the_packets_of_the_broker(most_bytes: int | None, parts: int) -> None:
    """Every letter of it a quotation mark, the worst that JSON does to it; of too many parts the newest are sent."""
    link = Sent(most_bytes)
    line = '"' * 99 + "\n"
    here, _ = replies(link, Written(line * (LIMITS.log_bytes // len(line))))
    here.send_log(effects.SendLog(7, b"c", 1_000))
    eventually(lambda: link.answers and len(link.answers) == link.answers[0][0]["parts"])

    assert len(link.answers) == parts <= LIMITS.log_parts < LIMITS.answers_waiting
    assert [one["part"] for one, _, _ in link.answers] == list(range(1, parts + 1))
    if most_bytes is not None and most_bytes > 2 * ENVELOPE_BYTES:
        assert max(link.sizes_bytes) <= most_bytes
    assert link.answers[-1][0]["text"].endswith(line)


def test_an_empty_log_is_an_answer_too() -> None:
    """One part, with nothing in it."""
    link = Sent()
    here, _ = replies(link, Written())
    here.send_log(effects.SendLog(7, b"c", 5))
    ((report, _, _),) = eventually(lambda: link.answers)
    assert (report["outcome"], report["text"], report["part"], report["parts"]) == ("done", "", 1, 1)


def test_a_log_that_cannot_be_read_is_told_and_the_next_one_is_read() -> None:
    """With what ``journalctl`` said."""
    link = Sent()
    here, _ = replies(link, Written(error="no permission"))
    for count in (1, 2):
        here.send_log(effects.SendLog(count, b"c", 5))
        eventually(lambda count=count: len(link.answers) == count and not here._reading.locked())  # type: ignore[misc]
    report = link.answers[-1][0]
    assert (report["outcome"], report["reason"], report["detail"]) == (
        "failed",
        "no-journal",
        {"error": "no permission"},
    )


def test_one_log_is_read_at_a_time() -> None:
    """Whoever may command cannot have a hundred of them read at once."""
    link, journal = Sent(), Written("một\n")
    here, _ = replies(link, journal)
    journal.goes_on.clear()
    here.send_log(effects.SendLog(1, b"1", 5))
    here.send_log(effects.SendLog(2, b"2", 5))
    assert [(one["command"], one["outcome"], one["reason"]) for one, _, _ in link.answers] == [(2, "refused", "busy")]
    journal.goes_on.set()
    eventually(lambda: len(link.answers) == 2)
    assert link.answers[1][0]["text"] == "một\n"


def test_a_config_is_read_as_a_start_would(tmp_path: Path, broker: Broker, province: Province) -> None:
    """Good; a key wrong; a trust root that is none; no trust root; no file at all: told with file, line and key."""
    pole = Station(tmp_path / "pole", broker, province)
    pole.install()

    def problem() -> dict[str, str]:
        here, heard = replies(Sent(), Written(), pole.config)
        here.check_config(effects.CheckConfig(3))
        event = heard.get(timeout=10)
        assert isinstance(event, ConfigChecked) and event.command == 3
        return dict(event.problem)

    good = pole.config.read_text()
    root = pole.folder / "trust/root.dsse.json"
    assert problem() == {}
    pole.config.write_text(good.replace("pin: 22", "pin: 27"))
    line = str(1 + good[: good.index("pin: 22")].count("\n"))
    found = problem()
    assert (found["file"], found["line"], found["key"]) == (str(pole.config), line, "zones[2].pin")
    pole.config.write_text(good)
    root.write_text("{}")
    assert problem()["key"] == "folders.trust"
    root.unlink()
    assert problem()["key"] == "folders.trust"
    pole.config.unlink()
    assert problem()["file"] == str(pole.config)
