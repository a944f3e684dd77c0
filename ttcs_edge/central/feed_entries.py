"""The entries of a feed: Atom 1.0 (RFC 4287) and RSS 2.0, each with the address of its CAP file.

Read with lxml, as CAP files are: no document type, no entities, no network. feedparser reads both kinds too, but what
is no XML it guesses at, and whatever warns a province must not be guessed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, urljoin

from msgspec import Struct

ATOM: Final = "{http://www.w3.org/2005/Atom}"
CAP_TYPE: Final = "application/cap+xml"
XML_TYPES: Final = frozenset({"", "application/xml", "text/xml"})
LINK_CHARS: Final = 1_000
ADDRESS_MARKS: Final = "!#$%&'()*+,/:;=?@[]~"
"""What stands in addresses beside letters and digits (RFC 3986, 2.2 and 2.1)."""
FOUND_CHARS: Final = 80


class Entry(Struct, frozen=True):
    """One entry: its id, as a hash of bounded length; what tells one edition of it from another; and its CAP file."""

    id: str
    edition: str
    link: str
    updated_s: float = 0.0


class NoFeed(Exception):
    """What came is no feed; ``found`` says what it is instead."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


def read_feed(data: bytes, url: str) -> list[Entry]:
    """Read a feed that came from an address: its entries, the newest first. Raises NoFeed."""
    from lxml import etree

    plain = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    parser = etree.XMLParser(remove_comments=True, remove_pis=True, **plain)
    try:
        root = etree.fromstring(data, parser, base_url=url)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NoFeed(str(error)[:FOUND_CHARS]) from None
    if root.getroottree().docinfo.doctype:
        raise NoFeed("DOCTYPE")
    if root.tag == f"{ATOM}feed":
        found = (_atom(entry) for entry in root.iterchildren(f"{ATOM}entry"))
    elif root.tag == "rss":
        found = (_rss(item) for channel in root.iterchildren("channel") for item in channel.iterchildren("item"))
    else:
        raise NoFeed(str(root.tag)[:FOUND_CHARS])
    entries = {one.id: one for one in found if one is not None}
    return sorted(entries.values(), key=lambda one: -one.updated_s)


def _atom(entry: Any) -> Entry | None:
    links = list(entry.iterchildren(f"{ATOM}link"))
    wanted: tuple[Callable[[Any], bool], ...] = (
        lambda one: one.get("type") == CAP_TYPE,
        lambda one: one.get("rel", "alternate") == "alternate" and (one.get("type") or "") in XML_TYPES,
        lambda one: one.get("rel", "alternate") == "alternate",
    )
    link = next((one for fits in wanted for one in links if fits(one)), None)
    href = None if link is None else _address(link, link.get("href"))
    return _entry(entry.findtext(f"{ATOM}id"), entry.findtext(f"{ATOM}updated"), href)


def _rss(item: Any) -> Entry | None:
    enclosures = (one.get("url") for one in item.iterchildren("enclosure") if one.get("type") == CAP_TYPE)
    href = _address(item, next(enclosures, None) or item.findtext("link"))
    return _entry(item.findtext("guid"), item.findtext("pubDate"), href)


def _address(element: Any, written: str | None) -> str:
    """Where an entry leads, in ASCII; what is no address stays as it is written, for whoever is to go there."""
    link = quote((written or "").strip(), safe=ADDRESS_MARKS)
    try:
        return urljoin(element.base or "", link) if link else ""
    except ValueError:
        return link


def _entry(name: str | None, updated: str | None, link: str | None) -> Entry | None:
    """An entry; None for one that leads nowhere."""
    if not link or len(link) > LINK_CHARS:
        return None
    edition = (updated or "").strip()
    return Entry(_hash((name or link).strip()), _hash(f"{edition} {link}"), link, _seconds(edition))


def _hash(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def _seconds(written: str) -> float:
    """When an entry was made, as its author says; 0 where that is no time."""
    return next(_times(written), 0.0)


def _times(written: str) -> Iterator[float]:
    readers: tuple[Callable[[str], datetime], ...] = (datetime.fromisoformat, parsedate_to_datetime)
    for read in readers:
        try:
            moment = read(written)
            yield (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
        except (ValueError, OverflowError, TypeError):
            continue
