"""One way through the zones of a station: each sounds alone, one after the other, and what came of each is kept.

It is for a walk that somebody asked for (``walks``) and for a self-test (``self_test``). Both go the way of every other
sound, through the cues and the one machine for amplifier, zones and sound; what takes the air from one ends it. A zone
whose relay does not do as told costs that zone alone; what is wrong with all of them ends it, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ttcs_edge.core.model import AsRun, AsRunReason, Occurrence, Outcome, Scope, Zone
from ttcs_edge.core.reports import ZoneTested

GOOD, NOT_SEEN, UNTOLD, NOT_HEARD, NOT_TESTED = "good", "not-seen", "untold", "not-heard", "not-tested"
"""What comes of a zone: a witness saw its sound, or should have and did not, or none could tell; it was not heard, or
not whole; nobody came to it, or it was cut off."""
BAD = frozenset({NOT_SEEN, NOT_HEARD})
OF_ONE_ZONE = frozenset({None, AsRunReason.RELAY, AsRunReason.LET_GO})
"""Why a zone is over, and the next one's turn."""
CALLED_OFF = frozenset(
    {
        AsRunReason.PRE_EMPTED,
        AsRunReason.QUIET_HOURS,
        AsRunReason.STOPPED,
        AsRunReason.STOPPED_BY_COMMAND,
        AsRunReason.STOPPED_BY_HAND,
        AsRunReason.WITHDRAWN,
    }
)
"""Why nothing can be said of a zone that was cut off."""


@dataclass(slots=True)
class ZoneByZone:
    """The zones that are left, the one that sounds, and what came of those before. ``slot`` and ``name`` make the
    identities of what is heard; ``ended`` tells why those that are left were not tested.
    """

    scope: Scope
    slot: str
    name: str
    left: list[Zone]
    current: Zone | None = None
    tested: list[ZoneTested] = field(default_factory=list)
    ended: str | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will be heard of it."""
        return self.current is None and not self.left

    @property
    def occurrence(self) -> Occurrence | None:
        """The identity of what is heard, or on its way to be."""
        return None if self.current is None else Occurrence(self.scope, self.slot, f"{self.name}.{self.current.id}")

    def go_on(self) -> Zone:
        """It is the turn of the next zone."""
        assert self.current is None, "one zone after the other"
        self.current = self.left.pop(0)
        return self.current

    def end(self, reason: str) -> None:
        """Those that are left are not tested."""
        if self.left and self.ended is None:
            self.ended = reason
        self.tested += [ZoneTested(zone.id, NOT_TESTED, reason) for zone in self.left]
        self.left.clear()

    def closed(self, record: AsRun) -> bool:
        """Take what came of the zone that was heard; tell whether the record was of it."""
        if self.current is None or record.occurrence != self.occurrence:
            return False
        self.tested.append(tested(self.current, record))
        self.current = None
        if record.reason not in OF_ONE_ZONE:
            assert record.reason is not None
            self.ended = record.reason.value
            self.end(record.reason.value)
        return True


def tested(zone: Zone, record: AsRun) -> ZoneTested:
    """What a record says of a zone. One that was let go was heard for long enough."""
    whole = record.outcome is Outcome.AIRED or (record.outcome is Outcome.PART and record.reason is AsRunReason.LET_GO)
    if not whole:
        outcome = NOT_TESTED if record.reason in CALLED_OFF else NOT_HEARD
        return ZoneTested(zone.id, outcome, None if record.reason is None else record.reason.value)
    return ZoneTested(zone.id, {True: GOOD, False: NOT_SEEN, None: UNTOLD}[record.witnessed])


def outcomes(zones: Iterable[ZoneTested]) -> tuple[tuple[str, str], ...]:
    """Zone by zone what came of it, in one word each."""
    return tuple((one.zone, one.outcome if one.reason is None else f"{one.outcome} ({one.reason})") for one in zones)
