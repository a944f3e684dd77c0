"""Composition: what a station is made of, in the order in which it comes up and goes down.

Up: relays open, before anything else (never-2), the player and the store on their way (``__main__``); core; control
socket; and once what the start brought is handled, the link. READY is told by the core, once pins, audio, store and
schedule are live, whether or not the broker answers. Down: the core fades and opens everything, then the parts are
closed; whatever happens on the way, the relays are opened last of all.
"""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sdnotify
import structlog
from msgspec import structs

from ttcs_edge import __version__
from ttcs_edge.core import effects
from ttcs_edge.core.documents import TrustRoot
from ttcs_edge.core.events import (
    AudioStored,
    ClockChanged,
    ConditionChanged,
    Event,
    LinkChanged,
    MeterFailed,
    MeterRead,
    RelayFailed,
    Started,
    StopRequested,
    TimePassed,
)
from ttcs_edge.core.model import AudioItem, MeterReading
from ttcs_edge.core.station import Station
from ttcs_edge.daemon.beginning import TrustError, load_trust, restored, root_in_force, started, time_floor
from ttcs_edge.daemon.carried import Carried
from ttcs_edge.daemon.control import Control
from ttcs_edge.daemon.handlers import Handlers, SoundDesk
from ttcs_edge.daemon.hands import Hands
from ttcs_edge.daemon.health import Health
from ttcs_edge.daemon.keyring import Keyring
from ttcs_edge.daemon.logs import configure
from ttcs_edge.daemon.looking_back import LookingBack
from ttcs_edge.daemon.loop import Loop
from ttcs_edge.daemon.modem import modem_watch
from ttcs_edge.daemon.panel import Panel
from ttcs_edge.daemon.renewing import Renewing
from ttcs_edge.daemon.replies import Replies
from ttcs_edge.daemon.speaking import Speaking
from ttcs_edge.daemon.walking import Walking
from ttcs_edge.drivers.canary import Canary
from ttcs_edge.drivers.clock import StationClock, time_devices
from ttcs_edge.drivers.clock_set import watch_clock
from ttcs_edge.drivers.host import SystemHost
from ttcs_edge.drivers.journal import SystemJournal
from ttcs_edge.drivers.meter import Pzem
from ttcs_edge.drivers.player import PlayerProcess
from ttcs_edge.drivers.relays import Relays
from ttcs_edge.drivers.rs485 import Bus, BusError
from ttcs_edge.drivers.speech import Voices
from ttcs_edge.link.audio import AudioLink
from ttcs_edge.link.control import ControlServer
from ttcs_edge.link.fetcher import Fetcher
from ttcs_edge.link.mqtt import BrokerLink
from ttcs_edge.link.precedence import Precedence
from ttcs_edge.link.stream import Streams
from ttcs_edge.settings import BoxSettings, Config, PowerSettings
from ttcs_edge.store.blobs import BlobError, Blobs
from ttcs_edge.store.database import Database
from ttcs_edge.store.in_memory import Opened
from ttcs_edge.store.lives import Lives
from ttcs_edge.store.migration import NewerDatabaseError
from ttcs_edge.store.outbox import Outbox
from ttcs_edge.store.recorder import Recorder
from ttcs_edge.store.spoken import SpokenStore
from ttcs_edge.tones import PILOT, SILENCE, built_in, item_of
from ttcs_edge.wire import reports
from ttcs_edge.wire.envelope import decoded

if TYPE_CHECKING:
    from ttcs_edge.daemon.monitoring import Monitoring
    from ttcs_edge.daemon.surroundings import Surroundings

SWITCH_S = 0.000_1
"""How long one thread waits for the interpreter while another is busy, once the station runs: an alert goes through
four threads while a programme of ten thousand slots is read on a fifth.
"""
CLOSE_S = 1.0
"""How long each part may take to close."""
_log = structlog.get_logger()


class Daemon:
    """The running parts of one station."""

    def __init__(
        self,
        config: Config,
        config_file: Path,
        relays: Relays,
        player: PlayerProcess,
        opening: Future[Opened],
        bus: Bus | None = None,
    ) -> None:
        self.config = config
        self.bus = bus
        self.monitoring: Monitoring | None = None
        self.meter = None if bus is None or config.meter_unit is None else Pzem(bus, config.meter_unit)
        self.relays = relays
        self.player = player
        self.clock = StationClock(config.clock)
        self.notifier = sdnotify.SystemdNotifier()
        anchor = load_trust(config.trust_folder, self.clock.now())
        opened = opening.result()
        database = opened.database
        trust = root_in_force(anchor, database.roots())
        station_id = config.station.id
        self.station = Station(config.station, database.boot)
        self.loop = Loop(self.station, self.clock.now, lambda: self.notifier.notify("WATCHDOG=1"), self._clock_news)
        post = self.loop.post
        tones, test_tone, files = built_in()
        self.blobs = Blobs(config.state_folder / "blobs", config.store, files)
        self.first = self._remembered(database, trust, tones, test_tone)
        self._tell_of_the_card(opened.in_memory)
        self.outbox = Outbox(database.path, self._known_ms)
        self.boot = database.boot
        self.sound = SoundDesk(self.blobs, self.player, post, (item for _, item in tones))
        self.keyring = Keyring(trust)
        self.renewing = Renewing(config.broker, station_id, self.clock.now, post)
        precedence = Precedence()
        give_way = precedence.give_way
        readers = structs.replace(self.keyring.readers(give_way), certificate=self.renewing.read)
        self.link = BrokerLink(
            config.broker,
            station_id,
            config.station.scope,
            self._status,
            self.outbox,
            readers,
            self._post_from_link,
            precedence=precedence,
        )
        self.recorder = Recorder(database, station_id, post, give_way)
        self.replies = Replies(station_id, self.link, SystemJournal(), config_file, self.clock.now, post)
        self.audio = AudioLink(config.broker, station_id, self.link.up, give_way)
        self.fetcher = Fetcher(self.blobs, BlobError, self.audio, config.https, post, give_way)
        self.streams = Streams(config.streams, self.player.follow, self.player.leave)
        self.carried = Carried(self.loop.ask, self.clock.now, post, readers, self.fetcher, self.outbox)
        host = SystemHost(config.state_folder, config.store.free_bytes)
        voices = Voices(config.speech, config.runtime_folder / "speech")
        spoken = SpokenStore(self.blobs, config.state_folder / "spoken")
        self.speaking = Speaking(voices, spoken, post, give_way)
        self.surroundings = self._surroundings(post)
        rounds = () if self.surroundings is None else (self.surroundings.look,)
        self.health = Health(host, Canary(config.state_folder), Lives(config.state_folder), post, rounds=rounds)
        self.modem = modem_watch(config.modem, relays, post)
        self.panel = Panel(config, self.clock.now, post)
        if config.monitor is not None:
            from ttcs_edge.daemon.monitoring import begin_monitoring

            self.monitoring = begin_monitoring(config.monitor, config.state_folder, player, post)
        self.handlers = Handlers(self.relays, self.sound, post, self._others(post))

    def _others(self, post: Callable[[Event], None]) -> dict[Any, Callable[[Any], None]]:
        """What is done of the effects outside relays and sound, and by whom."""
        return {
            effects.SetTrustRoot: self._set_trust_root,
            effects.HearAgain: lambda effect: self.link.hear_again(effect.kind, effect.scope),
            effects.ReadDocument: self._read_document,
            effects.AskCertificate: lambda effect: self.renewing.ask(effect, self.link),
            effects.KeepCertificate: self.renewing.keep,
            effects.SetWanted: self._set_wanted,
            effects.KeepInline: self._keep_inline,
            effects.FollowStream: lambda effect: self.streams.follow(effect, post),
            effects.LeaveStream: self.streams.leave,
            effects.Speak: self.speaking.set_wanted,
            effects.Acknowledge: self._acknowledge,
            effects.SetSignedTime: lambda effect: self.clock.hear_signed(effect.wall_ms, effect.mono_ms),
            effects.SetTimeFloor: lambda effect: self.clock.raise_floor(effect.wall_ms),
            effects.ReadMeter: self._read_meter,
            effects.CureModem: self.modem.take,
            effects.ShowLamp: self.panel.show_lamp,
            effects.ShowDisplay: self.panel.show_display,
            effects.KeepRecording: self._keep_recording,
            effects.Resend: self._resend,
            effects.Answer: self.replies.answer,
            effects.CheckConfig: self.replies.check_config,
            effects.SendLog: self.replies.send_log,
            effects.Heartbeat: self._heartbeat,
            effects.NotifyReady: self._ready,
        }

    def _surroundings(self, post: Callable[[Event], None]) -> Surroundings | None:
        """What tells of mains, battery and box, where anything does."""
        if self.config.power == PowerSettings() and self.config.box == BoxSettings():
            return None
        from ttcs_edge.daemon.surroundings import surroundings

        return surroundings(self.config, post)

    def _tell_of_the_card(self, in_memory: tuple[tuple[str, str], ...]) -> None:
        if in_memory:
            _log.error("card-not-written", **dict(in_memory))
        self.loop.post(ConditionChanged("store-in-memory", "database", bool(in_memory), in_memory))

    def _remembered(
        self, database: Database, trust: TrustRoot, tones: tuple[tuple[str, AudioItem], ...], test_tone: AudioItem
    ) -> Started:
        """What the store remembers; what it had to be told from the copies is put into it again."""
        remembered = database.remembered(trust.version)
        self.clock.raise_floor(time_floor(remembered, trust, ()))
        now, copies = self.clock.now(), database.copies.programmes
        first = started(remembered, trust, self.blobs, now, copies, tones, test_tone, __version__)
        first = structs.replace(first, silence=item_of(SILENCE))
        if self.config.station.self_test is not None:
            first = structs.replace(first, pilot=item_of(PILOT))
        if lacking := restored(first, remembered):
            database.commit(lacking, self.config.station.id, self.clock.now().wall_ms)
        return first

    def run(self) -> None:
        """Work until the core says to leave. Whatever goes wrong, the relays are open before it is told (never-2)."""
        contacts = frozenset(zone for zone, relay in self.config.pins.zones.items() if relay.contact is not None)
        ask, now, post = self.loop.ask, self.clock.now, self.loop.post
        numbers = itertools.count(1)
        walking = Walking(ask, now, post, contacts, lambda: next(numbers))
        hands = Hands(ask, now, post, lambda: next(numbers))
        control = Control(
            ask,
            now,
            self.relays.states,
            self.outbox.depth,
            self.boot,
            self.carried,
            walking,
            hands,
            post,
            LookingBack(self.outbox, self.config.station.time_zone),
        )
        if self.monitoring is not None:
            control.recordings = self.monitoring.recordings
        socket = self.config.runtime_folder / "control.sock"
        server = ControlServer(socket, control.answer, control.answer_with_file, control.deeds())
        self.player.watch(self.loop.post)
        self.relays.watch(lambda error: self.loop.post(RelayFailed(error.subject, str(error))))
        self.clock.watch(lambda: self.loop.post(TimePassed()), time_devices(self.config.clock))
        self.health.start()  # it counts the lives that do not last: as early as can be
        if self.surroundings is not None:
            self.surroundings.start()
        try:
            self.loop.run(self.first, self.handlers, _Waking(self.recorder, self.link), self._begun)
            self.health.ended_in_order()
        except BaseException:
            self.relays.open_all()
            raise
        finally:
            server.close()

    def _begun(self) -> None:
        sys.setswitchinterval(SWITCH_S)
        self.sound.stand_by()  # the tones of alerts: behind a cue that was due, whose decoder would wait for theirs
        self.health.look_around()
        self.speaking.start()
        self.link.start()
        self.renewing.start()
        self.modem.start()
        if self.monitoring is not None:
            self.monitoring.start()
        watch_clock(lambda: self.loop.post(TimePassed()))

    def close(self) -> None:
        """Close every part, whatever becomes of the others; the relays last, and what they hang on."""
        parts: list[Callable[[], object]] = [
            lambda: self.sound.close(CLOSE_S),
            lambda: self.player.close(CLOSE_S),
            lambda: self.recorder.close(CLOSE_S),
            lambda: self.link.close(CLOSE_S),
            lambda: self.fetcher.close(CLOSE_S),
            lambda: self.audio.close(CLOSE_S),
            lambda: self.streams.close(CLOSE_S),
            lambda: self.speaking.close(CLOSE_S),
            lambda: self.health.close(CLOSE_S),
            lambda: None if self.surroundings is None else self.surroundings.close(CLOSE_S),
            lambda: self.modem.close(CLOSE_S),
            lambda: None if self.monitoring is None else self.monitoring.close(CLOSE_S),
            self.clock.close,
            self.panel.close,
            self.relays.close,
            lambda: None if self.bus is None else self.bus.close(CLOSE_S),
        ]
        for close in parts:
            try:
                close()
            except Exception:  # the next part must be closed all the same
                _log.exception("part-not-closed")

    def stop(self) -> None:
        """Ask the core to fade, open everything and leave; for signal handlers."""
        self.notifier.notify("STOPPING=1")
        self.loop.post(StopRequested())

    def thread_ended(self, ended: threading.ExceptHookArgs) -> None:
        """A thread of ours ended by an exception that nobody foresaw: end the whole, and be started anew."""
        name = ended.thread.name if ended.thread else ""
        error = ended.exc_value or RuntimeError(name)
        _log.error("thread-ended", thread=name, exc_info=error)
        self.loop.crash(error)

    def _clock_news(self) -> ClockChanged | None:
        state = self.clock.news()
        return None if state is None else ClockChanged(state)

    def _known_ms(self) -> int | None:
        now = self.clock.now()
        return now.wall_ms if now.trusted else None

    def _post_from_link(self, event: Event) -> None:
        self.loop.post(event)
        if isinstance(event, LinkChanged):
            self.modem.link(event.up)
            if event.up:
                self.fetcher.retry_now()

    def _acknowledge(self, effect: effects.Acknowledge) -> None:
        if not self.carried.acknowledged(effect.delivery):
            self.link.acknowledge(effect.delivery)

    def _set_trust_root(self, effect: effects.SetTrustRoot) -> None:
        self.keyring.take(effect.root)
        self.link.hear_all_again()

    def _read_document(self, effect: effects.ReadDocument) -> None:
        self.link.take_alert(effect.scope, effect.id, lambda: self.blobs.read(effect.sha256))

    def _set_wanted(self, effect: effects.SetWanted) -> None:
        self.blobs.let_go(effect.keep)
        self.fetcher.set_wanted(effect)

    def _keep_inline(self, effect: effects.KeepInline) -> None:
        if self.blobs.hold(effect.sha256, decoded(effect.inline)):
            self.loop.post(AudioStored(effect.sha256))

    def _read_meter(self, effect: effects.ReadMeter) -> None:
        assert self.meter is not None, "asked for without a meter"

        def answer(outcome: MeterReading | BusError) -> None:
            self.loop.post(MeterFailed(str(outcome)) if isinstance(outcome, BusError) else MeterRead(outcome))

        self.meter.read(answer)

    def _keep_recording(self, effect: effects.KeepRecording) -> None:
        if self.monitoring is not None:  # else the core hears nothing, and tells so
            self.monitoring.keep(effect)

    def _ready(self, effect: effects.NotifyReady) -> None:
        self.notifier.notify("READY=1")
        _log.info("ready", station=self.config.station.id, boot=self.boot)

    def _heartbeat(self, effect: effects.Heartbeat) -> None:
        snapshot = self.station.snapshot(self.clock.now())

        def make() -> bytes:
            """On the link's thread: looking into the outbox waits for the card (never-8)."""
            depth, oldest_ms = self.outbox.depth()
            report = reports.heartbeat_report(
                snapshot,
                sequence=effect.sequence,
                boot=self.boot,
                software=__version__,
                outbox_depth=depth,
                outbox_oldest_s=0 if oldest_ms is None else max(0, snapshot.wall_ms - oldest_ms) // 1_000,
                outbox_dropped=self.outbox.dropped(),
                newest=self.outbox.newest(),
            )
            return reports.encode(report)

        self.link.publish_heartbeat(make)

    def _resend(self, effect: effects.Resend) -> None:
        def work() -> bytes:
            """On the link's thread: looking into the outbox waits for the card (never-8)."""
            queued: int = 0
            gone: tuple[tuple[int, int], ...] = ()
            done = True
            try:
                queued, gone = self.outbox.resend(effect.journal, effect.first, effect.last)
            except sqlite3.Error:  # a failing card: the centre is told, and can ask again
                _log.exception("reports-not-queued-again", command=effect.command)
                done = False
            report = reports.reply_report(
                self.config.station.id,
                effect.command,
                self.clock.now().wall_ms,
                journal=effect.journal,
                queued=queued,
                gone=gone,
                done=done,
            )
            return reports.encode(report)

        self.link.answer(work, effect.correlation)

    def _status(self, state: Any) -> bytes:
        # A will is told at a time that its author cannot know.
        told = None if state == "offline" else reports.utc_text(self.clock.now().wall_ms)
        station = self.config.station
        report = reports.StatusReport(
            station=station.id, scope=station.scope, state=state, software=__version__, boot=self.boot, told=told
        )
        return reports.encode(report)


class _Waking:
    """The recorder, and behind each commit a word to the link that the outbox may have grown, and if that is urgent."""

    def __init__(self, recorder: Recorder, link: BrokerLink) -> None:
        self._recorder = recorder
        self._link = link

    def submit(self, entries: Any, wall_ms: int, then: Callable[[], None]) -> None:
        """Have entries put on disk."""

        urgent = any(isinstance(entry, effects.AlertTold) for entry in entries)

        def both() -> None:
            then()
            self._link.hurry() if urgent else self._link.wake()

        self._recorder.submit(entries, wall_ms, both)


def run(
    config: Config,
    config_file: Path,
    relays: Relays,
    player: PlayerProcess,
    opening: Future[Opened],
    bus: Bus | None = None,
) -> int:
    """Run a station until it is stopped; gives an exit code of sysexits.h."""
    configure()
    try:
        daemon = Daemon(config, config_file, relays, player, opening, bus)
    except (TrustError, FileNotFoundError) as error:
        _log.error("not-started", error=str(error))
        wait([opening], CLOSE_S)
        player.close(CLOSE_S)
        return os.EX_CONFIG
    except (NewerDatabaseError, sqlite3.Error, OSError) as error:
        _log.error("not-started", error=str(error))
        player.close(CLOSE_S)
        return os.EX_IOERR
    threading.excepthook = daemon.thread_ended
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=daemon.stop).start())
    try:
        daemon.run()
        return os.EX_OK
    finally:
        daemon.close()
