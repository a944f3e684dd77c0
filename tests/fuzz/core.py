"""A station's core behind its readers: what it is told is read and judged; refused, it has changed nothing."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner

from tests.core.material import ByHand, only
from tests.core.test_station import DOCUMENT
from tests.parts import PLACE, SCOPE, Province
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.model import MonoMs, Scope
from ttcs_edge.core.reports import Snapshot
from ttcs_edge.core.trust import alert_subject, live_subject
from ttcs_edge.daemon.carried import Carried
from ttcs_edge.daemon.control import Control
from ttcs_edge.daemon.hands import Hands
from ttcs_edge.daemon.looking_back import LookingBack
from ttcs_edge.daemon.walking import Walking
from ttcs_edge.drivers.player import PlayerProcess
from ttcs_edge.link.fetcher import Fetcher
from ttcs_edge.link.inbox import Inbox, Kind, Message, Readers
from ttcs_edge.player import messages
from ttcs_edge.store.database import Database
from ttcs_edge.store.outbox import Outbox
from ttcs_edge.wire.documents import (
    read_alert,
    read_beacon,
    read_command,
    read_live,
    read_programme,
    read_trust_chain,
    write_trust_chain,
)
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.reports import encode, heartbeat_report, read_report
from ttcs_edge.wire.topics import Topics

_NUMBERS = itertools.count(1)


def _numbered_key() -> CryptoSigner:
    """The same keys in each run: what was found in one must be found again in the next."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(next(_NUMBERS).to_bytes(32, "big")))


PROVINCE = Province(publishers=2, threshold=2, make_key=_numbered_key)
STRANGERS = [_numbered_key(), _numbered_key()]
EVENTS_OF_A_LIFE = 500
"""A station by hand remembers all that it did; after so many events it is begun anew."""
SUBJECTS = {
    "programme": SCOPE,
    "beacon": SCOPE,
    "trust": "vn",
    "command": "da-teh-01",
    "alert": alert_subject(SCOPE, "lu-quet-27"),
    "live": live_subject(SCOPE, "thoi-su"),
}


QUIET = (effects.Record, effects.WakeAt, effects.ShowLamp, effects.Note, effects.Acknowledge)
TOLD = (effects.FaultRaised, effects.FaultCleared, effects.WatchedUntil, effects.Audited)
"""What may follow from what is refused, and what may be recorded of it: a fault, an entry of the audit trail, and how
long the station was awake.
"""


class _NoFetcher:
    """Wants nothing, and takes nothing."""

    def wanted(self) -> tuple[()]:
        """Nothing."""
        return ()

    def offer(self, sha256: str, file: int, by: object) -> None:
        """Busy."""


class _NoOutbox:
    """Empty."""

    def kept(self, count: int, after: int) -> list[Any]:
        """Nothing."""
        return []

    pending = newest_first = kept


class Core:
    """The core of a station at five in the morning, its readers, and a database to which all goes that it records."""

    def __init__(self, folder: Path, *, on_air: bool = False) -> None:
        self._on_air = on_air
        self.database = Database.open(folder)
        self.database._connection.execute("PRAGMA synchronous = OFF")  # no power fails here
        self._begin()
        readers = Readers(
            trust=lambda data, subject: read_trust_chain(data, PROVINCE.root, subject),
            programme=lambda data, subject: read_programme(data, PROVINCE.root, subject),
            beacon=lambda data, subject: read_beacon(data, PROVINCE.root, subject),
            command=lambda data, subject: read_command(data, PROVINCE.root, subject),
            alert=lambda data, subject: read_alert(data, PROVINCE.root, subject),
            live=lambda data, subject: read_live(data, PROVINCE.root, subject),
        )
        self._readers = readers
        self._inbox = Inbox(Topics("ttcs/v1"), "da-teh-01", Scope(PLACE), readers, lambda event: None)
        self._carried = Carried(
            lambda call, timeout_s: call(self.hand.station),
            lambda: self.hand.now(),
            self._posted,
            readers,
            cast(Fetcher, _NoFetcher()),
            cast(Outbox, _NoOutbox()),
        )
        numbers = itertools.count(1)
        ask: Any = lambda call, timeout_s: call(self.hand.station)  # noqa: E731
        now = lambda: self.hand.now()  # noqa: E731
        self.control = Control(
            ask,
            now,
            dict,
            lambda: (0, None),
            1,
            self._carried,
            Walking(ask, now, self._walked, frozenset(), lambda: next(numbers)),
            Hands(ask, now, self._walked, lambda: next(numbers)),
            self._walked,
            LookingBack(cast(Outbox, _NoOutbox()), "Asia/Ho_Chi_Minh"),
        )

    def _begin(self) -> None:
        self._lived = 0
        civil = "2026-11-24T05:00:10" if self._on_air else "2026-11-24T12:00:00"
        if self._on_air:
            self.hand = ByHand(DOCUMENT, civil="2026-11-24T04:59:00")
            self.hand.wait_until("2026-11-24T05:00:00")
            self.hand.sound_begins()
        else:
            self.hand = ByHand(civil=civil, trust=PROVINCE.root)
        asked = only([effect for _, effect in self.hand.log], effects.StartSound)
        self._play, self._items = (asked[-1].play, len(asked[-1].items)) if asked else (1, 1)

    def shown(self) -> Snapshot:
        """What the station is and has, but for its faults."""
        return replace(self.hand.station.snapshot(self.hand.now()), faults=())

    def _tell(self, event: events.Event) -> list[effects.Effect]:
        """One event; what it records goes on disk, and what it shows can be written."""
        done = self.hand.tell(event)
        for record in only(done, effects.Record):
            self.database.commit(record.entries, "da-teh-01", self.hand.wall_ms)
        self._beat()
        self.hand.log.clear()
        self.hand.story.clear()
        self._lived += 1
        return done

    def _pass_time(self, span_ms: int) -> None:
        end_ms = self.hand.mono_ms + span_ms
        while self.hand.wake_ms <= end_ms:
            self.hand.mono_ms = max(self.hand.mono_ms, self.hand.wake_ms)
            self._tell(events.TimePassed())
        self.hand.mono_ms = end_ms

    def _beat(self) -> None:
        """The heartbeat of this moment is one that the centre can read."""
        snapshot = self.hand.station.snapshot(self.hand.now())
        beat = heartbeat_report(
            snapshot,
            sequence=1,
            boot=1,
            software="",
            outbox_depth=0,
            outbox_oldest_s=0,
            outbox_dropped=0,
            newest=(1, 1),
        )
        read = read_report(encode(beat))
        assert not isinstance(read, Refused), f"a heartbeat that nobody can read: {read}"

    def _posted(self, event: events.Event) -> None:
        for effect in only(self._tell(event), effects.Acknowledge):
            self._carried.acknowledged(effect.delivery)

    def _walked(self, event: events.Event) -> None:
        if not isinstance(event, events.WalkLeft | events.LeaseLeft):  # comes by itself, on a thread of its own
            self._posted(event)

    def document(self, kind: Kind, data: bytes) -> object:
        """Bytes as a document on its topic: as they are, as a stranger's, and as the word of those who may speak.

        Of the first two nothing may come but a fault.
        """
        if self._lived > EVENTS_OF_A_LIFE:
            self._begin()
        for envelope in (data, self._envelope(kind, data, STRANGERS)):
            before = self.shown()
            done = self._tell(self._event(kind, envelope))
            more: list[object] = [effect for effect in done if not isinstance(effect, QUIET)]
            more += [
                entry for one in only(done, effects.Record) for entry in one.entries if not isinstance(entry, TOLD)
            ]
            assert more == [], f"refused, and yet {more}"
            assert self.shown() == before, "refused, and yet another station"
        signers = [PROVINCE.root_signer] if kind == "trust" else PROVINCE.publishers
        event = self._event(kind, self._envelope(kind, data, signers))
        before = self.shown()
        done = self._tell(event)
        refused = isinstance(getattr(event, "roots" if kind == "trust" else _FIELD[kind]), Refused)
        assert not refused or self.shown() == before, "refused, and yet another station"
        return done if not refused else None

    def _envelope(self, kind: Kind, payload: bytes, signers: list[CryptoSigner]) -> bytes:
        made = sign(payload, PAYLOAD_TYPES[kind], signers)
        return write_trust_chain([made]) if kind == "trust" else made

    def _event(self, kind: Kind, data: bytes) -> Any:
        """What the inbox makes of it; that a reader raised would be hidden by the inbox, and is not here."""
        getattr(self._readers, kind)(data, SUBJECTS[kind])
        now = MonoMs(self.hand.mono_ms)
        return self._inbox._event(Message(kind, SUBJECTS[kind], data, 1, False, False, b"c", now))

    def player_says(self, answer: messages.Answer) -> None:
        """Each thing that a player says, as the driver of the player passes it on; of the play that is on the air."""
        if self._lived > EVENTS_OF_A_LIFE:
            self._begin()
        said: list[events.Event] = []
        driver = PlayerProcess.__new__(PlayerProcess)
        driver._post, driver._started, driver._items = said.append, 1, {}
        if isinstance(answer, messages.Ended):
            driver._items[answer.play] = self._items
        if driver._makes_sense(answer):
            driver._pass_on(answer)
        for event in said:
            mine = replace(event, play=self._play) if hasattr(event, "play") else event  # a broken player knows it
            self._tell(mine)
        self._pass_time(1_100)  # how far it has come is recorded
        if any(isinstance(event, events.SoundEnded | events.PlayerReady) for event in said):
            self._tell(events.PlayerGone("died", 0))
            self._begin()


_FIELD = {"programme": "programme", "beacon": "beacon", "command": "command", "alert": "alert", "live": "segment"}
