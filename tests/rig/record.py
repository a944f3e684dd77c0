"""What happened in a scenario, on one time axis, as it goes into the results: ``build/rig/results.json``."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tests.rig.bench import Bench, Link


@dataclass(frozen=True)
class Figure:
    """A time that was measured, in seconds, and the most that it may be."""

    name: str
    value_s: float
    most_s: float | None


@dataclass
class Timeline:
    """Of one scenario: what was done and seen, beside what the bench itself knows of relays and sound."""

    began_ns: int = field(default_factory=time.monotonic_ns)
    events: list[tuple[int, str]] = field(default_factory=list)
    power: list[tuple[int, bool]] = field(default_factory=list)
    link: list[tuple[int, Link]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    def happens(self, event: str, at_ns: int | None = None) -> int:
        """Note something that the scenario did or saw, by its name in ``words.EVENTS``; gives when."""
        at_ns = time.monotonic_ns() if at_ns is None else at_ns
        self.events.append((at_ns, event))
        return at_ns

    def has_power(self, on: bool, at_ns: int | None = None) -> int:
        """Note that power comes or goes; gives when."""
        at_ns = time.monotonic_ns() if at_ns is None else at_ns
        self.power.append((at_ns, on))
        return at_ns

    def has_link(self, state: Link) -> int:
        """Note how the link is from now on; gives when."""
        at_ns = time.monotonic_ns()
        self.link.append((at_ns, state))
        return at_ns

    def figure(self, name: str, value_s: float, most_s: float | None = None) -> float:
        """Note a time that was measured, by its name in ``words.FIGURES``; gives it."""
        self.figures.append(Figure(name, value_s, most_s))
        return value_s

    def as_json(self, bench: Bench, ended_ns: int | None = None) -> dict[str, Any]:
        """All of it, in milliseconds since it began."""

        def ms(at_ns: int) -> int:
            return (at_ns - self.began_ns) // 1_000_000

        return {
            "length_ms": ms(ended_ns or time.monotonic_ns()),
            "events": [[ms(at_ns), name] for at_ns, name in sorted(self.events)],
            "power": [[ms(at_ns), on] for at_ns, on in self.power],
            "link": [[ms(at_ns), state.value] for at_ns, state in self.link],
            "relays": [[ms(one.at_ns), one.subject, one.closed] for one in bench.changes(self.began_ns)],
            "sound": [[ms(one.at_ns), round(one.rms_db, 1), one.hertz] for one in bench.heard(self.began_ns)],
            "figures": [[one.name, round(one.value_s, 2), one.most_s] for one in self.figures],
        }
