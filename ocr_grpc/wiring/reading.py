"""Starts what reads documents: the sandboxed readers, the engine workers, and what joins them."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.pool import DocumentPool
from ocr_grpc.documents.spool import Spool
from ocr_grpc.engines.catalog import EngineChoice
from ocr_grpc.engines.local_worker import WorkerSettings
from ocr_grpc.engines.pool import EnginePool
from ocr_grpc.extraction.extractor import ExtractionLimits, Extractor
from ocr_grpc.rpc.capabilities import OcrLimits
from ocr_grpc.settings import Settings
from ocr_grpc.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Reading:
    """What reads documents."""

    engine: EnginePool
    extractor: Extractor


async def open_reading(
    settings: Settings, spool: Spool, run_dir: Path, metrics: Metrics, stack: AsyncExitStack
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
    engine = EnginePool(_worker_settings(settings, spool, run_dir), settings.worker_count)
    stack.push_async_callback(engine.close)
    await engine.start()
    limits = limits_for(ExtractionLimits, settings)
    return Reading(engine, Extractor(documents, engine, settings.worker_count, limits))


Limits = TypeVar("Limits", ExtractionLimits, OcrLimits)


def limits_for(kind: type[Limits], settings: Settings) -> Limits:
    """Return the limits that an area asks for; its fields are settings of the same names."""
    return kind(**{field.name: getattr(settings, field.name) for field in fields(kind)})


def _worker_settings(settings: Settings, spool: Spool, run_dir: Path) -> WorkerSettings:
    choice = EngineChoice(settings.engine, settings.engine_backend, settings.engine_precision)
    return WorkerSettings(
        choice=choice,
        spool=spool.path,
        run_dir=run_dir,
        memory_bytes=settings.engine_memory_bytes,
        start_seconds=settings.engine_start_seconds,
    )


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
