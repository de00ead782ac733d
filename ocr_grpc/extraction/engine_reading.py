"""Has the engine read one rendered image, and again when a worker dies over it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from ocr_grpc.engines.engine import EngineDescription, ReadOptions
from ocr_grpc.engines.errors import EngineCrashed, WorkerLost
from ocr_grpc.engines.page_read import PageRead, ReadTimes
from ocr_grpc.model import Line, RenderedPage

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
class EngineReading:
    """How the images of one page are read.

    Attributes:
        languages: to expect, as BCP 47 codes.
        caller: whom fairness counts the work for.
        timeout_seconds: for one image.
    """

    engine: PageEngine
    languages: tuple[str, ...]
    caller: str
    extraction_id: str
    page_number: int
    timeout_seconds: float

    async def lines(self, image: RenderedPage) -> AsyncGenerator[list[Line] | BeganAnew, None]:
        """Yield the lines of an image as they are read.

        Raises:
            EngineCrashed: too many workers died over it.
            EngineFailed, PageTimedOut: it cannot be read.
            EngineUnavailable: no worker is there.
        """
        read = PageRead(
            page=image,
            options=ReadOptions(self.languages),
            caller=self.caller,
            extraction_id=self.extraction_id,
            page_number=self.page_number,
            timeout_seconds=self.timeout_seconds,
        )
        attempts, losses = 1, 0
        while attempts <= MAX_ATTEMPTS and losses < MAX_LOSSES:
            if losses:
                yield BeganAnew(attempts)
            try:
                async with aclosing(self.engine.read(read)) as parts:
                    async for part in parts:
                        if not isinstance(part, ReadTimes):
                            yield part
                return
            except WorkerLost as lost:
                # A worker that died before it began says nothing about the page.
                attempts += lost.began
                losses += 1
        raise EngineCrashed(
            f"{losses} engine workers ended while they read page {self.page_number}.",
            page=self.page_number,
            attempts=losses,
        )
