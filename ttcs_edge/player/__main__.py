"""The player process: ``python -m ttcs_edge.player FD DRIVER DEVICE BUFFER_MS``. It owns libvlc and the sound device.

The main thread alone calls libvlc: it takes the daemon's packets and what the writer asks of it from one place. When
the daemon goes, the socket ends, and so does this process; should the daemon be killed, the kernel ends it too.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from ttcs_edge.drivers.sound import open_sink
from ttcs_edge.player.decoder import Decoder, make_instance
from ttcs_edge.player.messages import FDS_MOST, PACKET_BYTES, Answer, Command, Item, Play, Stop
from ttcs_edge.player.writer import Writer, first_item, item_offset_ms
from ttcs_edge.settings import SoundDriver, SoundSettings

PR_SET_PDEATHSIG = 1
_END = object()


class Process:
    """Routes packets to the writer, and the writer's wishes to libvlc."""

    def __init__(self, connection: socket.socket, settings: SoundSettings) -> None:
        self._connection = connection
        self._jobs: queue.Queue[Any] = queue.Queue()
        self._instance = make_instance()
        self._prepared: tuple[tuple[str, int], Decoder] | None = None
        self._fds: dict[str, int] = {}
        self._send_lock = threading.Lock()
        self._writer = Writer(open_sink(settings), self._answer, self._decoder, self._release)

    def run(self) -> None:
        """Work until the daemon is gone."""
        threading.Thread(target=self._receive, name="receiver", daemon=True).start()
        while (job := self._jobs.get()) is not _END:
            job()
        self._writer.leave()

    def _receive(self) -> None:
        decoder = msgspec.json.Decoder(Command)
        while True:
            data, fds, _, _ = socket.recv_fds(self._connection, PACKET_BYTES, FDS_MOST)
            if not data:
                self._jobs.put(_END)
                return
            command = decoder.decode(data)
            self._jobs.put(lambda command=command, fds=fds: self._take(command, fds))

    def _take(self, command: Command, fds: list[int]) -> None:
        if isinstance(command, Stop):
            self._writer.stop(command.play, command.fade_out_ms)
            return
        for item, fd in zip(command.items, fds, strict=True):
            if item.sha256 in self._fds:
                os.close(fd)
            else:
                self._fds[item.sha256] = fd
        if isinstance(command, Play):
            self._writer.play(command)
            return
        self._prepare(command.items, command.from_ms)

    def _prepare(self, items: tuple[Item, ...], from_ms: int) -> None:
        if self._prepared is not None:
            self._prepared[1].close()
        self._forget_fds(items)
        index = first_item(items, from_ms)
        key = (items[index].sha256, item_offset_ms(items, from_ms))
        self._prepared = (key, self._open(*key))

    def _forget_fds(self, items: tuple[Item, ...]) -> None:
        """Keep descriptors of a bounded number of items: those just named, and the latest before them."""
        keep = {item.sha256 for item in items}
        for sha256 in [name for name in self._fds if name not in keep][:-FDS_MOST]:
            os.close(self._fds.pop(sha256))

    def _open(self, sha256: str, from_ms: int) -> Decoder:
        # Each decoder needs a file position of its own.
        fd = os.open(f"/proc/self/fd/{self._fds[sha256]}", os.O_RDONLY | os.O_CLOEXEC)
        return Decoder(self._instance, fd, from_ms)

    def _decoder(self, command: Play, index: int) -> Decoder:
        """Called by the writer: the decoder of an item, the prepared one when it fits."""
        first = first_item(command.items, command.from_ms)
        offset_ms = item_offset_ms(command.items, command.from_ms) if index == first else 0
        key = (command.items[index].sha256, offset_ms)
        return self._on_control_thread(lambda: self._prepared_or_new(key))

    def _prepared_or_new(self, key: tuple[str, int]) -> Decoder:
        if self._prepared is not None and self._prepared[0] == key:
            decoder, self._prepared = self._prepared[1], None
            if not decoder.stalled:
                return decoder
            decoder.close()
        return self._open(*key)

    def _release(self, decoder: Decoder) -> None:
        self._jobs.put(decoder.close)

    def _on_control_thread(self, call: Callable[[], Decoder]) -> Decoder:
        future: Future[Decoder] = Future()

        def job() -> None:
            try:
                future.set_result(call())
            except Exception as error:
                future.set_exception(error)
                raise

        self._jobs.put(job)
        return future.result()

    def _answer(self, answer: Answer) -> None:
        try:
            with self._send_lock:
                self._connection.send(msgspec.json.encode(answer))
        except OSError:
            self._jobs.put(_END)


def main() -> None:
    """Take over the socket and the settings that the daemon gave, and work until it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    fd, driver, device, buffer_ms = sys.argv[1:5]
    wav_file = Path(device) if driver == SoundDriver.WAV.value else None
    settings = SoundSettings(SoundDriver(driver), device, wav_file, int(buffer_ms))
    Process(socket.socket(fileno=int(fd)), settings).run()
    os._exit(0)  # libvlc's threads have been seen to hang at exit


if __name__ == "__main__":
    main()
