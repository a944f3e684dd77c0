"""The one thread: events in, effects out in their order, questions in between, and what ends it."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import TRUST
from tests.parts import eventually
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.effects import Effect
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Instant, MonoMs, Scope, StationSettings, WallMs, Zone, ZoneId
from ttcs_edge.core.station import Station
from ttcs_edge.daemon.loop import FIRST_SOUND_S, Loop

SETTINGS = StationSettings("da-teh-01", Scope("vn/lam-dong"), (Zone(ZoneId("cho"), "Chợ"),), "Asia/Ho_Chi_Minh")
FIRST = events.Started(TRUST, (), (), (), (), (), frozenset(), (), None, None)
NOON = Instant(WallMs(1_795_500_000_000), MonoMs(0), True)


class Handlers:
    """Keeps what it was told to do; ``react`` is called with each effect."""

    def __init__(self) -> None:
        self.done: list[Effect] = []
        self.react: Callable[[Effect], None] = lambda effect: None

    def carry_out(self, effect: Effect) -> None:
        """One effect."""
        self.done.append(effect)
        self.react(effect)


class SlowDisk:
    """A store that writes nothing until it is let, but for what the start itself records."""

    def __init__(self) -> None:
        self.waiting: list[tuple[tuple[object, ...], Callable[[], None]]] = []
        self.begun = False

    def submit(self, entries: tuple[object, ...], wall_ms: int, then: Callable[[], None]) -> None:
        """Take entries."""
        if self.begun:
            self.waiting.append((entries, then))
        else:
            self.begun = True
            then()

    def write(self) -> None:
        """Everything that waits is on disk now."""
        waiting, self.waiting = self.waiting, []
        for _, then in waiting:
            then()


class Bench:
    """A loop on a thread of its own, with the core of a real station behind it."""

    def __init__(self) -> None:
        self.station = Station(SETTINGS, 1)
        self.handlers = Handlers()
        self.disk = SlowDisk()
        self.instant = NOON
        self.loop = Loop(self.station, lambda: self.instant, lambda: None)
        self.ended: list[BaseException | None] = []
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.loop.run(FIRST, self.handlers, self.disk)  # type: ignore[arg-type]
            self.ended.append(None)
        except BaseException as error:
            self.ended.append(error)

    def did(self, kind: type[Any]) -> list[Any]:
        """The effects of a kind so far."""
        return [effect for effect in list(self.handlers.done) if isinstance(effect, kind)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A running loop."""
    bench = Bench()
    bench.thread.start()
    eventually(lambda: bench.did(effects.Heartbeat))
    yield bench
    bench.loop.post(events.StopRequested())
    bench.thread.join(5)
    assert not bench.thread.is_alive()


def test_what_stands_behind_a_record_waits_for_the_disk_and_the_rest_does_not(bench: Bench) -> None:
    """A refused document is acknowledged only when the fault that it became is on disk (decision 1)."""
    refused = events.ProgrammeArrived(Refused("not-json", "vn"), "vn", 7)
    bench.loop.post(refused)
    eventually(lambda: bench.disk.waiting)
    bench.loop.post(events.PlayerReady("wav", 1))
    eventually(lambda: bench.did(effects.NotifyReady))
    assert bench.did(effects.Acknowledge) == []

    bench.disk.write()
    eventually(lambda: bench.did(effects.Acknowledge) == [effects.Acknowledge(7)])


def test_what_a_start_has_made_is_never_walked_through_again_and_what_comes_later_is() -> None:
    """A start runs without the collector of cycles, which costs it half its time; from then on it collects."""
    gc.disable()
    try:
        bench = Bench()
        bench.thread.start()
        bench.loop.ask(lambda station: None, 5)
        collects = gc.isenabled()
    finally:
        gc.enable()
    bench.loop.post(events.StopRequested())
    bench.thread.join(5)

    assert collects and bench.ended == [None]
    assert not any(one is bench.station for one in gc.get_objects())


def test_what_waits_at_the_start_comes_before_what_can_wait() -> None:
    """A cue that is due is on its way to the air before the link takes the interpreter."""
    loop, handlers = Loop(Station(SETTINGS, 1), lambda: NOON, lambda: None), Handlers()
    before: list[list[type]] = []

    def begun() -> None:
        before.append([type(effect) for effect in handlers.done])
        loop.post(events.StopRequested())

    loop.post(events.PlayerReady("wav", 1))
    loop.run(FIRST, handlers, SlowDisk(), begun)  # type: ignore[arg-type]

    assert len(before) == 1 and effects.NotifyReady in before[0]


class PlaysAtOnce:
    """In the place of a core whose cue was due while there was no power: it begins to sound with the first event."""

    def __init__(self) -> None:
        self.heard: list[events.Event] = []

    def handle(self, event: events.Event, now: Instant) -> list[Effect]:
        """Begin a sound, and then nothing more for an hour; leave when asked to."""
        self.heard.append(event)
        if isinstance(event, events.StopRequested):
            return [effects.Leave()]
        wake = effects.WakeAt(MonoMs(round(time.monotonic() * 1_000) + 3_600_000))
        return [effects.StartSound(1, 1, (), 0, MonoMs(0), 100, 0), wake] if len(self.heard) == 1 else [wake]


@pytest.mark.parametrize("told", [True, False], ids=["it begins", "nobody hears of it"])
def test_what_can_wait_waits_for_the_sound_that_a_start_brings(told: bool) -> None:
    """The player has the machine for itself until the sound is out; one that never comes has half a second."""
    core = PlaysAtOnce()
    loop = Loop(core, lambda: NOON, lambda: None)  # type: ignore[arg-type]
    before: list[tuple[float, int]] = []
    began_s = time.monotonic()

    def begun() -> None:
        before.append((time.monotonic() - began_s, len(core.heard)))

    run = (FIRST, Handlers(), SlowDisk(), begun)
    thread = threading.Thread(target=loop.run, args=run, daemon=True)
    thread.start()
    eventually(lambda: core.heard)
    if told:
        loop.post(events.SoundStarted(1, 1))
    eventually(lambda: before)
    loop.post(events.StopRequested())
    thread.join(5)

    assert not thread.is_alive()
    ((waited_s, heard),) = before
    assert heard == 2 if told else (heard == 1 and waited_s >= FIRST_SOUND_S)


def test_a_question_is_answered_between_two_events(bench: Bench) -> None:
    """From another thread, with what the core knows at that moment."""
    bench.loop.post(events.PlayerReady("wav", 1))
    assert bench.loop.ask(lambda station: station.snapshot(NOON).player_up, 5) is True


def test_a_question_that_fails_is_told_to_whoever_asked_and_to_nobody_else(bench: Bench) -> None:
    """The loop goes on."""
    empty: dict[str, int] = {}
    with pytest.raises(KeyError, match="nothing"):
        bench.loop.ask(lambda station: empty["nothing"], 5)
    assert bench.loop.ask(lambda station: station.boot, 5) == 1


def test_a_loop_that_does_not_run_answers_no_question() -> None:
    """The asker is not left hanging."""
    with pytest.raises(TimeoutError):
        Bench().loop.ask(lambda station: station.boot, 0.05)


def test_a_bug_in_any_thread_ends_the_loop_at_once(bench: Bench) -> None:
    """What it was told is what it raises."""
    bug = ValueError("planted")
    bench.loop.crash(bug)
    eventually(lambda: bench.ended, 2)
    assert bench.ended == [bug]


def test_a_clock_that_is_set_is_noticed_within_a_second_although_nothing_is_due(bench: Bench) -> None:
    """A day ahead, and then no longer to be trusted: the core is told each time."""
    bench.instant = replace(NOON, wall_ms=WallMs(NOON.wall_ms + 86_400_000))
    eventually(lambda: bench.station.programmes.seen_wall_ms == bench.instant.wall_ms, 3)
    bench.instant = replace(bench.instant, trusted=False)
    eventually(lambda: bench.disk.waiting, 3)
    (entries, _) = bench.disk.waiting[0]
    assert isinstance(entries[0], effects.FaultRaised)


def test_what_the_loop_posts_to_itself_never_waits_for_a_full_queue() -> None:
    """A relay fails while every place is taken: the loop would wait for itself for ever (never-8)."""
    bench = Bench()
    failed = events.RelayFailed("cho", "stuck")
    told: list[bool] = []

    def react(effect: Effect) -> None:
        if not told and isinstance(effect, effects.Heartbeat):
            told.append(True)
            for _ in range(LIMITS.events_queued):
                bench.loop._queue.put_nowait(events.TimePassed())
            bench.loop.post(failed)

    bench.handlers.react = react
    bench.thread.start()
    eventually(lambda: ("relay", "cho") in bench.station.faults.open)
    bench.loop.crash(ValueError("enough"))
    bench.thread.join(10)
    assert not bench.thread.is_alive()
