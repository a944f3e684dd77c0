"""The topics of the wire, built and taken apart in one place (design, section 4).

What stands in a topic is from outside: a topic is taken apart only when every part of it has the form of what it names,
so nothing that comes out of here is without a bound or an alphabet.
"""

from __future__ import annotations

import re

from msgspec import Struct

from ttcs_edge.core.documents import ID_PATTERN, SCOPE_PATTERN
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, is_sha256, scope_prefixes

OF_A_SCOPE = ("programme", "beacon", "trust")
"""What stands once below a scope. No alert or live relay can be called so: its topic would be that of a scope called
``alert`` or ``live``."""
UPWARD = ("status", "heartbeat", "event", "reply")
RENEWAL = "renewal"
"""Upward, too, but no report: a request for a certificate, which stands retained until it is answered."""
OWN_CERTIFICATE = "certificate"
"""Downward: the certificate in force, retained."""

_SCOPE = re.compile(SCOPE_PATTERN)
_ID = re.compile(ID_PATTERN)
_CHUNK = re.compile(r"(0|[1-9][0-9]{0,6})\Z")


class Topics(Struct, frozen=True):
    """Topics below one root, such as ``ttcs/v1``."""

    root: str

    def programme(self, scope: str) -> str:
        """Where the programme of a scope stands, retained."""
        return f"{self.root}/scope/{scope}/programme"

    def programme_scope(self, topic: str) -> str | None:
        """The scope of a programme topic; None for any other topic."""
        return self._scope(topic, "programme")

    def trust(self, scope: str) -> str:
        """Where the trust roots of a scope stand, retained."""
        return f"{self.root}/scope/{scope}/trust"

    def trust_scope(self, topic: str) -> str | None:
        """The scope of a topic of trust roots; None for any other topic."""
        return self._scope(topic, "trust")

    def beacon(self, scope: str) -> str:
        """Where the beacon of a scope stands, retained."""
        return f"{self.root}/scope/{scope}/beacon"

    def beacon_scope(self, topic: str) -> str | None:
        """The scope of a beacon's topic; None for any other topic."""
        return self._scope(topic, "beacon")

    def alert(self, scope: str, event: str) -> str:
        """Where the newest message of an alert stands, retained."""
        return f"{self.root}/scope/{scope}/alert/{event}"

    def alert_event(self, topic: str) -> tuple[str, str] | None:
        """The scope and the id of an alert's topic; None for any other topic, that of a scope called ``alert`` too."""
        return self._named(topic, "alert")

    def live(self, scope: str, name: str) -> str:
        """Where the segments of a live relay pass by."""
        return f"{self.root}/scope/{scope}/live/{name}"

    def live_relay(self, topic: str) -> tuple[str, str] | None:
        """The scope and the id of a live relay's topic; None for any other, that of a scope called ``live`` too."""
        return self._named(topic, "live")

    def blob(self, sha256: str, chunk: int | str) -> str:
        """Where a chunk of an audio file stands; ``+`` for all of them."""
        return f"{self.root}/blob/{sha256}/{chunk}"

    def blob_chunk(self, topic: str) -> tuple[str, int] | None:
        """The hash and chunk number of a blob topic; None for any other topic."""
        sha256, chunk = self._two_parts(topic, "blob")
        return (sha256, int(chunk)) if is_sha256(sha256) and _CHUNK.match(chunk) else None

    def station(self, station: str, leaf: str) -> str:
        """A topic of one station: ``command`` goes down, ``status``, ``heartbeat``, ``event`` and ``reply`` up."""
        return f"{self.root}/station/{station}/{leaf}"

    def station_leaf(self, topic: str) -> tuple[str, str] | None:
        """The station and leaf of an upward topic; None for any other topic."""
        station, leaf = self._two_parts(topic, "station")
        return (station, leaf) if leaf in UPWARD and len(station) <= LIMITS.id_chars and _ID.match(station) else None

    def renewal_station(self, topic: str) -> str | None:
        """The station that asks for its certificate on a topic; None for any other topic."""
        station, leaf = self._two_parts(topic, "station")
        return station if leaf == RENEWAL and len(station) <= LIMITS.id_chars and _ID.match(station) else None

    def subscriptions(self, station: str, scope: Scope) -> tuple[tuple[str, int], ...]:
        """What a station listens to at all times, each with its quality of service: the trust roots, the alerts, the
        programme and the beacon of every scope above it and its own, its commands, its certificate, and live relays.
        What is retained comes in this order: whose word counts is known before anybody speaks.

        A beacon, or a piece of a live relay, is worth nothing to a station that was away when it was sent: with quality
        0 the broker need not keep it (MQTT 5, 3.1.2.5), and nobody acknowledges it.
        """
        prefixes = scope_prefixes(scope)
        return (
            *((self.trust(prefix), 1) for prefix in prefixes),
            *((self.alert(prefix, "+"), 1) for prefix in prefixes),
            (self.station(station, "command"), 1),
            (self.station(station, OWN_CERTIFICATE), 1),
            *((self.programme(prefix), 1) for prefix in prefixes),
            *((self.beacon(prefix), 0) for prefix in prefixes),
            *((self.live(prefix, "+"), 0) for prefix in prefixes),
        )

    def _named(self, topic: str, leaf: str) -> tuple[str, str] | None:
        above, _, name = topic.rpartition("/")
        scope = self._scope(above, leaf)
        named = name not in OF_A_SCOPE and len(name) <= LIMITS.id_chars and _ID.match(name)
        return (scope, name) if scope is not None and named else None

    def _scope(self, topic: str, leaf: str) -> str | None:
        begin, end = f"{self.root}/scope/", f"/{leaf}"
        if not topic.startswith(begin) or not topic.endswith(end):
            return None
        scope = topic[len(begin) : -len(end)]
        return scope if len(scope) <= LIMITS.scope_chars and _SCOPE.match(scope) else None

    def _two_parts(self, topic: str, branch: str) -> tuple[str, str]:
        """What stands behind a branch, when it is two levels; else two empty texts."""
        begin = f"{self.root}/{branch}/"
        parts = topic[len(begin) :].split("/") if topic.startswith(begin) else []
        return (parts[0], parts[1]) if len(parts) == 2 else ("", "")
