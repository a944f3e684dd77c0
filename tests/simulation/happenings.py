"""What can happen to a simulated station, as data: a list of it replays without dice, and can be cut shorter.

A list is written one happening a line, ``[instant, kind, argument, ...]``, the instant in milliseconds of the world's
monotonic clock, under a line that says what station it is. Any part of such a list can be replayed: what makes no sense
any more (a start of what runs already) does nothing.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from tests.core.material import DAY_MS, HOUR_MS, PROVINCE, SETTINGS, SILENCE, TEST_TONE, TONES, audio_of, recording, sha
from tests.simulation import centre
from tests.simulation.alerts import Authority, alert_of
from tests.simulation.centre import Centre
from tests.simulation.clocks import BEACONS, Clocks
from tests.simulation.leases import PERSON
from tests.simulation.live import Source
from tests.simulation.microphone import Person
from tests.simulation.mute import Hand
from tests.simulation.named import lied_by, named_by
from tests.simulation.radio import Radio, Streams
from tests.simulation.roots import Roots
from tests.simulation.rulebook import every_rule
from tests.simulation.rules import LOCAL, Due, Standing, interval_ms, is_quiet, nearest, relayed_as
from tests.simulation.shell import DEAF, GOOD, Card, Line, Violation
from tests.simulation.supplies import Spent, fed, resting
from tests.simulation.world import World
from ttcs_edge.core import events
from ttcs_edge.core.asrun import CUE_FAULTS
from ttcs_edge.core.documents import ACTIONS, Bulletin, Programme, Refused, Signed, Slot
from ttcs_edge.core.model import (
    AMPLIFIER,
    LIVE_PREFIX,
    MICROPHONE,
    MICROPHONE_PREFIX,
    Amplifier,
    AsRun,
    AsRunReason,
    Inlet,
    Microphone,
    Outcome,
    QuietHours,
    Scope,
    Sha256,
    StationSettings,
    Way,
    Zone,
    ZoneId,
)
from ttcs_edge.core.trust import utc_text

BEGIN_MS = round(datetime(2026, 11, 24, tzinfo=LOCAL).timestamp() * 1_000)
SCOPES = (PROVINCE, Scope("vn"))
MARGIN_MS = 2 * HOUR_MS
QUEUE_MINUTES = 60
SECONDS = (1, 20, 60, 61, 90, 180)
THIEFS = 1_000_000
"""From here on the versions of programmes are those that a thief burns."""
DATES = ("scope", "version", "issued", "expires")
LAST: dict[str, Any] = {
    "scope": PROVINCE,
    "id": "w9",
    "version": 1,
    "msg_type": "Alert",
    "status": "Actual",
    "severity": "Extreme",
    "urgency": "Immediate",
    "languages": ["vi", "kho"],
}
LAST_TALK_MS = 19_000
LAST_RELAY: dict[str, Any] = {"scope": PROVINCE, "id": "v9", "priority": 9, "zones": [], "until_ms": 60_000}
LAST_RELAY_MS = 15_000
HEALTHY = {None, AsRunReason.QUIET_HOURS, AsRunReason.PRE_EMPTED}
"""What may be told of a cue on a day on which nothing is broken."""
ZONES = (
    Zone(ZoneId("cho"), "Chợ", ("vi", "kho"), 100),
    Zone(ZoneId("dinh"), "Đình", ("vi",), 50),
    Zone(ZoneId("buon"), "Buôn", ("kho", "vi"), 80),
)
QUIET = (QuietHours(21 * 60, 5 * 60), QuietHours(11 * 60 + 1, 13 * 60), QuietHours(17 * 60, 17 * 60 + 31))
MESSAGES: tuple[Callable[[Sha256], events.Event], ...] = (
    lambda sha256: events.AudioFailed(sha256, "timeout", ()),
    lambda sha256: events.LinkChanged(False, "refused"),
    lambda sha256: events.LinkChanged(True, ""),
    lambda sha256: events.ConditionChanged("store-failing", "database", True),
    lambda sha256: events.ConditionChanged("store-failing", "database", False),
    lambda sha256: events.SoundProgress(999, 1, -20.0, -6.0, 0),
)
"""Events that are no business of the air."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What station it is: its parts, its clock, how slow its card and player are, and the seed of its physics."""

    seed: int = 0
    zones: int = 2
    warm_up_ms: int = 2_000
    hold_ms: int = 10_000
    quiet_hours: int = 0
    zone_stagger_ms: int = 200
    fade_out_ms: int = 500
    disk_ms: int = 0
    start_ms: int = 0
    progress_ms: int = 0
    heartbeat_s: int = 3_600
    group_ms: int = 0
    shell: bool = False
    clock: str = ""
    battery_ppm: int = 0
    alerts: bool = False
    at_once: int = 1
    microphone: str = ""
    talk_zones: int = 1
    talk_most_ms: int = 60_000
    talk_percent: int = 100
    talk_in_quiet_hours: bool = False
    live: bool = False
    orders: bool = False
    streams: bool = False
    trust: bool = False
    mute_most_ms: int = 0
    zones_most: int = 0
    duty_ms: int = 0
    by_hand: bool = False

    def settings(self) -> StationSettings:
        """The same as the core wants it."""
        zones = ZONES[: self.zones]
        bare = replace(
            SETTINGS,
            zones=zones,
            amplifier=Amplifier(self.warm_up_ms, self.hold_ms),
            quiet_hours=QUIET[: self.quiet_hours],
            zone_stagger_ms=self.zone_stagger_ms,
            alert_zones_at_once=self.at_once,
            fade_out_ms=self.fade_out_ms,
            heartbeat_s=self.heartbeat_s,
            microphone=self._microphone(zones) if self.microphone else None,
            mute_most_ms=self.mute_most_ms or None,
        )
        borne = fed(bare, self.zones_most) if self.zones_most else bare
        return resting(borne, self.duty_ms) if self.duty_ms else borne

    def _microphone(self, zones: tuple[Zone, ...]) -> Microphone:
        spoken_to = tuple(zone.id for zone in zones[-self.talk_zones :])
        inlet = Inlet(Way(self.microphone), self.talk_most_ms)
        return Microphone(spoken_to, inlet, self.talk_percent, self.talk_in_quiet_hours)


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happens: when, what, and with which arguments (plain JSON)."""

    mono_ms: int
    kind: str
    args: tuple[Any, ...] = ()


def written(setup: Setup, happenings: Iterable[Happening]) -> str:
    """A list as text, to be kept in a file."""
    lines = [json.dumps(asdict(setup))]
    lines += [json.dumps([one.mono_ms, one.kind, *one.args], ensure_ascii=False) for one in happenings]
    return "\n".join(lines)


def read(text: str) -> tuple[Setup, list[Happening]]:
    """The other way round; lines that begin with ``#`` are the story."""
    first, *rest = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    lists = [json.loads(line) for line in rest]
    return Setup(**json.loads(first)), [Happening(one[0], one[1], tuple(one[2:])) for one in lists]


def bulletin_of(name: str, edition: int = 0, expires: str | None = None) -> Bulletin:
    """The same recordings in every version that has the same edition: in Vietnamese, some also in K'Ho."""
    spoken = f"{name}.{edition}" if edition else name
    dice = random.Random(spoken)
    audio = [recording(f"{spoken}.vi", dice.choice(SECONDS))]
    if dice.random() < 0.5:
        audio.append(recording(f"{spoken}.kho", dice.choice(SECONDS), "kho"))
    return Bulletin(id=name, title=name, audio=tuple(audio), expires=expires)


def programme_of(fields: dict[str, Any]) -> Programme:
    """A programme of its fields; its bulletins follow from their names."""
    slots = msgspec.convert(fields["slots"], tuple[Slot, ...])
    standing = tuple(fields.get("standing", ()))
    names = dict.fromkeys([*(name for slot in slots for name in slot.bulletins), *standing])
    editions, expiries = fields.get("editions", {}), fields.get("expiries", {})
    return Programme(
        bulletins=tuple(bulletin_of(name, editions.get(name, 0), expiries.get(name)) for name in names),
        slots=slots,
        standing=standing,
        time_zone="Asia/Ho_Chi_Minh",
        **{name: fields[name] for name in DATES},
    )


def fields_of(programme: Programme) -> dict[str, Any]:
    """The fields that make a programme again."""
    fields = {name: getattr(programme, name) for name in DATES}
    editions = {one.id: edition for one in programme.bulletins if (edition := edition_of(one))}
    expiries = {one.id: one.expires for one in programme.bulletins if one.expires}
    others = {"editions": editions, "expiries": expiries, "standing": list(programme.standing)}
    fields |= {name: value for name, value in others.items() if value}
    return fields | {"slots": msgspec.to_builtins(programme.slots)}


def edition_of(bulletin: Bulletin) -> int:
    """Which edition of its recordings a bulletin has."""
    parts = audio_name(bulletin.audio[0].sha256).split(".")
    return int(parts[1]) if len(parts) == 3 else 0


def audio_name(sha256: str) -> str:
    """The name that a recording of these worlds has its hash of."""
    digits = sha256.rstrip("0")
    return bytes.fromhex(digits + "0" * (len(digits) % 2)).decode()


class Timeline:
    """A world, and what happens to it, one happening after another; each is remembered."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.world = World(setup.settings(), BEGIN_MS, set(), setup.seed, every_rule())
        self.world.faults.disk_ms = setup.disk_ms
        self.world.faults.start_ms = setup.start_ms
        self.world.progress_ms = setup.progress_ms
        self.world.group_ms = setup.group_ms
        if setup.shell:
            self.world.card = Card(self.world.settings.id)
            self.world.line = Line(self.world)
        if setup.clock or setup.orders or setup.trust:
            self.world.centre = Centre(self.world, steady=setup.clock == BEACONS)
            self.world.centre.named, self.world.centre.lied = named_by, lied_by
        if setup.orders:
            self.world.cached.add(TEST_TONE.sha256)
        if setup.by_hand:
            self.world.cached |= {TEST_TONE.sha256, SILENCE.sha256}
        if setup.clock:
            self.world.clocks = Clocks(self.world, setup.clock, setup.battery_ppm)
        if setup.alerts:
            self.world.authority = Authority(self.world)
            self.world.cached |= {tone.sha256 for _, tone in TONES}
        if setup.microphone:
            self.world.person = Person(self.world)
        if setup.mute_most_ms:
            self.world.hand = Hand(self.world)
        if setup.live:
            self.world.source = Source(self.world)
        if setup.streams:
            self.world.radio = Radio(self.world)
        if setup.trust:
            self.world.roots = Roots(self.world)
        self.current: dict[Scope, Programme] = {}
        self.happened: list[Happening] = []
        self.loses = False

    def happen(self, kind: str, *args: Any) -> None:
        """Something happens now. Raises Violation."""
        self.happened.append(Happening(self.world.mono_ms, kind, args))
        KINDS[kind](self, *args)

    def replay(self, happenings: Iterable[Happening]) -> None:
        """Each at its instant, or at once when what came before has lasted beyond it. Raises Violation."""
        for one in happenings:
            self.world.run(max(0, one.mono_ms - self.world.mono_ms))
            self.happen(one.kind, *one.args)

    # power and process

    def power_on(self) -> None:
        """The power comes, or the service is started again."""
        if not self.world.powered:
            self.world.power_on()

    def stop(self) -> None:
        """The service is stopped."""
        if self.world.powered:
            self.world.stop()

    # the link

    def link(self, up: bool) -> None:
        """The link to the broker comes or goes."""
        line = self.world.line
        if line is not None and self.world.powered and line.up is not up:
            line.connect(up)
            self.world.send(events.LinkChanged(up, "" if up else "refused"))

    def broker(self, mode: str) -> None:
        """The broker behaves, or not."""
        line = self.world.line
        if line is not None:
            before, line.mode = line.mode, mode
            if before == DEAF and line.up and self.world.powered:
                line.connect(True)  # what it never acknowledged it has forgotten, and the connection with it

    def close(self) -> None:
        """Throw away what lies on a card."""
        if self.world.card is not None:
            self.world.card.close()

    # the clocks, and the centre

    def step_clock(self, by_ms: int) -> None:
        """The wall clock is set; where there is none to be set, the sources of time decide."""
        if self.world.clocks is None:
            self.world.step_clock(by_ms)

    def ntp(self, good: bool) -> None:
        """NTP comes or goes."""
        if self.world.clocks is not None and self.world.powered:
            self.world.clocks.synchronise(good)

    def battery(self, empty: bool) -> None:
        """The battery of the clock is empty, or replaced."""
        if self.world.clocks is not None:
            self.world.clocks.empty(empty)

    def hear(self, kind: str, way: str, journal: int = 1, first: int = 1, last: int = 1, thief: str = "") -> None:
        """A beacon or a command comes, or something that is none."""
        if self.world.centre is not None and self.world.powered:
            self.world.centre.send(kind, way, (journal, first, last), thief=thief)

    def order(self, way: str, name: str, fields: dict[str, Any], thief: str = "") -> None:
        """A command comes that asks for something else than reports."""
        if self.world.centre is not None and self.world.powered:
            action = {name: msgspec.convert(fields, ACTIONS[name])}
            self.world.centre.send("command", way, action=action, thief=thief)

    def hold(self, held: bool) -> None:
        """The broker holds back what the centre says, or lets it go."""
        if self.world.centre is not None:
            self.world.centre.hold(held)

    # whose keys count

    def root(self, how: str) -> None:
        """The centre's next root is approved."""
        if self.world.roots is not None:
            self.world.roots.step(how)

    def bad_root(self, how: str) -> None:
        """Something comes as a root that is none, or leads nowhere."""
        if self.world.roots is not None:
            self.world.roots.misbehave(how)

    def hold_roots(self, held: bool) -> None:
        """The broker holds roots back, or lets them go."""
        if self.world.roots is not None:
            self.world.roots.hold(held)

    def steal(self) -> None:
        """A thief has the key with which the centre signs."""
        if self.world.roots is not None:
            self.world.roots.steal()

    # what breaks

    def kill_player(self, back_after_ms: int) -> None:
        """The player dies; its replacement is up after a while."""
        self.world.faults.player_slow_ms = back_after_ms
        self.world.kill_player()

    def trust(self, trusted: bool) -> None:
        """The clock can be believed, or not."""
        if self.world.clocks is None:
            self.world.trusted = trusted

    def break_relay(self, subject: str) -> None:
        """A relay does not do as told from now on; only one that is open, which is how they fail."""
        world = self.world
        others = {AMPLIFIER: world.amplifier_on_ms is not None, MICROPHONE: world.mixer_closed}
        if not others.get(subject, subject in world.closed):
            world.faults.relays.add(subject)

    def mend_relays(self) -> None:
        """All relays do as told again."""
        self.world.faults.relays.clear()

    def device(self, works: bool) -> None:
        """The sound device is pulled out, or plugged in."""
        if works is self.world.faults.device:
            self.world.mend_device() if works else self.world.fail_device()

    # who speaks

    def key(self, down: bool) -> None:
        """The key of the microphone is held down, or let go."""
        if self.world.person is not None:
            self.world.person.hold(down)

    def mute_key(self, down: bool) -> None:
        """The mute key goes down, or up."""
        if self.world.hand is not None:
            self.world.hand.hold(down)

    def lease(self, number: int, zones: list[str], seconds: int, silent: bool, now: bool) -> None:
        """Somebody wants zones for a while."""
        named = tuple(map(ZoneId, zones))
        self.world.send(events.LeaseAsked(number, named, seconds * 1_000, silent, now, PERSON))

    def mute_asked(self, length_ms: int) -> None:
        """Somebody wants the station silent for so long, or heard again (0)."""
        self.world.send(events.MuteAsked(length_ms, PERSON))

    def input(self, works: bool) -> None:
        """The sound input is unplugged, or plugged in."""
        if works:
            self.world.faults.mute_input = False
        else:
            self.world.mute_input()

    # what comes live

    def live(self, fields: dict[str, Any], lasts_ms: int, thief: str = "") -> None:
        """A session begins, or is started anew, and speaks on by itself."""
        if self.world.source is not None:
            self.world.source.begin(fields, lasts_ms, thief)

    def live_turn(self, name: str, how: str, *args: Any) -> None:
        """Something becomes of a session, or is sent under its name."""
        if self.world.source is not None:
            self.world.source.turn(name, how, *args)

    def radio(self, slot: str, speaks: bool) -> None:
        """The radio of a slot goes off the air, or on."""
        if self.world.radio is not None:
            self.world.radio.turn(slot, speaks)

    # files

    def audio(self, name: str) -> None:
        """A recording is whole in the folder."""
        self.world.store_audio(sha(name)) if self.world.powered else self.world.cached.add(sha(name))

    def spoil(self, name: str, how: str) -> None:
        """A file rots, proves to be no audio, or ends early."""
        faults = self.world.faults
        {"rots": self.world.lose_audio, "not-audio": faults.not_audio.add, "short": faults.short.add}[how](sha(name))

    def mend_files(self) -> None:
        """What was wrong with files is over; what was believed to be no audio comes anew, and is tried again."""
        mended = sorted(self.world.faults.not_audio & self.world.cached)
        self.world.faults.not_audio.clear()
        self.world.faults.short.clear()
        for sha256 in mended if self.world.powered else ():
            self.world.store_audio(sha256)

    # documents

    def programme(self, fields: dict[str, Any], newest: bool = True, signer: str = "") -> None:
        """A programme arrives; ``newest`` is the one that the publisher means to be in force."""
        document, lost = programme_of(fields), self.loses and newest
        if newest:
            self.current[document.scope] = document
            self.world.retained[document.scope] = len(self.world.letters) + 1
        if lost:
            self.world.lose(document)
        else:
            self.world.publish(document, *([signer] if signer else []))

    def alert(self, fields: dict[str, Any], signer: str = "") -> None:
        """A message of an alert is published."""
        if self.world.authority is not None:
            self.world.authority.publish(alert_of(fields), signer, lost=self.loses and not signer)

    def lose(self, loses: bool) -> None:
        """The broker retains what comes from now on, and does not bring it before it is asked for; or does again."""
        self.loses = loses

    def refuse_alert(self, name: str) -> None:
        """Bytes arrive on the topic of an alert that are none."""
        if self.world.authority is not None:
            self.world.authority.refuse(name)

    def refuse(self, scope: str) -> None:
        """Bytes arrive that are no document."""
        self.world.refuse(Refused("not-utf8", scope, (("found", "byte 3"),)), scope)

    def message(self, number: int, name: str) -> None:
        """An event that is no business of the air."""
        self.world.send(MESSAGES[number](sha(name)))

    # the end

    def finish(self, also: Callable[[Timeline], None] | None = None) -> None:
        """Everything is mended, two days pass, and everything that was due is accounted for. Raises Violation."""
        self._mend_everything()
        if also is not None:
            also(self)
        self.world.run(2 * DAY_MS)
        if self.world.person is not None:
            self._speak_at_last()
        if self.world.source is not None:
            self._relay_at_last()
        if self.world.roots is not None and self.world.centre is not None:
            self.world.centre.send("beacon", centre.GOOD)
            self.world.run(5_000)
        self._account()
        if self.world.line is not None:
            self.world.line.ask_again()
            self.world.run(HOUR_MS)
            self.world.line.lose_the_last(3)
            self.world.run(HOUR_MS)
            if self.setup.duty_ms and self.world.line.account():  # a rest may have ended just now
                self.world.run(10_000)
            if wrong := self.world.line.account():
                raise Violation(f"never-5: {wrong}")

    def _mend_everything(self) -> None:
        world = self.world
        self.loses = False
        self.power_on()
        world.faults.relays.clear()
        self.mend_files()
        world.faults.disk_ms, world.faults.player_slow_ms = 0, 500
        self.trust(True)
        if world.clocks is not None:
            world.clocks.mend()
        if world.roots is not None:
            self.link(True)
            world.roots.settle()
        self.device(True)
        self.key(False)
        self.mute_key(False)
        if self.setup.by_hand:
            self.mute_asked(0)
        self.input(True)
        if world.supply is not None:
            world.supply.mend()
        if world.source is not None:
            world.source.fall_silent()
        if world.radio is not None:
            world.radio.silent.clear()
        for scope in sorted(self.current):
            version = max(world.floor_of(scope), *(self._versions(scope))) + 1
            lasting = tuple(replace(one, expires=None) for one in self.current[scope].bulletins)
            year = replace(self.current[scope], version=version, expires="2037-11-24T00:00:00Z", bulletins=lasting)
            self.current[scope] = year
            world.retained[scope] = len(world.letters) + 1
            world.publish(year)
        every = [one.programme.document for one in world.letters if isinstance(one.programme, Signed)]
        for sha256 in sorted(audio_of(*every)):  # that of earlier editions too
            world.store_audio(sha256)
        self.broker(GOOD)
        self.link(True)
        world.send(events.LinkChanged(True, ""))
        world.send(events.ConditionChanged("store-failing", "database", False))
        self.hold(False)
        if world.authority is not None:
            self._warn_at_last(world.authority)
        if world.centre is not None:
            for kind in ("beacon", "command"):
                world.centre.send(kind, centre.GOOD)

    def _warn_at_last(self, authority: Authority) -> None:
        """Everything is called off, and then one alert comes that must be heard."""
        sent, expires = (utc_text(self.world.true_ms + ms) for ms in (0, DAY_MS))
        for cancel in authority.cancels(sent, expires):
            authority.publish(cancel)
        for name in LAST["languages"]:
            self.audio(f"{LAST['id']}.1.{name}")
        authority.publish(alert_of(LAST | {"sent": sent, "expires": expires}))

    def _speak_at_last(self) -> None:
        """All is well: who speaks is heard, now, whatever is due, unless it is quiet."""
        world = self.world
        while is_quiet(world.settings, world.wall_ms) or is_quiet(world.settings, world.wall_ms + LAST_TALK_MS):
            world.run(HOUR_MS)
        told = len(world.disk.as_run)
        self.key(True)
        world.run(LAST_TALK_MS)
        self.key(False)
        world.run(LAST_TALK_MS)
        talks = [one for one in world.disk.as_run[told:] if one.occurrence.slot.startswith(MICROPHONE_PREFIX)]
        if [one.outcome for one in talks] != [Outcome.AIRED]:
            raise Violation(f"all is well, but who speaks at last is told as {talks}")

    def _relay_at_last(self) -> None:
        """All is well: what is said live is heard, unless something of a higher class is."""
        world = self.world
        streams = [rule for rule in world.rules if isinstance(rule, Streams)]
        while (
            is_quiet(world.settings, world.wall_ms)
            or is_quiet(world.settings, world.wall_ms + 2 * LAST_RELAY_MS)
            or any(rule.busy(world) for rule in streams)  # one of the same priority would keep the air
        ):
            world.run(HOUR_MS)
        told = len(world.disk.as_run)
        self.live(LAST_RELAY, LAST_RELAY_MS)
        world.run(2 * LAST_RELAY_MS)
        relays = [one for one in world.disk.as_run[told:] if one.occurrence.slot.startswith(LIVE_PREFIX)]
        if [one.outcome for one in relays] != [Outcome.AIRED]:
            raise Violation(f"all is well, but what is said live at last is told as {relays}")
        world.run(HOUR_MS)  # what had to wait for it is heard

    def _versions(self, scope: str) -> Iterator[int]:
        yield 0
        for one in self.happened:
            if one.kind == "programme" and one.args[0]["scope"] == scope and one.args[0]["version"] < THIEFS:
                yield one.args[0]["version"]

    def _account(self) -> None:
        """Everything that was due is told; on the healthy days, as aired unless a rule of the air kept it off."""
        world = self.world
        standing = next(rule for rule in world.rules if isinstance(rule, Standing))
        spent = next(rule for rule in world.rules if isinstance(rule, Spent))
        if lost := [letter.delivery for letter in world.letters if not letter.acknowledged and not letter.lost]:
            raise Violation(f"decision 1: the broker was never told that the messages {lost} are dealt with")
        told = {(receipt.event, receipt.state) for receipt in world.disk.receipts}
        if world.authority is not None and (LAST["id"], "heard") not in told:
            raise Violation(f"all is well, but the last alert is not heard: {world.disk.receipts[-3:]}")
        if world.roots is not None and (open_ones := world.roots.open()):
            raise Violation(f"decision 1: the broker was never told that the roots {open_ones} are dealt with")
        if world.centre is not None and (open_ones := world.centre.open()):
            raise Violation(f"decision 1: the broker was never told that {open_ones} of the centre are dealt with")
        records = {record.occurrence: record for record in world.disk.as_run}
        healthy_ms = world.wall_ms - 2 * DAY_MS + MARGIN_MS
        for due in self._owed(standing):
            if due.occurrence not in records:
                raise Violation(f"never-5: {due.occurrence} is forgotten")
            record = records[due.occurrence]
            unspoken = relayed_as(due.slot) is not None and record.reason is AsRunReason.LIVE_LOST
            resting = self.setup.duty_ms and record.reason is AsRunReason.AMPLIFIER_REST
            if due.planned_ms >= healthy_ms and record.reason not in HEALTHY and not (unspoken or resting):
                raise Violation(f"all is well, but {due.occurrence} is told as {record.outcome} {record.reason}")
            waits = bool(self.setup.duty_ms)  # for an amplifier that rests, into the night
            if record.reason is AsRunReason.QUIET_HOURS and not (waits or self._may_be_quiet(due.planned_ms)):
                raise Violation(f"air-5: {due.occurrence} is off for quiet hours that are not there")
        whole_ms = {r.occurrence.slot: r.end_ms or 0 for r in world.disk.as_run if r.reason is None}
        used_ms = {name: r.end_ms or 0 for r in world.disk.as_run for name in _used(r) if r.start_ms}
        left = []
        for fault in world.disk.faults.values():
            mended_ms = (
                whole_ms.get(fault.subject.split("#")[-1], 0) if fault.code in CUE_FAULTS else fault.raised_ms + 1
            )
            if fault.code == "relay":  # what nobody has used since may still be broken
                mended_ms = used_ms.get(fault.subject, 0)
            rests = self.setup.duty_ms and fault.code in ("amplifier-rest", "silence")
            if rests and spent.used_ms(world, world.mono_ms):  # it is so
                mended_ms = 0
            hopeless = fault.subject in SCOPES and fault.subject not in self.current  # nothing good ever came there
            if mended_ms > fault.raised_ms and not hopeless:
                left.append((fault.code, fault.subject))
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
                    due = nearest(programme, slot, due.planned_ms + interval_ms(slot.rrule))

    def _may_be_quiet(self, planned_ms: int) -> bool:
        minutes = range(-QUEUE_MINUTES, QUEUE_MINUTES + 1)  # clocks are set back, cues queue
        return any(is_quiet(self.world.settings, planned_ms + minute * 60_000) for minute in minutes)


def _used(record: AsRun) -> tuple[str, ...]:
    """What did as told when something was heard."""
    spoken = record.occurrence.slot.startswith(MICROPHONE_PREFIX)
    return (AMPLIFIER, *([MICROPHONE] if spoken else []), *record.zones)


KINDS: dict[str, Callable[..., None]] = {
    "power-on": Timeline.power_on,
    "power-off": lambda timeline: timeline.world.power_off(),
    "stop": Timeline.stop,
    "kill-player": Timeline.kill_player,
    "hang-player": lambda timeline: timeline.world.hang_player(),
    "step-clock": Timeline.step_clock,
    "trust": Timeline.trust,
    "ntp": Timeline.ntp,
    "battery": Timeline.battery,
    "centre": Timeline.hear,
    "hold": Timeline.hold,
    "root": Timeline.root,
    "bad-root": Timeline.bad_root,
    "hold-roots": Timeline.hold_roots,
    "steal": Timeline.steal,
    "lose": Timeline.lose,
    "order": Timeline.order,
    "break-relay": Timeline.break_relay,
    "mend-relays": Timeline.mend_relays,
    "device": Timeline.device,
    "key": Timeline.key,
    "mute-key": Timeline.mute_key,
    "lease": Timeline.lease,
    "lease-left": lambda timeline, number: timeline.world.send(events.LeaseLeft(number)),
    "tests-stop": lambda timeline: timeline.world.send(events.TestsStopped(PERSON)),
    "mute-asked": Timeline.mute_asked,
    "input": Timeline.input,
    "live": Timeline.live,
    "live-turn": Timeline.live_turn,
    "radio": Timeline.radio,
    "audio": Timeline.audio,
    "spoil": Timeline.spoil,
    "mend-files": Timeline.mend_files,
    "programme": Timeline.programme,
    "refuse": Timeline.refuse,
    "alert": Timeline.alert,
    "refuse-alert": Timeline.refuse_alert,
    "message": Timeline.message,
    "link": Timeline.link,
    "broker": Timeline.broker,
    "calm": lambda timeline: None,
}
"""What can happen, by the name that it has in a list."""
