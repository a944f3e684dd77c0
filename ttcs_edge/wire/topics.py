"""The topics of the wire, built and taken apart in one place (design, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from ttcs_edge.core.model import Scope, scope_prefixes

UPWARD = ("status", "heartbeat", "event", "reply")


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics below one root, such as ``ttcs/v1``."""

    root: str

    def programme(self, scope: str) -> str:
        """Where the programme of a scope stands, retained."""
        return f"{self.root}/scope/{scope}/programme"

    def programme_scope(self, topic: str) -> str | None:
        """The scope of a programme topic; None for any other topic."""
        begin, end = f"{self.root}/scope/", "/programme"
        if topic.startswith(begin) and topic.endswith(end) and len(topic) > len(begin) + len(end):
            return topic[len(begin) : -len(end)]
        return None

    def blob(self, sha256: str, chunk: int | str) -> str:
        """Where a chunk of an audio file stands; ``+`` for all of them."""
        return f"{self.root}/blob/{sha256}/{chunk}"

    def blob_chunk(self, topic: str) -> tuple[str, int] | None:
        """The hash and chunk number of a blob topic; None for any other topic."""
        parts = topic.removeprefix(f"{self.root}/blob/").split("/")
        if topic.startswith(f"{self.root}/blob/") and len(parts) == 2 and parts[1].isdecimal() and len(parts[1]) < 8:
            return parts[0], int(parts[1])
        return None

    def station(self, station: str, leaf: str) -> str:
        """A topic of one station: ``command`` goes down, ``status``, ``heartbeat``, ``event`` and ``reply`` up."""
        return f"{self.root}/station/{station}/{leaf}"

    def station_leaf(self, topic: str) -> tuple[str, str] | None:
        """The station and leaf of an upward topic; None for any other topic."""
        parts = topic.removeprefix(f"{self.root}/station/").split("/")
        if topic.startswith(f"{self.root}/station/") and len(parts) == 2 and parts[1] in UPWARD:
            return parts[0], parts[1]
        return None

    def subscriptions(self, scope: Scope) -> tuple[str, ...]:
        """What a station of a scope listens to at all times: the programme of every scope above it and its own."""
        return tuple(self.programme(prefix) for prefix in scope_prefixes(scope))
