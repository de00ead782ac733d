"""A long document never keeps the pages of a short one from getting ready."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.engines.page_read import PageRead, ReadTimes
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.extraction.events import PageFinished
from ocr_grpc.extraction.extractor import ExtractionLimits, Extractor
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.extraction.order import Order
from ocr_grpc.model import Line, RenderedPage
from ocr_grpc.telemetry.document_metrics import DocumentMetrics
from tests.extraction.scripted import ENGINE, image_in

WAIT_SECONDS = 60


class Free:
    """A meter that counts nothing."""

    async def nothing(self, *_: object) -> None:
        return

    reserve = charge = settle = abandon = nothing

    def delivered(self, event: object) -> None:
        return


class Images:
    """A pool with documents of images; the name of one is how many pages it has."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.numbers = folder, count()

    async def open(self, path: Path, *, name: str, **_: object) -> "OpenedImages":
        return OpenedImages(self, int(name))


@dataclass
class OpenedImages:
    pool: Images
    page_count: int
    kind = DocumentKind.TIFF
    is_structured = has_text_layers = False

    async def render(self, page_number: int, dpi: int) -> RenderedPage:
        return image_in(self.pool.folder, next(self.pool.numbers))

    async def close(self) -> None:
        return


@dataclass
class Gate:
    """An engine that notes what is ready for it, and reads nothing before it is opened."""

    ready_workers: int
    description = ENGINE
    ready: Counter[str] = field(default_factory=Counter)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, read: PageRead) -> AsyncGenerator[list[Line] | ReadTimes, None]:
        async with self.news:
            self.ready[read.extraction_id] += 1
            self.news.notify_all()
        await self.opened.wait()
        yield ReadTimes(0.0, 0.0)

    async def has_ready(self, pages: int) -> None:
        """Wait until so many pages are ready."""
        async with asyncio.timeout(WAIT_SECONDS), self.news:
            await self.news.wait_for(lambda: self.ready.total() == pages)


@pytest.mark.parametrize("caller", ["the same", "another"])
@pytest.mark.parametrize(("workers", "pages_at_once"), [(1, 0), (2, 0), (8, 0), (2, 20)])
async def test_a_short_document_gets_ready_beside_a_long_one(
    tmp_path, workers, pages_at_once, caller
):
    engine = Gate(workers)
    limits = ExtractionLimits(pages_at_once, 99, 99, 9, 9, 99, llm_concurrency=1)
    metrics = DocumentMetrics(CollectorRegistry())
    extractor = Extractor(cast("Any", Images(tmp_path)), Engines([engine]), limits, metrics)

    async def extract(pages: int, caller: str) -> int:
        document = cast("Any", type("", (), {"path": tmp_path, "size_bytes": 100}))
        order = Order(
            document, f"{pages}", ExtractOptions(), caller, cast("Any", Free()), Interruption()
        )
        async with aclosing(extractor.extract(order)) as events:
            return len([event async for event in events if isinstance(event, PageFinished)])

    at_once = pages_at_once or max(4, workers + 2)
    long = asyncio.create_task(extract(30, "the same"))
    await engine.has_ready(at_once)
    short = asyncio.create_task(extract(1, caller))
    await engine.has_ready(at_once + 1)
    engine.opened.set()
    assert await short == 1
    assert await long == 30
