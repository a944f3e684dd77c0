"""Vietnamese text as it is said. A row of steps, each of which turns one kind of writing into words.

Their order is their meaning: what is longer or less ambiguous comes first (a telephone number before a range, a date
before a fraction), and what a step has read holds no digit any more, so no later step touches it. The last step reads
whatever digit is left, of any script: an unread one is heard as nothing, or in another tongue.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from re import Match

from ttcs_edge.reading.numbers_vi import cardinal, digits, fraction, written
from ttcs_edge.reading.tables_vi import (
    ABBREVIATIONS,
    ALONE,
    DATE_WORDS,
    DOTTED,
    FOURTH_WORDS,
    PHONE_WORDS,
    PHRASES,
    ROADS,
    ROMAN_WORDS,
    SAY_DAY,
    SIGNS,
    UNITS,
)

Step = tuple[re.Pattern[str], Callable[[Match[str]], str]]

YEARS = range(1900, 2200)
GRAMS_FROM = 25
"""``5g`` is an hour in the south, ``500g`` a weight."""
ROMAN = {
    "I": 1,
    "II": 2,
    "III": 3,
    "IV": 4,
    "V": 5,
    "VI": 6,
    "VII": 7,
    "VIII": 8,
    "IX": 9,
    "X": 10,
    "XI": 11,
    "XII": 12,
}


def read(text: str) -> str:
    """Give a text as it is to be said: no digit is left in it, and no word is lost."""
    text = unicodedata.normalize("NFKC", _THIN_SPACE.sub(".", text))
    text = "".join(str(unicodedata.digit(one)) if one.isdigit() else one for one in text)
    for pattern, say in _STEPS:
        text = pattern.sub(say, text)
    return _tidy(text)


def _any(words: Iterable[str]) -> str:
    """A pattern of words, the longer first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _spaced(words: str) -> str:
    return f" {words} "


def _phone(found: Match[str]) -> str:
    number = found.group()
    count = sum(one.isdigit() for one in number)
    if not 8 <= count <= 12:
        return number
    return _spaced(("cộng " if number[0] == "+" else "") + digits(number))


def _date(found: Match[str]) -> str:
    """``23/11/2026`` and ``2026-11-23``; what is no day of any year is left to the numbers."""
    parts = found.groupdict()
    day, month, year = (int(parts[name] or parts[f"iso_{name}"]) for name in ("day", "month", "year"))
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return found.group()
    before = found["before"] or ""
    return f"{before}{_day(day, month, before)} năm {cardinal(year)} "


def _day(day: int, month: int, before: str) -> str:
    ngay = "" if before.strip().lower() in SAY_DAY else "ngày "
    return f" {ngay}{cardinal(day)} tháng {_fourth(month)}"


def _fourth(number: int) -> str:
    return "tư" if number == 4 else cardinal(number)


def _month_of_year(found: Match[str]) -> str:
    month, year = int(found["month"]), int(found["year"])
    if not 1 <= month <= 12 or year not in YEARS:
        return found.group()
    return f" tháng {_fourth(month)} năm {cardinal(year)} "


def _day_or_part(found: Match[str]) -> str:
    """``23/11`` is a day; ``3/4`` one where the word before it says so, and else a part; ``24/24`` is neither."""
    before, above, below = found["before"] or "", int(found["above"]), int(found["below"])
    is_date = 1 <= above <= 31 and 1 <= below <= 12
    plain = len(found["above"]) == len(found["below"]) == 1
    if is_date and (not plain or before.strip().lower() in DATE_WORDS):
        return f"{before}{_day(above, below, before)} "
    between = "phần" if plain and above < below else "trên"
    return f"{before} {written(found['above'])} {between} {written(found['below'])} "


def _clock(found: Match[str]) -> str:
    """``17h30``, ``17:30``, ``5g``: an hour, or for how many."""
    parts = found.groupdict("")
    minutes, seconds = int(parts["minutes"] or 0), int(parts.get("seconds") or 0)
    weighs = parts.get("letter") == "g" and not parts["minutes"] and int(parts["hours"]) >= GRAMS_FROM
    if minutes > 59 or seconds > 59 or weighs:
        return found.group()
    words = f"{cardinal(int(parts['hours']))} giờ"
    if minutes or seconds:
        words += f" {'không ' if 0 < minutes < 10 else ''}{cardinal(minutes)} phút"
    return _spaced(words + (f" {cardinal(seconds)} giây" if seconds else ""))


def _number(found: Match[str]) -> str:
    """A number with what stands right before and behind it: its sign, its unit."""
    sign = {"-": "âm ", "−": "âm ", "+": "cộng ", None: ""}[found["sign"]]
    unit = found["unit"]
    return _spaced(f"{sign}{_said(found['number'])}{f' {UNITS[unit]}' if unit else ''}")


def _said(number: str) -> str:
    """In Vietnam the comma is decimal and the dot parts thousands; what fits neither way is read as it looks."""
    if re.fullmatch(r"\d{1,3}(\.\d{3})+(,\d+)?", number):
        number = number.replace(".", "")
    elif re.fullmatch(r"\d{1,3}(,\d{3}){2,}(\.\d+)?", number):
        number = number.replace(",", "").replace(".", ",")
    parts = re.split(r"[.,]", number)
    if len(parts) == 2:
        return f"{written(parts[0])} phẩy {fraction(parts[1])}"
    return " chấm ".join(written(part) for part in parts)


def _tidy(text: str) -> str:
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    return re.sub(r" (?=[,.;:!?)\]/])", "", text).strip()


_THIN_SPACE = re.compile(r"(?<=\d)[\u00a0\u202f\u2009](?=\d{3}(?!\d))")
"""Between thousands some write a space that does not break."""
_NUMBER = r"\d{1,3}(?:\.\d{3})+(?:,\d+)?(?![\d.,]*\d)|\d{1,3}(?:,\d{3}){2,}(?:\.\d+)?(?![\d.,]*\d)|\d+(?:[.,]\d+)*"
_DASH = r"[-–—−]"
_SLASH = r"[/⁄]"

_STEPS: tuple[Step, ...] = (
    (re.compile(rf"(?<![\w/])(?:{_any(PHRASES)})(?![\w/])"), lambda found: _spaced(PHRASES[found.group()])),
    (
        re.compile(
            r"(?P<before>\b\w+ +)?(?<![\w./-])(?:"
            r"(?P<day>\d{1,2})(?P<by>[/.-])(?P<month>\d{1,2})(?P=by)(?P<year>\d{4})"
            r"|(?P<iso_year>\d{4})-(?P<iso_month>\d\d)-(?P<iso_day>\d\d))(?![\w/]|[.-]\d)"
        ),
        _date,
    ),
    (re.compile(r"(?<![\w.,/])(?:\+?84|0\d|1[89]00)(?:[ .-]?\d){4,10}(?![\w/]|[.,-]\d)"), _phone),
    (
        re.compile(rf"(?<!\w)({_any(PHONE_WORDS)})(:? +)(\d{{3,4}})(?![\w/]|[.,]\d)"),
        lambda found: f"{found[1]}{found[2]}{digits(found[3])}",
    ),
    (
        re.compile(rf"(?<!\w)({'|'.join(ROADS)})[. -]?(?=\d)"),
        lambda found: f"{ROADS[found[1]]} ",
    ),
    (re.compile(r"(?:\btháng +)?(?<![\w./-])(?P<month>\d{1,2})/(?P<year>\d{4})(?![\w/])"), _month_of_year),
    (
        re.compile(rf"(?<=\d)((?:{_any(UNITS)}|giờ|h|g)?)\s*{_DASH}\s*(?=\d)"),
        lambda found: f"{found[1]} đến ",
    ),
    (
        re.compile(r"(mm|m3)/(\d{1,3}) ?(?:h|giờ)(?!\w)"),
        lambda found: f"{found[1]} trong {cardinal(int(found[2]))} giờ ",
    ),
    (
        re.compile(
            r"(?<![\w.,])(?P<hours>\d{1,3}) ?(?P<letter>[hHg])"
            r"(?: ?(?P<minutes>\d\d)(?:['′’]| ?ph(?:út)?(?!\w))?)?(?!\w)"
        ),
        _clock,
    ),
    (
        re.compile(r"(?<![\w.,:])(?P<hours>\d{1,2}):(?P<minutes>\d\d)(?::(?P<seconds>\d\d))?(?![\d:])"),
        _clock,
    ),
    (
        re.compile(rf"(?P<before>\b\w+ +)?(?<![\w.,/])(?P<above>\d{{1,2}}){_SLASH}(?P<below>\d{{1,2}})(?![\w/])"),
        _day_or_part,
    ),
    (
        re.compile(rf"(?<!\w)({_any(ROMAN_WORDS)}) +({_any(ROMAN)})(?!\w)"),
        lambda found: f"{found[1]} {_fourth(ROMAN[found[2]]) if found[1] == 'quý' else cardinal(ROMAN[found[2]])}",
    ),
    (re.compile(rf"(?<!\w)({_any(FOURTH_WORDS)}) +4(?![\w/]|[.,]\d)"), lambda found: f"{found[1]} tư"),
    (re.compile(rf"({_any(SIGNS)}) *(?=[-−+]?\d)"), lambda found: _spaced(SIGNS[found[1]])),
    (re.compile(r"(?<=\d) ?[x×] ?(?=\d)"), lambda found: " nhân "),
    (re.compile(rf"(?<=\d){_SLASH}(?=\d)"), lambda found: " trên "),
    (re.compile(rf"(?<!\w)(?<!\d )({_any(ALONE)})(?!\w)"), lambda found: _spaced(ALONE[found[1]])),
    (re.compile(rf"(?<!\w)({'|'.join(DOTTED)})\. ?(?=\w)"), lambda found: f"{DOTTED[found[1]]} "),
    (
        re.compile(rf"(?:(?<![\w)])(?P<sign>[-−+]))?(?P<number>{_NUMBER})(?: ?(?P<unit>{_any(UNITS)})(?![\w/]))?"),
        _number,
    ),
    (re.compile(rf"(?<!\w)({_any(ABBREVIATIONS)})(?!\w)"), lambda found: ABBREVIATIONS[found[1]]),
    (re.compile(r" *& *"), lambda found: " và "),
)
