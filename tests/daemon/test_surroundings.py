"""What the core hears of mains, battery and box: what changed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ttcs_edge.core.events import BoxTold, ConditionChanged, DoorMoved, Event, SupplyTold
from ttcs_edge.core.model import Battery
from ttcs_edge.daemon.surroundings import Surroundings
from ttcs_edge.drivers.inputs import GpioInputs
from ttcs_edge.drivers.supply import SupplyError
from ttcs_edge.drivers.thermometer import ThermometerError
from ttcs_edge.settings import ContactSettings, PinFactory, PinSettings, RelaySettings


class Parts:
    """Mains, a battery and a thermometer as somebody sets them; None: it fails."""

    def __init__(self) -> None:
        self.mains: bool | None = True
        self.charge: Battery | None = Battery(80, 12.6, charging=False)
        self.heat: float | None = 41.0
        self.told: list[Event] = []

    def powered(self) -> bool:
        """Tell whether there is power before it."""
        if self.mains is None:
            raise SupplyError("gone")
        return self.mains

    def battery(self) -> Battery:
        """Tell how full it is."""
        if self.charge is None:
            raise SupplyError("gone")
        return self.charge

    def celsius(self) -> float:
        """How warm it is."""
        if self.heat is None:
            raise ThermometerError("gone")
        return self.heat

    def news(self, look: Callable[[], None]) -> list[Event]:
        """What a look tells."""
        self.told.clear()
        look()
        return list(self.told)


def watched() -> tuple[Parts, Surroundings]:
    """All of them, looked at once."""
    parts = Parts()
    return parts, Surroundings(None, parts, parts, parts, parts.told.append)


def test_the_first_look_tells_how_it_is_and_ends_what_an_earlier_life_left() -> None:
    """Once; the next look says nothing, nor does a voltage that moves or half a degree."""
    parts, one = watched()
    assert parts.news(one.look) == [
        ConditionChanged("supply-silent", "mains", False),
        ConditionChanged("supply-silent", "battery", False),
        SupplyTold(True, Battery(80, 12.6, charging=False)),
        ConditionChanged("thermometer-silent", "box", False),
        BoxTold(41.0),
    ]
    parts.charge, parts.heat = Battery(80, 12.5, charging=False), 41.9
    assert parts.news(one.look) == []


def test_what_changed_is_told() -> None:
    """Mains, a whole percent, whether it charges, a whole degree."""
    parts, one = watched()
    one.look()
    parts.mains = False
    assert parts.news(one.look) == [SupplyTold(False, parts.charge)]
    parts.charge = Battery(79, 12.5, charging=False)
    assert parts.news(one.look) == [SupplyTold(False, parts.charge)]
    parts.charge = Battery(79, 12.9, charging=True)
    assert parts.news(one.look) == [SupplyTold(False, parts.charge)]
    parts.heat = 42.0
    assert parts.news(one.look) == [BoxTold(42.0)]


def test_what_fails_once_or_twice_is_as_it_was_and_then_it_is_told_as_silent_and_unknown() -> None:
    """A bad checksum ends no saving of power; three looks in a row tell, once, and it is known again when it speaks."""
    parts, one = watched()
    one.look()
    parts.mains = parts.charge = parts.heat = None
    assert parts.news(one.look) == [] and parts.news(one.look) == []
    gone = (("error", "gone"),)
    assert parts.news(one.look) == [
        ConditionChanged("supply-silent", "mains", True, gone),
        ConditionChanged("supply-silent", "battery", True, gone),
        SupplyTold(None, None),
        ConditionChanged("thermometer-silent", "box", True, gone),
        BoxTold(None),
    ]
    assert parts.news(one.look) == []
    parts.mains, parts.heat = True, 41.0
    told = parts.news(one.look)
    assert SupplyTold(True) in told and BoxTold(41.0) in told and len(told) == 4
    parts.heat = None
    assert parts.news(one.look) == [], "they are counted anew"


def test_a_thermometer_that_never_spoke_is_told_as_unknown_once() -> None:
    """The fan runs for it: nobody knows how hot it is."""
    parts = Parts()
    parts.heat = None
    one = Surroundings(None, None, None, parts, parts.told.append)
    told = [parts.news(one.look) for _ in range(5)]
    silent = ConditionChanged("thermometer-silent", "box", True, (("error", "gone"),))
    assert told == [[], [], [silent, BoxTold(None)], [], []]


def test_contacts_are_told_beside_what_is_looked_at() -> None:
    """The door at once; the mains with the battery as it was read last."""
    parts = Parts()
    one = Surroundings(None, None, parts, None, parts.told.append)
    one.look()
    assert parts.news(lambda: one.contact("door", False)) == [DoorMoved(True)]
    assert parts.news(lambda: one.contact("mains", False)) == [SupplyTold(False, parts.charge)]
    assert parts.news(one.look) == [], "a look does not know better than the contact"
    assert parts.news(lambda: one.restless("mains", "never stands still")) == [
        ConditionChanged("box-contact", "mains", True, (("error", "never stands still"),))
    ]


def test_a_low_battery_waits_for_the_contact_of_the_mains(tmp_path: Path) -> None:
    """Told first and alone it would shed what the mains feed; a contact that never stands still is not waited for."""
    parts = Parts()
    pins = PinSettings(RelaySettings(17), {}, PinFactory.MOCK, tmp_path)
    inputs = GpioInputs({"mains": ContactSettings(6)}, pins)
    one = Surroundings(inputs, None, parts, None, parts.told.append)
    assert parts.news(one.look) == [ConditionChanged("supply-silent", "battery", False)]
    assert parts.news(lambda: one.contact("mains", True)) == [SupplyTold(True, parts.charge)]

    other = Surroundings(inputs, None, parts, None, parts.told.append)
    other.look()
    told = parts.news(lambda: other.restless("mains", "never stands still"))
    assert told[1:] == [SupplyTold(None, parts.charge)]
    inputs.close(1)
