"""``ttcs-central``: the operator's commands. What they do is in the modules beside this one; this reads and tells."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ttcs_edge.central.authority import make_server_certificate
from ttcs_edge.central.centre import CentreSettings, Quorum, make_centre, open_centre, write_pair
from ttcs_edge.central.errors import CANNOT_CREATE, BadProgrammeFile, CentralError
from ttcs_edge.central.publish import Delivery, Published, publish, with_defaults
from ttcs_edge.central.stations import BrokerAddress, add_station, check_scope, read_broker
from ttcs_edge.locale import LANGUAGES, Language, language, text
from ttcs_edge.locale.central import TABLES
from ttcs_edge.yaml_form import explain

ONCE_S = 3.0
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code (sysexits.h)."""
    given = _parser().parse_args(arguments)
    lang = language(given.lang, os.environ)
    command: Callable[[argparse.Namespace, Language], int] = given.command
    try:
        return command(given, lang)
    except BadProgrammeFile as error:
        print(explain(error.problems, TABLES), file=sys.stderr)
        return error.exit_code
    except CentralError as error:
        print(text(f"central.{error.code}", lang, **error.fields), file=sys.stderr)
        return error.exit_code
    except OSError as error:
        found = error.strerror or type(error).__name__
        print(text("central.cannot-write", lang, file=error.filename, found=found), file=sys.stderr)
        return CANNOT_CREATE
    except KeyboardInterrupt:
        return 130


def _init(given: argparse.Namespace, lang: Language) -> int:
    scope = check_scope(given.scope)
    if given.broker is not None:
        read_broker(given.broker)
    if given.audio_url is not None and not given.audio_url.startswith("https://"):
        raise CentralError("bad-url", found=given.audio_url)
    settings = CentreSettings(
        name=given.name or scope, scope=scope, keys=(), broker=given.broker, audio_url=given.audio_url
    )
    root = Quorum(given.root_keys, given.root_threshold)
    make_centre(given.folder, settings, root, Quorum(given.publish_keys, given.publish_threshold))
    print(text("central.centre-made", lang, folder=given.folder, scope=scope))
    print(text("central.move-roots", lang))
    return 0


def _add_station(given: argparse.Namespace, lang: Language) -> int:
    centre = open_centre(given.folder)
    broker = _broker(given.broker or centre.settings.broker)
    if broker is None:
        raise CentralError("no-broker")
    file = add_station(centre, given.id, given.scope, broker, own_https_ca=given.https_ca == "own")
    print(text("central.station-made", lang, file=file, id=given.id))
    print(text("central.install", lang, name=file.name))
    return 0


def _server_certificate(given: argparse.Namespace, lang: Language) -> int:
    centre = open_centre(given.folder)
    for name in given.names:
        if not HOST.fullmatch(name):
            raise CentralError("bad-id", found=name)
    certificate = centre.folder / "servers" / f"{given.names[0]}.crt"
    key = certificate.with_suffix(".key")
    if certificate.exists() or key.exists():
        raise CentralError("certificate-exists", name=given.names[0])
    write_pair(make_server_certificate(centre.authority, tuple(given.names)), certificate, key)
    print(text("central.certificate-made", lang, certificate=certificate, key=key))
    return 0


def _publish(given: argparse.Namespace, lang: Language) -> int:
    centre = open_centre(given.folder)
    delivery = Delivery(
        broker=_broker(given.broker or centre.settings.broker),
        audio_url=given.audio_url,
        audio_folder=given.audio_folder,
        via_broker=given.via_broker,
    )
    published = publish(centre, given.programme, with_defaults(delivery, centre), dry_run=given.dry_run)
    _tell_published(published, lang, dry_run=given.dry_run)
    return 0


def _tell_published(published: Published, lang: Language, *, dry_run: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    programme = published.programme
    bulletins = Table(
        *(text(f"central.{name}", lang) for name in ("bulletin", "language", "duration", "loudness", "size"))
    )
    for bulletin in programme.bulletins:
        for audio in bulletin.audio:
            figures = (f"{audio.duration_ms / 1_000:.1f} s", f"{audio.loudness_lufs:.1f} LUFS", f"{audio.size_bytes} B")
            bulletins.add_row(Text(bulletin.title), audio.language, *figures)
    cues = Table(*(text(f"central.{name}", lang) for name in ("when", "slot", "bulletin")))
    cues.title = text("central.next-days", lang)
    titles = {bulletin.id: bulletin.title for bulletin in programme.bulletins}
    for due in published.coming:
        names = ", ".join(titles[name] for name in due.slot.bulletins)
        cues.add_row(due.occurrence.local.replace("T", " "), due.slot.id, Text(names))
    console = Console()
    console.print(bulletins)
    console.print(cues)
    code = "central.checked" if dry_run else "central.published"
    fields = {"scope": programme.scope, "version": programme.version, "expires": programme.expires}
    print(text(code, lang, **fields))


def _watch(given: argparse.Namespace, lang: Language) -> int:
    from ttcs_edge.central.watch import watch_json, watch_table

    centre = open_centre(given.folder)
    broker = _broker(given.broker or centre.settings.broker)
    if broker is None:
        raise CentralError("no-broker")
    for_s = ONCE_S if given.once and given.seconds is None else given.seconds
    if given.json:
        watch_json(centre, broker, for_s)
    else:
        watch_table(centre, broker, for_s, lang, once=given.once)
    return 0


def _broker(found: str | None) -> BrokerAddress | None:
    return None if found is None else read_broker(found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ttcs-central")
    parser.add_argument("--lang", choices=LANGUAGES)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    init = _command(commands, "init", _init)
    init.add_argument("--scope", required=True)
    init.add_argument("--name")
    init.add_argument("--broker", metavar="HOST[:PORT]")
    init.add_argument("--audio-url", metavar="https://...")
    for name, default in (("root-keys", 3), ("root-threshold", 2), ("publish-keys", 1), ("publish-threshold", 1)):
        init.add_argument(f"--{name}", type=int, default=default, metavar="N")

    add = _command(commands, "add-station", _add_station)
    add.add_argument("id", metavar="ID")
    add.add_argument("--scope", required=True)
    add.add_argument("--broker", metavar="HOST[:PORT]")
    add.add_argument("--https-ca", choices=("own", "system"), default="system")

    server = _command(commands, "server-certificate", _server_certificate)
    server.add_argument("names", metavar="NAME", nargs="+")

    out = _command(commands, "publish", _publish)
    out.add_argument("programme", type=Path, metavar="PROGRAMME.yaml")
    out.add_argument("--broker", metavar="HOST[:PORT]")
    out.add_argument("--audio-folder", type=Path, metavar="DIR")
    out.add_argument("--audio-url", metavar="https://...")
    out.add_argument("--via-broker", action="store_true")
    out.add_argument("--dry-run", action="store_true")

    watch = _command(commands, "watch", _watch)
    watch.add_argument("--broker", metavar="HOST[:PORT]")
    watch.add_argument("--json", action="store_true")
    watch.add_argument("--once", action="store_true")
    watch.add_argument("--for", dest="seconds", type=float, metavar="SECONDS")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace, Language], int],
) -> argparse.ArgumentParser:
    """A command on a centre's folder; its help is told in both languages."""
    told = " / ".join(text(f"central.help-{name}", lang) for lang in LANGUAGES)
    command = commands.add_parser(name, help=told, description=told)
    command.add_argument("folder", type=Path, metavar="FOLDER")
    command.set_defaults(command=run)
    return command


if __name__ == "__main__":
    sys.exit(main())
