"""What was written to the sound device, for the monitor to read: whole rows, in order, and nothing to hold on to."""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Iterator

import pytest

from ttcs_edge.drivers.sound import PERIOD_BYTES
from ttcs_edge.player.sent import ROWS, SIZE_BYTES, Sent, SentReader, is_near, make_sent, to_be_read


@pytest.fixture
def fd() -> Iterator[int]:
    """An empty one."""
    one = make_sent()
    yield one
    os.close(one)


def period(value: int) -> bytes:
    """Ten milliseconds of one number."""
    return struct.pack("<h", value) * (PERIOD_BYTES // 2)


def test_periods_come_out_as_they_went_in_and_once(fd: int) -> None:
    """With the time at which each was taken; the newest with the next look."""
    writer, reader = Sent(fd), SentReader(fd)
    before_ns = time.monotonic_ns()
    for value in range(5):
        writer.put(period(value))
    found = list(reader.new())

    assert [data for _, data in found] == [period(value) for value in range(4)]
    times_ns = [mono_ns for mono_ns, _ in found]
    assert times_ns == sorted(times_ns) and before_ns <= times_ns[0] and times_ns[-1] <= time.monotonic_ns()
    assert list(reader.new()) == []
    writer.put(period(5))
    assert [data for _, data in reader.new()] == [period(4)]


def test_the_next_player_goes_on_where_one_ended(fd: int) -> None:
    """The monitor does not see that there was another."""
    reader = SentReader(fd)
    for value in range(3):
        Sent(fd).put(period(value))
    assert [data for _, data in reader.new()] == [period(0), period(1)]


def test_who_looks_too_late_gets_the_last_twelve_seconds(fd: int) -> None:
    """And not one row of them twice, or of another time."""
    writer, reader = Sent(fd), SentReader(fd)
    for value in range(ROWS + 50):
        writer.put(period(value % 1_000))
    found = [data for _, data in reader.new()]

    assert len(found) == ROWS - 1
    assert found[-1] == period((ROWS + 48) % 1_000)


def test_who_may_read_may_not_write(fd: int) -> None:
    """The monitor's descriptor; and nobody makes the file shorter under it."""
    mine = to_be_read(fd)
    try:
        with pytest.raises(PermissionError):
            mmap.mmap(mine, SIZE_BYTES)
        with pytest.raises(PermissionError):
            os.ftruncate(fd, 100)
        SentReader(mine)
    finally:
        os.close(mine)


def test_a_player_that_was_taken_over_writes_what_it_likes_and_harms_nobody(fd: int) -> None:
    """A head that runs away, that counts back, rows full of noise: a look ends, and brings at most what there is."""
    reader = SentReader(fd)
    with mmap.mmap(fd, SIZE_BYTES) as written:
        for head in (2**63 + 5, 3, 2**62, 0, 7):
            written[:] = os.urandom(SIZE_BYTES)
            struct.pack_into("<Q", written, 0, head)
            assert len(list(reader.new())) <= ROWS


def test_a_time_that_cannot_be_is_none() -> None:
    """Neither of the future, nor of longer ago than the file holds."""
    now_ns = 10**15
    assert is_near(now_ns, now_ns) and is_near(now_ns - 10**10, now_ns)
    assert not is_near(now_ns + 10**9, now_ns) and not is_near(0, now_ns) and not is_near(2**63, now_ns)
