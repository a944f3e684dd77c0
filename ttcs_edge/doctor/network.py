"""The link, step by step, from the SIM to the broker: the first step that fails is the cause.

Each step is tried as the daemon tries it, with a time limit of its own. At the broker the daemon's word counts while it
is connected; only without that does this connect, under a client id of its own: it never takes the session over.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final, TypeVar

from paho.mqtt.client import Client, ConnectFlags, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ttcs_edge.daemon.showing import address
from ttcs_edge.doctor.finding import Finding, green, red, unseen, yellow
from ttcs_edge.doctor.ground import Ground
from ttcs_edge.link.client import OwnFilesError, client_id, make_context
from ttcs_edge.settings import BrokerSettings

NAME_S: Final = 3.0
PORT_S: Final = 3.0
TLS_S: Final = 3.0
BROKER_S: Final = 3.0
WEAK_DBM: Final = -105
LOCKED: Final = frozenset({"pin", "puk"})

T = TypeVar("T")


def modem(ground: Ground) -> Iterable[Finding]:
    """The modem, its SIM and its network, as the daemon last saw them."""
    if ground.settings.modem is None:
        return
    told = None if ground.told.status is None else ground.told.status["modem"]
    if told is None:
        yield unseen("modem-not-told")
    elif not told["answers"]:
        yield red("modem-silent")
    elif told["sim"] != "ready":
        yield red("sim-locked", sim=told["sim"].upper()) if told["sim"] in LOCKED else red("sim-missing")
    elif told["registration"] not in ("home", "roaming"):
        yield red("modem-not-registered", operator=told["operator"] or "?")
    elif told["signal_dbm"] is not None and told["signal_dbm"] <= WEAK_DBM:
        yield yellow("signal-weak", dbm=told["signal_dbm"], operator=told["operator"])
    else:
        yield green("modem-good", operator=told["operator"], dbm=told["signal_dbm"])


def network(ground: Ground) -> Iterable[Finding]:
    """Whether this machine has a way to anywhere."""
    found = address()
    yield green("network-good", address=found) if found else red("no-network")


def name(ground: Ground) -> Iterable[Finding]:
    """Whether the broker's name has an address."""
    host = ground.settings.broker.host
    try:
        found = _within(NAME_S, lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):  # a name may be wrong in form; TimeoutError is an OSError
        yield red("name-unknown", host=host)
        return
    yield green("name-good", host=host, address=found[0][4][0])


def port(ground: Ground) -> Iterable[Finding]:
    """Whether anybody listens there."""
    broker = ground.settings.broker
    place = f"{broker.host}:{broker.port}"
    try:
        socket.create_connection((broker.host, broker.port), PORT_S).close()
    except ConnectionRefusedError:
        yield red("port-refused", place=place)
    except OSError:
        yield red("port-silent", place=place)
    else:
        yield green("port-good", place=place)


TLS_CODES: Final = (
    ("wrong version number", "not-tls"),
    ("unexpected eof", "not-tls"),
    ("has expired", "broker-certificate-over"),
    ("not yet valid", "broker-certificate-early"),
    ("hostname mismatch", "broker-other-name"),
    ("ip address mismatch", "broker-other-name"),
    ("certificate verify failed", "broker-other-authority"),
)
"""What OpenSSL says, and what it means here; the first that fits."""


def tls(ground: Ground) -> Iterable[Finding]:
    """Whether it is the broker that its certificate says, as far as the station's authority knows it."""
    broker = ground.settings.broker
    try:
        context = make_context(broker)
    except OwnFilesError:
        yield unseen("needs-root")
        return
    try:
        with (
            socket.create_connection((broker.host, broker.port), PORT_S) as connection,
            _handshake(context, connection, broker.host) as secured,
        ):
            version = secured.version()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        text = str(error).lower()
        code = next((code for words, code in TLS_CODES if words in text), "tls-failed")
        yield red(code, host=broker.host, error=str(error))
        return
    yield green("tls-good", host=broker.host, version=version)


def _handshake(context: ssl.SSLContext, connection: socket.socket, host: str) -> ssl.SSLSocket:
    connection.settimeout(TLS_S)
    return context.wrap_socket(connection, server_hostname=host)


def broker(ground: Ground) -> Iterable[Finding]:
    """Whether the broker lets the station in."""
    if ground.told.status is not None and ground.told.status["link_up"]:
        yield green("broker-connected", host=ground.settings.broker.host)
        return
    settings, station = ground.settings.broker, ground.settings.station.id
    refused = _connect(settings, station)
    fields = {"id": station, "host": settings.host}
    if refused is None:
        yield green("broker-lets-in", **fields)
    else:
        yield red("broker-refuses", **fields, error=refused)


def _connect(settings: BrokerSettings, station: str) -> str | None:
    """Connect once as the station, and leave; None when the broker agreed, else what it said."""
    answers: list[str | None] = []

    def connected(
        client: Client, data: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        answers.append(str(code) if code.is_failure else None)

    client = Client(CallbackAPIVersion.VERSION2, client_id=f"{client_id(station, settings)}-doctor", protocol=MQTTv5)
    client.tls_set_context(make_context(settings))
    client.connect_timeout = BROKER_S
    client.on_connect = connected
    try:
        client.connect(settings.host, settings.port, keepalive=10, clean_start=True)
        ends_s = time.monotonic() + BROKER_S
        while not answers and time.monotonic() < ends_s:
            if (code := client.loop(0.1)) is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                return answers[0] if answers else code.name
    except OSError as error:
        return str(error)
    finally:
        with suppress(OSError, ValueError):
            client.disconnect()
    return answers[0] if answers else "timeout"


def _within(timeout_s: float, call: Callable[[], T]) -> T:
    """Do what has no time limit of its own. Raises what it raises, or TimeoutError; it may go on behind that."""
    results: list[T] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            results.append(call())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="doctor-name", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]
