"""The configuration and what it names on this machine: identity, trust, folders, devices, voices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

from ttcs_edge.core.model import Instant, MonoMs, WallMs
from ttcs_edge.daemon.beginning import TrustError, load_trust
from ttcs_edge.doctor.finding import Finding, Level, found, green, of_problem, red, unseen, yellow
from ttcs_edge.doctor.ground import Ground
from ttcs_edge.wire.certificates import check_certificate, load_key, public_bytes
from ttcs_edge.yaml_form import Problem

SOON: Final = timedelta(days=30)
"""How long before it ends a certificate or a trust root is worth a word."""
SHOWN: Final = 3
"""How many mistakes of a file are shown, of a screenful."""
OF: Final[Mapping[str, tuple[str, ...]]] = {
    "identity": ("broker.", "https.", "streams."),
    "trust": ("folders.trust", "scope"),
    "store": ("folders.", "sound.wav_file"),
    "relays": ("pins.",),
    "devices": ("clock.", "modem.", "rs485.", "rds."),
    "voices": ("speech.",),
}
"""What keys belong to which check; the first that fits. Any other is the configuration's own."""
OF_RIGHTS: Final = frozenset({"named-file-unreadable", "folder-closed", "gpio-closed", "device-closed"})
"""What is no mistake of the station's where somebody else looks."""
HARMLESS: Final = ("speech.", "clock.", "modem.")
"""Without what these keys name the station goes on; without its relay boards and encoders some zones are silent."""


def _owner(problem: Problem) -> str:
    return next((name for name, keys in OF.items() if problem.key.startswith(keys)), "config")


def problems_of(name: str, ground: Ground) -> list[Finding]:
    """What is wrong with the files that belong to a check."""
    ours = [problem for problem in ground.problems if _owner(problem) == name and not _is_renewed(problem, ground)]
    judged = [problem for problem in ours if ground.sees_all or problem.code not in OF_RIGHTS]
    return [of_problem(problem, _level(problem)) for problem in judged] or ([unseen("needs-root")] if ours else [])


def _level(problem: Problem) -> Level:
    return Level.YELLOW if problem.key.startswith(HARMLESS) else Level.RED


def _is_renewed(problem: Problem, ground: Ground) -> bool:
    """Tell whether a certificate that is over was renewed since: the daemon uses the newer one."""
    now_ms = ground.now.timestamp() * 1_000
    is_old = problem.key == "broker.certificate" and problem.code == "certificate-expired"
    return is_old and ground.certificate is not None and ground.certificate.ends_ms > now_ms


def config(ground: Ground) -> Iterable[Finding]:
    """The file itself."""
    if ground.config is None:
        yield from (of_problem(problem) for problem in ground.problems[:SHOWN])
        if len(ground.problems) > SHOWN:
            yield red("config-more", count=len(ground.problems) - SHOWN, file=ground.file)
        return
    wrong = problems_of("config", ground)
    yield from wrong
    station = ground.settings.station
    if not station.quiet_hours:
        yield yellow("quiet-hours-unset", file=ground.file)
    elif not wrong:
        yield green("config-right", id=station.id, scope=station.scope, zones=len(station.zones))


def named(name: str) -> Callable[[Ground], Iterable[Finding]]:
    """The check of files and devices that the configuration names, and of nothing else."""

    def look(ground: Ground) -> Iterable[Finding]:
        return problems_of(name, ground) or [green(f"{name}-good")]

    return look


def identity(ground: Ground) -> Iterable[Finding]:
    """Who the station is towards the broker: certificate, key and authority, and their dates."""
    if wrong := problems_of("identity", ground):
        yield from wrong
        return
    certificate = ground.certificate
    if certificate is None:
        yield _why_no_certificate(ground)
        return
    ends = datetime.fromtimestamp(certificate.ends_ms / 1_000, timezone.utc)
    if ends <= ground.now:
        yield red("certificate-over", date=f"{ends:%d/%m/%Y}")
    else:
        level = Level.YELLOW if ends - ground.now < SOON else Level.GREEN
        code = "certificate-ends-soon" if level is Level.YELLOW else "identity-good"
        yield found(level, code, id=ground.settings.station.id, date=f"{ends:%d/%m/%Y}")


def _why_no_certificate(ground: Ground) -> Finding:
    broker, station = ground.settings.broker, ground.settings.station.id
    try:
        pem, authority = broker.certificate_file.read_bytes(), broker.ca_file.read_bytes()
        key = load_key(broker.key_file.read_bytes())
    except OSError:
        return unseen("needs-root")
    if key is None:
        return red("certificate-unreadable", id=station, file=broker.key_file)
    verdict = check_certificate(pem, authority, station, public_bytes(key.public_key()), None)
    return red(f"certificate-{verdict}", id=station, file=broker.certificate_file)


def trust(ground: Ground) -> Iterable[Finding]:
    """Whose word the station believes."""
    if wrong := problems_of("trust", ground):
        yield from wrong
        return
    folder = ground.settings.trust_folder
    try:
        root = load_trust(folder, Instant(WallMs(int(ground.now.timestamp() * 1_000)), MonoMs(0), trusted=True))
    except PermissionError:
        yield unseen("needs-root")
        return
    except (OSError, TrustError) as error:
        yield red("trust-unreadable", folder=folder, error=str(error))
        return
    version, expires = root.version, root.expires
    if ground.told.trust is not None:
        version, expires = ground.told.trust["root"]["version"], ground.told.trust["root"]["expires"]
    ends = datetime.fromisoformat(expires)
    fields = {"version": version, "date": f"{ends:%d/%m/%Y}"}
    if ends <= ground.now:
        yield red("trust-over", **fields)
    elif ends - ground.now < SOON:
        yield yellow("trust-ends-soon", **fields)
    else:
        yield green("trust-good", **fields)
