"""The self-test: a pilot in each zone alone, at its hour, below everything, and what it finds through the witnesses."""

from __future__ import annotations

import math
import random

import pytest
from msgspec.structs import replace

from tests.core.material import (
    HOUR_MS,
    PILOT,
    SETTINGS,
    ByHand,
    alert,
    at,
    bulletin,
    moves,
    programme,
    slot,
    switched,
)
from tests.core.test_orders import TONE
from tests.core.test_witness import MEASURED, TONES, AtThePole
from ttcs_edge.core import effects, events
from ttcs_edge.core.model import Inlet, Meter, Microphone, QuietHours, SelfTest, Way, ZoneId
from ttcs_edge.core.pilot import JUDGED_MS, SEEN_MS, SWING, loud_percent, takes_ms
from ttcs_edge.core.reports import ZoneTested
from ttcs_edge.core.self_test import AGAIN_MS, LATE_MS
from ttcs_edge.core.trust import utc_text
from ttcs_edge.training.pole import TONE_DB

CHO, DINH = ZoneId("cho"), ZoneId("dinh")
NIGHT = SelfTest(at_minutes=(3 * 60 + 30,), in_quiet_hours=True)
TESTED = replace(SETTINGS, self_test=NIGHT, quiet_hours=(QuietHours(21 * 60, 5 * 60),))
WATCHED = replace(MEASURED, self_test=NIGHT)
MORNING = programme([slot("sang", "05:00:00")])
BEFORE = "2026-11-24T03:29:30"


class PilotLevel:
    """The level of the pilot, tenth by tenth of a second: two seconds of four, as loud as it is played."""

    def __init__(self, volume_percent: int) -> None:
        self._db = TONE_DB + 40 * math.log10(max(1, volume_percent) / 100)
        self._step = 0

    def next_db(self) -> float:
        """The level of the next tenth of a second."""
        self._step += 1
        return self._db if (self._step - 1) % 40 < 20 else -120.0


class Watched(AtThePole):
    """A pole whose station tests itself."""

    def _answered(self, effect: effects.Effect) -> list[tuple[int, effects.Effect]]:
        told = super()._answered(effect)
        if isinstance(effect, effects.StartSound) and effect.items[0] == PILOT:
            self.voice = PilotLevel(effect.volume_percent)  # type: ignore[assignment]
        return told

    def _sound(self) -> None:
        """What is to stop is over a moment later."""
        super()._sound()
        if self.play is not None and self.station.station.desk.playout.stopping:
            command, written_ms = self.play
            self.play = None
            parts_ms = (written_ms, *[0] * (len(command.items) - 1))
            self._tell(events.SoundEnded(command.play, False, parts_ms, None))

    @property
    def outcome(self) -> dict[str, str]:
        """Zone by zone what the last test found."""
        last = self.station.station.pilots.last
        assert last is not None
        return {one.zone: one.outcome for one in last.zones}


def plays(here: ByHand) -> list[effects.StartSound]:
    """Every pilot so far."""
    starts = [effect for _, effect in here.log if isinstance(effect, effects.StartSound)]
    return [one for one in starts if PILOT in one.items]


def at_night(**others: object) -> ByHand:
    """Half a minute before the hour of the test."""
    return ByHand(MORNING, settings=replace(TESTED, **others), civil=BEFORE)


def test_each_zone_sounds_alone_at_its_hour_and_the_whole_is_one_entry_and_no_cue() -> None:
    """Quietly, for as long as is told; nothing on the card while it sounds, nothing in the as-run log."""
    here = at_night()
    here.wait_until("2026-11-24T03:29:59")
    assert moves(here.log) == []
    for zone in ("cho", "dinh"):
        here.wait(5_000)
        command = here.sound_begins()
        assert (len(command.items), command.volume_percent) == (8, 45)
        assert here.station.snapshot(here.now()).zones_closed == (zone,)
        before = len(here.log)
        for second in range(1, 32):
            here.wait(1_000)
            here.tell(events.SoundProgress(command.play, second * 1_000, -30.0, -27.0, 0))
        assert [effect for _, effect in here.log[before:] if isinstance(effect, effects.Record)] == []
        here.sound_ends()
    here.wait(30_000)

    (entry,) = here.entries(effects.Audited)[1:]
    assert (entry.deed, entry.what, entry.subject, entry.by) == ("tested", "zones", SETTINGS.id, None)
    assert entry.detail == (("cho", "untold"), ("dinh", "untold")) and entry.code is None
    assert here.told == [] and here.faults == []
    words = [word for _, word in moves(here.log)]
    assert words == [
        "amplifier on",
        "cho closed",
        "sound",
        "cho open",
        "dinh closed",
        "sound",
        "dinh open",
        "amplifier off",
    ]
    here.wait_until("2026-11-24T04:50:00")
    assert len(plays(here)) == 2
    here.wait_until("2026-11-24T05:00:00")
    assert here.sound_begins().items[0].bulletin == "sang"


def test_it_comes_every_day_at_its_hour_and_not_again_after_a_start() -> None:
    """A start behind the hour waits for the next."""
    here = ByHand(settings=TESTED, civil="2026-11-24T03:31:00")
    here.wait_until("2026-11-25T03:29:00")
    assert plays(here) == []
    here.wait_until("2026-11-25T03:30:05")
    assert len(plays(here)) == 1


def test_one_that_comes_every_so_often_keeps_to_the_hours_that_are_not_quiet() -> None:
    """Every two hours from the start on; what falls into quiet hours comes behind them."""
    often = SelfTest(every_ms=2 * HOUR_MS, tone_ms=4_000)
    here = ByHand(settings=replace(TESTED, self_test=often, zones=SETTINGS.zones[:1]), civil="2026-11-24T18:30:00")
    begun: list[str] = []
    while here.wall_ms < at("2026-11-25T07:30:00"):
        here.wait(60_000)
        if len(plays(here)) > len(begun):
            begun.append(utc_text(here.wall_ms + 7 * HOUR_MS)[11:16])
            here.sound_begins()
            here.sound_ends()
    assert begun == ["20:31", "05:00", "07:01"] or begun == ["20:31", "05:01", "07:02"]


def test_without_trusted_time_there_is_none() -> None:
    """air-7: it has its hours."""
    here = ByHand(settings=TESTED, civil=BEFORE, trusted=False)
    here.wait(HOUR_MS)
    assert plays(here) == []


@pytest.mark.parametrize("in_quiet_hours", [True, False])
def test_in_quiet_hours_it_is_held_only_where_that_is_wanted(in_quiet_hours: bool) -> None:
    """air-5: otherwise it is told as skipped, once."""
    here = at_night(self_test=replace(NIGHT, in_quiet_hours=in_quiet_hours))
    here.wait(2 * LATE_MS)
    assert bool(plays(here)) is in_quiet_hours
    skipped = [one.code for one in here.entries(effects.Audited) if one.deed == "tested"]
    assert skipped == ([] if in_quiet_hours else ["quiet-hours"])


def test_it_is_never_begun_in_front_of_a_cue_that_is_due_within_a_minute() -> None:
    """It waits until that is over, and then is held."""
    here = ByHand(programme([slot("dem", "03:31:20")]), settings=replace(TESTED, quiet_hours=()), civil=BEFORE)
    here.wait_until("2026-11-24T03:31:20")
    assert plays(here) == []
    here.sound_begins()
    here.sound_ends()
    here.wait(AGAIN_MS + 10_000)
    assert len(plays(here)) == 1


def test_an_hour_at_which_there_is_no_silence_is_told_as_skipped() -> None:
    """The log of the audit trail says why."""
    long = programme([slot("dem", "03:29:00")], [bulletin("dem", 4_000)])
    here = ByHand(long, settings=replace(TESTED, quiet_hours=()), civil="2026-11-24T03:28:00")
    here.wait_until("2026-11-24T03:29:00")
    here.sound_begins()
    here.wait(LATE_MS + 3 * 60_000)
    (entry,) = here.entries(effects.Audited)[1:]
    assert (entry.deed, entry.code, entry.detail) == ("tested", "air-taken", ())
    state = here.station.snapshot(here.now()).self_test
    assert state is not None and state.skipped == "air-taken" and state.zones == ()


def sounding() -> ByHand:
    """The pilot sounds in the first zone."""
    here = at_night()
    here.wait(40_000)
    here.sound_begins()
    here.wait(3_000)
    return here


def yielded(here: ByHand) -> None:
    """The pilot leaves the air, and the test is over."""
    assert moves(here.log)[-1][1] == "fade"
    here.sound_ends(False, 3_000, 0, 0, 0, 0, 0, 0, 0)
    last = here.station.pilots.last
    assert last is not None
    assert last.zones == (ZoneTested(CHO, "not-tested", "pre-empted"), ZoneTested(DINH, "not-tested", "pre-empted"))
    assert here.told == []


def test_an_alert_takes_the_air_from_it_at_once() -> None:
    """air-1, never-4."""
    here = sounding()
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS)))
    yielded(here)
    here.wait(5_000)
    assert here.sound_begins().items[0].bulletin == "tone-Severe"


def test_who_speaks_takes_the_air_from_it_at_once() -> None:
    """And it does not come back."""
    speaks = Microphone((CHO,), Inlet(Way.INPUT, 60_000), in_quiet_hours=True)
    here = at_night(microphone=speaks)
    here.tell(events.KeyChanged(False))
    here.wait(40_000)
    here.sound_begins()
    here.tell(events.KeyChanged(True))
    yielded_at = moves(here.log)[-1][1]
    here.sound_ends(False, 1_000, 0, 0, 0, 0, 0, 0, 0)
    here.wait(3_000)
    assert yielded_at == "fade" and moves(here.log)[-1][1] == "input"
    here.wait(HOUR_MS)
    assert len(plays(here)) == 1


@pytest.mark.parametrize("on_air", [True, False])
def test_a_test_tone_that_somebody_orders_takes_the_air_from_it(on_air: bool) -> None:
    """While the pilot sounds, and on its way up."""
    here = at_night(quiet_hours=(), amplifier=replace(SETTINGS.amplifier, warm_up_ms=5_000))
    here.wait(33_000)
    if on_air:
        here.wait(5_000)
        here.sound_begins()
    (answer,) = here.order(**TONE)
    assert answer.outcome == "under-way"
    if on_air:
        yielded(here)
    here.wait(6_000)
    assert here.sound_begins().items[0].bulletin == "test"
    here.sound_ends()
    assert here.answers[-1] == ("test_tone", "done", None)
    last = here.station.pilots.last
    assert last is not None and {one.reason for one in last.zones} == {"pre-empted"}


class StuckOpen(ByHand):
    """A station whose relay of ``cho`` never closes."""

    def tell(self, event: events.Event) -> list[effects.Effect]:
        """All others do as told."""
        self.relays_answer = False
        done = super().tell(event)
        for answer in [answer for effect in done if (answer := switched(effect)) is not None]:
            stuck = answer == events.RelaySwitched("cho", True)
            done += self.tell(events.RelayFailed("cho", "reads 0 after 1") if stuck else answer)
        return done


def test_a_relay_that_does_not_do_as_told_costs_its_zone_alone() -> None:
    """The next one is tested, and the fault is told by what is always told of relays."""
    here = StuckOpen(MORNING, settings=TESTED, civil=BEFORE)
    here.wait(50_000)
    assert here.faults == [("relay", "cho")]
    assert here.station.snapshot(here.now()).zones_closed == ("dinh",)
    here.sound_begins()
    here.sound_ends()
    here.wait(1_000)
    last = here.station.pilots.last
    assert last is not None and len(plays(here)) == 1
    assert last.zones == (ZoneTested(CHO, "not-heard", "relay"), ZoneTested(DINH, "untold"))


def test_a_stop_of_the_station_ends_it() -> None:
    """Everything is open, and what was not tested is told."""
    here = sounding()
    here.tell(events.StopRequested())
    here.sound_ends(False, 3_500, 0, 0, 0, 0, 0, 0, 0)
    here.wait(5_000)
    assert here.left and here.station.desk.playout.quiescent
    last = here.station.pilots.last
    assert last is not None and [one.reason for one in last.zones] == ["stopped", "stopped"]


# at the pole


@pytest.mark.parametrize("seed", range(4))
def test_a_healthy_station_is_soon_through(seed: int) -> None:
    """Each zone is let go once the meter has followed a span of the pilot, at a fifth of the level of the tone."""
    one = Watched(settings=WATCHED, seed=seed, civil=BEFORE)
    one.run(120_000)
    assert one.outcome == {"cho": "good", "dinh": "good"} and one.raised == []
    last = one.station.station.pilots.last
    assert last is not None and last.ended_ms - last.began_ms < 2 * (SEEN_MS + 3_000) + 4_000


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("zone", [CHO, DINH])
def test_a_broken_line_is_told_within_a_hundred_seconds(zone: ZoneId, seed: int) -> None:
    """By the meter, as of any sound; the other is good, and it is mended at the next test."""
    one = Watched(settings=WATCHED, seed=seed, civil=BEFORE)
    one.pole.cut.add(zone)
    one.run(130_000)
    ((ms, code, subject),) = one.raised
    other = DINH if zone == CHO else CHO
    assert (code, subject) == ("line-open", zone) and ms - (
        at("2026-11-24T03:30:00") - one.station.offset_ms
    ) <= 100_000
    assert one.outcome == {zone: "not-seen", other: "good"}

    one.pole.cut.clear()
    one.station.offset_ms += 24 * HOUR_MS - 160_000
    one.run(150_000)
    assert one.outcome == {zone: "good", other: "good"} and one.station.faults == []


@pytest.mark.parametrize("level_percent", [45, 100])
def test_a_shorted_line_is_told_in_the_same_test(level_percent: int) -> None:
    """It is not let go, however soon something was seen of it: what is doubted sounds on."""
    settings = replace(WATCHED, self_test=replace(NIGHT, level_percent=level_percent))
    one = Watched(settings=settings, civil=BEFORE)
    one.pole.shorted.add(CHO)
    one.run(130_000)
    assert [told[1:] for told in one.raised if told[1] != "amplifier-overload"] == [("line-short", "cho")]


def test_a_dead_amplifier_is_told_at_once_and_no_zone_is_seen() -> None:
    """Nobody needs half a minute to see that."""
    one = Watched(settings=WATCHED, civil=BEFORE)
    one.pole.dead = True
    one.run(130_000)
    assert one.raised[0][1] == "amplifier-dead" and set(one.outcome.values()) == {"not-seen"}


def test_how_long_it_takes_is_reckoned() -> None:
    """As it is measured: until the last of some zones is told as broken."""
    one = Watched(settings=WATCHED, civil=BEFORE)
    one.pole.cut.add(DINH)
    one.run(130_000)
    took_ms = one.raised[0][0] - (at("2026-11-24T03:30:00") - one.station.offset_ms)
    reckoned_ms = takes_ms(WATCHED, TONES.keys())
    assert took_ms <= reckoned_ms <= took_ms + 6_000
    assert takes_ms(WATCHED, ()) - reckoned_ms == 2 * (NIGHT.tone_ms - SEEN_MS) - (JUDGED_MS - SEEN_MS)


# many poles


def some_pole(seed: int) -> Watched:
    """Any pole that the config takes, with the pilot as quiet as the config lets it be."""
    dice = random.Random(seed)
    exponent, idle_w = dice.choice((1, 2)), dice.uniform(10, 60)
    meter = Meter(idle_w=idle_w, others_w=8, most_w=1_000, exponent=exponent)
    tones = {zone: dice.uniform(20, 80) for zone in (CHO, DINH)}
    needed = meter.least_varying_w / SWING
    percent = max(loud_percent((needed / tone_w) ** (1 / exponent)) for tone_w in tones.values())
    zones = tuple(replace(zone, tone_w=tones[zone.id], volume_percent=100) for zone in SETTINGS.zones)
    settings = replace(SETTINGS, zones=zones, meter=meter, self_test=replace(NIGHT, level_percent=min(100, percent)))
    one = Watched(settings=settings, seed=seed, civil=BEFORE)
    one.pole.tone_w, one.pole.idle_w, one.pole.power_of = tones, idle_w, float(exponent)
    return one


def judged(seed: int) -> tuple[dict[str, str], list[tuple[int, str, str]]]:
    """What comes of a pole of which every other one has a line that is cut."""
    one = some_pole(seed)
    if seed % 2:
        one.pole.cut.add(CHO)
    one.run(130_000)
    return one.outcome, [told for told in one.raised if told[1].startswith("line")]


@pytest.mark.parametrize("seed", range(6))
def test_the_quietest_pilot_that_the_config_takes_is_enough(seed: int) -> None:
    """A cut line is told, and no other."""
    outcome, raised = judged(seed)
    assert [told[1:] for told in raised] == ([("line-open", "cho")] if seed % 2 else [])
    assert outcome == {"cho": "not-seen" if seed % 2 else "good", "dinh": "good"}


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_no_self_test_tells_what_is_not_so_at_a_thousand_poles() -> None:
    """No line that is whole is told, and of those that are cut nearly every one, within 100 s."""
    found = 0
    for seed in range(1_000):
        _, raised = judged(seed)
        assert {told[2] for told in raised} <= ({"cho"} if seed % 2 else set()), (seed, raised)
        found += bool(raised)
    assert found >= 490
