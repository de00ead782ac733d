"""EPUB: a page for each chapter, in the order of reading. Child only.

Source: EPUB 3.3, sections 4 (container) and 5 (package document).
"""

import posixpath
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office.archives import xml
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.flow.cuts import MAX_BLOCK_CHARACTERS
from ocr_grpc.documents.office.flow.flow import Flow, FlowPages, open_flow
from ocr_grpc.documents.office.flow.html import PANDOC_FORM, Shown, serialized
from ocr_grpc.documents.office.flow.marks import Marks
from ocr_grpc.documents.protocol import Failure, ReaderFailure

_CONTAINER = "META-INF/container.xml"
_PACKAGE = "application/oebps-package+xml"
_CHAPTERS = frozenset(("application/xhtml+xml", "text/html", "application/x-dtbook+xml"))


@dataclass(frozen=True)
class _Item:
    """A file of the book as its package names it."""

    name: str
    is_chapter: bool


def open_epub(opening: Opening, archive: Archive) -> FlowPages:
    """Open a book.

    Raises:
        ReaderFailure: it is damaged, or has no chapter.
    """
    marks = Marks()
    shown = Shown(marks)
    bodies: list[xml.Element] = []
    for name in _chapters(archive):
        content = archive.read(name)
        for _ in xml.without_doctype([content], lenient=True):
            pass
        body = shown.body(content)
        _name_pictures(body, posixpath.dirname(name), archive)
        bodies.append(body)
    if not bodies:
        raise ReaderFailure(Failure.CORRUPT)
    flow = Flow(
        serialized(bodies, marks.page_break),
        PANDOC_FORM,
        marks,
        member=lambda target: target if target in archive else None,
        embedded=shown.embedded,
        page_characters=MAX_BLOCK_CHARACTERS,
    )
    return open_flow(opening, DocumentKind.EPUB, flow, archive)


def _chapters(archive: Archive) -> list[str]:
    """Return the members that are read, in order; asides come last, tables of contents not."""
    package = _package(archive)
    folder = posixpath.dirname(package)
    root = xml.parse_xhtml(archive.read(package))
    items: dict[str, _Item] = {}
    for item in root.iter("{*}item"):
        name = _member(folder, item.get("href") or "")
        navigates = "nav" in (item.get("properties") or "").split()
        is_chapter = item.get("media-type") in _CHAPTERS and not navigates
        items[item.get("id") or ""] = _Item(name, is_chapter and name in archive)
    main: list[str] = []
    asides: list[str] = []
    for reference in root.iter("{*}itemref"):
        item = items.get(reference.get("idref") or "")
        if item is not None and item.is_chapter and item.name not in main + asides:
            (asides if reference.get("linear") == "no" else main).append(item.name)
    return main + asides


def _package(archive: Archive) -> str:
    for root in xml.parse(archive.read(_CONTAINER)).iter("{*}rootfile"):
        if root.get("media-type") in (_PACKAGE, None):
            return root.get("full-path") or ""
    raise ReaderFailure(Failure.CORRUPT)


def _name_pictures(body: xml.Element, folder: str, archive: Archive) -> None:
    """Name the pictures of a chapter by their members, because chapters lie in many folders."""
    for image in body.iter("img"):
        source = image.get("src") or ""
        member = _member(folder, source)
        if member in archive:
            image.set("src", member)


def _member(folder: str, reference: str) -> str:
    """Return the member that a reference means; empty if it is no file of the book."""
    try:
        parts = urlsplit(reference)
    except ValueError:
        return ""
    if parts.scheme or parts.netloc or parts.path.startswith("/"):
        return ""
    return posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
