"""Every fault on one page, ``firmware_notes/faults.md``, made of the words that programs say; ``make pages``."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from ttcs_edge.core.model import Severity
from ttcs_edge.core.supervision import SEVERITY
from ttcs_edge.locale import messages
from ttcs_edge.locale.faults import FAULTS, MISSED, REASONS, Pair

WIDTH = 118
HEAD = """\
# Sự cố / Faults

Mọi mã sự cố mà trạm có thể báo, theo bảng chữ cái. Mã không đổi từ bản này sang bản khác. Chữ trong ‹ › là chỗ trạm ghi
tên hoặc số cụ thể. Trang này được tạo từ chính các câu mà `ttcs-edge status` nói.

Every code of a fault that a station may tell, in alphabetical order. A code stays the same from one version to the
next. What stands in ‹ › is where the station puts a name or a number. This page is made of the very sentences that
`ttcs-edge status` says.
"""
LABELS: tuple[Pair, Pair, Pair] = (("Nghĩa", "Meaning"), ("Nguyên nhân", "Cause"), ("Cách xử lý", "Mend"))


def page() -> str:
    """The whole of it."""
    return "\n".join([HEAD, *(line for code in sorted({*FAULTS} - {"unknown"}) for line in _fault(code))])


def _fault(code: str) -> Iterator[str]:
    yield f"## {code}\n"
    severity = SEVERITY.get(code, Severity.WARNING)
    yield f"**{' / '.join(messages('cli')[f'severity.{severity.value}'])}**\n"
    yield from _both(tuple(zip(LABELS, FAULTS[code], strict=True)))
    if code == "cue-missed":
        yield "Nguyên nhân và cách xử lý theo từng lý do / Cause and mend by the reason that it names:\n"
        yield from _missed()


def _missed() -> Iterator[str]:
    for reason in sorted(MISSED):
        yield f"### {reason}: {' / '.join(REASONS[reason])}\n"
        yield from _both(tuple(zip(LABELS[1:], MISSED[reason], strict=True)))


def _both(labelled: tuple[tuple[Pair, Pair], ...]) -> Iterator[str]:
    for language in range(2):
        yield from (_line(label[language], words[language]) for label, words in labelled)
        yield ""


def _line(label: str, words: str) -> str:
    shown = re.sub(r"\{(\w+)\}", r"‹\1›", words).replace("\n", "; ")
    return textwrap.fill(
        f"- {label}: {shown}", WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
