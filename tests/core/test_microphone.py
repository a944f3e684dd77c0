"""The microphone: who holds its key down speaks, whatever else is due, and nobody can keep the air for ever."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import HOUR_MS, SETTINGS, ByHand, alert, moves, programme, slot
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import StopOrder
from ttcs_edge.core.model import (
    AsRun,
    Fault,
    Inlet,
    Microphone,
    Outcome,
    QuietHours,
    Severity,
    StationSettings,
    WallMs,
    Way,
    ZoneId,
)
from ttcs_edge.core.trust import utc_text

MOST_MS = 60_000
TALK = "microphone:key"
MORNING = programme([slot("tin", "05:00:00")])


def settings(way: Way = Way.INPUT, **others: Any) -> StationSettings:
    """A station with a microphone for its first zone, for a minute at the most."""
    zones = others.pop("zones", (ZoneId("cho"),))
    quiet = others.pop("in_quiet_hours", False)
    return replace(SETTINGS, microphone=Microphone(zones, Inlet(way, MOST_MS), 80, quiet), **others)


class Pole(ByHand):
    """A station whose key is up, and whose sounds begin and end as they are told to."""

    def __init__(self, *programmes: Any, way: Way = Way.INPUT, key_down: bool = False, **others: Any) -> None:
        self.plays: list[int] = []
        self.begun_ms = 0
        self.mixer_obeys = True
        self.begins = True
        super().__init__(*programmes, settings=others.pop("settings", settings(way)), **others)
        self.tell(events.KeyChanged(key_down))

    def tell(self, event: events.Event) -> list[effects.Effect]:
        """One event, and what follows of it by itself."""
        done = super().tell(event)
        for effect in done:
            match effect:
                case effects.SwitchMixer(play, True) if not self.mixer_obeys:
                    self.tell(events.RelayFailed("microphone", "GPIO6: reads 0 after 1"))
                    self.tell(events.SoundEnded(play, False, (0,), "relay"))
                case effects.StartInput() | effects.StartSound() | effects.SwitchMixer(closed=True):
                    self.plays.append(effect.play)
                    self.begun_ms = self.mono_ms
                    if self.begins:
                        self.tell(events.SoundStarted(effect.play, self.mono_ms * 1_000_000))
                case effects.StopSound(play) | effects.SwitchMixer(play, False) if play in self.plays:
                    heard_ms = self.mono_ms - self.begun_ms if self.begins else 0
                    self.tell(events.SoundEnded(play, False, (heard_ms,), None))
                case _:
                    pass
        return done

    def press(self) -> None:
        """The key goes down."""
        self.tell(events.KeyChanged(True))

    def let_go(self) -> None:
        """The key goes up."""
        self.tell(events.KeyChanged(False))

    @property
    def words(self) -> list[str]:
        """Every switch and sound so far."""
        return [word for _, word in moves(self.log)]

    def warned(self) -> None:
        """An alert comes."""
        self.warn(alert(sent=utc_text(self.wall_ms), expires=utc_text(self.wall_ms + HOUR_MS), zones=("dinh",)))

    @property
    def talk(self) -> AsRun:
        """The record of what was said."""
        (record,) = [one.record for one in self.entries(effects.AsRunClosed) if one.record.occurrence.slot == TALK]
        return record


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(
    ("way", "opened", "ended"), [(Way.INPUT, "input", "fade"), (Way.MIXER, "mixer closed", "mixer open")]
)
def test_who_holds_the_key_down_is_heard_until_it_is_let_go(way: Way, opened: str, ended: str, trusted: bool) -> None:
    """Amplifier, zone, way in; and back in the other order. Without programme and link, with or without the time."""
    here = Pole(way=way, trusted=trusted)
    here.press()
    here.wait(10_000)
    on_air = here.station.snapshot(here.now()).on_air
    assert on_air is not None and on_air.position_ms == (here.mono_ms - here.begun_ms if way is Way.MIXER else 0)
    here.let_go()
    here.wait(60_000)

    assert here.words == ["amplifier on", "cho closed", opened, ended, "cho open", "amplifier off"]
    assert here.told == [(TALK, "aired", None)]
    assert here.talk.zones == ("cho",)
    start_ms, end_ms = here.talk.start_ms, here.talk.end_ms
    assert start_ms is not None and end_ms is not None and 7_000 < end_ms - start_ms < 10_000
    assert {fault for fault in here.faults if fault != ("no-time", "clock")} == set()


def test_the_microphone_takes_the_air_from_a_bulletin_which_goes_on_where_it_was_cut() -> None:
    """air-1, air-2: exclusively, and state before is restored after."""
    here = Pole(MORNING)
    here.wait_until("2026-11-24T05:00:00")
    here.wait(5_000)
    here.press()
    here.wait(5_000)
    assert here.words[-1] == "input"
    here.let_go()
    here.wait(5_000)
    resumed = [effect for _, effect in here.log if isinstance(effect, effects.StartSound)][-1]

    assert here.told == [(TALK, "aired", None)]
    assert resumed.from_ms == 5_150, "a fake that begins when it is told, 150 ms ahead"
    assert resumed.items[0].bulletin == "tin"


def test_an_alert_takes_the_air_from_the_microphone_and_hands_it_back_while_the_key_is_down() -> None:
    """never-4. The record tells of one interruption."""
    here = Pole()
    here.press()
    here.wait(5_000)
    here.warned()
    here.wait(2_000)
    assert here.words[-1] == "sound"
    alert_play = here.plays[-1]
    while here.station.desk.rows.warns:
        here.tell(events.SoundEnded(here.plays[-1], True, _whole(here), None))
        here.wait(2_000)
    assert here.plays[-1] > alert_play and here.words[-1] == "input"
    here.let_go()

    assert here.told[-1] == (TALK, "aired", None)
    assert here.talk.interruptions == 1


def _whole(here: ByHand) -> tuple[int, ...]:
    command = [effect for _, effect in here.log if isinstance(effect, effects.StartSound)][-1]
    return tuple(item.duration_ms for item in command.items)


def test_a_key_that_is_let_go_while_an_alert_has_the_air_says_no_more() -> None:
    """Part of it was heard, and the log tells until when."""
    here = Pole()
    here.press()
    here.wait(5_000)
    here.warned()
    lost_ms = here.wall_ms
    here.wait(2_000)
    here.let_go()
    assert (TALK, "part", "pre-empted") in here.told
    assert here.talk.end_ms == lost_ms


def test_a_key_that_is_let_go_before_the_air_is_handed_back_says_no_more() -> None:
    """never-9. The alert is over, the player is told to listen, and nothing of that was heard."""
    here = Pole()
    here.press()
    here.wait(5_000)
    here.warned()
    here.wait(2_000)
    while here.words[-1] != "input":
        here.begins = not here.station.desk.rows.warns
        here.tell(events.SoundEnded(here.plays[-1], True, _whole(here), None))
        here.begins = False
        here.wait(2_000)
    here.let_go()
    assert here.told[-1] == (TALK, "part", "pre-empted")


def test_a_key_that_is_let_go_in_the_very_moment_in_which_the_way_opens_is_told_as_let_go() -> None:
    """Not a millisecond was heard, and nothing is wrong with the sound device."""
    here = Pole()
    here.press()
    while not here.plays:
        here.wait(10)
    here.mono_ms = here.begun_ms
    here.let_go()
    assert here.told == [(TALK, "part", "let-go")]


def test_a_bulletin_does_not_take_the_air_from_the_microphone() -> None:
    """It is due in the middle, and airs behind it."""
    here = Pole(MORNING)
    here.wait_until("2026-11-24T04:59:55")
    here.press()
    here.wait(20_000)
    assert "sound" not in here.words
    here.let_go()
    here.wait(3_000)
    assert here.words[-1] == "sound"


def test_a_key_that_is_down_for_too_long_hands_the_air_back_and_is_a_fault_until_it_is_let_go() -> None:
    """Then it counts again."""
    here = Pole()
    here.press()
    here.wait(MOST_MS + 30_000)
    assert here.told == [(TALK, "part", "time-limit")]
    assert here.words[-3:] == ["fade", "cho open", "amplifier off"]
    assert here.faults == [("microphone-stuck", "microphone")]
    here.let_go()
    assert here.faults == []
    here.press()
    here.wait(5_000)
    assert here.words[-1] == "input"


def test_a_key_that_is_down_when_the_station_begins_takes_no_air() -> None:
    """A short on its wire, and a power cut every hour: it must not speak to the village each time."""
    here = Pole(key_down=True)
    here.wait(2 * MOST_MS)
    assert here.words == []
    assert here.faults == [("microphone-stuck", "microphone")]
    here.let_go()
    here.press()
    here.wait(5_000)
    assert here.words[-1] == "input"
    assert here.faults == []


@pytest.mark.parametrize(("with_key", "left"), [(True, [("microphone-stuck", "microphone")]), (False, [])])
def test_a_key_that_was_stuck_before_the_start_is_one_fault_until_it_is_let_go(with_key: bool, left: Any) -> None:
    """Nobody is told that it is well, and then that it is not. Where there is no microphone any more, it is over."""
    before = Fault("1-f7", "microphone-stuck", "microphone", Severity.ERROR, (), WallMs(1))
    here = Pole(key_down=True, open_faults=(before,), boot=2, settings=settings() if with_key else SETTINGS)
    here.wait(MOST_MS)
    assert here.faults == left
    assert here.entries(effects.FaultRaised) == []
    here.let_go()
    assert here.faults == []
    assert [one.fault.id for one in here.entries(effects.FaultCleared)] == ["1-f7"]


def test_a_key_that_is_let_go_before_the_way_is_open_was_not_heard() -> None:
    """The amplifier warms up for two seconds; everything goes down again."""
    here = Pole()
    here.press()
    here.wait(1_000)
    here.let_go()
    here.wait(60_000)

    assert here.told == [(TALK, "missed", "let-go")]
    assert here.words == ["amplifier on", "amplifier off"]
    assert here.faults == []


@pytest.mark.parametrize(("in_quiet_hours", "told"), [(False, [(TALK, "missed", "quiet-hours")]), (True, [])])
def test_quiet_hours_silence_the_microphone_unless_the_config_lets_it_through(in_quiet_hours: bool, told: Any) -> None:
    """air-5."""
    quiet = settings(quiet_hours=(QuietHours(0, 300),), in_quiet_hours=in_quiet_hours)
    here = Pole(settings=quiet, civil="2026-11-24T03:00:00")
    here.press()
    here.wait(5_000)
    assert here.told == told
    assert ("input" in here.words) is in_quiet_hours


def test_without_the_time_nobody_knows_of_quiet_hours() -> None:
    """air-7: the microphone works."""
    here = Pole(settings=settings(quiet_hours=(QuietHours(0, 300),)), civil="2026-11-24T03:00:00", trusted=False)
    here.press()
    here.wait(5_000)
    assert here.words[-1] == "input"


def test_what_comes_by_the_mixer_is_on_disk_once_a_second() -> None:
    """No samples are counted, but time is: a power cut makes the log short by a second at the most."""
    here = Pole(way=Way.MIXER)
    here.press()
    here.wait(10_000)
    opened = here.entries(effects.AsRunOpened)[0].record
    positions = [one.record for one in here.entries(effects.AsRunPosition)]
    heard_ms = here.mono_ms - here.begun_ms
    assert opened.start_ms is not None
    assert [(one.end_ms or 0) - opened.start_ms for one in positions] == list(range(1_000, heard_ms + 1, 1_000))
    assert heard_ms > 6_000

    cut = Pole(way=Way.MIXER, boot=2, open_as_run=(positions[-1],)).talk
    assert (cut.outcome, cut.end_ms) == (Outcome.CUT, positions[-1].end_ms)
    here.let_go()
    here.wait(3_000)
    assert len(here.entries(effects.AsRunPosition)) == len(positions), "nothing is heard any more"


def test_the_mixer_s_way_needs_no_player() -> None:
    """It dies in the middle, and before the next talk: the person is heard."""
    here = Pole(way=Way.MIXER)
    here.press()
    here.wait(5_000)
    here.tell(events.PlayerGone("died", 0))
    here.wait(5_000)
    assert here.words[-1] == "mixer closed"
    here.let_go()
    here.press()
    here.wait(5_000)
    assert here.words[-1] == "mixer closed"
    here.let_go()
    assert here.told == [(TALK, "aired", None)] * 2


def test_the_mixer_s_way_does_not_wait_for_the_player_that_a_bulletin_lost() -> None:
    """A bulletin that lost its player holds the relays for three seconds; who speaks past the player does not wait."""
    here = Pole(MORNING, way=Way.MIXER)
    here.wait_until("2026-11-24T05:00:10")
    here.tell(events.PlayerGone("died", 9_000))
    here.press()
    here.wait(1_000)
    assert here.words[-1] == "mixer closed"


def test_the_mixer_opens_when_the_key_is_let_go_whatever_became_of_the_player() -> None:
    """A bulletin was cut by who speaks, and cannot go on: the player died."""
    here = Pole(MORNING, way=Way.MIXER)
    here.wait_until("2026-11-24T05:00:10")
    here.press()
    here.wait(1_000)
    here.tell(events.PlayerGone("died", 0))
    assert here.words[-1] == "mixer closed"
    here.let_go()
    assert here.words[-1] == "mixer open"
    assert here.told == [(TALK, "aired", None)]


def test_the_input_s_way_waits_for_the_player_and_goes_on() -> None:
    """The key is still down."""
    here = Pole()
    here.press()
    here.wait(5_000)
    here.tell(events.PlayerGone("died", 2_000))
    here.wait(1_000)
    here.tell(events.PlayerReady("by hand", 2))
    here.wait(1_000)
    assert here.words[-1] == "input"
    here.let_go()
    assert here.told == [(TALK, "aired", None)]
    assert here.talk.interruptions == 1


def test_an_input_that_gives_nothing_is_a_fault_until_one_speaks_again() -> None:
    """The plug was pulled."""
    here = Pole()
    here.press()
    here.wait(5_000)
    here.tell(events.SoundEnded(here.plays[-1], False, (2_000,), "sound-input"))
    assert here.told == [(TALK, "part", "sound-input")]
    assert here.faults == [("sound-input", "microphone")]
    here.let_go()
    here.press()
    here.wait(5_000)
    assert here.faults == []


def test_a_mixer_s_relay_that_does_not_close_is_a_fault_and_is_told_to_open() -> None:
    """Tried again at the next press."""
    here = Pole(way=Way.MIXER)
    here.mixer_obeys = False
    here.press()
    here.wait(5_000)
    assert here.told == [(TALK, "missed", "relay")]
    assert here.faults == [("relay", "microphone")]
    here.wait(60_000)
    assert here.words.count("mixer open") == 1
    assert here.words[-1] == "amplifier off"
    here.mixer_obeys = True
    here.let_go()
    here.press()
    here.wait(5_000)
    assert here.words[-1] == "mixer closed"
    assert here.faults == []


def test_the_centre_can_end_a_talk_which_does_not_come_back_while_the_key_is_down() -> None:
    """Stopped by command."""
    here = Pole()
    here.press()
    here.wait(5_000)
    here.order(stop=StopOrder())
    here.wait(20_000)
    assert here.told == [(TALK, "part", "stopped-by-command")]
    assert here.words[-1] == "amplifier off"


def test_a_station_that_leaves_ends_the_talk() -> None:
    """Everything is open."""
    here = Pole()
    here.press()
    here.wait(5_000)
    here.tell(events.StopRequested())
    here.wait(5_000)
    assert here.told == [(TALK, "part", "stopped")]
    assert here.left
    assert here.words[-2:] == ["cho open", "amplifier off"]


def test_a_key_without_a_microphone_does_nothing() -> None:
    """The config names none."""
    here = Pole(settings=SETTINGS)
    here.press()
    here.wait(5_000)
    assert here.words == []
    assert here.faults == []
