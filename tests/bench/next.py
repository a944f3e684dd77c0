"""`next`: which cue is next among 10,000 slots, for rules begun this year and thirty years ago.

Floor: the smallest of 10,000 integers.
"""

from __future__ import annotations

import time

from msgspec.structs import replace

from tests.bench.report import percentile, report
from tests.bench.verify import SETTINGS, programme
from ttcs_edge.core.schedule import Timetable

RUNS = 200


def taken_ms(timetable: Timetable) -> list[float]:
    """Ask which is next, take it, and so on: each question and its answer timed."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        instant = timetable.next_instant()
        assert instant is not None
        timetable.due(instant)
        times.append((time.perf_counter() - began) * 1_000)
    return times


def main() -> None:
    """Measure both ages of rules against the floor."""
    document = programme(10_000)
    now_ms = time.time_ns() // 1_000_000
    young = taken_ms(Timetable((document,), SETTINGS, now_ms))
    slots = tuple(replace(slot, start=f"1996-{slot.start[5:]}") for slot in document.slots)
    old = taken_ms(Timetable((replace(document, slots=slots),), SETTINGS, now_ms))
    numbers = list(range(10_000))
    floor = []
    for _ in range(RUNS):
        began = time.perf_counter()
        min(numbers)
        floor.append((time.perf_counter() - began) * 1_000)
    report("next", "ms", floor, young, since_1996_p50=round(percentile(old, 50), 4), since_1996_p99=percentile(old, 99))


if __name__ == "__main__":
    main()
