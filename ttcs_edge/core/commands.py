"""Commands of the centre to this one station: judged, and obeyed at most once.

The version of a command is a floor that is on disk before anything is done, so what a power cut interrupts is not
begun again by itself: the centre, which got no answer, sends a new command. A command under the floor is a replay
(never-6). The one at the floor that the broker says it brings again is the one that was obeyed: its acknowledgement
was lost, and nothing is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.core import events, trust
from ttcs_edge.core.documents import Command, Refused, Signed, TrustRoot
from ttcs_edge.core.effects import FloorRaised
from ttcs_edge.core.floors import Floors
from ttcs_edge.core.model import Instant, StationSettings


def command_subject(station: str) -> str:
    """What faults and floors call the commands to a station."""
    return f"command:{station}"


class Verdict(Struct, frozen=True):
    """What came of a command: accepted, refused, or (neither) obeyed already. A refusal says which one it was, where
    somebody known signed it: its sender can be told. ``raised`` must be on disk before it is obeyed.
    """

    accepted: Signed[Command] | None = None
    refused: Refused | None = None
    raised: tuple[FloorRaised, ...] = ()


@dataclass(slots=True)
class Commands:
    """The newest versions ever obeyed."""

    settings: StationSettings
    floors: Floors = field(default_factory=Floors)

    @property
    def subject(self) -> str:
        """What faults and floors call the commands to this station."""
        return command_subject(self.settings.id)

    def remember(self, event: events.Started) -> None:
        """Take over the floors that the store remembers."""
        self.floors = Floors(dict(event.floors))

    def judge(self, event: events.CommandArrived, root: TrustRoot, now: Instant) -> Verdict:
        """Decide on a command that arrived; an accepted one raises the floor."""
        if event.retained:
            return Verdict(refused=Refused("retained-command", self.subject))
        if isinstance(event.command, Refused):
            return Verdict(refused=event.command)
        keys = trust.counted(root, "command", event.command.document.scope)
        floor = self.floors.of(self.subject, keys)
        judged = trust.judge_command(
            event.command, trust=root, station=self.settings, floor=floor, again=event.again, now=now
        )
        if isinstance(judged, Refused):
            return Verdict(refused=replace(judged, version=event.command.document.version))
        if isinstance(judged, trust.AlreadyInForce):
            return Verdict()
        raised = self.floors.raise_(self.subject, event.command.document.version, event.command.signers & keys)
        return Verdict(event.command, raised=raised)
