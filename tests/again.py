"""What failed beside all other tests runs once more, alone: ``python -m tests.again GROUP...``, after ``make tests``.

The groups share two cores, and a wait that is long enough on any machine with nothing else to do may end too soon
there. A test that passes alone is told by name, for it is to be mended, and does not hold back a change that it says
nothing of. More than ``MOST``, or a group that ended otherwise than by failing tests, are no matter of the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

GROUPS = Path("build/tests")
"""Where each group leaves its exit code, ``GROUP.exit``, and pytest's cache, ``GROUP/``."""
MOST = 3
PASSED, FAILED = 0, 1


def failed_in(group: str) -> list[str] | None:
    """The tests of a group that failed; None where it did not come to its end."""
    code_file, failures_file = GROUPS / f"{group}.exit", GROUPS / group / "v/cache/lastfailed"
    code = int(code_file.read_text()) if code_file.exists() else None
    if code == PASSED:
        return []
    if code == FAILED and failures_file.exists():
        return list(json.loads(failures_file.read_text()))
    return None


def main(groups: list[str]) -> int:
    """Gives the exit code of the whole."""
    failed = []
    for group in groups:
        in_group = failed_in(group)
        if in_group is None:
            print(f"tests-{group} did not come to its end")
            return FAILED
        failed += in_group
    if len(failed) > MOST:
        print(f"{len(failed)} tests failed, more than {MOST}: they are not tried alone")
        return FAILED
    print(f"beside all others, {len(failed)} failed; each once more, alone:", *failed, sep="\n  ", flush=True)
    alone = ["-o", f"cache_dir={GROUPS / 'again'}", *failed]
    return subprocess.run([sys.executable, "-m", "pytest", "-v", *alone], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
