"""A charger with its battery as the kernel shows them in sysfs: it drains by what it feeds, and charges by mains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FULL_V, EMPTY_V = 13.2, 11.8


@dataclass
class Ups:
    """A battery of so many watt-hours in a folder of its own, with a charger of so many watts before it."""

    folder: Path
    capacity_wh: float = 240.0
    charger_w: float = 60.0
    left_wh: float = 240.0
    mains: bool = True
    plugged_in: bool = True

    def __post_init__(self) -> None:
        self.show()

    def pass_time(self, seconds: float, load_w: float) -> None:
        """So long it feeds so much."""
        watts = (self.charger_w if self.mains else 0.0) - (0.0 if self.mains else load_w)
        self.left_wh = min(self.capacity_wh, max(0.0, self.left_wh + watts * seconds / 3_600))
        self.show()

    def show(self) -> None:
        """What the kernel shows of it by now."""
        if not self.plugged_in:
            for file in self.folder.glob("*"):
                file.unlink()
            self.folder.rmdir()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        share = self.left_wh / self.capacity_wh
        charging = "Full" if share >= 1 else "Charging"
        properties = {
            "type": "UPS",
            "online": int(self.mains),
            "capacity": round(100 * share),
            "voltage_now": round(1_000_000 * (EMPTY_V + share * (FULL_V - EMPTY_V))),
            "status": charging if self.mains else "Discharging",
        }
        for name, value in properties.items():
            (self.folder / name).write_text(f"{value}\n")
