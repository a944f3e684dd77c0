"""The mute key: silence at once, for so long at the most, but never for an alert; and the log tells it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import ByHand, alert, moves, programme, slot
from tests.core.test_microphone import Pole, settings
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import ToneOrder
from ttcs_edge.core.model import AsRun, Fault, LocalUser, Severity, WallMs, Way
from ttcs_edge.core.mute import HELD_MOST_MS, PRESSES_MOST, PRESSES_MS

MOST_MS = 1_500_000
MORNING = programme([slot("tin", "05:00:00")])
MUTED = ("muted", "mute")
STUCK = ("mute-key-stuck", "mute")


class Box(Pole):
    """A station with a microphone and a mute key, which are up."""

    def __init__(self, *programmes: Any, mute_down: bool = False, way: Way = Way.INPUT, **others: Any) -> None:
        with_key = replace(others.pop("settings", settings(way)), mute_most_ms=MOST_MS)
        super().__init__(*programmes, settings=with_key, **others)
        self.tell(events.MuteKeyChanged(mute_down))

    def push(self) -> None:
        """A hand presses the mute key, and lets it go."""
        self.tell(events.MuteKeyChanged(True))
        self.wait(200)
        self.tell(events.MuteKeyChanged(False))

    @property
    def trail(self) -> list[tuple[str, str]]:
        """What the audit trail tells of the key."""
        told = [one for one in self.entries(effects.Audited) if one.deed in ("muted", "unmuted")]
        return [(one.deed, dict(one.detail)["reason"]) for one in told]

    @property
    def slots(self) -> list[AsRun]:
        """The records of slots."""
        return [one.record for one in self.entries(effects.AsRunClosed) if ":" not in one.record.occurrence.slot]


def in_the_middle(if_interrupted: str = "resume", **others: Any) -> Box:
    """A bulletin is heard for five seconds, and the key is pressed."""
    here = Box(programme([slot("tin", "05:00:00", if_interrupted=if_interrupted)]), **others)
    here.wait_until("2026-11-24T05:00:00")
    here.wait(5_000)
    here.push()
    return here


def test_a_press_silences_what_is_heard_and_the_next_press_lets_it_go_on_where_it_was_cut() -> None:
    """air-2: faded out in a tenth of a second, everything goes down, and up again."""
    here = in_the_middle()
    (fade,) = [one for _, one in here.log if isinstance(one, effects.StopSound)]
    here.wait(60_000)
    assert here.words[-1] == "amplifier off"
    assert (fade.fade_out_ms, here.faults, here.told) == (100, [MUTED], [])

    here.push()
    here.wait(10_000)
    resumed = [one for _, one in here.log if isinstance(one, effects.StartSound)][-1]
    assert 4_000 < resumed.from_ms < 6_000
    assert here.faults == [] and here.trail == [("muted", "key"), ("unmuted", "key")]
    here.sound_ends()
    assert here.told == [("tin", "aired", None)]
    assert here.slots[0].interruptions == 1


@pytest.mark.parametrize(("if_interrupted", "from_ms"), [("restart", 0), ("drop", None)])
def test_what_is_muted_goes_on_as_its_slot_says(if_interrupted: str, from_ms: int | None) -> None:
    """never-9: what is dropped is told as part, and why."""
    here = in_the_middle(if_interrupted)
    here.wait(30_000)
    assert here.told == ([] if from_ms == 0 else [("tin", "part", "muted")])
    here.push()
    here.wait(10_000)
    starts = [one.from_ms for _, one in here.log if isinstance(one, effects.StartSound)]
    assert starts == ([0, 0] if from_ms == 0 else [0])


def test_what_is_due_while_the_station_is_muted_waits_for_half_an_hour() -> None:
    """As behind another cue; no silence is told as a fault: somebody wanted it."""
    here = Box(MORNING)
    here.wait_until("2026-11-24T04:50:00")
    here.push()
    here.wait_until("2026-11-24T05:10:00")
    assert "sound" not in here.words and here.faults == [MUTED]
    here.push()
    here.wait(5_000)
    assert here.words[-1] == "sound"
    assert here.faults == []


def test_what_waits_too_long_is_missed_because_it_was_muted() -> None:
    """The mute is renewed, and the half hour of the cue is over."""
    here = Box(MORNING)
    here.wait_until("2026-11-24T04:58:00")
    here.push()
    here.wait_until("2026-11-24T05:20:00")
    here.push()
    here.push()
    here.wait_until("2026-11-24T05:31:00")
    assert here.told == [("tin", "missed", "muted")]
    assert here.faults == [MUTED], "what somebody wanted so is no fault of its slot"


def test_it_ends_by_itself() -> None:
    """Who pressed it has gone home; what was cut off goes on."""
    here = in_the_middle()
    here.wait(MOST_MS - 1_000)
    assert here.faults == [MUTED]
    here.wait(10_000)
    assert here.faults == []
    assert here.trail == [("muted", "key"), ("unmuted", "time-limit")]
    assert here.words[-1] == "sound"


def test_an_alert_is_heard_and_silence_comes_back_behind_it() -> None:
    """air-5: an alert is never whispered, nor muted; a press under it does not touch it."""
    here = in_the_middle()
    here.warned()
    here.wait(5_000)
    assert here.words[-1] == "sound"
    here.push()
    here.push()
    here.wait(1_000)
    assert here.words[-1] == "sound"
    while here.station.desk.rows.warns:
        play = here.plays[-1]
        command = [one for _, one in here.log if isinstance(one, effects.StartSound)][-1]
        here.tell(events.SoundEnded(play, True, tuple(item.duration_ms for item in command.items), None))
        here.wait(2_000)
    here.wait(60_000)
    assert here.words[-1] == "amplifier off" and here.faults == [MUTED]
    assert [one for one in here.told if one[0] == "tin"] == []


@pytest.mark.parametrize("way", [Way.INPUT, Way.MIXER])
def test_who_speaks_is_muted_too_and_heard_again_while_the_key_is_down(way: Way) -> None:
    """The loudspeaker howls: that is what the key is for."""
    here = Box(way=way)
    here.press()
    here.wait(5_000)
    here.push()
    here.wait(5_000)
    assert here.words[-1] in ("cho open", "mixer open")
    here.push()
    here.wait(5_000)
    assert here.words[-1] == ("input" if way is Way.INPUT else "mixer closed")
    here.let_go()
    assert here.told == [("microphone:key", "aired", None)]
    assert here.talk.interruptions == 1


def test_who_lets_the_microphone_go_while_it_is_muted_was_heard_in_part() -> None:
    """The reason is the mute, and no other voice."""
    here = Box()
    here.press()
    here.wait(5_000)
    here.push()
    here.wait(1_000)
    here.let_go()
    assert here.told == [("microphone:key", "part", "muted")]


def test_a_test_tone_is_refused_while_the_station_is_muted() -> None:
    """Who asked for it is told why."""
    here = Box(MORNING)
    here.push()
    (answer,) = here.order(test_tone=ToneOrder(zone="cho", seconds=3))
    assert (answer.outcome, answer.reason) == ("refused", "muted")


def test_it_needs_no_time() -> None:
    """air-7."""
    here = Box(trusted=False)
    here.press()
    here.wait(5_000)
    here.push()
    here.wait(5_000)
    assert "amplifier on" in here.words and here.words[-1] != "input"


def test_a_key_that_is_held_too_long_mutes_no_more_and_is_a_fault_until_it_is_let_go() -> None:
    """Something leans on it. Then it counts again."""
    here = Box(MORNING)
    here.tell(events.MuteKeyChanged(True))
    here.wait(HELD_MOST_MS - 100)
    assert here.faults == [MUTED]
    here.wait(200)
    assert here.faults == [STUCK]
    assert here.trail == [("muted", "key"), ("unmuted", "mute-key-stuck")]
    here.tell(events.MuteKeyChanged(False))
    assert here.faults == []
    here.push()
    assert here.faults == [MUTED]


def test_a_key_that_is_down_at_the_start_mutes_nothing() -> None:
    """A short on its wire must not silence a village with each power cut."""
    here = Box(MORNING, mute_down=True)
    here.wait_until("2026-11-24T05:00:01")
    assert here.words[-1] == "sound"
    assert here.faults == [STUCK] and here.trail == []
    here.tell(events.MuteKeyChanged(False))
    assert here.faults == []


def test_a_loose_contact_is_no_hand() -> None:
    """never-8: a thousand presses make a handful of entries, the station is heard, and it counts again after a rest."""
    here = Box(MORNING)
    for _ in range(1_000):
        here.push()
        here.wait(100)
    assert here.faults == [STUCK]
    assert len(here.trail) == PRESSES_MOST and here.trail[-1] == ("unmuted", "mute-key-stuck")
    here.wait(PRESSES_MS - 1_000)
    assert here.faults == [STUCK]
    here.wait(2_000)
    assert here.faults == []
    here.push()
    assert here.faults == [MUTED]


def test_a_restart_ends_it() -> None:
    """The fault of the life before is cleared; that of the key stands until it is known to be up."""
    before = tuple(
        Fault(f"1-f{n}", code, "mute", Severity.WARNING, (), WallMs(1)) for n, (code, _) in enumerate((MUTED, STUCK))
    )
    here = ByHand(MORNING, settings=replace(settings(), mute_most_ms=MOST_MS), boot=2, open_faults=before)
    assert here.faults == [STUCK]
    here.tell(events.MuteKeyChanged(False))
    assert here.faults == []


def test_a_station_without_the_key_is_never_muted() -> None:
    """Whatever somebody says of it."""
    here = Pole(MORNING)
    here.tell(events.MuteKeyChanged(False))
    here.tell(events.MuteKeyChanged(True))
    here.wait_until("2026-11-24T05:00:01")
    assert [word for _, word in moves(here.log)][-1] == "sound"
    assert here.faults == []


ROOT = LocalUser(0, "root")


def by_command(here: ByHand) -> list[tuple[str, str, LocalUser | None]]:
    """What the audit trail tells of silence, and who wanted it."""
    told = [one for one in here.entries(effects.Audited) if one.deed in ("muted", "unmuted")]
    return [(one.deed, dict(one.detail)["reason"], one.by) for one in told]


def test_a_command_mutes_as_the_key_does_for_as_long_as_was_asked() -> None:
    """Also where there is no key; what is due waits, nothing but the fault is told, and it is over by itself."""
    here = ByHand(MORNING)
    here.wait_until("2026-11-24T04:55:00")
    here.tell(events.MuteAsked(600_000, ROOT))
    here.wait_until("2026-11-24T05:04:59")
    assert "sound" not in [word for _, word in moves(here.log)] and here.faults == [MUTED]
    assert {dict(one.detail)["minutes"] for one in here.station.faults.open.values()} == {"10"}
    here.wait_until("2026-11-24T05:05:05")
    assert moves(here.log)[-1][1] == "sound" and here.faults == []
    assert by_command(here) == [("muted", "command", ROOT), ("unmuted", "time-limit", None)]


def test_an_alert_is_heard_while_a_command_mutes() -> None:
    """air-5: an alert asks nobody."""
    here = ByHand(civil="2026-11-24T04:01:00")
    here.tell(events.MuteAsked(600_000, ROOT))
    here.warn(alert())
    here.wait(5_000)
    assert moves(here.log)[-1][1] == "sound"


def test_key_and_command_end_each_others_silence() -> None:
    """There is one silence: who ends it need not know who began it."""
    here = Box()
    here.tell(events.MuteAsked(600_000, ROOT))
    here.push()
    here.push()
    here.tell(events.MuteAsked(0, ROOT))
    here.tell(events.MuteAsked(0, ROOT))
    assert here.faults == []
    assert by_command(here) == [
        ("muted", "command", ROOT),
        ("unmuted", "key", None),
        ("muted", "key", None),
        ("unmuted", "command", ROOT),
    ]


def test_a_key_that_is_stuck_does_not_end_what_a_command_has_muted() -> None:
    """Nobody pressed it."""
    here = Box(mute_down=True)
    here.tell(events.MuteAsked(600_000, ROOT))
    here.wait(300_000)
    assert sorted(here.faults) == sorted([MUTED, STUCK])
    here.wait(300_001)
    assert here.faults == [STUCK]


def test_silence_that_was_asked_for_again_counts_from_then_on() -> None:
    """And never longer than was asked for last."""
    here = ByHand()
    here.tell(events.MuteAsked(600_000, ROOT))
    here.wait(500_000)
    here.tell(events.MuteAsked(120_000, ROOT))
    here.wait(119_000)
    assert here.faults == [MUTED]
    here.wait(1_001)
    assert here.faults == []
