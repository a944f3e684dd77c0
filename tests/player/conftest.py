"""Fixtures: a player that is up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.player.parts import Listening
from ttcs_edge.core import events


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    """A player that writes to a WAV file, and is ready."""
    listening = Listening(tmp_path)
    listening.wait(events.PlayerReady)
    yield listening
    listening.close()
