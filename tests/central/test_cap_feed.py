"""``ttcs-central cap-feed``: what a feed says is passed on as the rules let it, never lost and never twice."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.central.conftest import CentreAuthority
from tests.central.feeds import SENDER, FeedServer, cap, moment, rules
from tests.central.test_alert import PLACE, TOPICS, retained, verified
from tests.central.test_publish import recording
from tests.parts import Broker, eventually, free_port
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import Alert, Signed
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.wire.documents import read_alert

ASK = "  - {name: hỏi, severity_least: Severe, then: ask}\n"


@pytest.fixture
def server(centre_folder: Path, tmp_path: Path) -> Iterator[FeedServer]:
    """The author's web server, certified by the centre's authority to have one."""
    made = FeedServer(CentreAuthority(open_centre(centre_folder), tmp_path / "web"))
    yield made
    made.close()


def run(folder: Path, file: Path, broker: Broker, *more: str) -> int:
    """The command, in English."""
    address = f"127.0.0.1:{broker.port}"
    return main(["--lang", "en", "cap-feed", str(folder), str(file), "--broker", address, *more])


def once(folder: Path, file: Path, broker: Broker, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    """What one round tells."""
    capsys.readouterr()
    assert run(folder, file, broker, "--once", *more) == 0
    return capsys.readouterr().out.splitlines()


def standing(folder: Path, broker: Broker) -> dict[tuple[str, str], Alert]:
    """The alerts that stand on the broker, by scope and event, each as a station believes it."""
    found = {}
    for topic, data in retained(broker).items():
        if (named := TOPICS.alert_event(topic)) is not None:
            signed = read_alert(data, open_centre(folder).trust.document)
            assert isinstance(signed, Signed)
            found[named] = verified(folder, data) if named[0] in ("vn/lam-dong", PLACE) else signed.document
    return {(one.scope, one.id): one for one in found.values()}


def test_what_a_rule_lets_through_goes_out_as_a_station_believes_it(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the words and the names of its author; what no rule names is told and stays here; nothing twice."""
    server.serve(lu=cap("lu-1", headline="Lũ quét tại Đạ Tẻh"), mua=cap("mua-1", severity="Minor"))
    file = rules(tmp_path, server)

    told = once(centre_folder, file, own_broker, capsys)

    assert sorted(told) == [
        f"Dropped mua-1 of {SENDER} (mua-1): no rule names it",
        f"SENT lu-1 of {SENDER} (Lũ quét tại Đạ Tẻh), by the rule nặng: Alert lu-1 version 1, vn/lam-dong",
    ]
    alert = standing(centre_folder, own_broker)["vn/lam-dong", "lu-1"]
    assert (alert.sender, alert.identifier, alert.msg_type, alert.severity) == (SENDER, "lu-1", "Alert", "Severe")
    assert [(one.language, one.headline, one.description) for one in alert.info] == [
        ("vi", "Lũ quét tại Đạ Tẻh", "Nước lên.")
    ]
    assert once(centre_folder, file, own_broker, capsys) == []
    assert standing(centre_folder, own_broker) == {("vn/lam-dong", "lu-1"): alert}
    assert server.requests[::3] == ["/atom.xml"] * 2 and sorted(server.requests[1:3]) == ["/lu.xml", "/mua.xml"]
    assert server.conditions[0] is None and re.fullmatch(r'"[0-9a-f]{64}"', server.conditions[3] or "")


def test_its_update_and_its_cancel_follow_it(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the same event; a cancel without words and an update to something smaller too, by the same rule."""
    file = rules(tmp_path, server)
    server.serve(a=cap("lu-1"))
    once(centre_folder, file, own_broker, capsys)
    server.serve(b=cap("lu-2", msg_type="Update", refs=(("lu-1", -5),), sent=-4, severity="Moderate"))

    told = once(centre_folder, file, own_broker, capsys)

    assert told == [f"SENT lu-2 of {SENDER} (lu-2), by the rule nặng: Update lu-1 version 2, vn/lam-dong"]
    second = standing(centre_folder, own_broker)["vn/lam-dong", "lu-1"]
    assert (second.identifier, second.msg_type, second.severity) == ("lu-2", "Update", "Moderate")
    server.serve(c=cap("lu-3", msg_type="Cancel", refs=(("lu-1", -5), ("lu-2", -4)), sent=-3, info=False))

    told = once(centre_folder, file, own_broker, capsys)

    assert told == [f"SENT lu-3 of {SENDER} (-), by the rule nặng: Cancel lu-1 version 3, vn/lam-dong"]
    third = standing(centre_folder, own_broker)["vn/lam-dong", "lu-1"]
    assert (third.identifier, third.msg_type, third.info[0].headline) == ("lu-3", "Cancel", "Đã hủy: lu-2")


# -- what became of what it is about


def test_one_that_comes_back_after_an_outage_sends_only_what_is_still_in_force(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is over, what was cancelled and what was replaced is not begun; the update goes out in its place."""
    file = rules(tmp_path, server)
    server.serve(
        over=cap("over", sent=-90, expires=-1),
        first=cap("first", sent=-30),
        second=cap("second", sent=-20, msg_type="Update", refs=(("first", -30),)),
        gone=cap("gone", sent=-30),
        cancel=cap("cancel", sent=-10, msg_type="Cancel", refs=(("gone", -30),), info=False),
    )

    told = once(centre_folder, file, own_broker, capsys)

    assert sorted(told) == [
        f"Dropped cancel of {SENDER} (-): it is about what was not sent from here",
        f"Dropped first of {SENDER} (first): its author has replaced it",
        f"Dropped gone of {SENDER} (gone): its author has replaced it",
        f"Dropped over of {SENDER} (over): it is over",
        f"SENT second of {SENDER} (second), by the rule nặng: Alert second version 1, vn/lam-dong",
    ]
    ((_, event),) = standing(centre_folder, own_broker)
    assert event == "second"
    server.serve(end=cap("end", sent=-1, msg_type="Cancel", refs=(("first", -30),), info=False))
    assert once(centre_folder, file, own_broker, capsys) == [
        f"SENT end of {SENDER} (-), by the rule nặng: Cancel second version 2, vn/lam-dong"
    ]


def test_an_alert_that_comes_behind_its_cancel_is_not_begun(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when its file could not be had at first; behind its update, the update is sent."""
    file = rules(tmp_path, server)
    server.serve(
        x=cap("x", sent=-9, msg_type="Cancel", refs=(("a", -10),), info=False),
        y=cap("y", sent=-9, msg_type="Update", refs=(("b", -10),)),
    )
    unheard = "it is about what was not sent from here"
    assert sorted(once(centre_folder, file, own_broker, capsys)) == [
        f"Dropped x of {SENDER} (-): {unheard}",
        f"Dropped y of {SENDER} (y): {unheard}",
    ]
    server.serve(a=cap("a", sent=-10), b=cap("b", sent=-10))

    told = once(centre_folder, file, own_broker, capsys)

    assert sorted(told) == [
        f"Dropped a of {SENDER} (a): its author has replaced it",
        f"Dropped b of {SENDER} (b): its author has replaced it",
        f"SENT y of {SENDER} (y), by the rule nặng: Alert y version 1, vn/lam-dong",
    ]
    assert [event for _, event in standing(centre_folder, own_broker)] == ["y"]


def test_what_a_feed_forgets_is_not_cancelled(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only its author's Cancel ends an alert."""
    file = rules(tmp_path, server)
    server.serve(a=cap("a"))
    once(centre_folder, file, own_broker, capsys)
    server.atom()

    assert once(centre_folder, file, own_broker, capsys) == []

    assert standing(centre_folder, own_broker)["vn/lam-dong", "a"].msg_type == "Alert"


def test_nobody_touches_anothers_alert(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Cancel and an Update in another sender's name are refused; one alert named alike is an event of its own."""
    file = rules(tmp_path, server)
    server.serve(a=cap("a"))
    once(centre_folder, file, own_broker, capsys)
    before = standing(centre_folder, own_broker)
    stranger = "ke-la@example"
    named = f"{SENDER},a,"
    server.serve(
        b=cap("b", sender=stranger, msg_type="Cancel", refs=(("a", -5),), info=False).replace(f"{stranger},a,", named),
        c=cap("c", sender=stranger, msg_type="Update", refs=(("a", -5),)).replace(f"{stranger},a,", named),
    )

    told = once(centre_folder, file, own_broker, capsys)

    assert sorted(told) == [
        f"Dropped b of {stranger} (-): it is about another sender's alert",
        f"Dropped c of {stranger} (c): it is about another sender's alert",
    ]
    assert standing(centre_folder, own_broker) == before
    server.serve(d=cap("a", sender=stranger, headline="Khác"))
    (line,) = once(centre_folder, file, own_broker, capsys)
    assert re.fullmatch(rf"SENT a of {stranger} \(Khác\), by the rule nặng: Alert a-[0-9a-f]{{12}} version 1, .*", line)
    assert standing(centre_folder, own_broker)["vn/lam-dong", "a"] == before["vn/lam-dong", "a"]


def test_the_same_name_with_other_content_is_refused(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What went out stands; the same content written otherwise is the same message."""
    file = rules(tmp_path, server)
    server.serve(a=cap("a"))
    once(centre_folder, file, own_broker, capsys)
    before = standing(centre_folder, own_broker)
    first = server.pages["/a.xml"]
    assert isinstance(first, bytes)
    server.serve(again=first.replace(b"><", b">\n<"), other=first.replace("Nước lên".encode(), "Nước rút".encode()))

    told = once(centre_folder, file, own_broker, capsys)

    assert told == [f"{server.url}/other.xml: REFUSED: there is a message a of {SENDER} already, with other content"]
    assert standing(centre_folder, own_broker) == before
    assert len(list((centre_folder / "feeds").glob("*.xml"))) == 1


# -- where it is heard, and how


AREAS = """\
  - name: theo vùng
    severity_least: Severe
    then: pass
    severity_most: Severe
    repeat_s: 300
    tell_cancel: true
    areas:
      - {names: [Đạ Tẻh], scope: vn/lam-dong/da-teh, zones: [cho]}
      - {geocodes: [ma=24946], scope: vn/lam-dong/bao-loc}
"""


def test_areas_say_where_it_is_heard_and_an_update_moves_it(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It begins where an update adds a place, and is cancelled, silently, where the update leaves one out."""
    file = rules(tmp_path, server, AREAS)
    server.serve(a=cap("a", severity="Extreme", area="huyện  đạ tẻh, Cát Tiên"), b=cap("b", area="Đạ Tẻhx"))

    told = once(centre_folder, file, own_broker, capsys)

    assert sorted(told) == [
        f"Dropped b of {SENDER} (b): no rule names it",
        f"SENT a of {SENDER} (a), by the rule theo vùng: Alert a version 1, {PLACE}",
    ]
    alert = standing(centre_folder, own_broker)[PLACE, "a"]
    assert (alert.severity, alert.zones, alert.repeat_s, alert.tell_cancel) == ("Severe", ("cho",), 300, True)
    server.serve(c=cap("c", sent=-1, msg_type="Update", refs=(("a", -5),), area="Bảo Lộc", geocode="24946"))

    told = once(centre_folder, file, own_broker, capsys)

    assert told == [
        f"SENT c of {SENDER} (c), by the rule theo vùng: Alert a version 1, vn/lam-dong/bao-loc",
        f"SENT c of {SENDER} (c), by the rule theo vùng: Cancel a version 2, {PLACE}",
    ]
    now = standing(centre_folder, own_broker)
    assert (now[PLACE, "a"].msg_type, now[PLACE, "a"].tell_cancel) == ("Cancel", False)
    assert now[PLACE, "a"].info[0].headline == "Đã hủy: a"
    assert (now["vn/lam-dong/bao-loc", "a"].msg_type, now["vn/lam-dong/bao-loc", "a"].zones) == ("Alert", ())


# -- what waits for a person


def test_what_waits_for_a_person_is_listed_and_sent_when_it_is_confirmed(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shown and counted as any alert of an operator's; sent once, whoever confirms it again."""
    file = rules(tmp_path, server, ASK)
    server.serve(a=cap("a"))
    assert once(centre_folder, file, own_broker, capsys) == [
        f"WAITS FOR A PERSON, number 1: a of {SENDER} (a), by the rule hỏi"
    ]
    assert once(centre_folder, file, own_broker, capsys) == [] and standing(centre_folder, own_broker) == {}
    assert run(centre_folder, file, own_broker, "--asked") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"1  \S+Z  a of {SENDER} \(a\), by the rule hỏi", line)
    for trial in ("--confirm", "--drop"):
        assert run(centre_folder, file, own_broker, trial, "1", "--yes", "--dry-run") == 0
    assert "!! REAL ALERT: a\n" in capsys.readouterr().out
    assert run(centre_folder, file, own_broker, "--confirm", "1") == 77
    assert capsys.readouterr().err.startswith("Nothing was sent: there is nobody to ask\n")
    assert standing(centre_folder, own_broker) == {}

    assert run(centre_folder, file, own_broker, "--confirm", "1", "--yes", "--wait", "1") == 1  # no station is there

    told = capsys.readouterr().out.splitlines()
    assert "!! REAL ALERT: a" in told and "Sent a version 1" in told
    assert standing(centre_folder, own_broker)["vn/lam-dong", "a"].version == 1
    assert run(centre_folder, file, own_broker, "--confirm", "1", "--yes") == 66
    assert capsys.readouterr().err == "No message 1 waits; there wait: -\nSee what waits: add --asked\n"
    assert once(centre_folder, file, own_broker, capsys) == []


def test_what_waits_is_taken_back_by_its_author_or_dropped_by_a_person(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its update waits in its place, and goes out as a new alert; its cancel leaves nothing to confirm."""
    file = rules(tmp_path, server, ASK)
    server.serve(a=cap("a"), b=cap("b"), c=cap("c"), over=cap("over", sent=-9, expires=-1))
    assert sum(line.startswith("WAITS") for line in once(centre_folder, file, own_broker, capsys)) == 3
    stranger = cap("z", sender="ke-la@example", sent=-2, msg_type="Cancel", refs=(("c", -5),), info=False)
    server.serve(z=stranger.replace("ke-la@example,c,", f"{SENDER},c,"))
    assert once(centre_folder, file, own_broker, capsys) == [
        "Dropped z of ke-la@example (-): it is about another sender's alert"
    ]
    server.serve(
        d=cap("d", sent=-1, msg_type="Update", refs=(("a", -5),)),
        e=cap("e", sent=-1, msg_type="Cancel", refs=(("b", -5),), info=False),
    )

    told = once(centre_folder, file, own_broker, capsys)

    assert sorted(told) == [
        f"Dropped a of {SENDER} (a): its author has replaced it",
        f"Dropped b of {SENDER} (b): its author has cancelled it",
        f"Dropped e of {SENDER} (-): it cancels what was still waiting",
        next(line for line in told if line.startswith("WAITS") and f": d of {SENDER} (d), by the rule hỏi" in line),
    ]
    numbers = asked(centre_folder, file, own_broker, capsys)
    assert set(numbers) == {"c", "d"}
    assert run(centre_folder, file, own_broker, "--drop", numbers["c"]) == 0
    assert capsys.readouterr().out == f"Dropped c of {SENDER} (c): somebody dropped it\n"
    assert run(centre_folder, file, own_broker, "--confirm", numbers["d"], "--yes", "--wait", "1") == 1
    (alert,) = standing(centre_folder, own_broker).values()
    assert (alert.id, alert.msg_type, alert.references[0].identifier) == ("d", "Alert", "a")
    assert asked(centre_folder, file, own_broker, capsys) == {}


def asked(folder: Path, file: Path, broker: Broker, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """The numbers of what waits, by their names."""
    capsys.readouterr()
    assert run(folder, file, broker, "--asked") == 0
    return {line.split()[2]: line.split()[0] for line in capsys.readouterr().out.splitlines()}


def test_updates_of_what_nobody_heard_are_new_where_a_rule_says_so(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A danger that grew past what the rules ask for."""
    file = rules(tmp_path, server, "  - {name: nặng, severity_least: Severe, then: pass, unheard_updates: new}\n")
    server.serve(a=cap("a", severity="Minor"), b=cap("b", sent=-1, msg_type="Update", refs=(("a", -5),)))

    assert once(centre_folder, file, own_broker, capsys) == [
        f"Dropped a of {SENDER} (a): no rule names it",
        f"SENT b of {SENDER} (b), by the rule nặng: Alert b version 1, vn/lam-dong",
    ]


def test_a_trial_tells_everything_and_leaves_nothing_behind(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither on the broker nor in the centre's folder; it tells the same again."""
    file = rules(tmp_path, server)
    server.serve(a=cap("a"), b=cap("b", severity="Minor"))
    before = sorted(path for path in centre_folder.rglob("*") if "cache" not in path.parts)
    for _ in range(2):
        capsys.readouterr()
        assert run(centre_folder, file, own_broker, "--dry-run") == 0
        assert sorted(capsys.readouterr().out.splitlines()) == [
            f"Dropped b of {SENDER} (b): no rule names it",
            f"Would send a of {SENDER} (a), by the rule nặng: vn/lam-dong",
        ]
    assert sorted(path for path in centre_folder.rglob("*") if "cache" not in path.parts) == before
    assert standing(centre_folder, own_broker) == {}


def test_what_does_not_say_when_it_ends_or_is_too_long_goes_out_all_the_same(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three hours from when it was sent; cut behind a sentence."""
    file = rules(tmp_path, server)
    server.serve(a=cap("a", expires=None).replace("Nước lên.", "Nước lên rất nhanh ở đây. " * 300))

    once(centre_folder, file, own_broker, capsys)

    alert = standing(centre_folder, own_broker)["vn/lam-dong", "a"]
    assert utc_ms(alert.expires) - utc_ms(alert.sent) == 180 * 60_000
    assert 3_900 < len(alert.info[0].description) <= 4_000 and alert.info[0].description.endswith("ở đây.")


def test_what_cannot_be_sent_as_it_is_waits_for_a_person_with_the_reason(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here the keys may only say less: nothing is lost, and the next message goes out."""
    file = rules(tmp_path, server)
    server.serve(a=cap("a" * 64, headline="   "), b=cap("b"))
    first = server.pages["/a.xml"]
    assert isinstance(first, bytes)
    server.pages["/a.xml"] = first.replace("<event>Lũ quét</event>".encode(), b"<event> </event>")

    told = once(centre_folder, file, own_broker, capsys)

    assert sorted(told) == [
        f"COULD NOT SEND {'a' * 64} of {SENDER} (-): The headline in vi has 0 characters, it must have 1 to 200;"
        f" it waits for a person, number {re.findall(r'number ([0-9]+)', ' '.join(told))[0]}",
        f"SENT b of {SENDER} (b), by the rule nặng: Alert b version 1, vn/lam-dong",
    ]
    assert set(asked(centre_folder, file, own_broker, capsys)) == {"a" * 64}
    assert once(centre_folder, file, own_broker, capsys) == []


def test_rss_is_followed_as_atom_is(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By an enclosure or a link."""
    item = f"<item><guid>1</guid><link>{server.url}/a.xml</link></item>"
    server.pages |= {
        "/a.xml": cap("a").encode(),
        "/rss.xml": f'<rss version="2.0"><channel>{item}</channel></rss>'.encode(),
    }

    told = once(centre_folder, rules(tmp_path, server, path="/rss.xml"), own_broker, capsys)

    assert told == [f"SENT a of {SENDER} (a), by the rule nặng: Alert a version 1, vn/lam-dong"]


def test_a_recording_is_heard_where_the_rules_let_it_be_fetched_else_the_text_is_spoken(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The warning goes out either way."""
    server.pages["/a.wav"] = recording(tmp_path, "a.wav", "sine=400:d=2").read_bytes()
    server.pages["/b.wav"] = b"no audio"

    def with_audio(uri: str) -> str:
        return f"<resource><resourceDesc>x</resourceDesc><mimeType>audio/wav</mimeType><uri>{uri}</uri></resource>"

    server.serve(
        a=cap("a", more=with_audio(f"{server.url}/a.wav")),
        b=cap("b", more=with_audio(f"{server.url}/b.wav")),
        c=cap("c", more=with_audio("https://localhost/c.wav")),
    )

    assert len(once(centre_folder, rules(tmp_path, server), own_broker, capsys)) == 3

    audio = {one.id: one.info[0].audio for one in standing(centre_folder, own_broker).values()}
    assert audio["a"] is not None and (audio["b"], audio["c"]) == (None, None)


def test_a_feed_that_has_not_changed_is_not_sent_again(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a real web server's own ETag and Last-Modified; changed, it is read again."""
    pages, folder, port = tmp_path / "pages", tmp_path / "nginx", free_port()
    certificate, key = CentreAuthority(open_centre(centre_folder), tmp_path / "web").server()
    for one in (pages, folder):
        one.mkdir()
    link = f'<link href="a.xml" type="application/cap+xml"/><updated>{moment(0)}</updated>'
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>a</id>{link}</entry></feed>'
    (pages / "atom.xml").write_text(feed)
    (pages / "a.xml").write_text(cap("a"))
    (folder / "nginx.conf").write_text(
        f"daemon off; {'user root;' if os.geteuid() == 0 else ''} pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log {folder}/log; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n"
        f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"server {{ listen 127.0.0.1:{port} ssl; root {pages};\n"
        f"ssl_certificate {certificate}; ssl_certificate_key {key}; }} }}\n"
    )
    file = tmp_path / "cap-feed.yaml"
    text = f"feed: https://127.0.0.1:{port}/atom.xml\nca: {centre_folder}/ca.pem\nrules: [{{name: x, then: drop}}]\n"
    file.write_text(text)
    nginx = subprocess.Popen(["/usr/sbin/nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])
    try:
        eventually(lambda: accepts(port))
        told = [once(centre_folder, file, own_broker, capsys) for _ in range(2)]
        (pages / "atom.xml").write_text(feed.replace("<id>a<", "<id>another<"))
        told.append(once(centre_folder, file, own_broker, capsys))
    finally:
        nginx.terminate()
        nginx.wait()

    assert told == [[f"Dropped a of {SENDER} (a): by the rule x"], [], []]
    asked = re.findall(r'"GET (\S+) HTTP/1.1" (\d+)', (folder / "log").read_text())
    assert asked == [
        *(("/atom.xml", "200"), ("/a.xml", "200")),
        ("/atom.xml", "304"),
        *(("/atom.xml", "200"), ("/a.xml", "200")),
    ]


def accepts(port: int) -> bool:
    """Whether anybody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_environments_proxy_is_used(
    centre_folder: Path,
    own_broker: Broker,
    server: FeedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It carries what it cannot read: the server is known by its certificate all the same."""
    server.serve(a=cap("a"))
    carried: list[bytes] = []

    def carry(client: socket.socket) -> None:
        carried.append(client.recv(4_096).partition(b"\r\n")[0])
        port = int(server.place.partition(":")[2])
        with client, socket.create_connection(("127.0.0.1", port)) as upstream:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pump, args=(upstream, client), daemon=True)
            back.start()
            pump(client, upstream)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def listen() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=carry, args=(proxy.accept()[0],), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        told = once(centre_folder, rules(tmp_path, server), own_broker, capsys)
        proxy.shutdown(socket.SHUT_RDWR)

    assert told == [f"SENT a of {SENDER} (a), by the rule nặng: Alert a version 1, vn/lam-dong"]
    assert carried == [f"CONNECT {server.place} HTTP/1.{carried[0][-1:].decode()}".encode()] * 2


def pump(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes one way until they end."""
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
