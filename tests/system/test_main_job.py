"""The main job, end to end, on real parts: broker with TLS, SQLite, libvlc, mock lines that keep their level."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
import wave
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner

from tests.parts import (
    ROOT,
    SCOPE,
    Broker,
    Clip,
    Listener,
    Province,
    Station,
    eventually,
    local,
    make_programme,
    newer,
    put_chunks,
)
from tests.system.sight import heard_ms, kill_on_air, line_log, position_ms, release, sound_runs, status
from ttcs_edge.core.documents import Bulletin, Programme, Slot
from ttcs_edge.drivers.pins import level

TOPIC = f"{ROOT}/scope/{SCOPE}/programme"


def one_slot(clip: Clip, seconds_ahead: float, **slot: Any) -> Programme:
    """A programme with one bulletin that airs once, some seconds from now."""
    bulletin = Bulletin(id="tin-sang", title="Bản tin sáng", audio=(clip.audio(),))
    return make_programme(
        bulletins=(bulletin,),
        slots=(Slot(id="sang", start=local(seconds_ahead), bulletins=("tin-sang",), **slot),),
    )


def all_open(station: Station) -> bool:
    """Tell whether every relay is open, felt at the wire."""
    return not any(level(station.lines, pin) for pin in (17, 27, 22))


def test_a_signed_programme_becomes_sound_and_switched_relays_and_comes_back_as_proof(
    station: Station, broker: Broker, centre: Listener, province: Province, clip: Clip
) -> None:
    """Published, fetched over the broker, aired on time with the broker gone, proven when it is back."""
    put_chunks(centre, clip)
    station.start()
    programme = one_slot(clip, 8)
    centre.publish(TOPIC, province.sign(programme))
    eventually(lambda: status(station).get("cache", {}).get("stored_files") == 1)
    broker.stop()

    eventually(lambda: status(station).get("state") == "on-air", 15)
    eventually(lambda: status(station).get("outbox", {}).get("depth", 0) > 0, 15)
    eventually(lambda: all_open(station), 15)
    broker.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 15)

    assert report["outcome"] == "aired"
    assert report["reason"] is None
    assert report["zones"] == ["cho", "dinh"]
    assert [item["sha256"] for item in report["items"]] == [clip.sha256]
    assert report["items"][0]["size_bytes"] == len(clip.data)
    assert report["occurrence"] == f"{SCOPE}#sang@{programme.slots[0].start}"
    assert_relays_never_switched_under_sound(station)
    ups = [line for line, value, _ in line_log(station) if value == 1]
    assert ups == ["gpio17", "gpio27", "gpio22"], "amplifier first, then the zones one by one"
    with wave.open(str(station.folder / "aired.wav")) as aired:
        written_ms = aired.getnframes() * 1_000 // aired.getframerate()
    assert 1_900 < written_ms < 2_200
    for zone in ("gpio27", "gpio22"):
        assert written_ms - 10 <= heard_ms(station, zone) <= written_ms, "all of it went through a warm amplifier"
    eventually(lambda: status(station).get("outbox", {}).get("depth") == 0)


def assert_relays_never_switched_under_sound(station: Station) -> None:
    """air-4, never-3: no line changed between the first and the last sample of any stretch of sound."""
    runs = sound_runs(station)
    assert runs, "nothing sounded"
    for line, value, at_ns in line_log(station):
        assert not any(begin <= at_ns < end for begin, end in runs), f"{line} went to {value} under sound"


def test_a_cue_begins_within_20_ms_of_its_instant(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """The first sample goes out at the planned start, not when the amplifier happens to be warm."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 7)))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 20)

    late = datetime.fromisoformat(report["start"]) - datetime.fromisoformat(report["planned_start"])
    assert timedelta(milliseconds=-1) <= late <= timedelta(milliseconds=20)


def test_a_strangers_programme_is_refused_once_and_the_one_in_force_stays(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """One fault, with the reason; the programme in force stays in force, also over a restart (never-1)."""
    good = one_slot(clip, 3_600)
    centre.publish(TOPIC, province.sign(good))
    station.start()
    eventually(lambda: status(station)["programmes"])
    centre.publish(TOPIC, province.sign(newer(good), [CryptoSigner.generate_ed25519()]))
    eventually(lambda: [f for f in centre.reports("fault") if f["code"] == "not-enough-signatures"])
    assert station.stop() == 0
    station.start()

    assert [p["version"] for p in eventually(lambda: status(station).get("programmes"))] == [1]
    eventually(lambda: status(station)["link_up"])
    faults = [f for f in centre.reports("fault") if f["code"] == "not-enough-signatures"]
    assert [(fault["subject"], fault["cleared"]) for fault in faults] == [(SCOPE, None)]


def test_an_older_version_is_refused_also_after_a_restart(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """never-6: the version floor is on disk."""
    second = newer(one_slot(clip, 3_600))
    centre.publish(TOPIC, province.sign(second))
    station.start()
    eventually(lambda: status(station)["programmes"])
    station.stop(signal.SIGKILL)
    centre.publish(TOPIC, province.sign(one_slot(clip, 3_600)))
    station.start()

    (fault,) = eventually(lambda: [f for f in centre.reports("fault") if f["code"] == "old-version"])
    assert fault["detail"] == {"found": "1", "expected": ">= 2"}
    assert [p["version"] for p in status(station)["programmes"]] == [2]


def test_a_stop_fades_opens_every_relay_and_is_done_within_3_s(
    station: Station, centre: Listener, province: Province, tmp_path: Path, clip: Clip
) -> None:
    """SIGTERM in the middle of a cue: exit code 0, as-run part, status stopped."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 7)))
    station.start()
    eventually(lambda: status(station).get("state") == "on-air", 15)
    began_s = time.monotonic()

    assert station.stop() == 0
    assert time.monotonic() - began_s < 3.0
    assert all_open(station)
    (report,) = eventually(lambda: centre.reports("as-run"))
    assert (report["outcome"], report["reason"]) == ("part", "stopped")
    assert_relays_never_switched_under_sound(station)
    eventually(lambda: centre.reports("status")[-1]["state"] == "stopped")


def test_after_a_kill_release_opens_every_relay_and_the_open_record_is_closed_as_cut(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """never-2: lines keep their level after kill -9, until the unit's ExecStopPost opens them."""
    put_chunks(centre, clip)
    programme = one_slot(clip, 7)
    centre.publish(TOPIC, province.sign(programme))
    station.start()
    # What it tells is on the card a second later at most; a cue that died before that may air anew.
    kill_on_air(station, 1_000)
    assert not all_open(station), "the kill itself opens nothing: that is what must be mended"

    release(station)
    assert all_open(station)
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"))
    assert (report["outcome"], report["reason"]) == ("cut", "power")
    eventually(lambda: status(station)["link_up"])
    assert len(centre.reports("as-run")) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_player_that_dies_or_hangs_is_replaced_and_the_cue_goes_on(
    station: Station, centre: Listener, province: Province, clip: Clip, number: int
) -> None:
    """In the middle of a cue: relays never notice, the cue is heard to its end."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 7)))
    station.start()
    eventually(lambda: position_ms(station) > 300, 15)
    signal_player(station, number)

    (report,) = eventually(lambda: centre.reports("as-run"), 15)
    assert (report["outcome"], report["interruptions"]) == ("aired", 1)
    codes = [(fault["code"], fault["cleared"] is not None) for fault in centre.reports("fault")]
    assert codes == [("player-died", False), ("player-died", True)]
    ups = [line for line, value, _ in line_log(station) if value == 1]
    assert ups == ["gpio17", "gpio27", "gpio22"], "no relay was switched for it"


def signal_player(station: Station, number: int) -> None:
    """A signal to the daemon's only child."""
    assert station.process is not None
    pid = station.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), number)


def test_two_slots_at_one_instant_air_one_after_the_other(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """By priority, then by slot id; each is heard whole and told once (air-3)."""
    put_chunks(centre, clip)
    bulletin = Bulletin(id="tin", title="Tin", audio=(clip.audio(),))
    start = local(7)
    order = (("c", 5), ("a", 5), ("b", 7))
    slots = tuple(Slot(id=name, start=start, bulletins=("tin",), priority=priority) for name, priority in order)
    centre.publish(TOPIC, province.sign(make_programme(bulletins=(bulletin,), slots=slots)))
    station.start()
    eventually(lambda: len(centre.reports("as-run")) == 3, 25)

    told = [(report["slot"], report["outcome"], report["reason"]) for report in centre.reports("as-run")]
    assert told == [("b", "aired", None), ("a", "aired", None), ("c", "aired", None)]
    assert_relays_never_switched_under_sound(station)
    assert len(sound_runs(station)) == 3
    ups = [line for line, value, _ in line_log(station) if value == 1]
    assert ups[0] == "gpio17" and ups.count("gpio17") == 1, "the amplifier stays on between them"


def test_a_station_is_ready_without_a_broker_and_airs_what_it_has(
    station: Station, broker: Broker, centre: Listener, province: Province, clip: Clip
) -> None:
    """Stopped, and started again with no broker in the world."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 14)))
    station.start()
    eventually(lambda: status(station).get("cache", {}).get("stored_files") == 1)
    assert station.stop() == 0
    broker.stop()
    station.start()

    eventually(lambda: status(station).get("state") == "on-air", 20)
    assert status(station)["link_up"] is False


def test_a_programme_is_acknowledged_only_once_it_is_on_disk(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """A card that does not write, a kill -9: the broker brings the message again, which is not retained."""
    station.start()
    eventually(lambda: status(station)["link_up"])
    with sqlite3.connect(station.folder / "state/ttcs.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        centre.publish(TOPIC, province.sign(one_slot(clip, 3_600)), retain=False)
        eventually(lambda: status(station)["programmes"])
        station.stop(signal.SIGKILL)
        other.execute("ROLLBACK")
    station.start()

    eventually(lambda: status(station)["programmes"])
    assert station.stop() == 0
    station.start()
    assert [p["version"] for p in status(station)["programmes"]] == [1], "from the disk: nobody brought it a third time"
