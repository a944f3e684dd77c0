"""Random months: everything that can go wrong, at the moments at which it hurts, by seed.

    python -m tests.simulation.storm 17

replays seed 17 and prints the end of its trace. First faults are on, and no rule may be broken; then everything is
mended, two days pass, and everything that could air has aired or is told with its reason.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone

from tests.core.material import DAY_MS, HOUR_MS, PROVINCE, SETTINGS, audio_of, recording
from tests.simulation.rules import LOCAL, Due, Standing, every_rule, is_quiet, nearest
from tests.simulation.world import Violation, World
from ttcs_edge.core import events
from ttcs_edge.core.documents import Bulletin, Programme, Refused, Slot
from ttcs_edge.core.model import (
    AMPLIFIER,
    Amplifier,
    AsRunReason,
    QuietHours,
    Scope,
    StationSettings,
    Zone,
    ZoneId,
)

TRACE_TAIL = 45
ACTIONS = 130
MARGIN_MS = 2 * HOUR_MS
QUEUE_MINUTES = 60
BEGIN_MS = round(datetime(2026, 11, 24, tzinfo=LOCAL).timestamp() * 1_000)
TIMES = ("05:00:00", "05:00:00", "05:00:30", "05:01:12", "11:00:00", "11:00:02", "17:30:00", "21:00:00")
SECONDS = (1, 20, 60, 61, 90, 180)
SCOPES = (PROVINCE, Scope("vn"))
HEALTHY = {None, AsRunReason.QUIET_HOURS, AsRunReason.PRE_EMPTED}
"""What may be told of a cue on a day on which nothing is broken."""


class Storm:
    """One seed: a station, its programmes, and dice that decide what happens to it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world = World(self._settings(), BEGIN_MS, set(), seed, every_rule())
        self.versions = dict.fromkeys(SCOPES, 0)
        self.current: dict[Scope, Programme] = {}
        self.forgotten: list[Programme] = []

    def run(self, actions: int = ACTIONS, also: Callable[[Storm], None] | None = None) -> None:
        """Faults on, then faults off. Raises Violation."""
        world, dice = self.world, self.dice
        world.faults.disk_ms = dice.choice((0, 0, 30, 900))
        world.faults.start_ms = dice.choice((0, 40))
        world.progress_ms = dice.choice((0, 1_000))
        world.power_on()
        for scope in SCOPES[: dice.choice((1, 2))]:
            self.new_version(scope)
        for _ in range(actions):
            self._let_time_pass()
            dice.choice(HAPPENINGS)(self)
            while dice.random() < 0.3:  # misfortunes seldom come alone
                world.run(dice.choice((1, 100, 300, 700)))
                dice.choice(HAPPENINGS)(self)
        self._mend_everything()
        if also is not None:
            also(self)
        world.run(2 * DAY_MS)
        self._account()

    def _settings(self) -> StationSettings:
        dice = self.dice
        zones = (
            Zone(ZoneId("cho"), "Chợ", ("vi", "kho"), 100),
            Zone(ZoneId("dinh"), "Đình", ("vi",), 50),
            Zone(ZoneId("buon"), "Buôn", ("kho", "vi"), 80),
        )
        quiet = (QuietHours(21 * 60, 5 * 60), QuietHours(11 * 60 + 1, 13 * 60), QuietHours(17 * 60, 17 * 60 + 31))
        return replace(
            SETTINGS,
            zones=zones[: dice.choice((1, 2, 3))],
            amplifier=Amplifier(dice.choice((0, 500, 2_000, 5_000)), dice.choice((0, 3_000, 10_000, 60_000))),
            quiet_hours=quiet[: dice.choice((0, 0, 1, 2, 3))],
            zone_stagger_ms=dice.choice((20, 200, 500)),
            fade_out_ms=dice.choice((0, 500)),
        )

    def fingerprint(self) -> str:
        """A hash of the whole trace."""
        return hashlib.sha256("\n".join(self.world.trace).encode()).hexdigest()

    # documents

    def new_version(self, scope: Scope) -> None:
        """The scope's programme, with a slot more, less or changed; its audio is nearly always there."""
        if self.current.get(scope) is not None and self.world.powered:
            self.forgotten.append(self.current[scope])
        self.versions[scope] += self.dice.choice((1, 1, 1, 3))
        slots = (
            [slot for slot in self.current[scope].slots if self.dice.random() < 0.85] if scope in self.current else []
        )
        names = sorted({f"{scope.count('/')}{letter}" for letter in "abcdefg"} - {slot.id for slot in slots})
        while len(slots) < 3 or (len(slots) < 6 and self.dice.random() < 0.5):
            slots.append(self._slot(names.pop(self.dice.randrange(len(names)))))
        slots = [self._changed(slot) if self.dice.random() < 0.15 else slot for slot in slots]
        document = self._programme(scope, slots)
        for sha256 in sorted(audio_of(document) - self.world.cached):
            if self.dice.random() < 0.9:
                self.world.store_audio(sha256) if self.world.powered else self.world.cached.add(sha256)
        self.current[scope] = document
        self.world.publish(document)

    def _programme(self, scope: Scope, slots: Sequence[Slot]) -> Programme:
        life_ms = self.dice.choice((365 * DAY_MS, 365 * DAY_MS, 2 * DAY_MS, 5 * HOUR_MS))
        return Programme(
            scope=scope,
            version=self.versions[scope],
            issued=_utc(self.world.wall_ms),
            expires=_utc(self.world.wall_ms + life_ms),
            time_zone="Asia/Ho_Chi_Minh",
            bulletins=tuple(self._bulletin(name) for slot in slots for name in slot.bulletins),
            slots=tuple(slots),
        )

    def _bulletin(self, name: str) -> Bulletin:
        """The same recordings under the same name in every version: in Vietnamese, some also in K'Ho."""
        dice = random.Random(name)
        audio = [recording(f"{name}.vi", dice.choice(SECONDS))]
        if dice.random() < 0.5:
            audio.append(recording(f"{name}.kho", dice.choice(SECONDS), "kho"))
        return Bulletin(id=name, title=name, audio=tuple(audio))

    def _slot(self, name: str) -> Slot:
        return self._changed(
            Slot(
                id=name,
                start="2026-11-23T05:00:00",
                rrule="FREQ=DAILY",
                bulletins=tuple(f"{name}{n}" for n in range(self.dice.choice((1, 1, 2, 3)))),
            )
        )

    def _changed(self, slot: Slot) -> Slot:
        dice = self.dice
        return replace(
            slot,
            start=f"2026-11-23T{dice.choice(TIMES)}",
            zones=dice.choice(((), (), ("cho",), ("cho", "dinh"))),
            priority=dice.choice((5, 5, 5, 7, 9)),
            volume_percent=dice.choice((100, 60)),
            late_window_s=dice.choice((0, 0, 600, 3_600)),
            if_interrupted=dice.choice(("resume", "resume", "restart", "drop")),
        )

    # time

    def _let_time_pass(self) -> None:
        """Mostly to where it hurts: just before a cue, at its start, in its middle, at its end."""
        dice, world = self.dice, self.world
        slots = [(one, slot) for one in self.current.values() for slot in one.slots]
        if slots and dice.random() < 0.6:
            one, slot = dice.choice(slots)
            ahead_ms = nearest(one, slot, world.wall_ms + DAY_MS // 2).planned_ms - world.wall_ms
            world.run(max(1, ahead_ms + dice.choice((-9_000, -2_400, -400, -100, 0, 1, 700, 20_000, 59_900))))
        world.run(dice.choice((1, 50, 200, 450, 2_000, 10_500, 60_000, HOUR_MS)))

    # what happens

    def cut_power(self) -> None:
        """The power is cut and comes back."""
        self.world.power_off()
        self.world.run(self.dice.choice((1_000, 20_000, 400_000, 3 * HOUR_MS)))
        self.world.power_on()

    def restart(self) -> None:
        """The service is restarted."""
        self.world.stop()
        self.world.run(self.dice.choice((500, 30_000)))
        self.world.power_on()

    def kill_player(self) -> None:
        """The player dies; now and then its replacement is slow."""
        self.world.faults.player_slow_ms = self.dice.choice((500, 500, 500, 6_000))
        self.world.kill_player()

    def hang_player(self) -> None:
        """The player hangs."""
        self.world.hang_player()

    def step_clock(self) -> None:
        """The wall clock is set a little."""
        self.world.step_clock(self.dice.choice((-600_000, -3_000, -200, 200, 3_000, 600_000)))

    def lose_time(self) -> None:
        """Time is not trusted for a while."""
        self.world.trusted = False
        self.world.run(self.dice.choice((500, 5_000, 300_000)))
        self.world.trusted = True

    def break_relay(self) -> None:
        """A relay does not do as told for some minutes; only one that is open, which is how they fail."""
        open_ones = sorted({zone.id for zone in self.world.settings.zones} - set(self.world.closed))
        if self.world.amplifier_on_ms is None:
            open_ones.append(ZoneId(AMPLIFIER))
        if open_ones:
            self.world.faults.relays.add(self.dice.choice(open_ones))
            self._let_time_pass()
            self.world.run(self.dice.choice((1_000, 30_000, 600_000)))
            self.world.faults.relays.clear()

    def unplug(self) -> None:
        """The sound device goes, or comes."""
        self.world.mend_device() if self.world.faults.device else self.world.fail_device()

    def spoil_audio(self) -> None:
        """A file rots, proves to be no audio, or ends early."""
        cached = sorted(self.world.cached)
        if cached:
            sha256 = self.dice.choice(cached)
            self.dice.choice((self.world.lose_audio, self.world.faults.not_audio.add, self.world.faults.short.add))(
                sha256
            )

    def mend_audio(self) -> None:
        """What was wrong with files is over, and one that was missing comes."""
        self.world.faults.not_audio.clear()
        self.world.faults.short.clear()
        missing = sorted(audio_of(*self.current.values()) - self.world.cached)
        if missing and self.world.powered:
            self.world.store_audio(self.dice.choice(missing))

    def publish(self) -> None:
        """A new version comes."""
        self.new_version(self.dice.choice(SCOPES))

    def withdraw_what_sounds(self) -> None:
        """A new version comes, without the slot that is on the air."""
        if self.world.sound is None:
            return
        name = self.world.sound.command.items[0].bulletin
        for scope, document in self.current.items():
            slots = [slot for slot in document.slots if name not in slot.bulletins]
            if slots and len(slots) < len(document.slots):
                self.versions[scope] += 1
                self.current[scope] = self._programme(scope, slots)
                self.world.publish(self.current[scope])
                return

    def publish_badly(self) -> None:
        """Something comes that must not be obeyed."""
        scope = self.dice.choice(SCOPES)
        current = self.current.get(scope)
        kind = self.dice.choice(("bytes", "stranger", "old", "same-version", "again"))
        if kind == "bytes" or current is None:
            self.world.refuse(Refused("not-utf8", scope, (("found", "byte 3"),)), scope)
        elif kind == "stranger":
            self.world.publish_as_stranger(replace(current, version=current.version + 1, slots=()))
        elif kind == "old" and self.forgotten:
            self.world.publish(self.dice.choice(self.forgotten))
        elif kind == "same-version":
            self.world.publish(replace(current, slots=current.slots[:1]))
        else:
            self.world.publish(current)

    def tell_noise(self) -> None:
        """Events that are no business of the air."""
        sha256 = self.dice.choice(sorted(self.world.cached) or [recording("x", 1).sha256])
        noise: tuple[events.Event, ...] = (
            events.AudioFailed(sha256, "timeout", ()),
            events.LinkChanged(False, "refused"),
            events.LinkChanged(True, ""),
            events.ConditionChanged("store-failing", "database", True),
            events.ConditionChanged("store-failing", "database", False),
            events.SoundProgress(999, 1, -20.0, -6.0, 0),
        )
        self.world.send(self.dice.choice(noise))

    # the end

    def _mend_everything(self) -> None:
        world = self.world
        world.faults.relays.clear()
        world.faults.not_audio.clear()
        world.faults.short.clear()
        world.faults.disk_ms, world.faults.player_slow_ms = 0, 500
        world.trusted = True
        if world.faults.device:
            world.mend_device()
        for scope in sorted(self.current):
            self.versions[scope] = max(self.versions[scope], self.current[scope].version) + 1
            year = replace(self.current[scope], version=self.versions[scope], expires="2027-11-24T00:00:00Z")
            self.current[scope] = year
            world.publish(year)
        for sha256 in sorted(audio_of(*self.current.values())):
            world.store_audio(sha256)
        world.send(events.LinkChanged(True, ""))
        world.send(events.ConditionChanged("store-failing", "database", False))

    def _account(self) -> None:
        """Everything that was due is told; on the healthy days, as aired unless a rule of the air kept it off."""
        world = self.world
        standing = next(rule for rule in world.rules if isinstance(rule, Standing))
        told = {record.occurrence: record for record in world.disk.as_run}
        healthy_ms = world.wall_ms - 2 * DAY_MS + MARGIN_MS
        for due in self._owed(standing):
            if due.occurrence not in told:
                raise Violation(f"never-5: {due.occurrence} is forgotten")
            record = told[due.occurrence]
            if due.planned_ms >= healthy_ms and record.reason not in HEALTHY:
                raise Violation(f"all is well, but {due.occurrence} is told as {record.outcome} {record.reason}")
            if record.reason is AsRunReason.QUIET_HOURS and not self._may_be_quiet(due.planned_ms):
                raise Violation(f"air-5: {due.occurrence} is off for quiet hours that are not there")
        heard_ms = {r.occurrence.slot: r.end_ms or 0 for r in world.disk.as_run if r.reason is None}
        left = [
            (fault.code, fault.subject)
            for fault in world.disk.faults.values()
            if fault.code != "cue-missed" or heard_ms.get(fault.subject.split("#")[1], 0) > fault.raised_ms
        ]
        if left:
            raise Violation(f"all is well, but these faults are open: {left}")

    def _owed(self, standing: Standing) -> Iterator[Due]:
        """What was due while its programme was in force, well within that time."""
        now_ms = self.world.wall_ms
        for programme, since_ms, until_ms in standing.spans(now_ms):
            for slot in programme.slots:
                due = nearest(programme, slot, since_ms)
                while due.planned_ms <= min(until_ms, now_ms) - MARGIN_MS:
                    if due.planned_ms >= since_ms + MARGIN_MS:
                        yield due
                    due = nearest(programme, slot, due.planned_ms + DAY_MS)

    def _may_be_quiet(self, planned_ms: int) -> bool:
        minutes = range(-QUEUE_MINUTES, QUEUE_MINUTES + 1)  # clocks are set back, cues queue
        return any(is_quiet(self.world.settings, planned_ms + minute * 60_000) for minute in minutes)


def _utc(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms // 1_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def story(seed: int, actions: int = ACTIONS, also: Callable[[Storm], None] | None = None) -> str | None:
    """Run one seed; None, or the end of its trace, what was broken, and how to see it again.

    ``also`` is done last, before two healthy days are judged.
    """
    storm = Storm(seed)
    try:
        storm.run(actions, also)
    except Exception as error:  # an assertion of the core, or worse
        tail = "\n".join(storm.world.trace[-TRACE_TAIL:])
        return f"{tail}\nseed {seed}: {error!r}\nto replay: python -m tests.simulation.storm {seed}"
    return None


def main() -> None:
    """Replay one seed, or all from one to another; prints each story, and exits with 1 at the first."""
    first = int(sys.argv[1])
    for seed in range(first, int(sys.argv[2]) if len(sys.argv) > 2 else first + 1):
        text = story(seed)
        print(text or f"seed {seed}: no rule broken", flush=True)
        if text:
            sys.exit(1)


HAPPENINGS: tuple[Callable[[Storm], None], ...] = (
    Storm.cut_power,
    Storm.cut_power,
    Storm.restart,
    Storm.kill_player,
    Storm.kill_player,
    Storm.hang_player,
    Storm.step_clock,
    Storm.lose_time,
    Storm.break_relay,
    Storm.break_relay,
    Storm.unplug,
    Storm.unplug,
    Storm.spoil_audio,
    Storm.mend_audio,
    Storm.publish,
    Storm.publish,
    Storm.withdraw_what_sounds,
    Storm.withdraw_what_sounds,
    Storm.publish_badly,
    Storm.tell_noise,
)

if __name__ == "__main__":
    main()
