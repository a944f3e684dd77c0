"""What a start makes of what the store remembers: the floor of time, also when the database is gone or the root new."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.parts import SCOPE, Province, make_programme, utc
from ttcs_edge.core.documents import TrustRoot
from ttcs_edge.core.effects import TimeFloor
from ttcs_edge.core.model import Instant, MonoMs, WallMs
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.daemon.beginning import started
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.blobs import Blobs
from ttcs_edge.store.database import Remembered

NOW = Instant(WallMs(round(datetime.now(timezone.utc).timestamp() * 1_000)), MonoMs(0), True)
DAY_MS = 86_400_000
LATER = datetime.now(timezone.utc) + timedelta(hours=1)
NOTHING = Remembered(
    envelopes=(),
    earlier=(),
    floors=(),
    open_as_run=(),
    settled=(),
    open_faults=(),
    alive_until_ms=None,
    watched_until_ms=None,
)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """An empty store of audio."""
    return Blobs(tmp_path / "blobs", StoreSettings())


def floor_ms(remembered: Remembered, root: TrustRoot, blobs: Blobs) -> int:
    """The floor with which a station starts."""
    return started(remembered, root, blobs, NOW).time_floor_ms


def test_the_floor_is_the_one_remembered_under_the_same_root(blobs: Blobs, province: Province) -> None:
    """It was signed under this root: nothing takes it back."""
    kept = replace(NOTHING, time_floor=TimeFloor(WallMs(NOW.wall_ms + DAY_MS), province.root.version))

    assert floor_ms(kept, province.root, blobs) == NOW.wall_ms + DAY_MS


def test_a_new_root_leaves_a_burned_floor_behind(blobs: Blobs, province: Province) -> None:
    """A stolen key signed "2035" while the station had no time; the root that revokes the key ends that too."""
    burned = replace(NOTHING, time_floor=TimeFloor(WallMs(utc_ms("2035-01-01T00:00:00Z")), province.root.version))
    renewed = replace(province.root, version=province.root.version + 1)

    assert floor_ms(burned, renewed, blobs) == utc_ms(renewed.issued)


def test_after_damage_the_documents_that_are_left_tell_it(blobs: Blobs, province: Province) -> None:
    """Verified anew: what a stranger signed tells nothing."""
    good = replace(make_programme(bulletins=(), slots=()), issued=utc(LATER))
    forged = replace(good, issued=utc(LATER + timedelta(hours=1)))
    envelopes = ((SCOPE, province.sign(good)), (SCOPE, Province().sign(forged)))

    assert floor_ms(replace(NOTHING, damage="quick_check", envelopes=envelopes), province.root, blobs) == utc_ms(
        good.issued
    )
    assert floor_ms(replace(NOTHING, damage="quick_check"), province.root, blobs) == utc_ms(province.root.issued)
