"""The modem: what it tells of SIM, network and signal, the network's time, the bytes of its interface, and what is done
when it hangs. How it is asked, ``at`` knows.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import CureStep, ModemReading, Registration, SimState
from ttcs_edge.core.timekeeping import FLOOR_MS, TimeSource
from ttcs_edge.drivers.at import ANSWER_S, AtError, AtPort
from ttcs_edge.drivers.clock import Told
from ttcs_edge.settings import ModemSettings

FUNCTION_S = 20.0
"""How long AT+CFUN may take: 15 s by the manuals of Quectel's EC2x and SIMCom's SIM7600."""
ATTENTION_S = 1.0
ATTENTION_TRIES = 3
"""The first letters after a while wake some modems, and are lost."""
TRIES = 2
"""How often a question is put that was answered with noise."""
FAILED_AGAIN_S = 15.0
"""When to ask for the time again after no answer: at most, for a modem may be asked more often."""
NET = Path("/sys/class/net")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_CLOCK = re.compile(rb'^\+CCLK: *"(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)([+-]\d\d)?"\s*$', re.MULTILINE)
_REFUSED = re.compile(rb"^(ERROR|\+CME ERROR:.*)\s*$", re.MULTILINE)
_DONE = re.compile(rb"^OK\s*$", re.MULTILINE)

_PIN_WORDS = {"READY": SimState.READY, "SIM PIN": SimState.PIN, "SIM PUK": SimState.PUK}
_PIN_ERRORS = {
    "10": SimState.MISSING,
    "11": SimState.PIN,
    "12": SimState.PUK,
    "13": SimState.MISSING,
    "15": SimState.MISSING,
    "SIM NOT INSERTED": SimState.MISSING,
    "SIM PIN REQUIRED": SimState.PIN,
    "SIM PUK REQUIRED": SimState.PUK,
    "SIM FAILURE": SimState.MISSING,
    "SIM WRONG": SimState.MISSING,
}
"""TS 27.007, 9.2.1: numbers, or words where a modem was told to use them."""
_STAT = {
    0: Registration.UNKNOWN,
    1: Registration.HOME,
    2: Registration.SEARCHING,
    3: Registration.DENIED,
    4: Registration.UNKNOWN,
    5: Registration.ROAMING,
    8: Registration.DENIED,
    9: Registration.HOME,
    10: Registration.ROAMING,
}
"""TS 27.007, 10.1.22: 8 is for emergency calls only; 6 and 7 bring short messages and no data."""
_REGISTERED = (Registration.HOME, Registration.ROAMING)
_TELLING = (Registration.DENIED, Registration.SEARCHING)
_STATUS = re.compile(r"\d,(\d{1,2})(?:,|$)")
_OPERATOR = re.compile(r'\d,\d,"([^"]*)"')
_SIGNAL = re.compile(r"(\d{1,3}),\d{1,3}$")
RSSI_MOST = 31
RSSI_LEAST_DBM, RSSI_STEP_DB = -113, 2
"""TS 27.007, 8.5: 0 is -113 dBm or less, 31 is -51 or more, 99 is not known."""


class Modem(Protocol):
    """The modem of a station.

    Must: answer with what it is now, or raise AtError, within two minutes. May: be asked at any time, also when it is
    not there. Never: change what NetworkManager or ModemManager has set; touch a port that another program has open.
    One thread calls.
    """

    def read(self) -> ModemReading:
        """Ask it. Raises AtError when it does not answer."""

    def cure(self, step: CureStep) -> None:
        """Take a step that is taken by asking it. Raises AtError when it did not do as told."""

    def count(self) -> tuple[int, int] | None:
        """The bytes of its interface, both ways, and what names this count; None where nothing counts."""


class SerialModem:
    """A modem at a serial port; ``net`` and ``boot_id`` stand for the kernel's."""

    def __init__(
        self, settings: ModemSettings, answer_s: float = ANSWER_S, net: Path = NET, boot_id: Path = BOOT_ID
    ) -> None:
        self._settings = settings
        self._answer_s = answer_s
        self._net = net
        self._boot_id = boot_id

    def read(self) -> ModemReading:
        """Ask for SIM, signal, network and operator, in one go."""
        with self._open() as port:
            self._call(port)
            port.ask("AT+CMEE=1")  # errors by their numbers; it counts for this port alone
            pin = port.ask("AT+CPIN?", "+CPIN", tries=TRIES)
            sim = _PIN_WORDS.get(pin.text, SimState.UNKNOWN) if pin.done else _sim_of(pin.error)
            signal = port.ask("AT+CSQ", "+CSQ", tries=TRIES)
            registration = self._registration(port)
            operator = ""
            if registration in _REGISTERED:
                operator = operator_of(port.ask("AT+COPS?", "+COPS", tries=TRIES).text)
        return ModemReading(sim, registration, operator, signal_of(signal.text))

    def cure(self, step: CureStep) -> None:
        """Have it leave the network and look for it anew, or start anew."""
        with self._open() as port:
            self._call(port)
            if step is CureStep.RECONNECT:
                _told(port, "AT+CFUN=4")
                _told(port, "AT+CFUN=1")
            else:
                assert step is CureStep.RESTART, f"{step} is no question"
                _restarted(port)

    def count(self) -> tuple[int, int] | None:
        """Of the interface; it is another count behind a start of the machine, and for an interface that came anew."""
        if self._settings.interface is None:
            return None
        folder = self._net / self._settings.interface
        try:
            both = [int((folder / "statistics" / name).read_text()) for name in ("rx_bytes", "tx_bytes")]
            boot = int(self._boot_id.read_text()[:8], 16)
            number = int((folder / "ifindex").read_text())
        except (OSError, ValueError):  # it is not there now
            return None
        return sum(both), (boot << 8 | number & 0xFF) + 1

    def _open(self) -> AtPort:
        return AtPort(self._settings.port, self._settings.baud, self._answer_s)

    def _call(self, port: AtPort) -> None:
        """See whether it listens at all: one that hangs is not waited for at each question."""
        port.ask("AT", answer_s=min(ATTENTION_S, self._answer_s), tries=ATTENTION_TRIES)

    def _registration(self, port: AtPort) -> Registration:
        """4G first; a modem that is on 3G or 2G is registered there."""
        found = []
        for name in ("+CEREG", "+CGREG", "+CREG"):
            answer = port.ask(f"AT{name}?", name, tries=TRIES, like=_STATUS)
            found.append(registration_of(answer.text) if answer.done else Registration.UNKNOWN)
            if found[-1] in _REGISTERED:
                return found[-1]
        return next((one for one in _TELLING if one in found), Registration.UNKNOWN)


def _told(port: AtPort, command: str) -> None:
    answer = port.ask(command, answer_s=FUNCTION_S)
    if not answer.done:
        raise AtError("modem-silent", f"{command}: {answer.error or 'ERROR'}")


def _restarted(port: AtPort) -> None:
    """SIMCom's know a word of their own, too. A port that vanishes meanwhile is what was wanted."""
    try:
        if not port.ask("AT+CFUN=1,1", answer_s=FUNCTION_S).done:
            _told(port, "AT+CRESET")
    except AtError as error:
        if error.code != "modem-gone":
            raise


def _sim_of(error: str) -> SimState:
    return _PIN_ERRORS.get(error.upper(), SimState.UNKNOWN)


def signal_of(text: str) -> int | None:
    """What AT+CSQ measures, in dBm.

    >>> signal_of("21,99")
    -71
    """
    match = _SIGNAL.match(text)
    rssi = int(match[1]) if match else RSSI_MOST + 1
    return RSSI_LEAST_DBM + RSSI_STEP_DB * rssi if rssi <= RSSI_MOST else None


def registration_of(text: str) -> Registration:
    """What AT+CEREG?, AT+CGREG? or AT+CREG? tells: the mode of its unasked words first, then the status.

    >>> registration_of('2,1,"1F2A","01A2B301",7')
    <Registration.HOME: 'home'>
    """
    match = _STATUS.match(text)
    return _STAT.get(int(match[1]), Registration.UNKNOWN) if match else Registration.UNKNOWN


def operator_of(text: str) -> str:
    """Whose network AT+COPS? names, empty when it names none.

    >>> operator_of('0,0,"Viettel",7')
    'Viettel'
    """
    match = _OPERATOR.match(text)
    return (
        "".join(letter for letter in match[1] if letter.isprintable())[: LIMITS.operator_chars].strip() if match else ""
    )


class ModemClock:
    """One serial port with a modem behind it that knows the network's time: AT+CCLK? (TS 27.007, 8.15).

    A modem tells a date of its maker's choice until the network told it another. The answer is

        +CCLK: "yy/MM/dd,hh:mm:ss±zz"

    in local time, with the zone in quarters of an hour. An answer without its zone is not used: seven hours are too
    much to guess.
    """

    source = TimeSource.MODEM

    def __init__(self, port: Path, baud: int, every_s: float, answer_s: float = ANSWER_S) -> None:
        self._port = port
        self._baud = baud
        self._every_s = every_s
        self._answer_s = answer_s

    def ask(self) -> Told | str:
        """The time, or ``unreadable`` (no such port, or it is taken), ``silent``, ``refused``, or what ``read`` says.

        AT+CTZU=1 has the network's time set the modem's clock from now on; what the modem says to that is its own.
        """
        try:
            with AtPort(self._port, self._baud, self._answer_s) as port:
                port.hear("AT+CTZU=1", lambda told: _ends(told, _DONE))
                heard = port.hear("AT+CCLK?", lambda told: _ends(told, _CLOCK))  # a late OK to the first is no answer
                return read(heard.replace(b"\r", b"\n"), time.monotonic_ns() // 1_000_000)
        except AtError:
            return "unreadable"

    def rest_s(self, told: bool) -> float:
        """Sooner after no answer: the network may be there by then."""
        return self._every_s if told else min(self._every_s, FAILED_AGAIN_S)


def _ends(heard: bytes, enough: re.Pattern[bytes]) -> bool:
    text = heard.replace(b"\r", b"\n")
    return bool(enough.search(text) or _REFUSED.search(text))


def read(answer: bytes, mono_ms: int) -> Told | str:
    """What an answer to AT+CCLK? says: a time, or a code of why it says none.

    ``silent``: nothing came but an echo; ``refused``: the modem said ERROR; ``garbled``: no date is in it; ``no-zone``:
    local time of nobody knows where; ``factory-date``: the network did not set it yet (80/01/06, 70/01/01 and so on).

    >>> read(b'+CCLK: "26/11/25,08:40:12+28"\\n\\nOK\\n', 0)
    Told(wall_ms=1795570812500, mono_ms=0)
    """
    match = _CLOCK.search(answer)
    if match is None:
        if _REFUSED.search(answer):
            return "refused"
        return "garbled" if answer.replace(b"AT+CCLK?", b"").strip() else "silent"
    *numbers, zone = match.groups()
    year, month, day, hour, minute, second = (int(number) for number in numbers)
    quarters = int(zone) if zone is not None else 0
    try:
        century = 1900 if year >= 70 else 2000
        local = datetime(century + year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return "garbled"
    wall_ms = round((local - timedelta(minutes=15 * quarters)).timestamp() * 1_000) + 500
    if wall_ms < FLOOR_MS:
        return "factory-date"
    return "no-zone" if zone is None else Told(wall_ms, mono_ms)
