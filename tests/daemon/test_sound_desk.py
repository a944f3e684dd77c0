"""What is handed to the player, in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.parts import eventually
from ttcs_edge.core.effects import PrepareSound
from ttcs_edge.core.events import Event
from ttcs_edge.daemon.handlers import SoundDesk
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.blobs import Blobs
from ttcs_edge.tones import built_in


class Told:
    """A player that keeps what it is told: the command, and the names of its files."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, list[str]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda audio: self.commands.append((name, [item.bulletin for item, _ in audio]))


def test_the_tones_of_alerts_are_decoded_behind_a_cue_that_is_due_at_the_start(tmp_path: Path) -> None:
    """They stand by from when it is asked for: the player decodes one file after another."""
    tones, test_tone, files = built_in()
    player, posted = Told(), list[Event]()
    desk = SoundDesk(Blobs(tmp_path, StoreSettings(), files), player, posted.append, (item for _, item in tones))
    desk.put(PrepareSound((test_tone,)))
    eventually(lambda: player.commands)
    desk.stand_by()
    desk.put(PrepareSound((tones[0][1],)))
    desk.close(1.0)

    names = list(dict.fromkeys(item.bulletin for _, item in tones))
    assert player.commands == [("prepare", ["test"]), ("stand_by", names), ("prepare", [tones[0][1].bulletin])]
    assert posted == []
