"""``python -m ttcs_edge.monitor.keeper``: how a monitor begins, and surely ends, in a unit of its own, as a player."""

from __future__ import annotations

from ttcs_edge.monitor.__main__ import work
from ttcs_edge.player.keeper import keep

if __name__ == "__main__":
    keep(work)
