"""As many station-years as asked, on every core.

    python -m tests.simulation.years 1000 7

lives a thousand station-years from seed 7 on. A broken rule is told at once, with the seed and the end of the trace;
the shrunk list of happenings that replays it follows. Exits with 1 when a rule was broken.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count
from typing import Any

from tests.simulation.storm import (
    Run,
    finds_out_the_time,
    is_ordered_about,
    is_relayed,
    is_robbed,
    is_spoken_over,
    is_streamed,
    is_warned,
    run,
)

YEAR_DAYS = 365.25
TELL_EVERY_S = 10.0


def pool(begin: Callable[[], None] | None = None) -> ProcessPoolExecutor:
    """A process for every core, which begins as told; started afresh, so that no thread of this one is copied."""
    return ProcessPoolExecutor(os.cpu_count() or 2, multiprocessing.get_context("spawn"), begin)


def live(seed: int) -> Run:
    """One seed; a share of them with stations that must find out the time by themselves, with alerts, with a
    microphone, with live relays, with commands, with radios, and with a thief.
    """
    kinds: dict[str, Any] = {"own_clock": finds_out_the_time(seed), "alerts": is_warned(seed)}
    kinds["microphone"] = is_spoken_over(seed)
    kinds |= {"live": is_relayed(seed), "orders": is_ordered_about(seed), "streams": is_streamed(seed)}
    kinds["trust"] = is_robbed(seed)
    return run(seed, **kinds)


def runs(processes: ProcessPoolExecutor, years: float, first: int) -> Iterator[Run]:
    """Seeds from ``first`` on, each as soon as it has ended, until so many years were lived through."""
    seeds, open_runs, days = count(first), set[Future[Run]](), 0.0
    while days < years * YEAR_DAYS:
        while len(open_runs) < 2 * (os.cpu_count() or 2):
            open_runs.add(processes.submit(live, next(seeds)))
        done, open_runs = wait(open_runs, return_when=FIRST_COMPLETED)
        for one in done:
            days += one.result().days
            yield one.result()
    for one in open_runs:
        one.cancel()


def summary(lived: list[Run]) -> str:
    """How much was lived through."""
    years = sum(one.days for one in lived) / YEAR_DAYS
    happenings, events = sum(one.happenings for one in lived), sum(one.events for one in lived)
    return f"{years:.1f} station-years, {len(lived):,} seeds, {happenings:,} happenings, {events:,} events"


def main() -> None:
    """Run, tell, and shrink what was found."""
    years, first = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    lived: list[Run] = []
    begun_s = told_s = time.monotonic()
    with pool() as processes:
        shrinking: list[Future[str]] = []
        for one in runs(processes, years, first):
            lived.append(one)
            if one.failure is not None:
                print(one.text, flush=True)
                shrinking.append(processes.submit(one.shrunk))
            if time.monotonic() - told_s >= TELL_EVERY_S:
                told_s = time.monotonic()
                print(f"{told_s - begun_s:.0f} s: {summary(lived)}", flush=True)
        for text in shrinking:
            print(f"\nshrunk, for a file in tests/simulation/seeds:\n{text.result()}", flush=True)
    broken = sorted(one.seed for one in lived if one.failure is not None)
    told = f"rules were broken by the seeds {broken}" if broken else "no rule broken"
    print(f"{time.monotonic() - begun_s:.0f} s: {summary(lived)}; {told}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
