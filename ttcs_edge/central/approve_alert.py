"""An alert that was approved: shown with who will hear it, judged, sent, and followed until it was heard."""

from __future__ import annotations

from datetime import datetime

from rich.console import RenderableType

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.alert import count_of, follow_sent, meet
from ttcs_edge.central.alert_count import LEAVES
from ttcs_edge.central.alert_history import newest_kept
from ttcs_edge.central.alert_issue import judged_alert, newest_message, put_alert, put_envelope
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import Centre, last_number, take_number
from ttcs_edge.central.draw_alert import alert_lines
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.publish import Delivery
from ttcs_edge.core.documents import Alert, Signed
from ttcs_edge.locale import Language


def parts(centre: Centre, signed: Signed[Alert], lang: Language, narrow: bool) -> list[RenderableType]:
    """What will be heard where."""
    count = count_of(centre, signed.document.scope)
    return alert_lines(signed.document, count, datetime.now().astimezone(), lang)


def judge(centre: Centre, signed: Signed[Alert]) -> object:
    """What a station would say of it that knows what this centre has sent."""
    kept = newest_kept(centre, signed.document.scope, signed.document.id)
    known = kept.document if kept is not None and kept.document.version < signed.document.version else None
    return judged_alert(centre, signed, known)


def send(centre: Centre, broker: BrokerAddress, signed: Signed[Alert], wait_s: int | None, lang: Language) -> int:
    """Put it on the broker, unless something newer was sent since, and count who heard it; gives the exit code.

    Raises CentralError ``approval-late``.
    """
    alert = signed.document
    count = count_of(centre, alert.scope)
    topics = tuple(count.topics.station("+", leaf) for leaf in LEAVES)
    with (
        OperatorClient(centre, broker, topics).connected() as ears,
        OperatorClient(centre, broker).connected() as mouth,
    ):
        meet(ears, count)
        with centre.alone():
            folder = centre.alert_folder(alert.scope, alert.id)
            newest = newest_message(centre, alert.scope, alert.id, mouth)
            if newest is not None and newest.document.version >= alert.version and newest.document != alert:
                raise CentralError(
                    "approval-late",
                    subject=alert.id,
                    found=newest.document.version,
                    version=alert.version,
                    command="alert",
                )
            if last_number(folder) < alert.version:
                take_number(folder, alert.version - 1)
            put_alert(centre, mouth, signed)
        put_envelope(centre, mouth, signed, Delivery(broker=broker))
        return follow_sent(signed, ears, count, broker, wait_s, lang)
