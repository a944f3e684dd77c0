"""``ttcs-central watch``: what stations report is shown; what cannot be read is shown as such and stops nothing."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console, RenderableType

from tests.parts import Broker, Listener, eventually
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.draw_watch import fault_lines, fleet_lines, missing_lines, see
from ttcs_edge.central.fleet import FaultSeen, Fleet, StationRow
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.locale import LANGUAGES, Language
from ttcs_edge.terminal import screen
from ttcs_edge.wire.reports import (
    AlertReport,
    AsRunReport,
    CacheState,
    FaultReport,
    FaultState,
    HeartbeatReport,
    ModemState,
    Report,
    SourceState,
    StatusReport,
    UnheardPart,
    encode,
    reply_report,
)
from ttcs_edge.wire.topics import Topics

TOLD = "2026-11-24T05:00:00.000Z"
PLACE = Scope("vn/lam-dong/da-teh")
TOPICS = Topics("ttcs/v1")
SCREENS = Path(__file__).parents[1] / "data/central"


def status(state: str = "online", station: str = "da-teh-01") -> StatusReport:
    """A birth, a leave or a will."""
    assert state in ("online", "offline", "stopped")
    return StatusReport(station=station, scope=PLACE, state=state, software="0.1", boot=1, told=TOLD)  # type: ignore[arg-type]


def heartbeat(number: int = 1, on_air: str | None = None, faults: tuple[FaultState, ...] = ()) -> HeartbeatReport:
    """A heartbeat."""
    return HeartbeatReport(
        id=f"da-teh-01/1-h{number}",
        station="da-teh-01",
        told=TOLD,
        scope=PLACE,
        software="0.1",
        boot=1,
        state="on-air" if on_air else "idle",
        clock_trusted=True,
        on_air=on_air,
        amplifier="off",
        zones_closed=(),
        programmes=(),
        cache=CacheState(wanted_files=0, stored_files=0, wanted_bytes=0, stored_bytes=0),
        faults=faults,
        underruns=0,
        outbox_depth=0,
        outbox_dropped=0,
        outbox_oldest_s=0,
    )


def fault(cleared: str | None = None, subject: str = PLACE) -> FaultReport:
    """A refused programme, raised or cleared."""
    return FaultReport(
        id="da-teh-01/1-1" + ("/cleared" if cleared else ""),
        station="da-teh-01",
        told=TOLD,
        code="bad-signature",
        subject=subject,
        severity="error",
        detail={},
        raised=TOLD,
        cleared=cleared,
    )


def as_run(title: str = "Bản tin sáng") -> AsRunReport:
    """A cue that aired whole."""
    return AsRunReport(
        id="da-teh-01/1-2",
        station="da-teh-01",
        told=TOLD,
        scope=PLACE,
        slot="sang",
        occurrence=f"{PLACE}#sang@2026-11-24T05:00:00",
        title=title,
        programme_version=1,
        planned_start=TOLD,
        planned_end=TOLD,
        start=TOLD,
        end=TOLD,
        zones=("cho",),
        items=(),
        outcome="aired",
        reason=None,
        interruptions=0,
    )


def hear(fleet: Fleet, leaf: str, report: Report | bytes) -> Report | Refused | None:
    """A message of da-teh-01."""
    payload = report if isinstance(report, bytes) else encode(report)
    return fleet.hear(TOPICS.station("da-teh-01", leaf), payload, 100.0)


def test_a_station_is_known_by_what_it_said_last() -> None:
    """All its reports make one row; a cleared fault leaves it; a last will ends what was on air."""
    fleet = Fleet(TOPICS)
    hear(fleet, "status", status())
    hear(fleet, "event", fault())
    hear(fleet, "event", as_run())
    hear(fleet, "heartbeat", heartbeat(2, on_air="x"))
    hear(fleet, "event", fault(cleared=TOLD))
    (row,) = fleet.rows

    assert (row.state, row.on_air, row.faults, row.heard_s) == ("on-air", "x", {}, 100.0)
    assert row.last == as_run()
    hear(fleet, "status", status("offline"))
    assert (row.state, row.on_air) == ("offline", None)


def test_a_report_that_comes_twice_counts_once() -> None:
    """A fault that was cleared is not raised again when its report is delivered a second time."""
    fleet = Fleet(TOPICS)
    for report in (fault(), fault(cleared=TOLD), fault()):
        hear(fleet, "event", report)

    assert fleet.rows[0].faults == {}


def test_a_heartbeat_tells_which_faults_are_open() -> None:
    """A watcher that came late learns of the faults raised before."""
    fleet = Fleet(TOPICS)
    open_fault = FaultState(code="sound-device", subject="hw:0", severity="error", raised=TOLD)
    hear(fleet, "heartbeat", heartbeat(faults=(open_fault,)))

    assert fleet.rows[0].faults == {("sound-device", "hw:0"): FaultSeen("error")}


def test_one_station_cannot_speak_for_another() -> None:
    """A report that names another station than its topic, or is on another topic, is bad and changes nothing."""
    fleet = Fleet(TOPICS)

    other = fleet.hear(TOPICS.station("cat-tien-01", "status"), encode(status("offline")), 0)
    misplaced = fleet.hear(TOPICS.station("da-teh-01", "heartbeat"), encode(status()), 0)

    assert isinstance(other, Refused) and other.code == "wrong-station"
    assert isinstance(misplaced, Refused) and misplaced.code == "wrong-topic"
    assert [(row.id, row.state, row.bad_reports) for row in fleet.rows] == [
        ("cat-tien-01", "unknown", 1),
        ("da-teh-01", "unknown", 1),
    ]


def test_bad_reports_of_every_kind_are_counted() -> None:
    """Not JSON, not UTF-8, an unknown kind, wrong types, endless nesting, too much: each is one bad report."""
    fleet = Fleet(TOPICS)
    bad = [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"kind":"?"}',
        b'{"kind":"status"}',
        b"[" * 100_000,
        b"x" * 300_000,
        b'{"kind":[]}',
    ]

    answers = [hear(fleet, "event", payload) for payload in bad]

    assert [type(answer) for answer in answers] == [Refused] * len(bad)
    assert fleet.rows[0].bad_reports == len(bad)


def test_a_heartbeat_does_not_forget_what_a_fault_was_about() -> None:
    """The details of a fault come with its report; a heartbeat that tells it is still open leaves them."""
    fleet = Fleet(TOPICS)
    told = replace(fault(), code="link-down", subject="broker", severity="warning", detail={"reason": "dns"})
    hear(fleet, "event", told)
    hear(
        fleet,
        "heartbeat",
        heartbeat(faults=(FaultState(code="link-down", subject="broker", severity="warning", raised=TOLD),)),
    )

    assert fleet.rows[0].faults == {("link-down", "broker"): FaultSeen("warning", {"reason": "dns"})}


def test_one_station_cannot_use_up_the_ids_of_another() -> None:
    """An id counts with the station that told it: a stranger who tells it first silences nobody."""
    fleet = Fleet(TOPICS)
    stolen = replace(as_run(), station="cat-tien-01")
    fleet.hear(TOPICS.station("cat-tien-01", "event"), encode(stolen), 0)
    hear(fleet, "event", as_run())

    assert [(row.id, row.last and row.last.station) for row in fleet.rows] == [
        ("cat-tien-01", "cat-tien-01"),
        ("da-teh-01", "da-teh-01"),
    ]


def test_a_station_cannot_fill_the_centre_with_faults() -> None:
    """A thousand made-up faults are held as many as a station may have open, and a heartbeat puts it right."""
    fleet = Fleet(TOPICS)
    for number in range(1_000):
        hear(fleet, "event", replace(fault(subject=f"x{number}"), id=f"da-teh-01/1-{number}"))
    assert len(fleet.rows[0].faults) == LIMITS.open_faults

    hear(fleet, "heartbeat", heartbeat())

    assert fleet.rows[0].faults == {}


def test_a_station_that_misses_three_of_its_heartbeats_is_silent() -> None:
    """A daemon that hangs keeps its connection: its last state is not believed; our own broken line proves nothing."""
    fleet = Fleet(TOPICS)
    topic = TOPICS.station("da-teh-01", "heartbeat")
    fleet.hear(topic, encode(heartbeat(1)), 0)
    (row,) = fleet.rows
    assert [row.is_silent(now_s) for now_s in (1, 10_000)] == [False, False]
    fleet.hear(topic, encode(heartbeat(2)), 60)

    assert [row.is_silent(now_s) for now_s in (61, 60 + 180 + 5, 60 + 180 + 6)] == [False, False, True]
    assert see(row, 300).state == "silent"
    fleet.hear(topic, encode(heartbeat(3)), 301)
    assert not row.is_silent(302)
    fleet.line_was_lost()
    assert not row.is_silent(9_999)
    fleet.hear(topic, encode(heartbeat(4)), 10_000)
    hear(fleet, "status", status("offline"))
    assert not row.is_silent(99_999) and see(row, 99_999).state == "offline"


def drawn(lines: Sequence[RenderableType], columns: int) -> str:
    """What a screen of so many columns shows."""
    out = io.StringIO()
    console = Console(file=out, width=columns, color_system=None, markup=False, highlight=False, emoji=False)
    screen.show(console, lines)
    return out.getvalue()


def test_a_name_cannot_paint_over_the_terminal() -> None:
    """Escape sequences, markup and line ends in what a station says are shown as text, in one line."""
    fleet = Fleet(TOPICS)
    hear(fleet, "event", as_run("\x1b[2J[red]no[/red]\x07\n\u202e"))
    hear(fleet, "event", fault(subject="\x1b]0;owned\x07"))
    hear(
        fleet,
        "heartbeat",
        heartbeat(on_air="\x1b[2J\n", faults=(FaultState(code="\x1b", subject="\n", severity="\x1b", raised=""),)),
    )

    shown = drawn(fleet_lines(fleet.rows, 100, "en", 300) + fault_lines(fleet.rows, 100, "en"), 300)

    assert not set("\x1b\x07\u202e") & set(shown)
    assert " [2J[red]no[/red] " in shown
    assert len(drawn(fleet_lines(fleet.rows, 100, "en", 300), 300).splitlines()) == 3


def province() -> Fleet:
    """A province of 142 stations: seven lost, some with faults, some on the air, one that sends garbage, one silent."""
    fleet = Fleet(TOPICS)
    kinds = [("sound-device", "plughw:1", "error"), ("link-down", "broker", "warning"), ("meteor", "roof", "info")]
    for number in range(142):
        station = f"xa-{number:03}-{('da-teh', 'cat-tien', 'bao-lam', 'di-linh')[number % 4]}"
        lost = number % 20 == 3
        fleet.hear(TOPICS.station(station, "status"), encode(status("offline" if lost else "online", station)), 0)
        if lost:
            continue
        for code, subject, severity in kinds[: number % 3 + 1] if number % 13 == 5 else ():
            told = replace(
                fault(subject=subject), id=f"{station}/1-{code}", station=station, code=code, severity=severity
            )
            detail = {"error": "No such device", "reason": "dns"}
            fleet.hear(TOPICS.station(station, "event"), encode(replace(told, detail=detail)), 0)
        aired = replace(as_run(), id=f"{station}/1-a", station=station)
        missed = replace(aired, outcome="missed", reason="no-audio")
        fleet.hear(TOPICS.station(station, "event"), encode(missed if number % 5 == 4 else aired), 0)
        faults = tuple(
            FaultState(code=c, subject=s, severity=f.severity, raised=TOLD)
            for (c, s), f in row_of(fleet, station).faults.items()
        )
        on_air = f"{PLACE}#ban-tin-sang@2026-11-24T05:00:00" if number % 17 == 0 else None
        for beat in (1, 2):
            at_s = 60.0 * beat - (1_000 if number == 77 else 0)
            report = replace(heartbeat(beat, on_air, faults), id=f"{station}/1-h{beat}", station=station)
            fleet.hear(TOPICS.station(station, "heartbeat"), encode(report), at_s)
    for _ in range(2):
        fleet.hear(TOPICS.station("xa-050-bao-lam", "event"), b"\x00", 0)
    return fleet


def row_of(fleet: Fleet, station: str) -> StationRow:
    """The row of a station."""
    return next(row for row in fleet.rows if row.id == station)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("columns", "lines"), [(40, 24), (80, 24), (120, 30)])
def test_a_province_fits_a_terminal(columns: int, lines: int, lang: Language) -> None:
    """142 stations on the operator's screen, letter for letter: who needs a person is there, the rest is counted."""
    shown = drawn(fleet_lines(province().rows, 130.0, lang, columns, lines), columns)

    assert shown == (SCREENS / f"watch-{columns}-{lang}.txt").read_text()
    assert len(shown.splitlines()) <= lines - 3
    assert max(map(cell_len, shown.splitlines())) <= columns


@pytest.mark.parametrize(
    ("trusted", "source", "clock", "english", "vietnamese"),
    [
        (True, "kernel", ("kernel", "told"), "", ""),
        (True, "host", ("host", "told"), "", ""),
        (True, None, ("kernel", "told"), "", ""),
        (True, "rtc", ("kernel", "unsynchronised"), "time by battery clock (RTC)", "giờ theo đồng hồ có pin (RTC)"),
        (True, "signed", ("kernel", "stale"), "time by the centre's beacon", "giờ theo tín hiệu trung tâm"),
        (False, None, ("kernel", "unsynchronised"), "NTP: not synchronised", "NTP: chưa đồng bộ"),
        (False, None, ("gps", "no-fix"), "gps: no-fix", "gps: no-fix"),
    ],
)
@pytest.mark.parametrize("columns", [40, 60, 120])
def test_whose_time_a_station_lives_by_is_shown_when_it_is_not_the_best(
    trusted: bool, source: str | None, clock: tuple[str, str], english: str, vietnamese: str, columns: int
) -> None:
    """A lesser source, or why none is believed; of NTP nothing is said, nor of a station that tells nothing."""
    fleet = Fleet(TOPICS)
    told = (SourceState(source=clock[0], word=clock[1]),)
    beat = replace(heartbeat(), clock_trusted=trusted, clock_source=source, clock=told)
    fleet.hear(TOPICS.station("da-teh-01", "heartbeat"), encode(beat), 0)
    lines = {lang: drawn(fleet_lines(fleet.rows, 1.0, lang, columns), columns).splitlines()[-1] for lang in LANGUAGES}

    plain = {lang: not words for lang, words in (("en", english), ("vi", vietnamese))}
    assert (english[:20] in lines["en"], vietnamese[:20] in lines["vi"]) == (True, True)
    assert {
        lang: ":" not in line and "time by" not in line and "giờ theo" not in line for lang, line in lines.items()
    } == plain
    assert max(map(cell_len, lines.values())) <= columns


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_whose_network_a_station_is_in_and_what_of_its_data_is_used_is_shown_where_there_is_room(columns: int) -> None:
    """Behind all that needs a person, and never in place of it; what came over the air moves no cursor."""
    modem = ModemState(
        sim="ready",
        registration="home",
        operator="Viet\x1btel",
        signal_dbm=-71,
        used_bytes=1_204_000_000,
        budget_bytes=3_000_000_000,
        cures=2,
    )
    shown = {}
    for name, told in (("all", modem), ("silent", replace(modem, operator="", signal_dbm=None, budget_bytes=None))):
        fleet = Fleet(TOPICS)
        fleet.hear(TOPICS.station("da-teh-01", "heartbeat"), encode(replace(heartbeat(), modem=told)), 0)
        shown[name] = drawn(fleet_lines(fleet.rows, 1.0, "en", columns), columns).splitlines()[-1]

    assert (("-71 dBm" in shown["all"]) is (columns > 40), "cures" in shown["silent"]) == (True, columns > 40)
    assert "1204/3000 MB, 2 cures" in shown["all"] or columns < 120
    assert "\x1b" not in shown["all"] and cell_len(shown["all"]) <= columns


@pytest.mark.parametrize("lang", LANGUAGES)
def test_once_shows_every_station_and_every_fault_with_its_mend(lang: Language) -> None:
    """The whole province, and below it what is wrong and what mends it, letter for letter."""
    rows = province().rows
    shown = drawn(fleet_lines(rows, 130.0, lang, 80) + fault_lines(rows, 130.0, lang), 80)

    assert shown == (SCREENS / f"watch-once-80-{lang}.txt").read_text()
    assert all(row.id in shown for row in rows)


def numbered(journal: int, *sequences: int) -> Fleet:
    """A station of whose reports these were heard."""
    fleet = Fleet(TOPICS)
    for sequence in sequences:
        report = replace(as_run(), id=f"da-teh-01/{journal}-{sequence}", journal=journal, sequence=sequence)
        hear(fleet, "event", report)
    return fleet


def test_a_gap_is_told_with_the_command_that_brings_it_back() -> None:
    """In the table as a count, below it as what may be typed; a gap too long for one command is begun with."""
    fleet = numbered(3, 5, 8, 9, 2_000_000)
    fleet_shown = drawn(fleet_lines(fleet.rows, 100, "en", 120), 120)
    shown = drawn(missing_lines(fleet.rows, Path("/srv/lâm đồng"), "en"), 120)

    assert "1999992 reports missing" in fleet_shown
    assert [line.rstrip() for line in shown.splitlines()] == [
        "",
        "da-teh-01: 1999992 reports missing",
        "  ttcs-central resend '/srv/lâm đồng' da-teh-01 6 7 --journal 3",
        f"  ttcs-central resend '/srv/lâm đồng' da-teh-01 10 {9 + LIMITS.resend_reports} --journal 3",
    ]


def test_a_station_with_a_gap_stands_among_those_that_need_a_look() -> None:
    """Proof is missing of what aired."""
    assert see(numbered(3, 5, 8).rows[0], 100).order[0] == 2
    assert see(numbered(3, 5, 6).rows[0], 100).order[0] == 4


def test_what_came_again_or_is_gone_is_missed_no_longer() -> None:
    """The same report under its number, whether it was counted or not; the answer to a resend."""
    fleet = numbered(3, 5, 8, 12)
    hear(fleet, "event", replace(fault(), id="da-teh-01/3-6", journal=3, sequence=6))
    gone = ((7, 7), (9, 10))
    hear(fleet, "reply", reply_report("da-teh-01", 1, 0, journal=3, queued=0, gone=gone, done=True))

    assert fleet.rows[0].journals.missing() == [(3, 11, 11)]
    assert (
        drawn(missing_lines(numbered(3, 1, 3, 5, 7, 9, 11).rows, Path("x"), "en"), 80)
        .rstrip()
        .endswith("and 2 more gaps")
    )


def test_a_station_of_before_that_numbers_nothing_misses_nothing() -> None:
    """Its reports carry no journal."""
    fleet = numbered(0, 0, 0)
    assert fleet.rows[0].journals.count == 0 and not missing_lines(fleet.rows, Path("x"), "en")


def receipt(state: str, *unheard: tuple[str, str]) -> AlertReport:
    """What a station tells of an alert."""
    return AlertReport(
        id=f"da-teh-01/1-{state}",
        station="da-teh-01",
        told=TOLD,
        scope=Scope(PLACE),
        event="lu-quet",
        version=1,
        state=state,
        unheard=tuple(UnheardPart(part=part, reason=reason) for part, reason in unheard),
    )


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        ("en", "alert lu-quet: FAILED (tone: a relay could not be switched; vi: its audio was not there)"),
        (
            "vi",
            "cảnh báo lu-quet: KHÔNG PHÁT ĐƯỢC (âm báo: rơ-le không đóng mở được; vi: chưa tải được âm thanh)",
        ),
    ],
)
def test_an_alert_that_failed_is_seen_among_those_that_need_a_look(lang: Language, told: str) -> None:
    """With what was not heard of it, and why; a receipt is an event of its station like any other."""
    fleet = province()
    heard = hear(fleet, "event", receipt("failed", ("tone", "relay"), ("vi", "no-audio")))

    assert isinstance(heard, AlertReport)
    assert told in drawn(fleet_lines(fleet.rows, 0.0, lang, 250), 250)
    assert see(row_of(fleet, "da-teh-01"), 0.0).order[0] <= 2


def test_an_alert_is_seen_until_it_was_heard() -> None:
    """Delivered, on the air; then the record of it tells. A word of a newer station stands for itself."""
    fleet = Fleet(TOPICS)
    seen = []
    for state in ("accepted", "on-air", "spoken-to", "heard"):
        hear(fleet, "event", receipt(state))
        seen.append(re.findall(r"alert lu-quet: .*?(?=  |$)", drawn(fleet_lines(fleet.rows, 0.0, "en", 120), 120)))

    assert seen == [["alert lu-quet: delivered"], ["alert lu-quet: on the air"], ["alert lu-quet: spoken-to"], []]


def test_an_alert_on_the_air_is_named_by_its_id() -> None:
    """Not by the number of its version and its round."""
    fleet = Fleet(TOPICS)
    hear(fleet, "heartbeat", heartbeat(1, f"{PLACE}#alert:lu-quet@1.0.0-tone"))

    assert "cảnh báo lu-quet" in drawn(fleet_lines(fleet.rows, 0.0, "vi", 120), 120)


def test_watch_json_prints_one_object_for_each_message_good_or_bad(centre_folder: Path, own_broker: Broker) -> None:
    """Retained and live reports come as lines; a bad one between them is a line of its own and stops nothing."""
    station = Listener(own_broker, "da-teh-01", subscribe="none")
    station.publish(TOPICS.station("da-teh-01", "status"), encode(status()))
    command: list[str | Path] = [sys.executable, "-m", "ttcs_edge.central.main", "watch", centre_folder, "--json"]
    watcher = subprocess.Popen(
        [*command, "--broker", f"127.0.0.1:{own_broker.port}", "--for", "60"], stdout=subprocess.PIPE, text=True
    )
    assert watcher.stdout is not None
    lines: list[dict[str, object]] = []
    pipe = watcher.stdout
    reader = threading.Thread(target=lambda: lines.extend(json.loads(line) for line in pipe), daemon=True)
    reader.start()
    try:
        eventually(lambda: len(lines) == 1)
        station.publish(TOPICS.station("da-teh-01", "event"), b"garbage", retain=False)
        station.publish(TOPICS.station("da-teh-01", "heartbeat"), encode(heartbeat()), retain=False)
        eventually(lambda: len(lines) == 3)
    finally:
        watcher.terminate()
        watcher.wait(5)
        reader.join(5)
        station.close()

    assert [(line["topic"], line["retained"]) for line in lines] == [
        ("ttcs/v1/station/da-teh-01/status", True),
        ("ttcs/v1/station/da-teh-01/event", False),
        ("ttcs/v1/station/da-teh-01/heartbeat", False),
    ]
    assert lines[0]["report"] == json.loads(encode(status()))
    assert isinstance(lines[1]["refused"], dict) and lines[1]["refused"]["code"] == "not-json"
    assert lines[2]["report"] == json.loads(encode(heartbeat()))


def test_watch_once_prints_the_table(centre_folder: Path, own_broker: Broker) -> None:
    """What stands retained on the broker is in the table, and the command ends by itself."""
    station = Listener(own_broker, "da-teh-01", subscribe="none")
    station.publish(TOPICS.station("da-teh-01", "status"), encode(status("offline")))
    station.close()
    command = [sys.executable, "-m", "ttcs_edge.central.main", "--lang", "vi", "watch", str(centre_folder), "--once"]

    run = subprocess.run(
        [*command, "--for", "1", "--broker", f"127.0.0.1:{own_broker.port}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
        env={"COLUMNS": "160", "PYTHONPATH": ":".join(sys.path), "LC_ALL": "C.UTF-8"},
    )

    assert [line.rstrip() for line in run.stdout.splitlines()[:1]] == ["Trạm: 1, MẤT LIÊN LẠC 1"]
    assert run.stdout.splitlines()[2].split() == ["da-teh-01", "MẤT", "LIÊN", "LẠC", "-"]


def test_the_live_table_follows_the_fleet_and_the_broker(centre_folder: Path, own_broker: Broker) -> None:
    """On a terminal: a station appears, the broker goes and comes back, Ctrl-C ends it with 130 and no traceback."""
    command = ["--lang", "en", "watch", str(centre_folder), "--broker", f"127.0.0.1:{own_broker.port}"]
    process, terminal = pty.fork()
    if process == 0:
        os.environ |= {"COLUMNS": "80", "LINES": "24", "TERM": "xterm"}
        os.execv(sys.executable, [sys.executable, "-m", "ttcs_edge.central.main", *command])
    said = bytearray()
    reader = threading.Thread(target=lambda: follow(terminal, said), daemon=True)
    reader.start()
    eventually(lambda: b"No station has been heard yet" in said)
    station = Listener(own_broker, "da-teh-01", subscribe="none")
    station.publish(TOPICS.station("da-teh-01", "status"), encode(status()))
    eventually(lambda: b"Stations: 1, connected 1" in said)
    station.close()
    own_broker.stop()
    eventually(lambda: b"is lost, connecting again" in said)
    said.clear()
    own_broker.start()
    eventually(lambda: b"Listening to 127.0.0.1" in said, 30)
    os.write(terminal, b"\x03")
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    reader.join(5)
    os.close(terminal)

    assert (code, b"Traceback" in said) == (130, False)


def follow(terminal: int, said: bytearray) -> None:
    """Keep what a terminal shows until its program ends."""
    while True:
        try:
            said += os.read(terminal, 65_536)
        except OSError:  # the other end is closed
            return


def test_the_watcher_hears_again_after_the_broker_was_away(centre_folder: Path, own_broker: Broker) -> None:
    """A broker that restarts is connected to again, and what comes then is heard."""
    command: list[str | Path] = [sys.executable, "-m", "ttcs_edge.central.main", "watch", centre_folder, "--json"]
    watcher = subprocess.Popen(
        [*command, "--broker", f"127.0.0.1:{own_broker.port}", "--for", "60"], stdout=subprocess.PIPE, text=True
    )
    assert watcher.stdout is not None
    lines: list[str] = []
    pipe = watcher.stdout
    reader = threading.Thread(target=lambda: lines.extend(pipe), daemon=True)
    reader.start()
    try:
        first = Listener(own_broker, "da-teh-01", subscribe="none")
        eventually(lambda: said(first, lines, heartbeat(1)))
        first.close()
        own_broker.stop()
        own_broker.start()
        second = Listener(own_broker, "da-teh-01", subscribe="none")
        count = len(lines)
        eventually(lambda: said(second, lines[count:], heartbeat(2)) or len(lines) > count, 20)
        second.close()
    finally:
        watcher.terminate()
        watcher.wait(5)
        reader.join(5)


def said(station: Listener, lines: list[str], report: HeartbeatReport) -> bool:
    """Say something until the watcher has heard it (it may not listen yet)."""
    station.publish(TOPICS.station("da-teh-01", "heartbeat"), encode(report), retain=False)
    return bool(lines)


def test_watch_without_a_broker_says_what_to_add(centre_folder: Path) -> None:
    """Neither --broker nor centre.yaml names one."""
    assert open_centre(centre_folder).settings.broker is None
    assert main(["watch", str(centre_folder)]) == 65
