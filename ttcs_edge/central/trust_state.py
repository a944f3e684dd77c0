"""How it stands with a centre's trust: the root in force, what it grants to whom, and what waits."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, to_builtins

from ttcs_edge.central.centre import Centre, now
from ttcs_edge.central.errors import BadTrustFile
from ttcs_edge.central.trust_file import DAY_MS, DraftGrant, TrustDraft, draft_behind, read_trust_file
from ttcs_edge.central.trust_folder import (
    Lack,
    Waiting,
    kept_roots,
    key_names,
    lacks_of,
    next_draft,
    waiting,
)
from ttcs_edge.central.trust_sign import is_same
from ttcs_edge.core.documents import TrustRoot
from ttcs_edge.core.trust import utc_ms


class Lacking(Struct, frozen=True):
    """How many root keys of a version still have to sign, and the names of those that can."""

    version: int
    missing: int
    names: tuple[str, ...]


class NextRoot(Struct, frozen=True, kw_only=True):
    """What waits. Without an ``expires`` nobody has signed it; ``wrong`` counts the mistakes of the draft."""

    version: int
    expires: str | None
    gone: tuple[str, ...]
    come: tuple[str, ...]
    grants: tuple[DraftGrant, ...]
    has_draft: bool
    wrong: int
    changed: bool
    signed_by: tuple[str, ...]
    lacking: tuple[Lacking, ...]


class TrustState(Struct, frozen=True, kw_only=True):
    """The root in force, its keys by their names."""

    scope: str
    version: int
    issued: str
    expires: str
    days_left: int
    grants: tuple[DraftGrant, ...]
    unused: tuple[str, ...]
    kept: tuple[int, ...]
    coming: NextRoot | None

    def as_json(self) -> dict[str, Any]:
        """One object for machines."""
        told: dict[str, Any] = to_builtins(self)
        return told


def trust_state(centre: Centre) -> TrustState:
    """Look at a centre. Raises CentralError for what cannot be read."""
    root, names = centre.trust.document, key_names(centre)
    granted = {key for grant in root.grants for key in grant.keys}
    signed, draft = waiting(centre), _draft(centre)
    coming_keys = set() if signed is None else set(signed.root.keys)
    coming_keys |= set(draft.names()) if isinstance(draft, TrustDraft) else set()
    return TrustState(
        scope=root.scope,
        version=root.version,
        issued=root.issued,
        expires=root.expires,
        days_left=(utc_ms(root.expires) - now().wall_ms) // DAY_MS,
        grants=grants_of(root, names),
        unused=tuple(key.name for key in centre.settings.keys if key.keyid not in granted | coming_keys),
        kept=tuple(one.document.version for one in kept_roots(centre)),
        coming=_coming(centre, signed, draft),
    )


def _draft(centre: Centre) -> TrustDraft | int | None:
    """The draft, or how many mistakes it has; None when there is none."""
    if not next_draft(centre).is_file():
        return None
    try:
        return read_trust_file(next_draft(centre), centre.trust.document)
    except BadTrustFile as error:
        return len(error.problems)


def _coming(centre: Centre, signed: Waiting | None, draft: TrustDraft | int | None) -> NextRoot | None:
    if signed is None and draft is None:
        return None
    names = names_now(centre)
    root = signed.root if signed is not None else None
    if root is None and isinstance(draft, TrustDraft):
        root = draft.root(centre.settings.scope, now().wall_ms)
    gone, come = ((), ()) if root is None else changes(centre.trust.document, root, names)
    return NextRoot(
        version=signed.root.version if signed is not None else centre.trust.document.version + 1,
        expires=None if signed is None else signed.root.expires,
        gone=gone,
        come=come,
        grants=() if root is None else grants_of(root, names),
        has_draft=draft is not None,
        wrong=draft if isinstance(draft, int) else 0,
        changed=signed is not None and isinstance(draft, TrustDraft) and not is_same(draft, signed.root, centre),
        signed_by=() if signed is None else signed_by(signed, names),
        lacking=() if signed is None else lacking_names(lacks_of(centre, signed), names),
    )


def grants_of(root: TrustRoot, names: dict[str, str]) -> tuple[DraftGrant, ...]:
    """What a root grants, its keys by their names."""
    return draft_behind(root, {keyid: named(keyid, names) for keyid in root.keys}).grants


def names_now(centre: Centre) -> dict[str, str]:
    """What a person calls each key, those that only the draft has among them."""
    draft = _draft(centre)
    return key_names(centre, draft.names() if isinstance(draft, TrustDraft) else None)


def signed_by(coming: Waiting, names: dict[str, str]) -> tuple[str, ...]:
    """The names of those who signed."""
    return tuple(sorted(named(key, names) for key in coming.signers))


def lacking_names(lacks: tuple[Lack, ...], names: dict[str, str]) -> tuple[Lacking, ...]:
    """What is missing, with names."""
    return tuple(Lacking(one.version, one.missing, tuple(named(key, names) for key in one.keys)) for one in lacks)


def named(keyid: str, names: dict[str, str]) -> str:
    """A key as a person calls it."""
    return names.get(keyid, keyid[:8])


def changes(before: TrustRoot, after: TrustRoot, names: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys that go with a root, and those that come."""
    gone = tuple(named(key, names) for key in before.keys if key not in after.keys)
    come = tuple(named(key, names) for key in after.keys if key not in before.keys)
    return gone, come
