"""What a document is to the rest of the program: a kind, a number of pages, how to read one."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ocr_grpc.model import Line, PageGeometry, RenderedPage

__all__ = ["Document", "DocumentKind", "PageGeometry", "RenderedPage", "TextLayer"]


class DocumentKind(Enum):
    """The formats a document can have, decided by its content."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    TIFF = "tiff"
    BMP = "bmp"
    GIF = "gif"


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

    async def close(self) -> None:
        """Stop all calls under way and let go of the file. May be called twice; never raises."""
        ...
