"""``ttcs-central``: the operator's commands. What they do is in the modules beside this one; this reads and tells."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from ttcs_edge.central.address import check_audio_url, check_host, needed_broker, read_broker
from ttcs_edge.central.arguments import make_parser
from ttcs_edge.central.authority import make_server_certificate
from ttcs_edge.central.centre import Centre, CentreSettings, Quorum, make_centre, open_centre, write_pair
from ttcs_edge.central.errors import BadFile, CentralError
from ttcs_edge.central.order_commands import ORDER_EXAMPLES, carry_out, check_done
from ttcs_edge.central.publish import Delivery, publish, with_defaults
from ttcs_edge.central.stations import add_station, check_scope
from ttcs_edge.core.documents import Beacon, ResendRange
from ttcs_edge.locale import Language, text
from ttcs_edge.locale.central import FILE_TABLES
from ttcs_edge.locale.faults import reason_words
from ttcs_edge.terminal.arguments import read
from ttcs_edge.terminal.output import OUTPUT_ERRORS, print_error, run_program
from ttcs_edge.yaml_form import explain

ONCE_S: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code (sysexits.h)."""
    return run_program(arguments, _run)


def _run(words: list[str], lang: Language) -> int:
    given = read(make_parser(lang), words)
    try:
        code = COMMANDS[given.command](given, lang)
    except BadFile as error:
        print(explain(error.problems, FILE_TABLES[error.code]), file=sys.stderr)
        return _tell(error, lang)
    except CentralError as error:
        return _tell(error, lang)
    except OSError as error:
        if isinstance(error, BrokenPipeError) or (error.filename is None and error.errno in OUTPUT_ERRORS):
            raise  # it is about what was said, not about a file
        return _tell(CentralError("disk", file=error.filename or "?", found=error.strerror or error), lang)
    return os.EX_OK if code is None else code


def _tell(error: CentralError, lang: Language) -> int:
    """Tell what went wrong, and what mends it; gives the exit code."""
    fields = dict(error.fields)
    if "reason" in fields:
        fields["reason"] = reason_words(str(fields["reason"]), lang)
    for code in (f"central.error.{error.code}", f"central.error.{error.code}.mend"):
        print_error(text(code, lang, **fields))
    return error.exit_code


def _init(given: argparse.Namespace, lang: Language) -> None:
    scope = check_scope(given.scope)
    if given.broker is not None:
        read_broker(given.broker)
    if given.audio_url is not None:
        check_audio_url(given.audio_url)
    settings = CentreSettings(
        name=given.name or scope, scope=scope, keys=(), broker=given.broker, audio_url=given.audio_url
    )
    root = Quorum(given.root_keys, given.root_threshold)
    make_centre(given.folder, settings, root, Quorum(given.publish_keys, given.publish_threshold))
    print(text("central.centre-made", lang, folder=given.folder, scope=scope))
    print(text("central.move-roots", lang, folder=given.folder))


def _add_station(given: argparse.Namespace, lang: Language) -> None:
    centre = open_centre(given.folder)
    broker = needed_broker(given.broker or centre.settings.broker)
    file = add_station(centre, given.id, given.scope, broker, own_https_ca=given.https_ca == "own")
    print(text("central.station-made", lang, file=file, id=given.id))
    print(text("central.let-in", lang, folder=given.folder))
    print(text("central.install", lang, folder=given.folder, id=given.id))


def _enrol(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.enrol import enrol

    enrol(given, open_centre(given.folder), lang)


def _renew(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.renew import renew

    centre = open_centre(given.folder)
    broker = needed_broker(given.broker or centre.settings.broker)

    def failed(error: CentralError) -> None:
        _tell(error, lang)

    renew(centre, broker, lang, failed, keep=given.keep)


def _server_certificate(given: argparse.Namespace, lang: Language) -> None:
    centre = open_centre(given.folder)
    for name in given.names:
        check_host(name)
    certificate = centre.folder / "servers" / f"{given.names[0]}.crt"
    key = certificate.with_suffix(".key")
    if certificate.exists() or key.exists():
        raise CentralError("certificate-exists", name=given.names[0], certificate=certificate, key=key)
    write_pair(make_server_certificate(centre.authority, tuple(given.names)), certificate, key)
    print(text("central.certificate-made", lang, certificate=certificate, key=key))


def _revoke(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.revocation import revoke

    for serial in revoke(open_centre(given.folder), given.station):
        print(text("central.revoked", lang, id=given.station, serial=f"{serial:x}"))
    print(text("central.shut-out", lang, folder=given.folder))


def _broker_config(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.broker_config import write_rules

    centre = open_centre(given.folder)
    broker = needed_broker(given.broker or centre.settings.broker)
    rules = write_rules(centre, broker, given.out or given.folder / "broker", given.at, force=given.force)
    print(text("central.rules-made", lang, folder=rules.folder, count=rules.stations))
    print(text("central.rules-command", lang, command=rules.command))


def _publish(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.draw_published import show

    centre = open_centre(given.folder)
    delivery = _delivery(given, centre)
    published = publish(
        centre, given.programme, delivery, dry_run=given.dry_run, sign_only=given.sign_only, secret=_secret(lang)
    )
    show(published, delivery, centre, lang, dry_run=given.dry_run, sign_only=None if given.dry_run else given.sign_only)


def _approve(given: argparse.Namespace, lang: Language) -> int:
    from ttcs_edge.central.approve import approve

    return approve(given, _secret(lang), lang)


def _delivery(given: argparse.Namespace, centre: Centre) -> Delivery:
    found = given.broker or centre.settings.broker
    delivery = Delivery(
        broker=None if found is None else read_broker(found),
        audio_url=given.audio_url,
        audio_folder=given.audio_folder,
        via_broker=given.via_broker,
    )
    return with_defaults(delivery, centre)


def _alert(given: argparse.Namespace, lang: Language) -> int:
    from ttcs_edge.central.alert import alert

    return alert(given, _delivery(given, open_centre(given.folder)), _secret(lang), lang)


def _cap_feed(given: argparse.Namespace, lang: Language) -> int:
    from ttcs_edge.central.cap_feed import cap_feed

    return cap_feed(given, _delivery(given, open_centre(given.folder)), _secret(lang), lang)


def _live(given: argparse.Namespace, lang: Language) -> int:
    from ttcs_edge.central.live import live

    centre = open_centre(given.folder)
    broker = needed_broker(given.broker or centre.settings.broker)
    return live(given, centre, broker, _secret(lang), lang)


def _watch(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.watch import watch_json, watch_live, watch_once

    centre = open_centre(given.folder)
    broker = needed_broker(given.broker or centre.settings.broker)
    if given.json:
        watch_json(centre, broker, given.seconds or (ONCE_S if given.once else None), keep=given.keep)
    elif given.once:
        watch_once(centre, broker, given.seconds or ONCE_S, lang, keep=given.keep)
    else:
        watch_live(centre, broker, given.seconds, lang, keep=given.keep)


def _resend(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.resend import resend

    centre = open_centre(given.folder)
    broker = needed_broker(given.broker or centre.settings.broker)
    wanted = ResendRange(journal=given.journal, first=given.first, last=given.last)
    signers = centre.signers("publish", _secret(lang))
    reply = resend(centre, broker, given.station, wanted, signers, given.seconds)
    check_done(reply, lang)
    print(text("central.resent", lang, id=given.station, count=reply.queued))
    for gone in reply.gone:
        print(text("central.gone", lang, first=gone.first, last=gone.last))


def _order(given: argparse.Namespace, lang: Language) -> None:
    centre = open_centre(given.folder)
    broker = needed_broker(given.broker or centre.settings.broker)
    carry_out(centre, broker, given, centre.signers("publish", _secret(lang)), lang)


def _beacon(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.beacon import send_beacons

    centre = open_centre(given.folder)
    broker = needed_broker(given.broker or centre.settings.broker)

    def sent(beacon: Beacon) -> None:
        print(text("central.beacon-sent", lang, scope=beacon.scope, issued=beacon.issued), flush=True)

    def failed(error: CentralError) -> None:
        _tell(error, lang)

    send_beacons(centre, broker, centre.signers("publish", _secret(lang)), given.every, sent, failed)


def _secret(lang: Language) -> Callable[[str], str]:
    """Ask on the terminal for the PIN of a hardware token."""
    return lambda name: getpass.getpass(text("central.ask-secret", lang, name=name))


def _export(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.draw_carried import show_export
    from ttcs_edge.central.export import export

    centre = open_centre(given.folder)
    show_export(export(centre, check_scope(given.scope, centre), given.path), lang)


def _import_reports(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.carried_reports import import_reports
    from ttcs_edge.central.draw_carried import show_imported

    imported = import_reports(open_centre(given.folder), given.path)
    show_imported(imported, lang)
    refused, differs = sum(one.refused for one in imported), sum(one.differs for one in imported)
    if refused or differs:
        raise CentralError("reports-refused", refused=refused, differs=differs)


def _audit(given: argparse.Namespace, lang: Language) -> int:
    from ttcs_edge.central.audit import audit

    return audit(open_centre(given.folder), given, lang)


def _trust(given: argparse.Namespace, lang: Language) -> None:
    from ttcs_edge.central.trust import trust

    trust(given, _secret(lang), lang)


COMMANDS: Final[dict[str, Callable[[argparse.Namespace, Language], int | None]]] = {
    "init": _init,
    "add-station": _add_station,
    "enrol": _enrol,
    "renew": _renew,
    "server-certificate": _server_certificate,
    "revoke": _revoke,
    "broker-config": _broker_config,
    "publish": _publish,
    "alert": _alert,
    "cap-feed": _cap_feed,
    "live": _live,
    "watch": _watch,
    "resend": _resend,
    **dict.fromkeys(ORDER_EXAMPLES, _order),
    "beacon": _beacon,
    "export": _export,
    "import-reports": _import_reports,
    "audit": _audit,
    "trust": _trust,
    "approve": _approve,
}


if __name__ == "__main__":
    sys.exit(main())
