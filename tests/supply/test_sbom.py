"""The bill of materials names what is installed on a station, and nothing else."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.supply.lock import ALL, RUN, read_lock
from tests.supply.sbom import bill

MADE = datetime(2026, 11, 24, 5, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def written() -> str:
    """The bill, as it is written."""
    return bill(read_lock(RUN), MADE)


def test_the_bill_names_exactly_what_the_lock_names(written: str) -> None:
    """Names, versions and the hash of every file, read off the lock's own lines; nothing twice."""
    lines = RUN.read_text("utf-8")
    named = re.findall(r"^([\w.-]+)==([^\s;\\]+)", lines, re.M)
    hashes = sorted(re.findall(r"sha256:(\w+)", lines))
    found: list[dict[str, Any]] = json.loads(written)["components"]

    assert sorted((one["name"], one["version"]) for one in found) == sorted(named)
    assert [one["purl"] for one in found] == [f"pkg:pypi/{one['name']}@{one['version']}" for one in found]
    files = [file for one in found for file in one["externalReferences"]]
    assert sorted(digest["content"] for file in files for digest in file["hashes"]) == hashes
    assert len(named) == len(set(named)) > 20 and len(hashes) > len(named)


def test_the_bill_is_cyclonedx_to_the_letter(written: str) -> None:
    """Held against the schema of CycloneDX 1.6, unknown fields refused."""
    assert json.loads(written)["specVersion"] == "1.6"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written) is None
    broken = written.replace('"type": "library"', '"type": "book"', 1)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(broken) is not None


def test_what_asks_for_each_package_stands_in_the_bill(written: str) -> None:
    """From the daemon itself every package is reached, as the lock says: nothing is there for nobody."""
    asks = {one["ref"]: one.get("dependsOn", []) for one in json.loads(written)["dependencies"]}
    reached, left = set(), [json.loads(written)["metadata"]["component"]["bom-ref"]]
    while left:
        ref = left.pop()
        if ref not in reached:
            reached.add(ref)
            left += asks[ref]
    assert reached == set(asks)


def test_the_same_lock_gives_the_same_bill(written: str) -> None:
    """To the byte."""
    assert bill(read_lock(RUN), MADE) == written


def test_the_licence_of_every_installed_package_is_known(written: str) -> None:
    """A package whose licence nobody knows would be found by a lawyer instead."""
    here = {pin.name for pin in read_lock(RUN) if pin.is_taken_here}
    lacking = [one["name"] for one in json.loads(written)["components"] if not one.get("licenses")]
    assert [name for name in lacking if name in here] == []


def test_what_runs_is_what_is_tested() -> None:
    """Each pin of the stations' lock stands in the lock of the tests, with the same version and the same hashes."""
    tested = {pin.name: (pin.version, pin.hashes) for pin in read_lock(ALL)}
    assert [pin.name for pin in read_lock(RUN) if tested.get(pin.name) != (pin.version, pin.hashes)] == []
    assert all(pin.hashes for pin in read_lock(ALL))
