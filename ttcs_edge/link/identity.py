"""Who the station is towards its broker, and whom it believes: the TLS settings of every connection to it."""

from __future__ import annotations

import ssl

from ttcs_edge.settings import BrokerSettings

CONNECT_TIMEOUT_S = 10.0
"""How long one address may take to accept, and then the TLS handshake."""


class OwnFilesError(Exception):
    """The station's own certificate, key or file of authorities cannot be used."""


def make_context(settings: BrokerSettings) -> ssl.SSLContext:
    """The station's identity, and whom it believes. Raises OwnFilesError."""
    try:
        for path in (settings.ca_file, settings.certificate_file, settings.key_file):
            path.open("rb").close()  # its error names the file, that of ssl does not
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(settings.ca_file)
        context.load_cert_chain(settings.certificate_file, settings.key_file)
    except OSError as error:  # ssl.SSLError is one
        raise OwnFilesError(str(error)) from error
    return context
