"""Reports on their way from the outbox to the broker: in order, a bounded number in flight, removed when acknowledged.

A report that the broker refuses is passed over, so that it does not hold up the rest; it stays in the outbox, and is
offered again on the next connection, or after a while on this one. One refusal is told for all of a connection.

A report that the broker took and nobody heard (*No matching subscribers*, MQTT 5, 3.4.2.1) is not delivered: a centre
that is not back yet must find it when it is. Until one is heard, one at a time is tried, ever more seldom.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from ttcs_edge.core.limits import LIMITS

REFUSED_RETRY_S = 600.0
"""When reports that were refused are offered again on a connection that stands: their right may have been mended."""

UNHEARD_RETRY_S = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Waits before the next try while nobody listens."""
NOBODY_HEARD = 0x10

Answer = tuple[Client, int, ReasonCode]
"""The broker's answer to one message of one connection."""


class Row(Protocol):
    """A report in the outbox."""

    @property
    def seq(self) -> int:
        """Its place in the queue."""

    @property
    def body(self) -> bytes:
        """What goes over the wire."""


class OutboxSource(Protocol):
    """The part of the outbox that the link needs; called on the link's own threads."""

    def pending(self, limit: int, after_seq: int) -> Sequence[Row]:
        """The oldest rows behind a place."""

    def remove(self, seqs: Sequence[int]) -> None:
        """Forget acknowledged rows."""


class Reports:
    """What of the outbox is in flight on the connection of this moment. One thread calls."""

    def __init__(self, outbox: OutboxSource, topic: str, refused: Callable[[int, ReasonCode], None]) -> None:
        self._outbox = outbox
        self._topic = topic
        self._refused = refused
        self._client: Client | None = None
        self._after_seq = 0
        self._in_flight: dict[int, int] = {}
        self._done: list[int] = []
        self._again_mono_s: float | None = None
        self._unheard = 0
        self._held_until_mono_s: float | None = None

    def wait_s(self, client: Client | None) -> float | None:
        """How long until something is to be tried again; None when only an answer or something new can matter."""
        if client is None or client is not self._client or self._in_flight:
            return None
        waits = [at_s for at_s in (self._again_mono_s, self._held_until_mono_s) if at_s is not None]
        return max(0.01, min(waits) - time.monotonic()) if waits else None

    def settle(self, answers: queue.SimpleQueue[Answer]) -> None:
        """Remove what the broker has acknowledged. What the outbox fails to remove is removed the next time."""
        while not answers.empty():
            client, mid, code = answers.get()
            seq = self._in_flight.pop(mid, None) if client is self._client else None
            if seq is not None and code.is_failure:
                self._pass_over(seq, code)
            elif seq is not None and code.value == NOBODY_HEARD:
                self._hold()
            elif seq is not None:
                self._unheard = 0
                self._done.append(seq)
        if self._done:
            self._outbox.remove(self._done)
            self._done = []

    def _pass_over(self, seq: int, code: ReasonCode) -> None:
        if self._again_mono_s is None:
            self._again_mono_s = time.monotonic() + REFUSED_RETRY_S
            self._refused(seq, code)

    def _hold(self) -> None:
        if self._held_until_mono_s is None:
            wait_s = UNHEARD_RETRY_S[min(self._unheard, len(UNHEARD_RETRY_S) - 1)]
            self._held_until_mono_s = time.monotonic() + wait_s
            self._unheard += 1

    def send(self, client: Client) -> None:
        """Fill the window. A new connection begins at the oldest row again: what was in flight may be lost."""
        if client is not self._client:
            self._client, self._after_seq, self._again_mono_s = client, 0, None
            self._unheard, self._held_until_mono_s = 0, None
            self._in_flight.clear()
        if self._held_until_mono_s is not None and not self._in_flight and time.monotonic() > self._held_until_mono_s:
            self._after_seq, self._held_until_mono_s = 0, None
        if self._again_mono_s is not None and not self._in_flight and time.monotonic() > self._again_mono_s:
            self._after_seq, self._again_mono_s = 0, None
        if self._held_until_mono_s is not None:
            return
        room = (1 if self._unheard else LIMITS.outbox_in_flight) - len(self._in_flight)
        for row in self._outbox.pending(room, self._after_seq) if room > 0 else ():
            sent = client.publish(self._topic, row.body, qos=1)
            if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return  # the connection is ending: the next one begins at this row or before it
            self._in_flight[sent.mid] = row.seq
            self._after_seq = row.seq
