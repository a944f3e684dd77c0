"""Live segments to samples: the real libopus on both sides, a tone that rises, so that its pitch tells the moment."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import socket
import sys
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tests.parts import eventually
from tests.player.parts import BYTES_PER_MS, Listening, noise, rms_db, roughest, samples, tone
from ttcs_edge.core.events import PlayerGone, PlayerReady, SoundEnded, SoundProgress, SoundStarted
from ttcs_edge.drivers.player import SILENT_S
from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_MS, RATE_HZ
from ttcs_edge.opus import PACKET_FRAMES, PACKET_MOST_BYTES, PACKET_MS, OpusDecoder, OpusEncoder
from ttcs_edge.player.__main__ import Process
from ttcs_edge.player.live import (
    BEHIND_MOST_MS,
    CONCEALED_PACKETS,
    LEAP_MS,
    LIVE_LOST_MS,
    START_AHEAD_MS,
    WAITING_PACKETS,
    WANTED_FRAMES,
    LiveSource,
)
from ttcs_edge.player.messages import PACKET_BYTES as LARGEST_BYTES
from ttcs_edge.player.messages import SEGMENT_PACKETS, Live, Segment, Stop, decode_command, encode
from ttcs_edge.player.splice import FRAMES_PER_MS
from ttcs_edge.settings import SoundDriver, SoundSettings

SMOOTH = 300
PACKET_BYTES = 2 * PACKET_FRAMES
BITRATE_BPS = 48_000
FIRST_HZ, HZ_PER_S = 200.0, 40.0
"""A tone that rises by 40 Hz a second."""
PER_SEGMENT = 25
SEGMENT_MS = PER_SEGMENT * PACKET_MS


@cache
def packets(seconds: int) -> tuple[bytes, ...]:
    """A rising tone at a third of full scale, as Opus packets."""
    encoder = OpusEncoder(BITRATE_BPS)
    times = (n / RATE_HZ for n in range(seconds * RATE_HZ))
    rising = array("h", [round(11_000 * math.sin(2 * math.pi * t * (FIRST_HZ + HZ_PER_S * t / 2))) for t in times])
    return tuple(
        encoder.encode(rising[at : at + PACKET_FRAMES].tobytes()) for at in range(0, len(rising), PACKET_FRAMES)
    )


@cache
def straight(seconds: int) -> bytes:
    """What one decoder makes of them in a row."""
    decoder = OpusDecoder()
    return b"".join(decoder.decode(packet) for packet in packets(seconds))


def segments(seconds: int, per_segment: int = PER_SEGMENT, first: int = 0) -> list[Segment]:
    """The same in segments, the last of them marked."""
    row = packets(seconds)
    begins = range(0, len(row), per_segment)
    return [
        Segment(1, first + number, row[at : at + per_segment], at == begins[-1]) for number, at in enumerate(begins)
    ]


def said_ms(data: bytes) -> float:
    """At which moment of the rising tone this was said: by its pitch, between its first and its last rise."""
    values = array("h", data)
    rises = [
        n - values[n] / (values[n] - values[n - 1]) for n in range(1, len(values)) if values[n - 1] < 0 <= values[n]
    ]
    pitch_hz = (len(rises) - 1) * RATE_HZ / (rises[-1] - rises[0])
    middle_ms = (rises[0] + rises[-1]) / 2 / FRAMES_PER_MS
    return (pitch_hz - FIRST_HZ) / HZ_PER_S * 1_000 - middle_ms


def part(data: bytes, begin_ms: float, length_ms: float = 100) -> bytes:
    """A stretch."""
    begin = round(begin_ms) * BYTES_PER_MS
    return data[begin : begin + round(length_ms) * BYTES_PER_MS]


def read(source: LiveSource, milliseconds: float) -> bytes:
    """So much, without a pause between."""
    return b"".join(source.read(PERIOD_BYTES, 0.002) for _ in range(round(milliseconds / PERIOD_MS)))


def play(source: LiveSource, row: Sequence[Segment], lead_ms: int = 250) -> bytes:
    """Give each segment when no more than ``lead_ms`` wait, and read what comes of them all but the lead."""
    heard = b""
    for segment in row:
        while source._behind_frames() > lead_ms * FRAMES_PER_MS:
            heard += read(source, PERIOD_MS)
        source.add(segment)
    return heard


def rest(source: LiveSource) -> bytes:
    """What is left of it."""
    heard = b""
    while not source.exhausted:
        heard += source.read(PERIOD_BYTES, 0.002)
    return heard


class TestWhole:
    """What comes as it was sent."""

    @pytest.mark.parametrize("per_segment", [1, 5, 13, 50, 100])
    def test_a_session_is_heard_to_the_sample_over_all_its_segments(self, per_segment: int) -> None:
        """As one decoder makes it of one row of packets: nothing is cut at a seam; its two ends are faded."""
        source = LiveSource()
        heard = play(source, segments(4, per_segment, first=17)) + rest(source)

        assert len(heard) == len(straight(4))
        assert heard[5 * BYTES_PER_MS : -10 * BYTES_PER_MS] == straight(4)[5 * BYTES_PER_MS : -10 * BYTES_PER_MS]
        assert roughest(bytes(4) + heard + bytes(4)) < SMOOTH
        assert (source.failure, source.filled_bytes) == (None, 0)

    def test_it_begins_with_its_first_segment(self) -> None:
        """Before that nothing is read, and nothing is missing."""
        source = LiveSource()
        assert read(source, 50) == b""
        source.add(segments(1)[0])
        assert len(read(source, PERIOD_MS)) == PERIOD_BYTES
        assert source.filled_bytes == 0

    def test_it_begins_with_as_many_short_ones_as_are_enough_or_come_in_time(self) -> None:
        """A first packet alone would run dry at once."""
        enough, few = LiveSource(), LiveSource()
        row = segments(1, 1)
        for segment in row[: START_AHEAD_MS // PACKET_MS - 1]:
            enough.add(segment)
        assert read(enough, PERIOD_MS) == b""
        enough.add(row[START_AHEAD_MS // PACKET_MS - 1])
        assert len(read(enough, PERIOD_MS)) == PERIOD_BYTES
        few.add(row[0])
        before_s = time.monotonic()
        eventually(lambda: few.read(PERIOD_BYTES, 0.01))
        assert START_AHEAD_MS / 1_000 - 0.02 <= time.monotonic() - before_s < START_AHEAD_MS / 1_000 + 0.2

    def test_one_that_is_over_with_its_first_segment_is_heard(self) -> None:
        """However short."""
        source = LiveSource()
        source.add(Segment(1, 3, packets(1)[:2], True))

        assert len(rest(source)) == 2 * PACKET_BYTES
        assert source.failure is None

    def test_what_is_left_behind_the_last_segment_is_not_drawn_out(self) -> None:
        """It grows less because the session ends, not because the link is slow."""
        source = LiveSource()
        row = [
            Segment(1, n, packets(6)[at : min(253, at + PER_SEGMENT)], at >= 250)
            for n, at in enumerate(range(0, 253, PER_SEGMENT))
        ]

        assert len(play(source, row) + rest(source)) == 253 * PACKET_BYTES

    def test_what_comes_behind_the_last_is_no_more_of_it(self) -> None:
        """However much: nothing is left out for it."""
        source = LiveSource()
        heard = play(source, segments(2))
        for number in range(4, 20):
            source.add(Segment(1, number, packets(2)[:PER_SEGMENT], False))
        heard += rest(source)

        assert heard[5 * BYTES_PER_MS : -10 * BYTES_PER_MS] == straight(2)[5 * BYTES_PER_MS : -10 * BYTES_PER_MS]

    def test_segments_in_another_order_are_heard_in_theirs(self) -> None:
        """As long as their turn has not come."""
        source = LiveSource()
        row = segments(2)
        heard = play(source, [row[1], row[3], row[0], row[2]], lead_ms=BEHIND_MOST_MS) + rest(source)

        assert heard[5 * BYTES_PER_MS : -10 * BYTES_PER_MS] == straight(2)[5 * BYTES_PER_MS : -10 * BYTES_PER_MS]

    def test_one_that_comes_twice_or_behind_what_was_played_or_behind_the_last_is_left_out(self) -> None:
        """Nobody hears last week's."""
        source = LiveSource()
        row = segments(3)
        old = Segment(1, 0, packets(1)[:5], False)
        heard = play(source, [old._replace(number=7), *(one._replace(number=one.number + 8) for one in row)])
        for segment in (old, old._replace(number=7), old._replace(number=8 + 5), old._replace(number=99)):
            source.add(segment)
        heard += rest(source)

        assert len(heard) == 5 * PACKET_BYTES + len(straight(3))
        assert said_ms(part(heard, 100 + 2_000)) == pytest.approx(2_000, abs=30)


class TestLost:
    """What does not come."""

    def test_a_lost_segment_is_ridden_over_and_what_follows_is_at_its_own_place(self) -> None:
        """100 ms of it are concealed, fading; then silence, as long as it was; no click anywhere; told as filled."""
        source = LiveSource()
        row = segments(5)
        heard = play(source, row[:4] + row[5:7] + row[8:]) + rest(source)
        gap_ms = 4 * SEGMENT_MS

        assert len(heard) == len(straight(5))
        assert rms_db(part(heard, gap_ms, 20)) > -30
        assert part(heard, gap_ms + 100, SEGMENT_MS - 101).strip(b"\0") == b""
        assert roughest(part(heard, 10, 4_900)) < SMOOTH
        for at_ms in (1_000, 1_800, gap_ms + SEGMENT_MS + 60, 3_300, 4_060, 4_800):
            assert said_ms(part(heard, at_ms)) == pytest.approx(said_ms(part(straight(5), at_ms)), abs=12), at_ms
        assert source.filled_bytes == 2 * SEGMENT_MS * BYTES_PER_MS
        assert source.failure is None

    def test_a_loss_of_a_moment_is_concealed_wholly(self) -> None:
        """Two packets, each a segment: there is no silence, and all after it is at its place."""
        source = LiveSource()
        row = segments(2, 1)
        heard = play(source, row[:40] + row[42:]) + rest(source)

        assert len(heard) == len(straight(2))
        assert min(rms_db(part(heard, at, 20)) for at in range(20, 1_960, 20)) > -25
        assert roughest(part(heard, 10, 1_970)) < SMOOTH
        assert said_ms(part(heard, 1_500)) == pytest.approx(said_ms(part(straight(2), 1_500)), abs=12)
        assert source.filled_bytes == 2 * PACKET_BYTES

    def test_a_segment_that_is_late_is_heard_whole_when_it_is_there(self) -> None:
        """Until then the same stands in for it: concealed, then silence; and it is not silent once more after that."""
        source = LiveSource()
        row = segments(4)
        heard = play(source, row[:4], lead_ms=0) + read(source, SEGMENT_MS + 300)
        source.add(row[4])
        heard += read(source, 60) + play(source, row[5:], lead_ms=200) + rest(source)

        assert len(heard) == len(straight(4)) + 300 * BYTES_PER_MS
        assert part(heard, 2_110, 180).strip(b"\0") == b""
        assert said_ms(part(heard, 2_350)) == pytest.approx(said_ms(part(straight(4), 2_050)), abs=12)
        assert roughest(part(heard, 10, 4_200)) < SMOOTH
        assert source.filled_bytes == 300 * BYTES_PER_MS

    def test_time_spent_dry_counts_for_the_segment_that_is_lost(self) -> None:
        """What comes behind it is at its own place, or at once when that has gone by."""
        for dry_ms in (200, SEGMENT_MS + 200):
            source = LiveSource()
            row = segments(4)
            heard = play(source, row[:2], lead_ms=0) + read(source, SEGMENT_MS + dry_ms)
            heard += play(source, row[3:], lead_ms=SEGMENT_MS) + rest(source)
            gap_ms = max(SEGMENT_MS, dry_ms)

            assert len(heard) == len(straight(4)) + (gap_ms - SEGMENT_MS) * BYTES_PER_MS
            assert said_ms(part(heard, 1_000 + gap_ms + 60)) == pytest.approx(
                said_ms(part(straight(4), 1_000 + SEGMENT_MS + 60)), abs=12
            )

    def test_a_link_that_stutters_gets_more_room_and_no_more_than_a_second(self) -> None:
        """Each time that it runs dry."""
        source = LiveSource()
        before = source._distance.wanted_frames
        for segment in segments(10, 10):
            source.add(segment)
            read(source, 400)
        after = source._distance.wanted_frames

        assert before == WANTED_FRAMES
        assert (after.start // FRAMES_PER_MS, after.stop // FRAMES_PER_MS) == (900, 1_100)

    @pytest.mark.parametrize("played", [False, True])
    def test_a_session_of_which_nothing_is_to_be_heard_for_three_seconds_is_lost(self, played: bool) -> None:
        """It never began, or it fell silent; it ends in silence, without a click."""
        source = LiveSource()
        heard = read(source, 20)
        if played:
            source.add(segments(1)[0])
        before_s = time.monotonic()
        while not source.exhausted:
            heard += source.read(PERIOD_BYTES, 0.01)
        took_s = time.monotonic() - before_s
        heard += read(source, 20)

        assert source.failure == "live-lost"
        assert LIVE_LOST_MS / 1_000 - 0.1 < took_s < LIVE_LOST_MS / 1_000 + 0.3
        assert rms_db(part(heard, 100)) > -20 if played else heard == b""
        assert roughest(heard[10 * BYTES_PER_MS :] + bytes(4)) < SMOOTH if played else True
        assert len(heard) - source.filled_bytes == pytest.approx(SEGMENT_MS * BYTES_PER_MS if played else 0, abs=1_920)


class TestBehind:
    """What comes faster than it is heard."""

    def test_what_waits_beyond_two_seconds_is_gone_over_without_a_click(self) -> None:
        """A link that was dead gives all at once: the newest is never heard later than that."""
        source = LiveSource()
        row = segments(10)
        heard = play(source, row[:3])
        for segment in row[3:11]:
            source.add(segment)
        heard += read(source, 1_000)

        left_ms = source._behind_frames() / FRAMES_PER_MS
        assert left_ms <= BEHIND_MOST_MS - LEAP_MS - 1_000 + PACKET_MS
        assert said_ms(part(heard[-200 * BYTES_PER_MS :], 50)) == pytest.approx(
            11 * SEGMENT_MS - left_ms - 150, abs=PACKET_MS
        )
        assert roughest(heard[10 * BYTES_PER_MS :]) < SMOOTH
        assert source.filled_bytes == 0

    def test_what_is_gone_over_to_sounds_as_it_should_from_the_first_packet_on(self) -> None:
        """It is decoded from a little before: a decoder needs that to be exact."""
        source = LiveSource()
        row = segments(10)
        play(source, row[:3])
        for segment in row[3:11]:
            source.add(segment)
        heard = read(source, 1_000)
        end = 11 * SEGMENT_MS * BYTES_PER_MS - 2 * source._behind_frames()
        pairs = zip(array("h", heard), array("h", straight(10)[end - len(heard) : end]), strict=True)
        unlike = array("h", [max(-32_768, min(32_767, mine - theirs)) for mine, theirs in pairs]).tobytes()

        assert max(rms_db(part(unlike, at, 5)) for at in range(35, 1_000, 5)) < -55

    def test_what_waits_beyond_what_the_link_needs_is_caught_up_with_by_steps(self) -> None:
        """A second too much is gone within twenty, a step at a time: nobody hears more than a faster speaker."""
        source = LiveSource()
        row = segments(40)
        heard, reads = b"", 0
        for segment in row[:3]:
            source.add(segment)
        for segment in row[3:50]:
            heard += read(source, SEGMENT_MS)
            reads += SEGMENT_MS
            source.add(segment)
        least_ms = source._behind_frames() / FRAMES_PER_MS - SEGMENT_MS

        assert 100 <= least_ms <= 300
        assert len(heard) == reads * BYTES_PER_MS
        assert roughest(heard[10 * BYTES_PER_MS :]) < SMOOTH
        said = [said_ms(part(heard, at)) for at in range(100, reads - 100, 500)]
        assert all(480 <= after - before <= 580 for before, after in pairwise(said))

    def test_a_session_that_begins_with_the_shortest_lead_gets_more_by_steps(self) -> None:
        """Each segment comes in the moment in which the one before it ends; soon it comes well before that."""
        source = LiveSource()
        row = segments(20)
        source.add(row[0])
        for segment in row[1:30]:
            read(source, SEGMENT_MS - PERIOD_MS)
            source.add(segment)
            read(source, PERIOD_MS)
        least_ms = source._behind_frames() / FRAMES_PER_MS - SEGMENT_MS

        assert least_ms >= 100
        assert source.filled_bytes == 0

    def test_segments_of_two_seconds_are_played_whole(self) -> None:
        """They exceed nothing by themselves."""
        source = LiveSource()
        heard = play(source, segments(12, SEGMENT_PACKETS), lead_ms=300) + rest(source)

        assert heard[5 * BYTES_PER_MS : 2_000 * BYTES_PER_MS] == straight(12)[5 * BYTES_PER_MS : 2_000 * BYTES_PER_MS]
        assert abs(len(heard) - len(straight(12))) < 400 * BYTES_PER_MS


class TestAttacks:
    """What no source of ours sends."""

    def test_a_packet_that_is_no_opus_is_concealed_and_told(self) -> None:
        """The rest of its segment is heard, at its place."""
        source = LiveSource()
        row = segments(3)
        bad = list(row[2].packets)
        bad[7] = b"\xff xin chao ba con"
        bad[12] = b""
        row[2] = row[2]._replace(packets=tuple(bad))
        heard = play(source, row) + rest(source)

        assert len(heard) == len(straight(3))
        assert source.filled_bytes == 2 * PACKET_BYTES
        assert roughest(part(heard, 10, 2_970)) < SMOOTH
        assert said_ms(part(heard, 1_380)) == pytest.approx(said_ms(part(straight(3), 1_380)), abs=12)

    def test_a_segment_that_holds_no_opus_is_as_one_that_is_lost(self) -> None:
        """Concealed, silence, and on."""
        source = LiveSource()
        row = segments(3)
        row[2] = row[2]._replace(packets=(b"\xff" * 40,) * PER_SEGMENT)
        heard = play(source, row) + rest(source)

        assert len(heard) == len(straight(3))
        assert part(heard, 1_000 + CONCEALED_PACKETS * PACKET_MS, 390).strip(b"\0") == b""
        assert source.filled_bytes == SEGMENT_MS * BYTES_PER_MS
        assert said_ms(part(heard, 1_600)) == pytest.approx(said_ms(part(straight(3), 1_600)), abs=12)

    def test_a_session_of_garbage_is_lost_though_segments_come(self) -> None:
        """Nothing of it is to be heard."""
        source = LiveSource()
        before_s, number = time.monotonic(), 0
        while not source.exhausted:
            if source._behind_frames() < 10_000:
                source.add(Segment(1, number, (b"\xff",) * 50, False))
                number += 1
            source.read(PERIOD_BYTES, 0.01)
            time.sleep(0.002)

        assert source.failure == "live-lost"
        assert time.monotonic() - before_s < LIVE_LOST_MS / 1_000 + 1.0

    def test_the_longest_packets_of_noise_kill_nothing(self) -> None:
        """What decodes is sound, the rest is concealed; the session goes on behind them."""
        source, chance = LiveSource(), random.Random(1)
        row = segments(4)
        wild = tuple(chance.randbytes(PACKET_MOST_BYTES) for _ in range(SEGMENT_PACKETS))
        play(source, [row[0], Segment(1, 1, wild, False)])
        heard = play(source, [one._replace(number=one.number + 1) for one in row[1:]]) + rest(source)

        assert said_ms(part(heard[-500 * BYTES_PER_MS :], 100)) == pytest.approx(3_600, abs=20)
        assert source.failure is None

    def test_a_number_that_jumps_by_a_million_is_not_waited_for(self) -> None:
        """The session is heard from there on."""
        source = LiveSource()
        row = segments(3)
        far = [one._replace(number=one.number + 1_000_000) for one in row[2:]]
        heard = play(source, row[:2]) + play(source, far) + rest(source)

        assert len(heard) == pytest.approx(len(straight(3)), abs=60 * BYTES_PER_MS)
        assert said_ms(part(heard[-500 * BYTES_PER_MS :], 100)) == pytest.approx(2_600, abs=20)
        assert roughest(heard[10 * BYTES_PER_MS : -10 * BYTES_PER_MS]) < SMOOTH
        assert source.failure is None

    def test_a_flood_of_segments_is_bounded(self) -> None:
        """Ten thousand at once, of the future, of the past, of any number: the newest are kept, and heard."""
        source, chance = LiveSource(), random.Random(1)
        row = segments(3)
        play(source, row[:2])
        longest = (b"\xff" * PACKET_MOST_BYTES,) * SEGMENT_PACKETS
        for _ in range(10_000):
            source.add(Segment(1, chance.randrange(-(2**40), 2**40), longest, False))
            source.add(Segment(1, chance.randrange(2**40), (), False))
        kept = [packet for segment in source._segments.values() for packet in segment]

        assert len(kept) <= WAITING_PACKETS
        assert sum(map(sys.getsizeof, kept)) < WAITING_PACKETS * 2 * PACKET_MOST_BYTES
        began_s = time.monotonic()
        assert len(source.read(PERIOD_BYTES, 0.002)) == PERIOD_BYTES
        assert time.monotonic() - began_s < 0.2
        source.add(row[0]._replace(number=2**40 + 1))
        heard = read(source, 2_000)
        assert max(rms_db(part(heard, at)) for at in range(0, 1_900, 100)) > -20

    def test_segments_that_come_while_it_is_read_are_all_heard(self) -> None:
        """Two threads: the one that receives and the one that writes."""
        source = LiveSource()
        row = segments(8, 1)

        def feed() -> None:
            for segment in row:
                source.add(segment)
                time.sleep(0.004)

        thread = threading.Thread(target=feed)
        thread.start()
        heard = b""
        while not source.exhausted:
            heard += source.read(PERIOD_BYTES, 0.01)
            time.sleep(0.002)
        thread.join()

        assert source.failure is None
        assert len(heard) >= 6_000 * BYTES_PER_MS
        assert roughest(heard[10 * BYTES_PER_MS : -10 * BYTES_PER_MS]) < SMOOTH


class TestAtThePlayer:
    """The same in a player process, as the daemon feeds it, in real time."""

    @pytest.fixture
    def listening(self, tmp_path: Path) -> Iterator[Listening]:
        """A player that writes to a WAV file."""
        listening = Listening(tmp_path)
        listening.wait(PlayerReady)
        yield listening
        listening.close()

    def feed(self, listening: Listening, row: Sequence[Segment], play: int = 1, pace: float = 1.0) -> None:
        """Hand segments over as they would come, the first of them a little early: other tests run beside."""
        begun_s = time.monotonic()
        sent_ms = -300
        for segment in row:
            time.sleep(max(0.0, begun_s + sent_ms * pace / 1_000 - time.monotonic()))
            listening.player.segment(play, segment.number, segment.packets, segment.last)
            sent_ms += len(segment.packets) * PACKET_MS

    def test_a_session_is_heard_whole_and_completed(self, listening: Listening) -> None:
        """never-9: with its last sample; told ten times a second, at its volume."""
        listening.live(1, volume_percent=50)
        self.feed(listening, segments(4, 10), pace=0.95)
        ended = listening.wait(SoundEnded)
        aired = samples(listening.file)

        assert (ended.play, ended.completed, ended.failure) == (1, True, None)
        assert ended.item_written_ms[0] == pytest.approx(4_000, abs=250)
        assert len(aired) == pytest.approx(len(straight(4)), abs=250 * BYTES_PER_MS)
        assert said_ms(part(aired, 500)) == pytest.approx(500, abs=60)
        assert rms_db(part(aired, 500, 500)) == pytest.approx(-12.5 - 12.04, abs=0.5)
        assert roughest(aired) < SMOOTH
        assert [told.written_ms for told in listening.all(SoundProgress)[:5]] == [100, 200, 300, 400, 500]

    def test_a_lost_segment_is_told_as_under_runs_and_not_as_written(self, listening: Listening) -> None:
        """What stood in for it is no audio."""
        row = segments(3, 10)
        listening.live(1)
        self.feed(listening, row[:7] + row[8:], pace=0.95)
        ended = listening.wait(SoundEnded)

        assert (ended.completed, ended.failure) == (True, None)
        assert ended.item_written_ms[0] == pytest.approx(2_800, abs=60)
        assert listening.all(SoundProgress)[-1].underruns >= 200 // PERIOD_MS

    def test_a_session_that_falls_silent_is_lost_and_the_next_one_is_heard(self, listening: Listening) -> None:
        """With what was written; also one that never began."""
        listening.live(1)
        self.feed(listening, segments(2)[:2])
        lost = listening.wait(SoundEnded)
        listening.live(2)
        never = listening.wait(SoundEnded)
        listening.live(3)
        self.feed(listening, segments(1), play=3)

        assert (lost.play, lost.completed, lost.failure) == (1, False, "live-lost")
        assert lost.item_written_ms[0] == pytest.approx(1_000, abs=30)
        assert never == SoundEnded(2, False, (0,), "live-lost")
        assert listening.wait(SoundEnded).completed
        assert [started.play for started in listening.all(SoundStarted)] == [1, 3]

    def test_a_session_is_stopped_with_a_fade_and_what_comes_after_is_left_out(self, listening: Listening) -> None:
        """Segments under way when it ended, and some for a play that nobody knows."""
        row = segments(3, 10)
        listening.live(1, fade_in_ms=100)
        self.feed(listening, row[:5], pace=0.9)
        listening.written(300)
        listening.player.stop(1, 100)
        ended = listening.wait(SoundEnded)
        self.feed(listening, row[5:], pace=0)
        self.feed(listening, row, play=7, pace=0)
        aired = samples(listening.file)
        listening.live(2)
        self.feed(listening, segments(1, 10), play=2)

        assert (ended.completed, ended.failure) == (False, None)
        assert roughest(bytes(4) + aired + bytes(4)) < SMOOTH
        assert listening.wait(SoundEnded).play == 2
        assert listening.all(PlayerGone) == []

    def test_the_longest_segments_and_packets_too_long_pass_and_kill_nothing(self, listening: Listening) -> None:
        """100 packets of 1,275 bytes are one packet of the socket's; what is longer is no packet at all."""
        wild = tuple(os.urandom(PACKET_MOST_BYTES) for _ in range(SEGMENT_PACKETS))
        pid = listening.pid
        listening.live(1)
        for number in range(20):
            listening.player.segment(1, number, wild, False)
        listening.player.segment(1, 20, (noise(100), *wild, b"one too many"), False)
        for segment in segments(2):
            listening.player.segment(1, 21 + segment.number, segment.packets, segment.last)
        ended = listening.wait(SoundEnded)

        assert (ended.completed, ended.failure) == (True, None)
        assert ended.item_written_ms[0] <= BEHIND_MOST_MS + 2 * SEGMENT_MS
        assert (listening.pid, listening.all(PlayerGone)) == (pid, [])

    @pytest.mark.parametrize(("number", "reason"), [(signal.SIGKILL, "died"), (signal.SIGSTOP, "hung")])
    def test_a_player_that_is_lost_in_a_session_is_replaced_though_segments_come(
        self, listening: Listening, number: signal.Signals, reason: str
    ) -> None:
        """They are no sign of life of its own; and the next player hears nothing of a play that it was not told of."""
        row = segments(4, 5)
        listening.live(1)
        self.feed(listening, row[:8], pace=0.9)
        told = listening.written(400).written_ms
        feeding = threading.Thread(target=self.feed, args=(listening, row[8:]))
        feeding.start()
        listening.signal(number)
        gone = listening.wait(PlayerGone, SILENT_S + 1.0)
        feeding.join()
        listening.wait(PlayerReady)
        self.feed(listening, row, pace=0)
        listening.live(2)
        self.feed(listening, segments(1), play=2)

        assert gone.reason == reason
        assert gone.written_ms >= told
        assert listening.wait(SoundEnded) == SoundEnded(2, True, (1_000,), None)


def test_nothing_is_kept_of_a_session_that_is_over(tmp_path: Path) -> None:
    """Its stop, or one that takes its place: what comes for it then goes nowhere."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = Process(theirs, SoundSettings(SoundDriver.WAV, "wav", tmp_path / "aired.wav"))
    running = threading.Thread(target=process.run)
    running.start()
    for play in (1, 2, 3):
        ours.send(encode(Live(play, time.monotonic_ns(), 100, 0)))
        ours.send(encode(segments(1)[0]._replace(play=play)))
    eventually(lambda: list(process._lives) == [3])
    ours.send(encode(Stop(3, 0)))
    eventually(lambda: not process._lives)
    ours.send(encode(segments(1)[1]._replace(play=3)))
    ours.shutdown(socket.SHUT_WR)
    running.join(5)
    ours.close()

    assert not running.is_alive()
    assert process._lives == {}


@pytest.mark.parametrize(
    "packet",
    [
        ["Segment", 1, 0, ["%%%"], False],
        ["Segment", 1, 0, ["AAAA"] * (SEGMENT_PACKETS + 1), False],
        ["Segment", 1, 0, ["A" * 1_704], False],
        ["Segment", 1, 0, ["AAAA"]],
    ],
)
def test_a_segment_that_no_daemon_sends_is_a_bug(packet: list[object]) -> None:
    """The player ends, instead of playing on with half of what it is told."""
    with pytest.raises((ValueError, TypeError)):
        decode_command(json.dumps(packet).encode())


def test_a_segment_comes_through_a_packet_as_it_was() -> None:
    """Of the longest there is, too."""
    longest = Segment(1, 2**53, (os.urandom(PACKET_MOST_BYTES),) * SEGMENT_PACKETS, True)

    assert decode_command(encode(longest)) == longest
    assert len(encode(longest)) < LARGEST_BYTES


def test_the_tone_tells_its_moment() -> None:
    """What the tests above measure with."""
    assert [said_ms(part(straight(4), at)) for at in (100, 1_000, 2_500, 3_800)] == [
        pytest.approx(at, abs=10) for at in (100, 1_000, 2_500, 3_800)
    ]
    assert roughest(straight(4)) < SMOOTH
    assert roughest(tone(100, 440)[: 96 * 51] + tone(100, 440)[96 * 52 :]) > SMOOTH
