"""A feed, its server and its CAP files as an attacker has them: bounded, told, and nothing goes out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import capvalidator
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from tests.central.conftest import CentreAuthority
from tests.central.feeds import SENDER, Answer, FeedServer, cap, endless, redirect, rules
from tests.central.test_alert import retained
from tests.central.test_cap_feed import once, run, server, standing
from tests.parts import Authority, Broker
from ttcs_edge.central import feed_judge, feed_round
from ttcs_edge.central.cap_signature import is_signed_by
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.feed_book import ENTRIES_AT_ONCE
from ttcs_edge.central.feed_fetch import Fetcher, Unfetched

_ = server
BOMB = '<!DOCTYPE feed [<!ENTITY a0 "aaaaaaaaaa">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
)
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom">{}</feed>'

FEEDS: dict[str, tuple[Callable[[FeedServer], bytes | Answer], str]] = {
    "bomb": (lambda server: f"{BOMB}]>{ATOM.format('&a11;')}".encode(), "it is neither Atom nor RSS ("),
    "external": (
        lambda server: f'<!DOCTYPE feed [<!ENTITY a SYSTEM "/etc/passwd">]>{ATOM.format("&a;")}'.encode(),
        "it is neither Atom nor RSS (DOCTYPE)",
    ),
    "elsewhere": (
        lambda server: f'<!DOCTYPE feed SYSTEM "{server.url}/x.dtd">{ATOM.format("")}'.encode(),
        "it is neither Atom nor RSS (DOCTYPE)",
    ),
    "huge": (lambda server: b" " * 100 * 1024 * 1024, "it is larger than 8388608 bytes"),
    "huge, unsaid": (lambda server: endless(server, b" " * 1024 * 1024, 0), "it is larger than 8388608 bytes"),
    "login": (lambda server: b"<html><body>Wi-Fi</body></html>", "it is neither Atom nor RSS (html)"),
    "words": (lambda server: b"please log in", "it is neither Atom nor RSS (Start tag expected, '<' not found"),
    "plain": (lambda server: redirect("http://127.0.0.1/atom.xml"), "it is not https: http://127.0.0.1/atom.xml"),
    "away": (
        lambda server: redirect("https://localhost:1/atom.xml"),
        "the server is not in hosts: https://localhost:1/atom.xml",
    ),
    "round": (lambda server: redirect("/atom.xml"), "it is sent on too often: "),
    "nowhere": (lambda server: redirect("https://[x/"), "it is no address: https://[x/"),
    "file": (lambda server: redirect("file:///etc/passwd"), "it is not https: file:///etc/passwd"),
    "error": (lambda server: lambda request: request.send_error(500), "the server answered 500"),
}


@pytest.mark.parametrize("name", FEEDS)
def test_a_bad_feed_is_told_and_nothing_goes_out(
    centre_folder: Path,
    own_broker: Broker,
    server: FeedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """Entities, too much, no feed at all, sent on to where nobody allowed; it can be tried again, 69."""
    page, why = FEEDS[name]
    server.pages["/atom.xml"] = page(server)
    capsys.readouterr()

    assert run(centre_folder, rules(tmp_path, server), own_broker, "--once") == 69

    said = capsys.readouterr()
    assert said.out.startswith(f"CANNOT read {server.url}/atom.xml: {why}") and said.out.count("\n") == 1
    assert said.err.splitlines()[0].startswith(f"The feed {server.url}/atom.xml cannot be read: {why}")
    assert set(server.requests) == {"/atom.xml"} and len(server.requests) <= 4
    assert retained(own_broker) == {}


@pytest.mark.parametrize("piece", [b"", b" "], ids=["silent", "drips"])
def test_a_server_that_never_ends_is_left_at_the_deadline(server: FeedServer, piece: bytes) -> None:
    """However slowly it drips, and whether or not it has said how much there is."""
    server.pages["/slow"] = endless(server, piece, 0.05)
    fetcher = Fetcher(frozenset({("127.0.0.1", int(server.place.partition(":")[2]))}), server.ca)
    begun_s = time.monotonic()

    with pytest.raises(Unfetched) as raised:
        fetcher.fetch(f"{server.url}/slow", 1_000_000, deadline_s=0.5)

    assert (raised.value.code, raised.value.found) == ("slow", "0.5")
    assert time.monotonic() - begun_s < 5


def test_a_server_of_another_name_is_not_believed(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is one whose authority nobody has named."""
    authority = Authority(tmp_path / "other")
    authority._servers = ("kttv.example",)
    named = FeedServer(authority)
    unknown = FeedServer(CentreAuthority(open_centre(centre_folder), tmp_path / "own"))
    unknown.ca = named.ca
    told = []
    for one in (named, unknown):
        one.serve(a=cap("a"))
        capsys.readouterr()
        assert run(centre_folder, rules(tmp_path, one), own_broker, "--once") == 69
        told.append(capsys.readouterr().out)
        one.close()

    assert "the server cannot be trusted (IP address mismatch" in told[0]
    assert "the server cannot be trusted (unable to get local issuer certificate)" in told[1]
    assert named.requests == unknown.requests == [] and standing(centre_folder, own_broker) == {}


FILES: dict[str, tuple[Callable[[FeedServer], bytes | str | Answer], str]] = {
    "huge": (lambda server: b" " * 10 * 1024 * 1024, "REFUSED: it is larger than 4194304 bytes"),
    "endless": (lambda server: endless(server, b" " * 1024 * 1024, 0), "REFUSED: it is larger than 4194304 bytes"),
    "plain": (lambda server: redirect("http://127.0.0.1/a"), "REFUSED: it is not https: http://127.0.0.1/a"),
    "away": (
        lambda server: redirect("https://localhost/a"),
        "REFUSED: the server is not in hosts: https://localhost/a",
    ),
    "missing": (lambda server: lambda request: request.send_error(404), "will be tried again: the server answered 404"),
    "bomb": (
        lambda server: cap("a").replace("<alert", f"{BOMB.replace('feed', 'alert', 1)}]><alert").replace("Lũ", "&a11;"),
        "will be tried again: The file is no sound XML",
    ),
    "external": (
        lambda server: cap("a").replace("<alert", '<!DOCTYPE alert [<!ENTITY a SYSTEM "/etc/passwd">]><alert'),
        "will be tried again: The file has a DOCTYPE: <!DOCTYPE alert>",
    ),
    "invalid": (
        lambda server: cap("a", severity="Bad"),
        "will be tried again: It does not follow the schema of CAP 1.2: ",
    ),
    "says nothing": (
        lambda server: cap("a", info=False),
        "will be tried again: It says nothing (there is no info)",
    ),
    "private": (lambda server: cap("a", scope="Private"), "REFUSED: This is not for loudspeakers: Private"),
    "draft": (lambda server: cap("a", status="Draft"), "REFUSED: This is not for loudspeakers: Draft"),
    "ahead": (lambda server: cap("a", sent=60), "will be tried again: it says that it was sent at "),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_cap_file_is_told_and_nothing_goes_out(
    centre_folder: Path,
    own_broker: Broker,
    server: FeedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """What may have been read while it was written is tried again; nothing of it is left behind."""
    page, told = FILES[name]
    made = page(server)
    server.serve(a="", good=cap("good"))
    server.pages["/a.xml"] = made.encode() if isinstance(made, str) else made

    lines = once(centre_folder, rules(tmp_path, server), own_broker, capsys)

    (line,) = (one for one in lines if not one.startswith("SENT good "))
    assert line.startswith(f"{server.url}/a.xml: {told}")
    assert [event for _, event in standing(centre_folder, own_broker)] == ["good"]
    assert len(list((centre_folder / "feeds").glob("*.xml"))) == 1


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("https://127.0.0.1:1/a.xml", "REFUSED: the server is not in hosts: https://127.0.0.1:1/a.xml"),
        ("https://canhbao@{place}/a.xml", "REFUSED: the server is not in hosts: https://canhbao@{place}/a.xml"),
        ("http://{place}/a.xml", "REFUSED: it is not https: http://{place}/a.xml"),
        ("file:///etc/passwd", "REFUSED: it is not https: file:///etc/passwd"),
        ("https://127.0.0.1:99999/a.xml", "REFUSED: it is no address: https://127.0.0.1:99999/a.xml"),
        ("https://[x/a.xml", "REFUSED: it is no address: https://[x/a.xml"),
    ],
)
def test_a_link_to_elsewhere_is_not_followed(
    centre_folder: Path,
    own_broker: Broker,
    server: FeedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    link: str,
    told: str,
) -> None:
    """Whatever a feed names, only servers that the rules name are asked."""
    link, told = (one.format(place=server.place) for one in (link, told))
    server.serve(a=cap("a"))
    page = server.pages["/atom.xml"]
    assert isinstance(page, bytes)
    server.pages["/atom.xml"] = page.replace(b'href="a.xml"', f'href="{link}"'.encode())

    (line,) = once(centre_folder, rules(tmp_path, server), own_broker, capsys)

    assert line.startswith(f"{link}: {told}")
    assert server.requests == ["/atom.xml"]


def test_entries_by_the_thousand_are_taken_in_bit_by_bit(
    centre_folder: Path,
    own_broker: Broker,
    server: FeedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The newest first; so many files a round; what did not fit is told, and is read again though nothing changed."""
    monkeypatch.setattr(feed_round, "DOCUMENTS_AT_ONCE", 5)
    names = [f"n{number}" for number in range(ENTRIES_AT_ONCE + 3)]
    server.atom(*names)
    page = server.pages["/atom.xml"]
    assert isinstance(page, bytes)
    day = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat().encode()
    before, entry, after = page.rpartition(b"<entry>")
    server.pages["/atom.xml"] = (
        before
        + entry
        + after[: after.index(b"<updated>") + 9]
        + day
        + after[-200:].partition(b"</updated>")[1]
        + after.partition(b"</updated>")[2]
    )
    server.pages[f"/{names[-1]}.xml"] = cap("newest").encode()
    file = rules(tmp_path, server)

    told = once(centre_folder, file, own_broker, capsys)

    count = len(names)
    assert told[0] == f"{server.url}/atom.xml has {count} entries, too many: 3 are left for the next time"
    assert [line for line in told if line.startswith("SENT newest ")] and len(told) == 1 + 5
    assert server.requests[1] == f"/{names[-1]}.xml" and len(server.requests) == 1 + 5
    assert once(centre_folder, file, own_broker, capsys)[1:] and server.conditions[-1] is None


# -- whose signature


class Signer:
    """An author with a certificate of its own."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kttv")])
        now = datetime.now(timezone.utc)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=365))
        self.pem = builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def signed(self, text: str, *, blanks: bool = True) -> bytes:
        """A CAP file with an enveloped signature, over its white space too or without it."""
        root = etree.fromstring(text.encode(), etree.XMLParser(remove_blank_text=not blanks))
        signer = XMLSigner(signature_algorithm=SignatureMethod.ECDSA_SHA256)
        done = signer.sign(root, key=self.key, cert=self.pem.decode())
        return bytes(etree.tostring(done))


@pytest.mark.parametrize("blanks", [True, False])
def test_only_what_a_named_signer_has_signed_goes_out(
    centre_folder: Path,
    own_broker: Broker,
    server: FeedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    blanks: bool,
) -> None:
    """Not what nobody signed, what somebody else signed, what was changed, or a signed part moved into another."""
    own, stranger = Signer(), Signer()
    (tmp_path / "kttv.pem").write_bytes(own.pem)
    good = own.signed(cap("good"), blanks=blanks)
    changed = good.replace("Nước lên".encode(), "Nước rút".encode()).replace(b"N&#432;&#7899;c l&#234;n", b"K")
    root = etree.fromstring(cap("moved").encode())
    signed = etree.fromstring(good)
    signature = signed.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    root.append(signature)
    server.serve(
        good=good,
        bare=cap("bare"),
        other=stranger.signed(cap("other"), blanks=blanks),
        changed=changed,
        moved=etree.tostring(root),
    )
    file = rules(tmp_path, server, head="signers: [kttv.pem]\n")

    told = once(centre_folder, file, own_broker, capsys)

    nobody, bad = "none of the signers has signed it", "THE XML SIGNATURE IS BAD: the file was changed"
    assert sorted(told) == [
        f"SENT good of {SENDER} (good), by the rule nặng: Alert good version 1, vn/lam-dong",
        f"{server.url}/bare.xml: REFUSED: {nobody}",
        f"{server.url}/changed.xml: will be tried again: {bad}",
        f"{server.url}/moved.xml: will be tried again: {bad}",
        f"{server.url}/other.xml: REFUSED: {nobody}",
    ]


def test_a_signature_over_something_else_does_not_sign_an_alert(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An author's good signature that holds what it signs within itself, put into an alert of somebody else's."""
    own = Signer()
    (tmp_path / "kttv.pem").write_bytes(own.pem)
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloping,
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    plain = etree.XMLParser(remove_blank_text=True)
    good = etree.fromstring(cap("good").encode(), plain)
    signature = signer.sign(good, key=own.key, cert=own.pem.decode())
    root = etree.fromstring(cap("forged").encode(), plain)
    root.append(etree.fromstring(etree.tostring(signature)))
    forged = etree.tostring(root)
    assert capvalidator.check_schema(forged).passed and capvalidator.check_signature(forged).passed
    certificate = x509.load_pem_x509_certificate(own.pem)
    server.serve(forged=forged)

    told = once(centre_folder, rules(tmp_path, server, head="signers: [kttv.pem]\n"), own_broker, capsys)

    assert told == [f"{server.url}/forged.xml: will be tried again: THE XML SIGNATURE IS BAD: the file was changed"]
    assert not is_signed_by(forged, [certificate]) and is_signed_by(own.signed(cap("a")), [certificate])


def test_words_of_a_feed_cannot_command_a_terminal(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line an event, whatever stands in a headline or a link."""
    server.serve(a=cap("a", headline="Lũ&#x9b;31m&#x202e; quét\n\nHAI"))

    (line,) = once(centre_folder, rules(tmp_path, server), own_broker, capsys)

    assert line == f"SENT a of {SENDER} (Lũ 31m  quét HAI), by the rule nặng: Alert a version 1, vn/lam-dong"


def test_a_feed_in_other_hands_does_not_have_every_loudspeaker(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flood of alerts: two go out within the hour, the others wait for a person; what ends one of the two is sent."""
    file = rules(tmp_path, server, head="begun_an_hour: 2\n")
    server.serve(**{f"a{number}": cap(f"a{number}", sent=-20 + number) for number in range(5)})
    told = once(centre_folder, file, own_broker, capsys)

    assert [line.partition(" ")[0] for line in sorted(told)] == ["SENT", "SENT", "WAITS", "WAITS", "WAITS"]
    waits = next(line for line in told if "a2" in line)
    assert re.sub(r"\d:", "N:", waits, count=1) == (
        f"WAITS FOR A PERSON, number N: a2 of {SENDER} (a2): 2 new alerts went out within an hour (begun_an_hour)"
    )
    assert {one for _, one in standing(centre_folder, own_broker)} == {"a0", "a1"}

    ended = cap("end", sent=-2, msg_type="Cancel", refs=(("a0", -20),), info=False)
    more = cap("more", sent=-1, msg_type="Update", refs=(("a1", -19),), headline="Nước còn lên")
    server.serve(end=ended, more=more, b0=cap("b0", sent=-1))
    told = once(centre_folder, file, own_broker, capsys)

    kinds = {event: one.msg_type for (_, event), one in standing(centre_folder, own_broker).items()}
    assert kinds == {"a0": "Cancel", "a1": "Update"}
    assert [line.partition(",")[0] for line in told if "b0" in line] == ["WAITS FOR A PERSON"]


def test_an_hour_later_the_rules_decide_again(
    monkeypatch: pytest.MonkeyPatch,
    centre_folder: Path,
    own_broker: Broker,
    server: FeedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also in another life of the service: it is counted in its book."""
    file = rules(tmp_path, server, head="begun_an_hour: 1\n")
    server.serve(a=cap("a"))
    assert once(centre_folder, file, own_broker, capsys)[0].startswith("SENT a of ")
    server.serve(b=cap("b"))
    assert once(centre_folder, file, own_broker, capsys)[0].startswith("WAITS FOR A PERSON")
    monkeypatch.setattr(feed_judge, "HOUR_MS", 0)
    server.serve(c=cap("c"))
    assert once(centre_folder, file, own_broker, capsys)[0].startswith("SENT c of ")
