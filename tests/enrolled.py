"""Where the files of an enrolled station lie."""

from __future__ import annotations

from pathlib import Path


def identity_of(folder: Path) -> dict[str, Path]:
    """Where the identity of a station lies, by the names of its ``station.yaml``."""
    identity = folder / "identity"
    return {"ca": identity / "ca.pem", "certificate": identity / "station.pem", "key": identity / "station.key"}
