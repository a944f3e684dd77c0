"""The work of the monitor: hear an input for ever, hold it against what was sent, tell what is worth a word."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

from ttcs_edge.drivers.sound import PERIOD_MS, SoundError
from ttcs_edge.drivers.sound_input import open_all_day
from ttcs_edge.monitor import messages
from ttcs_edge.monitor.ear import STEP_MS, Ear, Numbers, as_samples
from ttcs_edge.monitor.messages import ALIVE_S, Answer, Heard, Input, Keep, Kept, Listen, Ready
from ttcs_edge.monitor.recording import Recorder, Take
from ttcs_edge.monitor.timeline import Timeline
from ttcs_edge.player.sent import SentReader
from ttcs_edge.settings import SoundDriver

TRY_AGAIN_S = 2.0
"""How soon an input that failed is tried again."""
STEP_PERIODS = STEP_MS // PERIOD_MS
STEP_NS = STEP_MS * 1_000_000
BEFORE_NS = 100_000_000
"""What was sent is looked at so much earlier than what was heard: the newest of it may not have been written yet."""
DRIFT_NS = STEP_NS // 2_000
"""How much later than reckoned a step may really be: 500 ppm is more than two clocks drift apart. What comes later than
that was looked at late, by a busy machine, and was heard when it was heard."""
OFF_MOST_NS = 2_000_000_000
"""Later than that no input keeps what it heard: samples were lost."""
TOLD_OFTEN_MS = 3_000
"""In the beginning of a sound every step is told: whether it is heard is to be known within two seconds."""
TOLD_SECOND = 2
TOLD_IDLE = 600
"""After how many steps the level is told while there is nothing else to tell: five minutes."""
SHARE_WORTH = 0.05
"""How much of the window must be foreign, and loud enough, to be told of."""


class Worth:
    """What of the numbers is told: ours once a second, the foreign at every step, anything else now and then."""

    def __init__(self, worth_db: float) -> None:
        """``worth_db`` is the level below which foreign sound is not worth a word."""
        self._worth_db = worth_db
        self._untold = TOLD_IDLE
        self._was_worth = False

    def is_worth(self, numbers: Numbers) -> bool:
        """Tell whether these numbers, the next ones, are to be told."""
        self._untold += 1
        foreign = numbers.foreign_share >= SHARE_WORTH and numbers.foreign_db >= self._worth_db
        often = 1 if foreign or 0 < numbers.sent_ms <= TOLD_OFTEN_MS else TOLD_SECOND if numbers.sent_ms else TOLD_IDLE
        over = self._was_worth and not (numbers.sent_ms or foreign)
        self._was_worth = numbers.sent_ms > 0 or foreign
        if self._untold < often and not over:
            return False
        self._untold = 0
        return True


class Listening:
    """Runs until the daemon is gone."""

    def __init__(self, connection: socket.socket, listen: Listen, sent_fd: int, wav_fds: Sequence[int]) -> None:
        self._connection = connection
        self._worth = Worth(listen.worth_db)
        self._input = open_all_day(SoundDriver(listen.driver), listen.device, wav_fds)
        self._reader = SentReader(sent_fd)
        self._ear = Ear()
        self._timeline = Timeline()
        self._recorder = Recorder()
        self._end_ns = 0
        self._ok: bool | None = None
        self._told_s = 0.0

    def run(self) -> None:
        """Hear, and try again where nothing is to be heard."""
        self._tell(Ready())
        while True:
            try:
                self._input.begin()
                self._hear()
            except SoundError as error:
                self._input.end()
                self._tell_input(False, str(error))
            self._wait(TRY_AGAIN_S)

    def _hear(self) -> None:
        """Step after step. Raises SoundError."""
        self._ear, self._end_ns = Ear(), 0
        while True:
            periods = bytearray()
            lost = self._input.overruns
            for _ in range(STEP_PERIODS):
                periods += self._input.read()
                self._obey(0.0)
            self._tell_input(True, "")
            if self._input.overruns != lost:  # what comes behind a gap is of another time than it seems to be
                self._ear, self._end_ns = Ear(self._ear), 0
                continue
            self._take(bytes(periods))

    def _take(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        off_ns = now_ns - (self._end_ns + STEP_NS)
        late_ns = off_ns if off_ns > OFF_MOST_NS else min(off_ns, DRIFT_NS)  # nothing is heard before it sounds
        self._end_ns += STEP_NS + late_ns
        heard = as_samples(data)
        self._timeline.add(self._reader.new(), now_ns)
        sent = self._timeline.step(self._end_ns - STEP_NS - BEFORE_NS)
        numbers = self._ear.take(heard, sent)
        if (rest := self._recorder.take(heard)) is not None:
            self._give(rest)
        self._judge(numbers)

    def _judge(self, numbers: Numbers) -> None:
        if self._worth.is_worth(numbers):
            self._tell(Heard(*numbers))
        elif time.monotonic() >= self._told_s + ALIVE_S:
            self._tell(messages.Alive())

    def _tell(self, answer: Answer, fds: Sequence[int] = ()) -> None:
        """The daemon that is gone is seen where commands are read."""
        self._told_s = time.monotonic()
        with suppress(OSError):
            socket.send_fds(self._connection, [messages.encode(answer)], fds)

    def _tell_input(self, ok: bool, error: str) -> None:
        if ok is not self._ok:
            self._ok = ok
            self._tell(Input(ok, self._input.name, error))
        elif not ok and time.monotonic() >= self._told_s + ALIVE_S:
            self._tell(messages.Alive())

    def _wait(self, wait_s: float) -> None:
        """Do as told meanwhile."""
        until_s = time.monotonic() + wait_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._obey(left_s)

    def _obey(self, within_s: float) -> None:
        """Take a command, if one comes in time; ends the process when the daemon is gone."""
        self._connection.settimeout(within_s)
        try:
            data = self._connection.recv(messages.PACKET_BYTES)
        except (BlockingIOError, TimeoutError):
            return
        except OSError:
            data = b""
        finally:
            self._connection.settimeout(None)
        if not data:
            os._exit(os.EX_OK)
        command = messages.decode(data)
        assert isinstance(command, Keep), "told to listen twice"
        for take in self._recorder.keep(command.name):
            self._give(take)

    def _give(self, take: Take) -> None:
        """Hand a part of a recording over, in memory: nothing here may write a file."""
        try:
            fd = os.memfd_create("recording", os.MFD_CLOEXEC)
        except OSError:
            return  # no room: the daemon tells that there is no recording
        try:
            with suppress(OSError):
                with open(fd, "wb", closefd=False) as file:
                    file.write(take.wav)
                self._tell(Kept(take.name, take.part), [fd])
        finally:
            os.close(fd)
