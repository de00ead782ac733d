"""What all documents of written pages have in common: bounds, clean text, pictures. Child only."""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable

from ocr_grpc.documents.characters import UNSHOWN
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.office import pictures
from ocr_grpc.documents.protocol import (
    MAX_WRITTEN_CHARACTERS,
    Failure,
    InspectAnswer,
    ReaderFailure,
    RenderAnswer,
    StructuredAnswer,
)

Segment = str | tuple[int, bool]
"""Text, or the number of a picture and whether it stands inside a line or a table cell."""

_REMOVED = re.compile(rf"[{UNSHOWN}\xad\u2028\u2029\ud800-\udfff]")
"""Hyphens that are not shown as well, and what would break lines or encodings."""


class WrittenPages(ABC):
    """A document of written pages; one subclass for each way to get at them."""

    def __init__(self, opening: Opening, kind: DocumentKind, page_count: int) -> None:
        self._opening = opening
        self._kind = kind
        self._page_count = page_count
        self._looked_at: dict[int, bool] = {}

    @property
    def kind(self) -> DocumentKind:
        """The format."""
        return self._kind

    @property
    def page_count(self) -> int:
        """The number of pages."""
        return self._page_count

    @abstractmethod
    def _segments(self, page: int, markdown: bool) -> Iterable[Segment]:
        """Return a page's text and pictures in the order they are read.

        A picture that is no part of a line has a segment before and after it that ends and begins
        with an empty line, or nothing there.
        """

    @abstractmethod
    def _picture(self, number: int) -> bytes:
        """Return the file of a picture.

        Raises:
            ReaderFailure: there is none of that number, or it cannot be taken out.
        """

    def structured(self, page: int, markdown: bool) -> StructuredAnswer:
        """Return a page; see `WrittenFile`."""
        segments, left_out = self._bounded(page, markdown)
        return StructuredAnswer(
            format="markdown" if markdown else "plain", segments=segments, left_out=left_out
        )

    def picture(self, number: int, sink: int) -> RenderAnswer:
        """Write a picture's pixels; see `WrittenFile`."""
        return pictures.write(self._picture(number), self._opening.limits, sink)

    def inspect(self, page: int, dpi: int) -> InspectAnswer:
        """Return what a page is; it has no size."""
        del dpi
        segments, _ = self._bounded(page, markdown=False)
        shown = sum(not isinstance(part, str) for part in segments)
        written = any(isinstance(part, str) and part.strip() for part in segments)
        return InspectAnswer(
            width=0,
            height=0,
            dpi=0.0,
            width_pt=0.0,
            height_pt=0.0,
            text_share=1.0 if written or not shown else 0.0,
            rotation=0,
            blank=not shown and not written,
            pictures=shown,
            because="",
        )

    def close(self) -> None:
        """Close the document's files."""
        self._opening.file.close()
        if self._opening.scratch is not None:
            self._opening.scratch.close()

    def _bounded(self, page: int, markdown: bool) -> tuple[list[Segment], int]:
        """Return the segments, cleaned, without pictures worth no look, and those left out."""
        if not 0 <= page < self._page_count:
            raise ReaderFailure(Failure.BROKEN)
        kept: list[Segment] = []
        room, shown, left_out = MAX_WRITTEN_CHARACTERS, 0, 0
        for part in self._segments(page, markdown):
            if isinstance(part, str):
                # Pages are cut to fit when a document is opened; this is the last resort.
                text = clean(part)[:room]
                room -= len(text)
                if kept and isinstance(kept[-1], str):
                    kept[-1] += text
                elif text:
                    kept.append(text)
            elif not self._worth_reading(part[0]):
                continue
            elif shown >= self._opening.limits.max_pictures_per_page:
                left_out += 1
            else:
                shown += 1
                kept.append(part)
        return kept, left_out

    def _worth_reading(self, number: int) -> bool:
        """Return whether to show a picture; may be replaced by who knows it without looking."""
        if number not in self._looked_at:
            try:
                self._looked_at[number] = pictures.may_have_text(self._picture(number))
            except ReaderFailure:
                self._looked_at[number] = True  # it is reported as damaged when it is to be read
        return self._looked_at[number]


def clean(text: str) -> str:
    """Return text in NFC without control characters; line breaks and tabs stay."""
    return _REMOVED.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n")))
