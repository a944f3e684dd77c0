"""An amplifier that may be on the air for so much of any hour: what waits, ends and goes on, and what is told of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import SETTINGS, ByHand, alert, bulletin, programme, slot
from tests.core.test_alerts import Village
from tests.core.test_live import Pole
from ttcs_edge.core import effects
from ttcs_edge.core.documents import ToneOrder
from ttcs_edge.core.duty import SLACK_MS, Duty
from ttcs_edge.core.effects import StopSound
from ttcs_edge.core.model import Amplifier

MINUTE_MS = 60_000
RESTS = ("amplifier-rest", "amplifier")
TEN_OF_SIXTY = replace(SETTINGS, amplifier=Amplifier(duty_most_ms=10 * MINUTE_MS))


def day(*slots: tuple[str, str, float], **others: object) -> Village:
    """A village whose slots each air a bulletin of so many minutes; its amplifier bears ten minutes an hour."""
    named = [slot(name, at, **others) for name, at, _ in slots]
    document = programme(named, [bulletin(name, 60 * minutes) for name, _, minutes in slots])
    return Village(document, settings=TEN_OF_SIXTY)


def reference(spent: list[tuple[int, int]], span_ms: int, now_ms: int) -> int:
    """What was spent, millisecond by millisecond."""
    on_air = {at_ms for begin_ms, end_ms in spent for at_ms in range(begin_ms, end_ms)}
    return sum(1 for at_ms in on_air if now_ms - span_ms <= at_ms < now_ms)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), max_size=6),
    st.integers(1, 20),
    st.integers(21, 40),
    st.integers(1, 25),
)
def test_when_a_play_fits_and_when_all_is_spent_is_what_counting_every_instant_gives(
    pairs: list[tuple[int, int]], most_ms: int, span_ms: int, length_ms: int
) -> None:
    """Spans that slide: not a millisecond more, and none that is there is withheld."""
    duty = Duty(Amplifier(duty_most_ms=most_ms, duty_span_ms=span_ms))
    spent, now_ms = [], 100
    for pause_ms, sound_ms in pairs:
        begin_ms = now_ms + pause_ms
        duty.follow(True, begin_ms)
        now_ms = begin_ms + sound_ms
        duty.follow(False, now_ms)
        spent.append((begin_ms, now_ms))
    assert duty.used_ms() == reference(spent, span_ms, now_ms)

    needs_ms = min(length_ms, most_ms)

    def most_spent(at_ms: int) -> int:
        whole = [*spent, (at_ms, at_ms + needs_ms)]
        return max(reference(whole, span_ms, end_ms) for end_ms in range(at_ms + 1, at_ms + needs_ms + 1))

    fits_ms = max(now_ms, duty.fits_mono_ms(length_ms))
    assert most_spent(fits_ms) <= most_ms or reference(spent, span_ms, fits_ms) > most_ms - needs_ms > 0
    assert reference([*spent, (fits_ms, fits_ms + needs_ms)], span_ms, fits_ms + needs_ms) <= most_ms
    if fits_ms > now_ms:
        earlier_ms = fits_ms - 1
        assert reference([*spent, (earlier_ms, earlier_ms + needs_ms)], span_ms, earlier_ms + needs_ms) > most_ms

    duty.follow(True, now_ms)
    duty.amplifier = Amplifier(duty_most_ms=most_ms - SLACK_MS, duty_span_ms=span_ms)  # which makes the slack none
    over_ms = duty.over_mono_ms()
    goes_on = [*spent, (now_ms, now_ms + 200)]
    first_ms = next(at_ms for at_ms in range(now_ms, now_ms + 200) if reference(goes_on, span_ms, at_ms) >= most_ms)
    assert over_ms == first_ms


def test_a_cue_that_does_not_fit_waits_as_long_as_its_slot_allows_and_is_heard_whole() -> None:
    """Eight minutes at five and five at half past: the second begins once all of it fits, and is not cut."""
    village = day(("a", "05:00:00", 8), ("b", "05:30:00", 5), late_window_s=3_600)
    village.live(60 * MINUTE_MS + 31 * MINUTE_MS)
    assert village.names == ["a.vi"] and RESTS in village.faults
    (fault,) = [one for one in village.station.faults.open.values() if one.code == "amplifier-rest"]
    assert fault.detail == (("found", "8"), ("most", "10"), ("span", "60"))
    village.live(40 * MINUTE_MS)

    begins_ms = [at_ms - 60 * MINUTE_MS for at_ms, _, _ in village.heard]
    assert village.names == ["a.vi", "b.vi"]
    assert 57 * MINUTE_MS < begins_ms[1] < 59 * MINUTE_MS, "at its end three minutes of the first one are forgotten"
    assert village.told == [("a", "aired", None), ("b", "aired", None)] and village.faults == []


def test_without_a_late_window_it_is_missed_for_that_reason() -> None:
    """The log, and a fault of its slot, say why."""
    village = day(("a", "05:00:00", 8), ("b", "05:30:00", 5))
    village.live(100 * MINUTE_MS)

    assert village.told == [("a", "aired", None), ("b", "missed", "amplifier-rest")]
    assert ("cue-missed", "vn/lam-dong#b") in village.faults


def test_what_is_longer_than_all_there_is_is_faded_out_and_goes_on_when_it_fits() -> None:
    """Twelve minutes: ten, a rest, and the last two (air-2)."""
    long = programme([slot("a", "05:00:00", late_window_s=7_200)], [bulletin("a", 720)])
    station = ByHand(long, settings=TEN_OF_SIXTY)
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    begun_ms = station.mono_ms
    fades = [at_ms for at_ms, effect in station.wait(10 * MINUTE_MS + SLACK_MS) if isinstance(effect, StopSound)]
    assert fades == [begun_ms + 10 * MINUTE_MS + SLACK_MS]
    station.sound_ends(False, 10 * MINUTE_MS + SLACK_MS)
    assert station.faults == [RESTS]
    rests = [effect for _, effect in station.wait(49 * MINUTE_MS) if isinstance(effect, effects.StartSound)]
    assert rests == []
    station.wait(2 * MINUTE_MS)
    assert station.sound_begins().from_ms == 10 * MINUTE_MS + SLACK_MS
    station.wait(2 * MINUTE_MS - SLACK_MS)
    station.sound_ends(True)

    assert station.told == [("a", "aired", None)]
    (record,) = [closed.record for closed in station.entries(effects.AsRunClosed)]
    assert record.interruptions == 1
    station.wait(MINUTE_MS)
    assert station.faults == []


def test_what_is_to_restart_and_is_longer_than_all_there_is_ends_and_does_not_begin_for_ever() -> None:
    """It would end in the same place each time: a part was heard, and that is told."""
    long = programme([slot("a", "05:00:00", if_interrupted="restart", late_window_s=7_200)], [bulletin("a", 720)])
    village = Village(long, settings=TEN_OF_SIXTY)
    village.live(180 * MINUTE_MS)

    assert village.names == ["a.vi"]
    assert village.told == [("a", "part", "amplifier-rest")]


def test_an_alert_is_never_kept_from_the_air_and_that_it_spent_more_is_told() -> None:
    """It is heard in the middle of a rest; so is who speaks."""
    village = day(("a", "05:00:00", 10))
    village.live(60 * MINUTE_MS + 11 * MINUTE_MS)
    village.hear(alert(sent="2026-11-23T22:11:00Z"))
    village.live(MINUTE_MS)

    assert village.names == ["a.vi", "tone-Severe.zxx", "lu-quet.vi"]
    assert RESTS in village.faults
    village.live(60 * MINUTE_MS)
    assert village.faults == []


def test_a_lower_cue_that_fits_is_heard_while_a_longer_one_rests() -> None:
    """What cannot be heard neither holds the air nor takes it."""
    both = programme(
        [slot("a", "05:00:00"), slot("b", "05:30:00", priority=9, late_window_s=3_600), slot("c", "05:31:00")],
        [bulletin("a", 480), bulletin("b", 300), bulletin("c", 60)],
    )
    village = Village(both, settings=TEN_OF_SIXTY)
    village.live(100 * MINUTE_MS)

    assert village.names[:2] == ["a.vi", "c.vi"]


def test_a_live_relay_leaves_the_air_when_all_is_spent_and_comes_back() -> None:
    """It has no length of its own: it begins where a minute fits in."""
    settings = replace(SETTINGS, amplifier=Amplifier(duty_most_ms=2 * MINUTE_MS, duty_span_ms=5 * MINUTE_MS))
    here = Pole(settings=settings)
    here.speak_for(2 * MINUTE_MS + 5_000)
    assert here.sounds is None and here.faults == [RESTS]
    begun = here.words.count("live")
    here.speak_for(3 * MINUTE_MS + 10_000)

    assert begun == 1 and here.words.count("live") == 2 and here.sounds is not None


def test_a_test_tone_that_does_not_fit_is_refused_with_the_reason() -> None:
    """And nothing of it is heard."""
    village = day(("a", "05:00:00", 10))
    village.live(60 * MINUTE_MS + 15 * MINUTE_MS)
    assert village.told == [("a", "aired", None)]
    (answer,) = village.order(test_tone=ToneOrder(zone="cho", seconds=5))

    assert (answer.outcome, answer.reason) == ("refused", "amplifier-rest")


def test_an_amplifier_without_a_limit_is_not_counted() -> None:
    """It costs nothing: no wake, no memory."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(MINUTE_MS)

    assert station.station.desk.reach.duty.used_ms() == 0
    assert station.station.desk.reach.duty_turns_mono_ms() == []
