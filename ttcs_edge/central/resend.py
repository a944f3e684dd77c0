"""An order to one station to send reports again, and its answer.

The order is signed, holds for an hour, and is checked here as the station will. The answer is not signed: it comes over
the broker's TLS, under the station's own topic, with the correlation data of this order.
"""

from __future__ import annotations

import queue
import re
import time
from collections.abc import Sequence
from secrets import token_hex
from typing import Final

from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.broker import Heard, OperatorClient
from ttcs_edge.central.centre import Centre, check_grant, now, utc
from ttcs_edge.central.errors import CentralError
from ttcs_edge.core.documents import ID_PATTERN, Command, Refused, ResendRange, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import StationSettings
from ttcs_edge.core.trust import judge_command
from ttcs_edge.wire.documents import read_command, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.reports import ReplyReport, read_report
from ttcs_edge.wire.topics import Topics

VALID_S: Final = 3_600
"""How long a command holds: as long as a station may be away and still do it."""


def resend(
    centre: Centre,
    address: BrokerAddress,
    station: str,
    wanted: ResendRange,
    signers: Sequence[Signer],
    wait_s: float,
) -> ReplyReport:
    """Have a station send reports again, and give its answer.

    Raises CentralError: ``bad-id``, ``bad-range``, ``no-grant``; ``nobody-listens`` when the broker knows no station
    of that name, ``no-reply`` when it did not answer in time; and those of the broker.
    """
    if not re.fullmatch(ID_PATTERN, station) or len(station) > LIMITS.id_chars:
        raise CentralError("bad-id", found=station)
    if not 1 <= wanted.last - wanted.first + 1 <= LIMITS.resend_reports:
        raise CentralError("bad-range", first=wanted.first, last=wanted.last, most=LIMITS.resend_reports)
    check_grant(centre, "command")
    topics = Topics(centre.settings.topic_root)
    reply, correlation = topics.station(station, "reply"), token_hex(8).encode()
    with OperatorClient(centre, address, (reply,)).connected() as client:
        command, envelope = make_command(centre, station, wanted, signers)
        heard = client.order(topics.station(station, "command"), envelope, VALID_S, reply, correlation)
        if not heard:
            raise CentralError("nobody-listens", station=station)
        return _await_reply(client, command, reply, correlation, wait_s)


def make_command(centre: Centre, station: str, wanted: ResendRange, signers: Sequence[Signer]) -> tuple[Command, bytes]:
    """Sign a command, and check it as the station will. Raises CentralError ``refused-by-own-check``."""
    issued_ms = now().wall_ms
    command = Command(
        scope=centre.settings.scope,
        station=station,
        version=issued_ms,
        issued=utc(issued_ms),
        expires=utc(issued_ms + VALID_S * 1_000),
        resend=wanted,
    )
    envelope = sign(write_document(command), PAYLOAD_TYPES["command"], signers)
    trust, there = centre.trust.document, StationSettings(station, centre.settings.scope, (), "UTC")
    signed = read_command(envelope, trust, station)
    verdict: object = signed
    if isinstance(signed, Signed):
        verdict = judge_command(signed, trust=trust, station=there, floor=0, again=False, now=now())
    if isinstance(verdict, Refused):
        detail = ", ".join(f"{name}={value}" for name, value in verdict.detail)
        raise CentralError("refused-by-own-check", found=verdict.code, detail=detail)
    return command, envelope


def _await_reply(
    client: OperatorClient, command: Command, topic: str, correlation: bytes, wait_s: float
) -> ReplyReport:
    until_s = time.monotonic() + wait_s
    while (left_s := until_s - time.monotonic()) > 0:
        try:
            message = client.incoming.get(timeout=left_s)
        except queue.Empty:
            break
        if not isinstance(message, Heard) or message.correlation != correlation or message.topic != topic:
            continue
        report = read_report(message.payload, topic)
        # What answers to another command, or for another station, is no answer.
        if isinstance(report, ReplyReport) and (report.station, report.command) == (command.station, command.version):
            return report
    raise CentralError("no-reply", station=command.station, seconds=round(wait_s))
