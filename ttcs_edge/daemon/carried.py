"""What a technician carries in and out by hand, where there is no link: a bundle in, reports out.

A programme that comes by hand goes the way of one from the broker: the same reading, the same event, the same faults.
So do trust roots; what is handed over behind them is read by the keys that they name.
Its ``Acknowledge``, which nobody waits for on a network, tells that it is on disk: only then is it told as in force.
Audio goes through the fetcher, the one thread that writes it. Who carried it in goes with all of it, into the audit
trail. Called on the control socket's threads.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any, Protocol

from ttcs_edge.core.documents import Refused, Signed, TrustRoot
from ttcs_edge.core.events import Event, ProgrammeArrived, TrustArrived
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Instant, LocalUser, Sha256, is_sha256, scope_prefixes
from ttcs_edge.core.station import Station
from ttcs_edge.core.trust import Accepted, AlreadyInForce, judge_chain
from ttcs_edge.link.control import ControlError
from ttcs_edge.link.fetcher import Fetcher, Offer
from ttcs_edge.link.inbox import Readers
from ttcs_edge.store.outbox import Outbox, OutboxRow
from ttcs_edge.wire.bundle import is_file, read_whole

ON_DISK_S = 8.0
"""How long a programme may take to be on disk: less than the technician's command waits."""
GLANCE_S = 1.0
"""How long one question about a file waits before it tells how far it has come."""
PAGE_ROWS = 500
PAGE_BYTES = 1024 * 1024
"""How many reports one answer brings at the most."""


class Ask(Protocol):
    """Looks at the core between two events, and gives what was seen."""

    def __call__(self, call: Callable[[Station], Any], timeout_s: float) -> Any:
        """Raises TimeoutError or queue.Full."""


class Carried:
    """Answers what ``ttcs-edge import`` and ``ttcs-edge export-reports`` ask."""

    def __init__(
        self,
        ask: Ask,
        now: Callable[[], Instant],
        post: Callable[[Event], None],
        readers: Readers,
        fetcher: Fetcher,
        outbox: Outbox,
    ) -> None:
        self._ask = ask
        self._now = now
        self._post = post
        self._readers = readers
        self._fetcher = fetcher
        self._outbox = outbox
        self._numbers = itertools.count(-1, -1)
        self._awaited: dict[int, threading.Event] = {}
        self._lock = threading.Lock()
        self._offer: Offer | None = None

    def questions(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """What may be asked without a file."""
        return {"import-scopes": self._scopes, "import-wanted": self._wanted, "reports": self._reports}

    def questions_with_file(self) -> dict[str, Callable[[dict[str, Any], int, LocalUser], dict[str, Any]]]:
        """What comes with an open file."""
        return {"import-trust": self._trust, "import-programme": self._programme, "import-audio": self._audio}

    def acknowledged(self, delivery: int) -> bool:
        """Take the acknowledgement of what was carried in; False when it is of a message of the broker's."""
        if delivery >= 0:
            return False
        awaited = self._awaited.get(delivery)
        if awaited is not None:
            awaited.set()
        return True

    def _scopes(self, request: dict[str, Any]) -> dict[str, Any]:
        settings = self._ask(lambda station: station.settings, ON_DISK_S)
        return {"station": settings.id, "scope": settings.scope, "scopes": list(scope_prefixes(settings.scope))}

    def _of_scope(self, request: dict[str, Any], file: int, most_bytes: int) -> tuple[str, bytes]:
        """The scope of what is handed over, and its bytes. Raises ControlError."""
        scope = request.get("scope")
        if not isinstance(scope, str) or scope not in self._scopes(request)["scopes"] or not is_file(file):
            raise ControlError("bad-request", found=str(scope)[:60])
        return scope, _read(file, most_bytes)

    def _trust(self, request: dict[str, Any], file: int, by: LocalUser) -> dict[str, Any]:
        scope, data = self._of_scope(request, file, LIMITS.trust_bytes)
        roots = self._readers.trust(data, scope)

        def judged(station: Station) -> tuple[int, TrustRoot | AlreadyInForce | Refused]:
            trust = station.programmes.trust
            assert trust is not None
            if isinstance(roots, Refused):
                return trust.version, roots
            return trust.version, judge_chain(roots, trust=trust, topic_scope=scope, now=self._now())

        version, verdict = self._ask(judged, ON_DISK_S)
        self._put_in(lambda delivery: TrustArrived(roots, scope, delivery, by))
        return _answer(scope, verdict.version if isinstance(verdict, TrustRoot) else version, verdict)

    def _programme(self, request: dict[str, Any], file: int, by: LocalUser) -> dict[str, Any]:
        scope, data = self._of_scope(request, file, LIMITS.envelope_bytes)
        signed = self._readers.programme(data, scope)
        # The verdict that the core is about to come to, told in words; it is the event that changes the station.
        verdict: Accepted | AlreadyInForce | Refused = (
            signed
            if isinstance(signed, Refused)
            else self._ask(lambda station: station.programmes.judged(signed, scope, self._now()), ON_DISK_S)
        )
        self._put_in(lambda delivery: ProgrammeArrived(signed, scope, delivery, by))
        return _answer(scope, signed.document.version if isinstance(signed, Signed) else None, verdict)

    def _put_in(self, event: Callable[[int], Event]) -> None:
        """Have the core take it, and wait until what it changes is on disk. Raises TimeoutError."""
        on_disk = threading.Event()
        delivery = next(self._numbers)
        self._awaited[delivery] = on_disk
        try:
            self._post(event(delivery))
            if not on_disk.wait(ON_DISK_S):
                raise TimeoutError
        finally:
            del self._awaited[delivery]

    def _wanted(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = self._fetcher.wanted()
        return {"audio": [{"sha256": audio.sha256, "size_bytes": audio.size_bytes} for audio in wanted]}

    def _audio(self, request: dict[str, Any], file: int, by: LocalUser) -> dict[str, Any]:
        sha256 = request.get("sha256")
        if not isinstance(sha256, str) or not is_sha256(sha256) or not is_file(file):
            raise ControlError("bad-request", found=str(sha256)[:60])
        offer = self._offered(Sha256(sha256), file, by, again=request.get("again") is True)
        if not offer.ended.wait(GLANCE_S):
            return {"outcome": "copying", "offset": offer.offset, "code": None, "detail": []}
        with self._lock:
            self._offer = None
        failure = offer.failure
        code, detail = (None, ()) if failure is None else (failure.code, failure.detail)
        return {
            "outcome": offer.outcome,
            "offset": offer.offset,
            "code": code,
            "detail": [list(pair) for pair in detail],
        }

    def _offered(self, sha256: Sha256, file: int, by: LocalUser, *, again: bool) -> Offer:
        """The offer of this file; when it is asked for ``again``, the one before, whose end may have come meanwhile.

        How an offer ended that a command left behind is nobody's answer any more.
        """
        with self._lock:
            held = self._offer
            if held is None or held.sha256 != sha256 or (held.ended.is_set() and not again):
                offer = self._fetcher.offer(sha256, file, by)
                if offer is None:
                    raise ControlError("busy")
                self._offer = offer
                return offer
            return held

    def _reports(self, request: dict[str, Any]) -> dict[str, Any]:
        after_seq = request.get("after", 0)
        if not isinstance(after_seq, int) or isinstance(after_seq, bool) or not 0 <= after_seq < 2**63:
            raise ControlError("bad-request", found=str(after_seq)[:60])
        station = self._ask(lambda station: station.settings.id, ON_DISK_S)
        among = self._outbox.kept if request.get("kept") is True else self._outbox.pending
        rows = among(PAGE_ROWS, after_seq)
        page = list(_first_bytes(rows, PAGE_BYTES))
        return {
            "station": station,
            "reports": [row.body.decode() for row in page],
            "after": page[-1].seq if page else after_seq,
        }


def _answer(
    scope: str, version: int | None, verdict: TrustRoot | Accepted | AlreadyInForce | Refused
) -> dict[str, Any]:
    """What is told of a document that was handed over."""
    answer: dict[str, Any] = {"scope": scope, "outcome": "accepted", "version": version, "code": None, "detail": []}
    if isinstance(verdict, Refused):
        pairs = [list(pair) for pair in verdict.detail]
        return answer | {"outcome": "refused", "code": verdict.code, "detail": pairs}
    return answer | ({"outcome": "in-force"} if isinstance(verdict, AlreadyInForce) else {})


def _read(file: int, most_bytes: int) -> bytes:
    try:
        return read_whole(file, most_bytes)
    except OSError as error:
        raise ControlError("unreadable", error=str(error)) from error


def _first_bytes(rows: list[OutboxRow], most_bytes: int) -> list[OutboxRow]:
    """The first rows, as many as fit; one at least."""
    sizes = itertools.accumulate(len(row.body) for row in rows)
    return [row for row, size_bytes in zip(rows, sizes, strict=True) if size_bytes <= most_bytes] or rows[:1]
