"""Speaks what the core asks for, one text after another, on a thread of its own (never-8).

What was spoken in an earlier life and is still in the store is told at once. What was just spoken is told before the
card has it: a flood does not wait for a card. A text that stands first in a new list does not wait for one that does
not: that is given up, and spoken later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import structlog

from ttcs_edge.core.effects import Speak
from ttcs_edge.core.events import Event, NotSpoken, Spoken, VoicesKnown
from ttcs_edge.core.model import Utterance
from ttcs_edge.drivers.bounded import AbortedError
from ttcs_edge.drivers.speech import FAILED, Speech, SpeechError
from ttcs_edge.store.blobs import BlobError
from ttcs_edge.store.spoken import Note, SpokenStore

_log = structlog.get_logger()


class Speaking:
    """Owns the voices. ``set_wanted`` never waits."""

    def __init__(
        self,
        speech: Speech,
        store: SpokenStore,
        post: Callable[[Event], None],
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        """``give_way`` is called before a text is spoken, and may wait for some hundredths of a second."""
        self._speech = speech
        self._store = store
        self._post = post
        self._give_way = give_way
        self._changed = threading.Condition()
        self._wanted: list[Utterance] = []
        self._current: Utterance | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="speech", daemon=True)

    def start(self) -> None:
        """Begin to speak."""
        self._thread.start()

    def set_wanted(self, effect: Speak) -> None:
        """Replace the list."""
        with self._changed:
            self._wanted = list(effect.wanted)
            if self._current is not None and self._current not in self._wanted[:1]:
                self._speech.abort()
            self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """Give up what is at work, and end."""
        with self._changed:
            self._closing = True
            self._speech.abort()
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        told: frozenset[str] | None = None
        while True:
            with suppress(AbortedError):  # it is closed
                if (spoken := self._speech.languages()) != told:
                    told = spoken
                    self._post(VoicesKnown(spoken))
            if (utterance := self._next()) is None:
                return
            try:
                answer, unkept = self._answer(utterance)
            except AbortedError:
                continue
            with self._changed:
                self._wanted = [one for one in self._wanted if one != utterance]
            self._post(answer)
            unkept()

    def _next(self) -> Utterance | None:
        with self._changed:
            self._current = None
            self._changed.wait_for(lambda: self._wanted or self._closing)
            if self._closing:
                return None
            self._current = self._wanted[0]
            self._speech.begin()
            return self._current

    def _answer(self, utterance: Utterance) -> tuple[Event, Callable[[], None]]:
        """What came of it, and what is left to be done once that is told."""
        try:
            voice = self._speech.recipe(utterance.language)
            known = self._store.find(utterance, voice)
            if known is not None:
                return _spoken(utterance, known), _nothing
            self._give_way()
            recording = self._speech.speak(utterance.text, utterance.language)
            note = self._store.hold(recording.wav, recording.duration_ms)
            if note is None:
                note = self._store.keep(utterance, voice, recording.wav, recording.duration_ms)
                return _spoken(utterance, note), _nothing
        except SpeechError as error:
            return NotSpoken(utterance, error.code, error.error), _nothing
        except (BlobError, OSError) as error:
            return NotSpoken(utterance, FAILED, str(error)), _nothing

        def keep() -> None:
            try:
                self._store.keep(utterance, voice, recording.wav, recording.duration_ms)
            except BlobError as error:  # it is held in memory for this life
                _log.warning("speech-not-kept", code=error.code, **dict(error.detail))

        return _spoken(utterance, note), keep


def _spoken(utterance: Utterance, note: Note) -> Spoken:
    return Spoken(utterance, note.sha256, note.size_bytes, note.duration_ms)


def _nothing() -> None:
    """It is kept already."""
