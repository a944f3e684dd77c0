"""The chain of the audit trail: each entry holds the hash of the one before it, so that none can be changed unseen.

The digest of an entry is SHA-256 over the digest of the entry before it (64 hexadecimal digits; zeros before the first)
and the entry itself as canonical JSON (RFC 8785, of which an entry needs the order of names and the escapes: it has no
fractions), without its fields ``before`` and ``digest``. It is made of the JSON as it came, not of the fields that a
release knows: a centre of today verifies what a station of tomorrow says.

A chain lies within one journal, and has its name: a database that is begun anew begins another chain, whose first entry
tells why, and where the old one ended when that is known (``OtherChain``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.wire.reports import NO_DIGEST, AuditReport, OtherChain, encode

_NOT_ITS_OWN = ("before", "digest")


class Head(Struct, frozen=True):
    """Where a chain stands: its newest link, and what the next entry is to tell of another chain (``after``)."""

    link: int = 0
    digest: str = NO_DIGEST
    after: OtherChain | None = None


def digest_of(entry: Mapping[str, Any]) -> str:
    """The digest that an entry, as it was read from JSON, must have. Raises ValueError for text that is no Unicode.

    >>> digest_of({"before": "0" * 64, "digest": "", "link": 1})[:16]
    '55647273ef4b7715'
    """
    own = {name: value for name, value in entry.items() if name not in _NOT_ITS_OWN}
    text = json.dumps(own, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{entry['before']}{text}".encode()).hexdigest()


def linked(report: AuditReport, head: Head, dropped: int) -> tuple[AuditReport, Head]:
    """An entry in its place behind the newest one, and where the chain stands with it."""
    placed = replace(report, link=head.link + 1, before=head.digest, after=head.after, dropped=dropped)
    placed = replace(placed, digest=digest_of(msgspec.json.decode(encode(placed))))
    return placed, Head(placed.link, placed.digest)
