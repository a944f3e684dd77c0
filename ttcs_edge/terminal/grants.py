"""A trust root's grants on a screen, as the centre and a station show them: who may do what, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table

from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen


@dataclass(frozen=True, slots=True)
class ShownGrant:
    """``threshold`` of those ``keys`` may do ``role`` for ``scope``; alerts up to ``most_severe``."""

    role: str
    scope: str
    keys: tuple[str, ...]
    threshold: int
    most_severe: str | None = None

    def role_words(self, lang: Language) -> str:
        """What may be done."""
        words = text(f"terminal.role.{self.role}", lang)
        return f"{words} (<= {self.most_severe})" if self.most_severe else words

    def key_words(self, lang: Language) -> str:
        """By whom."""
        return text("terminal.grant-of", lang, threshold=self.threshold, names=", ".join(self.keys))


def drawn(grants: Sequence[ShownGrant], lang: Language, *, narrow: bool) -> list[RenderableType]:
    """Draw a table, or lines where it is narrow."""
    return _lines(grants, lang) if narrow else [_table(grants, lang)]


def _table(grants: Sequence[ShownGrant], lang: Language) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=screen.QUIET)
    table.add_column(text("terminal.grant-role", lang), no_wrap=True)
    table.add_column(text("terminal.grant-scope", lang), overflow="fold")
    table.add_column(text("terminal.grant-keys", lang), overflow="fold")
    for grant in grants:
        table.add_row(*map(screen.styled, (grant.role_words(lang), grant.scope, grant.key_words(lang))))
    return table


def _lines(grants: Sequence[ShownGrant], lang: Language) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for grant in grants:
        lines.append(screen.styled(f"{grant.role_words(lang)}: {grant.scope}"))
        lines.append(screen.indented(screen.styled(grant.key_words(lang))))
    return lines
