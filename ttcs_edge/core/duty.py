"""How long the amplifier may be on the air: so much of any span, for cheap ones grow hot.

What is on the air is counted, by the monotonic clock, over a span that slides. Rules:

1. A cue begins only where all that is left of it fits in; until then it waits, for as long as its patience lasts
   (air-6). One that is longer than all there is begins once nothing is spent, and what has no length of its own once a
   minute fits.
2. What is on the air when everything is spent is faded out, and goes on as its slot says, when it fits again; what is
   to restart is longer than all there is, and ends.
3. An alert and who speaks at the station are never kept from the air, nor taken from it: that more was spent then is
   told.

It does not outlast a restart: what was spent in an earlier life is not known.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ttcs_edge.core.model import Amplifier

LENGTHLESS_MS = 60_000
"""How much must fit in of what has no length of its own."""
SLACK_MS = 1_000
"""How much longer than it says a sound may be: one that fits in exactly is not faded out in its last moment."""
RESTS = "amplifier-rest"
"""What is told while something is kept from the air, or more was spent than should be."""


@dataclass(slots=True)
class Duty:
    """What was spent of late: spans of the monotonic clock, and since when there is sound, where there is."""

    amplifier: Amplifier
    spent: deque[tuple[int, int]] = field(default_factory=deque)
    since_mono_ms: int | None = None
    now_mono_ms: int = 0

    def follow(self, sounding: bool, now_mono_ms: int) -> None:
        """It is this instant, and there is sound, or there is not."""
        if self.amplifier.duty_most_ms is None:
            return
        self.now_mono_ms = now_mono_ms
        if sounding and self.since_mono_ms is None:
            self.since_mono_ms = now_mono_ms
        elif not sounding and self.since_mono_ms is not None:
            if now_mono_ms > self.since_mono_ms:
                self.spent.append((self.since_mono_ms, now_mono_ms))
            self.since_mono_ms = None
        while self.spent and self.spent[0][1] <= now_mono_ms - self.amplifier.duty_span_ms:
            self.spent.popleft()

    def used_ms(self) -> int:
        """How much of the span that ends now was spent, where that is counted."""
        begin_ms = self.now_mono_ms - self.amplifier.duty_span_ms
        return sum(end - max(begin, begin_ms) for begin, end in self._spans() if end > begin_ms)

    @property
    def is_bound(self) -> bool:
        """Tell whether there is anything to be counted."""
        return self.amplifier.duty_most_ms is not None

    @property
    def is_spent(self) -> bool:
        """Tell whether nothing is left."""
        most_ms = self.amplifier.duty_most_ms
        return most_ms is not None and self.used_ms() >= most_ms

    @property
    def is_over(self) -> bool:
        """Tell whether more was spent than there is."""
        most_ms = self.amplifier.duty_most_ms
        return most_ms is not None and self.used_ms() >= most_ms + SLACK_MS

    def fits_mono_ms(self, length_ms: int) -> int:
        """When a play of this length fits in, from beginning to end, if there is silence until then; now or before,
        where it does.

        While it plays, a second of what was spent leaves the span for each that it spends, or none does: what is spent
        never falls until its end, so that only the end has to be looked at.
        """
        most_ms = self.amplifier.duty_most_ms
        if most_ms is None:
            return self.now_mono_ms
        length_ms = min(length_ms, most_ms)
        room_ms = most_ms - length_ms
        for begin_ms, end_ms in reversed(self._spans()):
            if end_ms - begin_ms > room_ms:
                return end_ms - room_ms + self.amplifier.duty_span_ms - length_ms
            room_ms -= end_ms - begin_ms
        return self.now_mono_ms

    def over_mono_ms(self) -> int | None:
        """When more is spent than there is, if what sounds now goes on; None where nothing does."""
        most_ms = self.amplifier.duty_most_ms
        if most_ms is None or self.since_mono_ms is None:
            return None
        over_ms, left_ms = self.now_mono_ms, max(0, most_ms + SLACK_MS - self.used_ms())
        for begin_ms, end_ms in self.spent:  # as long as one of them leaves the span, nothing is added
            leaves_ms = max(over_ms, begin_ms + self.amplifier.duty_span_ms)
            if left_ms <= leaves_ms - over_ms:
                break
            left_ms -= leaves_ms - over_ms
            over_ms = max(leaves_ms, end_ms + self.amplifier.duty_span_ms)
        return over_ms + left_ms

    def detail(self) -> tuple[tuple[str, str], ...]:
        """What was spent, in minutes, for people."""
        most_ms = self.amplifier.duty_most_ms or 0
        figures = {"found": self.used_ms(), "most": most_ms, "span": self.amplifier.duty_span_ms}
        return tuple((name, f"{span_ms / 60_000:.3g}") for name, span_ms in figures.items())

    def _spans(self) -> list[tuple[int, int]]:
        sounds = [] if self.since_mono_ms is None else [(self.since_mono_ms, self.now_mono_ms)]
        return [*self.spent, *sounds]
