"""The interface between a reader process and the formats it knows; one file per family of them.

A reader opens nothing itself: it is handed the open document, and a descriptor to write pixels to.
"""

from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.protocol import (
    InspectAnswer,
    RenderAnswer,
    StructuredAnswer,
    TextAnswer,
)


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """The limits that a reader process itself has to know; see `DocumentLimits`."""

    max_pages: int
    max_page_pixels: int
    max_archive_members: int
    max_archive_bytes: int
    max_archive_ratio: int
    max_pictures_per_page: int


@dataclass(frozen=True, slots=True)
class Opening:
    """A document that is to be opened.

    Attributes:
        file: the document, at its beginning, to read only. Whoever opens it closes it.
        kind: as its first bytes tell; None if they do not.
        name_ending: of the file's name, in lower case, such as `md`. A hint among text formats.
        password: for encrypted documents; may be empty.
        scratch: an own file to read and write, empty when the document is opened for the first time
            and kept for the next; None in the family of pages. What is in it may be wrong: a reader
            may have died while it wrote.
    """

    file: BinaryIO
    kind: DocumentKind | None
    name_ending: str
    limits: ReaderLimits
    password: str = field(default="", repr=False)
    scratch: BinaryIO | None = None


class OpenFile(Protocol):
    """A document opened in a reader process. Pages count from 0. Blocks; one call at a time.

    Its methods raise `ReaderFailure`; anything else they raise is a bug or a hostile file, and
    costs the reader its life.
    """

    @property
    def kind(self) -> DocumentKind:
        """Return the format."""
        ...

    @property
    def page_count(self) -> int:
        """Return the number of pages as the file states it; not checked yet."""
        ...

    def inspect(self, page: int, dpi: int) -> InspectAnswer:
        """Return what a page is."""
        ...

    def close(self) -> None:
        """Let go of the file and its memory."""
        ...


class DrawnFile(OpenFile, Protocol):
    """A document whose pages are drawn: PDF and images."""

    def text_layer(self, page: int, dpi: int) -> TextAnswer:
        """Return the page's own text."""
        ...

    def render(self, page: int, dpi: int, sink: int) -> RenderAnswer:
        """Write the page's pixels to the descriptor `sink`, which the caller closes."""
        ...


class WrittenFile(OpenFile, Protocol):
    """A document whose pages are text with structure: Office, HTML, text."""

    def structured(self, page: int, markdown: bool) -> StructuredAnswer:
        """Return the page's text, as Markdown or plain, and its pictures in their places."""
        ...

    def picture(self, number: int, sink: int) -> RenderAnswer:
        """Write the pixels of a picture to the descriptor `sink`, which the caller closes."""
        ...
