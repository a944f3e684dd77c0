"""A radio station on the web: TLS, and whatever a test has stand at its paths; and the player's end of a follower."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.parts import Authority
from ttcs_edge.core.events import Event, StreamFailed

Behaviour = Callable[[BaseHTTPRequestHandler], object]
CODECS = {
    "mp3": ("libmp3lame", "mp3"),
    "aac": ("aac", "adts"),
    "ogg": ("libopus", "ogg"),
    "ts": ("aac", "mpegts"),
}


@cache
def tone(kind: str, seconds: float = 10, hertz: int = 440) -> bytes:
    """A tone as a stream of a kind."""
    codec, form = CODECS[kind]
    source = f"sine={hertz}:r=48000:d={seconds}"
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", source, "-af", "volume=12dB", "-ac", "1"]
    command += ["-c:a", codec, "-b:a", "64k"]
    command += ["-write_xing", "0", "-id3v2_version", "0"] if kind == "mp3" else []
    return subprocess.run([*command, "-f", form, "pipe:1"], check=True, capture_output=True).stdout


@cache
def pieces(kind: str, seconds: int = 12, hertz: int = 440) -> dict[str, bytes]:
    """A tone as HLS, in pieces of two seconds: ``ts``, ``aac`` or ``mp4``; each file by its name."""
    with TemporaryDirectory() as folder:
        command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", f"sine={hertz}:r=48000:d={seconds}"]
        command += ["-af", "volume=12dB", "-ac", "1", "-c:a", "aac", "-b:a", "64k", "-hls_time", "2"]
        command += ["-hls_list_size", "0", "-hls_segment_type", "fmp4" if kind == "mp4" else "mpegts"]
        names = {"ts": "%d.ts", "aac": "%d.aac", "mp4": "%d.m4s"}
        command += ["-hls_segment_filename", f"{folder}/{names[kind]}"]
        if kind == "aac":
            command = command[: command.index("-hls_time")]
            command += ["-f", "segment", "-segment_time", "2", "-segment_format", "adts", f"{folder}/%d.aac"]
        else:
            command += [f"{folder}/all.m3u8"]
        subprocess.run(command, check=True)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def playlist(names: Iterable[str], first: int = 0, target_s: int = 2, ended: bool = False, more: str = "") -> bytes:
    """A media playlist of pieces that are two seconds long."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target_s}", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    lines += more.splitlines()
    for name in names:
        lines += ["#EXTINF:2.0,", name] if not name.startswith("#") else [name]
    return "\n".join([*lines, "#EXT-X-ENDLIST" if ended else "", ""]).encode()


class Radio:
    """HTTPS on a free port. ``paths`` holds what stands where: bytes, or what is done with a request."""

    def __init__(self, authority: Authority) -> None:
        self.paths: dict[str, bytes | Behaviour] = {}
        self.asked: list[str] = []
        self.closing = threading.Event()
        radio = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Answer by the table."""
                radio.asked.append(self.path)
                found = radio.paths.get(self.path)
                with suppress(OSError):  # the client had enough
                    if found is None:
                        self.send_error(404)
                    elif isinstance(found, bytes):
                        say(self, found)
                    else:
                        found(self)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = authority.server()
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_port
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def endless(self, data: bytes, rate: float, burst_s: float = 0.0, over: threading.Event | None = None) -> Behaviour:
        """What an Icecast does: so many bytes a second, round and round, ``burst_s`` of them at once, and no length."""

        def behave(request: BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.send_header("Content-Type", "audio/mpeg")
            request.end_headers()
            request.wfile.write(data[: int(burst_s * rate)])
            at, step = int(burst_s * rate), int(rate / 10)
            while not self.closing.wait(0.1) and not (over is not None and over.is_set()):
                part = (data + data)[at : at + step]
                request.wfile.write(part)
                at = (at + step) % len(data)

        return behave

    def close(self) -> None:
        """Stop serving."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


def say(request: BaseHTTPRequestHandler, data: bytes, media_type: str = "application/octet-stream") -> None:
    """Answer with these bytes."""
    request.send_response(200)
    request.send_header("Content-Type", media_type)
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)


def sent_on(where: str, status: int = 302) -> Behaviour:
    """Send whoever asks on to another address."""

    def behave(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Location", where)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return behave


class Taker:
    """The player's end: every run with its kind, and what was told as wrong. Without ``takes`` it takes none."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, bytearray]] = []
        self.failed: list[StreamFailed] = []
        self.takes = threading.Event()
        self.takes.set()
        self._open: list[socket.socket] = []

    def hand(self, stream: int, kind: str, fd: int) -> None:
        """Take the next run."""
        theirs = socket.socket(fileno=os.dup(fd))
        self._open.append(theirs)
        data = bytearray()
        self.runs.append((kind, data))
        threading.Thread(target=self._read, args=(theirs, data), daemon=True).start()

    def _read(self, theirs: socket.socket, data: bytearray) -> None:
        with suppress(OSError):
            while self.takes.wait() and (more := theirs.recv(65_536)):
                data += more

    def post(self, event: Event) -> None:
        """Hear what is told."""
        assert isinstance(event, StreamFailed)
        self.failed.append(event)

    @property
    def told(self) -> list[tuple[str, dict[str, str]]]:
        """What was told as wrong: code and fields."""
        return [(one.code, dict(one.detail)) for one in self.failed]

    @property
    def whole(self) -> bytes:
        """All bytes of all runs."""
        return b"".join(bytes(data) for _, data in self.runs)

    def die(self) -> None:
        """Every socket is closed, as when the player dies."""
        while self._open:
            with suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)
