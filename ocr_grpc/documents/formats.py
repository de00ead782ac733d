"""What there is to know about each format: who reads it, and what callers are told."""

from dataclasses import dataclass
from enum import Enum

from ocr_grpc.documents.document import DocumentKind


class Family(Enum):
    """Which reader processes open a format: each loads and may do only what its formats need."""

    PAGES = "pages"
    """PDF and images: pages that are drawn."""
    OFFICE = "office"
    """Office, HTML, text: pages that are written. These readers may start pandoc."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        media_types: the preferred one first.
        page_unit: what becomes a page; see `DocumentFormat` in `document.proto`.
        text_layer: whether its pages can carry text of their own.
        structured: whether its pages are text with structure, and no images.
        markdown: whether that structure can be told in Markdown.
    """

    media_types: tuple[str, ...]
    page_unit: str = "page"
    text_layer: bool = False
    structured: bool = False
    markdown: bool = False

    @property
    def family(self) -> Family:
        """Return which readers open it."""
        return Family.OFFICE if self.structured else Family.PAGES


def _written(page_unit: str, *media_types: str) -> Format:
    return Format(media_types, page_unit, text_layer=True, structured=True, markdown=True)


_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"

FORMATS = {
    DocumentKind.PDF: Format(("application/pdf",), text_layer=True),
    DocumentKind.PNG: Format(("image/png",), "frame"),
    DocumentKind.JPEG: Format(("image/jpeg",), "frame"),
    DocumentKind.WEBP: Format(("image/webp",), "frame"),
    DocumentKind.TIFF: Format(("image/tiff",), "frame"),
    DocumentKind.BMP: Format(("image/bmp", "image/x-ms-bmp"), "frame"),
    DocumentKind.GIF: Format(("image/gif",), "frame"),
    DocumentKind.HEIC: Format(("image/heic", "image/heif"), "frame"),
    DocumentKind.AVIF: Format(("image/avif",), "frame"),
    DocumentKind.JPEG_2000: Format(("image/jp2", "image/jpx", "image/j2c"), "frame"),
    DocumentKind.DOCX: _written("flow", f"{_OPEN_XML}.wordprocessingml.document"),
    DocumentKind.XLSX: _written("sheet", f"{_OPEN_XML}.spreadsheetml.sheet"),
    DocumentKind.XLS: _written("sheet", "application/vnd.ms-excel"),
    DocumentKind.ODS: _written("sheet", f"{_OPEN_DOCUMENT}.spreadsheet"),
    DocumentKind.PPTX: _written("slide", f"{_OPEN_XML}.presentationml.presentation"),
    DocumentKind.ODT: _written("flow", f"{_OPEN_DOCUMENT}.text"),
    DocumentKind.RTF: _written("flow", "application/rtf", "text/rtf"),
    DocumentKind.HTML: _written("flow", "text/html", "application/xhtml+xml"),
    DocumentKind.EPUB: _written("chapter", "application/epub+zip"),
    DocumentKind.MARKDOWN: _written("flow", "text/markdown"),
    DocumentKind.CSV: _written("sheet", "text/csv"),
    DocumentKind.TSV: _written("sheet", "text/tab-separated-values"),
    DocumentKind.TEXT: Format(("text/plain",), "flow", text_layer=True, structured=True),
}

UNKNOWN_FORMAT_SENTENCE = (
    "The content is of no known format. Send one of: "
    + ", ".join(kind.name for kind in DocumentKind)
    + "."
)
