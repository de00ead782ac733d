"""What is asked of an engine worker, and what it says beside the lines."""

from dataclasses import dataclass

from ocr_grpc.engines.engine import ReadOptions
from ocr_grpc.model import RenderedPage


@dataclass(frozen=True, slots=True)
class PageRead:
    """One page to be read, and for whom."""

    page: RenderedPage
    options: ReadOptions
    caller: str
    extraction_id: str
    page_number: int
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class ReadTimes:
    """What reading a page took, in seconds of wall time and of the thread's processor time."""

    seconds: float
    cpu_seconds: float
