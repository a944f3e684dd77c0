"""A file of rules: every mistake is told with its line; and what the rules make of a message."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.central.feeds import SENDER
from ttcs_edge.central.cap_file import CapArea
from ttcs_edge.central.errors import BadFeedFile
from ttcs_edge.central.feed_entries import NoFeed, read_feed
from ttcs_edge.central.feed_match import Facts, Target, plan_of
from ttcs_edge.central.feed_rules import FEED, Area, Rule, read_feed_file
from ttcs_edge.core.model import Scope
from ttcs_edge.locale.central_feeds import TABLES
from ttcs_edge.yaml_form import Key, ListOf, Section, explain

CENTRE = Scope("vn/lam-dong")
EXAMPLE = Path(__file__).resolve().parents[2] / "config/cap-feed.yaml"
GOOD = """\
feed: https://kttv.example:8443/cap.xml
hosts: [cap.kttv.example, "[::1]:444"]
rules:
  - name: nặng
    severity_least: Severe
    then: pass
"""
SAID = Facts(
    sender=SENDER,
    status="Actual",
    msg_type="Alert",
    severity="Severe",
    urgency="Expected",
    certainty="Likely",
    categories=("Met", "Geo"),
    events=("Lũ quét, sạt lở đất",),
    languages=("vi", "kpm"),
    areas=(CapArea("Huyện Đạ Tẻh, Cát Tiên", ("ma=24946",)),),
)


def written(folder: Path, text: str) -> Path:
    """A file of rules."""
    file = folder / "cap-feed.yaml"
    file.write_text(text, "utf-8")
    return file


def test_the_worked_example_lets_nothing_through_of_itself() -> None:
    """What is actual and severe at the least waits for a person; anything else is dropped."""
    found = read_feed_file(EXAMPLE, CENTRE)

    assert [(rule.then, rule.statuses, rule.severity_least) for rule in found.rules] == [("ask", ("Actual",), "Severe")]
    assert plan_of(replace(SAID, severity="Moderate"), found.rules) is None
    assert plan_of(replace(SAID, status="Test"), found.rules) is None


def test_the_example_explains_every_key() -> None:
    """A key that is new is explained there too."""
    text = EXAMPLE.read_text("utf-8")

    def names(section: Section) -> list[str]:
        found = []
        for key in section.keys:
            found.append(key.name)
            inner = key.kind.of if isinstance(key.kind, ListOf) else key.kind
            found += names(inner) if isinstance(inner, Section) else []
        return found

    assert [name for name in names(FEED) if name not in text] == [] and isinstance(FEED.keys[0], Key)


def test_servers_are_named_with_their_ports(tmp_path: Path) -> None:
    """443 where none is written."""
    found = read_feed_file(written(tmp_path, GOOD), CENTRE)

    assert found.places == {("kttv.example", 8443), ("cap.kttv.example", 443), ("::1", 444)}
    assert (found.every_s, found.ca, found.signers, found.rules[0].scope) == (60, None, (), CENTRE)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("https://kttv.example:8443/cap.xml", "http://kttv.example/", (1, "feed", "malformed")),
        ("https://kttv.example:8443", "https://kttv.example:99999", (1, "feed", "malformed")),
        ("cap.kttv.example", "a:0", (2, "hosts[1]", "malformed")),
        ("rules:", "every_s: 9\nrules:", (3, "every_s", "out-of-range")),
        ("rules:", "ca: none.pem\nrules:", (3, "ca", "named-file-missing")),
        ("rules:", "signers: [cap-feed.yaml]\nrules:", (3, "signers[1]", "no-certificate")),
        ("then: pass", "then: send", (6, "rules[1].then", "not-one-of")),
        ("    then: pass\n", "", (4, "rules[1].then", "missing-key")),
        ("Severe", "Bad", (5, "rules[1].severity_least", "not-one-of")),
        ("then: pass", "then: pass\n    repeat_s: 29", (7, "rules[1].repeat_s", "out-of-range")),
        ("then: pass", "then: pass\n    scope: vn/ha-noi", (7, "rules[1].scope", "outside-scope")),
        ("then: pass", "then: pass\n    areas: [{scope: vn/lam-dong}]", (7, "rules[1].areas[1]", "no-area")),
        (
            "then: pass",
            "then: pass\n    areas: [{names: [a], scope: vn}]",
            (7, "rules[1].areas[1].scope", "outside-scope"),
        ),
        ("then: pass", "then: pass\n    severity: Severe", (7, "rules[1].severity", "unknown-key")),
        ("then: pass", "then: pass\n    statuses: []", (7, "rules[1].statuses", "list-length")),
        ("then: pass", "then: pass\n    msg_types: [Ack]", (7, "rules[1].msg_types[1]", "not-one-of")),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, before: str, after: str, expected: tuple[int, str, str]
) -> None:
    """File, line, key; in Vietnamese and in English."""
    file = written(tmp_path, GOOD.replace(before, after, 1))

    with pytest.raises(BadFeedFile) as raised:
        read_feed_file(file, CENTRE)

    ((line, key, code),) = [(one.line, one.key, one.code) for one in raised.value.problems]
    assert (line, key, code) == expected
    told = explain(raised.value.problems, TABLES)
    assert told.startswith(f"{file}:{line}: {key}\n  Sai: ") and "\n  Wrong: " in told and "\n  Mend: " in told


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({}, True),
        ({"statuses": ("Exercise", "Test")}, False),
        ({"msg_types": ("Update",)}, False),
        ({"senders": (SENDER,)}, True),
        ({"senders": ("canhbao",)}, False),
        ({"categories": ("Geo",)}, True),
        ({"categories": ("Fire",)}, False),
        ({"events": ("LŨ QUÉT",)}, True),
        ({"events": ("lũ",)}, True),
        ({"events": ("sạt",)}, True),
        ({"events": ("sạ",)}, False),
        ({"events": (".*",)}, False),
        ({"languages": ("en", "kpm")}, True),
        ({"languages": ("en",)}, False),
        ({"severity_least": "Severe"}, True),
        ({"severity_least": "Extreme"}, False),
        ({"urgency_least": "Expected"}, True),
        ({"urgency_least": "Immediate"}, False),
        ({"certainty_least": "Possible"}, True),
        ({"certainty_least": "Observed"}, False),
    ],
)
def test_a_rule_fits_when_all_that_it_asks_for_is_so(asked: dict[str, object], fits: bool) -> None:
    """By name, by words without regard to capital letters, by how bad at the least."""
    rule = Rule(name="x", then="pass", scope=CENTRE, **asked)  # type: ignore[arg-type]
    assert (plan_of(SAID, (rule,)) is not None) == fits


def test_the_first_rule_that_fits_decides() -> None:
    """The order of the file."""
    first = Rule(name="a", then="drop", scope=CENTRE, senders=("x",))
    rules = (first, replace(first, name="b", senders=()), replace(first, name="c", then="pass", senders=()))

    assert getattr(plan_of(SAID, rules), "rule", None) == "b"


def test_areas_say_where_each_place_once() -> None:
    """By name or by code; zones of one place together; a place within another is not sent to twice."""

    def area(scope: str, *zones: str, names: tuple[str, ...] = (), codes: tuple[str, ...] = ()) -> Area:
        return Area(names=names, geocodes=codes, scope=Scope(scope), zones=zones)

    def targets(*areas: Area) -> tuple[Target, ...]:
        plan = plan_of(SAID, (Rule(name="x", then="pass", scope=CENTRE, areas=areas),))
        return () if plan is None else plan.targets

    assert targets(area("vn/a", names=("đạ tẻh",))) == (Target(Scope("vn/a")),)
    assert targets(area("vn/a", codes=("24946",))) == targets(area("vn/a", codes=("ma=24946",)))
    assert targets(area("vn/a", names=("Tẻ",)), area("vn/b", codes=("2494", "mb=24946"))) == ()
    both = area("vn/a", "cho", names=("Đạ Tẻh",)), area("vn/a", "dinh", "cho", codes=("24946",))
    assert targets(*both) == (Target(Scope("vn/a"), ("cho", "dinh")),)
    assert targets(*both, area("vn/a", names=("Cát Tiên",)), both[0]) == (Target(Scope("vn/a")),)
    assert targets(area("vn/a/b", names=("Đạ Tẻh",)), area("vn/a", names=("Cát Tiên",))) == (Target(Scope("vn/a")),)


# -- entries


URL = "https://kttv.example/cap/feed.xml"
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://cap.example/x/">
<entry><id>1</id><updated>2026-11-01T00:00:00Z</updated><link href="a.html" type="text/html"/>
<link rel="self" href="s.xml"/><link rel="related" type="application/cap+xml" href="a.xml"/></entry>
<entry><id>2</id><updated>2026-11-01T08:00:00+07:00</updated><link href="/b.xml"/></entry>
<entry><id>3</id><updated>hôm qua</updated><link href="https://khác/lũ.xml"/></entry>
<entry><id>4</id><updated>2026-11-01T00:00:00Z</updated></entry>
</feed>"""
RSS = """<rss version="2.0"><channel><title>x</title>
<item><guid>1</guid><pubDate>Sun, 01 Nov 2026 00:00:00 GMT</pubDate><link>a.html</link>
<enclosure url="a.mp3" type="audio/mpeg"/><enclosure url="a.xml" type="application/cap+xml"/></item>
<item><pubDate>Sun, 01 Nov 2026 01:00:00 +0000</pubDate><link> https://kttv.example/b.xml </link></item>
<item><title>nothing</title></item></channel></rss>"""


def test_entries_of_atom_and_rss_lead_to_their_cap_files_the_newest_first() -> None:
    """The link that says it is CAP; else the page itself; relative ones from where they stand."""
    atom, rss = read_feed(ATOM.encode(), URL), read_feed(RSS.encode(), URL)

    assert [one.link for one in atom] == [
        "https://cap.example/b.xml",
        "https://cap.example/x/a.xml",
        "https://kh%C3%A1c/l%C5%A9.xml",
    ]
    assert [one.link for one in rss] == ["https://kttv.example/b.xml", "https://kttv.example/cap/a.xml"]


def test_an_entry_that_was_changed_has_the_same_id_and_another_edition() -> None:
    """So its file is had again, and known by its own name."""
    before = {one.id: one.edition for one in read_feed(ATOM.encode(), URL)}
    after = {one.id: one.edition for one in read_feed(ATOM.replace("T08:00", "T09:00").encode(), URL)}

    assert before.keys() == after.keys() and sum(before[name] != after[name] for name in before) == 1


@pytest.mark.parametrize("text", ["", "<a/>", "<feed/>", "<!DOCTYPE rss><rss/>", "<rss>", "<a>" * 300 + "</a>" * 300])
def test_what_is_no_feed_is_no_feed(text: str) -> None:
    """Also one that a forgiving reader would make something of."""
    with pytest.raises(NoFeed) as raised:
        read_feed(text.encode(), URL)

    assert 0 < len(raised.value.found) <= 80
