"""What a command that was accepted has the station do, and the answers that it owes (decision 27).

Every command is answered with the correlation data that came with it: ``refused`` with a reason, where the station
cannot or must not do it now; ``under-way`` when it has begun and the end is told later; ``done`` or ``failed``. A
command is never done twice (never-6), so nothing here outlives a restart: what is owed then is not told any more.

- ``stop``: what has the air, or is due and on its way up to it, leaves it for good; an alert never does.
- ``volume``: at once, also for what is on the air; an alert asks nobody (``volumes``).
- ``test_tone``: only where nothing is on the air and nothing is due before it would be over; all else takes the air
  from it (``air``).
- ``walk``: the same in each zone after the other, with its name (``walks``).
- ``restart``: not while an alert has the air or could have it now, and only with a config that a start would take. The
  answer goes out first.
- ``resend`` and ``log`` are work of the shell, which answers by itself.

A command counts as long as those who signed it may command: with their key a restart that has not begun is called off,
and a test tone leaves the air (never-1). What a stop has taken off the air stays off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from ttcs_edge.core import effects, events, trust
from ttcs_edge.core.air import TEST
from ttcs_edge.core.asrun import Kind
from ttcs_edge.core.desk import Desk
from ttcs_edge.core.documents import (
    Command,
    LogOrder,
    ResendRange,
    RestartOrder,
    Signed,
    StopOrder,
    ToneOrder,
    TrustRoot,
    VolumeOrder,
    WalkOrder,
)
from ttcs_edge.core.effects import Answer, Effect
from ttcs_edge.core.model import (
    COMMAND_PREFIX,
    AsRun,
    AsRunReason,
    AudioItem,
    Cue,
    IfInterrupted,
    Instant,
    Occurrence,
    Outcome,
    Scope,
    StationSettings,
)
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.supervision import Detail
from ttcs_edge.core.volumes import Volumes, zones_meant
from ttcs_edge.core.walks import Walks
from ttcs_edge.core.zone_by_zone import BAD, outcomes

ANSWERED_WITHIN_MS = 5_000
"""How long a restart waits for its answer to go out: a link that hangs must not keep the station from it."""
REVOKED = "command-revoked"
"""Why a command that was under way is not done: with its key its leave is gone."""
ZONES_BAD = "zones-bad"
"""Why a walk has failed that came to every zone."""
TEST_TONE = "test-tone"
"""What a test tone is called where slots stand by their ids."""


class Given(Struct, frozen=True):
    """A command to be done, and what its answer must carry."""

    signed: Signed[Command]
    correlation: bytes

    @property
    def command(self) -> Command:
        """The command."""
        return self.signed.document

    def answer(self, outcome: str, reason: str | None = None, detail: Detail = (), *, leaving: bool = False) -> Answer:
        """Tell what became of it."""
        name, _ = self.command.action
        return Answer(self.command.version, self.correlation, name, outcome, reason, detail, leaving)


class Leaving(Struct, frozen=True):
    """A restart that was answered; it waits for its answer to be on its way, until an instant at the latest."""

    given: Given
    by_mono_ms: int


@dataclass(slots=True)
class Orders:
    """The answers that are owed: of what is to leave the air or to be heard on it, and of a restart."""

    settings: StationSettings
    boot: int
    desk: Desk
    volumes: Volumes
    walks: Walks
    test_tone: AudioItem | None = None
    owed: dict[Occurrence, Given] = field(default_factory=dict)
    walking: Given | None = None
    checking: Given | None = None
    leaving: Leaving | None = None

    def remember(self, event: events.Started) -> None:
        """Take over what the installation brings."""
        self.test_tone = event.test_tone

    def obey(self, given: Given, programmes: Programmes, now: Instant) -> list[Effect]:
        """Do what a command asks for, now that its version is a floor; what it changes is behind that on disk."""
        _, action = given.command.action
        return _TABLE[type(action)](self, given, action, programmes, now)

    def to_keep(self, signed: Signed[Command]) -> list[effects.Entry]:
        """What of a command must be on disk with its floor: an order that outlives a restart."""
        order = signed.document.volume
        if not isinstance(order, VolumeOrder):
            return []
        zones = zones_meant(order, self.settings)
        return [effects.VolumeOrdered(zone, signed.document.version, signed.envelope) for zone in zones]

    def _resend(self, given: Given, wanted: ResendRange, programmes: Programmes, now: Instant) -> list[Effect]:
        version = given.command.version
        return [effects.Resend(version, given.correlation, wanted.journal, wanted.first, wanted.last)]

    def _stop(self, given: Given, order: StopOrder, programmes: Programmes, now: Instant) -> list[Effect]:
        leaves = self.desk.endings.stop_on_air(now)
        if leaves is None:
            return [given.answer("refused", "alert-on-air" if self.desk.rows.warns_on_air else "nothing-on-air")]
        before = self.owed.get(leaves)
        self.owed[leaves] = given
        # Who asked first to have it off the air, or to hear a tone, is told now: there is one answer for each cue.
        return [] if before is None else [before.answer("failed", "stopped-by-command")]

    def _volume(self, given: Given, order: VolumeOrder, programmes: Programmes, now: Instant) -> list[Effect]:
        zones = self.volumes.take(given.signed)
        if not zones:
            return [given.answer("refused", "unknown-zone", (("zone", str(order.zone)),))]
        return [given.answer("done", detail=(("zones", ", ".join(zones)),))]

    def _test_tone(self, given: Given, order: ToneOrder, programmes: Programmes, now: Instant) -> list[Effect]:
        zone = next((zone for zone in self.settings.zones if zone.id == order.zone), None)
        if zone is None:
            return [given.answer("refused", "unknown-zone", (("zone", order.zone),))]
        tone = self.test_tone
        if tone is None:
            return [given.answer("refused", "no-audio")]
        hindrance = self.desk.why_no_test(programmes, order.seconds * 1_000, now)
        if hindrance is not None:
            return [given.answer("refused", hindrance)]
        command = given.command
        cue = Cue(
            occurrence=Occurrence(Scope(command.scope), f"{COMMAND_PREFIX}{TEST_TONE}", str(command.version)),
            title=TEST_TONE,
            planned_ms=now.wall_ms,
            late_until_ms=now.wall_ms,
            priority=(TEST,),
            zones=(zone.id,),
            bulletins=(TEST_TONE,),
            items=(tone,) * max(1, order.seconds * 1_000 // tone.duration_ms),
            volume_percent=zone.volume_percent,
            if_interrupted=IfInterrupted.DROP,
            programme_version=command.version,
        )
        self.desk.cues.take(cue, Kind.TEST, now)
        self.owed[cue.occurrence] = given
        return [given.answer("under-way")]

    def _walk(self, given: Given, order: WalkOrder, programmes: Programmes, now: Instant) -> list[Effect]:
        command = given.command
        refused = self.walks.order(Scope(command.scope), command.version, order.seconds * 1_000, programmes, now)
        if refused is not None:
            return [given.answer("refused", refused)]
        self.walking = given
        return [given.answer("under-way")]

    def _restart(self, given: Given, order: RestartOrder, programmes: Programmes, now: Instant) -> list[Effect]:
        if self.desk.rows.warns:
            return [given.answer("refused", "alert-on-air")]
        if self.checking is not None or self.leaving is not None:
            return [given.answer("refused", "restarting")]
        self.checking = given
        return [effects.CheckConfig(given.command.version)]

    def _log(self, given: Given, order: LogOrder, programmes: Programmes, now: Instant) -> list[Effect]:
        return [effects.SendLog(given.command.version, given.correlation, order.lines)]

    def config_checked(self, event: events.ConfigChecked, now: Instant) -> list[Effect]:
        """The config was read as a start would: go on with the restart that asked for it, or tell why not."""
        given, self.checking = self.checking, None
        if given is None or given.command.version != event.command:
            self.checking = given
            return []
        if event.problem:
            return [given.answer("failed", "bad-config", event.problem)]
        if self.desk.rows.warns:  # it came meanwhile
            return [given.answer("refused", "alert-on-air")]
        self.leaving = Leaving(given, now.mono_ms + ANSWERED_WITHIN_MS)
        return [given.answer("under-way", detail=(("boot", str(self.boot)),), leaving=True)]

    def answer_gone(self, event: events.AnswerGone, now: Instant) -> None:
        """The answer to a restart is on its way, or cannot be sent."""
        if self.leaving is not None and self.leaving.given.command.version == event.command:
            self.leaving = Leaving(self.leaving.given, now.mono_ms)

    def leaves(self, now: Instant) -> bool:
        """Tell whether it is time to leave: an alert that came after the answer is heard first."""
        return self.leaving is not None and now.mono_ms >= self.leaving.by_mono_ms and not self.desk.rows.warns

    def wake_mono_ms(self, now: Instant) -> int | None:
        """When a restart does not wait for its answer any longer."""
        leaving = self.leaving
        return leaving.by_mono_ms if leaving is not None and leaving.by_mono_ms > now.mono_ms else None

    def take_root(self, root: TrustRoot, now: Instant) -> list[Effect]:
        """Another trust root is in force: what nobody who may has ordered is not begun, and not heard on."""
        stands: Callable[[Given], bool] = lambda one: trust.is_still_signed(one.signed, root, "command")  # noqa: E731
        answers: list[Effect] = []
        if self.checking is not None and not stands(self.checking):
            answers.append(self.checking.answer("failed", REVOKED))
            self.checking = None
        if self.leaving is not None and not stands(self.leaving.given):
            answers.append(self.leaving.given.answer("failed", REVOKED))
            self.leaving = None
        if self.walking is not None and not stands(self.walking):
            self.walks.stop(self.walking.command.version, AsRunReason.WITHDRAWN, now)
        for occurrence, given in self.owed.items():
            if isinstance(given.command.test_tone, ToneOrder) and not stands(given):
                self.desk.endings.withdraw(occurrence, now)
        return answers

    def closed(self, record: AsRun) -> list[Effect]:
        """A cue is over: whoever ordered it on or off the air is told."""
        given, walked = self.owed.pop(record.occurrence, None), self._walked()
        if given is None:
            return walked
        return walked + self._told(given, record)

    def _walked(self) -> list[Effect]:
        """A walk is over, too: zone by zone what came of it."""
        given, walk = self.walking, self.walks.last
        if given is None or walk is None or not self.walks.is_over(given.command.version):
            return []
        self.walking = None
        bad = ", ".join(one.zone for one in walk.way.tested if one.outcome in BAD)
        if bad:
            return [given.answer("failed", ZONES_BAD, (("zones", bad),))]
        outcome = "done" if walk.way.ended is None else "failed"
        return [given.answer(outcome, walk.way.ended, outcomes(walk.way.tested))]

    def _told(self, given: Given, record: AsRun) -> list[Effect]:
        detail = (("occurrence", str(record.occurrence)), ("title", record.title))
        if isinstance(given.command.stop, StopOrder) or record.outcome is Outcome.AIRED:
            return [given.answer("done", detail=detail)]
        return [given.answer("failed", None if record.reason is None else record.reason.value, detail)]


_TABLE: dict[type, Callable[[Orders, Given, Any, Programmes, Instant], list[Effect]]] = {
    ResendRange: Orders._resend,
    StopOrder: Orders._stop,
    VolumeOrder: Orders._volume,
    ToneOrder: Orders._test_tone,
    WalkOrder: Orders._walk,
    RestartOrder: Orders._restart,
    LogOrder: Orders._log,
}
