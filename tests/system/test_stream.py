"""Plain streams on real parts: TLS servers, Icecast and HLS, libvlc, lines, and the tone that was heard."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.link.radio import Radio, sent_on, tone
from tests.parts import Authority, Clip, Listener, Station, eventually, free_port, make_clip, put_chunks
from tests.system.sight import line_log, sound_runs, status
from tests.system.test_alerts import alert, warn
from tests.system.test_live import faults, on_air, told, tone_s
from tests.system.test_main_job import TOPIC, all_open, assert_relays_never_switched_under_sound, one_slot
from ttcs_edge.core.documents import Programme, Stream

RATE = 8_000
STREAM = "stream:sang"
TITLE = "Bản tin sáng"


@pytest.fixture
def radio(authority: Authority) -> Iterator[Radio]:
    """A radio station."""
    radio = Radio(authority)
    yield radio
    radio.close()


@pytest.fixture(scope="module")
def filler(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Half a minute of 1 kHz: what is heard in the stream's place."""
    return make_clip(tmp_path_factory.mktemp("clips"), "filler", 30.0)


def allow(station: Station, port: int) -> None:
    """Start a station that lets streams of a port in."""
    station.extra = f'streams: {{hosts: ["127.0.0.1:{port}"], ca: {station.broker.authority.ca_file}}}\n'
    station.install()
    station.start()


def streamed(clip: Clip, url: str, seconds_ahead: float = 4, most_minutes: int = 1) -> Programme:
    """One slot that names a stream."""
    return one_slot(clip, seconds_ahead, stream=Stream(url=url, most_minutes=most_minutes))


def occurrence(station: Station) -> str:
    """What has the air, by its identity."""
    return str((status(station).get("on_air") or {}).get("occurrence", ""))


def is_streamed(station: Station) -> bool:
    """Tell whether a stream has the air."""
    return f"#{STREAM}@" in occurrence(station)


def is_filled(station: Station) -> bool:
    """Tell whether the slot's own bulletin has the air."""
    return "#sang@" in occurrence(station)


def test_a_stream_is_heard_from_the_instant_of_its_slot_until_its_minutes_are_over(
    station: Station, centre: Listener, radio: Radio, filler: Clip
) -> None:
    """Followed a moment before it, so that it begins on time; told as aired, by itself and by its slot."""
    radio.paths["/fm"] = radio.endless(tone("mp3"), RATE, burst_s=2)
    put_chunks(centre, filler)
    allow(station, radio.port)
    programme = streamed(filler, f"{radio.url}/fm", 10)
    centre.publish(TOPIC, station.province.sign(programme))
    eventually(lambda: is_streamed(station), 25)
    eventually(lambda: len(told(centre)) == 2, 80)
    eventually(lambda: all_open(station), 15)

    assert told(centre) == [("sang", "aired", None), (STREAM, "aired", None)]
    records = {one["slot"]: one for one in centre.reports("as-run")}
    assert records[STREAM]["planned_start"] == records["sang"]["planned_start"]
    assert 58 <= tone_s(station) <= 60.5
    assert len(sound_runs(station)) == 1
    assert faults(station) == []
    assert_relays_never_switched_under_sound(station)


def test_a_stream_that_a_kill_cut_off_is_heard_for_the_rest_of_its_minute(
    station: Station, centre: Listener, radio: Radio, filler: Clip
) -> None:
    """A record for each part, both of one occurrence; the slot is told once, and its bulletin is not heard."""
    radio.paths["/fm"] = radio.endless(tone("mp3"), RATE, burst_s=2)
    put_chunks(centre, filler)
    allow(station, radio.port)
    centre.publish(TOPIC, station.province.sign(streamed(filler, f"{radio.url}/fm", 10)))
    eventually(lambda: tone_s(station) > 5, 40)
    station.stop(signal.SIGKILL)
    station.start()
    eventually(lambda: is_streamed(station), 15)
    eventually(lambda: told(centre).count((STREAM, "aired", None)) == 1, 80)
    eventually(lambda: all_open(station), 15)

    records = [one for one in centre.reports("as-run") if one["slot"] == STREAM]
    assert [(one["outcome"], one["reason"]) for one in records] == [("cut", "power"), ("aired", None)]
    assert len({one["id"] for one in records}) == 2 and len({one["occurrence"] for one in records}) == 1
    assert [one[1] for one in told(centre) if one[0] == "sang"] == ["missed"]
    assert 50 < tone_s(station) < 60.5  # both lives together
    assert_relays_never_switched_under_sound(station)


def test_a_stream_that_never_starts_is_replaced_and_one_that_starts_late_takes_over(
    station: Station, centre: Listener, radio: Radio, filler: Clip
) -> None:
    """Three seconds behind its instant the bulletin is heard; the fault says why, until there is sound. One that falls
    silent is replaced again.
    """
    over = threading.Event()
    put_chunks(centre, filler)
    allow(station, radio.port)
    centre.publish(TOPIC, station.province.sign(streamed(filler, f"{radio.url}/fm", 8)))
    eventually(lambda: is_filled(station), 25)
    assert "stream-away" in faults(station)
    assert tone_s(station) == 0

    radio.paths["/fm"] = radio.endless(tone("aac"), RATE, burst_s=2, over=over)
    eventually(lambda: is_streamed(station), 25)
    eventually(lambda: faults(station) == [], 15)
    eventually(lambda: tone_s(station) > 2, 15)
    del radio.paths["/fm"]
    over.set()
    eventually(lambda: is_filled(station), 25)
    assert {"live-lost", "stream-away"} >= set(faults(station)) >= {"live-lost"}
    assert_relays_never_switched_under_sound(station)


def test_a_stream_of_a_host_that_the_station_does_not_allow_is_not_heard(
    station: Station, centre: Listener, radio: Radio, authority: Authority, clip: Clip
) -> None:
    """However validly the programme is signed, and however it is come to; its bulletin is heard, and the fault names
    the host.
    """
    stranger = Radio(authority)
    stranger.paths["/fm"] = stranger.endless(tone("mp3"), RATE, burst_s=2)
    radio.paths["/fm"] = sent_on(f"{stranger.url}/fm")
    put_chunks(centre, clip)
    allow(station, radio.port)
    centre.publish(TOPIC, station.province.sign(streamed(clip, f"{radio.url}/fm", 8)))
    eventually(lambda: "stream-host" in faults(station), 25)
    (fault,) = [one for one in status(station)["faults"] if one["code"] == "stream-host"]
    assert dict(fault["detail"])["found"] == f"127.0.0.1:{stranger.port}"
    eventually(lambda: told(centre), 25)
    stranger.close()

    assert told(centre) == [("sang", "substituted", "live-lost")]
    assert stranger.asked == []
    assert tone_s(station) == 0


class Nginx:
    """A real nginx with TLS over a folder in which a real ffmpeg keeps a live HLS stream."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}/live.m3u8"
        web = folder / "web"
        web.mkdir(parents=True)
        certificate, key = authority.server()
        server = f"listen 127.0.0.1:{self.port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};"
        types = "types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }"
        temporary = " ".join(
            f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\n"
            f"events {{}}\nhttp {{ {types} {temporary} access_log {folder}/access.log; "
            f"server {{ {server} root {web}; }} }}\n"
        )
        command = ["ffmpeg", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "sine=440:r=48000", "-ac", "1"]
        command += ["-af", "volume=12dB", "-c:a", "aac", "-b:a", "64k", "-f", "hls", "-hls_time", "2"]
        command += ["-hls_list_size", "5", "-hls_flags", "delete_segments", str(web / "live.m3u8")]
        self.parts = [subprocess.Popen(command, stdin=subprocess.DEVNULL)]
        self.parts.append(subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]))
        eventually((web / "live.m3u8").exists)

    def close(self) -> None:
        """End both."""
        for part in self.parts:
            part.terminate()
            part.wait()


@pytest.fixture
def hls(tmp_path: Path, authority: Authority) -> Iterator[Nginx]:
    """HLS on the air."""
    nginx = Nginx(tmp_path / "nginx", authority)
    yield nginx
    nginx.close()


def test_an_alert_takes_the_air_from_an_hls_stream_and_gives_it_back(
    station: Station, centre: Listener, hls: Nginx, clip: Clip
) -> None:
    """At once, as from anything; what is said then is heard behind it, and the amplifier never went off."""
    put_chunks(centre, clip)
    allow(station, hls.port)
    centre.publish(TOPIC, station.province.sign(streamed(clip, hls.url, 10)))
    eventually(lambda: is_streamed(station), 30)
    eventually(lambda: tone_s(station) > 3, 20)
    warn(centre, station.province, alert(clip))
    eventually(lambda: "#alert:" in occurrence(station), 5)
    eventually(lambda: is_streamed(station), 30)
    before_s = tone_s(station)
    eventually(lambda: tone_s(station) > before_s + 3, 20)

    assert [level for line, level, _ in line_log(station) if line == "gpio17"] == [0, 1]
    assert "live-lost" not in faults(station)
    assert on_air(station) == TITLE
