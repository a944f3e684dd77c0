"""Relays on mock lines that keep their level, as Raspberry Pi OS keeps its outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from ttcs_edge.core.model import ZoneId
from ttcs_edge.drivers.pins import level
from ttcs_edge.drivers.relays import GpioRelays, RelayError
from ttcs_edge.settings import PinFactory, PinSettings, RelaySettings


def settings(folder: Path) -> PinSettings:
    """An amplifier, a zone, and a zone whose relay closes when its line is low."""
    zones = {ZoneId("cho"): RelaySettings(27), ZoneId("dinh"): RelaySettings(22, active_high=False)}
    return PinSettings(RelaySettings(17), zones, PinFactory.MOCK, folder)


def levels(folder: Path) -> dict[int, int]:
    """What a hand on the wires would feel."""
    return {pin: level(folder, pin) for pin in (17, 27, 22)}


OPEN = {17: 0, 27: 0, 22: 1}


def test_every_relay_is_open_before_the_constructor_returns(tmp_path: Path) -> None:
    """Whatever the lines were before, and without a blip of the other level (never-2)."""
    for pin in (17, 27):
        (tmp_path / f"gpio{pin}").write_text("1")
    (tmp_path / "gpio22").write_text("0")
    relays = GpioRelays(settings(tmp_path))

    assert levels(tmp_path) == OPEN
    assert relays.states() == {"amplifier": False, "cho": False, "dinh": False}
    changes = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()]
    assert [(change["line"], change["level"]) for change in changes] == [("gpio17", 0), ("gpio27", 0), ("gpio22", 1)]


def test_a_relay_does_as_told_whichever_level_closes_it(tmp_path: Path) -> None:
    """active_high false: low closes."""
    relays = GpioRelays(settings(tmp_path))
    relays.switch("cho", True)
    relays.switch("dinh", True)
    assert levels(tmp_path) == {17: 0, 27: 1, 22: 0}
    relays.close()
    assert levels(tmp_path) == OPEN


def test_the_mixer_s_relay_is_one_of_them_and_the_first_to_open(tmp_path: Path) -> None:
    """A microphone is let into the amplifier by its own relay."""
    relays = GpioRelays(replace(settings(tmp_path), mixer=RelaySettings(6)))
    for subject in ("amplifier", "cho", "microphone"):
        relays.switch(subject, True)
    assert level(tmp_path, 6) == 1
    assert relays.states()["microphone"] is True
    relays.close()

    changes = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()]
    assert [change["line"] for change in changes[-3:]] == ["gpio6", "gpio27", "gpio17"]
    assert levels(tmp_path) == OPEN


def test_a_line_that_another_process_drives_is_an_error_that_names_it(tmp_path: Path) -> None:
    """No silent fallback (decision 7)."""
    relays = GpioRelays(settings(tmp_path))
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.drivers.test_relays import settings\n"
        "from ttcs_edge.drivers.relays import GpioRelays\nGpioRelays(settings(Path(sys.argv[1])))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)

    assert done.returncode == 1
    assert "RelayError: amplifier (GPIO17): LineTakenError: GPIO17 is driven by another process" in done.stderr
    assert relays.states()["amplifier"] is False


def test_lines_keep_their_level_when_their_process_dies(tmp_path: Path) -> None:
    """The physics that ExecStopPost is there for."""
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom tests.drivers.test_relays import settings\n"
        "from ttcs_edge.drivers.relays import GpioRelays\nrelays = GpioRelays(settings(Path(sys.argv[1])))\n"
        "relays.switch('amplifier', True)\nos.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert level(tmp_path, 17) == 1
    GpioRelays(settings(tmp_path))
    assert levels(tmp_path) == OPEN


def test_open_all_opens_the_others_when_one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first failure is told, the rest is open."""
    relays = GpioRelays(settings(tmp_path))
    for subject in ("amplifier", "cho", "dinh"):
        relays.switch(subject, True)
    honest = relays.switch

    def switch(subject: str, closed: bool) -> None:
        if subject == "dinh":
            raise RelayError("dinh", "GPIO22", "stuck")
        honest(subject, closed)

    monkeypatch.setattr(relays, "switch", switch)
    with pytest.raises(RelayError, match=r"dinh \(GPIO22\): stuck"):
        relays.open_all()
    assert levels(tmp_path) == {17: 0, 27: 0, 22: 0}


def test_a_line_that_cannot_be_had_leaves_none_of_the_others_closed(tmp_path: Path) -> None:
    """never-2: the amplifier's line is driven by somebody else; both zones are open before the error is told."""
    owner = GpioRelays(PinSettings(RelaySettings(17), {}, PinFactory.MOCK, tmp_path))
    owner.switch("amplifier", True)
    (tmp_path / "gpio27").write_text("1")
    (tmp_path / "gpio22").write_text("0")
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.drivers.test_relays import settings\n"
        "from ttcs_edge.drivers.relays import GpioRelays\nGpioRelays(settings(Path(sys.argv[1])))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)

    assert done.returncode == 1
    assert "RelayError: amplifier (GPIO17)" in done.stderr
    assert levels(tmp_path) == {17: 1, 27: 0, 22: 1}
