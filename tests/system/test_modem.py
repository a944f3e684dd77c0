"""A real station whose link goes through a modem that hangs: it is cured step by step, and the link ends the cure."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.modems import Mobile
from tests.parts import Broker, Listener, Station, eventually
from tests.system.sight import line_log, status
from ttcs_edge.drivers import release
from ttcs_edge.drivers.pins import level

POWER_PIN = 26
CUT_S = 10
CURE_S = 13
"""Longer than the link waits between two tries: a step has that long to help."""


@dataclass
class Air:
    """What lies between a station and its broker: all that goes through goes through the modem. While that is not on
    line, nothing is answered: what was connected is cut, what connects hears nothing and is cut, too.
    """

    mobile: Mobile
    broker_port: int

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.settimeout(0.05)
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        """The air is still."""
        self._over.set()
        self._thread.join()
        self._door.close()

    def _run(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                near, _ = self._door.accept()
                if self.mobile.is_on_line:
                    far = socket.create_connection(("127.0.0.1", self.broker_port))
                    for one, other in ((near, far), (far, near)):
                        threading.Thread(target=self._carry, args=(one, other), daemon=True).start()
                else:
                    near.close()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        one.settimeout(0.05)
        with suppress(OSError):
            while self.mobile.is_on_line and not self._over.is_set():
                with suppress(TimeoutError):
                    if not (data := one.recv(65_536)):
                        break
                    other.sendall(data)
        one.close()
        other.close()


@pytest.fixture
def mobile(station: Station, tmp_path: Path) -> Iterator[Mobile]:
    """A modem at the station, whose relay cuts its supply while it is closed."""
    one = Mobile(tmp_path / "usb-SimTech-if03-port0", has_power=lambda: not level(station.lines, POWER_PIN))
    eventually(one.name.exists)
    yield one
    one.close()


@pytest.fixture
def air(station: Station, broker: Broker, mobile: Mobile) -> Iterator[Air]:
    """The only way to the broker."""
    one = Air(mobile, broker.port)
    text = station.config.read_text().replace(f"port: {broker.port}", f"port: {one.port}")
    figures = f"cure_after_s: {CURE_S}, power_pin: {POWER_PIN}, interface: lo, budget_mb: 9"
    station.config.write_text(f"{text}modem: {{port: {mobile.name}, {figures}}}\n")
    yield one
    one.close()


def told(station: Station) -> dict[str, Any]:
    """What the status says of the modem."""
    return status(station).get("modem") or {}


def steps_told(centre: Listener) -> list[tuple[str, bool]]:
    """The steps that were reported, and whether as over."""
    faults = [one for one in centre.reports("fault") if one["code"] == "modem-cure"]
    return [(one["subject"], one["cleared"] is not None) for one in faults]


def test_a_hung_modem_is_cured_by_the_second_step_and_keeps_its_power(
    station: Station, air: Air, mobile: Mobile, centre: Listener
) -> None:
    """It answers, and nothing goes through: leaving the network does not help, a start does; the province hears it."""
    station.start()
    eventually(lambda: status(station).get("link_up") and told(station).get("operator") == "Viettel", 20)
    assert {name: told(station)[name] for name in ("answers", "sim", "registration", "signal_dbm", "cures")} == {
        "answers": True, "sim": "ready", "registration": "home", "signal_dbm": -71, "cures": 0,
    }  # fmt: skip
    (beat, *_) = eventually(
        lambda: [one for one in centre.reports("heartbeat") if (one["modem"] or {}).get("operator")]
    )
    assert beat["modem"]["budget_bytes"] == 9_000_000

    mobile.needs = "restart"
    eventually(lambda: status(station).get("link_up") is False, 40)
    eventually(lambda: status(station).get("link_up"), 80)
    eventually(lambda: len(steps_told(centre)) == 4, 30)

    assert sorted(steps_told(centre)) == [
        ("reconnect", False),
        ("reconnect", True),
        ("restart", False),
        ("restart", True),
    ]
    done = [one for one in mobile.heard if one.startswith("AT+CFUN")]
    assert done == ["AT+CFUN=4", "AT+CFUN=1", "AT+CFUN=1,1"] and mobile.starts == 2
    assert told(station)["cures"] == 2
    assert not any(closed for line, closed, _ in line_log(station) if line == f"gpio{POWER_PIN}")
    eventually(lambda: told(station).get("operator") == "Viettel", 70)
    assert station.stop() == 0


def test_a_modem_that_is_deaf_has_no_power_for_ten_seconds_and_is_back(
    station: Station, air: Air, mobile: Mobile, centre: Listener
) -> None:
    """No AT command is answered, so the steps that need one are passed over; its relay is open again in time."""
    station.start()
    eventually(lambda: status(station).get("link_up"), 20)
    mobile.needs = "power"
    eventually(lambda: status(station).get("link_up") is False, 40)
    eventually(lambda: level(station.lines, POWER_PIN), 80)
    cut_s = time.monotonic()
    eventually(lambda: not level(station.lines, POWER_PIN), CUT_S + 8)
    lasted_s = time.monotonic() - cut_s
    eventually(lambda: status(station).get("link_up"), 40)

    assert CUT_S - 1 < lasted_s < CUT_S + 5
    eventually(lambda: ("power", True) in steps_told(centre), 10)
    assert mobile.starts == 2 and told(station)["cures"] == 3
    assert station.stop() == 0


def test_a_station_that_dies_while_the_supply_is_cut_gives_it_back(
    station: Station, air: Air, mobile: Mobile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """never-2: what opens the relays behind a dead daemon opens this one, too; an open one is a modem with power."""
    mobile.needs = "power"
    station.start()
    eventually(lambda: level(station.lines, POWER_PIN), 80)
    assert station.process is not None
    station.process.kill()
    station.process.wait()
    station.process = None
    assert level(station.lines, POWER_PIN), "a line stays as it was when its process dies"
    monkeypatch.setattr("sys.argv", ["ttcs-edge-release", str(station.config)])

    assert release.main() == 0
    assert not level(station.lines, POWER_PIN)
    eventually(mobile.name.exists)
