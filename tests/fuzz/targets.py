"""Every place at which bytes from outside are read, in one table.

A target takes bytes and gives a value or a refusal. It never raises, and what is refused leaves the state behind it as
it was: a target that has a state asserts that itself. The exceptions by which a reader refuses, as its docstring
promises, are named here beside it; any other that comes out of it is a find.

Not here, because bytes are read by others' code before ours sees anything: MQTT's packets (paho), TLS (OpenSSL), audio
(libvlc, in a process of its own).
"""

from __future__ import annotations

import functools
import io
import json
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import urlsplit

from pymodbus.pdu.bit_message import ReadCoilsRequest
from pymodbus.pdu.register_message import ReadInputRegistersRequest

from tests.fuzz.core import PROVINCE, Core
from tests.wire import corpus
from ttcs_edge.central.alert_file import read_alert_file
from ttcs_edge.central.authority import certify_station, make_authority
from ttcs_edge.central.cap_file import read_cap_message
from ttcs_edge.central.carried_reports import _lines
from ttcs_edge.central.centre import read_settings
from ttcs_edge.central.enrolment import Enrolling
from ttcs_edge.central.errors import BadFile
from ttcs_edge.central.feed_entries import NoFeed, read_feed
from ttcs_edge.central.feed_rules import read_feed_file
from ttcs_edge.central.fleet import Fleet, StationRow
from ttcs_edge.central.programme_file import read_programme_file
from ttcs_edge.central.trust_file import draft_behind, read_trust_file, trust_text
from ttcs_edge.config import ConfigError, load_config
from ttcs_edge.core.documents import Document, Refused
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.drivers import at, meter, modbus, modem, rds
from ttcs_edge.drivers.monitor import _read_answer as read_monitor_answer
from ttcs_edge.drivers.player import _read_answer
from ttcs_edge.link.allowed import Answer, Whole
from ttcs_edge.link.control import ControlError, ControlServer, ask
from ttcs_edge.link.glances import FetchError, Patience, named
from ttcs_edge.link.glances import ask as ask_https
from ttcs_edge.link.hls import read_playlist
from ttcs_edge.link.https import _check
from ttcs_edge.link.stream_kinds import id3_bytes, kind_of
from ttcs_edge.monitor import messages as monitor_messages
from ttcs_edge.player import messages
from ttcs_edge.station_file import filled, owned
from ttcs_edge.wire.certificates import check_certificate, load_key, make_request, new_key, public_bytes
from ttcs_edge.wire.certificates import read_request as read_pkcs10
from ttcs_edge.wire.code import new_code, read_code
from ttcs_edge.wire.documents import (
    read_alert,
    read_beacon,
    read_command,
    read_live,
    read_programme,
    read_trust_chain,
    read_trust_root,
    write_document,
    write_trust_chain,
)
from ttcs_edge.wire.enrolment import Given, Secret
from ttcs_edge.wire.reports import read_report
from ttcs_edge.wire.topics import RENEWAL, Topics

Form = Literal["json", "lines", "bytes"]
Call = Callable[[bytes], object]
TOP = Path(__file__).parents[2]
TOPICS = Topics("ttcs/v1")


@dataclass(frozen=True)
class Target:
    """One reader: what it does with bytes, good ones to begin from, and of what they are made."""

    call: Call
    seeds: tuple[bytes, ...]
    form: Form


def refusing(call: Call, *refusals: type[BaseException]) -> Call:
    """A reader that refuses by raising, as it promises."""

    def read(data: bytes) -> object:
        try:
            return call(data)
        except refusals as refusal:
            return str(refusal)  # in words, for whoever is told

    return read


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


# What comes down to a station and up from it.

_READERS: dict[str, Callable[[bytes], object]] = {
    "programme": lambda data: read_programme(data, PROVINCE.root, "x"),
    "beacon": lambda data: read_beacon(data, PROVINCE.root, "x"),
    "command": lambda data: read_command(data, PROVINCE.root, "x"),
    "alert": lambda data: read_alert(data, PROVINCE.root, "x"),
    "live": lambda data: read_live(data, PROVINCE.root, "x"),
}
_DOCUMENTS: dict[str, Document] = {
    "programme": corpus.programme(),
    "beacon": corpus.beacon(),
    "command": corpus.command(),
    "alert": corpus.alert(),
    "live": corpus.live(),
}


def _read_meter(data: bytes) -> object:
    """A reading, out of whatever came down the line."""
    answer = modbus.read_answer(data, ReadInputRegistersRequest(address=0, count=meter.REGISTERS, dev_id=10))
    if answer is None or answer.isError() or len(answer.registers) != meter.REGISTERS:
        return None
    return meter.reading(answer.registers)


def _read_modem(data: bytes) -> object:
    """Whatever a modem is asked, out of whatever came down the line; a name that it tells is bounded, fit to print."""
    for name, read in (
        ("+CSQ", modem.signal_of),
        ("+CEREG", modem.registration_of),
        ("+COPS", modem.operator_of),
        ("+CPIN", str),
        ("", str),
    ):
        answer = at.read_answer(data, name)
        told = None if answer is None else read(answer.text)
        if name == "+COPS" and told is not None:
            assert isinstance(told, str) and len(told) <= LIMITS.operator_chars and told.isprintable()
    return told


def _wire() -> dict[str, Target]:
    payloads = {
        f"document/{name}": Target(read, (_json(corpus.GOOD[name]),), "json") for name, read in corpus.READ.items()
    }
    envelopes = {
        f"envelope/{kind}": Target(read, (PROVINCE.sign(_DOCUMENTS[kind]),), "json") for kind, read in _READERS.items()
    }
    root = PROVINCE.signed_root()
    return {
        **payloads,
        **envelopes,
        "envelope/trust": Target(read_trust_root, (root,), "json"),
        "trust chain": Target(
            lambda data: read_trust_chain(data, PROVINCE.root, "x"), (write_trust_chain([root, root]),), "json"
        ),
        "topics": Target(
            _topics,
            (
                b"\n".join(
                    one.encode()
                    for one in (
                        TOPICS.programme("vn/lam-dong"),
                        TOPICS.trust("vn"),
                        TOPICS.beacon("vn/lam-dong"),
                        TOPICS.alert("vn", "lu-quet"),
                        TOPICS.live("vn", "thoi-su"),
                        TOPICS.blob("a" * 64, 7),
                        TOPICS.station("da-teh-01", "event"),
                        TOPICS.station("da-teh-01", RENEWAL),
                    )
                ),
            ),
            "lines",
        ),
        "fleet": Target(_fleet, tuple(_heard(name) for name in corpus.REPORTS), "lines"),
    }


def _enrolment() -> dict[str, Target]:
    """What strangers send at the door, what a door sends back, and what the centre sends later."""
    secret, authority = Secret(b"code"), make_authority("CA")
    key = load_key(new_key())
    assert key is not None
    pkcs10, public = make_request(key, "da-teh-01"), public_bytes(key.public_key())
    request, given = secret.ask(pkcs10), Given("da-teh-01", "vn", "c", "a", "t", "id: x\n")
    pem = certify_station(authority, key.public_key(), "da-teh-01")
    wanted = {"id": "da-teh-01", "scope": "vn", "broker.host": "a", "broker.port": 1, "broker.ca": "/x"}

    def hear(data: bytes) -> object:
        enrolling = Enrolling(secret, float("inf"))
        verdict = enrolling.hear(data)
        assert verdict == "other" or enrolling.asked is not None, "somebody proved a code that he did not know"
        return verdict

    def fill(data: bytes) -> object:
        text = filled(data.decode("utf-8", "replace"), wanted)
        found = None if text is None else owned(text)
        assert text is None or (found is not None and {key: found[key] for key in wanted} == wanted)
        return text

    return {
        "enrolment/request": Target(hear, (request, secret.receive(request)), "json"),
        "enrolment/answer": Target(lambda data: secret.given(request, data), (secret.answer(request, given),), "json"),
        "enrolment/code": Target(
            lambda data: read_code(data.decode("utf-8", "replace")), (new_code().encode(),), "bytes"
        ),
        "enrolment/station.yaml": Target(fill, ((TOP / "config/station.yaml").read_bytes(),), "lines"),
        "certificate request": Target(read_pkcs10, (pkcs10,), "bytes"),
        "certificate": Target(
            lambda data: check_certificate(data, authority.certificate, "da-teh-01", public, None), (pem,), "bytes"
        ),
    }


def _topics(data: bytes) -> object:
    """One topic a line, each taken apart in every way that there is; what comes out has a bound."""
    took = (
        TOPICS.programme_scope,
        TOPICS.trust_scope,
        TOPICS.beacon_scope,
        TOPICS.alert_event,
        TOPICS.live_relay,
        TOPICS.blob_chunk,
        TOPICS.station_leaf,
        TOPICS.renewal_station,
    )
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        found = [one(line) for one in took]
        assert sum(one is not None for one in found) <= 1, "a topic of two kinds"
        assert all(len(str(one)) < 400 for one in found)
    return None


def _heard(name: str) -> bytes:
    leaf = name if name in ("status", "heartbeat", "reply") else "event"
    return TOPICS.station("da-teh-01", leaf).encode() + b"\n" + _json(corpus.GOOD[name])


_FLEET = Fleet(TOPICS)


def _shown(row: StationRow) -> object:
    """All that is known of a station, but for how many bad reports it sent."""
    return repr(replace(row, bad_reports=0))


def _fleet(data: bytes) -> object:
    """A topic and a report a pair of lines, as an operator's client hears them; a bad one is counted and no more."""
    lines = data.split(b"\n")
    for topic, payload in zip(lines[::2], lines[1::2], strict=False):
        before = {row.id: _shown(row) for row in _FLEET.rows}
        heard = _FLEET.hear(topic.decode("utf-8", "replace"), payload, 1.0)
        if heard is None or isinstance(heard, Refused):
            now = {row.id: _shown(row) for row in _FLEET.rows if row.id in before}
            assert now == before, "a refused report changed a station"
    if len(_FLEET.rows) > 50:
        _FLEET.__init__(TOPICS)  # type: ignore[misc]
    return None


# What a person writes.

_FOLDER = tempfile.TemporaryDirectory(prefix="ttcs-fuzz-")


def in_a_file(read: Callable[[Path], object], name: str, *refusals: type[BaseException]) -> Call:
    """A reader of files: the bytes lie in one of this name."""
    file = Path(_FOLDER.name) / name

    def call(data: bytes) -> object:
        file.write_bytes(data)
        return read(file)

    return refusing(call, *refusals)


def _files() -> dict[str, Target]:
    folder = Path(_FOLDER.name)
    templates = tuple(file.read_bytes() for file in sorted((TOP / "ttcs_edge/central/templates").glob("*.yaml")))
    root = PROVINCE.root
    names = {key: f"key-{number}" for number, key in enumerate(root.keys)}
    following = trust_text(draft_behind(root, names), Scope(root.scope))
    cap = (TOP / "tests/data/cap/lu-quet.xml").read_bytes()
    cap = cap.replace(b"SENT", b"2026-11-24T05:00:00+07:00").replace(b"EXPIRES", b"2026-11-24T11:00:00+07:00")
    cap = cap.replace(b"LATER", b"2026-11-24T12:00:00+07:00")
    centre = b"""name: Lam Dong
scope: vn/lam-dong
topic_root: ttcs/v1
keys:
  - name: root-1
    role: root
    keyid: %b
    keytype: ed25519
    scheme: ed25519
    public: %b
    signer: file2:keys/root-1.pem
""" % (b"a" * 64, b"b" * 64)
    atom = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.example/">
<entry><id>urn:1</id><updated>2026-11-24T05:00:00Z</updated>
<link rel="alternate" type="application/cap+xml" href="1.xml"/></entry></feed>"""
    rss = b"""<rss version="2.0"><channel><item><guid>1</guid><pubDate>Tue, 24 Nov 2026 05:00:00 GMT</pubDate>
<link>https://a.example/1.xml</link></item></channel></rss>"""

    def no_fetch(uri: str) -> bytes:
        raise OSError(uri)

    def file_of(name: str) -> tuple[bytes, ...]:
        return ((TOP / "config" / name).read_bytes(),)

    return {
        "file/station.yaml": Target(
            in_a_file(lambda file: load_config(file, {}), "station.yaml", ConfigError), file_of("station.yaml"), "lines"
        ),
        "file/programme.yaml": Target(
            in_a_file(read_programme_file, "programme.yaml", BadFile), file_of("programme.yaml"), "lines"
        ),
        "file/cap-feed.yaml": Target(
            in_a_file(lambda file: read_feed_file(file, Scope("vn")), "cap-feed.yaml", BadFile),
            file_of("cap-feed.yaml"),
            "lines",
        ),
        "file/alert.yaml": Target(in_a_file(read_alert_file, "alert.yaml", BadFile), templates, "lines"),
        "file/trust next.yaml": Target(
            in_a_file(lambda file: read_trust_file(file, root), "next.yaml", BadFile), (following.encode(),), "lines"
        ),
        "file/centre.yaml": Target(in_a_file(read_settings, "centre.yaml", BadFile), (centre,), "lines"),
        "file/cap": Target(
            in_a_file(lambda file: read_cap_message(file, folder, no_fetch), "cap.xml", BadFile), (cap,), "lines"
        ),
        "file/feed": Target(refusing(lambda data: read_feed(data, "https://a.example/"), NoFeed), (atom, rss), "lines"),
        "stick/reports": Target(
            in_a_file(lambda file: [read_report(line, file.name) for _, line in _lines(file)], "a.jsonl"),
            (b"\n".join(_json(corpus.GOOD[name]) for name in corpus.REPORTS),),
            "lines",
        ),
    }


# What stands at the box: the technician's socket, the player, the modem.


class _Sockets:
    """The daemon's control socket before a whole station, and one that answers to a command whatever it is told to."""

    def __init__(self) -> None:
        folder = Path(_FOLDER.name)
        self.core = Core(folder / "asked")
        self.server = ControlServer(
            folder / "c", self.core.control.answer, self.core.control.answer_with_file, self.core.control.deeds()
        )
        self._path = folder / "a"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._listener.listen(8)
        self._said = b""
        threading.Thread(target=self._serve, name="fuzz-answers", daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with suppress(OSError), connection:
                connection.recv(1 << 16)
                connection.sendall(self._said)

    def request(self, data: bytes) -> object:
        """A line of a technician's command."""
        return self._asked(data, None)

    def request_with_file(self, data: bytes) -> object:
        """A line, and behind its line feed what the file holds that comes along."""
        line, _, content = data.partition(b"\n")
        file = Path(_FOLDER.name) / "stick"
        file.write_bytes(content)
        return self._asked(line, file)

    def _asked(self, data: bytes, file: Path | None) -> object:
        ours, theirs = socket.socketpair()
        before = self.core.shown()
        with closing(ours), closing(theirs):
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            if file is not None:
                with file.open("rb") as opened:
                    socket.send_fds(ours, [data[: 1 << 16] or b" "], [opened.fileno()])
            else:
                ours.sendall(data[: 1 << 16])
            ours.shutdown(socket.SHUT_WR)
            answer = json.loads(self.server._reply(theirs))
        refused = answer.get("error", {}).get("code")
        assert refused != "bad-answer", f"a mistake of ours: {answer}"
        assert refused is None or self.core.shown() == before, "a refused request changed the station"
        return answer

    def answer(self, data: bytes) -> object:
        """What the daemon says to a technician's command."""
        self._said = data
        try:
            return ask(self._path, {"ask": "status"}, 2.0)
        except ControlError as error:
            return error.code


def _answers(core: Core) -> Call:
    """What a player says goes into the core, which goes on; what it has on disk then can be written."""

    def call(data: bytes) -> object:
        answer = _read_answer(data)
        core.player_says(answer)
        return answer

    return refusing(call, ValueError)


ASKED: tuple[dict[str, Any], ...] = (
    {"ask": "status"},
    {"ask": "schedule", "days": 7},
    {"ask": "version"},
    {"ask": "trust"},
    {"ask": "import-scopes"},
    {"ask": "import-wanted"},
    {"ask": "reports", "after": 0, "kept": True},
    {"ask": "told", "kind": "as-run", "before": 2**63 - 1},
    {"ask": "told", "kind": "fault", "after": 0},
    {"ask": "walk", "seconds": 3, "now": False, "zones": ["cho"]},
    {"ask": "walk-state", "number": 1},
    {"ask": "walk-stop", "number": 1},
    {"ask": "lease", "seconds": 3, "now": False, "silent": False, "zones": []},
    {"ask": "lease", "seconds": 60, "now": False, "silent": True, "zones": ["cho"]},
    {"ask": "lease-state", "number": 2},
    {"ask": "lease-stop", "number": 2},
    {"ask": "tests-stop", "zone": "cho"},
    {"ask": "mute", "minutes": 10},
    {"ask": "unmute"},
)
"""What is asked at the control socket."""


def _box() -> dict[str, Target]:
    sockets = _Sockets()
    brought = (
        _json({"ask": "import-programme", "scope": "vn/lam-dong"}) + b"\n" + PROVINCE.sign(corpus.programme()),
        _json({"ask": "import-trust", "scope": "vn"}) + b"\n" + write_trust_chain([PROVINCE.signed_root()]),
        _json({"ask": "import-audio", "sha256": "a" * 64, "again": True}) + b"\nOggS",
    )
    item = messages.Item("a" * 64, 1_000)
    commands: tuple[Any, ...] = (
        messages.Files(("a" * 64,)),
        messages.Prepare(item, 0),
        messages.Play(1, (item,), 0, 1, 80, 0),
        messages.Talk(1, "alsa", "hw:0", 1, 80, 0),
        messages.Segment(1, 1, (b"\0\1",), True),
        messages.Follow(1, "ogg"),
        messages.PlayStream(1, 1, 1, 80, 0),
        messages.Dial(1, "12*", 100, 100, 1, 100, 0),
        messages.Stop(1, 0),
    )
    answers: tuple[Any, ...] = (
        messages.Ready("hw:0"),
        messages.Alive(),
        messages.Started(1, 1_000_000_000),
        messages.Progress(1, 900, -20.0, -6.0, 0),
        messages.Ended(1, True, (1_000, 1_000), None),
        messages.Heard(1),
        messages.Device(False, "hw:0", "busy"),
    )
    heard: tuple[Any, ...] = (
        monitor_messages.Ready(),
        monitor_messages.Heard(9_500, -16.2, -20.4, None, 0.87, 150, -180.3, 0.0, 0.0, 0.002),
        monitor_messages.Input(False, "hw:1", "busy"),
        monitor_messages.Kept("foreign-1-1", 1),
    )
    sounding = Core(Path(_FOLDER.name) / "sounding", on_air=True)
    bad_command = (ValueError, KeyError, TypeError)
    return {
        "control/request": Target(sockets.request, tuple(map(_json, ASKED)), "json"),
        "control/request with a file": Target(sockets.request_with_file, brought, "lines"),
        "control/answer": Target(
            sockets.answer,
            (b'{"ok": true, "answer": {"a": 1}}\n', b'{"ok": false, "error": {"code": "a", "detail": {"b": "c"}}}\n'),
            "json",
        ),
        "player/command": Target(
            refusing(messages.decode_command, *bad_command), tuple(map(messages.encode, commands)), "json"
        ),
        "player/answer": Target(_answers(sounding), tuple(map(messages.encode, answers)), "json"),
        "monitor/answer": Target(
            refusing(read_monitor_answer, ValueError), tuple(map(monitor_messages.encode, heard)), "json"
        ),
    }


def _serial() -> dict[str, Target]:
    """What comes down serial lines."""
    return {
        "modbus": Target(
            functools.partial(modbus.read_answer, request=ReadCoilsRequest(address=0, count=1, dev_id=1)),
            (
                bytes.fromhex("010101019048"),
                bytes.fromhex("018102c191"),
                bytes.fromhex("010100000001fdca 010101019048"),
            ),
            "bytes",
        ),
        "rds": Target(
            rds.read_answer,
            (b"G=600500010001\r\n+\r\n\r\n", b"!\r\n\r\n", b"-\r\n", b"/\r\n"),
            "bytes",
        ),
        "meter": Target(
            _read_meter,
            (
                bytes.fromhex("0a040e 0894 0208 0000 0355 0000 1e40 0002 0c82"),
                bytes.fromhex("0a8402b303"),
            ),
            "bytes",
        ),
        "at": Target(
            _read_modem,
            (
                b"AT+CSQ\r\r\nRING\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n",
                b'\r\n+COPS: 0,0,"Viettel",7\r\n\r\nOK\r\n',
                b'\r\n+CEREG: 2,1,"1F2A","01A2B301",7\r\n\r\nOK\r\n',
                b"\r\n+CME ERROR: SIM not inserted\r\n",
            ),
            "bytes",
        ),
        "modem": Target(
            lambda data: modem.read(data.replace(b"\r", b"\n"), 0),
            (b'AT+CCLK?\r\r\n+CCLK: "26/11/25,08:40:12+28"\r\n\r\nOK\r\n', b"\r\n+CME ERROR: 30\r\n"),
            "lines",
        ),
    }


# What servers say.


class _Line:
    """A connection over which a server has said all that it will."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def settimeout(self, timeout_s: float) -> None:
        """Nothing is waited for."""

    def sendall(self, data: bytes) -> None:
        """Nobody listens."""

    def recv_into(self, buffer: Any) -> int:
        """What comes next."""
        return self._data.readinto(buffer)


_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_URL = "https://a.example/a.ogg"
READ_MOST_BYTES = 1 << 20


def _https(data: bytes) -> object:
    """An answer over HTTPS, as of a stream and as of a file."""
    for resumed in (0, 4):
        patience = Patience(lambda: False, 10.0)
        with named(_URL, 10.0):
            response = ask_https(urlsplit(_URL), _CONTEXT, _Line(data), patience, {})  # type: ignore[arg-type]
        with closing(response):
            part = SimpleNamespace(offset=resumed, size_bytes=100, restart=lambda: None)
            with suppress(FetchError):
                passed_over = _check(response, part, _URL)
                assert 0 <= passed_over <= resumed
            answer, count = Answer(_URL, response, patience), 0
            while (came := answer.read()) and count < READ_MOST_BYTES:
                count += len(came)
            kind = answer.media_type
    return kind


def _kinds(data: bytes) -> object:
    kind, tag = kind_of(data), id3_bytes(data)
    assert kind is None or 0 <= kind.begin < len(data)
    assert tag >= 0
    return kind


def _servers() -> dict[str, Target]:
    answers = (
        b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 4\r\n\r\nOggS",
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4-99/100\r\nContent-Length: 96\r\n\r\n" + b"a" * 96,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nOggS\r\n0\r\nX: y\r\n\r\n",
        b"ICY 200 OK\r\nicy-name: Dai\r\nicy-metaint: 8192\r\ncontent-type: audio/aac\r\n\r\nabc",
        b"HTTP/1.0 200 OK\r\nServer: Icecast 2.4.4\r\nicy-br: 64\r\nContent-Type: application/ogg\r\n\r\nOggS",
        b"HTTP/1.1 302 Found\r\nLocation: https://[::1/\r\n\r\n",
    )
    playlists = (
        b'#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI="i.mp4"\n'
        b"#EXTINF:2.0,\n7.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n#EXTINF:2.0,\n8.m4s\n#EXT-X-ENDLIST\n",
        b'#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",DEFAULT=YES,URI="a.m3u8"\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2",AUDIO="a"\nb.m3u8\n',
        b'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXT-X-PROGRAM-DATE-TIME:2026-11-24T05:00:00Z\n'
        b"#EXT-X-BYTERANGE:10@0\n#EXTINF:2,\n1.ts\n",
    )
    frames = struct.pack(">I", 0xFFF15080) + b"\x02\x1f\xfc" + bytes(9)
    kinds = (b"OggS" + bytes(60), b"ID3\4\0\0\0\0\0\3abc" + frames * 4, b"\0\0\0\x18ftypmp42", (b"G" + bytes(187)) * 4)
    return {
        "https": Target(refusing(_https, FetchError), answers, "lines"),
        "hls": Target(refusing(lambda data: read_playlist(Whole(_URL, data)), FetchError), playlists, "lines"),
        "stream kinds": Target(_kinds, kinds, "bytes"),
    }


# What all of it comes to: the core.


def _core() -> dict[str, Target]:
    core = Core(Path(_FOLDER.name) / "told")
    seeds: dict[str, tuple[bytes, ...]] = {kind: (_json(corpus.GOOD[kind]),) for kind in _DOCUMENTS}
    seeds["command"] = tuple(_json(value) for name, value in corpus.GOOD.items() if name.partition("/")[0] == "command")
    seeds["trust"] = (write_document(PROVINCE.root),)
    return {
        f"core/{kind}": Target(lambda data, kind=kind: core.document(kind, data), some, "json")  # type: ignore[misc]
        for kind, some in seeds.items()
    }


@functools.cache
def every_target() -> Mapping[str, Target]:
    """All of them by their names."""
    return {**_wire(), **_enrolment(), **_files(), **_box(), **_serial(), **_servers(), **_core()}
