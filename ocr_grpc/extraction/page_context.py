"""What the pages of one extraction share."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from ocr_grpc.documents.document import Document
from ocr_grpc.documents.errors import PageError, ReaderUnavailable, SpoolFull
from ocr_grpc.engines.errors import EngineCrashed, EngineFailed, EngineUnavailable, PageTimedOut
from ocr_grpc.engines.vlm.errors import VisionFailed
from ocr_grpc.extraction.admission import Place
from ocr_grpc.extraction.engine_choice import ChosenEngines
from ocr_grpc.extraction.engine_reading import ReadingTerms
from ocr_grpc.extraction.image_reading import ImageReading
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.fairness import FairSlots

UNREADABLE = (PageError, EngineCrashed, EngineFailed, PageTimedOut, VisionFailed)
"""What is wrong with a page, or a picture on it."""

PAGE_ERRORS = (*UNREADABLE, ReaderUnavailable, SpoolFull, EngineUnavailable)
"""What ends one page and leaves the others alone."""


@dataclass(frozen=True, slots=True)
class PageContext:
    """What the pages of one extraction share."""

    document: Document
    size_bytes: int
    options: ExtractOptions
    choice: ChosenEngines
    terms: ReadingTerms
    rendering: FairSlots
    """Bounds the pages that exist as pixels: some for the engines, as many ready for them."""
    place: Place

    def reading(self, page_number: int) -> ImageReading:
        """Return what reads one image of a page."""
        return ImageReading(self.choice, self.terms, page_number)

    def picture_reading(self, page_number: int) -> ImageReading:
        """Return what reads one picture inside the text of a page: once, without a draft."""
        return ImageReading(replace(self.choice, drafts=False), self.terms, page_number)

    def rendering_slot(self) -> AbstractAsyncContextManager[None]:
        """Hold a place for an image for the time of an `async with`."""
        terms = self.terms
        return self.rendering.slot(terms.caller, terms.priority, terms.weight, terms.extraction_id)
