"""What is asked of an engine worker, and what it says beside the lines."""

from dataclasses import dataclass
from enum import IntEnum

from ocr_grpc.engines.engine import EngineDescription, ReadOptions
from ocr_grpc.model import RenderedPage


class Priority(IntEnum):
    """How urgent a page is; the smaller number goes first, always."""

    INTERACTIVE = 0
    BATCH = 1


@dataclass(frozen=True, slots=True)
class PageRead:
    """One page to be read, and for whom."""

    page: RenderedPage
    options: ReadOptions
    caller: str
    extraction_id: str
    page_number: int
    timeout_seconds: float
    priority: Priority = Priority.INTERACTIVE
    weight: float = 1.0
    """The caller's share beside other callers."""


@dataclass(frozen=True, slots=True)
class ReadTimes:
    """What reading a page took, in seconds of wall time and of processor time.

    Attributes:
        alphabet: names the characters the engine chose from; empty if it does not choose.
        engine: the one of the very worker, whose runtime and precision may be other than those of
            the rest. The pool sets it.
    """

    seconds: float
    cpu_seconds: float
    alphabet: str = ""
    engine: EngineDescription | None = None


@dataclass(frozen=True, slots=True)
class ReadBegan:
    """The engine turned to the page: if it is lost from now on, the page may be to blame."""
