"""The timeline of a scenario as a picture (SVG): power, link, every relay and the sound on one axis of time.

Narrow enough to be read on a phone. Numbers at the top are the events, which stand in a list below the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.rig.bench import AMPLIFIER, QUIET_DB, ZONES
from tests.rig.words import TRACKS

WIDTH = 340
LEFT = 74
RIGHT = 8
ROW = 15
BAR = 9
SOUND = 34
HEAD = 32
FOOT = 18
STEPS_S = (1, 2, 5, 10, 20, 30, 60)
TICKS_MOST = 8
NUMBER_R = 6
LOUD_DB = 0.0
GRID, TEXT = "#d8dee4", "#24292f"
COLOURS = {"power": "#9a6700", "link": "#0969da", "relay": "#1a7f37", AMPLIFIER: "#8250df", "sound": "#bf3989"}
SLOW_OPACITY = 0.35


def timeline(seen: dict[str, Any], title: str) -> str:
    """The picture; ``title`` is what it is called for those who do not see it."""
    return Picture(seen).draw(title)


class Picture:
    """One scenario's."""

    def __init__(self, seen: dict[str, Any]) -> None:
        self._seen = seen
        self._length_ms: int = max(1, seen["length_ms"])
        moved = {subject for _, subject, closed in seen["relays"] if closed}
        self._relays = [subject for subject in (AMPLIFIER, *ZONES) if subject in moved]
        self._y = HEAD

    def draw(self, title: str) -> str:
        """All of it."""
        rows = "".join([self._power(), self._link(), *map(self._relay, self._relays), self._sound()])
        bottom = self._y
        height = bottom + FOOT
        grid, events = self._axis(bottom), self._events(bottom)
        return (
            f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg">'
            f'<g font-family="sans-serif" font-size="10" fill="{TEXT}">{grid}{rows}{events}</g></svg>'
        )

    def _x(self, at_ms: float) -> float:
        share = min(max(at_ms, 0), self._length_ms) / self._length_ms
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def _label(self, text: str, height: int = ROW) -> str:
        return f'<text x="{LEFT - 6}" y="{self._y + height / 2 + 3.5:g}" text-anchor="end">{text}</text>'

    def _bar(self, begin_ms: float, end_ms: float, colour: str, opacity: float = 1.0) -> str:
        x, wide = self._x(begin_ms), max(0.8, self._x(end_ms) - self._x(begin_ms))
        y = self._y + (ROW - BAR) / 2
        more = f' opacity="{opacity}"' if opacity < 1 else ""
        return f'<rect x="{x}" y="{y:g}" width="{wide:.1f}" height="{BAR}" rx="1.5" fill="{colour}"{more}/>'

    def _row(self, name: str, bars: str) -> str:
        drawn = self._label(name) + bars
        self._y += ROW
        return drawn

    def _power_spans(self) -> list[tuple[int, int]]:
        return list(spans([(0, True), *self._seen["power"]], self._length_ms))

    def _power(self) -> str:
        if not self._seen["power"]:
            return ""
        bars = "".join(self._bar(begin, end, COLOURS["power"]) for begin, end in self._power_spans())
        return self._row(TRACKS["power"][0], bars)

    def _link(self) -> str:
        if not self._seen["link"]:
            return ""
        states = [(0, "up"), *self._seen["link"], (self._length_ms, "up")]
        opacity = {"up": 1.0, "slow": SLOW_OPACITY}
        bars = "".join(
            self._bar(begin, end, COLOURS["link"], opacity[state])
            for (begin, state), (end, _) in pairwise(states)
            if state in opacity
        )
        return self._row(TRACKS["link"][0], bars)

    def _relay(self, subject: str) -> str:
        """A relay without power is open, whatever its line last was."""
        moves = [(at_ms, closed) for at_ms, one, closed in self._seen["relays"] if one == subject]
        colour = COLOURS.get(subject, COLOURS["relay"])
        bars = "".join(
            self._bar(max(begin, on), min(end, off), colour)
            for begin, end in spans(moves, self._length_ms)
            for on, off in self._power_spans()
            if max(begin, on) < min(end, off)
        )
        return self._row(TRACKS.get(subject, (subject, ""))[0], bars)

    def _sound(self) -> str:
        bottom = self._y + SOUND - 2
        bars = []
        for at_ms, level_db, _ in self._seen["sound"]:
            tall = (SOUND - 6) * min(1.0, max(0.04, (level_db - QUIET_DB) / (LOUD_DB - QUIET_DB)))
            wide = max(0.7, self._x(at_ms + 100) - self._x(at_ms))
            bars.append(f'<rect x="{self._x(at_ms)}" y="{bottom - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>')
        drawn = self._label(TRACKS["sound"][0], SOUND) + f'<g fill="{COLOURS["sound"]}">{"".join(bars)}</g>'
        self._y += SOUND
        return drawn

    def _axis(self, bottom: int) -> str:
        length_s = self._length_ms / 1_000
        step_s = next((step for step in STEPS_S if length_s / step <= TICKS_MOST), STEPS_S[-1])
        drawn = []
        for second in range(0, int(length_s) + 1, step_s):
            x = self._x(second * 1_000)
            drawn.append(f'<line x1="{x}" y1="{HEAD}" x2="{x}" y2="{bottom}" stroke="{GRID}"/>')
            drawn.append(f'<text x="{x}" y="{bottom + 13}" text-anchor="middle">{second}</text>')
        drawn.append(f'<text x="{LEFT - 6}" y="{bottom + 13}" text-anchor="end">giây / s</text>')
        return "".join(drawn)

    def _events(self, bottom: int) -> str:
        drawn, ends = [], [-1e9, -1e9]
        for number, (at_ms, _) in enumerate(self._seen["events"], 1):
            x = self._x(at_ms)
            level = 0 if x - ends[0] > 2 * NUMBER_R else 1
            ends[level] = x
            y = HEAD - NUMBER_R - 2 - level * (2 * NUMBER_R + 1)
            drawn.append(
                f'<line x1="{x}" y1="{y}" x2="{x}" y2="{bottom}" stroke="{TEXT}" stroke-dasharray="2 2" opacity="0.6"/>'
                f'<circle cx="{x}" cy="{y}" r="{NUMBER_R}" fill="{TEXT}"/>'
                f'<text x="{x}" y="{y + 3}" text-anchor="middle" font-size="8.5" fill="#fff">{number}</text>'
            )
        return "".join(drawn)


def spans(moves: list[tuple[int, bool]], end_ms: int) -> Iterator[tuple[int, int]]:
    """When something was on."""
    since_ms = None
    for at_ms, on in moves:
        if on and since_ms is None:
            since_ms = at_ms
        elif not on and since_ms is not None:
            yield since_ms, at_ms
            since_ms = None
    if since_ms is not None:
        yield since_ms, end_ms
