"""What the station has told and still keeps, for ``ttcs-edge log`` and ``ttcs-edge faults --history``.

Called on the control socket's threads. An answer looks at a bounded number of reports, whatever is asked for: the link
reads the same database meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ttcs_edge.link.control import ControlError
from ttcs_edge.store.outbox import Outbox

ROWS: Final = 1_000
"""So many reports are looked at for one answer: a megabyte or two."""
KINDS: Final = frozenset({"as-run", "fault"})


class LookingBack:
    """Answers ``told``: reports of one ``kind``, the oldest ``after`` a place, or the newest ``before`` one. ``next``
    is the place from which to go on, null once there is nothing more.
    """

    def __init__(self, outbox: Outbox, time_zone: str) -> None:
        self._pages = {"after": outbox.kept, "before": outbox.newest_first}
        self._time_zone = time_zone

    def questions(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """What may be asked without a file."""
        return {"told": self._told}

    def _told(self, request: dict[str, Any]) -> dict[str, Any]:
        kind, ways = request.get("kind"), [way for way in self._pages if way in request]
        place = request[ways[0]] if len(ways) == 1 else None
        is_place = isinstance(place, int) and not isinstance(place, bool) and 0 <= place < 2**63
        if not isinstance(kind, str) or kind not in KINDS or not is_place:
            raise ControlError("bad-request", found=f"{kind} {place}"[:60])
        assert isinstance(place, int)
        rows = self._pages[ways[0]](ROWS, place)
        begins = f'{{"kind":"{kind}"'.encode()
        return {
            "time_zone": self._time_zone,
            "reports": [row.body.decode() for row in rows if row.body.startswith(begins)],
            "next": rows[-1].seq if rows else None,
        }
