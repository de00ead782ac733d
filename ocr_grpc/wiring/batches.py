"""Opens what knows batches; `batch_work.py` starts what works on them."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from ocr_grpc.batches.creation import Creation
from ocr_grpc.batches.dead_letters import DeadLetters
from ocr_grpc.batches.ending import Ending
from ocr_grpc.batches.files import Files
from ocr_grpc.batches.limits import BatchLimits
from ocr_grpc.batches.queries import BatchQueries
from ocr_grpc.batches.sheet import CHANNEL
from ocr_grpc.batches.watching import Watching
from ocr_grpc.extraction.extractor import Extractor
from ocr_grpc.fetching.fetcher import Fetcher
from ocr_grpc.settings import Settings
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.database import Database
from ocr_grpc.store.news import News
from ocr_grpc.store.sealing import Seal
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.installation import check_blobs, check_secret
from ocr_grpc.wiring.reading import limits_for
from ocr_grpc.wiring.sealing import open_seal


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database and the store for documents keep for work without a call."""

    database: Database
    news: News
    seal: Seal
    blobs: Blobs
    files: Files
    fetcher: Fetcher


async def open_kept(
    settings: Settings, database: Database, fetcher: Fetcher, stack: AsyncExitStack
) -> Kept:
    """Open the store for documents, and listen to the news about batches.

    Raises:
        CannotServe: BLOB_URL leads nowhere or elsewhere, or SECRET_KEY is another one.
    """
    try:
        blobs = Blobs(settings.blob_url, settings.data_dir, settings.max_document_bytes)
    except ValueError as error:
        raise CannotServe(str(error)) from None
    stack.push_async_callback(blobs.close)
    seal = await open_seal(settings)
    await check_secret(database, seal)
    await check_blobs(database, blobs, stack)
    news = News(database, CHANNEL)
    stack.push_async_callback(news.close)
    await news.start()
    files = Files(
        database,
        blobs,
        settings.max_upload_bytes_per_user,
        timedelta(hours=settings.upload_retention_hours),
        settings.max_stored_bytes_per_user,
    )
    return Kept(database, news, seal, blobs, files, fetcher)


@dataclass(frozen=True, slots=True)
class Batches:
    """What callers ask about batches."""

    creation: Creation
    queries: BatchQueries
    watching: Watching
    ending: Ending
    dead_letters: DeadLetters


def make_batches(settings: Settings, kept: Kept, extractor: Extractor) -> Batches:
    """Return what answers calls about batches."""
    database, news = kept.database, kept.news
    return Batches(
        Creation(
            database,
            news,
            kept.seal,
            kept.blobs,
            kept.fetcher,
            extractor.check,
            limits_for(BatchLimits, settings),
        ),
        BatchQueries(database),
        Watching(database, news),
        Ending(database, news),
        DeadLetters(database, news),
    )
