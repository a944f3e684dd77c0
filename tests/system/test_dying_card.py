"""A card that dies or fills up, under a running station or before its start: it airs on, says so, loses no report."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.parts import Broker, Clip, Listener, Province, Station, eventually, put_chunks
from tests.system.sight import check_numbers, sound_runs, status
from tests.system.test_main_job import TOPIC, all_open, one_slot


@pytest.fixture
def card(station: Station, tmp_path: Path) -> Iterator[Path]:
    """The state folder of the station, on an ext4 of its own that turns read-only at its first error; as root."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    image, folder = tmp_path / "card.img", station.folder / "state"
    with image.open("wb") as file:
        file.truncate(64 * 1024**2)
    folder.mkdir()
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True)
    mount = ["mount", "-o", "loop,errors=remount-ro", str(image), str(folder)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("this machine mounts no files")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def codes(station: Station) -> set[str]:
    """The faults that the station tells a technician of."""
    return {fault["code"] for fault in status(station).get("faults", ())}


def ready_to_air(
    station: Station, centre: Listener, province: Province, clip: Clip, seconds_ahead: float, **slot: Any
) -> None:
    """Running, with a cue to come whose audio is on the card."""
    put_chunks(centre, clip)
    station.start()
    centre.publish(TOPIC, province.sign(one_slot(clip, seconds_ahead, **slot)))
    eventually(lambda: status(station).get("cache", {}).get("stored_files") == 1)


def test_a_card_that_dies_does_not_take_the_station_off_the_air(
    station: Station, card: Path, broker: Broker, centre: Listener, province: Province, clip: Clip
) -> None:
    """The file system meets an error and turns read-only for good: the cue airs, the fault is told to who asks."""
    ready_to_air(station, centre, province, clip, 8)
    number = card.stat().st_dev
    name = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve().name
    Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("dead")
    with pytest.raises(OSError, match="Read-only file system"):
        (card / "probe").touch()

    eventually(lambda: len(sound_runs(station)) == 1, 20)
    eventually(lambda: "store-failing" in codes(station))
    eventually(lambda: all_open(station))
    assert station.process is not None and station.process.poll() is None
    assert status(station)["link_up"]


def test_what_happened_while_a_card_was_full_is_told_when_there_is_room_again(
    station: Station, card: Path, broker: Broker, centre: Listener, province: Province, clip: Clip
) -> None:
    """Not a byte is left when the cue airs: its record waits in memory, and arrives once, behind the fault's."""
    ready_to_air(station, centre, province, clip, 9)
    ballast = card / "ballast"
    with ballast.open("wb") as file, pytest.raises(OSError, match="No space left"):
        while True:
            os.write(file.fileno(), bytes(4_096))

    eventually(lambda: len(sound_runs(station)) == 1, 20)
    eventually(lambda: "store-failing" in codes(station))
    assert centre.reports("as-run") == []
    ballast.unlink()
    eventually(lambda: centre.reports("as-run"), 15)
    eventually(lambda: "store-failing" not in codes(station))

    assert [(report["outcome"], report["reason"]) for report in centre.reports("as-run")] == [("aired", None)]
    told = [(fault["code"], fault["cleared"] is None) for fault in centre.reports("fault")]
    assert ("store-failing", True) in told
    eventually(lambda: status(station)["outbox"]["depth"] == 0)


def in_memory(centre: Listener) -> list[tuple[dict[str, str], bool]]:
    """What was told of lives in memory: the detail, and whether it was over; each id once."""
    told = {fault["id"]: fault for fault in centre.reports("fault") if fault["code"] == "store-in-memory"}
    return [(fault["detail"], fault["cleared"] is not None) for fault in told.values()]


def test_a_card_that_cannot_be_written_at_the_start_does_not_keep_the_station_off_the_air(
    station: Station, card: Path, broker: Broker, centre: Listener, province: Province, clip: Clip
) -> None:
    """It airs from memory and tells so, once; killed, it airs nothing twice; the card mended, all is told that was not
    told meanwhile.
    """
    ready_to_air(station, centre, province, clip, 14, late_window_s=3_600)
    assert station.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", str(card)], check=True)
    station.start()
    eventually(lambda: len(sound_runs(station)) == 1, 25)
    eventually(lambda: [report["outcome"] for report in centre.reports("as-run")] == ["aired"])
    detail = {"error": "Read-only file system", "left": "0"}
    assert in_memory(centre) == [(detail, False)] and "store-in-memory" in codes(station)
    (heartbeat, *_) = [beat for beat in centre.reports("heartbeat") if beat["boot"] != 1]
    assert heartbeat["boot"] > 2**52

    station.stop(signal.SIGKILL)
    broker.stop()
    station.start()
    eventually(lambda: "link-down" in codes(station), 15)
    eventually(lambda: status(station)["outbox"]["depth"])
    assert (len(sound_runs(station)), in_memory(centre)) == (1, [(detail, False)])
    station.stop(signal.SIGKILL)
    subprocess.run(["mount", "-o", "remount,rw", str(card)], check=True)
    broker.start()
    station.start()
    eventually(lambda: in_memory(centre) == [(detail, False), (detail, True)])
    eventually(lambda: status(station)["outbox"]["depth"] == 0)

    told = [fault["cleared"] is None for fault in centre.reports("fault") if fault["code"] == "link-down"]
    assert sorted(told) == [False, True]
    assert (len(sound_runs(station)), len(centre.reports("as-run")), status(station)["boot"]) == (1, 1, 2)
    assert not (station.folder / "run/state").exists() and "store-in-memory" not in codes(station)
    check_numbers(centre)
