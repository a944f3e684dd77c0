"""A CAP 1.2 file becomes an alert of ours, or is refused with its line; what no loudspeaker says is told."""

from __future__ import annotations

import functools
import http.server
import re
import resource
import ssl
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.signer import XMLSigner

from tests.central.test_alert import PLACE, TOPICS, retained, send, standing, verified
from tests.central.test_publish import recording
from tests.parts import Broker, utc
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import AlertReference

EXAMPLE = Path(__file__).parents[1] / "data/cap/lu-quet.xml"
NOW = datetime.now(timezone.utc).replace(microsecond=0)
EVENT = "urn-oid-2-49-0-0-704-0-2026-11-29-1-7d545ce03f6c"


def hanoi(moment: datetime) -> str:
    """A time as CAP writes it, in Vietnam."""
    return moment.astimezone(timezone(timedelta(hours=7))).isoformat()


TEXT = (
    EXAMPLE.read_text("utf-8")
    .replace("SENT", hanoi(NOW - timedelta(minutes=5)))
    .replace("EXPIRES", hanoi(NOW + timedelta(hours=2)))
    .replace("LATER", hanoi(NOW + timedelta(hours=3)))
)


def written(folder: Path, text: str | bytes = TEXT, name: str = "lu-quet.xml") -> str:
    """A CAP file."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def refused(folder: Path, file: str, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    """What is told of a file that is not sent: place, problem, found, expected and mend in English, of each mistake."""
    assert main(["--lang", "en", "alert", str(folder), file, "--dry-run", *more]) == 65
    told = capsys.readouterr().err
    pattern = r"^(\S*\.xml.*)$|^  Wrong: (.*)|^  Found: (.*)"
    found = [next(one for one in groups if one) for groups in re.findall(pattern, told, re.MULTILINE)]
    return [one.removeprefix(file).removeprefix(":") for one in found]


def test_a_cap_file_goes_out_as_a_station_believes_it(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own identifier, sender and times, in UTC; a text for each language; and all that is lost is told first."""
    send(centre_folder, own_broker, written(tmp_path), "--scope", PLACE)

    alert = standing(centre_folder, own_broker)
    assert (alert.id, alert.identifier) == (EVENT, "urn:oid:2.49.0.0.704.0.2026.11.29.1")
    assert (alert.sender, alert.sent) == ("canhbao@kttv.example", utc(NOW - timedelta(minutes=5)))
    assert (alert.severity, alert.urgency, alert.certainty) == ("Extreme", "Immediate", "Likely")
    assert (alert.expires, alert.status, alert.msg_type) == (utc(NOW + timedelta(hours=3)), "Actual", "Alert")
    assert [(one.language, one.headline, one.description, one.instruction) for one in alert.info] == [
        ("vi", "Cảnh báo lũ quét tại Đạ Tẻh", "Mưa rất to trong ba giờ tới.", "Rời bờ suối ngay."),
        ("en", "Flash flood at Da Teh", "", ""),
    ]
    told = capsys.readouterr().out.splitlines()
    assert told[: told.index("!! REAL ALERT: Cảnh báo lũ quét tại Đạ Tẻh")] == [
        "Of the CAP file",
        "  the language vi-VN is taken for vi",
        "  the language en-US is taken for en",
        "  area: Huyện Đạ Tẻh (where it is heard, --scope says)",
        "  not heard, senderName: Đài Khí tượng Thủy văn",
        "  not heard, web: https://kttv.example/1",
        "  there is no XML signature",
        "  severity is not the same everywhere: Extreme is taken",
        "  urgency is not the same everywhere: Immediate is taken",
        f"  expires is not the same everywhere: {utc(NOW + timedelta(hours=3))} is taken",
    ]


def test_its_update_and_its_cancel_find_the_event_by_their_references(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the same id, with the next numbers; a cancel without a text says that it is over."""
    send(centre_folder, own_broker, written(tmp_path), "--scope", PLACE, "--tell-cancel")
    first = standing(centre_folder, own_broker)
    sent = hanoi(NOW - timedelta(minutes=5))
    reference = f"<references>canhbao@kttv.example,urn:oid:2.49.0.0.704.0.2026.11.29.1,{sent}</references>"
    update = TEXT.replace(".29.1<", ".29.2<").replace("<msgType>Alert", "<msgType>Update")
    update = update.replace("</scope>", f"</scope>{reference}").replace("Rời bờ suối", "Ở yên")

    send(centre_folder, own_broker, written(tmp_path, update))

    second = standing(centre_folder, own_broker, first)
    assert (second.version, second.msg_type, second.id, second.scope) == (2, "Update", EVENT, PLACE)
    assert second.references == (AlertReference(sender=first.sender, identifier=first.identifier, sent=first.sent),)
    assert second.info[0].instruction == "Ở yên ngay."
    cancel = re.sub(r"<info>.*</info>", "", update, flags=re.DOTALL).replace("Update<", "Cancel<")

    send(centre_folder, own_broker, written(tmp_path, cancel.replace(".29.2<", ".29.3<")))

    third = standing(centre_folder, own_broker, second)
    assert (third.version, third.msg_type, third.identifier[-4:]) == (3, "Cancel", "29.3")
    assert [one.headline for one in third.info] == [
        "Đã hủy: Cảnh báo lũ quét tại Đạ Tẻh",
        "Cancelled: Flash flood at Da Teh",
    ]
    capsys.readouterr()
    stranger = update.replace("2026.11.29.1,", "2026.11.29.9,")
    assert send(centre_folder, own_broker, written(tmp_path, stranger)) == 65
    assert capsys.readouterr().err == (
        f"{tmp_path}/lu-quet.xml follows an alert that this centre does not have\n"
        "If you know its id: --update ID or --cancel ID\n"
    )


def test_somebody_elses_alert_is_not_taken_over(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stations heed only who sent it, so the command does not send what they would refuse."""
    send(centre_folder, own_broker, "--drill", "--id", "dien-tap")
    capsys.readouterr()

    assert send(centre_folder, own_broker, written(tmp_path), "--update", "dien-tap") == 65

    assert capsys.readouterr().err == (
        "The alert dien-tap is that of vn/lam-dong, not of canhbao@kttv.example\n"
        "Stations heed only who sent the alert: send a new one\n"
    )
    assert standing(centre_folder, own_broker).version == 1


def with_resource(text: str, **parts: str) -> str:
    """A CAP file whose first language has a resource."""
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())
    return text.replace("<area>", f"<resource><resourceDesc>Ghi</resourceDesc>{inside}</resource><area>", 1)


def test_audio_inside_the_file_is_heard(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> None:
    """In the language in which it stands; encoded and measured as any recording."""
    data = b64encode(recording(tmp_path, "a.mp3", "sine=400:d=2").read_bytes()).decode()

    send(centre_folder, own_broker, written(tmp_path, with_resource(TEXT, mimeType="audio/mpeg", derefUri=data)))

    vietnamese, english = standing(centre_folder, own_broker).info
    assert vietnamese.audio is not None and vietnamese.audio.language == "vi"
    assert abs(vietnamese.audio.duration_ms - 2_100) < 150 and english.audio is None


@contextmanager
def web(folder: Path, centre_folder: Path) -> Iterator[str]:
    """A web server with a certificate of the centre's; gives its address."""
    assert main(["server-certificate", str(centre_folder), "127.0.0.1"]) == 0
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(centre_folder / "servers/127.0.0.1.crt", centre_folder / "servers/127.0.0.1.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_audio_at_an_address_is_fetched_over_tls_or_told(
    centre_folder: Path,
    own_broker: Broker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What cannot be had is told, and the text goes out without it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(centre_folder / "ca.pem"))
    monkeypatch.setenv("COLUMNS", "200")
    recording(tmp_path, "a.wav", "sine=400:d=2")
    with web(tmp_path, centre_folder) as address:
        there = with_resource(TEXT, mimeType="audio/wav", uri=f"{address}/a.wav")
        away = with_resource(TEXT, mimeType="audio/wav", uri=f"{address}/b.wav").replace(".29.1<", ".29.2<")
        changed = with_resource(TEXT, mimeType="audio/wav", uri=f"{address}/a.wav", digest="0" * 40)
        plain = with_resource(TEXT, mimeType="audio/wav", uri="http://localhost/a.wav")
        picture = with_resource(TEXT, mimeType="image/png", uri=f"{address}/a.png")
        send(centre_folder, own_broker, written(tmp_path, there))
        heard = standing(centre_folder, own_broker).info[0].audio
        send(centre_folder, own_broker, written(tmp_path, away), "--id", "away")
        capsys.readouterr()
        told = []
        for text in (away, changed, plain, picture):
            file = written(tmp_path, text.replace(".29.1<", ".29.2<"))
            assert main(["--lang", "en", "alert", str(centre_folder), file, "--dry-run"]) == 0
            told.append(capsys.readouterr().out)

    assert heard is not None
    spoken = verified(centre_folder, retained(own_broker)[TOPICS.alert("vn/lam-dong", "away")])
    assert spoken.info[0].audio is None
    assert f"  the recording {address}/b.wav cannot be had: File not found\n" in told[0]
    assert f"  the recording {address}/a.wav cannot be had: SHA-1\n" in told[1]
    assert "  the recording http://localhost/a.wav cannot be had: https://\n" in told[2]
    assert "  not heard: Ghi (image/png)\n" in told[3]


def signed(text: str, centre_folder: Path) -> bytes:
    """A CAP file with an enveloped XML signature."""
    assert main(["server-certificate", str(centre_folder), "kttv.example"]) == 0
    key = load_pem_private_key((centre_folder / "servers/kttv.example.key").read_bytes(), None)
    certificate = (centre_folder / "servers/kttv.example.crt").read_text()
    root = etree.fromstring(text.encode(), etree.XMLParser(remove_blank_text=True, remove_comments=True))
    signer = XMLSigner(signature_algorithm=SignatureMethod.ECDSA_SHA256)
    data: bytes = etree.tostring(signer.sign(root, key=key, cert=certificate))  # type: ignore[arg-type]
    return data


def test_a_signature_that_does_not_hold_is_refused(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One letter changed on the way; one that holds is told as such, and as no more than that."""
    data = signed(TEXT, centre_folder)
    file = written(tmp_path, data)

    assert main(["--lang", "en", "alert", str(centre_folder), file, "--dry-run"]) == 0
    assert "  the XML signature holds; whose it is, look yourself\n" in capsys.readouterr().out

    written(tmp_path, data.replace("Rời".encode(), "Lên".encode()).replace(b"R&#7901;i", b"L&#234;n"))
    told = refused(centre_folder, file, capsys)
    assert told == ["2: Signature", "THE XML SIGNATURE IS BAD: the file was changed", "(nothing)"]


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)) + '<!ENTITY a0 "aaaaaaaaaa">'
DOCTYPE = "<!DOCTYPE alert>"
HOSTILE: dict[str, tuple[str | bytes, list[str]]] = {
    "entity": (
        TEXT.replace("<alert", '<!DOCTYPE alert [<!ENTITY a "a">]><alert').replace("Flash", "&a;"),
        ["", "The file has a DOCTYPE", DOCTYPE],
    ),
    "external": (
        TEXT.replace("<alert", '<!DOCTYPE alert [<!ENTITY a SYSTEM "/etc/passwd">]><alert').replace("Flash", "&a;"),
        ["", "The file has a DOCTYPE", DOCTYPE],
    ),
    "elsewhere": (
        TEXT.replace("<alert", '<!DOCTYPE alert SYSTEM "http://127.0.0.1:9/x.dtd"><alert'),
        ["", "The file has a DOCTYPE", '<!DOCTYPE alert SYSTEM "http://127.0.0.1:9/x.dtd">'],
    ),
    "huge": (TEXT + " " * 4 * 1024 * 1024, ["", "The file is too large", "> 4194304"]),
    "other": (
        TEXT.replace("cap:1.2", "cap:1.1"),
        ["2", "The file is no CAP 1.2", "{urn:oasis:names:tc:emergency:cap:1.1}alert"],
    ),
}
UNSOUND: dict[str, str | bytes] = {
    "bomb": TEXT.replace("<alert", f'<!DOCTYPE alert [<!ENTITY a0 "aaaaaaaaaa">{BOMB}]><alert').replace(
        "Flash", "&a11;"
    ),
    "deep": "<a>" * 300 + "</a>" * 300,
    "cut": TEXT[:900],
    "empty": "",
    "zeros": b"\0" * 5_000,
    "letters": TEXT.encode("utf-16")[:-3],
}


@pytest.mark.parametrize("name", UNSOUND)
def test_what_is_no_sound_xml_is_refused(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Entities that grow without end, too deep, cut off, empty, no XML at all: with the line, in its parser's words."""
    place, problem, found = refused(centre_folder, written(tmp_path, UNSOUND[name]), capsys)

    assert problem == "The file is no sound XML" and place.isdecimal() and found
    assert not (centre_folder / "alerts/sent").exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused_before_it_does_harm(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Entities, also such as read files or reach out; too large; another version of CAP."""
    text, wanted = HOSTILE[name]

    told = refused(centre_folder, written(tmp_path, text), capsys)

    assert told == wanted
    assert not (centre_folder / "alerts/sent").exists()


def test_the_largest_file_of_nothing_but_elements_is_refused_in_bounded_memory(
    centre_folder: Path, tmp_path: Path
) -> None:
    """Half a gigabyte is enough for four megabytes of elements that are all wrong."""
    file = written(tmp_path, TEXT.replace("</alert>", "<a/>" * 1_040_000 + "</alert>"))
    command = [sys.executable, "-m", "ttcs_edge.central.main", "--lang", "en", "alert", str(centre_folder), file]

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1024**3, 1024**3))

    done = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, timeout=60, preexec_fn=bounded)

    assert done.returncode == 65, done.stderr[-500:]
    assert "It does not follow the schema of CAP 1.2" in done.stderr


WRONG: dict[str, tuple[str, str, list[str]]] = {
    "status": ("<status>Actual", "<status>Draft", ["6: status", "This is not for loudspeakers", "Draft"]),
    "system": ("<status>Actual", "<status>System", ["6: status", "This is not for loudspeakers", "System"]),
    "message": ("<msgType>Alert", "<msgType>Ack", ["7: msgType", "This is not for loudspeakers", "Ack"]),
    "scope": (">Public<", ">Private<", ["8: scope", "This is not for loudspeakers", "Private"]),
    "sender": (
        ">canhbao@kttv.example<",
        f">{'a' * 201}<",
        ["4: sender", "It is not written in the right form", "a" * 80],
    ),
    "nobody": (">canhbao@kttv.example<", "><", ["4: sender", "It is not written in the right form", "(nothing)"]),
    "language": (">vi-VN<", ">x-kho<", ["10: info[1].language", "It is not written in the right form", "x-kho"]),
    "references": (
        "</scope>",
        "</scope><references>a,b</references>",
        ["8: references", "It is not written in the right form", "a,b"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_must_not_be_heard_or_cannot_be_said_is_refused_with_its_line(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Beyond the schema: what is not public, no alert, or under a name that no station would take."""
    before, after, wanted = WRONG[name]

    assert refused(centre_folder, written(tmp_path, TEXT.replace(before, after, 1)), capsys) == wanted


@pytest.mark.parametrize(
    ("before", "after", "line", "part"),
    [
        ("<severity>Severe", "<severity>Bad", 15, "'severity': [facet 'enumeration'] The value 'Bad'"),
        ("<urgency>Immediate</urgency>", "", 15, "'severity': This element is not expected. Expected is"),
        ("<sent>", "<sent>x", 5, "'sent': 'x2026-"),
        ("<event>Lũ quét</event>", "", 14, "'urgency': This element is not expected."),
        ("</alert>", "<more/></alert>", 39, "more"),
    ],
)
def test_a_mistake_against_the_schema_is_told_with_its_line(
    centre_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    before: str,
    after: str,
    line: int,
    part: str,
) -> None:
    """A field that is missing, wrong or unknown."""
    told = refused(centre_folder, written(tmp_path, TEXT.replace(before, after, 1)), capsys)

    assert told[0] == str(line) or abs(int(told[0]) - line) <= 1
    assert told[1] == "It does not follow the schema of CAP 1.2" and part in told[2]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (r"<expires>.*?</expires>", "", "{file} does not say when it ends\nAdd --expires-in MINUTES\n"),
        (
            r"<description>.*?</description>",
            f"<description>{'a' * 4_001}</description>",
            "The description in vi has 4001 characters, it must have 1 to 4000\n"
            "Write it shorter: --description vi=...\n",
        ),
        (r"<info>.*</info>", "", None),
    ],
    ids=["expires", "long", "nothing"],
)
def test_what_the_operator_can_mend_on_the_command_line_is_told_so(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, told: str | None
) -> None:
    """And then it goes out."""
    file = written(tmp_path, re.sub(before, after, TEXT, flags=re.DOTALL))
    command = ["--lang", "en", "alert", str(centre_folder), file, "--dry-run"]

    assert main(command) == 65
    said = capsys.readouterr().err
    if told is None:
        assert "  Wrong: It says nothing (there is no info)\n" in said
        return
    assert said == told.format(file=file)
    assert main([*command, "--expires-in", "60", "--description", "Mưa."]) == 0


def test_an_identifier_in_other_letters_is_written_as_stations_take_it(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Percent signs, told; and a long stay is cut to the longest that stations hold an alert."""
    text = TEXT.replace("urn:oid:2.49.0.0.704.0.2026.11.29.1", "lũ 1").replace(
        hanoi(NOW + timedelta(hours=3)), hanoi(NOW + timedelta(days=30))
    )

    assert main(["--lang", "en", "alert", str(centre_folder), written(tmp_path, text), "--dry-run"]) == 0

    told = capsys.readouterr().out
    assert "  the name lũ 1 is written l%C5%A9%201\n" in told
    assert re.search(r"a new alert, l-C5-A9-201-[0-9a-f]{12},", told)


def test_what_the_file_says_too_late_is_told(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is over already."""
    past = re.sub(r"<expires>.*?</expires>", f"<expires>{hanoi(NOW - timedelta(minutes=1))}</expires>", TEXT)

    assert send(centre_folder, own_broker, written(tmp_path, past)) == 65

    assert capsys.readouterr().err.startswith(f"The alert {EVENT} ends at {utc(NOW - timedelta(minutes=1))}\n")
    assert retained(own_broker) == {}


def test_the_daemon_and_the_other_commands_load_no_xml() -> None:
    """What only a CAP file needs is loaded for a CAP file only."""
    code = "import sys, ttcs_edge.central.main, ttcs_edge.central.alert; print('lxml' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
