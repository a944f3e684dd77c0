"""SIM, network, signal, operator and a cure, over a real serial line (a pty) that vanishes and comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.modems import NOON_MS, Mobile
from tests.parts import eventually
from ttcs_edge.core.effects import CureModem
from ttcs_edge.core.events import CureDone, DataCounted, Event, ModemFailed, ModemRead
from ttcs_edge.core.model import MODEM, CureStep, ModemReading, Registration, SimState
from ttcs_edge.daemon.modem import LEAST_S, ModemWatch, NoModem, modem_watch
from ttcs_edge.drivers.at import ANSWER_BYTES, Answer, AtError, AtPort, read_answer
from ttcs_edge.drivers.clock import Told
from ttcs_edge.drivers.modem import ModemClock, SerialModem, operator_of, registration_of, signal_of
from ttcs_edge.drivers.relays import Answer as RelayAnswer
from ttcs_edge.drivers.relays import RelayError
from ttcs_edge.settings import ModemSettings

WELL = ModemReading(SimState.READY, Registration.HOME, "Viettel", -71)
Plug = Callable[..., tuple[Mobile, SerialModem]]


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    """Plugs a modem in, and gives the station's side of it, once it is there."""
    plugged: list[Mobile] = []

    def plug(**mood: object) -> tuple[Mobile, SerialModem]:
        mobile = Mobile(tmp_path / "usb-SimTech-if03-port0", **mood)  # type: ignore[arg-type]
        plugged.append(mobile)
        eventually(mobile.name.exists)
        return mobile, SerialModem(ModemSettings(mobile.name), answer_s=0.6)

    yield plug
    for mobile in plugged:
        mobile.close()


def test_what_a_modem_tells_is_read_in_one_go(plug: Plug) -> None:
    """SIM, signal, registration and operator; nothing is asked of 2G while 4G is there."""
    mobile, modem = plug()

    assert modem.read() == WELL
    assert mobile.heard == ["AT", "AT+CMEE=1", "AT+CPIN?", "AT+CSQ", "AT+CEREG?", "AT+COPS?"]


MOODS: dict[str, dict[str, object]] = {
    "echo off": {"echo": False},
    "byte by byte": {"piece": 1},
    "half lines": {"piece": 7},
    "chatty": {"unasked": b'\r\nRING\r\n\r\n+CREG: 1,"1F2A","01A2B301",7\r\n\r\n+CEREG: 2\r\n\r\n^RSSI: 17\r\n'},
    "noise before": {"noise": b"\x00\xff\x8a\r\n\xfe\xfe\r\n"},
    "a late OK before each answer": {"noise": b"\r\nOK\r\n"},
    "an old error of a call": {"unasked": b"\r\nNO CARRIER\r\n"},
}


@pytest.mark.parametrize("mood", MOODS)
def test_whatever_its_mood_it_is_understood(plug: Plug, mood: str) -> None:
    """With and without echo, in pieces, with words between, with noise."""
    _, modem = plug(**MOODS[mood])

    assert modem.read() == WELL


SIMS = [
    (b"+CPIN: READY\r\n\r\nOK", SimState.READY),
    (b"+CPIN: SIM PIN\r\n\r\nOK", SimState.PIN),
    (b"+CPIN: SIM PUK\r\n\r\nOK", SimState.PUK),
    (b"+CPIN: PH-NET PIN\r\n\r\nOK", SimState.UNKNOWN),
    (b"+CME ERROR: 10", SimState.MISSING),
    (b"+CME ERROR: 11", SimState.PIN),
    (b"+CME ERROR: 12", SimState.PUK),
    (b"+CME ERROR: 13", SimState.MISSING),
    (b"+CME ERROR: 14", SimState.UNKNOWN),
    (b"+CME ERROR: SIM not inserted", SimState.MISSING),
    (b"+CME ERROR: SIM failure", SimState.MISSING),
    (b"ERROR", SimState.UNKNOWN),
]


@pytest.mark.parametrize(("says", "sim"), SIMS)
def test_each_state_of_the_sim_is_told_apart(plug: Plug, says: bytes, sim: SimState) -> None:
    """By numbers and by words; a SIM that is busy is not one that is missing."""
    _, modem = plug(says={"AT+CPIN?": b"\r\n" + says + b"\r\n"})

    assert modem.read().sim is sim


def test_a_modem_on_3g_is_registered_there_and_one_that_is_denied_says_so(plug: Plug) -> None:
    """Denied anywhere counts more than looked for elsewhere."""
    mobile, modem = plug(says={"AT+CEREG?": b"\r\nERROR\r\n", "AT+CGREG?": b'\r\n+CGREG: 2,5,"1F2A","1"\r\n\r\nOK\r\n'})
    assert modem.read().registration is Registration.ROAMING
    mobile.says["AT+CGREG?"] = b"\r\n+CGREG: 0,2\r\n\r\nOK\r\n"
    mobile.says["AT+CREG?"] = b"\r\n+CREG: 0,3\r\n\r\nOK\r\n"
    assert modem.read() == ModemReading(SimState.READY, Registration.DENIED, "", -71)


@pytest.mark.parametrize(
    ("text", "dbm"),
    [("0,99", -113), ("1,0", -111), ("31,99", -51), ("99,99", None), ("32,99", None), ("", None), ("x", None)],
)
def test_the_signal_is_in_dbm(text: str, dbm: int | None) -> None:
    """TS 27.007, 8.5: both ends, and what is no measure."""
    assert signal_of(text) == dbm


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0,1", Registration.HOME),
        ("2,5,1F2A,01A2", Registration.ROAMING),
        ("0,10", Registration.ROAMING),
        ("0,8", Registration.DENIED),
        ("0,6", Registration.UNKNOWN),
        ("0,77", Registration.UNKNOWN),
        ('1,"1F2A"', Registration.UNKNOWN),
        ("1", Registration.UNKNOWN),
        ("", Registration.UNKNOWN),
    ],
)
def test_a_status_is_read_and_what_comes_unasked_is_not_taken_for_one(text: str, found: Registration) -> None:
    """Unasked there is no mode before it."""
    assert registration_of(text) is found


def test_an_operators_name_is_bounded_and_holds_nothing_that_moves_a_cursor() -> None:
    """It comes over the air."""
    assert operator_of('0,0,"\x1b[2JVina\x07phone",7') == "[2JVinaphone"
    assert len(operator_of(f'0,0,"{"x" * 60}",7')) == 32
    assert operator_of("0") == operator_of("") == ""


def test_each_way_not_to_answer_has_its_own_code(plug: Plug, tmp_path: Path) -> None:
    """No such port; a port that another program has; a modem that says nothing, or nothing but noise; a plain file."""
    import serial

    mobile, modem = plug()
    (tmp_path / "file").touch()
    assert why(SerialModem(ModemSettings(tmp_path / "none"))) == "modem-gone"
    assert why(SerialModem(ModemSettings(tmp_path / "file"))) == "modem-gone"
    with serial.Serial(str(mobile.name), exclusive=True):
        assert why(modem) == "modem-taken"
    assert modem.read() == WELL, "and works again once it is free"
    mobile.says["AT"] = b"\xf8\x80\x00\xf8" * 9
    assert why(modem) == "modem-silent"
    mobile.says["AT"] = b"\r\n^RSSI: 17\r\n" * (ANSWER_BYTES // 8)
    assert why(modem) == "modem-silent"
    mobile.needs = "power"
    began_s = time.monotonic()
    assert why(modem) == "modem-silent" and time.monotonic() - began_s < 4, "never-8: bounded"


def why(modem: SerialModem) -> str:
    """For what code a reading fails."""
    with pytest.raises(AtError) as failed:
        modem.read()
    assert str(failed.value)
    return failed.value.code


def test_a_modem_may_be_pulled_out_at_any_moment_and_is_found_again_by_its_name(plug: Plug) -> None:
    """In the middle of an answer, again and again: a code each time, never anything else; then it is as before."""
    power = threading.Event()
    power.set()
    mobile, modem = plug(has_power=power.is_set, boots_s=0.02, piece=1)
    over = threading.Event()

    def pull() -> None:
        while not over.wait(0.04):
            power.clear()
            over.wait(0.02)
            power.set()

    puller = threading.Thread(target=pull)
    puller.start()
    codes = set()
    for _ in range(12):
        try:
            assert modem.read() == WELL
        except AtError as error:
            codes.add(error.code)
    over.set()
    puller.join()

    assert codes <= {"modem-gone", "modem-silent"} and codes
    eventually(mobile.name.exists)
    assert modem.read() == WELL


def test_the_clock_and_the_watch_take_turns_at_one_port(plug: Plug) -> None:
    """Neither finds the port taken by the other, nor reads the other's answer."""
    mobile, modem = plug(piece=5)
    clock = ModemClock(mobile.name, 115_200, 600, answer_s=1.0)
    told: list[object] = []
    asking = threading.Thread(target=lambda: told.extend(clock.ask() for _ in range(8)))
    asking.start()
    readings = [modem.read() for _ in range(8)]
    asking.join()

    assert readings == [WELL] * 8
    assert [one.wall_ms for one in told if isinstance(one, Told)] == [NOON_MS + 500] * 8


def test_to_reconnect_it_leaves_the_network_and_stays_on_the_bus(plug: Plug) -> None:
    """The gentlest step: the port never vanishes."""
    mobile, modem = plug(needs="reconnect")
    modem.cure(CureStep.RECONNECT)

    assert mobile.heard == ["AT", "AT+CFUN=4", "AT+CFUN=1"] and mobile.is_on_line and mobile.starts == 1
    assert modem.read() == WELL


def test_to_restart_it_vanishes_and_comes_back_under_its_name(plug: Plug) -> None:
    """What leaving the network did not cure."""
    mobile, modem = plug(needs="restart")
    modem.cure(CureStep.RECONNECT)
    assert not mobile.is_on_line
    modem.cure(CureStep.RESTART)

    eventually(lambda: mobile.starts == 2 and mobile.name.exists())
    assert mobile.is_on_line and modem.read() == WELL


def test_a_modem_that_knows_another_word_for_a_restart_is_told_that(plug: Plug) -> None:
    """SIMCom's AT+CRESET; one that knows neither could not do it."""
    mobile, modem = plug(says={"AT+CFUN=1,1": b"\r\nERROR\r\n"})
    modem.cure(CureStep.RESTART)
    eventually(lambda: mobile.starts == 2 and mobile.name.exists())
    assert mobile.heard == ["AT", "AT+CFUN=1,1", "AT+CRESET"]

    mobile.says["AT+CRESET"] = b"\r\n+CME ERROR: 4\r\n"
    with pytest.raises(AtError, match=r"^AT\+CRESET: 4$"):
        modem.cure(CureStep.RESTART)


def test_a_hung_modem_says_that_a_step_could_not_be_taken(plug: Plug) -> None:
    """Nor does a step that it refuses count as taken."""
    mobile, modem = plug(says={"AT+CFUN=1": b"\r\n+CME ERROR: 3\r\n"})
    with pytest.raises(AtError, match=r"^AT\+CFUN=1: 3$"):
        modem.cure(CureStep.RECONNECT)
    mobile.name.unlink()
    with pytest.raises(AtError):
        modem.cure(CureStep.RESTART)


# the pure reader


@pytest.mark.parametrize(
    ("heard", "name", "answer"),
    [
        (b"", "+CSQ", None),
        (b"AT+CSQ\r", "+CSQ", None),
        (b"\r\n+CSQ: 21,9", "+CSQ", None),
        (b"\r\n+CSQ: 21,99\r\n", "+CSQ", None),
        (b"\r\n+CSQ: 21,99\r\n\r\nO", "+CSQ", None),
        (b"\r\n+CSQ: 21,99\r\n\r\nOK", "+CSQ", None),
        (b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n", "+CSQ", Answer(True, "21,99")),
        (b"\r\nOK\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n", "+CSQ", Answer(True, "21,99")),
        (b"\r\n+CSQ: 1,2\r\n+CSQ: 3,4\r\nOK\r\n", "+CSQ", Answer(True, "1,2")),
        (b"AT+CFUN=1\r\r\nOK\r\n", "", Answer(True)),
        (b"\r\nERROR\r\n", "+CSQ", Answer(False)),
        (b"\r\n+CME ERROR: 10\r\n", "+CPIN", Answer(False, error="10")),
        (b"\r\n+CMS ERROR: 500\r\n", "", Answer(False, error="500")),
        (b"\r\n+CPIN: not an OK\r\nNOT OK\r\n", "+CPIN", None),
        (b"\r\n+CPIN: \xff\xfe\r\nOK\r\n", "+CPIN", Answer(True, "\ufffd\ufffd")),
    ],
)
def test_an_answer_is_read_from_whole_lines_alone(heard: bytes, name: str, answer: Answer | None) -> None:
    """What is not whole yet may become anything."""
    assert read_answer(heard, name) == answer


@given(st.lists(st.sampled_from([b"\r\nRING\r\n", b"\r\n^RSSI: 9\r\n", b"\r\n\xff\x00\r\n", b"\r\n+CREG: 2\r\n"])))
def test_an_answer_is_the_same_wherever_it_is_cut(unasked: list[bytes]) -> None:
    """Byte by byte it is not over until it is, and then says what the whole says."""
    whole = b"AT+CSQ\r" + b"".join(unasked) + b"\r\n+CSQ: 7,99\r\n" + b"".join(unasked) + b"\r\nOK\r\n"
    cut = [read_answer(whole[:length], "+CSQ") for length in range(len(whole) + 1)]
    assert [one for one in cut if one is not None] == [Answer(True, "7,99")] * 2 or cut[-1] == Answer(True, "7,99")
    assert cut[-3] is None


def test_a_port_is_given_back_however_its_block_ends(plug: Plug) -> None:
    """Else nobody would ever have a turn again."""
    mobile, modem = plug()
    with pytest.raises(RuntimeError), AtPort(mobile.name, 115_200, 0.5):
        raise RuntimeError
    with pytest.raises(AtError), AtPort(mobile.name.with_name("none"), 115_200, 0.5):
        raise AssertionError("it is not there")
    assert modem.read() == WELL


# bytes


def kernel(folder: Path, rx: int, tx: int, ifindex: int = 3, boot: str = "0f1e2d3c-aaaa") -> SerialModem:
    """A modem whose interface the kernel counts."""
    statistics = folder / "net/wwan0/statistics"
    statistics.mkdir(parents=True, exist_ok=True)
    (statistics / "rx_bytes").write_text(f"{rx}\n")
    (statistics / "tx_bytes").write_text(f"{tx}\n")
    (folder / "net/wwan0/ifindex").write_text(f"{ifindex}\n")
    (folder / "boot_id").write_text(f"{boot}\n")
    settings = ModemSettings(folder / "none", interface="wwan0")
    return SerialModem(settings, net=folder / "net", boot_id=folder / "boot_id")


def test_bytes_are_counted_both_ways_under_a_name_of_their_own(tmp_path: Path) -> None:
    """Another start of the machine, or an interface that came anew, is another count; none is named 0."""
    first = kernel(tmp_path, 5, 7).count()
    assert first is not None and first[0] == 12 and 0 < first[1] < 2**41
    names = {first[1]}
    for ifindex, boot in ((4, "0f1e2d3c-aaaa"), (3, "00000000-0000"), (255, "ffffffff-ffff")):
        counted = kernel(tmp_path, 5, 7, ifindex, boot).count()
        assert counted is not None and counted[0] == 12 and 0 < counted[1] < 2**41
        names.add(counted[1])
    assert len(names) == 4


def test_an_interface_that_is_not_there_counts_nothing(tmp_path: Path) -> None:
    """The modem is out, or nobody named one, or the kernel's files are not what they should be."""
    modem = kernel(tmp_path, 5, 7)
    (tmp_path / "net/wwan0/statistics/rx_bytes").write_text("many\n")
    assert modem.count() is None
    (tmp_path / "net/wwan0/statistics/rx_bytes").unlink()
    assert modem.count() is None
    assert SerialModem(ModemSettings(tmp_path / "none")).count() is None


# the thread that looks after it


class Relays:
    """Takes what the modem's supply is told; ``error`` is what becomes of it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []
        self.error: RelayError | None = None

    def tell(self, subject: str, closed: bool, answer: RelayAnswer) -> None:
        """One switch."""
        self.told.append((subject, closed))
        answer(self.error)


class Scripted:
    """A modem that says what the test wants."""

    def __init__(self) -> None:
        self.reading: ModemReading | AtError = WELL
        self.counted: tuple[int, int] | None = None
        self.reads = 0

    def read(self) -> ModemReading:
        """What it is now."""
        self.reads += 1
        if isinstance(self.reading, AtError):
            raise self.reading
        return self.reading

    def cure(self, step: CureStep) -> None:
        """As it is read."""
        self.read()

    def count(self) -> tuple[int, int] | None:
        """What the kernel says."""
        return self.counted


def watched(every_s: float = 600) -> tuple[Scripted, Relays, list[Event], ModemWatch]:
    """A watch, not started, over a modem and relays."""
    modem, relays, posted = Scripted(), Relays(), list[Event]()
    return modem, relays, posted, ModemWatch(modem, every_s, relays, posted.append)  # type: ignore[arg-type]


def test_only_what_is_news_is_told() -> None:
    """The core is not woken for a signal that wanders, nor for a fault that it knows."""
    modem, _, posted, watch = watched()
    for reading in (WELL, WELL, replaced(-75), replaced(-76), replaced(-77), AtError("modem-silent", "AT"), WELL):
        modem.reading = reading
        watch.look(0)
    modem.reading = AtError("modem-gone", "none")
    watch.look(0)
    watch.look(0)

    assert posted == [
        ModemRead(WELL),
        ModemRead(replaced(-77)),
        ModemFailed("modem-silent", "AT"),
        ModemRead(WELL),
        ModemFailed("modem-gone", "none"),
    ]


def replaced(dbm: int) -> ModemReading:
    """The same with another signal."""
    return ModemReading(WELL.sim, WELL.registration, WELL.operator, dbm)


def test_bytes_are_told_by_the_megabyte_and_what_is_left_every_hour() -> None:
    """A heartbeat's bytes wake nobody; a count that begins again is told at once; also of a modem that hangs."""
    modem, _, posted, watch = watched()
    modem.reading = AtError("modem-silent", "AT")
    for mono_s, counted in (
        (0, None), (1, (500, 7)), (2, (900, 7)), (3, (1_000_600, 7)), (4, (1_000_700, 7)), (3_604, (1_000_800, 7)),
        (3_605, (3, 8)), (9_000, (3, 8)), (9_001, (2, 8)),
    ):  # fmt: skip
        modem.counted = counted
        watch.look(mono_s)

    told = [(one.counter_bytes, one.counter_of) for one in posted if isinstance(one, DataCounted)]
    assert told == [(500, 7), (1_000_600, 7), (1_000_800, 7), (3, 8), (2, 8)]


def test_the_supply_is_cut_by_the_relay_and_given_back_by_its_opening() -> None:
    """never-2: an open relay is a modem that has power. What became of it is told, also of one that does not obey."""
    _, relays, posted, watch = watched()
    watch.take(CureModem(CureStep.POWER_OFF))
    relays.error = RelayError(MODEM, "GPIO26", "reads 1 after 0")
    watch.take(CureModem(CureStep.POWER_ON))

    assert relays.told == [(MODEM, True), (MODEM, False)]
    assert posted == [
        CureDone(CureStep.POWER_OFF),
        CureDone(CureStep.POWER_ON, "modem (GPIO26): reads 1 after 0"),
    ]


def test_steps_are_taken_on_the_own_thread_and_told() -> None:
    """never-8: whoever asks for one does not wait for it."""
    modem, _, posted, watch = watched()
    watch.start()
    watch.link(True)
    eventually(lambda: modem.reads == 1)
    modem.reading = AtError("modem-silent", "AT+CFUN=4: b''")
    watch.take(CureModem(CureStep.RECONNECT))
    eventually(lambda: CureDone(CureStep.RECONNECT, "AT+CFUN=4: b''") in posted)
    modem.reading = WELL
    watch.take(CureModem(CureStep.RESTART))
    eventually(lambda: CureDone(CureStep.RESTART) in posted)
    watch.close(1.0)


def test_a_link_that_is_lost_has_it_looked_at_soon_and_one_that_flaps_not_often() -> None:
    """At once, but for the least span between two looks."""
    modem, _, _, watch = watched()
    watch.start()
    eventually(lambda: modem.reads == 1)
    began_s = time.monotonic()
    for n in range(20):
        watch.link(bool(n % 2))
    eventually(lambda: modem.reads == 2, LEAST_S + 3)
    assert time.monotonic() - began_s > LEAST_S - 1
    watch.close(1.0)


def test_a_station_without_a_modem_has_no_thread() -> None:
    """Nothing is started, nothing is waited for, and no step can be asked for."""
    before = threading.active_count()
    nobody = modem_watch(None, Relays(), lambda event: None)  # type: ignore[arg-type]
    nobody.start()
    nobody.link(False)
    nobody.close(0)
    assert isinstance(nobody, NoModem) and threading.active_count() == before
    with pytest.raises(AssertionError):
        nobody.take(CureModem(CureStep.RESTART))
