"""A card that dies or fills up under a running station: it stays on the air, says so, and loses no report."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import Broker, Clip, Listener, Province, Station, eventually, put_chunks
from tests.system.sight import sound_runs, status
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


def ready_to_air(station: Station, centre: Listener, province: Province, clip: Clip, seconds_ahead: float) -> None:
    """Running, with a cue to come whose audio is on the card."""
    put_chunks(centre, clip)
    station.start()
    centre.publish(TOPIC, province.sign(one_slot(clip, seconds_ahead)))
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
