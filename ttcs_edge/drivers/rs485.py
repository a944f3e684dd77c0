"""The RS-485 line of a station: one question at a time, on a thread of its own, for its devices may be silent.

What is asked, and how, is ``modbus``'s.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.settings import SerialSettings

if TYPE_CHECKING:
    from ttcs_edge.drivers.modbus import ModbusLine

T = TypeVar("T")


class BusError(Exception):
    """A question that was not answered as it should be; its text is for a technician."""


class Bus:
    """A line and its thread: one job after another."""

    def __init__(self, settings: SerialSettings) -> None:
        self._settings = settings
        self._jobs: queue.Queue[Callable[[ModbusLine], None] | None] = queue.Queue(LIMITS.bus_jobs)
        self._thread = threading.Thread(target=self._run, name="rs485", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[ModbusLine], T], done: Callable[[T | BusError], None]) -> None:
        """Have a job done on the line, and its outcome told, on the bus's thread. Never waits: when too much waits
        already, that is the outcome.
        """

        def run(line: ModbusLine) -> None:
            try:
                outcome: T | BusError = job(line)
            except BusError as error:
                outcome = error
            done(outcome)

        try:
            self._jobs.put_nowait(run)
        except queue.Full:
            done(BusError("too much waits for the line"))

    def close(self, timeout_s: float) -> None:
        """Do what waits, and end."""
        self._jobs.put(None, timeout=timeout_s)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        from ttcs_edge.drivers.modbus import ModbusLine  # here, for it takes a tenth of a second: nobody waits for it

        line = ModbusLine(self._settings)
        while (run := self._jobs.get()) is not None:
            run(line)
        line.close()


def station_bus(settings: SerialSettings | None) -> Bus | None:
    """The line that a ``station.yaml`` names, if it does."""
    return None if settings is None else Bus(settings)
