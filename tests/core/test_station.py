"""A station takes one event and gives effects: their order, its wakes, its ids, its heartbeat, and how it leaves."""

from __future__ import annotations

import timeit
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import (
    HOUR_MS,
    KEY,
    PROVINCE,
    SETTINGS,
    ByHand,
    at,
    brief,
    entries,
    moves,
    occurrence,
    only,
    programme,
    sha,
    slot,
    started,
)
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.effects import AsRunClosed, AsRunOpened, Heartbeat, Leave, NotifyReady, Record, StartSound, WakeAt
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import (
    AMPLIFIER,
    AsRunReason,
    Battery,
    Certificate,
    CureStep,
    Instant,
    LocalUser,
    MeterReading,
    ModemReading,
    MonoMs,
    OffAirReading,
    Outcome,
    QuietHours,
    Registration,
    Scope,
    SimState,
    Utterance,
    WallMs,
    ZoneId,
)
from ttcs_edge.core.station import Station
from ttcs_edge.core.timekeeping import ClockState, SourceWord, TimeSource

DOCUMENT = programme([slot("a", "05:00:00"), slot("b", "06:00:00")])
AIR = (
    effects.SwitchAmplifier,
    effects.SwitchZone,
    effects.PrepareSound,
    effects.StartSound,
    effects.StopSound,
    effects.SetWanted,
    effects.KeepInline,
    effects.Speak,
    Leave,
)
TOLD_AT_ONCE = (
    effects.Note,
    effects.SetTimeFloor,
    effects.ShowLamp,
    effects.ReadMeter,
    effects.SwitchFan,
    effects.CureModem,
    effects.ShowDisplay,
    effects.KeepRecording,
)
EVENTS: tuple[events.Event, ...] = (
    events.TimePassed(),
    events.TrustArrived(Refused("not-json", PROVINCE), PROVINCE, 1),
    events.ProgrammeArrived(Refused("not-json", PROVINCE), PROVINCE, 1),
    events.BeaconArrived(Refused("not-json", PROVINCE), PROVINCE, 1, True, MonoMs(0)),
    events.AlertArrived(Refused("not-json", "vn/lam-dong#alert:x"), (PROVINCE, "x"), 1),
    events.CommandArrived(Refused("not-json", SETTINGS.id), 1, False, False, b""),
    events.LiveArrived(Refused("not-json", "vn/lam-dong#live:x"), (PROVINCE, "x")),
    events.StreamHeard(1),
    events.StreamFailed(1, "stream-away", (("url", "https://live.example/"), ("error", "timeout"))),
    events.AudioStored(sha("a")),
    events.VoicesKnown(frozenset({"vi"})),
    events.Spoken(Utterance("vi", "Lũ."), sha("a"), 1_000, 2_000),
    events.NotSpoken(Utterance("kpm", "Lũ."), "no-voice"),
    events.AudioFailed(sha("a"), "timeout", ()),
    events.AudioCarried(sha("a"), LocalUser(1000, "tuan")),
    events.AudioCarried(sha("a"), LocalUser(1000, "tuan"), "wrong-hash"),
    events.AudioLost(sha("a"), "rotten"),
    events.PlayerReady("hw:0", 1),
    events.PlayerGone("died", 1_000),
    events.SoundStarted(1, 1_000_000_000),
    events.SoundProgress(1, 1_000, -20.0, -6.0, 0),
    events.SoundEnded(1, False, (1_000,), None),
    events.SoundDevice(False, "hw:0", "busy"),
    events.SoundDevice(True, "hw:0", ""),
    events.RelayFailed("cho", "reads 0 after 1"),
    events.RelayFailed(AMPLIFIER, "reads 0 after 1"),
    events.RelaySwitched("cho", True),
    events.RelaySwitched(AMPLIFIER, False),
    events.MeterRead(MeterReading(220.0, 0.4, 85.3, 65_593)),
    events.MeterRead(MeterReading(160.0, 9.0, 1_400.0, 65_594)),
    events.MeterFailed("unit 10 does not answer"),
    events.SupplyTold(False, Battery(10)),
    events.SupplyTold(True),
    events.BoxTold(71.5),
    events.BoxTold(None),
    events.DoorMoved(True),
    events.DoorMoved(False),
    events.ModemRead(ModemReading(SimState.PUK, Registration.UNKNOWN, "", -109)),
    events.ModemFailed("modem-silent", "AT: b''"),
    events.DataCounted(65_593, 1),
    events.CureDone(CureStep.POWER_ON, "reads 1 after 0"),
    events.OffAirHeard(OffAirReading(9_500, -16.2, -20.4, -61.0, 0.87, 150, -180.3, 0.0, 0.0, 0.002)),
    events.OffAirHeard(OffAirReading(0, -180.3, -19.0, -70.0, None, 150, -18.0, 0.6, 6.5, 0.0)),
    events.MonitorFailed("died"),
    events.RecordingKept("foreign-1-1", "foreign-1-1.wav", "ab" * 32),
    events.KeyChanged(True),
    events.KeyChanged(False),
    events.MuteKeyChanged(True),
    events.MuteKeyChanged(False),
    events.LinkChanged(False, "refused"),
    events.LinkChanged(True, ""),
    events.ConditionChanged("store-full", "blobs", True),
    events.ConditionChanged("store-full", "blobs", False),
    events.ClockChanged(ClockState(None, 0, (SourceWord(TimeSource.RTC, "below-floor", WallMs(0)),))),
    events.ClockChanged(ClockState(TimeSource.KERNEL, 0, (SourceWord(TimeSource.RTC, "told"),))),
    events.CertificateArrived(Refused("certificate-unreadable", "certificate"), 1),
    events.CertificateArrived(Certificate(b"", WallMs(0), WallMs(1)), 1),
    events.CertificateKnown(Certificate(b"", WallMs(0), WallMs(1)), 1),
    events.ConfigChecked(1),
    events.AnswerGone(1),
    events.WalkAsked(1, (), 5_000, True, LocalUser(1000, "tuan")),
    events.WalkAsked(2, (ZoneId("nowhere"),), 5_000, False, LocalUser(1000, "tuan")),
    events.WalkLeft(1),
    events.LeaseAsked(3, (), 5_000, False, True, LocalUser(1000, "tuan")),
    events.LeaseAsked(4, (ZoneId("cho"),), 60_000, True, False, LocalUser(1000, "tuan")),
    events.LeaseLeft(3),
    events.TestsStopped(LocalUser(1000, "tuan")),
    events.MuteAsked(60_000, LocalUser(0, "root")),
    events.MuteAsked(0, LocalUser(0, "root")),
    events.DeedRefused("mute", LocalUser(1000, "tuan")),
    events.StopRequested(),
)


def on_the_air() -> ByHand:
    """A station in the middle of its first cue."""
    station = ByHand(DOCUMENT)
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(10_000)
    return station


def test_nothing_is_handled_before_the_start() -> None:
    """An assertion is a bug of ours: the shell tells Started first."""
    station = Station(SETTINGS, 1)
    with pytest.raises(AssertionError, match=r"before Started$"):
        station.handle(events.TimePassed(), Instant(WallMs(0), MonoMs(0), True))


@pytest.mark.parametrize("state", ["no time", "idle", "warming", "handed over", "on the air", "fading", "stopping"])
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_in_every_state_gives_effects_in_their_order(event: events.Event, state: str) -> None:
    """Decision 1: switches and sound, notes, at most one Record, what waits for it; WakeAt last, not in the past."""
    station = in_state(state)
    station.relays_answer = False
    done = station.tell(event)

    kinds = [type(effect) for effect in done]
    places = [0 if kind in AIR else 1 if kind in TOLD_AT_ONCE else 2 if kind is Record else 3 for kind in kinds]
    assert places == sorted(places)
    assert kinds.count(Record) <= 1 and kinds.count(WakeAt) == 1 and kinds[-1] is WakeAt
    assert station.wake_ms >= station.mono_ms
    assert all(effect.entries for effect in only(done, Record))
    station.wait(HOUR_MS)
    if state == "stopping" or isinstance(event, events.StopRequested):
        assert only([effect for _, effect in station.log], Leave) == [Leave()] or awaits_silence(station)


def awaits_silence(station: ByHand) -> bool:
    """By hand nobody ends the sound: until then a station must not leave."""
    asked = [effect for _, effect in station.log if isinstance(effect, effects.StopSound)]
    return station.station.desk.playout.sounding is not None and bool(asked)


def in_state(state: str) -> ByHand:
    """A station in one of the states in which anything may happen to it."""
    if state == "no time":
        return ByHand(DOCUMENT, trusted=False)
    station = ByHand(DOCUMENT)
    civil = {"idle": "04:00:10", "warming": "04:59:58", "handed over": "04:59:59.900"}.get(state, "05:00:00")
    station.wait_until(f"2026-11-24T{civil}")
    if state in ("on the air", "fading", "stopping"):
        station.sound_begins()
        station.wait(5_000)
    if state == "fading":
        station.arrive(programme([slot("z", "06:00:00")], version=2))
    if state == "stopping":
        station.tell(events.StopRequested())
    return station


CROWDED = programme(
    [
        slot("a", "05:00:00", "a", "nhac", late_window_s=600),
        slot("b", "05:00:20", priority=9, zones=("cho",)),
        slot("c", "05:00:40", if_interrupted="restart"),
        slot("d", "05:01:30", priority=7, if_interrupted="drop", zones=("dinh",)),
        slot("e", "05:02:00"),
    ]
)
HAPPENINGS: tuple[object, ...] = (
    *("end", "short", "bad", "lost", "begin", "withdraw", "bring back", "no time", "clock"),
    *(event for event in EVENTS if not isinstance(event, events.SoundEnded | events.StopRequested)),
    events.SoundEnded(99, True, (), None),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(HAPPENINGS), st.sampled_from([0, 1, 150, 400, 1_000, 3_000, 12_000, 40_000])),
        max_size=60,
    ),
    st.booleans(),
)
def test_no_switch_under_sound_whatever_the_order_of_events(steps: list[tuple[object, int]], stop: bool) -> None:
    """never-3, never-7: possible or not, in any order, at any moment; and in the end everything can be left."""
    station = ByHand(
        CROWDED, civil="2026-11-24T04:59:50", settings=replace(SETTINGS, quiet_hours=(QuietHours(302, 303),))
    )
    version = 1
    for what, span_ms in steps:
        station.wait(span_ms)
        if what in ("withdraw", "bring back"):
            version += 1
            slots = CROWDED.slots if what == "bring back" else CROWDED.slots[version % 5 :]
            station.arrive(replace(CROWDED, version=version, slots=slots))
        elif what == "no time":
            station.trusted = not station.trusted
        elif what == "clock":
            station.offset_ms += (-90_000, 90_000)[span_ms % 2]
        elif isinstance(what, str):
            answer(station, what)
        else:
            station.tell(what)  # type: ignore[arg-type]
    if stop:
        station.tell(events.StopRequested())
        station.wait(1_000)
        answer(station, "short")
        station.wait(1_000)
        assert only([effect for _, effect in station.log], Leave) == [Leave()]
    assert_no_switch_under_sound(station)
    told = [closed.record.occurrence for closed in station.entries(AsRunClosed)]
    assert len(told) == len(set(told)), "never-5"


def answer(station: ByHand, what: str) -> None:
    """What a player says of the play that it has; nothing when it has none."""
    started_plays = only([effect for _, effect in station.log], StartSound)
    if not started_plays or station.station.desk.playout.sounding != started_plays[-1].play:
        return
    play, items = started_plays[-1].play, started_plays[-1].items
    begun = tuple(item.duration_ms // 2 for item in items)
    match what:
        case "begin":
            station.tell(events.SoundStarted(play, station.mono_ms * 1_000_000))
        case "end":
            station.tell(events.SoundEnded(play, True, tuple(item.duration_ms for item in items), None))
        case "short":
            station.tell(events.SoundEnded(play, True, begun, None))
        case "bad":
            station.tell(events.SoundEnded(play, False, (0,) * len(items), "not-audio"))
        case "lost":
            station.tell(events.AudioLost(items[0].sha256, "rotten"))
            station.tell(events.SoundEnded(play, False, (0,) * len(items), "audio-lost"))


def assert_no_switch_under_sound(station: ByHand) -> None:
    """Walk through everything that was done: between a start and its end, nothing switches."""
    sounding: int | None = None
    for _, entry in station.story:
        match entry:
            case StartSound(play=play):
                assert sounding is None, "air-1: two sounds at once"
                sounding = play
            case effects.SwitchAmplifier() | effects.SwitchZone():
                assert sounding is None, f"never-3: {entry} under sound"
            case events.SoundEnded(play) if play == sounding:
                sounding = None
            case events.PlayerGone():
                sounding = None
            case _:
                pass


def test_every_event_of_the_core_is_among_those_tried() -> None:
    """A new event must be tried too."""
    assert {type(event) for event in EVENTS} | {events.Started} == set(get_args(events.Event))


def test_sound_does_not_wait_for_the_card() -> None:
    """Decision 1: a StartSound stands before the Record of the same turn."""
    station = ByHand(programme([slot("a", "05:00:00"), slot("b", "05:00:00")]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    kinds = [type(effect) for effect in station.sound_ends()]

    assert kinds.index(StartSound) < kinds.index(Record)


def test_ready_is_told_once_with_the_first_player_and_not_before() -> None:
    """READY when pins, audio, store and schedule are live, whether or not the broker answers."""
    station = Station(SETTINGS, 1)
    now = Instant(at("2026-11-24T04:00:00"), MonoMs(1_000), True)
    assert only(station.handle(started(), now), NotifyReady) == []
    assert only(station.handle(events.LinkChanged(True, ""), now), NotifyReady) == []
    assert only(station.handle(events.PlayerReady("hw:0", 1), now), NotifyReady) == [NotifyReady()]
    station.handle(events.PlayerGone("died", 0), now)
    assert only(station.handle(events.PlayerReady("hw:0", 1), now), NotifyReady) == []


def test_the_heartbeat_beats_at_its_interval_and_at_once_when_the_link_comes_up() -> None:
    """Counted, evenly, whatever else happens; a link that is back is greeted."""
    station = ByHand(DOCUMENT, settings=replace(SETTINGS, heartbeat_s=60))
    begun_ms = station.mono_ms
    log = station.wait(10 * 60_000)
    beats = [(mono_ms - begun_ms, effect.sequence) for mono_ms, effect in log if isinstance(effect, Heartbeat)]
    assert beats == [(60_000 * n, n + 1) for n in range(1, 11)]

    station.wait(10_000)
    assert only(station.tell(events.LinkChanged(True, "")), Heartbeat) == [Heartbeat(12)]
    assert [effect for _, effect in station.wait(59_999) if isinstance(effect, Heartbeat)] == []
    assert [effect for _, effect in station.wait(1) if isinstance(effect, Heartbeat)] == [Heartbeat(13)]


def test_with_nothing_to_do_it_asks_to_be_woken_seldom() -> None:
    """never-8: a day with no cue: heartbeats and the hourly look at what is to be fetched."""
    station = ByHand(settings=replace(SETTINGS, heartbeat_s=600))
    log = station.wait(24 * HOUR_MS)

    assert len([effect for _, effect in log if isinstance(effect, WakeAt)]) <= 24 * 7 + 2


@pytest.mark.parametrize("quiet", [(), (QuietHours(21 * 60, 5 * 60),)])
def test_a_wake_is_never_now_when_nothing_but_time_has_passed(quiet: tuple[QuietHours, ...]) -> None:
    """never-8: over a whole day with cues on the air, waiting and missed, it never spins."""
    document = programme([slot("a", "05:00:00"), slot("b", "05:00:30", priority=9), slot("c", "05:00:00")])
    station = ByHand(document, settings=replace(SETTINGS, quiet_hours=quiet), cached=frozenset({sha("a"), sha("b")}))
    for _ in range(4_000):
        station.mono_ms = max(station.mono_ms, station.wake_ms)
        station.tell(events.TimePassed())
        assert station.wake_ms > station.mono_ms
        if station.wall_ms > at("2026-11-25T04:00:00"):
            return
    raise AssertionError("woken 4000 times in a day")


def test_ids_come_from_boot_and_sequence_and_are_never_made_again() -> None:
    """Decision 5: over two lives of one station, no id of a record or a fault comes twice."""
    ids: list[str] = []
    for boot in (7, 8):
        station = ByHand(DOCUMENT, boot=boot, cached=frozenset({sha("b")}))
        station.wait_until("2026-11-24T06:00:00")
        station.sound_begins()
        station.sound_ends()
        ids += [entry.record.id for entry in station.entries(AsRunClosed)]
        ids += [entry.fault.id for entry in station.entries(effects.FaultRaised)]

    assert ids == ["7-a1", "7-a2", "7-f1", "8-a1", "8-a2", "8-f1"]


def test_a_start_closes_what_a_death_left_open_and_never_airs_it_again() -> None:
    """never-5: told as cut, once, under its own id, before anything else; the late window does not bring it back."""
    document = programme([slot("a", "05:00:00", late_window_s=7_200)])
    first = ByHand(document)
    first.wait_until("2026-11-24T05:00:00")
    first.sound_begins()
    (opened,) = first.entries(AsRunOpened)
    again = ByHand(
        document,
        boot=2,
        civil="2026-11-24T05:01:00",
        open_as_run=(opened.record,),
        alive_until_ms=at("2026-11-24T05:00:30"),
        watched_until_ms=at("2026-11-24T04:59:59"),
    )
    again.wait(2 * HOUR_MS)

    (closed,) = again.entries(AsRunClosed)
    assert brief(closed.record) == ("a", "cut", "power")
    assert (closed.record.id, closed.record.end_ms) == ("1-a1", at("2026-11-24T05:00:30"))
    assert moves(again.log) == []


def test_what_was_settled_in_an_earlier_life_is_not_taken_again() -> None:
    """never-5: restarted within the late window of a cue that was told."""
    station = ByHand(
        programme([slot("a", "05:00:00", late_window_s=7_200)]),
        boot=2,
        civil="2026-11-24T05:10:00",
        settled=((occurrence("a", "2026-11-24T05:00:00"), at("2026-11-24T05:00:00")),),
        watched_until_ms=at("2026-11-24T04:00:00"),
    )
    station.wait(HOUR_MS)

    assert station.told == [] and moves(station.log) == []


def test_what_is_watched_is_told_with_every_record_and_never_runs_ahead_of_what_is_open() -> None:
    """never-5: a start after a power cut looks back to there; what waits unheard lies after it."""
    station = ByHand(programme([slot("a", "05:00:00", late_window_s=3_600)]), cached=frozenset())
    station.wait_until("2026-11-24T05:30:00")
    done = station.arrive(Refused("not-json", PROVINCE))
    (watched,) = [entry for entry in entries(done) if isinstance(entry, effects.WatchedUntil)]

    assert watched.wall_ms == at("2026-11-24T05:00:00") - 1
    for _, effect in station.log:
        if isinstance(effect, Record):
            assert isinstance(effect.entries[-1], effects.WatchedUntil)


def test_a_station_without_trusted_time_starts_nothing_and_finishes_what_it_began() -> None:
    """air-7: time is lost in the middle of a cue: it goes on to its end; the next one does not begin."""
    station = on_the_air()
    station.trusted = False
    station.wait(50_000)
    station.sound_ends()
    station.wait(2 * HOUR_MS)

    assert station.told == [("a", "aired", None)]
    assert [word for _, word in moves(station.log)].count("sound") == 1
    assert station.station.snapshot(station.now()).state == "no-time"
    station.trusted = True
    station.wait(5_000)
    assert station.told == [("a", "aired", None), ("b", "missed", "no-time")]


def test_a_flood_of_cues_is_bounded_and_each_is_told() -> None:
    """never-8: more cues at one instant than may wait: the surplus is told at once, none is forgotten."""
    many = LIMITS.waiting_cues + 44
    slots = [slot(f"s{number:03}", "05:00:00", "tin") for number in range(many)]
    station = ByHand(programme(slots))
    station.wait_until("2026-11-24T04:59:59")
    assert len(station.told) == 44
    assert {reason for _, _, reason in station.told} == {AsRunReason.PRE_EMPTED.value}
    assert len(station.station.desk.cues.waiting) == LIMITS.waiting_cues
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    for _ in range(40):
        station.sound_begins()
        station.wait(60_000)
        station.sound_ends()
    station.wait(HOUR_MS)

    told = [closed.record.occurrence for closed in station.entries(AsRunClosed)]
    assert len(told) == len(set(told)) == many


def test_an_event_costs_no_more_because_the_programme_is_large() -> None:
    """never-8: two hundred cues wait for audio that does not come, of 5,000 bulletins or of 250."""
    cost_s = {}
    for bulletins in (250, 5_000):
        slots = [
            slot(f"s{number:04}", "05:00:00" if number < 200 else "17:00:00", late_window_s=7_200)
            for number in range(bulletins)
        ]
        station = ByHand(programme(slots), cached=frozenset())
        station.wait_until("2026-11-24T05:00:10")
        assert len(station.station.desk.cues.waiting) == 200
        cost_s[bulletins] = min(
            timeit.repeat(lambda s=station: s.tell(events.TimePassed()), number=1, repeat=15)  # type: ignore[misc]
        )

    assert cost_s[5_000] < 4 * cost_s[250]


def test_a_stop_while_idle_leaves_at_once() -> None:
    """never-2: nothing to fade, nothing to open."""
    station = ByHand(DOCUMENT)
    done = station.tell(events.StopRequested())

    assert only(done, Leave) == [Leave()]
    assert station.station.snapshot(station.now()).state == "stopping"


def test_a_stop_on_the_air_fades_opens_zones_one_by_one_and_leaves() -> None:
    """never-2: without the hold time; the record says why it ended."""
    station = on_the_air()
    begun_ms = station.mono_ms
    station.tell(events.StopRequested())
    station.wait(500)
    station.sound_ends(False, 10_500)
    station.wait(5_000)

    after = [(ms - begun_ms, word) for ms, word in moves(station.log) if ms >= begun_ms]
    assert after == [(0, "fade"), (500, "dinh open"), (700, "cho open"), (700, "amplifier off")]
    (leave_ms,) = [ms - begun_ms for ms, effect in station.log if isinstance(effect, Leave)]
    assert leave_ms == 700
    assert station.told == [("a", "part", "stopped")]
    record = station.entries(AsRunClosed)[0].record
    assert (record.outcome, record.reason, record.items[0].written_ms) == (Outcome.PART, AsRunReason.STOPPED, 10_500)


def test_nothing_begins_while_stopping() -> None:
    """never-2: a cue that becomes due, audio that comes, a programme that arrives: none of it switches anything on."""
    station = on_the_air()
    station.tell(events.StopRequested())
    before = len(station.log)
    station.arrive(programme([slot("z", "05:00:20", priority=9)], version=2))
    station.tell(events.AudioStored(sha("z")))
    station.wait(30_000)
    station.tell(events.PlayerGone("died", 30_000))
    station.tell(events.PlayerReady("hw:0", 1))
    station.wait(HOUR_MS)

    words = [word for _, word in moves(station.log[before:])]
    assert words == ["dinh open", "cho open", "amplifier off"]
    assert only([effect for _, effect in station.log], Leave) == [Leave()]


def test_leave_does_not_wait_for_the_card() -> None:
    """never-2: it stands before the Record of its own turn, for a card that hangs must not keep the daemon."""
    station = ByHand(programme([slot("a", "05:00:00", late_window_s=3_600)]), cached=frozenset())
    station.wait_until("2026-11-24T05:10:00")
    kinds = [type(effect) for effect in station.tell(events.StopRequested())]

    assert station.told == [("a", "missed", "stopped")]
    assert kinds.index(Leave) < kinds.index(Record)


def test_a_snapshot_changes_nothing_and_tells_what_is_on_the_air() -> None:
    """It is asked at any time, by the heartbeat and by technicians."""
    station = on_the_air()
    station.tell(events.SoundProgress(1, 10_000, -23.5, -6.1, 2))
    first, second = (station.station.snapshot(station.now()) for _ in range(2))
    assert first == second
    assert (first.state, first.amplifier, first.zones_closed) == ("on-air", "on", ("cho", "dinh"))
    assert (first.link_up, first.player_up, first.clock_trusted) == (False, True, True)
    assert first.on_air is not None
    assert (first.on_air.occurrence, first.on_air.position_ms, first.on_air.duration_ms) == (
        "vn/lam-dong#a@2026-11-24T05:00:00",
        10_000,
        60_000,
    )
    assert (first.on_air.rms_db, first.on_air.peak_db, first.underruns) == (-23.5, -6.1, 2)
    assert [cue.occurrence for cue in first.next_cues][:2] == [
        "vn/lam-dong#b@2026-11-24T06:00:00",
        "vn/lam-dong#a@2026-11-25T05:00:00",
    ]
    assert all(cue.audio_ready for cue in first.next_cues)
    assert (first.cache.wanted_files, first.cache.stored_files, first.cache.wanted_bytes) == (2, 2, 2_000)
    assert station.tell(events.TimePassed()) == [WakeAt(MonoMs(station.wake_ms))]


def test_the_position_is_that_of_the_play_that_sounds() -> None:
    """A replaced player begins where the cue was cut; what the dead one said is not added to that."""
    station = on_the_air()
    station.tell(events.SoundProgress(1, 10_000, -20.0, -6.0, 0))
    station.tell(events.PlayerGone("died", 10_000))
    station.tell(events.PlayerReady("hw:0", 1))
    command = station.sound_begins()
    assert (command.play, command.from_ms) == (2, 10_000)

    for told_ms, position_ms in ((None, 10_000), (500, 10_500)):
        station.tell(events.TimePassed() if told_ms is None else events.SoundProgress(2, told_ms, -20.0, -6.0, 0))
        on_air = station.station.snapshot(station.now()).on_air
        assert on_air is not None and on_air.position_ms == position_ms


def test_no_record_ends_before_it_begins() -> None:
    """The clock is set back by ten minutes in the middle of a cue."""
    station = on_the_air()
    station.offset_ms -= 600_000
    station.wait(50_000)
    station.sound_ends()

    (closed,) = station.entries(AsRunClosed)
    assert closed.record.start_ms is not None and closed.record.end_ms is not None
    assert closed.record.end_ms >= closed.record.start_ms


def test_what_could_not_be_read_at_a_start_is_a_fault_of_its_scope_until_a_good_one_comes() -> None:
    """never-1: what the store holds is verified again; the broker brings it anew, and then nothing is wrong."""
    station = ByHand(boot=3, refused=(Refused("not-json", PROVINCE),), floors=((PROVINCE, 1),))
    assert station.faults == [("not-json", PROVINCE)]
    again = ByHand(boot=4, open_faults=tuple(station.station.faults.open.values()), floors=((PROVINCE, 1),))
    again.arrive(DOCUMENT)

    assert again.faults == []
    assert next(cue.occurrence for cue in again.station.snapshot(again.now()).next_cues).startswith("vn/lam-dong#a@")


def test_the_same_events_give_the_same_effects() -> None:
    """handle() has no other input than the event and the instant: two stations told the same do the same."""
    stations = [ByHand(DOCUMENT, programme([slot("a", "05:00:00", priority=7)], scope=Scope("vn"))) for _ in range(2)]
    for station in stations:
        for event in EVENTS[:-1]:
            station.tell(event)
            station.wait(20 * 60_000)

    assert stations[0].log == stations[1].log
    assert KEY and len(stations[0].log) > 50
