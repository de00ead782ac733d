"""Presentations: a slide is a page. Child only.

Slides that are hidden are left out, as nobody sees them when the presentation is shown.
"""

import io
import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.office.kept_pages import KeptPages
from ocr_grpc.documents.office.pages import Segment, WrittenPages
from ocr_grpc.documents.office.slides.shapes import Block, blocks_of
from ocr_grpc.documents.protocol import Failure, ReaderFailure

# Its types do not say what shapes can do, so that nearly every line would need a cast.
pptx: Any = import_module("pptx")

_CONTENT_TYPES = "[Content_Types].xml"
_MAIN = b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
_OTHER_MAIN = re.compile(
    rb"application/vnd\.(?:openxmlformats-officedocument\.presentationml|ms-powerpoint)"
    rb"\.\w+(?:\.macroEnabled)?\.main\+xml",
)
"""Slide shows, templates, macros: the library wants the type of a presentation."""


def open_slides(opening: Opening, archive: Archive) -> WrittenPages:
    """Open a presentation.

    Args:
        opening: the document.
        archive: the document as a container; closed with it.

    Raises:
        ReaderFailure: CORRUPT, DOCTYPE, TOO_MANY_PAGES.
    """
    return Slides(opening, archive)


class Slides(WrittenPages):
    """A presentation, whose slides are read once and then kept in the scratch file."""

    def __init__(self, opening: Opening, archive: Archive) -> None:
        """Read the slides, unless an earlier reader has."""
        self._archive = archive
        # A picture's number is its place among the members, so that all readers agree.
        self._names = archive.names
        self._pages = KeptPages(opening.scratch, opening.limits.max_pages)
        if not self._pages.complete:
            self._read()
        super().__init__(opening, DocumentKind.PPTX, len(self._pages))

    def close(self) -> None:
        """Close the document's files."""
        self._archive.close()
        super().close()

    def _segments(self, page: int, markdown: bool) -> Iterable[Segment]:
        for place, block in enumerate(self._pages[page]):
            if place:
                yield "\n"
            if isinstance(block, int):
                yield block, False
                yield "\n"
            else:
                yield block[0 if markdown else 1] + "\n"

    def _picture(self, number: int) -> bytes:
        if not 0 <= number < len(self._names):
            raise ReaderFailure(Failure.BROKEN)
        return self._archive.read(self._names[number])

    def _read(self) -> None:
        types = self._archive.read(_CONTENT_TYPES)
        checked = self._archive.without_media({_CONTENT_TYPES: _OTHER_MAIN.sub(_MAIN, types)})
        try:
            slides = pptx.Presentation(io.BytesIO(checked)).slides
            for slide in slides:
                if slide.element.get("show") not in {"0", "false"}:
                    self._pages.append(list(self._numbered(blocks_of(slide))))
        except (ReaderFailure, MemoryError, OSError):
            raise
        except Exception as error:
            # The library trusts what it reads; what it stumbles over can be anything.
            raise ReaderFailure(Failure.CORRUPT) from error
        if not len(self._pages):
            self._pages.append([])
        self._pages.finish()

    def _numbered(self, blocks: Iterable[Block]) -> Iterable[Any]:
        """Return what is to be kept: texts, and the numbers of pictures, each once a slide."""
        numbers = {name: number for number, name in enumerate(self._names)}
        seen: set[str] = set()
        for block in blocks:
            if not isinstance(block, str):
                yield block
            elif block in numbers and block not in seen:
                seen.add(block)
                yield numbers[block]
