"""Random months: everything that can go wrong, at the moments at which it hurts, by seed.

    python -m tests.simulation.storm 17

replays seed 17 and prints the end of its trace; with ``own-clock`` behind it the station must find out the time by
itself, and hears its centre; with ``alerts`` there are warnings, with ``microphone`` somebody speaks, with ``live``
there are live relays, with ``orders`` its centre gives commands, with ``streams`` there are radios, with ``trust`` the
centre's roots follow one another, and a thief holds a key and speaks with it in every way there is. First faults are
on, and no rule may be broken; then everything is mended, two days pass, and everything that could air has aired or is
told with its reason.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from msgspec.structs import replace

from tests.core.material import DAY_MS, HOUR_MS, PROVINCE, SETTINGS, STRANGER, TEST_TONE, TONES, audio_of, recording
from tests.simulation.alerts import SEVERITIES, URGENCIES
from tests.simulation.centre import AGAIN, WAYS
from tests.simulation.centre import GOOD as GOOD_ORDER
from tests.simulation.clocks import BATTERY, BEACONS, MODEM, NTP
from tests.simulation.happenings import (
    MESSAGES,
    SCOPES,
    THIEFS,
    Happening,
    Setup,
    Timeline,
    audio_name,
    edition_of,
    fields_of,
    programme_of,
    written,
)
from tests.simulation.leases import SECONDS as LEASE_SECONDS
from tests.simulation.radio import stream_of
from tests.simulation.roots import BAD, DROP, JOIN, MOST, NEXT, REVOKE, STEPS
from tests.simulation.rules import interval_ms, nearest
from tests.simulation.shell import GOOD, MODES
from tests.simulation.shrink import SHRINK_S, Failure, failure, shrunk
from tests.simulation.world import BEGIN_MONO_MS, DEPUTY, World
from ttcs_edge.core.documents import Programme, Slot, Stream
from ttcs_edge.core.model import AMPLIFIER, MICROPHONE, Scope, Sha256, ZoneId

KINDS = (
    "dense",
    "own_clock",
    "alerts",
    "microphone",
    "live",
    "orders",
    "streams",
    "trust",
    "muted",
    "supplies",
    "duty",
    "by_hand",
)
"""The words behind a seed."""
REPLAY = "python -m tests.simulation.storm"
TRACE_TAIL = 45
ACTIONS = 130
TIMES = ("05:00:00", "05:00:00", "05:00:30", "05:01:12", "11:00:00", "11:00:02", "17:30:00", "21:00:00")
MOMENTS_MS = (-9_000, -2_400, -400, -100, 0, 1, 700, 20_000, 59_900)
"""Around a cue's instant."""
CLOCKS = (NTP, NTP, BATTERY, MODEM, BEACONS, BEACONS)
"""What a station has that must find out the time by itself, and hears its centre; the others are told by the dice."""
WARNED = (PROVINCE, "vn", SETTINGS.scope, PROVINCE)
"""Whom each alert is for."""
RELAYED = {"1b": "v0", "1e": "v1", "0c": "v0", "0f": "v2"}
"""The slots that name a live relay, and which."""
STREAMED = {"1d": 1, "1f": 3, "0b": 2, "0e": 4}
"""The slots that name a stream, and for how many minutes."""
STANDS_IN = "1a"
"""The one slot that may air a standing bulletin: the books must know by its sound whose it is."""
DAILY = (1,)
INTERVALS = (1, 7, 14, 30, 30)
"""From one occurrence of a slot to the next, in days; of half the stations: their days are quiet, their years cost
little. The slots of the others are daily."""

FETCHED = 0.8
"""How often what lacks comes before quiet days go by: a station to which something lacks looks every hour at what it
wants, and most of what it lived through would be that.
"""
QUIET_HEARTBEAT_S = 21_600
"""Of the stations with quiet days: rarer than any config allows, or most of what they live through is heartbeats."""


class Storm:
    """One seed: a station, its programmes, and dice that decide what happens to it."""

    def __init__(
        self,
        seed: int,
        dense: bool = False,
        own_clock: bool = False,
        alerts: bool = False,
        microphone: bool = False,
        live: bool = False,
        orders: bool = False,
        streams: bool = False,
        trust: bool = False,
        muted: bool = False,
        supplies: bool = False,
        duty: bool = False,
        by_hand: bool = False,
    ) -> None:
        self.dice = random.Random(seed)
        self.supplies, self.duty, self.by_hand, self.leases = supplies, duty, by_hand, 0
        self.intervals = DAILY if dense else self.dice.choice((DAILY, INTERVALS))
        self.own_clock, self.alerts, self.microphone, self.live = own_clock, alerts, microphone, live
        self.orders, self.streams, self.muted = orders, streams, muted
        self.happenings = HAPPENINGS + (FROM_THE_CENTRE if own_clock else ()) + (WARNINGS if alerts else ())
        self.happenings += (TALKS if microphone else ()) + (RELAYS if live else ()) + (ORDERS if orders else ())
        self.happenings += (RADIOS if streams else ()) + (ROOTS if trust else ()) + (MUTES if muted else ())
        self.happenings += (Storm.warn_over_restart,) * 3 if trust and alerts and orders else ()
        self.happenings += HANDS if by_hand else ()
        self.happenings += THEFTS if trust and (live or orders) else ()
        self.trust, self.burned = trust, 0
        self.warned: dict[str, dict[str, Any]] = {}
        self.timeline = Timeline(self._setup(seed))
        self.versions = dict.fromkeys(SCOPES, 0)
        self.forgotten: list[Programme] = []
        self.at_end = False

    @property
    def world(self) -> World:
        """What it happens to."""
        return self.timeline.world

    @property
    def current(self) -> dict[Scope, Programme]:
        """What the publisher means to be in force."""
        return self.timeline.current

    def run(self, actions: int = ACTIONS, also: Callable[[Timeline], None] | None = None) -> None:
        """Faults on, then faults off. Raises Violation."""
        world, dice, happen = self.world, self.dice, self.timeline.happen
        happen("power-on")
        for scope in SCOPES[: dice.choice((1, 2))]:
            self.new_version(scope)
        for _ in range(actions):
            if self.intervals != DAILY and dice.random() < FETCHED:
                self._fetch_what_lacks()
            self._let_time_pass()
            dice.choice(self.happenings)(self)
            while dice.random() < 0.3:  # misfortunes seldom come alone
                world.run(dice.choice((1, 100, 300, 700)))
                dice.choice(self.happenings)(self)
        happen("calm")
        self.at_end = True
        self.timeline.finish(also)

    def _fetch_what_lacks(self) -> None:
        """What did not come with its programme comes."""
        for sha256 in sorted(audio_of(*self.current.values()) - self.world.cached):
            self.timeline.happen("audio", audio_name(sha256))

    def _setup(self, seed: int) -> Setup:
        dice, is_daily = self.dice, self.intervals == DAILY
        return Setup(
            seed=seed,
            zones=3 if self.supplies else dice.choice((1, 2, 3)),
            warm_up_ms=dice.choice((0, 500, 2_000, 5_000)),
            hold_ms=dice.choice((0, 3_000, 10_000, 60_000)),
            quiet_hours=dice.choice((0, 0, 1, 2, 3)),
            zone_stagger_ms=dice.choice((20, 200, 500)),
            fade_out_ms=dice.choice((0, 500)),
            disk_ms=dice.choice((0, 0, 30, 900)),
            start_ms=dice.choice((0, 40)),
            progress_ms=dice.choice((0, 1_000 if is_daily else 30_000)),
            heartbeat_s=3_600 if is_daily else QUIET_HEARTBEAT_S,
            group_ms=900,
            shell=True,
            clock=dice.choice(CLOCKS) if self.own_clock else "",
            battery_ppm=dice.choice((-12, -4, 4, 12)) if self.own_clock else 0,
            alerts=self.alerts,
            at_once=dice.choice((1, 1, 2, 3)) if self.alerts else 1,
            **(self._microphone() if self.microphone else {}),
            live=self.live,
            orders=self.orders,
            streams=self.streams,
            trust=self.trust,
            mute_most_ms=dice.choice((120_000, 1_500_000, 3_000_000)) if self.muted else 0,
            **(self._supplies() if self.supplies else {}),
            duty_ms=self.dice.choice((90_000, 150_000, 240_000)) if self.duty else 0,
            by_hand=self.by_hand,
        )

    def _supplies(self) -> dict[str, Any]:
        """Three zones on a supply that bears one or two; who speaks is heard by no more."""
        return {"zones_most": self.dice.choice((1, 2))}

    def _microphone(self) -> dict[str, Any]:
        dice = self.dice
        return {
            "microphone": dice.choice(("input", "mixer")),
            "talk_zones": 1 if self.supplies else dice.choice((1, 1, 3)),
            "talk_most_ms": dice.choice((20_000, 60_000, 60_000)),
            "talk_percent": dice.choice((100, 70)),
            "talk_in_quiet_hours": dice.random() < 0.5,
        }

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
        slots = [replace(slot, stream=self._stream(slot.id, scope)) for slot in slots]
        document = self._programme(scope, slots)
        for sha256 in sorted(audio_of(document) - self.world.cached):
            if self.dice.random() < 0.8:
                self.timeline.happen("audio", audio_name(sha256))
        self.timeline.happen("programme", fields_of(document))

    def _programme(self, scope: Scope, slots: Sequence[Slot]) -> Programme:
        life_ms = self.dice.choice((365 * DAY_MS, 365 * DAY_MS, 2 * DAY_MS, 5 * HOUR_MS))
        dice, names = self.dice, [name for slot in slots for name in slot.bulletins]
        editions = {one.id: edition_of(one) for one in self.current[scope].bulletins} if scope in self.current else {}
        editions |= {name: editions.get(name, 0) + 1 for name in names if dice.random() < 0.3}
        soon = _utc(self.world.true_ms + dice.choice((HOUR_MS, DAY_MS, 3 * DAY_MS)))
        fields = {
            "editions": {name: edition for name, edition in editions.items() if edition},
            "expiries": {name: soon for name in names if dice.random() < 0.05},
            "standing": [f"s{scope.count('/')}"] if dice.random() < 0.6 else [],
            "scope": scope,
            "version": self.versions[scope],
            "issued": _utc(self.world.true_ms),
            "expires": _utc(self.world.true_ms + life_ms),
            "slots": slots,
        }
        return programme_of(fields)

    def _slot(self, name: str) -> Slot:
        return self._changed(
            Slot(
                id=name,
                start="2026-11-23T05:00:00",
                rrule=f"FREQ=DAILY;INTERVAL={self.dice.choice(self.intervals)}",
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
            live=RELAYED.get(slot.id) if self.live else None,
            if_unplayable="standing" if slot.id == STANDS_IN else dice.choice(("silence", "earlier", "earlier")),
        )

    def _stream(self, name: str, scope: Scope) -> Stream | None:
        return stream_of(scope, name, STREAMED[name]) if self.streams and name in STREAMED else None

    # time

    def _let_time_pass(self, most_ms: int = 60 * DAY_MS) -> None:
        """Mostly to where it hurts: just before a cue, at its start, in its middle, at its end."""
        dice, world = self.dice, self.world
        slots = [(one, slot) for one in self.current.values() for slot in one.slots]
        if slots and dice.random() < 0.6:
            one, slot = dice.choice(slots)
            ahead_ms = nearest(one, slot, world.true_ms + interval_ms(slot.rrule) // 2).planned_ms - world.true_ms
            world.run(min(most_ms, max(1, ahead_ms + dice.choice(MOMENTS_MS))))
        world.run(dice.choice((1, 50, 200, 450, 2_000, 10_500, 60_000, HOUR_MS)))

    # what happens

    def cut_power(self) -> None:
        """The power is cut and comes back."""
        self.timeline.happen("power-off")
        self.world.run(self.dice.choice((1_000, 20_000, 400_000, 3 * HOUR_MS)))
        self.timeline.happen("power-on")

    def restart(self) -> None:
        """The service is restarted."""
        self.timeline.happen("stop")
        self.world.run(self.dice.choice((500, 30_000)))
        self.timeline.happen("power-on")

    def kill_player(self) -> None:
        """The player dies; now and then its replacement is slow."""
        self.timeline.happen("kill-player", self.dice.choice((500, 500, 500, 6_000)))

    def hang_player(self) -> None:
        """The player hangs."""
        self.timeline.happen("hang-player")

    def step_clock(self) -> None:
        """The wall clock is set a little; or a battery is empty, or a modem without its network, for a while."""
        if self.timeline.setup.clock:
            self.timeline.happen("battery", self.dice.random() < 0.5)
            return
        self.timeline.happen("step-clock", self.dice.choice((-600_000, -3_000, -200, 200, 3_000, 600_000)))

    def lose_time(self) -> None:
        """Time is not trusted for a while; a station that has its own sources lacks NTP for longer."""
        kind = "ntp" if self.timeline.setup.clock else "trust"
        self.timeline.happen(kind, False)
        if self.timeline.setup.clock:
            self._let_time_pass()
        self.world.run(self.dice.choice((500, 5_000, 300_000)))
        self.timeline.happen(kind, True)

    def hear_centre(self) -> None:
        """A beacon or a command comes, good or bad; or some that were held back come all at once."""
        dice = self.dice
        held = dice.random() < 0.3
        if held:
            self.timeline.happen("hold", True)
        for _ in range(dice.choice((1, 1, 2, 3))):
            self.world.run(dice.choice((1, 500, 12_000, 40_000)))
            self._say(dice.choice(("beacon", "beacon", "command")), dice.choice(WAYS))
        if held:
            self.world.run(dice.choice((2_000, 20_000, HOUR_MS)))
            self.timeline.happen("hold", False)

    def _say(self, kind: str, way: str, thief: str = "") -> None:
        if self.world.card is not None and self.world.powered:
            journal, last = self.world.card.newest
            first = max(1, last - self.dice.randrange(5))
            self.timeline.happen("centre", kind, way, journal, first, max(1, last), *([thief] if thief else []))

    def break_relay(self) -> None:
        """A relay does not do as told for some minutes."""
        open_ones = sorted({zone.id for zone in self.world.settings.zones} - set(self.world.closed))
        if self.microphone and not self.world.mixer_closed:
            open_ones += [ZoneId(MICROPHONE)]
        if self.world.amplifier_on_ms is None:
            open_ones.append(ZoneId(AMPLIFIER))
        if open_ones:
            self.timeline.happen("break-relay", self.dice.choice(open_ones))
            self._let_time_pass(DAY_MS)
            self.world.run(self.dice.choice((1_000, 30_000, 600_000)))
            self.timeline.happen("mend-relays")

    def unplug(self) -> None:
        """The sound device goes, or comes."""
        self.timeline.happen("device", self.world.faults.device)

    def lose_link(self) -> None:
        """The link to the broker goes, or comes."""
        self.timeline.happen("link", self.world.line is not None and not self.world.line.up)

    def upset_broker(self) -> None:
        """The broker misbehaves for a while; then something new is told, by which the province sees what it lacks."""
        self.timeline.happen("broker", self.dice.choice(MODES))
        self._let_time_pass(DAY_MS)
        self.timeline.happen("broker", GOOD)

    def spoil_audio(self) -> None:
        """A file rots, proves to be no audio, or ends early."""
        cached = self._files()
        if cached:
            name = audio_name(self.dice.choice(cached))
            self.timeline.happen("spoil", name, self.dice.choice(("rots", "not-audio", "short")))

    def _files(self) -> list[Sha256]:
        """What lies in the folder, but for the tones, which the installation brings."""
        return sorted(self.world.cached - {TEST_TONE.sha256, *(tone.sha256 for _, tone in TONES)})

    def mend_audio(self) -> None:
        """What was wrong with files is over, and one that was missing comes."""
        self.timeline.happen("mend-files")
        missing = sorted(audio_of(*self.current.values()) - self.world.cached)
        if missing and self.world.powered:
            self.timeline.happen("audio", audio_name(self.dice.choice(missing)))

    def publish(self) -> None:
        """A new version comes."""
        self.new_version(self.dice.choice(SCOPES))

    def withdraw_what_sounds(self) -> None:
        """A new version comes, without the slot that is on the air."""
        if self.world.sound is None or not self.world.sound.items:
            return
        name = self.world.sound.items[0].bulletin
        for scope, document in self.current.items():
            slots = [slot for slot in document.slots if name not in slot.bulletins]
            if slots and len(slots) < len(document.slots):
                self.versions[scope] += 1
                self.timeline.happen("programme", fields_of(self._programme(scope, slots)))
                return

    def publish_badly(self) -> None:
        """Something comes that must not be obeyed."""
        scope = self.dice.choice(SCOPES)
        current = self.current.get(scope)
        kind = self.dice.choice(("bytes", "stranger", "old", "same-version", "again"))
        if kind == "bytes" or current is None:
            self.timeline.happen("refuse", scope)
        elif kind == "stranger":
            newer = replace(current, version=current.version + 1, slots=())
            self.timeline.happen("programme", fields_of(newer), False, STRANGER)
        elif kind == "old" and self.forgotten:
            self.timeline.happen("programme", fields_of(self.dice.choice(self.forgotten)), False)
        elif kind == "same-version":
            self.timeline.happen("programme", fields_of(replace(current, slots=current.slots[:1])), False)
        else:
            self.timeline.happen("programme", fields_of(current), False)

    def follow_root(self) -> None:
        """The centre's root is followed by another, at once or held back for a while; what the centre says is signed
        anew, most of it; misfortunes come in between.
        """
        dice, world = self.dice, self.world
        held = dice.random() < 0.25
        if held:
            self.timeline.happen("hold-roots", True)
        self._step_root(dice.choice(STEPS))
        if held:
            world.run(dice.choice((1_000, 60_000, HOUR_MS)))
            self._sign_anew()
            if dice.random() < 0.5:
                dice.choice(MISFORTUNES_OF_ROOTS)(self)
            self.timeline.happen("hold-roots", False)
            self._sign_anew()

    def _step_root(self, how: str) -> None:
        self.timeline.happen("root", how)
        self.world.run(self.dice.choice((1, 1, 40, 400, 20_000, HOUR_MS)))
        if self.dice.random() < 0.5:
            self.dice.choice(MISFORTUNES_OF_ROOTS)(self)
        self._sign_anew()

    def follow_root_without_time(self) -> None:
        """Something falls due while nobody knows the time; it is replaced, its key is revoked, and the time comes."""
        dice, world, happen = self.dice, self.world, self.timeline.happen
        if self.timeline.setup.clock or not self.current:
            return
        happen("link", True)
        one = self.current[dice.choice(sorted(self.current))]
        due = nearest(one, slot := dice.choice(one.slots), world.true_ms + interval_ms(slot.rrule) // 2)
        world.run(max(1, due.planned_ms - world.true_ms - dice.choice((300, 20_000))))
        happen("trust", False)
        world.run(dice.choice((1_000, 25_000, 60_000)))
        if dice.random() < 0.7:
            self.new_version(one.scope)
        happen("root", dice.choice((NEXT, DROP, REVOKE)))
        self._sign_anew()
        happen("trust", True)
        world.run(dice.choice((1_000, 60_000)))

    def _sign_anew(self) -> None:
        for scope in sorted(self.current):
            if self.dice.random() < 0.8:
                self.new_version(scope)
        if self.alerts and self.dice.random() < 0.7:
            self.warn()

    def steal(self) -> None:
        """A thief takes the centre's key, and speaks with it, until it is revoked; it speaks on then."""
        dice = self.dice
        self.timeline.happen("steal")
        for _ in range(dice.choice((1, 1, 2))):
            self.speak_as_thief()
            if dice.random() < 0.5:
                self._let_time_pass(DAY_MS)
        if dice.random() < 0.3:
            self.publish()
        if dice.random() < 0.8:
            self._step_root(REVOKE)
            self.speak_as_thief()

    def revoke_in_the_middle(self) -> None:
        """A thief speaks live, or has given a command, when his key is revoked; now and then under an alert."""
        dice, world = self.dice, self.world
        if world.roots is None:
            return
        self.timeline.happen("link", True)
        if self.alerts and dice.random() < 0.5:
            self.warn()
        key = world.roots.key
        self.timeline.happen("steal")
        ways = [Storm._relay_as_thief, Storm._slip_in_as_thief] if self.live else []
        ways += [Storm._order_as_thief] * 2 if self.orders else []
        for _ in range(dice.choice((1, 1, 2))):
            dice.choice(ways)(self, key)
        world.run(dice.choice((1, 500, 4_000)))
        self.timeline.happen("root", REVOKE)
        world.run(dice.choice((1, 3_000, 60_000)))
        if dice.random() < 0.3:
            dice.choice(MISFORTUNES_OF_ROOTS)(self)
        self._sign_anew()

    def speak_as_thief(self) -> None:
        """Something by a key that was stolen, revoked or not yet; all that has a version burns its numbers."""
        dice, world = self.dice, self.world
        stolen = [] if world.roots is None else sorted(world.roots.stolen)
        if not stolen:
            return
        ways = [Storm._publish_as_thief, Storm._publish_as_thief, Storm._lie_as_thief]
        ways += [Storm._warn_as_thief] * 2 if self.alerts else []
        ways += [Storm._relay_as_thief, Storm._forge_as_thief] if self.live else []
        ways += [Storm._order_as_thief] * 3 if self.orders else []
        dice.choice(ways)(self, dice.choice(stolen))

    def _warn_as_thief(self, key: str) -> None:
        dice, now_ms, name = self.dice, self.world.true_ms, f"w{self.dice.randrange(4)}"
        if name in self.warned:
            self.burned += 1
            fields = self.warned[name] | {"version": self.burned * 1_000, "sent": _utc(now_ms)}
            self.timeline.happen("alert", fields | {"expires": _utc(now_ms + dice.choice((60_000, DAY_MS)))}, key)

    def _lie_as_thief(self, key: str) -> None:
        for _ in range(self.dice.choice((1, 2, 3))):
            self.timeline.happen("centre", "beacon", GOOD_ORDER, 1, 1, 1, key)
            self.world.run(self.dice.choice((500, 7_000, 12_000, 60_000)))

    def _relay_as_thief(self, key: str) -> None:
        dice = self.dice
        name = dice.choice(("v0", "v1", "v2"))
        fields = {"scope": WARNED[int(name[1])], "id": name, "priority": 9, "zones": [], "until_ms": HOUR_MS}
        self.timeline.happen("live", fields, dice.choice((8_000, 60_000, 200_000)), key)
        self.world.run(dice.choice((400, 2_500, 7_000, 15_000)))

    def _slip_in_as_thief(self, key: str) -> None:
        """Among the words of a sender that has a newer key, while both count."""
        dice = self.dice
        self.timeline.happen("root", JOIN)
        self.world.run(dice.choice((1, 400)))
        name = dice.choice(("v0", "v1", "v2"))
        fields = {"scope": WARNED[int(name[1])], "id": name, "priority": 9, "zones": [], "until_ms": HOUR_MS}
        self.timeline.happen("live", fields, 20_000)
        for _ in range(dice.choice((2, 6))):
            self.world.run(dice.choice((300, 700, 2_000)))
            self.timeline.happen("live-turn", name, "forged", key, dice.choice((0, 0, 1)))

    def _forge_as_thief(self, key: str) -> None:
        for _ in range(self.dice.choice((1, 1, 3))):
            name, ahead = self.dice.choice(("v0", "v1", "v2")), self.dice.choice((0, 0, 1, 100_000))
            self.timeline.happen("live-turn", name, "forged", key, ahead)
            self.world.run(self.dice.choice((1, 400, 2_000)))

    def _order_as_thief(self, key: str) -> None:
        dice, world = self.dice, self.world
        name, fields = dice.choice(
            (
                ("stop", {}),
                ("volume", {"percent": 0, "until": _utc(world.true_ms + 6 * DAY_MS)}),
                ("volume", {"percent": 0, "until": _utc(world.true_ms + 6 * DAY_MS), "zone": "cho"}),
                ("test_tone", {"zone": "cho", "seconds": 20}),
                ("test_tone", {"zone": "cho", "seconds": 20}),
                ("restart", {}),
                ("restart", {}),
                ("log", {"lines": 5}),
                ("resend", {}),
            )
        )
        if name == "resend":
            self._say("command", GOOD_ORDER, key)
        else:
            self.timeline.happen("order", GOOD_ORDER, name, fields, key)
        world.run(dice.choice((400, 600, 3_000, 7_000)))

    def _publish_as_thief(self, key: str) -> None:
        dice, world, scope = self.dice, self.world, self.dice.choice(SCOPES)
        if scope not in self.current:
            return
        self.burned += 1
        slots = [self._changed(slot) for slot in self.current[scope].slots]
        version = dice.choice((MOST - 1_000 + self.burned, THIEFS + self.burned))
        document = replace(self._programme(scope, slots), version=version)
        for sha256 in sorted(audio_of(document) - world.cached):
            if dice.random() < 0.8:
                self.timeline.happen("audio", audio_name(sha256))
        self.timeline.happen("programme", fields_of(document), False, key)

    def name_what_is_in_force(self) -> None:
        """Beacons come one after the other; the broker has lost something of what they name, or holds roots back."""
        dice, world, happen = self.dice, self.world, self.timeline.happen
        happen("link", True)
        what = dice.choice(("programme", "programme", "alert", "root", "nothing"))
        happen("hold-roots" if what == "root" else "lose", what != "nothing")
        if what == "programme":
            self.new_version(SCOPES[0])
        elif what == "alert" and self.alerts:
            self.warn()
        elif what == "root":
            happen("root", dice.choice(STEPS))
        happen("lose", False)
        for _ in range(dice.choice((1, 2, 3, 4))):
            happen("centre", "beacon", dice.choice(WAYS), 1, 1, 1)
            world.run(dice.choice((500, 3_000, 20_000, 60_000)))
            if dice.random() < 0.2:
                dice.choice(MISFORTUNES_OF_ROOTS)(self)
        world.run(dice.choice((1_000, 60_000, 200_000)))
        happen("hold-roots", False)

    def bring_bad_root(self) -> None:
        """Something comes as a root that leads nowhere, or nowhere new."""
        self.timeline.happen("bad-root", self.dice.choice(BAD))

    def warn(self) -> None:
        """An alert, or what follows on one; most of what it says is there, and some of the rest comes later."""
        dice, name = self.dice, f"w{self.dice.randrange(4)}"
        before = self.warned.get(name)
        life_s = dice.choice((60, 600, 7_200, 86_400))
        now_ms = self.world.true_ms
        fields: dict[str, Any] = {
            "scope": WARNED[int(name[1])],
            "id": name,
            "version": (before["version"] if before else 0) + dice.choice((1, 1, 3)),
            "msg_type": dice.choice(("Alert", "Update", "Update", "Cancel")) if before else "Alert",
            "status": dice.choice(("Actual", "Actual", "Actual", "Exercise", "Test")),
            "severity": dice.choice(SEVERITIES),
            "urgency": dice.choice(URGENCIES),
            "sent": _utc(now_ms - dice.choice((0, 0, 5_000, 60_000))),
            "expires": _utc(now_ms + life_s * 1_000),
            "repeat_s": dice.choice((0, 0, max(60, life_s // dice.choice((2, 9))))),
            "languages": dice.choice((["vi"], ["vi", "kho"], ["kho", "vi"], ["en"])),
            "zones": dice.choice(([], [], ["cho"], ["dinh", "buon"], ["none"])),
            "tell_cancel": dice.random() < 0.5,
        }
        if dice.random() < 0.2:
            fields["effective"] = _utc(now_ms + dice.choice((-60_000, 10_000, 600_000)))
        if dice.random() < 0.1:
            fields["mute"] = ["cil"]
        self.warned[name] = fields
        names = [f"{name}.{fields['version']}.{language}" for language in fields["languages"]]
        late = [one for one in names if dice.random() < 0.2]
        for one in names:
            if one not in late:
                self.timeline.happen("audio", one)
        self.timeline.happen("alert", fields)
        if late and dice.random() < 0.5:
            self.world.run(dice.choice((100, 4_000, 100_000)))
            for one in late:
                self.timeline.happen("audio", one)

    def warn_badly(self) -> None:
        """What must not be heard: of a stranger, of a deputy who may not, old, bytes; or the very same once more."""
        dice, name = self.dice, f"w{self.dice.randrange(4)}"
        before = self.warned.get(name)
        if before is None:
            self.timeline.happen("refuse-alert", name)
            return
        newer = before | {"version": before["version"] + 1, "severity": "Extreme", "msg_type": "Alert"}
        one, signer = dice.choice(
            (
                (newer, STRANGER),
                (newer, DEPUTY),
                (newer | {"severity": "Moderate"}, DEPUTY),
                (newer | {"sender": "nobody@example"}, ""),
                (before | {"version": max(1, before["version"] - 1)}, ""),
                (before | {"severity": "Extreme" if before["severity"] != "Extreme" else "Minor"}, STRANGER),
                (before, ""),
            )
        )
        self.timeline.happen("alert", one, signer)

    def press_mute(self) -> None:
        """Somebody presses the mute key; now and then leans on it, or it is loose; misfortunes come in the middle."""
        dice, world = self.dice, self.world
        for _ in range(dice.choice((1, 1, 2, 2, 2, 3, 11))):
            self.timeline.happen("mute-key", True)
            world.run(dice.choice((50, 200, 200, 900, 29_000, 31_000)))
            if self.alerts and dice.random() < 0.3:
                self.warn()
            if dice.random() < 0.3:
                dice.choice(MISFORTUNES)(self)
            if dice.random() < 0.95:
                self.timeline.happen("mute-key", False)
            world.run(dice.choice((10, 100, 3_000, 20_000, 130_000, 2_000_000)))

    def mute_over(self) -> None:
        """Somebody presses it when a cue is about to air, is heard, or while a person speaks; now and then for good."""
        slots = [(one, slot) for one in self.current.values() for slot in one.slots]
        if slots:
            one, slot = self.dice.choice(slots)
            due = nearest(one, slot, self.world.true_ms + interval_ms(slot.rrule) // 2)
            moment_ms = self.dice.choice((-7_000, -1_000, -150, 1, 3_000, 10_000))
            self.world.run(max(1, due.planned_ms - self.world.true_ms + moment_ms))
        if self.microphone and self.dice.random() < 0.3:
            self.timeline.happen("key", self.dice.random() < 0.7)
        if self.dice.random() < 0.7:
            self.press_mute()
            return
        self.timeline.happen("mute-key", True)
        self.world.run(200)
        self.timeline.happen("mute-key", False)
        self.world.run(2_000_000)

    def lease(self) -> None:
        """Somebody has zones for a while, with the tone or in silence; something comes meanwhile, or he is gone."""
        dice, world = self.dice, self.world
        world.run(dice.choice((1, 60_000, 600_000)))
        for _ in range(dice.choice((1, 2, 3, 4))):
            self.leases += 1
            zones = dice.choice(([], ["cho"], ["cho"], ["dinh", "cho"], ["none"]))
            lease = (self.leases, zones, dice.choice(LEASE_SECONDS), dice.random() < 0.5, dice.random() < 0.3)
            self.timeline.happen("lease", *lease)
            world.run(dice.choice((100, 3_000, 7_000, 12_000)))
            if dice.random() < 0.4:
                dice.choice([one for one in self.happenings if one in OVER_TONES])(self)
                world.run(dice.choice((10, 900)))
            if dice.random() < 0.4:
                self.timeline.happen(*dice.choice((("lease-left", self.leases), ("tests-stop",))))
            world.run(dice.choice((1_000, 40_000)))

    def mute_by_command(self) -> None:
        """Somebody wants silence, and perhaps to hear it again before its time; misfortunes come in the middle."""
        dice, world = self.dice, self.world
        for _ in range(dice.choice((1, 1, 2))):
            self.timeline.happen("mute-asked", dice.choice((60_000, 600_000, 1_800_000)))
            world.run(dice.choice((10, 3_000, 50_000)))
            if self.alerts and dice.random() < 0.3:
                self.warn()
            if dice.random() < 0.4:
                dice.choice(MISFORTUNES)(self)
            world.run(dice.choice((10, 20_000, 130_000, 2_000_000)))
        if dice.random() < 0.5:
            self.timeline.happen("mute-asked", 0)

    def speak(self) -> None:
        """A person speaks, for a moment or for longer than the key may be held down; misfortunes come in the middle."""
        dice, world = self.dice, self.world
        self.timeline.happen("key", True)
        for _ in range(dice.choice((1, 1, 1, 2))):
            world.run(dice.choice((10, 90, 700, 2_500, 7_000, 15_000, 40_000)))
            if dice.random() < 0.5:
                dice.choice(MISFORTUNES)(self)
        world.run(dice.choice((1, 20, 700, 8_000)))
        if dice.random() < 0.9:
            self.timeline.happen("key", False)

    def speak_over(self) -> None:
        """A person speaks when a cue is about to air, or is heard."""
        slots = [(one, slot) for one in self.current.values() for slot in one.slots]
        if slots:
            one, slot = self.dice.choice(slots)
            due = nearest(one, slot, self.world.true_ms + interval_ms(slot.rrule) // 2)
            moment_ms = self.dice.choice((-7_000, -1_000, -150, 1, 3_000, 10_000))
            self.world.run(max(1, due.planned_ms - self.world.true_ms + moment_ms))
        self.speak()

    def turn_key(self) -> None:
        """Somebody leaves the key down, or finds that it is."""
        person = self.world.person
        self.timeline.happen("key", person is not None and not person.down)

    def unplug_input(self) -> None:
        """The sound input goes, or comes."""
        self.timeline.happen("input", self.world.faults.mute_input)

    def break_mixer(self) -> None:
        """The mixer's relay does not do as told, until a while after."""
        self.timeline.happen("break-relay", MICROPHONE)
        self.world.run(self.dice.choice((1_000, 10_000, 40_000)))
        self.timeline.happen("mend-relays")

    def relay(self) -> None:
        """A session begins, or is started anew; it speaks on by itself, and what can go wrong does in its middle."""
        dice, world = self.dice, self.world
        name = dice.choice(("v0", "v0", "v1", "v2", "v3"))
        fields: dict[str, Any] = {
            "scope": WARNED[int(name[1])],
            "id": name,
            "priority": dice.choice((0, 5, 5, 5, 6, 8, 9)),
            "zones": dice.choice(([], [], [], ["cho"], ["dinh", "buon"], ["none"])),
            "until_ms": dice.choice((8_000, 60_000, 600_000, HOUR_MS, HOUR_MS)),
        }
        if dice.random() < 0.15:
            fields["clock_ms"] = dice.choice((-60_000, -9_000, -4_000, 4_000, 300_000, 700_000))
        self.timeline.happen("live", fields, dice.choice((0, 1_000, 8_000, 20_000, 20_000, 60_000, 200_000)))
        for _ in range(dice.choice((1, 1, 2, 3))):
            world.run(dice.choice((10, 400, 2_500, 7_000, 15_000, 40_000)))
            roll = dice.random()
            if roll < 0.6:
                self.turn_relay(name)
            elif roll < 0.85:
                dice.choice(MISFORTUNES_OF_RELAYS)(self)
        world.run(dice.choice((1, 700, 8_000, 30_000)))

    def turn_relay(self, name: str = "") -> None:
        """Something becomes of a session, or is sent under its name."""
        dice = self.dice
        name = name or dice.choice(("v0", "v1", "v2", "v3"))
        how, *choices = dice.choice(TURNS)
        self.timeline.happen("live-turn", name, how, *(dice.choice(some) for some in choices))

    def relay_around(self) -> None:
        """A session begins around the instant of a cue, as often as not of one that names a live relay."""
        dice = self.dice
        slots = [(one, slot) for one in self.current.values() for slot in one.slots]
        naming = [pair for pair in slots if pair[1].live is not None]
        if slots:
            one, slot = dice.choice(naming if naming and dice.random() < 0.7 else slots)
            due = nearest(one, slot, self.world.true_ms + interval_ms(slot.rrule) // 2)
            moment_ms = dice.choice((-20_000, -7_000, -1_000, 1, 2_000, 2_900, 3_100, 10_000, 70_000))
            self.world.run(max(1, due.planned_ms - self.world.true_ms + moment_ms))
        self.relay()

    def listen(self) -> None:
        """A slot that names a stream comes: its radio speaks or does not, goes off and on, and misfortunes come."""
        dice, world, happen = self.dice, self.world, self.timeline.happen
        slots = [(one, slot) for one in self.current.values() for slot in one.slots if slot.stream is not None]
        if not slots:
            return
        one, slot = dice.choice(slots)
        speaks = dice.random() < 0.7
        happen("radio", slot.id, speaks)
        due = nearest(one, slot, world.true_ms + interval_ms(slot.rrule) // 2)
        moment_ms = dice.choice((-20_000, -7_000, -1_000, 1, 2_900, 3_100, 10_000, 50_000))
        world.run(max(1, due.planned_ms - world.true_ms + moment_ms))
        for _ in range(dice.choice((1, 2, 3, 4))):
            if dice.random() < 0.5:
                speaks = not speaks
                happen("radio", slot.id, speaks)
            else:
                dice.choice(MISFORTUNES_OF_RELAYS)(self)
            world.run(dice.choice((10, 400, 2_500, 4_000, 15_000, 40_000, 90_000)))

    def lose_link_for_a_moment(self) -> None:
        """What is said meanwhile is lost."""
        self.timeline.happen("link", False)
        self.world.run(self.dice.choice((300, 2_000, 3_500, 20_000)))
        self.timeline.happen("link", True)

    def lose_time_for_a_moment(self) -> None:
        """Nothing that comes meanwhile can be told from what was held back."""
        if self.timeline.setup.clock:
            return
        self.timeline.happen("trust", False)
        self.world.run(self.dice.choice((300, 2_000, 3_500, 20_000)))
        self.timeline.happen("trust", True)

    def mend_link(self) -> None:
        """The link is there, most of the time."""
        self.timeline.happen("link", True)

    def order(self) -> None:
        """A stop, a volume, or the log; soon after what is due, or at any time."""
        dice, world = self.dice, self.world
        for scope in SCOPES:  # in a short life each has a programme: what is refused of it is mended by the next one
            if scope not in self.current:
                self.new_version(scope)
        name = dice.choice(("stop", "stop", "volume", "volume", "log"))
        fields: dict[str, Any] = {}
        if name == "volume":
            until_ms = world.true_ms + dice.choice((60_000, 3_600_000, 86_400_000, 6 * 86_400_000))
            fields = {"percent": dice.choice((None, 0, 10, 55, 100)), "until": _utc(until_ms)}
            fields |= dice.choice(({}, {"zone": "cho"}, {"zone": "buon"}))
        if name == "log":
            fields = {"lines": 5}
        due_ms = world.station.programmes.next_instant()
        if due_ms is not None and world.powered and dice.random() < 0.7:
            world.run_until(due_ms + dice.choice((-3_000, 0, 300, 5_000, 20_000)))
        self.timeline.happen("order", dice.choice(WAYS), name, fields)

    def try_tone(self) -> None:
        """A test tone is ordered, once or again, and something comes while it is heard."""
        dice, world = self.dice, self.world
        world.run(dice.choice((1, 60_000, 600_000)))
        for _ in range(dice.choice((1, 1, 2))):
            fields = {"zone": dice.choice(("cho", "cho", "dinh", "buon", "none")), "seconds": dice.choice((1, 5, 20))}
            self.timeline.happen("order", dice.choice((*WAYS, GOOD_ORDER, GOOD_ORDER)), "test_tone", fields)
            world.run(dice.choice((100, 900, 3_000, 7_000, 12_000)))
        if dice.random() < 0.8:
            dice.choice([one for one in self.happenings if one in OVER_TONES])(self)

    def order_restart(self) -> None:
        """A restart is ordered, as often as not while something is heard; it may be sent again behind the start."""
        dice, world = self.dice, self.world
        due_ms = world.station.programmes.next_instant()
        if due_ms is not None and world.powered and dice.random() < 0.5:
            world.run_until(due_ms + dice.choice((-3_000, 300, 5_000, 20_000)))
        self.timeline.happen("order", dice.choice((*WAYS, GOOD_ORDER, GOOD_ORDER)), "restart", {})
        for _ in range(dice.choice((0, 1, 2))):
            world.run(dice.choice((10, 500, 3_000, 7_000)))
            if dice.random() < 0.3:
                self.timeline.happen("order", AGAIN, "restart", {})
            else:
                dice.choice([one for one in self.happenings if one in OVER_TONES])(self)

    def warn_over_restart(self) -> None:
        """A restart is answered, and an alert comes before the station leaves."""
        self.timeline.happen("order", GOOD_ORDER, "restart", {})
        self.world.run(self.dice.choice((700, 1_500, 3_000)))
        self.warn()
        self.world.run(self.dice.choice((1_000, 8_000)))

    def tell_noise(self) -> None:
        """Events that are no business of the air."""
        sha256 = self.dice.choice(self._files() or [recording("x", 1).sha256])
        self.timeline.happen("message", self.dice.randrange(len(MESSAGES)), audio_name(sha256))


def _utc(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms // 1_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Run:
    """What came of one seed: how much was lived through, and what was broken."""

    seed: int
    days: float
    events: int
    happenings: int
    setup: Setup
    text: str = ""
    failure: Failure | None = None
    happened: tuple[Happening, ...] = ()

    def shrunk(self, limit_s: float = SHRINK_S) -> str:
        """The happenings that matter, as text for a file in ``seeds``."""
        assert self.failure is not None
        setup, happenings = shrunk(self.setup, self.happened, self.failure, limit_s)
        return f"# {self.failure.text}\n{written(setup, happenings)}\n"


def lives_long(seed: int) -> bool:
    """Tell whether a seed has quiet days, and lives for years."""
    return random.Random(seed).choice((DAILY, INTERVALS)) != DAILY


def is_warned(seed: int) -> bool:
    """Tell whether a seed is lived with alerts where seeds are lived in masses: a quarter of them."""
    return seed % 5 == 3 or seed % 20 == 16 or seed % 40 in (14, 20)


def is_spoken_over(seed: int) -> bool:
    """Tell whether a seed is lived with a microphone where seeds are lived in masses: every tenth one; of those every
    other one with alerts, too.
    """
    return seed % 10 == 6 or seed % 40 == 34


def is_relayed(seed: int) -> bool:
    """Tell whether a seed is lived with live relays where seeds are lived in masses: every tenth one; of those every
    fourth one with alerts, too, and every fourth one with a microphone.
    """
    return seed % 10 == 4


def is_ordered_about(seed: int) -> bool:
    """Tell whether a seed is lived with commands where seeds are lived in masses: every tenth one, and some more with
    alerts.
    """
    return seed % 10 == 2 or seed % 40 == 3


def is_streamed(seed: int) -> bool:
    """Tell whether a seed is lived with radios where seeds are lived in masses: every twentieth one; of those every
    other one with alerts, too.
    """
    return seed % 20 == 0


def finds_out_the_time(seed: int) -> bool:
    """Tell whether a seed is lived with a clock of its own where seeds are lived in masses: every tenth one."""
    return seed % 10 == 8


def is_robbed(seed: int) -> bool:
    """Tell whether a seed is lived with roots that follow one another, and a thief who holds a key, where seeds are
    lived in masses: every sixth one of those with busy days, for beacons every few minutes make years too long.
    """
    return seed % 6 == 1 and not lives_long(seed)


def run(
    seed: int,
    actions: int = ACTIONS,
    also: Callable[[Timeline], None] | None = None,
    dense: bool = False,
    own_clock: bool = False,
    alerts: bool = False,
    microphone: bool = False,
    live: bool = False,
    orders: bool = False,
    streams: bool = False,
    trust: bool = False,
    muted: bool = False,
    supplies: bool = False,
    duty: bool = False,
    by_hand: bool = False,
) -> Run:
    """Run one seed, ``dense`` without quiet days, ``own_clock`` with a station that must find out the time, ``alerts``
    with warnings, ``microphone`` with somebody who speaks, ``live`` with live relays, ``orders`` with commands,
    ``streams`` with radios, ``trust`` with roots that follow one another and a thief who holds a key, ``muted`` with a
    mute key, ``supplies`` with zones that are heard in turns, ``duty`` with an amplifier that has to rest, ``by_hand``
    with somebody who has zones and silence for a while.

    ``also`` is done last, before two healthy days are judged.
    """
    hands = (muted, supplies, duty, by_hand)
    storm = Storm(seed, dense, own_clock, alerts, microphone, live, orders, streams, trust, *hands)
    text, broke = "", None
    try:
        storm.run(actions, also)
    except Exception as error:  # an assertion of the core, or worse
        tail = "\n".join(storm.world.trace[-TRACE_TAIL:])
        flags = {"dense": dense, "own-clock": own_clock, "alerts": alerts, "microphone": microphone, "live": live}
        flags["orders"] = orders
        flags["streams"] = streams
        flags |= {"trust": trust, "muted": muted, "supplies": supplies, "duty": duty, "by-hand": by_hand}
        kinds = [word for word, so in flags.items() if so]
        text = f"{tail}\nseed {seed}: {error!r}\nto replay: {' '.join([REPLAY, str(seed), *kinds])}"
        broke = failure(error, storm.timeline, storm.at_end)
    finally:
        storm.timeline.close()
    world, happened = storm.world, tuple(storm.timeline.happened)
    days = (world.mono_ms - BEGIN_MONO_MS) / DAY_MS
    return Run(seed, days, world.sent, len(happened), storm.timeline.setup, text, broke, happened if broke else ())


def main() -> None:
    """Replay one seed, or all from one to another; prints each story, and exits with 1 at the first.

    With ``dense`` behind it no station has quiet days; with ``own-clock`` each must find out the time by itself; with
    ``alerts`` each is warned now and then; with ``microphone`` each has one, and somebody speaks; with ``live`` each
    has live relays; with ``orders`` each hears commands; with ``streams`` slots name radios; with ``trust`` roots
    follow one another, and a thief holds a key; with ``muted`` somebody presses a mute key; with ``supplies`` zones are
    heard in turns; with ``duty`` the amplifier has to rest; with ``by-hand`` somebody has zones and silence for a
    while.
    """
    first, *upto = [int(word) for word in sys.argv[1:] if word.isdigit()]
    for seed in range(first, *(upto or [first + 1])):
        kinds: dict[str, Any] = {name: name.replace("_", "-") in sys.argv for name in KINDS}
        text = run(seed, **kinds).text
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
    Storm.lose_link,
    Storm.lose_link,
    Storm.upset_broker,
)
FROM_THE_CENTRE: tuple[Callable[[Storm], None], ...] = (Storm.hear_centre, Storm.hear_centre)
MUTES: tuple[Callable[[Storm], None], ...] = (Storm.press_mute, Storm.press_mute, *(Storm.mute_over,) * 4)
HANDS: tuple[Callable[[Storm], None], ...] = (*(Storm.lease,) * 8, Storm.mute_by_command, Storm.mute_by_command)
TALKS: tuple[Callable[[Storm], None], ...] = (
    Storm.speak,
    Storm.speak,
    Storm.speak_over,
    Storm.speak_over,
    Storm.turn_key,
    Storm.unplug_input,
)
ORDERS: tuple[Callable[[Storm], None], ...] = (
    Storm.order,
    Storm.order,
    Storm.order,
    Storm.try_tone,
    Storm.try_tone,
    Storm.try_tone,
    Storm.order_restart,
    Storm.order_restart,
)
MISFORTUNES: tuple[Callable[[Storm], None], ...] = (
    Storm.cut_power,
    Storm.restart,
    Storm.kill_player,
    Storm.kill_player,
    Storm.hang_player,
    Storm.unplug,
    Storm.unplug_input,
    Storm.break_mixer,
    Storm.step_clock,
    Storm.turn_key,
)
"""What comes while somebody speaks."""
RELAYS: tuple[Callable[[Storm], None], ...] = (
    Storm.relay,
    Storm.relay,
    Storm.relay_around,
    Storm.relay_around,
    Storm.relay_around,
    Storm.turn_relay,
    Storm.mend_link,
)
MISFORTUNES_OF_RELAYS: tuple[Callable[[Storm], None], ...] = (
    Storm.cut_power,
    Storm.restart,
    Storm.kill_player,
    Storm.kill_player,
    Storm.hang_player,
    Storm.unplug,
    Storm.step_clock,
    Storm.lose_link_for_a_moment,
    Storm.lose_link_for_a_moment,
    Storm.lose_time_for_a_moment,
    Storm.publish,
)
"""What comes while somebody speaks live."""
RADIOS: tuple[Callable[[Storm], None], ...] = (Storm.listen, Storm.listen, Storm.listen, Storm.listen, Storm.mend_link)
TURNS: tuple[tuple[Any, ...], ...] = (
    ("silent", (1_000, 2_900, 3_400, 5_000, 30_000, 700_000)),
    ("silent", (2_000, 4_000, 12_000)),
    ("stutters", (2_000, 10_000)),
    ("back", (1, 3, 20)),
    ("clock", (-30_000, -8_000, 5_000, 0)),
    ("last", (1,)),
    ("again", (1, 3, 30)),
    ("forged", (STRANGER, DEPUTY), (0, 1, 100_000)),
    ("bytes", (1,)),
    ("elsewhere", (1,)),
    ("crowd", (2, 9)),
)
"""What may become of a session, or be sent under its name, and what each is chosen from."""
ROOTS: tuple[Callable[[Storm], None], ...] = (
    Storm.follow_root,
    Storm.follow_root,
    Storm.follow_root_without_time,
    Storm.steal,
    Storm.steal,
    Storm.speak_as_thief,
    Storm.bring_bad_root,
    Storm.name_what_is_in_force,
    Storm.name_what_is_in_force,
    Storm.mend_link,
    Storm.mend_link,
)
THEFTS: tuple[Callable[[Storm], None], ...] = (Storm.revoke_in_the_middle, Storm.revoke_in_the_middle)
MISFORTUNES_OF_ROOTS: tuple[Callable[[Storm], None], ...] = (
    Storm.cut_power,
    Storm.cut_power,
    Storm.restart,
    Storm.lose_time_for_a_moment,
    Storm.lose_link_for_a_moment,
    Storm.kill_player,
    Storm.bring_bad_root,
    Storm.publish_badly,
)
"""What comes behind a new root, before all is signed anew."""
WARNINGS: tuple[Callable[[Storm], None], ...] = (Storm.warn, Storm.warn, Storm.warn, Storm.warn_badly)
OVER_TONES = (
    Storm.warn,
    Storm.speak,
    Storm.relay,
    Storm.order,
    Storm.step_clock,
    Storm.publish,
    Storm.cut_power,
    Storm.kill_player,
    Storm.restart,
)
"""What comes while a test tone is heard, or while a restart waits for its answer."""

if __name__ == "__main__":
    main()
