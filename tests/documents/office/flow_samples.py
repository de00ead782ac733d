"""Flowing documents that the tests write themselves, with the libraries other people use."""

import io
import zipfile
from collections.abc import Mapping, Sequence

import docx
from docx.document import Document
from docx.oxml import parse_xml
from odf import opendocument, style, table, text
from PIL import Image

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.flow.docx import open_docx
from ocr_grpc.documents.office.flow.epub import open_epub
from ocr_grpc.documents.office.flow.html import open_html
from ocr_grpc.documents.office.flow.markdown import open_markdown
from ocr_grpc.documents.office.flow.odt import open_odt
from ocr_grpc.documents.office.flow.rtf import open_rtf
from ocr_grpc.documents.office.flow.text import open_text
from ocr_grpc.documents.office.pages import WrittenPages
from tests.documents.conftest import opening

NAMES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
_IN_ARCHIVES = {
    DocumentKind.DOCX: open_docx,
    DocumentKind.ODT: open_odt,
    DocumentKind.EPUB: open_epub,
}
_BARE = {
    DocumentKind.RTF: open_rtf,
    DocumentKind.HTML: open_html,
    DocumentKind.MARKDOWN: open_markdown,
    DocumentKind.TEXT: open_text,
}


def opened(
    content: bytes | str, kind: DocumentKind, *, scratch: io.BytesIO | None = None, **limits
) -> WrittenPages:
    """Open a document as its reader does."""
    content = content.encode() if isinstance(content, str) else content
    asked = opening(io.BytesIO(content), kind, **limits)
    if scratch is not None:
        object.__setattr__(asked, "scratch", scratch)
    if kind in _IN_ARCHIVES:
        return _IN_ARCHIVES[kind](asked, Archive(asked.file, asked.limits))
    return _BARE[kind](asked)


def pages(content: bytes | str, kind: DocumentKind, *, markdown: bool = True) -> list[str]:
    """Return the text of each page, with `<0>` for the first picture, `<0 inline>` in a line."""
    document = opened(content, kind)
    return [shown(document, page, markdown=markdown) for page in range(document.page_count)]


def shown(document: WrittenPages, page: int, *, markdown: bool = True) -> str:
    """Return a page, with its pictures as in `pages`."""
    segments = document.structured(page, markdown)["segments"]
    return "".join(
        part if isinstance(part, str) else f"<{part[0]} inline>" if part[1] else f"<{part[0]}>"
        for part in segments
    )


def picture(width: int = 120, height: int = 40, form: str = "PNG") -> bytes:
    """Return a picture file."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(file, form)
    return file.getvalue()


def saved(document: Document) -> bytes:
    """Return a Word document as a file."""
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def word(*paragraphs: str) -> bytes:
    """Return a Word document of paragraphs in its own XML, each the inside of a `w:p`."""
    document = docx.Document()
    body = document.element.body
    for inner in paragraphs:
        body.insert(len(body) - 1, parse_xml(f"<w:p {NAMES}>{inner}</w:p>"))
    return saved(document)


def run(words: str, properties: str = "") -> str:
    """Return a run of a Word document."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{words}</w:t></w:r>'


def open_document(paragraphs: Sequence[tuple[str, str]]) -> bytes:
    """Return an ODT of paragraphs, each with its style: `before`, `after`, `hidden` or none."""
    document = opendocument.OpenDocumentText()
    styles: dict[str, style.Style | None] = {"": None}
    for name, attributes in (
        ("before", {"breakbefore": "page"}),
        ("after", {"breakafter": "page"}),
    ):
        made = style.Style(name=name, family="paragraph")
        made.addElement(style.ParagraphProperties(**attributes))
        document.automaticstyles.addElement(made)
        styles[name] = made
    hidden = style.Style(name="hidden", family="paragraph")
    hidden.addElement(style.TextProperties(display="none"))
    document.automaticstyles.addElement(hidden)
    styles["hidden"] = hidden
    for words, name in paragraphs:
        given = {"stylename": styles[name]} if styles[name] is not None else {}
        document.text.addElement(text.P(text=words, **given))
    grid = table.Table()
    for words in (("a", "b"), ("c", "d")):
        row = table.TableRow()
        for each in words:
            cell = table.TableCell()
            cell.addElement(text.P(text=each))
            row.addElement(cell)
        grid.addElement(row)
    document.text.addElement(grid)
    file = io.BytesIO()
    document.write(file)
    return file.getvalue()


def book(
    chapters: Mapping[str, str],
    files: Mapping[str, bytes] | None = None,
    asides: Sequence[str] = (),
    properties: Mapping[str, str] | None = None,
    doctype: str = "<!DOCTYPE html>",
) -> bytes:
    """Return an EPUB.

    Args:
        chapters: the bodies of the chapters in order, by their names inside of `OEBPS`.
        files: other files, by their names inside of `OEBPS`.
        asides: the chapters that are not part of the main text.
        properties: of the chapters in the package.
        doctype: of the chapters.
    """
    file = io.BytesIO()
    items = "".join(
        f'<item id="c{at}" href="{name}" media-type="application/xhtml+xml" '
        f'properties="{(properties or {}).get(name, "")}"/>'
        for at, name in enumerate(chapters)
    )
    spine = "".join(
        f'<itemref idref="c{at}" linear="{"no" if name in asides else "yes"}"/>'
        for at, name in enumerate(chapters)
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
            '<rootfiles><rootfile full-path="OEBPS/book.opf" '
            'media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        archive.writestr(
            "OEBPS/book.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        for name, body in chapters.items():
            archive.writestr(
                f"OEBPS/{name}",
                f'<?xml version="1.0"?>{doctype}<html xmlns="http://www.w3.org/1999/xhtml">'
                f"<head><title>No text</title></head><body>{body}</body></html>",
            )
        for name, content in (files or {}).items():
            archive.writestr(f"OEBPS/{name}", content)
    return file.getvalue()
