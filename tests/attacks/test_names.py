"""Names that look like another's, or that lead elsewhere: no document, topic or file is called so."""

from __future__ import annotations

import json

import pytest

from tests.wire.corpus import GOOD, READ
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.stations import check_scope
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.model import Scope, is_sha256
from ttcs_edge.wire.topics import Topics

TOPICS = Topics("ttcs/v1")
LOOK_ALIKES = {
    "Cyrillic a": "dа-teh",
    "fullwidth": "ｄa-teh",
    "a digit of another script": "da-teh-٣",
    "zero width joiner": "da\u200d-teh",
    "combining mark": "da-te\u0301h",
    "right to left": "da\u202e-teh",
}
ELSEWHERE = {
    "up": "../da-teh",
    "up in the middle": "da/../../etc",
    "absolute": "/etc/shadow",
    "a drive": "..\\..\\da-teh",
    "encoded": "%2e%2e%2fda-teh",
    "this folder": ".",
    "hidden": ".da-teh",
    "null": "da\x00teh",
    "newline": "da-teh\n",
    "wildcard": "da+teh",
    "all below": "#",
    "empty": "",
    "a system topic": "$SYS",
}
NAMES = {**LOOK_ALIKES, **ELSEWHERE}
FIELDS = {
    "programme": ("scope", "bulletins.0.id", "slots.0.id", "slots.0.zones.0", "bulletins.0.audio.0.sha256"),
    "beacon": ("scope", "alerts.0.id", "alerts.0.sha256"),
    "command": ("scope", "station"),
    "alert": ("scope", "id"),
    "live": ("scope", "id"),
    "trust": ("scope", "grants.0.scope", "grants.0.keys.0"),
}
"""Every field that names something, by the kind of its document."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind, paths in FIELDS.items() for path in paths])
def test_a_name_that_looks_like_another_or_leads_elsewhere_is_refused(kind: str, path: str, name: str) -> None:
    """Also when somebody who may signs it: what is read of it is a refusal, and never a file or a topic."""
    document = json.loads(json.dumps(GOOD[kind]))
    *way, last = path.split(".")
    place = document
    for step in way:
        place = place[int(step)] if step.isdecimal() else place[step]
    place[int(last) if last.isdecimal() else last] = NAMES[name]
    read = READ[kind](json.dumps(document).encode())

    assert isinstance(read, Refused) and read.code == "wrong-type"


@pytest.mark.parametrize("name", NAMES)
def test_no_topic_of_such_a_name_is_taken_apart(name: str) -> None:
    """It brings nothing, and nothing of it reaches a fault, a path or the log."""
    found = NAMES[name]
    assert TOPICS.programme_scope(f"ttcs/v1/scope/{found}/programme") is None
    assert TOPICS.trust_scope(f"ttcs/v1/scope/{found}/trust") is None
    assert TOPICS.beacon_scope(f"ttcs/v1/scope/{found}/beacon") is None
    assert TOPICS.alert_event(f"ttcs/v1/scope/vn/alert/{found}") is None
    assert TOPICS.live_relay(f"ttcs/v1/scope/vn/live/{found}") is None
    assert TOPICS.station_leaf(f"ttcs/v1/station/{found}/event") is None
    assert TOPICS.blob_chunk(f"ttcs/v1/blob/{found}/0") is None
    assert not is_sha256(found)


@pytest.mark.parametrize("name", NAMES)
def test_no_operator_makes_such_a_scope(name: str) -> None:
    """Nor a folder of it."""
    with pytest.raises(CentralError, match="bad-scope"):
        check_scope(NAMES[name])


def test_a_good_name_is_taken() -> None:
    """The ground on which the attacks stand."""
    assert check_scope("vn/lam-dong/da-teh") == Scope("vn/lam-dong/da-teh")
    for kind in FIELDS:
        assert not isinstance(READ[kind](json.dumps(GOOD[kind]).encode()), Refused)
