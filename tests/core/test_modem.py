"""The modem: what of its readings is a fault, and a cure that is gentle first, bounded, and ends with the link."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from msgspec.structs import replace

from tests.core.material import DAY_MS, HOUR_MS, SETTINGS, ByHand, alert, bulletin, only, programme, slot
from ttcs_edge.core import effects, events
from ttcs_edge.core.effects import CureModem, Effect
from ttcs_edge.core.model import MODEM, CureStep, Modem, ModemReading, Registration, SimState
from ttcs_edge.core.modem import ANSWER_MOST_MS, CUT_MS, ON_AGAIN_MS, STEPS_A_DAY
from ttcs_edge.core.reports import ModemView

RECONNECT, RESTART, POWER_OFF, POWER_ON = CureStep
MINUTE_MS = 60_000
PATIENCE_MS = 10 * MINUTE_MS
WELL = ModemReading(SimState.READY, Registration.HOME, "Viettel", -71)
GONE = events.LinkChanged(False, "unreachable", (("error", "[Errno 101] Network is unreachable"),))
UP = events.LinkChanged(True, "connected")


class AtTheModem(ByHand):
    """A station by hand whose modem does each step as told, after a second, or cannot."""

    def __init__(self, *programmes: object, modem: Modem | None = None, **others: object) -> None:
        self.refuses: set[CureStep] = set()
        self.is_deaf = False
        self.answers_at: list[tuple[int, CureStep]] = []
        self.steps: list[tuple[int, CureStep]] = []
        self.began_ms = 0
        settings = replace(SETTINGS, modem=modem or Modem(has_relay=True))
        super().__init__(*programmes, settings=settings, **others)  # type: ignore[arg-type]

    def tell(self, event: events.Event) -> list[Effect]:
        """The modem hears what is asked of it."""
        done = super().tell(event)
        for effect in only(done, CureModem):
            self.steps.append((self.mono_ms, effect.step))
            if not self.is_deaf:
                self.answers_at.append((self.mono_ms + 1_000, effect.step))
        return done

    def wait(self, span_ms: int) -> list[tuple[int, Effect]]:
        """Time passes, and the modem answers meanwhile."""
        end_ms, before = self.mono_ms + span_ms, len(self.log)
        while self.mono_ms < end_ms and not self.left:
            soon = [at_ms for at_ms, _ in self.answers_at] + [self.wake_ms]
            super().wait(max(0, min(end_ms, *soon) - self.mono_ms))
            due = [one for one in self.answers_at if one[0] <= self.mono_ms]
            self.answers_at = [one for one in self.answers_at if one[0] > self.mono_ms]
            for _, step in due:
                self.tell(events.CureDone(step, "ERROR" if step in self.refuses else ""))
        self.mono_ms = end_ms
        return self.log[before:]

    def lose(self, event: events.LinkChanged = GONE) -> None:
        """The link is gone."""
        self.began_ms = self.mono_ms
        self.steps.clear()
        self.tell(event)

    @property
    def taken(self) -> list[tuple[float, CureStep]]:
        """The steps since the link was lost, with the minutes since then."""
        return [(round((at_ms - self.began_ms) / MINUTE_MS, 1), step) for at_ms, step in self.steps]


def detail_of(station: ByHand, code: str, subject: str) -> tuple[tuple[str, str], ...]:
    """What an open fault is told with."""
    return station.station.faults.open[code, subject].detail


def test_a_hung_modem_is_cured_from_the_gentlest_step_on() -> None:
    """After ten minutes it looks for the network anew, after twenty it starts anew, after thirty it has no power."""
    station = AtTheModem()
    station.lose()
    station.wait(9 * MINUTE_MS)
    assert station.taken == []
    station.wait(25 * MINUTE_MS)

    assert station.taken == [(10, RECONNECT), (20, RESTART), (30, POWER_OFF), (30.2, POWER_ON)]
    assert station.steps[3][0] - station.steps[2][0] == 1_000 + CUT_MS
    told = [fault.subject for (code, _), fault in station.station.faults.open.items() if code == "modem-cure"]
    assert told == ["reconnect", "restart", "power"]
    assert detail_of(station, "modem-cure", "power") == (("minutes", "30"),)


def test_the_link_ends_the_cure_and_its_faults() -> None:
    """Cured by the second step: the third is never taken, and what was tried is told as over."""
    station = AtTheModem()
    station.lose()
    station.wait(25 * MINUTE_MS)
    station.tell(UP)
    station.wait(DAY_MS)

    assert station.taken == [(10, RECONNECT), (20, RESTART)]
    assert station.faults == []


def test_a_cure_that_does_not_help_rests_longer_each_time_and_is_bounded() -> None:
    """An hour, two, four, six: over three days there are three steps a round, and never more than the bound."""
    station = AtTheModem()
    station.lose()
    station.wait(3 * DAY_MS)

    begun = [at_ms for at_ms, step in station.steps if step is RECONNECT]
    rests = [round((after - before) / HOUR_MS, 1) for before, after in pairwise(begun)]
    assert rests[:4] == [1.3, 2.3, 4.3, 6.3] and set(rests[4:]) == {6.3}
    tries = [at_ms for at_ms, step in station.steps if step is not POWER_ON]
    assert max(sum(at_ms <= one < at_ms + DAY_MS for one in tries) for at_ms in tries) <= STEPS_A_DAY


def test_even_the_shortest_patience_takes_no_more_steps_than_a_day_may_have() -> None:
    """Five seconds, on a rig: the bound holds."""
    station = AtTheModem(modem=Modem(has_relay=True, cure_after_ms=5_000))
    station.lose()
    station.wait(DAY_MS - MINUTE_MS)
    assert len([step for _, step in station.steps if step is not POWER_ON]) == STEPS_A_DAY
    assert station.station.modem.cures(station.mono_ms) == STEPS_A_DAY


def test_a_link_that_flaps_does_not_begin_again_with_short_rests() -> None:
    """Up for a minute behind the power cut: the rest goes on. Up for an hour: it is another outage."""
    station = AtTheModem()
    station.lose()
    station.wait(31 * MINUTE_MS)
    station.tell(UP)
    station.wait(MINUTE_MS)
    station.lose()
    station.wait(57 * MINUTE_MS)
    assert station.taken == []
    station.wait(5 * MINUTE_MS)
    assert [step for _, step in station.taken] == [RECONNECT]

    station.tell(UP)
    station.wait(61 * MINUTE_MS)
    station.lose()
    station.wait(11 * MINUTE_MS)
    assert station.taken == [(10, RECONNECT)]


def test_a_step_that_cannot_be_taken_is_followed_by_the_next_at_once() -> None:
    """A modem that answers no AT command: within a few seconds it has no power."""
    station = AtTheModem()
    station.refuses = {RECONNECT, RESTART}
    station.lose()
    station.wait(11 * MINUTE_MS)
    assert [step for _, step in station.taken] == [RECONNECT, RESTART, POWER_OFF, POWER_ON]
    assert station.steps[2][0] - station.steps[0][0] == 2_000


def test_a_step_that_never_answers_does_not_stop_the_cure() -> None:
    """The driver hangs in the kernel: after three minutes it is as if it had failed."""
    station = AtTheModem()
    station.is_deaf = True
    station.lose()
    station.wait(PATIENCE_MS + ANSWER_MOST_MS)
    assert [step for _, step in station.taken] == [RECONNECT, RESTART]


@pytest.mark.parametrize(
    "event",
    [
        events.LinkChanged(False, "refused", (("error", "Not authorized"),)),
        events.LinkChanged(False, "tls", (("error", "certificate verify failed"),)),
        events.LinkChanged(False, "no-tls"),
        events.LinkChanged(False, "session-taken-over"),
        events.LinkChanged(False, "unreachable", (("error", "[Errno 111] Connection refused"),)),
    ],
)
def test_a_modem_through_which_somebody_answers_is_left_alone(event: events.LinkChanged) -> None:
    """A broker that refuses, a portal, a port where nobody listens: each answer came through the modem."""
    station = AtTheModem()
    station.lose(event)
    station.wait(DAY_MS)
    assert station.taken == []

    station.lose()
    station.wait(9 * MINUTE_MS)
    station.tell(event)
    station.wait(DAY_MS)
    assert station.taken == [], "an answer within the patience ends it"


@pytest.mark.parametrize("sim", [SimState.PIN, SimState.PUK])
def test_a_sim_that_wants_a_person_is_not_cured(sim: SimState) -> None:
    """No start of the modem knows a PIN; once the SIM is unlocked, the cure goes on."""
    station = AtTheModem()
    station.tell(events.ModemRead(replace(WELL, sim=sim)))
    station.lose()
    station.wait(2 * HOUR_MS)
    assert station.taken == []
    station.tell(events.ModemRead(WELL))
    station.wait(MINUTE_MS)
    assert [step for _, step in station.taken] == [RECONNECT]


def test_no_step_is_begun_while_an_alert_sounds_but_the_power_comes_back() -> None:
    """The alert waits for nobody and is disturbed by nothing; a supply that was cut before it is given back on time."""
    station = AtTheModem()
    station.lose()
    station.wait(30 * MINUTE_MS + 2_000)
    assert station.taken[-1][1] is POWER_OFF
    station.warn(alert())
    station.wait(4_000)
    station.sound_begins()
    station.wait(CUT_MS)
    assert station.taken[-1][1] is POWER_ON

    other = AtTheModem()
    other.lose()
    other.wait(9 * MINUTE_MS + 50_000)
    other.warn(alert())
    other.wait(4_000)
    other.sound_begins()
    other.wait(MINUTE_MS)
    assert other.taken == []
    for _ in range(2):  # the words follow the tone
        assert other.taken == []
        other.sound_ends()
        other.wait(1_000)
    assert [step for _, step in other.taken] == [RECONNECT]


def test_a_bulletin_does_not_hold_the_cure_up() -> None:
    """Only an alert, and a person who speaks."""
    station = AtTheModem(programme([slot("sang", "04:09:59")], [bulletin("sang", 600)]))
    station.lose()
    station.wait(PATIENCE_MS - 1_000)
    station.sound_begins()
    station.wait(2_000)
    assert [step for _, step in station.taken] == [RECONNECT]


def test_a_relay_that_does_not_give_the_supply_back_is_told_until_it_does() -> None:
    """Whatever the link does meanwhile."""
    station = AtTheModem()
    station.refuses = {POWER_ON}
    station.lose()
    station.wait(31 * MINUTE_MS)
    station.tell(UP)
    station.wait(MINUTE_MS)
    again = [at_ms for at_ms, step in station.steps if step is POWER_ON]
    assert len(again) > 3 and {b - a for a, b in pairwise(again)} == {ON_AGAIN_MS + 1_000}
    station.refuses = set()
    station.wait(MINUTE_MS)
    count = len(station.steps)
    station.wait(HOUR_MS)
    assert len(station.steps) == count


def test_a_modem_without_a_relay_keeps_its_power() -> None:
    """Two steps a round."""
    station = AtTheModem(modem=Modem())
    station.lose()
    station.wait(5 * HOUR_MS)
    assert {step for _, step in station.taken} == {RECONNECT, RESTART}


def test_a_station_that_leaves_begins_no_step() -> None:
    """Its relays open as it goes, and with them the modem has power."""
    station = AtTheModem()
    station.lose()
    station.wait(PATIENCE_MS - 1_000)
    station.tell(events.StopRequested())
    station.wait(HOUR_MS)
    assert station.taken == []


def test_a_station_without_a_modem_does_nothing_and_wakes_for_nothing() -> None:
    """A link that is gone is its owner's affair."""
    station = ByHand()
    station.tell(GONE)
    log = [effect for _, effect in station.wait(DAY_MS)]
    assert only(log, CureModem) == []
    assert station.station.modem.wake_mono_ms() is None
    assert station.station.snapshot(station.now()).modem is None


FOUND = {
    "sim-missing": replace(WELL, sim=SimState.MISSING, registration=Registration.UNKNOWN),
    "sim-pin": replace(WELL, sim=SimState.PIN, registration=Registration.UNKNOWN),
    "sim-puk": replace(WELL, sim=SimState.PUK, registration=Registration.UNKNOWN),
    "network-denied": replace(WELL, registration=Registration.DENIED),
    "not-registered": replace(WELL, registration=Registration.SEARCHING),
    "signal-weak": replace(WELL, signal_dbm=-109),
}


@pytest.mark.parametrize("code", FOUND)
def test_each_fault_is_told_alone_and_cleared_by_a_good_reading(code: str) -> None:
    """Each has another mend: a SIM that is not there is not told as a network that is not found."""
    station = AtTheModem()
    station.tell(events.ModemRead(FOUND[code]))
    station.wait(11 * MINUTE_MS)
    assert station.faults == [(code, MODEM)]
    station.tell(events.ModemRead(WELL))
    assert station.faults == []


def test_roaming_is_registered() -> None:
    """What it costs is the operator's affair."""
    station = AtTheModem()
    station.tell(events.ModemRead(replace(WELL, registration=Registration.ROAMING)))
    station.wait(HOUR_MS)
    assert station.faults == []


def test_what_passes_soon_is_told_to_nobody() -> None:
    """A cell that changes, a train that passes, a modem that starts anew."""
    station = AtTheModem()
    fleeting: Iterable[events.Event] = (
        *(events.ModemRead(FOUND[code]) for code in ("network-denied", "not-registered", "signal-weak")),
        *(events.ModemFailed(code, "") for code in ("modem-gone", "modem-taken", "modem-silent")),
    )
    for event in fleeting:
        station.tell(event)
        station.wait(2 * MINUTE_MS)
        station.tell(events.ModemRead(WELL))
    assert station.faults == [] and station.entries(effects.FaultRaised) == []


def test_a_weak_signal_does_not_flap() -> None:
    """Weak from -103 dBm on, and until it is -97 again; no measure changes nothing."""
    station = AtTheModem()
    for dbm in (-103, -99, None, -98):
        station.tell(events.ModemRead(replace(WELL, signal_dbm=dbm)))
        station.wait(6 * MINUTE_MS)
    assert station.faults == [("signal-weak", MODEM)]
    assert detail_of(station, "signal-weak", MODEM) == (("dbm", "-99"),)
    station.tell(events.ModemRead(replace(WELL, signal_dbm=-97)))
    assert station.faults == []
    station.tell(events.ModemRead(replace(WELL, signal_dbm=-101)))
    station.wait(HOUR_MS)
    assert station.faults == []
    station.tell(events.ModemRead(replace(WELL, signal_dbm=-107)))
    station.tell(events.ModemRead(replace(WELL, signal_dbm=None)))
    station.wait(HOUR_MS)
    assert detail_of(station, "signal-weak", MODEM) == (("dbm", "-107"),), "the last that was measured"


@pytest.mark.parametrize("code", ["modem-gone", "modem-taken", "modem-silent"])
def test_a_modem_that_does_not_answer_is_told_after_three_minutes_and_nothing_is_known_of_it(code: str) -> None:
    """Which of the three it is tells the mend; the last one counts."""
    station = AtTheModem()
    station.tell(events.ModemRead(WELL))
    station.tell(events.ModemFailed("modem-silent", "AT: b''"))
    station.tell(events.ModemFailed(code, "no such port"))
    station.wait(3 * MINUTE_MS)
    assert station.faults == [(code, MODEM)]
    assert detail_of(station, code, MODEM) == (("error", "no such port"),)
    view = station.station.snapshot(station.now()).modem
    assert view == ModemView(False, None, None, "", None, 0, None, 0)
    station.tell(events.ModemRead(WELL))
    assert station.faults == []


def test_faults_of_a_modem_that_is_no_more_are_over_at_the_start() -> None:
    """Nobody would ever clear them."""
    first = AtTheModem()
    first.tell(events.ModemRead(FOUND["sim-puk"]))
    open_faults = tuple(first.station.faults.open.values())
    assert len(open_faults) == 1
    assert ByHand(open_faults=open_faults).faults == []
    again = AtTheModem(open_faults=open_faults)
    assert again.faults == [("sim-puk", MODEM)]
