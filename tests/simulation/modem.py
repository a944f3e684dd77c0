"""The modem in a life: it hangs, takes the steps of a cure or does not, and comes back by the one that it needs.

What a cure may never do is checked as it is done: too many steps a day, two at once, one while an alert sounds, a
supply that stays cut. Its bytes are counted all the while, and never more of them are kept than went.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from msgspec.structs import replace

from tests.core.material import DAY_MS, HOUR_MS
from tests.simulation.shell import Violation
from tests.simulation.world import Rule, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.model import ALERT_PREFIX, CureStep, Modem, StationSettings
from ttcs_edge.core.modem import ANSWER_MOST_MS, CUT_MS, ON_AGAIN_MS, STEPS_A_DAY

MINUTE_MS = 60_000
HANGS_WITHIN_MS = 8 * HOUR_MS
BOOTS_MS = (20_000, 45_000)
ANSWERS_MS = (200, 3_000, 16_000)
FAILS, SAYS_NOTHING = 0.15, 0.03
NEEDS = (CureStep.RECONNECT, CureStep.RESTART, CureStep.POWER_OFF)
HURTS = "a modem's cure"


def with_modem(settings: StationSettings) -> StationSettings:
    """A station with a modem whose supply can be cut, and a budget that no life uses up."""
    return replace(settings, modem=Modem(has_relay=True, budget_bytes=100_000_000_000))


class MobileModem(Rule):
    """The modem of one world, and the rules of its cure. ``needs`` is what will cure it, None while it is well."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.needs: CureStep | None = None
        self.cured = 0
        self.steps = 0
        self.total_bytes = 0
        self._counter_bytes = 0
        self._name = 1
        self.is_sound = False
        """It hangs no more."""
        self._taken: deque[int] = deque()
        self._asked: CureStep | None = None
        self._cut_since_ms: int | None = None

    def power_on(self, world: World) -> None:
        """A new life: its relay is open. Half of them are of a machine that was started anew, and with it the count."""
        kept = world.disk.data_used
        if kept.used_bytes + kept.other_bytes + kept.unplaced_bytes > self.total_bytes:
            raise Violation(f"{HURTS}: {kept} is kept of {self.total_bytes} bytes")
        self._taken.clear()
        self._asked = self._cut_since_ms = None
        if world.random.random() < 0.5:
            self._counter_bytes, self._name = 0, self._name + 1
            self.needs = None
        if self.needs is not None:
            world.later(world.random.randrange(1_000, 20_000), self._tell_gone)
        self._later(self.hang, world.random.randrange(MINUTE_MS, HANGS_WITHIN_MS))
        self._later(self._count, MINUTE_MS)

    def hang(self) -> None:
        """From now on nothing goes through."""
        world = self._world
        if self.needs is None and not self.is_sound:
            self.needs = world.random.choice(NEEDS)
            self._tell_gone()
        self._later(self.hang, world.random.randrange(MINUTE_MS, HANGS_WITHIN_MS))

    def heal(self) -> None:
        """All is well with it from now on."""
        self.is_sound, self.needs = True, None
        self._world.send(events.LinkChanged(True, "connected"))

    def before(self, world: World, effect: effects.Effect) -> None:
        """The station takes a step."""
        if isinstance(effect, effects.CureModem):
            self._take(world, effect.step)

    def _take(self, world: World, step: CureStep) -> None:
        now_ms = world.mono_ms
        on_air = world.station.snapshot(world.instant()).on_air
        if self._asked is not None:
            raise Violation(f"{HURTS}: {step} while {self._asked} has not been answered")
        if step is not CureStep.POWER_ON:
            if on_air is not None and f"#{ALERT_PREFIX}" in on_air.occurrence:
                raise Violation(f"{HURTS}: {step} while {on_air.occurrence} sounds")
            while self._taken and self._taken[0] <= now_ms - DAY_MS:
                self._taken.popleft()
            self._taken.append(now_ms)
            self.steps += 1
            if len(self._taken) > STEPS_A_DAY:
                raise Violation(f"{HURTS}: {len(self._taken)} steps within a day")
        if step is CureStep.POWER_OFF and self._cut_since_ms is not None:
            raise Violation(f"{HURTS}: {step} while it is cut")
        self._asked = step
        if world.random.random() < SAYS_NOTHING and step not in (CureStep.POWER_OFF, CureStep.POWER_ON):
            self._later(self._forget, ANSWER_MOST_MS - 1)
            return
        self._later(lambda: self._answer(step), 50 if "power" in step.value else world.random.choice(ANSWERS_MS))

    def _forget(self) -> None:
        self._asked = None

    def _answer(self, step: CureStep) -> None:
        world = self._world
        failed = world.random.random() < FAILS
        self._asked = None
        if not failed:
            if step is CureStep.POWER_OFF:
                self._cut_since_ms = world.mono_ms
                since_ms = world.mono_ms
                self._later(lambda: self._must_be_on(since_ms), CUT_MS + 20 * ON_AGAIN_MS)
            if step is CureStep.POWER_ON:
                self._cut_since_ms = None
            cures = NEEDS.index(step if step is not CureStep.POWER_ON else CureStep.POWER_OFF)
            if step is not CureStep.POWER_OFF and self.needs is not None and cures >= NEEDS.index(self.needs):
                self._later(self._come_back, world.random.choice(BOOTS_MS))
        world.send(events.CureDone(step, "ERROR" if failed else ""))

    def _must_be_on(self, since_ms: int) -> None:
        if self._cut_since_ms == since_ms:
            raise Violation(f"{HURTS}: its supply is cut since {since_ms}")

    def _come_back(self) -> None:
        if self.needs is not None and self._cut_since_ms is None:
            self.needs = None
            self.cured += 1
            self._world.send(events.LinkChanged(True, "connected"))

    def _tell_gone(self) -> None:
        self._world.send(events.LinkChanged(False, "timeout", (("error", "no answer"),)))

    def _count(self) -> None:
        world = self._world
        grown = world.random.choice((1_000, 200_000, 4_000_000))
        first = world.disk.data_used.counter_of == 0 and self.total_bytes == 0
        self.total_bytes += grown
        self._counter_bytes += grown
        world.send(events.DataCounted(self._counter_bytes, self._name))
        self._later(self._count, HOUR_MS if not first else MINUTE_MS)

    def _later(self, do: Callable[[], None], after_ms: int) -> None:
        self._world.later(after_ms, do)
