"""``ttcs-central live``: what is said now, cut into segments, each signed, for stations to relay (decision 29)."""

from __future__ import annotations

import argparse
import math
import re
import signal
import sys
import threading
import time
from array import array
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct
from securesystemslib.signer import Signer

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.asking import YES
from ttcs_edge.central.broker import LinkTurned, OperatorClient, Said
from ttcs_edge.central.centre import Centre, check_grant, now, utc
from ttcs_edge.central.errors import CentralError, refuse
from ttcs_edge.central.live_arguments import PACKET_MS
from ttcs_edge.central.live_input import Block, LiveInput, input_options
from ttcs_edge.central.stations import check_scope, made_stations
from ttcs_edge.core.documents import ID_PATTERN, LiveSegment, Refused
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, scope_covers
from ttcs_edge.locale import Language, text
from ttcs_edge.opus import PACKET_FRAMES, RATE_HZ, OpusEncoder, OpusError
from ttcs_edge.wire.documents import parse_live, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.topics import OF_A_SCOPE, Topics

BITRATE_BPS: Final = 32_000
PACKET_BYTES: Final = 2 * PACKET_FRAMES
END_MS: Final = 3_000
"""So long before its time is over a session is ended: stations take nothing behind that, its last segment neither."""
KEEPALIVE_S: Final = 5
"""A line that takes nothing and breaks nothing is given up after twice that: by then nothing in it is worth sending."""
STUCK_S: Final = 2.0
"""So long a segment may wait for the line before it is given no more."""
PROMPT_S: Final = 0.05
LAST_WAIT_S: Final = 2.0
QUIET_DB: Final = -60.0
QUIET_S: Final = 10.0
"""So long an input may be quieter than that before it is told: a microphone that is switched off."""
QUIET_MOST_S: Final = 300.0
"""So long before the session is ended: its silence holds the air of every station."""
STUTTER_S: Final = 1.0
"""So much longer than it is a segment may take to come before it is told."""
TELL_S: Final = 10.0
"""How often it is told how it goes, where nobody looks at a terminal."""


class Session(Struct, frozen=True):
    """What every segment of a session says."""

    scope: Scope
    id: str
    title: str
    priority: int
    zones: tuple[str, ...]
    begun_ms: int
    until_ms: int


@dataclass(slots=True)
class Speaker:
    """Makes and sends the segments of a session, one behind another."""

    session: Session
    signers: Sequence[Signer]
    client: OperatorClient
    topic: str
    encoder: OpusEncoder = field(default_factory=lambda: OpusEncoder(BITRATE_BPS))
    number: int = 0
    sent: int = 0
    unsent: int = 0
    under_way: deque[Said] = field(default_factory=deque)

    def check(self) -> None:
        """See that stations will take what is said. Raises CentralError ``refused-by-own-check``."""
        refused = parse_live(write_document(self._segment(("AA==",), self.session.begun_ms, last=False)), self.topic)
        if isinstance(refused, Refused):
            refuse(refused)

    def say(self, block: Block, *, last: bool = False) -> None:
        """Send a block as a segment; what is short of a packet is filled with silence. What is older than stations take
        is not sent, nor what a line that hangs would keep.
        """
        whole = max(PACKET_BYTES, -(-len(block.samples) // PACKET_BYTES) * PACKET_BYTES)
        samples = block.samples.ljust(whole, b"\0")
        parts = (samples[begin : begin + PACKET_BYTES] for begin in range(0, whole, PACKET_BYTES))
        packets = tuple(b64encode(self.encoder.encode(part)).decode() for part in parts)
        envelope = sign(
            write_document(self._segment(packets, block.heard_ms, last)), PAYLOAD_TYPES["live"], self.signers
        )
        self.number += 1
        is_fresh = now().wall_ms < block.heard_ms - len(packets) * PACKET_MS + LIMITS.live_fresh_s * 1_000
        self.settle()
        is_stuck = bool(self.under_way) and time.monotonic() > self.under_way[0].begun_s + STUCK_S
        if not is_fresh or is_stuck:
            self.unsent += 1
            return
        said = self.client.say(self.topic, envelope)
        said.went(PROMPT_S)  # as a rule it does at once, and is counted
        self.under_way.append(said)
        self.settle()

    def settle(self, wait_s: float = 0.0) -> None:
        """Count what became of what was sent. What waits is waited for so many seconds, then counted as unsent."""
        deadline_s = time.monotonic() + wait_s
        while self.under_way:
            went = self.under_way[0].went(max(0.0, deadline_s - time.monotonic()))
            if went is None and not wait_s:
                return
            self.under_way.popleft()
            self.sent += went is True
            self.unsent += went is not True

    def _segment(self, packets: tuple[str, ...], heard_ms: int, last: bool) -> LiveSegment:
        first_ms = heard_ms - len(packets) * PACKET_MS
        session = self.session
        return LiveSegment(
            scope=session.scope,
            id=session.id,
            version=session.begun_ms,
            number=self.number,
            sent=utc(first_ms),
            expires=utc(first_ms + LIMITS.live_fresh_s * 1_000),
            until=utc(session.until_ms),
            title=session.title,
            packets=packets,
            priority=session.priority,
            zones=session.zones,
            last=last,
        )


def live(
    given: argparse.Namespace, centre: Centre, broker: BrokerAddress, secret: Callable[[str], str], lang: Language
) -> int:
    """Carry the command out, until the file or its time is over, or somebody ends it. Raises CentralError."""
    check_grant(centre, "live")
    scope = check_scope(given.scope, centre)
    _check(given)
    if not given.yes:
        _confirm(given, scope, centre, lang)
    signers = centre.signers("publish", secret)
    with OperatorClient(centre, broker, keepalive_s=KEEPALIVE_S).connected() as client, _ending() as ended:
        begun_ms = now().wall_ms
        until_ms = begun_ms + given.minutes * 60_000
        session = Session(scope, given.id, given.title, given.priority, tuple(given.zones), begun_ms, until_ms)
        try:
            speaker = Speaker(session, signers, client, Topics(centre.settings.topic_root).live(scope, given.id))
        except OpusError as error:
            raise CentralError("program-missing", program=str(error)) from error
        speaker.check()
        # Opened now, not before: what it hears while the broker is being reached would be said late.
        with closing(LiveInput(given.input, given.segment_ms // PACKET_MS * PACKET_BYTES)) as source:
            _speak(speaker, source, ended, Screen(lang, broker))
    return 0


def _check(given: argparse.Namespace) -> None:
    """See that what was given can be said. Raises CentralError."""
    if not re.fullmatch(ID_PATTERN, given.id) or len(given.id) > LIMITS.id_chars or given.id in OF_A_SCOPE:
        raise CentralError("bad-live-id", found=given.id)
    if not 0 < len(given.title.strip()) <= len(given.title) <= LIMITS.title_chars:
        raise CentralError("bad-live-title", chars=len(given.title), most=LIMITS.title_chars)
    for zone in given.zones:
        if not re.fullmatch(ID_PATTERN, zone) or len(zone) > LIMITS.id_chars:
            raise CentralError("bad-live-zone", found=zone)
    if given.segment_ms % PACKET_MS:
        raise CentralError("bad-segment", found=given.segment_ms, expected=PACKET_MS)
    input_options(given.input)


def _speak(speaker: Speaker, source: LiveInput, ended: threading.Event, screen: Screen) -> None:
    """Say what the source gives, and an end to it, whatever comes between. Raises CentralError of the source."""
    over_ms = speaker.session.until_ms - END_MS
    try:
        while (block := source.read(lambda: ended.is_set() or now().wall_ms >= over_ms)) is not None:
            speaker.say(block)
            screen.tell(speaker, block.samples)
    finally:
        speaker.say(Block(b"", now().wall_ms), last=True)
        speaker.settle(LAST_WAIT_S)
        screen.end(speaker)


@contextmanager
def _ending() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM ask for an end in order."""
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _confirm(given: argparse.Namespace, scope: Scope, centre: Centre, lang: Language) -> None:
    """Show what will be heard where, and ask. Raises CentralError ``nobody-to-ask`` or ``not-confirmed``."""
    places = [place for _, place in made_stations(centre) if place is not None]
    stations = sum(scope_covers(scope, place) for place in places)
    fields = {"title": given.title, "scope": scope, "id": given.id, "stations": stations, "minutes": given.minutes}
    zones = ", ".join(given.zones) or text("central.live-every-zone", lang)
    print(text("central.live-what", lang, **fields, zones=zones, input=given.input), file=sys.stderr)
    if not sys.stdin.isatty():
        raise CentralError("nobody-to-ask")
    print(text("central.live-ask", lang), end=" ", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in YES:
        raise CentralError("not-confirmed")


class Screen:
    """How it goes: one line that changes on a terminal, a line now and then elsewhere, and what is not as it should."""

    def __init__(self, lang: Language, broker: BrokerAddress) -> None:
        self._lang = lang
        self._broker = broker
        self._is_terminal = sys.stdout.isatty()
        self._begun_s = time.monotonic()
        self._told_s = -TELL_S
        self._loud_s = self._begun_s
        self._came_s = self._begun_s
        self._quiet_told = False

    def tell(self, speaker: Speaker, block: bytes) -> None:
        """A segment was sent, or could not be. Raises CentralError ``live-input-quiet`` after too long a silence."""
        level_db, now_s = level(block), time.monotonic()
        self._tell_link(speaker)
        late_s = now_s - self._came_s - len(block) / (2 * RATE_HZ)
        self._came_s = now_s
        if speaker.number > 1 and late_s > STUTTER_S:
            self._say(text("central.live-stutter", self._lang, seconds=f"{late_s:.1f}"))
        self._tell_quiet(level_db, now_s)
        if not self._is_terminal and now_s < self._told_s + TELL_S:
            return
        self._told_s = now_s
        line = self._words("central.live-going", speaker, level=f"{level_db:.0f}")
        print(f"\r{line}\x1b[K" if self._is_terminal else line, end="" if self._is_terminal else "\n", flush=True)

    def _tell_link(self, speaker: Speaker) -> None:
        while not speaker.client.incoming.empty():
            turned = speaker.client.incoming.get_nowait()
            if isinstance(turned, LinkTurned):
                self._say(text(f"central.live-link-{'up' if turned.up else 'down'}", self._lang, broker=self._broker))

    def _tell_quiet(self, level_db: float, now_s: float) -> None:
        if level_db > QUIET_DB:
            self._loud_s, self._quiet_told = now_s, False
        elif now_s > self._loud_s + QUIET_S and not self._quiet_told:
            self._quiet_told = True
            self._say(text("central.live-quiet", self._lang, seconds=int(QUIET_S)))
        if now_s > self._loud_s + QUIET_MOST_S:
            raise CentralError("live-input-quiet", seconds=int(QUIET_MOST_S))

    def _say(self, line: str) -> None:
        print(f"\r{line}\x1b[K" if self._is_terminal else line, flush=True)

    def _words(self, name: str, speaker: Speaker, **more: Any) -> str:
        span_s = int(time.monotonic() - self._begun_s)
        length = f"{span_s // 60}:{span_s % 60:02}"
        return text(name, self._lang, length=length, sent=speaker.sent, unsent=speaker.unsent, **more)

    def end(self, speaker: Speaker) -> None:
        """It is over."""
        self._say(self._words("central.live-over", speaker))


def level(block: bytes) -> float:
    """How loud a block is, RMS, in dBFS; -120 for silence."""
    samples = array("h", block[: len(block) // 2 * 2])
    mean = sum(sample * sample for sample in samples) / len(samples) if samples else 0.0
    return round(10 * math.log10(mean / 32_768**2), 1) if mean else -120.0
