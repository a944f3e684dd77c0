"""The station's own certificate: another is asked for in time, and it is told when none comes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.core.material import DAY_MS, HOUR_MS, SETTINGS, ByHand, at, only
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.model import Certificate, Severity, WallMs
from ttcs_edge.core.supervision import SEVERITY
from ttcs_edge.core.trust import utc_text

LIFE_DAYS = 730
FAULTS = ("certificate-ends", "certificate-over")


def certificate(left_days: float, life_days: float = LIFE_DAYS) -> Certificate:
    """One that has so many days left on 24 November 2026, at four in the morning."""
    ends_ms = at("2026-11-24T04:00:00") + round(left_days * DAY_MS)
    return Certificate(b"PEM", WallMs(ends_ms - round(life_days * DAY_MS)), WallMs(ends_ms))


def station(left_days: float, *, link: bool = True, name: str = SETTINGS.id, **others: object) -> ByHand:
    """A station that knows its certificate, with a link or without."""
    here = ByHand(settings=replace(SETTINGS, id=name), **others)  # type: ignore[arg-type]
    here.tell(events.LinkChanged(link, "connected" if link else "timeout"))
    here.tell(events.CertificateKnown(certificate(left_days)))
    return here


def asks(here: ByHand) -> list[int]:
    """When it was asked for another one, in days since the start."""
    return [
        round((ms - 1_000_000) / DAY_MS) for ms, one in here.log if isinstance(one, effects.AskCertificate) and one.asks
    ]


def told(here: ByHand) -> list[str]:
    """The faults of the certificate that are there."""
    return [code for code, subject in here.faults if subject == "certificate"]


def test_nothing_is_asked_before_the_last_third_of_its_life() -> None:
    """Day 0: 250 days are left, 243 are a third."""
    here = station(250)

    here.wait(6 * DAY_MS)

    assert (asks(here), told(here)) == ([], [])


def test_in_the_last_third_it_asks_once_a_day_until_it_gets_one() -> None:
    """Whenever within a month that begins for this station."""
    here = station(200)

    here.wait(3 * DAY_MS + HOUR_MS)

    assert asks(here) == [0, 1, 2, 3]
    assert told(here) == []


def test_stations_of_one_summer_do_not_ask_on_one_day() -> None:
    """2,000 stations with the same certificate dates: spread over the month, no day has more than a tenth of them."""
    began: dict[int, int] = {}
    for number in range(2_000):
        known = certificate(0)
        renewal = events.CertificateKnown(known)
        here = ByHand(settings=replace(SETTINGS, id=f"tram-{number:04}"), civil="2026-03-01T00:00:00")
        here.tell(renewal)
        wake_ms = here.station.renewal.wake_mono_ms(here.now(), True)
        assert wake_ms is not None
        day = (here.wall_ms + wake_ms - here.mono_ms - known.begins_ms) // DAY_MS
        began[day] = began.get(day, 0) + 1
    first, last = min(began), max(began)

    assert first >= LIFE_DAYS * 2 // 3 and last <= LIFE_DAYS * 2 // 3 + 31
    assert last - first >= 28 and max(began.values()) <= 200


def test_without_a_link_nothing_is_asked_and_with_one_at_once() -> None:
    """A request would be dropped; the first connection brings it."""
    here = station(200, link=False)
    here.wait(2 * DAY_MS)
    assert asks(here) == []

    here.tell(events.LinkChanged(True, "connected"))

    assert asks(here) == [2]
    here.tell(events.LinkChanged(False, "timeout"))
    here.tell(events.LinkChanged(True, "connected"))
    assert asks(here) == [2], "a link that comes and goes does not ask each time"


def test_half_a_year_before_its_end_it_is_told_and_at_its_end_as_an_error() -> None:
    """Day 0: 183 days left. Day 1: a quarter, 182.5. Day 184: it is over."""
    here = station(183)
    assert told(here) == []

    here.wait(DAY_MS)
    assert told(here) == ["certificate-ends"]
    (raised,) = [one.fault for one in here.entries(effects.FaultRaised) if one.fault.subject == "certificate"]
    assert raised.detail == (("expires", utc_text(certificate(183).ends_ms)),)

    here.wait(183 * DAY_MS)
    assert told(here) == ["certificate-over"]
    assert [SEVERITY[code] for code in FAULTS] == [Severity.WARNING, Severity.ERROR]


def test_a_new_one_is_kept_then_acknowledged_and_nothing_is_asked_any_more() -> None:
    """The disk before the broker: a power cut in between has it sent again."""
    here = station(100)
    assert told(here) == ["certificate-ends"] and asks(here) == [0]
    new = certificate(100 + LIFE_DAYS)

    done = here.tell(events.CertificateArrived(new, 7))
    assert only(done, effects.KeepCertificate) == [effects.KeepCertificate(new, 7)]
    assert only(done, effects.Acknowledge) == []
    assert told(here) == ["certificate-ends"]

    done = here.tell(events.CertificateKnown(new, 7))
    assert only(done, effects.Acknowledge) == [effects.Acknowledge(7)]
    assert only(done, effects.AskCertificate) == [effects.AskCertificate(False)]
    assert told(here) == []
    here.wait(5 * DAY_MS)
    assert asks(here) == [0]


@pytest.mark.parametrize("left_days", [100, 99])
def test_the_same_again_or_an_older_one_is_nothing_new(left_days: int) -> None:
    """It stands retained, and comes with every connection (never-6)."""
    here = station(100)

    done = here.tell(events.CertificateArrived(certificate(left_days), 7))

    assert only(done, effects.KeepCertificate) == []
    assert only(done, effects.Acknowledge) == [effects.Acknowledge(7)]


def test_a_bad_one_changes_nothing_is_one_fault_and_goes_with_the_next_good_one() -> None:
    """However often it comes; the fault of the end stays its own."""
    here = station(100)
    bad = Refused("certificate-of-another-key", "certificate")

    for _ in range(3):
        done = here.tell(events.CertificateArrived(bad, 7))
        assert only(done, effects.KeepCertificate) == []
        assert only(done, effects.Acknowledge) == [effects.Acknowledge(7)]

    assert told(here) == ["certificate-ends", "certificate-of-another-key"]
    raised = [one.fault.code for one in here.entries(effects.FaultRaised) if one.fault.subject == "certificate"]
    assert raised == ["certificate-ends", "certificate-of-another-key"]
    here.tell(events.CertificateArrived(certificate(100), 8))
    assert told(here) == ["certificate-ends"]


def test_what_came_is_in_the_audit_trail() -> None:
    """Accepted, and refused."""
    here = station(100)
    here.tell(events.CertificateArrived(Refused("certificate-of-another-key", "certificate"), 7))
    here.tell(events.CertificateArrived(certificate(500), 8))

    told_of = [(one.deed, one.what, one.code) for one in here.entries(effects.Audited) if one.what == "certificate"]
    assert told_of == [("refused", "certificate", "certificate-of-another-key"), ("accepted", "certificate", None)]


def test_without_trusted_time_nothing_is_said_of_dates() -> None:
    """A clock of 1970, or of next year, must not have a province enrol its stations anew."""
    here = station(-10, trusted=False)

    here.wait(2 * HOUR_MS)

    assert (asks(here), told(here)) == ([], [])
    here.trusted = True
    here.wait(HOUR_MS)
    assert told(here) == ["certificate-over"]


def test_a_request_that_an_earlier_life_left_standing_is_taken_away_once() -> None:
    """Power went between the answer and that: with the first link, and not again."""
    here = station(600)
    here.tell(events.LinkChanged(False, "timeout"))
    here.tell(events.LinkChanged(True, "connected"))
    here.wait(2 * DAY_MS)

    assert [one for _, one in here.log if isinstance(one, effects.AskCertificate)] == [effects.AskCertificate(False)]


def test_after_a_start_it_asks_again() -> None:
    """What was asked in an earlier life stands at the broker, or was lost with it."""
    assert asks(station(200)) == asks(station(200, boot=2)) == [0]


def test_a_station_that_has_none_says_nothing() -> None:
    """The link tells why it does not come up."""
    here = ByHand()
    here.tell(events.LinkChanged(True, "connected"))

    here.wait(DAY_MS)

    assert (asks(here), told(here)) == ([], [])
