"""Removes batches that were deleted or have expired, with all their files; a few at a time."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, update

from ocr_grpc.batches.files import Files
from ocr_grpc.batches.sheet import ENDED
from ocr_grpc.errors import OcrError
from ocr_grpc.store.batches import BatchRequestRow, BatchRow, DocumentRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.news import News

log = structlog.get_logger()

SWEEP_SECONDS = 30.0
BATCHES_AT_ONCE = 20
DOCUMENTS_AT_ONCE = 50
"""Of one transaction: their pages go with them, and nobody else writes meanwhile on SQLite."""

REQUEST_LIFE = timedelta(hours=48)
"""How long a request id is remembered at least; callers are promised a day."""


class Purge:
    """Removes what is over. One task for each process: `start` it, `close` it at the end."""

    def __init__(self, database: Database, news: News, files: Files) -> None:
        self._database = database
        self._news = news
        self._files = files
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe = news.subscribe(self._heard)

    def start(self) -> None:
        """Begin to remove."""
        self._task = asyncio.create_task(self._sweep_for_ever())

    async def close(self) -> None:
        """Stop; what is left is removed later, by any process."""
        self._unsubscribe()
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def sweep(self) -> int:
        """Remove what is over now, and return how many batches that were.

        Several processes may do it at once.

        Raises:
            DatabaseUnavailable: the database does not answer.
            BlobsUnavailable: the store for documents does not.
        """
        async with self._database.read() as session:
            now = await self._database.now(session)
        await self._expire(now)
        async with self._database.read() as session:
            over = select(BatchRow.batch_id).where(BatchRow.delete_time.is_not(None))
            batch_ids = (await session.execute(over.limit(BATCHES_AT_ONCE))).scalars().all()
        for batch_id in batch_ids:
            while await self._remove_some(batch_id):
                pass
        await self._files.sweep()
        async with self._database.write() as session:
            old = BatchRequestRow.create_time < now - REQUEST_LIFE
            await session.execute(delete(BatchRequestRow).where(old))
        return len(batch_ids)

    async def _expire(self, now: datetime) -> None:
        expired = BatchRow.expire_time < now, BatchRow.delete_time.is_(None)
        async with self._database.read() as session:
            if (await session.execute(select(BatchRow.batch_id).where(*expired).limit(1))).first():
                async with self._database.write() as writing:
                    await writing.execute(update(BatchRow).where(*expired).values(delete_time=now))

    async def _remove_some(self, batch_id: str) -> bool:
        """Remove some documents of a batch, or the batch when none is left; return if there may be
        more.
        """
        async with self._database.write() as session:
            some = (
                select(DocumentRow.document_id, DocumentRow.file_id)
                .where(DocumentRow.batch_id == batch_id)
                .limit(DOCUMENTS_AT_ONCE)
            )
            documents = (await session.execute(some)).all()
            ids = [row.document_id for row in documents]
            if ids:
                await session.execute(delete(DocumentRow).where(DocumentRow.document_id.in_(ids)))
            else:
                await session.execute(delete(BatchRow).where(BatchRow.batch_id == batch_id))
        await self._files.release([row.file_id for row in documents if row.file_id])
        return bool(ids)

    async def _sweep_for_ever(self) -> None:
        while True:
            self._wake.clear()
            try:
                while await self.sweep() == BATCHES_AT_ONCE:
                    pass
            except OcrError as error:
                log.warning("batches_not_removed", reason=error.reason)
            except Exception as error:
                log.error("batches_not_removed", error=str(getattr(error, "orig", error))[:200])
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._wake.wait()

    def _heard(self, news: str | None) -> None:
        if news is None or news.startswith(ENDED):
            self._wake.set()
