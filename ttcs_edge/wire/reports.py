"""What goes up: as-run records, faults, audit trail, heartbeats and status, as JSON that says what it is in ``kind``.

Times are RFC 3339 in UTC with milliseconds. Reports from the outbox carry an ``id`` that is never made again, so the
centre counts each once however often it arrives.

A station may be newer than who reads its reports, and a report that is not read is proof that is lost. So a reader
passes over fields that it does not know, and takes states, outcomes, reasons, severities and fault codes that it does
not know for what they are: words to be shown. ``kind`` and the three states of ``status`` alone are fixed. A field is
never taken away and never changes its meaning; what would need that gets a new ``kind``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import asdict

from ttcs_edge.core.documents import (
    ID_PATTERN,
    LANGUAGE_PATTERN,
    SHA256_PATTERN,
    Identifier,
    KeyId,
    Language,
    Refused,
    ScopePath,
    Version,
)
from ttcs_edge.core.effects import AlertTold, Answer, Audited
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import (
    ALERT_PREFIX,
    COMMAND_PREFIX,
    LIVE_PREFIX,
    MICROPHONE_PREFIX,
    STATION_PREFIX,
    STREAM_PREFIX,
    AsRun,
    AsRunReason,
    Fault,
    OffAirReading,
    Outcome,
    Severity,
)
from ttcs_edge.core.power import NOTHING_SHED
from ttcs_edge.core.reports import ModemView, SelfTestState, Snapshot
from ttcs_edge.wire.json_text import read_json, shown, where

REPORT_BYTES = 256 * 1024
"""The largest report that anybody reads; the largest that a station makes is smaller."""


MOMENT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z(?!\n)$"

SLOT_PREFIXES = (ALERT_PREFIX, COMMAND_PREFIX, LIVE_PREFIX, MICROPHONE_PREFIX, STATION_PREFIX, STREAM_PREFIX)
SLOT_PATTERN = ID_PATTERN.replace("^", f"^({'|'.join(SLOT_PREFIXES)})?")

Moment = Annotated[str, Meta(pattern=MOMENT_PATTERN, description="RFC 3339, UTC, with milliseconds.")]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Measure = Annotated[float, Meta(ge=0)]
Level = Annotated[float, Meta(ge=-300, le=100)]
Boot = Annotated[
    int, Meta(ge=1, le=2**53 - 1, description="The number of this start; from 2^52 on, counted in memory.")
]
ReportId = Annotated[str, Meta(min_length=1, max_length=200, description="Never made again: count each once.")]
Journal = Annotated[
    int, Meta(ge=0, le=2**31 - 1, description="The start at which it began to number; 2^30 on: in memory.")
]
Sequence = Annotated[int, Meta(ge=0, le=2**32 - 1, description="Its number in its journal: 1, 2, 3 without a gap.")]
Digest = Annotated[str, Meta(pattern=SHA256_PATTERN, description="64 hexadecimal digits.")]
NO_DIGEST = "0" * 64
Software = Annotated[str, Meta(max_length=64, description="The release that the station runs.")]
OccurrenceText = Annotated[str, Meta(description="`scope#slot@local time`: one occurrence of one slot.")]
SlotName = Annotated[
    str,
    Meta(
        pattern=SLOT_PATTERN,
        max_length=LIMITS.id_chars + len(MICROPHONE_PREFIX),
        description="Of an alert: `alert:id`; of what a command has aired: `command:test-tone`; of what somebody at "
        "the station has tested: `station:walk`; of what was said into the microphone: `microphone:key`; of a live "
        "relay: `live:id`; of a plain stream: `stream:id`, with the id of its slot.",
    ),
]
OutcomeWord = Annotated[str, Meta(examples=[outcome.value for outcome in Outcome])]
ReasonWord = Annotated[str, Meta(examples=[reason.value for reason in AsRunReason])]
SeverityWord = Annotated[str, Meta(examples=[severity.value for severity in Severity])]

PART_PATTERN = LANGUAGE_PATTERN.replace("^", "^(tone|((before|after)-)?", 1).replace("(?!", ")(?!")
Part = Annotated[
    str,
    Meta(
        pattern=PART_PATTERN,
        max_length=len("before-") + LIMITS.language_chars,
        description="`tone`, a language, or what is said in it `before-` or `after-` a drill.",
    ),
]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def utc_text(wall_ms: int) -> str:
    """An instant as ``2026-11-24T05:00:00.000Z``."""
    moment = _EPOCH + timedelta(milliseconds=wall_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class AiredAudio(Struct, frozen=True, kw_only=True):
    """What of one recording was written to the sound device: ``written_ms`` of its ``duration_ms``."""

    bulletin: Identifier
    language: Language
    sha256: Annotated[str, Meta(pattern=SHA256_PATTERN)]
    size_bytes: Count
    duration_ms: Count
    written_ms: Count


class AsRunReport(Struct, frozen=True, kw_only=True):
    """What became of one cue. ``start`` and ``end`` are null when it never sounded, ``reason`` when it aired whole.
    ``witnessed`` tells whether the energy meter saw the power rise with the sound; null where that cannot be told.
    ``zones_saved`` are the zones that it was meant for and that were left out to save power.
    ``witnessed`` tells whether energy meter and off-air monitor saw the sound go out, each of them that could tell;
    null where none could.

    ``journal`` and ``sequence`` are 0 in the reports of a station that did not number them yet.
    """

    kind: Literal["as-run"] = "as-run"
    id: ReportId
    journal: Journal = 0
    sequence: Sequence = 0
    station: Identifier
    told: Moment
    scope: ScopePath
    slot: SlotName
    occurrence: OccurrenceText
    title: str
    programme_version: Version
    planned_start: Moment
    planned_end: Moment
    start: Moment | None
    end: Moment | None
    zones: tuple[Identifier, ...]
    items: tuple[AiredAudio, ...]
    outcome: OutcomeWord
    reason: ReasonWord | None
    interruptions: Count
    witnessed: bool | None = None
    zones_saved: tuple[Identifier, ...] = ()


class FaultReport(Struct, frozen=True, kw_only=True):
    """A fault that was raised (``cleared`` is null) or has been cleared. ``code`` and ``subject`` are its identity;
    ``detail`` holds the fields of the message of its code. ``journal`` and ``sequence`` as in an as-run report.
    """

    kind: Literal["fault"] = "fault"
    id: ReportId
    journal: Journal = 0
    sequence: Sequence = 0
    station: Identifier
    told: Moment
    code: Identifier
    subject: str
    severity: SeverityWord
    detail: dict[str, str]
    raised: Moment
    cleared: Moment | None


class UnheardPart(Struct, frozen=True, kw_only=True):
    """What of a round was not heard."""

    part: Part
    reason: ReasonWord


class AlertReport(Struct, frozen=True, kw_only=True):
    """What became of a message of an alert, told before all else: ``accepted``, ``on-air`` at its first sound, and when
    its first round is over ``heard`` or ``failed``, with what was ``unheard`` of it. What was heard of each part, and
    where, comes as as-run records, whose ``slot`` is ``alert:`` and its id.
    """

    kind: Literal["alert-receipt"] = "alert-receipt"
    id: ReportId
    journal: Journal = 0
    sequence: Sequence = 0
    station: Identifier
    told: Moment
    scope: ScopePath
    event: Identifier
    version: Version
    state: Identifier
    unheard: tuple[UnheardPart, ...]


class UserState(Struct, frozen=True, kw_only=True):
    """A user of the station's own system, as its kernel knows him (SO_PEERCRED, unix(7))."""

    uid: Count
    name: str


class UnsaidCount(Struct, frozen=True, kw_only=True):
    """How many refusals of a code have no entry of their own."""

    code: Identifier
    count: Count


class OtherChain(Struct, frozen=True, kw_only=True):
    """Another chain, and ``why`` it was left: ``first`` (there was none), ``update`` (a release before kept none),
    ``store-damaged``, ``store-in-memory``, ``store-back``. It is named by its journal, and ended with ``link`` and
    ``digest``, as far as that is known.
    """

    why: Identifier
    journal: Count | None = None
    link: Count | None = None
    digest: Digest | None = None


class AuditReport(Struct, frozen=True, kw_only=True):
    """An entry of the audit trail, in its place in a chain: ``link`` counts 1, 2, 3 within a journal, ``before`` is the
    digest of the entry before it, zeros before the first, and ``digest`` is SHA-256 over ``before`` and all other
    fields as canonical JSON (RFC 8785). ``after`` tells of another chain where one was left, ``dropped`` how many
    entries of this one were let go unsent so far, for want of room.

    ``deed`` is ``accepted``, ``refused``, ``started``, ``stopped``, ``opened``, ``counted``, ``muted``, ``unmuted`` or
    ``tested``; ``what`` is ``trust``, ``programme``, ``alert``, ``beacon``, ``command``, ``live``, ``audio``, ``box``,
    ``walk``, ``lease``, ``tests``, ``deed``, ``zones`` or ``station``. ``keys`` are the known keys with good
    signatures, ``code`` says why it was refused or skipped. ``by`` is who did it at the box, null of what the wire
    brought. ``unsaid`` counts the refusals since the entry before that have no entry of their own, by their codes.
    """

    kind: Literal["audit"] = "audit"
    id: ReportId
    journal: Journal = 0
    sequence: Sequence = 0
    station: Identifier
    told: Moment
    link: Count = 0
    before: Digest = NO_DIGEST
    digest: Digest = NO_DIGEST
    at: Moment
    clock_trusted: bool
    deed: Identifier
    what: Identifier
    subject: str
    version: Count | None
    keys: tuple[KeyId, ...]
    code: Identifier | None
    by: UserState | None
    detail: dict[str, str]
    unsaid: tuple[UnsaidCount, ...]
    dropped: Count = 0
    after: OtherChain | None = None


class ProgrammeState(Struct, frozen=True, kw_only=True):
    """A programme in force, as the heartbeat tells it."""

    scope: ScopePath
    version: Version
    expires: Moment
    slots: Count


class FaultState(Struct, frozen=True, kw_only=True):
    """An open fault, as the heartbeat tells it."""

    code: Identifier
    subject: str
    severity: SeverityWord
    raised: Moment


class CacheState(Struct, frozen=True, kw_only=True):
    """Audio that the programmes in force need: how much of it is on the station."""

    wanted_files: Count
    stored_files: Count
    wanted_bytes: Count
    stored_bytes: Count


class SourceState(Struct, frozen=True, kw_only=True):
    """The last that a source of time said: ``told``, or why it is not believed."""

    source: Identifier
    word: Identifier


class MeterState(Struct, frozen=True, kw_only=True):
    """What the energy meter before the amplifier told last: effective voltage and current, active power, and the energy
    that it ever counted.
    """

    volts: Measure
    amperes: Measure
    watts: Measure
    energy_wh: Count


class ShedState(Struct, frozen=True, kw_only=True):
    """What is left of the air to save power: so much of the volume, these zones, so many zones at the most (null: all),
    or alerts alone. ``because`` are the rules that have it so: ``mains-lost``, ``battery``, ``box-hot``.
    """

    volume_percent: Count
    zones: tuple[Identifier, ...] | None
    zones_most: Count | None
    alerts_only: bool
    because: tuple[Identifier, ...]


class PowerReport(Struct, frozen=True, kw_only=True):
    """Where the power comes from, null where nobody can tell: whether there are mains, how full the battery is, its
    voltage, and whether it is charged. ``shed`` is null while nothing is.
    """

    mains: bool | None
    battery_percent: Count | None
    battery_volts: Measure | None
    charging: bool | None
    shed: ShedState | None


class BoxReport(Struct, frozen=True, kw_only=True):
    """The box of the station, null where nobody can tell: how warm it is, whether its fan runs, whether its door is
    open.
    """

    celsius: float | None
    fan_on: bool | None
    door_open: bool | None


class ModemState(Struct, frozen=True, kw_only=True):
    """The modem, as it told last. ``sim`` is ``ready``, ``missing``, ``pin``, ``puk`` or ``unknown``; ``registration``
    ``home``, ``roaming``, ``searching``, ``denied`` or ``unknown``; both are null while it does not answer.
    ``signal_dbm`` is its RSSI. ``used_bytes`` is what the SIM has used of its month, of ``budget_bytes`` where that is
    known; ``cures`` counts the steps of a cure that were taken within a day.
    """

    sim: Identifier | None
    registration: Identifier | None
    operator: Annotated[str, Meta(max_length=LIMITS.operator_chars)]
    signal_dbm: Annotated[int, Meta(ge=-200, le=0)] | None
    used_bytes: Count
    budget_bytes: Count | None
    cures: Count


class OffAirState(Struct, frozen=True, kw_only=True):
    """What the off-air monitor told last: the level that it heard, in dB of full scale, how like it is to what is sent,
    1 at the most and null where nothing is, and how much of it is foreign.
    """

    heard_db: Level
    match: Measure | None
    foreign_share: Measure


class ZoneOutcome(Struct, frozen=True, kw_only=True):
    """What came of a zone in a self-test: ``good``, a witness saw its sound; ``not-seen``, it should have and did not;
    ``untold``, nothing could tell; ``not-heard`` or ``not-tested``, and why.
    """

    zone: Identifier
    outcome: Identifier
    reason: Identifier | None


class SelfTestReport(Struct, frozen=True, kw_only=True):
    """The last self-test of this life of the station; ``skipped`` tells why the last that was due was not held."""

    began: Moment
    ended: Moment
    skipped: Identifier | None
    zones: tuple[ZoneOutcome, ...]


class HeartbeatReport(Struct, frozen=True, kw_only=True):
    """The state of a station. ``on_air`` is the occurrence that sounds now. ``state`` is ``on-air``, ``idle``,
    ``no-time`` or ``stopping``; ``amplifier`` is ``off``, ``warming`` or ``on``. ``underruns`` counts periods that came
    too late for the sound device since the start; ``outbox_oldest_s`` is the age of the oldest report not yet
    acknowledged. ``clock_source`` is whose time the station lives by: ``kernel`` (NTP), ``rtc``, ``modem``, ``signed``
    or ``host``; null without trusted time, and then ``clock`` says why, source by source. ``outbox_dropped`` counts the
    reports that were let go unsent, for want of room, since the station was made. ``newest_journal`` and
    ``newest_sequence`` are the number of the newest report that the station has made: with ``outbox_depth`` 0, whoever
    has not heard it lacks it. ``meter`` and ``off_air`` are null without one, or while it says nothing;
    ``power``, ``box`` and ``modem`` where there is no such thing; ``self_test`` before the first.
    """

    kind: Literal["heartbeat"] = "heartbeat"
    id: ReportId
    station: Identifier
    told: Moment
    scope: ScopePath
    software: Software
    boot: Boot
    state: Identifier
    clock_trusted: bool
    on_air: OccurrenceText | None
    amplifier: Identifier
    zones_closed: tuple[Identifier, ...]
    programmes: tuple[ProgrammeState, ...]
    cache: CacheState
    faults: tuple[FaultState, ...]
    underruns: Count
    outbox_depth: Count
    outbox_oldest_s: Count
    clock_source: Identifier | None = None
    clock: tuple[SourceState, ...] = ()
    outbox_dropped: Count = 0
    newest_journal: Count = 0
    newest_sequence: Count = 0
    meter: MeterState | None = None
    power: PowerReport | None = None
    box: BoxReport | None = None
    modem: ModemState | None = None
    off_air: OffAirState | None = None
    self_test: SelfTestReport | None = None


class StatusReport(Struct, frozen=True, kw_only=True):
    """Birth (``online``), a clean leave (``stopped``) or the last will (``offline``); retained. ``told`` is null in a
    will, which is told at a time that its author cannot know.
    """

    kind: Literal["status"] = "status"
    station: Identifier
    scope: ScopePath
    state: Literal["online", "offline", "stopped"]
    software: Software
    boot: Boot
    told: Moment | None


class SequenceRange(Struct, frozen=True, kw_only=True):
    """The reports ``first`` to ``last`` of a journal, both of them included."""

    first: Count
    last: Count


class ReplyReport(Struct, frozen=True, kw_only=True):
    """What became of a command; ``command`` is its version, ``action`` what it asked for, empty where that cannot be
    told. ``outcome`` is ``done`` or ``failed``; ``refused`` when it is not obeyed at all; ``under-way`` when another
    answer follows. ``reason`` is a code that says why, ``detail`` holds the fields of its message.

    Of a resend, ``queued`` reports of ``journal`` are on their way again, and ``gone`` are the ranges that the station
    does not have: never made, or no longer kept. Of a log, ``text`` is ``part`` of ``parts``, counted from 1.
    """

    kind: Literal["reply"] = "reply"
    id: ReportId
    station: Identifier
    told: Moment
    command: Version
    outcome: Identifier
    journal: Count
    queued: Count
    gone: tuple[SequenceRange, ...]
    action: str = "resend"
    reason: Identifier | None = None
    detail: dict[str, str] = {}
    text: str = ""
    part: Count = 1
    parts: Count = 1


EventReport = AsRunReport | FaultReport | AlertReport | AuditReport
"""What happened: numbered, and kept until the centre has it (decision 14)."""
Report = EventReport | HeartbeatReport | StatusReport | ReplyReport
KINDS: dict[str, type[Report]] = {
    "as-run": AsRunReport,
    "fault": FaultReport,
    "alert-receipt": AlertReport,
    "audit": AuditReport,
    "heartbeat": HeartbeatReport,
    "status": StatusReport,
    "reply": ReplyReport,
}


def encode(report: Report) -> bytes:
    """A report as it goes over the wire."""
    return msgspec.json.encode(report)


def read_report(data: bytes, subject: str = "") -> Report | Refused:
    """Read a report from a station, bounded and strict, but for what a newer station may say more."""
    value = read_json(data, subject, REPORT_BYTES)
    if isinstance(value, Refused):
        return value
    named = value.get("kind") if isinstance(value, dict) else None
    kind = KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        return Refused(
            "wrong-type", subject, (("path", "$.kind"), ("found", shown(named)), ("expected", "|".join(KINDS)))
        )
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        path, what = where(error)
        return Refused("wrong-type", subject, (("path", path), ("found", what)))


def as_run_report(station: str, record: AsRun, told_ms: int) -> AsRunReport:
    """The report of a closed as-run record."""
    assert record.outcome is not None, f"{record.id} is still open"
    return AsRunReport(
        id=f"{station}/{record.id}",
        station=station,
        told=utc_text(told_ms),
        scope=record.occurrence.scope,
        slot=record.occurrence.slot,
        occurrence=str(record.occurrence),
        title=record.title,
        programme_version=record.programme_version,
        planned_start=utc_text(record.planned_start_ms),
        planned_end=utc_text(record.planned_end_ms),
        start=None if record.start_ms is None else utc_text(record.start_ms),
        end=None if record.end_ms is None else utc_text(record.end_ms),
        zones=record.zones,
        items=tuple(AiredAudio(**asdict(item)) for item in record.items),
        outcome=record.outcome.value,
        reason=record.reason.value if record.reason else None,
        interruptions=record.interruptions,
        witnessed=record.witnessed,
        zones_saved=record.zones_saved,
    )


def fault_report(station: str, fault: Fault, told_ms: int) -> FaultReport:
    """The report of a fault raised or cleared; the two have ids of their own."""
    return FaultReport(
        id=f"{station}/{fault.id}" + ("" if fault.cleared_ms is None else "/cleared"),
        station=station,
        told=utc_text(told_ms),
        code=fault.code,
        subject=fault.subject,
        severity=fault.severity.value,
        detail=dict(fault.detail),
        raised=utc_text(fault.raised_ms),
        cleared=None if fault.cleared_ms is None else utc_text(fault.cleared_ms),
    )


def alert_report(station: str, receipt: AlertTold, told_ms: int) -> AlertReport:
    """The report of a receipt."""
    return AlertReport(
        id=f"{station}/{receipt.id}",
        station=station,
        told=utc_text(told_ms),
        scope=receipt.scope,
        event=receipt.event,
        version=receipt.version,
        state=receipt.state,
        unheard=tuple(UnheardPart(part=part, reason=reason) for part, reason in receipt.reasons),
    )


def audit_report(station: str, entry: Audited, told_ms: int) -> AuditReport:
    """The report of an entry of the audit trail, not yet in its place in the chain."""
    by = None if entry.by is None else UserState(uid=entry.by.uid, name=entry.by.name)
    return AuditReport(
        id=f"{station}/{entry.id}",
        station=station,
        told=utc_text(told_ms),
        at=utc_text(entry.wall_ms),
        clock_trusted=entry.trusted,
        deed=entry.deed,
        what=entry.what,
        subject=entry.subject,
        version=entry.version,
        keys=entry.keys,
        code=entry.code,
        by=by,
        detail=dict(entry.detail),
        unsaid=tuple(UnsaidCount(code=code, count=count) for code, count in entry.unsaid),
    )


def reply_report(
    station: str,
    command: int,
    told_ms: int,
    *,
    journal: int,
    queued: int,
    gone: tuple[tuple[int, int], ...],
    done: bool,
) -> ReplyReport:
    """The answer to a resend; a command has one id, so its answer has one, too."""
    return ReplyReport(
        id=f"{station}/command-{command}",
        station=station,
        told=utc_text(told_ms),
        command=command,
        outcome="done" if done else "failed",
        journal=journal,
        queued=queued,
        gone=tuple(SequenceRange(first=first, last=last) for first, last in gone),
    )


def answer_report(station: str, answer: Answer, told_ms: int) -> ReplyReport:
    """What became of a command; that it is under way is told under an id of its own."""
    under_way = "/under-way" if answer.outcome == "under-way" else ""
    return ReplyReport(
        id=f"{station}/command-{answer.command}{under_way}",
        station=station,
        told=utc_text(told_ms),
        command=answer.command,
        outcome=answer.outcome,
        journal=0,
        queued=0,
        gone=(),
        action=answer.action,
        reason=answer.reason,
        detail=dict(answer.detail),
    )


def log_reports(station: str, command: int, told_ms: int, parts: Iterable[str]) -> list[ReplyReport]:
    """The lines of a log as the answers that carry them, one at least."""
    texts = tuple(parts) or ("",)
    return [
        ReplyReport(
            id=f"{station}/command-{command}/{number}",
            station=station,
            told=utc_text(told_ms),
            command=command,
            outcome="done",
            journal=0,
            queued=0,
            gone=(),
            action="log",
            text=text,
            part=number,
            parts=len(texts),
        )
        for number, text in enumerate(texts, 1)
    ]


def heartbeat_report(
    snapshot: Snapshot,
    *,
    sequence: int,
    boot: int,
    software: str,
    outbox_depth: int,
    outbox_oldest_s: int,
    outbox_dropped: int,
    newest: tuple[int, int],
) -> HeartbeatReport:
    """The report of a snapshot."""
    programmes = tuple(
        ProgrammeState(scope=p.scope, version=p.version, expires=utc_text(p.expires_ms), slots=p.slots)
        for p in snapshot.programmes
    )
    faults = tuple(
        FaultState(code=f.code, subject=f.subject, severity=f.severity.value, raised=utc_text(f.raised_ms))
        for f in snapshot.faults
    )
    return HeartbeatReport(
        id=f"{snapshot.station}/{boot}-h{sequence}",
        station=snapshot.station,
        told=utc_text(snapshot.wall_ms),
        scope=snapshot.scope,
        software=software,
        boot=boot,
        state=snapshot.state,
        clock_trusted=snapshot.clock_trusted,
        on_air=None if snapshot.on_air is None else snapshot.on_air.occurrence,
        amplifier=snapshot.amplifier,
        zones_closed=snapshot.zones_closed,
        programmes=programmes,
        cache=CacheState(**asdict(snapshot.cache)),
        faults=faults,
        underruns=snapshot.underruns,
        outbox_depth=outbox_depth,
        outbox_oldest_s=outbox_oldest_s,
        clock_source=None if snapshot.clock_source is None else snapshot.clock_source.value,
        clock=tuple(SourceState(source=one.source.value, word=one.word) for one in snapshot.clock_words),
        outbox_dropped=outbox_dropped,
        newest_journal=newest[0],
        newest_sequence=newest[1],
        meter=None if snapshot.meter is None else MeterState(**asdict(snapshot.meter)),
        power=_power_report(snapshot),
        box=None if snapshot.box is None else BoxReport(**asdict(snapshot.box)),
        modem=None if snapshot.modem is None else _modem_state(snapshot.modem),
        off_air=None if snapshot.off_air is None else _off_air(snapshot.off_air),
        self_test=None if snapshot.self_test is None else _self_test(snapshot.self_test),
    )


def _self_test(test: SelfTestState) -> SelfTestReport:
    return SelfTestReport(
        began=utc_text(test.began_ms),
        ended=utc_text(test.ended_ms),
        skipped=test.skipped,
        zones=tuple(ZoneOutcome(zone=one.zone, outcome=one.outcome, reason=one.reason) for one in test.zones),
    )


def _power_report(snapshot: Snapshot) -> PowerReport | None:
    power = snapshot.power
    if power is None:
        return None
    battery, shed = power.battery, power.shed
    return PowerReport(
        mains=power.mains,
        battery_percent=None if battery is None else battery.percent,
        battery_volts=None if battery is None else battery.volts,
        charging=None if battery is None else battery.charging,
        shed=None
        if shed == NOTHING_SHED
        else ShedState(
            volume_percent=shed.volume_percent,
            zones=shed.zones,
            zones_most=shed.zones_most,
            alerts_only=shed.alerts_only,
            because=tuple(when.value for when in shed.because),
        ),
    )


def _modem_state(modem: ModemView) -> ModemState:
    return ModemState(
        sim=None if modem.sim is None else modem.sim.value,
        registration=None if modem.registration is None else modem.registration.value,
        operator=modem.operator,
        signal_dbm=modem.signal_dbm,
        used_bytes=modem.used_bytes,
        budget_bytes=modem.budget_bytes,
        cures=modem.cures,
    )


def _off_air(reading: OffAirReading) -> OffAirState:
    match = None if reading.match is None else max(0.0, reading.match)
    return OffAirState(heard_db=reading.heard_db, match=match, foreign_share=reading.foreign_share)
