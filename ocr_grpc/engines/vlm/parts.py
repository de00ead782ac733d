"""What is asked of a vision-language engine, and what it says while it reads."""

from dataclasses import dataclass

from ocr_grpc.engines.engine import EngineDescription, ReadOptions
from ocr_grpc.engines.page_read import Priority
from ocr_grpc.engines.vlm.spent import Spent
from ocr_grpc.errors import OcrError
from ocr_grpc.model import Block, RenderedPage, TextFormat


@dataclass(frozen=True, slots=True)
class VisionRead:
    """One page to be read, and for whom.

    Attributes:
        page: its pixels in a spool file, which stays until the read is over.
        prompt: what the caller wants to be asked; empty for the engine's own.
        text_format: the form wanted; None leaves it to the model.
        timeout_seconds: for all tries together.
        weight: the caller's share beside other callers.
    """

    page: RenderedPage
    options: ReadOptions
    prompt: str
    text_format: TextFormat | None
    caller: str
    extraction_id: str
    page_number: int
    timeout_seconds: float
    priority: Priority = Priority.INTERACTIVE
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Piece:
    """The next text of the page, without markup of the model, and the blocks that begin in it."""

    text: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeBack:
    """All text of the page beyond `offset` code points is void, and blocks that began there."""

    offset: int


@dataclass(frozen=True, slots=True)
class VisionDone:
    """The page is read; nothing follows.

    Attributes:
        spent: by all tries together.
        text_format: the form the text is in.
        problem: why the text is less than was asked for; None if it is not.
        engine: what read the page, which the engine may not have known when it was asked for; None
            for a blank page, which nobody reads.
    """

    spent: Spent
    text_format: TextFormat
    problem: OcrError | None = None
    engine: EngineDescription | None = None


VisionPart = Piece | TakeBack | VisionDone
