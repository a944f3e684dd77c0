"""A programme that was approved: shown with what will air, judged, and sent."""

from __future__ import annotations

from rich.console import RenderableType

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import Centre, last_number, take_number
from ttcs_edge.central.draw_published import last_line, programme_parts
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.publish import judged, published, put_on_broker, version_of
from ttcs_edge.core.documents import Programme, Refused, Signed
from ttcs_edge.locale import Language
from ttcs_edge.terminal import screen
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, read_envelope
from ttcs_edge.wire.topics import Topics


def parts(centre: Centre, signed: Signed[Programme], lang: Language, narrow: bool) -> list[RenderableType]:
    """What will air."""
    return programme_parts(published(signed.document, signed.envelope), lang, narrow=narrow)


def judge(centre: Centre, signed: Signed[Programme]) -> object:
    """What a station would say of it."""
    return judged(centre, signed.envelope, signed.document.scope, 0)


def send(centre: Centre, broker: BrokerAddress, signed: Signed[Programme], wait_s: int | None, lang: Language) -> int:
    """Put it on the broker, unless something newer was published since. Raises CentralError ``approval-late``."""
    programme = signed.document
    topic = Topics(centre.settings.topic_root).programme(programme.scope)
    with OperatorClient(centre, broker).connected() as client, centre.alone():
        folder = centre.programme_folder(programme.scope)
        standing = client.standing(topic)
        newest = max(last_number(folder), version_of(standing, centre, programme.scope))
        if newest > programme.version or (newest == programme.version and _is_other(standing, signed, centre)):
            raise CentralError(
                "approval-late", subject=programme.scope, found=newest, version=programme.version, command="publish"
            )
        if last_number(folder) < programme.version:
            take_number(folder, programme.version - 1)
        put_on_broker(centre, client, programme, signed.envelope)
    screen.show(screen.console(), [last_line("central.published", programme, lang)])
    return 0


def _is_other(standing: bytes | None, signed: Signed[Programme], centre: Centre) -> bool:
    """Tell whether another document stands on the broker under its version."""
    scope, version = signed.document.scope, signed.document.version
    if standing is None or version_of(standing, centre, scope) != version:
        return False
    there, ours = (read_envelope(data, PAYLOAD_TYPES["programme"], "") for data in (standing, signed.envelope))
    return isinstance(there, Refused) or isinstance(ours, Refused) or there.payload != ours.payload
