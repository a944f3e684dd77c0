"""`make demo`: the main job on real parts, told on a terminal in at most 90 seconds.

A province (ttcs-central), a real Mosquitto with TLS, a real nginx for the audio, and a station with real libvlc and
mock lines. What is promised is looked for from outside: at the lines, in the WAV file, at the province. The exit code
is 0 only if all of it was seen.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import wave
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from math import log10, sqrt
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.parts import ROOT, Broker, Listener, Province, Station, eventually, free_port, make_clip, make_programme
from tests.system.sight import line_log, sound_runs, status
from ttcs_edge.central.broker_rules import RIGHTS
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.revocation import revoked
from ttcs_edge.core.documents import Bulletin, Slot
from ttcs_edge.drivers.pins import level
from ttcs_edge.training.enrolled import enrolled
from ttcs_edge.training.speakers import card, follow

FOLDER = Path("build/demo").resolve()
SCOPE = "vn/lam-dong"
STATION = "da-teh-01"
LEAD_S = 22
LAMPS = {17: "Tăng âm / amplifier", 27: "Chợ / market", 22: "Đình / hall"}
PROGRAMME = """\
scope: vn/lam-dong
time_zone: Asia/Ho_Chi_Minh
valid_days: 2
bulletins:
  - id: thoi-tiet
    title: Bản tin thời tiết
    text: Đây là bản tin thời tiết. Chiều nay có mưa to ở Đạ Tẻh, bà con đề phòng lũ quét.
slots:
  - id: demo
    start: {start}
    bulletins: [thoi-tiet]
"""
console = Console(highlight=False)


@dataclass
class Seen:
    """What was promised, what was seen of it."""

    rows: list[tuple[str, str, bool]] = field(default_factory=list)

    def tell(self, promise: str, seen: str, ok: bool) -> None:
        """Note one promise."""
        self.rows.append((promise, seen, ok))
        console.print(f"   {'✔' if ok else '✘'} {promise}: {seen}", style="green" if ok else "bold red")


class Watch:
    """`ttcs-central watch --json`, running."""

    def __init__(self, centre: Path) -> None:
        self.lines: list[dict[str, Any]] = []
        command = [program("ttcs-central"), "watch", str(centre), "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def reports(self, kind: str) -> list[dict[str, Any]]:
        """Every report of a kind that came."""
        found = [line["report"] for line in list(self.lines) if "report" in line]
        return [report for report in found if report["kind"] == kind]


def program(name: str) -> str:
    """A command of ours, from the environment that runs this."""
    return str(Path(sys.executable).parent / name)


def central(*arguments: str) -> None:
    """One command of the province; its words are shown."""
    done = subprocess.run([program("ttcs-central"), *arguments], capture_output=True, text=True)
    for line in (done.stdout + done.stderr).splitlines():
        console.print(f"     {line}", style="dim")
    if done.returncode:
        raise SystemExit(f"ttcs-central {arguments[0]}: {done.returncode}")


def say(vietnamese: str, english: str) -> None:
    """One step of the story."""
    console.print(f"\n[bold]▶ {vietnamese}[/]\n  [dim]{english}[/]")


def start_nginx(audio: Path, certificate: Path, port: int) -> subprocess.Popen[bytes]:
    """A real web server for the audio."""
    folder = FOLDER / "nginx"
    folder.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; {user} pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log {folder}/access.log; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;"
        f" fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f" server {{ listen 127.0.0.1:{port} ssl; root {audio}; ssl_certificate {certificate};"
        f" ssl_certificate_key {certificate.with_suffix('.key')}; }} }}\n"
    )
    return subprocess.Popen(["/usr/sbin/nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])


class CentreCertificates:
    """The centre's own certificates, where the test parts look for an authority's."""

    def __init__(self, centre: Path) -> None:
        self.ca_file = centre / "ca.pem"
        self._centre = centre

    def server(self) -> tuple[Path, Path]:
        """The broker's."""
        return self._centre / "servers/127.0.0.1.crt", self._centre / "servers/127.0.0.1.key"

    def client(self, name: str) -> tuple[Path, Path]:
        """The operator's."""
        return self._centre / "operator.crt", self._centre / "operator.key"

    def revoked(self) -> bytes:
        """Those taken back."""
        return revoked(open_centre(self._centre))


class InstalledStation(Station):
    """A station that was installed from the province's one file."""

    def enrol(self, centre: Path) -> None:
        """What a technician does: make the key here and have it certified, then fill in the poles."""
        self.folder.mkdir(parents=True)
        (self.folder / "run").mkdir()
        enrolled(centre, STATION, self.folder)
        text = (self.folder / "station.yaml").read_text().replace("/etc/ttcs-edge", str(self.folder))
        begin = text.split("\nzones:")[0].replace("credential:station.key", str(self.folder / "identity/station.key"))
        self.config.write_text(begin + POLES.format(folder=self.folder))


POLES = """
zones:
  - {{id: cho, name: Chợ, pin: 27}}
  - {{id: dinh, name: Đình, pin: 22}}
amplifier: {{pin: 17, warm_up_s: 2, hold_s: 2}}
sequencing: {{zone_stagger_s: 0.4, fade_in_s: 0.2, fade_out_s: 0.3}}
sound: {{driver: wav, wav_file: {folder}/aired.wav}}
pins: {{factory: mock, mock_folder: {folder}/lines}}
heartbeat_s: 5
https: {{ca: {folder}/identity/ca.pem}}
store: {{audio_mb: 64, free_mb: 16}}
clock: {{trust: host}}
folders: {{trust: {folder}/trust, state: {folder}/state, runtime: {folder}/run}}
"""


def draw_until(station: Station, done: Callable[[], bool], timeout_s: float) -> None:
    """Show the lamps and the sound whenever one changes, until something is so."""
    before: tuple[object, ...] = ()
    deadline_s = time.monotonic() + timeout_s
    while not done() and time.monotonic() < deadline_s:
        title = (status(station).get("on_air") or {}).get("title", "")
        lit = [level(station.lines, pin) for pin in LAMPS]
        if (title, *lit) != before:
            before = (title, *lit)
            lamps = "   ".join(
                f"[{'bold yellow' if on else 'dim'}]{'●' if on else '○'} {name}[/]"
                for on, name in zip(lit, LAMPS.values(), strict=True)
            )
            sound = f"   [bold green]♪ {title}[/]" if title else ""
            console.print(f"     {datetime.now():%H:%M:%S.%f}"[:-4] + f"  {lamps}{sound}")
        time.sleep(0.02)


def second_by_second(path: Path) -> list[float]:
    """RMS of each second of a WAV file, in dB below full scale."""
    with wave.open(str(path)) as aired:
        rate, data = aired.getframerate(), array("h", aired.readframes(aired.getnframes()))
    levels = []
    for begin in range(0, len(data), rate):
        part = data[begin : begin + rate]
        rms = sqrt(sum(sample * sample for sample in part) / len(part))
        levels.append(round(20 * log10(max(rms, 1) / 32_768), 1))
    return levels


def main() -> int:
    """Tell the story; 0 when everything promised was seen."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    began_s = time.monotonic()
    cleanup: list[Callable[[], object]] = []
    seen = Seen()
    try:
        tell_the_story(seen, cleanup)
    finally:
        for end in reversed(cleanup):
            end()
    return show(seen, time.monotonic() - began_s)


def tell_the_story(seen: Seen, cleanup: list[Callable[[], object]]) -> None:
    """The province, the station, and everything between them."""
    centre, audio, web_port = FOLDER / "centre", FOLDER / "audio", free_port()
    audio.mkdir()
    say("Tỉnh lập trung tâm và cấp chứng chỉ cho trạm", "The province makes a centre, and certifies the station's key")
    broker_port = free_port()
    address = f"127.0.0.1:{broker_port}"
    central("init", str(centre), "--scope", SCOPE, "--broker", address, "--audio-url", f"https://127.0.0.1:{web_port}")
    central("server-certificate", str(centre), "127.0.0.1")
    central("add-station", str(centre), STATION, "--scope", f"{SCOPE}/da-teh")
    certificates = CentreCertificates(centre)
    central("broker-config", str(centre))
    broker = Broker(FOLDER / "broker", certificates, broker_port)
    broker.follow(centre / "broker" / RIGHTS)
    broker.start()
    cleanup.append(broker.stop)
    nginx = start_nginx(audio, certificates.server()[0], web_port)
    cleanup.append(nginx.terminate)
    watch = Watch(centre)
    cleanup.append(watch.process.terminate)

    station = InstalledStation(FOLDER / "station", broker, Province(), STATION)
    station.enrol(centre)
    say("Trạm khởi động: mọi rơ-le mở trước hết", "The station starts: every relay is opened before anything else")
    station.start()
    cleanup.append(lambda: station.process and station.stop())
    eventually(lambda: status(station).get("link_up"))
    listen_along(station.folder / "aired.wav", cleanup)

    publish(seen, station, centre, audio)
    air_offline(seen, station, broker, watch)
    refuse_a_stranger(seen, station, broker, watch)
    say("Trạm dừng", "The station is stopped")
    stop_s = time.monotonic()
    code = station.stop()
    open_now = not any(level(station.lines, pin) for pin in LAMPS)
    seen.tell("stops within 3 s, all relays open", f"{time.monotonic() - stop_s:.1f} s, exit {code}", open_now)


def listen_along(aired: Path, cleanup: list[Callable[[], object]]) -> None:
    """Where there is a sound card, let it be heard."""
    sink = card()
    if sink is None:
        console.print("     không có loa: chỉ ghi tệp WAV / no sound card: the WAV file only", style="dim")
        return
    done = threading.Event()
    ear = threading.Thread(target=follow, args=(aired, sink, done), daemon=True)
    ear.start()
    cleanup.extend([lambda: ear.join(5), done.set])


def publish(seen: Seen, station: Station, centre: Path, audio: Path) -> None:
    """The province publishes; the station fetches and verifies."""
    start = datetime.now(timezone(timedelta(hours=7))) + timedelta(seconds=LEAD_S)
    text = PROGRAMME.format(start=f"{start:%Y-%m-%d %H:%M:%S}")
    (FOLDER / "programme.yaml").write_text(text)
    say(f"Tỉnh phát hành chương trình, phát lúc {start:%H:%M:%S}", "The province publishes a programme, signed")
    central("publish", str(centre), str(FOLDER / "programme.yaml"), "--audio-folder", str(audio))
    cache = eventually(lambda: (status(station).get("cache") or {}).get("stored_files") and status(station)["cache"])
    programme = status(station)["programmes"][0]
    seen.tell("programme verified and in force", f"{programme['scope']} v{programme['version']}", True)
    seen.tell("audio fetched over HTTPS, hash checked", f"{cache['stored_bytes']} bytes", cache["stored_files"] == 1)


def air_offline(seen: Seen, station: Station, broker: Broker, watch: Watch) -> None:
    """The broker is gone; the bulletin airs on time; the proof arrives once the broker is back."""
    say("Máy chủ MQTT tắt: trạm không còn đường truyền", "The broker is stopped: the station has no link")
    broker.stop()
    eventually(lambda: status(station).get("link_up") is False)
    draw_until(station, lambda: bool(sound_runs(station)) and all_open(station), 45)
    say("Máy chủ MQTT trở lại: bằng chứng về đến tỉnh", "The broker returns: the proof arrives at the province")
    broker.start()
    report = eventually(lambda: watch.reports("as-run"), 20)[0]

    late_ms = wire_ms(report["start"]) - wire_ms(report["planned_start"])
    seen.tell("airs on time with the broker gone", f"first sample {late_ms} ms after its instant", -1 <= late_ms <= 20)
    ups = [line for line, value, _ in line_log(station) if value]
    seen.tell("amplifier, then zones one by one", " → ".join(ups), ups == ["gpio17", "gpio27", "gpio22"])
    runs = sound_runs(station)
    clashes = [line for line, _, at in line_log(station) if any(begin <= at < end for begin, end in runs)]
    seen.tell("no relay switches under sound", f"{len(clashes)} of {len(line_log(station))} changes", not clashes)
    levels = second_by_second(station.folder / "aired.wav")
    heard = f"{len(levels)} s, loudest second {max(levels)} dBFS: {station.folder / 'aired.wav'}"
    seen.tell("speech in the WAV file", heard, max(levels) > -30)
    item = report["items"][0]
    proof = f"{report['outcome']}, {item['written_ms']} ms of {item['duration_ms']} ms, sha256 {item['sha256'][:12]}…"
    seen.tell("as-run proof at the province", proof, report["outcome"] == "aired")


def refuse_a_stranger(seen: Seen, station: Station, broker: Broker, watch: Watch) -> None:
    """A programme signed by somebody else, put on the broker with the operator's own certificate."""
    say("Kẻ lạ ký một chương trình", "A stranger signs a programme")
    clip = make_clip(FOLDER, "stranger", 1)
    now = datetime.now(timezone(timedelta(hours=7))) + timedelta(seconds=5)
    slot = Slot(id="la", start=f"{now:%Y-%m-%dT%H:%M:%S}", bulletins=("la",))
    bulletin = Bulletin(id="la", title="Tiếng lạ", audio=(clip.audio(),))
    forged = make_programme(version=99, bulletins=(bulletin,), slots=(slot,))
    listener = Listener(broker, "operator", f"{ROOT}/none")
    listener.publish(f"{ROOT}/scope/{SCOPE}/programme", Province().sign(forged))
    listener.close()
    faults = eventually(lambda: [f for f in watch.reports("fault") if f["code"] == "not-enough-signatures"], 20)
    version = status(station)["programmes"][0]["version"]
    told = f"{faults[0]['code']} at {faults[0]['subject']}; v{version} still in force"
    seen.tell("a stranger's programme is refused", told, version == 1)


def all_open(station: Station) -> bool:
    """Tell whether every line is open."""
    return not any(level(station.lines, pin) for pin in LAMPS)


def wire_ms(text: str) -> int:
    """A wire time in milliseconds."""
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1_000)


def show(seen: Seen, taken_s: float) -> int:
    """The table of what was promised and what was seen."""
    table = Table(title="Hứa gì, thấy gì / promised and seen")
    for heading in ("promised", "seen", ""):
        table.add_column(heading, overflow="fold")
    for promise, what, ok in seen.rows:
        table.add_row(promise, what, "[green]✔[/]" if ok else "[red]✘[/]")
    console.print(table)
    good = sum(ok for _, _, ok in seen.rows)
    console.print(f"{good}/{len(seen.rows)} · {taken_s:.0f} s")
    return 0 if good == len(seen.rows) == 9 else 1


if __name__ == "__main__":
    sys.exit(main())
