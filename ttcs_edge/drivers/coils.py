"""Relays on Modbus boards, at the far end of an RS-485 line: each a coil of a unit (Modbus Application Protocol V1.1b3,
6.1 and 6.5).

A coil that was written is read back before it counts as switched: on a line that gives back what is sent, an echo looks
just like the board's answer.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ttcs_edge.drivers.relays import Answer, RelayError
from ttcs_edge.drivers.rs485 import Bus, BusError
from ttcs_edge.settings import CoilSettings

if TYPE_CHECKING:
    from ttcs_edge.drivers.modbus import ModbusLine

OPEN_ALL_S = 5.0


class CoilRelays:
    """The relays of one line. They are told to open at once; whether they did, who switches one is told."""

    def __init__(self, bus: Bus, coils: Mapping[str, CoilSettings]) -> None:
        self._bus = bus
        self._coils = coils
        self._states = dict.fromkeys(coils, False)
        for subject in coils:
            self.tell(subject, False, lambda error: None)

    def tell(self, subject: str, closed: bool, answer: Answer) -> None:
        """Have one relay closed or opened; ``answer`` hears whether it was, on the line's thread."""
        coil = self._coils[subject]

        def told(outcome: bool | BusError) -> None:
            if isinstance(outcome, BusError):
                answer(RelayError(subject, str(coil), str(outcome)))
                return
            self._states[subject] = outcome
            wrong = f"reads {int(outcome)} after {int(closed)}"
            answer(None if outcome == closed else RelayError(subject, str(coil), wrong))

        self._bus.submit(lambda line: _switched(line, coil, closed), told, urgent=True)

    def open_all(self) -> None:
        """Open every relay, whatever becomes of the others, within some seconds. Raises RelayError for the first that
        failed.
        """
        failed: list[RelayError] = []
        left = threading.Semaphore(0)

        def told(error: RelayError | None) -> None:
            if error is not None:
                failed.append(error)
            left.release()

        for subject in self._coils:
            self.tell(subject, False, told)
        in_time = [left.acquire(timeout=OPEN_ALL_S) for _ in self._coils]
        if failed or not all(in_time):
            raise failed[0] if failed else RelayError(", ".join(self._coils), "RS-485", f"not within {OPEN_ALL_S} s")

    def states(self) -> dict[str, bool]:
        """Which relays are closed, as they were read back last."""
        return dict(self._states)

    def close(self) -> None:
        """Open every relay and let go."""
        try:
            self.open_all()
        finally:
            self._bus.close(OPEN_ALL_S)


def _switched(line: ModbusLine, coil: CoilSettings, closed: bool) -> bool:
    """Write a coil, and tell how it reads then."""
    line.write_coil(coil.unit, coil.coil, closed)
    return line.read_coil(coil.unit, coil.coil)
