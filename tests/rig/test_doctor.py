"""``ttcs-edge doctor`` on an installed station, with a real service manager under it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.parts import eventually
from tests.rig.pole import UNIT, Pole

pytestmark = [pytest.mark.rig, pytest.mark.timeout(300)]
KEY = "/etc/ttcs-edge/identity/station.key"


def doctor(pole: Pole, *words: str, by: tuple[str, ...] = ()) -> dict[str, Any]:
    """What it finds."""
    done = pole.machine.run(*by, "/opt/ttcs-edge/bin/ttcs-edge", "doctor", "--json", "--lang=en", *words, check=False)
    told: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (69 if told["level"] == "red" else 0), done
    return told


def first(pole: Pole) -> tuple[str, str]:
    """What is to be mended first."""
    one = doctor(pole)["first"]
    return one["check"], one["code"]


def test_what_is_wrong_with_the_service_is_named_and_mended(pole: Pole) -> None:
    """Stopped, not enabled, a key that all can read: the cause first, then all of it mended in one go."""
    pole.start()
    pole.machine.shell(f"systemctl enable {UNIT}")
    eventually(lambda: pole.status().get("link_up"))
    told = doctor(pole)
    good = {row["check"]: row["code"] for row in told["checks"] if row["level"] == "green"}
    assert told["level"] == "yellow", told["first"]
    assert {"unit": "unit-good", "broker": "broker-connected", "identity": "identity-good"}.items() <= good.items()
    assert good["plugin-cache"] == "plugin-cache-good"

    pole.machine.shell(f"chmod 644 {KEY}; systemctl disable {UNIT}; systemctl stop {UNIT}")
    assert first(pole) == ("identity", "key-exposed")
    assert doctor(pole, "--fix")["level"] == "yellow"
    assert pole.is_active()
    assert pole.machine.shell(f"stat --format=%a {KEY}; systemctl is-enabled {UNIT}") == "640\nenabled\n"


def test_a_member_of_the_group_sees_all_but_what_needs_root_and_mends_nothing(pole: Pole) -> None:
    """Nothing is red for want of a right; root's own look leaves no file behind that shuts the station out."""
    pole.start()
    eventually(lambda: pole.status().get("link_up"))
    member = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--groups=ttcs")
    told = doctor(pole, by=member)
    assert [row for row in told["checks"] if row["level"] == "red"] == []
    refused = pole.machine.run(*member, "/opt/ttcs-edge/bin/ttcs-edge", "doctor", "--fix", check=False)
    assert refused.returncode == 77

    pole.machine.shell(f"systemctl stop {UNIT}")
    assert first(pole) == ("unit", "unit-not-running")
    pole.start()
    owners = pole.machine.shell("find /var/lib/ttcs-edge ! -user ttcs")
    assert owners == ""
