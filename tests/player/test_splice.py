"""Stretches left out and put in: by the samples, and without a click."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable

import pytest

from tests.player.parts import noise, roughest, tone
from ttcs_edge.player.splice import (
    FADE_FRAMES,
    FRAMES_PER_MS,
    SPLICE_FRAMES,
    STEP_LEAST_FRAMES,
    STEP_MOST_FRAMES,
    Distance,
    faded_in,
    faded_out,
    gone_over,
    lengthened,
    shortened,
)

SMOOTH = 300
Splice = Callable[["array[int]"], "array[int]"]


def sound(data: bytes) -> array[int]:
    """Bytes as samples."""
    return array("h", data)


def voice(milliseconds: int, hertz: float) -> array[int]:
    """Ten harmonics of a voice's pitch."""
    turn = 2 * math.pi * hertz / 48_000
    return array(
        "h",
        [
            round(sum(4_000 / k * math.sin(turn * k * n) for k in range(1, 11)))
            for n in range(milliseconds * FRAMES_PER_MS)
        ],
    )


@pytest.mark.parametrize(("splice", "sign"), [(shortened, -1), (lengthened, 1)])
@pytest.mark.parametrize("samples", [sound(tone(30, 440)), voice(30, 110), voice(30, 287), voice(30, 390)])
def test_a_voice_is_shortened_and_lengthened_by_whole_periods_without_a_click(
    samples: array[int], splice: Splice, sign: int
) -> None:
    """It bends hardly more than the voice itself."""
    got = splice(samples)

    assert STEP_LEAST_FRAMES <= sign * (len(got) - len(samples)) <= STEP_MOST_FRAMES
    assert roughest(got.tobytes()) < 1.3 * roughest(samples.tobytes())


@pytest.mark.parametrize("splice", [shortened, lengthened])
def test_it_is_the_quietest_place_that_is_changed(splice: Splice) -> None:
    """Between two words: both stay whole."""
    word, pause = sound(noise(20)), array("h", [0] * SPLICE_FRAMES)
    got = splice(word + pause + word)

    assert got[: len(word)] == word
    assert got[-len(word) :] == word
    assert set(got[len(word) : -len(word)]) == {0}


def test_the_least_that_is_needed_is_enough() -> None:
    """One place, no choice."""
    samples = sound(noise(20))[:SPLICE_FRAMES]

    assert len(shortened(samples)) < len(samples) < len(lengthened(samples))


def test_going_over_changes_five_milliseconds_and_keeps_the_rest_to_the_sample() -> None:
    """In both directions."""
    samples = sound(noise(100))
    out, back = gone_over(samples, 1_000, 700), gone_over(samples, 1_000, -700)

    assert out[:1_000] == back[:1_000] == samples[:1_000]
    assert out[1_000 + FADE_FRAMES :] == samples[1_700 + FADE_FRAMES :]
    assert back[1_000 + FADE_FRAMES :] == samples[300 + FADE_FRAMES :]


@pytest.mark.parametrize(("at", "step"), [(0, -1), (4_800 - FADE_FRAMES, 1), (4_800 - FADE_FRAMES + 1, -100)])
def test_going_over_to_where_nothing_is_is_a_bug(at: int, step: int) -> None:
    """Before the first sample or behind the last."""
    with pytest.raises(AssertionError):
        gone_over(sound(noise(100)), at, step)


def test_a_fade_begins_at_nothing_and_ends_at_nothing_within_five_milliseconds() -> None:
    """And changes nothing else; what is shorter is faded all the same."""
    loud = array("h", [20_000] * 1_000)
    rising, falling = faded_in(loud), faded_out(loud)

    assert roughest((array("h", [0, 0]) + rising).tobytes()) < SMOOTH
    assert list(falling) == list(reversed(rising))
    assert rising[FADE_FRAMES:] == loud[FADE_FRAMES:]
    assert list(rising[:FADE_FRAMES]) == sorted(rising[:FADE_FRAMES])
    assert (len(faded_in(loud[:7])), len(faded_out(loud[:7])), len(faded_in(array("h")))) == (7, 7, 0)


def steps(distance: Distance, left_frames: list[int], size_frames: int = SPLICE_FRAMES) -> list[int]:
    """By how much what is read changes at each look."""
    samples = voice(40, 110)[:size_frames]
    return [len(distance.kept(samples, left)) - len(samples) for left in left_frames]


def test_what_waits_is_judged_by_its_least_and_brought_to_the_middle_in_steps() -> None:
    """Behind so many looks, with rests between the steps, and then no more."""
    for left, sign in ((700, 1), (5_000, -1)):
        distance = Distance(range(1_920, 2_880), 4, 3)
        told = steps(distance, [9_000, left, 9_000, 8_000] + [2_400] * 12)

        assert told[:3] == [0, 0, 0]
        assert [n for n, step in enumerate(told) if step][:2] == [3, 6]
        assert {step * sign > 0 for step in told if step} == {True}
        assert sum(map(abs, told)) <= abs(2_400 - left) + STEP_MOST_FRAMES


def test_no_step_is_followed_by_one_back() -> None:
    """Steps cannot be had in any length: what is owed after the last is less than is worth one."""
    for owed in range(240, 1_000, 20):
        distance = Distance(range(1_920, 2_880), 1, 1)
        distance.kept(voice(40, 110), 2_400 - owed)
        distance._looks = 1_000
        told = steps(distance, [2_400] * 20)

        assert min(told) >= 0


@pytest.mark.parametrize("left", [480, 720, 959])
def test_what_waits_within_the_range_is_left_as_it_is(left: int) -> None:
    """Its lumps do not count."""
    assert steps(Distance(range(480, 960), 4, 3), [5_000, left] * 20) == [0] * 40


def test_a_step_waits_until_there_are_samples_for_it_and_may_be_forgotten() -> None:
    """Too few give no place to choose; what was changed by something else is looked at anew."""
    distance = Distance(range(480, 960), 2, 3)
    assert steps(distance, [0] * 4, SPLICE_FRAMES - 1) == [0] * 4
    assert steps(distance, [720])[0] > 0
    steps(distance, [0] * 4, SPLICE_FRAMES - 1)
    distance.forget()

    assert steps(distance, [720] * 8) == [0] * 8


def test_nothing_is_left_out_of_a_read_behind_which_nothing_is_left() -> None:
    """It is owed from before a delay: it waits until there is something to leave out."""
    distance = Distance(range(480, 960), 4, 1)
    told = steps(distance, [5_000] * 4 + [0, SPLICE_FRAMES - 1, SPLICE_FRAMES])

    assert [step < 0 for step in told] == [False, False, False, True, False, False, True]
    assert told[4:6] == [0, 0]
