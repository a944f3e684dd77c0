"""The test-tone walk: one zone after the other, with its name, below everything else, and what the meter says of it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import (
    HOUR_MS,
    SETTINGS,
    TEST_TONE,
    ByHand,
    alert,
    moves,
    programme,
    sha,
    slot,
)
from tests.core.test_self_test import StuckOpen
from tests.core.test_witness import MEASURED, AtThePole
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import StopOrder, WalkOrder
from ttcs_edge.core.model import LocalUser, OffAirReading, QuietHours, Utterance, Zone, ZoneId
from ttcs_edge.core.reports import WalkState
from ttcs_edge.core.trust import utc_text
from ttcs_edge.core.walks import WALKS_MOST
from ttcs_edge.core.zone_names import names_of
from ttcs_edge.training.pole import TONE_DB

TUAN = LocalUser(1000, "tuan")
CHO, DINH = ZoneId("cho"), ZoneId("dinh")
CHO_SAID, DINH_SAID = Utterance("vi", "Cụm 1: Chợ."), Utterance("vi", "Cụm 2: Đình.")
SAID_MS = 1_800
NOON = "2026-11-24T12:00:00"
MORNING = programme([slot("sang", "05:00:00")])
QUIET = replace(SETTINGS, quiet_hours=(QuietHours(21 * 60, 5 * 60),))


def spoken(here: ByHand) -> ByHand:
    """Its station has a voice, and has said the names of its zones ahead."""
    here.tell(events.VoicesKnown(frozenset({"vi"})))
    while asked := here.station.alerts.speech.asked:
        here.tell(events.Spoken(asked[0], sha(asked[0].text[:30]), 1_000, SAID_MS))
        here.wait(1)
    return here


def silent(civil: str = NOON, **others: Any) -> ByHand:
    """A station in silence for a while, with the names of its zones at hand."""
    here = ByHand(MORNING, civil=civil, **others)
    here.wait(HOUR_MS)
    return spoken(here)


def ask(here: ByHand, number: int = 1, *zones: ZoneId, tone_ms: int = 5_000, now: bool = False) -> WalkState | None:
    """Somebody at the station asks for a walk."""
    here.tell(events.WalkAsked(number, zones, tone_ms, now, TUAN))
    return here.station.walks.state(number, here.now())


def refused(here: ByHand, number: int = 1) -> str | None:
    """Why a walk was not begun."""
    return here.station.walks.refused.get(number)


def outcomes(here: ByHand, number: int = 1) -> dict[str, tuple[str, str | None]]:
    """Zone by zone what came of a walk, and why."""
    state = here.station.walks.state(number, here.now())
    assert state is not None
    return {one.zone: (one.outcome, one.reason) for one in state.zones}


def test_each_zone_sounds_alone_and_says_its_name() -> None:
    """The tone, then the name, one relay at a time; each zone is a record, and who asked for it an entry."""
    here = silent()
    begun_at = len(here.log)
    ask(here)
    for zone, name in (("cho", CHO_SAID), ("dinh", DINH_SAID)):
        assert outcomes(here)[zone] == ("switching", None)
        here.wait(4_000)
        command = here.sound_begins()
        assert command.items[:5] == (TEST_TONE,) * 5
        assert (command.items[5].sha256, command.items[5].duration_ms) == (sha(name.text), SAID_MS)
        assert here.station.snapshot(here.now()).zones_closed == (zone,)
        here.wait(1_000)
        assert outcomes(here)[zone] == ("tone", None)
        here.wait(4_500)
        assert outcomes(here)[zone] == ("name", None)
        here.sound_ends()
    here.wait(60_000)

    words = [word for _, word in moves(here.log[begun_at:])]
    way = ["cho closed", "sound", "cho open", "dinh closed", "sound", "dinh open"]
    assert words == ["amplifier on", *way, "amplifier off"]
    assert outcomes(here) == {"cho": ("untold", None), "dinh": ("untold", None)}
    assert here.told == [("station:walk", "aired", None)] * 2 and here.faults == []
    records = [closed.record for closed in here.entries(effects.AsRunClosed)]
    assert [(one.zones, one.occurrence.local) for one in records] == [((CHO,), "1-1.cho"), ((DINH,), "1-1.dinh")]
    (entry,) = here.entries(effects.Audited)[1:]
    assert (entry.deed, entry.what, entry.subject, entry.by) == ("accepted", "walk", SETTINGS.id, TUAN)


def test_the_names_are_spoken_ahead_in_a_language_that_the_zone_has_a_voice_for() -> None:
    """In the first of its own that somebody speaks, else in Vietnamese; without any voice nothing is asked for."""
    zones = (
        Zone(ZoneId("a"), "Buôn Go", ("cil", "vi")),
        Zone(ZoneId("b"), "Market", ("en-GB", "vi")),
        Zone(ZoneId("c"), "Kon Tum", ("bdq",)),
        Zone(ZoneId("d"), "Bon Sar", ("mng", "vi")),
    )
    here = ByHand(settings=replace(SETTINGS, zones=zones))
    assert names_of(here.station.settings, here.station.alerts.speech) == []
    here.tell(events.VoicesKnown(frozenset({"vi", "en", "mng"})))
    here.wait(HOUR_MS)
    names = [
        Utterance("vi", "Cụm 1: Buôn Go."),
        Utterance("en-GB", "Zone 2: Market."),
        Utterance("vi", "Cụm 3: Kon Tum."),
        Utterance("mng", "Bon Sar."),
    ]
    assert list(here.station.alerts.speech.asked[:4]) == names
    here.tell(events.VoicesKnown(frozenset()))
    here.wait(HOUR_MS)
    assert not set(names) & set(here.station.alerts.speech.asked)


def test_a_zone_whose_name_nobody_has_spoken_yet_sounds_the_tone_alone() -> None:
    """Nobody waits for a voice; but those that come behind it are spoken at once."""
    here = ByHand(civil=NOON)
    here.tell(events.VoicesKnown(frozenset({"vi"})))
    assert list(here.station.alerts.speech.asked) == []
    state = ask(here)
    assert state is not None and not any(one.says_name for one in state.zones)
    assert here.station.alerts.speech.asked[:2] == (CHO_SAID, DINH_SAID)
    here.tell(events.Spoken(DINH_SAID, sha("dinh"), 1_000, SAID_MS))
    here.wait(4_000)
    assert here.sound_begins().items == (TEST_TONE,) * 5
    here.sound_ends()
    here.wait(2_000)
    assert len(here.sound_begins().items) == 6


def test_one_zone_can_be_asked_for_alone() -> None:
    """And one that is not there is none."""
    here = silent()
    ask(here, 1, DINH)
    here.wait(4_000)
    here.sound_begins()
    here.sound_ends()
    here.wait(1_000)
    assert outcomes(here) == {"dinh": ("untold", None)}
    ask(here, 2, ZoneId("nowhere"))
    assert refused(here, 2) == "unknown-zone"


@pytest.mark.parametrize(("now", "why"), [(False, "quiet-hours"), (True, None)])
def test_in_quiet_hours_who_stands_there_must_say_so(now: bool, why: str | None) -> None:
    """air-5: and then it is heard to its end."""
    here = silent("2026-11-24T22:00:00", settings=QUIET)
    ask(here, now=now)
    assert refused(here) == why
    here.wait(4_000)
    heard = [word for _, word in moves(here.log) if word == "sound"]
    assert bool(heard) is now
    if now:
        here.sound_begins()
        here.wait(3_000)
        here.sound_ends()
        here.wait(3_000)
        here.sound_begins()
        here.sound_ends()
        assert {one for one, _ in outcomes(here).values()} == {"untold"}


def test_what_is_on_the_air_or_due_before_it_would_be_over_comes_first() -> None:
    """Refused, and nothing is switched."""
    here = silent("2026-11-24T03:59:40")
    ask(here)
    assert refused(here) == "due-soon"
    here.wait_until("2026-11-24T05:00:00")
    here.sound_begins()
    here.wait(1_000)
    ask(here, 2)
    assert refused(here, 2) == "air-taken"
    here.sound_ends()
    ask(here, 3)
    ask(here, 4)
    assert (refused(here, 3), refused(here, 4)) == (None, "air-taken")


def on_air(**others: Any) -> ByHand:
    """The walk is in its first zone."""
    here = silent(**others)
    ask(here)
    here.wait(4_000)
    here.sound_begins()
    here.wait(1_000)
    return here


def over(here: ByHand, reason: str) -> None:
    """It leaves the air, and comes to no other zone."""
    assert moves(here.log)[-1][1] == "fade"
    here.sound_ends(False, 1_000, 500, 0, 0, 0, 0)
    here.wait(1_000)
    assert outcomes(here) == {"cho": ("not-tested", reason), "dinh": ("not-tested", reason)}
    assert here.told == [("station:walk", "part", reason)]
    state = here.station.walks.state(1, here.now())
    assert state is not None and state.is_over and state.ended == reason


def test_an_alert_takes_the_air_from_it_at_once() -> None:
    """air-1."""
    here = on_air()
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS)))
    over(here, "pre-empted")
    here.wait(4_000)
    assert here.sound_begins().items[0].bulletin == "tone-Severe"


def test_who_asked_for_it_can_end_it_and_everything_is_open() -> None:
    """Faded, relays open, amplifier off behind its hold time; of another walk nobody can."""
    here = on_air()
    here.tell(events.WalkLeft(2))
    assert moves(here.log)[-1][1] == "sound"
    here.tell(events.WalkLeft(1))
    over(here, "stopped-by-hand")
    here.wait(30_000)
    assert here.station.desk.playout.quiescent
    here.tell(events.WalkLeft(1))


def test_a_stop_of_the_centre_ends_it() -> None:
    """Like anything else on the air."""
    here = on_air()
    here.order(stop=StopOrder())
    over(here, "stopped-by-command")


def test_a_walk_on_its_way_up_can_be_ended() -> None:
    """Nothing of it is heard."""
    here = silent()
    ask(here)
    here.wait(500)
    here.tell(events.WalkLeft(1))
    here.wait(30_000)
    assert here.told == [("station:walk", "missed", "stopped-by-hand")] and here.station.desk.playout.quiescent
    assert "sound" not in [word for _, word in moves(here.log)]


def test_a_relay_that_does_not_do_as_told_costs_its_zone_alone() -> None:
    """The walk goes on, and the zone is told as bad."""
    here = StuckOpen(civil=NOON)
    here.wait(HOUR_MS)
    ask(here)
    here.wait(20_000)
    here.sound_begins()
    here.sound_ends()
    here.wait(1_000)
    assert outcomes(here) == {"cho": ("not-heard", "relay"), "dinh": ("untold", None)}
    state = here.station.walks.state(1, here.now())
    assert state is not None and [one.is_bad for one in state.zones] == [True, False]


def test_however_often_it_is_asked_for_it_is_begun_a_dozen_times_in_an_hour() -> None:
    """never-8: each writes to the card and to the audit trail."""
    here = silent()
    for number in range(1, WALKS_MOST + 5):
        ask(here, number)
        here.tell(events.WalkLeft(number))
        here.wait(100)
    assert [refused(here, number) for number in range(1, WALKS_MOST + 5)] == [None] * WALKS_MOST + ["too-often"] * 4
    assert len(here.entries(effects.Audited)) == 1 + WALKS_MOST
    here.wait(HOUR_MS)
    ask(here, 99)
    assert refused(here, 99) is None
    for number in range(100, 200):
        ask(here, number)
    assert len(here.station.walks.refused) == WALKS_MOST


# by a command


def test_the_centre_orders_one_and_hears_zone_by_zone_what_came_of_it() -> None:
    """Under way, and done when the last zone is."""
    here = silent()
    (answer,) = here.order(walk=WalkOrder(seconds=3))
    assert (answer.action, answer.outcome) == ("walk", "under-way")
    for _ in range(2):
        here.wait(4_000)
        assert here.sound_begins().items[:3] == (TEST_TONE,) * 3
        here.sound_ends()
    here.wait(1_000)
    assert here.answers[-1] == ("walk", "done", None)
    last = [effect for _, effect in here.log if isinstance(effect, effects.Answer)][-1]
    assert last.detail == (("cho", "untold"), ("dinh", "untold"))
    assert here.told == [("command:walk", "aired", None)] * 2


def test_the_centre_hears_which_zones_are_bad() -> None:
    """By their ids."""
    here = StuckOpen(civil=NOON)
    here.wait(HOUR_MS)
    here.order(walk=WalkOrder(seconds=3))
    here.wait(20_000)
    here.sound_begins()
    here.sound_ends()
    here.wait(1_000)
    last = [effect for _, effect in here.log if isinstance(effect, effects.Answer)][-1]
    assert (last.outcome, last.reason, last.detail) == ("failed", "zones-bad", (("zones", "cho"),))


def test_a_walk_of_the_centre_obeys_quiet_hours() -> None:
    """As its test tone does."""
    here = silent("2026-11-24T22:00:00", settings=QUIET)
    (answer,) = here.order(walk=WalkOrder(seconds=3))
    assert (answer.outcome, answer.reason) == ("refused", "quiet-hours")


def test_a_walk_of_the_centre_that_loses_the_air_has_failed() -> None:
    """And its answer says why."""
    here = silent()
    here.order(walk=WalkOrder(seconds=3))
    here.wait(4_000)
    here.sound_begins()
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS)))
    here.sound_ends(False, 900, 0, 0, 0)
    assert here.answers[-1] == ("walk", "failed", "pre-empted")
    here.tell(events.WalkLeft(1))


# at the pole


class Walked(AtThePole):
    """A pole through which somebody walks: the tone is as loud as it is played."""

    def _answered(self, effect: effects.Effect) -> list[tuple[int, effects.Effect]]:
        told = super()._answered(effect)
        if isinstance(effect, effects.StartSound):
            self.voice = Steady(effect.volume_percent)  # type: ignore[assignment]
        return told

    def ask(self) -> None:
        """Somebody asks for a walk."""
        self.run(60_000)
        self._tell(events.WalkAsked(1, (), 6_000, False, TUAN))
        self.run(40_000)


class Steady:
    """The level of the tone."""

    def __init__(self, volume_percent: int) -> None:
        from math import log10

        self._db = TONE_DB + 40 * log10(volume_percent / 100)

    def next_db(self) -> float:
        """Always the same."""
        return self._db


@pytest.mark.parametrize("seed", range(5))
def test_the_walk_measures_what_the_tone_adds_in_each_zone(seed: int) -> None:
    """At full volume, whatever the zone's own is: what the config should say of it."""
    one = Walked(civil=NOON, seed=seed)
    one.ask()
    state = one.station.station.walks.state(1, one.station.now())
    assert state is not None and state.is_over and state.idle_is_fresh
    assert {zone.zone: zone.outcome for zone in state.zones} == {"cho": "good", "dinh": "good"}
    measured = {zone.zone: (zone.tone_w, zone.configured_w) for zone in state.zones}
    for tone_w, configured_w in measured.values():
        assert tone_w is not None and configured_w is not None and tone_w == pytest.approx(configured_w, rel=0.35)


def test_the_walk_tells_which_line_is_broken() -> None:
    """A short tone is over before lines are judged: the walk says so itself, and nothing is raised."""
    one = Walked(civil=NOON)
    one.pole.cut.add(CHO)
    one.ask()
    state = one.station.station.walks.state(1, one.station.now())
    assert state is not None
    assert {zone.zone: (zone.outcome, zone.is_bad) for zone in state.zones} == {
        "cho": ("not-seen", True),
        "dinh": ("good", False),
    }


class Heard(Walked):
    """A pole whose amplifier is heard by a monitor: whatever sounds, it hears, wherever it goes."""

    HEARD = OffAirReading(9_000, -16.0, -20.5, -60.0, 0.85, 150, -180.3, 0.0, 0.0, 0.002)

    def _sound(self) -> None:
        super()._sound()
        if self.play is not None and self.play[1] > 0:
            self._tell(events.OffAirHeard(self.HEARD))


def test_a_line_that_is_cut_is_told_though_a_monitor_hears_the_amplifier() -> None:
    """Of two witnesses the one that says no is right: nobody else saw where the sound went."""
    one = Heard(settings=replace(MEASURED, loud_dbfs=-20.0), civil=NOON)
    one.pole.cut.add(CHO)
    one.ask()
    state = one.station.station.walks.state(1, one.station.now())
    assert state is not None
    told = {zone.zone: (zone.outcome, zone.is_bad) for zone in state.zones}
    assert told == {"cho": ("not-seen", True), "dinh": ("good", False)}


def test_what_nobody_measured_is_measured_and_not_judged() -> None:
    """The first walk of a new station."""
    zones = tuple(replace(zone, tone_w=None) for zone in MEASURED.zones)
    one = Walked(settings=replace(MEASURED, zones=zones), civil=NOON)
    one.ask()
    state = one.station.station.walks.state(1, one.station.now())
    assert state is not None and {zone.outcome for zone in state.zones} == {"untold"}
    assert [round(zone.tone_w or 0, -1) for zone in state.zones] == [40, 30]
