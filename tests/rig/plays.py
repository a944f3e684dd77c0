"""Has a player in its unit play files, one after the other, as the daemon does: ``plays.py RESULT KIND=FILE...``.

A kind of ``file`` is a bulletin's audio; one of those of streams comes through a socket. The result is a JSON object:
of each file how its play ended, and whether the player stayed.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ttcs_edge.core.events import Event, PlayerGone, PlayerReady, SoundEnded, SoundProgress, StreamHeard
from ttcs_edge.core.model import AudioItem, Sha256, VerifiedAudio
from ttcs_edge.drivers.player import PlayerProcess
from ttcs_edge.drivers.player_launch import SOCKET_VARIABLE, launcher
from ttcs_edge.settings import SoundDriver, SoundSettings

LISTENED_S = 10.0
LENGTH_MS = 3_000


def main(result: Path, named: list[str]) -> None:
    """Play them all."""
    said: queue.SimpleQueue[Event] = queue.SimpleQueue()
    where = launcher({SOCKET_VARIABLE: "/run/ttcs-edge-player.socket"})
    player = PlayerProcess(SoundSettings(SoundDriver.WAV, "wav", Path("/root/aired.wav")), None, where)
    player.watch(said.put)
    number = _until(said, PlayerReady).player
    ended: dict[str, Any] = {}
    for play, (kind, file) in enumerate(one.split("=") for one in named):
        data = Path(file).read_bytes()
        if kind == "file":
            _play(player, number, play, data)
        else:
            _follow(player, number, play, kind, data, said)
        end = _until(said, SoundEnded)
        ended[Path(file).name] = (end.completed, end.item_written_ms[0], end.failure)
    while not said.empty():
        assert not isinstance(said.get(), PlayerGone), "the player is gone"
    player.close(2.0)
    result.write_text(json.dumps(ended))


def _play(player: PlayerProcess, number: int, play: int, data: bytes) -> None:
    item = AudioItem("tin", "vi", Sha256(hashlib.sha256(data).hexdigest()), len(data), LENGTH_MS)
    fd = os.memfd_create("audio")
    os.write(fd, data)
    player.play(number, play, [(item, VerifiedAudio(item.sha256, len(data), fd))], 0, time.monotonic_ns(), 100, 0)


def _follow(
    player: PlayerProcess, number: int, play: int, kind: str, data: bytes, said: queue.SimpleQueue[Event]
) -> None:
    ours, theirs = socket.socketpair()
    player.follow(play, kind, theirs.fileno())
    theirs.close()
    threading.Thread(target=ours.sendall, args=(data,), daemon=True).start()
    _until(said, StreamHeard)
    player.play_stream(number, play, play, 100, 0)
    while _until(said, SoundProgress).written_ms < LENGTH_MS // 2:
        pass
    player.stop(play, 0)


def _until(said: queue.SimpleQueue[Event], kind: type[Any]) -> Any:
    until_s = time.monotonic() + LISTENED_S
    while True:
        event = said.get(timeout=max(0.01, until_s - time.monotonic()))
        if isinstance(event, PlayerGone):
            raise SystemExit(f"the player is gone: {event}")
        if isinstance(event, kind):
            return event


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
