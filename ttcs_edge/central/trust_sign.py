"""``ttcs-central trust FOLDER sign``: the root that is to come gets the signatures of the root keys that are here.

1 The first signature makes the document: it is issued then. Whoever signs later signs the very same bytes.
2 A key signs once. Those of the root in force count, and those of the one that is to come: both must have enough.
3 What somebody has signed and what the draft says now must be one thing: nobody signs what he has not read.
4 A signature that does not hold is not kept: the private part was another key's. A file that is no such key is told;
  one that is not here, or a token that is not plugged in, is another person's turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from securesystemslib.signer import CryptoSigner, Signer

from ttcs_edge import whole_files
from ttcs_edge.central.centre import ELSEWHERE, Centre, SigningKey, now
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.trust_file import TrustDraft, read_trust_file
from ttcs_edge.central.trust_folder import Waiting, key_names, next_draft, next_signed, root_keys, waiting
from ttcs_edge.core.documents import Refused, TrustRoot
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.wire.documents import write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, Sealed, countersign, read_envelope


class SignedNext(Struct, frozen=True):
    """What came of it: who signed just now, and whose keys are not here."""

    coming: Waiting
    signed: tuple[str, ...]
    away: tuple[str, ...]


def sign_next(centre: Centre, only: Sequence[str], secret: Callable[[str], str] | None) -> SignedNext:
    """Sign with the root keys that can be reached, or ``only`` with some.

    Raises CentralError ``no-trust-draft``, ``draft-changed``, ``unknown-key``, ``no-root-key``, ``no-key``,
    ``other-private-key``; and BadTrustFile.
    """
    with centre.alone():
        begun = coming_root(centre)
        wanted = _wanted(centre, begun.root, only)
        missing = [key for key in wanted if key.keyid not in begun.signers]
        signers, away = reachable(centre, missing, secret, must=bool(only))
        if missing and not signers:
            raise CentralError("no-root-key", names=", ".join(key.name for key in missing), folder=centre.folder)
        if not signers:
            return SignedNext(begun, (), ())
        envelope = countersign(begun.sealed, begun.signers, [signer for _, signer in signers])
        coming = _checked(centre, envelope, [key for key, _ in signers], begun)
        whole_files.replace(next_signed(centre), envelope, whole_files.PUBLIC)
    return SignedNext(coming, tuple(key.name for key, _ in signers), tuple(key.name for key in away))


def coming_root(centre: Centre) -> Waiting:
    """The root that the draft makes, with the signatures so far. Raises CentralError and BadTrustFile."""
    file = next_draft(centre)
    if not file.is_file():
        raise CentralError("no-trust-draft", file=file, folder=centre.folder)
    draft = read_trust_file(file, centre.trust.document)
    standing = waiting(centre)
    if standing is None:
        root = draft.root(centre.settings.scope, now().wall_ms)
        return Waiting(root, Sealed(write_document(root), PAYLOAD_TYPES["trust"], ()), frozenset(), b"")
    if not is_same(draft, standing.root, centre):
        names = key_names(centre, draft.names())
        by = ", ".join(sorted(names[keyid] for keyid in standing.signers))
        raise CentralError("draft-changed", file=file, signed=next_signed(centre), by=by or "-")
    return standing


def is_same(draft: TrustDraft, root: TrustRoot, centre: Centre) -> bool:
    """Tell whether a draft says what was signed."""
    return draft.root(centre.settings.scope, utc_ms(root.issued)) == root


def _wanted(centre: Centre, root: TrustRoot, only: Sequence[str]) -> list[SigningKey]:
    """The keys that may sign, or those of them that are named."""
    may = {*root_keys(centre.trust.document), *root_keys(root)}
    keys = [key for key in centre.settings.keys if key.keyid in may]
    unknown = [name for name in only if name not in {key.name for key in keys}]
    if unknown:
        raise CentralError("unknown-key", names=", ".join(unknown), known=", ".join(key.name for key in keys) or "-")
    return [key for key in keys if not only or key.name in only]


def reachable(
    centre: Centre, keys: Sequence[SigningKey], secret: Callable[[str], str] | None, *, must: bool
) -> tuple[list[tuple[SigningKey, Signer]], list[SigningKey]]:
    """The signers that can be reached, and the keys of those that cannot; a key that ``must`` be here is told.

    Raises CentralError ``no-key``, also for a file that is here and is no such key.
    """
    signers, away = [], []
    for key in keys:
        try:
            signers.append((key, centre.signer(key, secret)))
        except CentralError as error:
            is_file = key.signer.startswith((ELSEWHERE, f"{CryptoSigner.SCHEME}:"))
            if must or (is_file and error.fields["found"] != FileNotFoundError.__name__):
                raise  # it is here, and of no use
            away.append(key)
    return signers, away


def _checked(centre: Centre, envelope: bytes, keys: Sequence[SigningKey], begun: Waiting) -> Waiting:
    """Read back what was signed."""
    sealed = read_envelope(envelope, PAYLOAD_TYPES["trust"], "")
    assert not isinstance(sealed, Refused) and sealed.payload == begun.sealed.payload
    good = sealed.signers({**centre.trust.document.keys, **begun.root.keys})
    bad = [key.name for key in keys if key.keyid not in good]
    if bad:
        raise CentralError("other-private-key", names=", ".join(bad))
    return Waiting(begun.root, sealed, good, envelope)
