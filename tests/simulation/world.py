"""A station's core in a world with physics: clocks, an amplifier that needs warmth, relays, a player, power.

The world carries effects out as real parts would, and refuses what they could not do. ``Violation`` names the rule of
the design that was broken. Everything follows from a seed.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Grant, Programme, Refused, Signed, TrustRoot
from ttcs_edge.core.model import AsRun, Fault, Instant, MonoMs, Occurrence, Outcome, Scope, StationSettings, WallMs
from ttcs_edge.core.station import Station

KEY = "0" * 64
TRUST = TrustRoot(
    scope=Scope("vn"),
    version=1,
    issued="2026-01-01T00:00:00Z",
    expires="2036-01-01T00:00:00Z",
    keys={},
    grants=(Grant(role="publish", scope=Scope("vn"), keys=(KEY,), threshold=1),),
)


class Violation(AssertionError):
    """A rule of the design was broken."""


@dataclass
class Disk:
    """What survives a power cut."""

    programmes: dict[str, Signed[Programme]] = field(default_factory=dict)
    floors: dict[str, int] = field(default_factory=dict)
    open_as_run: dict[str, AsRun] = field(default_factory=dict)
    settled: dict[Occurrence, WallMs] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    alive_until_ms: WallMs | None = None
    watched_until_ms: WallMs | None = None
    boots: int = 0
    as_run: list[AsRun] = field(default_factory=list)
    fault_log: list[Fault] = field(default_factory=list)


@dataclass
class Sound:
    """A play in the player."""

    command: effects.StartSound
    begin_mono_ms: int


class World:
    """One station and everything around it. ``run_until`` lets time pass."""

    def __init__(self, settings: StationSettings, wall_ms: int, cached: set[str], seed: int = 0) -> None:
        self.settings = settings
        self.random = random.Random(seed)
        self.mono_ms = 1_000
        self.offset_ms = wall_ms - self.mono_ms
        self.trusted = True
        self.cached = cached
        self.disk = Disk()
        self.trace: list[str] = []
        self.powered = False

    @property
    def wall_ms(self) -> int:
        """The wall clock."""
        return self.mono_ms + self.offset_ms

    def instant(self) -> Instant:
        """Both clocks."""
        return Instant(WallMs(self.wall_ms), MonoMs(self.mono_ms), self.trusted)

    def power_on(self) -> None:
        """Start: relays open, a new core, what the disk remembers."""
        self.disk.boots += 1
        self.station = Station(self.settings, self.disk.boots)
        self.amplifier_on_ms: int | None = None
        self.closed: set[str] = set()
        self.sound: Sound | None = None
        self.last_sound_end_ms = self.mono_ms
        self.wake_ms = 0
        self.pending: list[tuple[int, int, Callable[[], None]]] = []
        self.order = 0
        self.powered = True
        self.left = False
        disk = self.disk
        self.send(
            events.Started(
                trust=TRUST,
                programmes=tuple(disk.programmes.values()),
                floors=tuple(disk.floors.items()),
                open_as_run=tuple(disk.open_as_run.values()),
                settled=tuple(disk.settled.items()),
                open_faults=tuple(disk.faults.values()),
                cached=frozenset(self.cached),  # type: ignore[arg-type]
                refused=(),
                alive_until_ms=disk.alive_until_ms,
                watched_until_ms=disk.watched_until_ms,
            )
        )
        self.send(events.PlayerReady("simulated"))

    def power_off(self) -> None:
        """The power is cut: nothing runs, no relay is held."""
        self.powered = False
        self.sound = None

    def publish(self, programme: Programme) -> None:
        """A signed programme arrives."""
        signed = Signed(programme, frozenset({KEY}), repr(programme).encode())
        self.send(events.ProgrammeArrived(signed, programme.scope, 1))

    def refuse(self, refused: Refused, scope: str) -> None:
        """A document that could not be believed arrives."""
        self.send(events.ProgrammeArrived(refused, scope, 2))

    def kill_player(self) -> None:
        """The player dies and is replaced."""
        written_ms = max(0, self.mono_ms - self.sound.begin_mono_ms) if self.sound else 0
        self.sound = None
        self.last_sound_end_ms = self.mono_ms
        self.send(events.PlayerGone("died", written_ms))
        self.later(500, lambda: self.send(events.PlayerReady("simulated")))

    def step_clock(self, by_ms: int) -> None:
        """The wall clock is set."""
        self.offset_ms += by_ms

    def later(self, after_ms: int, do: Callable[[], None]) -> None:
        """Have something happen."""
        self.order += 1
        heapq.heappush(self.pending, (self.mono_ms + after_ms, self.order, do))

    def run(self, span_ms: int) -> None:
        """Let time pass."""
        end_ms = self.mono_ms + span_ms
        while True:
            next_ms = min([end_ms, *(p[0] for p in self.pending[:1]), *([self.wake_ms] if self.powered else [])])
            self.mono_ms = max(self.mono_ms, next_ms)
            if self.mono_ms >= end_ms:
                return
            if not self.powered:
                self.mono_ms = end_ms
                return
            if self.pending and self.pending[0][0] <= self.mono_ms:
                heapq.heappop(self.pending)[2]()
            elif self.wake_ms <= self.mono_ms:
                self.send(events.TimePassed())

    def send(self, event: events.Event) -> None:
        """One event to the core, its effects into the world, the rules checked."""
        if not self.powered or self.left:
            return
        done = self.station.handle(event, self.instant())
        self.trace.append(f"{self.mono_ms} {type(event).__name__} -> {[type(e).__name__ for e in done]}")
        for effect in done:
            self._carry_out(effect)
        self._check()

    def _carry_out(self, effect: effects.Effect) -> None:
        match effect:
            case effects.SwitchAmplifier(on):
                self._quiet("the amplifier")
                self.amplifier_on_ms = self.mono_ms if on else None
                if not on and self.closed:
                    raise Violation("air-4: the amplifier goes off before the zones are open")
            case effects.SwitchZone(zone, closed):
                self._quiet(zone)
                if closed and self._warm_up_left() > 0:
                    raise Violation("air-4: a zone closes on an amplifier that is not warm")
                (self.closed.add if closed else self.closed.remove)(zone)
            case effects.StartSound():
                self._start(effect)
            case effects.StopSound(play, fade_out_ms):
                self._stop(play, fade_out_ms)
            case effects.Record(entries):
                for entry in entries:
                    self._write(entry)
                self.disk.alive_until_ms = WallMs(self.wall_ms)
            case effects.WakeAt(mono_ms):
                if mono_ms < self.mono_ms:
                    raise Violation("WakeAt lies in the past")
                self.wake_ms = max(mono_ms, self.mono_ms + 1)
            case effects.Leave():
                self.left = True
            case _:
                pass

    def _quiet(self, what: str) -> None:
        if self.sound is not None and self.sound.begin_mono_ms < self.mono_ms:
            raise Violation(f"never-3: {what} switches under sound")

    def _warm_up_left(self) -> int:
        if self.amplifier_on_ms is None:
            return 1 << 30
        return self.amplifier_on_ms + self.settings.amplifier.warm_up_ms - self.mono_ms

    def _start(self, command: effects.StartSound) -> None:
        if self.sound is not None:
            raise Violation("two sounds at once")
        if self._warm_up_left() > 0 or not self.closed:
            raise Violation("sound into a cold amplifier or into no zone")
        for item in command.items:
            if item.sha256 not in self.cached:
                raise Violation("never-1: audio airs that is not in the store")
        self.sound = Sound(command, max(command.at_mono_ms, self.mono_ms))
        total_ms = sum(item.duration_ms for item in command.items) - command.from_ms
        wait_ms = self.sound.begin_mono_ms - self.mono_ms
        play = command.play
        begin_ms = self.sound.begin_mono_ms
        self.later(wait_ms, lambda: self._if_playing(play, events.SoundStarted(play, begin_ms * 1_000_000)))
        self.later(wait_ms + total_ms, lambda: self._end(play, True))

    def _if_playing(self, play: int, event: events.Event) -> None:
        if self.sound is not None and self.sound.command.play == play:
            self.send(event)

    def _stop(self, play: int, fade_out_ms: int) -> None:
        if self.sound is not None and self.sound.command.play == play:
            begun = self.sound.begin_mono_ms < self.mono_ms
            self.later(fade_out_ms if begun else 1, lambda: self._end(play, False))

    def _end(self, play: int, completed: bool) -> None:
        if self.sound is None or self.sound.command.play != play:
            return
        command, written_ms = self.sound.command, max(0, self.mono_ms - self.sound.begin_mono_ms)
        self.sound = None
        self.last_sound_end_ms = self.mono_ms
        skip_ms, shares = command.from_ms, []
        for item in command.items:
            skipped_ms = min(skip_ms, item.duration_ms)
            share_ms = min(written_ms, item.duration_ms - skipped_ms)
            skip_ms, written_ms = skip_ms - skipped_ms, written_ms - share_ms
            shares.append(share_ms)
        self.send(events.SoundEnded(play, completed, tuple(shares), None))

    def _write(self, entry: effects.Entry) -> None:
        disk = self.disk
        match entry:
            case effects.ProgrammeAccepted(scope, version, _):
                disk.programmes[scope] = self.station.programmes.signed[Scope(scope)]
                disk.floors[scope] = version
            case effects.ProgrammeDropped(scope):
                del disk.programmes[scope]
            case effects.AsRunOpened(record):
                disk.open_as_run[record.id] = record
            case effects.AsRunClosed(record):
                disk.open_as_run.pop(record.id, None)
                if record.occurrence in disk.settled:
                    raise Violation(f"never-5: {record.occurrence} is told twice")
                disk.settled[record.occurrence] = record.planned_start_ms
                if record.outcome is Outcome.AIRED and record.reason is not None:
                    raise Violation("aired with a reason why not")
                disk.as_run.append(record)
            case effects.FaultRaised(fault):
                disk.faults[fault.id] = fault
                disk.fault_log.append(fault)
            case effects.WatchedUntil(wall_ms):
                disk.watched_until_ms = wall_ms
            case effects.FaultCleared(fault):
                disk.faults.pop(fault.id)
                disk.fault_log.append(fault)

    def _check(self) -> None:
        if self.amplifier_on_ms is None or self.sound is not None:
            return
        idle_since_ms = max(self.last_sound_end_ms, self.amplifier_on_ms)
        slack_ms = self.settings.amplifier.warm_up_ms + 10_000 + 2 * len(self.closed) * self.settings.zone_stagger_ms
        if self.mono_ms - idle_since_ms > self.settings.amplifier.hold_ms + slack_ms:
            raise Violation("never-3: the amplifier is on with nothing to air beyond its hold time")
