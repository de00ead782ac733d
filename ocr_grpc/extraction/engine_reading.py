"""Has the engine read one rendered image, and again when a worker dies over it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from ocr_grpc.engines.engine import EngineDescription, ReadOptions
from ocr_grpc.engines.errors import EngineCrashed, EngineUnavailable, WorkerLost
from ocr_grpc.engines.page_read import PageRead, Priority, ReadTimes
from ocr_grpc.model import Line, RenderedPage, TextFormat
from ocr_grpc.telemetry import tracing
from ocr_grpc.telemetry.tracing import Kind

MAX_ATTEMPTS = 3
"""How many workers may die over a page before it is the page's fault."""

MAX_LOSSES = 12
"""The same, with those that died before they said that they had turned to the page."""


class PageEngine(Protocol):
    """What extraction needs of the engine workers; `EnginePool` is one."""

    @property
    def description(self) -> EngineDescription:
        """Return what the engine is."""
        ...

    @property
    def ready_workers(self) -> int:
        """Return how many pages can be read at once at this moment."""
        ...

    def read(self, read: PageRead) -> AsyncGenerator[list[Line] | ReadTimes, None]:
        """Yield the lines of a page; see `EnginePool.read`."""
        ...


@dataclass(frozen=True, slots=True)
class BeganAnew:
    """A worker died: what was read of the image so far is void, and comes again."""

    attempts: int


@dataclass(frozen=True, slots=True)
class ReadingTerms:
    """How the images of one extraction are read, and for whom.

    Attributes:
        options: for engines that read lines.
        prompt: for a language model; empty for its own.
        text_format: the form wanted; None leaves it to the engine.
        caller: whom fairness counts the work for.
        weight: the caller's share beside other callers.
        timeout_seconds: for one image.
    """

    options: ReadOptions
    prompt: str
    text_format: TextFormat | None
    caller: str
    priority: Priority
    weight: float
    extraction_id: str
    timeout_seconds: float


class EngineReading:
    """Has the lines of one image read.

    Attributes:
        alphabet: the characters the engine chose from, known once `lines` is over.
        engine: what the worker that read them says it is; another machine may differ from ours.
    """

    def __init__(self, engine: PageEngine, terms: ReadingTerms, page_number: int) -> None:
        self._engine = engine
        self._terms = terms
        self._page_number = page_number
        self.alphabet = ""
        self.engine = engine.description

    async def lines(self, image: RenderedPage) -> AsyncGenerator[list[Line] | BeganAnew, None]:
        """Yield the lines of an image as they are read.

        Raises:
            EngineCrashed: too many workers died over it.
            EngineFailed, PageTimedOut: it cannot be read.
            EngineUnavailable: no worker is there.
        """
        terms = self._terms
        read = PageRead(
            page=image,
            options=terms.options,
            caller=terms.caller,
            extraction_id=terms.extraction_id,
            page_number=self._page_number,
            timeout_seconds=terms.timeout_seconds,
            priority=terms.priority,
            weight=terms.weight,
        )
        attempts, losses = 1, 0
        while attempts <= MAX_ATTEMPTS and losses < MAX_LOSSES:
            if losses:
                yield BeganAnew(attempts)
            try:
                about = {"ocr.engine": self.engine.name, "ocr.attempt": losses + 1}
                with tracing.span("engine", about, Kind.CLIENT):
                    async with aclosing(self._engine.read(read)) as parts:
                        async for part in parts:
                            if isinstance(part, ReadTimes):
                                self.alphabet = part.alphabet
                                self.engine = part.engine or self.engine
                            else:
                                yield part
                return
            except WorkerLost as lost:
                # A worker that died before it began says nothing about the page.
                attempts += lost.began
                losses += 1
        if attempts == 1:
            raise EngineUnavailable("No engine worker could take the page. Try again later.")
        raise EngineCrashed(
            f"{losses} engine workers ended while they read page {self._page_number}.",
            page=self._page_number,
            attempts=losses,
        )
