"""Of many documents under way together, each has fewer pages in memory."""

import asyncio
from contextlib import aclosing
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from ocr_grpc.extraction import extractor as module
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.extraction.events import Finished, Started
from ocr_grpc.extraction.extractor import ExtractionLimits, Extractor
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.extraction.order import Order
from ocr_grpc.telemetry.document_metrics import DocumentMetrics
from tests.extraction.test_short_beside_long import Free, Gate, Images

DOCUMENTS, PAGES = 6, 12


@pytest.mark.parametrize(("most", "at_once"), [(512, 10), (12, 2), (3, 1)])
async def test_documents_share_the_pages_that_are_under_way(tmp_path, monkeypatch, most, at_once):
    monkeypatch.setattr(module, "MOST_PAGES_UNDER_WAY", most)
    engine = Gate(8)  # pages, and two more, of a document that is alone
    limits = ExtractionLimits(0, 99, 99, 99, 99, 99, llm_concurrency=1)
    metrics = DocumentMetrics(CollectorRegistry())
    extractor = Extractor(cast("Any", Images(tmp_path)), Engines([engine]), limits, metrics)
    monkeypatch.setattr(extractor._images, "_capacity", lambda _: 99)
    everybody = asyncio.Barrier(DOCUMENTS)

    async def extract(number: int) -> bool:
        document = cast("Any", type("", (), {"path": tmp_path, "size_bytes": 100}))
        order = Order(
            document, f"{PAGES}", ExtractOptions(), f"{number}", cast("Any", Free()), Interruption()
        )
        last = None
        async with aclosing(extractor.extract(order)) as events:
            async for last in events:
                if isinstance(last, Started):
                    await everybody.wait()  # before a page of any begins
        return isinstance(last, Finished)

    reading = asyncio.gather(*map(extract, range(DOCUMENTS)))
    await engine.has_ready(DOCUMENTS * at_once)
    for _ in range(200):
        await asyncio.sleep(0)
    assert engine.ready.total() == DOCUMENTS * at_once
    engine.opened.set()
    assert all(await asyncio.wait_for(reading, 60))
