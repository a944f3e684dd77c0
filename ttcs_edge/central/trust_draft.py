"""``ttcs-central trust FOLDER draft``: the root in force, one version on, with keys taken out and put in.

What is written stands in an order that a power cut leaves whole: private keys, ``centre.yaml``, the draft. A draft that
is made again takes the keys that the first attempt made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct, structs
from securesystemslib.signer import CryptoSigner

from ttcs_edge import whole_files
from ttcs_edge.central.centre import ELSEWHERE, Centre, Role, SigningKey, signing_key
from ttcs_edge.central.centre_keys import add_keys
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.trust_file import DraftGrant, TrustDraft, draft_behind, trust_text
from ttcs_edge.central.trust_folder import every_key, key_names, next_draft, next_signed, waiting
from ttcs_edge.core.documents import PublicKey
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.durable import sync_folder
from ttcs_edge.wire.envelope import key_id

OF_ROOTS: Final = frozenset({"root"})
"""The grants that keys of the role ``root`` are put in when no key says which; ``publish`` is all others."""


class NewKey(Struct, frozen=True):
    """A key that is wanted; ``public`` of one that was made elsewhere."""

    name: str
    role: Role
    public: str | None = None


class Wishes(Struct, frozen=True, kw_only=True):
    """What is to be different from the root in force."""

    revoke: tuple[str, ...] = ()
    keys: tuple[NewKey, ...] = ()
    thresholds: tuple[tuple[str, int], ...] = ()
    force: bool = False


class Drafted(Struct, frozen=True):
    """What was written: the draft, the keys that came into it, and the private parts of those that are here."""

    file: Path
    draft: TrustDraft
    keys: tuple[SigningKey, ...]
    made: tuple[Path, ...]


def draft(centre: Centre, wishes: Wishes) -> Drafted:
    """Write the draft. Raises CentralError, and then nothing was written."""
    twice = [name for name, count in Counter(one.name for one in wishes.keys).items() if count > 1]
    if twice:
        raise CentralError("key-exists", name=twice[0])
    with centre.alone():
        _check_no_draft(centre, force=wishes.force)
        taken = [_taken(centre, wanted) for wanted in wishes.keys]
        keys = tuple(key for key, _ in taken)
        made = _drafted(centre, wishes, keys)
        for key, private in taken:
            if private is not None and not centre.key_file(key.name).exists():
                whole_files.write_new(centre.key_file(key.name), private, whole_files.PRIVATE)
        known = {one.name for one in centre.settings.keys}
        add_keys(centre, [key for key in keys if key.name not in known])
        next_signed(centre).unlink(missing_ok=True)  # what was signed before is another root
        sync_folder(next_signed(centre).parent)
        text = trust_text(made, centre.settings.scope)
        whole_files.replace(next_draft(centre), text.encode(), whole_files.PUBLIC)
    here = tuple(file for key in keys if (file := centre.key_file(key.name)).is_file())
    return Drafted(next_draft(centre), made, keys, here)


def _check_no_draft(centre: Centre, *, force: bool) -> None:
    left_over = next_signed(centre).is_file() and waiting(centre) is None
    if force or left_over:
        return
    file = next((one for one in (next_signed(centre), next_draft(centre)) if one.exists()), None)
    if file is not None:
        raise CentralError("draft-exists", file=file, folder=centre.folder)


def _taken(centre: Centre, wanted: NewKey) -> tuple[SigningKey, bytes | None]:
    """A key that is wanted, and its private part when that is to lie here.

    One that stands in ``centre.yaml`` already, and was in no root yet, is what an earlier attempt left.
    """
    standing = next((one for one in centre.settings.keys if one.name == wanted.name), None)
    if standing is not None:
        is_same = standing.role == wanted.role and wanted.public in (None, standing.public)
        if not is_same or standing.keyid in every_key(centre):
            raise CentralError("key-exists", name=wanted.name)
        return standing, None
    if wanted.public is not None:
        return _elsewhere(centre, wanted, wanted.public), None
    file = centre.key_file(wanted.name)
    signer = _signer_of(file) if file.is_file() else CryptoSigner.generate_ed25519()
    return signing_key(wanted.name, wanted.role, signer), signer.private_bytes


def _signer_of(file: Path) -> CryptoSigner:
    private = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(private, Ed25519PrivateKey):
        raise CentralError("key-exists", name=file.stem)
    return CryptoSigner(private)


def _elsewhere(centre: Centre, wanted: NewKey, public: str) -> SigningKey:
    keyid = key_id(PublicKey(keytype="ed25519", scheme="ed25519", public=public))
    twin = next((one.name for one in centre.settings.keys if one.public == public), None)
    if twin is not None or keyid in every_key(centre):
        raise CentralError("key-exists", name=twin or wanted.name)
    return SigningKey(
        name=wanted.name,
        role=wanted.role,
        keyid=keyid,
        keytype="ed25519",
        scheme="ed25519",
        public=public,
        signer=ELSEWHERE,
    )


def _drafted(centre: Centre, wishes: Wishes, keys: tuple[SigningKey, ...]) -> TrustDraft:
    names = key_names(centre)
    begun = draft_behind(centre.trust.document, names)
    unknown = [name for name in wishes.revoke if name not in begun.keys]
    if unknown:
        raise CentralError("unknown-key", names=", ".join(unknown), known=", ".join(begun.keys))
    grants = tuple(_with(grant, keys, wishes, centre, begun) for grant in begun.grants)
    for role in dict(wishes.thresholds):
        if role not in {one.role for one in grants}:
            raise CentralError("no-such-grant", role=role)
    for grant in grants:
        _check_met(grant)
    public = {**begun.keys, **{key.name: key.public for key in keys}}
    kept = {name: one for name, one in public.items() if name not in wishes.revoke}
    if len(kept) > LIMITS.keys:
        raise CentralError("too-many-keys", count=len(kept), most=LIMITS.keys)
    return structs.replace(begun, keys=kept, grants=grants)


def _with(
    grant: DraftGrant, keys: Iterable[SigningKey], wishes: Wishes, centre: Centre, begun: TrustDraft
) -> DraftGrant:
    """A grant without the keys that are revoked, and with those that come into it."""
    kept = tuple(name for name in grant.keys if name not in wishes.revoke)
    coming = (key.name for key in keys if _comes_into(grant, key.role, wishes.revoke, centre, begun))
    threshold = dict(wishes.thresholds).get(grant.role, grant.threshold)
    return structs.replace(grant, keys=tuple(dict.fromkeys(chain(kept, coming))), threshold=threshold)


def _comes_into(grant: DraftGrant, role: Role, revoked: tuple[str, ...], centre: Centre, begun: TrustDraft) -> bool:
    """Tell whether a new key of a role comes into a grant: in the place of a revoked one of its role when there is any,
    else beside all others of its role.
    """
    of_role = [name for name in begun.keys if _role_of(name, centre, begun) == role]
    replaced = [name for name in of_role if name in revoked]
    like = replaced or of_role
    if like:
        return any(name in grant.keys for name in like)
    return (grant.role in OF_ROOTS) == (role == "root")


def _role_of(name: str, centre: Centre, begun: TrustDraft) -> str:
    """What a key is for: by ``centre.yaml``; for one that does not stand there, by its grants."""
    named = {one.name: one.role for one in centre.settings.keys}
    is_root = any(name in grant.keys for grant in begun.grants if grant.role in OF_ROOTS)
    return named.get(name, "root" if is_root else "publish")


def _check_met(grant: DraftGrant) -> None:
    if len(grant.keys) < grant.threshold:
        fields = {"role": grant.role, "scope": grant.scope, "keys": ", ".join(grant.keys) or "-"}
        raise CentralError("threshold-unmet", **fields, threshold=grant.threshold)
    if len(grant.keys) > LIMITS.keys_per_grant:
        raise CentralError("too-many-keys", count=len(grant.keys), most=LIMITS.keys_per_grant)
