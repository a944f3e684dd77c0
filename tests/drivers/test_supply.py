"""Mains, battery and thermometer as the kernel lays them out in sysfs, and everything that it may write there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ttcs_edge.core.model import Battery
from ttcs_edge.drivers.supply import KernelSupply, SupplyError
from ttcs_edge.drivers.thermometer import KernelThermometer, ThermometerError


def put(folder: Path, **properties: str) -> KernelSupply:
    """A supply with these properties."""
    folder.mkdir(exist_ok=True)
    for name, text in properties.items():
        (folder / name).write_text(f"{text}\n")
    return KernelSupply(str(folder))


@pytest.mark.parametrize(
    ("properties", "powered"),
    [
        ({"type": "Mains", "online": "1"}, True),
        ({"type": "Mains", "online": "0"}, False),
        ({"type": "USB", "online": "2"}, True),
        ({"type": "UPS", "status": "Discharging"}, False),
        ({"type": "UPS", "status": "Charging"}, True),
        ({"type": "Battery", "status": "Not charging"}, True),
        ({"type": "Battery", "status": "Full"}, True),
    ],
)
def test_power_is_there_or_not_by_what_a_supply_has(tmp_path: Path, properties: dict[str, str], powered: bool) -> None:
    """By ``online``, and where there is none by what its battery does."""
    assert put(tmp_path / "ac", **properties).powered() is powered


@pytest.mark.parametrize("properties", [{}, {"status": "Unknown"}, {"online": ""}, {"status": "Sạc"}])
def test_a_supply_that_does_not_say_is_an_error_and_no_loss(tmp_path: Path, properties: dict[str, str]) -> None:
    """What nobody can tell is not told as lost."""
    with pytest.raises(SupplyError, match="no online, and the status"):
        put(tmp_path / "ac", **properties).powered()


@pytest.mark.parametrize(
    ("properties", "battery"),
    [
        ({"capacity": "83", "voltage_now": "12600000", "status": "Charging"}, Battery(83, 12.6, charging=True)),
        ({"capacity": "0", "status": "Discharging"}, Battery(0, None, charging=False)),
        ({"capacity": "100", "voltage_now": "?", "status": "Unknown"}, Battery(100)),
    ],
)
def test_a_battery_tells_how_full_it_is_and_more_where_it_can(
    tmp_path: Path, properties: dict[str, str], battery: Battery
) -> None:
    """A voltage in microvolts, and whether it is charged."""
    assert put(tmp_path / "bat", **properties).battery() == battery


@pytest.mark.parametrize("capacity", ["", "101", "-1", "many", "٣"])
def test_a_capacity_that_is_none_is_an_error(tmp_path: Path, capacity: str) -> None:
    """And never nought: that would silence a village."""
    with pytest.raises(SupplyError, match="the capacity"):
        put(tmp_path / "bat", capacity=capacity).battery()


def test_a_board_that_is_pulled_out_is_an_error_until_it_is_back(tmp_path: Path) -> None:
    """Its folder goes, and comes again."""
    supply = KernelSupply(str(tmp_path / "ac"))
    for ask in (supply.powered, supply.battery):
        with pytest.raises(SupplyError, match="is not there"):
            ask()
    assert put(tmp_path / "ac", online="1").powered() and supply.powered()


def test_a_name_is_one_of_the_class() -> None:
    """Not a path of somewhere else."""
    with pytest.raises(SupplyError, match=r"^/sys/class/power_supply/no-such is not there$"):
        KernelSupply("no-such").powered()


def kernel(folder: Path, sensor: str, text: str) -> KernelThermometer:
    """A one-wire bus and two of hwmon's devices, all of which read the same."""
    (folder / "w1" / "28-0316a2791f6c").mkdir(parents=True)
    (folder / "w1" / "28-0316a2791f6c" / "temperature").write_text(text)
    for number, name in enumerate(("rpi_volt", "lm75")):
        (folder / f"hwmon{number}").mkdir()
        (folder / f"hwmon{number}" / "name").write_text(f"{name}\n")
    (folder / "hwmon1" / "temp1_input").write_text(text)
    return KernelThermometer(sensor, folder / "w1", folder)


@pytest.mark.parametrize("sensor", ["28-0316a2791f6c", "lm75"])
@pytest.mark.parametrize(("text", "celsius"), [("41437\n", 41.437), ("-1250\n", -1.25), ("0\n", 0.0)])
def test_a_thermometer_is_found_by_its_name(tmp_path: Path, sensor: str, text: str, celsius: float) -> None:
    """On the one-wire bus by its number, among hwmon's by what the driver calls it."""
    assert kernel(tmp_path, sensor, text).celsius() == celsius


@pytest.mark.parametrize("text", ["", "85000\n", "forty", "-127000\n", "999999\n", "4e4"])
def test_a_thermometer_that_has_not_measured_is_an_error(tmp_path: Path, text: str) -> None:
    """85 is what a DS18B20 reads that was just reset; no line at all is what the kernel gives for a bad checksum."""
    with pytest.raises(ThermometerError):
        kernel(tmp_path, "28-0316a2791f6c", text).celsius()


def test_a_thermometer_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Neither number, nor name, nor file; 85 degrees of another sensor are 85 degrees."""
    one = kernel(tmp_path, "28-000000000000", "1\n")
    with pytest.raises(ThermometerError, match="28-000000000000/temperature: FileNotFoundError"):
        one.celsius()
    with pytest.raises(ThermometerError, match="no lm99"):
        KernelThermometer("lm99", tmp_path, tmp_path).celsius()
    (tmp_path / "heat").write_text("85000\n")
    assert KernelThermometer(str(tmp_path / "heat")).celsius() == 85.0
