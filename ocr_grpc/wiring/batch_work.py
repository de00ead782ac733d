"""Starts what works on batches: in `serve`, and in `ocr-grpc worker`."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from sqlalchemy import or_, update

from ocr_grpc.accounts.owners import Owners
from ocr_grpc.batches.chunk_rows import CRASHES_TO_BE_ALONE
from ocr_grpc.batches.desk import Desk
from ocr_grpc.batches.dispatcher import Dispatcher
from ocr_grpc.batches.memory_queue import MemoryDispatcher
from ocr_grpc.batches.postgresql_queue import PostgresqlDispatcher
from ocr_grpc.batches.pump import Pump
from ocr_grpc.batches.reading import ReadingParts
from ocr_grpc.batches.runner import Runner
from ocr_grpc.batches.workers import Workers
from ocr_grpc.documents.spool import Spool
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.extraction.extractor import Extractor
from ocr_grpc.rpc.page_results import encoded_page
from ocr_grpc.settings import Settings
from ocr_grpc.store.batches import ChunkRow
from ocr_grpc.store.database import Database
from ocr_grpc.telemetry.metrics import Metrics
from ocr_grpc.wiring.batches import Kept
from ocr_grpc.wiring.until_stopped import cancelled

GRACE_SECONDS = 0.0
"""What chunks get to end when the process stops. None: they go on elsewhere, or after the start,
from the page after the last one that ended."""


class BatchWork:
    """Works on batches until it is stopped. `start` it, then `stop` it, which may be done twice."""

    def __init__(
        self,
        settings: Settings,
        kept: Kept,
        extractor: Extractor,
        owners: Owners,
        spool: Spool,
        metrics: Metrics,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        """Put it together; nothing runs yet. `ready`: whether there is an engine at this moment."""
        self._kept = kept
        self._taking: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()
        database, news = kept.database, kept.news
        self._workers = Workers(database, settings.batch_chunks, ready=ready)
        self._dispatcher = _dispatcher(settings, database)
        self._pump = Pump(database, news, self._dispatcher, self._workers)
        self._desk = Desk(database, news, metrics, self._workers.worker_id)
        parts = ReadingParts(
            desk=self._desk,
            extractor=extractor,
            owners=owners,
            files=kept.files,
            blobs=kept.blobs,
            fetcher=kept.fetcher,
            seal=kept.seal,
            encode_page=encoded_page,
            folder=spool.path,
            max_document_bytes=settings.max_document_bytes,
        )
        self._runner = Runner(parts, database, news, metrics, ready)

    async def start(self) -> None:
        """Begin to work.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        if self._kept.database.is_sqlite:
            await _hand_out_anew(self._kept.database)
        await self._workers.start()
        self._stack.push_async_callback(self._desk.close)
        self._desk.start()
        self._stack.push_async_callback(self._runner.close)
        taking = self._taking = asyncio.create_task(self._dispatcher.run(self._runner.run))
        self._stack.push_async_callback(cancelled, taking)
        self._stack.push_async_callback(self._pump.close)
        self._pump.start()
        # The first to be closed: nobody shall hand out for the slots of a process that stops.
        self._stack.push_async_callback(self._workers.close)

    @property
    def running(self) -> bool:
        """Whether chunks are taken as they come."""
        return self._taking is not None and not self._taking.done()

    async def stop(self) -> None:
        """Give all chunks back, and stop."""
        await self._stack.aclose()


def any_engine_ready(engines: Engines) -> bool:
    """Return whether any engine could read a page at this moment."""
    return any(engines.ready_workers_of(each.name) for each in engines.descriptions)


def _dispatcher(settings: Settings, database: Database) -> Dispatcher:
    if database.is_sqlite:
        return MemoryDispatcher(settings.batch_chunks, GRACE_SECONDS)
    return PostgresqlDispatcher(
        database, settings.batch_chunks, GRACE_SECONDS, settings.batch_takeover_seconds
    )


async def _hand_out_anew(database: Database) -> None:
    """Have all chunks wait that the process before this one had; those it was reading, it died of.

    Stopped in an orderly way it gave them back.
    """
    async with database.write() as session:
        queued = update(ChunkRow).where(ChunkRow.state == "queued")
        await session.execute(queued.values(state="waiting"))
        died = update(ChunkRow).where(ChunkRow.state == "running")
        suspected = died.where(ChunkRow.alone, ChunkRow.suspect_page.is_not(None))
        more = ChunkRow.suspect_crashes + 1
        await session.execute(suspected.values(suspect_crashes=more))
        crashes = ChunkRow.crashes + 1
        await session.execute(
            died.values(
                state="waiting",
                worker_id=None,
                crashes=crashes,
                alone=or_(ChunkRow.alone, crashes >= CRASHES_TO_BE_ALONE),
            )
        )
