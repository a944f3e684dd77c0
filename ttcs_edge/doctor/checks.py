"""The table of checks, and how they are run: each beside all others, behind those that it waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Final

from msgspec import Struct

from ttcs_edge.doctor import air, machine, network, papers, service, sound
from ttcs_edge.doctor.finding import Finding, Level, unseen
from ttcs_edge.doctor.ground import Ground

ALL_S: Final = 11.0
"""How long all of them may take together: what is not back by then is told as not seen."""


class Check(Struct, frozen=True):
    """What is looked at. ``after`` are the checks whose red makes it pointless; it may find nothing at all, where the
    station has no such part.
    """

    name: str
    look: Callable[[Ground], Iterable[Finding]]
    after: tuple[str, ...] = ("config",)


CHECKS: Final = (
    Check("config", papers.config, ()),
    *(Check(kind, machine.look_at(kind)) for kind in machine.KINDS),
    Check("clock", machine.clock),
    Check("identity", papers.identity, ("config", "clock")),
    Check("trust", papers.trust, ("config", "clock")),
    Check("store", air.store, ("config", "disk", "card")),
    Check("relays", air.relays),
    Check("devices", papers.named("devices")),
    Check("meter", air.meter),
    Check("sound", sound.look),
    Check("voices", papers.named("voices")),
    Check("plugin-cache", machine.plugin_cache, ()),
    Check("unit", service.unit, ("config", "trust", "store", "relays")),
    Check("daemon", service.daemon, ("config", "trust", "store", "relays", "unit")),
    Check("player", sound.player, ("config", "daemon", "sound", "plugin-cache")),
    Check("modem", network.modem),
    Check("network", network.network, ("config", "modem")),
    Check("name", network.name, ("config", "network")),
    Check("port", network.port, ("config", "name")),
    Check("tls", network.tls, ("config", "clock", "identity", "port")),
    Check("broker", network.broker, ("config", "identity", "tls")),
    Check("programme", air.programme, ("config", "trust", "daemon", "broker")),
    Check("others", air.others, ("config", "daemon")),
)
"""In the order in which they are told: a cause before what follows from it."""

Result = tuple[Check, list[Finding]]


def run(ground: Ground, checks: tuple[Check, ...] = CHECKS, all_s: float = ALL_S) -> Iterator[Result]:
    """Give each check's findings in the order of the table, as soon as they are known; those that found nothing are
    left out. A check that fails is a finding, too.
    """
    ends_s = time.monotonic() + all_s
    results: dict[str, Future[list[Finding]]] = {check.name: Future() for check in checks}
    for check in checks:
        threading.Thread(target=_work, args=(check, ground, results), name=f"doctor-{check.name}", daemon=True).start()
    for check in checks:
        try:
            findings = results[check.name].result(max(0.0, ends_s - time.monotonic()))
        except TimeoutError:
            findings = [unseen("too-slow")]
        if findings:
            yield check, findings


def _work(check: Check, ground: Ground, results: dict[str, Future[list[Finding]]]) -> None:
    waits = [name for name in check.after if name in results]
    cause = next((one for name in waits if (one := _cause(name, results[name].result())) is not None), None)
    if cause is not None:
        results[check.name].set_result([unseen("waits", check=cause)])
        return
    try:
        findings = air.with_faults(check.name, check.look)(ground)
    except Exception as error:  # one check must not keep the others from being seen
        findings = [unseen("check-failed", error=f"{type(error).__name__}: {error}")]
    results[check.name].set_result(findings)


def _cause(name: str, findings: list[Finding]) -> str | None:
    """Name the check whose red makes it pointless to look behind this one; None when it stands. What a daemon tells
    that runs in spite of it is no reason.
    """
    waiting = next((one.fields["check"] for one in findings if one.code == "waits"), None)
    is_red = any(one.level is Level.RED and not one.told for one in findings)
    return name if is_red else waiting


def worst(results: Iterable[Result]) -> Level:
    """The worst of all findings; what was not seen is no harm."""
    levels = {one.level for _, findings in results for one in findings}
    return next((level for level in (Level.RED, Level.YELLOW) if level in levels), Level.GREEN)
