"""``ttcs-central watch``: what stations report is shown; what cannot be read is shown as such and stops nothing."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from pathlib import Path

from rich.console import Console

from tests.parts import Broker, Listener, eventually
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.fleet import Fleet
from ttcs_edge.central.main import main
from ttcs_edge.central.watch import fleet_table
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.reports import Cache
from ttcs_edge.wire.reports import (
    AsRunReport,
    FaultReport,
    FaultState,
    HeartbeatReport,
    Report,
    StatusReport,
    encode,
)
from ttcs_edge.wire.topics import Topics

TOLD = "2026-11-24T05:00:00.000Z"
PLACE = "vn/lam-dong/da-teh"
TOPICS = Topics("ttcs/v1")


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
        cache=Cache(0, 0, 0, 0),
        faults=faults,
        underruns=0,
        outbox_depth=0,
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

    assert fleet.rows[0].faults == {("sound-device", "hw:0"): "error"}


def test_one_station_cannot_speak_for_another() -> None:
    """A report that names another station than its topic, or is on another topic, is bad and changes nothing."""
    fleet = Fleet(TOPICS)

    other = fleet.hear(TOPICS.station("cat-tien-01", "status"), encode(status("offline")), 0)
    misplaced = fleet.hear(TOPICS.station("da-teh-01", "heartbeat"), encode(status()), 0)

    assert isinstance(other, Refused) and other.code == "wrong-station"
    assert isinstance(misplaced, Refused) and misplaced.code == "wrong-topic"
    assert [(row.id, row.state, row.bad_reports) for row in fleet.rows] == [
        ("cat-tien-01", "?", 1),
        ("da-teh-01", "?", 1),
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


def test_a_name_cannot_paint_over_the_terminal() -> None:
    """Escape sequences and markup in what a station says are shown as text."""
    fleet = Fleet(TOPICS)
    hear(fleet, "event", as_run("\x1b[2J[red]no[/red]\x07"))
    hear(fleet, "event", fault(subject="\x1b]0;owned\x07"))
    out = io.StringIO()

    Console(file=out, width=300, force_terminal=False).print(fleet_table(fleet.rows, "en"))

    shown = out.getvalue()
    assert "\x1b" not in shown and "\x07" not in shown
    assert "�[2J[red]no[/red]�" in shown


def test_watch_json_prints_one_object_for_each_message_good_or_bad(centre_folder: Path, own_broker: Broker) -> None:
    """Retained and live reports come as lines; a bad one between them is a line of its own and stops nothing."""
    station = Listener(own_broker, "da-teh-01", subscribe="none")
    station.publish(TOPICS.station("da-teh-01", "status"), encode(status()))
    command = [sys.executable, "-m", "ttcs_edge.central.main", "watch", centre_folder, "--json"]
    watcher = subprocess.Popen(
        [*command, "--broker", f"localhost:{own_broker.port}", "--for", "60"], stdout=subprocess.PIPE, text=True
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
    assert isinstance(lines[1]["refused"], dict) and lines[1]["refused"]["code"] == "wrong-type"
    assert lines[2]["report"] == json.loads(encode(heartbeat()))


def test_watch_once_prints_the_table(centre_folder: Path, own_broker: Broker) -> None:
    """What stands retained on the broker is in the table, and the command ends by itself."""
    station = Listener(own_broker, "da-teh-01", subscribe="none")
    station.publish(TOPICS.station("da-teh-01", "status"), encode(status("offline")))
    station.close()
    command = [sys.executable, "-m", "ttcs_edge.central.main", "--lang", "vi", "watch", str(centre_folder), "--once"]

    run = subprocess.run(
        [*command, "--for", "1", "--broker", f"localhost:{own_broker.port}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
        env={"COLUMNS": "160", "PYTHONPATH": ":".join(sys.path), "LC_ALL": "C.UTF-8"},
    )

    assert "da-teh-01" in run.stdout and "offline" in run.stdout and "Trạng thái" in run.stdout


def test_the_watcher_hears_again_after_the_broker_was_away(centre_folder: Path, own_broker: Broker) -> None:
    """A broker that restarts is connected to again, and what comes then is heard."""
    command = [sys.executable, "-m", "ttcs_edge.central.main", "watch", centre_folder, "--json"]
    watcher = subprocess.Popen(
        [*command, "--broker", f"localhost:{own_broker.port}", "--for", "60"], stdout=subprocess.PIPE, text=True
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
