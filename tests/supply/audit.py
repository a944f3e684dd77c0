"""``make audit``: every package of the lock is looked up among the known holes, and none is passed over in silence.

pip-audit says of a package that its service does not know that it was skipped, and ends well. An index without
advisories, as many a mirror is, would so give a clean bill to anything: here each pin that this Python takes must have
been answered for, or the audit fails. The two services are asked one after the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from tests.supply.lock import ALL, read_lock

SERVICES = ("pypi", "osv")
TIMEOUT_S = 600.0
Pins = frozenset[tuple[str, str]]


def judged(answer: dict[str, Any], pins: Pins) -> tuple[list[str], list[str]]:
    """What pip-audit found: a line for each hole, and each pin for which nobody answered."""
    told = {
        (canonicalize_name(one["name"]), one["version"]): one["vulns"]
        for one in answer.get("dependencies", ())
        if "vulns" in one and "skip_reason" not in one
    }
    holes = [
        f"{name} {version}: {hole['id']}, mended in {', '.join(hole.get('fix_versions') or ['no release yet'])}"
        for (name, version), some in sorted(told.items())
        for hole in some
    ]
    return holes, [f"{name} {version}" for name, version in sorted(pins - told.keys())]


def asked(service: str, lock: Path) -> dict[str, Any] | str:
    """What pip-audit answers by one service; a text tells why it has no answer."""
    words = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--format", "json"]
    words += ["--progress-spinner", "off", "--disable-pip", "--require-hashes", "--requirement", str(lock)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT_S:.0f} s"
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:200]
    return answer


def told(answers: Iterable[tuple[str, dict[str, Any] | str]], pins: Pins) -> tuple[int, list[str]]:
    """What is told of the answers, in words, and the exit code: 0 all is well, 1 there are holes, 2 nobody knows."""
    why = []
    for service, answer in answers:
        if isinstance(answer, str):
            why.append(f"  {service}: {answer}")
            continue
        holes, unanswered = judged(answer, pins)
        if holes:
            return 1, [f"known holes ({service}):", *(f"  {hole}" for hole in holes)]
        if not unanswered:
            return 0, [f"audit: {len(pins)} packages, none with a hole known to {service}"]
        why.append(f"  {service}: knows nothing of {len(unanswered)} of {len(pins)}: {', '.join(unanswered[:5])} ...")
    return 2, ["NOT AUDITED: no advisory service could be asked for every package of the lock.", *why]


def main() -> int:
    """Ask one service after the other, until one knows everything or somebody knows of a hole."""
    pins = frozenset((pin.name, pin.version) for pin in read_lock(ALL) if pin.is_taken_here)
    code, lines = told(((service, asked(service, ALL)) for service in SERVICES), pins)
    print("\n".join(lines), file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main())
