"""The ear and the core's judgement on what a pole hears: nothing that is not so is told, and what is so, in time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.airwaves import VIETNAMESE, Chain, Scene, digits, music, tone
from tests.monitor.listener import LOUD_DBFS, Listener
from ttcs_edge.core.monitor import DISTORTED, FOREIGN, RECORDING_MS, SILENT
from ttcs_edge.training.voices import ENGLISH, Sound, speech

DAYS = 1_000
FOREIGN_AT_S = 20
OTHERS = {
    "english": lambda: speech(ENGLISH, "en"),
    "vietnamese": lambda: speech(VIETNAMESE, "vi", 170),
    "music": lambda: music(3),
}


def own() -> list[Sound]:
    """What stations play."""
    said = [speech(VIETNAMESE, "vi"), speech(VIETNAMESE, "vi", 180), speech(ENGLISH, "en"), music(1), music(2)]
    return said + [tone(name) for name in ("gong", "test", "wail", "yelp")]


def day(seed: int) -> Scene:
    """The two loud minutes of a day: bulletins or alerts, through a chain, beside all that a pole hears."""
    dice = np.random.default_rng(seed)
    echoes = tuple((dice.uniform(0.3, 1.0), dice.uniform(4, 14)) for _ in range(dice.integers(0, 3)))
    chain = Chain(
        lag_s=float(dice.choice([0.1, 0.15, 0.4, 0.9, 1.3])),
        gain_db=-4 + dice.uniform(-4, 4),
        crooked=dice.uniform(0, 0.8),
        echoes=echoes,
        drift_ppm=dice.uniform(-100, 100),
    )
    scene = Scene(dice, 110, chain, noise_db=dice.uniform(-75, -55), hum_db=dice.uniform(-60, -35))
    at_s = dice.uniform(8, 14)
    for _ in range(2):
        length_s = dice.uniform(8, 28)
        sounds = own()
        scene.send(sounds[dice.integers(len(sounds))], at_s, length_s, float(dice.choice([0, 0, 0, -6, -12])))
        at_s += length_s + dice.choice([0.4, 2.0, 12.0])
    if dice.random() < 0.3:
        scene.send(digits("12*"), 4, 0.6)
    for _ in range(3):
        disturb(scene, dice)
    return scene


def disturb(scene: Scene, dice: np.random.Generator) -> None:
    """Something happens at the pole."""
    at_s, level_db = dice.uniform(0, 95), dice.uniform(-45, -33)
    match dice.integers(7):
        case 0:
            scene.add_hiss(at_s, dice.uniform(0.3, 15), dice.uniform(-50, -12))
        case 1:
            scene.add_motorbike(at_s, level_db)
        case 2:
            scene.add_bird(at_s, level_db)
        case 3:
            scene.add_click(at_s, dice.uniform(-30, -8))
        case 4:
            scene.add(speech(ENGLISH, "en"), at_s, 15, level_db - 3)
        case 5:
            scene.add(music(7), at_s, 15, level_db - 3)
        case _:
            for burst in range(5):
                scene.add_hiss(at_s + 0.7 * burst, 0.35, -20)


def told_in_days(seeds: range) -> Counter[str]:
    """What was told in so many days, each with a monitor of its own."""
    told: Counter[str] = Counter()
    for seed in seeds:
        listener = Listener()
        listener.hear(day(seed))
        told.update(f"{code} on day {seed}" for code in listener.codes())
    return told


@pytest.mark.timeout(600)
def test_nothing_is_told_in_days_of_hums_and_birds() -> None:
    """Bulletins, alerts, digits; rain, motorbikes, karaoke far away, receivers that hiss, clicks, echoes, drift."""
    assert told_in_days(range(5, 7)) == {}


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_nothing_is_told_in_a_thousand_days() -> None:
    """The same, for as long as a pole stands."""
    assert told_in_days(range(DAYS)) == {}


def first_s(listener: Listener, code: str) -> float:
    """When it was told, in seconds since the foreign sound began; a recording takes its time, too."""
    (at_s, *_) = [at_s for at_s, one in listener.told if one.code == code and one.present]
    return at_s - FOREIGN_AT_S + RECORDING_MS / 1_000


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("level_db", [LOUD_DBFS + 6, LOUD_DBFS, LOUD_DBFS - 7])
def test_a_hijack_over_silence_is_told_within_ten_seconds(what: str, level_db: float) -> None:
    """Speech in either language, and music, as loud as bulletins are there or somewhat less."""
    scene = Scene(np.random.default_rng(5), 32)
    scene.add(OTHERS[what](), FOREIGN_AT_S, 12, level_db)
    listener = Listener()
    listener.hear(scene)

    assert listener.codes() == [FOREIGN]
    assert first_s(listener, FOREIGN) < 10


@pytest.mark.parametrize(("ours", "what"), [("speech", "english"), ("speech", "music"), ("music", "vietnamese")])
@pytest.mark.parametrize("lag_s", [0.1, 0.9])
def test_a_hijack_of_our_own_bulletin_is_told_within_ten_seconds(ours: str, what: str, lag_s: float) -> None:
    """A stronger transmitter takes the receiver over in the middle of it."""
    scene = Scene(np.random.default_rng(6), 34, Chain(lag_s=lag_s))
    scene.send(speech(VIETNAMESE, "vi") if ours == "speech" else music(1), 5, 29)
    scene.add(OTHERS[what](), FOREIGN_AT_S, 14, LOUD_DBFS - 3)
    listener = Listener()
    listener.hear(scene, scene.heard(ours_until_s=FOREIGN_AT_S))

    assert listener.codes()[0] == FOREIGN
    assert first_s(listener, FOREIGN) < 10


def test_a_stranger_who_speaks_into_our_bulletin_is_told_within_ten_seconds() -> None:
    """Both are heard, he as loud as we are."""
    scene = Scene(np.random.default_rng(7), 34)
    scene.send(speech(VIETNAMESE, "vi"), 5, 29)
    scene.add(speech(ENGLISH, "en"), FOREIGN_AT_S, 14, LOUD_DBFS + 3)
    listener = Listener()
    listener.hear(scene)

    assert listener.codes() == [FOREIGN]
    assert first_s(listener, FOREIGN) < 10


@pytest.mark.parametrize("sound", [speech(VIETNAMESE, "vi"), music(1), tone("wail"), tone("test")])
def test_a_dead_line_is_told_within_ten_seconds_of_the_next_sound(sound: Sound) -> None:
    """Whatever is sent: the noise of the input is all that is heard."""
    scene = Scene(np.random.default_rng(8), 30)
    scene.send(sound, 5, 20)
    listener = Listener()
    listener.hear(scene, scene.others)

    assert listener.codes() == [SILENT]
    assert listener.told[0][0] - 5 < 12


def test_a_receiver_that_hisses_is_no_hijack_and_what_it_drowns_is_missed() -> None:
    """The transmitter is off: no squelch, and nothing of ours."""
    scene = Scene(np.random.default_rng(9), 40)
    scene.add_hiss(0, 40, LOUD_DBFS + 3)
    scene.send(speech(VIETNAMESE, "vi"), 10, 28)
    listener = Listener()
    listener.hear(scene, scene.others)

    assert FOREIGN not in listener.codes()


@pytest.mark.parametrize(
    "spoil",
    [
        {"chain": Chain(clipped_at=0.1)},
        {"noise_db": -22.0},
    ],
)
def test_what_is_clipped_or_drowned_in_noise_is_distorted(spoil: dict[str, Any]) -> None:
    """Ours, and known as ours."""
    scene = Scene(np.random.default_rng(10), 40, **spoil)
    scene.send(speech(VIETNAMESE, "vi"), 5, 34)
    listener = Listener()
    listener.hear(scene)

    assert listener.codes() == [DISTORTED]


def test_a_relay_of_hours_is_counted_to_a_minute() -> None:
    """What is said of it stays within the bounds that the daemon has for it."""
    scene = Scene(np.random.default_rng(12), 64)
    scene.send(speech(VIETNAMESE, "vi"), 0, 64)
    listener = Listener()
    listener.hear(scene)

    assert [one.sent_ms for one in listener.numbers][-3:] == [60_000, 60_000, 60_000]
    assert listener.codes() == []


def test_a_quiet_day_costs_the_core_a_word_in_five_minutes() -> None:
    """And a bulletin one a second."""
    scene = Scene(np.random.default_rng(11), 100)
    listener = Listener()
    listener.hear(scene)
    assert listener.readings == 1
    scene.send(speech(VIETNAMESE, "vi"), 5, 30)
    listener.hear(scene)
    assert 30 <= listener.readings <= 45
