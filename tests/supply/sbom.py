"""``make sbom``: the bill of materials of what runs, CycloneDX 1.6, of the very lock by which it is installed.

Each package stands there with the hash of every file that the lock allows, each as a distribution of its own, and with
what asks for it. Licences are those that the installed packages name: a lock holds none. The same lock gives the same
bill but for its time, which is SOURCE_DATE_EPOCH where that is set. Debian's packages (libvlc and so on) are no part
of it: they are the machine's.
"""

from __future__ import annotations

import hashlib
import os
import sys
import uuid
from collections.abc import Iterable
from datetime import datetime, timezone
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tests.supply.lock import OURSELVES, RUN, TOP, Pin, read_lock
from ttcs_edge import __version__

FILE = TOP / "build" / "sbom.cdx.json"
LICENCE_CHARS = 120
"""What is longer is the text of a licence, and not its name."""
TITLE_CHARS = 40
"""How much of a text is its title: ``Apache License Version 2.0, January 2004``."""
_FREE = "License :: "


def licence_of(name: str, version: str) -> str | None:
    """How an installed package names its licence; None when this very version is not installed, or names none."""
    try:
        told: PackageMetadata = metadata(name)
    except PackageNotFoundError:
        return None
    if told["Version"] != version:
        return None
    classified = [one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or () if one.startswith(_FREE)]
    written = " ".join((told["License-Expression"] or told["License"] or "").split())
    named = written if len(written) <= LICENCE_CHARS else ""
    return named or " AND ".join(classified) or written[:TITLE_CHARS] or None


def component(pin: Pin) -> Component:
    """A package of the lock."""
    purl = PackageURL("pypi", name=pin.name, version=pin.version)
    licence = licence_of(pin.name, pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        licenses=[] if licence is None else [LicenseFactory().make_from_string(licence)],
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(str(purl)),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one)],
            )
            for one in pin.hashes
        ],
        properties=[] if pin.marker is None else [Property(name="ttcs:marker", value=pin.marker)],
    )


def bill(pins: Iterable[Pin], made: datetime) -> str:
    """The whole bill, as JSON."""
    pins = tuple(pins)
    ours = PackageURL("pypi", name=OURSELVES, version=__version__)
    root = Component(
        name=OURSELVES,
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref=str(ours),
        purl=ours,
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )
    parts = {pin.name: component(pin) for pin in pins}
    whole = hashlib.sha256(repr(pins).encode()).hexdigest()
    bom = Bom(components=parts.values(), serial_number=uuid.UUID(whole[:32], version=4))
    bom.metadata.component = root
    bom.metadata.timestamp = made
    everyone = {OURSELVES: root} | parts
    for name, asks in everyone.items():
        bom.register_dependency(asks, [parts[pin.name] for pin in pins if name in pin.asked_by])
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def main() -> None:
    """Write the bill, and tell what stands in it."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    made = datetime.fromtimestamp(int(epoch), timezone.utc) if epoch else datetime.now(timezone.utc)
    pins = read_lock(RUN)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(bill(pins, made.replace(microsecond=0)), "utf-8")
    nameless = [pin.name for pin in pins if licence_of(pin.name, pin.version) is None]
    print(f"{file}: {len(pins)} packages, {sum(len(pin.hashes) for pin in pins)} hashes", end="")
    print(f"; no licence is known of {', '.join(nameless)}" if nameless else "; the licence of each is known")


if __name__ == "__main__":
    main()
