"""Is it really on the air? The first witness: an energy meter before the amplifier, whose power rises with the sound.

It is asked twice a second while the amplifier is on, and now and then while it is off. What it should tell follows from
what the relays did and from the level of what is written to the sound device: the technician has measured what the
amplifier draws alone (``idle_w``) and what the test tone adds in each zone (``tone_w``), and other sound adds as its
level is to that of the tone. In class AB a constant voltage supplies a current that follows the voltage at the
speakers: power rises with the level. In class D it rises with the square, as at the speakers themselves.

What an amplifier draws when it is silent changes with its heat by more than a small zone adds. So lines are judged by
how the power follows the sound up and down, second by second, which no idle current does; a sound that is steady, a
tone, by how much it adds, where that is far more than the idle current wanders. And they are judged twice, and by far.
Which of several zones is at fault cannot be told from their sum: each is named, until it is good in other company.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import correlation, fmean, pstdev

from msgspec import Struct

from ttcs_edge.core.effects import Effect, ReadMeter
from ttcs_edge.core.events import ConditionChanged
from ttcs_edge.core.model import AMPLIFIER, Meter, MeterReading, StationSettings, ZoneId
from ttcs_edge.core.playout import Playout

TONE_RMS_DB = -15.1
"""The level of the test tone, of full scale."""
EVERY_MS = 500
"""How often it is asked while the amplifier is on."""
EVERY_IDLE_MS = 10_000
"""How often while it is off, and when it does not answer again and again: others are on its line, too."""
FAILURES = 3
ANSWER_MOST_MS = 5_000
SPAN_MS = 1_000
"""A reading is the mean of so long, and as old as that at the most: such meters measure once a second."""
LAGS_MS = range(0, SPAN_MS + 1, 200)
SETTLED_MS = 2 * SPAN_MS
"""When what was before has left the readings."""
SEEN_AFTER_MS = 1_000
"""When they hold enough of a sound for a rise to be seen."""
RECENT = 20
"""How many tenths of a second of sound a reading is held against: a voice pauses."""
BLOCK_MS = 12_000
"""How much sound is judged at once: two of them are judged within half a minute."""
HEARD = (BLOCK_MS + SETTLED_MS) // 100
"""How many tenths of a second of sound are remembered."""
BAD_BLOCKS = 2
COMPANIES = 64
"""Of how many sets of zones that sound together bad blocks are remembered."""
BAD_READINGS = 3
"""How many readings in a row make an amplifier dead, or stuck."""
OVERLOAD_READINGS = 6
OPEN_SHARE = 0.3
SHORT_SHARE = 3.0
"""Of what sound should add: below the first a line is open, above the second it is shorted."""
READINGS_LEAST = 8
"""How many measures a block must have."""
SEEN_LEAST_W = 3.0
SEEN_LEAST_OF_IDLE = 0.35
"""How much it must add at all to be seen: more than heat does."""
IDLE_SHARE = (0.7, 1.4)
"""What an amplifier draws when it is silent, cold and hot, of what was last measured."""

DEAD, STUCK, OVERLOAD = "amplifier-dead", "amplifier-stuck", "amplifier-overload"
OPEN, SHORT = "line-open", "line-short"
SILENT, MAINS = "meter-silent", "mains-voltage"
FAULTS = frozenset({DEAD, STUCK, OVERLOAD, OPEN, SHORT, SILENT, MAINS})
METER, MAINS_SUBJECT = "meter", "mains"
MAINS_V = (180.0, 255.0)
"""Between them amplifiers work: 220 V in Vietnam, and what long rural lines leave of it."""


class _State(Struct, frozen=True):
    """What the power depends on."""

    amplifier_on: bool
    zones: tuple[ZoneId, ...]
    play: int | None
    moving: bool


OFF_STATE = _State(False, (), None, False)


@dataclass(slots=True)
class MeterWitness:
    """What the meter's readings say of amplifier and lines. Without a meter it does nothing."""

    settings: StationSettings
    reading: MeterReading | None = None
    seen: bool | None = None
    """Of the play that sounds: the power rose with it; should have, and did not; or that cannot be told."""
    state: _State = OFF_STATE
    since_mono_ms: int = 0
    amplifier_since_mono_ms: int = 0
    asked_mono_ms: int | None = None
    next_mono_ms: int = 0
    failures: int = 0
    relays_move: bool = False
    silent_w: float | None = None
    silent_mono_ms: int | None = None
    """The last that was read of an amplifier that was on and silent, and when."""
    heard: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=HEARD))
    """What each tenth of a second of the sound should add, and when it was written."""
    block: list[tuple[int, float]] = field(default_factory=list)
    """The readings of some seconds of one sound in the same zones."""
    bad_blocks: dict[tuple[ZoneId, ...], tuple[str, int]] = field(default_factory=dict)
    suspects: dict[str, set[ZoneId]] = field(default_factory=lambda: {OPEN: set(), SHORT: set()})
    streaks: dict[str, int] = field(default_factory=dict)

    def remember(self, faults: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Take over the faults of lines that an earlier life left open; gives those faults of the meter's that nothing
        can ever clear: there is no meter any more, or no such zone.
        """
        zones = {zone.id for zone in self.settings.zones}
        own = [key for key in faults if key[0] in FAULTS]
        for code, subject in own:
            if code in self.suspects and subject in zones:
                self.suspects[code].add(ZoneId(subject))
        return [key for key in own if self.settings.meter is None or (key[0] in self.suspects and key[1] not in zones)]

    def follow(self, playout: Playout, now_mono_ms: int) -> list[Effect]:
        """See what the station does by now; gives the question to the meter when it is time for one."""
        meter = self.settings.meter
        if meter is None:
            return []
        state = _State(
            playout.amplifier_on_mono_ms is not None,
            tuple(sorted(playout.closed)),
            playout.sounding,
            bool(playout.told) or playout.stopping,
        )
        if state != self.state:
            if state.play != self.state.play:
                self.seen = None
            if state.amplifier_on != self.state.amplifier_on:
                self.next_mono_ms = self.amplifier_since_mono_ms = now_mono_ms
                self.streaks.clear()
            self.state, self.since_mono_ms = state, now_mono_ms
            self.heard.clear()
            self.block.clear()
        self.relays_move = bool(playout.told)
        if self.asked_mono_ms is not None or now_mono_ms < self.next_mono_ms or self.relays_move:
            return []  # a relay may have to be told by the same line
        self.asked_mono_ms = now_mono_ms
        return [ReadMeter()]

    def failed(self, now_mono_ms: int) -> None:
        """It did not answer, or should long have."""
        self.reading = None
        self._answered(self.failures + 1, now_mono_ms)

    def speechless(self, now_mono_ms: int) -> bool:
        """Tell whether it should long have answered."""
        return self.asked_mono_ms is not None and now_mono_ms >= self.asked_mono_ms + ANSWER_MOST_MS

    def sounds(self, play: int, rms_db: float, now_mono_ms: int) -> None:
        """A tenth of a second of a play was written, so loud."""
        if play == self.state.play and (expected_w := self._expected_w(rms_db)) is not None:
            self.heard.append((now_mono_ms, expected_w))

    def read(self, reading: MeterReading, now_mono_ms: int) -> list[ConditionChanged]:
        """Take a reading; gives what it says, of which nothing may be new."""
        meter = self.settings.meter
        if meter is None:
            return []
        self.reading = reading
        self._answered(0, now_mono_ms)
        bad_mains = not MAINS_V[0] <= reading.volts <= MAINS_V[1]
        findings = [
            ConditionChanged(SILENT, METER, False),
            ConditionChanged(MAINS, MAINS_SUBJECT, bad_mains, (("volts", f"{reading.volts:.0f}"),)),
        ]
        if now_mono_ms < self.amplifier_since_mono_ms + SETTLED_MS:
            return findings
        is_on = reading.watts >= meter.others_w + meter.idle_w / 2
        told = (("found", f"{reading.watts:.0f}"), ("idle", f"{meter.others_w + meter.idle_w:.0f}"))
        overload = (("found", f"{reading.watts:.0f}"), ("most", f"{meter.most_w:.0f}"))
        findings += self._streak(OVERLOAD, reading.watts > meter.most_w, OVERLOAD_READINGS, overload)
        if not self.state.amplifier_on:
            return findings + self._streak(STUCK, is_on, BAD_READINGS, told)
        findings += [ConditionChanged(STUCK, AMPLIFIER, False), *self._streak(DEAD, not is_on, BAD_READINGS, told)]
        if self.streaks[DEAD] >= BAD_READINGS and self.state.play is not None:
            self.seen = False
        if self.state.moving:
            return findings
        self._look_for_a_rise(meter, reading, now_mono_ms)
        if now_mono_ms < self.since_mono_ms + SETTLED_MS:
            return findings
        if not is_on:
            return findings
        if self.state.play is None:
            self.silent_w, self.silent_mono_ms = reading.watts, now_mono_ms
            return findings
        return findings + self._judge_block(meter, reading, now_mono_ms)

    def wake_mono_ms(self) -> int | None:
        """When there is something to ask, or an answer is overdue."""
        if self.settings.meter is None:
            return None
        if self.asked_mono_ms is not None:
            return self.asked_mono_ms + ANSWER_MOST_MS
        return None if self.relays_move else self.next_mono_ms

    def _answered(self, failures: int, now_mono_ms: int) -> None:
        self.failures, self.asked_mono_ms = failures, None
        often = self.state.amplifier_on and failures < FAILURES
        self.next_mono_ms = now_mono_ms + (EVERY_MS if often else EVERY_IDLE_MS)

    def _streak(self, code: str, bad: bool, most: int, detail: tuple[tuple[str, str], ...]) -> list[ConditionChanged]:
        """Some bad readings in a row are a condition, as many good ones its end."""
        streak = self.streaks.get(code, 0)
        streak = max(streak, 0) + 1 if bad else min(streak, 0) - 1
        self.streaks[code] = streak
        return [ConditionChanged(code, AMPLIFIER, bad, detail)] if abs(streak) >= most else []

    def _expected_w(self, rms_db: float) -> float | None:
        """What sound so loud should add in the zones that are closed; None when nobody measured one of them."""
        meter = self.settings.meter
        tones_w = [zone.tone_w for zone in self.settings.zones if zone.id in self.state.zones]
        if meter is None or None in tones_w:
            return None
        return float(sum(tone_w or 0 for tone_w in tones_w)) * tone_share(meter, rms_db)

    @property
    def doubts(self) -> bool:
        """Tell whether something was wrong with what sounds, which is told once it is so again."""
        return self.state.zones in self.bad_blocks

    def idle_w(self) -> float:
        """What all that hangs on the meter draws in silence, as it was last."""
        return 0.0 if self.settings.meter is None else self._idle_w(self.settings.meter)

    def _idle_w(self, meter: Meter, share: float = 1.0) -> float:
        """What all that hangs on the meter draws in silence, as it was last, or with the amplifier colder or hotter."""
        silent_w = meter.others_w + meter.idle_w if self.silent_w is None else self.silent_w
        return meter.others_w + share * max(0.0, silent_w - meter.others_w)

    def _look_for_a_rise(self, meter: Meter, reading: MeterReading, now_mono_ms: int) -> None:
        if self.seen is not None or not self.heard or now_mono_ms < self.since_mono_ms + SEEN_AFTER_MS:
            return
        recent_w = fmean(expected_w for _, expected_w in list(self.heard)[-RECENT:])
        added_w = reading.watts - self._idle_w(meter)
        if min(recent_w, added_w) >= least_w(meter) and added_w >= OPEN_SHARE * recent_w:
            self.seen = True

    def _judge_block(self, meter: Meter, reading: MeterReading, now_mono_ms: int) -> list[ConditionChanged]:
        last_ms, last_w = self.block[-1] if self.block else (now_mono_ms - SPAN_MS, 0.0)
        if reading.watts != last_w or now_mono_ms >= last_ms + SPAN_MS:  # else it has not measured since
            self.block.append((now_mono_ms, reading.watts))
        if now_mono_ms < self.block[0][0] + BLOCK_MS:
            return []
        block, heard = self.block, list(self.heard)
        self.block = []
        if not heard:
            return []
        expected_w, measured_w = fmean(watts for _, watts in heard), fmean(watts for _, watts in block)
        followed = _followed(heard, block, meter.least_varying_w)
        if followed is not None:
            least, most = followed
        elif expected_w >= least_w(meter):
            most, least = [(measured_w - self._idle_w(meter, share)) / expected_w for share in IDLE_SHARE]
        else:
            return []
        detail = (("expected", f"{expected_w:.0f}"), ("share", f"{max(0, round(100 * (least + most) / 2))}"))
        if most < OPEN_SHARE:
            return self._bad(OPEN, detail)
        if least > SHORT_SHARE:
            return self._bad(SHORT, detail)
        return self._good() if least >= OPEN_SHARE and most <= SHORT_SHARE else []

    def _good(self) -> list[ConditionChanged]:
        """All lines of this sound are as they should be, whatever was thought of one of them."""
        self.bad_blocks.pop(self.state.zones, None)
        self.seen = True if self.seen is None else self.seen
        good = [(code, zone) for code, bad in self.suspects.items() for zone in self.state.zones if zone in bad]
        for code, zone in good:
            self.suspects[code].discard(zone)
        return [ConditionChanged(code, zone, False) for code, zone in good]

    def _bad(self, code: str, detail: tuple[tuple[str, str], ...]) -> list[ConditionChanged]:
        """One of these lines is not: each is named, unless it is known which."""
        zones = self.state.zones
        before, count = self.bad_blocks.get(zones, (code, 0))
        count = count + 1 if before == code else 1
        self.bad_blocks[zones] = (code, count)
        if len(self.bad_blocks) > COMPANIES:
            del self.bad_blocks[next(iter(self.bad_blocks))]
        if count < BAD_BLOCKS:
            return []
        if code == OPEN:
            self.seen = False
        if not self.suspects[code].isdisjoint(zones):
            return []
        self.suspects[code].update(zones)
        return [ConditionChanged(code, zone, True, detail) for zone in zones]


def least_w(meter: Meter) -> float:
    """How much sound must add to be seen."""
    return max(SEEN_LEAST_W, SEEN_LEAST_OF_IDLE * meter.idle_w)


def tone_share(meter: Meter, rms_db: float) -> float:
    """What sound so loud adds, of what the test tone does at full volume."""
    level = 10 ** ((rms_db - TONE_RMS_DB) / 20)
    return float(level**meter.exponent)


def _followed(
    heard: list[tuple[int, float]], block: list[tuple[int, float]], varies_w: float
) -> tuple[float, float] | None:
    """Between what and what share of what it should the power followed the sound up and down, at the lag at which it
    did best: the slope of a line of least squares, and twice its standard error to both sides. None when the sound was
    too steady for that, or the meter told too little.
    """
    fits = [_fit(_pairs(heard, block, lag_ms), varies_w) for lag_ms in LAGS_MS]
    good = [fit for fit in fits if fit is not None]
    if not good:
        return None
    _, slope, error = max(good)
    return slope - 2 * error, slope + 2 * error


def _pairs(
    heard: list[tuple[int, float]], block: list[tuple[int, float]], lag_ms: int
) -> tuple[list[float], list[float]]:
    """What the sound should have added in the second before each reading, with a lag, and what was read."""
    expected = [
        [watts for at_ms, watts in heard if read_ms - lag_ms - SPAN_MS < at_ms <= read_ms - lag_ms]
        for read_ms, _ in block
    ]
    told = [(fmean(sound), watts) for sound, (_, watts) in zip(expected, block, strict=True) if sound]
    return [sound for sound, _ in told], [watts for _, watts in told]


def _fit(pairs: tuple[list[float], list[float]], varies_w: float) -> tuple[float, float, float] | None:
    """How well the readings follow the sound: correlation, slope and the standard error of that."""
    sound_w, readings_w = pairs
    if len(readings_w) < READINGS_LEAST:
        return None
    sound_varies_w, varies = pstdev(sound_w), pstdev(readings_w)
    if sound_varies_w < varies_w:
        return None
    if varies == 0:
        return 0.0, 0.0, 0.0
    followed = correlation(sound_w, readings_w)
    steepness = varies / sound_varies_w
    error = steepness * math.sqrt((1 - min(1.0, followed**2)) / (len(readings_w) - 2))
    return followed, followed * steepness, error
