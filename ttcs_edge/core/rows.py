"""The rows of alerts among the cues: what of a round is taken, held back, told first, and how long its tone goes on.

A drill is heard only once it was told as one, and its end is told last: where nobody could be told, nothing of it is
heard. A row of which nothing was heard or told yet may be made anew, with what is known by then.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from ttcs_edge.core.alerts import AFTER, BEFORE, TONE, TONE_MOST_MS, WORDS, Alerts, RowKey
from ttcs_edge.core.asrun import Airing, Kind
from ttcs_edge.core.cues import Cues
from ttcs_edge.core.drills import ACTUAL
from ttcs_edge.core.library import Shelf
from ttcs_edge.core.model import AsRun, AsRunReason, Instant, Outcome
from ttcs_edge.core.reach import Reach


@dataclass(slots=True)
class Rows:
    """What there is of rounds. ``announced`` are the rounds of drills that were told as such (None), and those that
    could not be, with the reason: nothing else of them is heard.
    """

    cues: Cues
    alerts: Alerts
    reach: Reach
    announced: dict[RowKey, AsRunReason | None] = field(default_factory=dict)

    def take_due(self, shelf: Shelf, now: Instant) -> None:
        """Take the cues of the rounds that are due, but for those that were heard."""
        for warning in self.alerts.due(now, self._under_way()):
            if self.cues.is_known(warning.occurrence):
                continue
            resolved = self.alerts.resolve(warning, shelf, now)
            name, taken_ms = self.cues.next_id(), now.mono_ms
            airing = Airing(resolved.cue, resolved.lack, name, warning=warning, kind=Kind.ALERT, taken_mono_ms=taken_ms)
            self.cues.wait(airing)

    def _under_way(self) -> set[tuple[str, str]]:
        """The alerts of whose newest message something is heard, or can be as soon as the air is free."""
        return {
            (warning.alert.scope, warning.alert.id)
            for airing in self.cues.unended()
            if (warning := airing.warning) is not None
            and self.alerts.is_newest(warning)
            and (airing is self.cues.on_air or self.reach.can_be_heard(airing))
        }

    def take_anew(self) -> None:
        """Have the rounds taken again of which nothing was heard or told yet: which voices there are is known now."""
        waiting = self.cues.waiting.values()
        first = {airing.warning.row: airing.warning for airing in waiting if airing.warning is not None}
        for row, warning in first.items():
            parts = self.cues.of_row(row)  # what has the air, or was told, is not among them
            if len(parts) == warning.parts and not any(one.has_sounded for one in parts):
                self.alerts.take_again(warning)
                for airing in parts:
                    self.cues.take_back(airing)

    def why_over(self, airing: Airing, now: Instant) -> AsRunReason | None:
        """Tell why a cue of an alert must not be heard any more."""
        warning = airing.warning
        return None if warning is None else self.alerts.ended(warning, now) or self.announced.get(warning.row)

    def is_put_off(self, airing: Airing, now: Instant) -> bool:
        """Tell whether a cue that waits, and was not heard, belongs to a round that comes later."""
        warning = airing.warning
        waits = airing is not self.cues.on_air and not airing.has_sounded
        return waits and warning is not None and self.alerts.postpone(warning, now)

    @property
    def warns_on_air(self) -> bool:
        """Tell whether an alert has the air."""
        return self.cues.on_air is not None and self.cues.on_air.warning is not None

    @property
    def warns(self) -> bool:
        """Tell whether an alert has the air, or could have it now: not one that only waits for what it lacks."""
        waiting = self.cues.waiting.values()
        waits = any(one.warning is not None and self.reach.can_be_heard(one) for one in waiting)
        return self.warns_on_air or (waits and self.reach.player_up)

    # drills

    def kinds_waiting(self) -> dict[RowKey, set[str]]:
        """The kinds of parts that wait of each round of an alert."""
        kinds: defaultdict[RowKey, set[str]] = defaultdict(set)
        for warning in (airing.warning for airing in self.cues.waiting.values()):
            if warning is not None:
                kinds[warning.row].add(warning.kind)
        return kinds

    def is_held_back(self, airing: Airing, waiting: dict[RowKey, set[str]]) -> bool:
        """Tell whether a part of a drill must wait for what is told before it, or for all of it."""
        warning = airing.warning
        if warning is None or warning.alert.status == ACTUAL or warning.kind == BEFORE:
            return False
        kinds = waiting[warning.row]
        return bool(kinds - {AFTER}) if warning.kind == AFTER else BEFORE in kinds

    def note_announcement(self, airing: Airing, record: AsRun) -> None:
        """A drill that could be told as one nowhere is not heard: nobody may take it for real."""
        if airing.warning is None or airing.warning.kind != BEFORE:
            return
        row = airing.warning.row
        if record.outcome is not Outcome.MISSED:
            self.announced[row] = None
        elif not any(one.warning and one.warning.kind == BEFORE for one in self.cues.of_row(row)):
            self.announced.setdefault(row, record.reason)
        rows = {one.warning.row for one in self.cues.unended() if one.warning is not None} | {row}
        self.announced = {key: why for key, why in self.announced.items() if key in rows}

    # the tone

    def tone_goes_on(self, airing: Airing) -> bool:
        """The tone of an alert fills the time until the first of its words is there; for how long, is bounded."""
        if airing.warning is None or airing.warning.kind != TONE or airing.stop_reason is not None:
            return False
        airing.toned_ms += airing.cue.duration_ms
        words = [one for one in self.cues.of_row(airing.warning.row) if one.warning and one.warning.kind == WORDS]
        return airing.toned_ms < TONE_MOST_MS and bool(words) and not any(one.cue.items for one in words)
