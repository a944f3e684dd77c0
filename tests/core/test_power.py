"""Saving power: what is shed, when it begins and ends, and that of an alert nothing ever is."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import SETTINGS, TEST_TONE, ByHand, alert, at, brief, moves, only, open_fault, programme, slot
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import ToneOrder
from ttcs_edge.core.model import (
    Battery,
    Inlet,
    Microphone,
    Power,
    QuietHours,
    ShedStep,
    ShedWhen,
    StationSettings,
    Way,
    ZoneId,
)
from ttcs_edge.core.power import LONG_AGO_MS, NOTHING_SHED, Saving, Shed

MAINS, BATTERY, HOT = ShedWhen.MAINS_LOST, ShedWhen.BATTERY, ShedWhen.BOX_HOT
CHO, DINH = ZoneId("cho"), ZoneId("dinh")
QUIETER = ShedStep(MAINS, after_ms=60_000, volume_percent=60)
FEWER = ShedStep(BATTERY, below_percent=50, zones_most=1)
SILENT = ShedStep(BATTERY, below_percent=20, alerts_only=True)
SHED = (QUIETER, FEWER, SILENT)
MORNING = programme([slot("tin", "05:00:00")])


def saving(*shed: ShedStep, **others: Any) -> StationSettings:
    """A station with mains, a battery and these steps."""
    return replace(SETTINGS, power=Power(has_mains=True, has_battery=True, shed=shed or SHED), **others)


class Supplied(ByHand):
    """A station whose mains and battery are told by hand; its sounds begin, and end when they are told to."""

    def __init__(self, *programmes: Any, settings: StationSettings | None = None, **others: Any) -> None:
        self.mains: bool | None = True
        self.percent: int | None = 100
        super().__init__(*programmes, settings=settings or saving(), **others)

    def tell(self, event: events.Event) -> list[effects.Effect]:
        """One event; what is told to fall silent does."""
        done = super().tell(event)
        for effect in only(done, effects.StopSound):
            self.tell(events.SoundEnded(effect.play, False, (1_000,), None))
        return done

    def supply(self, mains: bool | None = True, percent: int | None = 100) -> list[effects.Effect]:
        """Mains and battery are so from now on."""
        self.mains, self.percent = mains, percent
        battery = None if percent is None else Battery(percent)
        return self.tell(events.SupplyTold(mains, battery))

    @property
    def shed(self) -> Shed:
        """What is shed now."""
        return self.station.saving.shed


def raised(one: ByHand, code: str) -> list[tuple[str, bool]]:
    """How often a fault came, and went."""
    came = [entry.fault for entry in one.entries(effects.FaultRaised) if entry.fault.code == code]
    went = [entry.fault for entry in one.entries(effects.FaultCleared) if entry.fault.code == code]
    return [(fault.subject, False) for fault in came] + [(fault.subject, True) for fault in went]


# when a step begins and ends


def test_a_dip_of_the_mains_is_no_loss_and_a_loss_is_told_with_when_it_began() -> None:
    """Four seconds are nothing; five are a fault, and the minute of the first step counts from the first of them."""
    one = Supplied(MORNING)
    one.supply(True)
    one.supply(False)
    one.wait(4_000)
    one.supply(True)
    one.wait(60_000)
    assert one.faults == [] and one.shed == NOTHING_SHED

    one.supply(False)
    lost_ms = one.wall_ms
    one.wait(5_000)
    assert one.faults == [("mains-lost", "mains")]
    fault = one.station.faults.open["mains-lost", "mains"]
    assert fault.detail == (("since", "2026-11-23T21:01:04Z"),) and lost_ms == at("2026-11-24T04:01:04")
    one.wait(54_999)
    assert one.shed == NOTHING_SHED
    one.wait(1)
    assert one.shed == Shed(volume_percent=60, because=(MAINS,))


def test_mains_that_flicker_are_one_loss_and_back_only_once_they_stay() -> None:
    """Back for twenty seconds and gone again, ten times: one fault, nothing flaps; back for thirty: over."""
    one = Supplied(MORNING)
    one.supply(False)
    one.wait(61_000)
    for _ in range(10):
        one.supply(True)
        one.wait(20_000)
        one.supply(False)
        one.wait(1_000)
        assert one.shed.volume_percent == 60
    assert raised(one, "mains-lost") == [("mains", False)]

    one.supply(True)
    one.wait(29_999)
    assert one.shed.volume_percent == 60
    one.wait(1)
    assert one.shed == NOTHING_SHED and one.faults == []


def test_a_battery_step_ends_five_percent_above_its_bound() -> None:
    """Below 50 it begins, at 54 it is in force, at 55 it is over; the fault of a low battery does the same at 20."""
    one = Supplied(MORNING)
    one.supply(False)
    one.wait(5_000)
    seen = []
    for percent in (50, 49, 51, 54, 55, 54):
        one.supply(False, percent)
        seen.append(one.shed.zones_most)
    assert seen == [None, 1, 1, 1, None, None]

    for percent in (20, 19, 24, 25):
        one.supply(False, percent)
        seen.append(("battery-low", "battery") in one.faults)
    assert seen[6:] == [False, True, True, False]


def test_while_the_mains_are_there_a_battery_takes_nothing_away() -> None:
    """At 10 percent and charging everything airs, though the battery is told as low; without mains nothing does."""
    one = Supplied(MORNING)
    one.supply(True, 10)
    one.wait(60_000)
    assert one.shed == NOTHING_SHED and one.faults == [("battery-low", "battery")]
    one.supply(False, 10)
    one.wait(5_000)
    assert one.shed.alerts_only


def test_a_station_without_mains_lives_by_its_battery_alone() -> None:
    """Sun and a battery: nobody tells of mains, and the battery counts at once."""
    one = Supplied(MORNING, settings=replace(SETTINGS, power=Power(has_battery=True, shed=(FEWER,))))
    one.supply(None, 40)
    assert one.shed == Shed(zones_most=1, because=(BATTERY,))


def test_what_nobody_can_tell_takes_nothing_away() -> None:
    """A sensor that dies must not silence a village: mains that cannot be told are not lost, a battery is not low."""
    one = Supplied(MORNING)
    one.supply(False, 10)
    one.wait(61_000)
    assert one.shed.alerts_only
    one.supply(None, None)
    one.wait(30_000)
    assert one.shed == NOTHING_SHED


def test_steps_in_force_add_up() -> None:
    """The lowest volume, the fewest zones, the zones that stay by every step, and every cause once."""
    steps = (
        ShedStep(MAINS, volume_percent=80, zones=(CHO, DINH), zones_most=2),
        ShedStep(MAINS, volume_percent=60, zones=(DINH,)),
        ShedStep(HOT, volume_percent=70, zones_most=1),
    )
    one = Supplied(MORNING, settings=saving(*steps))
    one.supply(False)
    one.wait(5_000)
    assert one.shed == Shed(60, (DINH,), 2, because=(MAINS,))
    one.station.box.hot = True
    one.wait(1)
    one.tell(events.TimePassed())
    assert one.shed == Shed(60, (DINH,), 1, because=(MAINS, HOT))


def test_a_loss_goes_on_behind_a_start_and_so_does_what_it_sheds() -> None:
    """A station that comes up again without mains saves at once; when the mains were back meanwhile, soon no more."""
    left_open = (open_fault("mains-lost", "mains"), open_fault("battery-low", "battery"))
    one = Supplied(MORNING, open_faults=left_open)
    assert one.shed == Shed(volume_percent=60, because=(MAINS,))
    one.supply(False, 22)
    assert one.shed == Shed(60, zones_most=1, because=(MAINS, BATTERY)) and len(one.faults) == 2
    one.supply(True, 30)
    one.wait(30_000)
    assert one.shed == NOTHING_SHED and one.faults == []
    assert one.station.saving.lost_mono_ms is None and LONG_AGO_MS < 0


def test_a_station_that_watches_no_power_any_more_clears_what_it_told_of_it() -> None:
    """The keys were taken out of the file: nothing else would ever clear these."""
    left_open = [open_fault(code, "mains") for code in ("mains-lost", "supply-silent")]
    one = ByHand(MORNING, open_faults=(*left_open, open_fault("battery-low", "battery")))
    assert one.faults == [] and len(one.entries(effects.FaultCleared)) == 3


def test_a_station_without_the_keys_is_never_woken_for_its_power() -> None:
    """Not configured costs nothing: no wake, no state, nothing shed."""
    one = ByHand(MORNING)
    one.tell(events.SupplyTold(False, Battery(1)))
    one.wait(60_000)
    assert one.station.saving.shed == NOTHING_SHED and one.station.saving.wake_mono_ms is None
    assert one.station.snapshot(one.now()).power is None


# what becomes of a cue


def test_a_slot_is_heard_less_loud_and_an_alert_as_ever() -> None:
    """The zone at 50 percent allows 50 to both; 60 percent of that is 30, and of the alert nothing is taken."""
    one = Supplied(MORNING)
    one.supply(False)
    one.wait_until("2026-11-24T05:00:00")
    one.warn(alert(sent="2026-11-23T21:59:00Z"))
    one.wait(20_000)
    sounds = [effect for _, effect in one.log if isinstance(effect, effects.StartSound)]
    assert [sound.volume_percent for sound in sounds] == [30, 100]


def test_what_is_on_the_air_is_turned_down_when_a_step_begins_and_up_when_it_ends() -> None:
    """By the player's own gain, as for an order: no relay moves."""
    one = Supplied(programme([slot("tin", "05:00:00")], []))
    one.wait_until("2026-11-24T05:00:00")
    one.sound_begins()
    one.supply(False)
    log = one.wait(61_000)
    assert [effect.volume_percent for _, effect in log if isinstance(effect, effects.SetVolume)] == [30]
    one.supply(True)
    log = one.wait(31_000)
    assert [effect.volume_percent for _, effect in log if isinstance(effect, effects.SetVolume)] == [50]
    assert moves(log) == []


def test_fewer_zones_are_for_the_next_cue_and_the_log_says_which_were_left_out() -> None:
    """air-4: nothing switches under the sound; the first zones of the file stay; the next record names the others."""
    one = Supplied(programme([slot("tin", "05:00:00"), slot("sau", "05:10:00")]))
    one.supply(False, 60)
    one.wait_until("2026-11-24T05:00:00")
    one.sound_begins()
    log = one.tell(events.SupplyTold(False, Battery(40)))
    assert moves([(0, effect) for effect in log]) == []
    one.sound_ends()
    one.wait_until("2026-11-24T05:10:00")
    one.sound_begins()
    one.sound_ends()
    records = [entry.record for entry in one.entries(effects.AsRunClosed)]
    assert [(record.zones, record.zones_saved) for record in records] == [((CHO, DINH), ()), ((CHO,), (DINH,))]
    assert [brief(record) for record in records] == [("tin", "aired", None), ("sau", "aired", None)]


def test_alerts_only_fades_out_what_is_on_the_air_and_keeps_the_rest_from_it() -> None:
    """Told as part and as missed, for the power that was saved; no fault says that a slot is to be mended."""
    one = Supplied(programme([slot("tin", "05:00:00"), slot("sau", "05:10:00")]))
    one.supply(False, 60)
    one.wait_until("2026-11-24T05:00:00")
    one.sound_begins()
    one.supply(False, 19)
    one.wait_until("2026-11-24T05:12:00")
    assert one.told == [("tin", "part", "power-saved"), ("sau", "missed", "power-saved")]
    assert one.faults == [("mains-lost", "mains"), ("battery-low", "battery")]


def test_a_cue_airs_late_within_its_window_when_the_mains_return() -> None:
    """air-6: saved at 05:00, half an hour's window, mains again at 05:20: heard, and told as aired."""
    one = Supplied(programme([slot("tin", "05:00:00", late_window_s=1_800)]))
    one.supply(False, 10)
    one.wait_until("2026-11-24T05:20:00")
    assert one.told == [] and ("silence", "vn/lam-dong#tin") not in one.faults
    one.supply(True, 10)
    one.wait(60_000)
    one.sound_begins()
    one.sound_ends()
    assert one.told == [("tin", "aired", None)]


def test_a_cue_none_of_whose_zones_stays_is_saved() -> None:
    """One zone stays by name; what is for the other alone is missed, and that for both is heard in the one."""
    steps = (ShedStep(MAINS, zones=(DINH,)),)
    slots = [slot("tin", "05:00:00", zones=("cho",)), slot("sau", "05:10:00")]
    one = Supplied(programme(slots), settings=saving(*steps))
    one.supply(False)
    one.wait_until("2026-11-24T05:10:00")
    one.sound_begins()
    one.sound_ends()
    assert one.told == [("tin", "missed", "power-saved"), ("sau", "aired", None)]
    assert one.entries(effects.AsRunClosed)[1].record.zones == (DINH,)


def test_an_alert_is_heard_in_every_zone_whatever_is_shed() -> None:
    """Every step at once: each zone closes, full volume."""
    steps = (ShedStep(MAINS, volume_percent=10, zones=(DINH,), zones_most=1, alerts_only=True),)
    one = Supplied(MORNING, settings=saving(*steps))
    one.supply(False, 5)
    one.wait(60_000)
    one.warn(alert())
    one.wait(20_000)
    words = [word for _, word in moves(one.log)]
    assert words == ["amplifier on", "cho closed", "dinh closed", "sound"]
    sounds = [effect for _, effect in one.log if isinstance(effect, effects.StartSound)]
    assert [sound.volume_percent for sound in sounds] == [100]


def test_who_speaks_at_the_station_is_heard_whatever_is_shed() -> None:
    """He stands before it and sees that the mains are out: nothing is taken from him behind his back."""
    steps = (ShedStep(MAINS, volume_percent=10, zones_most=1, alerts_only=True),)
    microphone = Microphone((CHO, DINH), Inlet(Way.INPUT, 60_000), 80)
    one = Supplied(MORNING, settings=saving(*steps, microphone=microphone))
    one.tell(events.KeyChanged(False))
    one.supply(False, 5)
    one.wait(60_000)
    one.tell(events.KeyChanged(True))
    one.wait(5_000)
    assert [word for _, word in moves(one.log)] == ["amplifier on", "cho closed", "dinh closed", "input"]
    inputs = [effect for _, effect in one.log if isinstance(effect, effects.StartInput)]
    assert [one.volume_percent for one in inputs] == [40]


def test_a_test_tone_is_as_loud_as_ever_and_refused_when_power_is_for_alerts_alone() -> None:
    """What measures a line must not be turned down; the centre hears why there is none."""
    one = Supplied(MORNING)
    one.supply(False, 40)
    one.wait(61_000)
    one.order(test_tone=ToneOrder(zone="dinh", seconds=1))
    one.wait(3_000)
    command = one.sound_begins()
    assert command.items == (TEST_TONE,) and command.volume_percent == 50
    one.sound_ends()
    one.supply(False, 19)
    answers = one.order(test_tone=ToneOrder(zone="dinh", seconds=1))
    assert [(answer.outcome, answer.reason) for answer in answers] == [("refused", "power-saved")]


def test_quiet_hours_are_the_reason_where_both_are_so() -> None:
    """It would not have been heard with all the power there is."""
    settings = saving(replace(SILENT, when=MAINS, below_percent=0), quiet_hours=(QuietHours(0, 6 * 60),))
    one = Supplied(MORNING, settings=settings)
    one.supply(False)
    one.wait_until("2026-11-24T05:01:00")
    assert one.told == [("tin", "missed", "quiet-hours")]


@pytest.mark.parametrize("zones", ((), (DINH,), (DINH, CHO)))
def test_what_stays_is_in_the_order_in_which_the_cue_names_it(zones: tuple[ZoneId, ...]) -> None:
    """Which stay is by the file's order, which first by the cue's."""
    assert Shed(zones_most=2).keeps(zones, (CHO, DINH)) == zones
    assert Shed(zones_most=1).keeps((DINH, CHO), (CHO, DINH)) == (CHO,)


def test_the_state_tells_mains_battery_and_what_is_shed() -> None:
    """For heartbeat and status."""
    one = Supplied(MORNING)
    one.supply(False, 19)
    one.wait(5_000)
    state = one.station.snapshot(one.now()).power
    assert state is not None and (state.mains, state.battery) == (False, Battery(19))
    assert state.shed == Shed(zones_most=1, alerts_only=True, because=(BATTERY,))
    assert Saving(SETTINGS).state() is None
