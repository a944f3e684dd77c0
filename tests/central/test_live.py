"""``ttcs-central live``: what goes out is the source's own sound, signed piece by piece, and it has an end."""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
import time
from array import array
from base64 import b64decode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from msgspec.structs import replace

from tests.central.feeds import FeedServer
from tests.link import radio as hls
from tests.parts import Authority, Broker, Listener, Station, eventually
from tests.player.parts import Loudspeaker
from tests.system.sight import status
from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.centre import now, open_centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.live import live
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import LiveSegment, Signed
from ttcs_edge.core.model import Instant, WallMs
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.opus import RATE_HZ, OpusDecoder
from ttcs_edge.wire.documents import read_live
from ttcs_edge.wire.topics import Topics

SCOPE = "vn/lam-dong"
TOPIC = Topics("ttcs/v1").live(SCOPE, "thoi-su")
HZ = 440


@pytest.fixture
def listener(own_broker: Broker) -> Iterator[Listener]:
    """Whoever hears what passes by on the topic."""
    listener = Listener(own_broker, subscribe=TOPIC)
    yield listener
    listener.close()


@pytest.fixture
def tone(tmp_path: Path) -> Callable[[float], Path]:
    """Makes a file of a tone that is so long."""

    def make(seconds: float) -> Path:
        path = tmp_path / f"tone-{seconds}.wav"
        source = ["-f", "lavfi", "-i", f"sine={HZ}:r=44100:d={seconds}", "-ac", "2"]
        subprocess.run(["ffmpeg", "-v", "error", *source, str(path)], check=True)
        return path

    return make


def words(centre_folder: Path, broker: Broker, source: object, *more: str) -> list[str]:
    """A command line."""
    told = ["--title", "Thời sự", "--broker", f"127.0.0.1:{broker.port}", "--lang", "en"]
    return ["live", str(centre_folder), SCOPE, "thoi-su", "--input", str(source), *told, *more]


def segments(listener: Listener, centre_folder: Path) -> list[LiveSegment]:
    """What came, every signature of it good."""
    trust = open_centre(centre_folder).trust.document
    signed = [read_live(payload, trust) for _, payload in list(listener.messages)]
    assert all(isinstance(one, Signed) and one.signers for one in signed), signed
    return [one.document for one in signed if isinstance(one, Signed)]


def sound(came: list[LiveSegment]) -> array[int]:
    """What a station hears of it."""
    decoder = OpusDecoder()
    packets = (b64decode(packet) for segment in came for packet in segment.packets)
    return array("h", b"".join(decoder.decode(packet) for packet in packets))


def process(line: list[str]) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "ttcs_edge.central.main", *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_file_is_heard_whole_and_at_its_pace_and_has_an_end(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    tone: Callable[[float], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Stereo, 44.1 kHz, 2.1 seconds: four segments, the rest, and the last one."""
    assert main(words(centre_folder, own_broker, tone(2.1), "--zone", "cho", "--yes")) == 0
    came = eventually(lambda: (found := segments(listener, centre_folder))[-1:] and found[-1].last and found)
    out = capsys.readouterr().out.splitlines()

    assert [one.number for one in came] == [0, 1, 2, 3, 4, 5]
    assert [len(one.packets) for one in came] == [25, 25, 25, 25, 5, 1]
    assert [one.last for one in came] == [False] * 5 + [True]
    assert {(one.title, one.priority, one.zones, one.version) for one in came} == {
        ("Thời sự", 5, ("cho",), came[0].version)
    }
    assert utc_ms(came[0].until) - came[0].version == pytest.approx(30 * 60_000, abs=1_000)
    heard = sound(came[:5])
    assert len(heard) / RATE_HZ == pytest.approx(2.1, abs=0.001)
    ups = sum(before < 0 <= after for before, after in pairwise(heard[RATE_HZ:]))
    assert ups == pytest.approx(HZ * 1.1, abs=2)
    assert math.sqrt(sum(one * one for one in heard[RATE_HZ:]) / len(heard[RATE_HZ:])) > 2_000
    assert out[0].startswith("On the air 0:0") and out[0].endswith("dBFS, 1 segments sent, 0 not")
    # The newer ffmpeg gives the first half second of a file at once.
    assert out[-1] in ("Over: 0:02, 6 segments sent, 0 not", "Over: 0:01, 6 segments sent, 0 not")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_it_ends_it_in_order(
    centre_folder: Path, own_broker: Broker, listener: Listener, tone: Callable[[float], Path], number: int
) -> None:
    """The last word is said; no trace of a program."""
    speaking = process(words(centre_folder, own_broker, tone(60), "--yes", "--segment-ms", "200"))
    eventually(lambda: len(listener.messages) >= 3, 20)
    speaking.send_signal(number)
    out, err = speaking.communicate(timeout=10)

    assert speaking.returncode == 0, err
    assert out.splitlines()[-1].startswith("Over: 0:0")
    came = eventually(lambda: (found := segments(listener, centre_folder))[-1].last and found)
    assert [one.number for one in came] == list(range(len(came)))
    assert err == ""


def test_all_of_a_session_that_ends_with_its_time_is_taken_by_stations(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    tone: Callable[[float], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its last segment too, or each of them raises a fault. Here 54 of its 60 seconds are over at once."""
    begun = now()
    leaps_ms = iter([0])

    def leaping() -> Instant:
        told = now()
        return replace(told, wall_ms=WallMs(told.wall_ms + next(leaps_ms, 54_000)))

    monkeypatch.setattr("ttcs_edge.central.live.now", leaping)
    monkeypatch.setattr("ttcs_edge.central.live_input.now", leaping)
    line = words(centre_folder, own_broker, tone(20), "--yes", "--minutes", "1", "--segment-ms", "2000")
    assert main(line) == 0
    trust = open_centre(centre_folder).trust.document
    payloads = eventually(lambda: len(listener.messages) >= 2 and [payload for _, payload in listener.messages])
    read = [read_live(payload, trust) for payload in payloads]
    assert [isinstance(one, Signed) for one in read] == [True] * len(read), read[-1]
    last = segments(listener, centre_folder)[-1]
    assert last.last
    assert utc_ms(last.sent) + 1_000 < utc_ms(last.until) <= begun.wall_ms + 60_000 + 5_000
    assert capsys.readouterr().out.splitlines()[-1].endswith(" 0 not")


def test_it_begins_soon_and_with_what_is_heard_then(
    centre_folder: Path, own_broker: Broker, listener: Listener, tone: Callable[[float], Path]
) -> None:
    """Each segment says when it was heard: one behind another, at the pace of the sound."""
    assert main(words(centre_folder, own_broker, tone(3), "--yes", "--segment-ms", "1000")) == 0
    came = eventually(lambda: (found := segments(listener, centre_folder))[-1:] and found[-1].last and found)
    heard_ms = [utc_ms(one.sent) - came[0].version for one in came]
    # Whole seconds are told, and the newer ffmpeg gives the first half second of a file at once.
    assert -1_500 <= heard_ms[0] <= 3_000
    assert all(0 <= after - before <= 2_000 for before, after in pairwise(heard_ms))
    assert 1_000 <= heard_ms[3] - heard_ms[0] <= 5_000


def test_a_centre_of_before_says_that_its_trust_root_grants_none(
    centre_folder: Path, own_broker: Broker, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it asks for a secret, and before anything is heard."""
    centre = open_centre(centre_folder)
    root = centre.trust.document
    older = replace(root, grants=tuple(grant for grant in root.grants if grant.role != "live"))
    centre = replace(centre, trust=replace(centre.trust, document=older))
    given = argparse.Namespace(scope=SCOPE, id="thoi-su", input="alsa:default", segment_ms=500, yes=True)
    with pytest.raises(CentralError) as raised:
        live(given, centre, BrokerAddress("127.0.0.1", own_broker.port), pytest.fail, "en")
    file = centre_folder / "trust/root.dsse.json"
    assert (raised.value.code, raised.value.fields) == ("no-grant", {"role": "live", "file": file})
    assert listener.messages == []


def test_what_could_not_be_sent_is_counted_and_it_goes_on_when_the_broker_is_back(
    centre_folder: Path, own_broker: Broker, listener: Listener, tone: Callable[[float], Path]
) -> None:
    """What was said meanwhile is not sent late."""
    speaking = process(words(centre_folder, own_broker, tone(60), "--yes", "--segment-ms", "200"))
    eventually(lambda: len(listener.messages) >= 3, 20)
    own_broker.stop()
    before = len(listener.messages)
    own_broker.start()
    eventually(lambda: len(listener.messages) >= before + 5, 30)
    speaking.send_signal(signal.SIGINT)
    out, _ = speaking.communicate(timeout=10)

    lines = out.splitlines()
    place = f"127.0.0.1:{own_broker.port}"
    assert f"The broker {place} is away" in lines and f"The broker {place} is back" in lines
    numbers = [one.number for one in segments(listener, centre_folder)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) < numbers[-1] + 1, "some were lost, and none came late"
    assert int(lines[-1].rpartition(", ")[2].split()[0]) >= numbers[-1] + 1 - len(numbers) - 1


def test_a_line_that_hangs_is_given_up_before_what_it_holds_is_worth_nothing(
    centre_folder: Path, own_broker: Broker, listener: Listener, tone: Callable[[float], Path]
) -> None:
    """It breaks nothing and takes nothing; it is told, and what is said then is heard when it moves again."""
    speaking = process(words(centre_folder, own_broker, tone(60), "--yes", "--segment-ms", "200"))
    assert speaking.stdout is not None and own_broker._process is not None
    eventually(lambda: len(listener.messages) >= 3, 20)
    place = f"127.0.0.1:{own_broker.port}"
    own_broker._process.send_signal(signal.SIGSTOP)
    stopped_s = time.monotonic()
    try:
        assert f"The broker {place} is away\n" in iter(speaking.stdout.readline, "")
        took_s = time.monotonic() - stopped_s
    finally:
        own_broker._process.send_signal(signal.SIGCONT)
    assert f"The broker {place} is back\n" in iter(speaking.stdout.readline, "")
    back = segments(listener, centre_folder)[-1].number
    eventually(lambda: segments(listener, centre_folder)[-1].number > back + 5, 20)
    speaking.send_signal(signal.SIGINT)
    out, _ = speaking.communicate(timeout=15)

    assert took_s < 13
    came = eventually(lambda: (found := segments(listener, centre_folder))[-1].last and found)
    numbers = [one.number for one in came]
    assert numbers == sorted(set(numbers)) and len(numbers) < numbers[-1] + 1
    assert speaking.returncode == 0
    assert int(out.splitlines()[-1].rpartition(", ")[2].split()[0]) > 0


def test_a_station_of_the_centre_relays_it(
    centre_folder: Path, own_broker: Broker, own_station: Station, tone: Callable[[float], Path]
) -> None:
    """From the command to the air and into the log."""
    centre = Listener(own_broker)
    own_station.start()
    eventually(lambda: status(own_station).get("link_up"))
    assert main(words(centre_folder, own_broker, tone(5), "--yes")) == 0
    eventually(lambda: centre.reports("as-run"), 15)
    assert own_station.stop() == 0
    (record,) = {one["id"]: one for one in centre.reports("as-run")}.values()
    centre.close()
    assert (record["slot"], record["outcome"], record["title"]) == ("live:thoi-su", "aired", "Thời sự")


def told(code: int, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """An exit code, and what stands on standard error."""
    return code, capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("nothing-here.wav", "There is no such input: nothing-here.wav"),
        ("http://radio.example/live", "There is no such input: http://radio.example/live"),
        ("alsa:", "There is no such input: alsa:"),
    ],
)
def test_an_input_that_is_none_is_told_before_anything_is_said(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    source: str,
    first: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A stream without TLS is a stranger's voice."""
    mend = "Give alsa:DEVICE (see arecord -L), pulse:SOURCE, a sound file, or an https:// address"
    assert told(main(words(centre_folder, own_broker, source, "--yes")), capsys) == (os.EX_NOINPUT, [first, mend])
    assert listener.messages == []


def test_an_input_that_is_no_sound_is_told_and_the_session_is_ended(
    centre_folder: Path, own_broker: Broker, listener: Listener, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In ffmpeg's own words."""
    path = tmp_path / "letter.wav"
    path.write_text("Kính gửi Ủy ban nhân dân xã")
    code, lines = told(main(words(centre_folder, own_broker, path, "--yes")), capsys)
    assert code == os.EX_NOINPUT
    assert lines[0].startswith(f"The input {path} cannot be used: ") and "Invalid data found" in lines[0]
    (only,) = eventually(lambda: segments(listener, centre_folder))
    assert only.last


def test_an_input_that_falls_silent_is_told_and_then_ended(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its silence would hold the air of every station. Here a second is ten, and two are five minutes."""
    monkeypatch.setattr("ttcs_edge.central.live.QUIET_S", 1.0)
    monkeypatch.setattr("ttcs_edge.central.live.QUIET_MOST_S", 2.0)
    path = tmp_path / "off.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "anullsrc=d=30", str(path)], check=True)
    code = main(words(centre_folder, own_broker, path, "--yes"))
    out, err = capsys.readouterr()
    assert code == os.EX_UNAVAILABLE
    assert err.splitlines() == [
        "Nothing was heard for 2 seconds: the session is over",
        "See that the microphone is on, then begin again",
    ]
    assert out.splitlines().count("Nothing was heard for 1 seconds: is the microphone on?") == 1
    came = eventually(lambda: (found := segments(listener, centre_folder))[-1:] and found[-1].last and found)
    assert [one.last for one in came] == [False] * (len(came) - 1) + [True]


def test_an_input_that_stutters_is_told_and_goes_on(
    centre_folder: Path,
    own_broker: Broker,
    radio: FeedServer,
    tone: Callable[[float], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Four seconds of its sound come at once, the rest three seconds after they are over."""
    data = tone(6.0).read_bytes()

    def halting(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data[: len(data) * 2 // 3])
        request.wfile.flush()
        radio.closing.wait(7.0)
        request.wfile.write(data[len(data) * 2 // 3 :])

    radio.pages["/halting.wav"] = halting
    monkeypatch.setenv("SSL_CERT_FILE", str(radio.ca))
    assert main(words(centre_folder, own_broker, f"{radio.url}/halting.wav", "--yes")) == os.EX_NOINPUT
    out, err = capsys.readouterr()
    assert err.splitlines()[0].endswith("cannot be used: end")
    assert [line for line in out.splitlines() if line.startswith("The input stutters: the last segment was ")]


@pytest.fixture
def radio(tmp_path: Path, tone: Callable[[float], Path]) -> Iterator[FeedServer]:
    """A radio with a stream of 1.5 seconds, and with the same as a playlist."""
    server = FeedServer(Authority(tmp_path / "radio"))
    server.pages["/live.wav"] = tone(1.5).read_bytes()
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:1.5,", "live.wav", "#EXT-X-ENDLIST", ""]
    server.pages["/live"] = "\n".join(lines).encode()
    yield server
    server.close()


def test_a_stream_is_heard_until_it_breaks_off(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    radio: FeedServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A stream has no end: one that ends is told."""
    monkeypatch.setenv("SSL_CERT_FILE", str(radio.ca))
    place = f"{radio.url}/live.wav"
    code, lines = told(main(words(centre_folder, own_broker, place, "--yes")), capsys)
    assert (code, lines[0]) == (os.EX_NOINPUT, f"The input {place} cannot be used: end")
    came = eventually(lambda: (found := segments(listener, centre_folder))[-1:] and found[-1].last and found)
    heard = sound(came[:-1])
    assert len(heard) / RATE_HZ == pytest.approx(1.5, abs=0.02)
    ups = sum(before < 0 <= after for before, after in pairwise(heard[RATE_HZ:]))
    assert ups == pytest.approx(HZ * 0.5, abs=2)


def test_a_stream_that_comes_all_at_once_is_said_at_its_own_pace(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    radio: FeedServer,
    tone: Callable[[float], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the first seconds of every radio do: stations keep two of them, and would hear the rest in leaps."""
    monkeypatch.setenv("SSL_CERT_FILE", str(radio.ca))
    radio.pages["/burst.wav"] = tone(4.0).read_bytes()
    begun_s = time.monotonic()
    assert main(words(centre_folder, own_broker, f"{radio.url}/burst.wav", "--yes")) == os.EX_NOINPUT
    assert time.monotonic() - begun_s > 3
    came = eventually(lambda: (found := segments(listener, centre_folder))[-1:] and found[-1].last and found)
    assert [one.number for one in came] == list(range(len(came)))
    assert len(sound(came[:-1])) / RATE_HZ == pytest.approx(4.0, abs=0.02)
    assert utc_ms(came[-2].sent) - utc_ms(came[0].sent) >= 2_000


@pytest.mark.parametrize("sent_on", [False, True])
def test_a_server_whose_certificate_nobody_vouches_for_is_not_listened_to(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    radio: FeedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sent_on: bool,
) -> None:
    """Nor when a server that somebody vouches for sends there: or a stranger's voice had the province's signature."""

    def send_on(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", f"{radio.url}/live.wav")
        request.end_headers()

    known = FeedServer(Authority(tmp_path / "known"))
    known.pages["/"] = send_on
    monkeypatch.setenv("SSL_CERT_FILE", str(known.ca))
    place = f"{known.url}/" if sent_on else f"{radio.url}/live.wav"
    code, lines = told(main(words(centre_folder, own_broker, place, "--yes")), capsys)
    known.close()
    assert code == os.EX_NOINPUT
    assert lines[0].startswith(f"The input {place} cannot be used: ")
    assert "Peer certificate failed verification" in lines[0]
    assert known.requests == ["/"] * sent_on and radio.requests == []
    (only,) = eventually(lambda: segments(listener, centre_folder))
    assert only.last


def test_a_playlist_whose_files_could_come_from_anybody_is_refused(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    radio: FeedServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """None of its files is asked for."""
    monkeypatch.setenv("SSL_CERT_FILE", str(radio.ca))
    place = f"{radio.url}/live"
    assert told(main(words(centre_folder, own_broker, place, "--yes")), capsys) == (
        os.EX_DATAERR,
        [
            f"The stream {place} is a list of files: where each of them comes from cannot be checked",
            "Give the address of one stream (Icecast, MP3, AAC, Ogg), or that of HLS, which ends in .m3u8",
        ],
    )
    assert radio.requests == ["/live"]
    (only,) = eventually(lambda: segments(listener, centre_folder))
    assert only.last


@pytest.mark.parametrize("kind", ["ts", "mp4"])
def test_an_hls_stream_is_followed_piece_by_piece(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    radio: FeedServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    """From three pieces before its end on, each as it was made; where no more come, that is told."""
    monkeypatch.setenv("SSL_CERT_FILE", str(radio.ca))
    found = hls.pieces(kind)
    names = [f"{number}.{'ts' if kind == 'ts' else 'm4s'}" for number in range(4)]
    section = '#EXT-X-MAP:URI="init.mp4"' if kind == "mp4" else ""
    radio.pages |= {f"/{name}": data for name, data in found.items()}
    radio.pages["/hls.m3u8"] = hls.playlist(names, more=section)
    place = f"{radio.url}/hls.m3u8"
    code, lines = told(main(words(centre_folder, own_broker, place, "--yes")), capsys)
    assert (code, lines[0]) == (os.EX_UNAVAILABLE, f"The input {place} gave nothing for 5 seconds")
    came = eventually(lambda: (found := segments(listener, centre_folder))[-1:] and found[-1].last and found)
    heard = sound(came[:-1])
    assert len(heard) / RATE_HZ == pytest.approx(6.0, abs=0.6)
    ups = sum(before < 0 <= after for before, after in pairwise(heard[2 * RATE_HZ : 4 * RATE_HZ]))
    assert ups == pytest.approx(440 * 2, abs=4)
    assert "/0.ts" not in radio.requests and "/0.m4s" not in radio.requests


def test_a_piece_of_a_server_that_nobody_vouches_for_is_not_heard(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    radio: FeedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """However well its playlist is."""
    stranger = FeedServer(Authority(tmp_path / "stranger"))
    stranger.pages["/0.ts"] = hls.pieces("ts")["0.ts"]
    radio.pages["/hls.m3u8"] = hls.playlist([f"{stranger.url}/0.ts"])
    monkeypatch.setenv("SSL_CERT_FILE", str(radio.ca))
    place = f"{radio.url}/hls.m3u8"
    code, lines = told(main(words(centre_folder, own_broker, place, "--yes")), capsys)
    stranger.close()
    assert code == os.EX_NOINPUT
    (line,) = [line for line in lines if line.startswith(f"The input {place} cannot be used: ")]
    assert "certificate verify failed" in line
    assert stranger.requests == []
    (only,) = eventually(lambda: segments(listener, centre_folder))
    assert only.last


def test_a_device_that_is_not_there_is_told(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """ALSA's name of it."""
    code, lines = told(main(words(centre_folder, own_broker, "alsa:hw:9", "--yes")), capsys)
    assert code == os.EX_NOINPUT
    assert lines[0].startswith("The input alsa:hw:9 cannot be used: ")


@pytest.mark.parametrize(
    ("lang", "more", "lines"),
    [
        (
            "en",
            ("--segment-ms", "510"),
            ["Segments of 510 ms do not fit 20 ms packets", "For example: --segment-ms 500"],
        ),
        (
            "vi",
            ("--segment-ms", "510"),
            ["Độ dài đoạn 510 ms không chia hết cho 20", "Ví dụ: --segment-ms 500"],
        ),
        (
            "en",
            ("--title", "x" * 201),
            ["The title has 201 characters, it must have 1 to 200", "For example: --title 'Thời sự'"],
        ),
        (
            "vi",
            ("--title", ""),
            ["Tên chương trình dài 0 ký tự, cần từ 1 đến 200", "Ví dụ: --title 'Thời sự'"],
        ),
        (
            "en",
            ("--zone", "a b"),
            ["This is no zone: a b", "Write it as station.yaml has it, such as: --zone cho"],
        ),
        (
            "vi",
            ("--zone", "chợ"),
            ["Mã cụm loa không đúng: chợ", "Viết như trong station.yaml, ví dụ: --zone cho"],
        ),
    ],
)
def test_what_stations_would_refuse_is_refused_here(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    lang: str,
    more: tuple[str, str],
    lines: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing goes out."""
    line = words(centre_folder, own_broker, "alsa:default", "--yes", *more)
    line[line.index("--lang") + 1] = lang
    assert told(main(line), capsys) == (os.EX_DATAERR, lines)
    assert listener.messages == []


@pytest.mark.parametrize(
    ("option", "number", "bounds"),
    [("segment-ms", "180", (200, 2000)), ("segment-ms", "2020", (200, 2000)), ("minutes", "241", (1, 240))],
)
def test_a_number_out_of_its_bounds_is_told_with_them(
    centre_folder: Path,
    own_broker: Broker,
    option: str,
    number: str,
    bounds: tuple[int, int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As it is of every command."""
    with pytest.raises(SystemExit) as raised:
        main(words(centre_folder, own_broker, "alsa:default", f"--{option}", number))
    assert told(int(raised.value.code or 0), capsys) == (
        os.EX_USAGE,
        [
            f"Wrong use: --{option}: {number} will not do, give a number from {bounds[0]} to {bounds[1]}",
            "See: ttcs-central live --help",
        ],
    )


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loudspeaker]:
    """A sound server whose sink is what its inputs hear, and a tone that plays on it."""
    heard = Loudspeaker(tmp_path_factory.mktemp("microphone"))
    heard.listen()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALSA_CONFIG_PATH", str(heard.config))
        patch.setenv("PULSE_SERVER", f"unix:{heard.folder / 'pulse.sock'}")
        source = ["-re", "-f", "lavfi", "-i", f"sine={HZ}:r={RATE_HZ}", "-ac", "1"]
        playing = subprocess.Popen(["ffmpeg", "-nostdin", "-v", "error", *source, "-f", "alsa", "pole"])
        yield heard
        playing.kill()
        playing.wait()
    heard.unplug()


@pytest.mark.parametrize("source", ["alsa:ear", "pulse:pole.monitor"])
def test_a_sound_input_is_heard_as_it_sounds(
    centre_folder: Path, own_broker: Broker, listener: Listener, microphone: Loudspeaker, source: str
) -> None:
    """At its pitch, soon, until somebody ends it."""
    speaking = process(words(centre_folder, own_broker, source, "--yes", "--segment-ms", "200"))
    came = eventually(lambda: len(found := segments(listener, centre_folder)) >= 12 and found, 20)
    speaking.send_signal(signal.SIGINT)
    _, err = speaking.communicate(timeout=10)

    assert (speaking.returncode, err) == (0, "")
    heard = sound(came)[RATE_HZ:]
    # A busy sound server may leave some of it out, which spoils the tenth of a second in which it does.
    tenths = [heard[begin : begin + RATE_HZ // 10] for begin in range(0, len(heard), RATE_HZ // 10)]
    hertz = [10 * sum(before < 0 <= after for before, after in pairwise(tenth)) for tenth in tenths]
    assert median(hertz) == pytest.approx(HZ, abs=6)
    assert math.sqrt(sum(one * one for one in heard) / len(heard)) > 2_000
    assert all(len(one.packets) == 10 for one in came)
    assert utc_ms(came[0].sent) - came[0].version < 3_000


def test_an_input_that_gives_nothing_is_told_and_the_session_is_ended(
    centre_folder: Path, own_broker: Broker, listener: Listener, microphone: Loudspeaker
) -> None:
    """It is there, and gives nothing."""
    speaking = process(words(centre_folder, own_broker, "alsa:ear", "--yes", "--segment-ms", "200"))
    eventually(lambda: len(listener.messages) >= 3, 20)
    microphone.freeze()
    try:
        _, err = speaking.communicate(timeout=20)
    finally:
        microphone.thaw()

    assert speaking.returncode == os.EX_UNAVAILABLE
    assert err.splitlines() == [
        "The input alsa:ear gave nothing for 5 seconds",
        "Look at the input and its link, then begin again",
    ]
    came = eventually(lambda: (found := segments(listener, centre_folder))[-1].last and found)
    assert [one.number for one in came] == list(range(len(came)))


@pytest.mark.parametrize("name", ["programme", "a b", "x" * 65])
def test_an_id_that_is_none_is_told(
    centre_folder: Path, own_broker: Broker, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or it would be the topic of something else."""
    line = words(centre_folder, own_broker, "alsa:default", "--yes")
    line[3] = name
    code, lines = told(main(line), capsys)
    assert (code, lines[0]) == (os.EX_DATAERR, f"This is no id of a live relay: {name}")


def test_nobody_is_spoken_to_before_somebody_said_yes(
    centre_folder: Path,
    own_broker: Broker,
    listener: Listener,
    tone: Callable[[float], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What will be heard where stands above the question; where nobody can be asked, --yes is wanted."""
    path = tone(1)
    code, lines = told(main(words(centre_folder, own_broker, path)), capsys)
    assert code == os.EX_NOPERM
    assert lines[:2] == [
        f'Speak live: "Thời sự" (thoi-su) from {path}',
        "  to vn/lam-dong: 0 stations, every zone, 30 minutes at the most",
    ]
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "n\n", raising=False)
    assert main(words(centre_folder, own_broker, path)) == os.EX_NOPERM
    assert listener.messages == []
    monkeypatch.setattr(sys.stdin, "readline", lambda: "y\n", raising=False)
    assert main(words(centre_folder, own_broker, path)) == 0
    eventually(lambda: listener.messages)
