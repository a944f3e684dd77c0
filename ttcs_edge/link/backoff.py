"""How long a station waits before it tries the broker again, by what the last attempt cost.

A province of stations that comes back together does not knock its broker over: each draws its wait over the whole span
(full jitter), so the handshakes of 142 stations spread over the first second, and over ten while the broker stays away;
and each then has at most ``LIMITS.outbox_in_flight`` reports under way, the next one only when the broker has answered.
So a backlog of any length asks of the broker no more at once than it gives.
"""

from __future__ import annotations

from msgspec import Struct


class Backoff(Struct, frozen=True):
    """How long to wait before the next try: drawn evenly from ``least_s`` up to the n-th of ``most_s``, then its last.

    The draw is over the whole span: stations that lost one broker together must not come back together.
    """

    most_s: tuple[float, ...]
    least_s: float = 0.0

    def wait_s(self, tries: int, draw: float) -> float:
        """The wait behind ``tries`` failures in a row before this one; ``draw`` is from 0 to 1."""
        return self.least_s + draw * (self.most_s[min(tries, len(self.most_s) - 1)] - self.least_s)


SOON = Backoff((1.0, 2.0, 5.0, 10.0))
"""An attempt that costs nobody anything; what waits in the outbox should go as soon as the broker is back."""
SPARING = Backoff((5.0, 15.0, 60.0))
"""An attempt that cost the broker a TLS handshake, and that the next one will most likely repeat."""
RETRY = {
    "lost": SOON,
    "unreachable": SOON,
    "dns": SOON,
    "timeout": SOON,
    "no-tls": SOON,
    "own-files": SOON,
    "tls": SPARING,
    "tls-expired": SPARING,
    "refused": SPARING,
    # Two stations of one id must not throw each other out in a loop.
    "session-taken-over": Backoff((60.0,), least_s=30.0),
}
"""How to go on, by the reason for which a connection ended or did not come up."""
