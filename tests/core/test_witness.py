"""The energy meter as a witness: what is told of amplifier and lines, how soon, and never without a cause."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from tests.core.material import DAY_MS, SETTINGS, ByHand, at, bulletin, open_fault, programme, slot
from tests.pole import Speech
from ttcs_edge.core import effects, events
from ttcs_edge.core.model import AMPLIFIER, Meter, MeterReading, ZoneId
from ttcs_edge.core.playout import Playout
from ttcs_edge.core.witness import TONE_RMS_DB, MeterWitness
from ttcs_edge.tones import TEST, path_of
from ttcs_edge.training.pole import STEP_MS, Pole

CHO, DINH = ZoneId("cho"), ZoneId("dinh")
TONES = {CHO: 40.0, DINH: 30.0}
METER = Meter(idle_w=25, others_w=8, most_w=400)
MEASURED = replace(SETTINGS, zones=tuple(replace(zone, tone_w=TONES[zone.id]) for zone in SETTINGS.zones), meter=METER)
MORNING = programme([slot("sang", "05:00:00", zones=("cho",))], [bulletin("sang", 60)])


class AtThePole:
    """A station by hand whose relays switch a pole, whose sound is a voice, and whose meter answers."""

    def __init__(self, *programmes: object, settings: object = MEASURED, seed: int = 1, **others: object) -> None:
        self.dice = random.Random(seed)
        self.pole = Pole(self.dice, TONES)
        self.station = ByHand(*programmes, settings=settings, **others)  # type: ignore[arg-type]
        self.voice: Speech | None = None
        self.mean_db = -18.0
        self.play: tuple[effects.StartSound, int] | None = None
        self.asked: list[int] = []

    def run(self, span_ms: int) -> None:
        """Let time pass at the pole."""
        for _ in range(span_ms // STEP_MS):
            self._step()

    def run_until(self, civil: str) -> None:
        """Let time pass until a civil time; a long way is gone without looking."""
        far_ms = at(civil) - self.station.wall_ms
        self.run(far_ms)

    def _step(self) -> None:
        log = self.station.wait(STEP_MS)
        while log:
            log = [told for _, effect in log for told in self._answered(effect)]
        self._sound()
        playout = self.station.station.desk.playout
        level_db = None
        if self.play is not None and self.voice is not None and self.play[1] > 0:
            level_db = self.voice.next_db()
            self._tell(events.SoundProgress(self.play[0].play, self.play[1], level_db, level_db + 12, 0))
        amplifier_on = playout.amplifier_on_mono_ms is not None
        self.pole.pass_step(amplifier_on, frozenset(playout.closed), level_db)

    def _sound(self) -> None:
        if self.play is None:
            return
        command, written_ms = self.play
        if self.station.mono_ms < command.at_mono_ms:
            return
        if written_ms == 0:
            self.pole.begin_sound()
            self._tell(events.SoundStarted(command.play, command.at_mono_ms * 1_000_000))
        self.play = (command, written_ms + STEP_MS)
        if written_ms + STEP_MS >= sum(item.duration_ms for item in command.items):
            self.play = None
            self._tell(events.SoundEnded(command.play, True, tuple(i.duration_ms for i in command.items), None))

    def _answered(self, effect: effects.Effect) -> list[tuple[int, effects.Effect]]:
        if isinstance(effect, effects.StartSound):
            self.play, self.voice = (effect, 0), Speech(self.dice, self.mean_db)
        if isinstance(effect, effects.ReadMeter):
            self.asked.append(self.station.mono_ms)
            reading = self.pole.reading()
            return self._tell(
                events.MeterFailed("unit 10 does not answer") if reading is None else events.MeterRead(reading)
            )
        return []

    def _tell(self, event: events.Event) -> list[tuple[int, effects.Effect]]:
        return [(self.station.mono_ms, effect) for effect in self.station.tell(event)]

    @property
    def raised(self) -> list[tuple[int, str, str]]:
        """Every fault so far: when, its code and its subject."""
        records = [(ms, effect) for ms, effect in self.station.log if isinstance(effect, effects.Record)]
        found = [(ms, entry) for ms, effect in records for entry in effect.entries]
        return [(ms, one.fault.code, one.fault.subject) for ms, one in found if isinstance(one, effects.FaultRaised)]


def morning(seconds: float = 60, zones: tuple[str, ...] = ("cho",), seed: int = 1, **pole: object) -> AtThePole:
    """A station half a minute before a bulletin of so many seconds, with a pole as told; four minutes later comes
    another, of a minute.
    """
    slots = [slot("sang", "05:00:00", zones=zones), slot("sau", "05:04:00", zones=zones)]
    one = AtThePole(programme(slots, [bulletin("sang", seconds)]), civil="2026-11-24T04:59:30", seed=seed)
    for name, value in pole.items():
        setattr(one.pole, name, value)
    return one


def witnessed(one: AtThePole) -> list[bool | None]:
    """What the log says of each cue that was heard."""
    return [closed.record.witnessed for closed in one.station.entries(effects.AsRunClosed)]


def test_the_tone_is_as_loud_as_it_is_reckoned_to_be() -> None:
    """Lines are measured by it."""
    import math
    import wave
    from array import array

    with wave.open(str(path_of(TEST))) as tone:
        samples = array("h", tone.readframes(tone.getnframes()))
    rms = math.sqrt(sum(sample * sample for sample in samples) / len(samples))
    assert 20 * math.log10(rms / 32_768) == pytest.approx(TONE_RMS_DB, abs=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_sound_that_goes_out_is_seen_within_two_seconds(seed: int) -> None:
    """The log of a cue says that the meter saw it, and there is nothing to complain of."""
    one = morning(seconds=2.2, seed=seed)
    one.run(40_000)

    assert one.station.told == [("sang", "aired", None)]
    assert witnessed(one) == [True]
    assert one.raised == []


def test_a_dead_amplifier_is_told_and_what_it_aired_was_not_seen() -> None:
    """Its relay did as told, and no power flows; when it is mended that is told, too."""
    one = morning(dead=True)
    one.run(100_000)
    (told,) = one.raised
    on_ms = next(ms for ms, effect in one.station.log if effect == effects.SwitchAmplifier(True))

    assert told[1:] == ("amplifier-dead", AMPLIFIER) and told[0] - on_ms < 4_000
    assert one.station.told == [("sang", "aired", None)] and witnessed(one) == [False]
    (fault,) = one.station.station.faults.open.values()
    assert dict(fault.detail).keys() == {"found", "idle"} and dict(fault.detail)["idle"] == "33"

    one.pole.dead = False
    one.run(180_000)
    assert one.station.faults == []


def test_an_amplifier_that_draws_when_it_was_switched_off_is_told() -> None:
    """A welded contact: the loudspeakers are open to whatever comes."""
    one = morning()
    one.run(100_000)
    one.pole.stuck = True
    off_ms = one.station.mono_ms
    one.run(60_000)

    ((ms, code, subject),) = one.raised
    assert (code, subject) == ("amplifier-stuck", AMPLIFIER) and ms - off_ms < 45_000
    one.pole.stuck = False
    one.run(60_000)
    assert one.station.faults == []


@pytest.mark.parametrize("seed", range(5))
def test_a_broken_line_is_told_within_half_a_minute_of_sound(seed: int) -> None:
    """And that what was aired was not seen; it is mended when sound is seen again."""
    one = morning(seed=seed, cut={CHO})
    one.run(30_000)
    begun_ms = one.station.mono_ms
    one.run(70_000)

    ((ms, code, subject),) = one.raised
    assert (code, subject) == ("line-open", "cho") and ms - begun_ms <= 30_000
    assert witnessed(one) == [False]
    one.pole.cut.clear()
    one.run(240_000)
    assert one.station.faults == [] and witnessed(one) == [False, True]


def test_a_meter_that_shows_the_same_for_ever_is_a_broken_line() -> None:
    """An amplifier so steady that no tenth of a watt changes: what does not follow the sound does not follow it."""
    one = morning(cut={CHO})
    one.pole.dice = Steady()
    one.mean_db = -26
    one.run(100_000)

    assert [told[1:] for told in one.raised] == [("line-open", "cho")]


class Steady(random.Random):
    """Dice without noise."""

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        """The mean."""
        return mu


def test_a_shorted_line_is_told() -> None:
    """It takes many times what it should."""
    one = morning(shorted={CHO})
    one.run(100_000)

    assert ("line-short", "cho") in [told[1:] for told in one.raised]


def test_which_of_several_lines_is_broken_is_told_when_one_is_good_alone() -> None:
    """Two that sound together and take next to nothing are both named; the one that is good alone is cleared, and the
    other stays, whatever is heard of both after that.
    """
    together = slot("sang", "05:00:00", zones=("cho", "dinh"))
    alone = slot("sau", "05:02:00", zones=("dinh",))
    again = slot("trua", "05:04:00", zones=("cho", "dinh"))
    bulletins = [bulletin(name, 60) for name in ("sang", "sau", "trua")]
    one = AtThePole(programme([together, alone, again], bulletins), civil="2026-11-24T04:59:30")
    one.pole.cut = {CHO, DINH}
    one.run(100_000)
    assert one.station.faults == [("line-open", "cho"), ("line-open", "dinh")]

    one.pole.cut = {CHO}
    one.run(120_000)
    assert one.station.faults == [("line-open", "cho")]
    one.pole.cut = {CHO, DINH}
    one.run(120_000)
    assert one.station.faults == [("line-open", "cho")]


def test_an_overload_is_told() -> None:
    """Whatever draws it."""
    one = morning(idle_w=450.0)
    one.run(60_000)

    assert ("amplifier-overload", AMPLIFIER) in [told[1:] for told in one.raised]


def test_a_meter_that_says_nothing_is_told_and_nobody_waits_for_it() -> None:
    """A minute later, once; what was aired is as aired as without a meter; it is asked seldom then, for it may
    hold up those who share its line.
    """
    one = morning(quiet=True)
    one.run(180_000)

    assert [told[1:] for told in one.raised] == [("meter-silent", "meter")]
    assert one.station.told == [("sang", "aired", None)] and witnessed(one) == [None]
    assert len(one.asked) <= 19
    one.pole.quiet = False
    one.run(20_000)
    assert one.station.faults == []


def test_a_meter_whose_answer_never_comes_is_given_up() -> None:
    """Not even a word that there is none: it is asked again, and told as silent."""
    station = ByHand(MORNING, civil="2026-11-24T04:50:00", settings=MEASURED)
    station.wait(120_000)

    asked = [ms for ms, effect in station.log if effect == effects.ReadMeter()]
    assert len(asked) == 9 and ("meter-silent", "meter") in station.faults


def test_mains_that_stay_too_low_are_told() -> None:
    """Not those that dip."""
    one = morning(volts=160.0)
    one.run(40_000)
    assert one.station.faults == []
    one.run(60_000)
    assert one.station.faults == [("mains-voltage", "mains")]
    one.pole.volts = 219.0
    one.run(20_000)
    assert one.station.faults == []


def test_without_figures_of_a_zone_nothing_is_said_of_its_line() -> None:
    """The amplifier alone is judged, where nobody measured the tone."""
    unmeasured = replace(MEASURED, zones=SETTINGS.zones)
    one = AtThePole(MORNING, civil="2026-11-24T04:59:30", settings=unmeasured)
    one.pole.cut = {CHO}
    one.run(100_000)

    assert one.raised == [] and witnessed(one) == [None]


def test_without_a_meter_nobody_is_asked() -> None:
    """And what an earlier configuration left open, or of a zone that is gone, is cleared."""
    left = (open_fault("line-open", "cho"), open_fault("amplifier-dead", AMPLIFIER), open_fault("relay", "cho"))
    station = ByHand(MORNING, open_faults=left)
    station.wait(DAY_MS)

    assert not any(effect == effects.ReadMeter() for _, effect in station.log)
    assert station.faults == [("relay", "cho"), ("silence", "vn/lam-dong#sang")]
    gone = (open_fault("line-open", "da-bo"), open_fault("line-open", "cho"))
    assert ByHand(MORNING, settings=MEASURED, open_faults=gone).faults == [("line-open", "cho")]


def test_no_question_stands_before_a_relay_on_its_line() -> None:
    """While relays switch the meter is not asked: they may be told by the same line."""
    station = ByHand(MORNING, civil="2026-11-24T04:59:30", settings=MEASURED)
    station.relays_answer = False
    station.tell(events.MeterFailed("x"))
    station.wait_until("2026-11-24T04:59:58")
    told_ms = next(ms for ms, effect in station.log if effect == effects.SwitchAmplifier(True))
    station.wait(3_000)

    assert not [ms for ms, effect in station.log if effect == effects.ReadMeter() and told_ms <= ms < told_ms + 3_000]


@dataclass
class Bench:
    """A witness at a pole without a station between them: for years of days."""

    dice: random.Random
    pole: Pole
    witness: MeterWitness
    mono_ms: int = 0
    play: int = 0
    due: list[MeterReading | None] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def pass_span(self, playout: Playout, span_ms: int, voice: Iterator[float] | None = None) -> None:
        """So long in this state, with this sound."""
        for _ in range(span_ms // STEP_MS):
            self.mono_ms += STEP_MS
            level_db = None if voice is None else next(voice)
            if level_db is not None and playout.sounding is not None:
                self.witness.sounds(playout.sounding, level_db, self.mono_ms)
            self.pole.pass_step(playout.amplifier_on_mono_ms is not None, frozenset(playout.closed), level_db)
            for reading in self.due:
                if reading is None:
                    self.witness.failed(self.mono_ms)
                else:
                    findings = self.witness.read(reading, self.mono_ms)
                    self.told += [f"{one.code} {one.subject}" for one in findings if one.present]
            self.due.clear()
            if self.witness.follow(playout, self.mono_ms):
                self.due.append(self.pole.reading())

    def cue(self, zones: list[ZoneId], span_ms: int, mean_db: float) -> None:
        """One cue: up, its sound, and down."""
        playout = Playout(self.witness.settings)
        playout.amplifier_on_mono_ms = self.mono_ms
        self.pass_span(playout, 2_000)
        playout.closed = zones
        self.pass_span(playout, 200 * len(zones))
        self.play += 1
        playout.sounding = self.play
        self.pole.begin_sound()
        voice = Speech(self.dice, mean_db)
        self.pass_span(playout, span_ms, iter(voice.next_db, None))
        playout.sounding = None
        self.pass_span(playout, 400)
        playout.closed = []
        self.pass_span(playout, 10_000)
        playout.amplifier_on_mono_ms = None
        self.pass_span(playout, 20_000)


def live_days(days: int, seed: int) -> tuple[list[str], int]:
    """Some days of a station with a pole as poles are: amplifiers of both classes and of many sizes, figures that were
    measured on another day, loud and low cues of some seconds up to minutes, mains that wander.
    """
    dice = random.Random(seed)
    idle_w = dice.uniform(6, 60)
    exponent = dice.choice((1, 2))
    tones = {zone: dice.uniform(10, 120) for zone in (CHO, DINH)}
    measured = {zone: watts * dice.uniform(0.9, 1.1) for zone, watts in tones.items()}
    pole = Pole(dice, tones, idle_w, others_w=dice.uniform(0, 15), power_of=exponent * dice.uniform(0.9, 1.1))
    pole.volts = dice.uniform(200, 235)
    meter = Meter(idle_w * dice.uniform(0.85, 1.15), 5_000, pole.others_w, exponent)
    zones = tuple(replace(zone, tone_w=measured[zone.id]) for zone in SETTINGS.zones)
    bench = Bench(dice, pole, MeterWitness(replace(SETTINGS, zones=zones, meter=meter)))
    cues = 0
    for _ in range(days):
        for _ in range(dice.randrange(1, 4)):
            cues += 1
            some = dice.choice(([CHO], [DINH], [CHO, DINH]))
            bench.cue(some, dice.choice((5_000, 20_000, 45_000, 120_000)), dice.uniform(-32, -12))
    return bench.told, cues


@pytest.mark.parametrize("seed", range(10))
def test_no_false_alarm_in_days_of_noise(seed: int) -> None:
    """Ten poles, ten days each; ``make soak`` lives a thousand."""
    told, cues = live_days(10, seed)

    assert told == [] and cues >= 10


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_no_false_alarm_in_a_thousand_days_of_noise() -> None:
    """A hundred poles, ten days each."""
    assert [told for seed in range(100, 200) if (told := live_days(10, seed)[0])] == []
