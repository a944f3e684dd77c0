"""The centre's signed heartbeat: for stations that have nothing else to tell them the time, and to show it is there.

Each is signed as it is sent, and holds for three of its periods: what a broker or a modem holds back longer is worth
nothing. One that could not be sent at once is thrown away with its connection, never sent late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import Centre, check_grant, now, utc
from ttcs_edge.central.errors import CentralError
from ttcs_edge.core.documents import Beacon
from ttcs_edge.wire.documents import write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.topics import Topics

VALID_S: Final = 300
"""How long a beacon holds that is sent by itself, and the least for any."""
PERIODS: Final = 3
RETRY_S: Final = 5


def make_beacon(centre: Centre, signers: Sequence[Signer], valid_s: int) -> tuple[Beacon, bytes]:
    """Sign what time it is."""
    issued_ms = now().wall_ms
    beacon = Beacon(
        scope=centre.settings.scope,
        version=issued_ms,
        issued=utc(issued_ms),
        expires=utc(issued_ms + valid_s * 1_000),
    )
    return beacon, sign(write_document(beacon), PAYLOAD_TYPES["beacon"], signers)


def send_beacons(
    centre: Centre,
    address: BrokerAddress,
    signers: Sequence[Signer],
    every_s: int | None,
    sent: Callable[[Beacon], None],
    failed: Callable[[CentralError], None],
) -> None:
    """Send one beacon; with ``every_s``, go on for ever, whatever becomes of the line.

    Raises CentralError when the one could not be sent, or when the trust root does not let this centre send any.
    """
    check_grant(centre, "beacon")
    if every_s is None:
        with OperatorClient(centre, address).connected() as client:
            sent(_send(client, centre, signers, VALID_S))
        return
    while True:
        try:
            with OperatorClient(centre, address).connected() as client:
                while True:
                    begun_s = time.monotonic()
                    sent(_send(client, centre, signers, max(VALID_S, PERIODS * every_s)))
                    time.sleep(max(0.0, every_s - (time.monotonic() - begun_s)))
        except CentralError as error:
            failed(error)
            time.sleep(RETRY_S)


def _send(client: OperatorClient, centre: Centre, signers: Sequence[Signer], valid_s: int) -> Beacon:
    beacon, envelope = make_beacon(centre, signers, valid_s)
    client.publish(Topics(centre.settings.topic_root).beacon(beacon.scope), envelope, expiry_s=valid_s)
    return beacon
