"""``ttcs-edge test-tone``, ``relay``, ``mute`` and ``stop`` at a real station: its relays, its reports, its screens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from tests.cli.terminal import run
from tests.parts import Listener, Station, eventually
from tests.system.sight import status


def relays(station: Station) -> set[str]:
    """What is closed."""
    return {name for name, closed in status(station)["relays"].items() if closed}


def test_a_technician_tests_and_silences_a_station_by_hand(station: Station, centre: Listener) -> None:
    """A tone that ends by itself, a relay whose command is killed, a relay that is opened, silence and its end."""
    station.start()
    at = ("--socket", str(station.folder / "run/control.sock"), "--lang", "en")
    eventually(lambda: status(station)["player_up"], 20)

    done = run("test-tone", "cho", "--seconds", "1", *at)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "The test tone for 1 s in: Chợ. Ctrl-C ends it."
    assert done.stdout.splitlines()[-1] == "Done, and off."
    eventually(lambda: relays(station) <= {"amplifier"}, 10)

    hold = [sys.executable, "-m", "ttcs_edge.cli.main", "relay", "dinh", "--close", "--seconds", "300", *at, "--json"]
    killed = subprocess.Popen(hold, stdout=subprocess.DEVNULL)
    eventually(lambda: "dinh" in relays(station), 10)
    refused = run("test-tone", *at)
    assert (refused.returncode, refused.stdout) == (75, "")
    assert refused.stderr.startswith("Not now: something else is on the air\n")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    since_s = time.monotonic()
    eventually(lambda: "dinh" not in relays(station), 10)
    assert time.monotonic() - since_s < 8

    held = subprocess.Popen(hold, stdout=subprocess.PIPE, text=True)
    eventually(lambda: "dinh" in relays(station), 10)
    opened = run("relay", "dinh", "--open", *at)
    assert (opened.returncode, opened.stdout, opened.stderr) == (0, "The relay is held no more.\n", "")
    output, _ = held.communicate(timeout=15)
    assert (held.returncode, json.loads(output)["ended"]) == (0, "stopped-by-hand")
    eventually(lambda: "dinh" not in relays(station), 10)

    assert run("mute", "--for", "5", *at).returncode == 0
    assert [one["code"] for one in status(station)["faults"]] == ["muted"]
    assert run("unmute", *at).stdout == "The station is heard again.\n"
    assert run("stop", *at).stdout.splitlines()[0] == "Nothing is being tested."

    eventually(lambda: len([one for one in centre.reports("audit") if one["by"]]) == 6, 20)
    trail = [(one["deed"], one["what"], one["by"]["uid"]) for one in centre.reports("audit") if one["by"]]
    by_hand = [("accepted", "lease"), ("accepted", "lease"), ("accepted", "lease"), ("accepted", "tests")]
    assert trail == [(*one, os.getuid()) for one in (*by_hand, ("muted", "station"), ("unmuted", "station"))]
    records = {(one["slot"], one["outcome"], one["reason"]) for one in centre.reports("as-run")}
    assert records == {("station:tone", "aired", None), ("station:relay", "part", "stopped-by-hand")}
