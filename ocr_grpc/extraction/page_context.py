"""What the pages of one extraction share."""

from dataclasses import dataclass

from ocr_grpc.documents.document import Document
from ocr_grpc.documents.errors import PageError, ReaderUnavailable, SpoolFull
from ocr_grpc.engines.errors import EngineCrashed, EngineFailed, EngineUnavailable, PageTimedOut
from ocr_grpc.extraction.admission import Place
from ocr_grpc.extraction.engine_reading import EngineReading, PageEngine
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.fairness import FairSlots

UNREADABLE = (PageError, EngineCrashed, EngineFailed, PageTimedOut)
"""What is wrong with a page, or a picture on it."""

PAGE_ERRORS = (*UNREADABLE, ReaderUnavailable, SpoolFull, EngineUnavailable)
"""What ends one page and leaves the others alone."""


@dataclass(frozen=True, slots=True)
class PageContext:
    """What the pages of one extraction share."""

    extraction_id: str
    caller: str
    document: Document
    size_bytes: int
    options: ExtractOptions
    engine: PageEngine
    rendering: FairSlots
    """Bounds the pages that exist as pixels: some for the engine, as many ready for it."""
    place: Place
    page_timeout_seconds: float

    def reading(self, page_number: int) -> EngineReading:
        """Return how the images of a page are read."""
        return EngineReading(
            engine=self.engine,
            languages=self.options.languages,
            caller=self.caller,
            extraction_id=self.extraction_id,
            page_number=page_number,
            timeout_seconds=self.page_timeout_seconds,
        )
