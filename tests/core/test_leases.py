"""A lease: the test tone in some zones, or a relay held closed in silence, below everything else and bounded."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import HOUR_MS, SETTINGS, SILENCE, TEST_TONE, ByHand, alert, moves, programme, slot
from ttcs_edge.core import effects, events
from ttcs_edge.core.leases import LEASES_MOST, OVERTIME_MS
from ttcs_edge.core.model import LocalUser, QuietHours, ZoneId
from ttcs_edge.core.reports import LeaseState
from ttcs_edge.core.trust import utc_text

TUAN = LocalUser(1000, "tuan")
CHO, DINH = ZoneId("cho"), ZoneId("dinh")
MORNING = programme([slot("sang", "05:00:00")])
QUIET = replace(SETTINGS, quiet_hours=(QuietHours(21 * 60, 5 * 60),))


def idle(civil: str = "2026-11-24T12:00:00", **others: Any) -> ByHand:
    """A station in silence for a while."""
    here = ByHand(MORNING, civil=civil, **others)
    here.wait(HOUR_MS)
    return here


def ask(
    here: ByHand, *zones: ZoneId, number: int = 1, seconds: int = 6, silent: bool = False, now: bool = False
) -> LeaseState | None:
    """Somebody at the station asks for one."""
    here.tell(events.LeaseAsked(number, zones, seconds * 1_000, silent, now, TUAN))
    return here.station.leases.state(number, here.now())


def state(here: ByHand, number: int = 1) -> LeaseState:
    """How far it has come."""
    found = here.station.leases.state(number, here.now())
    assert found is not None
    return found


def refused(here: ByHand, number: int = 1) -> str | None:
    """Why it was not begun."""
    return here.station.leases.refused.get(number)


def held(here: ByHand, seconds: int = 60) -> None:
    """The relay of a zone is held closed."""
    assert ask(here, CHO, seconds=seconds, silent=True) is not None
    here.wait(4_000)
    here.sound_begins()


def cut(here: ByHand) -> None:
    """What sounds was faded out after a second."""
    command = [one for _, one in here.log if isinstance(one, effects.StartSound)][-1]
    here.sound_ends(False, 1_000, *(0,) * (len(command.items) - 1))


def test_the_tone_sounds_in_the_zones_that_were_named_and_ends_by_itself() -> None:
    """All relays stand before the sound and open behind it; it is a record, and who asked for it an entry."""
    here = idle()
    begun_at = len(here.log)
    ask(here, DINH, CHO)
    here.wait(4_000)
    assert here.sound_begins().items == (TEST_TONE,) * 6
    assert state(here) == LeaseState(1, "tone", False, None, (CHO, DINH), True, 6_000)
    here.wait(2_000)
    assert state(here).left_ms == 4_000
    here.sound_ends()
    here.wait(60_000)

    words = [word for _, word in moves(here.log[begun_at:])]
    assert words == ["amplifier on", "cho closed", "dinh closed", "sound", "dinh open", "cho open", "amplifier off"]
    assert state(here) == LeaseState(1, "tone", True, None, (CHO, DINH), False, 0)
    assert here.told == [("station:tone", "aired", None)] and here.faults == []
    (entry,) = here.entries(effects.Audited)[1:]
    assert (entry.deed, entry.what, entry.subject, entry.by) == ("accepted", "lease", SETTINGS.id, TUAN)
    assert entry.detail == (("sound", "tone"), ("zones", "dinh, cho"), ("ms", "6000"))


def test_a_relay_is_held_closed_in_silence_and_let_go() -> None:
    """Nothing but silence is played, and the relay opens when it is over."""
    here = idle()
    held(here)
    (start,) = [one for _, one in here.log if isinstance(one, effects.StartSound)]
    assert start.items == (SILENCE,) * 60
    assert here.station.snapshot(here.now()).zones_closed == (CHO,)
    here.sound_ends()
    here.wait(1_000)
    assert here.station.snapshot(here.now()).zones_closed == ()
    assert here.told == [("station:relay", "aired", None)]


def test_a_relay_is_let_go_in_time_even_when_the_player_never_comes_to_an_end() -> None:
    """The core counts by itself: nobody says that the sound is over."""
    here = idle()
    held(here, seconds=30)
    here.wait(30_000 + OVERTIME_MS - 1)
    assert not [one for _, one in here.log if isinstance(one, effects.StopSound)]
    here.wait(1)
    assert len([one for _, one in here.log if isinstance(one, effects.StopSound)]) == 1
    cut(here)
    here.wait(1_000)
    assert here.station.snapshot(here.now()).zones_closed == ()
    assert state(here).ended == "time-limit"


def test_it_is_over_once_whoever_asked_for_it_is_gone() -> None:
    """A killed command, a lost connection: the relay opens, and another's number ends nothing."""
    here = idle()
    held(here)
    here.tell(events.LeaseLeft(2))
    assert not state(here).is_over
    here.tell(events.LeaseLeft(1))
    cut(here)
    here.wait(1_000)
    assert (state(here).is_over, state(here).ended) == (True, "stopped-by-hand")
    assert here.station.snapshot(here.now()).zones_closed == ()


@pytest.mark.parametrize("silent", [False, True])
def test_an_alert_takes_the_air_from_it_at_once(silent: bool) -> None:
    """air-1: it is faded, and every zone of the alert is closed, that of the lease too."""
    here = idle()
    ask(here, CHO, seconds=20, silent=silent)
    here.wait(4_000)
    here.sound_begins()
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS)))
    assert isinstance([one for _, one in here.log if isinstance(one, effects.StopSound)][-1], effects.StopSound)
    cut(here)
    here.wait(4_000)
    assert set(here.station.snapshot(here.now()).zones_closed) == {CHO, DINH}
    assert state(here).ended == "pre-empted"


def test_it_is_refused_in_words_where_something_else_comes_first() -> None:
    """On the air, due before its end, quiet hours, muted, no such zone, no player: each has its reason."""
    here = idle(settings=QUIET, civil="2026-11-24T03:00:00")
    assert (ask(here), refused(here)) == (None, "quiet-hours")
    assert ask(here, CHO, number=2, seconds=1, silent=True) is not None, "silence disturbs nobody"
    here.tell(events.LeaseLeft(2))
    assert (ask(here, ZoneId("nowhere"), number=3, now=True), refused(here, 3)) == (None, "unknown-zone")
    here.wait_until("2026-11-24T04:59:30")
    assert (ask(here, number=4, seconds=30, now=True), refused(here, 4)) == (None, "due-soon")
    here.wait_until("2026-11-24T05:00:00")
    here.sound_begins()
    assert (ask(here, number=5), refused(here, 5)) == (None, "air-taken")
    here.sound_ends()
    here.wait(60_000)
    here.tell(events.MuteAsked(60_000, LocalUser(0, "root")))
    assert (ask(here, number=6), refused(here, 6)) == (None, "muted")


def test_a_walk_and_a_lease_never_go_on_together() -> None:
    """Whoever came first has the air."""
    here = idle()
    ask(here)
    here.tell(events.WalkAsked(2, (), 5_000, False, TUAN))
    assert here.station.walks.refused[2] == "air-taken"


def test_what_was_begun_by_hand_is_ended_by_hand_and_told_once() -> None:
    """``stop`` ends a lease or a walk; with nothing to end nothing is told."""
    here = idle()
    here.tell(events.TestsStopped(TUAN))
    held(here)
    for _ in range(100):
        here.tell(events.TestsStopped(TUAN))
    cut(here)
    here.tell(events.WalkAsked(2, (), 5_000, False, TUAN))
    here.tell(events.TestsStopped(TUAN))
    assert here.station.walks.going_on is None
    told = [(one.deed, one.what, one.by) for one in here.entries(effects.Audited)[1:]]
    by_hand = [("accepted", what, TUAN) for what in ("lease", "tests", "walk", "tests")]
    assert told == by_hand


def test_a_bulletin_is_never_ended_by_hand() -> None:
    """It is the centre's to stop."""
    here = ByHand(MORNING, civil="2026-11-24T04:59:00")
    here.wait_until("2026-11-24T05:00:00")
    here.sound_begins()
    here.tell(events.TestsStopped(TUAN))
    assert not [one for _, one in here.log if isinstance(one, effects.StopSound)]


def test_however_often_it_is_asked_for_it_is_begun_so_many_times_in_an_hour() -> None:
    """never-8: neither the trail nor the card is filled by somebody who asks on and on."""
    here = idle()
    for number in range(1, LEASES_MOST + 2):
        ask(here, number=number)
        here.tell(events.LeaseLeft(number))
        here.wait(1)
    assert refused(here, LEASES_MOST + 1) == "too-often"
    here.wait(HOUR_MS)
    assert ask(here, number=99) is not None


def test_a_deed_that_is_roots_is_told_when_another_asks_for_it_and_never_floods_the_trail() -> None:
    """never-8: each refusal has his name, up to a bound; what is beyond is counted."""
    here = idle()
    for _ in range(100):
        here.tell(events.DeedRefused("mute", TUAN))
    told = here.entries(effects.Audited)[1:]
    assert {(one.deed, one.what, one.subject, one.code, one.by) for one in told} == {
        ("refused", "deed", "mute", "not-root", TUAN)
    }
    assert len(told) < 50 and here.station.audit.unsaid == {"not-root": 100 - len(told)}
