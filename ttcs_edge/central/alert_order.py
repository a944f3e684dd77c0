"""What an operator wants: a new alert, an update or a cancellation, and of which event; made into a message to send.

An update without a file says again what was said before, with what the command line changes. A cancellation says, where
it is told aloud, that the alert is over: in the languages that have a word for it, or a recording of it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace
from securesystemslib.signer import Signer

from ttcs_edge.central.alert_draft import (
    AlertDraft,
    Changes,
    DraftInfo,
    changed,
    check_texts,
    draft_of,
    spoken_here,
)
from ttcs_edge.central.alert_history import event_of_references, in_force, scope_of
from ttcs_edge.central.alert_issue import Issue, prepare
from ttcs_edge.central.audio import AudioFolder
from ttcs_edge.central.centre import Centre, now, utc
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.publish import Delivery
from ttcs_edge.central.stations import check_scope
from ttcs_edge.core.documents import ID_PATTERN, Alert, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.locale import LANGUAGES, Language, text
from ttcs_edge.wire.topics import OF_A_SCOPE
from ttcs_edge.yaml_form import Page

STEM_CHARS: Final = 40
CANCEL_LASTS_S: Final = 3_600
"""How long a cancellation holds at the least."""
MsgType = Literal["Alert", "Update", "Cancel"]


class Order(Struct, frozen=True, kw_only=True):
    """A message that is wanted: of which event, and what it says. Without a ``draft`` it says what was said before."""

    msg_type: MsgType
    scope: Scope
    event: str
    draft: AlertDraft | None
    changes: Changes
    speak: bool = False


def new_order(
    centre: Centre,
    draft: AlertDraft | None,
    changes: Changes,
    *,
    update: str | None,
    cancel: str | None,
    event: str | None,
    speak: bool,
) -> Order:
    """Say what is wanted of which event. Raises CentralError."""
    given = None if changes.scope is None else check_scope(changes.scope, centre)
    named = update or cancel
    msg_type: MsgType = "Cancel" if cancel else "Update" if update else "Alert"
    if named is None and draft is not None and draft.msg_type != "Alert":  # a CAP file says so itself
        known = event_of_references(centre, draft.refers_to)
        if known is None:
            raise CentralError("unknown-references", file=draft.page.file)
        given, named = known.scope, known.id
        msg_type = "Cancel" if draft.msg_type == "Cancel" else "Update"
    if named is not None:
        scope = scope_of(centre, check_event(named), given)
    else:
        scope = given or (draft.scope if draft else None) or centre.settings.scope
    if named is None:
        assert draft is not None
        named = check_event(event or draft.event or new_event(draft.name))
    place = check_scope(scope, centre)
    return Order(msg_type=msg_type, scope=place, event=named, draft=draft, changes=changes, speak=speak)


def check_event(event: str) -> str:
    """Check the id of an alert. Raises CentralError ``bad-alert-id``."""
    if not re.fullmatch(ID_PATTERN, event) or len(event) > LIMITS.id_chars or event in OF_A_SCOPE:
        raise CentralError("bad-alert-id", found=event)
    return event


def new_event(name: str) -> str:
    """An id for a new event: what it is about, and when it was made."""
    plain = unicodedata.normalize("NFKD", name.replace("đ", "d").replace("Đ", "D")).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^A-Za-z0-9]+", "-", plain)[:STEM_CHARS].strip("-").lower()
    return f"{stem or 'alert'}-{datetime.now():%Y%m%d-%H%M%S}"


def compose(
    centre: Centre, order: Order, before: Signed[Alert] | None, delivery: Delivery, signers: tuple[Signer, ...]
) -> Issue:
    """Make the message that is wanted, its audio ready, from the newest message of its event.

    Raises CentralError: ``alert-exists``, ``no-alert``, ``alert-over``, ``alert-cancelled``, ``wrong-sender``,
    ``long-text``; and what ``prepare`` raises.
    """
    _check_before(centre, order, before)
    draft = order.draft
    if before is not None and (draft is None or not draft.info):
        said = draft_of(before.document, Page(centre.alert_folder(order.scope, order.event)))
        said = _cancelled(said, order.changes) if order.msg_type == "Cancel" else said
        draft = said if draft is None else _with_cap(said, draft)
    assert draft is not None
    draft = replace(changed(draft, order.changes), msg_type=order.msg_type)
    check_texts(draft)
    if order.msg_type == "Cancel" and before is not None:
        draft = replace(draft, expires=_cancel_expires(before.document, draft), effective=None, repeat_s=0)
    if before is not None and draft.sender not in (None, before.document.sender):
        raise CentralError("wrong-sender", id=order.event, found=draft.sender, expected=before.document.sender)
    folder = AudioFolder(centre.folder / "audio", centre.folder / "cache")
    return Issue(
        centre=centre,
        draft=draft,
        scope=order.scope,
        event=order.event,
        info=prepare(spoken_here(draft) if order.speak else draft, folder, delivery),
        delivery=delivery,
        signers=signers,
        before=before,
    )


def _check_before(centre: Centre, order: Order, before: Signed[Alert] | None) -> None:
    fields = {"id": order.event, "scope": order.scope}
    if order.msg_type == "Alert":
        if before is not None:
            raise CentralError("alert-exists", **fields)
        return
    if before is None:
        known = ", ".join(alert.id for alert in in_force(centre)) or "-"
        raise CentralError("no-alert", **fields, known=known)
    if utc_ms(before.document.expires) <= now().wall_ms:
        raise CentralError("alert-over", id=order.event, expires=before.document.expires)
    if before.document.msg_type == "Cancel" and order.msg_type == "Update":
        raise CentralError("alert-cancelled", **fields)


def _with_cap(said: AlertDraft, draft: AlertDraft) -> AlertDraft:
    """What was said before, in a message of somebody else's that only cancels it."""
    names = ("page", "sender", "identifier", "sent", "refers_to", "lost", "status")
    return replace(said, **{name: getattr(draft, name) for name in names})


def _cancelled(said: AlertDraft, changes: Changes) -> AlertDraft:
    """What a cancellation says: that it is over, where there are words for it or somebody gives them."""
    given = {language for texts in (*changes.texts.values(), changes.audio) for language in texts}
    info = tuple(_over(one) for one in said.info if _spoken(one) in LANGUAGES or one.language in given)
    first = DraftInfo(key="", language=said.info[0].language, headline=said.info[0].headline)
    return replace(said, info=info or (first,))


def _over(one: DraftInfo) -> DraftInfo:
    lang: Language = "en" if _spoken(one) == "en" else "vi"
    headline = text("central.alert-cancel-headline", lang, headline=one.headline)
    return DraftInfo(key="", language=one.language, headline=headline[: LIMITS.title_chars])


def _spoken(one: DraftInfo) -> str:
    return one.language.split("-")[0]


def _cancel_expires(before: Alert, draft: AlertDraft) -> str:
    """Until when a cancellation holds: as long as anybody may still hear what it cancels."""
    least_ms = now().wall_ms + max(CANCEL_LASTS_S, draft.lasts_s or 0) * 1_000
    return utc(max(utc_ms(before.expires), least_ms))
