"""``ttcs-central approve``: a second person signs what the first one signed, and with enough it goes out.

1 Somebody whom the trust root knows has signed it: nobody looks at what a stranger wrote.
2 What will air is shown before it is asked for. The very bytes are signed that the first one signed.
3 It goes out only with enough signatures, checked as a station would, and only when nothing newer was published.

Who approves needs ``centre.yaml``, ``trust`` and a key of his own; only who sends it needs the broker. Programmes and
alerts may wait so; what differs between them is a row of ``KINDS``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, Final, Literal

from msgspec import Struct
from rich.console import RenderableType

from ttcs_edge import whole_files
from ttcs_edge.central import approve_alert, approve_programme
from ttcs_edge.central.address import BrokerAddress, needed_broker
from ttcs_edge.central.asking import confirm
from ttcs_edge.central.centre import Centre, SigningKey, open_centre, read_file
from ttcs_edge.central.errors import CentralError, refuse
from ttcs_edge.central.publish import LACKING
from ttcs_edge.central.stations import check_scope
from ttcs_edge.central.trust_folder import key_names
from ttcs_edge.central.trust_sign import reachable
from ttcs_edge.core.documents import Refused, Signed
from ttcs_edge.core.trust import counted
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen
from ttcs_edge.wire.documents import parse_alert, parse_programme
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, Sealed, countersign, read_envelope


class Kind(Struct, frozen=True):
    """What may wait: the role that must sign it, and how it is read, shown, judged and sent.

    What sends it is told for how long it may wait for answers, and gives an exit code.
    """

    role: Literal["publish", "alert"]
    parse: Callable[[bytes, str], Any]
    parts: Callable[[Centre, Signed[Any], Language, bool], list[RenderableType]]
    judge: Callable[[Centre, Signed[Any]], object]
    send: Callable[[Centre, BrokerAddress, Signed[Any], int | None, Language], int]


KINDS: Final = {
    "programme": Kind(
        "publish", parse_programme, approve_programme.parts, approve_programme.judge, approve_programme.send
    ),
    "alert": Kind("alert", parse_alert, approve_alert.parts, approve_alert.judge, approve_alert.send),
}


class Approval(Struct, frozen=True):
    """A document that waits, and whose signatures it has."""

    kind: Kind
    sealed: Sealed
    signed: Signed[Any]


def approve(given: argparse.Namespace, secret: Callable[[str], str], lang: Language) -> int:
    """Carry the command out; gives the exit code. Raises CentralError."""
    centre = open_centre(given.folder)
    broker = None if given.sign_only else needed_broker(given.broker or centre.settings.broker)
    waiting = read_approval(centre, given)
    out = screen.console()
    screen.show(out, waiting.kind.parts(centre, waiting.signed, lang, out.width < screen.PHONE_COLUMNS))
    signers, _ = reachable(centre, own_keys(centre, waiting), secret, must=False)
    if signers:
        if not given.yes:
            confirm(text("central.approve-ask", lang))
        envelope = countersign(waiting.sealed, waiting.signed.signers, [signer for _, signer in signers])
        whole_files.replace(given.file.absolute(), envelope, whole_files.PUBLIC)
        waiting = read_approval(centre, given)
    names = key_names(centre)
    signed_by = ", ".join(sorted(names[key] for key in waiting.signed.signers))
    screen.show(out, [screen.styled(text("central.approve-signed-by", lang, names=signed_by))])
    verdict = waiting.kind.judge(centre, waiting.signed)
    if isinstance(verdict, Refused):
        if verdict.code != LACKING:
            refuse(verdict)
        fields = {**dict(verdict.detail), "file": given.file}
        screen.show(out, [screen.styled(text("central.approve-lacks", lang, **fields), screen.DOUBTFUL)])
        return 0
    if broker is None:
        screen.show(out, [screen.styled(text("central.approve-enough", lang, name=given.file.name))])
        return 0
    return waiting.kind.send(centre, broker, waiting.signed, given.seconds, lang)


def read_approval(centre: Centre, given: argparse.Namespace) -> Approval:
    """Read a document that somebody known has signed. Raises CentralError ``bad-approval``, ``outside-scope``."""
    data = read_file(given.file)
    read = {name: read_envelope(data, PAYLOAD_TYPES[name], "") for name in KINDS}
    name, sealed = next(((name, one) for name, one in read.items() if isinstance(one, Sealed)), (None, None))
    if name is None or sealed is None:
        (wrong, *_) = [one.code for one in read.values() if isinstance(one, Refused)]
        raise CentralError("bad-approval", file=given.file, found=wrong)
    kind = KINDS[name]
    signers = sealed.signers(centre.trust.document.keys)
    document = kind.parse(sealed.payload, "") if signers else Refused(LACKING, "")
    if isinstance(document, Refused):
        raise CentralError("bad-approval", file=given.file, found=document.code)
    check_scope(document.scope, centre)
    return Approval(kind, sealed, Signed(document, signers, data))


def own_keys(centre: Centre, waiting: Approval) -> list[SigningKey]:
    """The keys that count for its scope, have not signed it, and are not known to be elsewhere."""
    signed = waiting.signed
    may = counted(centre.trust.document, waiting.kind.role, signed.document.scope) - signed.signers
    return [key for key in centre.settings.keys if key.keyid in may and not centre.is_elsewhere(key)]
