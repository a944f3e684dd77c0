"""Whoever holds the broker shouts: a station hears the one true voice among thousands of false ones."""

from __future__ import annotations

from msgspec.structs import replace

from tests.parts import ROOT, SCOPE, Clip, Listener, Province, Station, eventually
from tests.system.sight import status
from tests.system.test_alerts import alert, outcomes, warn

FORGED = 2_000
AT_ONCE = 50


def test_a_true_alert_is_heard_in_a_flood_of_forged_ones(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """Half of them before it, half behind it: it airs, nothing else does, and one fault tells of them all."""
    station.start()
    eventually(lambda: status(station)["link_up"])
    forged = Province().sign(alert(clip, inline=False))
    flood(centre, forged, range(FORGED // 2))
    warn(centre, province, alert(clip))
    flood(centre, forged, range(FORGED // 2, FORGED))
    eventually(lambda: len(outcomes(centre)) == 2, 60)

    assert outcomes(centre) == [("yelp", "aired", None), ("lu-quet", "aired", None)]
    eventually(lambda: status(station)["outbox"]["depth"] == 0, 30)
    faults = [one for one in centre.reports("fault") if one["code"] != "link-down"]  # a busy machine may lose its link
    assert {(one["id"], one["code"], one["subject"]) for one in faults} == {
        ("da-teh-01/1-f1", "not-enough-signatures", f"{SCOPE}#alert:*")
    }
    assert status(station)["link_up"] and status(station)["programmes"] == []


def flood(centre: Listener, envelope: bytes, numbers: range) -> None:
    """Forged messages, each of another event, as fast as the broker takes them."""
    for number in numbers:
        centre.publish(f"{ROOT}/scope/{SCOPE}/alert/gia-{number}", envelope, retain=False)


def test_forged_messages_of_the_true_event_take_nothing_from_it(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """Under its very id, before and behind it, with a newer version and a cancellation: one fault, and it is heard."""
    thief = Province()
    true = alert(clip)
    station.start()
    eventually(lambda: status(station)["link_up"])
    warn(centre, thief, replace(true, version=7))
    warn(centre, province, true)
    warn(centre, thief, replace(true, version=9, msg_type="Cancel"))
    eventually(lambda: len(outcomes(centre)) == 2, 30)

    assert outcomes(centre) == [("yelp", "aired", None), ("lu-quet", "aired", None)]
    told = [(one["code"], one["subject"]) for one in centre.reports("fault") if one["cleared"] is None]
    assert set(told) == {("not-enough-signatures", f"{SCOPE}#alert:*")}
