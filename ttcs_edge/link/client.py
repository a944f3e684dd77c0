"""A client of the broker: who the station is towards it, and what both of its connections have in common."""

from __future__ import annotations

import hmac
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client

from ttcs_edge.settings import BrokerSettings

CONNECT_TIMEOUT_S = 10.0
"""How long one address may take to accept, and then the TLS handshake."""
ANSWER_TIMEOUT_S = 10.0
"""How long a broker that accepted may take to answer CONNECT, and the subscriptions that come with it."""
SESSION = b"ttcs-edge: MQTT session"
SECRET_CHARS = 32
"""128 bits: nobody finds them by trying."""


class OwnFilesError(Exception):
    """The station's own certificate, key or file of authorities cannot be used."""


def make_context(settings: BrokerSettings) -> ssl.SSLContext:
    """The station's identity, and whom it believes. Raises OwnFilesError."""
    try:
        for path in (settings.ca_file, settings.certificate_file, settings.key_file):
            path.open("rb").close()  # its error names the file, that of ssl does not
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(settings.ca_file)
        context.load_cert_chain(_newest(settings), settings.key_file)
    except OSError as error:  # ssl.SSLError is one
        raise OwnFilesError(str(error)) from error
    return context


def _newest(settings: BrokerSettings) -> Path:
    """The certificate that the centre renewed, when it is over this very key: after an enrolment it is not.

    It is tried on a context of its own: one that was given the certificate of another key has neither any more.
    """
    if settings.renewed_file is not None:
        with suppress(OSError):  # there is none, or it is half a file, or another key's; ssl.SSLError is one
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(settings.renewed_file, settings.key_file)
            return settings.renewed_file
    return settings.certificate_file


def client_id(station: str, settings: BrokerSettings) -> str:
    """What the broker keeps the station's session under: its id, and what only the holder of its key can tell.

    Whoever connects under the client id of another takes over that one's session (MQTT 5, 3.1.4), and ids of stations
    are no secret. It is the same at every start, as long as the key is. Raises OwnFilesError.
    """
    try:
        key = settings.key_file.read_bytes()
    except OSError as error:
        raise OwnFilesError(str(error)) from error
    return f"{station}-{hmac.digest(key, SESSION, 'sha256').hex()[:SECRET_CHARS]}"


def equip(client: Client, settings: BrokerSettings) -> None:
    """Have a client connect as the station, and write on the thread that owns it. Raises OwnFilesError."""
    client.tls_set_context(make_context(settings))
    client.connect_timeout = CONNECT_TIMEOUT_S
    # Without it paho would write to the socket on whichever thread leaves a packet.
    client.on_socket_register_write = _nothing


def _nothing(client: Client, userdata: Any, connection: Any) -> None:
    """The network's thread looks by itself whether there is something to write."""


def let_go(client: Client) -> None:
    """Close what an ended connection may have left open: somebody may hold on to its client for a while."""
    connection = client.socket()
    if connection is not None:
        connection.close()
