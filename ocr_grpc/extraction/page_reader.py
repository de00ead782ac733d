"""Reads one page, from its own text or from its image, and tells the story as events."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from math import ceil

from ocr_grpc.documents.document import TextLayer
from ocr_grpc.documents.errors import NoTextLayer, PageError
from ocr_grpc.engines.vlm.spent import Spent
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.errors import DpiLowered
from ocr_grpc.extraction.events import (
    Delta,
    Event,
    PageFinished,
    PageImage,
    PageOutcome,
    PageStarted,
    Provenance,
    Retract,
    TextSource,
    Usage,
)
from ocr_grpc.extraction.image_reading import ImageReading, Void, Written
from ocr_grpc.extraction.options import MAX_DPI, Mode
from ocr_grpc.extraction.page_context import PAGE_ERRORS, PageContext
from ocr_grpc.extraction.page_image import picture_of
from ocr_grpc.extraction.written_page import Cut, WrittenPage
from ocr_grpc.model import Line, PageGeometry, RenderedPage, TextFormat, joined

LINES_PER_DELTA = 64
"""Lines of a text layer come all at once; a delta must stay a small message."""

NO_GEOMETRY = PageGeometry(0, 0, 0.0)
"""Of pages that are written and not drawn."""


class PageReader:
    """Reads one page once."""

    def __init__(self, context: PageContext, page_number: int) -> None:
        self._context = context
        self._page_number = page_number
        self._provenance = Provenance(mode=context.options.mode)
        self._texts: dict[int, list[str]] = {}
        """The text of each revision, in pieces."""
        self._revision = 1
        self._form = TextFormat.PLAIN
        self._blank = False
        self._spent = Spent()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the events of the page; the last is its `PageFinished`, whatever happens to it."""
        try:
            async with aclosing(await self._read()) as events:
                async for event in events:
                    yield event
        except PAGE_ERRORS as error:
            for revision, text in self._texts.items():
                if text:  # of a page that failed in the middle
                    yield Retract(self._page_number, revision=revision)
            yield self._finished(PageOutcome.FAILED, error)

    async def _read(self) -> AsyncGenerator[Event, None]:
        """Return the events, from where they are best read."""
        if self._context.document.is_structured:
            return self._from_written()
        layer = await self._text_layer()
        return self._from_text_layer(layer) if layer else self._from_image()

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
            raise NoTextLayer.on_page(self._page_number, layer.unusable_because)
        self._provenance = replace(self._provenance, text_layer_rejected=layer.unusable_because)
        return None

    async def _from_written(self) -> AsyncGenerator[Event, None]:
        context = self._context
        form = context.options.text_format_of(context.document.kind)
        page = await context.document.structured_page(self._page_number, form)
        context.place.begin()
        written = WrittenPage(context, self._page_number, page)
        self._form, self._blank = page.format, page.blank
        self._provenance = replace(self._provenance, source=written.source)
        yield PageStarted(self._page_number, NO_GEOMETRY, written.source, page.format)
        async with aclosing(written.pieces()) as pieces:
            async for piece in pieces:
                yield self._cut(piece.length) if isinstance(piece, Cut) else self._piece(piece)
                await asyncio.sleep(0)  # a long page must not hold up everybody else
        self._spent = written.spent
        if written.pictures_read:
            self._provenance = replace(
                self._provenance,
                engine=written.engine,
                picture_count=written.pictures_read,
                alphabet=written.alphabet,
                fallback_from=written.fallback_from,
            )
        problem = written.problem
        yield self._finished(PageOutcome.DEGRADED if problem else PageOutcome.OK, problem)

    async def _from_text_layer(self, layer: TextLayer) -> AsyncGenerator[Event, None]:
        self._context.place.begin()
        source = TextSource.TEXT_LAYER
        self._blank = layer.blank
        self._provenance = replace(self._provenance, source=source, dpi=layer.geometry.dpi)
        yield PageStarted(self._page_number, layer.geometry, source)
        if image := await self._drawn(layer.geometry):
            yield image
        for delta in self._deltas(layer):
            yield delta
            await asyncio.sleep(0)  # a dense page must not hold up everybody else
        yield self._finished(PageOutcome.OK)

    def _deltas(self, layer: TextLayer) -> Iterator[Delta]:
        lines = iter(layer.lines)
        while some := list(islice(lines, LINES_PER_DELTA)):
            yield self._delta(some)

    async def _from_image(self) -> AsyncGenerator[Event, None]:
        context = self._context
        async with context.rendering_slot():
            context.place.begin()
            page = await context.document.render(self._page_number, context.options.dpi)
            reading = context.reading(self._page_number)
            try:
                source = TextSource.IMAGE
                self._blank = page.blank
                self._provenance = replace(
                    self._provenance, source=source, dpi=page.geometry.dpi, engine=reading.engine
                )
                yield PageStarted(
                    self._page_number,
                    page.geometry,
                    source,
                    context.choice.text_format(context.options.text_format),
                )
                if image := await self._picture(page):
                    yield image
                if not page.blank:
                    async with aclosing(self._read_image(reading, page)) as events:
                        async for event in events:
                            yield event
            finally:
                page.path.unlink(missing_ok=True)
        problem = reading.problem or self._lowered(page)
        yield self._finished(PageOutcome.DEGRADED if problem else PageOutcome.OK, problem)

    async def _read_image(
        self, reading: ImageReading, page: RenderedPage
    ) -> AsyncGenerator[Event, None]:
        """Yield the text of the page, and keep how it was read."""
        try:
            async with aclosing(reading.parts(page)) as parts:
                async for part in parts:
                    if isinstance(part, Void):
                        yield self._cut(part.offset, part.revision)
                    else:
                        yield self._written(part)
        finally:
            self._spent, self._revision = reading.spent, reading.revision
            self._form = reading.text_format
            self._provenance = replace(
                self._provenance,
                engine=reading.engine,
                attempts=reading.attempts,
                alphabet=reading.alphabet,
                fallback_from=reading.fallback_from,
            )

    async def _drawn(self, geometry: PageGeometry) -> PageImage | None:
        """Return what a page looks like that need not be drawn to be read."""
        context, side = self._context, self._context.options.page_image_side_px
        if not side:
            return None
        # Hardly larger than it is wanted: an enormous page would cost a hundred megapixels.
        longer = max(geometry.width_px, geometry.height_px, 1)
        dpi = min(max(ceil(geometry.dpi * side / longer), 1), MAX_DPI)
        async with context.rendering_slot():
            try:
                page = await context.document.render(self._page_number, dpi)
            except PAGE_ERRORS:
                return None  # its text can be read all the same
            try:
                return await self._picture(page)
            finally:
                page.path.unlink(missing_ok=True)

    async def _picture(self, page: RenderedPage) -> PageImage | None:
        side = self._context.options.page_image_side_px
        return await asyncio.to_thread(picture_of, self._page_number, page, side) if side else None

    def _lowered(self, page: RenderedPage) -> OcrError | None:
        asked = self._context.options.dpi
        if not asked or not self._context.document.has_text_layers:
            return None
        # Sizes are whole pixels, so the resolution is never quite what was asked for.
        return DpiLowered(asked, page.geometry.dpi) if page.geometry.dpi < asked - 1 else None

    def _delta(self, lines: list[Line]) -> Delta:
        if not self._texts and lines:
            lines = [lines[0].first(), *lines[1:]]
        return self._written(Written(joined(lines), tuple(lines)))

    def _piece(self, text: str) -> Delta:
        return self._written(Written(text))

    def _written(self, part: Written) -> Delta:
        self._texts.setdefault(part.revision, []).append(part.text)
        return Delta(self._page_number, part.text, part.lines, part.revision, part.blocks)

    def _cut(self, length: int, revision: int = 1) -> Retract:
        text = "".join(self._texts.get(revision, ()))[:length]
        self._texts[revision] = [text] if text else []
        return Retract(self._page_number, length, revision)

    def _finished(self, outcome: PageOutcome, error: OcrError | None = None) -> PageFinished:
        failed = outcome is PageOutcome.FAILED
        text = "" if failed else "".join(self._texts.get(self._revision, ()))
        return PageFinished(
            page_number=self._page_number,
            outcome=outcome,
            provenance=self._provenance,
            usage=Usage(
                prompt_tokens=self._spent.prompt_tokens,
                completion_tokens=self._spent.completion_tokens,
                prompt_chars=self._spent.prompt_chars,
                completion_chars=len(text),
                input_bytes=self._input_bytes(),
                pages=0 if failed else 1,
                tokens_estimated=self._spent.tokens_estimated,
            ),
            text=text,
            revision=0 if failed else self._revision,
            error=error,
            text_format=self._form,
            blank=self._blank and not failed,
        )

    def _input_bytes(self) -> int:
        """Return the page's share of the document's bytes; the shares of all pages add up to it."""
        size, count = self._context.size_bytes, self._context.document.page_count
        return size * self._page_number // count - size * (self._page_number - 1) // count
