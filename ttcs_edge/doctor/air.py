"""What the station has to air, its store, and the faults that only the running daemon can know."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from ttcs_edge.doctor.finding import Finding, Level, green, of_fault, red, unseen, yellow
from ttcs_edge.doctor.ground import Ground
from ttcs_edge.doctor.papers import problems_of
from ttcs_edge.store.health import is_passing

SOON: Final = timedelta(days=7)
OLD_REPORT_S: Final = 24 * 3_600

FAULTS_OF: Final[Mapping[str, frozenset[str]]] = {
    "disk": frozenset({"disk-low", "store-full"}),
    "card": frozenset({"card-errors", "card-lies", "card-read-only", "card-worn", "store-in-memory", "store-failing"}),
    "voltage": frozenset({"under-voltage", "mains-voltage", "mains-lost", "battery-low", "supply-silent"}),
    "temperature": frozenset({"too-hot", "box-hot", "box-cold", "thermometer-silent", "fan"}),
    "memory": frozenset({"memory-low"}),
    "clock": frozenset({"no-time", "time-below-floor"}),
    "identity": frozenset({"certificate-ends", "certificate-over", "session-taken-over"}),
    "trust": frozenset({"trust-expired", "trust-withheld"}),
    "store": frozenset({"store-damaged", "records-lost", "outbox-full"}),
    "relays": frozenset(
        {"relay", "amplifier-dead", "amplifier-stuck", "amplifier-overload", "line-open", "line-short"}
    ),
    "meter": frozenset({"meter-silent"}),
    "sound": frozenset({"sound-device", "sound-input"}),
    "player": frozenset({"player-died"}),
    "voices": frozenset({"no-voice", "speech-too-slow", "speech-failed"}),
    "modem": frozenset(
        {"modem-gone", "modem-taken", "modem-silent", "sim-missing", "sim-pin", "sim-puk", "network-denied"}
        | {"not-registered", "signal-weak", "data-used-up", "data-budget", "modem-cure"}
    ),
    "broker": frozenset({"link-down", "subscription-refused", "report-refused", "link-callback"}),
    "programme": frozenset({"programme-expired", "programme-revoked", "programme-withheld", "wrong-scope"}),
}
"""The faults that a check tells, too: once, and not again under ``others``."""


def faults_of(name: str, ground: Ground) -> list[Finding]:
    """What the daemon tells that belongs to a check."""
    return [of_fault(fault) for fault in ground.faults if fault["code"] in FAULTS_OF.get(name, frozenset())]


def relays(ground: Ground) -> Iterable[Finding]:
    """The lines and what hangs on them; two zones whose contacts tell of each other are crossed."""
    if wrong := problems_of("relays", ground):
        yield from wrong
        return
    if (crossed := _crossed(ground.faults)) is not None:
        yield red("zones-swapped", first=crossed[0], second=crossed[1])
        return
    if ground.told.status is None:
        yield unseen("daemon-not-told")
        return
    closed = [name for name, is_closed in ground.told.status["relays"].items() if is_closed]
    yield green("relays-good", count=len(ground.told.status["relays"]), closed=", ".join(closed) or "0")


def _crossed(faults: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    """Two zones of which the contact of each says the opposite of what was wanted, at once."""
    subjects = sorted(fault["subject"] for fault in faults if fault["code"] == "relay" and _is_contact(fault))
    return (subjects[0], subjects[1]) if len(subjects) == 2 else None


def _is_contact(fault: Mapping[str, Any]) -> bool:
    return "contact" in str(dict(fault["detail"]).get("error", ""))


def meter(ground: Ground) -> Iterable[Finding]:
    """What the energy meter says."""
    if ground.settings.meter_unit is None:
        return
    told = None if ground.told.status is None else ground.told.status["meter"]
    if told is None:
        yield unseen("daemon-not-told")
    else:
        yield green("meter-good", watts=f"{told['watts']:.0f}", volts=f"{told['volts']:.0f}")


def store(ground: Ground) -> Iterable[Finding]:
    """The folders, the database, and the reports that wait."""
    if wrong := problems_of("store", ground):
        yield from wrong
        return
    error = ground.database
    if isinstance(error, sqlite3.DatabaseError) and not is_passing(error):
        yield red("store-damaged", error=str(error))
        return
    if error is not None:
        yield red("store-unreadable", error=str(error)) if ground.sees_all else unseen("needs-root")
        return
    if ground.told.status is None:
        yield green("store-whole")
        return
    outbox = ground.told.status["outbox"]
    if outbox["oldest_age_s"] > OLD_REPORT_S:
        yield yellow("reports-wait", count=outbox["depth"], hours=outbox["oldest_age_s"] // 3_600)
    else:
        yield green("store-good", count=outbox["depth"])


def programme(ground: Ground) -> Iterable[Finding]:
    """Whether there is something to air, for how long, and whether its audio is here."""
    status = ground.told.status
    if status is None:
        yield unseen("daemon-not-told")
        return
    programmes, cache = status["programmes"], status["cache"]
    if not programmes:
        yield yellow("programme-none", scope=status["scope"])
        return
    ends = min(datetime.fromtimestamp(one["expires_ms"] / 1_000, timezone.utc) for one in programmes)
    if ends - ground.now < SOON:
        yield yellow("programme-ends-soon", date=f"{ends:%d/%m/%Y}")
    elif cache["stored_files"] < cache["wanted_files"]:
        yield yellow("audio-lacks", stored=cache["stored_files"], wanted=cache["wanted_files"])
    else:
        yield green("programme-good", version=programmes[0]["version"], date=f"{ends:%d/%m/%Y}")


def others(ground: Ground) -> Iterable[Finding]:
    """Every other fault that the daemon tells."""
    if ground.told.status is None:
        yield unseen("daemon-not-told")
        return
    told = frozenset().union(*FAULTS_OF.values())
    yield from [of_fault(fault) for fault in ground.faults if fault["code"] not in told] or [green("no-other-faults")]


def with_faults(name: str, look: Callable[[Ground], Iterable[Finding]]) -> Callable[[Ground], list[Finding]]:
    """A check that tells the daemon's faults, too, as long as it finds nothing wrong by itself."""

    def both(ground: Ground) -> list[Finding]:
        seen = list(look(ground))
        if any(one.level in (Level.RED, Level.YELLOW) for one in seen):
            return seen
        return faults_of(name, ground) or seen

    return both
