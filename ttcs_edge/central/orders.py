"""An order to one station, and its answers.

The order is signed, holds for a while, and is checked here as the station will. The answers are not signed: they come
over the broker's TLS, under the station's own topic, with the correlation data of this order.
"""

from __future__ import annotations

import queue
import re
import time
from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Any, Final

from msgspec import Struct
from securesystemslib.signer import Signer

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.broker import Heard, OperatorClient
from ttcs_edge.central.centre import Centre, check_grant, now, utc
from ttcs_edge.central.errors import CentralError, refuse
from ttcs_edge.core.documents import ID_PATTERN, Action, Command, Refused, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import StationSettings
from ttcs_edge.core.trust import judge_command
from ttcs_edge.wire.documents import read_command, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.reports import ReplyReport, Report, StatusReport, read_report
from ttcs_edge.wire.topics import Topics

VALID_S: Final = {"resend": 3_600, "stop": 60, "volume": 3_600, "test_tone": 60, "walk": 60, "restart": 300, "log": 300}
"""How long an order holds: as long as a station may be away and still do it. What is heard at once is for now: a stop
that comes an hour late would end another bulletin."""
UNDER_WAY: Final = "under-way"


_Asked = dict[str, Any]
"""What is asked for, by its name in ``Command``; whether that is its own, the check behind the signature tells."""


class Order(Struct, frozen=True):
    """What one station is to do: an action of ``Command`` and its name there."""

    station: str
    name: str
    action: Action

    @property
    def valid_s(self) -> int:
        """How long it holds."""
        return VALID_S[self.name]


def give(
    centre: Centre,
    address: BrokerAddress,
    order: Order,
    signers: Sequence[Signer],
    wait_s: float,
    under_way: Callable[[], None] = lambda: None,
) -> list[ReplyReport]:
    """Give an order, and its last answer, in all its parts; ``under_way`` is called when the station has begun.

    Of a restart the last answer is that it is under way, and the station is there again.

    Raises CentralError: ``bad-id``, ``no-grant``; ``nobody-listens`` when the broker knows no station of that name,
    ``no-reply`` or ``no-answer`` when it did not answer in time, ``not-back`` when it did not come back; and those of
    the broker.
    """
    check_station(order.station)
    check_grant(centre, "command")
    topics = Topics(centre.settings.topic_root)
    reply, status = (topics.station(order.station, leaf) for leaf in ("reply", "status"))
    correlation = token_hex(8).encode()
    heard = (reply, status) if order.name == "restart" else (reply,)
    with OperatorClient(centre, address, heard).connected() as client:
        command, envelope = make_command(centre, order, signers)
        listens = client.order(topics.station(order.station, "command"), envelope, order.valid_s, reply, correlation)
        if not listens:
            raise CentralError("nobody-listens", station=order.station)
        answers = _Answers(client, command, topics, correlation, wait_s)
        return answers.restarted(under_way) if order.name == "restart" else answers.last(under_way)


def check_station(station: str) -> None:
    """Check the name of a station. Raises CentralError ``bad-id``."""
    if not re.fullmatch(ID_PATTERN, station) or len(station) > LIMITS.id_chars:
        raise CentralError("bad-id", found=station)


def make_command(centre: Centre, order: Order, signers: Sequence[Signer]) -> tuple[Command, bytes]:
    """Sign a command, and check it as the station will. Raises CentralError ``refused-by-own-check``."""
    issued_ms, asked = now().wall_ms, _Asked({order.name: order.action})
    command = Command(
        scope=centre.settings.scope,
        station=order.station,
        version=issued_ms,
        issued=utc(issued_ms),
        expires=utc(issued_ms + order.valid_s * 1_000),
        **asked,
    )
    envelope = sign(write_document(command), PAYLOAD_TYPES["command"], signers)
    trust, there = centre.trust.document, StationSettings(order.station, centre.settings.scope, (), "UTC")
    signed = read_command(envelope, trust, order.station)
    verdict: object = signed
    if isinstance(signed, Signed):
        verdict = judge_command(signed, trust=trust, station=there, floor=0, again=False, now=now())
    if isinstance(verdict, Refused):
        refuse(verdict)
    return command, envelope


class _Answers:
    """What a station says to one command, until a limit of time."""

    def __init__(
        self, client: OperatorClient, command: Command, topics: Topics, correlation: bytes, wait_s: float
    ) -> None:
        self._client = client
        self._command = command
        self._topics = topics
        self._correlation = correlation
        self._wait_s = wait_s
        self._until_s = time.monotonic() + wait_s

    def last(self, under_way: Callable[[], None]) -> list[ReplyReport]:
        """Wait for the answer behind which no other comes; gives its parts in their order."""
        parts: dict[int, ReplyReport] = {}
        while (report := self._next()) is not None:
            if not isinstance(report, ReplyReport):
                continue
            if report.outcome == UNDER_WAY:
                under_way()
                continue
            parts[report.part] = report
            if len(parts) >= report.parts:
                return [parts[number] for number in sorted(parts)]
        raise self._nothing()

    def restarted(self, under_way: Callable[[], None]) -> list[ReplyReport]:
        """Wait until a station that said it would start again has more starts than it had; or for why it does not."""
        leaving: ReplyReport | None = None
        while (report := self._next()) is not None:
            if isinstance(report, StatusReport):
                if leaving is not None and report.state == "online" and report.boot > _boot(leaving):
                    return [leaving]
            elif isinstance(report, ReplyReport):
                if report.outcome != UNDER_WAY:
                    return [report]
                leaving = report
                under_way()
        raise self._nothing() if leaving is None else CentralError("not-back", **self._fields())

    def _nothing(self) -> CentralError:
        name, _ = self._command.action
        if name == "resend":
            return CentralError("no-reply", **self._fields())
        return CentralError("no-answer", **self._fields(), valid_s=VALID_S[name])

    def _fields(self) -> dict[str, object]:
        return {"station": self._command.station, "seconds": round(self._wait_s)}

    def _next(self) -> Report | None:
        """The next answer to this command, or the station's next birth; None when time is up."""
        while (left_s := self._until_s - time.monotonic()) > 0:
            try:
                message = self._client.incoming.get(timeout=left_s)
            except queue.Empty:
                return None
            if isinstance(message, Heard) and (report := self._meant(message)) is not None:
                return report
        return None

    def _meant(self, message: Heard) -> Report | None:
        """What is said by this station, and, of answers, to this command: what answers to another is no answer."""
        station = self._command.station
        report = read_report(message.payload, message.topic)
        match report:
            case StatusReport() if message.topic == self._topics.station(station, "status"):
                return report if report.station == station else None
            case ReplyReport() if message.topic == self._topics.station(station, "reply"):
                mine = (report.station, report.command) == (station, self._command.version)
                return report if mine and message.correlation == self._correlation else None
            case _:
                return None


def _boot(reply: ReplyReport) -> int:
    """The number of the start that ends; from a station's own words, which may be anything."""
    found = reply.detail.get("boot", "")
    return int(found) if found.isascii() and found.isdigit() and len(found) < 20 else 0
