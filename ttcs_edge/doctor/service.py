"""The service: is the unit there, enabled and running, does it answer, and does the newest program run?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ttcs_edge import __version__
from ttcs_edge.doctor.finding import Finding, green, red, unseen, yellow
from ttcs_edge.doctor.ground import Ground

UNIT: Final = "ttcs-edge.service"
ASKED: Final = ("LoadState", "UnitFileState", "ActiveState", "Result", "NRestarts", "ExecMainStatus", "SubState")
RESTARTS_MANY: Final = 5


def unit(ground: Ground) -> Iterable[Finding]:
    """What the service manager says of it."""
    said = ground.run(("systemctl", "show", UNIT, f"--property={','.join(ASKED)}"))
    if said.code != 0:
        yield unseen("no-systemd")
        return
    told = dict(line.partition("=")[::2] for line in said.out.splitlines())
    if told.get("LoadState") != "loaded":
        yield _not_loaded(ground, told.get("LoadState", ""))
    elif told["ActiveState"] != "active":
        yield red("unit-not-running", state=told["ActiveState"], why=told["Result"], status=told["ExecMainStatus"])
    elif told["UnitFileState"] not in ("enabled", "enabled-runtime", "static"):
        yield yellow("unit-not-enabled")
    elif int(told["NRestarts"]) >= RESTARTS_MANY:
        yield yellow("unit-restarts", count=told["NRestarts"])
    else:
        yield green("unit-good")


def _not_loaded(ground: Ground, state: str) -> Finding:
    if ground.told.status is not None:  # a station that somebody runs by hand
        return unseen("by-hand")
    return red("unit-masked") if state == "masked" else red("unit-missing")


def daemon(ground: Ground) -> Iterable[Finding]:
    """Whether it answers, and which program it is."""
    told = ground.told
    if told.status is None:
        assert told.error is not None
        code = told.error.code
        if code == "no-permission":
            yield unseen("needs-group")
        else:
            yield red("daemon-silent" if code == "timeout" else "daemon-away", socket=ground.socket)
        return
    if told.status["version"] != __version__:
        yield yellow("other-version", running=told.status["version"], installed=__version__)
    else:
        yield green("daemon-good", version=__version__)
