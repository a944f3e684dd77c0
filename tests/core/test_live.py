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
    moves,
    only,
    programme,
    signed,
    slot,
)
from ttcs_edge.core import effects, events
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
        fields = {
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
