"""Plain text: pages end at form feeds, else after 3,000 characters with a paragraph. Child only."""

import re

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office import encodings
from ocr_grpc.documents.office.flow.cuts import PAGE_CHARACTERS
from ocr_grpc.documents.office.pages import Segment, WrittenPages
from ocr_grpc.documents.protocol import (
    MAX_WRITTEN_CHARACTERS,
    Failure,
    ReaderFailure,
    StructuredAnswer,
)

_PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n\s*")
_LINE_END = re.compile(r"\n")
_WORD_END = re.compile(r"\s")
_LONGEST_PARAGRAPH = 10 * PAGE_CHARACTERS
"""In a log or a list without empty lines a page ends with a line."""


def open_text(opening: Opening) -> "TextPages":
    """Open a plain text.

    Raises:
        ReaderFailure: UNKNOWN_FORMAT if it is no text, TOO_MANY_PAGES.
    """
    opening.file.seek(0)
    text = encodings.decode(opening.file.read())
    # What Windows and old Macs end a line with.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    pages: list[str] = []
    for part in text.split("\f"):
        pages += cut(part)
        if len(pages) > opening.limits.max_pages:
            raise ReaderFailure(Failure.TOO_MANY_PAGES, found=len(pages))
    return TextPages(opening, pages or [""])


def cut(text: str) -> list[str]:
    """Return the pages of a text without form feeds; none is blank."""
    pages: list[str] = []
    start = 0
    while start < len(text):
        end = _end_of_page(text, start)
        page = text[start:end].strip("\n")
        if page.strip():
            pages.append(page)
        start = end
    return pages


def _end_of_page(text: str, start: int) -> int:
    earliest = start + PAGE_CHARACTERS
    for pattern, reach in (
        (_PARAGRAPH_END, _LONGEST_PARAGRAPH),
        (_LINE_END, _LONGEST_PARAGRAPH),
        (_WORD_END, MAX_WRITTEN_CHARACTERS),
    ):
        # From one before: a paragraph may end exactly there.
        found = pattern.search(text, earliest - 1, start + reach)
        if found is not None:
            return found.end()
    return min(len(text), start + (MAX_WRITTEN_CHARACTERS if len(text) > earliest else len(text)))


class TextPages(WrittenPages):
    """A plain text, all of it in memory."""

    def __init__(self, opening: Opening, pages: list[str]) -> None:
        """Take over its pages."""
        super().__init__(opening, DocumentKind.TEXT, len(pages))
        self._pages = pages

    def structured(self, page: int, markdown: bool) -> StructuredAnswer:
        """Return a page as it is, whatever form is wanted: it is no Markdown."""
        del markdown
        return super().structured(page, markdown=False)

    def _segments(self, page: int, markdown: bool) -> list[Segment]:
        return [self._pages[page]]

    def _picture(self, number: int) -> bytes:
        raise ReaderFailure(Failure.BROKEN)
