"""The station's own certificate: when another one is asked for, and when it is told that none came.

1 From the last third of its life on a station asks, once a day while there is a link: eight months, of two years. The
  stations of a province, which were enrolled in one summer, do not ask on one day: each begins a while later, by its
  id, and a request stands at the broker until it is answered.
2 When a quarter is left and nobody has answered, that is a fault: half a year before anything is lost.
3 A certificate that has run out is another one: the broker lets the station in no more, and somebody must go there.
4 What is taken was checked (authority, key, name, dates), and holds longer than the one that is known. It is in force
  from the next connection on; until it is on disk, the broker keeps it.
5 Without trusted time nothing is said of dates.

What is asked for is a certificate over the same key: it never leaves the place where it is kept, and needs no place to
be written to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zlib import crc32

from ttcs_edge.core.effects import AskCertificate, Effect
from ttcs_edge.core.model import Certificate, Instant
from ttcs_edge.core.supervision import Detail
from ttcs_edge.core.trust import utc_text

ASKED_PART: Final = 3
"""The last third of a certificate's life."""
SPREAD_PART: Final = 24
"""Within such a part of its life stations begin to ask: a month, of two years."""
TOLD_PART: Final = 4
AGAIN_MS: Final = 86_400_000
SUBJECT: Final = "certificate"
ENDS, OVER = "certificate-ends", "certificate-over"


@dataclass(slots=True)
class Renewal:
    """The certificate that is known, and when another one was last asked for."""

    station: str
    known: Certificate | None = None
    asked_mono_ms: int | None = None
    withdrawn: bool = False

    def is_news(self, certificate: Certificate) -> bool:
        """Tell whether a certificate holds longer than the one that is known."""
        return self.known is None or certificate.ends_ms > self.known.ends_ms

    def take(self, certificate: Certificate) -> None:
        """This one is in force from the next connection on."""
        self.known, self.asked_mono_ms, self.withdrawn = certificate, None, False

    def ask(self, now: Instant, link_up: bool) -> list[Effect]:
        """Ask, when it is time to; before, take away once what an earlier life may have left standing."""
        due_ms = self._due_mono_ms(now)
        if due_ms is None or not link_up:
            return []
        if due_ms <= now.mono_ms:
            self.asked_mono_ms = now.mono_ms
            return [AskCertificate(True)]
        withdraws = self.asked_mono_ms is None and not self.withdrawn
        self.withdrawn = True
        return [AskCertificate(False)] if withdraws else []

    def faults(self, now: Instant) -> dict[str, Detail] | None:
        """What is to be told of the certificate, by code; None when nobody knows."""
        if self.known is None or not now.trusted:
            return None
        detail = (("expires", utc_text(self.known.ends_ms)),)
        if now.wall_ms >= self.known.ends_ms:
            return {OVER: detail}
        return {ENDS: detail} if now.wall_ms >= self.known.ends_ms - _life_ms(self.known) // TOLD_PART else {}

    def wake_mono_ms(self, now: Instant, link_up: bool) -> int | None:
        """When something is to be asked or told next."""
        if self.known is None or not now.trusted:
            return None
        ends_ms = self.known.ends_ms
        told_ms = [ms for ms in (ends_ms - _life_ms(self.known) // TOLD_PART, ends_ms) if ms > now.wall_ms]
        asked = [now.mono_ms + ms - now.wall_ms for ms in told_ms]
        due_ms = self._due_mono_ms(now) if link_up else None
        return min([*asked, *([] if due_ms is None else [due_ms])], default=None)

    def _due_mono_ms(self, now: Instant) -> int | None:
        if self.known is None or not now.trusted:
            return None
        life_ms = _life_ms(self.known)
        begin_ms = (
            self.known.ends_ms - life_ms // ASKED_PART + crc32(self.station.encode()) % max(1, life_ms // SPREAD_PART)
        )
        from_ms = now.mono_ms + begin_ms - now.wall_ms
        return from_ms if self.asked_mono_ms is None else max(from_ms, self.asked_mono_ms + AGAIN_MS)


def _life_ms(certificate: Certificate) -> int:
    return max(0, certificate.ends_ms - certificate.begins_ms)
