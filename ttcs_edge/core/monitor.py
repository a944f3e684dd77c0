"""Is it really on the air? The second witness: a sound input on the air itself, behind the amplifier or at a receiver.

The monitor process holds what it hears against what was sent, and tells numbers (``model.OffAirReading``): once a
second while ours sounds, at once when something foreign is heard that is loud enough, and else next to nothing. Here
they become conditions, by these rules:

1. What is heard is **ours** when it goes up and down as ours does; by its level where ours is too steady for that, a
   tone. In the first seconds of a sound more likeness is asked for: little sound is soon like other sound.
2. Ours is **not heard** (``off-air-silent``) when it could be, for it is louder than the noise there, and is not.
3. It is **foreign** (``off-air-foreign``) when there is sound that ours does not explain, as loud as bulletins are
   there and of a colour that changes, as that of speech and music does and that of hiss, hum and rain does not. A
   recording of it is on the card before it is told, or the fault says that there is none.
4. Nothing is foreign, and nothing of ours missing, while a microphone is let in past the player, for nobody knows what
   is said there; nor while the last of it may still be in the numbers.
5. It is **distorted** (``off-air-distorted``) when it is ours, with its peaks cut off or in noise that is nearly as
   loud as a bulletin. Peaks that are cut off make sound that was not sent, and none that is foreign.

Of several witnesses each has to bear a play out that can tell (``asrun.Airing.seen``): a line may be broken behind the
meter, or behind the place where the monitor listens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from ttcs_edge.core.asrun import Airing
from ttcs_edge.core.effects import Effect, KeepRecording
from ttcs_edge.core.events import ConditionChanged, RecordingKept
from ttcs_edge.core.model import OffAirReading, StationSettings, Way

SENT_LOUD_DB = -16.0
"""The level of a bulletin in the bands of the voice as it is written at full volume, of full scale."""
WINDOW_MS = 6_000
"""What one reading looks back on."""
EARLY_MS = 3_000
MATCH_EARLY, MATCH_OURS, MATCH_NOT_OURS = 0.65, 0.45, 0.3
"""From which likeness on a sound is ours, in its first seconds and behind them, and below which it is not."""
TONE_HEARD_DB, TONE_LOST_DB = 10.0, 20.0
"""How far below what is expected a steady sound may be to be heard, and from where on it is lost."""
SILENCE_DB = -120.0
ABOVE_NOISE_DB = 6.0
"""How far above the noise ours must be expected to be missed."""
SILENT_AFTER_MS = 4_000
SILENT_READINGS = 4
SLACK_MS = 700
"""How much older than a play what was sent may seem: readings come twice a second, and a word takes its way.
"""
DISTORTED_READINGS = 10
FLAT_SHARE = 0.05
NOISE_DB = 12.0
"""How far below a bulletin noise must be to be no fault."""
VARIETY_LEAST_DB = 3.5
FOREIGN_SHARE, FOREIGN_BELOW_DB, FOREIGN_READINGS = 0.25, 10.0, 3
"""Where nothing is sent: how much of the window must be foreign, how far below a bulletin it may be, how much
oftener than not that must be read."""
BESIDE_SHARE, BESIDE_BELOW_DB, BESIDE_READINGS, BESIDE_MATCH = 0.08, 8.0, 5, 0.7
"""The same while ours sounds, which hides most of it, and how like ours all of it may be at the most."""
WORTH_BELOW_DB = FOREIGN_BELOW_DB + 3.0
"""How far below a bulletin foreign sound is that is not even worth a reading."""
RECORDING_MS = 2_500
"""How long a fault waits for its recording."""
QUIET_MS = 60_000
"""For how long nothing foreign must be heard for it to be over."""
RECORDINGS_AN_HOUR = 6
HOUR_MS = 3_600_000
NONE = "-"

SILENT, DISTORTED, FOREIGN = "off-air-silent", "off-air-distorted", "off-air-foreign"
LOST = "monitor-silent"
FAULTS = frozenset({SILENT, DISTORTED, FOREIGN, LOST})
AIR, MONITOR = "air", "monitor"


@dataclass(slots=True)
class OffAirWitness:
    """What the off-air monitor's readings say. Without a monitor it does nothing."""

    settings: StationSettings
    boot: int
    reading: OffAirReading | None = None
    seen: bool | None = None
    """Of the play that sounds: it was heard; should have been, and was not; or that cannot be told."""
    play: int | None = None
    past_player_mono_ms: int | None = None
    """When sound was last let in past the player."""
    streaks: dict[str, int] = field(default_factory=dict)
    foreign_mono_ms: int | None = None
    """When foreign sound was last heard that is told, or about to be."""
    asked: str | None = None
    asked_mono_ms: int = 0
    recordings: int = 0
    recorded_mono_ms: deque[int] = field(default_factory=lambda: deque(maxlen=RECORDINGS_AN_HOUR))
    level_db: float = 0.0

    def remember(self, faults: Iterable[tuple[str, str]], now_mono_ms: int) -> list[tuple[str, str]]:
        """Take over what an earlier life left open; gives what nothing can ever clear, for there is no monitor now."""
        own = [key for key in faults if key[0] in FAULTS]
        if self.settings.loud_dbfs is None:
            return own
        if (FOREIGN, AIR) in own:
            self.foreign_mono_ms = now_mono_ms
        return []

    def follow(self, airing: Airing | None, now_mono_ms: int) -> None:
        """See whose sound is on its way by now."""
        if self.settings.loud_dbfs is None:
            return
        play = None if airing is None else airing.play
        if play != self.play:
            self.play, self.seen = play, None
            self.streaks.pop(SILENT, None)
        if airing is not None and airing.way is Way.MIXER and airing.sounds:
            self.past_player_mono_ms = now_mono_ms

    def heard(
        self, reading: OffAirReading, airing: Airing | None, now_mono_ms: int
    ) -> tuple[list[ConditionChanged], list[Effect]]:
        """Take a reading; gives what it says, of which nothing may be new, and what is to be done."""
        loud_db = self.settings.loud_dbfs
        if loud_db is None:
            return [], []
        self.follow(airing, now_mono_ms)
        self.reading = reading
        findings = [ConditionChanged(LOST, MONITOR, False)]
        if self.past_player_mono_ms is not None and now_mono_ms <= self.past_player_mono_ms + WINDOW_MS:
            self.streaks.clear()
            return findings, []
        foreign = _is_foreign(reading, loud_db)
        most = FOREIGN_READINGS if reading.sent_ms == 0 else BESIDE_READINGS
        effects: list[Effect] = []
        self.streaks[FOREIGN] = min(most, max(0, self.streaks.get(FOREIGN, 0) + (1 if foreign else -1)))
        if self.streaks[FOREIGN] == most:
            effects = self._hear_foreign(reading, now_mono_ms)
        if reading.sent_ms and not foreign:
            findings += self._judge_ours(reading, loud_db, airing, now_mono_ms)
        return findings, effects

    def failed(self) -> None:
        """It hears nothing, or is gone."""
        self.reading = None
        self.streaks.clear()

    def recorded(self, kept: RecordingKept) -> list[ConditionChanged]:
        """The recording that was asked for is on the card, or cannot be."""
        if kept.name != self.asked:
            return []
        if kept.error:
            return self._tell_foreign(NONE, NONE)
        return self._tell_foreign(kept.file, kept.sha256)

    def pass_time(self, now_mono_ms: int) -> list[ConditionChanged]:
        """What is overdue by now: a recording that does not come keeps no fault from being told."""
        findings: list[ConditionChanged] = []
        if self.asked is not None and now_mono_ms >= self.asked_mono_ms + RECORDING_MS:
            findings += self._tell_foreign(NONE, NONE)
        over_mono_ms = self._over_mono_ms()
        if over_mono_ms is not None and now_mono_ms >= over_mono_ms:
            self.foreign_mono_ms = None
            findings.append(ConditionChanged(FOREIGN, AIR, False))
        return findings

    def wake_mono_ms(self) -> int | None:
        """When ``pass_time`` has something to do next."""
        due = [self._over_mono_ms(), None if self.asked is None else self.asked_mono_ms + RECORDING_MS]
        return min((one for one in due if one is not None), default=None)

    def _over_mono_ms(self) -> int | None:
        """When it is over; never while nobody listens."""
        if self.foreign_mono_ms is None or self.asked is not None or self.reading is None:
            return None
        return self.foreign_mono_ms + QUIET_MS

    def _streak(self, code: str, bad: bool) -> int:
        """How often in a row it was so; below nought, how often not."""
        streak = self.streaks.get(code, 0)
        self.streaks[code] = max(streak, 0) + 1 if bad else min(streak, 0) - 1
        return self.streaks[code]

    def _hear_foreign(self, reading: OffAirReading, now_mono_ms: int) -> list[Effect]:
        is_news, self.foreign_mono_ms = self.foreign_mono_ms is None, now_mono_ms
        if not is_news:
            return []
        self.level_db, self.asked_mono_ms = reading.foreign_db, now_mono_ms
        recorded = self.recorded_mono_ms
        if len(recorded) == RECORDINGS_AN_HOUR and now_mono_ms < recorded[0] + HOUR_MS:
            self.asked, self.asked_mono_ms = NONE, now_mono_ms - RECORDING_MS  # the card is spared; told at once
            return []
        recorded.append(now_mono_ms)
        self.recordings += 1
        self.asked = f"foreign-{self.boot}-{self.recordings}"
        return [KeepRecording(self.asked)]

    def _tell_foreign(self, file: str, sha256: str) -> list[ConditionChanged]:
        self.asked = None
        detail = (("level", f"{self.level_db:.0f}"), ("file", file), ("sha256", sha256))
        return [ConditionChanged(FOREIGN, AIR, True, detail)]

    def _judge_ours(
        self, reading: OffAirReading, loud_db: float, airing: Airing | None, now_mono_ms: int
    ) -> list[ConditionChanged]:
        expected_db = loud_db + reading.sent_db - SENT_LOUD_DB
        is_ours = _is_ours(reading, expected_db)
        if is_ours and self._is_of_this_play(reading, airing, now_mono_ms):
            self.seen = True
        if is_ours:
            self._streak(SILENT, False)
            return [ConditionChanged(SILENT, AIR, False), *self._judge_clarity(reading, loud_db)]
        could_be = expected_db >= (SILENCE_DB if reading.noise_db is None else reading.noise_db) + ABOVE_NOISE_DB
        missing = is_ours is False and could_be and reading.sent_ms >= SILENT_AFTER_MS
        if self._streak(SILENT, missing) < SILENT_READINGS:
            return []
        if self._is_of_this_play(reading, airing, now_mono_ms):
            self.seen = False
        detail = (("found", f"{reading.heard_db:.0f}"), ("expected", f"{expected_db:.0f}"))
        return [ConditionChanged(SILENT, AIR, True, detail)]

    def _is_of_this_play(self, reading: OffAirReading, airing: Airing | None, now_mono_ms: int) -> bool:
        """Tell whether a reading speaks of the play that sounds, and not of one that ended just before it."""
        if airing is None or airing.sounds_since_mono_ms is None:
            return False
        sounds_ms = now_mono_ms - airing.sounds_since_mono_ms
        return reading.sent_ms <= sounds_ms + SLACK_MS or sounds_ms >= SILENT_AFTER_MS

    def _judge_clarity(self, reading: OffAirReading, loud_db: float) -> list[ConditionChanged]:
        if reading.sent_ms < WINDOW_MS:
            return []
        is_flat = reading.flat_share >= FLAT_SHARE
        is_noisy = reading.noise_db is not None and reading.noise_db > loud_db - NOISE_DB
        streak = self._streak(DISTORTED, is_flat or is_noisy)
        if abs(streak) < DISTORTED_READINGS:
            return []
        noise = NONE if reading.noise_db is None else f"{reading.noise_db:.0f}"
        detail = (("clipped", f"{100 * reading.flat_share:.0f}"), ("noise", noise))
        return [ConditionChanged(DISTORTED, AIR, streak > 0, detail)]


def _is_foreign(reading: OffAirReading, loud_db: float) -> bool:
    """Rule 3."""
    if reading.variety_db < VARIETY_LEAST_DB:
        return False
    if reading.sent_ms == 0:
        return reading.foreign_share >= FOREIGN_SHARE and reading.foreign_db >= loud_db - FOREIGN_BELOW_DB
    if reading.flat_share >= FLAT_SHARE and reading.match is not None and reading.match >= MATCH_NOT_OURS:
        return False  # ours, and what its peaks that are cut off make of it
    unlike = reading.match is None or reading.match < BESIDE_MATCH
    return unlike and reading.foreign_share >= BESIDE_SHARE and reading.foreign_db >= loud_db - BESIDE_BELOW_DB


def _is_ours(reading: OffAirReading, expected_db: float) -> bool | None:
    """Rule 1; None where that cannot be told."""
    if reading.match is None:
        if reading.sent_ms < WINDOW_MS:
            return None
        above_db = reading.heard_db - expected_db
        return True if above_db >= -TONE_HEARD_DB else False if above_db < -TONE_LOST_DB else None
    if reading.match >= (MATCH_EARLY if reading.sent_ms < EARLY_MS else MATCH_OURS):
        return True
    return False if reading.match < MATCH_NOT_OURS else None
