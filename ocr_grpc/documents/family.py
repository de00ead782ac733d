"""The interface between a reader process and the formats it knows; one file per family of them."""

from pathlib import Path
from typing import Protocol

from ocr_grpc.documents.protocol import RenderAnswer, TextAnswer


class OpenFile(Protocol):
    """A document opened in a reader process. Pages count from 0. Blocks; one call at a time.

    Its methods raise `ReaderFailure`; anything else they raise is a bug or a hostile file, and
    costs the reader its life.
    """

    @property
    def page_count(self) -> int:
        """Return the number of pages as the file states it; not checked yet."""
        ...

    def text_layer(self, page: int, dpi: int) -> TextAnswer:
        """Return the page's own text."""
        ...

    def render(self, page: int, dpi: int, path: Path) -> RenderAnswer:
        """Write the page's pixels to `path`, which must not exist yet."""
        ...

    def close(self) -> None:
        """Let go of the file and its memory."""
        ...
