"""What people do to a station on a bench, and what they see and hear: the words in which scenarios are written."""

from __future__ import annotations

import base64
import io
import math
import os
import random
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tests.central.test_enrol import Person, code_of
from tests.parts import ROOT, Broker, Listener, eventually, local
from tests.rig.air import write_stranger
from tests.rig.bench import AMPLIFIER, QUIET_DB, RELAYS, ZONES, Bench, Change, Heard, Link
from tests.rig.pole import UNIT, Centre
from tests.rig.record import Timeline
from ttcs_edge.central.main import main
from ttcs_edge.core.model import ZoneId
from ttcs_edge.training.boards import Boards
from ttcs_edge.training.enrolled import enrolled
from ttcs_edge.training.pole import STEP_MS
from ttcs_edge.training.pole import Pole as Physics

T = TypeVar("T")
STATION = "da-teh-01"
PLACE = "vn/lam-dong/da-teh"
CENTRAL = "ttcs_edge.central.main"
METER, MODEM, EARS = "meter", "modem", "ears"
OPTIONAL = {"rs485": METER, "modem": MODEM, "monitor": EARS}
"""What of a bench's ``station.yaml`` is written only where a scenario has that part."""
METER_UNIT = 10
TONE_W = 40
WARM_UP_S = 1.0
HOLD_S = 2.0
GAP_NS = 400_000_000
"""What is not silent for longer is one sound."""
PITCH_NS = 450_000_000
"""Shorter ones are edges of others."""
LEAD_S = 5.0
"""The amplifier is on before its cue falls due."""
DUE_S = 300.0
"""How far ahead a cue may be, on a bench that is slow and whose programme takes long to be published."""
STEADY = "sine={hertz}:r=48000:d={seconds}"
WAVERING = "sine={hertz}:r=48000:d={seconds},tremolo=f=0.3:d=0.9"
"""Louder and softer as speech is, for what is judged by whether the power follows."""


@dataclass(frozen=True)
class Clip:
    """A recording: how long and how high, and whether it wavers."""

    seconds: float
    hertz: int = 1_000
    wavers: bool = False

    def make(self, folder: Path) -> Path:
        """Its file, made once."""
        path = folder / f"{self.hertz}-{self.seconds:g}-{self.wavers}.opus"
        if not path.exists():
            sound = (WAVERING if self.wavers else STEADY).format(hertz=self.hertz, seconds=self.seconds)
            command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", f"{sound},adelay=100"]
            subprocess.run([*command, "-c:a", "libopus", "-ac", "1", path], check=True)
        return path


@dataclass(frozen=True)
class Slot:
    """A bulletin that falls due some seconds after its programme came, in some zones or in all."""

    clip: Clip
    after_s: float = 0
    zones: tuple[str, ...] = ()
    late_s: int = 0
    daily: bool = False


@dataclass(frozen=True)
class Sound:
    """A stretch of sound without a gap."""

    begin_ns: int
    end_ns: int
    hertz: int


class Metered:
    """The pole as physics has it, fed with what the bench sees and hears, and the meter before its amplifier."""

    def __init__(self, bench: Bench) -> None:
        self.pole = Physics(random.Random(1), {ZoneId(zone): TONE_W for zone in ZONES})
        self.boards = bench.boards()
        self.boards.meters[METER_UNIT] = self.pole.reading
        self._bench = bench
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """It is taken away."""
        self._over.set()
        self._thread.join()
        self.boards.meters.clear()

    def _run(self) -> None:
        next_s, seen_ns = time.monotonic(), time.monotonic_ns()
        while not self._over.wait(max(0.0, next_s - time.monotonic())):
            next_s += STEP_MS / 1_000
            heard = self._bench.heard(seen_ns)
            seen_ns = heard[-1].at_ns + 1 if heard else seen_ns
            closed = self._bench.closed()
            zones = frozenset(ZoneId(zone) for zone in closed if zone != AMPLIFIER)
            powers = [10 ** (one.rms_db / 10) for one in heard]
            level_db = 10 * math.log10(sum(powers) / len(powers)) if powers else None
            self.pole.pass_step(AMPLIFIER in closed, zones, level_db)


class Scene:
    """A station of a centre on a bench, enrolled and not yet started, with a broker that knows nothing yet."""

    def __init__(self, bench: Bench, centre: Centre, broker: Broker, folder: Path) -> None:
        self.bench = bench
        self.centre = centre
        self.broker = broker
        self.operator = Listener(broker)
        self._published = Listener(broker, client_id="publications", subscribe=f"{ROOT}/scope/#")
        self.timeline = Timeline()
        self.meter: Metered | None = None
        self.due_s = 0.0
        """When the first cue of the programme falls due, by the wall clock."""
        self.seen: dict[str, Any] = {}
        """The timeline, once the scenario is over: what the bench knew of it is forgotten with the next one."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Everybody goes."""
        if self.meter is not None:
            self.meter.close()
        self.operator.close()
        self._published.close()

    def within(self, seconds: float, condition: Callable[[], T]) -> T:
        """Wait for something; the bench may be slower than a board."""
        try:
            return eventually(condition, seconds * self.bench.setup.slow)
        except AssertionError:
            print(self.status())
            print(self.bench.run("journalctl", "--no-pager", "--lines=40", "--output=cat", check=False).stdout)
            raise

    # what is done

    def set_up(self, *parts: str, trust: str = "host") -> None:
        """Enrol it and fit its settings to the bench, with these ``parts`` of it."""
        tree = self._folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        etc = tree / "etc/ttcs-edge"
        etc.mkdir(parents=True)
        enrolled(self.centre.folder, STATION, etc, again=True)
        (etc / "station.yaml").write_text(yaml.safe_dump(self._config(parts, trust), allow_unicode=True))
        if METER in parts:
            self.meter = Metered(self.bench)
        if EARS in parts:
            write_stranger(tree / self.bench.setup.station["monitor"]["wav_file"][1:])
        self.bench.put(tree)
        self.bench.shell("chown root:ttcs /etc/ttcs-edge/trust; chmod 750 /etc/ttcs-edge/trust; chmod 755 /etc")

    def enrol(self) -> None:
        """Make it the station anew with its own command, by stick: its key is made there and stays there."""
        usb, here = "/root/usb", self._folder / "usb"
        self.bench.shell(f"rm -rf {usb}; mkdir {usb}")
        words = ("enrol", self.centre.folder, STATION, "--broker", f"{self.bench.setup.broker_host}:{self.broker.port}")
        operator = Person(self._folder, CENTRAL, *words, "--by-stick", "--again")
        code = code_of(operator)
        assert operator.ends() == os.EX_OK, operator.screen
        enrol = f"umask 077; printf '{code}\\n' | ttcs-edge --lang en enrol"
        self.bench.shell(f"{enrol} --again --to {usb}")
        asked = base64.b64decode(self.bench.shell(f"tar -C {usb} -c . | base64"))
        with tarfile.open(fileobj=io.BytesIO(asked)) as packed:
            packed.extractall(here)
        operator = Person(self._folder, CENTRAL, *words, "--from", here, "--again")
        operator.types("y")
        assert operator.ends() == os.EX_OK, operator.screen
        self.bench.shell(f"rm -r {usb}")
        tree = self._folder / "answered"
        shutil.copytree(here, tree / usb[1:])
        self.bench.put(tree)
        self.bench.shell(f"{enrol} --from {usb}")
        config = "etc/ttcs-edge/station.yaml"  # by what this bench calls the broker only the bench can know
        self.lay({config: (self._folder / "tree" / config).read_text()})

    def lay(self, files: dict[str, str]) -> None:
        """Lay files over its file system, as root's."""
        tree = self._folder / "laid"
        for name, content in files.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.bench.put(tree)

    def _config(self, parts: Sequence[str], trust: str) -> dict[str, Any]:
        etc, setup = "/etc/ttcs-edge", self.bench.setup
        identity = f"{etc}/identity"
        broker = {"host": setup.broker_host, "port": self.bench.broker_port(self.broker.port), "keepalive_s": 20}
        files = {"ca": f"{identity}/ca.pem", "certificate": f"{identity}/station.pem", "key": "credential:station.key"}
        zones = [{"id": zone, "name": zone, "pin": pin} for zone, pin in ZONES.items()]
        fitted = {name: part for name, part in setup.station.items() if OPTIONAL.get(name) in (None, *parts)}
        if METER in parts:
            zones = [zone | {"tone_w": TONE_W} for zone in zones]
            fitted["meter"] = {"unit": METER_UNIT, "idle_w": 25, "most_w": 600, "others_w": 8}
        return {
            "id": STATION,
            "scope": PLACE,
            "time_zone": "Asia/Ho_Chi_Minh",
            "broker": broker | files,
            "zones": zones,
            "amplifier": {"pin": RELAYS[AMPLIFIER], "warm_up_s": WARM_UP_S, "hold_s": HOLD_S},
            "sequencing": {"zone_stagger_s": 0.1, "fade_in_s": 0.1, "fade_out_s": 0.2},
            "heartbeat_s": 5,
            "store": {"audio_mb": 64, "free_mb": 16},
            "clock": {"trust": trust},
        } | fitted

    def start(self, at_boot: bool = False) -> None:
        """Start the service, and have it start with the machine."""
        if at_boot:
            self.bench.run("systemctl", "enable", "--quiet", UNIT)
        done = self.bench.run("systemctl", "start", UNIT, check=False)
        assert done.returncode == 0, self.bench.shell(f"journalctl --unit {UNIT} --no-pager --lines=50")
        self.timeline.happens("started")

    def publish(self, *slots: Slot) -> None:
        """Publish a programme whose cues fall due some seconds after the station has it, its audio fetched before."""
        began_s = time.monotonic()
        self._publish(slots, 3_600)
        took_s = time.monotonic() - began_s
        files = len({slot.clip for slot in slots})
        self.within(60, lambda: self.status().get("cache", {}).get("stored_files", 0) >= files)
        self._publish(slots, 2 + 1.5 * took_s + 2 * (self.bench.setup.slow - 1))
        self.timeline.happens("published")

    def _publish(self, slots: Sequence[Slot], later_s: float) -> None:
        bulletins = {f"tin-{number}": slot for number, slot in enumerate(slots, 1)}
        starts = {name: local(later_s + slot.after_s) for name, slot in bulletins.items()}
        self.due_s = min(datetime.fromisoformat(f"{start}+07:00").timestamp() for start in starts.values())
        programme = {
            "scope": PLACE,
            "time_zone": "Asia/Ho_Chi_Minh",
            "valid_days": 14,
            "bulletins": [
                {"id": name, "title": name, "file": str(slot.clip.make(self._folder.parent))}
                for name, slot in bulletins.items()
            ],
            "slots": [
                {"id": f"gio-{name}", "start": starts[name], "bulletins": [name], "zones": list(slot.zones)}
                | ({"late_window_s": slot.late_s} if slot.late_s else {})
                | ({"rrule": "FREQ=DAILY"} if slot.daily else {})
                for name, slot in bulletins.items()
            ],
        }
        file = self._folder / "programme.yaml"
        file.write_text(yaml.safe_dump(programme, allow_unicode=True))
        assert main(["publish", str(self.centre.folder), str(file), "--via-broker"]) == os.EX_OK

    def warn(self, clip: Clip) -> int:
        """Send an alert out; gives when."""
        words = [
            "--headline",
            "Lũ quét",
            "--audio",
            str(clip.make(self._folder.parent)),
            "--expires-in",
            "60",
            "--repeat",
            "0",
        ]
        how = ["--severity", "Extreme", "--urgency", "Immediate", "--certainty", "Observed"]
        where = ["--scope", PLACE, "--via-broker", "--yes", "--wait", "1"]
        command = threading.Thread(
            target=main,
            args=(["alert", str(self.centre.folder), "lu-quet", "--set", "noi=suối", *words, *how, *where],),
        )
        before = len(self._published.messages)
        command.start()
        eventually(lambda: any("/alert/" in topic for topic, _ in self._published.messages[before:]), 30)
        at_ns = self.timeline.happens("alert")
        command.join()
        return at_ns

    def cut_power(self) -> int:
        """Take the power away; gives when."""
        at_ns = self.timeline.has_power(False)
        self.bench.cut_power()
        return at_ns

    def power_on(self) -> int:
        """Give the power back and wait until the machine is up; gives when it came."""
        at_ns = self.timeline.has_power(True)
        self.bench.power_on()
        return at_ns

    def link(self, state: Link) -> None:
        """Cut, slow or mend the link."""
        self.timeline.has_link(state)
        self.bench.link(state)

    # what is seen and heard

    def status(self) -> dict[str, Any]:
        """What the daemon says of itself."""
        return self.bench.ask({"ask": "status"})

    def faults(self) -> set[str]:
        """The faults that a technician is shown."""
        return {fault["code"] for fault in self.status().get("faults", ())}

    def position_ms(self) -> int:
        """How far the cue on the air has come."""
        return int((self.status().get("on_air") or {}).get("position_ms", 0))

    def on_the_air(self) -> None:
        """Wait until sound is heard, through a warm amplifier and closed zones."""
        since_ns = time.monotonic_ns()
        self.wait_until_due()
        self.within(30, lambda: self.bench.heard(since_ns))
        assert AMPLIFIER in self.bench.closed()

    def wait_until_closed(self, *subjects: str) -> None:
        """Wait until relays are closed for the first cue."""
        self.wait_until_due(more_s=-LEAD_S)
        self.within(30, lambda: self.bench.closed() >= set(subjects))

    def all_open(self, within_s: float = 20) -> None:
        """Wait until every relay is open."""
        self.within(within_s, lambda: not self.bench.closed())

    def opened_ns(self, since_ns: int) -> int:
        """When the last relay opened."""
        return max(change.at_ns for change in self.bench.changes(since_ns) if not change.closed)

    def main_pid(self) -> int:
        """The daemon's process id, there."""
        return int(self.bench.run("systemctl", "show", UNIT, "--value", "--property=MainPID").stdout)

    def is_active(self, not_pid: int = 0) -> bool:
        """Whether the service manager heard READY, of another process than one."""
        shown = self.bench.run("systemctl", "show", UNIT, "--property=ActiveState,MainPID", check=False).stdout
        found = dict(line.split("=") for line in shown.split())
        return found.get("ActiveState") == "active" and int(found["MainPID"]) not in (0, not_pid)

    def sounds(self, since_ns: int = 0) -> list[Sound]:
        """What was heard, in stretches of one pitch that are long enough to have one."""
        found = stretches(self.bench.heard(max(since_ns, self.timeline.began_ns)))
        return [sound for sound in found if sound.end_ns - sound.begin_ns > PITCH_NS]

    def first_heard_ns(self, since_ns: int, but_hertz: int = 0) -> int:
        """When anything was heard first, other than a sound that was there before."""
        heard = self.bench.heard(since_ns)
        return next(one.at_ns for one in heard if abs(one.hertz - but_hertz) > 0.1 * but_hertz)

    def wait_until_due(self, more_s: float = 0) -> None:
        """Wait until the first cue has fallen due."""
        eventually(lambda: time.time() > self.due_s + more_s, DUE_S)

    def as_runs(self) -> list[tuple[str, str, str | None]]:
        """What aired, as the centre was told: slot, outcome, reason; each report once."""
        reports = {report["id"]: report for report in self.operator.reports("as-run")}.values()
        return [(one["slot"], one["outcome"], one["reason"]) for one in reports]

    def witnessed(self) -> list[bool | None]:
        """Whether what aired was seen to go out, as the centre was told; each report once."""
        return [one["witnessed"] for one in {one["id"]: one for one in self.operator.reports("as-run")}.values()]

    def late_s(self) -> float:
        """How late the last cue began, as the centre was told."""
        report = self.operator.reports("as-run")[-1]
        begun, planned = (datetime.fromisoformat(report[name]) for name in ("start", "planned_start"))
        return (begun - planned).total_seconds()

    def boards(self) -> Boards:
        """What hangs on its serial line."""
        return self.bench.boards()

    def told_faults(self) -> list[tuple[str, str]]:
        """The faults that the centre was told of: code and subject."""
        return [(one["code"], one["subject"]) for one in self.operator.reports("fault") if one["cleared"] is None]


def stretches(heard: Sequence[Heard]) -> Iterable[Sound]:
    """Sounds of one pitch without a gap."""
    begin: Heard | None = None
    last: Heard | None = None
    pitches: list[int] = []
    for one in (one for one in heard if one.rms_db > QUIET_DB):
        if begin is not None and last is not None:
            apart = one.at_ns - last.at_ns > GAP_NS
            if apart or abs(one.hertz - pitches[len(pitches) // 2]) > 0.1 * max(one.hertz, 100):
                yield Sound(begin.at_ns, last.at_ns + 100_000_000, sorted(pitches)[len(pitches) // 2])
                begin, pitches = None, []
        begin, last = begin or one, one
        pitches.append(one.hertz)
    if begin is not None and last is not None:
        yield Sound(begin.at_ns, last.at_ns + 100_000_000, sorted(pitches)[len(pitches) // 2])


def under_sound(changes: Iterable[Change], sounds: Iterable[Sound], margin_ms: int) -> list[Change]:
    """The relays that moved while sound was going out; ``margin_ms`` of its ends are left out."""
    margin_ns = margin_ms * 1_000_000
    spans = [(sound.begin_ns + margin_ns, sound.end_ns - margin_ns) for sound in sounds]
    return [change for change in changes if any(begin < change.at_ns < end for begin, end in spans)]
