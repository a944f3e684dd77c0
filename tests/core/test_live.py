"""A live relay: heard while it comes, by its place among all else, and never what somebody held back."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import (
    HOUR_MS,
    PROVINCE,
    SETTINGS,
    STRANGER,
    ByHand,
    alert,
    at,
    moves,
    only,
    programme,
    signed,
    slot,
)
from ttcs_edge.core import effects, events
from ttcs_edge.core.asrun import settles
from ttcs_edge.core.documents import LiveSegment, Programme, StopOrder
from ttcs_edge.core.live import GONE_MS, KEPT_MS, LOST_MS, PATIENCE_MS
from ttcs_edge.core.model import Amplifier, AsRun, QuietHours
from ttcs_edge.core.trust import utc_text

SEGMENT_MS = 500
LIVE = "live:voh"
EVENING = programme([slot("tin", "05:00:00")])
RELAYED = programme([slot("tiep-song", "05:00:00", "nhac", live="voh", priority=5)])


class Pole(ByHand):
    """A station to which a centre speaks, whose sounds begin and end as they are told to; time passes in segments."""

    def __init__(self, *programmes: Programme, **others: Any) -> None:
        self.plays: dict[int, int] = {}
        self.sounds: int | None = None
        self.began_ms: dict[str, int] = {}
        self.number = 0
        super().__init__(*programmes, **others)

    def tell(self, event: events.Event) -> list[effects.Effect]:
        """One event, and what follows of it by itself."""
        done = super().tell(event)
        for effect in done:
            match effect:
                case effects.StartLive(_, play) | effects.StartSound(_, play):
                    self.plays[play] = self.mono_ms
                    self.sounds = play
                    self.tell(events.SoundStarted(play, self.mono_ms * 1_000_000))
                case effects.StopSound(play):
                    self.end(play, completed=False)
                case _:
                    pass
        return done

    def end(self, play: int, completed: bool, failure: str | None = None) -> None:
        """A play is over."""
        self.sounds = None
        command = next(one for _, one in reversed(self.log) if getattr(one, "play", None) == play)
        starts = [one for _, one in self.log if isinstance(one, effects.StartSound) and one.play == play]
        items = starts[0].items if starts else (None,)
        assert command is not None
        whole = tuple(one.duration_ms for one in starts[0].items) if starts and completed else None
        spent_ms = max(1, self.mono_ms - self.plays[play])
        self.tell(events.SoundEnded(play, completed, whole or (spent_ms,) * len(items), failure))

    def segment(self, name: str = "voh", **others: Any) -> LiveSegment:
        """The next segment of a session that began when it is first asked for, in the words of its centre."""
        begun_ms = self.began_ms.setdefault(name, self.wall_ms)
        fields: dict[str, Any] = {
            "scope": PROVINCE,
            "id": name,
            "version": begun_ms,
            "number": self.number,
            "sent": utc_text(self.wall_ms),
            "expires": utc_text(self.wall_ms + 10_000),
            "until": utc_text(begun_ms + HOUR_MS),
            "title": "Thời sự",
            "priority": 5,
            "packets": (b64encode(b"opus").decode(),) * (SEGMENT_MS // 20),
        }
        self.number += 1
        return LiveSegment(**(fields | others))

    def speak(self, *signers: str, **others: Any) -> list[effects.Effect]:
        """A segment comes."""
        document = self.segment(**others)
        topic = (document.scope, document.id)
        return self.tell(events.LiveArrived(signed(document, *signers), topic))

    def speak_for(self, span_ms: int, **others: Any) -> None:
        """Segments come, each at its time."""
        for _ in range(span_ms // SEGMENT_MS):
            self.speak(**others)
            self.wait(SEGMENT_MS)

    @property
    def words(self) -> list[str]:
        """Every switch and sound so far."""
        return [word for _, word in moves(self.log)]

    @property
    def fed(self) -> list[int]:
        """The numbers of the segments that the player was given."""
        return [one.number for one in only([effect for _, effect in self.log], effects.FeedSound)]

    def record(self, name: str = LIVE) -> AsRun:
        """The one record of it."""
        (found,) = [one.record for one in self.entries(effects.AsRunClosed) if one.record.occurrence.slot == name]
        return found


def test_a_live_relay_is_heard_from_its_last_two_seconds_on_until_it_ends() -> None:
    """The way up takes 2.4 s: what came meanwhile is too old; nothing behind it is missing."""
    here = Pole()
    here.speak_for(10_000)
    assert here.words == ["amplifier on", "cho closed", "dinh closed", "live"]
    here.speak(last=True)
    assert here.sounds is not None
    here.end(here.sounds, completed=True)
    here.wait(30_000)

    assert here.told == [(LIVE, "aired", None)]
    assert here.fed == list(range(here.fed[0], 21))
    assert 1 <= here.fed[0] <= 3
    assert here.words[-1] == "amplifier off"
    assert here.record().title == "Thời sự"
    assert here.faults == []


def test_a_bulletin_of_its_own_priority_gives_way_to_it_and_goes_on_behind() -> None:
    """Bulletins can wait, what is said now cannot."""
    here = Pole(EVENING)
    here.wait_until("2026-11-24T05:00:00")
    here.wait(2_000)
    assert here.words[-1] == "sound"
    here.speak_for(5_000)
    assert here.words[-1] == "live"
    here.speak(last=True)
    assert here.sounds is not None
    here.end(here.sounds, completed=True)
    here.wait(1_000)
    assert here.words[-1] == "sound"
    assert here.told == [(LIVE, "aired", None)]


@pytest.mark.parametrize(("priority", "on_air"), [(4, "sound"), (6, "live")])
def test_it_has_the_air_by_its_priority(priority: int, on_air: str) -> None:
    """air-1."""
    here = Pole(EVENING)
    here.wait_until("2026-11-24T05:00:00")
    here.wait(2_000)
    here.speak_for(3_000, priority=priority)
    assert here.words[-1] == on_air


def test_an_alert_takes_the_air_from_it_and_gives_it_back() -> None:
    """never-4. What was said meanwhile is gone; what is said then is heard."""
    here = Pole()
    here.speak_for(5_000)
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS), zones=("cho",)))
    here.wait(1_000)
    assert here.words[-1] == "sound"
    while here.station.desk.rows.warns:
        assert here.sounds is not None
        here.end(here.sounds, completed=True)
        here.speak_for(1_000)
    here.speak_for(5_000)
    assert here.words[-1] == "live"
    here.speak(last=True)
    here.end(here.sounds or 0, completed=True)

    assert here.told[-1] == (LIVE, "aired", None)
    assert here.record().interruptions == 1


def test_a_session_that_falls_silent_is_a_fault_and_leaves_the_air_until_it_comes_again() -> None:
    """Three seconds without anything."""
    here = Pole()
    here.speak_for(5_000)
    here.wait(LOST_MS)
    here.end(here.sounds or 0, completed=False, failure="live-lost")
    assert here.faults == [("live-lost", "vn/lam-dong#live:voh")]
    here.wait(30_000)
    assert here.words[-1] == "amplifier off"
    here.speak_for(5_000)
    assert here.words[-1] == "live"
    assert here.faults == []
    here.speak(last=True)
    here.end(here.sounds or 0, completed=True)
    assert here.told == [(LIVE, "aired", None)]
    assert here.record().interruptions == 1


def test_nothing_of_it_is_heard_twice_or_late_when_it_comes_back() -> None:
    """never-6: what was played before a silence is not played behind it."""
    here = Pole()
    here.speak_for(5_000)
    here.wait(LOST_MS)
    here.end(here.sounds or 0, completed=False, failure="live-lost")
    here.wait(4_000)  # the amplifier is warm yet
    before = here.fed
    here.speak_for(5_000)
    assert here.words[-1] == "live"
    assert here.fed == [*before, *range(before[-1] + 1, here.number)]


def test_what_waited_for_longer_than_it_is_worth_is_not_played() -> None:
    """never-6: it came with nine seconds behind it, and the amplifier took its time."""
    here = Pole(settings=replace(SETTINGS, amplifier=Amplifier(2_000, 10_000)))
    here.wait(10_000)
    old_ms = here.wall_ms - 9_000
    here.speak(sent=utc_text(old_ms), expires=utc_text(old_ms + 10_000))
    here.wait(2_000)
    here.speak()
    here.wait(1_000)
    assert (here.words[-1], here.fed) == ("live", [1])


def test_a_station_that_loses_the_time_on_the_way_up_starts_nothing() -> None:
    """air-7: what it kept could be told from what is old only while there was time."""
    here = Pole()
    here.speak_for(1_500)
    assert here.words != []
    here.trusted = False
    here.wait(2_500)
    assert "live" not in here.words


def test_a_session_that_is_lost_when_the_power_fails_is_no_fault_behind_it() -> None:
    """It is told as cut, and nothing else would ever end the fault."""
    before = Pole()
    before.speak_for(5_000)
    before.wait(LOST_MS)
    before.end(before.sounds or 0, completed=False, failure="live-lost")
    (fault,) = before.station.faults.open.values()
    (opened,) = before.entries(effects.AsRunOpened)
    here = Pole(boot=2, open_faults=(fault,), open_as_run=(opened.record,))

    assert here.told == [(LIVE, "cut", "power")]
    assert here.faults == []
    assert [one.fault.id for one in here.entries(effects.FaultCleared)] == [fault.id]


def behind_a_cut(before: Pole, *programmes: Programme, off_ms: int = 10_000, **others: Any) -> Pole:
    """The power came back: what the card remembers, and a sender who spoke on."""
    opened = {one.record.id: one.record for one in before.entries(effects.AsRunOpened)}
    opened |= {one.record.id: one.record for one in before.entries(effects.AsRunPosition)}
    closed = [one.record for one in before.entries(effects.AsRunClosed)]
    remembered = {
        "open_as_run": tuple(one for key, one in opened.items() if key not in {record.id for record in closed}),
        "settled": tuple((one.occurrence, one.planned_start_ms) for one in closed if settles(one)),
        "watched_until_ms": before.entries(effects.WatchedUntil)[-1].wall_ms if programmes else None,
    }
    back = utc_text(before.wall_ms + off_ms + 7 * HOUR_MS).removesuffix("Z")
    here = Pole(*programmes, boot=before.station.boot + 1, civil=back, **(remembered | others))
    here.began_ms, here.number = before.began_ms, before.number + off_ms // SEGMENT_MS
    return here


def end(here: Pole) -> None:
    """Its sender says the last of it, and it is heard."""
    here.speak(last=True)
    here.end(here.sounds or 0, completed=True)


def test_the_rest_of_a_session_that_the_power_cut_off_is_heard_and_told_apart() -> None:
    """The power blinked for ten seconds in the middle of a meeting, and once more before anybody spoke."""
    before = Pole()
    before.speak_for(30_000)
    blinked = behind_a_cut(before, off_ms=5_000)
    assert blinked.told == [(LIVE, "cut", "power")]
    here = behind_a_cut(blinked, off_ms=5_000, open_as_run=())
    assert here.told == []
    here.speak_for(10_000)
    assert here.words[-1] == "live"
    end(here)

    assert here.told == [(LIVE, "aired", None)]
    (cut,), (rest,) = ([one.record for one in life.entries(effects.AsRunClosed)] for life in (blinked, here))
    assert cut.id != rest.id and cut.occurrence == rest.occurrence
    assert cut.end_ms is not None and rest.start_ms is not None and cut.end_ms < rest.start_ms
    assert here.fed[0] >= 80, "nothing is heard that was said before the power came back"
    assert here.faults == []


def test_the_rest_of_a_session_is_heard_behind_a_restart_of_the_service() -> None:
    """It is told as stopped, and then what was said from then on."""
    before = Pole()
    before.speak_for(10_000)
    before.tell(events.StopRequested())
    assert before.told == [(LIVE, "part", "stopped")]
    here = behind_a_cut(before)
    here.speak_for(10_000)
    end(here)
    assert here.told == [(LIVE, "aired", None)]


@pytest.mark.parametrize("reason", ["stopped-by-command", "time-limit", "aired"])
def test_what_was_ended_stays_ended_behind_a_restart(reason: str) -> None:
    """By the centre, by its own time, or to its end, and somebody speaks on."""
    before = Pole()
    until = utc_text(before.wall_ms + 20_000)
    before.speak_for(10_000, until=until)
    match reason:
        case "stopped-by-command":
            before.order(stop=StopOrder())
        case "time-limit":
            before.speak_for(10_000, until=until)
            before.wait(LOST_MS)
        case _:
            end(before)
    assert [told for told in before.told if reason in told]
    here = behind_a_cut(before, off_ms=1_000)
    here.speak_for(10_000)
    assert (here.words, here.told) == ([], [])


def test_what_was_said_before_the_power_was_cut_is_not_heard_behind_it() -> None:
    """never-6: somebody kept it, and sends it within its time."""
    before = Pole()
    before.speak_for(10_000)
    kept = before.segment()
    here = behind_a_cut(before, off_ms=2_000)
    here.tell(events.LiveArrived(signed(kept), (PROVINCE, "voh")))
    here.wait(5_000)
    assert (here.words, here.faults) == ([], [])
    here.speak_for(5_000)
    assert here.words[-1] == "live"
    assert kept.number not in here.fed


def test_a_session_outlasts_a_sound_device_that_fails() -> None:
    """It is tried again: what is said then is heard, and the record tells that it was interrupted."""
    here = Pole()
    here.speak_for(5_000)
    here.tell(events.SoundDevice(False, "hw:0", "unplugged"))
    here.end(here.sounds or 0, completed=False, failure="sound-device")
    here.speak_for(1_000)
    assert here.words[-1] != "live" and here.told == []
    here.tell(events.SoundDevice(True, "hw:0", ""))
    here.speak_for(5_000)
    assert here.words[-1] == "live"
    end(here)
    assert here.told == [(LIVE, "aired", None)]
    assert (here.record().interruptions, here.faults) == (1, [])


def test_a_session_outlasts_any_number_of_players() -> None:
    """A bulletin is given up with the third."""
    here = Pole()
    for player in range(2, 8):
        here.speak_for(4_000)
        assert here.words[-1] == "live"
        here.tell(events.PlayerGone("died", 1_000))
        here.speak_for(500)
        here.tell(events.PlayerReady("by hand", player))
    here.speak_for(4_000)
    end(here)
    assert here.told == [(LIVE, "aired", None)]
    assert here.record().interruptions == 6


def test_a_session_is_heard_once_the_amplifier_does_as_told() -> None:
    """Its relay failed on the way up, and is tried again."""
    here = Pole()
    here.speak()
    here.tell(events.RelayFailed("amplifier", "does not switch"))
    here.speak_for(1_000)
    assert "live" not in here.words and here.told == []
    here.speak_for(10_000)
    assert here.words[-1] == "live"


def test_a_session_that_does_not_come_back_is_told_as_lost() -> None:
    """After ten minutes."""
    here = Pole()
    here.speak_for(5_000)
    here.wait(LOST_MS)
    here.end(here.sounds or 0, completed=False, failure="live-lost")
    here.wait(GONE_MS + 1_000)
    assert here.told == [(LIVE, "part", "live-lost")]
    assert here.faults == []


def test_a_bulletin_is_heard_while_a_session_is_silent() -> None:
    """The air is nobody's."""
    here = Pole(EVENING)
    here.wait_until("2026-11-24T04:59:50")
    here.speak_for(5_000, priority=9)
    here.wait(LOST_MS)
    here.end(here.sounds or 0, completed=False, failure="live-lost")
    here.wait(10_000)
    assert here.words[-1] == "sound"


def test_it_leaves_the_air_when_its_time_is_over() -> None:
    """Its operator allowed ten seconds, and sends on."""
    here = Pole()
    until = utc_text(here.wall_ms + 10_000)
    here.speak_for(10_000, until=until)
    here.wait(LOST_MS + 1_000)
    assert here.told == [(LIVE, "part", "time-limit")]
    here.wait(20_000)
    assert here.words[-1] == "amplifier off"


def test_a_newer_session_of_its_id_takes_its_place() -> None:
    """The sender was started again."""
    here = Pole()
    here.speak_for(5_000)
    here.began_ms["voh"], here.number = here.wall_ms, 0
    here.speak_for(5_000)
    assert here.told == [(LIVE, "part", "withdrawn")]
    assert here.words[-1] == "live"


def test_the_centre_can_stop_it_and_it_does_not_come_back() -> None:
    """By command."""
    here = Pole()
    here.speak_for(5_000)
    here.order(stop=StopOrder())
    here.speak_for(10_000)
    assert here.told == [(LIVE, "part", "stopped-by-command")]
    assert here.words[-1] != "live"


def test_quiet_hours_silence_it() -> None:
    """air-5."""
    here = Pole(settings=replace(SETTINGS, quiet_hours=(QuietHours(0, 300),)), civil="2026-11-24T03:00:00")
    here.speak_for(3_000)
    assert here.words == []
    assert here.told == [(LIVE, "missed", "quiet-hours")]


def test_without_the_time_nothing_is_relayed() -> None:
    """air-7: nobody could tell it from what was held back."""
    here = Pole(trusted=False)
    here.speak_for(3_000)
    assert here.words == []
    assert ("no-time", "clock") in here.faults


def test_only_its_zones_hear_it() -> None:
    """Named in the segment."""
    here = Pole()
    here.speak_for(5_000, zones=("dinh",))
    assert here.words == ["amplifier on", "dinh closed", "live"]


def test_a_station_without_its_zones_airs_nothing_and_says_so() -> None:
    """None of them is here."""
    here = Pole()
    here.speak_for(2_000, zones=("khac",))
    assert here.words == []
    assert here.told == [(LIVE, "missed", "no-zone")]


def test_a_stranger_s_segment_is_a_fault_and_silence() -> None:
    """In the middle of a session: what is signed goes on."""
    here = Pole()
    here.speak_for(5_000)
    before = here.fed
    here.speak(STRANGER)
    assert here.fed == before
    assert here.faults == [("not-enough-signatures", "vn/lam-dong#live:voh")]
    here.speak()
    assert len(here.fed) == len(before) + 1
    here.speak(STRANGER)
    assert len(here.entries(effects.FaultRaised)) == 1, "once, however often he tries"


def test_what_is_sent_again_is_not_played_again() -> None:
    """A replay within its time."""
    here = Pole()
    here.speak_for(5_000)
    segment = here.segment()
    arrived = events.LiveArrived(signed(segment), (PROVINCE, "voh"))
    here.tell(arrived)
    before = here.fed
    here.tell(arrived)
    assert here.fed == before


def test_only_two_seconds_are_kept() -> None:
    """never-8: however many come before the way is open."""
    here = Pole()
    for _ in range(200):
        here.speak()
    kept = here.station.lives.sessions[(PROVINCE, "voh")].kept
    assert sum(len(one.packets) for one in kept) * 20 <= KEPT_MS


# slots that name a live relay


def test_a_slot_s_live_relay_is_heard_at_its_time_and_not_before() -> None:
    """The sender is ten seconds early."""
    here = Pole(RELAYED)
    here.wait_until("2026-11-24T04:59:50")
    (coming, *_) = here.station.snapshot(here.now()).next_cues
    assert (coming.audio_ready, coming.lack) == (True, None)
    here.speak_for(9_000)
    assert "live" not in here.words
    here.speak_for(10_000)
    assert here.words[-1] == "live"
    here.speak(last=True)
    here.end(here.sounds or 0, completed=True)
    here.wait(60_000)

    assert sorted(here.told) == [(LIVE, "aired", None), ("tiep-song", "aired", None)]
    slot_record = here.record("tiep-song")
    assert (slot_record.start_ms, slot_record.items) == (here.record().start_ms, ())
    assert "sound" not in here.words
    assert here.faults == []


def test_a_slot_whose_live_relay_does_not_start_is_heard_as_its_own_bulletins() -> None:
    """Told as a substitute."""
    here = Pole(RELAYED)
    here.wait_until("2026-11-24T05:00:00")
    assert here.words == ["amplifier on", "cho closed", "dinh closed"]
    here.wait(PATIENCE_MS)
    assert here.words[-1] == "sound"
    here.end(here.sounds or 0, completed=True)
    assert here.told == [("tiep-song", "substituted", "live-lost")]
    assert here.faults == [("cue-substituted", "vn/lam-dong#tiep-song")]


def test_a_slot_is_heard_as_its_bulletins_when_its_live_relay_ends_before_the_way_to_it_is_open() -> None:
    """It came at the very end of the patience, and said nothing."""
    here = Pole(RELAYED, settings=replace(SETTINGS, zone_stagger_ms=1_000))
    here.wait_until("2026-11-24T05:00:00")
    here.wait(PATIENCE_MS - 500)
    here.speak(zones=("dinh",))
    here.wait(600)
    here.speak(zones=("dinh",), last=True)
    here.wait(4_000)
    assert here.words[-1] == "sound"


@pytest.mark.parametrize("apart_s", [1, 2])
def test_two_slots_that_wait_for_their_live_relays_are_one_silence(apart_s: int) -> None:
    """The better one comes while the other waits: what is over of the patience is over."""
    better = slot("tin-huyen", f"05:00:0{apart_s}", "tin", live="vov", priority=9)
    here = Pole(programme([slot("tiep-song", "05:00:00", "nhac", live="voh", priority=5), better]))
    here.wait_until("2026-11-24T05:00:00")
    here.wait(PATIENCE_MS)
    (sound,) = only([effect for _, effect in here.log], effects.StartSound)
    assert [item.bulletin for item in sound.items] == ["tin"]
    here.wait(3_000)
    assert here.faults == []


def test_a_slot_that_comes_behind_another_one_waits_for_its_live_relay_as_ever() -> None:
    """Two bulletins were late for their own reasons; the silence begins when the air is free."""
    first = slot("dau", "05:00:00", "tin", priority=9)
    queued = slot("sau", "05:00:05", "nhac", priority=5)
    relayed = slot("tiep-song", "05:00:59", "nhac", live="voh", priority=9)
    here = Pole(programme([first, queued, relayed]))
    here.wait_until("2026-11-24T05:01:00")
    here.end(here.sounds or 0, completed=True)
    here.wait(500)
    assert len(only([effect for _, effect in here.log], effects.StartSound)) == 1
    here.wait(2_000)
    assert len(only([effect for _, effect in here.log], effects.StartSound)) == 2


def test_a_slot_whose_live_relay_falls_silent_is_heard_as_its_bulletins_until_it_is_back() -> None:
    """And the relay is heard to its end."""
    here = Pole(RELAYED)
    here.wait_until("2026-11-24T05:00:00")
    here.speak_for(10_000)
    assert here.words[-1] == "live"
    here.wait(LOST_MS)
    here.end(here.sounds or 0, completed=False, failure="live-lost")
    here.wait(1_000)
    assert here.words[-1] == "sound"
    here.speak_for(5_000)
    assert here.words[-1] == "live"
    here.speak(last=True)
    here.end(here.sounds or 0, completed=True)

    assert (LIVE, "aired", None) in here.told
    assert ("tiep-song", "aired", None) in here.told
    assert here.faults == []


@pytest.mark.parametrize("late_ms", [0, PATIENCE_MS + 1_000])
def test_the_rest_of_a_slot_s_live_relay_is_heard_behind_a_power_cut(late_ms: int) -> None:
    """The slot itself was cut, or is told as missed, and its relay goes on: also where that began a moment late."""
    before = Pole(RELAYED)
    before.wait_until("2026-11-24T05:00:00")
    before.wait(late_ms)
    before.speak_for(20_000)
    assert before.words[-1] == "live"
    here = behind_a_cut(before, RELAYED)
    here.speak_for(1_000)
    here = behind_a_cut(here, RELAYED, off_ms=5_000)
    here.speak_for(10_000)
    assert here.words[-1] == "live"
    end(here)
    here.wait(60_000)

    assert here.told[-1] == (LIVE, "aired", None)
    assert "sound" not in here.words


def test_a_slot_s_live_relay_that_was_on_when_the_power_came_is_heard() -> None:
    """It was off at the slot's instant; the meeting has ten minutes behind it."""
    here = Pole(RELAYED, civil="2026-11-24T05:10:00", watched_until_ms=at("2026-11-24T04:00:00"))
    here.began_ms["voh"] = at("2026-11-24T04:59:00")
    here.speak_for(10_000)
    assert here.told == [("tiep-song", "missed", "power")]
    assert here.words[-1] == "live"


def test_yesterday_s_slot_is_no_place_for_a_session_of_today() -> None:
    """Its sender is early: nothing is heard before the slot is due, whatever was missed."""
    here = Pole(RELAYED, civil="2026-11-25T04:58:00", watched_until_ms=at("2026-11-23T04:00:00"))
    here.speak_for(60_000)
    assert "live" not in here.words
    here.speak_for(70_000)
    assert here.words[-1] == "live"


def test_a_slot_is_heard_as_its_bulletins_while_a_session_that_was_told_speaks_on() -> None:
    """The centre stopped it; its sender does not know, and nobody hears him."""
    here = Pole(RELAYED)
    here.wait_until("2026-11-24T05:00:00")
    here.speak_for(5_000)
    assert here.words[-1] == "live"
    here.order(stop=StopOrder())
    here.speak_for(5_000)
    assert here.told == [(LIVE, "part", "stopped-by-command")]
    assert here.words[-1] == "sound"
    here.end(here.sounds or 0, completed=True)
    assert here.told[-1] == ("tiep-song", "substituted", "live-lost")
