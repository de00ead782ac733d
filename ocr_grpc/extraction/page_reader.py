"""Reads one page, from its text layer or from its image, and tells the story as events."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from ocr_grpc.documents.document import Document, TextLayer
from ocr_grpc.documents.errors import NoTextLayer, PageError, ReaderUnavailable, SpoolFull
from ocr_grpc.engines.engine import EngineDescription, ReadOptions
from ocr_grpc.engines.errors import (
    EngineCrashed,
    EngineFailed,
    EngineUnavailable,
    PageTimedOut,
    WorkerLost,
)
from ocr_grpc.engines.page_read import PageRead, ReadTimes
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.admission import Place
from ocr_grpc.extraction.errors import DpiLowered
from ocr_grpc.extraction.events import (
    Delta,
    Event,
    PageFinished,
    PageOutcome,
    PageStarted,
    Provenance,
    Retract,
    TextSource,
    Usage,
)
from ocr_grpc.extraction.options import ExtractOptions, Mode
from ocr_grpc.fairness import FairSlots
from ocr_grpc.model import Line, RenderedPage, joined

MAX_ATTEMPTS = 3
"""How many workers may die over a page before it is the page's fault."""

MAX_LOSSES = 12
"""The same, with those that died before they said that they had turned to the page."""

LINES_PER_DELTA = 64
"""Lines of a text layer come all at once; a delta must stay a small message."""

PAGE_ERRORS = (
    PageError,
    ReaderUnavailable,
    SpoolFull,
    EngineCrashed,
    EngineFailed,
    EngineUnavailable,
    PageTimedOut,
)
"""What ends one page and leaves the others alone."""


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


class PageReader:
    """Reads one page once."""

    def __init__(self, context: PageContext, page_number: int) -> None:
        self._context = context
        self._page_number = page_number
        self._provenance = Provenance(mode=context.options.mode)
        self._text: list[str] = []

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the events of the page; the last is its `PageFinished`, whatever happens to it."""
        try:
            layer = await self._text_layer()
            if layer is not None:
                self._context.place.leave()
                for event in self._from_text_layer(layer):
                    yield event
                    await asyncio.sleep(0)  # a dense page must not hold up everybody else
            else:
                async with aclosing(self._from_image()) as events:
                    async for event in events:
                        yield event
        except PAGE_ERRORS as error:
            if self._text:  # lines of a page that failed in the middle
                yield Retract(self._page_number)
            yield self._finished(PageOutcome.FAILED, error)

    async def _text_layer(self) -> TextLayer | None:
        """Return the page's own text if it is to be used."""
        context = self._context
        mode = context.options.mode
        if mode is Mode.FORCE_OCR or not context.document.has_text_layers:
            return None
        try:
            layer = await context.document.text_layer(self._page_number, context.options.dpi)
        except PageError:
            if mode is Mode.TEXT_LAYER_ONLY:
                raise
            # What the reader chokes on as text it may still be able to draw.
            self._provenance = replace(self._provenance, text_layer_rejected="error")
            return None
        if layer.usable or layer.blank:
            return layer
        if mode is Mode.TEXT_LAYER_ONLY:
            raise NoTextLayer(
                f"Page {self._page_number} carries no usable text of its own "
                f"({layer.unusable_because}); MODE_AUTO reads its image instead.",
                page=self._page_number,
                why=layer.unusable_because,
            )
        self._provenance = replace(self._provenance, text_layer_rejected=layer.unusable_because)
        return None

    def _from_text_layer(self, layer: TextLayer) -> Iterator[Event]:
        source = TextSource.TEXT_LAYER
        self._provenance = replace(self._provenance, source=source, dpi=layer.geometry.dpi)
        yield PageStarted(self._page_number, layer.geometry, source)
        lines = iter(layer.lines)
        while some := list(islice(lines, LINES_PER_DELTA)):
            yield self._delta(some)
        yield self._finished(PageOutcome.OK)

    async def _from_image(self) -> AsyncGenerator[Event, None]:
        context = self._context
        async with context.rendering.slot(context.caller):
            context.place.leave()
            page = await context.document.render(self._page_number, context.options.dpi)
            try:
                source = TextSource.IMAGE
                self._provenance = replace(
                    self._provenance,
                    source=source,
                    dpi=page.geometry.dpi,
                    engine=context.engine.description,
                )
                yield PageStarted(self._page_number, page.geometry, source)
                async with aclosing(self._read(page)) as events:
                    async for event in events:
                        yield event
            finally:
                page.path.unlink(missing_ok=True)
        lowered = self._lowered(page)
        yield self._finished(PageOutcome.DEGRADED if lowered else PageOutcome.OK, lowered)

    async def _read(self, page: RenderedPage) -> AsyncGenerator[Event, None]:
        """Yield the deltas of the page, beginning anew when a worker dies over it."""
        context = self._context
        read = PageRead(
            page=page,
            options=ReadOptions(context.options.languages),
            caller=context.caller,
            extraction_id=context.extraction_id,
            page_number=self._page_number,
            timeout_seconds=context.page_timeout_seconds,
        )
        attempts, losses = 1, 0
        while attempts <= MAX_ATTEMPTS and losses < MAX_LOSSES:
            self._provenance = replace(self._provenance, attempts=attempts)
            try:
                async with aclosing(context.engine.read(read)) as parts:
                    async for part in parts:
                        if not isinstance(part, ReadTimes):
                            yield self._delta(part)
                return
            except WorkerLost as lost:
                # A worker that died before it began says nothing about the page.
                attempts += lost.began
                losses += 1
                if self._text:
                    self._text.clear()
                    yield Retract(self._page_number)
        raise EngineCrashed(
            f"{losses} engine workers ended while they read page {self._page_number}.",
            page=self._page_number,
            attempts=losses,
        )

    def _lowered(self, page: RenderedPage) -> OcrError | None:
        asked = self._context.options.dpi
        if not asked or not self._context.document.has_text_layers:
            return None
        # Sizes are whole pixels, so the resolution is never quite what was asked for.
        return DpiLowered(asked, page.geometry.dpi) if page.geometry.dpi < asked - 1 else None

    def _delta(self, lines: list[Line]) -> Delta:
        if not self._text and lines:
            lines = [lines[0].first(), *lines[1:]]
        text = joined(lines)
        self._text.append(text)
        return Delta(self._page_number, text, tuple(lines))

    def _finished(self, outcome: PageOutcome, error: OcrError | None = None) -> PageFinished:
        failed = outcome is PageOutcome.FAILED
        text = "" if failed else "".join(self._text)
        return PageFinished(
            page_number=self._page_number,
            outcome=outcome,
            provenance=self._provenance,
            usage=Usage(
                completion_chars=len(text),
                input_bytes=self._input_bytes(),
                pages=0 if failed else 1,
            ),
            text=text,
            revision=0 if failed else 1,
            error=error,
        )

    def _input_bytes(self) -> int:
        """Return the page's share of the document's bytes; the shares of all pages add up to it."""
        size, count = self._context.size_bytes, self._context.document.page_count
        return size * self._page_number // count - size * (self._page_number - 1) // count
