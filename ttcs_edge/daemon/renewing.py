"""The station's certificate, between the core, which decides when another is needed, and the files it lies in.

Looking at files, signing a request and writing wait for the card: each on a thread of its own, which is there for a
moment, a few times in the life of a certificate (never-8).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import structlog

from ttcs_edge.core.documents import Refused
from ttcs_edge.core.effects import AskCertificate, KeepCertificate
from ttcs_edge.core.events import CertificateKnown, Event
from ttcs_edge.core.model import Certificate, Instant
from ttcs_edge.link.client import OwnFilesError
from ttcs_edge.link.mqtt import BrokerLink
from ttcs_edge.settings import BrokerSettings

if TYPE_CHECKING:
    from ttcs_edge.link.identity import Identity

_log = structlog.get_logger()


class Renewing:
    """Carries out what the core wants of the certificate; ``read`` is for the link, which brings one."""

    def __init__(
        self, settings: BrokerSettings, station: str, now: Callable[[], Instant], post: Callable[[Event], None]
    ) -> None:
        self._settings = settings
        self._station = station
        self._now = now
        self._post = post

    @cached_property
    def _identity(self) -> Identity:
        """Made by whoever first needs it, none of whom is the start: it loads all that is known of certificates."""
        from ttcs_edge.link.identity import Identity

        return Identity(self._settings, self._station, self._now)

    def start(self) -> None:
        """Tell the core with which certificate the station connects."""
        self._later(self._look)

    def read(self, payload: bytes, station: str) -> Certificate | Refused:
        """Check what came on the topic of the station's certificate."""
        return self._identity.read(payload)

    def ask(self, effect: AskCertificate, link: BrokerLink) -> None:
        """Have the request stand at the broker, or go."""
        link.publish_request((lambda: self._identity.request()) if effect.asks else bytes)

    def keep(self, effect: KeepCertificate) -> None:
        """Have a certificate on disk, and tell the core; one that is not is sent again on the next connection."""

        def work() -> None:
            self._identity.keep(effect.certificate)
            self._post(CertificateKnown(effect.certificate, effect.delivery))

        self._later(work)

    def _look(self) -> None:
        found = self._identity.certificate()
        if found is not None:  # else the link tells why it does not come up
            self._post(CertificateKnown(found))

    def _later(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except (OSError, OwnFilesError) as error:  # the link tells of it, too
                _log.error("certificate-not-used", error=str(error))

        threading.Thread(target=run, name="certificate", daemon=True).start()
