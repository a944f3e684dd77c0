"""Whether NTP keeps the kernel's clock, told by the neighbour that may ask to a daemon that may not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.parts import eventually
from ttcs_edge.drivers import kernel_clock
from ttcs_edge.drivers.clock import kernel_synchronised


def clocks() -> tuple[int, int]:
    """How far the wall clock is from the monotonic one, and the latter."""
    wall_ms, mono_ms = time.time_ns() // 1_000_000, time.monotonic_ns() // 1_000_000
    return wall_ms - mono_ms, mono_ms


def test_what_is_said_of_this_clock_and_just_now_is_believed(tmp_path: Path) -> None:
    """Both a yes and a no; where the kernel does not answer even the neighbour, that is no yes."""
    for synchronised in (True, False, None):
        kernel_clock.say(tmp_path / "word", synchronised, *clocks())
        assert kernel_clock.said(tmp_path / "word") is (synchronised is True)
    assert os.listdir(tmp_path) == ["word"]


@pytest.mark.parametrize(("offset_ms", "mono_ms"), [(500, 0), (-500, 0), (0, -4_000), (0, 4_000)])
def test_a_word_of_a_clock_that_was_set_since_or_of_another_time_is_not_believed(
    tmp_path: Path, offset_ms: int, mono_ms: int
) -> None:
    """Somebody set the clock by half a second; the neighbour hangs; the file is of a machine that ran longer."""
    offset_now_ms, now_ms = clocks()
    kernel_clock.say(tmp_path / "word", True, offset_now_ms + offset_ms, now_ms + mono_ms)

    assert kernel_clock.said(tmp_path / "word") is False


@pytest.mark.parametrize("content", [b"", b"1", b"1 2 three\n", b"\xff\xfe 1 2", b"yes 0 0\n"])
def test_nonsense_or_nothing_is_no_yes(tmp_path: Path, content: bytes) -> None:
    """never-7: whatever lies there, the daemon goes on."""
    assert kernel_clock.said(tmp_path / "word") is False
    (tmp_path / "word").write_bytes(content)
    assert kernel_clock.said(tmp_path / "word") is False


def test_the_kernel_is_asked_first_and_the_neighbour_only_where_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of the unit nothing has changed."""
    answers: list[bool | None] = [True, False, None, None]
    said = iter((True, False))
    monkeypatch.setattr(kernel_clock, "asked", lambda: answers.pop(0))
    monkeypatch.setattr(kernel_clock, "said", lambda: next(said))

    assert [kernel_synchronised() for _ in range(4)] == [True, False, True, False]


def test_the_neighbour_says_it_every_second_and_ends_at_once(tmp_path: Path) -> None:
    """The program itself; what it says is what the kernel answers here."""
    file = tmp_path / "word"
    neighbour = subprocess.Popen([sys.executable, "-m", "ttcs_edge.drivers.kernel_clock", str(file)])
    try:
        first = eventually(lambda: file.exists() and file.read_text())
        second = eventually(lambda: (text := file.read_text()) != first and text)
        assert kernel_clock.said(file) is (kernel_clock.asked() is True)
        assert 900 <= int(second.split()[2]) - int(first.split()[2]) <= 3_000
    finally:
        neighbour.terminate()
    assert neighbour.wait(5) == -signal.SIGTERM


def test_it_loads_next_to_nothing() -> None:
    """It takes memory on every station: neither the core nor msgspec nor asyncio comes with it."""
    listed = "import sys, ttcs_edge.drivers.kernel_clock; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True).stdout.split()

    assert {name.split(".")[0] for name in loaded}.isdisjoint({"msgspec", "asyncio", "structlog", "cryptography"})
    assert "ttcs_edge.core" not in loaded
