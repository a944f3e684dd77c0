"""The one machine for amplifier, zones and sound: the order of its steps (air-4), and what it never does (never-3)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from tests.core.material import SETTINGS, ByHand, alert, at, bulletin, moves, only, programme, slot
from ttcs_edge.core import effects, events
from ttcs_edge.core.effects import Effect, StartSound, StopSound, SwitchAmplifier, SwitchZone
from ttcs_edge.core.model import AMPLIFIER, START_MARGIN_MS, Amplifier, StationSettings, Zone, ZoneId
from ttcs_edge.core.playout import OPEN_AGAIN_MOST_MS, OPEN_AGAIN_MS, Playout, Wanted
from ttcs_edge.core.trust import utc_text

CHO, DINH, BUON = ZoneId("cho"), ZoneId("dinh"), ZoneId("buon")
THREE = replace(SETTINGS, zones=(*SETTINGS.zones, Zone(BUON, "Buôn")))


def relative(log: list[tuple[int, Effect]], zero_ms: int) -> list[tuple[int, str]]:
    """The moves of a log, in milliseconds from an instant."""
    return [(mono_ms - zero_ms, word) for mono_ms, word in moves(log)]


def test_on_the_way_up_amplifier_warm_up_zones_one_by_one_then_sound() -> None:
    """air-4: everything is in place when the first sample is due, and not a moment before it must be."""
    station = ByHand(programme([slot("sang", "05:00:00")]))
    log = station.wait_until("2026-11-24T05:00:00")

    assert relative(log, station.mono_ms) == [
        (-2_550, "amplifier on"),
        (-550, "cho closed"),
        (-350, "dinh closed"),
        (-150, "sound"),
    ]
    (start,) = only([effect for _, effect in log], StartSound)
    assert (start.at_mono_ms, start.from_ms, start.fade_in_ms) == (station.mono_ms, 0, 300)
    assert station.station.snapshot(station.now()).zones_closed == ("cho", "dinh")


def test_a_switch_that_takes_its_time_begins_so_much_earlier() -> None:
    """A receiver that is opened by digits: the first sample is as punctual as ever; and it may be silent for longer."""
    coded = replace(SETTINGS, zones=(SETTINGS.zones[0], replace(SETTINGS.zones[1], switching_ms=1_100)))
    station = ByHand(programme([slot("sang", "05:00:00")]), settings=coded)
    station.relays_answer = False
    station.wait_until("2026-11-24T04:59:56.350")
    station.tell(events.RelaySwitched(AMPLIFIER, True))
    station.wait(2_000)
    station.tell(events.RelaySwitched("cho", True))
    station.wait(1_300)
    station.tell(events.RelaySwitched("dinh", True))
    station.wait_until("2026-11-24T05:00:00")

    assert relative(station.log, station.mono_ms) == [
        (-3_650, "amplifier on"),
        (-1_650, "cho closed"),
        (-1_450, "dinh closed"),
        (-150, "sound"),
    ]
    assert station.faults == []


def test_an_amplifier_that_went_off_cools_down_before_it_goes_on_again() -> None:
    """It is reckoned with for a cue that comes soon behind the one before; an alert waits for it."""
    cooled = replace(SETTINGS, amplifier=Amplifier(2_000, 1_000, 0, 20_000), zone_off_least_ms=5_000)
    slots = [slot("sang", "05:00:00"), slot("sau", "05:01:30", late_window_s=600)]
    station = ByHand(programme(slots), settings=cooled)
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    station.wait_until("2026-11-24T05:01:30")
    off_ms = next(ms for ms, word in moves(station.log) if word == "amplifier off")
    on_ms = [ms for ms, word in moves(station.log) if word == "amplifier on"]
    assert off_ms + 20_000 <= on_ms[1] and moves(station.log)[-1] == (station.mono_ms - 150, "sound")

    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    station.wait(5_000)
    warned_ms = station.mono_ms
    station.warn(alert(sent=utc_text(station.wall_ms), expires=utc_text(station.wall_ms + 3_600_000)))
    station.wait(30_000)
    off_ms = [ms for ms, word in moves(station.log) if word == "amplifier off"][-1]
    on_ms = [ms for ms, word in moves(station.log) if word == "amplifier on"]
    assert off_ms < warned_ms and on_ms[2] == off_ms + 20_000


def test_on_the_way_down_zones_one_by_one_then_amplifier_after_its_hold_time() -> None:
    """air-4: the last closed opens first; ten seconds after the last sound the amplifier goes off."""
    station = ByHand(programme([slot("sang", "05:00:00")]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    before = len(station.log)
    ended_ms = station.mono_ms
    station.sound_ends()
    station.wait(60_000)

    assert relative(station.log[before:], ended_ms) == [
        (0, "dinh open"),
        (200, "cho open"),
        (10_000, "amplifier off"),
    ]
    assert station.told == [("sang", "aired", None)]
    assert station.station.snapshot(station.now()).amplifier == "off"


def test_a_new_cue_within_the_hold_time_skips_the_warm_up() -> None:
    """air-4: five seconds later the amplifier is warm still; only the zones move."""
    station = ByHand(programme([slot("a", "05:00:00"), slot("b", "05:01:05")]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    before = len(station.log)
    station.sound_ends()
    station.wait_until("2026-11-24T05:01:05")

    assert relative(station.log[before:], station.mono_ms) == [
        (-5_000, "dinh open"),
        (-4_800, "cho open"),
        (-550, "cho closed"),
        (-350, "dinh closed"),
        (-150, "sound"),
    ]


def test_between_two_cues_only_the_zones_that_differ_are_switched() -> None:
    """air-4: what is to be heard in both stays closed, what is superfluous opens before the next closes."""
    slots = [slot("a", "05:00:00", zones=("cho", "dinh")), slot("b", "05:00:01", zones=("dinh", "buon"))]
    station = ByHand(programme(slots), settings=THREE)
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    before, ended_ms = len(station.log), station.mono_ms
    station.sound_ends()
    station.wait(1_000)

    assert relative(station.log[before:], ended_ms) == [(0, "cho open"), (200, "buon closed"), (400, "sound")]


def test_nothing_switches_until_a_faded_sound_has_ended() -> None:
    """never-3, air-4: fade, wait for the player's word, then the switches; however long the player takes."""
    slots = [slot("a", "05:00:00", zones=("cho",)), slot("b", "05:00:30", zones=("dinh",), priority=9)]
    station = ByHand(programme(slots))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    faded = station.wait(40_000)
    assert [word for _, word in moves(faded)] == ["fade"]
    (stop,) = only([effect for _, effect in faded], StopSound)
    assert stop.fade_out_ms == SETTINGS.fade_out_ms

    before, ended_ms = len(station.log), station.mono_ms
    station.sound_ends(False, 30_500)
    station.wait(1_000)
    assert relative(station.log[before:], ended_ms) == [(0, "cho open"), (200, "dinh closed"), (400, "sound")]


def test_a_sound_is_asked_to_stop_once() -> None:
    """A second StopSound would begin the fade anew."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.tell(events.StopRequested())
    station.tell(events.StopRequested())
    station.wait(5_000)

    assert [word for _, word in moves(station.log)].count("fade") == 1


def test_a_zone_whose_relay_fails_is_left_out_until_the_next_cue_tries_it_again() -> None:
    """The other zones are served; the record tells which; the next cue closes it if it works."""
    station = ByHand(programme([slot("a", "05:00:00"), slot("b", "06:00:00")]))
    station.wait_until("2026-11-24T04:59:59.500")
    assert moves(station.log)[-1][1] == "cho closed"
    station.tell(events.RelayFailed("cho", "reads 0 after 1"))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    station.wait(1_000)
    assert station.station.snapshot(station.now()).zones_closed == ()
    assert station.told == [("a", "aired", None)]
    assert station.entries(effects.AsRunClosed)[0].record.zones == ("dinh",)
    assert ("relay", "cho") in station.faults

    later = station.wait_until("2026-11-24T06:00:00")
    assert [word for _, word in moves(later)][-1] == "sound", "and it is on time"
    station.sound_begins()
    assert station.station.snapshot(station.now()).zones_closed == ("cho", "dinh")
    assert ("relay", "cho") not in station.faults


def wait_with_broken(station: ByHand, span_ms: int, *subjects: str) -> None:
    """Let time pass while some relays do not close: each says so whenever it is told to."""
    broken = {f"{subject} {word}": subject for subject in subjects for word in ("on", "closed")}
    for _ in range(span_ms // 100):
        for _, word in moves(station.wait(100)):
            if word in broken:
                station.tell(events.RelayFailed(broken[word], "reads 0 after 1"))


def test_an_amplifier_that_fails_is_silence_and_no_zone_closes() -> None:
    """A cue that nobody could hear is missed for its relay, not aired into nothing."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    station.wait_until("2026-11-24T04:59:57")
    wait_with_broken(station, 60_000, AMPLIFIER)

    assert station.told == [("a", "missed", "no-amplifier")]
    assert ("cue-missed", "vn/lam-dong#a") in station.faults and ("relay", AMPLIFIER) in station.faults
    assert "sound" not in [word for _, word in moves(station.log)]
    assert not [word for _, word in moves(station.log) if word.endswith("closed")]


def test_an_amplifier_that_fails_once_does_not_cost_a_cue() -> None:
    """It is opened and tried again two seconds later; the cue is no later than that took."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    station.wait_until("2026-11-24T04:59:57")
    wait_with_broken(station, 1_000, AMPLIFIER)
    station.wait_until("2026-11-24T05:00:03")
    assert relative(station.log, at("2026-11-24T05:00:00") - station.offset_ms)[:3] == [
        (-2_550, "amplifier on"),
        (-500, "amplifier off"),
        (-300, "amplifier on"),
    ]
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()

    assert station.told == [("a", "aired", None)]
    assert station.entries(effects.AsRunOpened)[0].record.start_ms == at("2026-11-24T05:00:03")
    assert ("relay", AMPLIFIER) not in station.faults


def test_a_cue_that_may_be_late_waits_for_its_relay_and_tries_it_ever_more_seldom() -> None:
    """air-6: eight minutes after its instant the zone works, and the cue airs; until then it is silence, and told."""
    station = ByHand(programme([slot("a", "05:00:00", zones=("cho",), late_window_s=600)]))
    station.wait_until("2026-11-24T04:59:57")
    wait_with_broken(station, 8 * 60_000, "cho")
    tries = [mono_ms for mono_ms, word in moves(station.log) if word == "cho closed"]
    waits_s = [round((after - before) / 1_000) for before, after in pairwise(tries)]
    assert waits_s == [2, 4, 8 + 2, 16 + 2, 32 + 2, 64 + 2, 128 + 2], (
        "and beyond its hold time the amplifier must warm up"
    )
    assert ("silence", "vn/lam-dong#a") in station.faults
    (silence,) = [e.fault for e in station.entries(effects.FaultRaised) if e.fault.code == "silence"]
    assert silence.detail == (("reason", "relay"),)
    station.wait(60_000)
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()

    assert station.told == [("a", "aired", None)]
    assert ("silence", "vn/lam-dong#a") not in station.faults


def test_a_cue_whose_only_zone_fails_leaves_the_air_to_the_next_and_has_its_turn_after_it() -> None:
    """never-4 does not ask for silence: what cannot be heard does not hold the air, nor take it back on a guess."""
    slots = [
        slot("a", "05:00:00", zones=("cho",), priority=9, late_window_s=600),
        slot("b", "05:00:00", zones=("dinh",)),
    ]
    station = ByHand(programme(slots))
    station.wait_until("2026-11-24T04:59:57")
    wait_with_broken(station, 5_000, "cho")
    station.sound_begins()
    assert station.station.snapshot(station.now()).zones_closed == ("dinh",)
    before = len(station.log)
    station.wait(50_000)
    assert moves(station.log[before:]) == [], "nothing switches under b, and a does not take the air from it"
    station.sound_ends()
    station.wait(5_000)
    station.sound_begins()
    assert station.station.snapshot(station.now()).zones_closed == ("cho",)
    station.wait(60_000)
    station.sound_ends()

    assert station.told == [("b", "aired", None), ("a", "aired", None)]


def test_a_relay_that_sticks_is_told_to_open_again_ever_more_seldom() -> None:
    """never-3: it is not given up, and it does not wear itself out: 2 s, 4 s, 8 s, ... at most 5 minutes apart."""
    station = ByHand(programme([slot("a", "05:00:00", zones=("cho",))]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    opened = [station.mono_ms]
    station.tell(events.RelayFailed("cho", "reads 1 after 0"))
    while station.mono_ms < opened[0] + 3_600_000:
        if only([effect for _, effect in station.wait(100)], SwitchZone):
            opened.append(station.mono_ms)
            station.tell(events.RelayFailed("cho", "reads 1 after 0"))

    waits_s = [round((after - before) / 1_000) for before, after in pairwise(opened)]
    assert waits_s[:9] == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert set(waits_s[9:]) == {OPEN_AGAIN_MOST_MS // 1_000}
    assert [word for _, word in moves(station.log)].count("amplifier off") == 1


@pytest.mark.parametrize("gap_ms", [0, 500, 1_000, 1_900, 2_000, 2_500, 3_000])
def test_an_amplifier_that_is_needed_soon_is_not_switched_off_and_on_again(gap_ms: int) -> None:
    """air-4: at the end of its hold time with the next cue within a cold way up, it stays on."""
    playout = Playout(SETTINGS, player=1, amplifier_on_mono_ms=0, last_sound_mono_ms=50_000)
    done = playout.step(None, 60_000 + gap_ms, 60_000)

    soon = gap_ms <= playout.cold_lead_ms
    assert done == ([] if soon else [SwitchAmplifier(False)])
    assert playout.cold_lead_ms == 2_000 + 4 * 200 + START_MARGIN_MS


def test_the_lead_counts_what_is_left_to_be_done() -> None:
    """The rest of the warm-up, one stagger for each zone to open or close, and the player's margin."""
    playout = Playout(THREE, player=1)
    assert playout.lead_ms((CHO, DINH), 0) == 2_000 + 2 * 200 + START_MARGIN_MS
    playout.amplifier_on_mono_ms = 0
    playout.closed = [BUON, CHO]
    assert playout.lead_ms((CHO, DINH), 500) == 1_500 + 2 * 200 + START_MARGIN_MS
    assert playout.lead_ms((CHO, BUON), 9_000) == START_MARGIN_MS
    assert [playout.amplifier_state(ms) for ms in (0, 1_999, 2_000)] == ["warming", "warming", "on"]


def test_a_late_sound_begins_at_once_and_never_in_the_past() -> None:
    """air-6: the instant that is handed to the player is not before now."""
    playout = Playout(SETTINGS, player=1, amplifier_on_mono_ms=0, closed=[CHO], last_switch_mono_ms=1_000)
    (start,) = playout.step(Wanted(7, (CHO,), (), 0, 5_000, 100), None, 60_000)

    assert isinstance(start, StartSound) and start.at_mono_ms == 60_000
    assert playout.sounding == 7


# any order of events


class Physics(RuleBasedStateMachine):
    """Amplifier, relays and player as they really are, driven by a ``Playout`` that is asked for steps at random."""

    SETTINGS = replace(THREE, amplifier=Amplifier(1_500, 4_000))

    def __init__(self) -> None:
        super().__init__()
        self.settings = self.SETTINGS
        self.playout = Playout(self.settings, player=1)
        self.mono_ms = 1_000
        self.wanted: Wanted | None = None
        self.plays = 0
        self.on_ms: int | None = None
        self.closed: set[str] = set()
        self.sound: int | None = None
        self.fading = False
        self.switched_ms = -1_000
        self.silent_ms = 0
        self.slow_ms = 0
        self.moving: dict[str, tuple[int, bool]] = {}
        self.mute = False
        self.told: dict[str, tuple[int, bool]] = {}
        self.broken: set[str] = set()
        self.complained: set[str] = set()

    def ask(self) -> None:
        """All steps of this moment, to the fixed point, as the desk asks for them."""
        for _ in range(100):
            done = self.playout.step(self.wanted, None, self.mono_ms)
            for effect in done:
                self.carry_out(effect)
            if not self.relays_answer() and not done:
                return
        raise AssertionError("it does not come to rest")

    def carry_out(self, effect: Effect) -> None:
        """Do it, and fail where the real parts would be hurt."""
        match effect:
            case SwitchAmplifier(on):
                assert self.sound is None, "never-3: the amplifier switches under sound"
                assert not self.closed - self.complained, "air-4: the amplifier switches while zones are closed"
                if not on and self.on_ms is not None and AMPLIFIER not in self.complained | self.broken:
                    used_ms = max(self.silent_ms, self.on_ms)
                    assert self.mono_ms >= used_ms + self.settings.amplifier.hold_ms, "air-4: off before the hold time"
                self.move(AMPLIFIER, on)
            case SwitchZone(zone, closed):
                assert self.sound is None, "never-3: a zone switches under sound"
                assert self.mono_ms - self.switched_ms >= self.settings.zone_stagger_ms, "air-4: not one by one"
                self.switched_ms = self.mono_ms
                warm = self.on_ms is not None and self.mono_ms >= self.on_ms + self.settings.amplifier.warm_up_ms
                assert warm or not closed or zone in self.broken, "air-4: a zone closes on a cold amplifier"
                self.move(zone, closed)
            case StartSound(play=play):
                assert not self.moving, "never-3: sound before a relay has come to rest"
                assert self.sound is None and self.closed and self.on_ms is not None
                self.sound, self.fading = play, False
            case StopSound(play):
                assert play == self.sound and not self.fading
                self.fading = True
            case _:
                raise AssertionError(effect)

    def move(self, subject: str, closed: bool) -> None:
        """A relay was told something; one after another."""
        assert not self.moving, f"never-3: {subject} does not wait for {self.moving}"
        self.moving[subject] = (self.mono_ms + self.slow_ms, closed)
        before_ms, was_closed = self.told.get(subject, (-100_000, False))
        rested = self.mono_ms >= before_ms + self.least_ms(subject, was_closed)
        assert rested or subject in self.complained, f"{subject} is switched before its least time"
        self.told[subject] = (self.mono_ms, closed)

    def least_ms(self, subject: str, closed: bool) -> int:
        """How long a relay must stay as it was told."""
        ours, amplifier = self.settings, self.settings.amplifier
        if subject == AMPLIFIER:
            return amplifier.on_least_ms if closed else amplifier.off_least_ms
        return ours.zone_on_least_ms if closed else ours.zone_off_least_ms

    def relays_answer(self) -> bool:
        """What was told long enough ago is done, and said, but by relays that say nothing; tell whether any was."""
        due = {} if self.mute else {name: told for name, told in self.moving.items() if told[0] <= self.mono_ms}
        for subject, (_, closed) in due.items():
            del self.moving[subject]
            if subject in self.broken:
                self.fail(subject)
                continue
            if subject == AMPLIFIER:
                self.on_ms = self.mono_ms if closed else None
            else:
                (self.closed.add if closed else self.closed.discard)(subject)
            self.playout.relay_switched(subject, self.mono_ms)
        speechless = self.playout.speechless(self.mono_ms)
        for subject in speechless:
            del self.moving[subject]
            self.fail(subject)
        return bool(due or speechless)

    def fail(self, subject: str) -> None:
        """The relay says that it did not switch; the state of the contact is what it was."""
        self.complained.add(subject)
        self.playout.relay_failed(subject, self.mono_ms)

    @rule(slow_ms=st.sampled_from([0, 0, 5, 90, 700, 3_000]))
    def relays_take_their_time(self, slow_ms: int) -> None:
        """They are at the far end of a serial line."""
        self.slow_ms = slow_ms

    @rule()
    def relays_say_nothing(self) -> None:
        """The line is cut, and its driver hangs."""
        self.mute = True

    @rule(ahead_ms=st.integers(-5_000, 8_000), zones=st.sets(st.sampled_from([CHO, DINH, BUON]), min_size=1))
    def want(self, ahead_ms: int, zones: set[ZoneId]) -> None:
        """Another cue has the best claim."""
        self.plays += 1
        ordered = tuple(zone.id for zone in self.settings.zones if zone.id in zones)
        self.playout.begin_cue(ordered)
        self.wanted = Wanted(self.plays, ordered, (), 0, self.mono_ms + ahead_ms, 100)
        self.ask()

    @rule()
    def want_nothing(self) -> None:
        """Nobody has a claim any more."""
        self.wanted = None
        self.ask()

    @rule(span_ms=st.sampled_from([1, 50, 200, 1_000, 1_500, 4_000, 20_000]))
    def wait(self, span_ms: int) -> None:
        """Time passes; the machine is woken when it asks, and not otherwise."""
        end_ms = self.mono_ms + span_ms
        for _ in range(1_000):
            asked_ms = self.playout.asks_mono_ms
            assert asked_ms is None or asked_ms > self.mono_ms, "never-8: it asks to be woken at once"
            answers_ms = [] if self.mute else [at_ms for at_ms, _ in self.moving.values()]
            next_ms = min([*answers_ms, *([] if asked_ms is None else [asked_ms])], default=end_ms + 1)
            if next_ms > end_ms:
                break
            self.mono_ms = max(self.mono_ms, next_ms)
            self.ask()
        self.mono_ms = end_ms

    @precondition(lambda self: self.sound is not None)
    @rule()
    def sound_ends(self) -> None:
        """The play is over, faded or by itself."""
        assert self.sound is not None
        play, self.sound, self.silent_ms = self.sound, None, self.mono_ms
        if self.wanted is not None and self.wanted.play == play:
            self.wanted = None
        self.playout.sound_ended(play, self.mono_ms)
        self.ask()

    @rule()
    def player_dies(self) -> None:
        """Whatever it played is silent."""
        if self.sound is not None:
            self.silent_ms = self.mono_ms
            if self.wanted is not None and self.wanted.play == self.sound:
                self.wanted = None
        self.sound = None
        self.playout.player_gone(self.mono_ms)
        self.playout.player = 2
        self.ask()

    @rule(play=st.integers(0, 3))
    def a_play_of_the_past_ends(self, play: int) -> None:
        """A word about a play that is over already changes nothing."""
        if play != self.sound:
            self.playout.sound_ended(play, self.mono_ms)
            self.ask()

    @rule(subject=st.sampled_from([AMPLIFIER, CHO, DINH, BUON]))
    def relay_breaks(self, subject: str) -> None:
        """From now on it stays as it is."""
        self.broken.add(subject)

    @rule()
    def relays_work_again(self) -> None:
        """All of them."""
        self.broken.clear()
        self.mute = False

    @precondition(lambda self: self.sound is None)
    @rule()
    def everything_comes_to_rest(self) -> None:
        """never-3: with nothing wanted and nothing broken, all is open and off after the hold time."""
        self.relays_work_again()
        self.want_nothing()
        self.wait(OPEN_AGAIN_MOST_MS)
        least_ms = 2 * max(self.settings.amplifier.on_least_ms, self.settings.zone_on_least_ms)
        self.wait(4_000 + 8 * (self.settings.zone_stagger_ms + self.slow_ms) + least_ms)
        assert self.playout.quiescent and not self.closed and self.on_ms is None
        self.complained.clear()

    @invariant()
    def what_it_knows_is_so(self) -> None:
        """Its books agree with the relays, but for those that did not do as told."""
        assert self.playout.sounding == self.sound
        unsure = self.complained | self.moving.keys()
        assert set(self.playout.closed) - unsure == self.closed - unsure
        if AMPLIFIER not in unsure:
            assert (self.playout.amplifier_on_mono_ms is None) == (self.on_ms is None)


class Resting(Physics):
    """The same with relays and an amplifier that need their time between two switches."""

    SETTINGS = replace(
        THREE, amplifier=Amplifier(1_500, 4_000, 6_000, 3_000), zone_on_least_ms=900, zone_off_least_ms=1_300
    )


TestWhateverTheOrderOfEvents = Physics.TestCase
TestWhateverTheOrderOfEvents.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestWhateverTheOrderOfEventsWithRests = Resting.TestCase
TestWhateverTheOrderOfEventsWithRests.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


@settings(max_examples=60, deadline=None)
@given(
    warm_up_ms=st.integers(0, 10_000),
    hold_ms=st.integers(0, 20_000),
    stagger_ms=st.integers(0, 2_000),
    zones=st.integers(1, 12),
)
def test_a_cue_is_on_time_whatever_the_settings(warm_up_ms: int, hold_ms: int, stagger_ms: int, zones: int) -> None:
    """air-4: from a cold start, with every zone, at its instant to the millisecond; and down again afterwards."""
    station_settings = _station(warm_up_ms, hold_ms, stagger_ms, zones)
    station = ByHand(programme([slot("a", "05:00:00")], [bulletin("a", 60)]), settings=station_settings)
    station.wait_until("2026-11-24T05:00:00")
    (start,) = only([effect for _, effect in station.log], StartSound)
    assert start.at_mono_ms == station.mono_ms
    assert len(station.station.snapshot(station.now()).zones_closed) == zones

    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    station.wait(hold_ms + zones * stagger_ms)
    snapshot = station.station.snapshot(station.now())
    assert (snapshot.zones_closed, snapshot.amplifier) == ((), "off")


def _station(warm_up_ms: int, hold_ms: int, stagger_ms: int, zones: int) -> StationSettings:
    return replace(
        SETTINGS,
        zones=tuple(Zone(ZoneId(f"z{number}"), "") for number in range(zones)),
        amplifier=Amplifier(warm_up_ms, hold_ms),
        zone_stagger_ms=stagger_ms,
    )


def test_the_wait_before_a_relay_is_told_again_is_named() -> None:
    """never-8: bounds have names and units."""
    assert (OPEN_AGAIN_MS, OPEN_AGAIN_MOST_MS) == (2_000, 300_000)
