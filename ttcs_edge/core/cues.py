"""The cues that wait for the air, the one that has it, and what was settled lately.

What was settled is never taken again (never-5). Who decides on a cue is elsewhere: here stands what there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ttcs_edge.core.alerts import Alerts, RowKey
from ttcs_edge.core.asrun import Airing, Kind, settles
from ttcs_edge.core.live import Session
from ttcs_edge.core.model import AsRun, Cue, Instant, Occurrence, Sha256, WallMs
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.streams import Followed

SETTLED_MEMORY_MS = 8 * 86_400_000
"""How long a settled occurrence is remembered: longer than any look back into the schedule."""


@dataclass(slots=True)
class Cues:
    """Waiting cues, the cue on the air, the one that is on its way up to it (``claimed``), and those that are over.
    ``muted`` tells that silence has the air, before everything but alerts (``mute``).

    ``boot`` counts the starts of the station: ids made from it are never made again.
    """

    boot: int
    alerts: Alerts
    waiting: dict[Occurrence, Airing] = field(default_factory=dict)
    on_air: Airing | None = None
    claimed: Occurrence | None = None
    settled: dict[Occurrence, WallMs] = field(default_factory=dict)
    closing: list[AsRun] = field(default_factory=list)
    sequence: int = 0
    muted: bool = False

    def is_known(self, key: Occurrence) -> bool:
        """Tell whether an occurrence was taken already, or is settled (never-5)."""
        on_air = self.on_air is not None and self.on_air.cue.occurrence == key
        return on_air or key in self.settled or key in self.waiting

    def next_id(self) -> str:
        """Make the id of a record."""
        self.sequence += 1
        return f"{self.boot}-a{self.sequence}"

    def take(
        self,
        cue: Cue,
        kind: Kind,
        now: Instant,
        session: Session | Followed | None = None,
        *,
        in_quiet_hours: bool = False,
    ) -> None:
        """Take what is of no programme and no alert: it is for now."""
        name, taken_ms = self.next_id(), now.mono_ms
        airing = Airing(cue, id=name, session=session, kind=kind, in_quiet_hours=in_quiet_hours, taken_mono_ms=taken_ms)
        self.wait(airing)

    def wait(self, airing: Airing) -> None:
        """It waits for the air."""
        self.waiting[airing.cue.occurrence] = airing

    def take_back(self, airing: Airing) -> None:
        """It was never taken: nothing of it was heard, and nothing is told."""
        del self.waiting[airing.cue.occurrence]

    def unended(self) -> list[Airing]:
        """What waits for the air, and what has it."""
        return [*self.waiting.values(), *([] if self.on_air is None else [self.on_air])]

    def of_slots(self) -> list[Airing]:
        """What waits of the programmes."""
        return [airing for airing in self.waiting.values() if airing.of_programme]

    def of_row(self, row: RowKey) -> list[Airing]:
        """What waits of a round of an alert."""
        return [one for one in self.waiting.values() if one.warning is not None and one.warning.row == row]

    def coming(self) -> Airing | None:
        """What waits and is on its way up to the air."""
        return None if self.claimed is None else self.waiting.get(self.claimed)

    def is_blocked(self, airing: Airing) -> bool:
        """Tell whether silence, or another cue, has the air, or is on its way up to it."""
        other = self.claimed is not None and self.claimed != airing.cue.occurrence
        return self.mutes(airing) or self.on_air is not None or (other and self.claimed in self.waiting)

    def mutes(self, airing: Airing) -> bool:
        """Tell whether silence keeps it from the air: an alert never (air-5)."""
        return self.muted and airing.kind is not Kind.ALERT

    def settle(self, airing: Airing, record: AsRun) -> None:
        """It is over, and this is to be told of it."""
        if settles(record) and airing.kind is not Kind.PILOT:  # it is nobody's message, and never comes again
            self.settled[airing.cue.occurrence] = airing.cue.planned_ms
        self.closing.append(record)

    def take_closed(self) -> list[AsRun]:
        """Give the records of what is over, each once."""
        closed, self.closing = self.closing, []
        return closed

    def forget_long_settled(self, now: Instant) -> None:
        """What no look back into the schedule finds need not be known any more."""
        oldest_ms = now.wall_ms - SETTLED_MEMORY_MS
        self.settled = {key: ms for key, ms in self.settled.items() if ms >= oldest_ms}

    def free_the_air(self, now: Instant) -> None:
        """What has the air leaves it, for whatever reason."""
        if self.on_air is not None and self.on_air.sounds:
            self.on_air.heard_until_ms = now.wall_ms
        self.on_air = None
        self.queue_anew(now)

    def queue_anew(self, now: Instant) -> None:
        """What had the air leaves it to those that wait."""
        for airing in self.waiting.values():
            if airing.cue.planned_ms <= now.wall_ms:
                airing.queued_ms = now.wall_ms

    # what they are made of

    def make_again(self, airing: Airing, programmes: Programmes, now: Instant) -> None:
        """Until its first sample a cue is made of what there is by now."""
        if airing.has_sounded:
            return
        if airing.warning is not None:
            airing.take(self.alerts.resolve(airing.warning, programmes.shelf, now))
        elif airing.source is not None:
            airing.take(programmes.resolve(airing.source, now.wall_ms))

    def make_all_again(self, programmes: Programmes, now: Instant) -> None:
        """Audio came into the store, or is gone from it."""
        for airing in self.waiting.values():
            self.make_again(airing, programmes, now)

    def leave_out_expired(self, programmes: Programmes, now: Instant) -> None:
        """What would not be over before it expires is left out, and what stands in for it taken."""
        for airing in self.waiting.values():
            if airing.expires_before_its_end(now):
                self.make_again(airing, programmes, now)

    # what others ask of them

    def taken(self) -> list[tuple[Occurrence, int]]:
        """What waits of the programmes, with its instant; of one slot the first comes last."""
        waiting = sorted(self.of_slots(), key=lambda airing: -airing.cue.planned_ms)
        return [(airing.cue.occurrence, airing.cue.planned_ms) for airing in waiting]

    def in_use(self) -> frozenset[Sha256]:
        """The audio of what has the air or waits for it: it must not be evicted."""
        return frozenset(item.sha256 for airing in self.unended() for item in airing.cue.items)

    def unheard(self) -> frozenset[str]:
        """The slots whose cues wait for the air, or have it and are not heard."""
        return frozenset(airing.cue.occurrence.subject for airing in self.unended() if not airing.sounds)

    def first_unsettled_ms(self) -> int | None:
        """When the first occurrence of a slot is due that is neither settled nor open on disk."""
        unsettled = (one.cue.planned_ms for one in self.unended() if one.of_programme and not one.has_sounded)
        return min(unsettled, default=None)
