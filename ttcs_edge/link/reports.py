"""Reports on their way from the outbox to the broker: in order, a bounded number in flight, marked when acknowledged.

A report that the broker refuses, or that is larger than the broker takes, is passed over, so that it does not hold up
the rest; it stays in the outbox, and is offered again on the next connection, or after a while on this one. One refusal
is told for all of a connection.

Marks are gathered, and put on the card once a second, or a thousand at a time; after a death so many are told again
under the same ids.

Receipts of alerts go before all else that waits: at each new connection, and whenever something urgent came.

A report that the broker took and nobody heard (*No matching subscribers*, MQTT 5, 3.4.2.1) is not delivered: a centre
that is not back yet must find it when it is. Until one is heard, one at a time is tried, ever more seldom.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from ttcs_edge.core.limits import LIMITS

REFUSED_RETRY_S = 600.0
"""When reports that were refused are offered again on a connection that stands: their right may have been mended."""

UNHEARD_SOON_S = 1.0
UNHEARD_SELDOM_S = 60.0
"""The shortest and the longest wait before the next try while nobody listens; between them it is half of the time that
nobody has listened. A centre that comes back soon after the station has its proof soon; one that stays away costs a
report a minute. The receipt of an alert does not wait for its turn: somebody has just sent it."""
NOBODY_HEARD = 0x10
FLUSH_S = 1.0
"""How often marks are put on the card, at the most, while few reports go out."""
FLUSH_ROWS = 1_000
"""So many marks are worth a write of their own: they fill the pages that it costs."""
HEADER_BYTES = 1 + 4 + 2 + 2 + 1
"""What a PUBLISH holds beside its topic and its payload (MQTT 5, 3.3): type, length, topic's length, id, properties."""

Answer = tuple[Client, int, ReasonCode]
"""The broker's answer to one message of one connection."""


class Row(Protocol):
    """A report in the outbox."""

    @property
    def seq(self) -> int:
        """Its place in the queue."""

    @property
    def id(self) -> str:
        """What it is called over the wire."""

    @property
    def body(self) -> bytes:
        """What goes over the wire."""


class OutboxSource(Protocol):
    """The part of the outbox that the link needs; called on the link's own threads."""

    @property
    def resends(self) -> int:
        """Grows when rows were put back behind what was already read."""

    def pending(self, limit: int, after_seq: int) -> Sequence[Row]:
        """The oldest rows behind a place."""

    def urgent(self, limit: int) -> Sequence[Row]:
        """The oldest rows that go before all others."""

    def mark_sent(self, seqs: Sequence[int]) -> None:
        """Remember rows as sent."""


class Reports:
    """What of the outbox is in flight on the connection of this moment. One thread calls.

    ``refused`` is told the first report of a connection that the broker will not have, and why; ``give_way`` is called
    before each.
    """

    def __init__(
        self,
        outbox: OutboxSource,
        topic: str,
        refused: Callable[[str, str], None],
        now_s: Callable[[], float] = time.monotonic,
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        self._outbox = outbox
        self._now_s = now_s
        self._give_way = give_way
        self._topic = topic
        self._refused = refused
        self._client: Client | None = None
        self._largest_bytes: int | None = None
        self._resends = 0
        self._after_seq = 0
        self._ahead: deque[Row] = deque()
        self._urgent = False
        self._out_of_turn: set[int] = set()
        self._in_flight: dict[int, Row | None] = {}
        self._done: list[int] = []
        self._flush_mono_s = 0.0
        self._again_mono_s: float | None = None
        self._unheard_since_mono_s: float | None = None
        self._held_until_mono_s: float | None = None

    def wait_s(self, client: Client | None) -> float | None:
        """How long until something is to be tried again; None when only an answer or something new can matter."""
        waits = [self._flush_mono_s] if self._done else []
        if client is not None and client is self._client and not self._in_flight:
            waits += [at_s for at_s in (self._again_mono_s, self._held_until_mono_s) if at_s is not None]
        return max(0.01, min(waits) - self._now_s()) if waits else None

    def settle(self, answers: queue.SimpleQueue[Answer]) -> None:
        """Take the broker's answers. What the outbox fails to mark is marked the next time."""
        while not answers.empty():
            client, mid, code = answers.get()
            row = self._in_flight.pop(mid, None) if client is self._client else None
            if row is not None and code.is_failure:
                self._pass_over(row, str(code))
            elif row is not None and code.value == NOBODY_HEARD:
                self._hold()
            elif row is not None:
                self._unheard_since_mono_s = None
                self._done.append(row.seq)
        if len(self._done) >= FLUSH_ROWS or (self._done and self._now_s() >= self._flush_mono_s):
            self.flush()

    def flush(self) -> None:
        """Have the outbox know what was sent."""
        self._flush_mono_s = self._now_s() + FLUSH_S
        if self._done:
            self._outbox.mark_sent(self._done)
            self._done = []
        if not self._in_flight and not self._ahead and self._again_mono_s is None:
            self._after_seq = 0  # all that was read is marked: what is new may stand before it, in a lower journal

    def run(self, work: Callable[[], bytes]) -> bytes:
        """What a command's work gives. It may put rows back: a mark that came behind would undo it, so all are written
        first, and what is in flight counts as not sent."""
        self.flush()
        try:
            return work()
        finally:
            if self._resends != self._outbox.resends:
                self._in_flight = dict.fromkeys(self._in_flight)

    def hurry(self) -> None:
        """What came is urgent: it goes first, and whoever may listen by now is tried at once, and soon again."""
        self._urgent = True
        if self._unheard_since_mono_s is not None:
            self._unheard_since_mono_s = self._held_until_mono_s = self._now_s()

    def _pass_over(self, row: Row, error: str) -> None:
        if self._again_mono_s is None:
            self._again_mono_s = self._now_s() + REFUSED_RETRY_S
            self._refused(row.id, error)

    def _hold(self) -> None:
        if self._held_until_mono_s is not None:
            return
        now_s = self._now_s()
        if self._unheard_since_mono_s is None:
            self._unheard_since_mono_s = now_s
        half_s = (now_s - self._unheard_since_mono_s) / 2
        self._held_until_mono_s = now_s + min(UNHEARD_SELDOM_S, max(UNHEARD_SOON_S, half_s))

    def _begin_again(self) -> None:
        """From the oldest row that waits. What was acknowledged must not be read again, so it is marked first."""
        self.flush()
        self._after_seq = 0
        self._ahead.clear()
        self._out_of_turn.clear()
        self._urgent = True

    def send(self, client: Client, largest_bytes: int | None = None) -> None:
        """Fill the window. A new connection begins at the oldest row again: what was in flight may be lost.

        ``largest_bytes`` is the broker's Maximum Packet Size (MQTT 5, 3.2.2.3.6), None when it has none.
        """
        if client is not self._client:
            self._begin_again()
            self._client, self._largest_bytes, self._again_mono_s = client, largest_bytes, None
            self._unheard_since_mono_s, self._held_until_mono_s = None, None
            self._in_flight.clear()
        now_s = self._now_s()
        if self._held_until_mono_s is not None and not self._in_flight and now_s >= self._held_until_mono_s:
            self._begin_again()
            self._held_until_mono_s = None
        if self._again_mono_s is not None and not self._in_flight and now_s > self._again_mono_s:
            self._begin_again()
            self._again_mono_s = None
        if self._held_until_mono_s is not None:
            return
        if self._resends != self._outbox.resends and not self._in_flight:
            self._resends = self._outbox.resends
            self._begin_again()
        self._fill(client)

    def _fill(self, client: Client) -> None:
        most = 1 if self._unheard_since_mono_s is not None else LIMITS.outbox_in_flight
        if self._urgent:
            self._go_first()
            self._urgent = False
        while len(self._in_flight) < most and (row := self._next()) is not None:
            if self._largest_bytes is not None and len(row.body) + self._overhead_bytes > self._largest_bytes:
                self._ahead.popleft()
                self._pass_over(row, f"{len(row.body)} > {self._largest_bytes - self._overhead_bytes} bytes")
                continue
            self._give_way()
            sent = client.publish(self._topic, row.body, qos=1)
            if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return  # the connection is ending: the next one begins at this row or before it
            self._ahead.popleft()
            self._in_flight[sent.mid] = row

    def _go_first(self) -> None:
        """Put what is urgent before what was read ahead; when its turn comes there, it is passed over."""
        under_way = {row.seq for row in self._in_flight.values() if row is not None}
        known = under_way | set(self._done) | self._out_of_turn
        rows = [row for row in self._outbox.urgent(LIMITS.outbox_read_ahead) if row.seq not in known]
        first = {row.seq for row in rows}
        self._ahead = deque((*rows, *(row for row in self._ahead if row.seq not in first)))
        self._out_of_turn |= {seq for seq in first if seq > self._after_seq}

    @property
    def _overhead_bytes(self) -> int:
        return HEADER_BYTES + len(self._topic.encode())

    def _next(self) -> Row | None:
        """The next row, read ahead: one look into the outbox for many of them."""
        while not self._ahead and self._resends == self._outbox.resends:
            rows = self._outbox.pending(LIMITS.outbox_read_ahead, self._after_seq)
            if not rows:
                break
            self._ahead.extend(row for row in rows if row.seq not in self._out_of_turn)
            self._after_seq = rows[-1].seq
            self._out_of_turn = {seq for seq in self._out_of_turn if seq > self._after_seq}
        return self._ahead[0] if self._ahead else None
