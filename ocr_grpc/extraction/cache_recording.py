"""Takes down the events of an extraction while they pass, for the cache."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Set
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import structlog

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.extraction.cache_entry import CachedDocument
from ocr_grpc.extraction.cache_key import EngineIdentity, identity
from ocr_grpc.extraction.cache_page import CachedPage, packed
from ocr_grpc.extraction.events import (
    Delta,
    Event,
    Finished,
    PageFinished,
    PageImage,
    PageOutcome,
    PageStarted,
    Retract,
    Started,
)
from ocr_grpc.model import Line
from ocr_grpc.store.result_cache import Room

log = structlog.get_logger()

LINE_BYTES, WORD_BYTES, BLOCK_BYTES = 800, 700, 600
"""Of memory: the objects, their points and numbers, a short text."""

THREAD_BYTES = 256 * 1024
"""A page with more in memory is packed in a thread: it would hold up everybody else."""


@dataclass(frozen=True, slots=True)
class RecordingTerms:
    """What a recording needs to know.

    Attributes:
        room: shared by all recordings.
        max_bytes: what a document may have in the end.
        engines: what may have read a page for it to be kept; another machine may have another.
        pictured: whether pictures of pages were asked for.
        keep: takes a document of which every page was read well.
    """

    room: Room
    max_bytes: int
    engines: Set[EngineIdentity]
    pictured: bool
    keep: Callable[[CachedDocument], None]


@dataclass(slots=True)
class _OpenPage:
    started: PageStarted | None = None
    image: PageImage | None = None
    deltas: list[Delta] = field(default_factory=list[Delta])
    size_bytes: int = 0


class Recording:
    """Takes down one extraction; gives up when a page ends badly, or it gets too large."""

    __slots__ = (
        "_given_up",
        "_kind",
        "_open",
        "_packed_bytes",
        "_page_count",
        "_pages",
        "_taken_bytes",
        "_terms",
        "_wanted",
    )

    def __init__(self, terms: RecordingTerms) -> None:
        self._terms = terms
        self._kind: DocumentKind | None = None
        self._page_count = self._wanted = 0
        self._open: dict[int, _OpenPage] = {}
        self._pages: dict[int, bytes] = {}
        self._packed_bytes = self._taken_bytes = 0
        self._given_up = False

    async def recorded(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Yield the events; when the last one comes, the document is kept."""
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, Finished):
                        self._finish(event)
                    yield event
                    if self._given_up:
                        continue
                    if isinstance(event, PageFinished):
                        await self._end_page(event)
                    else:
                        self._note(event)
        finally:
            self._give_up()

    def _note(self, event: Event) -> None:
        match event:
            case Delta():
                page = self._page(event.page_number)
                if page.deltas and event.revision != page.deltas[0].revision:
                    page.deltas.clear()  # a draft, up to now
                page.deltas.append(event)
                self._take(page, _size_bytes(event))
            case Retract():
                page = self._page(event.page_number)
                if page.deltas and event.revision == page.deltas[0].revision:
                    page.deltas = cut(page.deltas, event.offset)
            case PageStarted():
                self._page(event.page_number).started = event
            case PageImage():
                page = self._page(event.page_number)
                page.image = event
                self._take(page, len(event.content))
            case Started():
                self._kind = event.kind
                self._page_count, self._wanted = event.document_page_count, event.page_count
            case _:
                pass

    def _page(self, number: int) -> _OpenPage:
        return self._open.setdefault(number, _OpenPage())

    def _take(self, page: _OpenPage, size_bytes: int) -> None:
        """Count the memory that a page takes; without room for it there is no recording."""
        if self._terms.room.take(size_bytes):
            page.size_bytes += size_bytes
            self._taken_bytes += size_bytes
        else:
            self._give_up()

    def _give_up(self) -> None:
        self._given_up = True
        self._terms.room.give(self._taken_bytes)
        self._taken_bytes = 0
        self._open.clear()
        self._pages.clear()

    async def _end_page(self, event: PageFinished) -> None:
        page = self._open.pop(event.page_number, None)
        if page is None or page.started is None or not self._is_good(event):
            self._give_up()
            return
        if self._terms.pictured and not page.image and page.started.geometry.width_px:
            self._give_up()  # it could not be drawn, perhaps only at this moment
            return
        final = tuple(delta for delta in page.deltas if delta.revision == event.revision)
        cached = CachedPage(page.started, page.image, final, event)
        try:
            if page.size_bytes > THREAD_BYTES:
                compact = await asyncio.to_thread(packed, cached)
            else:
                compact = packed(cached)
        except Exception:
            # Whatever it is, the caller has the page: only nobody else gets it without work.
            log.exception("page_not_kept")
            self._give_up()
            return
        self._packed_bytes += len(compact)
        self._terms.room.give(page.size_bytes)
        self._taken_bytes -= page.size_bytes
        if self._packed_bytes > self._terms.max_bytes or not self._terms.room.take(len(compact)):
            self._give_up()
            return
        self._taken_bytes += len(compact)
        self._pages[event.page_number] = compact

    def _is_good(self, event: PageFinished) -> bool:
        """Return whether reading the page anew could be expected to give the same."""
        how = event.provenance
        by_others = how.engine and identity(how.engine) not in self._terms.engines
        # A text layer that could not be read may have been one that a busy machine had no time for.
        unlucky = how.fallback_from or how.text_layer_rejected == "error"
        return event.outcome is PageOutcome.OK and not event.error and not by_others and not unlucky

    def _finish(self, event: Finished) -> None:
        complete = len(self._pages) == self._wanted == event.pages_ok
        if not self._given_up and complete and self._kind:
            document = CachedDocument(self._kind, self._page_count, dict(self._pages))
            self._terms.keep(document)


def cut(deltas: list[Delta], offset: int) -> list[Delta]:
    """Return what is left of deltas when the text beyond an offset is void."""
    left: list[Delta] = []
    start = 0
    for delta in deltas:
        end = start + len(delta.text)
        if end <= offset:
            left.append(delta)
        elif start < offset:
            blocks = tuple(block for block in delta.blocks if block.offset < offset)
            lines = _whole_lines(delta.lines, offset - start)
            left.append(
                replace(delta, text=delta.text[: offset - start], lines=lines, blocks=blocks)
            )
        start = end
    return left


def _whole_lines(lines: tuple[Line, ...], length: int) -> tuple[Line, ...]:
    end = 0
    for place, line in enumerate(lines):
        end += len(line.separator.value) + len(line.text)
        if end > length:
            return lines[:place]
    return lines


def _size_bytes(delta: Delta) -> int:
    words = sum(len(line.words) for line in delta.lines)
    things = LINE_BYTES * (len(delta.lines) + 1) + WORD_BYTES * words
    return things + BLOCK_BYTES * len(delta.blocks) + 4 * len(delta.text)
