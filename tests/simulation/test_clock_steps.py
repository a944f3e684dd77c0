"""A clock that is set, at the worst instants: each occurrence airs once or is told why not, and no rule is broken."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.core.material import DAY_MS, HOUR_MS, SETTINGS, at, audio_of, brief, bulletin, programme, slot
from tests.simulation.rulebook import every_rule
from tests.simulation.world import World

MINUTE_MS = 60_000
DAILY = (
    slot("sang", "05:00:00", late_window_s=3_600),
    slot("trua", "11:30:00"),
    slot("toi", "17:00:00", late_window_s=1_800, if_interrupted="restart"),
)
PROGRAMME = programme(DAILY, [bulletin("sang", 600), bulletin("trua", 60), bulletin("toi", 300)])


def begin() -> World:
    """A station with three slots a day, at four in the morning."""
    world = World(SETTINGS, at("2026-11-24T04:00:00"), audio_of(PROGRAMME), rules=every_rule())
    world.power_on()
    world.publish(PROGRAMME)
    return world


def told(world: World) -> list[tuple[str, str | None, str | None]]:
    """Slot, outcome and reason of everything that the log tells."""
    return [brief(record) for record in world.disk.as_run]


def assert_each_once(world: World) -> None:
    """never-5: no occurrence is told twice, nor under two ids."""
    counts = Counter(record.occurrence for record in world.disk.as_run)
    assert [key for key, count in counts.items() if count > 1] == []
    assert len({record.id for record in world.disk.as_run}) == len(world.disk.as_run)


@pytest.mark.parametrize("back_ms", [1_000, 5 * MINUTE_MS, 59 * MINUTE_MS, 20 * HOUR_MS, 3 * DAY_MS])
@pytest.mark.parametrize("moment", ["04:59:50", "04:59:59", "05:00:00", "05:04:00", "05:10:30"])
def test_a_clock_set_back_repeats_nothing(moment: str, back_ms: int) -> None:
    """Before the cue, on its way up, in its middle, behind its end: by a second or by days."""
    world = begin()
    world.run_until(at(f"2026-11-24T{moment}"))
    world.step_clock(-back_ms)
    world.run(back_ms + 2 * HOUR_MS)

    assert_each_once(world)
    assert ("sang", "aired", None) in told(world)
    assert sum(record.occurrence.local == "2026-11-24T05:00:00" for record in world.disk.as_run) == 1


@pytest.mark.parametrize(
    ("moment", "ahead_ms", "sang"),
    [
        ("04:30:00", 45 * MINUTE_MS, "aired"),  # within its hour
        ("04:59:58", 30 * MINUTE_MS, "aired"),  # with the amplifier warm
        ("05:05:00", 30 * MINUTE_MS, "aired"),  # on the air: it goes on to its end
        ("04:30:00", 2 * HOUR_MS, "missed"),  # beyond it
        ("04:30:00", 9 * DAY_MS, None),  # further back than anybody looks: nobody's loss
    ],
)
def test_a_clock_set_ahead_skips_nothing_that_its_window_allows(moment: str, ahead_ms: int, sang: str | None) -> None:
    """air-6: what the leap hid airs late within its window, or is told."""
    world = begin()
    world.run_until(at(f"2026-11-24T{moment}"))
    world.step_clock(ahead_ms)
    world.run(2 * HOUR_MS)

    assert_each_once(world)
    first = [record for record in world.disk.as_run if record.occurrence.local == "2026-11-24T05:00:00"]
    assert [record.outcome and record.outcome.value for record in first] == ([sang] if sang else [])


def test_a_clock_that_is_set_to_and_fro_all_day_airs_each_slot_once() -> None:
    """Every ten minutes by an hour, now ahead, now back: two sources that quarrel."""
    world = begin()
    for turn in range(6 * 24):
        world.run(10 * MINUTE_MS)
        world.step_clock(HOUR_MS if turn % 2 else -HOUR_MS)

    assert_each_once(world)
    assert Counter(record.occurrence.slot for record in world.disk.as_run)["sang"] >= 1


@pytest.mark.parametrize("seed", range(12))
def test_no_order_of_steps_and_power_cuts_airs_anything_twice(seed: int) -> None:
    """A week or two of steps, spells without trusted time and power cuts, at instants that a die chooses."""
    dice = random.Random(seed)
    world = begin()
    for _ in range(40):
        world.run(dice.choice([MINUTE_MS, 40 * MINUTE_MS, 5 * HOUR_MS]) if world.trusted else 10 * MINUTE_MS)
        match dice.randrange(5):
            case 0:
                world.step_clock(-dice.choice([2_000, 10 * MINUTE_MS, 6 * HOUR_MS]))
            case 1:
                world.step_clock(dice.choice([2_000, 10 * MINUTE_MS, 6 * HOUR_MS]))
            case 2:
                world.trusted = not world.trusted
            case 3:
                world.power_off()
                world.step_clock(dice.choice([0, -HOUR_MS]))
                world.power_on()
            case _ if world.trusted:
                world.run_until(world.wall_ms // DAY_MS * DAY_MS + DAY_MS - 2 * HOUR_MS)  # 05:00 in Vietnam
    world.trusted = True
    world.run(DAY_MS)

    assert_each_once(world)
    assert any(outcome == "aired" for _, outcome, _ in told(world))
