"""Starts what reads documents: the sandboxed readers, the engine workers, and what joins them."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from ocr_grpc.batches.limits import BatchLimits
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.pool import DocumentPool
from ocr_grpc.documents.spool import Spool
from ocr_grpc.engines.catalog import EngineChoice
from ocr_grpc.engines.errors import EngineUnavailable
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.engines.tesseract.program import Tesseract, TesseractFailed, find_tesseract
from ocr_grpc.engines.vlm.vision_settings import VisionSettings
from ocr_grpc.extraction.cache import ResultCache
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.extraction.extractor import ExtractionLimits, Extractor
from ocr_grpc.rpc.capabilities import OcrLimits
from ocr_grpc.settings import Settings
from ocr_grpc.telemetry.document_metrics import DocumentMetrics
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.telemetry.vision_metrics import VisionMetrics
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.workers import fleet_settings, worker_settings

if TYPE_CHECKING:  # the module itself brings the client of OpenAI along, half a second of CPU
    from ocr_grpc.engines.vlm.engine import VisionEngine

log = structlog.get_logger()

ASK_SECONDS = 10.0
"""How long Tesseract may take to say what it is: nobody waits for it longer."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What reads documents."""

    engine: EnginePool
    """The workers of the usual engine."""
    line_engines: list[EnginePool]
    """With those of others."""
    engines: Engines
    vision: "VisionEngine | None"
    documents: DocumentPool
    extractor: Extractor


async def open_reading(
    settings: Settings,
    spool: Spool,
    run_dir: Path,
    metrics: Metrics,
    stack: AsyncExitStack,
    cache: ResultCache | None = None,
) -> Reading:
    """Start the readers and the engine workers; the latter take seconds.

    Raises:
        EngineUnavailable: no worker became ready in time.
    """
    documents = DocumentPool(
        spool.path,
        _document_limits(settings),
        settings.reader_count,
        settings.office_reader_count,
        warm_readers=1,
        watch=metrics,
    )
    stack.push_async_callback(documents.close)
    await documents.start()
    fleet = fleet_settings(settings)
    engine = EnginePool(worker_settings(settings, spool, run_dir), settings.worker_count, fleet)
    stack.push_async_callback(engine.close)
    # Side by side: loading an engine takes seconds.
    _, others = await asyncio.gather(engine.start(), _tesseract(settings, spool, run_dir, stack))
    lines = [engine, *others]
    if vision := await open_vision(settings, metrics):
        stack.push_async_callback(vision.close)
    engines = Engines(lines, vision, settings.engine)
    counts = DocumentMetrics(metrics.registry)
    limits = limits_for(ExtractionLimits, settings)
    extractor = Extractor(documents, engines, limits, counts, cache)
    return Reading(engine, lines, engines, vision, documents, extractor)


async def _tesseract(
    settings: Settings, spool: Spool, run_dir: Path, stack: AsyncExitStack
) -> list[EnginePool]:
    """Start Tesseract for the languages that the usual engine does not read, if it is there.

    Raises:
        CannotServe: the program is not where it is said to be.
    """
    try:
        program = find_tesseract(settings.tesseract_binary) if settings.tesseract_workers else None
    except FileNotFoundError as error:
        raise CannotServe(str(error)) from None
    if program is None:
        return []
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await asyncio.to_thread(Tesseract.ask, program)
    except (TesseractFailed, OSError, TimeoutError) as error:
        # Not by its workers, which would try for as long as an engine may take to start.
        log.warning("tesseract_left_out", error=str(error) or "it does not answer")
        return []
    choice = EngineChoice("tesseract", binary=str(program))
    own = replace(worker_settings(settings, spool, run_dir), choice=choice)
    pool = EnginePool(own, settings.tesseract_workers)
    stack.push_async_callback(pool.close)
    try:
        await pool.start()
    except EngineUnavailable as error:
        log.warning("tesseract_left_out", error=error.message)
        return []
    return [pool]


async def open_vision(settings: Settings, metrics: Metrics | None = None) -> "VisionEngine | None":
    """Return the language model, whether its server is there yet or not; None if none is set.

    Its calls are counted in `metrics`, if there are some.

    Raises:
        CannotServe: there is no profile of that name.
    """
    if not settings.llm_base_url:
        return None
    from ocr_grpc.engines.vlm.engine import VisionEngine
    from ocr_grpc.engines.vlm.watch import CallOutcome

    outcomes = [outcome.value for outcome in CallOutcome]
    watch = VisionMetrics(metrics.registry, outcomes) if metrics else None
    try:
        vision = VisionEngine(limits_for(VisionSettings, settings), watch=watch)
    except ValueError as error:
        raise CannotServe(f"LLM_PROFILE: {error}") from None
    await vision.start()
    return vision


Limits = TypeVar("Limits", ExtractionLimits, OcrLimits, VisionSettings, BatchLimits)


def limits_for(kind: type[Limits], settings: Settings) -> Limits:
    """Return what an area asks for; its fields are settings of the same names."""
    return kind(**{field.name: getattr(settings, field.name) for field in fields(kind)})


def _document_limits(settings: Settings) -> DocumentLimits:
    return DocumentLimits(
        max_document_bytes=settings.max_document_bytes,
        max_pages=settings.max_pages,
        max_page_pixels=settings.max_page_pixels,
        max_archive_members=settings.max_archive_members,
        max_archive_bytes=settings.max_archive_bytes,
        max_archive_ratio=settings.max_archive_ratio,
        max_pictures_per_page=settings.max_pictures_per_page,
        open_seconds=settings.open_timeout_seconds,
        page_seconds=settings.render_timeout_seconds,
        reader_memory_bytes=settings.reader_memory_bytes,
    )
