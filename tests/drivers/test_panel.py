"""A lamp at the box, on a mock line that keeps its level."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.parts import eventually
from ttcs_edge.core.lamp import Lamp
from ttcs_edge.drivers.panel import FAST_S, SLOW_S, GpioLight, LampError
from ttcs_edge.drivers.pins import level
from ttcs_edge.settings import PinFactory, PinSettings, RelaySettings

LED = 5


def pins(folder: Path) -> PinSettings:
    """Lines of this folder."""
    return PinSettings(RelaySettings(17), {}, PinFactory.MOCK, folder)


def changes(folder: Path) -> list[tuple[int, int]]:
    """When the lamp changed, and to what."""
    lines = [json.loads(line) for line in (folder / "lines.jsonl").read_text().splitlines()]
    return [(line["mono_ns"], line["level"]) for line in lines if line["line"] == f"gpio{LED}"]


@pytest.mark.parametrize("active_high", [True, False])
def test_it_is_dark_lit_and_dark_again(tmp_path: Path, active_high: bool) -> None:
    """Whichever level lights it; dark after the end."""
    panel = GpioLight(RelaySettings(LED, active_high), pins(tmp_path))
    lit, dark = int(active_high), int(not active_high)
    assert level(tmp_path, LED) == dark
    panel.show(Lamp.STEADY)
    assert level(tmp_path, LED) == lit
    panel.show(Lamp.OFF)
    assert level(tmp_path, LED) == dark
    panel.show(Lamp.STEADY)
    panel.close()
    assert level(tmp_path, LED) == dark


@pytest.mark.parametrize(("lamp", "span_s"), [(Lamp.SLOW, SLOW_S), (Lamp.FAST, FAST_S)])
def test_it_blinks_until_told_another(tmp_path: Path, lamp: Lamp, span_s: float) -> None:
    """Each span lasts as long as the table says; afterwards it is steady and stays so."""
    panel = GpioLight(RelaySettings(LED), pins(tmp_path))
    panel.show(lamp)
    eventually(lambda: len(changes(tmp_path)) >= 4)
    panel.show(Lamp.STEADY)
    seen = changes(tmp_path)

    (second, third, fourth) = (mono_ns for mono_ns, _ in seen[1:4])
    assert min(third - second, fourth - third) / 1e9 == pytest.approx(span_s, rel=0.5), "one of two, on a busy machine"
    assert level(tmp_path, LED) == 1
    panel.close()
    assert level(tmp_path, LED) == 0


def test_a_line_that_is_taken_is_told(tmp_path: Path) -> None:
    """Decision 7: no silent fallback."""
    holder = GpioLight(RelaySettings(LED), pins(tmp_path))
    with pytest.raises(LampError, match=r"^GPIO5: LineTakenError: GPIO5 is driven by another process$"):
        GpioLight(RelaySettings(LED), pins(tmp_path))
    holder.close()
