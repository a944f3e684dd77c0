"""A bug of ours, planted in a running daemon: the pole is safe before anybody is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.parts import Clip, Listener, Province, Station, eventually, notify_socket, put_chunks
from tests.system.test_main_job import TOPIC, all_open, one_slot

PLANTED = """
import sys
from pathlib import Path
from ttcs_edge.daemon.__main__ import main
from ttcs_edge.drivers.player import PlayerProcess
from ttcs_edge.player.messages import Progress

honest = PlayerProcess._pass_on

def planted(self, answer):
    if isinstance(answer, Progress) and answer.written_ms > 300:
        raise ZeroDivisionError("planted")
    honest(self, answer)

PlayerProcess._pass_on = planted
sys.exit(main(Path(sys.argv[1])))
"""


def test_a_thread_that_dies_of_a_bug_ends_the_daemon_with_every_relay_open(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """In the middle of a cue: relays open, the log names the thread, the next start tells the cue as cut (never-2)."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 7)))
    with notify_socket(station.folder) as told, (station.folder / "log").open("ab") as log:
        environment = os.environ | {"NOTIFY_SOCKET": str(station.folder / "notify")}
        command = [sys.executable, "-c", PLANTED, str(station.config)]
        station.process = subprocess.Popen(command, env=environment, stderr=log, cwd=station.folder)
        eventually(lambda: "READY=1" in told(), 15)
    process = station.process
    eventually(lambda: process.poll() is not None, 20)

    assert process.returncode == 1
    assert all_open(station)
    lines = (station.folder / "log").read_text().splitlines()
    ended = [json.loads(line) for line in lines if '"thread-ended"' in line]
    assert [(line["thread"], line["level"]) for line in ended] == [("player-watch", "error")]
    assert "ZeroDivisionError: planted" in ended[0]["exception"]
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"))
    assert (report["outcome"], report["reason"]) == ("cut", "power")
