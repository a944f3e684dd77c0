"""The off-air monitor's readings become conditions: what is ours, what is missing, and what is foreign."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.core.material import SETTINGS
from ttcs_edge.core.asrun import Airing
from ttcs_edge.core.effects import KeepRecording
from ttcs_edge.core.events import ConditionChanged, RecordingKept
from ttcs_edge.core.model import (
    Cue,
    IfInterrupted,
    Inlet,
    Occurrence,
    OffAirReading,
    Scope,
    WallMs,
    Way,
)
from ttcs_edge.core.monitor import (
    AIR,
    BESIDE_READINGS,
    DISTORTED,
    DISTORTED_READINGS,
    FOREIGN,
    FOREIGN_READINGS,
    HOUR_MS,
    LOST,
    MONITOR,
    QUIET_MS,
    RECORDING_MS,
    RECORDINGS_AN_HOUR,
    SILENT,
    SILENT_READINGS,
    WINDOW_MS,
    OffAirWitness,
)

LOUD = -20.0
QUIET = OffAirReading(0, -180.3, -70.0, -72.0, None, 0, -180.3, 0.0, 0.0, 0.0)
OURS = OffAirReading(9_000, -16.0, -20.5, -60.0, 0.85, 150, -180.3, 0.0, 0.0, 0.002)
NOTHING = replace(OURS, heard_db=-70.0, noise_db=-72.0, match=0.08)
FOREIGN_READ = replace(QUIET, heard_db=-19.0, foreign_db=-18.0, foreign_share=0.6, variety_db=6.5)
HISS = replace(FOREIGN_READ, variety_db=1.2)
FAR = replace(FOREIGN_READ, foreign_db=-36.0)
BESIDE = replace(OURS, match=0.5, foreign_db=-17.0, foreign_share=0.12, variety_db=6.0)
STEP_MS = 500


def airing(way: Way | None = None, sounds_since_mono_ms: int | None = 0, play: int = 1) -> Airing:
    """A cue on the air."""
    inlet = None if way is None else Inlet(way, 60_000)
    occurrence = Occurrence(Scope("vn"), "sang", "2026-11-30T05:00:00")
    cue = Cue(
        occurrence=occurrence,
        title="Bản tin",
        planned_ms=WallMs(0),
        late_until_ms=WallMs(0),
        priority=(0, 5),
        zones=(SETTINGS.zones[0].id,),
        bulletins=(),
        items=(),
        volume_percent=100,
        if_interrupted=IfInterrupted.DROP,
        programme_version=1,
        inlet=inlet,
    )
    return Airing(cue, play=play, sounds_since_mono_ms=sounds_since_mono_ms)


class Life:
    """A witness that is told readings, one every half second."""

    def __init__(self) -> None:
        self.witness = OffAirWitness(replace(SETTINGS, loud_dbfs=LOUD), 7)
        self.mono_ms = 20_000
        self.asked: list[str] = []

    def hears(self, reading: OffAirReading, times: int = 1, on_air: Airing | None = None) -> list[ConditionChanged]:
        """Gives what the last of them says."""
        findings: list[ConditionChanged] = []
        for _ in range(times):
            self.mono_ms += STEP_MS
            findings, wanted = self.witness.heard(reading, on_air, self.mono_ms)
            for effect in wanted:
                assert isinstance(effect, KeepRecording)
                self.asked.append(effect.name)
        return [one for one in findings if one.code != LOST]

    def passes(self, by_ms: int) -> list[ConditionChanged]:
        """Time."""
        self.mono_ms += by_ms
        return self.witness.pass_time(self.mono_ms)


@pytest.fixture
def life() -> Life:
    """One in which nothing has been heard yet."""
    return Life()


class TestOurs:
    """What is sent is heard, or is not."""

    def test_what_is_like_ours_is_seen(self, life: Life) -> None:
        """Once; and there is no fault any more."""
        findings = life.hears(OURS, 1, airing())

        assert findings == [ConditionChanged(SILENT, AIR, False)]
        assert life.witness.seen is True

    def test_within_two_seconds_of_its_begin_more_likeness_is_asked_for(self, life: Life) -> None:
        """A second of a stranger's voice is soon like a second of ours."""
        early = replace(OURS, sent_ms=1_000, match=0.6)
        on_air = airing(sounds_since_mono_ms=20_000 - 500)

        assert life.hears(early, 1, on_air) == [] and life.witness.seen is None
        life.hears(replace(early, sent_ms=1_500, match=0.7), 1, on_air)
        assert life.witness.seen is True

    def test_a_reading_of_the_sound_before_does_not_witness_the_next(self, life: Life) -> None:
        """It may speak of that alone."""
        on_air = airing(sounds_since_mono_ms=20_000)
        life.hears(OURS, 1, on_air)

        assert life.witness.seen is None

    def test_what_is_sent_and_not_heard_is_told_after_some_seconds(self, life: Life) -> None:
        """With what was found, and what should have been."""
        assert life.hears(NOTHING, SILENT_READINGS - 1, airing()) == []
        assert life.hears(NOTHING, 1, airing()) == [
            ConditionChanged(SILENT, AIR, True, (("found", "-70"), ("expected", "-20")))
        ]
        assert life.witness.seen is False
        assert life.hears(OURS, 1, airing()) == [ConditionChanged(SILENT, AIR, False)]

    def test_what_is_whispered_into_noise_is_not_missed(self, life: Life) -> None:
        """At a volume at which it could not be heard nobody knows."""
        whisper = replace(NOTHING, sent_db=-50.0, noise_db=-55.0)

        assert life.hears(whisper, 20, airing()) == [] and life.witness.seen is None

    def test_a_steady_tone_is_known_by_its_level(self, life: Life) -> None:
        """It has no ups and downs."""
        tone = replace(OURS, match=None)
        assert life.hears(tone, 1, airing()) == [ConditionChanged(SILENT, AIR, False)]
        assert life.hears(replace(tone, heard_db=-35.0), 20, airing()) == []
        (told,) = life.hears(replace(tone, heard_db=-70.0), 20, airing())
        assert (told.code, told.present) == (SILENT, True)

    def test_a_tone_that_just_began_is_not_yet_known(self, life: Life) -> None:
        """Whatever was on the air before may be as loud."""
        assert life.hears(replace(OURS, match=None, sent_ms=700), 3, airing()) == []
        assert life.witness.seen is None


class TestDistorted:
    """It is ours, and not well."""

    @pytest.mark.parametrize("bad", [replace(OURS, flat_share=0.11), replace(OURS, noise_db=-28.0)])
    def test_it_is_told_after_a_while_and_cleared_after_as_long(self, life: Life, bad: OffAirReading) -> None:
        """Peaks cut off, or noise."""
        good = [ConditionChanged(SILENT, AIR, False)]
        assert life.hears(bad, DISTORTED_READINGS - 1, airing()) == good
        told = life.hears(bad, 1, airing())[1]
        assert (told.code, told.present) == (DISTORTED, True)
        assert life.hears(OURS, DISTORTED_READINGS - 1, airing()) == good
        assert not life.hears(OURS, 1, airing())[1].present


class TestForeign:
    """Somebody else is on the air."""

    def test_it_is_recorded_and_then_told(self, life: Life) -> None:
        """The fault names the file, which is on the card by then."""
        assert life.hears(FOREIGN_READ, FOREIGN_READINGS) == []
        assert life.asked == ["foreign-7-1"]
        kept = RecordingKept("foreign-7-1", "foreign-7-1.wav", "ab" * 32)
        assert life.witness.recorded(kept) == [
            ConditionChanged(FOREIGN, AIR, True, (("level", "-18"), ("file", "foreign-7-1.wav"), ("sha256", "ab" * 32)))
        ]
        assert life.hears(FOREIGN_READ, 50) == [] and life.asked == ["foreign-7-1"]

    def test_it_is_told_in_time_though_no_recording_comes(self, life: Life) -> None:
        """A process that hangs, a card that hangs."""
        life.hears(FOREIGN_READ, FOREIGN_READINGS)
        assert life.witness.wake_mono_ms() == life.mono_ms + RECORDING_MS
        assert life.passes(RECORDING_MS) == [
            ConditionChanged(FOREIGN, AIR, True, (("level", "-18"), ("file", "-"), ("sha256", "-")))
        ]
        late = RecordingKept("foreign-7-1", "foreign-7-1.wav", "ab" * 32)
        assert life.witness.recorded(late) == []

    def test_a_recording_that_cannot_be_kept_is_told_as_none(self, life: Life) -> None:
        """A full card."""
        life.hears(FOREIGN_READ, FOREIGN_READINGS)
        (told,) = life.witness.recorded(RecordingKept("foreign-7-1", error="no space"))
        assert dict(told.detail)["file"] == "-"

    def test_it_is_over_after_a_minute_without(self, life: Life) -> None:
        """And the next one is news, with a recording of its own."""
        life.hears(FOREIGN_READ, FOREIGN_READINGS)
        life.witness.recorded(RecordingKept("foreign-7-1", "a.wav", "0"))
        assert life.passes(QUIET_MS - 1) == []
        assert life.passes(1) == [ConditionChanged(FOREIGN, AIR, False)]
        life.hears(QUIET, 5)
        life.hears(FOREIGN_READ, FOREIGN_READINGS)
        assert life.asked == ["foreign-7-1", "foreign-7-2"]

    def test_nobody_listens_and_so_it_is_not_over(self, life: Life) -> None:
        """Until somebody does again."""
        life.hears(FOREIGN_READ, FOREIGN_READINGS)
        life.witness.recorded(RecordingKept("foreign-7-1", "a.wav", "0"))
        life.witness.failed()
        assert life.passes(10 * QUIET_MS) == [] and life.witness.wake_mono_ms() is None
        life.hears(QUIET)
        assert life.passes(0) == [ConditionChanged(FOREIGN, AIR, False)]

    @pytest.mark.parametrize("reading", [QUIET, HISS, FAR, replace(FOREIGN_READ, foreign_share=0.1)])
    def test_what_is_no_hijack_wakes_nobody(self, life: Life, reading: OffAirReading) -> None:
        """Silence, a receiver without squelch, a neighbour's karaoke, a bird."""
        assert life.hears(reading, 100) == [] and life.asked == []

    def test_foreign_sound_beside_ours_is_told(self, life: Life) -> None:
        """Also while a bulletin sounds; what is like ours is not foreign."""
        life.hears(replace(BESIDE, match=0.8), 50, airing())
        assert life.asked == []
        life.hears(BESIDE, BESIDE_READINGS, airing())
        assert life.asked == ["foreign-7-1"]

    def test_who_speaks_past_the_player_is_no_stranger(self, life: Life) -> None:
        """The microphone that a relay lets into the amplifier, and for as long as the last of it is looked back on."""
        life.hears(FOREIGN_READ, 50, airing(Way.MIXER))
        life.hears(FOREIGN_READ, WINDOW_MS // STEP_MS)
        assert life.asked == []
        life.hears(FOREIGN_READ, FOREIGN_READINGS)
        assert life.asked == ["foreign-7-1"]

    def test_a_hijacker_who_comes_and_goes_does_not_wear_the_card_out(self, life: Life) -> None:
        """So many recordings an hour; what is beyond them is told at once, without one."""
        for _ in range(RECORDINGS_AN_HOUR + 1):
            life.hears(FOREIGN_READ, FOREIGN_READINGS)
            if life.witness.asked in life.asked:
                life.witness.recorded(RecordingKept(life.asked[-1], "a.wav", "0"))
            else:
                (told,) = life.passes(0)
            life.passes(QUIET_MS)
            life.hears(QUIET, 10)
        assert len(life.asked) == RECORDINGS_AN_HOUR
        assert (told.code, dict(told.detail)["file"]) == (FOREIGN, "-")
        life.passes(HOUR_MS)
        life.hears(FOREIGN_READ, FOREIGN_READINGS)
        assert len(life.asked) == RECORDINGS_AN_HOUR + 1


class TestWithout:
    """No monitor, and an earlier life."""

    def test_a_station_without_one_does_nothing(self) -> None:
        """And clears what an earlier life left open, for nothing else can."""
        witness = OffAirWitness(SETTINGS, 1)
        assert witness.heard(FOREIGN_READ, None, 1) == ([], [])
        assert witness.wake_mono_ms() is None and witness.pass_time(10**9) == []
        assert witness.remember([(FOREIGN, AIR), ("relay", "cho"), (LOST, MONITOR)], 0) == [
            (FOREIGN, AIR),
            (LOST, MONITOR),
        ]

    def test_a_hijack_that_an_earlier_life_told_is_cleared_by_this_one(self, life: Life) -> None:
        """Once this one has listened for a minute."""
        assert life.witness.remember([(FOREIGN, AIR), (SILENT, AIR)], life.mono_ms) == []
        assert life.passes(2 * QUIET_MS) == []
        life.hears(QUIET)
        assert life.passes(0) == [ConditionChanged(FOREIGN, AIR, False)]
