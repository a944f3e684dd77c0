"""What a release is proven by, in the words of the product: each scenario on every bench that has what it needs."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path

import pytest

from tests.rig.air import SILENT_S, heard_s
from tests.rig.bench import AMPLIFIER, ZONES, Link
from tests.rig.machine import CHECKOUT
from tests.rig.pole import STATE, UNIT, in_place_of_the_daemon
from tests.rig.scene import EARS, METER, METER_UNIT, MODEM, Clip, Scene, Slot, under_sound
from ttcs_edge import __version__
from ttcs_edge.core.monitor import FOREIGN
from ttcs_edge.training.boards import Boards

pytestmark = [pytest.mark.rig, pytest.mark.timeout(600)]
SHORT = Clip(4)
LONG = Clip(20)
HIGH = Clip(4, 2_000)
WAVERING = Clip(50, wavers=True)
KERNEL_HUNG_S = 30.0
LINE_TOLD_S = 30.0
STRANGER_TOLD_S = 10.0
MODEM_CURED_S = 120.0
"""A keepalive and a half until the link is known to be gone, and two steps of its cure."""
OTHER, NEWER = "/root/other-release", "99.0.0"
WEEK_DAYS, DAY_S = 7, 86_400
DAY_BEGINS_S = 12
"""How long before its cue a day of the week begins; the rest of it is left out."""
IDENTITY, OPENED = "/etc/ttcs-edge/identity", "/run/ttcs-edge-key/station.key"
DROP_IN = f"/run/systemd/system/{UNIT}.d"
GREEDY = Path(__file__).with_name("greedy.py")
GREEDY_MB = 20
EDGE_MS = 250
"""How exactly sound and relays are seen at the same time: a window of sound, and what comes late from a slow bench."""


@pytest.mark.needs("power", "relays", "sound")
def test_power_on_to_first_cue(scene: Scene) -> None:
    """A cue fell due while the power was off: it airs as soon as the machine is up, by itself, and is told as late."""
    scene.set_up()
    scene.start(at_boot=True)
    scene.publish(Slot(SHORT, 6, late_s=1_800))
    scene.cut_power()
    scene.wait_until_due()
    on_ns = scene.power_on()
    scene.within(30, scene.is_active)
    scene.timeline.figure("power-on-to-ready", (scene.timeline.happens("ready") - on_ns) / 1e9)
    scene.within(30, lambda: scene.as_runs())

    (sound,) = scene.sounds(on_ns)
    scene.timeline.figure("power-on-to-sound", (sound.begin_ns - on_ns) / 1e9)
    assert scene.as_runs() == [("gio-tin-1", "aired", None)]
    scene.all_open()


@pytest.mark.needs("relays", "sound")
def test_a_morning_with_six_zones(scene: Scene) -> None:
    """Three bulletins, for one zone, for two, for all six: each is heard where it should be, no relay under sound."""
    scene.set_up()
    scene.start()
    own, two = ("cho-xa",), ("thon-1", "thon-2")
    scene.publish(Slot(SHORT, 0, own), Slot(HIGH, 0, two), Slot(Clip(4, 500)))
    scene.within(60, lambda: len(scene.as_runs()) == 3)
    scene.all_open()

    assert scene.as_runs() == [(f"gio-tin-{number}", "aired", None) for number in (1, 2, 3)]
    changes, sounds = scene.bench.changes(scene.timeline.began_ns), scene.sounds()
    assert [round(sound.hertz, -2) for sound in sounds] == [1_000, 2_000, 500]
    assert under_sound(changes, sounds, EDGE_MS) == [], "air-4: a relay moved under sound"
    assert heard_in(scene) == {1_000: set(own), 2_000: set(two), 500: set(ZONES)}
    closed = [change.subject for change in changes if change.closed]
    assert (closed[0], changes[-1].subject) == (AMPLIFIER, AMPLIFIER), "air-4: first on, last off"


def heard_in(scene: Scene) -> dict[int, set[str]]:
    """In which zones each sound was heard, by its pitch."""
    changes = scene.bench.changes(scene.timeline.began_ns)
    found = {}
    for sound in scene.sounds():
        middle_ns = (sound.begin_ns + sound.end_ns) // 2
        closed = {change.subject: change.closed for change in changes if change.at_ns < middle_ns}
        found[round(sound.hertz, -2)] = {zone for zone in ZONES if closed.get(zone)}
    return found


@pytest.mark.needs("relays", "sound")
def test_an_alert_over_a_bulletin(scene: Scene) -> None:
    """air-1: it takes the air at once; the bulletin goes on behind it, and both are told."""
    scene.set_up()
    scene.start()
    scene.publish(Slot(LONG))
    scene.on_the_air()
    warned_ns = scene.warn(HIGH)
    scene.within(60, lambda: len(scene.as_runs()) == 3)
    scene.all_open()

    scene.timeline.figure("alert-to-sound", (scene.first_heard_ns(warned_ns, SHORT.hertz) - warned_ns) / 1e9)
    assert [outcome for _, outcome, _ in scene.as_runs()] == ["aired"] * 3
    assert scene.as_runs()[-1][0] == "gio-tin-1", "the bulletin is the last to end"
    assert {sound.hertz // 100 for sound in scene.sounds(warned_ns)} >= {10, 20}, "both were heard behind it"
    assert under_sound(scene.bench.changes(scene.timeline.began_ns), scene.sounds(), EDGE_MS) == []


PHASES = {
    "warming-up": [("gio-tin-1", "missed", "power")],
    "on-air": [("gio-tin-1", "cut", "power")],
    "holding": [("gio-tin-1", "aired", None)],
}
"""What the province is told of a cue whose power was cut then."""


@pytest.mark.needs("power", "relays", "sound")
@pytest.mark.parametrize("phase", PHASES)
def test_a_power_cut(scene: Scene, phase: str) -> None:
    """never-2, never-5: whenever it comes, all relays are open before the station is ready, and the record is true."""
    scene.set_up()
    scene.start(at_boot=True)
    scene.publish(Slot(SHORT))
    scene.wait_until_closed(AMPLIFIER)
    if phase != "warming-up":
        scene.on_the_air()
    if phase == "holding":
        scene.within(30, lambda: scene.as_runs())
        assert AMPLIFIER in scene.bench.closed()
    scene.cut_power()
    scene.wait_until_due(more_s=4)  # one that is still to come when the power is back airs, or is not late yet
    on_ns = scene.power_on()
    scene.within(30, scene.is_active)
    scene.timeline.figure("power-on-to-ready", (scene.timeline.happens("ready") - on_ns) / 1e9)

    assert scene.bench.closed() == frozenset()
    scene.within(30, lambda: scene.as_runs())
    assert scene.as_runs() == PHASES[phase]
    assert scene.sounds(on_ns) == []


@pytest.mark.needs("relays", "sound")
@pytest.mark.parametrize("lines", ["kept", pytest.param("let-go", marks=pytest.mark.needs("lines-let-go"))])
def test_a_hung_daemon(scene: Scene, lines: str) -> None:
    """never-2: SIGSTOP; the service manager misses its word, ends it, opens every relay, and starts it anew."""
    scene.bench.keep_lines(lines == "kept")
    scene.set_up()
    scene.start()
    scene.publish(Slot(LONG))
    scene.on_the_air()
    before = scene.main_pid()
    hung_ns = scene.timeline.happens("hung", scene.bench.signal(before, signal.SIGSTOP))
    scene.all_open(30)
    opened_s = scene.timeline.figure(
        "hung-to-open", (scene.opened_ns(hung_ns) - hung_ns) / 1e9, scene.bench.setup.hung_to_open_s
    )
    scene.within(30, lambda: scene.is_active(not_pid=before))
    scene.timeline.happens("ready")

    assert "Watchdog timeout" in scene.bench.shell(f"journalctl --unit {UNIT} --no-pager --output=cat")
    assert opened_s <= scene.bench.setup.hung_to_open_s
    scene.within(30, lambda: scene.as_runs())
    assert scene.as_runs()[0][:2] == ("gio-tin-1", "cut")


@pytest.mark.needs("kernel", "power", "relays", "sound")
def test_a_hung_kernel(scene: Scene) -> None:
    """never-2: the hardware watchdog starts the machine anew, whose lines are then as at power-on: all relays open."""
    scene.set_up()
    scene.start(at_boot=True)
    scene.publish(Slot(LONG))
    scene.on_the_air()
    hung_ns = scene.timeline.happens("kernel-hung", scene.bench.crash_kernel())
    restarted_ns = scene.within(KERNEL_HUNG_S * 2 / scene.bench.setup.slow, scene.bench.restarted_ns)
    assert restarted_ns is not None
    scene.timeline.happens("watchdog", restarted_ns)
    took_s = scene.timeline.figure("kernel-hung-to-restart", (restarted_ns - hung_ns) / 1e9, KERNEL_HUNG_S)
    scene.bench.wait_until_up(60 * scene.bench.setup.slow)
    scene.within(30, scene.is_active)
    scene.timeline.happens("ready")

    assert took_s <= KERNEL_HUNG_S
    assert scene.bench.closed() == frozenset()
    scene.within(30, lambda: scene.as_runs())
    assert scene.as_runs() == [("gio-tin-1", "cut", "power")]


@pytest.mark.needs("card", "relays", "sound")
def test_a_card_that_dies(scene: Scene) -> None:
    """It turns read-only under a running station: the cue airs on time, and whoever asks is told."""
    scene.set_up()
    scene.start()
    scene.publish(Slot(SHORT, 12))
    scene.bench.break_card()
    scene.timeline.happens("card-dead")
    scene.on_the_air()
    scene.within(30, lambda: "store-failing" in scene.faults())
    scene.all_open()

    assert scene.is_active()
    assert scene.status()["link_up"]


@pytest.mark.needs("card", "relays", "sound")
def test_a_card_that_is_full(scene: Scene) -> None:
    """To the last block: the cue airs on time, and whoever asks is told; what aired is reported once there is room."""
    scene.set_up()
    scene.start()
    scene.publish(Slot(SHORT, 12))
    scene.bench.fill_card()
    scene.timeline.happens("card-full")
    scene.on_the_air()
    scene.within(90, lambda: "disk-low" in scene.faults())
    scene.all_open()
    scene.bench.empty_card()
    scene.timeline.happens("card-emptied")
    scene.within(30, lambda: scene.as_runs())

    assert scene.as_runs() == [("gio-tin-1", "aired", None)]


@pytest.mark.needs("sound-card", "relays", "sound")
def test_a_sound_card_that_is_pulled_out(scene: Scene) -> None:
    """The fault is told, the daemon stays; once the card is back the cue goes on, and is told as what it was."""
    scene.set_up()
    scene.start()
    scene.publish(Slot(LONG))
    scene.on_the_air()
    scene.within(30, lambda: scene.position_ms() > 2_000)
    before = scene.main_pid()
    scene.bench.unplug_sound()
    out_ns = scene.timeline.happens("card-out")
    scene.within(10, lambda: "sound-device" in scene.faults())
    scene.timeline.figure("card-out-to-fault", (scene.timeline.happens("fault") - out_ns) / 1e9)
    scene.bench.plug_sound()
    back_ns = scene.timeline.happens("card-back")
    scene.within(30, lambda: scene.sounds(back_ns))
    scene.within(60, lambda: scene.as_runs())
    scene.all_open()

    assert scene.main_pid() == before
    assert scene.as_runs() == [("gio-tin-1", "aired", None)]
    assert ("sound-device", "sound") in {(code, "sound") for code, _ in scene.told_faults()}


@pytest.mark.needs("meter", "relays", "sound")
def test_a_meter_that_falls_silent(scene: Scene) -> None:
    """The bulletin airs, and nothing is said of what nobody saw; the meter's silence is told after its minute."""
    scene.set_up(METER)
    scene.start()
    scene.within(20, lambda: scene.status().get("meter"))
    scene.boards().meters[METER_UNIT] = lambda: None
    silent_ns = scene.timeline.happens("meter-silent")
    scene.publish(Slot(SHORT))
    scene.within(60, lambda: scene.as_runs())
    scene.within(100, lambda: "meter-silent" in {code for code, _ in scene.told_faults()})
    scene.timeline.figure("meter-silent-to-fault", (scene.timeline.happens("fault") - silent_ns) / 1e9)

    assert scene.as_runs() == [("gio-tin-1", "aired", None)]
    assert scene.witnessed() == [None]
    assert {code for code, _ in scene.told_faults()} == {"meter-silent"}


def noisy(boards: Boards, question: bytes, answer: bytes) -> bytes:
    """A line beside a mains cable: strange bytes before an answer, and in every fourth a bit that fell over."""
    noise = bytes(boards.dice.randrange(256) for _ in range(boards.dice.randrange(4)))
    if answer and boards.dice.random() < 0.25:
        place = boards.dice.randrange(len(answer))
        answer = answer[:place] + bytes([answer[place] ^ 1 << boards.dice.randrange(8)]) + answer[place + 1 :]
    return noise + answer


@pytest.mark.needs("meter", "relays", "sound")
def test_a_meter_on_a_noisy_line(scene: Scene) -> None:
    """No fault is made up of noise, and what aired was seen to go out."""
    scene.set_up(METER)
    scene.boards().habit = noisy
    scene.start()
    scene.publish(Slot(Clip(16, wavers=True), 0, ("cho-xa", "thon-1")))
    scene.within(60, lambda: scene.as_runs())
    scene.all_open()

    assert scene.as_runs() == [("gio-tin-1", "aired", None)]
    assert scene.witnessed() == [True]
    assert scene.told_faults() == []


@pytest.mark.needs("meter", "relays", "sound")
def test_a_broken_speaker_line(scene: Scene) -> None:
    """The line to one zone is cut: the next bulletin in it tells, by the power that does not follow the sound."""
    scene.set_up(METER)
    assert scene.meter is not None
    scene.meter.pole.cut.add(next(zone for zone in scene.meter.pole.tone_w if zone == "cho-xa"))
    scene.start()
    scene.publish(Slot(WAVERING, 0, ("cho-xa",)))
    scene.on_the_air()
    scene.within(60 / scene.bench.setup.slow, lambda: scene.told_faults())
    told_ns = scene.timeline.happens("fault")
    told_s = (told_ns - scene.sounds()[0].begin_ns) / 1e9
    scene.timeline.figure("line-broken-to-fault", told_s, LINE_TOLD_S)

    assert scene.told_faults() == [("line-open", "cho-xa")]
    assert told_s <= LINE_TOLD_S


@pytest.mark.needs("link", "relays", "sound")
def test_a_link_that_is_cut_and_comes_back(scene: Scene) -> None:
    """What is due airs without it; once it is back the province is told, each report once."""
    scene.set_up()
    scene.start()
    scene.publish(Slot(SHORT, 10))
    scene.link(Link.CUT)
    scene.on_the_air()
    scene.all_open()
    assert scene.as_runs() == []
    scene.link(Link.UP)
    back_ns = time.monotonic_ns()
    scene.within(90 / scene.bench.setup.slow, lambda: scene.as_runs())
    scene.timeline.figure("link-back-to-report", (scene.timeline.happens("reported") - back_ns) / 1e9)

    assert scene.as_runs() == [("gio-tin-1", "aired", None)]


@pytest.mark.needs("wall-clock", "link", "relays", "sound")
def test_a_week_without_a_link(scene: Scene) -> None:
    """What is due each day airs each day; once the link is back the province is told of every one of them, once."""
    scene.set_up()
    scene.start()
    scene.publish(Slot(SHORT, 10, daily=True))
    scene.link(Link.CUT)
    scene.on_the_air()
    scene.all_open()
    for day in range(1, WEEK_DAYS):
        next_ns = time.monotonic_ns()
        scene.bench.set_clock(scene.due_s + day * DAY_S - DAY_BEGINS_S - time.time())
        scene.within(30, partial(scene.sounds, next_ns))
        scene.all_open()
    assert scene.as_runs() == []
    scene.link(Link.UP)
    scene.within(90, lambda: len(scene.as_runs()) == WEEK_DAYS)

    assert scene.as_runs() == [("gio-tin-1", "aired", None)] * WEEK_DAYS


@pytest.mark.needs("modem", "link", "relays", "sound")
def test_a_modem_that_hangs(scene: Scene) -> None:
    """Nothing goes through it until it is started anew, and it is; what is due meanwhile airs."""
    scene.set_up(MODEM)
    modem = scene.bench.modem()
    scene.start()
    scene.within(20, lambda: scene.status().get("link_up"))
    scene.publish(Slot(SHORT, 10))
    hung_ns = scene.timeline.happens("modem-hung")
    modem.needs = "restart"
    scene.link(Link.CUT)
    scene.on_the_air()
    scene.all_open()
    scene.within(MODEM_CURED_S, lambda: modem.is_on_line)
    scene.link(Link.UP)
    scene.within(60, lambda: scene.status().get("link_up"))
    scene.timeline.figure("modem-hung-to-link", (scene.timeline.happens("modem-cured") - hung_ns) / 1e9)
    scene.within(30, lambda: scene.as_runs())

    assert [said for said in modem.heard if "CFUN" in said] == ["AT+CFUN=4", "AT+CFUN=1", "AT+CFUN=1,1"]
    assert scene.as_runs() == [("gio-tin-1", "aired", None)]
    assert {("modem-cure", "reconnect"), ("modem-cure", "restart")} <= set(scene.told_faults())


@pytest.mark.needs("ears", "relays", "sound")
def test_a_stranger_on_the_air(scene: Scene) -> None:
    """Somebody speaks where nothing is on the air: it is told, with a recording that is kept; no relay moves."""
    scene.set_up(EARS)
    scene.start()
    scene.within(SILENT_S * 2, lambda: heard_s(scene.bench.shell) > SILENT_S)
    begun_ns = time.monotonic_ns() - round((heard_s(scene.bench.shell) - SILENT_S) * 1e9)
    scene.timeline.happens("stranger", begun_ns)
    scene.within(STRANGER_TOLD_S * 2, lambda: scene.told_faults())
    told_s = (scene.timeline.happens("fault") - begun_ns) / 1e9
    scene.timeline.figure("stranger-to-fault", told_s, STRANGER_TOLD_S)
    (fault,) = scene.operator.reports("fault")
    kept = scene.bench.run("sha256sum", f"{STATE}/evidence/{fault['detail']['file']}").stdout

    assert fault["code"] == FOREIGN and told_s <= STRANGER_TOLD_S
    assert kept.split()[0] == fault["detail"]["sha256"]
    assert not any(change.closed for change in scene.bench.changes(scene.timeline.began_ns))


@pytest.mark.needs("tpm", "power", "relays", "sound")
def test_a_key_that_a_chip_has_sealed(scene: Scene) -> None:
    """What ``ttcs-edge enrol`` made opens whenever this board is switched on, and on no other: there the station has
    no link, and airs what it has.
    """
    scene.set_up()
    scene.enrol()
    listed = scene.bench.shell(f"ls -l {IDENTITY}/ | sed -n 's/.* station.key/station.key/p'").splitlines()
    assert listed == [f"station.key -> {OPENED}", "station.key.sealed"]
    lies_open = f"grep -rlsF 'PRIVATE KEY-----' /etc/ttcs-edge {STATE} /var/log /tmp /root || true"
    assert scene.bench.shell(lies_open) == ""
    scene.start(at_boot=True)
    scene.within(30, lambda: scene.status().get("link_up"))
    scene.cut_power()
    scene.power_on()
    scene.within(30, lambda: scene.status().get("link_up"))
    scene.publish(Slot(SHORT, 40, late_s=1_800))
    scene.within(20, lambda: scene.status()["next_cues"][0]["planned_ms"] == round(scene.due_s * 1_000))
    scene.bench.shell(f"systemctl stop {UNIT}; sync")
    scene.bench.change_board()
    on_ns = scene.timeline.happens("other-board")
    scene.within(60, lambda: scene.sounds(on_ns))
    scene.all_open()

    assert {one["code"]: dict(one["detail"])["reason"] for one in scene.status()["faults"]} == {
        "link-down": "own-files"
    }
    assert (scene.as_runs(), scene.bench.shell(lies_open)) == ([], "")


@pytest.mark.needs("limits")
def test_a_program_that_takes_all_it_can_get(scene: Scene) -> None:
    """In the place of the daemon, as its unit has it: it gets no more tasks and no more memory than that gives."""
    scene.set_up()
    scene.lay(
        {
            f"usr/local/lib/{GREEDY.name}": GREEDY.read_text(),
            f"{DROP_IN[1:]}/greedy.conf": in_place_of_the_daemon(f"-u /usr/local/lib/{GREEDY.name} {GREEDY_MB}"),
        }
    )
    scene.bench.run("systemctl", "daemon-reload")
    try:
        scene.bench.run("systemctl", "start", UNIT, check=False)
        said = scene.bench.shell(f"journalctl --unit {UNIT} --output=cat --boot").splitlines()
        shown = scene.bench.shell(f"systemctl show {UNIT} --property=TasksMax,MemoryMax")
        killed = scene.bench.shell("journalctl --dmesg --boot --output=cat --grep 'Memory cgroup out of memory'")
    finally:
        scene.bench.shell(f"rm -r {DROP_IN}; systemctl daemon-reload")
    most = dict(line.split("=") for line in shown.split())
    (tasks,) = (int(line.split()[1]) for line in said if line.startswith("tasks "))
    held_mb = max(int(line.split()[1]) for line in said if line.startswith("megabytes "))

    assert (tasks, most["TasksMax"]) == (256, "256")
    assert int(most["MemoryMax"]) / 2**20 - 2 * GREEDY_MB < held_mb < int(most["MemoryMax"]) / 2**20
    assert killed.count("python") == 1
    assert "enough" not in said


@pytest.mark.needs("link", "relays", "sound")
def test_an_alert_over_a_slow_link(scene: Scene) -> None:
    """It is heard while the link is at its worst."""
    scene.set_up()
    scene.start()
    scene.within(20, lambda: scene.status().get("link_up"))
    scene.link(Link.SLOW)
    warned_ns = scene.warn(HIGH)
    scene.within(60, lambda: [sound for sound in scene.sounds(warned_ns) if sound.hertz // 100 == 20])
    scene.timeline.figure("alert-to-sound", (scene.first_heard_ns(warned_ns) - warned_ns) / 1e9)
    scene.all_open(40)


@pytest.mark.needs("clock", "relays", "sound")
def test_a_clock_that_is_lost(scene: Scene) -> None:
    """air-7: nobody keeps the clock, so nothing of the schedule airs, and that is told; the alert is heard."""
    scene.set_up(trust="kernel")
    scene.start()
    scene.publish(Slot(SHORT))
    scene.within(20, lambda: "no-time" in scene.faults())
    scene.wait_until_due(more_s=2)
    assert not any(change.closed for change in scene.bench.changes(scene.timeline.began_ns)) and not scene.sounds()
    warned_ns = scene.warn(HIGH)
    scene.within(60, lambda: [sound for sound in scene.sounds(warned_ns) if sound.hertz // 100 == 20])
    scene.all_open()

    assert {slot.partition(":")[0] for slot, outcome, _ in scene.as_runs() if outcome == "aired"} <= {"alert"}


@pytest.mark.needs("install", "relays", "sound")
def test_an_update_and_a_downgrade_with_a_cue_due(scene: Scene) -> None:
    """``make install`` of a newer release over a running station, and of the older one over that, each ended while a
    cue is about to air: it airs on time, and what aired under the other release is not lost.
    """
    renamed = f"sed -i 's/{__version__}/{NEWER}/' {OTHER}/ttcs_edge/__init__.py"
    scene.bench.shell(f"rm -rf {OTHER}; cp -a {CHECKOUT} {OTHER}; {renamed}")
    scene.set_up()
    scene.start(at_boot=True)
    for checkout, version in ((OTHER, NEWER), (CHECKOUT, __version__)):
        aired, before = len(scene.as_runs()), scene.main_pid()
        scene.publish(Slot(SHORT, 60))
        scene.bench.shell(f"cd {checkout} && make install")
        scene.timeline.happens("updated" if checkout is OTHER else "downgraded")
        scene.within(10, partial(scene.is_active, not_pid=before))
        assert scene.status()["version"] == version
        assert time.time() < scene.due_s, "it took too long to prove anything"
        # It was due a minute behind its publication.
        scene.within(90, partial(lambda known: len(scene.as_runs()) > known, aired))
        late_s = scene.timeline.figure("late", scene.late_s(), 0.1)
        assert abs(late_s) < 0.1

    assert scene.as_runs() == [("gio-tin-1", "aired", None)] * 2
