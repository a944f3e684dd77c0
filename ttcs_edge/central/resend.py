"""An order to one station to send reports again."""

from __future__ import annotations

from collections.abc import Sequence

from securesystemslib.signer import Signer

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.orders import Order, check_station, give
from ttcs_edge.core.documents import ResendRange
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.wire.reports import ReplyReport


def resend(
    centre: Centre,
    address: BrokerAddress,
    station: str,
    wanted: ResendRange,
    signers: Sequence[Signer],
    wait_s: float,
) -> ReplyReport:
    """Have a station send reports again, and give its answer.

    Raises CentralError: ``bad-range``, and those of ``orders.give``.
    """
    check_station(station)
    if not 1 <= wanted.last - wanted.first + 1 <= LIMITS.resend_reports:
        raise CentralError("bad-range", first=wanted.first, last=wanted.last, most=LIMITS.resend_reports)
    (reply,) = give(centre, address, Order(station, "resend", wanted), signers, wait_s)[:1]
    return reply
