"""The program of the real bench, without one: its lines are simulated, its station is this machine, in a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero import DigitalInputDevice
from gpiozero.pins.mock import MockFactory
from msgspec.structs import replace

from tests.parts import eventually
from tests.rig.bench import AMPLIFIER, BENCHES, RELAYS, Lacks, read_setup
from tests.rig.board import BoardBench

pytestmark = pytest.mark.rig
TONE = """\
import math, sys
from array import array
samples = array('h', [round(9000 * math.sin(n * 2 * math.pi / 48)) for n in range(24000)])
sys.stdout.buffer.write(samples.tobytes())
"""
LISTEN = f'{sys.executable} -c "{TONE}"'
"""Half a second of a kilohertz."""


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example, as it would be copied."""
    folder = tmp_path / "benches"
    folder.mkdir()
    (folder / "pi.yaml").write_text((BENCHES / "pi.yaml.example").read_text())
    monkeypatch.setattr("tests.rig.bench.BENCHES", folder)
    yield


def test_without_its_file_the_real_bench_is_skipped_with_the_reason() -> None:
    """The reason names the page that tells how it is made."""
    with pytest.raises(Lacks, match=r"^chưa có nowhere\.yaml, xem firmware_notes/real-bench\.md / there is no "):
        read_setup("nowhere")


def test_the_example_feels_relays_hears_sound_and_reaches_its_station(setup: None, tmp_path: Path) -> None:
    """Contacts to ground, a kilohertz, files and commands there, and a supply that is switched by command."""
    example = read_setup("pi")
    assert example.wires is not None and set(example.wires.inputs) == set(RELAYS)
    switched = tmp_path / "supply"
    wires = replace(
        example.wires, reach="sh -c", listen=LISTEN, root=str(tmp_path / "root"),
        power_on=f"echo on >{switched}", power_off=f"echo off >{switched}",
    )  # fmt: skip
    (tmp_path / "root").mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/file").write_text("x")
    pins = MockFactory()
    bench = BoardBench(
        "pi", replace(example, wires=wires), lambda n: DigitalInputDevice(n, pull_up=True, pin_factory=pins)
    )
    contact = pins.pin(wires.inputs[AMPLIFIER])
    contact.drive_low()
    assert bench.closed() == {AMPLIFIER}
    contact.drive_high()
    bench.put(tmp_path / "tree")
    bench.cut_power()

    changes = eventually(lambda: found if len(found := bench.changes(0)) == 2 else None)
    assert [(change.subject, change.closed) for change in changes] == [(AMPLIFIER, True), (AMPLIFIER, False)]
    assert eventually(lambda: len(bench.heard(0)) == 5)
    assert {(round(one.rms_db), round(one.hertz, -1)) for one in bench.heard(0)} == {(-14, 1_000)}
    assert (tmp_path / "root/file").read_text() == "x"
    assert switched.read_text() == "off\n"
    assert bench.run("false", check=False).returncode == 1
    assert bench.ask({"ask": "status"}) == {}
    with pytest.raises(Lacks, match=r"^pi: không làm hỏng thẻ nhớ thật / a real card is not broken on purpose$"):
        bench.need("card")
    bench.close()
