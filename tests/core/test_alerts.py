"""Emergency alerts over a station: first sound first, languages, updates, cancels, rounds, restarts (air-1, air-7)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import (
    PROVINCE,
    SETTINGS,
    STRANGER,
    ByHand,
    alert,
    at,
    moves,
    only,
    programme,
    recording,
    said,
    signed,
    slot,
)
from tests.core.test_station import assert_no_switch_under_sound
from ttcs_edge.core import effects, events
from ttcs_edge.core.alerts import rank_of
from ttcs_edge.core.asrun import settles
from ttcs_edge.core.documents import Alert
from ttcs_edge.core.effects import StartSound, StopSound
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Amplifier, Occurrence, QuietHours, Scope, Zone, ZoneId

SUBJECT = "vn/lam-dong#alert:lu-quet"
KHO_AND_VI = replace(
    SETTINGS,
    zones=(Zone(ZoneId("buon"), "Buôn", ("kho", "vi")), Zone(ZoneId("cho"), "Chợ", volume_percent=20)),
)
BOTH = (said("vi"), said("kho", "kho"))


class Village(ByHand):
    """A station whose plays begin and end by themselves; ``heard`` tells when, what, in which zones."""

    def __init__(self, *programmes: Any, **others: Any) -> None:
        self.heard: list[tuple[int, str, tuple[str, ...]]] = []
        self.sent: list[Alert] = []
        self.play: StartSound | None = None
        self.began_ms = 0
        self.born_ms = 1_000_000
        super().__init__(*programmes, **others)

    def live(self, span_ms: int) -> None:
        """Let time pass, from one thing that happens to the next."""
        end_ms = self.mono_ms + span_ms
        while self.mono_ms < end_ms:
            next_ms = min([end_ms, self.wake_ms, *self.changes_ms()])
            self.follow([effect for _, effect in self.wait(max(0, next_ms - self.mono_ms))])

    def changes_ms(self) -> list[int]:
        """When the play begins, and when it ends."""
        if self.play is None:
            return []
        ends_ms = self.began_ms + sum(item.duration_ms for item in self.play.items)
        return [ms for ms in (self.began_ms, ends_ms) if ms > self.mono_ms]

    def follow(self, done: list[effects.Effect]) -> None:
        """Do as the player would."""
        for stop in only(done, StopSound):
            assert self.play is not None and stop.play == self.play.play
            written_ms = max(0, self.mono_ms - self.began_ms)
            self.end(False, [written_ms, *[0] * (len(self.play.items) - 1)])
            return
        for start in only(done, StartSound):
            self.play, self.began_ms = start, max(start.at_mono_ms, self.mono_ms)
        if self.play is None or self.mono_ms < self.began_ms:
            return
        if self.station.desk.on_air is not None and not self.station.desk.on_air.sounds:
            names = "+".join(item.bulletin + "." + item.language for item in self.play.items)
            zones = tuple(self.station.desk.playout.closed)
            self.heard.append((self.began_ms - self.born_ms, names, zones))
            self.follow(self.tell(events.SoundStarted(self.play.play, self.began_ms * 1_000_000)))
        elif self.mono_ms >= self.began_ms + sum(item.duration_ms for item in self.play.items):
            self.end(True, [item.duration_ms for item in self.play.items])

    def end(self, completed: bool, written_ms: list[int]) -> None:
        """The play is over."""
        assert self.play is not None
        play, self.play = self.play, None
        self.follow(self.tell(events.SoundEnded(play.play, completed, tuple(written_ms), None)))

    def hear(self, document: Alert, **others: Any) -> None:
        """A message comes, and the player does as told."""
        self.sent.append(document)
        self.follow(self.warn(document, **others))

    def suffer(self, kind: str, *given_: Any) -> None:
        """A relay fails, the player dies and is replaced, or the time is believed or not."""
        if kind == "relay":
            self.follow(self.tell(events.RelayFailed(given_[0], "reads 0 after 1")))
        elif kind == "player":
            self.play = None
            self.follow(self.tell(events.PlayerGone("died", 0)))
            self.follow(self.tell(events.PlayerReady("by hand", len(self.log) + 2)))
        else:
            self.trusted = given_[0]
            self.follow(self.tell(events.TimePassed()))

    @property
    def names(self) -> list[str]:
        """What was heard, in order."""
        return [name for _, name, _ in self.heard]

    @property
    def receipts(self) -> list[tuple[int, str, tuple[tuple[str, str], ...]]]:
        """What the centre was told of alerts, before all else."""
        return [(told.version, told.state, told.reasons) for told in self.entries(effects.AlertTold)]


def test_the_tone_goes_out_the_moment_the_amplifier_can_carry_it_and_the_message_follows() -> None:
    """No fixed waits: warm-up, zones one by one, the margin of the player; then the words, without a gap."""
    village = Village()
    village.hear(alert())
    village.live(60_000)

    assert [(word, ms - village.born_ms) for ms, word in moves(village.log)][:4] == [
        ("amplifier on", 0),
        ("cho closed", 2_000),
        ("dinh closed", 2_200),
        ("sound", 2_400),
    ]
    assert village.heard == [
        (2_400, "tone-Severe.zxx", ("cho", "dinh")),
        (7_400, "lu-quet.vi", ("cho", "dinh")),
    ]
    assert village.told == [("alert:lu-quet", "aired", None)] * 2
    assert village.receipts == [(1, "accepted", ()), (1, "on-air", ()), (1, "heard", ())]
    assert village.faults == []


def test_zones_that_the_supply_bears_together_close_together_for_an_alert_alone() -> None:
    """Two of three at once, then the third; the bulletin behind it finds its zones one by one, as ever."""
    zones = tuple(Zone(ZoneId(name), name) for name in ("cho", "dinh", "buon"))
    village = Village(
        programme([slot("a", "04:05:00")]), settings=replace(SETTINGS, zones=zones, alert_zones_at_once=2)
    )
    village.hear(alert())
    village.live(300_000)
    switched = [(ms - village.born_ms, word) for ms, word in moves(village.log) if word.endswith(" closed")]

    assert switched[:3] == [(2_000, "cho closed"), (2_000, "dinh closed"), (2_200, "buon closed")]
    gaps = [after - before for (before, _), (after, _) in pairwise(switched[3:])]
    assert len(switched) == 6 and min(gaps) >= 200


def test_while_the_message_is_fetched_the_tone_goes_on() -> None:
    """Again and again, until the first word is there; the fetcher is told at once, before all else."""
    village = Village(programme([slot("a", "05:00:00")]))
    village.folder.clear()
    village.hear(alert(), audio=False)
    wanted = [effect for _, effect in village.log if isinstance(effect, effects.SetWanted)][-1]
    assert wanted.wanted[0].sha256 == recording("lu-quet.vi", 10).sha256
    village.live(15_000)
    village.tell(events.AudioStored(recording("lu-quet.vi", 10).sha256))
    village.live(30_000)

    assert village.names == ["tone-Severe.zxx"] * 3 + ["lu-quet.vi"]
    assert village.told == [("alert:lu-quet", "aired", None)] * 2


def test_a_message_that_does_not_come_is_told_and_the_tone_is_bounded() -> None:
    """A minute of tone, then silence that is a fault; after half an hour the language is given up, with its reason."""
    village = Village()
    village.hear(alert(), audio=False)
    village.live(100_000)
    assert village.names == ["tone-Severe.zxx"] * 12
    assert ("silence", SUBJECT) in village.faults
    village.wait(30 * 60_000)

    assert village.told == [("alert:lu-quet", "aired", None), ("alert:lu-quet", "missed", "no-audio")]
    assert village.receipts[-1] == (1, "failed", (("vi", "no-audio"),))


def test_each_zone_hears_the_alert_in_each_language_that_it_lists_and_never_whispered() -> None:
    """air-8, air-5: K'Ho where it is spoken, Vietnamese everywhere, all of it at full volume."""
    village = Village(settings=KHO_AND_VI)
    village.hear(alert(info=BOTH))
    village.live(60_000)

    assert [(name, zones) for _, name, zones in village.heard] == [
        ("tone-Severe.zxx", ("buon", "cho")),
        ("lu-quet.kho", ("buon",)),
        ("lu-quet.vi", ("buon", "cho")),
    ]
    starts = [effect for _, effect in village.log if isinstance(effect, StartSound)]
    assert {start.volume_percent for start in starts} == {100}
    assert village.told == [("alert:lu-quet", "aired", None)] * 3


def test_an_alert_for_zones_that_are_not_here_is_heard_by_nobody_and_told() -> None:
    """The centre counts on an answer of every station."""
    village = Village()
    village.hear(alert(zones=("xa",)))
    village.live(20_000)

    assert village.names == []
    assert set(village.told) == {("alert:lu-quet", "missed", "no-zone")}
    assert village.receipts[-1][:2] == (1, "failed")


def test_a_zone_that_lists_none_of_its_languages_hears_the_first() -> None:
    """Better a foreign word than silence."""
    village = Village()
    village.hear(alert(info=(said("kho", "kho"),)))
    village.live(60_000)
    assert village.names == ["tone-Severe.zxx", "lu-quet.kho"]


def test_an_alert_takes_the_air_from_a_bulletin_which_then_goes_on() -> None:
    """air-1, air-2: a fade, a tone without warm-up or switch, and then the bulletin from where it was cut."""
    village = Village(programme([slot("a", "05:00:00")]))
    village.live(60 * 60_000 + 20_000)
    assert village.names == ["a.vi"]
    before = len(village.log)
    village.hear(alert())
    village.live(90_000)

    assert [word for _, word in moves(village.log[before:])][:2] == ["fade", "sound"]
    assert village.names == ["a.vi", "tone-Severe.zxx", "lu-quet.vi", "a.vi"]
    starts = [effect for _, effect in village.log if isinstance(effect, StartSound)]
    assert 19_000 <= starts[-1].from_ms <= 21_000
    assert ("a", "aired", None) in village.told


def test_a_lower_alert_waits_and_a_higher_one_takes_the_air() -> None:
    """air-1: by severity, then by urgency, then the higher scope, then the newer; a drill below all that is real."""
    order = [
        alert("a", status="Test", severity="Extreme"),
        alert("b", status="Exercise", severity="Extreme"),
        alert("c", severity="Minor"),
        alert("d", severity="Severe", urgency="Expected"),
        alert("e", sent="2026-11-23T20:00:00Z"),
        alert("f"),
        alert("g", scope=Scope("vn"), sent="2026-11-23T20:00:00Z"),
        alert("h", severity="Extreme", urgency="Unknown"),
    ]
    assert sorted(order, key=rank_of) == order

    village = Village()
    village.hear(alert("nhe", severity="Minor"))
    village.live(4_000)
    village.hear(alert("nang", severity="Extreme"))
    village.live(60_000)
    assert village.names == ["tone-Minor.zxx", "tone-Extreme.zxx", "nang.vi", "tone-Minor.zxx", "nhe.vi"]


def test_an_alert_twice_or_by_two_ways_airs_once() -> None:
    """Known by scope, id and version; what differs under one version is refused."""
    village = Village()
    village.hear(alert())
    village.hear(alert())
    village.live(60_000)
    village.hear(alert())
    village.hear(alert(severity="Extreme"))
    village.live(60_000)

    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"]
    assert village.faults == [("same-version", SUBJECT)]


def test_an_update_replaces_what_is_on_the_air() -> None:
    """Within a tenth of a second the old words stop, and the new tone begins."""
    village = Village()
    village.hear(alert())
    village.live(9_000)
    before = len(village.log)
    village.hear(alert(version=2, msg_type="Update", info=(said("moi"),)))
    village.live(30_000)

    (stop,) = [effect for _, effect in village.log[before:] if isinstance(effect, StopSound)]
    assert stop.fade_out_ms == 100
    assert village.names == ["tone-Severe.zxx", "lu-quet.vi", "tone-Severe.zxx", "lu-quet.vi"]
    assert village.told[:2] == [("alert:lu-quet", "aired", None), ("alert:lu-quet", "part", "withdrawn")]
    assert village.receipts[-3:] == [(2, "accepted", ()), (2, "on-air", ()), (2, "heard", ())]


@pytest.mark.parametrize("aloud", [False, True])
def test_a_cancel_stops_the_alert_and_says_so_where_it_is_asked_to(aloud: bool) -> None:
    """Nothing of it airs any more, nor after a restart; aloud, it has one round of its own."""
    village = Village()
    village.hear(alert(repeat_s=300))
    village.live(9_000)
    village.hear(alert(version=2, msg_type="Cancel", tell_cancel=aloud, info=(said("thoi", seconds=3),), repeat_s=300))
    village.live(700_000)

    told = ["tone-Severe.zxx", "lu-quet.vi"] if aloud else []
    assert village.names == ["tone-Severe.zxx", "lu-quet.vi", *told]
    assert village.told[1] == ("alert:lu-quet", "part", "withdrawn")
    village.hear(alert())
    village.live(30_000)
    assert len(village.names) == 2 + len(told), "what was cancelled does not come back"


def test_an_alert_comes_again_until_it_expires() -> None:
    """Every ten minutes from when it was sent; what has expired leaves the air in the middle."""
    village = Village()
    village.hear(alert(repeat_s=600, expires="2026-11-23T21:20:10Z"))
    village.live(25 * 60_000)

    tones = [begun_ms for begun_ms, name, _ in village.heard if name.startswith("tone")]
    assert [round(ms / 60_000) for ms in tones] == [0, 10, 20]
    assert village.told[-1] == ("alert:lu-quet", "part", "expired")
    village.live(86_400_000 - 6 * 60_000)
    assert village.entries(effects.AlertForgotten) == []
    village.live(2 * 60_000)
    assert village.entries(effects.AlertForgotten) == [effects.AlertForgotten(PROVINCE, "lu-quet")]


def test_quiet_hours_do_not_silence_an_alert() -> None:
    """air-5."""
    village = Village(settings=replace(SETTINGS, quiet_hours=(QuietHours(0, 1_439),)))
    village.hear(alert())
    village.live(30_000)
    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"]


def test_without_the_time_an_alert_is_heard_at_once_and_again_by_the_stations_own_pace() -> None:
    """air-7: no clock is needed; a clock that comes later begins nothing anew."""
    village = Village(trusted=False, civil="1970-01-01T08:00:00")
    village.hear(alert(repeat_s=300))
    village.live(330_000)
    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"] * 2
    village.trusted, village.offset_ms = True, at("2026-11-24T04:06:00") - village.mono_ms
    village.live(200_000)
    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"] * 2
    village.live(120_000)
    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"] * 3


def again(village: Village, **others: Any) -> Village:
    """The station after a restart, from what it put on disk."""
    newest = {(one.scope, one.event): one for one in village.entries(effects.AlertAccepted)}
    sent = {(one.scope, one.id, one.version): one for one in village.sent}
    told = {(one.scope, one.event, one.version): one.state for one in village.entries(effects.AlertTold)}
    alerts = tuple(
        events.KnownAlert(signed(sent[message]), one.until_ms, told[message])
        for one in newest.values()
        if (message := (Scope(one.scope), one.event, one.version))
    )
    closed = [entry.record for entry in village.entries(effects.AsRunClosed)]
    over = tuple((one.occurrence, one.planned_start_ms) for one in closed if settles(one))
    opened = {entry.record.id: entry.record for entry in village.entries(effects.AsRunOpened)}
    open_ones = tuple(one for id_, one in opened.items() if id_ not in {one.id for one in closed})
    later = Village(
        boot=2, alerts=alerts, settled=over, open_as_run=open_ones, cached=frozenset(village.folder), **others
    )
    later.folder |= village.folder
    return later


@pytest.mark.parametrize("trusted", [True, False])
def test_an_alert_survives_a_power_cut_and_goes_on_with_what_was_not_heard(trusted: bool) -> None:
    """The tone was heard, the words were cut: the words come again, the tone does not, whatever the clock says."""
    village = Village()
    village.hear(alert())
    village.live(9_000)
    later = again(village, civil="2026-11-24T04:01:00", trusted=trusted)
    later.live(60_000)

    assert later.names == ["lu-quet.vi"]
    assert later.told == [("alert:lu-quet", "cut", "power"), ("alert:lu-quet", "aired", None)]
    assert later.receipts == [(1, "heard", ())]


def test_what_was_not_heard_in_one_life_is_not_told_as_heard_in_the_next() -> None:
    """The centre is told at once that a language failed; that the others were heard later does not mend it."""
    village = Village(settings=KHO_AND_VI)
    village.hear(alert(info=BOTH))
    village.live(8_000)
    assert village.play is not None and village.play.items[0].language == "kho"
    village.tell(events.SoundEnded(village.play.play, False, (0,), "not-audio"))
    assert village.receipts[-1] == (1, "failed", (("kho", "not-audio"),))
    later = again(village, civil="2026-11-24T04:01:00", settings=KHO_AND_VI)
    later.live(60_000)

    assert later.names == ["lu-quet.vi"]
    assert later.receipts == []


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_sound_device_that_fails_for_a_moment_does_not_cost_an_alert(comes_back: bool) -> None:
    """It is tried again after two seconds and ever more seldom, and at once when it is back."""
    village = Village()
    done = village.warn(alert()) + [effect for _, effect in village.wait(5_000)]
    for rest_ms in (2_000, 4_000, 8_000):
        play = only(done, StartSound)[-1].play
        village.tell(events.SoundDevice(False, "hw:0", "unplugged"))
        village.tell(events.SoundEnded(play, False, (0,), "sound-device"))
        if comes_back and rest_ms == 8_000:
            village.tell(events.SoundDevice(True, "hw:0", ""))
            rest_ms = 0
        begun = len(village.log)
        village.wait(max(0, rest_ms - 1))
        done = [effect for _, effect in village.log[begun:]]
        assert only(done, StartSound) == []
        done = [effect for _, effect in village.wait(1_000)]
    village.follow(done)
    village.live(30_000)

    assert village.told == [("alert:lu-quet", "aired", None)] * 2
    assert village.receipts[-1] == (1, "heard", ())


def test_audio_of_an_alert_that_rots_is_fetched_again_and_heard_in_the_same_round() -> None:
    """Meanwhile nothing is told as lost."""
    village = Village()
    village.hear(alert())
    village.live(7_000)
    assert village.play is not None
    tone, village.play = village.play, None
    (words,) = only(village.tell(events.SoundEnded(tone.play, True, (5_000,), None)), StartSound)
    sha256 = words.items[0].sha256
    village.folder.discard(sha256)
    village.tell(events.AudioLost(sha256, "rotten"))
    village.follow(village.tell(events.SoundEnded(words.play, False, (0,), "audio-lost")))
    village.live(60_000)
    assert village.told == [("alert:lu-quet", "aired", None)]
    village.folder.add(sha256)
    village.follow(village.tell(events.AudioStored(sha256)))
    village.live(20_000)

    assert village.told == [("alert:lu-quet", "aired", None)] * 2
    assert village.receipts[-1] == (1, "heard", ())


def test_an_alert_already_heard_does_not_start_again_after_a_restart() -> None:
    """Its broker shows it again, too: it is known."""
    village = Village()
    village.hear(alert())
    village.live(30_000)
    for trusted in (True, False):
        later = again(village, civil="2026-11-24T04:01:00", trusted=trusted)
        later.hear(alert())
        later.live(60_000)
        assert later.names == []


def test_a_station_that_was_away_hears_what_is_still_in_force() -> None:
    """It joins the round that is on; the next one comes when it comes everywhere."""
    village = Village(civil="2026-11-24T04:25:00")
    village.hear(alert(repeat_s=600))
    village.live(6 * 60_000)
    begun = [begun_ms for begun_ms, name, _ in village.heard if name.startswith("tone")]
    assert [round(ms / 60_000) for ms in begun] == [0, 5]


def test_a_round_waits_for_what_can_be_heard_of_the_one_before() -> None:
    """Sent 58 seconds before it came, to be repeated every minute: its first words are not cut by the second round."""
    village = Village(civil="2026-11-24T04:00:58")
    village.hear(alert(repeat_s=60))
    village.live(80_000)

    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"] * 3
    assert [round(ms / 1_000) for ms, name, _ in village.heard if name.startswith("tone")] == [2, 17, 64]
    assert village.receipts == [(1, "accepted", ()), (1, "on-air", ()), (1, "heard", ())]


def test_an_alert_that_has_expired_does_not_come_back_with_a_clock_that_is_set_back() -> None:
    """Its broker shows it again; it is known for a day longer."""
    village = Village()
    village.hear(alert(expires="2026-11-23T21:05:00Z"))
    village.live(10 * 60_000)
    village.offset_ms -= 8 * 60_000
    village.hear(alert(expires="2026-11-23T21:05:00Z"))
    village.live(60_000)

    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"]


def test_an_alert_that_came_early_without_the_time_waits_for_it_once_it_is_known() -> None:
    """Its tone had not begun."""
    village = Village(trusted=False)
    village.hear(alert(effective="2026-11-23T21:05:00Z"))
    village.live(1_000)
    village.trusted = True
    village.follow(village.tell(events.TimePassed()))
    village.live(298_000)
    assert village.names == []
    village.live(30_000)
    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"]


def test_an_alert_held_back_until_it_is_effective_is_heard_then() -> None:
    """CAP 1.2, 3.2.2, effective."""
    village = Village()
    village.hear(alert(effective="2026-11-23T21:05:00Z"))
    village.live(299_000)
    assert village.names == []
    village.live(30_000)
    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"]


def test_a_relay_that_fails_for_a_moment_does_not_cost_an_alert() -> None:
    """The amplifier is tried again, for as long as the round lasts."""
    village = Village()
    village.hear(alert())
    village.tell(events.RelayFailed("amplifier", "reads 0 after 1"))
    village.live(60_000)
    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"]


def test_a_stop_leaves_the_alert_to_the_next_life() -> None:
    """A restart in the middle, for an update say, must not end a warning."""
    village = Village()
    village.hear(alert())
    village.live(9_000)
    village.follow(village.tell(events.StopRequested()))
    village.live(2_000)
    assert village.told == [("alert:lu-quet", "aired", None), ("alert:lu-quet", "part", "stopped")]
    later = again(village, civil="2026-11-24T04:01:00")
    later.live(60_000)
    assert later.names == ["lu-quet.vi"]


def test_an_alert_by_who_may_publish_but_not_warn_is_refused_and_nothing_sounds() -> None:
    """One fault, that names the alert; cleared by the next good one."""
    village = Village()
    village.follow(village.warn(alert(), STRANGER))
    village.live(30_000)
    assert village.names == [] and village.faults == [("not-enough-signatures", SUBJECT)]
    village.hear(alert())
    assert village.faults == []


def test_a_thousand_alerts_in_a_minute_leave_room_for_the_one_that_matters() -> None:
    """So many are known at a time; more are refused, unless they rank above one that is."""
    village = Village(settings=replace(SETTINGS, amplifier=Amplifier(0, 1_000)))
    for number in range(1_000):
        village.hear(alert(f"n{number}", severity="Minor", sent=f"2026-11-23T20:{number % 60:02}:00Z"))
    assert len(village.station.alerts.signed) == LIMITS.alerts
    village.hear(alert(severity="Extreme"))
    village.live(20_000)
    assert village.names[-2:] == ["tone-Extreme.zxx", "lu-quet.vi"] or "lu-quet.vi" in village.names
    assert len(village.station.alerts.signed) == LIMITS.alerts


def test_a_minute_takes_so_many_messages_and_one_that_is_worse() -> None:
    """A thief of a key sends one update after another: each would be written down. Not even the newest of his counts,
    but what is worse than all that he sent does; and the next minute begins anew.
    """
    village = Village(settings=replace(SETTINGS, amplifier=Amplifier(0, 1_000)))

    def update(version: int, severity: str = "Severe") -> list[tuple[str, str]]:
        sent = f"2026-11-23T20:{version // 60:02}:{version % 60:02}Z"
        village.hear(alert("lu", version=version, msg_type="Update", severity=severity, sent=sent))
        return [key for key in village.faults if key == ("alerts-too-fast", f"{PROVINCE}#alert:lu")]

    for version in range(1, LIMITS.alerts_a_minute + 1):
        assert update(version) == []
    written = len(village.entries(effects.AlertAccepted))
    told = [("alerts-too-fast", f"{PROVINCE}#alert:lu")]
    assert update(200) == update(201) == told
    assert len(village.entries(effects.AlertAccepted)) == written == LIMITS.alerts_a_minute
    village.hear(alert("vo-dap", severity="Extreme", sent="2026-11-23T20:00:00Z"))
    assert village.station.alerts.version_of((PROVINCE, "vo-dap")) == 1
    village.hear(alert("vo-dap-2", severity="Extreme", sent="2026-11-23T20:59:00Z"))
    assert village.station.alerts.version_of((PROVINCE, "vo-dap-2")) == 0

    village.wait(60_000)
    assert update(202) == []
    assert village.station.alerts.version_of((PROVINCE, "lu")) == 202


def test_what_ends_an_alert_is_never_too_fast_and_ends_it_once() -> None:
    """The minute has had its messages; the Cancel of what sounds is obeyed all the same, and no second one after it."""
    village = Village(settings=replace(SETTINGS, amplifier=Amplifier(0, 1_000)))

    def message(version: int, kind: str = "Update") -> None:
        sent = f"2026-11-23T20:{version // 60:02}:{version % 60:02}Z"
        village.hear(alert("lu", version=version, msg_type=kind, sent=sent))

    for version in range(1, LIMITS.alerts_a_minute + 1):
        message(version)
    message(200, "Cancel")
    assert village.station.alerts.version_of((PROVINCE, "lu")) == 200
    assert village.faults == []

    message(201, "Cancel")
    assert village.station.alerts.version_of((PROVINCE, "lu")) == 200
    assert list(village.faults) == [("alerts-too-fast", f"{PROVINCE}#alert:lu")]


def test_the_cues_of_an_alert_are_settled_under_its_authors_clock() -> None:
    """Whatever the station's own clock says, no sweep of old records forgets that they were heard."""
    village = Village(trusted=False, civil="1970-01-01T08:00:00")
    village.hear(alert())
    village.live(20_000)
    records = [entry.record for entry in village.entries(effects.AsRunClosed)]
    assert [record.planned_start_ms for record in records] == [at("2026-11-24T04:00:00")] * 2
    assert [record.occurrence for record in records] == [
        Occurrence(PROVINCE, "alert:lu-quet", local) for local in ("1.0.0-tone", "1.0.1-vi")
    ]


WARN = st.tuples(
    st.just("warn"),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["Alert", "Update", "Cancel", "aloud"]),
    st.sampled_from(["Extreme", "Severe", "Minor"]),
    st.sampled_from([0, 300, 1_800]),
)
MISHAP = st.one_of(
    st.tuples(st.just("relay"), st.sampled_from(["amplifier", "buon", "cho"])),
    st.tuples(st.just("player")),
    st.tuples(st.just("time"), st.booleans()),
)
OPS = st.tuples(st.one_of(WARN, WARN, MISHAP), st.sampled_from([10, 4_000, 9_000, 20_000, 400_000]))


@settings(max_examples=30, deadline=None)
@given(st.lists(OPS, min_size=3, max_size=15))
def test_whatever_happens_no_lower_alert_holds_the_air_and_what_was_withdrawn_is_silent(
    ops: list[tuple[tuple[Any, ...], int]],
) -> None:
    """air-1, never-3, never-4: messages, relays, players and clocks in any order; each record is told once."""
    village = Village(programme([slot("x", "04:01:00")]), settings=KHO_AND_VI)
    versions: dict[str, int] = {}
    for (kind, *given_), live_ms in ops:
        if kind == "warn":
            name, what, severity, repeat_s = given_
            versions[name] = versions.get(name, 0) + 1
            others = {"msg_type": "Cancel", "tell_cancel": True} if what == "aloud" else {"msg_type": what}
            document = alert(name, version=versions[name], severity=severity, repeat_s=repeat_s, info=BOTH, **others)
            village.hear(document)
        else:
            village.suffer(kind, *given_)
        judge(village)
        village.live(live_ms)
        judge(village)
    village.live(3 * 3_600_000)
    judge(village)
    assert_no_switch_under_sound(village)
    ids = [entry.record.id for entry in village.entries(effects.AsRunClosed)]
    assert len(ids) == len(set(ids)), "never-5: a record is told twice"
    assert not [airing for airing in village.station.desk.cues.waiting.values() if airing.warning and village.trusted]


def judge(village: Village) -> None:
    """What must hold after everything that happens."""
    desk, alerts = village.station.desk, village.station.alerts
    holder = desk.on_air
    if holder is None or holder.stop_reason is not None:
        return
    kinds = desk.rows.kinds_waiting()
    whole = [one for one in desk.cues.waiting.values() if one.warning and one.cue.items]
    ready = [one for one in whole if not desk.rows.is_held_back(one, kinds)]
    reached = [one for one in ready if desk.playout.can_reach(one.cue.zones)]
    assert all(one.cue.priority <= holder.cue.priority for one in reached), "never-4"
    if holder.warning is not None:
        assert alerts.ended(holder.warning, village.now()) is None, "it airs after its end"
