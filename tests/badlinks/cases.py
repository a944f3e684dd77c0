"""The bad links themselves: how each is spoilt and mended, what may be told of it, how soon it must be whole again."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.badlinks.line import CLEAR, CUT, Way, narrow
from tests.badlinks.village import BROKER_PORT, NAME, Village, wait
from tests.system.sight import status

Step = Callable[[Village], None]
SOON_S = 30.0
"""A try under way may take 10 s to connect and 10 s to shake hands, the wait behind it 10 s."""
LOGIN_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<html>Please log in</html>"


@dataclass(frozen=True)
class Case:
    """One bad link. ``reasons``: what the fault ``link-down`` may name; empty when the link must hold.

    ``fetches``: new audio is published while the link is bad; True when it must come in all the same, and else the code
    of the fault that tells why it does not. ``keepalive_s`` is shorter than a station's own, so that a dead link is
    seen within the test; a narrow one may have so much under way that it must be longer. ``cues`` are
    heard before the link is mended; ``may_hold`` leaves it to chance whether it goes down at all.
    """

    name: str
    spoil: Step
    heal: Step
    reasons: frozenset[str] = frozenset()
    heal_within_s: float = SOON_S
    fetches: bool | str | None = None
    keepalive_s: int = 5
    cues: int = 2
    may_hold: bool = False

    @property
    def id(self) -> str:
        """Its name as pytest's command line takes it."""
        return re.sub(r"\W+", "-", self.name)


def be(both: Way | None = None, *, up: Way | None = None, down: Way | None = None) -> Step:
    """Have the line be so."""
    return lambda village: village.line.be(both, up=up, down=down)


def _nothing(village: Village) -> None:
    pass


def _forget_the_name(village: Village) -> None:
    village.names.known = {}
    village.broker.stop()


def _lose_the_name_server(village: Village) -> None:
    village.names.known = None
    village.broker.stop()


def _know_the_name(village: Village) -> None:
    village.start_broker()
    village.names.known = {NAME: village.home}


def _lie(village: Village) -> None:
    """The name leads to a machine on which nobody listens."""
    village.centre.ip(f"address del {village.home} dev lo")
    village.centre.ip(f"address add {village.home} dev lo")
    village.broker.stop()
    village.names.known = {NAME: village.line.far}


def _move(village: Village) -> None:
    """The old address is gone without a word, and the name is behind the times."""
    village.centre.ip(f"address del {village.home} dev lo")
    village.centre.ip(f"address add {village.elsewhere} dev lo")


def _tell_of_the_move(village: Village) -> None:
    village.names.known = {NAME: village.elsewhere}


class Portal:
    """Takes every connection to the broker's port and speaks HTTP, as a modem does whose data is used up."""

    def __init__(self) -> None:
        self._listener: socket.socket | None = None

    def stand(self, village: Village) -> None:
        """Put it before the broker."""
        village.broker.stop()
        self._listener = listener = village.centre.run(lambda: socket.create_server(("", BROKER_PORT)))
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def log_in(self, village: Village) -> None:
        """Let the way be free."""
        assert self._listener is not None
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        village.start_broker()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), connection:
                connection.settimeout(5)
                connection.recv(4_096)
                connection.sendall(LOGIN_PAGE)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4_096):
                    pass


def _page_for_audio(village: Village) -> None:
    village.web.is_portal = True


def _real_audio(village: Village) -> None:
    village.web.is_portal = False
    village.web.start()


def _flap(village: Village) -> None:
    """Up for seconds, down for longer, again and again."""
    for _ in range(3):
        village.line.be(CUT)
        wait(lambda: not _link_up(village), 40, "the link is seen to be down", village)
        village.line.be(CLEAR)
        wait(lambda: _link_up(village), 40, "the link is up for a moment", village)
    village.line.be(CUT)


def _link_up(village: Village) -> bool:
    return bool(status(village.station).get("link_up"))


def _cases() -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    clear, silent = be(CLEAR), frozenset({"lost", "timeout", "dns"})
    portal = Portal()
    short = (
        Case("a tenth lost, 200 ms each way", be(Way(loss=0.1, delay_s=0.2)), clear, fetches=True),
        Case("nothing comes down", be(down=CUT), clear, silent),
        Case("a captive portal on the broker's port", portal.stand, portal.log_in, frozenset({"no-tls"})),
        Case("the broker moved, and its name later", _move, _tell_of_the_move, frozenset({"lost", "timeout"})),
    )
    long = (
        Case("nothing goes up", be(up=CUT), clear, silent),
        Case("cut both ways", be(CUT), clear, silent),
        Case("the broker's machine gone without a word", Village.lose_broker, Village.return_broker, silent),
        Case("2 KB a second", be(narrow(2_048, 0.15)), clear, fetches=True, keepalive_s=60, cues=6),
        Case(
            "a third lost, half a second each way",
            be(Way(loss=0.3, delay_s=0.5)),
            clear,
            silent,
            60.0,
            cues=6,
            may_hold=True,
        ),
        Case("the name is not known", _forget_the_name, _know_the_name, frozenset({"dns"})),
        Case("the name server is silent", _lose_the_name_server, _know_the_name, frozenset({"dns"})),
        Case("the name leads elsewhere", _lie, _know_the_name, frozenset({"unreachable"})),
        Case("up for seconds, down for longer", _flap, clear, silent),
        Case("what is large is swallowed", be(Way(largest_bytes=576)), clear, frozenset({"lost", "timeout"}), 60.0),
        Case("a login page for the audio", _page_for_audio, _real_audio, fetches="short"),
    )
    return short, long


SHORT, LONG = _cases()
