"""Real parts for the tests: an authority, a Mosquitto, a province that signs, audio, a station process.

Everything lives in a folder of the test, on free ports of the loopback address, and ends with the test.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from msgspec.structs import replace
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from securesystemslib.signer import CryptoSigner

from ttcs_edge.central.authority import (
    Pair,
    make_authority,
    make_client_certificate,
    make_revocation_list,
    make_server_certificate,
)
from ttcs_edge.central.broker_rules import AUTHORITY, CERTIFICATE, KEY, REVOKED, RIGHTS, config, rights
from ttcs_edge.core.documents import (
    Audio,
    Bulletin,
    Document,
    Grant,
    Programme,
    PublicKey,
    Slot,
    TrustRoot,
)
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, Sha256
from ttcs_edge.link.client import client_id
from ttcs_edge.settings import BrokerSettings
from ttcs_edge.wire.documents import write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.topics import UPWARD, Topics

T = TypeVar("T")
ROOT = "ttcs/v1"
SCOPE = Scope("vn/lam-dong")
PLACE = Scope("vn/lam-dong/da-teh")


MORTAL = """
def mortal(owner, name):
    real = getattr(owner, name)
    def call(*arguments, **more):
        left[0] -= 1
        if left[0] == 0:
            os._exit(99)
        return real(*arguments, **more)
    setattr(owner, name, call)
"""
"""In a program with ``os`` and a list ``left``: of the calls that are made mortal, the n-th ends it as a power cut."""


ACCEPTS = 0x10000
"""__SO_ACCEPTCON of a socket's flags. Source: linux/net.h."""


def eventually(condition: Callable[[], T | Literal[False] | None], timeout_s: float = 30.0) -> T:
    """Wait until a condition gives something true, and give that. Fails when it does not in time."""
    deadline_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {condition}"
        time.sleep(0.01)
    return value


def listens(path: Path) -> bool:
    """Tell whether somebody listens at that Unix socket: it has a name a moment before that. Source: proc_net(5)."""
    lines = map(str.split, Path("/proc/net/unix").read_text().splitlines())
    return any(line[7:] == [str(path)] and int(line[3], 16) & ACCEPTS for line in lines)


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Authority:
    """A private certificate authority in a folder."""

    _servers: tuple[str, ...] = ("localhost", "127.0.0.1")

    def __init__(self, folder: Path, name: str = "test", servers: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self._servers += servers
        folder.mkdir(parents=True, exist_ok=True)
        self._pair = make_authority(name)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(self._pair.certificate)

    def server(self) -> tuple[Path, Path]:
        """Certificate and key files of a server on the loopback address, and of what else servers are called."""
        return self._files("server", lambda: make_server_certificate(self._pair, self._servers))

    def client(self, name: str) -> tuple[Path, Path]:
        """Certificate and key files of a client."""
        return self._files(name, lambda: make_client_certificate(self._pair, name))

    def revoked(self) -> bytes:
        """The list of those that were taken back: none."""
        return make_revocation_list(self._pair, {}, None)

    def _files(self, name: str, make: Callable[[], Pair]) -> tuple[Path, Path]:
        """Made once: what reads them now must not find them half written for the next who asks."""
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        if not key.exists():
            pair = make()
            certificate.write_bytes(pair.certificate)
            key.write_bytes(pair.key)
        return certificate, key


class Certificates(Protocol):
    """Who certifies a broker and its clients."""

    @property
    def ca_file(self) -> Path:
        """The authority's own certificate."""

    def server(self) -> tuple[Path, Path]:
        """Certificate and key files of a server."""

    def client(self, name: str) -> tuple[Path, Path]:
        """Certificate and key files of a client."""

    def revoked(self) -> bytes:
        """The list of revoked certificates."""


MOSQUITTO = os.environ.get("MOSQUITTO", "/usr/sbin/mosquitto")
STATIONS = {"da-teh-01": PLACE}


class Broker:
    """A real Mosquitto with TLS and client certificates, which keeps its memory over a restart.

    It has the rules that ``ttcs-central broker-config`` writes, for a centre of the whole country and the stations that
    are named; with None for these it has no bounds, and every certificate may do everything. It writes all of its
    memory every ``autosave_s`` seconds, and does nothing else meanwhile.
    """

    def __init__(
        self,
        folder: Path,
        authority: Certificates,
        port: int | None = None,
        address: str = "127.0.0.1",
        autosave_s: int = 1,
        stations: Mapping[str, str] | None = STATIONS,
    ) -> None:
        self.port = port or free_port()
        self.authority = authority
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._set_up(address, autosave_s, stations)

    def _set_up(self, address: str, autosave_s: int, stations: Mapping[str, str] | None) -> None:
        folder, (certificate, key) = self._folder, self.authority.server()
        for name, file in {AUTHORITY: self.authority.ca_file, CERTIFICATE: certificate, KEY: key}.items():
            shutil.copy(file, folder / name)
        (folder / REVOKED).write_bytes(self.authority.revoked())
        rules = config(self.port, folder, address)
        if stations is None:
            rules = re.sub("^(acl_file|max_|message_size)", r"# \1", rules, flags=re.MULTILINE)
        else:
            self.let_in(stations)
        (folder / "mosquitto.conf").write_text(
            f"{rules}persistence_location {folder}/\nautosave_interval {autosave_s}\nlog_dest file {folder}/log\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )

    def let_in(self, stations: Mapping[str, str]) -> None:
        """Write the access list for some stations, each with its scope; a running broker reads it at once."""
        listed = [(station, Scope(scope)) for station, scope in stations.items()]
        (self._folder / RIGHTS).write_text(rights(Topics(ROOT), Scope("vn"), listed))
        self.reload()

    def follow(self, rights_file: Path) -> None:
        """Take an access list that was written elsewhere; a running broker reads it at once."""
        shutil.copy(rights_file, self._folder / RIGHTS)
        self.reload()

    def reload(self) -> None:
        """Have it read its list of rights and its certificates again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def start(self) -> None:
        """Start, and wait until it accepts connections and signals: before its loop begins, SIGHUP would end it."""
        path, lives = MOSQUITTO, self._lives()
        with (self._folder / "stderr").open("ab") as stderr:
            self._process = subprocess.Popen([path, "-c", str(self._folder / "mosquitto.conf")], stderr=stderr)
        eventually(lambda: self._accepts() and self._lives() > lives)

    def _lives(self) -> int:
        log = self._folder / "log"
        return log.read_text().count(" running\n") if log.exists() else 0

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it; SIGKILL for a broker that vanishes. Mosquitto forgets a SIGTERM that comes before its loop begins."""
        if self._process is None:
            return
        process, self._process = self._process, None

        def ended() -> bool:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)
            return process.returncode is not None

        eventually(ended)


class Listener:
    """A client at the centre: publishes, and keeps all that stations say."""

    def __init__(
        self, broker: Broker, name: str = "operator", subscribe: str = f"{ROOT}/station/#", client_id: str = ""
    ) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._connected: queue.SimpleQueue[bool] = queue.SimpleQueue()
        certificate, key = broker.authority.client(name)
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id or f"test-{name}", protocol=MQTTv5)
        self._client.tls_set(str(broker.authority.ca_file), str(certificate), str(key))
        self._client.reconnect_delay_set(1, 1)
        self._client.on_message = lambda c, u, message: self.messages.append((message.topic, bytes(message.payload)))

        def connected(client: Client, *_: Any) -> None:
            client.subscribe(subscribe, qos=1)
            self._connected.put(True)

        self._client.on_connect = connected
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 600
        self._client.connect("127.0.0.1", broker.port, clean_start=False, properties=properties)
        self._client.loop_start()
        self._connected.get(timeout=10)

    def publish(self, topic: str, payload: bytes, retain: bool = True) -> None:
        """Publish and wait for the acknowledgement."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def reports(self, kind: str) -> list[dict[str, Any]]:
        """Every report of a kind so far, in the order in which they came."""
        said = [
            payload
            for topic, payload in list(self.messages)
            if topic.startswith(f"{ROOT}/station/") and topic.rpartition("/")[2] in UPWARD
        ]
        parsed = [json.loads(payload) for payload in said]
        return [report for report in parsed if report.get("kind") == kind]

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


def session(broker: Broker, station: str = "da-teh-01") -> str:
    """Under which client id the broker keeps a station's session: what a copy of its card would connect with."""
    certificate, key = broker.authority.client(station)
    return client_id(station, BrokerSettings("127.0.0.1", broker.authority.ca_file, certificate, key))


def utc(moment: datetime) -> str:
    """An instant as the wire writes it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def public_key(signer: CryptoSigner) -> PublicKey:
    """The public part of a signer, as a trust root holds it."""
    return PublicKey(keytype="ed25519", scheme="ed25519", public=signer.public_key.keyval["public"])


class Province:
    """Keys, the trust root they make, and programmes signed with them."""

    def __init__(
        self,
        publishers: int = 1,
        threshold: int = 1,
        scope: Scope = SCOPE,
        make_key: Callable[[], CryptoSigner] = CryptoSigner.generate_ed25519,
    ) -> None:
        self.root_signer = make_key()
        self.publishers = [make_key() for _ in range(publishers)]
        signers = [self.root_signer, *self.publishers]
        now = datetime.now(timezone.utc)
        keyid = self.root_signer.public_key.keyid
        publish = Grant(
            role="publish",
            scope=scope,
            keys=tuple(signer.public_key.keyid for signer in self.publishers),
            threshold=threshold,
        )
        self.root = TrustRoot(
            scope=Scope("vn"),
            version=1,
            issued=utc(now),
            expires=utc(now + timedelta(days=365)),
            keys={signer.public_key.keyid: public_key(signer) for signer in signers},
            grants=(
                Grant(role="root", scope=Scope("vn"), keys=(keyid,), threshold=1),
                publish,
                replace(publish, role="command"),
                replace(publish, role="beacon"),
                replace(publish, role="live"),
                replace(publish, role="alert", most_severe="Extreme"),
            ),
        )

    def signed_root(self) -> bytes:
        """The trust root's envelope."""
        return sign(write_document(self.root), PAYLOAD_TYPES["trust"], [self.root_signer])

    def sign(self, document: Document, signers: list[CryptoSigner] | None = None) -> bytes:
        """A document's envelope, by all publishers unless others are named."""
        chosen = self.publishers if signers is None else signers
        kind = type(document).__name__.lower().removesuffix("segment").removesuffix("root")
        return sign(write_document(document), PAYLOAD_TYPES[kind], chosen)


@dataclass(frozen=True)
class Clip:
    """An encoded stretch of audio."""

    path: Path
    duration_ms: int

    @property
    def data(self) -> bytes:
        """The file."""
        return self.path.read_bytes()

    @property
    def sha256(self) -> Sha256:
        """Its hash."""
        return Sha256(hashlib.sha256(self.data).hexdigest())

    def audio(self, *places: str, language: str = "vi") -> Audio:
        """It, as a bulletin names it."""
        return Audio(
            language=language,
            sha256=self.sha256,
            size_bytes=len(self.data),
            duration_ms=self.duration_ms,
            media_type="audio/ogg",
            loudness_lufs=-16.0,
            places=places or ("broker:",),
        )


def make_clip(folder: Path, name: str, seconds: float, hertz: int = 1_000) -> Clip:
    """A tone behind 100 ms of silence, Opus in Ogg."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.opus"
    tone = f"sine={hertz}:r=48000:d={seconds}"
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", tone, "-af", "adelay=100", "-c:a", "libopus"]
    subprocess.run([*command, "-b:a", "48k", "-ac", "1", str(path)], check=True)
    return Clip(path, round(seconds * 1_000) + 100)


def make_programme(*, version: int = 1, bulletins: tuple[Bulletin, ...], slots: tuple[Slot, ...]) -> Programme:
    """A programme of the province, issued an hour ago, good for a day."""
    now = datetime.now(timezone.utc)
    return Programme(
        scope=SCOPE,
        version=version,
        issued=utc(now - timedelta(hours=1)),
        expires=utc(now + timedelta(days=1)),
        time_zone="Asia/Ho_Chi_Minh",
        bulletins=bulletins,
        slots=slots,
    )


def local(seconds_ahead: float) -> str:
    """A civil time in Vietnam, some seconds from now, on a whole second."""
    moment = datetime.now(timezone(timedelta(hours=7))) + timedelta(seconds=seconds_ahead)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def put_chunks(listener: Listener, clip: Clip) -> None:
    """Publish a clip over the broker."""
    for number, offset in enumerate(range(0, len(clip.data), LIMITS.blob_chunk_bytes)):
        chunk = clip.data[offset : offset + LIMITS.blob_chunk_bytes]
        listener.publish(Topics(ROOT).blob(clip.sha256, number), chunk)


STATION_YAML = """\
id: {id}
scope: vn/lam-dong/da-teh
time_zone: Asia/Ho_Chi_Minh
broker: {{host: 127.0.0.1, port: {port}, ca: {ca}, certificate: {certificate}, key: {key}}}
zones:
  - {{id: cho, name: Chợ, pin: 27}}
  - {{id: dinh, name: Đình, pin: 22}}
amplifier: {{pin: 17, warm_up_s: 0.5, hold_s: 1}}
sequencing: {{zone_stagger_s: 0.1, fade_in_s: 0.1, fade_out_s: 0.2}}
sound: {{driver: wav, wav_file: {folder}/aired.wav}}
pins: {{factory: mock, mock_folder: {folder}/lines}}
heartbeat_s: 5
https: {{ca: {ca}}}
store: {{audio_mb: 64, free_mb: 16}}
clock: {{trust: host}}
folders: {{trust: {folder}/trust, state: {folder}/state, runtime: {folder}/run}}
"""


@dataclass
class Station:
    """A station process in a folder."""

    folder: Path
    broker: Broker
    province: Province
    id: str = "da-teh-01"
    extra: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def config(self) -> Path:
        """Its station.yaml."""
        return self.folder / "station.yaml"

    @property
    def lines(self) -> Path:
        """Where its mock lines keep their levels."""
        return self.folder / "lines"

    def install(self) -> None:
        """Write its config, certificate and trust root."""
        certificate, key = self.broker.authority.client(self.id)
        for name in ("trust", "run"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "trust/root.dsse.json").write_bytes(self.province.signed_root())
        text = STATION_YAML.format(
            id=self.id,
            port=self.broker.port,
            ca=self.broker.authority.ca_file,
            certificate=certificate,
            key=key,
            folder=self.folder,
        )
        self.config.write_text(text + self.extra)

    def start(self, ready_s: float = 15.0) -> None:
        """Start it and wait for READY, as the service manager does."""
        with notify_socket(self.folder) as told:
            environment = os.environ | self.environment | {"NOTIFY_SOCKET": str(self.folder / "notify")}
            with (self.folder / "log").open("ab") as log:
                command = [sys.executable, "-m", "ttcs_edge.daemon", "--config", str(self.config)]
                self.process = subprocess.Popen(command, env=environment, stderr=log, cwd=self.folder)
            process = self.process
            eventually(lambda: "READY=1" in told() or process.poll() is not None, ready_s)
        assert self.process.poll() is None, (self.folder / "log").read_text()

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 5.0) -> int:
        """End it; gives its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout_s)
        self.process = None
        return code


@contextmanager
def notify_socket(folder: Path) -> Iterator[Callable[[], str]]:
    """A service manager's end of sd_notify: gives all that was told so far."""
    path = folder / "notify"
    path.unlink(missing_ok=True)
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.setblocking(False)

        def told() -> str:
            with suppress(BlockingIOError):
                while True:
                    heard.append(receiver.recv(4096).decode())
            return "\n".join(heard)

        yield told


def newer(programme: Programme, **changes: Any) -> Programme:
    """The next version of a programme."""
    return replace(programme, version=programme.version + 1, **changes)
