"""What a Mosquitto is told of a centre: who may connect, and who may say and hear what (mosquitto.conf(5)).

- The name of a certificate is the name of who connects (``use_identity_as_username``): a station's id, or ``operator``.
- A station may write its own reports, and read what it listens to at all times: nothing of its siblings. No ``pattern``
  line can say which scopes lie above a station, and one such line would shut out every client with a slash in its id,
  which a station has for its audio: so each station's topics are listed.
- Mosquitto asks the list for every message, on its way in and on its way out, retained ones and wills too. It lets
  anybody subscribe to anything: what the list forbids is then not delivered.
- What the list does not name is forbidden, ``$SYS`` and ``$CONTROL`` too.

The options are those that 2.0.11 (Debian 12) and 2.0.21 (Debian 13) both know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ttcs_edge.central.authority import OPERATOR
from ttcs_edge.central.fleet import STATIONS
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.wire.topics import UPWARD, Topics

CONFIG: Final = "ttcs.conf"
RIGHTS: Final = "ttcs.acl"
AUTHORITY: Final = "ttcs-ca.pem"
REVOKED: Final = "ttcs-crl.pem"
CERTIFICATE: Final = "ttcs-server.crt"
KEY: Final = "ttcs-server.key"
DEBIAN: Final = Path("/etc/mosquitto/conf.d")
"""Where Debian's Mosquitto looks for whatever ends in ``.conf``."""
CONNECTIONS: Final = 2 * STATIONS + 1_000
"""A station has two while it gets audio; the rest is for the operator's commands."""

PLACES: Final = (
    ("cafile", AUTHORITY),
    ("certfile", CERTIFICATE),
    ("keyfile", KEY),
    # Also while nobody is revoked: an option of a listener that is added later counts after a restart only.
    ("crlfile", REVOKED),
)
BOUNDS: Final = (
    ("max_connections", CONNECTIONS),
    ("max_qos", 1),
    # A document that is a little too large is for the station to refuse, which says why.
    ("message_size_limit", LIMITS.envelope_bytes + 32_768),
    ("max_packet_size", LIMITS.envelope_bytes + 65_536),  # it, its topic and its properties
    ("max_inflight_messages", LIMITS.outbox_in_flight),
    ("max_queued_messages", 10_000),  # what is told while nobody watches, or to a station that is away
    ("max_queued_bytes", 4 * LIMITS.envelope_bytes),
    ("max_keepalive", 1_200),  # the longest that a station.yaml may hold
    ("persistent_client_expiration", "14d"),  # twice what a station asks for
    ("persistence", "true"),
    ("autosave_interval", 300),  # it answers nobody meanwhile
    ("set_tcp_nodelay", "true"),  # an alert waits for no acknowledgement (decision 30)
)


def mark(scope: Scope) -> str:
    """The first line of all that is made here: what begins with it may be made anew."""
    return f"# Made by `ttcs-central broker-config` for {scope}, and made anew by it: put what is yours elsewhere.\n"


def config(port: int, at: Path, address: str = "") -> str:
    """The listener and its bounds, for files that lie ``at`` a place. No address is every address."""
    lines = [
        f"listener {port} {address}".rstrip(),
        *(f"{option} {at / name}" for option, name in PLACES),
        "tls_version tlsv1.2",  # the least
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
        f"acl_file {at / RIGHTS}",
        *(f"{option} {value}" for option, value in BOUNDS),
    ]
    return "\n".join((*lines, ""))


def rights(topics: Topics, centre: Scope, stations: Iterable[tuple[str, Scope]]) -> str:
    """The access list: the operator's lines, then those of each station, in the order of their ids."""
    lines = list(_operator(topics, centre))
    for station, scope in sorted(stations):
        lines += _station(topics, station, scope)
    return "\n".join((*lines, ""))


def _operator(topics: Topics, centre: Scope) -> Iterator[str]:
    yield f"user {OPERATOR}"
    yield f"topic readwrite {topics.root}/scope/{centre}/#"
    yield f"topic readwrite {topics.blob('+', '+')}"
    yield f"topic write {topics.station('+', 'command')}"
    for leaf in UPWARD:
        yield f"topic read {topics.station('+', leaf)}"


def _station(topics: Topics, station: str, scope: Scope) -> Iterator[str]:
    yield f"\nuser {station}"
    for leaf in UPWARD:
        yield f"topic write {topics.station(station, leaf)}"
    heard = [topic for topic, _ in topics.subscriptions(station, scope)]
    for topic in sorted({*heard, topics.blob("+", "+")}):
        yield f"topic read {topic}"
