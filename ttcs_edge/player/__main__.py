"""The player process: ``python -m ttcs_edge.player FD``. It owns libvlc and the sound device.

So it is begun as a child of the daemon's, FD being its end of a socket; in a unit of its own a ``keeper`` begins it.

The main thread alone calls libvlc, and opens and closes inputs: it takes what others ask of it from one bounded queue.
The receiver hands plays, stops and volumes straight to the writer, so that a stop waits for no libvlc. When the daemon
goes, the socket ends, and so does this process; should the daemon be killed, the kernel ends it too. An exception that
nobody foresaw, in any thread, ends the process: the daemon replaces it.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from ttcs_edge.drivers.sound import open_sink
from ttcs_edge.drivers.sound_input import open_input
from ttcs_edge.player.bounds import die_with_parent, keep_within_bounds
from ttcs_edge.player.capture import Capture
from ttcs_edge.player.decoder import Decoder, make_instance, silence
from ttcs_edge.player.digits import DigitSource
from ttcs_edge.player.hiding import hide
from ttcs_edge.player.live import LiveSource
from ttcs_edge.player.messages import (
    Alive,
    Answer,
    Begin,
    Command,
    CopySent,
    Dial,
    Files,
    Follow,
    Heard,
    Leave,
    Live,
    Play,
    PlayStream,
    Prepare,
    Segment,
    Sounding,
    StandBy,
    Stop,
    Talk,
    Volume,
    decode_begin,
    decode_command,
    encode,
    first_item,
    item_offset_ms,
    receive,
)
from ttcs_edge.player.sent import Sent
from ttcs_edge.player.source import Opening
from ttcs_edge.player.stream import Stream, StreamSource
from ttcs_edge.player.writer import Writer
from ttcs_edge.settings import SoundDriver, SoundSettings

JOBS_MOST = 64
"""How many calls may wait for libvlc; who asks for one more waits."""
LIBVLC_S = 1.0
"""How long one call into libvlc may take; a process in which one takes longer says no more that it is alive."""

_Key = tuple[str, int]


class Process:
    """Routes packets to the writer, and the writer's wishes to libvlc."""

    def __init__(self, connection: socket.socket, settings: SoundSettings, wav_fds: Sequence[int] = ()) -> None:
        """``wav_fds`` are those of a WAV file and its timeline, where this process cannot open them itself."""
        self._connection = connection
        self._device_ms = settings.buffer_ms if settings.driver is SoundDriver.ALSA else 0
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue(JOBS_MOST)
        self._busy_since_s: float | None = None
        self._instance = make_instance()
        self._prepared: tuple[_Key, Decoder] | None = None
        self._standing: dict[_Key, int] = {}
        self._ready: dict[_Key, Decoder] = {}
        self._prepared_lock = threading.Lock()
        self._loose: dict[str, int] = {}
        self._files: dict[int, dict[str, int]] = {}
        self._inputs: dict[int, list[int]] = {}
        self._lives: dict[int, LiveSource] = {}
        self._streams: dict[int, Stream] = {}
        self._send_lock = threading.Lock()
        self._writer = Writer(open_sink(settings, wav_fds), self._answer, self._source, self._release, self._over)

    def run(self) -> None:
        """Work until the daemon is gone."""
        self._jobs.put(self._warm_up)
        threading.Thread(target=self._receive, name="receiver", daemon=True).start()
        while (job := self._jobs.get()) is not None:
            self._busy_since_s = time.monotonic()
            job()
            self._busy_since_s = None
        self._writer.leave()

    def _warm_up(self) -> None:
        """With its first file libvlc loads its modules: as long as all else that it does until a first sample."""
        decoder: Decoder

        def loaded() -> None:
            with suppress(queue.Full):
                self._jobs.put_nowait(lambda: decoder.close())

        decoder = Decoder(self._instance, silence(), 0, loaded)

    def _receive(self) -> None:
        while True:
            data, fds = receive(self._connection)
            if not data:
                self._jobs.put(None)
                return
            self._take(decode_command(data), fds)

    def _take(self, command: Command, fds: list[int]) -> None:
        match command:
            case Files(names):
                self._loose |= zip(names, fds, strict=True)
            case Prepare(item, from_ms):
                fd = self._claim([item.sha256])[item.sha256]
                self._jobs.put(lambda: self._prepare((item.sha256, from_ms), fd))
                self._writer.expect()
            case StandBy(item):
                key = (item.sha256, 0)
                self._standing[key] = self._claim([item.sha256])[item.sha256]
                self._jobs.put(lambda: self._stand_by(key))
            case Play():
                self._files[command.play] = self._claim([item.sha256 for item in command.items])
                self._writer.play(command)
            case Talk(play):
                self._inputs[play] = fds
                self._writer.play(command)
            case PlayStream() | Dial():
                self._writer.play(command)
            case Follow(stream, kind):
                (fd,) = fds
                self._jobs.put(lambda: self._stream(stream).follow(fd, kind))
            case CopySent():
                self._writer.copy_to(Sent(fds[0]))
                os.close(fds[0])
            case Leave(stream):
                self._jobs.put(lambda: self._forget(stream))
            case Live(play):
                self._lives[play] = LiveSource()
                self._writer.play(command)
            case Segment(play):
                live = self._lives.get(play)
                if live is not None:  # else its play is over
                    live.add(command)
            case Stop(play, fade_out_ms):
                self._writer.stop(play, fade_out_ms)
            case Volume(play, volume_percent):
                self._writer.turn(play, volume_percent)

    def _claim(self, names: list[str]) -> dict[str, int]:
        """Take the files that came ahead of a command. A KeyError is a bug of the daemon's."""
        claimed = {name: self._loose.pop(name) for name in dict.fromkeys(names)}
        assert not self._loose, "files that no command names"
        return claimed

    def _stream(self, number: int) -> Stream:
        """A stream that is followed, or is to be."""

        def later(job: Callable[[], None]) -> None:
            with suppress(queue.Full):  # the next run of it will see to that
                self._jobs.put_nowait(job)

        if number not in self._streams:
            self._streams[number] = Stream(self._instance, later, lambda: self._answer(Heard(number)))
        return self._streams[number]

    def _forget(self, number: int) -> None:
        stream = self._streams.pop(number, None)
        if stream is not None:
            stream.close()

    def _over(self, command: Sounding) -> None:
        """Nothing more of a play will be asked for. What still opens or reads its files is ahead in the queue."""
        self._lives.pop(command.play, None)
        fds = (*self._files.pop(command.play, {}).values(), *self._inputs.pop(command.play, ()))
        if fds:
            self._jobs.put(lambda: _close(fds))

    def _prepare(self, key: _Key, fd: int) -> None:
        if key in self._standing:
            os.close(fd)
            return
        decoder = self._decoder_ahead(fd, key[1])
        with self._prepared_lock:
            before, self._prepared = self._prepared, (key, decoder)
        if before is not None:
            before[1].close()

    def _stand_by(self, key: _Key) -> None:
        decoder = self._decoder_ahead(os.dup(self._standing[key]), key[1])
        with self._prepared_lock:
            self._ready[key] = decoder

    def _decoder_ahead(self, fd: int, from_ms: int) -> Decoder:
        """A decoder that rests once its first second is there."""
        decoder: Decoder

        def ahead() -> None:
            with suppress(queue.Full):  # it will be found stalled, and begin again, when it wakes
                self._jobs.put_nowait(lambda: self._rest(decoder))

        decoder = Decoder(self._instance, fd, from_ms, ahead)
        return decoder

    def _rest(self, decoder: Decoder) -> None:
        prepared = self._prepared
        if decoder in self._ready.values() or (prepared is not None and prepared[1] is decoder):
            decoder.rest()

    def _source(self, command: Sounding, index: int) -> Opening:
        """Called by the writer: where the samples of an item come from."""
        opening = Opening()
        match command:
            case Play():
                opening = self._decoder(command, index)
            case Talk(play, driver, device):
                sound_input = open_input(SoundDriver(driver), device, self._inputs[play])
                self._jobs.put(lambda: opening.set_result(Capture(sound_input, self._device_ms)))
            case Live(play):
                opening.set_result(self._lives[play])
            case PlayStream(_, stream):
                self._jobs.put(lambda: opening.set_result(StreamSource(self._stream(stream))))
            case Dial(_, digits, digit_ms, gap_ms):
                opening.set_result(DigitSource(digits, digit_ms, gap_ms))
        return opening

    def _decoder(self, command: Play, index: int) -> Opening:
        """The decoder of an item; the prepared one, when it fits, without waiting for libvlc."""
        opening = Opening()
        first = first_item(command.items, command.from_ms)
        offset_ms = item_offset_ms(command.items, command.from_ms) if index == first else 0
        name = command.items[index].sha256
        prepared = self._take_prepared((name, offset_ms))
        if prepared is not None:
            self._jobs.put(prepared.wake)
            opening.set_result(prepared)
            if (name, offset_ms) in self._standing:
                self._jobs.put(lambda: self._stand_by((name, offset_ms)))
        else:
            fd = self._files[command.play][name]
            self._jobs.put(lambda: opening.set_result(self._decoder_now((name, offset_ms), fd)))
        return opening

    def _decoder_now(self, key: _Key, fd: int) -> Decoder:
        """A decoder for an item that was not prepared when it was asked for: that may have come about meanwhile."""
        decoder = self._take_prepared(key)
        if decoder is None:
            return Decoder(self._instance, os.dup(fd), key[1])
        decoder.wake()
        return decoder

    def _take_prepared(self, key: _Key) -> Decoder | None:
        with self._prepared_lock:
            ready = self._ready.pop(key, None)
            if ready is not None:
                return ready
            if self._prepared is None or self._prepared[0] != key:
                return None
            decoder, self._prepared = self._prepared[1], None
            return decoder

    def _release(self, opening: Opening) -> None:
        self._jobs.put(lambda: opening.result().close())

    def _answer(self, answer: Answer) -> None:
        since_s = self._busy_since_s
        if isinstance(answer, Alive) and since_s is not None and time.monotonic() - since_s > LIBVLC_S:
            return
        try:
            with self._send_lock:
                self._connection.send(encode(answer))
        except OSError:
            pass  # the receiver sees the same end


def _close(fds: Iterable[int]) -> None:
    for fd in fds:
        os.close(fd)


def main() -> None:
    """Take over the socket that the daemon gave, and work until it is gone."""
    die_with_parent()
    if credentials := os.environ.pop("CREDENTIALS_DIRECTORY", ""):
        hide(Path(credentials))
    connection = socket.socket(fileno=int(sys.argv[1]))
    data, fds = receive(connection)
    if data:
        work(connection, decode_begin(data), fds)


def work(connection: socket.socket, begin: Begin, wav_fds: Sequence[int]) -> NoReturn:
    """Be the player until the daemon is gone."""
    keep_within_bounds()
    threading.excepthook = _end
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    driver = SoundDriver(begin.driver)
    wav_file = Path(begin.device) if driver is SoundDriver.WAV else None
    try:
        Process(connection, SoundSettings(driver, begin.device, wav_file, begin.buffer_ms), wav_fds).run()
    except Exception:
        sys.excepthook(*sys.exc_info())
        os._exit(os.EX_SOFTWARE)
    os._exit(0)  # libvlc's threads have been seen to hang at exit


def _end(thrown: threading.ExceptHookArgs) -> None:
    threading.__excepthook__(thrown)
    os._exit(os.EX_SOFTWARE)


if __name__ == "__main__":
    main()
