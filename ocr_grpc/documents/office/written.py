"""Opens documents whose pages are written: Office, HTML, text. Child only."""

from collections.abc import Callable

from PIL import Image

from ocr_grpc.documents import images
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening, WrittenFile
from ocr_grpc.documents.office import detect
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.flow import docx, epub, flow, html, markdown, odt, pandoc, rtf, text
from ocr_grpc.documents.office.sheets import separated, workbook
from ocr_grpc.documents.office.slides import presentation
from ocr_grpc.documents.protocol import Failure, ReaderFailure

_ZIP = (b"PK\3\4", b"PK\5\6")
_CONTAINED: dict[DocumentKind, Callable[[Opening, Archive], WrittenFile]] = {
    DocumentKind.DOCX: docx.open_docx,
    DocumentKind.ODT: odt.open_odt,
    DocumentKind.EPUB: epub.open_epub,
    DocumentKind.PPTX: presentation.open_slides,
}
_BARE: dict[DocumentKind, Callable[[Opening], WrittenFile]] = {
    DocumentKind.RTF: rtf.open_rtf,
    DocumentKind.HTML: html.open_html,
    DocumentKind.MARKDOWN: markdown.open_markdown,
    DocumentKind.TEXT: text.open_text,
}
_SHEETS = frozenset((DocumentKind.XLSX, DocumentKind.XLS, DocumentKind.ODS))


def warm_up() -> None:
    """Load what a first document would load, before the sandbox closes."""
    pandoc.warm_up()
    images.warm_up()
    Image.init()


def open_written(opening: Opening) -> WrittenFile:
    """Find out what a document is and open it.

    Raises:
        ReaderFailure: it is of no format of this family, or cannot be opened.
    """
    known = flow.reopened(opening)
    if known is not None:
        return known
    archive = None
    opening.file.seek(0)
    if opening.file.read(4) in _ZIP:
        archive = Archive(opening.file, opening.limits)
    kind = opening.kind or detect.detect(opening, archive)
    if archive is not None and kind in _CONTAINED:
        return _CONTAINED[kind](opening, archive)
    if kind in _BARE:
        return _BARE[kind](opening)
    if kind in _SHEETS:
        return workbook.open_sheets(opening, kind, archive)
    if kind in (DocumentKind.CSV, DocumentKind.TSV):
        return separated.open_separated(opening, kind)
    raise ReaderFailure(Failure.UNKNOWN_FORMAT)
