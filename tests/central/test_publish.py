"""``ttcs-central publish``: what is on the broker is what a station believes, and its audio is as it is declared."""

from __future__ import annotations

import array
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from paho.mqtt.client import Client, MQTTMessage
from rich.cells import cell_len
from securesystemslib.signer import CryptoSigner

from tests.central.test_programme_file import EXAMPLE, GOOD, written
from tests.parts import Broker, Listener, Province, eventually, local, make_programme
from ttcs_edge.central.audio import LEAD_MS, TARGET_LUFS
from ttcs_edge.central.broker_rules import RIGHTS
from ttcs_edge.central.centre import now, open_centre
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import Audio, Programme, Refused, Signed
from ttcs_edge.core.model import Scope
from ttcs_edge.core.trust import Accepted, judge_programme
from ttcs_edge.wire.documents import read_programme, read_trust_root

PLACE = "vn/lam-dong/da-teh"
TOPIC = f"ttcs/v1/scope/{PLACE}/programme"


def run(folder: Path, file: Path, broker: Broker, *more: str) -> int:
    """Publish a file."""
    return main(["--lang", "en", "publish", str(folder), str(file), "--broker", f"127.0.0.1:{broker.port}", *more])


def retained(broker: Broker, name: str = "newcomer") -> dict[str, bytes]:
    """What stands on the broker, as a newcomer hears it: all of it comes before the newcomer's own message."""
    listener = Listener(broker, "newcomer", subscribe="ttcs/v1/#", client_id=name)
    try:
        listener.publish("ttcs/v1/mark", b"mark", retain=False)
        eventually(lambda: b"mark" in [payload for _, payload in listener.messages])
        heard = list(listener.messages)  # somebody may publish at this moment, too
        before = heard[: [payload for _, payload in heard].index(b"mark")]
        assert len(before) == len(dict(before))
        return dict(before)
    finally:
        listener.close()


def verified(folder: Path, envelope: bytes, floor: int = 0) -> Programme:
    """A programme, through every check that a station makes with the trust root that it was given."""
    root = read_trust_root((folder / "trust/root.dsse.json").read_bytes())
    assert isinstance(root, Signed)
    signed = read_programme(envelope, root.document, PLACE)
    assert not isinstance(signed, Refused), signed
    verdict = judge_programme(
        signed,
        trust=root.document,
        topic_scope=PLACE,
        station_scope=Scope(f"{PLACE}/thon-1"),
        floor=floor,
        in_force=None,
        now=now(),
    )
    assert verdict == Accepted()
    return signed.document


def samples(path: Path) -> array.array[int]:
    """A file decoded, 48 kHz mono."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-ar", "48000", "-ac", "1", "-"]
    return array.array("h", subprocess.run(command, check=True, capture_output=True).stdout)


def loudness(path: Path) -> float:
    """Integrated loudness by EBU R128, measured by another filter than the product's: loudnorm."""
    command = ["ffmpeg", "-hide_banner", "-i", str(path), "-af", "loudnorm=print_format=json", "-f", "null", "-"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    found = re.search(r"\{[^{}]*input_i[^{}]*\}", told)
    assert found is not None, told
    return float(json.loads(found[0])["input_i"])


def probed(path: Path) -> dict[str, object]:
    """What ffprobe makes of a file: its container, its one stream, and what the source's tags left behind."""
    wanted = "format=format_name:stream=codec_name,channels:format_tags=title,artist,comment"
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_entries", wanted, str(path)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    (stream,) = told["streams"]
    return {"format_name": told["format"]["format_name"], **stream, "tags": told["format"].get("tags", {})}


def recording(folder: Path, name: str, sound: str) -> Path:
    """A recording made by ffmpeg."""
    path = folder / name
    tags = ["-metadata", "title=Tin", "-metadata", "comment=/home/an/tin.wav", "-ac", "2"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", sound, *tags, str(path)], check=True)
    return path


def only_audio(programme: Programme) -> Audio:
    """The one recording of a programme with one bulletin."""
    return programme.bulletins[0].audio[0]


def test_the_worked_example_publishes_as_it_is_and_a_station_believes_it(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """From init to the broker: the retained document passes a station's checks and all its audio is there in chunks."""
    assert run(centre_folder, EXAMPLE, own_broker, "--via-broker") == 0

    messages = retained(own_broker)
    programme = verified(centre_folder, messages[TOPIC])
    assert (programme.version, programme.scope, len(programme.bulletins), len(programme.slots)) == (1, PLACE, 5, 3)
    for audio in (audio for bulletin in programme.bulletins for audio in bulletin.audio):
        chunks = sorted((int(topic.split("/")[-1]), data) for topic, data in messages.items() if audio.sha256 in topic)
        whole = b"".join(data for _, data in chunks)
        assert audio.places == ("broker:",)
        assert (hashlib.sha256(whole).hexdigest(), len(whole)) == (audio.sha256, audio.size_bytes)
    until = datetime.fromisoformat(programme.expires).astimezone()
    assert capsys.readouterr().out.splitlines()[-1] == f"Published {PLACE} version 1, until {until:%Y-%m-%d}"


def test_a_large_recording_is_cut_into_chunks_in_order(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> None:
    """A file of several chunks arrives as chunks 0, 1, 2 that together have the declared hash."""
    recording(tmp_path, "a.wav", "anoisesrc=d=60:r=48000:a=0.2")
    file = written(tmp_path, GOOD.replace("text: Xin chào bà con.", "file: a.wav"))

    assert run(centre_folder, file, own_broker, "--via-broker") == 0

    messages = retained(own_broker)
    audio = only_audio(verified(centre_folder, messages[TOPIC]))
    chunks = {int(topic.split("/")[-1]): data for topic, data in messages.items() if audio.sha256 in topic}
    assert sorted(chunks) == list(range(-(-audio.size_bytes // 131_072))) and len(chunks) > 1
    assert hashlib.sha256(b"".join(chunks[n] for n in sorted(chunks))).hexdigest() == audio.sha256


@pytest.mark.parametrize(
    "sound",
    [
        "sine=300:r=44100:d=4,volume=-35dB",
        "anoisesrc=d=4:r=48000:a=0.9:seed=1",
        "sine=500:d=6,volume='if(lt(mod(t,1),0.1),1,0.02)':eval=frame",
    ],
    ids=["quiet", "loud", "peaky"],
)
def test_every_recording_comes_out_at_one_loudness_behind_100_ms_of_silence(
    centre_folder: Path, tmp_path: Path, own_broker: Broker, sound: str
) -> None:
    """Within 1 LU of the target, mono, 100 ms of silence first, and as long as the document says."""
    source = recording(tmp_path, "a.wav", sound)
    file = written(tmp_path, GOOD.replace("text: Xin chào bà con.", "file: a.wav"))
    served = tmp_path / "www"

    url = "https://audio.lam-dong.vn/ttcs"
    assert run(centre_folder, file, own_broker, "--audio-folder", str(served), "--audio-url", url) == 0

    audio = only_audio(verified(centre_folder, retained(own_broker)[TOPIC]))
    made = served / f"{audio.sha256}.ogg"
    decoded = samples(made)
    lead = LEAD_MS * 48
    assert audio.places == (f"{url}/{audio.sha256}.ogg",)
    assert hashlib.sha256(made.read_bytes()).hexdigest() == audio.sha256
    assert probed(made) == {"format_name": "ogg", "codec_name": "opus", "channels": 1, "tags": {}}
    assert loudness(made) == pytest.approx(TARGET_LUFS, abs=1.0)
    assert audio.loudness_lufs == pytest.approx(loudness(made), abs=0.5)
    assert audio.duration_ms == len(decoded) // 48
    assert audio.duration_ms == pytest.approx(len(samples(source)) // 48 + LEAD_MS, abs=20)
    assert max(map(abs, decoded[: lead - 480])) < 33, "silence is below -60 dBFS"
    assert max(map(abs, decoded[lead : lead + 4800])) > 300, "sound begins right after it"


def test_spoken_text_is_at_the_same_loudness(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> None:
    """Vietnamese speech of espeak-ng is normalised like any recording."""
    assert run(centre_folder, written(tmp_path, GOOD), own_broker, "--via-broker") == 0

    audio = only_audio(verified(centre_folder, retained(own_broker)[TOPIC]))
    assert loudness(centre_folder / "audio" / f"{audio.sha256}.ogg") == pytest.approx(TARGET_LUFS, abs=1.0)
    assert audio.duration_ms > 800


def test_each_publication_has_a_newer_version_and_replaces_the_last(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """Versions grow by one; the broker keeps the newest only; the centre keeps every envelope."""
    file = written(tmp_path, GOOD)
    for _ in range(3):
        assert run(centre_folder, file, own_broker, "--via-broker") == 0

    messages = retained(own_broker)
    assert [topic for topic in messages if "/scope/" in topic] == [TOPIC]
    assert verified(centre_folder, messages[TOPIC], floor=2).version == 3
    kept = centre_folder / "programmes" / PLACE
    assert sorted(path.name for path in kept.iterdir()) == [
        "1.dsse.json",
        "2.dsse.json",
        "3.dsse.json",
        "version.txt",
    ]
    assert (kept / "3.dsse.json").read_bytes() == messages[TOPIC]


def test_publishing_again_encodes_nothing(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> None:
    """The second time the same bytes go out, and the files in the audio folder are not even written again."""
    recording(tmp_path, "a.wav", "sine=300:d=30")
    file = written(tmp_path, GOOD.replace("text: Xin chào bà con.", "file: a.wav"))
    assert run(centre_folder, file, own_broker, "--via-broker") == 0
    before = {path: path.stat().st_mtime_ns for path in (centre_folder / "audio").iterdir()}
    began_s = time.monotonic()

    assert run(centre_folder, file, own_broker, "--via-broker") == 0

    assert time.monotonic() - began_s < 1.0
    assert {path: path.stat().st_mtime_ns for path in (centre_folder / "audio").iterdir()} == before


def test_a_damaged_file_in_the_audio_folder_is_made_anew(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """What was encoded is hashed again before it is trusted: a card's bad block does not go out under a good hash."""
    file = written(tmp_path, GOOD)
    assert run(centre_folder, file, own_broker, "--via-broker") == 0
    audio = only_audio(verified(centre_folder, retained(own_broker, "first")[TOPIC]))
    made = centre_folder / "audio" / f"{audio.sha256}.ogg"
    made.write_bytes(b"\0" * audio.size_bytes)

    assert run(centre_folder, file, own_broker, "--via-broker") == 0

    assert hashlib.sha256(made.read_bytes()).hexdigest() == audio.sha256


def test_a_dry_run_changes_nothing_outside_the_cache(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No number is used, nothing is put on the broker; the table is shown."""
    file = written(tmp_path, GOOD)

    assert run(centre_folder, file, own_broker, "--via-broker", "--dry-run") == 0

    assert capsys.readouterr().out.splitlines()[-1] == f"{PLACE} version 1 is good (a dry run: nothing was published)"
    assert list((centre_folder / "programmes").iterdir()) == []
    assert retained(own_broker) == {}


def test_a_broker_that_is_away_costs_no_number(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is numbered or kept before the broker answers; the next try is version 1."""
    file = written(tmp_path, GOOD)
    own_broker.stop()

    assert run(centre_folder, file, own_broker, "--via-broker") == 69

    assert capsys.readouterr().err == (
        f"127.0.0.1:{own_broker.port} cannot be reached: the broker cannot be reached (Connection refused)\n"
        "Look at --broker or broker in centre.yaml, the line, this machine's clock, and the broker's certificate\n"
    )
    assert list((centre_folder / "programmes").iterdir()) == []
    own_broker.start()
    assert run(centre_folder, file, own_broker, "--via-broker") == 0
    assert verified(centre_folder, retained(own_broker)[TOPIC]).version == 1


def test_the_audio_is_on_the_broker_before_the_document_that_names_it(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """Whoever hears the programme can fetch all of it: no station asks for what is not there yet."""
    recording(tmp_path, "a.wav", "anoisesrc=d=60:r=48000:a=0.2")
    station = Listener(own_broker, "da-teh-01", subscribe="ttcs/v1/#")
    file = written(tmp_path, GOOD.replace("text: Xin chào bà con.", "file: a.wav"))

    assert run(centre_folder, file, own_broker, "--via-broker") == 0
    eventually(lambda: any(topic == TOPIC for topic, _ in station.messages))
    topics = [topic for topic, _ in station.messages]
    station.close()

    assert topics.index(TOPIC) == len(topics) - 1 > 1
    assert all("/blob/" in topic for topic in topics[:-1])


@pytest.mark.parametrize("restart", [False, True])
def test_a_folder_restored_from_a_copy_does_not_use_a_number_twice(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, restart: bool
) -> None:
    """The broker holds version 3, the copy knows of 1: the next is 4, and a station takes it."""
    file = written(tmp_path, GOOD)
    assert run(centre_folder, file, own_broker, "--via-broker") == 0
    copy = Path(shutil.copytree(centre_folder, tmp_path / "copy"))
    for _ in range(2):
        assert run(centre_folder, file, own_broker, "--via-broker") == 0
    if restart:
        eventually(lambda: (own_broker._folder / "mosquitto.db").exists())
        own_broker.stop()
        own_broker.start()

    assert run(copy, file, own_broker, "--via-broker") == 0

    assert verified(copy, retained(own_broker)[TOPIC], floor=4).version == 4
    assert (copy / f"programmes/{PLACE}/version.txt").read_text() == "4\n"


def test_a_strangers_number_on_the_broker_counts_for_nothing(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """Whoever may write to the broker cannot drive the numbers up to where none is left."""
    province = Province(scope=Scope("vn/lam-dong/da-teh"))
    stranger = Listener(own_broker, "stranger", subscribe="none")
    high = replace(make_programme(version=2**53 - 1, bulletins=(), slots=()), scope=Scope(PLACE))
    stranger.publish(TOPIC, province.sign(high))
    stranger.close()

    assert run(centre_folder, written(tmp_path, GOOD), own_broker, "--via-broker") == 0

    assert verified(centre_folder, retained(own_broker)[TOPIC]).version == 1


def test_two_operators_at_once_publish_one_after_the_other(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """Four commands in one moment: four numbers, four envelopes, and the broker holds the newest."""
    file = written(tmp_path, GOOD)
    broker = ["--via-broker", "--broker", f"127.0.0.1:{own_broker.port}"]
    command = [sys.executable, "-m", "ttcs_edge.central.main", "publish", str(centre_folder), str(file), *broker]
    with (centre_folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        operators = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
        eventually(lambda: waiting_for(lock.fileno()) == 4, 60)
        assert list((centre_folder / "programmes").iterdir()) == []
    said = [(operator.communicate(timeout=60)[1], operator.returncode) for operator in operators]

    assert said == [(b"", 0)] * 4
    kept = centre_folder / f"programmes/{PLACE}"
    assert sorted(path.name for path in kept.glob("*.json")) == [f"{n}.dsse.json" for n in (1, 2, 3, 4)]
    assert retained(own_broker)[TOPIC] == (kept / "4.dsse.json").read_bytes()


def waiting_for(lock: int) -> int:
    """How many processes wait for a lock (proc_locks(5))."""
    inode = os.fstat(lock).st_ino
    return sum("->" in line and f":{inode} " in line for line in Path("/proc/locks").read_text().splitlines())


def test_a_broker_that_keeps_nothing_is_told(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without retained messages, a station that starts tomorrow would hear nothing: exit code 69, no number."""
    config = own_broker._folder / "mosquitto.conf"
    config.write_text(config.read_text() + "retain_available false\n")
    own_broker.stop()
    own_broker.start()

    assert run(centre_folder, written(tmp_path, GOOD), own_broker, "--via-broker") == 69

    assert capsys.readouterr().err == (
        f"127.0.0.1:{own_broker.port} retains no messages\n"
        "A station that starts later would get no programme: set retain_available true on the broker\n"
    )


def test_a_document_that_another_replaced_at_once_is_not_told_as_published(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody answers every programme with his own: what stands at the end is not ours, and that is said."""
    file = written(tmp_path, GOOD)
    other = Rival(own_broker)
    try:
        eventually(lambda: run(centre_folder, file, own_broker, "--via-broker") == 69, 60)
    finally:
        other.close()

    version = (centre_folder / f"programmes/{PLACE}/version.txt").read_text().strip()
    said = capsys.readouterr()
    assert f"version {version}," not in said.out
    assert said.err == (
        f"The broker does not hold what was just sent ({PLACE} version {version})\n"
        "Somebody else published at the same moment: agree with them, then publish again\n"
    )


class Rival(Listener):
    """Puts something else in the place of each programme, before its publisher can look."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker, client_id="rival", subscribe="none")
        self._client.on_message = self._replace
        self._client.subscribe(TOPIC, qos=0)

    def _replace(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        if message.payload != b"other":
            client.publish(TOPIC, b"other", qos=0, retain=True)


def test_a_broker_with_another_authoritys_certificate_is_not_spoken_to(
    centre_folder: Path, broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stranger who answers at the broker's address gets nothing."""
    assert run(centre_folder, written(tmp_path, GOOD), broker, "--via-broker") == 69

    assert capsys.readouterr().err.splitlines()[0] == (
        f"127.0.0.1:{broker.port} cannot be reached: a certificate is not trusted"
        " (self-signed certificate in certificate chain)"
    )


def test_a_broker_that_does_not_know_the_operator_is_told(
    centre_folder: Path, own_broker: Broker, broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The broker trusts another authority than the operator's: the connection is closed at once, and it is said why."""
    shutil.copy(broker.authority.ca_file, centre_folder / "ca.pem")

    assert run(centre_folder, written(tmp_path, GOOD), broker, "--via-broker") == 69

    assert capsys.readouterr().err == (
        f"127.0.0.1:{broker.port} closed the connection without an answer\n"
        "It does not take operator.crt (its cafile must be this centre's ca.pem), or does not speak MQTT\n"
    )


def test_a_server_that_hangs_up_on_mqtt_is_told(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its certificate is good, and behind it is no broker: it hangs up on the first packet."""
    assert main(["server-certificate", str(centre_folder), "127.0.0.1"]) == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(centre_folder / "servers/127.0.0.1.crt", centre_folder / "servers/127.0.0.1.key")

    def hang_up(listening: socket.socket) -> None:
        with context.wrap_socket(listening.accept()[0], server_side=True) as connection:
            connection.recv(1_000)

    file = written(tmp_path, GOOD)
    capsys.readouterr()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=hang_up, args=(server,), daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        command = ["--lang", "en", "publish", str(centre_folder), str(file), "--via-broker", "--broker", address]
        assert main(command) == 69

    assert capsys.readouterr().err.splitlines()[0] == f"{address} closed the connection without an answer"


def test_a_broker_that_lets_the_operator_write_nothing_is_told(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The broker's access list leaves the operator out: nothing is numbered, nothing goes out."""
    (own_broker._folder / RIGHTS).write_text("user somebody\ntopic readwrite #\n")
    own_broker.stop()
    own_broker.start()

    assert run(centre_folder, written(tmp_path, GOOD), own_broker, "--via-broker") == 69

    assert capsys.readouterr().err == (
        f"127.0.0.1:{own_broker.port} refused: Not authorized\n"
        "Give the user operator the right to these topics (the broker's ACL)\n"
    )
    assert list((centre_folder / "programmes").iterdir()) == []


def test_a_name_that_is_not_found_and_a_port_that_is_silent_are_told(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No such host, and a server that closes at once instead of speaking TLS."""
    file = written(tmp_path, GOOD)
    command = ["--lang", "vi", "publish", str(centre_folder), str(file), "--via-broker", "--broker"]

    assert main([*command, "khong-co.invalid"]) == 69
    assert capsys.readouterr().err.startswith("Không nối được tới khong-co.invalid:8883: không tìm được tên máy chủ (")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        assert main([*command, f"127.0.0.1:{server.getsockname()[1]}"]) == 69
    assert capsys.readouterr().err.startswith("Không nối được tới 127.0.0.1:")


def test_what_answers_in_the_clear_is_told_as_no_broker(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broker's port without TLS, or the login page of a guest network."""
    file = written(tmp_path, GOOD)

    def greet(listening: socket.socket) -> None:
        with listening.accept()[0] as connection:
            connection.recv(1_000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet, args=(server,), daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        command = ["--lang", "en", "publish", str(centre_folder), str(file), "--via-broker", "--broker", address]
        assert main(command) == 69

    told = capsys.readouterr().err.splitlines()[0]
    assert re.sub(r"\(.*\)$", "(...)", told) == (
        f"{address} cannot be reached: what answers is not the broker: perhaps a login page of the network (...)"
    )


def test_a_signature_by_a_key_outside_the_trust_root_stays_here(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key that the trust root does not know signs nothing, and costs no number."""
    ours, before = (centre_folder / "keys/publish-1.pem").read_bytes(), (centre_folder / "centre.yaml").read_text()
    stranger = CryptoSigner.generate_ed25519()
    old = next(key for key in open_centre(centre_folder).settings.keys if key.role == "publish")
    (centre_folder / "keys/publish-1.pem").write_bytes(stranger.private_bytes)
    settings = (centre_folder / "centre.yaml").read_text()
    settings = settings.replace(old.keyid, stranger.public_key.keyid)
    (centre_folder / "centre.yaml").write_text(settings.replace(old.public, stranger.public_key.keyval["public"]))

    assert run(centre_folder, written(tmp_path, GOOD), own_broker, "--via-broker") == 66

    assert capsys.readouterr().err == (
        f"No publish key is here that the trust root knows\nSee: ttcs-central trust {centre_folder} show\n"
    )
    (centre_folder / "keys/publish-1.pem").write_bytes(ours)
    (centre_folder / "centre.yaml").write_text(before)
    assert run(centre_folder, written(tmp_path, GOOD), own_broker, "--via-broker") == 0
    assert verified(centre_folder, retained(own_broker)[TOPIC]).version == 1


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            (),
            "Stations would have no place to get the audio\nAdd --audio-url https://... or --via-broker\n",
        ),
        (
            ("--audio-url", "http://x/"),
            "This address of audio will not do: http://x/\n"
            "It must begin with https://, without blanks, at most 400 characters\n",
        ),
    ],
)
def test_audio_needs_a_place_that_a_station_may_use(
    centre_folder: Path,
    own_broker: Broker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    told: str,
) -> None:
    """Neither a document without places nor one with an unprotected address goes out."""
    assert run(centre_folder, written(tmp_path, GOOD), own_broker, *more) == 65

    assert capsys.readouterr().err == told


def test_what_sounds_by_night_is_seen_before_it_is_published(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slot at 03:15 among others stands first, once and marked; a daily slot takes one line."""
    night = GOOD + "  - {id: dem, start: 2026-01-01 03:15, rrule: FREQ=DAILY, bulletins: [chao]}\n"
    file = written(tmp_path, night.replace("2026-12-01 05:30", "2026-01-01 05:30"))

    assert run(centre_folder, file, own_broker, "--via-broker", "--dry-run") == 0

    shown = capsys.readouterr().out
    begin = shown.index("The next 7 days, time zone Asia/Ho_Chi_Minh\n")
    lines = [
        re.sub(r", [A-Z][a-z]+day \d\d-\d\d to [A-Z][a-z]+day \d\d-\d\d$", "", one) for one in shown[begin:].split("\n")
    ]
    assert lines[1:4] == [
        "!! BY NIGHT: 7 (silent where quiet hours are set)",
        "  03:15 dem (Lời chào): 7 times",
        "  05:30 sang (Lời chào): 7 times",
    ]


def test_what_comes_first_is_shown_first_however_many_slots_there_are(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hundred next cues are those that air next, not those of the first hundred slots; and that there are more."""
    slots = "".join(
        f"  - {{id: s{n}, start: 2026-01-01 12:00, rrule: FREQ=DAILY, bulletins: [chao]}}\n" for n in range(30)
    )
    once = f"  - {{id: mai, start: {local(1_800)[:16]}, bulletins: [chao]}}\n"

    assert run(centre_folder, written(tmp_path, GOOD + slots + once), own_broker, "--via-broker", "--dry-run") == 0

    shown = capsys.readouterr().out
    assert f" {local(1_800)[11:16]} mai (Lời chào): " in shown
    assert "  and more\n" in shown


def test_audio_that_nobody_uploads_is_said(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an address and no folder to put the files into, the operator is told which files must go there."""
    assert run(centre_folder, written(tmp_path, GOOD), own_broker, "--audio-url", "https://a.vn/x") == 0

    told = f"Stations will get the audio at https://a.vn/x: put the files of {centre_folder}/audio there"
    assert told in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ("40", r"Lời chào \(vi, 0:0\d, -1\d\.\d LUFS, \d+ kB\)"),
        ("80", r"Lời chào  vi +0:0\d  -1\d\.\d LUFS  \d+ kB"),
    ],
)
def test_each_recording_is_shown_as_it_was_measured(
    centre_folder: Path,
    own_broker: Broker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: str,
    line: str,
) -> None:
    """Its length, loudness and size, on a phone's screen and on a desk's."""
    monkeypatch.setenv("COLUMNS", columns)

    assert run(centre_folder, written(tmp_path, GOOD), own_broker, "--via-broker", "--dry-run") == 0

    shown = capsys.readouterr().out.splitlines()
    assert [one for one in shown if re.fullmatch(line, one)]
    assert max(map(cell_len, shown)) <= int(columns)
