"""``trust/next.yaml``: the trust root that is to come, as a person writes it; every mistake told with its line.

Keys have names here, and a root has none: what is signed names keys by their ids, which follow from their public parts.
A key that no grant names is left out of the root.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, get_args

import yaml
from msgspec import Struct

from ttcs_edge.central.centre import TRUST_DAYS, utc
from ttcs_edge.central.errors import BadTrustFile
from ttcs_edge.core.documents import (
    ID_PATTERN,
    SCOPE_PATTERN,
    SHA256_PATTERN,
    CapSeverity,
    Grant,
    PublicKey,
    TrustRoot,
)
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, scope_covers
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.wire.envelope import key_id
from ttcs_edge.yaml_form import Choice, Expected, Key, ListOf, Page, Section, Text, Whole, closest, fill

GrantRole = Literal["root", "publish", "command", "beacon", "live", "alert"]
GRANT_ROLES: Final[tuple[GrantRole, ...]] = get_args(GrantRole)
DAY_MS: Final = 86_400_000


class _Role(Enum):
    ROOT = "root"
    PUBLISH = "publish"
    COMMAND = "command"
    BEACON = "beacon"
    LIVE = "live"
    ALERT = "alert"


class _Severity(Enum):
    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


_NAME = Text("identifier", LIMITS.id_chars, ID_PATTERN)
_KEY = Section(
    (
        Key("name", _NAME, "publish-2", required=True),
        Key("public", Text("hexadecimal", 64, SHA256_PATTERN), '"a1b2..."', required=True),
    )
)
_GRANT = Section(
    (
        Key("role", Choice(_Role), "publish", required=True),
        Key("scope", Text("scope", LIMITS.scope_chars, SCOPE_PATTERN), "vn/lam-dong", required=True),
        Key("keys", ListOf(_NAME, 1, LIMITS.keys_per_grant), "[publish-1]", required=True),
        Key("threshold", Whole(1, LIMITS.keys_per_grant), "1", required=True),
        Key("most_severe", Choice(_Severity), "Extreme"),
    )
)
TRUST: Final = Section(
    (
        Key("version", Whole(1, 2**53 - 1), "2", required=True),
        Key("days", Whole(1, TRUST_DAYS), str(TRUST_DAYS), required=True),
        Key("keys", ListOf(_KEY, 1, LIMITS.keys), "", required=True),
        Key("grants", ListOf(_GRANT, 1, LIMITS.grants), "", required=True),
    )
)
"""The grammar of ``trust/next.yaml``."""


class DraftGrant(Struct, frozen=True, kw_only=True):
    """Leave to speak, its keys by their names."""

    role: GrantRole
    scope: Scope
    keys: tuple[str, ...]
    threshold: int
    most_severe: CapSeverity | None = None


class TrustDraft(Struct, frozen=True, kw_only=True):
    """A trust root that is to come: its keys are public parts by name."""

    version: int
    days: int
    keys: dict[str, str]
    grants: tuple[DraftGrant, ...]

    def names(self) -> dict[str, str]:
        """The names of the keys, by their ids."""
        return {key_id(_public(public)): name for name, public in self.keys.items()}

    def root(self, scope: Scope, issued_ms: int) -> TrustRoot:
        """The document, issued at an instant."""
        granted = dict.fromkeys(name for grant in self.grants for name in grant.keys)
        ids = {name: key_id(_public(self.keys[name])) for name in granted}
        return TrustRoot(
            scope=scope,
            version=self.version,
            issued=utc(issued_ms),
            expires=utc(issued_ms + self.days * DAY_MS),
            keys={keyid: _public(self.keys[name]) for name, keyid in ids.items()},
            grants=tuple(
                Grant(
                    role=one.role,
                    scope=one.scope,
                    keys=tuple(ids[name] for name in one.keys),
                    threshold=one.threshold,
                    most_severe=one.most_severe,
                )
                for one in self.grants
            ),
        )


def _public(text: str) -> PublicKey:
    return PublicKey(keytype="ed25519", scheme="ed25519", public=text)


def draft_behind(root: TrustRoot, names: Mapping[str, str]) -> TrustDraft:
    """A root that says what another says, one version behind it."""
    days = round((utc_ms(root.expires) - utc_ms(root.issued)) / DAY_MS)
    return TrustDraft(
        version=root.version + 1,
        days=min(max(days, 1), TRUST_DAYS),
        keys={names[keyid]: key.public for keyid, key in root.keys.items()},
        grants=tuple(
            DraftGrant(
                role=one.role,
                scope=one.scope,
                keys=tuple(names[keyid] for keyid in one.keys),
                threshold=one.threshold,
                most_severe=one.most_severe,
            )
            for one in root.grants
        ),
    )


def read_trust_file(file: Path, before: TrustRoot) -> TrustDraft:
    """Read the root that is to follow ``before``. Raises BadTrustFile with every mistake in it."""
    page, values = fill(file, TRUST)
    version = page.values.get("version")
    if version is not None and version != before.version + 1:
        wanted = Expected("next-version", (("version", str(before.version + 1)),))
        page.refuse("version", "other-version", wanted, "write-version")
    _check_keys(page)
    names = [str(one["name"]) for one in _items(page, "keys").values() if "name" in one]
    for key, grant in _items(page, "grants").items():
        _check_grant(page, key, grant, names, before.scope)
    _check_root_grant(page, before.scope)
    if page.problems or values is None:
        raise BadTrustFile(tuple(sorted(page.problems, key=lambda one: one.line)))
    return TrustDraft(
        version=values["version"],
        days=values["days"],
        keys={one["name"]: one["public"] for one in values["keys"]},
        grants=tuple(
            DraftGrant(**{name: one.value if isinstance(one, Enum) else one for name, one in grant.items()})
            for grant in values["grants"]
        ),
    )


def _items(page: Page, name: str) -> dict[str, Mapping[str, Any]]:
    """The good part of each item of a list, by its key."""
    node = page.nodes.get(name)
    count = len(node.value) if isinstance(node, yaml.SequenceNode) else 0
    keys = [f"{name}[{place}]" for place in range(1, count + 1)]
    return {key: page.values[key] for key in keys if key in page.values}


def _check_keys(page: Page) -> None:
    """Check that a name is one key, and a key has one name: one that counts twice would outvote a second person."""
    for field, code, mend in (("name", "same-id", "other-id"), ("public", "same-key", "delete-one-key")):
        seen: dict[str, str] = {}
        for key, item in _items(page, "keys").items():
            value = item.get(field)
            if value in seen:
                first = str(page.line(seen[value]))
                page.refuse(f"{key}.{field}", code, Expected("own-key"), mend, first=first)
            elif value is not None:
                seen[value] = f"{key}.{field}"


def _check_grant(page: Page, key: str, grant: Mapping[str, Any], names: list[str], scope: Scope) -> None:
    if "scope" in grant and not scope_covers(scope, grant["scope"]):
        wanted = Expected("scope-below", (("scope", scope),))
        page.refuse(f"{key}.scope", "outside-scope", wanted, "write-scope")
    keys: tuple[str, ...] = grant.get("keys", ())
    for place, name in enumerate(keys, start=1):
        if name in keys[: place - 1]:
            page.refuse(f"{key}.keys[{place}]", "named-twice", Expected("once"), "delete-name")
        elif name not in names:
            guess = closest(name, names)
            page.refuse(
                f"{key}.keys[{place}]",
                "no-such-key",
                Expected("a-key"),
                "did-you-mean" if guess else "add-key",
                guess=guess,
            )
    if keys and grant.get("threshold", 0) > len(set(keys)):
        most = Expected("whole", (("least", "1"), ("most", str(len(set(keys))))))
        page.refuse(f"{key}.threshold", "threshold-unmet", most, "lower-threshold")
    if "role" in grant:
        _check_severity(page, key, is_alert=grant["role"].value == "alert")


def _check_severity(page: Page, key: str, *, is_alert: bool) -> None:
    written = f"{key}.most_severe" in page.nodes
    if is_alert and not written:
        addition = "most_severe: Extreme"
        wanted = Choice(_Severity).expected
        page.refuse(f"{key}.most_severe", "missing-key", wanted, "add-line", found="", addition=addition)
    elif written and not is_alert:
        page.refuse(f"{key}.most_severe", "severity-alone", Expected("alert-only"), "delete-severity")


def _check_root_grant(page: Page, scope: Scope) -> None:
    """Check that somebody can sign what comes behind it, when each grant could be read."""
    grants = page.values.get("grants", ())
    is_read = bool(grants) and all("role" in one and "scope" in one for one in grants)
    if is_read and not any(one["role"] is _Role.ROOT and one["scope"] == scope for one in grants):
        page.refuse("grants", "no-root-grant", Expected("root-grant", (("scope", scope),)), "add-root-grant", found="")


def trust_text(draft: TrustDraft, scope: Scope) -> str:
    """The file, with what a person must know to change it."""
    keys = "".join(f'  - {{name: {_quoted(name)}, public: "{public}"}}\n' for name, public in draft.keys.items())
    grants = "".join(map(_grant_text, draft.grants))
    return _TEXT.format(version=draft.version, days=draft.days, scope=scope, keys=keys, grants=grants)


def _grant_text(grant: DraftGrant) -> str:
    lines = [
        f"  - role: {grant.role}",
        f"    scope: {_quoted(grant.scope)}",
        f"    keys: [{', '.join(map(_quoted, grant.keys))}]",
        f"    threshold: {grant.threshold}",
        *([f"    most_severe: {grant.most_severe}"] if grant.most_severe else []),
    ]
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    """Quote a name that YAML takes for something else."""
    return name if yaml.safe_load(name) == name else f'"{name}"'


_TEXT: Final = """\
# Gốc tin cậy kế tiếp của {scope} / The next trust root of {scope}
# Xem và sửa, rồi ký / Look at it, change it, then sign: ttcs-central trust FOLDER sign
# Đã có người ký thì đừng sửa nữa / Change nothing more once somebody has signed

# Hơn bản đang dùng một đơn vị / One above the root in force
version: {version}

# Có giá trị bao nhiêu ngày, kể từ chữ ký đầu tiên / For how many days it holds, from the first signature on
days: {days}

# Khóa: tên và phần công khai. Khóa không còn ở đây là bị thu hồi: điều gì chỉ khóa đó ký thì các trạm bỏ ngay.
# Keys: a name and the public part. One that is not here any more is revoked: stations drop at once what it alone had
# signed.
keys:
{keys}
# Ai được làm gì / Who may do what:
#   root     ký gốc tin cậy này và bản sau nó / sign this root and the one behind it
#   publish  chương trình / programmes              command  lệnh cho trạm / orders to stations
#   beacon   tín hiệu trung tâm / beacons           live     phát trực tiếp / live relays
#   alert    cảnh báo, nặng nhất đến most_severe / alerts, up to most_severe
# threshold: bao nhiêu khóa phải cùng ký (2 = hai người cùng duyệt) / how many keys sign together (2 = two people)
grants:
{grants}"""
