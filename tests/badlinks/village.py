"""A village whose line can be spoilt: pole and centre each in a network of its own, real daemon, broker and web server.

The pole's programme has a cue every few seconds. Whatever is done to the line, ``Village.reckon`` asks the same of
every case: each cue was heard on time through closed relays, and was told once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

from tests.badlinks.line import Line
from tests.badlinks.names import Names
from tests.badlinks.place import Place
from tests.parts import (
    ROOT,
    SCOPE,
    Authority,
    Broker,
    Clip,
    Listener,
    Province,
    Station,
    eventually,
    local,
    make_programme,
    newer,
    put_chunks,
)
from tests.system.sight import check_numbers, heard_ms, status
from ttcs_edge.core.documents import Bulletin, Programme, Slot

NAME = "broker.ttcs.test"
BROKER_PORT, WEB_PORT = 8883, 443
CUE_EVERY_S, CUES = 5, 40
FIRST_CUE_S = 9
CODEC_MS = 100
"""How much less may be heard of a cue than its encoder was told: its silent head."""
LATE_MOST = timedelta(milliseconds=500)
TOPIC = f"{ROOT}/scope/{SCOPE}/programme"
_numbers = count(os.getpid() % 100)


class Village:
    """One pole, one centre, the line between them."""

    def __init__(self, folder: Path, clip: Clip, cleanup: ExitStack) -> None:
        self.folder, self.clip = folder, clip
        self._number = next(_numbers) % 250 + 1
        self.pole, self.centre = Place(), Place()
        cleanup.callback(self.pole.close)
        cleanup.callback(self.centre.close)
        self.line = Line(self.pole, self.centre, self._number)
        cleanup.callback(self.line.close)
        self.home, self.elsewhere = f"10.231.{self._number}.9", f"10.231.{self._number}.10"
        self.centre.ip(f"address add {self.home} dev lo")
        self.names = Names(self.centre, self.line.far, {NAME: self.home})
        cleanup.callback(self.names.close)
        (folder / "resolv.conf").write_text(f"nameserver {self.line.far}\noptions timeout:1 attempts:1\n")
        self.pole.resolve_by(folder / "resolv.conf")
        authority = Authority(folder / "authority", servers=(NAME,))
        self.web = Web(self, authority)
        self.broker = Broker(folder / "broker", authority, BROKER_PORT, "0.0.0.0")
        self.start_broker()
        cleanup.callback(self.broker.stop)
        self.listener = self.centre.run(lambda: Listener(self.broker))
        cleanup.callback(self.listener.close)
        self.province = Province()
        self.station = Station(folder / "station", self.broker, self.province)
        self.programme = self._programme()
        cleanup.callback(self._end_station)

    def settle(self, keepalive_s: int) -> None:
        """Have the programme in force, its audio on the pole, and the first cue heard."""
        station = self.station
        station.install()
        text = station.config.read_text().replace("{host: 127.0.0.1", f"{{host: {NAME}, keepalive_s: {keepalive_s}")
        station.config.write_text(text)
        put_chunks(self.listener, self.clip)
        self.listener.publish(TOPIC, self.province.sign(self.programme))
        self.pole.run(station.start)
        eventually(lambda: status(station).get("cache", {}).get("stored_files") == 1, 20)
        eventually(lambda: self.told(), 40)

    def start_broker(self) -> None:
        """Begin, or begin again."""
        self.centre.run(self.broker.start)

    def lose_broker(self) -> None:
        """Its machine goes without a word: no FIN, and nobody behind the address."""
        self.centre.ip(f"address del {self.home} dev lo")
        self.broker.stop(signal.SIGKILL)

    def return_broker(self) -> None:
        """The machine is back at its address; it knows nothing of the connection that was."""
        self.centre.ip(f"address add {self.home} dev lo")
        self.start_broker()

    def publish_fetched(self, clip: Clip, place: str | None = None) -> None:
        """Publish a newer programme, with audio that is to be fetched: from the web server, or another place."""
        self.web.put(clip)
        audio = clip.audio(place or f"https://{NAME}/{clip.path.name}")
        bulletin = Bulletin(id="moi", title="Tin mới", audio=(audio,))
        slot = Slot(id="moi", start=local(3_000), bulletins=("moi",))
        newest = newer(
            self.programme, bulletins=(*self.programme.bulletins, bulletin), slots=(*self.programme.slots, slot)
        )
        self.listener.publish(TOPIC, self.province.sign(newest))

    def stored_files(self) -> int:
        """How many files of audio are whole on the pole."""
        return int(status(self.station).get("cache", {}).get("stored_files", 0))

    def faults(self, code: str) -> list[dict[str, Any]]:
        """What the pole itself tells of a fault that is there."""
        return [fault for fault in status(self.station).get("faults", ()) if fault["code"] == code]

    def told(self) -> list[dict[str, Any]]:
        """What the centre has heard of cues, one for each id."""
        return list({report["id"]: report for report in self.listener.reports("as-run")}.values())

    def heard_cues(self) -> int:
        """How many cues people heard whole at both zones, by the relays."""
        return self.heard_ms() // (self.clip.duration_ms - CODEC_MS)

    def heard_ms(self) -> int:
        """How much sound went out at both zones through closed relays and a warm amplifier."""
        return min(heard_ms(self.station, zone) for zone in ("gpio27", "gpio22"))

    def healed(self) -> bool:
        """The link is up and has brought all that waited."""
        now = status(self.station)
        return bool(now.get("link_up")) and now.get("outbox", {}).get("depth") == 0

    def reckon(self) -> str:
        """End the pole in order, and ask what became of every cue that was due; gives a line that says it."""
        assert self.station.stop() == 0
        due = [slot for slot in self.programme.slots if _over_by(slot, self.clip) < datetime.now(timezone.utc)]
        eventually(lambda: len(self.told()) >= len(due), 10)
        told = {report["occurrence"]: report for report in self.told()}
        counted = Counter(report["occurrence"] for report in self.told())
        assert max(counted.values()) == 1, f"told under two ids: {counted.most_common(3)}"
        for slot in due:
            report = told[f"{SCOPE}#{slot.id}@{slot.start}"]
            assert report["outcome"] == "aired", report
            late = datetime.fromisoformat(report["start"]) - datetime.fromisoformat(report["planned_start"])
            assert timedelta(milliseconds=-5) <= late <= LATE_MOST, report
        assert self.heard_cues() >= len(due), f"the relays let {self.heard_ms()} ms of {len(due)} cues through"
        check_numbers(self.listener)
        times = len(self.listener.reports("as-run"))
        return f"{len(due)} cues heard and told once, in {times} messages; line: {self.line.told()}"

    def _programme(self) -> Programme:
        bulletin = Bulletin(id="tin", title="Tin", audio=(self.clip.audio(),))
        starts = [local(FIRST_CUE_S + number * CUE_EVERY_S) for number in range(CUES)]
        slots = tuple(Slot(id=f"s{n:02}", start=start, bulletins=("tin",)) for n, start in enumerate(starts))
        return make_programme(bulletins=(bulletin,), slots=slots)

    def _end_station(self) -> None:
        if self.station.process is not None:
            self.station.process.kill()
            self.station.process.wait()


class Web:
    """A real nginx at the centre, begun when there is something to serve."""

    def __init__(self, village: Village, authority: Authority) -> None:
        self._village = village
        self._folder = village.folder / "web"
        self._certificate, self._key = authority.server()
        self._process: subprocess.Popen[bytes] | None = None
        self.is_portal = False

    def put(self, clip: Clip) -> None:
        """Serve a file."""
        (self._folder / "root").mkdir(parents=True, exist_ok=True)
        (self._folder / "root" / clip.path.name).write_bytes(clip.data)
        self.start()

    def start(self) -> None:
        """Begin; as a captive portal it answers whatever is asked with its login page."""
        self.stop()
        folder, address = self._folder, self._village.home
        login = 'default_type text/html; return 200 "<html>Please log in</html>";' if self.is_portal else ""
        temporary = "".join(f"{name}_temp_path {folder}/t;" for name in _TEMPORARY)
        (folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
            f"http {{ access_log {folder}/access.log; {temporary}\n"
            f" server {{ listen {address}:{WEB_PORT} ssl; ssl_certificate {self._certificate};\n"
            f" ssl_certificate_key {self._key}; location / {{ root {folder}/root; {login} }} }} }}\n"
        )
        command = ["/usr/sbin/nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        self._process = self._village.centre.run(lambda: subprocess.Popen(command))

    def stop(self) -> None:
        """End."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _over_by(slot: Slot, clip: Clip) -> datetime:
    """When a cue has certainly ended and been told."""
    start = datetime.fromisoformat(slot.start).replace(tzinfo=timezone(timedelta(hours=7)))
    return start + timedelta(milliseconds=clip.duration_ms + 3_000)


@contextmanager
def village(folder: Path, clip: Clip) -> Iterator[Village]:
    """A village, taken down to the last device however its story ends."""
    folder.mkdir(parents=True)
    with ExitStack() as cleanup:
        made = Village(folder, clip, cleanup)
        cleanup.callback(made.web.stop)
        yield made


def wait(condition: Callable[[], object], timeout_s: float, what: str, village: Village) -> float:
    """Wait for something; gives how long it took, and says what it was when it does not come."""
    began_s = time.monotonic()
    while not condition():
        waited_s = time.monotonic() - began_s
        assert waited_s < timeout_s, f"{what}: not within {timeout_s:.0f} s; {status(village.station)}"
        time.sleep(0.1)
    return time.monotonic() - began_s
