"""What lies in a centre's ``trust`` folder: the roots that were in force, and the one that is to come.

    root.dsse.json          the root in force
    1.dsse.json 2.dsse.json ...  every root that was, and the one in force once it was published
    next.yaml               the root that is to come, as a person writes it (``central.trust_file``)
    next.dsse.json          what was made of it, with the signatures so far

A centre of an older release has ``root.dsse.json`` alone. A ``next.dsse.json`` that is not newer than the root in force
is what a power cut left behind: it waits for nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate, takewhile
from pathlib import Path
from typing import Final

from msgspec import Struct

from ttcs_edge.central.centre import Centre, now, read_file
from ttcs_edge.central.errors import CentralError
from ttcs_edge.core.documents import PublicKey, Refused, Signed, TrustRoot
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import scope_covers
from ttcs_edge.core.trust import judge_chain, trust_subject
from ttcs_edge.wire.documents import parse_trust_root, read_trust_chain, read_trust_root, write_trust_chain
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, Sealed, read_envelope

NAMED_CHARS: Final = 8
"""How much of the id of a key is shown that has no name."""


class Waiting(Struct, frozen=True):
    """A root that is to come, and whose good signatures it has."""

    root: TrustRoot
    sealed: Sealed
    signers: frozenset[str]
    envelope: bytes


class Lack(Struct, frozen=True):
    """How many of a root's own root keys still have to sign, and which of them can."""

    version: int
    missing: int
    keys: tuple[str, ...]


def root_file(centre: Centre) -> Path:
    """The root in force, as new stations get it."""
    return centre.folder / "trust" / "root.dsse.json"


def numbered_file(centre: Centre, version: int) -> Path:
    """Where a root is kept."""
    return centre.folder / "trust" / f"{version}.dsse.json"


def next_draft(centre: Centre) -> Path:
    """The root that is to come, as a person writes it."""
    return centre.folder / "trust" / "next.yaml"


def next_signed(centre: Centre) -> Path:
    """The root that is to come, with the signatures so far."""
    return centre.folder / "trust" / "next.dsse.json"


def kept_roots(centre: Centre) -> tuple[Signed[TrustRoot], ...]:
    """The roots that led to the one in force, the oldest first, and that one; none of those before a gap.

    Raises CentralError ``bad-centre`` for one that cannot be read.
    """
    roots = [centre.trust]
    while (file := numbered_file(centre, roots[-1].document.version - 1)).is_file():
        signed = read_trust_root(read_file(file))
        if isinstance(signed, Refused):
            raise CentralError("bad-centre", file=file, found=signed.code)
        if signed.document.version != roots[-1].document.version - 1:
            raise CentralError("bad-centre", file=file, found=f"version: {signed.document.version}")
        roots.append(signed)
    return tuple(reversed(roots))


def chain_of(roots: Iterable[Signed[TrustRoot]]) -> bytes:
    """What brings roots to the stations: the newest of them, as many as a station takes.

    It is checked as a station would that knows the oldest. Raises CentralError ``trust-refused``.
    """
    newest = list(roots)[-LIMITS.trust_roots :]
    sizes = accumulate(len(one.envelope) + len(",") for one in reversed(newest))
    count = sum(1 for _ in takewhile(lambda size_bytes: size_bytes < LIMITS.trust_bytes, sizes))
    newest = newest[-count:]
    chain = write_trust_chain(one.envelope for one in newest)
    led_on(chain, newest[0].document)
    return chain


def led_on(chain: bytes, trust: TrustRoot) -> None:
    """Check roots as a station would that has ``trust`` in force. Raises CentralError ``trust-refused``."""
    verdict = judged(chain, trust)
    if isinstance(verdict, Refused):
        detail = ", ".join(f"{name}={value}" for name, value in verdict.detail)
        raise CentralError("trust-refused", found=verdict.code, detail=detail)


def judged(chain: bytes, trust: TrustRoot) -> TrustRoot | Refused:
    """The root to which others lead from ``trust``, by a station's own checks; ``trust`` when they lead no further."""
    roots = read_trust_chain(chain, trust, trust_subject(trust.scope))
    if isinstance(roots, Refused):
        return roots
    verdict = judge_chain(roots, trust=trust, topic_scope=trust.scope, now=now())
    return verdict if isinstance(verdict, TrustRoot | Refused) else trust


def every_key(centre: Centre) -> dict[str, PublicKey]:
    """The keys of every root that is kept, those that were revoked since among them."""
    return {keyid: key for root in kept_roots(centre) for keyid, key in root.document.keys.items()}


def waiting(centre: Centre) -> Waiting | None:
    """The root that is to come, once somebody has signed it. Raises CentralError ``bad-next-root``."""
    file, subject = next_signed(centre), trust_subject(centre.settings.scope)
    if not file.is_file():
        return None
    envelope = read_file(file)
    sealed = read_envelope(envelope, PAYLOAD_TYPES["trust"], subject)
    root = sealed if isinstance(sealed, Refused) else parse_trust_root(sealed.payload, subject)
    if isinstance(sealed, Refused) or isinstance(root, Refused):
        found = root.code if isinstance(root, Refused) else ""
        raise CentralError("bad-next-root", file=file, found=found)
    if root.version <= centre.trust.document.version:
        return None
    return Waiting(root, sealed, sealed.signers({**centre.trust.document.keys, **root.keys}), envelope)


def root_keys(root: TrustRoot) -> tuple[str, ...]:
    """The keys that may sign a root, or the one that follows it."""
    grants = [one for one in root.grants if one.role == "root" and scope_covers(one.scope, root.scope)]
    return tuple(dict.fromkeys(key for grant in grants for key in grant.keys))


def lack_of(root: TrustRoot, signers: frozenset[str]) -> Lack:
    """What a root's own root keys still lack, by the grant of which the fewest are missing."""
    grants = [one for one in root.grants if one.role == "root" and scope_covers(one.scope, root.scope)]
    lacks = [
        Lack(root.version, max(0, one.threshold - len(signers.intersection(one.keys))), one.keys) for one in grants
    ]
    least = min(lacks, key=lambda one: one.missing)
    return Lack(root.version, least.missing, tuple(key for key in least.keys if key not in signers))


def lacks_of(centre: Centre, coming: Waiting) -> tuple[Lack, Lack]:
    """What is missing of the root in force, and of the one that is to come."""
    old = centre.trust.document
    return lack_of(old, coming.signers), lack_of(coming.root, coming.signers)


def key_names(centre: Centre, others: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a person calls each key: by ``centre.yaml``, or the beginning of its id. ``others`` adds names."""
    nameless = {keyid: keyid[:NAMED_CHARS] for keyid in every_key(centre)}
    names = {**nameless, **(others or {}), **{key.keyid: key.name for key in centre.settings.keys}}
    times = Counter(names.values())
    return {keyid: name if times[name] == 1 else f"{name}-{keyid[:NAMED_CHARS]}" for keyid, name in names.items()}
