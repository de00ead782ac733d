"""What a document is to the rest of the program: a kind, a number of pages, how to read one."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ocr_grpc.model import Line, PageGeometry, RenderedPage, TextFormat

__all__ = [
    "Document",
    "DocumentKind",
    "PageGeometry",
    "PageInspection",
    "Picture",
    "RenderedPage",
    "StructuredPage",
    "TextLayer",
]


class DocumentKind(Enum):
    """The formats a document can have, decided by its content."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    TIFF = "tiff"
    BMP = "bmp"
    GIF = "gif"
    HEIC = "heic"
    AVIF = "avif"
    JPEG_2000 = "jpeg_2000"
    DOCX = "docx"
    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    PPTX = "pptx"
    ODT = "odt"
    RTF = "rtf"
    HTML = "html"
    EPUB = "epub"
    MARKDOWN = "markdown"
    CSV = "csv"
    TSV = "tsv"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class TextLayer:
    """The text a page carries itself, with its lines in pixels of `geometry`.

    Attributes:
        usable: whether it is worth preferring to the image; see the reader for the rule.
        unusable_because: a word for logs and provenance when not: `none`, `garbage`, ….
        blank: the page has neither text nor anything drawn on it.
    """

    geometry: PageGeometry
    lines: tuple[Line, ...]
    usable: bool
    unusable_because: str = ""
    blank: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in the text of a structured page, which an engine may read.

    Attributes:
        number: names it to `Document.render_picture`; counted from 0 over the document.
        inline: it stands inside a line or a table cell, where its text must not break the line.
    """

    number: int
    inline: bool


@dataclass(frozen=True, slots=True)
class StructuredPage:
    """A page of a document that carries its text and structure itself.

    Attributes:
        format: the form its text is in.
        segments: text, in NFC, and pictures, in the order they are read. Joined, the texts are the
            page's text; a picture that is not inline has line breaks around it already.
        pictures_left_out: how many more pictures it has than are read on a page.
    """

    format: TextFormat
    segments: tuple[str | Picture, ...]
    pictures_left_out: int = 0

    @property
    def blank(self) -> bool:
        """Return whether there is neither text nor a picture."""
        return not any(isinstance(part, Picture) or part.strip() for part in self.segments)


@dataclass(frozen=True, slots=True)
class PageInspection:
    """What a page is, without reading it; see `PageInspection` in `document.proto`.

    Attributes:
        geometry: as it would be rendered; None for structured text.
        width_pt, height_pt: as shown, in points; 0 if not known.
    """

    geometry: PageGeometry | None
    width_pt: float
    height_pt: float
    text_layer_share: float
    rotation_degrees: int
    blank: bool
    picture_count: int = 0
    unusable_because: str = ""


class Document(Protocol):
    """One opened document. Holds no process between calls; several calls may run at once.

    Cancelling a call stops its work within a second and leaves no file behind.
    """

    @property
    def kind(self) -> DocumentKind:
        """Return the format."""
        ...

    @property
    def page_count(self) -> int:
        """Return the number of pages, frames included; at least 1."""
        ...

    @property
    def has_text_layers(self) -> bool:
        """Return whether pages of this kind can carry text of their own (images cannot)."""
        ...

    @property
    def is_structured(self) -> bool:
        """Return whether its pages are text with structure, and no images: Office, HTML, text."""
        ...

    async def text_layer(self, page_number: int, dpi: int) -> TextLayer:
        """Return the page's own text, with its polygons at `dpi` (0: the reader's choice).

        Raises:
            PageError: this page cannot be read.
            ReaderUnavailable: no page can be read at present.
        """
        ...

    async def render(self, page_number: int, dpi: int) -> RenderedPage:
        """Write the page's pixels to a new spool file.

        Args:
            page_number: counted from 1.
            dpi: 0 lets the reader choose: a scan's own resolution within 100 to 300, else 200.
                Image files keep their pixels whatever is asked.

        Raises:
            PageError: this page cannot be read.
            SpoolFull: the disk has no room for it.
            ReaderUnavailable: no page can be read at present.
        """
        ...

    async def structured_page(self, page_number: int, wanted: TextFormat) -> StructuredPage:
        """Return a page of a structured document, its text in the form that is wanted.

        Raises:
            PageError: this page cannot be read.
            ReaderUnavailable: no page can be read at present.
        """
        ...

    async def render_picture(self, number: int, page_number: int) -> RenderedPage:
        """Write the pixels of a picture inside a structured document to a new spool file.

        Raises:
            PageError: it cannot be read, or is too large.
            SpoolFull: the disk has no room for it.
            ReaderUnavailable: no page can be read at present.
        """
        ...

    async def inspect(self, page_number: int, dpi: int) -> PageInspection:
        """Return what a page is, without reading it.

        Raises:
            PageError: this page cannot be read.
            ReaderUnavailable: no page can be read at present.
        """
        ...

    async def close(self) -> None:
        """Stop all calls under way and let go of the file. May be called twice; never raises."""
        ...
