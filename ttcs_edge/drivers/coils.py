"""Relays on Modbus boards, at the far end of an RS-485 line: each a coil of a unit (Modbus Application Protocol V1.1b3,
6.1 and 6.5).

A coil that was written is read back before it counts as switched: on a line that gives back what is sent, an echo looks
just like the board's answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ttcs_edge.drivers.relays import Answer, RelayError
from ttcs_edge.drivers.rs485 import Bus, BusError
from ttcs_edge.settings import CoilSettings

if TYPE_CHECKING:
    from ttcs_edge.drivers.modbus import ModbusLine

OPEN_ALL_S = 4.0
"""How long all of them may take to open: who waits for it has five seconds."""


class CoilRelays:
    """The relays of one line. They are told to open at once; whether they did, who switches one is told."""

    def __init__(self, bus: Bus, coils: Mapping[str, CoilSettings]) -> None:
        self._bus = bus
        self._coils = coils
        self._states = dict.fromkeys(coils, False)
        self._open_units(lambda error: None)

    def tell(self, subject: str, closed: bool, answer: Answer) -> None:
        """Have one relay closed or opened; ``answer`` hears whether it was, on the line's thread."""

        def switch(line: ModbusLine) -> RelayError | None:
            return self._switched(line, subject, closed)

        self._bus.submit(switch, lambda outcome: answer(self._as_error(subject, outcome)))

    def open_all(self) -> None:
        """Open every relay, whatever becomes of the others, within some seconds. Raises RelayError for the first that
        failed.
        """
        failed: list[RelayError] = []
        done = threading.Semaphore(0)

        def told(error: RelayError | None) -> None:
            if error is not None:
                failed.append(error)
            done.release()

        until_mono_s = time.monotonic() + OPEN_ALL_S
        units = self._open_units(told)
        in_time = [done.acquire(timeout=max(0.0, until_mono_s - time.monotonic())) for _ in range(units)]
        if failed or not all(in_time):
            raise failed[0] if failed else RelayError(", ".join(self._coils), "RS-485", f"not within {OPEN_ALL_S} s")

    def states(self) -> dict[str, bool]:
        """Which relays are closed, as they were read back last."""
        return dict(self._states)

    def watch(self, fail: Callable[[RelayError], None]) -> None:
        """Whether a coil moves by itself nobody looks."""

    def close(self) -> None:
        """Open every relay. The line belongs to others, too."""
        self.open_all()

    def _open_units(self, answer: Answer) -> int:
        """Have all relays opened, board by board; gives how many answers there will be. A board that does not answer is
        asked for its first one alone: others wait for the line.
        """
        units = sorted({coil.unit for coil in self._coils.values()})
        for unit in units:
            self._open_unit([subject for subject, coil in self._coils.items() if coil.unit == unit], answer)
        return len(units)

    def _open_unit(self, subjects: Sequence[str], answer: Answer) -> None:
        def open_them(line: ModbusLine) -> RelayError | None:
            failed = [error for subject in subjects if (error := self._switched(line, subject, False)) is not None]
            return failed[0] if failed else None

        self._bus.submit(open_them, lambda outcome: answer(self._as_error(subjects[0], outcome)))

    def _switched(self, line: ModbusLine, subject: str, closed: bool) -> RelayError | None:
        """Write a coil, and tell what is wrong when it reads otherwise. Raises BusError."""
        coil = self._coils[subject]
        line.write_coil(coil.unit, coil.coil, closed)
        self._states[subject] = line.read_coil(coil.unit, coil.coil)
        if self._states[subject] == closed:
            return None
        return RelayError(subject, str(coil), f"reads {int(not closed)} after {int(closed)}")

    def _as_error(self, subject: str, outcome: RelayError | BusError | None) -> RelayError | None:
        if isinstance(outcome, BusError):
            return RelayError(subject, str(self._coils[subject]), str(outcome))
        return outcome
