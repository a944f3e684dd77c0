"""``ttcs-central alert``: from a template, a file or the message before to the count of who heard it.

What is said and where is shown and asked before anything goes out. Whoever listens for the answers does so before the
message is sent: none can be missed.
"""

from __future__ import annotations

import argparse
import queue
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from securesystemslib.signer import Signer

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.alert_count import LEAVES, AlertCount
from ttcs_edge.central.alert_draft import AlertDraft, Changes, blanks_of, filled
from ttcs_edge.central.alert_file import read_alert_file
from ttcs_edge.central.alert_follow import follow
from ttcs_edge.central.alert_history import newest_kept
from ttcs_edge.central.alert_issue import Issue, newest_message
from ttcs_edge.central.alert_order import Order, compose, new_order
from ttcs_edge.central.alert_templates import DRILL, template_file, template_names
from ttcs_edge.central.asking import ask, confirm
from ttcs_edge.central.audio import AudioFolder
from ttcs_edge.central.broker import Heard, OperatorClient
from ttcs_edge.central.centre import Centre, check_grant, now, open_centre
from ttcs_edge.central.draw_alert import alert_lines, lost_lines
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.publish import Delivery
from ttcs_edge.central.stations import made_stations
from ttcs_edge.core.documents import Alert, Signed
from ttcs_edge.core.drills import PHRASES
from ttcs_edge.core.model import Scope
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen
from ttcs_edge.tones import DURATION_MS
from ttcs_edge.wire.topics import Topics
from ttcs_edge.yaml_form import closest

SPOKEN_CHARS_PER_S: Final = 12
SLACK_S: Final = 90
"""How much longer than the first round stations are waited for: one to which nobody listened before tries its reports
once a minute only (``link.reports``)."""
CAP_SUFFIX: Final = ".xml"
YAML_SUFFIXES: Final = (".yaml", ".yml")


def alert(given: argparse.Namespace, delivery: Delivery, secret: Callable[[str], str], lang: Language) -> int:
    """Carry the command out; gives the exit code: 1 when a station failed or is missing. Raises CentralError."""
    centre = open_centre(given.folder)
    check_grant(centre, "alert")
    changes = _changes(given)
    draft = _draft(given, centre, changes.blanks, lang)
    order = new_order(
        centre, draft, changes, update=given.update, cancel=given.cancel, event=given.id, speak=given.speak
    )
    signers = centre.signers("publish", secret)

    def send(mouth: OperatorClient, issues: Sequence[Issue]) -> list[Signed[Alert]]:
        folder = AudioFolder(centre.folder / "audio", centre.folder / "cache")
        return [issue.send(mouth, folder, given.sign_only) for issue in issues]

    return show_ask_send(centre, (order,), delivery, signers, send, given, lang, given.sign_only)


def show_ask_send(
    centre: Centre,
    orders: Sequence[Order],
    delivery: Delivery,
    signers: tuple[Signer, ...],
    send: Callable[[OperatorClient, Sequence[Issue]], list[Signed[Alert]]],
    given: argparse.Namespace,
    lang: Language,
    sign_only: Path | None = None,
) -> int:
    """Show what will be heard where, ask, send, and count who heard it; gives the exit code. Raises CentralError.

    Of what was ``given`` on the command line, ``dry_run``, ``yes``, ``json`` and ``seconds`` say how. What went into
    the file ``sign_only`` instead waits for others, and nobody heard it.
    """
    if given.dry_run:
        for order in orders:
            issue = compose(centre, order, newest_kept(centre, order.scope, order.event), delivery, signers)
            _show(issue, count_of(centre, order.scope), lang, to_errors=given.json)
        return 0
    if delivery.broker is None:
        raise CentralError("no-broker")
    with ExitStack() as clients:
        counts = [count_of(centre, order.scope) for order in orders]
        topics = tuple(counts[0].topics.station("+", leaf) for leaf in LEAVES)
        ears = [clients.enter_context(OperatorClient(centre, delivery.broker, topics).connected()) for _ in orders]
        mouth = clients.enter_context(OperatorClient(centre, delivery.broker).connected())
        issues = []
        for order, own_ears, count in zip(orders, ears, counts, strict=True):
            before = newest_message(centre, order.scope, order.event, mouth)
            issues.append(compose(centre, order, before, delivery, signers))
            meet(own_ears, count)
            _show(issues[-1], count, lang, to_errors=given.json)
        if not given.yes:
            confirm(text("central.alert-ask", lang))
        sent, codes = send(mouth, issues), []
        if sign_only is not None:
            written = text("central.approve-written", lang, file=sign_only, folder=centre.folder)
            screen.show(screen.console(), [screen.styled(written, screen.DOUBTFUL)])
            return 0
        for signed, own_ears, count in zip(sent, ears, counts, strict=True):
            codes.append(follow_sent(signed, own_ears, count, delivery.broker, given.seconds, lang, as_json=given.json))
        return max(codes)


def follow_sent(
    signed: Signed[Alert],
    ears: OperatorClient,
    count: AlertCount,
    broker: BrokerAddress,
    wait_s: int | None,
    lang: Language,
    *,
    as_json: bool = False,
) -> int:
    """Count who heard what has just gone out, for so long or as long as that takes; gives the exit code."""
    count.sent(signed.document, heard_later=_is_later(signed.document))
    enough_s = SLACK_S + round_s(signed.document)
    return follow(ears, count, wait_s or enough_s, broker, lang, as_json=as_json)


def count_of(centre: Centre, scope: Scope) -> AlertCount:
    """The count of who hears an alert of a scope, of the stations that this centre has made."""
    count = AlertCount(Topics(centre.settings.topic_root), scope)
    count.expect(made_stations(centre))
    return count


def round_s(document: Alert) -> int:
    """About how long one round of an alert is: the tone, then each language, and what is said around a drill."""
    texts = (len(one.headline + one.description + one.instruction) for one in document.info)
    spoken_s = (chars / SPOKEN_CHARS_PER_S for chars in texts)
    words_s = (
        one.audio.duration_ms / 1_000 if one.audio else guess_s
        for one, guess_s in zip(document.info, spoken_s, strict=True)
    )
    around = "".join(said for pair in PHRASES.get(document.status, {}).values() for said in pair)
    return round(DURATION_MS / 1_000 + sum(words_s) + len(around) / SPOKEN_CHARS_PER_S)


def _is_later(document: Alert) -> bool:
    return document.effective is not None and utc_ms(document.effective) > now().wall_ms


def _changes(given: argparse.Namespace) -> Changes:
    return Changes(
        texts={name: dict(getattr(given, name)) for name in ("headline", "description", "instruction")},
        audio={language: Path(file).absolute() for language, file in given.audio},
        blanks=dict(given.blanks),
        scope=None if given.scope is None else Scope(given.scope),
        zones=None if given.zones is None else tuple(given.zones),
        status="Exercise" if given.drill else given.status,
        severity=given.severity,
        urgency=given.urgency,
        certainty=given.certainty,
        lasts_s=None if given.minutes is None else given.minutes * 60,
        repeat_s=given.repeat_s,
        tell_cancel=given.tell_cancel,
    )


def _draft(given: argparse.Namespace, centre: Centre, blanks: Mapping[str, str], lang: Language) -> AlertDraft | None:
    """What the alert says, from the file or template that is named; None when the message before says it."""
    what = given.what or (DRILL if given.drill and not (given.update or given.cancel) else None)
    folder = centre.folder / "alerts" / "templates"
    names = ", ".join(template_names(folder))
    if what is None:
        if given.update or given.cancel:
            return None
        raise CentralError("no-what", names=names)
    path = Path(what)
    if path.suffix.lower() == CAP_SUFFIX:
        from ttcs_edge.central.cap_file import read_cap_file  # lxml only for those who need it

        return read_cap_file(path, centre.folder / "cache")
    template = None if path.suffix.lower() in YAML_SUFFIXES or "/" in what else template_file(folder, what)
    if template is None and path.suffix.lower() not in YAML_SUFFIXES:
        guess = closest(what, template_names(folder))
        raise CentralError("no-template", found=what, names=names, guess=guess or names.split(", ")[0])
    draft = read_alert_file(template or path)
    return filled(draft, _blanks(draft, blanks, lang))


def _blanks(draft: AlertDraft, given: Mapping[str, str], lang: Language) -> dict[str, str]:
    """What fills the blanks: what was given, and what a person at the terminal answers."""
    wanted = blanks_of(draft)
    unknown = sorted(set(given) - set(wanted))
    if unknown:
        raise CentralError("unknown-blank", names=", ".join(unknown), wanted=", ".join(wanted) or "-")
    lacking = [name for name in wanted if name not in given]
    if lacking and not sys.stdin.isatty():
        raise CentralError("alert-blanks", names=", ".join(lacking), first=lacking[0])
    return {**given, **{name: ask(text("central.alert-ask-blank", lang, name=name)) for name in lacking}}


def meet(ears: OperatorClient, count: AlertCount) -> None:
    """Take in which stations the broker knows."""
    ears.await_retained(f"{count.topics.root}/nothing")
    count.met = True
    while True:
        try:
            message = ears.incoming.get_nowait()
        except queue.Empty:
            return
        if isinstance(message, Heard):
            count.hear(message.topic, message.payload)


def _show(issue: Issue, count: AlertCount, lang: Language, *, to_errors: bool) -> None:
    """Show what will be heard where: on standard error when standard output is for a machine."""
    out = Console(stderr=True, color_system=None, markup=False, highlight=False) if to_errors else screen.console()
    document = issue.document(1 if issue.before is None else issue.before.document.version + 1)
    screen.show(
        out, [*lost_lines(issue.draft.lost, lang), *alert_lines(document, count, datetime.now().astimezone(), lang)]
    )
