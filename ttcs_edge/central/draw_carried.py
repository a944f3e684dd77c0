"""What was put on a stick, and what came back on one, on a screen."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import RenderableType

from ttcs_edge.central.carried_reports import Imported
from ttcs_edge.central.export import Exported
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen


def show_export(exported: Exported, lang: Language) -> None:
    """Tell which programmes lie on the stick, which do not, and what to do with it."""
    parts = [
        screen.styled(text("central.exported", lang, scope=one.scope, version=one.version))
        for one in exported.programmes
    ]
    parts += [
        screen.styled(text("central.export-expired", lang, scope=one.scope, version=one.version), screen.DOUBTFUL)
        for one in exported.expired
    ]
    parts += [
        screen.styled(text("central.export-revoked", lang, scope=one.scope, version=one.version), screen.DOUBTFUL)
        for one in exported.revoked
    ]
    if exported.trust_version is not None:
        parts.append(screen.styled(text("central.export-trust", lang, version=exported.trust_version)))
    size_mb = f"{exported.audio_bytes / 1e6:.1f}"
    parts.append(screen.styled(text("central.export-audio", lang, files=exported.audio_files, mb=size_mb)))
    parts.append(screen.styled(text("central.export-next", lang, folder=exported.folder)))
    screen.show(screen.console(), parts)


def show_imported(imported: Iterable[Imported], lang: Language) -> None:
    """Tell what came of each file, and the first lines that were refused."""
    parts: list[RenderableType] = []
    for one in imported:
        parts.append(screen.styled(text("central.imported", lang, file=one.file.name, new=one.new, known=one.known)))
        for code, count in (("central.imported-differs", one.differs), ("central.imported-refused", one.refused)):
            if count:
                parts.append(screen.indented(screen.styled(text(code, lang, count=count), screen.BAD)))
        for line in one.shown:
            found = dict(line.refused.detail).get("found", "")
            words = text("central.imported-line", lang, number=line.number, code=line.refused.code, found=found)
            parts.append(screen.indented(screen.indented(screen.styled(words))))
    screen.show(screen.console(), parts)
