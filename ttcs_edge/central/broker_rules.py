"""What a Mosquitto is told of a centre: who may connect, and who may say and hear what (mosquitto.conf(5)).

- The name of a certificate is the name of who connects (``use_identity_as_username``): a station's id, or ``operator``.
- A station may write its own reports, and read what it listens to at all times: nothing of its siblings. No ``pattern``
  line can say which scopes lie above a station, and one such line would shut out every client with a slash in its id,
  which a station has for its audio: so each station's topics are listed.
- Mosquitto asks the list for every message, on its way in and on its way out, retained ones and wills too. It lets
  anybody subscribe to anything: what the list forbids is then not delivered.
- What the list does not name is forbidden, ``$SYS`` and ``$CONTROL`` too.

Stations that enrol have no certificate yet: they are let in by a Mosquitto of its own, the *door* (decision 38). There
a stranger may say one thing and hear one thing, below the client id that he chose, and what he fills is the door's
memory: in the broker he could leave retained messages without end, as large as a programme.

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
from ttcs_edge.wire.enrolment import ANSWER_BYTES, answer_topic, request_topic
from ttcs_edge.wire.topics import OWN_CERTIFICATE, RENEWAL, UPWARD, Topics

CONFIG: Final = "ttcs.conf"
RIGHTS: Final = "ttcs.acl"
AUTHORITY: Final = "ttcs-ca.pem"
REVOKED: Final = "ttcs-crl.pem"
CERTIFICATE: Final = "ttcs-server.crt"
KEY: Final = "ttcs-server.key"
DOOR: Final = "ttcs-enrol.mosquitto"
"""Not ``.conf``: Debian's Mosquitto would read it as its own."""
DOOR_RIGHTS: Final = "ttcs-enrol.acl"
DOOR_USERS: Final = "ttcs-enrol.users"
DOOR_UNIT: Final = "ttcs-enrol.service"
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
# Debian 13's Mosquitto (2.0.21, its issue 3226) ends connections at random whose keepalive is the longest allowed, and
# those of which it knows none yet, which it takes to be 60.
BOUNDS: Final = (
    ("max_connections", CONNECTIONS),
    ("max_qos", 1),
    # A document that is a little too large is for the station to refuse, which says why.
    ("message_size_limit", LIMITS.envelope_bytes + 32_768),
    ("max_packet_size", LIMITS.envelope_bytes + 65_536),  # it, its topic and its properties
    ("max_inflight_messages", LIMITS.outbox_in_flight),
    ("max_queued_messages", 10_000),  # what is told while nobody watches, or to a station that is away
    ("max_queued_bytes", 4 * LIMITS.envelope_bytes),
    ("max_keepalive", 1_260),  # a station.yaml may hold 1,200
    ("persistent_client_expiration", "14d"),  # twice what a station asks for
    ("persistence", "true"),
    ("autosave_interval", 300),  # it answers nobody meanwhile
    ("set_tcp_nodelay", "true"),  # an alert waits for no acknowledgement (decision 30)
)
DOOR_BOUNDS: Final = (
    ("message_size_limit", ANSWER_BYTES),
    ("max_packet_size", ANSWER_BYTES + 4_096),
    ("max_inflight_messages", 4),
    ("max_queued_messages", 1_000),  # for the operator, whom nobody's flood must cost the one request that counts
    ("max_queued_bytes", 4 * ANSWER_BYTES),
    ("max_keepalive", 90),
    ("persistent_client_expiration", "1h"),
    ("retain_available", "false"),
    ("persistence", "false"),
    ("memory_limit", 64 * 1024 * 1024),
    ("set_tcp_nodelay", "true"),
)
DOOR_QOS: Final = "max_qos 1"
"""Of each listener: ahead of both it would be that of a third one, at 1883, without TLS."""
DOOR_STRANGERS: Final = 100
DOOR_OPERATORS: Final = 20


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


def door(port: int, at: Path, address: str = "") -> str:
    """The door's two listeners: ``port`` for who has no certificate yet, and the next one for the operator."""
    lines = [
        "allow_anonymous true",
        # Nobody is in it: a stranger who calls himself ``operator`` is refused, and without one he would be believed.
        f"password_file {at / DOOR_USERS}",
        f"acl_file {at / DOOR_RIGHTS}",
        *(f"{option} {value}" for option, value in DOOR_BOUNDS),
        f"listener {port} {address}".rstrip(),
        *(f"{option} {at / name}" for option, name in PLACES if option in ("certfile", "keyfile")),
        "tls_version tlsv1.2",
        f"max_connections {DOOR_STRANGERS}",
        DOOR_QOS,
        f"listener {port + 1} {address}".rstrip(),
        *(f"{option} {at / name}" for option, name in PLACES),
        "tls_version tlsv1.2",
        "require_certificate true",
        "use_identity_as_username true",
        f"max_connections {DOOR_OPERATORS}",
        DOOR_QOS,
    ]
    return "\n".join((*lines, ""))


def door_rights() -> str:
    """Who may say and hear what at the door. No client id has a slash, a plus or a hash in it (``%c``)."""
    lines = [
        f"user {OPERATOR}",
        f"topic read {request_topic('+')}",
        f"topic write {answer_topic('+')}",
        "",
        f"pattern write {request_topic('%c')}",
        f"pattern read {answer_topic('%c')}",
    ]
    return "\n".join((*lines, ""))


def door_unit(at: Path) -> str:
    """The unit that runs the door, beside Debian's own Mosquitto and with its program and user."""
    return f"""[Unit]
Description=Enrolment of loudspeaker stations: a Mosquitto of its own
After=network.target

[Service]
ExecStart=/usr/sbin/mosquitto -c {at / DOOR}
User=mosquitto
Group=mosquitto
Restart=always
RestartSec=1
# Whatever strangers leave in its memory is gone every day.
RuntimeMaxSec=1d
MemoryMax=128M
TasksMax=16
LimitNOFILE=1024
CapabilityBoundingSet=
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes

[Install]
WantedBy=multi-user.target
"""


def _operator(topics: Topics, centre: Scope) -> Iterator[str]:
    yield f"user {OPERATOR}"
    yield f"topic readwrite {topics.root}/scope/{centre}/#"
    yield f"topic readwrite {topics.blob('+', '+')}"
    for leaf in ("command", OWN_CERTIFICATE):
        yield f"topic write {topics.station('+', leaf)}"
    for leaf in (*UPWARD, RENEWAL):
        yield f"topic read {topics.station('+', leaf)}"


def _station(topics: Topics, station: str, scope: Scope) -> Iterator[str]:
    yield f"\nuser {station}"
    for leaf in (*UPWARD, RENEWAL):
        yield f"topic write {topics.station(station, leaf)}"
    heard = [topic for topic, _ in topics.subscriptions(station, scope)]
    for topic in sorted({*heard, topics.blob("+", "+")}):
        yield f"topic read {topic}"
