"""``ttcs-edge walk`` at a real station: what its loudspeakers get, what its relays do, and what a technician sees."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
import wave
from array import array
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from tests.cli.terminal import on_terminal, run
from tests.parts import Listener, Station, eventually
from tests.system.sight import line_log, sound_runs, status
from ttcs_edge.link.control import ControlError, ask

ZONES = {"gpio27": "cho", "gpio22": "dinh", "gpio23": "buon"}
RATE_HZ = 48_000
TONE_HZ = 1_000


@pytest.fixture
def three_zones(station: Station) -> Station:
    """A running station of three zones, which has spoken their names."""
    text = station.config.read_text()
    third = "  - {id: dinh, name: Đình, pin: 22}\n  - {id: buon, name: Buôn Go, pin: 23}\n"
    station.config.write_text(text.replace("  - {id: dinh, name: Đình, pin: 22}\n", third))
    station.start()
    eventually(lambda: _says_all_names(station), 60)
    return station


def _says_all_names(station: Station) -> bool:
    """The names are spoken when somebody asks for a walk, if they were not before."""
    with suppress(ControlError):
        path = station.folder / "run/control.sock"
        state = ask(path, {"ask": "walk", "seconds": 1, "now": False, "zones": []})
        ask(path, {"ask": "walk-stop", "number": state["number"]})
        eventually(lambda: not any(status(station)["relays"].values()), 20)
        return all(zone["says_name"] for zone in state["zones"])
    return False


def socket_of(station: Station) -> str:
    """Where it is asked."""
    return str(station.folder / "run/control.sock")


def spans(station: Station, from_ns: int) -> list[tuple[str, int, int]]:
    """Which relay of a zone was closed from when until when, in the order in which they closed, from an instant on."""
    since: dict[str, int] = {}
    found = []
    for line, level, at_ns in [change for change in line_log(station) if change[2] >= from_ns]:
        if line in ZONES and level:
            since[line] = at_ns
        elif line in since and not level:
            found.append((ZONES[line], since.pop(line), at_ns))
    return found


def heard(station: Station) -> list[tuple[list[float], int]]:
    """Each stretch of sound in the WAV: the share of the test tone in each tenth of a second, and when it began."""
    with wave.open(str(station.folder / "aired.wav")) as file:
        samples = array("h", file.readframes(file.getnframes()))
    found, at = [], 0
    for begin_ns, end_ns in sound_runs(station):
        frames = round((end_ns - begin_ns) * RATE_HZ / 1e9)
        tenths = [samples[n : n + RATE_HZ // 10] for n in range(at, at + frames - RATE_HZ // 10, RATE_HZ // 10)]
        found.append(([tone_share(one) for one in tenths], begin_ns))
        at += frames
    return found


def tone_share(samples: array[int]) -> float:
    """How much of the power of a sound is at the frequency of the test tone (Goertzel)."""
    power = sum(sample * sample for sample in samples)
    if power < len(samples) * 10:
        return 0.0
    turns = [2 * math.pi * TONE_HZ * n / RATE_HZ for n in range(len(samples))]
    real = sum(sample * math.cos(turn) for sample, turn in zip(samples, turns, strict=True))
    imaginary = sum(sample * math.sin(turn) for sample, turn in zip(samples, turns, strict=True))
    return 2 * (real * real + imaginary * imaginary) / len(samples) / power


def aired(centre: Listener) -> list[dict[str, Any]]:
    """The records of what was heard."""
    return [one for one in centre.reports("as-run") if one["outcome"] == "aired"]


def test_each_horn_gets_the_tone_and_its_own_name(three_zones: Station, centre: Listener) -> None:
    """The tone for three seconds, then words; one relay at a time, none switches under sound; the log tells it all."""
    begun_ns = time.monotonic_ns()
    done = run("walk", "--socket", socket_of(three_zones), "--seconds", "3", "--lang", "en")
    assert (done.returncode, done.stderr) == (0, "")
    eventually(lambda: len(aired(centre)) == 3, 20)
    reports = aired(centre)

    closed = spans(three_zones, begun_ns)
    assert [zone for zone, _, _ in closed] == ["cho", "dinh", "buon"]
    assert all(end < begin for (_, _, end), (_, begin, _) in pairwise(closed))
    plays = heard(three_zones)
    assert len(plays) == 3
    for (shares, begin_ns), (_, from_ns, until_ns) in zip(plays, closed, strict=True):
        assert from_ns < begin_ns < until_ns
        assert all(share > 0.95 for share in shares[2:28])
        assert len(shares) > 38 and sum(share < 0.3 for share in shares[31:]) > 0.8 * len(shares[31:])
    assert [one["zones"] for one in reports] == [["cho"], ["dinh"], ["buon"]]
    assert {one["slot"] for one in reports} == {"station:walk"}
    entry = eventually(lambda: [one for one in centre.reports("audit") if one["what"] == "walk"], 20)[0]
    assert (entry["deed"], entry["by"]["uid"]) == ("accepted", os.getuid())
    assert done.stdout.startswith("3 zones, one by one. Ctrl-C ends it.\n1. Chợ: sounded")


def test_a_technician_sees_zone_by_zone_what_happens(three_zones: Station) -> None:
    """On a terminal, Vietnamese first: switching, the tone, the name, and the table at the end."""
    told = on_terminal("walk", "--socket", socket_of(three_zones), "--seconds", "1", LC_ALL="vi_VN.UTF-8")
    for number, name in enumerate(("Chợ", "Đình", "Buôn Go"), 1):
        for words in ("âm thử", "đọc tên"):
            assert f"\r{number}/3 {name}: {words}\x1b[K" in told
        assert f"{number}. {name}: đã phát" in told
    assert ": đang đóng rơ-le\x1b[K" in told  # it takes no longer than from one look to the next
    assert "Đã phát hết." in told


def test_ctrl_c_ends_it_with_a_fade_and_every_relay_open(three_zones: Station) -> None:
    """Within moments, and the command says so."""
    command = [sys.executable, "-m", "ttcs_edge.cli.main", "walk", "--socket", socket_of(three_zones), "--lang", "en"]
    begun_ns = time.monotonic_ns()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    eventually(lambda: status(three_zones).get("on_air"), 20)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "Ending: it is faded, the relays open" in out and "It ended early: somebody at the station stopped it" in out
    eventually(lambda: not any(status(three_zones)["relays"].values()), 10)
    assert [zone for zone, _, _ in spans(three_zones, begun_ns)] == ["cho"]


def test_a_walk_that_nobody_looks_at_any_more_is_ended(three_zones: Station) -> None:
    """A technician whose connection is gone hears nothing."""
    state = ask(three_zones.folder / "run/control.sock", {"ask": "walk", "seconds": 30, "now": False, "zones": []})
    assert [zone["outcome"] for zone in state["zones"]] == ["switching", "waits", "waits"]
    eventually(lambda: status(three_zones).get("on_air"), 10)
    time.sleep(1)
    eventually(lambda: not status(three_zones).get("on_air"), 15)
    eventually(lambda: not any(status(three_zones)["relays"].values()), 10)


def test_what_is_asked_wrongly_changes_nothing(three_zones: Station) -> None:
    """never-7: whoever may use the socket may say anything."""
    path = three_zones.folder / "run/control.sock"
    good: dict[str, Any] = {"ask": "walk", "seconds": 3, "now": False, "zones": []}
    for bad in (
        {"seconds": 0},
        {"seconds": 31},
        {"seconds": True},
        {"seconds": None},
        {"now": "yes"},
        {"zones": "cho"},
        {"zones": [1]},
        {"zones": ["x" * 65]},
        {"zones": ["cho"] * 1_000},
        {"ask": "walk-state", "number": -1},
        {"ask": "walk-state", "number": "1"},
        {"ask": "walk-stop"},
    ):
        with pytest.raises(ControlError) as refused:
            ask(path, good | bad)
        assert refused.value.code == "bad-request", bad
    with pytest.raises(ControlError) as refused:
        ask(path, good | {"zones": ["cho", "nowhere"]})
    assert (refused.value.code, refused.value.detail) == ("walk-refused", {"reason": "unknown-zone", "zone": "nowhere"})
    with pytest.raises(ControlError) as refused:
        ask(path, {"ask": "walk-state", "number": 7})
    assert refused.value.code == "walk-refused"
    assert not any(status(three_zones)["relays"].values())
    done = run("walk", "--socket", socket_of(three_zones), "nowhere", "--lang", "en")
    assert (done.returncode, done.stderr.splitlines()[0]) == (75, "Not now: it has no zone nowhere")
    done = run("walk", "--socket", socket_of(three_zones), "nowhere", "--json")
    assert json.loads(done.stdout)["error"]["code"] == "walk-refused"
