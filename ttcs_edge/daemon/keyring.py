"""By whose keys documents are read: those of the trust root in force, and of one that is on its way to come into force.

Reading tells whose signatures are good, no more; what they are worth, the core decides by the root in force alone. So
what comes right behind new roots is read by their keys, before the core has judged them; roots that lead nowhere teach
no key, because what nobody known has signed is not even parsed.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from ttcs_edge.core.documents import Programme, Refused, Signed, TrustRoot
from ttcs_edge.core.model import Instant, MonoMs, WallMs
from ttcs_edge.core.trust import judge_chain, trust_subject
from ttcs_edge.link.inbox import Readers
from ttcs_edge.wire.documents import (
    read_alert,
    read_beacon,
    read_command,
    read_live,
    read_programme,
    read_trust_chain,
)

NO_TIME = Instant(WallMs(0), MonoMs(0), trusted=False)
"""Keys are learnt whatever the time is."""


class Keyring:
    """The keys that are known. ``take`` is for the core's thread, the readers for those that read."""

    def __init__(self, root: TrustRoot) -> None:
        self._root = self._known = root

    def take(self, root: TrustRoot) -> None:
        """A trust root is in force: only its keys are known."""
        self._root = self._known = root

    def readers(self, give_way: Callable[[], None] = lambda: None) -> Readers:
        """What comes over the broker is checked against the keys that are known then. Who reads ten thousand slots
        calls ``give_way`` on the way.
        """

        def programme(data: bytes, scope: str) -> Signed[Programme] | Refused:
            read = read_programme(data, self._known, scope, give_way)
            if isinstance(read, Signed):  # found out here: the core's thread must not look at each slot
                read.document.look_through(give_way)
            return read

        return Readers(
            trust=self._read_chain,
            programme=programme,
            beacon=lambda data, scope: read_beacon(data, self._known, scope),
            command=lambda data, station: read_command(data, self._known, station),
            alert=lambda data, subject: read_alert(data, self._known, subject),
            live=lambda data, subject: read_live(data, self._known, subject),
        )

    def _read_chain(self, data: bytes, scope: str) -> tuple[Signed[TrustRoot], ...] | Refused:
        root = self._root
        roots = read_trust_chain(data, root, trust_subject(scope))
        if not isinstance(roots, Refused):
            newest = judge_chain(roots, trust=root, topic_scope=scope, now=NO_TIME)
            if isinstance(newest, TrustRoot):
                self._known = replace(newest, keys={**root.keys, **newest.keys})
        return roots
