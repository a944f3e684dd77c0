"""A centre's trust on a screen: who may do what, what waits for whose signature, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from ttcs_edge.central.centre import Centre
from ttcs_edge.central.trust_draft import Drafted
from ttcs_edge.central.trust_file import DraftGrant
from ttcs_edge.central.trust_folder import lacks_of, next_draft
from ttcs_edge.central.trust_publish import Published, Withdrawn
from ttcs_edge.central.trust_sign import SignedNext
from ttcs_edge.central.trust_state import (
    Lacking,
    TrustState,
    changes,
    grants_of,
    lacking_names,
    names_now,
    signed_by,
)
from ttcs_edge.core.documents import TrustRoot
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen
from ttcs_edge.terminal.grants import ShownGrant, drawn

SOON_DAYS: Final = 90
"""A root that has fewer days left is to be renewed: root keys lie in several places, and stations sleep."""


def show_state(state: TrustState, lang: Language) -> None:
    """Draw the root in force and what waits."""
    out = screen.console()
    narrow = out.width < screen.PHONE_COLUMNS
    soon = screen.BAD if state.days_left < SOON_DAYS else ""
    expires = text("central.trust-until", lang, date=_date(state.expires, lang), days=state.days_left)
    parts: list[RenderableType] = [
        screen.styled(text("central.trust-root", lang, scope=state.scope, version=state.version), screen.HEADING),
        screen.styled(text("central.trust-issued", lang, date=_date(state.issued, lang))),
        screen.alarm(expires) if soon else screen.styled(expires),
        screen.styled(""),
        *_granted(state.grants, narrow=narrow, lang=lang),
    ]
    if state.unused:
        unused = text("central.trust-unused", lang, names=", ".join(state.unused))
        parts += [screen.styled(""), screen.styled(unused, screen.DOUBTFUL)]
    parts += [screen.styled(""), *_coming(state, narrow=narrow, lang=lang)]
    screen.show(out, parts)


def _date(utc: str, lang: Language) -> str:
    return screen.date_words(datetime.fromisoformat(utc).astimezone(), lang)


def _granted(grants: Sequence[DraftGrant], *, narrow: bool, lang: Language) -> list[RenderableType]:
    shown = [ShownGrant(one.role, one.scope, tuple(one.keys), one.threshold, one.most_severe) for one in grants]
    return drawn(shown, lang, narrow=narrow)


def _coming(state: TrustState, *, narrow: bool, lang: Language) -> Iterator[RenderableType]:
    coming = state.coming
    if coming is None:
        yield screen.styled(text("central.trust-nothing", lang), screen.QUIET)
        return
    yield screen.styled(text("central.trust-next", lang, version=coming.version), screen.HEADING)
    if coming.wrong:
        yield screen.alarm(text("central.trust-wrong", lang, count=coming.wrong))
    if coming.changed:
        yield screen.alarm(text("central.trust-changed", lang))
    yield from _keys_changed(coming.gone, coming.come, lang)
    if coming.grants and coming.grants != state.grants:
        yield from [screen.indented(one) for one in _granted(coming.grants, narrow=narrow, lang=lang)]
    if coming.expires is None:
        yield screen.styled(text("central.trust-unsigned", lang), screen.DOUBTFUL)
        return
    yield screen.styled(text("central.trust-until-next", lang, date=_date(coming.expires, lang)))
    yield from _signatures(coming.signed_by, coming.lacking, lang)


def _signatures(signed: Sequence[str], lacking: Sequence[Lacking], lang: Language) -> Iterator[Text]:
    yield screen.styled(text("central.trust-signed-by", lang, names=", ".join(signed) or "-"))
    for one in lacking:
        fields = {"version": one.version, "count": one.missing, "names": ", ".join(one.names)}
        if one.missing:
            yield screen.styled(text("central.trust-lacks", lang, **fields), screen.DOUBTFUL)
        else:
            yield screen.styled(text("central.trust-enough", lang, **fields))


def show_drafted(drafted: Drafted, centre: Centre, lang: Language) -> None:
    """Tell what was written, and what to do with it."""
    parts: list[RenderableType] = []
    for key in drafted.keys:
        here = centre.key_file(key.name) in drafted.made
        code = "central.trust-key-made" if here else "central.trust-key-elsewhere"
        file = centre.key_file(key.name)
        parts.append(screen.styled(text(code, lang, name=key.name, file=file, public=key.public)))
        if here and key.role == "root":
            parts.append(screen.styled(text("central.trust-move-root", lang), screen.DOUBTFUL))
    root = drafted.draft.root(centre.settings.scope, 0)
    parts += _changes(centre, root, {**names_now(centre), **drafted.draft.names()}, lang)
    fields = {"file": drafted.file, "version": drafted.draft.version, "folder": centre.folder}
    parts.append(screen.styled(text("central.trust-drafted", lang, **fields)))
    screen.show(screen.console(), parts)


def _changes(centre: Centre, root: TrustRoot, names: dict[str, str], lang: Language) -> Iterator[Text]:
    yield from _keys_changed(*changes(centre.trust.document, root, names), lang)


def _keys_changed(gone: Sequence[str], come: Sequence[str], lang: Language) -> Iterator[Text]:
    for code, which, style in (("gone", gone, screen.DOUBTFUL), ("come", come, "")):
        if which:
            yield screen.styled(text(f"central.trust-keys-{code}", lang, names=", ".join(which)), style)


def show_signed(signed: SignedNext, centre: Centre, lang: Language) -> None:
    """Tell what it says, who signed just now, who did before, and who is still to sign."""
    names, root, out = names_now(centre), signed.coming.root, screen.console()
    narrow = out.width < screen.PHONE_COLUMNS
    expires = _date(root.expires, lang)
    parts: list[RenderableType] = [
        screen.styled(text("central.trust-next", lang, version=root.version), screen.HEADING),
        screen.styled(text("central.trust-until-next", lang, date=expires)),
        *_changes(centre, root, names, lang),
        *_granted(grants_of(root, names), narrow=narrow, lang=lang),
    ]
    for code, which in (("new", signed.signed), ("away", signed.away)):
        if which:
            parts.append(screen.styled(text(f"central.trust-signed-{code}", lang, names=", ".join(which))))
    lacking = lacking_names(lacks_of(centre, signed.coming), names)
    parts += _signatures(signed_by(signed.coming, names), lacking, lang)
    code = "central.trust-carry-on" if any(one.missing for one in lacking) else "central.trust-ready"
    parts.append(screen.styled(text(code, lang, folder=centre.folder)))
    screen.show(out, parts)


def show_withdrawn(withdrawn: Sequence[Withdrawn], lang: Language) -> None:
    """Warn of what falls silent."""
    parts: list[RenderableType] = [screen.alarm(text("central.trust-withdraws", lang, count=len(withdrawn)))]
    parts += [screen.indented(screen.styled(_withdrawn(one, lang), screen.BAD)) for one in withdrawn]
    screen.show(screen.console(), parts)


def _withdrawn(one: Withdrawn, lang: Language) -> str:
    return text(f"central.withdrawn.{one.kind}", lang, subject=one.subject, version=one.version)


def show_published(published: Published, withdrawn: Sequence[Withdrawn], centre: Centre, lang: Language) -> None:
    """Tell what stands on the broker now, and what is to be done yet."""
    root = published.root
    fields = {"scope": root.scope, "version": root.version, "expires": _date(root.expires, lang)}
    code = "central.trust-published" if published.is_new else "central.trust-sent-again"
    parts: list[RenderableType] = [screen.styled(text(code, lang, **fields, count=published.count))]
    if withdrawn:
        parts.append(screen.styled(text("central.trust-publish-again", lang, folder=centre.folder), screen.DOUBTFUL))
    if published.is_new:
        parts.append(screen.styled(text("central.trust-restart", lang)))
    elif next_draft(centre).is_file():
        parts.append(screen.styled(text("central.trust-unsigned", lang), screen.DOUBTFUL))
    screen.show(screen.console(), parts)
