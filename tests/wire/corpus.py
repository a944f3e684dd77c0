"""Good documents of every kind, in which every field stands, and how the product reads each kind."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from tests.parts import PLACE, SCOPE, Province
from ttcs_edge.core.box import BoxState
from ttcs_edge.core.documents import (
    Alert,
    AlertInfo,
    AlertReference,
    Audio,
    Beacon,
    Bulletin,
    Command,
    LiveSegment,
    LogOrder,
    NamedAlert,
    NamedDocument,
    Programme,
    ResendRange,
    RestartOrder,
    Slot,
    StopOrder,
    Stream,
    ToneOrder,
    VolumeOrder,
    WalkOrder,
)
from ttcs_edge.core.effects import AlertTold, Audited
from ttcs_edge.core.model import (
    AiredItem,
    AsRun,
    AsRunReason,
    Battery,
    Fault,
    LocalUser,
    MeterReading,
    Occurrence,
    OffAirReading,
    Outcome,
    Registration,
    Scope,
    Severity,
    Sha256,
    ShedWhen,
    SimState,
    WallMs,
    ZoneId,
)
from ttcs_edge.core.power import PowerState, Shed
from ttcs_edge.core.reports import Cache, InForce, ModemView, OnAir, SelfTestState, Snapshot, ZoneTested
from ttcs_edge.core.timekeeping import SourceWord, TimeSource
from ttcs_edge.wire.chain import Head, linked
from ttcs_edge.wire.documents import (
    parse_alert,
    parse_beacon,
    parse_command,
    parse_live,
    parse_programme,
    parse_trust_root,
    write_document,
)
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, read_envelope
from ttcs_edge.wire.reports import (
    HeartbeatReport,
    OtherChain,
    Report,
    StatusReport,
    alert_report,
    as_run_report,
    audit_report,
    encode,
    fault_report,
    heartbeat_report,
    read_report,
    reply_report,
)

PROVINCE = Province(publishers=2, threshold=2)
NOON_MS = WallMs(1_795_496_400_000)
OCCURRENCE = Occurrence(Scope(SCOPE), "sang", "2026-11-24T05:00:00")


def audio(language: str = "vi", sha256: str = "a" * 64) -> Audio:
    """One recording."""
    return Audio(
        language=language,
        sha256=Sha256(sha256),
        size_bytes=64_000,
        duration_ms=12_345,
        media_type="audio/ogg",
        loudness_lufs=-16.25,
        places=("https://audio.example/a.ogg", "broker:"),
    )


def programme() -> Programme:
    """A programme in which every field has another value than its default."""
    slot = Slot(
        id="sang",
        start="2026-11-24T05:00:00",
        bulletins=("tin", "nhac"),
        rrule="FREQ=WEEKLY;BYDAY=MO,FR;UNTIL=20271231",
        rdate=("2026-12-24T05:00:00",),
        exdate=("2027-02-06T05:00:00",),
        zones=("cho", "dinh"),
        priority=8,
        volume_percent=80,
        late_window_s=1_800,
        if_interrupted="restart",
        if_unplayable="earlier",
        live="thoi-su",
    )
    return Programme(
        scope=Scope(SCOPE),
        version=7,
        issued="2026-11-23T00:00:00Z",
        expires="2026-12-23T00:00:00Z",
        time_zone="Asia/Ho_Chi_Minh",
        bulletins=(
            Bulletin(
                id="tin",
                title="Bản tin sáng 🌾",
                audio=(audio(), audio("kpm", "b" * 64)),
                expires="2026-12-01T00:00:00Z",
            ),
            Bulletin(id="nhac", title="", audio=(audio(sha256="c" * 64),)),
        ),
        slots=(slot, Slot(id="mot-lan", start="2026-11-25T17:00:00", bulletins=("tin",))),
        standing=("nhac",),
    )


def streaming() -> Programme:
    """The same with a stream in place of the live relay."""
    stream = Stream(url="https://live.example.vn:8443/fm?kbps=64", most_minutes=30)
    slot, *others = programme().slots
    return replace(programme(), slots=(replace(slot, live=None, stream=stream), *others))


def beacon() -> Beacon:
    """The centre at five in the morning, with all that is in force."""
    hour = "2026-11-24T05:00:00Z"
    document = NamedDocument(
        version=7, sha256=Sha256("a" * 64), size_bytes=2_000, places=("https://a.example/7", "broker:")
    )
    named = NamedAlert(id="lu-quet", version=2, sha256=Sha256("b" * 64), size_bytes=900, places=("broker:",))
    return Beacon(
        scope=SCOPE,
        version=1,
        issued=hour,
        expires="2026-11-24T05:05:00Z",
        next_s=60,
        trust=2,
        programme=document,
        alerts=(named,),
    )


COMMANDS: dict[str, Any] = {
    "resend": ResendRange(journal=3, first=17, last=21),
    "stop": StopOrder(),
    "volume": VolumeOrder(percent=40, zone="cho", until="2026-11-25T05:00:00Z"),
    "test_tone": ToneOrder(zone="cho", seconds=5),
    "walk": WalkOrder(seconds=5),
    "restart": RestartOrder(),
    "log": LogOrder(lines=200),
}
"""One of each thing that a command can ask for."""


def command(action: str = "resend") -> Command:
    """An order, to send some reports again unless told otherwise."""
    return Command(
        scope=Scope(SCOPE),
        station="da-teh-01",
        version=9,
        issued="2026-11-24T05:00:00Z",
        expires="2026-11-24T06:00:00Z",
        **{action: COMMANDS[action]},
    )


def alert() -> Alert:
    """An update of a flash flood's warning, in two languages, one of them recorded and short enough to come with it."""
    data = b"OggS" + bytes(60)
    recorded = replace(audio("kpm"), sha256=Sha256(hashlib.sha256(data).hexdigest()), size_bytes=len(data))
    return Alert(
        scope=Scope(SCOPE),
        id="lu-quet-27",
        version=2,
        identifier="urn:oid:2.49.0.0.704.0.2026.11.24.5",
        sender="canhbao@lamdong.example",
        sent="2026-11-24T05:00:00Z",
        expires="2026-11-24T11:00:00Z",
        status="Actual",
        msg_type="Update",
        severity="Extreme",
        urgency="Immediate",
        certainty="Observed",
        info=(
            AlertInfo(
                language="kpm", headline="Da lồng", audio=recorded, inline=base64.b64encode(data).decode("ascii")
            ),
            AlertInfo(
                language="vi", headline="Lũ quét tại Đạ Tẻh", description="Nước lên 2 m.", instruction="Lên chỗ cao."
            ),
        ),
        references=(
            AlertReference(
                sender="canhbao@lamdong.example",
                identifier="urn:oid:2.49.0.0.704.0.2026.11.24.4",
                sent="2026-11-24T04:50:00Z",
            ),
        ),
        effective="2026-11-24T05:00:00Z",
        onset="2026-11-24T05:30:00Z",
        zones=("cho", "dinh"),
        repeat_s=600,
        tell_cancel=True,
    )


def as_run(outcome: Outcome = Outcome.PART, reason: AsRunReason | None = AsRunReason.PRE_EMPTED) -> AsRun:
    """A closed record."""
    return AsRun(
        id="3-17",
        occurrence=OCCURRENCE,
        title="Bản tin sáng · Nhạc",
        programme_version=7,
        planned_start_ms=NOON_MS,
        planned_end_ms=WallMs(NOON_MS + 24_690),
        start_ms=WallMs(NOON_MS + 3),
        end_ms=WallMs(NOON_MS + 9_001),
        zones=(ZoneId("cho"), ZoneId("dinh")),
        items=(AiredItem("tin", "vi", Sha256("a" * 64), 64_000, 12_345, 8_990),),
        outcome=outcome,
        reason=reason,
        interruptions=2,
        witnessed=True,
        zones_saved=(ZoneId("buon"),),
    )


def fault(severity: Severity = Severity.ERROR, cleared_ms: int | None = NOON_MS + 60_000) -> Fault:
    """A fault, cleared unless told otherwise."""
    detail = (("found", "6"), ("expected", ">= 7"))
    return Fault(
        "3-f4", "old-version", SCOPE, severity, detail, NOON_MS, None if cleared_ms is None else WallMs(cleared_ms)
    )


def heartbeat() -> HeartbeatReport:
    """The heartbeat of a station on the air."""
    zones = (ZoneId("cho"),)
    snapshot = Snapshot(
        station="da-teh-01",
        scope=Scope(PLACE),
        wall_ms=NOON_MS,
        clock_trusted=True,
        state="on-air",
        amplifier="on",
        zones_closed=zones,
        on_air=OnAir(str(OCCURRENCE), "Bản tin sáng", zones, NOON_MS, 8_000, 24_690, -18.5, -3.25),
        next_cues=(),
        programmes=(InForce(Scope(SCOPE), 7, WallMs(NOON_MS + 86_400_000), 2),),
        cache=Cache(3, 2, 192_000, 128_000),
        faults=(fault(cleared_ms=None),),
        link_up=True,
        player_up=True,
        underruns=1,
        clock_source=TimeSource.RTC,
        clock_since_ms=NOON_MS,
        clock_words=(SourceWord(TimeSource.KERNEL, "unsynchronised"), SourceWord(TimeSource.RTC, "told")),
        meter=MeterReading(volts=219.6, amperes=0.52, watts=85.3, energy_wh=65_593),
        power=PowerState(
            mains=False,
            battery=Battery(41, 12.4, charging=False),
            shed=Shed(60, zones, 1, alerts_only=True, because=(ShedWhen.MAINS_LOST, ShedWhen.BATTERY)),
        ),
        box=BoxState(celsius=41.5, fan_on=True, door_open=False),
        modem=ModemView(True, SimState.READY, Registration.HOME, "Viettel", -71, 1_204_000_000, 3_000_000_000, 2),
        off_air=OffAirReading(9_500, -16.2, -20.4, -61.0, 0.87, 150, -180.3, 0.0, 0.0, 0.002),
        self_test=SelfTestState(
            WallMs(1_795_465_800_000),
            WallMs(1_795_465_850_000),
            (ZoneTested(ZoneId("cho"), "good"), ZoneTested(ZoneId("dinh"), "not-heard", "relay")),
        ),
    )
    return heartbeat_report(
        snapshot,
        sequence=9,
        boot=3,
        software="0.1.0",
        outbox_depth=4,
        outbox_oldest_s=77,
        outbox_dropped=2,
        newest=(3, 4_711),
    )


def status() -> StatusReport:
    """A birth."""
    told = "2026-11-24T05:00:00.000Z"
    return StatusReport(station="da-teh-01", scope=PLACE, state="online", software="0.1.0", boot=3, told=told)


def live() -> LiveSegment:
    """A segment in which every field has another value than its default."""
    return LiveSegment(
        scope=Scope("vn/lam-dong"),
        id="thoi-su",
        version=1_795_496_400_000,
        number=41,
        sent="2026-11-24T05:00:00Z",
        expires="2026-11-24T05:00:10Z",
        until="2026-11-24T05:30:00Z",
        title="Thời sự",
        packets=("T3B1cw==", "AAE="),
        priority=7,
        zones=("cho",),
        last=True,
    )


RECEIPT = AlertTold("3-r7", Scope("vn/lam-dong"), "lu-quet-27", 2, "failed", (("tone", "no-audio"), ("vi", "relay")))
BY_HAND = Audited(
    "3-u12",
    NOON_MS,
    True,
    "refused",
    "programme",
    "vn/lam-dong",
    version=9,
    keys=("a" * 64, "b" * 64),
    code="old-version",
    by=LocalUser(1000, "tuan"),
    detail=(("found", "9"), ("expected", ">= 12")),
    unsaid=(("not-enough-signatures", 9_967),),
)
CHAIN_BEFORE = Head(11, "c" * 64, OtherChain(why="store-damaged", journal=2, link=8, digest="d" * 64))
REPORTS: dict[str, Report] = {
    "status": status(),
    "heartbeat": heartbeat(),
    "reply": replace(
        reply_report("da-teh-01", 9, NOON_MS + 62_000, journal=3, queued=3, gone=((17, 17), (20, 20)), done=True),
        reason="old-version",
        detail={"found": "8", "expected": "> 9"},
        text="một dòng\n",
        part=2,
        parts=3,
    ),
    "as-run": replace(as_run_report("da-teh-01", as_run(), NOON_MS + 10_000), journal=3, sequence=41),
    "alert-receipt": replace(alert_report("da-teh-01", RECEIPT, NOON_MS), journal=3, sequence=43),
    "audit": linked(
        replace(audit_report("da-teh-01", BY_HAND, NOON_MS + 500), journal=3, sequence=44), CHAIN_BEFORE, 4
    )[0],
    "fault": replace(fault_report("da-teh-01", fault(), NOON_MS + 61_000), journal=3, sequence=42),
}

GOOD: dict[str, Any] = {
    "programme": json.loads(write_document(programme())),
    "programme/stream": json.loads(write_document(streaming())),
    "beacon": json.loads(write_document(beacon())),
    "command": json.loads(write_document(command())),
    **{f"command/{action}": json.loads(write_document(command(action))) for action in COMMANDS if action != "resend"},
    "alert": json.loads(write_document(alert())),
    "live": json.loads(write_document(live())),
    "trust": json.loads(write_document(PROVINCE.root)),
    "envelope": json.loads(PROVINCE.sign(programme())),
} | {name: json.loads(encode(report)) for name, report in REPORTS.items()}
"""By the name of the kind, as the plain JSON value that goes over the wire; a command for each thing it can ask, a
programme for each thing that can be relayed.
"""


READ: dict[str, Callable[[bytes], object]] = {
    **dict.fromkeys(("programme", "programme/stream"), lambda data: parse_programme(data, "x")),
    "beacon": lambda data: parse_beacon(data, "x"),
    **dict.fromkeys(
        ("command", *(f"command/{action}" for action in COMMANDS if action != "resend")),
        lambda data: parse_command(data, "x"),
    ),
    "alert": lambda data: parse_alert(data, "x"),
    "live": lambda data: parse_live(data, "x"),
    "trust": lambda data: parse_trust_root(data, "x"),
    "envelope": lambda data: read_envelope(data, PAYLOAD_TYPES["programme"], "x"),
} | dict.fromkeys(REPORTS, read_report)
"""By the name of the kind: bytes to a value or to its refusal."""
