"""A CAP 1.2 file as an alert of ours (OASIS Common Alerting Protocol): validated, mapped, and what is lost is told.

1 The file is bounded before it is parsed. It is parsed without entities, network and depth, and refused when it has a
  document type: the schema's validation of capvalidator dies of an entity (libxml2 2.14, a segmentation fault), so it
  is given only what has none.
2 Every mistake against the schema is told with its line, and capvalidator has the last word.
3 What must not be on a loudspeaker is refused: what is not public, drafts, and what is about the exchange of messages.
4 An alert of ours has one severity and one time for all it says, and one text a language: the worst, the longest and
  the first stand, and the rest is told before anybody is asked.
5 Where it is heard is for the operator to say: areas are told, polygons and geocodes are not scopes.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from ttcs_edge.central.alert_draft import TEXTS, AlertDraft, DraftInfo, Lost
from ttcs_edge.central.alert_file import refuse_if_wrong, utc_of
from ttcs_edge.central.cap_signature import SIGNATURE, is_intact
from ttcs_edge.core.documents import CAP_NAME_PATTERN, ID_PATTERN, LANGUAGE_PATTERN, AlertReference
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.trust import CAP_SEVERITIES, CAP_URGENCIES
from ttcs_edge.whole_files import PRIVATE, replace
from ttcs_edge.wire.topics import OF_A_SCOPE
from ttcs_edge.yaml_form import Expected, Page, Stopped, read_bytes

FILE_BYTES: Final = 4 * 1024 * 1024
CAP: Final = "{urn:oasis:names:tc:emergency:cap:1.2}"
DEFAULT_LANGUAGE: Final = "en-US"
"""CAP 1.2, 3.2.2: what holds when no language is named."""
FETCH_S: Final = 15.0
HASH_DIGITS: Final = 12
CERTAINTIES: Final = ("Unknown", "Unlikely", "Possible", "Likely", "Observed")
"""The least first."""
HEARD: Final = {
    "status": (("Actual", "Exercise", "Test"), "cap-status"),
    "msgType": (("Alert", "Update", "Cancel"), "cap-msg-type"),
    "scope": (("Public",), "cap-scope"),
}
"""What of the message itself may be heard, and what was expected."""
UNHEARD: Final = ("senderName", "web", "contact")


class CapArea(Struct, frozen=True):
    """An area in the words of its author: its description, and its geocodes as ``name=value``."""

    name: str
    geocodes: tuple[str, ...] = ()


class CapMessage(Struct, frozen=True, kw_only=True):
    """A CAP file that was read: what is to be heard of it, and what else it says, by which it may be judged.

    ``digest`` is that of all that it says, its signature and its white space left out.
    """

    draft: AlertDraft
    categories: tuple[str, ...]
    events: tuple[str, ...]
    areas: tuple[CapArea, ...]
    digest: str


class _Reading(Struct, frozen=True):
    """A file while it is read: its page, its root, where audio is kept and how it is had, and what was lost so far."""

    page: Page
    root: Any
    folder: Path
    fetch: Callable[[str], bytes]
    lost: list[Lost]

    def refuse(self, element: Any, code: str, expected: str, mend: str, **more: str) -> None:
        found = " ".join((element.text or "").split())[:80]
        self.page.refuse(_path(element), code, Expected(expected), mend, found=found, line=element.sourceline, **more)

    def lose(self, code: str, **fields: object) -> None:
        told = Lost(code, tuple((name, str(value)[:200]) for name, value in sorted(fields.items())))
        if told not in self.lost:
            self.lost.append(told)


def read_cap_file(file: Path, folder: Path) -> AlertDraft:
    """Read a CAP 1.2 file; audio in it is kept in a folder. Raises BadAlertFile with every mistake in it."""
    return read_cap_message(file, folder, _fetched).draft


def read_cap_message(file: Path, folder: Path, fetch: Callable[[str], bytes]) -> CapMessage:
    """Read a CAP 1.2 file, and what it says beyond what is heard.

    ``fetch`` gets the audio at an address; it raises OSError or ValueError for what cannot be had, which is told as
    lost. Raises BadAlertFile with every mistake in it.
    """
    page = Page(file, FILE_BYTES)
    try:
        root = _parsed(page, read_bytes(page))
    except Stopped:
        root = None
    refuse_if_wrong(page)
    reading = _Reading(page, root, folder, fetch, [])
    _check_heard(reading)
    infos = _infos(reading)
    draft = _draft(reading, infos)
    refuse_if_wrong(page)
    return CapMessage(
        draft=draft,
        categories=_said(root, "category"),
        events=_said(root, "event"),
        areas=tuple(_area(one) for one in root.iter(f"{CAP}area")),
        digest=_digest(root),
    )


def _said(root: Any, name: str) -> tuple[str, ...]:
    """What stands in all elements of a name, each once."""
    return tuple(dict.fromkeys(" ".join((one.text or "").split()) for one in root.iter(CAP + name)))


def _area(area: Any) -> CapArea:
    codes = (f"{_text(one, 'valueName')}={_text(one, 'value')}" for one in area.findall(f"{CAP}geocode"))
    return CapArea(_text(area, "areaDesc"), tuple(codes))


def _digest(root: Any) -> str:
    from lxml import etree

    plain = etree.fromstring(etree.tostring(root), etree.XMLParser(remove_blank_text=True, resolve_entities=False))
    for signature in plain.findall(SIGNATURE):
        plain.remove(signature)
    return hashlib.sha256(etree.tostring(plain, method="c14n")).hexdigest()


def _parsed(page: Page, data: bytes) -> Any:
    from lxml import etree

    # A comment within a text must not end it, for whoever reads up to the first child.
    plain = {"remove_comments": True, "remove_pis": True}
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, **plain)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        wanted, found = Expected("xml"), str(error.msg or error)[:80]
        page.refuse("", "not-xml", wanted, "save-xml", found=found, line=error.lineno or 0)
        return None
    except ValueError as error:
        page.refuse("", "not-xml", Expected("xml"), "save-xml", found=str(error)[:80])
        return None
    doctype = root.getroottree().docinfo.doctype
    if doctype:
        page.refuse("", "doctype", Expected("no-doctype"), "delete-doctype", found=doctype[:80])
    elif root.tag != f"{CAP}alert":
        page.refuse("", "not-cap", Expected("cap"), "convert-cap", found=str(root.tag)[:80], line=root.sourceline)
    else:
        _check_schema(page, root)
    return root


def _check_schema(page: Page, root: Any) -> None:
    import capvalidator
    from lxml import etree

    file = resources.files("capvalidator").joinpath("static/CAP-v1.2-schema.xsd")
    schema = etree.XMLSchema(etree.XML(file.read_bytes()))
    if not schema.validate(root):
        for entry in schema.error_log:
            found = entry.message.replace(CAP, "")[:200]
            page.refuse("", "cap-schema", Expected("cap"), "mend-cap", found=found, line=entry.line)
        return
    plain = etree.tostring(root)
    if not capvalidator.check_schema(plain).passed:
        page.refuse("", "cap-schema", Expected("cap"), "mend-cap", found="capvalidator")
    elif (signature := root.find(SIGNATURE)) is not None and not is_intact(plain):
        page.refuse("Signature", "signature", Expected("signature"), "get-again", found="", line=signature.sourceline)


def _check_heard(reading: _Reading) -> None:
    for name, (allowed, expected) in HEARD.items():
        element = reading.root.find(CAP + name)
        if element.text not in allowed:
            reading.refuse(element, "not-for-loudspeakers", expected, "leave-it")


def _infos(reading: _Reading) -> list[Any]:
    """What is said, the first for each language; refuses a message that says nothing."""
    infos: dict[str, Any] = {}
    for element in reading.root.findall(f"{CAP}info"):
        language = _language(reading, element)
        if language is not None and infos.setdefault(language, element) is not element:
            reading.lose("same-language", language=language)
    if not infos and reading.root.findtext(f"{CAP}msgType") != "Cancel":
        reading.page.refuse("info", "nothing-said", Expected("cap-info"), "mend-cap", found="", line=1)
    if len(infos) > LIMITS.languages_per_bulletin:
        most = Expected("list", (("least", "1"), ("most", str(LIMITS.languages_per_bulletin))))
        reading.page.refuse("info", "list-length", most, "mend-cap", found="", line=1, count=str(len(infos)))
    return list(infos.items())


def _language(reading: _Reading, info: Any) -> str | None:
    """The language of an info as zones name it: without the country."""
    element = info.find(f"{CAP}language")
    written = DEFAULT_LANGUAGE if element is None else (element.text or "").strip()
    language = written.split("-")[0].lower()
    if not re.fullmatch(LANGUAGE_PATTERN, language):
        reading.refuse(info if element is None else element, "malformed", "language", "mend-cap")
        return None
    if language != written:
        reading.lose("language", found=written, language=language)
    return language


def _draft(reading: _Reading, infos: Sequence[tuple[str, Any]]) -> AlertDraft:
    root, said = reading.root, [element for _, element in infos]
    _lose_what_is_not_heard(reading)
    identifier = _name(reading, root.find(f"{CAP}identifier"))
    return AlertDraft(
        name=reading.page.file.stem,
        page=reading.page,
        status=root.findtext(f"{CAP}status"),
        msg_type=root.findtext(f"{CAP}msgType"),
        severity=_worst(reading, said, "severity", CAP_SEVERITIES),  # type: ignore[arg-type]
        urgency=_worst(reading, said, "urgency", CAP_URGENCIES),  # type: ignore[arg-type]
        certainty=_worst(reading, said, "certainty", CERTAINTIES),  # type: ignore[arg-type]
        info=tuple(_info(reading, language, element) for language, element in infos),
        expires=_time(reading, said, "expires", latest=True),
        effective=_time(reading, said, "effective", latest=False),
        onset=_time(reading, said, "onset", latest=False),
        event=_event(identifier),
        sender=_name(reading, root.find(f"{CAP}sender")),
        identifier=identifier,
        sent=_moment(reading, root.find(f"{CAP}sent")),
        refers_to=_references(reading),
        lost=tuple(reading.lost),
    )


def _info(reading: _Reading, language: str, info: Any) -> DraftInfo:
    texts = {name: _text(info, name) for name in TEXTS}
    texts["headline"] = texts["headline"] or _text(info, "event")
    recordings = (file for one in info.findall(f"{CAP}resource") if (file := _audio(reading, one)) is not None)
    return DraftInfo(key=_path(info), language=language, source=next(recordings, None), **texts)


def _audio(reading: _Reading, resource: Any) -> Path | None:
    """The audio of a resource, inside the file or at an address; None, and it is told, when it is none to be had."""
    mime, uri = (resource.findtext(CAP + name) or "" for name in ("mimeType", "uri"))
    inside = resource.findtext(f"{CAP}derefUri")
    if not mime.strip().lower().startswith("audio/"):
        reading.lose("resource", mime=mime, description=resource.findtext(f"{CAP}resourceDesc"))
        return None
    try:
        data = b64decode("".join(inside.split()), validate=True) if inside else reading.fetch(uri.strip())
    except (OSError, ValueError) as error:
        reading.lose("audio", uri=uri or "derefUri", reason=getattr(error, "reason", None) or error)
        return None
    digest = (resource.findtext(f"{CAP}digest") or "").strip().lower()
    if digest and digest != hashlib.sha1(data, usedforsecurity=False).hexdigest():  # CAP 1.2, 3.2.3
        reading.lose("audio", uri=uri or "derefUri", reason="SHA-1")
        return None
    kept = reading.folder / f"cap-{hashlib.sha256(data).hexdigest()}"
    replace(kept, data, PRIVATE)
    return kept


def _fetched(uri: str) -> bytes:
    """Fetch over TLS, bounded in size. Raises OSError or ValueError."""
    if not uri.startswith("https://"):
        raise ValueError("https://")
    request = urllib.request.Request(uri, headers={"User-Agent": "ttcs-central"})  # noqa: S310 (https:// alone, before and after redirects)
    with urllib.request.urlopen(request, timeout=FETCH_S, context=ssl.create_default_context()) as answer:  # noqa: S310 (https:// alone, before and after redirects)
        if not answer.url.startswith("https://"):
            raise ValueError("https://")
        data: bytes = answer.read(LIMITS.audio_bytes + 1)
    if len(data) > LIMITS.audio_bytes:
        raise ValueError(f"> {LIMITS.audio_bytes}")
    return data


def _worst(reading: _Reading, infos: Sequence[Any], name: str, least_first: Sequence[str]) -> str:
    found = [str(element.findtext(CAP + name)) for element in infos] or [least_first[0]]
    worst = max(found, key=least_first.index)
    if len(set(found)) > 1:
        reading.lose("differs", name=name, taken=worst)
    return worst


def _time(reading: _Reading, infos: Sequence[Any], name: str, *, latest: bool) -> str | None:
    elements = [element for info in infos if (element := info.find(CAP + name)) is not None]
    found = sorted(time for element in elements if (time := _moment(reading, element)) is not None)
    if not found:
        return None
    taken = found[-1] if latest else found[0]
    if len(set(found)) > 1:
        reading.lose("differs", name=name, taken=taken)
    return taken


def _moment(reading: _Reading, element: Any) -> str | None:
    found = utc_of((element.text or "").strip())
    if found is None:
        reading.refuse(element, "malformed", "moment", "write-moment")
    return found


def _name(reading: _Reading, element: Any) -> str:
    """A name that CAP allows and we do; letters beyond ASCII are written with percent signs."""
    written = (element.text or "").strip()
    name = _ascii(written)
    if not _is_name(name):
        reading.refuse(element, "malformed", "cap-name", "mend-cap")
    elif name != written:
        reading.lose("name", found=written, taken=name)
    return name


def _ascii(name: str) -> str:
    return quote(name, safe="!\"#$%'()*+-./:;=>?@[\\]^_`{|}~")


def _is_name(name: str) -> bool:
    return re.fullmatch(CAP_NAME_PATTERN, name) is not None and len(name) <= LIMITS.title_chars


def _text(element: Any, name: str) -> str:
    return " ".join((element.findtext(CAP + name) or "").split())


def _event(identifier: str) -> str:
    """The id of the event that a message begins: its identifier, where that is an id."""
    if re.fullmatch(ID_PATTERN, identifier) and len(identifier) <= LIMITS.id_chars and identifier not in OF_A_SCOPE:
        return identifier
    plain = re.sub(r"[^A-Za-z0-9]+", "-", identifier).strip("-")[-(LIMITS.id_chars - HASH_DIGITS - 1) :].strip("-")
    return f"{plain or 'cap'}-{hashlib.sha256(identifier.encode()).hexdigest()[:HASH_DIGITS]}"


def _references(reading: _Reading) -> tuple[AlertReference, ...]:
    element = reading.root.find(f"{CAP}references")
    found = []
    for triple in ("" if element is None else element.text or "").split()[-LIMITS.alert_references :]:
        parts = triple.split(",")
        sent = utc_of(parts[-1])
        good = len(parts) == 3 and sent is not None
        names = [_ascii(part) for part in parts[:2]]
        if not good or not all(map(_is_name, names)):
            wanted, line = Expected("cap-references"), element.sourceline
            reading.page.refuse("references", "malformed", wanted, "mend-cap", found=triple[:80], line=line)
            continue
        found.append(AlertReference(sender=names[0], identifier=names[1], sent=sent or ""))
    return tuple(found)


def _lose_what_is_not_heard(reading: _Reading) -> None:
    for area in reading.root.iter(f"{CAP}areaDesc"):
        reading.lose("area", area=" ".join((area.text or "").split()))
    for name in UNHEARD:
        for element in reading.root.iter(CAP + name):
            reading.lose("unheard", name=name, found=" ".join((element.text or "").split()))
    signed = reading.root.find(SIGNATURE) is not None
    reading.lose("signed" if signed else "unsigned")


def _path(element: Any) -> str:
    """Where an element stands, as ``info[2].headline``."""
    return ".".join(reversed(list(_steps(element))))


def _steps(element: Any) -> Iterator[str]:
    while (parent := element.getparent()) is not None:
        name = element.tag.removeprefix(CAP)
        like = [one for one in parent if one.tag == element.tag]
        yield name if len(like) == 1 and name != "info" else f"{name}[{like.index(element) + 1}]"
        element = parent
