"""The centre's signed heartbeats: what time it is, that the centre is there, and what is in force for each scope.

A station learns by them what was held back from it. Each is signed as it is sent, and holds for three of its periods:
what a broker or a modem holds back longer is worth nothing. One that could not be sent at once is thrown away with its
connection, never sent late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import UNSET
from securesystemslib.signer import Signer

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import Centre, check_grant, now, open_centre, utc
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.in_force import Published
from ttcs_edge.core.documents import Beacon
from ttcs_edge.wire.documents import write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.topics import Topics

VALID_S: Final = 300
"""How long a beacon holds that is sent by itself, and the least for any."""
PERIODS: Final = 3
RETRY_S: Final = 5


def make_beacons(
    centre: Centre, published: Published, signers: Sequence[Signer], every_s: int | None
) -> list[tuple[Beacon, bytes]]:
    """Sign what time it is and what is in force, for each scope for which there is anything."""
    issued_ms, root = now().wall_ms, centre.trust.document
    beacons = [
        Beacon(
            scope=scope,
            version=issued_ms,
            issued=utc(issued_ms),
            expires=utc(issued_ms + _valid_s(every_s) * 1_000),
            next_s=UNSET if every_s is None else every_s,
            trust=root.version if scope == root.scope else UNSET,
            programme=UNSET if stands.programme is None else stands.programme,
            alerts=stands.alerts,
        )
        for scope, stands in published.in_force(centre).items()
    ]
    return [(beacon, sign(write_document(beacon), PAYLOAD_TYPES["beacon"], signers)) for beacon in beacons]


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
            _send(client, centre, Published(), signers, None, sent)
        return
    published = Published()
    while True:
        try:
            with OperatorClient(centre, address).connected() as client:
                while True:
                    begun_s = time.monotonic()
                    _send(client, open_centre(centre.folder), published, signers, every_s, sent)
                    time.sleep(max(0.0, every_s - (time.monotonic() - begun_s)))
        except CentralError as error:
            failed(error)
            time.sleep(RETRY_S)


def _send(
    client: OperatorClient,
    centre: Centre,
    published: Published,
    signers: Sequence[Signer],
    every_s: int | None,
    sent: Callable[[Beacon], None],
) -> None:
    topics, beacons = Topics(centre.settings.topic_root), make_beacons(centre, published, signers, every_s)
    client.publish_all([(topics.beacon(one.scope), envelope) for one, envelope in beacons], _valid_s(every_s))
    for beacon, _ in beacons:
        sent(beacon)


def _valid_s(every_s: int | None) -> int:
    """How long a beacon holds: one that is sent by itself, or each of a row."""
    return VALID_S if every_s is None else max(VALID_S, PERIODS * every_s)
