"""What became of every test of the rig, as one JSON file, and the report made of it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.rig.machine import TOP
from tests.rig.report import page
from tests.rig.scene import Scene
from ttcs_edge import __version__

FOLDER = TOP / "build/rig"
REASON_CHARS = 600


@dataclass
class Results:
    """Filled test by test."""

    began: str = field(default_factory=lambda: datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    benches: dict[str, dict[str, str]] = field(default_factory=dict)
    tests: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, item: pytest.Item, report: pytest.TestReport, scene: Scene | None) -> None:
        """Take one phase of a test: it has passed when none of the three went wrong."""
        entry = self.tests.setdefault(item.nodeid, self._begun(item))
        entry["seconds"] = round(entry["seconds"] + report.duration, 1)
        if report.outcome == "failed" or (report.outcome == "skipped" and entry["outcome"] == "passed"):
            entry["outcome"], entry["reason"] = report.outcome, _reason(report)
        if report.when == "teardown" and scene is not None:
            entry["timeline"] = scene.seen

    @staticmethod
    def _begun(item: pytest.Item) -> dict[str, Any]:
        name = getattr(item, "originalname", item.name)
        where = item.callspec.id if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ""
        words = (getattr(item, "obj", None).__doc__ or "").strip().replace("``", "")
        return {
            "file": item.path.name,
            "name": name.removeprefix("test_"),
            "where": where,
            "words": words,
            "outcome": "passed",
            "reason": "",
            "seconds": 0.0,
        }

    def as_json(self) -> dict[str, Any]:
        """All of it, with what was tested."""
        git = ["git", "-c", f"safe.directory={TOP}", "-C", str(TOP)]
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True).stdout.strip()
        return {
            "product": __version__,
            "commit": commit,
            "changed": bool(changed),
            "began": self.began,
            "ended": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "benches": self.benches,
            "tests": list(self.tests.values()),
        }

    def write(self) -> None:
        """Write the results, their hash, and the report, which names that hash."""
        if not self.tests:
            return
        FOLDER.mkdir(parents=True, exist_ok=True)
        found = self.as_json()
        data = json.dumps(found, ensure_ascii=False, indent=1).encode()
        digest = hashlib.sha256(data).hexdigest()
        (FOLDER / "results.json").write_bytes(data)
        (FOLDER / "results.json.sha256").write_text(f"{digest}  results.json\n")
        (FOLDER / "report.html").write_text(page(found, digest))
        if "SUDO_UID" in os.environ:  # the folder is whose it was who called for it
            for path in (FOLDER.parent, FOLDER, *FOLDER.iterdir()):
                os.chown(path, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):  # a skip: file, line, why
        return report.longrepr[2].removeprefix("Skipped: ")
    text = getattr(getattr(report.longrepr, "reprcrash", None), "message", None) or str(report.longrepr)
    return text[:REASON_CHARS]


def read(path: Path = FOLDER / "results.json") -> tuple[dict[str, Any], str]:
    """Results that were written, and their hash."""
    data = path.read_bytes()
    return json.loads(data), hashlib.sha256(data).hexdigest()
