"""Effects carried out: one row of a table for each kind. The shell does, and decides nothing.

What may block (the card, the player's files) is handed to a thread of its own; the rest is done in place, on the
core's thread, in the order in which the core gave it.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from ttcs_edge.core import effects
from ttcs_edge.core.box import BOX
from ttcs_edge.core.effects import (
    Effect,
    FeedSound,
    PrepareSound,
    SetVolume,
    StartInput,
    StartLive,
    StartSound,
    StartStream,
    StopSound,
)
from ttcs_edge.core.events import (
    AudioLost,
    ConditionChanged,
    Event,
    RelayFailed,
    RelaySwitched,
    SoundEnded,
    SoundStarted,
)
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import AMPLIFIER, FAN, MICROPHONE, AudioItem, VerifiedAudio
from ttcs_edge.drivers.player import Audio, Player
from ttcs_edge.drivers.relays import RelayError, Relays
from ttcs_edge.store.blobs import BlobError, Blobs

_log = structlog.get_logger()
NS_PER_MS = 1_000_000
SoundCommand = PrepareSound | StartSound | StartInput | StartLive | StartStream | FeedSound | StopSound | SetVolume


class _StandBy:
    """Among the commands: what stands by is to be decoded now."""


class SoundDesk:
    """Hands sound commands to the player, in order, on a thread of its own: reading and hashing a file takes time.

    The files of the latest commands stay open as verified memory, so that a start reads nothing; from ``stand_by`` on
    those of ``standing``, too, and the player keeps them decoded.
    """

    def __init__(
        self, blobs: Blobs, player: Player, post: Callable[[Event], None], standing: Iterable[AudioItem] = ()
    ) -> None:
        self._blobs = blobs
        self._player = player
        self._post = post
        self._queue: queue.Queue[SoundCommand | _StandBy | None] = queue.Queue(LIMITS.sound_commands)
        self._held: dict[str, VerifiedAudio] = {}
        self._standing: dict[str, VerifiedAudio] = {}
        self._to_stand = {item.sha256: item for item in standing}
        self._thread = threading.Thread(target=self._run, name="sound-desk", daemon=True)
        self._thread.start()

    def put(self, command: SoundCommand) -> None:
        """Have a command carried out. Raises queue.Full when reading the card hangs: a case for a new start."""
        self._queue.put_nowait(command)

    def stand_by(self) -> None:
        """Have what stands by decoded, behind everything that was put before."""
        self._queue.put_nowait(_StandBy())

    def feed(self, segment: FeedSound) -> None:
        """Have a live segment played; one that nobody has time for is lost, as on any network."""
        if self._queue.qsize() < LIMITS.sound_commands // 2:
            self._queue.put_nowait(segment)

    def close(self, timeout_s: float) -> None:
        """Carry out what waits, and end."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (command := self._queue.get()) is not None:
            match command:
                case _StandBy():
                    self._stand_by()
                case StopSound(play, fade_out_ms):
                    self._player.stop(play, fade_out_ms)
                case SetVolume(play, volume_percent):
                    self._player.turn(play, volume_percent)
                case PrepareSound(items):
                    audio = self._open(items)
                    if audio is not None:
                        self._player.prepare(audio)
                case StartSound():
                    self._start(command)
                case StartLive(player, play, volume_percent, fade_in_ms):
                    self._player.live(player, play, time.monotonic_ns(), volume_percent, fade_in_ms)
                case StartStream(player, play, stream, volume_percent, fade_in_ms):
                    self._player.play_stream(player, play, stream, volume_percent, fade_in_ms)
                case FeedSound(play, number, packets, last):
                    self._player.segment(play, number, packets, last)
                case StartInput(player, play, volume_percent, fade_in_ms):
                    self._player.talk(player, play, time.monotonic_ns(), volume_percent, fade_in_ms)

    def _stand_by(self) -> None:
        for item in self._to_stand.values():
            try:
                self._standing[item.sha256] = self._blobs.open_verified(item.sha256)
            except BlobError as error:
                self._post(AudioLost(item.sha256, error.code))
        there = [item for item in self._to_stand.values() if item.sha256 in self._standing]
        self._player.stand_by([(item, self._standing[item.sha256]) for item in there])

    def _start(self, command: StartSound) -> None:
        audio = self._open(command.items)
        if audio is None:
            self._post(SoundEnded(command.play, False, (0,) * len(command.items), "audio-lost"))
            return
        self._player.play(
            command.player,
            command.play,
            audio,
            from_ms=command.from_ms,
            at_mono_ns=command.at_mono_ms * NS_PER_MS,
            volume_percent=command.volume_percent,
            fade_in_ms=command.fade_in_ms,
        )

    def _open(self, items: tuple[AudioItem, ...]) -> Audio | None:
        """Verify every item, or tell which is lost; None when one is."""
        names = {item.sha256 for item in items}
        for sha256 in [name for name in self._held if name not in names]:
            os.close(self._held.pop(sha256).fd)
        try:
            for item in items:
                if item.sha256 not in self._held and item.sha256 not in self._standing:
                    self._held[item.sha256] = self._blobs.open_verified(item.sha256)
        except BlobError as error:
            self._post(AudioLost(item.sha256, error.code))
            return None
        return [(item, self._standing.get(item.sha256) or self._held[item.sha256]) for item in items]


class Handlers:
    """The table from an effect to what does it. ``others`` brings those that the loop itself must do."""

    def __init__(
        self,
        relays: Relays,
        sound: SoundDesk,
        post: Callable[[Event], None],
        others: dict[type[Effect], Callable[[Any], None]],
    ) -> None:
        self._relays = relays
        self._post = post
        self._mixer_since_ns = 0
        self._table: dict[type[Effect], Callable[[Any], None]] = {
            effects.SwitchAmplifier: self._switch_amplifier,
            effects.SwitchZone: self._switch_zone,
            effects.PrepareSound: sound.put,
            effects.StartSound: sound.put,
            effects.StartInput: sound.put,
            effects.StartLive: sound.put,
            effects.StartStream: sound.put,
            effects.FeedSound: sound.feed,
            effects.SwitchMixer: self._switch_mixer,
            effects.SwitchFan: self._switch_fan,
            effects.StopSound: sound.put,
            effects.SetVolume: sound.put,
            effects.Note: _note,
            **others,
        }

    def carry_out(self, effect: Effect) -> None:
        """Do one effect; a KeyError is a bug of ours."""
        self._table[type(effect)](effect)

    @property
    def kinds(self) -> frozenset[type[Effect]]:
        """The effects that have a handler."""
        return frozenset(self._table)

    def _switch_amplifier(self, effect: effects.SwitchAmplifier) -> None:
        self._switch(AMPLIFIER, effect.on)

    def _switch_zone(self, effect: effects.SwitchZone) -> None:
        self._switch(effect.zone, effect.closed)

    def _switch(self, subject: str, closed: bool) -> None:
        """Who asked is told whether it did as told."""

        def answer(error: RelayError | None) -> None:
            self._post(RelaySwitched(subject, closed) if error is None else RelayFailed(subject, str(error)))

        self._relays.tell(subject, closed, answer)

    def _switch_mixer(self, effect: effects.SwitchMixer) -> None:
        """The microphone is heard from when its relay closed until it is open."""

        def answer(error: RelayError | None) -> None:
            now_ns = time.monotonic_ns()
            if error is not None:
                self._post(RelayFailed(MICROPHONE, str(error)))
            if effect.closed and error is None:
                self._mixer_since_ns = now_ns
                self._post(SoundStarted(effect.play, now_ns))
                return
            written_ms = 0 if effect.closed else (now_ns - self._mixer_since_ns) // NS_PER_MS
            self._post(SoundEnded(effect.play, False, (written_ms,), "relay" if effect.closed else None))

        self._relays.tell(MICROPHONE, effect.closed, answer)

    def _switch_fan(self, effect: effects.SwitchFan) -> None:
        """One that does not do as told changes nothing on the air, and is told."""

        def answer(error: RelayError | None) -> None:
            detail = () if error is None else (("error", str(error)),)
            self._post(ConditionChanged(FAN, BOX, error is not None, detail))

        self._relays.tell(FAN, effect.on, answer)


def _note(effect: effects.Note) -> None:
    getattr(_log, effect.level)(effect.event, **dict(effect.fields))
