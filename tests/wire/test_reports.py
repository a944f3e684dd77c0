"""What goes up, written and read: the same value, open to a newer station, closed to garbage."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.wire.corpus import NOON_MS, OCCURRENCE, REPORTS, as_run, fault
from ttcs_edge.core import model
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import AiredItem, AsRunReason, Occurrence, Outcome, Scope, Severity, Sha256, ZoneId
from ttcs_edge.wire.reports import (
    REPORT_BYTES,
    AsRunReport,
    FaultReport,
    FaultState,
    HeartbeatReport,
    ProgrammeState,
    as_run_report,
    encode,
    fault_report,
    read_report,
    utc_text,
)

STATION = "da-teh-01"


def refused(data: bytes) -> Refused:
    """Why a report is not read."""
    read = read_report(data, "x")
    assert isinstance(read, Refused), read
    return read


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_comes_out_as_it_went_in(name: str) -> None:
    """And written again it is the same bytes: the outbox may send them twice."""
    report = REPORTS[name]
    read = read_report(encode(report))
    assert read == report
    assert encode(read) == encode(report)


def test_an_as_run_record_is_told_word_for_word() -> None:
    """All that the province needs as proof of one cue."""
    assert json.loads(encode(as_run_report(STATION, as_run(), NOON_MS + 10_000))) == {
        "kind": "as-run",
        "journal": 0,
        "sequence": 0,
        "id": "da-teh-01/3-17",
        "station": "da-teh-01",
        "told": "2026-11-24T05:00:10.000Z",
        "scope": "vn/lam-dong",
        "slot": "sang",
        "occurrence": "vn/lam-dong#sang@2026-11-24T05:00:00",
        "title": "Bản tin sáng · Nhạc",
        "programme_version": 7,
        "planned_start": "2026-11-24T05:00:00.000Z",
        "planned_end": "2026-11-24T05:00:24.690Z",
        "start": "2026-11-24T05:00:00.003Z",
        "end": "2026-11-24T05:00:09.001Z",
        "zones": ["cho", "dinh"],
        "items": [
            {
                "bulletin": "tin",
                "language": "vi",
                "sha256": "a" * 64,
                "size_bytes": 64_000,
                "duration_ms": 12_345,
                "written_ms": 8_990,
            }
        ],
        "outcome": "part",
        "reason": "pre-empted",
        "interruptions": 2,
        "witnessed": True,
        "zones_saved": ["buon"],
    }


@pytest.mark.parametrize("reason", [None, *AsRunReason])
@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_and_reason_is_carried(outcome: Outcome, reason: AsRunReason | None) -> None:
    """As the core's own words."""
    read = read_report(encode(as_run_report(STATION, as_run(outcome, reason), NOON_MS)))
    assert isinstance(read, AsRunReport)
    assert Outcome(read.outcome) is outcome
    assert (AsRunReason(read.reason) if read.reason else None) is reason


@pytest.mark.parametrize("prefix", ["", *(word for name, word in vars(model).items() if name.endswith("_PREFIX"))])
def test_a_record_is_read_whatever_was_heard(prefix: str) -> None:
    """A slot's, an alert's, a command's, a walk's, a talk's, a live relay's, a stream's: the centre refuses none."""
    record = replace(as_run(), occurrence=replace(OCCURRENCE, slot=f"{prefix}sang"))
    read = read_report(encode(as_run_report(STATION, record, NOON_MS)))
    assert isinstance(read, AsRunReport) and read.slot == f"{prefix}sang"


def test_a_cue_that_never_sounded_has_no_times() -> None:
    """Neither begin nor end, and no audio."""
    silent = replace(as_run(Outcome.MISSED, AsRunReason.NO_TIME), start_ms=None, end_ms=None, items=(), zones=())
    read = read_report(encode(as_run_report(STATION, silent, NOON_MS)))
    assert isinstance(read, AsRunReport)
    assert (read.start, read.end, read.items, read.zones) == (None, None, (), ())


def test_an_open_record_is_no_report() -> None:
    """Only what has ended is told."""
    with pytest.raises(AssertionError, match=r"^3-17 is still open$"):
        as_run_report(STATION, replace(as_run(), outcome=None), NOON_MS)


@pytest.mark.parametrize("severity", Severity)
def test_a_fault_raised_and_cleared_are_two_reports_of_one_fault(severity: Severity) -> None:
    """never-5: each with an id of its own, so that a centre which counts ids loses neither."""
    raised, cleared = (
        read_report(encode(fault_report(STATION, fault(severity, cleared_ms), NOON_MS)))
        for cleared_ms in (None, NOON_MS + 1)
    )
    assert isinstance(raised, FaultReport) and isinstance(cleared, FaultReport)
    assert Severity(raised.severity) is Severity(cleared.severity) is severity
    assert (raised.id, cleared.id) == ("da-teh-01/3-f4", "da-teh-01/3-f4/cleared")
    assert (raised.cleared, cleared.cleared) == (None, "2026-11-24T05:00:00.001Z")
    assert replace(cleared, id=raised.id, cleared=None) == raised
    assert raised.detail == {"found": "6", "expected": ">= 7"}


@pytest.mark.parametrize("name", REPORTS)
def test_what_a_newer_station_says_more_is_passed_over(name: str) -> None:
    """New fields at every level; a report that is not read would be proof that is lost."""

    def grown(value: Any) -> Any:
        if isinstance(value, list):
            return [grown(one) for one in value]
        if isinstance(value, dict) and "found" not in value:
            return {field: grown(one) for field, one in value.items()} | {"new": {"a": [1, None]}}
        return value

    newer = grown(json.loads(encode(REPORTS[name])))
    assert newer != json.loads(encode(REPORTS[name]))
    assert read_report(json.dumps(newer).encode()) == REPORTS[name]


def test_words_of_a_newer_station_are_taken_as_words() -> None:
    """Outcome, reason, severity, fault code, state: shown as they stand."""
    new = {"outcome": "echoed", "reason": "no-moon"}
    read = read_report(json.dumps(json.loads(encode(REPORTS["as-run"])) | new).encode())
    assert isinstance(read, AsRunReport) and (read.outcome, read.reason) == ("echoed", "no-moon")
    new = {"severity": "grave", "code": "horn-stolen"}
    told = read_report(json.dumps(json.loads(encode(REPORTS["fault"])) | new).encode())
    assert isinstance(told, FaultReport) and (told.severity, told.code) == ("grave", "horn-stolen")
    new = {"state": "updating", "amplifier": "limp"}
    beat = read_report(json.dumps(json.loads(encode(REPORTS["heartbeat"])) | new).encode())
    assert isinstance(beat, HeartbeatReport) and (beat.state, beat.amplifier) == ("updating", "limp")


@pytest.mark.parametrize(
    ("data", "code", "detail"),
    [
        (b"", "not-json", {"found": "Expecting value: line 1 column 1 (char 0)"}),
        (b"\xff", "not-utf8", {"found": "byte 0"}),
        (b'{"kind":"status","kind":"fault"}', "duplicate-key", {"found": "kind"}),
        (b'{"kind":"\\ud800"}', "not-utf8", {"found": "half a surrogate pair"}),
        (b"[" * 100_000, "too-deep", {"expected": f"<= {LIMITS.nesting}"}),
        (b" " * (REPORT_BYTES + 1), "oversized", {"found": "262145", "expected": "<= 262144"}),
        (
            b"[]",
            "wrong-type",
            {"path": "$.kind", "found": "None", "expected": "as-run|fault|alert-receipt|audit|heartbeat|status|reply"},
        ),
        (b'{"kind":["fault"]}', "wrong-type", {"path": "$.kind", "found": "['fault']"}),
        (b'{"kind":"command"}', "wrong-type", {"path": "$.kind", "found": "command"}),
        (b'{"kind":"status"}', "wrong-type", {"path": "$", "found": "Object missing required field `station`"}),
    ],
)
def test_garbage_is_refused_with_its_reason(data: bytes, code: str, detail: dict[str, str]) -> None:
    """never-7: a value, for whatever a station or a stranger sends."""
    found = refused(data)
    assert (found.code, found.subject) == (code, "x")
    assert dict(found.detail) == dict(found.detail) | detail


def test_a_refusal_is_short_and_can_be_written_whatever_was_sent() -> None:
    """It becomes a line on an operator's terminal, or a record."""
    found = refused(json.dumps({"kind": "é" * 10_000}).encode())
    assert dict(found.detail)["found"] == "é" * LIMITS.found_chars


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_stop_the_reader(data: bytes) -> None:
    """Nothing of a few bytes is a report."""
    refused(data)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(REPORTS)), st.data())
def test_no_change_of_one_byte_stops_the_reader(name: str, data: st.DataObject) -> None:
    """A report or a refusal, and what is read can be written again."""
    report = bytearray(encode(REPORTS[name]))
    report[data.draw(st.integers(0, len(report) - 1))] = data.draw(st.integers(0, 255))
    read = read_report(bytes(report))
    assert isinstance(read, Refused) or encode(read)


def test_the_largest_reports_that_a_station_makes_are_read() -> None:
    """At every bound at once: the longest cue in all its languages, the most faults, the longest names."""
    name, scope, escaped = "a" * LIMITS.id_chars, "a" * LIMITS.scope_chars, "\x01" * LIMITS.title_chars
    zones = (ZoneId(name),) * LIMITS.zones_per_slot
    language = "vi-" + "-".join(["abcdefgh"] * 4)[: LIMITS.language_chars - 3]
    item = AiredItem(name, language, Sha256("a" * 64), LIMITS.audio_bytes, 7_200_000, 7_200_000)
    items = (item,) * (LIMITS.bulletins_per_slot * LIMITS.languages_per_bulletin)
    record = replace(
        as_run(),
        occurrence=Occurrence(Scope(scope), name, OCCURRENCE.local),
        title=" · ".join([escaped] * LIMITS.bulletins_per_slot),
        programme_version=2**53 - 1,
        zones=zones,
        items=items,
    )
    open_fault = FaultState(code=name, subject=f"{scope}#{name}", severity="warning", raised=utc_text(NOON_MS))
    in_force = ProgrammeState(scope=Scope(scope), version=2**53 - 1, expires=utc_text(NOON_MS), slots=10_000)
    beat = REPORTS["heartbeat"]
    assert isinstance(beat, HeartbeatReport)
    beat = replace(
        beat,
        scope=scope,
        on_air=str(record.occurrence),
        zones_closed=zones,
        programmes=(in_force,) * (LIMITS.scope_chars // 2),
        faults=(open_fault,) * LIMITS.open_faults,
    )
    for report in (as_run_report(name, record, NOON_MS), beat):
        assert REPORT_BYTES // 4 < len(encode(report)) <= REPORT_BYTES
        assert read_report(encode(report)) == report


@settings(deadline=None)
@given(st.integers(0, 253_402_300_799_999))
@example(253_402_300_799_999)
@example(1_795_496_400_001)
def test_an_instant_is_told_to_the_millisecond(wall_ms: int) -> None:
    """Told as text and taken back, it is the same one."""
    told = datetime.fromisoformat(utc_text(wall_ms).replace("Z", "+00:00"))
    assert (told - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1) == wall_ms
    assert len(utc_text(wall_ms)) == len("2026-11-24T05:00:00.000Z")
