"""A list of happenings that breaks a rule, made as short as time allows: what is left is what matters.

Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002): parts of the list
are left out, large ones first, for as long as the same rule is broken. Before that, everything that lies long before
the end is replaced by what it came to: the programmes and the audio that were there. After it, slots are left out of
the programmes, and the station is made simpler.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

from tests.simulation.happenings import Happening, Setup, Timeline

SHRINK_S = 60.0
"""How long a list is being shortened at the most, where nobody waits."""
RULE = re.compile(r"(air|never)-\d:$")
NAMES = re.compile(r"[#/\d'\[(]")
"""What is another one in each failure of one kind: occurrences, instants, lists."""
COMPLAINT_WORDS = 8
TAILS = (4, 10, 25, 60)


@dataclass(frozen=True)
class Failure:
    """What broke: ``complaint`` is the same for two failures of one kind; ``at_end`` when all was mended already."""

    complaint: str
    text: str
    mono_ms: int
    at_end: bool


def failure_of(setup: Setup, happenings: Sequence[Happening], until_mono_ms: int | None) -> Failure | None:
    """Replay a list; up to an instant, or with the two healthy days at its end."""
    timeline = Timeline(setup)
    at_end = False
    try:
        timeline.replay(happenings)
        if until_mono_ms is not None:
            timeline.world.run(max(1, until_mono_ms + 1 - timeline.world.mono_ms))
            return None
        at_end = True
        timeline.finish()
    except Exception as error:
        return failure(error, timeline, at_end)
    finally:
        timeline.close()
    return None


def failure(error: Exception, timeline: Timeline, at_end: bool) -> Failure:
    """An error of a timeline as a value."""
    words = [word for word in str(error).split() if RULE.match(word) or not NAMES.search(word)]
    complaint = " ".join([type(error).__name__, *words[:COMPLAINT_WORDS]])
    return Failure(complaint, f"{error!r}", timeline.world.mono_ms, at_end)


def shrunk(
    setup: Setup, happenings: Sequence[Happening], broke: Failure, limit_s: float = SHRINK_S
) -> tuple[Setup, list[Happening]]:
    """A shorter list, and a simpler station, that break the same rule."""
    until_mono_ms = None if broke.at_end else broke.mono_ms
    end_s = time.monotonic() + limit_s

    def fails(station: Setup, some: Sequence[Happening]) -> bool:
        if time.monotonic() > end_s:
            return False
        again = failure_of(station, some, until_mono_ms)
        return again is not None and again.complaint == broke.complaint

    left = list(happenings)
    for most in TAILS:
        tail = _tail(left, most)
        if len(tail) < len(left) and fails(setup, tail):
            left = tail
            break
    left = _shorter(left, lambda some: fails(setup, some))
    left = _fewer_slots(left, lambda some: fails(setup, some))
    setup = _simpler(setup, lambda station: fails(station, left))
    return setup, left if broke.at_end else [*left, Happening(broke.mono_ms + 1, "calm")]


def _tail(happenings: list[Happening], most: int) -> list[Happening]:
    """The last few of a list, behind what all before them came to."""
    head, tail = happenings[:-most], happenings[-most:]
    if not head:
        return happenings
    mono_ms = tail[0].mono_ms - 1
    files = {one.args[0]: one for one in head if one.kind == "audio"}
    for one in head:
        if one.kind == "spoil" and one.args[1] == "rots":
            files.pop(one.args[0], None)
    newest = {one.args[0]["scope"]: one for one in head if one.kind == "programme" and len(one.args) == 1}
    hands = {one.kind: one for one in head if one.kind in ("key", "input")}
    steps_ms = sum(one.args[0] for one in head if one.kind == "step-clock")
    begin = [Happening(mono_ms, "step-clock", (steps_ms,)), Happening(mono_ms, "power-on")]
    return (
        begin + [replace(one, mono_ms=mono_ms) for one in [*files.values(), *newest.values(), *hands.values()]] + tail
    )


def _shorter(left: list[Happening], fails: Callable[[list[Happening]], bool]) -> list[Happening]:
    """ddmin, over what is left out."""
    parts = 2
    while len(left) >= 2:
        size = -(-len(left) // parts)
        for begin in range(0, len(left), size):
            without = left[:begin] + left[begin + size :]
            if fails(without):
                left, parts = without, max(2, parts - 1)
                break
        else:
            if parts >= len(left):
                return left
            parts = min(len(left), 2 * parts)
    return left


def _fewer_slots(left: list[Happening], fails: Callable[[list[Happening]], bool]) -> list[Happening]:
    for index, one in enumerate(left):
        if one.kind != "programme":
            continue
        slots = list(one.args[0]["slots"])
        for slot in list(slots):
            fewer = [other for other in slots if other is not slot]
            shorter = replace(left[index], args=(one.args[0] | {"slots": fewer}, *one.args[1:]))
            if fails([*left[:index], shorter, *left[index + 1 :]]):
                slots, left = fewer, [*left[:index], shorter, *left[index + 1 :]]
    return left


def _simpler(setup: Setup, fails: Callable[[Setup], bool]) -> Setup:
    for name in [field.name for field in fields(Setup)]:
        simpler = replace(setup, **{name: getattr(Setup(), name)})
        if simpler != setup and fails(simpler):
            setup = simpler
    return setup
