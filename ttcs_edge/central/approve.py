"""``ttcs-central approve``: a second person signs a programme that the first one signed, and with enough it goes out.

1 Somebody whom the trust root knows has signed it: nobody looks at what a stranger wrote.
2 What will air is shown before it is asked for. The very bytes are signed that the first one signed.
3 It goes out only with enough signatures, checked as a station would, and only when nothing newer was published.

Who approves needs ``centre.yaml``, ``trust`` and a key of his own; only who sends it needs the broker.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from msgspec import Struct

from ttcs_edge import whole_files
from ttcs_edge.central.address import BrokerAddress, needed_broker
from ttcs_edge.central.asking import confirm
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import Centre, SigningKey, last_number, open_centre, read_file, take_number
from ttcs_edge.central.draw_published import last_line, programme_parts
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.publish import LACKING, judged, published, put_on_broker, refuse, version_of
from ttcs_edge.central.stations import check_scope
from ttcs_edge.central.trust_folder import key_names
from ttcs_edge.central.trust_sign import reachable
from ttcs_edge.core.documents import Programme, Refused
from ttcs_edge.core.trust import counted
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen
from ttcs_edge.wire.documents import parse_programme
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, Sealed, countersign, read_envelope
from ttcs_edge.wire.topics import Topics


class Approval(Struct, frozen=True):
    """A programme that waits, and whose signatures it has."""

    programme: Programme
    sealed: Sealed
    signers: frozenset[str]
    envelope: bytes


def approve(given: argparse.Namespace, secret: Callable[[str], str], lang: Language) -> None:
    """Carry the command out. Raises CentralError."""
    centre = open_centre(given.folder)
    broker = None if given.sign_only else needed_broker(given.broker or centre.settings.broker)
    waiting = read_approval(centre, given)
    out = screen.console()
    shown = published(waiting.programme, waiting.envelope)
    screen.show(out, programme_parts(shown, lang, narrow=out.width < screen.PHONE_COLUMNS))
    signers, _ = reachable(centre, own_keys(centre, waiting), secret, must=False)
    if signers:
        if not given.yes:
            confirm(text("central.approve-ask", lang))
        envelope = countersign(waiting.sealed, waiting.signers, [signer for _, signer in signers])
        whole_files.replace(given.file.absolute(), envelope, whole_files.PUBLIC)
        waiting = read_approval(centre, given)
    names = key_names(centre)
    signed = ", ".join(sorted(names[key] for key in waiting.signers))
    parts = [screen.styled(text("central.approve-signed-by", lang, names=signed))]
    verdict = judged(centre, waiting.envelope, waiting.programme.scope, 0)
    if isinstance(verdict, Refused):
        if verdict.code != LACKING:
            refuse(verdict)
        fields = {**dict(verdict.detail), "file": given.file}
        parts.append(screen.styled(text("central.approve-lacks", lang, **fields), screen.DOUBTFUL))
    elif broker is None:
        parts.append(screen.styled(text("central.approve-enough", lang, name=given.file.name)))
    else:
        send(centre, broker, waiting)
        parts.append(last_line("central.published", waiting.programme, lang))
    screen.show(out, parts)


def read_approval(centre: Centre, given: argparse.Namespace) -> Approval:
    """Read a programme that somebody known has signed. Raises CentralError ``bad-approval``, ``outside-scope``."""
    data = read_file(given.file)
    sealed = read_envelope(data, PAYLOAD_TYPES["programme"], "")
    if isinstance(sealed, Refused):
        raise CentralError("bad-approval", file=given.file, found=sealed.code)
    signers = sealed.signers(centre.trust.document.keys)
    programme = parse_programme(sealed.payload, "") if signers else Refused(LACKING, "")
    if isinstance(programme, Refused):
        raise CentralError("bad-approval", file=given.file, found=programme.code)
    check_scope(programme.scope, centre)
    return Approval(programme, sealed, signers, data)


def own_keys(centre: Centre, waiting: Approval) -> list[SigningKey]:
    """The keys that count for its scope, have not signed it, and are not known to be elsewhere."""
    may = counted(centre.trust.document, "publish", waiting.programme.scope) - waiting.signers
    return [key for key in centre.settings.keys if key.keyid in may and not centre.is_elsewhere(key)]


def send(centre: Centre, broker: BrokerAddress, waiting: Approval) -> None:
    """Put it on the broker, unless something newer was published since. Raises CentralError ``approval-late``."""
    programme = waiting.programme
    topic = Topics(centre.settings.topic_root).programme(programme.scope)
    with OperatorClient(centre, broker).connected() as client, centre.alone():
        folder = centre.programme_folder(programme.scope)
        standing = client.standing(topic)
        newest = max(last_number(folder), version_of(standing, centre, programme.scope))
        if newest > programme.version or (newest == programme.version and _is_other(standing, waiting, centre)):
            raise CentralError("approval-late", scope=programme.scope, found=newest, version=programme.version)
        if last_number(folder) < programme.version:
            take_number(folder, programme.version - 1)
        put_on_broker(centre, client, programme, waiting.envelope)


def _is_other(standing: bytes | None, waiting: Approval, centre: Centre) -> bool:
    """Tell whether another document stands on the broker under its version."""
    scope, version = waiting.programme.scope, waiting.programme.version
    if standing is None or version_of(standing, centre, scope) != version:
        return False
    sealed = read_envelope(standing, PAYLOAD_TYPES["programme"], "")
    return isinstance(sealed, Refused) or sealed.payload != waiting.sealed.payload
