"""The clocks of a simulated station, and whom of them it believes, by the real timekeeper.

The machine wakes in 1970. Then NTP comes, minutes later or after most of an hour; or there is a battery clock, which
drifts also while the power is off and is set once NTP has been there for a while; or a modem, which tells the seconds
of its network, late by its line; or there are only the beacons of the centre. A battery that is empty, and a modem
without its network, tell the year 2000. The truth is the world's own.
"""

from __future__ import annotations

from collections import deque

from tests.core.material import PROVINCE
from tests.simulation.shell import Violation
from tests.simulation.world import Rule, World
from ttcs_edge.core import effects
from ttcs_edge.core.beacons import beacon_subject
from ttcs_edge.core.documents import Beacon, Signed
from ttcs_edge.core.events import BeaconArrived, ClockChanged, Event, TimePassed
from ttcs_edge.core.model import MonoMs, WallMs
from ttcs_edge.core.timekeeping import OWN_ERROR_MS, SLACK_MS, ClockState, Timekeeper, TimeSource
from ttcs_edge.core.trust import utc_ms

NTP, BATTERY, MODEM, BEACONS = "ntp", "battery", "modem", "beacons"
NTP_COMES_MS = (2_000, 30_000, 60_000, 60_000, 120_000, 300_000, 1_500_000)
BATTERY_EVERY_MS = 6 * 3_600_000
MODEM_EVERY_MS = 900_000
MODEM_LATE_MS = 2_500
"""A second that has begun, and the way through the network and over the line."""
BATTERY_SET_MS = 660_000
"""How long the kernel waits before it sets the battery clock by NTP."""
YEAR_2000_MS = 946_684_800_000
SIGNED_LATE_MS = 7_500
"""By how much a time made of beacons may be late: whole seconds, their way, and the pace that two of them must keep."""


class Clocks:
    """The clock of the machine, the battery clock, and the station's own word on what the time is."""

    def __init__(self, world: World, kind: str, battery_ppm: int) -> None:
        self._world = world
        self._kind = kind
        self._ppm = battery_ppm
        self._true_offset_ms = world.offset_ms
        self._battery_error_ms = 0
        self._battery_set_mono_ms = world.mono_ms
        self._empty = False
        self._asked_error_ms = 0
        self._told: ClockState | None = None
        self._warm = False
        self._beacons_late_ms: deque[int] = deque(maxlen=2)
        self._signed_late_ms = SIGNED_LATE_MS
        self.synchronised = False

    @property
    def true_ms(self) -> int:
        """What time it is."""
        return self._world.mono_ms + self._true_offset_ms

    @property
    def battery_error_ms(self) -> int:
        """How far the battery clock is off."""
        return self._battery_error_ms + (self._world.mono_ms - self._battery_set_mono_ms) * self._ppm // 1_000_000

    def bounds_ms(self) -> tuple[int, int]:
        """How far behind the truth, and ahead of it, the source that is believed may be."""
        if self.synchronised:
            return 0, 0
        match self._keeper.state().source:
            case TimeSource.RTC:
                error_ms = abs(self._asked_error_ms) + OWN_ERROR_MS[TimeSource.RTC] + 1
                return error_ms, error_ms
            case TimeSource.MODEM:
                return MODEM_LATE_MS, 0
            case TimeSource.SIGNED:
                return self._signed_late_ms, 0
            case _:
                return 0, 0

    def power_on(self, floor_ms: int) -> None:
        """A new process believes nobody yet; a machine that was off has no time either."""
        self._keeper = Timekeeper((TimeSource.KERNEL, *OWN_DEVICE.get(self._kind, ()), TimeSource.SIGNED))
        self._keeper.raise_floor(floor_ms)
        self._told = None
        self._beacons_late_ms.clear()
        self._signed_late_ms = SIGNED_LATE_MS
        if not self._warm:
            self.synchronised = False
        self._warm = False
        self.look()

    def boot(self) -> None:
        """What comes by itself after a start."""
        world = self._world
        if self._kind == BATTERY:
            self._ask_battery()
        if self._kind == MODEM:
            self._ask_modem()
        if self._kind != BEACONS and not self.synchronised:
            world.later(world.random.choice(NTP_COMES_MS), lambda: self.synchronise(True))

    def power_off(self, warm: bool) -> None:
        """The service ends; where only it was stopped the machine keeps its time."""
        self._warm = warm

    def look(self) -> None:
        """What the station takes for the time from now on."""
        world, mono_ms = self._world, MonoMs(self._world.mono_ms)
        if self.synchronised:
            self._keeper.hear(TimeSource.KERNEL, self.true_ms, mono_ms)
        else:
            self._keeper.miss(TimeSource.KERNEL, "unsynchronised")
        believed_ms = self._keeper.offset_ms(mono_ms)
        world.trusted = believed_ms is not None
        offset_ms = believed_ms if believed_ms is not None else 0  # the machine's own: milliseconds after 1970
        if offset_ms != world.offset_ms:
            world.offset_ms, world.stepped_mono_ms = offset_ms, mono_ms

    def told(self) -> None:
        """The loop: whoever has heard something is asked, and what is new goes to the core."""
        self.look()
        state = self._keeper.state()
        before, self._told = self._told, state
        news = before is None or (before.source, before.words) != (state.source, state.words)
        self._world.send(ClockChanged(state) if news else TimePassed())

    def synchronise(self, good: bool) -> None:
        """NTP comes, or the kernel has not heard of it for long."""
        if self._kind == BEACONS:
            return
        self.synchronised = good
        if good and self._kind == BATTERY:
            self._world.later(BATTERY_SET_MS, self._set_battery)
        self.told()

    def empty(self, empty: bool) -> None:
        """The battery is empty, or a new one is in and the clock was set; a modem loses its network, or finds it."""
        self._empty = empty
        if not empty:
            self._battery_error_ms, self._battery_set_mono_ms = 0, self._world.mono_ms

    @property
    def beacons_late_ms(self) -> int:
        """By how much a time made of the last two live beacons may be late: two that were held back alike agree."""
        held_ms = min(self._beacons_late_ms) if len(self._beacons_late_ms) == 2 else 0
        return max(SIGNED_LATE_MS, held_ms)

    def brought_beacon(self, issued_ms: int) -> None:
        """A beacon comes live."""
        self._beacons_late_ms.append(self.true_ms - issued_ms)

    @property
    def tells_signed(self) -> bool:
        """Tell whether the station has its time from beacons."""
        return not self.synchronised and self._keeper.state().source is TimeSource.SIGNED

    def hear_signed(self, wall_ms: WallMs, mono_ms: MonoMs) -> None:
        """The core makes a time of beacons."""
        self._signed_late_ms = max(self._signed_late_ms, self.beacons_late_ms)
        self._keeper.hear(TimeSource.SIGNED, wall_ms, mono_ms)
        self._world.later(0, self.told)

    def raise_floor(self, wall_ms: WallMs) -> None:
        """The core has seen a newer signature."""
        self._keeper.raise_floor(wall_ms)

    def mend(self) -> None:
        """All is well, and NTP is there for good, whatever the station had until now."""
        self._kind = NTP if self._kind == BEACONS else self._kind
        self.empty(False)
        self.synchronise(True)

    def _set_battery(self) -> None:
        if self.synchronised and not self._empty:
            self._battery_error_ms, self._battery_set_mono_ms = 0, self._world.mono_ms

    def _ask_battery(self) -> None:
        wall_ms = YEAR_2000_MS + self._world.mono_ms if self._empty else self.true_ms + self.battery_error_ms
        self._asked_error_ms = self.battery_error_ms
        self._keeper.hear(TimeSource.RTC, wall_ms, MonoMs(self._world.mono_ms))
        self._world.later(BATTERY_EVERY_MS, self._ask_battery)
        self.told()

    def _ask_modem(self) -> None:
        world = self._world
        late_ms = world.random.randrange(MODEM_LATE_MS - 1_000)
        wall_ms = YEAR_2000_MS + world.mono_ms if self._empty else (self.true_ms - late_ms) // 1_000 * 1_000
        self._keeper.hear(TimeSource.MODEM, wall_ms, MonoMs(world.mono_ms))
        world.later(MODEM_EVERY_MS, self._ask_modem)
        self.told()


OWN_DEVICE = {BATTERY: (TimeSource.RTC,), MODEM: (TimeSource.MODEM,)}
"""What a station has beside NTP and beacons."""


class Truth(Rule):
    """air-7: what a station takes for the time is the time, as far as the source that it believes can know it.

    never-1: beacons tell it only in pairs of keys that count, both of them.
    """

    def __init__(self) -> None:
        self.floors: dict[str, int] = {}
        """The newest beacon of the province by each key."""
        self.believed: list[frozenset[str]] = []
        """Who signed the beacons that came live in this life, and were believed."""

    def power_on(self, world: World) -> None:
        """Of beacons the disk has their floors; the time must be found out anew."""
        names = ((name.partition("@"), version) for name, version in world.disk.floors.items())
        self.floors = {key: version for (name, _, key), version in names if name == beacon_subject(PROVINCE)}
        self.believed = []

    def hears(self, world: World, event: Event) -> None:
        """Compare the clock that the core is about to be shown with the truth."""
        if isinstance(event, BeaconArrived) and isinstance(event.beacon, Signed):
            self._hear(world, event.beacon, event.live)
        if world.clocks is not None and world.trusted:
            ahead_ms, (late_ms, early_ms) = world.wall_ms - world.clocks.true_ms, world.clocks.bounds_ms()
            if not -late_ms <= ahead_ms <= early_ms:
                raise Violation(f"air-7: the time is believed, and is off by {ahead_ms} ms")

    def _hear(self, world: World, signed: Signed[Beacon], live: bool) -> None:
        beacon, clocks = signed.document, world.clocks
        if not world.may(signed.signers):
            return
        knows = world.trusted and not (clocks is not None and clocks.tells_signed)
        ahead = utc_ms(beacon.issued) > world.wall_ms + SLACK_MS
        if knows and (ahead or utc_ms(beacon.expires) <= world.wall_ms):
            return
        if beacon.version <= max(self.floors.get(key, 0) for key in ("", *world.keys)):
            return
        self.floors |= dict.fromkeys(signed.signers.intersection(world.keys), beacon.version)
        if live:
            self.believed.append(signed.signers)
            if clocks is not None:
                clocks.brought_beacon(utc_ms(beacon.issued))

    def after(self, world: World, event: Event, done: list[effects.Effect]) -> None:
        """A time made of beacons is made of two that may tell it."""
        if any(isinstance(one, effects.SetSignedTime) for one in done):
            count = sum(world.may(signers) for signers in self.believed)
            if count < 2 or not isinstance(event, BeaconArrived):
                raise Violation(f"never-1: {count} beacons of keys that count tell the time")

    def before(self, world: World, effect: effects.Effect) -> None:
        """A time made of beacons is no earlier than the way of the better of them explains."""
        if world.clocks is not None and isinstance(effect, effects.SetSignedTime):
            late_ms = world.clocks.true_ms - world.mono_ms + effect.mono_ms - effect.wall_ms
            if not 0 <= late_ms <= world.clocks.beacons_late_ms:
                raise Violation(f"air-7: beacons tell a time that is {late_ms} ms late")
