"""Every rule of a simulated station."""

from __future__ import annotations

from tests.simulation.alerts import InForce, Warned
from tests.simulation.centre import Loudness, Obedience
from tests.simulation.clocks import Truth
from tests.simulation.leases import Leasing
from tests.simulation.live import Relays
from tests.simulation.microphone import Talks
from tests.simulation.mute import Muting
from tests.simulation.named import Named
from tests.simulation.orders import Restarts, Tones
from tests.simulation.pilots import Pilots
from tests.simulation.power import Thrift
from tests.simulation.radio import Streams
from tests.simulation.reasons import Reasons
from tests.simulation.roots import Followed
from tests.simulation.rules import (
    Air,
    Going,
    Lengths,
    Order,
    Precedence,
    Records,
    Refusals,
    Silence,
    Standing,
    Switching,
    Versions,
    Waking,
)
from tests.simulation.supplies import Borne, Spent
from tests.simulation.world import Rule


def every_rule() -> tuple[Rule, ...]:
    """All of them, in the order in which they are asked; those that keep books for others come first."""
    standing = Standing()
    loudness = Loudness()
    thrift = Thrift()
    air = Air(standing, loudness, thrift)
    spent = Spent()
    records = Records(air)
    in_force = InForce()
    talks = Talks(in_force, loudness)
    precedence = Precedence(standing, air, spent)
    relays = Relays(air, precedence, loudness, in_force, talks)
    streams = Streams(air, precedence, loudness, in_force, talks)
    return (
        Muting(),
        Followed(standing),
        standing,
        in_force,
        loudness,
        thrift,
        talks,
        air,
        relays,
        streams,
        spent,
        Borne(),
        Order(),
        Waking(),
        Switching(standing),
        precedence,
        Silence(standing, air),
        records,
        Lengths(air),
        Reasons(standing, air, in_force, loudness, talks, relays, streams, spent),
        Versions(standing),
        Refusals(),
        Going(),
        Truth(),
        Obedience(loudness),
        Tones(precedence, loudness, relays),
        Leasing(precedence, relays),
        Pilots(precedence),
        Restarts(in_force, loudness),
        Warned(in_force),
        Named(standing, in_force),
    )
