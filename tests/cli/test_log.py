"""``ttcs-edge log`` and ``faults`` over what a station's database holds, through the daemon's end of the socket."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import daemon, run, shown
from tests.cli.test_commands import SCREENS, STATUS
from ttcs_edge.cli.log import COLUMNS
from ttcs_edge.core import effects
from ttcs_edge.core.model import (
    AiredItem,
    AsRun,
    AsRunReason,
    Fault,
    Occurrence,
    Outcome,
    Scope,
    Severity,
    Sha256,
    WallMs,
    ZoneId,
)
from ttcs_edge.daemon.looking_back import ROWS, LookingBack
from ttcs_edge.link.control import ControlError, ask
from ttcs_edge.locale import LANGUAGES
from ttcs_edge.store.database import Database
from ttcs_edge.store.outbox import Outbox

FIVE_MS = 1_795_471_200_000
"""2026-11-24, 05:00 in Đạ Tẻh."""
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SCOPE = Scope("vn/lam-dong/da-teh")
LENT = Sha256("a" * 64)


def record(
    number: int, planned_ms: int, title: str, outcome: Outcome, reason: AsRunReason | None = None, **others: Any
) -> effects.AsRunClosed:
    """One cue of thirty seconds, and what became of it."""
    begun = others.pop("begun", True)
    zones = tuple(map(ZoneId, others.pop("zones", ("cho-xa",))))
    items = (AiredItem("tin", "vi", LENT, 480_000, 30_000, others.pop("written_ms", 30_000 if begun else 0)),)
    key = Occurrence(SCOPE, others.pop("slot", f"s{number}"), "2026-11-24T05:00:00")
    run_of = AsRun(
        id=f"1-a{number}",
        occurrence=key,
        title=title,
        programme_version=7,
        planned_start_ms=WallMs(planned_ms),
        planned_end_ms=WallMs(planned_ms + 30_000),
        start_ms=WallMs(planned_ms + 400) if begun else None,
        end_ms=WallMs(planned_ms + 30_400) if begun else None,
        zones=zones,
        items=items,
        outcome=outcome,
        reason=reason,
        **others,
    )
    return effects.AsRunClosed(run_of)


RECORDS = (
    record(1, FIVE_MS - DAY_MS, "=HYPERLINK(1)", Outcome.AIRED, zones=("cho-xa", "buon-go")),
    record(2, FIVE_MS, "Bản tin buổi sáng của xã Đạ Tẻh", Outcome.AIRED, witnessed=False),
    record(3, FIVE_MS + HOUR_MS, "Lịch tiêm chủng", Outcome.MISSED, AsRunReason.POWER, begun=False, slot="tiem"),
    record(
        4, FIVE_MS + 2 * HOUR_MS, "Tiếp sóng đài huyện", Outcome.CUT, AsRunReason.PRE_EMPTED, written_ms=12_000,
        zones=("buon-go",),
    ),
)  # fmt: skip


def fault(code: str, raised_ms: int, cleared_ms: int | None = None, **detail: str) -> Fault:
    """A fault of the broker's or of the box."""
    over = None if cleared_ms is None else WallMs(cleared_ms)
    return Fault(f"1-{code}-{raised_ms}", code, "", Severity.ERROR, tuple(detail.items()), WallMs(raised_ms), over)


@pytest.fixture(scope="module")
def outbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outbox]:
    """A station's database with four cues of two days, more audit than one answer looks at, and two faults."""
    folder = tmp_path_factory.mktemp("state")
    database = Database.open(folder)
    for one in RECORDS:
        database.commit([one], "da-teh-01", one.record.planned_end_ms + 1_000)
    link = fault("link-down", FIVE_MS - HOUR_MS, reason="unreachable")
    over = fault("link-down", FIVE_MS - HOUR_MS, FIVE_MS + HOUR_MS, reason="unreachable")
    late = fault("no-time", FIVE_MS + HOUR_MS)
    database.commit(
        [effects.FaultRaised(link), effects.FaultCleared(over), effects.FaultRaised(late)], "da-teh-01", FIVE_MS
    )
    database.close()
    opened = Outbox(folder / "ttcs.db")
    yield opened
    opened.close()


@pytest.fixture
def station(outbox: Outbox, tmp_path: Path) -> Iterator[Path]:
    """The daemon's end of the socket, over that database."""
    table: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "status": lambda request: STATUS,
        **LookingBack(outbox, "Asia/Ho_Chi_Minh").questions(),
    }
    with daemon(tmp_path, lambda request: table[request["ask"]](request)) as path:
        yield path


def titles(station: Path, *words: str) -> list[str]:
    """What the log holds, by its JSON."""
    done = run("log", "--json", "--socket", station, *words)
    assert (done.returncode, done.stderr) == (0, "")
    return [one["title"] for one in json.loads(done.stdout)]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("columns", [40, 120])
@pytest.mark.parametrize("words", [("log",), ("faults",), ("faults", "--history")], ids="-".join)
def test_a_log_reads_well_on_a_phone_and_on_a_desk(
    station: Path, words: tuple[str, ...], columns: int, lang: str
) -> None:
    """Each screen as it is kept; no line is longer than the terminal's."""
    seen = shown(run(*words, "--socket", station, "--lang", lang, columns=columns))

    assert seen == (SCREENS / f"{'-'.join(words).replace('---', '-')}-{columns}-{lang}.txt").read_text()
    assert max(map(len, seen.splitlines())) <= columns


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), [1, 2, 3, 4]),
        (("--last", "2"), [3, 4]),
        (("--since", "2026-11-24"), [2, 3, 4]),
        (("--since", "2026-11-24T06:00", "--until", "2026-11-24T07:00"), [3]),
        (("--until", "2026-11-24T05:00"), [1]),
        (("--since", "2026-11-01", "--last", "1"), [4]),
        (("--zone", "buon-go"), [1, 4]),
        (("--zone", "buon-go", "--outcome", "cut"), [4]),
        (("--slot", "tiem"), [3]),
        (("--since", "1m"), []),
        (("--outcome", "substituted"), []),
    ],
)
def test_what_is_asked_for_is_shown_oldest_first(station: Path, words: tuple[str, ...], expected: list[int]) -> None:
    """Days and times are those of the station, wherever the technician's clock stands."""
    assert titles(station, *words) == [RECORDS[number - 1].record.title for number in expected]


def test_a_spreadsheet_reads_every_cell_as_it_was_and_reckons_none(station: Path) -> None:
    """RFC 4180; a title that would be a formula is shown, with a mark before it."""
    done = run("log", "--csv", "--socket", station, TZ="America/New_York")
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.reader(io.StringIO(done.stdout, newline="")))

    assert rows[0] == list(COLUMNS)
    by_name = [dict(zip(COLUMNS, row, strict=True)) for row in rows[1:]]
    assert [row["title"] for row in by_name] == ["'=HYPERLINK(1)", *(one.record.title for one in RECORDS[1:])]
    assert by_name[2] == {
        "planned_start": "2026-11-24T06:00:00+07:00",
        "start": "",
        "end": "",
        "outcome": "missed",
        "reason": AsRunReason.POWER.value,
        "title": "Lịch tiêm chủng",
        "scope": SCOPE,
        "slot": "tiem",
        "bulletins": "tin",
        "zones": "cho-xa",
        "heard_s": "0.0",
        "interruptions": "0",
        "witnessed": "",
        "programme_version": "7",
        "told": "2026-11-24T06:00:31+07:00",
        "id": "da-teh-01/1-a3",
    }
    assert (by_name[0]["zones"], by_name[1]["witnessed"], by_name[3]["heard_s"]) == ("cho-xa buon-go", "False", "12.0")


@pytest.mark.parametrize("words", ["yesterday", "2026-13-01", "2026-12-01 05:00", "3w", "-1d", "99999d", ""])
def test_what_is_no_moment_is_told_with_what_one_looks_like(station: Path, words: str) -> None:
    """And nothing is shown in its place."""
    done = run("log", f"--since={words}", "--socket", station, "--lang", "en")

    assert (done.returncode, done.stdout) == (os.EX_USAGE, "")
    assert done.stderr == (
        f"Wrong use: --since: {words} is not understood; write 2026-12-01, 2026-12-01T05:00, 3d or 12h\n"
        "See: ttcs-edge log --help\n"
    )


def test_a_history_has_each_fault_once_with_its_end(station: Path) -> None:
    """Raised and cleared are two reports; the newer one tells all."""
    done = run("faults", "--history", "--json", "--socket", station)

    found = [(one["code"], one["cleared"]) for one in json.loads(done.stdout)]
    assert found == [("link-down", "2026-11-23T23:00:00.000Z"), ("no-time", None)]


def test_as_far_back_as_it_goes_an_answer_looks_at_a_bounded_number_of_reports(tmp_path: Path) -> None:
    """Whoever wants all of them asks again and again, and has every one of them once."""
    database = Database.open(tmp_path)
    many = ROWS + 200
    records = [record(number, FIVE_MS + number * 1_000, f"b{number}", Outcome.AIRED) for number in range(many)]
    database.commit(records, "da-teh-01", FIVE_MS)
    database.close()
    outbox = Outbox(tmp_path / "ttcs.db")
    questions = LookingBack(outbox, "Asia/Ho_Chi_Minh").questions()
    asked: list[int] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        found = questions["told"](request)
        asked.append(len(found["reports"]))
        return found

    with daemon(tmp_path, answer) as path:
        assert titles(path, "--last", "3") == [f"b{number}" for number in range(many - 3, many)]
        assert asked == [0, ROWS], "the newest are found in the first answer; before it the time zone was asked for"
        asked.clear()
        assert titles(path, "--since", "2026-01-01") == [f"b{number}" for number in range(many)]
        assert asked == [0, ROWS, 200, 0]
    outbox.close()


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"kind": "as-run"},
        {"kind": "heartbeat", "after": 0},
        {"kind": ["fault"], "after": 0},
        {"kind": "fault", "after": 0, "before": 5},
        {"kind": "fault", "after": -1},
        {"kind": "fault", "before": 2**63},
        {"kind": "fault", "before": True},
        {"kind": "fault", "before": "5"},
    ],
)
def test_a_question_that_is_none_is_refused(station: Path, request_: dict[str, Any]) -> None:
    """And the next one is answered."""
    with pytest.raises(ControlError) as caught:
        ask(station, {"ask": "told"} | request_)
    assert caught.value.code == "bad-request"
    assert ask(station, {"ask": "told", "kind": "fault", "after": 0})["reports"]


def test_without_a_fault_the_station_says_so(tmp_path: Path) -> None:
    """A line, not an empty screen."""
    with daemon(tmp_path, lambda request: STATUS | {"faults": []}) as path:
        assert run("faults", "--socket", path, "--lang", "vi").stdout == "Không có sự cố\n"
