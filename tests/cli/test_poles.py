"""Swapped poles are put right by what a person heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import permutations
from pathlib import Path

import pytest

from ttcs_edge.cli.poles import Doubt, Relay, put_right
from ttcs_edge.cli.station_page import changed, put_in_force
from ttcs_edge.config import read_config

RELAYS = (Relay(17, active_high=True), Relay(27, active_high=False), Relay(22, active_high=True))
ENVIRON = {"CREDENTIALS_DIRECTORY": "/run/credentials/ttcs-edge.service"}


def test_poles_that_sound_as_they_are_written_change_nothing() -> None:
    """The page stays."""
    assert put_right(RELAYS, (0, 1, 2)) == {}


def test_two_swapped_poles_swap_pins_and_levels() -> None:
    """A relay that closes at a low pin does so for its new zone."""
    assert put_right(RELAYS, (1, 0, 2)) == {
        "zones[2].pin": 17,
        "zones[2].active_high": True,
        "zones[1].pin": 27,
        "zones[1].active_high": False,
    }


@pytest.mark.parametrize("sounded", [*permutations(range(3))])
def test_whatever_was_mixed_up_each_pole_has_the_relay_that_made_it_sound(sounded: Sequence[int]) -> None:
    """Three in a ring, too."""
    changes = put_right(RELAYS, sounded)
    for closed, heard in enumerate(sounded):
        pin = changes.get(f"zones[{heard + 1}].pin", RELAYS[heard].pin)
        level = changes.get(f"zones[{heard + 1}].active_high", RELAYS[heard].active_high)
        assert (pin, level) == (RELAYS[closed].pin, RELAYS[closed].active_high)


def test_a_pole_that_sounded_twice_and_one_that_never_did_are_told_and_change_nothing() -> None:
    """Somebody misheard, or a line is broken."""
    with pytest.raises(Doubt) as doubt:
        put_right(RELAYS, (1, 1, 2))
    assert (doubt.value.twice, doubt.value.never) == ((1,), (0,))


@pytest.mark.parametrize("sounded", [(0, 1), (0, 1, 3), (0, 1, -1)])
def test_an_answer_that_is_none_is_a_mistake_of_ours(sounded: Sequence[int]) -> None:
    """Who asks lets a person choose among the zones."""
    with pytest.raises(ValueError, match="an answer for every relay"):
        put_right(RELAYS, sounded)


def test_swapped_poles_are_right_in_the_page_of_a_station(tmp_path: Path) -> None:
    """From what was heard to what the station reads."""
    example = (Path(__file__).parents[2] / "config/station.yaml").read_text()
    path = tmp_path / "station.yaml"
    path.write_text(example)
    relays = [Relay(one.pin, one.active_high) for one in read_config(path, ENVIRON)[1].pins.zones.values()]
    put_in_force(path, changed(example, put_right(relays, (1, 0))), datetime(2026, 12, 1), ENVIRON)
    read = read_config(path, ENVIRON)[1].pins.zones
    assert {zone: one.pin for zone, one in read.items()} == {"cho-xa": 27, "buon-go": 17}
