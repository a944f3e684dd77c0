"""What becomes of a play: a real player process with the real libvlc, which writes to a WAV file."""

from __future__ import annotations

import math
import os
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.parts import eventually
from tests.player.parts import (
    BYTES_PER_MS,
    Listening,
    Source,
    encoded,
    hertz,
    noise,
    rms_db,
    roughest,
    runs_of_sound,
    samples,
    sweep,
    tone,
    wav,
)
from ttcs_edge.core.events import PlayerGone, PlayerReady, SoundDevice, SoundEnded, SoundProgress, SoundStarted
from ttcs_edge.drivers.sound import PERIOD_BYTES
from ttcs_edge.player.decoder import Decoder, make_instance
from ttcs_edge.settings import SoundDriver, SoundSettings

ITEM_GAP_MS = 70
"""The floor of two items on one libvlc player."""
OPUS_CUT_MS = 100
"""libvlc loses the first 74 to 80 ms of an Opus file, and its last packet when it is not full."""

TO_REST_S = 0.3
"""A player tells nobody that the first second is decoded."""


def source(folder: Path, samples_: bytes, duration_ms: int | None = None, suffix: str = ".wav") -> Source:
    """A file of these samples, declared as long as they are unless told otherwise."""
    path = wav(folder / f"clip-{len(list(folder.iterdir()))}.wav", samples_)
    data = (path if suffix == ".wav" else encoded(path, suffix)).read_bytes()
    return Source(data, duration_ms if duration_ms is not None else len(samples_) // BYTES_PER_MS)


class TestReady:
    """What a player says before anything plays."""

    def test_the_device_is_told_before_ready_also_when_it_is_good(self, tmp_path: Path) -> None:
        """So that a fault of an earlier life is cleared."""
        listening = Listening(tmp_path)
        listening.wait(PlayerReady)
        listening.close()

        name = str(listening.file)
        assert listening.said == [SoundDevice(True, name, ""), PlayerReady(name, 1)]

    def test_a_missing_device_is_told_before_ready_and_when_it_comes_back(self, tmp_path: Path) -> None:
        """A player without a device is a player all the same."""
        folder = tmp_path / "not-there-yet"
        file = folder / "aired.wav"
        listening = Listening(tmp_path, SoundSettings(SoundDriver.WAV, "wav", file))
        listening.wait(PlayerReady)
        error = f"[Errno 2] No such file or directory: '{file}'"
        assert listening.said == [SoundDevice(False, str(file), error), PlayerReady(str(file), 1)]
        clip = source(tmp_path, noise(100))
        listening.play(1, clip)
        assert listening.wait(SoundEnded) == SoundEnded(1, False, (0,), "sound-device")
        folder.mkdir()

        assert listening.wait(SoundDevice) == SoundDevice(True, str(file), "")
        listening.play(2, clip)
        assert listening.wait(SoundEnded) == SoundEnded(2, True, (100,), None)
        listening.close()


class TestWhole:
    """never-9: completed means that every sample of every item was written."""

    def test_an_item_decoded_ahead_starts_at_its_instant_and_is_whole(
        self, listening: Listening, tmp_path: Path
    ) -> None:
        """Prepared, as the core does it, and at rest since: to the sample, from the first to the last."""
        clip = source(tmp_path, noise(2_500))
        listening.prepare(clip)
        time.sleep(TO_REST_S)
        assert listening.open_files() == 1  # libvlc has let go of the file
        at_ns = listening.play(1, clip)
        started = listening.wait(SoundStarted)
        ended = listening.wait(SoundEnded)

        assert 0 <= started.mono_ns - at_ns < 50_000_000
        assert ended == SoundEnded(1, True, (2_500,), None)
        assert samples(listening.file) == noise(2_500)

    def test_a_start_of_what_was_decoded_ahead_costs_no_decoding(self, listening: Listening, tmp_path: Path) -> None:
        """Commanded for this very instant, half of the prepared starts take half of the others' least."""
        clip = source(tmp_path, noise(3_000))
        late_ms: dict[bool, list[float]] = {True: [], False: []}
        for play in range(1, 13):
            prepared = play % 2 == 0
            if prepared:
                listening.prepare(clip)
            time.sleep(TO_REST_S)
            at_ns = listening.play(play, clip, ahead_ns=0)
            late_ms[prepared].append((listening.wait(SoundStarted).mono_ns - at_ns) / 1e6)
            listening.player.stop(play, 0)
            listening.wait(SoundEnded)

        assert sorted(late_ms[True])[2] < min(late_ms[False]) / 2

    def test_a_play_that_comes_while_its_beginning_is_being_decoded_takes_that(
        self, listening: Listening, tmp_path: Path
    ) -> None:
        """As at a start with a cue that is due: it is not decoded once more behind that, and nothing is left over."""
        clip = source(tmp_path, noise(1_500))
        listening.prepare(clip)
        listening.play(1, clip, ahead_ns=0)

        assert listening.wait(SoundEnded) == SoundEnded(1, True, (1_500,), None)
        assert samples(listening.file) == noise(1_500)
        eventually(lambda: listening.open_files() == 0)

    def test_what_stands_by_starts_at_once_and_whole_each_time_whatever_else_was_prepared(
        self, listening: Listening, tmp_path: Path
    ) -> None:
        """As one decoded ahead: half of its starts take half of the others' least; it is decoded anew by itself."""
        clip, other = source(tmp_path, noise(1_500, 1)), source(tmp_path, noise(300, 2))
        listening.player.stand_by(listening.audio(clip))
        late_ms: dict[Source, list[float]] = {clip: [], other: []}
        for play in range(1, 13):
            sound = clip if play % 2 == 0 else other
            listening.prepare(source(tmp_path, noise(700, 3)))
            time.sleep(TO_REST_S)
            at_ns = listening.play(play, sound, ahead_ns=0)
            late_ms[sound].append((listening.wait(SoundStarted).mono_ns - at_ns) / 1e6)
            assert listening.wait(SoundEnded).completed

        assert sorted(late_ms[clip])[2] < min(late_ms[other]) / 2
        assert samples(listening.file) == (noise(300, 2) + noise(1_500, 1)) * 6

    def test_preparing_one_item_and_playing_another_plays_the_other(self, listening: Listening, tmp_path: Path) -> None:
        """And the prepared one is still good for later."""
        first, other = source(tmp_path, noise(1_500, 1)), source(tmp_path, noise(300, 2))
        listening.prepare(first)
        listening.play(1, other)
        assert listening.wait(SoundEnded) == SoundEnded(1, True, (300,), None)
        listening.play(2, first)
        assert listening.wait(SoundEnded) == SoundEnded(2, True, (1_500,), None)

        assert samples(listening.file) == noise(300, 2) + noise(1_500, 1)

    def test_a_play_from_the_middle_of_what_was_prepared_from_the_start(
        self, listening: Listening, tmp_path: Path
    ) -> None:
        """The prepared beginning is not taken for another position."""
        clip = source(tmp_path, noise(2_000))
        listening.prepare(clip)
        time.sleep(TO_REST_S)
        listening.play(1, clip, from_ms=1_203)

        assert listening.wait(SoundEnded) == SoundEnded(1, True, (797,), None)
        assert samples(listening.file)[: 797 * BYTES_PER_MS] == noise(2_000)[1_203 * BYTES_PER_MS :]

    @pytest.mark.parametrize("suffix", [".wav", ".opus"])
    def test_what_was_cut_and_goes_on_is_the_whole(self, listening: Listening, tmp_path: Path, suffix: str) -> None:
        """Both parts together are the item, to the sample; an Opus decoder needs a moment to be exact again."""
        if suffix == ".wav":
            clip, straight = source(tmp_path, noise(2_000)), noise(2_000)
        else:
            path = sweep(tmp_path / "sweep", 2.0, ".opus")
            clip, straight = Source(path.read_bytes(), 2_000), straight_decode(path)
        listening.play(1, clip)
        eventually(lambda: listening.all(SoundProgress)[-1:] and listening.all(SoundProgress)[-1].written_ms >= 700)
        listening.player.stop(1, 0)
        first = listening.wait(SoundEnded)
        (cut_ms,) = first.item_written_ms
        listening.play(2, clip, from_ms=cut_ms)
        second = listening.wait(SoundEnded)

        assert (first.completed, first.failure) == (False, None)
        assert 700 <= cut_ms < 1_500
        assert (second.completed, second.failure) == (True, None)
        assert cut_ms + second.item_written_ms[0] == len(straight) // BYTES_PER_MS
        aired = samples(listening.file)[: len(straight)]
        settling = range(cut_ms * BYTES_PER_MS, (cut_ms + 400) * BYTES_PER_MS if suffix == ".opus" else 0)
        assert aired[: cut_ms * BYTES_PER_MS] == straight[: cut_ms * BYTES_PER_MS]
        assert (
            aired[max(settling.stop, cut_ms * BYTES_PER_MS) :] == straight[max(settling.stop, cut_ms * BYTES_PER_MS) :]
        )

    @pytest.mark.parametrize("suffix", [".wav", ".mp3", ".flac", ".opus"])
    def test_every_format_is_heard_whole(self, listening: Listening, tmp_path: Path, suffix: str) -> None:
        """A tone of one second is a second long and has its pitch; Opus loses its beginning in libvlc."""
        clip = source(tmp_path, tone(1_000), suffix=suffix)
        listening.play(1, clip)
        ended = listening.wait(SoundEnded)

        assert (ended.completed, ended.failure) == (True, None)
        assert 1_000 - OPUS_CUT_MS <= ended.item_written_ms[0] <= 1_060
        ((_, length_ms),) = runs_of_sound(samples(listening.file))
        assert 1_000 - OPUS_CUT_MS - 20 <= length_ms <= 1_060
        assert hertz(samples(listening.file)[400 * BYTES_PER_MS : 800 * BYTES_PER_MS]) == pytest.approx(1_000, abs=1)

    @pytest.mark.parametrize("suffix", [".wav", ".opus"])
    def test_items_follow_each_other_within_a_moment(self, listening: Listening, tmp_path: Path, suffix: str) -> None:
        """Several in a row: each whole, in order, and no silence between two that is longer than libvlc's floor."""
        row = [source(tmp_path, tone(700 + 5 * n, 600 + 200 * n), suffix=suffix) for n in range(3)]
        listening.play(1, *row)
        ended = listening.wait(SoundEnded)

        assert (ended.completed, ended.failure) == (True, None)
        lost_ms = [item.duration_ms - written for item, written in zip(row, ended.item_written_ms, strict=True)]
        assert [0 <= lost <= (0 if suffix == ".wav" else OPUS_CUT_MS) for lost in lost_ms] == [True] * 3
        runs = runs_of_sound(samples(listening.file))
        gaps_ms = [after - (begin + length) for (begin, length), (after, _) in pairwise(runs)]
        assert max(gaps_ms, default=0.0) <= ITEM_GAP_MS
        assert sum(length for _, length in runs) == pytest.approx(sum(ended.item_written_ms), abs=30)

    def test_more_items_than_fit_into_one_packet_are_all_played(self, listening: Listening, tmp_path: Path) -> None:
        """A slot of many bulletins in many languages; the same recording may stand in it twice."""
        row = [source(tmp_path, noise(60, n)) for n in range(70)]
        row.append(row[0])
        listening.play(1, *row, from_ms=60 * 30)
        ended = listening.wait(SoundEnded)

        assert ended == SoundEnded(1, True, (0,) * 30 + (60,) * 41, None)
        assert len(samples(listening.file)) >= 41 * 60 * BYTES_PER_MS

    def test_files_of_plays_that_are_over_are_let_go(self, listening: Listening, tmp_path: Path) -> None:
        """Verified memory is as large as the audio: only the prepared item stays."""
        for number in range(1, 9):
            clip = source(tmp_path, noise(50, number))
            listening.prepare(clip)
            listening.play(number, clip)
            listening.wait(SoundEnded)
        listening.prepare(source(tmp_path, noise(50, 99)))

        eventually(lambda: listening.open_files() == 1)


def straight_decode(path: Path) -> bytes:
    """What libvlc makes of a file when nothing interrupts it."""
    decoder = Decoder(make_instance(), os.open(path, os.O_RDONLY), 0)
    parts = []
    while not decoder.exhausted:
        parts.append(decoder.read(PERIOD_BYTES, 1.0))
    decoder.close()
    return b"".join(parts)


class TestNotWhole:
    """never-9: what is not whole is never completed, and says what was written."""

    def test_a_truncated_file_is_no_whole_item(self, listening: Listening, tmp_path: Path) -> None:
        """Its sound airs, and it counts as what it was."""
        whole = sweep(tmp_path / "sweep", 4.0, ".opus").read_bytes()
        listening.play(1, Source(whole[: len(whole) // 2], 4_000))
        ended = listening.wait(SoundEnded)

        assert (ended.completed, ended.failure) == (False, "not-audio")
        assert 800 < ended.item_written_ms[0] < 2_200

    @pytest.mark.parametrize(
        "data", [b"", b"xin chao ba con " * 400, b"OggS" + bytes(5_000), b"RIFF\x24\0\0\0WAVEfmt ", noise(1_000)[1:]]
    )
    @pytest.mark.parametrize("duration_ms", [50, 3_000])
    def test_a_file_that_is_no_audio_fails_at_once(self, listening: Listening, data: bytes, duration_ms: int) -> None:
        """Also a declared length within every tolerance makes it no item that aired."""
        before_s = time.monotonic()
        listening.play(1, Source(data, duration_ms))

        assert listening.wait(SoundEnded) == SoundEnded(1, False, (0,), "not-audio")
        assert time.monotonic() - before_s < 2.0
        assert listening.all(SoundStarted) == []

    def test_what_stands_behind_a_file_that_is_no_audio_is_not_counted(
        self, listening: Listening, tmp_path: Path
    ) -> None:
        """The core decides what becomes of the rest; the item before it keeps its count."""
        row = [source(tmp_path, noise(200)), Source(b"no audio", 500), source(tmp_path, noise(200, 2))]
        listening.play(1, *row)

        assert listening.wait(SoundEnded) == SoundEnded(1, False, (200, 0, 0), "not-audio")
        assert samples(listening.file) == noise(200)

    def test_an_item_shorter_than_declared_is_not_whole(self, listening: Listening, tmp_path: Path) -> None:
        """By as little as two periods, where libvlc loses nothing."""
        listening.play(1, source(tmp_path, noise(1_000), duration_ms=1_020))
        assert listening.wait(SoundEnded) == SoundEnded(1, False, (1_000,), "not-audio")
        listening.play(2, source(tmp_path, noise(1_000), duration_ms=1_010))
        assert listening.wait(SoundEnded) == SoundEnded(2, True, (1_000,), None)

    def test_an_item_longer_than_declared_is_written_whole(self, listening: Listening, tmp_path: Path) -> None:
        """Its hash was signed, and so was all of its sound."""
        listening.play(1, source(tmp_path, noise(1_000), duration_ms=600))

        assert listening.wait(SoundEnded) == SoundEnded(1, True, (1_000,), None)
        assert samples(listening.file) == noise(1_000)


class TestStops:
    """A play is over when it is asked to be."""

    def test_a_stop_before_the_first_sample_leaves_silence(self, listening: Listening, tmp_path: Path) -> None:
        """Nothing started, nothing was written."""
        listening.play(1, source(tmp_path, noise(1_000)), ahead_ns=800_000_000)
        listening.player.stop(1, 500)

        assert listening.wait(SoundEnded, 0.7) == SoundEnded(1, False, (0,), None)
        assert listening.all(SoundStarted) == []
        assert samples(listening.file) == b""

    def test_a_stop_before_its_file_is_opened_ends_no_player(self, listening: Listening, tmp_path: Path) -> None:
        """Whenever it comes: libvlc has other work first, and the file is let go behind that."""
        clip, *others = (source(tmp_path, noise(100, seed)) for seed in range(5))
        for play in range(1, 21):
            for other in others:
                listening.prepare(other)
            listening.play(play, clip, ahead_ns=300_000_000)
            time.sleep(play / 1_000)  # the stop comes at another instant each time: any may be the wrong one
            listening.player.stop(play, 0)
            assert listening.wait(SoundEnded) == SoundEnded(play, False, (0,), None)
        listening.play(21, clip)

        assert listening.wait(SoundEnded) == SoundEnded(21, True, (100,), None)
        assert listening.all(PlayerGone) == []
        eventually(lambda: listening.open_files() == 1)  # the other that was prepared last

    def test_a_stop_fades_out_and_tells_what_was_written(self, listening: Listening, tmp_path: Path) -> None:
        """The level falls from where it was down to nothing, without a jump."""
        listening.play(1, source(tmp_path, tone(4_000)))
        eventually(lambda: listening.all(SoundProgress)[-1:] and listening.all(SoundProgress)[-1].written_ms >= 400)
        listening.player.stop(1, 300)
        ended = listening.wait(SoundEnded)
        aired = samples(listening.file)

        assert (ended.completed, ended.failure) == (False, None)
        assert ended.item_written_ms == (len(aired) // BYTES_PER_MS,)
        levels = [rms_db(aired[at : at + PERIOD_BYTES]) for at in range(0, len(aired), PERIOD_BYTES)]
        assert levels[-31] == pytest.approx(-9.03, abs=0.1)
        fade = levels[-30:]
        assert fade == sorted(fade, reverse=True)
        assert fade[14] == pytest.approx(-9.03 - 6.02, abs=0.6)
        assert fade[-1] < -40

    def test_a_stop_within_the_fade_in_falls_from_the_level_reached(self, listening: Listening, tmp_path: Path) -> None:
        """It does not jump to full level first."""
        listening.play(1, source(tmp_path, tone(4_000)), fade_in_ms=2_000)
        eventually(lambda: listening.all(SoundProgress))
        listening.player.stop(1, 200)
        listening.wait(SoundEnded)
        aired = samples(listening.file)

        levels = [rms_db(aired[at : at + PERIOD_BYTES]) for at in range(0, len(aired), PERIOD_BYTES)]
        loudest = levels.index(max(levels))
        assert max(levels) < -15
        assert levels[1 : loudest + 1] == sorted(levels[1 : loudest + 1])
        assert levels[loudest:] == sorted(levels[loudest:], reverse=True)

    def test_a_stop_of_what_is_not_played_stops_nothing(self, listening: Listening, tmp_path: Path) -> None:
        """One that is over, or was never told of."""
        clip = source(tmp_path, noise(300))
        listening.play(1, clip)
        listening.wait(SoundEnded)
        listening.player.stop(1, 0)
        listening.play(2, clip)
        listening.player.stop(7, 0)

        assert listening.wait(SoundEnded) == SoundEnded(2, True, (300,), None)
        assert [event.play for event in listening.all(SoundEnded)] == [1, 2]

    def test_a_newer_play_takes_the_air_from_an_older_one(self, listening: Listening, tmp_path: Path) -> None:
        """Each has exactly one end, and only the newest sounds on."""
        clips = [source(tmp_path, noise(3_000, seed)) for seed in (1, 2)] + [source(tmp_path, noise(500, 3))]
        listening.play(1, clips[0])
        eventually(lambda: listening.all(SoundProgress))
        listening.play(2, clips[1])
        listening.play(3, clips[2])
        for _ in clips:
            listening.wait(SoundEnded)

        ends = {event.play: event for event in listening.all(SoundEnded)}
        assert len(listening.all(SoundEnded)) == 3
        assert (ends[1].completed, ends[1].failure) == (False, None)
        assert 100 <= ends[1].item_written_ms[0] < 600
        assert ends[2] == SoundEnded(2, False, (0,), None)
        assert ends[3] == SoundEnded(3, True, (500,), None)
        assert samples(listening.file)[-500 * BYTES_PER_MS :] == noise(500, 3)

    def test_a_close_fades_out_and_leaves_no_process(self, listening: Listening, tmp_path: Path) -> None:
        """Within the second that a stop of the daemon allows."""
        pid = listening.pid
        listening.play(1, source(tmp_path, tone(4_000)))
        eventually(lambda: listening.all(SoundProgress))
        before_s = time.monotonic()
        listening.player.close(1.0)

        assert time.monotonic() - before_s < 0.6
        assert not Path(f"/proc/{pid}").exists()
        aired = samples(listening.file)
        assert rms_db(aired[-PERIOD_BYTES:]) < -25
        assert listening.all(PlayerGone) == []


class TestLevels:
    """What is told of the sound ten times a second."""

    def test_a_known_tone_has_its_level_ten_times_a_second(self, listening: Listening, tmp_path: Path) -> None:
        """Half of full scale: peak 6.0 dB down, RMS 9.0; and the count of what was written."""
        listening.play(1, source(tmp_path, tone(2_000)))
        listening.wait(SoundEnded)
        told = listening.all(SoundProgress)

        assert [event.written_ms for event in told] == list(range(100, 2_001, 100))
        assert {(event.play, event.rms_db, event.peak_db) for event in told} == {(1, -9.0, -6.0)}

    def test_silence_has_the_lowest_level_there_is(self, listening: Listening, tmp_path: Path) -> None:
        """Not minus infinity, which JSON has no number for."""
        listening.play(1, source(tmp_path, bytes(500 * BYTES_PER_MS)))
        listening.wait(SoundEnded)

        assert {(event.rms_db, event.peak_db) for event in listening.all(SoundProgress)} == {(-120.0, -120.0)}

    @pytest.mark.parametrize(("volume_percent", "down_db"), [(100, 0.0), (50, 12.04), (25, 24.08), (10, 40.0)])
    def test_volume_follows_the_square_law(
        self, listening: Listening, tmp_path: Path, volume_percent: int, down_db: float
    ) -> None:
        """50 percent is 12 dB down, in what is written and in what is told."""
        listening.play(1, source(tmp_path, tone(500)), volume_percent=volume_percent)
        listening.wait(SoundEnded)

        assert rms_db(samples(listening.file)) == pytest.approx(-9.03 - down_db, abs=0.2)
        assert listening.all(SoundProgress)[0].rms_db == pytest.approx(-9.03 - down_db, abs=0.2)

    def test_volume_none_is_silence(self, listening: Listening, tmp_path: Path) -> None:
        """And still written for its whole length."""
        listening.play(1, source(tmp_path, tone(300)), volume_percent=0)

        assert listening.wait(SoundEnded) == SoundEnded(1, True, (300,), None)
        assert samples(listening.file) == bytes(300 * BYTES_PER_MS)

    @pytest.mark.parametrize(("before", "after", "up_db"), [(100, 25, -24.08), (25, 100, 24.08), (100, 0, -90.0)])
    def test_a_play_is_turned_within_a_fifth_of_a_second_and_does_not_click(
        self, listening: Listening, tmp_path: Path, before: int, after: int, up_db: float
    ) -> None:
        """Measured in what was written: as loud as before, a slope without a bend, as loud as was asked for."""
        listening.play(1, source(tmp_path, tone(3_000)), volume_percent=before)
        listening.turn(7, 50)  # a play that nobody knows
        listening.written(1_000)
        listening.turn(1, after)
        assert listening.wait(SoundEnded) == SoundEnded(1, True, (3_000,), None)
        aired = samples(listening.file)
        levels = [rms_db(aired[at : at + PERIOD_BYTES]) for at in range(0, len(aired), PERIOD_BYTES)]
        slope = [level for level in levels if abs(level - levels[0]) > 0.1 and abs(level - levels[-1]) > 0.1]

        assert levels[0] == pytest.approx(-9.03 + 40 * math.log10(before / 100), abs=0.2)
        assert max(levels[-1], levels[0] - 90) == pytest.approx(levels[0] + up_db, abs=0.2)
        assert 15 <= len(slope) <= 21
        assert slope == sorted(slope, reverse=after < before)
        assert roughest(aired) <= roughest(tone(1_000)) + 2

    def test_a_fade_in_rises_without_a_step(self, listening: Listening, tmp_path: Path) -> None:
        """From nothing to the volume, in its time, period by period and sample by sample."""
        listening.play(1, source(tmp_path, tone(1_000)), fade_in_ms=500, volume_percent=50)
        listening.wait(SoundEnded)
        aired = samples(listening.file)
        levels = [rms_db(aired[at : at + PERIOD_BYTES]) for at in range(0, len(aired), PERIOD_BYTES)]

        assert levels[:50] == sorted(levels[:50])
        assert levels[0] < -50
        assert levels[24] == pytest.approx(-9.03 - 12.04 - 6.02, abs=0.5)
        assert levels[50:] == [pytest.approx(-9.03 - 12.04, abs=0.1)] * 50
