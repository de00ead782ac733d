"""What is to be read, for whom."""

from dataclasses import dataclass, field

from ocr_grpc.documents.spool import SpooledDocument
from ocr_grpc.engines.page_read import Priority
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.extraction.meter import Meter
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.extraction.totals import Totals


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be read, for whom.

    Attributes:
        file_name: what the caller calls it; a hint among formats of text.
        caller: whom fairness counts it for.
        priority: whether somebody waits for it.
        weight: the caller's share beside other callers.
        first_pages: so many of the pages asked for are read now, the meter is told of all. 0: all.
        meter: told of every page before it leaves.
        interruption: ends the extraction with an error.
        extraction_id: names the extraction; made up if empty.
        totals: of the pages that ended in an earlier part of it, which are not read again.
        owner: the account whose results may be taken from the cache, and kept there. Empty: none's.
    """

    document: SpooledDocument
    file_name: str
    options: ExtractOptions
    caller: str
    meter: Meter
    interruption: Interruption
    priority: Priority = Priority.INTERACTIVE
    weight: float = 1.0
    first_pages: int = 0
    extraction_id: str = ""
    totals: Totals = field(default_factory=Totals)
    owner: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all pages asked for are read now."""
        return not self.first_pages and not self.totals.has_pages
