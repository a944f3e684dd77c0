"""What a station believes of its own card when it starts: what it verified again (never-1), and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.core.material import bulletin, programme, slot
from tests.parts import SCOPE, Province, utc
from ttcs_edge.core import effects
from ttcs_edge.core.documents import Programme
from ttcs_edge.core.events import Started
from ttcs_edge.core.model import Instant, MonoMs, Scope, WallMs
from ttcs_edge.daemon.beginning import started
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.blobs import Blobs
from ttcs_edge.store.database import Database

PROVINCE = Province()
NOW = datetime.now(timezone.utc)
ROOM = StoreSettings(audio_bytes=1_000_000, free_bytes=0)


def version(number: int, days: int = 30, scope: str = SCOPE) -> Programme:
    """One version of the province's programme, good for some days from now."""
    return programme(
        [slot("tin", "05:00:00", if_unplayable="earlier")],
        [bulletin("tin", 60)],
        version=number,
        scope=Scope(scope),
        issued=utc(NOW - timedelta(days=60)),
        expires=utc(NOW + timedelta(days=days)),
    )


def start(folder: Path, earlier: bytes, trusted: bool = True) -> Started:
    """A card with version 2 in force and these bytes as what it replaced; gives the first event of the next life."""
    database = Database.open(folder)
    accepted = effects.ProgrammeAccepted(SCOPE, 2, PROVINCE.sign(version(2)))
    database.commit([accepted, effects.EarlierKept(SCOPE, 1, earlier)], "da-teh-01", 1)
    database.close()
    now = Instant(WallMs(round(NOW.timestamp() * 1_000)), MonoMs(1), trusted)
    return started(Database.open(folder).remembered(), PROVINCE.root, Blobs(folder / "blobs", ROOM), now)


def test_what_was_replaced_is_believed_again_when_its_signature_is_good(tmp_path: Path) -> None:
    """It is beside what is in force, not in force."""
    first = start(tmp_path, PROVINCE.sign(version(1)))

    assert [signed.document for signed in first.programmes] == [version(2)]
    assert [signed.document for signed in first.earlier] == [version(1)]
    assert first.floors == () and first.refused == ()


@pytest.mark.parametrize(
    "attack", ["changed on the card", "signed by a stranger", "expired", "of another scope", "cut"]
)
def test_what_was_replaced_and_cannot_be_believed_is_left_out_without_a_fault(tmp_path: Path, attack: str) -> None:
    """never-1: whoever has the card in his hands puts no word of his own on the air; nobody has to mend it either."""
    good = PROVINCE.sign(version(1))
    bytes_by_attack = {
        "changed on the card": good.replace(b'"sig": "', b'"sig": "00').replace(b'"sig":"', b'"sig":"00'),
        "signed by a stranger": Province().sign(version(1)),
        "expired": PROVINCE.sign(replace(version(1), expires=utc(NOW - timedelta(seconds=1)))),
        "of another scope": PROVINCE.sign(version(1, scope=f"{SCOPE}/khac")),
        "cut": good[:-9],
    }
    first = start(tmp_path, bytes_by_attack[attack])

    assert first.earlier == () and first.refused == ()
    assert [signed.document.version for signed in first.programmes] == [2]
