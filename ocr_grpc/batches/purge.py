"""Removes batches that were deleted, have expired, or whose owners are gone, with their files."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy import delete, func, select, update

from ocr_grpc.batches.ending import Ending
from ocr_grpc.batches.errors import BatchNotFound
from ocr_grpc.batches.files import Files
from ocr_grpc.batches.removal import Removal
from ocr_grpc.batches.sheet import ENDED
from ocr_grpc.errors import OcrError
from ocr_grpc.store.accounts import UserRow
from ocr_grpc.store.batches import BatchRequestRow, BatchRow, FileRow
from ocr_grpc.store.database import Database
from ocr_grpc.store.news import News

log = structlog.get_logger()

SWEEP_SECONDS = 30.0
BATCHES_AT_ONCE = 100
FILES_AT_ONCE = 1_000
MOST_FAILED = 3
"""After so many batches that could not be removed the rest waits for the next sweep."""

REQUEST_LIFE = timedelta(hours=48)
"""How long a request id is remembered at least; callers are promised a day."""

_DEPARTED = select(UserRow.user_id).where(UserRow.delete_time.is_not(None))

T = TypeVar("T")


class Purge:
    """Removes what is over. One task for each process: `start` it, `close` it at the end."""

    def __init__(self, database: Database, news: News, files: Files) -> None:
        self._database = database
        self._news = news
        self._files = files
        self._remover = Removal(database, files)
        self._ending = Ending(database, news)
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

        Several processes may do it at once. What cannot be removed is logged, and holds up nothing
        else.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        async with self._database.read() as session:
            now = await self._database.now(session)
        await self._expire(now)
        await self._tried("departed", self._end_of_departed(now))
        removed = failed = 0
        for batch_id in await self._over():
            gone = await self._tried("batch", self._remover.remove(batch_id), batch_id=batch_id)
            removed += gone is True
            failed += gone is None
            if failed == MOST_FAILED:
                break  # it is not the batches
        await self._tried("files", self._files.sweep())
        await self._tried("request_ids", self._forget_requests(now))
        return removed

    async def _expire(self, now: datetime) -> None:
        expired = BatchRow.expire_time < now, BatchRow.delete_time.is_(None)
        async with self._database.read() as session:
            if (await session.execute(select(BatchRow.batch_id).where(*expired).limit(1))).first():
                async with self._database.write() as writing:
                    await writing.execute(update(BatchRow).where(*expired).values(delete_time=now))

    async def _end_of_departed(self, now: datetime) -> None:
        """Delete the batches and uploads of users who were deleted: nobody else ever could."""
        left = BatchRow.user_id.in_(_DEPARTED), BatchRow.delete_time.is_(None)
        uploads = FileRow.user_id.in_(_DEPARTED), FileRow.uploaded
        async with self._database.read() as session:
            asked = select(BatchRow.user_id, BatchRow.batch_id).where(*left).limit(BATCHES_AT_ONCE)
            batches = (await session.execute(asked)).all()
            named = select(FileRow.file_id).where(*uploads).limit(FILES_AT_ONCE)
            file_ids = (await session.execute(named)).scalars().all()
        for user_id, batch_id in batches:
            await self._tried("departed", self._delete(user_id, batch_id), batch_id=batch_id)
        if file_ids:
            async with self._database.write() as session:
                still = FileRow.file_id.in_(file_ids)
                # In the order of all who lock files.
                locked = select(FileRow.file_id).where(still).order_by(FileRow.file_id)
                await session.execute(locked.with_for_update())
                over = {"uploaded": False, "expire_time": now}
                await session.execute(update(FileRow).where(still).values(over))

    async def _delete(self, user_id: str, batch_id: str) -> None:
        with suppress(BatchNotFound):  # another process was faster
            await self._ending.delete(user_id, batch_id)

    async def _over(self) -> Sequence[str]:
        # By chance: those that cannot be removed must not always stand before the others.
        over = select(BatchRow.batch_id).where(BatchRow.delete_time.is_not(None))
        async with self._database.read() as session:
            some = over.order_by(func.random()).limit(BATCHES_AT_ONCE)
            return (await session.execute(some)).scalars().all()

    async def _forget_requests(self, now: datetime) -> None:
        async with self._database.write() as session:
            old = BatchRequestRow.create_time < now - REQUEST_LIFE
            await session.execute(delete(BatchRequestRow).where(old))

    async def _tried(self, what: str, work: Awaitable[T], **of: str) -> T | None:
        """Return what the work returns, None if it failed."""
        try:
            return await work
        except OcrError as error:
            log.warning("not_removed", what=what, reason=error.reason, **of)
        except Exception as error:
            cause = str(getattr(error, "orig", error))[:200]
            log.error("not_removed", what=what, error=cause, **of)
        return None

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
