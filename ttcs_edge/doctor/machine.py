"""The machine itself: disk, card, supply, heat and memory, by the bounds that the daemon has; and its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Final

from ttcs_edge.doctor.finding import Finding, green, of_fault, red, unseen, yellow
from ttcs_edge.doctor.ground import Ground
from ttcs_edge.drivers.host import BOUNDS, Reading, SystemHost
from ttcs_edge.drivers.kernel_clock import asked
from ttcs_edge.settings import ClockTrust

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "disk": ("disk-low",),
    "card": ("card-read-only", "card-errors", "card-worn"),
    "voltage": ("under-voltage",),
    "temperature": ("too-hot",),
    "memory": ("memory-low",),
}
"""Which readings belong to which check."""
HARMFUL: Final = frozenset({"card-read-only", "card-errors", "under-voltage"})
FULL_PERCENT: Final = 90.0
"""Of what the station leaves free: so much of it gone, and nothing more can be fetched or told."""


def look_at(kind: str) -> Callable[[Ground], Iterable[Finding]]:
    """The check of one kind of reading."""

    def look(ground: Ground) -> Iterable[Finding]:
        settings = ground.settings
        folder = settings.state_folder  # which a station that never ran does not have yet
        there = next(path for path in (folder, *folder.parents) if path.exists())
        readings = SystemHost(there, settings.store.free_bytes, ground.root).readings()
        ours = [reading for reading in readings if reading.code in KINDS[kind]]
        bad = [reading for reading in ours if reading.value >= BOUNDS[reading.code].raised_at]
        if bad:
            return [_told(reading) for reading in bad]
        if not ours:
            return [unseen("nothing-tells")]
        return [green(f"{kind}-good", **dict(ours[0].detail))]

    return look


def _told(reading: Reading) -> Finding:
    is_harmful = reading.code in HARMFUL or (reading.code == "disk-low" and reading.value >= FULL_PERCENT)
    severity = "error" if is_harmful else "warning"
    fault = {"code": reading.code, "subject": reading.subject, "detail": dict(reading.detail), "severity": severity}
    return of_fault(fault, told=False)


def clock(ground: Ground) -> Iterable[Finding]:
    """Whether the clock is right, as far as anything tells; a clock that is proved wrong makes every date wrong."""
    now, certificate = ground.now, ground.certificate
    shown = f"{now.astimezone():%H:%M %d/%m/%Y}"
    floor_ms = max([_floor_ms(ground), *([certificate.begins_ms] if certificate else [])])
    if now.timestamp() * 1_000 < floor_ms:
        yield red("clock-behind", now=shown, floor=f"{_date(floor_ms):%d/%m/%Y}")
        return
    if ground.settings.clock.trust is ClockTrust.HOST:
        yield green("clock-of-owner", now=shown)
        return
    is_kept = asked()
    told = ground.told.status
    if is_kept or (told is not None and told["clock_trusted"]):
        yield green("clock-kept", now=shown)
    elif certificate is not None and now.timestamp() * 1_000 >= certificate.ends_ms:
        yield red("clock-ahead", now=shown, ends=f"{_date(certificate.ends_ms):%d/%m/%Y}")
    elif "NTP=no" in ground.run(("timedatectl", "show")).out:
        yield yellow("clock-ntp-off", now=shown)
    else:
        yield yellow("clock-not-kept", now=shown)


def _floor_ms(ground: Ground) -> int:
    return 0 if ground.told.trust is None else int(ground.told.trust["time_floor_ms"])


def _date(wall_ms: int) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1_000, timezone.utc)


def plugin_cache(ground: Ground) -> Iterable[Finding]:
    """libvlc without the cache of its plugins takes ten times as long to start, and 40 MB more."""
    folders = [folder for folder in ground.root.glob("usr/lib/*/vlc/plugins") if folder.is_dir()]
    if not folders:
        yield red("no-libvlc")
        return
    cache = folders[0] / "plugins.dat"
    if not cache.exists():
        yield yellow("no-plugin-cache", folder=folders[0])
        return
    newest = max((path.stat().st_mtime for path in folders[0].rglob("*.so")), default=0.0)
    is_old = cache.stat().st_mtime < newest - 1
    yield yellow("old-plugin-cache", folder=folders[0]) if is_old else green("plugin-cache-good")
