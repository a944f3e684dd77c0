"""``ttcs-central cap-feed``: what a feed says is passed on as the rules let it, never lost and never twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.central.conftest import CentreAuthority
from tests.central.feeds import SENDER, FeedServer, cap, rules
from tests.central.test_alert import PLACE, TOPICS, retained, verified
from tests.parts import Broker
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import Alert

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
    found = [verified(folder, data) for topic, data in retained(broker).items() if TOPICS.alert_event(topic)]
    return {(one.scope, one.id): one for one in found}


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
    assert server.requests == ["/atom.xml", "/lu.xml", "/mua.xml", "/atom.xml"]
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
