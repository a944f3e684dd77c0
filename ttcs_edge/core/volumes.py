"""How loud a zone is: as configured, or for a while as the centre ordered (air-5).

- The newest order for a zone alone counts; once it is over, the zone is as configured, whatever was ordered before.
- It counts until its own instant, by trusted time; without, until somebody knows the time.
- It counts at once, for what is on the air as for what comes.
- An alert asks nobody: it is never whispered.

The order itself is kept, as it was signed, and comes back with a start (decision 6).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ttcs_edge.core import events, trust
from ttcs_edge.core.documents import Command, Signed, TrustRoot, VolumeOrder
from ttcs_edge.core.model import Cue, Instant, StationSettings, WallMs, Zone, ZoneId
from ttcs_edge.core.reports import ZoneVolume


@dataclass(slots=True)
class Volumes:
    """The newest order for each zone."""

    settings: StationSettings
    orders: dict[ZoneId, Signed[Command]] = field(default_factory=dict)

    def remember(self, event: events.Started) -> None:
        """Take over what the store remembers, verified again by the shell."""
        known = {zone.id for zone in self.settings.zones}
        self.orders = {zone: command for zone, command in event.volumes if zone in known}

    def take(self, command: Signed[Command]) -> tuple[ZoneId, ...]:
        """Take an order; gives the zones that it is for, none when this station has no such zone."""
        zones = zones_meant(_order(command), self.settings)
        self.orders |= dict.fromkeys(zones, command)
        return zones

    def take_root(self, root: TrustRoot) -> None:
        """Another trust root is in force: what nobody ordered who may is ordered no more."""
        self.orders = {zone: one for zone, one in self.orders.items() if trust.is_still_signed(one, root, "command")}

    def percent(self, zone: Zone, now: Instant) -> int:
        """How loud a zone is now."""
        held = self._held(zone.id, now)
        return zone.volume_percent if held is None or held.percent is None else held.percent

    def of_cue(self, cue: Cue, now: Instant) -> int:
        """How loud a cue is: as the quietest of its zones allows (air-3); a cue without zones as it says itself."""
        zones = [zone for zone in self.settings.zones if zone.id in cue.zones]
        return min((cue.slot_percent * self.percent(zone, now) // 100 for zone in zones), default=cue.volume_percent)

    def ends_ms(self, now: Instant) -> list[int]:
        """When what is ordered now is over."""
        held = (self._held(zone.id, now) for zone in self.settings.zones)
        return [trust.utc_ms(order.until) for order in held if order is not None]

    def in_force(self, now: Instant) -> tuple[ZoneVolume, ...]:
        """What is ordered now, zone by zone."""
        held = ((zone.id, self._held(zone.id, now)) for zone in self.settings.zones)
        return tuple(
            ZoneVolume(zone, order.percent, WallMs(trust.utc_ms(order.until)))
            for zone, order in held
            if order is not None and order.percent is not None
        )

    def _held(self, zone: ZoneId, now: Instant) -> VolumeOrder | None:
        command = self.orders.get(zone)
        order = None if command is None else _order(command)
        return None if order is None or (now.trusted and trust.utc_ms(order.until) <= now.wall_ms) else order


def zones_meant(order: VolumeOrder, settings: StationSettings) -> tuple[ZoneId, ...]:
    """The zones of a station that an order is for."""
    return tuple(zone.id for zone in settings.zones if order.zone in (None, zone.id))


def _order(command: Signed[Command]) -> VolumeOrder:
    assert isinstance(command.document.volume, VolumeOrder)
    return command.document.volume
