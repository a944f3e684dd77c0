"""What is said around a drill, so that nobody takes it for real, and nobody has to write it.

An exercise or a test takes the very same way through the station as an actual alert: what is said before and after it
are parts of the same row. It is said in the languages of the drill for which there are words here; where a zone has
none of them, in the first that the station can speak. The words are short, and made ahead, for they are always the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ttcs_edge.core.documents import Alert
from ttcs_edge.core.model import Utterance

ACTUAL = "Actual"
Around = tuple[str, str]
"""What is said before, and after."""

PHRASES: Mapping[str, Mapping[str, Around]] = {
    "Exercise": {
        "vi": (
            "Đây là diễn tập. Nội dung sau đây chỉ để diễn tập, không phải tình huống thật.",
            "Diễn tập kết thúc. Nội dung vừa rồi chỉ để diễn tập, không phải tình huống thật.",
        ),
        "en": (
            "This is an exercise. What follows is an exercise only, and not a real emergency.",
            "The exercise is over. What you heard was an exercise only, and not a real emergency.",
        ),
    },
    "Test": {
        "vi": (
            "Trạm truyền thanh thử hệ thống cảnh báo. Nội dung sau đây chỉ để thử, không phải tình huống thật.",
            "Trạm truyền thanh đã thử xong hệ thống cảnh báo. Nội dung vừa rồi không phải tình huống thật.",
        ),
        "en": (
            "This is a test of the warning system. What follows is a test only, and not a real emergency.",
            "The test of the warning system is over. What you heard was not a real emergency.",
        ),
    },
}
"""By the CAP status of an alert, then by the primary subtag of a language; the first language is the common one."""


def phrase(status: str, language: str, *, after: bool) -> Utterance:
    """What is said before or after a drill."""
    return Utterance(language, PHRASES[status][language][after])


def announced_in(alert: Alert, names: Iterable[str], may_speak: Callable[[Utterance], bool]) -> list[str]:
    """In which languages a zone that hears these is told of a drill; none for what is real."""
    if alert.status == ACTUAL:
        return []
    phrases = PHRASES[alert.status]
    known = dict.fromkeys(tag for name in names if (tag := name.partition("-")[0]) in phrases)
    able = [tag for tag in known if may_speak(phrase(alert.status, tag, after=False))]
    common = [tag for tag in phrases if may_speak(phrase(alert.status, tag, after=False))]
    return able or common[:1] or [next(iter(phrases))]


def standing(languages: Iterable[str], statuses: Iterable[str] = tuple(PHRASES)) -> list[Utterance]:
    """All that may have to be said around drills of these kinds to people of these languages."""
    tags = dict.fromkeys(name.partition("-")[0] for name in languages)
    return [
        phrase(status, tag, after=after)
        for status, phrases in PHRASES.items()
        if status in statuses
        for tag in ([tag for tag in tags if tag in phrases] or list(phrases)[:1])
        for after in (False, True)
    ]
