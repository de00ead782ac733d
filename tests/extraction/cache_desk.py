"""An extractor with a cache of results, and everything around it that counts what is done."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.spool import SpooledDocument
from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.engines.page_read import PageRead, ReadTimes
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.cache import ResultCache
from ocr_grpc.extraction.cache_key import KeyMaker
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.extraction.events import Event, PageFinished, Started
from ocr_grpc.extraction.extractor import ExtractionLimits, Extractor
from ocr_grpc.extraction.interruption import Interruption
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.extraction.order import Order
from ocr_grpc.metering.errors import QuotaExceeded
from ocr_grpc.model import Line, RenderedPage, Separator, box
from ocr_grpc.store.result_cache import MemoryResults, Room
from ocr_grpc.store.sealing import Seal
from ocr_grpc.telemetry.cache_metrics import CacheMetrics
from ocr_grpc.telemetry.document_metrics import DocumentMetrics
from tests.extraction.scripted import image_in

MIB = 1024 * 1024
SEAL = Seal(b"secret")


@dataclass
class Counting:
    """A meter that notes what it is told, and may refuse."""

    reserved: list[list[range]] = field(default_factory=list)
    charged: list[int] = field(default_factory=list)
    settled: list[OcrError | None] = field(default_factory=list)
    abandoned: int = 0
    refuses: bool = False

    async def reserve(self, started: Started, pages: list[range]) -> None:
        if self.refuses:
            raise QuotaExceeded("ada", 1, 0, 3, 60.0)
        self.reserved.append(pages)

    async def charge(self, page: PageFinished) -> None:
        self.charged.append(page.page_number)

    async def settle(self, error: OcrError | None) -> None:
        self.settled.append(error)

    async def abandon(self) -> None:
        self.abandoned += 1

    def delivered(self, event: Event) -> None:
        return


@dataclass
class Images:
    """A pool with one document of images, as often as it is opened."""

    folder: Path
    page_count: int = 3
    opened: int = 0
    numbers: "count[int]" = field(default_factory=count)
    kind = DocumentKind.TIFF
    is_structured = has_text_layers = False

    async def open(self, path: Path, **_: object) -> "Images":
        self.opened += 1
        return self

    async def render(self, page_number: int, dpi: int) -> RenderedPage:
        return image_in(self.folder, next(self.numbers))

    async def close(self) -> None:
        return


@dataclass
class Reader:
    """An engine that reads one line of each page."""

    ready_workers: int = 2
    description: EngineDescription = field(
        default_factory=lambda: EngineDescription("lines", "m", "1", "python", "f32", ("de", "en"))
    )
    reads: int = 0
    answers_as: EngineDescription | None = None

    async def read(self, read: PageRead) -> AsyncGenerator[list[Line] | ReadTimes, None]:
        self.reads += 1
        text = f"Page {read.page_number}, reading {self.reads}."
        yield [Line(text, box(0, 0, 1, 1), 0.5, Separator.NONE)]
        yield ReadTimes(0.0, 0.0, engine=self.answers_as)


class Desk:
    """An extractor with a cache, and everything around it."""

    def __init__(self, folder: Path, shared: bool = False, limits: str = "", pages: int = 3):
        self.path = folder / "document"
        self.path.write_bytes(b"bytes")
        self.pool, self.reader = Images(folder, pages), Reader()
        self.results, self.room = MemoryResults(8 * MIB, 60), Room(2 * MIB)
        self.registry = CollectorRegistry()
        metrics = CacheMetrics(self.registry, lambda: self.results.used_bytes)
        keys = KeyMaker(SEAL, limits, shared)
        self.cache = ResultCache(self.results, keys, self.room, metrics)
        self.extractor = self.made()

    def made(self) -> Extractor:
        limits = ExtractionLimits(0, 99, 99, 9, 9, 99, llm_concurrency=1)
        metrics = DocumentMetrics(CollectorRegistry())
        engines = Engines([self.reader])
        return Extractor(cast("Any", self.pool), engines, limits, metrics, self.cache)

    def order(self, meter: Counting | None = None, name: str = "a.tif", **values: Any) -> Order:
        options = values.pop("options", ExtractOptions())
        document = values.pop("document", SpooledDocument(self.path, 300))
        order = Order(document, name, options, "caller", meter or Counting(), Interruption())
        return replace(order, **{"owner": "ada"} | values)

    async def read(self, meter: Counting | None = None, **values: Any) -> list[Event]:
        order = self.order(meter, **values)
        async with aclosing(self.extractor.extract(order)) as events:
            return [event async for event in events]

    def lookups(self, outcome: str) -> float | None:
        return self.registry.get_sample_value(
            "ocr_result_cache_lookups_total", {"outcome": outcome}
        )
