"""The last line of every benchmark: one JSON object."""

from __future__ import annotations

import json
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which so many percent of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def report(benchmark: str, unit: str, floor: Sequence[float], ours: Sequence[float], **extra: object) -> None:
    """Print what was measured; floor and ours are of the same run."""
    floor_p50, floor_p99 = percentile(floor, 50), percentile(floor, 99)
    ours_p50, ours_p99 = percentile(ours, 50), percentile(ours, 99)
    line = {
        "benchmark": benchmark,
        "unit": unit,
        "runs": len(ours),
        "floor_p50": round(floor_p50, 4),
        "floor_p99": round(floor_p99, 4),
        "ours_p50": round(ours_p50, 4),
        "ours_p99": round(ours_p99, 4),
        "ratio_p50": round(ours_p50 / floor_p50, 2),
        "ratio_p99": round(ours_p99 / floor_p99, 2),
    }
    print(json.dumps(line | extra))
