"""The box itself: files as the kernel lays them out, a real card that is lost, and what is told of it, once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import eventually
from ttcs_edge.core.events import ConditionChanged, Event
from ttcs_edge.core.supervision import SEVERITY
from ttcs_edge.daemon.health import Health
from ttcs_edge.drivers.canary import Canary
from ttcs_edge.drivers.host import BOUNDS, SystemHost
from ttcs_edge.store.lives import LASTS_S, Lives

PLENTY_BYTES = 1


class Box:
    """A Raspberry Pi's /sys and /proc, in a folder, and what is told of them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.state = folder / "state"
        self.state.mkdir(parents=True)
        self.volt = self.put("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0")
        self.put("sys/class/hwmon/hwmon0/name", "cpu_thermal")
        self.put("sys/class/hwmon/hwmon1/name", "rpi_volt")
        self.heat = self.put("sys/class/thermal/thermal_zone0/temp", "45000")
        self.put("sys/class/thermal/thermal_zone0/type", "cpu-thermal")
        self.memory = self.put("proc/meminfo", "")
        self.free(500_000)
        number = self.state.stat().st_dev
        card = "sys/devices/platform/mmc_host/mmc0/mmc0:0001/block/mmcblk0"
        self.life = self.put(f"{card}/device/life_time", "0x02 0x03")
        self.spare = self.put(f"{card}/device/pre_eol_info", "0x01")
        self.put(f"{card}/mmcblk0p2/partition", "2")
        link = self.root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}"
        link.parent.mkdir(parents=True)
        link.symlink_to(self.root / card / "mmcblk0p2")
        self.errors = self.put("sys/fs/ext4/mmcblk0p2/errors_count", "0")
        self.told: list[Event] = []

    def put(self, path: str, text: str) -> Path:
        """A file of the kernel."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
        return file

    def free(self, kbytes: int) -> None:
        """So much memory is available, of a gigabyte."""
        self.memory.write_text(f"MemTotal:        1000000 kB\nMemFree:  9 kB\nMemAvailable:  {kbytes} kB\n")

    def health(self, free_bytes: int = PLENTY_BYTES) -> Health:
        """Who watches this box."""
        host = SystemHost(self.state, free_bytes, self.root)
        return Health(host, Canary(self.state), Lives(self.state), self.told.append)

    def news(self) -> list[tuple[str, bool]]:
        """What was told since the last time."""
        told, self.told[:] = [(one.code, one.present) for one in self.told if isinstance(one, ConditionChanged)], []
        return told


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A box in good health."""
    return Box(tmp_path)


def test_at_its_first_look_a_healthy_box_ends_what_an_earlier_life_left_and_says_no_more(box: Box) -> None:
    """Every condition is told as absent, once: a fault that was open at a power cut would stay open for ever."""
    health = box.health()
    health.look(0.0)
    assert sorted(box.news()) == sorted((code, False) for code in BOUNDS)
    health.look(30.0)
    assert box.news() == []
    assert set(BOUNDS) <= set(SEVERITY)


@pytest.mark.parametrize(
    ("code", "bad", "between", "good", "detail"),
    [
        ("too-hot", "80000", "76000", "75000", (("celsius", "80"),)),
        ("card-errors", "7", None, "0", (("count", "7"), ("device", "mmcblk0p2"))),
        ("card-worn", "0x01 0x09", None, "0x01 0x02", (("percent", "90"), ("device", "mmcblk0p2"))),
    ],
)
def test_a_reading_is_a_fault_from_its_bound_on_and_until_it_is_well_below(
    box: Box, code: str, bad: str, between: str | None, good: str, detail: tuple[tuple[str, str], ...]
) -> None:
    """Told once, with its figures, however often it is seen; in between nothing changes, in either direction."""
    file = {"too-hot": box.heat, "card-errors": box.errors, "card-worn": box.life}[code]
    health = box.health()
    health.look(0.0)
    for text in filter(None, (between, bad)):
        box.told.clear()
        file.write_text(text)
        health.look(30.0)
        health.look(60.0)
    (raised,) = box.told
    assert isinstance(raised, ConditionChanged)
    assert (raised.code, raised.present, raised.detail) == (code, True, detail)

    box.told.clear()
    if between is not None:
        file.write_text(between)
        health.look(90.0)
        assert box.news() == []
    file.write_text(good)
    health.look(120.0)
    assert box.news() == [(code, False)]


def test_memory_that_runs_out_is_told_and_a_little_more_of_it_is_not_enough(box: Box) -> None:
    """Eight percent left is a fault, until fifteen are."""
    health = box.health()
    health.look(0.0)
    box.news()
    told = []
    for kbytes in (80_001, 80_000, 140_000, 150_000):
        box.free(kbytes)
        health.look(1.0)
        told.append(box.news())
    assert told == [[], [("memory-low", True)], [], [("memory-low", False)]]


def test_a_supply_that_dips_is_a_fault_until_it_has_been_well_for_a_minute(box: Box) -> None:
    """It dips each time that the amplifier draws: one fault, not one for each dip."""
    health = box.health()
    health.look(0.0)
    box.news()
    for mono_s, alarm in ((30.0, "1"), (60.0, "0"), (90.0, "1"), (120.0, "0"), (179.0, "0")):
        box.volt.write_text(alarm)
        health.look(mono_s)
    assert box.news() == [("under-voltage", True)]
    health.look(180.0)
    assert box.news() == [("under-voltage", False)]


def test_an_emmc_that_uses_up_its_spare_blocks_is_told_before_its_age_is(box: Box) -> None:
    """The kernel's ``pre_eol_info`` of 2 is the maker's own warning."""
    box.spare.write_text("0x02")
    health = box.health()
    health.look(0.0)
    assert ("card-worn", True) in box.news()


def test_a_card_with_less_free_than_the_fetcher_leaves_is_almost_full(box: Box) -> None:
    """Something else than audio fills it."""
    disk = os.statvfs(box.state)
    box.health(free_bytes=disk.f_bavail * disk.f_frsize * 3).look(0.0)
    assert ("disk-low", True) in box.news()


def test_a_machine_without_any_of_these_files_says_nothing_of_them(tmp_path: Path) -> None:
    """No hwmon, no thermal zone, no card, no meminfo: neither a fault nor an error."""
    host = SystemHost(tmp_path, PLENTY_BYTES, tmp_path / "nothing")
    assert [reading.code for reading in host.readings()] == ["disk-low", "card-read-only"]
    assert host.dips() is None


def test_files_that_hold_nonsense_are_passed_over(box: Box) -> None:
    """never-7: whatever a driver writes there."""
    health = box.health()
    for file in (box.volt, box.heat, box.memory, box.errors, box.life):
        file.write_text("\x00 n/a")
    health.look(0.0)
    assert sorted(box.news()) == [(code, False) for code in ("card-lies", "card-read-only", "disk-low", "restarting")]


# starts in a row


def test_five_starts_of_which_none_lasted_are_a_fault_until_one_has(box: Box) -> None:
    """Killed four times within the hour; the fifth life says so, and takes it back once it is an hour old."""
    for _ in range(4):
        Lives(box.state).begin()
    lives = Lives(box.state)
    lives.begin()
    health = Health(SystemHost(box.state, 1, box.root), Canary(box.state), lives, box.told.append)
    health.look(0.0)
    assert ("restarting", True) in box.news()
    health.look(LASTS_S + 1e9)
    assert box.news() == [("restarting", False)]
    assert list(box.state.iterdir()) == []


def test_a_station_that_somebody_stops_has_not_died(box: Box) -> None:
    """A technician may restart it as often as it takes."""
    for _ in range(10):
        lives = Lives(box.state)
        lives.begin()
        lives.lasted()
    lives.begin()
    assert lives.count == 1


def test_a_rotten_count_is_begun_anew(box: Box) -> None:
    """never-7."""
    (box.state / "short-lives").write_bytes(b"\xff\x00many")
    lives = Lives(box.state)
    lives.begin()
    assert lives.count == 1


# write, read back


def test_a_card_that_keeps_what_is_written_is_left_in_peace(tmp_path: Path) -> None:
    """Round after round, in one block."""
    canary = Canary(tmp_path)
    for _ in range(3):
        canary.sing()
        assert canary.trouble == ""
    assert (tmp_path / "canary").stat().st_size == 4_096


def test_a_card_that_forgets_what_it_took_is_told_of(tmp_path: Path) -> None:
    """All was well when it was written; half a day later the block holds what it held before."""
    canary = Canary(tmp_path)
    canary.sing()
    old = (tmp_path / "canary").read_bytes()
    canary.sing()
    (tmp_path / "canary").write_bytes(old)
    canary.sing()
    assert canary.trouble == "what was written before is gone"


def test_a_file_that_vanished_is_told_of_and_the_next_round_begins_anew(tmp_path: Path) -> None:
    """The trouble ends when the card is well."""
    canary = Canary(tmp_path / "gone")
    canary.sing()
    assert "No such file or directory" in canary.trouble
    (tmp_path / "gone").mkdir()
    canary.sing()
    assert canary.trouble == ""


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    """A real file system in a file, mounted; as root."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    image, folder = tmp_path / "card.img", tmp_path / "card"
    with image.open("wb") as file:
        file.truncate(16 * 1024**2)
    folder.mkdir()
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-F", str(image)], check=True)
    if subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=False).returncode:
        pytest.skip("this machine mounts no files")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_card_that_turns_read_only_is_told_and_its_return_too(card: Path) -> None:
    """A real ext4, remounted under the daemon's eyes: within one look, by a thread that goes on."""
    told: list[Event] = []
    lives = Lives(card)
    health = Health(SystemHost(card, PLENTY_BYTES), Canary(card, 0.05, 0.05), lives, told.append, look_every_s=0.05)
    health.start()
    health.look_around()
    eventually(lambda: (card / "canary").exists())
    read_only = ["mount", "-o", "remount,ro", str(card)]
    eventually(lambda: subprocess.run(read_only, check=False).returncode == 0)  # not while the canary is written
    raised = eventually(lambda: [one for one in told if isinstance(one, ConditionChanged) and one.present][1:])
    assert {"card-read-only", "card-lies"} >= {one.code for one in raised}

    told.clear()
    subprocess.run(["mount", "-o", "remount,rw", str(card)], check=True)
    eventually(lambda: len(told) == 2)
    health.close(5.0)
    assert sorted((one.code, one.present) for one in told if isinstance(one, ConditionChanged)) == [
        ("card-lies", False),
        ("card-read-only", False),
    ]


def test_ext4_counts_the_errors_of_a_real_card_and_they_are_told(card: Path) -> None:
    """The kernel's own way to try it: a file system that is told of an error counts it."""
    number = card.stat().st_dev
    name = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve().name
    host = SystemHost(card, PLENTY_BYTES)
    assert [one.value for one in host.readings() if one.code == "card-errors"] == [0]
    Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("tried")

    (reading,) = [one for one in host.readings() if one.code == "card-errors"]
    assert (reading.value, reading.detail) == (1, (("count", "1"), ("device", name)))
